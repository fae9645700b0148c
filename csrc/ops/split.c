/* split.c: one tensor into several views: unbind, split, chunk, tensor_split.
 *
 * All views of unbind and split come from one node, so their gradients are joined once and not
 * added up n times. */
#include "ops/view.h"

/* Gives the views in `out` their common node.  Releases them on failure. */
static rl_status record_all(rl_list *out, rl_tensor *x, const rl_node_type *type, int64_t dim)
{
    rl_node *n = NULL;
    if (out->n > 0 && rl_recording(x)) {
        n = rl_node_new_n(type, (int)out->n, out->v, 1, &x, 0);
        if (!n) {
            rl_list_free(out);
            return rl_error_code();
        }
        n->args.i[0] = dim;
        rl_node_set_dims(n, x->ndim, x->shape);
    }
    if (rl_record_views((rl_tensors){out->v, out->n}, x, n)) {
        rl_list_free(out);
        return rl_error_code();
    }
    return RL_OK;
}

/* ---- unbind ---- */

static rl_status unbind_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    int64_t dim = n->args.i[0];
    const rl_tensor *known = NULL;
    for (int i = 0; i < n->n_outputs && !known; i++)
        known = g[i];
    if (!known)
        return RL_OK;
    rl_list all;
    if (rl_list_new(&all, n->n_outputs))
        return rl_error_code();
    for (int i = 0; i < n->n_outputs; i++) {
        all.v[i] = g[i] ? rl_retain(g[i])
                        : rl_zeros_data((rl_dtype)known->dtype, known->ndim, known->shape);
    }
    dx[0] = rl_stack((rl_tensors){all.v, all.n}, dim); /* a NULL among them: the error is kept */
    rl_list_free(&all);
    return rl_status_of(dx[0]);
}

static const rl_node_type unbind_node = {"UnbindBackward0", unbind_backward, 0, NULL};

rl_status rl_unbind(rl_tensor *x, int64_t dim, rl_list *out)
{
    *out = (rl_list){NULL, 0};
    if (!x)
        return rl_error_code();
    if (x->ndim == 0)
        return rl_error(RL_EINDEX, "Dimension specified as %lld but tensor has no dimensions",
                        (long long)dim);
    if (rl_wrap_dim(&dim, x->ndim) || rl_list_new(out, x->shape[dim]))
        return rl_error_code();
    rl_geometry g;
    rl_geometry_of(&g, x);
    rl_geometry_drop(&g, (int)dim);
    for (int64_t i = 0; i < x->shape[dim]; i++) {
        g.offset = x->offset + i * x->strides[dim];
        out->v[i] = rl_geometry_view(x, &g);
        if (!out->v[i]) {
            rl_list_free(out);
            return rl_error_code();
        }
    }
    return record_all(out, x, &unbind_node, dim);
}

/* ---- split ---- */

/* args.dims: the shape of x; the pieces' sizes are those of the outputs. */
static rl_status split_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    int64_t dim = n->args.i[0];
    rl_dtype dtype = RL_NO_DTYPE;
    for (int i = 0; i < n->n_outputs && dtype == RL_NO_DTYPE; i++)
        if (g[i])
            dtype = (rl_dtype)g[i]->dtype;
    if (dtype == RL_NO_DTYPE)
        return RL_OK;
    rl_list all;
    if (rl_list_new(&all, n->n_outputs))
        return rl_error_code();
    for (int i = 0; i < n->n_outputs; i++) {
        rl_dtype piece_dtype;
        int ndim;
        const int64_t *shape;
        if (g[i])
            all.v[i] = rl_retain(g[i]);
        else if (rl_node_meta(n, i, &piece_dtype, &ndim, &shape))
            all.v[i] = rl_zeros_data(dtype, ndim, shape);
        else
            all.v[i] = rl_fail(RL_ERUNTIME, "split: the size of output %d is not known", i);
    }
    dx[0] = rl_cat((rl_tensors){all.v, all.n}, dim); /* a NULL among them: the error is kept */
    rl_list_free(&all);
    return rl_status_of(dx[0]);
}

static const rl_node_type split_node = {"SplitBackward0", split_backward, 0, NULL};
static const rl_node_type split_sizes_node = {"SplitWithSizesBackward0", split_backward, 0, NULL};

/* n pieces along dim; all `size` long but the last, or sizes[i] long each. */
static rl_status pieces(rl_tensor *x, int dim, int64_t n, int64_t size, const int64_t *sizes,
                        rl_list *out)
{
    if (rl_list_new(out, n))
        return rl_error_code();
    rl_geometry g;
    rl_geometry_of(&g, x);
    int64_t start = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t length = sizes ? sizes[i] : i + 1 < n ? size : x->shape[dim] - start;
        g.shape[dim] = length;
        g.offset = x->offset + start * x->strides[dim];
        out->v[i] = rl_geometry_view(x, &g);
        if (!out->v[i]) {
            rl_list_free(out);
            return rl_error_code();
        }
        start += length;
    }
    return record_all(out, x, sizes ? &split_sizes_node : &split_node, dim);
}

rl_status rl_split(rl_tensor *x, int64_t split_size, int64_t dim, rl_list *out)
{
    *out = (rl_list){NULL, 0};
    if (!x)
        return rl_error_code();
    if (x->ndim == 0)
        return rl_error(RL_ERUNTIME, "split expects at least a 1-dimensional tensor");
    if (split_size < 0)
        return rl_error(RL_ERUNTIME,
                        "split expects split_size be non-negative, but got split_size=%lld",
                        (long long)split_size);
    if (rl_wrap_dim(&dim, x->ndim))
        return rl_error_code();
    int64_t size = x->shape[dim];
    if (split_size == 0 && size != 0)
        return rl_error(
            RL_ERUNTIME,
            "split_size can only be 0 if dimension size is 0, but got dimension size of %lld",
            (long long)size);
    int64_t n = split_size ? (size - 1) / split_size + 1 : 1;
    return pieces(x, (int)dim, size == 0 || n < 1 ? 1 : n, split_size, NULL, out);
}

rl_status rl_split_sizes(rl_tensor *x, rl_ints sizes, int64_t dim, rl_list *out)
{
    *out = (rl_list){NULL, 0};
    if (!x)
        return rl_error_code();
    if (x->ndim == 0)
        return rl_error(RL_ERUNTIME, "split expects at least a 1-dimensional tensor");
    if (rl_wrap_dim(&dim, x->ndim))
        return rl_error_code();
    int64_t total = 0;
    for (int i = 0; i < sizes.n; i++) {
        if (sizes.v[i] < 0)
            return rl_error(RL_ERUNTIME,
                            "split_with_sizes expects split_sizes have only non-negative entries, "
                            "but got split_sizes=%s",
                            rl_ints_str(sizes.n, sizes.v).s);
        if (__builtin_add_overflow(total, sizes.v[i], &total))
            total = INT64_MAX;
    }
    if (total != x->shape[dim])
        return rl_error(RL_ERUNTIME,
                        "split_with_sizes expects split_sizes to sum exactly to %lld (input "
                        "tensor's size at dimension "
                        "%d), but got split_sizes=%s",
                        (long long)x->shape[dim], (int)dim, rl_ints_str(sizes.n, sizes.v).s);
    return pieces(x, (int)dim, sizes.n, 0, sizes.v, out);
}

/* ---- chunk, tensor_split ---- */

rl_status rl_chunk(rl_tensor *x, int64_t chunks, int64_t dim, rl_list *out)
{
    *out = (rl_list){NULL, 0};
    if (!x)
        return rl_error_code();
    if (x->ndim == 0)
        return rl_error(RL_ERUNTIME, "chunk expects at least a 1-dimensional tensor");
    if (chunks <= 0)
        return rl_error(RL_ERUNTIME, "chunk expects `chunks` to be greater than 0, got: %lld",
                        (long long)chunks);
    if (rl_wrap_dim(&dim, x->ndim))
        return rl_error_code();
    int64_t size = x->shape[dim];
    if (size > 0)
        return rl_split(x, (size - 1) / chunks + 1, dim, out);
    /* All pieces are empty; there are as many as asked for. */
    RL_TEMP *sizes = rl_zeros_data(RL_I64, 1, &chunks);
    return sizes ? pieces(x, (int)dim, chunks, 0, (const int64_t *)sizes->data, out)
                 : rl_error_code();
}

/* Views of [cut(i), cut(i + 1)) along dim, each with a node of its own as in PyTorch
 * (SliceBackward0). */
static rl_status slices(rl_tensor *x, int dim, int64_t n, const int64_t *cuts, rl_list *out)
{
    if (rl_list_new(out, n))
        return rl_error_code();
    int64_t size = x->shape[dim];
    for (int64_t i = 0; i < n; i++) {
        int64_t start, length;
        if (cuts) {
            start = i ? cuts[i - 1] : 0;
            length = rl_slice_length(size, &start, i + 1 < n ? cuts[i] : size, 1);
        } else { /* the first size % n sections are one longer */
            int64_t each = size / n, more = size % n;
            start = i * each + (i < more ? i : more);
            length = each + (i < more);
        }
        out->v[i] = rl_slice_view(x, dim, start, length, 1);
        if (!out->v[i]) {
            rl_list_free(out);
            return rl_error_code();
        }
    }
    return RL_OK;
}

rl_status rl_tensor_split(rl_tensor *x, int64_t sections, int64_t dim, rl_list *out)
{
    *out = (rl_list){NULL, 0};
    if (!x)
        return rl_error_code();
    if (x->ndim == 0)
        return rl_error(
            RL_ERUNTIME,
            "tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims");
    if (rl_wrap_dim(&dim, x->ndim))
        return rl_error_code();
    if (sections <= 0)
        return rl_error(RL_ERUNTIME, "number of sections must be larger than 0, got %lld",
                        (long long)sections);
    return slices(x, (int)dim, sections, NULL, out);
}

rl_status rl_tensor_split_indices(rl_tensor *x, rl_ints indices, int64_t dim, rl_list *out)
{
    *out = (rl_list){NULL, 0};
    if (!x)
        return rl_error_code();
    if (x->ndim == 0)
        return rl_error(
            RL_ERUNTIME,
            "tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims");
    if (rl_wrap_dim(&dim, x->ndim))
        return rl_error_code();
    return slices(x, (int)dim, indices.n + 1, indices.v, out);
}

/* ---- split_with_sizes, hsplit, vsplit, dsplit ---- */

rl_status rl_split_with_sizes(rl_tensor *x, rl_ints split_sizes, int64_t dim, rl_list *out)
{
    return rl_split_sizes(x, split_sizes, dim, out);
}

/* The dim that hsplit (1, or 0 of vectors), vsplit (0) and dsplit (2) cut; `least`: dims x must
 * have. */
static rl_status named_dim(const char *name, const rl_tensor *x, int least, int64_t sections,
                           int64_t *dim)
{
    if (!x)
        return rl_error_code();
    if (x->ndim < least)
        return rl_error(RL_ERUNTIME,
                        "torch.%s requires a tensor with at least %d dimension, but got a tensor "
                        "with %d dimensions!",
                        name, least, x->ndim);
    if (least == 1)
        *dim = x->ndim == 1 ? 0 : 1;
    if (sections && x->shape[*dim] % sections)
        return rl_error(RL_ERUNTIME,
                        "torch.%s attempted to split along dimension %lld, but the size of the "
                        "dimension %lld is not "
                        "divisible by the split_size %lld!",
                        name, (long long)*dim, (long long)x->shape[*dim], (long long)sections);
    return RL_OK;
}

#define NAMED_SPLIT(name, least, at)                                                               \
    rl_status rl_##name(rl_tensor *x, int64_t sections, rl_list *out)                              \
    {                                                                                              \
        int64_t dim = at;                                                                          \
        *out = (rl_list){NULL, 0};                                                                 \
        rl_status status = named_dim(#name, x, least, sections, &dim);                             \
        return status ? status : rl_tensor_split(x, sections, dim, out);                           \
    }                                                                                              \
    rl_status rl_##name##_indices(rl_tensor *x, rl_ints indices, rl_list *out)                     \
    {                                                                                              \
        int64_t dim = at;                                                                          \
        *out = (rl_list){NULL, 0};                                                                 \
        rl_status status = named_dim(#name, x, least, 0, &dim);                                    \
        return status ? status : rl_tensor_split_indices(x, indices, dim, out);                    \
    }

NAMED_SPLIT(hsplit, 1, 1)
NAMED_SPLIT(vsplit, 2, 0)
NAMED_SPLIT(dsplit, 3, 2)
#undef NAMED_SPLIT
