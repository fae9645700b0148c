"""nn.init: PyTorch's values for the same seed, properties, errors."""

import json
import math
import warnings
from pathlib import Path

import pytest

import rushlight
from rushlight import nn

GOLDEN_FILE = Path(__file__).with_name("init.json")
SHAPES = [(6, 4), (4, 6), (7, 7), (3, 2, 5), (8, 3, 3, 3), (1, 5), (5, 1)]
CALLS = [
    "uniform_(x)",
    "uniform_(x, -0.3, 0.7)",
    "normal_(x, 1.0, 0.2)",
    "constant_(x, 3.5)",
    "ones_(x)",
    "zeros_(x)",
    "xavier_uniform_(x)",
    "xavier_uniform_(x, 5 / 3)",
    "xavier_normal_(x)",
    "kaiming_uniform_(x)",
    "kaiming_uniform_(x, 5**0.5, 'fan_out', 'leaky_relu')",
    "kaiming_normal_(x, nonlinearity='relu')",
    "orthogonal_(x)",
    "orthogonal_(x, 2.5)",
    "trunc_normal_(x)",
    "trunc_normal_(x, 0, 1, 1, 2)",
    "trunc_normal_(x, 0, 0.02, -0.04, 0.01)",
]
MATRIX = ["eye_(x)", "sparse_(x, 0.3)", "sparse_(x, 0.5, 2.0)"]
KERNEL = ["dirac_(x)"]


def cases() -> list[tuple[str, tuple[int, ...]]]:
    result = [(call, shape) for shape in SHAPES for call in CALLS]
    result += [(call, shape) for shape in SHAPES if len(shape) == 2 for call in MATRIX]
    result += [(call, shape) for shape in SHAPES if len(shape) > 2 for call in KERNEL]
    return [*result, ("dirac_(x, 2)", (4, 2, 3, 3))]


def evaluate(library, call: str, shape: tuple[int, ...], dtype: str = "float32") -> list[float]:
    """The values that a call gives after seeding, and a draw that shows where the generator is."""
    library.manual_seed(11)
    x = library.full(shape, 9.0, dtype=getattr(library, dtype))
    result = eval(f"init.{call}", {"init": library.nn.init, "x": x})
    assert result is x
    return [*x.flatten().tolist(), library.rand(()).item()]


def make_golden() -> None:
    """python tests/test_init.py (needs torch==2.13.0) writes tests/init.json."""
    import torch

    content = {f"{call} {shape}": evaluate(torch, call, shape) for call, shape in cases()}
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in content.items()]
    GOLDEN_FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


@pytest.mark.parametrize(("call", "shape"), cases())
def test_values_are_pytorchs(call, shape):
    expected = json.loads(GOLDEN_FILE.read_text())[f"{call} {shape}"]
    result = evaluate(rushlight, call, shape)
    if call.startswith("orthogonal"):  # LAPACK's rounding differs from ours
        assert result == pytest.approx(expected, abs=2e-6)
    else:
        assert result == pytest.approx(expected, rel=2**-22, abs=2**-40)


@pytest.mark.parametrize(("call", "shape"), cases())
def test_values_in_double(call, shape):
    torch = pytest.importorskip("torch")
    ours = evaluate(rushlight, call, shape, "float64")
    theirs = evaluate(torch, call, shape, "float64")
    assert ours == pytest.approx(theirs, rel=1e-13, abs=1e-13)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("gain", [1, 3])
def test_orthogonal_is_orthogonal(shape, gain):
    x = nn.init.orthogonal_(rushlight.empty(shape, dtype=rushlight.float64), gain)
    matrix = x.reshape(shape[0], -1)
    if matrix.shape[0] > matrix.shape[1]:
        matrix = matrix.t()
    product = (matrix @ matrix.t()).tolist()
    for i, row in enumerate(product):
        assert row == pytest.approx([gain**2 if i == j else 0 for j in range(len(row))], abs=1e-13)


def test_truncated_normal_stays_inside():
    for arguments in ((0, 1, -2, 2), (0, 1, 1, 2), (3, 0.5, 0, 3)):
        x = nn.init.trunc_normal_(rushlight.empty(5000), *arguments)
        assert arguments[2] <= x.min().item() and x.max().item() <= arguments[3]


def test_parameters_keep_their_gradient_flag_and_generator_is_used():
    weight = nn.Parameter(rushlight.zeros(3, 3))
    for call in (*CALLS, *MATRIX):
        result = eval(f"init.{call}", {"init": nn.init, "x": weight})
        assert result is weight and weight.requires_grad and weight.grad_fn is None
    for name in ("uniform_", "normal_", "xavier_uniform_", "xavier_normal_", "kaiming_uniform_",
                 "kaiming_normal_", "trunc_normal_", "orthogonal_"):  # fmt: skip
        values = []
        for seed in (1, 2):  # of the default generator, which must not matter
            rushlight.manual_seed(seed)
            generator = rushlight.Generator().manual_seed(4)
            x = getattr(nn.init, name)(rushlight.empty(3, 3), generator=generator)
            values.append(x.tolist())
        assert values[0] == values[1], name


def test_gain():
    assert nn.init.calculate_gain("conv2d") == 1
    assert nn.init.calculate_gain("tanh") == 5 / 3
    assert nn.init.calculate_gain("relu") == math.sqrt(2)
    assert nn.init.calculate_gain("leaky_relu", 0.2) == math.sqrt(2 / 1.04)
    assert nn.init.calculate_gain("selu") == 0.75


ERRORS = [
    ("calculate_gain('foo')", "Unsupported nonlinearity foo"),
    ("calculate_gain('leaky_relu', 'x')", "negative_slope x not a valid number"),
    ("calculate_gain('leaky_relu', True)", "negative_slope True not a valid number"),
    ("eye_(zeros(3))", "Only tensors with 2 dimensions are supported"),
    ("dirac_(zeros(3))", "Only tensors with 3, 4, or 5 dimensions are supported"),
    ("dirac_(zeros(3, 2, 3), 2)", "dim 0 must be divisible by groups"),
    (
        "xavier_uniform_(zeros(3))",
        "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions",
    ),
    (
        "kaiming_uniform_(zeros(3, 3), mode='foo')",
        "Mode foo not supported, please use one of ['fan_in', 'fan_out']",
    ),
    ("orthogonal_(zeros(3))", "Only tensors with 2 or more dimensions are supported"),
    ("sparse_(zeros(3, 3, 3), 0.1)", "Only tensors with 2 dimensions are supported"),
]


@pytest.mark.parametrize(("call", "text"), ERRORS)
def test_errors(call, text):
    libraries = [rushlight]
    try:
        import torch

        libraries.append(torch)
    except ImportError:
        pass
    for library in libraries:
        with pytest.raises(ValueError) as caught:
            eval(f"init.{call}", {"init": library.nn.init, "zeros": library.zeros})
        assert str(caught.value) == text


def test_warnings():
    with pytest.warns(UserWarning, match="Initializing zero-element tensors is a no-op"):
        nn.init.kaiming_normal_(rushlight.zeros(0, 3))
    with pytest.warns(UserWarning, match="mean is more than 2 std from"):
        nn.init.trunc_normal_(rushlight.zeros(3), 0, 1, 3, 5)
    text = "`nn.init.uniform` is now deprecated in favor of `nn.init.uniform_`."
    with pytest.warns(FutureWarning, match=text):
        nn.init.uniform(rushlight.zeros(1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nn.init.orthogonal_(rushlight.zeros(0, 3))


if __name__ == "__main__":
    make_golden()
