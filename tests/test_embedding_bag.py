"""EmbeddingBag beside PyTorch's as a module, and what golden values do not show."""

import pickle

import numpy as np
import pytest

import rushlight
from rushlight import nn
from rushlight.nn import functional as F

try:
    import torch
except ImportError:
    torch = None

needs_torch = pytest.mark.skipif(torch is None, reason="PyTorch is not installed: torch==2.13.0")

FLAT, OFFSETS = [0, 1, 2, 4, 1, 5], [0, 2, 2, 5]


@needs_torch
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"mode": "sum", "padding_idx": 1},
        {"mode": "max", "padding_idx": -1},
        {"max_norm": 0.7, "norm_type": 1.0},
        {"scale_grad_by_freq": True, "include_last_offset": True},
        {"dtype": "float64"},
    ],
)
def test_module(options):
    """Initial values, printing, state, output, gradient."""
    results = []
    for t in (rushlight, torch):
        given = {k: getattr(t, v) if k == "dtype" else v for k, v in options.items()}
        t.manual_seed(3)
        m = t.nn.EmbeddingBag(7, 4, **given)
        offsets = OFFSETS + [6] * ("include_last_offset" in options)
        y = m(t.tensor(FLAT), t.tensor(offsets))
        if "scale_grad_by_freq" not in options:  # see test_scale_by_frequency
            (y * t.arange(y.numel()).reshape(y.shape)).sum().backward()
        results.append((m, y))
    (mine, y), (theirs, v) = results
    assert repr(mine) == repr(theirs)
    assert list(mine.state_dict()) == list(theirs.state_dict())
    assert mine.__constants__ == theirs.__constants__
    np.testing.assert_allclose(mine.weight.tolist(), theirs.weight.tolist(), rtol=1e-6)
    np.testing.assert_allclose(y.tolist(), v.tolist(), rtol=1e-5, atol=1e-6)
    if theirs.weight.grad is not None:
        np.testing.assert_allclose(mine.weight.grad.tolist(), theirs.weight.grad.tolist(), rtol=1e-5)
    pickle.loads(pickle.dumps(mine))


@needs_torch
def test_from_pretrained():
    for options in ({}, {"freeze": False, "mode": "sum", "padding_idx": 1}, {"max_norm": 0.5}):
        mine = nn.EmbeddingBag.from_pretrained(rushlight.ones(3, 2), **options)
        theirs = torch.nn.EmbeddingBag.from_pretrained(torch.ones(3, 2), **options)
        assert repr(mine) == repr(theirs)
        assert mine.weight.requires_grad == theirs.weight.requires_grad
        a, b = mine(rushlight.tensor([[0, 1]])), theirs(torch.tensor([[0, 1]]))
        np.testing.assert_allclose(a.tolist(), b.tolist(), rtol=1e-6)
    for n, t in ((nn, rushlight), (torch.nn, torch)):
        for kind in (n.Embedding, n.EmbeddingBag):
            with pytest.raises(AssertionError, match="expected to be 2-dimensional"):
                kind.from_pretrained(t.ones(3))
            with pytest.raises(AssertionError, match="must be within num_embeddings"):
                kind(3, 2, padding_idx=3)
            with pytest.raises(AssertionError, match="does not match num_embeddings"):
                kind(3, 2, _weight=t.ones(2, 2))


@pytest.mark.parametrize("mode", ["sum", "mean"])
def test_scale_by_frequency(mode):
    """A row's gradient is divided by how often it is named."""
    weight = rushlight.zeros(6, 2, requires_grad=True)
    for padding in (None, 1):
        F.embedding_bag(
            rushlight.tensor(FLAT), weight, rushlight.tensor(OFFSETS), mode=mode, padding_idx=padding, scale_grad_by_freq=True
        ).sum().backward()  # fmt: skip
        want = np.zeros(6)
        for i, row in enumerate(FLAT):
            bag = [r for j, r in enumerate(FLAT) if np.searchsorted(OFFSETS, j, "right") == np.searchsorted(OFFSETS, i, "right") and r != padding]
            if row != padding:
                want[row] += 1 / FLAT.count(row) / (len(bag) if mode == "mean" else 1)
        np.testing.assert_allclose(weight.grad.tolist(), np.repeat(want, 2).reshape(6, 2), rtol=1e-6)
        weight.grad = None


def test_parts():
    """The operator's other results: the bag of each index, the sizes of bags, the rows of maxima."""
    w = rushlight.arange(18.0).reshape(6, 3)
    y, bag, sizes, rows = rushlight.embedding_bag(
        w, rushlight.tensor(FLAT, dtype=rushlight.int32), rushlight.tensor(OFFSETS), False, 2, False, None, False, 1
    )  # fmt: skip
    assert y.tolist() == [[0, 1, 2], [0, 0, 0], [12, 13, 14], [15, 16, 17]]
    assert bag.tolist() == [0, 0, 2, 2, 2, 3] and bag.dtype == rushlight.int32
    assert sizes.tolist() == [1, 0, 2, 1]
    assert rows[:, 0].tolist() == [0, 0, 4, 5]


def test_refusals():
    w, index = rushlight.ones(6, 3), rushlight.tensor(FLAT)
    with pytest.raises(NotImplementedError, match="sparse=True"):
        F.embedding_bag(index, w, rushlight.tensor([0]), sparse=True)
    with pytest.raises(RuntimeError, match="offsets have to rise"):
        F.embedding_bag(index, w, rushlight.tensor([0, 3, 2]))
    with pytest.warns(UserWarning, match="Argument order"), pytest.raises(ValueError, match="2D"):
        F.embedding_bag(w[0], rushlight.tensor([1, 2]), rushlight.tensor([0]))


@pytest.mark.parametrize("threads", [1, 2])
def test_threads(threads):
    """Many long bags: the same bits with any number of threads; a wide table of half precision."""
    before = rushlight.get_num_threads()
    rng = np.random.default_rng(0)
    table = rng.standard_normal((50, 600)).astype(np.float32)
    index = rng.integers(0, 50, (300, 20))
    try:
        rushlight.set_num_threads(threads)
        y = F.embedding_bag(rushlight.tensor(index.tolist()), rushlight.from_numpy(table), mode="sum")
        h = F.embedding_bag(rushlight.tensor(index.tolist()), rushlight.from_numpy(table).half(), mode="sum")
    finally:
        rushlight.set_num_threads(before)
    want = np.zeros((300, 600), np.float32)
    for i in range(20):  # the order of additions
        want += table[index[:, i]]
    np.testing.assert_array_equal(y.numpy(), want)
    np.testing.assert_allclose(h.float().numpy(), table.astype(np.float16).astype(np.float32)[index].sum(1), atol=2e-2)
