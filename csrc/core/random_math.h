/* random_math.h: the logarithm, sine, cosine and exponential that the random numbers' formulas
 * need, in double.
 *
 * Additions, multiplications and divisions in a fixed order, no fma and no call of the C library,
 * whose functions differ between machines: so every instruction set gives the same bits.  Within
 * about one unit in the last place.  Inline, so that kernels/isa/random.c can run them in vectors.
 * The polynomials are minimax fits (Remez, relative to the result). */
#ifndef RL_CORE_RANDOM_MATH_H
#define RL_CORE_RANDOM_MATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define RL_LN2_HIGH 0x1.62e42ffp-1 /* 32 bits: products with exponents are exact */
#define RL_LN2_LOW -0x1.718432a1b0e26p-35

/* 53 of 64 random bits as a number on [0, 1); both terms and their sum are exact. */
static inline double rl_unit53(uint32_t high, uint32_t low)
{
    return (double)(int32_t)(high & 0x1fffff) * 0x1p-21 + (double)low * 0x1p-53;
}

/* log(x), x a positive normal number.  x = m 2^k with m in [sqrt(1/2), sqrt(2)); with f = m - 1 and
 * s = f / (2 + f), log(1 + f) = 2 atanh(s) = f - (f^2/2 - s (f^2/2 + R(s^2))). */
static inline double rl_log_unit(double x)
{
    uint64_t b;
    memcpy(&b, &x, sizeof b);
    /* 0x3fe6a09e...: sqrt(1/2).  The difference's top bits are k, the rest moves m into its
     * interval. */
    uint64_t d = b - 0x3fe6a09e667f3bcdu;
    int32_t k = (int32_t)(d >> 32) >> 20;
    b -= (uint64_t)(uint32_t)k << 52;
    double m;
    memcpy(&m, &b, sizeof m);
    double f = m - 1.0, s = f / (2.0 + f), z = s * s, half = 0.5 * f * f, e = (double)k;
    double p = 0.14617860664547585664;
    p = p * z + 0.15331597926046203797;
    p = p * z + 0.1818289318993953332;
    p = p * z + 0.22222211073233242892;
    p = p * z + 0.28571428626396801942;
    p = p * z + 0.39999999999898450766;
    p = p * z + 0.66666666666666697288;
    p = p * z;
    return e * RL_LN2_HIGH - ((half - (s * (half + p) + e * RL_LN2_LOW)) - f);
}

/* sin(x) and cos(x) for |x| <= 8: quadrants, pi/2 in three parts, one polynomial each. */
static inline void rl_sincos_turn(double x, double *sine, double *cosine)
{
    double t = x * 0.63661977236758134308;
    int32_t q = (int32_t)(t + (t < 0 ? -0.5 : 0.5));
    double k = (double)q;
    double r = ((x - k * 0x1.921fb544p+0) - k * 0x1.0b4611a6p-34) - k * 0x1.3198a2e037073p-69;
    double z = r * r;
    double s = 1.5918114541086488351e-10;
    s = s * z - 2.5051131660569061502e-8;
    s = s * z + 2.7557316101789311651e-6;
    s = s * z - 0.00019841269836757404653;
    s = s * z + 0.0083333333333309479789;
    s = s * z - 0.16666666666666664623;
    s = r + r * z * s;
    double c = -1.1382622268792726756e-11;
    c = c * z + 2.0876146138726390353e-9;
    c = c * z - 2.7557317271175209536e-7;
    c = c * z + 0.000024801587298764786131;
    c = c * z - 0.0013888888888887396789;
    c = c * z + 0.041666666666666665389;
    double half = 0.5 * z, w = 1.0 - half;
    c = w + (((1.0 - w) - half) + z * z * c);
    double sn = q & 1 ? c : s, cs = q & 1 ? s : c;
    *sine = q & 2 ? -sn : sn;
    *cosine = (q + 1) & 2 ? -cs : cs;
}

/* 2^k for -1022 <= k <= 1023 */
static inline double rl_power_of_two(int32_t k)
{
    uint64_t b = (uint64_t)(uint32_t)(k + 1023) << 52;
    double y;
    memcpy(&y, &b, sizeof y);
    return y;
}

/* exp(x), any x.  x = k ln 2 + r;  exp(r) = 1 + r + r c / (2 - c) with c = r - r^2 P(r^2).  2^k is
 * multiplied in two steps, of which only the last can round or overflow. */
static inline double rl_exp_any(double x)
{
    double t = x > 710.0 ? 710.0 : x < -746.0 ? -746.0 : x == x ? x : 0.0;
    double k = floor(t * 1.44269504088896340736 + 0.5);
    double high = t - k * RL_LN2_HIGH, low = k * RL_LN2_LOW, r = high - low, z = r * r;
    double p = 4.1437711028775053812e-8;
    p = p * z - 1.6534060149719160053e-6;
    p = p * z + 0.000066137564717098099154;
    p = p * z - 0.0027777777777564610767;
    p = p * z + 0.16666666666666661548;
    double c = r - z * p;
    int32_t whole = (int32_t)k, part = whole / 2;
    double y = 1.0 + (high + (r * c / (2.0 - c) - low));
    y = y * rl_power_of_two(part) * rl_power_of_two(whole - part);
    return x == x ? y : x;
}

#endif
