/* matmul.h: what the files about products share: products of data without history, and checks.
 *
 * float16 and bfloat16 are multiplied in float32 and rounded once, at the end. */
#ifndef RL_OPS_MATMUL_H
#define RL_OPS_MATMUL_H

#include "autograd/autograd.h"
#include "core/iter.h"
#include "core/tensor.h"
#include "kernels/gemm.h"
#include "rushlight_ops.h"

/* A matrix somewhere in memory; strides in elements. */
typedef struct rl_matrix {
    const void *data;
    int64_t rows, cols;
    int64_t rs, cs;
} rl_matrix;

static inline rl_matrix rl_matrix_of(const rl_tensor *t) /* t has 2 dims */
{
    return (rl_matrix){t->data, t->shape[0], t->shape[1], t->strides[0], t->strides[1]};
}
static inline rl_matrix rl_matrix_t(rl_matrix a)
{
    return (rl_matrix){a.data, a.cols, a.rows, a.cs, a.rs};
}
/* Whether t read as (product of the leading sizes, last size) is a matrix in place; fills *m if so.
 * t has at least one dim. */
bool rl_matrix_flat(const rl_tensor *t, rl_matrix *m);

/* c (row-major, of dtype) = A B, from the start that flags say.  dtype: a kernel's (rl_gemm_dtype).
 */
rl_status rl_product(rl_dtype dtype, rl_matrix a, rl_matrix b, void *c, const void *bias,
                     unsigned flags);

/* The dtype in which products of this dtype are computed. */
static inline rl_dtype rl_gemm_dtype(rl_dtype d)
{
    return d == RL_F16 || d == RL_BF16 ? RL_F32 : d;
}
/* t (new reference) or a copy of it in the dtype to compute in. */
static inline rl_tensor *rl_gemm_operand(rl_tensor *t)
{
    rl_dtype d = rl_gemm_dtype(t->dtype);
    return d == t->dtype ? rl_retain(t) : rl_cast_data(t, d);
}
/* y (computed in another dtype) converted to dtype; takes over y. */
rl_tensor *rl_gemm_result(rl_tensor *y, rl_dtype dtype);

/* a (2 dims) times b (2 dims) without history; shapes and dtypes have been checked. */
rl_tensor *rl_mm_data(rl_tensor *a, rl_tensor *b);
/* The same over leading dims, which broadcast: a, b of at least 2 dims.  RL_ERUNTIME: leading dims
 * do not broadcast. */
rl_tensor *rl_matmul_data(rl_tensor *a, rl_tensor *b);

/* a^T b and a b^T for matrices, differentiable; the transposes cost nothing where nothing records.
 */
rl_tensor *rl_mm_tn(rl_tensor *a, rl_tensor *b);
rl_tensor *rl_mm_nt(rl_tensor *a, rl_tensor *b);
/* The table's linear followed by relu in one pass over the result: the same bits, and one node that
 * stands for both. */
rl_tensor *rl_linear_relu(rl_tensor *x, rl_tensor *w, rl_tensor *b);

/* t with its last two dims swapped, a view. */
static inline rl_tensor *rl_swap_last(rl_tensor *t) { return rl_transpose(t, -2, -1); }
/* t seen as a matrix (product of the leading sizes, last size). */
rl_tensor *rl_as_rows(rl_tensor *t);

/* The checks of bmm. */
rl_status rl_check_bmm(const rl_tensor *a, const rl_tensor *b);

#endif
