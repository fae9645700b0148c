/* random.c: the operators that fill with random numbers; the numbers themselves are drawn in
 * ops/fill.c. */
#include <float.h>
#include <math.h>

#include "autograd/autograd.h"
#include "core/iter.h"
#include "core/random_math.h"
#include "ops/random.h"
#include "rushlight_ops.h"

/* ---- common parts of the in-place operators ---- */

/* A random result does not depend on what it was made from: every gradient is zero. */
static rl_status zero_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    for (int i = 0; i < n->n_inputs; i++)
        if (rl_wants(n, i) && !(dx[i] = rl_zeros_like(g[0], RL_NO_DTYPE)))
            return rl_error_code();
    return RL_OK;
}

#define ZERO_NODE(id, text) static const rl_node_type id = {.name = text, .backward = zero_backward}
ZERO_NODE(normal_node, "NormalBackward0");
ZERO_NODE(normal_mean_node, "NormalBackward1");
ZERO_NODE(normal_std_node, "NormalBackward2");
ZERO_NODE(normal_both_node, "NormalBackward3");
ZERO_NODE(uniform_node, "UniformBackward0");
ZERO_NODE(random_from_node, "RandomBackward0");
ZERO_NODE(random_to_node, "RandomBackward1");
ZERO_NODE(random_node, "RandomBackward2");
ZERO_NODE(bernoulli_node, "BernoulliBackward0");
ZERO_NODE(bernoulli_each_node, "BernoulliBackward1");
ZERO_NODE(bernoulli_fill_node, "BernoulliBackward2");
ZERO_NODE(exponential_node, "ExponentialBackward0");
ZERO_NODE(geometric_node, "GeometricBackward0");
ZERO_NODE(log_normal_node, "LogNormalBackward0");
ZERO_NODE(cauchy_node, "CauchyBackward0");

/* Checks x before it is written in place; *n: its new history, NULL when nothing records. */
static rl_status begin_inplace(rl_tensor *x, rl_tensor *p, const rl_node_type *type, rl_node **n)
{
    bool records = rl_recording(x) || rl_recording(p);
    *n = NULL;
    if (rl_check_inplace(x, records))
        return rl_error_code();
    if (!records)
        return RL_OK;
    *n = rl_node_new(type, x, p ? 2 : 1, (rl_tensor *[]){x, p});
    return rl_status_of(*n);
}

static rl_tensor *end_inplace(rl_tensor *x, rl_node *n, rl_status status)
{
    if (!status)
        return rl_record_inplace(n, x);
    rl_node_release(n);
    return NULL;
}

/* Runs f over x as an in-place operator with this history. */
static rl_tensor *run_inplace(rl_fill *f, rl_tensor *x, rl_tensor *p, rl_generator *g,
                              const rl_node_type *type)
{
    rl_node *n;
    if (begin_inplace(x, p, type, &n))
        return NULL;
    return end_inplace(x, n, rl_fill_run(f, x, g));
}

static rl_status check_floating(const rl_tensor *x, const char *name)
{
    if (rl_is_floating((rl_dtype)x->dtype))
        return RL_OK;
    return rl_error(RL_ENOTIMPL, "\"%s\" not implemented for '%s'", name,
                    rl_dtype_title((rl_dtype)x->dtype));
}

static double largest(rl_dtype dtype)
{
    switch (dtype) {
    case RL_BOOL:
        return 1;
    case RL_U8:
        return UINT8_MAX;
    case RL_I8:
        return INT8_MAX;
    case RL_I16:
        return INT16_MAX;
    case RL_I32:
        return INT32_MAX;
    case RL_I64:
        return (double)INT64_MAX;
    case RL_F16:
        return 65504;
    case RL_BF16:
        return 0x1.fep127;
    case RL_F32:
        return FLT_MAX;
    default:
        return DBL_MAX;
    }
}

static int mantissa_bits(rl_dtype dtype)
{
    return dtype == RL_F64   ? DBL_MANT_DIG
           : dtype == RL_F32 ? FLT_MANT_DIG
           : dtype == RL_F16 ? 11
                             : 8;
}

/* ---- normal and uniform ---- */

static rl_status check_normal(rl_dtype dtype, double std)
{
    if (!(std >= 0))
        return rl_error(RL_ERUNTIME, "normal expects std >= 0.0, but found std %g", std);
    if (!rl_is_floating(dtype))
        return rl_error(RL_ENOTIMPL, "\"normal_kernel_cpu\" not implemented for '%s'",
                        rl_dtype_title(dtype));
    return RL_OK;
}

/* The real and imaginary parts of x in one tensor, without history; x itself when it is real. */
static rl_tensor *both_parts(rl_tensor *x)
{
    if (!x || !rl_is_complex((rl_dtype)x->dtype))
        return rl_retain(x);
    RL_TEMP *data = rl_detach(x);
    return rl_view_as_real(data);
}

rl_tensor *rl_normal_(rl_tensor *input, double mean, double std, rl_generator *generator)
{
    rl_node *n;
    RL_TEMP *parts = both_parts(input);
    if (!parts || check_normal((rl_dtype)parts->dtype, std) ||
        begin_inplace(input, NULL, &normal_node, &n))
        return NULL;
    if (parts != input) /* each part has half of the variance */
        std /= sqrt(2.0);
    return end_inplace(input, n, rl_fill_normal(parts, mean, std, generator));
}

static rl_status check_uniform(rl_dtype dtype, double from, double to)
{
    if (!rl_is_floating(dtype))
        return rl_error(RL_ENOTIMPL, "\"check_uniform_bounds\" not implemented for '%s'",
                        rl_dtype_title(dtype));
    double top = largest(dtype);
    if (!(from >= -top && from <= top))
        return rl_error(RL_ERUNTIME, "from is out of bounds for %s", rl_dtype_cpp(dtype));
    if (!(to >= -top && to <= top))
        return rl_error(RL_ERUNTIME, "to is out of bounds for %s", rl_dtype_cpp(dtype));
    if (from > to)
        return rl_error(RL_ERUNTIME,
                        "uniform_ expects to return a [from, to) range, but found from=%g > to=%g",
                        from, to);
    if (to - from > top)
        return rl_error(RL_ERUNTIME,
                        "uniform_ expects to-from <= std::numeric_limits<%s>::max(), but found "
                        "to=%g and from=%g which "
                        "result in to-from to exceed the limit",
                        rl_dtype_title(dtype), to, from);
    return RL_OK;
}

rl_tensor *rl_uniform_(rl_tensor *input, double from, double to, rl_generator *generator)
{
    rl_node *n;
    RL_TEMP *parts = both_parts(input);
    if (!parts || check_uniform((rl_dtype)parts->dtype, from, to) ||
        begin_inplace(input, NULL, &uniform_node, &n))
        return NULL;
    return end_inplace(input, n, rl_fill_uniform(parts, from, to, generator));
}

/* A new tensor filled by one of the functions above; releases y when that fails. */
static rl_tensor *filled(rl_tensor *y, rl_status status)
{
    if (!status)
        return y;
    rl_release(y);
    return NULL;
}

/* Draws for complex numbers are those for their parts, as they lie in memory. */
static rl_tensor *complex_draws(rl_ints size, rl_generator *generator, rl_dtype dtype, bool normal)
{
    int64_t shape[RL_MAX_DIMS];
    if (size.n >= RL_MAX_DIMS)
        return rl_fail(RL_ERUNTIME, "at most %d dims for complex numbers", RL_MAX_DIMS - 1);
    memcpy(shape, size.v, (size_t)size.n * sizeof *shape);
    shape[size.n] = 2;
    rl_ints wide = {shape, size.n + 1};
    dtype = rl_real_dtype(dtype);
    RL_TEMP *parts = normal ? rl_normal_float_float(0, M_SQRT1_2, wide, generator, dtype)
                            : rl_rand(wide, generator, dtype);
    return rl_view_as_complex(parts);
}

rl_tensor *rl_rand(rl_ints size, rl_generator *generator, rl_dtype dtype)
{
    if (rl_is_complex(dtype))
        return complex_draws(size, generator, dtype, false);
    if (dtype == RL_NO_DTYPE)
        dtype = rl_default_dtype();
    rl_tensor *y = rl_empty_shape(dtype, size.n, size.v);
    return y ? filled(y, check_uniform(dtype, 0, 1) || rl_fill_uniform(y, 0, 1, generator)) : NULL;
}

rl_tensor *rl_randn(rl_ints size, rl_generator *generator, rl_dtype dtype)
{
    if (rl_is_complex(dtype))
        return complex_draws(size, generator, dtype, true);
    return rl_normal_float_float(0, 1, size, generator, dtype);
}

rl_tensor *rl_rand_like(rl_tensor *input, rl_dtype dtype)
{
    if (!input)
        return NULL;
    if (rl_is_complex(dtype == RL_NO_DTYPE ? (rl_dtype)input->dtype : dtype))
        return complex_draws((rl_ints){input->shape, input->ndim}, NULL,
                             dtype == RL_NO_DTYPE ? (rl_dtype)input->dtype : dtype, false);
    rl_tensor *y = rl_new_like(input, dtype == RL_NO_DTYPE ? (rl_dtype)input->dtype : dtype);
    return y ? filled(y, check_uniform((rl_dtype)y->dtype, 0, 1) || rl_fill_uniform(y, 0, 1, NULL))
             : NULL;
}

rl_tensor *rl_randn_like(rl_tensor *input, rl_dtype dtype)
{
    if (!input)
        return NULL;
    if (rl_is_complex(dtype == RL_NO_DTYPE ? (rl_dtype)input->dtype : dtype))
        return complex_draws((rl_ints){input->shape, input->ndim}, NULL,
                             dtype == RL_NO_DTYPE ? (rl_dtype)input->dtype : dtype, true);
    rl_tensor *y = rl_new_like(input, dtype == RL_NO_DTYPE ? (rl_dtype)input->dtype : dtype);
    return y ? filled(y, check_normal((rl_dtype)y->dtype, 1) || rl_fill_normal(y, 0, 1, NULL))
             : NULL;
}

rl_tensor *rl_normal_float_float(double mean, double std, rl_ints size, rl_generator *generator,
                                 rl_dtype dtype)
{
    if (dtype == RL_NO_DTYPE)
        dtype = rl_default_dtype();
    rl_tensor *y = rl_empty_shape(dtype, size.n, size.v);
    return y ? filled(y, check_normal(dtype, std) || rl_fill_normal(y, mean, std, generator))
             : NULL;
}

/* mean + std z for tensors: z is drawn first, then multiplied and added as operators do.  mean or
 * std may be NULL. */
static rl_tensor *normal_of(rl_tensor *mean, rl_tensor *std, double mean_number, double std_number,
                            rl_generator *g)
{
    int64_t shape[RL_MAX_DIMS];
    int ndim;
    rl_tensor *one = mean ? mean : std, *other = std ? std : mean;
    if (rl_broadcast_shapes(one->ndim, one->shape, other->ndim, other->shape, &ndim, shape) ||
        check_normal((rl_dtype)one->dtype, std_number))
        return NULL;
    if (std) {
        RL_TEMP *wide = rl_cast_data(std, RL_F64);
        if (!wide)
            return NULL;
        for (int64_t i = 0; i < wide->numel; i++)
            if (!(((const double *)wide->data)[i] >= 0))
                return rl_fail(RL_ERUNTIME, "normal expects all elements of std >= 0.0");
    }
    rl_tensor *z = rl_new((rl_dtype)one->dtype, ndim, shape);
    if (!z || rl_fill_normal(z, 0, std_number, g)) {
        rl_release(z);
        return NULL;
    }
    bool before = rl_set_grad_enabled(false);
    RL_TEMP *scaled = std ? rl_mul(z, std) : rl_retain(z);
    RL_TEMP *shift = mean ? rl_retain(mean) : rl_wrap_number(rl_float(mean_number));
    RL_TEMP *sum = rl_add(scaled, shift, rl_int(1));
    rl_set_grad_enabled(before);
    if (!sum || rl_copy_data(z, sum)) {
        rl_release(z);
        return NULL;
    }
    return z;
}

/* y with zero gradients to one or two inputs. */
static rl_tensor *recorded(rl_tensor *y, const rl_node_type *type, rl_tensor *a, rl_tensor *b)
{
    if (!y || (!rl_recording(a) && !rl_recording(b)))
        return y;
    return rl_record(rl_node_new(type, y, b ? 2 : 1, (rl_tensor *[]){a, b}), y);
}

rl_tensor *rl_normal_tensor_tensor(rl_tensor *mean, rl_tensor *std, rl_generator *generator)
{
    return mean && std
               ? recorded(normal_of(mean, std, 0, 1, generator), &normal_both_node, mean, std)
               : NULL;
}

rl_tensor *rl_normal_tensor_float(rl_tensor *mean, double std, rl_generator *generator)
{
    return mean ? recorded(normal_of(mean, NULL, 0, std, generator), &normal_mean_node, mean, NULL)
                : NULL;
}

rl_tensor *rl_normal_float_tensor(double mean, rl_tensor *std, rl_generator *generator)
{
    return std ? recorded(normal_of(NULL, std, mean, 1, generator), &normal_std_node, std, NULL)
               : NULL;
}

/* ---- integers ---- */

/* v rounded to a floating dtype, as an integer again; INT64_MIN where it does not fit. */
static int64_t rounded(rl_dtype dtype, int64_t v)
{
    double narrow, wide; /* narrow: room for any dtype */
    rl_convert(RL_I64, &v, sizeof v, dtype, &narrow, sizeof narrow, 1);
    rl_convert(dtype, &narrow, sizeof narrow, RL_F64, &wide, sizeof wide, 1);
    return wide >= -0x1p63 && wide < 0x1p63 ? (int64_t)wide : INT64_MIN;
}

/* The distance between neighbours of a floating dtype at v, where integers are no longer exact. */
static int64_t spacing(rl_dtype dtype, int64_t v)
{
    uint64_t magnitude = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    int shift = 64 - __builtin_clzll(magnitude | 1) - mantissa_bits(dtype);
    return (int64_t)1 << (shift > 0 ? shift : 0);
}

/* A limit beyond a floating dtype's exact integers moves inward, so that rounding stays inside of
 * the range. */
static int64_t exact_from(rl_dtype dtype, int64_t from)
{
    int64_t next = rounded(dtype, from + 1);
    return next >= from ? from : next + spacing(dtype, from + 1);
}

static int64_t exact_to(rl_dtype dtype, int64_t to)
{
    int64_t before = rounded(dtype, to - 1);
    return before < to ? to : before - spacing(dtype, to - 1);
}

/* f for from ... to - 1; to not given: up to the largest exact integer.  Two words per number from
 * a range of 2^28 on. */
static rl_status plan_integers(rl_fill *f, rl_dtype dtype, int64_t from, rl_opt_int to)
{
    double low = rl_is_floating(dtype)                ? -largest(dtype)
                 : dtype == RL_BOOL || dtype == RL_U8 ? 0
                                                      : -largest(dtype) - 1;
    *f = (rl_fill){.sample = RL_I64, .make = rl_make_integers};
    int64_t last; /* the largest number */
    if (to.given) {
        if (from >= to.v)
            return rl_error(
                RL_ERUNTIME,
                "random_ expects 'from' to be less than 'to', but got from=%lld >= to=%lld",
                (long long)from, (long long)to.v);
        last = to.v - 1;
        if (rl_is_floating(dtype)) {
            from = exact_from(dtype, from);
            last = exact_to(dtype, to.v) - 1;
            if (from > last)
                return rl_error(RL_ERUNTIME,
                                "random_ expects 'from' casted to dtype to be less than 'to' "
                                "casted to dtype, but got "
                                "from=%lld >= to=%lld",
                                (long long)from, (long long)last + 1);
        }
    } else if (from == INT64_MIN) { /* all 64 bits as they are */
        if (dtype != RL_I64 && dtype != RL_F64 && dtype != RL_F32 && dtype != RL_BF16)
            return rl_error(RL_ERUNTIME, "random_full_64_bits_range_kernel_cpu handles only int64, "
                                         "double, float and bfloat16");
        f->b = 1;
        return RL_OK;
    } else if (rl_is_floating(dtype)) {
        last = (int64_t)1 << mantissa_bits(dtype);
        from = exact_from(dtype, from);
        if (from >= last)
            return rl_error(RL_ERUNTIME,
                            "random_ expects 'from' casted to dtype to be less than or equal to "
                            "'to_inc' casted to dtype, but got from=%lld > to_inc=%lld",
                            (long long)from, (long long)last);
    } else {
        last = dtype == RL_I64 ? INT64_MAX : (int64_t)largest(dtype);
    }
    if ((double)from < low || (double)from > largest(dtype))
        return rl_error(RL_ERUNTIME, "from is out of bounds for %s", rl_dtype_cpp(dtype));
    if ((double)last < low || (double)last > largest(dtype))
        return rl_error(RL_ERUNTIME, "to - 1 is out of bounds for %s", rl_dtype_cpp(dtype));
    f->range = (uint64_t)last - (uint64_t)from + 1;
    f->base = from;
    f->b = f->range >= (uint64_t)1 << 28;
    return RL_OK;
}

rl_tensor *rl_random_from_to_(rl_tensor *input, int64_t from, rl_opt_int to,
                              rl_generator *generator)
{
    rl_fill f;
    if (!input || plan_integers(&f, (rl_dtype)input->dtype, from, to))
        return NULL;
    return run_inplace(&f, input, NULL, generator, &random_from_node);
}

rl_tensor *rl_random_to_(rl_tensor *input, int64_t to, rl_generator *generator)
{
    rl_fill f;
    if (!input || plan_integers(&f, (rl_dtype)input->dtype, 0, (rl_opt_int){true, to}))
        return NULL;
    return run_inplace(&f, input, NULL, generator, &random_to_node);
}

/* 0 ... the largest value of an integer dtype, or 2^digits of a floating one. */
rl_tensor *rl_random_full_(rl_tensor *input, rl_generator *generator)
{
    if (!input)
        return NULL;
    rl_dtype dtype = (rl_dtype)input->dtype;
    rl_fill f = {
        .sample = RL_I64, .make = rl_make_integers, .b = dtype == RL_I64 || dtype == RL_F64};
    f.range = rl_is_floating(dtype) ? ((uint64_t)1 << mantissa_bits(dtype)) + 1
              : dtype == RL_I64     ? (uint64_t)1 << 63
                                    : (uint64_t)largest(dtype) + 1;
    return run_inplace(&f, input, NULL, generator, &random_node);
}

static rl_tensor *integers(rl_tensor *y, int64_t low, int64_t high, rl_generator *generator)
{
    rl_fill f;
    if (!y)
        return NULL;
    return filled(y, plan_integers(&f, (rl_dtype)y->dtype, low, (rl_opt_int){true, high}) ||
                         rl_fill_run(&f, y, generator));
}

rl_tensor *rl_randint(int64_t low, int64_t high, rl_ints size, rl_generator *generator,
                      rl_dtype dtype)
{
    return integers(rl_empty_shape(dtype == RL_NO_DTYPE ? RL_I64 : dtype, size.n, size.v), low,
                    high, generator);
}

rl_tensor *rl_randint_high(int64_t high, rl_ints size, rl_generator *generator, rl_dtype dtype)
{
    return rl_randint(0, high, size, generator, dtype);
}

rl_tensor *rl_randint_like(rl_tensor *input, int64_t low, int64_t high, rl_dtype dtype)
{
    if (!input)
        return NULL;
    return integers(rl_new_like(input, dtype == RL_NO_DTYPE ? (rl_dtype)input->dtype : dtype), low,
                    high, NULL);
}

rl_tensor *rl_randint_like_high(rl_tensor *input, int64_t high, rl_dtype dtype)
{
    return rl_randint_like(input, 0, high, dtype);
}

/* ---- coins ---- */

static rl_status check_probability(double p)
{
    if (p >= 0 && p <= 1)
        return RL_OK;
    return rl_error(RL_ERUNTIME, "bernoulli_ expects p to be in [0, 1], but got p=%g", p);
}

rl_tensor *rl_bernoulli_fill_(rl_tensor *input, double p, rl_generator *generator)
{
    if (!input || check_probability(p))
        return NULL;
    rl_fill f = rl_plan_bernoulli((rl_dtype)input->dtype, p, 1);
    return run_inplace(&f, input, NULL, generator, &bernoulli_fill_node);
}

rl_tensor *rl_bernoulli_p(rl_tensor *input, double p, rl_generator *generator)
{
    if (!input || check_probability(p))
        return NULL;
    rl_tensor *y = rl_new((rl_dtype)input->dtype, input->ndim, input->shape);
    return y ? filled(y, rl_fill_bernoulli(y, p, 1, generator)) : NULL;
}

/* Prepares f and *wide, p as float64; checks p's dtype, shape and values before anything is
 * written. */
static rl_status plan_bernoulli_each(rl_fill *f, rl_tensor *x, rl_tensor *p, rl_tensor **wide)
{
    if (!rl_is_floating((rl_dtype)p->dtype))
        return rl_error(RL_ENOTIMPL, "\"bernoulli_tensor_cpu_p_\" not implemented for '%s'",
                        rl_dtype_title((rl_dtype)p->dtype));
    if (p->ndim > x->ndim)
        return rl_error(RL_ERUNTIME,
                        "expand(torch.%sTensor{%s}, size=%s): the number of sizes provided (%d) "
                        "must be greater or "
                        "equal to the number of dimensions in the tensor (%d)",
                        rl_dtype_title((rl_dtype)p->dtype), rl_shape_str(p).s, rl_shape_str(x).s,
                        x->ndim, p->ndim);
    for (int d = 0; d < p->ndim; d++) {
        int64_t have = p->shape[d], want = x->shape[d + x->ndim - p->ndim];
        if (have != want && have != 1)
            return rl_error(
                RL_ERUNTIME,
                "The expanded size of the tensor (%lld) must match the existing size (%lld) at "
                "non-singleton dimension %d.  Target sizes: %s.  Tensor sizes: %s",
                (long long)want, (long long)have, d + x->ndim - p->ndim, rl_shape_str(x).s,
                rl_shape_str(p).s);
    }
    if (!(*wide = rl_cast_data(p, RL_F64)))
        return rl_error_code();
    const double *v = (const double *)(*wide)->data;
    for (int64_t i = 0; i < (*wide)->numel; i++)
        if (!(v[i] >= 0 && v[i] <= 1))
            return rl_error(RL_ERUNTIME,
                            "Expected p_in >= 0 && p_in <= 1 to be true, but got false: p holds %g",
                            v[i]);
    *f = (rl_fill){
        .sample = RL_F32, .make = rl_make_bernoulli_each, .p = *wide, .range = p->dtype == RL_F64};
    return RL_OK;
}

rl_tensor *rl_bernoulli_fill_tensor_(rl_tensor *input, rl_tensor *p, rl_generator *generator)
{
    rl_fill f;
    RL_TEMP *wide = NULL;
    if (!input || !p || plan_bernoulli_each(&f, input, p, &wide))
        return NULL;
    return run_inplace(&f, input, p, generator, &bernoulli_each_node);
}

rl_tensor *rl_bernoulli(rl_tensor *input, rl_generator *generator)
{
    rl_fill f;
    RL_TEMP *wide = NULL;
    if (!input || plan_bernoulli_each(&f, input, input, &wide))
        return NULL;
    rl_tensor *y = rl_new((rl_dtype)input->dtype, input->ndim, input->shape);
    if (!y)
        return NULL;
    return recorded(filled(y, rl_fill_run(&f, y, generator)), &bernoulli_node, input, NULL);
}

/* ---- other distributions ---- */

rl_tensor *rl_exponential_(rl_tensor *input, double lambd, rl_generator *generator)
{
    if (!input)
        return NULL;
    if (!rl_is_floating((rl_dtype)input->dtype))
        return rl_fail(RL_ERUNTIME,
                       "Exponential distribution is a continuous probability distribution. dtype "
                       "must be a floating "
                       "point but you specified %s",
                       rl_dtype_title((rl_dtype)input->dtype));
    if (!(lambd > 0))
        return rl_fail(RL_ERUNTIME, "exponential_ expects lambda > 0.0, but found lambda=%g",
                       lambd);
    rl_fill f = {.sample = RL_F64, .make = rl_make_exponential, .a = lambd};
    return run_inplace(&f, input, NULL, generator, &exponential_node);
}

/* log(1 - p), 0 < p < 1: the rounding of 1 - p is corrected to first order. */
static double log_rest(double p)
{
    double q = 1.0 - p;
    return rl_log_unit(q) + ((1.0 - q) - p) / q;
}

rl_tensor *rl_geometric_(rl_tensor *input, double p, rl_generator *generator)
{
    if (!input)
        return NULL;
    if (!(p > 0 && p < 1))
        return rl_fail(RL_ERUNTIME, "geometric_ expects p to be in (0, 1), but got p=%g", p);
    if (input->dtype == RL_BOOL)
        return rl_fail(RL_ENOTIMPL, "\"geometric_cpu\" not implemented for 'Bool'");
    rl_fill f = {.sample = RL_F64, .make = rl_make_geometric, .b = log_rest(p)};
    return run_inplace(&f, input, NULL, generator, &geometric_node);
}

rl_tensor *rl_log_normal_(rl_tensor *input, double mean, double std, rl_generator *generator)
{
    if (!input)
        return NULL;
    if (!(std > 0))
        return rl_fail(RL_ERUNTIME, "log_normal_ expects std > 0.0, but found std=%g", std);
    if (check_floating(input, "log_normal_cpu"))
        return NULL;
    rl_fill f = {.sample = RL_F64, .make = rl_make_log_normal, .a = mean, .b = std};
    return run_inplace(&f, input, NULL, generator, &log_normal_node);
}

rl_tensor *rl_cauchy_(rl_tensor *input, double median, double sigma, rl_generator *generator)
{
    if (!input)
        return NULL;
    if (!(sigma > 0))
        return rl_fail(RL_ERUNTIME, "cauchy_ expects sigma > 0.0, but found sigma=%g", sigma);
    if (!rl_is_floating((rl_dtype)input->dtype))
        return rl_fail(RL_ERUNTIME,
                       "Cauchy distribution is a continuous probability distribution. dtype must "
                       "be a floating point but you specified %s",
                       rl_dtype_cpp((rl_dtype)input->dtype));
    rl_fill f = {.sample = RL_F64, .make = rl_make_cauchy, .a = median, .b = sigma};
    return run_inplace(&f, input, NULL, generator, &cauchy_node);
}
