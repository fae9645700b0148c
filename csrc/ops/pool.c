/* pool.c: maxima and averages over windows of the last one, two or three dims.
 *
 * What lies before those dims (batch, channels) only counts planes. */
#include <math.h>

#include "autograd/autograd.h"
#include "core/iter.h"
#include "core/parallel.h"
#include "kernels/pool.h"
#include "ops/pool.h"
#include "rushlight_ops.h"

/* Missing spatial dims come first, with size, kernel, stride and dilation 1, pad 0. */
typedef struct pool {
    int64_t ndim, in[3], out[3], kernel[3], stride[3], pad[3], dilation[3];
    int64_t adaptive;    /* windows share the input out evenly; kernel and so on say nothing */
    int64_t include_pad; /* the border counts in an average */
    int64_t divisor;     /* of an average, unless 0 */
    int64_t planes;
    int64_t n_lead, lead[2]; /* the dims before */
} pool;

enum { POOL_NUMBERS = sizeof(pool) / sizeof(int64_t), GRAIN = 16384 };

/* ---- windows ---- */

/* Window of output o along one dim: from, from + step, ... below to.  extent: its size with what of
 * the border it covers. */
typedef struct span {
    int64_t from, to, step, extent;
} span;

static span span_of(const pool *v, int d, int64_t o)
{
    int64_t in = v->in[d], out = v->out[d];
    if (v->adaptive) {
        int64_t from = o * in / out, to = ((o + 1) * in + out - 1) / out;
        return (span){from, to, 1, to - from};
    }
    int64_t step = v->dilation[d], from = o * v->stride[d] - v->pad[d];
    int64_t to = from + (v->kernel[d] - 1) * step + 1;
    int64_t padded = from + v->kernel[d] < in + v->pad[d] ? from + v->kernel[d] : in + v->pad[d];
    int64_t extent = padded - from;
    if (from < 0)
        from += (-from + step - 1) / step * step;
    return (span){from, to < in ? to : in, step, extent};
}

static int64_t length(span s) { return s.to > s.from ? (s.to - s.from + s.step - 1) / s.step : 0; }

static int64_t divisor_of(const pool *v, span a, span b, span c)
{
    if (v->divisor)
        return v->divisor;
    return v->include_pad ? a.extent * b.extent * c.extent : length(a) * length(b) * length(c);
}

typedef struct job {
    pool v;
    rl_dtype dtype;
    int64_t in_size, out_size;
    const char *x;
    char *y;
    void *at;     /* maxima: where they lie in their plane (int64), or in their window (uint8) */
    char *shares; /* gradient of averages: room for what each window gives */
} job;

#define EVERY_WINDOW                                                                               \
    for (int64_t o0 = 0; o0 < v->out[0]; o0++) {                                                   \
        span a = span_of(v, 0, o0);                                                                \
        for (int64_t o1 = 0; o1 < v->out[1]; o1++) {                                               \
            span b = span_of(v, 1, o1);                                                            \
            for (int64_t o2 = 0; o2 < v->out[2]; o2++) {                                           \
                span c = span_of(v, 2, o2);
#define END_WINDOW                                                                                 \
    }                                                                                              \
    }                                                                                              \
    }
#define EVERY_ELEMENT                                                                              \
    for (int64_t i0 = a.from; i0 < a.to; i0 += a.step)                                             \
        for (int64_t i1 = b.from; i1 < b.to; i1 += b.step)                                         \
            for (int64_t i2 = c.from; i2 < c.to; i2 += c.step)
#define PLACE ((i0 * v->in[1] + i1) * v->in[2] + i2)

/* A NaN wins, the last of several; of equal maxima the first.  A dilated window may miss the input
 * altogether: -inf, at no place. */
#define POOLING(T, LEAST)                                                                          \
    static void max_##T(const pool *v, const T *x, T *y, int64_t *at)                              \
    {                                                                                              \
        EVERY_WINDOW                                                                               \
        int64_t best = -1;                                                                         \
        T most = LEAST;                                                                            \
        if (length(a) && length(b) && length(c)) {                                                 \
            best = (a.from * v->in[1] + b.from) * v->in[2] + c.from;                               \
            most = x[best];                                                                        \
        }                                                                                          \
        EVERY_ELEMENT                                                                              \
        {                                                                                          \
            T value = x[PLACE];                                                                    \
            if (value > most || value != value) {                                                  \
                most = value;                                                                      \
                best = PLACE;                                                                      \
            }                                                                                      \
        }                                                                                          \
        *y++ = most;                                                                               \
        *at++ = best;                                                                              \
        END_WINDOW                                                                                 \
    }                                                                                              \
    static void average_##T(const pool *v, const T *x, T *y)                                       \
    {                                                                                              \
        EVERY_WINDOW                                                                               \
        T sum = 0;                                                                                 \
        int64_t n = length(a) * length(b) * length(c);                                             \
        EVERY_ELEMENT sum += x[PLACE];                                                             \
        *y++ = n ? sum / (T)divisor_of(v, a, b, c) : 0;                                            \
        END_WINDOW                                                                                 \
    }                                                                                              \
    static void spread_##T(const pool *v, const T *y, T *x)                                        \
    {                                                                                              \
        EVERY_WINDOW                                                                               \
        int64_t n = length(a) * length(b) * length(c);                                             \
        T share = n ? *y / (T)divisor_of(v, a, b, c) : 0;                                          \
        EVERY_ELEMENT x[PLACE] += share;                                                           \
        y++;                                                                                       \
        END_WINDOW                                                                                 \
    }

POOLING(float, -INFINITY)
POOLING(double, -INFINITY)
POOLING(int64_t, INT64_MIN)

#define CALL(name, ...)                                                                            \
    do {                                                                                           \
        if (j->dtype == RL_F32)                                                                    \
            name##_float(&j->v, ARGUMENTS(float, __VA_ARGS__));                                    \
        else if (j->dtype == RL_F64)                                                               \
            name##_double(&j->v, ARGUMENTS(double, __VA_ARGS__));                                  \
        else                                                                                       \
            name##_int64_t(&j->v, ARGUMENTS(int64_t, __VA_ARGS__));                                \
    } while (0)

static rl_pool_window window_of(const pool *v)
{
    rl_pool_window w;
    memcpy(w.in, v->in, sizeof w.in);
    memcpy(w.out, v->out, sizeof w.out);
    memcpy(w.kernel, v->kernel, sizeof w.kernel);
    memcpy(w.stride, v->stride, sizeof w.stride);
    memcpy(w.pad, v->pad, sizeof w.pad);
    memcpy(w.dilation, v->dilation, sizeof w.dilation);
    return w;
}

static void max_planes(int64_t begin, int64_t end, void *context)
{
    const job *j = context;
    rl_pool_window w = window_of(&j->v);
    bool fixed = !j->v.adaptive;
#define ARGUMENTS(T, i)                                                                            \
    (const T *)j->x + i * j->in_size, (T *)j->y + i * j->out_size,                                 \
        (int64_t *)j->at + i * j->out_size
    for (int64_t p = begin; p < end; p++)
        if (fixed && j->dtype == RL_F32)
            rl_kernel_table.pool->max_f32(&w, ARGUMENTS(float, p));
        else if (fixed && j->dtype == RL_F64)
            rl_kernel_table.pool->max_f64(&w, ARGUMENTS(double, p));
        else
            CALL(max, p);
#undef ARGUMENTS
}

/* Windows in pairs: the maxima, and which of its window's elements each is. */
static void pair_planes(int64_t begin, int64_t end, void *context)
{
    const job *j = context;
    rl_pool_window w = window_of(&j->v);
    for (int64_t p = begin; p < end; p++) {
        uint8_t *which = (uint8_t *)j->at + p * j->out_size;
        if (j->dtype == RL_F32)
            rl_kernel_table.pool->pairs_f32(&w, (const float *)j->x + p * j->in_size,
                                            (float *)j->y + p * j->out_size, which);
        else
            rl_kernel_table.pool->pairs_f64(&w, (const double *)j->x + p * j->in_size,
                                            (double *)j->y + p * j->out_size, which);
    }
}

/* x and y change places: the gradient of pair_planes. */
static void unpair_planes(int64_t begin, int64_t end, void *context)
{
    const job *j = context;
    rl_pool_window w = window_of(&j->v);
    for (int64_t p = begin; p < end; p++) {
        const uint8_t *which = (const uint8_t *)j->at + p * j->out_size;
        if (j->dtype == RL_F32)
            rl_kernel_table.pool->unpair_f32(&w, (const float *)j->x + p * j->out_size, which,
                                             (float *)j->y + p * j->in_size);
        else
            rl_kernel_table.pool->unpair_f64(&w, (const double *)j->x + p * j->out_size, which,
                                             (double *)j->y + p * j->in_size);
    }
}

/* The maxima alone, of windows of one dim that share nothing with the next plane's where they lie
 * side by side: then the planes of a block are one long row. */
static void most_planes(int64_t begin, int64_t end, void *context)
{
    enum { BLOCK = 4096 }; /* elements that stay in the cache from one pass to the next */
    const job *j = context;
    rl_pool_window w = window_of(&j->v);
    bool joined = w.kernel[2] == w.stride[2] && w.dilation[2] == 1 && w.pad[2] == 0 &&
                  w.out[2] * w.stride[2] == w.in[2];
    int64_t most = joined && BLOCK > j->in_size ? BLOCK / j->in_size : 1;
    for (int64_t p = begin, m; p < end; p += m) {
        m = end - p < most ? end - p : most;
        w.in[2] = m * j->in_size;
        w.out[2] = m * j->out_size;
        if (j->dtype == RL_F32)
            rl_kernel_table.pool->most_f32(&w, (const float *)j->x + p * j->in_size,
                                           (float *)j->y + p * j->out_size);
        else
            rl_kernel_table.pool->most_f64(&w, (const double *)j->x + p * j->in_size,
                                           (double *)j->y + p * j->out_size);
    }
}

/* Divides each of a plane's outputs by the number of its window's elements. */
#define DIVIDE(T)                                                                                  \
    static T divided_##T(const pool *v, T x, span a, span b, span c)                               \
    {                                                                                              \
        return length(a) && length(b) && length(c) ? x / (T)divisor_of(v, a, b, c) : 0;            \
    }                                                                                              \
    static void divide_##T(const pool *v, const T *x, T *y)                                        \
    {                                                                                              \
        int64_t low = (v->pad[2] + v->stride[2] - 1) / v->stride[2], n = v->out[2];                \
        int64_t room = v->in[2] - v->kernel[2] + v->pad[2];                                        \
        int64_t high = room < 0 ? 0 : room / v->stride[2] + 1; /* whole windows: low to high */    \
        low = low < n ? low : n;                                                                   \
        high = high < low ? low : high < n ? high : n;                                             \
        for (int64_t o0 = 0; o0 < v->out[0]; o0++)                                                 \
            for (int64_t o1 = 0; o1 < v->out[1]; o1++, x += n, y += n) {                           \
                span a = span_of(v, 0, o0), b = span_of(v, 1, o1);                                 \
                for (int64_t i = 0; i < low; i++)                                                  \
                    y[i] = divided_##T(v, x[i], a, b, span_of(v, 2, i));                           \
                if (low < high) {                                                                  \
                    T count = (T)divisor_of(v, a, b, span_of(v, 2, low));                          \
                    bool any = length(a) && length(b);                                             \
                    for (int64_t i = low; i < high; i++)                                           \
                        y[i] = any ? x[i] / count : 0;                                             \
                }                                                                                  \
                for (int64_t i = high; i < n; i++)                                                 \
                    y[i] = divided_##T(v, x[i], a, b, span_of(v, 2, i));                           \
            }                                                                                      \
    }
DIVIDE(float)
DIVIDE(double)

static void average_planes(int64_t begin, int64_t end, void *context)
{
    const job *j = context;
    const pool *v = &j->v;
    rl_pool_window w = window_of(v);
    const bool fixed = !v->adaptive, inside = fixed && j->out_size && rl_pool_inside(&w);
    const int64_t all = /* of the elements of a whole window */
        inside ? divisor_of(v, span_of(v, 0, 0), span_of(v, 1, 0), span_of(v, 2, 0)) : 0;
#define ARGUMENTS(T, i) (const T *)j->x + i * j->in_size, (T *)j->y + i * j->out_size
#define AVERAGE(T, sum)                                                                            \
    {                                                                                              \
        T *y = (T *)j->y + p * j->out_size;                                                        \
        rl_kernel_table.pool->sum(&w, (const T *)j->x + p * j->in_size, y);                        \
        if (inside)                                                                                \
            for (int64_t i = 0; i < j->out_size; i++)                                              \
                y[i] /= (T)all;                                                                    \
        else                                                                                       \
            divide_##T(v, y, y);                                                                   \
    }
    for (int64_t p = begin; p < end; p++)
        if (fixed && j->dtype == RL_F32)
            AVERAGE(float, sum_f32)
        else if (fixed && j->dtype == RL_F64)
            AVERAGE(double, sum_f64)
        else
            CALL(average, p);
#undef ARGUMENTS
#undef AVERAGE
}

/* x and y change places: from the averages to the input.  y is zeros. */
static void spread_planes(int64_t begin, int64_t end, void *context)
{
    const job *j = context;
    rl_pool_window w = window_of(&j->v);
    bool fixed = !j->v.adaptive;
#define ARGUMENTS(T, i) (const T *)j->x + i * j->out_size, (T *)j->y + i * j->in_size
#define SHARES(T, i) (T *)j->shares + i * j->out_size
    for (int64_t p = begin; p < end; p++)
        if (fixed && j->dtype == RL_F32) {
            divide_float(&j->v, (const float *)j->x + p * j->out_size, SHARES(float, p));
            rl_kernel_table.pool->spread_f32(&w, SHARES(float, p), (float *)j->y + p * j->in_size);
        } else if (fixed && j->dtype == RL_F64) {
            divide_double(&j->v, (const double *)j->x + p * j->out_size, SHARES(double, p));
            rl_kernel_table.pool->spread_f64(&w, SHARES(double, p),
                                             (double *)j->y + p * j->in_size);
        } else {
            CALL(spread, p);
        }
#undef ARGUMENTS
#undef SHARES
}

/* ---- data ---- */

static rl_dtype compute_dtype(rl_dtype d)
{
    return d == RL_F16 || d == RL_BF16 ? RL_F32 : rl_is_floating(d) ? d : RL_I64;
}

/* The dims before, then `spatial`. */
static rl_tensor *new_planes(const pool *v, rl_dtype dtype, const int64_t spatial[3])
{
    int64_t shape[5];
    memcpy(shape, v->lead, sizeof v->lead);
    for (int d = 0; d < v->ndim; d++)
        shape[v->n_lead + d] = spatial[3 - v->ndim + d];
    return rl_new(dtype, (int)(v->n_lead + v->ndim), shape);
}

static void run(job *j, void (*body)(int64_t, int64_t, void *))
{
    int64_t work = j->in_size > j->out_size ? j->in_size : j->out_size;
    rl_parallel_for(j->v.planes, work < GRAIN ? GRAIN / (work ? work : 1) : 1, body, j);
}

/* body from t to a new tensor, of t's dtype; *at: positions, where wanted, or given to
 * unpair_planes. */
static rl_tensor *compute(const pool *v, rl_tensor *t, void (*body)(int64_t, int64_t, void *),
                          rl_tensor **at)
{
    job j = {.v = *v, .dtype = compute_dtype((rl_dtype)t->dtype), .in_size = 1, .out_size = 1};
    RL_TEMP *x = rl_cast_data(t, j.dtype);
    bool back = body == spread_planes, unpair = body == unpair_planes;
    RL_TEMP *y = x ? new_planes(v, j.dtype, back || unpair ? v->in : v->out) : NULL;
    rl_dtype kind = body == pair_planes ? RL_U8 : RL_I64;
    RL_TEMP *places = !y || !at ? NULL : unpair ? rl_retain(*at) : new_planes(v, kind, v->out);
    RL_TEMP *shares = back && y ? new_planes(v, j.dtype, v->out) : NULL;
    if (!y || (at && !places) || (back && !shares))
        return NULL;
    j.shares = shares ? shares->data : NULL;
    bool even = v->adaptive;
    for (int d = 0; d < 3; d++) {
        j.in_size *= v->in[d];
        j.out_size *= v->out[d];
        even = even && v->out[d] && v->in[d] % v->out[d] == 0;
    }
    if (even) { /* windows of one size, side by side */
        j.v.adaptive = j.v.divisor = 0;
        for (int d = 0; d < 3; d++) {
            j.v.kernel[d] = j.v.stride[d] = v->in[d] / v->out[d];
            j.v.pad[d] = 0, j.v.dilation[d] = 1;
        }
    }
    if (back)
        memset(y->data, 0, (size_t)y->numel * rl_itemsize(y));
    j.x = x->data;
    j.y = y->data;
    j.at = places ? places->data : NULL;
    if (y->numel)
        run(&j, body);
    rl_tensor *z = y->dtype == t->dtype ? rl_retain(y) : rl_cast_data(y, (rl_dtype)t->dtype);
    if (z && at && !unpair)
        *at = rl_retain(places);
    return z;
}

/* ---- derivatives ---- */

static pool pool_of(const rl_node *n)
{
    pool v;
    memcpy(&v, n->args.dims, sizeof v);
    return v;
}

static void keep_pool(rl_node *n, const pool *v)
{
    int64_t numbers[POOL_NUMBERS];
    memcpy(numbers, v, sizeof numbers);
    rl_node_set_dims(n, POOL_NUMBERS, numbers);
}

/* Where in its plane each maximum of windows in pairs lies. */
static rl_tensor *places_of(const pool *v, const rl_tensor *which)
{
    rl_tensor *at = rl_new(RL_I64, which->ndim, which->shape);
    int64_t rows = v->out[1], n = v->out[2];
    for (int64_t i = 0; at && i < at->numel; i++) {
        int64_t row = i / n, k = ((const uint8_t *)which->data)[i];
        int64_t base = row / rows % v->in[0] * v->in[1] + row % rows * 2 + k / 2;
        ((int64_t *)at->data)[i] = base * v->in[2] + i % n * 2 + k % 2;
    }
    return at;
}

/* y = x at the maxima        dx = g there, added up where windows share one */
static rl_status max_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    pool v = pool_of(n);
    RL_TEMP *saved = rl_saved(n, 0);
    if (saved && saved->dtype == RL_U8 && !rl_recording(g[0])) {
        rl_tensor *which = saved;
        dx[0] = compute(&v, g[0], unpair_planes, &which);
        return RL_DONE(n, dx);
    }
    RL_TEMP *at = saved && saved->dtype == RL_U8 ? places_of(&v, saved) : rl_retain(saved);
    if (at)
        dx[0] = rl_places_add(g[0], at, (int)v.n_lead, (int)v.ndim, v.in + 3 - v.ndim);
    return RL_DONE(n, dx);
}

static rl_tensor *average(const rl_node_type *type, const pool *v, rl_tensor *x);
static rl_tensor *spread(const pool *v, rl_tensor *y);

/* Averages and their gradient are linear: each is the other's derivative. */
static rl_status average_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    pool v = pool_of(n);
    dx[0] = spread(&v, g[0]);
    return RL_DONE(n, dx);
}

static const rl_node_type average_again = {"AvgPool2DBackwardBackward0", average_backward, 0, NULL};

static rl_status spread_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    pool v = pool_of(n);
    dx[0] = average(&average_again, &v, g[0]);
    return RL_DONE(n, dx);
}

static const rl_node_type spread_node = {"AvgPool2DBackwardBackward0", spread_backward, 0, NULL};

/* By adaptive and ndim - 1; one dim is PyTorch's two with one squeezed away. */
static const rl_node_type max_nodes[2][3] = {
    {{"SqueezeBackward1", max_backward, 1, NULL},
     {"MaxPool2DWithIndicesBackward0", max_backward, 1, NULL},
     {"MaxPool3DWithIndicesBackward0", max_backward, 1, NULL}},
    {{"SqueezeBackward1", max_backward, 1, NULL},
     {"AdaptiveMaxPool2DBackward0", max_backward, 1, NULL},
     {"AdaptiveMaxPool3DBackward0", max_backward, 1, NULL}},
};
static const rl_node_type average_nodes[2][3] = {
    {{"SqueezeBackward1", average_backward, 0, NULL},
     {"AvgPool2DBackward0", average_backward, 0, NULL},
     {"AvgPool3DBackward0", average_backward, 0, NULL}},
    {{"SqueezeBackward1", average_backward, 0, NULL},
     {"AdaptiveAvgPool2DBackward0", average_backward, 0, NULL},
     {"AdaptiveAvgPool3DBackward0", average_backward, 0, NULL}},
};

static rl_tensor *linear(const rl_node_type *type, const pool *v, rl_tensor *x,
                         void (*body)(int64_t, int64_t, void *))
{
    rl_tensor *y = x ? compute(v, x, body, NULL) : NULL;
    if (!y || !rl_recording(x))
        return y;
    rl_node *n = rl_node_new(type, y, 1, &x);
    keep_pool(n, v);
    return rl_record(n, y);
}

static rl_tensor *average(const rl_node_type *type, const pool *v, rl_tensor *x)
{
    return linear(type, v, x, average_planes);
}

static rl_tensor *spread(const pool *v, rl_tensor *y)
{
    return linear(&spread_node, v, y, spread_planes);
}

/* out[1]: where they lie in their plane, or, if nobody will see it, for the derivative alone. */
static rl_status maxima(const pool *v, rl_tensor *x, bool alone, rl_tensor **out)
{
    rl_pool_window w = window_of(v);
    bool pairs = alone && rl_pool_in_pairs(&w) && rl_is_floating((rl_dtype)x->dtype);
    rl_tensor *at = NULL, *y = compute(v, x, pairs ? pair_planes : max_planes, &at);
    if (y && rl_recording(x)) {
        rl_node *n = rl_node_new(&max_nodes[v->adaptive][v->ndim - 1], y, 1, &x);
        rl_save(n, 0, at);
        keep_pool(n, v);
        y = rl_record(n, y);
    }
    if (!y) {
        rl_release(at);
        return rl_error_code();
    }
    out[0] = y;
    out[1] = at;
    return RL_OK;
}

/* ---- arguments ---- */

typedef struct call {
    const char *name;
    int ndim;
    rl_tensor *x;
    rl_ints kernel, stride, padding, dilation;
    bool ceil_mode;
} call;

static rl_status spread_ints(const call *c, const char *what, rl_ints given, int64_t least,
                             int64_t out[3])
{
    static const char *const count[] = {"one int", "two ints", "three ints"};
    if (given.n != 1 && given.n != c->ndim)
        return rl_error(RL_ERUNTIME, "%s: %s must either be a single int, or a tuple of %s",
                        c->name, what, count[c->ndim - 1]);
    for (int d = 0; d < c->ndim; d++) {
        int64_t value = given.v[given.n == 1 ? 0 : d];
        if (value < least)
            return rl_error(RL_ERUNTIME,
                            least ? "%s: %s should be greater than zero, but got %lld"
                                  : "%s: %s must be non-negative, but got %lld",
                            c->name, what, (long long)value);
        if (value > INT32_MAX)
            return rl_error(RL_ERUNTIME, "%s: %s is too large: %lld", c->name, what,
                            (long long)value);
        out[3 - c->ndim + d] = value;
    }
    return RL_OK;
}

/* Planes and input sizes. */
static rl_status set_up(const call *c, pool *v)
{
    rl_tensor *x = c->x;
    *v = (pool){.ndim = c->ndim,
                .in = {1, 1, 1},
                .out = {1, 1, 1},
                .kernel = {1, 1, 1},
                .stride = {1, 1, 1},
                .dilation = {1, 1, 1},
                .planes = 1};
    bool fits = x->ndim == c->ndim + 1 || x->ndim == c->ndim + 2;
    for (int d = x->ndim - c->ndim - 1; fits && d < x->ndim; d++)
        fits = d == 0 && x->ndim == c->ndim + 2 ? true : x->shape[d] > 0;
    if (!fits)
        return rl_error(
            RL_ERUNTIME,
            "%s: Expected %dD or %dD (batch mode) tensor with optional 0 dim batch size "
            "for input, but got:%s",
            c->name, c->ndim + 1, c->ndim + 2, rl_shape_str(x).s);
    if (x->dtype == RL_BOOL || rl_is_complex((rl_dtype)x->dtype))
        return rl_error(RL_ENOTIMPL, "\"%s\" not implemented for '%s'", c->name,
                        rl_dtype_title((rl_dtype)x->dtype));
    v->n_lead = x->ndim - c->ndim;
    for (int d = 0; d < x->ndim; d++)
        if (d < v->n_lead) {
            v->lead[d] = x->shape[d];
            v->planes *= x->shape[d];
        } else {
            v->in[3 - x->ndim + d] = x->shape[d];
        }
    return RL_OK;
}

static rl_status no_integers(const call *c, bool int64_too)
{
    rl_dtype dtype = (rl_dtype)c->x->dtype;
    if (rl_is_floating(dtype) || (!int64_too && dtype == RL_I64))
        return RL_OK;
    return rl_error(RL_ENOTIMPL, "\"%s\" not implemented for '%s'", c->name, rl_dtype_title(dtype));
}

static rl_status set_windows(const call *c, pool *v)
{
    rl_ints stride = c->stride.n > 0 ? c->stride : c->kernel;
    if (set_up(c, v) || spread_ints(c, "kernel_size", c->kernel, 1, v->kernel) ||
        spread_ints(c, "stride", stride, 1, v->stride) ||
        spread_ints(c, "padding", c->padding, 0, v->pad) ||
        spread_ints(c, "dilation", c->dilation, 1, v->dilation))
        return rl_error_code();
    for (int d = 0; d < 3; d++) {
        int64_t reach = (v->kernel[d] - 1) * v->dilation[d] + 1;
        if (v->pad[d] > reach / 2)
            return rl_error(
                RL_ERUNTIME,
                "pad should be at most half of effective kernel size, but got pad=%lld, "
                "kernel_size=%lld and dilation=%lld",
                (long long)v->pad[d], (long long)v->kernel[d], (long long)v->dilation[d]);
        int64_t room = v->in[d] + 2 * v->pad[d] - reach + (c->ceil_mode ? v->stride[d] - 1 : 0);
        v->out[d] = room < 0 ? 0 : room / v->stride[d] + 1;
        /* A window must begin inside the input or its left border. */
        if (c->ceil_mode && (v->out[d] - 1) * v->stride[d] >= v->in[d] + v->pad[d])
            v->out[d]--;
        if (v->out[d] < 1)
            return rl_error(RL_ERUNTIME,
                            "%s: input of shape %s is smaller than the kernel: Output size is too "
                            "small",
                            c->name, rl_shape_str(c->x).s);
    }
    return RL_OK;
}

static rl_status set_adaptive(const call *c, pool *v, rl_ints size)
{
    if (set_up(c, v) || no_integers(c, true))
        return rl_error_code();
    if (size.n != 1 && size.n != c->ndim)
        return rl_error(RL_ERUNTIME, "%s: output_size must be %d", c->name, c->ndim);
    v->adaptive = 1;
    for (int d = 0; d < c->ndim; d++) {
        int64_t value = size.v[size.n == 1 ? 0 : d];
        if (value < 0 || value > INT32_MAX)
            return rl_error(RL_ERUNTIME,
                            "%s: elements of output_size must be greater than or equal to 0 but "
                            "received %s",
                            c->name, rl_ints_str(size.n, size.v).s);
        v->out[3 - c->ndim + d] = value;
    }
    return RL_OK;
}

/* ---- operators ---- */

static rl_status max_pool(call c, rl_tensor **out)
{
    pool v;
    if (!c.x)
        return rl_error_code();
    return set_windows(&c, &v) ? rl_error_code() : maxima(&v, c.x, false, out);
}

/* The maxima without their places, where no derivative asks for them. */
static rl_tensor *maxima_alone(call c)
{
    rl_tensor *out[2] = {NULL, NULL};
    pool v;
    if (!c.x || set_windows(&c, &v))
        return NULL;
    if (c.ndim == 1 && rl_is_floating((rl_dtype)c.x->dtype) && !rl_recording(c.x))
        return compute(&v, c.x, most_planes, NULL);
    if (maxima(&v, c.x, true, out))
        return NULL;
    rl_release(out[1]);
    return out[0];
}

static rl_tensor *average_pool(call c, bool include_pad, rl_opt_int divisor)
{
    pool v;
    if (!c.x || set_windows(&c, &v) || no_integers(&c, false))
        return NULL;
    if (divisor.given && divisor.v == 0)
        return rl_fail(RL_ERUNTIME, "divisor must be not zero");
    v.include_pad = include_pad;
    v.divisor = divisor.given ? divisor.v : 0;
    return average(&average_nodes[0][v.ndim - 1], &v, c.x);
}

static rl_tensor *adaptive_average(call c, rl_ints size)
{
    pool v;
    if (!c.x || set_adaptive(&c, &v, size))
        return NULL;
    if (c.ndim > 1 && v.out[0] * v.out[1] * v.out[2] == 1) /* as PyTorch: a mean, node and all */
        return rl_mean(c.x, (rl_ints){(int64_t[]){-1, -2, -3}, c.ndim}, true, RL_NO_DTYPE);
    return average(&average_nodes[1][v.ndim - 1], &v, c.x);
}

static rl_status adaptive_max(call c, rl_ints size, rl_tensor **out)
{
    pool v;
    if (!c.x)
        return rl_error_code();
    return set_adaptive(&c, &v, size) ? rl_error_code() : maxima(&v, c.x, false, out);
}

static const int64_t one[1] = {1};

#define POOLS(N)                                                                                   \
    rl_status rl_max_pool##N##d_with_indices(rl_tensor *x, rl_ints kernel, rl_ints stride,         \
                                             rl_ints padding, rl_ints dilation, bool ceil_mode,    \
                                             rl_tensor **out)                                      \
    {                                                                                              \
        return max_pool(                                                                           \
            (call){"max_pool" #N "d", N, x, kernel, stride, padding, dilation, ceil_mode}, out);   \
    }                                                                                              \
    rl_tensor *rl_max_pool##N##d(rl_tensor *x, rl_ints kernel, rl_ints stride, rl_ints padding,    \
                                 rl_ints dilation, bool ceil_mode)                                 \
    {                                                                                              \
        return maxima_alone(                                                                       \
            (call){"max_pool" #N "d", N, x, kernel, stride, padding, dilation, ceil_mode});        \
    }                                                                                              \
    rl_tensor *rl_adaptive_avg_pool##N##d(rl_tensor *x, rl_ints size)                              \
    {                                                                                              \
        return adaptive_average((call){.name = "adaptive_avg_pool" #N "d", .ndim = N, .x = x},     \
                                size);                                                             \
    }                                                                                              \
    rl_status rl_adaptive_max_pool##N##d(rl_tensor *x, rl_ints size, rl_tensor **out)              \
    {                                                                                              \
        return adaptive_max((call){.name = "adaptive_max_pool" #N "d", .ndim = N, .x = x}, size,   \
                            out);                                                                  \
    }

POOLS(1)
POOLS(2)
POOLS(3)

rl_tensor *rl_avg_pool1d(rl_tensor *x, rl_ints kernel, rl_ints stride, rl_ints padding,
                         bool ceil_mode, bool count_include_pad)
{
    return average_pool(
        (call){"avg_pool1d", 1, x, kernel, stride, padding, (rl_ints){one, 1}, ceil_mode},
        count_include_pad, (rl_opt_int){false, 0});
}

rl_tensor *rl_avg_pool2d(rl_tensor *x, rl_ints kernel, rl_ints stride, rl_ints padding,
                         bool ceil_mode, bool count_include_pad, rl_opt_int divisor)
{
    return average_pool(
        (call){"avg_pool2d", 2, x, kernel, stride, padding, (rl_ints){one, 1}, ceil_mode},
        count_include_pad, divisor);
}

rl_tensor *rl_avg_pool3d(rl_tensor *x, rl_ints kernel, rl_ints stride, rl_ints padding,
                         bool ceil_mode, bool count_include_pad, rl_opt_int divisor)
{
    return average_pool(
        (call){"avg_pool3d", 3, x, kernel, stride, padding, (rl_ints){one, 1}, ceil_mode},
        count_include_pad, divisor);
}
