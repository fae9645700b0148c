"""Special functions in float64 against mpmath with 40 digits; the distances allowed are those of the functions' own text."""

from __future__ import annotations

import random

import pytest

import rushlight

mp = pytest.importorskip("mpmath", reason="mpmath is not installed")
special = rushlight.special


def span(low, high, n=60):
    rng = random.Random(f"{low}/{high}")
    return [rng.uniform(low, high) for _ in range(n)]


def powers(low, high, n=40):
    return [10.0**v for v in span(low, high, n)]


def erfcx(x):
    return mp.exp(x * x) * mp.erfc(x)


# name, function, reference, arguments, units in the last place (where the value is below `scale`, units of that)
CASES = [
    ("lgamma", rushlight.lgamma, lambda x: mp.re(mp.loggamma(x)), span(0.01, 3) + span(3, 30) + powers(1, 8), 4, 0),
    ("lgamma below 0", rushlight.lgamma, lambda x: mp.re(mp.loggamma(x)), span(-20, -0.01), 8, 1),
    ("digamma", rushlight.digamma, mp.digamma, span(0.01, 3) + span(3, 30) + span(-9, -0.01), 16, 1),
    ("trigamma", lambda x: rushlight.polygamma(1, x), lambda x: mp.polygamma(1, x), span(0.05, 30) + span(-8, -0.01), 4, 0),
    ("polygamma 3", lambda x: rushlight.polygamma(3, x), lambda x: mp.polygamma(3, x), span(0.05, 30), 16, 0),
    ("polygamma 7", lambda x: rushlight.polygamma(7, x), lambda x: mp.polygamma(7, x), span(0.05, 30), 16, 0),
    ("zeta", lambda x: special.zeta(x, 3.5), lambda x: mp.zeta(x, 3.5), span(1.01, 40), 16, 0),
    ("igamma", lambda x: rushlight.igamma(rushlight.full_like(x, 2.5), x), lambda x: mp.gammainc(2.5, 0, x, regularized=True), span(0.01, 30), 16, 0),
    ("igamma 150", lambda x: rushlight.igamma(rushlight.full_like(x, 150.0), x), lambda x: mp.gammainc(150, 0, x, regularized=True), span(90, 200), 128, 0),
    ("igammac", lambda x: rushlight.igammac(rushlight.full_like(x, 0.5), x), lambda x: mp.gammainc(0.5, x, mp.inf, regularized=True), span(0.01, 30), 64, 0),
    ("erfinv", rushlight.erfinv, mp.erfinv, span(-1, 1) + [1 - p for p in powers(-15, -1)] + powers(-10, -1), 8, 0),
    ("erfcx", special.erfcx, erfcx, span(-5, 30) + powers(1.4, 6), 8, 0),
    ("ndtri", special.ndtri, lambda p: mp.sqrt(2) * mp.erfinv(2 * p - 1), span(0, 1) + powers(-12, -1), 8, 0),
    ("log_ndtr", special.log_ndtr, lambda x: mp.log(mp.ncdf(x)), span(-30, 3), 8, 0),
    ("i0", rushlight.i0, lambda x: mp.besseli(0, x), span(-8, 8) + span(8, 600), 8, 0),
    ("i1", special.i1, lambda x: mp.besseli(1, x), span(-8, 8) + span(8, 600), 24, 0),
    ("j0", special.bessel_j0, lambda x: mp.besselj(0, x), span(-8, 8) + span(8, 500), 4, 0.25),
    ("j1", special.bessel_j1, lambda x: mp.besselj(1, x), span(-8, 8) + span(8, 500), 4, 0.25),
    ("y0", special.bessel_y0, lambda x: mp.bessely(0, x), span(0.01, 8) + span(8, 500), 8, 0.25),
    ("y1", special.bessel_y1, lambda x: mp.bessely(1, x), span(0.01, 8) + span(8, 500), 8, 0.25),
    ("k0", special.modified_bessel_k0, lambda x: mp.besselk(0, x), span(0.01, 2) + span(2, 600), 16, 0),
    ("k1", special.modified_bessel_k1, lambda x: mp.besselk(1, x), span(0.01, 2) + span(2, 600), 16, 0),
    ("spherical_j0", special.spherical_bessel_j0, lambda x: mp.sin(x) / x, span(-30, 30), 2, 0),
    ("airy", special.airy_ai, mp.airyai, span(-20, 2), 64, 0.25),
    ("airy right", special.airy_ai, mp.airyai, span(1, 20), 128, 0),
    ("chebyshev", lambda x: special.chebyshev_polynomial_t(x, 20), lambda x: mp.chebyt(20, x), span(-1.5, 1.5), 64, 1),
    ("legendre", lambda x: special.legendre_polynomial_p(x, 12), lambda x: mp.legendre(12, x), span(-1, 1), 16, 1),
]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c[0])
def test_near_mpmath(case):
    """Each value within so many units in the last place of the true one."""
    _, function, reference, points, ulp, scale = case
    values = function(rushlight.tensor(points, dtype=rushlight.float64)).tolist()
    with mp.workdps(50):
        for x, value in zip(points, values, strict=True):
            true = reference(mp.mpf(x))
            unit = max(abs(float(true)), scale) * 2.0**-52
            assert abs(float(value - true)) <= ulp * unit, (x, value, float(true))


def test_huge_and_tiny_arguments():
    """Where a formula would overflow or lose everything."""
    wide = rushlight.tensor([1e-300, 1e300], dtype=rushlight.float64)
    assert rushlight.lgamma(wide).tolist() == pytest.approx([690.7755278982137, 6.897755278982137e302], rel=1e-12)
    assert special.bessel_j0(wide).abs().max().item() <= 1
    assert special.erfcx(wide).tolist() == pytest.approx([1.0, 5.641895835477563e-301], rel=1e-14)
    assert special.log_ndtr(rushlight.tensor(-1e5, dtype=rushlight.float64)).item() == pytest.approx(-5000000012.431870, rel=1e-14)
