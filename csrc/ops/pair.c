/* pair.c: functions of two tensors beyond arithmetic: hypot, copysign, logaddexp, xlogy. */
#include "ops/map.h"

static rl_tensor *record(const rl_node_type *type, rl_tensor *z, rl_tensor *x, rl_tensor *y)
{
    if (!z || (!rl_recording(x) && !rl_recording(y)))
        return z;
    rl_node *n = rl_node_new(type, z, 2, (rl_tensor *[]){x, y});
    rl_save(n, 0, x);
    rl_save(n, 1, y);
    rl_save_output(n, 2, z, 0);
    return rl_record(n, z);
}

/* z = sqrt(x^2 + y^2)      dx = g x / z,  dy = g y / z */
static rl_status hypot_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *z = rl_saved(n, 2);
    for (int i = 0; i < 2; i++)
        if (rl_wants(n, i)) {
            RL_TEMP *side = rl_saved(n, i);
            RL_TEMP *slope = rl_div(side, z, NULL);
            dx[i] = rl_mul(g[0], slope);
        }
    return RL_DONE(n, dx);
}
static const rl_node_type hypot_node = {
    .name = "HypotBackward0", .backward = hypot_backward, .n_saved = 3};

rl_tensor *rl_hypot(rl_tensor *input, rl_tensor *other)
{
    return record(&hypot_node,
                  rl_map2(RL_MAP_HYPOT, RL_TYPE_PROMOTE, "hypot_cpu", input, other, NULL), input,
                  other);
}

/* z = |x| sign(y)      dx = g z / x, 0 where x = 0;  dy = 0 */
static rl_status copysign_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *x = rl_saved(n, 0);
    RL_TEMP *z = rl_saved(n, 2);
    if (rl_wants(n, 0)) {
        RL_TEMP *zero = rl_wrap_number(rl_int(0));
        RL_TEMP *flat = rl_eq(x, zero);
        RL_TEMP *ratio = rl_div(z, x, NULL);
        RL_TEMP *slope = rl_where(flat, zero, ratio);
        dx[0] = rl_mul(g[0], slope);
    }
    if (rl_wants(n, 1))
        dx[1] = rl_zeros_like(g[0], RL_NO_DTYPE);
    return RL_DONE(n, dx);
}
static const rl_node_type copysign_nodes[] = {
    {.name = "CopysignBackward0", .backward = copysign_backward, .n_saved = 3},
    {.name = "CopysignBackward1", .backward = copysign_backward, .n_saved = 3}};

rl_tensor *rl_copysign(rl_tensor *input, rl_tensor *other)
{
    rl_tensor *z = rl_map2(RL_MAP_COPYSIGN, RL_TYPE_FLOAT, "copysign_cpu", input, other, NULL);
    return z ? record(&copysign_nodes[rl_is_wrapped_number(other)], z, input, other) : NULL;
}

/* z = log(e^x + e^y)      dx = g / (1 + e^(y - x)),  dy = g / (1 + e^(x - y)) */
static rl_status logaddexp_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *x = rl_saved(n, 0);
    RL_TEMP *y = rl_saved(n, 1);
    RL_TEMP *d = rl_sub(x, y, rl_int(1));
    if (rl_wants(n, 0)) {
        RL_TEMP *share = rl_sigmoid(d);
        dx[0] = rl_mul(g[0], share);
    }
    if (rl_wants(n, 1)) {
        RL_TEMP *minus = rl_neg(d);
        RL_TEMP *share = rl_sigmoid(minus);
        dx[1] = rl_mul(g[0], share);
    }
    return RL_DONE(n, dx);
}
static const rl_node_type logaddexp_node = {
    .name = "LogaddexpBackward0", .backward = logaddexp_backward, .n_saved = 3};

rl_tensor *rl_logaddexp(rl_tensor *input, rl_tensor *other)
{
    return record(&logaddexp_node,
                  rl_map2(RL_MAP_LOGADDEXP, RL_TYPE_PROMOTE, "logaddexp_cpu", input, other, NULL),
                  input, other);
}

/* z = x log y      dx = g log y, 0 where x = 0 and y <= 0;  dy = g x / y */
static rl_status xlogy_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *x = rl_saved(n, 0);
    RL_TEMP *y = rl_saved(n, 1);
    if (rl_wants(n, 0)) {
        RL_TEMP *zero = rl_wrap_number(rl_int(0));
        RL_TEMP *nothing = rl_eq(x, zero);
        RL_TEMP *outside = rl_le(y, zero);
        RL_TEMP *flat = rl_logical_and(nothing, outside);
        RL_TEMP *log = rl_log(y);
        RL_TEMP *slope = rl_where(flat, zero, log);
        dx[0] = rl_mul(g[0], slope);
    }
    if (rl_wants(n, 1)) {
        RL_TEMP *slope = rl_div(x, y, NULL);
        dx[1] = rl_mul(g[0], slope);
    }
    return RL_DONE(n, dx);
}
static const rl_node_type xlogy_nodes[] = {
    {.name = "XlogyBackward0", .backward = xlogy_backward, .n_saved = 3},
    {.name = "XlogyBackward1", .backward = xlogy_backward, .n_saved = 3}, /* number log(y) */
    {.name = "XlogyBackward2", .backward = xlogy_backward, .n_saved = 3}};

rl_tensor *rl_xlogy(rl_tensor *input, rl_tensor *other)
{
    rl_tensor *z = rl_map2(RL_MAP_XLOGY, RL_TYPE_FLOAT, "xlogy_cpu", input, other, NULL);
    if (!z)
        return NULL;
    int which = rl_is_wrapped_number(input) ? 1 : rl_is_wrapped_number(other) ? 2 : 0;
    return record(&xlogy_nodes[which], z, input, other);
}
