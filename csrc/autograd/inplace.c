/* inplace.c: operators that write into their input, and out=. */
#include <ctype.h>

#include "autograd/autograd.h"
#include "core/iter.h"
#include "rushlight_ops.h"

rl_status rl_check_inplace(rl_tensor *x, bool records)
{
    if (!x)
        return rl_error_code();
    if (x->flags & RL_FLAG_INFERENCE && !rl_inference_mode())
        return rl_error(
            RL_ERUNTIME,
            "Inplace update to inference tensor outside InferenceMode is not allowed.You "
            "can make a clone to get a normal tensor before doing inplace update.See "
            "https://github.com/pytorch/rfcs/pull/17 for more details.");
    if (records) {
        bool wants = rl_requires_grad(x);
        if (x->flags & RL_FLAG_VIEW) {
            rl_status status = rl_check_view_write(x, false);
            if (status)
                return status;
            if (wants && rl_is_leaf(x->ag->base))
                return rl_error(RL_ERUNTIME,
                                "a view of a leaf Variable that requires grad is being "
                                "used in an in-place operation.");
        }
        if (wants && rl_is_leaf(x))
            return rl_error(RL_ERUNTIME, "a leaf Variable that requires grad is being used in an "
                                         "in-place operation.");
    }
    if (!x->contiguous && rl_overlaps_itself(x))
        return rl_error(RL_ERUNTIME,
                        "unsupported operation: more than one element of the written-to tensor "
                        "refers to a single memory location. Please clone() the tensor before "
                        "performing the operation.");
    return RL_OK;
}

void rl_bump_version(rl_tensor *x)
{
    if (!(x->flags & RL_FLAG_DATA_ALIAS))
        x->storage->version++;
}

/* x, already written, becomes output `output` of n; so does its part of its base.  Takes over n. */
static rl_status rebase(rl_tensor *x, rl_node *n, int output)
{
    /* The sum over broadcast dims and the cast of gradients go by what x is, not by what was
     * computed. */
    n->outputs[output].dtype = x->dtype;
    if (x->flags & RL_FLAG_VIEW)
        return rl_set_base_history(x, n, output);
    return rl_set_history(x, n, output);
}

rl_tensor *rl_record_inplace(rl_node *n, rl_tensor *x)
{
    rl_bump_version(x);
    if (!n)
        return rl_retain(x);
    if (n->failed || !rl_is_differentiable((rl_dtype)x->dtype)) {
        bool failed = n->failed;
        rl_node_release(n);
        return failed ? NULL : rl_retain(x);
    }
    for (int i = 0; i < n->n_saved; i++)
        if (n->saved[i].is_output && n->saved[i].storage == x->storage)
            n->saved[i].version = x->storage->version;
    return rebase(x, n, 0) ? NULL : rl_retain(x);
}

rl_tensor *rl_inplace_source(rl_tensor *x, bool records)
{
    if (rl_check_inplace(x, records))
        return NULL;
    if (!records)
        return rl_retain(x);
    rl_tensor *copy = rl_new_like(x, (rl_dtype)x->dtype);
    if (!copy)
        return NULL;
    copy->flags |= x->flags & RL_FLAG_WRAPPED_NUMBER;
    if (rl_copy_data(copy, x))
        goto fail;
    if (rl_recording(x)) {
        rl_edge e = rl_gradient_edge(x);
        if (!e.node || rl_set_history(copy, e.node, e.output))
            goto fail;
    }
    return copy;
fail:
    rl_release(copy);
    return NULL;
}

/* What is left of x's history when f's result has none: zeros flow back. */
static rl_status overwrite_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    if (!rl_wants(n, 0))
        return RL_OK;
    dx[0] = rl_zeros_like(g[0], RL_NO_DTYPE);
    return rl_status_of(dx[0]);
}

static const rl_node_type overwrite_node = {.name = "CopyBackwards",
                                            .backward = overwrite_backward};

static rl_status assign(rl_tensor *x, rl_tensor *y)
{
    bool wants = rl_recording(y), records = wants || rl_recording(x);
    rl_status status = rl_check_inplace(x, records);
    if (status)
        return status;
    if (!rl_same_shape(x, y))
        return rl_error(RL_ERUNTIME, "output with shape %s doesn't match the broadcast shape %s",
                        rl_shape_str(x).s, rl_shape_str(y).s);
    if (!rl_can_cast((rl_dtype)y->dtype, (rl_dtype)x->dtype))
        return rl_error(RL_ERUNTIME, "result type %s can't be cast to the desired output type %s",
                        rl_dtype_title((rl_dtype)y->dtype), rl_dtype_title((rl_dtype)x->dtype));
    rl_edge e = {NULL, 0};
    if (records) {
        if (wants)
            e = rl_gradient_edge(y);
        else
            e.node = rl_node_new_n(&overwrite_node, 1, &x, 1, &x, 0);
        if (!e.node)
            return rl_error_code();
    }
    if ((status = rl_copy_data(x, y))) {
        rl_node_release(e.node);
        return status;
    }
    rl_bump_version(x);
    if (!e.node)
        return RL_OK;
    if (!rl_is_differentiable((rl_dtype)x->dtype)) {
        rl_node_release(e.node);
        return RL_OK;
    }
    return rebase(x, e.node, e.output);
}

rl_tensor *rl_inplace_assign(rl_tensor *x, rl_tensor *y)
{
    if (!y)
        return NULL;
    rl_status status = RL_OK;
    if (x == y)
        rl_bump_version(x);
    else
        status = assign(x, y);
    rl_release(y);
    return status ? NULL : rl_retain(x);
}

/* "LogSoftmaxBackward0" -> "log_softmax" */
static void operator_name(const char *node, char *out, size_t room)
{
    const char *end = strstr(node, "Backward");
    size_t k = 0;
    for (const char *c = node; *c && c != end && k + 2 < room; c++) {
        if (isupper((unsigned char)*c) && c != node)
            out[k++] = '_';
        out[k++] = (char)tolower((unsigned char)*c);
    }
    out[k] = 0;
}

rl_tensor *rl_out_assign(rl_tensor *out, rl_tensor *y)
{
    if (!y || !out)
        goto fail;
    if (rl_recording(y) || rl_recording(out)) {
        char name[96] = "";
        if (rl_recording(y) && !rl_is_leaf(y))
            operator_name(y->ag->node->type->name, name, sizeof name);
        rl_error(RL_ERUNTIME,
                 "%s(): functions with out=... arguments don't support automatic differentiation, "
                 "but one of the arguments requires grad.",
                 name);
        goto fail;
    }
    if (!rl_can_cast((rl_dtype)y->dtype, (rl_dtype)out->dtype)) {
        rl_error(RL_ERUNTIME, "result type %s can't be cast to the desired output type %s",
                 rl_dtype_title((rl_dtype)y->dtype), rl_dtype_title((rl_dtype)out->dtype));
        goto fail;
    }
    if (rl_same_shape(out, y)) {
        if (rl_check_inplace(out, false))
            goto fail;
    } else {
        RL_TEMP *fresh = rl_is_dense(y)
                             ? rl_new_strided((rl_dtype)out->dtype, y->ndim, y->shape, y->strides)
                             : rl_new((rl_dtype)out->dtype, y->ndim, y->shape);
        if (!fresh || rl_tensor_set_data(out, fresh))
            goto fail;
    }
    if (rl_copy_data(out, y))
        goto fail;
    rl_bump_version(out);
    rl_release(y);
    return rl_retain(out);
fail:
    rl_release(y);
    return NULL;
}
