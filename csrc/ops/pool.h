/* pool.h: elements at given places of their planes, shared by poolings that pick elements. */
#ifndef RL_OPS_POOL_H
#define RL_OPS_POOL_H

#include "core/tensor.h"

/* at (lead..., windows...): for each window the place of an element in its plane of the given size,
 * or -1.  Two linear maps, each the other's derivative, with history:
 * rl_places_add: a plane of zeros, to which g (as at) is added;  rl_places_take: elements of x
 * (lead..., size...), 0 where there is no place. */
rl_tensor *rl_places_add(rl_tensor *g, rl_tensor *at, int n_lead, int ndim, const int64_t *size);
rl_tensor *rl_places_take(rl_tensor *x, rl_tensor *at, int n_lead);

#endif
