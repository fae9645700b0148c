"""The benchmarks' cases run: what they time is not tested."""

import ast
import sys
from pathlib import Path

import pytest

import rushlight

ROOT = Path(__file__).resolve().parent.parent
if not (ROOT / "benchmarks").is_dir():
    pytest.skip("needs the source tree", allow_module_level=True)
sys.path.insert(0, str(ROOT))

from benchmarks import cases, per_call, run, sweep


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


# Rows of the operator table that users spell otherwise.
SPELLED = {
    "log_sigmoid": "logsigmoid", "to_dtype": "to", "nonzero_tuple": "nonzero", "constant_pad_nd": "pad",
    "_block_diag": "block_diag", "max_pool1d_with_indices": "max_pool1d", "max_pool2d_with_indices": "max_pool2d",
    "max_pool3d_with_indices": "max_pool3d", "_unique2": "unique", "_unique_dim": "unique",
    "_unique_consecutive": "unique_consecutive", "im2col": "unfold", "col2im": "fold", "resample": "interpolate",
    "grid_sampler": "grid_sample", "grid_sampler_2d": "grid_sample", "grid_sampler_3d": "grid_sample",
    "affine_grid_generator": "affine_grid", "standard_gamma": "_standard_gamma",
    "sample_dirichlet": "_sample_dirichlet", "border_pad": "pad", "_histogram": "histogram", "_histogram_edges": "histogram",
}  # fmt: skip
UNTIMED = {
    "is_same_size",  # no work that grows with the elements
    "standard_gamma_grad", "dirichlet_grad",  # derivatives of random numbers
}  # fmt: skip


def test_sweep_calls_every_operator():
    """benchmarks/sweep.py compares each row of the operator table with PyTorch."""
    used = set().union(*(sweep.names_used(e) for _, e in sweep.expressions()))
    used |= {name.removesuffix("_") for name in used}
    missing = []
    for path in sorted((ROOT / "csrc/table").glob("*.pyi")):
        for row in ast.parse(path.read_text()).body:
            if not isinstance(row, ast.FunctionDef):
                continue
            given = {k.arg: ast.literal_eval(k.value) for k in row.decorator_list[0].keywords}
            names = {row.name, given.get("name", row.name), *given.get("aliases", ())}
            names |= {name.removeprefix("special_") for name in names}
            names |= {SPELLED.get(name, name) for name in names}
            if not names & (used | UNTIMED):
                missing.append(row.name)
    assert not missing, f"operators that benchmarks/sweep.py does not time: {missing}"


def test_sweep_runs():
    tables = sweep.tensors(rushlight, 10_000)
    for family, expression in sweep.expressions():
        if family not in ("linalg", "fft"):  # these need NumPy and SciPy
            eval(expression, tables)
