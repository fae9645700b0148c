/* scatter.c: one index per element: gather, scatter, scatter_add, take_along_dim. */
#include "core/iter.h"
#include "ops/element.h"
#include "ops/index.h"

/* ---- checks ---- */

static rl_status check_index_dtype(const char *name, const rl_tensor *index)
{
    if (index->dtype == RL_I64 || index->dtype == RL_I32)
        return RL_OK;
    return rl_error(RL_ERUNTIME, "%s(): Expected dtype int32/int64 for index", name);
}

static int dims_of(const rl_tensor *x) { return x->ndim ? x->ndim : 1; }
static int64_t size_at(const rl_tensor *x, int d) { return x->ndim ? x->shape[d] : 1; }

/* All values in 0..size-1.  values: row-major int64. */
static rl_status check_range(const rl_tensor *values, int64_t dim, int64_t size)
{
    const int64_t *v = (const int64_t *)values->data;
    int64_t bad = rl_index_outside(v, values->numel, 0, size);
    if (bad < values->numel)
        return rl_error(RL_ERUNTIME,
                        "index %lld is out of bounds for dimension %lld with size %lld",
                        (long long)v[bad], (long long)dim, (long long)size);
    return RL_OK;
}

/* ---- the walk over an index tensor ---- */

/* One element; a is the tensor addressed through the index, b the other one. */
static inline void move(rl_index_way what, rl_dtype dtype, size_t size, char *a, char *b)
{
    switch (what) {
    case RL_INDEX_GATHER:
        rl_element_copy(size, b, a);
        break;
    case RL_INDEX_SCATTER:
    case RL_INDEX_FILL:
        rl_element_copy(size, a, b);
        break;
    case RL_INDEX_ADD:
        rl_element_add(dtype, a, b);
        break;
    case RL_INDEX_MULTIPLY:
        rl_element_mul(dtype, a, b);
    }
}

/* Elements of any dtype, copied by size. */
typedef uint32_t any32 __attribute__((may_alias));
typedef uint64_t any64 __attribute__((may_alias));

/* The everyday cases have loops of their own. */
void rl_index_row(rl_index_way what, rl_dtype dtype, char *a, ptrdiff_t step, ptrdiff_t ta, char *b,
                  ptrdiff_t tb, const int64_t *k, int64_t n)
{
    const size_t size = rl_dtype_size(dtype);
#define LOOP(T, statement)                                                                         \
    if (ta == 0 && step == sizeof(T) && tb == sizeof(T))                                           \
        for (int64_t i = 0; i < n; i++) {                                                          \
            T *x = (T *)a + k[i], *y = (T *)b + i;                                                 \
            statement;                                                                             \
        }                                                                                          \
    else                                                                                           \
        for (int64_t i = 0; i < n; i++) {                                                          \
            T *x = (T *)(a + i * ta + k[i] * step), *y = (T *)(b + i * tb);                        \
            statement;                                                                             \
        }                                                                                          \
    return;
    if (what == RL_INDEX_GATHER && size == 4) {
        LOOP(any32, *y = *x)
    } else if (what == RL_INDEX_GATHER && size == 8) {
        LOOP(any64, *y = *x)
    } else if (what == RL_INDEX_SCATTER && size == 4) {
        LOOP(any32, *x = *y)
    } else if (what == RL_INDEX_SCATTER && size == 8) {
        LOOP(any64, *x = *y)
    } else if (what == RL_INDEX_ADD && dtype == RL_F32) {
        LOOP(float, *x += *y)
    } else if (what == RL_INDEX_ADD && dtype == RL_F64) {
        LOOP(double, *x += *y)
    }
#undef LOOP
    for (int64_t i = 0; i < n; i++)
        move(what, dtype, size, a + i * ta + k[i] * step, b + i * tb);
}

/* For every position p of the index: a[p with p[dim] = index[p]] and b[p], in row-major order of p.
 * index: row-major int64; b may be a single element (RL_INDEX_FILL, RL_INDEX_ADD, RL_INDEX_MULTIPLY
 * with b_is_one). */
static void walk(rl_index_way what, rl_tensor *a, int dim, const rl_tensor *index, rl_tensor *b,
                 bool b_is_one)
{
    size_t size = rl_itemsize(a);
    rl_dtype dtype = (rl_dtype)a->dtype;
    int64_t shape[RL_MAX_DIMS], none[RL_MAX_DIMS], at[RL_MAX_DIMS] = {0};
    ptrdiff_t sa[RL_MAX_DIMS], sb[RL_MAX_DIMS];
    int ndim = rl_at_least_1d(index, shape, none);
    if (index->numel == 0)
        return;
    for (int d = 0; d < ndim; d++) {
        sa[d] = a->ndim ? a->strides[d] * (ptrdiff_t)size : 0;
        sb[d] = b_is_one || !b->ndim ? 0 : b->strides[d] * (ptrdiff_t)size;
    }
    ptrdiff_t step = sa[dim];
    sa[dim] = 0; /* the index alone moves along dim */
    int last = ndim - 1;
    const int64_t *k = (const int64_t *)index->data;
    char *pa = a->data, *pb = b->data;
    for (;;) {
        rl_index_row(what, dtype, pa, step, sa[last], pb, sb[last], k, shape[last]);
        k += shape[last];
        int d = last - 1;
        for (; d >= 0; d--) {
            pa += sa[d];
            pb += sb[d];
            if (++at[d] < shape[d])
                break;
            pa -= sa[d] * shape[d];
            pb -= sb[d] * shape[d];
            at[d] = 0;
        }
        if (d < 0)
            return;
    }
}

/* ---- gather ---- */

static rl_status gather_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *index = rl_saved(n, 0);
    RL_TEMP *zeros =
        index ? rl_zeros_data((rl_dtype)g[0]->dtype, n->args.n_dims, n->args.dims) : NULL;
    dx[0] = zeros ? rl_scatter_add(zeros, n->args.i[0], index, g[0]) : NULL;
    return rl_status_of(dx[0]);
}

static const rl_node_type gather_node = {"GatherBackward0", gather_backward, 1, NULL};

rl_tensor *rl_gather(rl_tensor *x, int64_t dim, rl_tensor *index, bool sparse_grad)
{
    if (!x || !index || rl_wrap_dim(&dim, x->ndim) || check_index_dtype("gather", index))
        return NULL;
    if (index->numel > 0) {
        if (dims_of(index) != dims_of(x))
            return rl_fail(RL_ERUNTIME,
                           "Index tensor must have the same number of dimensions as input tensor");
        for (int d = 0; d < dims_of(x); d++)
            if (d != dim && size_at(index, d) > size_at(x, d))
                return rl_fail(RL_ERUNTIME,
                               "Size does not match at dimension %d expected index %s to be no "
                               "larger than self %s apart "
                               "from dimension %d",
                               d, rl_shape_str(index).s, rl_shape_str(x).s, (int)dim);
    }
    RL_TEMP *values = rl_index_values(index);
    if (!values || check_range(values, dim, size_at(x, (int)dim)))
        return NULL;
    RL_TEMP *z = rl_new((rl_dtype)x->dtype, index->ndim, index->shape);
    if (!z)
        return NULL;
    walk(RL_INDEX_GATHER, x, (int)dim, values, z, false);
    if (!rl_recording(x))
        return rl_retain(z);
    rl_node *n = rl_node_new(&gather_node, z, 1, &x);
    if (n) {
        rl_save(n, 0, index);
        rl_node_set_dims(n, x->ndim, x->shape);
        n->args.i[0] = dim;
    }
    return rl_record(n, rl_retain(z));
}

/* ---- scatter ---- */

/* dself = g with zeros where something was written; dsrc = g read there. */
static rl_status scatter_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *index = rl_saved(n, 0);
    if (!index)
        return rl_error_code();
    if (rl_wants(n, 0)) {
        dx[0] = rl_scatter_value(g[0], n->args.i[0], index, rl_int(0), NULL);
        if (!dx[0])
            return rl_error_code();
    }
    if (n->n_inputs > 1 && rl_wants(n, 1)) {
        dx[1] = rl_gather(g[0], n->args.i[0], index, false);
        return rl_status_of(dx[1]);
    }
    return RL_OK;
}

static rl_status scatter_add_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    if (rl_wants(n, 0))
        dx[0] = rl_retain(g[0]);
    if (rl_wants(n, 1)) {
        RL_TEMP *index = rl_saved(n, 0);
        dx[1] = index ? rl_gather(g[0], n->args.i[0], index, false) : NULL;
        return rl_status_of(dx[1]);
    }
    return RL_OK;
}

static const rl_node_type scatter_node = {"ScatterBackward0", scatter_backward, 1, NULL};
static const rl_node_type scatter_value_node = {"ScatterBackward1", scatter_backward, 1, NULL};
static const rl_node_type scatter_add_node = {"ScatterAddBackward0", scatter_add_backward, 1, NULL};

/* The common part: checks, copy of x, walk, record.  src NULL: the number `value` everywhere. */
static rl_tensor *scatter(const char *name, rl_index_way what, rl_tensor *x, int64_t dim,
                          rl_tensor *index, rl_tensor *src, rl_scalar value)
{
    if (!x || !index || rl_wrap_dim(&dim, x->ndim) || check_index_dtype(name, index))
        return NULL;
    if (src && src->dtype != x->dtype)
        return rl_fail(RL_ERUNTIME, "%s(): Expected self.dtype to be equal to src.dtype", name);
    if (index->numel > 0) {
        if (dims_of(index) != dims_of(x))
            return rl_fail(RL_ERUNTIME,
                           "Index tensor must have the same number of dimensions as self tensor");
        if (src && dims_of(index) != dims_of(src))
            return rl_fail(RL_ERUNTIME,
                           "Index tensor must have the same number of dimensions as src tensor");
        for (int d = 0; d < dims_of(x); d++) {
            if ((d == dim || size_at(index, d) <= size_at(x, d)) &&
                (!src || size_at(index, d) <= size_at(src, d)))
                continue;
            if (src)
                return rl_fail(RL_ERUNTIME,
                               "Expected index %s to be no larger than self %s apart from "
                               "dimension %d and to be no larger "
                               "size than src %s",
                               rl_shape_str(index).s, rl_shape_str(x).s, (int)dim,
                               rl_shape_str(src).s);
            return rl_fail(RL_ERUNTIME,
                           "Expected index %s to be no larger than self %s apart from dimension %d",
                           rl_shape_str(index).s, rl_shape_str(x).s, (int)dim);
        }
    }
    RL_TEMP *values = rl_index_values(index);
    if (!values || check_range(values, dim, size_at(x, (int)dim)))
        return NULL;
    RL_TEMP *one = src ? rl_retain(src) : rl_scalar_tensor(value, (rl_dtype)x->dtype);
    RL_TEMP *z = one ? rl_new((rl_dtype)x->dtype, x->ndim, x->shape) : NULL;
    if (!z || rl_copy_data(z, x))
        return NULL;
    walk(what, z, (int)dim, values, one, !src);
    if (!rl_recording(x) && !rl_recording(src))
        return rl_retain(z);
    bool adds = what == RL_INDEX_ADD && !strcmp(name, "scatter_add");
    if ((what == RL_INDEX_ADD || what == RL_INDEX_MULTIPLY) && !adds)
        return rl_fail(
            RL_ENOTIMPL,
            "the derivative of scatter with reduce= is not implemented; use scatter_add");
    const rl_node_type *type = adds ? &scatter_add_node : src ? &scatter_node : &scatter_value_node;
    rl_node *n = rl_node_new(type, z, src ? 2 : 1, (rl_tensor *[]){x, src});
    if (n) {
        rl_save(n, 0, index);
        n->args.i[0] = dim;
    }
    return rl_record(n, rl_retain(z));
}

/* reduce: NULL, "add" or "multiply". */
static rl_status parse_reduce(const char *reduce, rl_index_way *what, rl_index_way plain)
{
    *what = plain;
    if (!reduce)
        return RL_OK;
    if (!strcmp(reduce, "add"))
        *what = RL_INDEX_ADD;
    else if (!strcmp(reduce, "multiply"))
        *what = RL_INDEX_MULTIPLY;
    else
        return rl_error(RL_ERUNTIME, "reduce argument must be either add or multiply.");
    return RL_OK;
}

rl_tensor *rl_scatter_value(rl_tensor *x, int64_t dim, rl_tensor *index, rl_scalar value,
                            const char *reduce)
{
    rl_index_way what;
    if (parse_reduce(reduce, &what, RL_INDEX_FILL))
        return NULL;
    return scatter("scatter", what, x, dim, index, NULL, value);
}

rl_tensor *rl_scatter(rl_tensor *x, int64_t dim, rl_tensor *index, rl_tensor *src,
                      const char *reduce)
{
    rl_index_way what;
    if (!src || parse_reduce(reduce, &what, RL_INDEX_SCATTER))
        return NULL;
    if (rl_is_wrapped_number(src) && rl_is_complex((rl_dtype)src->dtype) && x && index &&
        rl_is_complex((rl_dtype)x->dtype)) {
        RL_TEMP *one = rl_to_dtype(src, (rl_dtype)x->dtype, false);
        RL_TEMP *all = one ? rl_expand(one, (rl_ints){index->shape, index->ndim}, false) : NULL;
        return all ? scatter("scatter", what, x, dim, index, all, rl_no_scalar()) : NULL;
    }
    if (rl_is_wrapped_number(src)) {
        rl_scalar value;
        return rl_item(src, &value) ? NULL : rl_scatter_value(x, dim, index, value, reduce);
    }
    return scatter("scatter", what, x, dim, index, src, rl_no_scalar());
}

rl_tensor *rl_scatter_add(rl_tensor *x, int64_t dim, rl_tensor *index, rl_tensor *src)
{
    return src ? scatter("scatter_add", RL_INDEX_ADD, x, dim, index, src, rl_no_scalar()) : NULL;
}

/* ---- take_along_dim ---- */

/* Indices along a dim wrap around: -1 is the last, and `size` the first, as in PyTorch. */
static rl_tensor *wrapped_indices(rl_tensor *indices, int64_t size)
{
    RL_TEMP *number = rl_wrap_number(rl_int(size));
    return size ? rl_remainder(indices, number) : rl_retain(indices);
}

rl_tensor *rl_take_along_dim(rl_tensor *x, rl_tensor *indices, rl_opt_int dim)
{
    if (!x || !indices)
        return NULL;
    if (indices->dtype != RL_I64 && indices->dtype != RL_I32)
        return rl_fail(RL_ERUNTIME,
                       "torch.take_along_dim(): dtype of indices should be Long but got %s",
                       rl_dtype_title((rl_dtype)indices->dtype));
    if (!dim.given) {
        RL_TEMP *flat = rl_reshape(x, (rl_ints){(int64_t[]){x->numel}, 1});
        RL_TEMP *at = rl_reshape(indices, (rl_ints){(int64_t[]){indices->numel}, 1});
        return flat && at ? rl_gather(flat, 0, at, false) : NULL;
    }
    int64_t along = dim.v;
    if (x->ndim != indices->ndim)
        return rl_fail(RL_ERUNTIME,
                       "torch.take_along_dim(): input and indices should have the same number of "
                       "dimensions, but got %d "
                       "dimensions for input, and %d dimensions for indices",
                       x->ndim, indices->ndim);
    if (rl_wrap_dim(&along, x->ndim))
        return NULL;
    if (x->ndim == 0)
        return rl_fail(RL_EINDEX, "Dimension specified as %lld but tensor has no dimensions",
                       (long long)dim.v);
    /* Broadcast all dims but the one along which to take. */
    int64_t a[RL_MAX_DIMS], b[RL_MAX_DIMS], shape[RL_MAX_DIMS];
    int n;
    memcpy(a, x->shape, x->ndim * sizeof *a);
    memcpy(b, indices->shape, x->ndim * sizeof *b);
    a[along] = b[along] = 1;
    if (rl_broadcast_shapes(x->ndim, a, x->ndim, b, &n, shape))
        return NULL;
    shape[along] = x->shape[along];
    RL_TEMP *wide = rl_expand(x, (rl_ints){shape, n}, false);
    shape[along] = indices->shape[along];
    RL_TEMP *places = wide ? wrapped_indices(indices, x->shape[along]) : NULL;
    RL_TEMP *at = places ? rl_expand(places, (rl_ints){shape, n}, false) : NULL;
    return at ? rl_gather(wide, along, at, false) : NULL;
}
