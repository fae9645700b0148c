/* softmax.c: softmax, log_softmax, logsumexp. */
#include "autograd/autograd.h"
#include "core/iter.h"
#include "ops/complex.h"
#include "ops/rows.h"
#include "rushlight_ops.h"

/* Applies a row kernel with output and up to two inputs of the same shape along dim. */
static rl_tensor *apply(rl_row_op op, int dim, rl_dtype result, rl_tensor *a, rl_tensor *b)
{
    rl_dtype compute = rl_rows_dtype(result);
    RL_TEMP *made_a = NULL;
    RL_TEMP *made_b = NULL;
    rl_tensor *ra = rl_rows_in(a, dim, compute, &made_a);
    rl_tensor *rb = b ? rl_rows_in(b, dim, compute, &made_b) : NULL;
    if (!ra || (b && !rb))
        return NULL;
    rl_tensor *y = rl_new(compute, ra->ndim, ra->shape);
    if (y && y->numel) {
        int64_t n = y->ndim ? y->shape[y->ndim - 1] : 1;
        char *p[] = {y->data, ra->data, rb ? rb->data : NULL};
        ptrdiff_t stride[] = {n, n, n};
        size_t size = rl_dtype_size(compute), item[] = {size, size, size};
        rl_rows_run(op, compute, y->numel / n, n, b ? 3 : 2, p, stride, item, NULL);
    }
    return rl_rows_back(y, dim, result);
}

/* y = softmax(x)        dx = y (g - sum g y)
 * y = log softmax(x)    dx = g - exp(y) sum g */
static rl_tensor *compose_backward(bool log, rl_tensor *g, rl_tensor *y, int64_t dim)
{
    rl_ints dims = {&dim, 1};
    if (log) {
        RL_TEMP *p = rl_exp(y);
        RL_TEMP *total = rl_sum(g, dims, true, RL_NO_DTYPE);
        RL_TEMP *share = rl_mul(p, total);
        return rl_sub(g, share, rl_int(1));
    }
    RL_TEMP *gy = rl_mul(g, y);
    RL_TEMP *total = rl_sum(gy, dims, true, RL_NO_DTYPE);
    RL_TEMP *share = rl_mul(y, total);
    return rl_sub(gy, share, rl_int(1));
}

static rl_status backward(bool log, rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *y = rl_saved(n, 0);
    if (!y)
        return rl_error_code();
    dx[0] = rl_grad_enabled() ? compose_backward(log, g[0], y, n->args.i[0])
                              : apply(log ? RL_ROW_LOG_SOFTMAX_BACKWARD : RL_ROW_SOFTMAX_BACKWARD,
                                      (int)n->args.i[0], (rl_dtype)y->dtype, g[0], y);
    return RL_DONE(n, dx);
}

static rl_status softmax_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    return backward(false, n, g, dx);
}

static rl_status log_softmax_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    return backward(true, n, g, dx);
}

static const rl_node_type softmax_node = {
    .name = "SoftmaxBackward0", .backward = softmax_backward, .n_saved = 1};
static const rl_node_type log_softmax_node = {
    .name = "LogSoftmaxBackward0", .backward = log_softmax_backward, .n_saved = 1};

/* Along a dim that is not the last of a tensor that fits the cache: operator by operator costs less
 * than moving that dim to the end and back. */
enum { MOST_BY_OPERATORS = 1 << 17 };
static bool by_operators(const rl_tensor *x, int64_t dim, rl_dtype result)
{
    return (rl_dtype)x->dtype == result && rl_rows_dtype(result) == result && x->contiguous &&
           dim < x->ndim - 1 && x->numel > 0 && x->numel <= MOST_BY_OPERATORS &&
           x->shape[x->ndim - 1] >= 8;
}

static rl_tensor *operators(bool log, rl_tensor *x, int64_t dim)
{
    bool mode = rl_set_grad_enabled(false);
    rl_ints along = {&dim, 1};
    RL_TEMP *most = rl_amax(x, along, true);
    RL_TEMP *shifted = most ? rl_sub(x, most, rl_int(1)) : NULL;
    RL_TEMP *powers = shifted ? rl_exp(shifted) : NULL;
    RL_TEMP *sum = powers ? rl_sum(powers, along, true, RL_NO_DTYPE) : NULL;
    RL_TEMP *part = sum && log ? rl_log(sum) : NULL;
    rl_tensor *y = !sum          ? NULL
                   : log && part ? rl_sub(shifted, part, rl_int(1))
                   : log         ? NULL
                                 : rl_div(powers, sum, NULL);
    rl_set_grad_enabled(mode);
    return y;
}

static rl_tensor *forward(bool log, rl_tensor *x, int64_t dim, rl_dtype dtype)
{
    if (!x || rl_wrap_dim(&dim, x->ndim))
        return NULL;
    rl_dtype result = dtype == RL_NO_DTYPE ? (rl_dtype)x->dtype : dtype;
    if (!rl_is_floating(result))
        return rl_fail(RL_ENOTIMPL, "\"%s\" not implemented for '%s'",
                       log ? "log_softmax_lastdim_kernel_impl" : "softmax_lastdim_kernel_impl",
                       rl_dtype_title(result));
    bool casts = rl_recording(x) && (rl_dtype)x->dtype != result;
    RL_TEMP *made = casts ? rl_to_dtype(x, result, false) : NULL;
    rl_tensor *cast = casts ? made : x;
    if (!cast)
        return NULL;
    rl_tensor *y =
        by_operators(cast, dim, result)
            ? operators(log, cast, dim)
            : apply(log ? RL_ROW_LOG_SOFTMAX : RL_ROW_SOFTMAX, (int)dim, result, cast, NULL);
    if (!y || !rl_recording(cast))
        return y;
    rl_node *n = rl_node_new(log ? &log_softmax_node : &softmax_node, y, 1, (rl_tensor *[]){cast});
    rl_save_output(n, 0, y, 0);
    if (n)
        n->args.i[0] = dim;
    return rl_record(n, y);
}

rl_tensor *rl_softmax(rl_tensor *input, int64_t dim, rl_dtype dtype)
{
    return forward(false, input, dim, dtype);
}

rl_tensor *rl_log_softmax(rl_tensor *input, int64_t dim, rl_dtype dtype)
{
    return forward(true, input, dim, dtype);
}

/* y = log sum exp x      dx = g exp(x - y) */
static rl_status logsumexp_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *x = rl_saved(n, 0);
    RL_TEMP *y = rl_saved(n, 1);
    if (!x || !y)
        return rl_error_code();
    RL_TEMP *gk = rl_retain(g[0]);
    if (!n->args.i[0]) /* keepdim: put the reduced dims back */
        for (int k = 0; k < n->args.n_dims && gk; k++) {
            rl_tensor *g1 = rl_unsqueeze(gk, n->args.dims[k]),
                      *y1 = rl_unsqueeze(y, n->args.dims[k]);
            rl_release(gk);
            rl_release(y);
            gk = g1;
            y = y1;
        }
    RL_TEMP *shifted = rl_sub(x, y, rl_int(1));
    RL_TEMP *p = rl_exp(shifted);
    dx[0] = rl_mul(gk, p);
    return RL_DONE(n, dx);
}

static const rl_node_type logsumexp_node = {
    .name = "LogsumexpBackward0", .backward = logsumexp_backward, .n_saved = 2};

/* max + log sum exp(x - max), the maximum 0 where it is infinite. */
static rl_tensor *logsumexp_data(rl_tensor *x, rl_ints dim, bool keepdim)
{
    bool grad = rl_set_grad_enabled(false);
    rl_tensor *y = NULL;
    if (x->numel == 0) {
        RL_TEMP *e = rl_exp(x);
        RL_TEMP *s = rl_sum(e, dim, keepdim, RL_NO_DTYPE);
        y = rl_log(s);
    } else {
        RL_TEMP *most = rl_amax(x, dim, true);
        RL_TEMP *size = rl_abs(most);
        RL_TEMP *infinity = rl_wrap_number(rl_float((double)__builtin_inff()));
        RL_TEMP *infinite = size && infinity ? rl_eq(size, infinity) : NULL;
        RL_TEMP *zero = rl_wrap_number(rl_float(0));
        RL_TEMP *shift = infinite && zero ? rl_masked_fill(most, infinite, zero) : NULL;
        RL_TEMP *d = rl_sub(x, shift, rl_int(1));
        RL_TEMP *e = rl_exp(d);
        RL_TEMP *s = rl_sum(e, dim, keepdim, RL_NO_DTYPE);
        RL_TEMP *l = rl_log(s);
        RL_TEMP *back = !shift || keepdim ? rl_retain(shift) : rl_view_as(shift, l);
        y = rl_add(l, back, rl_int(1));
    }
    rl_set_grad_enabled(grad);
    return y;
}

rl_tensor *rl_logsumexp(rl_tensor *input, rl_ints dim, bool keepdim)
{
    bool mask[RL_MAX_DIMS];
    if (!input || rl_dim_mask(dim, input->ndim, mask))
        return NULL;
    if (rl_has_complex(input))
        return rl_complex_logsumexp(input, dim, keepdim);
    RL_TEMP *x = rl_is_floating((rl_dtype)input->dtype)
                     ? rl_retain(input)
                     : rl_to_dtype(input, rl_default_dtype(), false);
    rl_tensor *y = x ? logsumexp_data(x, dim, keepdim) : NULL;
    if (!rl_recording(x))
        return y;
    rl_node *n = rl_node_new(&logsumexp_node, y, 1, (rl_tensor *[]){x});
    rl_save(n, 0, x);
    rl_save_output(n, 1, y, 0);
    if (n) {
        int64_t dims[RL_MAX_DIMS];
        int count = 0;
        for (int d = 0; d < x->ndim; d++)
            if (mask[d])
                dims[count++] = d;
        n->args.i[0] = keepdim;
        rl_node_set_dims(n, count, dims);
    }
    return rl_record(n, y);
}
