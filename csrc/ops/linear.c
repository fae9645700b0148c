/* linear.c: x W^T + b as one node, alone or with relu: what every layer of an MLP calls. */
#include "ops/map.h"
#include "ops/matmul.h"

/* ---- data ---- */

/* A contiguous vector of n elements that b (0-dim or 1-dim, of one or n elements) stands for. */
static rl_tensor *bias_vector(rl_tensor *b, int64_t n)
{
    if (b->ndim == 1 && b->shape[0] == n && (b->strides[0] == 1 || n == 1))
        return rl_retain(b);
    rl_tensor *v = rl_new(b->dtype, 1, &n);
    if (v && rl_copy_data(v, b)) {
        rl_release(v);
        return NULL;
    }
    return v;
}

/* Shapes and dtypes have been checked; b is contiguous with one element per row of w, or NULL. */
static rl_tensor *linear_data(rl_tensor *x, rl_tensor *w, rl_tensor *b, unsigned relu)
{
    rl_dtype dtype = (rl_dtype)x->dtype;
    if (rl_gemm_dtype(dtype) != dtype) {
        RL_TEMP *x1 = rl_gemm_operand(x), *w1 = rl_gemm_operand(w);
        RL_TEMP *b1 = b ? rl_gemm_operand(b) : NULL;
        if (!x1 || !w1 || (b && !b1))
            return NULL;
        return rl_gemm_result(linear_data(x1, w1, b1, relu), dtype);
    }
    rl_matrix rows;
    RL_TEMP *copy = NULL;
    if (!rl_matrix_flat(x, &rows)) {
        copy = rl_contiguous_data(x);
        if (!copy)
            return NULL;
        rl_matrix_flat(copy, &rows);
    }
    int64_t shape[RL_MAX_DIMS];
    for (int d = 0; d < x->ndim - 1; d++)
        shape[d] = x->shape[d];
    shape[x->ndim - 1] = w->shape[0];
    rl_tensor *y = rl_new(dtype, x->ndim, shape);
    unsigned flags = (b ? RL_GEMM_BIAS : RL_GEMM_ZERO) | relu;
    if (y &&
        rl_product(dtype, rows, rl_matrix_t(rl_matrix_of(w)), y->data, b ? b->data : NULL, flags)) {
        rl_release(y);
        return NULL;
    }
    return y;
}

static rl_status check(const rl_tensor *x, const rl_tensor *w, const rl_tensor *b)
{
    int64_t k = x->shape[x->ndim - 1], n = w->shape[0];
    if (k == w->shape[1] && x->dtype == w->dtype && x->dtype != RL_BOOL &&
        (!b || (b->dtype == w->dtype && (b->ndim == 0 || b->shape[0] == n || b->shape[0] == 1))))
        return RL_OK;
    int64_t rows = 1;
    for (int d = 0; d < x->ndim - 1; d++)
        rows *= x->shape[d];
    if (k != w->shape[1])
        return rl_error(RL_ERUNTIME,
                        "mat1 and mat2 shapes cannot be multiplied (%lldx%lld and %lldx%lld)",
                        (long long)rows, (long long)k, (long long)w->shape[1], (long long)n);
    if (b && b->dtype != w->dtype)
        return rl_error(RL_ERUNTIME, "self and mat2 must have the same dtype, but got %s and %s",
                        rl_dtype_title(b->dtype), rl_dtype_title(w->dtype));
    if (b && x->dtype != w->dtype)
        return rl_error(RL_ERUNTIME, "mat1 and mat2 must have the same dtype, but got %s and %s",
                        rl_dtype_title(x->dtype), rl_dtype_title(w->dtype));
    if (x->dtype != w->dtype)
        return rl_error(RL_ERUNTIME, "expected m1 and m2 to have the same dtype, but got: %s != %s",
                        rl_dtype_cpp(x->dtype), rl_dtype_cpp(w->dtype));
    if (x->dtype == RL_BOOL && x->numel && w->numel)
        return rl_error(RL_ENOTIMPL, "\"addmm_impl_cpu_\" not implemented for 'Bool'");
    if (!b || b->ndim == 0 || b->shape[0] == n || b->shape[0] == 1)
        return RL_OK; /* nothing to add up: zeros */
    return rl_error(RL_ERUNTIME,
                    "The expanded size of the tensor (%lld) must match the existing size (%lld) at "
                    "non-singleton dimension 1.  Target sizes: [%lld, %lld].  Tensor sizes: [%lld]",
                    (long long)n, (long long)b->shape[0], (long long)rows, (long long)n,
                    (long long)b->shape[0]);
}

/* ---- derivative ---- */

/* Inputs as addmm's: b, x, w.        db = g, dx = g W, dW = g^T x, over all rows of x. */
static rl_status differentiate(rl_node *n, rl_tensor *g, rl_tensor **dx)
{
    if (rl_wants(n, 0))
        dx[0] = rl_retain(g); /* the engine sums over the rows */
    if (rl_wants(n, 1)) {
        RL_TEMP *w = rl_saved(n, 1);
        dx[1] = rl_matmul(g, w);
    }
    if (rl_wants(n, 2)) {
        RL_TEMP *x = rl_saved(n, 0);
        RL_TEMP *rows = rl_as_rows(x), *gs = rl_as_rows(g);
        dx[2] = rl_mm_tn(gs, rows);
    }
    return RL_DONE(n, dx);
}

static rl_status linear_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    return differentiate(n, g[0], dx);
}

/* y = relu(linear(...))        g passes where y > 0 */
static rl_status linear_relu_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *y = rl_saved(n, 2), *h = NULL;
    if (!y)
        return rl_error_code();
    if (rl_recording(g[0])) {
        RL_TEMP *zero = rl_wrap_number(rl_int(0)), *on = rl_gt(y, zero);
        h = rl_where(on, g[0], zero);
    } else { /* inputs g, y: y > 0 ? g : 0 */
        h = rl_map2(RL_MAP_THRESHOLD_BACKWARD, RL_TYPE_PROMOTE, "threshold_backward", g[0], y,
                    NULL);
    }
    return h ? differentiate(n, h, dx) : rl_error_code();
}

/* The last of the nodes that PyTorch makes: what `grad_fn` shows. */
static const rl_node_type linear_nodes[2][3] = {
    /* x of 1, 2, more dims */
    {{"SqueezeBackward4", linear_backward, 2, NULL}, /* without b */
     {"MmBackward0", linear_backward, 2, NULL},
     {"UnsafeViewBackward0", linear_backward, 2, NULL}},
    {{"ViewBackward0", linear_backward, 2, NULL},
     {"AddmmBackward0", linear_backward, 2, NULL},
     {"ViewBackward0", linear_backward, 2, NULL}},
};
static const rl_node_type linear_relu_node = {"ReluBackward0", linear_relu_backward, 3, NULL};

/* ---- operators ---- */

/* A weight vector, or a bias of two dims and more: rare, composed. */
static rl_tensor *linear_odd(rl_tensor *x, rl_tensor *w, rl_tensor *b)
{
    if (x->ndim == 0 || w->ndim == 0)
        return rl_fail(RL_ERUNTIME,
                       "both arguments to linear need to be at least 1D, but they are %dD and %dD",
                       x->ndim, w->ndim);
    if (w->ndim > 2)
        return rl_fail(RL_ERUNTIME, "t() expects a tensor with <= 2 dimensions, but self is %dD",
                       w->ndim);
    if (w->ndim == 1 && b && x->ndim > 1)
        return rl_fail(RL_ERUNTIME, "mat2 must be a matrix, got 1-D tensor");
    RL_TEMP *y = w->ndim == 1 ? rl_matmul(x, w) : rl_linear(x, w, NULL);
    return b ? rl_add(y, b, rl_int(1)) : rl_retain(y);
}

static rl_tensor *linear(rl_tensor *x, rl_tensor *w, rl_tensor *b, unsigned relu)
{
    if (!x || !w)
        return NULL;
    if (rl_is_complex((rl_dtype)x->dtype) && x->dtype == w->dtype && x->ndim && w->ndim == 2) {
        RL_TEMP *wt = rl_t(w);
        RL_TEMP *y = rl_matmul(x, wt);
        return b ? rl_add(y, b, rl_int(1)) : rl_retain(y);
    }
    if (x->ndim == 0 || w->ndim != 2 || (b && b->ndim > 1)) {
        RL_TEMP *y = linear_odd(x, w, b);
        return relu ? rl_relu(y) : rl_retain(y);
    }
    if (check(x, w, b))
        return NULL;
    rl_tensor *y;
    if (b && (b->ndim != 1 || b->shape[0] != w->shape[0] || b->strides[0] != 1)) {
        RL_TEMP *v = bias_vector(b, w->shape[0]);
        y = v ? linear_data(x, w, v, relu) : NULL;
    } else {
        y = linear_data(x, w, b, relu);
    }
    bool wx = rl_recording(x), ww = rl_recording(w), wb = rl_recording(b);
    if (!y || (!wx && !ww && !wb))
        return y;
    const rl_node_type *type =
        relu ? &linear_relu_node : &linear_nodes[b != NULL][x->ndim > 2 ? 2 : x->ndim - 1];
    rl_node *n = rl_node_new(type, y, 3, (rl_tensor *[]){b, x, w});
    rl_save(n, 0, ww ? x : NULL);
    rl_save(n, 1, wx ? w : NULL);
    if (relu)
        rl_save_output(n, 2, y, 0);
    return rl_record(n, y);
}

rl_tensor *rl_linear(rl_tensor *x, rl_tensor *w, rl_tensor *b) { return linear(x, w, b, 0); }

rl_tensor *rl_linear_relu(rl_tensor *x, rl_tensor *w, rl_tensor *b)
{
    if (x && rl_is_integral((rl_dtype)x->dtype, true)) { /* the integer kernels know no relu */
        RL_TEMP *y = rl_linear(x, w, b);
        return rl_relu(y);
    }
    return linear(x, w, b, RL_GEMM_RELU);
}
