"""Every operator of the table against committed values of PyTorch, in every form the database implies."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import outcome
import pytest
import samples

import rushlight
from rushlight.autograd import gradcheck, gradgradcheck

CASES = samples.load()
GOLDEN = {}
for _path in sorted((Path(__file__).parent / "golden").glob("*.json")):
    GOLDEN |= json.loads(_path.read_text())
TABLE = sorted((Path(__file__).parent.parent / "csrc" / "table").glob("*.pyi"))

every_case = pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
every_value = pytest.mark.parametrize("case", [c for c in CASES if not c.error], ids=lambda c: c.id)
every_derivative = pytest.mark.parametrize(
    "case",
    [c for c in CASES if not c.error and c.grad and GOLDEN.get(c.id, {}).get("grads") and c.seed is None],
    ids=lambda c: c.id,
)


ALWAYS_FAILS = ("imag",)  # real numbers have none


def test_every_operator_has_a_case():
    """A row of the table that no case calls is untested, and fails here."""
    called = {c.name.removesuffix("_") for c in CASES if not c.error or c.name in ALWAYS_FAILS}
    rows = [f for path in TABLE for f in ast.parse(path.read_text()).body if isinstance(f, ast.FunctionDef)]
    names = set()
    for row in rows:
        keywords = {k.arg: getattr(k.value, "value", None) for k in row.decorator_list[0].keywords}
        names.add(keywords.get("name") or row.name)
        given = {k.arg: k.value for k in row.decorator_list[0].keywords}
        if "aliases" in given:
            names.update(ast.literal_eval(given["aliases"]))
    aliases = {"reshape_method": "reshape", "permute_method": "permute"}
    missing = sorted(n for n in names if aliases.get(n, n) not in called)
    assert not missing, f"operators without a case in tests/cases: {missing}"


def test_golden_values_are_those_of_the_cases():
    assert set(GOLDEN) - {"torch"} == {c.id for c in CASES}, "run tests/make_golden.py"


@every_case
def test_golden(case):
    """Values, dtypes, shapes, strides, gradients, node names; or the exception."""
    expected = GOLDEN[case.id]
    wrong = outcome.compare(outcome.run(rushlight, case), expected, case)
    assert not wrong, "; ".join(wrong)


def _function(case, args, kwargs):
    """The case as a function of the tensors that want a gradient, and those tensors."""
    inputs = [t for t in samples.tensors_of([args, kwargs]) if t.requires_grad]

    def replace(value, new):
        if isinstance(value, rushlight.Tensor):
            return next(new) if value.requires_grad else value
        if isinstance(value, (list, tuple)):
            return type(value)(replace(v, new) for v in value)
        return value

    def fn(*new):
        it = iter(new)
        result = case.call(rushlight, [replace(a, it) for a in args], {k: replace(v, it) for k, v in kwargs.items()})
        outputs = [t for t in samples.tensors_of(result) if t.requires_grad]
        return tuple(outputs) if len(outputs) > 1 else outputs[0]

    return fn, inputs


def _overlapping(inputs):
    """Whether an element of some input stands in several places: it cannot be nudged alone."""
    return any(0 in t.stride() and t.numel() > 1 for t in inputs)


@every_derivative
def test_gradient(case):
    """The derivative against central differences in float64."""
    fn, inputs = _function(case, *case.build(rushlight, dtype="float64", requires_grad=True))
    if not case.gradgrad or not any(t.numel() for t in inputs) or _overlapping(inputs):
        pytest.skip("nothing to differentiate numerically")
    assert gradcheck(fn, inputs)


@every_derivative
def test_second_gradient(case):
    """The derivative of the derivative against central differences in float64."""
    fn, inputs = _function(case, *case.build(rushlight, dtype="float64", requires_grad=True))
    if not case.gradgrad or not 0 < sum(t.numel() for t in inputs) <= 60 or _overlapping(inputs):
        pytest.skip("nothing to differentiate numerically, or too much")
    assert gradgradcheck(fn, inputs)


# f_ changes the size, draws by other rules than f, or insists on float64.
NO_INPLACE_TWIN = ("float_power", "as_strided", "squeeze", "unsqueeze", "t", "transpose", "swapaxes", "swapdims", "normal", "bernoulli")


@every_value
def test_in_place(case):
    """x.f_(...) equals f(x, ...) wherever that exists and fits."""
    name = case.name + "_"
    args, kwargs = case.build(rushlight)
    fits = case.fn is None and args and isinstance(args[0], rushlight.Tensor) and hasattr(args[0], name)
    if not fits or case.name in NO_INPLACE_TWIN:
        pytest.skip("no such form")
    expected = case.call(rushlight, args, kwargs)
    x = args[0].clone()
    if x.shape != expected.shape or not rushlight.can_cast(expected.dtype, x.dtype):
        with pytest.raises(RuntimeError):
            getattr(x, name)(*args[1:], **kwargs)
        assert rushlight.equal(x.nan_to_num(), args[0].clone().nan_to_num())
        return
    if case.seed is not None:
        rushlight.manual_seed(case.seed)
    result = getattr(x, name)(*args[1:], **kwargs)
    assert result is x
    assert x._version == args[0].clone()._version + 1
    difference = outcome.close(
        x.reshape(-1).tolist(), expected.to(x.dtype).reshape(-1).tolist(), str(x.dtype).removeprefix("torch."), 0
    )
    assert difference is None
