/* arith.c: sums, products, quotients and powers of two tensors, or a tensor and a number. */
#include "ops/complex.h"

#define NONE ((rl_ints){NULL, -1})

/* g times a number, or g itself for 1 */
static rl_tensor *scaled(rl_tensor *g, rl_scalar alpha, bool negative)
{
    if (rl_scalar_is(alpha, 1))
        return negative ? rl_neg(g) : rl_retain(g);
    if (negative) {
        if (alpha.dtype == RL_F64)
            alpha.f = -alpha.f;
        else
            alpha = rl_int(-alpha.i);
    }
    return rl_mul_number(g, alpha);
}

/* ---- add, sub ---- */

static rl_status add_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    if (rl_wants(n, 0))
        dx[0] = rl_retain(g[0]);
    if (rl_wants(n, 1))
        dx[1] = scaled(g[0], n->args.s[0], false);
    return RL_DONE(n, dx);
}

static rl_status sub_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    if (rl_wants(n, 0))
        dx[0] = rl_retain(g[0]);
    if (rl_wants(n, 1))
        dx[1] = scaled(g[0], n->args.s[0], true);
    return RL_DONE(n, dx);
}

static rl_status rsub_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    if (rl_wants(n, 0))
        dx[0] = scaled(g[0], n->args.s[0], true);
    if (n->n_inputs > 1 && rl_wants(n, 1))
        dx[1] = rl_retain(g[0]);
    return RL_DONE(n, dx);
}

static const rl_node_type add_node = {.name = "AddBackward0", .backward = add_backward};
static const rl_node_type sub_node = {.name = "SubBackward0", .backward = sub_backward};
static const rl_node_type rsub_tensor_node = {.name = "RsubBackward0", .backward = rsub_backward};
static const rl_node_type rsub_number_node = {.name = "RsubBackward1", .backward = rsub_backward};

static rl_status check_alpha(const rl_tensor *x, const rl_tensor *y, rl_scalar alpha)
{
    if (alpha.dtype == RL_BOOL && !(x->dtype == RL_BOOL && y->dtype == RL_BOOL))
        return rl_error(RL_ERUNTIME, "Boolean alpha only supported for Boolean results.");
    if (alpha.dtype == RL_F64 && !rl_is_differentiable((rl_dtype)x->dtype) &&
        !rl_is_differentiable((rl_dtype)y->dtype))
        return rl_error(
            RL_ERUNTIME,
            "For integral input tensors, argument alpha must not be a floating point number.");
    if (!rl_scalar_is(alpha, 1) && rl_is_integral((rl_dtype)x->dtype, false)) {
        rl_dtype result = rl_result_type(2, (rl_tensor *[]){(rl_tensor *)x, (rl_tensor *)y});
        if (rl_is_integral(result, false))
            return rl_check_scalar(alpha, result);
    }
    return RL_OK;
}

static rl_status check_no_bool(const rl_tensor *x, const rl_tensor *y)
{
    if (x->dtype == RL_BOOL && y->dtype == RL_BOOL)
        return rl_error(RL_ERUNTIME,
                        "Subtraction, the `-` operator, with two bool tensors is not supported. "
                        "Use the `^` or `logical_xor()` operator instead.");
    if (x->dtype == RL_BOOL || y->dtype == RL_BOOL)
        return rl_error(RL_ERUNTIME,
                        "Subtraction, the `-` operator, with a bool tensor is not supported. If "
                        "you are trying to invert a mask, use the `~` or `logical_not()` operator "
                        "instead.");
    return RL_OK;
}

/* x + alpha y, sign -1: x - alpha y */
static rl_map sum_map(rl_tensor *x, rl_tensor *y, rl_scalar alpha, int sign)
{
    rl_map m = {.typing = RL_TYPE_PROMOTE, .n = 2, .in = {x, y}};
    m.name = sign > 0 ? "add_stub" : "sub_stub";
    if (rl_scalar_is(alpha, 1)) {
        m.op = sign > 0 ? RL_MAP_ADD : RL_MAP_SUB;
    } else if (x->dtype == RL_BOOL && y->dtype == RL_BOOL) { /* or, or x alone */
        m.op = RL_MAP_ADD;
        if (rl_scalar_is(alpha, 0))
            m.in[1] = x;
    } else {
        m.op = RL_MAP_ADD_SCALED;
        m.args.f[0] = sign * rl_scalar_double(alpha);
        /* unsigned: the smallest integer has no negative */
        m.args.i[0] = (int64_t)((uint64_t)sign * (uint64_t)rl_scalar_int(alpha));
    }
    return m;
}

static rl_node *sum_node(const rl_node_type *type, rl_tensor *z, rl_tensor *x, rl_tensor *y,
                         rl_scalar alpha)
{
    rl_node *n = rl_node_new(type, z, 2, (rl_tensor *[]){x, y});
    if (n)
        n->args.s[0] = alpha;
    return n;
}

static rl_tensor *sum(rl_tensor *x, rl_tensor *y, rl_scalar alpha, int sign)
{
    if (!x || !y || check_alpha(x, y, alpha) || (sign < 0 && check_no_bool(x, y)))
        return NULL;
    rl_map m = sum_map(x, y, alpha, sign);
    rl_tensor *z = rl_map_run(&m);
    if (!rl_recording(x) && !rl_recording(y))
        return z;
    return rl_record(sum_node(sign > 0 ? &add_node : &sub_node, z, x, y, alpha), z);
}

static rl_tensor *sum_(rl_tensor *x, rl_tensor *y, rl_scalar alpha, int sign)
{
    if (!x || !y || check_alpha(x, y, alpha) || (sign < 0 && check_no_bool(x, y)))
        return NULL;
    rl_map m = sum_map(x, y, alpha, sign);
    if (!rl_recording(x) && !rl_recording(y))
        return rl_map_into(&m, x);
    if (rl_check_inplace(x, true))
        return NULL;
    rl_node *n = sum_node(sign > 0 ? &add_node : &sub_node, x, x, y, alpha);
    m.out = x;
    rl_tensor *z = n ? rl_map_run(&m) : NULL;
    if (!z) {
        rl_node_release(n);
        return NULL;
    }
    rl_release(z);
    return rl_record_inplace(n, x);
}

rl_tensor *rl_add(rl_tensor *input, rl_tensor *other, rl_scalar alpha)
{
    return sum(input, other, alpha, 1);
}
rl_tensor *rl_add_(rl_tensor *input, rl_tensor *other, rl_scalar alpha)
{
    return sum_(input, other, alpha, 1);
}
rl_tensor *rl_sub(rl_tensor *input, rl_tensor *other, rl_scalar alpha)
{
    return sum(input, other, alpha, -1);
}
rl_tensor *rl_sub_(rl_tensor *input, rl_tensor *other, rl_scalar alpha)
{
    return sum_(input, other, alpha, -1);
}
rl_tensor *rl_subtract(rl_tensor *input, rl_tensor *other, rl_scalar alpha)
{
    return sum(input, other, alpha, -1);
}
rl_tensor *rl_subtract_(rl_tensor *input, rl_tensor *other, rl_scalar alpha)
{
    return sum_(input, other, alpha, -1);
}

rl_tensor *rl_rsub(rl_tensor *input, rl_tensor *other, rl_scalar alpha)
{
    if (!input || !other || check_alpha(input, other, alpha) || check_no_bool(other, input))
        return NULL;
    rl_map m = sum_map(other, input, alpha, -1);
    rl_tensor *z = rl_map_run(&m);
    if (!rl_recording(input) && !rl_recording(other))
        return z;
    bool number = rl_is_wrapped_number(other);
    rl_node *n = rl_node_new(number ? &rsub_number_node : &rsub_tensor_node, z, number ? 1 : 2,
                             (rl_tensor *[]){input, other});
    if (n)
        n->args.s[0] = alpha;
    return rl_record(n, z);
}

/* ---- mul ---- */

static rl_status mul_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    if (rl_wants(n, 0)) {
        RL_TEMP *y = rl_saved(n, 1);
        RL_TEMP *slope = rl_conj_of(y);
        dx[0] = rl_mul(g[0], slope);
    }
    if (rl_wants(n, 1)) {
        RL_TEMP *x = rl_saved(n, 0);
        RL_TEMP *slope = rl_conj_of(x);
        dx[1] = rl_mul(g[0], slope);
    }
    return RL_DONE(n, dx);
}
static const rl_node_type mul_node = {
    .name = "MulBackward0", .backward = mul_backward, .n_saved = 2};

static rl_node *mul_record(rl_tensor *z, rl_tensor *x, rl_tensor *y, rl_tensor *saved_x)
{
    rl_node *n = rl_node_new(&mul_node, z, 2, (rl_tensor *[]){x, y});
    if (rl_recording(y))
        rl_save(n, 0, saved_x);
    if (rl_recording(x))
        rl_save(n, 1, y);
    return n;
}

rl_tensor *rl_mul(rl_tensor *input, rl_tensor *other)
{
    rl_tensor *z = rl_map2(RL_MAP_MUL, RL_TYPE_PROMOTE, "mul_cpu", input, other, NULL);
    if (!rl_recording(input) && !rl_recording(other))
        return z;
    return z ? rl_record(mul_record(z, input, other, input), z) : NULL;
}

rl_tensor *rl_mul_(rl_tensor *input, rl_tensor *other)
{
    if (!input || !other)
        return NULL;
    rl_map m = {.op = RL_MAP_MUL,
                .typing = RL_TYPE_PROMOTE,
                .name = "mul_cpu",
                .n = 2,
                .in = {input, other}};
    if (!rl_recording(input) && !rl_recording(other))
        return rl_map_into(&m, input);
    if (rl_recording(other) || input == other) { /* input itself is needed: compute from a copy */
        RL_TEMP *self = rl_inplace_source(input, true);
        return self ? rl_inplace_assign(input, rl_mul(self, input == other ? self : other)) : NULL;
    }
    if (rl_check_inplace(input, true))
        return NULL;
    rl_node *n = mul_record(input, input, other, NULL);
    m.out = input;
    rl_tensor *z = n ? rl_map_run(&m) : NULL;
    if (!z) {
        rl_node_release(n);
        return NULL;
    }
    rl_release(z);
    return rl_record_inplace(n, input);
}

rl_tensor *rl_multiply(rl_tensor *input, rl_tensor *other) { return rl_mul(input, other); }
rl_tensor *rl_multiply_(rl_tensor *input, rl_tensor *other) { return rl_mul_(input, other); }

/* The in-place form of an operator through its ordinary form when something records, else `m`
 * straight into x. */
#define INPLACE(x, other, map, call)                                                               \
    do {                                                                                           \
        if (!(x) || !(other))                                                                      \
            return NULL;                                                                           \
        if (!rl_recording(x) && !rl_recording(other)) {                                            \
            rl_map m_ = map;                                                                       \
            return rl_map_into(&m_, x);                                                            \
        }                                                                                          \
        RL_TEMP *self = rl_inplace_source(x, true);                                                \
        return self ? rl_inplace_assign(x, call) : NULL;                                           \
    } while (0)

/* ---- div ---- */

/* z = x / y      dx = g / y,  dy = -g (x / y) / y */
static rl_status div_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *y = rl_saved(n, 1);
    if (!y)
        return rl_error_code();
    if (rl_wants(n, 0)) {
        RL_TEMP *divisor = rl_conj_of(y);
        dx[0] = rl_div(g[0], divisor, NULL);
    }
    if (rl_wants(n, 1)) {
        RL_TEMP *x = rl_saved(n, 0);
        RL_TEMP *q = rl_div(x, y, NULL);
        RL_TEMP *holomorphic = rl_div(q, y, NULL);
        RL_TEMP *slope = rl_conj_of(holomorphic);
        RL_TEMP *minus = rl_neg(g[0]);
        dx[1] = rl_mul(minus, slope);
    }
    return RL_DONE(n, dx);
}

/* Steps: zero almost everywhere. */
static rl_status zero_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    for (int i = 0; i < n->n_inputs; i++)
        if (rl_wants(n, i))
            dx[i] = rl_zeros_like(g[0], RL_NO_DTYPE);
    return RL_DONE(n, dx);
}

static const rl_node_type div_node = {
    .name = "DivBackward0", .backward = div_backward, .n_saved = 2};
static const rl_node_type div_rounded_node = {.name = "DivBackward2", .backward = zero_backward};

/* PyTorch leaves floor_divide without a derivative (div with rounding_mode="floor" has one). */
static rl_status floor_divide_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    (void)n, (void)g, (void)dx;
    return rl_error(RL_ERUNTIME, "derivative for aten::floor_divide is not implemented");
}
static const rl_node_type floor_divide_node = {.name = "NotImplemented",
                                               .backward = floor_divide_backward};

/* Integer division by zero: an error before anything is written. */
static rl_status check_divisor(rl_tensor *x, rl_tensor *y)
{
    rl_dtype type = rl_result_type(2, (rl_tensor *[]){x, y});
    if (rl_is_differentiable(type) || x->numel == 0)
        return RL_OK;
    bool mask[RL_MAX_DIMS];
    memset(mask, true, sizeof mask);
    RL_TEMP *all = rl_reduce_run(RL_REDUCE_ALL, "all", y, mask, false, (rl_dtype)y->dtype, RL_BOOL,
                                 &(rl_kargs){{0}, {0}});
    if (!all)
        return rl_error_code();
    return *(uint8_t *)all->data ? RL_OK : rl_error(RL_ERUNTIME, "ZeroDivisionError");
}

static rl_status div_map(rl_map *m, rl_tensor *x, rl_tensor *y, const char *mode)
{
    *m = (rl_map){.op = RL_MAP_DIV, .typing = RL_TYPE_FLOAT, .name = "div_cpu", .n = 2};
    m->in[0] = x, m->in[1] = y;
    if (!mode)
        return RL_OK;
    m->typing = RL_TYPE_PROMOTE;
    if (strcmp(mode, "trunc") == 0) {
        m->op = RL_MAP_DIV_TRUNC;
        m->name = "div_trunc_cpu";
    } else if (strcmp(mode, "floor") == 0) {
        m->op = RL_MAP_DIV_FLOOR;
        m->name = "div_floor_cpu";
    } else {
        return rl_error(RL_ERUNTIME,
                        "div expected rounding_mode to be one of None, 'trunc', or 'floor' but "
                        "found '%s'",
                        mode);
    }
    return check_divisor(x, y);
}

rl_tensor *rl_div(rl_tensor *input, rl_tensor *other, const char *rounding_mode)
{
    rl_map m;
    if (!input || !other || div_map(&m, input, other, rounding_mode))
        return NULL;
    rl_tensor *z = rl_map_run(&m);
    if (!z || (!rl_recording(input) && !rl_recording(other)))
        return z;
    rl_node *n = rl_node_new(rounding_mode ? &div_rounded_node : &div_node, z, 2,
                             (rl_tensor *[]){input, other});
    if (!rounding_mode) {
        if (rl_recording(other))
            rl_save(n, 0, input);
        rl_save(n, 1, other);
    }
    return rl_record(n, z);
}

rl_tensor *rl_div_(rl_tensor *input, rl_tensor *other, const char *rounding_mode)
{
    rl_map m;
    if (!input || !other || div_map(&m, input, other, rounding_mode))
        return NULL;
    if (rounding_mode || rl_recording(other) || input == other)
        INPLACE(input, other, m, rl_div(self, input == other ? self : other, rounding_mode));
    if (!rl_recording(input))
        return rl_map_into(&m, input);
    if (rl_check_inplace(input, true))
        return NULL;
    rl_node *n = rl_node_new(&div_node, input, 2, (rl_tensor *[]){input, other});
    rl_save(n, 1, other);
    m.out = input;
    rl_tensor *z = n ? rl_map_run(&m) : NULL;
    if (!z) {
        rl_node_release(n);
        return NULL;
    }
    rl_release(z);
    return rl_record_inplace(n, input);
}

rl_tensor *rl_divide(rl_tensor *input, rl_tensor *other, const char *rounding_mode)
{
    return rl_div(input, other, rounding_mode);
}
rl_tensor *rl_divide_(rl_tensor *input, rl_tensor *other, const char *rounding_mode)
{
    return rl_div_(input, other, rounding_mode);
}
rl_tensor *rl_true_divide(rl_tensor *input, rl_tensor *other) { return rl_div(input, other, NULL); }
rl_tensor *rl_true_divide_(rl_tensor *input, rl_tensor *other)
{
    return rl_div_(input, other, NULL);
}

rl_tensor *rl_floor_divide(rl_tensor *input, rl_tensor *other)
{
    rl_map m;
    if (!input || !other || div_map(&m, input, other, "floor"))
        return NULL;
    rl_tensor *z = rl_map_run(&m);
    if (!z || (!rl_recording(input) && !rl_recording(other)))
        return z;
    return rl_record(rl_node_new(&floor_divide_node, z, 2, (rl_tensor *[]){input, other}), z);
}

rl_tensor *rl_floor_divide_(rl_tensor *input, rl_tensor *other)
{
    rl_map m;
    if (!input || !other || div_map(&m, input, other, "floor"))
        return NULL;
    INPLACE(input, other, m, rl_floor_divide(self, input == other ? self : other));
}

/* ---- remainder, fmod: z = x - y floor(x / y) ---- */

static rl_status remainder_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    if (rl_wants(n, 0))
        dx[0] = rl_retain(g[0]);
    if (n->n_inputs > 1 && rl_wants(n, 1)) {
        RL_TEMP *x = rl_saved(n, 0);
        RL_TEMP *y = rl_saved(n, 1);
        RL_TEMP *q = rl_div(x, y, n->args.i[0] ? "trunc" : "floor");
        RL_TEMP *minus = rl_neg(g[0]);
        dx[1] = rl_mul(minus, q);
    }
    return RL_DONE(n, dx);
}
static const rl_node_type remainder_nodes[2][2] = {
    {{.name = "RemainderBackward1", .backward = remainder_backward, .n_saved = 2},
     {.name = "RemainderBackward0", .backward = remainder_backward, .n_saved = 2}},
    {{.name = "FmodBackward1", .backward = remainder_backward, .n_saved = 2},
     {.name = "FmodBackward0", .backward = remainder_backward, .n_saved = 2}}};

static rl_map remainder_map(rl_tensor *x, rl_tensor *y, bool c_sign)
{
    return (rl_map){.op = c_sign ? RL_MAP_FMOD : RL_MAP_REMAINDER,
                    .typing = RL_TYPE_PROMOTE,
                    .name = c_sign ? "fmod_cpu" : "remainder_cpu",
                    .n = 2,
                    .in = {x, y}};
}

static rl_tensor *remainder_of(rl_tensor *x, rl_tensor *y, bool c_sign)
{
    if (!x || !y || check_divisor(x, y))
        return NULL;
    rl_map m = remainder_map(x, y, c_sign);
    rl_tensor *z = rl_map_run(&m);
    if (!z || (!rl_recording(x) && !rl_recording(y)))
        return z;
    bool number = rl_is_wrapped_number(y);
    rl_node *n =
        rl_node_new(&remainder_nodes[c_sign][number], z, number ? 1 : 2, (rl_tensor *[]){x, y});
    if (n)
        n->args.i[0] = c_sign;
    if (rl_recording(y)) {
        rl_save(n, 0, x);
        rl_save(n, 1, y);
    }
    return rl_record(n, z);
}

rl_tensor *rl_remainder(rl_tensor *input, rl_tensor *other)
{
    return remainder_of(input, other, false);
}
rl_tensor *rl_remainder_(rl_tensor *input, rl_tensor *other)
{
    if (!input || !other || check_divisor(input, other))
        return NULL;
    INPLACE(input, other, remainder_map(input, other, false),
            rl_remainder(self, input == other ? self : other));
}
rl_tensor *rl_fmod(rl_tensor *input, rl_tensor *other) { return remainder_of(input, other, true); }
rl_tensor *rl_fmod_(rl_tensor *input, rl_tensor *other)
{
    if (!input || !other || check_divisor(input, other))
        return NULL;
    INPLACE(input, other, remainder_map(input, other, true),
            rl_fmod(self, input == other ? self : other));
}
