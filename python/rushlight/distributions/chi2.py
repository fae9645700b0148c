"""The chi-squared distribution."""

from __future__ import annotations

from typing import Any

from rushlight._C import Tensor
from rushlight.distributions import constraints
from rushlight.distributions.gamma import Gamma

__all__ = ["Chi2"]


class Chi2(Gamma):
    """Sum of the squares of df standard normal numbers.

    Args:
        df (float or Tensor): degrees of freedom.
    """

    arg_constraints = {"df": constraints.positive}

    def __init__(self, df: Any, validate_args: bool | None = None) -> None:
        super().__init__(0.5 * df, 0.5, validate_args=validate_args)

    def _expanded(self) -> dict[str, int]:
        return {"concentration": 0, "rate": 0}

    @property
    def df(self) -> Tensor:
        return self.concentration * 2
