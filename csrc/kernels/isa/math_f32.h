/* math_f32.h: the elementary functions in float32.  The common ones have formulas of their own,
 * with errors of at most 1.1 (exp, exp2), 1 (log), 1.5 (tanh, erf) and 2.5 (sigmoid) units of the
 * last place; the others go through float64 and are all but correctly rounded
 * (tests/c/test_math.c).  No branches, as in math_f64.h. */
#ifndef RL_KERNELS_MATH_F32_H
#define RL_KERNELS_MATH_F32_H

#include "math_f64.h"

RL_MATH uint32_t bits_off(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

RL_MATH float of_bitsf(uint32_t u)
{
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

RL_MATH float polyf(float x, const float *c, int n)
{
    float y = c[n - 1];
#pragma GCC unroll 32
    for (int k = n - 2; k >= 0; k--)
        y = fmaf(y, x, c[k]);
    return y;
}
#define POLYF(x, ...)                                                                              \
    polyf(x, (const float[]){__VA_ARGS__}, sizeof((float[]){__VA_ARGS__}) / sizeof(float))

#define MAGICF 0x1.8p23f
#define LN2_HIF 0x1.62e43p-1f /* ln 2 to 24 bits; n times it is exact in fmaf */
#define LN2_LOF -0x1.05c61p-29f

/* 2^n for a whole number n from -126 to 127. */
RL_MATH float two_tof(float n) { return of_bitsf(bits_off(n + (MAGICF + 127)) << 23); }

RL_MATH float exp_polyf(float r) /* e^r, |r| <= ln(2) / 2 */
{
    return 1 + fmaf(r * r,
                    POLYF(r, 0.5f, 0.16666577f, 0.0416665547f, 0.00836317307f, 0.00139261761f), r);
}

RL_MATH float m_expf(float x)
{
    float c = x < -104 ? -104 : x > 89 ? 89 : x; /* nan stays */
    float n = fmaf(c, 0x1.715476p+0f, MAGICF) - MAGICF;
    float y = exp_polyf(fmaf(n, -LN2_LOF, fmaf(n, -LN2_HIF, c)));
    float half = (n * 0.5f + MAGICF) - MAGICF;
    return y * two_tof(half) * two_tof(n - half);
}

/* The same value for |x| < EXP_NORMALF, where no clamping is needed and 2^n is an addition to the
 * exponent's bits. */
#define EXP_NORMALF 87.0f
RL_MATH float exp_normalf(float x)
{
    float shifted = fmaf(x, 0x1.715476p+0f, MAGICF), n = shifted - MAGICF;
    float y = exp_polyf(fmaf(n, -LN2_LOF, fmaf(n, -LN2_HIF, x)));
    return of_bitsf(bits_off(y) + (bits_off(shifted) << 23));
}

/* 1 / (1 + e^-x) and e^x for blocks of |x| < EXP_NORMALF. */
RL_MATH float sigmoid_normalf(float x)
{
    float e = exp_normalf(-fabsf(x));
    return (x < 0 ? e : 1) / (1 + e);
}

RL_MATH float m_logf(float x)
{
    const uint32_t root = 0x3f3504f3; /* sqrt(1/2) */
    int tiny = x < 0x1p-126f;
    uint32_t u = bits_off(tiny ? x * 0x1p25f : x) + (0x3f800000 - root);
    float k = (float)(int32_t)(u >> 23) - (tiny ? 127 + 25 : 127);
    float f = of_bitsf((u & 0x007fffff) + root) - 1, z = f * f;
    float tail =
        fmaf(z * f,
             POLYF(f, 0.333333312f, -0.24999997f, 0.200007157f, -0.166678023f, 0.142490576f,
                   -0.124256873f, 0.116854199f, -0.114797338f, 0.0697161147f),
             k * LN2_LOF);
    float y = fmaf(k, LN2_HIF, f + fmaf(-0.5f, z, tail));
    return (x > 0) & (x < INFINITY) ? y : x == 0 ? -INFINITY : x < 0 ? NAN : x;
}

RL_MATH float m_sigmoidf(float x)
{
    float e = m_expf(-fabsf(x));
    return (x < 0 ? e : 1) / (1 + e);
}

RL_MATH float m_tanhf(float x)
{
    float a = fabsf(x), z = x * x;
    float near = fmaf(
        a * z, POLYF(z, -0.333333289f, 0.133327697f, -0.0538509096f, 0.020997179f, -0.00609671417f),
        a);
    float far = 1 - 2 / (exp_normalf(a > 10 ? 20 : 2 * a) + 1);
    return x != x ? x : copysignf(a < 0.625f ? near : far, x);
}

/* erf(a) for 0 <= a < 0.9, and erfc(a) for 0.9 <= a <= 4. */
RL_MATH float erf_nearf(float a) /* odd */
{
    float z = a * a;
    return fmaf(a,
                fmaf(z,
                     POLYF(z, -0.376126387f, 0.112837725f, -0.0268635625f, 0.00521092343f,
                           -0.000824906376f, 8.79389863e-05f),
                     0x1.06eba8p-3f),
                a);
}

RL_MATH float erfc_farf(float a)
{
    return exp_normalf(POLYF(a, 0.000349582114f, -1.13038842f, -0.631483494f, -0.110499571f,
                             0.0267362339f, -0.00491077997f, 0.000643316471f, -5.49361693e-05f,
                             2.59433932e-06f, -4.45389639e-08f));
}

RL_MATH float m_erff(float x)
{
    float a = fabsf(x), far = 1 - erfc_farf(a > 4 ? 4 : a); /* erf(4) rounds to 1 */
    return x != x ? x : copysignf(a < 0.9f ? erf_nearf(a) : far, x);
}

/* log(1 + x) for x from 0 to 1, error below 1.1 units in the last place: for softplus.  With
 * s = x / (2 + x), log(1 + x) = 2 s + s R = x - s (x - R), R = 2/3 s^2 + 2/5 s^4 + ... */
RL_MATH float m_log1p_unitf(float x)
{
    float s = x / (2 + x), z = s * s;
    float r =
        z * POLYF(z, 0x1.555556p-1f, 0x1.9998d4p-2f, 0x1.24c926p-2f, 0x1.bc8cf8p-3f, 0x1.dba26p-3f);
    return fmaf(-s, x - r, x);
}

/* log(1 + x) for x > -1, in double with the accuracy of float32: for the binary losses. */
RL_MATH float m_log1pf(float x)
{
    double d = x, k, u = 1 + d,
           m = split(u, &k); /* 1 + x loses nothing that float32 can see unless x is tiny */
    double f = k == 0 ? d : m - 1, s = f / (2 + f), z = s * s;
    double y = fma(k, LN2_HI,
                   s * fma(z,
                           POLY(z, 0.66666666554497089, 0.40000121839806124, 0.28550820815960665,
                                0.23330467216303835),
                           2));
    float r = (float)((u > 0) & (u < INFINITY) ? y : u == 0 ? -INFINITY : u < 0 ? NAN : d);
    return x == 0 ? x : r;
}

RL_MATH float m_exp2f(float x)
{
    float c = x < -152 ? -152 : x > 129 ? 129 : x, n = (c + MAGICF) - MAGICF;
    float y = exp_polyf((c - n) * 0x1.62e43p-1f), half = (n * 0.5f + MAGICF) - MAGICF;
    return y * two_tof(half) * two_tof(n - half);
}

#define VIA_DOUBLE(name, formula)                                                                  \
    RL_MATH float m_##name##f(float x) { return (float)formula; }
VIA_DOUBLE(expm1, expm1_to(x, 1))
VIA_DOUBLE(log2, log2_to(x, 1))
VIA_DOUBLE(log10, log10_to(x, 1))
VIA_DOUBLE(asinh, asinh_to(x, 1))
VIA_DOUBLE(acosh, acosh_to(x, 1))
VIA_DOUBLE(atanh, atanh_to(x, 1))
VIA_DOUBLE(asin, m_asin(x))
VIA_DOUBLE(acos, m_acos(x))
#undef VIA_DOUBLE

/* Infinite long before double is. */
RL_MATH float m_sinhf(float x)
{
    float a = fabsf(x);
    double t = expm1_to(a > 100 ? 100 : a, 1);
    return copysignf((float)(0.5 * (t + t / (t + 1))), x);
}
RL_MATH float m_coshf(float x)
{
    double e = exp_single(fabsf(x));
    return (float)(0.5 * e + 0.5 / e);
}

RL_MATH float m_erfcf(float x)
{
    float a = fabsf(x);
    double v = a < 0.4f ? 0.4 : a > 11 ? 11 : a, z = a < 0.5f ? (double)a * a : 0;
    double tail = fma(z,
                      POLY(z, -0.37612638903182627, 0.11283791670514097, -0.026866170362503411,
                           0.0052239708246658249, -0.000854754621640009, 0.00012009143546090963,
                           -1.3558491277776299e-05),
                      0x1.06eba8214db69p-3);
    double far = erfcx_to(v, 1) * exp_single(-v * v), near = 1 - fma(x, tail, x);
    return x != x ? x : (float)(a < 0.5f ? near : x < 0 ? 2 - far : far);
}

RL_MATH float m_atan2f(float y, float x) { return (float)m_atan2(y, x); }
RL_MATH float m_hypotf(float x, float y)
{
    double dx = x, dy = y, r = sqrt(dx * dx + dy * dy); /* neither overflows nor underflows */
    return (fabs(dx) == INFINITY) | (fabs(dy) == INFINITY) ? INFINITY : (float)r;
}

/* float32's subnormal numbers are normal in double. */
RL_MATH float powf_to(float x, float y, int usual)
{
    double k, m = split_to(x, &k, 1), high = log_sum(m - 1, k, 0, 1);
    return (float)exp_single(y * (usual ? high : log_ends(x, high)));
}
POW_SIGNED(pow_signedf, float, fabsf, truncf, copysignf)
RL_MATH float pow_usualf(float x, float y) { return powf_to(x, y, 1); }
RL_MATH float m_powf(float x, float y) { return pow_signedf(x, y, powf_to(fabsf(x), y, 0)); }

/* Angles: two parts of pi/2 in double are enough for float32 below ANGLE_LIMIT. */
RL_MATH double sin_turnedf(double r, uint64_t quadrant)
{
    double z = r * r;
    double s = fma(r * z,
                   POLY(z, -0.1666666666385529, 0.0083333318747102082, -0.00019840086735384846,
                        2.7249925803059792e-06),
                   r);
    double c = fma(z * z,
                   POLY(z, 0.0416666666643212, -0.0013888887672016789, 2.4800600377156728e-05,
                        -2.7300959203901469e-07),
                   fma(-0.5, z, 1));
    double y = quadrant & 1 ? c : s;
    return of_bits(bits_of(y) ^ ((quadrant & 2) << 62));
}

RL_MATH double turnf(double x, uint64_t *quadrant)
{
    double shifted = fma(x, 0x1.45f306dc9c883p-1, MAGIC), n = shifted - MAGIC;
    *quadrant = bits_of(shifted);
    return fma(-n, PI_2_LO, fma(-n, PI_2_HI, x));
}

RL_MATH float m_sinf(float x)
{
    uint64_t quadrant;
    double r = turnf(x, &quadrant);
    return x == 0 ? x : (float)sin_turnedf(r, quadrant);
}

RL_MATH float m_cosf(float x)
{
    uint64_t quadrant;
    double r = turnf(x, &quadrant);
    return (float)sin_turnedf(r, quadrant + 1);
}

RL_MATH float m_tanf(float x)
{
    uint64_t quadrant;
    double r = turnf(x, &quadrant);
    float y = (float)(sin_turnedf(r, quadrant) / sin_turnedf(r, quadrant + 1));
    return x == 0 ? x : y;
}

/* erfinv(x) / x as a polynomial of w = -log(1 - x^2), or of its root where it is large. */
RL_MATH float m_erfinvf(float x)
{
    float w = -m_logf(fmaf(-x, x, 1)), s = sqrtf(w);
    float near = POLYF(w - 2.5f, 1.50140936f, 0.246640279f, -0.00417739288f, -0.00125272639f,
                       0.000218349386f, -4.97241969e-06f, -3.46398527e-06f, 4.68131348e-07f,
                       2.33359672e-08f, -8.93192597e-09f);
    float far =
        POLYF(s - 3.125f, 2.95832013f, 1.00371869f, 0.00704925036f, -0.00530070311f, 0.0037802393f,
              -0.00252284058f, 0.00131380784f, -0.000319390136f, -0.000175907404f, 0.000126731632f);
    float y = x * (w < 5 ? near : far), a = fabsf(x);
    return a < 1 ? y : a == 1 ? copysignf(INFINITY, x) : NAN;
}

RL_MATH float angle_farf(float x, int which) { return (float)angle_far(x, which); }

#endif
