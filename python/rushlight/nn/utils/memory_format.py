"""Memory formats of convolutions' weights: accepted, without effect."""

from __future__ import annotations

from typing import Any

from rushlight.nn.modules.module import Module

__all__ = ["convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"]


def convert_conv2d_weight_memory_format(module: Module, memory_format: Any) -> Module:
    """The module as it is: rushlight's convolutions have one memory format."""
    return module


def convert_conv3d_weight_memory_format(module: Module, memory_format: Any) -> Module:
    """The module as it is: rushlight's convolutions have one memory format."""
    return module
