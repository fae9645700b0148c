"""The cases in plain jax.numpy, compiled by jax.jit: a whole training step is one compiled function.

Each call waits for its result, so handing it to another thread would only cost time. Inputs are arguments, so that
nothing is computed at compile time.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import rushlight
from jax import lax

from benchmarks import in_torch

jax.config.update("jax_cpu_enable_async_dispatch", False)

Array = Any
Timed = Callable[[], Any]
Parameters = dict[str, Array]


def array(tensor: Any) -> Array:
    return jnp.asarray(tensor.detach().numpy())


def parameters_of(net: Any) -> Parameters:
    return {name: array(p) for name, p in net.named_parameters()}


def compiled(f: Callable[..., Any], *inputs: Array) -> Timed:
    f = jax.jit(f)
    return lambda: jax.block_until_ready(f(*inputs))


def training(loss: Callable[..., Array], parameters: Parameters, inputs: list[Array], optimizer: str) -> Timed:
    """A step: value and gradients of loss(parameters, *inputs), and an update in place of the old parameters."""
    tree = jax.tree_util

    @partial(jax.jit, donate_argnums=0)
    def advance(state, *inputs):
        p, m, v, t = state
        value, g = jax.value_and_grad(loss)(p, *inputs)
        if optimizer == "SGD":
            p = tree.tree_map(lambda p, g: p - 1e-3 * g, p, g)
        else:
            t = t + 1
            m = tree.tree_map(lambda m, g: m + 0.1 * (g - m), m, g)
            v = tree.tree_map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
            keep = 1 - 1e-3 * 0.01 if optimizer == "AdamW" else 1.0
            size, root = 1e-3 / (1 - 0.9**t), jnp.sqrt(1 - 0.999**t)
            p = tree.tree_map(lambda p, m, v: keep * p - size * m / (jnp.sqrt(v) / root + 1e-8), p, m, v)
        return (p, m, v, t), value

    moments = [tree.tree_map(jnp.zeros_like, parameters) if optimizer != "SGD" else () for _ in "mv"]
    state = (parameters, *moments, jnp.float32(0))

    def step():
        nonlocal state
        state, value = jax.block_until_ready(advance(state, *inputs))
        return value

    return step


def linear(p: Parameters, name: str, x: Array) -> Array:
    return x @ p[f"{name}.weight"].T + p[f"{name}.bias"]


def cross_entropy(z: Array, y: Array) -> Array:
    return -jnp.take_along_axis(jax.nn.log_softmax(z), y[..., None], -1).mean()


# ---- models --------------------------------------------------------------------------------------------------------


def mlp(p: Parameters, x: Array) -> Array:
    *hidden, last = sorted({name.split(".")[0] for name in p}, key=int)
    for name in hidden:
        x = jax.nn.relu(linear(p, name, x))
    return linear(p, last, x)


def mlp_forward(sizes: tuple[int, ...], batch: int) -> Timed:
    net, x, _ = in_torch.mlp_data(rushlight, sizes, batch)
    return compiled(mlp, parameters_of(net), array(x))


def mlp_step(sizes: tuple[int, ...], batch: int, optimizer: str, loss: str) -> Timed:
    net, x, y = in_torch.mlp_data(rushlight, sizes, batch, loss)

    def value(p, x, y):
        z = mlp(p, x)
        return jnp.mean((z - y) ** 2) if loss == "MSE" else cross_entropy(z, y)

    return training(value, parameters_of(net), [array(x), array(y)], optimizer)


def lenet_step() -> Timed:
    net, x, y = in_torch.lenet_data(rushlight)

    def convolve(p, name, x, padding):
        w, b = p[f"{name}.weight"], p[f"{name}.bias"][:, None, None]
        x = jax.nn.relu(lax.conv_general_dilated(x, w, (1, 1), [(padding, padding)] * 2) + b)
        return lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")

    def value(p, x, y):
        x = convolve(p, "3", convolve(p, "0", x, 2), 0).reshape(64, 400)
        for name in ("7", "9"):
            x = jax.nn.relu(linear(p, name, x))
        return cross_entropy(linear(p, "11", x), y)

    return training(value, parameters_of(net), [array(x), array(y)], "SGD")


def attend(q: Array, k: Array, v: Array, causal: bool) -> Array:
    """Attention over the last but one axis."""
    scores = q @ jnp.swapaxes(k, -1, -2) / jnp.sqrt(jnp.float32(q.shape[-1]))
    if causal:
        scores = jnp.where(jnp.tri(q.shape[-2], dtype=bool), scores, -jnp.inf)
    return jax.nn.softmax(scores) @ v


def gpt_step() -> Timed:
    net, x, y = in_torch.gpt_data(rushlight)

    def norm(p, name, x):
        return layer_norm(x) * p[f"{name}.weight"] + p[f"{name}.bias"]

    def heads(x):
        return x.reshape(8, 64, 4, 32).swapaxes(1, 2)

    def value(p, x, y):
        x = p["token.weight"][x] + p["position.weight"]
        for i in range(4):
            block = f"blocks.{i}"
            qkv = linear(p, f"{block}.attention.qkv", norm(p, f"{block}.norm1", x))
            a = attend(*map(heads, jnp.split(qkv, 3, -1)), causal=True)
            x = x + linear(p, f"{block}.attention.out", a.swapaxes(1, 2).reshape(8, 64, 128))
            wide = linear(p, f"{block}.mlp.0", norm(p, f"{block}.norm2", x))
            x = x + linear(p, f"{block}.mlp.2", jax.nn.gelu(wide, approximate=False))
        return cross_entropy(norm(p, "norm", x) @ p["head.weight"].T, y)

    return training(value, parameters_of(net), [array(x), array(y)], "AdamW")


def lstm(h: tuple[Array, Array], x: Array, recur: Callable[[Array], Array]) -> tuple[tuple[Array, Array], Array]:
    hidden, cell = h
    i, f, g, o = jnp.split(x + recur(hidden), 4, -1)
    cell = jax.nn.sigmoid(f) * cell + jax.nn.sigmoid(i) * jnp.tanh(g)
    hidden = jax.nn.sigmoid(o) * jnp.tanh(cell)
    return (hidden, cell), hidden


def gru(h: Array, x: Array, recur: Callable[[Array], Array]) -> tuple[Array, Array]:
    (xr, xz, xn), (hr, hz, hn) = jnp.split(x, 3, -1), jnp.split(recur(h), 3, -1)
    r, z = jax.nn.sigmoid(xr + hr), jax.nn.sigmoid(xz + hz)
    h = (1 - z) * jnp.tanh(xn + r * hn) + z * h
    return h, h


def rnn(h: Array, x: Array, recur: Callable[[Array], Array]) -> tuple[Array, Array]:
    h = jnp.tanh(x + recur(h))
    return h, h


def recurrent(kind: str, backward: bool) -> Timed:
    layer, x = in_torch.recurrent_data(rushlight, kind)
    parameters = parameters_of(layer)
    cell = {"LSTM": lstm, "GRU": gru, "RNN": rnn}[kind]

    def run(p, x):
        inputs = x @ p["weight_ih_l0"].T + p["bias_ih_l0"]  # of all steps at once
        zero = jnp.zeros((64, 128))

        def one(h, x):
            return cell(h, x, lambda h: h @ p["weight_hh_l0"].T + p["bias_hh_l0"])

        return lax.scan(one, (zero, zero) if kind == "LSTM" else zero, inputs)[1]

    def gradients(p, x):
        d = jax.grad(lambda p: run(p, x).sum())(p)
        return [d[name] for name in parameters]

    return compiled(gradients if backward else run, parameters, array(x))


def attention(length: int, causal: bool, dropout: float, backward: bool) -> Timed | None:
    if dropout:
        return None
    inputs = [array(t) for t in in_torch.attention_data(rushlight, length)]
    if not backward:
        return compiled(partial(attend, causal=causal), *inputs[:3])
    return compiled(lambda q, k, v, g: jax.vjp(partial(attend, causal=causal), q, k, v)[1](g), *inputs)


# ---- single operators ----------------------------------------------------------------------------------------------


def layer_norm(x: Array) -> Array:
    d = x - x.mean(-1, keepdims=True)
    return d * lax.rsqrt((d * d).mean(-1, keepdims=True) + 1e-5)


OPERATORS: dict[str, Callable[[Array, Array], Any]] = {
    "x + y": lambda x, y: x + y,
    "x * 2.0": lambda x, y: x * 2.0,
    "exp": lambda x, y: jnp.exp(x),
    "tanh": lambda x, y: jnp.tanh(x),
    "relu": lambda x, y: jax.nn.relu(x),
    "gelu": lambda x, y: jax.nn.gelu(x, approximate=False),
    "sum": lambda x, y: x.sum(),
    "softmax": lambda x, y: jax.nn.softmax(x),
    "log_softmax": lambda x, y: jax.nn.log_softmax(x),
    "layer norm": lambda x, y: layer_norm(x),
}


def operator(name: str, n: int) -> Timed:
    return compiled(OPERATORS[name], *map(array, in_torch.operator_data(rushlight, name, n)))


def product(m: int, k: int, n: int) -> Timed:
    return compiled(jnp.matmul, *map(array, in_torch.product_data(rushlight, m, k, n)))
