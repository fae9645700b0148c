/* table.c: kernels of which one build serves every instruction set: special functions, and what is
 * done a number at a time.  Special functions are computed in float64 and rounded once. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "kernels/kernels.h"

/* Any stride; `item` the size of an element. */
#define AT(type, k) (*(type *)(p[k] + (ptrdiff_t)i * s[k]))

#define EACH1(name, R, T, formula)                                                                 \
    static void name(size_t n, char *const *p, const ptrdiff_t *s, const rl_kargs *a)              \
    {                                                                                              \
        (void)a;                                                                                   \
        for (size_t i = 0; i < n; i++) {                                                           \
            const T x = AT(const T, 1);                                                            \
            AT(R, 0) = (R)(formula);                                                               \
        }                                                                                          \
    }
#define EACH2(name, R, T, formula)                                                                 \
    static void name(size_t n, char *const *p, const ptrdiff_t *s, const rl_kargs *a)              \
    {                                                                                              \
        (void)a;                                                                                   \
        for (size_t i = 0; i < n; i++) {                                                           \
            const T x = AT(const T, 1), y = AT(const T, 2);                                        \
            AT(R, 0) = (R)(formula);                                                               \
        }                                                                                          \
    }

/* ---- integers ---- */

static uint64_t gcd(uint64_t x, uint64_t y) /* Euclid's algorithm */
{
    while (y) {
        uint64_t r = x % y;
        x = y;
        y = r;
    }
    return x;
}

static uint64_t magnitude(int64_t x) { return x < 0 ? 0 - (uint64_t)x : (uint64_t)x; }

static int64_t lcm(int64_t x, int64_t y) /* wraps where it does not fit */
{
    uint64_t d = gcd(magnitude(x), magnitude(y));
    return d == 0 ? 0 : (int64_t)(magnitude(x) / d * magnitude(y));
}

EACH2(gcd_i64, int64_t, int64_t, gcd(magnitude(x), magnitude(y)))
EACH2(gcd_i32, int32_t, int32_t, gcd(magnitude(x), magnitude(y)))
EACH2(lcm_i64, int64_t, int64_t, lcm(x, y))
EACH2(lcm_i32, int32_t, int32_t, magnitude((int32_t)lcm(x, y)))

/* ---- parts of floating numbers ---- */

/* The number next to x toward y, of a type whose numbers are those of float32 that end in `dropped`
 * zero bits (float16: 13, bfloat16: 16). */
static float next_f32(float x, float y, int64_t dropped)
{
    uint32_t u, step = 1u << dropped;
    if (x != x || y != y)
        return x + y;
    if (x == y)
        return y;
    if (dropped == 13 && fabsf(x) == (float)INFINITY)
        return copysignf(65504, x);
    float least =
        dropped == 13 ? 0x1p-24f : 0; /* float16 has fewer exponents: equal steps below 2^-14 */
    if (least != 0 && (fabsf(x) < 0x1p-14f || (fabsf(x) == 0x1p-14f && (x > 0) == (y < x))))
        return x < y ? x + least : x - least;
    if (x == 0) {
        memcpy(&least, &step, sizeof least);
        return copysignf(least, y);
    }
    memcpy(&u, &x, sizeof u);
    u = (x < y) == (x > 0) ? u + step : u - step;
    memcpy(&x, &u, sizeof x);
    return x;
}

static int exponent(double x)
{
    int e = 0;
    if (fabs(x) < (double)INFINITY)
        frexp(x, &e);
    return e;
}

static double mantissa(double x)
{
    int e;
    return fabs(x) < (double)INFINITY ? frexp(x, &e) : x;
}

EACH2(nextafter_f32, float, float, next_f32(x, y, a->i[0]))
EACH2(nextafter_f64, double, double, nextafter(x, y))
EACH1(mantissa_f32, float, float, mantissa(x))
EACH1(mantissa_f64, double, double, mantissa(x))
EACH1(exponent_f32, int64_t, float, exponent(x))
EACH1(exponent_f64, int64_t, double, exponent(x))

void rl_fill_special(rl_kernels *t);
void rl_fill_special(rl_kernels *t)
{
#define SET(op, dtype, function) t->map[RL_MAP_##op][RL_##dtype] = function
#define SET_FLOATS(op, name) SET(op, F32, name##_f32), SET(op, F64, name##_f64)
    SET(GCD, I64, gcd_i64), SET(GCD, I32, gcd_i32);
    SET(LCM, I64, lcm_i64), SET(LCM, I32, lcm_i32);
    SET_FLOATS(NEXTAFTER, nextafter);
    SET_FLOATS(FREXP_MANTISSA, mantissa);
    SET_FLOATS(FREXP_EXPONENT, exponent);
}
