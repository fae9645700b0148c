"""Covariances given by themselves, by their inverse or by their Cholesky factor."""

from __future__ import annotations

import rushlight
from rushlight._C import Tensor
from rushlight.distributions.utils import lazy_property


def only_one(
    covariance_matrix: Tensor | None, precision_matrix: Tensor | None, scale_tril: Tensor | None
) -> tuple[str, Tensor]:
    """(name, matrix) of the one that is given.

    Raises:
        ValueError: none is, or several are.
    """
    given = {
        "covariance_matrix": covariance_matrix,
        "scale_tril": scale_tril,
        "precision_matrix": precision_matrix,
    }
    given = {name: matrix for name, matrix in given.items() if matrix is not None}
    if len(given) != 1:
        raise ValueError(
            "Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified."
        )
    return next(iter(given.items()))


def scale_tril_of(name: str, matrix: Tensor) -> Tensor:
    """The Cholesky factor of the covariance that only_one returned."""
    if name == "scale_tril":
        return matrix
    return rushlight.linalg.cholesky(matrix) if name == "covariance_matrix" else _precision_to_scale_tril(matrix)


def _precision_to_scale_tril(precision: Tensor) -> Tensor:
    """The Cholesky factor of the inverse of P, from that of P turned about."""
    turned = rushlight.linalg.cholesky(precision.flip(-2, -1))
    factor = turned.flip(-2, -1).mT
    eye = rushlight.eye(precision.shape[-1], dtype=precision.dtype)
    return rushlight.linalg.solve_triangular(factor, eye, upper=False)


class Covariance:
    """The part of a distribution that gives its covariance's forms, from _unbroadcasted_scale_tril by _whole."""

    @lazy_property
    def scale_tril(self) -> Tensor:
        return self._whole(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        return self._whole(self._unbroadcasted_scale_tril @ self._unbroadcasted_scale_tril.mT)
