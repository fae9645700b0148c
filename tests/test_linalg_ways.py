"""The three ways of linalg/_lapack.py, the extension, LAPACK through SciPy, and NumPy, give the same results: also signs,
pivots and strides."""

from __future__ import annotations

import numpy as np
import pytest

import rushlight
from rushlight import _C, linalg
from rushlight.linalg import _lapack

pytest.importorskip("scipy")
pytestmark = pytest.mark.filterwarnings("ignore")

DTYPES = {"f": rushlight.float32, "d": rushlight.float64, "F": rushlight.complex64, "D": rushlight.complex128}
SHAPES = [(4, 4), (5, 3), (3, 5), (1, 1), (2, 3, 4, 4), (3, 6, 2), (20, 20), (2, 30, 17), (2, 17, 30), (0, 3, 3), (2, 0, 3)]


def random(shape, letter, seed=0):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=shape) + (1j * rng.normal(size=shape) if letter in "FD" else 0)
    return rushlight.tensor(a.tolist(), dtype=DTYPES[letter]).reshape(shape)


def square(a):
    """Square, well-conditioned."""
    m = a[..., :1] * a[..., :1].mH if not a.numel() else a @ a.mH
    return m + 3 * rushlight.eye(m.shape[-1], dtype=m.dtype)


def unsymmetric(a):
    return square(a).tril() + a.abs().sum(-1, keepdim=True) / 10


def wide_b(a, seed=1):
    return random((*a.shape[:-1], 3), {v: k for k, v in DTYPES.items()}[a.dtype], seed)


FUNCTIONS = {
    "lu": lambda a: linalg.lu_factor_ex(a),
    "cholesky": lambda a: linalg.cholesky_ex(square(a)),
    "cholesky, upper": lambda a: linalg.cholesky_ex(square(a), upper=True),
    "not positive-definite": lambda a: linalg.cholesky_ex(square(a) - 4 * rushlight.eye(a.shape[-2], dtype=a.dtype)),
    "cholesky_inverse": lambda a: rushlight.cholesky_inverse(square(a).tril()),
    "cholesky_inverse, upper": lambda a: rushlight.cholesky_inverse(square(a).mT.triu(), True),
    "triangular": lambda a: linalg.solve_triangular(square(a), wide_b(a), upper=False),
    "triangular, columns": lambda a: linalg.solve_triangular(square(a).mT.contiguous().mT, wide_b(a), upper=True),
    "triangular, unit": lambda a: linalg.solve_triangular(square(a) / 100, wide_b(a), upper=True, unitriangular=True),
    "triangular, right": lambda a: linalg.solve_triangular(square(a), wide_b(a).mT, upper=True, left=False),
    "solve": lambda a: linalg.solve_ex(unsymmetric(a), wide_b(a)),
    "inverse": lambda a: linalg.inv_ex(unsymmetric(a)),
    "singular": lambda a: linalg.inv_ex(a[..., :1] @ a[..., :1].mH * 0 + 1),
    "det": lambda a: linalg.det(unsymmetric(a)),
    "slogdet": lambda a: linalg.slogdet(unsymmetric(a)),
    "geqrf": lambda a: rushlight.geqrf(a),
    "qr": lambda a: linalg.qr(a),
    "qr, complete": lambda a: linalg.qr(a, "complete"),
    "qr, r": lambda a: linalg.qr(a, "r"),
    "eigh": lambda a: projectors(linalg.eigh(square(a))),
    "eigh, upper": lambda a: projectors(linalg.eigh(square(a).triu(), "U")),
    "eigvalsh": lambda a: linalg.eigvalsh(square(a)),
    "lobpcg": lambda a: few(a),
    "svd": lambda a: product(linalg.svd(a, full_matrices=False)),
    "svd, full": lambda a: product(linalg.svd(a)),
    "svdvals": lambda a: linalg.svdvals(a),
    "pinv": lambda a: linalg.pinv(a),
    **{f"lstsq, {driver}": lambda a, driver=driver: linalg.lstsq(a, wide_b(a), driver=driver).solution
       for driver in ("gels", "gelsy", "gelsd", "gelss")},
}  # fmt: skip


def few(a):
    """Three of the eigenvalues, what their vectors leave over, and whether these are orthonormal."""
    m = square(a)
    k = min(3, m.shape[-1] // 4)
    both = []
    if k and not m.is_complex():
        for largest in (True, False):
            values, v = rushlight.lobpcg(m, k, largest=largest)
            both += [values, m @ v - v * values.unsqueeze(-2) + 1, v.mT @ v]
    return tuple(both)


def projectors(result):
    """Eigenvalues, and the matrix again: eigenvectors have any sign."""
    values, v = result
    assert v.shape[-1] < 2 or not v.numel() or v.stride(-2) == 1
    return values, (v * values.unsqueeze(-2).to(v.dtype)) @ v.mH


def product(result):
    u, s, vh = result
    k = s.shape[-1]
    return s, (u[..., :k] * s.unsqueeze(-2).to(u.dtype)) @ vh[..., :k, :], u.mH @ u, vh @ vh.mH


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("letter", DTYPES)
def test_all_ways_agree(name, letter, monkeypatch):
    def results():
        found = []
        for shape in SHAPES:
            r = FUNCTIONS[name](random(shape, letter))
            found.append(r if isinstance(r, tuple) else (r,))
        return found

    ways = [results()]
    for small in ("_small_lu", "_small_pivots", "_small_cholesky", "_small_triangular", "_small_solve", "_small_qr"):
        monkeypatch.setattr(_C, small, lambda *_: None)
    ways.append(results())
    monkeypatch.setattr(_lapack, "_routine", lambda *_: None)
    ways.append(results())
    tolerance = 1e-3 if letter in "fF" else 1e-9
    for way in ways[1:]:
        for shape, a, b in zip(SHAPES, way, ways[0], strict=True):
            for x, y in zip(a, b, strict=True):
                assert x.dtype == y.dtype and x.shape == y.shape, (name, shape)
                if not (name.startswith(("lstsq", "lobpcg")) or x.ndim < 2 or not x.numel()):
                    assert x.stride() == y.stride(), (name, shape)
                np.testing.assert_allclose(
                    x.numpy(), y.numpy(), rtol=tolerance, atol=tolerance * (1 + np.nanmax(np.abs(y.numpy()), initial=0)),
                    err_msg=f"{name} {shape}",
                )  # fmt: skip


def test_what_does_not_fit_a_routine_is_refused():
    getrf = _lapack._routine("getrf", rushlight.float32)
    a, pivots = rushlight.eye(3), rushlight.zeros(3, dtype=rushlight.int32)
    assert _C._lapack(getrf, 1, 3, 3, a, 3, pivots).tolist() == [0]
    for arguments in (
        (getrf, 1, 3, 3, a.double(), 3, pivots),
        (getrf, 1, 3, 3, rushlight.zeros(3, 6)[:, ::2], 3, pivots),
        (getrf, 2, 3, 3, a, 3, pivots),
        (getrf, 1, 3, 3, 3, a, pivots),
        (getrf, 1, 3, 3, a),
        (getrf, 1, 3, 3, a, 3, pivots, 0, 0),
        (getrf, 1, 3, "N", a, 3, pivots),
        (getrf, 1, 2**40, 3, a, 3, pivots),
        (getrf, 0, 3, 3, a, 3, pivots),
        ("getrf", 1),
        (getrf,),
    ):
        with pytest.raises((TypeError, OverflowError)):
            _C._lapack(*arguments)
