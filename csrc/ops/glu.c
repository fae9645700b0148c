/* glu.c: gated linear units (Dauphin et al., 2016): y = a sigmoid(b), a and b the halves of x. */
#include "ops/map.h"
#include "ops/view.h"

/* Half 0 or 1 of x along dim, a view. */
static rl_tensor *half(rl_tensor *x, int64_t dim, int which)
{
    int64_t size = x->shape[dim] / 2;
    return rl_narrow(x, dim, which * size, size);
}

/* da = g s, db = g a s (1 - s), s = sigmoid(b).  i0: dim. */
static rl_status glu_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *x = rl_saved(n, 0);
    if (!x)
        return rl_error_code();
    RL_TEMP *a = half(x, n->args.i[0], 0);
    RL_TEMP *b = half(x, n->args.i[0], 1);
    RL_TEMP *s = b ? rl_sigmoid(b) : NULL;
    RL_TEMP *da = rl_mul(g[0], s);
    RL_TEMP *rest = s ? rl_number_minus(rl_int(1), s) : NULL;
    RL_TEMP *slope = rl_mul(da, rest);
    RL_TEMP *db = rl_mul(slope, a);
    if (da && db)
        dx[0] = rl_cat((rl_tensors){(rl_tensor *[]){da, db}, 2}, n->args.i[0]);
    return RL_DONE(n, dx);
}
static const rl_node_type glu_node = {
    .name = "GluBackward0", .backward = glu_backward, .n_saved = 1};

rl_tensor *rl_glu(rl_tensor *input, int64_t dim)
{
    if (!input)
        return NULL;
    if (input->ndim == 0)
        return rl_fail(RL_ERUNTIME, "glu does not support 0-dimensional tensors");
    if (rl_wrap_dim(&dim, input->ndim))
        return NULL;
    if (input->shape[dim] % 2)
        return rl_fail(RL_ERUNTIME,
                       "Halving dimension must be even, but dimension %lld is size %lld",
                       (long long)dim, (long long)input->shape[dim]);
    if (!rl_is_floating((rl_dtype)input->dtype))
        return rl_fail(RL_ENOTIMPL, "\"glu_cpu\" not implemented for '%s'",
                       rl_dtype_title((rl_dtype)input->dtype));
    bool mode = rl_set_grad_enabled(false);
    RL_TEMP *a = half(input, dim, 0);
    RL_TEMP *b = half(input, dim, 1);
    RL_TEMP *s = b ? rl_sigmoid(b) : NULL;
    rl_tensor *y = rl_mul(a, s);
    rl_set_grad_enabled(mode);
    if (!y || !rl_recording(input))
        return y;
    rl_node *n = rl_node_new(&glu_node, y, 1, &input);
    rl_save(n, 0, input);
    if (n)
        n->args.i[0] = dim;
    return rl_record(n, y);
}
