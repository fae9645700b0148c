/* complex.h: what other operators need of complex numbers. */
#ifndef RL_OPS_COMPLEX_H
#define RL_OPS_COMPLEX_H

#include "ops/map.h"

static inline bool rl_has_complex(const rl_tensor *t) { return rl_is_complex((rl_dtype)t->dtype); }

/* The conjugate, for derivatives: x itself (a new reference) when it is real. */
static inline rl_tensor *rl_conj_of(rl_tensor *x)
{
    return x && rl_has_complex(x) ? rl_conj(x) : rl_retain(x);
}

/* f(x) of complex x without history, for the elementary functions that rl_complex_has; x^y. */
bool rl_complex_has(rl_map_op op);
rl_tensor *rl_complex_function(rl_map_op op, rl_tensor *x);
rl_tensor *rl_complex_power(rl_tensor *x, rl_tensor *y);
/* |x|, sgn and arg of complex x; sums and means without history. */
rl_tensor *rl_complex_abs(rl_tensor *x);
rl_tensor *rl_complex_sgn(rl_tensor *x);
rl_tensor *rl_complex_angle(rl_tensor *x);
/* Differentiable sums of exponentials (complex_sums.c). */
rl_tensor *rl_complex_logaddexp(rl_tensor *x, rl_tensor *y);
rl_tensor *rl_complex_logsumexp(rl_tensor *x, rl_ints dim, bool keepdim);
rl_tensor *rl_complex_logcumsumexp(rl_tensor *x, int64_t dim);
rl_tensor *rl_complex_sum(rl_tensor *x, rl_ints dim, bool keepdim, bool mean);
/* A product that is linear in both (mm, dot, ...) of complex tensors of one dtype, by four products
 * of real ones. */
rl_tensor *rl_complex_product(rl_tensor *(*product)(rl_tensor *, rl_tensor *), rl_tensor *a,
                              rl_tensor *b);

#endif
