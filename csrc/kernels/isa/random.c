/* random.c: Mersenne Twister, uniform and normal numbers in bulk (kernels/random.h).
 *
 * The float32 normals follow, operation by operation, what PyTorch computes on x86 with AVX2 and
 * later: logarithm and sine by the polynomials of S. Moshier's Cephes library (single precision),
 * with a fused multiply-add wherever a product feeds a sum.  So they agree with PyTorch's there to
 * the bit. */
#include "kernels/isa/isa.h"

#include <math.h>
#include <string.h>

#include "core/random_math.h"
#include "kernels/random.h"

#define MT_M 397

static inline uint32_t mix(uint32_t u, uint32_t v)
{
    uint32_t y = (u & 0x80000000u) | (v & 0x7fffffffu);
    return (y >> 1) ^ ((v & 1) ? 0x9908b0dfu : 0);
}

/* Matsumoto and Nishimura, 1998: x[k + n] = x[k + m] ^ (upper bit of x[k], the rest of x[k + 1]) A.
 * Three loops without a branch, the distances in them longer than any vector. */
static void K(mt_advance)(uint32_t *s)
{
    for (int i = 0; i < RL_MT_N - MT_M; i++)
        s[i] = s[i + MT_M] ^ mix(s[i], s[i + 1]);
    for (int i = RL_MT_N - MT_M; i < RL_MT_N - 1; i++)
        s[i] = s[i + MT_M - RL_MT_N] ^ mix(s[i], s[i + 1]);
    s[RL_MT_N - 1] = s[MT_M - 1] ^ mix(s[RL_MT_N - 1], s[0]);
}

static void K(mt_temper)(const uint32_t *x, uint32_t *y, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t v = x[i];
        v ^= v >> 11;
        v ^= (v << 7) & 0x9d2c5680u;
        v ^= (v << 15) & 0xefc60000u;
        y[i] = v ^ (v >> 18);
    }
}

/* Rounding may give `to` itself, which is outside of [from, to): `from` then, as PyTorch does. */
static void K(uniform_f32)(const uint32_t *bits, float *y, size_t n, float from, float to)
{
    const float width = to - from;
    for (size_t i = 0; i < n; i++) {
        float v = __builtin_fmaf((float)(int32_t)(bits[i] & 0xffffff) * 0x1p-24f, width, from);
        y[i] = v == to ? from : v;
    }
}

static void K(uniform_f64)(const uint32_t *bits, double *y, size_t n, double from, double to)
{
    const double width = to - from;
    for (size_t i = 0; i < n; i++) {
        double v = __builtin_fma(rl_unit53(bits[2 * i], bits[2 * i + 1]), width, from);
        y[i] = v == to ? from : v;
    }
}

static void K(bernoulli_f32)(const uint32_t *bits, float *y, size_t n, uint64_t below, float one)
{
    for (size_t i = 0; i < n; i++) {
        int64_t u = (int64_t)((uint64_t)(bits[2 * i] & 0x1fffff) << 32 | bits[2 * i + 1]);
        y[i] = u < (int64_t)below ? one : 0.0f;
    }
}

#define FMA __builtin_fmaf

/* log(x) for 2^-126 <= x <= 1 */
static inline float log_f32(float x)
{
    uint32_t b;
    memcpy(&b, &x, sizeof b);
    float e = (float)((int32_t)(b >> 23) - 126);
    b = (b & 0x7fffff) | 0x3f000000; /* x = m 2^e, 0.5 <= m < 1 */
    float m;
    memcpy(&m, &b, sizeof m);
    int small = m < 0.707106781186547524f; /* then e - 1 and 2m: near 1 in any case */
    float f = m - 1.0f + (small ? m : 0.0f);
    e -= small ? 1.0f : 0.0f;
    float z = f * f;
    float p = 7.0376836292e-2f;
    p = FMA(p, f, -1.1514610310e-1f);
    p = FMA(p, f, 1.1676998740e-1f);
    p = FMA(p, f, -1.2420140846e-1f);
    p = FMA(p, f, 1.4249322787e-1f);
    p = FMA(p, f, -1.6668057665e-1f);
    p = FMA(p, f, 2.0000714765e-1f);
    p = FMA(p, f, -2.4999993993e-1f);
    p = FMA(p, f, 3.3333331174e-1f);
    p = FMA(p * f, z, e * -2.12194440e-4f); /* ln 2 in two parts */
    p = FMA(-z, 0.5f, p);
    return FMA(e, 0.693359375f, f + p);
}

/* sin(x) and cos(x), 0 <= x < 8: octants, pi/4 in three parts, one polynomial each. */
static inline void sincos_f32(float x, float *sine, float *cosine)
{
    int32_t octant = ((int32_t)(x * 1.27323954473516f) + 1) & ~1;
    float k = (float)octant;
    float r = FMA(k, -0.78515625f, x);
    r = FMA(k, -2.4187564849853515625e-4f, r);
    r = FMA(k, -3.77489497744594108e-8f, r);
    float z = r * r;
    float c = 2.443315711809948e-5f;
    c = FMA(c, z, -1.388731625493765e-3f);
    c = FMA(c, z, 4.166664568298827e-2f);
    c = FMA(c * z, z, -(z * 0.5f)) + 1.0f;
    float s = -1.9515295891e-4f;
    s = FMA(s, z, 8.3321608736e-3f);
    s = FMA(s, z, -1.6666654611e-1f);
    s = FMA(s * z, r, r);
    int swap = octant & 2;
    float sn = swap ? c : s, cs = swap ? s : c;
    *sine = octant & 4 ? -sn : sn;
    *cosine = (octant + 2) & 4 ? -cs : cs;
}

static void K(normal_f32)(float *y, size_t blocks, float mean, float std)
{
    for (size_t b = 0; b < blocks; b++, y += 16) {
        float s[8], c[8];
        for (int j = 0; j < 8; j++) {
            float radius = sqrtf(-2.0f * log_f32(1.0f - y[j]));
            float sine, cosine;
            sincos_f32(6.28318530717958647692f * y[j + 8], &sine, &cosine);
            c[j] = FMA(radius * cosine, std, mean);
            s[j] = FMA(radius * sine, std, mean);
        }
        memcpy(y, c, sizeof c);
        memcpy(y + 8, s, sizeof s);
    }
}

static void K(normal_f64)(double *y, size_t blocks, double mean, double std)
{
    for (size_t b = 0; b < blocks; b++, y += 16) {
        double s[8], c[8];
        for (int j = 0; j < 8; j++) {
            double radius = sqrt(-2.0 * rl_log_unit(1.0 - y[j]));
            double sine, cosine;
            rl_sincos_turn(6.28318530717958647692 * y[j + 8], &sine, &cosine);
            c[j] = __builtin_fma(radius * cosine, std, mean);
            s[j] = __builtin_fma(radius * sine, std, mean);
        }
        memcpy(y, c, sizeof c);
        memcpy(y + 8, s, sizeof s);
    }
}

static void K(normal_pairs)(const uint32_t *bits, double *y, size_t pairs)
{
    for (size_t i = 0; i < pairs; i++) {
        /* 1 - u is exact, so log(1 - u) is log1p(-u). */
        double u = rl_unit53(bits[4 * i + 2], bits[4 * i + 3]), sine, cosine;
        double radius = sqrt(-2.0 * rl_log_unit(1.0 - u));
        double angle = 6.28318530717958647692 * rl_unit53(bits[4 * i], bits[4 * i + 1]);
        rl_sincos_turn(angle, &sine, &cosine);
        y[2 * i] = radius * cosine;
        y[2 * i + 1] = radius * sine;
    }
}

static void K(affine)(double *y, size_t n, double mean, double std)
{
    for (size_t i = 0; i < n; i++)
        y[i] = __builtin_fma(y[i], std, mean);
}

static void K(log_normal)(double *y, size_t n, double mean, double std)
{
    for (size_t i = 0; i < n; i++)
        y[i] = rl_exp_any(__builtin_fma(y[i], std, mean));
}

/* -log(1 - u) / rate; from 0.0 so that u = 0 gives +0 */
static void K(exponential)(double *y, size_t n, double rate)
{
    for (size_t i = 0; i < n; i++)
        y[i] = (0.0 - rl_log_unit(1.0 - y[i])) / rate;
}

/* ceil(log(u) / log(1 - p)) */
static void K(geometric)(double *y, size_t n, double log_rest)
{
    for (size_t i = 0; i < n; i++)
        y[i] = ceil((y[i] > 0 ? rl_log_unit(y[i]) : -HUGE_VAL) / log_rest);
}

/* median + sigma tan(pi (u - 1/2)) */
static void K(cauchy)(double *y, size_t n, double median, double sigma)
{
    for (size_t i = 0; i < n; i++) {
        double sine, cosine;
        rl_sincos_turn(3.14159265358979323846 * (y[i] - 0.5), &sine, &cosine);
        y[i] = __builtin_fma(sigma, sine / cosine, median);
    }
}

const rl_random_kernels K(rl_random) = {
    .advance = K(mt_advance),
    .temper = K(mt_temper),
    .uniform_f32 = K(uniform_f32),
    .uniform_f64 = K(uniform_f64),
    .bernoulli_f32 = K(bernoulli_f32),
    .normal_f32 = K(normal_f32),
    .normal_f64 = K(normal_f64),
    .normal_pairs = K(normal_pairs),
    .affine = K(affine),
    .log_normal = K(log_normal),
    .exponential = K(exponential),
    .geometric = K(geometric),
    .cauchy = K(cauchy),
};
