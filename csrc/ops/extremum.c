/* extremum.c: the larger or smaller of two tensors; limits. */
#include <math.h>

#include "ops/map.h"

/* 0 where mask is true, g elsewhere; mask is taken over */
static rl_tensor *where_false(rl_tensor *steal_mask, rl_tensor *g)
{
    RL_TEMP *mask = steal_mask;
    RL_TEMP *zero = rl_wrap_number(rl_float(0));
    return rl_where(mask, zero, g);
}

/* g where mask is true, 0 elsewhere; mask is taken over */
static rl_tensor *where_true(rl_tensor *steal_mask, rl_tensor *g)
{
    RL_TEMP *mask = steal_mask;
    RL_TEMP *zero = rl_wrap_number(rl_float(0));
    return rl_where(mask, g, zero);
}

/* Equal elements share the gradient; beside a nan both get all of it, as in PyTorch.      i[0]: 1
 * maximum, 0 minimum */
static rl_status maximum_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *x = rl_saved(n, 0);
    RL_TEMP *y = rl_saved(n, 1);
    RL_TEMP *tie = rl_eq(x, y);
    RL_TEMP *half = rl_div_number(g[0], rl_int(2));
    RL_TEMP *shared = rl_where(tie, half, g[0]);
    bool up = n->args.i[0];
    if (shared && rl_wants(n, 0))
        dx[0] = where_false(up ? rl_lt(x, y) : rl_gt(x, y), shared);
    if (shared && rl_wants(n, 1))
        dx[1] = where_false(up ? rl_gt(x, y) : rl_lt(x, y), shared);
    return RL_DONE(n, dx);
}

/* fmax, fmin: x where x is at least y or y is nan */
static rl_status fmax_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *x = rl_saved(n, 0);
    RL_TEMP *y = rl_saved(n, 1);
    RL_TEMP *better = n->args.i[0] ? rl_ge(x, y) : rl_le(x, y);
    RL_TEMP *nan = rl_isnan(y);
    RL_TEMP *first = rl_logical_or(better, nan);
    if (rl_wants(n, 0))
        dx[0] = where_true(rl_retain(first), g[0]);
    if (rl_wants(n, 1))
        dx[1] = where_true(rl_logical_not(first), g[0]);
    return RL_DONE(n, dx);
}

static const rl_node_type maximum_node = {
    .name = "MaximumBackward0", .backward = maximum_backward, .n_saved = 2};
static const rl_node_type minimum_node = {
    .name = "MinimumBackward0", .backward = maximum_backward, .n_saved = 2};
static const rl_node_type fmax_node = {
    .name = "FmaxBackward0", .backward = fmax_backward, .n_saved = 2};
static const rl_node_type fmin_node = {
    .name = "FminBackward0", .backward = fmax_backward, .n_saved = 2};

static rl_tensor *extremum(rl_map_op op, const char *name, const rl_node_type *type, bool up,
                           rl_tensor *x, rl_tensor *y)
{
    rl_tensor *z = rl_map2(op, RL_TYPE_PROMOTE, name, x, y, NULL);
    if (!z || (!rl_recording(x) && !rl_recording(y)))
        return z;
    rl_node *n = rl_node_new(type, z, 2, (rl_tensor *[]){x, y});
    if (n)
        n->args.i[0] = up;
    rl_save(n, 0, x);
    rl_save(n, 1, y);
    return rl_record(n, z);
}

rl_tensor *rl_maximum(rl_tensor *input, rl_tensor *other)
{
    return extremum(RL_MAP_MAXIMUM, "maximum_cpu", &maximum_node, true, input, other);
}
rl_tensor *rl_minimum(rl_tensor *input, rl_tensor *other)
{
    return extremum(RL_MAP_MINIMUM, "minimum_cpu", &minimum_node, false, input, other);
}
rl_tensor *rl_max_other(rl_tensor *input, rl_tensor *other) { return rl_maximum(input, other); }
rl_tensor *rl_min_other(rl_tensor *input, rl_tensor *other) { return rl_minimum(input, other); }

/* Integers have no nan. */
rl_tensor *rl_fmax(rl_tensor *input, rl_tensor *other)
{
    if (!input || !other)
        return NULL;
    bool whole = !rl_is_floating(rl_result_type(2, (rl_tensor *[]){input, other}));
    return extremum(whole ? RL_MAP_MAXIMUM : RL_MAP_FMAX, "fmax_cpu", &fmax_node, true, input,
                    other);
}
rl_tensor *rl_fmin(rl_tensor *input, rl_tensor *other)
{
    if (!input || !other)
        return NULL;
    bool whole = !rl_is_floating(rl_result_type(2, (rl_tensor *[]){input, other}));
    return extremum(whole ? RL_MAP_MINIMUM : RL_MAP_FMIN, "fmin_cpu", &fmin_node, false, input,
                    other);
}

/* ---- clamp ---- */

/* Number limits: the gradient passes where lo <= x <= hi.  f: the limits, infinite where there is
 * none. */
static rl_status clamp_number_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *x = rl_saved(n, 0);
    RL_TEMP *lo = rl_wrap_number(rl_float(n->args.f[0]));
    RL_TEMP *hi = rl_wrap_number(rl_float(n->args.f[1]));
    RL_TEMP *above = rl_ge(x, lo);
    RL_TEMP *below = rl_le(x, hi);
    dx[0] = where_true(rl_logical_and(above, below), g[0]);
    return RL_DONE(n, dx);
}

/* Tensor limits: x where lo <= x <= hi; lo where x < lo < hi; hi where x > hi or lo > hi. */
static rl_status clamp_tensor_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *x = rl_saved(n, 0);
    RL_TEMP *lo = rl_has_saved(n, 1) ? rl_saved(n, 1) : NULL;
    RL_TEMP *hi = rl_has_saved(n, 2) ? rl_saved(n, 2) : NULL;
    if (!x || (rl_has_saved(n, 1) && !lo) || (rl_has_saved(n, 2) && !hi))
        return rl_error_code();
    if (rl_wants(n, 0)) {
        RL_TEMP *above = lo ? rl_ge(x, lo) : NULL;
        RL_TEMP *below = hi ? rl_le(x, hi) : NULL;
        dx[0] = where_true(lo && hi ? rl_logical_and(above, below) : rl_retain(lo ? above : below),
                           g[0]);
    }
    if (rl_wants(n, 1)) {
        RL_TEMP *under = rl_lt(x, lo);
        RL_TEMP *order = hi ? rl_lt(lo, hi) : NULL;
        dx[1] = where_true(hi ? rl_logical_and(under, order) : rl_retain(under), g[0]);
    }
    if (rl_wants(n, 2)) {
        RL_TEMP *over = rl_gt(x, hi);
        RL_TEMP *order = lo ? rl_gt(lo, hi) : NULL;
        dx[2] = where_true(lo ? rl_logical_or(over, order) : rl_retain(over), g[0]);
    }
    return RL_DONE(n, dx);
}

#define CLAMP_NODE(id, text, f, saves)                                                             \
    static const rl_node_type id = {.name = text, .backward = f, .n_saved = saves};
CLAMP_NODE(clamp_tensor, "ClampBackward0", clamp_tensor_backward, 3)
CLAMP_NODE(clamp_number, "ClampBackward1", clamp_number_backward, 1)
CLAMP_NODE(clamp_min_number, "ClampMinBackward0", clamp_number_backward, 1)
CLAMP_NODE(clamp_min_tensor, "ClampMinBackward1", clamp_tensor_backward, 3)
CLAMP_NODE(clamp_max_number, "ClampMaxBackward0", clamp_number_backward, 1)
CLAMP_NODE(clamp_max_tensor, "ClampMaxBackward1", clamp_tensor_backward, 3)
#undef CLAMP_NODE

/* A limit of integers must be one of them, but negative ones of unsigned integers wrap around, as
 * all numbers beside uint8 do. */
static rl_status check_limit(rl_scalar *limit, rl_dtype dtype)
{
    if (!rl_is_integral(dtype, false))
        return RL_OK;
    int64_t v = rl_scalar_int(*limit);
    if (dtype == RL_U8 && v < 0 && v >= -UINT8_MAX) {
        *limit = rl_int(v + UINT8_MAX + 1);
        return RL_OK;
    }
    return rl_check_scalar(*limit, dtype);
}

static rl_tensor *limit_numbers(const rl_node_type *type, rl_tensor *x, rl_tensor *lo,
                                rl_tensor *hi)
{
    rl_tensor *all[3] = {x, lo, hi};
    rl_dtype result = rl_result_type(3, all);
    rl_map m = {.op = RL_MAP_CLAMP,
                .typing = RL_TYPE_FIXED,
                .compute = result,
                .result = result,
                .n = 1,
                .in = {x}};
    m.name = lo && hi ? "clamp_scalar_cpu" : lo ? "clamp_min_scalar_cpu" : "clamp_max_scalar_cpu";
    rl_scalar least = rl_float(-INFINITY), most = rl_float(INFINITY);
    if ((lo && (rl_item(lo, &least) || check_limit(&least, result))) ||
        (hi && (rl_item(hi, &most) || check_limit(&most, result))))
        return NULL;
    m.args.f[0] = rl_scalar_double(least);
    m.args.f[1] = rl_scalar_double(most);
    m.args.i[0] = lo ? rl_scalar_int(least) : INT64_MIN;
    m.args.i[1] = hi ? rl_scalar_int(most) : INT64_MAX;
    if (m.args.f[0] != m.args.f[0] || m.args.f[1] != m.args.f[1])
        m.args.f[0] = m.args.f[1] = NAN; /* a nan limit makes everything nan */
    rl_tensor *z = rl_map_run(&m);
    if (!z || !rl_recording(x))
        return z;
    rl_node *n = rl_node_new(type, z, 1, &x);
    if (n) {
        n->args.f[0] = m.args.f[0];
        n->args.f[1] = m.args.f[1];
    }
    rl_save(n, 0, x);
    return rl_record(n, z);
}

static rl_tensor *limit_tensors(const rl_node_type *type, rl_tensor *x, rl_tensor *lo,
                                rl_tensor *hi)
{
    rl_map m = {.op = RL_MAP_CLAMP_TENSOR,
                .typing = RL_TYPE_PROMOTE,
                .name = "clamp_cpu",
                .n = 3,
                .in = {x, lo, hi}};
    if (!lo || !hi) {
        m.op = lo ? RL_MAP_MAXIMUM : RL_MAP_MINIMUM;
        m.name = lo ? "clamp_min_cpu" : "clamp_max_cpu";
        m.in[1] = lo ? lo : hi;
        m.n = 2;
    }
    rl_tensor *z = rl_map_run(&m);
    if (!z || (!rl_recording(x) && !rl_recording(lo) && !rl_recording(hi)))
        return z;
    rl_node *n = rl_node_new(type, z, 3, (rl_tensor *[]){x, lo, hi});
    rl_save(n, 0, x);
    rl_save(n, 1, lo);
    rl_save(n, 2, hi);
    return rl_record(n, z);
}

static bool is_number(const rl_tensor *t) { return !t || rl_is_wrapped_number(t); }

rl_tensor *rl_clamp(rl_tensor *input, rl_tensor *min, rl_tensor *max)
{
    if (!input)
        return NULL;
    if (!min && !max)
        return rl_fail(RL_ERUNTIME, "torch.clamp: At least one of 'min' or 'max' must not be None");
    return is_number(min) && is_number(max) ? limit_numbers(&clamp_number, input, min, max)
                                            : limit_tensors(&clamp_tensor, input, min, max);
}
rl_tensor *rl_clip(rl_tensor *input, rl_tensor *min, rl_tensor *max)
{
    return rl_clamp(input, min, max);
}
rl_tensor *rl_clamp_min(rl_tensor *input, rl_tensor *min)
{
    if (!input || !min)
        return NULL;
    return is_number(min) ? limit_numbers(&clamp_min_number, input, min, NULL)
                          : limit_tensors(&clamp_min_tensor, input, min, NULL);
}
rl_tensor *rl_clamp_max(rl_tensor *input, rl_tensor *max)
{
    if (!input || !max)
        return NULL;
    return is_number(max) ? limit_numbers(&clamp_max_number, input, NULL, max)
                          : limit_tensors(&clamp_max_tensor, input, NULL, max);
}
