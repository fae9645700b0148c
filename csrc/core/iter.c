/* iter.c: element-wise work: from tensors to kernels. */
#include "core/iter.h"

#include "core/loop.h"
#include "core/parallel.h"

#define GRAIN (32 << 10) /* elements per thread and turn */
#define BLOCK 512        /* elements converted at a time: a few KiB, stays in the L1 cache */
#define MAX_OPERANDS (RL_MAP_MAX_INPUTS + 1)

static const uint8_t map_output[RL_MAP_COUNT] = {
#define X(name, inputs, output) [RL_MAP_##name] = output,
    RL_MAP_LIST(X)
#undef X
};

/* The dtype that the kernel writes. */
static rl_dtype kernel_output(rl_map_op op, rl_dtype compute)
{
    switch (map_output[op]) {
    case RL_OUT_BOOL:
        return RL_BOOL;
    case RL_OUT_I64:
        return RL_I64;
    default:
        return compute;
    }
}

/* The dtype nearest to `compute` that op has a kernel for: the narrow floats are computed in
 * float32, and an integer may take the kernel of a wider one, whose result cut to the width is the
 * same.  RL_NO_DTYPE: none. */
static rl_dtype kernel_dtype(rl_map_op op, rl_dtype compute)
{
    rl_map_fn *const *kernels = rl_kernel_table.map[op];
    if (kernels[compute])
        return compute;
    if (compute == RL_F16 || compute == RL_BF16)
        return kernels[RL_F32] ? RL_F32 : RL_NO_DTYPE;
    if (rl_is_integral(compute, false))
        for (rl_dtype d = compute == RL_U8 ? RL_I16 : compute + 1; d <= RL_I64; d++)
            if (kernels[d])
                return d;
    return RL_NO_DTYPE;
}

/* ---- the loop with conversion ---- */

struct work {
    rl_map_fn *kernel;
    const rl_kargs *args;
    int n;                             /* inputs */
    rl_dtype from[RL_MAP_MAX_INPUTS];  /* dtype in memory */
    rl_dtype needs[RL_MAP_MAX_INPUTS]; /* dtype that the kernel reads */
    rl_dtype writes, result,
        out; /* what it writes, through what that is rounded, what is in memory */
    bool converts;
    size_t block; /* elements converted at a time: fewer where they are complex */
};

static void run_direct(size_t n, char *const *p, const ptrdiff_t *stride, void *context)
{
    const struct work *w = context;
    w->kernel(n, p, stride, w->args);
}

static void run_converting(size_t n, char *const *p, const ptrdiff_t *stride, void *context)
{
    const struct work *w = context;
    _Alignas(64) char in[RL_MAP_MAX_INPUTS][BLOCK * 8], out[BLOCK * 8], narrow[BLOCK * 8];
    char *kp[MAX_OPERANDS];
    ptrdiff_t ks[MAX_OPERANDS];
    for (size_t done = 0; done < n; done += w->block) {
        size_t m = n - done < w->block ? n - done : w->block;
        for (int i = 0; i < w->n; i++) {
            char *x = p[i + 1] + (ptrdiff_t)done * stride[i + 1];
            if (w->from[i] == w->needs[i]) {
                kp[i + 1] = x;
                ks[i + 1] = stride[i + 1];
            } else if (stride[i + 1] == 0) {
                if (done == 0)
                    rl_convert(w->from[i], x, 0, w->needs[i], in[i], 0, 1);
                kp[i + 1] = in[i];
                ks[i + 1] = 0;
            } else {
                ks[i + 1] = (ptrdiff_t)rl_dtype_size(w->needs[i]);
                rl_convert(w->from[i], x, stride[i + 1], w->needs[i], in[i], ks[i + 1], m);
                kp[i + 1] = in[i];
            }
        }
        char *y = p[0] + (ptrdiff_t)done * stride[0];
        if (w->writes == w->out && w->writes == w->result) {
            kp[0] = y;
            ks[0] = stride[0];
            w->kernel(m, kp, ks, w->args);
            continue;
        }
        kp[0] = out;
        ks[0] = (ptrdiff_t)rl_dtype_size(w->writes);
        w->kernel(m, kp, ks, w->args);
        if (w->result == w->writes || w->result == w->out) {
            rl_convert(w->writes, out, ks[0], w->out, y, stride[0], m);
        } else {
            ptrdiff_t s = (ptrdiff_t)rl_dtype_size(w->result);
            rl_convert(w->writes, out, ks[0], w->result, narrow, s, m);
            rl_convert(w->result, narrow, s, w->out, y, stride[0], m);
        }
    }
}

/* ---- checks of a given output ---- */

static const char *const overlap_message =
    "unsupported operation: some elements of the input tensor and the written-to tensor refer to "
    "a single memory location. Please clone() the tensor before performing the operation.";

rl_status rl_check_no_self_overlap(const rl_tensor *t)
{
    if (rl_overlaps_itself(t))
        return rl_error(RL_ERUNTIME,
                        "unsupported operation: more than one element of the written-to tensor "
                        "refers to a single memory location. Please clone() the tensor before "
                        "performing the operation.");
    return RL_OK;
}

/* Full: the same elements in the same order (an in-place operation).  Maybe: the memory overlaps,
 * but whether elements coincide is not known. */
enum { OVERLAP_NONE, OVERLAP_FULL, OVERLAP_PARTIAL, OVERLAP_MAYBE };

static int overlap(const rl_tensor *out, const rl_tensor *in)
{
    if (!rl_shares_memory(out, in))
        return OVERLAP_NONE;
    const char *begin, *end, *in_begin, *in_end;
    rl_memory_extent(out, &begin, &end);
    rl_memory_extent(in, &in_begin, &in_end);
    /* PyTorch compares the strides of dims of size 1 too, and not the shapes: those are checked
     * later. */
    bool same = begin == in_begin && end == in_end && out->ndim == in->ndim &&
                !memcmp(out->strides, in->strides, (size_t)out->ndim * sizeof(int64_t));
    if (same)
        return OVERLAP_FULL;
    return rl_is_dense(out) && rl_is_dense(in) ? OVERLAP_PARTIAL : OVERLAP_MAYBE;
}

rl_status rl_check_no_partial_overlap(const rl_tensor *out, const rl_tensor *in)
{
    if (overlap(out, in) == OVERLAP_PARTIAL)
        return rl_error(RL_ERUNTIME, "%s", overlap_message);
    return RL_OK;
}

/* ---- the general way ---- */

/* Strides that x would have after conversion to the dtype that is computed in, which PyTorch does
 * first: its own if it has no holes, else those of a dense tensor in the same order.  Returns
 * whether that is row-major. */
static bool converted_strides(const rl_tensor *x, rl_dtype compute, int64_t *strides)
{
    if (x->dtype == compute || rl_is_dense(x)) {
        memcpy(strides, x->strides, (size_t)x->ndim * sizeof *strides);
        return x->contiguous;
    }
    int order[RL_MAX_DIMS];
    rl_stride_order(x->ndim, x->shape, 1, (const int64_t *const[]){x->strides}, order);
    rl_order_strides(x->ndim, x->shape, order, strides);
    return rl_is_row_major(x->ndim, x->shape, strides);
}

/* The result, with strides by PyTorch's rule: those of the inputs when they all agree, else by the
 * inputs' order of dims. dtypes: what each input is converted to. */
static rl_tensor *new_result(rl_dtype dtype, int ndim, const int64_t *shape, int n,
                             rl_tensor *const *in, const rl_dtype *dtypes)
{
    bool same_shape = true, all_row_major = true, same_strides = true;
    int64_t strides[RL_MAP_MAX_INPUTS][RL_MAX_DIMS], result[RL_MAX_DIMS], numel;
    const int64_t *rows[RL_MAP_MAX_INPUTS];
    int order[RL_MAX_DIMS];
    for (int i = 0; i < n; i++) {
        same_shape &= rl_has_shape(in[i], ndim, shape);
        all_row_major &= converted_strides(in[i], dtypes[i], strides[i]);
        if (same_shape && i > 0)
            same_strides &= !memcmp(strides[i], strides[0], (size_t)ndim * sizeof(int64_t));
    }
    if (same_shape && all_row_major)
        return rl_new(dtype, ndim, shape);
    if (same_shape && same_strides && (in[0]->dtype != dtypes[0] || rl_is_dense(in[0])))
        return rl_new_strided(dtype, ndim, shape, strides[0]);
    if (rl_shape_numel(ndim, shape, &numel))
        return NULL;
    for (int i = 0; i < n; i++) {
        int lead = ndim - in[i]->ndim;
        for (int d = ndim - 1; d >= 0; d--) /* to the result's dims, 0 where broadcast */
            strides[i][d] = d < lead || (in[i]->shape[d - lead] == 1 && shape[d] != 1)
                                ? 0
                                : strides[i][d - lead];
        rows[i] = strides[i];
    }
    rl_stride_order(ndim, shape, n, rows, order);
    rl_order_strides(ndim, shape, order, result);
    return rl_new_strided(dtype, ndim, shape, result);
}

/* Input i goes to the kernel as bool and takes no part in the typing. */
static bool is_mask(const rl_map *m, int i) { return i == 0 && rl_map_mask_first(m->op); }

static void decide_dtypes(const rl_map *m, rl_dtype *compute, rl_dtype *result)
{
    rl_tensor *typed[RL_MAP_MAX_INPUTS];
    if (m->typing == RL_TYPE_FIXED) {
        *compute = m->compute;
        *result = m->result;
        return;
    }
    for (int i = 0; i < m->n; i++)
        typed[i] = is_mask(m, i) ? NULL : m->in[i];
    *compute = rl_result_type(m->n, typed);
    if (m->typing == RL_TYPE_FLOAT && !rl_is_differentiable(*compute))
        *compute = rl_default_dtype();
    *result = m->typing == RL_TYPE_BOOL ? RL_BOOL : *compute;
}

static rl_tensor *map_general(const rl_map *m)
{
    rl_dtype compute, result;
    int64_t shape[RL_MAX_DIMS];
    int ndim = 0, n = m->n;
    decide_dtypes(m, &compute, &result);
    if (m->out) { /* before the shapes, as PyTorch does */
        if (rl_check_no_self_overlap(m->out))
            return NULL;
        for (int i = 0; i < n; i++)
            if (rl_check_no_partial_overlap(m->out, m->in[i]))
                return NULL;
    }
    ndim = m->in[0]->ndim;
    memcpy(shape, m->in[0]->shape, (size_t)ndim * sizeof *shape);
    for (int i = 1; i < n; i++)
        if (!rl_has_shape(m->in[i], ndim, shape) &&
            rl_broadcast_shapes(ndim, shape, m->in[i]->ndim, m->in[i]->shape, &ndim, shape))
            return NULL;
    rl_dtype kernel = kernel_dtype(m->op, compute);
    if (kernel == RL_NO_DTYPE)
        return rl_fail(RL_ENOTIMPL, "\"%s\" not implemented for '%s'", m->name,
                       rl_dtype_title(compute));

    struct work w = {.kernel = rl_kernel_table.map[m->op][kernel],
                     .args = &m->args,
                     .n = n,
                     .block = rl_is_complex(kernel) ? BLOCK / 2 : BLOCK};
    w.writes = kernel_output(m->op, kernel);
    w.result = map_output[m->op] == RL_OUT_SAME ? result : w.writes;

    rl_tensor *copies[RL_MAP_MAX_INPUTS] = {NULL}, *in[RL_MAP_MAX_INPUTS], *out = NULL;
    for (int i = 0; i < n; i++)
        in[i] = m->in[i];
    if (m->out) {
        if (!rl_has_shape(m->out, ndim, shape))
            return rl_fail(RL_ERUNTIME, "output with shape %s doesn't match the broadcast shape %s",
                           rl_shape_str(m->out).s, rl_ints_str(ndim, shape).s);
        if (!rl_can_cast(result, (rl_dtype)m->out->dtype))
            return rl_fail(RL_ERUNTIME,
                           "result type %s can't be cast to the desired output type %s",
                           rl_dtype_title(result), rl_dtype_title((rl_dtype)m->out->dtype));
        for (int i = 0; i < n; i++)
            if (overlap(m->out, in[i]) == OVERLAP_MAYBE) {
                copies[i] = rl_new((rl_dtype)in[i]->dtype, in[i]->ndim, in[i]->shape);
                if (!copies[i] || rl_copy_data(copies[i], in[i]))
                    goto done;
                in[i] = copies[i];
            }
        out = rl_retain(m->out);
    } else {
        rl_dtype dtypes[RL_MAP_MAX_INPUTS];
        for (int i = 0; i < n; i++)
            dtypes[i] = is_mask(m, i) || in[i]->ndim == 0 ? (rl_dtype)in[i]->dtype : compute;
        out = new_result(result, ndim, shape, n, in, dtypes);
        if (!out)
            return NULL;
    }
    w.out = (rl_dtype)out->dtype;
    w.converts = w.writes != w.out || w.writes != w.result;

    int64_t strides[MAX_OPERANDS][RL_MAX_DIMS];
    const int64_t *rows[MAX_OPERANDS] = {out->strides};
    size_t item[MAX_OPERANDS] = {rl_itemsize(out)};
    char *base[MAX_OPERANDS] = {out->data};
    uint64_t scalars[RL_MAP_MAX_INPUTS][2]; /* the widest element has 16 bytes */
    for (int i = 0; i < n; i++) {
        w.from[i] = (rl_dtype)in[i]->dtype;
        w.needs[i] = is_mask(m, i) ? RL_BOOL : kernel;
        base[i + 1] = in[i]->data;
        rl_broadcast_strides(in[i], ndim, shape, strides[i]);
        if (in[i]->numel == 1 && w.from[i] != w.needs[i]) { /* one value: convert it once */
            scalars[i][0] = 0;
            rl_convert(w.from[i], in[i]->data, 0, w.needs[i], scalars[i], 0, 1);
            w.from[i] = w.needs[i];
            base[i + 1] = (char *)scalars[i];
            memset(strides[i], 0, (size_t)ndim * sizeof(int64_t));
        }
        w.converts |= w.from[i] != w.needs[i];
        rows[i + 1] = strides[i];
        item[i + 1] = rl_dtype_size(w.from[i]);
    }
    if (out->numel) {
        rl_loop l;
        rl_loop_make(&l, ndim, shape, n + 1, rows, item);
        rl_loop_lengthen(&l);
        rl_loop_run(&l, base, GRAIN, w.converts ? run_converting : run_direct, &w);
    }
done:
    for (int i = 0; i < n; i++)
        rl_release(copies[i]);
    return out;
}

/* ---- the short way ---- */

struct flat {
    rl_map_fn *kernel;
    const rl_kargs *args;
    int n;
    char **p;
    const ptrdiff_t *s;
};

static void run_flat(int64_t begin, int64_t end, void *context)
{
    const struct flat *f = context;
    char *p[MAX_OPERANDS];
    for (int i = 0; i < f->n; i++)
        p[i] = f->p[i] + begin * f->s[i];
    f->kernel((size_t)(end - begin), p, f->s, f->args);
}

/* Whether x, of fewer elements than lead, both row-major, is repeated for every stretch of *n
 * elements of lead (a row, *column false) or has one element for each such stretch (a column). */
static bool row_or_column(const rl_tensor *lead, const rl_tensor *x, int64_t *n, bool *column)
{
    int ones = 0, ndim = x->ndim, d;
    while (ones < ndim && x->shape[ones] == 1)
        ones++;
    if (ndim > lead->ndim || lead->numel == 0)
        return false;
    int lacking = lead->ndim - ndim;
    for (d = ones; d < ndim && x->shape[d] == lead->shape[d + lacking]; d++)
        ;
    if (d == ndim) {
        *n = x->numel;
        *column = false;
        return true;
    }
    if (lacking)
        return false;
    *n = 1;
    for (d = ndim - 1; d >= 0 && x->shape[d] == 1; d--)
        *n *= lead->shape[d];
    for (; d >= 0; d--)
        if (x->shape[d] != lead->shape[d])
            return false;
    *column = true;
    return true;
}

/* Whether writing out (row-major) would change x (row-major) before it is read at the same place.
 */
static bool in_the_way(const rl_tensor *out, const rl_tensor *x, bool same_shape)
{
    if (x->data == out->data && same_shape && x->dtype == out->dtype)
        return false;
    return x->data < out->data + out->numel * (int64_t)rl_itemsize(out) &&
           out->data < x->data + x->numel * (int64_t)rl_itemsize(x);
}

/* Whether dims of size 1 have the strides of a new tensor too: results of broadcasting take over
 * others. */
static bool plain_strides(const rl_tensor *t)
{
    int64_t expected = 1;
    for (int d = t->ndim - 1; d >= 0; d--) {
        if (t->strides[d] != expected)
            return false;
        expected *= t->shape[d] > 1 ? t->shape[d] : 1;
    }
    return true;
}

/* All inputs row-major and of one dtype; of one shape but for 0-dim ones, which may be numbers of a
 * lower category, and, of two inputs, a row or a column; the output, if given, row-major too.
 * Returns false when the case is not that simple; nothing has happened then. */
static bool map_short(const rl_map *m, rl_tensor **result)
{
    rl_tensor *lead = m->in[0], *out = m->out;
    int n = m->n;
    int64_t inner = 0; /* elements per stretch when an input is a row or column, and by how much
                          each moves on */
    ptrdiff_t s[MAX_OPERANDS], step[MAX_OPERANDS];
    char *p[MAX_OPERANDS];
    uint64_t scalars[RL_MAP_MAX_INPUTS][2];
    bool broadcasts = false;
    if (rl_map_mask_first(m->op))
        return false;
    if (n > 1 && (lead->ndim == 0 || (n == 2 && lead->numel < m->in[1]->numel)))
        lead = m->in[1];
    if (!lead->contiguous || rl_is_wrapped_number(lead))
        return false;
    rl_dtype dtype = (rl_dtype)lead->dtype, writes = kernel_output(m->op, dtype);
    rl_map_fn *kernel = rl_kernel_table.map[m->op][dtype];
    if (!kernel)
        return false;
    switch (m->typing) {
    case RL_TYPE_FLOAT:
        if (!rl_is_floating(dtype))
            return false; /* fall through */
    case RL_TYPE_PROMOTE:
        if (writes != dtype)
            return false;
        break;
    case RL_TYPE_BOOL:
        if (writes != RL_BOOL)
            return false;
        break;
    case RL_TYPE_FIXED:
        if (m->compute != dtype || m->result != writes)
            return false;
        break;
    }
    if (out && (out->dtype != writes || !out->contiguous || !rl_same_shape(out, lead) ||
                in_the_way(out, lead, true)))
        return false;
    ptrdiff_t item = (ptrdiff_t)rl_dtype_size(dtype);
    for (int i = 0; i < n; i++) {
        rl_tensor *x = m->in[i];
        p[i + 1] = x->data;
        s[i + 1] = item;
        if (x == lead)
            continue;
        if (x->ndim == 0 && lead->ndim > 0) {
            broadcasts = true;
            s[i + 1] = 0;
            /* A number of the same or a lower category leaves the dtype alone. */
            if (x->dtype != dtype &&
                !(rl_is_complex(dtype) ||
                  (rl_is_floating(dtype) && !rl_is_complex((rl_dtype)x->dtype)) ||
                  (rl_is_integral((rl_dtype)x->dtype, true) && dtype != RL_BOOL)))
                return false;
            rl_convert((rl_dtype)x->dtype, x->data, 0, dtype, scalars[i], 0, 1);
            p[i + 1] = (char *)scalars[i];
            continue;
        }
        if (x->dtype != dtype || !x->contiguous || rl_is_wrapped_number(x))
            return false;
        bool same = x->ndim == lead->ndim, column;
        for (int d = 0; d < x->ndim && same; d++)
            same = x->shape[d] == lead->shape[d];
        if (out && in_the_way(out, x, same))
            return false;
        if (same)
            continue;
        if (n != 2 || !row_or_column(lead, x, &inner, &column))
            return false;
        broadcasts = true;
        if (x->numel == 1) {
            inner = 0;
            s[i + 1] = 0;
            continue;
        }
        int other = 2 - i; /* where lead's pointer is */
        step[other] = inner * item;
        step[i + 1] = column ? item : 0;
        s[i + 1] = column ? 0 : item;
    }
    if (broadcasts && !out && !plain_strides(lead))
        return false;
    if (inner && lead->numel > GRAIN)
        return false;
    *result = out = out ? rl_retain(out) : rl_new(writes, lead->ndim, lead->shape);
    if (!out)
        return true;
    p[0] = out->data;
    s[0] = (ptrdiff_t)rl_dtype_size(writes);
    if (inner) {
        step[0] = inner * s[0];
        for (int64_t left = lead->numel; left > 0; left -= inner) {
            kernel((size_t)inner, p, s, &m->args);
            for (int i = 0; i < 3; i++)
                p[i] += step[i];
        }
    } else if (out->numel <= GRAIN) {
        kernel((size_t)out->numel, p, s, &m->args);
    } else {
        struct flat f = {kernel, &m->args, n + 1, p, s};
        rl_parallel_for(out->numel, GRAIN, run_flat, &f);
    }
    return true;
}

rl_tensor *rl_map_run(const rl_map *m)
{
    rl_tensor *result;
    for (int i = 0; i < m->n; i++)
        if (!m->in[i])
            return NULL;
    if (map_short(m, &result))
        return result;
    return map_general(m);
}
