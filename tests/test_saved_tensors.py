"""saved_tensors_hooks, checkpointing, batched gradients and anomaly mode's forward traceback."""

import gc
import warnings
import weakref

import pytest

import rushlight
from rushlight import nn
from rushlight.autograd.graph import (
    allow_mutation_on_saved_tensors,
    disable_saved_tensors_hooks,
    save_on_cpu,
    saved_tensors_hooks,
)
from rushlight.utils.checkpoint import (
    CheckpointError,
    checkpoint,
    checkpoint_sequential,
    set_checkpoint_early_stop,
)


def test_hooks_see_every_saved_tensor():
    packed, unpacked = [], []

    def pack(t):
        packed.append(t.tolist())
        return ("box", t * 1)

    def unpack(box):
        unpacked.append(box[0])
        return box[1]

    x = rushlight.tensor([1.0, 2.0], requires_grad=True)
    with saved_tensors_hooks(pack, unpack):
        y = (x * x).exp().sum()
    assert packed == [[1.0, 2.0], [1.0, 2.0], pytest.approx([2.718281, 54.59815])]
    assert unpacked == []
    y.backward()
    assert unpacked == ["box"] * 3
    assert x.grad.tolist() == pytest.approx([2 * 2.718281, 4 * 54.59815], rel=1e-5)
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


def test_the_same_hooks_in_pytorch():
    torch = pytest.importorskip("torch")
    results = []
    for library in (rushlight, torch):
        seen = []
        x = library.tensor([0.5, 2.0], requires_grad=True)
        w = library.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
        hooks = library.autograd.graph.saved_tensors_hooks

        def pack(t, seen=seen):
            seen.append(tuple(t.shape))
            return t

        with hooks(pack, lambda t: t * 2):
            y = ((w @ x).tanh() * x).sum()
        y.backward()
        results.append((sorted(seen), x.grad.tolist(), w.grad.tolist()))
    assert results[0][0] == results[1][0]
    assert results[0][1] == pytest.approx(results[1][1])
    assert results[0][2][0] == pytest.approx(results[1][2][0])


def test_second_derivatives_go_through_unpacked_tensors():
    x = rushlight.tensor([1.0, 2.0], dtype=rushlight.float64, requires_grad=True)
    with saved_tensors_hooks(lambda t: t.clone(), lambda t: t):
        y = (x**3).exp().sum()
        (g,) = rushlight.autograd.grad(y, x, create_graph=True)
        g.sum().backward()
    expected = [(6 * v + 9 * v**4) * rushlight.e ** (v**3) for v in (1.0, 2.0)]
    assert x.grad.tolist() == pytest.approx(expected)


def test_nested_hooks_use_the_innermost():
    x = rushlight.ones(2, requires_grad=True)
    used = []
    with saved_tensors_hooks(lambda t: used.append("outer") or t, lambda t: t):
        with saved_tensors_hooks(lambda t: used.append("inner") or t, lambda t: t):
            x.exp()
        x.exp()
    x.exp()
    assert used == ["inner", "outer"]


def test_errors_of_hooks():
    x = rushlight.ones(2, requires_grad=True)

    def fails(t):
        raise KeyError("pack")

    with saved_tensors_hooks(fails, lambda t: t), pytest.raises(KeyError):
        x.exp()
    with saved_tensors_hooks(lambda t: t, fails):
        y = x.exp()
    with pytest.raises(KeyError):
        y.sum().backward()
    with saved_tensors_hooks(lambda t: 1, lambda t: t):
        y = x.exp()
    with pytest.raises(
        TypeError, match="unpack_hook expected to be a Tensor but got result of type int"
    ):
        y.sum().backward()
    with (
        saved_tensors_hooks(lambda t: t.add_(1), lambda t: t),
        pytest.raises(RuntimeError, match="in place"),
    ):
        (x * 1).exp()
    with disable_saved_tensors_hooks("not here"), pytest.raises(RuntimeError, match="not here"):
        saved_tensors_hooks(lambda t: t, lambda t: t).__enter__()
    assert x.exp().grad_fn is not None


def test_save_on_cpu():
    x = rushlight.rand(3, requires_grad=True)
    with save_on_cpu():
        y = x.sigmoid().sum()
    y.backward()
    s = x.detach().sigmoid()
    assert x.grad.tolist() == pytest.approx((s * (1 - s)).tolist())


def test_functions_save_through_hooks():
    class Square(rushlight.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 2 * x * g

    x = rushlight.tensor([3.0], requires_grad=True)
    with saved_tensors_hooks(lambda t: t.tolist(), lambda v: rushlight.tensor(v)):
        y = Square.apply(x)
    y.backward()
    assert x.grad.tolist() == [6.0]


def test_what_hooks_keep_is_freed():
    class Box:
        def __init__(self, t):
            self.t = t

    boxes = []

    def pack(t):
        box = Box(t)
        boxes.append(weakref.ref(box))
        return box

    x = rushlight.ones(2, requires_grad=True)
    with saved_tensors_hooks(pack, lambda box: box.t):
        y = x.exp().sum()
        kept = x.exp()
    y.backward()
    assert boxes[0]() is None
    assert boxes[1]() is not None
    del kept
    assert boxes[1]() is None
    with saved_tensors_hooks(pack, lambda box: box.t):
        z = x.exp()
    z.me = z  # a cycle through the tensor's attributes
    boxes[2]().graph = z  # and one through the graph
    del z
    gc.collect()
    assert boxes[2]() is None


def network():
    rushlight.manual_seed(1)
    return nn.Sequential(
        nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.5), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1)
    )


@pytest.mark.parametrize("use_reentrant", [True, False])
@pytest.mark.parametrize("early", [True, False])
def test_checkpointed_gradients_are_the_same(use_reentrant, early):
    net = network()
    x = rushlight.rand(5, 4)
    results = []
    for checkpointed in (False, True):
        net.zero_grad()
        inputs = x.clone().requires_grad_()
        rushlight.manual_seed(7)
        with set_checkpoint_early_stop(early):
            y = (
                checkpoint(net, inputs, use_reentrant=use_reentrant)
                if checkpointed
                else net(inputs)
            )
        random_after = rushlight.rand(1).item()
        y.pow(2).sum().backward()
        results.append(
            (
                y.tolist(),
                random_after,
                inputs.grad.tolist(),
                [p.grad.tolist() for p in net.parameters()],
            )
        )
    assert results[0] == results[1]


@pytest.mark.parametrize("use_reentrant", [True, False])
def test_checkpoint_sequential(use_reentrant):
    net = network().eval()
    x = rushlight.rand(5, 4, requires_grad=True)
    y = checkpoint_sequential(net, 3, x, use_reentrant=use_reentrant)
    y.sum().backward()
    g = x.grad
    x.grad = None
    net(x).sum().backward()
    assert g.tolist() == x.grad.tolist()


def test_checkpoint_saves_less_and_computes_twice():
    calls = []

    def f(x):
        calls.append(1)
        return x.exp().sin().exp()

    x = rushlight.rand(1000, requires_grad=True)
    y = checkpoint(f, x, use_reentrant=False)
    assert len(calls) == 1
    y.sum().backward()
    assert len(calls) == 2
    expected = x.detach().clone().requires_grad_()
    f(expected).sum().backward()
    assert x.grad.tolist() == expected.grad.tolist()


def test_checkpoint_without_inputs_that_require_gradients():
    w = rushlight.ones(3, requires_grad=True)
    y = checkpoint(lambda x: (x * w).exp(), rushlight.ones(3), use_reentrant=False)
    y.sum().backward()
    assert w.grad.tolist() == pytest.approx([rushlight.e] * 3)
    with pytest.warns(UserWarning, match="None of the inputs have requires_grad=True"):
        checkpoint(lambda x: x * 2, rushlight.ones(3), use_reentrant=True)


def test_nested_checkpoints_and_second_derivatives():
    x = rushlight.tensor([0.3, 0.7], dtype=rushlight.float64, requires_grad=True)

    def inner(x):
        return x.sin() * x

    def outer(x):
        return checkpoint(inner, x.exp(), use_reentrant=False).cos()

    y = checkpoint(outer, x, use_reentrant=False)
    (g,) = rushlight.autograd.grad(y.sum(), x)
    (expected,) = rushlight.autograd.grad((inner(x.exp())).cos().sum(), x)
    assert g.tolist() == pytest.approx(expected.tolist())


def test_checkpoint_notices_another_result():
    sizes = iter([3, 2])

    def f(x):
        return x[: next(sizes)].exp()

    x = rushlight.ones(3, requires_grad=True)
    y = checkpoint(f, x, use_reentrant=False)
    with pytest.raises(CheckpointError, match="different metadata"):
        y.sum().backward()
    with pytest.raises(ValueError, match="Unexpected keyword arguments"):
        checkpoint(f, x, use_reentrant=True, other=1)
    with pytest.warns(UserWarning, match="use_reentrant parameter"):
        checkpoint(rushlight.exp, x)


def test_batched_gradients():
    x = rushlight.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x**2
    (j,) = rushlight.autograd.grad(y, x, rushlight.eye(3), is_grads_batched=True)
    assert j.tolist() == [[2.0, 0.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 6.0]]
    z = rushlight.ones(1, requires_grad=True)
    g = rushlight.autograd.grad(
        (x**2).sum(), (x, z), rushlight.tensor([1.0, 2.0]), is_grads_batched=True, allow_unused=True
    )
    assert g[0].tolist() == [[2.0, 4.0, 6.0], [4.0, 8.0, 12.0]]
    assert g[1] is None


def test_anomaly_mode_names_the_forward_line():
    x = rushlight.tensor([0.0], requires_grad=True)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with rushlight.autograd.detect_anomaly(), pytest.raises(RuntimeError, match="returned nan"):
            y = x.sqrt() * 0  # the line to be named
            y.sum().backward()
    text = next(str(w.message) for w in seen if "Error detected" in str(w.message))
    assert "Error detected in SqrtBackward0" in text
    assert "y = x.sqrt() * 0  # the line to be named" in text
    assert "Traceback of forward call that caused the error" in text


def test_nodes_keep_notes():
    x = rushlight.ones(1, requires_grad=True)
    y = x * 2
    y.grad_fn.metadata["mine"] = 1
    assert y.grad_fn.metadata == {"mine": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rushlight.autograd.detect_anomaly():
            z = x * 3
    assert "test_nodes_keep_notes" in "".join(z.grad_fn.metadata["traceback_"])
    assert (x * 3).grad_fn.metadata == {}


SAVED = {
    "a * b": ("self", "other"),
    "a / b": ("self", "other"),
    "a ** 2": ("self",),
    "a ** b": ("self", "exponent", "result"),
    "m @ m": ("self", "mat2"),
    "torch.bmm(m[None], m[None])": ("self", "mat2"),
    "m.mv(a)": ("self", "vec"),
    "a.dot(b)": ("self", "tensor"),
    "torch.addmm(m, m, m)": ("mat1", "mat2"),
    "torch.where(a > 0.5, a, b)": ("condition",),
    "a.gather(0, torch.tensor([0]))": ("index",),
    "a.log()": ("self",),
    "a.sin()": ("self",),
    "a.cos()": ("self",),
    "a.abs()": ("self",),
    "a.log1p()": ("self",),
    "a.erf()": ("self",),
    "a.asin()": ("self",),
    "a.atan()": ("self",),
    "a.logsumexp(0)": ("self", "result"),
    "a.exp()": ("result",),
    "a.sqrt()": ("result",),
    "a.tanh()": ("result",),
    "a.sigmoid()": ("result",),
    "a.relu()": ("result",),
    "a.softmax(0)": ("result",),
    "a.reciprocal()": ("result",),
}


@pytest.mark.parametrize("expression", SAVED)
def test_saved_attributes_are_named_as_in_pytorch(expression):
    torch = pytest.importorskip("torch")
    found = []
    for library in (rushlight, torch):
        names = {
            "torch": library,
            "a": library.tensor([0.25, 0.5, 0.75], requires_grad=True),
            "b": library.tensor([0.5, 0.25, 0.1], requires_grad=True),
            "m": library.tensor(
                [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]], requires_grad=True
            ),
        }
        node = eval(expression, names).grad_fn
        values = {name: getattr(node, f"_saved_{name}") for name in SAVED[expression]}
        assert all(f"_saved_{name}" in dir(node) for name in values)
        found.append(
            {
                k: (tuple(v.shape), v.requires_grad, v.reshape(-1).tolist())
                for k, v in values.items()
            }
        )
    assert found[0].keys() == found[1].keys()
    for name, (shape, requires, values) in found[1].items():
        assert found[0][name][:2] == (shape, requires)
        assert found[0][name][2] == pytest.approx(values, rel=1e-6)
    x = rushlight.ones(2, requires_grad=True)
    with pytest.raises(AttributeError):
        x.exp().grad_fn._saved_nothing


def test_writing_into_what_is_saved():
    """The gradient is that of the values from before the write: d(exp(x)) = exp(x), d(x y) = y."""
    x = rushlight.tensor([0.5, 1.0], requires_grad=True)
    y = rushlight.tensor([2.0, 3.0])
    with allow_mutation_on_saved_tensors():
        z = x.exp()
        total = (z * y).sum()
        y.zero_()
        with rushlight.no_grad():
            z.zero_()
        total.backward()
    expected = (rushlight.tensor([2.0, 3.0]) * rushlight.tensor([0.5, 1.0]).exp()).tolist()
    assert x.grad.tolist() == expected
