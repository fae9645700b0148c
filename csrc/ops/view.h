/* view.h: what the files about views, joining and indexing share.
 *
 * A view's geometry is computed apart from making the view, because the derivative needs the same
 * geometry once more: select, slice, diagonal and unfold pick elements, and their gradient puts g
 * at the picked places of a row-major tensor of zeros. */
#ifndef RL_OPS_VIEW_H
#define RL_OPS_VIEW_H

#include "autograd/autograd.h"
#include "core/tensor.h"
#include "rushlight_ops.h"

typedef struct rl_geometry {
    int ndim;
    int64_t offset; /* in elements, as the strides */
    int64_t shape[RL_MAX_DIMS];
    int64_t strides[RL_MAX_DIMS];
} rl_geometry;

void rl_geometry_of(rl_geometry *g, const rl_tensor *x);
/* Geometry of a row-major tensor of this shape with offset 0. */
void rl_geometry_row_major(rl_geometry *g, int ndim, const int64_t *shape);

/* The steps below trust their arguments: dims, indices and lengths are in range. */
static inline void rl_geometry_drop(rl_geometry *g, int dim)
{
    g->ndim--;
    for (int d = dim; d < g->ndim; d++) {
        g->shape[d] = g->shape[d + 1];
        g->strides[d] = g->strides[d + 1];
    }
}

static inline void rl_geometry_select(rl_geometry *g, int dim, int64_t index)
{
    g->offset += index * g->strides[dim];
    rl_geometry_drop(g, dim);
}

static inline void rl_geometry_slice(rl_geometry *g, int dim, int64_t start, int64_t length,
                                     int64_t step)
{
    g->offset += start * g->strides[dim];
    g->shape[dim] = length;
    g->strides[dim] *= step;
}

/* A new dimension of size 1.  Its stride is that of PyTorch: what a row-major layout would give. */
static inline void rl_geometry_unsqueeze(rl_geometry *g, int dim)
{
    int64_t stride = dim < g->ndim ? g->shape[dim] * g->strides[dim] : 1;
    for (int d = g->ndim; d > dim; d--) {
        g->shape[d] = g->shape[d - 1];
        g->strides[d] = g->strides[d - 1];
    }
    g->shape[dim] = 1;
    g->strides[dim] = stride;
    g->ndim++;
}

/* A view of x with this geometry; no history. */
static inline rl_tensor *rl_geometry_view(rl_tensor *x, const rl_geometry *g)
{
    return rl_new_view(x, g->ndim, g->shape, g->strides, g->offset);
}

/* Python's slice rules for a dimension of this size: clamps start and stop, returns the length.
 * step > 0. */
static inline int64_t rl_slice_length(int64_t size, int64_t *start, int64_t stop, int64_t step)
{
    int64_t from = *start;
    if (from < 0)
        from = from + size < 0 ? 0 : from + size;
    if (from > size)
        from = size;
    if (stop < 0)
        stop = stop + size < 0 ? 0 : stop + size;
    if (stop > size)
        stop = size;
    *start = from;
    return stop <= from ? 0 : (stop - from - 1) / step + 1;
}

/* Gives the view z of x its place in the graph: node type and up to four numbers for its
 * derivative, with x's shape in args.dims.  Takes over z; NULL passes through. */
rl_tensor *rl_view_record(rl_tensor *z, rl_tensor *x, const rl_node_type *type, int64_t a,
                          int64_t b, int64_t c);

/* Zeros with g added at the places of the geometry (ndim and shape are g's) in a row-major tensor
 * of `shape`; differentiable.  Places may coincide. */
rl_tensor *rl_embed(rl_tensor *g, const rl_geometry *at, int ndim, const int64_t *shape);

/* x itself when row-major, else a row-major copy; differentiable (CloneBackward0). */
rl_tensor *rl_row_major_of(rl_tensor *x);
/* A row-major copy in any case; differentiable. */
rl_tensor *rl_row_major_copy(rl_tensor *x);
/* Zeros; no history. */
rl_tensor *rl_zeros_data(rl_dtype dtype, int ndim, const int64_t *shape);

/* x[start : start + length : step] along dim, differentiable; arguments in range. */
rl_tensor *rl_slice_view(rl_tensor *x, int dim, int64_t start, int64_t length, int64_t step);
/* The same elements under another name: x[...]. */
rl_tensor *rl_alias_view(rl_tensor *x);

#endif
