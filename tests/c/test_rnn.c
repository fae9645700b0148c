/* Recurrent layers: the fused way against the composed one, packed and padded, forward and
 * backward; the same bits for any number of threads; nothing leaks when memory runs out on the way.
 */
#include "check.h"
#include "ops/rnn.h"

static rl_tensor *pattern(int ndim, const int64_t *shape, int seed, bool grad)
{
    rl_tensor *t = rl_new(RL_F64, ndim, shape);
    for (int64_t i = 0; t && i < t->numel; i++)
        ((double *)t->data)[i] = (double)((i * 37 + seed * 11) % 29 - 14) / 20;
    if (t && grad && rl_set_requires_grad(t, true)) {
        rl_release(t);
        return NULL;
    }
    return t;
}

static bool near(rl_tensor *a, rl_tensor *b)
{
    if (!a || !b || !rl_same_shape(a, b))
        return false;
    RL_TEMP *x = rl_contiguous_data(a), *y = rl_contiguous_data(b);
    for (int64_t i = 0; x && y && i < a->numel; i++)
        if (fabs(((double *)x->data)[i] - ((double *)y->data)[i]) > 1e-12)
            return false;
    return true;
}

/* Outputs and gradients of a layer, computed by rl_rnn_layer or from public operators. */
typedef struct results {
    rl_tensor *out[3], *dx[RL_RNN_INPUTS];
} results;

static void leave(results *r)
{
    for (int o = 0; o < 3; o++)
        rl_release(r->out[o]);
    for (int i = 0; i < RL_RNN_INPUTS; i++)
        rl_release(r->dx[i]);
}

static bool compute(const rl_rnn_shape *s, rl_tensor *starts, rl_tensor *const *in, bool fused,
                    results *r)
{
    const int outputs = s->mode == RL_RNN_LSTM ? 3 : 2;
    rl_tensor *asked[RL_RNN_INPUTS], *found[RL_RNN_INPUTS] = {NULL}, *g[3] = {NULL};
    int place[RL_RNN_INPUTS], n = 0;
    *r = (results){{NULL}, {NULL}};
    rl_status status =
        fused ? rl_rnn_layer(s, starts, in, r->out)
              : rl_rnn_compose(s, starts ? (const int64_t *)starts->data : NULL, in, r->out);
    for (int i = 0; i < RL_RNN_INPUTS; i++)
        if (in[i]) {
            asked[n] = in[i];
            place[n++] = i;
        }
    for (int o = 0; o < outputs && !status; o++) {
        g[o] = pattern(r->out[o]->ndim, r->out[o]->shape, 7 + o, false);
        status = rl_status_of(g[o]);
    }
    if (!status)
        status = rl_grad((rl_tensors){r->out, outputs}, g, (rl_tensors){asked, n}, false, false,
                         false, found);
    for (int i = 0; i < n; i++)
        r->dx[place[i]] = found[i];
    for (int o = 0; o < 3; o++)
        rl_release(g[o]);
    if (status)
        short_of_memory(__FILE__, __LINE__, "compute");
    return !status;
}

static bool both_ways(rl_rnn_shape s, bool packed)
{
    static const int64_t begin[] = {0, 3, 6, 8, 9, 10};
    rl_tensor *in[RL_RNN_INPUTS] = {NULL}, *starts = NULL;
    const int64_t rows = rl_rnn_gates(s.mode) * s.hidden, d = s.directions;
    s.steps = 5;
    s.batch = 3;
    s.rows = packed ? 10 : 15;
    in[RL_RNN_X] = pattern(SHAPE(s.rows, s.input), 1, true);
    in[RL_RNN_H0] = pattern(SHAPE(d, 3, s.out), 2, true);
    in[RL_RNN_C0] = s.mode == RL_RNN_LSTM ? pattern(SHAPE(d, 3, s.hidden), 3, true) : NULL;
    bool done = in[RL_RNN_X] && in[RL_RNN_H0] && (in[RL_RNN_C0] || s.mode != RL_RNN_LSTM);
    for (int64_t k = 0; k < d; k++) {
        rl_tensor **p = in + RL_RNN_W + k * RL_RNN_PARAMS;
        const int seed = 10 + 5 * (int)k;
        p[RL_RNN_IH] = pattern(SHAPE(rows, s.input), seed, true);
        p[RL_RNN_HH] = pattern(SHAPE(rows, s.out), seed + 1, true);
        p[RL_RNN_BIAS_IH] = pattern(SHAPE(rows), seed + 2, true);
        p[RL_RNN_BIAS_HH] = pattern(SHAPE(rows), seed + 3, true);
        p[RL_RNN_HR] = s.projected ? pattern(SHAPE(s.out, s.hidden), seed + 4, true) : NULL;
        for (int i = 0; i < RL_RNN_PARAMS; i++)
            done &= p[i] || (i == RL_RNN_HR && !s.projected);
    }
    if (packed) {
        starts = rl_from_data(RL_I64, SHAPE(6), begin);
        done &= starts != NULL;
    }
    results fused = {{NULL}, {NULL}}, composed = {{NULL}, {NULL}};
    done =
        done && compute(&s, starts, in, true, &fused) && compute(&s, starts, in, false, &composed);
    if (done) {
        for (int o = 0; o < (s.mode == RL_RNN_LSTM ? 3 : 2); o++)
            CHECK(near(fused.out[o], composed.out[o]));
        for (int i = 0; i < RL_RNN_INPUTS; i++)
            CHECK(!in[i] || near(fused.dx[i], composed.dx[i]));
    }
    leave(&fused);
    leave(&composed);
    for (int i = 0; i < RL_RNN_INPUTS; i++)
        rl_release(in[i]);
    rl_release(starts);
    return done;
}

static const rl_rnn_shape plain = {.input = 2, .hidden = 3, .out = 3, .directions = 1};

static rl_rnn_shape of(rl_rnn_mode mode, int64_t directions, int64_t projection)
{
    rl_rnn_shape s = plain;
    s.mode = mode;
    s.directions = directions;
    if (projection) {
        s.out = projection;
        s.projected = 1;
    }
    return s;
}

static bool lstm(void)
{
    return both_ways(of(RL_RNN_LSTM, 1, 0), false) && both_ways(of(RL_RNN_LSTM, 2, 0), true);
}
static bool lstm_projected(void)
{
    return both_ways(of(RL_RNN_LSTM, 2, 2), false) && both_ways(of(RL_RNN_LSTM, 1, 1), true);
}
static bool gru(void)
{
    return both_ways(of(RL_RNN_GRU, 2, 0), false) && both_ways(of(RL_RNN_GRU, 2, 0), true);
}
static bool rnn(void)
{
    return both_ways(of(RL_RNN_TANH, 2, 0), false) && both_ways(of(RL_RNN_RELU, 2, 0), true);
}

/* A call of two layers with dropout between them, as people write it. */
static bool stacked(void)
{
    rl_tensor *params[8] = {NULL}, *hx[2] = {NULL}, *out[3] = {NULL};
    MAKE(x, pattern(SHAPE(2, 5, 3), 1, true));
    bool done = true;
    for (int i = 0; i < 8 && done; i++) {
        const int64_t shape[] = {12, 3};
        params[i] = pattern(i % 4 < 2 ? 2 : 1, shape, i, true);
        done = params[i] != NULL;
    }
    for (int i = 0; i < 2 && done; i++)
        done = (hx[i] = pattern(SHAPE(2, 2, 3), i, false)) != NULL;
    done = done && !rl_lstm(x, (rl_tensors){hx, 2}, (rl_tensors){params, 8}, true, 2, 0.5, true,
                            false, true, out);
    if (done) {
        CHECK(rl_has_shape(out[0], SHAPE(2, 5, 3)) && rl_has_shape(out[1], SHAPE(2, 2, 3)));
        RL_TEMP *g = pattern(SHAPE(2, 5, 3), 4, false);
        done = g && !rl_backward((rl_tensors){out, 1}, &g, false, false, (rl_tensors){NULL, 0});
    }
    if (done)
        for (int i = 0; i < 8; i++)
            CHECK(rl_same_shape(rl_borrow_grad(params[i]), params[i]));
    else
        short_of_memory(__FILE__, __LINE__, "stacked");
    for (int i = 0; i < 8; i++)
        rl_release(params[i]);
    for (int i = 0; i < 3; i++) {
        rl_release(out[i]);
        rl_release(i < 2 ? hx[i] : NULL);
    }
    return done;
}

/* A backward that fails leaves nothing for a second one to find, or all of it. */
static bool second_backward(void)
{
    MAKE(x, pattern(SHAPE(5, 3, 2), 1, true));
    MAKE(h, pattern(SHAPE(1, 3, 2), 2, false));
    MAKE(c, pattern(SHAPE(1, 3, 2), 3, false));
    MAKE(ih, pattern(SHAPE(8, 2), 4, true));
    MAKE(hh, pattern(SHAPE(8, 2), 5, true));
    MAKE(g, pattern(SHAPE(5, 3, 2), 6, false));
    rl_tensor *hx[] = {h, c}, *params[] = {ih, hh}, *out[3] = {NULL}, *expected = NULL;
    rl_tensor *found = NULL;
    rl_tensors leaf = {&x, 1}, root = {out, 1};
    NEED(!rl_lstm(x, (rl_tensors){hx, 2}, (rl_tensors){params, 2}, false, 1, 0, false, false, false,
                  out));
    bool done = !rl_grad(root, &g, leaf, true, false, false, &expected) &&
                !rl_grad(root, &g, leaf, false, false, false, &found);
    if (!done && expected) { /* the second one failed: a third one is right, or refused */
        rl_alloc_fail_after(0);
        if (rl_grad(root, &g, leaf, false, false, false, &found))
            CHECK(rl_error_code() == RL_ERUNTIME);
        else
            CHECK(near(found, expected));
    } else if (done) {
        CHECK(near(found, expected));
    }
    rl_release(expected);
    rl_release(found);
    for (int i = 0; i < 3; i++)
        rl_release(out[i]);
    return done;
}

static bool packing(void)
{
    static const int64_t lengths[] = {4, 2, 1};
    MAKE(x, pattern(SHAPE(3, 4, 2), 1, true));
    MAKE(n, rl_from_data(RL_I64, SHAPE(3), lengths));
    rl_tensor *packed[2] = {NULL}, *padded[2] = {NULL};
    NEED(!rl__pack_padded_sequence(x, n, true, packed));
    bool done = !rl__pad_packed_sequence(packed[0], packed[1], true, rl_int(0), 5, padded);
    if (done) {
        CHECK(rl_has_shape(packed[0], SHAPE(7, 2)) && rl_has_shape(padded[0], SHAPE(3, 5, 2)));
        CHECK(!memcmp(padded[1]->data, lengths, sizeof lengths));
        RL_TEMP *flat = rl_contiguous_data(padded[0]);
        done = flat != NULL;
        for (int b = 0; b < 3 && done; b++)
            for (int t = 0; t < 5; t++)
                for (int j = 0; j < 2; j++)
                    CHECK(((double *)flat->data)[(b * 5 + t) * 2 + j] ==
                          (t < lengths[b] ? ((double *)x->data)[(b * 4 + t) * 2 + j] : 0));
    }
    if (!done)
        short_of_memory(__FILE__, __LINE__, "packing");
    for (int i = 0; i < 2; i++) {
        rl_release(packed[i]);
        rl_release(padded[i]);
    }
    return done;
}

static bool errors(void)
{
    MAKE(x, pattern(SHAPE(5, 3, 2), 1, false));
    MAKE(h, pattern(SHAPE(1, 3, 2), 2, false));
    MAKE(w, pattern(SHAPE(6, 2), 3, false));
    MAKE(v, pattern(SHAPE(2, 2), 3, false));
    rl_tensor *params[] = {w, v}, *out[3];
    const rl_tensors two = {params, 2}, one = {params, 1}, state = {&h, 1};
    FAILS(!rl_lstm(x, state, two, false, 1, 0, false, false, false, out), RL_ERUNTIME,
          "lstm expects two hidden states");
    FAILS(!rl_gru(x, h, one, false, 1, 0, false, false, false, out), RL_ERUNTIME,
          "got an incorrect number of RNN parameters");
    FAILS(!rl_gru(x, h, two, false, 1, 0, false, false, false, out), RL_ERUNTIME,
          "recurrent weight has shape [2, 2], expected [6, 2] for this input and hidden state");
    return true;
}

int main(void)
{
    RUN(lstm);
    RUN(lstm_projected);
    RUN(gru);
    RUN(rnn);
    RUN(stacked);
    RUN(second_backward);
    RUN(packing);
    RUN(errors);
    rl_set_num_threads(3);
    RUN(lstm);
    RUN(gru);
    return failures != 0;
}
