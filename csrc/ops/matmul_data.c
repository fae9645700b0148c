/* matmul_data.c: products of matrices and batches of them without history, and what derivatives
 * make of those. */
#include <string.h>

#include "ops/matmul.h"

#include "ops/complex.h"

rl_status rl_product(rl_dtype dtype, rl_matrix a, rl_matrix b, void *c, const void *bias,
                     unsigned flags)
{
    if (dtype == RL_BOOL && a.rows && a.cols && b.cols)
        return rl_error(RL_ENOTIMPL, "\"addmm_impl_cpu_\" not implemented for 'Bool'");
    if (dtype == RL_BOOL) {
        memset(c, 0, (size_t)(a.rows * b.cols));
        return RL_OK;
    }
    if (rl_is_complex(dtype)) /* what takes complex matrices goes by their parts */
        return rl_error(RL_ENOTIMPL, "\"addmm_impl_cpu_\" not implemented for '%s'",
                        rl_dtype_title(dtype));
    rl_gemm_args g = {
        .dtype = dtype,
        .m = a.rows,
        .n = b.cols,
        .k = a.cols,
        .a = a.data,
        .b = b.data,
        .rsa = a.rs,
        .csa = a.cs,
        .rsb = b.rs,
        .csb = b.cs,
        .c = c,
        .ldc = b.cols,
        .bias = bias,
        .flags = flags,
    };
    return rl_gemm(&g);
}

bool rl_matrix_flat(const rl_tensor *t, rl_matrix *m)
{
    int last = t->ndim - 1;
    int64_t rows = 1, stride = t->shape[last];
    if (t->numel == 0) { /* no strides to respect, and no rows to count by them */
        for (int d = 0; d < last; d++)
            rows *= t->shape[d];
        *m = (rl_matrix){t->data, rows, t->shape[last], stride, 1};
        return true;
    }
    for (int d = last - 1; d >= 0; d--) {
        if (t->shape[d] == 1)
            continue;
        if (rows == 1)
            stride = t->strides[d];
        else if (t->strides[d] != stride * rows)
            return false;
        rows *= t->shape[d];
    }
    *m = (rl_matrix){t->data, rows, t->shape[last], stride, t->strides[last]};
    return true;
}

rl_tensor *rl_gemm_result(rl_tensor *y, rl_dtype dtype)
{
    if (!y || y->dtype == dtype)
        return y;
    rl_tensor *z = rl_cast_data(y, dtype);
    rl_release(y);
    return z;
}

/* A B as a new tensor (rows of A, columns of B). */
static rl_tensor *multiply(rl_dtype dtype, rl_matrix a, rl_matrix b)
{
    rl_tensor *c = rl_new(dtype, 2, (int64_t[]){a.rows, b.cols});
    if (c && rl_product(dtype, a, b, c->data, NULL, RL_GEMM_ZERO)) {
        rl_release(c);
        return NULL;
    }
    return c;
}

static rl_tensor *multiply_tensors(rl_tensor *a, bool ta, rl_tensor *b, bool tb)
{
    rl_dtype dtype = rl_gemm_dtype(a->dtype);
    RL_TEMP *x = rl_gemm_operand(a), *y = rl_gemm_operand(b);
    if (!x || !y)
        return NULL;
    rl_matrix mx = rl_matrix_of(x), my = rl_matrix_of(y);
    return rl_gemm_result(multiply(dtype, ta ? rl_matrix_t(mx) : mx, tb ? rl_matrix_t(my) : my),
                          a->dtype);
}

rl_tensor *rl_mm_data(rl_tensor *a, rl_tensor *b) { return multiply_tensors(a, false, b, false); }

/* Leading dims of a product that broadcast: merged where both operands allow, last one innermost.
 */
typedef struct leading {
    int n;
    int64_t size[RL_MAX_DIMS], sa[RL_MAX_DIMS], sb[RL_MAX_DIMS];
} leading;

static int64_t leading_stride(const rl_tensor *t, int dim_from_end) /* 3: the last leading dim */
{
    int d = t->ndim - dim_from_end;
    return d < 0 || t->shape[d] == 1 ? 0 : t->strides[d];
}

static void merge_leading(leading *l, int n, const int64_t *shape, const rl_tensor *a,
                          const rl_tensor *b)
{
    l->n = 0;
    for (int d = 0; d < n; d++) {
        if (shape[d] == 1)
            continue;
        int64_t sa = leading_stride(a, n - d + 2), sb = leading_stride(b, n - d + 2);
        int last = l->n - 1;
        if (last >= 0 && l->sa[last] == sa * shape[d] && l->sb[last] == sb * shape[d]) {
            l->size[last] *= shape[d];
        } else {
            last = l->n++;
            l->size[last] = shape[d];
        }
        l->sa[last] = sa;
        l->sb[last] = sb;
    }
}

rl_tensor *rl_matmul_data(rl_tensor *a0, rl_tensor *b0)
{
    if (rl_has_complex(a0))
        return rl_fail(RL_ENOTIMPL, "\"bmm\" not implemented for '%s'", rl_dtype_title(a0->dtype));
    RL_TEMP *a = rl_gemm_operand(a0), *b = rl_gemm_operand(b0);
    if (!a || !b)
        return NULL;
    int n;
    int64_t shape[RL_MAX_DIMS + 2];
    if (rl_broadcast_shapes(a->ndim - 2, a->shape, b->ndim - 2, b->shape, &n, shape))
        return NULL;
    int64_t rows = a->shape[a->ndim - 2], k = a->shape[a->ndim - 1], cols = b->shape[b->ndim - 1];
    leading l;
    merge_leading(&l, n, shape, a, b);
    shape[n] = rows;
    shape[n + 1] = cols;
    rl_tensor *c = rl_new(a->dtype, n + 2, shape);
    if (!c || c->numel == 0)
        return rl_gemm_result(c, a0->dtype);
    if (a->dtype == RL_BOOL && !k) {
        memset(c->data, 0, (size_t)c->numel);
        return c;
    }
    if (a->dtype == RL_BOOL) {
        rl_release(c);
        return rl_fail(RL_ENOTIMPL, "\"bmm\" not implemented for 'Bool'");
    }
    rl_gemm_args g = {
        .dtype = a->dtype,
        .m = rows,
        .n = cols,
        .k = k,
        .a = a->data,
        .b = b->data,
        .rsa = a->strides[a->ndim - 2],
        .csa = a->strides[a->ndim - 1],
        .rsb = b->strides[b->ndim - 2],
        .csb = b->strides[b->ndim - 1],
        .c = c->data,
        .ldc = cols,
    };
    /* One b for a whole stack of rows: a single, taller product. */
    int inner = l.n - 1;
    if (inner >= 0 && l.sb[inner] == 0 && (rows == 1 || l.sa[inner] == g.rsa * rows)) {
        if (rows == 1)
            g.rsa = l.sa[inner];
        g.m = rows * l.size[inner];
        l.n--;
    }
    int64_t size = (int64_t)rl_itemsize(c), step = g.m * cols, index[RL_MAX_DIMS] = {0};
    inner = l.n - 1;
    int64_t count = inner >= 0 ? l.size[inner] : 1;
    int64_t sa = inner >= 0 ? l.sa[inner] : 0, sb = inner >= 0 ? l.sb[inner] : 0;
    for (;;) {
        rl_status status = count == 1 ? rl_gemm(&g) : rl_gemm_batch(&g, count, sa, sb, step);
        if (status) {
            rl_release(c);
            return NULL;
        }
        g.c = (char *)g.c + count * step * size;
        int d = inner - 1;
        for (; d >= 0; d--) {
            g.a = (const char *)g.a + l.sa[d] * size;
            g.b = (const char *)g.b + l.sb[d] * size;
            if (++index[d] < l.size[d])
                break;
            g.a = (const char *)g.a - l.sa[d] * l.size[d] * size;
            g.b = (const char *)g.b - l.sb[d] * l.size[d] * size;
            index[d] = 0;
        }
        if (d < 0)
            return rl_gemm_result(c, a0->dtype);
    }
}

/* ---- for derivatives ---- */

rl_tensor *rl_mm_tn(rl_tensor *a, rl_tensor *b)
{
    if (!a || !b)
        return NULL;
    if (!rl_recording(a) && !rl_recording(b))
        return multiply_tensors(a, true, b, false);
    RL_TEMP *t = rl_t(a);
    return rl_mm(t, b);
}

rl_tensor *rl_mm_nt(rl_tensor *a, rl_tensor *b)
{
    if (!a || !b)
        return NULL;
    if (!rl_recording(a) && !rl_recording(b))
        return multiply_tensors(a, false, b, true);
    RL_TEMP *t = rl_t(b);
    return rl_mm(a, t);
}

rl_tensor *rl_as_rows(rl_tensor *t)
{
    if (!t || t->ndim == 2)
        return rl_retain(t);
    int64_t last = t->ndim ? t->shape[t->ndim - 1] : 1, rows = 1;
    for (int d = 0; d < t->ndim - 1; d++)
        rows *= t->shape[d];
    return rl_reshape(t, (rl_ints){(int64_t[]){rows, last}, 2});
}
