/* histogram.c: how many elements fall where: histc, histogram, bincount. */
#include <math.h>

#include "core/iter.h"
#include "ops/map.h"
#include "ops/matmul.h"

/* ---- bincount ---- */

rl_tensor *rl_bincount(rl_tensor *x, rl_tensor *weights, int64_t minlength)
{
    if (!x)
        return NULL;
    if (minlength < 0)
        return rl_fail(RL_ERUNTIME, "minlength should be >= 0");
    if (!rl_is_integral((rl_dtype)x->dtype, false))
        return rl_fail(RL_ENOTIMPL, "\"bincount_cpu\" not implemented for '%s'",
                       rl_dtype_title((rl_dtype)x->dtype));
    if (x->ndim == 1 && x->numel == 0)
        return rl_zeros((rl_ints){&minlength, 1}, RL_I64);
    RL_TEMP *values = x->ndim == 1 ? rl_cast_data(x, RL_I64) : NULL;
    if (x->ndim == 1 && !values)
        return NULL;
    int64_t least = -1, most = -1;
    const int64_t *v = values ? (const int64_t *)values->data : NULL;
    for (int end = 0; v && end < 2; end++)
        rl_kernel_table.reduce[end ? RL_REDUCE_MAX : RL_REDUCE_MIN][RL_I64](
            1, (size_t)x->numel, values->data, 0, 8, (char *)(end ? &most : &least), 0,
            &(rl_kargs){{0}, {0}});
    if (least < 0)
        return rl_fail(RL_ERUNTIME, "bincount only supports 1-d non-negative integral inputs.");
    if (weights && (weights->ndim != 1 || weights->numel != x->numel))
        return rl_fail(RL_ERUNTIME, "weights should be 1-d and have the same length as input");
    int64_t needed = most == INT64_MAX ? most : most + 1;
    int64_t bins = needed < minlength ? minlength : needed;
    rl_dtype dtype = !weights ? RL_I64 : weights->dtype == RL_F32 ? RL_F32 : RL_F64;
    RL_TEMP *w = weights ? rl_cast_data(weights, dtype) : NULL;
    RL_TEMP *z = rl_zeros((rl_ints){&bins, 1}, dtype);
    if (!z || (weights && !w))
        return NULL;
#define COUNT(T, one)                                                                              \
    for (int64_t i = 0; i < x->numel; i++)                                                         \
        ((T *)z->data)[v[i]] += one;
    if (!w) {
        COUNT(int64_t, 1)
    } else if (dtype == RL_F32) {
        COUNT(float, ((const float *)w->data)[i])
    } else {
        COUNT(double, ((const double *)w->data)[i])
    }
#undef COUNT
    return rl_retain(z);
}

/* ---- histc, histogram ---- */

/* The range of the finite elements' histogram: as given, or of the data. */
static rl_status data_range(rl_tensor *x, double *left, double *right)
{
    rl_tensor *ends[2];
    rl_scalar low, high;
    bool mode = rl_set_grad_enabled(false);
    rl_status status = rl_aminmax(x, (rl_opt_int){false, 0}, false, ends);
    rl_set_grad_enabled(mode);
    if (status)
        return status;
    if (!(status = rl_item(ends[0], &low)))
        status = rl_item(ends[1], &high);
    rl_release(ends[0]);
    rl_release(ends[1]);
    if (!status) {
        *left = rl_scalar_double(low);
        *right = rl_scalar_double(high);
    }
    return status;
}

/* Counts, or sums of weights.  edges NULL: equal widths by division alone; else the place is looked
 * up among the edges, near the one that division gives where they are even.  All row-major. */
#define COUNT(T)                                                                                   \
    {                                                                                              \
        const T *v = (const T *)x->data, *w = weight ? (const T *)weight->data : NULL;             \
        const T *e = edges ? (const T *)edges->data : NULL;                                        \
        T *y = (T *)z->data, first = e ? e[0] : (T)left, last = e ? e[bins] : (T)right;            \
        for (int64_t i = 0; i < x->numel; i++) {                                                   \
            if (!(v[i] >= first && v[i] <= last))                                                  \
                continue;                                                                          \
            int64_t low = 0, high = bins + 1, at = 0;                                              \
            if (even) {                                                                            \
                at = (int64_t)((v[i] - first) * (T)bins / (last - first));                         \
                low = at > 1 ? at - 1 : 0;                                                         \
                high = at + 2 < bins + 1 ? at + 2 : bins + 1;                                      \
            }                                                                                      \
            if (e) { /* the last edge that is not above v */                                       \
                while (low < high) {                                                               \
                    int64_t middle = low + (high - low) / 2;                                       \
                    if (e[middle] > v[i])                                                          \
                        high = middle;                                                             \
                    else                                                                           \
                        low = middle + 1;                                                          \
                }                                                                                  \
                at = low - 1;                                                                      \
            }                                                                                      \
            y[at < bins ? at : bins - 1] += w ? w[i] : 1;                                          \
        }                                                                                          \
    }

static rl_tensor *count(const rl_tensor *x, const rl_tensor *weight, const rl_tensor *edges,
                        bool even, double left, double right, int64_t bins)
{
    rl_tensor *z = rl_zeros((rl_ints){&bins, 1}, (rl_dtype)x->dtype);
    if (!z)
        return NULL;
    if (x->dtype == RL_F64)
        COUNT(double)
    else
        COUNT(float)
    return z;
}
#undef COUNT

rl_tensor *rl_histc(rl_tensor *input, int64_t bins, rl_scalar min, rl_scalar max)
{
    if (!input)
        return NULL;
    rl_dtype dtype = (rl_dtype)input->dtype;
    double left = rl_scalar_double(min), right = rl_scalar_double(max);
    if (bins <= 0)
        return rl_fail(RL_ERUNTIME,
                       "torch.histogram(): bins must be > 0, but got %lld for dimension 0",
                       (long long)bins);
    if (!rl_is_floating(dtype))
        return rl_fail(RL_ENOTIMPL, "\"histogram_cpu\" not implemented for '%s'",
                       rl_dtype_title(dtype));
    if (left == right && input->numel && data_range(input, &left, &right))
        return NULL;
    if (left == right) {
        left -= 1;
        right += 1;
    }
    if (!isfinite(left) || !isfinite(right))
        return rl_fail(RL_ERUNTIME, "torch.histc: range of [%g, %g] is not finite", left, right);
    if (left > right)
        return rl_fail(RL_ERUNTIME, "torch.histc: max must be larger than min");
    RL_TEMP *x = rl_cast_data(input, dtype == RL_F64 ? RL_F64 : RL_F32);
    RL_TEMP *z = x ? count(x, NULL, NULL, true, left, right, bins) : NULL;
    return z ? rl_cast_data(z, dtype) : NULL;
}

/* histogram has no derivative; PyTorch gives its results a node that says so. */
static rl_status refuse_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    return rl_error(RL_ERUNTIME, "derivative for aten::histogram is not implemented");
}
static const rl_node_type histogram_node = {"NotImplemented", refuse_backward, 0};

static rl_status histogram(rl_tensor *input, rl_tensor *weight, rl_tensor *edges, bool even,
                           double left, double right, bool density, rl_tensor **out)
{
    int64_t bins = edges->numel - 1;
    RL_TEMP *x = rl_contiguous_data(input);
    RL_TEMP *w = weight ? rl_contiguous_data(weight) : NULL;
    RL_TEMP *e = rl_contiguous_data(edges);
    if (!x || !e || (weight && !w))
        return rl_error_code();
    RL_TEMP *z = count(x, w, e, even, left, right, bins);
    if (density && z) {
        bool mode = rl_set_grad_enabled(false);
        RL_TEMP *total = rl_sum(z, (rl_ints){NULL, -1}, false, RL_NO_DTYPE);
        RL_TEMP *share = rl_div(z, total, NULL);
        RL_TEMP *high = rl_narrow(e, 0, 1, bins);
        RL_TEMP *low = rl_narrow(e, 0, 0, bins);
        RL_TEMP *width = high && low ? rl_sub(high, low, rl_int(1)) : NULL;
        rl_tensor *dense = share && width ? rl_div(share, width, NULL) : NULL;
        rl_set_grad_enabled(mode);
        rl_release(z);
        z = dense;
    }
    if (!z)
        return rl_error_code();
    RL_TEMP *own = edges == input ? rl_clone(edges) : rl_retain(edges);
    rl_tensor *outputs[] = {z, own};
    if (rl_recording(input) &&
        rl_record_n(rl_node_new_n(&histogram_node, 2, outputs, 1, &input, 0), 2, outputs))
        return rl_error_code();
    out[0] = rl_retain(z);
    out[1] = rl_retain(own);
    return RL_OK;
}

static rl_status check_histogram(const rl_tensor *x, const rl_tensor *weight)
{
    if (x->dtype != RL_F32 && x->dtype != RL_F64)
        return rl_error(RL_ENOTIMPL, "\"histogramdd\" not implemented for '%s'",
                        rl_dtype_title((rl_dtype)x->dtype));
    if (!weight)
        return RL_OK;
    if (weight->dtype != x->dtype)
        return rl_error(RL_ERUNTIME,
                        "torch.histogramdd: if weight tensor is provided, input tensor and weight "
                        "tensor should have the same dtype, but got input(%s), and weight(%s)",
                        rl_dtype_cpp((rl_dtype)x->dtype), rl_dtype_cpp((rl_dtype)weight->dtype));
    if (!rl_same_shape(weight, x))
        return rl_error(RL_ERUNTIME,
                        "torch.histogramdd: if weight tensor is provided it should have the same "
                        "shape as the input tensor excluding its innermost dimension, but got "
                        "input with shape [%lld, 1] and weight with shape [%lld]",
                        (long long)x->numel, (long long)weight->numel);
    return RL_OK;
}

rl_status rl__histogram_edges(rl_tensor *input, rl_tensor *bins, rl_tensor *weight, bool density,
                              rl_tensor **out)
{
    out[0] = out[1] = NULL;
    if (!input || !bins)
        return rl_error_code();
    if (bins->ndim != 1)
        return rl_error(RL_ERUNTIME,
                        "torch.histogramdd: bins tensor should have one dimension, but got %d "
                        "dimensions in the bins tensor for dimension 0",
                        bins->ndim);
    if (bins->dtype != input->dtype)
        return rl_error(RL_ERUNTIME,
                        "torch.histogramdd: input tensor and bins tensors should have the same "
                        "dtype, but got input with dtype %s and bins for dimension 0 with dtype %s",
                        rl_dtype_cpp((rl_dtype)input->dtype), rl_dtype_cpp((rl_dtype)bins->dtype));
    if (bins->numel < 1)
        return rl_error(RL_ERUNTIME,
                        "torch.histogramdd: bins tensor should have at least 1 "
                        "element, but got 0 elements in the bins tensor for dimension 0");
    rl_status status = check_histogram(input, weight);
    return status ? status : histogram(input, weight, bins, false, 0, 0, density, out);
}

rl_status rl__histogram(rl_tensor *input, int64_t bins, rl_opt_float left, rl_opt_float right,
                        rl_tensor *weight, bool density, rl_tensor **out)
{
    out[0] = out[1] = NULL;
    if (!input)
        return rl_error_code();
    if (bins <= 0)
        return rl_error(RL_ERUNTIME,
                        "torch.histogram(): bins must be > 0, but got %lld for dimension 0",
                        (long long)bins);
    rl_status status = check_histogram(input, weight);
    if (status)
        return status;
    double a = 0, b = 1;
    if (left.given && right.given) {
        a = left.v;
        b = right.v;
    } else if (input->numel && (status = data_range(input, &a, &b))) {
        return status;
    }
    if (!isfinite(a) || !isfinite(b))
        return rl_error(RL_ERUNTIME,
                        "torch.histogramdd: dimension 0's range [%g, %g] is not finite", a, b);
    if (a > b)
        return rl_error(RL_ERUNTIME,
                        "torch.histogramdd: min should not exceed max, but got min %g max %g for "
                        "dimension 0",
                        a, b);
    if (a == b) {
        a -= 0.5;
        b += 0.5;
    }
    RL_TEMP *edges = rl_linspace(rl_float(a), rl_float(b), bins + 1, (rl_dtype)input->dtype);
    return edges ? histogram(input, weight, edges, true, a, b, density, out) : rl_error_code();
}
