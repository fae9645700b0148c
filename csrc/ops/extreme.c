/* extreme.c: largest and smallest elements, and where they are. */
#include "ops/reduced.h"

typedef struct extreme {
    const char *name;
    rl_reduce_op value, where;
} extreme;
static const extreme largest = {"max", RL_REDUCE_MAX, RL_REDUCE_ARGMAX};
static const extreme smallest = {"min", RL_REDUCE_MIN, RL_REDUCE_ARGMIN};

/* ---- over all elements, or dims: equal extremes share the gradient ---- */

/* y = max x      dx = g / count where x == y (nans: or both are nan), 0 elsewhere */
static rl_tensor *share(rl_node *n, rl_tensor *x, rl_tensor *y, rl_tensor *g, bool nans)
{
    rl_ints all = {NULL, -1};
    int64_t dims[RL_MAX_DIMS];
    int count = 0;
    for (int d = 0; d < x->ndim; d++)
        if ((uint64_t)n->args.i[3] >> d & 1)
            dims[count++] = d;
    RL_TEMP *kept = rl_reduced_keep(n, y);
    RL_TEMP *same = kept ? rl_eq(x, kept) : NULL;
    RL_TEMP *hole = kept && nans ? rl_isnan(kept) : NULL;
    RL_TEMP *holes = hole ? rl_isnan(x) : NULL;
    RL_TEMP *both = holes ? rl_logical_and(holes, hole) : NULL;
    RL_TEMP *hit = both ? rl_logical_or(same, both) : nans ? NULL : rl_retain(same);
    RL_TEMP *number =
        hit ? rl_sum(hit, count ? (rl_ints){dims, count} : all, true, RL_NO_DTYPE) : NULL;
    RL_TEMP *gk = rl_reduced_keep(n, g);
    RL_TEMP *each = gk && number ? rl_div(gk, number, NULL) : NULL;
    return each ? rl_mul(each, hit) : NULL;
}

static rl_status shared_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *x = rl_saved(n, 0);
    RL_TEMP *y = rl_saved(n, 1);
    if (!x || !y)
        return rl_error_code();
    dx[0] = share(n, x, y, g[0], true);
    return RL_DONE(n, dx);
}

static const rl_node_type max_all_node = {
    .name = "MaxBackward1", .backward = shared_backward, .n_saved = 2};
static const rl_node_type min_all_node = {
    .name = "MinBackward1", .backward = shared_backward, .n_saved = 2};
static const rl_node_type amax_node = {
    .name = "AmaxBackward0", .backward = shared_backward, .n_saved = 2};
static const rl_node_type amin_node = {
    .name = "AminBackward0", .backward = shared_backward, .n_saved = 2};

static rl_tensor *shared(const extreme *e, const char *name, const rl_node_type *type, rl_tensor *x,
                         rl_ints dim, bool keepdim)
{
    bool mask[RL_MAX_DIMS];
    if (!x || rl_dim_mask(dim, x->ndim, mask))
        return NULL;
    if (x->numel == 0 && dim.n <= 0)
        return rl_fail(RL_ERUNTIME,
                       "%s(): Expected reduction dim to be specified for input.numel() == 0. "
                       "Specify the reduction dim with the 'dim' argument.",
                       name);
    for (int d = 0; d < x->ndim; d++)
        if (mask[d] && x->shape[d] == 0)
            return rl_fail(RL_EINDEX, "%s(): Expected reduction dim %d to have non-zero size.",
                           name, d);
    rl_dtype dtype = (rl_dtype)x->dtype;
    rl_tensor *y = rl_reduce_run(e->value, name, x, mask, keepdim, dtype, dtype, NULL);
    if (!rl_recording(x))
        return y;
    rl_node *n = rl_node_new(type, y, 1, (rl_tensor *[]){x});
    rl_save(n, 0, x);
    rl_save_output(n, 1, y, 0);
    rl_reduced_set(n, x, mask, keepdim);
    return rl_record(n, y);
}

static const rl_ints all_dims = {NULL, -1};
rl_tensor *rl_max(rl_tensor *input)
{
    return shared(&largest, "max", &max_all_node, input, all_dims, false);
}
rl_tensor *rl_min(rl_tensor *input)
{
    return shared(&smallest, "min", &min_all_node, input, all_dims, false);
}

rl_tensor *rl_amax(rl_tensor *input, rl_ints dim, bool keepdim)
{
    return shared(&largest, "amax", &amax_node, input, dim, keepdim);
}

rl_tensor *rl_amin(rl_tensor *input, rl_ints dim, bool keepdim)
{
    return shared(&smallest, "amin", &amin_node, input, dim, keepdim);
}

/* ---- along one dim, with indices ---- */

/* dx = g at the index of the extreme */
static rl_status picked_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *index = rl_saved(n, 0);
    if (!g[0])
        return RL_OK;
    RL_TEMP *at = rl_reduced_keep(n, index);
    RL_TEMP *gk = rl_reduced_keep(n, g[0]);
    if (!at || !gk)
        return rl_error_code();
    RL_TEMP *zeros = rl_zeros((rl_ints){n->args.dims, n->args.n_dims}, (rl_dtype)gk->dtype);
    dx[0] = zeros ? rl_scatter_add(zeros, n->args.i[0], at, gk) : NULL;
    return RL_DONE(n, dx);
}

static const rl_node_type max_dim_node = {
    .name = "MaxBackward0", .backward = picked_backward, .n_saved = 1};
static const rl_node_type min_dim_node = {
    .name = "MinBackward0", .backward = picked_backward, .n_saved = 1};

/* The elements at `index` (reduced, int64) along dim. */
static rl_tensor *pick(rl_tensor *x, int64_t dim, const bool *mask, bool keepdim, rl_tensor *index)
{
    bool grad = rl_set_grad_enabled(false);
    rl_tensor *y = NULL;
    if (x->ndim == 0) {
        y = rl_clone(x);
    } else {
        RL_TEMP *at = keepdim ? rl_retain(index) : rl_unsqueeze(index, dim);
        y = at ? rl_gather(x, dim, at, false) : NULL;
        if (y && !keepdim) {
            int64_t shape[RL_MAX_DIMS];
            int n = 0;
            for (int d = 0; d < x->ndim; d++)
                if (!mask[d])
                    shape[n++] = x->shape[d];
            if (rl_tensor_set_geometry(y, n, shape, NULL)) {
                rl_release(y);
                y = NULL;
            }
        }
    }
    rl_set_grad_enabled(grad);
    return y;
}

static rl_status along(const extreme *e, const rl_node_type *type, rl_tensor *x, int64_t dim,
                       bool keepdim, rl_tensor **out)
{
    bool mask[RL_MAX_DIMS];
    if (!x)
        return rl_error_code();
    rl_status status = rl_wrap_dim(&dim, x->ndim);
    if (status)
        return status;
    if (x->ndim && x->shape[dim] == 0)
        return rl_error(RL_EINDEX, "%s(): Expected reduction dim %lld to have non-zero size.",
                        e->name, (long long)dim);
    rl_one_dim_mask(x->ndim, dim, mask);
    RL_TEMP *index =
        rl_reduce_run(e->where, e->name, x, mask, keepdim, (rl_dtype)x->dtype, RL_I64, NULL);
    RL_TEMP *value = index ? pick(x, dim, mask, keepdim, index) : NULL;
    if (!value)
        return rl_error_code();
    if (rl_recording(x)) {
        rl_tensor *outputs[] = {value, NULL};
        rl_node *n = rl_node_new_n(type, 2, outputs, 1, (rl_tensor *[]){x}, 1);
        rl_save(n, 0, index);
        rl_reduced_set(n, x, mask, keepdim);
        if (n)
            n->args.i[0] = dim;
        status = rl_record_n(n, 2, outputs);
        if (status)
            return status;
    }
    out[0] = rl_retain(value);
    out[1] = rl_retain(index);
    return RL_OK;
}

rl_status rl_max_dim(rl_tensor *input, int64_t dim, bool keepdim, rl_tensor **out)
{
    return along(&largest, &max_dim_node, input, dim, keepdim, out);
}

rl_status rl_min_dim(rl_tensor *input, int64_t dim, bool keepdim, rl_tensor **out)
{
    return along(&smallest, &min_dim_node, input, dim, keepdim, out);
}

static rl_tensor *position(const extreme *e, const char *name, rl_tensor *x, rl_opt_int dim,
                           bool keepdim)
{
    bool mask[RL_MAX_DIMS];
    if (!x || (dim.given && rl_wrap_dim(&dim.v, x->ndim)))
        return NULL;
    if (x->dtype == RL_BOOL)
        return rl_fail(RL_ERUNTIME, "%s(): does not support bool input", name);
    if (!dim.given && x->numel == 0)
        return rl_fail(RL_EINDEX,
                       "%s(): Expected reduction dim to be specified for input.numel() == 0.",
                       name);
    if (dim.given && x->ndim && x->shape[dim.v] == 0)
        return rl_fail(RL_EINDEX, "%s(): Expected reduction dim %lld to have non-zero size.", name,
                       (long long)dim.v);
    if (dim.given)
        rl_one_dim_mask(x->ndim, dim.v, mask);
    else
        memset(mask, 1, sizeof mask);
    return rl_reduce_run(e->where, name, x, mask, keepdim, (rl_dtype)x->dtype, RL_I64, NULL);
}

rl_tensor *rl_argmax(rl_tensor *input, rl_opt_int dim, bool keepdim)
{
    return position(&largest, "argmax", input, dim, keepdim);
}

rl_tensor *rl_argmin(rl_tensor *input, rl_opt_int dim, bool keepdim)
{
    return position(&smallest, "argmin", input, dim, keepdim);
}

/* ---- both at once ---- */

/* Saved: x, the minimum, the maximum. */
static rl_status aminmax_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *x = rl_saved(n, 0);
    RL_TEMP *least = rl_saved(n, 1);
    RL_TEMP *most = rl_saved(n, 2);
    if (!x || !least || !most)
        return rl_error_code();
    RL_TEMP *below = g[0] ? share(n, x, least, g[0], false) : NULL;
    RL_TEMP *above = g[1] ? share(n, x, most, g[1], false) : NULL;
    dx[0] = below && above ? rl_add(below, above, rl_int(1)) : rl_retain(below ? below : above);
    return RL_DONE(n, dx);
}

static const rl_node_type aminmax_node = {
    .name = "AminmaxBackward0", .backward = aminmax_backward, .n_saved = 3};

rl_status rl_aminmax(rl_tensor *input, rl_opt_int dim, bool keepdim, rl_tensor **out)
{
    bool mask[RL_MAX_DIMS];
    rl_tensor *x = input;
    out[0] = out[1] = NULL;
    if (!x || (dim.given && rl_wrap_dim(&dim.v, x->ndim)))
        return rl_error_code();
    if (!dim.given && x->numel == 0)
        return rl_error(
            RL_ERUNTIME,
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has "
            "no identity.");
    if (dim.given && x->ndim && x->shape[dim.v] == 0)
        return rl_error(RL_EINDEX, "aminmax: Expected reduction dim %lld to have non-zero size.",
                        (long long)dim.v);
    memset(mask, 1, sizeof mask);
    if (dim.given)
        rl_one_dim_mask(x->ndim, dim.v, mask);
    rl_dtype dtype = (rl_dtype)x->dtype;
    RL_TEMP *least = rl_reduce_run(RL_REDUCE_MIN, "aminmax", x, mask, keepdim, dtype, dtype, NULL);
    RL_TEMP *most = rl_reduce_run(RL_REDUCE_MAX, "aminmax", x, mask, keepdim, dtype, dtype, NULL);
    if (!least || !most)
        return rl_error_code();
    rl_tensor *outputs[] = {least, most};
    if (rl_recording(x)) {
        rl_node *n = rl_node_new_n(&aminmax_node, 2, outputs, 1, &x, 3);
        rl_save(n, 0, x);
        rl_save_output(n, 1, least, 0);
        rl_save_output(n, 2, most, 1);
        rl_reduced_set(n, x, mask, keepdim);
        if (rl_record_n(n, 2, outputs))
            return rl_error_code();
    }
    out[0] = rl_retain(least);
    out[1] = rl_retain(most);
    return RL_OK;
}
