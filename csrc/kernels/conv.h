/* conv.h: the register tile of convolutions, float32: a matrix product whose operands lie at listed
 * places, so that an image need not be unfolded. */
#ifndef RL_KERNELS_CONV_H
#define RL_KERNELS_CONV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RL_CONV_ROWS = 12, /* most rows of a tile one vector wide; of one two wide: conv->rows[1] */
};

/* Where step p of the product finds its elements, in bytes. */
typedef struct rl_conv_step {
    ptrdiff_t a, b;
} rl_conv_step;

/* The one or two vectors of a tile: elements in use, and bytes from the first to the second, in B,
 * in C and in what elements start from (NULL: zero). */
typedef struct rl_conv_lanes {
    int64_t n[2];
    ptrdiff_t b, c, s;
    const char *start;
    ptrdiff_t next; /* from row to row of the starts */
} rl_conv_lanes;

/* C[i][j] = S[i][j] + sum over p of A[i][p] B[p][j] for i < m, j < v->n[0], with A[i][p] at
 * a + row[i] + step[p].a, B[p][j] at b + step[p].b + 4 j, C[i][j] at c + i ldc + 4 j and S[i][j] at
 * v->start + i v->next + 4 j (C itself, or a bias); the same for a second vector, v->b, v->c and
 * v->s bytes on.  Each element is one chain of fused multiply-adds from zero, added to its start.
 */
typedef void rl_conv_tile_fn(int64_t k, const char *a, const ptrdiff_t *row,
                             const rl_conv_step *step, const char *b, char *c, ptrdiff_t ldc,
                             int64_t m, const rl_conv_lanes *v);

/* A vector of pixels: where it is read and written, in bytes, and elements in use. */
typedef struct rl_conv_pixels {
    ptrdiff_t b, c;
    int64_t n;
} rl_conv_pixels;

/* A tile of one row, for a single output channel, and many vectors: for e < m,
 * at c + at[e].c + 4 i, i < at[e].n, the start plus the sum over p of the element at a + step[p].a
 * times that at b + at[e].b + step[p].b + 4 i.  The start: what is there (add), or the vector at
 * `bias` (NULL: zero).  Reads whole vectors of B. */
typedef void rl_conv_row_fn(int64_t k, const char *a, const rl_conv_step *step, const char *b,
                            char *c, const rl_conv_pixels *at, int64_t m, const char *bias,
                            bool add);

enum { RL_CONV_VECTORS = 8 }; /* most m of a row */

/* The product over pixels, for few channels: lanes hold neighbouring pixels, and stay apart.  For
 * i < m (fixed), j < p, l < RL_CONV_DOT_LANES:
 *
 *     sums[i][j][l] += sum over t < lines, q = l, l + RL_CONV_DOT_LANES, ... < n of
 *                      Y[i][t][q] X[j][t][q]
 *
 * with Y[i][t][q] at y + i ldy + 4 (t n + q) and X[j][t][q] at x + place[j] + line[t] + 4 q,
 * sums[i] lds bytes apart.  Each sum is one chain of fused multiply-adds from zero, q faster than
 * t. */
typedef void rl_conv_dot_fn(int64_t lines, const ptrdiff_t *line, int64_t n, const char *y,
                            ptrdiff_t ldy, const char *x, const ptrdiff_t *place, char *sums,
                            ptrdiff_t lds, int64_t p);

enum { RL_CONV_DOT_LANES = 16 };

typedef struct rl_conv_kernels {
    int lanes;                       /* elements per vector */
    int rows[2];                     /* most rows of a tile one and two vectors wide */
    rl_conv_tile_fn *const *tile[2]; /* tile[vectors - 1][(rows - 1) / 2] */
    rl_conv_row_fn *row;
    int dot_rows, dot_places;   /* most m and p of a dot */
    rl_conv_dot_fn *const *dot; /* dot[m - 1]; NULL: as two smaller ones */
} rl_conv_kernels;

#endif
