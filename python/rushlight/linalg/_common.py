"""What the functions of linalg share: checks of their arguments, out=, and the names of their nodes."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from rushlight import _C
from rushlight._C import Tensor
from rushlight.linalg._array import _LinAlgError

_TITLES = {
    _C.float16: "Half", _C.bfloat16: "BFloat16", _C.float32: "Float", _C.float64: "Double", _C.bool: "Bool",
    _C.int8: "Char", _C.uint8: "Byte", _C.int16: "Short", _C.int32: "Int", _C.int64: "Long",
    _C.complex64: "ComplexFloat", _C.complex128: "ComplexDouble",
}  # fmt: skip


def title(dtype: Any) -> str:
    """PyTorch's name of the dtype in messages."""
    return _TITLES.get(dtype, str(dtype).removeprefix("torch."))


def node(name: str) -> Callable:
    """Decorator of a Function: the name of its nodes is that of PyTorch's."""

    def rename(cls: type) -> type:
        cls._backward_cls.__name__ = cls._backward_cls.__qualname__ = name
        return cls

    return rename


_PASS = object()

# NumPy's names of arguments, which PyTorch takes, too.
_NUMPY_NAMES = {"x": "input", "x2": "other", "axis": "dim", "keepdims": "keepdim"}


def _ask(function: Callable, args: tuple, kwargs: dict) -> Any:
    """What the arguments' __torch_function__ makes of the call; _PASS where none has one."""
    relevant = (*args, *kwargs.values())
    if args and isinstance(args[0], (list, tuple)):
        relevant += tuple(args[0])
    if not _C._has_torch_function(relevant):
        return _PASS
    from rushlight.overrides import handle_torch_function

    return handle_torch_function(function, relevant, *args, **kwargs)


def overridable(function: Callable) -> Callable:
    """Lets arguments with a __torch_function__ take the call over."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        result = _ask(wrapper, args, kwargs)
        return function(*args, **kwargs) if result is _PASS else result

    return wrapper


def with_out(function: Callable) -> Callable:
    """Adds the keyword out: a tensor, or a tuple of them for several results, that the results are written to.
    Also overridable, and takes NumPy's names of arguments."""

    parameters = inspect.signature(function).parameters
    renamed = {k: v for k, v in _NUMPY_NAMES.items() if v in parameters and k not in parameters}

    @functools.wraps(function)
    def wrapper(*args: Any, out: Any = None, **kwargs: Any) -> Any:
        if kwargs:
            kwargs = {renamed.get(k, k): v for k, v in kwargs.items()}
        result = _ask(wrapper, args, kwargs if out is None else {**kwargs, "out": out})
        if result is not _PASS:
            return result
        result = function(*args, **kwargs)
        if out is None:
            return result
        several = isinstance(result, tuple)
        for target, value in zip(out if several else (out,), result if several else (result,), strict=True):
            write_out(function.__name__, target, value)
        return type(result)(out) if several else out

    wrapper.__signature__ = _signature_with_out(function)
    return wrapper


def _signature_with_out(function: Callable) -> inspect.Signature:
    signature = inspect.signature(function)
    keyword = inspect.Parameter("out", inspect.Parameter.KEYWORD_ONLY, default=None)
    parameters = list(signature.parameters.values())
    at = next((i for i, p in enumerate(parameters) if p.kind is p.VAR_KEYWORD), len(parameters))
    return signature.replace(parameters=[*parameters[:at], keyword, *parameters[at:]])


def write_out(name: str, out: Tensor, value: Tensor) -> None:
    """Writes a result into out, resized when its shape differs.

    Raises:
        RuntimeError: a dtype that cannot hold the result; gradients are asked for.
    """
    if _C.is_grad_enabled() and (out.requires_grad or value.requires_grad):
        raise RuntimeError(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, but one of the "
            "arguments requires grad."
        )
    if not _C.can_cast(value.dtype, out.dtype):
        raise RuntimeError(
            f"result type {title(value.dtype)} can't be cast to the desired output type {title(out.dtype)}"
        )
    if out.shape != value.shape:
        out.resize_(value.shape)
    out.copy_(value)


def check_floating(name: str, a: Tensor) -> None:
    """Raises RuntimeError unless the dtype is floating or complex."""
    if not (a.is_floating_point() or a.is_complex()):
        raise RuntimeError(
            f"linalg.{name}: Expected a floating point or complex tensor as input. Got {title(a.dtype)}"
        )


# What LAPACK has routines for.
LAPACK_DTYPES = (_C.float32, _C.float64, _C.complex64, _C.complex128)


def check_lapack(kernel: str, a: Tensor) -> None:
    """Raises NotImplementedError for dtypes that LAPACK has no routines for."""
    if a.dtype not in LAPACK_DTYPES:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{title(a.dtype)}'")


def check_matrix(name: str, a: Tensor, argument: str = "A") -> None:
    """Raises RuntimeError unless there are two dims."""
    if a.ndim < 2:
        raise RuntimeError(f"linalg.{name}: The input tensor {argument} must have at least 2 dimensions.")


def check_square(name: str, a: Tensor) -> None:
    """Raises RuntimeError unless the matrices are square."""
    check_matrix(name, a)
    if a.shape[-1] != a.shape[-2]:
        raise RuntimeError(
            f"linalg.{name}: A must be batches of square matrices, but they are {a.shape[-2]} by {a.shape[-1]} matrices"
        )


def check_not_low(name: str, a: Tensor) -> None:
    """Raises RuntimeError for other floating dtypes than those of LAPACK, and for integers."""
    check_floating(name, a)
    if a.dtype not in LAPACK_DTYPES:
        raise RuntimeError(f"linalg.{name}: Low precision dtypes not supported. Got {title(a.dtype)}")


def check_info(name: str, info: Tensor, why: Callable[[int], str]) -> None:
    """Raises LinAlgError for the first matrix of the stack whose info is not 0."""
    if info.ndim == 0:
        if info.item():
            raise _LinAlgError(f"{name}: {why(int(info.item()))}")
        return
    for i, code in enumerate(info.reshape(-1).tolist()):
        if code:
            raise _LinAlgError(f"{name}: (Batch element {i}): {why(code)}")


def broadcast_matrices(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Both stacks expanded to common leading dims."""
    lead = _common_shape(a.shape[:-2], b.shape[:-2])
    return a.expand(*lead, *a.shape[-2:]), b.expand(*lead, *b.shape[-2:])


def _common_shape(a: Any, b: Any) -> tuple:
    if tuple(a) == tuple(b):
        return tuple(a)
    from rushlight.functional import broadcast_shapes

    return tuple(broadcast_shapes(tuple(a), tuple(b)))


def swap(x: Tensor) -> Tensor:
    """The matrices transposed."""
    return x.transpose(-1, -2)


def adjoint(x: Tensor) -> Tensor:
    """The matrices transposed and conjugated: what derivatives need where real formulas have a transpose."""
    return x.transpose(-1, -2).conj() if x.is_complex() else x.transpose(-1, -2)
