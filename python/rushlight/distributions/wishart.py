"""The Wishart distribution."""

from __future__ import annotations

import math
import warnings
from typing import Any

import rushlight
from rushlight._C import Tensor
from rushlight.distributions import constraints
from rushlight.distributions.chi2 import Chi2
from rushlight.distributions.covariance import Covariance, only_one, scale_tril_of
from rushlight.distributions.exp_family import ExponentialFamily
from rushlight.distributions.utils import lazy_property

__all__ = ["Wishart"]


def _mvdigamma(x: Tensor, p: int) -> Tensor:
    """Derivative of mvlgamma."""
    return (x.unsqueeze(-1) - rushlight.arange(p, dtype=x.dtype).div(2)).digamma().sum(-1)


class Wishart(Covariance, ExponentialFamily):
    """Positive definite matrices (n, n): sums of df squares of normal vectors.

    Args:
        df (float or Tensor): degrees of freedom, above n - 1.
        covariance_matrix, precision_matrix, scale_tril (Tensor): (..., n, n), one of them: the vectors' covariance,
            its inverse, or its Cholesky factor.
    """

    support = constraints.positive_definite
    has_rsample = True
    _mean_carrier_measure = 0

    @property
    def arg_constraints(self) -> dict[str, Any]:
        return {
            "covariance_matrix": constraints.positive_definite,
            "precision_matrix": constraints.positive_definite,
            "scale_tril": constraints.lower_cholesky,
            "df": constraints.greater_than(self.event_shape[-1] - 1),
        }

    def __init__(
        self,
        df: Any,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        name, matrix = only_one(covariance_matrix, precision_matrix, scale_tril)
        if matrix.dim() < 2:
            raise ValueError("scale_tril must be at least two-dimensional, with optional leading batch dimensions")
        event = matrix.shape[-2:]
        if not isinstance(df, Tensor):
            df = rushlight.tensor(df, dtype=matrix.dtype)
        shape = rushlight.broadcast_shapes(matrix.shape[:-2], df.shape)
        self.df = df.expand(shape)
        if self.df.le(event[-1] - 1).any():
            raise ValueError(
                f"Value of df={df} expected to be greater than ndim - 1 = {event[-1] - 1}."
            )
        setattr(self, name, matrix.expand((*shape, -1, -1)))
        super().__init__(shape, event, validate_args=validate_args)
        if self.df.lt(event[-1]).any():
            warnings.warn(
                "Low df values detected. Singular samples are highly likely to occur for "
                "ndim - 1 < df < ndim.",
                stacklevel=2,
            )
        self._unbroadcasted_scale_tril = scale_tril_of(name, matrix)
        self._set_chi2()

    def _set_chi2(self) -> None:
        """The squared diagonal of Bartlett's factor."""
        n = self._event_shape[-1]
        less = rushlight.arange(n, dtype=self.df.dtype).expand((*self._batch_shape, -1))
        self._dist_chi2 = Chi2(self.df.unsqueeze(-1) - less)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Wishart:
        new = self._get_checked_instance(Wishart, _instance)
        new._event_shape = self._event_shape  # arg_constraints need it
        new = super().expand(batch_shape, new)
        new._unbroadcasted_scale_tril = self._unbroadcasted_scale_tril
        new._set_chi2()
        return new

    def _whole(self, matrix: Tensor) -> Tensor:
        return matrix.expand(self._batch_shape + self._event_shape)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        factor = self._unbroadcasted_scale_tril
        eye = rushlight.eye(self._event_shape[-1], dtype=factor.dtype)
        return self._whole(rushlight.cholesky_solve(eye, factor))

    @property
    def mean(self) -> Tensor:
        return self.df.view((*self._batch_shape, 1, 1)) * self.covariance_matrix

    @property
    def mode(self) -> Tensor:
        factor = self.df - self.covariance_matrix.shape[-1] - 1
        factor = factor.masked_fill(factor <= 0, rushlight.nan)
        return factor.view((*self._batch_shape, 1, 1)) * self.covariance_matrix

    @property
    def variance(self) -> Tensor:
        v = self.covariance_matrix
        diagonal = v.diagonal(dim1=-2, dim2=-1)
        squares = v.pow(2) + diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2)
        return self.df.view((*self._batch_shape, 1, 1)) * squares

    def _bartlett(self, sample_shape: Any) -> Tensor:
        """A draw by Bartlett's decomposition: chi on the diagonal, normal numbers below."""
        n = self._event_shape[-1]
        chi = self._dist_chi2.rsample(sample_shape).sqrt()
        noise = chi.clamp(min=rushlight.finfo(chi.dtype).eps).diag_embed()
        i, j = rushlight.tril_indices(n, n, offset=-1)
        below = rushlight.randn(
            (*sample_shape, *self._batch_shape, n * (n - 1) // 2), dtype=noise.dtype
        )
        noise[..., i, j] = below
        factor = self._unbroadcasted_scale_tril @ noise
        return factor @ factor.mT

    def rsample(self, sample_shape: Any = (), max_try_correction: int | None = None) -> Tensor:
        """Draws; singular ones, which rounding may make, are drawn again up to max_try_correction times.

        PyTorch draws every matrix that is not singular a second time; so does this, for the same numbers.
        """
        sample_shape = rushlight.Size(sample_shape)
        sample = self._bartlett(sample_shape)
        again = self._whole_batches(self.support.check(sample))
        for _ in range(10 if max_try_correction is None else max_try_correction):
            if not again.any():
                break
            fresh = self._bartlett((int(again.sum()),))
            sample = sample.clone()
            sample[again] = fresh
            again[again.clone()] = self._whole_batches(~self.support.check(fresh))
        return sample

    def _whole_batches(self, found: Tensor) -> Tensor:
        """Whether any of a draw's batch was found."""
        dims = len(self._batch_shape)
        return found.flatten(found.dim() - dims).any(-1) if dims else found

    def _half_log_det(self) -> Tensor:
        return self._unbroadcasted_scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        value, nu, n = self._checked(value), self.df, self._event_shape[-1]
        solved = rushlight.cholesky_solve(value, self._unbroadcasted_scale_tril)
        return (
            -nu * (n * math.log(2) / 2 + self._half_log_det())
            - rushlight.mvlgamma(nu / 2, n)
            + (nu - n - 1) / 2 * rushlight.linalg.slogdet(value).logabsdet
            - solved.diagonal(dim1=-2, dim2=-1).sum(-1) / 2
        )

    def entropy(self) -> Tensor:
        nu, n = self.df, self._event_shape[-1]
        return (
            (n + 1) * (n * math.log(2) / 2 + self._half_log_det())
            + rushlight.mvlgamma(nu / 2, n)
            - (nu - n - 1) / 2 * _mvdigamma(nu / 2, n)
            + nu * n / 2
        )

    @property
    def _natural_params(self) -> tuple[Tensor, Tensor]:
        n = self._event_shape[-1]
        return -self.precision_matrix / 2, (self.df - n - 1) / 2

    def _log_normalizer(self, x: Tensor, y: Tensor) -> Tensor:
        n = self._event_shape[-1]
        half = y + (n + 1) / 2
        log_det = rushlight.linalg.slogdet(-2 * x).logabsdet
        return half * (-log_det + math.log(2) * n) + rushlight.mvlgamma(half, n)
