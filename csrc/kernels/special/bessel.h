/* bessel.h: Bessel's and Airy's functions of real numbers, from Chebyshev series
 * (tools/fit_special.py). Near 0 the power series' part beside the logarithm; far out modulus and
 * phase (A&S chapters 9 and 10). */
#ifndef RL_SPECIAL_BESSEL_H
#define RL_SPECIAL_BESSEL_H

#include <stdbool.h>

#include "kernels/isa/math_f64.h"
#include "kernels/special/coefficients.h"

#define PI 3.14159265358979323846
#define SQRT_2 1.41421356237309504880
#define SERIES(c, t) chebyshev_series(c, (int)(sizeof(c) / sizeof *(c)), t)

static double chebyshev_series(const double *c, int n, double t) /* Clenshaw's recurrence */
{
    double b = 0, before = 0;
    for (int k = n - 1; k > 0; k--) {
        double next = fma(2 * t, b, c[k] - before);
        before = b;
        b = next;
    }
    return fma(t, b, c[0] - before);
}

static double sine(double x) { return fabs(x) < ANGLE_LIMIT ? m_sin(x) : angle_far(x, 0); }
static double cosine(double x) { return fabs(x) < ANGLE_LIMIT ? m_cos(x) : angle_far(x, 1); }

/* ---- J and Y ---- */

/* sqrt(2 / (pi x)) (p cos(angle) - q sin(angle)) for angle x - pi/4 (order 0) or x - 3 pi/4 (order
 * 1); x > 8. Y's sine is J's cosine a right angle on. */
static double oscillating(double x, int order, bool second)
{
    double z = 64 / x / x, t = 2 * z - 1;
    double p = order ? SERIES(p1_far, t) : SERIES(p0_far, t);
    double q = (order ? SERIES(q1_far, t) : SERIES(q0_far, t)) / x;
    double s = sine(x), c = cosine(x);
    double along = order ? s - c : c + s, across = order ? -(c + s) : s - c; /* times sqrt(2) */
    double wave = second ? p * across + q * along : p * along - q * across;
    return wave / sqrt(PI * x);
}

static double rl_j0_of(double x)
{
    x = fabs(x);
    if (!(x < INFINITY))
        return NAN;
    return x <= 8 ? SERIES(j0_near, x * x / 32 - 1) : oscillating(x, 0, false);
}

static double rl_j1_of(double x)
{
    double a = fabs(x);
    if (!(a < INFINITY))
        return NAN;
    return a <= 8 ? x * SERIES(j1_near, x * x / 32 - 1) : copysign(1, x) * oscillating(a, 1, false);
}

static double rl_y0_of(double x)
{
    if (x == 0)
        return -INFINITY;
    if (!(x > 0 && x < INFINITY))
        return NAN;
    if (x > 8)
        return oscillating(x, 0, true);
    return fma(2 / PI * m_log(x / 2), rl_j0_of(x), SERIES(y0_near, x * x / 32 - 1));
}

static double rl_y1_of(double x)
{
    if (x == 0)
        return -INFINITY;
    if (!(x > 0 && x < INFINITY))
        return NAN;
    if (x > 8)
        return oscillating(x, 1, true);
    return 2 / PI * (m_log(x / 2) * rl_j1_of(x) - 1 / x) + x * SERIES(y1_near, x * x / 32 - 1);
}

/* ---- I and K; e: times e^-|x| and e^x ---- */

static double rl_i0e_of(double x)
{
    double a = fabs(x);
    return a <= 8 ? SERIES(i0_near, a / 4 - 1) : SERIES(i0_far, 16 / a - 1) / sqrt(a);
}

static double rl_i1e_of(double x)
{
    double a = fabs(x);
    return a <= 8 ? x * SERIES(i1_near, a / 4 - 1)
                  : copysign(1, x) * (SERIES(i1_far, 16 / a - 1) / sqrt(a));
}

static double rl_i0_of(double x)
{
    double half = m_exp(fabs(x) / 2); /* in two steps: e^x overflows first */
    return half * (rl_i0e_of(x) * half);
}

static double rl_i1_of(double x)
{
    double half = m_exp(fabs(x) / 2);
    return half * (rl_i1e_of(x) * half);
}

static double k0_below_2(double x)
{
    return SERIES(k0_near, x * x / 2 - 1) - m_log(x / 2) * rl_i0_of(x);
}

static double k1_below_2(double x)
{
    return SERIES(k1_near, x * x / 2 - 1) / x + m_log(x / 2) * rl_i1_of(x);
}

#define K_FAMILY(name, below, series, near_factor, far_factor)                                     \
    static double name(double x)                                                                   \
    {                                                                                              \
        if (!(x >= 0))                                                                             \
            return NAN;                                                                            \
        if (x == 0 || x == INFINITY)                                                               \
            return x == 0 ? INFINITY : 0;                                                          \
        return x <= 2 ? below(x) * near_factor : SERIES(series, 4 / x - 1) / sqrt(x) * far_factor; \
    }
K_FAMILY(rl_k0_of, k0_below_2, k0_far, 1, m_exp(-x))
K_FAMILY(rl_k1_of, k1_below_2, k1_far, 1, m_exp(-x))
K_FAMILY(rl_k0e_of, k0_below_2, k0_far, m_exp(x), 1)
K_FAMILY(rl_k1e_of, k1_below_2, k1_far, m_exp(x), 1)

/* ---- others ---- */

static double rl_spherical_j0_of(double x) /* sin(x) / x */
{
    if (fabs(x) == INFINITY)
        return 0;
    if (fabs(x) < 0.5) {
        double z = x * x;
        return POLY(z, 1, -1.0 / 6, 1.0 / 120, -1.0 / 5040, 1.0 / 362880, -1.0 / 39916800,
                    1.0 / 6227020800);
    }
    return sine(x) / x;
}

static double rl_airy_of(double x)
{
    if (!(fabs(x) < INFINITY))
        return NAN;
    if (x >= -4 && x <= 1)
        return SERIES(airy_near, (2 * x + 3) / 5);
    double a = fabs(x), root = sqrt(a), zeta = 2.0 / 3 * a * root, scale_ = sqrt(PI * root);
    if (x > 0)
        return SERIES(airy_right, 4 / (3 * zeta) - 1) * m_exp(-zeta) / (2 * scale_);
    double t = 512.0 / 9 / zeta / zeta - 1; /* 1 / zeta^2 is at most 9 / 256 */
    double p = SERIES(airy_p, t), q = SERIES(airy_q, t) / zeta;
    double s = sine(zeta), c = cosine(zeta);
    return (p * (c + s) + q * (s - c)) / (SQRT_2 * scale_);
}

#undef PI
#undef SQRT_2
#undef SERIES
#undef K_FAMILY
#endif
