"""The half-Cauchy distribution."""

from __future__ import annotations

from typing import Any

import rushlight
from rushlight._C import Tensor
from rushlight.distributions.cauchy import Cauchy
from rushlight.distributions.half import Half
from rushlight.distributions.transforms import AbsTransform

__all__ = ["HalfCauchy"]


class HalfCauchy(Half):
    """|x|, x from a Cauchy distribution around 0.

    Args:
        scale (float or Tensor): of x.
    """

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        super().__init__(Cauchy(0, scale, validate_args=False), AbsTransform(), validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> HalfCauchy:
        return super().expand(batch_shape, self._get_checked_instance(HalfCauchy, _instance))

    @property
    def mean(self) -> Tensor:
        return rushlight.full(self._extended_shape(), rushlight.inf, dtype=self.scale.dtype)

    @property
    def variance(self) -> Tensor:
        return self.base_dist.variance

    def log_prob(self, value: Tensor) -> Tensor:
        return super().log_prob(rushlight.as_tensor(self._checked(value), dtype=self.scale.dtype))
