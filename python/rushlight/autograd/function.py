"""Function: operators whose forward and backward are written in Python. The machinery is C (csrc/python/function.c)."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

from rushlight import _C
from rushlight._C import Tensor

__all__ = [
    "BackwardCFunction",
    "Function",
    "FunctionCtx",
    "FunctionMeta",
    "InplaceFunction",
    "once_differentiable",
]

FunctionCtx = _C._FunctionBase


class BackwardCFunction(_C._FunctionBase):
    """Base of the classes of ctx; each Function has its own, named after it."""

    def apply(self, *grads: Any) -> Any:
        """What the Function's backward gives for these gradients."""
        cls = self._forward_cls
        method = cls.vjp if cls.vjp is not Function.vjp else cls.backward
        return method(self, *grads)


class FunctionMeta(type):
    """Makes the class of ctx along with each Function."""

    def __init__(cls, name: str, bases: tuple, attrs: dict) -> None:
        cls._backward_cls = type(name + "Backward", (BackwardCFunction,), {"_forward_cls": cls})
        cls._backward_cls.__module__ = "rushlight.autograd.function"
        super().__init__(name, bases, attrs)


class Function(metaclass=FunctionMeta):
    """Base of operators with a derivative written by hand.

    A subclass defines the static methods forward(ctx, *args) and backward(ctx, *grads), or forward(*args) with
    setup_context(ctx, inputs, output); it is called by apply, never instantiated. backward returns one gradient per
    argument of forward, None for those that are no tensors or need none.

        class Exp(Function):
            @staticmethod
            def forward(ctx, x):
                y = x.exp()
                ctx.save_for_backward(y)
                return y

            @staticmethod
            def backward(ctx, grad):
                (y,) = ctx.saved_tensors
                return grad * y

        y = Exp.apply(x)

    What backward computes is itself recorded under create_graph, unless it is marked @once_differentiable.
    """

    generate_vmap_rule = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError(
            f"{type(self)} should not be instantiated. Methods on autograd functions are all static, so you should invoke "
            "them on the class itself."
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """What the operator computes. Nothing in it is recorded."""
        raise NotImplementedError(
            "You must implement the forward function for custom autograd.Function."
        )

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Any) -> Any:
        """Stores in ctx what backward needs, where forward takes no ctx."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """The gradients of forward's arguments from those of its results."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with "
            "backward mode AD."
        )

    vjp = backward

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """Forward mode, which rushlight does not have."""
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with forward mode AD."
        )

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        """Vectorising map, which rushlight does not have."""
        raise NotImplementedError("rushlight has no vmap")

    apply = classmethod(_C._function_apply)


class InplaceFunction(Function):
    """A Function that may work in place; kept for old programs."""


NestedIOFunction = Function


@functools.lru_cache(maxsize=256)
def _signature(forward: Callable) -> inspect.Signature:
    return inspect.signature(forward)


def _bind_arguments(cls: type, args: tuple, kwargs: dict) -> tuple:
    """forward's positional arguments, defaults filled in: what setup_context sees as inputs."""
    bound = _signature(cls.forward).bind(*args, **kwargs)
    bound.apply_defaults()
    return bound.args


_C._function_defaults(Function.backward, Function.setup_context, _bind_arguments)


class _DifferentiatedTwice(Function):
    """Identity whose backward is an error."""

    @staticmethod
    def forward(ctx: Any, *tensors: Any) -> Any:
        outputs = tuple(None if t is None else t.detach() for t in tensors)
        return outputs[0] if len(outputs) == 1 else outputs

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise RuntimeError(
            "trying to differentiate twice a function that was marked with @once_differentiable"
        )


def once_differentiable(backward: Callable) -> Callable:
    """Decorator of a backward that cannot be differentiated again; attempting it is an error."""

    @functools.wraps(backward)
    def wrapper(ctx: Any, *grads: Any) -> Any:
        with _C.no_grad():
            outputs = backward(ctx, *grads)
        if not _C.is_grad_enabled():
            return outputs
        if not any(isinstance(g, Tensor) and g.requires_grad for g in grads):
            return outputs
        if not isinstance(outputs, tuple):
            outputs = (outputs,)
        return _DifferentiatedTwice.apply(
            *(None if o is None else o.detach().requires_grad_() for o in outputs)
        )

    return wrapper
