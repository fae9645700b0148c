/* index_dim.c: slices of one dim named by a vector of indices: index_select, index_add, index_copy,
 * index_fill, and take, which indexes the flattened tensor. */
#include "core/iter.h"
#include "ops/element.h"
#include "ops/index.h"

static bool is_index_dtype(const rl_tensor *t) { return t->dtype == RL_I64 || t->dtype == RL_I32; }

/* ---- index_select ---- */

/* dx = zeros with g's slices added. */
static rl_status index_select_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *index = rl_saved(n, 0);
    RL_TEMP *zeros =
        index ? rl_zeros_data((rl_dtype)g[0]->dtype, n->args.n_dims, n->args.dims) : NULL;
    dx[0] = zeros ? rl_index_add(zeros, n->args.i[0], index, g[0], rl_int(1)) : NULL;
    return rl_status_of(dx[0]);
}

static const rl_node_type index_select_node = {"IndexSelectBackward0", index_select_backward, 1,
                                               NULL};

rl_tensor *rl_index_select(rl_tensor *x, int64_t dim, rl_tensor *index)
{
    if (!x || !index || rl_wrap_dim(&dim, x->ndim))
        return NULL;
    if (index->ndim > 1)
        return rl_fail(RL_EINDEX, "index_select(): Index is supposed to be a vector");
    if (!is_index_dtype(index))
        return rl_fail(RL_ERUNTIME, "index_select(): Expected dtype int32 or int64 for index");
    if (x->ndim == 0 && index->numel != 1)
        return rl_fail(RL_ERUNTIME,
                       "index_select(): Index to scalar can have only 1 value, got %lld value(s)",
                       (long long)index->numel);
    RL_TEMP *values = rl_index_values(index);
    if (!values)
        return NULL;
    const int64_t *k = (const int64_t *)values->data;
    int64_t shape[RL_MAX_DIMS], strides[RL_MAX_DIMS], size;
    int ndim = rl_at_least_1d(x, shape, strides);
    size = shape[dim];
    for (int64_t i = 0; i < values->numel; i++)
        if ((k[i] < 0 || k[i] >= size) && dim == 1) /* PyTorch has a path of its own for dim 1 */
            return rl_fail(RL_ERUNTIME,
                           "INDICES element is out of DATA bounds, id=%lld axis_dim=%lld",
                           (long long)k[i], (long long)size);
        else if (k[i] < 0 || k[i] >= size)
            return rl_fail(RL_EINDEX, "index out of range in self");
    shape[dim] = values->numel;
    RL_TEMP *z = rl_new((rl_dtype)x->dtype, x->ndim, shape);
    if (!z)
        return NULL;
    size_t item = rl_itemsize(x);
    int64_t outer = 1, inner = (int64_t)item; /* bytes after dim */
    for (int d = 0; d < dim; d++)
        outer *= shape[d];
    for (int d = (int)dim + 1; d < ndim; d++)
        inner *= shape[d];
    if (z->numel > 0 && x->contiguous && inner == (int64_t)item) {
        for (int64_t o = 0; o < outer; o++)
            rl_index_row(RL_INDEX_GATHER, (rl_dtype)x->dtype, x->data + o * size * inner, inner, 0,
                         z->data + o * values->numel * inner, inner, k, values->numel);
    } else if (z->numel > 0 && x->contiguous) {
        char *to = z->data;
        for (int64_t o = 0; o < outer; o++)
            for (int64_t i = 0; i < values->numel; i++, to += inner)
                memcpy(to, x->data + (o * size + k[i]) * inner, (size_t)inner);
    } else if (z->numel > 0) {
        ptrdiff_t from[RL_MAX_DIMS], to[RL_MAX_DIMS];
        rl_byte_strides(x, from);
        rl_byte_strides(z, to);
        shape[dim] = 1;
        for (int64_t i = 0; i < values->numel; i++)
            rl_strided_copy(ndim, shape, z->data + i * to[dim], to, x->data + k[i] * from[dim],
                            from, item);
    }
    if (!rl_recording(x))
        return rl_retain(z);
    rl_node *n = rl_node_new(&index_select_node, z, 1, &x);
    if (n) {
        rl_save(n, 0, index);
        rl_node_set_dims(n, x->ndim, x->shape);
        n->args.i[0] = dim;
    }
    return rl_record(n, rl_retain(z));
}

/* ---- index_add, index_copy, index_fill ---- */

/* The elements k[0], k[1], ... of every row of a (shape: a's, strides in bytes), with b's. */
static void each_row(rl_index_way what, rl_tensor *a, int ndim, const int64_t *shape,
                     const ptrdiff_t *sa, char *b, const ptrdiff_t *sb, const int64_t *k, int64_t n)
{
    int64_t at[RL_MAX_DIMS] = {0};
    char *pa = a->data;
    int last = ndim - 1, d = 0;
    for (int i = 0; i < last; i++)
        if (shape[i] == 0)
            return;
    while (d >= 0) {
        rl_index_row(what, (rl_dtype)a->dtype, pa, sa[last], 0, b, sb[last], k, n);
        for (d = last - 1; d >= 0; d--) {
            pa += sa[d], b += sb[d];
            if (++at[d] < shape[d])
                break;
            pa -= sa[d] * shape[d], b -= sb[d] * shape[d];
            at[d] = 0;
        }
    }
}

/* Copy of x, in which slice k[i] of dim is added or replaced by slice i of source (in all slices
 * the one element of source, when single). */
static rl_tensor *with_slices(rl_tensor *x, int64_t dim, const rl_tensor *values, rl_tensor *source,
                              bool single, bool add)
{
    RL_TEMP *z =
        single ? rl_new_like(x, (rl_dtype)x->dtype) : rl_new((rl_dtype)x->dtype, x->ndim, x->shape);
    if (!z || rl_copy_data(z, x))
        return NULL;
    int64_t shape[RL_MAX_DIMS], strides[RL_MAX_DIMS];
    ptrdiff_t to[RL_MAX_DIMS], from[RL_MAX_DIMS];
    int ndim = rl_at_least_1d(z, shape, strides);
    size_t item = rl_itemsize(z);
    for (int d = 0; d < ndim; d++) {
        to[d] = strides[d] * (ptrdiff_t)item;
        from[d] = single || source->ndim == 0 ? 0 : source->strides[d] * (ptrdiff_t)item;
    }
    const int64_t *k = (const int64_t *)values->data;
    if (dim == ndim - 1) { /* slices of single elements: row by row instead */
        each_row(add ? RL_INDEX_ADD : RL_INDEX_SCATTER, z, ndim, shape, to, source->data, from, k,
                 values->numel);
        return rl_retain(z);
    }
    shape[dim] = 1;
    for (int64_t i = 0; i < values->numel; i++) {
        char *at = z->data + k[i] * to[dim];
        if (add)
            rl_strided_add(ndim, shape, at, to, source->data + i * from[dim], from,
                           (rl_dtype)z->dtype);
        else
            rl_strided_copy(ndim, shape, at, to, source->data + i * from[dim], from, item);
    }
    return rl_retain(z);
}

static rl_status check_values(const rl_tensor *values, int64_t dim, int64_t size, rl_status code,
                              const char *prefix)
{
    const int64_t *k = (const int64_t *)values->data;
    int64_t bad = rl_index_outside(k, values->numel, 0, size);
    if (bad < values->numel)
        return rl_error(code, "%sindex %lld is out of bounds for dimension %lld with size %lld",
                        prefix, (long long)k[bad], (long long)dim, (long long)size);
    return RL_OK;
}

static rl_status index_add_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    if (rl_wants(n, 0))
        dx[0] = rl_retain(g[0]);
    if (!rl_wants(n, 1))
        return RL_OK;
    RL_TEMP *index = rl_saved(n, 0);
    RL_TEMP *picked = index ? rl_index_select(g[0], n->args.i[0], index) : NULL;
    RL_TEMP *alpha = picked ? rl_wrap_number(n->args.s[0]) : NULL;
    dx[1] = alpha ? rl_mul(picked, alpha) : NULL;
    return rl_status_of(dx[1]);
}

static const rl_node_type index_add_node = {"IndexAddBackward0", index_add_backward, 1, NULL};

/* Sizes of source: those of x, and the number of indices along dim. */
static bool source_fits(const rl_tensor *x, int64_t dim, const rl_tensor *source)
{
    if (source->ndim != x->ndim)
        return false;
    for (int d = 0; d < x->ndim; d++)
        if (d != dim && x->shape[d] != source->shape[d])
            return false;
    return true;
}

rl_tensor *rl_index_add(rl_tensor *x, int64_t dim, rl_tensor *index, rl_tensor *source,
                        rl_scalar alpha)
{
    if (!x || !index || !source || rl_wrap_dim(&dim, x->ndim))
        return NULL;
    if (!is_index_dtype(index))
        return rl_fail(RL_ERUNTIME,
                       "index_add_(): Expected dtype int32/int64 for index but got: %s",
                       rl_dtype_title((rl_dtype)index->dtype));
    if (x->dtype != source->dtype)
        return rl_fail(RL_ERUNTIME,
                       "index_add_(): self (%s) and source (%s) must have the same scalar type",
                       rl_dtype_title((rl_dtype)x->dtype), rl_dtype_title((rl_dtype)source->dtype));
    if (index->ndim > 1)
        return rl_fail(RL_EINDEX, "index_add_(): Index is supposed to be a vector, but got dim: %d",
                       index->ndim);
    int64_t count = source->ndim ? source->shape[dim < source->ndim ? dim : 0] : 1;
    if (index->numel != count)
        return rl_fail(RL_ERUNTIME,
                       "index_add_(): Number of indices (%lld) should be equal to "
                       "source.size(dim): (%lld), for dim: %lld",
                       (long long)index->numel, (long long)count, (long long)dim);
    if (!source_fits(x, dim, source))
        return rl_fail(RL_ERUNTIME,
                       "source tensor shape must match self tensor shape, excluding the specified "
                       "dimension. Got self.shape "
                       "= %s source.shape = %s",
                       rl_shape_str(x).s, rl_shape_str(source).s);
    RL_TEMP *values = rl_index_values(index);
    if (!values || check_values(values, dim, x->ndim ? x->shape[dim] : 1, RL_ERUNTIME, ""))
        return NULL;
    bool scaled =
        !(alpha.dtype != RL_F64 && alpha.i == 1) && !(alpha.dtype == RL_F64 && alpha.f == 1);
    RL_TEMP *added = NULL;
    if (scaled) {
        bool mode = rl_set_grad_enabled(false);
        RL_TEMP *factor = rl_wrap_number(alpha);
        RL_TEMP *product = factor ? rl_mul(source, factor) : NULL;
        added = product ? rl_cast_data(product, (rl_dtype)x->dtype) : NULL;
        rl_set_grad_enabled(mode);
    } else {
        added = rl_retain(source);
    }
    RL_TEMP *z = added ? with_slices(x, dim, values, added, false, true) : NULL;
    if (!z || (!rl_recording(x) && !rl_recording(source)))
        return rl_retain(z);
    rl_node *n = rl_node_new(&index_add_node, z, 2, (rl_tensor *[]){x, source});
    if (n) {
        rl_save(n, 0, index);
        n->args.i[0] = dim;
        n->args.s[0] = alpha;
    }
    return rl_record(n, rl_retain(z));
}

/* The gradient where nothing was written: 0 at the index. */
static rl_tensor *elsewhere(rl_tensor *g, int64_t dim, rl_tensor *index)
{
    RL_TEMP *zero = rl_wrap_number(rl_int(0));
    return zero ? rl_index_fill(g, dim, index, zero) : NULL;
}

static rl_status index_copy_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *index = rl_saved(n, 0);
    if (!index)
        return rl_error_code();
    if (rl_wants(n, 0) && !(dx[0] = elsewhere(g[0], n->args.i[0], index)))
        return rl_error_code();
    if (rl_wants(n, 1)) {
        dx[1] = rl_index_select(g[0], n->args.i[0], index);
        return rl_status_of(dx[1]);
    }
    return RL_OK;
}

static const rl_node_type index_copy_node = {"IndexCopyBackward0", index_copy_backward, 1, NULL};

rl_tensor *rl_index_copy(rl_tensor *x, int64_t dim, rl_tensor *index, rl_tensor *source)
{
    if (!x || !index || !source || rl_wrap_dim(&dim, x->ndim))
        return NULL;
    if (index->ndim > 1)
        return rl_fail(RL_EINDEX, "index_copy_(): Index should have dimension 1 or 0 (got %d)",
                       index->ndim);
    if (index->dtype != RL_I64)
        return rl_fail(RL_ERUNTIME, "index_copy_(): Expected a long tensor for index, but got %s",
                       rl_dtype_title((rl_dtype)index->dtype));
    if (x->dtype != source->dtype)
        return rl_fail(RL_ERUNTIME,
                       "index_copy_(): self and source expected to have the same dtype, but got "
                       "(self) %s and (source) %s",
                       rl_dtype_title((rl_dtype)x->dtype), rl_dtype_title((rl_dtype)source->dtype));
    int64_t count = source->ndim ? source->shape[dim < source->ndim ? dim : 0] : 1;
    if (!source_fits(x, dim, source))
        return rl_fail(RL_ERUNTIME,
                       "index_copy_(): Source/destination tensor must have same slice shapes. "
                       "Destination slice shape: %s "
                       "at dimension %lld and source slice shape: %s at dimension 0.",
                       rl_shape_str(x).s, (long long)dim, rl_shape_str(source).s);
    if (index->numel != count)
        return rl_fail(
            RL_EINDEX,
            "index_copy_(): Number of indices (%lld) should be equal to source.size(dim) (%lld)",
            (long long)index->numel, (long long)count);
    RL_TEMP *values = rl_index_values(index);
    if (!values ||
        check_values(values, dim, x->ndim ? x->shape[dim] : 1, RL_EINDEX, "index_copy_(): "))
        return NULL;
    RL_TEMP *z = with_slices(x, dim, values, source, false, false);
    if (!z || (!rl_recording(x) && !rl_recording(source)))
        return rl_retain(z);
    rl_node *n = rl_node_new(&index_copy_node, z, 2, (rl_tensor *[]){x, source});
    if (n) {
        rl_save(n, 0, index);
        n->args.i[0] = dim;
    }
    return rl_record(n, rl_retain(z));
}

static rl_status index_fill_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *index = rl_saved(n, 0);
    if (!index)
        return rl_error_code();
    if (rl_wants(n, 0) && !(dx[0] = elsewhere(g[0], n->args.i[0], index)))
        return rl_error_code();
    if (rl_wants(n, 1)) {
        RL_TEMP *none = rl_zeros_like(g[0], RL_BOOL); /* a place that is named twice counts once */
        RL_TEMP *yes = rl_wrap_number(rl_bool(true));
        RL_TEMP *mask = none && yes ? rl_index_fill(none, n->args.i[0], index, yes) : NULL;
        RL_TEMP *zero = rl_wrap_number(rl_int(0));
        RL_TEMP *picked = mask ? rl_where(mask, g[0], zero) : NULL;
        dx[1] = picked ? rl_sum(picked, (rl_ints){NULL, -1}, false, RL_NO_DTYPE) : NULL;
        return rl_status_of(dx[1]);
    }
    return RL_OK;
}

static const rl_node_type index_fill_node = {"IndexFillBackward0", index_fill_backward, 1, NULL};

rl_tensor *rl_index_fill(rl_tensor *x, int64_t dim, rl_tensor *index, rl_tensor *value)
{
    if (!x || !index || !value || rl_wrap_dim(&dim, x->ndim))
        return NULL;
    if (index->dtype != RL_I64)
        return rl_fail(RL_EINDEX, "index_fill_(): Expected dtype int64 for index.");
    if (index->ndim > 1)
        return rl_fail(RL_EINDEX, "Index has to be a vector/scalar");
    if (value->ndim)
        return rl_fail(RL_ERUNTIME,
                       "index_fill_ only supports a 0-dimensional value tensor, but got tensor "
                       "with %d dimension(s).",
                       value->ndim);
    RL_TEMP *values = rl_index_values(index);
    int64_t size = x->ndim ? x->shape[dim] : 1;
    if (!values)
        return NULL;
    int64_t *k = (int64_t *)values->data;
    RL_TEMP *wrapped = rl_new(RL_I64, 1, &values->numel);
    if (!wrapped)
        return NULL;
    for (int64_t i = 0; i < values->numel; i++) {
        if (k[i] < -size || k[i] >= size)
            return rl_fail(RL_EINDEX,
                           "index %lld is out of bounds for dimension %lld with size %lld",
                           (long long)k[i], (long long)dim, (long long)size);
        ((int64_t *)wrapped->data)[i] = k[i] < 0 ? k[i] + size : k[i];
    }
    RL_TEMP *one = rl_cast_data(value, (rl_dtype)x->dtype);
    RL_TEMP *z = one ? with_slices(x, dim, wrapped, one, true, false) : NULL;
    if (!z || (!rl_recording(x) && !rl_recording(value)))
        return rl_retain(z);
    rl_node *n = rl_node_new(&index_fill_node, z, 2, (rl_tensor *[]){x, value});
    if (n) {
        rl_save(n, 0, wrapped);
        n->args.i[0] = dim;
    }
    return rl_record(n, rl_retain(z));
}

/* ---- take ---- */

static rl_status take_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *index = rl_saved(n, 0);
    if (!index)
        return rl_error_code();
    rl_index_list list = {.n = 1, .v = {index}};
    int64_t numel = n->args.i[0];
    RL_TEMP *flat = rl_index_backward(g[0], 1, &numel, &list);
    dx[0] = flat ? rl_reshape(flat, (rl_ints){n->args.dims, n->args.n_dims}) : NULL;
    return rl_status_of(dx[0]);
}

static const rl_node_type take_node = {"TakeBackward0", take_backward, 1, NULL};

rl_tensor *rl_take(rl_tensor *x, rl_tensor *index)
{
    if (!x || !index)
        return NULL;
    if (index->dtype != RL_I64)
        return rl_fail(RL_ERUNTIME, "take(): Expected a long tensor for index, but got %s",
                       rl_dtype_title((rl_dtype)index->dtype));
    if (x->numel == 0 && index->numel != 0)
        return rl_fail(RL_EINDEX, "take(): tried to take from an empty tensor");
    RL_TEMP *flat = rl_contiguous_data(x);
    RL_TEMP *values = rl_index_values(index);
    RL_TEMP *z = flat && values ? rl_new((rl_dtype)x->dtype, index->ndim, index->shape) : NULL;
    if (!z)
        return NULL;
    size_t item = rl_itemsize(x);
    const int64_t *k = (const int64_t *)values->data;
    int64_t bad = rl_index_outside(k, z->numel, -x->numel, x->numel);
    if (bad < z->numel)
        return rl_fail(RL_EINDEX,
                       "out of range: tried to access index %lld on a tensor of %lld elements.",
                       (long long)k[bad], (long long)x->numel);
    const int64_t n = z->numel, size = x->numel;
    const char *from = flat->data;
    char *to = z->data;
#define TAKE(bytes)                                                                                \
    for (int64_t i = 0; i < n; i++)                                                                \
        memcpy(to + i * bytes, from + (k[i] + (size & k[i] >> 63)) * bytes, bytes);                \
    break;
    switch (item) {
    case 1:
        TAKE(1)
    case 2:
        TAKE(2)
    case 4:
        TAKE(4)
    case 8:
        TAKE(8)
    default:
        TAKE(16)
    }
#undef TAKE
    if (!rl_recording(x))
        return rl_retain(z);
    rl_node *node = rl_node_new(&take_node, z, 1, &x);
    if (node) {
        rl_save(node, 0, index);
        rl_node_set_dims(node, x->ndim, x->shape);
        node->args.i[0] = x->numel;
    }
    return rl_record(node, rl_retain(z));
}
