/* rnn.c: the operators of recurrent networks: layers on top of each other, dropout between them,
 * and single steps. */
#include "ops/rnn.h"

#include "core/iter.h"

/* One call of lstm and its like. */
typedef struct call {
    rl_rnn_mode mode;
    rl_tensor *x, *sizes; /* sizes: of a packed x, else NULL */
    rl_tensor *h, *c;     /* c: LSTM */
    rl_tensors params;
    bool biases, train, bidirectional, batch_first;
    int64_t layers;
    double dropout;
} call;

/* ---- checks ---- */

static rl_status check_dtypes(const call *c)
{
    const int dtype = c->x->dtype;
    if (dtype != RL_F16 && dtype != RL_BF16 && dtype != RL_F32 && dtype != RL_F64)
        return rl_error(RL_ERUNTIME,
                        "result type Float can't be cast to the desired output type %s",
                        rl_dtype_title((rl_dtype)dtype));
    int other = dtype;
    for (int64_t i = 0; i < c->params.n; i++)
        other = c->params.v[i]->dtype != dtype ? c->params.v[i]->dtype : other;
    if (c->h->dtype != dtype || (c->c && c->c->dtype != dtype))
        other = c->h->dtype != dtype ? c->h->dtype : c->c->dtype;
    if (other == dtype)
        return RL_OK;
    return rl_error(RL_ERUNTIME, "mat1 and mat2 must have the same dtype, but got %s and %s",
                    rl_dtype_title((rl_dtype)dtype), rl_dtype_title((rl_dtype)other));
}

static rl_status check_param(rl_tensor *p, int ndim, int64_t rows, int64_t cols)
{
    if (p->ndim == ndim && p->shape[0] == rows && (ndim == 1 || p->shape[1] == cols))
        return RL_OK;
    if (ndim == 2)
        return rl_error(RL_ERUNTIME,
                        "recurrent weight has shape %s, expected [%lld, %lld] for this input and "
                        "hidden state",
                        rl_shape_str(p).s, (long long)rows, (long long)cols);
    return rl_error(RL_ERUNTIME, "recurrent bias has shape %s, expected [%lld]", rl_shape_str(p).s,
                    (long long)rows);
}

/* A layer's tensors fit its sizes. */
static rl_status check_layer(const rl_rnn_shape *s, rl_tensor *const *in)
{
    const int64_t rows = rl_rnn_gates(s->mode) * s->hidden;
    rl_tensor *const *p = in + RL_RNN_W;
    rl_tensor *first = p[RL_RNN_IH];
    if (first->ndim == 2 && first->shape[1] != s->input)
        return rl_error(RL_ERUNTIME,
                        "mat1 and mat2 shapes cannot be multiplied (%lldx%lld and %lldx%lld)",
                        (long long)s->rows, (long long)s->input, (long long)first->shape[1],
                        (long long)first->shape[0]);
    for (int64_t d = 0; d < s->directions; d++, p += RL_RNN_PARAMS) {
        rl_status status = check_param(p[RL_RNN_IH], 2, rows, s->input);
        if (!status)
            status = check_param(p[RL_RNN_HH], 2, rows, s->out);
        for (int i = RL_RNN_BIAS_IH; i <= RL_RNN_BIAS_HH && !status; i++)
            if (p[i])
                status = check_param(p[i], 1, rows, 0);
        if (!status && p[RL_RNN_HR])
            status = check_param(p[RL_RNN_HR], 2, s->out, s->hidden);
        if (status)
            return status;
    }
    return RL_OK;
}

static rl_status check_state(const rl_tensor *t, int64_t count, int64_t batch)
{
    if (t->shape[0] != count)
        return rl_error(RL_ERUNTIME, "Expected more hidden states in stacked_rnn");
    if (t->shape[1] != batch)
        return rl_error(RL_ERUNTIME,
                        "The size of tensor a (%lld) must match the size of tensor b (%lld) at "
                        "non-singleton dimension 0",
                        (long long)t->shape[1], (long long)batch);
    return RL_OK;
}

/* int64 row numbers at which packed steps begin, and the number of rows last. */
static rl_tensor *starts_of(rl_tensor *sizes, const rl_tensor *x)
{
    if (sizes->dtype != RL_I64)
        return rl_fail(RL_ERUNTIME, "expected scalar type Long but found %s",
                       rl_dtype_title((rl_dtype)sizes->dtype));
    if (sizes->ndim != 1)
        return rl_fail(RL_ERUNTIME, "batch_sizes should be a 1D tensor, got %dD", sizes->ndim);
    RL_TEMP *flat = rl_contiguous_data(sizes);
    RL_TEMP *starts = flat ? rl_new(RL_I64, 1, (int64_t[]){sizes->numel + 1}) : NULL;
    if (!starts)
        return NULL;
    const int64_t *size = (const int64_t *)flat->data;
    int64_t *start = (int64_t *)starts->data;
    start[0] = 0;
    for (int64_t t = 0; t < flat->numel; t++) {
        if (size[t] < 0 || (t > 0 && size[t] > size[t - 1]))
            return rl_fail(RL_ERUNTIME,
                           "batch_sizes must not be negative or grow, but has %lld at step %lld",
                           (long long)size[t], (long long)t);
        if (size[t] > x->shape[0] - start[t])
            return rl_fail(RL_ERUNTIME,
                           "start (%lld) + length (%lld) exceeds dimension size (%lld).",
                           (long long)start[t], (long long)size[t], (long long)x->shape[0]);
        start[t + 1] = start[t] + size[t];
    }
    return rl_retain(starts);
}

/* The sizes that all layers share, and how many parameters a direction has. */
static rl_status measure(const call *c, rl_rnn_shape *s, int64_t *per)
{
    const int ndim = c->sizes ? 2 : 3;
    if (c->h->ndim != 3 || (c->c && c->c->ndim != 3))
        return rl_error(RL_EINDEX,
                        "Dimension out of range (expected to be in range of [%d, %d], but got 2)",
                        -c->h->ndim, c->h->ndim - 1);
    if (c->x->ndim != ndim)
        return rl_error(RL_ERUNTIME, "input must have %d dimensions, got %d", ndim, c->x->ndim);
    const int64_t out = c->h->shape[2], hidden = c->c ? c->c->shape[2] : out;
    *s = (rl_rnn_shape){.mode = c->mode,
                        .out = out,
                        .hidden = hidden,
                        .projected = out != hidden,
                        .directions = c->bidirectional ? 2 : 1};
    *per = 2 + 2 * c->biases + s->projected;
    if (c->params.n % *per)
        return rl_error(RL_ERUNTIME, "got an incorrect number of RNN parameters");
    const int64_t sets = c->params.n / *per;
    if (c->bidirectional && (sets % 2 || c->h->shape[0] % 2))
        return rl_error(RL_ERUNTIME,
                        "Odd number of params or hiddens given to a bidirectional RNN");
    if (c->h->shape[0] != c->layers * s->directions)
        return rl_error(RL_ERUNTIME, "Expected more hidden states in stacked_rnn");
    if (sets != c->layers * s->directions)
        return rl_error(RL_ERUNTIME, "Expected more weights in stacked_rnn");
    return RL_OK;
}

/* ---- layers on top of each other ---- */

/* Layer number `layer` from x; out[0..2]. */
static rl_status run_layer(const call *c, rl_rnn_shape *s, rl_tensor *starts, rl_tensor *x,
                           int64_t layer, int64_t per, rl_tensor **out)
{
    const int64_t d = s->directions;
    const bool alone = c->layers == 1;
    RL_TEMP *h = alone ? rl_retain(c->h) : rl_narrow(c->h, 0, layer * d, d);
    RL_TEMP *cell = !c->c || !h ? NULL : alone ? rl_retain(c->c) : rl_narrow(c->c, 0, layer * d, d);
    if (!h || (c->c && !cell))
        return rl_error_code();
    rl_tensor *in[RL_RNN_INPUTS] = {[RL_RNN_X] = x, [RL_RNN_H0] = h, [RL_RNN_C0] = cell};
    for (int64_t k = 0; k < d; k++) {
        rl_tensor *const *from = c->params.v + (layer * d + k) * per;
        rl_tensor **to = in + RL_RNN_W + k * RL_RNN_PARAMS;
        to[RL_RNN_IH] = from[0];
        to[RL_RNN_HH] = from[1];
        if (c->biases) {
            to[RL_RNN_BIAS_IH] = from[2];
            to[RL_RNN_BIAS_HH] = from[3];
        }
        if (s->projected)
            to[RL_RNN_HR] = from[per - 1];
    }
    s->input = x->shape[x->ndim - 1];
    rl_status status = check_layer(s, in);
    return status ? status : rl_rnn_layer(s, starts, in, out);
}

/* The final states of all layers; takes over the layers'. */
static rl_tensor *states_of(rl_list *layers)
{
    rl_tensor *all =
        layers->n == 1 ? rl_retain(layers->v[0]) : rl_cat((rl_tensors){layers->v, layers->n}, 0);
    return all;
}

static rl_status run_layers(const call *c, rl_rnn_shape *s, rl_tensor *starts, rl_tensor *x,
                            int64_t per, rl_tensor **out)
{
    rl_list h = {NULL, 0}, cells = {NULL, 0};
    rl_status status = rl_list_new(&h, c->layers);
    if (!status)
        status = rl_list_new(&cells, c->c ? c->layers : 0);
    rl_tensor *y = rl_retain(x);
    for (int64_t i = 0; i < c->layers && !status; i++) {
        rl_tensor *result[3] = {NULL};
        if (i > 0 && c->dropout != 0 && c->train) {
            rl_tensor *dropped = rl_dropout(y, c->dropout, true);
            rl_release(y);
            y = dropped;
            if (!y) {
                status = rl_error_code();
                break;
            }
        }
        status = run_layer(c, s, starts, y, i, per, result);
        if (status)
            break;
        rl_release(y);
        y = result[0];
        h.v[i] = result[1];
        if (c->c)
            cells.v[i] = result[2];
    }
    if (!status) {
        out[0] = rl_retain(y);
        out[1] = states_of(&h);
        status = rl_status_of(out[1]);
        if (!status && c->c) {
            out[2] = states_of(&cells);
            status = rl_status_of(out[2]);
        }
    }
    rl_release(y);
    rl_list_free(&h);
    rl_list_free(&cells);
    return status;
}

/* The call with packed rows, or steps first. */
static rl_status run_sequence(const call *c, rl_tensor **out)
{
    rl_rnn_shape s;
    int64_t per = 0;
    rl_status status = measure(c, &s, &per);
    if (status)
        return status;
    RL_TEMP *starts = c->sizes ? starts_of(c->sizes, c->x) : NULL, *x = NULL;
    if (c->sizes && !starts)
        return rl_error_code();
    if (starts) {
        const int64_t *first = (const int64_t *)starts->data;
        s.steps = starts->numel - 1;
        s.rows = first[s.steps];
        s.batch = s.steps ? first[1] : 0;
        x = s.rows == c->x->shape[0] ? rl_retain(c->x) : rl_narrow(c->x, 0, 0, s.rows);
    } else {
        RL_TEMP *turned = c->batch_first ? rl_transpose(c->x, 0, 1) : rl_retain(c->x);
        x = turned ? rl_contiguous(turned) : NULL;
        s.steps = x ? x->shape[0] : 0;
        s.batch = x ? x->shape[1] : 0;
        s.rows = s.steps * s.batch;
    }
    if (!x)
        return rl_error_code();
    if (s.steps == 0)
        return rl_error(RL_ERUNTIME, "Expected sequence length to be larger than 0 in RNN");
    status = check_state(c->h, c->layers * s.directions, s.batch);
    if (!status && c->c)
        status = check_state(c->c, c->layers * s.directions, s.batch);
    if (!status)
        status = check_dtypes(c);
    return status ? status : run_layers(c, &s, starts, x, per, out);
}

/* float16 and bfloat16: computed in float32, rounded once. */
static rl_status run_wide(const call *narrow, rl_tensor **out)
{
    const rl_dtype dtype = (rl_dtype)narrow->x->dtype;
    call c = *narrow;
    rl_list params = {NULL, 0};
    rl_status status = check_dtypes(narrow);
    if (status || (status = rl_list_new(&params, narrow->params.n)))
        return status;
    RL_TEMP *x = rl_to_dtype(narrow->x, RL_F32, false), *h = rl_to_dtype(narrow->h, RL_F32, false);
    RL_TEMP *cell = narrow->c ? rl_to_dtype(narrow->c, RL_F32, false) : NULL;
    status = x && h && (cell || !narrow->c) ? RL_OK : rl_error_code();
    for (int64_t i = 0; i < params.n && !status; i++) {
        params.v[i] = rl_to_dtype(narrow->params.v[i], RL_F32, false);
        status = rl_status_of(params.v[i]);
    }
    c.x = x;
    c.h = h;
    c.c = cell;
    c.params = (rl_tensors){params.v, params.n};
    rl_tensor *wide[3] = {NULL};
    if (!status)
        status = run_sequence(&c, wide);
    for (int o = 0; o < (c.c ? 3 : 2); o++) {
        if (!status) {
            out[o] = rl_to_dtype(wide[o], dtype, false);
            status = rl_status_of(out[o]);
        }
        rl_release(wide[o]);
    }
    rl_list_free(&params);
    return status;
}

static rl_status run(const call *c, rl_tensor **out)
{
    if (!c->x || !c->h)
        return rl_error_code();
    rl_tensor *result[3] = {NULL};
    const bool half = c->x->dtype == RL_F16 || c->x->dtype == RL_BF16;
    rl_status status = half ? run_wide(c, result) : run_sequence(c, result);
    if (!status && c->batch_first) {
        rl_tensor *y = rl_transpose(result[0], 0, 1);
        rl_release(result[0]);
        result[0] = y;
        status = rl_status_of(y);
    }
    for (int o = 0; o < (c->c ? 3 : 2); o++) {
        if (status)
            rl_release(result[o]);
        else
            out[o] = result[o];
    }
    return status;
}

rl_status rl_lstm(rl_tensor *input, rl_tensors hx, rl_tensors params, bool has_biases,
                  int64_t num_layers, double dropout, bool train, bool bidirectional,
                  bool batch_first, rl_tensor **out)
{
    if (hx.n != 2)
        return rl_error(RL_ERUNTIME, "lstm expects two hidden states");
    return run(&(call){RL_RNN_LSTM, input, NULL, hx.v[0], hx.v[1], params, has_biases, train,
                       bidirectional, batch_first, num_layers, dropout},
               out);
}

rl_status rl_lstm_packed(rl_tensor *data, rl_tensor *batch_sizes, rl_tensors hx, rl_tensors params,
                         bool has_biases, int64_t num_layers, double dropout, bool train,
                         bool bidirectional, rl_tensor **out)
{
    if (hx.n != 2)
        return rl_error(RL_ERUNTIME, "lstm expects two hidden states");
    return run(&(call){RL_RNN_LSTM, data, batch_sizes, hx.v[0], hx.v[1], params, has_biases, train,
                       bidirectional, false, num_layers, dropout},
               out);
}

#define SEQUENCE(name, mode)                                                                       \
    rl_status rl_##name(rl_tensor *input, rl_tensor *hx, rl_tensors params, bool has_biases,       \
                        int64_t num_layers, double dropout, bool train, bool bidirectional,        \
                        bool batch_first, rl_tensor **out)                                         \
    {                                                                                              \
        return run(&(call){mode, input, NULL, hx, NULL, params, has_biases, train, bidirectional,  \
                           batch_first, num_layers, dropout},                                      \
                   out);                                                                           \
    }                                                                                              \
    rl_status rl_##name##_packed(rl_tensor *data, rl_tensor *batch_sizes, rl_tensor *hx,           \
                                 rl_tensors params, bool has_biases, int64_t num_layers,           \
                                 double dropout, bool train, bool bidirectional, rl_tensor **out)  \
    {                                                                                              \
        return run(&(call){mode, data, batch_sizes, hx, NULL, params, has_biases, train,           \
                           bidirectional, false, num_layers, dropout},                             \
                   out);                                                                           \
    }
SEQUENCE(gru, RL_RNN_GRU)
SEQUENCE(rnn_tanh, RL_RNN_TANH)
SEQUENCE(rnn_relu, RL_RNN_RELU)
#undef SEQUENCE

/* ---- cells ---- */

static rl_status check_cell_state(const rl_tensor *x, const rl_tensor *h, int64_t hidden, int which)
{
    if (h->ndim != 2)
        return rl_error(RL_ERUNTIME, "hidden%d must have 2 dimensions, got %d", which, h->ndim);
    if (x->shape[0] != h->shape[0])
        return rl_error(RL_ERUNTIME, "Input batch size %lld doesn't match hidden%d batch size %lld",
                        (long long)x->shape[0], which, (long long)h->shape[0]);
    if (h->shape[1] != hidden)
        return rl_error(RL_ERUNTIME,
                        "hidden%d has inconsistent hidden_size: got %lld, expected %lld", which,
                        (long long)h->shape[1], (long long)hidden);
    return RL_OK;
}

static rl_status check_cell(rl_rnn_mode mode, const rl_tensor *x, const rl_tensor *h,
                            const rl_tensor *c, const rl_tensor *w_ih, const rl_tensor *w_hh)
{
    if (x->ndim < 2)
        return rl_error(RL_EINDEX,
                        "Dimension out of range (expected to be in range of [%d, %d], but got 1)",
                        x->ndim ? -x->ndim : -1, x->ndim ? x->ndim - 1 : 0);
    if (w_ih->ndim != 2 || w_hh->ndim != 2)
        return rl_error(RL_ERUNTIME, "weights of a recurrent cell must have 2 dimensions");
    if (x->shape[1] != w_ih->shape[1])
        return rl_error(RL_ERUNTIME, "input has inconsistent input_size: got %lld expected %lld",
                        (long long)x->shape[1], (long long)w_ih->shape[1]);
    if (x->ndim != 2)
        return rl_error(RL_ERUNTIME, "input must have 2 dimensions, got %d", x->ndim);
    (void)mode;
    rl_status status = check_cell_state(x, h, w_hh->shape[1], 0);
    return status || !c ? status : check_cell_state(x, c, w_hh->shape[1], 1);
}

/* One step: a sequence of length one, which is a layer as well.  out[0] = h, out[1] = c. */
static rl_status run_cell(rl_rnn_mode mode, rl_tensor *x, rl_tensor *h, rl_tensor *c,
                          rl_tensor *w_ih, rl_tensor *w_hh, rl_tensor *b_ih, rl_tensor *b_hh,
                          rl_tensor **out)
{
    if (!x || !h || !w_ih || !w_hh)
        return rl_error_code();
    rl_status status = check_cell(mode, x, h, c, w_ih, w_hh);
    rl_tensor *params[] = {w_ih, w_hh, b_ih, b_hh}, *wide[4] = {NULL};
    rl_tensor *without_first[] = {w_ih, w_hh, b_hh};
    call types = {.mode = mode, .x = x, .h = h, .c = c, .params = {params, 2}};
    for (int i = 2; i < 4; i++)
        if (params[i])
            types.params.n = i + 1; /* a NULL before it is skipped below */
    if (!b_ih && b_hh)
        types.params = (rl_tensors){without_first, 3};
    if (!status)
        status = check_dtypes(&types);
    if (status)
        return status;
    const rl_dtype dtype = (rl_dtype)x->dtype, compute = dtype == RL_F64 ? RL_F64 : RL_F32;
    RL_TEMP *x1 = rl_to_dtype(x, compute, false);
    RL_TEMP *h1 = x1 ? rl_to_dtype(h, compute, false) : NULL;
    RL_TEMP *h0 = h1 ? rl_unsqueeze(h1, 0) : NULL;
    RL_TEMP *c1 = h0 && c ? rl_to_dtype(c, compute, false) : NULL;
    RL_TEMP *c0 = c1 ? rl_unsqueeze(c1, 0) : NULL;
    status = h0 && (c0 || !c) ? RL_OK : rl_error_code();
    for (int i = 0; i < 4 && !status; i++) {
        wide[i] = params[i] ? rl_to_dtype(params[i], compute, false) : NULL;
        status = params[i] ? rl_status_of(wide[i]) : RL_OK;
    }
    rl_tensor *in[RL_RNN_INPUTS] = {x1, h0, c0, wide[0], wide[1], wide[2], wide[3]};
    rl_tensor *result[3] = {NULL};
    const rl_rnn_shape s = {.mode = mode,
                            .steps = 1,
                            .batch = x->shape[0],
                            .rows = x->shape[0],
                            .input = x->shape[1],
                            .hidden = w_hh->shape[1],
                            .out = w_hh->shape[1],
                            .directions = 1};
    if (!status)
        status = check_layer(&s, in);
    if (!status)
        status = rl_rnn_layer(&s, NULL, in, result);
    if (!status) {
        out[0] = rl_to_dtype(result[0], dtype, false);
        RL_TEMP *cell = c ? rl_select(result[2], 0, 0) : NULL;
        if (c && out[0])
            out[1] = cell ? rl_to_dtype(cell, dtype, false) : NULL;
        status = rl_status_of(c ? (out[0] ? out[1] : NULL) : out[0]);
        if (status) {
            rl_release(out[0]);
            out[0] = NULL;
        }
    }
    for (int i = 0; i < 4; i++)
        rl_release(wide[i]);
    for (int o = 0; o < 3; o++)
        rl_release(result[o]);
    return status;
}

rl_status rl_lstm_cell(rl_tensor *input, rl_tensors hx, rl_tensor *w_ih, rl_tensor *w_hh,
                       rl_tensor *b_ih, rl_tensor *b_hh, rl_tensor **out)
{
    if (hx.n != 2)
        return rl_error(RL_ERUNTIME, "lstm_cell expects two hidden states");
    return run_cell(RL_RNN_LSTM, input, hx.v[0], hx.v[1], w_ih, w_hh, b_ih, b_hh, out);
}

#define CELL(name, mode)                                                                           \
    rl_tensor *rl_##name(rl_tensor *input, rl_tensor *hx, rl_tensor *w_ih, rl_tensor *w_hh,        \
                         rl_tensor *b_ih, rl_tensor *b_hh)                                         \
    {                                                                                              \
        rl_tensor *out[2] = {NULL};                                                                \
        return run_cell(mode, input, hx, NULL, w_ih, w_hh, b_ih, b_hh, out) ? NULL : out[0];       \
    }
CELL(gru_cell, RL_RNN_GRU)
CELL(rnn_tanh_cell, RL_RNN_TANH)
CELL(rnn_relu_cell, RL_RNN_RELU)
#undef CELL
