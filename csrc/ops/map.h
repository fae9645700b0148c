/* map.h: short spellings that the element-wise operators share. */
#ifndef RL_OPS_MAP_H
#define RL_OPS_MAP_H

#include "autograd/autograd.h"
#include "core/iter.h"
#include "rushlight_ops.h"

/* z = f(x) or f(x, y) into `out`, or a new tensor when out is NULL.  No autograd. */
static inline rl_tensor *rl_map1(rl_map_op op, rl_typing typing, const char *name, rl_tensor *x,
                                 rl_tensor *out)
{
    return rl_map_run(
        &(rl_map){.op = op, .typing = typing, .name = name, .n = 1, .in = {x}, .out = out});
}

static inline rl_tensor *rl_map2(rl_map_op op, rl_typing typing, const char *name, rl_tensor *x,
                                 rl_tensor *y, rl_tensor *out)
{
    return rl_map_run(
        &(rl_map){.op = op, .typing = typing, .name = name, .n = 2, .in = {x, y}, .out = out});
}

/* Operators with a Python number in place of a tensor. */
static inline rl_tensor *rl_mul_number(rl_tensor *x, rl_scalar v)
{
    RL_TEMP *w = rl_wrap_number(v);
    return rl_mul(x, w);
}

static inline rl_tensor *rl_div_number(rl_tensor *x, rl_scalar v)
{
    RL_TEMP *w = rl_wrap_number(v);
    return rl_div(x, w, NULL);
}

static inline rl_tensor *rl_pow_number(rl_tensor *x, rl_scalar v)
{
    RL_TEMP *w = rl_wrap_number(v);
    return rl_pow(x, w);
}

/* alpha x + beta for numbers */
static inline rl_tensor *rl_add_number(rl_tensor *x, rl_scalar v)
{
    RL_TEMP *w = rl_wrap_number(v);
    return rl_add(x, w, rl_int(1));
}

/* v - x */
static inline rl_tensor *rl_number_minus(rl_scalar v, rl_tensor *x)
{
    RL_TEMP *w = rl_wrap_number(v);
    return rl_rsub(x, w, rl_int(1));
}

static inline bool rl_scalar_is(rl_scalar s, double v)
{
    return s.dtype != RL_NO_DTYPE && rl_scalar_double(s) == v;
}

/* Writing into x while nothing records: checks, runs, counts the version.  The rl_map's `out` is x.
 */
static inline rl_tensor *rl_map_into(rl_map *m, rl_tensor *x)
{
    if (rl_check_inplace(x, false))
        return NULL;
    m->out = x;
    rl_tensor *z = rl_map_run(m);
    if (!z)
        return NULL;
    rl_release(z);
    return rl_record_inplace(NULL, x);
}

#endif
