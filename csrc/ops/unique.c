/* unique.c: the different elements, or slices along a dim: sorted, or in runs. */
#include "core/alloc.h"
#include "ops/order.h"
#include "ops/view.h"

/* What to find, and the memory it takes. */
typedef struct search {
    int64_t n, m;   /* rows, elements of a row */
    int64_t *order; /* n: the rows one after the other */
    bool *fresh;    /* n: whether the row at this place differs from the one before it */
    uint64_t *keys; /* n * m */
    int64_t *spare; /* n */
    size_t bytes;
} search;

static rl_status search_new(search *s, int64_t n, int64_t m)
{
    *s = (search){.n = n, .m = m};
    s->bytes = (size_t)n * (17 + 8 * (size_t)m);
    if (n == 0)
        return RL_OK;
    s->order = rl_alloc(s->bytes);
    if (!s->order)
        return RL_EMEMORY;
    s->spare = s->order + n;
    s->keys = (uint64_t *)(s->spare + n);
    s->fresh = (bool *)(s->keys + n * m);
    return RL_OK;
}

static void search_free(search *s)
{
    if (s->order)
        rl_free(s->order, s->bytes);
}

static rl_status fill_keys(search *s, rl_dtype dtype, const char *x)
{
    enum { BLOCK = 256 };
    rl_entry block[BLOCK];
    int64_t total = s->n * s->m, size = (int64_t)rl_dtype_size(dtype);
    for (int64_t at = 0; at < total; at += BLOCK) {
        int64_t count = total - at < BLOCK ? total - at : BLOCK;
        rl_entries_make(dtype, x + at * size, size, count, false, block);
        for (int64_t i = 0; i < count; i++)
            s->keys[at + i] = block[i].key;
    }
    return RL_OK;
}

static int compare(const search *s, int64_t a, int64_t b)
{
    const uint64_t *p = s->keys + a * s->m, *q = s->keys + b * s->m;
    for (int64_t i = 0; i < s->m; i++)
        if (p[i] != q[i])
            return p[i] < q[i] ? -1 : 1;
    return 0;
}

/* Stable merge sort of the rows' numbers. */
static void sort_rows(search *s)
{
    int64_t *v = s->order, *spare = s->spare;
    for (int64_t width = 1; width < s->n; width *= 2) {
        for (int64_t start = 0; start < s->n; start += 2 * width) {
            int64_t a = start, middle = start + width < s->n ? start + width : s->n, b = middle;
            int64_t end = start + 2 * width < s->n ? start + 2 * width : s->n;
            for (int64_t to = start; to < end; to++)
                spare[to] =
                    b >= end || (a < middle && compare(s, v[a], v[b]) <= 0) ? v[a++] : v[b++];
        }
        int64_t *swap = v;
        v = spare;
        spare = swap;
    }
    s->order = v < spare ? v : spare; /* the start of the block, for freeing */
    if (v != s->order)
        memcpy(s->order, v, (size_t)s->n * sizeof *v);
    s->spare = s->order + s->n;
}

/* Single elements sort by radix. */
static rl_status sort_elements(search *s)
{
    size_t bytes = 2 * (size_t)s->n * sizeof(rl_entry);
    rl_entry *buffer = rl_alloc(bytes);
    if (!buffer)
        return RL_EMEMORY;
    for (int64_t i = 0; i < s->n; i++)
        buffer[i] = (rl_entry){s->keys[i], i};
    const rl_entry *sorted = rl_entries_sort(buffer, buffer + s->n, s->n);
    for (int64_t i = 0; i < s->n; i++)
        s->order[i] = sorted[i].at;
    rl_free(buffer, bytes);
    return RL_OK;
}

/* Marks where a new value begins; a nan equals nothing. */
static int64_t mark(search *s, bool floats)
{
    int64_t count = 0;
    for (int64_t i = 0; i < s->n; i++) {
        bool same = i > 0 && compare(s, s->order[i], s->order[i - 1]) == 0;
        for (int64_t j = 0; same && floats && j < s->m; j++)
            same = s->keys[s->order[i] * s->m + j] != RL_KEY_NAN;
        s->fresh[i] = !same;
        count += !same;
    }
    return count;
}

/* out: values (k, m), the number of each row's value (n), how many rows have it (k); empty where
 * not asked for. */
static rl_status emit(const search *s, const rl_tensor *x, int64_t k, bool inverse, bool counts,
                      rl_tensor **out)
{
    size_t row = (size_t)s->m * rl_itemsize(x);
    int64_t shape[2] = {k, s->m}, none = 0;
    out[0] = rl_new((rl_dtype)x->dtype, 2, shape);
    out[1] = rl_new(RL_I64, 1, inverse ? &s->n : &none);
    out[2] = rl_new(RL_I64, 1, counts ? &k : &none);
    if (!out[0] || !out[1] || !out[2]) {
        for (int i = 0; i < 3; i++) {
            rl_release(out[i]);
            out[i] = NULL;
        }
        return rl_error_code();
    }
    int64_t at = -1, *where = (int64_t *)out[1]->data, *number = (int64_t *)out[2]->data;
    for (int64_t i = 0; i < s->n; i++) {
        int64_t from = s->order[i];
        if (s->fresh[i]) {
            at++;
            memcpy(out[0]->data + (size_t)at * row, x->data + (size_t)from * row, row);
            if (counts)
                number[at] = 0;
        }
        if (inverse)
            where[from] = at;
        if (counts)
            number[at]++;
    }
    return RL_OK;
}

/* ---- runs of single elements: one pass, no keys ---- */

#define RUNS(T)                                                                                    \
    {                                                                                              \
        const T *v = (const T *)x->data;                                                           \
        T *y = (T *)values->data;                                                                  \
        for (int64_t i = 0; !number && !where && i < x->numel; i++) { /* no branch to foresee */   \
            y[k + 1] = v[i];                                                                       \
            k += i == 0 || !(v[i] == v[i - 1]);                                                    \
        }                                                                                          \
        for (int64_t i = 0; (number || where) && i < x->numel; i++) {                              \
            if (i == 0 || !(v[i] == v[i - 1])) {                                                   \
                if (number && k >= 0)                                                              \
                    number[k] = i - first;                                                         \
                first = i;                                                                         \
                y[++k] = v[i];                                                                     \
            }                                                                                      \
            if (where)                                                                             \
                where[i] = k;                                                                      \
        }                                                                                          \
    }

/* x: row-major.  Results as those of emit, the values with one dim. */
static rl_status runs(rl_tensor *x, bool inverse, bool counts, rl_tensor **out)
{
    RL_TEMP *wide =
        rl_cast_data(x, x->dtype == RL_F16 || x->dtype == RL_BF16 ? RL_F32 : (rl_dtype)x->dtype);
    RL_TEMP *values = wide ? rl_new((rl_dtype)wide->dtype, 1, &x->numel) : NULL;
    int64_t none = 0, k = -1, first = 0, count;
    RL_TEMP *place = rl_new(RL_I64, 1, inverse ? &x->numel : &none);
    RL_TEMP *length = rl_new(RL_I64, 1, counts ? &x->numel : &none);
    if (!values || !place || !length)
        return rl_error_code();
    int64_t *where = inverse ? (int64_t *)place->data : NULL;
    int64_t *number = counts ? (int64_t *)length->data : NULL;
    x = wide;
    if (x->dtype == RL_F32)
        RUNS(float)
    else if (x->dtype == RL_F64)
        RUNS(double)
    else if (rl_itemsize(x) == 1)
        RUNS(uint8_t)
    else if (rl_itemsize(x) == 2)
        RUNS(uint16_t)
    else if (rl_itemsize(x) == 4)
        RUNS(uint32_t)
    else
        RUNS(uint64_t)
    if (number && k >= 0)
        number[k] = x->numel - first;
    count = k + 1;
    /* Copies of the right size: the results must not keep the memory of all elements. */
    int64_t one = 1;
    RL_TEMP *found = rl_new_view(values, 1, &count, &one, 0);
    RL_TEMP *sizes = rl_new_view(length, 1, counts ? &count : &none, &one, 0);
    out[0] = found ? rl_new((rl_dtype)values->dtype, 1, &count) : NULL;
    out[2] = sizes ? rl_new(RL_I64, 1, sizes->shape) : NULL;
    if (!out[0] || !out[2] || rl_copy_data(out[0], found) || rl_copy_data(out[2], sizes))
        return rl_error_code();
    out[1] = rl_retain(place);
    return RL_OK;
}
#undef RUNS

/* rows: row-major, n rows of m elements. */
static rl_status find(rl_tensor *rows, int64_t n, int64_t m, bool sort, bool inverse, bool counts,
                      rl_tensor **out)
{
    search s;
    rl_dtype dtype = (rl_dtype)rows->dtype;
    rl_status status = search_new(&s, n, m);
    if (status)
        return status;
    fill_keys(&s, dtype, rows->data);
    for (int64_t i = 0; i < n; i++)
        s.order[i] = i;
    if (sort && m == 1)
        status = sort_elements(&s);
    else if (sort)
        sort_rows(&s);
    if (!status)
        status = emit(&s, rows, mark(&s, rl_is_floating(dtype)), inverse, counts, out);
    search_free(&s);
    return status;
}

/* ---- derivatives: there are none ---- */

static rl_status unique_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    return rl_error(RL_ENOTIMPL, "derivative for aten::_unique2 is not implemented");
}
static rl_status unique_dim_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    return rl_error(RL_ENOTIMPL, "derivative for aten::unique_dim is not implemented");
}
static rl_status consecutive_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    return rl_error(RL_ENOTIMPL, "derivative for aten::unique_consecutive is not implemented");
}
static const rl_node_type unique_node = {"Unique2Backward0", unique_backward, 0};
static const rl_node_type unique_dim_node = {"UniqueDimBackward0", unique_dim_backward, 0};
static const rl_node_type consecutive_node = {"UniqueConsecutiveBackward0", consecutive_backward,
                                              0};

static rl_status finish(rl_status status, const rl_node_type *type, rl_tensor *x, rl_tensor **out)
{
    if (!status && rl_recording(x)) {
        rl_tensor *outputs[] = {out[0], NULL, NULL};
        status = rl_record_n(rl_node_new_n(type, 3, outputs, 1, &x, 0), 3, outputs);
    }
    for (int i = 0; status && i < 3; i++) {
        rl_release(out[i]);
        out[i] = NULL;
    }
    return status;
}

static rl_status flat(rl_tensor *x, bool sort, bool inverse, bool counts, rl_tensor **out)
{
    RL_TEMP *rows = rl_contiguous_data(x);
    rl_status status = !rows  ? rl_error_code()
                       : sort ? find(rows, x->numel, 1, sort, inverse, counts, out)
                              : runs(rows, inverse, counts, out);
    if (!status && out[0]->dtype != x->dtype) {
        rl_tensor *narrow = rl_cast_data(out[0], (rl_dtype)x->dtype);
        rl_release(out[0]);
        out[0] = narrow;
        status = rl_status_of(narrow);
    }
    if (!status)
        status = rl_tensor_set_geometry(out[0], 1, out[0]->shape, NULL);
    if (!status && inverse)
        status = rl_tensor_set_geometry(out[1], x->ndim, x->shape, NULL);
    return status;
}

static rl_status slices(rl_tensor *x, int64_t dim, bool sort, bool inverse, bool counts,
                        rl_tensor **out)
{
    if (x->ndim == 0)
        return rl_error(RL_EINDEX, "Dimension specified as %lld but tensor has no dimensions",
                        (long long)dim);
    if (rl_wrap_dim(&dim, x->ndim))
        return rl_error_code();
    int64_t shape[RL_MAX_DIMS], strides[RL_MAX_DIMS], m = 1, zero = 0;
    for (int d = 0; d < x->ndim; d++) {
        shape[d] = x->shape[d];
        m *= d == dim ? 1 : shape[d];
    }
    if (m == 0 && x->shape[dim])
        return rl_error(
            RL_ERUNTIME,
            "There are 0 sized dimensions, and they aren't selected, so unique cannot be applied");
    bool mode = rl_set_grad_enabled(false);
    RL_TEMP *moved = rl_movedim(x, (rl_ints){&dim, 1}, (rl_ints){&zero, 1});
    rl_set_grad_enabled(mode);
    RL_TEMP *rows = moved ? rl_contiguous_data(moved) : NULL;
    rl_status status =
        rows ? find(rows, x->shape[dim], m, sort, inverse, counts, out) : rl_error_code();
    if (status)
        return status;
    /* Row-major with dim first, and dim moved back. */
    shape[dim] = out[0]->shape[0];
    int64_t step = 1;
    for (int d = x->ndim - 1; d >= 0; d--)
        if (d != dim) {
            strides[d] = step;
            step *= shape[d] > 1 ? shape[d] : 1;
        }
    strides[dim] = step;
    return rl_tensor_set_geometry(out[0], x->ndim, shape, strides);
}

rl_status rl__unique2(rl_tensor *x, bool sorted, bool return_inverse, bool return_counts,
                      rl_tensor **out)
{
    out[0] = out[1] = out[2] = NULL;
    if (!x)
        return rl_error_code();
    return finish(flat(x, true, return_inverse, return_counts, out), &unique_node, x, out);
}

rl_status rl__unique_dim(rl_tensor *x, int64_t dim, bool sorted, bool return_inverse,
                         bool return_counts, rl_tensor **out)
{
    out[0] = out[1] = out[2] = NULL;
    if (!x)
        return rl_error_code();
    return finish(slices(x, dim, true, return_inverse, return_counts, out), &unique_dim_node, x,
                  out);
}

rl_status rl__unique_consecutive(rl_tensor *x, bool return_inverse, bool return_counts,
                                 rl_opt_int dim, rl_tensor **out)
{
    out[0] = out[1] = out[2] = NULL;
    if (!x)
        return rl_error_code();
    rl_status status = dim.given ? slices(x, dim.v, false, return_inverse, return_counts, out)
                                 : flat(x, false, return_inverse, return_counts, out);
    return finish(status, &consecutive_node, x, out);
}
