"""Prints the polynomial coefficients of csrc/kernels/isa/math_*.h; needs mpmath.

Each is a truncated Chebyshev series of a smooth function on its interval, hence within a small factor of the best
polynomial of that degree; the last column is the greatest error on the interval, relative to what the polynomial adds to.
"""

from mpmath import (
    asin,
    atan,
    chebyfit,
    cos,
    erf,
    erfc,
    exp,
    log,
    log1p,
    mp,
    mpf,
    pi,
    sin,
    sqrt,
    tanh,
)

mp.dps = 60


def by_square(f, first):
    """g(z) with f(x) = x * (first + z g(z)), z = x^2: limits at 0 by evaluating next to it."""

    def g(z):
        z = max(z, mpf(10) ** -24)
        x = sqrt(z)
        return (f(x) / x - first) / z

    return g


def quotient(f, k, series):
    """(f(x) - series(x)) / x^k, next to 0 evaluated off it."""

    def g(x):
        if abs(x) < mpf(10) ** -25:
            x = mpf(10) ** -25
        return (f(x) - series(x)) / x**k

    return g


def log_s(z):
    """log((1+s)/(1-s)) = 2 s + s z g(z), z = s^2."""
    z = max(z, mpf(10) ** -24)
    s = sqrt(z)
    return (log((1 + s) / (1 - s)) / s - 2) / z


def log_s5(z):
    """... = 2 s + s z (2/3 + z g(z))."""
    z = max(z, mpf(10) ** -12)
    s = sqrt(z)
    return ((log((1 + s) / (1 - s)) / s - 2) / z - mpf(2) / 3) / z


ln2 = log(mpf(2))
S = (sqrt(mpf(2)) - 1) / (sqrt(mpf(2)) + 1)
q = pi / 4


def erfcx(x):
    return exp(x * x) * erfc(x)


def erfcx_t(t):
    """erfcx(x) (1 + 2 x) with t = (x - 4) / (x + 4)."""
    x = 4 * (1 + t) / (1 - t)
    return erfcx(x) * (1 + 2 * x)


TABLE = [
    # name, function of the polynomial's variable, interval, number of coefficients
    ("f64 exp: (e^r - 1 - r) / r^2", quotient(exp, 2, lambda r: 1 + r), [-ln2 / 2, ln2 / 2], 11),
    ("f64 log: g(s^2)", log_s, [0, S * S], 8),
    ("f64 pow: g(s^2)", log_s5, [0, S * S], 8),
    ("f64 sin: g(x^2)", by_square(sin, 1), [0, q * q], 7),
    ("f64 cos: 1 - z/2 + z^2 g(z)", lambda z: (cos(sqrt(max(z, mpf(10) ** -12))) - 1 + max(z, mpf(10) ** -12) / 2)
     / max(z, mpf(10) ** -12) ** 2, [0, q * q], 7),
    ("f64 atan: g(x^2)", by_square(atan, 1), [0, (sqrt(mpf(2)) - 1) ** 2], 12),
    ("f64 asin: g(x^2)", by_square(asin, 1), [0, mpf(1) / 4], 13),
    ("f64 erf: 2/sqrt(pi) + z g(z), x = 0..1", by_square(erf, 2 / sqrt(pi)), [0, 1], 13),
    ("f64 erfcx (1 + 2 x) at t = (x - 4) / (x + 4), x = 0.4..28", erfcx_t,
     [(mpf("0.4") - 4) / mpf("4.4"), mpf(24) / 32], 22),
    ("f32 exp: (e^r - 1 - r) / r^2", quotient(exp, 2, lambda r: 1 + r), [-ln2 / 2, ln2 / 2], 5),
    ("f32 log: (log(1 + f) - f + f^2/2) / f^3", quotient(log1p, 3, lambda f: f - f * f / 2),
     [sqrt(mpf(1) / 2) - 1, sqrt(mpf(2)) - 1], 9),
    ("f32 log1p in double: g(s^2)", log_s, [0, S * S], 4),
    ("f32 tanh: g(x^2), x = 0..0.625", by_square(tanh, 1), [0, mpf("0.625") ** 2], 5),
    ("f32 erf: 2/sqrt(pi) - 1 + z g(z), x = 0..0.9", by_square(erf, 2 / sqrt(pi)), [0, mpf("0.93") ** 2], 6),
    ("f32 erf: log(erfc(x)), x = 0.9..4", lambda x: log(erfc(x)), [mpf("0.9"), mpf(4)], 10),
    ("f32 normal distribution: log(erfc(x)), x = 0..4", lambda x: log(erfc(x)), [0, 4], 13),
    ("f32 sin in double: g(x^2)", by_square(sin, 1), [0, q * q], 4),
    ("f32 cos in double: 1 - z/2 + z^2 g(z)",
     lambda z: (cos(sqrt(max(z, mpf(10) ** -12))) - 1 + max(z, mpf(10) ** -12) / 2)
     / max(z, mpf(10) ** -12) ** 2, [0, q * q], 4),
]


def main():
    for name, f, interval, n in TABLE:
        coefficients, error = chebyfit(f, [mpf(interval[0]), mpf(interval[1])], n, error=True)
        single = name.startswith("f32") and "double" not in name
        print(f"{name}    n {n}, error {mp.nstr(error, 3)}")
        for k, c in enumerate(reversed(coefficients)):
            print(f"    {k}: {float(c):.9g}f" if single else f"    {k}: {float(c):.17g}")
    mp.dps = 420
    words, x = [], 2 / pi
    for _ in range(20):
        x *= 2**64
        words.append(f"0x{int(mp.floor(x)):016x}")
        x -= mp.floor(x)
    print("2/pi, bits after the point:", ", ".join(words))
    mp.dps = 60
    for name, v in [("pi/2", pi / 2), ("ln2", ln2), ("2/3", mpf(2) / 3), ("pi", pi), ("pi/4", pi / 4), ("1/ln2", 1 / ln2),
                    ("log10(2)", log(2, 10)), ("1/ln10", 1 / log(mpf(10))), ("2/sqrt(pi)", 2 / sqrt(pi))]:
        parts, x = [], v
        for _ in range(3):
            parts.append(float(x).hex())
            x -= mpf(float(x))
        print(name, parts)


if __name__ == "__main__":
    main()
