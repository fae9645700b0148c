"""The layers, one family per file."""

# ruff: noqa: F403
from rushlight.nn.modules import (
    activation,
    batchnorm,
    container,
    conv,
    dropout,
    flatten,
    instancenorm,
    linear,
    loss,
    normalization,
    padding,
    pooling,
    sparse,
)
from rushlight.nn.modules.activation import *
from rushlight.nn.modules.batchnorm import *
from rushlight.nn.modules.container import *
from rushlight.nn.modules.conv import *
from rushlight.nn.modules.dropout import *
from rushlight.nn.modules.flatten import *
from rushlight.nn.modules.instancenorm import *
from rushlight.nn.modules.linear import *
from rushlight.nn.modules.loss import *
from rushlight.nn.modules.module import Module
from rushlight.nn.modules.normalization import *
from rushlight.nn.modules.padding import *
from rushlight.nn.modules.pooling import *
from rushlight.nn.modules.sparse import *

__all__ = [
    "Module",
    *activation.__all__,
    *batchnorm.__all__,
    *container.__all__,
    *conv.__all__,
    *dropout.__all__,
    *flatten.__all__,
    *instancenorm.__all__,
    *linear.__all__,
    *loss.__all__,
    *padding.__all__,
    *pooling.__all__,
    *normalization.__all__,
    *sparse.__all__,
]
