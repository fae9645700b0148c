"""The benchmarks' cases run: what they time is not tested."""

import sys
from pathlib import Path

import pytest

import rushlight

ROOT = Path(__file__).resolve().parent.parent
if not (ROOT / "benchmarks").is_dir():
    pytest.skip("needs the source tree", allow_module_level=True)
sys.path.insert(0, str(ROOT))

from benchmarks import cases, per_call, run


@pytest.mark.parametrize(
    "case", [c for c in cases.CASES if not c.long], ids=lambda c: f"{c.group}, {c.name}"
)
def test_case_runs(case):
    case.make(rushlight)()


def test_pieces_run():
    for f in per_call.pieces(rushlight).values():
        f()


def test_numbers_are_readable():
    assert [run.human(t) for t in (1.234e-7, 5e-6, 0.0123, 2.0, "why", None)] == [
        "123 ns", "5 us", "12.3 ms", "2 s", "-", "-",
    ]  # fmt: skip
    assert run.ratio(1e-6, 2e-6) == "2.00"
    assert run.ratio(1e-6, "failed") == "-"
