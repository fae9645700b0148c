"""Gradients of convolutions, as functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import rushlight
from rushlight._C import Tensor
from rushlight.nn import functional as F

__all__ = [
    "conv1d_input",
    "conv1d_weight",
    "conv2d_input",
    "conv2d_weight",
    "conv3d_input",
    "conv3d_weight",
]


def _backward(conv: Callable, given: list[Any], which: int, g: Tensor, options: tuple) -> Tensor:
    """The gradient of conv with regard to argument `which`, of which the shape is given."""
    recording = rushlight.is_grad_enabled()
    other = given[1 - which]
    given[which] = rushlight.zeros(tuple(given[which]), dtype=other.dtype, requires_grad=True)
    with rushlight.enable_grad():
        y = conv(given[0], given[1], None, *options)
    return rushlight.autograd.grad(y, given[which], g, create_graph=recording)[0]


def _input(conv: Callable) -> Callable:
    def gradient(
        input_size: Sequence[int],
        weight: Tensor,
        grad_output: Tensor,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
    ) -> Tensor:
        options = (stride, padding, dilation, groups)
        return _backward(conv, [input_size, weight], 0, grad_output, options)

    gradient.__name__ = gradient.__qualname__ = f"{conv.__name__}_input"
    gradient.__doc__ = f"Gradient of {conv.__name__} with regard to its input, of this size."
    return gradient


def _weight(conv: Callable) -> Callable:
    def gradient(
        input: Tensor,
        weight_size: Sequence[int],
        grad_output: Tensor,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
    ) -> Tensor:
        options = (stride, padding, dilation, groups)
        return _backward(conv, [input, weight_size], 1, grad_output, options)

    gradient.__name__ = gradient.__qualname__ = f"{conv.__name__}_weight"
    gradient.__doc__ = f"Gradient of {conv.__name__} with regard to its weight, of this size."
    return gradient


conv1d_input, conv1d_weight = _input(F.conv1d), _weight(F.conv1d)
conv2d_input, conv2d_weight = _input(F.conv2d), _weight(F.conv2d)
conv3d_input, conv3d_weight = _input(F.conv3d), _weight(F.conv3d)
