/* moments.c: variance, standard deviation, norms. */
#include <math.h>

#include "ops/complex.h"
#include "ops/reduced.h"

static const rl_ints all_dims = {NULL, -1};

static rl_tensor *times(rl_tensor *x, double v)
{
    RL_TEMP *number = rl_wrap_number(rl_float(v));
    return number ? rl_mul(x, number) : NULL;
}

/* ---- variance ---- */

/* v = sum (x - mean)^2 / (N - c)     dx = 2 g (x - mean) / (N - c)
 * s = sqrt(v)                        dx = g (x - mean) / ((N - c) s), 0 where s is 0
 * args: f0 N - c, f1 whether over all dims at once.  Then, for N <= c, PyTorch's derivative of v is
 * nan where x is the mean and infinite elsewhere.  Output 1, where there is one, is the mean. */
static rl_status variance_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *x = rl_saved(n, 0);
    RL_TEMP *s = rl_has_saved(n, 1) ? rl_saved(n, 1) : NULL;
    if (!x || (rl_has_saved(n, 1) && !s))
        return rl_error_code();
    double freedom = n->args.f[0];
    RL_TEMP *from_mean = NULL, *from_variance = NULL;
    if (n->n_outputs > 1 && g[1]) {
        RL_TEMP *count = rl_wrap_number(rl_int(rl_reduced_count(n)));
        RL_TEMP *share = count ? rl_div(g[1], count, NULL) : NULL;
        from_mean = rl_reduced_spread(n, share);
        if (!from_mean)
            return rl_error_code();
    }
    if (g[0]) {
        int64_t dims[RL_MAX_DIMS];
        int count = 0;
        for (int d = 0; d < x->ndim; d++)
            if ((uint64_t)n->args.i[3] >> d & 1)
                dims[count++] = d;
        RL_TEMP *mean = rl_mean(x, count ? (rl_ints){dims, count} : all_dims, true, RL_NO_DTYPE);
        RL_TEMP *d = mean ? rl_sub(x, mean, rl_int(1)) : NULL;
        RL_TEMP *gk = rl_reduced_keep(n, g[0]);
        RL_TEMP *scaled = NULL;
        bool pole = n->args.f[1] && freedom <= 0;
        if (pole && d) {
            RL_TEMP *nan = rl_wrap_number(rl_float(NAN));
            RL_TEMP *infinity = rl_wrap_number(rl_float(INFINITY));
            RL_TEMP *zero = rl_wrap_number(rl_float(0));
            RL_TEMP *flat = zero ? rl_eq(d, zero) : NULL;
            rl_release(d);
            d = nan && infinity && flat ? rl_where(flat, nan, infinity) : NULL;
        }
        if (s) {
            RL_TEMP *sk = rl_reduced_keep(n, s);
            RL_TEMP *quotient = gk && sk ? rl_div(gk, sk, NULL) : NULL;
            RL_TEMP *zero = rl_wrap_number(rl_float(0));
            RL_TEMP *flat = sk && zero ? rl_eq(sk, zero) : NULL;
            RL_TEMP *safe = quotient && flat ? rl_masked_fill(quotient, flat, zero) : NULL;
            scaled = safe ? times(safe, pole ? 0.5 : 1 / freedom) : NULL;
        } else {
            scaled = pole ? rl_retain(gk) : gk ? times(gk, 2 / freedom) : NULL;
        }
        from_variance = scaled && d ? rl_mul(scaled, d) : NULL;
        if (!from_variance)
            return rl_error_code();
    }
    dx[0] = from_mean && from_variance ? rl_add(from_variance, from_mean, rl_int(1))
                                       : rl_retain(from_mean ? from_mean : from_variance);
    return RL_DONE(n, dx);
}

static const rl_node_type variance_nodes[2][2] = {
    {{.name = "VarBackward0", .backward = variance_backward, .n_saved = 2},
     {.name = "VarMeanBackward0", .backward = variance_backward, .n_saved = 2}},
    {{.name = "StdBackward0", .backward = variance_backward, .n_saved = 2},
     {.name = "StdMeanBackward0", .backward = variance_backward, .n_saved = 2}}};

/* The variance of a complex tensor: those of its parts added up. */
static rl_tensor *complex_variance(rl_tensor *x, const bool *mask, bool keepdim, rl_dtype compute,
                                   const rl_kargs *args)
{
    bool mode = rl_set_grad_enabled(false);
    RL_TEMP *re = rl_real(x), *im = rl_imag(x);
    RL_TEMP *a = rl_reduce_run(RL_REDUCE_VAR, "var", re, mask, keepdim, compute, compute, args);
    RL_TEMP *b = rl_reduce_run(RL_REDUCE_VAR, "var", im, mask, keepdim, compute, compute, args);
    rl_tensor *v = a && b ? rl_add(a, b, rl_int(1)) : NULL;
    rl_set_grad_enabled(mode);
    return v;
}

/* out[0] variance or standard deviation, out[1] the mean when with_mean. */
static rl_status variance(rl_tensor *x, rl_ints dim, double correction, bool keepdim, bool root,
                          bool with_mean, rl_tensor **out)
{
    bool mask[RL_MAX_DIMS];
    if (!x)
        return rl_error_code();
    rl_status status = rl_dim_mask(dim, x->ndim, mask);
    if (status)
        return status;
    if (!rl_is_differentiable((rl_dtype)x->dtype))
        return rl_error(RL_ERUNTIME, "std and var only support floating point and complex dtypes");
    rl_dtype result = rl_real_dtype((rl_dtype)x->dtype);
    rl_dtype compute = result == RL_F64 ? RL_F64 : RL_F32;
    rl_kargs args = {.f = {correction}};
    RL_TEMP *v = rl_has_complex(x)
                     ? complex_variance(x, mask, keepdim, compute, &args)
                     : rl_reduce_run(RL_REDUCE_VAR, root ? "std" : "var", x, mask, keepdim, compute,
                                     root ? compute : result, &args);
    RL_TEMP *y = !root ? rl_retain(v)
                       : rl_map_run(&(rl_map){.op = RL_MAP_SQRT,
                                              .typing = RL_TYPE_FIXED,
                                              .compute = compute,
                                              .result = result,
                                              .name = "std",
                                              .n = 1,
                                              .in = {v}});
    bool grad = rl_set_grad_enabled(false);
    RL_TEMP *mean = y && with_mean ? rl_mean(x, dim, keepdim, RL_NO_DTYPE) : NULL;
    rl_set_grad_enabled(grad);
    if (!y || (with_mean && !mean))
        return rl_error_code();
    if (rl_recording(x)) {
        double freedom = (double)rl_mask_count(x, mask) - correction;
        rl_tensor *outputs[] = {y, mean};
        rl_node *n = rl_node_new_n(&variance_nodes[root][with_mean], with_mean ? 2 : 1, outputs, 1,
                                   (rl_tensor *[]){x}, 2);
        rl_save(n, 0, x);
        if (root)
            rl_save_output(n, 1, y, 0);
        rl_reduced_set(n, x, mask, keepdim);
        if (n) {
            n->args.f[0] = freedom;
            n->args.f[1] = x->ndim == 0 || dim.n < 0;
        }
        status = rl_record_n(n, with_mean ? 2 : 1, outputs);
        if (status)
            return status;
    }
    out[0] = rl_retain(y);
    if (with_mean)
        out[1] = rl_retain(mean);
    return RL_OK;
}

static double correction_of(rl_scalar s)
{
    return s.dtype == RL_NO_DTYPE ? 1 : rl_scalar_double(s);
}

static rl_tensor *one_variance(rl_tensor *x, rl_ints dim, double correction, bool keepdim,
                               bool root)
{
    rl_tensor *out[2];
    return variance(x, dim, correction, keepdim, root, false, out) ? NULL : out[0];
}

rl_tensor *rl_var(rl_tensor *input, rl_ints dim, rl_scalar correction, bool keepdim)
{
    return one_variance(input, dim, correction_of(correction), keepdim, false);
}

rl_tensor *rl_var_unbiased(rl_tensor *input, bool unbiased)
{
    return one_variance(input, all_dims, unbiased, false, false);
}

rl_tensor *rl_var_dim_unbiased(rl_tensor *input, rl_ints dim, bool unbiased, bool keepdim)
{
    return one_variance(input, dim, unbiased, keepdim, false);
}

rl_tensor *rl_std(rl_tensor *input, rl_ints dim, rl_scalar correction, bool keepdim)
{
    return one_variance(input, dim, correction_of(correction), keepdim, true);
}

rl_tensor *rl_std_unbiased(rl_tensor *input, bool unbiased)
{
    return one_variance(input, all_dims, unbiased, false, true);
}

rl_tensor *rl_std_dim_unbiased(rl_tensor *input, rl_ints dim, bool unbiased, bool keepdim)
{
    return one_variance(input, dim, unbiased, keepdim, true);
}

rl_status rl_var_mean(rl_tensor *input, rl_ints dim, rl_scalar correction, bool keepdim,
                      rl_tensor **out)
{
    return variance(input, dim, correction_of(correction), keepdim, false, true, out);
}

rl_status rl_std_mean(rl_tensor *input, rl_ints dim, rl_scalar correction, bool keepdim,
                      rl_tensor **out)
{
    return variance(input, dim, correction_of(correction), keepdim, true, true, out);
}

/* ---- norms ---- */

/* y = (sum |x|^p)^(1/p)
 *   p = 2          dx = g x / y
 *   p = 1          dx = g sign(x)
 *   p = inf, -inf  dx = g sign(x) / count where |x| == y
 *   p = 0          none
 *   else           dx = g sign(x) |x|^(p-1) / y^(p-1)
 * and 0 where y is 0.  args: f0 p. */
static rl_status norm_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    double p = n->args.f[0];
    RL_TEMP *x = rl_saved(n, 0);
    RL_TEMP *y = rl_saved(n, 1);
    if (!x || !y)
        return rl_error_code();
    if (p == 0) /* a count: no gradient at all, as in PyTorch */
        return RL_OK;
    RL_TEMP *gk = rl_reduced_keep(n, g[0]);
    RL_TEMP *yk = rl_reduced_keep(n, y);
    RL_TEMP *zero = rl_wrap_number(rl_float(0));
    if (!gk || !yk || !zero)
        return rl_error_code();
    if (p == 1) {
        RL_TEMP *sign = rl_sgn(x);
        dx[0] = rl_mul(gk, sign);
        return RL_DONE(n, dx);
    }
    if (isinf(p)) {
        RL_TEMP *sign = rl_sgn(x);
        RL_TEMP *size = rl_abs(x);
        RL_TEMP *hit = size ? rl_eq(size, yk) : NULL;
        int64_t dims[RL_MAX_DIMS];
        int count = 0;
        for (int d = 0; d < x->ndim; d++)
            if ((uint64_t)n->args.i[3] >> d & 1)
                dims[count++] = d;
        RL_TEMP *number =
            hit ? rl_sum(hit, count ? (rl_ints){dims, count} : all_dims, true, RL_NO_DTYPE) : NULL;
        RL_TEMP *share = number ? rl_div(gk, number, NULL) : NULL;
        RL_TEMP *placed = share && sign ? rl_mul(share, sign) : NULL;
        dx[0] = placed && hit ? rl_mul(placed, hit) : NULL;
        return RL_DONE(n, dx);
    }
    RL_TEMP *flat = rl_eq(yk, zero);
    RL_TEMP *direction = NULL;
    if (p == 2) {
        direction = rl_div(x, yk, NULL);
    } else {
        RL_TEMP *power = rl_wrap_number(rl_float(p - 1));
        RL_TEMP *size = rl_abs(x);
        RL_TEMP *ratio = size ? rl_div(size, yk, NULL) : NULL;
        RL_TEMP *raised = ratio && power ? rl_pow(ratio, power) : NULL;
        RL_TEMP *sign = rl_sgn(x);
        direction = raised && sign ? rl_mul(raised, sign) : NULL;
    }
    RL_TEMP *safe = direction && flat ? rl_masked_fill(direction, flat, zero) : NULL;
    dx[0] = safe ? rl_mul(gk, safe) : NULL;
    return RL_DONE(n, dx);
}

static const rl_node_type norm_node = {
    .name = "LinalgVectorNormBackward0", .backward = norm_backward, .n_saved = 2};

/* The norm's value: one reduction of squares or absolute values, or of powers. */
static rl_tensor *norm_data(rl_tensor *x, double p, const bool *mask, bool keepdim, rl_dtype result)
{
    rl_dtype compute = result == RL_F64 ? RL_F64 : RL_F32;
    const char *name = "linalg_vector_norm";
    if (p == 1)
        return rl_reduce_run(RL_REDUCE_SUMABS, name, x, mask, keepdim, compute, result, NULL);
    if (p == 2) {
        RL_TEMP *s = rl_reduce_run(RL_REDUCE_SUMSQ, name, x, mask, keepdim, compute, compute, NULL);
        return rl_map_run(&(rl_map){.op = RL_MAP_SQRT,
                                    .typing = RL_TYPE_FIXED,
                                    .compute = compute,
                                    .result = result,
                                    .name = name,
                                    .n = 1,
                                    .in = {s}});
    }
    RL_TEMP *cast = rl_cast_data(x, compute);
    RL_TEMP *size = cast ? rl_abs(cast) : NULL;
    if (isinf(p))
        return rl_reduce_run(p > 0 ? RL_REDUCE_MAX : RL_REDUCE_MIN, name, size, mask, keepdim,
                             compute, result, NULL);
    RL_TEMP *number = rl_wrap_number(rl_float(p));
    RL_TEMP *inverse = rl_wrap_number(rl_float(1 / p));
    if (p == 0) {
        RL_TEMP *filled = size && number ? rl_ne(size, number) : NULL;
        return rl_reduce_run(RL_REDUCE_SUM, name, filled, mask, keepdim, RL_I64, result, NULL);
    }
    RL_TEMP *raised = size && number ? rl_pow(size, number) : NULL;
    RL_TEMP *sum =
        rl_reduce_run(RL_REDUCE_SUM, name, raised, mask, keepdim, compute, compute, NULL);
    RL_TEMP *root = sum && inverse ? rl_pow(sum, inverse) : NULL;
    return root ? rl_cast_data(root, result) : NULL;
}

rl_tensor *rl_norm(rl_tensor *input, rl_scalar p, rl_ints dim, bool keepdim, rl_dtype dtype)
{
    bool mask[RL_MAX_DIMS];
    double power = p.dtype == RL_NO_DTYPE ? 2 : rl_scalar_double(p);
    if (!input || rl_dim_mask(dim, input->ndim, mask))
        return NULL;
    if (!rl_is_differentiable((rl_dtype)input->dtype))
        return rl_fail(
            RL_ERUNTIME,
            "linalg.vector_norm: Expected a floating point or complex tensor as input. Got %s",
            rl_dtype_title((rl_dtype)input->dtype));
    if (dtype != RL_NO_DTYPE && !rl_is_differentiable(dtype))
        return rl_fail(RL_ERUNTIME,
                       "linalg.vector_norm: dtype should be floating point or complex. Got %s",
                       rl_dtype_title(dtype));
    rl_dtype result = dtype == RL_NO_DTYPE ? (rl_dtype)input->dtype : dtype;
    if (rl_is_complex(result) != rl_has_complex(input))
        return rl_fail(RL_ERUNTIME,
                       "linalg.vector_norm: dtype should be %s for %s inputs, but got %s",
                       rl_has_complex(input) ? "complex" : "real",
                       rl_has_complex(input) ? "complex" : "real", rl_dtype_title(result));
    if (rl_promote((rl_dtype)input->dtype, result) != result)
        return rl_fail(RL_ERUNTIME,
                       "linalg.vector_norm: the dtype of the input (%s) should be convertible "
                       "without narrowing to the specified dtype (%s)",
                       rl_dtype_title((rl_dtype)input->dtype), rl_dtype_title(result));
    if (isinf(power) && rl_mask_count(input, mask) == 0)
        return rl_fail(
            RL_ERUNTIME,
            "linalg.vector_norm cannot compute the %g norm on an empty tensor because the "
            "operation does not have an identity",
            power);
    bool grad = rl_set_grad_enabled(false);
    RL_TEMP *sizes = rl_has_complex(input) ? rl_abs(input) : rl_retain(input);
    rl_tensor *y = sizes ? norm_data(sizes, power, mask, keepdim, rl_real_dtype(result)) : NULL;
    rl_set_grad_enabled(grad);
    if (!rl_recording(input))
        return y;
    rl_node *n = rl_node_new(&norm_node, y, 1, (rl_tensor *[]){input});
    rl_save(n, 0, input);
    rl_save_output(n, 1, y, 0);
    rl_reduced_set(n, input, mask, keepdim);
    if (n)
        n->args.f[0] = power;
    return rl_record(n, y);
}

rl_tensor *rl_norm_named(rl_tensor *input, const char *p, rl_ints dim, bool keepdim, rl_dtype dtype)
{
    if (!strcmp(p, "fro"))
        return rl_norm(input, rl_int(2), dim, keepdim, dtype);
    if (!strcmp(p, "nuc"))
        return rl_fail(RL_ENOTIMPL, "norm: the nuclear norm is not supported");
    return rl_fail(RL_ERUNTIME, "linalg.matrix_norm: Order %s not supported.", p);
}
