"""Methods of Tensor that are written in Python: copying, pickling, and spellings of operators."""

from __future__ import annotations

import sys

from rushlight import _C
from rushlight._C import Tensor

TYPE_CHECKING = False  # importing typing takes longer than all of rushlight
if TYPE_CHECKING:
    from typing import Any


def _method(function: Any) -> Any:
    """Adds a function to the class Tensor."""
    function.__qualname__ = f"Tensor.{function.__name__}"
    _C._extend_tensor(function.__name__, function)
    return function


@_method
def __deepcopy__(self: Tensor, memo: dict) -> Tensor:
    """Copy with memory of its own, of the same type, with requires_grad and grad.

    Raises:
        RuntimeError: the tensor is not a leaf of the graph.
    """
    if not self.is_leaf:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment.  "
            "If you were attempting to deepcopy a module, this may be because of a torch.nn.utils.weight_norm usage, "
            "see https://github.com/pytorch/pytorch/pull/103001"
        )
    if id(self) in memo:
        return memo[id(self)]
    with _C.DisableTorchFunctionSubclass():
        copy = _C._make_subclass(type(self), _in_copied_storage(self, memo), False)
    if self.requires_grad:
        copy.requires_grad_()
    memo[id(self)] = copy
    if self.grad is not None:
        copy.grad = __deepcopy__(self.grad, memo)
    if vars(self):
        from copy import deepcopy

        vars(copy).update(deepcopy(vars(self), memo))
    return copy


def _all_of_storage(self: Tensor) -> Tensor:
    """The storage under a tensor as one row of its dtype."""
    flat = self.detach()
    return flat.as_strided((flat.untyped_storage().nbytes() // flat.itemsize,), (1,), 0)


def _in_copied_storage(self: Tensor, memo: dict) -> Tensor:
    """The tensor in a copy of its storage; one copy per storage and memo, so that views stay views."""
    key = ("rushlight storage", self.untyped_storage().data_ptr(), self.dtype)
    flat = memo.get(key) if key[1] else None
    if flat is None:
        flat = memo[key] = _all_of_storage(self).clone()
    return flat.as_strided(tuple(self.shape), self.stride(), self.storage_offset())


def _rebuild_tensor(
    cls: type,
    data: bytes,
    dtype: Any,
    shape: tuple,
    stride: tuple,
    offset: int,
    requires_grad: bool,
    state: dict | None,
) -> Tensor:
    """The inverse of pickling."""
    tensor = _C._from_bytes(data, dtype, (len(data) // dtype.itemsize,))
    tensor = _C._make_subclass(cls, tensor.as_strided(shape, stride, offset), False)
    if requires_grad:
        tensor.requires_grad_()
    if state:
        vars(tensor).update(state)
    return tensor


@_method
def __reduce_ex__(self: Tensor, protocol: int) -> tuple:
    """Pickles the storage, dtype, shape, strides, requires_grad and attributes."""
    with _C.DisableTorchFunctionSubclass():
        flat = _all_of_storage(self)
        data = bytes(memoryview(flat.untyped_storage())[: flat.nbytes])
        place = (tuple(self.shape), self.stride(), self.storage_offset())
        args = (type(self), data, self.dtype, *place, self.requires_grad, vars(self) or None)
    return _rebuild_tensor, args


@_method
def __div__(self: Tensor, other: Any) -> Tensor:
    """self / other, by its old name."""
    return self / other


@_method
def __rdiv__(self: Tensor, other: Any) -> Tensor:
    """other / self, by its old name."""
    return other / self


@_method
def __idiv__(self: Tensor, other: Any) -> Tensor:
    """self /= other, by its old name."""
    self /= other
    return self


@_method
def __nonzero__(self: Tensor) -> bool:
    """bool(self), by its old name."""
    return bool(self)


@_method
def __long__(self: Tensor) -> int:
    """int(self), by its old name."""
    return int(self)


@_method
def share_memory_(self: Tensor) -> Tensor:
    """Moves the data to memory that processes started from now on share; see torch.multiprocessing."""
    from rushlight.multiprocessing.shared import share

    return share(self)


@_method
def is_shared(self: Tensor) -> bool:
    """Whether share_memory_() has moved it, or it came from a process that had."""
    shared = sys.modules.get("rushlight.multiprocessing.shared")
    return shared is not None and shared.segment_of(self) is not None


@_method
def storage_type(self: Tensor) -> type:
    """The type of its storage: torch.FloatStorage, ..."""
    from rushlight import storage

    return storage.type_of(self.dtype)


@_method
def pin_memory(self: Tensor, device: Any = None) -> Tensor:
    """Raises: pinning serves accelerators."""
    raise RuntimeError("Cannot access accelerator device when none is available.")


@_method
def apply_(self: Tensor, callable: Any) -> Tensor:
    """Replaces each element by callable(element), in place; slow."""
    if self.requires_grad:
        raise RuntimeError(
            "Can't call apply_() on Variable that requires grad. Use var.detach().apply_() instead."
        )
    flat = [callable(value) for value in self.reshape(-1).tolist()]
    return self.copy_(_C.tensor(flat, dtype=self.dtype).reshape(self.shape))


@_method
def map_(self: Tensor, tensor: Tensor, callable: Any) -> Tensor:
    """Replaces each element by callable(element, other's element), in place; slow."""
    if self.requires_grad:
        raise RuntimeError(
            "Can't call map_() on Variable that requires grad. Use var.detach().map_() instead."
        )
    other = tensor.expand_as(self).reshape(-1).tolist()
    flat = [callable(a, b) for a, b in zip(self.reshape(-1).tolist(), other, strict=True)]
    return self.copy_(_C.tensor(flat, dtype=self.dtype).reshape(self.shape))


@_method
def dim_order(self: Tensor) -> tuple[int, ...]:
    """Dims from the largest stride to the smallest."""
    return tuple(sorted(range(self.ndim), key=lambda d: -self.stride(d)))


@_method
def new(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """Tensor of this dtype from sizes or data, as the legacy constructors."""
    return _C._legacy_tensor(self.dtype, args, kwargs)


@_method
def is_nonzero(self: Tensor) -> bool:
    """Whether the only element is not zero."""
    return _C.is_nonzero(self)


@_method
def resize(self: Tensor, *sizes: Any) -> Tensor:
    """The same elements in another shape; deprecated in favour of reshape."""
    size = tuple(sizes[0]) if len(sizes) == 1 and not isinstance(sizes[0], int) else sizes
    wanted = 1
    for n in size:
        wanted *= n
    if wanted != self.numel():
        raise RuntimeError(
            f"requested resize to {'x'.join(map(str, size))} ({wanted} elements in total), but the given tensor has a "
            f"size of {'x'.join(map(str, self.shape))} ({self.numel()} elements). autograd's resize can only change the "
            "shape of a given tensor, while preserving the number of elements. "
        )
    return self.contiguous().view(size)


@_method
def resize_as(self: Tensor, tensor: Tensor) -> Tensor:
    """The same elements in the shape of another tensor; deprecated in favour of reshape_as."""
    return resize(self, *tensor.shape)


@_method
def norm(
    self: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None
) -> Tensor:
    """Norms as linalg.vector_norm, over all elements unless dim is given; "nuc" is that of matrices."""
    if p == "nuc":
        from rushlight.linalg._spellings import norm as any_norm

        return any_norm(self, p, dim, keepdim, dtype=dtype)
    return _C.norm(self, p, dim, keepdim, dtype=dtype)


def norm_function(
    input: Tensor,
    p: Any = "fro",
    dim: Any = None,
    keepdim: bool = False,
    out: Any = None,
    dtype: Any = None,
) -> Tensor:
    """Norms as linalg.vector_norm, over all elements unless dim is given; "nuc" is that of matrices."""
    if p == "nuc":
        from rushlight.linalg._spellings import norm as any_norm

        return any_norm(input, p, dim, keepdim, out, dtype)
    return _C.norm(input, p, dim, keepdim, dtype=dtype, out=out)


norm_function.__name__ = norm_function.__qualname__ = "norm"


def _method_of(name: str, module: str = "rushlight.functional") -> None:
    """Makes the module's function of that name a method; the module is imported when it is called."""

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        from importlib import import_module

        return getattr(import_module(module), name)(self, *args, **kwargs)

    method.__name__ = name
    _method(method)


for _name in ("adjoint", "combinations", "histogram", "unique", "unique_consecutive"):
    _method_of(_name)
for _name in ("corrcoef", "cov", "diff"):
    _method_of(_name, "rushlight._calculus")
for _name in ("istft", "stft"):
    _method_of(_name, "rushlight.signal._spectrum")

for _name in (
    "cholesky", "cholesky_inverse", "cholesky_solve", "det", "eig", "geqrf", "inverse", "logdet", "lstsq", "lu", "lu_solve",
    "matrix_exp", "matrix_power", "orgqr", "ormqr", "pinverse", "qr", "slogdet", "solve", "svd", "symeig",
    "triangular_solve",
):  # fmt: skip
    _method_of(_name, "rushlight.linalg._spellings")


@_method
def __complex__(self: Tensor) -> complex:
    """The only element as a complex number."""
    if self.numel() != 1:
        raise ValueError("only one element tensors can be converted to Python scalars")
    return complex(self.item())
