"""A batch normalisation in evaluation mode multiplied into the layer before it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import rushlight
from rushlight._C import Tensor
from rushlight.nn.modules.module import Module
from rushlight.nn.parameter import Parameter

__all__ = [
    "fuse_conv_bn_eval",
    "fuse_conv_bn_weights",
    "fuse_linear_bn_eval",
    "fuse_linear_bn_weights",
]


def fuse_conv_bn_eval(conv: Module, bn: Module, transpose: bool = False) -> Module:
    """A copy of the convolution that gives bn(conv(x)).

    Args:
        conv, bn (Module): in evaluation mode; bn with running statistics.
        transpose (bool): conv is a transposed convolution. Default: False
    """
    fused = _copy(conv, bn)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight, fused.bias, *_numbers(bn), transpose
    )
    return fused


def fuse_linear_bn_eval(linear: Module, bn: Module) -> Module:
    """A copy of the Linear that gives bn(linear(x)).

    Args:
        linear, bn (Module): in evaluation mode; bn with running statistics.
    """
    fused = _copy(linear, bn)
    if linear.out_features != bn.num_features and bn.num_features != 1:
        raise AssertionError(
            "To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got "
            f"linear.out_features={linear.out_features} and bn.num_features={bn.num_features}"
        )
    fused.weight, fused.bias = fuse_linear_bn_weights(fused.weight, fused.bias, *_numbers(bn))
    return fused


def _copy(layer: Module, bn: Module) -> Module:
    if layer.training or bn.training:
        raise AssertionError("Fusion only for eval!")
    return deepcopy(layer)


def _numbers(bn: Module) -> tuple[Any, ...]:
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("bn.running_mean and bn.running_var must not be None")
    return bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias


def fuse_conv_bn_weights(
    conv_w: Tensor,
    conv_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """(weight, bias) of a convolution and the normalisation behind it together.

    Args:
        conv_w, conv_b: of the convolution.
        bn_rm, bn_rv, bn_eps, bn_w, bn_b: running mean and variance, eps, weight, bias.
        transpose (bool): a transposed convolution's, output channels second. Default: False
    """
    bias = rushlight.zeros_like(bn_rm) if conv_b is None else conv_b
    scale = rushlight.rsqrt(bn_rv + bn_eps)
    weight = scale if bn_w is None else bn_w * scale
    shape = [1, -1] if transpose else [-1, 1]
    shape += [1] * (conv_w.dim() - 2)
    new_w = (conv_w * weight.reshape(shape)).to(conv_w.dtype)
    new_b = (bias - bn_rm) * scale
    new_b = new_b if bn_w is None else new_b * bn_w
    new_b = new_b if bn_b is None else new_b + bn_b
    new_b = new_b.to(conv_w.dtype if conv_b is None else conv_b.dtype)
    return Parameter(new_w, conv_w.requires_grad), Parameter(new_b, bias.requires_grad)


def fuse_linear_bn_weights(
    linear_w: Tensor,
    linear_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor,
    bn_b: Tensor,
) -> tuple[Parameter, Parameter]:
    """(weight, bias) of a Linear and the normalisation behind it together.

    Args:
        linear_w, linear_b: of the Linear.
        bn_rm, bn_rv, bn_eps, bn_w, bn_b: running mean and variance, eps, weight, bias.
    """
    bias = rushlight.zeros_like(bn_rm) if linear_b is None else linear_b
    scale = bn_w * rushlight.rsqrt(bn_rv + bn_eps)
    new_w = linear_w * scale.unsqueeze(-1).to(linear_w.dtype)
    new_b = ((bias - bn_rm) * scale + bn_b).to(
        linear_w.dtype if linear_b is None else linear_b.dtype
    )
    return Parameter(new_w, linear_w.requires_grad), Parameter(new_b, bias.requires_grad)
