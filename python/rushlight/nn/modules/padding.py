"""Borders: of a constant, zeros, mirrored, repeated or circular elements."""

from __future__ import annotations

from typing import Any

from rushlight._C import Tensor
from rushlight.nn import functional as F
from rushlight.nn.modules.module import Module
from rushlight.nn.modules.utils import tuple_of

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]


class _Pad(Module):
    """A border; padding is its width, or widths as F.pad takes them."""

    __constants__ = ["padding"]

    _dims: int
    _mode: str

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = tuple_of(2 * self._dims, padding)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _CircularPad(_Pad):
    _mode = "circular"

    def forward(self, input: Tensor) -> Tensor:
        n = self._dims
        if input.dim() not in (n + 1, n + 2):
            raise ValueError(f"expected {n + 1}D or {n + 2}D input (got {input.dim()}D input)")
        return super().forward(input)


class _ConstantPad(_Pad):
    __constants__ = ["padding", "value"]

    def __init__(self, padding: Any, value: float) -> None:
        Module.__init__(self)
        self.value = value
        self.padding = tuple_of(2 * self._dims, padding)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class CircularPad1d(_CircularPad):
    """(N, C, L) or (C, L) with a border of what stands at the other side.

    Args:
        padding (int or tuple): its width, or (left, right).
    """

    _dims = 1


class ConstantPad1d(_ConstantPad):
    """(N, C, L) or (C, L) with a border of one value.

    Args:
        padding (int or tuple): its width, or (left, right).
        value (float): of the border.
    """

    _dims = 1


class ReflectionPad1d(_Pad):
    """(N, C, L) or (C, L) with a border of the mirrored input.

    Args:
        padding (int or tuple): its width, or (left, right).
    """

    _dims = 1
    _mode = "reflect"


class ReplicationPad1d(_Pad):
    """(N, C, L) or (C, L) with a border of the elements at the edge.

    Args:
        padding (int or tuple): its width, or (left, right).
    """

    _dims = 1
    _mode = "replicate"


class ZeroPad1d(ConstantPad1d):
    """(N, C, L) or (C, L) with a border of zeros.

    Args:
        padding (int or tuple): its width, or (left, right).
    """

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class CircularPad2d(_CircularPad):
    """(N, C, H, W) or (C, H, W) with a border of what stands at the other side.

    Args:
        padding (int or tuple): its width, or (left, right, top, bottom).
    """

    _dims = 2


class ConstantPad2d(_ConstantPad):
    """(N, C, H, W) or (C, H, W) with a border of one value.

    Args:
        padding (int or tuple): its width, or (left, right, top, bottom).
        value (float): of the border.
    """

    _dims = 2


class ReflectionPad2d(_Pad):
    """(N, C, H, W) or (C, H, W) with a border of the mirrored input.

    Args:
        padding (int or tuple): its width, or (left, right, top, bottom).
    """

    _dims = 2
    _mode = "reflect"


class ReplicationPad2d(_Pad):
    """(N, C, H, W) or (C, H, W) with a border of the elements at the edge.

    Args:
        padding (int or tuple): its width, or (left, right, top, bottom).
    """

    _dims = 2
    _mode = "replicate"


class ZeroPad2d(ConstantPad2d):
    """(N, C, H, W) or (C, H, W) with a border of zeros.

    Args:
        padding (int or tuple): its width, or (left, right, top, bottom).
    """

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class CircularPad3d(_CircularPad):
    """(N, C, D, H, W) or (C, D, H, W) with a border of what stands at the other side.

    Args:
        padding (int or tuple): its width, or (left, right, top, bottom, front, back).
    """

    _dims = 3


class ConstantPad3d(_ConstantPad):
    """(N, C, D, H, W) or (C, D, H, W) with a border of one value.

    Args:
        padding (int or tuple): its width, or (left, right, top, bottom, front, back).
        value (float): of the border.
    """

    _dims = 3


class ReflectionPad3d(_Pad):
    """(N, C, D, H, W) or (C, D, H, W) with a border of the mirrored input.

    Args:
        padding (int or tuple): its width, or (left, right, top, bottom, front, back).
    """

    _dims = 3
    _mode = "reflect"


class ReplicationPad3d(_Pad):
    """(N, C, D, H, W) or (C, D, H, W) with a border of the elements at the edge.

    Args:
        padding (int or tuple): its width, or (left, right, top, bottom, front, back).
    """

    _dims = 3
    _mode = "replicate"


class ZeroPad3d(ConstantPad3d):
    """(N, C, D, H, W) or (C, D, H, W) with a border of zeros.

    Args:
        padding (int or tuple): its width, or (left, right, top, bottom, front, back).
    """

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"
