"""Comparison and logic."""

from samples import T, case, error

NAN, INF = float("nan"), float("inf")
SPECIAL = T(values=(NAN, INF, -INF, 0.0, -0.0, 1.0))
SMALL = T(3, 4, dtype="int64", low=0, high=3)

for name in ("eq", "ne", "lt", "le", "gt", "ge"):
    case(name, T(3, 4), T(4))
    case(name, SMALL, T(4, dtype="int64", low=0, high=3))
    case(name, SMALL, 1)
    case(name, SMALL, 1.5)
    case(name, SPECIAL, T(values=(NAN, INF, INF, -0.0, 0.0, 2.0)))
    case(name, T(3, 4, dtype="float16"), 0.5)
    case(name, T(4, dtype="bool"), T(4, dtype="bool"))
    case(name, T(3, 4, dtype="uint8"), T(4, dtype="int8"))
    case(name, T(0), T(1))
    error(name, T(3), T(4))
for name in ("logical_and", "logical_or", "logical_xor"):
    case(name, T(3, 4, dtype="bool"), T(4, dtype="bool"))
    case(name, SMALL, T(4, dtype="bool"))
    case(name, SPECIAL, T(values=(0.0, 1.0, 0.0, 1.0, 0.0, 1.0)))
    error(name, T(3), T(4))
case("logical_not", SMALL)
case("logical_not", SPECIAL)
case("logical_not", T(4, dtype="bool"))
for name in ("isnan", "isinf", "isfinite"):
    case(name, SPECIAL)
    case(name, SMALL)
    case(name, T(values=(NAN, INF, 1.0), dtype="float16"))
case("isclose", T(values=(1.0, 1.0, NAN, INF)), T(values=(1.0 + 1e-6, 1.1, NAN, INF)))
case("isclose", T(values=(1.0, NAN)), T(values=(1.05, NAN)), rtol=0.1, equal_nan=True)
case("isclose", SMALL, T(4, dtype="int64", low=0, high=3))
error("isclose", T(3), T(3, dtype="float64"))
case("allclose", T(3, 4), T(3, 4))
case("allclose", T(values=(1.0, 2.0)), T(values=(1.0, 2.0000001)))
case("equal", T(values=(1.0, 2.0)), T(values=(1.0, 2.0)))
case("equal", T(3), T(4))
case("equal", T(3, dtype="int64", low=1, high=2), T(3, low=1.0, high=1.0))
