/* pool.c: maxima and sums of windows, a row of the output at a time: each element of the window is
 * one loop over the row. */
#include <math.h>
#include <string.h>

#include "kernels/isa/isa.h"

#include "kernels/isa/gemm_vec.h"
#include "kernels/pool.h"

/* One element of the window, for the outputs of a row from `from` to `to`: they read x at `source`,
 * `source` + stride, ... */
typedef struct stretch {
    int64_t from, to, source, stride;
} stretch;

static stretch stretch_of(const rl_pool_window *v, int64_t row, int64_t k)
{
    int64_t stride = v->stride[2], offset = k * v->dilation[2] - v->pad[2];
    int64_t last = v->in[2] - 1 - offset;
    stretch s = {offset < 0 ? (-offset + stride - 1) / stride : 0, last < 0 ? 0 : last / stride + 1,
                 0, stride};
    if (s.to > v->out[2])
        s.to = v->out[2];
    s.source = row * v->in[2] + s.from * stride + offset;
    return s;
}

/* Calls USE(stretch, its stride, ...) for the elements of the windows of output row (o0, o1), in
 * order, or the last ones of each row of the window first. */
#define EACH_STRETCH(FIRST, MORE, NEXT, USE, ...)                                                  \
    for (int64_t k0 = 0; k0 < v->kernel[0]; k0++) {                                                \
        int64_t i0 = o0 * v->stride[0] - v->pad[0] + k0 * v->dilation[0];                          \
        if (i0 < 0 || i0 >= v->in[0])                                                              \
            continue;                                                                              \
        for (int64_t k1 = 0; k1 < v->kernel[1]; k1++) {                                            \
            int64_t i1 = o1 * v->stride[1] - v->pad[1] + k1 * v->dilation[1];                      \
            if (i1 < 0 || i1 >= v->in[1])                                                          \
                continue;                                                                          \
            for (int64_t k2 = FIRST; MORE; NEXT) {                                                 \
                stretch s = stretch_of(v, i0 * v->in[1] + i1, k2);                                 \
                /* A constant stride is what the compiler can load without gathering. */           \
                if (s.stride == 1)                                                                 \
                    USE(s, 1, __VA_ARGS__);                                                        \
                else if (s.stride == 2)                                                            \
                    USE(s, 2, __VA_ARGS__);                                                        \
                else                                                                               \
                    USE(s, s.stride, __VA_ARGS__);                                                 \
            }                                                                                      \
        }                                                                                          \
    }
#define ROWS                                                                                       \
    for (int64_t o0 = 0; o0 < v->out[0]; o0++)                                                     \
        for (int64_t o1 = 0; o1 < v->out[1]; o1++, y += v->out[2])

/* ---- windows of 2 x 2, side by side ---- */

/* Maxima of the n windows of rows p and q, and which of its elements each is, 0 to 3; the gradients
 * of both rows from that of the maxima. */
#define PAIR_ROWS(T, S)                                                                            \
    static __attribute__((noinline)) void pair_row_##S(const T *restrict p, const T *restrict q,   \
                                                       int64_t n, T *restrict y,                   \
                                                       uint8_t *restrict which)                    \
    {                                                                                              \
        for (int64_t i = 0; i < n; i++) {                                                          \
            T most = p[2 * i];                                                                     \
            int best = 0;                                                                          \
            for (int k = 1; k < 4; k++) {                                                          \
                T value = (k < 2 ? p : q)[2 * i + k % 2];                                          \
                int take = (value > most) | (value != value);                                      \
                most = take ? value : most;                                                        \
                best = take ? k : best;                                                            \
            }                                                                                      \
            y[i] = most;                                                                           \
            which[i] = (uint8_t)best;                                                              \
        }                                                                                          \
    }                                                                                              \
    static void unpair_row_##S(const T *restrict y, const uint8_t *restrict which, int64_t n,      \
                               T *restrict p, T *restrict q)                                       \
    {                                                                                              \
        for (int64_t i = 0; i < n; i++)                                                            \
            for (int k = 0; k < 4; k++)                                                            \
                (k < 2 ? p : q)[2 * i + k % 2] = which[i] == k ? y[i] : 0;                         \
    }
/* float64 is not worth the code that unrolled vectors of it take. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC push_options
#pragma GCC optimize("no-tree-vectorize")
PAIR_ROWS(double, f64)
#pragma GCC pop_options
#else
PAIR_ROWS(double, f64)
#endif

#if LANES_f32 == 8

/* n bytes, at most 8, of the low ones of v. */
RL_INLINE void store_bytes(uint8_t *to, uint64_t v, int64_t n)
{
    if (n >= 8) {
        memcpy(to, &v, 8);
        return;
    }
    if (n & 4)
        memcpy(to, &v, 4), to += 4, v >>= 32;
    if (n & 2)
        memcpy(to, &v, 2), to += 2, v >>= 16;
    if (n & 1)
        *to = (uint8_t)v;
}

RL_INLINE uint64_t load_bytes(const uint8_t *from, int64_t n)
{
    uint64_t v = 0;
    if (n >= 8) {
        memcpy(&v, from, 8);
        return v;
    }
    for (int64_t i = 0; i < n; i++)
        v |= (uint64_t)from[i] << (8 * i);
    return v;
}

/* The maximum of what is and a later element, and where it lies. */
RL_INLINE void take(__m256 *most, __m256i *best, __m256 value, int k)
{
    __m256 more = _mm256_or_ps(_mm256_cmp_ps(value, *most, _CMP_GT_OQ),
                               _mm256_cmp_ps(value, value, _CMP_UNORD_Q));
    *most = _mm256_blendv_ps(*most, value, more);
    *best = _mm256_blendv_epi8(*best, _mm256_set1_epi32(k), _mm256_castps_si256(more));
}

/* Even and odd elements of a and b, their 64-bit quarters in order 0 2 1 3. */
#define EVEN(a, b) _mm256_shuffle_ps(a, b, 0x88)
#define ODD(a, b) _mm256_shuffle_ps(a, b, 0xdd)

static void pair_row_f32(const float *p, const float *q, int64_t n, float *y, uint8_t *which)
{
    for (int64_t i = 0; i < n; i += 8, p += 16, q += 16) {
        int64_t left = n - i;
        mask_f32 lo = mask_to_f32(2 * left), hi = mask_to_f32(2 * left - 8);
        __m256 p0 = load_f32(p, lo), p1 = load_f32(p + 8, hi);
        __m256 q0 = load_f32(q, lo), q1 = load_f32(q + 8, hi);
        __m256 most = EVEN(p0, p1);
        __m256i best = _mm256_setzero_si256();
        take(&most, &best, ODD(p0, p1), 1);
        take(&most, &best, EVEN(q0, q1), 2);
        take(&most, &best, ODD(q0, q1), 3);
        most = _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(most), 0xd8));
        store_f32(y + i, mask_to_f32(left), most);
        best = _mm256_permute4x64_epi64(best, 0xd8);
        __m128i words =
            _mm_packs_epi32(_mm256_castsi256_si128(best), _mm256_extracti128_si256(best, 1));
        store_bytes(which + i, (uint64_t)_mm_cvtsi128_si64(_mm_packus_epi16(words, words)), left);
    }
}

static void unpair_row_f32(const float *y, const uint8_t *which, int64_t n, float *p, float *q)
{
    for (int64_t i = 0; i < n; i += 8, p += 16, q += 16) {
        int64_t left = n - i;
        mask_f32 lo = mask_to_f32(2 * left), hi = mask_to_f32(2 * left - 8);
        __m256 g = load_f32(y + i, mask_to_f32(left)), at[4];
        __m256i best =
            _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((int64_t)load_bytes(which + i, left)));
        UNROLL(4)
        for (int k = 0; k < 4; k++)
            at[k] = _mm256_and_ps(
                g, _mm256_castsi256_ps(_mm256_cmpeq_epi32(best, _mm256_set1_epi32(k))));
        UNROLL(2)
        for (int r = 0; r < 2; r++) {
            __m256 a = _mm256_unpacklo_ps(at[2 * r], at[2 * r + 1]);
            __m256 b = _mm256_unpackhi_ps(at[2 * r], at[2 * r + 1]);
            float *to = r ? q : p;
            store_f32(to, lo, _mm256_permute2f128_ps(a, b, 0x20));
            store_f32(to + 8, hi, _mm256_permute2f128_ps(a, b, 0x31));
        }
    }
}

#else
PAIR_ROWS(float, f32)
#endif

#define POOL(T, S)                                                                                 \
    static inline __attribute__((always_inline)) void take_max_##S(                                \
        stretch s, int64_t stride, const T *restrict x, T *restrict y, int64_t *restrict at)       \
    {                                                                                              \
        x += s.source;                                                                             \
        for (int64_t i = s.from, p = 0; i < s.to; i++, p += stride) {                              \
            T value = x[p], most = y[i];                                                           \
            int take = (value > most) | (value != value) | (at[i] < 0);                            \
            y[i] = take ? value : most;                                                            \
            at[i] = take ? s.source + p : at[i];                                                   \
        }                                                                                          \
    }                                                                                              \
    static inline __attribute__((always_inline)) void take_most_##S(                               \
        stretch s, int64_t stride, const T *restrict x, T *restrict y)                             \
    {                                                                                              \
        x += s.source;                                                                             \
        for (int64_t i = s.from, p = 0; i < s.to; i++, p += stride) {                              \
            T value = x[p], most = y[i];                                                           \
            y[i] = (value > most) | (value != value) ? value : most;                               \
        }                                                                                          \
    }                                                                                              \
    static inline __attribute__((always_inline)) void join_##S(stretch s, int64_t stride,          \
                                                               const T *restrict x, T *restrict y) \
    {                                                                                              \
        x += s.source;                                                                             \
        for (int64_t i = s.from, p = 0; i < s.to; i++, p += stride)                                \
            y[i] += x[p];                                                                          \
    }                                                                                              \
    static inline __attribute__((always_inline)) void give_##S(stretch s, int64_t stride,          \
                                                               const T *restrict y, T *restrict x) \
    {                                                                                              \
        x += s.source;                                                                             \
        for (int64_t i = s.from, p = 0; i < s.to; i++, p += stride)                                \
            x[p] += y[i];                                                                          \
    }                                                                                              \
    static void pairs_##S(const rl_pool_window *v, const T *x, T *y, uint8_t *which)               \
    {                                                                                              \
        int64_t n = v->out[2], width = v->in[2];                                                   \
        for (int64_t i0 = 0; i0 < v->in[0]; i0++, x += v->in[1] * width)                           \
            for (int64_t o = 0; o < v->out[1]; o++, y += n, which += n)                            \
                pair_row_##S(x + 2 * o * width, x + (2 * o + 1) * width, n, y, which);             \
    }                                                                                              \
    /* Short rows: into zeros, one by one. */                                                      \
    static void unpair_##S(const rl_pool_window *v, const T *y, const uint8_t *which, T *x)        \
    {                                                                                              \
        int64_t n = v->out[2], width = v->in[2], rest = v->in[1] - 2 * v->out[1];                  \
        bool single = n < 8;                                                                       \
        if (single)                                                                                \
            memset(x, 0, (size_t)(v->in[0] * v->in[1] * width) * sizeof *x);                       \
        for (int64_t i0 = 0; i0 < v->in[0]; i0++) {                                                \
            for (int64_t o = 0; o < v->out[1]; o++, y += n, which += n, x += 2 * width) {          \
                for (int64_t i = 0; single && i < n; i++)                                          \
                    x[which[i] / 2 * width + 2 * i + which[i] % 2] = y[i];                         \
                if (single)                                                                        \
                    continue;                                                                      \
                unpair_row_##S(y, which, n, x, x + width);                                         \
                for (int64_t i = 2 * n; i < width; i++)                                            \
                    x[i] = x[width + i] = 0;                                                       \
            }                                                                                      \
            if (!single)                                                                           \
                memset(x, 0, (size_t)(rest * width) * sizeof *x);                                  \
            x += rest * width;                                                                     \
        }                                                                                          \
    }                                                                                              \
    /* A plane's pairs, and where the maxima lie. */                                               \
    static void max_pairs_##S(const rl_pool_window *v, const T *x, T *y, int64_t *at)              \
    {                                                                                              \
        enum { BLOCK = 256 };                                                                      \
        uint8_t which[BLOCK];                                                                      \
        int64_t n = v->out[2], width = v->in[2];                                                   \
        for (int64_t row = 0; row < v->in[0] * v->out[1]; row++)                                   \
            for (int64_t i = 0; i < n; i += BLOCK) {                                               \
                int64_t m = n - i < BLOCK ? n - i : BLOCK;                                         \
                int64_t base = (row / v->out[1] * v->in[1] + row % v->out[1] * 2) * width + 2 * i; \
                pair_row_##S(x + base, x + base + width, m, y, which);                             \
                for (int64_t k = 0; k < m; k++)                                                    \
                    at[k] = base + 2 * k + (which[k] & 1) + (which[k] & 2 ? width : 0);            \
                y += m;                                                                            \
                at += m;                                                                           \
            }                                                                                      \
    }                                                                                              \
    static void max_##S(const rl_pool_window *v, const T *x, T *y, int64_t *at)                    \
    {                                                                                              \
        if (rl_pool_in_pairs(v)) {                                                                 \
            max_pairs_##S(v, x, y, at);                                                            \
            return;                                                                                \
        }                                                                                          \
        ROWS                                                                                       \
        {                                                                                          \
            for (int64_t i = 0; i < v->out[2]; i++) {                                              \
                y[i] = -INFINITY;                                                                  \
                at[i] = -1;                                                                        \
            }                                                                                      \
            EACH_STRETCH(0, k2 < v->kernel[2], k2++, take_max_##S, x, y, at)                       \
            at += v->out[2];                                                                       \
        }                                                                                          \
    }                                                                                              \
    static void most_##S(const rl_pool_window *v, const T *x, T *y)                                \
    {                                                                                              \
        ROWS                                                                                       \
        {                                                                                          \
            for (int64_t i = 0; i < v->out[2]; i++)                                                \
                y[i] = -INFINITY;                                                                  \
            EACH_STRETCH(0, k2 < v->kernel[2], k2++, take_most_##S, x, y)                          \
        }                                                                                          \
    }                                                                                              \
    /* Window by window: for rows too short for a loop along them. */                              \
    static void sum_windows_##S(const rl_pool_window *v, const T *x, T *y)                         \
    {                                                                                              \
        const int64_t row = v->in[2], plane = v->in[1] * row, n0 = v->kernel[0];                   \
        const int64_t n1 = v->kernel[1], n2 = v->kernel[2], d2 = v->dilation[2];                   \
        ROWS for (int64_t o2 = 0; o2 < v->out[2]; o2++)                                            \
        {                                                                                          \
            const T *from =                                                                        \
                x + o0 * v->stride[0] * plane + o1 * v->stride[1] * row + o2 * v->stride[2];       \
            T sum = 0;                                                                             \
            for (int64_t k0 = 0; k0 < n0; k0++, from += v->dilation[0] * plane) {                  \
                const T *at = from;                                                                \
                for (int64_t k1 = 0; k1 < n1; k1++, at += v->dilation[1] * row)                    \
                    for (int64_t k2 = 0; k2 < n2; k2++)                                            \
                        sum += at[k2 * d2];                                                        \
            }                                                                                      \
            y[o2] = sum;                                                                           \
        }                                                                                          \
    }                                                                                              \
    static void sum_##S(const rl_pool_window *v, const T *x, T *y)                                 \
    {                                                                                              \
        if ((v->out[2] < 16 || v->stride[2] > 2) && rl_pool_inside(v)) {                           \
            sum_windows_##S(v, x, y);                                                              \
            return;                                                                                \
        }                                                                                          \
        ROWS                                                                                       \
        {                                                                                          \
            for (int64_t i = 0; i < v->out[2]; i++)                                                \
                y[i] = 0;                                                                          \
            EACH_STRETCH(0, k2 < v->kernel[2], k2++, join_##S, x, y)                               \
        }                                                                                          \
    }                                                                                              \
    static void spread_##S(const rl_pool_window *v, const T *y, T *x)                              \
    {                                                                                              \
        ROWS EACH_STRETCH(v->kernel[2] - 1, k2 >= 0, k2--, give_##S, y, x)                         \
    }

POOL(float, f32)
POOL(double, f64)

static const rl_pool_kernels kernels = {max_f32,   max_f64,   most_f32,   most_f64,
                                        sum_f32,   sum_f64,   spread_f32, spread_f64,
                                        pairs_f32, pairs_f64, unpair_f32, unpair_f64};

void K(fill_pool)(rl_kernels *table);
void K(fill_pool)(rl_kernels *table) { table->pool = &kernels; }
