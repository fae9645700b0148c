/* gemm.c: the matrix kernels of one instruction set: tiles, packing, dot products. */
#include "kernels/isa/isa.h"

#include "kernels/gemm.h"
#include "kernels/isa/gemm_vec.h"

#define S f32
#include "kernels/isa/gemm_tile.h"
#define S f64
#include "kernels/isa/gemm_tile.h"

/* ---- packing ---- */

/* Any strides, any type of `size` bytes: the plain version, and the remainders of the others. */
#define PACK_PLAIN(NAME, T)                                                                        \
    static void NAME(int64_t p0, int64_t k, int64_t j0, int64_t n, int64_t width, const char *b,   \
                     ptrdiff_t rsb, ptrdiff_t csb, char *panel)                                    \
    {                                                                                              \
        for (int64_t p = p0; p < k; p++) {                                                         \
            T *row = (T *)panel + p * width;                                                       \
            for (int64_t j = j0; j < n; j++)                                                       \
                row[j] = *(const T *)(b + p * rsb + j * csb);                                      \
            for (int64_t j = n; j < width; j++)                                                    \
                row[j] = 0;                                                                        \
        }                                                                                          \
    }
PACK_PLAIN(pack_plain_f32, float)
PACK_PLAIN(pack_plain_f64, double)

#define PACK_ROWS(S, T)                                                                            \
    static void pack_rows_##S(int64_t k, int64_t n, int64_t width, const char *b, ptrdiff_t rsb,   \
                              char *panel)                                                         \
    {                                                                                              \
        for (int64_t j = 0; j < width; j += LANES_##S) {                                           \
            mask_##S some = mask_to_##S(n - j);                                                    \
            const char *from = b + j * (int64_t)sizeof(T);                                         \
            T *to = (T *)panel + j;                                                                \
            for (int64_t p = 0; p < k; p++, from += rsb, to += width)                              \
                store_all_##S(to, load_##S(from, some));                                           \
        }                                                                                          \
    }
PACK_ROWS(f32, float)
PACK_ROWS(f64, double)

#if LANES_f32 == 16

/* 16 columns of B, contiguous along k, become k rows of 16: four steps along k at a time.  A
 * register takes four elements from each of columns j, j + 4, j + 8 and j + 12 by broadcasting
 * loads under masks, which leave the shuffle unit free; then a 4 x 4 transpose within its 128-bit
 * quarters.  Columns from n on give zeros. */
static void pack_columns_f32(int64_t k, int64_t n, int64_t width, const char *b, ptrdiff_t csb,
                             float *panel)
{
    for (int64_t p = 0; p + 4 <= k; p += 4) {
        __m512 r[4];
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) {
            const char *from = b + j * csb + p * 4;
            __m512 x = _mm512_setzero_ps();
            if (j < n)
                x = _mm512_maskz_broadcast_f32x4(0x000f, _mm_loadu_ps((const float *)from));
            if (j + 4 < n)
                x = _mm512_mask_broadcast_f32x4(x, 0x00f0,
                                                _mm_loadu_ps((const float *)(from + 4 * csb)));
            if (j + 8 < n)
                x = _mm512_mask_broadcast_f32x4(x, 0x0f00,
                                                _mm_loadu_ps((const float *)(from + 8 * csb)));
            if (j + 12 < n)
                x = _mm512_mask_broadcast_f32x4(x, 0xf000,
                                                _mm_loadu_ps((const float *)(from + 12 * csb)));
            r[j] = x;
        }
        __m512d lo01 = _mm512_castps_pd(_mm512_unpacklo_ps(r[0], r[1])),
                hi01 = _mm512_castps_pd(_mm512_unpackhi_ps(r[0], r[1]));
        __m512d lo23 = _mm512_castps_pd(_mm512_unpacklo_ps(r[2], r[3])),
                hi23 = _mm512_castps_pd(_mm512_unpackhi_ps(r[2], r[3]));
        float *to = panel + p * width;
        _mm512_storeu_ps(to, _mm512_castpd_ps(_mm512_unpacklo_pd(lo01, lo23)));
        _mm512_storeu_ps(to + width, _mm512_castpd_ps(_mm512_unpackhi_pd(lo01, lo23)));
        _mm512_storeu_ps(to + 2 * width, _mm512_castpd_ps(_mm512_unpacklo_pd(hi01, hi23)));
        _mm512_storeu_ps(to + 3 * width, _mm512_castpd_ps(_mm512_unpackhi_pd(hi01, hi23)));
    }
}

#elif LANES_f32 == 8

/* The same with 8 columns: a register takes columns j and j + 4. */
static void pack_columns_f32(int64_t k, int64_t n, int64_t width, const char *b, ptrdiff_t csb,
                             float *panel)
{
    for (int64_t p = 0; p + 4 <= k; p += 4) {
        __m256 r[4];
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) {
            const char *from = b + j * csb + p * 4;
            __m256 x = _mm256_setzero_ps();
            if (j < n)
                x = _mm256_insertf128_ps(x, _mm_loadu_ps((const float *)from), 0);
            if (j + 4 < n)
                x = _mm256_insertf128_ps(x, _mm_loadu_ps((const float *)(from + 4 * csb)), 1);
            r[j] = x;
        }
        __m256d lo01 = _mm256_castps_pd(_mm256_unpacklo_ps(r[0], r[1])),
                hi01 = _mm256_castps_pd(_mm256_unpackhi_ps(r[0], r[1]));
        __m256d lo23 = _mm256_castps_pd(_mm256_unpacklo_ps(r[2], r[3])),
                hi23 = _mm256_castps_pd(_mm256_unpackhi_ps(r[2], r[3]));
        float *to = panel + p * width;
        _mm256_storeu_ps(to, _mm256_castpd_ps(_mm256_unpacklo_pd(lo01, lo23)));
        _mm256_storeu_ps(to + width, _mm256_castpd_ps(_mm256_unpackhi_pd(lo01, lo23)));
        _mm256_storeu_ps(to + 2 * width, _mm256_castpd_ps(_mm256_unpacklo_pd(hi01, hi23)));
        _mm256_storeu_ps(to + 3 * width, _mm256_castpd_ps(_mm256_unpackhi_pd(hi01, hi23)));
    }
}

#endif

static void pack_f32(int64_t k, int64_t n, int64_t width, const char *b, ptrdiff_t rsb,
                     ptrdiff_t csb, char *panel)
{
    if (csb == sizeof(float)) {
        pack_rows_f32(k, n, width, b, rsb, panel);
        return;
    }
    int64_t done = 0;
#if LANES_f32 >= 8
    if (rsb == sizeof(float)) {
        for (int64_t j = 0; j < width; j += LANES_f32)
            pack_columns_f32(k, n - j, width, b + j * csb, csb, (float *)panel + j);
        done = k & ~(int64_t)3;
    }
#endif
    pack_plain_f32(done, k, 0, n, width, b, rsb, csb, panel);
}

static void pack_f64(int64_t k, int64_t n, int64_t width, const char *b, ptrdiff_t rsb,
                     ptrdiff_t csb, char *panel)
{
    if (csb == sizeof(double))
        pack_rows_f64(k, n, width, b, rsb, panel);
    else
        pack_plain_f64(0, k, 0, n, width, b, rsb, csb, panel);
}

/* ---- dot products: rule 2 of kernels/gemm.h ---- */

#include "kernels/isa/gemm_dot.h"

/* ---- the table ---- */

#define MAX_ROWS(tiles) (int)(sizeof(tiles) / sizeof(tiles[0]))
static const rl_gemm_kernels kernels = {
    .f32 = {LANES_f32,
            {MAX_ROWS(tiles_1_f32), MAX_ROWS(tiles_2_f32), MAX_ROWS(tiles_4_f32)},
            {tiles_1_f32, tiles_2_f32, tiles_4_f32},
            pack_f32,
            dot_f32},
    .f64 = {LANES_f64,
            {MAX_ROWS(tiles_1_f64), MAX_ROWS(tiles_2_f64), MAX_ROWS(tiles_4_f64)},
            {tiles_1_f64, tiles_2_f64, tiles_4_f64},
            pack_f64,
            dot_f64},
};

void K(fill_gemm)(rl_kernels *table);
void K(fill_gemm)(rl_kernels *table) { table->gemm = &kernels; }
