/* conv.c: convolution and transposed convolution over one, two and three dims: checks, derivatives,
 * operators.  The data: conv_data.c; the geometry and the three products: conv.h. */
#include <stdio.h>

#include "autograd/autograd.h"
#include "core/iter.h"
#include "ops/conv.h"
#include "ops/matmul.h"
#include "rushlight_ops.h"

/* ---- derivatives ----
 *
 * The three products are linear in both operands, and the derivatives of each are the other two:
 *
 *     y = output(x, w)      dx = input(g, w)      dw = weight(x, g)
 *     x = input(y, w)       dy = output(g, w)     dw = weight(g, y)
 *     w = weight(x, y)      dx = input(y, g)      dy = output(x, g)
 */

static rl_tensor *conv_output(const rl_conv *v, rl_tensor *x, rl_tensor *w, rl_tensor *b);
static rl_tensor *conv_input(const rl_conv *v, rl_tensor *y, rl_tensor *w, rl_tensor *b,
                             bool backward);
static rl_tensor *conv_weight(const rl_conv *v, rl_tensor *x, rl_tensor *y);

static rl_conv geometry_of(const rl_node *n)
{
    rl_conv v;
    memcpy(&v, n->args.dims, sizeof v);
    return v;
}

/* g summed over all but the channels. */
static rl_tensor *bias_gradient(rl_tensor *g)
{
    int64_t dims[4] = {0};
    for (int d = 2; d < g->ndim; d++)
        dims[d - 1] = d;
    return rl_sum(g, (rl_ints){dims, g->ndim - 1}, false, RL_NO_DTYPE);
}

static rl_status output_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    rl_conv v = geometry_of(n);
    if (rl_wants(n, 0)) {
        RL_TEMP *w = rl_saved(n, 1);
        dx[0] = conv_input(&v, g[0], w, NULL, true);
    }
    if (rl_wants(n, 1)) {
        RL_TEMP *x = rl_saved(n, 0);
        dx[1] = conv_weight(&v, x, g[0]);
    }
    if (rl_wants(n, 2))
        dx[2] = bias_gradient(g[0]);
    return RL_DONE(n, dx);
}

static rl_status input_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    rl_conv v = geometry_of(n);
    if (rl_wants(n, 0)) {
        RL_TEMP *w = rl_saved(n, 1);
        dx[0] = conv_output(&v, g[0], w, NULL);
    }
    if (rl_wants(n, 1)) {
        RL_TEMP *y = rl_saved(n, 0);
        dx[1] = conv_weight(&v, g[0], y);
    }
    if (rl_wants(n, 2))
        dx[2] = bias_gradient(g[0]);
    return RL_DONE(n, dx);
}

static rl_status weight_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    rl_conv v = geometry_of(n);
    if (rl_wants(n, 0)) {
        RL_TEMP *y = rl_saved(n, 1);
        dx[0] = conv_input(&v, y, g[0], NULL, true);
    }
    if (rl_wants(n, 1)) {
        RL_TEMP *x = rl_saved(n, 0);
        dx[1] = conv_output(&v, x, g[0], NULL);
    }
    return RL_DONE(n, dx);
}

static const rl_node_type output_node = {"ConvolutionBackward0", output_backward, 2, NULL};
static const rl_node_type input_node = {"ConvolutionBackward0", input_backward, 2, NULL};
static const rl_node_type input_gradient_node = {"ConvolutionBackwardBackward0", input_backward, 2,
                                                 NULL};
static const rl_node_type weight_gradient_node = {"ConvolutionBackwardBackward0", weight_backward,
                                                  2, NULL};

/* z with its history: each operand is kept where the other's gradient needs it. */
static rl_tensor *record(const rl_node_type *type, const rl_conv *v, rl_tensor *z, rl_tensor *a,
                         rl_tensor *b, rl_tensor *bias)
{
    if (!z || (!rl_recording(a) && !rl_recording(b) && !rl_recording(bias)))
        return z;
    rl_node *n = rl_node_new(type, z, 3, (rl_tensor *[]){a, b, bias});
    rl_save(n, 0, rl_recording(b) ? a : NULL);
    rl_save(n, 1, rl_recording(a) ? b : NULL);
    int64_t numbers[RL_CONV_NUMBERS];
    memcpy(numbers, v, sizeof numbers);
    rl_node_set_dims(n, RL_CONV_NUMBERS, numbers);
    return rl_record(n, z);
}

static rl_tensor *conv_output(const rl_conv *v, rl_tensor *x, rl_tensor *w, rl_tensor *b)
{
    rl_tensor *y = x && w ? rl_conv_output(v, x, w, b) : NULL;
    return record(&output_node, v, y, x, w, b);
}

static rl_tensor *conv_input(const rl_conv *v, rl_tensor *y, rl_tensor *w, rl_tensor *b,
                             bool backward)
{
    rl_tensor *x = y && w ? rl_conv_input(v, y, w, b) : NULL;
    return record(backward ? &input_gradient_node : &input_node, v, x, y, w, b);
}

static rl_tensor *conv_weight(const rl_conv *v, rl_tensor *x, rl_tensor *y)
{
    rl_tensor *w = x && y ? rl_conv_weight(v, x, y) : NULL;
    return record(&weight_gradient_node, v, w, x, y, NULL);
}

/* ---- arguments ---- */

/* A call before its geometry is known. */
typedef struct call {
    int ndim;
    bool transposed, same;
    rl_tensor *x, *w, *b;
    rl_ints stride, padding, output_padding, dilation;
    int64_t groups;
} call;

/* One value for each dim into out[3], which holds those of missing dims. */
static rl_status spread(const char *name, rl_ints given, int ndim, int64_t out[3])
{
    if (given.n != 1 && given.n != ndim)
        return rl_error(RL_ERUNTIME,
                        "expected %s to be a single integer value or a list of %d values to match "
                        "the convolution dimensions, but got %s=%s",
                        name, ndim, name, rl_ints_str(given.n, given.v).s);
    for (int d = 0; d < ndim; d++) {
        int64_t value = given.v[given.n == 1 ? 0 : d];
        if (value > INT32_MAX)
            return rl_error(RL_ERUNTIME, "%s is too large: %lld", name, (long long)value);
        out[3 - ndim + d] = value;
    }
    return RL_OK;
}

static rl_status check_parameters(const call *c, rl_conv *v, int64_t output_padding[3])
{
    if (spread("stride", c->stride, c->ndim, v->stride) ||
        spread("padding", c->padding, c->ndim, v->pad) ||
        spread("dilation", c->dilation, c->ndim, v->dilation) ||
        (c->transposed && spread("output_padding", c->output_padding, c->ndim, output_padding)))
        return rl_error_code();
    if (v->groups <= 0)
        return rl_error(RL_ERUNTIME, "non-positive groups is not supported");
    for (int d = 0; d < 3; d++) {
        if (v->pad[d] < 0)
            return rl_error(RL_ERUNTIME, "negative padding is not supported");
        if (output_padding[d] < 0)
            return rl_error(RL_ERUNTIME, "negative output_padding is not supported");
        if (v->stride[d] <= 0)
            return rl_error(RL_ERUNTIME, "non-positive stride is not supported");
        if (v->dilation[d] <= 0)
            return rl_error(RL_ERUNTIME, "non-positive dilation is not supported");
        if (c->same && v->stride[d] != 1)
            return rl_error(RL_ERUNTIME,
                            "padding='same' is not supported for strided convolutions");
    }
    return RL_OK;
}

static rl_status check_channels(const call *c)
{
    const rl_tensor *x = c->x, *w = c->w, *b = c->b;
    int64_t groups = c->groups;
    const char *given = c->transposed ? "transposed=" : "groups=";
    if (w->shape[0] < groups)
        return rl_error(RL_ERUNTIME,
                        "Given groups=%lld, expected weight to be at least %lld at dimension 0, "
                        "but got weight of size %s instead",
                        (long long)groups, (long long)groups, rl_shape_str(w).s);
    if (w->shape[0] % groups)
        return rl_error(RL_ERUNTIME,
                        "Given groups=%lld, expected weight to be divisible by %lld at dimension "
                        "0, but got weight of size [%s] instead",
                        (long long)groups, (long long)groups, rl_shape_str(w).s);
    int64_t want = c->transposed ? w->shape[0] : w->shape[1] * groups;
    if (x->shape[1] != want)
        return rl_error(RL_ERUNTIME,
                        "Given %s%lld, weight of size %s, expected input%s to have %lld channels, "
                        "but got %lld channels instead",
                        given, (long long)(c->transposed ? 1 : groups), rl_shape_str(w).s,
                        rl_shape_str(x).s, (long long)want, (long long)x->shape[1]);
    int64_t out = c->transposed ? w->shape[1] * groups : w->shape[0];
    if (b && (b->ndim != 1 || b->shape[0] != out))
        return rl_error(RL_ERUNTIME,
                        "Given %sweight of size %s, expected bias to be 1-dimensional with %lld "
                        "elements, but got bias of size %s instead",
                        c->transposed ? "transposed=1, " : "", rl_shape_str(w).s, (long long)out,
                        rl_shape_str(b).s);
    return RL_OK;
}

static rl_status check_dtypes(const call *c)
{
    const rl_tensor *x = c->x, *w = c->w, *b = c->b;
    if (x->dtype != w->dtype)
        return rl_error(
            RL_ERUNTIME,
            "Input type (torch.%sTensor) and weight type (torch.%sTensor) should be the "
            "same or input should be a MKLDNN tensor and weight is a dense tensor",
            rl_dtype_title((rl_dtype)x->dtype), rl_dtype_title((rl_dtype)w->dtype));
    if (b && b->dtype != x->dtype)
        return rl_error(RL_ERUNTIME, "Input type (%s) and bias type (%s) should be the same",
                        rl_dtype_cpp((rl_dtype)x->dtype), rl_dtype_cpp((rl_dtype)b->dtype));
    if (x->dtype == RL_BOOL || rl_is_complex((rl_dtype)x->dtype))
        return rl_error(RL_ENOTIMPL, "\"slow_conv2d_cpu\" not implemented for '%s'",
                        rl_dtype_title((rl_dtype)x->dtype));
    return RL_OK;
}

/* "6 x 6" */
static rl_str sizes_text(int ndim, const int64_t size[3])
{
    rl_str s = {""};
    size_t at = 0;
    for (int d = 3 - ndim; d < 3; d++)
        at += (size_t)snprintf(s.s + at, sizeof s.s - at, "%s%lld", d > 3 - ndim ? " x " : "",
                               (long long)size[d]);
    return s;
}

/* Fills in `out` from `in`. */
static rl_status size_output(const call *c, rl_conv *v)
{
    int64_t padded[3], reach[3];
    bool fits = true;
    for (int d = 0; d < 3; d++) {
        if (__builtin_mul_overflow(v->dilation[d], v->kernel[d] - 1, &reach[d]) ||
            reach[d] > INT64_MAX / 4)
            return rl_error(RL_ERUNTIME, "convolution: dilation and kernel are too large");
        if (c->same)
            v->pad[d] = reach[d] / 2; /* the right side has the odd one more */
        padded[d] = c->same ? v->in[d] + reach[d] : v->in[d] + 2 * v->pad[d];
        v->out[d] = (padded[d] - reach[d] - 1) / v->stride[d] + 1;
        fits = fits && padded[d] > reach[d];
        reach[d]++;
    }
    if (!fits)
        return rl_error(RL_ERUNTIME,
                        "Calculated padded input size per channel: (%s). Kernel size: (%s). Kernel "
                        "size can't be greater than actual input size",
                        sizes_text(c->ndim, padded).s, sizes_text(c->ndim, reach).s);
    return RL_OK;
}

/* Fills in `in`, what a transposed convolution gives, from `out`. */
static rl_status size_input(const call *c, rl_conv *v, const int64_t output_padding[3])
{
    bool fits = true;
    for (int d = 0; d < 3; d++) {
        int64_t reach, extent;
        if (output_padding[d] >= v->stride[d] && output_padding[d] >= v->dilation[d] &&
            output_padding[d] > 0)
            return rl_error(RL_ERUNTIME,
                            "output padding must be smaller than either stride or dilation, but "
                            "got output_padding: %lld stride: %lld dilation: %lld",
                            (long long)output_padding[d], (long long)v->stride[d],
                            (long long)v->dilation[d]);
        if (__builtin_mul_overflow(v->dilation[d], v->kernel[d] - 1, &reach) ||
            __builtin_mul_overflow(v->stride[d], v->out[d] - 1, &extent) || reach > INT64_MAX / 4 ||
            extent > INT64_MAX / 4)
            return rl_error(RL_ERUNTIME, "convolution: the result is too large");
        v->in[d] = extent - 2 * v->pad[d] + reach + output_padding[d] + 1;
        fits = fits && v->in[d] > 0;
    }
    if (!fits)
        return rl_error(RL_ERUNTIME,
                        "Given input size per channel: (%s). Calculated output size per channel: "
                        "(%s). Output size is too small",
                        sizes_text(c->ndim, v->out).s, sizes_text(c->ndim, v->in).s);
    return RL_OK;
}

/* x with its batch dim. */
static rl_tensor *run(const call *c)
{
    const rl_tensor *x = c->x, *w = c->w;
    int64_t output_padding[3] = {0, 0, 0};
    rl_conv v = {.ndim = c->ndim,
                 .batch = x->shape[0],
                 .groups = c->groups,
                 .in = {1, 1, 1},
                 .out = {1, 1, 1},
                 .kernel = {1, 1, 1},
                 .stride = {1, 1, 1},
                 .dilation = {1, 1, 1}};
    if (check_dtypes(c) || check_parameters(c, &v, output_padding))
        return NULL;
    if (w->ndim != x->ndim)
        return rl_fail(RL_ERUNTIME,
                       "Expected %d-dimensional input for %d-dimensional weight %s, but got "
                       "%d-dimensional input of size %s instead",
                       w->ndim, w->ndim, rl_shape_str(w).s, x->ndim, rl_shape_str(x).s);
    if (check_channels(c))
        return NULL;
    for (int d = 0; d < c->ndim; d++) {
        v.kernel[3 - c->ndim + d] = w->shape[2 + d];
        (c->transposed ? v.out : v.in)[3 - c->ndim + d] = x->shape[2 + d];
        if (w->shape[2 + d] == 0)
            return rl_fail(RL_ERUNTIME, "convolution: kernel of size 0: weight of size %s",
                           rl_shape_str(w).s);
    }
    v.in_ch = c->transposed ? w->shape[1] * c->groups : x->shape[1];
    v.out_ch = w->shape[0];
    if (c->transposed ? size_input(c, &v, output_padding) : size_output(c, &v))
        return NULL;
    for (int d = 0; d < c->ndim; d++)
        if (x->shape[2 + d] == 0 && x->shape[0] && x->shape[1])
            return rl_fail(RL_ERUNTIME,
                           "Only zero batch or zero channel inputs are supported, but got input "
                           "shape: %s",
                           rl_shape_str(x).s);
    return c->transposed ? conv_input(&v, c->x, c->w, c->b, false)
                         : conv_output(&v, c->x, c->w, c->b);
}

/* Input without a batch dim: as a batch of one. */
static rl_tensor *convolve(call c)
{
    if (!c.x || !c.w)
        return NULL;
    if (c.x->ndim != c.ndim + 1 && c.x->ndim != c.ndim + 2)
        return rl_fail(
            RL_ERUNTIME,
            "Expected %dD (unbatched) or %dD (batched) input to conv%s%dd, but got input "
            "of size: %s",
            c.ndim + 1, c.ndim + 2, c.transposed ? "_transpose" : "", c.ndim, rl_shape_str(c.x).s);
    if (c.x->ndim == c.ndim + 2)
        return run(&c);
    RL_TEMP *x = rl_unsqueeze(c.x, 0);
    c.x = x;
    RL_TEMP *y = x ? run(&c) : NULL;
    return y ? rl_squeeze_dim(y, 0) : NULL;
}

static rl_tensor *named(call c, const char *padding)
{
    static const int64_t none[1] = {0};
    c.padding = (rl_ints){none, 1};
    c.same = !strcmp(padding, "same");
    if (!c.same && strcmp(padding, "valid"))
        return rl_fail(RL_ERUNTIME, "Invalid padding string: '%s'", padding);
    return convolve(c);
}

/* ---- operators ---- */

#define CONV(N)                                                                                    \
    rl_tensor *rl_conv##N##d(rl_tensor *x, rl_tensor *w, rl_tensor *b, rl_ints stride,             \
                             rl_ints padding, rl_ints dilation, int64_t groups)                    \
    {                                                                                              \
        return convolve((call){.ndim = N,                                                          \
                               .x = x,                                                             \
                               .w = w,                                                             \
                               .b = b,                                                             \
                               .stride = stride,                                                   \
                               .padding = padding,                                                 \
                               .dilation = dilation,                                               \
                               .groups = groups});                                                 \
    }                                                                                              \
    rl_tensor *rl_conv##N##d_named(rl_tensor *x, rl_tensor *w, rl_tensor *b, rl_ints stride,       \
                                   const char *padding, rl_ints dilation, int64_t groups)          \
    {                                                                                              \
        return named((call){.ndim = N,                                                             \
                            .x = x,                                                                \
                            .w = w,                                                                \
                            .b = b,                                                                \
                            .stride = stride,                                                      \
                            .dilation = dilation,                                                  \
                            .groups = groups},                                                     \
                     padding);                                                                     \
    }                                                                                              \
    rl_tensor *rl_conv_transpose##N##d(rl_tensor *x, rl_tensor *w, rl_tensor *b, rl_ints stride,   \
                                       rl_ints padding, rl_ints output_padding, int64_t groups,    \
                                       rl_ints dilation)                                           \
    {                                                                                              \
        return convolve((call){.ndim = N,                                                          \
                               .transposed = true,                                                 \
                               .x = x,                                                             \
                               .w = w,                                                             \
                               .b = b,                                                             \
                               .stride = stride,                                                   \
                               .padding = padding,                                                 \
                               .output_padding = output_padding,                                   \
                               .dilation = dilation,                                               \
                               .groups = groups});                                                 \
    }

CONV(1)
CONV(2)
CONV(3)
