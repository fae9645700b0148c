/* view.c: the same elements under another shape: view, transpose, expand, select and their like.
 *
 * No operator here touches an element except reshape, when strides allow no view.  Gradients: a
 * view that keeps all elements is undone by another view; one that picks elements is undone by
 * rl_embed (pick.c). */
#include "ops/view.h"
#include "core/iter.h"
#include "ops/element.h"

void rl_geometry_of(rl_geometry *g, const rl_tensor *x)
{
    g->ndim = x->ndim;
    g->offset = x->offset;
    memcpy(g->shape, x->shape, x->ndim * sizeof(int64_t));
    memcpy(g->strides, x->strides, x->ndim * sizeof(int64_t));
}

void rl_geometry_row_major(rl_geometry *g, int ndim, const int64_t *shape)
{
    g->ndim = ndim;
    g->offset = 0;
    for (int d = 0; d < ndim; d++) /* shape may be NULL for none */
        g->shape[d] = shape[d];
    rl_row_major(ndim, shape, g->strides);
}

rl_tensor *rl_view_record(rl_tensor *z, rl_tensor *x, const rl_node_type *type, int64_t a,
                          int64_t b, int64_t c)
{
    if (!z || !rl_recording(x))
        return rl_record_view(z, x, NULL);
    rl_node *n = rl_node_new(type, z, 1, &x);
    if (!n) {
        rl_release(z);
        return NULL;
    }
    n->args.i[0] = a;
    n->args.i[1] = b;
    n->args.i[2] = c;
    rl_node_set_dims(n, x->ndim, x->shape);
    return rl_record_view(z, x, n);
}

rl_tensor *rl_zeros_data(rl_dtype dtype, int ndim, const int64_t *shape)
{
    rl_tensor *z = rl_new(dtype, ndim, shape);
    if (z)
        memset(z->data, 0, (size_t)z->numel * rl_itemsize(z));
    return z;
}

/* ---- row-major copies ---- */

static rl_status clone_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    dx[0] = rl_retain(g[0]);
    return RL_OK;
}

static const rl_node_type clone_node = {"CloneBackward0", clone_backward, 0, NULL};

/* No history. */
static rl_tensor *copy_data(rl_tensor *x, int ndim, const int64_t *shape)
{
    RL_TEMP *z = rl_new((rl_dtype)x->dtype, x->ndim, x->shape);
    if (!z || rl_copy_data(z, x))
        return NULL;
    if (shape && rl_tensor_set_geometry(z, ndim, shape, NULL))
        return NULL;
    return rl_retain(z);
}

rl_tensor *rl_row_major_copy(rl_tensor *x)
{
    rl_tensor *z = x ? copy_data(x, 0, NULL) : NULL;
    if (!z || !rl_recording(x))
        return z;
    return rl_record(rl_node_new(&clone_node, z, 1, &x), z);
}

rl_tensor *rl_row_major_of(rl_tensor *x)
{
    return !x ? NULL : x->contiguous ? rl_retain(x) : rl_row_major_copy(x);
}

/* ---- view, reshape, flatten ---- */

/* z has x's elements in order; the input's shape is in args.dims. */
static rl_status view_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    dx[0] = rl_reshape(g[0], (rl_ints){n->args.dims, n->args.n_dims});
    return rl_status_of(dx[0]);
}

static const rl_node_type view_node = {"ViewBackward0", view_backward, 0, NULL};
static const rl_node_type reshape_alias_node = {"ReshapeAliasBackward0", view_backward, 0, NULL};
static const rl_node_type unsafe_view_node = {"UnsafeViewBackward0", view_backward, 0, NULL};
static const rl_node_type unsqueeze_node = {"UnsqueezeBackward0", view_backward, 0, NULL};
static const rl_node_type squeeze_node = {"SqueezeBackward0", view_backward, 0, NULL};
static const rl_node_type squeeze_dim_node = {"SqueezeBackward1", view_backward, 0, NULL};
static const rl_node_type squeeze_dims_node = {"SqueezeBackward2", view_backward, 0, NULL};
static const rl_node_type alias_node = {"AliasBackward0", view_backward, 0, NULL};

rl_tensor *rl_alias_view(rl_tensor *x)
{
    if (!x)
        return NULL;
    return rl_view_record(rl_new_view(x, x->ndim, x->shape, x->strides, x->offset), x, &alias_node,
                          0, 0, 0);
}

rl_tensor *rl_view(rl_tensor *x, rl_ints wanted)
{
    int64_t shape[RL_MAX_DIMS], strides[RL_MAX_DIMS];
    if (!x || rl_infer_shape(wanted, x->numel, shape))
        return NULL;
    if (!rl_view_strides(x, wanted.n, shape, strides))
        return rl_fail(
            RL_ERUNTIME,
            "view size is not compatible with input tensor's size and stride (at least one "
            "dimension spans across two contiguous subspaces). Use .reshape(...) instead.");
    return rl_view_record(rl_new_view(x, wanted.n, shape, strides, x->offset), x, &view_node, 0, 0,
                          0);
}

rl_tensor *rl_reshape(rl_tensor *x, rl_ints wanted)
{
    int64_t shape[RL_MAX_DIMS], strides[RL_MAX_DIMS];
    if (!x || rl_infer_shape(wanted, x->numel, shape))
        return NULL;
    if (rl_view_strides(x, wanted.n, shape, strides))
        return rl_view_record(rl_new_view(x, wanted.n, shape, strides, x->offset), x,
                              x->contiguous ? &view_node : &reshape_alias_node, 0, 0, 0);
    rl_tensor *z = copy_data(x, wanted.n, shape);
    if (!z || !rl_recording(x))
        return z;
    rl_node *n = rl_node_new(&unsafe_view_node, z, 1, &x);
    if (n)
        rl_node_set_dims(n, x->ndim, x->shape);
    return rl_record(n, z);
}

rl_tensor *rl_reshape_method(rl_tensor *x, rl_ints wanted) { return rl_reshape(x, wanted); }

rl_tensor *rl_view_as(rl_tensor *x, rl_tensor *other)
{
    return x && other ? rl_view(x, (rl_ints){other->shape, other->ndim}) : NULL;
}

rl_tensor *rl_reshape_as(rl_tensor *x, rl_tensor *other)
{
    return x && other ? rl_reshape(x, (rl_ints){other->shape, other->ndim}) : NULL;
}

rl_tensor *rl_flatten(rl_tensor *x, int64_t start_dim, int64_t end_dim)
{
    if (!x || rl_wrap_dim(&start_dim, x->ndim) || rl_wrap_dim(&end_dim, x->ndim))
        return NULL;
    if (start_dim > end_dim)
        return rl_fail(RL_ERUNTIME,
                       "flatten() has invalid args: start_dim cannot come after end_dim");
    if (x->ndim == 0)
        return rl_reshape(x, (rl_ints){(int64_t[]){1}, 1});
    if (start_dim == end_dim)
        return rl_retain(x);
    int64_t shape[RL_MAX_DIMS];
    int n = 0;
    for (int d = 0; d < x->ndim; d++) {
        if (d > start_dim && d <= end_dim)
            shape[n - 1] *= x->shape[d];
        else
            shape[n++] = x->shape[d];
    }
    return rl_reshape(x, (rl_ints){shape, n});
}

rl_tensor *rl_ravel(rl_tensor *x)
{
    RL_TEMP *r = rl_row_major_of(x);
    return r ? rl_view(r, (rl_ints){(int64_t[]){r->numel}, 1}) : NULL;
}

rl_tensor *rl_unflatten(rl_tensor *x, int64_t dim, rl_ints sizes)
{
    if (!x || rl_wrap_dim(&dim, x->ndim))
        return NULL;
    if (sizes.n <= 0)
        return rl_fail(RL_ERUNTIME, "unflatten: sizes must be non-empty");
    if (x->ndim == 0)
        return rl_fail(RL_ERUNTIME, "unflatten: cannot split a dim of a 0-dim tensor");
    if (x->ndim - 1 + sizes.n > RL_MAX_DIMS)
        return rl_fail(RL_ERUNTIME, "unflatten: more than %d dims", RL_MAX_DIMS);
    int64_t shape[RL_MAX_DIMS], product = 1;
    int inferred = -1;
    for (int i = 0; i < sizes.n; i++) {
        if (sizes.v[i] != -1)
            product *= sizes.v[i];
        else if (inferred >= 0)
            return rl_fail(RL_ERUNTIME, "only one dimension can be inferred");
        else
            inferred = i;
    }
    int64_t size = x->shape[dim];
    if (inferred >= 0 ? product == 0 || size % product : product != size)
        return rl_fail(RL_ERUNTIME,
                       "unflatten: Provided sizes %s don't multiply up to the size of dim %d "
                       "(%lld) in the input tensor",
                       rl_ints_str(sizes.n, sizes.v).s, (int)dim, (long long)size);
    int n = 0;
    for (int d = 0; d < x->ndim; d++) {
        if (d != dim) {
            shape[n++] = x->shape[d];
            continue;
        }
        for (int i = 0; i < sizes.n; i++)
            shape[n++] = i == inferred ? size / product : sizes.v[i];
    }
    return rl_view(x, (rl_ints){shape, n});
}

/* Reads the bytes of x as another dtype.  A narrower dtype multiplies the last size, a wider one
 * divides it. */
rl_tensor *rl_view_dtype(rl_tensor *x, rl_dtype dtype)
{
    if (!x)
        return NULL;
    int64_t from = (int64_t)rl_itemsize(x), to = (int64_t)rl_dtype_size(dtype);
    const char *a = rl_dtype_title((rl_dtype)x->dtype), *b = rl_dtype_title(dtype);
    rl_geometry g;
    rl_geometry_of(&g, x);
    int last = x->ndim - 1;
    if (from != to) {
        if (last < 0)
            return rl_fail(RL_ERUNTIME,
                           "self.dim() cannot be 0 to view %s as %s (different element sizes)", a,
                           b);
        if (g.strides[last] != 1)
            return rl_fail(RL_ERUNTIME,
                           "self.stride(-1) must be 1 to view %s as %s (different element sizes), "
                           "but got %lld",
                           a, b, (long long)g.strides[last]);
        int64_t more = from / to, fewer = to / from;
        if (more) {
            g.shape[last] *= more;
            g.offset *= more;
            for (int d = 0; d < last; d++)
                g.strides[d] *= more;
        } else {
            if (g.shape[last] % fewer)
                return rl_fail(RL_ERUNTIME,
                               "self.size(-1) must be divisible by %lld to view %s as %s "
                               "(different element sizes), but got %lld",
                               (long long)fewer, a, b, (long long)g.shape[last]);
            if (g.offset % fewer)
                return rl_fail(RL_ERUNTIME,
                               "self.storage_offset() must be divisible by %lld to view %s as %s "
                               "(different element sizes), "
                               "but got %lld",
                               (long long)fewer, a, b, (long long)g.offset);
            for (int d = 0; d < last; d++) {
                if (g.strides[d] % fewer)
                    return rl_fail(RL_ERUNTIME,
                                   "self.stride(%d) must be divisible by %lld to view %s as %s "
                                   "(different element sizes), "
                                   "but got %lld",
                                   d, (long long)fewer, a, b, (long long)g.strides[d]);
                g.strides[d] /= fewer;
            }
            g.shape[last] /= fewer;
            g.offset /= fewer;
        }
    }
    RL_TEMP *z = rl_new_view(x, x->ndim, x->shape, x->strides, x->offset);
    if (!z)
        return NULL;
    z->dtype = (int8_t)dtype;
    z->offset = g.offset;
    if (rl_tensor_set_geometry(z, g.ndim, g.shape, g.strides))
        return NULL;
    return rl_retain(z);
}

/* ---- order of dims ---- */

static rl_status transpose_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    dx[0] = rl_transpose(g[0], n->args.i[0], n->args.i[1]);
    return rl_status_of(dx[0]);
}

static const rl_node_type transpose_node = {"TransposeBackward0", transpose_backward, 0, NULL};
static const rl_node_type transpose_inplace_node = {"TransposeBackward1", transpose_backward, 0,
                                                    NULL};
static const rl_node_type t_node = {"TBackward0", transpose_backward, 0, NULL};
static const rl_node_type t_inplace_node = {"TBackward1", transpose_backward, 0, NULL};
static const rl_node_type squeeze_inplace_node = {"SqueezeBackward3", view_backward, 0, NULL};
static const rl_node_type squeeze_dim_inplace_node = {"SqueezeBackward4", view_backward, 0, NULL};
static const rl_node_type squeeze_dims_inplace_node = {"SqueezeBackward5", view_backward, 0, NULL};
static const rl_node_type unsqueeze_inplace_node = {"UnsqueezeBackward1", view_backward, 0, NULL};

static rl_tensor *exchange(rl_tensor *x, int64_t a, int64_t b, const rl_node_type *type)
{
    rl_geometry g;
    rl_geometry_of(&g, x);
    if (x->ndim > 0) {
        g.shape[a] = x->shape[b];
        g.shape[b] = x->shape[a];
        g.strides[a] = x->strides[b];
        g.strides[b] = x->strides[a];
    }
    return rl_view_record(rl_geometry_view(x, &g), x, type, a, b, 0);
}

rl_tensor *rl_transpose(rl_tensor *x, int64_t dim0, int64_t dim1)
{
    if (!x || rl_wrap_dim(&dim0, x->ndim) || rl_wrap_dim(&dim1, x->ndim))
        return NULL;
    return exchange(x, dim0, dim1, &transpose_node);
}

rl_tensor *rl_swapaxes(rl_tensor *x, int64_t axis0, int64_t axis1)
{
    return rl_transpose(x, axis0, axis1);
}
rl_tensor *rl_swapdims(rl_tensor *x, int64_t dim0, int64_t dim1)
{
    return rl_transpose(x, dim0, dim1);
}

static rl_status check_t(const rl_tensor *x)
{
    return x->ndim <= 2
               ? RL_OK
               : rl_error(RL_ERUNTIME, "t() expects a tensor with <= 2 dimensions, but self is %dD",
                          x->ndim);
}

rl_tensor *rl_t(rl_tensor *x)
{
    if (!x || check_t(x))
        return NULL;
    return exchange(x, 0, x->ndim == 2 ? 1 : 0, &t_node);
}

/* x's own geometry becomes that of the view made by `z`; type and numbers as in rl_view_record. */
static rl_tensor *take_geometry(rl_tensor *x, rl_tensor *z, const rl_node_type *type, int64_t a,
                                int64_t b)
{
    RL_TEMP *view = z;
    if (!view || rl_check_inplace(x, rl_recording(x)))
        return NULL;
    rl_node *n = NULL;
    if (rl_recording(x)) {
        n = rl_node_new(type, view, 1, &x);
        if (!n)
            return NULL;
        n->args.i[0] = a;
        n->args.i[1] = b;
        rl_node_set_dims(n, x->ndim, x->shape);
    }
    if (rl_tensor_set_geometry(x, view->ndim, view->shape, view->strides)) {
        rl_node_release(n);
        return NULL;
    }
    return rl_record_inplace(n, x);
}

static rl_tensor *without_grad(rl_tensor *(*op)(rl_tensor *, int64_t, int64_t), rl_tensor *x,
                               int64_t a, int64_t b)
{
    bool mode = rl_set_grad_enabled(false);
    rl_tensor *z = op(x, a, b);
    rl_set_grad_enabled(mode);
    return z;
}

rl_tensor *rl_transpose_(rl_tensor *x, int64_t dim0, int64_t dim1)
{
    return x ? take_geometry(x, without_grad(rl_transpose, x, dim0, dim1), &transpose_inplace_node,
                             dim0, dim1)
             : NULL;
}

rl_tensor *rl_swapaxes_(rl_tensor *x, int64_t axis0, int64_t axis1)
{
    return rl_transpose_(x, axis0, axis1);
}
rl_tensor *rl_swapdims_(rl_tensor *x, int64_t dim0, int64_t dim1)
{
    return rl_transpose_(x, dim0, dim1);
}

rl_tensor *rl_t_(rl_tensor *x)
{
    if (!x || check_t(x))
        return NULL;
    int64_t last = x->ndim == 2 ? 1 : 0;
    return take_geometry(x, without_grad(rl_transpose, x, 0, last), &t_inplace_node, 0, last);
}

/* args.dims here: the inverse permutation. */
static rl_status permute_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    dx[0] = rl_permute(g[0], (rl_ints){n->args.dims, n->args.n_dims});
    return rl_status_of(dx[0]);
}

static const rl_node_type permute_node = {"PermuteBackward0", permute_backward, 0, NULL};

rl_tensor *rl_permute(rl_tensor *x, rl_ints dims)
{
    if (!x)
        return NULL;
    if (dims.n != x->ndim)
        return rl_fail(
            RL_ERUNTIME,
            "permute(sparse_coo): number of dimensions in the tensor input does not match the "
            "length of the "
            "desired ordering of dimensions i.e. input.dim() = %d is not equal to len(dims) = %d",
            x->ndim, dims.n);
    int64_t shape[RL_MAX_DIMS], strides[RL_MAX_DIMS], inverse[RL_MAX_DIMS];
    bool seen[RL_MAX_DIMS] = {false};
    for (int d = 0; d < dims.n; d++) {
        int64_t from = dims.v[d];
        if (rl_wrap_dim(&from, x->ndim))
            return NULL;
        if (seen[from])
            return rl_fail(RL_ERUNTIME, "permute(): duplicate dims are not allowed.");
        seen[from] = true;
        shape[d] = x->shape[from];
        strides[d] = x->strides[from];
        inverse[from] = d;
    }
    rl_tensor *z = rl_new_view(x, dims.n, shape, strides, x->offset);
    if (!z || !rl_recording(x))
        return rl_record_view(z, x, NULL);
    rl_node *n = rl_node_new(&permute_node, z, 1, &x);
    if (!n) {
        rl_release(z);
        return NULL;
    }
    rl_node_set_dims(n, dims.n, inverse);
    return rl_record_view(z, x, n);
}

rl_tensor *rl_permute_method(rl_tensor *x, rl_ints dims) { return rl_permute(x, dims); }

rl_tensor *rl_movedim(rl_tensor *x, rl_ints source, rl_ints destination)
{
    if (!x)
        return NULL;
    if (source.n != destination.n)
        return rl_fail(RL_ERUNTIME,
                       "movedim: Invalid source or destination dims: source (%s dims) should "
                       "contain the same number of "
                       "dims as destination (%s dims)",
                       rl_ints_str(source.n, source.v).s,
                       rl_ints_str(destination.n, destination.v).s);
    int64_t order[RL_MAX_DIMS];
    bool moved[RL_MAX_DIMS] = {false}, filled[RL_MAX_DIMS] = {false};
    if (source.n > x->ndim && source.n > 1)
        return rl_fail(RL_ERUNTIME, "movedim: repeated dim in `source` (%s)",
                       rl_ints_str(source.n, source.v).s);
    for (int i = 0; i < source.n; i++) {
        int64_t s = source.v[i], d = destination.v[i];
        if (rl_wrap_dim(&s, x->ndim) || rl_wrap_dim(&d, x->ndim))
            return NULL;
        if (moved[s])
            return rl_fail(RL_ERUNTIME, "movedim: repeated dim in `source` (%s)",
                           rl_ints_str(source.n, source.v).s);
        if (filled[d])
            return rl_fail(RL_ERUNTIME, "movedim: repeated dim in `destination` (%s)",
                           rl_ints_str(destination.n, destination.v).s);
        moved[s] = filled[d] = true;
        order[d] = s;
    }
    if (x->ndim == 0)
        return rl_alias_view(x);
    int next = 0;
    for (int d = 0; d < x->ndim; d++) {
        if (filled[d])
            continue;
        while (moved[next])
            next++;
        order[d] = next++;
    }
    return rl_permute(x, (rl_ints){order, x->ndim});
}

/* ---- dims of size 1 ---- */

static rl_tensor *squeeze_masked(rl_tensor *x, const bool *mask, const rl_node_type *type)
{
    rl_geometry g = {.ndim = 0, .offset = x->offset};
    for (int d = 0; d < x->ndim; d++) {
        if (x->shape[d] == 1 && (!mask || mask[d]))
            continue;
        g.shape[g.ndim] = x->shape[d];
        g.strides[g.ndim++] = x->strides[d];
    }
    return rl_view_record(rl_geometry_view(x, &g), x, type, 0, 0, 0);
}

rl_tensor *rl_squeeze(rl_tensor *x) { return x ? squeeze_masked(x, NULL, &squeeze_node) : NULL; }

rl_tensor *rl_squeeze_dim(rl_tensor *x, int64_t dim)
{
    if (!x || rl_wrap_dim(&dim, x->ndim))
        return NULL;
    bool mask[RL_MAX_DIMS] = {false};
    mask[dim] = true;
    return squeeze_masked(x, mask, &squeeze_dim_node);
}

rl_tensor *rl_squeeze_dims(rl_tensor *x, rl_ints dim)
{
    bool mask[RL_MAX_DIMS] = {false};
    if (!x || (dim.n > 0 && rl_dim_mask(dim, x->ndim, mask)))
        return NULL;
    return squeeze_masked(x, mask, &squeeze_dims_node);
}

static rl_tensor *squeeze_quietly(rl_tensor *x, const rl_ints *dim)
{
    bool mode = rl_set_grad_enabled(false);
    rl_tensor *z = dim ? rl_squeeze_dims(x, *dim) : rl_squeeze(x);
    rl_set_grad_enabled(mode);
    return z;
}

rl_tensor *rl_squeeze_(rl_tensor *x)
{
    return x ? take_geometry(x, squeeze_quietly(x, NULL), &squeeze_inplace_node, 0, 0) : NULL;
}

rl_tensor *rl_squeeze_dim_(rl_tensor *x, int64_t dim)
{
    return rl_squeeze_dims_(x, (rl_ints){&dim, 1});
}

rl_tensor *rl_squeeze_dims_(rl_tensor *x, rl_ints dim)
{
    const rl_node_type *type = dim.n == 1 ? &squeeze_dim_inplace_node : &squeeze_dims_inplace_node;
    return x ? take_geometry(x, squeeze_quietly(x, &dim), type, 0, 0) : NULL;
}

static rl_tensor *unsqueeze(rl_tensor *x, int64_t dim, int64_t unused)
{
    if (!x || rl_wrap_dim(&dim, x->ndim + 1))
        return NULL;
    if (x->ndim == RL_MAX_DIMS)
        return rl_fail(RL_ERUNTIME, "unsqueeze: more than %d dims", RL_MAX_DIMS);
    rl_geometry g;
    rl_geometry_of(&g, x);
    rl_geometry_unsqueeze(&g, (int)dim);
    return rl_view_record(rl_geometry_view(x, &g), x, &unsqueeze_node, 0, 0, 0);
}

rl_tensor *rl_unsqueeze(rl_tensor *x, int64_t dim) { return unsqueeze(x, dim, 0); }

rl_tensor *rl_unsqueeze_(rl_tensor *x, int64_t dim)
{
    return x ? take_geometry(x, without_grad(unsqueeze, x, dim, 0), &unsqueeze_inplace_node, 0, 0)
             : NULL;
}

/* ---- expand ---- */

/* The engine sums the gradient over the broadcast dims. */
static const rl_node_type expand_node = {"ExpandBackward0", clone_backward, 0, NULL};

rl_tensor *rl_expand(rl_tensor *x, rl_ints size, bool implicit)
{
    if (!x)
        return NULL;
    if (size.n < x->ndim)
        return rl_fail(RL_ERUNTIME,
                       "expand(torch.%sTensor{%s}, size=%s): the number of sizes provided (%d) "
                       "must be greater or equal "
                       "to the number of dimensions in the tensor (%d)",
                       rl_dtype_title((rl_dtype)x->dtype), rl_shape_str(x).s,
                       rl_ints_str(size.n, size.v).s, size.n, x->ndim);
    rl_geometry g = {.ndim = size.n, .offset = x->offset};
    for (int d = size.n - 1, from = x->ndim - 1; d >= 0; d--, from--) {
        int64_t want = size.v[d], have = from >= 0 ? x->shape[from] : 1;
        if (want == -1) {
            if (from < 0)
                return rl_fail(
                    RL_ERUNTIME,
                    "The expanded size of the tensor (-1) isn't allowed in a leading, non-existing "
                    "dimension %d",
                    d);
            want = have;
        }
        g.shape[d] = want;
        /* PyTorch gives a leading dim the stride that a row-major layout would, and 0 once its size
         * exceeds 1. */
        g.strides[d] = from >= 0        ? x->strides[from]
                       : d + 1 < size.n ? g.shape[d + 1] * g.strides[d + 1]
                                        : 1;
        if (want == have)
            continue;
        if (have != 1)
            return rl_fail(RL_ERUNTIME,
                           "The expanded size of the tensor (%lld) must match the existing size "
                           "(%lld) at non-singleton "
                           "dimension %d.  Target sizes: %s.  Tensor sizes: %s",
                           (long long)want, (long long)have, d, rl_ints_str(size.n, size.v).s,
                           rl_shape_str(x).s);
        if (want < 0)
            return rl_fail(RL_ERUNTIME, "Trying to create tensor with negative dimension %lld: %s",
                           (long long)want, rl_ints_str(size.n, size.v).s);
        g.strides[d] = 0;
    }
    return rl_view_record(rl_geometry_view(x, &g), x, &expand_node, 0, 0, 0);
}

rl_tensor *rl_expand_as(rl_tensor *x, rl_tensor *other)
{
    return x && other ? rl_expand(x, (rl_ints){other->shape, other->ndim}, false) : NULL;
}

rl_tensor *rl_broadcast_to(rl_tensor *x, rl_ints size) { return rl_expand(x, size, false); }

rl_tensor *rl_moveaxis(rl_tensor *x, rl_ints source, rl_ints destination)
{
    return rl_movedim(x, source, destination);
}
