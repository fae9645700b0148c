/* math_f64.h: the elementary functions in float64, for loops over vectors and for single numbers.
 *
 * No branches: both sides of a choice are computed and one is taken, so that the compiler makes
 * vector code of every loop.  Only IEEE operations and fma, so that every build gives the same
 * bits. Greatest errors in units of the last place (tests/c/test_math.c): 1 for exp, exp2, log,
 * log1p, sin, cos, acos, hypot; 1.4 for pow; 1.5 for expm1, erf; 2 for log2, log10, asin,
 * asinh, acosh, atanh; 2.5 for tan, atan, atan2, sinh, cosh, tanh, sigmoid; 4 for erfc. Infinities,
 * nan, zeros and subnormal numbers as in C's annex F. The coefficients come from
 * tools/fit_polynomials.py; the reductions are those of every C library (Cody and Waite's for exp
 * and sin; Payne and Hanek's for huge angles; log by s = f / (2 + f); pow in double-double). */
#ifndef RL_KERNELS_MATH_F64_H
#define RL_KERNELS_MATH_F64_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* A call left in a loop would keep it from becoming vector code.  Who wants no such loops defines
 * RL_MATH before; the build flag RL_CALLS is for builds without vectors. */
#ifndef RL_MATH
#ifdef RL_CALLS
#define RL_MATH static __attribute__((unused))
#else
#define RL_MATH static inline __attribute__((always_inline))
#endif
#endif

RL_MATH uint64_t bits_of(double x)
{
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

RL_MATH double of_bits(uint64_t u)
{
    double x;
    memcpy(&x, &u, sizeof x);
    return x;
}

/* c[0] + c[1] x + ... by Horner's rule; n is a constant, so this unrolls. */
RL_MATH double poly(double x, const double *c, int n)
{
    double y = c[n - 1];
#pragma GCC unroll 32
    for (int k = n - 2; k >= 0; k--)
        y = fma(y, x, c[k]);
    return y;
}
#define POLY(x, ...)                                                                               \
    poly(x, (const double[]){__VA_ARGS__}, sizeof((double[]){__VA_ARGS__}) / sizeof(double))

#define MAGIC 0x1.8p52 /* adding and subtracting it rounds to the nearest integer */
#define LN2_HI 0x1.62e42fefa39efp-1
#define LN2_LO 0x1.abc9e3b39803fp-56
#define INV_LN2 0x1.71547652b82fep+0
#define INV_LN2_LO 0x1.777d0ffda0d24p-56
#define PI_2_HI 0x1.921fb54442d18p+0
#define PI_2_LO 0x1.1a62633145c07p-54
#define PI_2_LO2 -0x1.f1976b7ed8fbcp-110
#define PI_4_HI 0x1.921fb54442d18p-1
#define PI_4_LO 0x1.1a62633145c07p-55

/* 2^n for a whole number n from -1022 to 1023. */
RL_MATH double two_to(double n) { return of_bits(bits_of(n + (MAGIC + 1023)) << 52); }

/* y 2^n for n from -2000 to 2000, rounded once. */
RL_MATH double scale(double y, double n)
{
    double half = (n * 0.5 + MAGIC) - MAGIC;
    return y * two_to(half) * two_to(n - half);
}

/* Where `single` is a parameter, 1 asks for float32's precision with some bits to spare: math_f32.h
 * computes its rarer functions so.  It is a constant wherever these are called. */

RL_MATH double exp_poly(double r, int single) /* (e^r - 1 - r) / r^2, |r| <= ln(2) / 2 */
{
    if (single)
        return POLY(r, 0.5, 0.16666666718997508, 0.041666666718980838, 0.0083332984837548862,
                    0.0013888854049615915, 0.00019899273958649361, 2.4859578222103462e-05);
    return POLY(r, 0.5, 0.16666666666666671, 0.04166666666666665, 0.0083333333333261411,
                0.0013888888888891431, 0.00019841269874800493, 2.4801587310922076e-05,
                2.7557255425746435e-06, 2.7557285825941354e-07, 2.5105206373957011e-08,
                2.0910996612082066e-09);
}

/* exp(x + low) for a correction low, far smaller than x. */
RL_MATH double exp_sum(double x, double low)
{
    double c = x < -746 ? -746 : x > 710 ? 710 : x; /* nan stays */
    double n = fma(c, INV_LN2, MAGIC) - MAGIC;
    double r = fma(n, -LN2_LO, fma(n, -LN2_HI, c)) + low;
    return scale(1 + fma(r * r, exp_poly(r, 0), r), n);
}

RL_MATH double m_exp(double x) { return exp_sum(x, 0); }

/* e^x for float32: 0 and infinity there beyond the limits, nan for nan */
RL_MATH double exp_single(double x)
{
    double c = x < -110 ? -110 : x > 90 ? 90 : x;
    double n = fma(c, INV_LN2, MAGIC) - MAGIC, r = fma(n, -LN2_HI, c);
    return fma(r * r, exp_poly(r, 1), r + 1) * two_to(n);
}

RL_MATH double m_exp2(double x)
{
    double c = x < -1080 ? -1080 : x > 1025 ? 1025 : x;
    double n = (c + MAGIC) - MAGIC, f = c - n;
    double r = f * LN2_HI, low = fma(f, LN2_HI, -r) + f * LN2_LO;
    return scale(1 + (r + fma(r * r, exp_poly(r, 0), low)), n);
}

RL_MATH double expm1_to(double x, int single)
{
    double v = x < -40 ? -40 : x > 710 ? 710 : x;
    double n = fma(v, INV_LN2, MAGIC) - MAGIC;
    double high = fma(n, -LN2_HI, v), r = fma(n, -LN2_LO, high);
    double c = (high - r) - n * LN2_LO;
    double p = fma(r * r, exp_poly(r, single), c),
           t = two_to(n - 1); /* half of 2^n, which may overflow */
    double y = 2 * fma(t, p, fma(t, r, t - 0.5));
    return x == 0 ? x : y;
}
RL_MATH double m_expm1(double x) { return expm1_to(x, 0); }

/* x = 2^k m with m from sqrt(1/2) to sqrt(2); x > 0, `normal`: and at least 2^-1022. */
RL_MATH double split_to(double x, double *k, int normal)
{
    const uint64_t root = 0x3fe6a09e667f3bcd; /* sqrt(1/2) */
    int tiny = !normal && x < 0x1p-1022;
    uint64_t u = bits_of(tiny ? x * 0x1p54 : x) + (0x3ff0000000000000 - root);
    *k = of_bits((u >> 52) | bits_of(0x1p52)) - (0x1p52 + 1023) - (tiny ? 54 : 0);
    return of_bits((u & 0x000fffffffffffff) + root);
}
RL_MATH double split(double x, double *k) { return split_to(x, k, 0); }

/* log(1 + f) + k ln 2 + low, for f from sqrt(1/2) - 1 to sqrt(2) - 1.
 * With s = f / (2 + f): log(1 + f) = 2 s + s R = f - f^2/2 + s (f^2/2 + R). */
RL_MATH double log_sum(double f, double k, double low, int single)
{
    double s = f / (2 + f), z = s * s, h = 0.5 * f * f;
    double r = single ? z * POLY(z, 0.66666666667375085, 0.39999998797337588, 0.2857175453591449,
                                 0.22191400830308503, 0.19362653714202008)
                      : z * POLY(z, 0.66666666666666663, 0.40000000000000879, 0.28571428570803614,
                                 0.22222222391713917, 0.18181795640132906, 0.15386239702814658,
                                 0.13268773138656886, 0.13086626147840102);
    return fma(k, LN2_HI, f - (h - (fma(s, h + r, fma(k, LN2_LO, low)))));
}

/* The values of a logarithm at 0, below, and at infinity and nan. */
RL_MATH double log_special(double x, double y)
{
    return (x > 0) & (x < INFINITY) ? y : x == 0 ? -INFINITY : x < 0 ? NAN : x;
}

RL_MATH double log_to(double x, int single)
{
    double k, m = split(x, &k);
    return log_special(x, log_sum(m - 1, k, 0, single));
}
RL_MATH double m_log(double x) { return log_to(x, 0); }

RL_MATH double log2_to(double x, int single)
{
    double k, m = split(x, &k), y = log_sum(m - 1, 0, 0, single);
    return log_special(x, k + fma(y, INV_LN2, y * INV_LN2_LO));
}
RL_MATH double m_log2(double x) { return log2_to(x, 0); }

RL_MATH double log10_to(double x, int single)
{
    double k, m = split(x, &k), y = log_sum(m - 1, 0, 0, single);
    double low = fma(y, 0x1.95355baaafad3p-57, k * -0x1.9dc1da994fd21p-59);
    return log_special(x, fma(k, 0x1.34413509f79ffp-2, fma(y, 0x1.bcb7b1526e50ep-2, low)));
}
RL_MATH double m_log10(double x) { return log10_to(x, 0); }

RL_MATH double log1p_to(double x, int single)
{
    double k, u = 1 + x, m = split(u, &k);
    double lost = (x > 1 ? 1 - (u - x) : x - (u - 1)) / u; /* what rounding 1 + x cost */
    double y = log_sum(k == 0 ? x : m - 1, k, k == 0 ? 0 : lost, single);
    y = (u > 0) & (u < INFINITY) ? y : u == 0 ? -INFINITY : u < 0 ? NAN : x;
    return x == 0 ? x : y;
}
RL_MATH double m_log1p(double x) { return log1p_to(x, 0); }
RL_MATH double m_log1p_unit(double x) { return log1p_to(x, 0); }

RL_MATH double m_sigmoid(double x)
{
    double e = m_exp(-fabs(x));
    return (x < 0 ? e : 1) / (1 + e);
}

RL_MATH double m_tanh(double x)
{
    double a = fabs(x), t = m_expm1(a > 22 ? 44 : 2 * a);
    return copysign(t / (t + 2), x);
}

RL_MATH double m_sinh(double x)
{
    double a = fabs(x), t = m_expm1(a), w = m_exp(0.5 * a);
    return copysign(a < 700 ? 0.5 * (t + t / (t + 1)) : 0.5 * w * w, x);
}

RL_MATH double m_cosh(double x)
{
    double a = fabs(x), e = m_exp(a), w = m_exp(0.5 * a);
    return a < 700 ? 0.5 * e + 0.5 / e : 0.5 * w * w;
}

RL_MATH double asinh_to(double x, int single)
{
    double a = fabs(x);
    int big = a > 0x1p28;
    double y = log1p_to(big ? a - 1 : a + a * a / (1 + sqrt(fma(a, a, 1))), single);
    return copysign(big ? y + LN2_HI : y, x);
}
RL_MATH double m_asinh(double x) { return asinh_to(x, 0); }

RL_MATH double acosh_to(double x, int single)
{
    double t = x - 1;
    int big = x > 0x1p28;
    double y = log1p_to(big ? t : t + sqrt(fma(t, t, 2 * t)), single);
    return x < 1 ? NAN : big ? y + LN2_HI : y;
}
RL_MATH double m_acosh(double x) { return acosh_to(x, 0); }

RL_MATH double atanh_to(double x, int single)
{
    double a = fabs(x), v = single    ? 2 * a / (1 - a)
                            : a < 0.5 ? fma(2 * a, a / (1 - a), 2 * a)
                                      : 2 * a / (1 - a);
    return copysign(0.5 * log1p_to(v, single), x);
}
RL_MATH double m_atanh(double x) { return atanh_to(x, 0); }

/* ---- angles ---- */

#define ANGLE_LIMIT 0x1p30 /* beyond it n pi/2 in three parts is no longer good enough */

/* sin and cos of high + low, |high| <= pi/4, turned by `quadrant` right angles. */
RL_MATH double sin_turned(double high, double low, uint64_t quadrant)
{
    double z = high * high, h = 0.5 * z, w = 1 - h;
    double s =
        high + fma(high * z,
                   POLY(z, -0.16666666666666666, 0.0083333333333333315, -0.00019841269841265065,
                        2.7557319219339167e-06, -2.5052106232447578e-08, 1.6058531618986147e-10,
                        -7.5866971177069183e-13),
                   fma(-h, low, low));
    double c = w + (((1 - w) - h) + fma(z * z,
                                        POLY(z, 0.041666666666666664, -0.0013888888888888887,
                                             2.4801587301584645e-05, -2.7557319221402824e-07,
                                             2.0876755791080422e-09, -1.1470460887609959e-11,
                                             4.7458719020432915e-14),
                                        -high * low));
    double y = quadrant & 1 ? c : s;
    return of_bits(bits_of(y) ^ ((quadrant & 2) << 62));
}

/* x - n pi/2 in two parts and n mod 4, for |x| < ANGLE_LIMIT. */
RL_MATH double turn(double x, double *low, uint64_t *quadrant)
{
    double shifted = fma(x, 0x1.45f306dc9c883p-1, MAGIC), n = shifted - MAGIC;
    double r = fma(-n, PI_2_HI, x); /* exact */
    double p = n * PI_2_LO, e = fma(n, PI_2_LO, -p);
    double h = r - p, b = h - r; /* h + l = r - p exactly */
    double l = (r - (h - b)) - (p + b);
    l -= fma(n, PI_2_LO2, e);
    *quadrant = bits_of(shifted);
    double sum = h + l;
    *low = l - (sum - h);
    return sum;
}

/* The same for any finite |x| >= 2^30: as many bits of 2/pi as matter for x's exponent, times x's
 * 53 bits, modulo 4. */
static __attribute__((noinline, unused)) double turn_far(double x, double *low, uint64_t *quadrant)
{
    static const uint64_t two_over_pi[] = {
        0 /* the integer part */, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041,
        0xfe5163abdebbc561,       0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e,
        0xe88235f52ebb4484,       0xe99c7026b45f7e41, 0x3991d639835339f4, 0x9c845f8bbdf9283b,
        0x1ff897ffde05980f,       0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d,
        0x7527bac7ebe5f17b,       0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab,
        0xf0cfbc209af4361d};
    typedef unsigned __int128 wide;
    uint64_t u = bits_of(x), m = (u & 0x000fffffffffffff) | 0x0010000000000000, a[3];
    int first = (int)(u >> 52 & 0x7ff) - 1075 - 2 +
                64; /* |x| = m 2^(first - 62); higher bits: whole turns */
    int word = first / 64, shift = first % 64;
    for (int k = 0; k < 3; k++)
        a[k] = shift ? two_over_pi[word + k] << shift | two_over_pi[word + k + 1] >> (64 - shift)
                     : two_over_pi[word + k];
    wide t2 = (wide)a[2] * m, t1 = (wide)a[1] * m + (uint64_t)(t2 >> 64);
    uint64_t p0 = a[0] * m + (uint64_t)(t1 >> 64), p1 = (uint64_t)t1, p2 = (uint64_t)t2;
    uint64_t q = p0 >> 62; /* then the fraction of a right angle, in 128 bits */
    wide f = (wide)(p0 << 2 | p1 >> 62) << 64 | (p1 << 2 | p2 >> 62);
    int back = f >> 127 != 0; /* to the nearest right angle */
    f = back ? -f : f;
    double high = (double)f, rest = (double)(__int128)(f - (wide)high) * 0x1p-128;
    high *= 0x1p-128;
    double r = high * PI_2_HI, l = fma(high, PI_2_HI, -r) + fma(high, PI_2_LO, rest * PI_2_HI);
    double sum = r + l;
    int negative = back != (x < 0);
    l -= sum - r;
    *quadrant = x < 0 ? 0 - (q + back) : q + back;
    *low = negative ? -l : l;
    return negative ? -sum : sum;
}

RL_MATH double m_sin(double x) /* |x| < ANGLE_LIMIT */
{
    double low;
    uint64_t quadrant;
    double high = turn(x, &low, &quadrant), y = sin_turned(high, low, quadrant);
    return x == 0 ? x : y;
}

RL_MATH double m_cos(double x)
{
    double low;
    uint64_t quadrant;
    double high = turn(x, &low, &quadrant);
    return sin_turned(high, low, quadrant + 1);
}

RL_MATH double m_tan(double x)
{
    double low;
    uint64_t quadrant;
    double high = turn(x, &low, &quadrant);
    double y = sin_turned(high, low, quadrant) / sin_turned(high, low, quadrant + 1);
    return x == 0 ? x : y;
}

/* which: 0 sin, 1 cos, 2 tan; for |x| >= ANGLE_LIMIT, infinities and nan */
static __attribute__((noinline, unused)) double angle_far(double x, int which)
{
    double low;
    uint64_t quadrant;
    if (!(fabs(x) < INFINITY))
        return x - x;
    double high = turn_far(x, &low, &quadrant);
    double y = sin_turned(high, low, quadrant + (which == 1));
    return which == 2 ? y / sin_turned(high, low, quadrant + 1) : y;
}

/* atan(least / most) for 0 <= least <= most, most > 0: with t = num / den from -tan(pi/8) to
 * tan(pi/8), atan(t) plus k times pi/4. */
RL_MATH double atan_ratio(double least, double most, double *k)
{
    int middle = least > 0x1.a827999fcef32p-2 * most;
    double num = middle ? least - most : least, den = middle ? least + most : most;
    double t = num / den, z = t * t;
    *k = middle ? 1 : 0;
    return fma(t * z,
               POLY(z, -0.33333333333333331, 0.19999999999999804, -0.14285714285659828,
                    0.11111111105155447, -0.090909087535008773, 0.076922963750321427,
                    -0.066664248857382549, 0.058789289978347752, -0.052304542706502442,
                    0.045515932206265493, -0.034570561981427744, 0.016285756855221028),
               t);
}

/* Angle of (x, y). */
RL_MATH double m_atan2(double y, double x)
{
    double ax = fabs(x), ay = fabs(y), most = ax < ay ? ay : ax, least = ax < ay ? ax : ay, k;
    double down = most > 0x1p1000 ? 0x1p-10 : 1; /* least + most must not overflow */
    double unit = least == INFINITY ? 1 : least * down, over = least == INFINITY ? 1 : most * down;
    double angle = atan_ratio(unit, over == 0 ? 1 : over, &k);
    angle = ax < ay ? -angle : angle, k = ax < ay ? 2 - k : k;
    angle = copysign(1, x) < 0 ? -angle : angle, k = copysign(1, x) < 0 ? 4 - k : k;
    double r = fma(k, PI_4_HI, fma(k, PI_4_LO, angle));
    return (x != x) | (y != y) ? x + y : copysign(r, y);
}

/* (asin(x) - x) / x for z = x^2 <= 1/4 */
RL_MATH double asin_poly(double z)
{
    return z * POLY(z, 0.16666666666666669, 0.074999999999984329, 0.044642857146355429,
                    0.030381944138531247, 0.022372172942149889, 0.017352392720869973,
                    0.013971212973552933, 0.011479177415184906, 0.010322814350185779,
                    0.0054575067186403581, 0.017400879442694021, -0.014851887071247204,
                    0.028757851367421566);
}

/* Above 1/2: asin(x) = pi/2 - 2 asin(s), s = sqrt((1 - x) / 2), whose rounding error is c. */
RL_MATH double m_asin(double x)
{
    double a = fabs(x);
    int big = a > 0.5;
    double z = big ? (1 - a) * 0.5 : a * a, s = big ? sqrt(z) : a, r = s * asin_poly(z);
    double c = s > 0 ? fma(-s, s, z) / (s + s) : 0;
    double far = fma(-2, s, PI_2_HI) - (2 * (r + c) - PI_2_LO);
    return a > 1 ? NAN : copysign(big ? far : s + r, x);
}

RL_MATH double m_acos(double x)
{
    double a = fabs(x);
    int big = a > 0.5;
    double z = big ? (1 - a) * 0.5 : a * a, s = big ? sqrt(z) : a, r = s * asin_poly(z);
    double c = s > 0 ? fma(-s, s, z) / (s + s) : 0;
    double near = PI_2_HI - (x + (copysign(r, x) - PI_2_LO));
    double far = x > 0 ? 2 * (s + (r + c)) : 2 * (PI_2_HI - (s + ((r + c) - PI_2_LO)));
    return a > 1 ? NAN : big ? far : near;
}

/* ---- error function ---- */

RL_MATH double erf_near(double x) /* |x| <= 1 */
{
    double z = x * x;
    double tail = fma(z,
                      POLY(z, -0.37612638903183754, 0.11283791670955125, -0.026866170645131082,
                           0.0052239776254384687, -0.00085483270230246957, 0.00012055332952700439,
                           -1.4925649082364785e-05, 1.6462076794793434e-06, -1.6365085592632062e-07,
                           1.4796618901290416e-08, -1.219035624032117e-09, 8.8006800904602032e-11,
                           -4.374621450325064e-12),
                      0x1.06eba8214db69p-3);
    return fma(x, tail, x);
}

/* e^(v^2) erfc(v), 0.4 <= v <= 28; single: up to 11 */
RL_MATH double erfcx_to(double v, int single)
{
    double t = (v - 4) / (v + 4);
    double q = single
                   ? POLY(t, 1.2329951186314883, -0.13962111659550241, 0.0153796505766118,
                          0.068097036620015414, -0.10103901138656798, 0.093733216237986958,
                          -0.066330984387899708, 0.037163852326253702, -0.016195384126901673,
                          0.0050490725813382127, -0.00075727584497636597, -0.00023518079086445352,
                          0.00013496368151025872)
                   : POLY(t, 1.2329951186255526, -0.13962111684056258, 0.015379652102619285,
                          0.068097054254699543, -0.10103906603626955, 0.093732834998112829,
                          -0.066330365813235953, 0.037167515541145557, -0.016197734042670983,
                          0.0050319699480314206, -0.00075777341876121656, -0.00019925655839143273,
                          0.00015062237183710215, -2.4399531429422801e-05, -1.1224418638241956e-05,
                          5.7098666445164875e-06, 2.9907694305727285e-07, -8.2423985594010358e-07,
                          6.743208791334303e-08, 1.0697386199403688e-07, -1.2370571182593201e-08,
                          -1.0904301800413554e-08);
    return q / fma(2, v, 1);
}
RL_MATH double erfcx_far(double v) { return erfcx_to(v, 0); }

RL_MATH double erfc_far(double x) /* 0.4 <= x */
{
    double v = x > 28 ? 28 : x, square = v * v;
    return erfcx_far(v) * exp_sum(-square, -fma(v, v, -square));
}

RL_MATH double m_erf(double x)
{
    double a = fabs(x), near = erf_near(a > 1 ? 1 : a), far = 1 - erfc_far(a < 1 ? 1 : a);
    return x != x ? x : copysign(a < 1 ? near : far, x);
}

RL_MATH double m_erfc(double x)
{
    double a = fabs(x), near = 1 - erf_near(a > 0.5 ? 0 : x), far = erfc_far(a < 0.4 ? 0.4 : a);
    return x != x ? x : a < 0.5 ? near : x < 0 ? 2 - far : far;
}

/* Distribution function of the normal distribution. */
RL_MATH double m_normal_cdf(double x) { return 0.5 * (1 + m_erf(x * 0.70710678118654752440)); }

RL_MATH double m_bell(double x) { return m_exp(-0.5 * x * x); }

/* ---- powers ---- */

/* high + low = log(x) to about 2^-65, x > 0 and finite; `normal` as above. */
RL_MATH double log_double(double x, double *low, int normal)
{
    double k, m = split_to(x, &k, normal), f = m - 1, g = m + 1, g_low = m - (g - 1);
    double per_g = 1 / g, s = f * per_g, s_low = (fma(-s, g, f) - s * g_low) * per_g;
    double z = s * s, z_low = fma(s, s, -z) + 2 * s * s_low;
    /* log(m) = 2 s + s t, t = z (2/3 + z g(z)) */
    double q = z * POLY(z, 0.40000000000000002, 0.28571428571429364, 0.22222222221656232,
                        0.18181818335314404, 0.15384594970895457, 0.13334804238225345,
                        0.11706248540922386, 0.11723051028097753);
    double w = 0x1.5555555555555p-1 + q,
           w_low = ((0x1.5555555555555p-1 - w) + q) + 0x1.5555555555555p-55;
    double t = z * w, t_low = fma(z, w, -t) + fma(z, w_low, z_low * w);
    double u = s * t, u_low = fma(s, t, -u) + fma(s, t_low, s_low * t);
    /* k ln 2 + 2 s + u, largest first */
    double l0 = k * LN2_HI, l0_low = fma(k, LN2_HI, -l0) + k * LN2_LO;
    double a = l0 + 2 * s, b = a - l0, a_low = (l0 - (a - b)) + (2 * s - b);
    double h = a + u, h_low = (a - h) + u;
    double rest = h_low + (a_low + (l0_low + (2 * s_low + u_low)));
    double sum = h + rest;
    *low = rest - (sum - h);
    return sum;
}

/* log(x) for x >= 0, from the formula's y. */
RL_MATH double log_ends(double x, double y) { return x == 0 ? -INFINITY : x < INFINITY ? y : x; }

/* x ** y from r = |x| ** y, or anything where |x| is 1 or a number is nan. */
#define POW_SIGNED(name, T, fabs, trunc, copysign)                                                 \
    RL_MATH T name(T x, T y, T r)                                                                  \
    {                                                                                              \
        const T a = fabs(x);                                                                       \
        const int whole = trunc(y) == y, odd = whole & (trunc(y * (T)0.5) * 2 != y);               \
        r = a == 1 ? 1 : r;                                                                        \
        r = odd & (copysign(1, x) < 0) ? -r : r;                                                   \
        r = (x < 0) & (a < (T)INFINITY) & !whole ? (T)NAN : r;                                     \
        r = (x != x) | (y != y) ? x + y : r;                                                       \
        return (x == 1) | (y == 0) ? 1 : r;                                                        \
    }
POW_SIGNED(pow_signed, double, fabs, trunc, copysign)

/* x ** y for x >= 0; `usual`: both finite and x at least 2^-1022. */
RL_MATH double pow_to(double x, double y, int usual)
{
    double low, high = log_double(x, &low, usual), e = y * (usual ? high : log_ends(x, high));
    return exp_sum(e, fabs(e) < 800 ? fma(y, high, -e) + y * low : 0);
}
RL_MATH double pow_usual(double x, double y) { return pow_to(x, y, 1); }
RL_MATH double m_pow(double x, double y) { return pow_signed(x, y, pow_to(fabs(x), y, 0)); }

RL_MATH double m_hypot(double x, double y)
{
    double ax = fabs(x), ay = fabs(y), most = ax < ay ? ay : ax, least = ax < ay ? ax : ay;
    double by = most > 0x1p500 ? 0x1p-600 : most < 0x1p-500 ? 0x1p600 : 1;
    double back = most > 0x1p500 ? 0x1p600 : most < 0x1p-500 ? 0x1p-600 : 1;
    most *= by, least *= by;
    double r = sqrt(fma(most, most, least * least)) * back;
    return (ax == INFINITY) | (ay == INFINITY) ? INFINITY : r;
}

#endif
