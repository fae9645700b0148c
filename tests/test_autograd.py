"""Autograd: values, graph structure, attributes. What can be compared with PyTorch is."""

import math
import warnings

import pytest

import rushlight as rl

from graphs import both, leaf, total


# ---- values ------------------------------------------------------------------------------------------------------


def test_product_rule():
    x, y = leaf(rl, 2.0, 3.0), leaf(rl, 5.0, 7.0)
    total(x * y + x).backward()
    assert x.grad.tolist() == [6.0, 8.0]
    assert y.grad.tolist() == [2.0, 3.0]


def test_gradients_add_up():
    x = leaf(rl, 1.0, 2.0)
    first = None
    for k in range(1, 4):
        total(x * x).backward()
        first = x.grad if first is None else first
        assert x.grad is first, "added in place"
        assert x.grad.tolist() == [2.0 * k, 4.0 * k]


def test_shared_subexpressions():
    def run(ns):
        x = leaf(ns, 0.5, -1.5)
        y = x * x
        z = y * x + y.exp() * y
        z.sum().backward()
        return [round(v, 10) for v in x.grad.tolist()]

    both(run)


def test_broadcast_gradient_is_summed():
    def run(ns):
        a = ns.ones(3, 1, dtype=ns.float64).requires_grad_()
        b = ns.ones(2, dtype=ns.float64).requires_grad_()
        c = ns.ones((), dtype=ns.float64).requires_grad_()
        (a * b * c * 2).sum().backward()
        return [a.grad.tolist(), b.grad.tolist(), c.grad.item(), list(a.grad.shape)]

    assert both(run) == [[[4.0], [4.0], [4.0]], [6.0, 6.0], 12.0, [3, 1]]


def test_gradient_takes_the_inputs_dtype():
    def run(ns):
        x = ns.ones(2, dtype=ns.float32, requires_grad=True)
        y = ns.ones(2, dtype=ns.float64, requires_grad=True)
        (x * y).sum().backward()
        return [str(x.grad.dtype), str(y.grad.dtype)]

    both(run)


def test_higher_derivatives():
    x = leaf(rl, 1.3)
    y = x.sin()
    expected = [math.cos(1.3), -math.sin(1.3), -math.cos(1.3), math.sin(1.3)]
    for want in expected:
        (y,) = rl.autograd.grad(y, x, create_graph=True)
        assert y.item() == pytest.approx(want, rel=1e-12)


def test_create_graph_backward_of_leaf_gradient():
    def run(ns):
        x = leaf(ns, 2.0, 3.0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            (x**3).sum().backward(create_graph=True)
        g = x.grad
        name = type(g.grad_fn).__name__
        x.grad = None
        g.sum().backward()
        return [name, g.tolist(), x.grad.tolist()]

    assert both(run) == ["CopyBackwards", [12.0, 27.0], [12.0, 18.0]]


def test_long_chain_neither_recurses_forward_nor_back():
    x = leaf(rl, 1.0)
    y = x
    for _ in range(1_000_000):
        y = -y
    y.backward()
    assert x.grad.tolist() == [1.0]
    y = x
    for _ in range(1_000_000):
        y = -y
    del y


def test_wide_and_deep_diamonds():
    x = leaf(rl, 1.0)
    y = x
    for _ in range(60):
        y = y + y
    y.backward()
    assert x.grad.item() == 2.0**60


# ---- grad, inputs, retain_graph ---------------------------------------------------------------------------------------


def test_grad_leaves_leaves_alone():
    x, w = leaf(rl, 2.0), leaf(rl, 3.0)
    y = x * w
    gx, gw = rl.autograd.grad(y * y, [x, w])
    assert (gx.item(), gw.item()) == (36.0, 24.0)
    assert x.grad is None
    assert w.grad is None


def test_grad_of_results():
    def run(ns):
        x = leaf(ns, 2.0)
        y = x * x
        z = y * 3
        gy, gx, gz = ns.autograd.grad(z, [y, x, z])
        return [gy.item(), gx.item(), gz.item()]

    assert both(run) == [3.0, 12.0, 1.0]


def test_grad_runs_only_what_is_needed():
    calls = []

    class Probe(rl.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            calls.append(1)
            return g

    x, w = leaf(rl, 2.0), leaf(rl, 3.0)
    z = Probe.apply(w) * x
    rl.autograd.grad(z, x, retain_graph=True)
    assert calls == []
    rl.autograd.grad(z, w)
    assert calls == [1]


def test_unused_inputs():
    x, w = leaf(rl, 2.0), leaf(rl, 3.0)
    assert rl.autograd.grad(x * 2, [x, w], allow_unused=True)[1] is None
    zero = rl.autograd.grad(x * 2, [x, w], materialize_grads=True)[1]
    assert zero.tolist() == [0.0]
    assert set(rl.autograd.grad(x * 2, {"a": x})) == {"a"}


def test_backward_with_inputs():
    def run(ns):
        x, w = leaf(ns, 2.0), leaf(ns, 3.0)
        y = x * w
        z = y * y
        z.backward(inputs=[x, y])
        return [x.grad.item(), w.grad is None, y.grad.item()]

    assert both(run) == [36.0, True, 12.0]


def test_several_roots_and_gradients():
    def run(ns):
        x = leaf(ns, 2.0, 3.0)
        y, z = x * 2, x * x
        one = ns.ones(2, dtype=ns.float64)
        ns.autograd.backward([y, z, z.sum()], [one, one * 10, None])
        return x.grad.tolist()

    assert both(run) == [2 + 40 + 4.0, 2 + 60 + 6.0]


def test_root_that_leads_to_another_root():
    def run(ns):
        x = leaf(ns, 2.0)
        y = x * x
        z = y * 3
        ns.autograd.backward([z, y])
        return x.grad.item()

    assert both(run) == 16.0


def test_retain_graph():
    x = leaf(rl, 2.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == 8.0
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        y.backward()


def test_gradient_buffers_are_not_shared():
    """add hands the same gradient to both inputs: each leaf must have a grad of its own."""
    x, y = leaf(rl, 1.0, 2.0), leaf(rl, 3.0, 4.0)
    seed = rl.ones(2, dtype=rl.float64)
    (x + y).backward(seed)
    assert x.grad.data_ptr() != y.grad.data_ptr()
    (x + y).backward(seed)
    assert seed.tolist() == [1.0, 1.0]
    assert x.grad.tolist() == y.grad.tolist() == [2.0, 2.0]


def test_grad_layout_follows_the_leaf():
    def run(ns):
        x = ns.ones(2, 3, dtype=ns.float64).t().requires_grad_()
        (x * 2).sum().backward()
        y = ns.ones(1, dtype=ns.float64).requires_grad_()
        y.expand(4).sum().backward()
        z = ns.ones(2, 2, dtype=ns.float64, requires_grad=True)
        z.sum().backward()
        return [list(x.grad.stride()), list(y.grad.stride()), list(z.grad.stride())]

    assert both(run) == [[1, 3], [1], [2, 1]]


# ---- attributes ---------------------------------------------------------------------------------------------------


def test_attributes():
    def run(ns):
        x = leaf(ns, 1.0)
        y = x * 2
        d = y.detach()
        return [
            x.is_leaf, y.is_leaf, d.is_leaf, x.requires_grad, y.requires_grad, d.requires_grad,
            x.grad_fn is None, type(y.grad_fn).__name__, y.grad_fn.name(), x.grad is None, y.output_nr,
            x._version, y.retains_grad, y._is_view(), y[:1]._is_view(), y[:1]._base is y, d._is_view(),
            type(y.grad_fn.next_functions[0][0]).__name__, y.grad_fn.next_functions[0][0].variable is x,
            y.grad_fn.next_functions[1][0], y.grad_fn.next_functions[0][0].name(),
        ]  # fmt: skip

    both(run)


def test_node_objects_are_unique_and_print():
    x = leaf(rl, 1.0)
    y = x + 1
    assert y.grad_fn is y.grad_fn
    assert repr(y.grad_fn).startswith("<AddBackward0 object at 0x")
    assert isinstance(y.grad_fn, rl.autograd.graph.Node)
    assert x.grad is x.grad


def test_versions():
    def run(ns):
        x = ns.zeros(3)
        v, d = x[1:], x.detach()
        versions = [x._version]
        x.add_(1)
        v.mul_(2)
        d.zero_()
        versions.append((x._version, v._version, d._version))
        x.data.add_(1)
        versions.append(x._version)
        return versions

    both(run)


def test_detach_and_data():
    x = leaf(rl, 1.0, 2.0)
    y = x * x
    d = y.detach()
    assert d.data_ptr() == y.data_ptr()
    y.detach_()
    assert y.is_leaf
    assert not y.requires_grad
    x.data = rl.tensor([5.0, 6.0, 7.0], dtype=rl.float64)
    total(x * x).backward()
    assert x.grad.tolist() == [10.0, 12.0, 14.0]


def test_variable():
    x = rl.autograd.Variable(rl.ones(2), requires_grad=True)
    assert x.requires_grad
    assert isinstance(x, rl.autograd.Variable)
