/* reduced.c: remembering what was reduced, and bringing gradients back to it. */
#include "ops/reduced.h"

void rl_reduced_set(rl_node *n, const rl_tensor *x, const bool *mask, bool keepdim)
{
    if (!n)
        return;
    uint64_t bits = 0;
    for (int d = 0; d < x->ndim; d++)
        bits |= (uint64_t)mask[d] << d;
    n->args.i[2] = keepdim;
    n->args.i[3] = (int64_t)bits;
    rl_node_set_dims(n, x->ndim, x->shape);
}

static bool reduced(const rl_node *n, int d) { return (uint64_t)n->args.i[3] >> d & 1; }

rl_tensor *rl_reduced_keep(const rl_node *n, rl_tensor *t)
{
    if (!t || n->args.i[2] || n->args.i[3] == 0)
        return rl_retain(t);
    int64_t shape[RL_MAX_DIMS];
    for (int d = 0; d < n->args.n_dims; d++)
        shape[d] = reduced(n, d) ? 1 : n->args.dims[d];
    return rl_reshape(t, (rl_ints){shape, n->args.n_dims});
}

rl_tensor *rl_reduced_spread(const rl_node *n, rl_tensor *t)
{
    RL_TEMP *kept = n->args.n_dims && t && t->ndim == 0 ? rl_retain(t) : rl_reduced_keep(n, t);
    return kept ? rl_expand(kept, (rl_ints){n->args.dims, n->args.n_dims}, false) : NULL;
}

int64_t rl_reduced_count(const rl_node *n)
{
    int64_t count = 1;
    for (int d = 0; d < n->args.n_dims; d++)
        if (reduced(n, d))
            count *= n->args.dims[d];
    return count;
}
