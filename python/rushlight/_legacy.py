"""The legacy tensor types: FloatTensor(2, 3), LongTensor([1, 2]), isinstance(x, FloatTensor)."""

from typing import Any

from rushlight import _C
from rushlight._C import Tensor


class _TensorType(type):
    """Type whose instances are the tensors of one dtype."""

    dtype: Any

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and instance.dtype == cls.dtype

    def __call__(cls, *args: Any, **kwargs: Any) -> Tensor:
        return _C._legacy_tensor(cls.dtype, args, kwargs)


def _make(name: str, dtype: Any) -> _TensorType:
    return _TensorType(name, (), {"dtype": dtype, "__module__": "torch", "__doc__": f"Tensor of {dtype}."})


FloatTensor = _make("FloatTensor", _C.float32)
DoubleTensor = _make("DoubleTensor", _C.float64)
HalfTensor = _make("HalfTensor", _C.float16)
BFloat16Tensor = _make("BFloat16Tensor", _C.bfloat16)
ByteTensor = _make("ByteTensor", _C.uint8)
CharTensor = _make("CharTensor", _C.int8)
ShortTensor = _make("ShortTensor", _C.int16)
IntTensor = _make("IntTensor", _C.int32)
LongTensor = _make("LongTensor", _C.int64)
BoolTensor = _make("BoolTensor", _C.bool)


def set_default_tensor_type(t: Any) -> None:
    """Sets the default dtype to that of a legacy type or its name ("torch.DoubleTensor"); deprecated."""
    if isinstance(t, str):
        known = globals().get(t.removeprefix("torch."))
        if not isinstance(known, _TensorType):
            raise TypeError(f"invalid type name: {t}")
        t = known
    if not isinstance(t, _TensorType):
        raise TypeError("invalid type object")
    _C.set_default_dtype(t.dtype)
