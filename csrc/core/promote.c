/* promote.c: the dtype of a result. */
#include "core/tensor.h"

rl_dtype rl_promote(rl_dtype a, rl_dtype b)
{
    if (a == b || b == RL_NO_DTYPE)
        return a;
    if (a == RL_NO_DTYPE)
        return b;
    rl_dtype low = a < b ? a : b, high = a < b ? b : a;
    if (low == RL_U8 && high == RL_I8)
        return RL_I16; /* the least that holds both */
    if (low == RL_F16 && high == RL_BF16)
        return RL_F32;
    if (low == RL_F64 && high == RL_C64)
        return RL_C128;
    return high;
}

bool rl_can_cast(rl_dtype from, rl_dtype to)
{
    if (rl_is_complex(from) && !rl_is_complex(to))
        return false;
    if (rl_is_floating(from) && rl_is_integral(to, false))
        return false;
    return from == RL_BOOL || to != RL_BOOL;
}

/* The category decides first (complex over float over integer over bool), then the rank of the
 * operand: `high` wins within one. */
static rl_dtype combine(rl_dtype high, rl_dtype low)
{
    if (high == RL_NO_DTYPE)
        return low;
    if (rl_is_complex(high))
        return high;
    if (rl_is_floating(high))
        return low != RL_NO_DTYPE && rl_is_complex(low) ? rl_complex_dtype(high) : high;
    if (high == RL_BOOL || (low != RL_NO_DTYPE && rl_is_differentiable(low)))
        return rl_promote(high, low);
    return high;
}

rl_dtype rl_result_type(int n, rl_tensor *const *t)
{
    rl_dtype dims = RL_NO_DTYPE, zero = RL_NO_DTYPE, wrapped = RL_NO_DTYPE;
    for (int i = 0; i < n; i++) {
        if (!t[i])
            continue;
        rl_dtype d = (rl_dtype)t[i]->dtype;
        if (rl_is_wrapped_number(t[i])) {
            if (rl_is_floating(d))
                d = rl_default_dtype();
            else if (rl_is_complex(d))
                d = rl_complex_dtype(rl_default_dtype());
            wrapped = rl_promote(wrapped, d);
        } else if (t[i]->ndim > 0) {
            dims = rl_promote(dims, d);
        } else {
            zero = rl_promote(zero, d);
        }
    }
    return combine(dims, combine(zero, wrapped));
}
