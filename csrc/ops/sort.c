/* sort.c: sort, argsort, topk, kthvalue.
 *
 * Every element becomes an unsigned key whose order is that of the values: nan above all numbers,
 * -0 equal to 0.  Keys are sorted together with their places, stably, so equal elements keep their
 * order in both directions, for every dtype by the same code. */
#include "core/alloc.h"
#include "core/iter.h"
#include "ops/element.h"
#include "ops/index.h"
#include "ops/order.h"

/* ---- keys ---- */

static uint64_t float_key(double v)
{
    if (v != v)
        return UINT64_MAX;
    v += 0.0; /* -0 -> 0 */
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits >> 63 ? ~bits : bits | 1ull << 63;
}

void rl_entries_make(rl_dtype dtype, const char *x, ptrdiff_t stride, int64_t n, bool descending,
                     rl_entry *out)
{
    uint64_t flip = descending ? UINT64_MAX : 0;
#define KEYS(T, expression)                                                                        \
    for (int64_t i = 0; i < n; i++) {                                                              \
        T v;                                                                                       \
        memcpy(&v, x + i * stride, sizeof v);                                                      \
        out[i] = (rl_entry){(expression) ^ flip, i};                                               \
    }                                                                                              \
    break;
    const uint64_t top = 1ull << 63;
    switch (dtype) {
    case RL_BOOL:
    case RL_U8:
        KEYS(uint8_t, (uint64_t)v)
    case RL_I8:
        KEYS(int8_t, (uint64_t)(int64_t)v ^ top)
    case RL_I16:
        KEYS(int16_t, (uint64_t)(int64_t)v ^ top)
    case RL_I32:
        KEYS(int32_t, (uint64_t)(int64_t)v ^ top)
    case RL_I64:
        KEYS(int64_t, (uint64_t)v ^ top)
    case RL_F32:
        KEYS(float, float_key((double)v))
    case RL_F64:
        KEYS(double, float_key(v))
    default:
        for (int64_t i = 0; i < n; i++) {
            float v;
            rl_convert(dtype, x + i * stride, 2, RL_F32, &v, 4, 1);
            out[i] = (rl_entry){float_key((double)v) ^ flip, i};
        }
    }
#undef KEYS
}

/* ---- stable sorting ---- */

static void insertion_sort(rl_entry *v, int64_t n)
{
    for (int64_t i = 1; i < n; i++) {
        rl_entry e = v[i];
        int64_t j = i;
        for (; j > 0 && v[j - 1].key > e.key; j--)
            v[j] = v[j - 1];
        v[j] = e;
    }
}

/* Least significant byte first; bytes that all keys share are passed over.  Returns where the
 * result is. */
static rl_entry *radix_sort(rl_entry *v, rl_entry *spare, int64_t n)
{
    uint64_t all = 0, common = UINT64_MAX;
    for (int64_t i = 0; i < n; i++) {
        all |= v[i].key;
        common &= v[i].key;
    }
    for (int byte = 0; byte < 8; byte++) {
        int shift = 8 * byte;
        if (((all ^ common) >> shift & 255) == 0)
            continue;
        int64_t count[256] = {0}, sum = 0;
        for (int64_t i = 0; i < n; i++)
            count[v[i].key >> shift & 255]++;
        for (int b = 0; b < 256; b++) {
            int64_t c = count[b];
            count[b] = sum;
            sum += c;
        }
        for (int64_t i = 0; i < n; i++)
            spare[count[v[i].key >> shift & 255]++] = v[i];
        rl_entry *swap = v;
        v = spare;
        spare = swap;
    }
    return v;
}

static rl_entry *merge_sort(rl_entry *v, rl_entry *spare, int64_t n)
{
    enum { RUN = 16 };
    for (int64_t i = 0; i < n; i += RUN)
        insertion_sort(v + i, n - i < RUN ? n - i : RUN);
    for (int64_t width = RUN; width < n; width *= 2) {
        for (int64_t start = 0; start < n; start += 2 * width) {
            int64_t a = start, middle = start + width < n ? start + width : n, b = middle;
            int64_t end = start + 2 * width < n ? start + 2 * width : n;
            for (int64_t to = start; to < end; to++)
                spare[to] = b >= end || (a < middle && v[a].key <= v[b].key) ? v[a++] : v[b++];
        }
        rl_entry *swap = v;
        v = spare;
        spare = swap;
    }
    return v;
}

rl_entry *rl_entries_sort(rl_entry *v, rl_entry *spare, int64_t n)
{
    return n < 1024 ? merge_sort(v, spare, n) : radix_sort(v, spare, n);
}

/* ---- the first few ---- */

static bool before(rl_entry a, rl_entry b) { return a.key != b.key ? a.key < b.key : a.at < b.at; }

/* Restores the heap (largest entry on top) below place i. */
static void sift(rl_entry *heap, int64_t n, int64_t i)
{
    rl_entry e = heap[i];
    for (int64_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && before(heap[child], heap[child + 1]))
            child++;
        if (!before(e, heap[child]))
            break;
        heap[i] = heap[child];
    }
    heap[i] = e;
}

/* Moves the k first entries of the order to the front, sorted: v[0..k) is a heap of the first ones
 * so far, and an entry enters only by displacing the last of them. */
static void sort_first(rl_entry *v, int64_t n, int64_t k)
{
    for (int64_t i = k / 2 - 1; i >= 0; i--)
        sift(v, k, i);
    for (int64_t i = k; i < n; i++) {
        if (v[i].key >= v[0].key) /* of equal keys the earlier stays */
            continue;
        v[0] = v[i];
        sift(v, k, 0);
    }
    for (int64_t i = k - 1; i > 0; i--) {
        rl_entry last = v[0];
        v[0] = v[i];
        v[i] = last;
        sift(v, i, 0);
    }
}

/* ---- the median ---- */

/* Entries of a row, block by block; a row of one block is made once. */
enum { BLOCK = 512, WHOLE = 16384 };
typedef struct blocks {
    rl_entry *v;
    int64_t size;
    bool made;
} blocks;

#define FOR_ENTRIES(...)                                                                           \
    for (int64_t start = 0; start < n; start += b.size) {                                          \
        int64_t length = n - start < b.size ? n - start : b.size;                                  \
        if (!b.made)                                                                               \
            rl_entries_make(dtype, x + start * stride, stride, length, false, b.v);                \
        b.made = b.size >= n;                                                                      \
        for (int64_t i = 0; i < length; i++)                                                       \
            __VA_ARGS__                                                                            \
    }

/* Keys are counted in slots of equal width between the least and the largest; only the entries of
 * the slot that holds the median are kept and sorted. */
static rl_status median(blocks b, rl_dtype dtype, const char *x, ptrdiff_t stride, int64_t n,
                        bool skip_nan, int64_t *at)
{
    enum { SLOTS = 4096 };
    uint64_t least = UINT64_MAX, most = 0;
    int64_t numbers = 0, hole = -1;
    bool floats = rl_is_floating(dtype);
    FOR_ENTRIES({
        uint64_t key = b.v[i].key;
        if (floats && key == RL_KEY_NAN) {
            hole = hole < 0 ? start + i : hole;
            continue;
        }
        least = key < least ? key : least;
        most = key > most ? key : most;
        numbers++;
    })
    if (numbers == 0 || (hole >= 0 && !skip_nan)) {
        *at = hole;
        return RL_OK;
    }
    uint64_t slots = n < 1024 ? 64 : SLOTS;
    uint64_t width = (most - least) / slots + 1; /* shift: the next power of two */
    int shift = width > 1 ? 64 - __builtin_clzll(width - 1) : 0;
    int64_t count[SLOTS + 1], k = (numbers - 1) / 2, slot = 0;
    memset(count, 0, (slots + 1) * sizeof *count);
    FOR_ENTRIES({
        if (b.v[i].key <= most) /* not a nan */
            count[(b.v[i].key - least) >> shift]++;
    })
    for (; k >= count[slot]; slot++)
        k -= count[slot];
    int64_t kept = 0;
    rl_entry few[128];
    size_t bytes = 2 * (size_t)count[slot] * sizeof(rl_entry);
    rl_entry *buffer = bytes <= sizeof few ? few : rl_alloc(bytes);
    if (!buffer)
        return RL_EMEMORY;
    FOR_ENTRIES({
        uint64_t key = b.v[i].key;
        if (key <= most && (int64_t)((key - least) >> shift) == slot)
            buffer[kept++] = (rl_entry){key, start + i};
    })
    *at = shift == 0 ? buffer[k].at : rl_entries_sort(buffer, buffer + kept, kept)[k].at;
    if (buffer != few)
        rl_free(buffer, bytes);
    return RL_OK;
}
#undef FOR_ENTRIES

rl_status rl_entries_median(rl_dtype dtype, const char *x, ptrdiff_t stride, int64_t n,
                            bool skip_nan, int64_t *at)
{
    rl_entry block[BLOCK];
    if (n <= BLOCK || n > WHOLE)
        return median((blocks){block, BLOCK, false}, dtype, x, stride, n, skip_nan, at);
    size_t bytes = (size_t)n * sizeof(rl_entry);
    rl_entry *all = rl_alloc(bytes);
    if (!all)
        return RL_EMEMORY;
    rl_status status = median((blocks){all, n, false}, dtype, x, stride, n, skip_nan, at);
    rl_free(all, bytes);
    return status;
}

/* ---- rows ---- */

/* For every row along dim: the entries in order, of which `count` from `first` on go to values and
 * indices (same shape, `count` along dim). */
static rl_status sort_rows(rl_tensor *x, int dim, bool descending, int64_t first, int64_t count,
                           rl_tensor *values, rl_tensor *indices)
{
    int64_t shape[RL_MAX_DIMS], sx[RL_MAX_DIMS], sv[RL_MAX_DIMS], si[RL_MAX_DIMS],
        none[RL_MAX_DIMS];
    int ndim = rl_at_least_1d(x, shape, sx);
    rl_at_least_1d(values, none, sv);
    rl_at_least_1d(indices, none, si);
    int64_t n = shape[dim], rows = 1, at[RL_MAX_DIMS] = {0};
    size_t item = rl_itemsize(x), bytes = 2 * (size_t)n * sizeof(rl_entry);
    for (int d = 0; d < ndim; d++)
        rows *= d == dim ? 1 : shape[d];
    if (rows == 0 || n == 0 || count == 0)
        return RL_OK;
    rl_entry *buffer = rl_alloc(bytes);
    if (!buffer)
        return RL_EMEMORY;
    const char *px = x->data;
    char *pv = values->data;
    int64_t *pi = (int64_t *)indices->data;
    for (int64_t r = 0; r < rows; r++) {
        rl_entries_make((rl_dtype)x->dtype, px, sx[dim] * (ptrdiff_t)item, n, descending, buffer);
        const rl_entry *sorted = buffer;
        if ((first + count) * 8 < n)
            sort_first(buffer, n, first + count);
        else
            sorted = rl_entries_sort(buffer, buffer + n, n);
        for (int64_t i = 0; i < count; i++) {
            int64_t from = sorted[first + i].at;
            rl_element_copy(item, pv + i * sv[dim] * (ptrdiff_t)item,
                            px + from * sx[dim] * (ptrdiff_t)item);
            pi[i * si[dim]] = from;
        }
        for (int d = ndim - 1; d >= 0; d--) {
            if (d == dim)
                continue;
            px += sx[d] * (ptrdiff_t)item;
            pv += sv[d] * (ptrdiff_t)item;
            pi += si[d];
            if (++at[d] < shape[d])
                break;
            px -= sx[d] * shape[d] * (ptrdiff_t)item;
            pv -= sv[d] * shape[d] * (ptrdiff_t)item;
            pi -= si[d] * shape[d];
            at[d] = 0;
        }
    }
    rl_free(buffer, bytes);
    return RL_OK;
}

/* dx: g at the places the values came from.  args: dim, and whether dim is missing from g. */
static rl_status pick_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    if (!g[0])
        return RL_OK;
    int64_t dim = n->args.i[0];
    bool missing = n->args.i[1];
    RL_TEMP *index = rl_saved(n, 0);
    RL_TEMP *zeros =
        index ? rl_zeros_data((rl_dtype)g[0]->dtype, n->args.n_dims, n->args.dims) : NULL;
    RL_TEMP *at = zeros ? missing ? rl_unsqueeze(index, dim) : rl_retain(index) : NULL;
    RL_TEMP *from = at ? missing ? rl_unsqueeze(g[0], dim) : rl_retain(g[0]) : NULL;
    dx[0] = from ? rl_scatter(zeros, dim, at, from, NULL) : NULL;
    return rl_status_of(dx[0]);
}

static const rl_node_type sort_node = {"SortBackward0", pick_backward, 1, NULL};
static const rl_node_type topk_node = {"TopkBackward0", pick_backward, 1, NULL};
static const rl_node_type kthvalue_node = {"KthvalueBackward0", pick_backward, 1, NULL};

/* Hands out values and indices, the values with their history. */
static rl_status finish(const rl_node_type *type, rl_tensor *x, int64_t dim, bool missing,
                        rl_tensor *values, rl_tensor *indices, rl_tensor **out)
{
    out[0] = rl_retain(values);
    out[1] = rl_retain(indices);
    if (!rl_recording(x))
        return RL_OK;
    rl_node *n = rl_node_new_n(type, 2, out, 1, &x, 1);
    if (n) {
        rl_save(n, 0, indices);
        rl_node_set_dims(n, x->ndim, x->shape);
        n->args.i[0] = dim;
        n->args.i[1] = missing;
    }
    if (rl_record_n(n, 2, (rl_tensor *[]){values, NULL})) {
        rl_release(out[0]);
        rl_release(out[1]);
        out[0] = out[1] = NULL;
        return rl_error_code();
    }
    return RL_OK;
}

rl_status rl_sort(rl_tensor *x, int64_t dim, bool descending, bool stable, rl_tensor **out)
{
    out[0] = out[1] = NULL;
    if (!x || rl_wrap_dim(&dim, x->ndim))
        return rl_error_code();
    RL_TEMP *values = rl_new_like(x, (rl_dtype)x->dtype);
    RL_TEMP *indices = values ? rl_new_like(x, RL_I64) : NULL;
    if (!indices ||
        sort_rows(x, (int)dim, descending, 0, x->ndim ? x->shape[dim] : 1, values, indices))
        return rl_error_code();
    return finish(&sort_node, x, dim, false, values, indices, out);
}

rl_tensor *rl_argsort(rl_tensor *x, int64_t dim, bool descending, bool stable)
{
    rl_tensor *out[2];
    bool mode = rl_set_grad_enabled(false);
    rl_status status = rl_sort(x, dim, descending, stable, out);
    rl_set_grad_enabled(mode);
    if (status)
        return NULL;
    rl_release(out[0]);
    return out[1];
}

rl_tensor *rl_msort(rl_tensor *x)
{
    rl_tensor *out[2];
    if (rl_sort(x, 0, false, false, out))
        return NULL;
    rl_release(out[1]);
    return out[0];
}

rl_status rl_topk(rl_tensor *x, int64_t k, int64_t dim, bool largest, bool sorted, rl_tensor **out)
{
    out[0] = out[1] = NULL;
    if (!x || rl_wrap_dim(&dim, x->ndim))
        return rl_error_code();
    if (k < 0 || k > (x->ndim ? x->shape[dim] : 1))
        return rl_error(RL_ERUNTIME, "selected index k out of range");
    if (x->dtype == RL_BOOL)
        return rl_error(RL_ERUNTIME, "topk does not support bool dtypes on CPU");
    if (!x->ndim) /* a scalar is its own first, even of none */
        k = 1;
    int64_t shape[RL_MAX_DIMS], strides[RL_MAX_DIMS];
    rl_at_least_1d(x, shape, strides);
    shape[dim] = k;
    RL_TEMP *values = rl_new((rl_dtype)x->dtype, x->ndim, shape);
    RL_TEMP *indices = values ? rl_new(RL_I64, x->ndim, shape) : NULL;
    if (!indices || sort_rows(x, (int)dim, largest, 0, k, values, indices))
        return rl_error_code();
    return finish(&topk_node, x, dim, false, values, indices, out);
}

rl_status rl_kthvalue(rl_tensor *x, int64_t k, int64_t dim, bool keepdim, rl_tensor **out)
{
    out[0] = out[1] = NULL;
    if (!x || rl_wrap_dim(&dim, x->ndim))
        return rl_error_code();
    if (k < 1 || k > (x->ndim ? x->shape[dim] : 1))
        return rl_error(RL_ERUNTIME,
                        "kthvalue(): selected number k out of range for dimension %lld",
                        (long long)dim);
    if (x->dtype == RL_BOOL)
        return rl_error(RL_ENOTIMPL, "\"kthvalue_cpu\" not implemented for 'Bool'");
    int64_t shape[RL_MAX_DIMS], strides[RL_MAX_DIMS];
    int ndim = rl_at_least_1d(x, shape, strides);
    shape[dim] = 1;
    RL_TEMP *values = rl_new((rl_dtype)x->dtype, x->ndim, shape);
    RL_TEMP *indices = values ? rl_new(RL_I64, x->ndim, shape) : NULL;
    if (!indices || sort_rows(x, (int)dim, false, k - 1, 1, values, indices))
        return rl_error_code();
    bool missing = !keepdim && x->ndim > 0;
    if (missing) {
        for (int d = (int)dim; d + 1 < ndim; d++)
            shape[d] = shape[d + 1];
        if (rl_tensor_set_geometry(values, ndim - 1, shape, NULL) ||
            rl_tensor_set_geometry(indices, ndim - 1, shape, NULL))
            return rl_error_code();
    }
    return finish(&kthvalue_node, x, dim, missing, values, indices, out);
}
