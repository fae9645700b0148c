"""Normalisation and embedding layers beside PyTorch's: printing, state, gradients, running
statistics, initial values, errors.
"""

import copy

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

NORMS = [
    *[
        (lambda n, d=d, a=a, m=m, t=t: getattr(n, f"BatchNorm{d}d")(4, 1e-3, m, a, t), d)
        for d in (1, 2, 3)
        for a in (True, False)
        for m in (0.1, None)
        for t in (True, False)
    ],
    *[
        (
            lambda n, d=d, a=a, t=t: getattr(n, f"InstanceNorm{d}d")(
                4, affine=a, track_running_stats=t
            ),
            d,
        )
        for d in (1, 2, 3)
        for a in (True, False)
        for t in (True, False)
    ],
    *[
        (lambda n, g=g, a=a: n.GroupNorm(g, 4, affine=a), 2)
        for g in (1, 2, 4)
        for a in (True, False)
    ],
    (lambda n: n.GroupNorm(2, 4, bias=False), 1),
    (lambda n: n.BatchNorm2d(4, bias=False), 2),
    (lambda n: n.LayerNorm(3), 2),
    (lambda n: n.LayerNorm((4, 3), eps=0.1), 1),
    (lambda n: n.LayerNorm(3, bias=False), 1),
    (lambda n: n.LayerNorm(3, elementwise_affine=False), 1),
    (lambda n: n.RMSNorm(3), 1),
    (lambda n: n.RMSNorm((4, 3), 1e-3, False), 1),
    (lambda n: n.LocalResponseNorm(2), 2),
    (lambda n: n.LocalResponseNorm(3, 0.5, 0.6, 2.0), 1),
]


def ours(t):
    return rushlight.from_numpy(t.detach().numpy().copy())


def close(mine, theirs, tol=2e-5):
    np.testing.assert_allclose(mine.detach().numpy(), theirs.detach().numpy(), rtol=tol, atol=tol)


@needs_torch
@pytest.mark.parametrize(("make", "spatial"), NORMS, ids=range(len(NORMS)))
def test_layer(make, spatial):
    """Two training steps, one in eval; outputs, gradients, buffers."""
    torch.manual_seed(0)
    mine, theirs = make(nn), make(torch.nn)
    assert repr(mine) == repr(theirs)
    for step in range(3):
        if step == 2:
            mine.eval(), theirs.eval()
        x = torch.randn((5, 4, *(3, 2, 3)[:spatial][::-1]), requires_grad=True)
        y = ours(x).requires_grad_()
        a, b = mine(y), theirs(x)
        close(a, b)
        weight = torch.randn_like(b)
        (a * ours(weight)).sum().backward()
        (b * weight).sum().backward()
        close(y.grad, x.grad)
        for p, q in zip(mine.parameters(), theirs.parameters(), strict=True):
            close(p.grad, q.grad)
        assert repr(mine) == repr(theirs)
        assert list(mine.state_dict()) == list(theirs.state_dict())
        for key, value in theirs.state_dict().items():
            close(mine.state_dict()[key], value, 1e-6)


@needs_torch
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half(dtype):
    """Half precision computes in float32 and rounds once, beside parameters of either dtype."""
    torch.manual_seed(0)
    x = torch.randn(6, 8)
    for wide in (True, False):
        w = torch.rand(8)
        a = [getattr(rushlight, dtype), getattr(torch, dtype)]
        u, v = (ours(w), w) if wide else (ours(w).to(a[0]), w.to(a[1]))
        got = F.layer_norm(ours(x).to(a[0]), (8,), u, u)
        want = torch.nn.functional.layer_norm(x.to(a[1]), (8,), v, v)
        assert str(got.dtype).endswith(dtype) and str(want.dtype).endswith(dtype)
        eps = 2**-7 if dtype == "bfloat16" else 2**-10
        close(got.float(), want.float(), 2 * eps)


def test_layer_norm_accuracy():
    """A large mean does not spoil the variance; many rows do not spoil the parameters' gradients."""
    rng = np.random.default_rng(0)
    x = (rng.standard_normal((300, 5000)) + 100).astype(np.float32)
    wide = x.astype(np.float64)
    t = rushlight.from_numpy(x).requires_grad_()
    w, b = rushlight.ones(5000, requires_grad=True), rushlight.zeros(5000, requires_grad=True)
    y = F.layer_norm(t, (5000,), w, b)
    h = (wide - wide.mean(1, keepdims=True)) / np.sqrt(wide.var(1, keepdims=True) + 1e-5)
    assert np.abs(y.detach().numpy() - h).max() < 2e-5  # the spacing of floats at 100 is 7.6e-6
    g = rng.standard_normal(x.shape).astype(np.float32)
    y.backward(rushlight.from_numpy(g))
    wide_g = g.astype(np.float64)
    assert np.abs(w.grad.numpy() - (wide_g * h).sum(0)).max() < 1e-3
    assert np.abs(b.grad.numpy() - wide_g.sum(0)).max() < 1e-4
    rstd = 1 / np.sqrt(wide.var(1, keepdims=True) + 1e-5)
    dx = rstd * (wide_g - wide_g.mean(1, keepdims=True) - h * (wide_g * h).mean(1, keepdims=True))
    assert np.abs(t.grad.numpy() - dx).max() < 5e-5


def test_sync_batch_norm_says_why():
    with pytest.raises(NotImplementedError, match="processes of a distributed run"):
        nn.SyncBatchNorm(3)
    with pytest.raises(NotImplementedError, match="processes of a distributed run"):
        nn.SyncBatchNorm.convert_sync_batchnorm(nn.BatchNorm1d(3))


def test_old_state():
    """State of a version without num_batches_tracked loads."""
    layer = nn.BatchNorm1d(3)
    state = dict(layer.state_dict())
    del state["num_batches_tracked"]
    layer.load_state_dict(state)


CALLS = [
    lambda t: t.nn.GroupNorm(3, 4),
    lambda t: t.nn.BatchNorm1d(3)(t.zeros(2, 3, 4, 5)),
    lambda t: t.nn.BatchNorm1d(3)(t.zeros(1, 3)),
    lambda t: t.nn.BatchNorm1d(3)(t.zeros(2, 4)),
    lambda t: t.nn.BatchNorm2d(3)(t.zeros(2, 3)),
    lambda t: t.nn.BatchNorm3d(3)(t.zeros(2, 3)),
    lambda t: t.nn.InstanceNorm1d(3)(t.zeros(2, 3, 4, 5)),
    lambda t: t.nn.InstanceNorm2d(3, affine=True)(t.zeros(2, 4, 4, 4)),
    lambda t: t.nn.InstanceNorm1d(3)(t.zeros(2, 3, 1)),
    lambda t: t.nn.functional.local_response_norm(t.zeros(3, 4), 2),
    lambda t: t.nn.functional.batch_norm(t.zeros(3, 4), None, None, training=True, eps=0.0),
    lambda t: t.nn.functional.group_norm(t.zeros(3), 1),
    lambda t: t.nn.Embedding(3, 4, padding_idx=3),
    lambda t: t.nn.Embedding(3, 4, _weight=t.zeros(3, 3)),
    lambda t: t.nn.Embedding.from_pretrained(t.zeros(3)),
    lambda t: t.nn.functional.embedding(t.tensor([3]), t.zeros(3, 2)),
    lambda t: t.nn.functional.embedding(t.tensor([1]), t.zeros(3, 2), padding_idx=-4),
]


@needs_torch
@pytest.mark.parametrize("call", CALLS, ids=range(len(CALLS)))
def test_error(call):
    with pytest.raises(Exception) as theirs:
        call(torch)
    with pytest.raises(type(theirs.value)) as mine:
        call(rushlight)
    assert str(mine.value).replace("rushlight", "torch") == str(theirs.value)


# ---- embedding ----

EMBEDDINGS = [
    {},
    {"padding_idx": 2},
    {"padding_idx": -1},
    {"max_norm": 1.0},
    {"max_norm": 1.5, "norm_type": 1.0},
    {"scale_grad_by_freq": True},
    {"padding_idx": 0, "max_norm": 0.5, "scale_grad_by_freq": True},
]


@needs_torch
@pytest.mark.parametrize("options", EMBEDDINGS, ids=range(len(EMBEDDINGS)))
@pytest.mark.parametrize(
    "index", [[[0, 1, 2, 1], [5, 5, 0, 1]], 3, []], ids=["matrix", "one", "none"]
)
def test_embedding(options, index):
    """Initial values, printing, output, the gradient and the table after renormalisation."""
    rushlight.manual_seed(3)
    torch.manual_seed(3)
    mine, theirs = nn.Embedding(6, 5, **options), torch.nn.Embedding(6, 5, **options)
    assert repr(mine) == repr(theirs)
    close(mine.weight, theirs.weight, 1e-6)
    a = mine(rushlight.tensor(index, dtype=rushlight.int64))
    b = theirs(torch.tensor(index, dtype=torch.int64))
    assert tuple(a.shape) == tuple(b.shape)
    close(a, b, 1e-6)
    a.square().sum().backward()
    b.square().sum().backward()
    close(mine.weight.grad, theirs.weight.grad)
    close(mine.weight, theirs.weight, 1e-6)


def test_pretrained():
    table = rushlight.arange(6.0).reshape(3, 2)
    layer = nn.Embedding.from_pretrained(table)
    assert not layer.weight.requires_grad
    assert layer(rushlight.tensor([2, 0])).tolist() == [[4.0, 5.0], [0.0, 1.0]]
    assert copy.deepcopy(layer)(rushlight.tensor(1)).tolist() == [2.0, 3.0]


def test_sparse_says_why():
    with pytest.raises(NotImplementedError, match="sparse tensor"):
        nn.Embedding(3, 2, sparse=True)(rushlight.tensor([1]))
