"""__torch_function__: how classes take over functions and methods of tensors.

A class that defines the classmethod ``__torch_function__(cls, func, types, args=(), kwargs=None)`` is
asked whenever an instance is an argument of a function or method of this library; what it returns is
the call's result, NotImplemented passes the call on to the next argument's class. Subclasses of Tensor
inherit one that calls the function and makes its results instances of the subclass.
"""

import sys
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, Self

import rushlight
from rushlight import _C
from rushlight._C import (
    DisableTorchFunction,
    DisableTorchFunctionSubclass,
    Tensor,
    _disabled_torch_function_impl,
    _is_torch_function_enabled,
)

__all__ = [
    "BaseTorchFunctionMode",
    "DisableTorchFunction",
    "DisableTorchFunctionSubclass",
    "TorchFunctionMode",
    "get_default_nowrap_functions",
    "get_ignored_functions",
    "get_overridable_functions",
    "handle_torch_function",
    "has_torch_function",
    "is_tensor_like",
    "is_tensor_method_or_property",
    "resolve_name",
    "wrap_torch_function",
]

has_torch_function_unary = _C._has_torch_function_unary
has_torch_function_variadic = _C._has_torch_function_variadic


def has_torch_function(relevant_args: Iterable[Any]) -> bool:
    """Whether one of the arguments has a __torch_function__ of its own, or a mode is active."""
    return _C._has_torch_function(tuple(relevant_args))


def is_tensor_like(inp: Any) -> bool:
    """Whether inp is a tensor or defines __torch_function__."""
    return type(inp) is Tensor or hasattr(inp, "__torch_function__")


def _overloaded(relevant_args: Iterable[Any]) -> list[Any]:
    """The arguments to be asked, one per type, subclasses before their base classes."""
    found: list[Any] = []
    for arg in relevant_args:
        kind = type(arg)
        if any(kind is type(other) for other in found):
            continue
        if (
            getattr(kind, "__torch_function__", _disabled_torch_function_impl)
            is _disabled_torch_function_impl
        ):
            continue
        place = next(
            (i for i, other in enumerate(found) if issubclass(kind, type(other))), len(found)
        )
        found.insert(place, arg)
    return found


def handle_torch_function(
    public_api: Callable, relevant_args: Iterable[Any], *args: Any, **kwargs: Any
) -> Any:
    """Calls the __torch_function__ of the relevant arguments, one after the other, for public_api(*args, **kwargs).

    Raises:
        TypeError: all of them returned NotImplemented.
    """
    overloaded = _overloaded(relevant_args)
    types = tuple(map(type, overloaded))
    if _mode_stack and _is_torch_function_enabled():
        with _Popped() as mode:
            result = mode.__torch_function__(public_api, types, args, kwargs)
        if result is not NotImplemented:
            return result
    for arg in overloaded:
        result = arg.__torch_function__(public_api, types, args, kwargs)
        if result is not NotImplemented:
            return result
    message = (
        f"no implementation found for '{resolve_name(public_api) or public_api}' on types that implement "
        f"__torch_function__: {[type(arg) for arg in overloaded]}"
    )
    if _mode_stack:
        message += f" nor was it found on the currently active mode {_mode_stack[-1]}"
    raise TypeError(message)


def wrap_torch_function(dispatcher: Callable) -> Callable:
    """Decorator: the function asks the arguments that dispatcher(*args, **kwargs) returns before it runs."""

    def decorate(func: Callable) -> Callable:
        @wraps(func)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            relevant = dispatcher(*args, **kwargs)
            if has_torch_function(relevant):
                return handle_torch_function(wrapped, relevant, *args, **kwargs)
            return func(*args, **kwargs)

        return wrapped

    return decorate


# ---- modes ---------------------------------------------------------------------------------------------

_mode_stack: list["TorchFunctionMode"] = []


class TorchFunctionMode:
    """Context manager that takes over every call of a function or method while it is active.

    A subclass defines ``__torch_function__(self, func, types, args=(), kwargs=None)``. While it runs the
    mode itself is off, so that it may call func.
    """

    def __torch_function__(
        self, func: Callable, types: tuple, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        raise NotImplementedError

    def __enter__(self) -> Self:
        _C._push_torch_function_mode(self)
        _mode_stack.append(self)
        return self

    def __exit__(self, *exception: object) -> None:
        _C._pop_torch_function_mode()
        _mode_stack.pop()


class BaseTorchFunctionMode(TorchFunctionMode):
    """The mode that changes nothing."""

    def __torch_function__(
        self, func: Callable, types: tuple, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        return func(*args, **(kwargs or {}))


class _Popped:
    """Takes the innermost mode off for the time of a with block."""

    def __enter__(self) -> TorchFunctionMode:
        self.mode = _mode_stack.pop()
        _C._pop_torch_function_mode()
        return self.mode

    def __exit__(self, *exception: object) -> None:
        _C._push_torch_function_mode(self.mode)
        _mode_stack.append(self.mode)


# ---- what there is to override ---------------------------------------------------------------------------


def get_default_nowrap_functions() -> set[Callable]:
    """Functions whose results the default __torch_function__ leaves as they are."""
    return {Tensor._base.__get__, Tensor.grad.__get__}


_C._torch_function_nowrap(get_default_nowrap_functions())


def get_ignored_functions() -> set[Callable]:
    """Public functions that never ask __torch_function__: constructors, settings, type tests."""
    names = (
        "arange", "as_tensor", "empty", "empty_strided", "eye", "from_numpy", "full", "is_tensor", "linspace",
        "logspace", "manual_seed", "no_grad", "ones", "rand", "randint", "randn", "randperm", "scalar_tensor",
        "set_default_dtype", "set_grad_enabled", "set_num_threads", "tensor", "tril_indices", "triu_indices", "zeros",
    )  # fmt: skip
    return {getattr(rushlight, name) for name in names if hasattr(rushlight, name)}


def _spaces() -> list[tuple[Any, str]]:
    from rushlight.nn import functional

    return [(rushlight, "torch"), (functional, "torch.nn.functional"), (Tensor, "torch.Tensor")]


def get_overridable_functions() -> dict[Any, list[Callable]]:
    """For each namespace, its functions that ask __torch_function__."""
    ignored = get_ignored_functions()
    found: dict[Any, list[Callable]] = {}
    for space, _ in _spaces():
        for name, value in vars(space).items():
            if name.startswith("_") and not (space is Tensor and name.startswith("__")):
                continue
            if isinstance(value, type) or value in ignored if callable(value) else True:
                continue
            found.setdefault(space, []).append(value)
    return found


def is_tensor_method_or_property(func: Callable) -> bool:
    """Whether func is a method of Tensor or the getter or setter of one of its attributes."""
    owner = getattr(func, "__self__", None)
    if getattr(func, "__name__", "") in ("__get__", "__set__", "__delete__"):
        return getattr(owner, "__objclass__", None) is Tensor
    return any(func is value for value in vars(Tensor).values())


def resolve_name(f: Any) -> str | None:
    """The public name of a function, "torch.Tensor.add", or None where it has none."""
    name = getattr(f, "__name__", None)
    if name in ("__get__", "__set__", "__delete__"):
        return f"torch.Tensor.{f.__self__.__name__}.{name}"
    if isinstance(name, str):
        for space, prefix in reversed(_spaces()):
            if vars(space).get(name) is f:
                return f"{prefix}.{name}"
    for space, prefix in _spaces():
        for key, value in vars(space).items():
            if value is f:
                return f"{prefix}.{key}"
    for part in ("linalg", "fft", "special"):
        module = sys.modules.get(f"rushlight.{part}")  # loaded, if the function is one of its
        if isinstance(name, str) and getattr(module, name, None) is f:
            return f"torch.{part}.{name}"
    return f"torch.nn.functional.{name}" if name and vars(_C._nn).get(name) is f else None
