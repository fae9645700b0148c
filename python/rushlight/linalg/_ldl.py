"""Bunch and Kaufman's factorization of symmetric matrices that need not be positive-definite."""

from __future__ import annotations

from typing import Any

from rushlight import return_types
from rushlight._C import Tensor
from rushlight.autograd import Function
from rushlight.linalg import _lapack
from rushlight.linalg._common import (
    broadcast_matrices,
    check_floating,
    check_info,
    check_lapack,
    check_square,
    node,
    title,
    with_out,
)


@node("NotImplemented")
class LdlFactor(Function):
    """A = L D L^T, L and D in one array."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, hermitian: bool) -> tuple[Tensor, Tensor, Tensor]:
        results = _lapack.ldl(a, hermitian)
        ctx.mark_non_differentiable(*results[1:])
        return results

    @staticmethod
    def backward(ctx: Any, *_: Any) -> Any:
        raise RuntimeError("derivative for aten::linalg_ldl_factor_ex is not implemented")


@with_out
def ldl_factor_ex(input: Tensor, *, hermitian: bool = False, check_errors: bool = False) -> tuple:
    """ldl_factor's results and info (...), int32: 0 or the number of the first block of D that is zero."""
    check_square("ldl_factor_ex", input)
    check_floating("ldl_factor_ex", input)
    check_lapack("ldl_factor_cpu", input)
    result = LdlFactor.apply(input, hermitian)
    if check_errors:
        _check_blocks("torch.linalg.ldl_factor_ex", result[2])
    return return_types.linalg_ldl_factor_ex(result)


def _check_blocks(name: str, info: Tensor) -> None:
    check_info(name, info, lambda i: f"The diagonal block {i} is zero: the matrix is singular.")


@with_out
def ldl_factor(input: Tensor, *, hermitian: bool = False) -> tuple:
    """A = L D L^T (hermitian: L D L^H) of symmetric matrices (..., n, n), with rows exchanged: L, unit lower triangular, and D, of blocks of
    size 1 and 2, in one array LD, and LAPACK's pivots (..., n), int32. Only the lower triangle is read.

    Not differentiable.

    Raises:
        LinAlgError: a block of D is zero.
    """
    factors, pivots, info = ldl_factor_ex(input, hermitian=hermitian)
    _check_blocks("torch.linalg.ldl_factor", info)
    return return_types.linalg_ldl_factor((factors, pivots))


@node("NotImplemented")
class LdlSolve(Function):
    """A^-1 B."""

    @staticmethod
    def forward(ctx: Any, factors: Tensor, pivots: Tensor, b: Tensor, hermitian: bool) -> Tensor:
        factors, b = broadcast_matrices(factors, b)
        return _lapack.ldl_solve(factors, pivots.expand(*factors.shape[:-1]), b, hermitian)

    @staticmethod
    def backward(ctx: Any, *_: Any) -> Any:
        raise RuntimeError("derivative for aten::linalg_ldl_solve is not implemented")


@with_out
def ldl_solve(LD: Tensor, pivots: Tensor, B: Tensor, *, hermitian: bool = False) -> Tensor:
    """X with A X = B (..., n, k), from ldl_factor's LD and pivots of A."""
    check_square("ldl_solve", LD)
    if B.ndim < 2:
        raise RuntimeError(
            f"torch.linalg.ldl_solve: Expected B to have at least 2 dimensions, but it has {B.ndim} dimensions instead"
        )
    if B.shape[-2] != LD.shape[-1]:
        raise RuntimeError(
            f"Incompatible matrix sizes for torch.linalg.ldl_solve: each A matrix is {LD.shape[-2]} by {LD.shape[-1]} but "
            f"each b matrix is {B.shape[-2]} by {B.shape[-1]}"
        )
    if LD.dtype != B.dtype:
        raise RuntimeError(
            f"Expected b and A to have the same dtype, but found b of type {title(B.dtype)} and A of type "
            f"{title(LD.dtype)} instead."
        )
    check_lapack("ldl_solve_cpu", B)
    return LdlSolve.apply(LD, pivots, B, hermitian)
