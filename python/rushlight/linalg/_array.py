"""LAPACK through NumPy and SciPy: factorizations of stacks of matrices (..., m, n) held in NumPy arrays.

Small matrices are factorized by the extension (csrc/kernels/small_matrix.h), where LAPACK's price per call would be
most of the time. Else NumPy's routines work on whole stacks and come first. What NumPy lacks (LU, triangular systems) goes through SciPy
when that is installed, and through a few lines of NumPy when it is not. Both are imported on the first call.
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


@cache
def _scipy(part: str) -> Any:
    """scipy.linalg.lapack or scipy.linalg.blas, or None without SciPy."""
    try:
        from scipy.linalg import blas, lapack
    except ImportError:
        return None
    return {"blas": blas, "lapack": lapack}[part]


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


def _letter(a: Any) -> str:
    """The first letter of LAPACK's routines for the dtype."""
    return {"f": "s", "d": "d", "F": "c", "D": "z"}[a.dtype.char]


SMALL = 16  # rows and columns up to which the extension is faster


def _small(a: Any) -> bool:
    """Whether the extension factorizes these matrices."""
    return bool(a.size) and max(a.shape[-2:]) <= SMALL and a.dtype.char in "fd"


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
    if _small(a):
        _C._small_lu(factors, pivots, info)
        lead = a.shape[:-2]
        return factors.reshape(a.shape), pivots.reshape(*lead, k), info.reshape(lead)
    lapack = _scipy("lapack")
    if lapack is not None and k and count <= 2 * k:  # many small ones are faster all at once
        getrf = getattr(lapack, _letter(a) + "getrf")
        for b in range(count):
            factors[b], pivots[b], info[b] = getrf(factors[b])
        pivots += 1
    else:
        _eliminate(factors, pivots, info)
    lead = a.shape[:-2]
    return factors.reshape(a.shape), pivots.reshape(*lead, k), info.reshape(lead)


def _eliminate(factors: Any, pivots: Any, info: Any) -> None:
    """Gaussian elimination with partial pivoting of all matrices (count, m, n) at once, in place."""
    np = numpy()
    every = np.arange(len(factors))
    for j in range(pivots.shape[-1]):
        best = j + np.abs(factors[:, j:, j]).argmax(-1)
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
    if x.size and _small(a) and a.dtype == x.dtype:
        _C._small_triangular(np.array(a, order="C"), x, bool(upper), bool(unitriangular))
        return x.reshape(*shape, n, k)
    blas = _scipy("blas")
    if blas is not None and x.size and len(x) <= n:
        trsm = getattr(blas, _letter(x) + "trsm")
        for i in range(len(x)):  # a row-major A is a column-major A^T: no copy is made
            rows = a[i].flags.c_contiguous
            m = a[i].T if rows else a[i]
            x[i] = trsm(1.0, m, x[i], lower=upper if rows else not upper, trans_a=rows, diag=unitriangular)
        return x.reshape(*shape, n, k)
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
    if _small(a) and a.dtype == b.dtype and a.shape[:-2] == b.shape[:-2] and b.size:
        factors, pivots, info = lu(a)
        x = np.array(_flat(b), order="C")
        _C._small_lu_solve(_flat(factors), pivots.reshape(len(x), -1), x)
        x = x.reshape(b.shape)
        if info.any():
            x[info != 0] = np.nan
        return x, info
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
    if _small(a):
        return solve(a, np.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), a.shape))
    try:
        return np.linalg.inv(a), np.zeros(a.shape[:-2], np.int32)
    except np.linalg.LinAlgError:
        return solve(a, np.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), a.shape))


def _diagonal(a: Any) -> tuple[Any, Any]:
    """The diagonal (..., n) of U, and whether an odd number of rows was exchanged (...)."""
    np = numpy()
    factors, pivots, _ = lu(a)
    exchanges = (pivots != np.arange(1, pivots.shape[-1] + 1, dtype=np.int32)).sum(-1)
    return np.diagonal(factors, axis1=-2, axis2=-1), exchanges % 2 == 1


def det(a: Any) -> Any:
    """Determinants (...)."""
    np = numpy()
    if not _small(a):
        return np.linalg.det(a)
    diagonal, odd = _diagonal(a)
    value = diagonal.prod(-1)
    return np.where(odd, -value, value)


def slogdet(a: Any) -> tuple[Any, Any]:
    """Signs and logarithms of the absolute values of the determinants."""
    np = numpy()
    if not _small(a):
        return np.linalg.slogdet(a)
    diagonal, odd = _diagonal(a)
    sign = np.sign(diagonal).prod(-1)
    with np.errstate(divide="ignore"):
        return np.where(odd, -sign, sign), np.log(np.abs(diagonal)).sum(-1)


def qr(a: Any, mode: str) -> tuple[Any, Any]:
    """Q and R, reduced or complete; mode "r": None and R."""
    np = numpy()
    lapack = _scipy("lapack")
    m, n = a.shape[-2:]
    flat = _flat(a)
    if lapack is None or a.dtype != np.float32 or mode != "reduced" or not a.size or len(flat) > n:
        return (None, np.linalg.qr(a, mode)) if mode == "r" else np.linalg.qr(a, mode)
    k = min(m, n)  # NumPy would compute in double precision, at twice the time
    q, r = np.empty((len(flat), m, k), a.dtype), np.empty((len(flat), k, n), a.dtype)
    for i, matrix in enumerate(flat):
        h, tau, _, _ = lapack.sgeqrf(matrix, lwork=64 * n)
        r[i] = np.triu(h[:k])
        q[i] = lapack.sorgqr(h[:, :k], tau, lwork=64 * k, overwrite_a=1)[0]
    return q.reshape(*a.shape[:-2], m, k), r.reshape(*a.shape[:-2], k, n)


def cholesky(a: Any) -> tuple[Any, Any]:
    """L with A = L L^T, from the lower triangle of A, and info, int32: 0, or the order of the first leading minor
    that is not positive-definite (L is then nan)."""
    np = numpy()
    info = np.zeros(a.shape[:-2], np.int32)
    if _small(a):
        result = np.array(_flat(a), order="C")
        _C._small_cholesky(result, info.reshape(-1))
        return result.reshape(a.shape), info
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


def svd(a: Any, full_matrices: bool) -> tuple[Any, Any, Any]:
    """U, S, V^H with A = U diag(S) V^H.

    Raises:
        LinAlgError: no convergence.
    """
    np = numpy()
    try:
        factors = np.linalg.svd(a, full_matrices=full_matrices)
    except np.linalg.LinAlgError:
        raise not_converged("svd", a) from None
    if not np.isfinite(factors[1]).all():
        raise not_converged("svd", a)
    return factors


def not_converged(name: str, a: Any) -> _LinAlgError:
    """The error of an iteration without end."""
    if not numpy().isfinite(a).all():
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
