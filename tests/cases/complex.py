"""Complex numbers: parts, arithmetic, sums and products, shapes. Second derivatives are compared in test_fft.py."""

from samples import T, resolve
from samples import case as any_case
from samples import error as any_error

Z = T(3, 4, dtype="complex64")
W = T(3, 4, dtype="complex128")
OWN = ("view_as_real", "view_as_complex", "view_as_real_copy", "view_as_complex_copy", "complex", "polar")
ZERO = T(values=(0j, 1 + 1j, -2.0 + 0j, 3j), dtype="complex64")


def named(name, kwargs):
    """Names of their own for operators that have real cases too, so that neither kind renumbers the other."""
    if name in OWN:
        return name
    kwargs.setdefault("fn", lambda ns, *a, **k: resolve(ns, name)(*a, **k))
    return f"complex {name}"


def case(name, *args, **kwargs):
    any_case(named(name, kwargs), *args, **kwargs)


def error(name, *args, **kwargs):
    any_error(named(name, kwargs), *args, **kwargs)


def cx(name, *args, **kwargs):
    """Not differentiated numerically: gradcheck nudges real numbers."""
    case(name, *args, gradgrad=False, **kwargs)


for name in ("real", "imag", "conj_physical", "angle", "view_as_real"):
    for x in (Z, W, T(3, 4, dtype="complex64", layout="t"), T(0, 2, dtype="complex64"), T(dtype="complex128")):
        cx(name, x, strides=name != "angle")  # PyTorch's angle of complex numbers is row-major
cx("conj", Z, strides=False)
cx("conj", T(3), node=False)
cx("angle", T(values=(-1.0, 0.0, 2.0, float("nan"))), grad=False)
cx("angle", T(5, dtype="int64"), grad=False)
cx("real", T(3))
cx("view_as_complex", T(3, 2))
cx("view_as_complex", T(3, 2, dtype="float64", layout="offset"))
cx("complex", T(3, 4), T(4), strides=False)
cx("complex", T(3, dtype="float64"), T(3, dtype="float64"))
cx("polar", T(3, 4, low=0.1), T(3, 4), node=False)
for x in (Z, W, ZERO):
    cx("abs", x, fn=lambda ns, x: abs(x))
    cx("exp", x, fn=lambda ns, x: ns.exp(x))
    cx("neg", x)
    cx("square", x, fn=lambda ns, x: x**2)
cx("sgn", Z, fn=lambda ns, x: ns.sgn(x), node=False)
cx("reciprocal", Z)
for name in ("add", "sub", "mul", "div"):
    cx(name, Z, T(3, 4, dtype="complex64", layout="t"))
    cx(name, Z, T(4))
    cx(name, T(3, 4), T(4, dtype="complex64"))
    cx(name, Z, 2.5)
    cx(name, Z, T(3, 1, dtype="complex128"))
    cx(name, T(3, 4, dtype="int32"), Z)
    cx(name, Z, 1 - 2j)
    cx(name, T(2, 3, dtype="float64"), 2j)
cx("add", Z, Z, alpha=2.5)
cx("__rsub__", Z, fn=lambda ns, x: 1j - x)
cx("__rtruediv__", Z, fn=lambda ns, x: 2j / x, node=False)
for name in ("eq", "ne"):
    case(name, ZERO, T(4, dtype="complex64"))
    case(name, ZERO, 1 + 1j)
    case(name, ZERO, T(values=(0.0, 1.0, -2.0, 3.0)))
for name in ("isnan", "isinf", "isfinite"):
    case(name, T(values=(1j, complex("nan"), complex(0, float("inf"))), dtype="complex64"))
case("isclose", Z, Z)
for name in ("sum", "mean"):
    for x in (Z, W, T(2, 3, 4, dtype="complex64", low=0.5, layout="t")):
        cx(name, x)
        cx(name, x, 0)
        cx(name, x, (0, -1), True)
cx("sum", T(dtype="complex64"))
cx("sum", T(0, 3, dtype="complex64"))
for name, shapes in (("mm", ((2, 3), (3, 4))), ("matmul", ((2, 2, 3), (3, 4))), ("bmm", ((2, 2, 3), (2, 3, 2))),
                     ("mv", ((2, 3), (3,))), ("dot", ((3,), (3,))), ("outer", ((3,), (2,)))):
    cx(name, *(T(*s, dtype="complex64") for s in shapes), node=False)
for call in (
    lambda ns, x: x.t()[1:, ::2], lambda ns, x: x.reshape(2, 6), lambda ns, x: x.flip(0).roll(1, 1),
    lambda ns, x: ns.cat([x, x.real]), lambda ns, x: ns.stack([x, x]).permute(2, 0, 1).contiguous(),
    lambda ns, x: x[ns.tensor([2, 0, 0])], lambda ns, x: x.gather(1, ns.tensor([[0, 1], [3, 3], [2, 0]])),
    lambda ns, x: ns.where(x.real > 0, x, 0 * x), lambda ns, x: x.to(ns.complex128), lambda ns, x: x.expand(2, 3, 4).clone(),
    lambda ns, x: x.masked_fill(x.real > 0, 1j), lambda ns, x: x.tril(), lambda ns, x: x.repeat(1, 2),
    lambda ns, x: x.real.to(ns.complex64), lambda ns, x: x.diagonal(), lambda ns, x: x[x.imag > 0],
):  # fmt: skip
    cx("__shape__", Z, fn=call, node=False)
case("full", (2, 3), 1 - 2j)
case("full", (2,), 3, dtype="torch.complex64")
case("ones", 2, 3, dtype="torch.complex128")
case("zeros_like", Z)
case("randn", 3, dtype="torch.complex64", seed=3)
case("rand", 3, dtype="torch.complex128", seed=3)
case("__setitem__", Z, fn=lambda ns, x: _written(x), grad=False)


def _written(x):
    y = x.clone()
    y[0] = 1j
    y.real = 2.0
    y[1:].imag = y[1:].real
    return y


for x in (Z, T(3, 4, dtype="complex128", layout="t")):
    cx("view_as_real_copy", x)
for x in (T(3, 2), T(3, 2, dtype="float64", layout="offset")):
    cx("view_as_complex_copy", x, grad=False)
error("imag", T(3))
error("view_as_real", T(3))
error("view_as_complex", T(3))
error("view_as_complex", T(3, dtype="int64"))
error("complex", T(3), T(3, dtype="float64"))
error("polar", T(3, dtype="int64"), T(3, dtype="int64"))
error("mm", T(2, 3, dtype="complex64"), T(3, 2))
for name in ("lt", "max", "floor", "remainder", "trunc"):
    error(name, *(Z, Z) if name in ("lt", "remainder") else (Z,))
