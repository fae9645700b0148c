"""Convolutions of the torch namespace that nn has no layer for."""

from __future__ import annotations

from collections.abc import Sequence

from rushlight import _C
from rushlight._C import Tensor


def conv_tbc(input: Tensor, weight: Tensor, bias: Tensor, pad: int = 0) -> Tensor:
    """Convolution over time of (time, batch, channels).

    Args:
        weight: (kernel, in channels, out channels). bias: (out channels). pad: zeros before and after.

    Raises:
        RuntimeError: shapes that do not fit.
    """
    if input.dim() != 3:
        raise RuntimeError("Input must have 3 dims: time, batch, in_channel")
    if weight.dim() != 3:
        raise RuntimeError("Weight tensor must have 3 dims: kernel_width, in_channels, out_channels.")
    if bias.dim() != 1:
        raise RuntimeError("Bias must be 1-D")
    if input.shape[2] != weight.shape[1]:
        raise RuntimeError("Input dim 2 (input channels) is not == dim 1 in the weight tensor")
    if weight.shape[2] != bias.shape[0]:
        raise RuntimeError("Bias size must equal dim 2 in the weight tensor (output channels).")
    rows = _C.conv1d(input.permute(1, 2, 0), weight.permute(2, 1, 0), bias, 1, pad)
    return rows.permute(2, 0, 1).contiguous()


def convolution(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
) -> Tensor:
    """conv1d, conv2d, conv3d, or with transposed conv_transpose1d and so on, by the input's dims (batch and channels
    included)."""
    for position, (name, value) in enumerate(
        {"stride": stride, "padding": padding, "dilation": dilation, "output_padding": output_padding}.items()
    ):
        if isinstance(value, int):
            raise TypeError(
                f"convolution(): argument '{name}' (position {4 + position + (position == 3)}) must be tuple of ints, not int"
            )
    ndim = weight.dim() - 2
    if not 1 <= ndim <= 3:
        raise RuntimeError(f"weight should have at least three dimensions, got {weight.dim()}")
    if transposed:
        function = getattr(_C, f"conv_transpose{ndim}d")
        return function(input, weight, bias, stride, padding, output_padding, groups, dilation)
    return getattr(_C, f"conv{ndim}d")(input, weight, bias, stride, padding, dilation, groups)
