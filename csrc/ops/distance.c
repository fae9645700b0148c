/* distance.c: distances between vectors: dist, cdist, pdist, cosine_similarity,
 * pairwise_distance. */
#include <math.h>

#include "core/parallel.h"
#include "ops/complex.h"
#include "ops/matmul.h"
#include "ops/rows.h"

static const rl_ints all_dims = {NULL, -1};

static rl_tensor *norm_last(rl_tensor *x, double p, bool keepdim)
{
    return rl_norm(x, rl_float(p), (rl_ints){(int64_t[]){-1}, 1}, keepdim, RL_NO_DTYPE);
}

static rl_tensor *sum_dim(rl_tensor *x, int64_t dim, bool keepdim)
{
    return rl_sum(x, (rl_ints){(int64_t[]){dim}, 1}, keepdim, RL_NO_DTYPE);
}

static rl_tensor *difference(rl_tensor *x, rl_tensor *y)
{
    return x && y ? rl_sub(x, y, rl_int(1)) : NULL;
}

/* ---- distances of two tensors ---- */

rl_tensor *rl_dist(rl_tensor *x, rl_tensor *y, rl_scalar p)
{
    RL_TEMP *d = difference(x, y);
    if (d && !rl_is_differentiable((rl_dtype)d->dtype))
        return rl_fail(RL_ERUNTIME,
                       "norm(): input dtype should be either floating point or complex. Got %s "
                       "instead.",
                       rl_dtype_title(d->dtype));
    return d ? rl_norm(d, p, all_dims, false, RL_NO_DTYPE) : NULL;
}

rl_tensor *rl_pairwise_distance(rl_tensor *x, rl_tensor *y, double p, double eps, bool keepdim)
{
    RL_TEMP *d = difference(x, y), *number = rl_wrap_number(rl_float(eps));
    RL_TEMP *moved = d && number ? rl_add(d, number, rl_int(1)) : NULL;
    return moved ? norm_last(moved, p, keepdim) : NULL;
}

/* x / max(|x|, eps) along dim; an integer x is converted to dtype first.  The limit changes the
 * value of the norm and not its derivative, as in PyTorch. */
static rl_tensor *unit(rl_tensor *x, int64_t dim, double eps, rl_dtype dtype)
{
    RL_TEMP *cast =
        rl_is_floating((rl_dtype)x->dtype) ? rl_retain(x) : rl_to_dtype(x, dtype, false);
    RL_TEMP *norm = cast ? rl_norm(cast, rl_int(2), (rl_ints){&dim, 1}, true, RL_NO_DTYPE) : NULL;
    RL_TEMP *safe = rl_clone(norm);
    RL_TEMP *least = rl_wrap_number(rl_float(eps));
    bool mode = rl_set_grad_enabled(false);
    RL_TEMP *limited = safe && least ? rl_clamp_min(safe, least) : NULL;
    rl_status failed = limited ? rl_copy_data(safe, limited) : rl_error_code();
    rl_set_grad_enabled(mode);
    return failed ? NULL : rl_div(cast, safe, NULL);
}

rl_tensor *rl_cosine_similarity(rl_tensor *x, rl_tensor *y, int64_t dim, double eps)
{
    if (!x || !y)
        return NULL;
    rl_dtype dtype = rl_result_type(2, (rl_tensor *[]){x, y});
    if (!rl_is_floating(dtype))
        return rl_fail(RL_ERUNTIME,
                       "expected common dtype to be floating point, yet common dtype is %s",
                       rl_dtype_title(dtype));
    if (eps < 0)
        return rl_fail(RL_ERUNTIME, "eps must be non-negative, got: %g", eps);
    int ndim;
    int64_t shape[RL_MAX_DIMS];
    if (rl_broadcast_shapes(x->ndim, x->shape, y->ndim, y->shape, &ndim, shape))
        return NULL;
    RL_TEMP *a = rl_expand(x, (rl_ints){shape, ndim}, false);
    RL_TEMP *b = a ? rl_expand(y, (rl_ints){shape, ndim}, false) : NULL;
    RL_TEMP *u = b ? unit(a, dim, eps, dtype) : NULL, *v = u ? unit(b, dim, eps, dtype) : NULL;
    RL_TEMP *product = v ? rl_mul(u, v) : NULL;
    return product ? sum_dim(product, dim, false) : NULL;
}

/* ---- cdist: z[i][j] = |x[i] - y[j]|, x (..., P, M), y (..., R, M) ---- */

/* g times the derivative of z = |d|_p with respect to d, g and z of size 1 in the last dim:
 *   g sign(d) (|d| / z)^(p - 1), 0 where z is 0
 *   p = inf: g sign(d) where |d| = z;   p = 1: g sign(d);   p = 0: 0
 * Written with differentiable operators. */
static rl_tensor *norm_gradient(rl_tensor *g, rl_tensor *d, rl_tensor *z, double p)
{
    RL_TEMP *zero = rl_wrap_number(rl_float(0)), *one = rl_wrap_number(rl_float(1));
    if (!g || !d || !z || !zero || !one)
        return NULL;
    if (p == 0)
        return rl_mul(d, zero);
    RL_TEMP *none = rl_eq(z, zero);
    RL_TEMP *safe = none ? rl_masked_fill(z, none, one) : NULL;
    RL_TEMP *slope = NULL;
    if (p == 2) {
        slope = safe ? rl_div(d, safe, NULL) : NULL;
    } else {
        RL_TEMP *sign = rl_sign(d), *size = rl_abs(d);
        if (p == 1) {
            slope = rl_retain(sign);
        } else if (isinf(p)) {
            RL_TEMP *most = size ? rl_eq(size, z) : NULL;
            slope = sign && most ? rl_mul(sign, most) : NULL;
        } else {
            RL_TEMP *power = rl_wrap_number(rl_float(p - 1));
            RL_TEMP *flat = size ? rl_eq(size, zero) : NULL;
            RL_TEMP *filled = flat ? rl_masked_fill(size, flat, one) : NULL;
            RL_TEMP *share = filled && safe ? rl_div(filled, safe, NULL) : NULL;
            RL_TEMP *raised = share && power ? rl_pow(share, power) : NULL;
            slope = raised && sign ? rl_mul(raised, sign) : NULL;
        }
    }
    RL_TEMP *all = slope ? rl_mul(g, slope) : NULL;
    return all && none ? rl_masked_fill(all, none, zero) : NULL;
}

static rl_tensor *negated_sum(rl_tensor *x, int64_t dim)
{
    RL_TEMP *s = sum_dim(x, dim, false);
    return s ? rl_neg(s) : NULL;
}

static rl_status cdist_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *x = rl_saved(n, 0), *y = rl_saved(n, 1), *z = rl_saved(n, 2);
    if (!x || !y || !z)
        return rl_error_code();
    RL_TEMP *xs = rl_unsqueeze(x, -2), *ys = rl_unsqueeze(y, -3), *d = difference(xs, ys);
    RL_TEMP *gs = rl_unsqueeze(g[0], -1), *zs = rl_unsqueeze(z, -1);
    RL_TEMP *pairs = norm_gradient(gs, d, zs, n->args.f[0]);
    if (!pairs)
        return rl_error_code();
    if (rl_wants(n, 0))
        dx[0] = sum_dim(pairs, -2, false);
    if (rl_wants(n, 1))
        dx[1] = negated_sum(pairs, -3);
    return RL_DONE(n, dx);
}
static const rl_node_type cdist_node = {"CdistBackward0", cdist_backward, 3, NULL};

/* w times the differences of all pairs, summed over y: x w1 - w y. */
static rl_tensor *weighted_differences(rl_tensor *w, rl_tensor *x, rl_tensor *y)
{
    RL_TEMP *total = w ? sum_dim(w, -1, true) : NULL;
    RL_TEMP *own = total ? rl_mul(x, total) : NULL;
    RL_TEMP *others = own ? rl_matmul(w, y) : NULL;
    return difference(own, others);
}

/* p = 2 by products of matrices, w = g / z:  dx = x w1 - w y, dy = y w^T 1 - w^T x. */
static rl_status euclidean_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *x = rl_saved(n, 0), *y = rl_saved(n, 1), *z = rl_saved(n, 2);
    RL_TEMP *zero = rl_wrap_number(rl_float(0)), *one = rl_wrap_number(rl_float(1));
    RL_TEMP *none = z && zero ? rl_eq(z, zero) : NULL;
    RL_TEMP *safe = none && one ? rl_masked_fill(z, none, one) : NULL;
    RL_TEMP *share = safe ? rl_div(g[0], safe, NULL) : NULL;
    RL_TEMP *w = share ? rl_masked_fill(share, none, zero) : NULL;
    if (!x || !y || !w)
        return rl_error_code();
    if (rl_wants(n, 0))
        dx[0] = weighted_differences(w, x, y);
    if (rl_wants(n, 1)) {
        RL_TEMP *t = rl_swap_last(w);
        dx[1] = weighted_differences(t, y, x);
    }
    return RL_DONE(n, dx);
}
static const rl_node_type euclidean_node = {"EuclideanDistBackward0", euclidean_backward, 3, NULL};

/* |x|^2 of each row, (..., n, 1). */
static rl_tensor *squares(rl_tensor *x)
{
    RL_TEMP *s = rl_square(x);
    return s ? sum_dim(s, -1, true) : NULL;
}

/* sqrt(|x|^2 + |y|^2 - 2 x y^T), without history. */
static rl_tensor *euclidean(rl_tensor *x, rl_tensor *y)
{
    RL_TEMP *zero = rl_wrap_number(rl_float(0));
    RL_TEMP *xx = squares(x), *yy = squares(y), *yt = rl_swap_last(y);
    RL_TEMP *yr = yy ? rl_swap_last(yy) : NULL;
    RL_TEMP *both = xx && yr ? rl_add(xx, yr, rl_int(1)) : NULL;
    RL_TEMP *product = yt ? rl_matmul(x, yt) : NULL;
    RL_TEMP *d = both && product ? rl_sub(both, product, rl_int(2)) : NULL;
    RL_TEMP *above = d && zero ? rl_clamp_min(d, zero) : NULL;
    return above ? rl_sqrt(above) : NULL;
}

/* One row against another by 8 lanes, element i into lane i mod 8: the sum of |x - y|, for short
 * rows, and the largest |x - y|, nan if there is one. */
#define ROWS(T, fabs_, dtype)                                                                      \
    static T absolutes_##dtype(const T *x, const T *y, int64_t n)                                  \
    {                                                                                              \
        T r[8] = {0};                                                                              \
        int64_t i = 0;                                                                             \
        for (; i + 8 <= n; i += 8)                                                                 \
            for (int k = 0; k < 8; k++)                                                            \
                r[k] += fabs_(x[i + k] - y[i + k]);                                                \
        for (int k = 0; i + k < n; k++)                                                            \
            r[k] += fabs_(x[i + k] - y[i + k]);                                                    \
        return ((r[0] + r[4]) + (r[2] + r[6])) + ((r[1] + r[5]) + (r[3] + r[7]));                  \
    }                                                                                              \
    static T largest_##dtype(const T *x, const T *y, int64_t n)                                    \
    {                                                                                              \
        T r[8] = {0}, most = 0;                                                                    \
        int nan[8] = {0};                                                                          \
        int64_t i = 0;                                                                             \
        for (; i + 8 <= n; i += 8)                                                                 \
            for (int k = 0; k < 8; k++) {                                                          \
                T d = fabs_(x[i + k] - y[i + k]);                                                  \
                r[k] = d > r[k] ? d : r[k];                                                        \
                nan[k] |= d != d;                                                                  \
            }                                                                                      \
        for (int k = 0; i + k < n; k++) {                                                          \
            T d = fabs_(x[i + k] - y[i + k]);                                                      \
            r[k] = d > r[k] ? d : r[k];                                                            \
            nan[k] |= d != d;                                                                      \
        }                                                                                          \
        for (int k = 0; k < 8; k++) {                                                              \
            most = r[k] > most ? r[k] : most;                                                      \
            nan[0] |= nan[k];                                                                      \
        }                                                                                          \
        return nan[0] ? (T)NAN : most;                                                             \
    }
ROWS(float, fabsf, f32)
ROWS(double, fabs, f64)

struct row_work {
    const char *x, *y;
    char *z;
    int64_t m;
    float (*f32)(const float *, const float *, int64_t);
    double (*f64)(const double *, const double *, int64_t);
};

static void run_rows_f32(int64_t begin, int64_t end, void *context)
{
    const struct row_work *w = context;
    for (int64_t j = begin; j < end; j++)
        ((float *)w->z)[j] = w->f32((const float *)w->x, (const float *)w->y + j * w->m, w->m);
}

static void run_rows_f64(int64_t begin, int64_t end, void *context)
{
    const struct row_work *w = context;
    for (int64_t j = begin; j < end; j++)
        ((double *)w->z)[j] = w->f64((const double *)w->x, (const double *)w->y + j * w->m, w->m);
}

/* Sums of |d| over rows below this size are not worth the kernels' wider vectors. */
enum { SHORT_ROW = 128 };

/* Whether rows_against has a loop for this norm. */
static bool has_rows(double p) { return p == 1 || p == 2 || p == INFINITY; }

/* z[j] from x (m) and rows y (n, m), all contiguous: the sum of |d|, of d^2 (for p = 2: the root is
 * still to be taken), or the largest |d|. */
static void rows_against(double p, rl_dtype dtype, char *z, char *x, char *y, int64_t n, int64_t m)
{
    size_t size = dtype == RL_F32 ? sizeof(float) : sizeof(double);
    if (n == 0)
        return;
    if (p == INFINITY || (p == 1 && m < SHORT_ROW)) {
        struct row_work w = {x, y, z, m};
        w.f32 = p == 1 ? absolutes_f32 : largest_f32;
        w.f64 = p == 1 ? absolutes_f64 : largest_f64;
        rl_parallel_for(n, m < 16384 ? 16384 / m : 1, dtype == RL_F32 ? run_rows_f32 : run_rows_f64,
                        &w);
        return;
    }
    rl_kargs args = {{0}};
    rl_rows_run(p == 1 ? RL_ROW_L1_SUM : RL_ROW_MSE_SUM, dtype, n, m, 3, (char *[]){z, x, y},
                (ptrdiff_t[]){1, 0, m}, (size_t[]){size, size, size}, &args);
}

/* x (..., P, M) and y (..., R, M), row-major; p that has_rows. */
static rl_tensor *by_rows(rl_tensor *x, rl_tensor *y, double p)
{
    int n = x->ndim;
    int64_t P = x->shape[n - 2], R = y->shape[n - 2], M = x->shape[n - 1];
    int64_t shape[RL_MAX_DIMS], batch = 1;
    memcpy(shape, x->shape, (size_t)n * sizeof *shape);
    for (int d = 0; d < n - 2; d++)
        batch *= shape[d];
    shape[n - 1] = R;
    RL_TEMP *z = rl_new((rl_dtype)x->dtype, n, shape);
    if (!z || !z->numel)
        return rl_retain(z);
    int64_t size = (int64_t)rl_itemsize(x);
    for (int64_t i = 0; i < batch * P; i++)
        rows_against(p, (rl_dtype)x->dtype, z->data + i * R * size, x->data + i * M * size,
                     y->data + i / P * R * M * size, R, M);
    return p == 2 ? rl_sqrt_(z) : rl_retain(z);
}

/* The other norms, by way of all differences. */
static rl_tensor *by_differences(rl_tensor *x, rl_tensor *y, double p)
{
    RL_TEMP *xs = rl_unsqueeze(x, -2), *ys = rl_unsqueeze(y, -3);
    RL_TEMP *d = difference(xs, ys);
    return d ? norm_last(d, p, false) : NULL;
}

static rl_tensor *expand_batch(rl_tensor *x, int n, const int64_t *lead)
{
    int64_t shape[RL_MAX_DIMS];
    memcpy(shape, lead, (size_t)n * sizeof *shape);
    shape[n] = x->shape[x->ndim - 2];
    shape[n + 1] = x->shape[x->ndim - 1];
    return rl_expand(x, (rl_ints){shape, n + 2}, false);
}

/* More rows than this, and distances are computed by a product of matrices where the caller lets
 * us. */
enum { MANY_ROWS = 25 };

rl_tensor *rl_cdist(rl_tensor *x1, rl_tensor *x2, double p, const char *mode)
{
    if (!x1 || !x2)
        return NULL;
    if (!mode)
        return rl_fail(RL_EVALUE, "None is not a valid value for compute_mode");
    bool product = !strcmp(mode, "use_mm_for_euclid_dist");
    bool maybe = !strcmp(mode, "use_mm_for_euclid_dist_if_necessary");
    if (!product && !maybe && strcmp(mode, "donot_use_mm_for_euclid_dist"))
        return rl_fail(RL_EVALUE, "%s is not a valid value for compute_mode", mode);
    for (int i = 0; i < 2; i++) {
        const rl_tensor *x = i ? x2 : x1;
        if (!rl_is_floating((rl_dtype)x->dtype))
            return rl_fail(RL_ERUNTIME, "cdist only supports floating-point dtypes, X%d got: %s",
                           i + 1, rl_dtype_title(x->dtype));
        if (x->ndim < 2)
            return rl_fail(RL_ERUNTIME, "cdist only supports at least 2D tensors, X%d got: %dD",
                           i + 1, x->ndim);
    }
    int64_t M = x1->shape[x1->ndim - 1], other = x2->shape[x2->ndim - 1];
    if (M != other)
        return rl_fail(RL_ERUNTIME,
                       "X1 and X2 must have the same number of columns. X1: %lld X2: %lld",
                       (long long)M, (long long)other);
    if (x1->dtype != x2->dtype)
        return rl_fail(RL_ERUNTIME, "expected scalar type %s but found %s",
                       rl_dtype_title(x1->dtype), rl_dtype_title(x2->dtype));
    if (!(p >= 0))
        return rl_fail(RL_ERUNTIME, "cdist only supports non-negative p values");
    if (x1->dtype != RL_F32 && x1->dtype != RL_F64)
        return rl_fail(RL_ENOTIMPL, "\"cdist\" not implemented for '%s'",
                       rl_dtype_title(x1->dtype));
    int n;
    int64_t lead[RL_MAX_DIMS];
    if (rl_broadcast_shapes(x1->ndim - 2, x1->shape, x2->ndim - 2, x2->shape, &n, lead))
        return NULL;
    RL_TEMP *x = expand_batch(x1, n, lead), *y = expand_batch(x2, n, lead);
    if (!x || !y)
        return NULL;
    int64_t P = x->shape[n], R = y->shape[n];
    bool matrices = p == 2 && M > 0 && P > 0 && R > 0 &&
                    ((mode && product) || (maybe && (P > MANY_ROWS || R > MANY_ROWS)));
    bool grad = rl_set_grad_enabled(false);
    rl_tensor *z = NULL;
    if (matrices) {
        z = euclidean(x, y);
    } else if (M > 0 && has_rows(p)) {
        RL_TEMP *a = rl_contiguous_data(x), *b = rl_contiguous_data(y);
        z = a && b ? by_rows(a, b, p) : NULL;
    } else if (M > 0) {
        z = by_differences(x, y, p);
    } else {
        lead[n] = P;
        lead[n + 1] = R;
        z = rl_zeros((rl_ints){lead, n + 2}, (rl_dtype)x->dtype);
    }
    rl_set_grad_enabled(grad);
    if (!z || (!rl_recording(x) && !rl_recording(y)))
        return z;
    rl_node *node =
        rl_node_new(matrices ? &euclidean_node : &cdist_node, z, 2, (rl_tensor *[]){x, y});
    rl_save(node, 0, x);
    rl_save(node, 1, y);
    rl_save_output(node, 2, z, 0);
    if (node)
        node->args.f[0] = p;
    return rl_record(node, z);
}

/* ---- pdist: the distances of rows i < j, (n (n - 1) / 2) ---- */

/* The numbers i and j of all pairs, int64. */
static rl_status pair_numbers(int64_t n, rl_tensor **first, rl_tensor **second)
{
    int64_t pairs = n ? n * (n - 1) / 2 : 0;
    *first = rl_new(RL_I64, 1, &pairs);
    *second = rl_new(RL_I64, 1, &pairs);
    if (!*first || !*second)
        return rl_error_code();
    int64_t *i = (int64_t *)(*first)->data, *j = (int64_t *)(*second)->data;
    for (int64_t a = 0; a < n; a++)
        for (int64_t b = a + 1; b < n; b++) {
            *i++ = a;
            *j++ = b;
        }
    return RL_OK;
}

/* The gradient of each pair, added to one row and subtracted from the other. */
static rl_status pdist_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *x = rl_saved(n, 0), *z = rl_saved(n, 1);
    RL_TEMP *first = NULL, *second = NULL;
    if (!x || !z || pair_numbers(x->shape[0], &first, &second))
        return rl_error_code();
    RL_TEMP *xi = rl_index_select(x, 0, first), *xj = rl_index_select(x, 0, second);
    RL_TEMP *d = difference(xi, xj);
    RL_TEMP *gs = rl_unsqueeze(g[0], -1), *zs = rl_unsqueeze(z, -1);
    RL_TEMP *pairs = norm_gradient(gs, d, zs, n->args.f[0]);
    RL_TEMP *none = rl_zeros((rl_ints){x->shape, 2}, (rl_dtype)x->dtype);
    RL_TEMP *sum = none && pairs ? rl_index_add(none, 0, first, pairs, rl_int(1)) : NULL;
    dx[0] = sum ? rl_index_add(sum, 0, second, pairs, rl_int(-1)) : NULL;
    return RL_DONE(n, dx);
}
static const rl_node_type pdist_node = {"PdistBackward0", pdist_backward, 2, NULL};

static rl_tensor *pdist_data(rl_tensor *x, double p)
{
    int64_t n = x->shape[0], m = x->shape[1], pairs = n ? n * (n - 1) / 2 : 0;
    rl_dtype dtype = (rl_dtype)x->dtype;
    if (m == 0 || pairs == 0)
        return rl_zeros((rl_ints){&pairs, 1}, dtype);
    if (!has_rows(p)) {
        RL_TEMP *first = NULL, *second = NULL;
        if (pair_numbers(n, &first, &second))
            return NULL;
        RL_TEMP *xi = rl_index_select(x, 0, first), *xj = rl_index_select(x, 0, second);
        RL_TEMP *d = difference(xi, xj);
        return d ? norm_last(d, p, false) : NULL;
    }
    RL_TEMP *rows = rl_contiguous_data(x), *z = rl_new(dtype, 1, &pairs);
    if (!rows || !z)
        return NULL;
    int64_t size = (int64_t)rl_itemsize(x);
    char *out = z->data;
    for (int64_t i = 0; i < n; i++) {
        rows_against(p, dtype, out, rows->data + i * m * size, rows->data + (i + 1) * m * size,
                     n - 1 - i, m);
        out += (n - 1 - i) * size;
    }
    return p == 2 ? rl_sqrt_(z) : rl_retain(z);
}

rl_tensor *rl_pdist(rl_tensor *x, double p)
{
    if (!x)
        return NULL;
    if (x->ndim != 2)
        return rl_fail(RL_ERUNTIME, "pdist only supports 2D tensors, got: %dD", x->ndim);
    if (!rl_is_floating((rl_dtype)x->dtype))
        return rl_fail(RL_ERUNTIME, "pdist only supports floating-point dtypes");
    if (!(p >= 0))
        return rl_fail(RL_ERUNTIME, "pdist only supports non-negative p values");
    if (x->dtype != RL_F32 && x->dtype != RL_F64)
        return rl_fail(RL_ENOTIMPL, "\"pdist\" not implemented for '%s'", rl_dtype_title(x->dtype));
    bool grad = rl_set_grad_enabled(false);
    rl_tensor *z = pdist_data(x, p);
    rl_set_grad_enabled(grad);
    if (!z || !rl_recording(x))
        return z;
    rl_node *n = rl_node_new(&pdist_node, z, 1, (rl_tensor *[]){x});
    rl_save(n, 0, x);
    rl_save_output(n, 1, z, 0);
    if (n)
        n->args.f[0] = p;
    return rl_record(n, z);
}
