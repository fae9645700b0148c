"""torch.linalg. Where a factorization is unique only up to signs, the case is a composition that is unique."""

from samples import T, case, error

INF = float("inf")


def call(name, *args, fn=None, **kwargs):
    """linalg.name(*args), or a composition fn(linalg, ...)."""
    function = (lambda ns, *a, **k: fn(ns.linalg, *a, **k)) if fn else (lambda ns, *a, **k: getattr(ns.linalg, name)(*a, **k))
    case(f"linalg.{name}", *args, fn=function, **kwargs)


def wrong(name, *args, **kwargs):
    """linalg.name(*args) raises."""
    error(f"linalg.{name}", *args, fn=lambda ns, *a, **k: getattr(ns.linalg, name)(*a, **k), **kwargs)


def D(*shape, **kwargs):
    """float64: what is inverted loses digits."""
    return T(*shape, dtype="float64", **kwargs)


def spd(a):
    """A symmetric positive-definite matrix made of A."""
    return a @ a.transpose(-1, -2) + 0.5 * (a * 0 + 1) * (a.detach() * 0).diagonal(0, -2, -1).add(1).diag_embed()


SINGULAR = T(values=((1.0, 2.0), (2.0, 4.0)))
WELL = T(values=((4.0, 1.0, -0.5), (0.5, 3.0, 1.0), (-1.0, 0.25, 2.0)))

# ---- norms ----
for p in (2, 1, 0, 3, INF, -INF, -1, 0.5):
    call("vector_norm", T(3, 4), p, gradgrad=p not in (0, 0.5), ulp=8)
    call("vector_norm", T(3, 4), p, 1, gradgrad=p not in (0, 0.5), ulp=8)
call("vector_norm", T(2, 3, 4), dim=(0, 2), keepdim=True)
call("vector_norm", T(2, 3, 4), dim=())
call("vector_norm", T(0))
call("vector_norm", T(0, 3), 1, 0)
call("vector_norm", T())
call("vector_norm", T(3), dtype="torch.float64", node=False)
call("vector_norm", T(4, dtype="float16"), gradgrad=False)
wrong("vector_norm", T(0), INF)
wrong("vector_norm", T(0, 3), -1, 0)
wrong("vector_norm", T(3, dtype="int64"))
wrong("vector_norm", T(3), "fro")
wrong("vector_norm", T(3), dtype="torch.int64")
wrong("vector_norm", T(3), 2, 3)
for p in ("fro", "nuc", INF, -INF, 1, -1, 2, -2):
    call("matrix_norm", T(3, 4), p, node=False, ulp=16)
    call("matrix_norm", T(2, 3, 4), p, (0, 2), True, node=False, ulp=16)
    call("norm", T(3, 3), p, node=False, ulp=16)
wrong("matrix_norm", T(3))
wrong("matrix_norm", T(3, 3), 3)
wrong("matrix_norm", T(3, 3), "foo")
wrong("matrix_norm", T(3, 3), dim=(0, 0))
wrong("matrix_norm", T(3, 3), dim=0)
wrong("matrix_norm", T(3, 3, dtype="int64"))
call("norm", T(2, 3, 4))
call("norm", T(4), 3)
call("norm", T(4), INF)
call("norm", T(3, 4), dim=1)
call("norm", T(3, 4), 1, 0, True)
call("norm", T(2, 3, 4), dim=(0, 1))
call("norm", T(2, 3, 4), "nuc", (0, 1), node=False, ulp=16)
wrong("norm", T(2, 2, 2), "fro")
wrong("norm", T(2, 2, 2), 1, (0, 1, 2))
wrong("norm", T(2, 2), 2, (0, 0))
wrong("norm", T(4), "fro")
for p in (None, 2, -2, "fro", "nuc", 1, -1, INF, -INF):
    # PyTorch overwrites the inverse that it needs for the gradient of the others.
    call("cond", D(2, 3, 3), p, node=False, ulp=100, grad=p in (None, 2, -2, "nuc"))
call("cond", D(4, 3), node=False, ulp=50)
call("cond", SINGULAR, 1, grad=False)
wrong("cond", T(2, 3), 1)
wrong("cond", T(3))
wrong("cond", T(3, 3), 5)
call("matrix_rank", SINGULAR)
call("matrix_rank", T(2, 3, 4))
call("matrix_rank", WELL, 2.5)
call("matrix_rank", WELL, atol=1.0, rtol=0.6)
call("matrix_rank", SINGULAR, hermitian=True)
call("matrix_rank", T(0, 3))
wrong("matrix_rank", T(3))

# ---- determinants and inverses ----
for shape in ((3, 3), (2, 3, 3), (1, 1), (0, 0), (3, 0, 0)):
    call("det", D(*shape), ulp=50)
    call("slogdet", D(*shape), ulp=50)
    call("inv", D(*shape), ulp=200)
call("det", WELL, ulp=8)
call("det", T(3, 3, layout="t", dtype="float64"), ulp=50)
call("det", SINGULAR, grad=False)  # PyTorch's gradient is 0 where that of a determinant is the cofactors
call("slogdet", WELL, ulp=8)
call("slogdet", SINGULAR, grad=False)
call("inv", WELL, ulp=8)
call("inv_ex", WELL, ulp=8)
call("inv_ex", D(2, 3, 3, layout="t"), ulp=200)
call("inv_ex", SINGULAR, grad=False, fn=lambda la, a: la.inv_ex(a).info)
call("pinv", D(4, 3), ulp=100)
call("pinv", D(3, 4), ulp=100)
call("pinv", D(2, 3, 3), ulp=500)
call("pinv", SINGULAR, ulp=16, gradgrad=False)
call("pinv", D(3, 3), ulp=100, fn=lambda la, a: la.pinv(a + a.mT, hermitian=True), node=False)
call("pinv", WELL, atol=2.5, ulp=16, gradgrad=False)
call("pinv", WELL, rtol=0.6, ulp=16, gradgrad=False)
call("pinv", T(0, 3))
for name in ("det", "slogdet", "inv", "inv_ex", "pinv"):
    wrong(name, T(3))
    wrong(name, T(3, 3, dtype="int64"))
    wrong(name, T(3, 3, dtype="float16"))
for name in ("det", "slogdet", "inv", "cholesky", "eigh", "eigvalsh", "matrix_exp"):
    wrong(name, T(2, 3))
wrong("inv", SINGULAR)
wrong("inv", T(values=(((1.0, 0.0), (0.0, 1.0)), ((1.0, 2.0), (2.0, 4.0)))))
wrong("inv_ex", SINGULAR, check_errors=True)
call("tensorinv", D(2, 3, 6), ulp=500, node=False)
call("tensorinv", D(4, 2, 2), 1, ulp=500, node=False)
wrong("tensorinv", T(2, 3, 4))
wrong("tensorinv", T(4, 4), 0)

# ---- systems of equations ----
call("solve", WELL, T(3, 2), ulp=16)
call("solve", D(2, 3, 3), D(2, 3, 2), ulp=200)
call("solve", D(2, 3, 3), D(3), ulp=200, strides=False)
call("solve", D(2, 3, 3), D(2, 3), ulp=200, strides=False)
call("solve", D(3, 3), D(3), ulp=200)
call("solve", D(3, 3), D(4, 3, 2), ulp=200)
call("solve", D(2, 1, 3, 3), D(4, 3, 2), ulp=500)
call("solve", D(3, 3), D(2, 3), left=False, ulp=200, node=False)
call("solve", D(0, 0), D(0, 2))
call("solve_ex", WELL, T(3, 2), ulp=16)
call("solve_ex", SINGULAR, T(2, 1), grad=False, fn=lambda la, a, b: la.solve_ex(a, b).info)
wrong("solve", SINGULAR, T(2))
wrong("solve", T(3, 3), T(2))
wrong("solve", T(3, 3), T(2, 3))
wrong("solve", T(3, 3), D(3))
wrong("solve", T(2, 3), T(3))
wrong("solve", T(3, 3), T())
wrong("solve_ex", SINGULAR, T(2), check_errors=True)
for upper in (True, False):
    call("solve_triangular", WELL, T(3, 2), upper=upper, ulp=8)
    call("solve_triangular", WELL, T(2, 3), upper=upper, left=False, ulp=8, node=False, strides=False)
    call("solve_triangular", WELL, T(3, 2), upper=upper, unitriangular=True, ulp=8)
    call("solve_triangular", D(2, 3, 3, low=1), D(4, 1, 3, 2), upper=upper, ulp=100)
call("solve_triangular", SINGULAR, T(0, 2, 1), upper=True)
wrong("solve_triangular", T(3, 3), T(3), upper=True)
wrong("solve_triangular", T(3, 3), T(2, 1), upper=True)
wrong("solve_triangular", T(3, 3), T(3, 1))
for kwargs in ({}, {"left": False}, {"adjoint": True}, {"left": False, "adjoint": True}):
    call("lu_solve", WELL, T(3, 3), ulp=32, node=False, strides=False, fn=lambda la, a, b, **k: la.lu_solve(*la.lu_factor(a), b, **k), **kwargs)
call("lu_solve", D(2, 3, 3), D(2, 3, 2), ulp=200, node=False, strides=False, fn=lambda la, a, b: la.lu_solve(*la.lu_factor(a), b))
wrong("lu_solve", T(3, 3), T(3, dtype="int32", low=1, high=2), T(2, 1))
for driver in (None, "gels", "gelsd", "gelss"):
    call("lstsq", D(5, 3), D(5, 2), driver=driver, ulp=200, node=False, strides=False)
    call("lstsq", D(2, 3, 5), D(2, 3, 2), driver=driver, ulp=200, node=False, strides=False)
call("lstsq", D(5, 3), D(5), ulp=200, node=False, strides=False)
call("lstsq", SINGULAR, T(2, 1), ulp=64, gradgrad=False, strides=False, fn=lambda la, a, b: la.lstsq(a, b).solution)
wrong("lstsq", T(3, 2), T(2, 1))
wrong("lstsq", T(3, 2), T(3, 1), driver="x")
wrong("lstsq", T(3), T(3))
call("tensorsolve", D(2, 3, 6), D(2, 3), ulp=500, node=False)
call("tensorsolve", D(2, 6, 3), D(2, 3), dims=(1,), ulp=500, node=False)
wrong("tensorsolve", T(2, 3, 6), T(2, 2))

# ---- factorizations ----
for upper in (False, True):
    call("cholesky", D(3, 3), ulp=50, upper=upper, fn=lambda la, a, upper: la.cholesky(spd(a), upper=upper))
    call("cholesky", D(2, 4, 4), ulp=50, upper=upper, fn=lambda la, a, upper: la.cholesky(spd(a), upper=upper))
# Only the lower triangle is read; the derivative is that with respect to symmetric matrices.
call("cholesky", T(values=((4.0, 1.0), (1.0, 3.0))), gradgrad=False)
call("cholesky", T(values=((4.0, 9.0), (1.0, 3.0))), gradgrad=False)
call("cholesky", T(0, 0))
call("cholesky_ex", T(values=((4.0, 1.0), (1.0, 3.0))), gradgrad=False)
call("cholesky_ex", T(values=((4.0, 1.0), (1.0, -3.0))), grad=False, fn=lambda la, a: la.cholesky_ex(a).info)
wrong("cholesky", T(values=((4.0, 1.0), (1.0, -3.0))))
wrong("cholesky", T(values=(((1.0, 0.0), (0.0, 1.0)), ((1.0, 2.0), (2.0, 1.0)))))
wrong("cholesky", T(3))
wrong("cholesky_ex", T(values=((4.0, 1.0), (1.0, -3.0))), check_errors=True)
for shape in ((3, 3), (4, 3), (2, 3, 4), (0, 3), (3, 0)):
    call("qr", D(*shape), ulp=100)
call("qr", D(3, 4), "complete", ulp=100)
call("qr", D(4, 3), "complete", ulp=100, gradgrad=False)
call("qr", D(4, 3), "r", ulp=100, gradgrad=False)
call("qr", T(4, 3), ulp=16)
wrong("qr", T(3))
wrong("qr", T(3, 3), "a")
wrong("qr", T(3, 3, dtype="int64"))
for shape in ((3, 3), (4, 3), (2, 3, 4), (0, 3)):
    call("lu", D(*shape), ulp=100)
    call("lu_factor", D(*shape), ulp=100, strides=0 not in shape)
    call("lu_factor_ex", D(*shape), ulp=100, strides=0 not in shape)
call("lu", SINGULAR, grad=False)
call("lu_factor_ex", SINGULAR, grad=False)
wrong("lu", T(3))
wrong("lu_factor", SINGULAR)
wrong("lu_factor", T(3, 3), pivot=False)
wrong("lu_factor_ex", SINGULAR, check_errors=True)


def symmetric(a):
    return a + a.mT


call("eigh", D(3, 3), ulp=100, node=False, fn=lambda la, a: (la.eigh(symmetric(a)).eigenvalues, la.eigh(symmetric(a)).eigenvectors.abs()))
call("eigh", D(2, 4, 4), ulp=100, node=False, fn=lambda la, a: la.eigh(symmetric(a), "U").eigenvectors.square())
call("eigh", D(3, 3), ulp=100, fn=lambda la, a: la.eigh(symmetric(a)).eigenvalues)
call("eigvalsh", D(2, 3, 3), ulp=50, fn=lambda la, a: la.eigvalsh(symmetric(a)))
call("eigvalsh", D(3, 3), "U", ulp=50, gradgrad=False)
call("eigvalsh", T(0, 0))
wrong("eigh", T(3))
wrong("eigh", T(3, 3), "A")
wrong("eigh", T(3, 3, dtype="int64"))
for shape in ((3, 3), (4, 3), (2, 3, 4)):
    call("svd", D(*shape), ulp=500, node=False, fn=lambda la, a: tuple(t.abs() for t in la.svd(a, full_matrices=False)))
    call("svd", D(*shape), ulp=500, node=False, fn=lambda la, a: (lambda u, s, vh: u[..., :3] @ vh[..., :3, :])(*la.svd(a)), strides=False)
    call("svdvals", D(*shape), ulp=50)
call("svd", T(0, 3))
call("svd", T(3, 0))
wrong("svd", T(3))
wrong("svd", T(3, 3, dtype="int64"))
wrong("svd", T(2, 2), driver="gesvd")
wrong("svdvals", T(3))

# ---- products ----
call("multi_dot", [T(2, 3), T(3, 4), T(4, 2), T(2, 5)], node=False, ulp=16)
call("multi_dot", [T(3), T(3, 4), T(4)], node=False, ulp=8)
call("multi_dot", [T(3), T(3, 4)], node=False)
call("multi_dot", [T(2, 3), T(3)], node=False)
wrong("multi_dot", [T(2, 3)])
wrong("multi_dot", [T(2, 3), T(2, 3)])
wrong("multi_dot", [T(2, 3, 3), T(3, 3)])
wrong("multi_dot", [T(2, 3), D(3, 3)])
for n in (0, 1, 2, 3, 5, -1, -3):
    call("matrix_power", D(2, 3, 3), n, ulp=2000, node=False, gradgrad=n != 0, grad=n != 0)
call("matrix_power", T(3, 3, dtype="int64"), 3)
wrong("matrix_power", SINGULAR, -1)
wrong("matrix_power", T(2, 3), 2)
call("matrix_exp", D(3, 3), ulp=50)
call("matrix_exp", D(2, 3, 3, low=-9, high=9), ulp=500)
call("matrix_exp", T(2, 2), ulp=16)
call("matrix_exp", T(0, 0))
wrong("matrix_exp", T(3))
call("vecdot", T(2, 3), T(3))
call("vecdot", T(2, 3), T(2, 3), dim=0)
wrong("vecdot", T(2, 3), T(4))
call("diagonal", T(2, 3, 4))
call("diagonal", T(2, 3, 4), offset=1, dim1=0, dim2=2)
call("vander", T(3), node=False)
call("vander", T(2, 3), N=5, node=False)
call("vander", T(3, dtype="int64"))
wrong("vander", T())
wrong("vander", T(3), N=1)
wrong("vander", T(3), 3)
call("householder_product", D(4, 3), D(3), node=False, strides=False, ulp=50)
call("householder_product", D(2, 3, 3), D(2, 2), node=False, strides=False, ulp=50)
wrong("householder_product", T(2, 3), T(2))
wrong("householder_product", T(3, 2), T(3))
wrong("householder_product", T(3), T(3))
wrong("householder_product", T(3, 3), D(3))
