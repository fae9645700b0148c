/* loss.h: what the files of losses share. */
#ifndef RL_OPS_LOSS_H
#define RL_OPS_LOSS_H

#include "autograd/autograd.h"
#include "rushlight_ops.h"

typedef enum rl_reduction { RL_REDUCTION_NONE, RL_REDUCTION_MEAN, RL_REDUCTION_SUM } rl_reduction;

/* "none", "mean", "sum"; RL_EVALUE for another name. */
rl_status rl_reduction_of(const char *name, rl_reduction *out);
/* Mean, sum or the losses themselves.  Releases `each`; NULL passes. */
rl_tensor *rl_reduce_loss(rl_tensor *each, rl_reduction reduction);
/* each * weight, broadcast.  Releases `each`; NULL passes. */
rl_tensor *rl_weighted(rl_tensor *each, rl_tensor *weight);

/* x * v with a number; differentiable. */
static inline rl_tensor *rl_mul_number(rl_tensor *x, double v)
{
    if (!x || v == 1)
        return rl_retain(x);
    RL_TEMP *number = rl_wrap_number(rl_float(v));
    return number ? rl_mul(x, number) : NULL;
}

#endif
