/* median.c: median, nanmedian and mode: one element of each row stands for it. */
#include "core/alloc.h"
#include "core/parallel.h"
#include "ops/order.h"
#include "ops/reduced.h"

/* Finds the place of the element that represents n elements at a stride in bytes, n > 0. */
typedef rl_status finder(rl_dtype dtype, const char *x, ptrdiff_t stride, int64_t n, int64_t *at);

static rl_status find_median(rl_dtype dtype, const char *x, ptrdiff_t stride, int64_t n,
                             int64_t *at)
{
    return rl_entries_median(dtype, x, stride, n, false, at);
}

static rl_status find_nanmedian(rl_dtype dtype, const char *x, ptrdiff_t stride, int64_t n,
                                int64_t *at)
{
    return rl_entries_median(dtype, x, stride, n, true, at);
}

/* The last place of the most frequent value, the least of several; a nan equals nothing. */
static rl_status find_mode(rl_dtype dtype, const char *x, ptrdiff_t stride, int64_t n, int64_t *at)
{
    size_t bytes = 2 * (size_t)n * sizeof(rl_entry);
    rl_entry *buffer = rl_alloc(bytes);
    if (!buffer)
        return RL_EMEMORY;
    rl_entries_make(dtype, x, stride, n, false, buffer);
    const rl_entry *v = rl_entries_sort(buffer, buffer + n, n);
    bool floats = rl_is_floating(dtype);
    int64_t most = 0, run = 0;
    for (int64_t i = 0; i < n; i++) {
        run++;
        if (i + 1 < n && v[i].key == v[i + 1].key && !(floats && v[i].key == RL_KEY_NAN))
            continue;
        if (run > most) {
            most = run;
            *at = v[i].at;
        }
        run = 0;
    }
    rl_free(buffer, bytes);
    return RL_OK;
}

/* ---- along a dim ---- */

/* dx = g at the place that was picked */
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
    dx[0] = zeros ? rl_scatter(zeros, n->args.i[0], at, gk, NULL) : NULL;
    return RL_DONE(n, dx);
}

static const rl_node_type median_node = {"MedianBackward1", picked_backward, 1};
static const rl_node_type nanmedian_node = {"NanmedianBackward1", picked_backward, 1};
static const rl_node_type mode_node = {"ModeBackward0", picked_backward, 1};

struct rows {
    finder *find;
    const rl_tensor *x; /* row-major, the dim last */
    int64_t n, *index;
    rl_status status;
};

static void run_rows(int64_t begin, int64_t end, void *context)
{
    struct rows *w = context;
    ptrdiff_t item = (ptrdiff_t)rl_itemsize(w->x);
    for (int64_t i = begin; i < end; i++) {
        rl_status status =
            w->find((rl_dtype)w->x->dtype, w->x->data + i * w->n * item, item, w->n, &w->index[i]);
        if (status)
            w->status = status;
    }
}

static rl_status along(finder *find, const char *name, const rl_node_type *type, rl_tensor *x,
                       int64_t dim, bool keepdim, rl_tensor **out)
{
    bool mask[RL_MAX_DIMS];
    out[0] = out[1] = NULL;
    if (!x || rl_wrap_dim(&dim, x->ndim))
        return rl_error_code();
    if (x->ndim && x->shape[dim] == 0)
        return rl_error(RL_EINDEX, "%s(): Expected reduction dim %lld to have non-zero size.", name,
                        (long long)dim);
    int64_t shape[RL_MAX_DIMS], kept[RL_MAX_DIMS];
    int n = 0;
    for (int d = 0; d < x->ndim; d++) {
        kept[d] = d == dim ? 1 : x->shape[d];
        if (d != dim || keepdim)
            shape[n++] = kept[d];
    }
    bool grad = rl_set_grad_enabled(false);
    RL_TEMP *moved =
        x->ndim ? rl_movedim(x, (rl_ints){&dim, 1}, (rl_ints){(int64_t[]){-1}, 1}) : rl_retain(x);
    RL_TEMP *rows = moved ? rl_contiguous_data(moved) : NULL;
    RL_TEMP *index = rl_new(RL_I64, x->ndim, kept);
    struct rows w = {find, rows, x->ndim ? x->shape[dim] : 1, NULL, RL_OK};
    if (rows && index && index->numel) {
        w.index = (int64_t *)index->data;
        rl_parallel_for(index->numel, w.n < 4096 ? 4096 / w.n : 1, run_rows, &w);
    }
    RL_TEMP *value = rows && index && !w.status
                         ? (x->ndim ? rl_gather(x, dim, index, false) : rl_clone(x))
                         : NULL;
    rl_set_grad_enabled(grad);
    if (w.status)
        return rl_error(w.status, "%s: not enough memory", name);
    if (!value || rl_tensor_set_geometry(value, n, shape, NULL) ||
        rl_tensor_set_geometry(index, n, shape, NULL))
        return rl_error_code();
    if (rl_recording(x)) {
        rl_tensor *outputs[] = {value, NULL};
        rl_node *node = rl_node_new_n(type, 2, outputs, 1, &x, 1);
        rl_one_dim_mask(x->ndim, dim, mask);
        rl_save(node, 0, index);
        rl_reduced_set(node, x, mask, keepdim);
        if (node)
            node->args.i[0] = dim;
        if (rl_record_n(node, 2, outputs))
            return rl_error_code();
    }
    out[0] = rl_retain(value);
    out[1] = rl_retain(index);
    return RL_OK;
}

static rl_status refuse_bool(const rl_tensor *x)
{
    return x && x->dtype == RL_BOOL
               ? rl_error(RL_ENOTIMPL, "\"median_cpu\" not implemented for 'Bool'")
               : RL_OK;
}

rl_status rl_median_dim(rl_tensor *x, int64_t dim, bool keepdim, rl_tensor **out)
{
    rl_status status = refuse_bool(x);
    return status ? status : along(find_median, "median", &median_node, x, dim, keepdim, out);
}

rl_status rl_nanmedian_dim(rl_tensor *x, int64_t dim, bool keepdim, rl_tensor **out)
{
    rl_status status = refuse_bool(x);
    return status ? status : along(find_nanmedian, "median", &nanmedian_node, x, dim, keepdim, out);
}

rl_status rl_mode(rl_tensor *x, int64_t dim, bool keepdim, rl_tensor **out)
{
    return along(find_mode, "mode", &mode_node, x, dim, keepdim, out);
}

/* ---- over all elements ---- */

/* y = median x     dx = g / count where x == y (or both are nan) */
static rl_status median_all_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *x = rl_saved(n, 0);
    RL_TEMP *y = rl_saved(n, 1);
    if (!x || !y)
        return rl_error_code();
    RL_TEMP *same = rl_eq(x, y);
    RL_TEMP *hole = rl_isnan(y);
    RL_TEMP *holes = rl_isnan(x);
    RL_TEMP *both = rl_logical_and(holes, hole);
    RL_TEMP *hit = rl_logical_or(same, both);
    RL_TEMP *count = hit ? rl_sum(hit, (rl_ints){NULL, -1}, false, RL_NO_DTYPE) : NULL;
    RL_TEMP *share = count ? rl_div(g[0], count, NULL) : NULL;
    dx[0] = rl_mul(share, hit);
    return RL_DONE(n, dx);
}

static const rl_node_type median_all_node = {"MedianBackward0", median_all_backward, 2};
static const rl_node_type nanmedian_all_node = {"NanmedianBackward0", median_all_backward, 2};

/* What PyTorch makes of no elements: nan, of integers the least value. */
static rl_status fill_empty(rl_tensor *z)
{
    if (rl_is_floating((rl_dtype)z->dtype))
        return rl_fill_data(z, rl_float(__builtin_nan("")));
    int bits = 8 * (int)rl_itemsize(z) - 1;
    return rl_fill_data(z, rl_int(z->dtype == RL_U8 ? 0 : INT64_MIN >> (63 - bits)));
}

static rl_status fill_found(finder *find, rl_tensor *z, rl_tensor *x)
{
    RL_TEMP *flat = rl_contiguous_data(x);
    int64_t at = 0;
    size_t item = rl_itemsize(x);
    rl_status status =
        flat ? find((rl_dtype)x->dtype, flat->data, (ptrdiff_t)item, x->numel, &at) : RL_EMEMORY;
    if (!status)
        memcpy(z->data, flat->data + (size_t)at * item, item);
    return status;
}

static rl_tensor *all(finder *find, const rl_node_type *type, rl_tensor *x)
{
    if (!x || refuse_bool(x))
        return NULL;
    RL_TEMP *z = rl_new((rl_dtype)x->dtype, 0, NULL);
    if (!z || (x->numel ? fill_found(find, z, x) : fill_empty(z)))
        return NULL;
    if (!rl_recording(x))
        return rl_retain(z);
    rl_node *n = rl_node_new(type, z, 1, &x);
    rl_save(n, 0, x);
    rl_save_output(n, 1, z, 0);
    return rl_record(n, rl_retain(z));
}

rl_tensor *rl_median(rl_tensor *x) { return all(find_median, &median_all_node, x); }
rl_tensor *rl_nanmedian(rl_tensor *x) { return all(find_nanmedian, &nanmedian_all_node, x); }
