/* create.c: new tensors of one value, copies, and writing values into a tensor. */
#include "autograd/autograd.h"
#include "core/iter.h"
#include "core/tensor.h"
#include "rushlight_ops.h"

/* ---- tensors of one value ---- */

static rl_dtype or_default(rl_dtype dtype)
{
    return dtype == RL_NO_DTYPE ? rl_default_dtype() : dtype;
}

static rl_tensor *filled(rl_tensor *t, rl_scalar value)
{
    if (t && rl_fill_data(t, value)) {
        rl_release(t);
        return NULL;
    }
    return t;
}

rl_tensor *rl_empty(rl_ints size, rl_dtype dtype)
{
    return rl_new(or_default(dtype), size.n, size.v);
}

rl_tensor *rl_zeros(rl_ints size, rl_dtype dtype)
{
    for (int i = 0; i < size.n; i++)
        if (size.v[i] < 0)
            return rl_fail(RL_ERUNTIME, "zeros: Dimension size must be non-negative.");
    return filled(rl_new(or_default(dtype), size.n, size.v), rl_int(0));
}

rl_tensor *rl_ones(rl_ints size, rl_dtype dtype)
{
    return filled(rl_new(or_default(dtype), size.n, size.v), rl_int(1));
}

rl_tensor *rl_full(rl_ints size, rl_scalar fill_value, rl_dtype dtype)
{
    if (dtype == RL_NO_DTYPE)
        dtype = fill_value.dtype == RL_F64 ? rl_default_dtype() : fill_value.dtype;
    return filled(rl_new(dtype, size.n, size.v), fill_value);
}

rl_tensor *rl_full_value(rl_ints size, rl_tensor *fill_value, rl_dtype dtype)
{
    rl_scalar number;
    if (!fill_value)
        return NULL;
    if (!rl_is_complex((rl_dtype)fill_value->dtype))
        return rl_item(fill_value, &number) ? NULL : rl_full(size, number, dtype);
    if (dtype == RL_NO_DTYPE)
        dtype = rl_complex_dtype(rl_default_dtype());
    RL_TEMP *t = rl_new(dtype, size.n, size.v);
    return t ? rl_fill_(t, fill_value) : NULL;
}

rl_tensor *rl_empty_like(rl_tensor *input, rl_dtype dtype)
{
    if (!input)
        return NULL;
    return rl_new_like(input, dtype == RL_NO_DTYPE ? (rl_dtype)input->dtype : dtype);
}

rl_tensor *rl_zeros_like(rl_tensor *input, rl_dtype dtype)
{
    return filled(rl_empty_like(input, dtype), rl_int(0));
}

rl_tensor *rl_ones_like(rl_tensor *input, rl_dtype dtype)
{
    return filled(rl_empty_like(input, dtype), rl_int(1));
}

rl_tensor *rl_full_like(rl_tensor *input, rl_scalar fill_value, rl_dtype dtype)
{
    return filled(rl_empty_like(input, dtype), fill_value);
}

rl_tensor *rl_full_like_value(rl_tensor *input, rl_tensor *fill_value, rl_dtype dtype)
{
    rl_scalar number;
    if (!input || !fill_value)
        return NULL;
    RL_TEMP *t = rl_empty_like(input, dtype);
    if (!t)
        return NULL;
    if (rl_is_complex((rl_dtype)t->dtype))
        return rl_fill_(t, fill_value);
    return rl_item(fill_value, &number) ? NULL : filled(rl_retain(t), number);
}

rl_tensor *rl_empty_strided(rl_ints size, rl_ints stride, rl_dtype dtype)
{
    if (size.n != stride.n)
        return rl_fail(RL_ERUNTIME,
                       "dimensionality of sizes (%d) must match dimensionality of strides (%d)",
                       size.n, stride.n);
    for (int i = 0; i < stride.n; i++)
        if (stride.v[i] < 0)
            return rl_fail(RL_ERUNTIME,
                           "Storage size calculation overflowed with sizes=%s and strides=%s",
                           rl_ints_str(size.n, size.v).s, rl_ints_str(stride.n, stride.v).s);
    return rl_new_strided(or_default(dtype), size.n, size.v, stride.v);
}

/* ---- copies: y = x        dx = g (the engine converts it to x's dtype) ---- */

static rl_status clone_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    (void)n;
    dx[0] = rl_retain(g[0]);
    return RL_OK;
}
static const rl_node_type clone_node = {.name = "CloneBackward0", .backward = clone_backward};
static const rl_node_type to_node = {.name = "ToCopyBackward0", .backward = clone_backward};

/* Copies x into y, takes over y, and records. */
static rl_tensor *copied(rl_tensor *y, rl_tensor *x, const rl_node_type *type)
{
    if (!y)
        return NULL;
    if (rl_copy_data(y, x)) {
        rl_release(y);
        return NULL;
    }
    if (!rl_recording(x) || !rl_is_differentiable((rl_dtype)y->dtype))
        return y;
    return rl_record(rl_node_new(type, y, 1, &x), y);
}

rl_tensor *rl_clone(rl_tensor *input)
{
    return input ? copied(rl_new_like(input, (rl_dtype)input->dtype), input, &clone_node) : NULL;
}

rl_tensor *rl_contiguous(rl_tensor *input)
{
    if (!input || input->contiguous)
        return rl_retain(input);
    return copied(rl_new((rl_dtype)input->dtype, input->ndim, input->shape), input, &clone_node);
}

rl_tensor *rl_to_dtype(rl_tensor *input, rl_dtype dtype, bool copy)
{
    if (!input || (input->dtype == dtype && !copy))
        return rl_retain(input);
    return copied(rl_new_like(input, dtype), input, &to_node);
}

/* ---- x[...] = y        dx = 0, dy = g (summed over broadcast dims by the engine) ---- */

static rl_status copy_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    if (rl_wants(n, 0)) {
        dx[0] = rl_zeros_like(g[0], RL_NO_DTYPE);
        if (!dx[0])
            return rl_error_code();
    }
    if (n->n_inputs > 1 && rl_wants(n, 1))
        dx[1] = rl_retain(g[0]);
    return RL_OK;
}
static const rl_node_type copy_node = {.name = "CopyBackwards", .backward = copy_backward};
static const rl_node_type fill_number_node = {.name = "FillBackward2", .backward = copy_backward};
static const rl_node_type fill_tensor_node = {.name = "FillBackward3", .backward = copy_backward};
static const rl_node_type zero_node = {.name = "ZeroBackward0", .backward = copy_backward};

/* After the checks: makes the node, copies y into x (or fills it), records. */
static rl_tensor *overwrite(rl_tensor *x, rl_tensor *y, const rl_node_type *type)
{
    rl_node *n = NULL;
    if (rl_recording(x) || rl_recording(y)) {
        n = rl_node_new(type, x, y ? 2 : 1, (rl_tensor *[]){x, y});
        if (!n)
            return NULL;
    }
    rl_scalar number = rl_int(0);
    bool one = !y || (y->ndim == 0 && !rl_is_complex((rl_dtype)y->dtype));
    if (one ? (y && rl_item(y, &number)) || rl_fill_data(x, number) : rl_copy_data(x, y)) {
        if (n)
            rl_node_release(n);
        return NULL;
    }
    return rl_record_inplace(n, x);
}

rl_tensor *rl_copy_(rl_tensor *input, rl_tensor *src, bool non_blocking)
{
    int64_t shape[RL_MAX_DIMS];
    int ndim;
    (void)non_blocking;
    if (!input || !src || rl_check_inplace(input, rl_recording(input) || rl_recording(src)) ||
        rl_check_no_partial_overlap(input, src))
        return NULL;
    if (!rl_same_shape(input, src)) {
        if (rl_broadcast_shapes(input->ndim, input->shape, src->ndim, src->shape, &ndim, shape))
            return NULL;
        if (!rl_has_shape(input, ndim, shape))
            return rl_fail(RL_ERUNTIME, "output with shape %s doesn't match the broadcast shape %s",
                           rl_shape_str(input).s, rl_ints_str(ndim, shape).s);
    }
    return overwrite(input, src, &copy_node);
}

/* Unlike copy_, filling may write to a tensor with several elements at one address. */
static rl_status check_fill(rl_tensor *x, bool records)
{
    return !records && rl_overlaps_itself(x) ? RL_OK : rl_check_inplace(x, records);
}

rl_tensor *rl_fill_(rl_tensor *input, rl_tensor *value)
{
    rl_scalar number;
    if (!input || !value || check_fill(input, rl_recording(input) || rl_recording(value)))
        return NULL;
    if (value->ndim != 0)
        return rl_fail(RL_ERUNTIME,
                       "fill_ only supports 0-dimension value tensor but got tensor with %d "
                       "dimensions.",
                       value->ndim);
    if (!rl_is_wrapped_number(value) && rl_check_no_self_overlap(input))
        return NULL;
    if (!rl_is_wrapped_number(value))
        return overwrite(input, value, &fill_tensor_node);
    if (!(rl_is_complex((rl_dtype)value->dtype) && rl_is_complex((rl_dtype)input->dtype)) &&
        (rl_item(value, &number) || rl_check_scalar(number, (rl_dtype)input->dtype)))
        return NULL;
    return overwrite(input, value, &fill_number_node);
}

rl_tensor *rl_zero_(rl_tensor *input)
{
    if (!input || check_fill(input, rl_recording(input)))
        return NULL;
    return overwrite(input, NULL, &zero_node);
}
