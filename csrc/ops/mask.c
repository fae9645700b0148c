/* mask.c: masked_fill, masked_select, masked_scatter, nonzero and what follows from it. */
#include "core/iter.h"
#include "ops/element.h"
#include "ops/index.h"

/* ---- walking a mask ---- */

/* Elements where the mask is true are packed (SELECT) or filled from packed ones (SCATTER), in
 * row-major order of the mask.  z, mask: same shape, any strides. */
typedef enum { SELECT, SCATTER } way;

typedef struct packed {
    char *next, *end; /* the packed elements not yet used */
    size_t size;
} packed;

/* Writes each element, and steps on only where the mask is true: no branch to mispredict. */
static void select_row(const char *z, ptrdiff_t tz, const char *mask, ptrdiff_t tm, int64_t n,
                       packed *p)
{
    char *next = p->next, *end = p->end;
#define ROW(bytes)                                                                                 \
    for (int64_t i = 0; i < n && next < end; i++) {                                                \
        memcpy(next, z + i * tz, bytes);                                                           \
        next += mask[i * tm] ? bytes : 0;                                                          \
    }                                                                                              \
    break;
    switch (p->size) {
    case 1:
        ROW(1)
    case 2:
        ROW(2)
    case 4:
        ROW(4)
    case 8:
        ROW(8)
    default:
        ROW(16)
    }
#undef ROW
    p->next = next;
}

static void scatter_row(char *z, ptrdiff_t tz, const char *mask, ptrdiff_t tm, int64_t n, packed *p)
{
    for (int64_t i = 0; i < n; i++) {
        if (!mask[i * tm])
            continue;
        rl_element_copy(p->size, z + i * tz, p->next);
        p->next += p->size;
    }
}

static void walk(way what, char *z, const ptrdiff_t *sz, const char *mask, const ptrdiff_t *sm,
                 int ndim, const int64_t *shape, packed *p)
{
    if (ndim > 1) {
        for (int64_t i = 0; i < shape[0]; i++)
            walk(what, z + i * sz[0], sz + 1, mask + i * sm[0], sm + 1, ndim - 1, shape + 1, p);
        return;
    }
    int64_t n = ndim ? shape[0] : 1;
    ptrdiff_t tz = ndim ? sz[0] : 0, tm = ndim ? sm[0] : 0;
    if (what == SELECT)
        select_row(z, tz, mask, tm, n, p);
    else
        scatter_row(z, tz, mask, tm, n, p);
}

/* All of x or z against the packed elements of t. */
static void walk_all(way what, rl_tensor *z, const ptrdiff_t *sz, const char *mask,
                     const ptrdiff_t *sm, rl_tensor *t)
{
    packed p = {t->data, t->data + t->numel * (int64_t)rl_itemsize(t), rl_itemsize(t)};
    if (z->numel)
        walk(what, z->data, sz, mask, sm, z->ndim, z->shape, &p);
}

/* Strides in bytes with which t is seen in a shape it broadcasts to. */
static void wide_strides(const rl_tensor *t, int ndim, ptrdiff_t *out)
{
    for (int d = ndim - 1, from = t->ndim - 1; d >= 0; d--, from--)
        out[d] =
            from >= 0 && t->shape[from] != 1 ? t->strides[from] * (ptrdiff_t)rl_itemsize(t) : 0;
}

static int64_t count_true(const rl_tensor *mask)
{
    RL_TEMP *dense = rl_contiguous_data((rl_tensor *)mask);
    if (!dense)
        return -1;
    int64_t n = 0;
    for (int64_t i = 0; i < dense->numel; i++)
        n += dense->data[i] != 0;
    return n;
}

/* x and mask broadcast against each other: x in that shape (differentiable). */
static rl_tensor *widen(rl_tensor *x, rl_tensor *mask)
{
    int64_t shape[RL_MAX_DIMS];
    int ndim;
    if (rl_broadcast_shapes(mask->ndim, mask->shape, x->ndim, x->shape, &ndim, shape))
        return NULL;
    return rl_has_shape(x, ndim, shape) ? rl_retain(x)
                                        : rl_expand(x, (rl_ints){shape, ndim}, false);
}

/* A copy of x in its own memory format; an expanded x becomes row-major. */
static rl_tensor *copy_of(rl_tensor *x)
{
    RL_TEMP *z = rl_new_like(x, (rl_dtype)x->dtype);
    return z && !rl_copy_data(z, x) ? rl_retain(z) : NULL;
}

/* ---- masked_fill ---- */

/* dx = g where the mask is false; dvalue = sum of g where it is true. */
static rl_status masked_fill_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *mask = rl_saved(n, 0);
    if (!mask)
        return rl_error_code();
    if (rl_wants(n, 0)) {
        RL_TEMP *zero = rl_wrap_number(rl_int(0));
        dx[0] = zero ? rl_masked_fill(g[0], mask, zero) : NULL;
        if (!dx[0])
            return rl_error_code();
    }
    if (n->n_inputs > 1 && rl_wants(n, 1)) {
        RL_TEMP *picked = rl_masked_select(g[0], mask);
        dx[1] = picked ? rl_sum(picked, (rl_ints){NULL, -1}, false, RL_NO_DTYPE) : NULL;
        return rl_status_of(dx[1]);
    }
    return RL_OK;
}

static const rl_node_type masked_fill_number = {"MaskedFillBackward0", masked_fill_backward, 1,
                                                NULL};
static const rl_node_type masked_fill_tensor = {"MaskedFillBackward1", masked_fill_backward, 1,
                                                NULL};

static rl_status check_fill(const rl_tensor *mask, const rl_tensor *value)
{
    if (mask->dtype != RL_BOOL)
        return rl_error(RL_ERUNTIME,
                        "masked_fill_ only supports boolean masks, but got mask with dtype %s",
                        rl_dtype_cpp((rl_dtype)mask->dtype));
    if (value->ndim)
        return rl_error(RL_ERUNTIME,
                        "masked_fill_ only supports a 0-dimensional value tensor, but got tensor "
                        "with %d dimension(s).",
                        value->ndim);
    return RL_OK;
}

/* value as an element of dtype; a number that an integer cannot hold is an error. */
static rl_tensor *fill_value(rl_tensor *value, rl_dtype dtype)
{
    rl_scalar number;
    if (!rl_is_complex((rl_dtype)value->dtype) && rl_is_integral(dtype, false) &&
        (rl_item(value, &number) || rl_check_scalar(number, dtype)))
        return NULL;
    return rl_cast_data(value, dtype);
}

/* z = mask ? one : x; z may be x. */
static rl_status fill_where(rl_tensor *z, rl_tensor *mask, rl_tensor *one, rl_tensor *x)
{
    RL_TEMP *done = rl_map_run(&(rl_map){.op = RL_MAP_WHERE,
                                         .typing = RL_TYPE_FIXED,
                                         .compute = (rl_dtype)x->dtype,
                                         .result = (rl_dtype)x->dtype,
                                         .out = z,
                                         .name = "masked_fill",
                                         .n = 3,
                                         .in = {mask, one, x}});
    return rl_status_of(done);
}

static rl_node *fill_node(rl_tensor *z, rl_tensor *x, rl_tensor *mask, rl_tensor *value)
{
    bool number = rl_is_wrapped_number(value);
    rl_node *n = rl_node_new(number ? &masked_fill_number : &masked_fill_tensor, z, number ? 1 : 2,
                             (rl_tensor *[]){x, value});
    if (n)
        rl_save(n, 0, mask);
    return n;
}

rl_tensor *rl_masked_fill(rl_tensor *input, rl_tensor *mask, rl_tensor *value)
{
    if (!input || !mask || !value || check_fill(mask, value))
        return NULL;
    RL_TEMP *x = widen(input, mask);
    RL_TEMP *one = x ? fill_value(value, (rl_dtype)x->dtype) : NULL;
    RL_TEMP *z = one ? rl_new((rl_dtype)x->dtype, x->ndim, x->shape) : NULL;
    if (!z || fill_where(z, mask, one, x))
        return NULL;
    if (!rl_recording(x) && !rl_recording(value))
        return rl_retain(z);
    return rl_record(fill_node(z, x, mask, value), rl_retain(z));
}

/* The mask must broadcast to x, which keeps its shape. */
static rl_status check_inplace_shape(const rl_tensor *x, const rl_tensor *mask)
{
    int64_t shape[RL_MAX_DIMS];
    int ndim;
    if (rl_broadcast_shapes(mask->ndim, mask->shape, x->ndim, x->shape, &ndim, shape))
        return rl_error_code();
    if (!rl_has_shape(x, ndim, shape))
        return rl_error(RL_ERUNTIME, "output with shape %s doesn't match the broadcast shape %s",
                        rl_shape_str(x).s, rl_ints_str(ndim, shape).s);
    return RL_OK;
}

rl_tensor *rl_masked_fill_(rl_tensor *x, rl_tensor *mask, rl_tensor *value)
{
    if (!x || !mask || !value || check_fill(mask, value) || check_inplace_shape(x, mask))
        return NULL;
    bool records = rl_recording(x) || rl_recording(value);
    if (rl_check_inplace(x, records))
        return NULL;
    RL_TEMP *one = fill_value(value, (rl_dtype)x->dtype);
    RL_TEMP *apart =
        rl_shares_memory(x, mask) ? copy_of(mask) : rl_retain(mask); /* x.masked_fill_(x, ...) */
    if (!one || !apart)
        return NULL;
    rl_node *n = NULL;
    if (records && !(n = fill_node(x, x, apart, value)))
        return NULL;
    if (fill_where(x, apart, one, x)) {
        rl_node_release(n);
        return NULL;
    }
    return rl_record_inplace(n, x);
}

/* ---- masked_select ---- */

static rl_status masked_select_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *mask = rl_saved(n, 0);
    RL_TEMP *zeros =
        mask ? rl_zeros_data((rl_dtype)g[0]->dtype, n->args.n_dims, n->args.dims) : NULL;
    dx[0] = zeros ? rl_masked_scatter(zeros, mask, g[0]) : NULL;
    return rl_status_of(dx[0]);
}

static const rl_node_type masked_select_node = {"MaskedSelectBackward0", masked_select_backward, 1,
                                                NULL};

rl_tensor *rl_masked_select(rl_tensor *input, rl_tensor *mask)
{
    if (!input || !mask)
        return NULL;
    if (mask->dtype != RL_BOOL)
        return rl_fail(RL_ERUNTIME, "masked_select: expected BoolTensor for mask");
    RL_TEMP *x = widen(input, mask);
    if (!x)
        return NULL;
    ptrdiff_t sx[RL_MAX_DIMS], sm[RL_MAX_DIMS];
    rl_byte_strides(x, sx);
    wide_strides(mask, x->ndim, sm);
    int64_t n_mask = count_true(mask);
    if (n_mask < 0)
        return NULL;
    int64_t n_true = mask->numel ? n_mask * (x->numel / mask->numel) : 0;
    RL_TEMP *z = rl_new((rl_dtype)x->dtype, 1, &n_true);
    if (!z)
        return NULL;
    walk_all(SELECT, x, sx, mask->data, sm, z);
    if (!rl_recording(x))
        return rl_retain(z);
    rl_node *n = rl_node_new(&masked_select_node, z, 1, (rl_tensor *[]){x});
    if (n) {
        rl_save(n, 0, mask);
        rl_node_set_dims(n, x->ndim, x->shape);
    }
    return rl_record(n, rl_retain(z));
}

/* ---- masked_scatter ---- */

/* dx = g where the mask is false; dsource = g where it is true, zeros behind for what was not used.
 */
static rl_status masked_scatter_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *mask = rl_saved(n, 0);
    if (!mask)
        return rl_error_code();
    if (rl_wants(n, 0)) {
        RL_TEMP *zero = rl_wrap_number(rl_int(0));
        dx[0] = zero ? rl_masked_fill(g[0], mask, zero) : NULL;
        if (!dx[0])
            return rl_error_code();
    }
    if (rl_wants(n, 1)) {
        RL_TEMP *used = rl_masked_select(g[0], mask);
        int64_t numel = n->args.i[0], rest = used ? numel - used->numel : 0;
        RL_TEMP *unused = used ? rl_zeros_data((rl_dtype)g[0]->dtype, 1, &rest) : NULL;
        RL_TEMP *flat = unused ? rl_cat((rl_tensors){(rl_tensor *[]){used, unused}, 2}, 0) : NULL;
        dx[1] = flat ? rl_reshape(flat, (rl_ints){n->args.dims, n->args.n_dims}) : NULL;
        return rl_status_of(dx[1]);
    }
    return RL_OK;
}

static const rl_node_type masked_scatter_node = {"MaskedScatterBackward0", masked_scatter_backward,
                                                 1, NULL};

rl_tensor *rl_masked_scatter(rl_tensor *input, rl_tensor *mask, rl_tensor *source)
{
    if (!input || !mask || !source)
        return NULL;
    if (mask->dtype != RL_BOOL)
        return rl_fail(RL_ERUNTIME,
                       "masked_scatter_ only supports boolean masks, but got mask with dtype %s",
                       rl_dtype_title((rl_dtype)mask->dtype));
    if (input->dtype != source->dtype)
        return rl_fail(
            RL_ERUNTIME,
            "masked_scatter: expected self and source to have same dtypes but got%s and %s",
            rl_dtype_title((rl_dtype)input->dtype), rl_dtype_title((rl_dtype)source->dtype));
    RL_TEMP *x = widen(input, mask);
    RL_TEMP *packed_source = x ? rl_contiguous_data(source) : NULL;
    if (!packed_source)
        return NULL;
    int64_t n_mask = count_true(mask);
    if (n_mask < 0)
        return NULL;
    if (mask->numel && n_mask * (x->numel / mask->numel) > source->numel)
        return rl_fail(RL_ERUNTIME, "Number of elements of source < number of ones in mask");
    RL_TEMP *z = rl_new((rl_dtype)x->dtype, x->ndim, x->shape); /* row-major, as PyTorch's */
    if (!z || rl_copy_data(z, x))
        return NULL;
    ptrdiff_t sz[RL_MAX_DIMS], sm[RL_MAX_DIMS];
    rl_byte_strides(z, sz);
    wide_strides(mask, z->ndim, sm);
    walk_all(SCATTER, z, sz, mask->data, sm, packed_source);
    if (!rl_recording(x) && !rl_recording(source))
        return rl_retain(z);
    rl_node *n = rl_node_new(&masked_scatter_node, z, 2, (rl_tensor *[]){x, source});
    if (n) {
        rl_save(n, 0, mask);
        rl_node_set_dims(n, source->ndim, source->shape);
        n->args.i[0] = source->numel;
    }
    return rl_record(n, rl_retain(z));
}

/* ---- nonzero ---- */

/* x as bytes, 1 where not zero; row-major. */
static rl_tensor *as_bool(rl_tensor *x) { return rl_cast_data(x, RL_BOOL); }

/* Coordinates in a (ndim, n) row-major tensor. */
static rl_tensor *coordinates(rl_tensor *x)
{
    RL_TEMP *truth = as_bool(x);
    int64_t n = truth ? count_true(truth) : -1;
    if (n < 0)
        return NULL;
    rl_tensor *z = rl_new(RL_I64, 2, (int64_t[]){x->ndim, n});
    if (!z)
        return NULL;
    /* Row by row along the last dim: its coordinate is written for every element, and kept where it
     * is not zero (no branch to mispredict); the others are the same for the whole row. */
    int last = x->ndim - 1;
    int64_t at[RL_MAX_DIMS] = {0}, found = 0, *out = (int64_t *)z->data;
    int64_t columns = last >= 0 ? x->shape[last] : 1;
    for (int64_t i = 0; i < truth->numel && found < n && last >= 0; i += columns) {
        const char *row = truth->data + i;
        int64_t *column = out + last * n, before = found;
        for (int64_t j = 0; j < columns && found < n; j++) {
            column[found] = j;
            found += row[j];
        }
        for (int d = 0; d < last; d++)
            for (int64_t k = before; k < found; k++)
                out[d * n + k] = at[d];
        for (int d = last - 1; d >= 0; d--) {
            if (++at[d] < x->shape[d])
                break;
            at[d] = 0;
        }
    }
    return z;
}

/* (n, ndim), column-major as PyTorch's. */
rl_tensor *rl_nonzero(rl_tensor *x)
{
    RL_TEMP *c = x ? coordinates(x) : NULL;
    return c ? rl_new_view(c, 2, (int64_t[]){c->shape[1], c->shape[0]}, (int64_t[]){1, c->shape[1]},
                           c->offset)
             : NULL;
}

rl_tensor *rl_argwhere(rl_tensor *x) { return rl_nonzero(x); }

rl_status rl_nonzero_tuple(rl_tensor *x, rl_list *out)
{
    *out = (rl_list){NULL, 0};
    if (!x)
        return rl_error_code();
    int64_t one = 1;
    RL_TEMP *seen = x->ndim
                        ? rl_retain(x)
                        : rl_new_view(x, 1, &one, &one, x->offset); /* a number is one element */
    RL_TEMP *c = seen ? coordinates(seen) : NULL;
    if (!c || rl_list_new(out, c->shape[0]))
        return rl_error_code();
    for (int64_t d = 0; d < c->shape[0]; d++) {
        out->v[d] = rl_new_view(c, 1, &c->shape[1], &one, c->offset + d * c->shape[1]);
        if (!out->v[d]) {
            rl_list_free(out);
            return rl_error_code();
        }
    }
    return RL_OK;
}

rl_status rl_where_nonzero(rl_tensor *condition, rl_list *out)
{
    return rl_nonzero_tuple(condition, out);
}

/* ---- repeat_interleave with counts ---- */

__attribute__((optimize("O3"))) static void set_run(int64_t *to, int64_t n, int64_t value)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = value;
}

/* 0, 1, ... size - 1, each as often as repeats says, which is one count for all or one for each. */
rl_tensor *rl_interleaved_places(rl_tensor *repeats, int64_t size)
{
    RL_TEMP *counts = rl_index_values(repeats);
    if (!counts)
        return NULL;
    const int64_t *count = (const int64_t *)counts->data;
    int64_t total = 0, step = repeats->numel == 1 ? 0 : 1;
    for (int64_t i = 0; i < size; i++) {
        if (count[i * step] < 0)
            return rl_fail(RL_ERUNTIME, "repeats can not be negative");
        if (__builtin_add_overflow(total, count[i * step], &total))
            return rl_fail(RL_ERUNTIME, "repeat_interleave: the result's size overflows");
    }
    rl_tensor *index = rl_new(RL_I64, 1, &total);
    int64_t *to = index ? (int64_t *)index->data : NULL;
    for (int64_t i = 0; index && i < size; i++) {
        set_run(to, count[i * step], i);
        to += count[i * step];
    }
    return index;
}

rl_tensor *rl_repeat_interleave_tensor(rl_tensor *input, rl_tensor *repeats, rl_opt_int dim)
{
    if (!input || !repeats)
        return NULL;
    if (repeats->dtype != RL_I64 && repeats->dtype != RL_I32)
        return rl_fail(RL_ENOTIMPL, "\"repeat_interleave_cpu\" not implemented for '%s'",
                       rl_dtype_title((rl_dtype)repeats->dtype));
    if (repeats->ndim > 1)
        return rl_fail(RL_ERUNTIME, "repeats must be 0-dim or 1-dim tensor");
    if (dim.given && input->ndim == 0)
        return rl_fail(RL_EINDEX, "Dimension specified as %lld but tensor has no dimensions",
                       (long long)dim.v);
    RL_TEMP *x = dim.given ? rl_retain(input) : rl_flatten(input, 0, -1);
    int64_t at = dim.given ? dim.v : 0;
    if (!x || rl_wrap_dim(&at, x->ndim))
        return NULL;
    int64_t size = x->shape[at];
    if (repeats->numel != 1 && repeats->numel != size)
        return rl_fail(RL_ERUNTIME,
                       "repeats must have the same size as input along dim, but got "
                       "repeats.size(0) = %lld and "
                       "input.size(%d) = %lld",
                       (long long)repeats->numel, (int)at, (long long)size);
    RL_TEMP *index = rl_interleaved_places(repeats, size);
    return index ? rl_index_select(x, at, index) : NULL;
}
