"""Losses, activations, dropouts, distances and lazy norms as modules, beside PyTorch's: printing, state, options, warnings."""

import copy
import pickle
import warnings

import numpy as np
import pytest
from nn_cases import CLASSES, SEEDED, SIGNS, VALUED

import rushlight
from rushlight import nn
from rushlight.nn import functional as F

torch = pytest.importorskip("torch", reason="PyTorch is not installed: torch==2.13.0")

def both(make):
    """make(library) for rushlight and PyTorch, warnings aside."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make(rushlight), make(torch)


def numbers(t):
    return np.array(t.detach().tolist())


def close(mine, theirs, tol=1e-5):
    assert mine.shape == theirs.shape
    np.testing.assert_allclose(numbers(mine), numbers(theirs), rtol=tol, atol=tol)


def inputs(t, shapes):
    t.manual_seed(3)
    return [t.tensor(s) if isinstance(s, list) else t.rand(s).requires_grad_() for s in shapes]


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize(("name", "options", "shapes"), VALUED)
def test_loss(name, options, shapes, reduction):
    def make(t):
        given = {k: t.tensor(v) if k == "weight" else v for k, v in options.items()}
        if name not in ("CosineSimilarity", "PairwiseDistance"):
            given["reduction"] = reduction
        t.manual_seed(0)
        loss = getattr(t.nn, name)(**given)
        x = inputs(t, shapes)
        y = loss(*x)
        y.sum().backward()
        return loss, x, y

    (mine, x, y), (theirs, u, v) = both(make)
    assert repr(mine) == repr(theirs)
    assert list(mine.state_dict()) == list(theirs.state_dict())
    assert mine.__constants__ == theirs.__constants__
    assert set(vars(mine)) - set(vars(nn.Module())) == set(vars(theirs)) - set(vars(torch.nn.Module()))
    close(y, v)
    for a, b in zip([*x, *mine.parameters()], [*u, *theirs.parameters()], strict=True):
        assert (a.grad is None) == (b.grad is None)
        if a.grad is not None:
            close(a.grad, b.grad)
    pickle.loads(pickle.dumps(mine))


@pytest.mark.parametrize("size_average", [None, True, False])
@pytest.mark.parametrize("reduce", [None, True, False])
@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("margin_ranking_loss", [(4,), (4,), SIGNS]),
        ("hinge_embedding_loss", [(4,), SIGNS]),
        ("cosine_embedding_loss", [(4, 3), (4, 3), SIGNS]),
        ("triplet_margin_loss", [(4, 3), (4, 3), (4, 3)]),
        ("soft_margin_loss", [(4,), SIGNS]),
        ("multi_margin_loss", [(4, 3), CLASSES]),
        ("multilabel_margin_loss", [(2, 3), [[0, 2, -1], [1, -1, 0]]]),
        ("multilabel_soft_margin_loss", [(4, 3), (4, 3)]),
        ("poisson_nll_loss", [(4,), [0.0, 1.0, 2.0, 5.0]]),
        ("mse_loss", [(4,), (4,)]),
        ("binary_cross_entropy", [(4,), [0.0, 1.0, 0.5, 0.2]]),
        ("nll_loss", [(4, 3), CLASSES]),
        ("kl_div", [(4,), (4,)]),
    ],
)
def test_old_arguments(name, shapes, size_average, reduce):
    """size_average and reduce, and their warning."""

    def make(t):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            y = getattr(t.nn.functional, name)(
                *inputs(t, shapes), size_average=size_average, reduce=reduce
            )
        return y, [str(w.message) for w in caught if "requires_grad" not in str(w.message)]

    (mine, a), (theirs, b) = make(rushlight), make(torch)
    close(mine, theirs)
    assert a == b


@pytest.mark.parametrize(
    "make",
    [
        lambda n: n.TripletMarginLoss(margin=0),
        lambda n: n.TripletMarginWithDistanceLoss(margin=-1),
        lambda n: n.MultiMarginLoss(p=3),
        lambda n: n.MultiMarginLoss(weight=rushlight.ones(1, 1) if n is nn else torch.ones(1, 1)),
        lambda n: n.LinearCrossEntropyLoss(2, 3, label_smoothing=1.5),
        lambda n: n.LinearCrossEntropyOptions(acc_policy="x"),
        lambda n: n.LinearCrossEntropyOptions(chunking_method="x"),
        lambda n: n.LinearCrossEntropyOptions(chunking_method="aspect_ratio:0"),
        lambda n: n.LinearCrossEntropyOptions(batch_chunk_size=0),
        lambda n: n.LinearCrossEntropyOptions(acc_dtype=3),
        lambda n: n.LinearCrossEntropyOptions(batch_chunk_size=7, chunking_method="aspect_ratio:2")._adjust(64, 4, 16, None),
        lambda n: n.AdaptiveLogSoftmaxWithLoss(4, 10, []),
        lambda n: n.AdaptiveLogSoftmaxWithLoss(4, 10, [3, 2]),
        lambda n: n.AdaptiveLogSoftmaxWithLoss(4, 10, [3, 10]),
        lambda n: n.Dropout2d(2),
        lambda n: n.GaussianNLLLoss(True),
    ],
)  # fmt: skip
def test_constructor_errors(make):
    errors = []
    for n in (nn, torch.nn):
        with pytest.raises(Exception) as info:  # noqa: PT011 - which one is compared below
            make(n)
        errors.append((info.type, str(info.value)))
    assert errors[0] == errors[1]


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("weight", [None, [0.1, 0.2, 0.3, 0.4, 0.5]])
def test_linear_cross_entropy_in_chunks(reduction, weight):
    """The same values and gradients as in one piece; ignored classes do not count."""
    rushlight.manual_seed(0)
    f64 = rushlight.float64  # few rows are added up in another order than many
    x = rushlight.rand(9, 4, dtype=f64, requires_grad=True)
    w = rushlight.rand(5, 4, dtype=f64, requires_grad=True)
    target = rushlight.tensor([0, 1, 2, 3, 4, 0, -100, 2, 1])
    weight = None if weight is None else rushlight.tensor(weight, dtype=f64)
    options = nn.LinearCrossEntropyOptions(batch_chunk_size=2)
    results = []
    for given in (None, options):
        y = F.linear_cross_entropy(x, w, target, weight=weight, reduction=reduction, options=given)
        results.append([y, *rushlight.autograd.grad(y.square().sum(), [x, w])])
    for a, b in zip(*results, strict=True):
        close(a, b, 1e-13)
    with pytest.warns(UserWarning, match="``options`` ignored"):
        F.linear_cross_entropy(x, w, target, label_smoothing=0.1, options=options)
    assert repr(options) == repr(torch.nn.LinearCrossEntropyOptions(batch_chunk_size=2))


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("cutoffs", [[2], [3, 7], [1, 2, 9]])
def test_adaptive(cutoffs, bias):
    """Initial values, output, loss, gradients, log_prob and predict."""

    def make(t):
        t.manual_seed(0)
        m = t.nn.AdaptiveLogSoftmaxWithLoss(8, 12, cutoffs, div_value=2.0, head_bias=bias)
        x = (t.rand(20, 8) * 4 - 2).requires_grad_()
        result = m(x, t.arange(20) % 12)
        (result.loss * 2 + result.output.sum()).backward()
        return m, x, result

    (mine, x, a), (theirs, u, b) = both(make)
    assert repr(mine) == repr(theirs) and list(mine.state_dict()) == list(theirs.state_dict())
    assert type(a)._fields == type(b)._fields
    close(a.output, b.output)
    close(a.loss, b.loss)
    for p, q in zip([x, *mine.parameters()], [u, *theirs.parameters()], strict=True):
        close(p, q, 0)
        close(p.grad, q.grad)
    close(mine.log_prob(x), theirs.log_prob(u))
    assert mine.predict(x).tolist() == theirs.predict(u).tolist()
    one, other = both(lambda t: (mine if t is rushlight else theirs)(t.ones(8), t.tensor(5)))
    close(one.output, other.output)
    for shape, target in (((3, 8), [1, 2]), ((8,), [1]), ((2, 8), 1), ((2, 8), [[1]]), ((2, 8), [1, 12])):
        errors = []
        for t, m in ((rushlight, mine), (torch, theirs)):
            with pytest.raises(RuntimeError) as info:
                m(t.ones(shape), t.tensor(target))
            errors.append(str(info.value))
        assert errors[0] == errors[1]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("i", range(len(SEEDED)))
def test_activation(i, training):
    """Training and eval, the same random numbers, the gradient."""

    def make(t):
        m = SEEDED[i](t.nn).train(training)
        t.manual_seed(5)
        shape = (3, 4, 5) if "1d" in repr(m) or "2d" in repr(m) else (2, 3, 4, 5)
        x = (t.rand(shape) * 4 - 2).requires_grad_()
        y = m(x * 1)
        (y * t.rand(y.shape)).sum().backward()
        return m, x, y

    (mine, x, y), (theirs, u, v) = both(make)
    assert repr(mine) == repr(theirs)
    assert mine.__constants__ == theirs.__constants__
    close(y, v, 1e-6)
    close(x.grad, u.grad, 1e-6)


def test_in_place_functions():
    """The spellings with an underscore and inplace=True write into their input."""
    for t in (rushlight, torch):
        f = t.nn.functional
        for call in (f.rrelu_, lambda x: f.rrelu(x, inplace=True), lambda x: f.alpha_dropout(x, 0.5, True, True)):
            x = t.ones(2, 3)
            assert call(x) is x
    x = rushlight.ones(4, 3)
    assert F.dropout1d(x, 0.5, True, True).shape == (4, 3) and x.shape == (4, 3)


def test_dropout_warnings():
    for name, shapes in (("dropout2d", [(2, 3), (2, 3, 4), (2, 2, 2, 2, 2)]), ("dropout3d", [(2, 3), (2, 3, 4)])):
        for shape in shapes:
            texts = []
            for t in (rushlight, torch):
                with warnings.catch_warnings(record=True) as caught:
                    warnings.simplefilter("always")
                    getattr(t.nn.functional, name)(t.ones(shape))
                texts.append([str(w.message) for w in caught])
            assert texts[0] == texts[1] and texts[0]


LAZY = [
    (f"Lazy{kind}{d}d", kind == "Batch" or "Norm" in kind, d)
    for kind in ("BatchNorm", "InstanceNorm")
    for d in (1, 2, 3)
]


@pytest.mark.parametrize("options", [{}, {"affine": False}, {"track_running_stats": False}, {"bias": False}])
@pytest.mark.parametrize(("name", "_", "d"), LAZY)
def test_lazy_norm(name, _, d, options):
    """What it says before and after, what it becomes, loading state into it."""

    def make(t):
        m = getattr(t.nn, name)(**options)
        texts = [repr(m), list(m.state_dict()), type(m).__name__]
        t.manual_seed(1)
        y = m(t.rand((2, 3, *(3, 4, 5)[:d])))
        texts += [repr(m), list(m.state_dict()), type(m).__name__]
        return m, y, texts

    (mine, y, a), (theirs, v, b) = both(make)
    assert a == b
    close(y, v)
    for key, value in theirs.state_dict().items():
        close(mine.state_dict()[key], value, 1e-6)
    for buffer in mine.buffers():
        assert type(buffer) is rushlight.Tensor
    fresh = getattr(nn, name)(**options)
    fresh.load_state_dict(mine.state_dict())
    if fresh.running_mean is not None:
        assert fresh.running_mean.tolist() == mine.running_mean.tolist()
    with pytest.raises(ValueError, match="expected"):
        getattr(nn, name)()(rushlight.ones(2, 3, 4, 4, 4, 4))
    copy.deepcopy(mine)


def test_uninitialized_buffer():
    """materialize() makes an ordinary tensor of it, in place."""
    b = nn.UninitializedBuffer(dtype=rushlight.float64)
    assert repr(b) == "<UninitializedBuffer>"
    with pytest.raises(RuntimeError, match="Can't access the shape"):
        _ = b.shape
    assert b.double().dtype == rushlight.float64 and b.size() == (0,)
    for use in (lambda x: x + 1, lambda x: x.sum(), rushlight.sum):
        for x in (b, nn.UninitializedParameter()):
            with pytest.raises(ValueError, match="Attempted to use an uninitialized parameter in"):
                use(x)
    b.materialize((2, 3))
    assert type(b) is rushlight.Tensor and b.shape == (2, 3) and b.dtype == rushlight.float64
    b.fill_(2)
    assert b.sum().item() == 12 and isinstance(b, nn.Buffer)
    with pytest.raises(TypeError):
        b.__class__ = int


def test_cross_map_lrn():
    """Forward as PyTorch's running sum; the gradient is its derivative."""
    for size, channels in ((1, 3), (3, 3), (5, 8), (4, 6), (3, 1), (5, 2)):
        x = torch.rand(2, channels, 3, 2, dtype=torch.float64)
        mine = nn.CrossMapLRN2d(size, 0.3, 0.6, 1.5)
        theirs = torch.nn.CrossMapLRN2d(size, 0.3, 0.6, 1.5)
        assert repr(mine) == repr(theirs)
        y = rushlight.tensor(x.tolist(), dtype=rushlight.float64).requires_grad_()
        close(mine(y), theirs(x), 1e-12)
        assert rushlight.autograd.gradcheck(mine, (y,))
    with pytest.raises(ValueError, match="Expected input to be 4D, got 3D instead"):
        mine(rushlight.ones(2, 3, 4))


def test_sync_batch_norm():
    with pytest.raises(NotImplementedError, match="processes of a distributed run"):
        nn.SyncBatchNorm(3)
    with pytest.raises(NotImplementedError, match="processes of a distributed run"):
        nn.SyncBatchNorm.convert_sync_batchnorm(nn.BatchNorm1d(3))


def test_container():
    with pytest.warns(FutureWarning, match="`nn.Container` is deprecated"):
        c = nn.Container(a=nn.ReLU())
    with pytest.warns(FutureWarning):
        assert repr(c) == repr(torch.nn.Container(a=torch.nn.ReLU()))


def test_ctc_module():
    mine, theirs = nn.CTCLoss(2, "sum", True), torch.nn.CTCLoss(2, "sum", True)
    assert repr(mine) == repr(theirs) and mine.__constants__ == theirs.__constants__
    assert (mine.blank, mine.reduction, mine.zero_infinity) == (2, "sum", True)
    x = torch.rand(7, 4, dtype=torch.float64).log_softmax(-1)
    y = rushlight.tensor(x.tolist(), dtype=rushlight.float64)
    lengths = torch.tensor(7), torch.tensor(3)
    close(
        mine(y, rushlight.tensor([0, 1, 1]), rushlight.tensor(7), rushlight.tensor(3)),
        theirs(x, torch.tensor([0, 1, 1]), *lengths),
        1e-13,
    )


def test_ctc_long():
    """Six hundred steps of float32: within float32's rounding of PyTorch's float64, by any number of threads."""
    torch.manual_seed(0)
    x = (torch.randn(600, 3, 20) * 3).double().requires_grad_()
    labels = torch.randint(1, 20, (3, 90))
    lengths = (600, 450, 599), (90, 88, 1)
    b = torch.nn.functional.ctc_loss(x.log_softmax(-1), labels, *lengths, reduction="none")
    b.sum().backward()
    before = rushlight.get_num_threads()
    results = []
    try:
        for threads in (1, 2):
            rushlight.set_num_threads(threads)
            y = rushlight.tensor(x.tolist()).requires_grad_()
            a = F.ctc_loss(
                y.log_softmax(-1), rushlight.tensor(labels.tolist()), *lengths, reduction="none"
            )
            a.sum().backward()
            results.append((a.tolist(), y.grad.tolist()))
    finally:
        rushlight.set_num_threads(before)
    assert results[0] == results[1]
    close(a, b, 1e-6)
    np.testing.assert_allclose(numbers(y.grad), numbers(x.grad), atol=2e-5)


def test_ctc_edges():
    x = rushlight.rand(5, 1, 3, requires_grad=True)
    loss = F.ctc_loss(x.log_softmax(-1), rushlight.tensor([[1]]), (5,), (1,))
    (g,) = rushlight.autograd.grad(loss, x, create_graph=True)
    with pytest.raises(RuntimeError, match="_ctc_loss_backward is not implemented"):
        g.sum().backward()
    with pytest.raises(RuntimeError, match=r"target 3 is not in \[0, 3\)"):
        F.ctc_loss(x, rushlight.tensor([[3]]), (5,), (1,))
    with pytest.raises(RuntimeError, match="targets must be int64 or int32, not float32"):
        F.ctc_loss(x, rushlight.tensor([[1.0]]), (5,), (1,))
    # A label that a step makes impossible has no gradient there, rather than nan.
    p = rushlight.tensor([[[0.5, 0.5]], [[1.0, 0.0]]]).log().requires_grad_()
    loss = F.ctc_loss(p, rushlight.tensor([[1]]), (2,), (1,), reduction="sum")
    assert loss.item() == pytest.approx(np.log(2), rel=1e-6)
    loss.backward()
    np.testing.assert_allclose(numbers(p.grad)[:, 0], [[0.5, -0.5], [0, 0]], atol=1e-6)


def test_every_allocation_may_fail():
    """Whatever request for memory fails, forward or backward: an exception, nothing left behind."""
    x = rushlight.rand(6, 2, 4).requires_grad_()
    w, samples = rushlight.rand(5, 3).requires_grad_(), rushlight.rand(4).requires_grad_()
    index, offsets = rushlight.tensor([0, 1, 1, 4]), rushlight.tensor([0, 2])
    labels = rushlight.tensor([[1, 2], [3, 3]])

    def bag(mode, samples=None, padding=None):
        return rushlight.embedding_bag(
            w, index, offsets, False, mode, False, samples, False, padding
        )[0]

    calls = [
        lambda: rushlight._C._nn.ctc_loss(x, labels, (6, 5), (2, 2)),
        lambda: rushlight._C._nn.glu(x),
        lambda: rushlight.feature_alpha_dropout(x, 0.5, True),
        lambda: bag(0, samples, 1),
        lambda: bag(1, None, 0),
        lambda: bag(2),
    ]
    inputs = [x, w, samples]
    for call in calls:

        def run(call=call):
            return rushlight.autograd.grad(call().sum(), inputs, allow_unused=True)

        run()
        live = rushlight._C._alloc_live()
        for n in range(1, 200):
            rushlight._C._alloc_fail_after(n)
            try:
                run()
            except RuntimeError:
                continue
            else:
                break
            finally:
                rushlight._C._alloc_fail_after(0)
        else:
            pytest.fail("still failing after 200 requests")
        assert n > 5
        assert rushlight._C._alloc_live() <= live


def test_homes():
    """torch.nn.modules' files know the layers that PyTorch keeps there, wherever they stand here."""
    for file in ("loss", "dropout", "sparse", "distance", "adaptive", "batchnorm", "instancenorm"):
        theirs = getattr(torch.nn.modules, file)
        mine = getattr(nn.modules, file)
        for name in theirs.__all__:
            assert getattr(mine, name) is getattr(nn, name)
    with pytest.raises(AttributeError, match="has no attribute 'NoLoss'"):
        nn.modules.loss.NoLoss  # noqa: B018
