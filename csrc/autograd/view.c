/* view.c: histories of views.
 *
 * A view knows its base (the tensor at the root, never a view itself).  Note: writes through views.
 * An in-place operator on a view changes the base as well, so the base's history becomes a
 * CopySlices node: the old base, with the view's part replaced by the operator's result.  Every
 * other view of the base is stale then; it notices that the storage's version is not the one it was
 * made at, and takes its history anew from the base, as an as_strided of it. */
#include "autograd/autograd.h"
#include "rushlight_ops.h"

static rl_view_kind kind_now(const rl_tensor *base)
{
    if (base->flags & RL_FLAG_VIEW && base->ag->view_kind != RL_VIEW_PLAIN)
        return base->ag->view_kind;
    if (rl_inference_mode())
        return RL_VIEW_INFERENCE;
    return rl_tls_grad_enabled ? RL_VIEW_PLAIN : RL_VIEW_NO_GRAD;
}

rl_status rl_mark_view(rl_tensor *z, rl_tensor *base, rl_view_kind kind)
{
    if (z == base || !rl_is_differentiable((rl_dtype)base->dtype) ||
        base->flags & RL_FLAG_INFERENCE)
        return RL_OK;
    rl_autograd *ag = rl_autograd_of(z);
    if (!ag)
        return RL_EMEMORY;
    rl_tensor *root = base->flags & RL_FLAG_VIEW ? base->ag->base : base;
    rl_release(ag->base);
    ag->base = rl_retain(root);
    ag->view_kind = (uint8_t)kind;
    ag->view_version = z->storage->version;
    z->flags |= RL_FLAG_VIEW;
    return RL_OK;
}

rl_tensor *rl_record_view(rl_tensor *z, rl_tensor *base, rl_node *n)
{
    if (!z || (n && n->failed) || rl_mark_view(z, base, kind_now(base))) {
        rl_node_release(n);
        rl_release(z);
        return NULL;
    }
    return n ? rl_record(n, z) : z;
}

rl_status rl_record_views(rl_tensors views, rl_tensor *base, rl_node *n)
{
    rl_view_kind kind = kind_now(base);
    rl_status status = n && n->failed ? rl_error_code() : RL_OK;
    for (int64_t i = 0; i < views.n && !status; i++)
        status = rl_mark_view(views.v[i], base, kind == RL_VIEW_PLAIN ? RL_VIEW_MULTI : kind);
    if (n && !status)
        return rl_record_n(n, (int)views.n, views.v);
    rl_node_release(n);
    return status;
}

rl_tensor *rl_borrow_base(const rl_tensor *t)
{
    return t->flags & RL_FLAG_VIEW ? t->ag->base : NULL;
}

rl_status rl_check_view_write(rl_tensor *t, bool indirect)
{
    const rl_autograd *ag = t->ag;
    const char *reason = "";
    const char *what = indirect ? "its base or another view of its base has been modified inplace"
                                : "is being modified inplace";
    const char *mode = NULL, *block = NULL;
    switch ((rl_view_kind)ag->view_kind) {
    case RL_VIEW_PLAIN:
        return RL_OK;
    case RL_VIEW_MULTI:
        reason =
            "This view is the output of a function that returns multiple views. Such functions "
            "do not allow the output views to be modified inplace. You should replace the "
            "inplace operation by an out-of-place one.";
        break;
    case RL_VIEW_CUSTOM:
        reason =
            "This view was created inside a custom Function (or because an input was returned "
            "as-is) and the autograd logic to handle view+inplace would override the custom "
            "backward associated with the custom Function, leading to incorrect gradients. This "
            "behavior is forbidden. You can fix this by cloning the output of the custom "
            "Function.";
        break;
    case RL_VIEW_NO_GRAD:
        mode = "no_grad mode", block = "no_grad";
        break;
    case RL_VIEW_INFERENCE:
        mode = "inference mode", block = "inference_mode";
        break;
    }
    if (mode)
        return rl_error(
            RL_ERUNTIME,
            "A view was created in %s and %s %s. Given that this use case is ambiguous and "
            "error-prone, it is forbidden. You can clarify your code by moving both the "
            "view and the inplace either both inside the %s block (if you don't want the "
            "inplace to be tracked) or both outside (if you want the inplace to be "
            "tracked).",
            mode, what,
            ag->view_kind == RL_VIEW_INFERENCE ? "in normal mode" : "with grad mode enabled",
            block);
    const char *name = ag->node && !ag->is_leaf_node ? ag->node->type->name : "Unknown";
    const char *end = strstr(name, "Backward");
    return rl_error(RL_ERUNTIME, "Output %d of %.*s is a view and %s. %s", ag->output,
                    end ? (int)(end - name) : (int)strlen(name), name, what, reason);
}

/* Takes the view's history anew from its base. */
static rl_status renew(rl_tensor *t)
{
    rl_autograd *ag = t->ag;
    rl_status status = rl_check_view_write(t, true);
    if (status)
        return status;
    bool before = rl_set_grad_enabled(true);
    RL_TEMP *same =
        rl_as_strided(ag->base, (rl_ints){t->shape, t->ndim}, (rl_ints){t->strides, t->ndim},
                      (rl_opt_int){.given = true, .v = t->offset});
    rl_set_grad_enabled(before);
    if (!same)
        return rl_error_code();
    if (!same->ag || !same->ag->node)
        return rl_error(RL_ERUNTIME, "as_strided made no history for a view");
    status = rl_set_history(t, rl_node_retain(same->ag->node), same->ag->output);
    if (!status)
        ag->view_version = t->storage->version;
    return status;
}

rl_edge rl_view_edge(rl_tensor *t)
{
    rl_autograd *ag = t->ag;
    if (ag->view_version != t->storage->version && rl_requires_grad(ag->base) && renew(t))
        return (rl_edge){NULL, 0};
    if (ag->node && !ag->is_leaf_node)
        return (rl_edge){rl_node_retain(ag->node), ag->output};
    return rl_requires_grad(t) ? rl_leaf_edge(t) : (rl_edge){NULL, 0};
}

/* ---- CopySlices ---- */

/* args.i[0]: offset of the view from its base; dims: the base's strides, then the view's shape and
 * strides. */
static rl_status copy_slices_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    int nb = n->outputs[0].ndim, nv = (n->args.n_dims - nb) / 2;
    const int64_t *base_strides = n->args.dims, *shape = base_strides + nb, *strides = shape + nv;
    rl_tensor *given = g[0];
    rl_ints size = {given->shape, given->ndim}, base_stride = {base_strides, nb};
    RL_TEMP *all = NULL;
    bool fits = true;
    for (int d = 0; d < nb; d++)
        fits &= given->shape[d] == 1 || given->strides[d] == base_strides[d];
    if (fits && !rl_tls_grad_enabled && rl_sole_owner(given)) {
        all = rl_retain(given); /* nobody else sees it: the part is cut out in place */
    } else {
        all = rl_empty_strided(size, base_stride, (rl_dtype)given->dtype);
        RL_TEMP *written = rl_copy_(all, given, false);
        if (!written)
            return rl_error_code();
    }
    RL_TEMP *part = rl_as_strided(all, (rl_ints){shape, nv}, (rl_ints){strides, nv},
                                  (rl_opt_int){.given = true, .v = all->offset + n->args.i[0]});
    if (!part)
        return rl_error_code();
    if (rl_wants(n, 1) && !(dx[1] = rl_clone(part)))
        return rl_error_code();
    if (rl_wants(n, 0)) {
        RL_TEMP *zero = rl_scalar_tensor(rl_int(0), (rl_dtype)all->dtype);
        RL_TEMP *cut = zero ? rl_fill_(part, zero) : NULL;
        if (!cut)
            return rl_error_code();
        dx[0] = rl_retain(all);
    }
    return RL_OK;
}

static const rl_node_type copy_slices_node = {.name = "CopySlices",
                                              .backward = copy_slices_backward};

rl_status rl_set_base_history(rl_tensor *t, rl_node *n, int output)
{
    rl_tensor *base = t->ag->base;
    rl_node *c = rl_node_new_n(&copy_slices_node, 1, &base, 2, (rl_tensor *[2]){base, NULL}, 0);
    if (!c) {
        rl_node_release(n);
        return rl_error_code();
    }
    c->next[1] = (rl_edge){n, output};
    int64_t dims[3 * RL_MAX_DIMS];
    memcpy(dims, base->strides, base->ndim * sizeof *dims);
    memcpy(dims + base->ndim, t->shape, t->ndim * sizeof *dims);
    memcpy(dims + base->ndim + t->ndim, t->strides, t->ndim * sizeof *dims);
    c->args.i[0] = t->offset - base->offset;
    rl_node_set_dims(c, base->ndim + 2 * t->ndim, dims);
    if (c->failed) {
        rl_node_release(c);
        return RL_EMEMORY;
    }
    return rl_set_history(base, c, 0);
}

/* ---- out of the graph ---- */

rl_tensor *rl_detach(rl_tensor *t)
{
    if (!t)
        return NULL;
    rl_tensor *z = rl_new_view(t, t->ndim, t->shape, t->strides, t->offset);
    if (z)
        z->flags |= t->flags & RL_FLAG_WRAPPED_NUMBER;
    return z;
}

rl_tensor *rl_data_alias(rl_tensor *t)
{
    rl_tensor *z = rl_detach(t);
    if (z)
        z->flags |= RL_FLAG_DATA_ALIAS;
    return z;
}

rl_status rl_detach_(rl_tensor *t)
{
    if (t->flags & RL_FLAG_VIEW)
        return rl_error(
            RL_ERUNTIME,
            "Can't detach views in-place. Use detach() instead. If you are using "
            "DistributedDataParallel (DDP) for training, and gradient_as_bucket_view is set as "
            "True, "
            "gradients are views of DDP buckets, and hence detach_() cannot be called on these "
            "gradients. To fix this error, please refer to the Optimizer.zero_grad() function in "
            "torch/optim/optimizer.py as the solution.");
    rl_autograd *ag = t->ag;
    t->flags &= (uint8_t)~RL_FLAG_REQUIRES_GRAD;
    if (ag && ag->node && !ag->is_leaf_node) {
        rl_node *n = ag->node;
        if (ag->retains_grad)
            rl_forget_retain(n, t);
        ag->retains_grad = false;
        ag->node = NULL;
        ag->output = 0;
        rl_node_release(n);
    }
    return RL_OK;
}
