"""Linear algebra, as torch.linalg: norms, systems of equations, inverses, factorizations.

Factorizations run in LAPACK, through NumPy or SciPy, whichever is there; one of them must be installed (pip install
rushlight[linalg]). All functions work on stacks of matrices (..., m, n) in float32, float64, complex64 and complex128,
and are differentiable as often as wanted.
"""

from rushlight._C import matmul
from rushlight.linalg._array import _LinAlgError
from rushlight.linalg._eig import eig, eigvals
from rushlight.linalg._factor import (
    cholesky,
    cholesky_ex,
    eigh,
    eigvalsh,
    lu,
    lu_factor,
    lu_factor_ex,
    qr,
    svd,
    svdvals,
)
from rushlight.linalg._ldl import ldl_factor, ldl_factor_ex, ldl_solve
from rushlight.linalg._norms import cond, matrix_norm, matrix_rank, norm, vector_norm
from rushlight.linalg._products import (
    cross,
    diagonal,
    householder_product,
    matrix_exp,
    matrix_power,
    multi_dot,
    tensorinv,
    tensorsolve,
    vander,
    vecdot,
)
from rushlight.linalg._solve import (
    det,
    inv,
    inv_ex,
    lstsq,
    lu_solve,
    pinv,
    slogdet,
    solve,
    solve_ex,
    solve_triangular,
)

__all__ = [
    "LinAlgError", "cholesky", "cholesky_ex", "cond", "cross", "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh",
    "householder_product", "inv", "inv_ex", "ldl_factor", "ldl_factor_ex", "ldl_solve", "lstsq", "lu", "lu_factor",
    "lu_factor_ex", "lu_solve", "matmul",
    "matrix_exp", "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv", "qr", "slogdet", "solve",
    "solve_ex", "solve_triangular", "svd", "svdvals", "tensorinv", "tensorsolve", "vander", "vecdot", "vector_norm",
]  # fmt: skip

LinAlgError = _LinAlgError
