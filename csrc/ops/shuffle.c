/* shuffle.c: channels as pixels, pixels as channels, channels of groups in turn. */
#include "autograd/autograd.h"
#include "rushlight_ops.h"

/* The same elements under two geometries: x is read in the order of `shape` by strides `from`, and
 * y, of x's dtype and the given shape, written by strides `to`. */
typedef struct moved {
    int ndim; /* of the common shape */
    int64_t shape[RL_MAX_DIMS], from[RL_MAX_DIMS], to[RL_MAX_DIMS];
} moved;

static rl_tensor *move(const moved *m, rl_tensor *x, int ndim, const int64_t *shape)
{
    RL_TEMP *y = rl_new((rl_dtype)x->dtype, ndim, shape);
    if (!y || y->numel == 0)
        return rl_retain(y);
    RL_TEMP *from = rl_new_view(x, m->ndim, m->shape, m->from, x->offset);
    RL_TEMP *to = rl_new_view(y, m->ndim, m->shape, m->to, 0);
    return from && to && !rl_copy_data(to, from) ? rl_retain(y) : NULL;
}

static rl_tensor *record(const rl_node_type *type, rl_tensor *x, rl_tensor *y, int64_t number)
{
    if (!y || !rl_recording(x))
        return y;
    rl_node *n = rl_node_new(type, y, 1, &x);
    if (n)
        n->args.i[0] = number;
    return rl_record(n, y);
}

/* ---- pixels: each other's derivatives ---- */

static rl_status shuffle_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    dx[0] = rl_pixel_unshuffle(g[0], n->args.i[0]);
    return RL_DONE(n, dx);
}

static rl_status unshuffle_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    dx[0] = rl_pixel_shuffle(g[0], n->args.i[0]);
    return RL_DONE(n, dx);
}

static const rl_node_type shuffle_node = {"PixelShuffleBackward0", shuffle_backward, 0, NULL};
static const rl_node_type unshuffle_node = {"PixelUnshuffleBackward0", unshuffle_backward, 0, NULL};

/* (lead..., channels, r, r, height, width) over few, a tensor (lead..., channels r^2, height,
 * width), and over many, one (lead..., channels, height r, width r). */
static void pixel_dims(int ndim, int64_t r, const int64_t *few, int64_t channels, int64_t height,
                       int64_t width, int64_t *shape, int64_t *of_few, const int64_t *many,
                       int64_t *of_many)
{
    const int64_t *c = few + ndim - 3, *m = many + ndim - 3;
    const int64_t sizes[5] = {channels, r, r, height, width};
    const int64_t a[5] = {c[0] * r * r, c[0] * r, c[0], c[1], c[2]};
    const int64_t b[5] = {m[0], m[1], m[2], m[1] * r, m[2] * r};
    for (int d = 0; d < ndim - 3; d++) {
        of_few[d] = few[d];
        of_many[d] = many[d];
    }
    memcpy(shape + ndim - 3, sizes, sizeof sizes);
    memcpy(of_few + ndim - 3, a, sizeof a);
    memcpy(of_many + ndim - 3, b, sizeof b);
}

static rl_status check_pixels(const char *name, const char *factor, const rl_tensor *x, int64_t r)
{
    if (x->ndim < 3)
        return rl_error(RL_ERUNTIME,
                        "%s expects input to have at least 3 dimensions, but got input with %d "
                        "dimension(s)",
                        name, x->ndim);
    if (r <= 0)
        return rl_error(RL_ERUNTIME, "%s expects a positive %s, but got %lld", name, factor,
                        (long long)r);
    if (x->ndim + 2 > RL_MAX_DIMS || r > INT32_MAX)
        return rl_error(RL_ERUNTIME, "%s: too many dimensions or too large a factor", name);
    return RL_OK;
}

rl_tensor *rl_pixel_shuffle(rl_tensor *x, int64_t r)
{
    if (!x || check_pixels("pixel_shuffle", "upscale_factor", x, r))
        return NULL;
    int n = x->ndim;
    const int64_t *size = x->shape + n - 3;
    if (size[0] % (r * r))
        return rl_fail(RL_ERUNTIME,
                       "pixel_shuffle expects its input's 'channel' dimension to be divisible by "
                       "the square of upscale_factor, but input.size(-3)=%lld is not divisible by "
                       "%lld",
                       (long long)size[0], (long long)(r * r));
    int64_t shape[RL_MAX_DIMS], strides[RL_MAX_DIMS];
    memcpy(shape, x->shape, (size_t)n * sizeof *shape);
    shape[n - 3] /= r * r;
    if (__builtin_mul_overflow(size[1], r, &shape[n - 2]) ||
        __builtin_mul_overflow(size[2], r, &shape[n - 1]))
        return rl_fail(RL_ERUNTIME, "pixel_shuffle: the result is too large");
    rl_row_major(n, shape, strides);
    moved m = {.ndim = n + 2};
    memcpy(m.shape, x->shape, (size_t)n * sizeof *shape);
    pixel_dims(n, r, x->strides, shape[n - 3], size[1], size[2], m.shape, m.from, strides, m.to);
    return record(&shuffle_node, x, move(&m, x, n, shape), r);
}

rl_tensor *rl_pixel_unshuffle(rl_tensor *x, int64_t r)
{
    if (!x || check_pixels("pixel_unshuffle", "downscale_factor", x, r))
        return NULL;
    int n = x->ndim;
    const int64_t *size = x->shape + n - 3;
    for (int d = 1; d < 3; d++)
        if (size[d] % r)
            return rl_fail(RL_ERUNTIME,
                           "pixel_unshuffle expects %s to be divisible by downscale_factor, but "
                           "input.size(%d)=%lld is not divisible by %lld",
                           d == 1 ? "height" : "width", d - 3, (long long)size[d], (long long)r);
    int64_t shape[RL_MAX_DIMS], strides[RL_MAX_DIMS];
    memcpy(shape, x->shape, (size_t)n * sizeof *shape);
    shape[n - 2] /= r;
    shape[n - 1] /= r;
    if (__builtin_mul_overflow(size[0], r * r, &shape[n - 3]))
        return rl_fail(RL_ERUNTIME, "pixel_unshuffle: the result is too large");
    rl_row_major(n, shape, strides);
    moved m = {.ndim = n + 2};
    memcpy(m.shape, x->shape, (size_t)n * sizeof *shape);
    pixel_dims(n, r, strides, size[0], shape[n - 2], shape[n - 1], m.shape, m.to, x->strides,
               m.from);
    return record(&unshuffle_node, x, move(&m, x, n, shape), r);
}

/* ---- channels ---- */

/* channel_shuffle by C / groups undoes that by groups. */
static rl_status channels_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    int64_t channels = g[0]->shape[1];
    dx[0] = rl_channel_shuffle(g[0], channels ? channels / n->args.i[0] : 1);
    return RL_DONE(n, dx);
}

static const rl_node_type channels_node = {"ChannelShuffleBackward0", channels_backward, 0, NULL};

static rl_status native_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    (void)n, (void)g, (void)dx;
    return rl_error(RL_ERUNTIME, "derivative for aten::native_channel_shuffle is not implemented");
}

static const rl_node_type native_node = {"NotImplemented", native_backward, 0, NULL};

static rl_tensor *shuffle_channels(rl_tensor *x, int64_t groups)
{
    if (!x)
        return NULL;
    if (x->ndim <= 2)
        return rl_fail(RL_ERUNTIME,
                       "channel_shuffle expects input with > 2 dims, but got input with sizes %s",
                       rl_shape_str(x).s);
    if (groups <= 0)
        return rl_fail(RL_ERUNTIME,
                       "Number of groups to divide channels in must be positive. Value of "
                       "groups:%lld",
                       (long long)groups);
    int64_t channels = x->shape[1];
    if (channels % groups)
        return rl_fail(RL_ERUNTIME,
                       "Number of channels must be divisible by groups. Got %lld channels and "
                       "%lld groups.",
                       (long long)channels, (long long)groups);
    if (x->ndim + 1 > RL_MAX_DIMS)
        return rl_fail(RL_ERUNTIME, "channel_shuffle: too many dimensions");
    int64_t strides[RL_MAX_DIMS];
    rl_row_major(x->ndim, x->shape, strides);
    moved m = {.ndim = x->ndim + 1};
    for (int d = 0; d < x->ndim; d++) {
        int e = d > 1 ? d + 1 : d;
        m.shape[e] = x->shape[d];
        m.from[e] = x->strides[d];
        m.to[e] = strides[d];
    }
    m.shape[1] = groups;
    m.shape[2] = channels / groups;
    m.from[1] = x->strides[1] * (channels / groups);
    m.from[2] = x->strides[1];
    m.to[1] = strides[1];
    m.to[2] = strides[1] * groups;
    return move(&m, x, x->ndim, x->shape);
}

rl_tensor *rl_channel_shuffle(rl_tensor *x, int64_t groups)
{
    return record(&channels_node, x, shuffle_channels(x, groups), groups);
}

rl_tensor *rl_native_channel_shuffle(rl_tensor *x, int64_t groups)
{
    return record(&native_node, x, shuffle_channels(x, groups), groups);
}
