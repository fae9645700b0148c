"""rushlight.func against PyTorch's torch.func and against closed forms."""

import functools

import pytest

import rushlight
from rushlight import func, nn


def nested(value):
    """Tensors as lists, containers as they are, for comparing results of two libraries."""
    if hasattr(value, "tolist"):
        return (
            tuple(value.shape),
            str(value.dtype).split(".")[-1],
            value.requires_grad,
            value.detach().tolist(),
        )
    if isinstance(value, dict):
        return {k: nested(v) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)(nested(v) for v in value)
    return value


def close(a, b):
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(close(a[k], b[k]) for k in a)
    if isinstance(a, (tuple, list)):
        return (
            type(a) is type(b)
            and len(a) == len(b)
            and all(close(x, y) for x, y in zip(a, b, strict=True))
        )
    if isinstance(a, float):
        return a == pytest.approx(b, rel=1e-9, abs=1e-9, nan_ok=True)
    return a == b


def inputs(torch):
    x = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)
    w = torch.tensor([[1.0, 2.0, 3.0], [0.5, -0.5, 0.25]], dtype=torch.float64)
    return x, w


def mlp(torch):
    def f(x, w):
        return torch.tanh(w @ x)

    return f


CASES = {
    "grad": lambda t, x, w: t.func.grad(lambda x: (x**3).sum())(x),
    "grad of grad": lambda t, x, w: t.func.grad(
        lambda x: t.func.grad(lambda y: (y**3).sum())(x).sum()
    )(x),
    "grad of grad of grad": lambda t, x, w: t.func.grad(
        t.func.grad(t.func.grad(lambda a: a.sin()))
    )(x[0]),
    "grad argnums": lambda t, x, w: t.func.grad(lambda x, w: mlp(t)(x, w).sum(), argnums=1)(x, w),
    "grad argnums tuple": lambda t, x, w: t.func.grad(
        lambda x, w: mlp(t)(x, w).sum(), argnums=(1, 0)
    )(x, w),
    "grad negative argnum": lambda t, x, w: t.func.grad(
        lambda x, w: mlp(t)(x, w).sum(), argnums=-1
    )(x, w),
    "grad of dict": lambda t, x, w: t.func.grad(lambda p: (p["w"] @ p["x"]).sum())(
        {"w": w, "x": x}
    ),
    "grad with aux": lambda t, x, w: t.func.grad(lambda x: (x.sum(), {"y": x * 2}), has_aux=True)(
        x
    ),
    "grad_and_value": lambda t, x, w: t.func.grad_and_value(lambda x: x.prod())(x),
    "grad_and_value aux": lambda t, x, w: t.func.grad_and_value(
        lambda x: (x.prod(), x), has_aux=True
    )(x),
    "grad of a constant": lambda t, x, w: t.func.grad(lambda x: t.ones((), dtype=t.float64))(x),
    "grad with closure": lambda t, x, w: (lambda v: t.func.grad(lambda x: (x**2 * v[0]).sum())(x))(
        w.clone().requires_grad_()
    ),
    "grad under no_grad": lambda t, x, w: _no_grad(
        t, lambda: t.func.grad(lambda x: (x**2).sum())(x)
    ),
    "no_grad inside": lambda t, x, w: t.func.grad(lambda x: (x * _no_grad(t, lambda: x**2)).sum())(
        x
    ),
    "grad of input that requires": lambda t, x, w: t.func.grad(lambda x: (x**3).sum())(
        x.clone().requires_grad_()
    ),
    "mixed orders": lambda t, x, w: t.func.grad(
        lambda w: t.func.grad(lambda x: (mlp(t)(x, w) ** 2).sum())(x).pow(2).sum()
    )(w),
    "vjp": lambda t, x, w: _vjp(t, lambda x: mlp(t)(x, w), (x,), t.ones(2, dtype=t.float64)),
    "vjp of two": lambda t, x, w: _vjp(t, mlp(t), (x, w), t.arange(2, dtype=t.float64)),
    "vjp of dict": lambda t, x, w: _vjp(
        t, lambda x: {"a": x * 2, "b": (x, x.sum())}, (x,), {"a": x, "b": (x, x[0])}
    ),
    "vjp aux": lambda t, x, w: t.func.vjp(lambda x: (x * 2, x + 1), x, has_aux=True)[::2],
    "jvp": lambda t, x, w: t.func.jvp(lambda x: mlp(t)(x, w), (x,), (t.ones_like(x),)),
    "jvp of two": lambda t, x, w: t.func.jvp(mlp(t), (x, w), (x, w * 2)),
    "jvp aux": lambda t, x, w: t.func.jvp(lambda x: (x**2, x), (x,), (x,), has_aux=True),
    "jvp of a constant": lambda t, x, w: t.func.jvp(lambda x: (x * 0 + 1, w.sum()), (x,), (x,)),
    "linearize": lambda t, x, w: _linearize(t, lambda x: mlp(t)(x, w), x),
    "jacrev": lambda t, x, w: t.func.jacrev(mlp(t))(x, w),
    "jacrev argnums": lambda t, x, w: t.func.jacrev(mlp(t), argnums=(0, 1))(x, w),
    "jacrev of dict": lambda t, x, w: t.func.jacrev(lambda x: {"a": w @ x, "b": x.sum()})(x),
    "jacrev aux": lambda t, x, w: t.func.jacrev(lambda x: (w @ x, x), has_aux=True)(x),
    "jacrev chunks": lambda t, x, w: t.func.jacrev(mlp(t), chunk_size=1)(x, w),
    "jacfwd": lambda t, x, w: t.func.jacfwd(mlp(t))(x, w),
    "jacfwd argnums": lambda t, x, w: t.func.jacfwd(mlp(t), argnums=(0, 1))(x, w),
    "jacfwd aux": lambda t, x, w: t.func.jacfwd(lambda x: (w @ x, x), has_aux=True)(x),
    "hessian": lambda t, x, w: t.func.hessian(lambda x: mlp(t)(x, w).sum())(x),
    "hessian argnums": lambda t, x, w: t.func.hessian(
        lambda x, w: mlp(t)(x, w).sum(), argnums=(0, 1)
    )(x, w),
    "jacrev of jacfwd": lambda t, x, w: t.func.jacrev(t.func.jacfwd(lambda x: (x**3).sum()))(x),
    "jacfwd of grad": lambda t, x, w: t.func.jacfwd(t.func.grad(lambda x: (x**3).sum()))(x),
    "hvp": lambda t, x, w: t.func.jvp(t.func.grad(lambda x: mlp(t)(x, w).sum()), (x,), (x,))[1],
    "vmap": lambda t, x, w: t.func.vmap(lambda a: a.sum() * a)(w),
    "vmap dims": lambda t, x, w: t.func.vmap(lambda a, b: a * b[0], in_dims=(1, None), out_dims=-1)(
        w, x
    ),
    "vmap negative dim": lambda t, x, w: t.func.vmap(lambda a: a * 2, in_dims=-1)(w),
    "vmap of dict": lambda t, x, w: t.func.vmap(
        lambda d: d["a"] @ x, in_dims=({"a": 0, "b": None},)
    )({"a": w, "b": x}),
    "vmap many results": lambda t, x, w: t.func.vmap(
        lambda a: (a, {"s": a.sum()}), out_dims=(1, 0)
    )(w),
    "vmap keywords": lambda t, x, w: t.func.vmap(lambda a, b: a + b)(w, b=x),
    "vmap of vmap": lambda t, x, w: t.func.vmap(
        t.func.vmap(lambda a, b: a * b, (None, 0)), (0, None)
    )(x, x),
    "vmap of nothing": lambda t, x, w: t.func.vmap(lambda a: a.sum())(w[:0]),
    "vmap chunks": lambda t, x, w: t.func.vmap(lambda a: a.sum(), chunk_size=1)(w),
    "vmap of grad": lambda t, x, w: t.func.vmap(t.func.grad(lambda a: a.sin().sum()))(w),
    "per-sample gradients": lambda t, x, w: t.func.vmap(
        t.func.grad(lambda p, a: ((p @ a) ** 2).sum()), in_dims=(None, 0)
    )(w, t.stack([x, x * 2])),
    "grad of vmap": lambda t, x, w: t.func.grad(lambda x: t.func.vmap(lambda a: a @ x)(w).sum())(x),
    "torch.vmap": lambda t, x, w: t.vmap(t.dot)(w, w),
}


def _no_grad(torch, f):
    with torch.no_grad():
        return f()


def _vjp(torch, f, primals, v):
    output, product = torch.func.vjp(f, *primals)
    return output, product(v), product(v)


def _linearize(torch, f, x):
    output, product = torch.func.linearize(f, x)
    return output, product(x), product(x * 2)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CASES)
def test_against_pytorch(name):
    torch = pytest.importorskip("torch")
    ours = nested(CASES[name](rushlight, *inputs(rushlight)))
    assert close(ours, nested(CASES[name](torch, *inputs(torch))))


ERRORS = {
    "no scalar": lambda t, x, w: t.func.grad(lambda x: x)(x),
    "no tensor": lambda t, x, w: t.func.grad(lambda x: 1.0)(x),
    "argnum": lambda t, x, w: t.func.grad(lambda x: x.sum(), argnums=2)(x),
    "argnums empty": lambda t, x, w: t.func.grad(lambda x: x.sum(), argnums=())(x),
    "argnums twice": lambda t, x, w: t.func.grad(lambda x: x.sum(), argnums=(0, 0))(x),
    "not a tensor": lambda t, x, w: t.func.grad(lambda x: x)(1.0),
    "vjp of number": lambda t, x, w: t.func.vjp(lambda x: 1.0, x),
    "vjp of integers": lambda t, x, w: t.func.vjp(lambda x: x > 0, x),
    "vjp no aux": lambda t, x, w: t.func.vjp(lambda x: x, x, has_aux=True),
    "vjp structure": lambda t, x, w: t.func.vjp(lambda x: x, x)[1]((x, x)),
    "jvp no tuple": lambda t, x, w: t.func.jvp(lambda x: x, x, (x,)),
    "jvp structure": lambda t, x, w: t.func.jvp(lambda x: x, (x,), (x, x)),
    "chunk size": lambda t, x, w: t.func.jacrev(lambda x: x, chunk_size=0),
    "in_dims type": lambda t, x, w: t.vmap(lambda x: x, in_dims="a")(x),
    "in_dims structure": lambda t, x, w: t.vmap(lambda x: x, in_dims=(0, 0))(x),
    "in_dim range": lambda t, x, w: t.vmap(lambda x: x, in_dims=1)(x),
    "in_dim of number": lambda t, x, w: t.vmap(lambda x, y: x)(x, 1),
    "sizes": lambda t, x, w: t.vmap(lambda x, y: x)(x, w),
    "nothing to map": lambda t, x, w: t.vmap(lambda x: x, in_dims=None)(x),
    "no tensors": lambda t, x, w: t.vmap(lambda x: x, in_dims=(None,))(x),
    "no inputs": lambda t, x, w: t.vmap(lambda: 1)(),
    "result no tensor": lambda t, x, w: t.vmap(lambda x: 1)(x),
    "out_dims structure": lambda t, x, w: t.vmap(lambda x: x, out_dims=(0, 0))(x),
    "out_dim range": lambda t, x, w: t.vmap(lambda x: x, out_dims=2)(x),
    "randomness": lambda t, x, w: t.vmap(lambda x: x, randomness="maybe"),
    "random": lambda t, x, w: t.vmap(lambda x: x + t.rand(1))(x),
    "dicts": lambda t, x, w: t.func.functional_call(t.nn.Linear(3, 2), 1, x),
    "twice": lambda t, x, w: t.func.functional_call(
        t.nn.Linear(3, 2), [{"weight": w}, {"weight": w}], x
    ),
    "strict": lambda t, x, w: t.func.functional_call(
        t.nn.Linear(3, 2), {"weight": w, "u": w}, x, strict=True
    ),
    "no models": lambda t, x, w: t.func.stack_module_state([]),
    "classes": lambda t, x, w: t.func.stack_module_state([t.nn.Linear(3, 2), t.nn.ReLU()]),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_pytorchs(name):
    torch = pytest.importorskip("torch")
    with pytest.raises(Exception) as theirs:
        ERRORS[name](torch, *inputs(torch))
    with pytest.raises(Exception) as ours:
        ERRORS[name](rushlight, *inputs(rushlight))
    assert type(ours.value).__name__ == type(theirs.value).__name__


def test_levels_do_not_leak():
    """Results require gradients only where something outside does."""
    x = rushlight.tensor([1.0, 2.0])
    w = rushlight.tensor(3.0, requires_grad=True)
    assert not func.grad(lambda x: (x**2).sum())(x).requires_grad
    g = func.grad(lambda x: (x**2 * w).sum())(x)
    assert g.requires_grad
    g.sum().backward()
    assert w.grad.item() == 6.0
    assert x.grad is None
    outer = func.grad(lambda a: func.grad(lambda x: (a * x**2).sum())(x).sum())
    assert outer(rushlight.tensor(1.0)).item() == 6.0
    assert not outer(rushlight.tensor(1.0)).requires_grad
    y = rushlight.tensor([1.0, 2.0], requires_grad=True)
    g = func.grad(lambda x: (x**3).sum())(y)
    g.sum().backward()
    assert y.grad.tolist() == [6.0, 12.0]


def test_results_of_a_finished_level_do_not_count():
    x = rushlight.tensor([1.0, 2.0])
    output, product = func.vjp(lambda x: x**2, x)
    assert not output.requires_grad
    (g,) = product(rushlight.ones(2))
    assert g.tolist() == [2.0, 4.0]
    assert not g.requires_grad


def test_randomness():
    x = rushlight.zeros(4, 3)
    rushlight.manual_seed(0)
    different = func.vmap(lambda a: a + rushlight.rand(3), randomness="different")(x)
    assert len({tuple(row) for row in different.tolist()}) == 4
    same = func.vmap(lambda a: a + rushlight.rand(3), randomness="same")(x)
    assert len({tuple(row) for row in same.tolist()}) == 1
    state = rushlight.get_rng_state()
    with pytest.raises(RuntimeError, match="randomness"):
        func.vmap(lambda a: a + rushlight.rand(3))(x)
    assert rushlight.equal(state, rushlight.get_rng_state())


def test_functional_call():
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    x = rushlight.rand(4, 2)
    new = {k: rushlight.zeros_like(v).requires_grad_() for k, v in net.named_parameters()}
    before = {k: v for k, v in net.named_parameters()}
    y = func.functional_call(net, new, x)
    assert y.tolist() == [[0.0]] * 4
    y.sum().backward()
    assert new["2.bias"].grad.tolist() == [4.0]
    assert all(v.grad is None for v in net.parameters())
    assert all(before[k] is v for k, v in net.named_parameters())
    with pytest.raises(RuntimeError):
        func.functional_call(net, {"0.weight": rushlight.ones(7)}, (x,))
    assert all(before[k] is v for k, v in net.named_parameters())
    half = func.functional_call(
        net, [{"0.weight": new["0.weight"]}, {"0.bias": new["0.bias"]}], (x,)
    )
    assert half.tolist() == [[before["2.bias"].item()]] * 4


def test_functional_call_of_tied_weights():
    net = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    net[1].weight = net[0].weight
    x = rushlight.tensor([1.0, 2.0])
    double = 2 * rushlight.eye(2)
    assert func.functional_call(net, {"0.weight": double}, x).tolist() == [4.0, 8.0]
    with pytest.raises(ValueError, match="tied"):
        func.functional_call(net, {"0.weight": double, "1.weight": rushlight.eye(2)}, x)
    untied = func.functional_call(
        net, {"0.weight": double, "1.weight": rushlight.eye(2)}, x, tie_weights=False
    )
    assert untied.tolist() == [2.0, 4.0]


def test_ensembles():
    models = [nn.Linear(3, 2) for _ in range(4)]
    params, buffers = func.stack_module_state(models)
    assert params["weight"].shape == (4, 2, 3)
    assert params["weight"].is_leaf and params["weight"].requires_grad and buffers == {}
    x = rushlight.rand(5, 3)
    call = functools.partial(func.functional_call, models[0])
    y = func.vmap(call, in_dims=(0, None))(params, (x,))
    assert y.tolist() == rushlight.stack([m(x) for m in models]).tolist()


def test_per_sample_gradients_of_a_module():
    net = nn.Linear(3, 1)
    params = dict(net.named_parameters())
    x, t = rushlight.rand(5, 3), rushlight.rand(5, 1)

    def loss(params, x, t):
        return ((func.functional_call(net, params, (x,)) - t) ** 2).sum()

    per_sample = func.vmap(func.grad(loss), in_dims=(None, 0, 0))(params, x, t)
    for i in range(5):
        net.zero_grad()
        ((net(x[i]) - t[i]) ** 2).sum().backward()
        assert per_sample["weight"][i, 0].tolist() == pytest.approx(net.weight.grad[0].tolist())
        assert per_sample["bias"][i].tolist() == pytest.approx(net.bias.grad.tolist())


PATTERNS = {
    "b c h w -> b h w c": {},
    "b c h w -> b (c h w)": {},
    "b c (h s) w -> b (c s) h w": {"s": 2},
    "b ... -> ... b": {},
    "b c ... -> b (c ...)": {},
    "b c h w -> b 1 c h () w": {},
    "(a b) c h w -> b (a c) h w": {"b": 2},
    "b c h -> b c h": {},
    "b c h w -> b c h": {},
    "b b h w -> b h w": {},
    "(b c h w": {},
    "b (c d) h w -> b c d h w": {},
    "b c (h s) w -> b c h s w": {"s": 3},
    "b c h w -> w h c b": {"z": 2},
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_rearrange(pattern):
    torch = pytest.importorskip("torch")
    found = []
    for library in (rushlight, torch):
        x = library.arange(120).reshape(2, 3, 4, 5)
        try:
            y = library.func.rearrange(x, pattern, **PATTERNS[pattern])
            found.append((tuple(y.shape), y.tolist()))
        except Exception:  # noqa: BLE001, whichever it is
            found.append("error")
    assert found[0] == found[1]


def test_dicts_keep_their_order():
    grads = rushlight.func.grad(lambda p: (p["b"] * p["a"]).sum())({"b": rushlight.ones(2), "a": rushlight.ones(2)})
    assert list(grads) == ["b", "a"]
