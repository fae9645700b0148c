"""Borders: of a constant, zeros, mirrored, repeated or circular elements."""

from __future__ import annotations

from typing import Any

from rushlight._C import Tensor
from rushlight.nn import functional as F
from rushlight.nn.modules.module import Module
from rushlight.nn.modules.utils import PerDimension, tuple_of

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


class _Pad(PerDimension, Module):
    """A border; padding is its width, or widths as F.pad takes them."""

    __constants__ = ["padding"]

    _mode: str

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = tuple_of(2 * self._dims, padding)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _CircularPad(_Pad):
    """(N, C, {sizes}) or (C, {sizes}) with a border of what stands at the other side.

    Args:
        padding (int or tuple): its width, or (left, right, top, bottom, front, back), as far as
            there are dimensions.
    """

    _mode = "circular"

    def forward(self, input: Tensor) -> Tensor:
        n = self._dims
        if input.dim() not in (n + 1, n + 2):
            raise ValueError(f"expected {n + 1}D or {n + 2}D input (got {input.dim()}D input)")
        return super().forward(input)


class _ConstantPad(_Pad):
    """(N, C, {sizes}) or (C, {sizes}) with a border of one value.

    Args:
        padding (int or tuple): its width, or (left, right, top, bottom, front, back), as far as
            there are dimensions.
        value (float): of the border.
    """

    __constants__ = ["padding", "value"]

    def __init__(self, padding: Any, value: float) -> None:
        Module.__init__(self)
        self.value = value
        self.padding = tuple_of(2 * self._dims, padding)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class _ReflectionPad(_Pad):
    """(N, C, {sizes}) or (C, {sizes}) with a border of the mirrored input.

    Args:
        padding (int or tuple): its width, or (left, right, top, bottom, front, back), as far as
            there are dimensions.
    """

    _mode = "reflect"


class _ReplicationPad(_Pad):
    """(N, C, {sizes}) or (C, {sizes}) with a border of the elements at the edge.

    Args:
        padding (int or tuple): its width, or (left, right, top, bottom, front, back), as far as
            there are dimensions.
    """

    _mode = "replicate"


class _ZeroPad(_ConstantPad):
    """(N, C, {sizes}) or (C, {sizes}) with a border of zeros.

    Args:
        padding (int or tuple): its width, or (left, right, top, bottom, front, back), as far as
            there are dimensions.
    """

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class CircularPad1d(_CircularPad):
    _dims = 1


class CircularPad2d(_CircularPad):
    _dims = 2


class CircularPad3d(_CircularPad):
    _dims = 3


class ConstantPad1d(_ConstantPad):
    _dims = 1


class ConstantPad2d(_ConstantPad):
    _dims = 2


class ConstantPad3d(_ConstantPad):
    _dims = 3


class ReflectionPad1d(_ReflectionPad):
    _dims = 1


class ReflectionPad2d(_ReflectionPad):
    _dims = 2


class ReflectionPad3d(_ReflectionPad):
    _dims = 3


class ReplicationPad1d(_ReplicationPad):
    _dims = 1


class ReplicationPad2d(_ReplicationPad):
    _dims = 2


class ReplicationPad3d(_ReplicationPad):
    _dims = 3


class ZeroPad1d(_ZeroPad, ConstantPad1d):
    _dims = 1


class ZeroPad2d(_ZeroPad, ConstantPad2d):
    _dims = 2


class ZeroPad3d(_ZeroPad, ConstantPad3d):
    _dims = 3
