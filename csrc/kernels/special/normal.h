/* normal.h: inverse and scaled error functions, the normal distribution's tails. */
#ifndef RL_SPECIAL_NORMAL_H
#define RL_SPECIAL_NORMAL_H

#include "kernels/special/coefficients.h"
#include "kernels/special/lanes.h"

#define SQRT_PI 1.77245385090551602730

/* e^(x^2) erfc(x) */
static void lanes_erfcx(double *y, const double *x, const double *z, const rl_kargs *a, bool single)
{
    lanes square;
    (void)z, (void)a, (void)single;
    if (ANY(!(x[i] >= 0.4)))
        each_exp_square(square, x);
    else
        EACH square[i] = 0;
    EACH
    {
        double v = x[i], b = fabs(v), r = 1 / (2 * b * b);
        double far = erfcx_far(b < 0.4 ? 0.4 : b > 28 ? 28 : b);
        /* A&S 7.1.23 */
        double out =
            (1 - r * (1 - 3 * r * (1 - 5 * r * (1 - 7 * r * (1 - 9 * r * (1 - 11 * r)))))) /
            (b * SQRT_PI);
        double plus = b < 0.4 ? square[i] * (1 - erf_near(b < 0.4 ? b : 0)) : b > 28 ? out : far;
        y[i] = v != v ? v : v < 0 ? 2 * square[i] - plus : plus;
    }
}

/* log of the normal distribution function */
static void lanes_log_ndtr(double *y, const double *x, const double *z, const rl_kargs *a,
                           bool single)
{
    lanes t, below, above;
    EACH t[i] = x[i] / SQRT_2, below[i] = above[i] = 0;
    if (ANY(t[i] < -1 / SQRT_2)) {
        EACH below[i] = -t[i];
        lanes_erfcx(below, below, z, a, single);
        EACH below[i] /= 2;
        each_log(below, below);
        EACH below[i] -= t[i] * t[i];
    }
    if (ANY(!(t[i] < -1 / SQRT_2))) {
        EACH above[i] = -m_erfc(t[i]) / 2;
        each_log1p(above, above);
    }
    EACH y[i] = t[i] < -1 / SQRT_2 ? below[i] : above[i];
}

/* y / |y| times erfinv(|y|), of y and w = -log(1 - y^2), both exact near their ends.  Three series
 * for erfinv(y) / y: of w, of its root s, and far out of 1 / s for erfinv(y) / s. */
static void normal_quantile(double *out, const double *y, const double *w, bool single)
{
    lanes t, near, tail, far;
    EACH t[i] = w[i] < 6.25 ? w[i] * 0.32 - 1 : 1, tail[i] = 0;
    SERIES(near, erfinv_near, t);
    if (ANY(w[i] >= 6.25)) {
        EACH t[i] = (w[i] >= 6.25) & (w[i] <= 36) ? (sqrt(w[i]) - 4.25) / 1.75 : 1;
        SERIES(tail, erfinv_tail, t);
        if (ANY(w[i] > 36)) {
            EACH t[i] = w[i] > 36 ? (1 / sqrt(w[i]) - 0.1015) / 0.0665 : 1;
            SERIES(far, erfinv_far, t);
            EACH tail[i] = w[i] > 36 ? far[i] * sqrt(w[i]) : tail[i];
        }
    }
    EACH out[i] = y[i] * (w[i] < 6.25 ? near[i] : tail[i]);
}

static void lanes_erfinv(double *y, const double *x, const double *z, const rl_kargs *a,
                         bool single)
{
    lanes from, w;
    (void)z, (void)a;
    EACH from[i] = x[i], w[i] = (1 - fabs(x[i])) * (1 + fabs(x[i]));
    (single ? each_log_single : each_log)(w, w);
    EACH w[i] = -w[i];
    normal_quantile(y, from, w, single);
    EACH
    {
        double v = fabs(from[i]);
        y[i] = v < 1 ? y[i] : v == 1 ? copysign(INFINITY, from[i]) : NAN;
    }
}

/* Quantile of the normal distribution: sqrt(2) erfinv(2 p - 1), where 1 - (2 p - 1)^2 = 4 p (1 - p)
 */
static void lanes_ndtri(double *y, const double *x, const double *z, const rl_kargs *a, bool single)
{
    lanes p, at, w;
    (void)z, (void)a;
    EACH p[i] = x[i], at[i] = 2 * (x[i] - 0.5), w[i] = 4 * p[i] * (1 - p[i]);
    (single ? each_log_single : each_log)(w, w);
    EACH w[i] = -w[i];
    normal_quantile(y, at, w, single);
    EACH
    {
        double v = p[i] == 0 ? -INFINITY : p[i] == 1 ? INFINITY : SQRT_2 * y[i];
        y[i] = (p[i] >= 0) & (p[i] <= 1) ? v : NAN;
    }
}

#undef SQRT_PI
#endif
