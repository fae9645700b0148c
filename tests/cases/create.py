"""Constructors."""

from samples import T, case, error

case("empty", 3, 0)
case("empty_strided", (2, 0), (1, 2))
for name in ("zeros", "ones"):
    case(name, 2, 3)
    case(name, (2, 3), dtype="torch.int64")
    case(name, ())
    case(name, [2], dtype="torch.bool")
    error(name, -1)
    error(name, 2, "a")
case("full", (2, 3), 1.5)
case("full", (2,), 7)
case("full", (2,), True)
case("full", (), 3, dtype="torch.float64")
for name in ("zeros_like", "ones_like"):
    case(name, T(3, 4, layout="t"))
    case(name, T(3, dtype="int64"))
    case(name, T(3), dtype="torch.int8")
case("empty_like", T(0, 3))
case("full_like", T(3, 4), 2.5)
case("full_like", T(3, dtype="int64"), 2)
case("arange", 5)
case("arange", 2, 8)
case("arange", 2, 8, 3)
case("arange", 5, 0, -2)
case("arange", 0.5)
case("arange", 0, 1, 0.1)
case("arange", 3, dtype="torch.float64")
case("arange", 0)
error("arange", 0, 5, 0)
error("arange", 0, 5, -1)
case("range", 1, 4)
case("range", 0, 1, 0.25)
case("range", 7, 9, dtype="torch.float16")
case("eye", 3, fn=lambda ns, n: ns.eye(n, out=ns.empty(0, dtype=ns.int8)))
case("linspace", 0, 1, 5, fn=lambda ns, *a: ns.linspace(*a, out=ns.empty(0, dtype=ns.float64)))
error("zeros", 3, fn=lambda ns, n: ns.zeros(n, dtype=ns.int32, out=ns.empty(0)))
error("zeros", fn=lambda ns: ns.zeros(dtype=ns.int32))
case("linspace", 0, 1, 7)
case("linspace", -3, 10, 5)
case("linspace", 2, 9, 1)
case("linspace", 0, 10, 4, dtype="torch.int64")
case("linspace", 0, 1, 0)
error("linspace", 0, 1, -1)
case("logspace", 0, 2, 5)
case("logspace", 0, 3, 4, 2.0)
case("eye", 3)
case("eye", 2, 4)
case("eye", 2, dtype="torch.int64")
error("eye", -1)


def inplace(name):
    def fn(ns, x, *args):
        y = x * 1
        getattr(y, name)(*args)
        return y

    return fn


case("copy_", T(3, 4), T(4), fn=inplace("copy_"))
case("copy_", T(3, 4), T(4, dtype="int64"), fn=inplace("copy_"))
error("copy_", T(3, 4), T(3), fn=lambda ns, x, y: x.copy_(y))
case("fill_", T(3, 4), 2.5, fn=inplace("fill_"))
case("fill_", T(3, 4), T(), fn=inplace("fill_"))
case("fill_", T(3, 4, dtype="int64"), 2, fn=inplace("fill_"))
case("zero_", T(3, 4), fn=inplace("zero_"))
case("zero_", T(3, 4), fn=lambda ns, x: ns.zero_(x * 1))
