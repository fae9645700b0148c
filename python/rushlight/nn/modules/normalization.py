"""Normalisation within a sample: LayerNorm, RMSNorm, GroupNorm, LocalResponseNorm."""

from __future__ import annotations

import numbers
from typing import Any

import rushlight
from rushlight._C import Tensor
from rushlight.nn import functional as F
from rushlight.nn import init
from rushlight.nn.modules.module import Module
from rushlight.nn.parameter import Parameter

__all__ = ["CrossMapLRN2d", "GroupNorm", "LayerNorm", "LocalResponseNorm", "RMSNorm"]


def _sizes(shape: Any) -> tuple[int, ...]:
    return (shape,) if isinstance(shape, numbers.Integral) else tuple(shape)


class _Affine(Module):
    """Weight and bias of ones and zeros, or None; "bias" comes second in the state_dict."""

    def _make(self, shape: Any, weight: bool, bias: bool | None, device: Any, dtype: Any) -> None:
        """bias None: there is no such parameter at all."""
        options = {"device": device, "dtype": dtype}
        for name, wanted in (("weight", weight), ("bias", bias)):
            if wanted is not None:
                value = Parameter(rushlight.empty(shape, **options)) if wanted else None
                self.register_parameter(name, value)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weight 1, bias 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if getattr(self, "bias", None) is not None:
            init.zeros_(self.bias)


class LayerNorm(_Affine):
    """(x - mean) / sqrt(variance + eps) weight + bias over the last dims.

    Args:
        normalized_shape (int or sequence): sizes of those dims.
        eps (float): Default: 1e-5
        elementwise_affine (bool): whether there are weight and bias. Default: True
        bias (bool): whether there is a bias. Default: True
        device: cpu or None.
        dtype (dtype): of the parameters. Default: the default dtype.

    Shape: input (*, normalized_shape), output the same; weight and bias normalized_shape.
    Source: Ba and others, 2016.
    """

    __constants__ = ["normalized_shape", "eps", "elementwise_affine"]

    def __init__(
        self,
        normalized_shape: Any,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _sizes(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        affine = elementwise_affine
        self._make(self.normalized_shape, affine, affine and bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )


class RMSNorm(_Affine):
    """x / sqrt(mean(x^2) + eps) weight over the last dims.

    Args:
        normalized_shape (int or sequence): sizes of those dims.
        eps (float): Default: None, the dtype's spacing at 1
        elementwise_affine (bool): whether there is a weight. Default: True
        device: cpu or None.
        dtype (dtype): of the parameters. Default: the default dtype.

    Shape: input (*, normalized_shape), output the same; weight normalized_shape.
    Source: Zhang and Sennrich, 2019.
    """

    __constants__ = ["normalized_shape", "eps", "elementwise_affine"]

    def __init__(
        self,
        normalized_shape: Any,
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _sizes(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self._make(self.normalized_shape, elementwise_affine, None, device, dtype)

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )


class GroupNorm(_Affine):
    """(x - mean) / sqrt(variance + eps) weight + bias over each group of channels of a sample.

    Args:
        num_groups (int): number of groups.
        num_channels (int): number of channels, a multiple of it.
        eps (float): Default: 1e-5
        affine (bool): whether there are weight and bias. Default: True
        device: cpu or None.
        dtype (dtype): of the parameters. Default: the default dtype.
        bias (bool): whether there is a bias. Default: True

    Shape: input (N, C, *), output the same; weight and bias (C).
    Raises:
        ValueError: num_channels is no multiple of num_groups.
    Source: Wu and He, 2018.
    """

    __constants__ = ["num_groups", "num_channels", "eps", "affine"]

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(
                f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})"
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self._make(num_channels, affine, affine and bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class LocalResponseNorm(Module):
    """x / (k + alpha mean(x^2))^beta, the mean over neighbouring channels.

    Args:
        size (int): number of those channels.
        alpha (float): Default: 1e-4
        beta (float): Default: 0.75
        k (float): Default: 1

    Shape: input (N, C, *), output the same.
    Source: Krizhevsky and others, 2012.
    """

    __constants__ = ["size", "alpha", "beta", "k"]

    def __init__(
        self, size: int, alpha: float = 0.0001, beta: float = 0.75, k: float = 1.0
    ) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class CrossMapLRN2d(Module):
    """x / (k + alpha / size s)^beta, s the sum of the squares of the channels nearby.

    Nearby are (size - 1) // 2 channels to either side, and to the first channel what PyTorch's running
    sum never takes away again: it counts for all later ones.

    Args:
        size (int): channels.
        alpha (float): Default: 1e-4
        beta (float): Default: 0.75
        k (float): Default: 1

    Shape: input (N, C, H, W), output the same.
    Raises:
        ValueError: another number of dimensions.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        if input.dim() != 4:
            raise ValueError(
                f"CrossMapLRN2d: Expected input to be 4D, got {input.dim()}D instead."
            )
        reach, channels = (self.size - 1) // 2, input.size(1)
        squares = input.square()
        padded = F.pad(squares, (0, 0, 0, 0, reach, reach))
        total = sum(padded.narrow(1, i, channels) for i in range(2 * reach + 1))
        if channels > reach + 1:
            first = squares[:, :1].expand(-1, channels - reach - 1, -1, -1)
            total = total + F.pad(first, (0, 0, 0, 0, reach + 1, 0))
        return input * (total * (self.alpha / self.size) + self.k) ** -self.beta

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
