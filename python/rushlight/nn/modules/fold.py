"""Windows of images as columns, and back."""

from __future__ import annotations

from typing import Any

from rushlight._C import Tensor
from rushlight.nn import functional as F
from rushlight.nn.modules.module import Module

__all__ = ["Fold", "Unfold"]


class Unfold(Module):
    """The windows of (N, C, H, W) as columns: (N, C * kernel points, windows); N may be missing.

    Args:
        kernel_size (int or tuple): size of the windows.
        dilation (int or tuple): distance of a window's elements. Default: 1
        padding (int or tuple): width of the border of zeros. Default: 0
        stride (int or tuple): distance of neighbouring windows. Default: 1
    """

    __constants__ = ["kernel_size", "dilation", "padding", "stride"]

    def __init__(
        self, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={getattr(self, name)}" for name in self.__constants__)


class Fold(Module):
    """The columns of Unfold added up in their windows: (N, C, *output_size); N may be missing.

    Args:
        output_size (int or tuple): height and width of the result.
        kernel_size, dilation, padding, stride (int or tuple): as of Unfold.
    """

    __constants__ = ["output_size", *Unfold.__constants__]

    def __init__(
        self,
        output_size: Any,
        kernel_size: Any,
        dilation: Any = 1,
        padding: Any = 0,
        stride: Any = 1,
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        return F.fold(
            input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride
        )

    extra_repr = Unfold.extra_repr
