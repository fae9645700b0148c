/* norm.c: layer, group, batch, instance and RMS normalisation.
 *
 * All but RMS take the input as (A, G, P, L): the statistics are those of each (A, G), or of each G
 * for batch normalisation, and element p of (G, P) has its own weight and bias.
 *   layer    (rows, 1, elements of a row, 1)
 *   group    (batch, groups, channels of a group, positions)
 *   batch    (batch, channels, 1, positions)
 */

#include <math.h>

#include "autograd/autograd.h"
#include "core/iter.h"
#include "ops/norm.h"
#include "ops/rows.h"
#include "ops/view.h"
#include "rushlight_ops.h"

/* How one call normalises; kept in the node: dims = shape, i[0] batch, i[1] fixed, f[0] eps. */
struct form {
    int64_t shape[4]; /* A, G, P, L */
    bool batch;       /* statistics over A and L, else over P and L */
    bool fixed;       /* statistics given, not taken from x */
    double eps;
};

static rl_status check_dtypes(const rl_tensor *x, int n, rl_tensor *const *parameters)
{
    bool mixed = false;
    for (int i = 0; i < n; i++)
        mixed |= parameters[i] && parameters[i]->dtype != x->dtype;
    for (int i = 0; mixed && i < n; i++)
        if (parameters[i] && parameters[i]->dtype != RL_F32)
            return rl_error(RL_ERUNTIME,
                            "mixed dtype (CPU): expect parameter to have scalar type of Float");
    if (mixed && x->dtype != RL_F16 && x->dtype != RL_BF16)
        return rl_error(RL_ERUNTIME, "mixed dtype (CPU): all inputs must share same datatype.");
    return RL_OK;
}

static const rl_node_type layer_norm_node = {
    .name = "NativeLayerNormBackward0", .backward = rl_norm_backward, .n_saved = 4};
static const rl_node_type group_norm_node = {
    .name = "NativeGroupNormBackward0", .backward = rl_norm_backward, .n_saved = 4};
static const rl_node_type batch_norm_node = {
    .name = "NativeBatchNormBackward0", .backward = rl_norm_backward, .n_saved = 4};

static bool recording(const rl_tensor *x, const rl_tensor *w, const rl_tensor *b)
{
    return rl_recording(x) || rl_recording(w) || rl_recording(b);
}

/* y with its history; takes over y. */
static rl_tensor *record(const rl_node_type *type, const struct form *form, rl_tensor *y,
                         rl_tensor *x, rl_tensor *w, rl_tensor *b, rl_tensor *mean, rl_tensor *rstd)
{
    if (!y || !recording(x, w, b))
        return y;
    rl_node *n = rl_node_new(type, y, 3, (rl_tensor *[]){x, w, b});
    rl_save(n, 0, x);
    rl_save(n, 1, w);
    rl_save(n, 2, mean);
    rl_save(n, 3, rstd);
    int64_t dims[4 + RL_MAX_DIMS]; /* the form's, then the bias's shape */
    int count = 4;
    memcpy(dims, form->shape, sizeof form->shape);
    for (int d = 0; b && d < b->ndim; d++)
        dims[count++] = b->shape[d];
    rl_node_set_dims(n, count, dims);
    if (n) {
        n->args.i[0] = form->batch;
        n->args.i[1] = form->fixed;
        n->args.f[0] = form->eps;
    }
    return rl_record(n, y);
}

/* ---- layer and group normalisation ---- */

static rl_tensor *by_rows(const rl_node_type *type, const struct form *form, rl_tensor *x,
                          rl_tensor *w, rl_tensor *b)
{
    const int64_t *s = form->shape, length = s[2] * s[3], kept[] = {s[0], s[1], 1, 1};
    rl_dtype compute = rl_rows_dtype((rl_dtype)x->dtype);
    RL_TEMP *made_x = NULL;
    RL_TEMP *made_w = NULL;
    RL_TEMP *made_b = NULL;
    rl_tensor *xd = rl_rows_in(x, x->ndim - 1, compute, &made_x);
    rl_tensor *wd = w ? rl_rows_in(w, w->ndim - 1, compute, &made_w) : NULL;
    rl_tensor *bd = b ? rl_rows_in(b, b->ndim - 1, compute, &made_b) : NULL;
    rl_tensor *y = rl_new(compute, x->ndim, x->shape);
    bool keeps = recording(x, w, b); /* the derivative alone reads the statistics */
    RL_TEMP *mean = keeps ? rl_new(compute, 4, kept) : NULL;
    RL_TEMP *rstd = keeps ? rl_new(compute, 4, kept) : NULL;
    if (!xd || (w && !wd) || (b && !bd) || !y || (keeps && (!mean || !rstd))) {
        rl_release(y);
        return NULL;
    }
    size_t size = rl_dtype_size(compute), item[] = {size, size, size, size, size, size};
    rl_kargs args = {.i = {s[3]}, .f = {form->eps}};
    char *p[] = {y->data,
                 xd->data,
                 keeps ? mean->data : NULL,
                 keeps ? rstd->data : NULL,
                 wd ? wd->data : NULL,
                 bd ? bd->data : NULL};
    if (y->numel && s[1] == 1) { /* every row has the same parameters */
        ptrdiff_t stride[] = {length, length, 1, 1, 0, 0};
        rl_rows_run(RL_ROW_LAYER_NORM, compute, s[0], length, 6, p, stride, item, &args);
    } else if (y->numel) {
        ptrdiff_t stride[] = {length, length, 1, 1, s[2], s[2]};
        ptrdiff_t step[] = {s[1] * length, s[1] * length, s[1], s[1], 0, 0};
        rl_rows_run_blocks(RL_ROW_LAYER_NORM, compute, s[0], step, s[1], length, 6, p, stride, item,
                           &args);
    }
    rl_tensor *z = rl_rows_back(y, x->ndim - 1, (rl_dtype)x->dtype);
    return record(type, form, z, x, w, b, mean, rstd);
}

static bool shape_is(const rl_tensor *t, rl_ints shape)
{
    return rl_has_shape(t, shape.n, shape.v);
}

/* normalized_shape against the last dims of x and the parameters; comma: how PyTorch's message of
 * this operator goes on after "[*". */
static rl_status check_normalized(const rl_tensor *x, rl_ints shape, rl_tensor *w, rl_tensor *b,
                                  const char *comma)
{
    if (shape.n < 1)
        return rl_error(RL_ERUNTIME,
                        "Expected normalized_shape to be at least 1-dimensional, i.e., containing "
                        "at least one element, but got normalized_shape = %s",
                        rl_ints_str(shape.n, shape.v).s);
    rl_tensor *parameters[] = {w, b};
    static const char *const names[] = {"weight", "bias"};
    for (int i = 0; i < 2; i++)
        if (parameters[i] && !shape_is(parameters[i], shape))
            return rl_error(RL_ERUNTIME,
                            "Expected %s to be of same shape as normalized_shape, but got %s of "
                            "shape %s and normalized_shape = %s",
                            names[i], names[i], rl_shape_str(parameters[i]).s,
                            rl_ints_str(shape.n, shape.v).s);
    bool fits = x->ndim >= shape.n;
    for (int d = 0; fits && d < shape.n; d++)
        fits = x->shape[x->ndim - shape.n + d] == shape.v[d];
    if (!fits)
        return rl_error(RL_ERUNTIME,
                        "Given normalized_shape=%s, expected input with shape [*%s%s, but got "
                        "input of size%s",
                        rl_ints_str(shape.n, shape.v).s, comma, rl_ints_str(shape.n, shape.v).s + 1,
                        rl_shape_str(x).s);
    return RL_OK;
}

static rl_status check_floating(const rl_tensor *x, const char *kernel)
{
    if (rl_is_floating((rl_dtype)x->dtype))
        return RL_OK;
    return rl_error(RL_ENOTIMPL, "\"%s\" not implemented for '%s'", kernel,
                    rl_dtype_title((rl_dtype)x->dtype));
}

rl_tensor *rl_layer_norm(rl_tensor *input, rl_ints normalized_shape, rl_tensor *weight,
                         rl_tensor *bias, double eps, bool cudnn_enable)
{
    (void)cudnn_enable;
    if (!input || check_normalized(input, normalized_shape, weight, bias, ", ") ||
        check_floating(input, "LayerNormKernelImpl") ||
        check_dtypes(input, 2, (rl_tensor *[]){weight, bias}))
        return NULL;
    struct form form = {.shape = {1, 1, 1, 1}, .eps = eps};
    for (int d = 0; d < input->ndim; d++)
        form.shape[d < input->ndim - normalized_shape.n ? 0 : 2] *= input->shape[d];
    return by_rows(&layer_norm_node, &form, input, weight, bias);
}

rl_tensor *rl_group_norm(rl_tensor *input, int64_t num_groups, rl_tensor *weight, rl_tensor *bias,
                         double eps, bool cudnn_enabled)
{
    (void)cudnn_enabled;
    if (!input)
        return NULL;
    if (num_groups <= 0)
        return rl_fail(RL_ERUNTIME, "Expected num groups to be greater than 0, got %lld",
                       (long long)num_groups);
    if (input->ndim < 2)
        return rl_fail(RL_ERUNTIME,
                       "Expected at least 2 dimensions for input tensor but received %d",
                       input->ndim);
    int64_t channels = input->shape[1];
    if (channels % num_groups)
        return rl_fail(
            RL_ERUNTIME,
            "Expected number of channels in input to be divisible by num_groups, but got "
            "input of shape %s and num_groups=%lld",
            rl_shape_str(input).s, (long long)num_groups);
    rl_tensor *parameters[] = {weight, bias};
    static const char *const names[] = {"weight", "bias"};
    for (int i = 0; i < 2; i++)
        if (parameters[i] && (parameters[i]->ndim != 1 || parameters[i]->numel != channels))
            return rl_fail(RL_ERUNTIME,
                           "Expected %s to be a vector of size equal to the number of channels in "
                           "input, but got %s of shape %s and input of shape %s",
                           names[i], names[i], rl_shape_str(parameters[i]).s,
                           rl_shape_str(input).s);
    if (check_floating(input, "GroupNormKernelImpl") || check_dtypes(input, 2, parameters))
        return NULL;
    struct form form = {.shape = {input->shape[0], num_groups, channels / num_groups, 1},
                        .eps = eps};
    for (int d = 2; d < input->ndim; d++)
        form.shape[3] *= input->shape[d];
    return by_rows(&group_norm_node, &form, input, weight, bias);
}

/* y = x / sqrt(mean(x^2) + eps) weight, composed as in PyTorch: half precision computes in float32;
 * eps is by default the spacing of floats at 1 in the dtype that is computed in. */
rl_tensor *rl_rms_norm(rl_tensor *input, rl_ints normalized_shape, rl_tensor *weight,
                       rl_opt_float eps)
{
    if (input && input->ndim < normalized_shape.n)
        return rl_fail(RL_EVALUE, "Input tensor must have at least %d dimensions, but got %d",
                       normalized_shape.n, (int)input->ndim);
    if (!input || check_normalized(input, normalized_shape, weight, NULL, "") ||
        check_floating(input, "rms_norm"))
        return NULL;
    rl_dtype dtype = (rl_dtype)input->dtype, compute = rl_rows_dtype(dtype);
    int64_t dims[RL_MAX_DIMS];
    for (int d = 0; d < normalized_shape.n; d++)
        dims[d] = input->ndim - normalized_shape.n + d;
    RL_TEMP *x = dtype == compute ? rl_retain(input) : rl_to_dtype(input, compute, false);
    RL_TEMP *two = rl_wrap_number(rl_int(2));
    RL_TEMP *square = x && two ? rl_pow(x, two) : NULL;
    RL_TEMP *mean =
        square ? rl_mean(square, (rl_ints){dims, normalized_shape.n}, true, RL_NO_DTYPE) : NULL;
    double spacing = compute == RL_F64 ? 0x1p-52 : 0x1p-23;
    RL_TEMP *number = rl_wrap_number(rl_float(eps.given ? eps.v : spacing));
    RL_TEMP *raised = mean && number ? rl_add(mean, number, rl_int(1)) : NULL;
    RL_TEMP *rstd = raised ? rl_rsqrt(raised) : NULL;
    RL_TEMP *y = rstd ? rl_mul(x, rstd) : NULL;
    RL_TEMP *scaled = y && weight ? rl_mul(y, weight) : rl_retain(y);
    if (!scaled || (rl_dtype)scaled->dtype == dtype)
        return rl_retain(scaled);
    return rl_to_dtype(scaled, dtype, false);
}

/* ---- batch and instance normalisation ---- */

/* running = (1 - momentum) running + momentum value scale */
static rl_status update(rl_tensor *running, const rl_tensor *value, double momentum, double scale)
{
    RL_TEMP *old = rl_cast_data(running, RL_F64);
    RL_TEMP *next = rl_new(RL_F64, running->ndim, running->shape);
    if (!old || !next)
        return rl_error_code();
    const double *from = (const double *)old->data;
    double *to = (double *)next->data;
    for (int64_t c = 0; c < next->numel; c++) {
        double v = value->dtype == RL_F64 ? ((const double *)value->data)[c]
                                          : ((const float *)value->data)[c];
        to[c] = momentum * (v * scale) + (1 - momentum) * from[c];
    }
    if (rl_copy_data(running, next))
        return rl_error_code();
    rl_bump_version(running);
    return RL_OK;
}

/* The statistics by channel, (1, C, 1, 1): of x, which also move the running ones, or the running
 * ones. */
static rl_status statistics(const struct form *form, rl_tensor *xs, rl_tensor *running_mean,
                            rl_tensor *running_var, double momentum, rl_tensor **mean,
                            rl_tensor **rstd)
{
    const int64_t kept[] = {1, form->shape[1], 1, 1};
    rl_dtype compute = (rl_dtype)xs->dtype;
    RL_TEMP *variance = NULL;
    if (form->fixed) {
        RL_TEMP *m = rl_cast_data(running_mean, compute);
        RL_TEMP *v = m ? rl_cast_data(running_var, compute) : NULL;
        RL_TEMP *copy = rl_new(compute, 4, kept); /* of its own: the buffer may change later */
        variance = v ? rl_reshape(v, (rl_ints){kept, 4}) : NULL;
        if (!variance || !copy)
            return rl_error_code();
        memcpy(copy->data, m->data, (size_t)m->numel * rl_itemsize(m));
        *mean = rl_retain(copy);
    } else {
        rl_ints dims = rl_norm_dims(true);
        *mean = rl_mean(xs, dims, true, RL_NO_DTYPE);
        variance = *mean ? rl_var(xs, dims, rl_int(0), true) : NULL;
        if (!variance)
            return rl_error_code();
        double count = (double)(form->shape[0] * form->shape[3]);
        if (running_mean && update(running_mean, *mean, momentum, 1))
            return rl_error_code();
        if (running_var && update(running_var, variance, momentum, count / (count - 1)))
            return rl_error_code();
    }
    RL_TEMP *r = rl_new(compute, 4, kept);
    if (!r)
        return rl_error_code();
    for (int64_t c = 0; c < r->numel; c++)
        if (compute == RL_F64)
            ((double *)r->data)[c] = 1 / sqrt(((const double *)variance->data)[c] + form->eps);
        else
            ((float *)r->data)[c] =
                (float)(1 / sqrt((double)((const float *)variance->data)[c] + form->eps));
    *rstd = rl_retain(r);
    return RL_OK;
}

enum { LONG_ROW = 32 }; /* elements from which a row pays a call of its own */

/* y = x scale + shift, scale = rstd weight, shift = bias - mean scale; computed without history. */
static rl_tensor *scaled_data(const struct form *form, rl_tensor *xs, rl_tensor *w, rl_tensor *b,
                              rl_tensor *mean, rl_tensor *rstd)
{
    RL_TEMP *ws = w ? rl_norm_parameter(w, form->shape) : NULL;
    RL_TEMP *bs = b ? rl_norm_parameter(b, form->shape) : NULL;
    if ((w && !ws) || (b && !bs))
        return NULL;
    RL_TEMP *scale = w ? rl_mul(rstd, ws) : rl_retain(rstd);
    RL_TEMP *offset = scale ? rl_mul(mean, scale) : NULL;
    RL_TEMP *shift = !offset ? NULL : b ? rl_sub(bs, offset, rl_int(1)) : rl_neg(offset);
    if (!shift || !xs->contiguous || form->shape[3] < LONG_ROW || scale->dtype != xs->dtype ||
        shift->dtype != xs->dtype)
        return shift ? rl_addcmul(shift, xs, scale, rl_int(1)) : NULL;
    const int64_t channels = form->shape[1], length = form->shape[3], two[] = {channels, 2};
    const rl_dtype compute = (rl_dtype)xs->dtype;
    const size_t size = rl_itemsize(xs), item[] = {size, size, size};
    RL_TEMP *numbers = rl_new(compute, 2, two);
    rl_tensor *y = numbers ? rl_new(compute, xs->ndim, xs->shape) : NULL;
    if (!y)
        return NULL;
    for (int64_t c = 0; c < channels; c++) {
        char *to = numbers->data + 2 * c * (int64_t)size;
        memcpy(to, scale->data + c * (int64_t)size, size);
        memcpy(to + size, shift->data + c * (int64_t)size, size);
    }
    char *p[] = {y->data, xs->data, numbers->data};
    rl_rows_run_blocks(RL_ROW_AFFINE, compute, form->shape[0],
                       (ptrdiff_t[]){channels * length, channels * length, 0}, channels, length, 3,
                       p, (ptrdiff_t[]){length, length, 2}, item, NULL);
    return y;
}

rl_tensor *rl_batch_norm(rl_tensor *input, rl_tensor *weight, rl_tensor *bias,
                         rl_tensor *running_mean, rl_tensor *running_var, bool training,
                         double momentum, double eps, bool cudnn_enabled)
{
    (void)cudnn_enabled;
    if (!input)
        return NULL;
    rl_tensor *parameters[] = {running_mean, running_var, weight, bias};
    static const char *const names[] = {"running_mean", "running_var", "weight", "bias"};
    int64_t channels = input->ndim > 1 ? input->shape[1] : 0;
    for (int i = 0; i < 4; i++) {
        if (!training && i < 2 && !parameters[i])
            return rl_fail(RL_ERUNTIME, "%s must be defined in evaluation mode", names[i]);
        if (parameters[i] && parameters[i]->numel != channels)
            return rl_fail(RL_ERUNTIME, "%s should contain %lld elements not %lld", names[i],
                           (long long)channels, (long long)parameters[i]->numel);
    }
    if (input->ndim < 2)
        return rl_fail(RL_ERUNTIME,
                       "batch_norm(): expected an input of at least 2 dimensions, got %d",
                       input->ndim);
    rl_tensor *checked[] = {weight, bias, running_mean, running_var};
    if (check_floating(input, "batch_norm") || check_dtypes(input, 4, checked))
        return NULL;
    struct form form = {
        .shape = {input->shape[0], channels, 1, 1}, .batch = true, .fixed = !training, .eps = eps};
    for (int d = 2; d < input->ndim; d++)
        form.shape[3] *= input->shape[d];
    if (input->numel == 0) /* no statistics, nothing moves */
        form.fixed = true;
    bool grad = rl_set_grad_enabled(false);
    RL_TEMP *xs = rl_norm_shaped(input, form.shape);
    RL_TEMP *mean = NULL, *rstd = NULL;
    rl_tensor *y = NULL;
    if (xs && input->numel == 0) {
        const int64_t kept[] = {1, channels, 1, 1};
        mean = rl_zeros_data((rl_dtype)xs->dtype, 4, kept);
        rstd = rl_zeros_data((rl_dtype)xs->dtype, 4, kept);
        y = mean && rstd ? rl_new((rl_dtype)input->dtype, input->ndim, input->shape) : NULL;
    } else if (xs && !statistics(&form, xs, running_mean, running_var, momentum, &mean, &rstd)) {
        RL_TEMP *z = scaled_data(&form, xs, weight, bias, mean, rstd);
        RL_TEMP *back = z ? rl_reshape(z, (rl_ints){input->shape, input->ndim}) : NULL;
        /* z in another shape, but a tensor of its own: a view could not be written into */
        RL_TEMP *own = back ? rl_new_view(back, back->ndim, back->shape, back->strides, 0) : NULL;
        y = own ? rl_cast_data(own, (rl_dtype)input->dtype) : NULL;
    }
    rl_set_grad_enabled(grad);
    return record(&batch_norm_node, &form, y, input, weight, bias, mean, rstd);
}

/* t repeated for every sample; differentiable.  NULL passes. */
static rl_tensor *repeated(rl_tensor *t, int64_t times)
{
    return t ? rl_repeat(t, (rl_ints){&times, 1}) : NULL;
}

/* The mean over the samples, put back into the buffer. */
static rl_status put_back(rl_tensor *running, rl_tensor *each, int64_t batch)
{
    const int64_t shape[] = {batch, running->numel}, first = 0;
    RL_TEMP *rows = rl_reshape(each, (rl_ints){shape, 2});
    RL_TEMP *mean = rows ? rl_mean(rows, (rl_ints){&first, 1}, false, RL_NO_DTYPE) : NULL;
    if (!mean || rl_copy_data(running, mean))
        return rl_error_code();
    rl_bump_version(running);
    return RL_OK;
}

/* Batch normalisation of every (sample, channel) as a channel of one sample. */
rl_tensor *rl_instance_norm(rl_tensor *input, rl_tensor *weight, rl_tensor *bias,
                            rl_tensor *running_mean, rl_tensor *running_var, bool use_input_stats,
                            double momentum, double eps, bool cudnn_enabled)
{
    if (!input)
        return NULL;
    if (!use_input_stats && (!running_mean || !running_var))
        return rl_fail(RL_ERUNTIME, "Expected running_mean and running_var to be defined when "
                                    "use_input_stats is false");
    if (input->ndim < 2)
        return rl_fail(RL_ERUNTIME,
                       "instance_norm(): expected an input of at least 2 dimensions, got %d",
                       input->ndim);
    int64_t batch = input->shape[0], shape[RL_MAX_DIMS];
    memcpy(shape, input->shape, (size_t)input->ndim * sizeof *shape);
    shape[0] = 1;
    shape[1] *= batch;
    RL_TEMP *w = repeated(weight, batch);
    RL_TEMP *b = repeated(bias, batch);
    RL_TEMP *rm = repeated(running_mean, batch);
    RL_TEMP *rv = repeated(running_var, batch);
    if ((weight && !w) || (bias && !b) || (running_mean && !rm) || (running_var && !rv))
        return NULL;
    RL_TEMP *row_major = rl_contiguous(input);
    RL_TEMP *x = row_major ? rl_view(row_major, (rl_ints){shape, input->ndim}) : NULL;
    RL_TEMP *y =
        x ? rl_batch_norm(x, w, b, rm, rv, use_input_stats, momentum, eps, cudnn_enabled) : NULL;
    if (!y)
        return NULL;
    if (use_input_stats && batch) {
        bool grad = rl_set_grad_enabled(false);
        bool failed = (running_mean && put_back(running_mean, rm, batch)) ||
                      (running_var && put_back(running_var, rv, batch));
        rl_set_grad_enabled(grad);
        if (failed)
            return NULL;
    }
    return rl_view(y, (rl_ints){input->shape, input->ndim});
}
