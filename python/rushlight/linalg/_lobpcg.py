"""A few eigenvalues of symmetric matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rushlight import linalg
from rushlight._C import Tensor, is_grad_enabled
from rushlight.linalg import _lapack
from rushlight.linalg._common import overridable


@overridable
def lobpcg(
    A: Tensor,
    k: int | None = None,
    B: Tensor | None = None,
    X: Tensor | None = None,
    n: int | None = None,
    iK: Tensor | None = None,
    niter: int | None = None,
    tol: float | None = None,
    largest: bool | None = None,
    method: str | None = None,
    tracker: Callable | None = None,
    ortho_iparams: dict | None = None,
    ortho_fparams: dict | None = None,
    ortho_bparams: dict | None = None,
) -> tuple[Tensor, Tensor]:
    """The k largest or smallest eigenvalues of A x = lambda B x, and their vectors.

    Computed exactly, by LAPACK's search for some eigenvalues, or where derivatives are wanted through all (linalg.eigh);
    PyTorch iterates to a tolerance (Knyazev, 2001), which for dense matrices takes longer. What steers the iteration (X but
    for its number of columns, iK, niter, tol, method, tracker, ortho_...) is accepted and has no effect.

    Args:
        A: (..., m, m), symmetric; only its symmetric part counts. B: the same, positive definite; default: the identity.
        k: how many; default: the columns of X, or 1. largest: default True.

    Returns:
        eigenvalues (..., k), eigenvectors (..., m, k) with V^T B V = 1.

    Raises:
        ValueError: m is smaller than 3 n, n the columns of X (default k), as PyTorch's method asks.
    """
    if A.shape[-1] != A.shape[-2]:
        raise AssertionError(f"A must be square, got shape {A.shape}")
    m = A.shape[-1]
    k = (1 if X is None else X.shape[-1]) if k is None else k
    n = (k if n is None else n) if X is None else X.shape[-1]
    if m < 3 * n:
        raise ValueError(
            f"LOBPCG algorithm is not applicable when the number of A rows (={m}) is smaller than 3 x the number of "
            f"requested eigenpairs (={n})"
        )
    symmetric: Any = (A + A.mT) / 2
    largest = largest is None or largest
    if B is None:
        values, vectors = _some(symmetric, k, largest)
    else:  # with B = L L^T: those of L^-1 A L^-T, the vectors L^-T times theirs
        root = linalg.cholesky(B)
        left = linalg.solve_triangular(root, symmetric, upper=False)
        values, vectors = _some(linalg.solve_triangular(root, left.mT, upper=False), k, largest)
        vectors = linalg.solve_triangular(root.mT, vectors, upper=True)
    return (values.flip(-1), vectors.flip(-1)) if largest else (values, vectors)


def _some(a: Tensor, k: int, largest: bool) -> tuple[Tensor, Tensor]:
    """The k largest or smallest eigenvalues, ascending, and their vectors."""
    m = a.shape[-1]
    if not (a.requires_grad and is_grad_enabled()) and 0 < 4 * k <= m:
        found = _lapack.eigh_few(a, m - k if largest else 0, k)
        if found is not None:
            return found
    values, vectors = linalg.eigh(a)
    return (values[..., m - k :], vectors[..., m - k :]) if largest else (values[..., :k], vectors[..., :k])
