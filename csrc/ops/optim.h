/* optim.h: what the bindings need of ops/optim.c beyond rushlight.h. */
#ifndef RL_OPS_OPTIM_H
#define RL_OPS_OPTIM_H

#include "rushlight.h"

/* Whether this optimizer keeps something in this slot of a parameter's state. */
bool rl_optim_keeps(const rl_optim *o, int slot);
/* The same for all slots: bit `slot` is set. */
unsigned rl_optim_kept(const rl_optim *o);

/* ---- LBFGS (ops/lbfgs.c): all parameters as one vector, complex ones as pairs of reals ---- */

/* The gradients, zeros where there are none; or the values. */
rl_tensor *rl_lbfgs_gradient(int64_t n, rl_tensor *const *params);
rl_tensor *rl_lbfgs_values(int64_t n, rl_tensor *const *params);
/* params <- params + by vector; params <- vector.  RL_ERUNTIME, nothing written: another number of
 * elements. */
rl_status rl_lbfgs_add(int64_t n, rl_tensor *const *params, rl_tensor *vector, double by);
rl_status rl_lbfgs_set(int64_t n, rl_tensor *const *params, rl_tensor *vector);
/* Minus the inverse Hessian times gradient g, estimated from k changes of the gradient, the steps
 * that made them and ro[i] = 1 / (changes[i] . steps[i]), beginning from h times the identity.
 * al[i]: new 0-dim tensors, the coefficients on the way. */
rl_tensor *rl_lbfgs_direction(rl_tensor *g, int64_t k, rl_tensor *const *changes,
                              rl_tensor *const *steps, const double *ro, double h, rl_tensor **al);

#endif
