"""Pooling: maxima and averages of windows."""

from __future__ import annotations

from typing import Any

from rushlight._C import Tensor
from rushlight.nn import functional as F
from rushlight.nn.modules.module import Module
from rushlight.nn.modules.utils import tuple_of

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
]


class _MaxPoolNd(Module):
    __constants__ = ["kernel_size", "stride", "padding", "dilation", "return_indices", "ceil_mode"]

    _dims: int

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Any:
        return getattr(F, f"max_pool{self._dims}d")(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            ceil_mode=self.ceil_mode,
            return_indices=self.return_indices,
        )

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class _AvgPoolNd(Module):
    __constants__ = ["kernel_size", "stride", "padding", "ceil_mode", "count_include_pad"]

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_AvgPoolNd):
    """Averages of windows of (N, C, L) or (C, L).

    Args:
        kernel_size (int or tuple): size of the window.
        stride (int or tuple): distance of neighbouring windows. Default: kernel_size
        padding (int or tuple): width of the border of zeros, at most half the window. Default: 0
        ceil_mode (bool): whether a last, incomplete window counts. Default: False
        count_include_pad (bool): whether the border counts in an average. Default: True
    """

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = tuple_of(1, kernel_size)
        self.stride = tuple_of(1, kernel_size if stride is None else stride)
        self.padding = tuple_of(1, padding)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool1d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
        )


class _AvgPoolDivisor(_AvgPoolNd):
    __constants__ = [*_AvgPoolNd.__constants__, "divisor_override"]

    _dims: int

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        return getattr(F, f"avg_pool{self._dims}d")(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )


class _AdaptiveMaxPoolNd(Module):
    __constants__ = ["output_size", "return_indices"]

    _dims: int

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def forward(self, input: Tensor) -> Any:
        pool = getattr(F, f"adaptive_max_pool{self._dims}d")
        return pool(input, self.output_size, self.return_indices)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class _AdaptiveAvgPoolNd(Module):
    __constants__ = ["output_size"]

    _dims: int

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        return getattr(F, f"adaptive_avg_pool{self._dims}d")(input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class MaxPool1d(_MaxPoolNd):
    """Maxima of windows of (N, C, L) or (C, L).

    Args:
        kernel_size (int or tuple): size of the window.
        stride (int or tuple): distance of neighbouring windows. Default: kernel_size
        padding (int or tuple): width of the border of -inf, at most half the window. Default: 0
        dilation (int or tuple): distance of a window's elements. Default: 1
        return_indices (bool): whether to return also where the maxima lie. Default: False
        ceil_mode (bool): whether a last, incomplete window counts. Default: False
    """

    _dims = 1


class AdaptiveMaxPool1d(_AdaptiveMaxPoolNd):
    """Maxima of as many windows of (N, C, L) or (C, L) as output_size says; None keeps a size.

    Args:
        output_size (int, None or tuple): sizes of the output.
        return_indices (bool): whether to return also where the maxima lie. Default: False
    """

    _dims = 1


class AdaptiveAvgPool1d(_AdaptiveAvgPoolNd):
    """Averages of as many windows of (N, C, L) or (C, L) as output_size says; None keeps a size.

    Args:
        output_size (int, None or tuple): sizes of the output.
    """

    _dims = 1


class MaxPool2d(_MaxPoolNd):
    """Maxima of windows of (N, C, H, W) or (C, H, W).

    Args:
        kernel_size (int or tuple): size of the window.
        stride (int or tuple): distance of neighbouring windows. Default: kernel_size
        padding (int or tuple): width of the border of -inf, at most half the window. Default: 0
        dilation (int or tuple): distance of a window's elements. Default: 1
        return_indices (bool): whether to return also where the maxima lie. Default: False
        ceil_mode (bool): whether a last, incomplete window counts. Default: False
    """

    _dims = 2


class AvgPool2d(_AvgPoolDivisor):
    """Averages of windows of (N, C, H, W) or (C, H, W).

    Args:
        kernel_size (int or tuple): size of the window.
        stride (int or tuple): distance of neighbouring windows. Default: kernel_size
        padding (int or tuple): width of the border of zeros, at most half the window. Default: 0
        ceil_mode (bool): whether a last, incomplete window counts. Default: False
        count_include_pad (bool): whether the border counts in an average. Default: True
        divisor_override (int): what the sums are divided by. Default: the size of the window
    """

    _dims = 2


class AdaptiveMaxPool2d(_AdaptiveMaxPoolNd):
    """Maxima of as many windows of (N, C, H, W) or (C, H, W) as output_size says; None keeps a size.

    Args:
        output_size (int, None or tuple): sizes of the output.
        return_indices (bool): whether to return also where the maxima lie. Default: False
    """

    _dims = 2


class AdaptiveAvgPool2d(_AdaptiveAvgPoolNd):
    """Averages of as many windows of (N, C, H, W) or (C, H, W) as output_size says; None keeps a size.

    Args:
        output_size (int, None or tuple): sizes of the output.
    """

    _dims = 2


class MaxPool3d(_MaxPoolNd):
    """Maxima of windows of (N, C, D, H, W) or (C, D, H, W).

    Args:
        kernel_size (int or tuple): size of the window.
        stride (int or tuple): distance of neighbouring windows. Default: kernel_size
        padding (int or tuple): width of the border of -inf, at most half the window. Default: 0
        dilation (int or tuple): distance of a window's elements. Default: 1
        return_indices (bool): whether to return also where the maxima lie. Default: False
        ceil_mode (bool): whether a last, incomplete window counts. Default: False
    """

    _dims = 3


class AvgPool3d(_AvgPoolDivisor):
    """Averages of windows of (N, C, D, H, W) or (C, D, H, W).

    Args:
        kernel_size (int or tuple): size of the window.
        stride (int or tuple): distance of neighbouring windows. Default: kernel_size
        padding (int or tuple): width of the border of zeros, at most half the window. Default: 0
        ceil_mode (bool): whether a last, incomplete window counts. Default: False
        count_include_pad (bool): whether the border counts in an average. Default: True
        divisor_override (int): what the sums are divided by. Default: the size of the window
    """

    _dims = 3


class AdaptiveMaxPool3d(_AdaptiveMaxPoolNd):
    """Maxima of as many windows of (N, C, D, H, W) or (C, D, H, W) as output_size says; None keeps a size.

    Args:
        output_size (int, None or tuple): sizes of the output.
        return_indices (bool): whether to return also where the maxima lie. Default: False
    """

    _dims = 3


class AdaptiveAvgPool3d(_AdaptiveAvgPoolNd):
    """Averages of as many windows of (N, C, D, H, W) or (C, D, H, W) as output_size says; None keeps a size.

    Args:
        output_size (int, None or tuple): sizes of the output.
    """

    _dims = 3
