/* resample.c: the last one, two or three dims in other sizes, each element a weighted sum of
 * neighbours.
 *
 * The weights of several dims are products, so one dim is done after the other, the last one first.
 * Formulas as PyTorch's documentation of interpolate gives them; cubic: Keys, 1981, with a = -0.75,
 * and -0.5 where antialias stretches the filter over all of the input that an element stands for.
 */
#include <math.h>

#include "autograd/autograd.h"
#include "core/alloc.h"
#include "core/iter.h"
#include "core/parallel.h"
#include "rushlight_ops.h"

typedef enum method { NEAREST, NEAREST_EXACT, LINEAR, CUBIC, LANCZOS } method;

/* Missing spatial dims come first and have size 1. */
typedef struct plan {
    int64_t method, antialias, align, ndim;
    int64_t lead[2], in[3], out[3];
    double scale[3]; /* out / in as given; 0: from the sizes */
} plan;

enum { PLAN_NUMBERS = sizeof(plan) / sizeof(int64_t), GRAIN = 16384, TAPS = 4 };

/* ---- weights ---- */

/* Element o is the sum of w[o * most + k] x[at[o * most + k]] for k < count[o]. */
typedef struct taps {
    int64_t out, most;
    size_t bytes;
    int64_t *at, *count;
    double *w;
} taps;

static void free_taps(taps *t)
{
    if (t->at)
        rl_free(t->at, t->bytes);
}

static rl_status new_taps(taps *t, int64_t out, int64_t most)
{
    int64_t n;
    *t = (taps){.out = out, .most = most};
    if (__builtin_mul_overflow(out, 2 * most + 1, &n) || n > INT64_MAX / 16)
        return rl_error(RL_EMEMORY, "interpolate: the weights are too many");
    t->bytes = (size_t)n * 8;
    t->at = rl_alloc(t->bytes);
    t->count = t->at + out * most;
    t->w = (double *)(t->count + out);
    return t->at ? RL_OK : RL_EMEMORY;
}

/* Steps through the input, in `single` precision or double, as the data. */
static double step_of(const plan *v, int d, bool single)
{
    double in = (double)v->in[d], out = (double)v->out[d];
    if (v->align && v->method >= LINEAR)
        return out > 1 ? (single ? (float)(in - 1) / (float)(out - 1) : (in - 1) / (out - 1)) : 0;
    if (v->scale[d] > 0)
        return single ? (float)(1 / v->scale[d]) : 1 / v->scale[d];
    return single ? (float)in / (float)out : in / out;
}

static double round_to(bool single, double x) { return single ? (float)x : x; }

static int64_t nearest(const plan *v, int d, int64_t o)
{
    int64_t in = v->in[d], out = v->out[d];
    float step = (float)step_of(v, d, true);
    if (v->method == NEAREST && (in == out || out == 2 * in))
        return in == out ? o : o / 2;
    float at = v->method == NEAREST ? (float)o * step : ((float)o + 0.5f) * step;
    int64_t i = at < (float)in ? (int64_t)floorf(at) : in - 1;
    return i < in ? i : in - 1;
}

/* Keys' convolution kernel at distances below 1 and from 1 to 2. */
static double cubic_near(double x, double a) { return ((a + 2) * x - (a + 3)) * x * x + 1; }
static double cubic_far(double x, double a) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; }

/* The rest of the weights sums to 1; indices beyond the border are those of the border. */
static void interpolated(const plan *v, int d, int64_t o, bool single, int64_t *at, double *w)
{
    int64_t in = v->in[d];
    double step = step_of(v, d, single);
    double x = v->align ? round_to(single, step * (double)o)
                        : round_to(single, round_to(single, step * ((double)o + 0.5)) - 0.5);
    if (v->method == LINEAR && x < 0)
        x = 0;
    int64_t i = (int64_t)floor(x);
    i = i < in - 1 ? i : in - 1;
    double t = round_to(single, x - (double)i);
    t = t < 0 ? 0 : t > 1 ? 1 : t;
    if (v->method == LINEAR) {
        if (in == v->out[d]) {
            i = o;
            t = 0;
        }
        at[0] = i;
        at[1] = i + 1 < in ? i + 1 : i;
        w[0] = round_to(single, 1 - t);
        w[1] = t;
        return;
    }
    const double a = -0.75;
    w[0] = cubic_far(t + 1, a);
    w[1] = cubic_near(t, a);
    w[2] = cubic_near(1 - t, a);
    w[3] = cubic_far(2 - t, a);
    for (int k = 0; k < TAPS; k++) {
        int64_t j = i + k - 1;
        at[k] = j < 0 ? 0 : j < in ? j : in - 1;
        w[k] = round_to(single, w[k]);
    }
}

static double sinc(double x)
{
    if (x == 0)
        return 1;
    x *= M_PI;
    return sin(x) / x;
}

static double filter(int64_t kind, double x)
{
    const double a = -0.5;
    x = fabs(x);
    switch (kind) {
    case LINEAR:
        return x < 1 ? 1 - x : 0;
    case CUBIC:
        return x < 1 ? cubic_near(x, a) : x < 2 ? cubic_far(x, a) : 0;
    default:
        return x < 3 ? sinc(x) * sinc(x / 3) : 0;
    }
}

/* Half the width of the filter, in input elements. */
static double support_of(const plan *v, double step)
{
    double half = v->method == LINEAR ? 1 : v->method == CUBIC ? 2 : 3;
    return step >= 1 ? half * step : half;
}

static int64_t stretched(const plan *v, int d, int64_t o, double step, int64_t *at, double *w)
{
    double support = support_of(v, step), center = step * ((double)o + 0.5), total = 0;
    double invert = step >= 1 ? 1 / step : 1;
    int64_t low = (int64_t)(center - support + 0.5), high = (int64_t)(center + support + 0.5);
    low = low < 0 ? 0 : low;
    high = high < v->in[d] ? high : v->in[d];
    int64_t n = high > low ? high - low : 0;
    for (int64_t k = 0; k < n; k++) {
        at[k] = low + k;
        w[k] = filter(v->method, ((double)(low + k) - center + 0.5) * invert);
        total += w[k];
    }
    for (int64_t k = 0; k < n && total != 0; k++)
        w[k] /= total;
    return n;
}

/* Several taps of one element as one. */
static int64_t merged(int64_t n, int64_t *at, double *w)
{
    int64_t last = 0;
    for (int64_t k = 1; k < n; k++)
        if (at[k] == at[last]) {
            w[last] += w[k];
        } else {
            at[++last] = at[k];
            w[last] = w[k];
        }
    return last + 1;
}

/* Positions of float32 data are rounded to float32, as PyTorch's. */
static rl_status make_taps(const plan *v, int d, rl_dtype dtype, taps *t)
{
    bool single = dtype == RL_F32;
    int64_t most = v->method <= NEAREST_EXACT ? 1 : v->method == LINEAR ? 2 : TAPS;
    double step = v->antialias ? step_of(v, d, single) : 0;
    if (v->antialias) {
        most = 2 * (int64_t)ceil(fmin(support_of(v, step), (double)v->in[d])) + 1;
        most = most < v->in[d] + 1 ? most : v->in[d] + 1;
    }
    if (new_taps(t, v->out[d], most))
        return rl_error_code();
    for (int64_t o = 0; o < t->out; o++) {
        int64_t *at = t->at + o * most;
        double *w = t->w + o * most;
        t->count[o] = most;
        if (v->antialias) {
            t->count[o] = stretched(v, d, o, step, at, w);
        } else if (v->method >= LINEAR) {
            interpolated(v, d, o, single, at, w);
            if (dtype == RL_U8)
                t->count[o] = merged(most, at, w);
        } else {
            at[0] = nearest(v, d, o);
            w[0] = 1;
        }
    }
    return RL_OK;
}

/* ---- one dim ---- */

/* x (outer, in, inner) to y (outer, out, inner), or back, adding. */
typedef struct pass {
    const taps *t;
    rl_dtype dtype;
    bool back, pairs; /* pairs: two taps each */
    int64_t in, inner;
    int bits; /* uint8: of the weights' fractions */
    const char *x;
    char *y;
} pass;

#define PASS(T)                                                                                    \
    static void forth_##T(const pass *p, const T *x, T *y)                                         \
    {                                                                                              \
        const taps *t = p->t;                                                                      \
        int64_t inner = p->inner;                                                                  \
        if (inner == 1 && p->pairs) {                                                              \
            for (int64_t o = 0; o < t->out; o++)                                                   \
                y[o] =                                                                             \
                    (T)t->w[2 * o] * x[t->at[2 * o]] + (T)t->w[2 * o + 1] * x[t->at[2 * o + 1]];   \
            return;                                                                                \
        }                                                                                          \
        for (int64_t o = 0; o < t->out; o++, y += inner) {                                         \
            const int64_t *at = t->at + o * t->most;                                               \
            const double *w = t->w + o * t->most;                                                  \
            if (t->most == 1) {                                                                    \
                memcpy(y, x + at[0] * inner, (size_t)inner * sizeof(T));                           \
                continue;                                                                          \
            }                                                                                      \
            if (t->count[o] == 0)                                                                  \
                memset(y, 0, (size_t)inner * sizeof(T));                                           \
            for (int64_t k = 0; k < t->count[o]; k++) {                                            \
                const T *from = x + at[k] * inner;                                                 \
                T weight = (T)w[k];                                                                \
                if (k == 0)                                                                        \
                    for (int64_t i = 0; i < inner; i++)                                            \
                        y[i] = weight * from[i];                                                   \
                else                                                                               \
                    for (int64_t i = 0; i < inner; i++)                                            \
                        y[i] += weight * from[i];                                                  \
            }                                                                                      \
        }                                                                                          \
    }                                                                                              \
    static void back_##T(const pass *p, const T *g, T *dx)                                         \
    {                                                                                              \
        const taps *t = p->t;                                                                      \
        int64_t inner = p->inner;                                                                  \
        memset(dx, 0, (size_t)(p->in * inner) * sizeof(T));                                        \
        for (int64_t o = 0; o < t->out; o++, g += inner)                                           \
            for (int64_t k = 0; k < t->count[o]; k++) {                                            \
                T *to = dx + t->at[o * t->most + k] * inner;                                       \
                T weight = (T)t->w[o * t->most + k];                                               \
                for (int64_t i = 0; i < inner; i++)                                                \
                    to[i] += weight * g[i];                                                        \
            }                                                                                      \
    }

PASS(float)
PASS(double)

/* uint8 is computed with weights of 16 bits, as in Pillow and PyTorch. */
static int fraction_bits(const taps *t)
{
    double most = 0;
    for (int64_t o = 0; o < t->out; o++)
        for (int64_t k = 0; k < t->count[o]; k++)
            most = fmax(most, t->w[o * t->most + k]);
    int bits = 0;
    while (bits < 22 && (int64_t)(0.5 + most * (double)(2ll << bits)) < 1 << 15)
        bits++;
    return bits;
}

static void forth_uint8_t(const pass *p, const uint8_t *x, uint8_t *y)
{
    const taps *t = p->t;
    double one = (double)(1ll << p->bits);
    for (int64_t o = 0; o < t->out; o++)
        for (int64_t i = 0; i < p->inner; i++) {
            int64_t sum = p->bits ? 1ll << (p->bits - 1) : 0;
            for (int64_t k = 0; k < t->count[o]; k++) {
                double w = t->w[o * t->most + k] * one;
                int64_t weight = (int64_t)(w < 0 ? w - 0.5 : w + 0.5);
                sum += weight * x[t->at[o * t->most + k] * p->inner + i];
            }
            sum >>= p->bits;
            *y++ = (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
        }
}

static void run_pass(int64_t begin, int64_t end, void *context)
{
    const pass *p = context;
    size_t size = rl_dtype_size(p->dtype);
    size_t in = (size_t)(p->in * p->inner) * size, out = (size_t)(p->t->out * p->inner) * size;
    for (int64_t n = begin; n < end; n++) {
        const void *x = p->x + (size_t)n * (p->back ? out : in);
        void *y = p->y + (size_t)n * (p->back ? in : out);
        if (p->dtype == RL_U8)
            forth_uint8_t(p, x, y);
        else if (p->dtype == RL_F32)
            (p->back ? back_float : forth_float)(p, x, y);
        else
            (p->back ? back_double : forth_double)(p, x, y);
    }
}

/* ---- all dims ---- */

/* (lead, sizes...) with the first `dims` sizes from a and the others from b. */
static rl_tensor *partly(const plan *v, rl_dtype dtype, int dims, const int64_t *a,
                         const int64_t *b)
{
    int64_t shape[5] = {v->lead[0], v->lead[1]};
    for (int d = 3 - (int)v->ndim; d < 3; d++)
        shape[2 + d - 3 + v->ndim] = d < dims ? a[d] : b[d];
    return rl_new(dtype, 2 + (int)v->ndim, shape);
}

static rl_status one_dim(const plan *v, int d, bool back, rl_tensor *x, rl_tensor *y)
{
    taps t;
    pass p = {.t = &t, .dtype = (rl_dtype)x->dtype, .back = back, .in = v->in[d], .inner = 1};
    p.pairs = v->method == LINEAR && !v->antialias;
    int64_t outer = v->lead[0] * v->lead[1];
    for (int e = 0; e < 3; e++)
        if (e < d)
            outer *= v->in[e];
        else if (e > d)
            p.inner *= v->out[e];
    rl_status status = make_taps(v, d, p.dtype, &t);
    if (!status) {
        p.x = x->data;
        p.y = y->data;
        p.bits = p.dtype == RL_U8 ? fraction_bits(&t) : 0;
        int64_t work = (p.in > t.out ? p.in : t.out) * p.inner * t.most;
        rl_parallel_for(outer, work < GRAIN ? GRAIN / work : 1, run_pass, &p);
    }
    free_taps(&t);
    return status;
}

static bool same_place(const plan *v, int d)
{
    return v->in[d] == v->out[d] && !v->antialias &&
           (v->align || v->scale[d] <= 0 || v->scale[d] == 1);
}

/* Without history.  back: from the result to the input, transposed. */
static rl_tensor *resampled(const plan *v, rl_tensor *t, bool back)
{
    rl_dtype dtype = (rl_dtype)t->dtype;
    rl_dtype compute = dtype == RL_F64 || dtype == RL_U8 ? dtype : RL_F32;
    RL_TEMP *x = rl_cast_data(t, compute);
    for (int i = 0; x && i < v->ndim; i++) { /* forth from the last dim on, back from the first */
        int d = back ? 3 - (int)v->ndim + i : 2 - i;
        if (same_place(v, d) && i + 1 < v->ndim)
            continue;
        rl_tensor *y = partly(v, compute, back ? d + 1 : d, v->in, v->out);
        if (y && y->numel > 0 && one_dim(v, d, back, x, y)) {
            rl_release(y);
            y = NULL;
        }
        rl_release(x);
        x = y;
    }
    return x ? rl_cast_data(x, dtype) : NULL;
}

/* ---- derivatives: linear, each the other's ---- */

#define EACH(suffix)                                                                               \
    {                                                                                              \
        {"UpsampleNearest1D" suffix, DERIVATIVE, 0, NULL},                                         \
        {"UpsampleNearest2D" suffix, DERIVATIVE, 0, NULL},                                         \
        {"UpsampleNearest3D" suffix, DERIVATIVE, 0, NULL},                                         \
    },                                                                                             \
        {                                                                                          \
            {"UpsampleNearestExact1D" suffix, DERIVATIVE, 0, NULL},                                \
            {"UpsampleNearestExact2D" suffix, DERIVATIVE, 0, NULL},                                \
            {"UpsampleNearestExact3D" suffix, DERIVATIVE, 0, NULL},                                \
        },                                                                                         \
        {                                                                                          \
            {"UpsampleLinear1D" suffix, DERIVATIVE, 0, NULL},                                      \
            {"UpsampleBilinear2D" suffix, DERIVATIVE, 0, NULL},                                    \
            {"UpsampleTrilinear3D" suffix, DERIVATIVE, 0, NULL},                                   \
        },                                                                                         \
        {                                                                                          \
            {"UpsampleBilinear2DAa" suffix, DERIVATIVE, 0, NULL},                                  \
            {"UpsampleBicubic2D" suffix, DERIVATIVE, 0, NULL},                                     \
            {"UpsampleBicubic2DAa" suffix, DERIVATIVE, 0, NULL},                                   \
        },                                                                                         \
    {                                                                                              \
        {"UpsampleLanczos2DAa" suffix, DERIVATIVE, 0, NULL},                                       \
    }

static rl_status forth_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx);
static rl_status back_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx);

#define DERIVATIVE forth_backward
static const rl_node_type forth_nodes[5][3] = {EACH("Backward0")};
#undef DERIVATIVE
#define DERIVATIVE back_backward
static const rl_node_type back_nodes[5][3] = {EACH("BackwardBackward0")};
#undef DERIVATIVE

static const rl_node_type *node_of(const plan *v, bool back)
{
    const rl_node_type(*all)[3] = back ? back_nodes : forth_nodes;
    if (v->method < LINEAR || (v->method == LINEAR && !v->antialias))
        return &all[v->method][v->ndim - 1];
    if (v->method == LANCZOS)
        return &all[4][0];
    return &all[3][v->method == LINEAR ? 0 : v->antialias ? 2 : 1];
}

static rl_tensor *recorded(const plan *v, rl_tensor *x, bool back)
{
    rl_tensor *y = resampled(v, x, back);
    if (!y || !rl_recording(x))
        return y;
    rl_node *n = rl_node_new(node_of(v, back), y, 1, &x);
    int64_t numbers[PLAN_NUMBERS];
    memcpy(numbers, v, sizeof numbers);
    rl_node_set_dims(n, PLAN_NUMBERS, numbers);
    return rl_record(n, y);
}

static plan plan_of(const rl_node *n)
{
    plan v;
    memcpy(&v, n->args.dims, sizeof v);
    return v;
}

static rl_status forth_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    plan v = plan_of(n);
    dx[0] = recorded(&v, g[0], true);
    return RL_DONE(n, dx);
}

static rl_status back_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    plan v = plan_of(n);
    dx[0] = recorded(&v, g[0], false);
    return RL_DONE(n, dx);
}

/* ---- the operator ---- */

static rl_status method_of(const char *mode, int64_t *out)
{
    static const char *const names[] = {"nearest", "nearest-exact", "linear", "cubic", "lanczos"};
    for (int i = 0; i < 5; i++)
        if (!strcmp(mode, names[i])) {
            *out = i;
            return RL_OK;
        }
    return rl_error(RL_EVALUE, "interpolate: no mode '%s'", mode);
}

rl_tensor *rl_resample(rl_tensor *x, rl_ints size, const char *mode, bool align, bool antialias,
                       rl_opt_float depth, rl_opt_float height, rl_opt_float width)
{
    if (!x)
        return NULL;
    plan v = {.antialias = antialias,
              .align = align,
              .ndim = size.n,
              .in = {1, 1, 1},
              .out = {1, 1, 1},
              .scale = {depth.given ? depth.v : 0, height.given ? height.v : 0,
                        width.given ? width.v : 0}};
    if (method_of(mode, &v.method))
        return NULL;
    if (size.n < 1 || size.n > 3 || x->ndim != size.n + 2)
        return rl_fail(RL_ERUNTIME,
                       "It is expected input_size equals to %d, but got size %d: input %s",
                       size.n + 2, x->ndim, rl_shape_str(x).s);
    v.lead[0] = x->shape[0];
    v.lead[1] = x->shape[1];
    bool positive = true;
    for (int d = 0; d < size.n; d++) {
        v.in[3 - size.n + d] = x->shape[2 + d];
        v.out[3 - size.n + d] = size.v[d];
        positive = positive && x->shape[2 + d] > 0 && size.v[d] > 0;
    }
    if (!positive)
        return rl_fail(RL_ERUNTIME,
                       "Input and output sizes should be greater than 0, but got input %s output "
                       "%s",
                       rl_ints_str(size.n, x->shape + 2).s, rl_ints_str(size.n, size.v).s);
    if (x->shape[1] == 0)
        return rl_fail(RL_ERUNTIME,
                       "Non-empty %dD data tensor expected but got a tensor with sizes %s", x->ndim,
                       rl_shape_str(x).s);
    if (!rl_is_floating((rl_dtype)x->dtype) && x->dtype != RL_U8)
        return rl_fail(RL_ENOTIMPL, "\"upsample_%s%dd\" not implemented for '%s'", mode, size.n,
                       rl_dtype_title((rl_dtype)x->dtype));
    return recorded(&v, x, false);
}
