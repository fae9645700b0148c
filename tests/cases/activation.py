"""Activations."""

from samples import T, case, error

NAN, INF = float("nan"), float("inf")
SPECIAL = T(values=(0.0, -0.0, INF, -INF, NAN, 30.0, -30.0))
PLAIN = ("relu", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish", "softplus", "logsigmoid", "hardtanh",
         "hardsigmoid", "hardswish", "sigmoid")

for name in PLAIN:
    case(name, T(3, 4, low=-4, high=4), ulp=8)  # PyTorch's gelu cancels below -3
    case(name, T(5, 3, low=-4, high=4, layout="t"))
    if name != "hardsigmoid":  # PyTorch's derivative multiplies float64 by a float32 sixth
        case(name, T(33, low=-4, high=4, dtype="float64"))
    case(name, T(33, low=-4, high=4, dtype="bfloat16"), gradgrad=False)
    if name != "gelu":  # PyTorch gives nan at both infinities, where the function has the limits inf and 0
        case(name, SPECIAL, grad=False)
    case(name, T(0))
case("relu", T(values=(0.0, 1.0, -1.0)), gradgrad=False)
case("relu", T(5, dtype="int64"))
error("relu", T(3, dtype="bool"))
case("leaky_relu", T(3, 4), 0.2)
case("elu", T(3, 4), 0.7)
case("celu", T(3, 4), 0.7)
case("gelu", T(3, 4, low=-4, high=4), approximate="tanh")
error("gelu", T(3), approximate="other")
case("softplus", T(3, 4, low=-4, high=4), 2.0, 3.0)
case("hardtanh", T(3, 4), -0.5, 0.7)
case("threshold", T(3, 4), 0.3, -7.0)
case("prelu", T(3, 4), T(1))
case("prelu", T(3, 4), T(4))
case("prelu", T(2, 3, 4), T(3))
error("prelu", T(3, 4), T(3))
case("log_sigmoid", T(5), fn=lambda ns, x: ns.nn.functional.logsigmoid(x))
for name in ("hardshrink", "softshrink"):
    shrink = None if name == "hardshrink" else lambda ns, x, *a: getattr(ns._C._nn, "softshrink")(x, *a)
    for args in ((T(3, 4),), (T(5, 3, layout="t"), 1.0), (T(7, dtype="bfloat16"), 0.2), (T(9, dtype="float64"), 0), (T(0),)):
        case(name, *args, fn=shrink, gradgrad=False)
    case(name, SPECIAL, fn=shrink, grad=False)
    case(name, T(values=(0.5, -0.5, 0.25, 2.0)), fn=shrink, gradgrad=False)
    error(name, T(3, dtype="int64"), fn=shrink)
error("softshrink", T(3), -1.0, fn=lambda ns, x, v: ns._C._nn.softshrink(x, v))
for training in (True, False):
    for x in (T(3, 4), T(5, 3, layout="t"), T(9, dtype="float64"), T(40, dtype="bfloat16"), T(0), T()):
        case("rrelu", x, 0.1, 0.4, training, seed=3)
    error("rrelu", T(3, dtype="int64"), 0.1, 0.4, training)
case("rrelu", T(3, 4))
error("rrelu", T(3), 0.4, 0.1, True)

for layout in ("", "t", "step"):
    case("glu", T(4, 6, layout=layout))
    case("glu", T(4, 6, layout=layout), 0)
case("glu", T(2, 4, 3), 1)
case("glu", T(2, 4, dtype="float16"))
case("glu", T(2, 4, dtype="bfloat16"))
case("glu", T(0, 4))
error("glu", T(3))
error("glu", T(2, 4), 2)
error("glu", T(values=1.0))
error("glu", T(4, dtype="int64"))
