"""Autograd: writes in place, into results, views and their bases."""

from array import array

import rushlight as rl

from graphs import both, leaf


def test_inplace_on_result():
    def run(ns):
        x = leaf(ns, 2.0, 3.0)
        y = x * x
        y.mul_(x)
        y.add_(1)
        y.exp_() if hasattr(y, "exp_") else None
        y.backward(ns.ones(2, dtype=ns.float64))
        return [round(v / 1e3, 6) for v in x.grad.tolist()]

    both(run)


def test_halving_loop():
    """The document's loop: X /= 2 on a result while it is large."""

    def run(ns):
        x = leaf(ns, 8.0, -5.0)
        y = x * 3
        n = 0
        while y.abs().sum() > 1:
            y /= 2
            n += 1
        y.sum().backward()
        return [n, x.grad.tolist(), type(y.grad_fn).__name__]

    both(run)


def test_inplace_on_view_changes_the_base():
    def run(ns):
        x = leaf(ns, 1.0, 2.0, 3.0, 4.0)
        y = x * 1
        v = y[1:3]
        v.mul_(10)
        names = [type(y.grad_fn).__name__, type(v.grad_fn).__name__]
        (y * y).sum().backward()
        return [names, x.grad.tolist(), y.tolist(), v.tolist()]

    assert both(run)[0] == ["CopySlices", "AsStridedBackward0"]


def test_inplace_on_view_of_a_tensor_without_gradient():
    def run(ns):
        w = leaf(ns, 3.0)
        out = ns.zeros(3, dtype=ns.float64)
        before = out[0:1]
        for k in range(3):
            out[k] = w[0] * (k + 1)
        out.sum().backward()
        return [
            w.grad.tolist(),
            out.requires_grad,
            before.requires_grad,
            type(before.grad_fn).__name__,
        ]

    both(run)


def test_base_written_then_old_view_used():
    def run(ns):
        x = leaf(ns, 1.0, 2.0, 3.0)
        y = x * 2
        v = y[:2]
        y.mul_(5)
        (v * v).sum().backward()
        return [x.grad.tolist(), type(v.grad_fn).__name__]

    both(run)


def test_write_through_view_of_view():
    def run(ns):
        x = ns.ones(2, 3, dtype=ns.float64).requires_grad_()
        y = x * 1
        y.t()[1].mul_(4)
        y.view(-1)[0:2].add_(x.view(-1)[1:3])
        (y * y).sum().backward()
        return [x.grad.tolist(), y.tolist()]

    both(run)


def test_copy_and_fill_cut_history():
    def run(ns):
        x = leaf(ns, 1.0, 2.0, 3.0)
        y = x * 2
        y[0] = 7.0
        y[1:].copy_(x[:2] * 10)
        y.sum().backward()
        return [x.grad.tolist(), y.tolist()]

    both(run)


def test_inplace_double_backward():
    def run(ns):
        x = leaf(ns, 2.0, 3.0)
        y = x * x
        y[0:1].mul_(x[1:2])
        y.mul_(x)
        (g,) = ns.autograd.grad(y.sum(), x, create_graph=True)
        (h,) = ns.autograd.grad((g * g).sum(), x)
        return [g.tolist(), h.tolist()]

    both(run)


def test_inplace_under_no_grad_keeps_the_leaf():
    x = leaf(rl, 1.0, 2.0)
    with rl.no_grad():
        x -= 0.5
    assert x.is_leaf
    assert x.requires_grad
    assert x.tolist() == [0.5, 1.5]


def test_activations_write_over_no_gradient_that_somebody_sees():
    """The derivative of an activation may take the place of a gradient that the engine alone holds: not one that is
    kept by a hook, by retain_grad, by its caller, or that goes elsewhere too."""
    seen = {}
    x = rl.tensor([-1.0, 2.0, 3.0], requires_grad=True)
    h = x * 2
    h.retain_grad()
    y = h.relu()
    y.retain_grad()
    z = y * rl.tensor([5.0, 6.0, 7.0])
    y.grad_fn.register_hook(lambda dx, g: seen.update(node=(dx[0].clone(), g[0].clone())))
    z.register_hook(lambda g: seen.update(kept=g))
    z.relu().backward(rl.ones(3))
    assert seen["kept"].tolist() == [0, 1, 1]
    assert [t.tolist() for t in seen["node"]] == [[0, 6, 7], [0, 6, 7]]
    assert (y.grad.tolist(), h.grad.tolist(), x.grad.tolist()) == ([0, 6, 7], [0, 6, 7], [0, 12, 14])

    a, b = (rl.tensor([v, -v], requires_grad=True) for v in (1.0, -2.0))
    g = rl.tensor([3.0, 4.0])
    total = a.relu() + b.relu() + a * 2  # one gradient for all three
    total.backward(g)
    assert (a.grad.tolist(), b.grad.tolist(), g.tolist()) == ([9, 8], [0, 4], [3, 4])
    values = array("f", [3.0, 4.0])
    (a * 1).sigmoid().backward(rl.frombuffer(values, dtype=rl.float32))
    assert list(values) == [3, 4]
