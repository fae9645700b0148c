/* view_scatter.c: a copy of a tensor in which the elements that a view picks are replaced. */
#include "ops/view.h"

typedef enum place { SELECT, SLICE, DIAGONAL, AS_STRIDED } place;

/* Which elements of x: numbers as the operator of that name takes them. */
typedef struct where {
    place kind;
    int64_t a, b,
        c; /* dim, index; dim, start, step; offset, dim1, dim2; -, storage offset, whether given */
    rl_opt_int end;       /* SLICE */
    rl_ints size, stride; /* AS_STRIDED */
} where;

static rl_tensor *pick(rl_tensor *x, const where *w)
{
    switch (w->kind) {
    case SELECT:
        return rl_select(x, w->a, w->b);
    case SLICE:
        return rl_slice(x, w->a, (rl_opt_int){true, w->b}, w->end, w->c);
    case DIAGONAL:
        return rl_diagonal(x, w->a, w->b, w->c);
    default:
        return rl_as_strided(x, w->size, w->stride, (rl_opt_int){w->c, w->b});
    }
}

static rl_tensor *scatter(rl_tensor *x, rl_tensor *src, const where *w);

/* dself = g with zeros at the places, dsrc = g there.  args.i: a, b, c, kind; dims: size and
 * stride, or the end. */
static rl_status scatter_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    const rl_args *k = &n->args;
    where w = {.kind = (place)k->i[3], .a = k->i[0], .b = k->i[1], .c = k->i[2]};
    if (w.kind == AS_STRIDED) {
        w.size = (rl_ints){k->dims, k->n_dims / 2};
        w.stride = (rl_ints){k->dims + k->n_dims / 2, k->n_dims / 2};
    } else if (k->n_dims) {
        w.end = (rl_opt_int){true, k->dims[0]};
    }
    RL_TEMP *rows = w.kind == AS_STRIDED ? rl_row_major_of(g[0]) : rl_retain(g[0]);
    RL_TEMP *there = rows ? pick(rows, &w) : NULL;
    if (!there)
        return rl_error_code();
    if (rl_wants(n, 0)) {
        RL_TEMP *zeros = rl_zeros_data((rl_dtype)there->dtype, there->ndim, there->shape);
        dx[0] = zeros ? scatter(rows, zeros, &w) : NULL;
    }
    if (rl_wants(n, 1))
        dx[1] = rl_retain(there);
    return RL_DONE(n, dx);
}

static const rl_node_type scatter_nodes[] = {
    [SELECT] = {"SelectScatterBackward0", scatter_backward, 0, NULL},
    [SLICE] = {"SliceScatterBackward0", scatter_backward, 0, NULL},
    [DIAGONAL] = {"DiagonalScatterBackward0", scatter_backward, 0, NULL},
    [AS_STRIDED] = {"AsStridedScatterBackward0", scatter_backward, 0, NULL}};

/* The copy keeps x's strides, also those of a view with gaps, so that as_strided means the same
 * there. */
static rl_tensor *same_strides(rl_tensor *x)
{
    if (rl_overlaps_itself(x))
        return rl_clone(x);
    rl_tensor *z = rl_new_strided((rl_dtype)x->dtype, x->ndim, x->shape, x->strides);
    if (z && rl_copy_data(z, x)) {
        rl_release(z);
        return NULL;
    }
    return z;
}

static rl_tensor *scatter(rl_tensor *x, rl_tensor *src, const where *w)
{
    if (!x || !src)
        return NULL;
    bool mode = rl_set_grad_enabled(false);
    RL_TEMP *z = same_strides(x);
    RL_TEMP *places = z ? pick(z, w) : NULL;
    rl_set_grad_enabled(mode);
    if (!places)
        return NULL;
    if (!rl_same_shape(places, src))
        return rl_fail(RL_ERUNTIME,
                       "expected src to have a size equal to the slice of self. src size = %s, "
                       "slice size = %s",
                       rl_shape_str(src).s, rl_shape_str(places).s);
    if (rl_copy_data(places, src))
        return NULL;
    if (!rl_recording(x) && !rl_recording(src))
        return rl_retain(z);
    rl_node *n = rl_node_new(&scatter_nodes[w->kind], z, 2, (rl_tensor *[]){x, src});
    if (n) {
        int64_t dims[2 * RL_MAX_DIMS], k = w->size.n;
        if (w->kind == AS_STRIDED) {
            memcpy(dims, w->size.v, (size_t)k * sizeof *dims);
            memcpy(dims + k, w->stride.v, (size_t)k * sizeof *dims);
            rl_node_set_dims(n, (int)(2 * k), dims);
        } else if (w->end.given) {
            rl_node_set_dims(n, 1, &w->end.v);
        }
        memcpy(n->args.i, (int64_t[]){w->a, w->b, w->c, (int64_t)w->kind}, sizeof n->args.i);
    }
    return rl_record(n, rl_retain(z));
}

rl_tensor *rl_select_scatter(rl_tensor *x, rl_tensor *src, int64_t dim, int64_t index)
{
    return scatter(x, src, &(where){.kind = SELECT, .a = dim, .b = index});
}

rl_tensor *rl_slice_scatter(rl_tensor *x, rl_tensor *src, int64_t dim, rl_opt_int start,
                            rl_opt_int end, int64_t step)
{
    return scatter(
        x, src,
        &(where){.kind = SLICE, .a = dim, .b = start.given ? start.v : 0, .c = step, .end = end});
}

rl_tensor *rl_diagonal_scatter(rl_tensor *x, rl_tensor *src, int64_t offset, int64_t dim1,
                               int64_t dim2)
{
    return scatter(x, src, &(where){.kind = DIAGONAL, .a = offset, .b = dim1, .c = dim2});
}

rl_tensor *rl_as_strided_scatter(rl_tensor *x, rl_tensor *src, rl_ints size, rl_ints stride,
                                 rl_opt_int storage_offset)
{
    /* The copy begins at offset 0 of its storage; x may not. */
    int64_t offset = x && storage_offset.given ? storage_offset.v - x->offset : 0;
    return scatter(
        x, src,
        &(where){.kind = AS_STRIDED, .b = offset, .c = true, .size = size, .stride = stride});
}
