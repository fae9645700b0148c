/* renorm.c: slices whose norm is too large, scaled down to it. */
#include <math.h>

#include "core/iter.h"
#include "rushlight_ops.h"
#include "autograd/autograd.h"

/* y = x s,   s = m / (|x|_p + 1e-7) where |x|_p > m, 1 elsewhere; norms over all dims but one */
static const double guard = 1e-7;

static rl_ints other_dims(const rl_tensor *x, int64_t dim, int64_t *dims)
{
    int n = 0;
    for (int d = 0; d < x->ndim; d++)
        if (d != dim)
            dims[n++] = d;
    return (rl_ints){dims, n};
}

/* v times the derivative of the norm: sign(x) |x|^(p-1) / norm^(p-1) v; nothing where the norm is 0
 */
static rl_tensor *through_norm(rl_tensor *x, double p, rl_tensor *norm, rl_tensor *v, rl_ints dims)
{
    RL_TEMP *zero = rl_wrap_number(rl_float(0));
    RL_TEMP *sign = rl_sign(x);
    RL_TEMP *size = rl_abs(x);
    RL_TEMP *weight = NULL;
    if (isinf(p)) {
        RL_TEMP *hit = rl_eq(size, norm);
        RL_TEMP *count = hit ? rl_sum(hit, dims, true, RL_NO_DTYPE) : NULL;
        weight = count ? rl_div(hit, count, NULL) : NULL;
    } else {
        RL_TEMP *ratio = size ? rl_div(size, norm, NULL) : NULL;
        RL_TEMP *power = rl_wrap_number(rl_float(p - 1));
        weight = ratio ? rl_pow(ratio, power) : NULL;
    }
    RL_TEMP *slope = sign && weight ? rl_mul(sign, weight) : NULL;
    RL_TEMP *none = zero ? rl_eq(norm, zero) : NULL;
    RL_TEMP *safe = slope && none ? rl_where(none, zero, slope) : NULL;
    return safe ? rl_mul(safe, v) : NULL;
}

/* dx = m/n (g - d/n) where n > m with n = norm + 1e-7 and d the norm's derivative of sum(g x); g
 * elsewhere */
static rl_status renorm_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *x = rl_saved(n, 0);
    if (!x)
        return rl_error_code();
    int64_t dims[RL_MAX_DIMS];
    rl_ints others = other_dims(x, n->args.i[0], dims);
    double p = n->args.f[0];
    RL_TEMP *most = rl_wrap_number(rl_float(n->args.f[1]));
    RL_TEMP *small = rl_wrap_number(rl_float(guard));
    RL_TEMP *norm = rl_norm(x, rl_float(p), others, true, RL_NO_DTYPE);
    RL_TEMP *length = norm && small ? rl_add(norm, small, rl_int(1)) : NULL;
    RL_TEMP *gx = rl_mul(g[0], x);
    RL_TEMP *dot = gx ? rl_sum(gx, others, true, RL_NO_DTYPE) : NULL;
    RL_TEMP *pull = norm && dot ? through_norm(x, p, norm, dot, others) : NULL;
    RL_TEMP *part = pull && length ? rl_div(pull, length, NULL) : NULL;
    RL_TEMP *rest = part ? rl_sub(g[0], part, rl_int(1)) : NULL;
    RL_TEMP *scale = length && most ? rl_div(most, length, NULL) : NULL;
    RL_TEMP *scaled = rest && scale ? rl_mul(rest, scale) : NULL;
    RL_TEMP *above = norm && most ? rl_gt(norm, most) : NULL;
    dx[0] = scaled && above ? rl_where(above, scaled, g[0]) : NULL;
    return RL_DONE(n, dx);
}

static const rl_node_type renorm_node = {"RenormBackward0", renorm_backward, 1};

static rl_tensor *renorm_data(rl_tensor *x, double p, int64_t dim, double maxnorm)
{
    int64_t dims[RL_MAX_DIMS];
    rl_dtype compute = x->dtype == RL_F64 ? RL_F64 : RL_F32;
    RL_TEMP *most = rl_wrap_number(rl_float(maxnorm));
    RL_TEMP *small = rl_wrap_number(rl_float(guard));
    RL_TEMP *one = rl_wrap_number(rl_float(1));
    RL_TEMP *norm = rl_norm(x, rl_float(p), other_dims(x, dim, dims), true, compute);
    RL_TEMP *length = norm && small ? rl_add(norm, small, rl_int(1)) : NULL;
    RL_TEMP *scale = length && most ? rl_div(most, length, NULL) : NULL;
    RL_TEMP *above = norm && most ? rl_gt(norm, most) : NULL;
    RL_TEMP *factor = scale && above && one ? rl_where(above, scale, one) : NULL;
    RL_TEMP *y = factor ? rl_mul(x, factor) : NULL;
    return y ? rl_cast_data(y, (rl_dtype)x->dtype) : NULL;
}

rl_tensor *rl_renorm(rl_tensor *x, rl_scalar p, int64_t dim, rl_scalar maxnorm)
{
    double power = rl_scalar_double(p), most = rl_scalar_double(maxnorm);
    if (!x)
        return NULL;
    if (!(power > 0))
        return rl_fail(RL_ERUNTIME, "renorm: non-positive-norm not supported");
    if (!(most >= 0))
        return rl_fail(RL_ERUNTIME, "renorm: expected maxnorm to be >= 0 but got %g", most);
    if (x->ndim < 2)
        return rl_fail(RL_ERUNTIME, "renorm: input needs at least 2 dimensions, got %d dimensions",
                       x->ndim);
    if (rl_wrap_dim(&dim, x->ndim))
        return NULL;
    if (!rl_is_floating((rl_dtype)x->dtype))
        return rl_fail(
            RL_ERUNTIME,
            "linalg.vector_norm: Expected a floating point or complex tensor as input. Got %s",
            rl_dtype_title((rl_dtype)x->dtype));
    bool mode = rl_set_grad_enabled(false);
    rl_tensor *z = renorm_data(x, power, dim, most);
    rl_set_grad_enabled(mode);
    if (!z || !rl_recording(x))
        return z;
    rl_node *n = rl_node_new(&renorm_node, z, 1, &x);
    rl_save(n, 0, x);
    if (n) {
        n->args.i[0] = dim;
        n->args.f[0] = power;
        n->args.f[1] = most;
    }
    return rl_record(n, z);
}
