"""Systems of equations, inverses and determinants.

Derivatives: Giles, Collected matrix derivative results, 2008, sections 2.2 and 2.3; Golub and Pereyra, The
differentiation of pseudo-inverses and nonlinear least squares problems whose variables separate, 1973. ^T stands for the
conjugate transpose of complex matrices.
"""

from __future__ import annotations

from typing import Any

from rushlight import _C, return_types
from rushlight._C import Tensor
from rushlight.autograd import Function
from rushlight.linalg import _array, _lapack
from rushlight.linalg._common import (
    LAPACK_DTYPES,
    adjoint,
    broadcast_matrices,
    check_floating,
    check_info,
    check_lapack,
    check_matrix,
    check_not_low,
    check_square,
    node,
    swap,
    title,
    with_out,
)
from rushlight.linalg._factor import split_lu, svd, triangular

turned = adjoint  # lu_solve has an argument of that name

# ---- determinants -------------------------------------------------------------------------------------


@node("LinalgDetBackward0")
class Det(Function):
    """gA = g det(A) A^-T; for singular matrices g times the cofactors, from the singular values."""

    @staticmethod
    def forward(ctx: Any, a: Tensor) -> Tensor:
        ctx.save_for_backward(a)
        diagonal = _lapack.pivots(a)
        return _array.tensor(_array.numpy().linalg.det(_array.array(a))) if diagonal is None else diagonal.prod(-1)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (a,) = ctx.saved_tensors
        g = g.unsqueeze(-1).unsqueeze(-1)
        if _nearly_singular(a):
            return g * _cofactors(a)
        return g * Det.apply(a).conj().unsqueeze(-1).unsqueeze(-1) * adjoint(InvEx.apply(a)[0])


def _nearly_singular(a: Tensor) -> bool:
    """Whether some matrix has a pivot that is nothing but rounding errors: its inverse would be, too."""
    if not a.numel():
        return False
    pivots = _lapack.lu(a)[0].diagonal(0, -2, -1).abs()
    return bool((pivots.amin(-1) <= 100 * _eps(a.dtype) * pivots.amax(-1)).any())


def _cofactors(a: Tensor) -> Tensor:
    """The transposed adjugate, conjugated: that of det(U) det(V) times U diag(products of the other singular values) V^T."""
    u, s, vh = svd(a)
    n = s.shape[-1]
    others = s.unsqueeze(-2).expand(*s.shape, n).masked_fill(_C.eye(n, dtype=_C.bool), 1.0).prod(-1)
    sign = (Det.apply(u) * Det.apply(vh)).conj().unsqueeze(-1).unsqueeze(-1)
    return sign * ((u * others.unsqueeze(-2)) @ vh)


@with_out
def det(A: Tensor) -> Tensor:
    """Determinants (...) of square matrices (..., n, n)."""
    check_square("det", A)
    check_floating("det", A)
    check_lapack("lu_cpu", A)
    return Det.apply(A)


@node("LinalgSlogdetBackward0")
class Slogdet(Function):
    """gA = g A^-T; of complex matrices (g - i Im(conj(g_sign) sign)) A^-T."""

    @staticmethod
    def forward(ctx: Any, a: Tensor) -> tuple[Tensor, Tensor]:
        diagonal = _lapack.pivots(a)
        if diagonal is None:
            sign, value = map(_array.tensor, _array.numpy().linalg.slogdet(_array.array(a)))
        else:
            sign, value = diagonal.sgn().prod(-1), diagonal.abs().log().sum(-1)
        ctx.save_for_backward(a, sign)
        return sign, value

    @staticmethod
    def backward(ctx: Any, gs: Tensor, g: Tensor) -> Tensor:
        a, sign = ctx.saved_tensors
        if a.is_complex():
            turn = (gs.conj() * sign).imag
            g = _C.complex(g, -turn)
        return g.unsqueeze(-1).unsqueeze(-1) * adjoint(InvEx.apply(a)[0])


@with_out
def slogdet(A: Tensor) -> tuple:
    """Signs (...) and logarithms of the absolute values (...) of the determinants of square matrices (..., n, n); 0 and
    -inf for singular ones."""
    check_square("slogdet", A)
    check_not_low("slogdet", A)
    return return_types.linalg_slogdet(Slogdet.apply(A))


# ---- inverses -----------------------------------------------------------------------------------------


@node("LinalgInvExBackward0")
class InvEx(Function):
    """Y = A^-1.  gA = -Y^T g Y^T."""

    @staticmethod
    def forward(ctx: Any, a: Tensor) -> tuple[Tensor, Tensor]:
        x, info = _lapack.inverse(a)
        ctx.mark_non_differentiable(info)
        ctx.save_for_backward(x)
        return x, info

    @staticmethod
    def backward(ctx: Any, g: Tensor, _: Any) -> Tensor:
        y = adjoint(ctx.saved_tensors[0])
        return -(y @ g @ y)


def _check_inverse(a: Tensor) -> None:
    check_square("inv", a)
    check_not_low("inv", a)


def _check_inverted(name: str, info: Tensor) -> None:
    check_info(
        name,
        info,
        lambda i: f"The diagonal element {i} is zero, the inversion could not be completed because the input matrix is "
        "singular.",
    )


@with_out
def inv_ex(A: Tensor, *, check_errors: bool = False) -> tuple:
    """Inverses (..., n, n) and info (...), int32: 0 or, for singular matrices, whose result is nan, the number of the
    first zero pivot."""
    _check_inverse(A)
    result = InvEx.apply(A)
    if check_errors:
        _check_inverted("linalg.inv_ex", result[1])
    return return_types.linalg_inv_ex(result)


@with_out
def inv(A: Tensor) -> Tensor:
    """Inverses of square matrices (..., n, n).

    Raises:
        LinAlgError: a singular matrix.
    """
    _check_inverse(A)
    result, info = InvEx.apply(A)
    _check_inverted("linalg.inv", info)
    return result


@node("LinalgPinvBackward0")
class Pinv(Function):
    """P = A^+.  gA = -P^T g P^T + (I - A P) g^T P P^T + P^T P g^T (I - P A) (Golub and Pereyra, 4.12)."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, atol: Any, rtol: Any, hermitian: bool) -> Tensor:
        np = _array.numpy()
        m = _array.array(a)
        if not m.size:
            p = np.zeros((*m.shape[:-2], m.shape[-1], m.shape[-2]), m.dtype)
        else:
            if hermitian:
                values, u = np.linalg.eigh(m)
                s, vh = np.abs(values), _array.adjoint(u)
            else:
                u, s, vh = map(_array.array, _lapack.svd(a, False))
                values = s
            keep = s > np.maximum(atol, rtol * s.max(-1))[..., None]
            inverse = np.where(keep, 1 / np.where(keep, values, 1), 0).astype(m.dtype)
            p = (_array.adjoint(vh) * inverse[..., None, :]) @ _array.adjoint(u)
        p = _array.rows(p)
        ctx.save_for_backward(a, p)
        return p

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple:
        a, p = ctx.saved_tensors
        return _pinv_backward(a, p, g), None, None, None


def _pinv_backward(a: Tensor, p: Tensor, g: Tensor) -> Tensor:
    pt, gt = adjoint(p), adjoint(g)
    left, right = gt @ p @ pt, pt @ p @ gt
    return left - a @ (p @ left) + right - (right @ p) @ a - pt @ g @ pt


def _tolerances(a: Tensor, atol: Any, rtol: Any) -> tuple[Any, Any]:
    """atol and rtol as arrays; the default of rtol is eps max(m, n), or 0 where atol is given and positive."""
    np = _array.numpy()
    default = _eps(a.dtype) * max(a.shape[-2:])

    def convert(value: Any) -> Any:
        return np.asarray(_array.array(value) if isinstance(value, Tensor) else value)

    if atol is None:
        return np.asarray(0.0), np.asarray(default) if rtol is None else convert(rtol)
    atol = convert(atol)
    return atol, np.where(atol > 0, 0.0, default) if rtol is None else convert(rtol)


def _eps(dtype: Any) -> float:
    from rushlight import finfo

    return finfo(dtype).eps


@with_out
def pinv(
    input: Tensor, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None
) -> Tensor:
    """Moore-Penrose pseudoinverses (..., n, m) of matrices (..., m, n).

    Args:
        rcond, rtol (float or Tensor): singular values not above rtol times the largest count as 0. Default: eps
            max(m, n), or 0 with a positive atol.
        atol (float or Tensor): singular values not above atol count as 0. Default: 0
        hermitian (bool): A is symmetric; only its lower triangle is read.
    """
    A = input
    if A.ndim < 2 or A.dtype not in LAPACK_DTYPES:
        raise RuntimeError(
            f"linalg.pinv({title(A.dtype)}{{{list(A.shape)}}}): expected a tensor with 2 or more dimensions of float, "
            "double, cfloat or cdouble types"
        )
    if hermitian:
        check_square("pinv", A)
    tolerances = _tolerances(A, atol, rcond if rtol is None else rtol)
    return Pinv.apply(A, *tolerances, hermitian)


# ---- systems of equations -----------------------------------------------------------------------------


@node("LinalgSolveExBackward0")
class SolveEx(Function):
    """X = A^-1 B.  gB = A^-T g, gA = -gB X^T."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, vector: bool) -> tuple[Tensor, Tensor]:
        x, info = _lapack.solve(a, b.unsqueeze(-1) if vector else b)
        x = _lapack.own(x.squeeze(-1)) if vector else x
        ctx.mark_non_differentiable(info)
        ctx.save_for_backward(a, x)
        ctx.vector = vector
        return x, info

    @staticmethod
    def backward(ctx: Any, g: Tensor, _: Any) -> tuple:
        a, x = ctx.saved_tensors
        gb = SolveEx.apply(adjoint(a), g, ctx.vector)[0]
        ga = None
        if ctx.needs_input_grad[0]:
            ga = -(gb.unsqueeze(-1) * x.conj().unsqueeze(-2) if ctx.vector else gb @ adjoint(x))
        return ga, gb, None


def _solve(a: Tensor, b: Tensor, left: bool) -> tuple[Tensor, Tensor]:
    check_square("solve", a)
    check_not_low("solve", a)
    if a.dtype != b.dtype:
        raise RuntimeError(
            f"linalg.solve: Expected A and B to have the same dtype, but found A of type {title(a.dtype)} and B of type "
            f"{title(b.dtype)} instead"
        )
    n = a.shape[-1]
    vector = b.ndim == 1 or (b.ndim == a.ndim - 1 and b.shape == a.shape[:-1])
    if vector:
        if not left:
            raise RuntimeError(
                "linalg.solve: Vector broadcasting of the left hand side is not supported for left=False. In this case "
                "linalg.solve is equivalent to B / A.squeeze(-1)"
            )
        _check_shapes("solve", a, (*b.shape, 1), left)
        b = b.expand(*a.shape[:-2], n)
    else:
        check_matrix("solve", b, "B")
        _check_shapes("solve", a, b.shape, left)
        a, b = broadcast_matrices(a, b)
    if left:
        return SolveEx.apply(a, b, vector)
    x, info = SolveEx.apply(swap(a), swap(b), False)
    return swap(x), info


def _check_shapes(name: str, a: Tensor, b: Any, left: bool) -> None:
    if a.shape[-2 if left else -1] != b[-2 if left else -1]:
        raise RuntimeError(
            f"linalg.{name}: Incompatible shapes of A and B for the equation {'AX = B' if left else 'XA = B'} "
            f"({a.shape[-2]}x{a.shape[-1]} and {b[-2]}x{b[-1]})"
        )


def _check_solved(name: str, info: Tensor) -> None:
    check_info(name, info, lambda _: "The solver failed because the input matrix is singular.")


@with_out
def solve_ex(A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False) -> tuple:
    """solve's result, nan for singular matrices, and info (...), int32: 0 or the number of the first zero pivot."""
    result = _solve(A, B, left)
    if check_errors:
        _check_solved("torch.linalg.solve_ex", result[1])
    return return_types.linalg_solve_ex(result)


@with_out
def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """X with A X = B (X A = B where left is False), for square A (..., n, n).

    Args:
        B (Tensor): (..., n, k), leading dims broadcasting with A's; or (n,) or A.shape[:-1], vectors.

    Raises:
        LinAlgError: a singular matrix.
    """
    result, info = _solve(A, B, left)
    _check_solved("torch.linalg.solve", info)
    return result


@with_out
def solve_triangular(
    input: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Tensor:
    """X with A X = B (X A = B where left is False), A (..., n, n) triangular; its other triangle is not read.

    Args:
        upper (bool): which triangle A is.
        unitriangular (bool): A's diagonal counts as ones and is not read.
    """
    A = input
    check_square("solve_triangular", A)
    check_matrix("solve_triangular", B, "B")
    if A.dtype != B.dtype:
        raise RuntimeError(
            f"linalg.solve_triangular: Expected A and B to have the same dtype, but found A of type {title(A.dtype)} and "
            f"B of type {title(B.dtype)} instead"
        )
    _check_shapes("solve_triangular", A, B.shape, left)
    check_lapack("triangular_solve_cpu", A)
    A, B = broadcast_matrices(A, B)
    return triangular(A, B, upper, left=left, unit=unitriangular)


@with_out
def lu_solve(
    LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False
) -> Tensor:
    """X with A X = B (X A = B where left is False; A^T for A with adjoint), from A's LU and pivots by lu_factor."""
    check_square("lu_solve", LU)
    check_matrix("lu_solve", B, "B")
    if LU.dtype != B.dtype:
        raise RuntimeError(
            f"linalg.lu_solve: Expected LU and B to have the same dtype, but found LU of type {title(LU.dtype)} and B of "
            f"type {title(B.dtype)} instead"
        )
    if pivots.dtype != _C.int32:
        raise RuntimeError(
            "linalg.lu_solve: pivots should be a Tensor of scalar type torch.int32"
        )
    _check_shapes("lu_solve", LU, B.shape, left)
    if tuple(pivots.shape) != tuple(LU.shape[:-1]):
        raise RuntimeError(
            "linalg.lu_solve: Number of pivots per batch should be same as the dimension of the matrix"
        )
    check_lapack("lu_solve_cpu", LU)
    if not left:
        return turned(lu_solve(LU, pivots, turned(B), adjoint=not adjoint))
    p = permutation_matrix(pivots, LU.shape[-1], LU.dtype)
    if adjoint:  # A^T = U^T L^T P^T
        y = triangular(*broadcast_matrices(turned(LU), B), False)
        return p @ triangular(*broadcast_matrices(turned(LU), y), True, unit=True)
    y = triangular(*broadcast_matrices(LU, swap(p) @ B), False, unit=True)
    return triangular(*broadcast_matrices(LU, y), True)


def permutation_matrix(pivots: Tensor, m: int, dtype: Any) -> Tensor:
    """P (..., m, m) of A = P L U, from the exchanges of rows."""
    order = _array.array(pivots)
    if order.size and (order.min() < 1 or order.max() > m):
        raise RuntimeError(
            "Pivots given to lu_solve must all be greater or equal to 1. Did you properly pass the result of lu_factor?"
        )
    return _array.tensor(_array.permutation_matrix(order, m, order.dtype)).to(dtype)


def unpack_lu(factors: Tensor, pivots: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """P, L and U."""
    lower, upper = split_lu(factors)
    return permutation_matrix(pivots, factors.shape[-2], factors.dtype), lower, upper


# ---- least squares ------------------------------------------------------------------------------------


@node("LinalgLstsqBackward0")
class Lstsq(Function):
    """X = A^+ B, and what LAPACK finds on the way.  gB = A^+T g, gA that of the pseudoinverse for g B^T."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, rcond: float, driver: str) -> tuple:
        x, rank, values, info = _lapack.lstsq(a, b, rcond, driver)
        check_info(
            "torch.linalg.lstsq",
            info,
            lambda code: "The least squares solution could not be computed because the input matrix does not have full "
            f"rank (error code: {code}).",
        )
        ctx.mark_non_differentiable(rank, values)
        ctx.save_for_backward(a, b)
        return x, rank, values

    @staticmethod
    def backward(ctx: Any, g: Tensor, *_: Any) -> tuple:
        a, b = ctx.saved_tensors
        p = pinv(a)
        return _pinv_backward(a, p, g @ adjoint(b)), adjoint(p) @ g, None, None


def lstsq(input: Tensor, b: Tensor, rcond: float | None = None, *, driver: str | None = None) -> tuple:
    """X that minimises |A X - B|, of all such X the smallest, for A (..., m, n) and B (..., m, k) or (..., m).

    Args:
        rcond (float): singular values not above rcond times the largest count as 0. Default: eps max(m, n)
        driver (str): LAPACK's routine: "gelsy" (default; QR with exchanged columns), "gels" (QR; A must have full rank),
            "gelsd" or "gelss" (singular values). Without SciPy all solve by singular values.

    Returns:
        (solution, residuals, rank, singular_values): residuals (..., k), sums of squares, where m > n and all ranks are n
        (not for gelsy), rank (...) int64 (not for gels), singular_values (not for gels and gelsy); else empty.
    """
    A, B = input, b
    if A.ndim < 2:
        raise RuntimeError("torch.linalg.lstsq: input must have at least 2 dimensions.")
    if B.ndim < 1:
        raise RuntimeError("torch.linalg.lstsq: other must have at least 1 dimension.")
    if A.ndim - B.ndim not in (0, 1) and not A.ndim < B.ndim:
        raise RuntimeError(
            "torch.linalg.lstsq: input.dim() must be greater or equal to other.dim() and (input.dim() - other.dim()) <= 1"
        )
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise RuntimeError(
            "torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)"
        )
    if A.dtype != B.dtype:
        raise RuntimeError(
            "torch.linalg.lstsq: Expected input and other to have the same dtype, but got input's dtype "
            f"{title(A.dtype)} and other's dtype {title(B.dtype)}"
        )
    check_lapack("linalg_lstsq_cpu", A)
    driver = driver or "gelsy"
    m, n = A.shape[-2:]
    vector = B.ndim == 1 or (A.ndim - 1 == B.ndim and B.shape == A.shape[:-1])
    right = B.unsqueeze(-1) if vector else B
    if right.shape[-2] != m:
        raise RuntimeError(
            f"torch.linalg.lstsq: input.size(-2) should match other.size({-1 if vector else -2})"
        )
    left, right = broadcast_matrices(A, right)
    if rcond is None:
        rcond = _eps(A.dtype) * max(m, n)
    x, rank, values = Lstsq.apply(left, right, rcond, driver)
    empty = x.new_empty(0)
    residuals = empty
    if driver != "gelsy" and m > n and bool((rank == n).all().item()):
        residuals = (right - left @ x).abs().square().sum(-2)
    return return_types.linalg_lstsq(
        (
            x.squeeze(-1) if vector else x,
            residuals,
            rank if driver != "gels" else rank.new_empty(0),
            values if driver in ("gelsd", "gelss") else empty,
        )
    )


lstsq = with_out(lstsq)
