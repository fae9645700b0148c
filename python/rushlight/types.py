"""torch.types: names for annotations."""

from rushlight import _C

Number = int | float | bool
Device = _C.device | str | int | None
_device, _dtype, _layout, _size = _C.device, _C.dtype, _C.layout, _C.Size | list[int] | tuple[int, ...]
_int, _float, _bool = int, float, bool
