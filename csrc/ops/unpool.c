/* unpool.c: what is put at given places, and taken from there; windows at random distances. */
#include <math.h>

#include "autograd/autograd.h"
#include "core/iter.h"
#include "core/parallel.h"
#include "ops/pool.h"
#include "rushlight_ops.h"

enum { GRAIN = 16384 };

static int64_t product(int n, const int64_t *v)
{
    int64_t p = 1;
    for (int d = 0; d < n; d++)
        p *= v[d];
    return p;
}

static int64_t grain(int64_t work) { return work < GRAIN ? GRAIN / (work ? work : 1) : 1; }

/* (lead of t..., size...) */
static rl_tensor *new_planes(const rl_tensor *t, rl_dtype dtype, int n_lead, int ndim,
                             const int64_t *size)
{
    int64_t shape[RL_MAX_DIMS];
    memcpy(shape, t->shape, (size_t)n_lead * sizeof *shape);
    memcpy(shape + n_lead, size, (size_t)ndim * sizeof *shape);
    return rl_new(dtype, n_lead + ndim, shape);
}

/* ---- places ---- */

typedef struct job {
    rl_dtype dtype;
    int64_t windows, plane; /* elements of a plane */
    const char *x;
    const int64_t *at;
    char *y;
} job;

#define PLACES(T)                                                                                  \
    static void add_##T(int64_t windows, const T *g, const int64_t *at, T *y)                      \
    {                                                                                              \
        for (int64_t i = 0; i < windows; i++)                                                      \
            if (at[i] >= 0)                                                                        \
                y[at[i]] += g[i];                                                                  \
    }                                                                                              \
    static void put_##T(int64_t windows, const T *x, const int64_t *at, T *y)                      \
    {                                                                                              \
        for (int64_t i = 0; i < windows; i++)                                                      \
            y[at[i]] = x[i];                                                                       \
    }                                                                                              \
    static void take_##T(int64_t windows, const T *x, const int64_t *at, T *y)                     \
    {                                                                                              \
        for (int64_t i = 0; i < windows; i++)                                                      \
            y[i] = at[i] >= 0 ? x[at[i]] : 0;                                                      \
    }

PLACES(float)
PLACES(double)

#define FROM(T, n) ((const T *)j->x + p * (n))
#define TO(T, n) ((T *)j->y + p * (n))

/* Sums, or with put the last of several. */
static void into_planes(const job *j, int64_t begin, int64_t end, bool put)
{
    int64_t n = j->windows, m = j->plane;
    memset(j->y + (size_t)(begin * m) * rl_dtype_size(j->dtype), 0,
           (size_t)((end - begin) * m) * rl_dtype_size(j->dtype));
    for (int64_t p = begin; p < end; p++)
        if (j->dtype == RL_F32)
            (put ? put_float : add_float)(n, FROM(float, n), j->at + p * n, TO(float, m));
        else
            (put ? put_double : add_double)(n, FROM(double, n), j->at + p * n, TO(double, m));
}

static void add_planes(int64_t begin, int64_t end, void *context)
{
    into_planes(context, begin, end, false);
}

static void put_planes(int64_t begin, int64_t end, void *context)
{
    into_planes(context, begin, end, true);
}

static void take_planes(int64_t begin, int64_t end, void *context)
{
    const job *j = context;
    int64_t n = j->windows, m = j->plane;
    for (int64_t p = begin; p < end; p++)
        if (j->dtype == RL_F32)
            take_float(n, FROM(float, m), j->at + p * n, TO(float, n));
        else
            take_double(n, FROM(double, m), j->at + p * n, TO(double, n));
}

/* body from t to planes of the size, or, with take_planes, from planes to the shape of at. */
static rl_tensor *compute(rl_tensor *t, rl_tensor *at, int n_lead, int ndim, const int64_t *size,
                          void (*body)(int64_t, int64_t, void *))
{
    rl_dtype dtype = (rl_dtype)t->dtype, work = dtype == RL_F64 ? RL_F64 : RL_F32;
    RL_TEMP *x = rl_cast_data(t, work), *places = rl_contiguous_data(at);
    if (!x || !places)
        return NULL;
    bool take = body == take_planes;
    RL_TEMP *y =
        take ? rl_new(work, at->ndim, at->shape) : new_planes(at, work, n_lead, ndim, size);
    if (!y)
        return NULL;
    job j = {work,
             product(at->ndim - n_lead, at->shape + n_lead),
             product(ndim, size),
             x->data,
             (const int64_t *)places->data,
             y->data};
    if (y->numel > 0)
        rl_parallel_for(product(n_lead, at->shape), grain(take ? j.windows : j.plane), body, &j);
    return rl_cast_data(y, dtype);
}

/* args.i: dims before the planes; dims: the size of a plane */
static rl_status add_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *at = rl_saved(n, 0);
    if (at)
        dx[0] = rl_places_take(g[0], at, (int)n->args.i[0]);
    return RL_DONE(n, dx);
}

static rl_status take_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *at = rl_saved(n, 0);
    if (at)
        dx[0] = rl_places_add(g[0], at, (int)n->args.i[0], n->args.n_dims, n->args.dims);
    return RL_DONE(n, dx);
}

static const rl_node_type add_node = {"MaxPool2DWithIndicesBackwardBackward0", add_backward, 1,
                                      NULL};
static const rl_node_type take_node = {"MaxUnpool2DBackwardBackward0", take_backward, 1, NULL};

static rl_tensor *record(const rl_node_type *type, rl_tensor *x, rl_tensor *at, rl_tensor *y,
                         int n_lead, int ndim, const int64_t *size)
{
    if (!y || !rl_recording(x))
        return y;
    rl_node *n = rl_node_new(type, y, 1, &x);
    rl_save(n, 0, at);
    rl_node_set_dims(n, ndim, size);
    if (n)
        n->args.i[0] = n_lead;
    return rl_record(n, y);
}

rl_tensor *rl_places_add(rl_tensor *g, rl_tensor *at, int n_lead, int ndim, const int64_t *size)
{
    rl_tensor *y = g && at ? compute(g, at, n_lead, ndim, size, add_planes) : NULL;
    return record(&add_node, g, at, y, n_lead, ndim, size);
}

rl_tensor *rl_places_take(rl_tensor *x, rl_tensor *at, int n_lead)
{
    if (!x || !at)
        return NULL;
    int ndim = x->ndim - n_lead;
    const int64_t *size = x->shape + n_lead;
    return record(&take_node, x, at, compute(x, at, n_lead, ndim, size, take_planes), n_lead, ndim,
                  size);
}

/* ---- unpooling ---- */

static const rl_node_type unpool_nodes[3] = {{"SqueezeBackward1", add_backward, 1, NULL},
                                             {"MaxUnpool2DBackward0", add_backward, 1, NULL},
                                             {"MaxUnpool3DBackward0", add_backward, 1, NULL}};

static rl_status check_unpool(int ndim, const rl_tensor *x, const rl_tensor *at, rl_ints size)
{
    if (at->dtype != RL_I64)
        return rl_error(RL_ERUNTIME, "elements in indices should be type int64 but got: %s",
                        rl_dtype_title((rl_dtype)at->dtype));
    if (size.n != ndim)
        return rl_error(RL_ERUNTIME,
                        "There should be exactly %d elements in output_size, but got %d elements.",
                        ndim, size.n);
    bool fits = x->ndim == ndim + 1 || x->ndim == ndim + 2;
    for (int d = x->ndim - ndim; fits && d < x->ndim; d++)
        fits = x->shape[d] > 0;
    if (!fits)
        return rl_error(RL_ERUNTIME,
                        "max_unpool%dd(): Expected input to have %d or %d dimensions and non-zero "
                        "sizes, but got %s",
                        ndim, ndim + 1, ndim + 2, rl_shape_str(x).s);
    if (!rl_same_shape(x, at))
        return rl_error(RL_ERUNTIME,
                        "Expected shape of indices to be same as that of the input tensor (%s) but "
                        "got indices tensor with shape: %s",
                        rl_shape_str(x).s, rl_shape_str(at).s);
    if (!rl_is_floating((rl_dtype)x->dtype))
        return rl_error(RL_ENOTIMPL, "\"max_unpool%dd\" not implemented for '%s'", ndim,
                        rl_dtype_title((rl_dtype)x->dtype));
    return RL_OK;
}

static rl_tensor *unpool(int ndim, rl_tensor *x, rl_tensor *indices, rl_ints size)
{
    if (!x || !indices || check_unpool(ndim, x, indices, size))
        return NULL;
    int64_t plane;
    RL_TEMP *at = rl_contiguous_data(indices);
    if (!at || rl_shape_numel(ndim, size.v, &plane))
        return NULL;
    for (int64_t i = 0; i < at->numel; i++) {
        int64_t place = ((const int64_t *)at->data)[i];
        if (place < 0 || place >= plane)
            return rl_fail(RL_ERUNTIME,
                           "Found an invalid max index: %lld (output volumes are of size %s",
                           (long long)place, rl_ints_str(size.n, size.v).s);
    }
    int n_lead = x->ndim - ndim;
    rl_tensor *y = compute(x, at, n_lead, ndim, size.v, put_planes);
    return record(&unpool_nodes[ndim - 1], x, indices, y, n_lead, ndim, size.v);
}

rl_tensor *rl_max_unpool1d(rl_tensor *x, rl_tensor *indices, rl_ints size)
{
    return unpool(1, x, indices, size);
}

rl_tensor *rl_max_unpool2d(rl_tensor *x, rl_tensor *indices, rl_ints size)
{
    return unpool(2, x, indices, size);
}

rl_tensor *rl_max_unpool3d(rl_tensor *x, rl_tensor *indices, rl_ints size)
{
    return unpool(3, x, indices, size);
}

/* ---- windows at random distances (Graham, 2014) ---- */

/* Missing dims come first and have size 1. */
typedef struct fractional {
    rl_dtype dtype;
    int64_t in[3], out[3], kernel[3];
    int dims; /* samples of a plane: the last is that of the first dim in 2d, of the last in 3d */
    const char *x, *samples;
    char *y;
    int64_t *at;
} fractional;

/* Where window o begins; the last one ends with the input. */
#define FRACTIONAL(T)                                                                              \
    static int64_t start_##T(T sample, int64_t o, int64_t in, int64_t out, int64_t kernel)         \
    {                                                                                              \
        if (o == out - 1)                                                                          \
            return in - kernel;                                                                    \
        T step = (T)(in - kernel) / (T)(out - 1);                                                  \
        return (int64_t)(((T)o + sample) * step) - (int64_t)(sample * step);                       \
    }                                                                                              \
    static void fractional_##T(const fractional *f, const T *x, const T *samples, T *y,            \
                               int64_t *at)                                                        \
    {                                                                                              \
        T sample[3] = {0, samples[f->dims == 2 ? 1 : 0], samples[f->dims == 2 ? 0 : 1]};           \
        if (f->dims == 3) {                                                                        \
            sample[0] = samples[0];                                                                \
            sample[1] = samples[1];                                                                \
            sample[2] = samples[2];                                                                \
        }                                                                                          \
        for (int64_t a = 0; a < f->out[0]; a++)                                                    \
            for (int64_t b = 0; b < f->out[1]; b++)                                                \
                for (int64_t c = 0; c < f->out[2]; c++) {                                          \
                    int64_t from[3];                                                               \
                    for (int d = 0; d < 3; d++)                                                    \
                        from[d] = start_##T(sample[d],                                             \
                                            d == 0   ? a                                           \
                                            : d == 1 ? b                                           \
                                                     : c,                                          \
                                            f->in[d], f->out[d], f->kernel[d]);                    \
                    int64_t best = (from[0] * f->in[1] + from[1]) * f->in[2] + from[2];            \
                    T most = -INFINITY;                                                            \
                    for (int64_t i = from[0]; i < from[0] + f->kernel[0]; i++)                     \
                        for (int64_t j = from[1]; j < from[1] + f->kernel[1]; j++)                 \
                            for (int64_t k = from[2]; k < from[2] + f->kernel[2]; k++) {           \
                                int64_t place = (i * f->in[1] + j) * f->in[2] + k;                 \
                                if (x[place] > most || x[place] != x[place]) {                     \
                                    most = x[place];                                               \
                                    best = place;                                                  \
                                }                                                                  \
                            }                                                                      \
                    *y++ = most;                                                                   \
                    *at++ = best;                                                                  \
                }                                                                                  \
    }

FRACTIONAL(float)
FRACTIONAL(double)

static void fractional_planes(int64_t begin, int64_t end, void *context)
{
    const fractional *f = context;
    int64_t n = product(3, f->in), m = product(3, f->out);
    for (int64_t p = begin; p < end; p++)
        if (f->dtype == RL_F32)
            fractional_float(f, (const float *)f->x + p * n,
                             (const float *)f->samples + p * f->dims, (float *)f->y + p * m,
                             f->at + p * m);
        else
            fractional_double(f, (const double *)f->x + p * n,
                              (const double *)f->samples + p * f->dims, (double *)f->y + p * m,
                              f->at + p * m);
}

static rl_status fractional_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *at = rl_saved(n, 0);
    if (at)
        dx[0] = rl_places_add(g[0], at, (int)n->args.i[0], n->args.n_dims, n->args.dims);
    return RL_DONE(n, dx);
}

static const rl_node_type fractional_nodes[2] = {
    {"FractionalMaxPool2DBackward0", fractional_backward, 1, NULL},
    {"FractionalMaxPool3DBackward0", fractional_backward, 1, NULL}};

static rl_status check_samples(int ndim, const rl_tensor *x, const rl_tensor *samples)
{
    int64_t n = x->ndim == ndim + 2 ? x->shape[0] : 1, c = x->shape[x->ndim - ndim - 1];
    if (samples->dtype != x->dtype)
        return rl_error(
            RL_ERUNTIME, "Expect _random_samples to have the same dtype as input: %s and %s",
            rl_dtype_title((rl_dtype)samples->dtype), rl_dtype_title((rl_dtype)x->dtype));
    if (samples->ndim != 3 || samples->shape[0] < n || samples->shape[1] != c ||
        samples->shape[2] != ndim)
        return rl_error(RL_ERUNTIME, "Expect _random_samples of size [%lld, %lld, %d], but got %s",
                        (long long)n, (long long)c, ndim, rl_shape_str(samples).s);
    return RL_OK;
}

static rl_status set_up(int ndim, const rl_tensor *x, rl_ints kernel, rl_ints size, fractional *f)
{
    if ((kernel.n != 1 && kernel.n != ndim) || (size.n != 1 && size.n != ndim))
        return rl_error(RL_ERUNTIME,
                        "fractional_max_pool%dd: kernel_size and output_size must be a single int "
                        "or tuples of %d ints",
                        ndim, ndim);
    bool fits = x->ndim == ndim + 1 || x->ndim == ndim + 2;
    for (int d = x->ndim - ndim - 1; fits && d < x->ndim; d++)
        fits = x->shape[d] > 0;
    if (!fits)
        return rl_error(RL_ERUNTIME,
                        "fractional_max_pool%dd(): Expected %dD or %dD tensor with non-zero sizes, "
                        "but got %s",
                        ndim, ndim + 1, ndim + 2, rl_shape_str(x).s);
    if (!rl_is_floating((rl_dtype)x->dtype))
        return rl_error(RL_ENOTIMPL, "\"fractional_max_pool%dd\" not implemented for '%s'", ndim,
                        rl_dtype_title((rl_dtype)x->dtype));
    *f = (fractional){.in = {1, 1, 1}, .out = {1, 1, 1}, .kernel = {1, 1, 1}, .dims = ndim};
    for (int d = 0; d < ndim; d++) {
        int64_t k = kernel.v[kernel.n == 1 ? 0 : d], o = size.v[size.n == 1 ? 0 : d];
        int64_t in = x->shape[x->ndim - ndim + d];
        if (k <= 0 || o <= 0)
            return rl_error(RL_ERUNTIME,
                            "fractional_max_pool%dd: kernel_size and output_size must be greater "
                            "than zero, but got %lld and %lld",
                            ndim, (long long)k, (long long)o);
        /* PyTorch wants a place to spare in three dims. */
        if (k > in || o > in || o + k - (ndim == 3 ? 0 : 1) > in)
            return rl_error(RL_ERUNTIME,
                            "fractional_max_pool%dd(): pool size %lld too large relative to input "
                            "size %lld",
                            ndim, (long long)k, (long long)in);
        f->in[3 - ndim + d] = in;
        f->out[3 - ndim + d] = o;
        f->kernel[3 - ndim + d] = k;
    }
    return RL_OK;
}

static rl_status fractional_pool(int ndim, rl_tensor *x0, rl_ints kernel, rl_ints size,
                                 rl_tensor *samples0, rl_tensor **out)
{
    fractional f;
    if (!x0 || !samples0 || set_up(ndim, x0, kernel, size, &f) || check_samples(ndim, x0, samples0))
        return rl_error_code();
    int n_lead = x0->ndim - ndim;
    f.dtype = x0->dtype == RL_F64 ? RL_F64 : RL_F32;
    RL_TEMP *x = rl_cast_data(x0, f.dtype), *samples = rl_cast_data(samples0, f.dtype);
    RL_TEMP *y = new_planes(x0, f.dtype, n_lead, ndim, f.out + 3 - ndim);
    RL_TEMP *at = new_planes(x0, RL_I64, n_lead, ndim, f.out + 3 - ndim);
    if (!x || !samples || !y || !at)
        return rl_error_code();
    f.x = x->data;
    f.samples = samples->data;
    f.y = y->data;
    f.at = (int64_t *)at->data;
    rl_parallel_for(product(n_lead, x0->shape), grain(product(3, f.in)), fractional_planes, &f);
    rl_tensor *z = rl_cast_data(y, (rl_dtype)x0->dtype);
    out[0] = record(&fractional_nodes[ndim - 2], x0, at, z, n_lead, ndim, f.in + 3 - ndim);
    if (!out[0])
        return rl_error_code();
    out[1] = rl_retain(at);
    return RL_OK;
}

rl_status rl_fractional_max_pool2d(rl_tensor *x, rl_ints kernel, rl_ints size, rl_tensor *samples,
                                   rl_tensor **out)
{
    return fractional_pool(2, x, kernel, size, samples, out);
}

rl_status rl_fractional_max_pool3d(rl_tensor *x, rl_ints kernel, rl_ints size, rl_tensor *samples,
                                   rl_tensor **out)
{
    return fractional_pool(3, x, kernel, size, samples, out);
}
