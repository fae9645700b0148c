"""Prints the tables of csrc/kernels/isa/tables_f32.h; needs mpmath.

tanh and the normal distribution function are cut into at most 16 intervals, each with a centre at which the function is all
but a number of float32, and a polynomial in the distance from there whose greatest relative error is the least (Lawson's
method: least squares, with weights that follow the error; coefficients are rounded one after the other).
"""

import struct
from collections.abc import Callable

from mpmath import chebyfit, cos, erfc, exp, log, lu_solve, matrix, mp, mpf, pi, sqrt, tanh

mp.dps = 40
Function = Callable[[mpf], mpf]


def single(x: mpf) -> mpf:
    """The nearest number of float32."""
    return mpf(struct.unpack("f", struct.pack("f", float(x)))[0])


def text(x: mpf) -> str:
    number = f"{float(x):.9g}"
    return (number if "." in number or "e" in number else number + ".0") + "f" if x else "0"


def centre(f: Function, low: mpf, high: mpf) -> mpf:
    """The float32 nearest to the middle, in steps of 2^-17, at which f is within 2^-31 of one."""
    step = mpf(2) ** -17
    middle = mp.nint((low + high) / 2 / step) * step
    for k in range(100000):
        c = middle + step * (k // 2 if k % 2 else -k // 2)
        if abs(f(c) - single(f(c))) < f(c) * mpf(2) ** -31:
            return c
    raise ValueError("no centre")


def best(points: list[mpf], wanted: list[mpf], scale: list[mpf], powers: list[int]) -> tuple[list[mpf], mpf]:
    """c with the least greatest |wanted - sum of c_k t^powers_k| / scale over the points t."""
    weights = [mpf(1) / len(points)] * len(points)
    found, least = [], mp.inf
    for _ in range(40):
        n = len(powers)
        normal, right = matrix(n, n), matrix(n, 1)
        for t, v, s, w in zip(points, wanted, scale, weights, strict=True):
            row = [t**k / s for k in powers]
            for i in range(n):
                right[i] += w * row[i] * v / s
                for j in range(n):
                    normal[i, j] += w * row[i] * row[j]
        c = list(lu_solve(normal, right))
        errors = [
            abs(v - sum(a * t**k for a, k in zip(c, powers, strict=True))) / s
            for t, v, s in zip(points, wanted, scale, strict=True)
        ]
        if max(errors) < least:
            found, least = c, max(errors)
        total = sum(w * e for w, e in zip(weights, errors, strict=True))
        weights = [w * e / total for w, e in zip(weights, errors, strict=True)]
    return found, least


def coefficients(f: Function, low: mpf, high: mpf, at: mpf, degree: int, known: list[int]) -> list[mpf]:
    """Of f(at + t), the first one f(at) and the others named by `known`."""
    points = [(low + high) / 2 + (high - low) / 2 * cos(pi * (k + mpf(1) / 2) / 40) - at for k in range(40)]
    result = [single(f(at)), *map(mpf, known)]
    while len(result) <= degree:
        wanted = [f(at + t) - f(at) - sum(c * t**k for k, c in enumerate(result) if k) for t in points]
        rest, error = best(points, wanted, [f(at + t) for t in points], list(range(len(result), degree + 1)))
        result.append(single(rest[0]))
    print(f"    /* {float(low):.3f} to {float(high):.3f}: {float(error):.2g} */")
    return result


def tabulate(name: str, f: Function, edges: list[mpf], degree: int, first: int, from_zero: bool) -> None:
    """A column per interval, the first one in column `first`; from_zero: around 0 in that one, as x + ..."""
    print(name)
    columns = [[mpf(0)] * 16 for _ in range(degree + 2)]
    for k, (low, high) in enumerate(zip(edges, edges[1:], strict=False)):
        origin = from_zero and k == 0
        at = mpf(0) if origin else centre(f, low, high)
        values = [at, *coefficients(f, low, high, at, degree, [1] if origin else [])]
        for column, v in zip(columns, values, strict=True):
            column[(first + k) % 16] = v
    for column in columns:
        print("        {" + ", ".join(map(text, column)) + "},")


def main() -> None:
    h = log(mpf(2)) / 32
    fit = chebyfit(lambda r: (exp(r) - 1 - r) / r**2 if abs(r) > mpf(10) ** -12 else mpf(1) / 2, [-h, h], 2)
    print("exp", [single(c) for c in fit], [text(single(mpf(2) ** (mpf(j) / 16))) for j in range(16)])
    c = mpf(9) / 8
    octaves = [mpf(2) ** e * (1 + mpf(m) / 4) - c for e in range(4) for m in range(4)]
    tabulate("tanh", tanh, [mpf(0), *octaves[1:14], mpf("9.1")], 6, 12, True)
    c = mpf("2.3")
    parabola = [sqrt(c * c + 4 * (k + mpf(1) / 2)) - c for k in range(15)]
    tabulate("normal distribution", lambda a: erfc(a / sqrt(mpf(2))) / 2, [mpf(0), *parabola], 6, 0, False)


if __name__ == "__main__":
    main()
