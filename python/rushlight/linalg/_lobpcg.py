"""A few eigenvalues of symmetric matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rushlight import linalg
from rushlight._C import Tensor
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

    Computed exactly, through all eigenvalues (linalg.eigh), where PyTorch iterates to a tolerance: what steers the
    iteration (X but for its number of columns, iK, niter, tol, method, tracker, ortho_...) is accepted and has no effect.

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
    if B is None:
        values, vectors = linalg.eigh(symmetric)
    else:  # with B = L L^T: those of L^-1 A L^-T, the vectors L^-T times theirs
        root = linalg.cholesky(B)
        left = linalg.solve_triangular(root, symmetric, upper=False)
        values, vectors = linalg.eigh(linalg.solve_triangular(root, left.mT, upper=False))
        vectors = linalg.solve_triangular(root.mT, vectors, upper=True)
    if largest is None or largest:
        return values[..., -k:].flip(-1), vectors[..., -k:].flip(-1)
    return values[..., :k], vectors[..., :k]
