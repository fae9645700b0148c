/* addmm.c: beta * input + alpha * product: addmm, addmv, addr, baddbmm, addbmm.
 *
 * Computed without history from a product and, unless beta is 0, the input; one node holds the
 * operands. beta == 0 ignores the input, nan included. */
#include "ops/matmul.h"

static bool is_one(rl_scalar s) { return s.dtype == RL_F64 ? s.f == 1.0 : s.i == 1; }

static bool is_zero(rl_scalar s) { return s.dtype == RL_F64 ? s.f == 0.0 : s.i == 0; }

/* y * s, or y itself for 1; an integer tensor takes the number's integer part, as PyTorch's kernels
 * do. */
static rl_tensor *scaled(rl_tensor *y, rl_scalar s)
{
    if (!y || is_one(s))
        return rl_retain(y);
    if (rl_is_integral((rl_dtype)y->dtype, false) && rl_check_scalar(s, (rl_dtype)y->dtype))
        return NULL;
    if (s.dtype == RL_F64 && rl_is_integral((rl_dtype)y->dtype, true))
        s = rl_int(rl_scalar_int(s));
    if (y->dtype == RL_BOOL && s.dtype == RL_I64)
        s = rl_bool(s.i != 0);
    RL_TEMP *number = rl_wrap_number(s);
    return rl_mul(y, number);
}

/* Whether `input` broadcasts to shape; PyTorch's messages for what does not. */
static rl_status check_expands(const rl_tensor *input, int ndim, const int64_t *shape)
{
    if (input->ndim > ndim)
        return rl_error(
            RL_ERUNTIME,
            "expand(torch.%sTensor{%s}, size=%s): the number of sizes provided (%d) must "
            "be greater or equal to the number of dimensions in the tensor (%d)",
            rl_dtype_title(input->dtype), rl_shape_str(input).s, rl_ints_str(ndim, shape).s, ndim,
            input->ndim);
    for (int i = 1; i <= input->ndim; i++) {
        int64_t have = input->shape[input->ndim - i], want = shape[ndim - i];
        if (have != want && have != 1)
            return rl_error(
                RL_ERUNTIME,
                "The expanded size of the tensor (%lld) must match the existing size "
                "(%lld) at non-singleton dimension %d.  Target sizes: %s.  Tensor sizes: %s",
                (long long)want, (long long)have, ndim - i, rl_ints_str(ndim, shape).s,
                rl_shape_str(input).s);
    }
    return RL_OK;
}

/* beta * input + alpha * product, without history.  Takes over product (of the result's shape). */
static rl_tensor *combine(rl_tensor *input, rl_tensor *product, rl_scalar beta, rl_scalar alpha)
{
    if (!product)
        return NULL;
    bool mode = rl_set_grad_enabled(false);
    /* alpha == 0 leaves the product out, nan included */
    rl_tensor *y = is_zero(alpha) ? rl_zeros_like(product, RL_NO_DTYPE) : scaled(product, alpha);
    rl_release(product);
    if (y && !is_zero(beta)) {
        RL_TEMP *start = scaled(input, beta);
        rl_tensor *sum = start ? rl_add(y, start, rl_int(1)) : NULL; /* row-major, as y */
        rl_release(y);
        y = sum;
    }
    rl_set_grad_enabled(mode);
    return y;
}

/* The same with history, for complex numbers: their products are compositions. */
static rl_tensor *composed(rl_tensor *input, rl_tensor *steal_product, rl_scalar beta,
                           rl_scalar alpha)
{
    RL_TEMP *product = steal_product;
    RL_TEMP *y = scaled(product, alpha);
    if (!y || check_expands(input, y->ndim, y->shape))
        return NULL;
    if (is_zero(beta))
        return rl_retain(y);
    RL_TEMP *start = scaled(input, beta);
    return start ? rl_add(y, start, rl_int(1)) : NULL;
}

static bool is_complex(const rl_tensor *input, const rl_tensor *a, const rl_tensor *b)
{
    return rl_is_complex((rl_dtype)a->dtype) && a->dtype == b->dtype && a->dtype == input->dtype;
}

static rl_tensor *record(const rl_node_type *type, rl_tensor *z, rl_tensor *input, rl_tensor *a,
                         rl_tensor *b, rl_scalar beta, rl_scalar alpha)
{
    if (!z || (!rl_recording(input) && !rl_recording(a) && !rl_recording(b)))
        return z;
    rl_node *n = rl_node_new(type, z, 3, (rl_tensor *[]){input, a, b});
    rl_save(n, 0, rl_recording(b) ? a : NULL);
    rl_save(n, 1, rl_recording(a) ? b : NULL);
    if (n) {
        n->args.s[0] = beta;
        n->args.s[1] = alpha;
    }
    return rl_record(n, z);
}

/* d input = beta g, for all of them; the engine sums over broadcast dims. */
static void input_gradient(rl_node *n, rl_tensor *g, rl_tensor **dx)
{
    if (rl_wants(n, 0))
        dx[0] = scaled(g, n->args.s[0]);
}

static rl_status check_dtypes(const rl_tensor *input, const rl_tensor *a, const rl_tensor *b)
{
    if (input->dtype != b->dtype)
        return rl_error(RL_ERUNTIME, "self and mat2 must have the same dtype, but got %s and %s",
                        rl_dtype_title(input->dtype), rl_dtype_title(b->dtype));
    if (a->dtype != b->dtype)
        return rl_error(RL_ERUNTIME, "mat1 and mat2 must have the same dtype, but got %s and %s",
                        rl_dtype_title(a->dtype), rl_dtype_title(b->dtype));
    int64_t rows = a->shape[a->ndim - 2], k = a->shape[a->ndim - 1];
    int64_t cols = b->ndim > 1 ? b->shape[b->ndim - 1] : 1;
    if (a->dtype != RL_BOOL || !rows || !cols)
        return RL_OK;
    if (!k && b->ndim > 1)
        return rl_error(RL_ERUNTIME,
                        "result type Long can't be cast to the desired output type Bool");
    return k ? rl_error(RL_ENOTIMPL, "\"addmm_impl_cpu_\" not implemented for 'Bool'") : RL_OK;
}

/* ---- addmm: z = beta c + alpha a b        da = alpha g b^T, db = alpha a^T g ---- */

static rl_status addmm_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    input_gradient(n, g[0], dx);
    if (rl_wants(n, 1)) {
        RL_TEMP *b = rl_saved(n, 1), *t = rl_mm_nt(g[0], b);
        dx[1] = scaled(t, n->args.s[1]);
    }
    if (rl_wants(n, 2)) {
        RL_TEMP *a = rl_saved(n, 0), *t = rl_mm_tn(a, g[0]);
        dx[2] = scaled(t, n->args.s[1]);
    }
    return RL_DONE(n, dx);
}
static const rl_node_type addmm_node = {"AddmmBackward0", addmm_backward, 2, NULL};

/* a b from the start value `input`, in one go: no alpha, no beta, dtypes that need no conversion.
 */
static rl_tensor *addmm_from_input(rl_tensor *input, rl_tensor *a, rl_tensor *b)
{
    int64_t shape[2] = {a->shape[0], b->shape[1]};
    rl_tensor *z = rl_new((rl_dtype)a->dtype, 2, shape);
    bool row = input->ndim == 1 && input->shape[0] == shape[1] && input->strides[0] == 1;
    if (!z || (!row && rl_copy_data(z, input)) ||
        rl_product((rl_dtype)a->dtype, rl_matrix_of(a), rl_matrix_of(b), z->data, input->data,
                   row ? RL_GEMM_BIAS : RL_GEMM_C)) {
        rl_release(z);
        return NULL;
    }
    return z;
}

rl_tensor *rl_addmm(rl_tensor *input, rl_tensor *a, rl_tensor *b, rl_scalar beta, rl_scalar alpha)
{
    if (!input || !a || !b)
        return NULL;
    if (is_complex(input, a, b))
        return composed(input, rl_mm(a, b), beta, alpha);
    if (a->ndim != 2)
        return rl_fail(RL_ERUNTIME, "mat1 must be a matrix, got %d-D tensor", a->ndim);
    if (b->ndim != 2)
        return rl_fail(RL_ERUNTIME, "mat2 must be a matrix, got %d-D tensor", b->ndim);
    if (a->shape[1] != b->shape[0])
        return rl_fail(RL_ERUNTIME,
                       "mat1 and mat2 shapes cannot be multiplied (%lldx%lld and %lldx%lld)",
                       (long long)a->shape[0], (long long)a->shape[1], (long long)b->shape[0],
                       (long long)b->shape[1]);
    int64_t shape[2] = {a->shape[0], b->shape[1]};
    if (check_dtypes(input, a, b) || check_expands(input, 2, shape))
        return NULL;
    rl_dtype dtype = rl_gemm_dtype((rl_dtype)a->dtype);
    rl_tensor *z;
    if (dtype != a->dtype) { /* 16-bit floats: rounded once, after the sum */
        RL_TEMP *c1 = rl_gemm_operand(input), *a1 = rl_gemm_operand(a), *b1 = rl_gemm_operand(b);
        rl_tensor *product = a1 && b1 && c1 ? rl_mm_data(a1, b1) : NULL;
        z = rl_gemm_result(combine(c1, product, beta, alpha), (rl_dtype)a->dtype);
    } else if (is_one(alpha) && is_one(beta)) {
        z = addmm_from_input(input, a, b);
    } else {
        z = combine(input, rl_mm_data(a, b), beta, alpha);
    }
    return record(&addmm_node, z, input, a, b, beta, alpha);
}

/* ---- addmv: z = beta c + alpha A v        dA = alpha g v^T, dv = alpha A^T g ---- */

static rl_status addmv_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    input_gradient(n, g[0], dx);
    if (rl_wants(n, 1)) {
        RL_TEMP *v = rl_saved(n, 1), *t = rl_outer(g[0], v);
        dx[1] = scaled(t, n->args.s[1]);
    }
    if (rl_wants(n, 2)) {
        RL_TEMP *a = rl_saved(n, 0), *at = rl_t(a), *t = rl_mv(at, g[0]);
        dx[2] = scaled(t, n->args.s[1]);
    }
    return RL_DONE(n, dx);
}
static const rl_node_type addmv_node = {"AddmvBackward0", addmv_backward, 2, NULL};

rl_tensor *rl_addmv(rl_tensor *input, rl_tensor *a, rl_tensor *v, rl_scalar beta, rl_scalar alpha)
{
    if (!input || !a || !v)
        return NULL;
    if (is_complex(input, a, v))
        return composed(input, rl_mv(a, v), beta, alpha);
    if (a->ndim != 2 || v->ndim != 1 || input->ndim > 1)
        return rl_fail(RL_ERUNTIME, "vector + matrix @ vector expected, got %d, %d, %d",
                       input->ndim, a->ndim, v->ndim);
    int64_t n = input->ndim ? input->shape[0] : 1;
    if (a->shape[1] != v->shape[0] || (n != a->shape[0] && n != 1))
        return rl_fail(RL_ERUNTIME, "size mismatch, got input (%lld), mat (%lldx%lld), vec (%lld)",
                       (long long)n, (long long)a->shape[0], (long long)a->shape[1],
                       (long long)v->shape[0]);
    if (input->dtype != a->dtype || a->dtype != v->dtype)
        return rl_fail(
            RL_ERUNTIME, "addmv input tensors must have the same dtype, but got %s, %s, and %s",
            rl_dtype_title(input->dtype), rl_dtype_title(a->dtype), rl_dtype_title(v->dtype));
    bool mode = rl_set_grad_enabled(false);
    rl_tensor *product = rl_mv(a, v);
    rl_set_grad_enabled(mode);
    return record(&addmv_node, combine(input, product, beta, alpha), input, a, v, beta, alpha);
}

/* ---- addr: z = beta c + alpha x y^T        dx = alpha g y, dy = alpha g^T x ---- */

static rl_status addr_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    input_gradient(n, g[0], dx);
    if (rl_wants(n, 1)) {
        RL_TEMP *y = rl_saved(n, 1), *t = rl_mv(g[0], y);
        dx[1] = scaled(t, n->args.s[1]);
    }
    if (rl_wants(n, 2)) {
        RL_TEMP *x = rl_saved(n, 0), *gt = rl_t(g[0]), *t = rl_mv(gt, x);
        dx[2] = scaled(t, n->args.s[1]);
    }
    return RL_DONE(n, dx);
}
static const rl_node_type addr_node = {"AddrBackward0", addr_backward, 2, NULL};

rl_tensor *rl_addr(rl_tensor *input, rl_tensor *x, rl_tensor *y, rl_scalar beta, rl_scalar alpha)
{
    if (!input || !x || !y)
        return NULL;
    if (x->ndim != 1)
        return rl_fail(RL_ERUNTIME, "addr: Expected 1-D argument vec1, but got %d-D", x->ndim);
    if (y->ndim != 1)
        return rl_fail(RL_ERUNTIME, "addr: Expected 1-D argument vec2, but got %d-D", y->ndim);
    if (is_complex(input, x, y))
        return composed(input, rl_outer(x, y), beta, alpha);
    if (check_expands(input, 2, (int64_t[]){x->shape[0], y->shape[0]}))
        return NULL;
    rl_dtype dtype =
        rl_promote((rl_dtype)input->dtype, rl_promote((rl_dtype)x->dtype, (rl_dtype)y->dtype));
    if (rl_is_integral(dtype, true) && (beta.dtype == RL_F64 || alpha.dtype == RL_F64))
        return rl_fail(
            RL_ERUNTIME,
            "For integral input tensors, argument %s must not be a floating point number.",
            beta.dtype == RL_F64 ? "beta" : "alpha");
    if (dtype != RL_BOOL && (beta.dtype == RL_BOOL || alpha.dtype == RL_BOOL))
        return rl_fail(RL_ERUNTIME, "Boolean %s only supported for Boolean results.",
                       beta.dtype == RL_BOOL ? "beta" : "alpha");
    bool mode = rl_set_grad_enabled(false);
    RL_TEMP *narrow = rl_outer(x, y);
    RL_TEMP *start = rl_to_dtype(input, dtype, false);
    rl_tensor *product = narrow ? rl_to_dtype(narrow, dtype, false) : NULL;
    rl_set_grad_enabled(mode);
    return record(&addr_node, start ? combine(start, product, beta, alpha) : NULL, input, x, y,
                  beta, alpha);
}

/* ---- baddbmm: addmm per batch ---- */

/* product: rl_bmm, or rl_matmul where all batches share the gradient. */
static rl_status batched_backward(rl_node *n, rl_tensor *g, rl_tensor **dx,
                                  rl_tensor *(*product)(rl_tensor *, rl_tensor *))
{
    input_gradient(n, g, dx);
    if (rl_wants(n, 1)) {
        RL_TEMP *b = rl_saved(n, 1), *bt = b ? rl_swap_last(b) : NULL, *t = product(g, bt);
        dx[1] = scaled(t, n->args.s[1]);
    }
    if (rl_wants(n, 2)) {
        RL_TEMP *a = rl_saved(n, 0), *at = a ? rl_swap_last(a) : NULL, *t = product(at, g);
        dx[2] = scaled(t, n->args.s[1]);
    }
    return RL_DONE(n, dx);
}

static rl_status baddbmm_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    return batched_backward(n, g[0], dx, rl_bmm);
}
static const rl_node_type baddbmm_node = {"BaddbmmBackward0", baddbmm_backward, 2, NULL};

rl_tensor *rl_baddbmm(rl_tensor *input, rl_tensor *a, rl_tensor *b, rl_scalar beta, rl_scalar alpha)
{
    if (!input || !a || !b)
        return NULL;
    if (is_complex(input, a, b))
        return composed(input, rl_bmm(a, b), beta, alpha);
    if (a->ndim == 3 && b->ndim == 3 && input->dtype != a->dtype)
        return rl_fail(RL_ERUNTIME,
                       "Input dtypes must be the same, got: input %s, batch1: %s, batch2: %s",
                       rl_dtype_cpp((rl_dtype)input->dtype), rl_dtype_cpp((rl_dtype)a->dtype),
                       rl_dtype_cpp((rl_dtype)b->dtype));
    if (a->ndim == 3 && b->ndim == 3 && a->dtype == RL_BOOL && b->dtype == RL_BOOL) {
        if (a->numel && b->numel)
            return rl_fail(RL_ENOTIMPL, "\"baddbmm\" not implemented for 'Bool'");
        if (!a->shape[2] && a->shape[0] && a->shape[1] && b->shape[2])
            return rl_fail(RL_ERUNTIME,
                           "result type Long can't be cast to the desired output type Bool");
    }
    if (rl_check_bmm(a, b) ||
        check_expands(input, 3, (int64_t[]){a->shape[0], a->shape[1], b->shape[2]}))
        return NULL;
    rl_tensor *z = combine(input, rl_matmul_data(a, b), beta, alpha);
    return record(&baddbmm_node, z, input, a, b, beta, alpha);
}

/* ---- addbmm: the products of all batches added up, as one product over batches and inner dim
 * together ---- */

static rl_status addbmm_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    return batched_backward(n, g[0], dx, rl_matmul);
}
static const rl_node_type addbmm_node = {"AddbmmBackward0", addbmm_backward, 2, NULL};

rl_tensor *rl_addbmm(rl_tensor *input, rl_tensor *a, rl_tensor *b, rl_scalar beta, rl_scalar alpha)
{
    if (!input || !a || !b)
        return NULL;
    if (a->ndim != 3)
        return rl_fail(RL_ERUNTIME, "batch1 must be a 3D tensor");
    if (b->ndim != 3)
        return rl_fail(RL_ERUNTIME, "batch2 must be a 3D tensor");
    if (a->shape[0] != b->shape[0])
        return rl_fail(RL_ERUNTIME,
                       "batch1 and batch2 must have same number of batches, got %lld and %lld",
                       (long long)a->shape[0], (long long)b->shape[0]);
    if (a->shape[2] != b->shape[1])
        return rl_fail(RL_ERUNTIME, "Incompatible matrix sizes for bmm (%lldx%lld and %lldx%lld)",
                       (long long)a->shape[1], (long long)a->shape[2], (long long)b->shape[1],
                       (long long)b->shape[2]);
    if (is_complex(input, a, b)) {
        RL_TEMP *products = rl_bmm(a, b);
        int64_t batch = 0;
        return composed(
            input, products ? rl_sum(products, (rl_ints){&batch, 1}, false, RL_NO_DTYPE) : NULL,
            beta, alpha);
    }
    if (check_dtypes(input, a, b) || check_expands(input, 2, (int64_t[]){a->shape[1], b->shape[2]}))
        return NULL;
    bool mode = rl_set_grad_enabled(false);
    int64_t inner = a->shape[0] * a->shape[2];
    RL_TEMP *at = rl_transpose(a, 0, 1);
    RL_TEMP *left = rl_reshape(at, (rl_ints){(int64_t[]){a->shape[1], inner}, 2});
    RL_TEMP *right = rl_reshape(b, (rl_ints){(int64_t[]){inner, b->shape[2]}, 2});
    rl_tensor *product = left && right ? rl_mm_data(left, right) : NULL;
    rl_set_grad_enabled(mode);
    return record(&addbmm_node, combine(input, product, beta, alpha), input, a, b, beta, alpha);
}
