"""Every row of the operator table against PyTorch with random shapes, layouts, dtypes, values and spellings.

Values, dtypes, shapes, strides, first and second gradients and exception types; inputs stay as they were where a call
fails. What is drawn, and which differences are meant, stands in fuzz/. The draws are the same every time;
RUSHLIGHT_FUZZ_EXAMPLES=200 draws more of each row.
"""

from __future__ import annotations

import os

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: differential tests need torch==2.13.0")
fuzz = pytest.importorskip("fuzz")
hypothesis = pytest.importorskip("hypothesis")

import rushlight

pytestmark = [pytest.mark.differential, pytest.mark.filterwarnings("ignore")]
EXAMPLES = int(os.environ.get("RUSHLIGHT_FUZZ_EXAMPLES", "3"))
# Making a failing call smaller takes long: only where one looks for it.
PHASES = [p for p in hypothesis.Phase if p != hypothesis.Phase.shrink or EXAMPLES > 3]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Small tensors gain nothing from PyTorch's threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("row", fuzz.fuzzed_rows())
@hypothesis.settings(max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, phases=PHASES,
                     suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(random=hypothesis.strategies.randoms(use_true_random=False))
def test_row(row, random):
    """Random calls of one row: the outcomes are equal."""
    call = fuzz.make_call(random, row)
    wrong = fuzz.compare(call, fuzz.run(rushlight, call), fuzz.run(torch, call), 8)
    assert not wrong, f"{call}: {'; '.join(wrong)}"
