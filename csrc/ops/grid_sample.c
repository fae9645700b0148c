/* grid_sample.c: an image at the points of a grid, and the grid of an affine map. */
#include <math.h>

#include "autograd/autograd.h"
#include "core/iter.h"
#include "core/parallel.h"
#include "rushlight_ops.h"

enum { LINEAR, NEAREST, CUBIC };
enum { PAD_ZEROS, PAD_BORDER, PAD_REFLECTION };

/* Missing spatial dims come first and have size 1. */
typedef struct grid {
    int64_t ndim, method, padding, align;
    int64_t n, channels, in[3], plane, points;
} grid;

enum { GRID_NUMBERS = sizeof(grid) / sizeof(int64_t) };

/* Four channels at a time, of a point between two elements of one row and two of another: sums of
 * at's elements times w in their order, in vectors across the channels.  Returns how many. */
static inline int64_t channels_by_four(const grid *v, const int64_t *at, const float *w,
                                       const float *x, float *y)
{
    typedef float quad __attribute__((vector_size(16), aligned(4)));
    typedef int32_t lanes __attribute__((vector_size(16)));
    typedef int64_t halves __attribute__((vector_size(16)));
    const quad weights = {w[0], w[1], w[2], w[3]}; /* just written one by one */
    const float *upper = x + at[0], *lower = x + at[2];
    const int64_t plane = v->plane;
    int64_t k = 0;
    for (; k + 4 <= v->channels; k += 4, upper += 4 * plane, lower += 4 * plane) {
        quad e[4];
#pragma GCC unroll 4
        for (int c = 0; c < 4; c++) {
            int64_t pair[2];
            memcpy(&pair[0], upper + c * plane, 8);
            memcpy(&pair[1], lower + c * plane, 8);
            e[c] = (quad)(halves){pair[0], pair[1]} * weights;
        }
        const quad a = __builtin_shuffle(e[0], e[1], (lanes){0, 4, 1, 5});
        const quad b = __builtin_shuffle(e[2], e[3], (lanes){0, 4, 1, 5});
        const quad c = __builtin_shuffle(e[0], e[1], (lanes){2, 6, 3, 7});
        const quad d = __builtin_shuffle(e[2], e[3], (lanes){2, 6, 3, 7});
        const quad sum = __builtin_shuffle(a, b, (lanes){0, 1, 4, 5}) +
                         __builtin_shuffle(a, b, (lanes){2, 3, 6, 7}) +
                         __builtin_shuffle(c, d, (lanes){0, 1, 4, 5}) +
                         __builtin_shuffle(c, d, (lanes){2, 3, 6, 7});
#pragma GCC unroll 4
        for (int t = 0; t < 4; t++, y += v->points)
            *y = sum[t];
    }
    return k;
}

#define T float
#define NAME(f) f##_float
#include "ops/grid_sample.tmpl.h"
#define T double
#define NAME(f) f##_double
#include "ops/grid_sample.tmpl.h"

typedef struct job {
    grid v;
    rl_dtype dtype;
    char *x, *g, *y, *dx, *dg; /* y: the result, or its gradient */
} job;

/* A unit is a sample. */
#define AT(T, base, n) ((base) ? (T *)(base) + s * (n) : NULL)
#define ARGUMENTS(T) &j->v, AT(T, j->x, image), AT(T, j->g, numbers), AT(T, j->y, result)

static void samples(int64_t begin, int64_t end, void *context)
{
    const job *j = context;
    int64_t image = j->v.channels * j->v.plane, numbers = j->v.points * j->v.ndim;
    int64_t result = j->v.channels * j->v.points;
    for (int64_t s = begin; s < end; s++)
        if (j->dtype == RL_F32)
            sample_float(ARGUMENTS(float));
        else
            sample_double(ARGUMENTS(double));
}

static void samples_back(int64_t begin, int64_t end, void *context)
{
    const job *j = context;
    int64_t image = j->v.channels * j->v.plane, numbers = j->v.points * j->v.ndim;
    int64_t result = j->v.channels * j->v.points;
    for (int64_t s = begin; s < end; s++)
        if (j->dtype == RL_F32)
            back_float(ARGUMENTS(float), AT(float, j->dx, image), AT(float, j->dg, numbers));
        else
            back_double(ARGUMENTS(double), AT(double, j->dx, image), AT(double, j->dg, numbers));
}

static rl_dtype work_dtype(const rl_tensor *x) { return x->dtype == RL_F64 ? RL_F64 : RL_F32; }

static rl_tensor *sampled(const grid *v, rl_tensor *x0, rl_tensor *g0)
{
    rl_dtype dtype = work_dtype(x0);
    int64_t shape[5] = {v->n, v->channels};
    memcpy(shape + 2, g0->shape + 1, (size_t)v->ndim * sizeof *shape);
    RL_TEMP *x = rl_cast_data(x0, dtype), *g = rl_cast_data(g0, dtype);
    RL_TEMP *y = x && g ? rl_new(dtype, 2 + (int)v->ndim, shape) : NULL;
    if (!y)
        return NULL;
    job j = {*v, dtype, x->data, g->data, y->data, NULL, NULL};
    if (y->numel > 0)
        rl_parallel_for(v->n, 1, samples, &j);
    return rl_cast_data(y, (rl_dtype)x0->dtype);
}

/* ---- derivatives ---- */

static rl_status twice(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    (void)g, (void)dx;
    grid v;
    memcpy(&v, n->args.dims, sizeof v);
    return rl_error(RL_ERUNTIME,
                    "derivative for aten::grid_sampler_%dd_backward is not implemented",
                    (int)v.ndim);
}

static const rl_node_type twice_nodes[2] = {
    {"GridSampler2DBackwardBackward0", twice, 0, NULL},
    {"GridSampler3DBackwardBackward0", twice, 0, NULL},
};

static void set_grid(rl_node *n, const grid *v)
{
    int64_t numbers[GRID_NUMBERS];
    memcpy(numbers, v, sizeof numbers);
    rl_node_set_dims(n, GRID_NUMBERS, numbers);
}

static rl_status sample_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    grid v;
    memcpy(&v, n->args.dims, sizeof v);
    RL_TEMP *x0 = rl_saved(n, 0), *at0 = rl_saved(n, 1);
    if (!x0 || !at0)
        return rl_error_code();
    rl_dtype dtype = work_dtype(x0);
    RL_TEMP *x = rl_cast_data(x0, dtype), *at = rl_cast_data(at0, dtype);
    RL_TEMP *dy = rl_cast_data(g[0], dtype);
    if (!x || !at || !dy)
        return rl_error_code();
    rl_tensor *made[2] = {rl_wants(n, 0) ? rl_new(dtype, x->ndim, x->shape) : NULL,
                          rl_wants(n, 1) ? rl_new(dtype, at->ndim, at->shape) : NULL};
    RL_TEMP *dimage = made[0], *dgrid = made[1];
    if ((rl_wants(n, 0) && !dimage) || (rl_wants(n, 1) && !dgrid))
        return rl_error_code();
    if (dimage)
        memset(dimage->data, 0, (size_t)dimage->numel * rl_itemsize(dimage));
    job j = {v,
             dtype,
             x->data,
             at->data,
             dy->data,
             dimage ? dimage->data : NULL,
             dgrid ? dgrid->data : NULL};
    if (dy->numel > 0)
        rl_parallel_for(v.n, 1, samples_back, &j);
    else if (dgrid)
        memset(dgrid->data, 0, (size_t)dgrid->numel * rl_itemsize(dgrid));
    rl_tensor *inputs[3] = {x0, at0, g[0]};
    for (int i = 0; i < 2; i++) {
        dx[i] = made[i] ? rl_cast_data(made[i], (rl_dtype)x0->dtype) : NULL;
        if (dx[i] && rl_recording_any((rl_tensors){inputs, 3})) {
            rl_node *m = rl_node_new(&twice_nodes[v.ndim - 2], dx[i], 3, inputs);
            set_grid(m, &v);
            dx[i] = rl_record(m, dx[i]);
        }
    }
    return RL_DONE(n, dx);
}

static const rl_node_type sample_nodes[2] = {
    {"GridSampler2DBackward0", sample_backward, 2, NULL},
    {"GridSampler3DBackward0", sample_backward, 2, NULL},
};

/* ---- the operators ---- */

static rl_status check(const rl_tensor *x, const rl_tensor *g, int64_t method)
{
    if (x->dtype != g->dtype)
        return rl_error(RL_ERUNTIME, "expected scalar type %s but found %s",
                        rl_dtype_title((rl_dtype)x->dtype), rl_dtype_title((rl_dtype)g->dtype));
    if (x->ndim < 3 || x->ndim != g->ndim || x->shape[0] != g->shape[0])
        return rl_error(RL_ERUNTIME,
                        "grid_sampler(): expected grid and input to have same batch size and "
                        "number of dimensions, but got input with sizes %s and grid with sizes %s",
                        rl_shape_str(x).s, rl_shape_str(g).s);
    if (g->shape[g->ndim - 1] != x->ndim - 2)
        return rl_error(RL_ERUNTIME,
                        "grid_sampler(): expected grid to have size %d in last dimension, but got "
                        "grid with sizes %s",
                        x->ndim - 2, rl_shape_str(g).s);
    for (int d = 2; d < x->ndim; d++)
        if (x->shape[d] == 0)
            return rl_error(RL_ERUNTIME,
                            "grid_sampler(): expected input to have non-empty spatial dimensions, "
                            "but input has sizes %s with dimension %d being empty",
                            rl_shape_str(x).s, d);
    if (x->ndim != 4 && x->ndim != 5)
        return rl_error(RL_ERUNTIME,
                        "grid_sampler(): expected 4D or 5D input and grid, but got input with "
                        "sizes %s and grid with sizes %s",
                        rl_shape_str(x).s, rl_shape_str(g).s);
    if (x->ndim == 5 && method == CUBIC)
        return rl_error(RL_ERUNTIME,
                        "grid_sampler(): bicubic interpolation only supports 4D input");
    if (!rl_is_floating((rl_dtype)x->dtype))
        return rl_error(RL_ENOTIMPL, "\"grid_sampler_%dd_cpu\" not implemented for '%s'",
                        x->ndim - 2, rl_dtype_title((rl_dtype)x->dtype));
    return RL_OK;
}

rl_tensor *rl_grid_sampler(rl_tensor *x, rl_tensor *g, int64_t method, int64_t padding, bool align)
{
    if (!x || !g || check(x, g, method))
        return NULL;
    if (method < LINEAR || method > CUBIC || padding < PAD_ZEROS || padding > PAD_REFLECTION)
        return rl_fail(RL_ERUNTIME,
                       "grid_sampler(): no interpolation mode %lld or padding mode %lld",
                       (long long)method, (long long)padding);
    grid v = {.ndim = x->ndim - 2,
              .method = method,
              .padding = padding,
              .align = align,
              .n = x->shape[0],
              .channels = x->shape[1],
              .in = {1, 1, 1},
              .plane = 1,
              .points = 1};
    for (int d = 0; d < v.ndim; d++) {
        v.in[3 - v.ndim + d] = x->shape[2 + d];
        v.plane *= x->shape[2 + d];
        v.points *= g->shape[1 + d];
    }
    rl_tensor *y = sampled(&v, x, g);
    if (!y || (!rl_recording(x) && !rl_recording(g)))
        return y;
    rl_node *n = rl_node_new(&sample_nodes[v.ndim - 2], y, 2, (rl_tensor *[]){x, g});
    rl_save(n, 0, x);
    rl_save(n, 1, g);
    set_grid(n, &v);
    return rl_record(n, y);
}

static rl_tensor *ranked(int ndim, rl_tensor *x, rl_tensor *g, int64_t method, int64_t padding,
                         bool align)
{
    if (x && x->ndim != ndim)
        return rl_fail(RL_ERUNTIME,
                       "grid_sampler_%dd(): expected %dD input, but got input with sizes %s",
                       ndim - 2, ndim, rl_shape_str(x).s);
    return rl_grid_sampler(x, g, method, padding, align);
}

rl_tensor *rl_grid_sampler_2d(rl_tensor *x, rl_tensor *g, int64_t method, int64_t padding,
                              bool align)
{
    return ranked(4, x, g, method, padding, align);
}

rl_tensor *rl_grid_sampler_3d(rl_tensor *x, rl_tensor *g, int64_t method, int64_t padding,
                              bool align)
{
    return ranked(5, x, g, method, padding, align);
}

/* ---- affine maps ---- */

/* The points (1, points, ndim + 1) of a grid of these sizes, -1...1 and a last 1; the last dim's
 * number first. */
static rl_tensor *base_grid(rl_dtype dtype, int ndim, const int64_t *size, bool align)
{
    int64_t shape[3] = {1, 1, ndim + 1};
    if (rl_shape_numel(ndim, size, &shape[1]))
        return NULL;
    RL_TEMP *b = rl_new(RL_F64, 3, shape);
    if (!b)
        return NULL;
    double *p = (double *)b->data;
    for (int64_t i = 0; i < shape[1]; i++) {
        int64_t rest = i;
        for (int d = ndim - 1; d >= 0; d--) {
            int64_t n = size[d], k = rest % n;
            double x = n <= 1 ? 0 : -1 + 2 * (double)k / (double)(n - 1);
            *p++ = align || n <= 1 ? x : x * (double)(n - 1) / (double)n;
            rest /= n;
        }
        *p++ = 1;
    }
    return rl_cast_data(b, dtype);
}

/* y = base theta^T        dtheta = g^T base */
static rl_status affine_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    int ndim = n->args.n_dims - 2;
    RL_TEMP *base = base_grid((rl_dtype)g[0]->dtype, ndim, n->args.dims + 2, n->args.i[0]);
    RL_TEMP *flat =
        !base ? NULL
              : rl_reshape(g[0], (rl_ints){(int64_t[]){g[0]->shape[0], base->shape[1], ndim}, 3});
    RL_TEMP *turned = rl_transpose(flat, 1, 2);
    dx[0] = turned ? rl_matmul(turned, base) : NULL;
    return RL_DONE(n, dx);
}

static const rl_node_type affine_node = {"AffineGridGeneratorBackward0", affine_backward, 0, NULL};

static rl_tensor *affine_data(rl_tensor *theta0, int ndim, rl_ints size, bool align)
{
    RL_TEMP *theta = rl_detach(theta0);
    RL_TEMP *base = theta ? base_grid((rl_dtype)theta->dtype, ndim, size.v + 2, align) : NULL;
    RL_TEMP *turned = base ? rl_transpose(theta, 1, 2) : NULL;
    RL_TEMP *flat = turned ? rl_matmul(base, turned) : NULL;
    if (!flat)
        return NULL;
    int64_t shape[5] = {size.v[0]};
    memcpy(shape + 1, size.v + 2, (size_t)ndim * sizeof *shape);
    shape[1 + ndim] = ndim;
    RL_TEMP *y = rl_new((rl_dtype)theta->dtype, ndim + 2, shape);
    RL_TEMP *all = y ? rl_new_view(y, 3, flat->shape, flat->strides, 0) : NULL;
    return all && !rl_copy_data(all, flat) ? rl_retain(y) : NULL;
}

rl_tensor *rl_affine_grid_generator(rl_tensor *theta, rl_ints size, bool align)
{
    if (!theta)
        return NULL;
    int ndim = size.n - 2;
    if (ndim != 2 && ndim != 3)
        return rl_fail(RL_ERUNTIME,
                       "AffineGridGenerator needs 4d (spatial) or 5d (volumetric) inputs.");
    for (int i = 0; i < size.n; i++)
        if (size.v[i] < 0)
            return rl_fail(RL_ERUNTIME, "affine_grid_generator: negative size %s",
                           rl_ints_str(size.n, size.v).s);
    if (theta->ndim != 3 || theta->shape[0] != size.v[0] || theta->shape[1] != ndim ||
        theta->shape[2] != ndim + 1)
        return rl_fail(RL_ERUNTIME, "Expected theta of size [%lld, %d, %d], but got %s",
                       (long long)size.v[0], ndim, ndim + 1, rl_shape_str(theta).s);
    if (!rl_is_floating((rl_dtype)theta->dtype))
        return rl_fail(RL_ENOTIMPL, "\"linspace_cpu\" not implemented for '%s'",
                       rl_dtype_title((rl_dtype)theta->dtype));
    rl_tensor *y = affine_data(theta, ndim, size, align);
    if (!y || !rl_recording(theta))
        return y;
    rl_node *n = rl_node_new(&affine_node, y, 1, &theta);
    rl_node_set_dims(n, size.n, size.v);
    if (n)
        n->args.i[0] = align;
    return rl_record(n, y);
}
