"""torch.linalg beyond the cases of tests/cases/linalg.py: what is exact, what fails, and what is installed."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest

import rushlight
from rushlight import linalg
from rushlight.autograd import gradcheck, gradgradcheck


def matrices(*shape, seed=0):
    """Normal numbers, float64."""
    return rushlight.from_numpy(np.random.default_rng(seed).normal(size=shape))


def near(a, b, tolerance=1e-10):
    """Whether all elements agree."""
    return bool(((a - b).abs() <= tolerance * (1 + b.abs())).all())


# ---- factors multiply to the matrix -------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 1), (4, 4), (5, 3), (3, 5), (2, 3, 4, 4), (2, 6, 2)])
def test_factors_multiply_to_the_matrix(shape):
    a = matrices(*shape)
    q, r = linalg.qr(a)
    assert near(q @ r, a) and near(q.mT @ q, rushlight.eye(q.shape[-1], dtype=a.dtype))
    u, s, vh = linalg.svd(a, full_matrices=False)
    assert near((u * s.unsqueeze(-2)) @ vh, a)
    p, lower, upper = linalg.lu(a)
    assert near(p @ lower @ upper, a)
    assert near(linalg.householder_product(*rushlight.geqrf(a)) if shape[-2] >= shape[-1] else q, q)
    assert near(a @ linalg.pinv(a) @ a, a)
    if shape[-1] == shape[-2]:
        spd = a @ a.mT + rushlight.eye(shape[-1], dtype=a.dtype)
        factor = linalg.cholesky(spd)
        assert near(factor @ factor.mT, spd) and near(factor.tril(), factor)
        values, vectors = linalg.eigh(spd)
        assert near((vectors * values.unsqueeze(-2)) @ vectors.mT, spd)
        assert near(linalg.inv(a) @ a, rushlight.eye(shape[-1], dtype=a.dtype), 1e-9)
        assert near(linalg.det(a), lower.diagonal(0, -2, -1).prod(-1) * upper.diagonal(0, -2, -1).prod(-1) * linalg.det(p))


def test_matrix_exponential_of_rotations_nilpotents_and_large_matrices():
    angle = 30.0
    a = rushlight.tensor([[0.0, -angle], [angle, 0.0]], dtype=rushlight.float64)
    c, s = np.cos(angle), np.sin(angle)
    assert near(linalg.matrix_exp(a), rushlight.tensor([[c, -s], [s, c]], dtype=rushlight.float64), 1e-12)
    n = rushlight.tensor([[0.0, 1.0, 2.0], [0.0, 0.0, 3.0], [0.0, 0.0, 0.0]])
    assert near(linalg.matrix_exp(n), rushlight.eye(3) + n + n @ n / 2, 1e-6)
    stack = rushlight.stack([a, a / 1000, a * 0])
    one_by_one = rushlight.stack([linalg.matrix_exp(m) for m in stack])
    assert near(linalg.matrix_exp(stack), one_by_one, 1e-12)


# ---- derivatives where formulas are delicate ----------------------------------------------------------


@pytest.mark.parametrize("rank", [2, 1])
def test_gradient_of_the_determinant_of_a_singular_matrix_is_the_cofactors(rank):
    basis = matrices(3, rank)
    a = (basis @ matrices(rank, 3, seed=1)).requires_grad_()
    (grad,) = rushlight.autograd.grad(linalg.det(a), a)
    m = a.detach().numpy()
    cofactors = [
        [(-1) ** (i + j) * np.linalg.det(np.delete(np.delete(m, i, 0), j, 1)) for j in range(3)] for i in range(3)
    ]
    np.testing.assert_allclose(grad.numpy(), cofactors, atol=1e-10)
    if rank == 2:
        assert gradgradcheck(linalg.det, [a])


def test_gradient_through_eigenvectors_of_the_other_triangle():
    a = matrices(3, 3).requires_grad_()

    def f(x):
        return linalg.eigh(x + x.mT, "U").eigenvectors.square()

    assert gradcheck(f, [a])
    assert gradgradcheck(f, [a])


def test_gradients_reach_what_was_broadcast():
    a = matrices(3, 3).requires_grad_()
    b = matrices(4, 3, 2).requires_grad_()
    assert gradcheck(linalg.solve, [a, b])
    assert gradcheck(lambda x, y: linalg.solve_triangular(x, y, upper=True), [a, b])
    linalg.solve(a, b).sum().backward()
    assert a.grad.shape == (3, 3) and b.grad.shape == (4, 3, 2)


def test_qr_without_q_and_complete_have_no_gradient():
    a = matrices(4, 3).requires_grad_()
    with pytest.raises(RuntimeError, match="mode='r'"):
        linalg.qr(a, "r").R.sum().backward()
    with pytest.raises(RuntimeError, match="mode='complete'"):
        linalg.qr(a, "complete").R.sum().backward()


def test_names_of_nodes():
    a = matrices(3, 3).requires_grad_()
    assert linalg.det(a).grad_fn.name() == "LinalgDetBackward0"
    assert "grad_fn=<LinalgInvExBackward0>" in repr(linalg.inv(a))


# ---- errors -------------------------------------------------------------------------------------------


def test_singular_matrices_are_named():
    singular = rushlight.zeros(3, 2, 2)
    singular[0] = singular[2] = rushlight.eye(2)
    message = (
        r"^linalg.inv: \(Batch element 1\): The diagonal element 1 is zero, the inversion could not be completed because "
        r"the input matrix is singular.$"
    )
    with pytest.raises(linalg.LinAlgError, match=message):
        linalg.inv(singular)
    with pytest.raises(RuntimeError, match="torch.linalg.solve: The solver failed because the input matrix is singular."):
        linalg.solve(rushlight.ones(2, 2), rushlight.ones(2))
    inverse, info = linalg.inv_ex(singular)
    assert info.tolist() == [0, 1, 0]
    assert near(inverse[0], rushlight.eye(2)) and inverse[1].isnan().all()
    with pytest.raises(linalg.LinAlgError, match="leading minor of order 2 is not positive-definite"):
        linalg.cholesky(rushlight.tensor([[1.0, 2.0], [2.0, 1.0]]))
    with pytest.raises(RuntimeError, match=r"U\[2,2\] is zero"):
        linalg.lu_factor(rushlight.ones(2, 2))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_no_convergence(bad):
    with pytest.raises(linalg.LinAlgError, match="the input matrix contained non-finite values"):
        linalg.svd(rushlight.tensor([[bad, 1.0], [1.0, 2.0]]))


def test_neither_numpy_nor_scipy():
    program = """
import sys
sys.modules["numpy"] = sys.modules["scipy"] = None
import rushlight as torch
assert torch.linalg.vector_norm(torch.tensor([3.0, 4.0])).item() == 5.0
assert torch.linalg.inv(torch.eye(2)).tolist() == [[1.0, 0.0], [0.0, 1.0]]
assert torch.linalg.matrix_power(torch.eye(2), 3).tolist() == [[1.0, 0.0], [0.0, 1.0]]
try:
    torch.linalg.inv(torch.eye(20))
except ImportError as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "neither is installed" in run.stdout, run.stderr


def test_importing_rushlight_leaves_linalg_and_numpy_alone():
    program = "import sys, rushlight; print([m for m in sys.modules if 'linalg' in m or m in ('numpy', 'scipy')])"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


# ---- results ------------------------------------------------------------------------------------------


def test_out():
    a = matrices(3, 3)
    out = rushlight.empty(0, dtype=rushlight.float64)
    assert linalg.inv(a, out=out) is out and near(out, linalg.inv(a))
    q, r = rushlight.empty(3, 3, dtype=a.dtype), rushlight.empty(3, 3, dtype=a.dtype)
    result = linalg.qr(a, out=(q, r))
    assert result.Q is q and near(q @ r, a)
    with pytest.raises(RuntimeError, match="can't be cast"):
        linalg.det(a, out=rushlight.empty((), dtype=rushlight.int64))
    with pytest.raises(RuntimeError, match="don't support automatic differentiation"):
        linalg.det(a.requires_grad_(), out=rushlight.empty((), dtype=a.dtype))


def test_named_tuples():
    result = linalg.qr(rushlight.eye(2))
    assert repr(result).startswith("torch.return_types.linalg_qr(\nQ=tensor(")
    q, r = result
    assert result.Q is q and result[1] is r
    copy = pickle.loads(pickle.dumps(result))
    assert type(copy) is type(result) and copy.R.tolist() == r.tolist()


def test_results_are_column_major_as_lapack_leaves_them():
    assert linalg.inv(matrices(2, 3, 3)).stride() == (9, 1, 3)
    assert linalg.solve(matrices(3, 3), matrices(3, 2)).stride() == (1, 3)


def test_low_rank_approximation():
    a = matrices(30, 3) @ matrices(3, 20, seed=1)
    u, s, v = rushlight.svd_lowrank(a, q=5)
    assert u.shape == (30, 5) and v.shape == (20, 5)
    assert near((u * s) @ v.mT, a, 1e-9)
    u, s, v = rushlight.pca_lowrank(a.mT, q=3)
    assert near(v.mT @ v, rushlight.eye(3, dtype=a.dtype))


def test_the_order_of_a_chain_is_the_cheapest():
    from rushlight.linalg._products import _best_splits

    # Cormen et al., section 15.2: 15125 multiplications, ((A1 (A2 A3)) ((A4 A5) A6)).
    split = _best_splits([30, 35, 15, 5, 10, 20, 25])
    assert split[0][5] == 2 and split[0][2] == 0 and split[3][5] == 4


def test_subclasses_come_back_and_take_over():
    calls = []

    class Logged(rushlight.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            calls.append(func)
            return super().__torch_function__(func, types, args, kwargs)

    x = rushlight.eye(2).as_subclass(Logged)
    assert type(linalg.inv(x)) is Logged and calls[0] is linalg.inv
    assert type(linalg.multi_dot([x, x])) is Logged
    assert type(linalg.inv(rushlight.nn.Parameter(rushlight.eye(2)))) is rushlight.Tensor
