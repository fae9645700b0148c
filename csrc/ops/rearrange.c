/* rearrange.c: copies of elements in other places: flip, roll, repeat, tile, tril, triu, diag. */
#include "ops/element.h"
#include "ops/view.h"

/* ---- flip ---- */

/* args.dims: the flipped dims; a flip is its own inverse. */
static rl_status flip_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    dx[0] = rl_flip(g[0], (rl_ints){n->args.dims, n->args.n_dims});
    return rl_status_of(dx[0]);
}

static const rl_node_type flip_node = {"FlipBackward0", flip_backward, 0, NULL};

rl_tensor *rl_flip(rl_tensor *x, rl_ints dims)
{
    bool mask[RL_MAX_DIMS] = {false};
    if (!x || (dims.n > 0 && rl_dim_mask(dims, x->ndim, mask)))
        return NULL;
    RL_TEMP *z = rl_new_like(x, (rl_dtype)x->dtype);
    if (!z)
        return NULL;
    if (z->numel > 0) {
        ptrdiff_t to[RL_MAX_DIMS], from[RL_MAX_DIMS];
        const char *start = x->data;
        rl_byte_strides(z, to);
        rl_byte_strides(x, from);
        for (int d = 0; d < x->ndim; d++)
            if (mask[d]) { /* read from the far end on */
                start += (x->shape[d] - 1) * from[d];
                from[d] = -from[d];
            }
        rl_strided_copy(x->ndim, x->shape, z->data, to, start, from, rl_itemsize(x));
    }
    if (!rl_recording(x))
        return rl_retain(z);
    rl_node *n = rl_node_new(&flip_node, z, 1, &x);
    if (n)
        rl_node_set_dims(n, dims.n > 0 ? dims.n : 0, dims.v);
    return rl_record(n, rl_retain(z));
}

rl_tensor *rl_fliplr(rl_tensor *x)
{
    if (x && x->ndim < 2)
        return rl_fail(RL_ERUNTIME, "Input must be >= 2-d.");
    return rl_flip(x, (rl_ints){(const int64_t[]){1}, 1});
}

rl_tensor *rl_flipud(rl_tensor *x)
{
    if (x && x->ndim < 1)
        return rl_fail(RL_ERUNTIME, "Input must be >= 1-d.");
    return rl_flip(x, (rl_ints){(const int64_t[]){0}, 1});
}

/* ---- roll ---- */

/* args.dims: the shifts, negated, then the dims (none: flattened). */
static rl_status roll_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    int shifts = (int)n->args.i[0];
    dx[0] = rl_roll(g[0], (rl_ints){n->args.dims, shifts},
                    (rl_ints){n->args.dims + shifts, n->args.n_dims - shifts});
    return rl_status_of(dx[0]);
}

static const rl_node_type roll_node = {"RollBackward0", roll_backward, 0, NULL};

/* Row-major copy of x with dim shifted by 0 <= shift < size; no history. */
static rl_tensor *roll_one(rl_tensor *x, int dim, int64_t shift)
{
    RL_TEMP *z = rl_new((rl_dtype)x->dtype, x->ndim, x->shape);
    if (!z)
        return NULL;
    int64_t size = x->shape[dim];
    int64_t cut[2][3] = {{0, shift, size - shift}, {size - shift, 0, shift}}; /* from, to, length */
    for (int part = 0; part < 2; part++) {
        rl_geometry from, to;
        rl_geometry_of(&from, x);
        rl_geometry_of(&to, z);
        rl_geometry_slice(&from, dim, cut[part][0], cut[part][2], 1);
        rl_geometry_slice(&to, dim, cut[part][1], cut[part][2], 1);
        RL_TEMP *source = rl_geometry_view(x, &from);
        RL_TEMP *target = rl_geometry_view(z, &to);
        if (!source || !target || rl_copy_data(target, source))
            return NULL;
    }
    return rl_retain(z);
}

/* A row-major copy rolled along n dims, each in range; back[i] becomes the shift that undoes the
 * i-th. */
static rl_tensor *roll_data(rl_tensor *x, int n, const int64_t *shifts, const int64_t *dims,
                            int64_t *back)
{
    RL_TEMP *first = x->numel ? rl_new((rl_dtype)x->dtype, x->ndim, x->shape)
                              : rl_new_like(x, (rl_dtype)x->dtype);
    if (!first || rl_copy_data(first, x))
        return NULL;
    rl_tensor *z = rl_retain(first);
    for (int i = 0; i < n; i++) {
        int64_t size = x->ndim ? x->shape[dims[i]] : 1, shift = size ? shifts[i] % size : 0;
        if (shift < 0)
            shift += size;
        back[i] = shift ? size - shift : 0;
        if (shift == 0 || x->numel == 0)
            continue;
        rl_tensor *next = roll_one(z, (int)dims[i], shift);
        rl_release(z);
        z = next;
        if (!z)
            return NULL;
    }
    return z;
}

rl_tensor *rl_roll(rl_tensor *x, rl_ints shifts, rl_ints dims)
{
    if (!x)
        return NULL;
    int n = dims.n > 0 ? dims.n : 0;
    bool flat = n == 0 && shifts.n == 1;
    if (shifts.n <= 0)
        return rl_fail(RL_ERUNTIME, "`shifts` required");
    if (shifts.n != n && !flat)
        return rl_fail(RL_ERUNTIME, "shifts and dimensions must align. shifts: %d, dims:%d",
                       shifts.n, n);
    if (n > RL_MAX_DIMS)
        return rl_fail(RL_ERUNTIME, "roll: more than %d dims", RL_MAX_DIMS);
    int64_t back[2 * RL_MAX_DIMS], *along = back + shifts.n, one = 1;
    along[0] = 0;
    for (int i = 0; i < n; i++) {
        along[i] = dims.v[i];
        if (x->ndim == 0)
            return rl_fail(RL_EINDEX, "Dimension specified as %lld but tensor has no dimensions",
                           (long long)along[i]);
        if (rl_wrap_dim(&along[i], x->ndim))
            return NULL;
    }
    RL_TEMP *rows = flat ? rl_contiguous_data(x) : rl_retain(x);
    RL_TEMP *from =
        flat && rows ? rl_new_view(rows, 1, &x->numel, &one, rows->offset) : rl_retain(rows);
    RL_TEMP *z = from ? roll_data(from, shifts.n, shifts.v, along, back) : NULL;
    if (!z || (flat && rl_tensor_set_geometry(z, x->ndim, x->shape, NULL)))
        return NULL;
    if (!rl_recording(x))
        return rl_retain(z);
    rl_node *node = rl_node_new(&roll_node, z, 1, &x);
    if (node) {
        rl_node_set_dims(node, shifts.n + n, back);
        node->args.i[0] = shifts.n;
    }
    return rl_record(node, rl_retain(z));
}

/* ---- repeat, tile, repeat_interleave ---- */

/* The result seen as [r0, s0, r1, s1, ...] is x broadcast from [1, s0, 1, s1, ...].
 * args.dims: those pairs, then x's shape; i[0]: the number of pairs. */
static rl_status repeat_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    int k = (int)n->args.i[0];
    const int64_t *pairs = n->args.dims, *shape = pairs + 2 * k;
    RL_TEMP *sum = rl_reshape(g[0], (rl_ints){pairs, 2 * k});
    for (int64_t d = 0; sum && d < 2 * k;
         d += 2) { /* outermost first: PyTorch's order of additions */
        if (pairs[d] == 1)
            continue;
        rl_tensor *less = rl_sum(sum, (rl_ints){&d, 1}, true, RL_NO_DTYPE);
        rl_release(sum);
        sum = less;
    }
    dx[0] = sum ? rl_reshape(sum, (rl_ints){shape, (int)n->args.i[1]}) : NULL;
    return rl_status_of(dx[0]);
}

static const rl_node_type repeat_node = {"RepeatBackward0", repeat_backward, 0, NULL};

rl_tensor *rl_repeat(rl_tensor *x, rl_ints repeats)
{
    if (!x)
        return NULL;
    int k = repeats.n < 0 ? 0 : repeats.n;
    if (k < x->ndim)
        return rl_fail(RL_ERUNTIME, "Number of dimensions of repeat dims can not be smaller than "
                                    "number of dimensions of tensor");
    if (2 * k > RL_MAX_DIMS)
        return rl_fail(RL_ERUNTIME, "repeat: more than %d dims", RL_MAX_DIMS / 2);
    int64_t dims[2 * RL_MAX_DIMS], shape[RL_MAX_DIMS];
    int64_t *pairs = dims;
    for (int d = 0; d < k; d++) {
        int from = d - (k - x->ndim);
        int64_t size = from >= 0 ? x->shape[from] : 1;
        if (__builtin_mul_overflow(size, repeats.v[d], &shape[d]))
            return rl_fail(RL_ERUNTIME, "repeat: size %lld times %lld overflows", (long long)size,
                           (long long)repeats.v[d]);
        pairs[2 * d] = repeats.v[d];
        pairs[2 * d + 1] = size;
    }
    memcpy(dims + 2 * k, x->shape, x->ndim * sizeof *dims);
    RL_TEMP *z = rl_new((rl_dtype)x->dtype, k, shape);
    if (!z)
        return NULL;
    if (z->numel > 0) {
        int64_t strides[RL_MAX_DIMS];
        rl_row_major(2 * k, pairs, strides);
        RL_TEMP *target = rl_new_view(z, 2 * k, pairs, strides, z->offset);
        for (int d = 0; d < k; d++) {
            int from = d - (k - x->ndim);
            strides[2 * d] = 0;
            strides[2 * d + 1] = from >= 0 ? x->strides[from] : 0;
        }
        RL_TEMP *source = rl_new_view(x, 2 * k, pairs, strides, x->offset);
        if (!target || !source || rl_copy_data(target, source))
            return NULL;
    }
    if (!rl_recording(x))
        return rl_retain(z);
    rl_node *n = rl_node_new(&repeat_node, z, 1, &x);
    if (n) {
        rl_node_set_dims(n, 2 * k + x->ndim, dims);
        n->args.i[0] = k;
        n->args.i[1] = x->ndim;
    }
    return rl_record(n, rl_retain(z));
}

rl_tensor *rl_tile(rl_tensor *x, rl_ints dims)
{
    if (!x)
        return NULL;
    int given = dims.n < 0 ? 0 : dims.n, n = given > x->ndim ? given : x->ndim;
    int64_t repeats[RL_MAX_DIMS];
    for (int d = 0; d < n; d++)
        repeats[d] = d >= n - given ? dims.v[d - (n - given)] : 1;
    return rl_repeat(x, (rl_ints){repeats, n});
}

/* Each element `repeats` times: a new dim after `dim`, broadcast, and merged with it. */
rl_tensor *rl_repeat_interleave(rl_tensor *input, int64_t repeats, rl_opt_int dim)
{
    if (!input)
        return NULL;
    if (repeats < 0)
        return rl_fail(RL_ERUNTIME, "Repeats must be non-negative");
    if (dim.given && input->ndim == 0)
        return rl_fail(RL_EINDEX, "Dimension specified as %lld but tensor has no dimensions",
                       (long long)dim.v);
    RL_TEMP *x = dim.given ? rl_retain(input) : rl_flatten(input, 0, -1);
    int64_t at = dim.given ? dim.v : 0;
    if (!x || rl_wrap_dim(&at, x->ndim))
        return NULL;
    int64_t wide[RL_MAX_DIMS + 1], shape[RL_MAX_DIMS];
    for (int d = 0, to = 0; d < x->ndim; d++) {
        wide[to++] = shape[d] = x->shape[d];
        if (d == at) {
            wide[to++] = repeats;
            if (__builtin_mul_overflow(shape[d], repeats, &shape[d]))
                return rl_fail(RL_ERUNTIME, "repeat_interleave: size %lld times %lld overflows",
                               (long long)x->shape[d], (long long)repeats);
        }
    }
    RL_TEMP *column = rl_unsqueeze(x, at + 1);
    RL_TEMP *spread = rl_expand(column, (rl_ints){wide, x->ndim + 1}, false);
    RL_TEMP *copy = rl_row_major_copy(spread);
    return copy ? rl_view(copy, (rl_ints){shape, x->ndim}) : NULL;
}

/* ---- triangles ---- */

static rl_status tril_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    dx[0] = rl_tril(g[0], n->args.i[0]);
    return rl_status_of(dx[0]);
}

static rl_status triu_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    dx[0] = rl_triu(g[0], n->args.i[0]);
    return rl_status_of(dx[0]);
}

static const rl_node_type tril_node = {"TrilBackward0", tril_backward, 0, NULL};
static const rl_node_type triu_node = {"TriuBackward0", triu_backward, 0, NULL};

static rl_tensor *triangle(rl_tensor *x, int64_t k, bool lower)
{
    if (x->ndim < 2)
        return rl_fail(RL_ERUNTIME, "%s: input tensor must have at least 2 dimensions",
                       lower ? "tril" : "triu");
    RL_TEMP *z = rl_new((rl_dtype)x->dtype, x->ndim, x->shape);
    if (!z || rl_copy_data(z, x))
        return NULL;
    int64_t rows = z->shape[z->ndim - 2], columns = z->shape[z->ndim - 1];
    int64_t size = (int64_t)rl_itemsize(z), count = z->numel ? z->numel / columns : 0;
    k = k > columns ? columns : k < -rows ? -rows : k;
    for (int64_t r = 0; r < count; r++) {
        /* Row i keeps columns up to i + k (lower), or from i + k on. */
        int64_t edge = r % rows + k + (lower ? 1 : 0);
        edge = edge < 0 ? 0 : edge > columns ? columns : edge;
        char *row = z->data + r * columns * size;
        if (lower)
            memset(row + edge * size, 0, (size_t)((columns - edge) * size));
        else
            memset(row, 0, (size_t)(edge * size));
    }
    if (!rl_recording(x))
        return rl_retain(z);
    rl_node *n = rl_node_new(lower ? &tril_node : &triu_node, z, 1, &x);
    if (n)
        n->args.i[0] = k;
    return rl_record(n, rl_retain(z));
}

rl_tensor *rl_tril(rl_tensor *x, int64_t diagonal)
{
    return x ? triangle(x, diagonal, true) : NULL;
}
rl_tensor *rl_triu(rl_tensor *x, int64_t diagonal)
{
    return x ? triangle(x, diagonal, false) : NULL;
}

/* ---- diag ---- */

static rl_status diag_embed_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    dx[0] = rl_diagonal(g[0], n->args.i[0], n->args.i[1], n->args.i[2]);
    return rl_status_of(dx[0]);
}

static const rl_node_type diag_embed_node = {"DiagEmbedBackward0", diag_embed_backward, 0, NULL};

rl_tensor *rl_diag_embed(rl_tensor *x, int64_t offset, int64_t dim1, int64_t dim2)
{
    if (!x)
        return NULL;
    int ndim = x->ndim + 1;
    int64_t a = dim1, b = dim2;
    if (rl_wrap_dim(&a, ndim) || rl_wrap_dim(&b, ndim))
        return NULL;
    if (a == b)
        return rl_fail(RL_ERUNTIME, "diagonal dimensions cannot be identical %lld, %lld",
                       (long long)dim1, (long long)dim2);
    if (x->ndim == 0)
        return rl_fail(RL_EINDEX,
                       "Dimension out of range (expected to be in range of [-1, 0], but got 1)");
    int64_t size = x->shape[x->ndim - 1] + (offset < 0 ? -offset : offset), shape[RL_MAX_DIMS];
    for (int d = 0, from = 0; d < ndim; d++)
        shape[d] = d == a || d == b ? size : x->shape[from++];
    RL_TEMP *z = rl_zeros_data((rl_dtype)x->dtype, ndim, shape);
    if (!z)
        return NULL;
    bool mode = rl_set_grad_enabled(false);
    RL_TEMP *target = rl_diagonal(z, offset, a, b);
    rl_set_grad_enabled(mode);
    if (!target || rl_copy_data(target, x))
        return NULL;
    if (!rl_recording(x))
        return rl_retain(z);
    rl_node *n = rl_node_new(&diag_embed_node, z, 1, &x);
    if (n) {
        n->args.i[0] = offset;
        n->args.i[1] = a;
        n->args.i[2] = b;
    }
    return rl_record(n, rl_retain(z));
}

/* args: the diagonal's number; dims: the matrix's shape. */
static rl_status diagonal_copy_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    int64_t k = n->args.i[0], columns = n->args.dims[1];
    rl_geometry at = {.ndim = 1, .shape = {g[0]->shape[0]}, .strides = {columns + 1}};
    if (at.shape[0] > 0)
        at.offset = k >= 0 ? k : -k * columns;
    dx[0] = rl_embed(g[0], &at, 2, n->args.dims);
    return rl_status_of(dx[0]);
}

static const rl_node_type diagonal_copy_node = {"DiagonalBackward0_copy", diagonal_copy_backward, 0,
                                                NULL};

rl_tensor *rl_diag(rl_tensor *x, int64_t diagonal)
{
    if (!x)
        return NULL;
    if (x->ndim == 1)
        return rl_diag_embed(x, diagonal, 0, 1);
    if (x->ndim != 2)
        return rl_fail(RL_ERUNTIME, "diag(): Supports 1D or 2D tensors. Got %dD", x->ndim);
    bool mode = rl_set_grad_enabled(false);
    RL_TEMP *d = rl_diagonal(x, diagonal, 0, 1);
    rl_tensor *z = rl_row_major_copy(d);
    rl_set_grad_enabled(mode);
    if (!z || !rl_recording(x))
        return z;
    rl_node *n = rl_node_new(&diagonal_copy_node, z, 1, &x);
    if (n) {
        rl_node_set_dims(n, 2, x->shape);
        n->args.i[0] = diagonal;
    }
    return rl_record(n, z);
}

rl_tensor *rl_diagflat(rl_tensor *x, int64_t offset)
{
    RL_TEMP *flat = rl_reshape(x, (rl_ints){(const int64_t[]){-1}, 1});
    return flat ? rl_diag(flat, offset) : NULL;
}
