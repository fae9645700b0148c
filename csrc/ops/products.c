/* products.c: products of vectors other than matmul's: vdot, kron, cross. */
#include "core/parallel.h"
#include "ops/complex.h"
#include "ops/matmul.h"
#include "ops/rows.h"

/* ---- vdot: that of real vectors is dot ---- */

static rl_status vdot_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    for (int i = 0; i < 2; i++) {
        if (!rl_wants(n, i))
            continue;
        RL_TEMP *other = rl_saved(n, 1 - i);
        dx[i] = other ? rl_mul(g[0], other) : NULL;
    }
    return RL_DONE(n, dx);
}
static const rl_node_type vdot_node = {"VdotBackward0", vdot_backward, 2, NULL};

/* z with a node of two inputs that keeps each where the other's gradient needs it. */
static rl_tensor *record_pair(const rl_node_type *type, rl_tensor *z, rl_tensor *x, rl_tensor *y)
{
    if (!z || (!rl_recording(x) && !rl_recording(y)))
        return z;
    rl_node *n = rl_node_new(type, z, 2, (rl_tensor *[]){x, y});
    rl_save(n, 0, rl_recording(y) ? x : NULL);
    rl_save(n, 1, rl_recording(x) ? y : NULL);
    return rl_record(n, z);
}

rl_tensor *rl_vdot(rl_tensor *x, rl_tensor *y)
{
    if (!x || !y)
        return NULL;
    if (rl_has_complex(x)) {
        RL_TEMP *conjugate = rl_conj(x);
        return conjugate ? rl_dot(conjugate, y) : NULL;
    }
    bool mode = rl_set_grad_enabled(false);
    rl_tensor *z = rl_dot(x, y);
    rl_set_grad_enabled(mode);
    return record_pair(&vdot_node, z, x, y);
}

/* ---- kron: z[i p + k][j q + l] = x[i][j] y[k][l], y (p, q) ---- */

rl_tensor *rl_kron(rl_tensor *x, rl_tensor *y)
{
    if (!x || !y)
        return NULL;
    int n = x->ndim > y->ndim ? x->ndim : y->ndim;
    if (2 * n > RL_MAX_DIMS)
        return rl_fail(RL_ERUNTIME, "kron: tensors of %d dimensions are too many", n);
    int64_t a[RL_MAX_DIMS], b[RL_MAX_DIMS], shape[RL_MAX_DIMS];
    for (int i = 0; i < n; i++) {
        int dx = i - (n - x->ndim), dy = i - (n - y->ndim);
        a[2 * i] = dx < 0 ? 1 : x->shape[dx];
        a[2 * i + 1] = b[2 * i] = 1;
        b[2 * i + 1] = dy < 0 ? 1 : y->shape[dy];
        shape[i] = a[2 * i] * b[2 * i + 1];
    }
    RL_TEMP *left = rl_reshape(x, (rl_ints){a, 2 * n});
    RL_TEMP *right = left ? rl_reshape(y, (rl_ints){b, 2 * n}) : NULL;
    RL_TEMP *z = right ? rl_mul(left, right) : NULL;
    return z ? rl_reshape(z, (rl_ints){shape, n}) : NULL;
}

/* ---- cross: z = x cross y        dx = y cross g, dy = g cross x ---- */

static rl_status cross_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    rl_opt_int dim = {true, n->args.i[0]};
    if (rl_wants(n, 0)) {
        RL_TEMP *saved = rl_saved(n, 1);
        RL_TEMP *y = rl_conj_of(saved);
        dx[0] = y ? rl_cross(y, g[0], dim) : NULL;
    }
    if (rl_wants(n, 1)) {
        RL_TEMP *saved = rl_saved(n, 0);
        RL_TEMP *x = rl_conj_of(saved);
        dx[1] = x ? rl_cross(g[0], x, dim) : NULL;
    }
    return RL_DONE(n, dx);
}
static const rl_node_type cross_node = {"LinalgCrossBackward0", cross_backward, 2, NULL};

/* Vectors one behind the other. */
#define CROSS(T)                                                                                   \
    for (int64_t i = 3 * begin; i < 3 * end; i += 3) {                                             \
        const T *x = (const T *)t[0]->data + i, *y = (const T *)t[1]->data + i;                    \
        T *z = (T *)t[2]->data + i;                                                                \
        z[0] = x[1] * y[2] - x[2] * y[1];                                                          \
        z[1] = x[2] * y[0] - x[0] * y[2];                                                          \
        z[2] = x[0] * y[1] - x[1] * y[0];                                                          \
    }

static void run_cross(int64_t begin, int64_t end, void *context)
{
    rl_tensor *const *t = context;
    if (t[0]->dtype == RL_F32)
        CROSS(float)
    else
        CROSS(double)
}

static bool same_rows(const rl_tensor *x, const rl_tensor *y)
{
    return rl_is_contiguous(x) && rl_is_contiguous(y) &&
           !memcmp(x->shape, y->shape, (size_t)x->ndim * sizeof *x->shape);
}

/* Component i is x[j] y[k] - x[k] y[j] for (i, j, k) = (0, 1, 2) and its rotations; views, so that
 * nothing is copied but the result. */
static rl_tensor *cross_data(rl_tensor *x, rl_tensor *y, int64_t dim)
{
    if (dim == x->ndim - 1 && (x->dtype == RL_F32 || x->dtype == RL_F64) && same_rows(x, y)) {
        rl_tensor *out = rl_new((rl_dtype)x->dtype, x->ndim, x->shape);
        if (out)
            rl_parallel_for(out->numel / 3, 8192, run_cross, (void *[]){x, y, out});
        return out;
    }
    rl_tensor *part[3] = {NULL}, *z = NULL;
    bool ok = true;
    for (int i = 0; i < 3 && ok; i++) {
        int j = (i + 1) % 3, k = (i + 2) % 3;
        RL_TEMP *xj = rl_select(x, dim, j), *xk = rl_select(x, dim, k);
        RL_TEMP *yj = rl_select(y, dim, j), *yk = rl_select(y, dim, k);
        RL_TEMP *first = xj && yk ? rl_mul(xj, yk) : NULL;
        part[i] = first && xk && yj ? rl_addcmul(first, xk, yj, rl_int(-1)) : NULL;
        ok = part[i] != NULL;
    }
    if (ok)
        z = rl_stack((rl_tensors){part, 3}, dim);
    for (int i = 0; i < 3; i++)
        rl_release(part[i]);
    return z;
}

rl_tensor *rl_cross(rl_tensor *x, rl_tensor *y, rl_opt_int dim)
{
    if (!x || !y)
        return NULL;
    if (!dim.given) {
        for (dim.v = 0; dim.v < x->ndim && x->shape[dim.v] != 3; dim.v++)
            ;
        if (dim.v == x->ndim)
            return rl_fail(RL_ERUNTIME, "no dimension of size 3 in input");
    }
    if (x->ndim != y->ndim)
        return rl_fail(RL_ERUNTIME,
                       "linalg.cross: inputs must have the same number of dimensions.");
    int64_t d = dim.v;
    if (rl_wrap_dim(&d, x->ndim))
        return NULL;
    if (x->ndim == 0 || x->shape[d] != 3 || y->shape[d] != 3)
        return rl_fail(RL_ERUNTIME,
                       "linalg.cross: inputs dimension %lld must have length 3. Got %lld and %lld",
                       (long long)dim.v, (long long)(x->ndim ? x->shape[d] : 1),
                       (long long)(y->ndim ? y->shape[d] : 1));
    if (x->dtype != y->dtype)
        return rl_fail(RL_ERUNTIME, "expected scalar type %s but found %s",
                       rl_dtype_title(x->dtype), rl_dtype_title(y->dtype));
    bool mode = rl_set_grad_enabled(false);
    rl_tensor *z = cross_data(x, y, d);
    rl_set_grad_enabled(mode);
    if (!z || (!rl_recording(x) && !rl_recording(y)))
        return z;
    rl_node *n = rl_node_new(&cross_node, z, 2, (rl_tensor *[]){x, y});
    rl_save(n, 0, rl_recording(y) ? x : NULL);
    rl_save(n, 1, rl_recording(x) ? y : NULL);
    if (n)
        n->args.i[0] = d;
    return rl_record(n, z);
}
