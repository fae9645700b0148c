/* fused.c: several arithmetic steps in one pass: addcmul, addcdiv, lerp; atan2. */
#include "ops/complex.h"

/* g scaled by v, or g itself */
static rl_tensor *times(rl_tensor *g, rl_scalar v)
{
    return rl_scalar_is(v, 1) ? rl_retain(g) : rl_mul_number(g, v);
}

/* z = x + v a b      da = g v b,  db = g v a */
static rl_status addcmul_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    if (rl_wants(n, 0))
        dx[0] = rl_retain(g[0]);
    RL_TEMP *gv = rl_wants(n, 1) || rl_wants(n, 2) ? times(g[0], n->args.s[0]) : NULL;
    if (rl_wants(n, 1)) {
        RL_TEMP *b = rl_saved(n, 1);
        dx[1] = rl_mul(gv, b);
    }
    if (rl_wants(n, 2)) {
        RL_TEMP *a = rl_saved(n, 0);
        dx[2] = rl_mul(gv, a);
    }
    return RL_DONE(n, dx);
}

/* z = x + v a / b      da = g v / b,  db = -g v a / b^2 */
static rl_status addcdiv_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    if (rl_wants(n, 0))
        dx[0] = rl_retain(g[0]);
    RL_TEMP *gv = rl_wants(n, 1) || rl_wants(n, 2) ? times(g[0], n->args.s[0]) : NULL;
    RL_TEMP *b = gv ? rl_saved(n, 1) : NULL;
    if (rl_wants(n, 1))
        dx[1] = rl_div(gv, b, NULL);
    if (rl_wants(n, 2)) {
        RL_TEMP *a = rl_saved(n, 0);
        RL_TEMP *b2 = rl_mul(b, b);
        RL_TEMP *slope = rl_div(a, b2, NULL);
        RL_TEMP *d = rl_mul(gv, slope);
        dx[2] = rl_neg(d);
    }
    return RL_DONE(n, dx);
}

static const rl_node_type addcmul_node = {
    .name = "AddcmulBackward0", .backward = addcmul_backward, .n_saved = 2};
static const rl_node_type addcdiv_node = {
    .name = "AddcdivBackward0", .backward = addcdiv_backward, .n_saved = 2};

static rl_tensor *addc(const rl_node_type *type, rl_map_op op, const char *name, rl_tensor *x,
                       rl_tensor *a, rl_tensor *b, rl_scalar v)
{
    if (!x || !a || !b)
        return NULL;
    if (rl_has_complex(x) || rl_has_complex(a) || rl_has_complex(b)) { /* step by step */
        RL_TEMP *term = op == RL_MAP_ADDCMUL ? rl_mul(a, b) : rl_div(a, b, NULL);
        RL_TEMP *part = term ? times(term, v) : NULL;
        return rl_add(x, part, rl_int(1));
    }
    rl_map m = {.op = op, .typing = RL_TYPE_PROMOTE, .name = name, .n = 3, .in = {x, a, b}};
    m.args.f[0] = rl_scalar_double(v);
    m.args.i[0] = rl_scalar_int(v);
    rl_tensor *z = rl_map_run(&m);
    if (!z || (!rl_recording(x) && !rl_recording(a) && !rl_recording(b)))
        return z;
    rl_node *n = rl_node_new(type, z, 3, (rl_tensor *[]){x, a, b});
    if (n)
        n->args.s[0] = v;
    rl_save(n, 0, a);
    rl_save(n, 1, b);
    return rl_record(n, z);
}

rl_tensor *rl_addcmul(rl_tensor *input, rl_tensor *tensor1, rl_tensor *tensor2, rl_scalar value)
{
    return addc(&addcmul_node, RL_MAP_ADDCMUL, "addcmul_cpu_out", input, tensor1, tensor2, value);
}

rl_tensor *rl_addcdiv(rl_tensor *input, rl_tensor *tensor1, rl_tensor *tensor2, rl_scalar value)
{
    if (!input || !tensor1 || !tensor2)
        return NULL;
    if (!rl_is_differentiable((rl_dtype)tensor1->dtype) &&
        !rl_is_differentiable((rl_dtype)tensor2->dtype))
        return rl_fail(
            RL_ERUNTIME,
            "Integer division with addcdiv is no longer supported, and in a future  release "
            "addcdiv will perform a true division of tensor1 and tensor2. The historic addcdiv "
            "behavior can be implemented as (input + value * torch.trunc(tensor1 / "
            "tensor2)).to(input.dtype) for integer inputs and as (input + value * tensor1 / "
            "tensor2) for float inputs. The future addcdiv behavior is just the latter "
            "implementation: (input + value * tensor1 / tensor2), for all dtypes.");
    return addc(&addcdiv_node, RL_MAP_ADDCDIV, "addcdiv_cpu_out", input, tensor1, tensor2, value);
}

/* ---- lerp: z = x + w (y - x)      dx = g (1 - w),  dy = g w,  dw = g (y - x) ---- */

static rl_status lerp_number_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    double w = rl_scalar_double(n->args.s[0]);
    if (rl_wants(n, 0))
        dx[0] = rl_mul_number(g[0], rl_float(1 - w));
    if (rl_wants(n, 1))
        dx[1] = rl_mul_number(g[0], rl_float(w));
    return RL_DONE(n, dx);
}

static rl_status lerp_tensor_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *w = rl_saved(n, 2);
    if (rl_wants(n, 0)) {
        RL_TEMP *rest = rl_number_minus(rl_int(1), w);
        dx[0] = rl_mul(g[0], rest);
    }
    if (rl_wants(n, 1))
        dx[1] = rl_mul(g[0], w);
    if (rl_wants(n, 2)) {
        RL_TEMP *x = rl_saved(n, 0);
        RL_TEMP *y = rl_saved(n, 1);
        RL_TEMP *d = rl_sub(y, x, rl_int(1));
        dx[2] = rl_mul(g[0], d);
    }
    return RL_DONE(n, dx);
}

static const rl_node_type lerp_number_node = {.name = "LerpBackward0",
                                              .backward = lerp_number_backward};
static const rl_node_type lerp_tensor_node = {
    .name = "LerpBackward1", .backward = lerp_tensor_backward, .n_saved = 3};

rl_tensor *rl_lerp(rl_tensor *input, rl_tensor *end, rl_tensor *weight)
{
    if (!input || !end || !weight)
        return NULL;
    bool number = rl_is_wrapped_number(weight);
    if (end->dtype != input->dtype)
        return rl_fail(RL_ERUNTIME, "expected dtype %s for `end` but got dtype %s",
                       rl_dtype_cpp((rl_dtype)input->dtype), rl_dtype_cpp((rl_dtype)end->dtype));
    if (!number && weight->ndim && weight->dtype != input->dtype)
        return rl_fail(RL_ERUNTIME, "expected dtype %s for `weight` but got dtype %s",
                       rl_dtype_cpp((rl_dtype)input->dtype), rl_dtype_cpp((rl_dtype)weight->dtype));
    if (rl_has_complex(input)) {
        RL_TEMP *way = rl_sub(end, input, rl_int(1));
        RL_TEMP *part = rl_mul(way, weight);
        return rl_add(input, part, rl_int(1));
    }
    rl_map m = {.op = RL_MAP_LERP,
                .typing = RL_TYPE_PROMOTE,
                .name = number ? "lerp_kernel_scalar" : "lerp_kernel_tensor",
                .n = 3,
                .in = {input, end, weight}};
    rl_scalar w = rl_no_scalar();
    if (number) {
        if (rl_item(weight, &w))
            return NULL;
        m.op = RL_MAP_LERP_SCALAR;
        m.n = 2;
        m.args.f[0] = rl_scalar_double(w);
    }
    rl_tensor *z = rl_map_run(&m);
    if (!z || (!rl_recording(input) && !rl_recording(end) && !rl_recording(weight)))
        return z;
    rl_node *n = rl_node_new(number ? &lerp_number_node : &lerp_tensor_node, z, number ? 2 : 3,
                             (rl_tensor *[]){input, end, weight});
    if (number) {
        if (n)
            n->args.s[0] = w;
    } else {
        rl_save(n, 0, input);
        rl_save(n, 1, end);
        rl_save(n, 2, weight);
    }
    return rl_record(n, z);
}

/* ---- atan2: z = angle of (x, y)      dy = g x / (x^2 + y^2),  dx = -g y / (x^2 + y^2), 0 at
 * the origin ---- */

static rl_status atan2_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *y = rl_saved(n, 0);
    RL_TEMP *x = rl_saved(n, 1);
    RL_TEMP *x2 = rl_mul(x, x);
    RL_TEMP *y2 = rl_mul(y, y);
    RL_TEMP *r2 = rl_add(x2, y2, rl_int(1));
    RL_TEMP *zero = rl_wrap_number(rl_int(0));
    RL_TEMP *one = rl_wrap_number(rl_int(1));
    RL_TEMP *origin = rl_eq(r2, zero);
    RL_TEMP *divisor = origin ? rl_where(origin, one, r2) : NULL;
    RL_TEMP *quotient = divisor ? rl_div(g[0], divisor, NULL) : NULL;
    RL_TEMP *scaled = origin ? rl_where(origin, zero, quotient) : NULL;
    if (rl_wants(n, 0))
        dx[0] = rl_mul(scaled, x);
    if (rl_wants(n, 1)) {
        RL_TEMP *d = rl_mul(scaled, y);
        dx[1] = rl_neg(d);
    }
    return RL_DONE(n, dx);
}
static const rl_node_type atan2_node = {
    .name = "Atan2Backward0", .backward = atan2_backward, .n_saved = 2};

rl_tensor *rl_atan2(rl_tensor *input, rl_tensor *other)
{
    rl_tensor *z = rl_map2(RL_MAP_ATAN2, RL_TYPE_FLOAT, "atan2_cpu", input, other, NULL);
    if (!z || (!rl_recording(input) && !rl_recording(other)))
        return z;
    rl_node *n = rl_node_new(&atan2_node, z, 2, (rl_tensor *[]){input, other});
    rl_save(n, 0, input);
    rl_save(n, 1, other);
    return rl_record(n, z);
}

rl_tensor *rl_atan2_(rl_tensor *input, rl_tensor *other)
{
    if (!input || !other)
        return NULL;
    RL_TEMP *self = rl_inplace_source(input, rl_recording(input) || rl_recording(other));
    return self ? rl_inplace_assign(input, rl_atan2(self, input == other ? self : other)) : NULL;
}
