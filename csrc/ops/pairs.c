/* pairs.c: functions of two numbers beyond arithmetic: lengths, signs, sums of exponentials, common
 * divisors, neighbours. */
#include <math.h>

#include "ops/complex.h"

typedef struct pair {
    rl_map_op op;
    rl_typing typing;
    const char *kernel;
    bool keeps_output; /* in slot 2; the inputs are in 0 and 1 */
    rl_node_type node;
} pair;

static rl_tensor *pair_apply(const pair *u, rl_tensor *x, rl_tensor *y)
{
    rl_tensor *z = rl_map2(u->op, u->typing, u->kernel, x, y, NULL);
    if (!z || (!rl_recording(x) && !rl_recording(y)))
        return z;
    rl_node *n = rl_node_new(&u->node, z, 2, (rl_tensor *[]){x, y});
    rl_save(n, 0, x);
    rl_save(n, 1, y);
    if (u->keeps_output)
        rl_save_output(n, 2, z, 0);
    return rl_record(n, z);
}

#define PAIR(f, OP, TYPING, kernel_name, output, Node)                                             \
    static const pair f##_pair = {RL_MAP_##OP,                                                     \
                                  RL_TYPE_##TYPING,                                                \
                                  kernel_name,                                                     \
                                  output,                                                          \
                                  {.name = Node, .backward = f##_backward, .n_saved = 3}};         \
    rl_tensor *rl_##f(rl_tensor *input, rl_tensor *other)                                          \
    {                                                                                              \
        return pair_apply(&f##_pair, input, other);                                                \
    }

/* ---- hypot: z = sqrt(x^2 + y^2)      dx = g x / z,  dy = g y / z ---- */

static rl_status hypot_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *z = rl_saved(n, 2);
    for (int i = 0; i < 2; i++) {
        if (!rl_wants(n, i))
            continue;
        RL_TEMP *x = rl_saved(n, i);
        RL_TEMP *slope = rl_div(x, z, NULL);
        dx[i] = rl_mul(g[0], slope);
    }
    return RL_DONE(n, dx);
}
PAIR(hypot, HYPOT, PROMOTE, "hypot_cpu", true, "HypotBackward0")

/* ---- copysign: z = |x| sign(y)      dx = g z / x, 0 at 0;  dy = 0 ---- */

static rl_status copysign_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    if (rl_wants(n, 0)) {
        RL_TEMP *x = rl_saved(n, 0);
        RL_TEMP *z = rl_saved(n, 2);
        RL_TEMP *ratio = rl_div(z, x, NULL);
        RL_TEMP *zero = rl_wrap_number(rl_float(0));
        RL_TEMP *flat = rl_eq(x, zero);
        RL_TEMP *slope = rl_where(flat, zero, ratio);
        dx[0] = rl_mul(g[0], slope);
    }
    if (rl_wants(n, 1))
        dx[1] = rl_zeros_like(g[0], RL_NO_DTYPE);
    return RL_DONE(n, dx);
}
static const pair copysign_pair = {
    RL_MAP_COPYSIGN,
    RL_TYPE_FLOAT,
    "copysign_cpu",
    true,
    {.name = "CopysignBackward0", .backward = copysign_backward, .n_saved = 3}};
static const pair copysign_number_pair = {
    RL_MAP_COPYSIGN,
    RL_TYPE_FLOAT,
    "copysign_cpu",
    true,
    {.name = "CopysignBackward1", .backward = copysign_backward, .n_saved = 3}};

rl_tensor *rl_copysign(rl_tensor *input, rl_tensor *other)
{
    bool number = other && rl_is_wrapped_number(other);
    return pair_apply(number ? &copysign_number_pair : &copysign_pair, input, other);
}

/* ---- logaddexp: z = log(b^x + b^y) / log b      dx = g / (1 + b^(y - x)), dy likewise ---- */

static rl_status sum_of_powers_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx,
                                        rl_tensor *power(rl_tensor *))
{
    for (int i = 0; i < 2; i++) {
        if (!rl_wants(n, i))
            continue;
        RL_TEMP *x = rl_saved(n, i);
        RL_TEMP *y = rl_saved(n, 1 - i);
        RL_TEMP *d = rl_sub(y, x, rl_int(1));
        RL_TEMP *p = power(d);
        RL_TEMP *below = rl_add_number(p, rl_int(1));
        dx[i] = rl_div(g[0], below, NULL);
    }
    return RL_DONE(n, dx);
}
static rl_status logaddexp_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    return sum_of_powers_backward(n, g, dx, rl_exp);
}
static rl_status logaddexp2_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    return sum_of_powers_backward(n, g, dx, rl_exp2);
}
static const pair logaddexp_pair = {
    RL_MAP_LOGADDEXP,
    RL_TYPE_PROMOTE,
    "logaddexp_cpu",
    false,
    {.name = "LogaddexpBackward0", .backward = logaddexp_backward, .n_saved = 3}};
rl_tensor *rl_logaddexp(rl_tensor *input, rl_tensor *other)
{
    bool complex = input && other && (rl_has_complex(input) || rl_has_complex(other));
    return complex ? rl_complex_logaddexp(input, other) : pair_apply(&logaddexp_pair, input, other);
}
PAIR(logaddexp2, LOGADDEXP2, PROMOTE, "logaddexp2_cpu", false, "Logaddexp2Backward0")

/* ---- xlogy: z = x log y      dx = g log y, 0 where x = 0 and y <= 0;  dy = g x / y.
 * xlog1py is the same of 1 + y. ---- */

static rl_status xlog_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx, int plus)
{
    RL_TEMP *x = rl_saved(n, 0);
    RL_TEMP *y = rl_saved(n, 1);
    if (!x || !y)
        return rl_error_code();
    if (rl_wants(n, 0)) {
        RL_TEMP *zero = rl_wrap_number(rl_float(0));
        RL_TEMP *pole = rl_wrap_number(rl_int(-plus));
        RL_TEMP *none = rl_eq(x, zero);
        RL_TEMP *low = rl_le(y, pole);
        RL_TEMP *flat = rl_logical_and(none, low);
        RL_TEMP *d = plus ? rl_special_xlog1py(g[0], y) : rl_xlogy(g[0], y);
        dx[0] = rl_where(flat, zero, d);
    }
    if (rl_wants(n, 1)) {
        RL_TEMP *gx = rl_mul(g[0], x);
        RL_TEMP *below = plus ? rl_add_number(y, rl_int(1)) : rl_retain(y);
        dx[1] = rl_div(gx, below, NULL);
    }
    return RL_DONE(n, dx);
}
static rl_status xlogy_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    return xlog_backward(n, g, dx, 0);
}
static rl_status xlog1py_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    return xlog_backward(n, g, dx, 1);
}

/* Which of the three nodes that PyTorch has: two tensors, a number first, a number second. */
static int which(const rl_tensor *x, const rl_tensor *y)
{
    return x && rl_is_wrapped_number(x) ? 1 : y && rl_is_wrapped_number(y) ? 2 : 0;
}
#define XLOG(function, OP, f, Node)                                                                \
    static const pair f##_pairs[] = {                                                              \
        {RL_MAP_##OP,                                                                              \
         RL_TYPE_FLOAT,                                                                            \
         #f "_cpu",                                                                                \
         false,                                                                                    \
         {.name = Node "0", .backward = f##_backward, .n_saved = 3}},                              \
        {RL_MAP_##OP,                                                                              \
         RL_TYPE_FLOAT,                                                                            \
         #f "_cpu",                                                                                \
         false,                                                                                    \
         {.name = Node "1", .backward = f##_backward, .n_saved = 3}},                              \
        {RL_MAP_##OP,                                                                              \
         RL_TYPE_FLOAT,                                                                            \
         #f "_cpu",                                                                                \
         false,                                                                                    \
         {.name = Node "2", .backward = f##_backward, .n_saved = 3}}};                             \
    rl_tensor *function(rl_tensor *input, rl_tensor *other)                                        \
    {                                                                                              \
        return pair_apply(&f##_pairs[which(input, other)], input, other);                          \
    }
XLOG(rl_xlogy, XLOGY, xlogy, "XlogyBackward")
XLOG(rl_special_xlog1py, XLOG1PY, xlog1py, "SpecialXlog1PyBackward")

/* ---- steps and neighbours ---- */

static rl_status heaviside_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    (void)n, (void)g, (void)dx;
    return rl_error(RL_ERUNTIME, "derivative for aten::heaviside is not implemented");
}
static const pair heaviside_pair = {
    RL_MAP_HEAVISIDE,
    RL_TYPE_PROMOTE,
    "heaviside_cpu",
    false,
    {.name = "NotImplemented", .backward = heaviside_backward, .n_saved = 3}};

rl_tensor *rl_heaviside(rl_tensor *input, rl_tensor *values)
{
    if (input && values && input->dtype != values->dtype)
        return rl_fail(RL_ERUNTIME,
                       "heaviside is not yet implemented for tensors with different dtypes.");
    return pair_apply(&heaviside_pair, input, values);
}

/* z next to x      dx = g, 0 where x = y;  dy = 0 */
static rl_status nextafter_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    if (rl_wants(n, 0)) {
        RL_TEMP *x = rl_saved(n, 0);
        RL_TEMP *y = rl_saved(n, 1);
        RL_TEMP *same = rl_eq(x, y);
        RL_TEMP *zero = rl_wrap_number(rl_float(0));
        dx[0] = rl_where(same, zero, g[0]);
    }
    if (rl_wants(n, 1))
        dx[1] = rl_zeros_like(g[0], RL_NO_DTYPE);
    return RL_DONE(n, dx);
}
static const rl_node_type nextafter_node = {
    .name = "NextafterBackward0", .backward = nextafter_backward, .n_saved = 2};

rl_tensor *rl_nextafter(rl_tensor *input, rl_tensor *other)
{
    if (!input || !other)
        return NULL;
    rl_map m = {.op = RL_MAP_NEXTAFTER,
                .typing = RL_TYPE_PROMOTE,
                .name = "nextafter_cpu",
                .n = 2,
                .in = {input, other}};
    rl_dtype type = rl_result_type(2, m.in);
    m.args.i[0] = type == RL_F16 ? 13 : type == RL_BF16 ? 16 : 0;
    rl_tensor *z = rl_map_run(&m);
    if (!z || (!rl_recording(input) && !rl_recording(other)))
        return z;
    rl_node *n = rl_node_new(&nextafter_node, z, 2, m.in);
    rl_save(n, 0, input);
    rl_save(n, 1, other);
    return rl_record(n, z);
}

rl_tensor *rl_gcd(rl_tensor *input, rl_tensor *other)
{
    return rl_map2(RL_MAP_GCD, RL_TYPE_PROMOTE, "gcd_cpu", input, other, NULL);
}
rl_tensor *rl_lcm(rl_tensor *input, rl_tensor *other)
{
    return rl_map2(RL_MAP_LCM, RL_TYPE_PROMOTE, "lcm_cpu", input, other, NULL);
}

/* ---- powers of two: ldexp, z = x 2^y      dx = g 2^y,  dy = g z ln 2;  frexp ---- */

static rl_status ldexp_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    if (rl_wants(n, 0)) {
        RL_TEMP *y = rl_saved(n, 1);
        RL_TEMP *two = rl_wrap_number(rl_float(2));
        RL_TEMP *power = rl_pow(two, y); /* nearer to the true power than exp2 */
        dx[0] = rl_mul(g[0], power);
    }
    if (rl_wants(n, 1)) {
        RL_TEMP *z = rl_saved(n, 2);
        RL_TEMP *slope = rl_mul_number(z, rl_float(M_LN2));
        dx[1] = rl_mul(g[0], slope);
    }
    return RL_DONE(n, dx);
}
static const rl_node_type ldexp_node = {
    .name = "LdexpBackward0", .backward = ldexp_backward, .n_saved = 3};

rl_tensor *rl_ldexp(rl_tensor *input, rl_tensor *other)
{
    if (input && other && (rl_has_complex(input) || rl_has_complex(other))) {
        RL_TEMP *two = rl_wrap_number(rl_float(2));
        RL_TEMP *factor = rl_pow(two, other);
        return rl_mul(input, factor);
    }
    RL_TEMP *power = rl_map_run(&(rl_map){.op = RL_MAP_SCALAR_POW,
                                          .typing = RL_TYPE_FLOAT,
                                          .name = "ldexp",
                                          .n = 1,
                                          .in = {other},
                                          .args.f = {2}});
    rl_tensor *z = rl_map2(RL_MAP_MUL, RL_TYPE_PROMOTE, "ldexp", input, power, NULL);
    if (!z || (!rl_recording(input) && !rl_recording(other)))
        return z;
    rl_node *n = rl_node_new(&ldexp_node, z, 2, (rl_tensor *[]){input, other});
    rl_save(n, 1, other);
    rl_save_output(n, 2, z, 0);
    return rl_record(n, z);
}

/* x = mantissa 2^exponent      dx = g / 2^exponent */
static rl_status frexp_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *exponent = rl_saved(n, 0);
    RL_TEMP *power = rl_exp2(exponent);
    dx[0] = rl_div(g[0], power, NULL);
    return RL_DONE(n, dx);
}
static const rl_node_type frexp_node = {
    .name = "FrexpBackward0", .backward = frexp_backward, .n_saved = 1};

rl_status rl_frexp(rl_tensor *input, rl_tensor **out)
{
    out[0] = out[1] = NULL;
    if (!input)
        return rl_error_code();
    if (!rl_is_floating((rl_dtype)input->dtype))
        return rl_error(RL_ERUNTIME, "torch.frexp() only supports floating-point dtypes");
    RL_TEMP *mantissa = rl_map1(RL_MAP_FREXP_MANTISSA, RL_TYPE_PROMOTE, "frexp_cpu", input, NULL);
    RL_TEMP *exponent = rl_map_run(&(rl_map){.op = RL_MAP_FREXP_EXPONENT,
                                             .typing = RL_TYPE_FIXED,
                                             .compute = (rl_dtype)input->dtype,
                                             .result = RL_I32,
                                             .name = "frexp_cpu",
                                             .n = 1,
                                             .in = {input}});
    if (!mantissa || !exponent)
        return rl_error_code();
    if (rl_recording(input)) {
        rl_node *n = rl_node_new(&frexp_node, mantissa, 1, &input);
        rl_save(n, 0, exponent);
        rl_tensor *recorded = rl_record(n, rl_retain(mantissa));
        if (!recorded)
            return rl_error_code();
        rl_release(recorded);
    }
    out[0] = rl_retain(mantissa);
    out[1] = rl_retain(exponent);
    return RL_OK;
}

/* ---- float_power: powers in float64 ---- */

static rl_tensor *in_double(rl_tensor *x)
{
    if (!x || !rl_is_wrapped_number(x))
        return rl_to_dtype(x, x && rl_is_complex((rl_dtype)x->dtype) ? RL_C128 : RL_F64, false);
    if (rl_is_complex((rl_dtype)x->dtype))
        return rl_retain(x);
    rl_scalar s;
    return rl_item(x, &s) ? NULL : rl_wrap_number(rl_float(rl_scalar_double(s)));
}

rl_tensor *rl_float_power(rl_tensor *input, rl_tensor *exponent)
{
    RL_TEMP *x = in_double(input);
    RL_TEMP *e = in_double(exponent);
    return rl_pow(x, e);
}

rl_tensor *rl_float_power_(rl_tensor *input, rl_tensor *exponent)
{
    if (!input || !exponent)
        return NULL;
    if (input->dtype != RL_F64 && input->dtype != RL_C128)
        return rl_fail(RL_ERUNTIME,
                       "the base given to float_power_ has dtype %s but the operation's result "
                       "requires dtype Double",
                       rl_dtype_title((rl_dtype)input->dtype));
    RL_TEMP *e = in_double(exponent);
    return rl_pow_(input, e);
}
