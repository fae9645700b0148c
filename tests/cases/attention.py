"""Scaled dot-product attention: shapes, masks, dropout, grouped heads, layouts, half precision, errors."""

from samples import T, case, error

ATTEND = "scaled_dot_product_attention"
Q, K = T(2, 3, 3, 4), T(2, 3, 5, 4)
KEEP = T(values=((1, 0, 1, 1, 0), (0, 0, 0, 0, 0), (1, 1, 0, 0, 0)), dtype="bool")
# PyTorch's kernel is made of other nodes where its fused one does not apply.
ELSEWHERE = {"node": False}

for keywords in ({}, {"is_causal": True}, {"scale": 0.3}, {"scale": -1.5}):
    case(ATTEND, Q, K, K, **keywords, ulp=32)
    case(ATTEND, T(2, 3, 4), T(2, 6, 4), T(2, 6, 5), **keywords, **ELSEWHERE, ulp=32)
case(ATTEND, T(1, 1, 66, 2), T(1, 1, 130, 2), T(1, 1, 130, 2), is_causal=True, ulp=64, gradgrad=False)
case(ATTEND, Q, K, K, KEEP, ulp=32)
case(ATTEND, Q, K, K, T(3, 5, grad=False), ulp=32)
case(ATTEND, Q, K, K, T(2, 1, 3, 5, grad=False), ulp=32)
case(ATTEND, Q, K, K, T(3, 1, 5), **ELSEWHERE, ulp=32)
case(ATTEND, Q, K, K, T(3, 1, grad=False), **ELSEWHERE, ulp=32)
case(ATTEND, T(3, 4), T(5, 4), T(5, 4), KEEP, **ELSEWHERE, ulp=32)
case(ATTEND, T(2, 3, 2, 4), T(5, 4), T(3, 5, 2), **ELSEWHERE, ulp=32)
case(ATTEND, Q, K, K, None, 0.4, seed=3, **ELSEWHERE, ulp=32)
case(ATTEND, Q, K, K, KEEP, 0.4, seed=3, **ELSEWHERE, ulp=32)
case(ATTEND, Q, K, K, None, 1.0, **ELSEWHERE)
case(ATTEND, T(2, 4, 3, 2), T(2, 2, 5, 2), T(2, 2, 5, 2), enable_gqa=True, ulp=32)
case(ATTEND, T(6, 2, 4), T(3, 3, 4), T(2, 3, 4), enable_gqa=True, **ELSEWHERE, ulp=32)
GROUPED = (T(2, 4, 2, 4), T(2, 2, 3, 4), T(2, 2, 3, 4), T(4, 2, 3))
case(ATTEND, *GROUPED, 0.3, enable_gqa=True, seed=1, **ELSEWHERE, ulp=32)
case(ATTEND, T(2, 3, 3, 4, layout="t"), T(2, 3, 5, 4, layout="step"), T(2, 3, 5, 4, layout="offset"), **ELSEWHERE, ulp=32)
case(ATTEND, Q, T(2, 3, 5, 4, layout="expand"), T(2, 3, 5, 4, layout="t"), **ELSEWHERE, ulp=32)
case(ATTEND, *(T(2, 2, n, 4, dtype="float64") for n in (3, 5, 5)))
for empty in ((0, 3), (3, 0), (0, 0)):
    case(ATTEND, T(2, 3, empty[0], 4), *(T(2, 3, empty[1], 4),) * 2, **ELSEWHERE)
error(ATTEND, T(8), T(8), T(8))
error(ATTEND, Q, T(2, 3, 5, 4, dtype="float64"), K)
error(ATTEND, *(T(3, 5, 8, dtype="int64"),) * 3)
error(ATTEND, T(3, 5, 8), T(3, 7, 9), T(3, 7, 8))
error(ATTEND, T(3, 5, 8), T(3, 7, 8), T(3, 6, 8))
error(ATTEND, T(5, 8), T(7, 9), T(7, 8))
error(ATTEND, T(2, 5, 8), T(3, 7, 8), T(3, 7, 8))
error(ATTEND, Q, K, K, T(3, 6))
error(ATTEND, Q, K, K, T(5))
error(ATTEND, Q, K, K, T(3, 5, dtype="int32"))
error(ATTEND, Q, K, K, T(3, 5, dtype="float64"))
error(ATTEND, T(1, 3, 5, 8), T(1, 3, 7, 8), T(1, 3, 7, 8), T(4, 3, 5, 7))
error(ATTEND, T(5, 8), T(7, 8), T(7, 8), T(5, 7), is_causal=True)
error(ATTEND, Q, K, K, None, 1.5)
error(ATTEND, T(5, 8), T(7, 8), T(7, 8), enable_gqa=True)
error(ATTEND, T(2, 4, 3, 4), K, K, enable_gqa=True)
