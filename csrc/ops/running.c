/* running.c: running maxima and minima with their places, and running log-sum-exp. */
#include "core/parallel.h"
#include "ops/complex.h"
#include "ops/map.h"
#include "ops/view.h"

/* ---- cummax, cummin ---- */

struct running {
    bool largest;
    rl_dtype dtype;
    int64_t n, inner; /* elements along the dim; elements from one of them to the next */
    char *y;
    int64_t *at;
};

/* Line i of a row-major tensor, in place: a later equal element takes over, and so does a nan. */
#define LINE(T)                                                                                    \
    {                                                                                              \
        T *y = (T *)w->y + first, best = *y;                                                       \
        int64_t place = 0;                                                                         \
        for (int64_t k = 0; k < w->n; k++, y += w->inner, at += w->inner) {                        \
            if (*y != *y || (w->largest ? *y >= best : *y <= best)) {                              \
                best = *y;                                                                         \
                place = k;                                                                         \
            }                                                                                      \
            *y = best;                                                                             \
            *at = place;                                                                           \
        }                                                                                          \
        break;                                                                                     \
    }

static void run_lines(int64_t begin, int64_t end, void *context)
{
    const struct running *w = context;
    for (int64_t i = begin; i < end; i++) {
        int64_t first = i / w->inner * w->inner * w->n + i % w->inner, *at = w->at + first;
        switch (w->dtype) {
        case RL_F32:
            LINE(float)
        case RL_F64:
            LINE(double)
        default:
            LINE(int64_t)
        }
    }
}
#undef LINE

/* dx = g added at the places */
static rl_status running_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    if (!g[0])
        return RL_OK;
    RL_TEMP *index = rl_saved(n, 0);
    RL_TEMP *zeros = index ? rl_zeros_data((rl_dtype)g[0]->dtype, index->ndim, index->shape) : NULL;
    dx[0] = zeros ? rl_scatter_add(zeros, n->args.i[0], index, g[0]) : NULL;
    return RL_DONE(n, dx);
}

static const rl_node_type cummax_node = {"CummaxBackward0", running_backward, 1};
static const rl_node_type cummin_node = {"CumminBackward0", running_backward, 1};

static rl_status running(bool largest, rl_tensor *x, int64_t dim, rl_tensor **out)
{
    out[0] = out[1] = NULL;
    if (!x || rl_wrap_dim(&dim, x->ndim))
        return rl_error_code();
    rl_dtype dtype = (rl_dtype)x->dtype, compute = rl_is_integral(dtype, true) ? RL_I64
                                                   : dtype == RL_F64           ? RL_F64
                                                                               : RL_F32;
    RL_TEMP *run = rl_new(compute, x->ndim, x->shape);
    RL_TEMP *index = rl_new(RL_I64, x->ndim, x->shape);
    if (!run || !index || rl_copy_data(run, x))
        return rl_error_code();
    struct running w = {largest, compute,   x->ndim ? x->shape[dim] : 1,
                        1,       run->data, (int64_t *)index->data};
    for (int d = (int)dim + 1; d < x->ndim; d++)
        w.inner *= x->shape[d];
    if (run->numel)
        rl_parallel_for(run->numel / w.n, w.n < 16384 ? 16384 / w.n : 1, run_lines, &w);
    RL_TEMP *value = rl_cast_data(run, dtype);
    if (!value)
        return rl_error_code();
    if (rl_recording(x)) {
        rl_tensor *outputs[] = {value, NULL};
        rl_node *n = rl_node_new_n(largest ? &cummax_node : &cummin_node, 2, outputs, 1, &x, 1);
        rl_save(n, 0, index);
        if (n)
            n->args.i[0] = dim;
        if (rl_record_n(n, 2, outputs))
            return rl_error_code();
    }
    out[0] = rl_retain(value);
    out[1] = rl_retain(index);
    return RL_OK;
}

rl_status rl_cummax(rl_tensor *x, int64_t dim, rl_tensor **out)
{
    return running(true, x, dim, out);
}
rl_status rl_cummin(rl_tensor *x, int64_t dim, rl_tensor **out)
{
    return running(false, x, dim, out);
}

/* ---- logcumsumexp ---- */

struct recurrence {
    int64_t n, inner;
    bool wide; /* float64 */
    const char *factor;
    char *sum;
};

/* sum_k = factor_k sum_(k-1) + sum_k, in double */
#define LINE(T)                                                                                    \
    {                                                                                              \
        T *y = (T *)w->sum + first;                                                                \
        const T *f = (const T *)w->factor + first;                                                 \
        double run = 0;                                                                            \
        for (int64_t k = 0; k < w->n; k++, y += w->inner, f += w->inner)                           \
            *y = (T)(run = (k ? (double)*f * run : 0) + (double)*y);                               \
    }

static void run_recurrence(int64_t begin, int64_t end, void *context)
{
    const struct recurrence *w = context;
    for (int64_t i = begin; i < end; i++) {
        int64_t first = i / w->inner * w->inner * w->n + i % w->inner;
        if (w->wide)
            LINE(double)
        else
            LINE(float)
    }
}
#undef LINE

/* With m the running maximum: y_k = m_k + log s_k,   s_k = exp(m_(k-1) - m_k) s_(k-1) + exp(x_k -
 * m_k). An infinite maximum counts as 0. */
static rl_tensor *logcumsumexp_data(rl_tensor *x, int64_t dim)
{
    rl_tensor *extremes[2];
    rl_dtype compute = x->dtype == RL_F64 ? RL_F64 : RL_F32;
    RL_TEMP *rows = rl_cast_data(x, compute);
    if (!rows || rl_cummax(rows, dim, extremes))
        return NULL;
    rl_release(extremes[1]);
    RL_TEMP *top = extremes[0];
    RL_TEMP *m = rl_map_run(&(rl_map){.op = RL_MAP_NAN_TO_NUM,
                                      .typing = RL_TYPE_PROMOTE,
                                      .name = "logcumsumexp",
                                      .n = 1,
                                      .in = {top},
                                      .args = {.f = {__builtin_nan(""), 0, 0}}});
    RL_TEMP *before =
        m && x->ndim ? rl_roll(m, (rl_ints){(int64_t[]){1}, 1}, (rl_ints){&dim, 1}) : rl_retain(m);
    RL_TEMP *fall = before ? rl_sub(before, m, rl_int(1)) : NULL;
    RL_TEMP *factor = rl_exp(fall);
    RL_TEMP *above = m ? rl_sub(rows, m, rl_int(1)) : NULL;
    RL_TEMP *sum = rl_exp(above);
    if (!factor || !sum)
        return NULL;
    struct recurrence w = {x->ndim ? x->shape[dim] : 1, 1, compute == RL_F64, factor->data,
                           sum->data};
    for (int d = (int)dim + 1; d < x->ndim; d++)
        w.inner *= x->shape[d];
    if (sum->numel)
        rl_parallel_for(sum->numel / w.n, w.n < 16384 ? 16384 / w.n : 1, run_recurrence, &w);
    RL_TEMP *log = rl_log(sum);
    RL_TEMP *y = log ? rl_add(log, m, rl_int(1)) : NULL;
    return y ? rl_cast_data(y, (rl_dtype)x->dtype) : NULL;
}

/* exp(x + log of the sum over k from each place on of exp(logs_k - y_k)) */
static rl_tensor *part(rl_tensor *logs, rl_tensor *y, rl_tensor *x, int64_t dim)
{
    rl_ints dims = {&dim, x->ndim ? 1 : 0};
    RL_TEMP *low = logs ? rl_sub(logs, y, rl_int(1)) : NULL;
    RL_TEMP *turned = low ? rl_flip(low, dims) : NULL;
    RL_TEMP *run = turned ? rl_logcumsumexp(turned, dim) : NULL;
    RL_TEMP *back = run ? rl_flip(run, dims) : NULL;
    RL_TEMP *sum = back ? rl_add(back, x, rl_int(1)) : NULL;
    return rl_exp(sum);
}

/* dx_i = sum over k >= i of g_k exp(x_i - y_k), positive and negative g apart so that logs exist */
static rl_status logcumsumexp_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *x = rl_saved(n, 0);
    RL_TEMP *y = rl_saved(n, 1);
    if (!x || !y)
        return rl_error_code();
    int64_t dim = n->args.i[0];
    RL_TEMP *lowest = rl_wrap_number(rl_float(x->dtype == RL_F64   ? -1.7976931348623157e308
                                              : x->dtype == RL_F16 ? -65504.0
                                                                   : -3.3895313892515355e38));
    RL_TEMP *zero = rl_wrap_number(rl_float(0));
    RL_TEMP *size = rl_abs(g[0]);
    RL_TEMP *log = rl_log(size);
    RL_TEMP *up = zero ? rl_gt(g[0], zero) : NULL;
    RL_TEMP *down = zero ? rl_lt(g[0], zero) : NULL;
    RL_TEMP *plus = up && log ? rl_where(up, log, lowest) : NULL;
    RL_TEMP *minus = down && log ? rl_where(down, log, lowest) : NULL;
    RL_TEMP *gain = part(plus, y, x, dim);
    RL_TEMP *loss = part(minus, y, x, dim);
    dx[0] = gain && loss ? rl_sub(gain, loss, rl_int(1)) : NULL;
    return RL_DONE(n, dx);
}

static const rl_node_type logcumsumexp_node = {"LogcumsumexpBackward0", logcumsumexp_backward, 2};

rl_tensor *rl_logcumsumexp(rl_tensor *x, int64_t dim)
{
    if (!x || rl_wrap_dim(&dim, x->ndim))
        return NULL;
    if (rl_has_complex(x))
        return rl_complex_logcumsumexp(x, dim);
    if (!rl_is_floating((rl_dtype)x->dtype))
        return rl_fail(RL_ENOTIMPL, "\"logcumsumexp_out_cpu\" not implemented for '%s'",
                       rl_dtype_title((rl_dtype)x->dtype));
    bool mode = rl_set_grad_enabled(false);
    RL_TEMP *z = logcumsumexp_data(x, dim);
    rl_set_grad_enabled(mode);
    if (!z || !rl_recording(x))
        return rl_retain(z);
    rl_node *n = rl_node_new(&logcumsumexp_node, z, 1, &x);
    rl_save(n, 0, x);
    rl_save_output(n, 1, z, 0);
    if (n)
        n->args.i[0] = dim;
    return rl_record(n, rl_retain(z));
}
