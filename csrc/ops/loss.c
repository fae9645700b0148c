/* loss.c: losses element by element: mse, l1, smooth l1, huber, binary cross-entropy, Kullback-Leibler.
 *
 * The mean or sum of a loss is one pass and one node.  Its derivative is one fused kernel; when it is itself to be
 * differentiated (create_graph), it is composed of public operators instead. */
#include "core/alloc.h"
#include "core/iter.h"
#include "ops/loss.h"
#include "ops/rows.h"
#include "rushlight_ops.h"

rl_status rl_reduction_of(const char *name, rl_reduction *out)
{
    static const char *const names[] = {"none", "mean", "sum"};
    *out = RL_REDUCTION_NONE;
    for (int i = 0; i < 3; i++)
        if (strcmp(name, names[i]) == 0) {
            *out = (rl_reduction)i;
            return RL_OK;
        }
    return rl_error(RL_EVALUE, "%s is not a valid value for reduction", name);
}

rl_tensor *rl_reduce_loss(rl_tensor *each, rl_reduction reduction)
{
    rl_ints all = {NULL, -1};
    if (!each || reduction == RL_REDUCTION_NONE)
        return each;
    rl_tensor *y = reduction == RL_REDUCTION_MEAN ? rl_mean(each, all, false, RL_NO_DTYPE)
                                                  : rl_sum(each, all, false, RL_NO_DTYPE);
    rl_release(each);
    return y;
}

/* ---- the element-wise losses ---- */

enum { MSE, SMOOTH_L1, HUBER, BCE, BCE_LOGITS, N_KINDS };

static const struct kind {
    const char *name;
    rl_map_op each, backward;
    rl_row_op sum; /* RL_ROW_COUNT: no kernel adds up in the same pass */
} kinds[N_KINDS] = {
    [MSE] = {"mse_loss", RL_MAP_MSE, RL_MAP_MSE_BACKWARD, RL_ROW_MSE_SUM},
    [SMOOTH_L1] = {"smooth_l1_loss", RL_MAP_SMOOTH_L1, RL_MAP_SMOOTH_L1_BACKWARD,
                   RL_ROW_SMOOTH_L1_SUM},
    [HUBER] = {"huber_loss", RL_MAP_HUBER, RL_MAP_HUBER_BACKWARD, RL_ROW_HUBER_SUM},
    [BCE] = {"binary_cross_entropy", RL_MAP_BCE, RL_MAP_BCE_BACKWARD, RL_ROW_COUNT},
    [BCE_LOGITS] = {"binary_cross_entropy_with_logits", RL_MAP_BCE_LOGITS,
                    RL_MAP_BCE_LOGITS_BACKWARD, RL_ROW_COUNT},
};

#define PART 4096 /* elements per partial sum */

/* Sum of the loss over two row-major tensors of one size: partial sums of PART elements, added in order. */
static rl_status sum_parts(const struct kind *k, rl_dtype compute, rl_tensor *x, rl_tensor *y,
                           double parameter, double *total)
{
    int64_t n = x->numel, rows = n / PART, rest = n % PART, count = rows + (rest > 0);
    size_t size = rl_dtype_size(compute), bytes = (size_t)count * size;
    char few[32 * 8], *parts = bytes <= sizeof few ? few : rl_alloc(bytes);
    if (!parts)
        return rl_error_code();
    rl_kargs args = {.f = {parameter}};
    ptrdiff_t stride[] = {1, PART, PART};
    size_t item[] = {size, size, size};
    char *p[] = {parts, x->data, y->data};
    if (rows)
        rl_rows_run(k->sum, compute, rows, PART, 3, p, stride, item, &args);
    if (rest) {
        size_t done = (size_t)rows * PART * size;
        char *last[] = {parts + (size_t)rows * size, x->data + done, y->data + done};
        rl_kernel_table.row[k->sum][compute](1, (size_t)rest, last, stride, &args);
    }
    *total = 0;
    for (int64_t i = 0; i < count; i++)
        *total += compute == RL_F64 ? ((double *)parts)[i] : (double)((float *)parts)[i];
    if (parts != few)
        rl_free(parts, bytes);
    return RL_OK;
}

static rl_tensor *each_loss(const struct kind *k, rl_tensor *x, rl_tensor *y, double parameter)
{
    return rl_map_run(&(rl_map){.op = k->each,
                                .typing = RL_TYPE_PROMOTE,
                                .name = k->name,
                                .n = 2,
                                .in = {x, y},
                                .args = {.f = {parameter}}});
}

static rl_tensor *loss_data(const struct kind *k, rl_tensor *x, rl_tensor *y, double parameter,
                            rl_reduction reduction)
{
    if (reduction == RL_REDUCTION_NONE)
        return each_loss(k, x, y, parameter);
    rl_dtype result = rl_result_type(2, (rl_tensor *[]){x, y}), compute = rl_rows_dtype(result);
    if (k->sum == RL_ROW_COUNT || !rl_is_floating(result) || !rl_same_shape(x, y)) {
        bool grad = rl_set_grad_enabled(false);
        rl_tensor *z = rl_reduce_loss(each_loss(k, x, y, parameter), reduction);
        rl_set_grad_enabled(grad);
        return z;
    }
    RL_TEMP *cx = rl_cast_data(x, compute);
    RL_TEMP *cy = rl_cast_data(y, compute);
    double total;
    if (!cx || !cy || sum_parts(k, compute, cx, cy, parameter, &total))
        return NULL;
    if (reduction == RL_REDUCTION_MEAN)
        total /= (double)cx->numel; /* 0 / 0: nan, as PyTorch */
    rl_tensor *z = rl_new(result, 0, NULL);
    if (z)
        rl_convert(RL_F64, &total, 0, result, z->data, 0, 1);
    return z;
}

/* The slope of the loss with respect to x, composed of operators: for create_graph. */
static rl_tensor *compose_slope(int kind, rl_tensor *x, rl_tensor *y, double parameter)
{
    RL_TEMP *d = rl_sub(x, y, rl_int(1));
    switch (kind) {
    case MSE:
        return rl_mul_number(d, 2);
    case SMOOTH_L1:
    case HUBER: {
        RL_TEMP *low = rl_wrap_number(rl_float(-parameter));
        RL_TEMP *high = rl_wrap_number(rl_float(parameter));
        RL_TEMP *limited = d && low && high ? rl_clamp(d, low, high) : NULL;
        if (kind == SMOOTH_L1 && parameter == 0)
            return rl_sign(d);
        return kind == HUBER ? rl_retain(limited) : rl_mul_number(limited, 1 / parameter);
    }
    case BCE: { /* (x - y) / max(x (1 - x), 1e-12) */
        RL_TEMP *one = rl_wrap_number(rl_float(1));
        RL_TEMP *rest = one ? rl_rsub(x, one, rl_int(1)) : NULL;
        RL_TEMP *product = rl_mul(x, rest);
        RL_TEMP *least = rl_wrap_number(rl_float(1e-12));
        RL_TEMP *bounded = product && least ? rl_clamp_min(product, least) : NULL;
        return rl_div(d, bounded, NULL);
    }
    default: { /* sigmoid(x) - y */
        RL_TEMP *s = rl_sigmoid(x);
        return rl_sub(s, y, rl_int(1));
    }
    }
}

/* d loss / d y where the target wants a gradient: that of x but for the sign, or for the logarithms. */
static rl_tensor *target_slope(int kind, rl_tensor *x, rl_tensor *y, double parameter)
{
    if (kind == BCE || kind == BCE_LOGITS) {
        RL_TEMP *logit = kind == BCE_LOGITS ? rl_retain(x) : NULL;
        if (kind == BCE) { /* log(1 - x) - log(x), each not below -100 */
            RL_TEMP *least = rl_wrap_number(rl_float(-100));
            RL_TEMP *minus = rl_neg(x);
            RL_TEMP *l0 = rl_log1p(minus);
            RL_TEMP *l1 = rl_log(x);
            RL_TEMP *b0 = l0 && least ? rl_clamp_min(l0, least) : NULL;
            RL_TEMP *b1 = l1 && least ? rl_clamp_min(l1, least) : NULL;
            return rl_sub(b0, b1, rl_int(1));
        }
        return rl_neg(logit);
    }
    RL_TEMP *slope = compose_slope(kind, x, y, parameter);
    return rl_neg(slope);
}

static rl_status loss_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    int kind = (int)n->args.i[0];
    double parameter = n->args.f[0];
    RL_TEMP *x = rl_saved(n, 0);
    RL_TEMP *y = rl_saved(n, 1);
    if (!x || !y)
        return rl_error_code();
    int64_t numel = x->numel > y->numel ? x->numel : y->numel;
    double share = n->args.i[1] == RL_REDUCTION_MEAN ? 1.0 / (double)numel : 1;
    if (rl_wants(n, 0) && !rl_grad_enabled()) {
        dx[0] = rl_map_run(&(rl_map){.op = kinds[kind].backward,
                                     .typing = RL_TYPE_PROMOTE,
                                     .name = kinds[kind].name,
                                     .n = 3,
                                     .in = {g[0], x, y},
                                     .args = {.f = {parameter, share}}});
    } else if (rl_wants(n, 0)) {
        RL_TEMP *slope = compose_slope(kind, x, y, parameter);
        RL_TEMP *product = rl_mul(g[0], slope);
        dx[0] = rl_mul_number(product, share);
    }
    if (rl_wants(n, 1)) {
        RL_TEMP *slope = target_slope(kind, x, y, parameter);
        RL_TEMP *product = rl_mul(g[0], slope);
        dx[1] = rl_mul_number(product, share);
    }
    return RL_DONE(n, dx);
}

#define NODE(title)                                                                                \
    {.name = title "Backward0", .backward = loss_backward, .n_saved = 2}
static const rl_node_type nodes[N_KINDS] = {
    [MSE] = NODE("MseLoss"),
    [SMOOTH_L1] = NODE("SmoothL1Loss"),
    [HUBER] = NODE("HuberLoss"),
    [BCE] = NODE("BinaryCrossEntropy"),
    [BCE_LOGITS] = NODE("BinaryCrossEntropyWithLogits"),
};
#undef NODE

static rl_tensor *loss(int kind, rl_tensor *x, rl_tensor *y, double parameter,
                       rl_reduction reduction)
{
    rl_tensor *z = loss_data(&kinds[kind], x, y, parameter, reduction);
    if (!rl_recording(x) && !rl_recording(y))
        return z;
    rl_node *n = rl_node_new(&nodes[kind], z, 2, (rl_tensor *[]){x, y});
    rl_save(n, 0, x);
    rl_save(n, 1, y);
    if (n) {
        n->args.i[0] = kind;
        n->args.i[1] = reduction;
        n->args.f[0] = parameter;
    }
    return rl_record(n, z);
}

rl_tensor *rl_mse_loss(rl_tensor *input, rl_tensor *target, const char *reduction)
{
    rl_reduction r;
    if (!input || !target || rl_reduction_of(reduction, &r))
        return NULL;
    return loss(MSE, input, target, 0, r);
}

/* |x - y|: as PyTorch, the composition that its node names show. */
rl_tensor *rl_l1_loss(rl_tensor *input, rl_tensor *target, const char *reduction)
{
    rl_reduction r;
    if (!input || !target || rl_reduction_of(reduction, &r))
        return NULL;
    RL_TEMP *d = rl_sub(input, target, rl_int(1));
    return rl_reduce_loss(rl_abs(d), r);
}

rl_tensor *rl_smooth_l1_loss(rl_tensor *input, rl_tensor *target, const char *reduction,
                             double beta)
{
    rl_reduction r;
    if (!input || !target || rl_reduction_of(reduction, &r))
        return NULL;
    if (beta < 0)
        return rl_fail(RL_ERUNTIME, "smooth_l1_loss does not support negative values for beta.");
    if (beta == 0)
        return rl_l1_loss(input, target, reduction);
    return loss(SMOOTH_L1, input, target, beta, r);
}

rl_tensor *rl_huber_loss(rl_tensor *input, rl_tensor *target, const char *reduction, double delta)
{
    rl_reduction r;
    if (!input || !target || rl_reduction_of(reduction, &r))
        return NULL;
    if (!(delta > 0))
        return rl_fail(RL_ERUNTIME, "huber_loss does not support non-positive values for delta.");
    return loss(HUBER, input, target, delta, r);
}

/* Whether every element lies in [0, 1]; nan passes, as in PyTorch's check. */
static rl_status check_unit(const char *what, rl_tensor *x)
{
    if (x->numel == 0)
        return RL_OK;
    bool mask[RL_MAX_DIMS];
    for (int d = 0; d < x->ndim; d++)
        mask[d] = true;
    for (int upper = 0; upper < 2; upper++) {
        rl_scalar v;
        RL_TEMP *extreme = rl_reduce_run(upper ? RL_REDUCE_MAX : RL_REDUCE_MIN, what, x, mask, false,
                                         rl_rows_dtype((rl_dtype)x->dtype), RL_F64, NULL);
        if (!extreme || rl_item(extreme, &v))
            return rl_error_code();
        if (v.f < 0 || v.f > 1)
            return rl_error(RL_ERUNTIME, "all elements of %s should be between 0 and 1", what);
    }
    return RL_OK;
}

rl_tensor *rl_binary_cross_entropy(rl_tensor *input, rl_tensor *target, rl_tensor *weight,
                                   const char *reduction)
{
    rl_reduction r;
    if (!input || !target || rl_reduction_of(reduction, &r))
        return NULL;
    if (!rl_same_shape(input, target))
        return rl_fail(RL_EVALUE,
                       "Using a target size (%s) that is different to the input size (%s) is "
                       "deprecated. Please ensure they have the same size.",
                       rl_shape_str(target).s, rl_shape_str(input).s);
    if (check_unit("input", input) || check_unit("target", target))
        return NULL;
    if (!weight)
        return loss(BCE, input, target, 0, r);
    return rl_reduce_loss(rl_weighted(loss(BCE, input, target, 0, RL_REDUCTION_NONE), weight), r);
}

rl_tensor *rl_weighted(rl_tensor *each, rl_tensor *weight)
{
    rl_tensor *y = rl_mul(each, weight);
    rl_release(each);
    return y;
}

/* With weights of the positive class: (1 - y) x + (1 + (p - 1) y) log(1 + exp(-x)). */
static rl_tensor *weighted_logits(rl_tensor *x, rl_tensor *y, rl_tensor *positive)
{
    RL_TEMP *one = rl_wrap_number(rl_float(1));
    if (!one)
        return NULL;
    RL_TEMP *rest = rl_rsub(y, one, rl_int(1));
    RL_TEMP *linear = rl_mul(rest, x);
    RL_TEMP *more = rl_sub(positive, one, rl_int(1));
    RL_TEMP *scaled = rl_mul(more, y);
    RL_TEMP *factor = rl_add(scaled, one, rl_int(1));
    RL_TEMP *log_sigmoid = rl_log_sigmoid(x);
    RL_TEMP *product = rl_mul(factor, log_sigmoid);
    return rl_sub(linear, product, rl_int(1));
}

rl_tensor *rl_binary_cross_entropy_with_logits(rl_tensor *input, rl_tensor *target,
                                               rl_tensor *weight, rl_tensor *pos_weight,
                                               const char *reduction)
{
    rl_reduction r;
    if (!input || !target || rl_reduction_of(reduction, &r))
        return NULL;
    if (!rl_same_shape(input, target))
        return rl_fail(RL_EVALUE, "Target size (%s) must be the same as input size (%s)",
                       rl_shape_str(target).s, rl_shape_str(input).s);
    if (!weight && !pos_weight)
        return loss(BCE_LOGITS, input, target, 0, r);
    rl_tensor *each = pos_weight ? weighted_logits(input, target, pos_weight)
                                 : loss(BCE_LOGITS, input, target, 0, RL_REDUCTION_NONE);
    return rl_reduce_loss(weight ? rl_weighted(each, weight) : each, r);
}

rl_tensor *rl_kl_div(rl_tensor *input, rl_tensor *target, const char *reduction, bool log_target)
{
    rl_reduction r;
    rl_ints all = {NULL, -1};
    bool batchmean = strcmp(reduction, "batchmean") == 0;
    if (!input || !target || rl_reduction_of(batchmean ? "sum" : reduction, &r))
        return NULL;
    rl_tensor *each;
    if (log_target) {
        RL_TEMP *p = rl_exp(target);
        RL_TEMP *d = rl_sub(target, input, rl_int(1));
        each = rl_mul(p, d);
    } else { /* y log y is 0 at y = 0 */
        RL_TEMP *zero = rl_wrap_number(rl_float(0));
        RL_TEMP *one = rl_wrap_number(rl_float(1));
        RL_TEMP *empty = zero && one ? rl_eq(target, zero) : NULL;
        RL_TEMP *safe = empty ? rl_where(empty, one, target) : NULL;
        RL_TEMP *l = rl_log(safe);
        RL_TEMP *entropy = rl_mul(target, l);
        RL_TEMP *cross = rl_mul(target, input);
        each = rl_sub(entropy, cross, rl_int(1));
    }
    if (!batchmean)
        return rl_reduce_loss(each, r);
    RL_TEMP *sum = each ? rl_sum(each, all, false, RL_NO_DTYPE) : NULL;
    rl_release(each);
    RL_TEMP *batch = rl_wrap_number(rl_int(input->ndim ? input->shape[0] : 1));
    return sum && batch ? rl_div(sum, batch, NULL) : NULL;
}
