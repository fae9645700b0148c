/* rnn_compose.c: a recurrent layer step by step from public operators: what second derivatives come
 * from, and the definition that the fast way is tested against. */
#include "ops/map.h"
#include "ops/rnn.h"

static rl_tensor *rows_of(rl_tensor *t, int64_t start, int64_t count)
{
    return t ? rl_narrow(t, 0, start, count) : NULL;
}

static rl_tensor *gate(rl_tensor *gates, int64_t k, int64_t n)
{
    return gates ? rl_narrow(gates, 1, k * n, n) : NULL;
}

/* A step: from x (rows, input), h, c to *h, *c, which are released and replaced. */
static rl_status step(const rl_rnn_shape *s, rl_tensor *x, rl_tensor *const *p, rl_tensor **h,
                      rl_tensor **c)
{
    const int64_t n = s->hidden;
    RL_TEMP *gx = rl_linear(x, p[RL_RNN_IH], p[RL_RNN_BIAS_IH]);
    RL_TEMP *gh = rl_linear(*h, p[RL_RNN_HH], p[RL_RNN_BIAS_HH]);
    RL_TEMP *next = NULL;
    if (s->mode == RL_RNN_GRU) {
        RL_TEMP *xr = gate(gx, 0, n), *xz = gate(gx, 1, n), *xm = gate(gx, 2, n);
        RL_TEMP *hr = gate(gh, 0, n), *hz = gate(gh, 1, n), *inner = gate(gh, 2, n);
        RL_TEMP *pr = rl_add(xr, hr, rl_int(1)), *r = rl_sigmoid(pr);
        RL_TEMP *pz = rl_add(xz, hz, rl_int(1)), *z = rl_sigmoid(pz);
        RL_TEMP *reset = rl_mul(r, inner), *pm = rl_add(xm, reset, rl_int(1)), *m = rl_tanh(pm);
        RL_TEMP *way = rl_sub(*h, m, rl_int(1)), *share = rl_mul(z, way);
        next = rl_add(m, share, rl_int(1));
    } else {
        RL_TEMP *sum = rl_add(gx, gh, rl_int(1));
        if (s->mode == RL_RNN_LSTM) {
            RL_TEMP *pi = gate(sum, 0, n), *pf = gate(sum, 1, n), *pg = gate(sum, 2, n);
            RL_TEMP *po = gate(sum, 3, n);
            RL_TEMP *i = rl_sigmoid(pi), *f = rl_sigmoid(pf), *g = rl_tanh(pg);
            RL_TEMP *o = rl_sigmoid(po), *kept = rl_mul(f, *c), *made = rl_mul(i, g);
            rl_tensor *cell = rl_add(kept, made, rl_int(1));
            rl_release(*c);
            *c = cell;
            RL_TEMP *t = rl_tanh(cell);
            next = rl_mul(o, t);
            if (s->projected) {
                rl_tensor *narrow = rl_linear(next, p[RL_RNN_HR], NULL);
                rl_release(next);
                next = narrow;
            }
        } else {
            next = s->mode == RL_RNN_TANH ? rl_tanh(sum) : rl_relu(sum);
        }
    }
    rl_release(*h);
    *h = rl_retain(next);
    return rl_status_of(next);
}

/* A state, h or c, of the sequences at work, and the ends of those that have come to theirs. */
typedef struct state {
    rl_tensor *now, *first;
    rl_list ended;
    int64_t n_ended;
} state;

static rl_status begin(state *a, rl_tensor *first, int64_t d, int64_t steps)
{
    a->first = rl_select(first, 0, d);
    a->now = rows_of(a->first, 0, 0);
    return a->now ? rl_list_new(&a->ended, steps) : rl_error_code();
}

static void leave(state *a)
{
    rl_release(a->now);
    rl_release(a->first);
    rl_list_free(&a->ended);
}

/* Makes the state one of `count` sequences: the last ones end, or further ones begin. */
static rl_status resize(state *a, int64_t count)
{
    const int64_t had = a->now->shape[0];
    rl_tensor *now = NULL;
    if (count > had) {
        RL_TEMP *more = rows_of(a->first, had, count - had);
        now = had ? rl_cat((rl_tensors){(rl_tensor *[]){a->now, more}, 2}, 0) : rl_retain(more);
    } else if (count < had) {
        /* From the back, so that the list is in the order of sequences when all have ended. */
        const int64_t place = a->ended.n - ++a->n_ended;
        a->ended.v[place] = rows_of(a->now, count, had - count);
        now = a->ended.v[place] ? rows_of(a->now, 0, count) : NULL;
    } else {
        return RL_OK;
    }
    if (!now)
        return rl_error_code();
    rl_release(a->now);
    a->now = now;
    return RL_OK;
}

static rl_tensor * final(const state *a)
{
    return rl_cat((rl_tensors){a->ended.v + a->ended.n - a->n_ended, a->n_ended}, 0);
}

static rl_status direction(const rl_rnn_shape *s, const int64_t *starts, rl_tensor *x,
                           rl_tensor *const *in, int64_t d, rl_list *ys, state *h, state *c,
                           rl_tensor **out)
{
    const bool lstm = s->mode == RL_RNN_LSTM;
    rl_status status = begin(h, in[RL_RNN_H0], d, s->steps + 1);
    if (!status && lstm)
        status = begin(c, in[RL_RNN_C0], d, s->steps + 1);
    for (int64_t k = 0; k < s->steps && !status; k++) {
        const int64_t t = d ? s->steps - 1 - k : k, count = rl_rnn_count(s, starts, t);
        RL_TEMP *xt = rows_of(x, rl_rnn_start(s, starts, t), count);
        status = rl_status_of(xt);
        if (!status)
            status = resize(h, count);
        if (!status && lstm)
            status = resize(c, count);
        if (!status)
            status = step(s, xt, in + RL_RNN_W + d * RL_RNN_PARAMS, &h->now, &c->now);
        if (!status)
            ys->v[t] = rl_retain(h->now);
    }
    if (!status)
        status = resize(h, 0);
    if (!status && lstm)
        status = resize(c, 0);
    if (status)
        return status;
    out[0] = rl_cat((rl_tensors){ys->v, ys->n}, 0);
    out[1] = out[0] ? final(h) : NULL;
    out[2] = out[1] && lstm ? final(c) : NULL;
    return rl_status_of(lstm ? out[2] : out[1]);
}

/* out[o] of both directions, side by side: y along dim 1, states stacked. */
static rl_status join(rl_tensor *parts[2][3], int64_t directions, int outputs, rl_tensor *x,
                      rl_tensor **out)
{
    for (int o = 0; o < outputs; o++) {
        rl_tensor *both[] = {parts[0][o], parts[1][o]};
        rl_tensors list = {both, directions};
        if (o == 0) {
            RL_TEMP *rows = rl_cat(list, 1);
            int64_t shape[RL_MAX_DIMS];
            memcpy(shape, x->shape, (size_t)x->ndim * sizeof *shape);
            shape[x->ndim - 1] = rows ? rows->shape[1] : 0;
            out[o] = rows ? rl_reshape(rows, (rl_ints){shape, x->ndim}) : NULL;
        } else {
            out[o] = rl_stack(list, 0);
        }
        if (!out[o])
            return rl_error_code();
    }
    return RL_OK;
}

rl_status rl_rnn_compose(const rl_rnn_shape *s, const int64_t *starts, rl_tensor *const *in,
                         rl_tensor **out)
{
    rl_tensor *parts[2][3] = {{NULL}};
    int64_t shape[] = {s->rows, s->input};
    RL_TEMP *x = rl_reshape(in[RL_RNN_X], (rl_ints){shape, 2});
    rl_status status = rl_status_of(x);
    for (int64_t d = 0; d < s->directions && !status; d++) {
        rl_list ys = {NULL, 0};
        state h = {NULL}, c = {NULL};
        status = rl_list_new(&ys, s->steps);
        if (!status)
            status = direction(s, starts, x, in, d, &ys, &h, &c, parts[d]);
        rl_list_free(&ys);
        leave(&h);
        leave(&c);
    }
    if (!status)
        status = join(parts, s->directions, s->mode == RL_RNN_LSTM ? 3 : 2, in[RL_RNN_X], out);
    for (int d = 0; d < 2; d++)
        for (int o = 0; o < 3; o++)
            rl_release(parts[d][o]);
    return status;
}
