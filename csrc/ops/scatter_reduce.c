/* scatter_reduce.c: reductions into places named by an index: scatter_reduce, index_reduce; and
 * put, which writes into the flattened tensor. */
#include "core/iter.h"
#include "ops/element.h"
#include "ops/index.h"

typedef enum reduction { SUM, PROD, MEAN, AMAX, AMIN, UNKNOWN } reduction;
static const char *const names[] = {"sum", "prod", "mean", "amax", "amin"};

static reduction parse(const char *text)
{
    for (int i = 0; i < UNKNOWN; i++)
        if (!strcmp(text, names[i]))
            return (reduction)i;
    return UNKNOWN;
}

/* ---- the loop ---- */

/* Positions of the index in row-major order; strides in elements. */
typedef struct walk {
    int ndim;
    int64_t shape[RL_MAX_DIMS];
    int64_t sk[RL_MAX_DIMS], sz[RL_MAX_DIMS], sv[RL_MAX_DIMS]; /* of index, result, source */
    int64_t step;                                              /* of the result along the dim */
    const int64_t *k;
    int64_t *count; /* per element of the result: how many values met there; NULL: not wanted */
    ptrdiff_t item; /* bytes of their elements */
    void *z;
    const void *v;
    rl_map_fn *rows; /* NULL: element by element */
} walk;

/* Statement by statement for n positions of one row of the index. */
#define EACH_IN_ROW(place, value, ...)                                                             \
    for (int64_t i = 0; i < n; i++) {                                                              \
        const int64_t here = oz + (place), iv = ov + (value);                                      \
        __VA_ARGS__                                                                                \
    }
#define GENERAL(...) EACH_IN_ROW(i *tz + k[i * tk] * step, i * tv, __VA_ARGS__)
/* With loops of their own for one place of the index for a whole row, and for one dim. */
#define HASTY(...)                                                                                 \
    if (w->rows)                                                                                   \
        combine_row(w, n, oz + *k * step, ov);                                                     \
    else if (tz == 0 && tv == 1 && step == 1 && tk == 1)                                           \
        EACH_IN_ROW(k[i], i, __VA_ARGS__)                                                          \
    else                                                                                           \
        GENERAL(__VA_ARGS__)
#define EACH(ROW, ...)                                                                             \
    {                                                                                              \
        int64_t at[RL_MAX_DIMS] = {0}, ok = 0, oz = 0, ov = 0;                                     \
        const int last = w->ndim - 1;                                                              \
        const int64_t n = w->shape[last], tk = w->sk[last], tz = w->sz[last], tv = w->sv[last];    \
        const int64_t step = w->step;                                                              \
        for (;;) {                                                                                 \
            const int64_t *k = w->k + ok;                                                          \
            ROW(__VA_ARGS__)                                                                       \
            if (!next_row(w, at, &ok, &oz, &ov))                                                   \
                break;                                                                             \
        }                                                                                          \
    }

/* Moves on from row to row; false behind the last one. */
static bool next_row(const walk *w, int64_t *at, int64_t *ok, int64_t *oz, int64_t *ov)
{
    for (int d = w->ndim - 2; d >= 0; d--) {
        *ok += w->sk[d], *oz += w->sz[d], *ov += w->sv[d];
        if (++at[d] < w->shape[d])
            return true;
        *ok -= w->sk[d] * w->shape[d], *oz -= w->sz[d] * w->shape[d];
        *ov -= w->sv[d] * w->shape[d];
        at[d] = 0;
    }
    return false;
}

/* A row of the source into a row of the result, both contiguous, by an element-wise kernel. */
static void combine_row(const walk *w, int64_t n, int64_t here, int64_t from)
{
    const ptrdiff_t s[] = {w->item, w->item, w->item};
    char *to = (char *)w->z + here * w->item;
    w->rows((size_t)n, (char *const[]){to, to, (char *)w->v + from * w->item}, s,
            &(rl_kargs){{0}, {0}});
}

#define COMBINE(T, ADD)                                                                            \
    if (way == PROD)                                                                               \
        a = (T)((ADD)a * (ADD)b);                                                                  \
    else if (way == AMAX)                                                                          \
        a = b > a || b != b ? b : a;                                                               \
    else if (way == AMIN)                                                                          \
        a = b < a || b != b ? b : a;                                                               \
    else                                                                                           \
        a = (T)((ADD)a + (ADD)b);                                                                  \
    to[here] = a;

/* With counts; without the tensor's own values each place starts from what it meets first. */
#define REDUCE(T, ADD)                                                                             \
    {                                                                                              \
        T *to = w->z;                                                                              \
        const T *from = w->v;                                                                      \
        if (!w->count && way == SUM)                                                               \
            EACH(HASTY, { to[here] = (T)((ADD)to[here] + (ADD)from[iv]); })                        \
        else if (!w->count && way == PROD)                                                         \
            EACH(HASTY, { to[here] = (T)((ADD)to[here] * (ADD)from[iv]); })                        \
        else if (!w->count && way == AMAX)                                                         \
            EACH(HASTY, {                                                                          \
                T a = to[here], b = from[iv];                                                      \
                if (!(b <= a) && a == a) /* a nan comes in and stays */                            \
                    to[here] = b;                                                                  \
            })                                                                                     \
        else if (!w->count)                                                                        \
            EACH(HASTY, {                                                                          \
                T a = to[here], b = from[iv];                                                      \
                if (!(b >= a) && a == a) /* a nan comes in and stays */                            \
                    to[here] = b;                                                                  \
            })                                                                                     \
        else                                                                                       \
            EACH(GENERAL, {                                                                        \
                T a = to[here], b = from[iv];                                                      \
                if (w->count[here]++ == 0 && !include_self)                                        \
                    to[here] = b;                                                                  \
                else {                                                                             \
                    COMBINE(T, ADD)                                                                \
                }                                                                                  \
            })                                                                                     \
    }

/* z[place] /= how many values it is the mean of; integers round down. */
static void divide(rl_dtype dtype, walk *w, int64_t numel, bool include_self)
{
    for (int64_t i = 0; i < numel; i++) {
        int64_t n = w->count[i] + (include_self && w->count[i]);
        if (n < 2)
            continue;
        if (dtype == RL_F32)
            ((float *)w->z)[i] /= (float)n;
        else if (dtype == RL_F64)
            ((double *)w->z)[i] /= (double)n;
        else {
            int64_t y = ((int64_t *)w->z)[i];
            ((int64_t *)w->z)[i] = y / n - (y % n < 0);
        }
    }
}

/* Shapes and values have been checked.  values: int64, of any strides. */
static rl_tensor *reduce(reduction way, rl_tensor *x, int64_t dim, rl_tensor *values,
                         rl_tensor *src, bool include_self)
{
    rl_dtype dtype = (rl_dtype)x->dtype;
    rl_dtype compute = rl_is_integral(dtype, true) ? RL_I64 : dtype == RL_F64 ? RL_F64 : RL_F32;
    RL_TEMP *z = rl_new(compute, x->ndim, x->shape);
    RL_TEMP *v = rl_cast_data(src, compute);
    bool counts = way == MEAN || !include_self;
    RL_TEMP *count = counts ? rl_zeros_data(RL_I64, x->ndim, x->shape) : NULL;
    if (!z || !v || (counts && !count) || rl_copy_data(z, x))
        return NULL;
    if (values->numel == 0)
        return rl_cast_data(z, dtype);
    static const rl_map_op combines[] = {
        [SUM] = RL_MAP_ADD,      [PROD] = RL_MAP_MUL,     [MEAN] = RL_MAP_ADD,
        [AMAX] = RL_MAP_MAXIMUM, [AMIN] = RL_MAP_MINIMUM,
    };
    walk plan, *w = &plan;
    w->rows = NULL;
    w->ndim = rl_at_least_1d(values, w->shape, w->sk);
    for (int d = 0; d < w->ndim; d++) {
        w->sz[d] = z->ndim && d != dim ? z->strides[d] : 0;
        w->sv[d] = v->ndim ? v->strides[d] : 0;
    }
    w->step = z->ndim ? z->strides[dim] : 0;
    w->k = (const int64_t *)values->data;
    w->count = counts ? (int64_t *)count->data : NULL;
    w->z = z->data;
    w->v = v->data;
    w->item = (ptrdiff_t)rl_itemsize(z);
    const int row = w->ndim - 1;
    if (!counts && w->sk[row] == 0 && w->sz[row] == 1 && w->sv[row] == 1)
        w->rows = rl_kernel_table.map[combines[way]][compute];
    if (compute == RL_F32)
        REDUCE(float, float)
    else if (compute == RL_F64)
        REDUCE(double, double)
    else
        REDUCE(int64_t, uint64_t)
    if (way == MEAN)
        divide(compute, w, z->numel, include_self);
    return rl_cast_data(z, dtype);
}

/* ---- derivatives ---- */

/* The saved things and the numbers of a node. */
typedef struct parts {
    rl_tensor *x, *src, *index, *y;
    int64_t dim;
    reduction way;
    bool include_self;
} parts;

static rl_tensor *to_places(const parts *p, rl_tensor *g)
{
    return g ? rl_gather(g, p->dim, p->index, false) : NULL;
}

static rl_tensor *again(const parts *p, rl_tensor *x, rl_tensor *src)
{
    return x && src ? rl_scatter_reduce(x, p->dim, p->index, src, "prod", p->include_self) : NULL;
}

/* Zeros among the factors: the product of the others is computed anew with 1 in their place. */
static void prod_gradients(rl_node *n, const parts *p, rl_tensor *g, rl_tensor **dx)
{
    RL_TEMP *zero = rl_wrap_number(rl_int(0));
    RL_TEMP *one = rl_wrap_number(rl_int(1));
    RL_TEMP *empty = rl_eq(p->x, zero);
    RL_TEMP *filled = empty ? rl_masked_fill(p->x, empty, one) : NULL;
    RL_TEMP *product = again(p, filled, p->src);
    RL_TEMP *scaled = product ? rl_mul(g, product) : NULL;
    dx[0] = scaled ? rl_div(scaled, filled, NULL) : NULL;
    if (!rl_wants(n, 1))
        return;
    RL_TEMP *holes = rl_eq(p->src, zero);
    RL_TEMP *number = holes ? rl_to_dtype(holes, (rl_dtype)p->x->dtype, false) : NULL;
    RL_TEMP *none = rl_zeros_like(p->x, RL_NO_DTYPE);
    RL_TEMP *sum = none && number ? rl_scatter_add(none, p->dim, p->index, number) : NULL;
    RL_TEMP *met = to_places(p, sum);
    RL_TEMP *once = met ? rl_eq(met, one) : NULL;
    RL_TEMP *single = once ? rl_logical_and(holes, once) : NULL;
    RL_TEMP *others = single ? rl_masked_fill(p->src, single, one) : NULL;
    RL_TEMP *partial = again(p, p->x, others);
    RL_TEMP *gain = partial ? rl_mul(g, partial) : NULL;
    RL_TEMP *whole = rl_mul(g, p->y);
    RL_TEMP *left = to_places(p, gain);
    RL_TEMP *right = to_places(p, whole);
    RL_TEMP *factors = holes ? rl_masked_fill(p->src, holes, one) : NULL;
    RL_TEMP *share = right && factors ? rl_div(right, factors, NULL) : NULL;
    dx[1] = left && share ? rl_where(single, left, share) : NULL;
}

static void mean_gradients(const parts *p, rl_tensor *g, rl_tensor **dx)
{
    RL_TEMP *zero = rl_wrap_number(rl_int(0));
    RL_TEMP *one = rl_wrap_number(rl_int(1));
    RL_TEMP *start = p->include_self ? rl_ones_like(g, RL_NO_DTYPE) : rl_zeros_like(g, RL_NO_DTYPE);
    RL_TEMP *each = rl_ones_like(p->src, (rl_dtype)g->dtype);
    RL_TEMP *sum = start && each ? rl_scatter_add(start, p->dim, p->index, each) : NULL;
    RL_TEMP *never = sum ? rl_eq(sum, zero) : NULL;
    RL_TEMP *count = never ? rl_masked_fill(sum, never, one) : NULL;
    dx[0] = count ? rl_div(g, count, NULL) : NULL;
    dx[1] = to_places(p, dx[0]);
}

/* All that equal the extreme share its gradient. */
static void extreme_gradients(const parts *p, rl_tensor *g, rl_tensor **dx)
{
    rl_dtype dtype = (rl_dtype)g->dtype;
    RL_TEMP *value = to_places(p, p->y);
    RL_TEMP *hit = value ? rl_eq(p->src, value) : NULL;
    RL_TEMP *own = rl_eq(p->x, p->y);
    RL_TEMP *hits = hit ? rl_to_dtype(hit, dtype, false) : NULL;
    RL_TEMP *owns = own ? rl_to_dtype(own, dtype, false) : NULL;
    RL_TEMP *count = hits && owns ? rl_scatter_add(owns, p->dim, p->index, hits) : NULL;
    RL_TEMP *share = count ? rl_div(g, count, NULL) : NULL;
    RL_TEMP *there = to_places(p, share);
    dx[0] = share ? rl_mul(share, owns) : NULL;
    dx[1] = there ? rl_mul(there, hits) : NULL;
}

static rl_status reduce_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *x = rl_saved(n, 0);
    RL_TEMP *src = rl_saved(n, 1);
    RL_TEMP *index = rl_saved(n, 2);
    RL_TEMP *y = rl_saved(n, 3);
    if (!x || !src || !index || !y)
        return rl_error_code();
    parts p = {x, src, index, y, n->args.i[0], (reduction)n->args.i[1], n->args.i[2]};
    if (p.way == SUM) {
        dx[0] = rl_retain(g[0]);
        dx[1] = to_places(&p, g[0]);
    } else if (p.way == PROD) {
        prod_gradients(n, &p, g[0], dx);
    } else if (p.way == MEAN) {
        mean_gradients(&p, g[0], dx);
    } else {
        extreme_gradients(&p, g[0], dx);
    }
    if (!p.include_self && dx[0]) {
        rl_tensor *outside = rl_scatter_value(dx[0], p.dim, index, rl_int(0), NULL);
        rl_release(dx[0]);
        dx[0] = outside;
    }
    return RL_DONE(n, dx);
}

static const rl_node_type scatter_node = {"ScatterReduceBackward0", reduce_backward, 4};
static const rl_node_type index_node = {"IndexReduceBackward0", reduce_backward, 4};

static rl_tensor *record(const rl_node_type *type, reduction way, rl_tensor *z, rl_tensor *x,
                         int64_t dim, rl_tensor *index, rl_tensor *src, bool include_self)
{
    if (!z || (!rl_recording(x) && !rl_recording(src)))
        return z;
    rl_node *n = rl_node_new(type, z, 2, (rl_tensor *[]){x, src});
    rl_save(n, 0, x);
    rl_save(n, 1, src);
    rl_save(n, 2, index);
    rl_save_output(n, 3, z, 0);
    if (n) {
        n->args.i[0] = dim;
        n->args.i[1] = (int64_t)way;
        n->args.i[2] = include_self;
    }
    return rl_record(n, z);
}

/* ---- the operators ---- */

static int64_t size_at(const rl_tensor *x, int64_t d) { return x->ndim ? x->shape[d] : 1; }

rl_tensor *rl_scatter_reduce(rl_tensor *x, int64_t dim, rl_tensor *index, rl_tensor *src,
                             const char *text, bool include_self)
{
    if (!x || !index || !src || rl_wrap_dim(&dim, x->ndim))
        return NULL;
    reduction way = parse(text);
    if (way == UNKNOWN)
        return rl_fail(RL_ERUNTIME,
                       "reduce argument must be either sum, prod, mean, amax or amin, got %s",
                       text);
    /* Dtypes and shapes are those that scatter_add checks, an empty one included. */
    if (index->dtype != RL_I64 && index->dtype != RL_I32)
        return rl_fail(RL_ERUNTIME, "scatter(): Expected dtype int32/int64 for index");
    if (src->dtype != x->dtype)
        return rl_fail(RL_ERUNTIME, "scatter(): Expected self.dtype to be equal to src.dtype");
    int n = x->ndim ? x->ndim : 1;
    if (index->numel > 0 && (index->ndim ? index->ndim : 1) != n)
        return rl_fail(RL_ERUNTIME,
                       "Index tensor must have the same number of dimensions as self tensor");
    if (index->numel > 0 && (src->ndim ? src->ndim : 1) != n)
        return rl_fail(RL_ERUNTIME,
                       "Index tensor must have the same number of dimensions as src tensor");
    for (int d = 0; index->numel > 0 && d < n; d++)
        if ((d != dim && size_at(index, d) > size_at(x, d)) || size_at(index, d) > size_at(src, d))
            return rl_fail(RL_ERUNTIME,
                           "Expected index %s to be no larger than self %s apart from dimension "
                           "%lld and to be no larger size than src %s",
                           rl_shape_str(index).s, rl_shape_str(x).s, (long long)dim,
                           rl_shape_str(src).s);
    RL_TEMP *values = rl_index_values(index);
    if (!values)
        return NULL;
    const int64_t *k = (const int64_t *)values->data;
    int64_t bad = rl_index_outside(k, values->numel, 0, size_at(x, dim));
    if (bad < values->numel)
        return rl_fail(RL_ERUNTIME, "index %lld is out of bounds for dimension %lld with size %lld",
                       (long long)k[bad], (long long)dim, (long long)size_at(x, dim));
    rl_tensor *z = reduce(way, x, dim, values, src, include_self);
    return record(&scatter_node, way, z, x, dim, index, src, include_self);
}

rl_tensor *rl_index_reduce(rl_tensor *x, int64_t dim, rl_tensor *index, rl_tensor *source,
                           const char *text, bool include_self)
{
    if (!x || !index || !source || rl_wrap_dim(&dim, x->ndim))
        return NULL;
    reduction way = parse(text);
    if (way == UNKNOWN || way == SUM)
        return rl_fail(
            RL_ERUNTIME,
            "index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got %s.",
            text);
    if (index->ndim > 1)
        return rl_fail(RL_EINDEX,
                       "index_reduce_(): Index is supposed to be a vector, but got dim: %d with "
                       "type: %s and size: %s",
                       index->ndim, rl_dtype_title((rl_dtype)index->dtype), rl_shape_str(index).s);
    if (index->dtype != RL_I64 && index->dtype != RL_I32)
        return rl_fail(RL_ERUNTIME,
                       "index_reduce_(): Expected dtype int32/int64 for index but got: %s",
                       rl_dtype_title((rl_dtype)index->dtype));
    if (x->dtype != source->dtype)
        return rl_fail(RL_ERUNTIME,
                       "index_reduce_(): self (%s) and source (%s) must have the same scalar type",
                       rl_dtype_title((rl_dtype)x->dtype), rl_dtype_title((rl_dtype)source->dtype));
    bool fits = source->ndim == x->ndim;
    if (fits && index->numel != size_at(source, dim))
        return rl_fail(RL_ERUNTIME,
                       "index_reduce_(): Number of indices (%lld) should be equal to "
                       "source.size(dim): (%lld), for dim: %lld",
                       (long long)index->numel, (long long)size_at(source, dim), (long long)dim);
    for (int d = 0; fits && d < x->ndim; d++)
        fits = d == dim || x->shape[d] == source->shape[d];
    if (!fits)
        return rl_fail(RL_ERUNTIME,
                       "source tensor shape must match self tensor shape, excluding the specified "
                       "dimension. Got self.shape = %s source.shape = %s",
                       rl_shape_str(x).s, rl_shape_str(source).s);
    RL_TEMP *line = rl_index_values(index);
    if (!line)
        return NULL;
    const int64_t *k = (const int64_t *)line->data;
    if (rl_index_outside(k, line->numel, 0, size_at(x, dim)) < line->numel)
        return rl_fail(RL_EINDEX, "index out of range in self");
    /* One index per element of the source, without a copy. */
    int64_t strides[RL_MAX_DIMS] = {0};
    if (x->ndim)
        strides[dim] = 1;
    RL_TEMP *wide = rl_new_view(line, source->ndim, source->shape, strides, line->offset);
    rl_tensor *z = wide ? reduce(way, x, dim, wide, source, include_self) : NULL;
    return record(&index_node, way, z, x, dim, wide, source, include_self);
}

/* ---- put ---- */

/* args.i[0]: accumulate */
static rl_status put_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *index = rl_saved(n, 0);
    if (!index)
        return rl_error_code();
    if (rl_wants(n, 0) && n->args.i[0]) {
        dx[0] = rl_retain(g[0]);
    } else if (rl_wants(n, 0)) {
        RL_TEMP *zeros = rl_zeros_data((rl_dtype)g[0]->dtype, index->ndim, index->shape);
        dx[0] = zeros ? rl_put(g[0], index, zeros, false) : NULL;
    }
    if (rl_wants(n, 1)) {
        RL_TEMP *taken = rl_take(g[0], index);
        dx[1] = taken ? rl_reshape(taken, (rl_ints){n->args.dims, n->args.n_dims}) : NULL;
    }
    return RL_DONE(n, dx);
}

static const rl_node_type put_node = {"PutBackward0", put_backward, 1};

rl_tensor *rl_put(rl_tensor *x, rl_tensor *index, rl_tensor *source, bool accumulate)
{
    if (!x || !index || !source)
        return NULL;
    if (index->dtype != RL_I64)
        return rl_fail(RL_ERUNTIME, "put_(): Expected a long tensor for index, but got %s",
                       rl_dtype_title((rl_dtype)index->dtype));
    if (x->dtype != source->dtype)
        return rl_fail(
            RL_ERUNTIME,
            "put_(): self and source expected to have the same dtype, but got self.dtype "
            "= %s and source.dtype = %s",
            rl_dtype_title((rl_dtype)x->dtype), rl_dtype_title((rl_dtype)source->dtype));
    if (index->numel != source->numel)
        return rl_fail(RL_EINDEX,
                       "put_(): Expected source and index to have the same number of elements, but "
                       "got source.numel() = %lld, index.numel() = %lld",
                       (long long)source->numel, (long long)index->numel);
    if (x->numel == 0 && index->numel != 0)
        return rl_fail(RL_EINDEX, "put_(): Tried to put elements into an empty tensor");
    RL_TEMP *values = rl_index_values(index);
    RL_TEMP *from = rl_contiguous_data(source);
    RL_TEMP *flat = rl_new((rl_dtype)x->dtype, x->ndim, x->shape);
    if (!values || !from || !flat || rl_copy_data(flat, x))
        return NULL;
    const int64_t *k = (const int64_t *)values->data;
    size_t size = rl_itemsize(x);
    for (int64_t i = 0; i < values->numel; i++) {
        if (k[i] < -x->numel || k[i] >= x->numel)
            return rl_fail(RL_EINDEX,
                           "out of range: tried to access index %lld on a tensor of %lld elements.",
                           (long long)k[i], (long long)x->numel);
        char *to = flat->data + (size_t)(k[i] < 0 ? k[i] + x->numel : k[i]) * size;
        if (accumulate)
            rl_element_add((rl_dtype)x->dtype, to, from->data + (size_t)i * size);
        else
            rl_element_copy(size, to, from->data + (size_t)i * size);
    }
    RL_TEMP *z = rl_new_like(x, (rl_dtype)x->dtype);
    if (!z || rl_copy_data(z, flat))
        return NULL;
    if (!rl_recording(x) && !rl_recording(source))
        return rl_retain(z);
    rl_node *n = rl_node_new(&put_node, z, 2, (rl_tensor *[]){x, source});
    rl_save(n, 0, index);
    rl_node_set_dims(n, source->ndim, source->shape);
    if (n)
        n->args.i[0] = accumulate;
    return rl_record(n, rl_retain(z));
}
