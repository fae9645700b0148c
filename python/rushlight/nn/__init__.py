"""Neural networks: modules, their functions, initial values."""

# ruff: noqa: F401, F403, F405
from typing import TYPE_CHECKING

from rushlight._lazy import attach as _attach
from rushlight.nn.parameter import (  # first: modules need it
    Buffer,
    Parameter,
    UninitializedBuffer,
    UninitializedParameter,
)
from rushlight.nn import functional, init, modules, parameter, utils
from rushlight.nn.modules import Module
from rushlight.nn.modules.activation import *
from rushlight.nn.modules.container import *
from rushlight.nn.modules.dropout import *
from rushlight.nn.modules.flatten import *
from rushlight.nn.modules.linear import *
from rushlight.nn.modules.loss import *

if TYPE_CHECKING:  # what type checkers and editors cannot see below
    from rushlight.nn.modules import *

__all__ = [
    "Buffer",
    "DataParallel",
    "Parameter",
    "UninitializedBuffer",
    "UninitializedParameter",
    "functional",
    "grad",
    "init",
    "modules",
    "parallel",
    "parameter",
    "utils",
    *modules.__all__,
]
__getattr__, __dir__ = _attach(
    __name__,
    globals(),
    {f"modules.{file}": names for file, names in modules._LAZY.items()}
    | {"attention": (), "grad": (), "parallel": ("DataParallel",)},
)
