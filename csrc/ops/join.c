/* join.c: several tensors into one: cat, stack, hstack, vstack. */
#include "core/alloc.h"
#include "ops/view.h"

static rl_status check_list(rl_tensors list)
{
    for (int64_t i = 0; i < list.n; i++)
        if (!list.v[i])
            return rl_error_code();
    return RL_OK;
}

static rl_dtype common_dtype(rl_tensors list)
{
    rl_dtype dtype = (rl_dtype)list.v[0]->dtype;
    bool same = true;
    for (int64_t i = 1; i < list.n && same; i++)
        same = list.v[i]->dtype == (int8_t)dtype;
    return same ? dtype : rl_result_type((int)list.n, list.v);
}

/* Copies the tensors one behind another along dim of the row-major z; sizes fit. */
static rl_status fill(rl_tensor *z, rl_tensors list, int dim, bool new_dim)
{
    size_t size = rl_itemsize(z);
    int64_t outer = 1,
            row = (int64_t)
                size; /* row: bytes of z from one step of the dims before dim to the next */
    for (int d = 0; d < dim; d++)
        outer *= z->shape[d];
    for (int d = dim; d < z->ndim; d++)
        row *= z->shape[d];
    int64_t at = 0; /* position along dim */
    for (int64_t i = 0; i < list.n; i++) {
        rl_tensor *x = list.v[i];
        if (x->numel == 0)
            continue;
        size_t bytes = (size_t)(x->numel / outer) * size;
        /* Rows of one element are one strided copy. */
        if (x->dtype == z->dtype && x->contiguous && (bytes > size || outer == 1)) {
            char *to = z->data + at * z->strides[dim] * (int64_t)size;
            for (int64_t o = 0; o < outer; o++)
                memcpy(to + o * row, x->data + (size_t)o * bytes, bytes);
        } else {
            rl_geometry g;
            rl_geometry_of(&g, z);
            if (new_dim)
                rl_geometry_select(&g, dim, at);
            else
                rl_geometry_slice(&g, dim, at, x->shape[dim], 1);
            RL_TEMP *place = rl_geometry_view(z, &g);
            if (!place || rl_copy_data(place, x))
                return rl_error_code();
        }
        at += new_dim ? 1 : x->shape[dim];
    }
    return RL_OK;
}

/* ---- cat ---- */

/* dx_i = the slice of g that came from x_i.  args: dim; in dims the sizes along it, -1 for a legacy
 * empty tensor. */
static rl_status cat_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    int64_t at = 0;
    for (int i = 0; i < n->n_inputs; i++) {
        int64_t length = n->args.dims[i];
        if (length < 0) {
            if (rl_wants(n, i))
                dx[i] = rl_zeros_data((rl_dtype)g[0]->dtype, 1, (int64_t[]){0});
            continue;
        }
        if (rl_wants(n, i))
            dx[i] = rl_narrow(g[0], n->args.i[0], at, length);
        if (rl_wants(n, i) && !dx[i])
            return rl_error_code();
        at += length;
    }
    return RL_OK;
}

static const rl_node_type cat_node = {"CatBackward0", cat_backward, 0, NULL};

/* A 1-dim tensor without elements may stand among tensors of any shape, and is passed over. */
static bool is_legacy_empty(const rl_tensor *x) { return x->ndim == 1 && x->shape[0] == 0; }

rl_tensor *rl_cat(rl_tensors list, int64_t dim)
{
    if (list.n == 0)
        return rl_fail(RL_EVALUE, "torch.cat(): expected a non-empty list of Tensors");
    if (check_list(list))
        return NULL;
    int64_t first = -1;
    for (int64_t i = 0; i < list.n; i++) {
        if (list.v[i]->ndim == 0)
            return rl_fail(RL_ERUNTIME,
                           "zero-dimensional tensor (at position %lld) cannot be concatenated",
                           (long long)i);
        if (first < 0 && !is_legacy_empty(list.v[i]))
            first = i;
    }
    if (first >= 0 && rl_wrap_dim(&dim, list.v[first]->ndim))
        return NULL;
    const rl_tensor *model = list.v[first < 0 ? 0 : first];
    if (first < 0)
        dim = 0;
    int64_t shape[RL_MAX_DIMS];
    memcpy(shape, model->shape, model->ndim * sizeof *shape);
    shape[dim] = 0;
    for (int64_t i = 0; i < list.n; i++) {
        const rl_tensor *x = list.v[i];
        if (is_legacy_empty(x))
            continue;
        if (x->ndim != model->ndim)
            return rl_fail(RL_ERUNTIME,
                           "Tensors must have same number of dimensions: got %d and %d",
                           model->ndim, x->ndim);
        for (int d = 0; d < x->ndim; d++)
            if (d != dim && x->shape[d] != model->shape[d])
                return rl_fail(RL_ERUNTIME,
                               "Sizes of tensors must match except in dimension %d. Expected size "
                               "%lld but got size %lld "
                               "for tensor number %lld in the list.",
                               (int)dim, (long long)model->shape[d], (long long)x->shape[d],
                               (long long)i);
        shape[dim] += x->shape[dim];
    }
    RL_TEMP *z = rl_new(common_dtype(list), model->ndim, shape);
    if (!z || fill(z, list, (int)dim, false))
        return NULL;
    if (!rl_recording_any(list))
        return rl_retain(z);
    rl_node *n = rl_node_new(&cat_node, z, (int)list.n, list.v);
    int64_t *sizes = rl_small_alloc((size_t)list.n * sizeof *sizes);
    if (!n || !sizes) {
        rl_node_release(n);
        rl_small_free(sizes, (size_t)list.n * sizeof *sizes);
        return NULL;
    }
    for (int64_t i = 0; i < list.n; i++)
        sizes[i] = is_legacy_empty(list.v[i]) && model->ndim != 1 ? -1 : list.v[i]->shape[dim];
    rl_node_set_dims(n, (int)list.n, sizes);
    rl_small_free(sizes, (size_t)list.n * sizeof *sizes);
    n->args.i[0] = dim;
    return rl_record(n, rl_retain(z));
}

rl_tensor *rl_concat(rl_tensors list, int64_t dim) { return rl_cat(list, dim); }
rl_tensor *rl_concatenate(rl_tensors list, int64_t dim) { return rl_cat(list, dim); }

/* ---- stack ---- */

static rl_status stack_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    for (int i = 0; i < n->n_inputs; i++) {
        if (!rl_wants(n, i))
            continue;
        dx[i] = rl_select(g[0], n->args.i[0], i);
        if (!dx[i])
            return rl_error_code();
    }
    return RL_OK;
}

static const rl_node_type stack_node = {"StackBackward0", stack_backward, 0, NULL};

rl_tensor *rl_stack(rl_tensors list, int64_t dim)
{
    if (list.n == 0)
        return rl_fail(RL_ERUNTIME, "stack expects a non-empty TensorList");
    if (check_list(list))
        return NULL;
    const rl_tensor *model = list.v[0];
    if (rl_wrap_dim(&dim, model->ndim + 1))
        return NULL;
    for (int64_t i = 1; i < list.n; i++)
        if (!rl_same_shape(list.v[i], model))
            return rl_fail(RL_ERUNTIME,
                           "stack expects each tensor to be equal size, but got %s at entry 0 and "
                           "%s at entry %lld",
                           rl_shape_str(model).s, rl_shape_str(list.v[i]).s, (long long)i);
    if (model->ndim == RL_MAX_DIMS)
        return rl_fail(RL_ERUNTIME, "stack: more than %d dims", RL_MAX_DIMS);
    int64_t shape[RL_MAX_DIMS];
    for (int d = 0, from = 0; d <= model->ndim; d++)
        shape[d] = d == dim ? list.n : model->shape[from++];
    RL_TEMP *z = rl_new(common_dtype(list), model->ndim + 1, shape);
    if (!z || fill(z, list, (int)dim, true))
        return NULL;
    if (!rl_recording_any(list))
        return rl_retain(z);
    rl_node *n = rl_node_new(&stack_node, z, (int)list.n, list.v);
    if (n)
        n->args.i[0] = dim;
    return rl_record(n, rl_retain(z));
}

/* ---- hstack, vstack ---- */

/* Joins along dim after raising each tensor to at least min_dims dims, new ones in front. */
static rl_tensor *join_raised(rl_tensors list, const char *name, int min_dims, int64_t dim)
{
    if (list.n == 0)
        return rl_fail(RL_ERUNTIME, "%s expects a non-empty TensorList", name);
    if (check_list(list))
        return NULL;
    rl_list raised;
    if (rl_list_new(&raised, list.n))
        return NULL;
    for (int64_t i = 0; i < list.n; i++) {
        rl_tensor *x = rl_retain(list.v[i]);
        while (x && x->ndim < min_dims) {
            rl_tensor *y = rl_unsqueeze(x, 0);
            rl_release(x);
            x = y;
        }
        if (!x) {
            rl_list_free(&raised);
            return NULL;
        }
        raised.v[i] = x;
    }
    if (dim == 1 && raised.v[0]->ndim == 1)
        dim = 0;
    rl_tensor *z = rl_cat((rl_tensors){raised.v, raised.n}, dim);
    rl_list_free(&raised);
    return z;
}

rl_tensor *rl_hstack(rl_tensors list) { return join_raised(list, "hstack", 1, 1); }
rl_tensor *rl_vstack(rl_tensors list) { return join_raised(list, "vstack", 2, 0); }
