"""What is timed, in the order of the table, and how much work each case is.

A case names a form and its arguments: in_torch.py, in_numpy.py, in_jax.py and in_onnx.py hold a function of that name
each, where the library has a natural way to say it, which makes the tensors and returns the function to time.
`goal` is how many times faster than PyTorch a case should be on one thread, `rate` how many GFLOP/s it should reach.
benchmarks/sweep.py times every single operator.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any


@dataclass(frozen=True)
class Case:
    group: str
    name: str
    form: str
    arguments: tuple[Any, ...] = ()
    flops: float = 0.0  # of the matrix products, which are nearly all of a model's
    stream: tuple[str, int] | None = None  # what moves: "read", "copy" or "add" of so many floats (machine.c)
    goal: float = 0.0
    rate: float = 0.0
    long: bool = False  # of many milliseconds: left out by --quick

    @property
    def key(self) -> str:
        return f"{self.group}: {self.name}"


CASES: list[Case] = []


def case(group: str, name: str, form: str, *arguments: Any, **numbers: Any) -> None:
    CASES.append(Case(group, name, form, arguments, **numbers))


# ---- multilayer perceptrons ----------------------------------------------------------------------------------------


def mlp_flops(sizes: tuple[int, ...], batch: int, training: bool = True) -> float:
    """Each layer's product and, in training, those for its weight's and its input's gradient, the first input's not."""
    products = [2.0 * batch * n_in * n_out for n_in, n_out in pairwise(sizes)]
    return 3 * sum(products) - products[0] if training else sum(products)


def forward(group: str, name: str, sizes: tuple[int, ...], batch: int, goal: float) -> None:
    case(group, name, "mlp_forward", sizes, batch, flops=mlp_flops(sizes, batch, False), goal=goal)


def step(group: str, name: str, sizes: tuple[int, ...], batch: int, optimizer: str, loss: str, goal: float) -> None:
    arguments = (sizes, batch, optimizer, loss)
    case(group, name, "mlp_step", *arguments, flops=mlp_flops(sizes, batch), goal=goal)


DOCUMENT, DIGITS, MNIST = (20, 256, 10), (64, 128, 10), (784, 256, 10)

forward("the document's model, 20-256-10", "forward, batch 2", DOCUMENT, 2, 17)
step("the document's model, 20-256-10", "step, SGD + MSE", DOCUMENT, 2, "SGD", "MSE", 30)
step("the document's model, 20-256-10", "step, Adam + cross-entropy", DOCUMENT, 2, "Adam", "cross-entropy", 37)

for sizes, goals in ((DIGITS, {1: 0, 32: 0, 256: 0}), (MNIST, {1: 6, 32: 1.9, 64: 1.55, 256: 1.3})):
    for batch, goal in goals.items():
        name = f"{'-'.join(map(str, sizes))}, batch {batch}"
        step("training step, SGD + cross-entropy", name, sizes, batch, "SGD", "cross-entropy", goal)

for batch, goal in ((1, 3.2), (64, 1.25)):
    forward("forward", f"784-256-10, batch {batch}", MNIST, batch, goal)


# ---- larger models -------------------------------------------------------------------------------------------------

CONVOLUTIONS = 28 * 28 * 6 * 25, 10 * 10 * 16 * 6 * 25  # multiply-adds per image
LENET = 2.0 * 64 * (3 * (sum(CONVOLUTIONS) + 400 * 120 + 120 * 84 + 84 * 10) - CONVOLUTIONS[0])
case("models, training step", "LeNet, batch 64, SGD", "lenet_step", flops=LENET, goal=2.7)

# A block's linear layers have 12 width^2 weights; each position attends to itself and those before it, in two products.
TOKENS, WIDTH = 8 * 64, 128
BLOCK = 12 * WIDTH**2 * TOKENS
GPT = 2.0 * 3 * (4 * (BLOCK + 8 * (64 * 65 // 2) * 2 * WIDTH) + WIDTH * 100 * TOKENS)
case("models, training step", "GPT 4 x 128, length 64, batch 8, AdamW", "gpt_step", flops=GPT, goal=1.6)
ENCODER = 2.0 * (3 * (BLOCK + 8 * 64 * 64 * 2 * WIDTH) - 3 * WIDTH**2 * TOKENS)
case("models, training step", "encoder layer 128, length 64, batch 8", "encoder_layer", flops=ENCODER)

for kind, gates in (("LSTM", 4), ("GRU", 3), ("RNN", 1)):
    inputs, states = (2.0 * 28 * 64 * n * gates * 128 for n in (28, 128))  # 28 steps, batch 64
    for name, backward, flops in (
        ("forward", False, inputs + states),
        ("forward and backward", True, 2 * inputs + 3 * states),
    ):
        case(
            "recurrent layers, 28 to 128, 28 steps, batch 64", f"{kind} {name}", "recurrent", kind, backward,
            flops=flops, goal=1.4 if kind == "LSTM" and backward else 0,
        )  # fmt: skip

for length in (64, 512):
    for name, causal, dropout in (("", False, 0.0), (", causal", True, 0.0), (", dropout", False, 0.1)):
        for backward in (False, True):
            pairs = length * (length + 1) // 2 if causal else length**2
            case(
                "attention, 16 heads, 64 wide", f"length {length}{name}{' and gradients' if backward else ''}",
                "attention", length, causal, dropout, backward, flops=2.0 * 16 * pairs * 64 * (6 if backward else 2),
            )  # fmt: skip


# ---- single operators ----------------------------------------------------------------------------------------------

# what moves, and the goals at 1e3, 1e5 and 1e7 elements
OPERATORS: dict[str, tuple[str, dict[int, float]]] = {
    "x + y": ("add", {1000: 8, 100_000: 1.2, 10_000_000: 4}),
    "x * 2.0": ("copy", {1000: 8, 10_000_000: 4}),
    "exp": ("copy", {1000: 8, 100_000: 5, 10_000_000: 4}),
    "tanh": ("copy", {1000: 8, 100_000: 6.5, 10_000_000: 4}),
    "relu": ("copy", {1000: 8, 10_000_000: 4}),
    "gelu": ("copy", {1000: 8, 100_000: 2, 10_000_000: 4}),
    "sum": ("read", {1000: 8, 100_000: 1.2, 10_000_000: 1}),
    "softmax": ("copy", {1000: 4.5, 100_000: 2.2, 10_000_000: 4}),
    "log_softmax": ("copy", {1000: 4.5, 10_000_000: 4}),
    "layer norm": ("copy", {1000: 8, 100_000: 1.5, 10_000_000: 4}),
}
SIZES = {10: "10", 1000: "1e3", 10_000: "1e4", 100_000: "1e5", 10_000_000: "1e7"}

for n, size in SIZES.items():
    for name, (moves, goals) in OPERATORS.items():
        case(
            f"{size} elements", name, "operator", name, n,
            stream=(moves, n) if n > 10 else None, goal=goals.get(n, 0), long=n > 1e6,
        )  # fmt: skip

for m, k, n, rate in (
    (2, 20, 256, 33), (1, 256, 256, 44), (64, 256, 10, 68), (256, 784, 256, 114),
    *((n, n, n, rate) for n, rate in ((16, 20), (32, 57), (64, 102), (128, 108), (256, 113), (512, 113), (1024, 109), (2048, 0))),
):  # fmt: skip
    case("sgemm", f"{m} x {k} x {n}", "product", m, k, n, flops=2.0 * m * k * n, rate=rate, long=n > 1024)
