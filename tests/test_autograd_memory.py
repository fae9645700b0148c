"""Nothing leaks: graphs, hooks, Functions and cycles through them."""

import gc
import threading
import weakref

import pytest

import rushlight as rl
from rushlight import _C

live = _C._alloc_live


@pytest.fixture(scope="module", autouse=True)
def only_what_is_new():
    """What other modules loaded is set aside, so that a collection looks at what a test made."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


class Big:
    """Something to hang in a graph and wait for."""


def leaf(*values):
    return rl.tensor(list(values), dtype=rl.float64, requires_grad=True)


def steady(step, rounds=4):
    """step leaves no block behind, once warmed up."""
    step()
    step()
    gc.collect()
    before = live()
    for _ in range(rounds):
        step()
    gc.collect()
    assert live() == before


def test_training_step_leaves_nothing():
    w = rl.ones(3, 3, dtype=rl.float64, requires_grad=True)

    def step():
        x = rl.ones(2, 3, dtype=rl.float64)
        (x @ w).exp().sum().backward()
        w.grad = None

    steady(step)


def test_unused_graphs_are_freed():
    w = leaf(1.0, 2.0)

    def step():
        y = (w * w).exp()
        v = y[:1]
        v.mul_(3)
        y.view(2, 1) * w

    steady(step)


def test_failed_backward_leaves_nothing():
    w = leaf(1.0, 2.0)

    def step():
        y = w * w
        z = y * y
        y.add_(1)
        with pytest.raises(RuntimeError):
            z.sum().backward()
        with pytest.raises(RuntimeError):
            z.backward(rl.ones(3))

    steady(step)


def test_double_backward_leaves_nothing():
    w = leaf(1.0, 2.0)

    def step():
        (g,) = rl.autograd.grad((w**3).sum(), w, create_graph=True)
        g.sum().backward()
        w.grad = None

    steady(step)


def test_function_leaves_nothing():
    class F(rl.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x * 2
            ctx.save_for_backward(x, y)
            ctx.big = Big()
            return y

        @staticmethod
        def backward(ctx, g):
            return g * ctx.saved_tensors[1]

    w = leaf(1.0, 2.0)

    def step():
        F.apply(F.apply(w)).sum().backward()
        w.grad = None
        F.apply(w)

    steady(step)


def collected(make):
    """make returns a weak reference to something in a cycle; the collector gets it."""
    gc.collect()
    before = live()
    reference = make()
    gc.collect()
    assert reference() is None
    assert live() == before


def test_cycle_through_a_leafs_hook():
    def make():
        x, big = leaf(1.0), Big()
        x.register_hook(lambda g: (x, big))
        return weakref.ref(big)

    collected(make)


def test_cycle_through_a_results_hook():
    def make():
        x, big = leaf(1.0), Big()
        y = x * 2
        y.register_hook(lambda g: (y, big))
        del x
        return weakref.ref(big)

    collected(make)


def test_cycle_through_a_hook_deep_in_the_graph():
    def make():
        x, big = leaf(1.0), Big()
        y = x * 2
        a, b = y.exp(), y.sin()
        z = a * b + y
        y.grad_fn.register_hook(lambda i, o: (z, big))
        del a, b, x, y
        return weakref.ref(big)

    collected(make)


def test_cycle_through_a_node_object():
    def make():
        x, big = leaf(1.0), Big()
        node = (x * 2).grad_fn
        node.register_prehook(lambda g: (node, big))
        return weakref.ref(big)

    collected(make)


def test_cycle_through_a_functions_context():
    class F(rl.autograd.Function):
        @staticmethod
        def forward(ctx, x, box):
            ctx.box = box
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g, None

    def make():
        box = Big()
        box.y = F.apply(leaf(1.0), box)
        return weakref.ref(box)

    collected(make)

    def deeper():
        box = Big()
        box.y = F.apply(leaf(1.0), box).exp() + 1
        return weakref.ref(box)

    collected(deeper)


def test_cycle_through_grad():
    def make():
        x, big = leaf(1.0), Big()
        g = rl.ones(1, dtype=rl.float64).requires_grad_() * 2
        g.register_hook(lambda grad: (x, big))
        x.grad = g.detach()
        x.register_post_accumulate_grad_hook(lambda t: (x, big))
        return weakref.ref(big)

    collected(make)


def test_live_things_are_not_collected():
    seen = []
    x = leaf(2.0)

    def build():
        y = x * 3
        big = Big()
        y.register_hook(lambda g: seen.append((big is not None, g.item())))
        return y.exp().log() * 2

    z = build()
    for _ in range(3):
        gc.collect()
    z.backward()
    assert seen == [(True, pytest.approx(2.0))]
    assert x.grad.item() == pytest.approx(6.0)


def test_collector_and_a_shared_graph():
    """Two tensors own one graph: neither may give the collector its hooks."""
    seen = []
    x = leaf(2.0)
    y = x * 3
    y.register_hook(lambda g: seen.append(g.item()))
    a, b = y * 2, y * 5
    del y
    gc.collect()
    a.backward(retain_graph=True)
    gc.collect()
    b.backward()
    assert seen == [2.0, 5.0]


def test_handle_outlives_its_tensor():
    big = Big()
    reference = weakref.ref(big)
    x = leaf(1.0)
    handle = x.register_hook(lambda g, big=big: None)
    del big, x
    assert reference() is None
    handle.remove()


def test_long_chain_of_functions_is_freed():
    class F(rl.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.kept = x
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g

    def make():
        y = leaf(1.0)
        for _ in range(20_000):
            y = F.apply(y)
        y.backward()

    gc.collect()
    before = live()
    make()
    gc.collect()
    assert live() == before


def test_collection_during_backward_in_another_thread():
    x = rl.ones(200, 200, requires_grad=True)
    stop = threading.Event()
    errors = []

    def collect():
        while not stop.is_set():
            gc.collect()

    def train():
        try:
            for _ in range(20):
                y = x @ x
                y.register_hook(lambda g: g * 1)
                (y @ x).sum().backward()
                x.grad = None
        except Exception as e:  # noqa: BLE001 - shown below
            errors.append(e)

    threads = [
        threading.Thread(target=collect),
        threading.Thread(target=train),
        threading.Thread(target=train),
    ]
    for t in threads:
        t.start()
    for t in threads[1:]:
        t.join()
    stop.set()
    threads[0].join()
    assert errors == []


@pytest.mark.parametrize("kind", ["forward", "backward", "function", "inplace"])
def test_no_leak_when_memory_runs_out(kind):
    class F(rl.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * ctx.saved_tensors[0]

    w = leaf(1.0, 2.0)

    def step():
        if kind == "function":
            F.apply(w * 1).sum().backward()
        elif kind == "inplace":
            y = w * 1
            y[0:1].mul_(w[1:2])
            y.exp_()
            y.sum().backward()
        else:
            y = (w * w).exp().sum()
            if kind == "backward":
                y.backward()

    step()
    w.grad = None
    gc.collect()
    before = live()
    for n in range(1, 400):
        _C._alloc_fail_after(n)
        try:
            step()
            done = True
        except RuntimeError:
            done = False
        finally:
            _C._alloc_fail_after(0)
        w.grad = None
        if live() != before:
            gc.collect()
        assert live() == before, n
        if done:
            break
    assert done
    assert n > 5
