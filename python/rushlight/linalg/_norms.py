"""Norms of vectors and matrices, condition numbers, ranks."""

from __future__ import annotations

import math
from typing import Any

from rushlight import _C
from rushlight._C import Tensor
from rushlight.linalg._common import (
    LAPACK_DTYPES,
    check_floating,
    check_matrix,
    check_square,
    title,
    with_out,
)
from rushlight.linalg._factor import eigvalsh, svdvals
from rushlight.linalg._solve import _tolerances, inv_ex


def _check_norm_dtype(name: str, a: Tensor, dtype: Any) -> Tensor:
    """The tensor in the dtype to compute in."""
    check_floating(name, a)
    if dtype is None:
        return a
    if a.is_complex() != dtype.is_complex:
        kind = "complex" if a.is_complex() else "real"
        raise RuntimeError(f"linalg.{name}: dtype should be {kind} for {kind} inputs, but got {title(dtype)}")
    if not (dtype.is_floating_point or dtype.is_complex):
        raise RuntimeError(
            f"linalg.{name}: dtype should be floating point or complex, but got {title(dtype)}"
        )
    if _C.promote_types(a.dtype, dtype) != dtype:
        raise RuntimeError(
            f"linalg.{name}: the dtype of the input ({title(a.dtype)}) should be convertible without narrowing to the "
            f"specified dtype ({title(dtype)})"
        )
    return a.to(dtype)


@with_out
def vector_norm(
    input: Tensor, ord: float = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """(sum of |x|^ord)^(1 / ord) over dims; inf: the largest |x|, -inf: the smallest, 0: the count of non-zeros.

    Args:
        dim (int or tuple of ints): dims to reduce; None or () for all, as one vector.
        dtype: computes in, and returns, this dtype.

    Raises:
        RuntimeError: no elements, and the norm of none is not 0 (ord negative or inf).
    """
    x = input
    x = _check_norm_dtype("vector_norm", x, dtype)
    if isinstance(ord, bool) or not isinstance(ord, (int, float)):
        raise TypeError(
            f"linalg_vector_norm(): argument 'ord' (position 2) must be Number, not {type(ord).__name__}"
        )
    dims = None if dim is None or dim == () or dim == [] else (dim,) if isinstance(dim, int) else tuple(dim)
    if x.numel() == 0 and (ord < 0 or ord == math.inf):
        _check_identity(x, ord, dims)
    return _C.norm(x, ord, dims, keepdim)


def _check_identity(x: Tensor, ord: float, dims: tuple | None) -> None:
    name = {math.inf: "inf", -math.inf: "-inf"}.get(ord, f"{ord:g}")
    if dims is None:
        raise RuntimeError(
            f"linalg.vector_norm cannot compute the {name} norm on an empty tensor because the operation does not have an "
            "identity"
        )
    for d in dims:
        if x.shape[d] == 0:
            raise RuntimeError(
                f"linalg.vector_norm cannot compute the {name} norm on the dimension {d}because this dimension is empty "
                "and the operation does not have an identity"
            )


@with_out
def matrix_norm(
    input: Tensor, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """Norms of the matrices in two dims.

    Args:
        ord: "fro", the root of the sum of squares; "nuc", the sum of singular values; inf, -inf: the largest, smallest
            sum of |row|; 1, -1: that of |column|; 2, -2: the largest, smallest singular value.
        dim (pair of ints): the dims of the rows and columns.
        dtype: computes in, and returns, this dtype.
    """
    A = _check_norm_dtype("matrix_norm", input, dtype)
    check_matrix("matrix_norm", A)
    if isinstance(dim, int):
        raise TypeError("linalg_matrix_norm(): argument 'dim' must be tuple of ints, not int")
    dims = tuple(dim)
    if len(dims) != 2:
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {' '.join(map(str, dims))}")
    row, column = (_wrap(d, A.ndim) for d in dims)
    if row == column:
        raise RuntimeError(f"linalg.matrix_norm: dims must be different. Got ({dims[0]}, {dims[1]})")
    if isinstance(ord, str):
        if ord not in ("fro", "nuc"):
            raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
        if ord == "fro":
            return vector_norm(A, 2, dims, keepdim)
        result = svdvals(A.movedim((row, column), (-2, -1))).sum(-1)
    else:
        size = abs(ord)
        if size not in (1, 2, math.inf):
            raise RuntimeError(f"linalg.matrix_norm: Order {ord:g} not supported.")
        if size == 2:
            values = svdvals(A.movedim((row, column), (-2, -1)))
            result = _largest(values, -1) if ord > 0 else values.amin(-1)
        else:
            if size == math.inf:
                row, column = column, row
            sums = vector_norm(A, 1, row, True)
            result = _largest(sums, column, True) if ord > 0 else sums.amin(column, True)
            return result if keepdim else result.squeeze((row, column))
    return result.unsqueeze(-1).unsqueeze(-1).movedim((-2, -1), (row, column)) if keepdim else result


def _largest(x: Tensor, dim: int, keepdim: bool = False) -> Tensor:
    """amax, 0 for none: norms are not negative."""
    return x.amax(dim, keepdim) if x.shape[dim] else x.detach().sum(dim, keepdim)


def _wrap(d: int, ndim: int) -> int:
    if not -ndim <= d < ndim:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], but got {d})")
    return d % ndim


@with_out
def norm(
    input: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """vector_norm or matrix_norm, as dim says: one dim, a vector norm; two, a matrix norm.

    Without dim: without ord, the 2-norm of all elements; with it, the norm of a vector or a matrix.
    """
    A = input
    if dim is not None:
        dims = (dim,) if isinstance(dim, int) else tuple(dim)
        if len(dims) not in (1, 2):
            raise RuntimeError(
                f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(dims)}"
            )
        if len(dims) == 1 and isinstance(ord, str):
            raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {dims[0]}")
        if len(dims) == 1 or ord is None:
            return vector_norm(A, 2 if ord is None else ord, _distinct(dims, A.ndim), keepdim, dtype=dtype)
        return matrix_norm(A, ord, dims, keepdim, dtype=dtype)
    if ord is None:
        return vector_norm(A, 2, None, keepdim, dtype=dtype)
    if A.ndim not in (1, 2):
        raise RuntimeError(
            f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {A.ndim}D."
        )
    if A.ndim == 1 and not isinstance(ord, str):
        return vector_norm(A, ord, None, keepdim, dtype=dtype)
    return matrix_norm(A, ord, (-2, -1), keepdim, dtype=dtype)


def _distinct(dims: tuple, ndim: int) -> tuple:
    wrapped = [_wrap(d, ndim) for d in dims]
    for d in wrapped:
        if wrapped.count(d) > 1:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
    return dims


@with_out
def cond(input: Tensor, p: Any = None) -> Tensor:
    """Condition numbers (...) of matrices (..., m, n): norm(A, p) norm(A^-1, p), inf for singular ones.

    Args:
        p: a matrix norm (see matrix_norm); None, 2 and -2 need no inverse, and A need not be square.
    """
    A = input
    if A.ndim < 2:
        raise RuntimeError("linalg.cond: The input tensor must have at least 2 dimensions.")
    if p is None or p == 2 or p == -2:
        s = svdvals(A)
        if A.numel() == 0:
            return s.new_zeros(A.shape[:-2])
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    if isinstance(p, str) and p not in ("fro", "nuc") or not isinstance(p, str) and abs(p) not in (1, math.inf):
        raise RuntimeError(f"linalg.cond got an invalid norm type: {p}")
    if A.shape[-1] != A.shape[-2]:
        check_square(f"cond(ord={p})", A)
    if A.numel() == 0:
        return A.new_zeros(A.shape[:-2])
    if p == "nuc":
        s = svdvals(A)
        return s.sum(-1) * s.reciprocal().sum(-1)
    inverse, info = inv_ex(A)
    bad = (info != 0).unsqueeze(-1).unsqueeze(-1)
    return (matrix_norm(A, p) * matrix_norm(inverse.masked_fill(bad, math.inf), p)).nan_to_num(
        math.inf, math.inf, -math.inf
    )


@with_out
def matrix_rank(
    input: Tensor, tol: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None
) -> Tensor:
    """How many singular values (eigenvalues, with hermitian) of matrices (..., m, n) are above max(atol, rtol times the
    largest): int64.

    Args:
        tol (float or Tensor): old spelling of atol with rtol = 0.
        rtol (float or Tensor): default: eps max(m, n), or 0 with a positive atol.
    """
    A = input
    if A.ndim < 2:
        raise RuntimeError("torch.linalg.matrix_rank: The input tensor input must have at least 2 dimensions.")
    if A.dtype not in LAPACK_DTYPES:
        raise RuntimeError("This function doesn't handle types other than float and double")
    if tol is not None:
        atol, rtol = tol, 0.0
    if hermitian:
        check_square("matrix_rank", A)
    if A.numel() == 0:
        return _C.zeros(*A.shape[:-2], dtype=_C.int64) if A.ndim > 2 else _C.tensor(0)
    with _C.no_grad():
        s = eigvalsh(A).abs() if hermitian else svdvals(A)
        atol, rtol = (_C.tensor(t.tolist(), dtype=A.dtype.to_real()) for t in _tolerances(A, atol, rtol))
        limit = _C.maximum(atol, rtol * s.amax(-1))
        return (s > limit.unsqueeze(-1)).sum(-1)
