"""Python objects of tensors that C still holds when Python has let go of them."""

import gc
import weakref

import pytest
import rushlight
from rushlight import nn


class Sub(rushlight.Tensor):
    pass


@pytest.fixture(autouse=True)
def nothing_is_left_over():
    gc.collect()
    before = rushlight._C._alloc_live()
    yield
    gc.collect()
    assert rushlight._C._alloc_live() == before


def test_a_parameter_comes_back_from_the_graph():
    p = nn.Parameter(rushlight.ones(2))
    p.tag = "mine"
    y = (p * 2).sum()
    node = y.grad_fn.next_functions[0][0].next_functions[0][0]
    address = p.data_ptr()
    del p
    gc.collect()
    back = node.variable
    assert type(back) is nn.Parameter
    assert back.tag == "mine"
    assert back.data_ptr() == address
    y.backward()
    assert back.grad.tolist() == [2.0, 2.0]
    del back
    assert node.variable.grad.tolist() == [2.0, 2.0]
    assert node.variable.tag == "mine"


def test_a_gradient_keeps_class_and_attributes():
    x = rushlight.ones(2, requires_grad=True)
    g = rushlight.full((2,), 3.0).as_subclass(Sub)
    g.note = [1]
    x.grad = g
    del g
    assert type(x.grad) is Sub
    assert x.grad.note == [1]
    plain = rushlight.zeros(2)
    plain.note = "kept"
    x.grad = plain
    del plain
    assert x.grad.note == "kept"


def test_saved_tensors_keep_their_objects():
    class Square(rushlight.autograd.Function):
        @staticmethod
        def forward(ctx, x, w):
            ctx.save_for_backward(x, w)
            return x * w

        @staticmethod
        def backward(ctx, g):
            x, w = ctx.saved_tensors
            seen.append((type(w), w.tag))
            return g * w, None

    seen = []
    x = rushlight.ones(2, requires_grad=True)
    w = rushlight.full((2,), 2.0)
    w.tag = 7
    y = Square.apply(x, w).sum()
    del w
    gc.collect()
    y.backward()
    assert seen == [(rushlight.Tensor, 7)]
    assert x.grad.tolist() == [2.0, 2.0]


def test_weak_references_live_as_long_as_the_tensor():
    x = rushlight.ones(2, requires_grad=True)
    g = rushlight.ones(2)
    ref = weakref.ref(g)
    x.grad = g
    identity = id(g)
    del g
    assert ref() is not None
    assert id(x.grad) == identity
    x.grad = None
    assert ref() is None


def test_objects_die_with_their_tensor():
    class Canary:
        pass

    canary = Canary()
    alive = weakref.ref(canary)
    x = rushlight.ones(2, requires_grad=True)
    g = rushlight.ones(2).as_subclass(Sub)
    g.canary = canary
    x.grad = g
    del g, canary
    assert alive() is not None
    del x
    assert alive() is None


def test_a_kept_object_in_a_cycle_is_collected():
    class Canary:
        pass

    canary = Canary()
    alive = weakref.ref(canary)
    x = rushlight.ones(2, requires_grad=True)
    g = rushlight.ones(2).as_subclass(Sub)
    g.canary = canary
    g.owner = x  # x -> grad -> its object's attributes -> x
    x.grad = g
    del g, canary, x
    gc.collect()
    assert alive() is None


def test_a_kept_leaf_in_a_cycle_is_collected():
    class Canary:
        pass

    canary = Canary()
    alive = weakref.ref(canary)
    p = nn.Parameter(rushlight.ones(2))
    y = (p * 2).sum()
    p.result = y  # y -> graph -> p -> its attributes -> y
    p.canary = canary
    del p, canary
    gc.collect()
    assert alive() is not None
    del y
    gc.collect()
    assert alive() is None


def test_finalizers_run_once():
    runs = []

    class Final(rushlight.Tensor):
        def __del__(self):
            runs.append(1)

    x = rushlight.ones(2, requires_grad=True)
    g = rushlight.ones(2).as_subclass(Final)
    x.grad = g
    del g
    assert type(x.grad) is Final
    x.grad = None
    assert runs == [1]


def test_many_times_there_and_back():
    x = rushlight.ones(2, requires_grad=True)
    x.grad = rushlight.ones(2).as_subclass(Sub)
    x.grad.count = 0
    for _ in range(100):
        x.grad.count += 1
    assert x.grad.count == 100
    gc.collect()
    assert x.grad.count == 100


def test_backward_without_the_interpreter_lock_frees_kept_objects():
    class Canary:
        pass

    refs = []
    x = rushlight.ones(3, requires_grad=True)
    y = x
    for _ in range(5):
        w = rushlight.full((3,), 1.5).as_subclass(Sub)
        w.canary = Canary()
        refs.append(weakref.ref(w.canary))
        with rushlight._C.DisableTorchFunctionSubclass():
            y = y * w
        del w
    assert all(r() is not None for r in refs)
    y.sum().backward()
    assert all(r() is None for r in refs)
    assert x.grad.tolist() == [1.5**5] * 3
