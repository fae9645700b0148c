"""Functions of one element."""

from samples import T, case, error

NAN, INF = float("nan"), float("inf")
SPECIAL = T(values=(0.0, -0.0, 1.0, -1.0, INF, -INF, NAN, 1e-40, 88.5, -104.0, 3e38))
DOMAIN = {
    "log": (0.05, 5), "log2": (0.05, 5), "log10": (0.05, 5), "log1p": (-0.9, 5), "sqrt": (0.1, 5), "rsqrt": (0.1, 5),
    "reciprocal": (0.2, 3), "asin": (-0.95, 0.95), "acos": (-0.95, 0.95), "tan": (-1.4, 1.4),
    "acosh": (1.1, 5), "atanh": (-0.95, 0.95),
}
KEEPS_INTEGERS = ("abs", "absolute", "neg", "negative", "square", "floor", "ceil", "round", "trunc", "sign", "positive")
# Functions with jumps or whose float32 value near a zero or a pole is not determined to 4 units by the argument.
SMOOTH = ("exp", "exp2", "expm1", "sin", "cos", "atan", "sinh", "cosh", "tanh", "asinh",
          "erf", "erfc", "sigmoid", *DOMAIN)

for name in SMOOTH + KEEPS_INTEGERS:
    low, high = DOMAIN.get(name, (-3, 3))
    case(name, T(3, 4, low=low, high=high))
    case(name, T(2, 3, 4, low=low, high=high, layout="t"))
    case(name, T(3, 5, low=low, high=high, layout="step"))
    case(name, T(0, 3))
    case(name, T(low=low, high=high))
    case(name, T(67, low=low, high=high, dtype="float64"))
    case(name, T(33, low=low, high=high, dtype="float16"), gradgrad=False)
    case(name, T(33, low=low, high=high, dtype="bfloat16"), gradgrad=False)
    case(name, T(5, dtype="int64", low=1))
    case(name, T(5, dtype="uint8", low=1))
    if name not in ("sin", "cos", "tan"):  # 3e38 radians: the reduction differs between libraries' versions
        case(name, SPECIAL, grad=False)
    else:
        case(name, T(values=(0.0, -0.0, INF, NAN, 1e-40, 100.0, 1e4)), grad=False)
    if name not in ("neg", "negative", "positive", "abs", "absolute", "square"):
        case(name, T(values=(True, False), dtype="bool")) if name in SMOOTH else None
error("neg", T(3, dtype="bool"))
error("floor", T(3, dtype="bool"))
case("abs", T(5, dtype="int8"))
case("frac", T(3, 4, low=-9, high=9))
error("frac", T(3, dtype="int64"))
case("round", T(values=(0.5, 1.5, 2.5, -0.5, -1.5, 1e10)), gradgrad=False)
case("round", T(3, 4, low=-50, high=50), decimals=1)
case("round", T(3, 4, low=-500, high=500), decimals=-2)
for name in ("clamp", "clip"):
    case(name, T(3, 4), -0.5, 0.5)
    case(name, T(3, 4), min=0.1)
    case(name, T(3, 4), max=0.1)
    case(name, T(3, 4), T(4, low=-1, high=0), T(4, low=0, high=1))
    case(name, T(3, 4, dtype="int64"), -2, 3)
    case(name, T(3, 4, dtype="int64"), -1.5, 2.5)
    case(name, T(values=(NAN, INF, -INF, 0.5)), -1.0, 1.0, gradgrad=False)
    case(name, T(3, 4), 1.0, -1.0)
    error(name, T(3, 4))
case("sgn", T(3, 4), grad=False)  # PyTorch's gradient is a tensor without storage
case("sgn", T(5, dtype="int64"))
for dtype in ("float32", "float64", "int32", "uint8", "bool"):
    case("signbit", T(3, 4, dtype=dtype))
case("signbit", SPECIAL)
case("clamp_min", T(3, 4), 0.2)
case("clamp_min", T(3, 4), T(4))
case("clamp_max", T(3, 4), 0.2)
case("clamp_max", T(3, 4), T(4))
case("nan_to_num", T(values=(NAN, INF, -INF, 0.5)), gradgrad=False)
case("nan_to_num", T(values=(NAN, INF, -INF, 0.5)), 1.0, posinf=2.0, neginf=-3.0, gradgrad=False)
