/* integer.tmpl.h: element-wise kernels of an integer dtype.
 * Needs T, U (unsigned, no narrower than T), DTYPE, NAME(f); undefines them at its end. */

/* Division truncates in C.  The divisor is not 0 (operators check); -1 is apart because the least
 * value / -1 traps. */
static inline T NAME(quotient)(T x, T y)
{
    return y == 0 ? 0 : y == (T)-1 && (T)-1 < 0 ? (T)(0 - (U)x) : (T)(x / y);
}

static inline T NAME(modulus)(T x, T y) { return (T)((U)x - (U)NAME(quotient)(x, y) * (U)y); }

static inline T NAME(floor_quotient)(T x, T y)
{
    T q = NAME(quotient)(x, y), r = NAME(modulus)(x, y);
    return r != 0 && (r < 0) != (y < 0) ? (T)(q - 1) : q;
}

static inline T NAME(floor_remainder)(T x, T y)
{
    T r = NAME(modulus)(x, y);
    return r != 0 && (r < 0) != (y < 0) ? (T)(r + y) : r;
}

/* x ** y, wrapping.  Negative powers are 0 but for x = 1 and x = -1. */
static inline T NAME(power)(T x, T y)
{
    if (y < 0)
        return x == 1 ? 1 : x == (T)-1 ? (T)(y % 2 ? -1 : 1) : 0;
    U result = 1, base = (U)x;
    for (uint64_t e = (uint64_t)y; e; e >>= 1) {
        if (e & 1)
            result *= base;
        base *= base;
    }
    return (T)result;
}

enum { NAME(bits) = 8 * sizeof(T), NAME(is_signed) = (T)-1 < 0 };

/* Shifts by a negative number or by the whole width: all bits leave. */
static inline T NAME(shift_left)(T x, T y)
{
    return y < 0 || (uint64_t)y >= NAME(bits) ? 0 : (T)((U)x << y);
}

static inline T NAME(shift_right)(T x, T y)
{
    int most = NAME(bits) - NAME(is_signed);
    if (y < 0 || (uint64_t)y >= (uint64_t)most)
        return x < 0 ? (T)-1 : (T)(sizeof(T) < 8 ? x >> most : 0);
    return (T)(x >> y);
}

MAP2_XS(ADD, T, (U)x + (U)y)
MAP2_XS(SUB, T, (U)x - (U)y)
MAP2_XS(MUL, T, (U)x *(U)y)
MAP2(ADD_SCALED, T, const U c = (U)a->i[0], (U)x + c * (U)y)
MAP2(DIV_FLOOR, T, , NAME(floor_quotient)(x, y))
MAP2(DIV_TRUNC, T, , NAME(quotient)(x, y))
MAP2(REMAINDER, T, , NAME(floor_remainder)(x, y))
MAP2(FMOD, T, , NAME(modulus)(x, y))
MAP2(POW, T, , NAME(power)(x, y))
MAP2(MAXIMUM, T, , x < y ? y : x)
MAP2(MINIMUM, T, , y < x ? y : x)
MAP2(HEAVISIDE, T, , x == 0 ? y : (T)(x > 0))
MAP2(BITAND, T, , x &y)
MAP2(BITOR, T, , x | y)
MAP2(BITXOR, T, , x ^ y)
MAP2(SHL, T, , NAME(shift_left)(x, y))
MAP2(SHR, T, , NAME(shift_right)(x, y))

MAP2_XS(EQ, uint8_t, x == y)
MAP2_XS(NE, uint8_t, x != y)
MAP2_XS(LT, uint8_t, x < y)
MAP2_XS(LE, uint8_t, x <= y)
MAP2_XS(GT, uint8_t, x > y)
MAP2_XS(GE, uint8_t, x >= y)
MAP2(LOGICAL_AND, uint8_t, , (x != 0) & (y != 0))
MAP2(LOGICAL_OR, uint8_t, , (x != 0) | (y != 0))
MAP2(LOGICAL_XOR, uint8_t, , (x != 0) ^ (y != 0))
MAP1(LOGICAL_NOT, uint8_t, , x == 0)
MAP1(SIGNBIT, uint8_t, , x < 0)

MAP1(NEG, T, , 0 - (U)x)
MAP1(ABS, T, , x < 0 ? 0 - (U)x : (U)x)
MAP1(SIGN, T, , (x > 0) - (x < 0))
MAP1(SQUARE, T, , (U)x *(U)x)
MAP1(BITNOT, T, , ~x)
MAP1(POW_SCALAR, T, const T e = (T)a->i[0], NAME(power)(x, e))
MAP1(CLAMP, T, const int64_t lo = a->i[0]; const int64_t hi = a->i[1], (x < lo ? lo : x) > hi ? hi
                                                                       : x < lo               ? lo
                                                                                              : x)
MAP3(CLAMP_TENSOR, T, , (x < y ? y : x) > z ? z : x < y ? y : x)
MAP1(RELU, T, , x < 0 ? 0 : x)
MAP1(THRESHOLD, T, const T at = (T)a->i[0]; const T value = (T)a->i[1], x <= at ? value : x)
MAP3X(WHERE, T, uint8_t, , x ? y : z)
MAP3(ADDCMUL, T, const U c = (U)a->i[0], (U)x + c * (U)y * (U)z)

static void NAME(integer_fill)(rl_kernels *t)
{
    SET(ADD), SET(SUB), SET(MUL), SET(ADD_SCALED), SET(DIV_FLOOR), SET(DIV_TRUNC), SET(REMAINDER),
        SET(FMOD), SET(POW), SET(MAXIMUM), SET(MINIMUM), SET(BITAND), SET(BITOR), SET(BITXOR),
        SET(SHL), SET(SHR), SET(EQ), SET(NE), SET(LT), SET(LE), SET(GT), SET(GE), SET(LOGICAL_AND),
        SET(LOGICAL_OR), SET(LOGICAL_XOR), SET(LOGICAL_NOT), SET(SIGNBIT), SET(NEG), SET(ABS),
        SET(SIGN), SET(SQUARE), SET(BITNOT), SET(HEAVISIDE), SET(POW_SCALAR), SET(CLAMP),
        SET(CLAMP_TENSOR), SET(RELU), SET(THRESHOLD), SET(WHERE), SET(ADDCMUL);
}

#undef T
#undef U
#undef DTYPE
#undef NAME
