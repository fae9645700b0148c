"""The negative binomial distribution."""

from __future__ import annotations

from typing import Any

import rushlight
from rushlight import nn
from rushlight._C import Tensor
from rushlight.distributions import constraints
from rushlight.distributions.distribution import Distribution
from rushlight.distributions.gamma import Gamma
from rushlight.distributions.probs import ProbsOrLogits
from rushlight.distributions.utils import (
    checked_either,
    lazy_property,
)

__all__ = ["NegativeBinomial"]


class NegativeBinomial(ProbsOrLogits, Distribution):
    """Successes, each of probability p, before total_count failures.

    Args:
        total_count (float or Tensor): failures to stop at, not necessarily whole.
        probs, logits (Tensor): p in [0, 1), or log(p / (1 - p)): one of them.
    """

    arg_constraints = {
        "total_count": constraints.greater_than_eq(0),
        "probs": constraints.half_open_interval(0.0, 1.0),
        "logits": constraints.real,
    }
    support = constraints.nonnegative_integer

    def __init__(
        self,
        total_count: Any,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        given = {"probs": probs} if checked_either(probs, logits) else {"logits": logits}
        shape = self._broadcast(total_count=total_count, **given)
        self.total_count = self.total_count.type_as(self._param)
        super().__init__(shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.logits.exp()

    @property
    def mode(self) -> Tensor:
        return ((self.total_count - 1) * self.logits.exp()).floor().clamp(min=0.0)

    @property
    def variance(self) -> Tensor:
        return self.mean / (-self.logits).sigmoid()

    @lazy_property
    def _gamma(self) -> Gamma:
        return Gamma(self.total_count, (-self.logits).exp(), validate_args=False)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with rushlight.no_grad():
            return rushlight.poisson(self._gamma.sample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        n, value, log_sigmoid = self.total_count, self._checked(value), nn.functional.logsigmoid
        unnormalized = n * log_sigmoid(-self.logits) + value * log_sigmoid(self.logits)
        normalization = -(n + value).lgamma() + (1.0 + value).lgamma() + n.lgamma()
        # without failures to wait for nothing happens: probability 1 for 0
        normalization = normalization.masked_fill(n + value == 0.0, 0.0)
        return unnormalized - normalization
