"""The linear algebra of the torch namespace itself: older spellings, most with another order of arguments or results."""

from __future__ import annotations

from typing import Any

from rushlight import _C, linalg, return_types
from rushlight._C import Tensor
from rushlight.autograd import Function
from rushlight.linalg import _lapack
from rushlight.linalg._common import (
    adjoint,
    broadcast_matrices,
    check_floating,
    check_lapack,
    check_matrix,
    node,
    overridable,
    swap,
    with_out,
)
from rushlight.linalg._factor import LuFactorEx, _check_lu, triangular
from rushlight.linalg._solve import _check_inverted, unpack_lu


@with_out
def det(input: Tensor) -> Tensor:
    """linalg.det."""
    return linalg.det(input)


@with_out
def slogdet(input: Tensor) -> tuple:
    """linalg.slogdet."""
    return return_types.slogdet(linalg.slogdet(input))


@overridable
def logdet(input: Tensor) -> Tensor:
    """Logarithms (...) of the determinants of square matrices: -inf for singular ones, nan where it is negative."""
    sign, value = linalg.slogdet(input)
    return sign.log() + value if sign.is_complex() else _C.where(sign == -1, float("nan"), value)


@with_out
def inverse(input: Tensor) -> Tensor:
    """linalg.inv."""
    return linalg.inv(input)


@with_out
def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """linalg.pinv."""
    return linalg.pinv(input, rcond)


@with_out
def matrix_power(input: Tensor, n: int) -> Tensor:
    """linalg.matrix_power."""
    return linalg.matrix_power(input, n)


@overridable
def matrix_exp(input: Tensor) -> Tensor:
    """linalg.matrix_exp."""
    return linalg.matrix_exp(input)


# ---- factorizations -----------------------------------------------------------------------------------


@with_out
def cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """linalg.cholesky."""
    return linalg.cholesky(input, upper=upper)


@with_out
def qr(input: Tensor, some: bool = True) -> tuple:
    """linalg.qr: reduced, or complete where some is False."""
    return return_types.qr(linalg.qr(input, "reduced" if some else "complete"))


@with_out
def svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> tuple:
    """U, S, V with A = U diag(S) V^T; V is not transposed, unlike that of linalg.svd.

    Args:
        some (bool): only the first min(m, n) columns of U and V.
        compute_uv (bool): False: U and V are zeros.
    """
    if not compute_uv:
        s = linalg.svdvals(input)
        m, n = input.shape[-2:]
        zeros = (input.detach().new_zeros((*input.shape[:-2], k, k)) for k in (m, n))
        return return_types.svd((next(zeros), s, next(zeros)))
    u, s, vh = linalg.svd(input, not some)
    return return_types.svd((u, s, swap(vh)))


@overridable
def lu(A: Tensor, pivot: bool = True, get_infos: bool = False, out: Any = None) -> tuple:
    """linalg.lu_factor_ex: (LU, pivots), with get_infos (LU, pivots, infos)."""
    _check_lu("torch.lu_factor", A, pivot)
    result = LuFactorEx.apply(A)
    if not get_infos:
        result = result[:2]
    if out is not None:
        for target, value in zip(out, result, strict=True):
            linalg._common.write_out("lu", target, value)
        return out
    return return_types._lu_with_info(result) if get_infos else tuple(result)


@with_out
def lu_unpack(
    LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool = True, unpack_pivots: bool = True
) -> tuple:
    """P, L and U with A = P L U, from lu_factor's result; what is not asked for is empty."""
    if unpack_pivots and LU_pivots.dtype != _C.int32:
        raise RuntimeError(
            "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype.\nNote: this function "
            "is intended to be used with the output produced by torch.linalg.lu_factor"
        )
    empty = LU_data.detach().new_empty(0)
    p = lower = upper = empty
    if unpack_pivots and unpack_data:
        p, lower, upper = unpack_lu(LU_data, LU_pivots)
    elif unpack_pivots:
        p = unpack_lu(LU_data.detach(), LU_pivots)[0]
    elif unpack_data:
        from rushlight.linalg._factor import split_lu

        lower, upper = split_lu(LU_data)
    return return_types.lu_unpack((p, lower, upper))


@node("GeqrfBackward0")
class Geqrf(Function):
    """Householder vectors and R in one array, and tau: what householder_product takes."""

    @staticmethod
    def forward(ctx: Any, a: Tensor) -> tuple[Tensor, Tensor]:
        return _lapack.geqrf(a)

    @staticmethod
    def backward(ctx: Any, *_: Any) -> Any:
        raise NotImplementedError("the derivative for 'geqrf' is not implemented.")


@with_out
def geqrf(input: Tensor) -> tuple:
    """A QR factorization as LAPACK stores it: a, R on and above the diagonal, Householder vectors below; and tau."""
    check_matrix("geqrf", input)
    check_lapack("geqrf_cpu", input)
    return return_types.geqrf(Geqrf.apply(input))


@with_out
def orgqr(input: Tensor, input2: Tensor) -> Tensor:
    """linalg.householder_product."""
    return linalg.householder_product(input, input2)


@with_out
def ormqr(
    input: Tensor, input2: Tensor, input3: Tensor, left: bool = True, transpose: bool = False
) -> Tensor:
    """Q C (left) or C Q, or with Q^T, Q (m, m) the whole product of the Householder reflections of geqrf.

    Args:
        input, input2 (Tensor): a (..., m, k) and tau (..., k) of geqrf.
        input3 (Tensor): C.
    """
    a, tau, other = input, input2, input3
    check_matrix("ormqr", a)
    m, k = a.shape[-2], tau.shape[-1]
    if other.shape[-2 if left else -1] != m:
        raise RuntimeError(
            f"torch.ormqr: other.shape[{-2 if left else -1}] must be equal to input.shape[-2]"
        )
    columns = a[..., :k]
    if k < m:
        columns = _C.cat([columns, columns.new_zeros((*a.shape[:-2], m, m - k))], -1)
    q = linalg.householder_product(columns, tau)
    q = swap(q) if transpose else q
    return q @ other if left else other @ q


# ---- systems of equations -----------------------------------------------------------------------------


@with_out
def cholesky_solve(input: Tensor, input2: Tensor, upper: bool = False) -> Tensor:
    """X with A X = B (..., n, k), from A's Cholesky factor (..., n, n): lower, or upper triangular."""
    b, factor = input, input2
    check_matrix("cholesky_solve", b, "B")
    check_matrix("cholesky_solve", factor)
    check_lapack("cholesky_solve_cpu", b)
    if factor.shape[-1] != factor.shape[-2] or factor.shape[-1] != b.shape[-2]:
        raise RuntimeError(
            f"Incompatible matrix sizes for cholesky_solve: each A matrix is {factor.shape[-2]} by {factor.shape[-1]} but "
            f"each b matrix is {b.shape[-2]} by {b.shape[-1]}"
        )
    low, b = broadcast_matrices(adjoint(factor) if upper else factor, b)
    return triangular(adjoint(low), triangular(low, b, False), True)


@with_out
def cholesky_inverse(input: Tensor, upper: bool = False) -> Tensor:
    """Inverses (..., n, n) of the matrices with these Cholesky factors, lower or upper triangular."""
    if input.ndim < 2:
        raise RuntimeError("cholesky_inverse: The input tensor A must have at least 2 dimensions.")
    if input.shape[-1] != input.shape[-2]:
        raise RuntimeError(
            f"cholesky_inverse: A must be batches of square matrices, but they are {input.shape[-2]} by "
            f"{input.shape[-1]} matrices"
        )
    check_lapack("cholesky_inverse_out_cpu", input)
    if not (input.requires_grad and _C.is_grad_enabled()):
        result = _lapack.cholesky_inverse(input, upper)
        if result is not None:
            _check_inverted("cholesky_inverse", result[1])
            return result[0]
    low = adjoint(input) if upper else input
    eye = _C.eye(low.shape[-1], dtype=low.dtype).expand(low.shape)
    return triangular(adjoint(low), triangular(low, eye, False), True)


@with_out
def lu_solve(input: Tensor, LU_data: Tensor, LU_pivots: Tensor) -> Tensor:
    """linalg.lu_solve with B first."""
    return linalg.lu_solve(LU_data, LU_pivots, input)


@with_out
def triangular_solve(
    input: Tensor, A: Tensor, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> tuple:
    """linalg.solve_triangular with B first, A or A^T: (solution, a copy of A)."""
    check_matrix("triangular_solve", input, "b")
    check_matrix("triangular_solve", A)
    check_floating("triangular_solve", A)
    A, b = broadcast_matrices(A, input)
    m = swap(A) if transpose else A
    x = linalg.solve_triangular(m, b, upper=upper != transpose, unitriangular=unitriangular)
    return return_types.triangular_solve((x, A.clone()))


# ---- products and norms -------------------------------------------------------------------------------


@overridable
def chain_matmul(*matrices: Any, out: Tensor | None = None) -> Tensor:
    """linalg.multi_dot of separate arguments, matrices all; deprecated."""
    if len(matrices) == 1 and isinstance(matrices[0], (list, tuple)):
        matrices = tuple(matrices[0])
    if not matrices:
        raise RuntimeError("chain_matmul(): Expected one or more matrices")
    for i, m in enumerate(matrices):
        if m.ndim != 2:
            raise RuntimeError(f"Tensor {i} must be 2-dimensional, got {m.ndim}-D tensor")
    if len(matrices) == 1:
        return matrices[0]
    return linalg.multi_dot(matrices, out=out)


@overridable
def norm(
    input: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, out: Any = None, dtype: Any = None
) -> Tensor:
    """Norms as linalg.vector_norm, over all elements unless dim is given; "nuc" is that of matrices; deprecated."""
    if p == "nuc":
        dims = tuple(range(input.ndim)) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
        if len(dims) != 2:
            raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {' '.join(map(str, dims))}")
        return linalg.matrix_norm(input, "nuc", dims, keepdim, dtype=dtype, out=out)
    return _C.norm(input, p, dim, keepdim, dtype=dtype, out=out)


@with_out
def frobenius_norm(input: Tensor, dim: Any, keepdim: bool = False) -> Tensor:
    """The root of the sum of squares over dims."""
    return _C.norm(input, 2, dim, keepdim)


@with_out
def nuclear_norm(input: Tensor, dim: Any = (-2, -1), keepdim: bool = False) -> Tensor:
    """The sum of singular values."""
    if isinstance(dim, bool):
        dim, keepdim = (-2, -1), dim
    return linalg.matrix_norm(input, "nuc", dim, keepdim)


@overridable
def norm_except_dim(v: Tensor, pow: int = 2, dim: int = 0) -> Tensor:
    """The norm over all dims but one, which keep size 1; over all, for dim -1."""
    if dim == -1:
        return _C.norm(v, pow)
    if v.ndim == 1:  # an empty list of dims would mean all
        return _C.norm(v.unsqueeze(1), pow, [1])
    return _C.norm(v, pow, [d for d in range(v.ndim) if d != dim % v.ndim], True)


# ---- low rank -----------------------------------------------------------------------------------------


def _range_basis(A: Tensor, q: int, niter: int, M: Tensor | None) -> Tensor:
    """Orthonormal columns Q (m, q) that nearly span A's range (Halko et al., Finding structure with randomness, 2009,
    algorithm 4.4)."""

    def times(x: Tensor, transposed: bool) -> Tensor:
        product = swap(A) @ x if transposed else A @ x
        if M is None:
            return product
        return product - (swap(M) @ x if transposed else M @ x)

    x = _C.randn(A.shape[-1], q, dtype=A.dtype)
    basis = linalg.qr(times(x, False)).Q
    for _ in range(niter):
        basis = linalg.qr(times(basis, True)).Q
        basis = linalg.qr(times(basis, False)).Q
    return basis


@overridable
def svd_lowrank(
    A: Tensor, q: int | None = 6, niter: int | None = 2, M: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """The q largest singular values of A - M, nearly: U (..., m, q), S (..., q), V (..., n, q); random.

    Args:
        niter (int): how often to multiply by A A^T, which sharpens the result.
        M (Tensor): what to subtract. Default: nothing
    """
    q, niter = 6 if q is None else q, 2 if niter is None else niter
    m, n = A.shape[-2:]
    M = None if M is None else M.broadcast_to(A.shape)
    flat = m < n
    if flat:
        A, M = swap(A), None if M is None else swap(M)
    basis = _range_basis(A, q, niter, M)
    small = swap(basis) @ A
    if M is not None:
        small = small - swap(basis) @ M
    u, s, vh = linalg.svd(small, full_matrices=False)
    u, v = basis @ u, swap(vh)
    return (v, s, u) if flat else (u, s, v)


@overridable
def pca_lowrank(
    A: Tensor, q: int | None = None, center: bool = True, niter: int = 2
) -> tuple[Tensor, Tensor, Tensor]:
    """svd_lowrank of A (..., m, n) with the mean of its rows subtracted (unless center is False): principal components.

    Raises:
        ValueError: q is not between 0 and min(m, n); niter is negative.
    """
    m, n = A.shape[-2:]
    if q is None:
        q = min(6, m, n)
    elif not 0 <= q <= min(m, n):
        raise ValueError(f"q(={q}) must be non-negative integer and not greater than min(m, n)={min(m, n)}")
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    if center:
        A = A - A.mean(-2, True)
    return svd_lowrank(A, q, niter=niter)


# ---- gone ---------------------------------------------------------------------------------------------


def _removed(name: str, instead: str) -> Any:
    def function(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(
            f"This function was deprecated since version 1.9 and is now removed. Use {instead} instead of torch.{name}."
        )

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Raises RuntimeError: removed from PyTorch; {instead} has taken its place."
    return function


eig = _removed("eig", "torch.linalg.eig")
lstsq = _removed("lstsq", "torch.linalg.lstsq, whose arguments are reversed,")
matrix_rank = _removed("matrix_rank", "torch.linalg.matrix_rank")
solve = _removed("solve", "torch.linalg.solve, whose arguments are reversed,")
symeig = _removed("symeig", "torch.linalg.eigh")
