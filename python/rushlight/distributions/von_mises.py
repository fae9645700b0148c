"""The von Mises distribution."""

from __future__ import annotations

import math
from typing import Any

import rushlight
from rushlight._C import Tensor
from rushlight.distributions import constraints
from rushlight.distributions.distribution import Distribution
from rushlight.distributions.utils import lazy_property

__all__ = ["VonMises"]


def _log_i0(x: Tensor) -> Tensor:
    return rushlight.special.i0e(x).log() + x


class VonMises(Distribution):
    """Angles in [-pi, pi) around loc, in radians.

    Args:
        loc, concentration (Tensor): mean direction, and how narrow.
    """

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real
    has_rsample = False

    def __init__(self, loc: Any, concentration: Any, validate_args: bool | None = None) -> None:
        shape = self._broadcast(loc=loc, concentration=concentration)
        super().__init__(shape, validate_args=validate_args)

    def log_prob(self, value: Tensor) -> Tensor:
        cosine = (self._checked(value) - self.loc).cos()
        return self.concentration * cosine - math.log(2 * math.pi) - _log_i0(self.concentration)

    @lazy_property
    def _proposal_r(self) -> Tensor:
        k = self.concentration.double()
        tau = 1 + (1 + 4 * k**2).sqrt()
        rho = (tau - (2 * tau).sqrt()) / (2 * k)
        r = (1 + rho**2) / (2 * rho)
        return rushlight.where(k < 1e-5, 1 / k + k, r)  # its Taylor series: r is 0 / 0 there

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Rejection from a wrapped Cauchy distribution (Best and Fisher, "Efficient simulation of the von Mises
        distribution", 1979), in float64."""
        shape = self._extended_shape(sample_shape)
        with rushlight.no_grad():
            k, r, loc = self.concentration.double(), self._proposal_r, self.loc.double()
            k, r = k.expand(shape), r.expand(shape)
            x = rushlight.empty(shape, dtype=rushlight.float64)
            done = rushlight.zeros(shape, dtype=rushlight.bool)
            while not done.all():
                u1, u2, u3 = rushlight.rand((3, *shape), dtype=rushlight.float64).unbind()
                z = (math.pi * u1).cos()
                f = (1 + r * z) / (r + z)
                c = k * (r - f)
                accept = ((c * (2 - c) - u2) > 0) | ((c / u2).log() + 1 - c >= 0)
                if accept.any():
                    x = rushlight.where(accept, (u3 - 0.5).sign() * f.acos(), x)
                    done = done | accept
            return ((x + math.pi + loc) % (2 * math.pi) - math.pi).to(self.loc.dtype)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @lazy_property
    def variance(self) -> Tensor:
        """Circular variance."""
        special = rushlight.special
        return 1 - special.i1e(self.concentration) / special.i0e(self.concentration)
