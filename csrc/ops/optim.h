/* optim.h: what the bindings need of ops/optim.c beyond rushlight.h. */
#ifndef RL_OPS_OPTIM_H
#define RL_OPS_OPTIM_H

#include "rushlight.h"

/* Whether this optimizer keeps something in this slot of a parameter's state. */
bool rl_optim_keeps(const rl_optim *o, int slot);
/* The same for all slots: bit `slot` is set. */
unsigned rl_optim_kept(const rl_optim *o);

#endif
