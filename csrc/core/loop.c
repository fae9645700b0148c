/* loop.c: sorting and merging dims, and walking them. */
#include "core/loop.h"

#include <string.h>

#include "core/parallel.h"

void rl_broadcast_strides(const rl_tensor *t, int ndim, const int64_t *shape, int64_t *strides)
{
    int lead = ndim - t->ndim;
    for (int i = 0; i < lead; i++)
        strides[i] = 0;
    for (int i = lead; i < ndim; i++)
        strides[i] = t->shape[i - lead] == 1 && shape[i] != 1 ? 0 : t->strides[i - lead];
}

void rl_loop_make(rl_loop *l, int ndim, const int64_t *shape, int nops,
                  const int64_t *const *strides, const size_t *item)
{
    int order[RL_MAX_DIMS];
    rl_stride_order(ndim, shape, nops, strides, order);
    l->nops = nops;
    l->ndim = 0;
    l->numel = 1;
    for (int i = 0; i < ndim; i++) {
        int d = order[i], last = l->ndim - 1;
        l->numel *= shape[d];
        if (shape[d] == 1)
            continue;
        bool merges = l->ndim > 0;
        for (int k = 0; k < nops && merges; k++)
            merges = l->stride[last][k] * l->size[last] == strides[k][d] * (ptrdiff_t)item[k];
        if (merges) {
            l->size[last] *= shape[d];
            continue;
        }
        l->size[l->ndim] = shape[d];
        for (int k = 0; k < nops; k++)
            l->stride[l->ndim][k] = strides[k][d] * (ptrdiff_t)item[k];
        l->ndim++;
    }
    if (!l->ndim) {
        l->ndim = 1;
        l->size[0] = 1;
        for (int k = 0; k < nops; k++)
            l->stride[0][k] = 0;
    }
}

void rl_loop_lengthen(rl_loop *l)
{
    enum { SHORT = 8, CACHE = 1 << 17 };
    if (l->ndim < 2 || l->size[0] >= SHORT || l->size[1] <= 2 * l->size[0])
        return;
    ptrdiff_t most = 1;
    for (int k = 0; k < l->nops; k++) {
        ptrdiff_t s = l->stride[1][k] < 0 ? -l->stride[1][k] : l->stride[1][k];
        most = s > most ? s : most;
    }
    int64_t fits = CACHE / most, part = l->size[1];
    if (part > fits) { /* the greatest divisor that fits; the rest becomes a dim of its own */
        for (part = fits; part > SHORT && l->size[1] % part; part--)
            ;
        if (part <= SHORT || l->ndim == RL_MAX_DIMS)
            return;
        for (int d = l->ndim++; d > 2; d--) {
            l->size[d] = l->size[d - 1];
            memcpy(l->stride[d], l->stride[d - 1], sizeof l->stride[d]);
        }
        l->size[2] = l->size[1] / part;
        for (int k = 0; k < l->nops; k++)
            l->stride[2][k] = l->stride[1][k] * part;
    }
    l->size[1] = l->size[0];
    l->size[0] = part;
    for (int k = 0; k < l->nops; k++) {
        ptrdiff_t s = l->stride[0][k];
        l->stride[0][k] = l->stride[1][k];
        l->stride[1][k] = s;
    }
}

void rl_loop_range(const rl_loop *l, char *const *base, int64_t begin, int64_t end,
                   rl_inner_fn *inner, void *context)
{
    int64_t index[RL_MAX_DIMS], rest = begin;
    char *p[RL_LOOP_OPERANDS];
    if (begin >= end)
        return;
    for (int k = 0; k < l->nops; k++)
        p[k] = base[k];
    for (int d = 0; d < l->ndim; d++) {
        index[d] = rest % l->size[d];
        rest /= l->size[d];
        for (int k = 0; k < l->nops; k++)
            p[k] += index[d] * l->stride[d][k];
    }
    for (int64_t left = end - begin;;) {
        int64_t n = l->size[0] - index[0];
        if (n > left)
            n = left;
        inner((size_t)n, p, l->stride[0], context);
        if ((left -= n) == 0)
            return;
        for (int k = 0; k < l->nops; k++)
            p[k] -= index[0] * l->stride[0][k];
        index[0] = 0;
        for (int d = 1; d < l->ndim; d++) {
            if (++index[d] < l->size[d]) {
                for (int k = 0; k < l->nops; k++)
                    p[k] += l->stride[d][k];
                break;
            }
            for (int k = 0; k < l->nops; k++)
                p[k] -= (l->size[d] - 1) * l->stride[d][k];
            index[d] = 0;
        }
    }
}

struct job {
    const rl_loop *loop;
    char *const *base;
    rl_inner_fn *inner;
    void *context;
};

static void body(int64_t begin, int64_t end, void *context)
{
    struct job *j = context;
    rl_loop_range(j->loop, j->base, begin, end, j->inner, j->context);
}

void rl_loop_run(const rl_loop *l, char *const *base, int64_t grain, rl_inner_fn *inner,
                 void *context)
{
    struct job j = {l, base, inner, context};
    if (l->numel <= grain)
        rl_loop_range(l, base, 0, l->numel, inner, context);
    else
        rl_parallel_for(l->numel, grain, body, &j);
}
