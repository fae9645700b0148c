/* loss.c: losses element by element: mse, l1, smooth l1, huber, binary cross-entropy,
 * Kullback-Leibler.
 *
 * The mean or sum of a loss is one pass and one node.  Its derivative is one fused kernel; when it
 * is itself to be differentiated (create_graph), it is composed of public operators instead. */
#include "core/alloc.h"
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
    if (strcmp(name, "elementwise_mean") == 0) { /* its name before PyTorch 1.0 */
        *out = RL_REDUCTION_MEAN;
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

enum { MSE, SMOOTH_L1, HUBER, BCE, BCE_LOGITS, KL, KL_LOG, N_KINDS };

static const struct kind {
    const char *name;
    rl_map_op each, backward; /* RL_MAP_COUNT: its derivative is short enough composed */
    rl_row_op sum;            /* RL_ROW_COUNT: no kernel adds up in the same pass */
} kinds[N_KINDS] = {
    [MSE] = {"mse_loss", RL_MAP_MSE, RL_MAP_MSE_BACKWARD, RL_ROW_MSE_SUM},
    [SMOOTH_L1] = {"smooth_l1_loss", RL_MAP_SMOOTH_L1, RL_MAP_SMOOTH_L1_BACKWARD,
                   RL_ROW_SMOOTH_L1_SUM},
    [HUBER] = {"huber_loss", RL_MAP_HUBER, RL_MAP_HUBER_BACKWARD, RL_ROW_HUBER_SUM},
    [BCE] = {"binary_cross_entropy", RL_MAP_BCE, RL_MAP_BCE_BACKWARD, RL_ROW_COUNT},
    [BCE_LOGITS] = {"binary_cross_entropy_with_logits", RL_MAP_BCE_LOGITS,
                    RL_MAP_BCE_LOGITS_BACKWARD, RL_ROW_COUNT},
    [KL] = {"kl_div", RL_MAP_KL_DIV, RL_MAP_COUNT, RL_ROW_COUNT},
    [KL_LOG] = {"kl_div", RL_MAP_KL_DIV_LOG, RL_MAP_COUNT, RL_ROW_COUNT},
};

#define PART 4096 /* elements per partial sum */

/* Sum of the loss over two row-major tensors of one size: partial sums of PART elements, added in
 * order. */
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

/* What a loss is made of; borrowed.  weight and positive (the weight of the positive class) only
 * for the binary ones. */
struct terms {
    int kind;
    double parameter; /* beta, delta */
    rl_reduction reduction;
    rl_tensor *x, *y, *weight, *positive;
};

static rl_tensor *each_loss(const struct terms *t)
{
    const struct kind *k = &kinds[t->kind];
    rl_map m = {.op = k->each,
                .typing = RL_TYPE_PROMOTE,
                .name = k->name,
                .n = 2,
                .in = {t->x, t->y},
                .args = {.f = {t->parameter}}};
    if (t->positive) {
        m.op = RL_MAP_BCE_LOGITS_POS;
        m.in[m.n++] = t->positive;
    }
    rl_tensor *each = rl_map_run(&m);
    if (!t->weight)
        return each;
    RL_TEMP *unweighted = each;
    return rl_map2(RL_MAP_MUL, RL_TYPE_PROMOTE, k->name, unweighted, t->weight, NULL);
}

/* The value, without a node.  Mean or sum of two tensors of one size is a single pass. */
static rl_tensor *loss_data(const struct terms *t)
{
    const struct kind *k = &kinds[t->kind];
    rl_dtype result = rl_result_type(2, (rl_tensor *[]){t->x, t->y}),
             compute = rl_rows_dtype(result);
    if (t->reduction == RL_REDUCTION_NONE || k->sum == RL_ROW_COUNT || !rl_is_floating(result) ||
        !rl_same_shape(t->x, t->y)) {
        bool grad = rl_set_grad_enabled(false);
        rl_tensor *z = rl_reduce_loss(each_loss(t), t->reduction);
        rl_set_grad_enabled(grad);
        return z;
    }
    RL_TEMP *x = rl_cast_data(t->x, compute);
    RL_TEMP *y = rl_cast_data(t->y, compute);
    double total;
    if (!x || !y || sum_parts(k, compute, x, y, t->parameter, &total))
        return NULL;
    if (t->reduction == RL_REDUCTION_MEAN)
        total /= (double)x->numel; /* 0 / 0: nan, as PyTorch */
    rl_tensor *z = rl_new(result, 0, NULL);
    if (z)
        rl_convert(RL_F64, &total, 0, result, z->data, 0, 1);
    return z;
}

static rl_tensor *less(rl_tensor *a, rl_tensor *b) { return rl_sub(a, b, rl_int(1)); }

/* d loss / dx, composed of public operators: for create_graph, and where no kernel is. */
static rl_tensor *slope_x(const struct terms *t)
{
    rl_tensor *x = t->x, *y = t->y;
    if (t->kind == KL || t->kind == KL_LOG) { /* -y, -exp y */
        RL_TEMP *p = t->kind == KL ? rl_retain(y) : rl_exp(y);
        return rl_neg(p);
    }
    if (t->kind == BCE) { /* (x - y) / max(x (1 - x), 1e-12) */
        RL_TEMP *d = less(x, y);
        RL_TEMP *rest = rl_number_minus(rl_float(1), x);
        RL_TEMP *product = rl_mul(x, rest);
        RL_TEMP *least = rl_wrap_number(rl_float(1e-12));
        RL_TEMP *bounded = product && least ? rl_clamp_min(product, least) : NULL;
        return rl_div(d, bounded, NULL);
    }
    if (t->kind == BCE_LOGITS && t->positive) { /* (1 - y) - (1 + (p - 1) y) sigmoid(-x) */
        RL_TEMP *more = rl_add_number(t->positive, rl_int(-1));
        RL_TEMP *scaled = rl_mul(more, y);
        RL_TEMP *factor = rl_add_number(scaled, rl_int(1));
        RL_TEMP *minus = rl_neg(x);
        RL_TEMP *s = rl_sigmoid(minus);
        RL_TEMP *product = rl_mul(factor, s);
        RL_TEMP *rest = rl_number_minus(rl_float(1), y);
        return less(rest, product);
    }
    if (t->kind == BCE_LOGITS) {
        RL_TEMP *s = rl_sigmoid(x);
        return less(s, y);
    }
    RL_TEMP *d = less(x, y);
    if (t->kind == MSE)
        return rl_mul_number(d, rl_int(2));
    RL_TEMP *low = rl_wrap_number(rl_float(-t->parameter));
    RL_TEMP *high = rl_wrap_number(rl_float(t->parameter));
    RL_TEMP *limited = d && low && high ? rl_clamp(d, low, high) : NULL;
    return t->kind == HUBER ? rl_retain(limited)
                            : rl_mul_number(limited, rl_float(1 / t->parameter));
}

/* d loss / dy. */
static rl_tensor *slope_y(const struct terms *t)
{
    if (t->kind == KL) { /* log y + 1 - x; at y = 0 only -x, which is finite */
        RL_TEMP *zero = rl_wrap_number(rl_float(0));
        RL_TEMP *l = rl_log(t->y);
        RL_TEMP *more = rl_add_number(l, rl_int(1));
        RL_TEMP *empty = zero ? rl_eq(t->y, zero) : NULL;
        RL_TEMP *entropy = empty && more ? rl_where(empty, zero, more) : NULL;
        return less(entropy, t->x);
    }
    if (t->kind == KL_LOG) { /* exp y (y - x + 1) */
        RL_TEMP *p = rl_exp(t->y);
        RL_TEMP *d = less(t->y, t->x);
        RL_TEMP *more = rl_add_number(d, rl_int(1));
        return rl_mul(p, more);
    }
    if (t->kind == BCE) { /* log(1 - x) - log(x), each not below -100 */
        RL_TEMP *least = rl_wrap_number(rl_float(-100));
        RL_TEMP *minus = rl_neg(t->x);
        RL_TEMP *l0 = rl_log1p(minus);
        RL_TEMP *l1 = rl_log(t->x);
        RL_TEMP *b0 = l0 && least ? rl_clamp_min(l0, least) : NULL;
        RL_TEMP *b1 = l1 && least ? rl_clamp_min(l1, least) : NULL;
        return less(b0, b1);
    }
    if (t->kind == BCE_LOGITS && t->positive) { /* -x - (p - 1) log sigmoid(x) */
        RL_TEMP *more = rl_add_number(t->positive, rl_int(-1));
        RL_TEMP *l = rl_log_sigmoid(t->x);
        RL_TEMP *product = rl_mul(more, l);
        RL_TEMP *minus = rl_neg(t->x);
        return less(minus, product);
    }
    if (t->kind == BCE_LOGITS)
        return rl_neg(t->x);
    RL_TEMP *slope = slope_x(t);
    return rl_neg(slope);
}

/* g slope weight share */
static rl_tensor *chain(const struct terms *t, rl_tensor *g, rl_tensor *slope, double share)
{
    RL_TEMP *owned = slope;
    RL_TEMP *scaled = share == 1 ? rl_retain(g) : rl_mul_number(g, rl_float(share));
    RL_TEMP *product = rl_mul(scaled, owned);
    return t->weight ? rl_mul(product, t->weight) : rl_retain(product);
}

static rl_tensor *fused_slope(const struct terms *t, rl_tensor *g, double share)
{
    return rl_map_run(&(rl_map){.op = kinds[t->kind].backward,
                                .typing = RL_TYPE_PROMOTE,
                                .name = kinds[t->kind].name,
                                .n = 3,
                                .in = {g, t->x, t->y},
                                .args = {.f = {t->parameter, share}}});
}

/* slope_x of the Kullback-Leibler losses is as large as y alone: seen as x's gradient, it is not.
 */
static rl_tensor *broadcast_x(const struct terms *t, rl_tensor *dx)
{
    int64_t shape[RL_MAX_DIMS];
    int ndim;
    if (!dx || t->kind < KL || rl_same_shape(t->x, t->y))
        return dx;
    RL_TEMP *small = dx;
    if (rl_broadcast_shapes(t->x->ndim, t->x->shape, t->y->ndim, t->y->shape, &ndim, shape))
        return NULL;
    return rl_expand(small, (rl_ints){shape, ndim}, false);
}

static rl_status loss_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *x = rl_saved(n, 0);
    RL_TEMP *y = rl_saved(n, 1);
    RL_TEMP *weight = rl_has_saved(n, 2) ? rl_saved(n, 2) : NULL;
    RL_TEMP *positive = rl_has_saved(n, 3) ? rl_saved(n, 3) : NULL;
    if (!x || !y || (rl_has_saved(n, 2) && !weight) || (rl_has_saved(n, 3) && !positive))
        return rl_error_code();
    struct terms t = {(int)n->args.i[0], n->args.f[0], (rl_reduction)n->args.i[1], x, y, weight,
                      positive};
    double share = t.reduction == RL_REDUCTION_MEAN ? 1 / (double)n->args.i[2] : 1;
    if (rl_wants(n, 0))
        dx[0] = rl_grad_enabled() || weight || positive || kinds[t.kind].backward == RL_MAP_COUNT
                    ? chain(&t, g[0], slope_x(&t), share)
                    : fused_slope(&t, g[0], share);
    dx[0] = broadcast_x(&t, dx[0]);
    if (rl_wants(n, 1))
        dx[1] = chain(&t, g[0], slope_y(&t), share);
    return RL_DONE(n, dx);
}

#define NODE(title) {.name = title "Backward0", .backward = loss_backward, .n_saved = 4}
static const rl_node_type nodes[N_KINDS] = {
    [MSE] = NODE("MseLoss"),
    [SMOOTH_L1] = NODE("SmoothL1Loss"),
    [HUBER] = NODE("HuberLoss"),
    [BCE] = NODE("BinaryCrossEntropy"),
    [BCE_LOGITS] = NODE("BinaryCrossEntropyWithLogits"),
};
/* As PyTorch's composition ends: by log_target and reduction. */
static const rl_node_type kl_nodes[2][3] = {{NODE("Sub"), NODE("Mean"), NODE("Sum")},
                                            {NODE("Mul"), NODE("Mean"), NODE("Sum")}};
#undef NODE

static rl_tensor *loss_of(const struct terms *t)
{
    rl_tensor *z = loss_data(t);
    if (!rl_recording(t->x) && !rl_recording(t->y))
        return z;
    const rl_node_type *type =
        t->kind >= KL ? &kl_nodes[t->kind == KL_LOG][t->reduction] : &nodes[t->kind];
    rl_node *n = rl_node_new(type, z, 2, (rl_tensor *[]){t->x, t->y});
    rl_save(n, 0, t->x);
    rl_save(n, 1, t->y);
    rl_save(n, 2, t->weight);
    rl_save(n, 3, t->positive);
    if (n) { /* the mean is over the broadcast shape */
        int64_t shape[RL_MAX_DIMS], count = 1;
        int ndim = 0;
        if (rl_broadcast_shapes(t->x->ndim, t->x->shape, t->y->ndim, t->y->shape, &ndim, shape)) {
            rl_node_release(n);
            n = NULL;
        }
        for (int d = 0; d < ndim; d++)
            count *= shape[d];
        if (n) {
            n->args.i[0] = t->kind;
            n->args.i[1] = t->reduction;
            n->args.i[2] = count;
            n->args.f[0] = t->parameter;
        }
    }
    return rl_record(n, z);
}

static rl_tensor *loss(int kind, rl_tensor *x, rl_tensor *y, double parameter,
                       rl_reduction reduction)
{
    return loss_of(&(struct terms){kind, parameter, reduction, x, y, NULL, NULL});
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
    rl_dtype dtype = (rl_dtype)input->dtype;
    if (rl_result_type(2, (rl_tensor *[]){input, target}) == dtype)
        return loss(HUBER, input, target, delta, r);
    /* The result has the input's dtype, whatever the target's. */
    if (!rl_is_floating(dtype))
        return rl_fail(RL_ERUNTIME, "result type %s can't be cast to the desired output type %s",
                       rl_dtype_title((rl_dtype)target->dtype), rl_dtype_title(dtype));
    RL_TEMP *wide = loss(HUBER, input, target, delta, r);
    return wide ? rl_to_dtype(wide, dtype, false) : NULL;
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
        RL_TEMP *extreme = rl_reduce_run(upper ? RL_REDUCE_MAX : RL_REDUCE_MIN, what, x, mask,
                                         false, rl_rows_dtype((rl_dtype)x->dtype), RL_F64, NULL);
        if (!extreme || rl_item(extreme, &v))
            return rl_error_code();
        if (v.f < 0 || v.f > 1)
            return rl_error(RL_ERUNTIME, "all elements of %s should be between 0 and 1", what);
    }
    return RL_OK;
}

static rl_status check_kernel(const char *name, const rl_tensor *x)
{
    if (rl_is_floating((rl_dtype)x->dtype))
        return RL_OK;
    return rl_error(RL_ENOTIMPL, "\"%s\" not implemented for '%s'", name,
                    rl_dtype_title((rl_dtype)x->dtype));
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
    if (check_kernel("binary_cross_entropy", input))
        return NULL;
    if (target->dtype != input->dtype)
        return rl_fail(RL_ERUNTIME, "Found dtype %s but expected %s",
                       rl_dtype_title((rl_dtype)target->dtype),
                       rl_dtype_title((rl_dtype)input->dtype));
    if (check_unit("input", input) || check_unit("target", target))
        return NULL;
    return loss_of(&(struct terms){BCE, 0, r, input, target, weight, NULL});
}

/* A weight must broadcast to the input's shape. */
static rl_status check_weight(const rl_tensor *weight, const rl_tensor *input)
{
    int64_t shape[RL_MAX_DIMS];
    int ndim;
    if (!weight)
        return RL_OK;
    if (rl_broadcast_shapes(weight->ndim, weight->shape, input->ndim, input->shape, &ndim, shape))
        return rl_error_code();
    if (!rl_has_shape(input, ndim, shape))
        return rl_error(RL_ERUNTIME, "output with shape %s doesn't match the broadcast shape %s",
                        rl_shape_str(input).s, rl_ints_str(ndim, shape).s);
    return RL_OK;
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
    rl_dtype dtype = (rl_dtype)target->dtype;
    if (check_kernel("log_sigmoid_cpu", input))
        return NULL;
    if (!rl_is_floating(dtype))
        return rl_fail(RL_ERUNTIME, "result type Float can't be cast to the desired output type %s",
                       rl_dtype_title(dtype));
    if (check_weight(weight, input) || check_weight(pos_weight, input))
        return NULL;
    struct terms t = {BCE_LOGITS, 0, r, input, target, weight, pos_weight};
    if (input->dtype == dtype || rl_result_type(2, (rl_tensor *[]){input, target}) == dtype)
        return loss_of(&t);
    RL_TEMP *wide = loss_of(&t); /* the result has the target's dtype */
    return wide ? rl_to_dtype(wide, dtype, false) : NULL;
}

rl_tensor *rl_kl_div(rl_tensor *input, rl_tensor *target, const char *reduction, bool log_target)
{
    rl_reduction r;
    bool batchmean = strcmp(reduction, "batchmean") == 0;
    if (!input || !target || rl_reduction_of(batchmean ? "sum" : reduction, &r))
        return NULL;
    if (rl_is_integral((rl_dtype)input->dtype, true) ||
        rl_is_integral((rl_dtype)target->dtype, true))
        return rl_fail(RL_ERUNTIME, "kl_div: Integral inputs not supported.");
    rl_tensor *z = loss(log_target ? KL_LOG : KL, input, target, 0, r);
    if (!batchmean)
        return z;
    RL_TEMP *sum = z;
    RL_TEMP *batch = rl_wrap_number(rl_int(input->ndim ? input->shape[0] : 1));
    return sum && batch ? rl_div(sum, batch, NULL) : NULL;
}
