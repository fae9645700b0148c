"""torch.special: functions of mathematics; many are operators of the main namespace under another name."""

from __future__ import annotations

from typing import Any

from rushlight import _C
from rushlight._C import Tensor

__all__ = [name.removeprefix("special_") for name in dir(_C._special) if name.startswith("special_")]
__all__ += ["log_softmax", "softmax"]

for _name in dir(_C._special):
    if _name.startswith("special_"):
        globals()[_name.removeprefix("special_")] = getattr(_C._special, _name)


def softmax(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """exp(x) over the sum of exp(x) along dim."""
    return _C.softmax(input, dim, dtype)


def log_softmax(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
    """log(softmax(x)) along dim, stable."""
    return _C.log_softmax(input, dim, dtype)
