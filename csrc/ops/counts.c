/* counts.c: Poisson and binomial numbers, drawn from the same words as PyTorch's. */
#include <math.h>

#include "autograd/autograd.h"
#include "core/iter.h"
#include "core/random.h"
#include "core/random_math.h"
#include "rushlight_ops.h"

/* Elementary functions of one number by the kernels of the operators: the same bits everywhere. */
static double function(rl_map_op op, double x)
{
    double y;
    rl_kernel_table.map[op][RL_F64](1, (char *const[]){(char *)&y, (char *)&x}, (ptrdiff_t[]){8, 8},
                                    &(rl_kargs){0});
    return y;
}
/* Of positive numbers; random_math.h's, without a call, and the kernel's where there is no number
 * to take apart. */
static double ln(double x)
{
    return x >= 0x1p-1022 && x < INFINITY ? rl_log_unit(x) : function(RL_MAP_LOG, x);
}

/* log(1 - p); of a float32 p rounded to float32. */
static double ln_rest(double p, bool narrow)
{
    /* 1 - p is exact for a float32 p that is not tiny. */
    double y = narrow && p > 0x1p-28 ? ln(1 - p) : function(RL_MAP_LOG1P, -p);
    return narrow ? (float)y : y;
}

/* log k! less Stirling's (k + 1/2) log(k + 1) - (k + 1) + log(2 pi) / 2. */
static double stirling_rest(double k)
{
    static const double first[] = {0.0810614667953272, 0.0413406959554092, 0.0276779256849983,
                                   0.0207906721037650, 0.0166446911898211, 0.0138761288230707,
                                   0.0118967099458917, 0.0104112652619720, 0.00925546218271273,
                                   0.00833056343336287};
    if (k <= 9)
        return first[(int)k];
    double square = (k + 1) * (k + 1);
    return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1);
}

/* log k!, k a whole number: Stirling's series, from 11 on to the last bits. */
static double ln_factorial(double k)
{
    double x = k + 1, z = 1 / (x * x), rest = stirling_rest(k);
    if (k > 9)
        rest =
            (1.0 / 12 -
             z * (1.0 / 360 -
                  z * (1.0 / 1260 - z * (1.0 / 1680 - z * (1.0 / 1188 - z * (691.0 / 360360)))))) /
            x;
    return (k + 0.5) * ln(x) - x + 0.91893853320467274178 + rest;
}

/* ---- Poisson ---- */

/* Products of uniform numbers until they fall below e^-rate. */
static double poisson_few(rl_generator *g, double rate)
{
    double least = rl_exp_any(-rate), product = 1;
    int64_t k = -1;
    do {
        product *= rl_draw_unit(g);
        k++;
    } while (product > least);
    return (double)k;
}

/* Transformed rejection: W. Hoermann, The transformed rejection method for generating Poisson
 * random variables, Insurance: Mathematics and Economics 12 (1993), algorithm PTRS; rate >= 10. */
static double poisson_many(rl_generator *g, double rate)
{
    double b = 0.931 + 2.53 * sqrt(rate), a = -0.059 + 0.02483 * b;
    double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), quick = 0.9277 - 3.6224 / (b - 2);
    for (;;) {
        double u = rl_draw_unit(g) - 0.5, v = rl_draw_unit(g), us = 0.5 - fabs(u);
        double k = floor((2 * a / us + b) * u + rate + 0.43);
        if (us >= 0.07 && v <= quick)
            return k;
        if (k < 0 || (us < 0.013 && v > us))
            continue;
        if (ln(v * inverse_alpha / (a / (us * us) + b)) <= -rate + k * ln(rate) - ln_factorial(k))
            return k;
    }
}

static rl_status poisson_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    (void)n;
    return rl_status_of(dx[0] = rl_zeros_like(g[0], RL_NO_DTYPE));
}
static const rl_node_type poisson_node = {.name = "PoissonBackward0", .backward = poisson_backward};

rl_tensor *rl_poisson(rl_tensor *input, rl_generator *generator)
{
    if (!input)
        return NULL;
    if (!rl_is_floating((rl_dtype)input->dtype))
        return rl_fail(RL_ENOTIMPL, "\"poisson_cpu\" not implemented for '%s'",
                       rl_dtype_title((rl_dtype)input->dtype));
    RL_TEMP *rates = rl_cast_data(input, RL_F64);
    RL_TEMP *counts = rates ? rl_new(RL_F64, input->ndim, input->shape) : NULL;
    if (!counts)
        return NULL;
    const double *rate = (const double *)rates->data;
    double *count = (double *)counts->data;
    for (int64_t i = 0; i < input->numel; i++)
        if (!(rate[i] >= 0))
            return rl_fail(RL_ERUNTIME, "invalid Poisson rate, expected rate to be non-negative");
    rl_generator *g = rl_generator_lock(generator);
    for (int64_t i = 0; i < input->numel; i++)
        count[i] = rate[i] >= 10  ? poisson_many(g, rate[i])
                   : rate[i] == 0 ? 0
                                  : poisson_few(g, rate[i]);
    rl_generator_unlock(g);
    rl_tensor *y = rl_cast_data(counts, (rl_dtype)input->dtype);
    if (!y || !rl_recording(input))
        return y;
    return rl_record(rl_node_new(&poisson_node, y, 1, &input), y);
}

/* ---- binomial ---- */

/* Sums of geometric numbers until they exceed n. */
static double binomial_few(rl_generator *g, double n, double p, bool narrow)
{
    double ln_miss = ln_rest(p, narrow), sum = 0;
    for (double hits = 0;; hits++) {
        sum += ceil(ln(rl_draw_unit(g)) / ln_miss);
        if (!(sum <= n))
            return hits;
    }
}

/* Transformed rejection: W. Hoermann, The generation of binomial random variates, J. Stat. Comput.
 * Simul. 46 (1993), algorithm BTRS; n p >= 10.  Products and differences of n and p alone are
 * rounded to their dtype: R. */
#define R(x) (narrow ? (double)(float)(x) : (x))
static double binomial_many(rl_generator *g, double n, double p, bool narrow)
{
    double np = R(n * p), rest = R(1 - p);
    double variance = R(np * rest), deviation = narrow ? sqrtf((float)variance) : sqrt(variance);
    double b = 1.15 + 2.53 * deviation, a = -0.0873 + 0.0248 * b + 0.01 * p, c = np + 0.5;
    double quick = 0.92 - 4.2 / b, odds = R(p / rest);
    double alpha = (2.83 + 5.1 / b) * deviation, m = floor(R(R(n + 1) * p));
    for (;;) {
        double u = rl_draw_unit(g) - 0.5, v = rl_draw_unit(g), us = 0.5 - fabs(u);
        double k = R(floor((2 * a / us + b) * u + c));
        if (us >= 0.07 && v <= quick)
            return k;
        if (k < 0 || k > n)
            continue;
        v = ln(v * alpha / (a / (us * us) + b));
        double bound = (m + 0.5) * ln((m + 1) / (odds * (n - m + 1))) +
                       R(n + 1) * ln((n - m + 1) / R(n - k + 1)) +
                       (k + 0.5) * ln(odds * R(n - k + 1) / R(k + 1)) + stirling_rest(m) +
                       stirling_rest(n - m) - stirling_rest(k) - stirling_rest(n - k);
        if (v <= bound)
            return k;
    }
}

/* n trials of probability p, at most 1/2. */
static double trials(rl_generator *g, double n, double p, bool narrow)
{
    return R(n * p) >= 10 ? binomial_many(g, n, p, narrow) : binomial_few(g, n, p, narrow);
}

static double hits(rl_generator *g, double n, double p, bool narrow)
{
    if (n <= 0 || p <= 0)
        return 0;
    if (p >= 1)
        return n;
    if (p <= 0.5)
        return trials(g, n, p, narrow);
    return p > 0.5 ? n - trials(g, n, R(1 - p), narrow) : NAN;
}
#undef R

static rl_status binomial_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    (void)n, (void)g, (void)dx;
    return rl_error(RL_ERUNTIME, "derivative for aten::binomial is not implemented");
}
static const rl_node_type binomial_node = {.name = "NotImplemented", .backward = binomial_backward};

static rl_status check_binomial(const rl_tensor *count, const rl_tensor *prob)
{
    const rl_tensor *both[] = {count, prob};
    for (int i = 0; i < 2; i++)
        if (!rl_is_floating((rl_dtype)both[i]->dtype))
            return rl_error(RL_EVALUE,
                            "binomial only supports floating-point dtypes for %s, got: %s",
                            i ? "prob" : "count", rl_dtype_title((rl_dtype)both[i]->dtype));
    if (count->dtype != prob->dtype)
        return rl_error(RL_ERUNTIME, "Found dtype %s but expected %s",
                        rl_dtype_title((rl_dtype)prob->dtype),
                        rl_dtype_title((rl_dtype)count->dtype));
    if (count->dtype != RL_F32 && count->dtype != RL_F64)
        return rl_error(RL_ENOTIMPL, "\"binomial_cpu\" not implemented for '%s'",
                        rl_dtype_title((rl_dtype)count->dtype));
    return RL_OK;
}

rl_tensor *rl_binomial(rl_tensor *count, rl_tensor *prob, rl_generator *generator)
{
    int ndim;
    int64_t shape[RL_MAX_DIMS];
    if (!count || !prob || check_binomial(count, prob) ||
        rl_broadcast_shapes(count->ndim, count->shape, prob->ndim, prob->shape, &ndim, shape))
        return NULL;
    bool mode = rl_set_grad_enabled(false);
    RL_TEMP *wide_count = rl_expand(count, (rl_ints){shape, ndim}, false);
    RL_TEMP *wide_prob = rl_expand(prob, (rl_ints){shape, ndim}, false);
    rl_set_grad_enabled(mode);
    RL_TEMP *n = wide_count ? rl_cast_data(wide_count, RL_F64) : NULL;
    RL_TEMP *p = wide_prob ? rl_cast_data(wide_prob, RL_F64) : NULL;
    RL_TEMP *drawn = n && p ? rl_new(RL_F64, ndim, shape) : NULL;
    if (!drawn)
        return NULL;
    rl_generator *g = rl_generator_lock(generator);
    for (int64_t i = 0; i < drawn->numel; i++)
        ((double *)drawn->data)[i] =
            hits(g, ((double *)n->data)[i], ((double *)p->data)[i], count->dtype == RL_F32);
    rl_generator_unlock(g);
    rl_tensor *y = rl_cast_data(drawn, (rl_dtype)count->dtype);
    if (!y || (!rl_recording(count) && !rl_recording(prob)))
        return y;
    return rl_record(rl_node_new(&binomial_node, y, 2, (rl_tensor *[]){count, prob}), y);
}
