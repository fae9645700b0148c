/* complex_sums.c: sums of exponentials of complex numbers, and evenly spaced ones; composed of
 * operators that have derivatives. */
#include "core/alloc.h"
#include "ops/complex.h"

/* log(e^x + e^y) = hi + log(1 + e^(lo - hi)), hi the one of larger real part.  Where both real
 * parts are the same infinity, hi - lo is not a number: -inf stays, for +inf the sum itself is
 * taken. */
rl_tensor *rl_complex_logaddexp(rl_tensor *x, rl_tensor *y)
{
    if (!x || !y)
        return NULL;
    rl_dtype dtype = rl_result_type(2, (rl_tensor *[]){x, y});
    RL_TEMP *a = rl_to_dtype(x, dtype, false);
    RL_TEMP *b = rl_to_dtype(y, dtype, false);
    RL_TEMP *a_real = a ? rl_real(a) : NULL;
    RL_TEMP *b_real = b ? rl_real(b) : NULL;
    RL_TEMP *order = a_real && b_real ? rl_ge(a_real, b_real) : NULL;
    RL_TEMP *hi = order ? rl_where(order, a, b) : NULL;
    RL_TEMP *lo = order ? rl_where(order, b, a) : NULL;
    RL_TEMP *zero = rl_wrap_number(rl_int(0));
    RL_TEMP *equal = order ? rl_eq(a_real, b_real) : NULL;
    RL_TEMP *infinite = a_real ? rl_isinf(a_real) : NULL;
    RL_TEMP *same = equal && infinite ? rl_logical_and(equal, infinite) : NULL;
    RL_TEMP *gap = lo && hi ? rl_sub(lo, hi, rl_int(1)) : NULL;
    RL_TEMP *safe = same && gap ? rl_where(same, zero, gap) : NULL;
    RL_TEMP *ratio = rl_exp(safe);
    RL_TEMP *more = rl_log1p(ratio);
    RL_TEMP *usual = more ? rl_add(hi, more, rl_int(1)) : NULL;
    RL_TEMP *odd_hi = same && hi ? rl_where(same, hi, zero) : NULL; /* else: no overflow */
    RL_TEMP *odd_lo = same && lo ? rl_where(same, lo, zero) : NULL;
    RL_TEMP *e_hi = rl_exp(odd_hi);
    RL_TEMP *e_lo = rl_exp(odd_lo);
    RL_TEMP *sum = e_hi && e_lo ? rl_add(e_hi, e_lo, rl_int(1)) : NULL;
    RL_TEMP *log = rl_log(sum);
    RL_TEMP *below = a_real ? rl_lt(a_real, zero) : NULL;
    RL_TEMP *unusual = below && log ? rl_where(below, lo, log) : NULL;
    return same && unusual && usual ? rl_where(same, unusual, usual) : NULL;
}

/* log sum e^x = m + log sum e^(x - m), m the largest real part, 0 where that is infinite. */
rl_tensor *rl_complex_logsumexp(rl_tensor *x, rl_ints dim, bool keepdim)
{
    bool mode = rl_set_grad_enabled(false);
    RL_TEMP *real = rl_real(x);
    RL_TEMP *greatest = real ? rl_amax(real, dim, true) : NULL;
    RL_TEMP *finite = greatest ? rl_isfinite(greatest) : NULL;
    RL_TEMP *zero = rl_wrap_number(rl_int(0));
    RL_TEMP *shift = finite ? rl_where(finite, greatest, zero) : NULL;
    RL_TEMP *back = NULL;
    if (shift) /* a sum of one element along each of the dims, which go with it */
        back = keepdim ? rl_retain(shift) : rl_amax(shift, dim, false);
    rl_set_grad_enabled(mode);
    RL_TEMP *lowered = back ? rl_sub(x, shift, rl_int(1)) : NULL;
    RL_TEMP *power = rl_exp(lowered);
    RL_TEMP *sum = power ? rl_sum(power, dim, keepdim, RL_NO_DTYPE) : NULL;
    RL_TEMP *log = rl_log(sum);
    return log ? rl_add(log, back, rl_int(1)) : NULL;
}

/* Element after element: each is the log-sum of the one before and its own. */
rl_tensor *rl_complex_logcumsumexp(rl_tensor *x, int64_t dim)
{
    if (x->ndim == 0 || x->numel == 0)
        return rl_clone(x);
    int64_t n = x->shape[dim];
    rl_tensor **runs = rl_alloc(sizeof *runs * (size_t)n), *z = NULL;
    if (!runs)
        return NULL;
    int64_t i = 0;
    for (; i < n; i++) {
        RL_TEMP *own = rl_select(x, dim, i);
        runs[i] = own && i ? rl_complex_logaddexp(own, runs[i - 1]) : rl_retain(own);
        if (!runs[i])
            break;
    }
    if (i == n)
        z = rl_stack((rl_tensors){runs, n}, dim);
    while (i > 0)
        rl_release(runs[--i]);
    rl_free(runs, sizeof *runs * (size_t)n);
    return z;
}

/* ---- linspace and logspace ---- */

static rl_status parts_of(rl_tensor *number, double part[2])
{
    rl_convert((rl_dtype)number->dtype, rl_data(number), 0, RL_C128, part, 0, 1);
    return RL_OK;
}

/* Real and imaginary part are evenly spaced, each on its own. */
static rl_tensor *spaced(rl_tensor *start, rl_tensor *end, int64_t steps, rl_dtype dtype)
{
    double a[2], b[2];
    if (parts_of(start, a) || parts_of(end, b))
        return NULL;
    rl_dtype real = rl_real_dtype(dtype);
    RL_TEMP *re = rl_linspace(rl_float(a[0]), rl_float(b[0]), steps, real);
    RL_TEMP *im = re ? rl_linspace(rl_float(a[1]), rl_float(b[1]), steps, real) : NULL;
    return im ? rl_complex(re, im) : NULL;
}

/* The result's dtype; RL_NO_DTYPE after an error. */
static rl_dtype spaced_dtype(const char *name, rl_tensor *start, rl_tensor *end, rl_dtype dtype)
{
    bool complex = rl_has_complex(start) || rl_has_complex(end);
    rl_dtype inferred = complex ? rl_complex_dtype(rl_default_dtype()) : rl_default_dtype();
    if (complex && dtype != RL_NO_DTYPE && !rl_is_complex(dtype)) {
        rl_error(RL_ERUNTIME,
                 "torch.%s(): inferred dtype c10::complex<%s> can't be safely cast to passed dtype "
                 "%s",
                 name, inferred == RL_C128 ? "double" : "float", rl_dtype_title(dtype));
        return RL_NO_DTYPE;
    }
    return dtype == RL_NO_DTYPE ? inferred : dtype;
}

rl_tensor *rl_linspace_value(rl_tensor *start, rl_tensor *end, int64_t steps, rl_dtype dtype)
{
    rl_scalar a, b;
    if (!start || !end || (dtype = spaced_dtype("linspace", start, end, dtype)) == RL_NO_DTYPE)
        return NULL;
    if (rl_is_complex(dtype))
        return spaced(start, end, steps, dtype);
    return rl_item(start, &a) || rl_item(end, &b) ? NULL : rl_linspace(a, b, steps, dtype);
}

rl_tensor *rl_logspace_value(rl_tensor *start, rl_tensor *end, int64_t steps, double base,
                             rl_dtype dtype)
{
    rl_scalar a, b;
    if (!start || !end || (dtype = spaced_dtype("logspace", start, end, dtype)) == RL_NO_DTYPE)
        return NULL;
    if (!rl_is_complex(dtype))
        return rl_item(start, &a) || rl_item(end, &b) ? NULL
                                                      : rl_logspace(a, b, steps, base, dtype);
    RL_TEMP *exponent = spaced(start, end, steps, dtype);
    RL_TEMP *number = rl_wrap_number(rl_float(base));
    return exponent && number ? rl_pow(number, exponent) : NULL;
}
