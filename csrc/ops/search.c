/* search.c: places in sorted sequences: searchsorted, bucketize, isin. */
#include "core/alloc.h"
#include "core/iter.h"
#include "core/parallel.h"
#include "ops/map.h"
#include "ops/order.h"
#include "rushlight_ops.h"

struct lookup {
    rl_dtype dtype; /* of both: int64, float32 or float64 */
    bool right;
    const char *sequence, *values;
    int64_t n, per_row; /* of a sequence; values per sequence, -1: all share one */
    const int64_t *sorter;
    int64_t *out;
};

/* The first place whose element is at least v (right: above v); a nan is behind all.  Several
 * searches go side by side, none branching on what it finds: half the branches would be guessed
 * wrong, and each search waits for its own loads only. */
enum { SEARCHES = 8 };
#define FIND(T)                                                                                    \
    for (int64_t i = begin, m; i < end; i += m) {                                                  \
        int64_t row = w->per_row < 0 ? 0 : i / w->per_row, low[SEARCHES] = {0}, left = !w->right;  \
        int64_t last = w->per_row < 0 ? end : (row + 1) * w->per_row;                              \
        last = last < end ? last : end;                                                            \
        m = last - i < SEARCHES ? last - i : SEARCHES;                                             \
        const T *x = (const T *)w->sequence + row * w->n, *v = (const T *)w->values + i;           \
        const int64_t *sorter = w->sorter ? w->sorter + row * w->n : NULL;                         \
        for (int64_t n = w->n; n > 0; n /= 2) {                                                    \
            const int64_t half = n - n / 2;                                                        \
            for (int64_t k = 0; k < m; k++) {                                                      \
                const int64_t middle = low[k] + half - 1;                                          \
                const T at = x[sorter ? sorter[middle] : middle];                                  \
                low[k] += half & ((int64_t)((at > v[k]) | (left & (at == v[k]))) - 1);             \
            }                                                                                      \
        }                                                                                          \
        for (int64_t k = 0; k < m; k++)                                                            \
            w->out[i + k] = low[k];                                                                \
    }

static void run_lookup(int64_t begin, int64_t end, void *context)
{
    const struct lookup *w = context;
    if (w->dtype == RL_I64)
        FIND(int64_t)
    else if (w->dtype == RL_F32)
        FIND(float)
    else
        FIND(double)
}
#undef FIND

/* sequence: row-major after conversion; per_row as above. */
static rl_tensor *look_up(rl_tensor *sequence, rl_tensor *values, int64_t n, int64_t per_row,
                          rl_tensor *sorter, bool right, bool out_int32)
{
    if (sequence->dtype == RL_BOOL && values->dtype == RL_BOOL)
        return rl_fail(RL_ENOTIMPL, "\"searchsorted_out_cpu\" not implemented for 'Bool'");
    if (out_int32 && n > INT32_MAX)
        return rl_fail(RL_ERUNTIME,
                       "torch.searchsorted(): the size of boundaries' last dimension should be "
                       "less than %d, but we got %lld",
                       INT32_MAX, (long long)n);
    rl_dtype common = rl_result_type(2, (rl_tensor *[]){sequence, values});
    rl_dtype compute = rl_is_integral(common, true) ? RL_I64 : common == RL_F64 ? RL_F64 : RL_F32;
    RL_TEMP *rows = rl_cast_data(sequence, compute);
    RL_TEMP *wanted = rl_cast_data(values, compute);
    RL_TEMP *order = sorter ? rl_contiguous_data(sorter) : NULL;
    RL_TEMP *z = rl_new(RL_I64, values->ndim, values->shape);
    if (!rows || !wanted || !z || (sorter && !order))
        return NULL;
    struct lookup w = {compute,
                       right,
                       rows->data,
                       wanted->data,
                       n,
                       per_row,
                       order ? (const int64_t *)order->data : NULL,
                       (int64_t *)z->data};
    if (z->numel)
        rl_parallel_for(z->numel, 4096, run_lookup, &w);
    return out_int32 ? rl_cast_data(z, RL_I32) : rl_retain(z);
}

rl_tensor *rl_bucketize(rl_tensor *input, rl_tensor *boundaries, bool out_int32, bool right)
{
    if (!input || !boundaries)
        return NULL;
    if (boundaries->ndim != 1)
        return rl_fail(RL_ERUNTIME, "boundaries tensor must be 1 dimension, but got dim(%d)",
                       boundaries->ndim);
    return look_up(boundaries, input, boundaries->numel, -1, NULL, right, out_int32);
}

static rl_status check_sorter(rl_tensor *sorter, const rl_tensor *sequence)
{
    if (sorter->dtype != RL_I64)
        return rl_error(
            RL_ERUNTIME,
            "torch.searchsorted(): sorter must be a tensor of long dtype but got dtype %s",
            rl_dtype_title((rl_dtype)sorter->dtype));
    if (!rl_same_shape(sorter, sequence))
        return rl_error(
            RL_ERUNTIME,
            "torch.searchsorted(): boundary and sorter must have the same size, but got "
            "boundary tensor %sand got sorter tensor %s",
            rl_shape_str(sequence).s, rl_shape_str(sorter).s);
    RL_TEMP *rows = rl_contiguous_data(sorter);
    if (!rows)
        return rl_error_code();
    const int64_t *v = (const int64_t *)rows->data;
    int64_t n = sequence->ndim ? sequence->shape[sequence->ndim - 1] : 1;
    for (int64_t i = 0; i < rows->numel; i++)
        if (v[i] < 0 || v[i] >= n)
            return rl_error(RL_ERUNTIME, "torch.searchsorted(): sorter index out of range");
    return RL_OK;
}

rl_tensor *rl_searchsorted(rl_tensor *sequence, rl_tensor *input, bool out_int32, bool right,
                           const char *side, rl_tensor *sorter)
{
    if (!sequence || !input)
        return NULL;
    if (side && strcmp(side, "left") && strcmp(side, "right"))
        return rl_fail(RL_ERUNTIME,
                       "torch.searchsorted(): side can only be 'left' or 'right' but got %s", side);
    if (side && right && !strcmp(side, "left"))
        return rl_fail(RL_ERUNTIME, "torch.searchsorted(): side and right can't be set to "
                                    "opposites, got side of left while right was True");
    right = right || (side && !strcmp(side, "right"));
    if (sequence->ndim != 1 && (input->ndim == 0 || sequence->ndim == 0))
        return rl_fail(RL_ERUNTIME,
                       "torch.searchsorted(): input value can be a scalar only when boundaries "
                       "tensor dimension is 1, but we got boundaries tensor dim(%d) and input "
                       "value's dim(%d) numel(%lld)",
                       sequence->ndim, input->ndim, (long long)input->numel);
    bool match = sequence->ndim == input->ndim;
    for (int d = 0; match && d < sequence->ndim - 1; d++)
        match = sequence->shape[d] == input->shape[d];
    if (sequence->ndim != 1 && !match)
        return rl_fail(RL_ERUNTIME,
                       "torch.searchsorted(): boundaries tensor should be 1 dimension or the first "
                       "N-1 dimensions of boundaries tensor and input value tensor must match, but "
                       "we got boundaries tensor %s and input value tensor %s",
                       rl_shape_str(sequence).s, rl_shape_str(input).s);
    if (sorter && check_sorter(sorter, sequence))
        return NULL;
    int64_t n = sequence->shape[sequence->ndim - 1];
    int64_t per_row = sequence->ndim == 1 ? -1 : input->shape[input->ndim - 1];
    return look_up(sequence, input, n, per_row, sorter, right, out_int32);
}

/* ---- isin ---- */

struct members {
    rl_dtype dtype;
    const rl_entry *sorted;
    int64_t n;
    bool invert, floats;
    const char *x;
    bool *out;
};

static void run_members(int64_t begin, int64_t end, void *context)
{
    enum { BLOCK = 256 };
    const struct members *w = context;
    rl_entry block[BLOCK];
    ptrdiff_t size = (ptrdiff_t)rl_dtype_size(w->dtype);
    for (int64_t at = begin; at < end; at += BLOCK) {
        int64_t count = end - at < BLOCK ? end - at : BLOCK;
        rl_entries_make(w->dtype, w->x + at * size, size, count, false, block);
        for (int64_t i = 0; i < count; i++) {
            int64_t low = 0, high = w->n;
            while (low < high) {
                int64_t middle = low + (high - low) / 2;
                if (w->sorted[middle].key < block[i].key)
                    low = middle + 1;
                else
                    high = middle;
            }
            bool found = low < w->n && w->sorted[low].key == block[i].key &&
                         !(w->floats && block[i].key == RL_KEY_NAN);
            w->out[at + i] = found != w->invert;
        }
    }
}

rl_tensor *rl_isin(rl_tensor *elements, rl_tensor *tests, bool assume_unique, bool invert)
{
    if (!elements || !tests)
        return NULL;
    for (int i = 0; i < 2; i++)
        if ((i ? tests : elements)->dtype == RL_BOOL)
            return rl_fail(RL_ERUNTIME, "Unsupported input type encountered for isin(): Bool");
    rl_dtype common = rl_result_type(2, (rl_tensor *[]){elements, tests});
    RL_TEMP *x = rl_cast_data(elements, common);
    RL_TEMP *set = rl_cast_data(tests, common);
    RL_TEMP *z = rl_new(RL_BOOL, elements->ndim, elements->shape);
    if (!x || !set || !z)
        return NULL;
    if (set->numel == 1) {
        RL_TEMP *one = rl_new_view(set, 0, NULL, NULL, set->offset);
        return rl_map2(invert ? RL_MAP_NE : RL_MAP_EQ, RL_TYPE_BOOL, "isin", x, one, NULL);
    }
    size_t bytes = 2 * ((size_t)set->numel + 1) * sizeof(rl_entry);
    rl_entry *buffer = rl_alloc(bytes);
    if (!buffer)
        return NULL;
    ptrdiff_t size = (ptrdiff_t)rl_dtype_size(common);
    rl_entries_make(common, set->data, size, set->numel, false, buffer);
    struct members w = {common,
                        rl_entries_sort(buffer, buffer + set->numel, set->numel),
                        set->numel,
                        invert,
                        rl_is_floating(common),
                        x->data,
                        (bool *)z->data};
    if (z->numel)
        rl_parallel_for(z->numel, 4096, run_members, &w);
    rl_free(buffer, bytes);
    return rl_retain(z);
}

rl_tensor *rl_isin_number(rl_scalar element, rl_tensor *tests, bool assume_unique, bool invert)
{
    RL_TEMP *number = rl_wrap_number(element);
    return rl_isin(number, tests, assume_unique, invert);
}
