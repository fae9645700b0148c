/* gamma.c: draws from the gamma and the Dirichlet distribution, and how they move with their
 * parameters (implicit reparameterisation: Figurnov, Mohamed, Mnih 2018, section 3). */
#include <float.h>
#include <math.h>

#include "autograd/autograd.h"
#include "core/random.h"
#include "core/random_math.h"
#include "ops/unary.h"
#include "rushlight_ops.h"

/* ---- draws ---- */

/* One draw with shape a and scale 1 (Marsaglia and Tsang, "A simple method for generating gamma
 * variables", 2000); below 1 the boost of their section 6.  Which words of the generator are used,
 * and what is computed in single precision for single-precision parameters, follows PyTorch. */
static double draw_gamma(rl_generator *g, double a, bool single)
{
    double scale = 1;
    if (a < 1) {
        if (a == 0)
            return 0;
        double u = 1 - rl_draw_unit(g);
        scale = rl_exp_any(rl_log_unit(u) * (single ? (double)(1.0f / (float)a) : 1 / a));
        a = single ? (double)((float)a + 1.0f) : a + 1;
    }
    double d = single ? (double)((float)a - 1.0f / 3.0f) : a - (double)(1.0f / 3.0f);
    double c = 1 / sqrt(9 * d);
    for (;;) {
        double x, y;
        do {
            x = rl_draw_normal(g);
            y = 1 + c * x;
        } while (y <= 0);
        double v = y * y * y, u = 1 - rl_draw_unit(g), xx = x * x;
        if (u < 1 - (double)0.0331f * xx * xx ||
            rl_log_unit(u) < 0.5 * xx + d * (1 - v + rl_log_unit(v)) || isnan(v))
            return scale * d * v;
    }
}

static rl_status check_parameters(const rl_tensor *a, const char *kernel)
{
    if (!a)
        return rl_error_code();
    if (a->dtype != RL_F32 && a->dtype != RL_F64)
        return rl_error(RL_ENOTIMPL, "\"%s\" not implemented for '%s'", kernel,
                        rl_dtype_title((rl_dtype)a->dtype));
    return RL_OK;
}

/* The smallest normal number of a dtype: no draw is zero, since logarithms are taken. */
static double smallest(rl_dtype dtype) { return dtype == RL_F64 ? DBL_MIN : (double)FLT_MIN; }

/* One draw per element of a, in memory order: float64, contiguous, of a's shape. */
static rl_tensor *draws(rl_tensor *a, bool single, rl_generator *generator)
{
    RL_TEMP *wide = rl_cast_data(a, RL_F64);
    rl_tensor *z = wide ? rl_empty_shape(RL_F64, a->ndim, a->shape) : NULL;
    if (!z)
        return NULL;
    const double *shape = (const double *)wide->data;
    double *y = (double *)z->data;
    rl_generator *g = rl_generator_lock(generator);
    for (int64_t i = 0; i < z->numel; i++)
        y[i] = draw_gamma(g, shape[i], single);
    rl_generator_unlock(g);
    return z;
}

/* ---- how a draw moves with its parameter ----
 *
 * The quantile x of a parameter a has dx/da = -(dF(x; a) / da) / p(x).  dF / da is the integral
 * over t < x of p(t) s(t), s the derivative of log p(t) with respect to a, and the integral over t
 * > x is its negative: the tail that starts at x is taken, in which p(t) / p(x) falls from 1 to 0.
 * In w = log(t / x), or its like for the tail towards 1, p(t) dt / p(x) decays exponentially. */

typedef struct tail {
    double sign; /* of w: towards 0 or away from it */
    double x, a, b;
    double score; /* s at x */
} tail;

/* The integral of f(w) over w > 0 where f decays exponentially from a width s on: the trapezoidal
 * rule after w = s exp(t - exp(-t)) (Takahasi and Mori, "Double exponential formulas for numerical
 * integration", 1974, section 3). */
static double integrate(double f(const tail *p, double w), const tail *p, double s)
{
    enum { POINTS = 26 };
    const double step = 0.16;
    double sum = 0;
    for (int k = -POINTS; k <= POINTS; k++) {
        double t = step * k, e = rl_exp_any(-t), w = s * rl_exp_any(t - e);
        sum += f(p, w) * w * (1 + e);
    }
    return sum * step;
}

/* exp(d) - 1 without cancellation: 2 exp(d/2) sinh(d/2) */
static double exp_less_1(double d)
{
    double h = 0.5 * d, z = h * h;
    if (z > 0.25)
        return rl_exp_any(d) - 1;
    double sinh_h =
        h *
        (1 + z / 6 * (1 + z / 20 * (1 + z / 42 * (1 + z / 72 * (1 + z / 110 * (1 + z / 156))))));
    return 2 * rl_exp_any(h) * sinh_h;
}

/* log(1 + r), r >= 0: the rounding of 1 + r made up for */
static double log_1_and(double r)
{
    double u = 1 + r;
    return rl_log_unit(u) - ((u - 1) - r) / u;
}

/* p(t) dt / p(x) = exp(a d - x (exp(d) - 1)) x dw with d = sign w */
static double gamma_tail(const tail *p, double w)
{
    double d = p->sign * w;
    double exponent = (p->a - p->x) * d - p->x * (exp_less_1(d) - d);
    return exponent < -700 ? 0 : p->x * rl_exp_any(exponent) * (p->score + d);
}

/* The same from the series P(a, x) = sum of x^(a + k) exp(-x) / Gamma(a + k + 1), term by term. */
static double gamma_series(double a, double x, double digamma)
{
    double power = 1, sum = 0, log_x = rl_log_unit(x);
    for (int k = 0; k < 300; k++) {
        digamma += 1 / (a + k);
        power *= x / (a + k);
        sum += power * (digamma - log_x);
        if (power < 1e-17 * fabs(sum))
            break;
    }
    return sum;
}

/* dx/da of the gamma distribution's quantile x of shape a, scale 1. */
static double gamma_slope(double a, double x, double digamma)
{
    if (!(a > 0) || !(x >= 0) || isinf(a) || isinf(x))
        return NAN;
    if (x < DBL_MIN)
        return 0;
    if (a < 20 && (x < 1.5 || x < a))
        return gamma_series(a, x, digamma);
    tail p = {.sign = x < a ? -1 : 1, .x = x, .a = a, .score = rl_log_unit(x) - digamma};
    return p.sign * integrate(gamma_tail, &p, 1 / (fabs(a - x) + sqrt(x)));
}

/* Towards 0: t = x exp(-w), p(t) dt / p(x) = exp(-a w) ((1 - t) / (1 - x))^(b - 1) x dw.
 * Towards 1 the same with t and 1 - t, a and b exchanged. */
static double beta_tail(const tail *p, double w)
{
    double near = p->sign < 0 ? p->x : 1 - p->x, far = 1 - near;
    double power = p->sign < 0 ? p->a : p->b, other = p->sign < 0 ? p->b : p->a;
    double grown = log_1_and(-near / far * exp_less_1(-w)); /* log of the other factor's ratio */
    double exponent = (other - 1) * grown - power * w;
    double score = p->score + (p->sign < 0 ? -w : grown);
    return exponent < -700 ? 0 : near * rl_exp_any(exponent) * score;
}

/* The tail towards 0 from the series of (1 - t)^(b - 1); score: digamma(a + b) - digamma(a). */
static double beta_series_low(double a, double b, double x, double score)
{
    double log_x = rl_log_unit(x), power = x, sum = 0;
    for (int k = 0; k < 300; k++) {
        /* the first term's score is near 1 / a, which goes off against it exactly */
        double less = k ? 1 / (a + k) : 1 / a, term = power / (a + k) * (log_x + (score - less));
        sum += term;
        power *= x * (k + 1 - b) / (k + 1);
        if (fabs(power) < 1e-18 * fabs(sum))
            break;
    }
    return -sum / rl_exp_any((b - 1) * -log_1_and(x / (1 - x)));
}

/* The tail towards 1: the series of (1 - u)^(a - 1) and of its derivative with respect to a, in
 * u = 1 - t. */
static double beta_series_high(double a, double b, double x, double score)
{
    double y = 1 - x, power = y, c = 1, slope = 0, sum = 0;
    for (int k = 0; k < 300; k++) {
        sum += power / (b + k) * (score * c + slope);
        slope = (slope * (k + 1 - a) - c) / (k + 1);
        c *= (k + 1 - a) / (k + 1);
        power *= y;
        if (power < 1e-18)
            break;
    }
    return sum / rl_exp_any((a - 1) * rl_log_unit(x));
}

/* dx/da of the beta distribution's quantile x of parameters a and b. */
static double beta_slope(double a, double b, double x, double score)
{
    if (!(a > 0) || !(b > 0) || isinf(a) || isinf(b) || !(x >= 0 && x <= 1))
        return NAN;
    if (x < DBL_MIN || x == 1)
        return 0;
    if (x <= 0.6 && x * b <= 2)
        return beta_series_low(a, b, x, score);
    if (x >= 0.4 && (1 - x) * a <= 2)
        return beta_series_high(a, b, x, score);
    tail p = {.sign = x < a / (a + b) ? -1 : 1, .x = x, .a = a, .b = b};
    p.score = rl_log_unit(x) + score;
    double near = p.sign < 0 ? x : 1 - x, far = 1 - near;
    double power = p.sign < 0 ? a : b, other = p.sign < 0 ? b : a;
    double slope = fabs(power - (other - 1) * near / far);
    double bend = fabs(other - 1) * near / (far * far);
    return p.sign * integrate(beta_tail, &p, 1 / (slope + sqrt(bend)));
}

/* ---- the operators ---- */

/* Draws whose derivative PyTorch does not have either: the node says so when it is asked. */
static rl_status no_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    (void)g, (void)dx;
    static const char *const names[] = {"_sample_dirichlet", "_dirichlet_grad",
                                        "_standard_gamma_grad"};
    return rl_error(RL_ENOTIMPL, "derivative for aten::%s is not implemented", names[n->args.i[0]]);
}
static const rl_node_type no_derivative = {.name = "NotImplemented", .backward = no_backward};

static rl_tensor *without_derivative(int which, rl_tensor *z, int n_inputs, rl_tensor **inputs)
{
    if (!z || !rl_recording_any((rl_tensors){inputs, n_inputs}))
        return z;
    rl_node *n = rl_node_new(&no_derivative, z, n_inputs, inputs);
    if (n)
        n->args.i[0] = which;
    return rl_record(n, z);
}

BACKWARD(standard_gamma, RL_TEMP *a = rl_saved(n, 1);
         RL_TEMP *d = a ? rl_standard_gamma_grad(a, v) : NULL; dx[0] = rl_mul(g, d);)
static const rl_node_type standard_gamma_node = {
    .name = "StandardGammaBackward0", .backward = standard_gamma_backward, .n_saved = 2};

rl_tensor *rl_standard_gamma(rl_tensor *input, rl_generator *generator)
{
    if (check_parameters(input, "gamma_cpu"))
        return NULL;
    rl_dtype dtype = (rl_dtype)input->dtype;
    RL_TEMP *y = draws(input, dtype != RL_F64, generator);
    if (!y)
        return NULL;
    double least = smallest(dtype);
    for (int64_t i = 0; i < y->numel; i++)
        ((double *)y->data)[i] = fmax(((double *)y->data)[i], least);
    rl_tensor *z = rl_cast_data(y, dtype);
    if (!z || !rl_recording(input))
        return z;
    rl_node *n = rl_node_new(&standard_gamma_node, z, 1, &input);
    rl_save_output(n, 0, z, 0);
    rl_save(n, 1, input);
    return rl_record(n, z);
}

rl_tensor *rl_standard_gamma_grad(rl_tensor *input, rl_tensor *output)
{
    if (check_parameters(input, "_standard_gamma_grad_cpu") || !output)
        return NULL;
    if (!rl_same_shape(input, output))
        return rl_fail(RL_ERUNTIME, "_standard_gamma_grad(): shapes %s and %s differ",
                       rl_shape_str(input).s, rl_shape_str(output).s);
    bool mode = rl_set_grad_enabled(false);
    RL_TEMP *a = rl_cast_data(input, RL_F64);
    RL_TEMP *x = rl_cast_data(output, RL_F64);
    RL_TEMP *digamma = a ? rl_digamma(a) : NULL;
    rl_set_grad_enabled(mode);
    RL_TEMP *z = digamma && x ? rl_empty_shape(RL_F64, input->ndim, input->shape) : NULL;
    if (!z)
        return NULL;
    for (int64_t i = 0; i < z->numel; i++)
        ((double *)z->data)[i] = gamma_slope(((double *)a->data)[i], ((double *)x->data)[i],
                                             ((double *)digamma->data)[i]);
    return without_derivative(2, rl_cast_data(z, (rl_dtype)input->dtype), 2,
                              (rl_tensor *[]){input, output});
}

rl_tensor *rl_sample_dirichlet(rl_tensor *input, rl_generator *generator)
{
    if (check_parameters(input, "dirichlet"))
        return NULL;
    rl_dtype dtype = (rl_dtype)input->dtype;
    RL_TEMP *y = draws(input, false, generator);
    if (!y)
        return NULL;
    int64_t n = y->ndim ? y->shape[y->ndim - 1] : 1;
    double least = smallest(dtype), most = dtype == RL_F64 ? 0x1.fffffffffffffp-1 : 0x1.fffffep-1;
    for (double *row = (double *)y->data, *end = row + y->numel; row < end; row += n) {
        double total = 0;
        for (int64_t i = 0; i < n; i++)
            total += row[i];
        for (int64_t i = 0; i < n; i++)
            row[i] = fmin(fmax(row[i] / total, least), most);
    }
    return without_derivative(0, rl_cast_data(y, dtype), 1, &input);
}

/* dx/da of a component of a Dirichlet draw: of a beta quantile, the others sharing what it leaves.
 */
rl_tensor *rl_dirichlet_grad(rl_tensor *x, rl_tensor *alpha, rl_tensor *total)
{
    if (check_parameters(x, "_dirichlet_grad_cpu") || !alpha || !total)
        return NULL;
    if (alpha->dtype != x->dtype || total->dtype != x->dtype)
        return rl_fail(RL_ERUNTIME, "Found dtype %s but expected %s",
                       rl_dtype_title((rl_dtype)(alpha->dtype != x->dtype ? alpha : total)->dtype),
                       rl_dtype_title((rl_dtype)x->dtype));
    if (!rl_same_shape(x, alpha) || !rl_same_shape(x, total))
        return rl_fail(RL_ERUNTIME, "_dirichlet_grad(): shapes %s, %s and %s differ",
                       rl_shape_str(x).s, rl_shape_str(alpha).s, rl_shape_str(total).s);
    bool mode = rl_set_grad_enabled(false);
    RL_TEMP *a = rl_cast_data(alpha, RL_F64);
    RL_TEMP *t = rl_cast_data(total, RL_F64);
    RL_TEMP *v = rl_cast_data(x, RL_F64);
    RL_TEMP *of_a = a ? rl_digamma(a) : NULL;
    RL_TEMP *of_t = t ? rl_digamma(t) : NULL;
    rl_set_grad_enabled(mode);
    RL_TEMP *z = of_a && of_t && v ? rl_empty_shape(RL_F64, x->ndim, x->shape) : NULL;
    if (!z)
        return NULL;
    for (int64_t i = 0; i < z->numel; i++) {
        double p = ((double *)a->data)[i], q = ((double *)t->data)[i] - p,
               u = ((double *)v->data)[i];
        double score = ((double *)of_t->data)[i] - ((double *)of_a->data)[i];
        ((double *)z->data)[i] = beta_slope(p, q, u, score) / (1 - u);
    }
    return without_derivative(1, rl_cast_data(z, (rl_dtype)x->dtype), 3,
                              (rl_tensor *[]){x, alpha, total});
}
