"""Factorizations of stacks of matrices (..., m, n), tensors in and out.

Three ways, in this order. Small real matrices are factorized by the extension (csrc/kernels/small_matrix.h): of those a
call of LAPACK costs more than their arithmetic. Else LAPACK, called by the extension through the addresses that SciPy
hands out (https://docs.scipy.org/doc/scipy/reference/linalg.cython_lapack.html): no wrapper between, memory as LAPACK
wants it. Without SciPy, and for what has no elements, NumPy (_array.py). Results are column-major, as LAPACK leaves them.
Both libraries are imported on the first call that needs them.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from rushlight import _C
from rushlight._C import Tensor
from rushlight.linalg import _array

_LETTERS = {_C.float32: "s", _C.float64: "d", _C.complex64: "c", _C.complex128: "z"}
_INT = _C.int32


@cache
def _capsules() -> dict:
    """SciPy's addresses by name, each with its C signature; none without SciPy, or where its integers are not int."""
    try:
        from scipy.linalg import cython_blas, cython_lapack
    except ImportError:
        return {}
    capsules = {**cython_blas.__pyx_capi__, **cython_lapack.__pyx_capi__}
    return capsules if "(int *, int *," in repr(capsules["sgetrf"]) else {}


@cache
def _routine(name: str, dtype: Any) -> Any:
    """The routine of this dtype, its name without the first letter; None without SciPy."""
    letter = _LETTERS[dtype]
    if letter in "cz":
        name = {"orgqr": "ungqr", "syevd": "heevd", "sytrd": "hetrd"}.get(name, name)
    return _capsules().get(letter + name)


def _ready(name: str, *matrices: Tensor) -> Any:
    """The routine, if these matrices can be given to it."""
    return all(m.numel() for m in matrices) and _routine(name, matrices[0].dtype)


def _turned(a: Tensor) -> Tensor:
    """A copy of the matrices' memory column by column: its rows are their columns."""
    turned = a.mT
    return turned.new_empty(turned.shape).copy_(turned)


def _count(a: Tensor) -> int:
    """How many matrices there are."""
    count = 1
    for n in a.shape[:-2]:
        count *= n
    return count


def _real(dtype: Any) -> Any:
    return dtype.to_real() if dtype.is_complex else dtype


def own(view: Tensor) -> Tensor:
    """The memory of a view as a tensor of its own: a view that a Function returns could not be written to in place."""
    return view.new_empty(0).set_(view)


def _columns(h: Tensor) -> Tensor:
    """Matrices whose columns are the rows of h, in its memory."""
    return own(h.mT)


def _from_arrays(*arrays: Any, columns: int) -> tuple:
    """NumPy's results as tensors, of which so many are matrices."""
    return tuple(_array.columns(a) if i < columns else _array.tensor(a) for i, a in enumerate(arrays))


# ---- triangles ----------------------------------------------------------------------------------------


def lu(a: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """LU with partial pivoting: A with rows exchanged = L U.

    Returns L (unit diagonal not stored) and U in one tensor (..., m, n), the row that was exchanged with each row
    (..., min(m, n)), from 1, int32, and info (...), int32: 0, or the number of the first zero on U's diagonal.
    """
    result = _C._small_lu(a)
    if result is not None:
        return result
    getrf = _ready("getrf", a)
    if not getrf:
        return _from_arrays(*_array.lu(_array.array(a)), columns=1)
    *lead, m, n = a.shape
    h, pivots = _turned(a), a.new_empty((*lead, min(m, n)), dtype=_INT)
    info = _C._lapack(getrf, _count(a), m, n, h, m, pivots)
    return _columns(h), pivots, info.reshape(lead)


def pivots(a: Tensor) -> Tensor | None:
    """The diagonals (..., n) of U, the first number with the sign of the exchanges: their products are the determinants.
    None without SciPy, or elements."""
    result = _C._small_pivots(a)
    if result is not None or not _ready("getrf", a):
        return result
    factors, exchanged, _ = lu(a)
    odd = (exchanged != _C.arange(1, a.shape[-1] + 1, dtype=_INT)).sum(-1) % 2
    diagonal = factors.diagonal(0, -2, -1).contiguous()
    diagonal[..., 0] *= 1 - 2 * odd
    return diagonal


def cholesky(a: Tensor, upper: bool) -> tuple[Tensor, Tensor]:
    """L with A = L L^T, from the lower triangle of A (upper: L^T, from the upper one), and info, int32: 0, or the order
    of the first leading minor that is not positive-definite (the factor is then nan)."""
    result = _C._small_cholesky(a, upper)
    if result is not None:
        return result
    potrf = _ready("potrf", a)
    if not potrf:
        m = _array.array(a)
        low, info = _array.cholesky(_array.adjoint(m) if upper else m)
        return _array.columns(_array.adjoint(low) if upper else low), _array.tensor(info)
    *lead, _, n = a.shape
    h = _turned(a)
    info = _C._lapack(potrf, _count(a), "U" if upper else "L", n, h, n).reshape(lead)
    h = h.tril() if upper else h.triu()
    if info.any():
        h.masked_fill_((info != 0).unsqueeze(-1).unsqueeze(-1), float("nan"))
    return _columns(h), info


def cholesky_inverse(factor: Tensor, upper: bool) -> tuple[Tensor, Tensor] | None:
    """(L L^T)^-1 from L (upper: from L^T) and info, int32: 0, or the number of a zero on the diagonal. None without
    SciPy, or elements."""
    potri = _ready("potri", factor)
    if not potri:
        return None
    *lead, _, n = factor.shape
    h = _turned(factor)
    info = _C._lapack(potri, _count(factor), "U" if upper else "L", n, h, n)
    half, other = (h.tril(), h.tril(-1)) if upper else (h.triu(), h.triu(1))
    return _columns(half + other.mH), info.reshape(lead)


def triangular(a: Tensor, b: Tensor, upper: bool, unit: bool) -> Tensor:
    """X with A X = B, A triangular: what stands in the other triangle is not read; zeros on the diagonal give
    infinities. As many A as B."""
    result = _C._small_triangular(a, b, upper, unit)
    if result is not None:
        return result
    trsm = _ready("trsm", a, b)
    if not trsm:
        return _array.columns(_array.solve_triangular(_array.array(a), _array.array(b), upper, unit))
    n, k = b.shape[-2:]
    x = _turned(b)
    rows = a.is_contiguous()  # A^T column by column: no copy is made
    h = a if rows else a.mT.contiguous()
    side = "U" if upper != rows else "L"
    _C._lapack(trsm, _count(b), "L", side, "T" if rows else "N", "U" if unit else "N", n, k, 1.0, h, n, x, n)
    return _columns(x)


def solve(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """X with A X = B and LU's info, int32; X of singular matrices is nan. As many A as B."""
    result = _C._small_solve(a, b)
    if result is not None:
        return result
    gesv = _ready("gesv", a, b)
    if not gesv:
        return _from_arrays(*_array.solve(_array.array(a), _array.array(b)), columns=1)
    *lead, n, k = b.shape
    x, pivots = _turned(b), a.new_empty((*lead, n), dtype=_INT)
    info = _C._lapack(gesv, _count(b), n, k, _turned(a), n, pivots, x, n).reshape(lead)
    return _without_singular(x, info)


def inverse(a: Tensor) -> tuple[Tensor, Tensor]:
    """A^-1 and LU's info, int32; the inverses of singular matrices are nan."""
    result = _C._small_solve(a, None)
    if result is not None:
        return result
    getri = _ready("getri", a)
    if not getri:
        return _from_arrays(*_array.inverse(_array.array(a)), columns=1)
    n, count = a.shape[-1], _count(a)
    factors, pivots, info = lu(a)
    x = factors.mT
    _C._lapack(getri, count, n, x, n, pivots, None, 0)
    return _without_singular(x, info)


def _without_singular(x: Tensor, info: Tensor) -> tuple[Tensor, Tensor]:
    if info.any():
        x.masked_fill_((info != 0).unsqueeze(-1).unsqueeze(-1), float("nan"))
    return _columns(x), info


# ---- orthogonal factors -------------------------------------------------------------------------------


def geqrf(a: Tensor) -> tuple[Tensor, Tensor]:
    """R on and above the diagonal, Householder's vectors below it, and tau (..., min(m, n))."""
    routine = _ready("geqrf", a)
    if not routine:
        return _from_arrays(*_array.geqrf(_array.array(a)), columns=1)
    *lead, m, n = a.shape
    h, tau = _turned(a), a.new_empty((*lead, min(m, n)))
    _C._lapack(routine, _count(a), m, n, h, m, tau, None, 0)
    return _columns(h), tau


def qr(a: Tensor, mode: str) -> tuple[Tensor | None, Tensor]:
    """Q and R, reduced or complete; mode "r": None and R."""
    complete = mode == "complete"
    result = _C._small_qr(a, complete)
    if result is not None:
        return (None, result[1]) if mode == "r" else result
    orgqr = _ready("orgqr", a)
    if not orgqr:
        q, r = _array.qr(_array.array(a), mode)
        return None if q is None else _array.columns(q), _array.columns(r)
    *lead, m, n = a.shape
    factors, tau = geqrf(a)
    k = min(m, n)
    width = m if complete else k
    h = factors.mT
    r = (h[..., :width] if width < m else h).tril()
    if mode == "r":
        return None, _columns(r)
    if width > n:
        q = a.new_zeros((*lead, width, m))
        q[..., :n, :] = h
    else:
        q = h[..., :width, :].contiguous() if width < n else h
    _C._lapack(orgqr, _count(a), m, width, k, q, m, tau, None, 0)
    return _columns(q), _columns(r)


def lstsq(a: Tensor, b: Tensor, rcond: float, driver: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """X that minimises |A X - B|, A's ranks (...), int64 (for gels: full), singular values (..., min(m, n)) (for gelsd
    and gelss; else empty), and info (...), int32, not 0 where there is no X. As many A as B."""
    *lead, m, n = a.shape
    routine = _ready(driver, a, b)
    if not routine:
        x, rank, values = _array.lstsq(_array.array(a), _array.array(b), rcond)
        return *_from_arrays(x, rank, values, columns=1), _C.zeros(lead, dtype=_INT)
    k, least, most, count = b.shape[-1], min(m, n), max(m, n), _count(a)
    h, real = _turned(a), _real(a.dtype)
    x = a.new_empty((*lead, k, most))
    x[..., :m] = b.mT
    values = a.new_empty((*lead, least) if driver in ("gelsd", "gelss") else 0, dtype=real)
    if driver == "gels":
        info = _C._lapack(routine, count, "N", m, n, k, h, m, x, most, None, 0)
        rank = _C.full(lead, least)
    else:
        rank = a.new_empty((*lead, 1), dtype=_INT)
        found = a.new_zeros((*lead, n), dtype=_INT) if driver == "gelsy" else values
        extra: tuple = ()
        levels = max(least, 2).bit_length()
        if a.is_complex():
            size = {"gelsy": 2 * n, "gelss": 5 * least, "gelsd": _gelsd_reals(least, most, levels, k)}[driver]
            extra = (a.new_empty(size, dtype=real),)
        if driver == "gelsd":
            extra += (a.new_empty((3 * levels + 11) * least, dtype=_INT),)
        info = _C._lapack(
            routine, count, m, n, k, h, m, x, most, found, float(rcond), rank, None, 0, *extra
        )
        rank = rank.reshape(lead).to(_C.int64)
    return _columns(x[..., :n]), rank, values, info.reshape(lead)


def _gelsd_reals(least: int, most: int, levels: int, k: int) -> int:
    """The size of gelsd's rwork, with leaves of its recursion of at most 32."""
    leaf = 32
    return 10 * most + 2 * most * leaf + 8 * most * levels + 3 * leaf * k + max((leaf + 1) ** 2, most * (1 + k) + 2 * k)


# ---- eigenvalues and singular values ------------------------------------------------------------------


# Rows and columns up to which the steps of LAPACK's drivers (to two diagonals, then their values) are called one by one
# for values alone: half of the drivers' time goes into scaling and asking for sizes. Where that fails, which numbers at the
# end of the range can make it, the driver is asked after all.
_FEW = 32


def _good(info: Tensor, values: Tensor) -> bool:
    return not info.any() and bool(values.isfinite().all())


def _converged(name: str, a: Tensor, info: Tensor, values: Tensor) -> None:
    if not _good(info, values):
        raise _array.not_converged(name, bool(a.isfinite().all()))


def eigh(a: Tensor, uplo: str, vectors: bool) -> tuple[Tensor, Tensor | None]:
    """Eigenvalues (..., n), ascending, and eigenvectors (..., n, n) of symmetric matrices.

    Raises:
        LinAlgError: no convergence.
    """
    syevd = _ready("syevd", a)
    if not syevd:
        found = _array.eigh(_array.array(a), uplo, vectors)
        return _array.tensor(found[0]), _array.columns(found[1]) if vectors else None
    n, real = a.shape[-1], _real(a.dtype)
    h, values = _turned(a), a.new_empty(a.shape[:-1], dtype=real)
    if not vectors and n <= _FEW:
        others, tau = values.new_empty(values.shape), a.new_empty(values.shape)
        _C._lapack(_routine("sytrd", a.dtype), _count(a), uplo, n, h, n, values, others, tau, None, 0)
        info = _C._lapack(_routine("sterf", real), _count(a), n, values, others)
        if _good(info, values):
            return values, None
        h = _turned(a)
    sizes: tuple = ()
    if a.is_complex():
        size = 1 + 5 * n + 2 * n * n if vectors else n
        sizes = (a.new_empty(size, dtype=real), size)
    ints = 3 + 5 * n if vectors else 1
    sizes += (a.new_empty(ints, dtype=_INT), ints)
    info = _C._lapack(syevd, _count(a), "V" if vectors else "N", uplo, n, h, n, values, None, 0, *sizes)
    _converged("eigh", a, info, values)
    return values, _columns(h) if vectors else None


def eigh_few(a: Tensor, first: int, k: int) -> tuple[Tensor, Tensor] | None:
    """Of the lower triangles of real matrices k eigenvalues (..., k), ascending, from the first-th on, from 0, and their
    vectors (..., n, k). None without SciPy, elements or convergence."""
    syevx = _ready("syevx", a)
    if not syevx or a.is_complex():
        return None
    *lead, _, n = a.shape
    values, vectors = a.new_empty((*lead, n)), a.new_empty((*lead, k, n))
    found, ints = a.new_empty((*lead, 1), dtype=_INT), a.new_empty((*lead, 5 * n), dtype=_INT)
    info = _C._lapack(
        syevx, _count(a), "V", "I", "L", n, _turned(a), n, 0.0, 0.0, first + 1, first + k, 0.0, found, values, vectors, n,
        None, 0, ints, a.new_empty((*lead, n), dtype=_INT),
    )  # fmt: skip
    return (values[..., :k].contiguous(), _columns(vectors)) if _good(info, values[..., :k]) else None


def svd(a: Tensor, full_matrices: bool, vectors: bool = True) -> tuple[Any, Tensor, Any]:
    """U, S, V^H with A = U diag(S) V^H; without vectors None, S, None.

    Raises:
        LinAlgError: no convergence.
    """
    gesdd = _ready("gesdd", a)
    if not gesdd:
        u, s, vh = _array.svd(_array.array(a), full_matrices, vectors)
        return (_array.columns(u), _array.tensor(s), _array.columns(vh)) if vectors else (None, _array.tensor(s), None)
    *lead, m, n = a.shape
    least, most, real = min(m, n), max(m, n), _real(a.dtype)
    s = a.new_empty((*lead, least), dtype=real)
    if not vectors and most <= _FEW:
        others, work = s.new_empty(s.shape), s.new_empty((*lead, 4 * least))
        tau = a.new_empty(s.shape), a.new_empty(s.shape)
        _C._lapack(_routine("gebrd", a.dtype), _count(a), m, n, _turned(a), m, s, others, *tau, None, 0)
        info = _C._lapack(_routine("lasq1", real), _count(a), least, s, others, work)
        if _good(info, s):
            return None, s, None
    if vectors:
        width, height = (m, n) if full_matrices else (least, least)
        u, vt = a.new_empty((*lead, width, m)), a.new_empty((*lead, n, height))
    else:
        width = height = 1
        u = vt = a.new_empty(1)
    extra: tuple = ()
    if a.is_complex():
        size = least * max(5 * least + 7, 2 * most + 2 * least + 1) if vectors else 7 * least
        extra = (a.new_empty(size, dtype=real),)
    job = "N" if not vectors else "A" if full_matrices else "S"
    info = _C._lapack(
        gesdd, _count(a), job, m, n, _turned(a), m, s, u, m, vt, height, None, 0, *extra,
        a.new_empty(8 * least, dtype=_INT),
    )  # fmt: skip
    _converged("svd", a, info, s)
    return (_columns(u), s, _columns(vt)) if vectors else (None, s, None)


# ---- symmetric matrices that need not be positive-definite --------------------------------------------


def ldl(a: Tensor, hermitian: bool) -> tuple[Tensor, Tensor, Tensor]:
    """L and D in one tensor (..., n, n), pivots (..., n), int32, and info (...), int32: Bunch and Kaufman's
    factorization of the lower triangle.

    Raises:
        ImportError: SciPy is not installed.
    """
    sytrf = _ldl_routine("trf", a.dtype, hermitian)
    *lead, _, n = a.shape
    pivots = a.new_zeros((*lead, n), dtype=_INT)
    if not a.numel():
        return a.clone(), pivots, a.new_zeros(lead, dtype=_INT)
    h = _turned(a)
    info = _C._lapack(sytrf, _count(a), "L", n, h, n, pivots, None, 0)
    return _columns(h.triu()), pivots, info.reshape(lead)


def ldl_solve(factors: Tensor, pivots: Tensor, b: Tensor, hermitian: bool) -> Tensor:
    """A^-1 B from what ldl returns; as many A as B."""
    sytrs = _ldl_routine("trs", b.dtype, hermitian)
    n, k = b.shape[-2:]
    x = _turned(b)
    if b.numel():
        _C._lapack(sytrs, _count(b), "L", n, k, factors.mT.contiguous(), n, pivots.contiguous(), x, n)
    return _columns(x)


def _ldl_routine(name: str, dtype: Any, hermitian: bool) -> Any:
    routine = _routine(("he" if hermitian and dtype.is_complex else "sy") + name, dtype)
    if routine is None:
        raise ImportError("linalg.ldl_factor and ldl_solve need SciPy: pip install rushlight[linalg]")
    return routine
