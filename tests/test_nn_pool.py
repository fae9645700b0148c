"""Pooling and padding layers as PyTorch's, and LeNet's training."""

import itertools

import numpy as np
import pytest

import rushlight

torch = pytest.importorskip("torch", reason="PyTorch is not installed: torch==2.13.0")
pytestmark = pytest.mark.usefixtures("one_thread")

SHAPES = {1: (2, 3, 8), 2: (2, 3, 6, 7), 3: (3, 4, 5, 6)}
POOLS = [
    *[(f"MaxPool{n}d", (2,), {}) for n in (1, 2, 3)],
    *[(f"MaxPool{n}d", (3, 2, 1), {"ceil_mode": True}) for n in (1, 2, 3)],
    *[(f"MaxPool{n}d", (2, 1, 0, 2), {"return_indices": True}) for n in (1, 2, 3)],
    *[(f"AvgPool{n}d", (2,), {}) for n in (1, 2, 3)],
    *[(f"AvgPool{n}d", (3, 2, 1, True, False), {}) for n in (1, 2, 3)],
    ("AvgPool2d", ((2, 3),), {"divisor_override": 7}),
    *[(f"AdaptiveAvgPool{n}d", (k,), {}) for n in (1, 2, 3) for k in (1, 3)],
    *[(f"AdaptiveMaxPool{n}d", (3,), {"return_indices": r}) for n in (1, 2, 3) for r in (False, True)],
    ("AdaptiveAvgPool2d", ((None, 2),), {}),
    ("AdaptiveMaxPool2d", ((4, None),), {}),
]  # fmt: skip
PADS = [
    (f"{kind}Pad{n}d", (width, *((2.5,) if kind == "Constant" else ())), {})
    for kind in ("Zero", "Constant", "Reflection", "Replication", "Circular")
    for n in (1, 2, 3)
    for width in (1, (2, 1, 0, 2, 1, 1)[: 2 * n])
]


def step(lib, layer, array):
    x = lib.from_numpy(array.copy()).requires_grad_()
    out = layer(x)
    y, rest = (out[0], list(out[1:])) if isinstance(out, tuple) else (out, [])
    (first,) = lib.autograd.grad((y * y).sum(), x, create_graph=True)
    (second,) = lib.autograd.grad((first * first).sum(), x)
    return [y, first, second, *rest]


@pytest.mark.parametrize(("name", "args", "options"), POOLS + PADS)
def test_layer(name, args, options):
    mine, theirs = (getattr(lib.nn, name)(*args, **options) for lib in (rushlight, torch))
    assert repr(mine) == repr(theirs)
    assert list(vars(mine)) == list(vars(theirs))
    x = np.random.default_rng(0).uniform(-1, 1, SHAPES[int(name[-2])])
    results = [step(lib, layer, x) for lib, layer in ((rushlight, mine), (torch, theirs))]
    for a, e in zip(*results, strict=True):
        assert tuple(a.shape) == tuple(e.shape) and str(a.dtype).split(".")[1] in str(e.dtype)
        np.testing.assert_allclose(a.detach().numpy(), e.detach().numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "ceil", "size"),
    list(itertools.product((2, 3), (1, 2, 3), (0, 1), (False, True), (5, 6, 7))),
)
def test_window_sizes(kernel, stride, padding, ceil, size):
    x = np.random.default_rng(size).uniform(-1, 1, (2, size, 7))
    for name, options in (
        ("max_pool2d", {}),
        ("avg_pool2d", {}),
        ("avg_pool2d", {"count_include_pad": False}),
    ):
        mine, theirs = (
            getattr(lib.nn.functional, name)(
                lib.from_numpy(x), kernel, stride, padding, ceil_mode=ceil, **options
            ).numpy()
            for lib in (rushlight, torch)
        )
        np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-14)


def test_window_beside_the_input():
    """Dilated windows that miss the input, here (-2, 1) and (-1, 2), have no maximum."""
    y = rushlight.nn.functional.max_pool1d(rushlight.ones(1, 1), 2, 1, 2, 3)
    assert y.tolist() == [[float("-inf")] * 2]


def lenet(n):
    return n.Sequential(
        n.Conv2d(1, 6, 5, padding=2), n.ReLU(), n.MaxPool2d(2),
        n.Conv2d(6, 16, 5), n.ReLU(), n.AvgPool2d(2),
        n.Flatten(), n.Linear(64, 32), n.ReLU(), n.Linear(32, 10),
    )  # fmt: skip


def train(lib, images, labels):
    """Losses of 20 steps, and the parameters at the end."""
    lib.manual_seed(0)
    net = lenet(lib.nn)
    optimizer = lib.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    x, t = lib.from_numpy(images), lib.from_numpy(labels)
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        loss = lib.nn.functional.cross_entropy(net(x), t)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, [p.detach().numpy() for p in net.parameters()]


def test_lenet():
    """The same initial values and the same curve as PyTorch's, on separable images."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 64)
    patterns = rng.uniform(0, 1, (10, 1, 16, 16))
    images = (patterns[labels] + rng.normal(0, 0.1, (64, 1, 16, 16))).astype(np.float32)
    (mine, ours), (theirs, wanted) = (train(lib, images, labels) for lib in (rushlight, torch))
    np.testing.assert_allclose(mine, theirs, rtol=1e-4)
    assert mine[-1] < mine[0]
    for a, e in zip(ours, wanted, strict=True):
        np.testing.assert_allclose(a, e, rtol=1e-4, atol=1e-4)


def test_max_pool1d_without_places():
    """Where nothing asks for the places, another loop finds the same maxima, NaN and infinities among them."""
    x = np.random.default_rng(2).standard_normal((300, 3, 34)).astype(np.float32)
    x.flat[::13], x.flat[::7] = np.nan, -np.inf
    for kernel, stride, padding, dilation in itertools.product(
        (1, 2, 3), (1, 2, 3), (0, 1), (1, 2)
    ):
        if padding > ((kernel - 1) * dilation + 1) // 2:
            continue
        at, alone = (
            rushlight.nn.functional.max_pool1d(
                rushlight.tensor(x, requires_grad=grad), kernel, stride, padding, dilation
            )
            for grad in (True, False)
        )
        np.testing.assert_array_equal(alone.numpy(), at.detach().numpy())


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("size", [(2, 2), (5, 14), (9, 35), (28, 28), (6, 600)])
def test_pairs(size, dtype):
    """Windows of 2 x 2 side by side: the graph keeps other things where the caller asks for places; values, first and
    second derivatives are the same."""
    rushlight.manual_seed(0)
    x = rushlight.randn(2, 3, *size).mul(2).round().to(getattr(rushlight, dtype))  # with ties
    x[0, 0, 1, 1] = rushlight.nan
    x.requires_grad_()
    results = []
    for places in (False, True):
        y = rushlight.nn.functional.max_pool2d(x, 2, return_indices=places)
        y = y[0] if places else y
        g = rushlight.arange(1, y.numel() + 1).to(x.dtype).div(y.numel()).reshape(y.shape).requires_grad_()
        (plain,) = rushlight.autograd.grad(y, x, g.detach(), retain_graph=True)
        (first,) = rushlight.autograd.grad(y, x, g, create_graph=True)
        (second,) = rushlight.autograd.grad((first * first).sum(), g)
        assert plain.tolist() == first.tolist()
        results.append([t.nan_to_num(9).tolist() for t in (y, first, second)])
    assert results[0] == results[1]
