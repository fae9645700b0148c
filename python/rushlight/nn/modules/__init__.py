"""The layers, one family per file."""

# ruff: noqa: F403
from rushlight.nn.modules import activation, container, conv, dropout, flatten, linear, loss, padding, pooling
from rushlight.nn.modules.activation import *
from rushlight.nn.modules.container import *
from rushlight.nn.modules.conv import *
from rushlight.nn.modules.dropout import *
from rushlight.nn.modules.flatten import *
from rushlight.nn.modules.linear import *
from rushlight.nn.modules.loss import *
from rushlight.nn.modules.module import Module
from rushlight.nn.modules.padding import *
from rushlight.nn.modules.pooling import *

__all__ = [
    "Module",
    *activation.__all__,
    *container.__all__,
    *conv.__all__,
    *dropout.__all__,
    *flatten.__all__,
    *linear.__all__,
    *loss.__all__,
    *padding.__all__,
    *pooling.__all__,
]
