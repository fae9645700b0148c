/* special.c: special functions, and what is done a number at a time.  Special functions are
 * computed in float64, a few numbers at a time, and rounded once; the formulas stand in
 * kernels/special. */
#include "isa.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "loops.h"
#include "math_f32.h"

#include "kernels/special/lanes.h"

/* X(kernel, function, inputs).  Those that AVX-512 has builds of its own of, to keep up with
 * others' libraries, and the rest. */
#define MANY_LIST(X)                                                                               \
    X(LGAMMA, lanes_lgamma, 1)                                                                     \
    X(I0, lanes_i0, 1)                                                                             \
    X(I0E, lanes_i0e, 1)                                                                           \
    X(I1, lanes_i1, 1)                                                                             \
    X(I1E, lanes_i1e, 1)                                                                           \
    X(ZETA, lanes_zeta, 2)
#define FEW_LIST(X)                                                                                \
    X(DIGAMMA, lanes_digamma, 1)                                                                   \
    X(NDTRI, lanes_ndtri, 1)                                                                       \
    X(LOG_NDTR, lanes_log_ndtr, 1)                                                                 \
    X(ERFCX, lanes_erfcx, 1)                                                                       \
    X(J0, lanes_j0, 1)                                                                             \
    X(J1, lanes_j1, 1)                                                                             \
    X(Y0, lanes_y0, 1)                                                                             \
    X(Y1, lanes_y1, 1)                                                                             \
    X(SPHERICAL_J0, lanes_spherical_j0, 1)                                                         \
    X(K0, lanes_k0, 1)                                                                             \
    X(K1, lanes_k1, 1)                                                                             \
    X(K0E, lanes_k0e, 1)                                                                           \
    X(K1E, lanes_k1e, 1)                                                                           \
    X(AIRY, lanes_airy, 1)                                                                         \
    X(POLYGAMMA, lanes_polygamma, 1)                                                               \
    X(IGAMMA, lanes_igamma, 2)                                                                     \
    X(IGAMMAC, lanes_igammac, 2)                                                                   \
    X(POLYNOMIAL, lanes_polynomial, 2)
#define UNUSED(op, function, inputs) static __attribute__((unused)) special_fn function;
FEW_LIST(UNUSED)
UNUSED(ERFINV, lanes_erfinv, 1)

#include "kernels/special/gamma.h"
#include "kernels/special/normal.h"
#include "kernels/special/bessel.h"
#include "kernels/special/polynomial.h"

/* Any stride; `item` the size of an element. */
#define AT(type, k) (*(type *)(p[k] + (ptrdiff_t)i * s[k]))

#define EACH2(name, R, T, formula)                                                                 \
    static void name(size_t n, char *const *p, const ptrdiff_t *s, const rl_kargs *a)              \
    {                                                                                              \
        (void)a;                                                                                   \
        for (size_t i = 0; i < n; i++) {                                                           \
            const T x = AT(const T, 1), y = AT(const T, 2);                                        \
            AT(R, 0) = (R)(formula);                                                               \
        }                                                                                          \
    }

#if RL_VECTOR_BYTES < 64

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
static float short_next(float x, float y, int64_t dropped)
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

/* The bits of x, scaled out of the subnormal numbers by 2^54. */
static inline uint64_t normal_bits(double x)
{
    return bits_of(fabs(x) < 0x1p-1022 ? x * 0x1p54 : x);
}

static inline int64_t exponent(double x) /* of a mantissa from 1/2 to 1 */
{
    int64_t e = (int64_t)(normal_bits(x) >> 52 & 0x7ff) - 1022 - (fabs(x) < 0x1p-1022 ? 54 : 0);
    return (x != 0) & (fabs(x) < INFINITY) ? e : 0;
}

static inline double mantissa(double x)
{
    double m = of_bits((normal_bits(x) & 0x800fffffffffffff) | 0x3fe0000000000000);
    return (x != 0) & (fabs(x) < INFINITY) ? m : x;
}

/* The number next to x toward y: one step up or down in the bits. */
#define NEXT(T, INT, OF_BITS, BITS_OF, copysign_)                                                  \
    static inline T next_##T(T x, T y)                                                             \
    {                                                                                              \
        T step = OF_BITS(BITS_OF(x) + ((x < y) == (x > 0) ? (INT)1 : (INT) - 1));                  \
        step = x == 0 ? copysign_(OF_BITS(1), y) : step;                                           \
        return (x != x) | (y != y) ? x + y : x == y ? y : step;                                    \
    }
NEXT(float, uint32_t, of_bitsf, bits_off, copysignf)
NEXT(double, uint64_t, of_bits, bits_of, copysign)

#define T float
#define NAME(f) f##_f32
MAP1(mantissa, float, , (float)mantissa(x))
MAP1(exponent, int64_t, , exponent(x))
MAP2(next_wide, float, , next_float(x, y))
MAP2(next_short, float, const int64_t dropped = a->i[0], short_next(x, y, dropped))
static void nextafter_f32(size_t n, char *const *p, const ptrdiff_t *s, const rl_kargs *a)
{
    (a->i[0] ? next_short_f32 : next_wide_f32)(n, p, s, a);
}
#undef T
#undef NAME
#define T double
#define NAME(f) f##_f64
MAP1(mantissa, double, , mantissa(x))
MAP1(exponent, int64_t, , exponent(x))
MAP2(nextafter, double, , next_double(x, y))
#undef T
#undef NAME

#endif

/* ---- special functions ---- */

/* Loads blocks of lanes, whatever the strides, computes, stores. */
static void in_lanes(size_t n, char *const *p, const ptrdiff_t *s, const rl_kargs *a, bool single,
                     int inputs, special_fn *f)
{
    lanes in[2], out;
    for (int k = 0; k < inputs; k++) /* one number for all */
        if (s[k + 1] == 0 && n) {
            const double v = single ? *(const float *)p[k + 1] : *(const double *)p[k + 1];
            EACH in[k][i] = v;
        }
    for (size_t done = 0; done < n; done += LANES) {
        size_t m = n - done < LANES ? n - done : LANES;
        for (int k = 0; k < inputs; k++) {
            const char *from = p[k + 1] + (ptrdiff_t)done * s[k + 1];
            if (s[k + 1] == 0)
                continue;
            if (single && s[k + 1] == sizeof(float) && m == LANES)
                EACH in[k][i] = ((const float *)from)[i];
            else if (!single && s[k + 1] == sizeof(double) && m == LANES)
                EACH in[k][i] = ((const double *)from)[i];
            else
                for (size_t i = 0; i < LANES; i++) { /* behind the end: the first again */
                    const char *at = from + (ptrdiff_t)(i < m ? i : 0) * s[k + 1];
                    in[k][i] = single ? *(const float *)at : *(const double *)at;
                }
        }
        f(out, in[0], in[1], a, single);
        char *to = p[0] + (ptrdiff_t)done * s[0];
        if (single && s[0] == sizeof(float) && m == LANES)
            EACH((float *)to)[i] = (float)out[i];
        else if (!single && s[0] == sizeof(double) && m == LANES)
            EACH((double *)to)[i] = out[i];
        else
            for (size_t i = 0; i < m; i++) {
                if (single)
                    *(float *)(to + (ptrdiff_t)i * s[0]) = (float)out[i];
                else
                    *(double *)(to + (ptrdiff_t)i * s[0]) = out[i];
            }
    }
}

#define WHOLE(op, function, inputs)                                                                \
    static void op##_f32(size_t n, char *const *p, const ptrdiff_t *s, const rl_kargs *a)          \
    {                                                                                              \
        in_lanes(n, p, s, a, true, inputs, function);                                              \
    }                                                                                              \
    static void op##_f64(size_t n, char *const *p, const ptrdiff_t *s, const rl_kargs *a)          \
    {                                                                                              \
        in_lanes(n, p, s, a, false, inputs, function);                                             \
    }
MANY_LIST(WHOLE)
#if RL_VECTOR_BYTES < 64
FEW_LIST(WHOLE)

/* float32's has a formula of its own in math_f32.h. */
static void erfinv_f64(size_t n, char *const *p, const ptrdiff_t *s, const rl_kargs *a)
{
    in_lanes(n, p, s, a, false, 1, lanes_erfinv);
}

#endif

void K(fill_special)(rl_kernels *t);
void K(fill_special)(rl_kernels *t)
{
#define PUT(op, dtype, function) t->map[RL_MAP_##op][RL_##dtype] = function
#define PUT_FLOATS(op, name) PUT(op, F32, name##_f32), PUT(op, F64, name##_f64)
#define ENTER(op, function, inputs) PUT_FLOATS(op, op);
    MANY_LIST(ENTER)
#if RL_VECTOR_BYTES < 64
    FEW_LIST(ENTER)
    PUT(GCD, I64, gcd_i64), PUT(GCD, I32, gcd_i32);
    PUT(LCM, I64, lcm_i64), PUT(LCM, I32, lcm_i32);
    PUT_FLOATS(NEXTAFTER, nextafter);
    PUT_FLOATS(FREXP_MANTISSA, mantissa);
    PUT_FLOATS(FREXP_EXPONENT, exponent);
    PUT(ERFINV, F64, erfinv_f64);
#endif
}
