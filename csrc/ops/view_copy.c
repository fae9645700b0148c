/* view_copy.c: views that are copied at once (select_copy, split_copy, ...), and pieces that share
 * memory without being views to autograd (unsafe_split).
 *
 * The derivative is that of the view: the node made here keeps the view's numbers and calls its
 * backward. */
#include "ops/view.h"

/* n->context is the type of the view's node. */
static rl_status viewed_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    const rl_node_type *of = n->context;
    return of->backward(n, g, dx);
}

#define NODE(id, name) static const rl_node_type id##_node = {name, viewed_backward, 0, NULL};
NODE(alias, "AliasBackward0_copy")
NODE(as_strided, "AsStridedBackward0_copy")
NODE(diagonal, "DiagonalBackward0_copy")
NODE(expand, "ExpandBackward0_copy")
NODE(narrow, "NarrowCopyBackward0")
NODE(permute, "PermuteBackward0_copy")
NODE(select, "SelectBackward0_copy")
NODE(slice, "SliceBackward0_copy")
NODE(squeeze, "SqueezeBackward0_copy")
NODE(squeeze_dim, "SqueezeBackward1_copy")
NODE(squeeze_dims, "SqueezeBackward2_copy")
NODE(t, "TBackward0_copy")
NODE(transpose, "TransposeBackward0_copy")
NODE(unfold, "UnfoldBackward0_copy")
NODE(unsqueeze, "UnsqueezeBackward0_copy")
NODE(view, "ViewBackward0_copy")
NODE(view_as_real, "ViewAsRealBackward0_copy")
NODE(view_as_complex, "ViewAsComplexBackward0_copy")
NODE(split, "SplitBackward0_copy")
NODE(split_sizes, "SplitWithSizesBackward0_copy")
NODE(unbind, "UnbindBackward0_copy")
NODE(unsafe_split, "UnsafeSplitBackward0")
NODE(unsafe_split_sizes, "UnsafeSplitWithSizesBackward0")
#undef NODE

/* Makes n do what the node of the view v does. */
static void take_over(rl_node *n, const rl_tensor *v)
{
    if (!n)
        return;
    const rl_node *of = v->ag->node;
    rl_node_set_dims(n, of->args.n_dims, of->args.dims);
    memcpy(n->args.i, of->args.i, sizeof n->args.i);
    n->context = (void *)of->type;
}

static bool has_node(const rl_tensor *v) { return v->ag && v->ag->node && !v->ag->is_leaf_node; }

/* A row-major copy of v, a view of x; takes over v. */
static rl_tensor *copied(rl_tensor *v, rl_tensor *x, const rl_node_type *type)
{
    RL_TEMP *view = v;
    if (!view)
        return NULL;
    RL_TEMP *z = rl_new((rl_dtype)view->dtype, view->ndim, view->shape);
    if (!z || rl_copy_data(z, view))
        return NULL;
    if (!rl_recording(x) || !has_node(view))
        return rl_retain(z);
    rl_node *n = rl_node_new(type, z, 1, &x);
    take_over(n, view);
    return rl_record(n, rl_retain(z));
}

rl_tensor *rl_alias_copy(rl_tensor *x)
{
    return x ? copied(rl_alias_view(x), x, &alias_node) : NULL;
}

rl_tensor *rl_detach_copy(rl_tensor *x)
{
    RL_TEMP *z = x ? rl_detach(x) : NULL;
    return z ? copied(rl_retain(z), z, NULL) : NULL;
}

rl_tensor *rl_as_strided_copy(rl_tensor *x, rl_ints size, rl_ints stride, rl_opt_int storage_offset)
{
    return copied(rl_as_strided(x, size, stride, storage_offset), x, &as_strided_node);
}

rl_tensor *rl_diagonal_copy(rl_tensor *x, int64_t offset, int64_t dim1, int64_t dim2)
{
    return copied(rl_diagonal(x, offset, dim1, dim2), x, &diagonal_node);
}

rl_tensor *rl_expand_copy(rl_tensor *x, rl_ints size, bool implicit)
{
    return copied(rl_expand(x, size, implicit), x, &expand_node);
}

rl_tensor *rl_narrow_copy(rl_tensor *x, int64_t dim, int64_t start, int64_t length)
{
    return copied(rl_narrow(x, dim, start, length), x, &narrow_node);
}

rl_tensor *rl_permute_copy(rl_tensor *x, rl_ints dims)
{
    return copied(rl_permute(x, dims), x, &permute_node);
}

rl_tensor *rl_select_copy(rl_tensor *x, int64_t dim, int64_t index)
{
    return copied(rl_select(x, dim, index), x, &select_node);
}

rl_tensor *rl_slice_copy(rl_tensor *x, int64_t dim, rl_opt_int start, rl_opt_int end, int64_t step)
{
    return copied(rl_slice(x, dim, start, end, step), x, &slice_node);
}

rl_tensor *rl_squeeze_copy(rl_tensor *x) { return copied(rl_squeeze(x), x, &squeeze_node); }

rl_tensor *rl_squeeze_copy_dims(rl_tensor *x, rl_ints dim)
{
    return copied(rl_squeeze_dims(x, dim), x, dim.n == 1 ? &squeeze_dim_node : &squeeze_dims_node);
}

rl_tensor *rl_view_as_real_copy(rl_tensor *x)
{
    return copied(rl_view_as_real(x), x, &view_as_real_node);
}

rl_tensor *rl_view_as_complex_copy(rl_tensor *x)
{
    return copied(rl_view_as_complex(x), x, &view_as_complex_node);
}

rl_tensor *rl_t_copy(rl_tensor *x) { return copied(rl_t(x), x, &t_node); }

rl_tensor *rl_transpose_copy(rl_tensor *x, int64_t dim0, int64_t dim1)
{
    return copied(rl_transpose(x, dim0, dim1), x, &transpose_node);
}

rl_tensor *rl_unfold_copy(rl_tensor *x, int64_t dimension, int64_t size, int64_t step)
{
    return copied(rl_unfold(x, dimension, size, step), x, &unfold_node);
}

rl_tensor *rl_unsqueeze_copy(rl_tensor *x, int64_t dim)
{
    return copied(rl_unsqueeze(x, dim), x, &unsqueeze_node);
}

rl_tensor *rl_view_copy(rl_tensor *x, rl_ints size)
{
    return copied(rl_view(x, size), x, &view_node);
}

rl_tensor *rl_view_copy_dtype(rl_tensor *x, rl_dtype dtype)
{
    return copied(rl_view_dtype(x, dtype), x, &view_node);
}

/* ---- several results ---- */

/* Replaces the views of x in `out` by copies (or, not to copy, by tensors over the same memory) of
 * one common node. */
static rl_status replaced(rl_status status, rl_list *out, rl_tensor *x, const rl_node_type *type,
                          bool copy)
{
    if (status)
        return status;
    rl_list made = {NULL, 0};
    if ((status = rl_list_new(&made, out->n)))
        goto done;
    for (int64_t i = 0; i < out->n && !status; i++) {
        rl_tensor *v = out->v[i];
        made.v[i] = copy ? rl_new((rl_dtype)v->dtype, v->ndim, v->shape)
                         : rl_new_view(x, v->ndim, v->shape, v->strides, v->offset);
        status = made.v[i] && copy ? rl_copy_data(made.v[i], v) : rl_status_of(made.v[i]);
    }
    if (!status && out->n > 0 && rl_recording(x) && has_node(out->v[0])) {
        rl_node *n = rl_node_new_n(type, (int)made.n, made.v, 1, &x, 0);
        take_over(n, out->v[0]);
        status = rl_record_n(n, (int)made.n, made.v);
    }
done:
    rl_list_free(out);
    if (status)
        rl_list_free(&made);
    else
        *out = made;
    return status;
}

rl_status rl_split_copy(rl_tensor *x, int64_t split_size, int64_t dim, rl_list *out)
{
    return replaced(rl_split(x, split_size, dim, out), out, x, &split_node, true);
}

rl_status rl_split_with_sizes_copy(rl_tensor *x, rl_ints sizes, int64_t dim, rl_list *out)
{
    return replaced(rl_split_sizes(x, sizes, dim, out), out, x, &split_sizes_node, true);
}

rl_status rl_unbind_copy(rl_tensor *x, int64_t dim, rl_list *out)
{
    return replaced(rl_unbind(x, dim, out), out, x, &unbind_node, true);
}

rl_status rl_unsafe_split(rl_tensor *x, int64_t split_size, int64_t dim, rl_list *out)
{
    return replaced(rl_split(x, split_size, dim, out), out, x, &unsafe_split_node, false);
}

rl_status rl_unsafe_split_with_sizes(rl_tensor *x, rl_ints sizes, int64_t dim, rl_list *out)
{
    return replaced(rl_split_sizes(x, sizes, dim, out), out, x, &unsafe_split_sizes_node, false);
}

rl_status rl_unsafe_chunk(rl_tensor *x, int64_t chunks, int64_t dim, rl_list *out)
{
    return replaced(rl_chunk(x, chunks, dim, out), out, x, &unsafe_split_node, false);
}
