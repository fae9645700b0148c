/* bessel.h: Bessel's and Airy's functions of real numbers, from Chebyshev series
 * (tools/fit_special.py). Near 0 the power series' part beside the logarithm; far out modulus and
 * phase (A&S chapters 9 and 10). */
#ifndef RL_SPECIAL_BESSEL_H
#define RL_SPECIAL_BESSEL_H

#include "kernels/special/coefficients.h"
#include "kernels/special/lanes.h"

/* ---- J and Y ---- */

/* sqrt(2 / (pi x)) (p cos(angle) - q sin(angle)) for angle x - pi/4 (order 0) or x - 3 pi/4 (order
 * 1); x > 8. Y's sine is J's cosine a right angle on. */
static void oscillating(double *y, const double *x, int order, bool second, bool single)
{
    lanes r, t, p, q, s, c;
    EACH r[i] = 1 / x[i], t[i] = 128 * r[i] * r[i] - 1;
    if (order) {
        SERIES(p, p1_far, t);
        SERIES(q, q1_far, t);
    } else {
        SERIES(p, p0_far, t);
        SERIES(q, q0_far, t);
    }
    each_angle(s, x, 0);
    each_angle(c, x, 1);
    const double sign = order ? -1 : 1;
    EACH
    {
        double along = s[i] + sign * c[i], across = sign * s[i] - c[i]; /* times sqrt(2) */
        s[i] = along, c[i] = across;
    }
    double *one = second ? c : s, *other = second ? s : c;
    const double turned = second ? 1 : -1;
    EACH y[i] = (p[i] * one[i] + turned * (q[i] * r[i] * other[i])) * sqrt(r[i] / PI);
}

/* J of order 0 or 1, x from 0 to 8 */
static void j_near(double *y, const double *x, int order, bool single)
{
    lanes t, factor;
    EACH t[i] = x[i] * x[i] / 32 - 1, factor[i] = order ? x[i] : 1;
    if (order)
        SERIES(y, j1_near, t);
    else
        SERIES(y, j0_near, t);
    EACH y[i] *= factor[i];
}

static void bessel_j(double *y, const double *x, int order, bool single)
{
    lanes from, near, far, at;
    EACH from[i] = x[i], near[i] = fabs(x[i]) <= 8 ? fabs(x[i]) : 8;
    EACH at[i] = fabs(from[i]) > 8 ? fabs(from[i]) : 9;
    bool any_far = ANY(fabs(from[i]) > 8);
    j_near(near, near, order, single);
    if (any_far)
        oscillating(far, at, order, false, single);
    else
        EACH far[i] = 0;
    EACH
    {
        double v = fabs(from[i]) <= 8 ? near[i] : far[i];
        v = order && from[i] < 0 ? -v : v;
        y[i] = fabs(from[i]) < INFINITY ? v : NAN;
    }
}

static void bessel_y(double *y, const double *x, int order, bool single)
{
    lanes from, at, t, near, j, log2_, far;
    EACH from[i] = x[i], at[i] = (x[i] > 0) & (x[i] <= 8) ? x[i] : 1;
    EACH t[i] = at[i] * at[i] / 32 - 1, log2_[i] = at[i] / 2;
    each_log(log2_, log2_);
    j_near(j, at, order, single);
    if (order) {
        SERIES(near, y1_near, t);
        EACH near[i] = 2 / PI * (log2_[i] * j[i] - 1 / at[i]) + at[i] * near[i];
    } else {
        SERIES(near, y0_near, t);
        EACH near[i] = fma(2 / PI * log2_[i], j[i], near[i]);
    }
    EACH at[i] = (from[i] > 8) & (from[i] < INFINITY) ? from[i] : 9;
    if (ANY(from[i] > 8))
        oscillating(far, at, order, true, single);
    else
        EACH far[i] = 0;
    EACH
    {
        double v = from[i] > 8 ? far[i] : near[i];
        v = (from[i] > 0) & (from[i] < INFINITY) ? v : NAN;
        y[i] = from[i] == 0 ? -INFINITY : v;
    }
}

/* ---- I and K; e: times e^-|x| and e^x ---- */

static void scaled_i(double *y, const double *x, int order, bool single)
{
    lanes from, t, near, far;
    EACH from[i] = x[i], t[i] = fabs(x[i]) <= 8 ? fabs(x[i]) / 4 - 1 : 1;
    if (order) {
        SERIES(near, i1_near, t);
    } else {
        SERIES(near, i0_near, t);
    }
    if (ANY(fabs(from[i]) > 8)) {
        lanes r;
        EACH r[i] = 1 / (fabs(from[i]) > 8 ? fabs(from[i]) : 8), t[i] = 16 * r[i] - 1;
        if (order)
            SERIES(far, i1_far, t);
        else
            SERIES(far, i0_far, t);
        EACH far[i] *= sqrt(r[i]);
    } else
        EACH far[i] = 0;
    EACH
    {
        double sign = order && from[i] < 0 ? -1 : 1, factor = order ? from[i] : 1;
        double v = fabs(from[i]) <= 8 ? factor * near[i] : sign * far[i];
        y[i] = from[i] == from[i] ? v : from[i];
    }
}

static void bessel_i(double *y, const double *x, int order, bool single)
{
    lanes half, v;
    EACH half[i] = fabs(x[i]) / 2; /* in two steps: e^x overflows first */
    each_exp(half, half);
    scaled_i(v, x, order, single);
    EACH y[i] = half[i] * (v[i] * half[i]);
}

/* K of order 0 or 1, times e^x if scaled */
static void bessel_k(double *y, const double *x, int order, bool scaled, bool single)
{
    lanes from, at, t, log2_, near, far, e;
    EACH from[i] = x[i], far[i] = near[i] = 0;
    const double sign = scaled ? 1 : -1, most = scaled ? 2 : INFINITY;
    EACH e[i] = sign * (from[i] < most ? from[i] : most);
    each_exp(e, e);
    if (ANY(from[i] <= 2)) {
        EACH at[i] = (from[i] > 0) & (from[i] <= 2) ? from[i] : 1;
        EACH t[i] = at[i] * at[i] / 2 - 1, log2_[i] = at[i] / 2;
        each_log(log2_, log2_);
        lanes v;
        bessel_i(v, at, order, single);
        if (order) {
            SERIES(near, k1_near, t);
            EACH near[i] = near[i] / at[i] + log2_[i] * v[i];
        } else {
            SERIES(near, k0_near, t);
            EACH near[i] -= log2_[i] * v[i];
        }
    }
    if (ANY(from[i] > 2)) {
        EACH at[i] = (from[i] > 2) & (from[i] < INFINITY) ? from[i] : 3;
        EACH t[i] = 4 / at[i] - 1;
        if (order)
            SERIES(far, k1_far, t);
        else
            SERIES(far, k0_far, t);
        EACH far[i] /= sqrt(at[i]);
    }
    EACH
    {
        double v =
            from[i] <= 2 ? (scaled ? near[i] * e[i] : near[i]) : (scaled ? far[i] : far[i] * e[i]);
        v = from[i] == INFINITY ? 0 : v;
        v = from[i] >= 0 ? v : NAN;
        y[i] = from[i] == 0 ? INFINITY : v;
    }
}

#define ORDERED(name, call)                                                                        \
    static void name(double *y, const double *x, const double *z, const rl_kargs *a, bool single)  \
    {                                                                                              \
        (void)z, (void)a;                                                                          \
        call;                                                                                      \
    }
ORDERED(lanes_j0, bessel_j(y, x, 0, single))
ORDERED(lanes_j1, bessel_j(y, x, 1, single))
ORDERED(lanes_y0, bessel_y(y, x, 0, single))
ORDERED(lanes_y1, bessel_y(y, x, 1, single))
ORDERED(lanes_i0e, scaled_i(y, x, 0, single))
ORDERED(lanes_i1e, scaled_i(y, x, 1, single))
ORDERED(lanes_i0, bessel_i(y, x, 0, single))
ORDERED(lanes_i1, bessel_i(y, x, 1, single))
ORDERED(lanes_k0, bessel_k(y, x, 0, false, single))
ORDERED(lanes_k1, bessel_k(y, x, 1, false, single))
ORDERED(lanes_k0e, bessel_k(y, x, 0, true, single))
ORDERED(lanes_k1e, bessel_k(y, x, 1, true, single))
#undef ORDERED

/* ---- others ---- */

static void lanes_spherical_j0(double *y, const double *x, const double *z, const rl_kargs *a,
                               bool single) /* sin(x) / x */
{
    static const double series[] = {
        1, -1.0 / 6, 1.0 / 120, -1.0 / 5040, 1.0 / 362880, -1.0 / 39916800, 1.0 / 6227020800};
    lanes s, near;
    (void)z, (void)a, (void)single;
    EACH near[i] = x[i] * x[i];
    each_power(near, near, series, COUNT(series));
    EACH s[i] = fabs(x[i]) < INFINITY ? x[i] : 0;
    each_angle(s, s, 0);
    EACH
    {
        double v = fabs(x[i]) < 0.5 ? near[i] : s[i] / x[i];
        y[i] = fabs(x[i]) == INFINITY ? 0 : v;
    }
}

static void lanes_airy(double *y, const double *x, const double *z, const rl_kargs *a, bool single)
{
    lanes from, t, near, right, left, root, zeta, scale_, e;
    (void)z, (void)a;
    EACH from[i] = x[i], near[i] = right[i] = left[i] = 0;
    EACH t[i] = (from[i] >= -4) & (from[i] <= 1) ? (2 * from[i] + 3) / 5 : 1;
    if (ANY((from[i] >= -4) & (from[i] <= 1)))
        SERIES(near, airy_near, t);
    EACH root[i] = sqrt(fabs(from[i])), zeta[i] = 2.0 / 3 * fabs(from[i]) * root[i];
    EACH scale_[i] = sqrt(PI * root[i]);
    if (ANY(from[i] > 1)) {
        EACH t[i] = from[i] > 1 ? 4 / (3 * zeta[i]) - 1 : 1, e[i] = -zeta[i];
        SERIES(right, airy_right, t);
        each_exp(e, e);
        EACH right[i] *= e[i] / (2 * scale_[i]);
    }
    if (ANY(from[i] < -4)) {
        lanes p, q, s, c;
        /* 1 / zeta^2 is at most 9 / 256 */
        EACH zeta[i] = from[i] < -4 ? zeta[i] : 6, t[i] = 512.0 / 9 / zeta[i] / zeta[i] - 1;
        SERIES(p, airy_p, t);
        SERIES(q, airy_q, t);
        EACH zeta[i] = zeta[i] < INFINITY ? zeta[i] : 6;
        each_angle(s, zeta, 0);
        each_angle(c, zeta, 1);
        EACH left[i] =
            (p[i] * (c[i] + s[i]) + q[i] / zeta[i] * (s[i] - c[i])) / (SQRT_2 * scale_[i]);
    }
    EACH
    {
        double v = from[i] > 1 ? right[i] : from[i] < -4 ? left[i] : near[i];
        y[i] = fabs(from[i]) < INFINITY ? v : NAN;
    }
}

#endif
