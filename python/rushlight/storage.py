"""torch.storage: the memory under tensors as an object of its own, as bytes (untyped) or as elements (typed).

The types are the extension's; this file holds what few programs use of them, looked up in _METHODS when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rushlight import _C
from rushlight._C import Tensor, TypedStorage, UntypedStorage

__all__ = ["TypedStorage", "UntypedStorage"]

_NAMES = {
    "Double": _C.float64, "Float": _C.float32, "Half": _C.float16, "Long": _C.int64, "Int": _C.int32,
    "Short": _C.int16, "Char": _C.int8, "Byte": _C.uint8, "Bool": _C.bool, "BFloat16": _C.bfloat16,
    "ComplexDouble": _C.complex128, "ComplexFloat": _C.complex64,
}  # fmt: skip


def _is_typed(storage: Any) -> bool:
    return isinstance(storage, TypedStorage)


def _wrap(values: Tensor, typed: bool) -> Any:
    return values.storage() if typed else values.untyped_storage()


# ---- making them -----------------------------------------------------------------------------------------


def _new_typed(*args: Any, wrap_storage: Any = None, dtype: Any = None, device: Any = None) -> TypedStorage:
    if wrap_storage is not None:
        return _C.empty(0, dtype=dtype or _C.get_default_dtype()).set_(wrap_storage).storage()
    return _new(dtype or _C.get_default_dtype(), args).storage()


def _new_untyped(*args: Any, device: Any = None) -> UntypedStorage:
    return _new(_C.uint8, args).untyped_storage()


def _new(dtype: Any, args: tuple) -> Tensor:
    """Elements: none, a number of them not set, or those of a sequence."""
    if len(args) > 1:
        raise RuntimeError("a storage is made of no argument, of a size, or of a sequence")
    if not args:
        return _C.empty(0, dtype=dtype)
    if isinstance(args[0], int):
        return _C.empty(args[0], dtype=dtype)
    return _C.tensor(args[0], dtype=dtype)


class _LegacyStorageMeta(type):
    """Types whose instances are the typed storages of one dtype."""

    dtype: Any

    def __instancecheck__(cls, instance: Any) -> bool:
        return _is_typed(instance) and instance.dtype == cls.dtype

    def __call__(cls, *args: Any, wrap_storage: Any = None) -> TypedStorage:
        return _new_typed(*args, wrap_storage=wrap_storage, dtype=cls.dtype)


def _make(name: str, dtype: Any) -> _LegacyStorageMeta:
    doc = f"Storage of {dtype}; deprecated in PyTorch, too."
    return _LegacyStorageMeta(f"{name}Storage", (), {"dtype": dtype, "__module__": "torch", "__doc__": doc})


for _name, _dtype in _NAMES.items():
    globals()[f"{_name}Storage"] = _make(_name, _dtype)
    __all__ += [f"{_name}Storage"]


def type_of(dtype: Any) -> type:
    """torch.FloatStorage of float32, and so on."""
    return next(globals()[f"{name}Storage"] for name, d in _NAMES.items() if d == dtype)


# ---- what the extension calls ------------------------------------------------------------------------------


def _repr(storage: Any) -> str:
    kind = f"dtype={storage.dtype}, " if _is_typed(storage) else ""
    name = type(storage).__name__
    values = "".join(f" {value}\n" for value in storage)
    return f"{values}[torch.storage.{name}({kind}device=cpu) of size {len(storage)}]"


def _set_item(storage: Any, index: Any, value: Any) -> None:
    storage._tensor()[index] = value


# ---- methods ---------------------------------------------------------------------------------------------


def _fill_(self: Any, value: Any) -> Any:
    """All elements set to value."""
    self._tensor().fill_(value)
    return self


def _copy_(self: Any, source: Any, non_blocking: bool | None = None) -> Any:
    """The elements of another storage of the same size."""
    self._tensor().copy_(source._tensor())
    return self


def _clone(self: Any) -> Any:
    """A storage with the same elements."""
    return _wrap(self._tensor().clone(), _is_typed(self))


def _resize_(self: Any, size: int) -> None:
    """Raises NotImplementedError: memory has the size that it was made with."""
    raise NotImplementedError("storages cannot be resized; resize the tensor")


def _type(self: Any, dtype: Any = None, non_blocking: bool = False) -> Any:
    """The name of its type, or its elements in a storage of another."""
    if dtype is None:
        if not _is_typed(self):
            return f"torch.{type(self).__name__}"
        return f"torch.{type_of(self.dtype).__name__}"
    if isinstance(dtype, str):
        dtype = _NAMES[dtype.removeprefix("torch.").removesuffix("Storage")]
    return self._tensor().to(getattr(dtype, "dtype", dtype)).storage()


def _to(dtype: Any) -> Callable:
    def method(self: Any) -> TypedStorage:
        """The elements in a storage of another dtype."""
        return self._tensor().to(dtype).storage()

    return method


def _cuda(self: Any, *args: Any, **options: Any) -> Any:
    """Raises, as there is no such device."""
    return self._tensor().cuda(*args, **options)


def _share_memory_(self: Any) -> Any:
    """Raises NotImplementedError: tensors are shared."""
    raise NotImplementedError("storages are not moved to shared memory by themselves: use Tensor.share_memory_()")


_METHODS: dict[str, Callable] = {
    "fill_": _fill_,
    "copy_": _copy_,
    "clone": _clone,
    "resize_": _resize_,
    "resizable": lambda self: False,
    "type": _type,
    "cpu": lambda self: self,
    "cuda": _cuda,
    "get_device": lambda self: -1,
    "is_shared": lambda self: self._tensor().is_shared(),
    "is_pinned": lambda self, device="cuda": False,
    "share_memory_": _share_memory_,
    "pickle_storage_type": lambda self: type_of(self.dtype).__name__,
    "double": _to(_C.float64),
    "float": _to(_C.float32),
    "half": _to(_C.float16),
    "bfloat16": _to(_C.bfloat16),
    "long": _to(_C.int64),
    "int": _to(_C.int32),
    "short": _to(_C.int16),
    "char": _to(_C.int8),
    "byte": _to(_C.uint8),
    "bool": _to(_C.bool),
    "complex_float": _to(_C.complex64),
    "complex_double": _to(_C.complex128),
}
