"""Products of vectors and matrices, powers, and functions that are written with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rushlight import _C
from rushlight._C import Tensor
from rushlight.autograd import Function
from rushlight.linalg import _array
from rushlight.linalg._common import (
    LAPACK_DTYPES,
    adjoint,
    check_floating,
    check_square,
    node,
    overridable,
    title,
    with_out,
)
from rushlight.linalg._solve import inv, solve


@with_out
def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """The product of matrices, multiplied in the order that takes the fewest operations.

    Args:
        tensors: at least two; the first may be a row vector (n,), the last a column vector (n,), all others (m, n).

    Raises:
        RuntimeError: shapes that do not fit, fewer than two tensors, different dtypes.
    """
    n = len(tensors)
    if n < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {n}")
    factors = list(tensors)
    for i, which in ((0, "first"), (-1, "last")):
        if factors[i].ndim not in (1, 2):
            raise RuntimeError(
                f"multi_dot(): the {which} tensor must be 1D or 2D but got {factors[i].ndim}D"
            )
    row, column = factors[0].ndim == 1, factors[-1].ndim == 1
    if row:
        factors[0] = factors[0].unsqueeze(0)
    if column:
        factors[-1] = factors[-1].unsqueeze(-1)
    for i, t in enumerate(factors):
        if t.ndim != 2:
            raise RuntimeError(f"multi_dot(): tensor {i} must be 2D but got {t.ndim}D")
        if t.dtype != factors[0].dtype:
            raise RuntimeError(
                "multi_dot(): all tensors must have be the same dtype but tensor 0 is "
                f"{title(factors[0].dtype).lower()} and tensor {i} {title(t.dtype).lower()}"
            )
        if i and factors[i - 1].shape[1] != t.shape[0]:
            raise RuntimeError(
                f"multi_dot(): tensors {i - 1} and {i} with shapes {list(factors[i - 1].shape)} and {list(t.shape)} "
                "cannot be multiplied"
            )
    split = _best_splits([factors[0].shape[0], *(t.shape[1] for t in factors)])

    def product(i: int, j: int) -> Tensor:
        if i == j:
            return factors[i]
        k = split[i][j]
        return product(i, k) @ product(k + 1, j)

    result = product(0, n - 1)
    if row and column:
        return result.reshape(())
    return result.reshape(-1) if row or column else result


def _best_splits(sizes: list) -> list:
    """split[i][j]: after which factor the cheapest product of factors i to j is cut; factor i is sizes[i] by
    sizes[i + 1] (Cormen et al., Introduction to algorithms, section 15.2)."""
    n = len(sizes) - 1
    cost = [[0] * n for _ in range(n)]
    split = [[0] * n for _ in range(n)]
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost[i][j], split[i][j] = min(
                (cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)
            )
    return split


@with_out
def matrix_power(input: Tensor, n: int) -> Tensor:
    """The n-th power of square matrices (..., m, m), of their inverses where n is negative.

    Raises:
        LinAlgError: n negative and a matrix singular.
    """
    A = input
    check_square("matrix_power", A)
    if n == 0:
        return A.clone().copy_(_C.eye(A.shape[-1], dtype=A.dtype))
    if n < 0:
        A, n = inv(A), -n
    if n == 1:
        return A.clone()
    result = None
    while n:  # squares A, and multiplies where the bit of n is set
        if n & 1:
            result = A if result is None else result @ A
        n >>= 1
        if n:
            A = A @ A
    return result


@node("LinalgMatrixExpBackward0")
class MatrixExp(Function):
    """exp(A).  gA is the upper right block of exp([[A^T, g], [0, A^T]]) (Mathias, A chain rule for matrix functions,
    SIAM J. Matrix Anal. 1996)."""

    @staticmethod
    def forward(ctx: Any, a: Tensor) -> Tensor:
        ctx.save_for_backward(a)
        return _array.rows(_array.matrix_exp(_array.array(a)))

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (a,) = ctx.saved_tensors
        n = a.shape[-1]
        at = adjoint(a)
        upper = _C.cat([at, g], -1)
        lower = _C.cat([_C.zeros_like(at), at], -1)
        return MatrixExp.apply(_C.cat([upper, lower], -2))[..., :n, n:]


@overridable
def matrix_exp(input: Tensor) -> Tensor:
    """The matrix exponential, sum of A^k / k!, of square matrices (..., n, n)."""
    A = input
    check_square("matrix_exp", A)
    check_floating("matrix_exp", A)
    if A.dtype not in LAPACK_DTYPES:
        return MatrixExp.apply(A.to(_C.float32)).to(A.dtype)
    return MatrixExp.apply(A)


@with_out
def cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """The cross product of vectors of size 3 along dim; other dims broadcast."""
    if input.ndim != other.ndim:
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    if input.shape[dim] != 3 or other.shape[dim] != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {input.shape[dim]} and {other.shape[dim]}"
        )
    return _C.cross(input, other, dim)


@with_out
def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """The dot product of vectors along dim, the first conjugated; other dims broadcast."""
    return (x.conj() * y).sum(dim)


@overridable
def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Diagonals of matrices (..., m, n), a view."""
    return _C.diagonal(A, offset, dim1, dim2)


@overridable
def vander(x: Tensor, *, N: int | None = None) -> Tensor:
    """Powers 0 to N - 1 (default: n - 1) of the elements: (..., n) to (..., n, N)."""
    if x.dtype == _C.bool:
        raise RuntimeError("linalg.vander: The input tensor must not be boolean.")
    if x.ndim < 1:
        raise RuntimeError("N must be greater than 1.")
    n = x.shape[-1] if N is None else N
    if n <= 1:
        raise RuntimeError("N must be greater than 1.")
    powers = x.unsqueeze(-1).expand(*x.shape, n - 1).cumprod(-1)
    return _C.cat([_C.ones(*x.shape, 1, dtype=powers.dtype), powers], -1)


@with_out
def householder_product(input: Tensor, tau: Tensor) -> Tensor:
    """The first n columns of H_1 H_2 ... H_k, H_i = I - tau_i v_i v_i^T: Q (..., m, n) of a QR factorization as LAPACK
    stores it.

    Args:
        input (Tensor): (..., m, n), m >= n: v_i below the diagonal of column i; v_i is 0 above row i and 1 there.
        tau (Tensor): (..., k), k <= n.
    """
    A = input
    name = "torch.linalg.householder_product"
    if A.ndim < 2:
        raise RuntimeError(f"{name}: input must have at least 2 dimensions.")
    m, n = A.shape[-2:]
    if m < n:
        raise RuntimeError(f"{name}: input.shape[-2] must be greater than or equal to input.shape[-1]")
    if n < tau.shape[-1]:
        raise RuntimeError(f"{name}: input.shape[-1] must be greater than or equal to tau.shape[-1]")
    if A.ndim - tau.ndim != 1:
        raise RuntimeError(
            f"{name}: Expected tau to have one dimension less than input, but got tau.ndim equal to {tau.ndim} and "
            f"input.ndim is equal to {A.ndim}"
        )
    if A.shape[:-2] != tau.shape[:-1]:
        raise RuntimeError(
            f"{name}: Expected batch of tau to be equal to input.shape[:-2], but got {list(tau.shape[:-1])}"
        )
    if A.dtype != tau.dtype:
        raise RuntimeError(
            f"{name}: tau dtype {title(tau.dtype)} does not match input dtype {title(A.dtype)}"
        )
    k = tau.shape[-1]
    v = A[..., :k].tril(-1) + _C.eye(m, k, dtype=A.dtype)
    q = _C.eye(m, n, dtype=A.dtype).expand(A.shape)
    for i in reversed(range(k)):
        column = v[..., i : i + 1]
        q = q - tau[..., i : i + 1].unsqueeze(-1) * column @ (adjoint(column) @ q)
    return q


def _count(sizes: Sequence[int]) -> int:
    total = 1
    for s in sizes:
        total *= s
    return total


@with_out
def tensorinv(input: Tensor, ind: int = 2) -> Tensor:
    """The inverse for tensordot(., ., ind): of shape A.shape[ind:] + A.shape[:ind].

    Raises:
        RuntimeError: the first ind sizes and the others have different products; ind is not positive.
        LinAlgError: not invertible.
    """
    A = input
    if ind <= 0:
        raise RuntimeError(f"Expected a strictly positive integer for 'ind', but got {ind}")
    first, last = list(A.shape[:ind]), list(A.shape[ind:])
    rows, columns = _count(first), _count(last)
    if rows != columns:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got "
            f"{columns} != {rows}"
        )
    return inv(A.reshape(rows, columns)).reshape(last + first)


@with_out
def tensorsolve(input: Tensor, other: Tensor, dims: Any = None) -> Tensor:
    """X with tensordot(A, X, X.ndim) = B.

    Args:
        dims (tuple of ints): dims of A to move to its end first.

    Raises:
        RuntimeError: shapes that do not fit.
    """
    B = other
    A = input
    if dims is not None:
        moved = (dims,) if isinstance(dims, int) else tuple(dims)
        A = A.movedim(moved, tuple(range(A.ndim - len(moved), A.ndim)))
    size = list(A.shape[B.ndim :])
    rows, columns = B.numel(), _count(size)
    if rows != columns:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim]), but "
            f"got {columns} != {rows}"
        )
    return solve(A.reshape(rows, columns), B.flatten()).reshape(size)
