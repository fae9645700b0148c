"""Convolutions and borders."""

from samples import T, case, error

case("conv1d", T(2, 3, 9), T(4, 3, 3), T(4), ulp=32)
case("conv1d", T(2, 4, 9), T(4, 2, 3), None, 2, 1, 2, 2, ulp=32)
case("conv1d", T(3, 9), T(4, 3, 2), padding="same", ulp=32, node=False)
case("conv1d", T(2, 3, 5, dtype="int64"), T(4, 3, 3, dtype="int64"))
case("conv2d", T(2, 3, 6, 7), T(4, 3, 3, 2), T(4), ulp=32)
case("conv2d", T(2, 3, 6, 7, layout="t"), T(4, 3, 3, 2, layout="step"), padding="valid", ulp=32, strides=False)
case("conv2d", T(2, 4, 6, 7), T(6, 2, 3, 2), T(6), (2, 1), (1, 2), (1, 2), 2, ulp=32)
case("conv2d", T(2, 3, 5, 4, dtype="float64"), T(2, 3, 1, 1, dtype="float64"), ulp=32)
case("conv2d", T(0, 3, 5, 5), T(2, 3, 3, 3), grad=False)
case("conv2d", T(1, 2, 5, 5, dtype="bfloat16"), T(2, 2, 3, 3, dtype="bfloat16"), grad=False)
case("conv3d", T(1, 2, 4, 5, 3), T(3, 2, 2, 3, 2), T(3), ulp=32)
case("conv3d", T(2, 4, 4, 5, 3), T(4, 1, 2, 3, 2), None, 2, 1, 1, 4, ulp=32)
case("conv_transpose1d", T(2, 3, 5), T(3, 4, 3), T(4), ulp=32)
case("conv_transpose1d", T(2, 4, 5), T(4, 3, 3), None, 2, 1, 1, 2, 2, ulp=32)
case("conv_transpose1d", T(4, 5), T(4, 3, 3), ulp=32, node=False)
case("conv_transpose2d", T(2, 3, 4, 3), T(3, 2, 3, 2), T(2), ulp=32)
case("conv_transpose2d", T(2, 4, 4, 3), T(4, 1, 3, 2), T(2), (2, 3), (1, 0), (1, 2), 2, 2, ulp=32)
case("conv_transpose3d", T(1, 2, 3, 2, 3), T(2, 3, 2, 3, 2), T(3), ulp=32)
case("conv_transpose3d", T(1, 4, 2, 2, 3), T(4, 1, 2, 3, 2), None, 2, 1, 1, 2, ulp=32)
for args in (
    (T(2, 2, 6, 6), T(4, 3, 3, 3)),
    (T(2, 3, 6, 6), T(4, 3, 7, 7)),
    (T(3), T(4, 3, 3, 3)),
    (T(2, 3, 6, 6), T(4, 3, 3, 3), T(3)),
    (T(2, 3, 6, 6), T(4, 3, 3, 3), None, 0),
    (T(2, 3, 6, 6), T(4, 3, 3, 3), None, 1, -1),
    (T(2, 3, 6, 6), T(4, 3, 3, 3), None, 1, 0, 0),
    (T(2, 3, 6, 6), T(4, 3, 3, 3), None, 1, 0, 1, 0),
    (T(2, 3, 6, 6), T(4, 3, 3, 3), None, 1, 0, 1, 2),
    (T(2, 3, 6, 6), T(5, 1, 3, 3), None, 1, 0, 1, 3),
    (T(2, 3, 6, 6), T(2, 1, 3, 3), None, 1, 0, 1, 3),
    (T(2, 3, 6, 6), T(4, 3, 3, 3), None, (1, 2, 3)),
    (T(2, 3, 6, 6), T(4, 3, 3, 3), None, 1, "foo"),
    (T(2, 3, 6, 6), T(4, 3, 3, 3), None, 2, "same"),
    (T(2, 3, 6, 6), T(4, 3, 3, 3, dtype="float64")),
    (T(2, 3, 6, 6), T(4, 3, 3, 3), T(4, dtype="float64")),
    (T(2, 3, 6, 6), T(4, 3, 3)),
    (T(2, 3, 0, 6), T(4, 3, 3, 3)),
    (T(2, 3, 6, 6, dtype="bool"), T(4, 3, 3, 3, dtype="bool")),
):
    error("conv2d", *args)
error("conv1d", T(2, 3, 4), T(4, 3, 3, 3))
error("conv3d", T(2, 3, 4, 4, 4), T(4, 3, 5, 3, 3))
error("conv_transpose1d", T(2, 3, 4), T(4, 3, 3))
error("conv_transpose2d", T(2, 3, 6, 6), T(3, 3, 3, 3), None, 1, 0, 1)
error("conv_transpose2d", T(2, 3, 6, 6), T(3, 3, 3, 3), T(5))
error("conv_transpose2d", T(2, 3, 6, 6), T(3, 4, 3, 3), None, 2, 0, -1)
error("conv_transpose2d", T(2, 3, 6, 6), T(3, 4, 3, 3), None, 1, 5)
error("conv_transpose3d", T(2, 3, 6, 6), T(3, 4, 3, 3))

case("constant_pad_nd", T(3, 4), (1, 2))
case("constant_pad_nd", T(2, 3, 4), (1, 2, 0, 3, -1, 1), 2.5)
case("constant_pad_nd", T(3, 4), (-2, -1, 5, -1), -1)
case("constant_pad_nd", T(3, 4, layout="t"), (0, 1), strides=False)
case("constant_pad_nd", T(3, 4), (-4, 2))
case("constant_pad_nd", T(3, dtype="int64"), (1, 1), 7)
case("constant_pad_nd", T(0, 3), (1, 1, 2, 2))
case("constant_pad_nd", T(), ())
error("constant_pad_nd", T(3, 4), (1, 2, 3))
error("constant_pad_nd", T(3), (1, 2, 3, 4))
error("constant_pad_nd", T(3), (-2, -2))


def border(mode):
    return lambda ns, x, widths: ns.nn.functional.pad(x, widths, mode)


for mode in ("reflect", "replicate", "circular"):
    named = mode != "circular"
    case("pad", T(2, 3, 5), (2, 1), fn=border(mode), node=named, strides=False)
    case("pad", T(2, 3, 4, 5), (2, 1, 3, 0), fn=border(mode), node=named, strides=False)
    case("pad", T(2, 3, 4, 5, 3), (2, 1, 0, 3, 1, 1), fn=border(mode), node=named, strides=False, gradgrad=False)
    case("pad", T(3, 4, 5), (-2, 1, 0, -1), fn=border(mode), node=named, strides=False)
    error("pad", T(3, 4), (1, 1, 1, 1), fn=border(mode))
    error("pad", T(3, 4, 5), (1, 1, 1), fn=border(mode))
case("pad", T(2, 3, 4), (1, 2, -1, 1), value=3.5)
error("pad", T(2, 3, 4), (4, 1), fn=border("reflect"))
error("pad", T(2, 3, 4), (5, 1), fn=border("circular"))
error("pad", T(2, 3, 4), (1, 1), fn=border("foo"))
error("pad", T(2, 3, 4), (1, 1), mode="reflect", value=2.0)

case("conv_tbc", T(5, 2, 3), T(2, 3, 4), T(4), 1, node=False)
case("conv_tbc", T(5, 2, 3, dtype="float64"), T(3, 3, 4, dtype="float64"), T(4, dtype="float64"), node=False)
error("conv_tbc", T(5, 2), T(2, 3, 4), T(4))
error("conv_tbc", T(5, 2, 3), T(2, 3), T(4))
error("conv_tbc", T(5, 2, 3), T(2, 2, 4), T(4))
error("conv_tbc", T(5, 2, 3), T(2, 3, 4), T(3))
case("convolution", T(2, 3, 5, 5), T(4, 3, 2, 2), T(4), [2, 1], [1, 0], [1, 1], False, [0, 0], 1)
case("convolution", T(2, 4, 5), T(4, 1, 2), None, [1], [0], [2], False, [0], 4)
case("convolution", T(2, 3, 4, 4), T(3, 2, 2, 2), T(2), [2, 2], [0, 0], [1, 1], True, [1, 0], 1)
error("convolution", T(2, 3, 5, 5), T(4, 3, 2, 2), None, 1, [0, 0], [1, 1], False, [0, 0], 1)
for mode in ("reflect", "replicate"):
    case("border_pad", T(2, 3, 4, 5, layout="t"), (2, 1, 3, 0), fn=border(mode), strides=False)
    case("border_pad", T(2, 4, dtype="complex64"), (1, 2), fn=border(mode), strides=False, gradgrad=False)
    case("border_pad", T(2, 3, 4, dtype="float64"), (1, 2), fn=border(mode), strides=False)
