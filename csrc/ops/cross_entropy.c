/* cross_entropy.c: nll_loss and cross_entropy.
 *
 * With class targets, cross-entropy is one node that reads the logits once forward and once
 * backward: loss = log sum exp x - x[target], dx = softmax(x) - onehot(target).  Class weights
 * scale the rows.  Weights together with label smoothing, and targets that are probabilities, are
 * composed of public operators. */
#include "core/alloc.h"
#include "core/iter.h"
#include "ops/loss.h"
#include "ops/rows.h"

/* ---- what both check ---- */

/* input (C), (N, C) or (N, C, d1, ...); target the same without C, int64. */
static rl_status check_classes(bool nll, rl_tensor *x, rl_tensor *target, rl_tensor *weight)
{
    int dim = x->ndim == 1 ? 0 : 1;
    if (x->ndim == 0)
        return rl_error(RL_ERUNTIME, "input tensor should be 1D or 2D");
    if (!nll && rl_has_shape(target, x->ndim, x->shape))
        return rl_error(RL_ERUNTIME,
                        "Expected floating point type for target with class probabilities, got %s",
                        rl_dtype_title((rl_dtype)target->dtype));
    if (target->dtype != RL_I64 && target->dtype != RL_U8)
        return rl_error(RL_ERUNTIME, "expected target dtype to be Long or Byte, but got %s",
                        rl_dtype_title((rl_dtype)target->dtype));
    if (target->dtype == RL_U8 && x->ndim > 2) /* PyTorch's loss of images takes no bytes */
        return rl_error(RL_ERUNTIME, "expected scalar type Long but found Byte");
    if (x->ndim == 2 && target->ndim > 1)
        return rl_error(RL_ERUNTIME, "0D or 1D target tensor expected, multi-target not supported");
    bool fits = x->ndim == 1 ? target->ndim == 0 : target->ndim == x->ndim - 1;
    for (int d = 0; d < target->ndim && fits; d++) {
        if (d == 0 && target->shape[0] != x->shape[0])
            return rl_error(RL_EVALUE,
                            "Expected input batch_size (%lld) to match target batch_size (%lld).",
                            (long long)x->shape[0], (long long)target->shape[0]);
        fits = target->shape[d] == x->shape[d < dim ? d : d + 1];
    }
    if (!fits && !nll && x->ndim > 2) {
        int64_t wanted[RL_MAX_DIMS];
        for (int d = 0; d < x->ndim - 1; d++)
            wanted[d] = x->shape[d < dim ? d : d + 1];
        return rl_error(RL_ERUNTIME, "Expected target size %s, got %s",
                        rl_ints_str(x->ndim - 1, wanted).s, rl_shape_str(target).s);
    }
    if (!fits)
        return rl_error(RL_ERUNTIME, "size mismatch (got input: %s, target: %s)", rl_shape_str(x).s,
                        rl_shape_str(target).s);
    if (weight && (weight->ndim != 1 || weight->shape[0] != x->shape[dim]))
        return rl_error(RL_ERUNTIME,
                        "weight tensor should be defined either for all %lld classes or no classes "
                        "but got weight tensor of shape: %s",
                        (long long)x->shape[dim], rl_shape_str(weight).s);
    return RL_OK;
}

/* Targets as row-major int64, every one in range or ignored. */
static rl_tensor *checked_targets(rl_tensor *target, int64_t classes, int64_t ignored)
{
    rl_tensor *t = rl_cast_data(target, RL_I64);
    const int64_t *v = t ? (const int64_t *)t->data : NULL;
    for (int64_t i = 0; t && i < t->numel; i++)
        if ((v[i] < 0 || v[i] >= classes) && v[i] != ignored) {
            rl_error(RL_EINDEX, "Target %lld is out of bounds.", (long long)v[i]);
            rl_release(t);
            return NULL;
        }
    return t;
}

/* Weight of each target (0 where ignored, 1 without weights) and their sum. */
static void target_weights(const int64_t *target, int64_t n, rl_tensor *weight, int64_t ignored,
                           double *each, double *sum)
{
    double total = 0;
    for (int64_t i = 0; i < n; i++) {
        double w = target[i] == ignored ? 0 : 1;
        if (w != 0 && weight)
            rl_convert((rl_dtype)weight->dtype,
                       weight->data +
                           target[i] * weight->strides[0] * (ptrdiff_t)rl_itemsize(weight),
                       0, RL_F64, &w, 0, 1);
        if (each)
            each[i] = w;
        total += w;
    }
    *sum = total;
}

/* ---- the fused node ---- */

/* Saved: 0 x, 1 targets (int64, row-major), 2 lse, 3 weight.  args: i0 class dim, i1 reduction, i2
 * ignore_index; f0 smoothing, f1 sum of weights; s0.i: 1 for nll_loss, which has no softmax. */

/* scale (rows): gradient of each row's loss times its weight, over the sum of weights for the mean.
 */
static rl_tensor *row_scales(rl_node *n, rl_tensor *g, rl_tensor *target, rl_tensor *weight,
                             rl_dtype compute)
{
    rl_tensor *scale = rl_new(RL_F64, target->ndim, target->shape);
    RL_TEMP *gd = rl_cast_data(g, RL_F64);
    if (!scale || !gd) {
        rl_release(scale);
        return NULL;
    }
    double sum, *s = (double *)scale->data;
    const double *gv = (const double *)gd->data;
    bool each = n->args.i[1] == RL_REDUCTION_NONE;
    target_weights((const int64_t *)target->data, target->numel, weight, n->args.i[2], s, &sum);
    double factor = each ? 1 : gv[0];
    if (n->args.i[1] == RL_REDUCTION_MEAN)
        factor /= n->args.f[1];
    for (int64_t i = 0; i < scale->numel; i++)
        s[i] = s[i] == 0 ? 0 : s[i] * (each ? gv[i] : factor);
    rl_tensor *result = rl_cast_data(scale, compute);
    rl_release(scale);
    return result;
}

static rl_tensor *fused_backward(rl_node *n, rl_tensor *g, rl_tensor *x, rl_tensor *target,
                                 rl_tensor *lse, rl_tensor *weight)
{
    int dim = (int)n->args.i[0];
    rl_dtype compute = rl_rows_dtype((rl_dtype)x->dtype);
    RL_TEMP *scale = row_scales(n, g, target, weight, compute);
    RL_TEMP *rows = rl_rows_of(x, dim, compute);
    if (!scale || !rows)
        return NULL;
    rl_tensor *dx = rl_new(compute, rows->ndim, rows->shape);
    if (!dx)
        return NULL;
    int64_t classes = rows->shape[rows->ndim - 1];
    size_t size = rl_dtype_size(compute);
    if (n->args.s[0].i) { /* nll: -scale at the target, 0 elsewhere */
        const int64_t *t = (const int64_t *)target->data;
        memset(dx->data, 0, (size_t)dx->numel * size);
        for (int64_t i = 0; i < target->numel; i++)
            if (t[i] != n->args.i[2]) {
                if (compute == RL_F64)
                    ((double *)dx->data)[i * classes + t[i]] = -((double *)scale->data)[i];
                else
                    ((float *)dx->data)[i * classes + t[i]] = -((float *)scale->data)[i];
            }
    } else if (dx->numel) {
        rl_kargs args = {.f = {n->args.f[0]}, .i = {n->args.i[2]}};
        char *p[] = {dx->data, rows->data, target->data, lse->data, scale->data};
        ptrdiff_t stride[] = {classes, classes, 1, 1, 1};
        size_t item[] = {size, size, sizeof(int64_t), size, size};
        rl_rows_run(RL_ROW_CROSS_ENTROPY_BACKWARD, compute, target->numel, classes, 5, p, stride,
                    item, &args);
    }
    return rl_rows_back(dx, dim, (rl_dtype)x->dtype);
}

/* The same of public operators: scale (softmax(x) - (1 - f0) onehot - f0 / C), or -scale onehot. */
static rl_tensor *composed_backward(rl_node *n, rl_tensor *g, rl_tensor *x, rl_tensor *target,
                                    rl_tensor *weight)
{
    int64_t dim = n->args.i[0];
    rl_dtype dtype = (rl_dtype)x->dtype;
    double smoothing = n->args.f[0], sum;
    RL_TEMP *weights = rl_new(RL_F64, target->ndim, target->shape);
    RL_TEMP *classes = rl_contiguous_data(target);
    RL_TEMP *onehot = rl_zeros_like(x, RL_NO_DTYPE);
    if (!weights || !classes || !onehot)
        return NULL;
    target_weights((const int64_t *)target->data, target->numel, weight, n->args.i[2],
                   (double *)weights->data, &sum);
    if (n->args.i[1] == RL_REDUCTION_MEAN)
        for (int64_t i = 0; i < weights->numel; i++)
            if (((double *)weights->data)[i] != 0) /* of nothing but ignored targets: 0, not nan */
                ((double *)weights->data)[i] /= n->args.f[1];
    if (classes == target) { /* ignored targets may be out of range; their weight is 0 */
        rl_release(classes);
        classes = rl_clone(target);
        if (!classes)
            return NULL;
    }
    int64_t *t = (int64_t *)classes->data;
    for (int64_t i = 0; i < classes->numel; i++)
        if (t[i] == n->args.i[2])
            t[i] = 0;
    RL_TEMP *index = rl_unsqueeze(classes, dim);
    RL_TEMP *cast = rl_cast_data(weights, dtype);
    RL_TEMP *shares = cast ? rl_unsqueeze(cast, dim) : NULL;
    RL_TEMP *hot = index ? rl_scatter_value(onehot, dim, index, rl_float(1), NULL) : NULL;
    RL_TEMP *gk = n->args.i[1] == RL_REDUCTION_NONE ? rl_unsqueeze(g, dim) : rl_retain(g);
    RL_TEMP *scale = rl_mul(gk, shares);
    if (n->args.s[0].i) {
        RL_TEMP *product = rl_mul(scale, hot);
        return rl_neg(product);
    }
    RL_TEMP *p = rl_softmax(x, dim, RL_NO_DTYPE);
    RL_TEMP *kept = rl_mul_number(hot, rl_float(1 - smoothing));
    RL_TEMP *d = rl_sub(p, kept, rl_int(1));
    RL_TEMP *each = rl_wrap_number(rl_float(smoothing / (double)x->shape[dim]));
    RL_TEMP *slope = d && each ? rl_sub(d, each, rl_int(1)) : NULL;
    return rl_mul(scale, slope);
}

static rl_status class_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *x = rl_saved(n, 0);
    RL_TEMP *target = rl_saved(n, 1);
    RL_TEMP *lse = rl_has_saved(n, 2) ? rl_saved(n, 2) : NULL;
    RL_TEMP *weight = rl_has_saved(n, 3) ? rl_saved(n, 3) : NULL;
    if (!x || !target || (rl_has_saved(n, 2) && !lse) || (rl_has_saved(n, 3) && !weight))
        return rl_error_code();
    dx[0] = rl_grad_enabled() ? composed_backward(n, g[0], x, target, weight)
                              : fused_backward(n, g[0], x, target, lse, weight);
    return RL_DONE(n, dx);
}

static const rl_node_type nll_node = {
    .name = "NllLossBackward0", .backward = class_backward, .n_saved = 4};
static const rl_node_type nll_2d_node = {
    .name = "NllLoss2DBackward0", .backward = class_backward, .n_saved = 4};

/* With label smoothing PyTorch adds two losses up. */
static const rl_node_type smoothed_node = {
    .name = "AddBackward0", .backward = class_backward, .n_saved = 4};

/* Losses of all rows in `compute`, and for cross-entropy their lse (else NULL). */
static rl_status class_losses(bool nll, rl_tensor *x, int dim, rl_tensor *target, double smoothing,
                              int64_t ignored, rl_tensor *loss, rl_tensor *lse)
{
    rl_dtype compute = (rl_dtype)loss->dtype;
    RL_TEMP *rows = rl_rows_of(x, dim, compute);
    if (!rows)
        return rl_error_code();
    int64_t classes = rows->shape[rows->ndim - 1];
    const int64_t *t = (const int64_t *)target->data;
    if (nll) {
        for (int64_t i = 0; i < target->numel; i++) {
            if (compute == RL_F64)
                ((double *)loss->data)[i] =
                    t[i] == ignored ? 0 : -((double *)rows->data)[i * classes + t[i]];
            else
                ((float *)loss->data)[i] =
                    t[i] == ignored ? 0 : -((float *)rows->data)[i * classes + t[i]];
        }
    } else if (rows->numel) {
        size_t size = rl_dtype_size(compute), item[] = {size, size, sizeof(int64_t), size};
        rl_kargs args = {.f = {smoothing}, .i = {ignored}};
        char *p[] = {loss->data, rows->data, target->data, lse->data};
        ptrdiff_t stride[] = {1, classes, 1, 1};
        rl_rows_run(RL_ROW_CROSS_ENTROPY, compute, target->numel, classes, 4, p, stride, item,
                    &args);
    }
    return RL_OK;
}

/* Rows' losses, weighted and reduced; *weights: the sum of weights. */
static rl_tensor *reduce_classes(rl_tensor *loss, rl_tensor *target, rl_tensor *weight,
                                 int64_t ignored, rl_reduction reduction, rl_dtype result,
                                 double *weights)
{
    const int64_t *t = (const int64_t *)target->data;
    rl_tensor *each = rl_cast_data(loss, RL_F64);
    double few[64], *w = few;
    size_t bytes = (size_t)target->numel * sizeof *w;
    if (!each || (bytes > sizeof few && !(w = rl_alloc(bytes)))) {
        rl_release(each);
        return NULL;
    }
    target_weights(t, target->numel, weight, ignored, w, weights);
    double total = 0, *v = (double *)each->data;
    for (int64_t i = 0; i < target->numel; i++) {
        v[i] = w[i] == 0 && t[i] == ignored ? 0 : w[i] * v[i];
        total += v[i];
    }
    if (w != few)
        rl_free(w, bytes);
    if (reduction == RL_REDUCTION_NONE) {
        rl_tensor *y = rl_cast_data(each, result);
        rl_release(each);
        return y;
    }
    rl_release(each);
    if (reduction == RL_REDUCTION_MEAN)
        total /= *weights; /* nothing but ignored targets: nan, as PyTorch */
    rl_tensor *y = rl_new(result, 0, NULL);
    if (y)
        rl_convert(RL_F64, &total, 0, result, y->data, 0, 1);
    return y;
}

static rl_tensor *class_loss(bool nll, rl_tensor *x, rl_tensor *target, rl_tensor *weight,
                             int64_t ignored, rl_reduction reduction, double smoothing)
{
    if (check_classes(nll, x, target, weight))
        return NULL;
    if (!rl_is_floating((rl_dtype)x->dtype))
        return rl_fail(RL_ENOTIMPL, "\"%s\" not implemented for '%s'",
                       nll ? "nll_loss_out_frame" : "log_softmax_lastdim_kernel_impl",
                       rl_dtype_title((rl_dtype)x->dtype));
    int dim = x->ndim == 1 ? 0 : 1;
    rl_dtype compute = rl_rows_dtype((rl_dtype)x->dtype);
    RL_TEMP *t = checked_targets(target, x->shape[dim], ignored);
    RL_TEMP *loss = t ? rl_new(compute, t->ndim, t->shape) : NULL;
    RL_TEMP *lse = t && !nll ? rl_new(compute, t->ndim, t->shape) : NULL;
    if (!loss || (!nll && !lse) || class_losses(nll, x, dim, t, smoothing, ignored, loss, lse))
        return NULL;
    double weights;
    rl_tensor *y =
        reduce_classes(loss, t, weight, ignored, reduction, (rl_dtype)x->dtype, &weights);
    if (!rl_recording(x))
        return y;
    const rl_node_type *type = smoothing > 0 ? &smoothed_node
                               : x->ndim > 2 ? &nll_2d_node
                                             : &nll_node;
    rl_node *n = rl_node_new(type, y, 1, (rl_tensor *[]){x});
    rl_save(n, 0, x);
    rl_save(n, 1, t);
    rl_save(n, 2, lse);
    rl_save(n, 3, weight);
    if (n) {
        n->args.i[0] = dim;
        n->args.i[1] = reduction;
        n->args.i[2] = ignored;
        n->args.f[0] = smoothing;
        n->args.f[1] = weights;
        n->args.s[0] = rl_bool(nll);
    }
    return rl_record(n, y);
}

rl_tensor *rl_nll_loss(rl_tensor *input, rl_tensor *target, rl_tensor *weight, int64_t ignore_index,
                       const char *reduction)
{
    rl_reduction r;
    if (!input || !target || rl_reduction_of(reduction, &r))
        return NULL;
    return class_loss(true, input, target, weight, ignore_index, r, 0);
}

/* ---- composed forms ---- */

/* weight as (C, 1, ...) against x, the class dim first after the batch. */
static rl_tensor *weight_along(rl_tensor *weight, rl_tensor *x)
{
    int64_t shape[RL_MAX_DIMS];
    for (int d = 0; d < x->ndim; d++)
        shape[d] = 1;
    shape[x->ndim == 1 ? 0 : 1] = weight->numel;
    return rl_reshape(weight, (rl_ints){shape, x->ndim});
}

/* Targets that are probabilities: -sum over classes of weight target log softmax(x). */
static rl_tensor *probability_loss(rl_tensor *x, rl_tensor *target, rl_tensor *weight,
                                   rl_reduction reduction, double smoothing)
{
    int64_t dim = x->ndim == 1 ? 0 : 1;
    rl_ints dims = {&dim, 1}, all = {NULL, -1};
    RL_TEMP *l = rl_log_softmax(x, dim, RL_NO_DTYPE);
    RL_TEMP *kept =
        smoothing > 0 ? rl_mul_number(target, rl_float(1 - smoothing)) : rl_retain(target);
    RL_TEMP *share = rl_wrap_number(rl_float(smoothing / (double)x->shape[dim]));
    RL_TEMP *t = smoothing > 0 && kept && share ? rl_add(kept, share, rl_int(1)) : rl_retain(kept);
    RL_TEMP *product = rl_mul(l, t);
    RL_TEMP *along = weight ? weight_along(weight, x) : NULL;
    if (weight && !along)
        return NULL;
    RL_TEMP *weighted = weight ? rl_mul(product, along) : rl_retain(product);
    if (reduction == RL_REDUCTION_NONE) {
        RL_TEMP *sum = weighted ? rl_sum(weighted, dims, false, RL_NO_DTYPE) : NULL;
        return rl_neg(sum);
    }
    RL_TEMP *sum = weighted ? rl_sum(weighted, all, false, RL_NO_DTYPE) : NULL;
    RL_TEMP *loss = rl_neg(sum);
    if (reduction == RL_REDUCTION_SUM)
        return rl_retain(loss);
    RL_TEMP *rows = rl_wrap_number(rl_float(x->numel ? (double)(x->numel / x->shape[dim]) : 0));
    return loss && rows ? rl_div(loss, rows, NULL) : NULL;
}

/* Weights with smoothing: (1 - s) nll + s / C sum over classes of weight (-log softmax). */
static rl_tensor *smoothed_weighted_loss(rl_tensor *x, rl_tensor *target, rl_tensor *weight,
                                         int64_t ignored, rl_reduction reduction, double smoothing)
{
    static const char *const names[] = {"none", "mean", "sum"};
    int64_t dim = x->ndim == 1 ? 0 : 1;
    rl_ints dims = {&dim, 1}, all = {NULL, -1};
    RL_TEMP *l = rl_log_softmax(x, dim, RL_NO_DTYPE);
    RL_TEMP *nll = l ? rl_nll_loss(l, target, weight, ignored, names[reduction]) : NULL;
    RL_TEMP *along = nll ? weight_along(weight, x) : NULL;
    RL_TEMP *product = rl_mul(l, along);
    RL_TEMP *sums = product ? rl_sum(product, dims, false, RL_NO_DTYPE) : NULL;
    RL_TEMP *minus = rl_neg(sums);
    RL_TEMP *ignore = rl_wrap_number(rl_int(ignored));
    RL_TEMP *mask = minus && ignore ? rl_eq(target, ignore) : NULL;
    RL_TEMP *zero = rl_wrap_number(rl_float(0));
    rl_tensor *smooth = mask && zero ? rl_masked_fill(minus, mask, zero) : NULL;
    if (smooth && reduction != RL_REDUCTION_NONE) {
        rl_tensor *total = rl_sum(smooth, all, false, RL_NO_DTYPE);
        rl_release(smooth);
        smooth = total;
        if (smooth && reduction == RL_REDUCTION_MEAN) {
            double sum;
            RL_TEMP *t = rl_cast_data(target, RL_I64);
            if (t)
                target_weights((const int64_t *)t->data, t->numel, weight, ignored, NULL, &sum);
            total = t ? rl_mul_number(smooth, rl_float(1 / sum)) : NULL;
            rl_release(smooth);
            smooth = total;
        }
    }
    RL_TEMP *kept = rl_mul_number(nll, rl_float(1 - smoothing));
    RL_TEMP *spread = rl_mul_number(smooth, rl_float(smoothing / (double)x->shape[dim]));
    rl_release(smooth);
    return rl_add(kept, spread, rl_int(1));
}

rl_tensor *rl_cross_entropy(rl_tensor *input, rl_tensor *target, rl_tensor *weight,
                            int64_t ignore_index, const char *reduction, double label_smoothing)
{
    rl_reduction r;
    if (!input || !target || rl_reduction_of(reduction, &r))
        return NULL;
    if (!(label_smoothing >= 0 && label_smoothing <= 1))
        return rl_fail(RL_ERUNTIME, "label_smoothing must be between 0.0 and 1.0. Got: %g",
                       label_smoothing);
    if (rl_is_floating((rl_dtype)target->dtype) && rl_same_shape(input, target)) {
        if (input->ndim == 0)
            return rl_fail(RL_ERUNTIME, "input tensor should be 1D or 2D");
        if (ignore_index >= 0)
            return rl_fail(RL_ERUNTIME, "ignore_index is not supported for floating point target");
        if (weight &&
            (weight->ndim != 1 || weight->numel != input->shape[input->ndim == 1 ? 0 : 1]))
            return rl_fail(RL_ERUNTIME,
                           "cross_entropy: weight tensor should be defined either for all or no "
                           "classes, got shape %s for input %s",
                           rl_shape_str(weight).s, rl_shape_str(input).s);
        return probability_loss(input, target, weight, r, label_smoothing);
    }
    if (weight && label_smoothing > 0) {
        if (check_classes(false, input, target, weight))
            return NULL;
        return smoothed_weighted_loss(input, target, weight, ignore_index, r, label_smoothing);
    }
    return class_loss(false, input, target, weight, ignore_index, r, label_smoothing);
}
