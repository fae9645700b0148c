"""Element-wise functions beyond arithmetic, other names of operators, and torch.special."""

from samples import T, case, error

NAN, INF = float("nan"), float("inf")
SPECIAL = T(values=(0.0, -0.0, 1.0, -1.0, INF, -INF, NAN, 1e-40, 0.5, -2.5))
INTS = T(values=(1, 2, 3), dtype="int64")
BOOLS = T(values=(True, False), dtype="bool")


def unary(name, low, high, *, half=True, f64=True, half_grad=True, **options):
    """The usual calls of a function of one number; integers and bool give floats.

    f64 False: PyTorch's float64 values are some 1e-10 off, tests/test_special.py has better ones."""
    case(name, T(3, 4, low=low, high=high), **options)
    case(name, T(2, 5, low=low, high=high, layout="t"), **options)
    case(name, T(0, 3), **options)
    case(name, T(low=low, high=high), **options)
    if f64:
        case(name, T(9, low=low, high=high, dtype="float64"), **options)
    case(name, INTS, **options)
    case(name, BOOLS, **options)
    case(name, SPECIAL, **{**options, "gradgrad": False, "grad": False})
    for dtype in ("float16", "bfloat16"):
        if half:
            case(name, T(9, low=low, high=high, dtype=dtype), **{**options, "gradgrad": False, "grad": half_grad})


def pair(name, *, low=-2.0, high=2.0, **options):
    """The usual calls of a function of two tensors."""
    case(name, T(3, 4, low=low, high=high), T(3, 4, low=low, high=high), **options)
    case(name, T(3, 1, low=low, high=high), T(4, low=low, high=high), **options)
    case(name, T(2, 5, low=low, high=high, layout="t"), T(low=low, high=high), **options)
    case(name, T(0, 3), T(3), **options)
    case(name, T(7, low=low, high=high, dtype="float64"), T(7, low=low, high=high), **options)


# ---- other names ----
for name in ("arccos", "arcsin", "arctanh"):
    case(name, T(3, 4, low=-0.9, high=0.9))
for name in ("arctan", "arcsinh", "fix", "special_erf", "special_erfc", "special_exp2", "special_expm1", "special_expit", "special_sinc"):
    case(name, T(3, 4))
case("arccosh", T(3, 4, low=1.5, high=5))
case("special_log1p", T(3, 4, low=-0.5, high=5))
case("special_round", T(3, 4), decimals=1)
case("special_softmax", T(3, 4), 1)
case("special_log_softmax", T(3, 4), 1)
case("special_logsumexp", T(3, 4), 1)
case("special_logit", T(3, 4, low=0.1, high=0.9), eps=0.2)
case("special_xlogy", T(3, 4), T(3, 4, low=0.1, high=2))
case("arctan2", T(3, 4), T(4))
for name in ("greater", "greater_equal", "less", "less_equal", "not_equal"):
    case(name, T(3, 4, dtype="int64"), T(3, 4, dtype="int64"))
    case(name, T(3, 4), 0.5)

# ---- one number ----
unary("asinh", -5, 5)
unary("acosh", 1.1, 9)
unary("atanh", -0.95, 0.95)
unary("erfc", -2, 2)
unary("sinc", -2, 2)
unary("deg2rad", -180, 180)
unary("rad2deg", -3, 3)
unary("angle", -2, 2)
unary("logit", 0.05, 0.95)
unary("special_entr", 0.05, 3)
case("logit", T(3, 4, low=-0.2, high=1.2), 0.1)
case("logit", T(3, 4, low=0.1, high=0.9), eps=-1.0)
case("logit", T(values=(-1.0, 0.0, 0.05, 0.5, 0.95, 1.0, 2.0, NAN)), eps=0.6, gradgrad=False)
case("logit", T(values=(-1.0, 0.0, 0.05, 0.5, 0.95, 1.0, 2.0, NAN)), gradgrad=False)
case("sinc", T(values=(0.0, 1e10, 3.5e4, INF, 100.25)), grad=False)
case("special_entr", T(values=(-1.0, 0.0, NAN, 0.5, INF)), gradgrad=False)
for name in ("conj", "conj_physical", "resolve_conj", "resolve_neg", "real"):
    case(name, T(3, 4))
    case(name, T(4, dtype="int64"))
    case(name, BOOLS)
    case(name, SPECIAL, gradgrad=False)
for x in (T(3, 4), T(4, dtype="int64"), BOOLS, SPECIAL):
    case("sgn", x, grad=False)  # PyTorch's gradient is a tensor without memory
error("imag", T(3))
for name in ("isposinf", "isneginf", "isreal", "signbit"):
    case(name, SPECIAL)
    case(name, T(values=(-1, 0, 2), dtype="int64"))
    case(name, T(values=(-1, 0, 2), dtype="int8"))
    case(name, T(values=(1, 0, 2), dtype="uint8"))
    case(name, BOOLS)
    case(name, T(5, dtype="float16"))
case("frexp", T(3, 4, low=-90, high=90))
case("frexp", T(values=(0.0, -0.0, NAN, INF, 1e-40, 3.0)), grad=False)
case("frexp", T(5, dtype="float64"))
case("frexp", T(5, dtype="float16"), gradgrad=False)
case("frexp", T(5, dtype="bfloat16"), gradgrad=False)
error("frexp", T(3, dtype="int64"))

# ---- two numbers ----
EDGES = (T(values=(INF, -INF, 1.0, INF, NAN, 2.0, 2.0, 0.0)), T(values=(INF, -INF, -INF, -INF, 1.0, 2.0, 900.0, -0.0)))
pair("hypot", gradgrad=True)
pair("copysign", gradgrad=False)
pair("logaddexp", low=-1.0)  # from -2 on, the sum that is a gradient cancels to less than a tenth of its terms
pair("logaddexp2")
pair("xlogy", low=0.1)
pair("special_xlog1py", low=0.1)
pair("ldexp")
pair("nextafter", gradgrad=False)
for name in ("hypot", "copysign", "logaddexp", "logaddexp2", "xlogy", "special_xlog1py", "nextafter"):
    case(name, *EDGES, gradgrad=False, grad=name not in ("copysign", "hypot"))
    case(name, T(6, low=0.1, dtype="float16"), T(6, low=0.1, dtype="float16"), gradgrad=False)
    case(name, T(6, low=0.1, dtype="bfloat16"), T(6, low=0.1, dtype="bfloat16"), gradgrad=False)
for name in ("hypot", "logaddexp", "logaddexp2", "nextafter"):
    error(name, T(3, dtype="int64"), T(3, dtype="int64"))
    error(name, T(3), 2.0)
for name in ("copysign", "xlogy", "special_xlog1py"):
    case(name, T(3, 4, low=0.1), 1.5, gradgrad=name != "copysign")
    case(name, INTS, INTS)
    case(name, BOOLS, BOOLS)
    case(name, INTS, 2)
for name in ("xlogy", "special_xlog1py"):
    case(name, 1.5, T(3, 4, low=0.1))
    case(name, T(values=(0.0, 0.0, 0.0, 1.0, -2.0, 0.0, NAN)), T(values=(0.0, -1.0, 2.0, 3.0, -1.0, NAN, 0.0)), gradgrad=False)
case("copysign", T(values=(0.0, -0.0, 1.0, -2.0)), -1, gradgrad=False)
case("heaviside", T(values=(-1.0, 0.0, 2.0, NAN, -0.0)), T(values=(0.5, 0.5, 0.5, 0.5, 0.25)), grad=False)
case("heaviside", T(3, 4), T(4))
case("heaviside", T(5, dtype="int64"), T(5, dtype="int64"))
case("heaviside", BOOLS, BOOLS)
error("heaviside", T(3), T(3, dtype="float64"))
error("heaviside", T(3), 1.0)
case("nextafter", T(values=(0.0, 0.0, 1.0, NAN, INF, 65504.0, 6e-8), dtype="float16"), T(values=(1.0, -1.0, 2.0, 1.0, 0.0, INF, 0.0), dtype="float16"), grad=False)
case("nextafter", T(values=(6.104e-5, 6.104e-5, -6.104e-5, 6.1e-5), dtype="float16"), T(values=(0.0, 1.0, 0.0, 1.0), dtype="float16"), grad=False)
case("nextafter", T(values=(0.0, 0.0, 1.0, INF, 3e38), dtype="bfloat16"), T(values=(1.0, -1.0, 2.0, 0.0, INF), dtype="bfloat16"), grad=False)
for name in ("gcd", "lcm"):
    for dtype in ("int64", "int32", "int16", "int8", "uint8"):
        case(name, T(3, 4, dtype=dtype, low=0, high=100), T(4, dtype=dtype, low=0, high=100))
    case(name, T(values=(0, -12, 12, 5), dtype="int64"), T(values=(0, 18, -18, 0), dtype="int64"))
    case(name, T(values=(100, 0, -4, -128), dtype="int8"), T(values=(99, 5, 6, 0), dtype="int8"))
    error(name, T(3), T(3))
    error(name, BOOLS, BOOLS)
case("ldexp", INTS, INTS)
case("ldexp", T(values=(1.0, 3.0, 1e-38, 1e38)), T(values=(3, -2, 100, -200), dtype="int32"), grad=False)
error("ldexp", T(3), 2.0)
pair("float_power", low=0.2)
case("float_power", T(3, 4, low=0.2), 2.5)
case("float_power", 2, T(3, 4))
case("float_power", INTS, 2)
case("float_power", INTS, T(values=(-1, 2, 3), dtype="int64"))
error("float_power", T(3), fn=lambda ns, x: x.float_power_(2))

# ---- special functions.  PyTorch's float32 values are those of float32 arithmetic, some of them tens of units off;
# tests/test_special.py compares float64 with mpmath ----
unary("lgamma", 0.3, 6)
unary("digamma", 0.3, 6, f64=False)
unary("erfinv", -0.9, 0.9)
unary("i0", -4, 4)
case("lgamma", T(9, low=-3.9, high=-3.1, dtype="float64"), ulp=200)
case("digamma", T(9, low=-3.9, high=-3.1, dtype="float64"), ulp=200, grad=False)
case("digamma", T(values=(0.0, -0.0, -1.0, -2.5, INF, -INF, NAN)), grad=False)
case("erfinv", T(values=(0.0, -0.0, 1.0, -1.0, 2.0, NAN)), grad=False)
for name in ("special_psi", "special_digamma", "special_gammaln", "special_erfinv", "special_i0"):
    case(name, T(3, 4, low=0.2, high=0.9))
for name in ("polygamma", "special_polygamma"):
    for n in (0, 1, 2, 5):
        case(name, n, T(3, 4, low=0.5, high=5), ulp=16)
        if n > 1:
            case(name, n, T(9, low=0.5, high=5, dtype="float64"), ulp=16)
case("polygamma", 1, INTS)
error("polygamma", -1, T(3))
for name in ("mvlgamma", "special_multigammaln"):
    case(name, T(3, 4, low=2, high=6), 3)
    case(name, T(5, low=2, high=6, dtype="float64"), 2)
case("mvlgamma", INTS, 1)
error("mvlgamma", T(3), 0)
error("mvlgamma", BOOLS, 1)
for name in ("igamma", "igammac", "special_gammainc", "special_gammaincc"):
    low = T(3, 4, low=0.2, high=6, grad=False)
    case(name, low, T(3, 4, low=0.2, high=6))
    case(name, T(4, low=0.2, high=6, grad=False), T(3, 4, low=0.2, high=6, dtype="float64"), ulp=16, grad=False)
    case(name, T(5, low=0.2, high=6, dtype="float16", grad=False), T(5, low=0.2, high=6, dtype="float16"), gradgrad=False)
    error(name, INTS, INTS)
for name in ("igamma", "igammac"):
    case(name, T(values=(-1.0, 1.0, 0.0, 0.0, 1.0, INF, INF, 1.0, NAN)), T(values=(1.0, -1.0, 0.0, 1.0, 0.0, 1.0, INF, INF, 1.0)), grad=False)
    case(name, T(3, 4, low=0.2, high=6), T(3, 4, low=0.2, high=6))
case("special_zeta", T(3, 4, low=1.2, high=6, grad=False), T(3, 4, low=0.3, high=6), ulp=16)
case("special_zeta", T(3, 4, low=1.2, high=6, grad=False), T(4, low=0.3, high=6, dtype="float64"), ulp=16)
case("special_zeta", 2.5, T(3, 4, low=0.3, high=6), ulp=16)
case("special_zeta", T(3, 4, low=1.2, high=6), 2.5, ulp=16)
case("special_zeta", INTS, INTS)
case("special_zeta", T(values=(1.0, 0.5, 2.0, 2.0, 2.5, NAN)), T(values=(1.0, 1.0, 0.0, -1.0, -1.5, 2.0)), grad=False)
error("special_zeta", T(3, dtype="float16"), T(3, dtype="float16"))
unary("special_erfcx", -2, 4, half=False)
unary("special_ndtr", -2, 2)
unary("special_ndtri", 0.05, 0.95, half=False)
unary("special_log_ndtr", -4, 3, half=False)
unary("special_i0e", 0.1, 6, ulp=16)
unary("special_i1", -4, 4, half_grad=False)
unary("special_i1e", 0.1, 6, ulp=16, half_grad=False)
for name in ("bessel_j0", "bessel_j1", "modified_bessel_i0", "modified_bessel_i1", "spherical_bessel_j0", "airy_ai"):
    low, high = (-2, 1) if name == "airy_ai" else (-4, 4)  # elsewhere PyTorch's Ai is up to 1e-5 off in float32
    unary("special_" + name, low, high, half=False, f64=False, ulp=64 if name == "airy_ai" else 4)
    error("special_" + name, T(3, dtype="float16"))
    error("special_" + name, 1.0)
for name in ("bessel_y0", "bessel_y1", "modified_bessel_k0", "modified_bessel_k1", "scaled_modified_bessel_k0", "scaled_modified_bessel_k1"):
    unary("special_" + name, 0.3, 6, half=False, f64=False, ulp=32 if "bessel_y" in name else 4)
    error("special_" + name, T(3, dtype="bfloat16"))
for name in ("chebyshev_polynomial_t", "chebyshev_polynomial_u", "chebyshev_polynomial_v", "chebyshev_polynomial_w",
             "hermite_polynomial_h", "hermite_polynomial_he", "laguerre_polynomial_l", "legendre_polynomial_p"):
    for kind in ("special_" + name, "special_shifted_" + name) if "chebyshev" in name else ("special_" + name,):
        case(kind, T(3, 4), T(4, dtype="int64", low=0, high=6), ulp=16)
        case(kind, T(3, 4, dtype="float64"), T(4, low=0, high=6), ulp=16)
        case(kind, T(5, low=-0.9, high=0.9, dtype="float64"), 12, ulp=64)
        case(kind, 0.5, T(values=(0, 1, 2, 3, 9, -1), dtype="int64"), ulp=16)
        case(kind, INTS, INTS)
        case(kind, T(values=(1.0, 1.0, -1.0, -1.0, 0.0)), T(values=(3.0, 4.0, 3.0, 4.0, 5.0)))
        error(kind, T(3, dtype="float16"), 2)
