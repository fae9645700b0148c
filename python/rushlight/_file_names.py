"""What a file of torch.save may name, in PyTorch's words, and what that is here."""

from __future__ import annotations

import pickle
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any

import rushlight as torch
from rushlight import _C
from rushlight._C import Tensor

# PyTorch's name of a storage class -> name of the dtype
STORAGE_DTYPES = {
    "FloatStorage": "float32",
    "DoubleStorage": "float64",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
}
STORAGE_NAMES = {dtype: name for name, dtype in STORAGE_DTYPES.items()}


class StorageType:
    """Stands for torch.FloatStorage and its like in a file."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.dtype = getattr(torch, STORAGE_DTYPES[name])


def _rebuild_tensor_v2(
    storage: Tensor,
    storage_offset: int,
    size: tuple,
    stride: tuple,
    requires_grad: bool,
    backward_hooks: Any,
    metadata: Any = None,
) -> Tensor:
    """The tensor of this geometry over `storage`, a one-dimensional tensor."""
    with torch.no_grad():
        tensor = torch.as_strided(storage, tuple(size), tuple(stride), storage_offset).detach()
    return tensor.requires_grad_() if requires_grad else tensor


def _rebuild_tensor(storage: Tensor, storage_offset: int, size: tuple, stride: tuple) -> Tensor:
    return _rebuild_tensor_v2(storage, storage_offset, size, stride, False, None)


def _rebuild_parameter(data: Tensor, requires_grad: bool, backward_hooks: Any) -> Tensor:
    from rushlight.nn import Parameter

    return Parameter(data, requires_grad)


def _rebuild_parameter_with_state(
    data: Tensor, requires_grad: bool, backward_hooks: Any, state: Any
) -> Tensor:
    parameter = _rebuild_parameter(data, requires_grad, backward_hooks)
    vars(parameter).update(state if isinstance(state, dict) else state[0])
    return parameter


def _rebuild_from_type_v2(func: Callable, new_type: type, args: tuple, state: Any) -> Tensor:
    """A tensor of a subclass, with its attributes."""
    result = func(*args)
    if type(result) is not new_type:
        result = _C._make_subclass(new_type, result, False)
    if state:
        vars(result).update(state if isinstance(state, dict) else state[0])
    return result


def _get_layout(name: str) -> Any:
    if name != "torch.strided":
        raise pickle.UnpicklingError(f"the file names the layout {name}, which rushlight does not have")
    return torch.strided


# Functions of PyTorch's that a file names for tensors of kinds that are not here: module, name -> kind.
UNSUPPORTED = {
    ("torch._utils", "_rebuild_tensor_v3"): "a tensor of a dtype",
    ("torch._utils", "_rebuild_sparse_tensor"): "a sparse tensor",
    ("torch._utils", "_rebuild_sparse_csr_tensor"): "a sparse tensor",
    ("torch._utils", "_rebuild_nested_tensor"): "a nested tensor",
    ("torch._utils", "_rebuild_qtensor"): "a quantized tensor",
    ("torch._utils", "_rebuild_meta_tensor_no_storage"): "a tensor on the meta device",
    ("torch._utils", "_rebuild_wrapper_subclass"): "a tensor of a wrapping subclass",
    ("torch.storage", "UntypedStorage"): "a bare storage",
}


def safe_builtin_globals() -> dict[tuple[str, str], Any]:
    """(module, name) in PyTorch's words -> the object, for all that weights_only=True accepts."""
    names: dict[tuple[str, str], Any] = {
        ("collections", "OrderedDict"): OrderedDict,
        ("collections", "Counter"): Counter,
        ("collections", "defaultdict"): defaultdict,
        ("_codecs", "encode"): _encode,
        ("torch", "Size"): torch.Size,
        ("torch", "device"): torch.device,
        ("torch", "Tensor"): Tensor,
        ("torch.serialization", "_get_layout"): _get_layout,
        ("torch._tensor", "_rebuild_from_type_v2"): _rebuild_from_type_v2,
        ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
        ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor_v2,
        ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
        ("torch._utils", "_rebuild_parameter_with_state"): _rebuild_parameter_with_state,
    }
    for module in ("builtins", "__builtin__"):
        for kind in (set, frozenset, complex, bytearray, slice):
            names[module, kind.__name__] = kind
    names["torch.nn.parameter", "Parameter"] = torch.nn.Parameter
    names["torch.nn", "Parameter"] = torch.nn.Parameter
    for storage, dtype in STORAGE_DTYPES.items():
        if hasattr(torch, dtype):
            names["torch", storage] = StorageType(storage)
            names["torch", dtype] = getattr(torch, dtype)
    return names


def _encode(text: str, encoding: str = "latin1") -> bytes:
    """bytes in pickles of protocol 2."""
    return text.encode(encoding)
