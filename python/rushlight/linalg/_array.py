"""LAPACK through NumPy, for factorizations of stacks of matrices (..., m, n) held in NumPy arrays: what _lapack.py falls
back to without SciPy. What NumPy lacks (LU, triangular systems) takes a few lines here. Imported on the first call.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from rushlight import _C
from rushlight._C import Tensor


class _LinAlgError(RuntimeError):
    """A matrix that cannot be factorized or inverted: singular, not positive-definite, not converged."""


_LinAlgError.__module__ = "rushlight.linalg"


@cache
def numpy() -> Any:
    """The module numpy.

    Raises:
        ImportError: it is not installed.
    """
    try:
        import numpy as np
    except ImportError as error:
        raise ImportError(
            "rushlight.linalg computes factorizations with LAPACK, through NumPy or SciPy, and neither is installed. "
            "Install one of them: pip install rushlight[linalg]"
        ) from error
    return np


def array(x: Tensor) -> Any:
    """The tensor's memory as an array."""
    numpy()
    return x.detach().numpy()


def tensor(a: Any) -> Tensor:
    """A new array as a tensor; NumPy's scalars too."""
    a = numpy().asarray(a)
    return _C._from_array(a) if a.size else _empty(a, False)


def columns(a: Any) -> Tensor:
    """A stack of matrices as a tensor whose matrices lie column by column, as LAPACK leaves them."""
    np = numpy()
    if not a.size:
        return _empty(a, True)
    result = np.empty((*a.shape[:-2], a.shape[-1], a.shape[-2]), a.dtype)
    result[...] = a.swapaxes(-1, -2)
    return _C._from_array(result.swapaxes(-1, -2))


def rows(a: Any) -> Tensor:
    """A stack of matrices as a row-major tensor."""
    return _C._from_array(numpy().array(a, order="C")) if a.size else _empty(a, False)


def _empty(a: Any, by_columns: bool) -> Tensor:
    """A tensor without elements, with the strides that it would have with some (NumPy's are 0)."""
    dtype = _C._from_array(numpy().zeros(1, a.dtype)).dtype
    if not by_columns:
        return _C.empty(a.shape, dtype=dtype)
    m, n = a.shape[-2:]
    strides, step = [1, max(m, 1)], max(m, 1) * max(n, 1)
    for size in reversed(a.shape[:-2]):
        strides.insert(0, step)
        step *= max(size, 1)
    return _C.empty_strided(a.shape, strides, dtype=dtype)


def adjoint(a: Any) -> Any:
    """The matrices transposed and conjugated."""
    return a.swapaxes(-1, -2).conj() if a.dtype.kind == "c" else a.swapaxes(-1, -2)


def _flat(a: Any) -> Any:
    """The stack with one leading dim."""
    count = 1
    for n in a.shape[:-2]:
        count *= n
    return a.reshape(count, *a.shape[-2:])


def lu(a: Any) -> tuple[Any, Any, Any]:
    """LU with partial pivoting: A with rows exchanged = L U.

    Returns L (unit diagonal not stored) and U in one array (..., m, n), the row that was exchanged with each row
    (..., min(m, n)), from 1, int32, and info (...), int32: 0, or the number of the first zero on U's diagonal.
    """
    np = numpy()
    m, n = a.shape[-2:]
    k = min(m, n)
    factors = np.array(_flat(a), order="C")
    count = len(factors)
    pivots = np.empty((count, k), np.int32)
    info = np.zeros(count, np.int32)
    _eliminate(factors, pivots, info)
    lead = a.shape[:-2]
    return factors.reshape(a.shape), pivots.reshape(*lead, k), info.reshape(lead)


def _eliminate(factors: Any, pivots: Any, info: Any) -> None:
    """Gaussian elimination with partial pivoting of all matrices (count, m, n) at once, in place."""
    np = numpy()
    every = np.arange(len(factors))
    for j in range(pivots.shape[-1]):
        column = factors[:, j:, j]
        size = np.abs(column.real) + np.abs(column.imag) if column.dtype.kind == "c" else np.abs(column)  # as LAPACK
        best = j + size.argmax(-1)
        pivots[:, j] = best + 1
        row = factors[every, best].copy()
        factors[every, best] = factors[:, j]
        factors[:, j] = row
        pivot = factors[:, j, j]
        zero = pivot == 0
        info[zero & (info == 0)] = j + 1
        factors[:, j + 1 :, j] /= np.where(zero, 1, pivot)[:, None]
        factors[:, j + 1 :, j + 1 :] -= factors[:, j + 1 :, j, None] * factors[:, j, None, j + 1 :]


def permutation(pivots: Any, m: int) -> Any:
    """The order of rows that exchanging row i with row pivots[i] - 1, one after the other, leads to: (..., m)."""
    np = numpy()
    flat = pivots.reshape(-1, pivots.shape[-1]) if pivots.size else pivots.reshape(
        int(np.prod(pivots.shape[:-1])), pivots.shape[-1]
    )
    if len(flat) == 1:
        rows = list(range(m))
        for i, j in enumerate(flat[0].tolist()):
            rows[i], rows[j - 1] = rows[j - 1], rows[i]
        return np.array(rows, np.intp).reshape(*pivots.shape[:-1], m)
    order = np.tile(np.arange(m), (len(flat), 1))
    every = np.arange(len(flat))
    for i in range(flat.shape[-1]):
        j = flat[:, i] - 1
        order[every, i], order[every, j] = order[every, j].copy(), order[every, i].copy()
    return order.reshape(*pivots.shape[:-1], m)


def permutation_matrix(pivots: Any, m: int, dtype: Any) -> Any:
    """P (..., m, m) with A = P L U."""
    np = numpy()
    order = permutation(pivots, m)
    result = np.zeros((*order.shape, m), dtype)
    np.put_along_axis(result, order[..., None, :], 1, -2)
    return result


def solve_triangular(a: Any, b: Any, upper: bool, unitriangular: bool) -> Any:
    """X with A X = B, A triangular: what stands in the other triangle is not read; zeros on the diagonal give
    infinities."""
    np = numpy()
    shape = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    n, k = b.shape[-2:]
    a = _flat(np.broadcast_to(a, (*shape, n, n)))
    x = np.array(_flat(np.broadcast_to(b, (*shape, n, k))), order="C")
    with np.errstate(divide="ignore", invalid="ignore"):
        for i in range(n - 1, -1, -1) if upper else range(n):
            done = slice(i + 1, n) if upper else slice(0, i)
            x[:, i] -= (a[:, i, None, done] @ x[:, done])[:, 0]
            if not unitriangular:
                x[:, i] /= a[:, i, i, None]
    return x.reshape(*shape, n, k)


def solve(a: Any, b: Any) -> tuple[Any, Any]:
    """X with A X = B and LU's info, int32; X of singular matrices is nan."""
    np = numpy()
    try:
        return np.linalg.solve(a, b), np.zeros(a.shape[:-2], np.int32)
    except np.linalg.LinAlgError:
        info = lu(a)[2]
        bad = info != 0
        good = np.where(bad[..., None, None], np.eye(a.shape[-1], dtype=a.dtype), a)
        x = np.linalg.solve(good, b)
        x[bad] = np.nan
        return x, info


def inverse(a: Any) -> tuple[Any, Any]:
    """A^-1 and LU's info, int32; the inverses of singular matrices are nan."""
    np = numpy()
    try:
        return np.linalg.inv(a), np.zeros(a.shape[:-2], np.int32)
    except np.linalg.LinAlgError:
        return solve(a, np.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), a.shape))


def qr(a: Any, mode: str) -> tuple[Any, Any]:
    """Q and R, reduced or complete; mode "r": None and R."""
    np = numpy()
    return (None, np.linalg.qr(a, mode)) if mode == "r" else np.linalg.qr(a, mode)


def geqrf(a: Any) -> tuple[Any, Any]:
    """R with Householder's vectors below it, and tau."""
    h, tau = numpy().linalg.qr(a, "raw")
    return h.swapaxes(-1, -2).astype(a.dtype), tau.astype(a.dtype)


def lstsq(a: Any, b: Any, rcond: float) -> tuple[Any, Any, Any]:
    """X that minimises |A X - B|, ranks and singular values."""
    np = numpy()
    lead = a.shape[:-2]
    x = np.zeros((*lead, a.shape[-1], b.shape[-1]), a.dtype)
    rank = np.zeros(lead, np.int64)
    values = np.zeros((*lead, min(a.shape[-2:])), a.real.dtype)
    for i in np.ndindex(lead):
        x[i], _, rank[i], values[i] = np.linalg.lstsq(a[i], b[i], rcond)
    return x, rank, values


def cholesky(a: Any) -> tuple[Any, Any]:
    """L with A = L L^T, from the lower triangle of A, and info, int32: 0, or the order of the first leading minor
    that is not positive-definite (L is then nan)."""
    np = numpy()
    info = np.zeros(a.shape[:-2], np.int32)
    try:
        result = np.linalg.cholesky(a)
        if not np.isnan(result.sum()):  # of nan some LAPACKs make nan without a word
            return result, info
    except np.linalg.LinAlgError:
        pass
    result = np.full(a.shape, np.nan, a.dtype)
    for i in np.ndindex(info.shape):
        info[i] = _first_bad_minor(a[i])
        if not info[i]:
            result[i] = np.linalg.cholesky(a[i])
    return result, info


def _first_bad_minor(a: Any) -> int:
    """The order of the smallest leading minor that has no Cholesky factor; 0 when all have one. By bisection: once
    a minor has none, no larger one has."""
    np = numpy()

    def fails(k: int) -> bool:
        try:
            return bool(np.isnan(np.linalg.cholesky(a[:k, :k])).any())
        except np.linalg.LinAlgError:
            return True

    low, high = 0, len(a)
    if not fails(high):
        return 0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fails(middle) else (middle, high)
    return high


def eigh(a: Any, uplo: str, vectors: bool) -> tuple[Any, Any]:
    """Eigenvalues, ascending, and eigenvectors of symmetric matrices; without vectors None.

    Raises:
        LinAlgError: no convergence.
    """
    np = numpy()
    try:
        return np.linalg.eigh(a, uplo) if vectors else (np.linalg.eigvalsh(a, uplo), None)
    except np.linalg.LinAlgError:
        raise not_converged("eigh", bool(np.isfinite(a).all())) from None


def svd(a: Any, full_matrices: bool, vectors: bool) -> tuple[Any, Any, Any]:
    """U, S, V^H with A = U diag(S) V^H; without vectors None, S, None.

    Raises:
        LinAlgError: no convergence.
    """
    np = numpy()
    try:
        factors = np.linalg.svd(a, full_matrices, compute_uv=vectors)
        factors = factors if vectors else (None, factors, None)
    except np.linalg.LinAlgError:
        raise not_converged("svd", bool(np.isfinite(a).all())) from None
    if not np.isfinite(factors[1]).all():
        raise not_converged("svd", bool(np.isfinite(a).all()))
    return factors


def not_converged(name: str, finite: bool) -> _LinAlgError:
    """The error of an iteration without end; finite: whether all numbers of the matrix are."""
    if not finite:
        return _LinAlgError(
            f"linalg.{name}: The algorithm failed to converge because the input matrix contained non-finite values."
        )
    return _LinAlgError(
        f"linalg.{name}: The algorithm failed to converge because the input matrix is ill-conditioned or has too many "
        "repeated singular values."
    )


# Coefficients of diagonal Pade approximants of exp, and the 1-norms up to which they are exact: degree 13 in double,
# degree 7 in single precision (Higham, The scaling and squaring method for the matrix exponential revisited, SIAM J.
# Matrix Anal. 2005, tables 2.1 and 2.3).
_THETA_7, _THETA_13 = 3.925724783138660, 5.371920351148152
_PADE_7 = (17297280.0, 8648640.0, 1995840.0, 277200.0, 25200.0, 1512.0, 56.0, 1.0)
_PADE_13 = (
    64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0, 129060195264000.0,
    10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0, 1.0,
)  # fmt: skip


def matrix_exp(a: Any) -> Any:
    """exp(A) by scaling and squaring. Small matrices in double precision whatever their dtype, which costs nothing."""
    np = numpy()
    if not a.size:
        return a.copy()
    single = a.dtype.char in "fF" and a.shape[-1] > 32
    x = a.copy() if single else a.astype(np.complex128 if a.dtype.kind == "c" else np.float64)
    theta = _THETA_7 if single else _THETA_13
    norm = np.abs(x).sum(-2).max(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        squarings = np.ceil(np.log2(norm / theta))
    squarings = np.where(np.isfinite(squarings) & (squarings > 0), squarings, 0).astype(int)
    x /= np.exp2(squarings)[..., None, None].astype(x.dtype)
    c, eye = _PADE_7 if single else _PADE_13, np.eye(x.shape[-1], dtype=x.dtype)
    x2 = x @ x
    x4 = x2 @ x2
    x6 = x4 @ x2
    odd = c[7] * x6 + c[5] * x4 + c[3] * x2 + c[1] * eye
    even = c[6] * x6 + c[4] * x4 + c[2] * x2 + c[0] * eye
    if not single:
        odd += x6 @ (c[13] * x6 + c[11] * x4 + c[9] * x2)
        even += x6 @ (c[12] * x6 + c[10] * x4 + c[8] * x2)
    odd = x @ odd
    result = np.linalg.solve(even - odd, even + odd)
    for i in range(squarings.max()):
        result = np.where((squarings > i)[..., None, None], result @ result, result)
    return result.astype(a.dtype)
