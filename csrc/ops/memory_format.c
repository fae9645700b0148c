/* memory_format.c: tensors whose dims lie in memory in a given order. */
#include "ops/memory_format.h"

#include "rushlight_ops.h"

rl_status rl_format_strides(rl_memory_format format, int ndim, const int64_t *shape,
                            int64_t *strides)
{
    if (format < RL_FORMAT_CHANNELS_LAST) {
        rl_row_major(ndim, shape, strides);
        return RL_OK;
    }
    const int rank = format == RL_FORMAT_CHANNELS_LAST ? 4 : 5;
    if (ndim != rank)
        return rl_error(RL_ERUNTIME, "required rank %d tensor to use channels_last%s format", rank,
                        rank == 5 ? "_3d" : "");
    int64_t stride = 1;
    for (int i = 0; i < ndim; i++) { /* from the innermost: C, W, H, (D,) N */
        const int d = i == 0 ? 1 : i == ndim - 1 ? 0 : ndim - i;
        strides[d] = stride;
        stride *= shape[d] > 1 ? shape[d] : 1;
    }
    return RL_OK;
}

bool rl_has_format(const rl_tensor *t, rl_memory_format format)
{
    if (format < RL_FORMAT_CHANNELS_LAST)
        return format == RL_FORMAT_PRESERVE || t->contiguous;
    int64_t wanted[RL_MAX_DIMS];
    if (t->ndim != (format == RL_FORMAT_CHANNELS_LAST ? 4 : 5) ||
        rl_format_strides(format, t->ndim, t->shape, wanted) != RL_OK)
        return false;
    for (int d = 0; d < t->ndim; d++)
        if (t->shape[d] != 1 && t->strides[d] != wanted[d])
            return false;
    return true;
}

rl_tensor *rl_in_format(rl_tensor *x, rl_memory_format format)
{
    int64_t strides[RL_MAX_DIMS];
    bool lies = x && rl_has_format(x, format), seen = x && (x->refs > 1 || x->storage->refs > 1);
    if (!x || format == RL_FORMAT_PRESERVE || (lies && seen))
        return x;
    if (rl_format_strides(format, x->ndim, x->shape, strides) != RL_OK) {
        rl_release(x);
        return NULL;
    }
    if (seen) {
        rl_tensor *copy = rl_clone(x);
        rl_release(x);
        if (!(x = copy))
            return NULL;
        lies = rl_has_format(x, format);
    }
    if (lies) { /* but for the strides of dims of size 1 */
        memcpy(x->strides, strides, (size_t)x->ndim * sizeof *strides);
        return x;
    }
    RL_TEMP *y = rl_new_strided((rl_dtype)x->dtype, x->ndim, x->shape, strides);
    if (!y || rl_copy_data(y, x) != RL_OK || rl_tensor_set_data(x, y) != RL_OK) {
        rl_release(x);
        return NULL;
    }
    return x;
}
