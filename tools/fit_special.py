"""Writes csrc/kernels/special/coefficients.h: Chebyshev series and constants of the special functions.

    python tools/fit_special.py            needs mpmath

Each series is that of a smooth function on an interval, found by Chebyshev interpolation with 40 digits (Numerical
Recipes, section 5.8) and cut where the coefficients fall below 2^-58 of the largest. The functions that are left after
powers, exponentials, angles and logarithms have been taken out are those of Abramowitz and Stegun, chapters 9 and 10.
"""

from __future__ import annotations

from pathlib import Path

import mpmath as mp

mp.mp.dps = 45
OUT = Path(__file__).resolve().parent.parent / "csrc/kernels/special/coefficients.h"


def chebyshev(f, low, high, most=60):
    """Coefficients c of sum c[k] T_k(t), t from -1 to 1 across the interval; c[0] already halved."""
    low, high = mp.mpf(low), mp.mpf(high)
    nodes = [mp.cos(mp.pi * (k + mp.mpf("0.5")) / most) for k in range(most)]
    values = [f((high - low) / 2 * t + (high + low) / 2) for t in nodes]
    c = [
        2 * mp.fsum(v * mp.cos(mp.pi * j * (k + mp.mpf("0.5")) / most) for k, v in enumerate(values)) / most
        for j in range(most)
    ]
    c[0] /= 2
    limit = max(abs(v) for v in c) * mp.mpf(2) ** -58
    n = max(j for j, v in enumerate(c) if abs(v) > limit) + 1
    assert n < most - 4, "the series does not converge"
    return [mp.re(v) for v in c[:n]]


def tiny(f, at):
    """f, with its limit at 0 taken a little beside it."""
    limit = mp.mpf(at)
    return lambda x: f(x if abs(x) > limit else limit)


def bessel_modulus(order, part):
    """P (part 0) or Q sqrt(z) (part 1) of A&S 9.2.5 and 9.2.6 as functions of z = (8 / x)^2."""

    def f(z):
        x = 8 / mp.sqrt(z)
        h = mp.sqrt(mp.pi * x / 2) * (mp.besselj(order, x) + 1j * mp.bessely(order, x))
        h *= mp.exp(-1j * (x - (2 * order + 1) * mp.pi / 4))
        return mp.re(h) if part == 0 else mp.im(h) * x

    return tiny(f, "1e-12")


def airy_modulus(part):
    """P and Q zeta of Ai(-x) sqrt(pi) x^(1/4) = P cos(zeta - pi/4) + Q sin(zeta - pi/4) (A&S 10.4.60), of z = 1 / zeta^2."""

    def f(z):
        zeta = 1 / mp.sqrt(z)
        x = (mp.mpf(3) / 2 * zeta) ** (mp.mpf(2) / 3)
        a, b = mp.airyai(-x), mp.airybi(-x)
        h = (a + 1j * b) * mp.sqrt(mp.pi) * x**mp.mpf("0.25")
        # Ai + i Bi = (P + i Q') e^(-i (zeta - pi/4)) up to terms of the right parity
        h *= mp.exp(1j * (zeta - mp.pi / 4))
        return mp.re(h) if part == 0 else mp.im(h) * zeta

    return tiny(f, "1e-10")


def k_near(order):
    """What K has beside the logarithm (A&S 9.6.11), of z = x^2 on [0, 4]."""

    def f(z):
        x = mp.sqrt(z)
        if order == 0:
            return mp.besselk(0, x) + mp.log(x / 2) * mp.besseli(0, x)
        return (mp.besselk(1, x) - mp.log(x / 2) * mp.besseli(1, x)) * x

    return tiny(f, "1e-20")


def y_near(order):
    """What Y has beside the logarithm (A&S 9.1.13), of z = x^2 on [0, 64]."""

    def f(z):
        x = mp.sqrt(z)
        if order == 0:
            return mp.bessely(0, x) - 2 / mp.pi * mp.log(x / 2) * mp.besselj(0, x)
        return (mp.bessely(1, x) - 2 / mp.pi * (mp.log(x / 2) * mp.besselj(1, x) - 1 / x)) / x

    return tiny(f, "1e-20")


def airy_far(w):
    """Ai(x) 2 sqrt(pi) x^(1/4) e^zeta, of w = 1 / zeta."""
    zeta = 1 / w
    x = (mp.mpf(3) / 2 * zeta) ** (mp.mpf(2) / 3)
    return mp.airyai(x) * 2 * mp.sqrt(mp.pi) * x**mp.mpf("0.25") * mp.exp(zeta)


def i_far(order):
    """I e^-x sqrt(x) at 8 / x = w (A&S 9.7.1)."""
    return tiny(lambda w: mp.besseli(order, 8 / w) * mp.exp(-8 / w) * mp.sqrt(8 / w), "1e-7")


def k_far(order):
    """K e^x sqrt(x) at 2 / x = w (A&S 9.7.2)."""
    return tiny(lambda w: mp.besselk(order, 2 / w) * mp.exp(2 / w) * mp.sqrt(2 / w), "1e-7")


def erfinv_of_log(w):
    """erfinv(y) / y of w = -log(1 - y^2), the smallest y being sqrt(w)."""
    w = max(mp.mpf(w), mp.mpf(10) ** -25)
    rest = mp.exp(-w) / (1 + mp.sqrt(-mp.expm1(-w)))  # 1 - y
    return erfcinv(rest, w) / (1 - rest)


def erfcinv(rest, w):
    """erfinv(1 - rest), by Newton's method on log erfc."""
    x = mp.sqrt(w) * mp.sqrt(mp.pi) / 2 if w < 1 else mp.sqrt(w) * mp.mpf("0.95")
    for _ in range(60):
        step = (mp.log(mp.erfc(x)) - mp.log(rest)) * mp.erfc(x) * mp.exp(x * x) * mp.sqrt(mp.pi) / 2
        x += step
        if abs(step) < abs(x) * mp.mpf(10) ** -42:
            return x
    raise ArithmeticError(f"no root at w = {w}")


ZETA_AT_AIRY = mp.mpf(2) / 3 * 4**mp.mpf("1.5")  # zeta at |x| = 4
SERIES = {
    "j0_near": ("J0(x), z = x^2 in [0, 64]", lambda z: mp.besselj(0, mp.sqrt(z)), 0, 64),
    "j1_near": ("J1(x) / x, z = x^2 in [0, 64]", tiny(lambda z: mp.besselj(1, mp.sqrt(z)) / mp.sqrt(z), "1e-20"), 0, 64),
    "y0_near": ("Y0(x) - 2/pi log(x/2) J0(x), z = x^2 in [0, 64]", y_near(0), 0, 64),
    "y1_near": ("(Y1(x) - 2/pi (log(x/2) J1(x) - 1/x)) / x, z = x^2 in [0, 64]", y_near(1), 0, 64),
    "p0_far": ("P of order 0, z = (8/x)^2 in [0, 1]", bessel_modulus(0, 0), 0, 1),
    "q0_far": ("x Q of order 0", bessel_modulus(0, 1), 0, 1),
    "p1_far": ("P of order 1", bessel_modulus(1, 0), 0, 1),
    "q1_far": ("x Q of order 1", bessel_modulus(1, 1), 0, 1),
    "i0_near": ("I0(x) e^-x, x in [0, 8]", lambda x: mp.besseli(0, x) * mp.exp(-x), 0, 8),
    "i1_near": ("I1(x) e^-x / x, x in [0, 8]", tiny(lambda x: mp.besseli(1, x) * mp.exp(-x) / x, "1e-20"), 0, 8),
    "i0_far": ("I0(x) e^-x sqrt(x), 8/x in [0, 1]", i_far(0), 0, 1),
    "i1_far": ("I1(x) e^-x sqrt(x), 8/x in [0, 1]", i_far(1), 0, 1),
    "k0_near": ("K0(x) + log(x/2) I0(x), z = x^2 in [0, 4]", k_near(0), 0, 4),
    "k1_near": ("x (K1(x) - log(x/2) I1(x)), z = x^2 in [0, 4]", k_near(1), 0, 4),
    "k0_far": ("K0(x) e^x sqrt(x), 2/x in [0, 1]", k_far(0), 0, 1),
    "k1_far": ("K1(x) e^x sqrt(x), 2/x in [0, 1]", k_far(1), 0, 1),
    "erfinv_near": ("erfinv(y) / y, w = -log(1 - y^2) in [0, 6.25]", erfinv_of_log, 0, mp.mpf("6.25")),
    "erfinv_tail": ("the same, sqrt(w) in [2.5, 6]", lambda s: erfinv_of_log(s * s), mp.mpf("2.5"), 6),
    "erfinv_far": ("erfinv(y) / (y sqrt(w)), 1 / sqrt(w) in [0.035, 0.168]", lambda r: erfinv_of_log(1 / r**2) * r,
                   mp.mpf("0.035"), mp.mpf("0.168")),
    "airy_near": ("Ai(x), x in [-4, 1]", mp.airyai, -4, 1),
    "airy_right": ("2 sqrt(pi) x^(1/4) e^zeta Ai(x), 1/zeta in [0, 3/2]", tiny(airy_far, "1e-4"), 0, mp.mpf(3) / 2),
    "airy_p": ("P of Ai(-x), x > 4, of 1/zeta^2", airy_modulus(0), 0, ZETA_AT_AIRY**-2),
    "airy_q": ("zeta Q of Ai(-x)", airy_modulus(1), 0, ZETA_AT_AIRY**-2),
}


def main() -> None:
    lines = ["/* coefficients.h: Chebyshev series of the special functions; written by tools/fit_special.py. */",
             "#ifndef RL_SPECIAL_COEFFICIENTS_H", "#define RL_SPECIAL_COEFFICIENTS_H", ""]

    def table(name, values, comment):
        text = ", ".join(mp.nstr(v, 19) for v in values)
        lines.append(f"/* {comment} */")
        lines.append(f"static const double {name}[] = {{{text}}};")

    for name, (comment, f, low, high) in SERIES.items():
        values = chebyshev(f, low, high)
        single = max(j for j, v in enumerate(values) if abs(v) > 1e-11) + 1
        print(name, len(values), mp.nstr(values[-1], 3))
        table(name, values, comment)
        lines.append(f"enum {{ {name}_single = {single} }}; /* terms that matter to float32 */")
    # log Gamma(2 + t) = (1 - gamma) t + sum over k >= 2 of (-1)^k (zeta(k) - 1) t^k / k   (A&S 6.1.33)
    table("lgamma_near_2", [1 - mp.euler] + [(-1) ** k * (mp.zeta(k) - 1) / k for k in range(2, 30)],
          "log Gamma(2 + t) / t, powers of t")
    bernoulli = [mp.bernoulli(2 * k) for k in range(1, 13)]
    table("stirling", [b / (2 * k * (2 * k - 1)) for k, b in enumerate(bernoulli[:8], 1)],
          "B_2k / (2k (2k - 1)): A&S 6.1.41")
    table("digamma_far", [b / (2 * k) for k, b in enumerate(bernoulli[:8], 1)], "B_2k / 2k: A&S 6.3.18")
    table("euler_maclaurin", [b / mp.factorial(2 * k) for k, b in enumerate(bernoulli, 1)],
          "B_2k / (2k)!: A&S 23.1.30")
    lines += ["", "#endif"]
    OUT.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
