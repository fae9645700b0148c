"""What is timed. A case is made from a library (rushlight or torch, same code) and returns the function to call.

    @case("training", "784-256-10, batch 32, SGD")
    def _(torch): ...; return step

Cases are listed in the order of the table. Where given: `flops` and `bytes` of a call add its share of the core's peak
or of the memory's bandwidth; `goal` is how many times faster than PyTorch it should be on one thread, `rate` how many
GFLOP/s. benchmarks/sweep.py times every single operator.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from types import ModuleType
from typing import Any


@dataclass(frozen=True)
class Case:
    group: str
    name: str
    make: Callable[[ModuleType], Callable[[], Any]]
    flops: float = 0.0
    long: bool = False  # left out by --quick
    bytes: float = 0.0
    goal: float = 0.0
    rate: float = 0.0


CASES: list[Case] = []


def case(group: str, name: str, flops: float = 0.0, long: bool = False, **numbers: float):
    def add(make: Callable[[ModuleType], Callable[[], Any]]):
        CASES.append(Case(group, name, make, flops, long, **numbers))
        return make

    return add


def mlp(torch: ModuleType, *sizes: int) -> Any:
    """Linear layers of these sizes with ReLU between them."""
    layers: list[Any] = []
    for n_in, n_out in pairwise(sizes):
        layers += [torch.nn.Linear(n_in, n_out), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


# ---- models --------------------------------------------------------------------------------------------------------


def forward(sizes: tuple[int, ...], batch: int):
    def make(torch: ModuleType):
        torch.manual_seed(0)
        net, x = mlp(torch, *sizes), torch.rand(batch, sizes[0])
        return lambda: net(x)

    return make


def training_step(sizes: tuple[int, ...], batch: int, optimizer: str, loss: str):
    """One whole step as people write it: zero_grad, forward, loss, backward, step."""

    def make(torch: ModuleType):
        torch.manual_seed(0)
        net, x = mlp(torch, *sizes), torch.rand(batch, sizes[0])
        make_optimizer = {"SGD": torch.optim.SGD, "Adam": torch.optim.Adam}[optimizer]
        opt = make_optimizer(net.parameters(), lr=1e-3)
        if loss == "MSE":
            criterion, y = torch.nn.MSELoss(), torch.rand(batch, sizes[-1])
        else:
            criterion, y = torch.nn.CrossEntropyLoss(), torch.randint(0, sizes[-1], (batch,))

        def step():
            opt.zero_grad()
            value = criterion(net(x), y)
            value.backward()
            opt.step()

        return step

    return make


DOCUMENT, DIGITS, MNIST = (20, 256, 10), (64, 128, 10), (784, 256, 10)

case("the document's model", "forward, batch 2", goal=17)(forward(DOCUMENT, 2))
case("the document's model", "step, SGD + MSE", goal=30)(training_step(DOCUMENT, 2, "SGD", "MSE"))
case("the document's model", "step, Adam + cross-entropy", goal=37)(
    training_step(DOCUMENT, 2, "Adam", "cross-entropy")
)
for batch in (1, 32, 256):
    case("training, SGD + cross-entropy", f"64-128-10, batch {batch}")(
        training_step(DIGITS, batch, "SGD", "cross-entropy")
    )
for batch, goal in ((1, 6), (32, 1.9), (64, 1.55), (256, 1.3)):
    case("training, SGD + cross-entropy", f"784-256-10, batch {batch}", goal=goal)(
        training_step(MNIST, batch, "SGD", "cross-entropy")
    )
for batch, goal in ((1, 3.2), (64, 1.25)):
    case("forward", f"784-256-10, batch {batch}", goal=goal)(forward(MNIST, batch))


@case("convolutional networks", "LeNet, batch 64, SGD step", goal=2.7)
def lenet_step(torch: ModuleType):
    nn = torch.nn
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip
    x, y = torch.rand(64, 1, 28, 28), torch.randint(0, 10, (64,))
    opt, criterion = torch.optim.SGD(net.parameters(), lr=1e-3), nn.CrossEntropyLoss()

    def step():
        opt.zero_grad()
        criterion(net(x), y).backward()
        opt.step()

    return step


def gpt(torch: ModuleType, width: int = 128, heads: int = 4, context: int = 64, characters: int = 100) -> Any:
    """The model of examples/gpt.py: four layers."""
    nn, attend = torch.nn, torch.nn.functional.scaled_dot_product_attention

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

        def forward(self, x):
            batch, length, _ = x.shape
            parts = self.qkv(x).chunk(3, dim=-1)
            q, k, v = (p.view(batch, length, heads, width // heads).transpose(1, 2) for p in parts)
            return self.out(attend(q, k, v, is_causal=True).transpose(1, 2).reshape(batch, length, width))

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.attention, self.norm2 = nn.LayerNorm(width), Attention(), nn.LayerNorm(width)
            self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

        def forward(self, x):
            x = x + self.attention(self.norm1(x))
            return x + self.mlp(self.norm2(x))

    class GPT(nn.Module):
        def __init__(self):
            super().__init__()
            self.token, self.position = nn.Embedding(characters, width), nn.Embedding(context, width)
            self.blocks = nn.Sequential(*(Block() for _ in range(4)))
            self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, characters, bias=False)

        def forward(self, index):
            x = self.token(index) + self.position(torch.arange(index.shape[1]))
            return self.head(self.norm(self.blocks(x)))

    return GPT()


@case("transformers", "GPT, 4 layers, 128 wide, 4 heads, length 64, batch 8, AdamW step", goal=1.6)
def gpt_step(torch: ModuleType):
    torch.manual_seed(0)
    net = gpt(torch)
    opt = torch.optim.AdamW(net.parameters(), lr=1e-3)
    x, y = torch.randint(0, 100, (8, 64)), torch.randint(0, 100, (8, 64))

    def step():
        opt.zero_grad()
        torch.nn.functional.cross_entropy(net(x).flatten(0, 1), y.flatten()).backward()
        opt.step()

    return step


def attention(length: int, options: dict[str, Any], backward: bool):
    def make(torch: ModuleType):
        torch.manual_seed(0)
        q, k, v = (torch.randn(2, 8, length, 64, requires_grad=backward) for _ in range(3))
        attend = torch.nn.functional.scaled_dot_product_attention
        if not backward:
            return lambda: attend(q, k, v, **options)
        g = torch.randn(2, 8, length, 64)
        return lambda: torch.autograd.grad(attend(q, k, v, **options), (q, k, v), g)

    return make


for length in (64, 512):
    for name, options in (("", {}), (", causal", {"is_causal": True}), (", dropout", {"dropout_p": 0.1})):
        for backward in (False, True):
            case("attention of 16 heads, 64 wide", f"length {length}{name}{' and gradients' if backward else ''}")(
                attention(length, options, backward)
            )


@case("transformers", "encoder layer, 128 wide, 4 heads, length 64, batch 8, gradients")
def encoder_layer(torch: ModuleType):
    torch.manual_seed(0)
    layer = torch.nn.TransformerEncoderLayer(128, 4, 512, 0.1, batch_first=True)
    x = torch.randn(8, 64, 128)
    return lambda: layer(x).sum().backward()


# ---- recurrent layers: 28 -> 128, 28 steps, batch 64 ----------------------------------------------------------------


def recurrent(kind: str, backward: bool):
    def make(torch: ModuleType):
        torch.manual_seed(0)
        layer, x = getattr(torch.nn, kind)(28, 128), torch.rand(28, 64, 28)
        parameters = list(layer.parameters())

        def forward():
            with torch.no_grad():
                return layer(x)

        def both():
            layer(x)[0].sum().backward()
            for p in parameters:
                p.grad = None

        return both if backward else forward

    return make


for kind in ("LSTM", "GRU", "RNN"):
    for name, backward in (("forward", False), ("forward and backward", True)):
        case("recurrent layers, 28 to 128, 28 steps, batch 64", f"{kind} {name}", goal=1.4 if kind == "LSTM" and backward else 0)(
            recurrent(kind, backward)
        )


# ---- single operators ----------------------------------------------------------------------------------------------

# function of the library and x, y; bytes per element; goals at 1e3, 1e5 and 1e7 elements
OPERATORS: dict[str, tuple[Callable[[ModuleType, Any, Any], Any], int, dict[int, float]]] = {
    "x + y": (lambda torch, x, y: x + y, 12, {1000: 8, 100_000: 1.2, 10_000_000: 4}),
    "x * 2.0": (lambda torch, x, y: x * 2.0, 8, {1000: 8, 10_000_000: 4}),
    "exp": (lambda torch, x, y: torch.exp(x), 8, {1000: 8, 100_000: 5, 10_000_000: 4}),
    "tanh": (lambda torch, x, y: torch.tanh(x), 8, {1000: 8, 100_000: 6.5, 10_000_000: 4}),
    "relu": (lambda torch, x, y: torch.relu(x), 8, {1000: 8, 10_000_000: 4}),
    "gelu": (lambda torch, x, y: torch.nn.functional.gelu(x), 8, {1000: 8, 100_000: 2, 10_000_000: 4}),
    "sum": (lambda torch, x, y: x.sum(), 4, {1000: 8, 100_000: 1.2, 10_000_000: 1}),
    "softmax": (lambda torch, x, y: torch.softmax(x, -1), 8, {1000: 4.5, 100_000: 2.2, 10_000_000: 4}),
    "log_softmax": (lambda torch, x, y: torch.log_softmax(x, -1), 8, {10_000_000: 4}),
    "layer norm": (
        lambda torch, x, y: torch.nn.functional.layer_norm(x, x.shape[-1:]), 8, {100_000: 1.5, 10_000_000: 4}
    ),
}  # fmt: skip


def operator(name: str, n: int):
    def make(torch: ModuleType):
        torch.manual_seed(0)
        x, y = torch.rand(n) - 0.5, torch.rand(n) + 0.5
        if name in ("softmax", "log_softmax", "layer norm") and n > 1000:
            x = x.reshape(-1, 1000)
        f = OPERATORS[name][0]
        return lambda: f(torch, x, y)

    return make


for n in (10, 1000, 10_000, 100_000, 10_000_000):
    for operator_name, (_, size, goals) in OPERATORS.items():
        case(
            f"{n:.0e} elements" if n > 10 else "10 elements", operator_name, long=n > 1e6,
            bytes=size * n if n > 1e6 else 0, goal=goals.get(n, 0),
        )(operator(operator_name, n))  # fmt: skip


# ---- matrix products -----------------------------------------------------------------------------------------------


def product(m: int, k: int, n: int):
    def make(torch: ModuleType):
        torch.manual_seed(0)
        a, b = torch.rand(m, k), torch.rand(k, n)
        return lambda: torch.mm(a, b)

    return make


for n, rate in ((16, 20), (32, 57), (64, 102), (128, 108), (256, 113), (512, 113), (1024, 109), (2048, 0)):
    case("sgemm", f"{n} x {n} x {n}", flops=2.0 * n**3, long=n > 1024, rate=rate)(product(n, n, n))
for m, k, n, rate in ((2, 20, 256, 33), (1, 256, 256, 44), (64, 256, 10, 68), (256, 784, 256, 114)):
    case("sgemm", f"{m} x {k} x {n}", flops=2.0 * m * k * n, rate=rate)(product(m, k, n))
