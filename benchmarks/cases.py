"""What is timed. A case is made from a library (rushlight or torch, same code) and returns the function to call.

    @case("training", "784-256-10, batch 32, SGD")
    def _(torch): ...; return step

Cases are listed in the order of the table. `flops`, where given, adds a column of GFLOP/s.
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


CASES: list[Case] = []


def case(group: str, name: str, flops: float = 0.0, long: bool = False):
    def add(make: Callable[[ModuleType], Callable[[], Any]]):
        CASES.append(Case(group, name, make, flops, long))
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

case("the document's model", "forward, batch 2")(forward(DOCUMENT, 2))
case("the document's model", "step, SGD + MSE")(training_step(DOCUMENT, 2, "SGD", "MSE"))
case("the document's model", "step, Adam + cross-entropy")(
    training_step(DOCUMENT, 2, "Adam", "cross-entropy")
)
for batch in (1, 32, 256):
    case("training, SGD + cross-entropy", f"64-128-10, batch {batch}")(
        training_step(DIGITS, batch, "SGD", "cross-entropy")
    )
for batch in (1, 32, 256):
    case("training, SGD + cross-entropy", f"784-256-10, batch {batch}")(
        training_step(MNIST, batch, "SGD", "cross-entropy")
    )
for batch in (1, 64):
    case("forward", f"784-256-10, batch {batch}")(forward(MNIST, batch))


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


@case("transformers", "GPT, 4 layers, 128 wide, 4 heads, length 64, batch 8, AdamW step")
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
        case("recurrent layers, 28 to 128, 28 steps, batch 64", f"{kind} {name}")(
            recurrent(kind, backward)
        )


# ---- single operators ----------------------------------------------------------------------------------------------

OPERATORS: dict[str, Callable[[ModuleType, Any, Any], Any]] = {
    "x + y": lambda torch, x, y: x + y,
    "x * 2.0": lambda torch, x, y: x * 2.0,
    "exp": lambda torch, x, y: torch.exp(x),
    "tanh": lambda torch, x, y: torch.tanh(x),
    "relu": lambda torch, x, y: torch.relu(x),
    "sum": lambda torch, x, y: x.sum(),
    "softmax": lambda torch, x, y: torch.softmax(x, -1),
}


def operator(name: str, n: int):
    def make(torch: ModuleType):
        torch.manual_seed(0)
        x, y = torch.rand(n) - 0.5, torch.rand(n) + 0.5
        if name == "softmax" and n > 1000:
            x = x.reshape(-1, 1000)
        f = OPERATORS[name]
        return lambda: f(torch, x, y)

    return make


for n in (10, 10_000, 10_000_000):
    for operator_name in OPERATORS:
        case(f"{n:.0e} elements" if n > 10 else "10 elements", operator_name, long=n > 1e6)(
            operator(operator_name, n)
        )


# ---- a few operators of every family; x and y as above, m: x as rows of 100, i: int64 places in x, b: bool ----------

FAMILIES: dict[str, Callable[..., Any]] = {
    "compare: x < y": lambda torch, x, y, m, i, b: x < y,
    "where": lambda torch, x, y, m, i, b: torch.where(b, x, y),
    "clamp": lambda torch, x, y, m, i, b: x.clamp(-0.2, 0.2),
    "pow 2.5": lambda torch, x, y, m, i, b: y**2.5,
    "gelu": lambda torch, x, y, m, i, b: torch.nn.functional.gelu(x),
    "int64 add": lambda torch, x, y, m, i, b: i + i,
    "float to bfloat16": lambda torch, x, y, m, i, b: x.bfloat16(),
    "row sums": lambda torch, x, y, m, i, b: m.sum(1),
    "column sums": lambda torch, x, y, m, i, b: m.sum(0),
    "row maxima": lambda torch, x, y, m, i, b: m.max(1),
    "argmax": lambda torch, x, y, m, i, b: x.argmax(),
    "row variances": lambda torch, x, y, m, i, b: m.var(1),
    "norm": lambda torch, x, y, m, i, b: x.norm(),
    "cumsum": lambda torch, x, y, m, i, b: m.cumsum(1),
    "all": lambda torch, x, y, m, i, b: b.all(),
    "log_softmax": lambda torch, x, y, m, i, b: m.log_softmax(1),
    "transposed copy": lambda torch, x, y, m, i, b: m.t().contiguous(),
    "cat": lambda torch, x, y, m, i, b: torch.cat([x, y]),
    "flip": lambda torch, x, y, m, i, b: m.flip(1),
    "x[i]": lambda torch, x, y, m, i, b: x[i],
    "x[b]": lambda torch, x, y, m, i, b: x[b],
    "gather": lambda torch, x, y, m, i, b: x.gather(0, i),
    "scatter_add": lambda torch, x, y, m, i, b: x.scatter_add(0, i, y),
    "masked_fill": lambda torch, x, y, m, i, b: x.masked_fill(b, 0.0),
    "nonzero": lambda torch, x, y, m, i, b: b.nonzero(),
    "sort rows": lambda torch, x, y, m, i, b: m.sort(1),
    "topk of rows": lambda torch, x, y, m, i, b: m.topk(5, 1),
    "median": lambda torch, x, y, m, i, b: x.median(),
    "row medians": lambda torch, x, y, m, i, b: m.median(1),
    "quantile": lambda torch, x, y, m, i, b: x.quantile(0.3),
    "cummax": lambda torch, x, y, m, i, b: m.cummax(1),
    "logcumsumexp": lambda torch, x, y, m, i, b: m.logcumsumexp(1),
    "unique": lambda torch, x, y, m, i, b: torch.unique(i),
    "unique_consecutive": lambda torch, x, y, m, i, b: torch.unique_consecutive(i),
    "bincount": lambda torch, x, y, m, i, b: i.bincount(),
    "histc": lambda torch, x, y, m, i, b: x.histc(50),
    "bucketize": lambda torch, x, y, m, i, b: torch.bucketize(x, y[:100].sort().values),
    "isin": lambda torch, x, y, m, i, b: torch.isin(i, i[:100]),
    "scatter_reduce": lambda torch, x, y, m, i, b: x.scatter_reduce(0, i, y, "amax"),
    "renorm": lambda torch, x, y, m, i, b: m.renorm(2, 0, 1.0),
    "diff": lambda torch, x, y, m, i, b: x.diff(),
    "select_scatter": lambda torch, x, y, m, i, b: m.select_scatter(m[0], 0, 1),
    "rand": lambda torch, x, y, m, i, b: torch.rand(len(x)),
    "randn": lambda torch, x, y, m, i, b: torch.randn(len(x)),
    "dropout": lambda torch, x, y, m, i, b: torch.dropout(x, 0.5, True),
    "bmm of 10 x 10": lambda torch, x, y, m, i, b: torch.bmm(m.view(-1, 10, 10), m.view(-1, 10, 10)),
}


def family(name: str, n: int):
    def make(torch: ModuleType):
        torch.manual_seed(0)
        x, y = torch.rand(n) - 0.5, torch.rand(n) + 0.5
        m, i, b, f = x.view(-1, 100), torch.randint(0, n, (n,)), x > 0, FAMILIES[name]
        return lambda: f(torch, x, y, m, i, b)

    return make


for n in (10_000, 10_000_000):
    for family_name in FAMILIES:
        case(f"families, {n:.0e} elements", family_name, long=n > 1e6)(family(family_name, n))


# ---- matrix products -----------------------------------------------------------------------------------------------


def product(n: int):
    def make(torch: ModuleType):
        torch.manual_seed(0)
        a, b = torch.rand(n, n), torch.rand(n, n)
        return lambda: torch.mm(a, b)

    return make


for n in (16, 32, 64, 128, 256, 512, 1024, 2048):
    case("sgemm", f"{n} x {n} x {n}", flops=2.0 * n**3, long=n > 1024)(product(n))


# ---- linear algebra, distances ---------------------------------------------------------------------------------------

LINALG: dict[str, Callable[[ModuleType, Any], Any]] = {
    "inv": lambda torch, a: torch.linalg.inv(a),
    "solve": lambda torch, a: torch.linalg.solve(a, a[..., :2]),
    "cholesky": lambda torch, a: torch.linalg.cholesky(a @ a.mT + torch.eye(a.shape[-1])),
    "qr": lambda torch, a: torch.linalg.qr(a),
    "svd": lambda torch, a: torch.linalg.svd(a),
    "matrix_exp": lambda torch, a: torch.linalg.matrix_exp(a),
    "einsum ij,jk,lk->il": lambda torch, a: torch.einsum("...ij,...jk,...lk->...il", a, a, a),
    "cdist": lambda torch, a: torch.cdist(a, a),
    "cdist, p = 1": lambda torch, a: torch.cdist(a, a, 1.0),
    "cosine_similarity": lambda torch, a: torch.cosine_similarity(a, a.flip(0), dim=-1),
}


def linear_algebra(name: str, shape: tuple[int, ...]):
    def make(torch: ModuleType):
        torch.manual_seed(0)
        a = torch.rand(shape) + 2 * torch.eye(shape[-1])
        f = LINALG[name]
        return lambda: f(torch, a)

    return make


for shape in ((4, 4), (100, 4, 4), (100, 100)):
    for operator_name in LINALG:
        case(f"linalg, {shape}", operator_name)(linear_algebra(operator_name, shape))
