"""Pooling."""

from samples import T, case, error

case("max_pool1d", T(2, 3, 9), 3)
case("max_pool1d", T(3, 9), 3, 2, 1, 1, True)
case("max_pool1d_with_indices", T(2, 3, 9), 3, 2, 1)
case("max_pool2d", T(2, 3, 6, 7), 2)
case("max_pool2d", T(2, 3, 6, 7), (3, 2), (2, 1), (1, 0))
case("max_pool2d", T(3, 6, 7), 3, 2, 1, 2, True)
case("max_pool2d", T(2, 3, 4, 4, dtype="int64"), 2)
case("max_pool2d", T(2, 3, 4, 4, dtype="bfloat16"), 2, grad=False)
case("max_pool2d", T(2, 3, 4, 4, layout="t"), 2, strides=False)
case("max_pool2d", T(0, 3, 4, 4), 2, grad=False)
case("max_pool2d", T(values=[[[float("nan"), 1.0, 2.0, float("-inf")], [3.0, 1.0, 2.0, 2.0]]]), 2, grad=False)
case("max_pool2d_with_indices", T(2, 3, 6, 7), 3, 2, 1)
case("max_pool3d", T(2, 3, 4, 5, 4), 2)
case("max_pool3d_with_indices", T(3, 4, 5, 4), (2, 3, 2), 2, (1, 1, 0), 1, True)
case("avg_pool1d", T(2, 3, 9), 3)
case("avg_pool1d", T(3, 9), 3, 2, 1, True, False)
case("avg_pool2d", T(2, 3, 6, 7), 2)
case("avg_pool2d", T(2, 3, 6, 7), (3, 2), (2, 1), (1, 0))
case("avg_pool2d", T(3, 6, 7), 3, 2, 1, True, False)
case("avg_pool2d", T(2, 3, 6, 7), 3, 2, 1, True, True)
case("avg_pool2d", T(2, 3, 6, 7), 3, 2, 1, divisor_override=5)
case("avg_pool2d", T(2, 3, 4, 4, dtype="int64"), 2)
case("avg_pool3d", T(2, 3, 4, 5, 4), 2)
case("avg_pool3d", T(3, 4, 5, 4), (2, 3, 2), 2, (1, 1, 0), True, False)
case("adaptive_avg_pool1d", T(2, 3, 7), 3)
case("adaptive_avg_pool2d", T(2, 3, 6, 7), (4, 3))
case("adaptive_avg_pool2d", T(3, 6, 7), (None, 3))
case("adaptive_avg_pool2d", T(2, 3, 6, 7), 1)
case("adaptive_avg_pool2d", T(2, 3, 3, 4), 5)
case("adaptive_avg_pool3d", T(2, 3, 4, 5, 4), (3, 2, 4))
case("adaptive_max_pool1d", T(2, 3, 7), 3, fn=lambda ns, x, n: ns.nn.functional.adaptive_max_pool1d(x, n))
case("adaptive_max_pool2d", T(2, 3, 6, 7), (4, 3))
case("adaptive_max_pool2d", T(3, 6, 7), (None, 3), return_indices=True)
case("adaptive_max_pool3d", T(2, 3, 4, 5, 4), (3, 2, 4), return_indices=True)
for args in (
    (T(2, 3, 6, 6), 3, 1, 2),
    (T(2, 3, 6, 6), 7),
    (T(2, 3, 6, 6), 3, 0),
    (T(2, 3, 6, 6), 0),
    (T(2, 3, 6, 6), 3, 1, -1),
    (T(2, 3, 6, 6), (3, 3, 3)),
    (T(2, 3, 6, 6), 3, (1, 2, 3)),
    (T(2, 3, 0, 6), 2),
    (T(2, 3, 6, 6, dtype="bool"), 2),
):
    error("max_pool2d", *args)
    error("avg_pool2d", *args)
error("max_pool2d", T(6, 6), 2)
error("max_pool2d", T(2, 3, 6, 6), 3, dilation=0)
error("max_pool1d", T(6), 3)
error("max_pool3d", T(4, 4), 3)
error("avg_pool2d", T(2, 3, 6, 6), 3, divisor_override=0)
error("avg_pool1d", T(6), 3)
error("avg_pool3d", T(2, 3, 4, 4, 4), 5)
error("adaptive_avg_pool2d", T(2, 3, 6, 6), (3, 3, 3))
error("adaptive_avg_pool2d", T(2, 3, 6, 6), -1)
error("adaptive_avg_pool2d", T(6, 6), 2)
error("adaptive_avg_pool2d", T(2, 3, 0, 6), 2)
error("adaptive_avg_pool2d", T(2, 3, 6, 6, dtype="int64"), 2)
error("adaptive_max_pool2d", T(2, 3, 6, 6), -1)
error("adaptive_max_pool2d", T(2, 3, 6, 6, dtype="int64"), 2)
