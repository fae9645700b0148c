/* rnn_pack.c: sequences of different lengths, between padded and packed form (rnn.h, packed rows).
 *
 * Both ways are one indexing operation with row numbers found here, so that the derivatives are
 * those of index_select and index_copy. */
#include "core/iter.h"
#include "ops/rnn.h"

/* t (a, b, ...) as (a b, ...); differentiable. */
static rl_tensor *joined(rl_tensor *t)
{
    int64_t shape[RL_MAX_DIMS] = {t->shape[0] * t->shape[1]};
    for (int d = 2; d < t->ndim; d++)
        shape[d - 1] = t->shape[d];
    return rl_reshape(t, (rl_ints){shape, t->ndim - 1});
}

static rl_status check_lengths(const rl_tensor *input, const rl_tensor *lengths, int64_t batch)
{
    if (lengths->ndim != 1 || lengths->dtype != RL_I64)
        return rl_error(RL_ERUNTIME,
                        "'lengths' argument should be a 1D CPU int64 tensor, but got %dD cpu %s "
                        "tensor",
                        lengths->ndim, rl_dtype_title((rl_dtype)lengths->dtype));
    if (input->numel == 0)
        return rl_error(RL_ERUNTIME, "Cannot pack empty tensors.");
    if (lengths->numel != batch)
        return rl_error(RL_ERUNTIME,
                        "Expected `len(lengths)` to be equal to batch_size, but got %lld "
                        "(batch_size=%lld)",
                        (long long)lengths->numel, (long long)batch);
    const int64_t *length = (const int64_t *)lengths->data;
    for (int64_t i = 0; i < batch; i++) {
        if (length[(batch - 1) * lengths->strides[0]] <= 0 || length[i * lengths->strides[0]] <= 0)
            return rl_error(RL_ERUNTIME,
                            "Length of all samples has to be greater than 0, but found "
                            "an element in 'lengths' that is <= 0");
        if (i > 0 && length[i * lengths->strides[0]] > length[(i - 1) * lengths->strides[0]])
            return rl_error(RL_ERUNTIME,
                            "`lengths` array must be sorted in decreasing order when "
                            "`enforce_sorted` is True. You can pass `enforce_sorted=False` to "
                            "pack_padded_sequence and/or pack_sequence to sidestep this "
                            "requirement if you do not need ONNX exportability.");
    }
    return RL_OK;
}

rl_status rl__pack_padded_sequence(rl_tensor *input, rl_tensor *lengths, bool batch_first,
                                   rl_tensor **out)
{
    if (!input || !lengths)
        return rl_error_code();
    if (input->ndim < 2)
        return rl_error(RL_EINDEX,
                        "Dimension out of range (expected to be in range of [%d, %d], but got 1)",
                        -1, 0);
    const int64_t batch = input->shape[!batch_first];
    rl_status status = check_lengths(input, lengths, batch);
    if (status)
        return status;
    const int64_t *length = (const int64_t *)lengths->data, step = lengths->strides[0];
    const int64_t steps = length[0], limit = input->shape[batch_first];
    if (steps > limit)
        return rl_error(RL_ERUNTIME,
                        "Expected lengths of at most the sequence dimension's size %lld, but got "
                        "%lld",
                        (long long)limit, (long long)steps);
    int64_t rows = 0;
    for (int64_t i = 0; i < batch; i++)
        rows += length[i * step];
    RL_TEMP *sizes = rl_new(RL_I64, 1, &steps), *index = rl_new(RL_I64, 1, &rows);
    if (!sizes || !index)
        return rl_error_code();
    int64_t *to = (int64_t *)index->data, alive = batch;
    for (int64_t t = 0; t < steps; t++) {
        while (length[(alive - 1) * step] <= t)
            alive--;
        ((int64_t *)sizes->data)[t] = alive;
        for (int64_t i = 0; i < alive; i++)
            *to++ = batch_first ? i * limit + t : t * batch + i;
    }
    RL_TEMP *flat = joined(input);
    out[0] = flat ? rl_index_select(flat, 0, index) : NULL;
    if (!out[0])
        return rl_error_code();
    out[1] = rl_retain(sizes);
    return RL_OK;
}

/* The number of rows that sizes name, or -1 with the error. */
static int64_t check_sizes(const rl_tensor *data, const rl_tensor *sizes)
{
    int64_t rows = 0;
    if (sizes->ndim != 1 || sizes->dtype != RL_I64 || sizes->numel == 0)
        return rl_error(RL_ERUNTIME,
                        "batch_sizes should be a 1D int64 tensor with elements, but "
                        "got %dD %s tensor of shape %s",
                        sizes->ndim, rl_dtype_title((rl_dtype)sizes->dtype), rl_shape_str(sizes).s),
               -1;
    const int64_t *size = (const int64_t *)sizes->data;
    for (int64_t t = 0, before = INT64_MAX; t < sizes->numel; t++) {
        const int64_t now = size[t * sizes->strides[0]];
        if (now < 0 || now > before)
            return rl_error(RL_ERUNTIME,
                            "batch_sizes must not be negative or grow, but has %lld at step %lld",
                            (long long)now, (long long)t),
                   -1;
        if (data->ndim == 0 || now > data->shape[0] - rows)
            return rl_error(RL_ERUNTIME, "batch_sizes names more rows than the %lld of data",
                            data->ndim ? (long long)data->shape[0] : 0),
                   -1;
        rows += now;
        before = now;
    }
    return rows;
}

rl_status rl__pad_packed_sequence(rl_tensor *data, rl_tensor *batch_sizes, bool batch_first,
                                  rl_scalar padding_value, int64_t total_length, rl_tensor **out)
{
    if (!data || !batch_sizes)
        return rl_error_code();
    const int64_t rows = check_sizes(data, batch_sizes);
    if (rows < 0)
        return rl_error_code();
    const int64_t *size = (const int64_t *)batch_sizes->data, step = batch_sizes->strides[0];
    const int64_t steps = batch_sizes->numel, batch = size[0];
    const int64_t limit = total_length > 0 ? total_length : steps;
    if (limit < steps)
        return rl_error(
            RL_ERUNTIME,
            "Expected total_length to be at least the length of the longest sequence in "
            "input, but got total_length=%lld and max sequence length being %lld",
            (long long)limit, (long long)steps);
    RL_TEMP *lengths = rl_new(RL_I64, 1, &batch), *index = rl_new(RL_I64, 1, &rows);
    if (!lengths || !index)
        return rl_error_code();
    int64_t *length = (int64_t *)lengths->data, *to = (int64_t *)index->data;
    for (int64_t t = 0; t < steps; t++)
        for (int64_t i = 0; i < size[t * step]; i++) {
            length[i] = t + 1;
            *to++ = t * batch + i;
        }
    for (int64_t i = size[0]; i < batch; i++)
        length[i] = 0;
    int64_t shape[RL_MAX_DIMS] = {limit * batch};
    for (int d = 1; d < data->ndim; d++)
        shape[d] = data->shape[d];
    RL_TEMP *empty = rl_full((rl_ints){shape, data->ndim}, padding_value, (rl_dtype)data->dtype);
    RL_TEMP *used = !empty                  ? NULL
                    : rows < data->shape[0] ? rl_narrow(data, 0, 0, rows)
                                            : rl_retain(data);
    RL_TEMP *flat = used ? rl_index_copy(empty, 0, index, used) : NULL;
    for (int d = data->ndim; d > 1; d--)
        shape[d] = shape[d - 1];
    shape[0] = limit;
    shape[1] = batch;
    RL_TEMP *padded = flat ? rl_reshape(flat, (rl_ints){shape, data->ndim + 1}) : NULL;
    if (!padded)
        return rl_error_code();
    out[0] = batch_first ? rl_transpose(padded, 0, 1) : rl_retain(padded);
    if (!out[0])
        return rl_error_code();
    out[1] = rl_retain(lengths);
    return RL_OK;
}

/* ---- pad_sequence ---- */

/* t with rows of the value before or behind it, up to `length`. */
static rl_tensor *lengthened(rl_tensor *t, int64_t length, double value, bool before)
{
    if (t->shape[0] == length)
        return rl_retain(t);
    int64_t shape[RL_MAX_DIMS];
    memcpy(shape, t->shape, (size_t)t->ndim * sizeof *shape);
    shape[0] = length - t->shape[0];
    RL_TEMP *rest = rl_full((rl_ints){shape, t->ndim}, rl_float(value), (rl_dtype)t->dtype);
    rl_tensor *parts[] = {before ? rest : t, before ? t : rest};
    return rest ? rl_cat((rl_tensors){parts, 2}, 0) : NULL;
}

rl_tensor *rl_pad_sequence(rl_tensors sequences, bool batch_first, double padding_value,
                           const char *padding_side)
{
    if (sequences.n == 0)
        return rl_fail(RL_ERUNTIME, "received an empty list of sequences");
    const bool left = !strcmp(padding_side, "left");
    if (!left && strcmp(padding_side, "right"))
        return rl_fail(RL_ERUNTIME, "Expected padding_side to be one of left or right, but got %s.",
                       padding_side);
    const rl_tensor *model = sequences.v[0];
    int64_t length = 0;
    for (int64_t i = 0; i < sequences.n; i++) {
        const rl_tensor *t = sequences.v[i];
        if (t->ndim == 0)
            return rl_fail(RL_ERUNTIME, "pad_sequence: sequences need at least one dimension");
        if (t->ndim != model->ndim)
            return rl_fail(RL_ERUNTIME,
                           "pad_sequence: sequences of %d and %d dimensions do not fit together",
                           model->ndim, t->ndim);
        for (int d = 1; d < t->ndim; d++)
            if (t->shape[d] != model->shape[d])
                return rl_fail(RL_ERUNTIME,
                               "The size of tensor a (%lld) must match the size of tensor b (%lld) "
                               "at non-singleton dimension %d",
                               (long long)model->shape[d], (long long)t->shape[d], d);
        length = t->shape[0] > length ? t->shape[0] : length;
    }
    rl_list parts;
    if (rl_list_new(&parts, sequences.n))
        return NULL;
    rl_tensor *all = NULL;
    bool complete = true;
    for (int64_t i = 0; i < sequences.n && complete; i++) {
        RL_TEMP *t = sequences.v[i]->dtype == model->dtype
                         ? rl_retain(sequences.v[i])
                         : rl_to_dtype(sequences.v[i], (rl_dtype)model->dtype, false);
        parts.v[i] = t ? lengthened(t, length, padding_value, left) : NULL;
        complete = parts.v[i] != NULL;
    }
    if (complete)
        all = rl_stack((rl_tensors){parts.v, parts.n}, batch_first ? 0 : 1);
    rl_list_free(&parts);
    return all;
}
