"""torch.finfo and torch.iinfo: the limits of a dtype."""

from typing import Any

from rushlight import _C

# dtype -> (bits, significand bits with the hidden one, smallest exponent of a normal number, largest exponent)
_FLOATS = {
    _C.float16: (16, 11, -14, 15, 0.001),
    _C.bfloat16: (16, 8, -126, 127, 0.01),
    _C.float32: (32, 24, -126, 127, 1e-06),
    _C.float64: (64, 53, -1022, 1023, 1e-15),
}
_INTS = {_C.uint8: (8, False), _C.int8: (8, True), _C.int16: (16, True), _C.int32: (32, True), _C.int64: (64, True)}


def _name(dtype: Any) -> str:
    return str(dtype).removeprefix("torch.")


class finfo:
    """Limits of a floating-point dtype, or of the parts of a complex one.

    Args:
        type (dtype): Default: the default dtype.

    Raises:
        TypeError: the dtype is not floating.
    """

    def __init__(self, type: Any = None) -> None:
        dtype = _C.get_default_dtype() if type is None else type
        if dtype in (_C.complex64, _C.complex128):
            dtype = dtype.to_real()
        if dtype not in _FLOATS:
            raise TypeError("torch.finfo() requires a floating point input type. Use torch.iinfo to handle 'torch.finfo'")
        self.bits, digits, low, high, self.resolution = _FLOATS[dtype]
        self.dtype = _name(dtype)
        self.eps = 2.0 ** (1 - digits)
        self.max = (2.0 - self.eps) * 2.0**high
        self.min = -self.max
        self.tiny = self.smallest_normal = 2.0**low

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
            f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})"
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, finfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(self.dtype)


class iinfo:
    """Limits of an integer dtype.

    Args:
        type (dtype): an integer dtype.

    Raises:
        TypeError: the dtype is not an integer type.
    """

    def __init__(self, type: Any) -> None:
        if type not in _INTS:
            if type in _FLOATS:
                raise TypeError("torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.iinfo'")
            raise TypeError("torch.bool is not supported by torch.iinfo")
        self.bits, signed = _INTS[type]
        self.dtype = _name(type)
        self.max = 2 ** (self.bits - signed) - 1
        self.min = -(2 ** (self.bits - 1)) if signed else 0

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, iinfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(self.dtype)
