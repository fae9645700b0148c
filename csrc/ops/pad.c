/* pad.c: a tensor with a border of one value. */
#include "autograd/autograd.h"
#include "rushlight_ops.h"

/* y = x with a border, or without a part of it where pad is negative.
 * dx = g without the border: padded by -pad. */
static rl_status constant_pad_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    dx[0] = rl_constant_pad_nd(g[0], (rl_ints){n->args.dims, n->args.n_dims}, rl_int(0));
    return RL_DONE(n, dx);
}
static const rl_node_type constant_pad_node = {"ConstantPadNdBackward0", constant_pad_backward, 0,
                                               NULL};

/* The part of t that x and its padded form have in common; sizes of the dims into shape.  side: 0
 * for x itself, 1 for the padded tensor. */
static rl_tensor *common(rl_tensor *t, int side, const rl_tensor *x, const int64_t *before,
                         const int64_t *after)
{
    int64_t shape[RL_MAX_DIMS], offset = t->offset;
    for (int d = 0; d < t->ndim; d++) {
        int64_t cut = before[d] < 0 ? -before[d] : 0, end = after[d] < 0 ? -after[d] : 0;
        shape[d] = x->shape[d] - cut - end;
        if (shape[d] < 0)
            shape[d] = 0;
        if (shape[d] > 0)
            offset += t->strides[d] * (side ? (before[d] > 0 ? before[d] : 0) : cut);
    }
    return rl_new_view(t, t->ndim, shape, t->strides, offset);
}

static rl_tensor *pad_data(rl_tensor *x, const int64_t *before, const int64_t *after,
                           const int64_t *shape, rl_scalar value)
{
    RL_TEMP *y = rl_new((rl_dtype)x->dtype, x->ndim, shape);
    if (!y || rl_fill_data(y, value))
        return NULL;
    bool overlap = y->numel > 0;
    for (int d = 0; d < x->ndim; d++)
        overlap = overlap &&
                  x->shape[d] + (before[d] < 0 ? before[d] : 0) + (after[d] < 0 ? after[d] : 0) > 0;
    if (!overlap)
        return rl_retain(y);
    RL_TEMP *to = common(y, 1, x, before, after), *from = common(x, 0, x, before, after);
    return to && from && !rl_copy_data(to, from) ? rl_retain(y) : NULL;
}

rl_tensor *rl_constant_pad_nd(rl_tensor *x, rl_ints pad, rl_scalar value)
{
    if (!x)
        return NULL;
    if (pad.n % 2)
        return rl_fail(RL_ERUNTIME, "Length of pad must be even but instead it equals %d", pad.n);
    if (pad.n > 2 * x->ndim)
        return rl_fail(RL_ERUNTIME,
                       "Length of pad should be no more than twice the number of dimensions of the "
                       "input. Pad length is %d while the input has %d dimensions.",
                       pad.n, x->ndim);
    int64_t before[RL_MAX_DIMS] = {0}, after[RL_MAX_DIMS] = {0}, shape[RL_MAX_DIMS];
    for (int d = 0; d < x->ndim; d++) {
        int i = x->ndim - 1 - d; /* pad begins with the last dim */
        if (2 * i < pad.n) {
            before[d] = pad.v[2 * i];
            after[d] = pad.v[2 * i + 1];
        }
        if (__builtin_add_overflow(before[d], after[d], &shape[d]) ||
            __builtin_add_overflow(shape[d], x->shape[d], &shape[d]))
            return rl_fail(RL_ERUNTIME, "constant_pad_nd: padding is too large");
        if (shape[d] < 0)
            return rl_fail(RL_ERUNTIME,
                           "The input size %lld, plus negative padding %lld and %lld resulted in a "
                           "negative output size, which is invalid. Check dimension %d of your "
                           "input.",
                           (long long)x->shape[d], (long long)before[d], (long long)after[d], d);
    }
    rl_tensor *y = pad_data(x, before, after, shape, value);
    if (!y || !rl_recording(x))
        return y;
    rl_node *n = rl_node_new(&constant_pad_node, y, 1, &x);
    int64_t back[2 * RL_MAX_DIMS];
    for (int i = 0; i < pad.n; i++)
        back[i] = -pad.v[i];
    rl_node_set_dims(n, pad.n, back);
    return rl_record(n, y);
}
