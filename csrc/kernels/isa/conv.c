/* conv.c: the convolution tile of one instruction set (kernels/conv.h). */
#include "kernels/isa/isa.h"

#include "kernels/conv.h"
#include "kernels/isa/gemm_vec.h"

/* R and W are compile-time constants wherever this is called; rows from m on are computed from row
 * m - 1 and not stored. */
RL_INLINE void conv_tile(const int R, const int W, int64_t k, const char *a, const ptrdiff_t *rows,
                         const rl_conv_step *step, const char *b, char *c, ptrdiff_t ldc, int64_t m,
                         int64_t n, int add)
{
    vf32 acc[24];
    mask_f32 mask[2];
    const char *row[RL_CONV_ROWS];

    UNROLL(2)
    for (int w = 0; w < W; w++)
        mask[w] = mask_to_f32(n - w * LANES_f32);
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
            bv[w] = load_f32(from + w * (int)sizeof(vf32), mask[w]);
        UNROLL(12)
        for (int i = 0; i < R; i++) {
            vf32 x = set1_f32(row[i] + at);
            UNROLL(2)
            for (int w = 0; w < W; w++)
                acc[i * W + w] = fma_f32(x, bv[w], acc[i * W + w]);
        }
    }
    UNROLL(12)
    for (int i = 0; i < R; i++, c += ldc)
        if (i < m)
            UNROLL(2)
    for (int w = 0; w < W; w++) {
        char *to = c + w * (int)sizeof(vf32);
        vf32 y = acc[i * W + w];
        store_f32(to, mask[w], add ? add_f32(load_f32(to, mask[w]), y) : y);
    }
}

#define TILE(R, W)                                                                                 \
    static void conv_##R##x##W(int64_t k, const char *a, const ptrdiff_t *row,                     \
                               const rl_conv_step *step, const char *b, char *c, ptrdiff_t ldc,    \
                               int64_t m, int64_t n, int add)                                      \
    {                                                                                              \
        conv_tile(R, W, k, a, row, step, b, c, ldc, m, n, add);                                    \
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

static const rl_conv_kernels kernels = {
    LANES_f32, {12, 2 * (int)(sizeof two / sizeof *two)}, {one, two}};

void K(fill_conv)(rl_kernels *table);
void K(fill_conv)(rl_kernels *table) { table->conv = &kernels; }
