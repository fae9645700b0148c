"""What a module does to all of its parameters and buffers: to, float, double, share_memory, ..."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import rushlight
from rushlight._C import Tensor

T = TypeVar("T", bound="Conversion")


class Conversion:
    """The part of Module that converts parameters and buffers."""

    __slots__ = ()

    def _apply(self: T, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> T:
        """Replaces each parameter's data and gradient, and each buffer, by fn of it."""
        if recurse:
            for module in self.children():
                module._apply(fn)
        for param in self._parameters.values():
            if param is None:
                continue
            grad = param.grad
            with rushlight.no_grad():
                param.data = fn(param)
                if grad is not None:
                    grad.data = fn(grad)
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def to(self: T, *args: Any, **kwargs: Any) -> T:
        """Converts parameters and buffers in place: to(device, dtype, non_blocking), to(dtype),
        to(tensor) or to(memory_format=...), which concerns tensors of four and five dims.

        Integer parameters and buffers keep their dtype.

        Raises:
            TypeError: the dtype is neither floating nor complex.
            RuntimeError: a device other than the CPU.
        """
        device, dtype, _, memory_format = _parse_to(*args, **kwargs)
        if dtype is not None and dtype.is_complex:
            warnings.warn(
                "Complex modules are a new feature under active development whose design may "
                "change, and some modules might not work as expected when using complex tensors "
                "as parameters or buffers.",
                stacklevel=2,
            )
        elif dtype is not None and not dtype.is_floating_point:
            raise TypeError(
                "nn.Module.to only accepts floating point or complex dtypes, but got desired "
                f"dtype={dtype}"
            )

        def convert(t: Tensor) -> Tensor:
            if device is not None:
                t = t.to(device)
            if dtype is not None and (t.is_floating_point() or t.is_complex()):
                t = t.to(dtype)
            if memory_format is not None and t.dim() in (4, 5):
                t = t.to(memory_format=memory_format)
            return t

        return self._apply(convert)

    def to_empty(self: T, *, device: Any, recurse: bool = True) -> T:
        """Gives every parameter and buffer fresh memory without values."""
        return self._apply(lambda t: rushlight.empty_like(t, device=device), recurse=recurse)

    def type(self: T, dst_type: Any) -> T:
        """Converts all parameters and buffers to this dtype."""
        return self._apply(lambda t: t.type(dst_type))

    def _to_floating(self: T, dtype: Any) -> T:
        return self._apply(lambda t: t.to(dtype) if t.is_floating_point() else t)

    def float(self: T) -> T:
        """Floating parameters and buffers to float32."""
        return self._to_floating(rushlight.float32)

    def double(self: T) -> T:
        """Floating parameters and buffers to float64."""
        return self._to_floating(rushlight.float64)

    def half(self: T) -> T:
        """Floating parameters and buffers to float16."""
        return self._to_floating(rushlight.float16)

    def bfloat16(self: T) -> T:
        """Floating parameters and buffers to bfloat16."""
        return self._to_floating(rushlight.bfloat16)

    def cpu(self: T) -> T:
        """Nothing to do: everything is on the CPU."""
        return self._apply(lambda t: t.cpu())

    def cuda(self: T, device: Any = None) -> T:
        """There is no CUDA here: an error when there is anything to move."""
        return self._apply(lambda t: t.cuda(device))

    def share_memory(self: T) -> T:
        """Tensor.share_memory_ on all parameters and buffers."""
        return self._apply(lambda t: t.share_memory_())


def _parse_to(*args: Any, **kwargs: Any) -> tuple[Any, Any, bool, Any]:
    """(device, dtype, non_blocking, memory_format) of Module.to's several forms."""
    given = dict(kwargs)
    memory_format = kwargs.pop("memory_format", None)
    if args and isinstance(args[0], Tensor) or "tensor" in kwargs:
        other = kwargs.pop("tensor", None) if "tensor" in kwargs else args[0]
        return other.device, other.dtype, False, memory_format
    device, dtype, non_blocking = None, None, False
    rest = list(args)
    if rest and not isinstance(rest[0], rushlight.dtype):
        device = rest.pop(0)
    if rest:
        dtype = rest.pop(0)
    if rest:
        non_blocking = rest.pop(0)
    device = kwargs.pop("device", device)
    dtype = kwargs.pop("dtype", dtype)
    non_blocking = kwargs.pop("non_blocking", non_blocking)
    kwargs.pop("copy", None)
    known = isinstance(memory_format, rushlight.memory_format | None)
    if rest or kwargs or not known or not isinstance(dtype, rushlight.dtype | None):
        text = ", ".join(
            [*map(_typename, args), *(f"{k}={_typename(v)}" for k, v in given.items())]
        )
        raise TypeError(f"to() received an invalid combination of arguments - got ({text})")
    device = None if device is None else rushlight.device(device)
    return device, dtype, non_blocking, memory_format


def _typename(o: Any) -> str:
    """The type's name as messages show it: 'int', 'torch.FloatTensor', 'collections.OrderedDict'."""
    if isinstance(o, Tensor):
        return o.type()
    kind = o if isinstance(o, type) else type(o)
    module = kind.__module__
    return kind.__qualname__ if module in ("builtins", None) else f"{module}.{kind.__qualname__}"
