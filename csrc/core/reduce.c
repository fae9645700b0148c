/* reduce.c: reductions: from tensors to kernels.
 *
 * Note: order of additions.  Everything that decides it is a function of shape and layout: which
 * dims merge, the order of passes, and the size of the parts that a long reduction is cut into.
 * Threads only share out outputs and parts. */
#include "core/iter.h"
#include "core/loop.h"
#include "core/parallel.h"

#define GRAIN (32 << 10)  /* elements per thread and turn */
#define PART (256 << 10)  /* elements of a part of a long reduction */
#define CONVERTED 4096    /* elements that are converted at a time */
#define PART_MIN 1024     /* elements per output and part, when many outputs lie side by side */
#define PART_OUTPUTS 4096 /* outputs from which there is enough to share out without parts */

static const struct {
    uint8_t output, combines;
} kinds[RL_REDUCE_COUNT] = {
#define X(name, output, combines) [RL_REDUCE_##name] = {output, combines},
    RL_REDUCE_LIST(X)
#undef X
};

static rl_dtype kernel_output(rl_reduce_op op, rl_dtype compute)
{
    return kinds[op].output == RL_OUT_BOOL  ? RL_BOOL
           : kinds[op].output == RL_OUT_I64 ? RL_I64
                                            : compute;
}

struct work {
    rl_reduce_fn *kernel;
    const rl_kargs *args;
    int64_t nr;
    ptrdiff_t sr;
};

static void run(size_t n, char *const *p, const ptrdiff_t *stride, void *context)
{
    const struct work *w = context;
    w->kernel(n, (size_t)w->nr, p[1], stride[1], w->sr, p[0], stride[0], w->args);
}

/* y[...] = reduction of nr elements at stride sr (in elements) from each x[...]. */
static void reduce_into(rl_reduce_fn *kernel, const rl_kargs *args, int ndim, const int64_t *shape,
                        char *y, const int64_t *y_strides, size_t y_item, char *x,
                        const int64_t *x_strides, size_t x_item, int64_t nr, int64_t sr)
{
    struct work w = {kernel, args, nr, sr * (ptrdiff_t)x_item};
    rl_loop l;
    char *base[2] = {y, x};
    rl_loop_make(&l, ndim, shape, 2, (const int64_t *const[]){y_strides, x_strides},
                 (size_t[]){y_item, x_item});
    if (l.numel)
        rl_loop_run(&l, base, nr < GRAIN ? GRAIN / (nr ? nr : 1) : 1, run, &w);
}

/* One run of x over the dims in `group`, which merge into nr elements at stride sr.  The result is
 * row-major and has size 1 in those dims. */
static rl_tensor *pass(rl_reduce_op op, const rl_kargs *args, rl_tensor *x, const bool *group,
                       int64_t nr, int64_t sr)
{
    rl_dtype compute = (rl_dtype)x->dtype, writes = kernel_output(op, compute);
    rl_reduce_fn *kernel = rl_kernel_table.reduce[op][compute];
    int ndim = x->ndim;
    int64_t shape[RL_MAX_DIMS + 1];
    for (int d = 0; d < ndim; d++)
        shape[d] = group[d] ? 1 : x->shape[d];
    RL_TEMP *y = rl_new(writes, ndim, shape);
    if (!y || y->numel == 0)
        return rl_retain(y);

    size_t x_item = rl_itemsize(x), y_item = rl_itemsize(y);
    int64_t part = PART;
    if (sr != 1 && y->numel > 1)
        part = PART / y->numel > PART_MIN ? PART / y->numel : PART_MIN;
    rl_reduce_fn *again = rl_kernel_table.reduce[op][writes];
    if (!kinds[op].combines || !again || nr <= part || y->numel >= PART_OUTPUTS ||
        ndim == RL_MAX_DIMS) {
        reduce_into(kernel, args, ndim, shape, y->data, y->strides, y_item, x->data, x->strides,
                    x_item, nr, sr);
        return rl_retain(y);
    }

    /* In parts: one more dim in front counts the full ones, the rest comes last; then the parts'
     * results. */
    int64_t full = nr / part, rest = nr % part, parts = full + (rest > 0);
    int64_t y_strides[RL_MAX_DIMS + 1], x_strides[RL_MAX_DIMS + 1], all[2] = {parts, y->numel};
    RL_TEMP *between = rl_new(writes, 2, all);
    if (!between)
        return NULL;
    memmove(shape + 1, shape, (size_t)ndim * sizeof *shape);
    memcpy(y_strides + 1, y->strides, (size_t)ndim * sizeof *shape);
    memcpy(x_strides + 1, x->strides, (size_t)ndim * sizeof *shape);
    shape[0] = full;
    y_strides[0] = y->numel;
    x_strides[0] = part * sr;
    reduce_into(kernel, args, ndim + 1, shape, between->data, y_strides, y_item, x->data, x_strides,
                x_item, part, sr);
    if (rest)
        reduce_into(kernel, args, ndim, shape + 1,
                    between->data + full * y->numel * (int64_t)y_item, y_strides + 1, y_item,
                    x->data + full * part * sr * (int64_t)x_item, x_strides + 1, x_item, rest, sr);
    reduce_into(again, args, 1, &y->numel, y->data, &(int64_t){1}, y_item, between->data,
                &(int64_t){1}, y_item, parts, y->numel);
    return rl_retain(y);
}

/* The reduced dims of x that merge with the innermost of them, in memory order (logical: only as
 * the index runs), with their number of elements and stride.  Returns whether that is all of them.
 */
static bool innermost_group(const rl_tensor *x, const bool *mask, bool logical, bool *group,
                            int64_t *nr, int64_t *sr)
{
    int order[RL_MAX_DIMS];
    bool all = true;
    if (logical)
        for (int d = 0; d < x->ndim; d++)
            order[d] = x->ndim - 1 - d;
    else
        rl_stride_order(x->ndim, x->shape, 1, (const int64_t *const[]){x->strides}, order);
    *nr = 1;
    *sr = 1;
    bool first = true;
    for (int i = 0; i < x->ndim; i++) {
        int d = order[i];
        group[d] = mask[d];
        if (!mask[d] || x->shape[d] == 1)
            continue;
        if (first) {
            *sr = x->strides[d];
            first = false;
        } else if (x->strides[d] != *nr * *sr) {
            group[d] = false;
            all = false;
            continue;
        }
        *nr *= x->shape[d];
    }
    return all;
}

/* A row-major copy of x with the reduced dims last. */
static rl_tensor *reduced_last(rl_tensor *x, const bool *mask, bool *new_mask)
{
    int64_t shape[RL_MAX_DIMS], strides[RL_MAX_DIMS];
    int n = 0;
    for (int reduced = 0; reduced < 2; reduced++)
        for (int d = 0; d < x->ndim; d++)
            if (mask[d] == reduced) {
                shape[n] = x->shape[d];
                strides[n] = x->strides[d];
                new_mask[n++] = reduced;
            }
    RL_TEMP *view = rl_new_view(x, n, shape, strides, x->offset);
    return rl_contiguous_data(view);
}

/* Rows that are converted block by block on their way to the kernel. */
struct converted {
    rl_reduce_fn *kernel;
    const rl_kargs *args;
    const rl_tensor *x;
    rl_dtype compute;
    int64_t nr, block, blocks; /* elements of a row, of a block of it at most; blocks of a row */
    char *y;
    size_t y_item;
};

static void run_converted(int64_t begin, int64_t end, void *context)
{
    const struct converted *w = context;
    _Alignas(64) char values[CONVERTED * sizeof(double)];
    ptrdiff_t item = (ptrdiff_t)rl_itemsize(w->x), size = (ptrdiff_t)rl_dtype_size(w->compute);
    for (int64_t i = begin, n; i < end; i += n) {
        int64_t first = i % w->blocks * w->block,
                m = w->nr - first < w->block ? w->nr - first : w->block;
        n = w->blocks > 1 ? 1 : CONVERTED / w->nr < end - i ? CONVERTED / w->nr : end - i;
        rl_convert((rl_dtype)w->x->dtype, w->x->data + (i / w->blocks * w->nr + first) * item, item,
                   w->compute, values, size, (size_t)(n * m));
        w->kernel((size_t)n, (size_t)m, values, m * size, size, w->y + i * (int64_t)w->y_item,
                  (ptrdiff_t)w->y_item, w->args);
    }
}

/* The reduction of a row-major x of another dtype, its last dims reduced, without a converted copy
 * of all of it.  *y stays NULL when it is not that simple (or memory runs out). */
static void reduce_converted(rl_reduce_op op, rl_tensor *x, const bool *mask, rl_dtype compute,
                             const rl_kargs *args, rl_tensor **y)
{
    int64_t no = 1, nr = 1;
    bool last = true;
    for (int d = x->ndim - 1; d >= 0; d--) {
        last = last && mask[d];
        last ? (nr *= x->shape[d]) : (no *= x->shape[d]);
        if (mask[d] && !last)
            return;
    }
    rl_dtype writes = kernel_output(op, compute);
    const bool sums = op == RL_REDUCE_SUMSQ || op == RL_REDUCE_SUMABS; /* their parts add up */
    rl_reduce_fn *again = rl_kernel_table.reduce[sums ? RL_REDUCE_SUM : op][writes];
    struct converted w = {rl_kernel_table.reduce[op][compute],
                          args,
                          x,
                          compute,
                          nr,
                          nr,
                          1,
                          NULL,
                          rl_dtype_size(writes)};
    if (x->dtype == compute || !x->contiguous || nr == 0 || no == 0 ||
        (nr > CONVERTED && (!(sums || kinds[op].combines) || !again)))
        return;
    if (nr > CONVERTED) {
        w.block = CONVERTED;
        w.blocks = (nr + CONVERTED - 1) / CONVERTED;
    }
    RL_TEMP *parts = rl_new(writes, 2, (int64_t[]){no, w.blocks});
    if (!parts)
        return;
    w.y = parts->data;
    rl_parallel_for(parts->numel, w.blocks > 1 ? GRAIN / CONVERTED : GRAIN / nr, run_converted, &w);
    if (w.blocks == 1) {
        *y = rl_retain(parts);
        return;
    }
    if ((*y = rl_new(writes, 1, &no)))
        again((size_t)no, (size_t)w.blocks, parts->data, w.blocks * (ptrdiff_t)w.y_item,
              (ptrdiff_t)w.y_item, (*y)->data, (ptrdiff_t)w.y_item, args);
}

/* y as `result` with the given shape; y goes. */
static rl_tensor *finish(rl_tensor *y, int ndim, const int64_t *shape, rl_dtype result)
{
    rl_tensor *next = NULL;
    if (!rl_tensor_set_geometry(y, ndim, shape, NULL))
        next = y->dtype == result ? rl_retain(y) : rl_cast_data(y, result);
    rl_release(y);
    return next;
}

/* A row-major x of a few elements whose reduced dims are all, the last or the first ones: one call
 * of the kernel, the same that the general way would make.  Returns false when it is not that
 * simple; nothing has happened then. */
static bool reduce_short(rl_reduce_op op, rl_tensor *x, const bool *mask, bool keepdim,
                         rl_dtype compute, rl_dtype result, const rl_kargs *args, rl_tensor **y)
{
    rl_reduce_fn *kernel = rl_kernel_table.reduce[op][compute];
    if (!kernel || x->dtype != compute || result != kernel_output(op, compute) || !x->contiguous ||
        x->numel > GRAIN || x->numel == 0)
        return false;
    int64_t shape[RL_MAX_DIMS], no = 1, nr = 1;
    int ndim = 0, changes = 0;
    for (int d = 0; d < x->ndim; d++) {
        changes += d > 0 && mask[d] != mask[d - 1];
        if (mask[d])
            nr *= x->shape[d];
        else
            no *= x->shape[d];
        if (!mask[d] || keepdim)
            shape[ndim++] = mask[d] ? 1 : x->shape[d];
    }
    if (changes > 1)
        return false;
    *y = rl_new(result, ndim, shape);
    if (!*y)
        return true;
    ptrdiff_t item = (ptrdiff_t)rl_itemsize(x);
    bool last = x->ndim == 0 || mask[x->ndim - 1] || nr == 1;
    kernel((size_t)no, (size_t)nr, x->data, last ? nr * item : item,
           last || no == 1 ? item : no * item, (*y)->data, (ptrdiff_t)rl_itemsize(*y), args);
    return true;
}

rl_tensor *rl_reduce_run(rl_reduce_op op, const char *name, rl_tensor *x, const bool *mask,
                         bool keepdim, rl_dtype compute, rl_dtype result, const rl_kargs *args)
{
    static const rl_kargs no_args;
    bool todo[RL_MAX_DIMS], group[RL_MAX_DIMS];
    int64_t nr, sr, shape[RL_MAX_DIMS];
    int ndim = 0;
    if (!x)
        return NULL;
    if (!args)
        args = &no_args;
    rl_tensor *y, *next;
    if (reduce_short(op, x, mask, keepdim, compute, result, args, &y))
        return y;
    if (!rl_kernel_table.reduce[op][compute] && (compute == RL_F16 || compute == RL_BF16))
        compute = RL_F32;
    if (!rl_kernel_table.reduce[op][compute])
        return rl_fail(RL_ENOTIMPL, "\"%s\" not implemented for '%s'", name,
                       rl_dtype_title(compute));
    for (int d = 0; d < x->ndim; d++)
        if (!mask[d] || keepdim)
            shape[ndim++] = mask[d] ? 1 : x->shape[d];

    y = NULL;
    reduce_converted(op, x, mask, compute, args, &y);
    if (y)
        return finish(y, ndim, shape, result);
    y = x->dtype == compute ? rl_retain(x) : rl_cast_data(x, compute);
    if (!y)
        return NULL;
    memcpy(todo, mask, (size_t)x->ndim);
    bool all = innermost_group(y, todo, !kinds[op].combines, group, &nr, &sr);
    if (!all && !kinds[op].combines) {
        next = reduced_last(y, mask, todo);
        rl_release(y);
        if (!(y = next))
            return NULL;
        all = innermost_group(y, todo, true, group, &nr, &sr);
    }
    for (;;) {
        next = pass(op, args, y, group, nr, sr);
        rl_release(y);
        if (!(y = next))
            return NULL;
        if (all)
            break;
        for (int d = 0; d < y->ndim; d++)
            todo[d] &= !group[d];
        all = innermost_group(y, todo, false, group, &nr, &sr);
    }
    return finish(y, ndim, shape, result);
}
