"""Convolutions over a grid of options against PyTorch: values, gradients, second gradients."""

import itertools

import numpy as np
import pytest

import rushlight

torch = pytest.importorskip("torch", reason="PyTorch is not installed: torch==2.13.0")
pytestmark = pytest.mark.usefixtures("one_thread")

SIZES = {1: (11,), 2: (7, 9), 3: (5, 6, 4)}
KERNELS = {1: (3,), 2: (3, 2), 3: (2, 3, 1)}


def pair(rng, *shape):
    """The same values in both libraries, float64, requiring gradients: (ours, theirs)."""
    a = rng.uniform(-1, 1, shape)
    return (
        rushlight.from_numpy(a.copy()).requires_grad_(),
        torch.from_numpy(a.copy()).requires_grad_(),
    )


def close(mine, theirs, tol=1e-12):
    assert tuple(mine.shape) == tuple(theirs.shape)
    np.testing.assert_allclose(mine.detach().numpy(), theirs.detach().numpy(), rtol=tol, atol=tol)


def derivatives(lib, y, inputs, seed):
    """First gradients, and second ones of their squares."""
    g = lib.from_numpy(np.random.default_rng(seed).uniform(-1, 1, tuple(y.shape))).requires_grad_()
    first = lib.autograd.grad(y, inputs, g, create_graph=True)
    total = sum((d * d).sum() for d in first)
    return [*first, *lib.autograd.grad(total, [*inputs[:2], g])]


def check(name, x, w, b, **options):
    results = [
        getattr(lib.nn.functional, name)(x[k], w[k], b[k], **options)
        for k, lib in enumerate((rushlight, torch))
    ]
    close(*results)
    assert type(results[0].grad_fn).__name__ == type(results[1].grad_fn).__name__
    mine, theirs = (
        derivatives(lib, y, [x[k], w[k], b[k]], 1)
        for k, (lib, y) in enumerate(zip((rushlight, torch), results, strict=True))
    )
    for a, e in zip(mine, theirs, strict=True):
        close(a, e, 1e-10)
    close_in_float32(name, [t[0] for t in (x, w, b)], options, [results[1], *theirs[:3]])


def close_in_float32(name, inputs, options, wanted):
    """float32 has kernels of its own: values and first gradients near those of float64."""
    inputs = [t.detach().float().requires_grad_() for t in inputs]
    y = getattr(rushlight.nn.functional, name)(*inputs, **options)
    g = np.random.default_rng(1).uniform(-1, 1, tuple(y.shape)).astype(np.float32)
    for a, e in zip(
        [y, *rushlight.autograd.grad(y, inputs, rushlight.from_numpy(g))], wanted, strict=True
    ):
        e = e.detach().numpy()
        np.testing.assert_allclose(a.detach().numpy(), e, rtol=1e-5, atol=4e-6 * np.abs(e).max())


GRID = list(itertools.product((1, 2, 3), (1, 2), (0, 1, "same"), (1, 2), (1, 2, 4)))


@pytest.mark.parametrize(("n", "stride", "padding", "dilation", "groups"), GRID)
def test_conv(n, stride, padding, dilation, groups):
    if padding == "same" and stride != 1 or n == 3 and dilation == 2 and padding == 0:
        return
    rng = np.random.default_rng(n)
    x, w = pair(rng, 3, 4, *SIZES[n]), pair(rng, 8, 4 // groups, *KERNELS[n])
    check(
        f"conv{n}d", x, w, pair(rng, 8), stride=stride, padding=padding, dilation=dilation,
        groups=groups,
    )  # fmt: skip


@pytest.mark.parametrize(("n", "stride", "padding", "dilation", "groups"), GRID)
def test_conv_transpose(n, stride, padding, dilation, groups):
    if padding == "same":
        return
    rng = np.random.default_rng(n)
    x, w = pair(rng, 2, 4, *SIZES[n]), pair(rng, 4, 6 // groups, *KERNELS[n])
    if groups == 4:
        w = pair(rng, 4, 2, *KERNELS[n])
    check(
        f"conv_transpose{n}d", x, w, pair(rng, w[0].shape[1] * groups), stride=stride,
        padding=padding, output_padding=int(stride > 1), dilation=dilation, groups=groups,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("x", "w", "options"),
    [
        ((2, 3, 40, 50), (5, 3, 5, 5), {"padding": 2}),  # several tiles
        ((20, 1, 12, 12), (6, 1, 5, 5), {}),  # chunks of samples
        ((2, 60, 6, 6), (7, 60, 3, 3), {"padding": (2, 0), "stride": (1, 3)}),  # blocks of channels
        ((2, 60, 6, 9), (40, 60, 3, 3), {"padding": 1}),  # several panels and sums
        ((1, 2, 70, 40), (34, 2, 3, 3), {}),  # several blocks of pixels, without a border
        ((1, 2, 70, 40), (34, 2, 3, 3), {"stride": 2, "padding": 1}),
        ((2, 3, 1, 4500), (5, 3, 1, 7), {}),  # a long row
        ((1, 3, 1, 4500), (18, 3, 1, 7), {"stride": (1, 2), "padding": (0, 3)}),
        ((2, 6, 9, 7), (8, 6, 1, 1), {}),  # 1 x 1
        ((2, 6, 9, 7), (8, 6, 1, 1), {"stride": 2}),
        ((2, 6, 9, 7), (8, 6, 1, 1), {"padding": 1}),
        ((2, 6, 4, 4), (6, 1, 3, 3), {"groups": 6, "padding": 1}),  # depthwise
        ((1, 2, 3, 3), (2, 2, 3, 3), {"padding": 7, "dilation": 3}),  # padding beyond the kernel
        ((4, 7, 9), (2, 4, 4, 2), {"padding": "same"}),  # unbatched; an even kernel
    ],
)
def test_shapes(x, w, options):
    rng = np.random.default_rng(0)
    check("conv2d", pair(rng, *x), pair(rng, *w), pair(rng, w[0]), **options)


def test_strided_input():
    rng = np.random.default_rng(0)
    x, w = pair(rng, 5, 6, 3, 2), pair(rng, 3, 2, 4, 3)
    x = [t.permute(3, 2, 0, 1) for t in x]
    w = [t.permute(2, 0, 1, 3).transpose(-1, -2) for t in w]
    check("conv2d", x, w, pair(rng, 4))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "int64", "int32", "uint8"])
def test_dtypes(dtype):
    rng = np.random.default_rng(0)
    x, w = rng.integers(0, 4, (2, 3, 6, 6)), rng.integers(0, 4, (4, 3, 3, 3))
    for name in ("conv2d", "conv_transpose2d"):
        if name == "conv_transpose2d" and dtype not in ("float16", "bfloat16"):
            continue  # PyTorch has no such kernel
        mine, theirs = (
            getattr(lib.nn.functional, name)(
                lib.tensor(x.tolist()).to(getattr(lib, dtype)),
                lib.tensor((w if name == "conv2d" else w[:3, :2]).tolist()).to(getattr(lib, dtype)),
            )
            for lib in (rushlight, torch)
        )
        assert str(mine.dtype) == str(theirs.dtype)
        assert mine.tolist() == theirs.tolist()


def test_integer_transpose():
    """Integers are exact: the float64 result."""
    rng = np.random.default_rng(0)
    x, w = rng.integers(-9, 9, (2, 3, 4)), rng.integers(-9, 9, (3, 2, 3))
    want = torch.conv_transpose1d(torch.tensor(x).double(), torch.tensor(w).double(), stride=2)
    for dtype in ("int64", "int32", "int16"):
        a, b = (rushlight.tensor(v.tolist()).to(getattr(rushlight, dtype)) for v in (x, w))
        assert rushlight.conv_transpose1d(a, b, stride=2).tolist() == want.long().tolist()


def test_no_input_channels():
    """A sum of nothing: the bias, or zeros."""
    x, w, b = rushlight.ones(2, 0, 5, 5), rushlight.ones(3, 0, 3, 3), rushlight.tensor([1.0, 2, 3])
    assert rushlight.conv2d(x, w).abs().sum().item() == 0
    assert rushlight.conv2d(x, w, b)[:, :, 1, 1].tolist() == [[1, 2, 3]] * 2


def test_complex_is_refused():
    F = rushlight.nn.functional
    x = rushlight.ones(1, 1, 4, 4, dtype=rushlight.complex64)
    for call in (lambda: F.conv2d(x, x), lambda: F.max_pool2d(x, 2), lambda: F.avg_pool2d(x, 2)):
        with pytest.raises(NotImplementedError):
            call()
