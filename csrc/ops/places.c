/* places.c: small operators about where elements stand: trace, rot90, fill_diagonal_, triangles of
 * indices, nonzero_static, block_diag, sum_to_size. */
#include "core/iter.h"
#include "ops/index.h"
#include "ops/view.h"

/* ---- trace ---- */

static rl_geometry diagonal_of(const int64_t *shape)
{
    return (rl_geometry){
        .ndim = 1, .shape = {shape[0] < shape[1] ? shape[0] : shape[1]}, .strides = {shape[1] + 1}};
}

/* dx = g on the diagonal */
static rl_status trace_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    rl_geometry at = diagonal_of(n->args.dims);
    RL_TEMP *spread = rl_expand(g[0], (rl_ints){at.shape, 1}, false);
    dx[0] = rl_embed(spread, &at, 2, n->args.dims);
    return RL_DONE(n, dx);
}

static const rl_node_type trace_node = {"TraceBackward0", trace_backward, 0, NULL};

rl_tensor *rl_trace(rl_tensor *x)
{
    if (!x)
        return NULL;
    if (x->ndim != 2)
        return rl_fail(RL_ERUNTIME, "trace: expected a matrix, but got tensor with dim %d",
                       x->ndim);
    bool mode = rl_set_grad_enabled(false);
    RL_TEMP *diagonal = rl_diagonal(x, 0, 0, 1);
    rl_tensor *z = rl_sum(diagonal, (rl_ints){NULL, -1}, false, RL_NO_DTYPE);
    rl_set_grad_enabled(mode);
    if (!z || !rl_recording(x))
        return z;
    rl_node *n = rl_node_new(&trace_node, z, 1, &x);
    if (n)
        rl_node_set_dims(n, 2, x->shape);
    return rl_record(n, z);
}

/* ---- rot90 ---- */

static rl_status rot90_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    dx[0] = rl_rot90(g[0], -n->args.i[0], (rl_ints){n->args.dims, 2});
    return RL_DONE(n, dx);
}

static const rl_node_type rot90_node = {"Rot90Backward0", rot90_backward, 0, NULL};

rl_tensor *rl_rot90(rl_tensor *x, int64_t k, rl_ints dims)
{
    if (!x)
        return NULL;
    if (dims.n != 2)
        return rl_fail(RL_ERUNTIME, "expected total rotation dims == 2, but got dims = %d", dims.n);
    if (x->ndim < 2)
        return rl_fail(RL_ERUNTIME, "expected total dims >= 2, but got total dims = %d", x->ndim);
    int64_t d[2] = {dims.v[0], dims.v[1]};
    if (rl_wrap_dim(&d[0], x->ndim) || rl_wrap_dim(&d[1], x->ndim))
        return NULL;
    if (d[0] == d[1])
        return rl_fail(
            RL_ERUNTIME,
            "expected rotation dims to be different, but got dim0 = %lld and dim1 = %lld",
            (long long)dims.v[0], (long long)dims.v[1]);
    bool mode = rl_set_grad_enabled(false);
    RL_TEMP *flipped = NULL;
    int turns = (int)((k % 4 + 4) % 4);
    if (turns == 0)
        flipped = rl_row_major_copy(x);
    else
        flipped = rl_flip(x, turns == 2 ? (rl_ints){d, 2} : (rl_ints){d + (turns == 1), 1});
    rl_tensor *z = rl_retain(flipped);
    if (z && turns % 2 == 1) {
        int64_t shape[RL_MAX_DIMS], strides[RL_MAX_DIMS];
        memcpy(shape, z->shape, z->ndim * sizeof *shape);
        memcpy(strides, z->strides, z->ndim * sizeof *strides);
        shape[d[0]] = z->shape[d[1]], shape[d[1]] = z->shape[d[0]];
        strides[d[0]] = z->strides[d[1]], strides[d[1]] = z->strides[d[0]];
        if (rl_tensor_set_geometry(z, z->ndim, shape, strides)) {
            rl_release(z);
            z = NULL;
        }
    }
    rl_set_grad_enabled(mode);
    if (!z || !rl_recording(x))
        return z;
    rl_node *n = rl_node_new(&rot90_node, z, 1, &x);
    if (n) {
        n->args.i[0] = turns;
        rl_node_set_dims(n, 2, d);
    }
    return rl_record(n, z);
}

/* ---- fill_diagonal_ ---- */

rl_tensor *rl_fill_diagonal_(rl_tensor *x, rl_scalar fill_value, bool wrap)
{
    if (!x)
        return NULL;
    if (x->ndim < 2)
        return rl_fail(RL_ERUNTIME, "dimensions must larger than 1");
    int64_t height = x->shape[0], width = x->shape[1], stride = 0;
    for (int d = 0; d < x->ndim; d++) {
        if (x->ndim > 2 && x->shape[d] != height)
            return rl_fail(RL_ERUNTIME, "all dimensions of input must be of equal length");
        stride += x->strides[d];
    }
    int64_t length = height < width ? height : width;
    RL_TEMP *value = rl_wrap_number(fill_value);
    RL_TEMP *line = rl_as_strided(x, (rl_ints){&length, 1}, (rl_ints){&stride, 1},
                                  (rl_opt_int){true, x->offset});
    RL_TEMP *filled = line && value ? rl_fill_(line, value) : NULL;
    /* A tall matrix goes on after one row of rest. */
    int64_t start = width + 1;
    for (; filled && wrap && x->ndim == 2 && width > 0 && start < height; start += width + 1) {
        int64_t rest = height - start < width ? height - start : width;
        RL_TEMP *more = rl_as_strided(x, (rl_ints){&rest, 1}, (rl_ints){&stride, 1},
                                      (rl_opt_int){true, x->offset + start * x->strides[0]});
        rl_tensor *next = more ? rl_fill_(more, value) : NULL;
        rl_release(filled);
        filled = next;
    }
    return filled ? rl_retain(x) : NULL;
}

/* ---- indices of triangles ---- */

/* How many of `col` elements row i has in the triangle: the first i + offset + 1, or all behind i +
 * offset - 1. */
static int64_t row_edge(int64_t i, int64_t col, int64_t offset)
{
    int64_t edge;
    if (__builtin_add_overflow(i, offset, &edge))
        edge = offset < 0 ? 0 : col;
    return edge < 0 ? 0 : edge > col ? col : edge;
}

/* Elements before the edges of all rows: 0 of the first, a slope, `col` of the last. */
static bool count_before(int64_t row, int64_t col, int64_t offset, int64_t *count)
{
    __int128 empty = -(__int128)offset, full = (__int128)col - offset, total = 0;
    empty = empty < 0 ? 0 : empty > row ? row : empty;
    full = full < empty ? empty : full > row ? row : full;
    __int128 first = empty + offset, last = full - 1 + offset;
    if (full > empty)
        total = (first + last) * (full - empty) / 2;
    total += ((__int128)row - full) * col;
    *count = total > INT64_MAX ? INT64_MAX : (int64_t)total;
    return total <= INT64_MAX;
}

static rl_tensor *triangle_indices(const char *name, int64_t row, int64_t col, int64_t offset,
                                   rl_dtype dtype, bool lower)
{
    if (row < 0 || col < 0)
        return rl_fail(RL_ERUNTIME, "%s must be non-negative, got%lld", row < 0 ? "row" : "col",
                       (long long)(row < 0 ? row : col));
    dtype = dtype == RL_NO_DTYPE ? RL_I64 : dtype;
    if (dtype != RL_I64 && dtype != RL_I32)
        return rl_fail(RL_ENOTIMPL, "\"%s\" not implemented for '%s'", name, rl_dtype_title(dtype));
    int64_t shift = offset, before, all;
    if (lower && __builtin_add_overflow(offset, 1, &shift))
        shift = offset;
    if (!count_before(row, col, shift, &before) || __builtin_mul_overflow(row, col, &all))
        return rl_fail(RL_ERUNTIME, "%s: too many elements in %lld rows of %lld", name,
                       (long long)row, (long long)col);
    int64_t shape[2] = {2, lower ? before : all - before}, at = 0;
    RL_TEMP *z = rl_new(RL_I64, 2, shape);
    if (!z)
        return NULL;
    int64_t *y = (int64_t *)z->data;
    for (int64_t i = 0; i < row && at < shape[1]; i++) {
        int64_t edge = row_edge(i, col, shift);
        for (int64_t j = lower ? 0 : edge, end = lower ? edge : col; j < end; j++, at++) {
            y[at] = i;
            y[shape[1] + at] = j;
        }
    }
    return rl_cast_data(z, dtype);
}

rl_tensor *rl_tril_indices(int64_t row, int64_t col, int64_t offset, rl_dtype dtype)
{
    return triangle_indices("tril_indices", row, col, offset, dtype, true);
}

rl_tensor *rl_triu_indices(int64_t row, int64_t col, int64_t offset, rl_dtype dtype)
{
    return triangle_indices("triu_indices", row, col, offset, dtype, false);
}

/* ---- nonzero_static ---- */

rl_tensor *rl_nonzero_static(rl_tensor *x, int64_t size, int64_t fill_value)
{
    if (!x)
        return NULL;
    if (size < 0)
        return rl_fail(RL_ERUNTIME, "nonzero_static: 'size' must be an non-negative integer");
    RL_TEMP *found = rl_nonzero(x);
    if (!found)
        return NULL;
    int64_t shape[2] = {size, x->ndim}, rows = found->shape[0] < size ? found->shape[0] : size;
    RL_TEMP *z = rl_new(RL_I64, 2, shape);
    if (!z || rl_fill_data(z, rl_int(fill_value)))
        return NULL;
    shape[0] = rows;
    RL_TEMP *to = rl_new_view(z, 2, shape, z->strides, 0);
    RL_TEMP *from = rl_new_view(found, 2, shape, found->strides, found->offset);
    return to && from && !rl_copy_data(to, from) ? rl_retain(z) : NULL;
}

/* ---- block_diag ---- */

/* dx_i = g's block.  dims: rows and columns of each block, then the ndim of each input. */
static rl_status block_diag_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    int64_t row = 0, column = 0;
    for (int i = 0; i < n->n_inputs; i++) {
        const int64_t *k = n->args.dims + 3 * i;
        if (rl_wants(n, i)) {
            RL_TEMP *rows = rl_narrow(g[0], 0, row, k[0]);
            RL_TEMP *block = rows ? rl_narrow(rows, 1, column, k[1]) : NULL;
            int64_t shape[2] = {k[0], k[1]};
            dx[i] = block ? rl_reshape(block, (rl_ints){shape + 2 - k[2], (int)k[2]}) : NULL;
        }
        row += k[0];
        column += k[1];
    }
    return RL_DONE(n, dx);
}

static const rl_node_type block_diag_node = {"BlockDiagBackward0", block_diag_backward, 0, NULL};

rl_tensor *rl__block_diag(rl_tensors tensors)
{
    int64_t shape[2] = {tensors.n ? 0 : 1, 0};
    for (int64_t i = 0; i < tensors.n; i++) {
        const rl_tensor *t = tensors.v[i];
        if (t->ndim > 2)
            return rl_fail(RL_ERUNTIME,
                           "torch.block_diag: Input tensors must have 2 or fewer dimensions. Input "
                           "%lld has %d dimensions",
                           (long long)i, t->ndim);
        shape[0] += t->ndim == 2 ? t->shape[0] : 1;
        shape[1] += t->ndim ? t->shape[t->ndim - 1] : 1;
    }
    rl_dtype dtype = tensors.n ? rl_result_type((int)tensors.n, tensors.v) : rl_default_dtype();
    RL_TEMP *z = rl_zeros_data(dtype, 2, shape);
    if (!z)
        return NULL;
    int64_t at = 0;
    for (int64_t i = 0; i < tensors.n; i++) {
        rl_tensor *t = tensors.v[i];
        int64_t block[2] = {t->ndim == 2 ? t->shape[0] : 1, t->ndim ? t->shape[t->ndim - 1] : 1};
        if (block[0] && block[1]) {
            RL_TEMP *to = rl_new_view(z, 2, block, z->strides, at);
            if (!to || rl_copy_data(to, t))
                return NULL;
        }
        at += block[0] * shape[1] + block[1];
    }
    if (!rl_recording_any(tensors))
        return rl_retain(z);
    rl_node *n =
        rl_node_new_n(&block_diag_node, 1, (rl_tensor *[]){z}, (int)tensors.n, tensors.v, 0);
    rl_tensor *sizes = rl_new(RL_I64, 1, (int64_t[]){3 * tensors.n});
    if (n && sizes) {
        int64_t *k = (int64_t *)sizes->data;
        for (int64_t i = 0; i < tensors.n; i++, k += 3) {
            const rl_tensor *t = tensors.v[i];
            k[0] = t->ndim == 2 ? t->shape[0] : 1;
            k[1] = t->ndim ? t->shape[t->ndim - 1] : 1;
            k[2] = t->ndim;
        }
        rl_node_set_dims(n, (int)(3 * tensors.n), (int64_t *)sizes->data);
    }
    rl_release(sizes);
    return rl_record(n, rl_retain(z));
}

/* ---- sum_to_size, is_same_size ---- */

rl_tensor *rl_sum_to_size(rl_tensor *x, rl_ints size)
{
    if (!x)
        return NULL;
    int n = size.n < 0 ? 0 : size.n;
    bool fits = n <= x->ndim;
    for (int d = 1; fits && d <= n; d++)
        fits = size.v[n - d] == x->shape[x->ndim - d] || size.v[n - d] == 1;
    if (!fits)
        return rl_fail(RL_ERUNTIME, "size {%s} is not expandable to size {%s}.",
                       rl_ints_str(n, size.v).s, rl_shape_str(x).s);
    return rl_sum_to(x, n, size.v);
}

rl_status rl_is_same_size(rl_tensor *x, rl_tensor *other, bool *out)
{
    if (!x || !other)
        return rl_error_code();
    *out = rl_same_shape(x, other);
    return RL_OK;
}

/* ---- repeat_interleave of counts alone ---- */

rl_tensor *rl_repeat_interleave_counts(rl_tensor *repeats)
{
    if (!repeats)
        return NULL;
    if (repeats->ndim != 1)
        return rl_fail(RL_ERUNTIME, "repeat_interleave only accept 1D vector as repeat");
    if (repeats->dtype != RL_I64 && repeats->dtype != RL_I32)
        return rl_fail(RL_ENOTIMPL, "\"repeat_interleave_cpu\" not implemented for '%s'",
                       rl_dtype_title((rl_dtype)repeats->dtype));
    return rl_interleaved_places(repeats, repeats->numel);
}
