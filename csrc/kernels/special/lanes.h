/* lanes.h: the special functions compute LANES numbers at a time, in float64.
 *
 * A formula is a few loops over arrays of LANES that the compiler turns into vector code; the
 * elementary functions and the series are functions of whole arrays, so that each exists once.
 * What a lane holds never changes another lane's result: both sides of a choice are computed, and
 * one is taken.  `single` marks results that will be rounded to float32: their series end earlier.
 */
#ifndef RL_SPECIAL_LANES_H
#define RL_SPECIAL_LANES_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "kernels/isa/math_f32.h"
#include "kernels/isa/math_f64.h"

#ifdef __AVX2__
#define LANES 16
#else
#define LANES 1 /* without vectors worth it: the same values, in less code */
#endif
#define PI 3.14159265358979323846
#define SQRT_2 1.41421356237309504880
#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

typedef double lanes[LANES];
/* y may be x or z */
typedef void special_fn(double *y, const double *x, const double *z, const rl_kargs *a,
                        bool single);

#define EACH _Pragma("GCC ivdep") for (int i = 0; i < LANES; i++)
/* Whether a condition on lane i holds for any of them. */
#define ANY(condition)                                                                             \
    __extension__({                                                                                \
        int64_t any_ = 0;                                                                          \
        EACH any_ |= (condition) ? 1 : 0;                                                          \
        any_ != 0;                                                                                 \
    })

/* An elementary function of every lane. */
#define ELEMENTARY(name, formula)                                                                  \
    static __attribute__((noinline)) void each_##name(double *y, const double *from)               \
    {                                                                                              \
        EACH                                                                                       \
        {                                                                                          \
            const double x = from[i];                                                              \
            y[i] = formula;                                                                        \
        }                                                                                          \
    }
ELEMENTARY(exp, m_exp(x))
ELEMENTARY(expm1, m_expm1(x))
ELEMENTARY(log, m_log(x))
ELEMENTARY(log1p, m_log1p(x))
ELEMENTARY(log_most, log_to(x, 1)) /* to 1e-11: enough where float32 comes out */
ELEMENTARY(exp_square, exp_sum(x *x, x *x < 710 ? fma(x, x, -(x *x)) : 0)) /* e^(x^2) */
ELEMENTARY(sin_near, m_sin(x))
ELEMENTARY(cos_near, m_cos(x))

/* The logarithm to float32's precision. */
static __attribute__((noinline)) void each_log_single(double *y, const double *x)
{
    EACH y[i] = m_logf((float)x[i]);
}

static __attribute__((noinline)) void each_pow(double *y, const double *base, const double *power)
{
    EACH y[i] = m_pow(base[i], power[i]);
}

/* which: 0 sin, 1 cos; any finite number */
static void each_angle(double *y, const double *x, int which)
{
    lanes at;
    EACH at[i] = x[i];
    (which ? each_cos_near : each_sin_near)(y, at);
    if (ANY(fabs(at[i]) >= ANGLE_LIMIT))
        for (int i = 0; i < LANES; i++)
            if (fabs(at[i]) >= ANGLE_LIMIT)
                y[i] = angle_far(at[i], which);
}

/* Sums over whole vectors in registers: what the machine has, or single numbers. */
#if defined(__AVX512F__)
#include <immintrin.h>
typedef __m512d vec;
#define VEC_FMA(x, y, z) _mm512_fmadd_pd(x, y, z)
#define VEC_SET(x) _mm512_set1_pd(x)
#define VEC_LOAD(p) _mm512_loadu_pd(p)
#define VEC_STORE(p, x) _mm512_storeu_pd(p, x)
enum { WIDTH = 8, AT_ONCE = 2 };
#define IN_REGISTERS _Pragma("GCC unroll 2")
#elif defined(__AVX2__)
#include <immintrin.h>
typedef __m256d vec;
#define VEC_FMA(x, y, z) _mm256_fmadd_pd(x, y, z)
#define VEC_SET(x) _mm256_set1_pd(x)
#define VEC_LOAD(p) _mm256_loadu_pd(p)
#define VEC_STORE(p, x) _mm256_storeu_pd(p, x)
enum { WIDTH = 4, AT_ONCE = 4 };
#define IN_REGISTERS _Pragma("GCC unroll 4")
#else
typedef double vec;
#define VEC_FMA(x, y, z) fma(x, y, z)
#define VEC_SET(x) (x)
#define VEC_LOAD(p) (*(p))
#define VEC_STORE(p, x) (*(p) = (x))
enum { WIDTH = 1, AT_ONCE = 1 };
#define IN_REGISTERS
#endif

/* c[0] + c[1] x + ... */
static __attribute__((noinline)) void each_power(double *y, const double *x, const double *c, int n)
{
    for (int from = 0; from < LANES; from += WIDTH * AT_ONCE) {
        vec v[AT_ONCE], b[AT_ONCE];
        IN_REGISTERS for (int j = 0; j < AT_ONCE; j++) v[j] = VEC_LOAD(x + from + j * WIDTH),
                                                       b[j] = VEC_SET(c[n - 1]);
        for (int k = n - 2; k >= 0; k--)
            IN_REGISTERS for (int j = 0; j < AT_ONCE; j++) b[j] =
                VEC_FMA(b[j], v[j], VEC_SET(c[k]));
        IN_REGISTERS for (int j = 0; j < AT_ONCE; j++) VEC_STORE(y + from + j * WIDTH, b[j]);
    }
}

/* The Chebyshev series c of t from -1 to 1, by Clenshaw's recurrence. */
static __attribute__((noinline)) void each_series(double *y, const double *t, const double *c,
                                                  int n)
{
    for (int from = 0; from < LANES; from += WIDTH * AT_ONCE) {
        vec twice[AT_ONCE], b[AT_ONCE], before[AT_ONCE];
        IN_REGISTERS for (int j = 0; j < AT_ONCE; j++)
        {
            vec v = VEC_LOAD(t + from + j * WIDTH);
            twice[j] = v + v, b[j] = before[j] = VEC_SET(0);
        }
        for (int k = n - 1; k > 0; k--)
            IN_REGISTERS for (int j = 0; j < AT_ONCE; j++)
            {
                vec next = VEC_FMA(twice[j], b[j], VEC_SET(c[k]) - before[j]);
                before[j] = b[j], b[j] = next;
            }
        IN_REGISTERS for (int j = 0; j < AT_ONCE; j++)
            VEC_STORE(y + from + j * WIDTH,
                      VEC_FMA(VEC_LOAD(t + from + j * WIDTH), b[j], VEC_SET(c[0]) - before[j]));
    }
}
#define SERIES(y, c, t) each_series(y, t, c, single ? c##_single : COUNT(c))

#endif
