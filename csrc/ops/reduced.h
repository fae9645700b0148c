/* reduced.h: what the files of reductions share: remembering what was reduced, and bringing
 * gradients back to it. */
#ifndef RL_OPS_REDUCED_H
#define RL_OPS_REDUCED_H

#include "autograd/autograd.h"
#include "core/iter.h"
#include "rushlight_ops.h"

/* Keeps x's shape, the reduced dims and keepdim in n->args: dims is the shape, i[3] the mask as
 * bits, i[2] keepdim. i[0] and i[1] stay free. */
void rl_reduced_set(rl_node *n, const rl_tensor *x, const bool *mask, bool keepdim);
/* t, a result of that reduction or its gradient, with the reduced dims as size 1; differentiable.
 * NULL passes. */
rl_tensor *rl_reduced_keep(const rl_node *n, rl_tensor *t);
/* The same, expanded to x's shape. */
rl_tensor *rl_reduced_spread(const rl_node *n, rl_tensor *t);
/* How many elements of x went into one of the result. */
int64_t rl_reduced_count(const rl_node *n);

/* Number of elements of x per element of the result. */
static inline int64_t rl_mask_count(const rl_tensor *x, const bool *mask)
{
    int64_t n = 1;
    for (int d = 0; d < x->ndim; d++)
        if (mask[d])
            n *= x->shape[d];
    return n;
}

/* One dim as a mask; a 0-dim tensor has an empty one. */
static inline void rl_one_dim_mask(int ndim, int64_t dim, bool *mask)
{
    for (int d = 0; d < ndim; d++)
        mask[d] = d == dim;
}

#endif
