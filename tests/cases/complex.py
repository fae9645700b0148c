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


for name in ("real", "imag", "conj_physical", "angle", "view_as_real"):
    for x in (Z, W, T(3, 4, dtype="complex64", layout="t"), T(0, 2, dtype="complex64"), T(dtype="complex128")):
        case(name, x, strides=name != "angle")  # PyTorch's angle of complex numbers is row-major
case("conj", Z, strides=False)
case("conj", T(3), node=False)
case("angle", T(values=(-1.0, 0.0, 2.0, float("nan"))), grad=False)
case("angle", T(5, dtype="int64"), grad=False)
case("real", T(3))
case("view_as_complex", T(3, 2))
case("view_as_complex", T(3, 2, dtype="float64", layout="offset"))
case("complex", T(3, 4), T(4), strides=False)
case("complex", T(3, dtype="float64"), T(3, dtype="float64"))
case("polar", T(3, 4, low=0.1), T(3, 4), node=False)
for x in (Z, W, ZERO):
    case("abs", x, fn=lambda ns, x: abs(x), gradgrad=x is not ZERO)
    case("exp", x, fn=lambda ns, x: ns.exp(x))
    case("neg", x)
    case("square", x, fn=lambda ns, x: x**2)
case("sgn", Z, fn=lambda ns, x: ns.sgn(x), node=False)
case("reciprocal", Z)
for name in ("add", "sub", "mul", "div"):
    case(name, Z, T(3, 4, dtype="complex64", layout="t"))
    case(name, Z, T(4))
    case(name, T(3, 4), T(4, dtype="complex64"))
    case(name, Z, 2.5)
    case(name, Z, T(3, 1, dtype="complex128"))
    case(name, T(3, 4, dtype="int32"), Z)
    case(name, Z, 1 - 2j)
    case(name, T(2, 3, dtype="float64"), 2j)
case("add", Z, Z, alpha=2.5)
case("__rsub__", Z, fn=lambda ns, x: 1j - x)
case("__rtruediv__", Z, fn=lambda ns, x: 2j / x, node=False)
for name in ("eq", "ne"):
    case(name, ZERO, T(4, dtype="complex64"))
    case(name, ZERO, 1 + 1j)
    case(name, ZERO, T(values=(0.0, 1.0, -2.0, 3.0)))
for name in ("isnan", "isinf", "isfinite"):
    case(name, T(values=(1j, complex("nan"), complex(0, float("inf"))), dtype="complex64"))
case("isclose", Z, Z)
for name in ("sum", "mean"):
    for x in (Z, W, T(2, 3, 4, dtype="complex64", low=0.5, layout="t")):
        case(name, x)
        case(name, x, 0)
        case(name, x, (0, -1), True)
case("sum", T(dtype="complex64"))
case("sum", T(0, 3, dtype="complex64"))
for name, shapes in (("mm", ((2, 3), (3, 4))), ("matmul", ((2, 2, 3), (3, 4))), ("bmm", ((2, 2, 3), (2, 3, 2))),
                     ("mv", ((2, 3), (3,))), ("dot", ((3,), (3,))), ("outer", ((3,), (2,)))):
    case(name, *(T(*s, dtype="complex64") for s in shapes), node=False)
for call in (
    lambda ns, x: x.t()[1:, ::2], lambda ns, x: x.reshape(2, 6), lambda ns, x: x.flip(0).roll(1, 1),
    lambda ns, x: ns.cat([x, x.real]), lambda ns, x: ns.stack([x, x]).permute(2, 0, 1).contiguous(),
    lambda ns, x: x[ns.tensor([2, 0, 0])], lambda ns, x: x.gather(1, ns.tensor([[0, 1], [3, 3], [2, 0]])),
    lambda ns, x: ns.where(x.real > 0, x, 0 * x), lambda ns, x: x.to(ns.complex128), lambda ns, x: x.expand(2, 3, 4).clone(),
    lambda ns, x: x.masked_fill(x.real > 0, 1j), lambda ns, x: x.tril(), lambda ns, x: x.repeat(1, 2),
    lambda ns, x: x.diagonal(), lambda ns, x: x[x.imag > 0],
):  # fmt: skip
    case("__shape__", Z, fn=call, node=False)
case("__shape__", Z, fn=lambda ns, x: x.real.to(ns.complex64), node=False, gradgrad=False)
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
    case("view_as_real_copy", x)
for x in (T(3, 2), T(3, 2, dtype="float64", layout="offset")):
    case("view_as_complex_copy", x, grad=False)
UNIT = T(3, 4, dtype="complex64", low=-0.9, high=0.9)
ODD = T(values=(0j, 1 + 0j, -1 + 0j, 1j, -1j, 2.5 + 0j, -2.5 + 0j, complex(0.3, -0.0), complex(-0.3, -0.0)), dtype="complex64")
ELEMENTARY = ("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "rsqrt", "sin", "cos", "tan", "asin", "acos", "atan",
              "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "sigmoid")  # fmt: skip
for name in ELEMENTARY:
    for x in (Z, W, UNIT, T(4, 3, dtype="complex128", layout="t"), T(0, 2, dtype="complex64")):
        case(name, x, ulp=32, node=name != "sigmoid")
    if name not in ("log", "log2", "log10", "log1p", "rsqrt", "atanh", "acosh", "asin", "acos", "atan", "sqrt", "asinh"):
        case(name, ODD, grad=False, ulp=32)
    case(f"{name}_", Z, fn=lambda ns, x, name=name: getattr(x * 1, f"{name}_")(), ulp=32, node=False, grad=name not in ("asinh", "acosh", "atanh"))
for name in ("log", "sqrt", "asin", "acos"):
    case(name, T(values=(1 + 0j, 1j, -1j, 2.5 + 1j, -2.5 + 1j, 1e-3 + 1e-4j), dtype="complex64"), ulp=32, gradgrad=False)
case("log", T(values=(1.0001 + 1e-3j, 0.6 + 0.8j, 1e-30 + 0j, 1e30 + 1e30j), dtype="complex64"), ulp=32, gradgrad=False)
for e in (2, 3, -1, -2, 0.5, -0.5, 0, 1, 2.5, -3, 1 - 2j, 1j):
    case("pow", Z, e, ulp=32)
    case("pow", W, e, ulp=256)
case("pow", Z, T(4, dtype="complex64"), ulp=32)
case("pow", T(3, 4, low=0.5), T(4, dtype="complex64"), ulp=32)
case("pow", Z, T(3, 1), ulp=32)
case("pow", 2.5, Z, fn=lambda ns, a, x: a**x, ulp=32)
case("pow", 1j, Z, fn=lambda ns, a, x: a**x, ulp=32, node=False)
case("pow", ZERO, 2.5, ulp=32, grad=False)
case("pow", ZERO, 0, ulp=32)
case("pow_", Z, fn=lambda ns, x: (x * 1).pow_(2), node=False)
case("float_power", Z, 2, ulp=256)
for dim in (0, -1):
    for name in ("cumsum", "cumprod"):
        case(name, Z, dim, ulp=16)
        case(name, W, dim, ulp=16)
case("cumprod", T(values=(1j, 0j, 2 + 1j, 3j), dtype="complex64"), 0)
case("cumsum", T(3), 0, dtype="torch.complex64", gradgrad=False)
for x in (Z, W, T(2, 0, dtype="complex64"), T(dtype="complex64"), T(values=((1j, 0j), (2 + 1j, 3j)), dtype="complex64")):
    case("prod", x, ulp=32)
    if x.shape:
        case("prod", x, 1, ulp=32)
        case("prod", x, -1, True, ulp=32)
for name in ("var", "std"):
    case(name, Z)
    case(name, W, 1)
    case(name, Z, (0, 1), correction=2, keepdim=True)
    case(f"{name}_mean", Z, 1)
for p in (2, 1, 0, float("inf"), -float("inf"), 3, 0.5):
    case("norm", Z, p, 1, ulp=16)
    case("norm", W, p, ulp=16)
case("norm", Z)
case("vector_norm", Z, 2, fn=lambda ns, x, p: ns.linalg.vector_norm(x, p))
M = T(2, 3, dtype="complex64")
N = T(3, 4, dtype="complex64")
case("addmm", T(4, dtype="complex64"), M, N, node=False)
case("addmm", T(2, 4, dtype="complex64"), M, N, beta=0.5, alpha=2, node=False)
case("addmv", T(2, dtype="complex64"), M, T(3, dtype="complex64"), node=False)
case("addr", T(2, 3, dtype="complex64"), T(2, dtype="complex64"), T(3, dtype="complex64"), beta=2.0, node=False)
case("baddbmm", T(2, 2, 4, dtype="complex64"), T(2, 2, 3, dtype="complex64"), T(2, 3, 4, dtype="complex64"), node=False)
case("addbmm", T(2, 4, dtype="complex64"), T(2, 2, 3, dtype="complex64"), T(2, 3, 4, dtype="complex64"), node=False)
case("linear", T(2, 3, dtype="complex64"), T(4, 3, dtype="complex64"), T(4, dtype="complex64"), node=False, strides=False)
case("linear", T(2, 5, 3, dtype="complex128"), T(4, 3, dtype="complex128"), node=False, strides=False)
case("vdot", T(5, dtype="complex64"), T(5, dtype="complex64"), node=False, ulp=16)
case("inner", T(5, dtype="complex64"), T(5, dtype="complex64"), node=False)
case("kron", M, T(2, 2, dtype="complex64"), node=False)
case("cross", T(2, 3, dtype="complex64"), T(2, 3, dtype="complex64"), dim=1)
case("trace", T(3, 3, dtype="complex64"))
case("einsum", M, N, fn=lambda ns, x, y: ns.einsum("ij,jk->ki", x, y), node=False, strides=False)
case("einsum", M, fn=lambda ns, x: ns.einsum("ij,ij->i", x, x.conj()), node=False, strides=False)
case("tensordot", M, N, fn=lambda ns, x, y: ns.tensordot(x, y, 1), node=False, strides=False)
case("dist", Z, T(3, 4, dtype="complex64"), node=False)
case("addcmul", Z, Z, T(4, dtype="complex64"), value=0.5, node=False)
case("addcdiv", Z, Z, T(4, dtype="complex64"), value=2, node=False)
case("lerp", Z, T(3, 4, dtype="complex64"), 0.3, node=False)
case("lerp", Z, T(3, 4, dtype="complex64"), T(3, 4, dtype="complex64"), node=False)
case("l1_loss", Z, T(3, 4, dtype="complex64"), fn=lambda ns, x, y: ns.nn.functional.l1_loss(x, y), node=False)
for name in ("all", "any", "count_nonzero", "logical_not"):
    case(name, ZERO, grad=False)
for name in ("logical_and", "logical_or", "logical_xor"):
    case(name, ZERO, T(values=(1.0, 0.0, 0.0, 1.0)), grad=False)
case("nan_to_num", T(values=(complex("nan"), complex(1, float("inf")), complex(-float("inf"), 2)), dtype="complex64"), grad=False)
for call in (
    lambda ns, x: x.index_fill(1, ns.tensor([0, 2]), 1j), lambda ns, x: x.index_add(0, ns.tensor([0, 0]), x[:2]),
    lambda ns, x: x.scatter(1, ns.tensor([[0], [1], [2]]), x[:, :1]), lambda ns, x: x.scatter_add(1, ns.tensor([[0], [1], [2]]), x[:, :1]),
    lambda ns, x: x.index_put((ns.tensor([0, 0]),), x[:2], True), lambda ns, x: x.index_copy(0, ns.tensor([2]), x[:1]),
    lambda ns, x: x.masked_scatter(x.real > 0, x.flatten()), lambda ns, x: ns.nn.functional.pad(x, (1, 2)), lambda ns, x: x.rot90(),
    lambda ns, x: ns.diag_embed(x), lambda ns, x: x.unfold(1, 2, 1), lambda ns, x: ns.stack(x.split([1, 3], 1)[1].unbind()),
    lambda ns, x: x.fliplr() @ x.mH,
):  # fmt: skip
    case("__place__", Z, fn=call, node=False, strides=False)
case("select_scatter", Z, T(4, dtype="complex64"), 0, 1, grad=False)
for name in ("normal_", "uniform_"):
    case(name, Z, seed=5, fn=lambda ns, x, name=name: getattr(x.detach().clone(), name)(), grad=False)
case("full_like", Z, 2j)
case("full_like", T(3, dtype="complex128"), 2.5)
case("silu", Z, grad=False, ulp=16)
case("scatter", Z, fn=lambda ns, x: x.scatter(1, ns.tensor([[0], [1], [2]]), 2j), node=False, grad=False)
error("imag", T(3))
error("view_as_real", T(3))
error("view_as_complex", T(3))
error("view_as_complex", T(3, dtype="int64"))
error("complex", T(3), T(3, dtype="float64"))
error("polar", T(3, dtype="int64"), T(3, dtype="int64"))
error("mm", T(2, 3, dtype="complex64"), T(3, 2))
for name in ("lt", "max", "floor", "remainder", "trunc"):
    error(name, *(Z, Z) if name in ("lt", "remainder") else (Z,))

FAR = T(values=(1e3 + 1j, -1e3 + 2j, 0.5 - 1j, -3.0 + 0j), dtype="complex64")
for x in (Z, W):
    case("logaddexp", x, T(4, dtype="complex64"), node=False)
    case("logaddexp", x, T(4), grad=False)
    case("logsumexp", x, 1, node=False)
    case("logsumexp", x, (0, 1), True, node=False)
    case("logcumsumexp", x, 1, node=False)
    case("ldexp", x, T(values=(1, 2, 3, 0), dtype="int64"), node=False)
    case("sinc", x)
case("logaddexp", FAR, T(4, dtype="complex64"), grad=False)
case("logcumsumexp", FAR, 0, grad=False)
case("logsumexp", FAR, 0, node=False)
case("sinc", ZERO, grad=False)
case("linspace", 0, 1 + 1j, 5)
case("linspace", 1j, 2, 3, dtype="torch.complex128")
case("linspace", 0, 1, 4, dtype="torch.complex64")
case("linspace", 1j, 2, 1)
case("logspace", 0, 1j, 4)
case("logspace", -1, 2j, 4, base=2.0)
case("logspace", 0, 2, 3, dtype="torch.complex128")
error("linspace", 0, 1j, 4, dtype="torch.float32")
