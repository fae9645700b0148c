/* rnn_layer.c: one layer of a recurrent network, both directions, as one node. */
#include "ops/rnn.h"
#include "ops/view.h"

enum { SAVED_KEPT = RL_RNN_INPUTS, SAVED_Y, SAVED_STARTS, SAVED };

/* Gradients of the wanted inputs by way of the composed layer, so that they have a history.  The
 * inputs stand in under other names: a gradient is then that of the name alone, even where one
 * input was computed from another. */
static rl_status differentiate_again(const rl_rnn_shape *s, const int64_t *starts,
                                     rl_tensor *const *in, rl_tensor *const *g, const bool *wanted,
                                     rl_tensor **dx)
{
    rl_tensor *alias[RL_RNN_INPUTS] = {NULL}, *out[3] = {NULL};
    rl_tensor *asked[RL_RNN_INPUTS], *roots[3], *grads[3], *found[RL_RNN_INPUTS] = {NULL};
    int place[RL_RNN_INPUTS], n = 0, n_roots = 0;
    rl_status status = RL_OK;
    for (int i = 0; i < RL_RNN_INPUTS && !status; i++) {
        if (!in[i])
            continue;
        alias[i] = rl_alias_view(in[i]);
        status = rl_status_of(alias[i]);
        if (wanted[i]) {
            asked[n] = alias[i];
            place[n++] = i;
        }
    }
    if (!status)
        status = rl_rnn_compose(s, starts, alias, out);
    for (int o = 0; o < 3 && !status; o++)
        if (out[o] && g[o] && rl_requires_grad(out[o])) {
            roots[n_roots] = out[o];
            grads[n_roots++] = g[o];
        }
    if (!status && n && n_roots)
        status = rl_grad((rl_tensors){roots, n_roots}, grads, (rl_tensors){asked, n}, true, true,
                         true, found);
    for (int i = 0; i < n; i++)
        dx[place[i]] = found[i];
    for (int i = 0; i < RL_RNN_INPUTS; i++)
        rl_release(alias[i]);
    for (int o = 0; o < 3; o++)
        rl_release(out[o]);
    return status;
}

static rl_status rnn_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    rl_rnn_shape s;
    memcpy(&s, n->args.dims, sizeof s);
    rl_tensor *in[RL_RNN_INPUTS] = {NULL}, *kept = NULL, *y = NULL, *starts = NULL;
    rl_tensor *given[3] = {g[0], g[1], s.mode == RL_RNN_LSTM ? g[2] : NULL}, *flat[3] = {NULL};
    bool wanted[RL_RNN_INPUTS];
    rl_status status = RL_OK;
    for (int i = 0; i < RL_RNN_INPUTS; i++)
        wanted[i] = rl_wants(n, i);
    for (int i = 0; i < RL_RNN_INPUTS && !status; i++) {
        if (!rl_has_saved(n, i))
            continue;
        in[i] = rl_saved(n, i);
        status = rl_status_of(in[i]);
    }
    if (!status && rl_has_saved(n, SAVED_STARTS)) {
        starts = rl_saved(n, SAVED_STARTS);
        status = rl_status_of(starts);
    }
    const int64_t *first = starts ? (const int64_t *)starts->data : NULL;
    if (!status && rl_grad_enabled()) {
        status = differentiate_again(&s, first, in, given, wanted, dx);
    } else if (!status) {
        kept = rl_saved(n, SAVED_KEPT);
        y = kept && rl_has_saved(n, SAVED_Y) ? rl_saved(n, SAVED_Y) : rl_retain(kept);
        status = rl_status_of(y);
        for (int i = 0; i < RL_RNN_INPUTS && !status; i++) {
            rl_tensor *t = in[i];
            if (!t || t->contiguous)
                continue;
            in[i] = rl_contiguous_data(t);
            rl_release(t);
            status = rl_status_of(in[i]);
        }
        for (int o = 0; o < 3 && !status; o++) {
            if (!given[o])
                continue;
            flat[o] = rl_contiguous_data(given[o]);
            status = rl_status_of(flat[o]);
        }
        /* Nobody looks at what this node has kept any more: the gradients may take its place.
         * Should anything fail from here on, a second backward must not find them. */
        const bool spend = !status && rl_tls_last_use && !n->saved[SAVED_KEPT].packed &&
                           atomic_load(&kept->refs) == (s.mode == RL_RNN_LSTM ? 2 : 3) &&
                           atomic_load(&kept->storage->refs) == 1;
        if (!status)
            status = rl_rnn_backward(&s, first, in, kept, y, flat, wanted, spend, dx);
        if (spend)
            rl_node_release_saved(n);
    }
    for (int i = 0; i < RL_RNN_INPUTS; i++)
        rl_release(in[i]);
    for (int o = 0; o < 3; o++)
        rl_release(flat[o]);
    rl_release(kept);
    rl_release(y);
    rl_release(starts);
    return status;
}

static const rl_node_type rnn_nodes[RL_RNN_MODES] = {
    [RL_RNN_LSTM] = {"LstmBackward0", rnn_backward, SAVED},
    [RL_RNN_GRU] = {"GruBackward0", rnn_backward, SAVED},
    [RL_RNN_TANH] = {"RnnTanhBackward0", rnn_backward, SAVED},
    [RL_RNN_RELU] = {"RnnReluBackward0", rnn_backward, SAVED},
};

/* New tensors for kept, y, hn, cn. */
static rl_status make_results(const rl_rnn_shape *s, rl_tensor *const *in, bool records,
                              rl_tensor **kept, rl_tensor **out)
{
    rl_tensor *x = in[RL_RNN_X];
    const rl_dtype dtype = (rl_dtype)x->dtype;
    int64_t shape[RL_MAX_DIMS];
    memcpy(shape, x->shape, (size_t)x->ndim * sizeof *shape);
    shape[x->ndim - 1] = s->directions * s->out;
    *kept = rl_new(dtype, 3,
                   (int64_t[]){s->directions, rl_rnn_kept_rows(s, dtype, records),
                               rl_rnn_kept_width(s, dtype)});
    out[0] = *kept ? rl_new(dtype, x->ndim, shape) : NULL;
    out[1] = out[0] ? rl_new(dtype, 3, in[RL_RNN_H0]->shape) : NULL;
    if (s->mode == RL_RNN_LSTM)
        out[2] = out[1] ? rl_new(dtype, 3, in[RL_RNN_C0]->shape) : NULL;
    return rl_status_of(s->mode == RL_RNN_LSTM ? out[2] : out[1]);
}

static rl_status record(const rl_rnn_shape *s, rl_tensor *starts, rl_tensor *const *in,
                        rl_tensor *kept, rl_tensor **out)
{
    const int outputs = s->mode == RL_RNN_LSTM ? 3 : 2;
    rl_node *n = rl_node_new_n(&rnn_nodes[s->mode], outputs, out, RL_RNN_INPUTS, in, SAVED);
    for (int i = 0; i < RL_RNN_INPUTS; i++)
        rl_save(n, i, in[i]);
    rl_save(n, SAVED_KEPT, kept);
    if (s->mode == RL_RNN_LSTM)
        rl_save_output(n, SAVED_Y, out[0], 0);
    else
        rl_save(n, SAVED_Y, NULL); /* h is among what is kept */
    rl_save(n, SAVED_STARTS, starts);
    int64_t numbers[RL_RNN_NUMBERS];
    memcpy(numbers, s, sizeof *s);
    rl_node_set_dims(n, RL_RNN_NUMBERS, numbers);
    return rl_record_n(n, outputs, out);
}

rl_status rl_rnn_layer(const rl_rnn_shape *s, rl_tensor *starts, rl_tensor *const *in,
                       rl_tensor **out)
{
    rl_tensor *flat[RL_RNN_INPUTS] = {NULL}, *kept = NULL;
    const bool records = rl_recording_any((rl_tensors){(rl_tensor *const *)in, RL_RNN_INPUTS});
    rl_status status = RL_OK;
    for (int i = 0; i < RL_RNN_INPUTS && !status; i++) {
        flat[i] = in[i] ? rl_contiguous_data(in[i]) : NULL;
        status = in[i] ? rl_status_of(flat[i]) : RL_OK;
    }
    if (!status)
        status = make_results(s, in, records, &kept, out);
    if (!status)
        status = rl_rnn_forward(s, starts ? (const int64_t *)starts->data : NULL, flat, kept,
                                out[0], out[1], out[2]);
    for (int i = 0; i < RL_RNN_INPUTS; i++)
        rl_release(flat[i]);
    if (!status && records)
        status = record(s, starts, in, kept, out);
    rl_release(kept);
    for (int o = 0; o < 3 && status; o++) {
        rl_release(out[o]);
        out[o] = NULL;
    }
    return status;
}
