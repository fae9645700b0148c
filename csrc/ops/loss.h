/* loss.h: what the files of losses share. */
#ifndef RL_OPS_LOSS_H
#define RL_OPS_LOSS_H

#include "ops/map.h"

typedef enum rl_reduction { RL_REDUCTION_NONE, RL_REDUCTION_MEAN, RL_REDUCTION_SUM } rl_reduction;

/* "none", "mean", "sum"; RL_EVALUE for another name. */
rl_status rl_reduction_of(const char *name, rl_reduction *out);
/* Mean, sum or the losses themselves.  Releases `each`; NULL passes. */
rl_tensor *rl_reduce_loss(rl_tensor *each, rl_reduction reduction);
#endif
