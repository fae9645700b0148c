/* where.c: choosing between two tensors element by element. */
#include "ops/map.h"

static rl_status where_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *mask = rl_saved(n, 0);
    RL_TEMP *zero = rl_wrap_number(rl_float(0));
    if (rl_wants(n, 0))
        dx[0] = rl_where(mask, g[0], zero);
    if (rl_wants(n, 1))
        dx[1] = rl_where(mask, zero, g[0]);
    return RL_DONE(n, dx);
}
static const rl_node_type where_node = {
    .name = "WhereBackward0", .backward = where_backward, .n_saved = 1};

/* A number must fit the integers it stands beside. */
static rl_status check_number(rl_tensor *x, rl_dtype result)
{
    rl_scalar number;
    if (!rl_is_wrapped_number(x) || !rl_is_integral(result, false))
        return RL_OK;
    return rl_item(x, &number) || rl_check_scalar(number, result) ? rl_error_code() : RL_OK;
}

rl_tensor *rl_where(rl_tensor *condition, rl_tensor *input, rl_tensor *other)
{
    if (!condition || !input || !other)
        return NULL;
    if (condition->dtype != RL_BOOL && condition->dtype != RL_U8)
        return rl_fail(RL_ERUNTIME,
                       "where expected condition to be a boolean tensor, but got a tensor with "
                       "dtype %s",
                       rl_dtype_title((rl_dtype)condition->dtype));
    if (rl_is_wrapped_number(input) || rl_is_wrapped_number(other)) {
        rl_dtype result = rl_result_type(2, (rl_tensor *[]){input, other});
        if (check_number(input, result) || check_number(other, result))
            return NULL;
    }
    rl_tensor *z = rl_map_run(&(rl_map){.op = RL_MAP_WHERE,
                                        .typing = RL_TYPE_PROMOTE,
                                        .name = "where_cpu",
                                        .n = 3,
                                        .in = {condition, input, other}});
    if (!z || (!rl_recording(input) && !rl_recording(other)))
        return z;
    rl_node *n = rl_node_new(&where_node, z, 2, (rl_tensor *[]){input, other});
    rl_save(n, 0, condition);
    return rl_record(n, z);
}
