/* conv.c: the convolution tile of one instruction set (kernels/conv.h). */
#include "kernels/isa/isa.h"

#include "kernels/conv.h"
#include "kernels/isa/gemm_vec.h"

/* R and W are compile-time constants wherever this is called; rows from m on are computed from row
 * m - 1 and not stored. */
RL_INLINE void conv_tile(const int R, const int W, int64_t k, const char *a, const ptrdiff_t *rows,
                         const rl_conv_step *step, const char *b, char *c, ptrdiff_t ldc, int64_t m,
                         const rl_conv_lanes *v)
{
    const ptrdiff_t gap[2] = {0, v->b}, gap_c[2] = {0, v->c}, gap_s[2] = {0, v->s};
    /* Without a start, nothing is read from where it would be. */
    const char *start = v->start ? v->start : c;
    vf32 acc[24];
    mask_f32 mask[2];
    const char *row[RL_CONV_ROWS];

    UNROLL(2)
    for (int w = 0; w < W; w++)
        mask[w] = mask_to_f32(v->n[w]);
    UNROLL(12)
    for (int i = 0; i < R; i++)
        row[i] = a + rows[i < m ? i : m - 1];
    UNROLL(24)
    for (int i = 0; i < R * W; i++)
        acc[i] = zero_f32();
    for (int64_t p = 0; p < k; p++) {
        ptrdiff_t at = step[p].a;
        const char *from = b + step[p].b;
        vf32 bv[2];
        UNROLL(2)
        for (int w = 0; w < W; w++)
            bv[w] = load_f32(from + gap[w], mask[w]);
        UNROLL(12)
        for (int i = 0; i < R; i++) {
            vf32 x = set1_f32(row[i] + at);
            UNROLL(2)
            for (int w = 0; w < W; w++)
                acc[i * W + w] = fma_f32(x, bv[w], acc[i * W + w]);
        }
    }
    mask_f32 begun[2];
    UNROLL(2)
    for (int w = 0; w < W; w++)
        begun[w] = mask_to_f32(v->start ? v->n[w] : 0);
    UNROLL(12)
    for (int i = 0; i < R; i++, c += ldc, start += v->next) {
        if (i >= m)
            break;
        UNROLL(2)
        for (int w = 0; w < W; w++) {
            vf32 y = add_f32(load_f32(start + gap_s[w], begun[w]), acc[i * W + w]);
            store_f32(c + gap_c[w], mask[w], y);
        }
    }
}

#define TILE(R, W)                                                                                 \
    static void conv_##R##x##W(int64_t k, const char *a, const ptrdiff_t *row,                     \
                               const rl_conv_step *step, const char *b, char *c, ptrdiff_t ldc,    \
                               int64_t m, const rl_conv_lanes *v)                                  \
    {                                                                                              \
        conv_tile(R, W, k, a, row, step, b, c, ldc, m, v);                                         \
    }
TILE(2, 1)
TILE(4, 1)
TILE(6, 1)
TILE(8, 1)
TILE(10, 1)
TILE(12, 1)
TILE(2, 2)
TILE(4, 2)
TILE(6, 2)
#if LANES_f32 == 16
TILE(8, 2)
TILE(10, 2)
TILE(12, 2)
#endif

static rl_conv_tile_fn *const one[] = {conv_2x1, conv_4x1,  conv_6x1,
                                       conv_8x1, conv_10x1, conv_12x1};
static rl_conv_tile_fn *const two[] = {
    conv_2x2, conv_4x2,  conv_6x2,
#if LANES_f32 == 16
    conv_8x2, conv_10x2, conv_12x2,
#endif
};

/* ---- one output channel ---- */

static void conv_row(int64_t k, const char *a, const rl_conv_step *step, const char *b, char *c,
                     const rl_conv_pixels *at, int64_t m, const char *bias, bool add)
{
    vf32 acc[RL_CONV_VECTORS];
    const char *from[RL_CONV_VECTORS];

    UNROLL(8)
    for (int e = 0; e < RL_CONV_VECTORS; e++) {
        from[e] = b + at[e < m ? e : m - 1].b;
        acc[e] = zero_f32();
    }
    for (int64_t p = 0; p < k; p++) {
        vf32 x = set1_f32(a + step[p].a);
        ptrdiff_t place = step[p].b;
        UNROLL(8)
        for (int e = 0; e < RL_CONV_VECTORS; e++)
            acc[e] = fma_f32(x, load_all_f32(from[e] + place), acc[e]);
    }
    vf32 first = bias ? load_all_f32(bias) : zero_f32();
    UNROLL(8)
    for (int e = 0; e < RL_CONV_VECTORS; e++) {
        if (e >= m)
            break;
        mask_f32 mask = mask_to_f32(at[e].n);
        char *to = c + at[e].c;
        store_f32(to, mask, add_f32(add ? load_f32(to, mask) : first, acc[e]));
    }
}

/* ---- the product over pixels ---- */

enum {
    PARTS = RL_CONV_DOT_LANES / LANES_f32, /* vectors that make up the lanes */
    DOT_PLACES = LANES_f32 == 16 ? 4 : 2   /* of x at a time */
};

/* R rows; places that are not there repeat the last one and are not stored. */
RL_INLINE void conv_dot(const int R, int64_t lines, const ptrdiff_t *line, int64_t n, const char *y,
                        ptrdiff_t ldy, const char *x, const ptrdiff_t *place, char *sums,
                        ptrdiff_t lds, int64_t p)
{
    vf32 acc[24];
    const char *from[DOT_PLACES];

    UNROLL(4)
    for (int j = 0; j < DOT_PLACES; j++)
        from[j] = x + place[j < p ? j : p - 1];
    UNROLL(24)
    for (int i = 0; i < R * DOT_PLACES * PARTS; i++)
        acc[i] = zero_f32();
    for (int64_t t = 0; t < lines; t++, y += n * 4)
        for (int64_t q = 0; q < n; q += RL_CONV_DOT_LANES) {
            UNROLL(4)
            for (int v = 0; v < PARTS; v++) {
                mask_f32 mask = mask_to_f32(n - q - v * LANES_f32);
                ptrdiff_t at = (q + v * LANES_f32) * 4;
                vf32 xv[DOT_PLACES];
                UNROLL(4)
                for (int j = 0; j < DOT_PLACES; j++)
                    xv[j] = load_f32(from[j] + line[t] + at, mask);
                UNROLL(6)
                for (int i = 0; i < R; i++) {
                    vf32 yv = load_f32(y + i * ldy + at, mask);
                    UNROLL(4)
                    for (int j = 0; j < DOT_PLACES; j++) {
                        int s = (i * DOT_PLACES + j) * PARTS + v;
                        acc[s] = fma_f32(yv, xv[j], acc[s]);
                    }
                }
            }
        }
    UNROLL(6)
    for (int i = 0; i < R; i++, sums += lds) {
        char *to = sums;
        UNROLL(4)
        for (int j = 0; j < DOT_PLACES; j++) {
            if (j >= p)
                break;
            UNROLL(4)
            for (int v = 0; v < PARTS; v++, to += sizeof(vf32))
                store_all_f32(to, add_f32(load_all_f32(to), acc[(i * DOT_PLACES + j) * PARTS + v]));
        }
    }
}

#define DOT(R)                                                                                     \
    static void conv_dot_##R(int64_t lines, const ptrdiff_t *line, int64_t n, const char *y,       \
                             ptrdiff_t ldy, const char *x, const ptrdiff_t *place, char *sums,     \
                             ptrdiff_t lds, int64_t p)                                             \
    {                                                                                              \
        conv_dot(R, lines, line, n, y, ldy, x, place, sums, lds, p);                               \
    }
DOT(1)
#if LANES_f32 > 4
DOT(2)
DOT(3)
#endif
#if LANES_f32 == 16
DOT(6)
#endif

static rl_conv_dot_fn *const dots[] = {
    conv_dot_1,
#if LANES_f32 > 4
    conv_dot_2, conv_dot_3,
#endif
#if LANES_f32 == 16
    NULL,       NULL,       conv_dot_6,
#endif
};

static const rl_conv_kernels kernels = {
    .lanes = LANES_f32,
    .rows = {12, 2 * (int)(sizeof two / sizeof *two)},
    .tile = {one, two},
    .row = conv_row,
    .dot_rows = (int)(sizeof dots / sizeof *dots),
    .dot_places = DOT_PLACES,
    .dot = dots,
};

void K(fill_conv)(rl_kernels *table);
void K(fill_conv)(rl_kernels *table) { table->conv = &kernels; }
