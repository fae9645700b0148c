/* attention_backends.c: which ways of computing attention the program allows. */
#include "ops/attention_backends.h"

#include <stdatomic.h>

#include "core/error.h"

static atomic_int backends = RL_ATTENTION_ALL;

int rl_set_attention_backends(int allowed) { return atomic_exchange(&backends, allowed); }

int rl_attention_backends(void) { return atomic_load_explicit(&backends, memory_order_relaxed); }

rl_status rl_check_attention_backends(bool fused)
{
    const int allowed = rl_attention_backends();
    if (allowed & RL_ATTENTION_MATH || (fused && allowed & RL_ATTENTION_FLASH))
        return RL_OK;
    if (allowed & RL_ATTENTION_FLASH)
        return rl_error(RL_ERUNTIME, "No available kernel.  Aborting execution.");
    return rl_error(RL_ERUNTIME,
                    "No viable backend for scaled_dot_product_attention was found. This is likely "
                    "due to turning off both the math kernel and the fused kernels.");
}
