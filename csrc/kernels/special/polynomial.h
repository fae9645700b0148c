/* polynomial.h: orthogonal polynomials by their recurrences (A&S 22.7); Chebyshev's of high degree
 * by angles (A&S 22.3). */
#ifndef RL_SPECIAL_POLYNOMIAL_H
#define RL_SPECIAL_POLYNOMIAL_H

#include <stdbool.h>

#include "kernels/isa/math_f64.h"
#include "kernels/special/special.h"

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
            return m_cos(k * a);
        case RL_CHEBYSHEV_U:
            return m_sin((k + 1) * a) / m_sin(a);
        case RL_CHEBYSHEV_V:
            return m_cos((k + 0.5) * a) / m_cos(0.5 * a);
        default:
            return m_sin((k + 0.5) * a) / m_sin(0.5 * a);
        }
    }
    double before = 1, p = kind == RL_CHEBYSHEV_T   ? x
                           : kind == RL_CHEBYSHEV_U ? 2 * x
                           : kind == RL_CHEBYSHEV_V ? 2 * x - 1
                                                    : 2 * x + 1;
    if (n == 0)
        return 1;
    for (int64_t k = 1; k < n && p == p; k++) {
        double next = 2 * x * p - before;
        before = p;
        p = next;
    }
    return p;
}

static double rl_polynomial_of(int kind, double x, double degree, int64_t most)
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
    double before = 1, p = kind == RL_HERMITE_H ? 2 * x : kind == RL_LAGUERRE_L ? 1 - x : x;
    if ((kind == RL_HERMITE_H || kind == RL_HERMITE_HE) && n > most)
        return NAN;
    for (int64_t i = 1; i < n && p == p; i++) {
        double k = (double)i, next;
        if (kind == RL_HERMITE_H)
            next = 2 * x * p - 2 * k * before;
        else if (kind == RL_HERMITE_HE)
            next = x * p - k * before;
        else if (kind == RL_LAGUERRE_L)
            next = ((2 * k + 1 - x) * p - k * before) / (k + 1);
        else
            next = ((2 * k + 1) * x * p - k * before) / (k + 1);
        before = p;
        p = next;
    }
    return p;
}

#endif
