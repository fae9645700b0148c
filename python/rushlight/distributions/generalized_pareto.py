"""The generalised Pareto distribution."""

from __future__ import annotations

from typing import Any

import rushlight
from rushlight._C import Tensor
from rushlight.distributions import constraints
from rushlight.distributions.distribution import Distribution

__all__ = ["GeneralizedPareto"]


class GeneralizedPareto(Distribution):
    """Excesses over a threshold.

    Args:
        loc, scale, concentration (float or Tensor): threshold, scale, and shape; shape 0 is the exponential
            distribution.
    """

    arg_constraints = {
        "loc": constraints.real,
        "scale": constraints.positive,
        "concentration": constraints.real,
    }
    has_rsample = True

    def __init__(
        self, loc: Any, scale: Any, concentration: Any, validate_args: bool | None = None
    ) -> None:
        shape = self._broadcast(loc=loc, scale=scale, concentration=concentration)
        super().__init__(shape, validate_args=validate_args)

    def _near_zero(self) -> tuple[Tensor, Tensor]:
        """Where the shape counts as 0, and the shape with 1 there."""
        k = self.concentration
        zero = rushlight.isclose(k, rushlight.zeros_like(k))
        return zero, rushlight.where(zero, rushlight.ones_like(k), k)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return self.icdf(rushlight.rand(shape, dtype=self.loc.dtype))

    def log_prob(self, value: Tensor) -> Tensor:
        z = self._scaled(self._checked(value))
        zero, k = self._near_zero()
        return -self.scale.log() + rushlight.where(zero, -z, -(1 + 1 / k) * (k * z).log1p())

    def log_survival_function(self, value: Tensor) -> Tensor:
        """log P(x > value)."""
        z = self._scaled(self._checked(value))
        zero, k = self._near_zero()
        return rushlight.where(zero, -z, -(k * z).log1p() / k)

    def log_cdf(self, value: Tensor) -> Tensor:
        """log P(x <= value)."""
        return (-self.log_survival_function(value).exp()).log1p()

    def cdf(self, value: Tensor) -> Tensor:
        return self.log_cdf(value).exp()

    def icdf(self, value: Tensor) -> Tensor:
        zero, k = self._near_zero()
        log_left = (-value).log1p()
        power = self.loc + self.scale / k * (-k * log_left).expm1()
        return rushlight.where(zero, self.loc - self.scale * log_left, power)

    def _scaled(self, x: Tensor) -> Tensor:
        return (x - self.loc) / self.scale

    @property
    def mean(self) -> Tensor:
        k = self.concentration
        valid = k < 1
        mean = self.loc + self.scale / (1 - rushlight.where(valid, k, 0.5))
        return rushlight.where(valid, mean, rushlight.full_like(mean, rushlight.inf))

    @property
    def variance(self) -> Tensor:
        k = self.concentration
        valid = k < 0.5
        safe = rushlight.where(valid, k, 0.25)
        variance = self.scale**2 / ((1 - safe) ** 2 * (1 - 2 * safe))
        return rushlight.where(valid, variance, rushlight.full_like(variance, rushlight.inf))

    def entropy(self) -> Tensor:
        return (self.scale.log() + self.concentration + 1).expand(self._batch_shape)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        lower = self.loc
        upper = rushlight.where(
            self.concentration < 0, lower - self.scale / self.concentration, rushlight.inf
        )
        return constraints.interval(lower, upper)
