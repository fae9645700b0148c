/* arith.tmpl.h: arithmetic, comparison and logic of a floating dtype.
 * Needs T, DTYPE, NAME(f), F(f) (the C library's name for T); undefines them at its end. */

/* fmod(x, y) for a quotient of moderate size: x - trunc(x / y) y is exact, and rounding may only
 * have made the quotient one too large. */
#define MODERATE                                                                                   \
    (F(fabs)(x / y) < (sizeof(T) == 4 ? (T)0x1p23 : (T)0x1p52)) & (F(fabs)(y) < (T)INFINITY)
static inline T NAME(near_fmod)(T x, T y)
{
    T r = F(fma)(-F(trunc)(x / y), y, x);
    r = (r < 0) != (x < 0) ? r + F(copysign)(y, x) : r;
    return F(copysign)(F(fabs)(r) == F(fabs)(y) ? 0 : r, x);
}

/* Quotient rounded down, and remainder with the divisor's sign: Python's, by way of the exact fmod.
 */
static inline T NAME(floor_quotient)(T x, T y, T mod)
{
    T div = (x - mod) / y - ((mod != 0) & ((y < 0) != (mod < 0)) ? 1 : 0);
    T down = F(floor)(div);
    down = div - down > (T)0.5 ? down + 1 : down;
    return y == 0 ? x / y : div == 0 ? F(copysign)(0, x / y) : down;
}

static inline T NAME(floor_remainder)(T y, T mod)
{
    return (mod != 0) & ((y < 0) != (mod < 0)) ? mod + y : mod;
}

static inline T NAME(relu6)(T x) { return x < 0 ? 0 : x > 6 ? 6 : x; }

static inline T NAME(smooth_l1)(T d, T beta)
{
    return d < beta ? (T)0.5 * d * d / beta : d - (T)0.5 * beta;
}

static inline T NAME(huber)(T d, T delta)
{
    return d < delta ? (T)0.5 * d * d : delta * (d - (T)0.5 * delta);
}

static double NAME(power_of_ten)(int64_t n)
{
    double p = 1;
    while (n-- > 0 && p < (double)INFINITY)
        p *= 10;
    return p;
}

MAP2_HOT(ADD, T, x + y)
MAP2_HOT(SUB, T, x - y)
MAP2_HOT(MUL, T, x *y)
MAP2_HOT(DIV, T, x / y)
MAP2(ADD_SCALED, T, const T c = (T)a->f[0], x + c * y)
MAP2_BLOCKS(DIV_FLOOR, T, MODERATE, NAME(floor_quotient)(x, y, NAME(near_fmod)(x, y)),
            NAME(floor_quotient)(x, y, F(fmod)(x, y)))
MAP2(DIV_TRUNC, T, , F(trunc)(x / y))
MAP2_BLOCKS(REMAINDER, T, MODERATE, NAME(floor_remainder)(y, NAME(near_fmod)(x, y)),
            NAME(floor_remainder)(y, F(fmod)(x, y)))
MAP2_BLOCKS(FMOD, T, MODERATE, NAME(near_fmod)(x, y), F(fmod)(x, y))
MAP2(MAXIMUM, T, , x != x ? x : y != y ? y : x < y ? y : x)
MAP2(MINIMUM, T, , x != x ? x : y != y ? y : y < x ? y : x)
MAP2(FMAX, T, , y != y ? x : x >= y ? x : y)
MAP2(FMIN, T, , y != y ? x : x <= y ? x : y)
MAP2(COPYSIGN, T, , F(copysign)(x, y))
MAP2(HEAVISIDE, T, , x == 0 ? y : (T)(x > 0))
MAP1(ANGLE, T, , x != x ? x : x < 0 ? (T)3.14159265358979323846 : 0)

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
MAP1(ISNAN, uint8_t, , x != x)
MAP1(ISINF, uint8_t, , F(fabs)(x) == (T)INFINITY)
MAP1(ISFINITE, uint8_t, , F(fabs)(x) < (T)INFINITY)
MAP1(SIGNBIT, uint8_t, , F(copysign)(1, x) < 0)
MAP2(ISCLOSE, uint8_t, const T atol = (T)a->f[0]; const T rtol = (T)a->f[1];
     const int equal_nan = a->i[0] != 0,
     (x == y) |
         ((F(fabs)(x) < (T)INFINITY) & (F(fabs)(y) < (T)INFINITY) &
          (F(fabs)(x - y) <= atol + F(fabs)(rtol * y))) |
         (equal_nan & (x != x) & (y != y)))

MAP1(NEG, T, , -x)
MAP1(ABS, T, , F(fabs)(x))
MAP1(SIGN, T, , (T)((x > 0) - (x < 0)))
MAP1(SQUARE, T, , x *x)
MAP1(FLOOR, T, , F(floor)(x))
MAP1(CEIL, T, , F(ceil)(x))
MAP1(TRUNC, T, , F(trunc)(x))
MAP1(ROUND, T, , F(nearbyint)(x))
MAP1(ROUND_DECIMALS, T, const int down = a->i[0] < 0;
     const T ten = (T)NAME(power_of_ten)(down ? -a->i[0] : a->i[0]),
     down ? F(nearbyint)(x / ten) * ten : F(nearbyint)(x *ten) / ten)
MAP1(FRAC, T, , x - F(trunc)(x))
MAP1(SQRT, T, , F(sqrt)(x))
MAP1(RSQRT, T, , 1 / F(sqrt)(x))
MAP1(RECIPROCAL, T, , 1 / x)
/* nan stays; a limit that is nan makes everything nan, by adding it (else -0, which changes
 * nothing) */
static inline T NAME(clamp)(T x, T lo, T hi)
{
    T v = x < lo ? lo : x;
    return v > hi ? hi : v;
}
MAP1(CLAMP, T, const T lo = (T)a->f[0]; const T hi = (T)a->f[1];
     const T nan = (lo != lo) | (hi != hi) ? (T)NAN : (T)-0.0, NAME(clamp)(x, lo, hi) + nan)
MAP3(CLAMP_TENSOR, T, ,
     x != x                ? x
     : y != y              ? y
     : z != z              ? z
     : (x < y ? y : x) > z ? z
                           : (x < y ? y : x))
MAP1(NAN_TO_NUM, T, const T nan = (T)a->f[0]; const T up = (T)a->f[1];
     const T low = (T)a->f[2], x != x              ? nan
                               : x == (T)INFINITY  ? up
                               : x == -(T)INFINITY ? low
                                                   : x)

MAP3X(WHERE, T, uint8_t, , x ? y : z)
MAP3(LERP, T, , F(fabs)(z) < (T)0.5 ? x + z * (y - x) : y - (y - x) * (1 - z))
MAP2(LERP_SCALAR, T, const T w = (T)a->f[0];
     const int near_x = F(fabs)(w) < (T)0.5, near_x ? x + w *(y - x) : y - (y - x) * (1 - w))
MAP3(ADDCMUL, T, const T c = (T)a->f[0], x + c * y * z)
MAP3(ADDCDIV, T, const T c = (T)a->f[0], x + c * y / z)

/* ---- activations and losses that need no function ---- */

MAP1(RELU, T, , x < 0 ? 0 : x) /* -0 stays, as from the fused products */
MAP1(THRESHOLD, T, const T at = (T)a->f[0]; const T value = (T)a->f[1], x <= at ? value : x)
MAP1(LEAKY_RELU, T, const T slope = (T)a->f[0], x > 0 ? x : x * slope)
MAP1(HARDSIGMOID, T, , NAME(relu6)(x + 3) / 6)
MAP1(HARDSWISH, T, , x *NAME(relu6)(x + 3) / 6)
MAP1(SOFTSHRINK, T, const T lambda = (T)a->f[0],
     x > lambda    ? x - lambda
     : x < -lambda ? x + lambda
     : x != x      ? x
                   : 0)
MAP1(HARDSHRINK, T, const T lambda = (T)a->f[0], (x >= -lambda) & (x <= lambda) ? 0 : x)

MAP2(SIGMOID_BACKWARD, T, , x * ((1 - y) * y))
MAP2(TANH_BACKWARD, T, , x * (1 - y * y))
MAP2(THRESHOLD_BACKWARD, T, const T at = (T)a->f[0], y <= at ? 0 : x)
MAP2(LEAKY_RELU_BACKWARD, T, const T slope = (T)a->f[0], y > 0 ? x : x * slope)
MAP2(HARDTANH_BACKWARD, T, const T lo = (T)a->f[0];
     const T hi = (T)a->f[1], (y <= lo) | (y >= hi) ? 0 : x)
MAP2(CLAMP_BACKWARD, T, const T lo = (T)a->f[0];
     const T hi = (T)a->f[1], (y < lo) | (y > hi) ? 0 : x)
MAP2(HARDSIGMOID_BACKWARD, T, , (y > -3) & (y < 3) ? x * (T)(1.0f / 6.0f) : 0)
MAP2(HARDSWISH_BACKWARD, T, , y <= -3 ? 0 : y < 3 ? x * (y / 3 + (T)0.5) : x)
MAP2(SHRINK_BACKWARD, T, const T lambda = (T)a->f[0], (y >= -lambda) & (y <= lambda) ? 0 : x)

MAP2(MSE, T, , (x - y) * (x - y))
MAP2(L1, T, , F(fabs)(x - y))
MAP2(SMOOTH_L1, T, const T beta = (T)a->f[0], NAME(smooth_l1)(F(fabs)(x - y), beta))
MAP2(HUBER, T, const T delta = (T)a->f[0], NAME(huber)(F(fabs)(x - y), delta))
MAP3(MSE_BACKWARD, T, const T c = 2 * (T)a->f[1], c *(y - z) * x)
MAP3(L1_BACKWARD, T, const T c = (T)a->f[1], x * c * (T)((y > z) - (y < z)))
MAP3(SMOOTH_L1_BACKWARD, T, const T beta = (T)a->f[0];
     const T c = (T)a->f[1], y - z <= -beta  ? -c * x
                             : y - z >= beta ? c * x
                                             : c * (y - z) / beta * x)
MAP3(HUBER_BACKWARD, T, const T delta = (T)a->f[0];
     const T c = (T)a->f[1], y - z <= -delta  ? -c * delta * x
                             : y - z >= delta ? c * delta * x
                                              : c * (y - z) * x)

static void NAME(arith_fill)(rl_kernels *t)
{
    SET(ADD), SET(SUB), SET(MUL), SET(DIV), SET(ADD_SCALED), SET(DIV_FLOOR), SET(DIV_TRUNC),
        SET(REMAINDER), SET(FMOD), SET(MAXIMUM), SET(MINIMUM), SET(FMAX), SET(FMIN), SET(COPYSIGN),
        SET(HEAVISIDE), SET(ANGLE), SET(EQ), SET(NE), SET(LT), SET(LE), SET(GT), SET(GE),
        SET(LOGICAL_AND), SET(LOGICAL_OR), SET(LOGICAL_XOR), SET(LOGICAL_NOT), SET(ISNAN),
        SET(ISINF), SET(ISFINITE), SET(SIGNBIT), SET(ISCLOSE), SET(NEG), SET(ABS), SET(SIGN),
        SET(SQUARE), SET(FLOOR), SET(CEIL), SET(TRUNC), SET(ROUND), SET(ROUND_DECIMALS), SET(FRAC),
        SET(SQRT), SET(RSQRT), SET(RECIPROCAL), SET(CLAMP), SET(CLAMP_TENSOR), SET(NAN_TO_NUM),
        SET(WHERE), SET(LERP), SET(LERP_SCALAR), SET(ADDCMUL), SET(ADDCDIV), SET(RELU),
        SET(THRESHOLD), SET(LEAKY_RELU), SET(HARDSIGMOID), SET(HARDSWISH), SET(SOFTSHRINK),
        SET(HARDSHRINK), SET(SIGMOID_BACKWARD), SET(TANH_BACKWARD), SET(THRESHOLD_BACKWARD),
        SET(LEAKY_RELU_BACKWARD), SET(HARDTANH_BACKWARD), SET(CLAMP_BACKWARD),
        SET(HARDSIGMOID_BACKWARD), SET(HARDSWISH_BACKWARD), SET(SHRINK_BACKWARD), SET(MSE), SET(L1),
        SET(SMOOTH_L1), SET(HUBER), SET(MSE_BACKWARD), SET(L1_BACKWARD), SET(SMOOTH_L1_BACKWARD),
        SET(HUBER_BACKWARD);
}

#undef T
#undef DTYPE
#undef NAME
#undef F
#undef MODERATE
