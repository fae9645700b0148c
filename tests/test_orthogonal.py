"""parametrizations.orthogonal of complex weights: unitary, and PyTorch's values and gradients."""

from __future__ import annotations

import numpy as np
import pytest

import rushlight

SHAPES = [(4, 4), (5, 3), (3, 5), (2, 4, 4)]


def parametrized(lib, array, **options):
    layer = lib.nn.Module()
    layer.weight = lib.nn.Parameter(lib.from_numpy(array.copy()))
    return lib.nn.utils.parametrizations.orthogonal(layer, **options)


def numbers(shape, seed):
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("which", [None, "matrix_exp", "cayley"])
def test_unitary_before_and_after_assignment(shape, which):
    layer = parametrized(rushlight, numbers(shape, 0), orthogonal_map=which)
    for _ in range(2):
        w = layer.weight
        product = w.mH @ w if shape[-2] >= shape[-1] else w @ w.mH
        assert rushlight.allclose(product, rushlight.eye(min(shape[-2:]), dtype=w.dtype).expand(product.shape))
        layer.weight = rushlight.from_numpy(numbers(shape, 1))
    kept = layer.weight.detach().clone()
    layer.weight = kept
    assert shape[-1] != shape[-2] or rushlight.allclose(layer.weight, kept)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("which", ["matrix_exp", "cayley"])
def test_as_pytorch(shape, which):
    torch = pytest.importorskip("torch")
    results = []
    for lib in (rushlight, torch):
        layer = parametrized(lib, numbers(shape, 0), orthogonal_map=which, use_trivialization=False)
        w = layer.weight
        loss = (w * lib.from_numpy(numbers(shape, 2))).abs().sum()
        (g,) = lib.autograd.grad(loss, layer.parametrizations.weight.original)
        results.append((w.detach().numpy(), g.numpy()))
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def test_no_complex_reflections():
    with pytest.raises(ValueError, match="The householder parametrization does not support complex tensors"):
        parametrized(rushlight, numbers((3, 3), 0), orthogonal_map="householder")
