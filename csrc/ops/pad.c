/* pad.c: a tensor with a border of one value, or of its own elements. */
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

/* ---- borders made of the tensor itself ---- */

/* Where each element along a padded dim comes from, int64: mirrored at the edge, or the edge. */
static rl_tensor *border_places(bool mirrored, int64_t size, int64_t before, int64_t after)
{
    int64_t n = size + before + after;
    rl_tensor *places = rl_new(RL_I64, 1, &n);
    if (!places)
        return NULL;
    int64_t *v = (int64_t *)places->data;
    for (int64_t i = 0; i < n; i++) {
        int64_t at = i - before;
        if (mirrored)
            v[i] = at < 0 ? -at : at >= size ? 2 * (size - 1) - at : at;
        else
            v[i] = at < 0 ? 0 : at >= size ? size - 1 : at;
    }
    return places;
}

/* dx = g with what stands in the border added where it came from, dim after dim.
 * args: i0 mirrored; dims: x's shape, then pad. */
static rl_status border_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    int ndim = g[0]->ndim, pairs = (n->args.n_dims - ndim) / 2;
    const int64_t *shape = n->args.dims, *pad = shape + ndim;
    rl_tensor *d = rl_retain(g[0]);
    for (int i = pairs - 1; i >= 0 && d; i--) {
        int dim = ndim - 1 - i;
        int64_t wanted[RL_MAX_DIMS];
        memcpy(wanted, d->shape, (size_t)ndim * sizeof *wanted);
        wanted[dim] = shape[dim];
        RL_TEMP *places = border_places(n->args.i[0], shape[dim], pad[2 * i], pad[2 * i + 1]);
        RL_TEMP *zeros = rl_zeros((rl_ints){wanted, ndim}, (rl_dtype)d->dtype);
        RL_TEMP *padded = d;
        d = places && zeros ? rl_index_add(zeros, dim, places, padded, rl_int(1)) : NULL;
    }
    dx[0] = d;
    return RL_DONE(n, dx);
}

#define BORDER(name) {name "Backward0", border_backward, 0, NULL}
static const rl_node_type border_nodes[2][3] = {
    {BORDER("ReplicationPad1D"), BORDER("ReplicationPad2D"), BORDER("ReplicationPad3D")},
    {BORDER("ReflectionPad1D"), BORDER("ReflectionPad2D"), BORDER("ReflectionPad3D")}};
#undef BORDER

/* Widths and sizes have been checked: nn.functional.pad. */
rl_tensor *rl_border_pad(rl_tensor *x, rl_ints pad, bool mirrored)
{
    int pairs = pad.n / 2;
    if (!x)
        return NULL;
    if (pairs < 1 || pairs > 3 || pad.n % 2 || pairs > x->ndim)
        return rl_fail(RL_ERUNTIME, "border_pad: %d widths for %d dims", pad.n, x->ndim);
    bool mode = rl_set_grad_enabled(false);
    rl_tensor *y = rl_retain(x);
    for (int i = 0; i < pairs && y; i++) {
        int dim = x->ndim - 1 - i;
        RL_TEMP *from = y;
        RL_TEMP *places = border_places(mirrored, x->shape[dim], pad.v[2 * i], pad.v[2 * i + 1]);
        y = places ? rl_index_select(from, dim, places) : NULL;
    }
    rl_set_grad_enabled(mode);
    if (!y || !rl_recording(x))
        return y;
    rl_node *n = rl_node_new(&border_nodes[mirrored][pairs - 1], y, 1, &x);
    if (n) {
        int64_t dims[RL_MAX_DIMS + 6];
        memcpy(dims, x->shape, x->ndim * sizeof *dims);
        memcpy(dims + x->ndim, pad.v, (size_t)pad.n * sizeof *dims);
        rl_node_set_dims(n, x->ndim + pad.n, dims);
        n->args.i[0] = mirrored;
    }
    return rl_record(n, y);
}
