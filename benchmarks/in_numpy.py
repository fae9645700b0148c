"""The cases in NumPy, by hand, where that is natural: no convolutions, no transformers, no recurrent layers, no erf."""

from collections.abc import Callable
from typing import Any

import numpy as np
import rushlight

from benchmarks import in_torch

Array = Any
Timed = Callable[[], Any]


def layers(net: Any) -> list[list[Array]]:
    """[weight as (in, out), bias] of every linear layer."""
    return [
        [np.ascontiguousarray(layer.weight.detach().numpy().T), layer.bias.detach().numpy().copy()]
        for layer in net
        if hasattr(layer, "weight")
    ]


def activations(weights: list[list[Array]], x: Array) -> list[Array]:
    """The input of every layer, and the output."""
    values = [x]
    for w, b in weights[:-1]:
        values.append(np.maximum(values[-1] @ w + b, 0))
    w, b = weights[-1]
    return [*values, values[-1] @ w + b]


def mlp_forward(sizes: tuple[int, ...], batch: int) -> Timed:
    net, x, _ = in_torch.mlp_data(rushlight, sizes, batch)
    weights, x = layers(net), x.numpy()
    return lambda: activations(weights, x)[-1]


def mse(z: Array, y: Array) -> tuple[float, Array]:
    """Loss and its gradient."""
    d = z - y
    return (d * d).mean(), d * np.float32(2 / d.size)


def cross_entropy(z: Array, y: Array) -> tuple[float, Array]:
    """Loss and its gradient."""
    e = np.exp(z - z.max(1, keepdims=True))
    p = e / e.sum(1, keepdims=True)
    rows = np.arange(len(y))
    loss = -np.log(p[rows, y]).mean()
    p[rows, y] -= 1
    return loss, p / np.float32(len(y))


def sgd(parameters: list[Array], lr: float) -> Callable[[list[Array]], None]:
    def update(gradients: list[Array]) -> None:
        for p, g in zip(parameters, gradients, strict=True):
            p -= lr * g

    return update


def adam(parameters: list[Array], lr: float) -> Callable[[list[Array]], None]:
    state = [(np.zeros_like(p), np.zeros_like(p)) for p in parameters]
    t = 0

    def update(gradients: list[Array]) -> None:
        nonlocal t
        t += 1
        size, root = lr / (1 - 0.9**t), (1 - 0.999**t) ** 0.5
        for p, g, (m, v) in zip(parameters, gradients, state, strict=True):
            m += 0.1 * (g - m)
            v *= 0.999
            v += 0.001 * g * g
            p -= size * m / (np.sqrt(v) / root + 1e-8)

    return update


def mlp_step(sizes: tuple[int, ...], batch: int, optimizer: str, loss: str) -> Timed:
    net, x, y = in_torch.mlp_data(rushlight, sizes, batch, loss)
    weights, x, y = layers(net), x.numpy(), y.numpy()
    criterion = mse if loss == "MSE" else cross_entropy
    update = {"SGD": sgd, "Adam": adam}[optimizer]([p for pair in weights for p in pair], 1e-3)

    def step():
        values = activations(weights, x)
        value, g = criterion(values[-1], y)
        gradients: list[Array] = []
        for i in reversed(range(len(weights))):
            gradients[:0] = [values[i].T @ g, g.sum(0)]
            if i:
                g = (g @ weights[i][0].T) * (values[i] > 0)
        update(gradients)
        return value

    return step


def softmax(x: Array) -> Array:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def log_softmax(x: Array) -> Array:
    d = x - x.max(-1, keepdims=True)
    return d - np.log(np.exp(d).sum(-1, keepdims=True))


def layer_norm(x: Array) -> Array:
    d = x - x.mean(-1, keepdims=True)
    return d / np.sqrt((d * d).mean(-1, keepdims=True) + 1e-5)


OPERATORS: dict[str, Callable[[Array, Array], Any]] = {
    "x + y": lambda x, y: x + y,
    "x * 2.0": lambda x, y: x * 2.0,
    "exp": lambda x, y: np.exp(x),
    "tanh": lambda x, y: np.tanh(x),
    "relu": lambda x, y: np.maximum(x, 0),
    "sum": lambda x, y: x.sum(),
    "softmax": lambda x, y: softmax(x),
    "log_softmax": lambda x, y: log_softmax(x),
    "layer norm": lambda x, y: layer_norm(x),
}


def operator(name: str, n: int) -> Timed | None:
    f = OPERATORS.get(name)
    if f is None:
        return None
    x, y = (t.numpy() for t in in_torch.operator_data(rushlight, name, n))
    return lambda: f(x, y)


def product(m: int, k: int, n: int) -> Timed:
    a, b = (t.numpy() for t in in_torch.product_data(rushlight, m, k, n))
    return lambda: a @ b
