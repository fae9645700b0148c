"""The cases in rushlight's and PyTorch's words: `torch` is either library.

Besides the function to time, the models and their inputs are here for the other libraries, which take rushlight's
(same seed, same numbers), so that all compute the same thing. A training step returns its loss.
"""

from collections.abc import Callable
from itertools import pairwise
from types import ModuleType
from typing import Any

Timed = Callable[[], Any]


# ---- multilayer perceptrons ----------------------------------------------------------------------------------------


def mlp(torch: ModuleType, sizes: tuple[int, ...]) -> Any:
    """Linear layers of these sizes with ReLU between them."""
    layers: list[Any] = []
    for n_in, n_out in pairwise(sizes):
        layers += [torch.nn.Linear(n_in, n_out), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def mlp_data(torch: ModuleType, sizes: tuple[int, ...], batch: int, loss: str = "") -> tuple[Any, Any, Any]:
    """Network, input and, for a loss, target."""
    torch.manual_seed(0)
    net, x = mlp(torch, sizes), torch.rand(batch, sizes[0])
    if loss == "MSE":
        return net, x, torch.rand(batch, sizes[-1])
    return net, x, torch.randint(0, sizes[-1], (batch,))


def mlp_forward(torch: ModuleType, sizes: tuple[int, ...], batch: int) -> Timed:
    net, x, _ = mlp_data(torch, sizes, batch)
    return lambda: net(x)


def mlp_step(torch: ModuleType, sizes: tuple[int, ...], batch: int, optimizer: str, loss: str) -> Timed:
    """One whole step as people write it: zero_grad, forward, loss, backward, step."""
    net, x, y = mlp_data(torch, sizes, batch, loss)
    opt = getattr(torch.optim, optimizer)(net.parameters(), lr=1e-3)
    criterion = torch.nn.MSELoss() if loss == "MSE" else torch.nn.CrossEntropyLoss()

    def step():
        opt.zero_grad()
        value = criterion(net(x), y)
        value.backward()
        opt.step()
        return value

    return step


# ---- larger models -------------------------------------------------------------------------------------------------


def lenet_data(torch: ModuleType) -> tuple[Any, Any, Any]:
    nn = torch.nn
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip
    return net, torch.rand(64, 1, 28, 28), torch.randint(0, 10, (64,))


def lenet_step(torch: ModuleType) -> Timed:
    net, x, y = lenet_data(torch)
    opt, criterion = torch.optim.SGD(net.parameters(), lr=1e-3), torch.nn.CrossEntropyLoss()

    def step():
        opt.zero_grad()
        value = criterion(net(x), y)
        value.backward()
        opt.step()
        return value

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


def gpt_data(torch: ModuleType) -> tuple[Any, Any, Any]:
    torch.manual_seed(0)
    return gpt(torch), torch.randint(0, 100, (8, 64)), torch.randint(0, 100, (8, 64))


def gpt_step(torch: ModuleType) -> Timed:
    net, x, y = gpt_data(torch)
    opt = torch.optim.AdamW(net.parameters(), lr=1e-3)

    def step():
        opt.zero_grad()
        value = torch.nn.functional.cross_entropy(net(x).flatten(0, 1), y.flatten())
        value.backward()
        opt.step()
        return value

    return step


def encoder_layer(torch: ModuleType) -> Timed:
    torch.manual_seed(0)
    layer = torch.nn.TransformerEncoderLayer(128, 4, 512, 0.1, batch_first=True)
    x = torch.randn(8, 64, 128)
    return lambda: layer(x).sum().backward()


def recurrent_data(torch: ModuleType, kind: str) -> tuple[Any, Any]:
    """Layer and input: 28 steps of a batch of 64 with 28 features."""
    torch.manual_seed(0)
    return getattr(torch.nn, kind)(28, 128), torch.rand(28, 64, 28)


def recurrent(torch: ModuleType, kind: str, backward: bool) -> Timed:
    layer, x = recurrent_data(torch, kind)
    parameters = list(layer.parameters())

    def forward():
        with torch.no_grad():
            return layer(x)[0]

    def both():
        layer(x)[0].sum().backward()
        gradients = [p.grad for p in parameters]
        for p in parameters:
            p.grad = None
        return gradients

    return both if backward else forward


def attention_data(torch: ModuleType, length: int) -> list[Any]:
    """Query, key, value and, for the result, a gradient: 2 x 8 heads, 64 wide."""
    torch.manual_seed(0)
    return [torch.randn(2, 8, length, 64) for _ in range(4)]


def attention(torch: ModuleType, length: int, causal: bool, dropout: float, backward: bool) -> Timed:
    *inputs, g = attention_data(torch, length)
    attend = torch.nn.functional.scaled_dot_product_attention
    options: dict[str, Any] = {"is_causal": True} if causal else {"dropout_p": dropout} if dropout else {}
    if not backward:
        return lambda: attend(*inputs, **options)
    for x in inputs:
        x.requires_grad_()
    return lambda: torch.autograd.grad(attend(*inputs, **options), inputs, g)


# ---- single operators ----------------------------------------------------------------------------------------------

OPERATORS: dict[str, Callable[[ModuleType, Any, Any], Any]] = {
    "x + y": lambda torch, x, y: x + y,
    "x * 2.0": lambda torch, x, y: x * 2.0,
    "exp": lambda torch, x, y: torch.exp(x),
    "tanh": lambda torch, x, y: torch.tanh(x),
    "relu": lambda torch, x, y: torch.relu(x),
    "gelu": lambda torch, x, y: torch.nn.functional.gelu(x),
    "sum": lambda torch, x, y: x.sum(),
    "softmax": lambda torch, x, y: torch.softmax(x, -1),
    "log_softmax": lambda torch, x, y: torch.log_softmax(x, -1),
    "layer norm": lambda torch, x, y: torch.nn.functional.layer_norm(x, x.shape[-1:]),
}


def operator_data(torch: ModuleType, name: str, n: int) -> tuple[Any, Any]:
    """n elements each: one in rows of 1000 (or less), from -1/2 to 1/2, the other from 1/2 to 3/2."""
    torch.manual_seed(0)
    x, y = torch.rand(n) - 0.5, torch.rand(n) + 0.5
    rows = name in ("softmax", "log_softmax", "layer norm") and n > 1000
    return (x.reshape(-1, 1000) if rows else x), y


def operator(torch: ModuleType, name: str, n: int) -> Timed:
    x, y = operator_data(torch, name, n)
    f = OPERATORS[name]
    return lambda: f(torch, x, y)


def product_data(torch: ModuleType, m: int, k: int, n: int) -> tuple[Any, Any]:
    torch.manual_seed(0)
    return torch.rand(m, k), torch.rand(k, n)


def product(torch: ModuleType, m: int, k: int, n: int) -> Timed:
    a, b = product_data(torch, m, k, n)
    return lambda: torch.mm(a, b)
