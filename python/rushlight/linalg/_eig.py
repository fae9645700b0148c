"""Eigenvalues of matrices that need not be symmetric."""

from __future__ import annotations

from typing import Any

import rushlight
from rushlight import _C, return_types
from rushlight._C import Tensor
from rushlight.autograd import Function
from rushlight.linalg import _array
from rushlight.linalg._common import (
    adjoint,
    check_floating,
    check_lapack,
    check_square,
    node,
    with_out,
)


@node("LinalgEigBackward0")
class Eig(Function):
    """A = V diag(L) V^-1.  gA = V^-H (diag(gL) + (V^H gV - V^H V diag(Re V^H gV)) / E) V^H, E_ij = conj(L_j - L_i) off the
    diagonal (Giles, 3.1; the second term keeps the columns of V at length 1, as Boeddeker et al., On the computation of
    complex-valued gradients, 2017, 4.77)."""

    @staticmethod
    def forward(ctx: Any, a: Tensor) -> tuple[Tensor, Tensor]:
        np = _array.numpy()
        m = _array.array(a)
        _check_finite(m)
        try:
            values, vectors = np.linalg.eig(m)
        except np.linalg.LinAlgError:
            raise _array.not_converged("eig", m) from None
        dtype = np.result_type(m.dtype, np.complex64)
        values, vectors = _array.tensor(values.astype(dtype)), _array.columns(vectors.astype(dtype))
        ctx.save_for_backward(values, vectors)
        ctx.real = not a.is_complex()
        ctx.set_materialize_grads(False)
        return values, vectors

    @staticmethod
    def backward(ctx: Any, gl: Any, gv: Any) -> Any:
        values, v = ctx.saved_tensors
        if gl is None and gv is None:
            return None
        vh = adjoint(v)
        inner = 0.0 if gl is None else _C.diag_embed(gl)
        if gv is not None:
            diagonal = _C.eye(values.shape[-1], dtype=_C.bool)
            gaps = (values.unsqueeze(-2) - values.unsqueeze(-1)).conj().masked_fill(diagonal, 1.0)
            p = vh @ gv
            along = p.diagonal(0, -2, -1).real
            p = p - vh @ (v * along.unsqueeze(-2))
            inner = inner + (p / gaps).masked_fill(diagonal, 0.0)
        ga = rushlight.linalg.solve(vh, inner @ vh)
        return ga.real if ctx.real else ga


def _check_finite(m: Any) -> None:
    if not _array.numpy().isfinite(m).all():
        raise RuntimeError("torch.linalg.eig: input tensor should not contain infs or NaNs.")


def _check_eig(a: Tensor) -> None:
    check_square("eig", a)
    check_floating("eig", a)
    check_lapack("linalg_eig_cpu", a)


@with_out
def eig(A: Tensor) -> tuple:
    """Eigenvalues (..., n) and eigenvectors (..., n, n), as columns of length 1, of square matrices (..., n, n): always
    complex, in no particular order.

    Raises:
        RuntimeError: nan or infinities in A.
    """
    _check_eig(A)
    return return_types.linalg_eig(Eig.apply(A))


@with_out
def eigvals(A: Tensor) -> Tensor:
    """Eigenvalues (..., n) of square matrices; see eig."""
    _check_eig(A)
    if A.requires_grad and rushlight.is_grad_enabled():
        return Eig.apply(A)[0]
    np = _array.numpy()
    m = _array.array(A)
    _check_finite(m)
    return _array.tensor(np.linalg.eigvals(m).astype(np.result_type(m.dtype, np.complex64)))
