/* special.c: special functions, and what is done a number at a time.  Special functions are
 * computed in float64 and rounded once; the formulas stand in kernels/special. */
#include "isa.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Nothing here becomes vector code: the elementary functions may stay calls. */
#define RL_MATH static inline __attribute__((unused))
#include "math_f64.h"

#include "kernels/special/gamma.h"
#include "kernels/special/normal.h"
#include "kernels/special/bessel.h"
#include "kernels/special/polynomial.h"

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

/* ---- special functions ---- */

#define SPECIAL1(name, formula)                                                                    \
    EACH1(name##_f32, float, float, formula)                                                       \
    EACH1(name##_f64, double, double, formula)
#define SPECIAL2(name, formula)                                                                    \
    EACH2(name##_f32, float, float, formula)                                                       \
    EACH2(name##_f64, double, double, formula)

SPECIAL1(lgamma, rl_lgamma_of(x))
SPECIAL1(digamma, rl_digamma_of(x))
SPECIAL1(erfinv, rl_erfinv_of(x))
SPECIAL1(ndtri, rl_ndtri_of(x))
SPECIAL1(log_ndtr, rl_log_ndtr_of(x))
SPECIAL1(erfcx, rl_erfcx_of(x))
SPECIAL1(i0, rl_i0_of(x))
SPECIAL1(i0e, rl_i0e_of(x))
SPECIAL1(i1, rl_i1_of(x))
SPECIAL1(i1e, rl_i1e_of(x))
SPECIAL1(j0, rl_j0_of(x))
SPECIAL1(j1, rl_j1_of(x))
SPECIAL1(y0, rl_y0_of(x))
SPECIAL1(y1, rl_y1_of(x))
SPECIAL1(k0, rl_k0_of(x))
SPECIAL1(k1, rl_k1_of(x))
SPECIAL1(k0e, rl_k0e_of(x))
SPECIAL1(k1e, rl_k1e_of(x))
SPECIAL1(spherical_j0, rl_spherical_j0_of(x))
SPECIAL1(airy, rl_airy_of(x))
SPECIAL1(polygamma, rl_polygamma_of(a->i[0], x))
SPECIAL2(zeta, rl_zeta_of(x, y))
SPECIAL2(igamma, rl_igamma_of(x, y))
SPECIAL2(igammac, rl_igammac_of(x, y))
SPECIAL2(polynomial, rl_polynomial_of((int)a->i[0], x, y, a->i[1]))

void K(fill_special)(rl_kernels *t);
void K(fill_special)(rl_kernels *t)
{
#define SET(op, dtype, function) t->map[RL_MAP_##op][RL_##dtype] = function
#define SET_FLOATS(op, name) SET(op, F32, name##_f32), SET(op, F64, name##_f64)
    SET(GCD, I64, gcd_i64), SET(GCD, I32, gcd_i32);
    SET(LCM, I64, lcm_i64), SET(LCM, I32, lcm_i32);
    SET_FLOATS(NEXTAFTER, nextafter);
    SET_FLOATS(FREXP_MANTISSA, mantissa);
    SET_FLOATS(FREXP_EXPONENT, exponent);
    SET_FLOATS(LGAMMA, lgamma);
    SET_FLOATS(DIGAMMA, digamma);
    SET_FLOATS(ERFINV, erfinv);
    SET_FLOATS(NDTRI, ndtri);
    SET_FLOATS(LOG_NDTR, log_ndtr);
    SET_FLOATS(ERFCX, erfcx);
    SET_FLOATS(I0, i0);
    SET_FLOATS(I0E, i0e);
    SET_FLOATS(I1, i1);
    SET_FLOATS(I1E, i1e);
    SET_FLOATS(J0, j0);
    SET_FLOATS(J1, j1);
    SET_FLOATS(Y0, y0);
    SET_FLOATS(Y1, y1);
    SET_FLOATS(K0, k0);
    SET_FLOATS(K1, k1);
    SET_FLOATS(K0E, k0e);
    SET_FLOATS(K1E, k1e);
    SET_FLOATS(SPHERICAL_J0, spherical_j0);
    SET_FLOATS(AIRY, airy);
    SET_FLOATS(POLYGAMMA, polygamma);
    SET_FLOATS(ZETA, zeta);
    SET_FLOATS(IGAMMA, igamma);
    SET_FLOATS(IGAMMAC, igammac);
    SET_FLOATS(POLYNOMIAL, polynomial);
}
