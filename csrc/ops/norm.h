/* norm.h: what the two halves of normalisation share (norm.c, norm_backward.c). */
#ifndef RL_OPS_NORM_H
#define RL_OPS_NORM_H

#include "autograd/autograd.h"

/* The dims of (A, G, P, L) that the statistics are taken over. */
rl_ints rl_norm_dims(bool batch);
/* t as `shape` (4 dims), in the dtype that is computed in; differentiable. */
rl_tensor *rl_norm_shaped(rl_tensor *t, const int64_t *shape);
/* A parameter's shape beside (A, G, P, L). */
rl_tensor *rl_norm_parameter(rl_tensor *t, const int64_t *shape);

/* Of the node that norm.c records: inputs x, weight, bias; saved x, weight, mean, rstd; dims A, G,
 * P, L and the bias's shape; i[0] batch, i[1] fixed; f[0] eps. */
rl_status rl_norm_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx);

#endif
