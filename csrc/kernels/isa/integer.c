/* integer.c: the element-wise kernels of int64, int32 and bool.  int16, int8 and uint8 have none:
 * the iterator converts blocks to int32, whose results cut to the width are the same. */
#include "isa.h"

#include "loops.h"

/* "x < 0" is in the templates for the signed dtypes; for uint8 it is meant to vanish. */
#pragma GCC diagnostic ignored "-Wtype-limits"

/* U: unsigned and at least as wide, in which sums and products wrap without undefined behaviour. */
#define T int64_t
#define U uint64_t
#define DTYPE RL_I64
#define NAME(f) K(f##_i64)
#include "integer.tmpl.h"

#define T int32_t
#define U uint32_t
#define DTYPE RL_I32
#define NAME(f) K(f##_i32)
#include "integer.tmpl.h"

/* ---- bool: bytes 0 and 1 ---- */

#define T uint8_t
#define DTYPE RL_BOOL
#define NAME(f) K(f##_bool)

MAP2(ADD, T, , x | y)
MAP2(MUL, T, , x &y)
MAP2(MAXIMUM, T, , x | y)
MAP2(MINIMUM, T, , x &y)
MAP2(HEAVISIDE, T, , x | y)
MAP2(BITAND, T, , x &y)
MAP2(BITOR, T, , x | y)
MAP2(BITXOR, T, , x ^ y)
MAP1(BITNOT, T, , x ^ 1)
MAP2_XS(EQ, T, x == y)
MAP2_XS(NE, T, x != y)
MAP2_XS(LT, T, x < y)
MAP2_XS(LE, T, x <= y)
MAP2_XS(GT, T, x > y)
MAP2_XS(GE, T, x >= y)
MAP2(LOGICAL_AND, T, , x &y)
MAP2(LOGICAL_OR, T, , x | y)
MAP2(LOGICAL_XOR, T, , x ^ y)
MAP1(LOGICAL_NOT, T, , x ^ 1)

MAP1(SIGN, T, , x)
MAP3X(WHERE, T, uint8_t, , x ? y : z)

void K(fill_integer)(rl_kernels *t);
void K(fill_integer)(rl_kernels *t)
{
    K(integer_fill_i64)(t);
    K(integer_fill_i32)(t);
    SET(ADD), SET(MUL), SET(MAXIMUM), SET(MINIMUM), SET(BITAND), SET(BITOR), SET(BITXOR),
        SET(BITNOT), SET(EQ), SET(NE), SET(LT), SET(LE), SET(GT), SET(GE), SET(LOGICAL_AND),
        SET(LOGICAL_OR), SET(LOGICAL_XOR), SET(LOGICAL_NOT), SET(SIGN), SET(HEAVISIDE), SET(WHERE);
}
