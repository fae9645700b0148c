/* matmul.c: products of matrices and vectors: mm, bmm, mv, dot, outer, inner, matmul. */
#include "ops/matmul.h"

#include "ops/complex.h"

/* ---- mm ---- */

static rl_status check_mm(int64_t rows, int64_t k, const rl_tensor *b, rl_dtype dtype)
{
    if (k != b->shape[0])
        return rl_error(
            RL_ERUNTIME, "mat1 and mat2 shapes cannot be multiplied (%lldx%lld and %lldx%lld)",
            (long long)rows, (long long)k, (long long)b->shape[0], (long long)b->shape[1]);
    if (dtype != b->dtype)
        return rl_error(RL_ERUNTIME, "expected m1 and m2 to have the same dtype, but got: %s != %s",
                        rl_dtype_cpp(dtype), rl_dtype_cpp(b->dtype));
    if (dtype == RL_BOOL && rows && b->numel) /* as in PyTorch, nothing is summed: zeros */
        return rl_error(RL_ENOTIMPL, "\"addmm_impl_cpu_\" not implemented for 'Bool'");
    return RL_OK;
}

/* Column by column: the transpose is row-major, and nothing else.  A gradient is laid out as its
 * tensor. */
static bool column_major(const rl_tensor *t)
{
    int n = t->ndim;
    return t->strides[n - 2] == 1 && t->strides[n - 1] == t->shape[n - 2] && t->shape[n - 2] > 1 &&
           t->shape[n - 1] > 1;
}

/* z = a b        da = g b^T, db = a^T g; computed transposed where the operand lies transposed */
static rl_status mm_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    if (rl_wants(n, 0)) {
        RL_TEMP *b = rl_saved(n, 1);
        if (n->args.i[0]) {
            RL_TEMP *t = rl_mm_nt(b, g[0]);
            dx[0] = rl_t(t);
        } else {
            dx[0] = rl_mm_nt(g[0], b);
        }
    }
    if (rl_wants(n, 1)) {
        RL_TEMP *a = rl_saved(n, 0);
        if (n->args.i[1]) {
            RL_TEMP *t = rl_mm_tn(g[0], a);
            dx[1] = rl_t(t);
        } else {
            dx[1] = rl_mm_tn(a, g[0]);
        }
    }
    return RL_DONE(n, dx);
}
static const rl_node_type mm_node = {"MmBackward0", mm_backward, 2, NULL};

rl_tensor *rl_mm(rl_tensor *a, rl_tensor *b)
{
    if (!a || !b)
        return NULL;
    if (a->ndim != 2)
        return rl_fail(RL_ERUNTIME, "self must be a matrix");
    if (b->ndim != 2)
        return rl_fail(RL_ERUNTIME, "mat2 must be a matrix");
    if (check_mm(a->shape[0], a->shape[1], b, a->dtype))
        return NULL;
    if (rl_has_complex(a))
        return rl_complex_product(rl_mm, a, b);
    rl_tensor *z = rl_mm_data(a, b);
    if (!z || (!rl_recording(a) && !rl_recording(b)))
        return z;
    rl_node *n = rl_node_new(&mm_node, z, 2, (rl_tensor *[]){a, b});
    rl_save(n, 0, rl_recording(b) ? a : NULL);
    rl_save(n, 1, rl_recording(a) ? b : NULL);
    if (n) {
        n->args.i[0] = column_major(a);
        n->args.i[1] = column_major(b);
    }
    return rl_record(n, z);
}

/* ---- bmm, matmul ---- */

/* z = a b over leading dims        da = g b^T, db = a^T g; the engine sums over broadcast dims */
static rl_status matmul_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *a = rl_has_saved(n, 0) ? rl_saved(n, 0) : NULL;
    RL_TEMP *b = rl_has_saved(n, 1) ? rl_saved(n, 1) : NULL;
    if (rl_wants(n, 0)) {
        RL_TEMP *t = b ? rl_swap_last(b) : NULL;
        dx[0] = rl_matmul(g[0], t);
    }
    if (rl_wants(n, 1) && a && n->args.i[0]) { /* b is a matrix: one product over all rows */
        RL_TEMP *rows = rl_as_rows(a), *gs = rl_as_rows(g[0]);
        dx[1] = rl_mm_tn(rows, gs);
    } else if (rl_wants(n, 1)) {
        RL_TEMP *t = a ? rl_swap_last(a) : NULL;
        dx[1] = rl_matmul(t, g[0]);
    }
    return RL_DONE(n, dx);
}
static const rl_node_type bmm_node = {"BmmBackward0", matmul_backward, 2, NULL};
static const rl_node_type matmul_node = {"UnsafeViewBackward0", matmul_backward, 2, NULL};

static rl_tensor *record_batched(const rl_node_type *type, rl_tensor *z, rl_tensor *a, rl_tensor *b)
{
    if (!z || (!rl_recording(a) && !rl_recording(b)))
        return z;
    rl_node *n = rl_node_new(type, z, 2, (rl_tensor *[]){a, b});
    rl_save(n, 0, rl_recording(b) ? a : NULL);
    rl_save(n, 1, rl_recording(a) ? b : NULL);
    if (n)
        n->args.i[0] = b->ndim == 2;
    return rl_record(n, z);
}

static rl_status batch_mismatch(int64_t batches, int64_t k, int64_t got_batches, int64_t got_k)
{
    return rl_error(
        RL_ERUNTIME,
        "Expected size for first two dimensions of batch2 tensor to be: [%lld, %lld] but "
        "got: [%lld, %lld].",
        (long long)batches, (long long)k, (long long)got_batches, (long long)got_k);
}

static rl_status check_batched_dtype(const rl_tensor *a, const rl_tensor *b)
{
    if (a->dtype != b->dtype)
        return rl_error(RL_ERUNTIME, "expected scalar type %s but found %s",
                        rl_dtype_title(a->dtype), rl_dtype_title(b->dtype));
    if (a->dtype == RL_BOOL && a->numel && b->numel) { /* PyTorch names the loop that would run */
        int64_t steps = a->shape[a->ndim - 1] * a->shape[a->ndim - 2] * b->shape[b->ndim - 1];
        return rl_error(RL_ENOTIMPL, "\"%s\" not implemented for 'Bool'",
                        steps < 400 ? "bmm" : "addmm_impl_cpu_");
    }
    return RL_OK;
}

rl_status rl_check_bmm(const rl_tensor *a, const rl_tensor *b)
{
    if (a->ndim != 3)
        return rl_error(RL_ERUNTIME, "batch1 must be a 3D tensor");
    if (b->ndim != 3)
        return rl_error(RL_ERUNTIME, "batch2 must be a 3D tensor");
    if (a->shape[0] != b->shape[0] || a->shape[2] != b->shape[1])
        return batch_mismatch(a->shape[0], a->shape[2], b->shape[0], b->shape[1]);
    return check_batched_dtype(a, b);
}

rl_tensor *rl_bmm(rl_tensor *a, rl_tensor *b)
{
    if (!a || !b || rl_check_bmm(a, b))
        return NULL;
    if (rl_has_complex(a))
        return rl_complex_product(rl_bmm, a, b);
    return record_batched(&bmm_node, rl_matmul_data(a, b), a, b);
}

/* PyTorch folds the leading dims into rows when b is a matrix, and says so in its message. */
static rl_status check_matmul(const rl_tensor *a, const rl_tensor *b)
{
    int64_t k = a->shape[a->ndim - 1], got = b->shape[b->ndim - 2], rows = 1;
    if (b->ndim == 2) {
        for (int d = 0; d < a->ndim - 1; d++)
            rows *= a->shape[d];
        return check_mm(rows, k, b, a->dtype);
    }
    if (k != got) {
        int n;
        int64_t shape[RL_MAX_DIMS], batches = 1;
        if (rl_broadcast_shapes(a->ndim - 2, a->shape, b->ndim - 2, b->shape, &n, shape))
            return rl_error_code();
        for (int d = 0; d < n; d++)
            batches *= shape[d];
        return batch_mismatch(batches, k, batches, got);
    }
    return check_batched_dtype(a, b);
}

/* A vector times a matrix or a stack of them, or a stack times a vector.
 * z = a v:        da = g v^T per matrix, dv = a^T g over all rows
 * z = v b:        dv = b g per matrix (the engine sums them), db = v^T g per matrix */
static rl_status vector_matmul_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    int vector = (int)n->args.i[0]; /* which operand is one */
    if (rl_wants(n, 1 - vector)) {
        RL_TEMP *v = rl_saved(n, vector), *gs = rl_unsqueeze(g[0], vector ? -1 : -2);
        RL_TEMP *column = vector || !v ? rl_retain(v) : rl_unsqueeze(v, -1);
        dx[1 - vector] = rl_mul(gs, column);
    }
    if (rl_wants(n, vector)) {
        RL_TEMP *m = rl_saved(n, 1 - vector);
        if (vector) {
            RL_TEMP *rows = rl_as_rows(m), *t = rows ? rl_t(rows) : NULL;
            RL_TEMP *flat = rl_reshape(g[0], (rl_ints){(int64_t[]){-1}, 1});
            dx[1] = rl_mv(t, flat);
        } else {
            RL_TEMP *column = rl_unsqueeze(g[0], -1), *t = rl_matmul(m, column);
            dx[0] = t ? rl_squeeze_dim(t, -1) : NULL;
        }
    }
    return RL_DONE(n, dx);
}
static const rl_node_type vector_matmul_node = {
    .name = "UnsafeViewBackward0", .backward = vector_matmul_backward, .n_saved = 2};
static const rl_node_type row_matmul_node = {
    .name = "SqueezeBackward4", .backward = vector_matmul_backward, .n_saved = 2};

/* One operand has one dim, the other two (a matrix on the right) or more. */
static rl_tensor *vector_matmul(rl_tensor *a, rl_tensor *b)
{
    bool right = b->ndim == 1;
    if (right && (a->shape[a->ndim - 1] != b->shape[0] || a->dtype != b->dtype)) {
        RL_TEMP *rows = rl_as_rows(a);
        return rl_mv(rows, b); /* fails, with mv's message */
    }
    rl_tensor *v = right ? b : a;
    int64_t k = v->shape[0], stride = v->strides[0];
    RL_TEMP *m = right ? rl_new_view(v, 2, (int64_t[]){k, 1}, (int64_t[]){stride, 1}, v->offset)
                       : rl_new_view(v, 2, (int64_t[]){1, k}, (int64_t[]){1, stride}, v->offset);
    if (!m || (!right && check_matmul(m, b)))
        return NULL;
    rl_tensor *z = right ? rl_matmul_data(a, m) : rl_matmul_data(m, b);
    if (!z)
        return NULL;
    int64_t shape[RL_MAX_DIMS]; /* without the dim of size 1 */
    int n_dims = 0;
    for (int d = 0; d < z->ndim; d++)
        if (d != z->ndim - (right ? 1 : 2))
            shape[n_dims++] = z->shape[d];
    if (rl_tensor_set_geometry(z, n_dims, shape, NULL)) {
        rl_release(z);
        return NULL;
    }
    if (!rl_recording(a) && !rl_recording(b))
        return z;
    const rl_node_type *type = !right && b->ndim == 2 ? &row_matmul_node : &vector_matmul_node;
    rl_node *n = rl_node_new(type, z, 2, (rl_tensor *[]){a, b});
    rl_save(n, 0, rl_recording(b) ? a : NULL);
    rl_save(n, 1, rl_recording(a) ? b : NULL);
    if (n)
        n->args.i[0] = right;
    return rl_record(n, z);
}

rl_tensor *rl_matmul(rl_tensor *a, rl_tensor *b)
{
    if (!a || !b)
        return NULL;
    if (a->ndim == 2 && b->ndim == 2)
        return rl_mm(a, b);
    if (a->ndim == 0 || b->ndim == 0)
        return rl_fail(RL_ERUNTIME,
                       "both arguments to matmul need to be at least 1D, but they are %dD and %dD",
                       a->ndim, b->ndim);
    if (b->ndim == 1 && a->ndim == 1)
        return rl_dot(a, b);
    if (b->ndim == 1 && a->ndim == 2)
        return rl_mv(a, b);
    if (rl_has_complex(a) && a->dtype == b->dtype)
        return rl_complex_product(rl_matmul, a, b);
    if (a->ndim == 1 || b->ndim == 1)
        return vector_matmul(a, b);
    if (check_matmul(a, b))
        return NULL;
    return record_batched(&matmul_node, rl_matmul_data(a, b), a, b);
}

/* ---- mv, dot ---- */

/* z = A v        dA = g v^T, dv = A^T g */
static rl_status mv_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    if (rl_wants(n, 0)) {
        RL_TEMP *v = rl_saved(n, 1);
        dx[0] = rl_outer(g[0], v);
    }
    if (rl_wants(n, 1)) {
        RL_TEMP *a = rl_saved(n, 0);
        RL_TEMP *t = a ? rl_t(a) : NULL;
        dx[1] = rl_mv(t, g[0]);
    }
    return RL_DONE(n, dx);
}
static const rl_node_type mv_node = {"MvBackward0", mv_backward, 2, NULL};

rl_tensor *rl_mv(rl_tensor *a, rl_tensor *v)
{
    if (!a || !v)
        return NULL;
    if (a->ndim != 2 || v->ndim != 1)
        return rl_fail(RL_ERUNTIME, "vector + matrix @ vector expected, got 1, %d, %d", a->ndim,
                       v->ndim);
    if (a->shape[1] != v->shape[0])
        return rl_fail(RL_ERUNTIME, "size mismatch, got input (%lld), mat (%lldx%lld), vec (%lld)",
                       (long long)a->shape[0], (long long)a->shape[0], (long long)a->shape[1],
                       (long long)v->shape[0]);
    if (a->dtype != v->dtype)
        return rl_fail(
            RL_ERUNTIME, "addmv input tensors must have the same dtype, but got %s, %s, and %s",
            rl_dtype_title(v->dtype), rl_dtype_title(a->dtype), rl_dtype_title(v->dtype));
    if (a->dtype == RL_BOOL && a->numel)
        return rl_fail(RL_ENOTIMPL, "\"addmv_impl_cpu\" not implemented for 'Bool'");
    if (rl_has_complex(a))
        return rl_complex_product(rl_mv, a, v);
    RL_TEMP *x = rl_gemm_operand(a), *y = rl_gemm_operand(v);
    if (!x || !y)
        return NULL;
    rl_matrix column = {y->data, y->shape[0], 1, y->strides[0], 1};
    rl_tensor *z = rl_new(x->dtype, 1, a->shape);
    if (z && rl_product(x->dtype, rl_matrix_of(x), column, z->data, NULL, RL_GEMM_ZERO)) {
        rl_release(z);
        return NULL;
    }
    z = rl_gemm_result(z, a->dtype);
    if (!z || (!rl_recording(a) && !rl_recording(v)))
        return z;
    rl_node *n = rl_node_new(&mv_node, z, 2, (rl_tensor *[]){a, v});
    rl_save(n, 0, rl_recording(v) ? a : NULL);
    rl_save(n, 1, rl_recording(a) ? v : NULL);
    return rl_record(n, z);
}

/* z = sum x y        dx = g y, dy = g x */
static rl_status dot_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    if (rl_wants(n, 0)) {
        RL_TEMP *y = rl_saved(n, 1);
        dx[0] = rl_mul(g[0], y);
    }
    if (rl_wants(n, 1)) {
        RL_TEMP *x = rl_saved(n, 0);
        dx[1] = rl_mul(g[0], x);
    }
    return RL_DONE(n, dx);
}
static const rl_node_type dot_node = {"DotBackward0", dot_backward, 2, NULL};

rl_tensor *rl_dot(rl_tensor *x, rl_tensor *y)
{
    if (!x || !y)
        return NULL;
    if (x->ndim != 1 || y->ndim != 1)
        return rl_fail(RL_ERUNTIME, "1D tensors expected, but got %dD and %dD tensors", x->ndim,
                       y->ndim);
    if (x->dtype != y->dtype)
        return rl_fail(RL_ERUNTIME,
                       "dot : expected both vectors to have same dtype, but found %s and %s",
                       rl_dtype_title(x->dtype), rl_dtype_title(y->dtype));
    if (x->shape[0] != y->shape[0])
        return rl_fail(
            RL_ERUNTIME,
            "inconsistent tensor size, expected tensor [%lld] and src [%lld] to have the "
            "same number of elements, but got %lld and %lld elements respectively",
            (long long)x->shape[0], (long long)y->shape[0], (long long)x->shape[0],
            (long long)y->shape[0]);
    if (x->dtype == RL_BOOL)
        return rl_fail(RL_ENOTIMPL, "\"dot\" not implemented for 'Bool'");
    if (rl_has_complex(x))
        return rl_complex_product(rl_dot, x, y);
    RL_TEMP *a = rl_gemm_operand(x), *b = rl_gemm_operand(y);
    if (!a || !b)
        return NULL;
    rl_matrix row = {a->data, 1, a->shape[0], 1, a->strides[0]};
    rl_matrix column = {b->data, b->shape[0], 1, b->strides[0], 1};
    rl_tensor *z = rl_new(a->dtype, 0, NULL);
    if (z && rl_product(a->dtype, row, column, z->data, NULL, RL_GEMM_ZERO)) {
        rl_release(z);
        return NULL;
    }
    z = rl_gemm_result(z, x->dtype);
    if (!z || (!rl_recording(x) && !rl_recording(y)))
        return z;
    rl_node *n = rl_node_new(&dot_node, z, 2, (rl_tensor *[]){x, y});
    rl_save(n, 0, rl_recording(y) ? x : NULL);
    rl_save(n, 1, rl_recording(x) ? y : NULL);
    return rl_record(n, z);
}

/* ---- composed ---- */

static rl_tensor *outer(rl_tensor *x, rl_tensor *y)
{
    if (!x || !y)
        return NULL;
    if (x->ndim != 1)
        return rl_fail(RL_ERUNTIME, "outer: Expected 1-D argument self, but got %d-D", x->ndim);
    if (y->ndim != 1)
        return rl_fail(RL_ERUNTIME, "outer: Expected 1-D argument vec2, but got %d-D", y->ndim);
    RL_TEMP *column = rl_reshape(x, (rl_ints){(int64_t[]){x->shape[0], 1}, 2});
    return rl_mul(column, y);
}

rl_tensor *rl_outer(rl_tensor *x, rl_tensor *y) { return outer(x, y); }
rl_tensor *rl_ger(rl_tensor *x, rl_tensor *y) { return outer(x, y); }

rl_tensor *rl_inner(rl_tensor *x, rl_tensor *y)
{
    if (!x || !y)
        return NULL;
    if (x->dtype != y->dtype)
        return rl_fail(RL_ERUNTIME, "both inputs should have same dtype");
    if (x->ndim == 0 || y->ndim == 0)
        return rl_mul(x, y);
    if (rl_has_complex(x))
        return rl_complex_product(rl_inner, x, y);
    if (x->shape[x->ndim - 1] != y->shape[y->ndim - 1])
        return rl_fail(RL_ERUNTIME,
                       "inner() the last dimension must match on both input tensors but got shapes "
                       "%s and %s",
                       rl_shape_str(x).s, rl_shape_str(y).s);
    if (x->ndim == 1 && y->ndim == 1) {
        RL_TEMP *z = rl_dot(x, y);
        return z ? rl_view(z, (rl_ints){NULL, 0}) : NULL;
    }
    int n = 0;
    int64_t shape[2 * RL_MAX_DIMS];
    for (int d = 0; d < x->ndim - 1; d++)
        shape[n++] = x->shape[d];
    for (int d = 0; d < y->ndim - 1; d++)
        shape[n++] = y->shape[d];
    if (n > RL_MAX_DIMS)
        return rl_fail(RL_ERUNTIME, "inner: the result would have %d dims, more than %d", n,
                       RL_MAX_DIMS);
    RL_TEMP *a = rl_as_rows(x), *b = rl_as_rows(y), *z = rl_mm_nt(a, b);
    return z ? rl_reshape(z, (rl_ints){shape, n}) : NULL;
}
