/* unary.c: functions of one tensor. */
#include <float.h>
#include <math.h>

#include "ops/complex.h"
#include "ops/unary.h"

static rl_map map_of(const rl_unary *u, rl_tensor *x, const rl_kargs *a)
{
    rl_map m = {.op = u->op, .typing = u->typing, .name = u->kernel, .n = 1, .in = {x}};
    if (a)
        m.args = *a;
    return m;
}

static rl_node *node_of(const rl_unary *u, const rl_node_type *type, rl_tensor *z, rl_tensor *x,
                        const rl_kargs *a)
{
    rl_node *n = rl_node_new(type, z, 1, &x);
    if (n && a) {
        n->args.f[0] = a->f[0];
        n->args.f[1] = a->f[1];
        n->args.s[0] = rl_float(a->f[2]);
    }
    if (u->saves == SAVES_OUTPUT)
        rl_save_output(n, 0, z, 0);
    return n;
}

static bool by_parts(const rl_unary *u, const rl_tensor *x)
{
    return x && rl_has_complex(x) && rl_complex_has(u->op);
}

rl_status rl_unary_done(rl_node *n, rl_tensor **dx)
{
    if (dx[0] && rl_has_complex(dx[0])) {
        RL_TEMP *turned = dx[0];
        dx[0] = rl_conj_physical(turned);
    }
    return RL_DONE(n, dx);
}

rl_tensor *rl_unary_apply(const rl_unary *u, rl_tensor *x, const rl_kargs *a)
{
    rl_map m = map_of(u, x, a);
    rl_tensor *z = by_parts(u, x) ? rl_complex_function(u->op, x) : rl_map_run(&m);
    if (!z || !rl_recording(x))
        return z;
    rl_node *n = node_of(u, &u->node, z, x, a);
    if (u->saves == SAVES_INPUT)
        rl_save(n, 0, x);
    return rl_record(n, z);
}

rl_tensor *rl_unary_apply_(const rl_unary *u, rl_tensor *x, const rl_kargs *a)
{
    if (!x)
        return NULL;
    bool records = rl_recording(x);
    if ((records && u->saves == SAVES_INPUT) || by_parts(u, x)) { /* computed from a copy */
        RL_TEMP *self = rl_inplace_source(x, records);
        return self ? rl_inplace_assign(x, rl_unary_apply(u, self, a)) : NULL;
    }
    if (rl_check_inplace(x, records))
        return NULL;
    rl_node *n = NULL;
    if (records && !(n = node_of(u, &u->node, x, x, a)))
        return NULL;
    rl_map m = map_of(u, x, a);
    m.out = x;
    rl_tensor *z = rl_map_run(&m);
    if (!z) {
        rl_node_release(n);
        return NULL;
    }
    rl_release(z);
    return rl_record_inplace(n, x);
}

static rl_status zero_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    dx[0] = rl_zeros_like(g[0], RL_NO_DTYPE);
    return RL_DONE(n, dx);
}

static rl_status frac_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    dx[0] = rl_retain(g[0]);
    return RL_OK;
}

/* ---- exponentials and logarithms ---- */

/* y = e^x      dx = g y */
BACKWARD(exp, dx[0] = rl_mul(g, v);)
UNARY(exp, EXP, FLOAT, "exp_vml_cpu", SAVES_OUTPUT, "ExpBackward0")

/* y = 2^x      dx = g y ln 2 */
BACKWARD(exp2, RL_TEMP *s = rl_mul_number(v, rl_float(M_LN2)); dx[0] = rl_mul(g, s);)
UNARY(exp2, EXP2, FLOAT, "exp2", SAVES_OUTPUT, "Exp2Backward0")

/* y = e^x - 1      dx = g (y + 1) */
BACKWARD(expm1, RL_TEMP *s = rl_add_number(v, rl_int(1)); dx[0] = rl_mul(g, s);)
UNARY(expm1, EXPM1, FLOAT, "expm1_vml_cpu", SAVES_OUTPUT, "Expm1Backward0")

/* y = log x      dx = g / x */
BACKWARD(log, dx[0] = rl_div(g, v, NULL);)
UNARY(log, LOG, FLOAT, "log_vml_cpu", SAVES_INPUT, "LogBackward0")

BACKWARD(log2, RL_TEMP *s = rl_mul_number(v, rl_float(M_LN2)); dx[0] = rl_div(g, s, NULL);)
UNARY(log2, LOG2, FLOAT, "log2_vml_cpu", SAVES_INPUT, "Log2Backward0")

BACKWARD(log10, RL_TEMP *s = rl_mul_number(v, rl_float(M_LN10)); dx[0] = rl_div(g, s, NULL);)
UNARY(log10, LOG10, FLOAT, "log10_vml_cpu", SAVES_INPUT, "Log10Backward0")

/* y = log(1 + x)      dx = g / (1 + x) */
BACKWARD(log1p, RL_TEMP *s = rl_add_number(v, rl_int(1)); dx[0] = rl_div(g, s, NULL);)
UNARY(log1p, LOG1P, FLOAT, "log1p_vml_cpu", SAVES_INPUT, "Log1PBackward0")

/* ---- roots ---- */

/* y = sqrt x      dx = g / (2 y) */
BACKWARD(sqrt, RL_TEMP *s = rl_mul_number(v, rl_int(2)); dx[0] = rl_div(g, s, NULL);)
UNARY(sqrt, SQRT, FLOAT, "sqrt_vml_cpu", SAVES_OUTPUT, "SqrtBackward0")

/* y = x^(-1/2)      dx = -g y^3 / 2 */
BACKWARD(rsqrt, RL_TEMP *cube = rl_pow_number(v, rl_int(3));
         RL_TEMP *s = rl_mul_number(g, rl_float(-0.5)); dx[0] = rl_mul(s, cube);)
UNARY(rsqrt, RSQRT, FLOAT, "rsqrt_cpu", SAVES_OUTPUT, "RsqrtBackward0")

/* y = 1 / x      dx = -g y^2 */
BACKWARD(reciprocal, RL_TEMP *square = rl_mul(v, v); RL_TEMP *minus = rl_neg(g);
         dx[0] = rl_mul(minus, square);)
UNARY(reciprocal, RECIPROCAL, FLOAT, "reciprocal_cpu", SAVES_OUTPUT, "ReciprocalBackward0")

/* ---- circular and hyperbolic functions ---- */

BACKWARD(sin, RL_TEMP *s = rl_cos(v); dx[0] = rl_mul(g, s);)
UNARY(sin, SIN, FLOAT, "sin_vml_cpu", SAVES_INPUT, "SinBackward0")

BACKWARD(cos, RL_TEMP *s = rl_sin(v); RL_TEMP *minus = rl_neg(s); dx[0] = rl_mul(g, minus);)
UNARY(cos, COS, FLOAT, "cos_vml_cpu", SAVES_INPUT, "CosBackward0")

/* y = tan x      dx = g (1 + y^2) */
BACKWARD(tan, RL_TEMP *square = rl_mul(v, v); RL_TEMP *s = rl_add_number(square, rl_int(1));
         dx[0] = rl_mul(g, s);)
UNARY(tan, TAN, FLOAT, "tan_vml_cpu", SAVES_OUTPUT, "TanBackward0")

/* (1 - x^2)^(-1/2) */
static rl_tensor *asin_slope(rl_tensor *x)
{
    RL_TEMP *square = rl_mul(x, x);
    RL_TEMP *rest = rl_number_minus(rl_int(1), square);
    return rl_rsqrt(rest);
}

BACKWARD(asin, RL_TEMP *s = asin_slope(v); dx[0] = rl_mul(g, s);)
UNARY(asin, ASIN, FLOAT, "asin_vml_cpu", SAVES_INPUT, "AsinBackward0")

BACKWARD(acos, RL_TEMP *s = asin_slope(v); RL_TEMP *minus = rl_neg(s); dx[0] = rl_mul(g, minus);)
UNARY(acos, ACOS, FLOAT, "acos_vml_cpu", SAVES_INPUT, "AcosBackward0")

/* y = atan x      dx = g / (1 + x^2) */
BACKWARD(atan, RL_TEMP *square = rl_mul(v, v); RL_TEMP *s = rl_add_number(square, rl_int(1));
         dx[0] = rl_div(g, s, NULL);)
UNARY(atan, ATAN, FLOAT, "atan_vml_cpu", SAVES_INPUT, "AtanBackward0")

BACKWARD(sinh, RL_TEMP *s = rl_cosh(v); dx[0] = rl_mul(g, s);)
UNARY(sinh, SINH, FLOAT, "sinh_vml_cpu", SAVES_INPUT, "SinhBackward0")

BACKWARD(cosh, RL_TEMP *s = rl_sinh(v); dx[0] = rl_mul(g, s);)
UNARY(cosh, COSH, FLOAT, "cosh_vml_cpu", SAVES_INPUT, "CoshBackward0")

/* (x^2 + plus)^(-1/2) */
static rl_tensor *area_slope(rl_tensor *x, int plus)
{
    if (plus < 0 && rl_has_complex(x)) { /* on the right side of the cut of either root */
        RL_TEMP *less = rl_add_number(x, rl_int(-1)), *more = rl_add_number(x, rl_int(1));
        RL_TEMP *a = rl_rsqrt(less), *b = rl_rsqrt(more);
        return rl_mul(a, b);
    }
    RL_TEMP *square = rl_mul(x, x);
    RL_TEMP *sum = rl_add_number(square, rl_int(plus));
    return rl_rsqrt(sum);
}

BACKWARD(asinh, RL_TEMP *s = area_slope(v, 1); dx[0] = rl_mul(g, s);)
UNARY(asinh, ASINH, FLOAT, "asinh_cpu", SAVES_INPUT, "AsinhBackward0")

BACKWARD(acosh, RL_TEMP *s = area_slope(v, -1); dx[0] = rl_mul(g, s);)
UNARY(acosh, ACOSH, FLOAT, "acosh_cpu", SAVES_INPUT, "AcoshBackward0")

/* y = artanh x      dx = g / (1 - x^2) */
BACKWARD(atanh, RL_TEMP *square = rl_mul(v, v); RL_TEMP *s = rl_number_minus(rl_int(1), square);
         dx[0] = rl_div(g, s, NULL);)
UNARY(atanh, ATANH, FLOAT, "atanh_cpu", SAVES_INPUT, "AtanhBackward0")

/* y = tanh x      dx = g (1 - y^2), in one pass; its own derivative: of g as it is itself, of y -2
 * g y gg */
static rl_tensor *tanh_slope(rl_tensor *g, rl_tensor *y);

static rl_status tanh_slope_backward(rl_node *n, rl_tensor *const *gg, rl_tensor **dx)
{
    RL_TEMP *y = rl_saved(n, 1);
    if (rl_wants(n, 0))
        dx[0] = tanh_slope(gg[0], y);
    if (rl_wants(n, 1)) {
        RL_TEMP *g = rl_saved(n, 0);
        RL_TEMP *gy = rl_mul(g, y);
        RL_TEMP *twice = rl_mul_number(gy, rl_int(-2));
        dx[1] = rl_mul(gg[0], twice);
    }
    return RL_DONE(n, dx);
}
static const rl_node_type tanh_slope_node = {
    .name = "TanhBackwardBackward0", .backward = tanh_slope_backward, .n_saved = 2};

static rl_tensor *tanh_slope(rl_tensor *g, rl_tensor *y)
{
    rl_tensor *z = rl_map2(RL_MAP_TANH_BACKWARD, RL_TYPE_PROMOTE, "tanh_backward_cpu", g, y, NULL);
    if (!z || (!rl_recording(g) && !rl_recording(y)))
        return z;
    rl_node *n = rl_node_new(&tanh_slope_node, z, 2, (rl_tensor *[]){g, y});
    rl_save(n, 0, g);
    rl_save(n, 1, y);
    return rl_record(n, z);
}

/* The kernel is for real numbers. */
static rl_tensor *complex_tanh_slope(rl_tensor *g, rl_tensor *y)
{
    RL_TEMP *square = rl_mul(y, y);
    RL_TEMP *slope = rl_number_minus(rl_int(1), square);
    return rl_mul(g, slope);
}

BACKWARD(tanh, dx[0] = rl_has_complex(v) ? complex_tanh_slope(g, v) : tanh_slope(g, v);)
UNARY(tanh, TANH, FLOAT, "tanh_vml_cpu", SAVES_OUTPUT, "TanhBackward0")

/* y = erf x      dx = g 2/sqrt(pi) e^(-x^2) */
BACKWARD(erf, RL_TEMP *square = rl_mul(v, v); RL_TEMP *minus = rl_neg(square);
         RL_TEMP *bell = rl_exp(minus); RL_TEMP *s = rl_mul_number(bell, rl_float(M_2_SQRTPI));
         dx[0] = rl_mul(g, s);)
UNARY(erf, ERF, FLOAT, "erf_vml_cpu", SAVES_INPUT, "ErfBackward0")

BACKWARD(erfc, RL_TEMP *square = rl_mul(v, v); RL_TEMP *minus = rl_neg(square);
         RL_TEMP *bell = rl_exp(minus); RL_TEMP *s = rl_mul_number(bell, rl_float(-M_2_SQRTPI));
         dx[0] = rl_mul(g, s);)
UNARY(erfc, ERFC, FLOAT, "erfc_vml_cpu", SAVES_INPUT, "ErfcBackward0")

/* y = sin(pi x) / (pi x)      dx = g (pi x cos(pi x) - sin(pi x)) / (pi x^2), 0 at 0 */
BACKWARD(sinc, RL_TEMP *angle = rl_mul_number(v, rl_float(M_PI)); RL_TEMP *below = rl_mul(angle, v);
         RL_TEMP *c = rl_cos(angle); RL_TEMP *ac = rl_mul(angle, c); RL_TEMP *s = rl_sin(angle);
         RL_TEMP *above = rl_sub(ac, s, rl_int(1)); RL_TEMP *slope = rl_div(above, below, NULL);
         RL_TEMP *d = rl_mul(g, slope); RL_TEMP *zero = rl_wrap_number(rl_float(0));
         RL_TEMP *flat = rl_eq(below, zero); dx[0] = rl_where(flat, zero, d);)
UNARY(sinc, SINC, FLOAT, "sinc_cpu", SAVES_INPUT, "SincBackward0")

/* y = log(x / (1 - x)), x clamped to [eps, 1 - eps]      dx = g / (x (1 - x)) inside; outside 0,
 * and nan without eps */
BACKWARD(logit, double eps = n->args.f[0]; RL_TEMP *rest = rl_number_minus(rl_int(1), v);
         RL_TEMP *product = rl_mul(v, rest); RL_TEMP *d = rl_div(g, product, NULL);
         RL_TEMP *low = rl_wrap_number(rl_float(eps < 0 ? 0 : eps));
         RL_TEMP *high = rl_wrap_number(rl_float(eps < 0 ? 1 : 1 - eps));
         RL_TEMP *outside = rl_wrap_number(rl_float(eps < 0 ? NAN : 0));
         RL_TEMP *below = rl_lt(v, low); RL_TEMP *above = rl_gt(v, high);
         RL_TEMP *out = rl_logical_or(below, above); dx[0] = rl_where(out, outside, d);)
DESCRIBE(logit, LOGIT, FLOAT, "logit_cpu", SAVES_INPUT, "LogitBackward0")

rl_tensor *rl_logit(rl_tensor *input, rl_opt_float eps)
{
    rl_kargs a = {.f = {eps.given ? eps.v : -1}};
    return rl_unary_apply(&logit_unary, input, &a);
}

/* y = -x log x      dx = -g (1 + log x) */
BACKWARD(entr, RL_TEMP *log = rl_log(v); RL_TEMP *s = rl_add_number(log, rl_int(1));
         RL_TEMP *minus = rl_neg(s); dx[0] = rl_mul(g, minus);)
DESCRIBE(entr, ENTR, FLOAT, "entr", SAVES_INPUT, "SpecialEntrBackward0")
rl_tensor *rl_special_entr(rl_tensor *input) { return rl_unary_apply(&entr_unary, input, NULL); }

/* ---- degrees and radians ---- */

static rl_tensor *turned(const rl_node_type *type, rl_tensor *x, double factor)
{
    RL_TEMP *w = rl_wrap_number(rl_float(factor));
    rl_tensor *z = rl_map2(RL_MAP_MUL, RL_TYPE_PROMOTE, "mul_cpu", x, w, NULL);
    return z && rl_recording(x) ? rl_record(rl_node_new(type, z, 1, &x), z) : z;
}

#define RADIANS 0.017453292519943295769 /* pi / 180 */
#define DEGREES 57.29577951308232087680 /* 180 / pi */
static rl_status deg2rad_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    dx[0] = rl_mul_number(g[0], rl_float(RADIANS));
    return RL_DONE(n, dx);
}
static rl_status rad2deg_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    dx[0] = rl_mul_number(g[0], rl_float(DEGREES));
    return RL_DONE(n, dx);
}
static const rl_node_type deg2rad_node = {.name = "Deg2RadBackward0", .backward = deg2rad_backward};
static const rl_node_type rad2deg_node = {.name = "Rad2DegBackward0", .backward = rad2deg_backward};
rl_tensor *rl_deg2rad(rl_tensor *input) { return turned(&deg2rad_node, input, RADIANS); }
rl_tensor *rl_rad2deg(rl_tensor *input) { return turned(&rad2deg_node, input, DEGREES); }

/* ---- signs ---- */

BACKWARD(abs, RL_TEMP *s = rl_sign(v); dx[0] = rl_mul(g, s);)
DESCRIBE(abs, ABS, PROMOTE, "abs_cpu", SAVES_INPUT, "AbsBackward0")
rl_tensor *rl_abs(rl_tensor *input)
{
    return input && rl_has_complex(input) ? rl_complex_abs(input)
                                          : rl_unary_apply(&abs_unary, input, NULL);
}
rl_tensor *rl_abs_(rl_tensor *input)
{
    if (input && rl_has_complex(input))
        return rl_fail(RL_ERUNTIME, "In-place abs is not supported for complex tensors.");
    return rl_unary_apply_(&abs_unary, input, NULL);
}
rl_tensor *rl_absolute(rl_tensor *input) { return rl_abs(input); }
rl_tensor *rl_absolute_(rl_tensor *input) { return rl_abs_(input); }

#define sign_backward zero_backward
UNARY(sign, SIGN, PROMOTE, "sign_cpu", SAVES_NOTHING, "SignBackward0")

#define sgn_backward zero_backward
DESCRIBE(sgn, SIGN, PROMOTE, "sgn_cpu", SAVES_NOTHING, "SgnBackward0")
rl_tensor *rl_sgn(rl_tensor *input)
{
    return input && rl_has_complex(input) ? rl_complex_sgn(input)
                                          : rl_unary_apply(&sgn_unary, input, NULL);
}
rl_tensor *rl_sgn_(rl_tensor *input)
{
    if (!input || !rl_has_complex(input))
        return rl_unary_apply_(&sgn_unary, input, NULL);
    RL_TEMP *self = rl_inplace_source(input, rl_recording(input));
    return self ? rl_inplace_assign(input, rl_complex_sgn(self)) : NULL;
}

/* The angle of a real number: 0, and pi below 0. */
#define angle_backward zero_backward
DESCRIBE(angle, ANGLE, FLOAT, "angle_cpu", SAVES_NOTHING, "AngleBackward0")
rl_tensor *rl_angle(rl_tensor *input)
{
    return input && rl_has_complex(input) ? rl_complex_angle(input)
                                          : rl_unary_apply(&angle_unary, input, NULL);
}

rl_tensor *rl_resolve_conj(rl_tensor *input) { return rl_retain(input); }
rl_tensor *rl_resolve_neg(rl_tensor *input) { return rl_retain(input); }

static rl_status neg_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    dx[0] = rl_neg(g[0]);
    return RL_DONE(n, dx);
}
DESCRIBE(neg, NEG, PROMOTE, "neg_cpu", SAVES_NOTHING, "NegBackward0")

static rl_status refuse_bool_neg(const rl_tensor *x)
{
    if (x && x->dtype == RL_BOOL)
        return rl_error(RL_ERUNTIME,
                        "Negation, the `-` operator, on a bool tensor is not supported. If you "
                        "are trying to invert a mask, use the `~` or `logical_not()` operator "
                        "instead.");
    return RL_OK;
}
rl_tensor *rl_neg(rl_tensor *input)
{
    return refuse_bool_neg(input) ? NULL : rl_unary_apply(&neg_unary, input, NULL);
}
rl_tensor *rl_neg_(rl_tensor *input)
{
    return refuse_bool_neg(input) ? NULL : rl_unary_apply_(&neg_unary, input, NULL);
}
rl_tensor *rl_negative(rl_tensor *input) { return rl_neg(input); }
rl_tensor *rl_negative_(rl_tensor *input) { return rl_neg_(input); }

rl_tensor *rl_positive(rl_tensor *input)
{
    if (input && input->dtype == RL_BOOL)
        return rl_fail(RL_ERUNTIME, "The `+` operator, on a bool tensor is not supported.");
    return rl_retain(input);
}

/* ---- rounding: integers are their own rounding ---- */

static bool whole(const rl_tensor *x) { return x && rl_is_integral((rl_dtype)x->dtype, false); }

#define floor_backward zero_backward
#define ceil_backward zero_backward
#define trunc_backward zero_backward
#define round_backward zero_backward
#define ROUNDING(f, OP, kernel_name, Node)                                                         \
    DESCRIBE(f, OP, PROMOTE, kernel_name, SAVES_NOTHING, Node)                                     \
    rl_tensor *rl_##f(rl_tensor *input)                                                            \
    {                                                                                              \
        return whole(input) ? rl_clone(input) : rl_unary_apply(&f##_unary, input, NULL);           \
    }                                                                                              \
    rl_tensor *rl_##f##_(rl_tensor *input)                                                         \
    {                                                                                              \
        return whole(input) ? rl_record_inplace(NULL, input)                                       \
                            : rl_unary_apply_(&f##_unary, input, NULL);                            \
    }
ROUNDING(floor, FLOOR, "floor_vml_cpu", "FloorBackward0")
ROUNDING(ceil, CEIL, "ceil_vml_cpu", "CeilBackward0")
ROUNDING(trunc, TRUNC, "trunc_vml_cpu", "TruncBackward0")

UNARY(frac, FRAC, PROMOTE, "frac_cpu", SAVES_NOTHING, "FracBackward0")

DESCRIBE(round, ROUND, PROMOTE, "round_vml_cpu", SAVES_NOTHING, "RoundBackward0")
static const rl_node_type round_decimals_node = {.name = "RoundBackward1",
                                                 .backward = zero_backward};

rl_tensor *rl_round(rl_tensor *input, int64_t decimals)
{
    if (decimals == 0)
        return whole(input) ? rl_clone(input) : rl_unary_apply(&round_unary, input, NULL);
    rl_map m = {.op = RL_MAP_ROUND_DECIMALS,
                .typing = RL_TYPE_PROMOTE,
                .name = "round_cpu",
                .n = 1,
                .in = {input}};
    m.args.i[0] = decimals;
    rl_tensor *z = rl_map_run(&m);
    return z && rl_recording(input) ? rl_record(rl_node_new(&round_decimals_node, z, 1, &input), z)
                                    : z;
}

rl_tensor *rl_round_(rl_tensor *input, int64_t decimals)
{
    if (decimals == 0)
        return whole(input) ? rl_record_inplace(NULL, input)
                            : rl_unary_apply_(&round_unary, input, NULL);
    RL_TEMP *self = rl_inplace_source(input, rl_recording(input));
    return self ? rl_inplace_assign(input, rl_round(self, decimals)) : NULL;
}

/* ---- nan_to_num      dx = g where x is finite, 0 elsewhere ---- */

BACKWARD(nan_to_num, RL_TEMP *finite = rl_isfinite(v); RL_TEMP *zero = rl_wrap_number(rl_float(0));
         dx[0] = rl_where(finite, g, zero);)
static const rl_node_type nan_to_num_node = {
    .name = "NanToNumBackward0", .backward = nan_to_num_backward, .n_saved = 1};

rl_tensor *rl_nan_to_num(rl_tensor *input, rl_opt_float nan, rl_opt_float posinf,
                         rl_opt_float neginf)
{
    if (!input)
        return NULL;
    if (rl_has_complex(input)) { /* each part on its own */
        RL_TEMP *parts = rl_view_as_real(input);
        RL_TEMP *numbers = parts ? rl_nan_to_num(parts, nan, posinf, neginf) : NULL;
        RL_TEMP *rows = rl_contiguous(numbers);
        return rl_view_as_complex(rows);
    }
    if (!rl_is_floating((rl_dtype)input->dtype))
        return rl_clone(input);
    double most = input->dtype == RL_F64    ? DBL_MAX
                  : input->dtype == RL_F16  ? 65504
                  : input->dtype == RL_BF16 ? 0x1.fep127
                                            : FLT_MAX;
    rl_map m = {.op = RL_MAP_NAN_TO_NUM,
                .typing = RL_TYPE_PROMOTE,
                .name = "nan_to_num",
                .n = 1,
                .in = {input}};
    m.args.f[0] = nan.given ? nan.v : 0;
    m.args.f[1] = posinf.given ? posinf.v : most;
    m.args.f[2] = neginf.given ? neginf.v : -most;
    rl_tensor *z = rl_map_run(&m);
    if (!z || !rl_recording(input))
        return z;
    rl_node *n = rl_node_new(&nan_to_num_node, z, 1, &input);
    rl_save(n, 0, input);
    return rl_record(n, z);
}
