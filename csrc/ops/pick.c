/* pick.c: views of some of the elements: select, slice, diagonal, unfold, as_strided.
 *
 * Their gradient is zero outside the view: rl_embed puts g at the view's places in a row-major
 * tensor of zeros. */
#include "ops/element.h"
#include "ops/view.h"

/* ---- the gradient's operator ---- */

/* The derivative of "put g there" is "read there": args.dims holds the view's shape, then its
 * strides. */
static rl_status embed_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    int k = n->args.n_dims / 2;
    RL_TEMP *rows = rl_row_major_of(g[0]);
    if (!rows)
        return rl_error_code();
    dx[0] = rl_as_strided(rows, (rl_ints){n->args.dims, k}, (rl_ints){n->args.dims + k, k},
                          (rl_opt_int){true, rows->offset + n->args.i[0]});
    return rl_status_of(dx[0]);
}

static const rl_node_type embed_node = {"AsStridedScatterBackward0", embed_backward, 0, NULL};

/* Whether two indices may be one address: dims by rising stride, each must step past what the
 * faster ones reach.  Says yes too often, never too seldom. */
static bool may_overlap(const rl_geometry *g)
{
    int order[RL_MAX_DIMS], n = 0;
    for (int d = 0; d < g->ndim; d++) {
        if (g->shape[d] <= 1)
            continue;
        int j = n++;
        for (; j > 0 && g->strides[order[j - 1]] > g->strides[d]; j--)
            order[j] = order[j - 1];
        order[j] = d;
    }
    int64_t reach = 0;
    for (int i = 0; i < n; i++) {
        if (g->strides[order[i]] <= reach)
            return true;
        reach += (g->shape[order[i]] - 1) * g->strides[order[i]];
    }
    return false;
}

rl_tensor *rl_embed(rl_tensor *g, const rl_geometry *at, int ndim, const int64_t *shape)
{
    if (!g)
        return NULL;
    RL_TEMP *z = rl_zeros_data((rl_dtype)g->dtype, ndim, shape);
    RL_TEMP *places = z ? rl_new_view(z, at->ndim, at->shape, at->strides, at->offset) : NULL;
    if (!places)
        return NULL;
    if (may_overlap(at)) {
        ptrdiff_t to[RL_MAX_DIMS], from[RL_MAX_DIMS];
        rl_byte_strides(places, to);
        rl_byte_strides(g, from);
        rl_strided_add(g->ndim, g->shape, places->data, to, g->data, from, (rl_dtype)g->dtype);
    } else if (rl_copy_data(places, g)) {
        return NULL;
    }
    if (!rl_recording(g))
        return rl_retain(z);
    rl_node *n = rl_node_new(&embed_node, z, 1, &g);
    if (!n)
        return NULL;
    int64_t dims[2 * RL_MAX_DIMS];
    memcpy(dims, at->shape, (size_t)at->ndim * sizeof *dims);
    memcpy(dims + at->ndim, at->strides, (size_t)at->ndim * sizeof *dims);
    rl_node_set_dims(n, 2 * at->ndim, dims);
    n->args.i[0] = at->offset;
    return rl_record(n, rl_retain(z));
}

/* ---- select, slice, narrow ---- */

static rl_status select_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    rl_geometry at;
    rl_geometry_row_major(&at, n->args.n_dims, n->args.dims);
    rl_geometry_select(&at, (int)n->args.i[0], n->args.i[1]);
    dx[0] = rl_embed(g[0], &at, n->args.n_dims, n->args.dims);
    return rl_status_of(dx[0]);
}

static const rl_node_type select_node = {"SelectBackward0", select_backward, 0, NULL};

rl_tensor *rl_select(rl_tensor *x, int64_t dim, int64_t index)
{
    if (!x)
        return NULL;
    if (x->ndim == 0)
        return rl_fail(RL_EINDEX, "select() cannot be applied to a 0-dim tensor.");
    if (rl_wrap_dim(&dim, x->ndim))
        return NULL;
    int64_t size = x->shape[dim];
    if (index < -size || index >= size)
        return rl_fail(RL_EINDEX,
                       "select(): index %lld out of range for tensor of size %s at dimension %d",
                       (long long)index, rl_shape_str(x).s, (int)dim);
    if (index < 0)
        index += size;
    rl_geometry g;
    rl_geometry_of(&g, x);
    rl_geometry_select(&g, (int)dim, index);
    return rl_view_record(rl_geometry_view(x, &g), x, &select_node, dim, index, 0);
}

static rl_status slice_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    rl_geometry at;
    int dim = (int)n->args.i[0];
    rl_geometry_row_major(&at, n->args.n_dims, n->args.dims);
    rl_geometry_slice(&at, dim, n->args.i[1], g[0]->shape[dim], n->args.i[2]);
    dx[0] = rl_embed(g[0], &at, n->args.n_dims, n->args.dims);
    return rl_status_of(dx[0]);
}

static const rl_node_type slice_node = {"SliceBackward0", slice_backward, 0, NULL};

rl_tensor *rl_slice_view(rl_tensor *x, int dim, int64_t start, int64_t length, int64_t step)
{
    if (!x)
        return NULL;
    rl_geometry g;
    rl_geometry_of(&g, x);
    rl_geometry_slice(&g, dim, start, length, step);
    return rl_view_record(rl_geometry_view(x, &g), x, &slice_node, dim, start, step);
}

rl_tensor *rl_slice(rl_tensor *x, int64_t dim, rl_opt_int start, rl_opt_int end, int64_t step)
{
    if (!x)
        return NULL;
    if (x->ndim == 0)
        return rl_fail(RL_EINDEX, "slice() cannot be applied to a 0-dim tensor.");
    if (rl_wrap_dim(&dim, x->ndim))
        return NULL;
    if (step <= 0)
        return rl_fail(RL_ERUNTIME, "slice step must be positive");
    int64_t from = start.given ? start.v : 0, size = x->shape[dim];
    int64_t length = rl_slice_length(size, &from, end.given ? end.v : size, step);
    return rl_slice_view(x, (int)dim, from, length, step);
}

rl_tensor *rl_narrow(rl_tensor *x, int64_t dim, int64_t start, int64_t length)
{
    if (!x)
        return NULL;
    if (x->ndim == 0)
        return rl_fail(RL_ERUNTIME, "narrow() cannot be applied to a 0-dim tensor.");
    if (length < 0)
        return rl_fail(RL_ERUNTIME, "narrow(): length must be non-negative.");
    if (rl_wrap_dim(&dim, x->ndim))
        return NULL;
    int64_t size = x->shape[dim];
    if (start < -size || start > size)
        return rl_fail(RL_EINDEX,
                       "start out of range (expected to be in range of [%lld, %lld], but got %lld)",
                       (long long)-size, (long long)size, (long long)start);
    if (start < 0)
        start += size;
    if (start > size - length)
        return rl_fail(RL_ERUNTIME, "start (%lld) + length (%lld) exceeds dimension size (%lld).",
                       (long long)start, (long long)length, (long long)size);
    return rl_slice_view(x, (int)dim, start, length, 1);
}

/* ---- diagonal ---- */

static void diagonal_geometry(rl_geometry *g, int64_t offset, int dim1, int dim2)
{
    int64_t rows = g->shape[dim1], columns = g->shape[dim2];
    int64_t step = g->strides[dim1] + g->strides[dim2], length;
    if (offset >= 0) {
        length = columns - offset < rows ? columns - offset : rows;
        if (length > 0)
            g->offset += offset * g->strides[dim2];
    } else {
        length = rows + offset < columns ? rows + offset : columns;
        if (length > 0)
            g->offset -= offset * g->strides[dim1];
    }
    rl_geometry_drop(g, dim1 > dim2 ? dim1 : dim2);
    rl_geometry_drop(g, dim1 > dim2 ? dim2 : dim1);
    g->shape[g->ndim] = length > 0 ? length : 0;
    g->strides[g->ndim++] = step;
}

static rl_status diagonal_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    rl_geometry at;
    rl_geometry_row_major(&at, n->args.n_dims, n->args.dims);
    diagonal_geometry(&at, n->args.i[0], (int)n->args.i[1], (int)n->args.i[2]);
    dx[0] = rl_embed(g[0], &at, n->args.n_dims, n->args.dims);
    return rl_status_of(dx[0]);
}

static const rl_node_type diagonal_node = {"DiagonalBackward0", diagonal_backward, 0, NULL};

rl_tensor *rl_diagonal(rl_tensor *x, int64_t offset, int64_t dim1, int64_t dim2)
{
    int64_t a = dim1, b = dim2;
    if (!x || rl_wrap_dim(&a, x->ndim) || rl_wrap_dim(&b, x->ndim))
        return NULL;
    if (a == b)
        return rl_fail(RL_ERUNTIME, "diagonal dimensions cannot be identical %lld, %lld",
                       (long long)dim1, (long long)dim2);
    rl_geometry g;
    rl_geometry_of(&g, x);
    diagonal_geometry(&g, offset, (int)a, (int)b);
    return rl_view_record(rl_geometry_view(x, &g), x, &diagonal_node, offset, a, b);
}

/* ---- unfold: all windows of a dim ---- */

static void unfold_geometry(rl_geometry *g, int dim, int64_t size, int64_t step)
{
    int64_t stride = g->ndim > 0 ? g->strides[dim] : 1;
    if (g->ndim > 0) {
        g->shape[dim] = (g->shape[dim] - size) / step + 1;
        g->strides[dim] *= step;
    }
    g->shape[g->ndim] = size;
    g->strides[g->ndim++] = stride;
}

static rl_status unfold_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    rl_geometry at;
    rl_geometry_row_major(&at, n->args.n_dims, n->args.dims);
    unfold_geometry(&at, (int)n->args.i[0], n->args.i[1], n->args.i[2]);
    dx[0] = rl_embed(g[0], &at, n->args.n_dims, n->args.dims);
    return rl_status_of(dx[0]);
}

static const rl_node_type unfold_node = {"UnfoldBackward0", unfold_backward, 0, NULL};

rl_tensor *rl_unfold(rl_tensor *x, int64_t dim, int64_t size, int64_t step)
{
    if (!x || rl_wrap_dim(&dim, x->ndim))
        return NULL;
    int64_t have = x->ndim > 0 ? x->shape[dim] : 1;
    if (size < 0)
        return rl_fail(RL_ERUNTIME, "size is %lld but must be >= 0", (long long)size);
    if (size > have)
        return rl_fail(RL_ERUNTIME,
                       "maximum size for tensor at dimension %d is %lld but size is %lld", (int)dim,
                       (long long)have, (long long)size);
    if (step <= 0)
        return rl_fail(RL_ERUNTIME, "step is %lld but must be > 0", (long long)step);
    rl_geometry g;
    rl_geometry_of(&g, x);
    unfold_geometry(&g, (int)dim, size, step);
    return rl_view_record(rl_geometry_view(x, &g), x, &unfold_node, dim, size, step);
}

/* ---- as_strided ---- */

/* One past the last element that a geometry reaches; its offset when it has none. */
static int64_t extent(int ndim, const int64_t *shape, const int64_t *strides, int64_t offset)
{
    int64_t last = offset;
    for (int d = 0; d < ndim; d++) {
        if (shape[d] == 0)
            return offset;
        last += (shape[d] - 1) * strides[d];
    }
    return last + 1;
}

/* The gradient of the memory that input and view share is laid out flat; the input's part of it is
 * read back.  Where several elements of the input are one memory cell, each gets an equal share.
 * args.dims: shape and strides of the input, then those of the view; i: offsets of both, ndim of
 * the input. */
static rl_status as_strided_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    int nx = (int)n->args.i[2], nz = n->args.n_dims / 2 - nx;
    const int64_t *x_shape = n->args.dims, *x_strides = x_shape + nx;
    const int64_t *z_shape = x_strides + nx, *z_strides = z_shape + nz;
    int64_t x_offset = n->args.i[0], z_offset = n->args.i[1];
    int64_t base = x_offset < z_offset ? x_offset : z_offset;
    int64_t end_x = extent(nx, x_shape, x_strides, x_offset),
            end_z = extent(nz, z_shape, z_strides, z_offset);
    int64_t length = (end_x > end_z ? end_x : end_z) - base;
    rl_geometry at = {.ndim = nz, .offset = z_offset - base};
    memcpy(at.shape, z_shape, (size_t)nz * sizeof(int64_t));
    memcpy(at.strides, z_strides, (size_t)nz * sizeof(int64_t));
    RL_TEMP *flat = rl_embed(g[0], &at, 1, &length);
    if (!flat)
        return rl_error_code();
    RL_TEMP *read = rl_as_strided(flat, (rl_ints){x_shape, nx}, (rl_ints){x_strides, nx},
                                  (rl_opt_int){true, x_offset - base});
    if (!read)
        return rl_error_code();
    if (!rl_overlaps_itself(read)) {
        dx[0] = rl_retain(read);
        return RL_OK;
    }
    RL_TEMP *ones = rl_new((rl_dtype)g[0]->dtype, nx, x_shape);
    if (!ones || rl_fill_data(ones, rl_int(1)))
        return rl_error_code();
    at.ndim = nx;
    at.offset = x_offset - base;
    memcpy(at.shape, x_shape, (size_t)nx * sizeof(int64_t));
    memcpy(at.strides, x_strides, (size_t)nx * sizeof(int64_t));
    RL_TEMP *count = rl_embed(ones, &at, 1, &length);
    RL_TEMP *shares = count ? rl_as_strided(count, (rl_ints){x_shape, nx}, (rl_ints){x_strides, nx},
                                            (rl_opt_int){true, x_offset - base})
                            : NULL;
    dx[0] = shares ? rl_div(read, shares, NULL) : NULL;
    return rl_status_of(dx[0]);
}

static const rl_node_type as_strided_node = {"AsStridedBackward0", as_strided_backward, 0, NULL};
static const rl_node_type as_strided_inplace_node = {"AsStridedBackward1", as_strided_backward, 0,
                                                     NULL};

/* What the derivative needs: both geometries. */
static void keep_geometries(rl_node *n, const rl_tensor *x, rl_ints size, rl_ints stride,
                            int64_t offset)
{
    int64_t dims[4 * RL_MAX_DIMS];
    int nx = x->ndim, nz = size.n;
    if (!n)
        return;
    memcpy(dims, x->shape, (size_t)nx * sizeof *dims);
    memcpy(dims + nx, x->strides, (size_t)nx * sizeof *dims);
    memcpy(dims + 2 * nx, size.v, (size_t)nz * sizeof *dims);
    memcpy(dims + 2 * nx + nz, stride.v, (size_t)nz * sizeof *dims);
    rl_node_set_dims(n, 2 * (nx + nz), dims);
    n->args.i[0] = x->offset;
    n->args.i[1] = offset;
    n->args.i[2] = nx;
}

rl_tensor *rl_as_strided(rl_tensor *x, rl_ints size, rl_ints stride, rl_opt_int storage_offset)
{
    if (!x)
        return NULL;
    if (size.n != stride.n)
        return rl_fail(RL_ERUNTIME, "mismatch in length of strides and shape");
    for (int d = 0; d < stride.n; d++)
        if (stride.v[d] < 0)
            return rl_fail(
                RL_ERUNTIME,
                "as_strided: Negative strides are not supported at the moment, got strides: %s",
                rl_ints_str(stride.n, stride.v).s);
    int64_t offset = storage_offset.given ? storage_offset.v : x->offset;
    if (offset < 0)
        return rl_fail(RL_ERUNTIME, "Tensor: invalid storage offset %lld", (long long)offset);
    rl_tensor *z = rl_new_view(x, size.n, size.v, stride.v, offset);
    if (!z || !rl_recording(x))
        return rl_record_view(z, x, NULL);
    rl_node *n = rl_node_new(&as_strided_node, z, 1, &x);
    if (!n) {
        rl_release(z);
        return NULL;
    }
    keep_geometries(n, x, size, stride, offset);
    return rl_record_view(z, x, n);
}

rl_tensor *rl_as_strided_(rl_tensor *x, rl_ints size, rl_ints stride, rl_opt_int storage_offset)
{
    bool mode = rl_set_grad_enabled(false);
    RL_TEMP *view = rl_as_strided(x, size, stride, storage_offset);
    rl_set_grad_enabled(mode);
    bool records = rl_recording(x);
    if (!view || rl_check_inplace(x, records))
        return NULL;
    rl_node *n = records ? rl_node_new(&as_strided_inplace_node, view, 1, &x) : NULL;
    if (records && !n)
        return NULL;
    keep_geometries(n, x, size, stride, view->offset);
    if (rl_tensor_set_geometry(x, view->ndim, view->shape, view->strides)) {
        rl_node_release(n);
        return NULL;
    }
    x->offset = view->offset;
    x->data = view->data;
    return rl_record_inplace(n, x);
}
