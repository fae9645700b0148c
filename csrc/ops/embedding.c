/* embedding.c: rows of a table by their numbers. */
#include "ops/embedding.h"

#include "core/iter.h"
#include "ops/index.h"
#include "rushlight_ops.h"

rl_tensor *rl_kept_positions(const rl_tensor *flat, int64_t padding, bool *all)
{
    const int64_t *k = (const int64_t *)flat->data;
    int64_t count = 0;
    for (int64_t i = 0; i < flat->numel; i++)
        count += k[i] != padding;
    *all = count == flat->numel;
    RL_TEMP *kept = *all ? NULL : rl_new(RL_I64, 1, &count);
    if (!kept)
        return NULL;
    for (int64_t i = 0, at = 0; i < flat->numel; i++)
        if (k[i] != padding)
            ((int64_t *)kept->data)[at++] = i;
    return rl_retain(kept);
}

rl_tensor *rl_inverse_counts(const rl_tensor *flat, int64_t rows, rl_dtype dtype)
{
    const int64_t shape[] = {flat->numel, 1}, *k = (const int64_t *)flat->data;
    RL_TEMP *counts = rl_zeros_data(RL_I64, 1, &rows);
    RL_TEMP *share = rl_new(RL_F64, 2, shape);
    if (!counts || !share)
        return NULL;
    int64_t *count = (int64_t *)counts->data;
    for (int64_t i = 0; i < flat->numel; i++)
        count[k[i]]++;
    for (int64_t i = 0; i < flat->numel; i++)
        ((double *)share->data)[i] = 1.0 / (double)count[k[i]];
    return rl_cast_data(share, dtype);
}

rl_status rl_check_indices(const rl_tensor *indices, int argument, const char *name)
{
    if (indices->dtype == RL_I64 || indices->dtype == RL_I32)
        return RL_OK;
    return rl_error(RL_ERUNTIME,
                    "Expected tensor for argument #%d 'indices' to have one of the following "
                    "scalar types: Long, Int; but got torch.%sTensor instead (while checking "
                    "arguments for %s)",
                    argument, rl_dtype_title((rl_dtype)indices->dtype), name);
}

/* dweight = zeros with g's rows added in the order of the indices, padding left out, each divided
 * by how often its index occurs where that is asked for.  args: dims weight's shape, i0 padding, i1
 * scale. */
static rl_status embedding_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *indices = rl_saved(n, 0);
    RL_TEMP *flat = indices ? rl_index_values(indices) : NULL;
    if (!flat)
        return rl_error_code();
    const int64_t *shape = n->args.dims, rows[] = {flat->numel, shape[1]};
    RL_TEMP *index = rl_new_view(flat, 1, rows, (int64_t[]){1}, flat->offset);
    RL_TEMP *gr = rl_reshape(g[0], (rl_ints){rows, 2});
    bool all = true;
    RL_TEMP *kept = index ? rl_kept_positions(index, n->args.i[0], &all) : NULL;
    if (!index || !gr || (!all && !kept))
        return rl_error_code();
    RL_TEMP *some = all ? rl_retain(gr) : rl_index_select(gr, 0, kept);
    RL_TEMP *where = all ? rl_retain(index) : rl_index_select(index, 0, kept);
    RL_TEMP *share =
        where && n->args.i[1] ? rl_inverse_counts(where, shape[0], (rl_dtype)gr->dtype) : NULL;
    if (!some || !where || (n->args.i[1] && !share))
        return rl_error_code();
    RL_TEMP *scaled = share ? rl_mul(some, share) : rl_retain(some);
    RL_TEMP *zeros = rl_zeros_data((rl_dtype)gr->dtype, 2, shape);
    dx[0] = scaled && zeros ? rl_index_add(zeros, 0, where, scaled, rl_int(1)) : NULL;
    return RL_DONE(n, dx);
}

static const rl_node_type embedding_node = {
    .name = "EmbeddingBackward0", .backward = embedding_backward, .n_saved = 1};

rl_tensor *rl_embedding(rl_tensor *weight, rl_tensor *indices, int64_t padding_idx,
                        bool scale_grad_by_freq, bool sparse)
{
    if (!weight || !indices)
        return NULL;
    if (weight->ndim != 2)
        return rl_fail(RL_ERUNTIME, "'weight' must be 2-D");
    if (rl_check_indices(indices, 1, "embedding"))
        return NULL;
    if (sparse)
        return rl_fail(RL_ENOTIMPL,
                       "embedding: sparse=True is not supported: its gradient would be "
                       "a sparse tensor, and there are none here");
    RL_TEMP *flat = rl_index_values(indices);
    RL_TEMP *table = flat ? rl_contiguous_data(weight) : NULL;
    if (!table)
        return NULL;
    const int64_t *k = (const int64_t *)flat->data;
    for (int64_t i = 0; i < flat->numel; i++)
        if (k[i] < 0 || k[i] >= weight->shape[0])
            return rl_fail(RL_EINDEX, "index out of range in self");
    int64_t shape[RL_MAX_DIMS];
    if (indices->ndim == RL_MAX_DIMS)
        return rl_fail(RL_ERUNTIME, "embedding(): the result would have more than %d dimensions",
                       RL_MAX_DIMS);
    memcpy(shape, indices->shape, (size_t)indices->ndim * sizeof *shape);
    shape[indices->ndim] = weight->shape[1];
    rl_tensor *y = rl_new((rl_dtype)weight->dtype, indices->ndim + 1, shape);
    size_t row = (size_t)weight->shape[1] * rl_itemsize(weight);
    for (int64_t i = 0; y && y->numel && i < flat->numel; i++)
        memcpy(y->data + (size_t)i * row, table->data + (size_t)k[i] * row, row);
    if (!rl_recording(weight))
        return y;
    rl_node *n = rl_node_new(&embedding_node, y, 1, &weight);
    rl_save(n, 0, indices);
    rl_node_set_dims(n, 2, weight->shape);
    if (n) {
        n->args.i[0] = padding_idx;
        n->args.i[1] = scale_grad_by_freq;
    }
    return rl_record(n, y);
}
