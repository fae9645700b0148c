/* fold.c: windows of two spatial dims as columns, and columns added up in their windows. */
#include "autograd/autograd.h"
#include "core/iter.h"
#include "core/parallel.h"
#include "rushlight_ops.h"

/* Pairs are (height, width). */
typedef struct plan {
    int64_t n, channels, size[2], kernel[2], dilation[2], pad[2], stride[2], windows[2];
    int64_t unbatched;
} plan;

enum { PLAN_NUMBERS = sizeof(plan) / sizeof(int64_t), GRAIN = 16384 };

typedef struct job {
    plan v;
    rl_dtype dtype;
    size_t item;
    const char *from;
    char *to;
} job;

/* ---- data ---- */

/* Row c of the columns belongs to a channel and a point of the kernel. */
typedef struct row {
    int64_t channel, offset[2];
} row;

static row row_at(const plan *v, int64_t c)
{
    int64_t points = v->kernel[0] * v->kernel[1], p = c % points;
    return (row){c / points,
                 {p / v->kernel[1] * v->dilation[0] - v->pad[0],
                  p % v->kernel[1] * v->dilation[1] - v->pad[1]}};
}

/* A unit is a row of the columns of one sample. */
static void unfold_rows(int64_t begin, int64_t end, void *context)
{
    const job *j = context;
    const plan *v = &j->v;
    int64_t rows = v->channels * v->kernel[0] * v->kernel[1];
    int64_t plane = v->size[0] * v->size[1], places = v->windows[0] * v->windows[1];
    for (int64_t u = begin; u < end; u++) {
        row r = row_at(v, u % rows);
        const char *x = j->from + (size_t)((u / rows * v->channels + r.channel) * plane) * j->item;
        char *y = j->to + (size_t)(u * places) * j->item;
        int64_t n = v->windows[1], s = v->stride[1], from = r.offset[1];
        int64_t low = from < 0 ? (-from + s - 1) / s : 0; /* windows low to high: inside a row */
        int64_t high = from < v->size[1] ? (v->size[1] - 1 - from) / s + 1 : 0;
        low = low < n ? low : n;
        high = high < low ? low : high < n ? high : n;
        for (int64_t a = 0; a < v->windows[0]; a++, y += (size_t)n * j->item) {
            int64_t h = a * v->stride[0] + r.offset[0];
            if (h < 0 || h >= v->size[0]) {
                memset(y, 0, (size_t)n * j->item);
                continue;
            }
            const char *source = x + (size_t)(h * v->size[1] + low * s + from) * j->item;
            memset(y, 0, (size_t)low * j->item);
            if (s == 1)
                memcpy(y + (size_t)low * j->item, source, (size_t)(high - low) * j->item);
            else
                for (int64_t b = low; b < high; b++, source += (size_t)s * j->item)
                    memcpy(y + (size_t)b * j->item, source, j->item);
            memset(y + (size_t)high * j->item, 0, (size_t)(n - high) * j->item);
        }
    }
}

#define ADD_UP(T, parts)                                                                           \
    for (int k = 0; k < parts; k++)                                                                \
        ((T *)y)[k] += ((const T *)x)[k];

/* A unit is a channel of one sample. */
static void fold_planes(int64_t begin, int64_t end, void *context)
{
    const job *j = context;
    const plan *v = &j->v;
    int64_t points = v->kernel[0] * v->kernel[1];
    int64_t plane = v->size[0] * v->size[1], places = v->windows[0] * v->windows[1];
    for (int64_t u = begin; u < end; u++) {
        char *target = j->to + (size_t)(u * plane) * j->item;
        const char *x = j->from + (size_t)(u * points * places) * j->item;
        memset(target, 0, (size_t)plane * j->item);
        for (int64_t p = 0; p < points; p++) {
            row r = row_at(v, p);
            for (int64_t a = 0; a < v->windows[0]; a++) {
                int64_t h = a * v->stride[0] + r.offset[0];
                for (int64_t b = 0; b < v->windows[1]; b++, x += j->item) {
                    int64_t w = b * v->stride[1] + r.offset[1];
                    if (h < 0 || h >= v->size[0] || w < 0 || w >= v->size[1])
                        continue;
                    char *y = target + (size_t)(h * v->size[1] + w) * j->item;
                    if (j->dtype == RL_F32) {
                        ADD_UP(float, 1)
                    } else if (j->dtype == RL_F64) {
                        ADD_UP(double, 1)
                    } else if (j->dtype == RL_C64) {
                        ADD_UP(float, 2)
                    } else {
                        ADD_UP(double, 2)
                    }
                }
            }
        }
    }
}

static rl_dtype compute_dtype(rl_dtype d) { return d == RL_F64 || rl_is_complex(d) ? d : RL_F32; }

/* t (n, channels points, windows) to (n, channels, size), or back; no history. */
static rl_tensor *compute(const plan *v, rl_tensor *t, bool fold)
{
    rl_dtype dtype = (rl_dtype)t->dtype, work = fold ? compute_dtype(dtype) : dtype;
    int64_t points = v->kernel[0] * v->kernel[1], places = v->windows[0] * v->windows[1];
    int64_t image[4] = {v->n, v->channels, v->size[0], v->size[1]};
    int64_t columns[3] = {v->n, v->channels * points, places};
    RL_TEMP *x = rl_cast_data(t, work);
    RL_TEMP *y = !x ? NULL
                    : rl_new(work, (fold ? 4 : 3) - (int)v->unbatched,
                             (fold ? image : columns) + v->unbatched);
    if (!y)
        return NULL;
    job j = {*v, work, rl_itemsize(x), x->data, y->data};
    int64_t units = v->n * v->channels * (fold ? 1 : points), each = places * (fold ? points : 1);
    if (y->numel > 0)
        rl_parallel_for(units, each < GRAIN ? GRAIN / (each ? each : 1) : 1,
                        fold ? fold_planes : unfold_rows, &j);
    return rl_cast_data(y, dtype);
}

/* ---- derivatives: linear, each the other's ---- */

static rl_tensor *recorded(const plan *v, rl_tensor *x, bool fold);

static rl_status im2col_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    plan v;
    memcpy(&v, n->args.dims, sizeof v);
    dx[0] = recorded(&v, g[0], true);
    return RL_DONE(n, dx);
}

static rl_status col2im_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    plan v;
    memcpy(&v, n->args.dims, sizeof v);
    dx[0] = recorded(&v, g[0], false);
    return RL_DONE(n, dx);
}

static const rl_node_type nodes[2] = {{"Im2ColBackward0", im2col_backward, 0, NULL},
                                      {"Col2ImBackward0", col2im_backward, 0, NULL}};

static rl_tensor *recorded(const plan *v, rl_tensor *x, bool fold)
{
    rl_tensor *y = compute(v, x, fold);
    if (!y || !rl_recording(x))
        return y;
    rl_node *n = rl_node_new(&nodes[fold], y, 1, &x);
    int64_t numbers[PLAN_NUMBERS];
    memcpy(numbers, v, sizeof numbers);
    rl_node_set_dims(n, PLAN_NUMBERS, numbers);
    return rl_record(n, y);
}

/* ---- arguments ---- */

static rl_status pair(const char *what, rl_ints given, int64_t least, int64_t out[2])
{
    if (given.n != 1 && given.n != 2)
        return rl_error(RL_ERUNTIME, "It is expected %s equals to 2, but got size %d", what,
                        given.n);
    for (int d = 0; d < 2; d++)
        out[d] = given.v[given.n == 1 ? 0 : d];
    if (out[0] < least || out[1] < least)
        return rl_error(RL_ERUNTIME,
                        least ? "%s should be greater than zero, but got height: %lld width: %lld"
                              : "%s should be non-negative, but got height: %lld width: %lld",
                        what, (long long)out[0], (long long)out[1]);
    if (out[0] > INT32_MAX || out[1] > INT32_MAX)
        return rl_error(RL_ERUNTIME, "%s is too large", what);
    return RL_OK;
}

static rl_status set_plan(plan *v, rl_ints kernel, rl_ints dilation, rl_ints padding,
                          rl_ints stride)
{
    return pair("kernel_size", kernel, 1, v->kernel) ||
                   pair("dilation", dilation, 1, v->dilation) ||
                   pair("padding", padding, 0, v->pad) || pair("stride", stride, 1, v->stride)
               ? rl_error_code()
               : RL_OK;
}

/* "(2, 3)" */
static rl_str pair_str(const int64_t p[2])
{
    rl_str s = rl_ints_str(2, p);
    size_t n = strlen(s.s);
    s.s[0] = '(';
    s.s[n - 1] = ')';
    return s;
}

static rl_status count_windows(plan *v)
{
    for (int d = 0; d < 2; d++) {
        int64_t room = v->size[d] + 2 * v->pad[d] - v->dilation[d] * (v->kernel[d] - 1) - 1;
        v->windows[d] = room < 0 ? 0 : room / v->stride[d] + 1;
    }
    if (v->windows[0] < 1 || v->windows[1] < 1)
        return rl_error(RL_ERUNTIME,
                        "Given spatial size %s, kernel_size=%s, dilation=%s, padding=%s, "
                        "calculated shape of the array of sliding blocks as %s, but its components "
                        "must be at least one.",
                        pair_str(v->size).s, pair_str(v->kernel).s, pair_str(v->dilation).s,
                        pair_str(v->pad).s, pair_str(v->windows).s);
    return RL_OK;
}

static rl_status check_dtype(const char *name, const rl_tensor *x)
{
    if (rl_is_integral((rl_dtype)x->dtype, false))
        return rl_error(RL_ENOTIMPL, "\"%s\" not implemented for '%s'", name,
                        rl_dtype_title((rl_dtype)x->dtype));
    return RL_OK;
}

/* The dims after those of batch must not be empty. */
static rl_status check_shape(const rl_tensor *x, int ndim)
{
    bool fits = x->ndim == ndim || x->ndim == ndim + 1;
    for (int d = x->ndim - ndim; fits && d < x->ndim; d++)
        fits = x->shape[d] > 0;
    if (fits)
        return RL_OK;
    return rl_error(RL_ERUNTIME,
                    "Expected %dD or %dD (batch mode) tensor with possibly 0 batch size and other "
                    "non-zero dimensions for input, but got: %s",
                    ndim, ndim + 1, rl_shape_str(x).s);
}

rl_tensor *rl_im2col(rl_tensor *x, rl_ints kernel, rl_ints dilation, rl_ints padding,
                     rl_ints stride)
{
    plan v = {0};
    if (!x || set_plan(&v, kernel, dilation, padding, stride) || check_shape(x, 3) ||
        check_dtype("im2col_out_cpu", x))
        return NULL;
    v.unbatched = x->ndim == 3;
    const int64_t *shape = x->shape + (v.unbatched ? 0 : 1);
    v.n = v.unbatched ? 1 : x->shape[0];
    v.channels = shape[0];
    v.size[0] = shape[1];
    v.size[1] = shape[2];
    return count_windows(&v) ? NULL : recorded(&v, x, false);
}

rl_tensor *rl_col2im(rl_tensor *x, rl_ints size, rl_ints kernel, rl_ints dilation, rl_ints padding,
                     rl_ints stride)
{
    plan v = {0};
    if (!x || set_plan(&v, kernel, dilation, padding, stride) ||
        pair("output_size", size, 1, v.size) || check_shape(x, 2) ||
        check_dtype("col2im_out_cpu", x))
        return NULL;
    v.unbatched = x->ndim == 2;
    const int64_t *shape = x->shape + (v.unbatched ? 0 : 1);
    int64_t points = v.kernel[0] * v.kernel[1];
    if (shape[0] % points)
        return rl_fail(RL_ERUNTIME,
                       "Expected size of input's dimension 1 to be divisible by the product of "
                       "kernel_size, but got input.size(1)=%lld and kernel_size=%s.",
                       (long long)shape[0], pair_str(v.kernel).s);
    if (count_windows(&v))
        return NULL;
    if (shape[1] != v.windows[0] * v.windows[1])
        return rl_fail(RL_ERUNTIME,
                       "Given output_size=%s, kernel_size=%s, dilation=%s, padding=%s, stride=%s, "
                       "expected size of input's dimension 2 to match the calculated number of "
                       "sliding blocks %lld * %lld, but got input.size(2)=%lld.",
                       pair_str(v.size).s, pair_str(v.kernel).s, pair_str(v.dilation).s,
                       pair_str(v.pad).s, pair_str(v.stride).s, (long long)v.windows[0],
                       (long long)v.windows[1], (long long)shape[1]);
    v.n = v.unbatched ? 1 : x->shape[0];
    v.channels = shape[0] / points;
    return recorded(&v, x, true);
}
