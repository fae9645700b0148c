/* normal.h: inverse and scaled error functions, the normal distribution's tails.
 * Inverses start from M. Giles, Approximating the erfinv function, 2010, and end with Halley's or
 * Newton's steps. */
#ifndef RL_SPECIAL_NORMAL_H
#define RL_SPECIAL_NORMAL_H

#include "kernels/isa/math_f64.h"

#define SQRT_PI 1.77245385090551602730
#define SQRT_2 1.41421356237309504880
#define LOG_SQRT_2PI 0.91893853320467274178

static double rl_ndtri_of(double p);

static double exp_square(double x) /* e^(x^2) */
{
    double square = x * x;
    return x * x > 750 ? INFINITY : exp_sum(square, fma(x, x, -square));
}

/* e^(x^2) erfc(x) */
static double rl_erfcx_of(double x)
{
    if (x != x)
        return x;
    if (x < 0)
        return 2 * exp_square(x) - rl_erfcx_of(-x);
    if (x < 0.4)
        return exp_square(x) * m_erfc(x);
    if (x <= 28)
        return erfcx_far(x);
    double z = 1 / (2 * x * x); /* A&S 7.1.23 */
    return (1 - z * (1 - 3 * z * (1 - 5 * z * (1 - 7 * z * (1 - 9 * z * (1 - 11 * z)))))) /
           (x * SQRT_PI);
}

static double rl_erfinv_of(double x)
{
    double a = fabs(x), rest = 1 - a;
    if (!(a < 1))
        return a == 1 ? copysign(INFINITY, x) : NAN;
    if (rest < 1e-6) /* Giles's start is for float32 */
        return copysign(rl_ndtri_of(rest / 2) / SQRT_2, x);
    double w = -m_log(rest * (1 + a)), y;
    if (w < 5) {
        w -= 2.5;
        y = POLY(w, 1.50140941, 0.246640727, -0.00417768164, -0.00125372503, 0.00021858087,
                 -4.39150654e-06, -3.5233877e-06, 3.43273939e-07, 2.81022636e-08);
    } else {
        w = sqrt(w) - 3;
        y = POLY(w, 2.83297682, 1.00167406, 0.00943887047, -0.0076224613, 0.00573950773,
                 -0.00367342844, 0.00134934322, 0.000100950558, -0.000200214257);
    }
    y *= a;
    { /* one step of Halley: f = erf(y) - a, f'' / f' = -2 y */
        double f = a < 0.5 ? m_erf(y) - a : rest - m_erfc(y);
        double step = f * exp_square(y) * (SQRT_PI / 2);
        y -= step / (1 + y * step);
    }
    return copysign(y, x);
}

/* log of the normal distribution function */
static double rl_log_ndtr_of(double x)
{
    double t = x / SQRT_2;
    if (x < -1)
        return m_log(rl_erfcx_of(-t) / 2) - t * t;
    return m_log1p(-m_erfc(t) / 2);
}

/* Quantile of the normal distribution: in the middle by erfinv, in the tail by Newton's method on
 * the logarithm. */
static double rl_ndtri_of(double p)
{
    if (!(p >= 0 && p <= 1))
        return NAN;
    if (p == 0 || p == 1)
        return p == 0 ? -INFINITY : INFINITY;
    if (p >= 0.25 && p <= 0.75)
        return SQRT_2 * rl_erfinv_of(2 * (p - 0.5));
    if (p > 0.75)
        return -rl_ndtri_of(1 - p);
    double target = m_log(p), y = sqrt(-2 * target);
    double x = -(y - (m_log(y) + LOG_SQRT_2PI) / y); /* A&S 26.2.22's leading terms */
    if (x > -0.5)
        x = -0.5;
    for (int i = 0; i < 6; i++) { /* slope: density over distribution */
        double slope = 2 / (rl_erfcx_of(-x / SQRT_2) * SQRT_PI * SQRT_2);
        double step = (rl_log_ndtr_of(x) - target) / slope;
        x -= step;
        if (fabs(step) < 1e-10)
            break;
    }
    return x;
}

#undef SQRT_2
#undef SQRT_PI
#undef LOG_SQRT_2PI
#endif
