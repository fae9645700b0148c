"""Autograd: hooks of tensors and nodes; anomaly mode."""

import math

import pytest

import rushlight as rl

from graphs import both, leaf


def test_tensor_hooks_order_and_replacement():
    def run(ns):
        seen = []
        x = leaf(ns, 2.0)
        y = x * 3
        y.register_hook(lambda g: seen.append(("y1", g.item())))
        y.register_hook(lambda g: g * 10)
        handle = y.register_hook(lambda g: seen.append(("never", 0)))
        y.register_hook(lambda g: seen.append(("y2", g.item())))
        x.register_hook(lambda g: seen.append(("x", g.item())))
        x.register_hook(lambda g: g + 1)
        handle.remove()
        (y * y).backward()
        return [seen, x.grad.item()]

    assert both(run) == [[("y1", 12.0), ("y2", 120.0), ("x", 360.0)], 361.0]


def test_hook_sees_the_whole_gradient():
    def run(ns):
        seen = []
        x = leaf(ns, 2.0)
        y = x * x
        y.register_hook(lambda g: seen.append(g.item()))
        (y + y * 3 + y * y).backward()
        return [seen, x.grad.item()]

    assert both(run)[0] == [12.0]


def test_hook_before_inplace_belongs_to_the_old_value():
    def run(ns):
        seen = []
        x = leaf(ns, 2.0)
        y = x * 1
        y.register_hook(lambda g: seen.append(("old", g.item())))
        y.mul_(5)
        y.register_hook(lambda g: seen.append(("new", g.item())))
        y.backward()
        return seen

    assert both(run) == [("new", 1.0), ("old", 5.0)]


def test_retain_grad():
    def run(ns):
        x = leaf(ns, 2.0)
        y = x * x
        y.retain_grad()
        y.retain_grad()
        z = y * 3
        z.retain_grad()
        z.mul_(2)
        z.backward()
        return [y.grad.item(), z.grad.item(), y.retains_grad, x.retains_grad]

    both(run)


def test_retain_grad_of_a_tensor_that_dies():
    x = leaf(rl, 2.0)
    y = x * x
    y.retain_grad()
    z = y * 3
    del y
    z.backward()
    assert x.grad.item() == 12.0


def test_post_accumulate_hook():
    def run(ns):
        seen = []
        x = leaf(ns, 2.0)
        handle = x.register_post_accumulate_grad_hook(
            lambda t: seen.append((t is x, t.grad.item()))
        )
        (x * x).backward()
        handle.remove()
        (x * x).backward()
        return seen

    assert both(run) == [(True, 4.0)]


def test_node_hooks():
    def run(ns):
        seen = []
        x = leaf(ns, 2.0)
        y = x * 3
        y.grad_fn.register_prehook(lambda outs: (outs[0] * 2,))
        y.grad_fn.register_hook(lambda ins, outs: seen.append((len(ins), outs[0].item())))
        y.grad_fn.register_hook(lambda ins, outs: (ins[0] + 1, *ins[1:]))
        y.backward()
        return [seen, x.grad.item()]

    both(run)


def test_hook_that_raises():
    x = leaf(rl, 2.0)
    y = x * x

    def bad(g):
        raise KeyError("mine")

    y.register_hook(bad)
    with pytest.raises(KeyError, match="mine"):
        (y * y).backward()
    assert x.grad is None


def test_backward_inside_a_hook():
    def run(ns):
        x, w = leaf(ns, 2.0), leaf(ns, 5.0)
        y = x * x
        shared = x * 7

        def hook(g):
            with ns.enable_grad():
                (w * w).backward()
                shared.backward(retain_graph=True)

        y.register_hook(hook)
        (y * shared).backward(retain_graph=True)
        return [w.grad.item(), x.grad.item()]

    assert both(run) == [10.0, 7.0 + 3 * 7 * 4.0]


# ---- anomaly -----------------------------------------------------------------------------------------------------------


def test_anomaly_names_the_node():
    x = leaf(rl, -1.0, 0.0)
    with pytest.warns(UserWarning, match="Anomaly Detection has been enabled"):
        context = rl.autograd.detect_anomaly()
    with context:
        y = x.sqrt() * 0
        with (
            pytest.warns(UserWarning, match="Error detected in SqrtBackward0"),
            pytest.raises(
                RuntimeError,
                match="Function 'SqrtBackward0' returned nan values in its 0th output.",
            ),
        ):
            y.backward(rl.ones(2, dtype=rl.float64))
    y = x.sqrt() * 0
    y.backward(rl.ones(2, dtype=rl.float64))
    assert math.isnan(x.grad[0].item())
