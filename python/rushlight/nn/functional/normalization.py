"""Normalisation as functions."""

from __future__ import annotations

import math
from typing import Any

import rushlight
from rushlight import _C
from rushlight._C import Tensor

__all__ = [
    "batch_norm",
    "group_norm",
    "instance_norm",
    "layer_norm",
    "local_response_norm",
    "rms_norm",
]

def layer_norm(
    input: Tensor,
    normalized_shape: Any,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(variance + eps) over the last dims, times weight plus bias.

    Shape: input (*, normalized_shape); weight and bias normalized_shape.
    """
    return _C.layer_norm(input, normalized_shape, weight, bias, eps)


def rms_norm(
    input: Tensor, normalized_shape: Any, weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """x / sqrt(mean(x^2) + eps) over the last dims, times weight; eps: the dtype's spacing at 1."""
    return _C.rms_norm(input, normalized_shape, weight, eps)


def _check_values_per_channel(size: Any) -> None:
    if math.prod(size[:1]) * math.prod(size[2:]) == 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {size}"
        )


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(variance + eps) over each group of channels, times weight plus bias.

    Shape: input (N, C, *); weight and bias (C).
    """
    if input.dim() < 2:
        raise RuntimeError(
            f"Expected at least 2 dimensions for input tensor but received {input.dim()}"
        )
    size = input.size()
    _check_values_per_channel([size[0] * size[1] // num_groups, num_groups, *size[2:]])
    return _C.group_norm(input, num_groups, weight, bias, eps)


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(variance + eps) by channel, times weight plus bias.

    In training the statistics are those of the input, and the running ones move towards them by
    momentum, in place (the variance of N - 1); else the running ones are used.

    Shape: input (N, C, *); all others (C).
    Raises:
        ValueError: one value per channel in training; eps not positive in training, or negative.
    """
    if training:
        _check_values_per_channel(input.size())
        if eps <= 0.0:
            raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    elif eps < 0.0:
        raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")
    return _C.batch_norm(
        input, weight, bias, running_mean, running_var, training, momentum, eps, True
    )


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(variance + eps) by channel of each sample, times weight plus bias.

    Shape: input (N, C, *); all others (C).
    Raises:
        ValueError: one position per channel, with the input's statistics.
    """
    if use_input_stats and math.prod(input.size()[2:]) == 1:
        raise ValueError(
            "Expected more than 1 spatial element when training, got input size "
            f"{input.size()}"
        )
    return _C.instance_norm(
        input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, True
    )


def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """x / (k + alpha mean(x^2))^beta, the mean over `size` neighbouring channels, zeros outside.

    Shape: input (N, C, *).
    Raises:
        ValueError: fewer than 3 dimensions.
    Source: Krizhevsky and others, 2012.
    """
    if input.dim() < 3:
        raise ValueError(
            "Expected 3D or higher dimensionality                         "
            f" input (got {input.dim()} dimensions)"
        )
    if input.numel() == 0:
        return input
    square = input.mul(input)
    shape = list(square.shape)
    shape[1] = size // 2
    before = square.new_zeros(shape)
    shape[1] = (size - 1) // 2
    after = square.new_zeros(shape)
    padded = rushlight.cat([before, square, after], 1)
    mean = padded.unfold(1, size, 1).mean(-1)
    return input / mean.mul(alpha).add(k).pow(beta)
