"""Factorizations with derivatives: Cholesky, QR, LU, symmetric eigenvalues, singular values.

The derivatives are those of reverse mode; their names are a bar over the factor in the literature, g here. ^T stands for
the conjugate transpose (adjoint) of complex matrices. Sources:

    Giles, Collected matrix derivative results for forward and reverse mode algorithmic differentiation, 2008
    Murray, Differentiation of the Cholesky decomposition, 2016
    Walter and Lehmann, Algorithmic differentiation of linear algebra functions, 2010 (QR)
    Roberts and Roberts, QR and LQ decomposition matrix backpropagation algorithms, 2020 (wide matrices)
    Townsend, Differentiating the singular value decomposition, 2016

Every formula is written with differentiable operators, so second derivatives follow from it.
"""

from __future__ import annotations

from typing import Any

import rushlight
from rushlight import _C, return_types
from rushlight._C import Tensor
from rushlight.autograd import Function
from rushlight.linalg import _array, _lapack
from rushlight.linalg._common import (
    adjoint,
    check_floating,
    check_info,
    check_lapack,
    check_matrix,
    check_square,
    node,
    swap,
    with_out,
)


def triangular(a: Tensor, b: Tensor, upper: bool, *, left: bool = True, unit: bool = False) -> Tensor:
    """A^-1 B, or B A^-1, A triangular."""
    if not left:
        return swap(triangular(swap(a), swap(b), not upper, unit=unit))
    return SolveTriangular.apply(a, b, upper, unit)


@node("LinalgSolveTriangularBackward0")
class SolveTriangular(Function):
    """X = A^-1 B.  gB = A^-T g, gA = -gB X^T within the triangle."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, upper: bool, unit: bool) -> Tensor:
        x = _lapack.triangular(a, b, upper, unit)
        ctx.save_for_backward(a, x)
        ctx.upper, ctx.unit = upper, unit
        return x

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple:
        a, x = ctx.saved_tensors
        gb = SolveTriangular.apply(adjoint(a), g, not ctx.upper, ctx.unit)
        ga = None
        if ctx.needs_input_grad[0]:
            ga = -(gb @ adjoint(x))
            ga = ga.triu(int(ctx.unit)) if ctx.upper else ga.tril(-int(ctx.unit))
        return ga, gb, None, None


# ---- Cholesky -----------------------------------------------------------------------------------------


@node("LinalgCholeskyExBackward0")
class CholeskyEx(Function):
    """A = L L^T.  gA = (S + S^T) / 2, S = L^-T phi(L^T g) L^-1, phi the lower triangle with half the diagonal."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, upper: bool) -> tuple[Tensor, Tensor]:
        factor, info = _lapack.cholesky(a, upper)
        ctx.mark_non_differentiable(info)
        ctx.save_for_backward(factor)
        ctx.upper = upper
        return factor, info

    @staticmethod
    def backward(ctx: Any, g: Tensor, _: Any) -> tuple:
        (factor,) = ctx.saved_tensors
        low, g = (adjoint(factor), adjoint(g)) if ctx.upper else (factor, g)
        p = adjoint(low) @ g
        phi = 0.5 * (p.tril() + p.tril(-1))
        s = triangular(low, triangular(adjoint(low), phi, True), False, left=False)
        return 0.5 * (s + adjoint(s)), None


@with_out
def cholesky_ex(input: Tensor, *, upper: bool = False, check_errors: bool = False) -> tuple:
    """The Cholesky factor L of symmetric positive-definite matrices, A = L L^T, and info.

    Args:
        input (Tensor): (..., n, n); only one triangle is read: the lower one, the upper one with upper=True.
        upper (bool): gives the upper triangular factor U = L^T instead.
        check_errors (bool): raises like cholesky.

    Returns:
        (L, info): info (...), int32, is 0 or the order of the first leading minor that is not positive-definite.
    """
    _check_cholesky(input)
    result = CholeskyEx.apply(input, upper)
    if check_errors:
        _check_positive("linalg.cholesky_ex", result[1])
    return return_types.linalg_cholesky_ex(result)


@with_out
def cholesky(input: Tensor, *, upper: bool = False) -> Tensor:
    """The lower triangular Cholesky factor L of symmetric positive-definite matrices (..., n, n): A = L L^T.

    Raises:
        LinAlgError: a matrix that is not positive-definite.
    """
    _check_cholesky(input)
    factor, info = CholeskyEx.apply(input, upper)
    _check_positive("linalg.cholesky", info)
    return factor


def _check_cholesky(a: Tensor) -> None:
    check_square("cholesky", a)
    check_floating("cholesky", a)
    check_lapack("cholesky_cpu", a)


def _check_positive(name: str, info: Tensor) -> None:
    check_info(
        name,
        info,
        lambda order: "The factorization could not be completed because the input is not positive-definite (the leading "
        f"minor of order {order} is not positive-definite).",
    )


# ---- QR -----------------------------------------------------------------------------------------------


@node("LinalgQrBackward0")
class Qr(Function):
    """A = Q R.  Not wide: gA = (gQ + Q copyltu(M)) R^-T, M = R gR^T - gQ^T Q, copyltu mirroring the lower triangle.

    Wide, A = [X Y], R = [U V], Y = Q V: gY = Q gV; X = Q U with gQ' = gQ + Y gV^T.
    """

    @staticmethod
    def forward(ctx: Any, a: Tensor, mode: str) -> tuple[Tensor, Tensor]:
        ctx.mode = mode
        q, r = _lapack.qr(a, mode)
        if q is None:
            return a.new_empty(0), r
        ctx.save_for_backward(q, r)
        return q, r

    @staticmethod
    def backward(ctx: Any, gq: Tensor, gr: Tensor) -> tuple:
        if ctx.mode == "r":
            raise RuntimeError(
                "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use "
                "linalg.qr(A, mode='reduced') if you are going to require gradients through linalg.qr."
            )
        q, r = ctx.saved_tensors
        m, n = q.shape[-2], r.shape[-1]
        if ctx.mode == "complete" and m > n:
            raise RuntimeError(
                "The QR decomposition is not differentiable when mode='complete' and nrows > ncols."
            )
        if m >= n:
            return _qr_backward(q, r, gq, gr), None
        u, gu, gv = r[..., :m], gr[..., :m], gr[..., m:]
        y = q @ r[..., m:]
        gx = _qr_backward(q, u, gq + y @ adjoint(gv), gu)
        return _C.cat([gx, q @ gv], -1), None


def _qr_backward(q: Tensor, r: Tensor, gq: Tensor, gr: Tensor) -> Tensor:
    m = r @ adjoint(gr) - adjoint(gq) @ q
    below = m.tril(-1)
    mirrored = below + adjoint(below) + _C.diag_embed(m.diagonal(0, -2, -1).real)
    return triangular(adjoint(r), gq + q @ mirrored, False, left=False)


@with_out
def qr(A: Tensor, mode: str = "reduced") -> tuple:
    """A = Q R with orthonormal columns in Q and an upper triangular R, for matrices (..., m, n), k = min(m, n).

    Args:
        mode (str): "reduced": Q (m, k), R (k, n); "complete": Q (m, m), R (m, n); "r": R alone, Q is empty.
    """
    check_matrix("qr", A)
    check_floating("qr", A)
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'"
        )
    check_lapack("geqrf_cpu", A)
    return return_types.linalg_qr(Qr.apply(A, mode))


# ---- LU -----------------------------------------------------------------------------------------------


def _lu_backward(lower: Tensor, upper: Tensor, gl: Tensor, gu: Tensor) -> Tensor:
    """The gradient of P^T A from those of its factors L (m, k), U (k, n).

    Square (Giles): L^-T (tril(L^T gL, -1) + triu(gU U^T)) U^-T. Rows below the square part: A2 = L2 U; columns to its
    right: A2 = L U2; both pass part of their gradient on to the factors of the square part.
    """
    m, n = lower.shape[-2], upper.shape[-1]
    k = min(m, n)
    square_l, square_u = lower[..., :k, :], upper[..., :k]
    gl_square, gu_square = gl[..., :k, :], gu[..., :k]
    below = right = None
    if m > k:
        below = triangular(adjoint(square_u), gl[..., k:, :], False, left=False)
        gu_square = gu_square - adjoint(lower[..., k:, :]) @ below
    if n > k:
        right = triangular(adjoint(square_l), gu[..., k:], True, unit=True)
        gl_square = gl_square - right @ adjoint(upper[..., k:])
    inner = (adjoint(square_l) @ gl_square).tril(-1) + (gu_square @ adjoint(square_u)).triu()
    ga = triangular(adjoint(square_l), triangular(adjoint(square_u), inner, False, left=False), True, unit=True)
    if below is not None:
        ga = _C.cat([ga, below], -2)
    return ga if right is None else _C.cat([ga, right], -1)


def split_lu(factors: Tensor) -> tuple[Tensor, Tensor]:
    """L and U from the array that holds both."""
    m, n = factors.shape[-2:]
    k = min(m, n)
    eye = _C.eye(m, k, dtype=factors.dtype)
    return factors[..., :k].tril(-1) + eye, factors[..., :k, :].triu()


@node("LinalgLuFactorExBackward0")
class LuFactorEx(Function):
    """A = P L U, L and U in one array."""

    @staticmethod
    def forward(ctx: Any, a: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        factors, pivots, info = _lapack.lu(a)
        ctx.mark_non_differentiable(pivots, info)
        ctx.save_for_backward(factors, pivots)
        return factors, pivots, info

    @staticmethod
    def backward(ctx: Any, g: Tensor, *_: Any) -> Tensor:
        factors, pivots = ctx.saved_tensors
        m, n = factors.shape[-2:]
        p = _array.tensor(_array.permutation_matrix(_array.array(pivots), m, "int8")).to(factors.dtype)
        k = min(m, n)
        lower, upper = split_lu(factors)
        return p @ _lu_backward(lower, upper, g[..., :k].tril(-1), g[..., :k, :].triu())


@node("LinalgLuBackward0")
class Lu(Function):
    """A = P L U."""

    @staticmethod
    def forward(ctx: Any, a: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        factors, pivots, _ = _lapack.lu(a)
        lower, upper = split_lu(factors.contiguous())
        p = _array.tensor(_array.permutation_matrix(_array.array(pivots), a.shape[-2], "int8")).to(a.dtype)
        ctx.mark_non_differentiable(p)
        ctx.save_for_backward(p, lower, upper)
        return p, lower, upper

    @staticmethod
    def backward(ctx: Any, _: Any, gl: Tensor, gu: Tensor) -> Tensor:
        p, lower, upper = ctx.saved_tensors
        return p @ _lu_backward(lower, upper, gl.tril(-1), gu.triu())


def _check_lu(name: str, a: Tensor, pivot: bool) -> None:
    if a.ndim < 2:
        raise RuntimeError(f"{name}: Expected tensor with 2 or more dimensions. Got size: {list(a.shape)} instead")
    check_lapack("lu_cpu", a)
    if not pivot:
        raise RuntimeError("linalg.lu_factor: LU without pivoting is not implemented on the CPU")


@with_out
def lu(A: Tensor, *, pivot: bool = True) -> tuple:
    """A = P L U with partial pivoting: P (..., m, m) a permutation, L (..., m, k) with ones on its diagonal, U
    (..., k, n), k = min(m, n)."""
    _check_lu("linalg.lu", A, pivot)
    return return_types.linalg_lu(Lu.apply(A))


@with_out
def lu_factor_ex(A: Tensor, *, pivot: bool = True, check_errors: bool = False) -> tuple:
    """LU (..., m, n) and pivots (..., k), int32, as lu_solve takes them, and info (...), int32: 0 or the number of the
    first zero on the diagonal of U."""
    _check_lu("torch.lu_factor", A, pivot)
    result = LuFactorEx.apply(A)
    if check_errors:
        _check_lu_info("torch.linalg.lu_factor_ex", result[2])
    return return_types.linalg_lu_factor_ex(result)


@with_out
def lu_factor(A: Tensor, *, pivot: bool = True) -> tuple:
    """L and U in one array, LU (..., m, n), and pivots (..., k), int32: the row that each row was exchanged with.

    Raises:
        LinAlgError: a zero on the diagonal of U.
    """
    _check_lu("torch.lu_factor", A, pivot)
    factors, pivots, info = LuFactorEx.apply(A)
    _check_lu_info("torch.linalg.lu_factor", info)
    return return_types.linalg_lu_factor((factors, pivots))


def _check_lu_info(name: str, info: Tensor) -> None:
    for i, code in enumerate(info.reshape(-1).tolist()):
        if code:
            where = f" (Batch element {i}):" if info.ndim else ""
            raise RuntimeError(
                f"{name}:{where} U[{code},{code}] is zero and using it on lu_solve would result in a division by zero. "
                "If you still want to perform the factorization, consider calling linalg.lu(A, pivot) or "
                "linalg.lu_factor_ex(A, pivot)"
            )


# ---- symmetric eigenvalues ----------------------------------------------------------------------------


@node("LinalgEighBackward0")
class Eigh(Function):
    """A = V diag(L) V^T.  gA = V (diag(gL) + V^T gV / E) V^T, E_ij = L_j - L_i off the diagonal (Giles, 3.1)."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, uplo: str) -> tuple[Tensor, Tensor]:
        values, vectors = _lapack.eigh(a, uplo, True)
        ctx.save_for_backward(values, vectors)
        ctx.set_materialize_grads(False)
        return values, vectors

    @staticmethod
    def backward(ctx: Any, gl: Any, gv: Any) -> tuple:
        values, v = ctx.saved_tensors
        if gv is None:
            if gl is None:
                return None, None
            return (v * gl.unsqueeze(-2)) @ adjoint(v), None
        gaps = values.unsqueeze(-2) - values.unsqueeze(-1)
        gaps = gaps.masked_fill(_eye_mask(values.shape[-1]), 1.0)
        inner = (adjoint(v) @ gv / gaps).masked_fill(_eye_mask(values.shape[-1]), 0.0)
        if gl is not None:
            inner = inner + _C.diag_embed(gl)
        return v @ inner @ adjoint(v), None


def _eye_mask(n: int) -> Tensor:
    return _C.eye(n, dtype=_C.bool)


def _check_eigh(a: Tensor, uplo: str) -> str:
    check_square("eigh", a)
    if uplo.upper() not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {uplo}")
    check_lapack("linalg_eigh_cpu", a)
    return uplo.upper()


@with_out
def eigh(input: Tensor, UPLO: str = "L") -> tuple:
    """Eigenvalues (..., n), ascending, and orthonormal eigenvectors (..., n, n), as columns, of symmetric matrices.

    Args:
        input (Tensor): (..., n, n); only one triangle is read.
        UPLO (str): "L", the lower triangle, or "U", the upper one.
    """
    A = input
    return return_types.linalg_eigh(Eigh.apply(A, _check_eigh(A, UPLO)))


@with_out
def eigvalsh(input: Tensor, UPLO: str = "L") -> Tensor:
    """Eigenvalues (..., n) of symmetric matrices, ascending; see eigh."""
    A = input
    uplo = _check_eigh(A, UPLO)
    if rushlight.is_grad_enabled() and A.requires_grad:  # the derivative needs the vectors
        return Eigh.apply(A, uplo)[0]
    return _lapack.eigh(A, uplo, False)[0]


# ---- singular values ----------------------------------------------------------------------------------


@node("LinalgSvdBackward0")
class Svd(Function):
    """A = U diag(S) V^T (Townsend, equations 1-3).

    gA = U ([skew(U^T gU) / E] S + S [skew(V^T gV) / E] + diag(gS)) V^T
         + (I - U U^T) gU S^-1 V^T + U S^-1 gV^T (I - V V^T),
    E_ij = S_j^2 - S_i^2 off the diagonal, skew(X) = X - X^T. Of complex matrices also the imaginary part of U^T gU's
    diagonal, over S.
    """

    @staticmethod
    def forward(ctx: Any, a: Tensor, full_matrices: bool) -> tuple[Tensor, Tensor, Tensor]:
        u, s, vh = _lapack.svd(a, full_matrices)
        ctx.save_for_backward(u, s, vh)
        ctx.set_materialize_grads(False)
        return u, s, vh

    @staticmethod
    def backward(ctx: Any, gu: Any, gs: Any, gvh: Any) -> tuple:
        u, s, vh = ctx.saved_tensors
        k = s.shape[-1]
        m, n = u.shape[-2], vh.shape[-1]
        u, vh = u[..., :k], vh[..., :k, :]
        if gu is None and gvh is None:
            return (None if gs is None else (u * gs.unsqueeze(-2)) @ vh), None
        diagonal = _eye_mask(k)
        squares = s.square()
        gaps = (squares.unsqueeze(-2) - squares.unsqueeze(-1)).masked_fill(diagonal, 1.0)
        inner = 0.0 if gs is None else _C.diag_embed(gs)
        if gu is not None:
            gu = gu[..., :k]
            p = adjoint(u) @ gu
            inner = inner + (p - adjoint(p)) / gaps * s.unsqueeze(-2)
            if p.is_complex():
                inner = inner + _C.diag_embed((p - adjoint(p)).diagonal(0, -2, -1) / (2 * s))
        if gvh is not None:
            gvh = gvh[..., :k, :]
            p = vh @ adjoint(gvh)
            inner = inner + s.unsqueeze(-1) * ((p - adjoint(p)) / gaps)
        ga = u @ inner @ vh
        if gu is not None and m > k:
            scaled = gu / s.unsqueeze(-2)
            ga = ga + (scaled - u @ (adjoint(u) @ scaled)) @ vh
        if gvh is not None and n > k:
            scaled = gvh / s.unsqueeze(-1)
            ga = ga + u @ (scaled - scaled @ adjoint(vh) @ vh)
        return ga, None


def _check_svd(a: Tensor, driver: Any) -> None:
    check_matrix("svd", a)
    check_floating("svd", a)
    if driver is not None:
        raise RuntimeError(
            "torch.linalg.svd: keyword argument `driver=` is only supported on CUDA inputs with cuSOLVER backend."
        )
    check_lapack("linalg_svd_cpu", a)


@with_out
def svd(A: Tensor, full_matrices: bool = True, *, driver: str | None = None) -> tuple:
    """A = U diag(S) V^T for matrices (..., m, n), k = min(m, n): singular values S (..., k), descending.

    Args:
        full_matrices (bool): U (m, m) and Vh (n, n); else U (m, k) and Vh (k, n). Gradients reach the first k columns
            of U and rows of Vh only.

    Raises:
        LinAlgError: no convergence, as with nan in A.
    """
    _check_svd(A, driver)
    return return_types.linalg_svd(Svd.apply(A, full_matrices))


@with_out
def svdvals(A: Tensor, *, driver: str | None = None) -> Tensor:
    """Singular values (..., min(m, n)), descending."""
    _check_svd(A, driver)
    if A.requires_grad and rushlight.is_grad_enabled():
        return Svd.apply(A, False)[1]
    return _lapack.svd(A, False, False)[1]  # the values alone take a fraction of the time
