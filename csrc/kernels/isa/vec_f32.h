/* vec_f32.h: vectors of float32, for formulas that look up numbers in tables of up to 16.
 *
 * The compiler makes vectors of formulas for one number (math_f32.h), but reads a table from
 * memory, element by element; here a table is one register.  The portable build's vector is one
 * number.  VF has + - *, VU (the bits) the operators of integers. */
#ifndef RL_KERNELS_VEC_F32_H
#define RL_KERNELS_VEC_F32_H

#include <math.h>
#include <string.h>

#if RL_VECTOR_BYTES > 16
#include <immintrin.h>
#endif

#define VF_INLINE static inline __attribute__((always_inline))

#if RL_VECTOR_BYTES == 64
typedef __m512 VF;
typedef uint32_t VU __attribute__((vector_size(64)));
#define VF_OP(op) _mm512_##op
#elif RL_VECTOR_BYTES == 32
typedef __m256 VF;
typedef uint32_t VU __attribute__((vector_size(32)));
#define VF_OP(op) _mm256_##op
#else
typedef float VF;
typedef uint32_t VU;
#endif
enum { VF_WIDTH = sizeof(VF) / sizeof(float) };

#if RL_VECTOR_BYTES > 16
VF_INLINE VF vf_load(const float *x) { return VF_OP(loadu_ps)(x); }
VF_INLINE void vf_store(float *y, VF v) { VF_OP(storeu_ps)(y, v); }
VF_INLINE VF vf_all(float x) { return VF_OP(set1_ps)(x); }
VF_INLINE VU vf_bits(VF v) { return (VU)v; }
VF_INLINE VF vf_of_bits(VU u) { return (VF)u; }
VF_INLINE VF vf_fma(VF a, VF b, VF c) { return VF_OP(fmadd_ps)(a, b, c); }
/* b where either is nan or both are zero, as in C: a < b ? a : b */
VF_INLINE VF vf_min(VF a, VF b) { return VF_OP(min_ps)(a, b); }
VF_INLINE VF vf_max(VF a, VF b) { return VF_OP(max_ps)(a, b); }
#else
VF_INLINE VF vf_load(const float *x) { return *x; }
VF_INLINE void vf_store(float *y, VF v) { *y = v; }
VF_INLINE VF vf_all(float x) { return x; }
VF_INLINE VU vf_bits(VF v)
{
    VU u;
    memcpy(&u, &v, sizeof u);
    return u;
}
VF_INLINE VF vf_of_bits(VU u)
{
    VF v;
    memcpy(&v, &u, sizeof v);
    return v;
}
VF_INLINE VF vf_fma(VF a, VF b, VF c) { return fmaf(a, b, c); }
VF_INLINE VF vf_min(VF a, VF b) { return a < b ? a : b; }
VF_INLINE VF vf_max(VF a, VF b) { return a > b ? a : b; }
#endif

VF_INLINE VF vf_abs(VF v) { return vf_of_bits(vf_bits(v) & 0x7fffffff); }
/* v, which is not negative, with the sign of s */
VF_INLINE VF vf_signed(VF v, VF s) { return vf_of_bits(vf_bits(v) | (vf_bits(s) & 0x80000000)); }

/* table[index mod 16] */
VF_INLINE VF vf_of_16(const float table[16], VU index)
{
#if RL_VECTOR_BYTES == 64
    return _mm512_permutexvar_ps((__m512i)index, _mm512_loadu_ps(table));
#elif RL_VECTOR_BYTES == 32
    return _mm256_blendv_ps(_mm256_permutevar8x32_ps(_mm256_loadu_ps(table), (__m256i)index),
                            _mm256_permutevar8x32_ps(_mm256_loadu_ps(table + 8), (__m256i)index),
                            (__m256)(index << 28));
#else
    return table[index & 15];
#endif
}

/* v 2^floor(n), rounded once, for v from 1/2 to 2 and n, a multiple of 1/16, from -160 to 130;
 * shifted is n + 1.5 2^19. */
VF_INLINE VF vf_scale(VF v, VF n, VF shifted)
{
#if RL_VECTOR_BYTES == 64
    (void)shifted;
    return _mm512_scalef_ps(v, n);
#else
    /* in two steps, the first of which is exact */
    const VU whole = (vf_bits(shifted) - 0x49400000 + 16 * 256) >> 4, half = whole >> 1;
    (void)n;
    return v * vf_of_bits((half - 1) << 23) * vf_of_bits((whole - half - 1) << 23);
#endif
}

/* The same where n is from -125 to 126: an addition to the exponent's bits. */
VF_INLINE VF vf_scale_normal(VF v, VF shifted)
{
    return vf_of_bits(vf_bits(v) + ((vf_bits(shifted) >> 4) << 23));
}

/* Whether this build has a reason to ask: |x| < limit everywhere. */
VF_INLINE bool vf_within(VF x, float limit)
{
#if RL_VECTOR_BYTES == 64
    (void)x, (void)limit;
    return false; /* vf_scale is one instruction */
#elif RL_VECTOR_BYTES == 32
    return _mm256_movemask_ps(_mm256_cmp_ps(vf_abs(x), vf_all(limit), _CMP_NLT_UQ)) == 0;
#else
    return vf_abs(x) < limit;
#endif
}

#endif
