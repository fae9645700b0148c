/* gamma.h: the gamma function's logarithm and derivatives, Hurwitz's zeta, the incomplete gamma
 * functions. A&S: Abramowitz and Stegun, Handbook of Mathematical Functions, 1964. */
#ifndef RL_SPECIAL_GAMMA_H
#define RL_SPECIAL_GAMMA_H

#include "kernels/special/coefficients.h"
#include "kernels/special/lanes.h"

#define IS_WHOLE(x) (floor(x) == (x))
#define HORNER(y, c, x) each_power(y, x, c, COUNT(c))

/* sin(pi x) and tan(pi x), but for their sign: from the distance to the nearest whole number */
static void sin_pi(double *y, const double *x)
{
    EACH y[i] = PI * (x[i] - nearbyint(x[i]));
    each_sin_near(y, y);
}
static void tan_pi(double *y, const double *x)
{
    lanes c;
    EACH c[i] = PI * (x[i] - nearbyint(x[i]));
    each_sin_near(y, c);
    each_cos_near(c, c);
    EACH y[i] /= c[i];
}

/* Stirling's series without its leading terms (A&S 6.1.41), x >= FAR */
static void stirling_rest(double *y, const double *x)
{
    lanes r, z;
    EACH r[i] = 1 / x[i], z[i] = r[i] * r[i];
    HORNER(z, stirling, z);
    EACH y[i] = z[i] * r[i];
}

/* log Gamma(x) + log(q) (q NULL: 1) for x > 0, finite or nan, and q > 0.  Near 1 and 2 by the
 * series of A&S 6.1.33, up to FAR by recurrence to it, with one logarithm in every case. */
#define FAR 8
static void lgamma_above_0(double *y, const double *x, const double *q, bool single)
{
    const double from = single ? 3 : FAR; /* good to 1e-9 from 3 on */
    lanes at, t, near, far, product;
    EACH at[i] = x[i], t[i] = at[i] < from ? at[i] : 2, product[i] = 1;
    if (!single && ANY(t[i] > 3))
        EACH
        {
            double v = t[i], p = 1;
            _Pragma("GCC unroll 5") for (int k = 0; k < 5; k++)
            {
                int above = v > 2.5;
                v = above ? v - 1 : v;
                p *= above ? v : 1;
            }
            t[i] = v, product[i] = p;
        }
    EACH
    {
        double v = t[i] > 2.5 ? t[i] - 1 : t[i], p = t[i] > 2.5 ? product[i] * v : product[i];
        t[i] = v < 0.5 ? v : v < 1.5 ? v - 1 : v - 2;
        product[i] = v < 0.5 ? v * (1 + v) : v < 1.5 ? v : at[i] < from ? p : at[i];
    }
    if (q)
        EACH product[i] *= at[i] < 1.5 ? 1 / q[i] : at[i] < from ? q[i] : 1;
    each_power(near, t, lgamma_near_2, single ? 12 : COUNT(lgamma_near_2));
    (single ? each_log_most : each_log)(product, product);
    EACH near[i] = fma(t[i], near[i], at[i] < 1.5 ? -product[i] : product[i]);
    if (ANY(at[i] >= from)) {
        lanes rest;
        stirling_rest(rest, at);
        EACH far[i] = fma(at[i] - 0.5, product[i], 0.91893853320467274178 - at[i]) + rest[i];
        if (q) {
            each_log(rest, q);
            EACH far[i] += rest[i];
        }
        EACH near[i] = at[i] < from ? near[i] : far[i];
    }
    EACH y[i] = near[i];
}

/* Below 0 by reflection (A&S 6.1.17). */
static void lanes_lgamma(double *y, const double *x, const double *z, const rl_kargs *a,
                         bool single)
{
    lanes from, at, q;
    (void)z, (void)a;
    EACH from[i] = x[i], at[i] = (fabs(x[i]) > 0) & (fabs(x[i]) < INFINITY) ? fabs(x[i]) : 1;
    if (ANY(from[i] < 0)) {
        sin_pi(q, from);
        EACH
        {
            int tiny = (from[i] < 0) & (from[i] > -1e-20); /* log |Gamma(x)| = -log |x| */
            double other = from[i] < 0 ? fabs(from[i] * q[i]) / PI : 1;
            q[i] = tiny ? at[i] : other;
            at[i] = tiny ? 1 : at[i];
        }
        lgamma_above_0(at, at, q, single);
        EACH at[i] = from[i] < 0 ? -at[i] : at[i];
    } else {
        lgamma_above_0(at, at, NULL, single);
    }
    if (ANY(!(from[i] > 0) | !(from[i] < INFINITY)))
        EACH
        {
            int endless = (fabs(from[i]) == INFINITY) | ((from[i] <= 0) & IS_WHOLE(from[i]));
            at[i] = from[i] != from[i] ? from[i] : endless ? INFINITY : at[i];
        }
    EACH y[i] = at[i];
}

/* A&S 6.3.7 (reflection), 6.3.5 (recurrence), 6.3.18. */
static void lanes_digamma(double *y, const double *x, const double *z, const rl_kargs *a,
                          bool single)
{
    lanes from, up, series, log_, other;
    (void)z, (void)a, (void)single;
    EACH from[i] = x[i], up[i] = x[i] < 0 ? 1 - x[i] : x[i], other[i] = 0;
    if (ANY(from[i] < 0)) {
        tan_pi(other, from);
        EACH other[i] = from[i] < 0 ? -PI / other[i] : 0;
    }
    EACH
    {
        double v = up[i], num = 0, den = 1; /* the sum of 1 / v as a fraction */
        _Pragma("GCC unroll 10") for (int k = 0; k < 10; k++)
        {
            int small = v < 10;
            num = small ? fma(num, v, den) : num;
            den = small ? den * v : den;
            v = small ? v + 1 : v;
        }
        other[i] -= num / den;
        up[i] = v, series[i] = 1 / (v * v);
    }
    each_log(log_, up);
    lanes sum;
    HORNER(sum, digamma_far, series);
    EACH
    {
        double v = other[i] + (log_[i] - 0.5 / up[i] - series[i] * sum[i]);
        v = (from[i] < 0) & IS_WHOLE(from[i]) ? NAN : v; /* and minus infinity */
        v = (from[i] != from[i]) | (from[i] == INFINITY) ? from[i] : v;
        y[i] = from[i] == 0 ? copysign(INFINITY, -from[i]) : v;
    }
}

/* A&S 6.4.7, 6.4.6, 6.4.12. */
static void trigamma(double *y, const double *x)
{
    lanes from, up, sum, series, tail, other;
    EACH from[i] = x[i], up[i] = x[i] < 0.5 ? 1 - x[i] : x[i], other[i] = 1;
    if (ANY(from[i] < 0.5))
        sin_pi(other, from);
    EACH
    {
        double v = up[i], s = 0;
        _Pragma("GCC unroll 10") for (int k = 0; k < 10; k++)
        {
            int small = v < 10;
            s += small ? 1 / (v * v) : 0;
            v = small ? v + 1 : v;
        }
        up[i] = v, sum[i] = s, series[i] = 1 / (v * v);
    }
    EACH tail[i] = 0;
    for (int k = COUNT(digamma_far); k-- > 0;)
        EACH tail[i] = fma(tail[i], series[i], digamma_far[k] * 2 * (k + 1));
    EACH
    {
        double v = sum[i] + (1 / up[i] + series[i] * (0.5 + tail[i] / up[i]));
        double s = PI / other[i];
        v = from[i] < 0.5 ? s * s - v : v;
        v = (from[i] <= 0) & IS_WHOLE(from[i]) ? INFINITY : v;
        v = from[i] == INFINITY ? 0 : v;
        y[i] = (from[i] != from[i]) | (from[i] == -INFINITY) ? NAN : v;
    }
}

/* Hurwitz's zeta: the sum of (q + k)^-s over k >= 0, by Euler's and Maclaurin's formula (A&S
 * 23.1.30) from q + k >= 10 + s on. */
static void lanes_zeta(double *y, const double *x, const double *z, const rl_kargs *a_, bool single)
{
    lanes s, q, at, sum, power, negative;
    int64_t going[LANES];
    (void)a_;
    const double enough = single ? 1e-12 : 1e-18;
    EACH
    {
        s[i] = x[i], q[i] = z[i], sum[i] = 0, negative[i] = -x[i];
        int bad = !(s[i] > 1) | (q[i] != q[i]) | (s[i] == INFINITY) | (q[i] == INFINITY) |
                  ((q[i] <= 0) & (IS_WHOLE(q[i]) | !IS_WHOLE(s[i]) | (q[i] < -1e6)));
        going[i] = !bad, at[i] = bad ? INFINITY : q[i];
    }
    while (ANY(going[i] & (at[i] < 10 + s[i]))) {
        each_pow(power, at, negative);
        EACH
        {
            int64_t on = going[i] & (at[i] < 10 + s[i]);
            sum[i] += on ? power[i] : 0;
            at[i] += on ? 1 : 0;
            /* nan too */
            going[i] &= !(on & (at[i] > 1) & !(power[i] > enough * fabs(sum[i])));
        }
    }
    if (ANY(going[i])) {
        lanes factor, square;
        each_pow(power, at, negative);
        EACH
        {
            factor[i] = going[i] ? s[i] * power[i] / at[i] : 0, square[i] = at[i] * at[i];
            sum[i] += going[i] ? power[i] * at[i] / (s[i] - 1) + 0.5 * power[i] : 0;
        }
        for (int k = 0; k < COUNT(euler_maclaurin) && ANY(going[i]); k++)
            EACH
            {
                double term = going[i] ? euler_maclaurin[k] * factor[i] : 0;
                sum[i] += term;
                going[i] &= fabs(term) >= enough * fabs(sum[i]);
                factor[i] *= (s[i] + 2 * k + 1) * (s[i] + 2 * k + 2) / square[i];
            }
    }
    EACH
    {
        double v = sum[i];
        if (q[i] <= 0)
            v = IS_WHOLE(q[i]) ? (q[i] == -INFINITY && !IS_WHOLE(s[i]) ? NAN : INFINITY)
                : !IS_WHOLE(s[i]) || q[i] < -1e6 ? NAN /* beyond, the sum would take seconds */
                                                 : v;
        v = !(s[i] > 1) | (q[i] != q[i]) | (s[i] == INFINITY) | (q[i] == INFINITY) ? NAN : v;
        y[i] = s[i] == 1 ? INFINITY : v;
    }
}

static void lanes_polygamma(double *y, const double *x, const double *z, const rl_kargs *a,
                            bool single)
{
    const int64_t n = a->i[0];
    if (n == 0) {
        lanes_digamma(y, x, z, a, single);
    } else if (n == 1) {
        trigamma(y, x);
    } else {
        double factorial = n % 2 ? 1 : -1; /* A&S 6.4.10 */
        for (int64_t k = 2; k <= n && fabs(factorial) < INFINITY; k++)
            factorial *= (double)k;
        lanes s;
        EACH s[i] = (double)n + 1;
        lanes_zeta(y, s, x, a, single);
        EACH y[i] *= factorial;
    }
}

/* ---- incomplete gamma functions ---- */

/* x^a e^-x / Gamma(a), a > 0, x > 0, both finite */
static void gamma_weight(double *y, const double *a, const double *x, bool single)
{
    lanes log_, lg;
    each_log(log_, x);
    lgamma_above_0(lg, a, NULL, single);
    EACH log_[i] = a[i] * log_[i] - x[i] - lg[i];
    if (ANY(a[i] >= 20)) {
        /* log(1 + m) - m, without cancellation: with r = m / (2 + m), log(1 + m) = 2 artanh r and
         * 2 r - m = -m r */
        lanes m, whole, rest, sum;
        EACH m[i] = (x[i] - a[i]) / a[i], sum[i] = 0;
        each_log1p(whole, m);
        for (int k = 29; k >= 3; k -= 2)
            EACH
            {
                double r = m[i] / (2 + m[i]);
                sum[i] = fma(sum[i], r * r, 1.0 / k);
            }
        stirling_rest(rest, a);
        EACH
        {
            double r = m[i] / (2 + m[i]);
            double less =
                fabs(m[i]) > 0.3 ? whole[i] - m[i] : fma(2 * r * r * r, sum[i], -m[i] * r);
            log_[i] = a[i] < 20 ? log_[i] : a[i] * less - rest[i];
        }
    }
    each_exp(y, log_);
    EACH y[i] = a[i] < 20 ? y[i] : sqrt(a[i] / (2 * PI)) * y[i];
}

#define MOST_TERMS 200000

static void lower_series(double *y, const double *a, const double *x, bool single) /* A&S 6.5.29 */
{
    const double enough = single ? 0x1p-32 : 0x1p-54;
    lanes term, d;
    EACH term[i] = y[i] = 1 / a[i], d[i] = a[i];
    for (int k = 0; k < MOST_TERMS && ANY(term[i] > y[i] * enough); k++)
        EACH
        {
            int more = term[i] > y[i] * enough;
            d[i] += 1;
            term[i] *= x[i] / d[i];
            y[i] += more ? term[i] : 0;
            term[i] = more ? term[i] : 0;
        }
}

/* A&S 6.5.31, by Lentz's method */
static void upper_fraction(double *y, const double *a, const double *x, bool single)
{
    const double enough = single ? 0x1p-32 : 0x1p-53;
    lanes b, c, d;
    int64_t more[LANES];
    EACH b[i] = x[i] + 1 - a[i], c[i] = 1e300, y[i] = d[i] = 1 / b[i], more[i] = 1;
    for (int k = 1; k < MOST_TERMS && ANY(more[i]); k++)
        EACH
        {
            double n = -k * (k - a[i]);
            b[i] += 2;
            d[i] = 1 / fma(n, d[i], b[i]);
            c[i] = b[i] + n / c[i];
            double ratio = c[i] * d[i];
            y[i] *= more[i] ? ratio : 1;
            more[i] &= !(fabs(ratio - 1) < enough);
        }
}

/* a and x about 1 or less: 1 - P without cancellation */
static void upper_small(double *y, const double *a, const double *x)
{
    lanes power, lg, term, sum, e;
    EACH e[i] = 1 + a[i];
    lgamma_above_0(lg, e, NULL, false);
    each_log(power, x);
    EACH power[i] = a[i] * power[i] - lg[i], term[i] = 1, sum[i] = 0;
    for (int n = 1; n < 60 && ANY(fabs(term[i]) >= 1e-18); n++)
        EACH
        {
            int more = fabs(term[i]) >= 1e-18;
            term[i] *= more ? -x[i] / n : 0;
            sum[i] += term[i] / (a[i] + n);
        }
    each_exp(e, power);
    each_expm1(y, power);
    EACH y[i] = -y[i] - e[i] * a[i] * sum[i];
}

static void incomplete(double *y, const double *from_a, const double *from_x, bool upper,
                       bool single)
{
    lanes a0, x0, a, x, weight, part, result;
    const double zero = upper ? 1 : 0; /* the value where P = 0 */
    EACH
    {
        a0[i] = from_a[i], x0[i] = from_x[i];
        int usual = (a0[i] > 0) & (a0[i] < INFINITY) & (x0[i] > 0) & (x0[i] < INFINITY);
        a[i] = usual ? a0[i] : 1, x[i] = usual ? x0[i] : 1;
    }
#define FRACTION(i) ((x[i] >= a[i] + 1) & (x[i] > 1.1))
#define SMALL(i) (upper & (a[i] < 1) & !FRACTION(i))
    gamma_weight(weight, a, x, single);
    EACH result[i] = 0;
    lanes at_a, at_x; /* lanes of other ways: numbers that end at once */
    if (ANY(FRACTION(i))) {
        EACH at_a[i] = FRACTION(i) ? a[i] : 1, at_x[i] = FRACTION(i) ? x[i] : 3;
        upper_fraction(part, at_a, at_x, single);
        const double sign = upper ? 1 : -1;
        EACH result[i] = 1 - zero + sign * (part[i] * weight[i]);
    }
    if (ANY(SMALL(i))) {
        EACH at_a[i] = SMALL(i) ? a[i] : 1, at_x[i] = SMALL(i) ? x[i] : 1;
        upper_small(part, at_a, at_x);
        EACH result[i] = SMALL(i) ? part[i] : result[i];
    }
    if (ANY(!FRACTION(i) & !SMALL(i))) {
        EACH
        {
            int other = FRACTION(i) | SMALL(i);
            at_a[i] = other ? 1 : a[i], at_x[i] = other ? 0 : x[i];
        }
        lower_series(part, at_a, at_x, single);
        EACH
        {
            double p = zero + (1 - 2 * zero) * (part[i] * weight[i]);
            result[i] = FRACTION(i) | SMALL(i) ? result[i] : p;
        }
    }
#undef FRACTION
#undef SMALL
    EACH
    {
        double v = x0[i] == INFINITY ? 1 - zero : result[i];
        v = a0[i] == INFINITY ? (x0[i] == INFINITY ? NAN : zero) : v;
        v = x0[i] == 0 ? zero : v;
        v = a0[i] == 0 ? (x0[i] > 0 ? 1 - zero : NAN) : v;
        y[i] = (a0[i] >= 0) & (x0[i] >= 0) ? v : NAN;
    }
}

static void lanes_igamma(double *y, const double *x, const double *z, const rl_kargs *a,
                         bool single)
{
    (void)a;
    incomplete(y, x, z, false, single);
}
static void lanes_igammac(double *y, const double *x, const double *z, const rl_kargs *a,
                          bool single)
{
    (void)a;
    incomplete(y, x, z, true, single);
}

#undef IS_WHOLE
#undef HORNER
#undef MOST_TERMS
#undef FAR
#endif
