"""torch.linalg of complex matrices, and eigenvalues of all. Vectors have any phase and eigenvalues any order: compositions
that do not depend on either."""

from samples import T, case, error


def Z(*shape, **kwargs):
    """complex128: what is inverted loses digits."""
    return T(*shape, dtype="complex128", **kwargs)


def D(*shape, **kwargs):
    return T(*shape, dtype="float64", **kwargs)


def call(name, *args, fn=None, **kwargs):
    """linalg.name(*args), or a composition fn(linalg, ...)."""
    function = (lambda ns, *a, **k: fn(ns.linalg, *a, **k)) if fn else (lambda ns, *a, **k: getattr(ns.linalg, name)(*a, **k))
    options = {"ulp": 4096, "strides": False, "node": False} | kwargs
    case(f"complex linalg.{name}", *args, fn=function, **options)


def wrong(name, *args, **kwargs):
    """linalg.name(*args) raises."""
    error(f"complex linalg.{name}", *args, fn=lambda ns, *a, **k: getattr(ns.linalg, name)(*a, **k), **kwargs)


def hermitian(a):
    return a @ a.mH + 0.5 * (a * 0 + 1).diagonal(0, -2, -1).diag_embed()


for x in (D(4, 4), D(2, 3, 3), Z(4, 4), Z(2, 3, 3)):
    call("eigvals", x, fn=lambda la, a: (lambda v: (v.sum(-1), (v * v).sum(-1), v.abs().square().sum(-1)))(la.eigvals(a)), ulp=2**16)
    call("eig", x, fn=lambda la, a: (lambda v, w: (w * v.exp().unsqueeze(-2)) @ la.inv(w))(*la.eig(a)), ulp=2**16)
    call("eig", x, fn=lambda la, a: (lambda v, w: (w.abs().square() * v.abs().unsqueeze(-2)).sum(-1))(*la.eig(a)), ulp=2**16)
call("eig", T(3, 3), fn=lambda la, a: (lambda v, w: (w * v.unsqueeze(-2)) @ la.inv(w))(*la.eig(a)), ulp=512)
call("eig", D(0, 0))
call("eigvals", T(2, 0, 0))
wrong("eig", T(3, 4))
wrong("eig", T(3, 3, dtype="int64"))
wrong("eig", T(values=((1.0, float("inf")), (0.0, 1.0))))
wrong("eigvals", T(3))

for x in (Z(3, 3), Z(2, 3, 3), T(3, 3, dtype="complex64")):
    ulp = 4096 if x.dtype == "complex128" else 512
    call("det", x, ulp=ulp)
    call("slogdet", x, ulp=ulp)
    call("inv", x, ulp=ulp)
    call("solve", x, T(3, 2, dtype=x.dtype), ulp=ulp)
    call("pinv", x, ulp=ulp)
    call("matrix_exp", x, ulp=ulp)
    call("cholesky", x, fn=lambda la, a: la.cholesky(hermitian(a)), ulp=ulp)
    call("cholesky", x, fn=lambda la, a: la.cholesky(hermitian(a), upper=True), ulp=ulp)
    call("eigh", x, fn=lambda la, a: (lambda v, w: ((w * (0.1 * v).exp().unsqueeze(-2)) @ w.mH, v))(*la.eigh(hermitian(a))), ulp=2**14,
         grad=x.dtype == "complex128")
    call("eigvalsh", x, fn=lambda la, a: la.eigvalsh(hermitian(a)), ulp=ulp)
    call("svdvals", x, ulp=ulp)
    call("svd", x, fn=lambda la, a: (lambda u, s, v: (u * s.square().unsqueeze(-2)) @ v)(*la.svd(a)), ulp=2**14)
    call("qr", x, fn=lambda la, a: (lambda q, r: (q.abs(), r.abs()))(*la.qr(a)), ulp=ulp)
    call("lu", x, ulp=ulp)
    call("lu_solve", x, T(3, 2, dtype=x.dtype), fn=lambda la, a, b: la.lu_solve(*la.lu_factor(a), b), ulp=ulp)
    call("lu_solve", x, T(3, 2, dtype=x.dtype), fn=lambda la, a, b: la.lu_solve(*la.lu_factor(a), b, adjoint=True), ulp=ulp)
    call("lu_solve", x, T(2, 3, dtype=x.dtype), fn=lambda la, a, b: la.lu_solve(*la.lu_factor(a), b, left=False), ulp=ulp)
    call("matrix_power", x, 3, ulp=ulp)
    call("multi_dot", x, fn=lambda la, a: la.multi_dot([a.flatten(0, -2), a.flatten(0, -2).mT, a.flatten(0, -2)]), ulp=ulp)
    for p in ("fro", "nuc", 1, -1, float("inf"), 2, -2):
        call("matrix_norm", x, p, ulp=ulp)
    call("norm", x, ulp=64)
    call("cond", x, ulp=ulp)
    call("matrix_rank", x, grad=False)
    call("vecdot", x, x, ulp=64)
call("solve", Z(3, 3), Z(3))
call("solve", Z(3, 3), Z(2, 3), left=False)
call("solve_triangular", Z(3, 3), Z(3, 2), upper=True)
call("solve_triangular", Z(3, 3), Z(2, 3), upper=False, left=False, unitriangular=True)
call("lstsq", Z(5, 3), Z(5, 2), fn=lambda la, a, b: la.lstsq(a, b)[0])
call("pinv", Z(4, 2))
call("pinv", Z(3, 3), fn=lambda la, a: la.pinv(hermitian(a), hermitian=True))
call("svd", Z(4, 2), fn=lambda la, a: (lambda u, s, v: (u * s.square().unsqueeze(-2)) @ v)(*la.svd(a, full_matrices=False)))
call("svd", Z(2, 4), fn=lambda la, a: (lambda u, s, v: (u.abs(), s, v.abs()))(*la.svd(a, full_matrices=False)), ulp=2**16)
call("qr", Z(4, 2), fn=lambda la, a: (lambda q, r: (q.abs(), r.abs()))(*la.qr(a)))
call("qr", Z(2, 4), fn=lambda la, a: (lambda q, r: (q.abs(), r.abs()))(*la.qr(a)))
call("det", T(values=((1 + 1j, 2j), (1 + 1j, 2j)), dtype="complex128"), grad=False)
