/* gemm.h: matrix products on raw pointers.
 *
 * C = start + A B, optionally rectified, for A (m, k), B (k, n), C (m, n), with any row and column
 * strides for A and B (a transposed matrix is a pair of swapped strides, nothing is copied to
 * transpose it).
 *
 * Note: order of additions.  The result is a function of shapes, strides and values alone, the same
 * on every instruction set and for every number of threads.
 *
 * Rule 1, all products but those of rules 2 and 3.  k is cut into blocks of rl_gemm_block(k), the
 * last one shorter.  Within a block each element is one chain of fused multiply-adds from zero, in
 * order of k; the blocks are added, in order, to the element's start value.  PyTorch's float32
 * results on x86 come out of the same chains, except for shapes that its library has shortcuts for.
 *
 * Rule 2, dot-product shape: both operands contiguous along k, and n <= RL_GEMM_THIN, or
 * m <= RL_GEMM_THIN with k > RL_GEMM_SHORT.  Each block of RL_GEMM_DOT_KC along k is spread over 64
 * bytes' worth of lanes (16 float32, 8 float64): lane l chains the elements l, l + lanes, ..., with
 * zeros after the end. Lanes are then added l + (l + lanes/2), and so on by halves; the sum is
 * added to the start value.
 *
 * Rule 3, float32 only: both operands contiguous along k, m <= RL_GEMM_THIN < n, and
 * 1 < k <= RL_GEMM_SHORT.  As rule 2 with 8 lanes, which are added in pairs of neighbours, and
 * again: to add up 16 lanes would cost more than a short k.
 *
 * How the work is cut into tiles, what is packed and which thread does what changes none of this.
 */
#ifndef RL_KERNELS_GEMM_H
#define RL_KERNELS_GEMM_H

#include "rushlight.h"

#define RL_GEMM_KC 192       /* longest chain along k; shorter ones are more accurate */
#define RL_GEMM_DOT_KC 16384 /* longest block along k of rule 2 */
#define RL_GEMM_THIN 3       /* rows up to which rules 2 and 3 are considered */
#define RL_GEMM_SHORT 64     /* longest k of rule 3 */

/* Length of the blocks along k of rule 1: all of a short k, halves of a longer one (an odd one
 * leaves a block of 1). */
static inline int64_t rl_gemm_block(int64_t k)
{
    return k <= RL_GEMM_KC ? k : k <= 2 * RL_GEMM_KC ? k / 2 : RL_GEMM_KC;
}

/* What an element starts from, and what happens to it last. */
enum {
    RL_GEMM_ZERO = 0,
    RL_GEMM_BIAS = 1, /* bias[j] */
    RL_GEMM_C = 2,    /* what C holds */
    RL_GEMM_RELU = 4  /* last: x < 0 becomes 0; NaN stays */
};

/* One product.  Strides in elements. */
typedef struct rl_gemm_args {
    rl_dtype dtype; /* of A, B and C: RL_F32, RL_F64 or an integer type (exact, modulo 2^bits) */
    int64_t m, n, k;
    const void *a, *b;
    int64_t rsa, csa; /* A[i][p] = a[i rsa + p csa] */
    int64_t rsb, csb; /* B[p][j] = b[p rsb + j csb] */
    void *c;
    int64_t ldc;      /* C[i][j] = c[i ldc + j] */
    const void *bias; /* RL_GEMM_BIAS: n elements, contiguous */
    unsigned flags;   /* RL_GEMM_ZERO, _BIAS or _C; RL_GEMM_RELU (not for integers) */
} rl_gemm_args;

/* Computes one product, on several threads when it is large.  RL_EMEMORY is the only error (C is
 * then undefined). */
rl_status rl_gemm(const rl_gemm_args *g);
/* `batch` products whose operands lie sa, sb and sc elements apart. */
rl_status rl_gemm_batch(const rl_gemm_args *g, int64_t batch, int64_t sa, int64_t sb, int64_t sc);

/* ---- what an instruction set provides (kernels/isa/gemm.c); strides in bytes ---- */

/* C (rows, n) of a fixed number of rows; n at most the tile's width; b row-major with stride rsb.
 */
typedef void rl_gemm_tile_fn(int64_t k, const char *a, ptrdiff_t rsa, ptrdiff_t csa, const char *b,
                             ptrdiff_t rsb, char *c, ptrdiff_t ldc, int64_t n, const char *bias,
                             unsigned flags);
/* panel[p][j] = b[p rsb + j csb] for p < k, j < n; n <= width, and from j = n to width is anything.
 */
typedef void rl_gemm_pack_fn(int64_t k, int64_t n, int64_t width, const char *b, ptrdiff_t rsb,
                             ptrdiff_t csb, char *panel);
/* Rule 2 for one block along k: C (m, n), m <= RL_GEMM_THIN, C[i][j] at c + i ldc + j csc. */
typedef void rl_gemm_dot_fn(int64_t m, int64_t n, int64_t k, const char *a, ptrdiff_t rsa,
                            const char *b, ptrdiff_t csb, char *c, ptrdiff_t ldc, ptrdiff_t csc,
                            const char *bias, unsigned flags);
/* Rule 3: C (m, n), m <= RL_GEMM_THIN. */
typedef void rl_gemm_short_fn(int64_t m, int64_t n, int64_t k, const char *a, ptrdiff_t rsa,
                              const char *b, ptrdiff_t csb, char *c, ptrdiff_t ldc,
                              const char *bias, unsigned flags);

/* Tiles are 1, 2 or 4 vectors wide: index w = 0, 1, 2. */
typedef struct rl_gemm_float_kernels {
    int lanes;                       /* elements per vector */
    int max_rows[3];                 /* of a tile 1 << w vectors wide */
    rl_gemm_tile_fn *const *tile[3]; /* tile[w][rows - 1] */
    rl_gemm_pack_fn *pack;
    rl_gemm_dot_fn *dot;
    rl_gemm_short_fn *few_short; /* NULL: there is no rule 3 */
} rl_gemm_float_kernels;

typedef struct rl_gemm_kernels {
    const rl_gemm_float_kernels *f32, *f64;
} rl_gemm_kernels;

/* ---- integers (kernels/gemm_int.c) ---- */

void rl_gemm_int(const rl_gemm_args *g);

#endif
