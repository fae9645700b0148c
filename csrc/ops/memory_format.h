/* memory_format.h: in which order a tensor's dims lie in memory, as torch.memory_format names it.
 */
#ifndef RL_OPS_MEMORY_FORMAT_H
#define RL_OPS_MEMORY_FORMAT_H

#include "core/tensor.h"

typedef enum rl_memory_format {
    RL_FORMAT_CONTIGUOUS,       /* row-major */
    RL_FORMAT_PRESERVE,         /* as the operator does it unasked */
    RL_FORMAT_CHANNELS_LAST,    /* (N, C, H, W) in the order N, H, W, C */
    RL_FORMAT_CHANNELS_LAST_3D, /* (N, C, D, H, W) in the order N, D, H, W, C */
} rl_memory_format;

/* Strides of that format.  RL_ERUNTIME where it takes another number of dims. */
rl_status rl_format_strides(rl_memory_format format, int ndim, const int64_t *shape,
                            int64_t *strides);
/* Whether the elements lie so; strides of dims of size 1 do not matter. */
bool rl_has_format(const rl_tensor *t, rl_memory_format format);
/* x in that format: x itself, whose memory is exchanged where nobody else can see it, or a recorded
 * copy.  Takes x over. */
rl_tensor *rl_in_format(rl_tensor *x, rl_memory_format format);

#endif
