/* rows.h: running row kernels over a dimension of a tensor. */
#ifndef RL_OPS_ROWS_H
#define RL_OPS_ROWS_H

#include "core/tensor.h"
#include "kernels/kernels.h"

#define RL_ROW_MAX_OPERANDS 6

/* Calls the kernel for `compute` on `rows` rows of n elements, split over threads.  p and stride
 * (in elements) as the kernel's entry in row_list.h says; item: bytes of an element of each
 * operand. */
void rl_rows_run(rl_row_op op, rl_dtype compute, int64_t rows, int64_t n, int operands,
                 char *const *p, const ptrdiff_t *stride, const size_t *item, const rl_kargs *args);

/* The same for blocks of `rows` rows, one after the other; step: from block to block, in elements.
 */
void rl_rows_run_blocks(rl_row_op op, rl_dtype compute, int64_t blocks, const ptrdiff_t *step,
                        int64_t rows, int64_t n, int operands, char *const *p,
                        const ptrdiff_t *stride, const size_t *item, const rl_kargs *args);

/* Row-major tensor of dtype `compute` whose last dim is x's dim `dim` and whose other dims keep
 * their order: x itself (new reference) where it is that already.  No autograd. */
rl_tensor *rl_rows_of(rl_tensor *x, int dim, rl_dtype compute);
/* The same without a reference: x itself, or what *made is to release. */
static inline rl_tensor *rl_rows_in(rl_tensor *x, int dim, rl_dtype compute, rl_tensor **made)
{
    if (x->contiguous && x->dtype == (int8_t)compute && dim >= x->ndim - 1)
        return x;
    return *made = rl_rows_of(x, dim, compute);
}
/* The way back: y's last dim becomes dim `dim`, dtype `result`; row-major.  Releases y; NULL
 * passes. */
rl_tensor *rl_rows_back(rl_tensor *y, int dim, rl_dtype result);

/* The dtype row kernels compute in: float64 stays, all else float32. */
static inline rl_dtype rl_rows_dtype(rl_dtype dtype) { return dtype == RL_F64 ? RL_F64 : RL_F32; }

#endif
