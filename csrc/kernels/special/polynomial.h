/* polynomial.h: orthogonal polynomials by their recurrences (A&S 22.7); Chebyshev's of high degree
 * by angles (A&S 22.3). */
#ifndef RL_SPECIAL_POLYNOMIAL_H
#define RL_SPECIAL_POLYNOMIAL_H

#include "kernels/special/lanes.h"
#include "kernels/special/special.h"

/* p(k + 1) of p = p(k) and before = p(k - 1) */
static inline double recurrence(int kind, double x, double k, double p, double before)
{
    return kind == RL_HERMITE_H    ? 2 * x * p - 2 * k * before
           : kind == RL_HERMITE_HE ? x * p - k * before
           : kind == RL_LAGUERRE_L ? ((2 * k + 1 - x) * p - k * before) / (k + 1)
           : kind == RL_LEGENDRE_P ? ((2 * k + 1) * x * p - k * before) / (k + 1)
                                   : 2 * x * p - before;
}

static double first_degree(int kind, double x)
{
    return kind == RL_HERMITE_H || kind == RL_CHEBYSHEV_U ? 2 * x
           : kind == RL_LAGUERRE_L                        ? 1 - x
           : kind == RL_CHEBYSHEV_V                       ? 2 * x - 1
           : kind == RL_CHEBYSHEV_W                       ? 2 * x + 1
                                                          : x;
}

static __attribute__((noinline)) double one_cos(double x) { return m_cos(x); }
static __attribute__((noinline)) double one_sin(double x) { return m_sin(x); }

/* T, U, V, W of degree n: cos(n a), sin((n + 1) a) / sin a, cos((n + 1/2) a) / cos(a / 2), sin((n +
 * 1/2) a) / sin(a / 2) for x = cos a.  All satisfy p(k + 1) = 2 x p(k) - p(k - 1). */
static double chebyshev_degree(int kind, double x, int64_t n)
{
    if (fabs(x) == 1) {
        bool even = n % 2 == 0;
        double many = kind == RL_CHEBYSHEV_U ? (double)n + 1 : 2 * (double)n + 1;
        bool grows = kind == RL_CHEBYSHEV_U ||
                     (kind == RL_CHEBYSHEV_W ? x > 0 : kind == RL_CHEBYSHEV_V && x < 0);
        double size = grows ? many : 1;
        return x > 0 || even ? size : -size;
    }
    if (n > 8 && fabs(x) < 1) {
        double a = m_acos(x), k = (double)n;
        if (k * a >= ANGLE_LIMIT)
            return NAN;
        switch (kind) {
        case RL_CHEBYSHEV_T:
            return one_cos(k * a);
        case RL_CHEBYSHEV_U:
            return one_sin((k + 1) * a) / one_sin(a);
        case RL_CHEBYSHEV_V:
            return one_cos((k + 0.5) * a) / one_cos(0.5 * a);
        default:
            return one_sin((k + 0.5) * a) / one_sin(0.5 * a);
        }
    }
    if (n == 0)
        return 1;
    double before = 1, p = first_degree(kind, x);
    for (int64_t k = 1; k < n && p == p; k++) {
        double next = recurrence(kind, x, (double)k, p, before);
        before = p;
        p = next;
    }
    return p;
}

static double one_polynomial(int kind, double x, double degree, int64_t most)
{
    int64_t n = fabs(degree) < 0x1p62 ? (int64_t)degree : -1;
    if (n < 0)
        return 0;
    if (kind <= RL_CHEBYSHEV_W)
        return chebyshev_degree(kind, x, n);
    if (kind <= RL_SHIFTED_CHEBYSHEV_W)
        return chebyshev_degree(kind - RL_SHIFTED_CHEBYSHEV_T, 2 * x - 1, n);
    if (n == 0)
        return 1;
    if ((kind == RL_HERMITE_H || kind == RL_HERMITE_HE) && n > most)
        return NAN;
    double before = 1, p = first_degree(kind, x);
    for (int64_t i = 1; i < n && p == p; i++) {
        double next = recurrence(kind, x, (double)i, p, before);
        before = p;
        p = next;
    }
    return p;
}

/* The same in vectors, where all lanes have one low degree. */
static void lanes_polynomial(double *y, const double *x, const double *z, const rl_kargs *a,
                             bool single)
{
    int kind = (int)a->i[0];
    lanes at, before, p;
    (void)single;
    if (!(z[0] >= 1 && z[0] < 9) || ANY(z[i] != z[0])) {
        for (int i = 0; i < LANES; i++)
            y[i] = one_polynomial(kind, x[i], z[i], a->i[1]);
        return;
    }
    const bool shifted = kind >= RL_SHIFTED_CHEBYSHEV_T && kind <= RL_SHIFTED_CHEBYSHEV_W;
    const int n = (int)z[0];
    kind -= shifted ? RL_SHIFTED_CHEBYSHEV_T : 0;
    EACH at[i] = shifted ? 2 * x[i] - 1 : x[i];
    EACH before[i] = 1, p[i] = first_degree(kind, at[i]);
#define STEPS(which)                                                                               \
    for (int k = 1; k < n; k++)                                                                    \
        EACH                                                                                       \
        {                                                                                          \
            double next = recurrence(which, at[i], k, p[i], before[i]);                            \
            before[i] = p[i], p[i] = next;                                                         \
        }
    switch (kind) { /* a loop for each: what to do must not depend on a variable */
    case RL_HERMITE_H:
        STEPS(RL_HERMITE_H)
        break;
    case RL_HERMITE_HE:
        STEPS(RL_HERMITE_HE)
        break;
    case RL_LAGUERRE_L:
        STEPS(RL_LAGUERRE_L)
        break;
    case RL_LEGENDRE_P:
        STEPS(RL_LEGENDRE_P)
        break;
    default:
        STEPS(RL_CHEBYSHEV_T)
    }
#undef STEPS
    EACH y[i] = p[i];
}

#endif
