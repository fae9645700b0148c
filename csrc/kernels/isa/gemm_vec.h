/* gemm_vec.h: the few vector words that the matrix kernels need, per instruction set.
 *
 * For each of f32 and f64: a vector type vf32, its element count LANES_f32, a mask type that says
 * how many leading elements count, and load, store, set1, zero, add, fma, relu.  relu(x) keeps -0
 * and NaN, as a maximum with 0 does. */
#ifndef RL_KERNELS_ISA_GEMM_VEC_H
#define RL_KERNELS_ISA_GEMM_VEC_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define RL_INLINE static inline __attribute__((always_inline))

/* Before a loop of n rounds over registers.  The portable build has none to win: it stays small. */
#define PRAGMA(x) _Pragma(#x)
#if defined(__AVX2__)
#define UNROLL(n) PRAGMA(GCC unroll n)
#else
#define UNROLL(n) PRAGMA(GCC unroll 1)
#endif

#if defined(__AVX512F__)
#include <immintrin.h>

#define LANES_f32 16
#define LANES_f64 8
typedef __m512 vf32;
typedef __m512d vf64;
typedef __mmask16 mask_f32;
typedef __mmask8 mask_f64;

RL_INLINE mask_f32 mask_to_f32(int64_t n)
{
    return n >= 16 ? 0xffff : n <= 0 ? 0 : (mask_f32)((1u << n) - 1);
}
RL_INLINE mask_f64 mask_to_f64(int64_t n)
{
    return n >= 8 ? 0xff : n <= 0 ? 0 : (mask_f64)((1u << n) - 1);
}
RL_INLINE vf32 load_f32(const void *p, mask_f32 m) { return _mm512_maskz_loadu_ps(m, p); }
RL_INLINE vf64 load_f64(const void *p, mask_f64 m) { return _mm512_maskz_loadu_pd(m, p); }
RL_INLINE void store_f32(void *p, mask_f32 m, vf32 x) { _mm512_mask_storeu_ps(p, m, x); }
RL_INLINE void store_f64(void *p, mask_f64 m, vf64 x) { _mm512_mask_storeu_pd(p, m, x); }
RL_INLINE void store_all_f32(void *p, vf32 x) { _mm512_storeu_ps(p, x); }
RL_INLINE void store_all_f64(void *p, vf64 x) { _mm512_storeu_pd(p, x); }
RL_INLINE vf32 load_all_f32(const void *p) { return _mm512_loadu_ps(p); }
RL_INLINE vf64 load_all_f64(const void *p) { return _mm512_loadu_pd(p); }
RL_INLINE vf32 set1_f32(const void *p) { return _mm512_set1_ps(*(const float *)p); }
RL_INLINE vf64 set1_f64(const void *p) { return _mm512_set1_pd(*(const double *)p); }
RL_INLINE vf32 zero_f32(void) { return _mm512_setzero_ps(); }
RL_INLINE vf64 zero_f64(void) { return _mm512_setzero_pd(); }
RL_INLINE vf32 add_f32(vf32 a, vf32 b) { return _mm512_add_ps(a, b); }
RL_INLINE vf64 add_f64(vf64 a, vf64 b) { return _mm512_add_pd(a, b); }
RL_INLINE vf32 fma_f32(vf32 a, vf32 b, vf32 c) { return _mm512_fmadd_ps(a, b, c); }
RL_INLINE vf64 fma_f64(vf64 a, vf64 b, vf64 c) { return _mm512_fmadd_pd(a, b, c); }
RL_INLINE vf32 relu_f32(vf32 x) { return _mm512_max_ps(_mm512_setzero_ps(), x); }
RL_INLINE vf64 relu_f64(vf64 x) { return _mm512_max_pd(_mm512_setzero_pd(), x); }

#elif defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>

#define LANES_f32 8
#define LANES_f64 4
typedef __m256 vf32;
typedef __m256d vf64;
typedef struct {
    __m256i v;
    int64_t n; /* elements, at least 0 */
} mask_f32;
typedef mask_f32 mask_f64;

RL_INLINE mask_f32 mask_to_f32(int64_t n)
{
    int c = n > 8 ? 8 : n < 0 ? 0 : (int)n;
    return (mask_f32){
        _mm256_cmpgt_epi32(_mm256_set1_epi32(c), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)), c};
}
RL_INLINE mask_f64 mask_to_f64(int64_t n)
{
    int c = n > 4 ? 4 : n < 0 ? 0 : (int)n;
    return (mask_f64){_mm256_cmpgt_epi64(_mm256_set1_epi64x(c), _mm256_setr_epi64x(0, 1, 2, 3)), c};
}
RL_INLINE vf32 load_f32(const void *p, mask_f32 m) { return _mm256_maskload_ps(p, m.v); }
RL_INLINE vf64 load_f64(const void *p, mask_f64 m) { return _mm256_maskload_pd(p, m.v); }
/* In pieces: a masked store takes AMD's processors some twenty cycles. */
RL_INLINE void store_f32(void *p, mask_f32 m, vf32 x)
{
    float *to = p;
    __m128 part = _mm256_castps256_ps128(x);
    if (m.n == 8) {
        _mm256_storeu_ps(to, x);
        return;
    }
    if (m.n & 4) {
        _mm_storeu_ps(to, part);
        part = _mm256_extractf128_ps(x, 1);
        to += 4;
    }
    if (m.n & 2) {
        _mm_storel_pi((__m64 *)to, part);
        part = _mm_movehl_ps(part, part);
        to += 2;
    }
    if (m.n & 1)
        _mm_store_ss(to, part);
}
RL_INLINE void store_f64(void *p, mask_f64 m, vf64 x)
{
    double *to = p;
    __m128d part = _mm256_castpd256_pd128(x);
    if (m.n == 4) {
        _mm256_storeu_pd(to, x);
        return;
    }
    if (m.n & 2) {
        _mm_storeu_pd(to, part);
        part = _mm256_extractf128_pd(x, 1);
        to += 2;
    }
    if (m.n & 1)
        _mm_store_sd(to, part);
}
RL_INLINE void store_all_f32(void *p, vf32 x) { _mm256_storeu_ps(p, x); }
RL_INLINE void store_all_f64(void *p, vf64 x) { _mm256_storeu_pd(p, x); }
RL_INLINE vf32 load_all_f32(const void *p) { return _mm256_loadu_ps(p); }
RL_INLINE vf64 load_all_f64(const void *p) { return _mm256_loadu_pd(p); }
RL_INLINE vf32 set1_f32(const void *p) { return _mm256_broadcast_ss(p); }
RL_INLINE vf64 set1_f64(const void *p) { return _mm256_broadcast_sd(p); }
RL_INLINE vf32 zero_f32(void) { return _mm256_setzero_ps(); }
RL_INLINE vf64 zero_f64(void) { return _mm256_setzero_pd(); }
RL_INLINE vf32 add_f32(vf32 a, vf32 b) { return _mm256_add_ps(a, b); }
RL_INLINE vf64 add_f64(vf64 a, vf64 b) { return _mm256_add_pd(a, b); }
RL_INLINE vf32 fma_f32(vf32 a, vf32 b, vf32 c) { return _mm256_fmadd_ps(a, b, c); }
RL_INLINE vf64 fma_f64(vf64 a, vf64 b, vf64 c) { return _mm256_fmadd_pd(a, b, c); }
RL_INLINE vf32 relu_f32(vf32 x) { return _mm256_max_ps(_mm256_setzero_ps(), x); }
RL_INLINE vf64 relu_f64(vf64 x) { return _mm256_max_pd(_mm256_setzero_pd(), x); }

#else

/* The definition: element by element, with the C library's fma where the machine has none. */
#define PORTABLE_VEC(S, T, N, FMA)                                                                 \
    typedef struct {                                                                               \
        T e[N];                                                                                    \
    } v##S;                                                                                        \
    typedef int64_t mask_##S;                                                                      \
    RL_INLINE mask_##S mask_to_##S(int64_t n) { return n > N ? N : n < 0 ? 0 : n; }                \
    RL_INLINE v##S load_##S(const void *p, mask_##S m)                                             \
    {                                                                                              \
        v##S x = {{0}};                                                                            \
        for (int64_t i = 0; i < m; i++)                                                            \
            x.e[i] = ((const T *)p)[i];                                                            \
        return x;                                                                                  \
    }                                                                                              \
    RL_INLINE v##S load_all_##S(const void *p)                                                     \
    {                                                                                              \
        v##S x;                                                                                    \
        memcpy(x.e, p, sizeof x.e);                                                                \
        return x;                                                                                  \
    }                                                                                              \
    RL_INLINE void store_##S(void *p, mask_##S m, v##S x)                                          \
    {                                                                                              \
        for (int64_t i = 0; i < m; i++)                                                            \
            ((T *)p)[i] = x.e[i];                                                                  \
    }                                                                                              \
    RL_INLINE void store_all_##S(void *p, v##S x) { memcpy(p, x.e, sizeof x.e); }                  \
    RL_INLINE v##S set1_##S(const void *p)                                                         \
    {                                                                                              \
        v##S x;                                                                                    \
        for (int i = 0; i < N; i++)                                                                \
            x.e[i] = *(const T *)p;                                                                \
        return x;                                                                                  \
    }                                                                                              \
    RL_INLINE v##S zero_##S(void) { return (v##S){{0}}; }                                          \
    RL_INLINE v##S add_##S(v##S a, v##S b)                                                         \
    {                                                                                              \
        for (int i = 0; i < N; i++)                                                                \
            a.e[i] += b.e[i];                                                                      \
        return a;                                                                                  \
    }                                                                                              \
    RL_INLINE v##S fma_##S(v##S a, v##S b, v##S c)                                                 \
    {                                                                                              \
        for (int i = 0; i < N; i++)                                                                \
            c.e[i] = FMA(a.e[i], b.e[i], c.e[i]);                                                  \
        return c;                                                                                  \
    }                                                                                              \
    RL_INLINE v##S relu_##S(v##S x)                                                                \
    {                                                                                              \
        for (int i = 0; i < N; i++)                                                                \
            x.e[i] = x.e[i] < 0 ? 0 : x.e[i];                                                      \
        return x;                                                                                  \
    }

#define LANES_f32 4
#define LANES_f64 2
PORTABLE_VEC(f32, float, LANES_f32, fmaf)
PORTABLE_VEC(f64, double, LANES_f64, fma)
#undef PORTABLE_VEC

#endif
#endif
