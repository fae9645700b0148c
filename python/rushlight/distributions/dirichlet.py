"""The Dirichlet distribution."""

from __future__ import annotations

from typing import Any

import rushlight
from rushlight._C import Tensor
from rushlight.distributions import constraints
from rushlight.autograd import Function
from rushlight.autograd.function import once_differentiable
from rushlight.distributions.exp_family import ExponentialFamily
from rushlight.distributions.utils import one_hot

__all__ = ["Dirichlet"]


def _slope(x: Tensor, concentration: Tensor, gradient: Tensor) -> Tensor:
    total = concentration.sum(-1, True).expand_as(concentration)
    slope = rushlight._dirichlet_grad(x, concentration, total)
    return slope * (gradient - (x * gradient).sum(-1, True))


class _Dirichlet(Function):
    """A draw that knows how it moves with the concentrations."""

    @staticmethod
    def forward(ctx: Any, concentration: Tensor) -> Tensor:
        x = rushlight._sample_dirichlet(concentration)
        ctx.save_for_backward(x, concentration)
        return x

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        x, concentration = ctx.saved_tensors
        return _slope(x, concentration, gradient)


class Dirichlet(ExponentialFamily):
    """Points of the simplex of n parts.

    Args:
        concentration (Tensor): (..., n).
    """

    arg_constraints = {"concentration": constraints.independent(constraints.positive, 1)}
    support = constraints.simplex
    has_rsample = True

    def __init__(self, concentration: Tensor, validate_args: bool | None = None) -> None:
        if concentration.dim() < 1:
            raise ValueError("`concentration` parameter must be at least one-dimensional.")
        self.concentration = concentration
        shape = concentration.shape
        super().__init__(shape[:-1], shape[-1:], validate_args=validate_args)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return _Dirichlet.apply(self.concentration.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        a = self.concentration
        return (
            rushlight.xlogy(a - 1.0, self._checked(value)).sum(-1)
            + a.sum(-1).lgamma()
            - a.lgamma().sum(-1)
        )

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.concentration.sum(-1, True)

    @property
    def mode(self) -> Tensor:
        less = (self.concentration - 1).clamp(min=0.0)
        mode = less / less.sum(-1, True)
        low = (self.concentration < 1).all(-1)  # all mass in the corners: the largest one
        corner = one_hot(mode[low].argmax(-1), mode.size(-1), mode)
        return mode.masked_scatter(low.unsqueeze(-1).expand_as(mode), corner) if low.any() else mode

    @property
    def variance(self) -> Tensor:
        total = self.concentration.sum(-1, True)
        return self.concentration * (total - self.concentration) / (total.pow(2) * (total + 1))

    def entropy(self) -> Tensor:
        a, n = self.concentration, self.concentration.size(-1)
        total = a.sum(-1)
        return (
            a.lgamma().sum(-1)
            - total.lgamma()
            - (n - total) * total.digamma()
            - ((a - 1.0) * a.digamma()).sum(-1)
        )

    @property
    def _natural_params(self) -> tuple[Tensor]:
        return (self.concentration,)

    def _log_normalizer(self, x: Tensor) -> Tensor:
        return x.lgamma().sum(-1) - x.sum(-1).lgamma()
