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

from benchmarks import cases, in_torch, libraries, per_call, run, sweep, table

README = (ROOT / "README.md").read_text()


def ids(case):
    return case.key


@pytest.mark.parametrize("case", [c for c in cases.CASES if not c.long], ids=ids)
def test_case_runs(case):
    libraries.make("rushlight", case)()


def numbers(value):
    """The arrays of a result."""
    import numpy as np

    if isinstance(value, (list, tuple)):
        return [a for part in value for a in numbers(part)]
    return [np.asarray(value.detach().numpy() if hasattr(value, "detach") else value)]


def light(case):
    """Little to compute, and not a second size of the same."""
    if case.form == "operator":
        return case.arguments[1] == 10_000
    return case.flops < 3e9 and 512 not in case.arguments


@pytest.mark.parametrize("case", [c for c in cases.CASES if light(c)], ids=ids)
@pytest.mark.parametrize("library", ["torch", "numpy", "jax", "onnxruntime"])
def test_libraries_compute_the_same(library, case):
    """Three calls (of a training step: the losses) give rushlight's values, so the same work is timed."""
    np = pytest.importorskip("numpy")
    for needed in (library, *libraries.NEEDS.get(library, ())):
        module = pytest.importorskip(needed)
        if needed == "torch":
            module.set_num_threads(1)  # its threads wait for each other by spinning
    if case.form == "encoder_layer" or (case.form == "attention" and case.arguments[2]):
        pytest.skip("random: dropout")
    theirs, ours = libraries.make(library, case), libraries.make("rushlight", case)
    if theirs is None:
        pytest.skip(f"{libraries.LIBRARIES[library]} has no natural form of this")
    for _ in range(3):
        for a, b in zip(numbers(ours()), numbers(theirs()), strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-5)


def test_goals_are_cases():
    """The shapes and sizes that a user of rushlight is promised a speed for."""
    keys = {case.key for case in cases.CASES if case.goal or case.rate}
    assert set(table.README.values()) <= {case.key for case in cases.CASES}
    for product in ("2 x 20 x 256", "1 x 256 x 256", "64 x 256 x 10", "256 x 784 x 256", "16 x 16 x 16", "1024 x 1024 x 1024"):
        assert f"sgemm: {product}" in keys
    assert {name for name in cases.OPERATORS} == set(in_torch.OPERATORS)
    assert len({case.key for case in cases.CASES}) == len(cases.CASES)


def test_workers_take_turns():
    """A worker answers, is stopped meanwhile, and ends when it is told to."""
    index = next(i for i, c in enumerate(cases.CASES) if c.key == "10 elements: x + y")
    workers = [run.Worker("rushlight", 1) for _ in range(2)]
    try:
        times = run.measure(workers[:1], index, 2, 0.001)
        assert 0 < times["rushlight", 1] < 1
    finally:
        for worker in workers:
            worker.close()
    assert [worker.process.returncode for worker in workers] == [0, 0]


def made_up_results():
    limits = {t: {"fma": 100.0 * t, "copy 1000": 50.0, "copy 10000000": 20.0} for t in (1, 2)}
    results = table.Results(["rushlight", "torch", "numpy"], [1, 2], limits, "A machine", "rushlight 1")
    for case in cases.CASES:
        times = {("rushlight", 1): 1e-3, ("torch", 1): 2e-3, ("numpy", 1): 5e-4, ("rushlight", 2): 8e-4}
        results.rows.append((case, {**times, ("torch", 2): "ValueError: no"}))
    results.package = [("import", {"rushlight": 0.006, "torch": 1.2}, table.human, "8 ms")]
    return results


def test_document():
    text = table.document(made_up_results())
    lines = text.splitlines()
    assert "| 256 x 784 x 256 | 1 ms | 2 ms | 2.00 | 114 GFLOP/s | 103 GFLOP/s, 103 % | **500 us** |" in lines
    assert "| 256 x 784 x 256 | **800 us** | 1.25 | 128 GFLOP/s, 64 % |" in lines  # empty columns left out
    assert "| exp | 1 ms | 2 ms | 2.00 | 4 | 80 GB/s, 400 % | **500 us** |" in lines
    assert "| import | 6 ms | 1.2 s | 8 ms |" in lines


def test_readme():
    """Its table has the rows that `make bench` writes there, and stays what it is around them."""
    text = table.readme(README, made_up_results())
    assert text.split(table.BEGIN)[0] == README.split(table.BEGIN)[0]
    assert text.split(table.END)[1] == README.split(table.END)[1]
    assert "| LeNet, training step, batch 64 | 1 ms | 2 ms | 2.00 | NumPy 500 us |" in text
    assert "| import | 6 ms | 1.2 s | 200 |  |" in text
    assert table.readme(text, made_up_results()) == text
    for name in table.README:
        assert f"\n| {name} |" in README


def test_pieces_run():
    for f in per_call.pieces(rushlight).values():
        f()


def test_numbers_are_readable():
    assert [table.human(t) for t in (1.234e-7, 5e-6, 0.0123, 2.0, "why", None)] == [
        "123 ns", "5 us", "12.3 ms", "2 s", "-", "-",
    ]  # fmt: skip
    assert [table.ratio(1e-6, t) for t in (2e-6, 23.44e-6, 3e-4, "failed")] == ["2.00", "23.4", "300", "-"]
    assert table.megabytes(3.44) == "3.4 MB"
    assert table.megabytes(218.2) == "218 MB"


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
