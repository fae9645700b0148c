/* convert.c: dtype conversion of contiguous elements: 10 x 10 loops that the compiler vectorises.
 *
 * float16 and bfloat16 are widened to float32 in blocks and go on from there, and come from there.
 */
#include "kernels/isa/isa.h"

#include <string.h>
#ifdef __F16C__
#include <immintrin.h>
#endif

#include "kernels/convert.h"

#define BLOCK 512

/* ---- single elements ---- */

static inline float bits_float(uint32_t u)
{
    float f;
    memcpy(&f, &u, 4);
    return f;
}

static inline uint32_t float_bits(float f)
{
    uint32_t u;
    memcpy(&u, &f, 4);
    return u;
}

static inline float half_float(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, magnitude = h & 0x7fff;
    uint32_t normal = (magnitude << 13) + (112u << 23);
    /* Subnormal: the significand on top of 2^-14's exponent, less 2^-14, which is exact. */
    uint32_t subnormal = float_bits(bits_float((magnitude << 13) + (113u << 23)) - 0x1p-14f);
    uint32_t special = (magnitude << 13) | 0x7f800000u | (magnitude > 0x7c00 ? 0x400000u : 0);
    return bits_float(sign | (magnitude >= 0x7c00  ? special
                              : magnitude < 0x0400 ? subnormal
                                                   : normal));
}

static inline uint16_t float_half(float f)
{
    uint32_t u = float_bits(f), sign = (u >> 16) & 0x8000, a = u & 0x7fffffff;
    /* Normal: drop 13 bits, to nearest even; a carry runs on into the exponent, up to infinity. */
    uint32_t normal = (a + 0xfff + ((a >> 13) & 1) - (112u << 23)) >> 13;
    /* Below 2^-14: adding 0.5 leaves the result in the last bits, rounded by the addition. */
    uint32_t subnormal = float_bits(bits_float(a) + 0.5f) - (126u << 23);
    uint32_t nan = 0x7e00 | ((a >> 13) & 0x3ff);
    uint32_t r = a < (113u << 23) ? subnormal : normal;
    r = a >= 0x477ff000u ? 0x7c00 : r; /* 65520 and above */
    r = a > 0x7f800000u ? nan : r;
    return (uint16_t)(sign | r);
}

static inline float bfloat_float(uint16_t b) { return bits_float((uint32_t)b << 16); }

static inline uint16_t float_bfloat(float f)
{
    uint32_t u = float_bits(f);
    uint32_t rounded = (u + 0x7fff + ((u >> 16) & 1)) >> 16;
    return (uint16_t)((u & 0x7fffffff) > 0x7f800000u ? 0x7fc0 : rounded);
}

static inline int32_t trunc32(double v)
{
    return v > -2147483649.0 && v < 2147483648.0 ? (int32_t)v : INT32_MIN;
}
static inline int32_t trunc32f(float v)
{
    return v >= -2147483648.0f && v < 2147483648.0f ? (int32_t)v : INT32_MIN;
}
static inline int64_t trunc64(double v)
{
    return v >= -0x1p63 && v < 0x1p63 ? (int64_t)v : INT64_MIN;
}
static inline int64_t trunc64f(float v)
{
    return v >= -0x1p63f && v < 0x1p63f ? (int64_t)v : INT64_MIN;
}

/* ---- between the eight types that C computes with ---- */

#define LOOP(from, F, to, T, value)                                                                \
    static void from##_##to(const void *restrict xp, void *restrict yp, size_t n)                  \
    {                                                                                              \
        const F *restrict x = xp;                                                                  \
        T *restrict y = yp;                                                                        \
        for (size_t i = 0; i < n; i++) {                                                           \
            F v = x[i];                                                                            \
            y[i] = (T)(value);                                                                     \
        }                                                                                          \
    }
#define FROM_INT(from, F)                                                                          \
    LOOP(from, F, bool, uint8_t, v != 0)                                                           \
    LOOP(from, F, u8, uint8_t, v)                                                                  \
    LOOP(from, F, i8, int8_t, v)                                                                   \
    LOOP(from, F, i16, int16_t, v)                                                                 \
    LOOP(from, F, i32, int32_t, v)                                                                 \
    LOOP(from, F, i64, int64_t, v)                                                                 \
    LOOP(from, F, f32, float, v)                                                                   \
    LOOP(from, F, f64, double, v)
#define FROM_FLOAT(from, F, trunc_32, trunc_64)                                                    \
    LOOP(from, F, bool, uint8_t, v != 0)                                                           \
    LOOP(from, F, u8, uint8_t, trunc_32(v))                                                        \
    LOOP(from, F, i8, int8_t, trunc_32(v))                                                         \
    LOOP(from, F, i16, int16_t, trunc_32(v))                                                       \
    LOOP(from, F, i32, int32_t, trunc_32(v))                                                       \
    LOOP(from, F, i64, int64_t, trunc_64(v))                                                       \
    LOOP(from, F, f32, float, v)                                                                   \
    LOOP(from, F, f64, double, v)

LOOP(bool, uint8_t, bool, uint8_t, v != 0)
LOOP(bool, uint8_t, u8, uint8_t, v != 0)
LOOP(bool, uint8_t, i8, int8_t, v != 0)
LOOP(bool, uint8_t, i16, int16_t, v != 0)
LOOP(bool, uint8_t, i32, int32_t, v != 0)
LOOP(bool, uint8_t, i64, int64_t, v != 0)
LOOP(bool, uint8_t, f32, float, v != 0)
LOOP(bool, uint8_t, f64, double, v != 0)
FROM_INT(u8, uint8_t)
FROM_INT(i8, int8_t)
FROM_INT(i16, int16_t)
FROM_INT(i32, int32_t)
FROM_INT(i64, int64_t)
FROM_FLOAT(f32, float, trunc32f, trunc64f)
FROM_FLOAT(f64, double, trunc32, trunc64)

/* ---- the two narrow floats and float32 ---- */

static void f16_f32(const void *restrict xp, void *restrict yp, size_t n)
{
    const uint16_t *restrict x = xp;
    float *restrict y = yp;
    size_t i = 0;
#ifdef __AVX512F__
    for (; i + 16 <= n; i += 16)
        _mm512_storeu_ps(y + i, _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(x + i))));
#endif
#ifdef __F16C__
    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(y + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(x + i))));
#endif
    for (; i < n; i++)
        y[i] = half_float(x[i]);
}

static void f32_f16(const void *restrict xp, void *restrict yp, size_t n)
{
    const float *restrict x = xp;
    uint16_t *restrict y = yp;
    size_t i = 0;
#ifdef __AVX512F__
    for (; i + 16 <= n; i += 16)
        _mm256_storeu_si256((__m256i *)(y + i), _mm512_cvtps_ph(_mm512_loadu_ps(x + i), 0));
#endif
#ifdef __F16C__
    for (; i + 8 <= n; i += 8)
        _mm_storeu_si128((__m128i *)(y + i), _mm256_cvtps_ph(_mm256_loadu_ps(x + i), 0));
#endif
    for (; i < n; i++)
        y[i] = float_half(x[i]);
}

LOOP(bf16, uint16_t, f32, float, bfloat_float(v))
LOOP(f32, float, bf16, uint16_t, float_bfloat(v))

/* ---- the rest by way of float32 ---- */

#define BY_FLOAT(from, from_size, to, to_size)                                                     \
    static void from##_##to(const void *restrict xp, void *restrict yp, size_t n)                  \
    {                                                                                              \
        const char *x = xp;                                                                        \
        char *y = yp;                                                                              \
        float block[BLOCK];                                                                        \
        while (n) {                                                                                \
            size_t m = n < BLOCK ? n : BLOCK;                                                      \
            from##_f32(x, block, m);                                                               \
            f32_##to(block, y, m);                                                                 \
            x += m * from_size;                                                                    \
            y += m * to_size;                                                                      \
            n -= m;                                                                                \
        }                                                                                          \
    }
#define NARROW(h)                                                                                  \
    BY_FLOAT(h, 2, bool, 1)                                                                        \
    BY_FLOAT(h, 2, u8, 1)                                                                          \
    BY_FLOAT(h, 2, i8, 1)                                                                          \
    BY_FLOAT(h, 2, i16, 2)                                                                         \
    BY_FLOAT(h, 2, i32, 4)                                                                         \
    BY_FLOAT(h, 2, i64, 8)                                                                         \
    BY_FLOAT(h, 2, f64, 8)                                                                         \
    BY_FLOAT(bool, 1, h, 2)                                                                        \
    BY_FLOAT(u8, 1, h, 2)                                                                          \
    BY_FLOAT(i8, 1, h, 2)                                                                          \
    BY_FLOAT(i16, 2, h, 2)                                                                         \
    BY_FLOAT(i32, 4, h, 2)                                                                         \
    BY_FLOAT(i64, 8, h, 2)                                                                         \
    BY_FLOAT(f64, 8, h, 2)
NARROW(f16)
NARROW(bf16)
BY_FLOAT(f16, 2, bf16, 2)
BY_FLOAT(bf16, 2, f16, 2)

static void copy_16(const void *restrict x, void *restrict y, size_t n) { memcpy(y, x, n * 2); }

#define ROW(from, same_f16, same_bf16)                                                             \
    {[RL_BOOL] = from##_bool, [RL_U8] = from##_u8,   [RL_I8] = from##_i8, [RL_I16] = from##_i16,   \
     [RL_I32] = from##_i32,   [RL_I64] = from##_i64, [RL_F16] = same_f16, [RL_BF16] = same_bf16,   \
     [RL_F32] = from##_f32,   [RL_F64] = from##_f64}

rl_convert_fn *const K(rl_converts)[RL_NDTYPES][RL_NDTYPES] = {
    [RL_BOOL] = ROW(bool, bool_f16, bool_bf16), [RL_U8] = ROW(u8, u8_f16, u8_bf16),
    [RL_I8] = ROW(i8, i8_f16, i8_bf16),         [RL_I16] = ROW(i16, i16_f16, i16_bf16),
    [RL_I32] = ROW(i32, i32_f16, i32_bf16),     [RL_I64] = ROW(i64, i64_f16, i64_bf16),
    [RL_F16] = ROW(f16, copy_16, f16_bf16),     [RL_BF16] = ROW(bf16, bf16_f16, copy_16),
    [RL_F32] = ROW(f32, f32_f16, f32_bf16),     [RL_F64] = ROW(f64, f64_f16, f64_bf16),
};
