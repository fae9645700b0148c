/* attention.c: scaled dot-product attention: checks, derivative, operator.  The data:
 * attention_data.c. */
#include "ops/attention.h"

#include <math.h>
#include <stdio.h>

#include "autograd/autograd.h"
#include "core/iter.h"
#include "ops/attention_backends.h"
#include "rushlight_ops.h"

/* ---- shapes ---- */

/* The leading dims of the result, of which the last is split into `heads` and `group`. */
typedef struct layout {
    int n;
    int64_t shape[RL_MAX_DIMS]; /* n leading dims, then the split last one as two: see lead */
    int64_t heads, group;
} layout;

/* x (lead..., rows, columns) as a view of (lead without its last..., heads, group, rows, columns),
 * broadcast.  No autograd. */
static rl_tensor *spread(const layout *y, rl_tensor *x, int64_t rows, int64_t columns)
{
    int64_t shape[RL_MAX_DIMS + 1], strides[RL_MAX_DIMS + 1];
    const int n = y->n > 0 ? y->n + 1 : 2, skip = (y->n > 0 ? y->n : 1) - (x->ndim - 2);
    for (int d = 0; d + 2 < n; d++) {
        shape[d] = y->shape[d];
        strides[d] = d < skip || x->shape[d - skip] == 1 ? 0 : x->strides[d - skip];
    }
    const bool has = x->ndim > 2;
    const int64_t own = has ? x->shape[x->ndim - 3] : 1, step = has ? x->strides[x->ndim - 3] : 0;
    shape[n - 2] = y->heads;
    shape[n - 1] = y->group;
    /* One for all, one per head of queries, one per head of keys. */
    strides[n - 2] = own == 1 ? 0 : own == y->heads * y->group ? step * y->group : step;
    strides[n - 1] = own == 1 || own != y->heads * y->group ? 0 : step;
    shape[n] = rows;
    shape[n + 1] = columns;
    strides[n] = x->shape[x->ndim - 2] == 1 ? 0 : x->strides[x->ndim - 2];
    strides[n + 1] = x->shape[x->ndim - 1] == 1 && columns != 1 ? 0 : x->strides[x->ndim - 1];
    return rl_new_view(x, n + 2, shape, strides, x->offset);
}

/* New tensor of this shape, uninitialised, whose memory runs as that of x does, but for the last
 * dim, which is contiguous: attention over x.transpose(1, 2) gives a result whose transpose is
 * contiguous again.  Another number of dims than x's: row-major. */
static rl_tensor *like(const rl_tensor *x, rl_dtype dtype, int ndim, const int64_t *shape)
{
    int order[RL_MAX_DIMS];
    int64_t strides[RL_MAX_DIMS];
    if (ndim != x->ndim)
        return rl_new(dtype, ndim, shape);
    const int64_t *const operand[] = {x->strides};
    rl_stride_order(ndim, shape, 1, operand, order);
    int at = 0;
    while (order[at] != ndim - 1)
        at++;
    for (; at > 0; at--)
        order[at] = order[at - 1];
    order[0] = ndim - 1;
    rl_order_strides(ndim, shape, order, strides);
    return rl_new_strided(dtype, ndim, shape, strides);
}

/* ---- one call ---- */

/* What a call computes, in its operands' own terms. */
typedef struct call {
    layout y;
    int64_t length, keys, size, out_size;
    double scale, dropout;
    bool causal;
} call;

enum { CALL_NUMBERS = 9 }; /* in a node: layout, sizes, causal; then the leading shape */

/* The operands as views for attention_data.c; released by drop(). */
typedef struct operands {
    rl_attention t;
    rl_tensor *held[9];
    int n;
} operands;

static void drop(operands *o)
{
    for (int i = 0; i < o->n; i++)
        rl_release(o->held[i]);
}

/* t as (lead..., rows, columns) in the dtype that is computed in (a mask of bools stays one); takes
 * over t, which may be NULL after an error. */
static rl_tensor *hold(operands *o, const call *c, rl_tensor *t, int64_t rows, int64_t columns)
{
    rl_tensor *view = t ? spread(&c->y, t, rows, columns) : NULL;
    rl_release(t);
    if (view)
        o->held[o->n++] = view;
    return view;
}

/* t itself (new reference), or converted to what is computed in. */
static rl_tensor *computed(rl_tensor *t, rl_dtype dtype)
{
    return t->dtype == (int8_t)dtype || t->dtype == RL_BOOL ? rl_retain(t) : rl_cast_data(t, dtype);
}

static rl_dtype compute_dtype(const rl_tensor *t) { return t->dtype == RL_F64 ? RL_F64 : RL_F32; }

static rl_status gather(operands *o, const call *c, rl_tensor *q, rl_tensor *k, rl_tensor *v,
                        rl_tensor *mask, rl_tensor *y, rl_tensor *most, rl_tensor *share,
                        rl_tensor *noise)
{
    const rl_dtype dtype = compute_dtype(q);
    *o = (operands){.t = {.dtype = dtype,
                          .length = c->length,
                          .keys = c->keys,
                          .size = c->size,
                          .out_size = c->out_size,
                          .scale = c->scale,
                          .causal = c->causal,
                          .dropout = c->dropout,
                          .most = most,
                          .share = share,
                          .noise = noise}};
    rl_attention *t = &o->t;
    t->q = hold(o, c, computed(q, dtype), c->length, c->size);
    t->k = t->q ? hold(o, c, computed(k, dtype), c->keys, c->size) : NULL;
    t->v = t->k ? hold(o, c, computed(v, dtype), c->keys, c->out_size) : NULL;
    t->o = t->v ? hold(o, c, computed(y, dtype), c->length, c->out_size) : NULL;
    if (!t->o)
        return rl_error_code();
    if (mask) {
        t->mask = hold(o, c, computed(mask, dtype), c->length, c->keys);
        if (!t->mask)
            return rl_error_code();
    }
    t->lead = t->q->ndim - 2;
    memcpy(t->shape, t->q->shape, (size_t)t->lead * sizeof *t->shape);
    return RL_OK;
}

/* ---- derivative ---- */

/* x with its dim -3 as two, (heads, group), for operands of as many heads as the queries; with one
 * of size 1 behind dim -3 for the others.  Differentiable; x has one head for all or a head dim of
 * its own only when it has 3 dims. */
static rl_tensor *split_heads(const layout *y, rl_tensor *x)
{
    if (!x || y->group == 1 || x->ndim < 3)
        return rl_retain(x);
    const int64_t own = x->shape[x->ndim - 3], sizes[] = {y->heads, y->group};
    return own == y->heads * y->group && own != 1 ? rl_unflatten(x, -3, (rl_ints){sizes, 2})
                                                  : rl_unsqueeze(x, -3);
}

/* The way back for a gradient of scores, queries or (summed over the group) keys and values. */
static rl_tensor *join_heads(const layout *y, rl_tensor *x, bool sum)
{
    const int64_t dim = -3;
    if (!x || y->group == 1)
        return rl_retain(x);
    return sum ? rl_sum(x, (rl_ints){&dim, 1}, false, RL_NO_DTYPE) : rl_flatten(x, -4, -3);
}

static rl_tensor *number(double value) { return rl_wrap_number(rl_float(value)); }

/* The scores after scale and masks; differentiable.  */
static rl_tensor *scores(const call *c, rl_tensor *q, rl_tensor *k, rl_tensor *mask)
{
    RL_TEMP *kt = rl_transpose(k, -2, -1);
    RL_TEMP *product = rl_matmul(q, kt);
    RL_TEMP *scale = number(c->scale);
    RL_TEMP *none = number(-INFINITY);
    rl_tensor *s = rl_mul(product, scale);
    if (s && mask && mask->dtype == RL_BOOL) {
        RL_TEMP *hidden = rl_logical_not(mask);
        RL_TEMP *whole = s;
        s = rl_masked_fill(whole, hidden, none);
    } else if (s && mask) {
        RL_TEMP *whole = s;
        s = rl_add(whole, mask, rl_int(1));
    }
    if (s && c->causal) {
        const int64_t shape[] = {c->length, c->keys};
        RL_TEMP *ones = rl_ones((rl_ints){shape, 2}, RL_BOOL);
        RL_TEMP *later = rl_triu(ones, 1);
        RL_TEMP *whole = s;
        s = rl_masked_fill(whole, later, none);
    }
    return s;
}

/* Softmax along the last dim, 0 in rows without a finite score; differentiable. */
static rl_tensor *safe_softmax(rl_tensor *s)
{
    const int64_t last = -1;
    if (!s || s->shape[s->ndim - 1] == 0)
        return rl_retain(s);
    RL_TEMP *fixed = rl_detach(s);
    RL_TEMP *most = rl_amax(fixed, (rl_ints){&last, 1}, true);
    RL_TEMP *none = number(-INFINITY);
    RL_TEMP *zero = number(0);
    RL_TEMP *empty = rl_eq(most, none);
    RL_TEMP *filled = rl_masked_fill(s, empty, zero);
    RL_TEMP *p = rl_softmax(filled, -1, RL_NO_DTYPE);
    return rl_masked_fill(p, empty, zero);
}

/* All coins of a call. */
static rl_tensor *coins(const call *c, rl_dtype dtype, const rl_tensor *scores, rl_tensor *snapshot)
{
    rl_tensor *noise = rl_new(dtype, scores->ndim, scores->shape);
    if (!noise || noise->numel == 0)
        return noise;
    const rl_attention t = {.dtype = dtype,
                            .length = c->length,
                            .keys = c->keys,
                            .dropout = c->dropout,
                            .noise = snapshot};
    const int64_t matrix = c->length * c->keys;
    for (int64_t b = 0; b < noise->numel / matrix; b++)
        for (int64_t i = 0; i < c->length; i += RL_ATTENTION_ROWS) {
            const int64_t left = c->length - i;
            rl_attention_draw(&t, b, i, left < RL_ATTENTION_ROWS ? left : RL_ATTENTION_ROWS,
                              noise->data +
                                  (b * matrix + i * c->keys) * (int64_t)rl_dtype_size(dtype));
        }
    return noise;
}

/* t converted to what is computed in, split into heads; differentiable. */
static rl_tensor *prepared(const call *c, rl_tensor *t, rl_dtype dtype)
{
    RL_TEMP *cast = t->dtype == (int8_t)dtype || t->dtype == RL_BOOL ? rl_retain(t)
                                                                     : rl_to_dtype(t, dtype, false);
    return split_heads(&c->y, cast);
}

/* With public operators, for create_graph and for the gradient of a mask, which is as large as the
 * scores: p = softmax(scores), n the coins, e = n (g v'), ds = p (e - sum p e):
 * dv = (p n)' g      dmask = ds      dq = scale ds k      dk = scale ds' q */
static rl_status compose_backward(const call *c, rl_node *n, rl_tensor *g, rl_tensor *const *in,
                                  rl_tensor *snapshot, rl_tensor **dx)
{
    const rl_dtype dtype = compute_dtype(in[0]);
    RL_TEMP *q = prepared(c, in[0], dtype);
    RL_TEMP *k = prepared(c, in[1], dtype);
    RL_TEMP *v = prepared(c, in[2], dtype);
    RL_TEMP *gs = prepared(c, g, dtype);
    RL_TEMP *mask = in[3] ? prepared(c, in[3], dtype) : NULL;
    if (!q || !k || !v || !gs || (in[3] && !mask))
        return rl_error_code();
    const int64_t last = -1;
    RL_TEMP *s = scores(c, q, k, mask);
    RL_TEMP *p = safe_softmax(s);
    RL_TEMP *noise = snapshot && p ? coins(c, dtype, p, snapshot) : NULL;
    if (!p || (snapshot && !noise))
        return rl_error_code();
    if (rl_wants(n, 2)) {
        RL_TEMP *kept = noise ? rl_mul(p, noise) : rl_retain(p);
        RL_TEMP *t = rl_transpose(kept, -2, -1);
        RL_TEMP *d = rl_matmul(t, gs);
        dx[2] = join_heads(&c->y, d, true);
    }
    if (!rl_wants(n, 0) && !rl_wants(n, 1) && !rl_wants(n, 3))
        return RL_DONE(n, dx);
    RL_TEMP *vt = rl_transpose(v, -2, -1);
    RL_TEMP *product = rl_matmul(gs, vt);
    RL_TEMP *e = noise ? rl_mul(product, noise) : rl_retain(product);
    RL_TEMP *pe = rl_mul(p, e);
    RL_TEMP *level = rl_sum(pe, (rl_ints){&last, 1}, true, RL_NO_DTYPE);
    RL_TEMP *rest = rl_sub(e, level, rl_int(1));
    RL_TEMP *ds = rl_mul(p, rest);
    RL_TEMP *scale = number(c->scale);
    RL_TEMP *scaled = rl_mul(ds, scale);
    if (rl_wants(n, 0)) {
        RL_TEMP *d = rl_matmul(scaled, k);
        dx[0] = join_heads(&c->y, d, false);
    }
    if (rl_wants(n, 1)) {
        RL_TEMP *t = rl_transpose(scaled, -2, -1);
        RL_TEMP *d = rl_matmul(t, q);
        dx[1] = join_heads(&c->y, d, true);
    }
    if (rl_wants(n, 3))
        dx[3] = join_heads(&c->y, ds, false);
    return RL_DONE(n, dx);
}

enum { QUERY, KEY, VALUE, MASK, OUTPUT, MOST, SHARE, NOISE, SAVED };

static void to_node(const call *c, rl_node *n)
{
    int64_t dims[CALL_NUMBERS + RL_MAX_DIMS] = {c->length, c->keys,    c->size,    c->out_size,
                                                c->causal, c->y.heads, c->y.group, c->y.n};
    memcpy(dims + CALL_NUMBERS, c->y.shape, (size_t)c->y.n * sizeof *dims);
    rl_node_set_dims(n, CALL_NUMBERS + c->y.n, dims);
    if (n) {
        n->args.f[0] = c->scale;
        n->args.f[1] = c->dropout;
    }
}

static void from_node(call *c, const rl_node *n)
{
    const int64_t *d = n->args.dims;
    *c = (call){.length = d[0],
                .keys = d[1],
                .size = d[2],
                .out_size = d[3],
                .causal = d[4],
                .y = {.heads = d[5], .group = d[6], .n = (int)d[7]},
                .scale = n->args.f[0],
                .dropout = n->args.f[1]};
    memcpy(c->y.shape, d + CALL_NUMBERS, (size_t)c->y.n * sizeof *d);
}

/* Uninitialised gradient of x, an operand of so many heads, over the leading dims of the result. */
static rl_tensor *gradient_like(const call *c, const rl_tensor *x, rl_dtype dtype, int64_t heads)
{
    int64_t shape[RL_MAX_DIMS];
    const int n = c->y.n;
    memcpy(shape, c->y.shape, (size_t)n * sizeof *shape);
    if (n)
        shape[n - 1] = heads;
    memcpy(shape + n, x->shape + x->ndim - 2, 2 * sizeof *shape);
    return like(x, dtype, n + 2, shape);
}

/* g so that its rows can be read at once: contiguous along the last dim. */
static rl_tensor *rows_of(rl_tensor *g, rl_dtype dtype)
{
    if (g->dtype == (int8_t)dtype && (g->strides[g->ndim - 1] == 1 || g->shape[g->ndim - 1] == 1))
        return rl_retain(g);
    return rl_cast_data(g, dtype);
}

static rl_status fused_backward(const call *c, rl_node *n, rl_tensor *g, rl_tensor *const *s,
                                rl_tensor **dx)
{
    const rl_dtype dtype = compute_dtype(s[QUERY]);
    RL_TEMP *dq = gradient_like(c, s[QUERY], dtype, c->y.heads * c->y.group);
    RL_TEMP *dk = gradient_like(c, s[KEY], dtype, c->y.heads);
    RL_TEMP *dv = gradient_like(c, s[VALUE], dtype, c->y.heads);
    RL_TEMP *gd = rows_of(g, dtype);
    if (!dq || !dk || !dv || !gd)
        return rl_error_code();
    operands o;
    rl_status status =
        gather(&o, c, s[QUERY], s[KEY], s[VALUE], s[MASK], s[OUTPUT], s[MOST], s[SHARE], s[NOISE]);
    if (!status) {
        rl_tensor *vg = hold(&o, c, rl_retain(gd), c->length, c->out_size);
        rl_tensor *vq = vg ? hold(&o, c, rl_retain(dq), c->length, c->size) : NULL;
        rl_tensor *vk = vq ? hold(&o, c, rl_retain(dk), c->keys, c->size) : NULL;
        rl_tensor *vv = vk ? hold(&o, c, rl_retain(dv), c->keys, c->out_size) : NULL;
        status = vv ? rl_attention_backward(&o.t, vg, vq, vk, vv) : rl_error_code();
    }
    drop(&o);
    if (status)
        return status;
    dx[0] = rl_wants(n, 0) ? rl_retain(dq) : NULL;
    dx[1] = rl_wants(n, 1) ? rl_retain(dk) : NULL;
    dx[2] = rl_wants(n, 2) ? rl_retain(dv) : NULL;
    return RL_OK;
}

static rl_status attention_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    rl_tensor *s[SAVED] = {NULL};
    rl_status status = RL_OK;
    for (int i = 0; i < SAVED && !status; i++)
        if (rl_has_saved(n, i)) {
            s[i] = rl_saved(n, i);
            status = rl_status_of(s[i]);
        }
    if (!status) {
        call c;
        from_node(&c, n);
        status = rl_grad_enabled() || rl_wants(n, 3)
                     ? compose_backward(&c, n, g[0], s, s[NOISE], dx)
                     : fused_backward(&c, n, g[0], s, dx);
    }
    for (int i = 0; i < SAVED; i++)
        rl_release(s[i]);
    return status;
}

static const rl_node_type attention_node = {.name = "ScaledDotProductFlashAttentionForCpuBackward0",
                                            .backward = attention_backward,
                                            .n_saved = SAVED};

/* ---- checks ---- */

static rl_status check_operands(rl_tensor *q, rl_tensor *k, rl_tensor *v, rl_tensor *mask)
{
    if (q->dtype != k->dtype || q->dtype != v->dtype)
        return rl_error(RL_ERUNTIME,
                        "Expected query, key, and value to have the same dtype, but got "
                        "query.dtype: %s key.dtype: %s and value.dtype: %s instead.",
                        rl_dtype_cpp((rl_dtype)q->dtype), rl_dtype_cpp((rl_dtype)k->dtype),
                        rl_dtype_cpp((rl_dtype)v->dtype));
    if (q->ndim < 2 || k->ndim < 2 || v->ndim < 2)
        return rl_error(RL_ERUNTIME,
                        "Expected query, key, and value to all be  at least 2 dimensional, but got "
                        "query.dim: %d key.dim: %d and value.dim: %d instead.",
                        q->ndim, k->ndim, v->ndim);
    if (mask && mask->dtype != RL_BOOL && mask->dtype != RL_F32 && mask->dtype != q->dtype)
        return rl_error(RL_ERUNTIME,
                        "Expected attn_mask dtype to be bool or float or to match query dtype, but "
                        "got attn_mask.dtype: %s and  query.dtype: %s instead.",
                        rl_dtype_cpp((rl_dtype)mask->dtype), rl_dtype_cpp((rl_dtype)q->dtype));
    if (!rl_is_floating((rl_dtype)q->dtype))
        return rl_error(RL_ERUNTIME, "expected scalar type Float but found %s",
                        rl_dtype_title((rl_dtype)q->dtype));
    int64_t dim = -2;
    return mask && mask->ndim < 2 ? rl_wrap_dim(&dim, mask->ndim ? mask->ndim : 1) : RL_OK;
}

/* A product of matrices that do not fit. */
static rl_status misfit(const rl_tensor *a, const rl_tensor *b, int64_t batch, int64_t inner,
                        int64_t rows, int64_t columns)
{
    if (a->ndim == 2 && b->ndim == 2)
        return rl_error(
            RL_ERUNTIME, "mat1 and mat2 shapes cannot be multiplied (%lldx%lld and %lldx%lld)",
            (long long)a->shape[0], (long long)inner, (long long)rows, (long long)columns);
    return rl_error(RL_ERUNTIME,
                    "Expected size for first two dimensions of batch2 tensor to be: [%lld, %lld] "
                    "but got: [%lld, %lld].",
                    (long long)batch, (long long)inner, (long long)batch, (long long)rows);
}

/* Whether PyTorch on the CPU takes its fused kernel: only there may a mask join causality. */
static bool is_fused(const rl_tensor *q, const rl_tensor *k, const rl_tensor *v,
                     const rl_tensor *mask, double dropout)
{
    if (q->ndim != 4 || k->ndim != 4 || v->ndim != 4 || dropout > 0 || rl_recording(mask))
        return false;
    for (int d = 0; d < 3; d++)
        if (k->shape[d] != v->shape[d] || (d == 0 && q->shape[0] != k->shape[0]))
            return false;
    return q->shape[3] == v->shape[3] && (!mask || mask->ndim == 2 || mask->ndim == 4);
}

/* Fills c from the shapes; k and v have as many heads. */
static rl_status plan(call *c, rl_tensor *q, rl_tensor *k, rl_tensor *v, rl_tensor *mask,
                      bool grouped)
{
    layout *y = &c->y;
    int64_t kv[RL_MAX_DIMS], lead[RL_MAX_DIMS];
    int n;
    y->group = 1;
    if (grouped) {
        const int64_t own = q->shape[q->ndim - 3], heads = k->shape[k->ndim - 3];
        if (heads == 0 || own % heads)
            return rl_error(RL_ERUNTIME, "Number of heads in key and value must divide the number "
                                         "of heads in query");
        y->group = own / heads;
    }
    memcpy(kv, k->shape, (size_t)k->ndim * sizeof *kv);
    if (grouped)
        kv[k->ndim - 3] *= y->group;
    if (rl_broadcast_shapes(q->ndim - 2, q->shape, k->ndim - 2, kv, &n, lead))
        return rl_error_code();
    memcpy(kv, v->shape, (size_t)v->ndim * sizeof *kv);
    if (grouped)
        kv[v->ndim - 3] *= y->group;
    if (rl_broadcast_shapes(n, lead, v->ndim - 2, kv, &y->n, y->shape))
        return rl_error_code();
    c->length = q->shape[q->ndim - 2];
    c->size = q->shape[q->ndim - 1];
    c->keys = k->shape[k->ndim - 2];
    c->out_size = v->shape[v->ndim - 1];
    int64_t batch = 1;
    for (int d = 0; d < y->n; d++)
        batch *= y->shape[d];
    if (k->shape[k->ndim - 1] != c->size)
        return misfit(q, k, batch, c->size, k->shape[k->ndim - 1], c->keys);
    if (v->shape[v->ndim - 2] != c->keys)
        return misfit(q, v, batch, c->keys, v->shape[v->ndim - 2], c->out_size);
    y->heads = (y->n ? y->shape[y->n - 1] : 1) / y->group;
    if (!mask)
        return RL_OK;
    int64_t shape[RL_MAX_DIMS], both[RL_MAX_DIMS];
    memcpy(shape, y->shape, (size_t)y->n * sizeof *shape);
    shape[y->n] = c->length;
    shape[y->n + 1] = c->keys;
    int m;
    if (rl_broadcast_shapes(y->n + 2, shape, mask->ndim, mask->shape, &m, both))
        return rl_error_code();
    if (m != y->n + 2 || memcmp(both, shape, (size_t)m * sizeof *both))
        return rl_error(RL_ERUNTIME, "output with shape %s doesn't match the broadcast shape %s",
                        rl_ints_str(y->n + 2, shape).s, rl_ints_str(m, both).s);
    return RL_OK;
}

/* ---- operator ---- */

static rl_tensor *attend(const call *c, rl_tensor *q, rl_tensor *k, rl_tensor *v, rl_tensor *mask)
{
    const rl_dtype dtype = compute_dtype(q), result = (rl_dtype)q->dtype;
    int64_t shape[RL_MAX_DIMS];
    memcpy(shape, c->y.shape, (size_t)c->y.n * sizeof *shape);
    shape[c->y.n] = c->length;
    int64_t matrices = 1;
    for (int d = 0; d < c->y.n; d++)
        matrices *= c->y.shape[d];
    RL_TEMP *most = rl_new(dtype, c->y.n + 1, shape);
    RL_TEMP *share = rl_new(dtype, c->y.n + 1, shape);
    shape[c->y.n + 1] = c->out_size;
    RL_TEMP *data = like(q, dtype, c->y.n + 2, shape);
    RL_TEMP *noise = c->dropout > 0 ? rl_attention_noise(matrices, c->length, c->keys) : NULL;
    if (!most || !share || !data || (c->dropout > 0 && !noise))
        return NULL;
    operands o;
    rl_status status = gather(&o, c, q, k, v, mask, data, most, share, noise);
    if (!status)
        status = rl_attention_forward(&o.t);
    drop(&o);
    RL_TEMP *kept = !status && dtype != result ? like(q, result, c->y.n + 2, shape) : NULL;
    if (status || (dtype != result && (!kept || rl_copy_data(kept, data))))
        return NULL;
    rl_tensor *y = rl_retain(kept ? kept : data);
    if (!rl_recording(q) && !rl_recording(k) && !rl_recording(v) && !rl_recording(mask))
        return y;
    rl_tensor *in[] = {q, k, v, mask};
    rl_node *n = rl_node_new(&attention_node, y, 4, in);
    for (int i = 0; i < 4; i++)
        rl_save(n, i, in[i]);
    rl_save_output(n, OUTPUT, y, 0);
    rl_save(n, MOST, most);
    rl_save(n, SHARE, share);
    rl_save(n, NOISE, noise);
    to_node(c, n);
    return rl_record(n, y);
}

rl_tensor *rl_scaled_dot_product_attention(rl_tensor *q, rl_tensor *k, rl_tensor *v,
                                           rl_tensor *mask, double dropout, bool causal,
                                           rl_opt_float scale, bool grouped)
{
    if (!q || !k || !v || check_operands(q, k, v, mask))
        return NULL;
    int64_t head = -3;
    if (grouped)
        for (int i = 0; i < 3; i++)
            if ((i == 0 ? q : i == 1 ? k : v)->ndim < 3)
                return rl_wrap_dim(&head, 2) ? NULL : NULL;
    const bool fused = is_fused(q, k, v, mask, dropout);
    if (rl_check_attention_backends(fused))
        return NULL;
    if (causal && mask && !fused)
        return rl_fail(RL_ERUNTIME, "_scaled_dot_product_attention: Explicit attn_mask should not "
                                    "be set when is_causal=True");
    if (!(dropout >= 0 && dropout <= 1))
        return rl_fail(RL_ERUNTIME, "dropout probability has to be between 0 and 1, but got %g",
                       dropout);
    if (grouped && k->shape[k->ndim - 3] != v->shape[v->ndim - 3]) {
        /* Keys and values with different numbers of heads: one head of each per head of queries. */
        const int64_t own = q->shape[q->ndim - 3];
        const int64_t hk = k->shape[k->ndim - 3], hv = v->shape[v->ndim - 3];
        if (hk == 0 || hv == 0 || own % hk || own % hv)
            return rl_fail(RL_ERUNTIME, "Number of heads in key and value must divide the number "
                                        "of heads in query");
        RL_TEMP *ks = rl_repeat_interleave(k, own / hk, (rl_opt_int){true, -3});
        RL_TEMP *vs = ks ? rl_repeat_interleave(v, own / hv, (rl_opt_int){true, -3}) : NULL;
        return vs ? rl_scaled_dot_product_attention(q, ks, vs, mask, dropout, causal, scale, false)
                  : NULL;
    }
    call c = {.causal = causal, .dropout = dropout};
    if (plan(&c, q, k, v, mask, grouped))
        return NULL;
    if (dropout == 1) { /* everything is dropped, without a coin */
        RL_TEMP *all = rl_scaled_dot_product_attention(q, k, v, mask, 0, causal, scale, grouped);
        return rl_dropout(all, 1, true);
    }
    c.scale = scale.given ? scale.v : c.size ? 1 / sqrt((double)c.size) : 1;
    return attend(&c, q, k, v, mask);
}
