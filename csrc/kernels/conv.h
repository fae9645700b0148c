/* conv.h: the register tile of convolutions, float32: a matrix product whose operands lie at listed
 * places, so that an image need not be unfolded. */
#ifndef RL_KERNELS_CONV_H
#define RL_KERNELS_CONV_H

#include <stddef.h>
#include <stdint.h>

enum {
    RL_CONV_ROWS = 12, /* most rows of a tile one vector wide; of one two wide: conv->rows[1] */
};

/* Where step p of the product finds its elements, in bytes. */
typedef struct rl_conv_step {
    ptrdiff_t a, b;
} rl_conv_step;

/* C[i][j] = start + sum over p of A[i][p] B[p][j] for i < m, j < n, with A[i][p] at
 * a + row[i] + step[p].a and B[p][j] at b + step[p].b + 4 j.  Each element is one chain of fused
 * multiply-adds from zero, added to the start: what C holds if add, else 0.  n is at most the
 * width of the tile; ldc in bytes. */
typedef void rl_conv_tile_fn(int64_t k, const char *a, const ptrdiff_t *row,
                             const rl_conv_step *step, const char *b, char *c, ptrdiff_t ldc,
                             int64_t m, int64_t n, int add);

typedef struct rl_conv_kernels {
    int lanes;                       /* elements per vector */
    int rows[2];                     /* most rows of a tile one and two vectors wide */
    rl_conv_tile_fn *const *tile[2]; /* tile[vectors - 1][(rows - 1) / 2] */
} rl_conv_kernels;

#endif
