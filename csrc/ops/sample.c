/* sample.c: permutations, draws with given probabilities, dropout. */
#include <math.h>

#include "autograd/autograd.h"
#include "core/alloc.h"
#include "core/iter.h"
#include "ops/map.h"
#include "ops/random.h"
#include "rushlight_ops.h"

/* ---- randperm ---- */

/* Fisher and Yates.  Element i changes places with one of those from i on, a word each; beyond 2^32
 * / 20 elements, where a word would favour some places noticeably, the inside-out form with 64 bits
 * each. */
static void permute(rl_generator *g, int64_t *y, int64_t n)
{
    if (n < UINT32_MAX / 20) {
        uint32_t words[512];
        for (int64_t i = 0; i < n; i++)
            y[i] = i;
        for (int64_t i = 0; i < n - 1; i += 512) {
            int64_t m = n - 1 - i < 512 ? n - 1 - i : 512;
            rl_draw_words(g, words, (size_t)m);
            for (int64_t j = i; j < i + m; j++) {
                int64_t other = j + words[j - i] % (uint32_t)(n - j);
                int64_t v = y[j];
                y[j] = y[other];
                y[other] = v;
            }
        }
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        int64_t other = (int64_t)(rl_draw_long(g) % (uint64_t)(i + 1));
        y[i] = i;
        y[i] = y[other];
        y[other] = i;
    }
}

static rl_status check_randperm(int64_t n, rl_dtype dtype)
{
    static const struct {
        int64_t top; /* the largest n */
        const char *name;
    } limits[RL_NDTYPES] = {
        [RL_U8] = {UINT8_MAX, "uint8_t"},
        [RL_I8] = {INT8_MAX, "int8_t"},
        [RL_I16] = {INT16_MAX, "int16_t"},
        [RL_I32] = {INT32_MAX, "int"},
        [RL_I64] = {INT64_MAX, "int64_t"},
        [RL_F16] = {2049, "Half"},
        [RL_BF16] = {257, "BFloat16"},
        [RL_F32] = {((int64_t)1 << 24) + 1, "Float"},
        [RL_F64] = {((int64_t)1 << 53) + 1, "Double"},
    };
    if (dtype == RL_BOOL)
        return rl_error(RL_ENOTIMPL, "\"randperm\" not implemented for 'Bool'");
    if (n <= limits[dtype].top)
        return RL_OK;
    if (rl_is_floating(dtype))
        return rl_error(RL_ERUNTIME, "n cannot be greater than %lld for %s type.",
                        (long long)limits[dtype].top, limits[dtype].name);
    return rl_error(RL_ERUNTIME, "value cannot be converted to type %s without overflow",
                    limits[dtype].name);
}

rl_tensor *rl_randperm(int64_t n, rl_generator *generator, rl_dtype dtype)
{
    if (dtype == RL_NO_DTYPE)
        dtype = RL_I64;
    RL_TEMP *order = rl_empty_shape(RL_I64, 1, &n); /* a negative n fails here */
    if (!order || check_randperm(n, dtype))
        return NULL;
    rl_generator *g = rl_generator_lock(generator);
    permute(g, (int64_t *)order->data, n);
    rl_generator_unlock(g);
    return rl_cast_data(order, dtype);
}

/* ---- multinomial ---- */

/* With replacement: per row the running sum, divided by its total; per sample a binary search for a
 * number of 53 bits. Sums in the input's dtype (float32 for half precision would give other indices
 * than PyTorch near ties). */
#define CUMULATE(name, T)                                                                          \
    static rl_status name(const T *p, T *sum, int64_t n)                                           \
    {                                                                                              \
        T total = 0;                                                                               \
        for (int64_t i = 0; i < n; i++) {                                                          \
            if (!(p[i] >= 0))                                                                      \
                return rl_error(                                                                   \
                    RL_ERUNTIME,                                                                   \
                    "invalid multinomial distribution (encountering probability entry < 0)");      \
            if (isinf(p[i]))                                                                       \
                return rl_error(                                                                   \
                    RL_ERUNTIME,                                                                   \
                    "invalid multinomial distribution (encountering probability entry = "          \
                    "infinity or NaN)");                                                           \
            total += p[i];                                                                         \
            sum[i] = total;                                                                        \
        }                                                                                          \
        if (!(total > 0))                                                                          \
            return rl_error(RL_ERUNTIME,                                                           \
                            "invalid multinomial distribution (sum of probabilities <= 0)");       \
        for (int64_t i = 0; i < n; i++)                                                            \
            sum[i] /= total;                                                                       \
        sum[n - 1] = 1;                                                                            \
        return RL_OK;                                                                              \
    }                                                                                              \
    static int64_t name##_search(const T *sum, int64_t n, double u)                                \
    {                                                                                              \
        int64_t low = 0, high = n;                                                                 \
        while (high > low) {                                                                       \
            int64_t middle = low + (high - low) / 2;                                               \
            if (sum[middle] < u)                                                                   \
                low = middle + 1;                                                                  \
            else                                                                                   \
                high = middle;                                                                     \
        }                                                                                          \
        return low;                                                                                \
    }
CUMULATE(cumulate_f32, float)
CUMULATE(cumulate_f64, double)

static rl_status with_replacement(rl_tensor *p, int64_t rows, int64_t n, int64_t count,
                                  int64_t *out, rl_generator *g)
{
    bool wide = p->dtype == RL_F64;
    int64_t shape[2] = {rows, n};
    RL_TEMP *sums = rl_new(wide ? RL_F64 : RL_F32, 2, shape);
    if (!sums)
        return rl_error_code();
    for (int64_t r = 0; r < rows; r++)
        if (wide ? cumulate_f64((double *)p->data + r * n, (double *)sums->data + r * n, n)
                 : cumulate_f32((float *)p->data + r * n, (float *)sums->data + r * n, n))
            return rl_error_code();
    g = rl_generator_lock(g);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < count; j++) {
            double u = rl_draw_unit(g);
            *out++ = wide ? cumulate_f64_search((double *)sums->data + r * n, n, u)
                          : cumulate_f32_search((float *)sums->data + r * n, n, u);
        }
    rl_generator_unlock(g);
    return RL_OK;
}

typedef struct ranked {
    double value;
    int64_t index;
} ranked;

/* Whether a comes before b: the larger first, NaN largest of all, equal ones in order. */
static bool before(ranked a, ranked b)
{
    bool na = isnan(a.value), nb = isnan(b.value);
    if (na != nb)
        return na;
    if (!na && a.value != b.value)
        return a.value > b.value;
    return a.index < b.index;
}

/* Moves heap[i] down until neither of its children comes before it. */
static void sift(ranked *heap, int64_t n, int64_t i)
{
    ranked moving = heap[i];
    for (int64_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && before(heap[child + 1], heap[child]))
            child++;
        if (!before(heap[child], moving))
            break;
        heap[i] = heap[child];
    }
    heap[i] = moving;
}

/* Without: the largest of p / q, q exponential (a race of exponential clocks, the fastest first).
 */
static rl_status without_replacement(rl_tensor *p, int64_t rows, int64_t n, int64_t count,
                                     int64_t *out, rl_generator *g)
{
    RL_TEMP *q = rl_new_like(p, (rl_dtype)p->dtype);
    rl_fill race = {.sample = RL_F64, .make = rl_make_exponential, .a = 1};
    if (!q || rl_fill_run(&race, q, g))
        return rl_error_code();
    bool mode = rl_set_grad_enabled(false);
    RL_TEMP *ratio = rl_div(p, q, NULL);
    rl_set_grad_enabled(mode);
    RL_TEMP *wide = ratio ? rl_cast_data(ratio, RL_F64) : NULL;
    if (!wide)
        return rl_error_code();
    RL_TEMP *scratch = rl_new(RL_F64, 1, (int64_t[]){2 * n});
    if (!scratch)
        return rl_error_code();
    ranked *order = (ranked *)scratch->data;
    for (int64_t r = 0; r < rows; r++) {
        const double *v = (const double *)wide->data + r * n;
        for (int64_t i = 0; i < n; i++)
            order[i] = (ranked){v[i], i};
        for (int64_t i = n / 2 - 1; i >= 0; i--)
            sift(order, n, i);
        for (int64_t j = 0, left = n; j < count; j++) {
            *out++ = order[0].index;
            order[0] = order[--left];
            sift(order, left, 0);
        }
    }
    return RL_OK;
}

static rl_status check_race(rl_tensor *p, int64_t rows, int64_t n)
{
    RL_TEMP *wide = rl_cast_data(p, RL_F64);
    if (!wide)
        return rl_error_code();
    const double *v = (const double *)wide->data;
    for (int64_t i = 0; i < rows * n; i++)
        if (!(v[i] >= 0) || isinf(v[i]))
            return rl_error(RL_ERUNTIME,
                            "probability tensor contains either `inf`, `nan` or element < 0");
    for (int64_t r = 0; r < rows; r++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++)
            sum += v[r * n + i];
        if (sum == 0)
            return rl_error(RL_ERUNTIME,
                            "invalid multinomial distribution (sum of probabilities <= 0)");
    }
    return RL_OK;
}

rl_tensor *rl_multinomial(rl_tensor *input, int64_t num_samples, bool replacement,
                          rl_generator *generator)
{
    if (!input)
        return NULL;
    if (input->ndim < 1 || input->ndim > 2)
        return rl_fail(RL_ERUNTIME, "prob_dist must be 1 or 2 dim");
    if (!rl_is_floating((rl_dtype)input->dtype))
        return rl_fail(RL_ERUNTIME,
                       "multinomial only supports floating-point dtypes for input, got: %s",
                       rl_dtype_title((rl_dtype)input->dtype));
    if (num_samples <= 0)
        return rl_fail(RL_ERUNTIME, "cannot sample n_sample <= 0 samples");
    int64_t n = input->shape[input->ndim - 1], rows = input->ndim == 2 ? input->shape[0] : 1;
    if (!replacement && num_samples > n)
        return rl_fail(RL_ERUNTIME,
                       "cannot sample n_sample > prob_dist.size(-1) samples without replacement");
    if (n > (int64_t)1 << 24)
        return rl_fail(RL_ERUNTIME, "number of categories cannot exceed 2^24");
    if (n == 0 && rows > 0)
        return rl_fail(RL_ERUNTIME, "multinomial: cannot sample from %s: no categories",
                       rl_shape_str(input).s);
    int64_t shape[2] = {rows, num_samples};
    rl_tensor *out = rl_empty_shape(RL_I64, input->ndim, input->ndim == 2 ? shape : shape + 1);
    if (!out)
        return NULL;
    bool race = !replacement || num_samples == 1;
    bool half = input->dtype == RL_F16 || input->dtype == RL_BF16;
    /* The race is run in the order of the input's memory. */
    RL_TEMP *p = race   ? rl_retain(input)
                 : half ? rl_cast_data(input, RL_F32)
                        : rl_contiguous_data(input);
    rl_status failed = !p;
    if (!failed && rows > 0)
        failed =
            race ? check_race(p, rows, n) ||
                       without_replacement(p, rows, n, num_samples, (int64_t *)out->data, generator)
                 : with_replacement(p, rows, n, num_samples, (int64_t *)out->data, generator);
    if (failed) {
        rl_release(out);
        return NULL;
    }
    return out;
}

/* ---- dropout ---- */

/* Where the coins are thrown: an element each, or a channel each: (N, C, 1, 1, ...). */
static rl_tensor *new_coins(rl_tensor *x, bool channels)
{
    int64_t shape[RL_MAX_DIMS];
    if (!channels)
        return rl_new_like(x, (rl_dtype)x->dtype);
    if (x->ndim < 2)
        return rl_fail(RL_ERUNTIME, "Feature dropout requires at least 2 dimensions in the input");
    for (int d = 0; d < x->ndim; d++)
        shape[d] = d < 2 ? x->shape[d] : 1;
    return rl_new((rl_dtype)x->dtype, x->ndim, shape);
}

/* a x where the coin is 1, a alpha' elsewhere, plus what keeps mean 0 and variance 1: alpha' is the
 * limit of selu at minus infinity (Klambauer et al., 2017).  Rounded after every step, as PyTorch
 * does. */
static rl_tensor *keep_moments(rl_tensor *x, rl_tensor *coins, double p)
{
    const double alpha = 1.7580993408473766, a = 1 / sqrt((alpha * alpha * p + 1) * (1 - p));
    RL_TEMP *dropped = rl_add_number(coins, rl_int(-1));
    RL_TEMP *scaled = rl_mul_number(dropped, rl_float(alpha * a));
    RL_TEMP *shift = rl_add_number(scaled, rl_float(alpha * a * p));
    RL_TEMP *factor = rl_mul_number(coins, rl_float(a));
    RL_TEMP *product = rl_mul(x, factor);
    return product && shift ? rl_add(product, shift, rl_int(1)) : NULL;
}

/* x times coins of 0 and 1 / (1 - p), thrown in memory order; x itself when there is nothing to
 * drop. */
static rl_tensor *drop(rl_tensor *x, double p, bool train, bool channels, bool moments)
{
    if (!x)
        return NULL;
    if (!(p >= 0 && p <= 1))
        return rl_fail(RL_ERUNTIME, "dropout probability has to be between 0 and 1, but got %g", p);
    if (p == 0 || !train || x->numel == 0)
        return rl_retain(x);
    rl_dtype dtype = (rl_dtype)x->dtype;
    if (p == 1) {
        RL_TEMP *zero = rl_scalar_tensor(rl_int(0), dtype);
        return zero ? rl_mul(x, zero) : NULL;
    }
    if (!rl_is_floating(dtype))
        return rl_fail(RL_ERUNTIME, "result type Float can't be cast to the desired output type %s",
                       rl_dtype_title(dtype));
    RL_TEMP *coins = new_coins(x, channels);
    /* Half precision divides in float32 and rounds once, which filling does too. */
    double one = moments ? 1 : dtype == RL_F64 ? 1.0 / (1.0 - p) : 1.0f / (float)(1.0 - p);
    if (!coins || rl_fill_bernoulli(coins, 1.0 - p, one, NULL))
        return NULL;
    return moments ? keep_moments(x, coins, p) : rl_mul(x, coins);
}

rl_tensor *rl_dropout(rl_tensor *input, double p, bool train)
{
    return drop(input, p, train, false, false);
}

rl_tensor *rl_feature_dropout(rl_tensor *input, double p, bool train)
{
    return drop(input, p, train, true, false);
}

rl_tensor *rl_alpha_dropout(rl_tensor *input, double p, bool train)
{
    return drop(input, p, train, false, true);
}

rl_tensor *rl_feature_alpha_dropout(rl_tensor *input, double p, bool train)
{
    return drop(input, p, train, true, true);
}

/* ---- rrelu ---- */

/* y = x where x > 0, r x elsewhere      dx = g or r g.  What was drawn is saved (slot 0); when
 * nothing was, x is, and f[0] is r. */
static rl_status rrelu_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *saved = rl_saved(n, 0);
    if (!saved)
        return rl_error_code();
    if (n->args.i[0]) {
        dx[0] = rl_mul(g[0], saved);
    } else {
        RL_TEMP *zero = rl_wrap_number(rl_int(0));
        RL_TEMP *r = rl_wrap_number(rl_float(n->args.f[0]));
        RL_TEMP *positive = rl_gt(saved, zero);
        RL_TEMP *low = rl_mul(g[0], r);
        dx[0] = rl_where(positive, g[0], low);
    }
    return RL_DONE(n, dx);
}
static const rl_node_type rrelu_node = {
    .name = "RreluWithNoiseBackward0", .backward = rrelu_backward, .n_saved = 1};

/* The slopes of a row-major x, in the dtype to compute in: one draw of 53 bits for each element
 * that is not positive, in order. */
static rl_tensor *draw_slopes(rl_tensor *x, double lower, double upper, rl_generator *generator)
{
    rl_dtype dtype = x->dtype == RL_F64 ? RL_F64 : RL_F32;
    RL_TEMP *wide = rl_cast_data(x, RL_F64);
    RL_TEMP *slopes = wide ? rl_new(RL_F64, x->ndim, x->shape) : NULL;
    if (!slopes)
        return NULL;
    if (dtype == RL_F32)
        lower = (float)lower, upper = (float)upper;
    const double *v = (const double *)wide->data;
    double *r = (double *)slopes->data;
    rl_generator *g = rl_generator_lock(generator);
    for (int64_t i = 0; i < x->numel; i++)
        r[i] = v[i] <= 0 ? rl_draw_unit(g) * (upper - lower) + lower : 1;
    rl_generator_unlock(g);
    return rl_cast_data(slopes, dtype);
}

static rl_tensor *rrelu_train(rl_tensor *x, rl_tensor **noise, double lower, double upper,
                              rl_generator *generator)
{
    if (!rl_is_floating((rl_dtype)x->dtype) || x->dtype == RL_F16)
        return rl_fail(RL_ENOTIMPL, "\"rrelu_with_noise_out_cpu\" not implemented for '%s'",
                       rl_dtype_title((rl_dtype)x->dtype));
    RL_TEMP *slopes = draw_slopes(x, lower, upper, generator);
    RL_TEMP *wide = slopes ? rl_cast_data(x, (rl_dtype)slopes->dtype) : NULL;
    RL_TEMP *y = wide ? rl_mul(wide, slopes) : NULL;
    *noise = y ? rl_cast_data(slopes, (rl_dtype)x->dtype) : NULL;
    return *noise ? rl_cast_data(y, (rl_dtype)x->dtype) : NULL;
}

rl_tensor *rl_rrelu(rl_tensor *input, double lower, double upper, bool training,
                    rl_generator *generator)
{
    if (!input)
        return NULL;
    if (!(lower <= upper))
        return rl_fail(RL_ERUNTIME, "Lower bound should be less than or equal to the upper bound");
    if (!isfinite(lower) || !isfinite(upper))
        return rl_fail(RL_ERUNTIME, "rrelu: %s bound must be finite, got %g",
                       isfinite(lower) ? "upper" : "lower", isfinite(lower) ? upper : lower);
    RL_TEMP *noise = NULL;
    bool mode = rl_set_grad_enabled(false);
    RL_TEMP *rows = rl_contiguous_data(input); /* the result is row-major, as PyTorch's */
    rl_tensor *y = !rows      ? NULL
                   : training ? rrelu_train(rows, &noise, lower, upper, generator)
                              : rl_leaky_relu(rows, (lower + upper) / 2);
    rl_set_grad_enabled(mode);
    if (!y || !rl_recording(input))
        return y;
    rl_node *n = rl_node_new(&rrelu_node, y, 1, &input);
    if (n) {
        n->args.i[0] = training;
        n->args.f[0] = (lower + upper) / 2;
    }
    rl_save(n, 0, training ? noise : input);
    return rl_record(n, y);
}
