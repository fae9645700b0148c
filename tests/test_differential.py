"""Every case of the operator database against the PyTorch that is importable here, with fresh random inputs."""

from __future__ import annotations

import outcome
import pytest
import samples

import rushlight

torch = pytest.importorskip("torch", reason="PyTorch is not installed: differential tests need torch==2.13.0")

pytestmark = pytest.mark.differential
CASES = samples.load()


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
@pytest.mark.filterwarnings("ignore")
def test_case(case):
    """The same call in both libraries; inputs differ from those of the golden files."""
    fresh = samples.Case(**{**case.__dict__, "index": case.index + 7000})
    expected = outcome.run(torch, fresh)
    if case.error and expected["error"] is None:
        pytest.skip("these inputs are no error")
    wrong = outcome.compare(outcome.run(rushlight, fresh), expected, fresh)
    assert not wrong, "; ".join(wrong)
