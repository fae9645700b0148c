/* special.c: special functions; their values come from kernels/special. */
#include <math.h>

#include "kernels/special/special.h"
#include "ops/unary.h"

/* PyTorch has these for float32 and float64 only. */
static rl_status no_half(const rl_tensor *x, const char *kernel)
{
    if (x && (x->dtype == RL_F16 || x->dtype == RL_BF16))
        return rl_error(RL_ENOTIMPL, "\"%s\" not implemented for '%s'", kernel,
                        rl_dtype_title((rl_dtype)x->dtype));
    return RL_OK;
}

static rl_status no_half_pair(rl_tensor *x, rl_tensor *y, const char *kernel)
{
    if (!x || !y)
        return rl_error_code();
    rl_dtype type = rl_result_type(2, (rl_tensor *[]){x, y});
    return no_half(&(rl_tensor){.dtype = (int8_t)type}, kernel);
}

/* ---- gamma functions ---- */

/* y = log |Gamma(x)|      dx = g digamma(x) */
BACKWARD(lgamma, RL_TEMP *s = rl_digamma(v); dx[0] = rl_mul(g, s);)
UNARY(lgamma, LGAMMA, FLOAT, "lgamma_vml_cpu", SAVES_INPUT, "LgammaBackward0")

BACKWARD(digamma, RL_TEMP *s = rl_polygamma(1, v); dx[0] = rl_mul(g, s);)
UNARY(digamma, DIGAMMA, FLOAT, "digamma", SAVES_INPUT, "DigammaBackward0")

/* the n-th derivative of digamma      dx = g polygamma(n + 1, x) */
BACKWARD(polygamma, RL_TEMP *s = rl_polygamma(n->args.i[0] + 1, v); dx[0] = rl_mul(g, s);)
static const rl_node_type polygamma_node = {
    .name = "PolygammaBackward0", .backward = polygamma_backward, .n_saved = 1};

rl_tensor *rl_polygamma(int64_t n, rl_tensor *input)
{
    if (n < 0)
        return rl_fail(RL_ERUNTIME, "polygamma(n, x) does not support negative n.");
    rl_map m = {.op = RL_MAP_POLYGAMMA,
                .typing = RL_TYPE_FLOAT,
                .name = "polygamma",
                .n = 1,
                .in = {input}};
    m.args.i[0] = n;
    rl_tensor *z = rl_map_run(&m);
    if (!z || !rl_recording(input))
        return z;
    rl_node *node = rl_node_new(&polygamma_node, z, 1, &input);
    if (node)
        node->args.i[0] = n;
    rl_save(node, 0, input);
    return rl_record(node, z);
}

/* Sum of f(x - j / 2) over j < p. */
static rl_tensor *sum_of_shifted(rl_tensor *x, int64_t p, rl_tensor *f(rl_tensor *))
{
    rl_tensor *sum = f(x);
    for (int64_t j = 1; j < p && sum; j++) {
        RL_TEMP *before = sum;
        RL_TEMP *shifted = rl_add_number(x, rl_float(-0.5 * (double)j));
        RL_TEMP *term = f(shifted);
        sum = rl_add(before, term, rl_int(1));
    }
    return sum;
}

/* y = log of the p-variate gamma function = p (p - 1) / 4 log(pi) + sum over j < p of lgamma(x - j
 * / 2) */
BACKWARD(mvlgamma, RL_TEMP *s = sum_of_shifted(v, n->args.i[0], rl_digamma); dx[0] = rl_mul(g, s);)
static const rl_node_type mvlgamma_node = {
    .name = "MvlgammaBackward0", .backward = mvlgamma_backward, .n_saved = 1};

rl_tensor *rl_mvlgamma(rl_tensor *input, int64_t p)
{
    if (!input)
        return NULL;
    if (input->dtype == RL_BOOL)
        return rl_fail(RL_ERUNTIME, "The input tensor may not be a boolean tensor.");
    if (p < 1)
        return rl_fail(RL_ERUNTIME, "p has to be greater than or equal to 1");
    bool mode = rl_set_grad_enabled(false);
    RL_TEMP *sum = sum_of_shifted(input, p, rl_lgamma);
    const double log_pi = 1.14472988584940017414;
    rl_tensor *z = rl_add_number(sum, rl_float((double)p * (double)(p - 1) / 4 * log_pi));
    rl_set_grad_enabled(mode);
    if (!z || !rl_recording(input))
        return z;
    rl_node *node = rl_node_new(&mvlgamma_node, z, 1, &input);
    if (node)
        node->args.i[0] = p;
    rl_save(node, 0, input);
    return rl_record(node, z);
}

/* P(a, x) and Q = 1 - P      dx = g e^(-x) x^(a - 1) / Gamma(a), of Q minus that; none for a */
static rl_status incomplete_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    bool upper = n->args.i[0];
    if (rl_wants(n, 0))
        return rl_error(RL_ENOTIMPL, "the derivative for '%s: input' is not implemented.",
                        upper ? "igammac" : "igamma");
    RL_TEMP *a = rl_saved(n, 0);
    RL_TEMP *x = rl_saved(n, 1);
    RL_TEMP *less = rl_add_number(a, rl_int(-1));
    RL_TEMP *log = rl_log(x);
    RL_TEMP *power = rl_mul(less, log);
    RL_TEMP *rest = rl_sub(power, x, rl_int(1));
    RL_TEMP *gamma = rl_lgamma(a);
    RL_TEMP *exponent = rl_sub(rest, gamma, rl_int(1));
    RL_TEMP *slope = rl_exp(exponent);
    RL_TEMP *d = rl_mul(g[0], slope);
    if (rl_wants(n, 1))
        dx[1] = upper ? rl_neg(d) : rl_retain(d);
    return RL_DONE(n, dx);
}
static const rl_node_type incomplete_nodes[] = {
    {.name = "IgammaBackward0", .backward = incomplete_backward, .n_saved = 2},
    {.name = "IgammacBackward0", .backward = incomplete_backward, .n_saved = 2}};

static rl_tensor *incomplete(rl_tensor *a, rl_tensor *x, bool upper)
{
    rl_tensor *z = rl_map2(upper ? RL_MAP_IGAMMAC : RL_MAP_IGAMMA, RL_TYPE_PROMOTE,
                           upper ? "igammac_cpu" : "igamma_cpu", a, x, NULL);
    if (!z || (!rl_recording(a) && !rl_recording(x)))
        return z;
    rl_node *n = rl_node_new(&incomplete_nodes[upper], z, 2, (rl_tensor *[]){a, x});
    if (n)
        n->args.i[0] = upper;
    rl_save(n, 0, a);
    rl_save(n, 1, x);
    return rl_record(n, z);
}
rl_tensor *rl_igamma(rl_tensor *input, rl_tensor *other) { return incomplete(input, other, false); }
rl_tensor *rl_igammac(rl_tensor *input, rl_tensor *other) { return incomplete(input, other, true); }

/* zeta(s, q) = sum of (q + k)^-s      dq = -g s zeta(s + 1, q); none for s */
static rl_status zeta_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    if (rl_wants(n, 0))
        return rl_error(RL_ENOTIMPL, "the derivative for 'zeta' is not implemented.");
    if (rl_wants(n, 1)) {
        RL_TEMP *s = rl_saved(n, 0);
        RL_TEMP *q = rl_saved(n, 1);
        RL_TEMP *more = rl_add_number(s, rl_int(1));
        RL_TEMP *zeta = rl_special_zeta(more, q);
        RL_TEMP *minus = rl_neg(s);
        RL_TEMP *slope = rl_mul(minus, zeta);
        dx[1] = rl_mul(g[0], slope);
    }
    return RL_DONE(n, dx);
}
static const rl_node_type zeta_nodes[] = {
    {.name = "SpecialZetaBackward0", .backward = zeta_backward, .n_saved = 2},
    {.name = "SpecialZetaBackward1", .backward = zeta_backward, .n_saved = 2},  /* number, tensor */
    {.name = "SpecialZetaBackward2", .backward = zeta_backward, .n_saved = 2}}; /* tensor, number */

rl_tensor *rl_special_zeta(rl_tensor *input, rl_tensor *other)
{
    if (no_half_pair(input, other, "zeta_cpu"))
        return NULL;
    rl_tensor *z = rl_map2(RL_MAP_ZETA, RL_TYPE_FLOAT, "zeta_cpu", input, other, NULL);
    if (!z || (!rl_recording(input) && !rl_recording(other)))
        return z;
    int which = rl_is_wrapped_number(input) ? 1 : rl_is_wrapped_number(other) ? 2 : 0;
    rl_node *n = rl_node_new(&zeta_nodes[which], z, 2, (rl_tensor *[]){input, other});
    rl_save(n, 0, input);
    rl_save(n, 1, other);
    return rl_record(n, z);
}

/* ---- error functions and the normal distribution ---- */

#define SQRT_PI 1.77245385090551602730
#define SQRT_2_OVER_PI 0.79788456080286535588
#define SQRT_2PI 2.50662827463100050242

/* The same with rl_special_f alone. */
#define SPECIAL(f, OP, kernel_name, half, keeps, Node)                                             \
    DESCRIBE(f, OP, FLOAT, kernel_name, keeps, Node)                                               \
    rl_tensor *rl_special_##f(rl_tensor *input)                                                    \
    {                                                                                              \
        if (!half && no_half(input, kernel_name))                                                  \
            return NULL;                                                                           \
        return rl_unary_apply(&f##_unary, input, NULL);                                            \
    }

/* y = erfinv x      dx = g sqrt(pi) / 2 e^(y^2) */
BACKWARD(erfinv, RL_TEMP *square = rl_mul(v, v); RL_TEMP *e = rl_exp(square);
         RL_TEMP *s = rl_mul_number(e, rl_float(SQRT_PI / 2)); dx[0] = rl_mul(g, s);)
UNARY(erfinv, ERFINV, FLOAT, "erfinv_vml_cpu", SAVES_OUTPUT, "ErfinvBackward0")

/* y = e^(x^2) erfc x      dx = g (2 x y - 2 / sqrt(pi)) */
BACKWARD(erfcx, RL_TEMP *y = rl_special_erfcx(v); RL_TEMP *xy = rl_mul(v, y);
         RL_TEMP *twice = rl_mul_number(xy, rl_int(2));
         RL_TEMP *s = rl_add_number(twice, rl_float(-M_2_SQRTPI)); dx[0] = rl_mul(g, s);)
SPECIAL(erfcx, ERFCX, "erfcx_cpu", false, SAVES_INPUT, "SpecialErfcxBackward0")

/* the quantile of p      dp = g sqrt(2 pi) e^(y^2 / 2) */
BACKWARD(ndtri, RL_TEMP *square = rl_mul(v, v);
         RL_TEMP *half = rl_mul_number(square, rl_float(0.5)); RL_TEMP *e = rl_exp(half);
         RL_TEMP *s = rl_mul_number(e, rl_float(SQRT_2PI)); dx[0] = rl_mul(g, s);)
SPECIAL(ndtri, NDTRI, "ndtri_cpu", false, SAVES_OUTPUT, "SpecialNdtriBackward0")

/* y = log Phi(x)      dx = g sqrt(2 / pi) / erfcx(-x / sqrt(2)) */
BACKWARD(log_ndtr, RL_TEMP *t = rl_mul_number(v, rl_float(-M_SQRT1_2));
         RL_TEMP *below = rl_special_erfcx(t); RL_TEMP *d = rl_div(g, below, NULL);
         dx[0] = rl_mul_number(d, rl_float(SQRT_2_OVER_PI));)
SPECIAL(log_ndtr, LOG_NDTR, "log_ndtr_cpu", false, SAVES_INPUT, "SpecialLogNdtrBackward0")

/* (1 + erf(x / sqrt(2))) / 2; the last node is that of a product with a number */
static rl_status half_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    dx[0] = rl_mul_number(g[0], rl_float(0.5));
    return RL_DONE(n, dx);
}
static const rl_node_type half_node = {.name = "MulBackward1", .backward = half_backward};

rl_tensor *rl_special_ndtr(rl_tensor *input)
{
    RL_TEMP *t = rl_mul_number(input, rl_float(M_SQRT1_2));
    RL_TEMP *e = rl_erf(t);
    RL_TEMP *sum = rl_add_number(e, rl_int(1));
    RL_TEMP *half = rl_wrap_number(rl_float(0.5));
    rl_tensor *z = rl_map2(RL_MAP_MUL, RL_TYPE_PROMOTE, "mul_cpu", sum, half, NULL);
    if (!z || !rl_recording(sum))
        return z;
    return rl_record(rl_node_new(&half_node, z, 1, (rl_tensor *[]){sum}), z);
}

/* ---- modified Bessel functions ---- */

/* y = I0(x)      dx = g I1(x) */
BACKWARD(i0, RL_TEMP *s = rl_special_i1(v); dx[0] = rl_mul(g, s);)
UNARY(i0, I0, FLOAT, "i0_cpu", SAVES_INPUT, "I0Backward0")

/* y = I0(x) e^-|x|      dx = g (I1(x) e^-|x| - sign(x) y) */
BACKWARD(i0e, RL_TEMP *y = rl_special_i0e(v); RL_TEMP *sign = rl_sgn(v);
         RL_TEMP *falls = rl_mul(sign, y); RL_TEMP *rises = rl_special_i1e(v);
         RL_TEMP *s = rl_sub(rises, falls, rl_int(1)); dx[0] = rl_mul(g, s);)
SPECIAL(i0e, I0E, "i0e_cpu", true, SAVES_INPUT, "SpecialI0EBackward0")

/* I1(x) / x, 1/2 at 0 */
static rl_tensor *over(rl_tensor *y, rl_tensor *x)
{
    RL_TEMP *zero = rl_wrap_number(rl_float(0));
    RL_TEMP *half = rl_wrap_number(rl_float(0.5));
    RL_TEMP *at_zero = rl_eq(x, zero);
    RL_TEMP *ratio = rl_div(y, x, NULL);
    return rl_where(at_zero, half, ratio);
}

/* y = I1(x)      dx = g (I0(x) - y / x) */
BACKWARD(i1, RL_TEMP *y = rl_special_i1(v); RL_TEMP *part = over(y, v); RL_TEMP *up = rl_i0(v);
         RL_TEMP *s = rl_sub(up, part, rl_int(1)); dx[0] = rl_mul(g, s);)
SPECIAL(i1, I1, "i1_cpu", true, SAVES_INPUT, "SpecialI1Backward0")

/* y = I1(x) e^-|x|      dx = g (I0(x) e^-|x| - y (sign(x) + 1 / x)) */
BACKWARD(i1e, RL_TEMP *y = rl_special_i1e(v); RL_TEMP *part = over(y, v);
         RL_TEMP *up = rl_special_i0e(v); RL_TEMP *sign = rl_sgn(v);
         RL_TEMP *falls = rl_mul(sign, y); RL_TEMP *rest = rl_sub(up, falls, rl_int(1));
         RL_TEMP *s = rl_sub(rest, part, rl_int(1)); dx[0] = rl_mul(g, s);)
SPECIAL(i1e, I1E, "i1e_cpu", true, SAVES_INPUT, "SpecialI1EBackward0")

/* ---- those that PyTorch does not differentiate: the result has no history ---- */

#define PLAIN(f, OP)                                                                               \
    rl_tensor *rl_special_##f(rl_tensor *input)                                                    \
    {                                                                                              \
        if (no_half(input, #f "_cpu"))                                                             \
            return NULL;                                                                           \
        return rl_map1(RL_MAP_##OP, RL_TYPE_FLOAT, #f "_cpu", input, NULL);                        \
    }
PLAIN(bessel_j0, J0)
PLAIN(bessel_j1, J1)
PLAIN(bessel_y0, Y0)
PLAIN(bessel_y1, Y1)
PLAIN(modified_bessel_i0, I0)
PLAIN(modified_bessel_i1, I1)
PLAIN(modified_bessel_k0, K0)
PLAIN(modified_bessel_k1, K1)
PLAIN(scaled_modified_bessel_k0, K0E)
PLAIN(scaled_modified_bessel_k1, K1E)
PLAIN(spherical_bessel_j0, SPHERICAL_J0)
PLAIN(airy_ai, AIRY)

static rl_tensor *polynomial(int kind, const char *name, rl_tensor *x, rl_tensor *n)
{
    if (no_half_pair(x, n, name))
        return NULL;
    rl_map m = {
        .op = RL_MAP_POLYNOMIAL, .typing = RL_TYPE_FLOAT, .name = name, .n = 2, .in = {x, n}};
    m.args.i[0] = kind;
    if (x && n) {
        rl_dtype type = rl_result_type(2, m.in);
        m.args.i[1] = type == RL_F64 || (!rl_is_floating(type) && rl_default_dtype() == RL_F64)
                          ? 512
                          : 128; /* Hermite's polynomials of higher degree are nan in PyTorch */
    }
    return rl_map_run(&m);
}
#define POLYNOMIAL(f, kind)                                                                        \
    rl_tensor *rl_special_##f(rl_tensor *x, rl_tensor *n)                                          \
    {                                                                                              \
        return polynomial(kind, #f "_cpu", x, n);                                                  \
    }
POLYNOMIAL(chebyshev_polynomial_t, RL_CHEBYSHEV_T)
POLYNOMIAL(chebyshev_polynomial_u, RL_CHEBYSHEV_U)
POLYNOMIAL(chebyshev_polynomial_v, RL_CHEBYSHEV_V)
POLYNOMIAL(chebyshev_polynomial_w, RL_CHEBYSHEV_W)
POLYNOMIAL(shifted_chebyshev_polynomial_t, RL_SHIFTED_CHEBYSHEV_T)
POLYNOMIAL(shifted_chebyshev_polynomial_u, RL_SHIFTED_CHEBYSHEV_U)
POLYNOMIAL(shifted_chebyshev_polynomial_v, RL_SHIFTED_CHEBYSHEV_V)
POLYNOMIAL(shifted_chebyshev_polynomial_w, RL_SHIFTED_CHEBYSHEV_W)
POLYNOMIAL(hermite_polynomial_h, RL_HERMITE_H)
POLYNOMIAL(hermite_polynomial_he, RL_HERMITE_HE)
POLYNOMIAL(laguerre_polynomial_l, RL_LAGUERRE_L)
POLYNOMIAL(legendre_polynomial_p, RL_LEGENDRE_P)
