"""Dropout: elements zeroed at random in training."""

from __future__ import annotations

from rushlight._C import Tensor
from rushlight.nn import functional as F
from rushlight.nn.modules.module import Module

__all__ = ["Dropout"]


class Dropout(Module):
    """Zeroes each element with probability p and scales the others by 1 / (1 - p), in training.

    Args:
        p (float): probability. Default: 0.5
        inplace (bool): write into the input. Default: False

    Shape: input (*), output (*), any number of dimensions.
    Raises:
        ValueError: p outside [0, 1].
    Source: Hinton and others, 2012.
    """

    __constants__ = ["inplace", "p"]

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"
