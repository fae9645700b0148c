/* gemm_pack.h: panels of B for the tiles.
 *
 * A B contiguous along k (x W^T) is transposed in blocks in registers: LANES columns and BLOCK
 * steps along k at a time. */

#define PACK_PLAIN(NAME, T)                                                                        \
    static void NAME(int64_t p0, int64_t k, int64_t n, int64_t width, const char *b,               \
                     ptrdiff_t rsb, ptrdiff_t csb, char *panel)                                    \
    {                                                                                              \
        for (int64_t p = p0; p < k; p++) {                                                         \
            T *row = (T *)panel + p * width;                                                       \
            for (int64_t j = 0; j < n; j++)                                                        \
                row[j] = *(const T *)(b + p * rsb + j * csb);                                      \
            for (int64_t j = n; j < width; j++)                                                    \
                row[j] = 0;                                                                        \
        }                                                                                          \
    }
PACK_PLAIN(pack_plain_f32, float)
#if RL_HAS_F64
PACK_PLAIN(pack_plain_f64, double)
#endif
#undef PACK_PLAIN

enum { PACK_AHEAD = 16 }; /* rows of B fetched ahead: each lies in a page of its own, or nearly */

/* Two vectors at a time, so that a row's lines are met once; a last single one is written
 * twice. */
#define PACK_ROWS(S, T)                                                                            \
    static void pack_rows_##S(int64_t k, int64_t n, int64_t width, const char *b, ptrdiff_t rsb,   \
                              char *panel)                                                         \
    {                                                                                              \
        for (int64_t j = 0; j < width; j += 2 * LANES_##S) {                                       \
            const int64_t second = width - j > LANES_##S ? LANES_##S : 0;                          \
            mask_##S some = mask_to_##S(n - j), more = mask_to_##S(n - j - second);                \
            const T *from = (const T *)b + j;                                                      \
            T *to = (T *)panel + j;                                                                \
            for (int64_t p = 0; p < k; p++, from += rsb / (ptrdiff_t)sizeof(T), to += width) {     \
                __builtin_prefetch((const char *)from + PACK_AHEAD * rsb);                         \
                __builtin_prefetch((const char *)(from + second) + PACK_AHEAD * rsb);              \
                store_all_##S(to, load_##S(from, some));                                           \
                store_all_##S(to + second, load_##S(from + second, more));                         \
            }                                                                                      \
        }                                                                                          \
    }
PACK_ROWS(f32, float)
#if RL_HAS_F64
PACK_ROWS(f64, double)
#endif
#undef PACK_ROWS

/* ---- transposing blocks: out[q][j] = column j, step q; b points at step 0 of column 0 ---- */

/* Where the LANES columns from column 0 begin; those from n on repeat the last one, so that no load
 * leaves B. */
typedef struct columns {
    ptrdiff_t at[16];
} columns;

RL_INLINE void columns_from(columns *c, int64_t n, int lanes, ptrdiff_t csb)
{
    for (int j = 0; j < lanes; j++)
        c->at[j] = (j < n ? j : n - 1) * csb;
}

/* The addresses of whole columns: one pointer per four columns and 0, 1, 2, 3 strides from it, made
 * anew for each block. Left alone, the compiler computes an address per column ahead of the loop
 * and keeps them on the stack. */
typedef struct spread {
    const char *q[4];
    ptrdiff_t one, three;
} spread;

RL_INLINE spread spread_from(const char *b, ptrdiff_t csb)
{
    __asm__("" : "+r"(csb));
    return (spread){{b, b + 4 * csb, b + 8 * csb, b + 12 * csb}, csb, 3 * csb};
}

RL_INLINE const char *column_at(const spread *s, int j)
{
    const char *q = s->q[j / 4];
    return j % 4 == 0 ? q : j % 4 == 3 ? q + s->three : q + (j % 4) * s->one;
}

#if LANES_f32 == 16

enum { BLOCK = 8 };

/* 4 x 4 transposes within the four 128-bit quarters. */
RL_INLINE void transpose_quarters(__m512 *x)
{
    __m512d a = _mm512_castps_pd(_mm512_unpacklo_ps(x[0], x[1]));
    __m512d b = _mm512_castps_pd(_mm512_unpackhi_ps(x[0], x[1]));
    __m512d c = _mm512_castps_pd(_mm512_unpacklo_ps(x[2], x[3]));
    __m512d d = _mm512_castps_pd(_mm512_unpackhi_ps(x[2], x[3]));
    x[0] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, c));
    x[1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, c));
    x[2] = _mm512_castpd_ps(_mm512_unpacklo_pd(b, d));
    x[3] = _mm512_castpd_ps(_mm512_unpackhi_pd(b, d));
}

RL_INLINE void block_f32(const char *b, const columns *c, ptrdiff_t csb, bool whole, int64_t steps,
                         vf32 out[BLOCK])
{
    spread s = spread_from(b, csb);
    /* A register of t takes 8 steps of columns j and j + 4, one of u those of j + 8 and j + 12. */
    __m512 t[4], u[4];
    __mmask8 some = steps < BLOCK ? (__mmask8)((1u << steps) - 1) : 0xff;
#define AT(j) ((const float *)(whole ? column_at(&s, j) : b + c->at[j]))
#define COLUMN(j)                                                                                  \
    _mm256_castps_pd(steps < BLOCK ? _mm256_maskz_loadu_ps(some, AT(j)) : _mm256_loadu_ps(AT(j)))
#define PAIR(i, j)                                                                                 \
    _mm512_castpd_ps(_mm512_insertf64x4(_mm512_castpd256_pd512(COLUMN(i)), COLUMN(j), 1))
    UNROLL(4)
    for (int j = 0; j < 4; j++) {
        t[j] = PAIR(j, j + 4);
        u[j] = PAIR(j + 8, j + 12);
    }
#undef PAIR
#undef COLUMN
#undef AT
    transpose_quarters(t);
    transpose_quarters(u);
    UNROLL(4)
    for (int q = 0; q < 4; q++) {
        out[q] = _mm512_shuffle_f32x4(t[q], u[q], 0x88);
        out[q + 4] = _mm512_shuffle_f32x4(t[q], u[q], 0xdd);
    }
}

#elif LANES_f32 == 8

enum { BLOCK = 4 };

RL_INLINE void block_f32(const char *b, const columns *c, ptrdiff_t csb, bool whole, int64_t steps,
                         vf32 out[BLOCK])
{
    spread s = spread_from(b, csb);
    __m256 x[4];
    __m128i some = _mm_cmpgt_epi32(_mm_set1_epi32((int)steps), _mm_setr_epi32(0, 1, 2, 3));
#define AT(j) ((const float *)(whole ? column_at(&s, j) : b + c->at[j]))
#define COLUMN(j) (steps < BLOCK ? _mm_maskload_ps(AT(j), some) : _mm_loadu_ps(AT(j)))
    UNROLL(4)
    for (int j = 0; j < 4; j++)
        x[j] = _mm256_insertf128_ps(_mm256_castps128_ps256(COLUMN(j)), COLUMN(j + 4), 1);
#undef AT
#undef COLUMN
    __m256d lo01 = _mm256_castps_pd(_mm256_unpacklo_ps(x[0], x[1]));
    __m256d hi01 = _mm256_castps_pd(_mm256_unpackhi_ps(x[0], x[1]));
    __m256d lo23 = _mm256_castps_pd(_mm256_unpacklo_ps(x[2], x[3]));
    __m256d hi23 = _mm256_castps_pd(_mm256_unpackhi_ps(x[2], x[3]));
    out[0] = _mm256_castpd_ps(_mm256_unpacklo_pd(lo01, lo23));
    out[1] = _mm256_castpd_ps(_mm256_unpackhi_pd(lo01, lo23));
    out[2] = _mm256_castpd_ps(_mm256_unpacklo_pd(hi01, hi23));
    out[3] = _mm256_castpd_ps(_mm256_unpackhi_pd(hi01, hi23));
}

#else

enum { BLOCK = 1 };

RL_INLINE void block_f32(const char *b, const columns *c, ptrdiff_t csb, bool whole, int64_t steps,
                         vf32 out[BLOCK])
{
    float x[LANES_f32];
    for (int j = 0; j < LANES_f32; j++)
        x[j] = *(const float *)(b + (whole ? j * csb : c->at[j]));
    out[0] = load_all_f32(x);
}

#endif

RL_INLINE void pack_columns(int64_t k, int64_t n, bool whole, int64_t width, const char *b,
                            ptrdiff_t csb, float *panel)
{
    columns c;
    vf32 x[BLOCK];
    columns_from(&c, n, LANES_f32, csb);
    int64_t p = 0;
    for (; p + BLOCK <= k; p += BLOCK) {
        block_f32(b + p * 4, &c, csb, whole, BLOCK, x);
        UNROLL(8)
        for (int q = 0; q < BLOCK; q++)
            store_all_f32(panel + (p + q) * width, x[q]);
    }
    if (p < k) {
        block_f32(b + p * 4, &c, csb, whole, k - p, x);
        UNROLL(8)
        for (int q = 0; q < BLOCK - 1; q++)
            if (p + q < k)
                store_all_f32(panel + (p + q) * width, x[q]);
    }
}

static void pack_f32(int64_t k, int64_t n, int64_t width, const char *b, ptrdiff_t rsb,
                     ptrdiff_t csb, char *panel)
{
    if (csb == sizeof(float)) {
        pack_rows_f32(k, n, width, b, rsb, panel);
    } else if (rsb == sizeof(float)) {
        for (int64_t j = 0; j < n; j += LANES_f32, b += LANES_f32 * csb) {
            if (n - j >= LANES_f32)
                pack_columns(k, n - j, true, width, b, csb, (float *)panel + j);
            else
                pack_columns(k, n - j, false, width, b, csb, (float *)panel + j);
        }
    } else {
        pack_plain_f32(0, k, n, width, b, rsb, csb, panel);
    }
}

#if RL_HAS_F64
static void pack_f64(int64_t k, int64_t n, int64_t width, const char *b, ptrdiff_t rsb,
                     ptrdiff_t csb, char *panel)
{
    if (csb == sizeof(double))
        pack_rows_f64(k, n, width, b, rsb, panel);
    else
        pack_plain_f64(0, k, n, width, b, rsb, csb, panel);
}
#endif
