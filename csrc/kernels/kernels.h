/* kernels.h: the loops on raw pointers, one build per instruction set, chosen once at start-up.
 *
 * Every file in kernels/isa/ is compiled once per instruction set with RL_ISA set to portable, avx2
 * or avx512 (see setup.py) and fills its part of the table in K(fill_...)().  Kernels know no
 * tensor, no error, no allocation. The same bits everywhere: each build performs the same IEEE
 * operations in the same order; see docs/architecture.md.
 */
#ifndef RL_KERNELS_H
#define RL_KERNELS_H

#include "kernels/fft.h"
#include "kernels/rnn.h"
#include "rushlight.h"

/* Parameters of a kernel that are not tensors (slope, limits, exponent, alpha); meaning per kernel.
 */
typedef struct rl_kargs {
    double f[4];
    int64_t i[4];
} rl_kargs;

/* What a kernel writes: the dtype of its inputs, bool, or int64 (positions). */
enum { RL_OUT_SAME, RL_OUT_BOOL, RL_OUT_I64 };

/* Element-wise: n elements; p[0] output, p[1...] inputs; s: strides in bytes (0 broadcasts).  The
 * output may be the same memory as an input of equal stride (in place); other overlap is the
 * caller's to avoid. */
typedef void rl_map_fn(size_t n, char *const *p, const ptrdiff_t *s, const rl_kargs *a);

/* Element-wise kernels.  X(name, number of inputs, what it writes).
 * float16 and bfloat16 have no kernels: the iterator converts blocks to float32 and back
 * (core/iter.c). */
#include "kernels/map_list.h"

typedef enum rl_map_op {
#define X(name, ...) RL_MAP_##name,
    RL_MAP_LIST(X)
#undef X
        RL_MAP_COUNT
} rl_map_op;

/* Whether the kernel's first input is bool whatever the dtype of the others (WHERE). */
static inline bool rl_map_mask_first(rl_map_op op) { return op == RL_MAP_WHERE; }

/* Reductions.  Reduces nr elements at stride sr, for no outputs at strides so (x) and sy (y), all
 * in bytes.  The order of additions depends on nr and on whether sr is the item size alone.  nr ==
 * 0 writes the identity (0 for a sum), where there is one. */
typedef void rl_reduce_fn(size_t no, size_t nr, const char *x, ptrdiff_t so, ptrdiff_t sr, char *y,
                          ptrdiff_t sy, const rl_kargs *a);
#include "kernels/reduce_list.h"

typedef enum rl_reduce_op {
#define X(name, ...) RL_REDUCE_##name,
    RL_REDUCE_LIST(X)
#undef X
        RL_REDUCE_COUNT
} rl_reduce_op;

/* Row kernels: softmax and its like.  rows of n contiguous elements, row strides in elements.
 * p[0] output, p[1...] inputs, as declared per kernel in row_list.h. */
typedef void rl_row_fn(size_t rows, size_t n, char *const *p, const ptrdiff_t *row_stride,
                       const rl_kargs *a);
#include "kernels/row_list.h"

typedef enum rl_row_op {
#define X(name, ...) RL_ROW_##name,
    RL_ROW_LIST(X)
#undef X
        RL_ROW_COUNT
} rl_row_op;

struct rl_conv_kernels;  /* kernels/conv.h */
struct rl_gemm_kernels;  /* kernels/gemm.h */
struct rl_optim_kernels; /* kernels/optim.h */
struct rl_pool_kernels;  /* kernels/pool.h */

typedef struct rl_kernels {
    const char *isa;
    rl_map_fn *map[RL_MAP_COUNT][RL_NDTYPES]; /* by the dtype of the inputs; NULL: no such kernel */
    rl_reduce_fn *reduce[RL_REDUCE_COUNT][RL_NDTYPES]; /* by the dtype of x */
    rl_row_fn *row[RL_ROW_COUNT][RL_NDTYPES];
    const struct rl_gemm_kernels *gemm;
    const struct rl_conv_kernels *conv;
    const struct rl_pool_kernels *pool;
    const struct rl_optim_kernels *optim;
    rl_rnn_kernels rnn;
    rl_fft_fn *fft[2]; /* float32, float64 */
    int fft_vector;    /* bytes of the vectors that their lanes make up */
} rl_kernels;

/* The table in use.  Written once, when the library is loaded, for the instruction set rl_isa()
 * names. */
extern rl_kernels rl_kernel_table;
/* Tests: fills t for "portable", "avx2" or "avx512" whatever rl_isa() says; false when this build
 * or machine lacks it. */
bool rl_kernels_fill(rl_kernels *t, const char *isa);

/* For map kernels (kernels/strided.c), which are loops over contiguous elements: runs one on n
 * elements at any strides, through blocks on the stack where it must.  The digit: inputs.  items,
 * byte by byte: the sizes of the elements of p[0] ... p[4]; then the step: the loop handles whole
 * multiples of it only, and ignores a rest, which is padded with zeros here. */
typedef void rl_map_loop(size_t n, char *const *p, const rl_kargs *a);
#define RL_MAP_RUN(digit)                                                                          \
    void rl_map_run##digit(size_t n, char *const *p, const ptrdiff_t *s, const rl_kargs *a,        \
                           uint64_t items, rl_map_loop *loop)
RL_MAP_RUN(1);
RL_MAP_RUN(2);
RL_MAP_RUN(3);
RL_MAP_RUN(4);
enum { RL_MAP_STEP_BYTES = 256 }; /* the most bytes of one operand in a step */
/* Two inputs; xs, a loop of its own for one second input for all, takes the same items. */
void rl_map_run_xs(size_t n, char *const *p, const ptrdiff_t *s, const rl_kargs *a, uint64_t items,
                   rl_map_loop *loop, rl_map_loop *xs);

#endif
