"""__torch_function__: subclasses of Tensor, foreign classes, modes, and what PyTorch calls in their place."""

import copy
import inspect
import operator
import pickle
import types
from typing import ClassVar

import functional_calls
import pytest

import rushlight
from rushlight import nn
from rushlight.nn import functional as F
from rushlight.overrides import (
    TorchFunctionMode,
    handle_torch_function,
    has_torch_function,
    is_tensor_like,
    resolve_name,
)


class Sub(rushlight.Tensor):
    pass


class Deeper(Sub):
    pass


def recorder(torch):
    """A subclass of this library's Tensor that notes the names of what it is asked for."""

    class Recorder(torch.Tensor):
        calls: ClassVar[list] = []

        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            cls.calls.append((torch.overrides.resolve_name(func), len(types)))
            return super().__torch_function__(func, types, args, kwargs or {})

    return Recorder


OPERATIONS = {
    "x + 1": lambda torch, x: x + 1,
    "1 + x": lambda torch, x: 1 + x,
    "plain + x": lambda torch, x: torch.ones(3) + x,
    "x - 1": lambda torch, x: x - 1,
    "1 - x": lambda torch, x: 1 - x,
    "x / 2": lambda torch, x: x / 2,
    "2 / x": lambda torch, x: 2 / x,
    "x // 2": lambda torch, x: x // 2,
    "2 % x": lambda torch, x: 2 % x,
    "x ** 2": lambda torch, x: x**2,
    "2 ** x": lambda torch, x: 2**x,
    "x @ x": lambda torch, x: x @ x,
    "-x": lambda torch, x: -x,
    "+x": lambda torch, x: +x,
    "abs(x)": lambda torch, x: abs(x),
    "x < 1": lambda torch, x: x < 1,
    "1 < x": lambda torch, x: 1 < x,
    "x == 1": lambda torch, x: x == 1,
    "x != 1": lambda torch, x: x != 1,
    "x[0]": lambda torch, x: x[0],
    "x[1:]": lambda torch, x: x[1:],
    "bool": lambda torch, x: bool(x[0]),
    "float": lambda torch, x: float(x[0]),
    "int": lambda torch, x: int(x[0]),
    "len": lambda torch, x: len(x),
    "in": lambda torch, x: 1 in x,
    "shape": lambda torch, x: x.shape,
    "T": lambda torch, x: x[None].T,
    "grad": lambda torch, x: x.grad,
    "data": lambda torch, x: x.data,
    "dtype": lambda torch, x: x.dtype,
    "size()": lambda torch, x: x.size(),
    "detach": lambda torch, x: x.detach(),
    "to": lambda torch, x: x.to(torch.float64),
    "double": lambda torch, x: x.double(),
    "long() & 1": lambda torch, x: x.long() & 1,
    "1 & long()": lambda torch, x: 1 & x.long(),
    "1 << long()": lambda torch, x: 1 << x.long(),
    "~long()": lambda torch, x: ~x.long(),
    "sum": lambda torch, x: x.sum(),
    "max": lambda torch, x: x.max(0),
    "max.values": lambda torch, x: x.max(0).values,
    "unbind": lambda torch, x: x.unbind(0)[1],
    "new_zeros": lambda torch, x: x.new_zeros(2),
    "item": lambda torch, x: x[1].item(),
    "tolist": lambda torch, x: x.tolist(),
    "numpy": lambda torch, x: x.numpy(),
    "clone": lambda torch, x: x.clone(),
    "requires_grad_": lambda torch, x: x.clone().detach().requires_grad_(),
    "torch.add": lambda torch, x: torch.add(x, 1),
    "torch.stack": lambda torch, x: torch.stack([x, torch.ones(3)]),
    "torch.zeros_like": lambda torch, x: torch.zeros_like(x),
    "torch.where": lambda torch, x: torch.where(x > 0, x, 0.0),
    "torch.numel": lambda torch, x: torch.numel(x),
    "torch.result_type": lambda torch, x: torch.result_type(x, 1),
    "F.linear": lambda torch, x: torch.nn.functional.linear(x, torch.ones(2, 3)),
    "x += 1": lambda torch, x: operator.iadd(x.clone(), 1),
    "x //= 1": lambda torch, x: operator.ifloordiv(x.clone(), 1),
    "x **= 1": lambda torch, x: operator.ipow(x.clone(), 1),
    "x &= 1": lambda torch, x: operator.iand(x.long(), 1),
    "x[0] = 1": lambda torch, x: operator.setitem(x.clone(), 0, 1),
    "repr": lambda torch, x: repr(x),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", OPERATIONS)
def test_subclasses_are_asked_as_in_pytorch(name):
    torch = pytest.importorskip("torch")
    seen = []
    for library in (rushlight, torch):
        cls = recorder(library)
        x = library.tensor([0.5, 1.0, 2.0]).as_subclass(cls)
        cls.calls.clear()
        result = OPERATIONS[name](library, x)
        kind = type(result).__name__
        value = result.tolist() if isinstance(result, library.Tensor) else str(result)
        seen.append((list(cls.calls), kind, str(value).replace("rushlight", "torch")))
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    "call",
    [
        lambda x: x + 1,
        lambda x: 1 - x,
        lambda x: rushlight.exp(x),
        lambda x: x.reshape(-1),
        lambda x: x.sort().indices,
        lambda x: x.chunk(2)[0],
        lambda x: x[0],
        lambda x: next(iter(x)),
        lambda x: F.relu(x),
        lambda x: F.softmax(x, -1),
        lambda x: F.cross_entropy(x, rushlight.tensor([0, 1])),
        lambda x: nn.Linear(3, 2)(x),
        lambda x: nn.Sequential(nn.Linear(3, 2), nn.ReLU())(x),
        lambda x: rushlight.einsum("ij,ij->i", x, x),
        lambda x: x.data,
        lambda x: x.T,
        lambda x: x.to("cpu", rushlight.float64),
        lambda x: copy.copy(x),
        lambda x: copy.deepcopy(x),
        lambda x: pickle.loads(pickle.dumps(x)),
    ],
)
def test_results_keep_the_subclass(call):
    x = rushlight.rand(2, 3).as_subclass(Sub)
    y = call(x)
    assert type(y) is Sub
    plain = None if "Linear" in call.__code__.co_names else call(x.as_subclass(rushlight.Tensor))
    if plain is not None:
        assert type(plain) is rushlight.Tensor
        assert y.tolist() == plain.tolist()


def test_constructors_of_subclasses():
    assert type(Sub([1.0, 2.0])) is Sub
    assert Sub(2, 3).shape == (2, 3)
    x = rushlight.ones(2)
    y = Sub(x)
    assert type(y) is Sub and y.data_ptr() == x.data_ptr()
    z = rushlight.Tensor._make_subclass(Sub, x, True)
    assert type(z) is Sub and z.requires_grad and z.is_leaf
    assert type(nn.Parameter(z)) is Sub and isinstance(nn.Parameter(z), nn.Parameter)


def test_as_subclass_keeps_the_history():
    w = rushlight.ones(2, requires_grad=True)
    y = (w * 3).as_subclass(Sub)
    assert type(y) is Sub and y.grad_fn.name() == "AliasBackward0"
    y.sum().backward()
    assert w.grad.tolist() == [3.0, 3.0]


def test_the_most_derived_type_is_asked_first():
    a, b = rushlight.ones(2).as_subclass(Sub), rushlight.ones(2).as_subclass(Deeper)
    assert type(a + b) is Deeper
    assert type(b + a) is Deeper

    class Other(rushlight.Tensor):
        pass

    with pytest.raises(TypeError, match="unsupported operand"):
        a + rushlight.ones(2).as_subclass(Other)
    with pytest.raises(TypeError, match="Multiple dispatch failed for 'torch.add'"):
        rushlight.add(a, rushlight.ones(2).as_subclass(Other))


def test_parameters_are_not_asked():
    p = nn.Parameter(rushlight.ones(2))
    assert type(p + 1) is rushlight.Tensor
    assert not has_torch_function((p, rushlight.ones(1), 1.0))
    assert type(p + rushlight.ones(2).as_subclass(Sub)) is Sub


class Foreign:
    """Not a tensor; takes over what it is an argument of."""

    handled: ClassVar[dict] = {}

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func not in cls.handled:
            return NotImplemented
        return cls.handled[func](*args, **(kwargs or {}))


def test_foreign_classes_take_over_functions_and_operators(monkeypatch):
    f, t = Foreign(), rushlight.ones(2)
    handled = {
        rushlight.mean: lambda x, dim=None: ("mean", dim),
        rushlight.Tensor.add: lambda a, b: "add",
        rushlight.stack: lambda items: len(items),
        rushlight.Tensor.__getitem__: lambda x, key: "item",
        rushlight.Tensor.to: lambda x, other: "to",
        F.linear: lambda x, w, b=None: "linear",
        F.relu: lambda x, inplace=False: "relu",
    }
    monkeypatch.setattr(Foreign, "handled", handled)
    assert rushlight.mean(f, dim=1) == ("mean", 1)
    assert t + f == "add"
    assert rushlight.stack([t, f, t]) == 3
    assert t.to(f) == "to"
    assert F.linear(f, t) == "linear"
    assert nn.ReLU()(f) == "relu"
    assert nn.Linear(2, 2)(f) == "linear"
    with pytest.raises(TypeError, match=r"Multiple dispatch failed for 'torch\.add'"):
        rushlight.add(t, f)
    with pytest.raises(TypeError, match="unsupported operand"):
        t * f
    assert (t == f) is False
    assert is_tensor_like(f) and is_tensor_like(t) and not is_tensor_like(1)


def test_handle_torch_function(monkeypatch):
    def mine(a, b=0):
        if has_torch_function((a,)):
            return handle_torch_function(mine, (a,), a, b=b)
        return a + b

    monkeypatch.setattr(Foreign, "handled", {mine: lambda a, b: ("mine", b)})
    assert mine(1, b=2) == 3
    assert mine(Foreign(), b=2) == ("mine", 2)
    monkeypatch.setattr(Foreign, "handled", {})
    with pytest.raises(TypeError, match="no implementation found"):
        mine(Foreign())


def test_switching_off():
    x = rushlight.ones(2).as_subclass(Sub)
    with rushlight._C.DisableTorchFunctionSubclass():
        assert type(x + 1) is rushlight.Tensor
        assert not has_torch_function((x,))
    assert type(x + 1) is Sub

    class Off(rushlight.Tensor):
        __torch_function__ = rushlight._C._disabled_torch_function_impl

    assert type(rushlight.ones(2).as_subclass(Off) * 2) is rushlight.Tensor


def test_exceptions_of_the_override_reach_the_caller():
    class Angry(rushlight.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            raise KeyError("no")

    x = rushlight.ones(2).as_subclass(Angry)
    for call in (
        lambda: x + 1,
        lambda: rushlight.exp(x),
        lambda: x.shape,
        lambda: x[0],
        lambda: len(x),
        lambda: repr(x),
    ):
        with pytest.raises(KeyError):
            call()
    assert type(rushlight.ones(1) + 1) is rushlight.Tensor


def test_modes_see_every_call_and_nest():
    seen = []

    class Log(TorchFunctionMode):
        def __init__(self, name):
            self.name = name

        def __torch_function__(self, func, types, args=(), kwargs=None):
            seen.append((self.name, resolve_name(func)))
            return func(*args, **(kwargs or {}))

    x = rushlight.ones(2)
    with Log("outer"):
        with Log("inner"):
            y = x + 1
        rushlight.exp(x)
    x * 2
    assert y.tolist() == [2.0, 2.0]
    assert seen == [
        ("inner", "torch.Tensor.add"),
        ("outer", "torch.Tensor.add"),
        ("outer", "torch.exp"),
    ]


def test_attributes_dispatch_get_and_set():
    calls = []

    class Watched(rushlight.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            calls.append(resolve_name(func))
            return super().__torch_function__(func, types, args, kwargs)

    x = rushlight.ones(2).as_subclass(Watched)
    x.requires_grad = True
    assert x.requires_grad
    x.grad = None
    assert calls == [
        "torch.Tensor.requires_grad.__set__",
        "torch.Tensor.requires_grad.__get__",
        "torch.Tensor.grad.__set__",
    ]


def test_functions_written_in_python_are_offered_whole(monkeypatch):
    f = Foreign()
    handled = {
        rushlight.einsum: lambda equation, *operands: equation,
        rushlight.tensordot: lambda a, b, dims: dims,
        rushlight.meshgrid: lambda *tensors, indexing: indexing,
    }
    monkeypatch.setattr(Foreign, "handled", handled)
    assert rushlight.einsum("i->i", f) == "i->i"
    assert rushlight.tensordot(f, f, dims=1) == 1
    assert rushlight.meshgrid(f, indexing="ij") == "ij"
    with pytest.raises(TypeError, match="no implementation found for 'torch.einsum'"):
        monkeypatch.setattr(Foreign, "handled", {})
        rushlight.einsum("i->i", f)
    x = rushlight.ones(2).as_subclass(Sub)
    assert all(type(g) is Sub for g in rushlight.meshgrid(x, x, indexing="ij"))


def offers(torch, name):
    """The functions of nn.functional that a subclass is asked for in a call of the one of that name."""
    Recorder = recorder(torch)
    x = functional_calls.argument(torch, name, torch.float32).as_subclass(Recorder)
    result = functional_calls.call(torch, name, x)
    asked = [call for call, _ in Recorder.calls if call and call.startswith("torch.nn.functional.")]
    return asked, type(result[0] if isinstance(result, tuple) else result) is Recorder


def test_calls_of_all_functions_are_listed():
    assert functional_calls.names(F) == set(functional_calls.CALLS)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", functional_calls.CALLS)
def test_each_function_of_functional_is_offered(name):
    torch = pytest.importorskip("torch")
    assert offers(rushlight, name) == offers(torch, name)


def test_functions_in_python_pass_for_functions():
    """What wraps them, to ask __torch_function__, does not show."""
    assert pickle.loads(pickle.dumps(F.mse_loss)) is F.mse_loss is copy.deepcopy(F.mse_loss)
    assert isinstance(F.mse_loss, types.FunctionType) and inspect.isfunction(F.mse_loss)
    assert list(inspect.signature(F.mse_loss).parameters)[:2] == ["input", "target"]
    assert "def mse_loss" in inspect.getsource(F.mse_loss)
    assert repr(F.mse_loss).startswith("<function mse_loss at")
    assert F.mse_loss.__doc__ and F.mse_loss.__name__ == "mse_loss"
    assert F.mse_loss.__module__ == "rushlight.nn.functional"

    class Layer:
        loss = F.softplus
        bound = F.softmax

    assert inspect.ismethod(Layer().bound)


def test_modes_see_functions_whole():
    seen = []

    class Log(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            seen.append(resolve_name(func))
            return func(*args, **(kwargs or {}))

    x = rushlight.ones(2, 3)
    with Log():
        F.gaussian_nll_loss(x, x, x)
        rushlight.fft.fft(x)
        rushlight.einsum("ij,ij->i", x, x)
        rushlight.norm(x)
        rushlight.cov(x)
    assert seen == [
        "torch.nn.functional.gaussian_nll_loss", "torch.fft.fft", "torch.einsum", "torch.norm", "torch.cov",
    ]  # fmt: skip
