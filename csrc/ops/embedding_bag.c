/* embedding_bag.c: sums, means and maxima of rows of a table. */
#include "core/iter.h"
#include "core/parallel.h"
#include "ops/embedding.h"
#include "ops/index.h"
#include "ops/map.h"
#include "ops/rows.h"

enum { SUM, MEAN, MAX };

/* A prepared call.  Everything is row-major and owned; index, first: int64. */
struct bags {
    int mode;
    int64_t n, count, rows, size, padding; /* indices, bags, the table's shape, -1 for none */
    rl_tensor *table;                      /* (rows, size) */
    rl_tensor *index;                      /* (n) */
    rl_tensor *first;  /* (count + 1): where the bags begin, and where the last ends */
    rl_tensor *factor; /* (n), float64: per_sample_weights; or NULL */
    rl_tensor *out;    /* (count, size) */
    rl_tensor *bag;    /* (n): which bag an index is in */
    rl_tensor *filled; /* (count): indices that are not padding */
    rl_tensor *source; /* (count, size): the row a maximum came from; or NULL */
};

static void bags_free(struct bags *b)
{
    rl_tensor *all[] = {b->table, b->index, b->first,  b->factor,
                        b->out,   b->bag,   b->filled, b->source};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        rl_release(all[i]);
}

static inline int64_t *longs(rl_tensor *t) { return (int64_t *)t->data; }

/* ---- forward: columns in blocks that fit the stack, accumulated in float32 or float64 ---- */

#define BLOCK 512

/* best = x where x > best, or at the first row; nan counts only as the first. */
#define TAKE_LARGER(name, T)                                                                       \
    static void name(T *best, const T *x, int64_t n, bool first, int64_t row, int64_t *source)     \
    {                                                                                              \
        for (int64_t i = 0; i < n; i++)                                                            \
            if (first || x[i] > best[i]) {                                                         \
                best[i] = x[i];                                                                    \
                source[i] = row;                                                                   \
            }                                                                                      \
    }
TAKE_LARGER(take_larger_f32, float)
TAKE_LARGER(take_larger_f64, double)

static void one_block(const struct bags *b, int64_t bag, int64_t column, int64_t width)
{
    rl_dtype dtype = (rl_dtype)b->table->dtype, compute = rl_rows_dtype(dtype);
    size_t item = rl_dtype_size(dtype), wide = rl_dtype_size(compute);
    _Alignas(64) char sum[BLOCK * 8], row_wide[BLOCK * 8];
    char *out = b->out->data + (size_t)(bag * b->size + column) * item;
    int64_t *source = b->source ? longs(b->source) + bag * b->size + column : NULL;
    const int64_t *index = longs(b->index), *first_of = longs(b->first);
    const double *factor = b->factor ? (const double *)b->factor->data : NULL;
    memset(sum, 0, (size_t)width * wide);
    bool first = true;
    for (int64_t i = first_of[bag]; i < first_of[bag + 1]; i++) {
        int64_t row = index[i];
        if (row == b->padding)
            continue;
        char *x = b->table->data + (size_t)(row * b->size + column) * item;
        if (dtype != compute) {
            rl_convert(dtype, x, (ptrdiff_t)item, compute, row_wide, (ptrdiff_t)wide,
                       (size_t)width);
            x = row_wide;
        }
        if (b->mode == MAX && compute == RL_F64) {
            take_larger_f64((double *)sum, (const double *)x, width, first, row, source);
        } else if (b->mode == MAX) {
            take_larger_f32((float *)sum, (const float *)x, width, first, row, source);
        } else {
            char *p[] = {sum, sum, x};
            ptrdiff_t s[] = {(ptrdiff_t)wide, (ptrdiff_t)wide, (ptrdiff_t)wide};
            rl_kargs args = {.f = {factor ? factor[i] : 1}};
            rl_kernel_table.map[factor ? RL_MAP_ADD_SCALED : RL_MAP_ADD][compute]((size_t)width, p,
                                                                                  s, &args);
        }
        first = false;
    }
    if (b->mode == MEAN && !first) {
        double count = (double)longs(b->filled)[bag];
        float count_f32 = (float)count;
        char *p[] = {sum, sum, compute == RL_F64 ? (char *)&count : (char *)&count_f32};
        ptrdiff_t s[] = {(ptrdiff_t)wide, (ptrdiff_t)wide, 0};
        rl_kernel_table.map[RL_MAP_DIV][compute]((size_t)width, p, s, &(rl_kargs){{0}, {0}});
    }
    rl_convert(compute, sum, (ptrdiff_t)wide, dtype, out, (ptrdiff_t)item, (size_t)width);
}

static void some_bags(int64_t begin, int64_t end, void *context)
{
    const struct bags *b = context;
    for (int64_t bag = begin; bag < end; bag++)
        for (int64_t column = 0; column < b->size; column += BLOCK)
            one_block(b, bag, column, b->size - column < BLOCK ? b->size - column : BLOCK);
}

/* ---- checks ---- */

static rl_status check_types(const rl_tensor *weight, const rl_tensor *indices,
                             const rl_tensor *offsets, const rl_tensor *factor, int64_t mode)
{
    static const char name[] = "embedding_bag";
    if (mode < SUM || mode > MAX)
        return rl_error(RL_ERUNTIME, "`mode` must be sum, mean, or max.");
    if (rl_check_indices(indices, 1, name) || rl_check_indices(offsets, 1, name))
        return RL_ERUNTIME;
    if (!rl_is_floating((rl_dtype)weight->dtype))
        return rl_error(RL_ERUNTIME,
                        "Expected tensor for argument #1 'weight' to have one of the following "
                        "scalar types: Half, BFloat16, Float, Double; but got torch.%sTensor "
                        "instead (while checking arguments for %s)",
                        rl_dtype_title((rl_dtype)weight->dtype), name);
    if (weight->ndim != 2)
        return rl_error(RL_ERUNTIME, "weight has to be a 2D Tensor, but got Tensor of dimension %d",
                        weight->ndim);
    if (indices->ndim != 1)
        return rl_error(RL_ERUNTIME, "input has to be a 1D Tensor, but got Tensor of dimension %d",
                        indices->ndim);
    if (offsets->ndim != 1)
        return rl_error(RL_ERUNTIME,
                        "offsets has to be a 1D Tensor, but got Tensor of dimension %d",
                        offsets->ndim);
    if (factor && mode != SUM)
        return rl_error(RL_ERUNTIME,
                        "embedding_bag: per_sample_weights only supported with mode='sum'");
    if (factor && factor->dtype != weight->dtype)
        return rl_error(RL_ERUNTIME,
                        "Expected tensor for argument #1 'weight' to have the same type as tensor "
                        "for argument #1 'per_sample_weights'; but type torch.%sTensor does not "
                        "equal torch.%sTensor (while checking arguments for %s)",
                        rl_dtype_title((rl_dtype)weight->dtype),
                        rl_dtype_title((rl_dtype)factor->dtype), name);
    if (factor && !rl_has_shape(factor, 1, indices->shape))
        return rl_error(RL_ERUNTIME,
                        "expected per_sample_weights to be a 1D tensor of the indices' size %lld",
                        (long long)indices->shape[0]);
    return RL_OK;
}

/* Fills b->first from the offsets. */
static rl_status read_offsets(struct bags *b, rl_tensor *offsets, bool include_last)
{
    int64_t given = offsets->shape[0];
    if (include_last && given < 1)
        return rl_error(RL_ERUNTIME, "include_last_offset: number of offset should be at least 1");
    b->count = include_last ? given - 1 : given;
    int64_t ends = b->count + 1;
    RL_TEMP *values = rl_index_values(offsets);
    b->first = values ? rl_new(RL_I64, 1, &ends) : NULL;
    if (!b->first)
        return rl_error_code();
    const int64_t *v = longs(values);
    int64_t *first = longs(b->first);
    first[b->count] = b->n; /* unless the offsets say so */
    for (int64_t i = 0; i < given; i++)
        first[i] = v[i];
    if (given && v[0] != 0)
        return rl_error(RL_ERUNTIME,
                        "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to "
                        "start from position 0. However, got %lld",
                        (long long)v[0]);
    if (given && v[given - 1] > b->n)
        return rl_error(RL_ERUNTIME,
                        "offsets[-1] can not be greater than input's length %lld but got "
                        "offsets[-1] of %lld",
                        (long long)b->n, (long long)v[given - 1]);
    for (int64_t i = 1; i < given; i++)
        if (v[i] < v[i - 1])
            return rl_error(RL_ERUNTIME,
                            "offsets have to rise, but offsets[%lld] is %lld after %lld",
                            (long long)i, (long long)v[i], (long long)v[i - 1]);
    return RL_OK;
}

/* Checks the indices and notes which bag each is in, and how many count in each bag.  An index
 * beyond the last bag (include_last_offset) belongs to none: it is treated as padding's. */
static rl_status read_indices(struct bags *b, rl_tensor *indices)
{
    b->index = rl_index_values(indices);
    b->bag = b->index ? rl_zeros_data(RL_I64, 1, &b->n) : NULL;
    b->filled = b->bag ? rl_zeros_data(RL_I64, 1, &b->count) : NULL;
    if (!b->filled)
        return rl_error_code();
    const int64_t *index = longs(b->index), *first = longs(b->first);
    for (int64_t i = 0; i < b->n; i++)
        if (index[i] < 0 || index[i] >= b->rows)
            return rl_error(RL_ERUNTIME,
                            "Index %lld of input takes value %lld which is not in the valid range "
                            "[0, %lld)",
                            (long long)i, (long long)index[i], (long long)b->rows);
    for (int64_t bag = 0; bag < b->count; bag++)
        for (int64_t i = first[bag]; i < first[bag + 1]; i++) {
            longs(b->bag)[i] = bag;
            longs(b->filled)[bag] += index[i] != b->padding;
        }
    return RL_OK;
}

/* ---- derivative ----
 * sum, mean: dweight[row of i] += g[bag of i] f, f the sample's weight or 1 / size of the bag;
 * d(sample's weight)[i] = weight[row of i] . g[bag of i];  max: dweight[source[b][d]][d] +=
 * g[b][d]. args: dims weight's shape and n; i0 mode, i1 whether to scale by frequency.  Saved: 0
 * the rows that count, 1 their bags, 2 their positions (none: all), 3 sizes of bags (mean, max), 4
 * source (max), 5 weights of samples, 6 weight (where those want a gradient). */
enum { ROW, BAG, KEPT, FILLED, SOURCE, FACTOR, WEIGHT, N_SAVED };

static rl_tensor *max_backward(rl_node *n, rl_tensor *g)
{
    RL_TEMP *source = rl_saved(n, SOURCE);
    RL_TEMP *filled = rl_saved(n, FILLED);
    RL_TEMP *column = filled ? rl_unsqueeze(filled, 1) : NULL;
    RL_TEMP *zero = rl_wrap_number(rl_int(0));
    RL_TEMP *counts = column && zero ? rl_gt(column, zero) : NULL;
    RL_TEMP *some = counts ? rl_where(counts, g, zero) : NULL;
    RL_TEMP *zeros = rl_zeros_data((rl_dtype)g->dtype, 2, n->args.dims);
    return some && zeros && source ? rl_scatter_add(zeros, 0, source, some) : NULL;
}

/* (k, 1): what a row is multiplied by in its bag; NULL and no error: by 1. */
static rl_tensor *sample_factor(rl_node *n, rl_tensor *bag, rl_tensor *kept, rl_dtype dtype)
{
    if (rl_has_saved(n, FACTOR)) {
        RL_TEMP *all = rl_saved(n, FACTOR);
        RL_TEMP *some = kept && all ? rl_index_select(all, 0, kept) : rl_retain(all);
        return some ? rl_unsqueeze(some, 1) : NULL;
    }
    if (n->args.i[0] != MEAN)
        return NULL;
    RL_TEMP *filled = rl_saved(n, FILLED);
    RL_TEMP *wide = filled ? rl_cast_data(filled, dtype) : NULL;
    RL_TEMP *some = wide ? rl_index_select(wide, 0, bag) : NULL;
    RL_TEMP *column = some ? rl_unsqueeze(some, 1) : NULL;
    return column ? rl_reciprocal(column) : NULL;
}

static rl_status bag_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    if (!g[0])
        return RL_OK;
    if (n->args.i[0] == MAX) {
        dx[0] = max_backward(n, g[0]);
        return RL_DONE(n, dx);
    }
    rl_dtype dtype = (rl_dtype)g[0]->dtype;
    RL_TEMP *row = rl_saved(n, ROW);
    RL_TEMP *bag = rl_saved(n, BAG);
    RL_TEMP *kept = rl_has_saved(n, KEPT) ? rl_saved(n, KEPT) : NULL;
    if (!row || !bag || (rl_has_saved(n, KEPT) && !kept))
        return rl_error_code();
    RL_TEMP *each = rl_index_select(g[0], 0, bag);
    if (!each)
        return rl_error_code();
    if (rl_wants(n, 1)) {
        RL_TEMP *weight = rl_saved(n, WEIGHT);
        RL_TEMP *rows = weight ? rl_index_select(weight, 0, row) : NULL;
        RL_TEMP *products = rl_mul(rows, each);
        RL_TEMP *sums =
            products ? rl_sum(products, (rl_ints){(int64_t[]){1}, 1}, false, RL_NO_DTYPE) : NULL;
        RL_TEMP *zeros = kept ? rl_zeros_data(dtype, 1, &n->args.dims[2]) : NULL;
        dx[1] = !kept           ? rl_retain(sums)
                : sums && zeros ? rl_index_add(zeros, 0, kept, sums, rl_int(1))
                                : NULL;
    }
    if (rl_wants(n, 0)) {
        RL_TEMP *factor = sample_factor(n, bag, kept, dtype);
        bool expected = rl_has_saved(n, FACTOR) || n->args.i[0] == MEAN;
        RL_TEMP *share = n->args.i[1] ? rl_inverse_counts(row, n->args.dims[0], dtype) : NULL;
        if ((expected && !factor) || (n->args.i[1] && !share))
            return rl_error_code();
        RL_TEMP *weighted = factor ? rl_mul(each, factor) : rl_retain(each);
        RL_TEMP *scaled = share ? rl_mul(weighted, share) : rl_retain(weighted);
        RL_TEMP *zeros = rl_zeros_data(dtype, 2, n->args.dims);
        dx[0] = scaled && zeros ? rl_index_add(zeros, 0, row, scaled, rl_int(1)) : NULL;
    }
    return RL_DONE(n, dx);
}

static const rl_node_type bag_node = {
    .name = "EmbeddingBagBackward0", .backward = bag_backward, .n_saved = N_SAVED};

/* Positions that count: in a bag and no padding.  NULL and no error: all. */
static rl_tensor *counting(const struct bags *b)
{
    int64_t end = longs(b->first)[b->count];
    bool all = true;
    RL_TEMP *inside = rl_new_view(b->index, 1, &end, (int64_t[]){1}, b->index->offset);
    RL_TEMP *kept = inside ? rl_kept_positions(inside, b->padding, &all) : NULL;
    if (!inside || (!all && !kept))
        return NULL;
    if (all && end < b->n)
        return rl_arange(rl_int(0), rl_int(end), rl_int(1), RL_I64);
    return rl_retain(kept);
}

static rl_status record(const struct bags *b, rl_tensor *weight, rl_tensor *factor, bool by_freq)
{
    rl_error_clear();
    RL_TEMP *kept = b->mode == MAX ? NULL : counting(b);
    if (!kept && rl_error_code())
        return rl_error_code();
    RL_TEMP *row = kept ? rl_index_select(b->index, 0, kept) : rl_retain(b->index);
    RL_TEMP *bag = kept ? rl_index_select(b->bag, 0, kept) : rl_retain(b->bag);
    if (!row || !bag)
        return rl_error_code();
    rl_node *n = rl_node_new_n(&bag_node, 1, &b->out, 2, (rl_tensor *[]){weight, factor}, N_SAVED);
    if (!n)
        return rl_error_code();
    rl_save(n, ROW, b->mode == MAX ? NULL : row);
    rl_save(n, BAG, b->mode == MAX ? NULL : bag);
    rl_save(n, KEPT, kept);
    rl_save(n, FILLED, b->mode == SUM ? NULL : b->filled);
    rl_save(n, SOURCE, b->source);
    rl_save(n, FACTOR, factor);
    rl_save(n, WEIGHT, rl_recording(factor) ? weight : NULL);
    rl_node_set_dims(n, 3, (int64_t[]){b->rows, b->size, b->n});
    n->args.i[0] = b->mode;
    n->args.i[1] = by_freq;
    return rl_record_n(n, 1, &b->out);
}

/* ---- the operator ---- */

static rl_status run(struct bags *b, rl_tensor *weight, rl_tensor *indices, rl_tensor *offsets,
                     rl_tensor *factor, bool include_last)
{
    b->n = indices->shape[0];
    b->rows = weight->shape[0];
    b->size = weight->shape[1];
    if (read_offsets(b, offsets, include_last) || read_indices(b, indices))
        return rl_error_code();
    const int64_t shape[] = {b->count, b->size};
    b->table = rl_contiguous_data(weight);
    b->factor = factor ? rl_cast_data(factor, RL_F64) : NULL;
    b->out = rl_new((rl_dtype)weight->dtype, 2, shape);
    b->source = b->mode == MAX ? rl_zeros_data(RL_I64, 2, shape) : NULL;
    if (!b->table || !b->out || (factor && !b->factor) || (b->mode == MAX && !b->source))
        return rl_error_code();
    int64_t work = b->count ? (b->n / b->count + 1) * (b->size + 8) : 1;
    rl_parallel_for(b->count, 1 + 32768 / work, some_bags, b);
    return RL_OK;
}

rl_status rl_embedding_bag(rl_tensor *weight, rl_tensor *indices, rl_tensor *offsets,
                           bool scale_grad_by_freq, int64_t mode, bool sparse,
                           rl_tensor *per_sample_weights, bool include_last_offset,
                           rl_opt_int padding_idx, rl_tensor **out)
{
    if (!weight || !indices || !offsets)
        return rl_error_code();
    if (check_types(weight, indices, offsets, per_sample_weights, mode))
        return rl_error_code();
    if (sparse)
        return rl_error(RL_ENOTIMPL,
                        "embedding_bag: sparse=True is not supported: its gradient would be a "
                        "sparse tensor, and there are none here");
    int64_t rows = weight->shape[0];
    if (padding_idx.given && (padding_idx.v < -rows || padding_idx.v >= rows))
        return rl_error(RL_ERUNTIME,
                        "padding_idx must be within the number of embeddings, %lld through %lld, "
                        "but got %lld",
                        (long long)-rows, (long long)rows - 1, (long long)padding_idx.v);
    struct bags b = {.mode = (int)mode, .padding = -1};
    if (padding_idx.given)
        b.padding = padding_idx.v < 0 ? padding_idx.v + rows : padding_idx.v;
    memset(out, 0, 4 * sizeof *out);
    bool records = rl_recording(weight) || rl_recording(per_sample_weights);
    rl_status failed =
        run(&b, weight, indices, offsets, per_sample_weights, include_last_offset) ||
                (records && record(&b, weight, per_sample_weights, scale_grad_by_freq))
            ? rl_error_code()
            : RL_OK;
    if (!failed) {
        out[0] = rl_retain(b.out);
        out[1] = rl_cast_data(b.bag, (rl_dtype)indices->dtype);
        out[2] = rl_cast_data(b.filled, (rl_dtype)indices->dtype);
        out[3] = rl_cast_data(b.source ? b.source : b.filled, (rl_dtype)indices->dtype);
        failed = out[1] && out[2] && out[3] ? RL_OK : rl_error_code();
    }
    for (int i = 0; failed && i < 4; i++) {
        rl_release(out[i]);
        out[i] = NULL;
    }
    bags_free(&b);
    return failed;
}
