"""Layers and functions over spatial dimensions against PyTorch: printing, attributes, values, gradients, errors."""

import itertools
import warnings

import numpy as np
import pytest

import rushlight

torch = pytest.importorskip("torch", reason="PyTorch is not installed: torch==2.13.0")
pytestmark = pytest.mark.usefixtures("one_thread")

SHAPES = {1: (2, 3, 8), 2: (2, 3, 6, 7), 3: (2, 2, 4, 5, 6)}
LAYERS = [
    *[(f"LPPool{n}d", (2, 2), {}, SHAPES[n]) for n in (1, 2, 3)],
    *[(f"LPPool{n}d", (3.0, 3, 2, True), {}, SHAPES[n]) for n in (1, 2)],
    *[(f"LPPool{n}d", (p, 2), {}, SHAPES[n]) for n in (1, 2, 3) for p in (float("inf"), -float("inf"))],
    *[(f"FractionalMaxPool{n}d", (2, 3), {"return_indices": True}, SHAPES[n]) for n in (2,)],
    ("FractionalMaxPool3d", (2, 2), {"return_indices": True}, SHAPES[3]),
    ("FractionalMaxPool2d", ((2, 3),), {"output_ratio": (0.5, 0.4)}, SHAPES[2]),
    ("FractionalMaxPool3d", (2,), {"output_ratio": 0.5}, SHAPES[3]),
    ("Unfold", (2,), {}, SHAPES[2]),
    ("Unfold", ((2, 3), 1, (1, 2), 2), {}, SHAPES[2]),
    ("Fold", ((5, 4), 2), {}, (2, 8, 12)),
    ("Fold", (4, (2, 1)), {"padding": (1, 0), "stride": 2}, (4, 6)),
    ("PixelShuffle", (2,), {}, (2, 8, 3, 2)),
    ("PixelUnshuffle", (2,), {}, (3, 6, 4)),
    ("ChannelShuffle", (2,), {}, (2, 6, 3, 2)),
    ("Upsample", (), {"scale_factor": 2}, SHAPES[1]),
    ("Upsample", ((3, 9),), {"mode": "bicubic", "align_corners": True}, SHAPES[2]),
    ("Upsample", (), {"scale_factor": (1.5, 2.5), "mode": "bilinear"}, SHAPES[2]),
    ("Upsample", (), {"scale_factor": (1.5, 2.5), "mode": "bilinear", "recompute_scale_factor": True}, SHAPES[2]),
    ("Upsample", (7,), {"mode": "trilinear"}, SHAPES[3]),
    ("UpsamplingNearest2d", (), {"scale_factor": 2}, SHAPES[2]),
    ("UpsamplingBilinear2d", (9,), {}, SHAPES[2]),
]  # fmt: skip


def both(x):
    return [(lib, lib.from_numpy(x.copy()).requires_grad_()) for lib in (rushlight, torch)]


def close(mine, theirs):
    assert (
        tuple(mine.shape) == tuple(theirs.shape) and str(mine.dtype)[-5:] == str(theirs.dtype)[-5:]
    )
    np.testing.assert_allclose(
        mine.detach().numpy(), theirs.detach().numpy(), rtol=1e-10, atol=1e-12
    )


def derivatives(lib, call, x):
    """The results and the first and second gradients of the sum of their squares."""
    lib.manual_seed(5)
    out = call(x)
    y, rest = (out[0], list(out[1:])) if isinstance(out, tuple) else (out, [])
    (first,) = lib.autograd.grad((y * y).sum(), x, create_graph=True)
    (second,) = lib.autograd.grad((first * first).sum(), x)
    return [y, first, second, *rest]


def compare(calls, x):
    results = [derivatives(lib, call, t) for call, (lib, t) in zip(calls, both(x), strict=True)]
    for a, e in zip(*results, strict=True):
        close(a, e)


@pytest.mark.parametrize(("name", "args", "options", "shape"), LAYERS)
def test_layer(name, args, options, shape):
    layers = [getattr(lib.nn, name)(*args, **options) for lib in (rushlight, torch)]
    assert repr(layers[0]) == repr(layers[1])
    assert list(vars(layers[0])) == list(vars(layers[1]))
    assert layers[0].__constants__ == layers[1].__constants__
    low = 0.1 if name[:2] == "LP" else -1  # a power that is no integer
    compare(layers, np.random.default_rng(0).uniform(low, 1, shape))


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("lead", [0, 1])
def test_unpool(n, lead):
    """Back from a pooling; (1, 1) more than the least size."""
    x = np.random.default_rng(n).uniform(-1, 1, SHAPES[n][lead:])

    def call(lib):
        pool, unpool = getattr(lib.nn, f"MaxPool{n}d"), getattr(lib.nn, f"MaxUnpool{n}d")
        pool, unpool = pool(2, return_indices=True), unpool(2)
        assert repr(unpool) == repr(getattr(torch.nn, f"MaxUnpool{n}d")(2))
        return lambda t: unpool(*pool(t), output_size=tuple(t.shape[2 - lead :]))

    compare([call(rushlight), call(torch)], x)


INTERPOLATE = [
    (n, mode, target, align, recompute)
    for n, mode in (
        (1, "nearest"), (1, "nearest-exact"), (1, "linear"), (1, "area"), (2, "nearest"),
        (2, "nearest-exact"), (2, "bilinear"), (2, "bicubic"), (2, "area"), (3, "nearest"),
        (3, "nearest-exact"), (3, "trilinear"), (3, "area"),
    )
    for target in ({"size": 3}, {"size": 11}, {"scale_factor": 0.55}, {"scale_factor": 2.0}, {"scale_factor": 1.71})
    for align in ((None, True) if "linear" in mode or "cubic" in mode else (None,))
    for recompute in ((None, True) if "scale_factor" in target else (None,))
]  # fmt: skip


@pytest.mark.parametrize(("n", "mode", "target", "align", "recompute"), INTERPOLATE)
def test_interpolate(n, mode, target, align, recompute):
    options = {"mode": mode, "align_corners": align, "recompute_scale_factor": recompute, **target}
    x = np.random.default_rng(0).uniform(-1, 1, SHAPES[n])
    compare(
        [
            lambda t, lib=lib: lib.nn.functional.interpolate(t, **options)
            for lib in (rushlight, torch)
        ],
        x,
    )


@pytest.mark.parametrize("mode", ["bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize("size", [(3, 3), (9, 4), (1, 20), (6, 7)])
@pytest.mark.parametrize("align", [False, True])
def test_antialias(mode, size, align):
    if mode == "lanczos" and align:
        return
    x = np.random.default_rng(0).uniform(-1, 1, (2, 3, 6, 17))
    options = {"size": size, "mode": mode, "align_corners": align, "antialias": True}
    compare(
        [
            lambda t, lib=lib: lib.nn.functional.interpolate(t, **options)
            for lib in (rushlight, torch)
        ],
        x,
    )


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("size", [(7, 3), (7, 8), (4, 3), (2, 5)])
def test_bytes(mode, antialias, size):
    """uint8 is exact."""
    x = np.random.default_rng(1).integers(0, 256, (2, 3, 4, 5)).astype(np.uint8)
    mine, theirs = (
        lib.nn.functional.interpolate(
            lib.from_numpy(x), size, mode=mode, antialias=antialias
        ).tolist()
        for lib in (rushlight, torch)
    )
    assert mine == theirs


GRIDS = list(
    itertools.product(
        (2, 3), ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection"), (False, True)
    )
)


@pytest.mark.parametrize(("n", "mode", "padding", "align"), GRIDS)
def test_grid_sample(n, mode, padding, align):
    if n == 3 and mode == "bicubic":
        return
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, SHAPES[n])
    grid = rng.uniform(-2.5, 2.5, (2, 5, 4, 3, n)[: 1 + n] + (n,))
    results = []
    for lib in (rushlight, torch):
        t, g = (lib.from_numpy(v.copy()).requires_grad_() for v in (x, grid))
        y = lib.nn.functional.grid_sample(t, g, mode, padding, align)
        results.append([y, *lib.autograd.grad((y * y).sum(), (t, g))])
    for a, e in zip(*results, strict=True):
        close(a, e)


def test_grid_sample_twice():
    """PyTorch has no second derivative either."""
    x, grid = rushlight.rand(1, 1, 4, 4, requires_grad=True), rushlight.zeros(1, 2, 2, 2)
    y = rushlight.nn.functional.grid_sample(x, grid, align_corners=False)
    (g,) = rushlight.autograd.grad(y.sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="grid_sampler_2d_backward is not implemented"):
        g.sum().backward()


@pytest.mark.parametrize("size", [(2, 1, 4, 5), (2, 1, 1, 3), (2, 3, 2, 4, 3)])
@pytest.mark.parametrize("align", [False, True])
def test_affine_grid(size, align):
    n = len(size) - 2
    theta = np.random.default_rng(0).uniform(-1, 1, (2, n, n + 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = []
        for lib, t in both(theta):
            y = lib.nn.functional.affine_grid(t, size, align)
            results.append([y, *lib.autograd.grad((y * y).sum(), t)])
    for a, e in zip(*results, strict=True):
        close(a, e)


WARNED = [
    lambda t: t.nn.functional.upsample(t.ones(1, 1, 2, 2), 3),
    lambda t: t.nn.functional.upsample_nearest(t.ones(1, 1, 2, 2), 3),
    lambda t: t.nn.functional.upsample_bilinear(t.ones(1, 1, 2, 2), 3),
    lambda t: t.nn.functional.grid_sample(t.ones(1, 1, 2, 2), t.zeros(1, 2, 2, 2)),
    lambda t: t.nn.functional.affine_grid(t.ones(1, 2, 3), (1, 1, 2, 2)),
    lambda t: t.nn.functional.affine_grid(t.ones(1, 2, 3), (1, 1, 1, 2), True),
]


@pytest.mark.parametrize("call", WARNED)
def test_warnings(call):
    with pytest.warns(UserWarning) as mine:
        got = call(rushlight)
    with pytest.warns(UserWarning) as theirs:
        want = call(torch)
    assert str(mine[0].message) == str(theirs[0].message)
    assert mine[0].filename == __file__
    close(got, want)


ERRORS = [
    lambda t: t.nn.FractionalMaxPool2d(2),
    lambda t: t.nn.FractionalMaxPool2d(2, 3, 0.5),
    lambda t: t.nn.FractionalMaxPool2d(2, output_ratio=1.5),
    lambda t: t.nn.FractionalMaxPool3d(2),
    lambda t: t.nn.FractionalMaxPool3d(0, 3),
    lambda t: t.nn.MaxUnpool2d(2)(t.ones(1, 1, 2, 2), t.zeros(1, 1, 2, 2).long(), (9, 9)),
    lambda t: t.nn.MaxUnpool2d(2)(t.ones(1, 1, 2, 2), t.zeros(1, 1, 2, 2).long(), (4,)),
    lambda t: t.nn.Upsample()(t.ones(1, 1, 2, 2)),
    lambda t: t.nn.Upsample(3, mode="linear")(t.ones(1, 1, 2, 2)),
    lambda t: t.nn.functional.grid_sample(t.ones(1, 1, 2, 2), t.zeros(1, 2, 2, 2), "cubic"),
    lambda t: t.nn.functional.grid_sample(
        t.ones(1, 1, 2, 2), t.zeros(1, 2, 2, 2), "nearest", "wrap"
    ),
    lambda t: t.nn.functional.affine_grid(t.ones(1, 2, 3).long(), (1, 1, 2, 2), False),
    lambda t: t.nn.functional.affine_grid(t.ones(1, 2, 3), (1, 2, 2), False),
    lambda t: t.nn.functional.affine_grid(t.ones(1, 2, 3), (1, 1, 2, 2, 2), False),
    lambda t: t.nn.functional.affine_grid(t.ones(1, 2, 3), (1, 1, 0, 2), False),
    lambda t: t.nn.functional.interpolate(t.ones(1, 1, 2, 2), 3, antialias=True),
]


@pytest.mark.parametrize("call", ERRORS)
def test_errors(call):
    with pytest.raises(Exception) as theirs:  # noqa: PT011
        call(torch)
    with pytest.raises(theirs.type):
        call(rushlight)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("dilation", [1, 2, 3])
@pytest.mark.parametrize("ceil", [False, True])
def test_max_pool_indices(n, dilation, ceil):
    """Values, places and gradients, with and without places, batched and not."""
    x = np.random.default_rng(0).uniform(-1, 1, (2, 2, 9, 8, 7)[: 2 + n])
    options = {"stride": 2, "padding": 1, "dilation": dilation, "ceil_mode": ceil}
    for places in (False, True):
        calls = [
            lambda t, lib=lib, places=places: getattr(lib.nn.functional, f"max_pool{n}d")(
                t, 3, return_indices=places, **options
            )
            for lib in (rushlight, torch)
        ]
        compare(calls, x)
        compare(calls, x[0])


@pytest.mark.parametrize("n", [1, 2, 3])
def test_adaptive_max_pool_indices(n):
    x = np.random.default_rng(0).uniform(-1, 1, (2, 2, 9, 8, 7)[: 2 + n])
    for size in (1, 2, 5, (3, None, 4)[:n]):
        calls = [
            lambda t, lib=lib, size=size: getattr(lib.nn.functional, f"adaptive_max_pool{n}d")(
                t, size, return_indices=True
            )
            for lib in (rushlight, torch)
        ]
        compare(calls, x)


def test_gradient_of_a_window_beside_the_input():
    """It has no maximum (place -1), and its gradient goes nowhere."""
    x = rushlight.ones(1, 1, requires_grad=True)
    y, at = rushlight.nn.functional.max_pool1d(x, 2, 1, 2, 3, return_indices=True)
    assert at.tolist() == [[-1, -1]]
    y.sum().backward()
    assert x.grad.tolist() == [[0.0]]
