/* activation.c: activation functions.  Their derivatives are fused into one pass each; such a pass
 * is an operator with a derivative of its own (second derivatives follow from formulas written with
 * public operators). */
#include <float.h>
#include <math.h>

#include "ops/unary.h"

/* ---- fused derivatives: dx = f'(v) g, in one kernel ---- */

/* The second derivative of an activation at v, without the factors g: what d(dx)/dv needs.  n: the
 * slope's node. */
typedef rl_tensor *second_fn(rl_node *n, rl_tensor *v);

typedef struct slope {
    rl_map_op op;
    const char *kernel;
    rl_node_type node;
    second_fn *second; /* NULL: zero */
} slope;

/* Whether nobody but the engine (and the formula that asks) will look at g again: dx may take its
 * place. */
static bool is_spare(const rl_node *n, rl_tensor *g, rl_tensor *v)
{
    return atomic_load(&g->refs) == 2 && atomic_load(&g->storage->refs) == 1 && !n->hooks &&
           !g->ag && !g->storage->free_data && g->contiguous && g->dtype == v->dtype &&
           rl_same_shape(g, v) && !rl_recording(g) && !rl_recording(v);
}

/* Into `out`, or a new tensor if that is NULL. */
static rl_tensor *slope_apply(const slope *s, rl_tensor *g, rl_tensor *v, const rl_args *args,
                              rl_tensor *out)
{
    rl_map m = {.op = s->op,
                .typing = RL_TYPE_PROMOTE,
                .name = s->kernel,
                .n = 2,
                .in = {g, v},
                .out = out};
    m.args.f[0] = args->f[0];
    m.args.f[1] = args->f[1];
    m.args.f[2] = rl_scalar_double(args->s[0]);
    rl_tensor *z = rl_map_run(&m);
    if (!z || (!rl_recording(g) && !rl_recording(v)))
        return z;
    rl_node *n = rl_node_new(&s->node, z, 2, (rl_tensor *[]){g, v});
    if (n) {
        n->args.f[0] = args->f[0];
        n->args.f[1] = args->f[1];
        n->args.s[0] = args->s[0];
    }
    rl_save(n, 0, g);
    rl_save(n, 1, v);
    return rl_record(n, z);
}

/* z = f'(v) g      dg = f'(v) gg,  dv = f''(v) g gg */
static rl_status slope_backward(const slope *s, rl_node *n, rl_tensor *const *gg, rl_tensor **dx)
{
    RL_TEMP *v = rl_saved(n, 1);
    if (!v)
        return rl_error_code();
    if (rl_wants(n, 0))
        dx[0] = slope_apply(s, gg[0], v, &n->args, NULL);
    if (rl_wants(n, 1) && s->second) {
        RL_TEMP *g = rl_saved(n, 0);
        RL_TEMP *both = rl_mul(gg[0], g);
        RL_TEMP *second = s->second(n, v);
        dx[1] = rl_mul(both, second);
    } else if (rl_wants(n, 1)) {
        dx[1] = rl_zeros_like(v, RL_NO_DTYPE);
    }
    return RL_DONE(n, dx);
}

/* Defines f_slope, and f_backward which applies it to what f saved. */
#define SLOPE(f, OP, kernel_name, Node, second_derivative)                                         \
    static rl_status f##_slope_backward(rl_node *n, rl_tensor *const *gg, rl_tensor **dx);         \
    static const slope f##_slope = {RL_MAP_##OP,                                                   \
                                    kernel_name,                                                   \
                                    {.name = Node, .backward = f##_slope_backward, .n_saved = 2},  \
                                    second_derivative};                                            \
    static rl_status f##_slope_backward(rl_node *n, rl_tensor *const *gg, rl_tensor **dx)          \
    {                                                                                              \
        return slope_backward(&f##_slope, n, gg, dx);                                              \
    }                                                                                              \
    BACKWARD(f, dx[0] = slope_apply(&f##_slope, g, v, &n->args, is_spare(n, g, v) ? g : NULL);)

/* Activations of floating dtypes only, as in PyTorch: other dtypes have no kernel. */
static rl_tensor *floating_only(const rl_unary *u, rl_tensor *x, const rl_kargs *a, bool into)
{
    if (!x)
        return NULL;
    if (!rl_is_floating((rl_dtype)x->dtype))
        return rl_fail(RL_ENOTIMPL, "\"%s\" not implemented for '%s'", u->kernel,
                       rl_dtype_title((rl_dtype)x->dtype));
    return into ? rl_unary_apply_(u, x, a) : rl_unary_apply(u, x, a);
}

/* ---- sigmoid: y = 1 / (1 + e^-x)      dx = g (1 - y) y;  of y: g gg (1 - 2 y) ---- */

static rl_tensor *sigmoid_second(rl_node *n, rl_tensor *y)
{
    (void)n;
    RL_TEMP *twice = rl_mul_number(y, rl_int(2));
    return rl_number_minus(rl_int(1), twice);
}
SLOPE(sigmoid, SIGMOID_BACKWARD, "sigmoid_backward_cpu", "SigmoidBackwardBackward0", sigmoid_second)
DESCRIBE(sigmoid, SIGMOID, FLOAT, "sigmoid_cpu", SAVES_OUTPUT, "SigmoidBackward0")

static rl_tensor *complex_sigmoid(rl_tensor *x)
{
    RL_TEMP *minus = rl_neg(x);
    RL_TEMP *e = rl_exp(minus);
    RL_TEMP *below = rl_add_number(e, rl_int(1));
    return rl_reciprocal(below);
}
rl_tensor *rl_sigmoid(rl_tensor *input)
{
    return input && rl_has_complex(input) ? complex_sigmoid(input)
                                          : rl_unary_apply(&sigmoid_unary, input, NULL);
}
rl_tensor *rl_sigmoid_(rl_tensor *input)
{
    if (!input || !rl_has_complex(input))
        return rl_unary_apply_(&sigmoid_unary, input, NULL);
    RL_TEMP *self = rl_inplace_source(input, rl_recording(input));
    return self ? rl_inplace_assign(input, complex_sigmoid(self)) : NULL;
}

/* ---- relu: the output serves as well as the input ---- */

SLOPE(relu, THRESHOLD_BACKWARD, "threshold_backward_cpu", "ThresholdBackwardBackward0", NULL)
DESCRIBE(relu, RELU, PROMOTE, "clamp_min_scalar_cpu", SAVES_OUTPUT, "ReluBackward0")

static rl_status refuse_bool(const rl_tensor *x, const char *name, const char *word)
{
    if (x && x->dtype == RL_BOOL)
        return rl_error(RL_ERUNTIME, "%s inputs not supported for %s", word, name);
    return RL_OK;
}
rl_tensor *rl_relu(rl_tensor *input)
{
    return refuse_bool(input, "relu", "Boolean") ? NULL : rl_unary_apply(&relu_unary, input, NULL);
}
rl_tensor *rl_relu_(rl_tensor *input)
{
    return refuse_bool(input, "relu", "Boolean") ? NULL : rl_unary_apply_(&relu_unary, input, NULL);
}

/* ---- threshold: x > f0 ? x : f1 ---- */

SLOPE(threshold, THRESHOLD_BACKWARD, "threshold_backward_cpu", "ThresholdBackwardBackward0", NULL)
DESCRIBE(threshold, THRESHOLD, PROMOTE, "threshold_cpu", SAVES_INPUT, "ThresholdBackward0")

rl_tensor *rl_threshold(rl_tensor *input, rl_scalar threshold, rl_scalar value)
{
    if (input && rl_is_integral((rl_dtype)input->dtype, false) &&
        (rl_check_scalar(threshold, (rl_dtype)input->dtype) ||
         rl_check_scalar(value, (rl_dtype)input->dtype)))
        return NULL;
    rl_kargs a = {{rl_scalar_double(threshold), rl_scalar_double(value)},
                  {rl_scalar_int(threshold), rl_scalar_int(value)}};
    return rl_unary_apply(&threshold_unary, input, &a);
}

/* ---- leaky_relu: f0 the slope ---- */

SLOPE(leaky_relu, LEAKY_RELU_BACKWARD, "leaky_relu_backward_cpu", "LeakyReluBackwardBackward0",
      NULL)
DESCRIBE(leaky_relu, LEAKY_RELU, PROMOTE, "leaky_relu_cpu", SAVES_INPUT, "LeakyReluBackward0")

rl_tensor *rl_leaky_relu(rl_tensor *input, double negative_slope)
{
    return floating_only(&leaky_relu_unary, input, &(rl_kargs){{negative_slope}, {0}}, false);
}

/* ---- elu: x > 0 ? scale x : scale alpha (e^(c x) - 1) ---- */

/* for x < 0: scale alpha c^2 e^(c x) */
static rl_tensor *elu_second(rl_node *n, rl_tensor *x)
{
    double alpha = n->args.f[0], scale = n->args.f[1], c = rl_scalar_double(n->args.s[0]);
    RL_TEMP *zero = rl_wrap_number(rl_float(0));
    RL_TEMP *low = rl_clamp_max(x, zero);
    RL_TEMP *cx = rl_mul_number(low, rl_float(c));
    RL_TEMP *e = rl_exp(cx);
    RL_TEMP *second = rl_mul_number(e, rl_float(scale * alpha * c * c));
    RL_TEMP *negative = rl_lt(x, zero);
    return rl_where(negative, second, zero);
}
SLOPE(elu, ELU_BACKWARD, "elu_backward_cpu", "EluBackwardBackward0", elu_second)
DESCRIBE(elu, ELU, PROMOTE, "elu_cpu", SAVES_INPUT, "EluBackward0")
static const rl_unary celu_unary = {
    RL_MAP_ELU,
    RL_TYPE_PROMOTE,
    "elu_cpu",
    SAVES_INPUT,
    {.name = "CeluBackward0", .backward = elu_backward, .n_saved = 1}};

rl_tensor *rl_elu(rl_tensor *input, double alpha, double scale, double input_scale)
{
    return floating_only(&elu_unary, input, &(rl_kargs){{alpha, scale, input_scale}, {0}}, false);
}

rl_tensor *rl_selu(rl_tensor *input)
{
    return rl_elu(input, 1.6732632423543772848170429916717, 1.0507009873554804934193349852946, 1);
}

rl_tensor *rl_celu(rl_tensor *input, double alpha)
{
    if (alpha == 0)
        return rl_fail(RL_ERUNTIME, "ZeroDivisionError: alpha cannot be 0 for CELU");
    return floating_only(&celu_unary, input, &(rl_kargs){{alpha, 1, 1 / alpha}, {0}}, false);
}

/* ---- gelu: x Phi(x)      slope Phi(x) + x phi(x);  second phi(x) (2 - x^2) ---- */

static rl_tensor *gelu_second(rl_node *n, rl_tensor *x)
{
    (void)n;
    RL_TEMP *x2 = rl_mul(x, x);
    RL_TEMP *half = rl_mul_number(x2, rl_float(-0.5));
    RL_TEMP *bell = rl_exp(half);
    RL_TEMP *phi = rl_mul_number(bell, rl_float(0.39894228040143267794));
    RL_TEMP *rest = rl_number_minus(rl_int(2), x2);
    return rl_mul(phi, rest);
}

/* With u = k (x + c x^3), t = tanh u:  (1 - t^2) (u' - x t u'^2 + x u'' / 2) */
static rl_tensor *gelu_tanh_second(rl_node *n, rl_tensor *x)
{
    (void)n;
    const double k = 0.79788456080286535588, c = 0.044715;
    RL_TEMP *x2 = rl_mul(x, x);
    RL_TEMP *x3 = rl_mul(x2, x);
    RL_TEMP *cube = rl_mul_number(x3, rl_float(c));
    RL_TEMP *inner = rl_add(x, cube, rl_int(1));
    RL_TEMP *u = rl_mul_number(inner, rl_float(k));
    RL_TEMP *t = rl_tanh(u);
    RL_TEMP *scaled = rl_mul_number(x2, rl_float(3 * c * k));
    RL_TEMP *u1 = rl_add_number(scaled, rl_float(k));       /* u' */
    RL_TEMP *bend = rl_mul_number(x2, rl_float(3 * c * k)); /* x u'' / 2 */
    RL_TEMP *u1_squared = rl_mul(u1, u1);
    RL_TEMP *xt = rl_mul(x, t);
    RL_TEMP *drop = rl_mul(xt, u1_squared);
    RL_TEMP *a = rl_sub(u1, drop, rl_int(1));
    RL_TEMP *b = rl_add(a, bend, rl_int(1));
    RL_TEMP *t2 = rl_mul(t, t);
    RL_TEMP *rest = rl_number_minus(rl_int(1), t2);
    return rl_mul(rest, b);
}

SLOPE(gelu, GELU_BACKWARD, "GeluBackwardKernelImpl", "GeluBackwardBackward0", gelu_second)
SLOPE(gelu_tanh, GELU_TANH_BACKWARD, "GeluBackwardKernelImpl", "GeluBackwardBackward0",
      gelu_tanh_second)
DESCRIBE(gelu, GELU, PROMOTE, "GeluKernelImpl", SAVES_INPUT, "GeluBackward0")
DESCRIBE(gelu_tanh, GELU_TANH, PROMOTE, "GeluKernelImpl", SAVES_INPUT, "GeluBackward0")

rl_tensor *rl_gelu(rl_tensor *input, const char *approximate)
{
    bool by_tanh = approximate && strcmp(approximate, "tanh") == 0;
    if (approximate && !by_tanh && strcmp(approximate, "none") != 0)
        return rl_fail(RL_ERUNTIME, "approximate argument must be either none or tanh.");
    return floating_only(by_tanh ? &gelu_tanh_unary : &gelu_unary, input, NULL, false);
}

/* ---- silu: x s, s = sigmoid(x)      second s (1 - s) (2 + x (1 - 2 s)) ---- */

static rl_tensor *silu_second(rl_node *n, rl_tensor *x)
{
    (void)n;
    RL_TEMP *s = rl_sigmoid(x);
    RL_TEMP *rest = rl_number_minus(rl_int(1), s);
    RL_TEMP *bell = rl_mul(s, rest);
    RL_TEMP *lean = rl_sub(rest, s, rl_int(1));
    RL_TEMP *xl = rl_mul(x, lean);
    RL_TEMP *factor = rl_add_number(xl, rl_int(2));
    return rl_mul(bell, factor);
}
SLOPE(silu, SILU_BACKWARD, "silu_backward_cpu", "SiluBackwardBackward0", silu_second)
DESCRIBE(silu, SILU, PROMOTE, "silu_cpu", SAVES_INPUT, "SiluBackward0")
rl_tensor *rl_silu(rl_tensor *input)
{
    if (!input || !rl_has_complex(input))
        return floating_only(&silu_unary, input, NULL, false);
    RL_TEMP *s = rl_sigmoid(input);
    return rl_mul(input, s);
}

/* ---- mish: x t, t = tanh(softplus(x)), s = sigmoid(x)
 * second (1 - t^2) s (2 + x (1 - s) - 2 x t s) ---- */

static rl_tensor *mish_second(rl_node *n, rl_tensor *x)
{
    (void)n;
    RL_TEMP *s = rl_sigmoid(x);
    RL_TEMP *soft = rl_softplus(x, 1, INFINITY);
    RL_TEMP *t = rl_tanh(soft);
    RL_TEMP *t2 = rl_mul(t, t);
    RL_TEMP *flat = rl_number_minus(rl_int(1), t2);
    RL_TEMP *fs = rl_mul(flat, s);
    RL_TEMP *rest = rl_number_minus(rl_int(1), s);
    RL_TEMP *ts = rl_mul(t, s);
    RL_TEMP *inner = rl_sub(rest, ts, rl_int(2));
    RL_TEMP *xi = rl_mul(x, inner);
    RL_TEMP *factor = rl_add_number(xi, rl_int(2));
    return rl_mul(fs, factor);
}
SLOPE(mish, MISH_BACKWARD, "mish_backward_cpu", "MishBackwardBackward0", mish_second)
DESCRIBE(mish, MISH, PROMOTE, "mish_cpu", SAVES_INPUT, "MishBackward0")
rl_tensor *rl_mish(rl_tensor *input) { return floating_only(&mish_unary, input, NULL, false); }

/* ---- softplus: log(1 + e^(b x)) / b, x itself where b x > f1      second b s (1 - s), s =
 * sigmoid(b x) ---- */

static rl_tensor *softplus_second(rl_node *n, rl_tensor *x)
{
    RL_TEMP *bx = rl_mul_number(x, rl_float(n->args.f[0]));
    RL_TEMP *s = rl_sigmoid(bx);
    RL_TEMP *rest = rl_number_minus(rl_int(1), s);
    RL_TEMP *bell = rl_mul(s, rest);
    RL_TEMP *second = rl_mul_number(bell, rl_float(n->args.f[0]));
    RL_TEMP *limit = rl_wrap_number(rl_float(n->args.f[1]));
    RL_TEMP *zero = rl_wrap_number(rl_float(0));
    RL_TEMP *straight = rl_ge(bx, limit);
    return rl_where(straight, zero, second);
}
SLOPE(softplus, SOFTPLUS_BACKWARD, "softplus_backward_cpu", "SoftplusBackwardBackward0",
      softplus_second)
DESCRIBE(softplus, SOFTPLUS, PROMOTE, "softplus_cpu", SAVES_INPUT, "SoftplusBackward0")
rl_tensor *rl_softplus(rl_tensor *input, double beta, double threshold)
{
    return floating_only(&softplus_unary, input, &(rl_kargs){{beta, threshold}, {0}}, false);
}

/* ---- log_sigmoid: second -s (1 - s), s = sigmoid(x) ---- */

static rl_tensor *log_sigmoid_second(rl_node *n, rl_tensor *x)
{
    (void)n;
    RL_TEMP *s = rl_sigmoid(x);
    RL_TEMP *less = rl_add_number(s, rl_int(-1));
    return rl_mul(s, less);
}
SLOPE(log_sigmoid, LOG_SIGMOID_BACKWARD, "log_sigmoid_backward_cpu", "LogSigmoidBackwardBackward0",
      log_sigmoid_second)
DESCRIBE(log_sigmoid, LOG_SIGMOID, PROMOTE, "log_sigmoid_cpu", SAVES_INPUT, "LogSigmoidBackward0")
/* The result is row-major whatever the input's strides, as in PyTorch. */
rl_tensor *rl_log_sigmoid(rl_tensor *input)
{
    if (!input || input->contiguous || !rl_is_floating((rl_dtype)input->dtype))
        return floating_only(&log_sigmoid_unary, input, NULL, false);
    RL_TEMP *x = rl_contiguous(input);
    return floating_only(&log_sigmoid_unary, x, NULL, false);
}

/* ---- hardtanh: limits f0, f1 ---- */

SLOPE(hardtanh, HARDTANH_BACKWARD, "hardtanh_backward_cpu", "HardtanhBackwardBackward0", NULL)
DESCRIBE(hardtanh, CLAMP, PROMOTE, "hardtanh_cpu", SAVES_INPUT, "HardtanhBackward0")
rl_tensor *rl_hardtanh(rl_tensor *input, double min_val, double max_val)
{
    if (refuse_bool(input, "hardtanh", "Bool"))
        return NULL;
    if (!input)
        return NULL;
    if (rl_is_integral((rl_dtype)input->dtype, false)) {
        if (input->dtype == RL_U8 && (min_val < 0 || max_val < 0))
            return rl_fail(RL_ERUNTIME, "cannot do hardtanh on an unsigned type with negative "
                                        "limits");
        if (rl_check_scalar(rl_float(min_val), (rl_dtype)input->dtype) ||
            rl_check_scalar(rl_float(max_val), (rl_dtype)input->dtype))
            return NULL;
    }
    rl_kargs a = {{min_val, max_val}, {(int64_t)min_val, (int64_t)max_val}};
    return rl_unary_apply(&hardtanh_unary, input, &a);
}

/* ---- hardsigmoid, hardswish ---- */

SLOPE(hardsigmoid, HARDSIGMOID_BACKWARD, "hardsigmoid_backward", "HardsigmoidBackwardBackward0",
      NULL)
DESCRIBE(hardsigmoid, HARDSIGMOID, PROMOTE, "hardsigmoid_cpu", SAVES_INPUT, "HardsigmoidBackward0")
rl_tensor *rl_hardsigmoid(rl_tensor *input)
{
    return floating_only(&hardsigmoid_unary, input, NULL, false);
}

/* 1/3 between -3 and 3 */
static rl_tensor *hardswish_second(rl_node *n, rl_tensor *x)
{
    (void)n;
    RL_TEMP *size = rl_abs(x);
    RL_TEMP *three = rl_wrap_number(rl_float(3));
    RL_TEMP *inside = rl_lt(size, three);
    RL_TEMP *zero = rl_zeros_like(x, RL_NO_DTYPE);
    RL_TEMP *third = rl_wrap_number(rl_float(1.0 / 3));
    return rl_where(inside, third, zero);
}
SLOPE(hardswish, HARDSWISH_BACKWARD, "hardswish_backward_cpu", "HardswishBackwardBackward0",
      hardswish_second)
DESCRIBE(hardswish, HARDSWISH, PROMOTE, "hardswish_cpu", SAVES_INPUT, "HardswishBackward0")
rl_tensor *rl_hardswish(rl_tensor *input)
{
    return floating_only(&hardswish_unary, input, NULL, false);
}

/* ---- hardshrink, softshrink: lambda f0; no gradient from -lambda to lambda ---- */

SLOPE(hardshrink, SHRINK_BACKWARD, "shrink_backward_cpu", "HardshrinkBackwardBackward0", NULL)
SLOPE(softshrink, SHRINK_BACKWARD, "shrink_backward_cpu", "SoftshrinkBackwardBackward0", NULL)
DESCRIBE(hardshrink, HARDSHRINK, PROMOTE, "hardshrink_cpu", SAVES_INPUT, "HardshrinkBackward0")
DESCRIBE(softshrink, SOFTSHRINK, PROMOTE, "softshrink_check", SAVES_INPUT, "SoftshrinkBackward0")

rl_tensor *rl_hardshrink(rl_tensor *input, rl_scalar lambd)
{
    return floating_only(&hardshrink_unary, input, &(rl_kargs){{rl_scalar_double(lambd)}, {0}},
                         false);
}

rl_tensor *rl_softshrink(rl_tensor *input, rl_scalar lambd)
{
    static const double largest[RL_NDTYPES] = {[RL_F16] = 65504,
                                               [RL_BF16] = 3.3895313892515355e38,
                                               [RL_F32] = FLT_MAX,
                                               [RL_F64] = DBL_MAX};
    double limit = rl_scalar_double(lambd);
    if (input && rl_is_floating((rl_dtype)input->dtype) &&
        !(limit >= 0 && limit <= largest[input->dtype]))
        return rl_fail(RL_ERUNTIME,
                       "lambda must be in range [0, %g] for input dtype %s, but found %g",
                       largest[input->dtype], rl_dtype_title((rl_dtype)input->dtype), limit);
    return floating_only(&softshrink_unary, input, &(rl_kargs){{limit}, {0}}, false);
}

/* ---- prelu: x > 0 ? x : w x      dx = x > 0 ? g : w g,  dw = sum of min(x, 0) g ---- */

static rl_status prelu_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *x = rl_saved(n, 0);
    RL_TEMP *w = rl_saved(n, 1);
    RL_TEMP *zero = rl_wrap_number(rl_float(0));
    RL_TEMP *positive = rl_gt(x, zero);
    if (rl_wants(n, 0)) {
        RL_TEMP *low = rl_mul(g[0], w);
        dx[0] = rl_where(positive, g[0], low);
    }
    if (rl_wants(n, 1)) {
        RL_TEMP *low = rl_mul(g[0], x);
        RL_TEMP *flat = rl_ge(x, zero); /* so that the second derivative at 0 is 0, as PyTorch's */
        dx[1] = rl_where(flat, zero, low);
    }
    return RL_DONE(n, dx);
}
static const rl_node_type prelu_node = {
    .name = "PreluKernelBackward0", .backward = prelu_backward, .n_saved = 2};

rl_tensor *rl_prelu(rl_tensor *input, rl_tensor *weight)
{
    if (!input || !weight)
        return NULL;
    int64_t shape[RL_MAX_DIMS], channels = input->ndim >= 2 ? input->shape[1] : 1;
    if (weight->numel != 1 && weight->numel != channels)
        return rl_fail(RL_ERUNTIME,
                       "Mismatch of parameter numbers and input channel size. Found parameter "
                       "numbers = %lld and channel size = %lld.",
                       (long long)weight->numel, (long long)channels);
    if (input->dtype != weight->dtype)
        return rl_fail(RL_ERUNTIME, "prelu: Type promoting not supported. Got %s and %s",
                       rl_dtype_title((rl_dtype)input->dtype),
                       rl_dtype_title((rl_dtype)weight->dtype));
    if (!rl_is_floating((rl_dtype)input->dtype))
        return rl_fail(RL_ENOTIMPL, "\"prelu_cpu\" not implemented for '%s'",
                       rl_dtype_title((rl_dtype)input->dtype));
    for (int d = 0; d < input->ndim; d++)
        shape[d] = d == 1 || input->ndim == 1 ? weight->numel : 1;
    RL_TEMP *w = rl_reshape(weight, (rl_ints){shape, input->ndim});
    RL_TEMP *zero = rl_wrap_number(rl_float(0));
    RL_TEMP *positive = NULL, *low = NULL;
    rl_tensor *z = NULL;
    bool mode = rl_set_grad_enabled(false);
    positive = w ? rl_gt(input, zero) : NULL;
    low = rl_mul(input, w);
    z = rl_where(positive, input, low);
    rl_set_grad_enabled(mode);
    if (!z || (!rl_recording(input) && !rl_recording(w)))
        return z;
    rl_node *n = rl_node_new(&prelu_node, z, 2, (rl_tensor *[]){input, w});
    rl_save(n, 0, input);
    rl_save(n, 1, w);
    return rl_record(n, z);
}
