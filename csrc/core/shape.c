/* shape.c: arithmetic of shapes and strides. */
#include "core/tensor.h"

rl_str rl_shape_str(const rl_tensor *t) { return rl_ints_str(t->ndim, t->shape); }

bool rl_same_shape(const rl_tensor *a, const rl_tensor *b)
{
    return rl_has_shape(a, b->ndim, b->shape);
}

bool rl_has_shape(const rl_tensor *t, int ndim, const int64_t *shape)
{
    if (t->ndim != ndim)
        return false;
    for (int i = 0; i < ndim; i++)
        if (t->shape[i] != shape[i])
            return false;
    return true;
}

rl_status rl_wrap_dim(int64_t *dim, int ndim)
{
    int64_t n = ndim ? ndim : 1;
    if (*dim < -n || *dim >= n)
        return rl_error(RL_EINDEX,
                        "Dimension out of range (expected to be in range of [%lld, %lld], but got "
                        "%lld)",
                        (long long)-n, (long long)n - 1, (long long)*dim);
    if (*dim < 0)
        *dim += n;
    return RL_OK;
}

rl_status rl_shape_numel(int ndim, const int64_t *shape, int64_t *numel)
{
    int64_t n = 1;
    bool over = false, zero = false;
    for (int i = 0; i < ndim; i++) {
        if (shape[i] < 0)
            return rl_error(RL_ERUNTIME, "Trying to create tensor with negative dimension %lld: %s",
                            (long long)shape[i], rl_ints_str(ndim, shape).s);
        zero |= shape[i] == 0;
        over |= __builtin_mul_overflow(n, shape[i], &n);
    }
    if (over && !zero)
        return rl_error(RL_ERUNTIME, "Storage size calculation overflowed with sizes=%s",
                        rl_ints_str(ndim, shape).s);
    *numel = zero ? 0 : n;
    return RL_OK;
}

void rl_row_major(int ndim, const int64_t *shape, int64_t *strides)
{
    int64_t s = 1;
    for (int i = ndim - 1; i >= 0; i--) {
        strides[i] = s;
        s = (int64_t)((uint64_t)s * (uint64_t)(shape[i] > 1 ? shape[i] : 1));
    }
}

rl_status rl_broadcast_shapes(int na, const int64_t *a, int nb, const int64_t *b, int *n,
                              int64_t *out)
{
    int m = na > nb ? na : nb;
    if (m > RL_MAX_DIMS)
        return rl_error(RL_ERUNTIME, "a tensor cannot have more than %d dimensions, got %d",
                        RL_MAX_DIMS, m);
    for (int i = m - 1; i >= 0; i--) {
        int ia = i - (m - na), ib = i - (m - nb);
        int64_t sa = ia >= 0 ? a[ia] : 1, sb = ib >= 0 ? b[ib] : 1;
        if (sa != sb && sa != 1 && sb != 1)
            return rl_error(RL_ERUNTIME,
                            "The size of tensor a (%lld) must match the size of tensor b (%lld) at "
                            "non-singleton dimension %d",
                            (long long)sa, (long long)sb, i);
        out[i] = sa == 1 ? sb : sa;
    }
    *n = m;
    return RL_OK;
}

rl_status rl_dim_mask(rl_ints dims, int ndim, bool *mask)
{
    if (dims.n <= 0) { /* PyTorch: no dims given means all of them */
        memset(mask, 1, (size_t)ndim);
        return RL_OK;
    }
    bool seen[RL_MAX_DIMS + 1] = {false};
    memset(mask, 0, (size_t)ndim);
    for (int i = 0; i < dims.n; i++) {
        int64_t d = dims.v[i];
        rl_status status = rl_wrap_dim(&d, ndim);
        if (status)
            return status;
        if (seen[d])
            return rl_error(RL_ERUNTIME, "dim %lld appears multiple times in the list of dims",
                            (long long)d);
        seen[d] = true;
        if (d < ndim)
            mask[d] = true;
    }
    return RL_OK;
}

rl_status rl_infer_shape(rl_ints wanted, int64_t numel, int64_t *shape)
{
    int64_t known = 1;
    int open = -1;
    bool over = false;
    if (wanted.n > RL_MAX_DIMS)
        return rl_error(RL_ERUNTIME, "a tensor cannot have more than %d dimensions, got %d",
                        RL_MAX_DIMS, wanted.n);
    for (int i = 0; i < wanted.n; i++) {
        int64_t s = wanted.v[i];
        shape[i] = s;
        if (s == -1) {
            if (open >= 0)
                return rl_error(RL_ERUNTIME, "only one dimension can be inferred");
            open = i;
        } else if (s < 0) {
            return rl_error(RL_ERUNTIME, "invalid shape dimension %lld at index %d of shape %s",
                            (long long)s, i, rl_ints_str(wanted.n, wanted.v).s);
        } else if (known != 0) {
            over |= s != 0 && __builtin_mul_overflow(known, s, &known);
            if (s == 0)
                known = 0;
        }
    }
    if (known == 0)
        over = false;
    if (open < 0 ? over || known != numel : over || (known ? numel % known != 0 : numel != 0))
        return rl_error(RL_ERUNTIME, "shape '%s' is invalid for input of size %lld",
                        rl_ints_str(wanted.n, wanted.v).s, (long long)numel);
    if (open >= 0) {
        if (known == 0)
            return rl_error(RL_ERUNTIME,
                            "cannot reshape tensor of 0 elements into shape %s because the "
                            "unspecified dimension size -1 can be any value and is ambiguous",
                            rl_ints_str(wanted.n, wanted.v).s);
        shape[open] = numel / known;
    }
    return RL_OK;
}

bool rl_view_strides(const rl_tensor *t, int ndim, const int64_t *shape, int64_t *strides)
{
    if (t->numel == 0) {
        if (rl_has_shape(t, ndim, shape))
            memcpy(strides, t->strides, (size_t)ndim * sizeof *strides);
        else
            rl_row_major(ndim, shape, strides);
        return true;
    }
    if (t->contiguous && (!t->ndim || t->strides[t->ndim - 1] == 1) &&
        !rl_has_shape(t, ndim, shape)) {
        rl_row_major(ndim, shape, strides);
        return true;
    }
    /* From the last dim on: runs of t's dims that lie one after the other in memory must be filled
     * exactly by a group of the new dims. */
    int v = ndim - 1;
    int64_t run = 1, base = t->ndim ? t->strides[t->ndim - 1] : 1;
    for (int i = t->ndim - 1; i >= 0; i--) {
        run *= t->shape[i];
        if (i == 0 || (t->shape[i - 1] != 1 && t->strides[i - 1] != run * base)) {
            int64_t filled = 1;
            for (; v >= 0 && (filled < run || shape[v] == 1); v--) {
                strides[v] = filled * base;
                filled *= shape[v];
            }
            if (filled != run)
                return false;
            if (i > 0) {
                base = t->strides[i - 1];
                run = 1;
            }
        }
    }
    for (; v >= 0 && shape[v] == 1; v--) /* a 0-dim tensor seen with dims of size 1 */
        strides[v] = 1;
    return v == -1;
}

/* Whether dim a's memory runs faster than b's (< 0), slower (> 0), or no operand tells (0). */
static int compare_dims(int a, int b, const int64_t *shape, int nops, const int64_t *const *strides)
{
    for (int k = 0; k < nops; k++) {
        int64_t sa = strides[k][a], sb = strides[k][b];
        if (sa == 0 || sb == 0)
            continue;
        if (sa != sb)
            return sa < sb ? -1 : 1;
        if (shape[a] > shape[b]) /* equal strides: the size-1 dim of the two is the inner one */
            return 1;
    }
    return 0;
}

void rl_stride_order(int ndim, const int64_t *shape, int nops, const int64_t *const *strides,
                     int *order)
{
    for (int i = 0; i < ndim; i++)
        order[i] = ndim - 1 - i;
    /* Insertion; dims that no operand orders stay in place and are looked past. */
    for (int i = 1; i < ndim; i++)
        for (int to = i, j = i - 1; j >= 0; j--) {
            int c = compare_dims(order[j], order[to], shape, nops, strides);
            if (c > 0) {
                int d = order[j];
                order[j] = order[to];
                order[to] = d;
                to = j;
            } else if (c < 0) {
                break;
            }
        }
}

void rl_order_strides(int ndim, const int64_t *shape, const int *order, int64_t *strides)
{
    int64_t s = 1;
    for (int i = 0; i < ndim; i++) {
        strides[order[i]] = s;
        s *= shape[order[i]] > 1 ? shape[order[i]] : 1;
    }
}
