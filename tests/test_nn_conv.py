"""Convolution layers: printing, initial values, states, outputs and gradients as PyTorch's."""

import copy

import numpy as np
import pytest

import rushlight
from rushlight import nn

torch = pytest.importorskip("torch", reason="PyTorch is not installed: torch==2.13.0")

LAYERS = [
    (lambda n: n.Conv1d(3, 4, 3), (2, 3, 8)),
    (lambda n: n.Conv1d(4, 6, 2, 2, 1, 2, 2, False), (2, 4, 8)),
    (lambda n: n.Conv2d(3, 4, 3), (2, 3, 6, 7)),
    (lambda n: n.Conv2d(3, 4, (3, 2), (2, 1), (1, 0), bias=False), (3, 6, 7)),
    (lambda n: n.Conv2d(4, 8, 3, padding="same", groups=2), (2, 4, 6, 7)),
    (lambda n: n.Conv2d(4, 8, 3, padding="valid", dilation=2), (2, 4, 6, 7)),
    (lambda n: n.Conv3d(2, 3, (2, 3, 1)), (1, 2, 4, 5, 3)),
    (lambda n: n.ConvTranspose1d(3, 4, 3, 2, 1, 1), (2, 3, 5)),
    (lambda n: n.ConvTranspose2d(4, 6, 3, 2, output_padding=(1, 0), groups=2), (2, 4, 3, 4)),
    (lambda n: n.ConvTranspose3d(2, 3, 2, bias=False, dilation=2), (1, 2, 3, 2, 3)),
] + [
    (lambda n, mode=mode, p=p: n.Conv2d(3, 4, 3, padding=p, padding_mode=mode), (2, 3, 5, 6))
    for mode in ("reflect", "replicate", "circular")
    for p in (1, (2, 0), "same", "valid")
]


def numpy(t):
    return t.detach().numpy()


def close(mine, theirs, tol=2e-5):
    assert tuple(mine.shape) == tuple(theirs.shape)
    np.testing.assert_allclose(numpy(mine), numpy(theirs), rtol=tol, atol=tol)


def step(lib, layer, array, *args):
    x = lib.from_numpy(array.copy()).requires_grad_()
    y = layer(x, *args)
    y.square().sum().backward()
    return [y, x.grad, *[p.grad for p in layer.parameters()]]


def both(make):
    for lib in (rushlight, torch):
        lib.manual_seed(5)
        yield make(lib.nn)


@pytest.mark.parametrize(("make", "shape"), LAYERS, ids=range(len(LAYERS)))
def test_layer(make, shape):
    mine, theirs = both(make)
    assert repr(mine) == repr(theirs)
    assert list(mine.state_dict()) == list(theirs.state_dict())
    assert list(vars(mine)) == list(vars(theirs))
    for p, q in zip(mine.parameters(), theirs.parameters(), strict=True):
        assert (numpy(p) == numpy(q)).all()  # the same draws
    x = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
    for a, e in zip(step(rushlight, mine, x), step(torch, theirs, x), strict=True):
        close(a, e)
    again = copy.deepcopy(mine)
    assert (
        numpy(again(rushlight.from_numpy(x))).tolist()
        == numpy(mine(rushlight.from_numpy(x))).tolist()
    )


@pytest.mark.parametrize("size", [(9,), (10,), (2, 4, 9)])
def test_output_size(size):
    mine, theirs = both(lambda n: n.ConvTranspose1d(3, 4, 3, 2, 1))
    x = np.random.default_rng(0).uniform(-1, 1, (2, 3, 5)).astype(np.float32)
    for a, e in zip(step(rushlight, mine, x, size), step(torch, theirs, x, size), strict=True):
        close(a, e)
    for bad in ((8,), (11,), (9, 9)):
        errors = []
        for lib, layer in ((rushlight, mine), (torch, theirs)):
            with pytest.raises(ValueError) as e:
                layer(lib.from_numpy(x), bad)
            errors.append(str(e.value).replace("rushlight", "torch"))
        assert errors[0] == errors[1]


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("LazyConv1d", (2, 4, 8)),
        ("LazyConv2d", (4, 6, 7)),
        ("LazyConv3d", (1, 4, 4, 5, 3)),
        ("LazyConvTranspose1d", (2, 4, 5)),
        ("LazyConvTranspose2d", (2, 4, 3, 4)),
        ("LazyConvTranspose3d", (4, 3, 2, 3)),
    ],
)
def test_lazy(name, shape):
    mine, theirs = both(lambda n: getattr(n, name)(6, 2, groups=2))
    assert repr(mine) == repr(theirs)
    x = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
    for lib in (rushlight, torch):
        lib.manual_seed(6)
    close(mine(rushlight.from_numpy(x)), theirs(torch.from_numpy(x)))
    assert type(mine).__name__ == type(theirs).__name__ and repr(mine) == repr(theirs)
    with pytest.raises(RuntimeError):
        getattr(nn, name)(6, 2)(rushlight.ones(3))


@pytest.mark.parametrize(
    "make",
    [
        lambda n: n.Conv2d(3, 4, 3, groups=2),
        lambda n: n.Conv2d(4, 3, 3, groups=2),
        lambda n: n.Conv2d(4, 4, 3, groups=0),
        lambda n: n.Conv2d(4, 4, 3, 2, "same"),
        lambda n: n.Conv2d(4, 4, 3, padding="x"),
        lambda n: n.Conv2d(4, 4, 3, padding_mode="x"),
        lambda n: n.ConvTranspose2d(4, 4, 3, padding_mode="reflect"),
    ],
)
def test_errors(make):
    for lib in (rushlight, torch):
        with pytest.raises(ValueError):
            make(lib.nn)
