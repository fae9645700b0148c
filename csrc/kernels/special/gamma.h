/* gamma.h: the gamma function's logarithm and derivatives, Hurwitz's zeta, the incomplete gamma
 * functions. A&S: Abramowitz and Stegun, Handbook of Mathematical Functions, 1964. */
#ifndef RL_SPECIAL_GAMMA_H
#define RL_SPECIAL_GAMMA_H

#include <stdbool.h>

#include "kernels/isa/math_f64.h"
#include "kernels/special/coefficients.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))
#define PI 3.14159265358979323846

static double horner(const double *c, int n, double x)
{
    double y = 0;
    while (n-- > 0)
        y = fma(y, x, c[n]);
    return y;
}

static bool is_whole(double x) { return floor(x) == x; }

/* sin(pi x) / tan(pi x): from the distance to the nearest whole number */
static double sin_pi(double x)
{
    double n = nearbyint(x), s = m_sin(PI * (x - n));
    return fmod(n, 2) == 0 ? s : -s;
}
static double tan_pi(double x) { return m_tan(PI * (x - nearbyint(x))); }

/* log Gamma(2 + t), |t| <= 1/2 */
static double lgamma_near(double t) { return t * horner(lgamma_near_2, COUNT(lgamma_near_2), t); }

/* Stirling's series without its leading terms (A&S 6.1.41), x >= 13 */
static double stirling_rest(double x) { return horner(stirling, COUNT(stirling), 1 / (x * x)) / x; }

/* Below 0 by reflection (A&S 6.1.17), near 1 and 2 by the series of A&S 6.1.33, up to 13 by
 * recurrence to it. */
static double rl_lgamma_of(double x)
{
    if (x != x || fabs(x) == INFINITY)
        return x * x;
    if (x <= 0) {
        if (is_whole(x))
            return INFINITY;
        if (x > -1e-20)
            return -m_log(-x);
        return m_log(PI / fabs(x * sin_pi(x))) - rl_lgamma_of(-x);
    }
    if (x < 0.5)
        return lgamma_near(x) - m_log1p(x) - m_log(x);
    if (x < 1.5)
        return lgamma_near(x - 1) - m_log1p(x - 1);
    if (x < 13) {
        double product = 1;
        while (x > 2.5) {
            x -= 1;
            product *= x;
        }
        return lgamma_near(x - 2) + m_log(product);
    }
    if (x > 1e17)
        return x * (m_log(x) - 1);
    return fma(x - 0.5, m_log(x), 0.91893853320467274178 - x) + stirling_rest(x);
}

/* A&S 6.3.7 (reflection), 6.3.5 (recurrence), 6.3.18. */
static double rl_digamma_of(double x)
{
    if (x == 0)
        return copysign(INFINITY, -x);
    if (x != x || x == INFINITY)
        return x;
    double y = 0;
    if (x < 0) {
        if (is_whole(x)) /* and minus infinity */
            return NAN;
        y = -PI / tan_pi(x);
        x = 1 - x;
    }
    for (; x < 10; x++)
        y -= 1 / x;
    double z = 1 / (x * x);
    return y + (m_log(x) - 0.5 / x - z * horner(digamma_far, COUNT(digamma_far), z));
}

/* A&S 6.4.7, 6.4.6, 6.4.12. */
static double trigamma(double x)
{
    if (x != x || x == -INFINITY)
        return NAN;
    if (x == INFINITY)
        return 0;
    double y = 0, sign = 1;
    if (x < 0.5) {
        if (x <= 0 && is_whole(x))
            return INFINITY;
        double s = PI / sin_pi(x);
        y = s * s, sign = -1;
        x = 1 - x;
    }
    double sum = 0;
    for (; x < 10; x++)
        sum += 1 / (x * x);
    double z = 1 / (x * x), tail = 0;
    for (int k = COUNT(digamma_far); k-- > 0;)
        tail = fma(tail, z, digamma_far[k] * 2 * (k + 1));
    return y + sign * (sum + (1 / x + z * (0.5 + tail / x)));
}

static double rl_zeta_of(double s, double q);

static double rl_polygamma_of(int64_t n, double x)
{
    if (n == 0)
        return rl_digamma_of(x);
    if (n == 1)
        return trigamma(x);
    double factorial = 1; /* A&S 6.4.10 */
    for (int64_t k = 2; k <= n && factorial < INFINITY; k++)
        factorial *= (double)k;
    return (n % 2 ? factorial : -factorial) * rl_zeta_of((double)n + 1, x);
}

/* Sum of (q + k)^-s over k >= 0, by Euler's and Maclaurin's formula (A&S 23.1.30) from q + k >= 10
 * on. */
static double rl_zeta_of(double s, double q)
{
    if (s == 1)
        return INFINITY;
    if (!(s > 1) || q != q || s == INFINITY || q == INFINITY)
        return NAN;
    if (q <= 0) {
        if (is_whole(q))
            return q == -INFINITY && !is_whole(s) ? NAN : INFINITY;
        if (!is_whole(s) || q < -1e6) /* beyond, the sum would take seconds */
            return NAN;
    }
    double sum = 0, a = q;
    for (; a < 10 + s; a++) {
        double term = m_pow(a, -s);
        sum += term;
        if (a > 0 && !(term > 1e-18 * fabs(sum))) /* nan too */
            return sum;
    }
    double power = m_pow(a, -s), factor = s * power / a, square = a * a;
    sum += power * a / (s - 1) + 0.5 * power;
    for (int k = 0; k < COUNT(euler_maclaurin); k++) {
        double term = euler_maclaurin[k] * factor;
        sum += term;
        if (fabs(term) < 1e-17 * fabs(sum))
            break;
        factor *= (s + 2 * k + 1) * (s + 2 * k + 2) / square;
    }
    return sum;
}

/* ---- incomplete gamma functions ---- */

/* log(1 + m) - m, without cancellation: with r = m / (2 + m), log(1 + m) = 2 artanh r and 2 r - m =
 * -m r */
static double log1p_rest(double m)
{
    if (fabs(m) > 0.3)
        return m_log1p(m) - m;
    double r = m / (2 + m), z = r * r, sum = 0;
    for (int k = 29; k >= 3; k -= 2)
        sum = fma(sum, z, 1.0 / k);
    return fma(2 * r * z, sum, -m * r);
}

/* x^a e^-x / Gamma(a) */
static double weight(double a, double x)
{
    if (a < 20)
        return m_exp(a * m_log(x) - x - rl_lgamma_of(a));
    return sqrt(a / (2 * PI)) * m_exp(a * log1p_rest((x - a) / a) - stirling_rest(a));
}

#define MOST_TERMS 200000

static double lower_series(double a, double x) /* A&S 6.5.29 */
{
    double term = 1 / a, sum = term, d = a;
    for (int i = 0; i < MOST_TERMS && term > sum * 0x1p-54; i++) {
        d += 1;
        term *= x / d;
        sum += term;
    }
    return sum * weight(a, x);
}

static double upper_fraction(double a, double x) /* A&S 6.5.31, by Lentz's method */
{
    double b = x + 1 - a, c = 1e300, d = 1 / b, h = d;
    for (int i = 1; i < MOST_TERMS; i++) {
        double n = -i * (i - a);
        b += 2;
        d = 1 / fma(n, d, b);
        c = b + n / c;
        double ratio = c * d;
        h *= ratio;
        if (fabs(ratio - 1) < 0x1p-53)
            break;
    }
    return h * weight(a, x);
}

static double upper_small(double a,
                          double x) /* a and x about 1 or less: 1 - P without cancellation */
{
    double power = a * m_log(x) - rl_lgamma_of(1 + a), term = 1, sum = 0;
    for (int n = 1; n < 60; n++) {
        term *= -x / n;
        sum += term / (a + n);
        if (fabs(term) < 1e-18)
            break;
    }
    return -m_expm1(power) - m_exp(power) * a * sum;
}

static double incomplete(double a, double x, bool upper)
{
    if (a != a || x != x || a < 0 || x < 0)
        return NAN;
    double zero = upper ? 1 : 0; /* the value where P = 0 */
    if (a == 0)
        return x > 0 ? 1 - zero : NAN;
    if (x == 0)
        return zero;
    if (a == INFINITY)
        return x == INFINITY ? NAN : zero;
    if (x == INFINITY)
        return 1 - zero;
    if (x >= a + 1 && x > 1.1)
        return upper ? upper_fraction(a, x) : 1 - upper_fraction(a, x);
    if (upper && a < 1)
        return upper_small(a, x);
    double p = lower_series(a, x);
    return upper ? 1 - p : p;
}

static double rl_igamma_of(double a, double x) { return incomplete(a, x, false); }
static double rl_igammac_of(double a, double x) { return incomplete(a, x, true); }

#undef COUNT
#undef PI
#undef MOST_TERMS
#endif
