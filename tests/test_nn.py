"""Modules: structure, printing, state, errors, hooks and copies as PyTorch's; layers' values and
gradients.
"""

import copy
import gc
import pickle
import weakref
from collections import OrderedDict

import pytest
from nn_cases import CLASS_LOSSES, ERRORS, LAYERS, LOSSES, STRUCTURE, net, outcome

import rushlight
from rushlight import nn
from rushlight.nn import functional as F

try:
    import torch
except ImportError:
    torch = None

needs_torch = pytest.mark.skipif(torch is None, reason="PyTorch is not installed: torch==2.13.0")
BOTH = (rushlight, torch) if torch else (rushlight,)


def numpy(t):
    return t.detach().numpy()


def twins(make, *shapes, seed=0):
    """The same module and inputs on both sides: ((ours, inputs), (theirs, inputs))."""
    torch.manual_seed(seed)
    theirs = make(torch.nn)
    mine = make(nn)
    state = {k: rushlight.from_numpy(numpy(v).copy()) for k, v in theirs.state_dict().items()}
    mine.load_state_dict(state)
    inputs = [torch.randn(s) for s in shapes]
    ours = [rushlight.from_numpy(x.numpy().copy()) for x in inputs]
    for x, y in zip(inputs, ours, strict=True):
        x.requires_grad_()
        y.requires_grad_()
    return (mine, ours), (theirs, inputs)


def assert_close(mine, theirs, tol=2e-6):
    torch.testing.assert_close(
        torch.from_numpy(numpy(mine).copy()), theirs.detach(), rtol=tol, atol=tol
    )


# ---- layers: printing, values, gradients ----


@needs_torch
@pytest.mark.parametrize(("make", "shapes"), LAYERS, ids=range(len(LAYERS)))
def test_layer(make, shapes):
    (mine, x), (theirs, y) = twins(make, *shapes)
    assert repr(mine) == repr(theirs)
    assert list(mine.state_dict()) == list(theirs.state_dict())
    a, b = mine(*x), theirs(*y)
    assert_close(a, b)
    a.square().sum().backward()
    b.square().sum().backward()
    for p, q in zip([*x, *mine.parameters()], [*y, *theirs.parameters()], strict=True):
        assert_close(p.grad, q.grad, 2e-5)


@needs_torch
@pytest.mark.parametrize(("name", "options"), LOSSES, ids=range(len(LOSSES)))
def test_loss(name, options):
    torch.manual_seed(0)
    x, t = torch.randn(4, 5, requires_grad=True), torch.rand(4, 5)
    y = rushlight.from_numpy(numpy(x).copy()).requires_grad_()
    u = rushlight.from_numpy(t.numpy().copy())
    theirs, mine = getattr(torch.nn, name)(**options), getattr(nn, name)(**options)
    assert repr(mine) == repr(theirs)
    a, b = mine(y, u), theirs(x, t)
    assert_close(a, b)
    a.sum().backward()
    b.sum().backward()
    assert_close(y.grad, x.grad)


@needs_torch
@pytest.mark.parametrize(("name", "options"), CLASS_LOSSES, ids=range(len(CLASS_LOSSES)))
def test_class_loss(name, options):
    torch.manual_seed(0)
    x = torch.randn(6, 5, requires_grad=True)
    y = rushlight.from_numpy(numpy(x).copy()).requires_grad_()
    classes = [0, 1, 2, 3, 4, 2]

    def build(t):
        given = {k: t.tensor(v) if k == "weight" else v for k, v in options.items()}
        return getattr(t.nn, name)(**given)

    mine, theirs = build(rushlight), build(torch)
    assert repr(mine) == repr(theirs) and list(mine.state_dict()) == list(theirs.state_dict())
    a, b = mine(y, rushlight.tensor(classes)), theirs(x, torch.tensor(classes))
    assert_close(a, b)
    a.sum().backward()
    b.sum().backward()
    assert_close(y.grad, x.grad)


@needs_torch
def test_bce():
    torch.manual_seed(0)
    x, t, w = torch.rand(4, 5), torch.rand(4, 5), torch.rand(5)
    y, u, v = (rushlight.from_numpy(z.numpy().copy()) for z in (x, t, w))
    assert_close(nn.BCELoss(weight=v)(y, u), torch.nn.BCELoss(weight=w)(x, t))
    assert_close(
        nn.BCEWithLogitsLoss(weight=v, pos_weight=v)(y, u),
        torch.nn.BCEWithLogitsLoss(weight=w, pos_weight=w)(x, t),
    )


@needs_torch
def test_initial_values():
    """The same random numbers in the same order."""
    for make in (
        lambda n: n.Linear(20, 30),
        lambda n: n.Bilinear(4, 5, 6),
        lambda n: n.Sequential(n.Linear(7, 3), n.PReLU(), n.Linear(3, 2, bias=False)),
    ):
        rushlight.manual_seed(5)
        torch.manual_seed(5)
        for p, q in zip(make(nn).parameters(), make(torch.nn).parameters(), strict=True):
            assert (numpy(p) == numpy(q)).all()


def test_dropout():
    x = rushlight.ones(1000)
    layer = nn.Dropout(0.25)
    y = layer(x)
    assert set(y.unique().tolist() if hasattr(y, "unique") else y.tolist()) <= {0.0, y.max().item()}
    assert abs(y.mean().item() - 1) < 0.1
    assert layer.eval()(x).tolist() == x.tolist()


@needs_torch
def test_lazy_linear():
    layer = nn.LazyLinear(3)
    assert repr(layer.weight) == "<UninitializedParameter>"
    assert outcome(lambda t: t.nn.LazyLinear(3).weight.shape, rushlight) == outcome(
        lambda t: t.nn.LazyLinear(3).weight.shape, torch
    )
    rushlight.manual_seed(1)
    torch.manual_seed(1)
    theirs = torch.nn.LazyLinear(3)
    assert layer(rushlight.ones(2, 5)).shape == (2, 3)
    theirs(torch.ones(2, 5))
    assert type(layer) is nn.Linear and type(layer.weight) is nn.Parameter
    assert repr(layer) == repr(theirs)
    assert (numpy(layer.weight) == numpy(theirs.weight)).all()
    assert not layer._forward_pre_hooks and not layer._load_state_dict_pre_hooks
    loaded = nn.LazyLinear(3)
    loaded.load_state_dict(layer.state_dict())
    assert loaded(rushlight.ones(1, 5)).tolist() == layer(rushlight.ones(1, 5)).tolist()
    copied = copy.deepcopy(nn.LazyLinear(2))
    assert nn.parameter.is_lazy(copied.weight)


# ---- structure ----


@needs_torch
@pytest.mark.parametrize("call", STRUCTURE, ids=range(len(STRUCTURE)))
def test_structure(call):
    assert outcome(call, rushlight) == outcome(call, torch)


@needs_torch
@pytest.mark.parametrize("call", ERRORS, ids=range(len(ERRORS)))
def test_errors(call):
    mine, theirs = outcome(call, rushlight), outcome(call, torch)
    # Names of nested classes say where they were defined, file and test alike.
    assert mine == theirs


def test_attribute_order():
    """A property or class attribute comes before a registered member; __dict__ comes before both."""
    for t in BOTH:

        class M(t.nn.Module):
            @property
            def weight(self):
                return "property"

        m = M()
        m._parameters["weight"] = t.nn.Parameter(t.ones(1))
        m._modules["forward"] = t.nn.ReLU()
        assert m.weight == "property" and m.forward.__name__ != "ReLU"
        m._buffers["x"] = t.ones(1)
        m.__dict__["x"] = 7
        assert m.x == 7
        del m.__dict__["x"]
        assert m.x.tolist() == [1.0]
        object.__setattr__(m, "y", 5)
        assert m.y == 5


def test_registries_may_be_replaced():
    for t in BOTH:
        m = t.nn.Sequential(t.nn.Identity())
        m._modules = OrderedDict()
        assert len(m) == 0 and m(3) == 3
        m.__dict__["_modules"] = {"0": t.nn.Flatten(0)}
        assert m(t.ones(2, 2)).shape == (4,)
        m.__dict__ = t.nn.Sequential().__dict__
        assert m(3) == 3
        del m._modules
        with pytest.raises(AttributeError):
            m(3)


@needs_torch
def test_own_forward():
    for t in BOTH:

        class Twice(t.nn.Linear):
            def forward(self, x):
                return 2 * super().forward(x)

        class Called(t.nn.Sequential):
            def __call__(self, x):
                return ["called", super().__call__(x)]

        layer = Twice(2, 2, bias=False)
        x = t.ones(1, 2)
        assert layer(x).tolist() == (2 * t.nn.functional.linear(x, layer.weight)).tolist()
        layer.forward = lambda x: "mine"
        assert layer(x) == "mine" and t.nn.Sequential(layer)(x) == "mine"
        del layer.forward
        assert layer(x) is not None
        assert Called()(3) == ["called", 3]
        t.nn.Sequential.__call__, kept = lambda self, x: "late", t.nn.Sequential.__call__
        try:
            assert t.nn.Sequential()(3) == "late"
        finally:
            if t is torch:
                t.nn.Sequential.__call__ = kept
            else:
                del t.nn.Sequential.__call__
        assert t.nn.Sequential()(3) == 3


def test_own_getattr():
    for t in BOTH:

        class Wrapper(t.nn.Module):
            def __init__(self, module):
                super().__init__()
                self.module = module

            def __getattr__(self, name):
                try:
                    return super().__getattr__(name)
                except AttributeError:
                    return getattr(self.module, name)

            def forward(self, x):
                return self.module(x)

        w = Wrapper(t.nn.Linear(2, 3))
        assert w.in_features == 2 and w(t.ones(2)).shape == (3,)
        with pytest.raises(AttributeError, match="'Linear' object has no attribute 'zzz'"):
            w.zzz


# ---- hooks ----


@needs_torch
def test_hook_order():
    logs = []
    for t in BOTH:
        log = []
        m = t.nn.Linear(2, 2)
        module = t.nn.modules.module
        handles = [
            m.register_forward_pre_hook(lambda m, a: log.append("pre")),
            m.register_forward_pre_hook(lambda m, a: log.append("pre first"), prepend=True),
            m.register_forward_pre_hook(lambda m, a, k: (a, {}), with_kwargs=True),
            m.register_forward_hook(lambda m, a, o: log.append("post")),
            m.register_forward_hook(lambda m, a, k, o: log.append(f"kw {k}"), with_kwargs=True),
            m.register_forward_hook(lambda m, a, o: o + 1, prepend=True),
            module.register_module_forward_pre_hook(lambda m, a: log.append("global pre")),
            module.register_module_forward_hook(lambda m, a, o: log.append("global post")),
            m.register_full_backward_pre_hook(lambda m, g: log.append(f"bpre {g[0].tolist()}")),
            m.register_full_backward_hook(
                lambda m, gi, go: log.append(f"b {len(gi)} {go[0].tolist()}")
            ),
            module.register_module_full_backward_hook(lambda m, gi, go: log.append("global b")),
        ]
        x = t.ones(2, requires_grad=True)
        y = m(x)
        y.sum().backward()
        log.append(y.grad_fn.name())
        for h in handles:
            h.remove()
        m(x).sum().backward()
        logs.append(log)
    assert logs[0] == logs[1]


def test_hooks_change_values():
    for t in BOTH:
        m = t.nn.Identity()
        m.register_forward_pre_hook(lambda m, a: a[0] * 2)
        m.register_forward_hook(lambda m, a, o: o + 1)
        m.register_full_backward_hook(lambda m, gi, go: (gi[0] * 10,))
        x = t.ones(2, requires_grad=True)
        y = m(x)
        y.sum().backward()
        assert y.tolist() == [3.0, 3.0] and x.grad.tolist() == [20.0, 20.0]
        assert t.nn.Sequential(m)(t.ones(1)).tolist() == [3.0]


def test_always_called_hook():
    for t in BOTH:

        class Fails(t.nn.Module):
            def forward(self, x):
                raise RuntimeError("no")

        log = []
        m = Fails()
        m.register_forward_hook(lambda m, a, o: log.append(o), always_call=True)
        m.register_forward_hook(lambda m, a, o: log.append("never"))
        with pytest.raises(RuntimeError, match="no"):
            m(1)
        assert log == [None]


def test_hook_without_input_grad():
    for t in BOTH:
        log = []
        m = t.nn.Linear(2, 1)
        m.register_full_backward_hook(lambda m, gi, go: log.append((gi, go[0].tolist())))
        with pytest.warns(UserWarning, match="Full backward hook is firing"):
            m(t.ones(2)).sum().backward()
        assert log == [((None,), [1.0])]


@needs_torch
def test_state_dict_hooks():
    logs = []
    for t in BOTH:
        log = []
        m = t.nn.Linear(1, 1)
        m.register_state_dict_pre_hook(lambda m, p, k: log.append(("pre", p, k)))
        m.register_state_dict_post_hook(lambda m, s, p, d: log.append(("post", sorted(s))))
        m.register_load_state_dict_pre_hook(lambda m, s, *a: log.append(("load", sorted(s))))
        m.register_load_state_dict_post_hook(lambda m, k: log.append(("loaded", tuple(k))))
        m.load_state_dict(t.nn.Sequential(m).state_dict(), strict=False)
        logs.append(log)
    assert logs[0] == logs[1]


def test_registration_hooks():
    for t in BOTH:
        log = []
        module = t.nn.modules.module
        handles = [
            module.register_module_parameter_registration_hook(lambda m, n, p: log.append(n)),
            module.register_module_buffer_registration_hook(lambda m, n, p: log.append(n)),
            module.register_module_module_registration_hook(lambda m, n, p: log.append(n)),
        ]
        net(t)
        for h in handles:
            h.remove()
        assert log == [
            "weight",
            "bias",
            "0",
            "1",
            "body",
            "head",
            "scale",
            "tied",
            "mean",
            "count",
            "cache",
            "extra",
        ]


# ---- copies, cycles ----


class Own(nn.Module):
    """Has a state of its own to pickle."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 3)
        self.layer.twin = self.layer.weight
        self.lost = lambda: None

    def forward(self, x):
        return self.layer(x)

    def __getstate__(self):
        state = self.__dict__.copy()
        del state["lost"]
        return state


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(protocol):
    x = rushlight.ones(1, 2)
    for m in (nn.Linear(2, 3), Own(), nn.Sequential(nn.Linear(2, 2), nn.ReLU(), Own())):
        twin = pickle.loads(pickle.dumps(m, protocol))
        assert repr(twin) == repr(m) and twin(x).tolist() == m(x).tolist()
        assert list(vars(twin)) == list(vars(m)) or isinstance(m, Own)
        assert all(p.requires_grad and isinstance(p, nn.Parameter) for p in twin.parameters())


def test_deepcopy():
    m = nn.Sequential(nn.Linear(2, 2), Own())
    m[0].weight.requires_grad_(False)
    twin = copy.deepcopy(m)
    assert not twin[0].weight.requires_grad
    assert twin[1].layer.twin is twin[1].layer.weight
    for p, q in zip(m.parameters(), twin.parameters(), strict=True):
        assert p is not q and p.tolist() == q.tolist() and p.data_ptr() != q.data_ptr()
    m.me = m
    twin = copy.deepcopy(m)
    assert twin.me is twin
    shallow = copy.copy(m)
    assert shallow._modules is m._modules and shallow[0] is m[0]


def test_cycles_are_collected():
    m = nn.Sequential(nn.Linear(2, 2))
    m.me = m
    m.register_forward_hook(lambda mod, a, o, m=m: None)
    gone = weakref.ref(m)
    del m
    gc.collect()
    assert gone() is None


def test_endless_recursion():
    m = nn.Sequential()
    m._modules["0"] = m
    with pytest.raises(RecursionError):
        m(1)


def test_changed_while_running():
    m = nn.Sequential(nn.Identity(), nn.Identity())
    m[0].register_forward_hook(lambda *a: m.append(nn.Identity()) and None)
    with pytest.raises(RuntimeError, match="changed size during iteration"):
        m(1)


# ---- nn.utils ----


@needs_torch
@pytest.mark.parametrize("norm", [2.0, 1.0, float("inf")])
def test_clip_grad_norm(norm):
    (mine, (x,)), (theirs, (y,)) = twins(lambda n: n.Linear(3, 4), (5, 3))
    mine(x).square().sum().backward()
    theirs(y).square().sum().backward()
    a = nn.utils.clip_grad_norm_(mine.parameters(), 0.5, norm)
    b = torch.nn.utils.clip_grad_norm_(theirs.parameters(), 0.5, norm)
    assert_close(a, b, 1e-5)
    for p, q in zip(mine.parameters(), theirs.parameters(), strict=True):
        assert_close(p.grad, q.grad, 1e-5)
    nn.utils.clip_grad_value_(mine.parameters(), 0.01)
    assert max(p.grad.abs().max().item() for p in mine.parameters()) <= 0.01


def test_parameter_vector():
    m = nn.Linear(2, 3)
    v = nn.utils.parameters_to_vector(m.parameters())
    assert v.shape == (9,)
    nn.utils.vector_to_parameters(rushlight.arange(9.0), m.parameters())
    assert m.weight.tolist() == [[0, 1], [2, 3], [4, 5]] and m.bias.tolist() == [6, 7, 8]


def test_functional_relu():
    x = rushlight.tensor([-1.0, 2.0])
    assert F.relu(x).tolist() == [0, 2] and F.relu(input=x, inplace=False).tolist() == [0, 2]
    assert F.relu(x, inplace=True) is x and x.tolist() == [0, 2]
    with pytest.raises(TypeError, match="unexpected keyword"):
        F.relu(x, foo=1)
    layer = nn.ReLU(inplace=True)
    y = rushlight.tensor([-1.0, 2.0])
    assert layer(y) is y and y.tolist() == [0, 2]


def test_linear_and_relu_without_graph():
    """Sequential may join the two: the same bits, and not where anybody could see it."""
    x = rushlight.randn(5, 20)
    net = nn.Sequential(nn.Linear(20, 33), nn.ReLU(), nn.Linear(33, 7, bias=False), nn.ReLU(True))
    with rushlight.no_grad():
        step = x
        for layer in net:
            step = layer(step)
        assert net(x).tolist() == step.tolist()
        seen = []
        net[0].register_forward_hook(lambda m, a, o: seen.append(o.min().item() < 0))
        net[3].forward = lambda x: "mine"
        assert net(x) == "mine" and seen == [True]
    y = nn.Sequential(nn.Linear(20, 3), nn.ReLU())(x)
    assert y.grad_fn.name() == "ReluBackward0"
    assert y.grad_fn.next_functions[0][0].name() == "AddmmBackward0"
    with rushlight.no_grad(), pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        net[2:](x)
