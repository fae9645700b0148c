/* index.c: advanced indexing by NumPy's rules: x[i, :, j] with index tensors and masks, and
 * assignment to it.
 *
 * The dims of x fall in three groups: dims before the first index tensor, the indexed dims, dims
 * after the last.  Index tensors are broadcast against each other; their common shape takes the
 * place of the indexed dims, or the front when a whole dim stands between two of them.  All
 * positions are computed and checked before any element is touched. */
#include <stdio.h>

#include "core/alloc.h"
#include "core/iter.h"
#include "ops/element.h"
#include "ops/index.h"

/* ---- preparing index tensors ---- */

void rl_index_list_free(rl_index_list *list)
{
    for (int i = 0; i < list->n; i++)
        rl_release(list->v[i]);
    list->n = 0;
}

static rl_status append(rl_index_list *list, rl_tensor *t)
{
    if (list->n == RL_MAX_DIMS) {
        rl_release(t);
        return rl_error(RL_EINDEX, "more than %d indices", RL_MAX_DIMS);
    }
    list->v[list->n++] = t;
    return RL_OK;
}

/* The coordinates of a mask's true elements, one index tensor per dim of the mask. */
static rl_status append_mask(rl_index_list *list, const rl_tensor *x, rl_tensor *mask)
{
    for (int d = 0; d < mask->ndim; d++)
        if (list->n + d >= x->ndim)
            return rl_error(RL_EINDEX, "too many indices for tensor of dimension %d", x->ndim);
        else if (mask->shape[d] != x->shape[list->n + d])
            return rl_error(RL_EINDEX,
                            "The shape of the mask %s at index %d does not match the shape of the "
                            "indexed tensor %s at "
                            "index %d",
                            rl_shape_str(mask).s, d, rl_shape_str(x).s, list->n + d);
    rl_list parts;
    if (rl_nonzero_tuple(mask, &parts))
        return rl_error_code();
    rl_status status = RL_OK;
    for (int64_t i = 0; i < parts.n && !status; i++)
        status = append(list, rl_retain(parts.v[i]));
    rl_list_free(&parts);
    return status;
}

rl_status rl_index_prepare(rl_index_list *list, const rl_tensor *x, rl_tensors indices)
{
    list->n = 0;
    rl_status status = RL_OK;
    for (int64_t i = 0; i < indices.n && !status; i++) {
        rl_tensor *t = indices.v[i];
        if (!t)
            status = append(list, NULL);
        else if (t->dtype == RL_BOOL || t->dtype == RL_U8)
            status = append_mask(list, x, t);
        else if (t->dtype == RL_I64 || t->dtype == RL_I32)
            status = append(list, rl_retain(t));
        else
            status = rl_error(RL_EINDEX,
                              "tensors used as indices must be long, int, byte or bool tensors");
    }
    if (!status && list->n > x->ndim)
        status = rl_error(RL_EINDEX, "too many indices for tensor of dimension %d (got %d)",
                          x->ndim, list->n);
    if (status)
        rl_index_list_free(list);
    return status;
}

rl_tensor *rl_index_values(rl_tensor *index) { return rl_cast_data(index, RL_I64); }

int64_t rl_index_outside(const int64_t *v, int64_t n, int64_t low, int64_t high)
{
    typedef uint64_t pair __attribute__((vector_size(16), aligned(8), may_alias));
    const uint64_t first = (uint64_t)low, most = (uint64_t)high - first - 1;
    /* Negative as int64 where a value is outside: what is too large differs from `most` by that. */
#define BAD(value) (((value) - first) | (most - ((value) - first)))
    int64_t i = 0;
    for (; high > low && i + 8 <= n; i += 8) {
        const pair *p = (const pair *)(v + i);
        const pair any = (BAD(p[0]) | BAD(p[1])) | (BAD(p[2]) | BAD(p[3]));
        if ((int64_t)(any[0] | any[1]) < 0)
            break;
    }
    while (i < n && high > low && (int64_t)BAD((uint64_t)v[i]) >= 0)
        i++;
#undef BAD
    return i;
}

/* ---- the plan: where every element of the result lies in x ---- */

typedef struct plan {
    int n_before, n_index, n_after;
    int64_t shape[RL_MAX_DIMS];    /* of the result: before, index, after */
    int ndim;                      /* their sum */
    int64_t x_before[RL_MAX_DIMS]; /* strides of x in elements, for the dims before */
    int64_t x_after[RL_MAX_DIMS];  /* and after */
    int64_t n;                     /* index positions: product of the index dims */
    int64_t others;                /* product of the dims before and after */
    int64_t *offsets;              /* in elements of x, one per index position */
} plan;

static void plan_free(plan *p)
{
    if (p->offsets)
        rl_free(p->offsets, (size_t)p->n * sizeof *p->offsets);
    p->offsets = NULL;
}

/* Adds the positions of one index tensor (row-major int64, n values) for a dim of this size and
 * stride.  which: the how-manieth index tensor it is, from 0, which PyTorch's message calls the
 * dimension.  As there, nothing is checked where no element moves. */
static rl_status add_offsets(plan *p, const int64_t *v, int which, int64_t size, int64_t stride)
{
    if (size > 0 && p->others == 0)
        return RL_OK;
    int64_t bad = rl_index_outside(v, p->n, -size, size);
    if (bad < p->n) {
        if (size == 0)
            return rl_error(RL_EINDEX, "index is out of bounds for dimension with size 0");
        return rl_error(RL_EINDEX, "index %lld is out of bounds for dimension %d with size %lld",
                        (long long)v[bad], which, (long long)size);
    }
    for (int64_t i = 0; i < p->n; i++)
        p->offsets[i] += (v[i] + (size & v[i] >> 63)) * stride;
    return RL_OK;
}

static rl_status plan_make(plan *p, const rl_tensor *x, const rl_index_list *list)
{
    *p = (plan){.n = 1};
    int64_t common[RL_MAX_DIMS];
    int nc = 0, first = -1, last = -1;
    for (int d = 0; d < list->n; d++) {
        rl_tensor *t = list->v[d];
        if (!t)
            continue;
        if (first < 0)
            first = d;
        last = d;
        int64_t merged[RL_MAX_DIMS];
        if (rl_broadcast_shapes(nc, common, t->ndim, t->shape, &nc, merged)) {
            char text[512] = "";
            size_t used = 0;
            for (int i = 0; i < list->n && used < sizeof text; i++)
                if (list->v[i])
                    used += (size_t)snprintf(text + used, sizeof text - used, "%s%s",
                                             used ? ", " : "", rl_shape_str(list->v[i]).s);
            return rl_error(
                RL_EINDEX,
                "shape mismatch: indexing tensors could not be broadcast together with shapes %s",
                text);
        }
        memcpy(common, merged, (size_t)nc * sizeof *common);
    }
    bool adjacent = true;
    for (int d = first; d <= last && first >= 0; d++)
        adjacent = adjacent && list->v[d];
    int indexed = 0;
    for (int d = 0; d < x->ndim; d++) {
        if (d < list->n && list->v[d]) {
            indexed++;
            continue;
        }
        if (adjacent && d < first)
            p->x_before[p->n_before++] = x->strides[d];
        else
            p->x_after[p->n_after++] = x->strides[d];
    }
    if (x->ndim - indexed + nc > RL_MAX_DIMS)
        return rl_error(RL_ERUNTIME, "indexing gives more than %d dims", RL_MAX_DIMS);
    p->n_index = nc;
    p->ndim = p->n_before + nc + p->n_after;
    for (int d = 0, b = 0, a = p->n_before + nc; d < x->ndim; d++) {
        if (d < list->n && list->v[d])
            continue;
        if (adjacent && d < first)
            p->shape[b++] = x->shape[d];
        else
            p->shape[a++] = x->shape[d];
    }
    memcpy(p->shape + p->n_before, common, (size_t)nc * sizeof *common);
    p->others = 1;
    for (int i = 0; i < p->ndim; i++)
        if (i < p->n_before || i >= p->n_before + nc)
            p->others *= p->shape[i];
    int64_t n;
    if (rl_shape_numel(nc, common, &n))
        return rl_error_code();
    p->n = n;
    p->offsets = rl_alloc((size_t)n * sizeof *p->offsets);
    if (!p->offsets)
        return RL_EMEMORY;
    memset(p->offsets, 0, (size_t)n * sizeof *p->offsets);
    int which = 0;
    for (int d = 0; d < list->n; d++) {
        rl_tensor *t = list->v[d];
        if (!t)
            continue;
        int64_t strides[RL_MAX_DIMS];
        for (int i = nc - 1, from = t->ndim - 1; i >= 0; i--, from--)
            strides[i] = from >= 0 && t->shape[from] != 1 ? t->strides[from] : 0;
        RL_TEMP *wide = rl_has_shape(t, nc, common)
                            ? rl_retain(t)
                            : rl_new_view(t, nc, common, strides, t->offset);
        RL_TEMP *values = wide ? rl_index_values(wide) : NULL;
        if (!values ||
            add_offsets(p, (const int64_t *)values->data, which++, x->shape[d], x->strides[d])) {
            plan_free(p);
            return rl_error_code();
        }
    }
    return RL_OK;
}

typedef enum { READ, WRITE, ADD } way;

/* Moves elements between x and a tensor v of the result's shape (strides in elements). */
static void plan_run(const plan *p, rl_tensor *x, char *v, const int64_t *v_strides, way what)
{
    size_t size = rl_itemsize(x);
    const int64_t *after = p->shape + p->n_before + p->n_index;
    ptrdiff_t xa[RL_MAX_DIMS], va[RL_MAX_DIMS];
    int64_t block = 1, outer = 1, index_at[RL_MAX_DIMS] = {0}, before_at[RL_MAX_DIMS] = {0};
    bool dense = true; /* the dims after are row-major in both: one memcpy per position */
    for (int d = p->n_after - 1; d >= 0; d--) {
        int64_t vs = v_strides[p->n_before + p->n_index + d];
        xa[d] = p->x_after[d] * (ptrdiff_t)size;
        va[d] = vs * (ptrdiff_t)size;
        dense = dense && (after[d] == 1 || (p->x_after[d] == block && vs == block));
        block *= after[d];
    }
    for (int d = 0; d < p->n_before; d++)
        outer *= p->shape[d];
    if (block == 0 || outer == 0 || p->n == 0)
        return;
    int64_t xb = 0, vb = 0; /* element offsets of the dims before */
    const rl_index_way ways[] = {RL_INDEX_GATHER, RL_INDEX_SCATTER, RL_INDEX_ADD};
    const bool row = block == 1 && p->n_index == 1; /* single elements, one after the other */
    for (int64_t o = 0; o < outer; o++) {
        int64_t vi = vb;
        if (row)
            rl_index_row(ways[what], (rl_dtype)x->dtype, x->data + xb * (int64_t)size,
                         (ptrdiff_t)size, 0, v + vb * (int64_t)size,
                         v_strides[p->n_before] * (ptrdiff_t)size, p->offsets, p->n);
        for (int64_t k = 0; !row && k < p->n; k++) {
            char *at = x->data + (xb + p->offsets[k]) * (int64_t)size;
            char *to = v + vi * (int64_t)size;
            if (what == ADD) {
                if (block == 1)
                    rl_element_add((rl_dtype)x->dtype, at, to);
                else
                    rl_strided_add(p->n_after, after, at, xa, to, va, (rl_dtype)x->dtype);
            } else if (block == 1) {
                rl_element_copy(size, what == READ ? to : at, what == READ ? at : to);
            } else if (dense) {
                memcpy(what == READ ? to : at, what == READ ? at : to, (size_t)block * size);
            } else if (what == READ) {
                rl_strided_copy(p->n_after, after, to, va, at, xa, size);
            } else {
                rl_strided_copy(p->n_after, after, at, xa, to, va, size);
            }
            for (int d = p->n_index - 1; d >= 0; d--) {
                int64_t stride = v_strides[p->n_before + d];
                vi += stride;
                if (++index_at[d] < p->shape[p->n_before + d])
                    break;
                vi -= stride * p->shape[p->n_before + d];
                index_at[d] = 0;
            }
        }
        for (int d = p->n_before - 1; d >= 0; d--) {
            xb += p->x_before[d];
            vb += v_strides[d];
            if (++before_at[d] < p->shape[d])
                break;
            xb -= p->x_before[d] * p->shape[d];
            vb -= v_strides[d] * p->shape[d];
            before_at[d] = 0;
        }
    }
}

/* ---- x[indices] ---- */

static rl_node *node_with(const rl_node_type *type, rl_tensor *z, int n_inputs,
                          rl_tensor *const *inputs, const rl_index_list *list)
{
    rl_node *n = rl_node_new_n(type, 1, &z, n_inputs, inputs, list->n);
    for (int i = 0; n && i < list->n; i++)
        rl_save(n, i, list->v[i]);
    return n;
}

static rl_status saved_list(rl_node *n, rl_index_list *list)
{
    list->n = 0;
    for (int i = 0; i < n->n_saved; i++) {
        rl_tensor *t = rl_has_saved(n, i) ? rl_saved(n, i) : NULL;
        if (!t && rl_has_saved(n, i)) {
            rl_index_list_free(list);
            return rl_error_code();
        }
        list->v[list->n++] = t;
    }
    return RL_OK;
}

static rl_status index_node_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    rl_index_list list;
    if (saved_list(n, &list))
        return rl_error_code();
    dx[0] = rl_index_backward(g[0], n->args.n_dims, n->args.dims, &list);
    rl_index_list_free(&list);
    return rl_status_of(dx[0]);
}

static const rl_node_type index_node = {"IndexBackward0", index_node_backward, 0, NULL};

static rl_tensor *index_prepared(rl_tensor *x, const rl_index_list *list)
{
    plan p;
    if (plan_make(&p, x, list))
        return NULL;
    rl_tensor *z = rl_new((rl_dtype)x->dtype, p.ndim, p.shape);
    if (z)
        plan_run(&p, x, z->data, z->strides, READ);
    plan_free(&p);
    if (!z || !rl_recording(x))
        return z;
    rl_node *n = node_with(&index_node, z, 1, &x, list);
    if (n)
        rl_node_set_dims(n, x->ndim, x->shape);
    return rl_record(n, z);
}

rl_tensor *rl_index(rl_tensor *x, rl_tensors indices)
{
    rl_index_list list;
    if (!x || rl_index_prepare(&list, x, indices))
        return NULL;
    rl_tensor *z = index_prepared(x, &list);
    rl_index_list_free(&list);
    return z;
}

/* The derivative of adding at positions is reading there. */
static rl_status index_add_back_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    rl_index_list list;
    if (saved_list(n, &list))
        return rl_error_code();
    dx[0] = index_prepared(g[0], &list);
    rl_index_list_free(&list);
    return rl_status_of(dx[0]);
}

static const rl_node_type index_back_node = {"IndexBackwardBackward0", index_add_back_backward, 0,
                                             NULL};

rl_tensor *rl_index_backward(rl_tensor *g, int ndim, const int64_t *shape,
                             const rl_index_list *list)
{
    if (!g)
        return NULL;
    rl_tensor *z = rl_zeros_data((rl_dtype)g->dtype, ndim, shape);
    plan p;
    if (!z || plan_make(&p, z, list)) {
        rl_release(z);
        return NULL;
    }
    plan_run(&p, z, g->data, g->strides, ADD);
    plan_free(&p);
    if (!rl_recording(g))
        return z;
    return rl_record(node_with(&index_back_node, z, 1, &g, list), z);
}

/* ---- x[indices] = values ---- */

/* dx = g with zeros at the positions (g itself when adding), dvalues = g at the positions. */
static rl_status index_put_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    rl_index_list list;
    if (saved_list(n, &list))
        return rl_error_code();
    rl_status status = RL_OK;
    if (rl_wants(n, 0) && n->args.i[0]) {
        dx[0] = rl_retain(g[0]);
    } else if (rl_wants(n, 0)) {
        RL_TEMP *copy = rl_row_major_copy(g[0]);
        RL_TEMP *zero = rl_zeros_data((rl_dtype)g[0]->dtype, 0, NULL);
        dx[0] =
            copy && zero ? rl_index_put_(copy, (rl_tensors){list.v, list.n}, zero, false) : NULL;
        status = rl_status_of(dx[0]);
    }
    if (!status && rl_wants(n, 1)) {
        dx[1] = index_prepared(g[0], &list);
        status = rl_status_of(dx[1]);
    }
    rl_index_list_free(&list);
    return status;
}

static const rl_node_type index_put_node = {"IndexPutBackward0", index_put_backward, 0, NULL};

static rl_tensor *put_prepared(rl_tensor *x, const rl_index_list *list, rl_tensor *values,
                               bool accumulate)
{
    plan p;
    if (plan_make(&p, x, list))
        return NULL;
    rl_tensor *result = NULL;
    int64_t strides[RL_MAX_DIMS];
    bool fits = values->ndim <= p.ndim;
    for (int d = p.ndim - 1, from = values->ndim - 1; d >= 0 && fits; d--, from--) {
        strides[d] = from >= 0 && values->shape[from] != 1 ? values->strides[from] : 0;
        fits = from < 0 || values->shape[from] == 1 || values->shape[from] == p.shape[d];
    }
    if (!fits) {
        rl_error(RL_ERUNTIME,
                 "shape mismatch: value tensor of shape %s cannot be broadcast to indexing result "
                 "of shape %s",
                 rl_shape_str(values).s, rl_ints_str(p.ndim, p.shape).s);
        plan_free(&p);
        return NULL;
    }
    if (x->dtype != values->dtype) {
        plan_free(&p);
        return rl_fail(RL_ERUNTIME,
                       "Index put requires the source and destination dtypes match, got %s for the "
                       "destination and %s for "
                       "the source.",
                       rl_dtype_title((rl_dtype)x->dtype), rl_dtype_title((rl_dtype)values->dtype));
    }
    bool records = rl_recording(x) || rl_recording(values);
    if (!rl_check_inplace(x, records)) {
        RL_TEMP *apart = rl_shares_memory(x, values) ? rl_new_like(values, (rl_dtype)values->dtype)
                                                     : rl_retain(values);
        bool ready = apart != NULL;
        if (apart && apart != values) {
            ready = !rl_copy_data(apart, values);
            for (int d = p.ndim - 1, from = values->ndim - 1; d >= 0; d--, from--)
                strides[d] = from >= 0 && apart->shape[from] != 1 ? apart->strides[from] : 0;
        }
        rl_node *n = NULL;
        if (ready && records) {
            n = node_with(&index_put_node, x, 2, (rl_tensor *[]){x, values}, list);
            ready = n != NULL;
            if (n)
                n->args.i[0] = accumulate;
        }
        if (ready) {
            plan_run(&p, x, apart->data, strides, accumulate ? ADD : WRITE);
            result = rl_record_inplace(n, x);
        }
    }
    plan_free(&p);
    return result;
}

rl_tensor *rl_index_put_(rl_tensor *x, rl_tensors indices, rl_tensor *values, bool accumulate)
{
    rl_index_list list;
    if (!x || !values)
        return NULL;
    if (rl_index_prepare(&list, x, indices))
        return NULL;
    rl_tensor *z = put_prepared(x, &list, values, accumulate);
    rl_index_list_free(&list);
    return z;
}

rl_tensor *rl_index_put(rl_tensor *x, rl_tensors indices, rl_tensor *values, bool accumulate)
{
    RL_TEMP *copy = rl_clone(x);
    return copy ? rl_index_put_(copy, indices, values, accumulate) : NULL;
}
