"""Optimizers and schedules: trajectories, state and state_dicts equal to PyTorch's."""

import copy
import pickle

import numpy as np
import pytest
from nn_cases import BAD, CASES, SCHEDULES, SHAPES, outcome

import rushlight
from rushlight import optim

try:
    import torch
except ImportError:
    torch = None

needs_torch = pytest.mark.skipif(torch is None, reason="PyTorch is not installed: torch==2.13.0")

IDS = [f"{name}-{'-'.join(map(str, options.items()))}" for name, options in CASES]
ULPS = 8  # PyTorch's vector and tail loops differ among themselves by a few


def ours(t):
    """A PyTorch tensor as one of ours, with memory of its own."""
    return rushlight.from_numpy(t.detach().numpy().copy())


def params(seed=0, dtype=None):
    """The same parameters for both: (PyTorch's, ours)."""
    torch.manual_seed(seed)
    theirs = [torch.nn.Parameter(torch.randn(s, dtype=dtype)) for s in SHAPES]
    return theirs, [rushlight.nn.Parameter(ours(p)) for p in theirs]


def set_grads(theirs, mine, step):
    torch.manual_seed(1000 + step)
    for p, q in zip(theirs, mine, strict=True):
        p.grad = torch.randn(p.shape, dtype=p.dtype)
        q.grad = ours(p.grad)


def assert_close(mine, theirs, what="", steps=1):
    expected = theirs.detach()
    eps = torch.finfo(expected.dtype).eps
    got = torch.from_numpy(mine.detach().numpy().copy())
    assert got.shape == expected.shape and got.dtype == expected.dtype, what
    torch.testing.assert_close(
        got,
        expected,
        rtol=ULPS * steps * eps,
        atol=ULPS * steps * eps,
        msg=lambda m: f"{what}: {m}",
    )


@needs_torch
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_trajectory(name, options, dtype):
    theirs, mine = params(dtype=getattr(torch, dtype))
    a = getattr(torch.optim, name)(theirs, **options)
    b = getattr(optim, name)(mine, **options)
    assert repr(b) == repr(a)
    for step in range(20):
        set_grads(theirs, mine, step)
        a.step()
        b.step()
        for p, q in zip(theirs, mine, strict=True):
            assert_close(q, p, f"step {step}", step + 1)
    for p, q in zip(theirs, mine, strict=True):
        assert list(b.state[q]) == list(a.state[p])
        for key, value in a.state[p].items():
            assert_close(b.state[q][key], value, key, 20)


@needs_torch
@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_state_dict_exchange(name, options):
    """Ours goes on where PyTorch's stopped."""
    theirs, mine = params()
    a = getattr(torch.optim, name)(theirs, **options)
    for step in range(3):
        set_grads(theirs, mine, step)
        a.step()
    saved = a.state_dict()
    state = {
        i: {k: ours(v) if isinstance(v, torch.Tensor) else v for k, v in s.items()}
        for i, s in saved["state"].items()
    }
    mine = [rushlight.nn.Parameter(ours(p)) for p in theirs]
    b = getattr(optim, name)(mine)
    b.load_state_dict({"state": state, "param_groups": saved["param_groups"]})
    assert repr(b) == repr(a)
    for step in range(3, 6):
        set_grads(theirs, mine, step)
        a.step()
        b.step()
        for p, q in zip(theirs, mine, strict=True):
            assert_close(q, p, f"step {step}", step + 1)
    again = b.state_dict()
    assert again["param_groups"] == a.state_dict()["param_groups"]
    assert [list(s) for s in again["state"].values()] == [
        list(s) for s in a.state_dict()["state"].values()
    ]


RECORDED = [c for c in CASES if c[0] != "Adafactor" and not c[1].get("fused")]


@needs_torch
@pytest.mark.parametrize(
    ("name", "options"), RECORDED, ids=[i for c, i in zip(CASES, IDS, strict=True) if c in RECORDED]
)
def test_differentiable(name, options):
    """Steps that autograd records go the same way."""
    options = {k: v for k, v in options.items() if k != "foreach"}
    theirs, mine = params(dtype=torch.float64)
    mine = [q.clone() for q in mine]
    a = getattr(torch.optim, name)(theirs, **options)
    b = getattr(optim, name)(mine, differentiable=True, **options)
    for step in range(6):
        set_grads(theirs, mine, step)
        a.step()
        b.step()
    for p, q in zip(theirs, mine, strict=True):
        assert_close(q, p, name, 20)
        assert q.grad_fn is not None and list(b.state[q]) == list(a.state[p])
    leaf = rushlight.nn.Parameter(rushlight.ones(2))
    leaf.grad = rushlight.ones(2)
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        getattr(optim, name)([leaf], differentiable=True, **options).step()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("Adam", {"amsgrad": True}),
        ("RMSprop", {"centered": True, "momentum": 0.5}),
        ("Adamax", {}),
        ("Rprop", {}),
    ],
)
def test_derivative_of_steps(name, options):
    """Against numerical derivatives, where PyTorch's own differentiable=True fails."""

    def walk(start, *grads):
        p = start.clone()
        opt = getattr(optim, name)([p], lr=0.1, differentiable=True, **options)
        for g in grads:
            p.grad = g
            opt.step()
        return p

    rushlight.manual_seed(0)
    inputs = [rushlight.rand(4, dtype=rushlight.float64) + 0.5 for _ in range(3)]
    assert rushlight.autograd.gradcheck(walk, [x.requires_grad_() for x in inputs])


def test_sparse_adam_says_why():
    with pytest.raises(NotImplementedError, match="no sparse tensors"):
        optim.SparseAdam([rushlight.nn.Parameter(rushlight.ones(2))])


@needs_torch
@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_layouts(name):
    """Gradients and parameters whose memory runs in another order, or is half precision."""
    torch.manual_seed(3)
    start, grads = torch.randn(6, 4), [torch.randn(6, 4) for _ in range(3)]
    options = {"lr": 0.1, "weight_decay": 0.1} | ({"momentum": 0.9} if name == "SGD" else {})
    p = torch.nn.Parameter(start.clone())
    a = getattr(torch.optim, name)([p], **options)
    forms = [
        (ours(start), lambda g: ours(g.t().contiguous()).t()),
        (ours(start.t().contiguous()).t(), ours),
        (rushlight.zeros(6, 8)[:, ::2].copy_(ours(start)), ours),
        (ours(start), lambda g: ours(g[:, :1]).expand(6, 4) * 0 + ours(g)),
    ]
    qs = [rushlight.nn.Parameter(t) for t, _ in forms]
    bs = [getattr(optim, name)([q], **options) for q in qs]
    for g in grads:
        p.grad = g.clone()
        a.step()
        for (_, form), q, b in zip(forms, qs, bs, strict=True):
            q.grad = form(g)
            b.step()
            assert_close(q, p, str(q.stride()), 3)


@needs_torch
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision(dtype):
    """Computed in float32, rounded once: as close as the dtype allows."""
    torch.manual_seed(4)
    start, grad = torch.randn(33), torch.randn(33)
    p = torch.nn.Parameter(start.to(getattr(torch, dtype)))
    q = rushlight.nn.Parameter(ours(p.detach().float()).to(getattr(rushlight, dtype)))
    p.grad = grad.to(p.dtype)
    q.grad = ours(p.grad.float()).to(q.dtype)
    torch.optim.SGD([p], lr=0.1).step()
    optim.SGD([q], lr=0.1).step()
    got = torch.from_numpy(q.detach().float().numpy())
    torch.testing.assert_close(got, p.detach().float(), rtol=2 * torch.finfo(p.dtype).eps, atol=0)


# A block of rows and more, a stretch of a vector and more; matrices in batches, large ones and tiny ones.
FACTORED = [(5000,), (200, 300), (2, 3, 100, 7), (64, 32, 3, 3), (3, 5000), (300, 1), (4, 2, 1), (2, 70, 65)]


@needs_torch
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("options", [{}, {"lr": 0.3, "weight_decay": 0.1, "maximize": True, "eps": (1e-2, 0.1)}])
def test_adafactor_of_many_rows(dtype, options):
    torch.manual_seed(5)
    theirs = [torch.nn.Parameter(torch.randn(s, dtype=getattr(torch, dtype))) for s in FACTORED]
    mine = [rushlight.nn.Parameter(ours(p)) for p in theirs]
    a, b = torch.optim.Adafactor(theirs, **options), optim.Adafactor(mine, **options)
    for step in range(3):
        set_grads(theirs, mine, step)
        a.step()
        b.step()
    for p, q in zip(theirs, mine, strict=True):
        assert_close(q, p, str(p.shape), 20)
        for key, value in a.state[p].items():
            assert_close(b.state[q][key], value, key, 20)


@needs_torch
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_adafactor_in_half_precision(dtype):
    torch.manual_seed(4)
    start, grad = torch.rand(7, 9) + 1, torch.randn(7, 9)
    p = torch.nn.Parameter(start.to(getattr(torch, dtype)))
    q = rushlight.nn.Parameter(ours(p.detach().float()).to(getattr(rushlight, dtype)))
    p.grad = grad.to(p.dtype)
    q.grad = ours(p.grad.float()).to(q.dtype)
    a, b = torch.optim.Adafactor([p], lr=0.1), optim.Adafactor([q], lr=0.1)
    a.step()
    b.step()
    close = {"rtol": 4 * torch.finfo(p.dtype).eps, "atol": 0}
    torch.testing.assert_close(torch.from_numpy(q.detach().float().numpy()), p.detach().float(), **close)
    for key, value in a.state[p].items():
        assert str(b.state[q][key].dtype).split(".")[1] == str(value.dtype).split(".")[1]
        torch.testing.assert_close(torch.from_numpy(b.state[q][key].float().numpy()), value.float(), **close)


@needs_torch
@pytest.mark.parametrize("shape", [(64, 64), (33, 70), (70, 33), (1, 5), (5, 1), (400, 410)])
def test_muon_makes_orthogonal(shape):
    """As close to PyTorch's update as bfloat16 allows, and near orthogonality."""
    torch.manual_seed(6)
    p = torch.nn.Parameter(torch.zeros(shape))
    q = rushlight.nn.Parameter(rushlight.zeros(shape))
    p.grad = torch.randn(shape)
    q.grad = ours(p.grad)
    torch.optim.Muon([p], lr=1.0, adjust_lr_fn="match_rms_adamw").step()
    optim.Muon([q], lr=1.0, adjust_lr_fn="match_rms_adamw").step()
    got = torch.from_numpy(q.detach().numpy().copy())
    assert (got - p.detach()).norm() <= 0.01 * p.detach().norm()
    values = torch.linalg.svdvals(got) / (0.2 * max(shape) ** 0.5)
    assert 0.6 < values.median() and values.max() < 1.3  # the least of a square matrix may stay small


def test_muon_of_mixed_matrices():
    """A step of several at once is that of each alone; one without gradient, or without elements, stays."""
    rushlight.manual_seed(0)
    start = [rushlight.randn(*s) for s in ((4, 6), (20, 3), (0, 3), (5, 5))]
    grads = [rushlight.randn(*t.shape) for t in start[:3]] + [None]
    together = [rushlight.nn.Parameter(t.clone()) for t in start]
    for p, g in zip(together, grads, strict=True):
        p.grad = g
    optim.Muon(together, lr=0.1).step()
    for p, t, g in zip(together, start, grads, strict=True):
        alone = rushlight.nn.Parameter(t.clone())
        alone.grad = g
        optim.Muon([alone], lr=0.1).step()
        assert alone.tolist() == p.tolist()
    assert together[3].tolist() == start[3].tolist()


@pytest.mark.parametrize("name", ["Adafactor", "Muon"])
def test_matrices_in_any_layout(name):
    """Memory in another order or of half precision gives the numbers of row-major memory."""
    rushlight.manual_seed(0)
    start, grads = rushlight.randn(6, 4), [rushlight.randn(6, 4) for _ in range(3)]
    forms = [
        (start.clone(), lambda g: g),
        (start.clone(), lambda g: g.t().contiguous().t()),
        (start.t().contiguous().t(), lambda g: g),
        (rushlight.zeros(6, 8)[:, ::2].copy_(start), lambda g: g),
    ]
    results = []
    for t, form in forms:
        p = rushlight.nn.Parameter(t)
        opt = getattr(optim, name)([p], lr=0.1, weight_decay=0.1)
        for g in grads:
            p.grad = form(g)
            version = p._version
            opt.step()
            assert p._version == version + 1
        results.append(p.tolist())
    assert results[1:] == results[:1] * 3


def two_loops(g, changes, steps, h):
    """Nocedal, Wright, algorithm 7.4, in NumPy."""
    q, al = -g, []
    for y, s in zip(changes[::-1], steps[::-1], strict=True):
        al.append(s.dot(q) / y.dot(s))
        q = q - al[-1] * y
    q = q * h
    for y, s, a in zip(changes, steps, al[::-1], strict=True):
        q = q + s * (a - y.dot(q) / y.dot(s))
    return q, al[::-1]


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize(("n", "k"), [(1, 1), (5, 0), (100, 3), (40_001, 7)])
def test_lbfgs_direction(dtype, n, k):
    """Whole stretches and parts of them; half precision is rounded at the end."""
    random = np.random.default_rng(n)
    vectors = [random.standard_normal((k, n)), random.standard_normal(n)]
    vectors = [rushlight.tensor(v).to(getattr(rushlight, dtype)) for v in vectors]
    steps, g = vectors
    changes = steps * 2 + 0.25
    y, s = changes.double().numpy(), steps.double().numpy()
    ro = [1 / rushlight.tensor(a.dot(b)) for a, b in zip(y, s, strict=True)]
    d, al = rushlight._C._lbfgs_direction(g, list(changes), list(steps), ro, 0.75)
    expected, coefficients = two_loops(g.double().numpy(), y, s, 0.75)
    assert d.dtype == g.dtype and all(a.dtype == g.dtype and a.dim() == 0 for a in al)
    close = {"float32": 2e-5, "float64": 1e-13, "bfloat16": 0.05}[dtype]
    np.testing.assert_allclose(d.double().numpy(), expected, rtol=close, atol=close)
    np.testing.assert_allclose([a.item() for a in al], coefficients, rtol=close, atol=close)


@needs_torch
@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_lbfgs_of_parameters_in_any_layout(search):
    """Transposed, every second one, of another dtype, without gradient; PyTorch's views need row-major gradients."""

    def run(ns):
        ns.manual_seed(0)
        params = [
            ns.nn.Parameter(ns.rand(6, 4).t() + 1),
            ns.nn.Parameter(ns.rand(5, 8)[:, ::2]),
            ns.nn.Parameter(ns.rand(3).double()),
            ns.nn.Parameter(ns.ones(2)),
        ]
        opt = ns.optim.LBFGS(params, lr=0.5, max_iter=6, history_size=3, line_search_fn=search)

        def closure():
            opt.zero_grad()
            loss = sum(((p.double() - i) ** 2 * (i + 1)).sum() + (p.double() ** 4).sum() for i, p in enumerate(params[:3]))
            loss.backward()
            for p in params[:3]:
                p.grad = p.grad.contiguous()
            return loss

        losses = [opt.step(closure).item() for _ in range(3)]
        return losses, [p.tolist() for p in params], [tuple(p.stride()) for p in params]

    (losses, params, strides), (theirs, their_params, their_strides) = run(rushlight), run(torch)
    assert strides == their_strides and losses == pytest.approx(theirs, rel=1e-5)
    for p, q in zip(params, their_params, strict=True):
        np.testing.assert_allclose(p, q, rtol=1e-4, atol=1e-5)


PAIRS = [c for c in CASES if c[0] != "Adafactor" and not c[1].get("fused")]


@needs_torch
@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize(
    ("name", "options"), PAIRS, ids=[i for c, i in zip(CASES, IDS, strict=True) if c in PAIRS]
)
def test_complex_parameters(name, options, dtype):
    """Pairs of reals, in any layout."""
    torch.manual_seed(7)
    theirs = [torch.nn.Parameter(torch.randn(s, dtype=getattr(torch, dtype))) for s in [(4, 3), (), (5,)]]
    mine = [rushlight.nn.Parameter(ours(p)) for p in theirs]
    mine[0] = rushlight.nn.Parameter(ours(theirs[0].t().contiguous()).t())
    recorded = [q.detach().clone() for q in mine]
    plain = {k: v for k, v in options.items() if k != "foreach"}
    c = getattr(optim, name)(recorded, differentiable=True, **plain)
    a, b = getattr(torch.optim, name)(theirs, **options), getattr(optim, name)(mine, **options)
    for step in range(4):
        set_grads(theirs, mine, step)
        for q, r in zip(mine, recorded, strict=True):
            r.grad = q.grad
        a.step()
        b.step()
        c.step()
    eps = torch.finfo(theirs[0].dtype).eps
    for p, q, r in zip(theirs, mine, recorded, strict=True):
        pairs = [(p.detach(), q.detach()), (p.detach(), r.detach()), *((v, b.state[q][k]) for k, v in a.state[p].items())]
        assert list(b.state[q]) == list(a.state[p])
        for x, y in pairs:
            got = torch.from_numpy(y.numpy().copy())
            torch.testing.assert_close(got, x, rtol=32 * eps, atol=32 * eps)


def test_kinds_must_agree():
    """A complex gradient of a real parameter, or a real state of a complex one, is an error."""
    real, pair = (rushlight.nn.Parameter(rushlight.ones(2, dtype=getattr(rushlight, d))) for d in ("float32", "complex64"))
    pair.grad = rushlight.ones(2, dtype=rushlight.complex64)
    opt = optim.SGD([real, pair], momentum=0.9)
    opt.state[pair]["momentum_buffer"] = rushlight.ones(2)
    with pytest.raises(RuntimeError, match="state of dtype float32 for a parameter of dtype complex64"):
        opt.step()
    assert pair.tolist() == [1, 1] and real.tolist() == [1, 1]


@needs_torch
def test_lbfgs_takes_lr_as_a_tensor():
    """It is kept as t, so that a schedule that writes to it changes the length remembered, as in PyTorch."""

    def run(ns):
        p = ns.nn.Parameter(ns.tensor([1.0, -2.0], dtype=ns.float64))
        opt = ns.optim.LBFGS([p], lr=ns.tensor([0.1], dtype=ns.float64), max_iter=3)
        schedule = ns.optim.lr_scheduler.ExponentialLR(opt, 0.5)
        weight = ns.tensor([1.0, 3.0], dtype=ns.float64)

        def closure():
            opt.zero_grad()
            loss = (weight * p**2 + p).sum()
            loss.backward()
            return loss

        for _ in range(3):
            opt.step(closure)
            schedule.step()
        t = opt.state[p]["t"]
        opt.add_param_group({"params": [ns.nn.Parameter(ns.ones(1))]})
        with pytest.raises(AssertionError, match="Expected exactly one param_group, but got 2"):
            opt.step(closure)
        return [*p.tolist(), t.item(), t.dim()]

    assert run(rushlight) == pytest.approx(run(torch), rel=1e-12)


def test_failed_moves_of_lbfgs():
    p, q = rushlight.nn.Parameter(rushlight.ones(3)), rushlight.ones(2, dtype=rushlight.int64)
    for vector, params, message in (
        (rushlight.ones(4), [p], "a vector of shape"),
        (rushlight.ones(5), [p, q], "not int64"),
        (rushlight.ones(3, dtype=rushlight.int64), [p], "a vector of shape"),
    ):
        for by in ([0.5], []):
            with pytest.raises(RuntimeError, match=message):
                rushlight._C._lbfgs_move(params, vector, *by)
    assert p.tolist() == [1, 1, 1] and p._version == 0
    with pytest.raises(RuntimeError, match="a history of shape"):
        rushlight._C._lbfgs_direction(rushlight.ones(3), [rushlight.ones(2)], [rushlight.ones(3)], [1.0], 1)
    with pytest.raises(ValueError, match="differ in length"):
        rushlight._C._lbfgs_direction(rushlight.ones(3), [rushlight.ones(3)], [rushlight.ones(3)], [], 1)


def test_failed_steps_of_matrices():
    """An error leaves parameters and states as they were."""
    for name, bad, message in (
        ("Adafactor", {"eps": 3}, "sequence"),
        ("Adafactor", {"eps": (1, 2, 3)}, "pair"),
        ("Muon", {"ns_coefficients": (1, 2)}, "exactly 3 values"),
        ("Muon", {"ns_steps": 100}, "less than 100"),
    ):
        p = rushlight.nn.Parameter(rushlight.ones(2, 2))
        p.grad = rushlight.ones(2, 2)
        opt = getattr(optim, name)([p])
        opt.param_groups[0].update(bad)
        with pytest.raises((ValueError, TypeError), match=message):
            opt.step()
        assert p.tolist() == [[1, 1], [1, 1]] and not opt.state[p]
    for name in ("Adafactor", "Muon"):
        p = rushlight.nn.Parameter(rushlight.ones(2, 2))
        q = rushlight.nn.Parameter(rushlight.ones(2, 2, dtype=rushlight.complex64))
        p.grad, q.grad = rushlight.ones(2, 2), rushlight.ones(2, 2, dtype=rushlight.complex64)
        with pytest.raises(RuntimeError, match=f"{name} does not support complex parameters"):
            getattr(optim, name)([p, q]).step()
        assert p.tolist() == [[1, 1], [1, 1]]


def test_version_and_graph():
    q = rushlight.nn.Parameter(rushlight.ones(3))
    q.grad = rushlight.ones(3)
    before = q._version
    optim.SGD([q], lr=0.5).step()
    assert q._version == before + 1 and q.is_leaf and q.requires_grad
    assert q.tolist() == [0.5] * 3


@needs_torch
def test_zero_grad():
    _, mine = params()
    opt = optim.SGD(mine, lr=0.1)
    for q in mine[:2]:
        q.grad = rushlight.ones(q.shape)
    kept = mine[0].grad
    opt.zero_grad(set_to_none=False)
    assert mine[0].grad is kept and kept.abs().sum().item() == 0 and mine[2].grad is None
    opt.zero_grad()
    assert all(q.grad is None for q in mine)


def test_closure_and_hooks():
    q = rushlight.nn.Parameter(rushlight.ones(2))
    opt = optim.SGD([q], lr=0.5)
    log = []
    opt.register_step_pre_hook(lambda *a: log.append("pre"))
    handle = opt.register_step_post_hook(lambda *a: log.append("post"))

    def closure():
        log.append("closure")
        opt.zero_grad()
        loss = (q * q).sum()
        loss.backward()
        return loss

    assert opt.step(closure).item() == 2.0
    assert log == ["pre", "closure", "post"] and q.tolist() == [0.0, 0.0]
    handle.remove()
    opt.step()
    assert log[3:] == ["pre"]


class Half(optim.Optimizer):
    """An optimizer of the user's own, written in Python."""

    def __init__(self, params, lr=optim.optimizer.required):
        super().__init__(params, {"lr": lr})

    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p]["calls"] = self.state[p].get("calls", 0) + 1


def test_own_optimizer():
    q = rushlight.nn.Parameter(rushlight.ones(2))
    with pytest.raises(ValueError, match="required optimization parameter lr"):
        Half([q])
    opt = Half([q], lr=1)
    log = []
    opt.register_step_post_hook(lambda *a: log.append(1))
    opt.step()
    opt.step()
    assert opt.state[q]["calls"] == 2 and log == [1, 1]


@needs_torch
def test_copies():
    _, mine = params()
    opt = optim.Adam(mine, lr=0.1)
    for q in mine:
        q.grad = rushlight.ones(q.shape)
    opt.step()
    for twin in (copy.deepcopy(opt), pickle.loads(pickle.dumps(opt))):
        assert repr(twin) == repr(opt)
        p = twin.param_groups[0]["params"][1]
        assert twin.state[p]["exp_avg"].tolist() == opt.state[mine[1]]["exp_avg"].tolist()
        p.grad = rushlight.ones(p.shape)
        twin.step()
        assert twin.state[p]["step"].item() == 2 and opt.state[mine[1]]["step"].item() == 1


@needs_torch
@pytest.mark.parametrize("call", BAD, ids=range(len(BAD)))
def test_errors(call):
    assert outcome(call, rushlight) == outcome(call, torch)


# ---- schedules ----


def groups(options):
    """An optimizer of two groups on each side: (PyTorch's, ours)."""
    theirs, mine = params()
    return (
        torch.optim.SGD([{"params": theirs[:2]}, {"params": theirs[2:], "lr": 0.3}], **options),
        optim.SGD([{"params": mine[:2]}, {"params": mine[2:], "lr": 0.3}], **options),
    )


@needs_torch
@pytest.mark.parametrize("make", SCHEDULES, ids=range(len(SCHEDULES)))
def test_schedule(make):
    a, b = groups({"lr": 0.1, "momentum": 0.9})
    x, y = make(torch.optim.lr_scheduler, a), make(optim.lr_scheduler, b)
    for _ in range(15):
        a.step()
        b.step()
        x.step()
        y.step()
        assert y.get_last_lr() == x.get_last_lr()
        for g, h in zip(a.param_groups, b.param_groups, strict=True):
            assert {k: v for k, v in h.items() if k != "params"} == {
                k: v for k, v in g.items() if k != "params"
            }
    saved, theirs = y.state_dict(), x.state_dict()
    theirs.pop("_scale_fn_ref", None)
    theirs.pop("_is_initial", None)
    saved.pop("_is_initial", None)
    skip = {"lr_lambdas", "_schedulers", "_bounds", "_get_lr_called_within_step"}
    assert {k: v for k, v in saved.items() if k not in skip} == {
        k: v for k, v in theirs.items() if k not in skip
    }


@needs_torch
def test_reduce_on_plateau():
    a, b = groups({"lr": 0.1})
    options = {"factor": 0.5, "patience": 1, "cooldown": 1, "min_lr": [0.01, 0.02]}
    x = torch.optim.lr_scheduler.ReduceLROnPlateau(a, **options)
    y = optim.lr_scheduler.ReduceLROnPlateau(b, **options)
    for loss in [3, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 5, 5, 5, 5, 5, 5, 5]:
        x.step(loss)
        y.step(rushlight.tensor(float(loss)))
        assert y.get_last_lr() == x.get_last_lr()
        assert y.state_dict() == x.state_dict()


@needs_torch
def test_schedule_order_warning():
    _, b = groups({"lr": 0.1})
    schedule = optim.lr_scheduler.StepLR(b, 1)
    with pytest.warns(UserWarning, match="Detected call of `lr_scheduler.step"):
        schedule.step()


def matrix_shapes(name):
    return [(4, 5), (7, 3)] if name == "Muon" else SHAPES


def quadratic_step(ns, params, opt, goal):
    """A step towards goal, with a closure."""

    def closure():
        opt.zero_grad()
        loss = sum(((p - g) ** 2).sum() for p, g in zip(params, goal, strict=True))
        loss.backward()
        return loss

    return opt.step(closure)


FILES = [*CASES, ("Muon", {}), ("LBFGS", {"max_iter": 4}), ("LBFGS", {"line_search_fn": "strong_wolfe"})]


@needs_torch
@pytest.mark.parametrize("direction", ["out", "in"])
@pytest.mark.parametrize(("name", "options"), FILES, ids=[f"{n}-{i}" for i, (n, _) in enumerate(FILES)])
def test_through_files(tmp_path, name, options, direction):
    """A checkpoint of either library goes on in the other."""
    writer, reader = (rushlight, torch) if direction == "out" else (torch, rushlight)

    def made(ns):
        ns.manual_seed(0)
        params = [ns.nn.Parameter(ns.rand(s) + 1) for s in matrix_shapes(name)]
        return params, getattr(ns.optim, name)(params, **options), [ns.rand(p.shape) for p in params]

    params, opt, goal = made(writer)
    for _ in range(3):
        quadratic_step(writer, params, opt, goal)
    writer.save({"params": [p.detach() for p in params], "opt": opt.state_dict()}, tmp_path / "x.pt")
    saved = reader.load(tmp_path / "x.pt", weights_only=True)
    others, other, other_goal = made(reader)
    with reader.no_grad():
        for p, q in zip(others, saved["params"], strict=True):
            p.copy_(q)
    other.load_state_dict(saved["opt"])
    for _ in range(2):
        quadratic_step(writer, params, opt, goal)
        quadratic_step(reader, others, other, other_goal)
    assert repr(other) == repr(opt)
    tolerance = {"Muon": 0.02, "LBFGS": 1e-4}.get(name, 2e-5)  # bfloat16 inside; a line search
    for p, q in zip(params, others, strict=True):
        assert q.flatten().tolist() == pytest.approx(p.flatten().tolist(), rel=tolerance, abs=tolerance)
