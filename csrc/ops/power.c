/* power.c: powers. */
#include "ops/complex.h"

static double number_of(const rl_tensor *t) /* a wrapped number's value */
{
    double v;
    rl_convert((rl_dtype)t->dtype, t->data, 0, RL_F64, &v, 0, 1);
    return v;
}

/* z = x^e for a number e      dx = g e x^(e-1), 0 for e = 0 */
static rl_status pow_number_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    rl_scalar e = n->args.s[0];
    if (rl_scalar_is(e, 0)) {
        dx[0] = rl_zeros_like(g[0], RL_NO_DTYPE);
        return RL_DONE(n, dx);
    }
    RL_TEMP *x = rl_saved(n, 0);
    if (!x)
        return rl_error_code();
    rl_scalar less = e.dtype == RL_F64 ? rl_float(e.f - 1) : rl_int(e.i - 1);
    RL_TEMP *power = rl_scalar_is(e, 2) ? rl_retain(x) : rl_pow_number(x, less);
    RL_TEMP *holomorphic = rl_mul_number(power, e);
    RL_TEMP *slope = rl_conj_of(holomorphic);
    dx[0] = rl_mul(g[0], slope);
    return RL_DONE(n, dx);
}

/* z = x^y      dx = g y x^(y-1), 0 where y = 0;  dy = g z log x, 0 where x = 0 and y >= 0 */
static rl_status pow_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *x = rl_saved(n, 0);
    RL_TEMP *y = rl_saved(n, 1);
    RL_TEMP *zero = rl_wrap_number(rl_float(0));
    if (!x || !y || !zero)
        return rl_error_code();
    if (rl_wants(n, 0)) {
        RL_TEMP *flat = rl_eq(y, zero);
        RL_TEMP *less = rl_add_number(y, rl_int(-1));
        RL_TEMP *power = rl_pow(x, less);
        RL_TEMP *holomorphic = rl_mul(y, power);
        RL_TEMP *slope = rl_conj_of(holomorphic);
        RL_TEMP *d = rl_mul(g[0], slope);
        dx[0] = rl_where(flat, zero, d);
    }
    if (rl_wants(n, 1)) {
        RL_TEMP *z = rl_saved(n, 2);
        RL_TEMP *base0 = rl_eq(x, zero);
        RL_TEMP *part = rl_has_complex(y) ? rl_real(y) : rl_retain(y);
        RL_TEMP *up = rl_ge(part, zero);
        RL_TEMP *flat = rl_logical_and(base0, up);
        RL_TEMP *base =
            z && rl_has_complex(z) ? rl_to_dtype(x, (rl_dtype)z->dtype, false) : rl_retain(x);
        RL_TEMP *log = rl_log(base);
        RL_TEMP *holomorphic = rl_mul(z, log);
        RL_TEMP *slope = rl_conj_of(holomorphic);
        RL_TEMP *d = rl_mul(g[0], slope);
        dx[1] = rl_where(flat, zero, d);
    }
    return RL_DONE(n, dx);
}

static const rl_node_type pow_number_node = {
    .name = "PowBackward0", .backward = pow_number_backward, .n_saved = 1};
static const rl_node_type pow_node = {
    .name = "PowBackward1", .backward = pow_backward, .n_saved = 3};
static const rl_node_type pow_complex_number_node = {
    .name = "PowBackward0", .backward = pow_backward, .n_saved = 3};
static const rl_node_type pow_base_node = {
    .name = "PowBackward2", .backward = pow_backward, .n_saved = 3};

/* Which kernel: powers by a fixed number have shorter ones. */
static rl_status pow_map(rl_map *m, rl_tensor *x, rl_tensor *y)
{
    rl_dtype type = rl_result_type(2, (rl_tensor *[]){x, y});
    *m = (rl_map){.op = RL_MAP_POW, .name = "pow", .n = 2, .in = {x, y}};
    m->typing = RL_TYPE_FIXED;
    m->compute = m->result = type;
    if (rl_is_complex(type))
        return RL_OK;
    if (y->ndim == 0 && rl_is_wrapped_number(y)) {
        double e = number_of(y);
        if (!rl_is_floating(type) && type != RL_BOOL) {
            if (e < 0)
                return rl_error(RL_ERUNTIME,
                                "Integers to negative integer powers are not allowed.");
            if (rl_check_scalar(rl_float(e), type))
                return rl_error_code();
            m->op = RL_MAP_POW_SCALAR;
            rl_convert((rl_dtype)y->dtype, y->data, 0, RL_I64, &m->args.i[0], 0, 1);
            m->n = 1;
        } else if (rl_is_floating(type)) {
            m->op = e == 0.5    ? RL_MAP_SQRT
                    : e == -0.5 ? RL_MAP_RSQRT
                    : e == -1   ? RL_MAP_RECIPROCAL
                    : e == 2    ? RL_MAP_SQUARE
                                : RL_MAP_POW_SCALAR;
            m->args.f[0] = e;
            m->n = 1;
        }
    } else if (x->ndim == 0 && rl_is_wrapped_number(x) && rl_is_floating(type)) {
        double base = number_of(x);
        m->op = RL_MAP_SCALAR_POW;
        m->args.f[0] = base;
        m->in[0] = y;
        m->n = 1;
    }
    return RL_OK;
}

/* Complex powers: short ways for the usual numbers. */
static rl_tensor *complex_pow(rl_tensor *x, rl_tensor *y)
{
    bool number = y->ndim == 0 && rl_is_wrapped_number(y) && !rl_has_complex(y);
    double e = number ? number_of(y) : 0;
    if (e == 2 || e == 3 || e == -1 || e == -2) {
        bool mode = rl_set_grad_enabled(false);
        RL_TEMP *square = e == -1 ? rl_retain(x) : rl_mul(x, x);
        rl_tensor *z = e == 2   ? rl_retain(square)
                       : e == 3 ? rl_mul(square, x)
                                : rl_reciprocal(square);
        rl_set_grad_enabled(mode);
        return z;
    }
    if (e == 0.5 || e == -0.5)
        return rl_complex_function(e > 0 ? RL_MAP_SQRT : RL_MAP_RSQRT, x);
    return rl_complex_power(x, y);
}

rl_tensor *rl_pow(rl_tensor *input, rl_tensor *exponent)
{
    rl_map m;
    if (!input || !exponent || pow_map(&m, input, exponent))
        return NULL;
    rl_tensor *z = rl_is_complex(m.result) ? complex_pow(input, exponent) : rl_map_run(&m);
    if (!z || (!rl_recording(input) && !rl_recording(exponent)))
        return z;
    if (rl_is_wrapped_number(exponent) && !rl_has_complex(exponent)) {
        rl_node *n = rl_node_new(&pow_number_node, z, 1, (rl_tensor *[]){input});
        rl_save(n, 0, input);
        if (n && rl_item(exponent, &n->args.s[0])) {
            rl_node_release(n);
            n = NULL;
        }
        return rl_record(n, z);
    }
    rl_node *n = rl_node_new(rl_is_wrapped_number(input)      ? &pow_base_node
                             : rl_is_wrapped_number(exponent) ? &pow_complex_number_node
                                                              : &pow_node,
                             z, 2, (rl_tensor *[]){input, exponent});
    rl_save(n, 0, input);
    rl_save(n, 1, exponent);
    rl_save_output(n, 2, z, 0);
    return rl_record(n, z);
}

rl_tensor *rl_pow_(rl_tensor *input, rl_tensor *exponent)
{
    rl_map m;
    if (!input || !exponent || pow_map(&m, input, exponent))
        return NULL;
    bool records = rl_recording(input) || rl_recording(exponent);
    if (!records && !rl_is_complex(m.result))
        return rl_map_into(&m, input);
    RL_TEMP *self = rl_inplace_source(input, records);
    return self ? rl_inplace_assign(input, rl_pow(self, input == exponent ? self : exponent))
                : NULL;
}

static rl_status square_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *x = rl_saved(n, 0);
    RL_TEMP *twice = rl_mul_number(x, rl_int(2));
    RL_TEMP *slope = rl_conj_of(twice);
    dx[0] = rl_mul(g[0], slope);
    return RL_DONE(n, dx);
}
static const rl_node_type square_node = {
    .name = "PowBackward0", .backward = square_backward, .n_saved = 1};

/* square of bool is of int64, as x ** 2 */
rl_tensor *rl_square(rl_tensor *input)
{
    if (!input)
        return NULL;
    rl_dtype type = input->dtype == RL_BOOL ? RL_I64 : (rl_dtype)input->dtype;
    rl_tensor *z = rl_map_run(&(rl_map){.op = RL_MAP_SQUARE,
                                        .typing = RL_TYPE_FIXED,
                                        .compute = type,
                                        .result = type,
                                        .name = "pow",
                                        .n = 1,
                                        .in = {input}});
    if (!z || !rl_recording(input))
        return z;
    rl_node *n = rl_node_new(&square_node, z, 1, (rl_tensor *[]){input});
    rl_save(n, 0, input);
    return rl_record(n, z);
}

rl_tensor *rl_square_(rl_tensor *input)
{
    RL_TEMP *two = rl_wrap_number(rl_int(2));
    return rl_pow_(input, two);
}
