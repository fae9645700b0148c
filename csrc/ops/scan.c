/* scan.c: running sums and products along a dim. */
#include "core/parallel.h"
#include "ops/complex.h"
#include "ops/reduced.h"

enum { SUM, PROD };

struct scan {
    bool product;
    int64_t n, inner; /* elements along the dim; elements from one of them to the next */
    rl_dtype dtype;
    char *y;
};

/* Line `i` of a row-major tensor, in place: in order, as the definition says.  Floats run in
 * double. */
#define LINE(T, ACC)                                                                               \
    {                                                                                              \
        T *y = (T *)w->y + i / w->inner * w->inner * w->n + i % w->inner;                          \
        ACC run = (ACC)w->product;                                                                 \
        for (int64_t k = 0; k < w->n; k++, y += w->inner) {                                        \
            run = w->product ? run * (ACC) * y : run + (ACC) * y;                                  \
            *y = (T)run;                                                                           \
        }                                                                                          \
        break;                                                                                     \
    }

/* Running products of complex numbers; their sums are those of the parts. */
#define COMPLEX_LINE(T)                                                                            \
    {                                                                                              \
        T *y = (T *)w->y + 2 * (i / w->inner * w->inner * w->n + i % w->inner);                    \
        double re = 1, im = 0;                                                                     \
        for (int64_t k = 0; k < w->n; k++, y += 2 * w->inner) {                                    \
            double next = re * y[0] - im * y[1];                                                   \
            im = re * y[1] + im * y[0];                                                            \
            re = next;                                                                             \
            y[0] = (T)re;                                                                          \
            y[1] = (T)im;                                                                          \
        }                                                                                          \
        break;                                                                                     \
    }

static void run_lines(int64_t begin, int64_t end, void *context)
{
    const struct scan *w = context;
    for (int64_t i = begin; i < end; i++)
        switch (w->dtype) {
        case RL_F32:
            LINE(float, double)
        case RL_F64:
            LINE(double, double)
        case RL_C64:
            COMPLEX_LINE(float)
        case RL_C128:
            COMPLEX_LINE(double)
        default:
            LINE(int64_t, uint64_t)
        }
}
#undef LINE
#undef COMPLEX_LINE

static rl_tensor *scan_data(rl_tensor *x, int kind, int64_t dim, rl_dtype result)
{
    rl_dtype compute = rl_is_integral(result, true)                ? RL_I64
                       : result == RL_F64 || rl_is_complex(result) ? result
                                                                   : RL_F32;
    RL_TEMP *cast = rl_is_integral(result, true) ? rl_cast_data(x, result) : rl_retain(x);
    rl_tensor *y = cast ? rl_new(compute, x->ndim, x->shape) : NULL;
    if (!y || rl_copy_data(y, cast)) {
        rl_release(y);
        return NULL;
    }
    struct scan w = {kind == PROD, x->ndim ? x->shape[dim] : 1, 1, compute, y->data};
    for (int d = (int)dim + 1; d < x->ndim; d++)
        w.inner *= x->shape[d];
    int64_t lines = y->numel ? y->numel / w.n : 0;
    if (rl_is_complex(compute) && kind == SUM) {
        w.dtype = rl_real_dtype(compute);
        w.inner *= 2;
        lines *= 2;
    }
    if (lines)
        rl_parallel_for(lines, w.n < 16384 ? 16384 / w.n : 1, run_lines, &w);
    if (compute == result)
        return y;
    rl_tensor *z = rl_cast_data(y, result);
    rl_release(y);
    return z;
}

/* sum of v from each place to the end */
static rl_tensor *sums_behind(rl_tensor *v, int64_t dim)
{
    rl_ints dims = {&dim, 1};
    if (!v || v->ndim == 0)
        return rl_retain(v);
    RL_TEMP *turned = rl_flip(v, dims);
    RL_TEMP *running = turned ? rl_cumsum(turned, dim, RL_NO_DTYPE) : NULL;
    return running ? rl_flip(running, dims) : NULL;
}

/* y_k = sum over j <= k of x_j      dx_j = sum over k >= j of g_k */
static rl_status cumsum_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    dx[0] = sums_behind(g[0], n->args.i[0]);
    return RL_DONE(n, dx);
}

/* y_k = prod over j <= k of x_j     dx_j = sum over k >= j of g_k y_k / x_j where no x is 0.
 * With zeros: dx_j = sum over k >= j of g_k (prod over i <= k, i != j, of x_i), the product taken
 * with x_j replaced by 1, one j after the other. */
static rl_status cumprod_backward(rl_node *n, rl_tensor *const *grads, rl_tensor **dx)
{
    RL_TEMP *saved = rl_saved(n, 0);
    RL_TEMP *product = rl_saved(n, 1);
    int64_t dim = n->args.i[0];
    if (!saved || !product)
        return rl_error_code();
    if (saved->ndim == 0) {
        dx[0] = rl_retain(grads[0]);
        return RL_DONE(n, dx);
    }
    RL_TEMP *x = rl_conj_of(saved), *y = rl_conj_of(product); /* as of all holomorphic functions */
    rl_tensor *const *g = grads;
    rl_scalar whole;
    RL_TEMP *nothing = rl_wrap_number(rl_int(0));
    RL_TEMP *differs = nothing ? rl_ne(x, nothing) : NULL;
    RL_TEMP *no_zero = differs ? rl_all(differs, (rl_ints){NULL, -1}, false) : NULL;
    if (!no_zero || rl_item(no_zero, &whole))
        return rl_error_code();
    if (whole.i) {
        RL_TEMP *gy = rl_mul(g[0], y);
        RL_TEMP *behind = sums_behind(gy, dim);
        dx[0] = behind ? rl_div(behind, x, NULL) : NULL;
        return RL_DONE(n, dx);
    }
    RL_TEMP *sum = rl_zeros_like(x, RL_NO_DTYPE);
    for (int64_t j = 0; j < x->shape[dim] && sum; j++) {
        /* e: 1 at j, 0 elsewhere along dim; x with x_j made 1, and the terms before j left out */
        int64_t shape[RL_MAX_DIMS];
        for (int d = 0; d < x->ndim; d++)
            shape[d] = d == dim ? x->shape[d] : 1;
        RL_TEMP *places = rl_arange_end(rl_int(x->shape[dim]), RL_I64);
        RL_TEMP *along = places ? rl_reshape(places, (rl_ints){shape, x->ndim}) : NULL;
        RL_TEMP *number = rl_wrap_number(rl_int(j));
        RL_TEMP *here = along && number ? rl_eq(along, number) : NULL;
        RL_TEMP *early = along && number ? rl_lt(along, number) : NULL;
        RL_TEMP *one = rl_wrap_number(rl_float(1));
        RL_TEMP *zero = rl_wrap_number(rl_float(0));
        RL_TEMP *others = here && one ? rl_masked_fill(x, here, one) : NULL;
        RL_TEMP *running = others ? rl_cumprod(others, dim, RL_NO_DTYPE) : NULL;
        RL_TEMP *terms = running ? rl_mul(g[0], running) : NULL;
        RL_TEMP *late = terms && early && zero ? rl_masked_fill(terms, early, zero) : NULL;
        RL_TEMP *total = late ? rl_sum(late, (rl_ints){&dim, 1}, true, RL_NO_DTYPE) : NULL;
        RL_TEMP *placed = total && here ? rl_mul(total, here) : NULL;
        rl_tensor *next = placed ? rl_add(sum, placed, rl_int(1)) : NULL;
        rl_release(sum);
        sum = next;
    }
    dx[0] = rl_retain(sum);
    return RL_DONE(n, dx);
}

static const rl_node_type cumsum_node = {.name = "CumsumBackward0", .backward = cumsum_backward};
static const rl_node_type cumprod_node = {
    .name = "CumprodBackward0", .backward = cumprod_backward, .n_saved = 2};

static rl_tensor *scan(rl_tensor *x, int kind, int64_t dim, rl_dtype dtype)
{
    if (!x || rl_wrap_dim(&dim, x->ndim))
        return NULL;
    rl_dtype result = dtype != RL_NO_DTYPE                       ? dtype
                      : rl_is_integral((rl_dtype)x->dtype, true) ? RL_I64
                                                                 : (rl_dtype)x->dtype;
    rl_tensor *y = scan_data(x, kind, dim, result);
    if (!rl_recording(x) || !rl_is_differentiable(result))
        return y;
    rl_node *n = rl_node_new(kind == PROD ? &cumprod_node : &cumsum_node, y, 1, (rl_tensor *[]){x});
    if (kind == PROD) {
        rl_save(n, 0, x);
        rl_save_output(n, 1, y, 0);
    }
    if (n)
        n->args.i[0] = dim;
    return rl_record(n, y);
}

rl_tensor *rl_cumsum(rl_tensor *input, int64_t dim, rl_dtype dtype)
{
    return scan(input, SUM, dim, dtype);
}
rl_tensor *rl_cumprod(rl_tensor *input, int64_t dim, rl_dtype dtype)
{
    return scan(input, PROD, dim, dtype);
}
