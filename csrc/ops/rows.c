/* rows.c: running row kernels over a dimension of a tensor. */
#include "ops/rows.h"

#include "core/parallel.h"

enum { GRAIN = 16384 }; /* elements that are worth a thread */

struct rows_work {
    rl_row_fn *kernel;
    int64_t rows, n;       /* rows: of a block */
    const ptrdiff_t *step; /* from block to block */
    int operands;
    char *const *p;
    const ptrdiff_t *stride;
    const size_t *item;
    const rl_kargs *args;
};

static void run_rows(int64_t begin, int64_t end, void *context)
{
    const struct rows_work *w = context;
    char *p[RL_ROW_MAX_OPERANDS];
    for (int i = 0; i < w->operands; i++)
        p[i] = w->p[i] ? w->p[i] + begin * w->stride[i] * (ptrdiff_t)w->item[i] : NULL;
    w->kernel((size_t)(end - begin), (size_t)w->n, p, w->stride, w->args);
}

static void run_blocks(int64_t begin, int64_t end, void *context)
{
    const struct rows_work *w = context;
    char *p[RL_ROW_MAX_OPERANDS];
    for (int64_t b = begin; b < end; b++) {
        for (int i = 0; i < w->operands; i++)
            p[i] = w->p[i] ? w->p[i] + b * w->step[i] * (ptrdiff_t)w->item[i] : NULL;
        w->kernel((size_t)w->rows, (size_t)w->n, p, w->stride, w->args);
    }
}

void rl_rows_run(rl_row_op op, rl_dtype compute, int64_t rows, int64_t n, int operands,
                 char *const *p, const ptrdiff_t *stride, const size_t *item, const rl_kargs *args)
{
    rl_row_fn *kernel = rl_kernel_table.row[op][compute];
    if (rows == 1 || rows * n <= GRAIN) { /* for one thread */
        kernel((size_t)rows, (size_t)n, p, stride, args);
        return;
    }
    struct rows_work w = {kernel, 1, n, stride, operands, p, stride, item, args};
    int64_t grain = n < GRAIN ? GRAIN / n : 1;
    rl_parallel_for(rows, grain, run_rows, &w);
}

void rl_rows_run_blocks(rl_row_op op, rl_dtype compute, int64_t blocks, const ptrdiff_t *step,
                        int64_t rows, int64_t n, int operands, char *const *p,
                        const ptrdiff_t *stride, const size_t *item, const rl_kargs *args)
{
    enum { FEW = 8 }; /* blocks, which threads could not share out evenly */
    if (blocks < FEW) {
        char *at[RL_ROW_MAX_OPERANDS];
        for (int64_t b = 0; b < blocks; b++) {
            for (int i = 0; i < operands; i++)
                at[i] = p[i] ? p[i] + b * step[i] * (ptrdiff_t)item[i] : NULL;
            rl_rows_run(op, compute, rows, n, operands, at, stride, item, args);
        }
        return;
    }
    struct rows_work w = {
        rl_kernel_table.row[op][compute], rows, n, step, operands, p, stride, item, args};
    int64_t grain = rows * n < GRAIN ? GRAIN / (rows * n) : 1;
    rl_parallel_for(blocks, grain, run_blocks, &w);
}

/* x with dim `from` moved to place `to`; a view without history. */
static rl_tensor *move_dim(rl_tensor *x, int from, int to)
{
    int64_t shape[RL_MAX_DIMS], strides[RL_MAX_DIMS];
    int order[RL_MAX_DIMS], n = 0;
    for (int d = 0; d < x->ndim; d++)
        if (d != from)
            order[n++] = d;
    memmove(order + to + 1, order + to, (size_t)(n - to) * sizeof *order);
    order[to] = from;
    for (int d = 0; d < x->ndim; d++) {
        shape[d] = x->shape[order[d]];
        strides[d] = x->strides[order[d]];
    }
    return rl_new_view(x, x->ndim, shape, strides, x->offset);
}

rl_tensor *rl_rows_of(rl_tensor *x, int dim, rl_dtype compute)
{
    if (x->ndim == 0 || dim == x->ndim - 1)
        return rl_cast_data(x, compute);
    RL_TEMP *moved = move_dim(x, dim, x->ndim - 1);
    return moved ? rl_cast_data(moved, compute) : NULL;
}

rl_tensor *rl_rows_back(rl_tensor *y, int dim, rl_dtype result)
{
    if (!y || ((y->ndim == 0 || dim == y->ndim - 1) && y->dtype == (int8_t)result))
        return y;
    rl_tensor *moved = y->ndim == 0 ? rl_retain(y) : move_dim(y, y->ndim - 1, dim), *z = NULL;
    if (moved)
        z = rl_cast_data(moved, result);
    rl_release(moved);
    rl_release(y);
    return z;
}
