/* rnn_steps.c: the arithmetic of a recurrent layer, without history.
 *
 * Forward, the products of all inputs are one GEMM; then each step adds its product with the hidden
 * state and runs the gates' kernel.  Backward, the steps leave the gradients before the
 * activations, and those of the weights are a few products over all rows at the end.
 *
 * The sequences of a batch know nothing of each other, so threads share out sequences, not steps:
 * each runs its share from the first step to the last.  A sequence's bits do not depend on the
 * share it is in, because row-major right factors make GEMM rows independent (kernels/gemm.h). */
#include "ops/rnn.h"

#include <stdatomic.h>

#include "core/alloc.h"
#include "core/parallel.h"
#include "kernels/gemm.h"

enum {
    FEW_STEPS = 4,
    SHARE_ROWS = 32,
    PAD = 16, /* elements between rows, so that they fall into different cache sets */
    CACHED_WEIGHTS = 256 * 1024 /* bytes of W_ih that stay in the second level of cache */
};
static const double SHARE_WORK = 1e6; /* multiply-adds of a thread's smallest share */

static int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t max64(int64_t a, int64_t b) { return a > b ? a : b; }

/* A matrix in memory; strides in elements. */
typedef struct matrix {
    char *p;
    int64_t rs, cs;
} matrix;

/* One direction of a layer at work. */
typedef struct work {
    const rl_rnn_shape *s;
    const int64_t *starts;
    rl_dtype dtype;
    int64_t size; /* bytes of an element */
    int64_t n, out, gates;
    bool reverse;
    bool from_zero; /* h0 is all zeros: nothing to multiply */
    bool ring;      /* kept has rows for the last two steps only */
    bool stepwise;  /* the products of the inputs are made step by step as well */
    rl_rnn_fn *kernel;
    rl_rnn_rows kept;      /* of this direction */
    rl_rnn_rows y, h0, c0; /* y: this direction's columns */
    rl_rnn_rows hn, cn;    /* results; backward: gradients of h and c that pass from step to step */
    rl_rnn_rows x;
    const char *start_bias;  /* forward: what gates start from, or NULL */
    matrix ih;               /* forward: (input, gates n) */
    matrix hh, hr;           /* right factors: forward (out, gates n), (n, out); backward
                                (gates n, out), (out, n) */
    const char *inner_bias;  /* GRU: b_hn or NULL */
    rl_rnn_rows grad;        /* backward: of y, p NULL for none */
    rl_rnn_rows dgates;      /* (rows, (gates + 1 for GRU) n) */
    rl_rnn_rows dprojected;  /* (rows, out): gradients of the projections' results */
    rl_rnn_rows unprojected; /* (batch, n): those of what is projected */
    bool wants_state;        /* the gradient of h0 is asked for */
    atomic_bool failed;
} work;

static char *row(rl_rnn_rows m, const work *w, int64_t r) { return m.p + r * m.ld * w->size; }
static rl_rnn_rows at(rl_rnn_rows m, const work *w, int64_t r, int64_t column)
{
    return (rl_rnn_rows){m.p ? m.p + (r * m.ld + column) * w->size : NULL, m.ld};
}

static int64_t padded(int64_t width, int64_t size)
{
    return width * size % 1024 ? width : width + PAD;
}

int64_t rl_rnn_kept_width(const rl_rnn_shape *s, rl_dtype dtype)
{
    int64_t blocks = s->mode == RL_RNN_LSTM ? 6 + s->projected : s->mode == RL_RNN_GRU ? 5 : 1;
    return padded(blocks * s->hidden, (int64_t)rl_dtype_size(dtype));
}

/* Whether products read the weights where they lie.  With few steps it does not pay to lay them out
 * anew, and products of few rows read them faster along their own rows. */
static bool in_place(const rl_rnn_shape *s)
{
    return s->steps < FEW_STEPS || s->batch <= RL_GEMM_THIN;
}

/* Whether the products of the inputs are made step by step as well, so that gates do not leave the
 * cache between being made and being used; not where that costs reading W_ih again and again. */
static bool stepwise(const rl_rnn_shape *s, rl_dtype dtype)
{
    const int64_t weights = s->input * rl_rnn_gates(s->mode) * s->hidden;
    return !in_place(s) && weights * (int64_t)rl_dtype_size(dtype) <= CACHED_WEIGHTS;
}

int64_t rl_rnn_kept_rows(const rl_rnn_shape *s, rl_dtype dtype, bool all)
{
    return all || !stepwise(s, dtype) || s->rows < 2 * s->batch ? s->rows : 2 * s->batch;
}

/* Where h of every step is found, in rows of `out` columns that nobody outside writes to; LSTM's is
 * y itself. */
static rl_rnn_rows states(const work *w)
{
    return w->s->mode == RL_RNN_LSTM  ? w->y
           : w->s->mode == RL_RNN_GRU ? at(w->kept, w, 0, 4 * w->n)
                                      : w->kept;
}

/* c (m, n) = start + a b */
static void product(work *w, int64_t m, int64_t n, int64_t k, rl_rnn_rows a, matrix b,
                    rl_rnn_rows c, const char *bias, unsigned flags)
{
    if (rl_gemm(&(rl_gemm_args){.dtype = w->dtype,
                                .m = m,
                                .n = n,
                                .k = k,
                                .a = a.p,
                                .rsa = a.ld,
                                .csa = 1,
                                .b = b.p,
                                .rsb = b.rs,
                                .csb = b.cs,
                                .c = c.p,
                                .ldc = c.ld,
                                .bias = bias,
                                .flags = flags}))
        atomic_store(&w->failed, true);
}

/* The rows of step number k that a share works on: [begin, end) of the batch, of which those before
 * `split` have a step before, in row `prev` and on, and the others start there. */
typedef struct turn {
    int64_t start, prev, split, end;
    int64_t stay;            /* rows that go on in the step after */
    int64_t kept, kept_prev; /* first rows in `kept` of this step and of the one before */
} turn;

static turn turn_of(const work *w, int64_t k, int64_t begin, int64_t end)
{
    const rl_rnn_shape *s = w->s;
    int64_t t = w->reverse ? s->steps - 1 - k : k, before = w->reverse ? t + 1 : t - 1;
    int64_t after = w->reverse ? t - 1 : t + 1, count = rl_rnn_count(s, w->starts, t);
    turn r = {.start = rl_rnn_start(s, w->starts, t), .end = max64(begin, min64(end, count))};
    int64_t had = k > 0 ? min64(count, rl_rnn_count(s, w->starts, before)) : 0;
    int64_t has = k + 1 < s->steps ? min64(count, rl_rnn_count(s, w->starts, after)) : 0;
    r.prev = k > 0 ? rl_rnn_start(s, w->starts, before) : 0;
    r.split = max64(begin, min64(r.end, had));
    r.stay = max64(begin, min64(r.end, has));
    r.kept = w->ring ? k % 2 * s->batch : r.start;
    r.kept_prev = w->ring ? (k + 1) % 2 * s->batch : r.prev;
    return r;
}

static void copy_rows(const work *w, rl_rnn_rows to, rl_rnn_rows from, int64_t rows, int64_t n)
{
    for (int64_t r = 0; r < rows; r++)
        memcpy(row(to, w, r), row(from, w, r), (size_t)(n * w->size));
}

/* ---- forward ---- */

/* Adds the product with h to the gates of `rows` rows of kept, from `r` on. */
static void hidden_product(work *w, int64_t r, int64_t rows, rl_rnn_rows h, bool zero)
{
    const int64_t n = w->n, joined = w->s->mode == RL_RNN_GRU ? 2 * n : w->gates * n;
    if (rows <= 0)
        return;
    if (!zero)
        product(w, rows, joined, w->out, h, w->hh, at(w->kept, w, r, 0), NULL, RL_GEMM_C);
    if (w->s->mode == RL_RNN_GRU) {
        matrix b = {w->hh.p + joined * w->hh.cs * w->size, w->hh.rs, w->hh.cs};
        product(w, rows, n, w->out, h, b, at(w->kept, w, r, 3 * n), w->inner_bias,
                w->inner_bias ? RL_GEMM_BIAS : RL_GEMM_ZERO);
    }
}

static void input_product(work *w, int64_t r, int64_t rows, int64_t from)
{
    product(w, rows, w->gates * w->n, w->s->input, at(w->x, w, from, 0), w->ih,
            at(w->kept, w, r, 0), w->start_bias, w->start_bias ? RL_GEMM_BIAS : RL_GEMM_ZERO);
}

/* Rows of kept from r on, of y from `to` on. */
static void run_gates(work *w, int64_t r, int64_t to, int64_t rows, rl_rnn_rows before)
{
    const int64_t n = w->n;
    const bool lstm = w->s->mode == RL_RNN_LSTM;
    if (rows <= 0)
        return;
    w->kernel(&(rl_rnn_step){
        .rows = rows,
        .n = n,
        .gates = at(w->kept, w, r, 0),
        .before = before,
        .inner = at(w->kept, w, r, lstm ? 4 * n : 3 * n),
        .cell = at(w->kept, w, r, lstm ? 5 * n : 4 * n),
        .hidden = w->s->projected ? at(w->kept, w, r, 6 * n) : at(w->y, w, to, 0),
    });
}

static void forward_share(int64_t begin, int64_t end, void *context)
{
    work *w = context;
    const int64_t n = w->n;
    const bool lstm = w->s->mode == RL_RNN_LSTM;
    const rl_rnn_rows cells = at(w->kept, w, 0, 5 * n);
    for (int64_t k = 0; k < w->s->steps; k++) {
        const turn t = turn_of(w, k, begin, end);
        const int64_t r = t.kept + begin, to = t.start + begin, split = t.split - begin;
        const int64_t rest = t.end - t.split;
        const rl_rnn_rows h = at(w->y, w, t.prev + begin, 0), h0 = at(w->h0, w, t.split, 0);
        if (t.end <= begin)
            continue;
        if (w->stepwise)
            input_product(w, r, t.end - begin, to);
        hidden_product(w, r, split, h, false);
        hidden_product(w, r + split, rest, h0, w->from_zero);
        run_gates(w, r, to, split, lstm ? at(cells, w, t.kept_prev + begin, 0) : h);
        run_gates(w, r + split, to + split, rest, lstm ? at(w->c0, w, t.split, 0) : h0);
        if (w->s->projected)
            product(w, t.end - begin, w->out, n, at(w->kept, w, r, 6 * n), w->hr,
                    at(w->y, w, to, 0), NULL, RL_GEMM_ZERO);
        const int64_t gone = t.end - t.stay;
        copy_rows(w, at(w->hn, w, t.stay, 0), at(w->y, w, t.start + t.stay, 0), gone, w->out);
        if (lstm)
            copy_rows(w, at(w->cn, w, t.stay, 0), at(cells, w, t.kept + t.stay, 0), gone, n);
    }
}

static bool all_zero(const void *data, int64_t bytes)
{
    const char *p = data;
    static const char zeros[256];
    for (; bytes > 256; p += 256, bytes -= 256)
        if (memcmp(p, zeros, 256))
            return false;
    return !memcmp(p, zeros, (size_t)bytes);
}

/* t (rows, cols) transposed into a new matrix, by the packing that products use. */
static rl_tensor *transposed(rl_tensor *t, matrix *m)
{
    const int64_t size = (int64_t)rl_itemsize(t), rows = t->shape[0], cols = t->shape[1];
    const int64_t width = padded((rows + PAD - 1) / PAD * PAD, size); /* whole vectors */
    rl_tensor *copy = rl_new((rl_dtype)t->dtype, 2, (int64_t[]){cols, width});
    if (!copy)
        return NULL;
    const rl_gemm_kernels *g = rl_kernel_table.gemm;
    (size == 4 ? g->f32->pack : g->f64->pack)(cols, rows, width, t->data, size, cols * size,
                                              copy->data);
    *m = (matrix){copy->data, width, 1};
    return copy;
}

static matrix matrix_in_place(rl_tensor *t, bool swapped)
{
    int64_t cols = t->shape[1];
    return swapped ? (matrix){t->data, 1, cols} : (matrix){t->data, cols, 1};
}

/* What all gates start from: b_ih + b_hh, but for GRU's inner part, which has its own.  NULL
 * without an error: nothing. */
static rl_tensor *start_of(const rl_rnn_shape *s, rl_tensor *b_ih, rl_tensor *b_hh)
{
    if (!b_hh)
        return rl_retain(b_ih);
    int64_t all = b_hh->numel, joined = s->mode == RL_RNN_GRU ? 2 * s->hidden : all;
    rl_tensor *sum = rl_new((rl_dtype)b_hh->dtype, 1, &all);
    for (int64_t i = 0; sum && i < all; i++) {
        if (sum->dtype == RL_F32)
            ((float *)sum->data)[i] =
                (b_ih ? ((float *)b_ih->data)[i] : 0) + (i < joined ? ((float *)b_hh->data)[i] : 0);
        else
            ((double *)sum->data)[i] = (b_ih ? ((double *)b_ih->data)[i] : 0) +
                                       (i < joined ? ((double *)b_hh->data)[i] : 0);
    }
    return sum;
}

static work work_of(const rl_rnn_shape *s, const int64_t *starts, rl_tensor *const *in,
                    rl_tensor *kept, rl_tensor *y, int d)
{
    const int64_t size = (int64_t)rl_itemsize(kept), width = s->directions * s->out;
    const int64_t state = s->batch * size * d;
    return (work){
        .s = s,
        .starts = starts,
        .dtype = (rl_dtype)kept->dtype,
        .size = size,
        .n = s->hidden,
        .out = s->out,
        .gates = rl_rnn_gates(s->mode),
        .reverse = d == 1,
        .ring = kept->shape[1] != s->rows,
        .x = {in[RL_RNN_X]->data, s->input},
        .kept = {kept->data + d * kept->strides[0] * size, kept->shape[2]},
        .y = {y->data + d * s->out * size, width},
        .h0 = {in[RL_RNN_H0]->data + state * s->out, s->out},
        .c0 = {in[RL_RNN_C0] ? in[RL_RNN_C0]->data + state * s->hidden : NULL, s->hidden},
        .from_zero = s->steps > 1 &&
                     all_zero(in[RL_RNN_H0]->data + state * s->out, s->batch * s->out * size),
    };
}

/* Runs the shares of a direction; macs: multiply-adds of one sequence. */
static rl_status run_shares(work *w, void (*share)(int64_t, int64_t, void *), double macs)
{
    const int64_t batch = w->s->batch, threads = rl_num_threads();
    if (threads == 1 || in_place(w->s)) { /* there, large products use several threads themselves */
        share(0, batch, w);
    } else { /* a share or more for each, of enough rows to fill tiles */
        const int64_t shares = threads * max64(1, batch / (threads * SHARE_ROWS));
        rl_parallel_for(batch,
                        max64((batch + shares - 1) / shares, (int64_t)(SHARE_WORK / (macs + 1))),
                        share, w);
    }
    return atomic_load(&w->failed) ? rl_error(RL_EMEMORY, "not enough memory for a matrix product")
                                   : RL_OK;
}

static double sequence_work(const rl_rnn_shape *s)
{
    return (double)s->steps * (double)s->hidden * (double)s->out *
           (double)(rl_rnn_gates(s->mode) + s->projected);
}

static rl_status forward_direction(const rl_rnn_shape *s, const int64_t *starts,
                                   rl_tensor *const *in, rl_tensor *kept, rl_tensor *y,
                                   rl_tensor *hn, rl_tensor *cn, int d)
{
    rl_tensor *const *p = in + RL_RNN_W + d * RL_RNN_PARAMS;
    work w = work_of(s, starts, in, kept, y, d);
    const int64_t state = s->batch * w.size * d;
    w.kernel = rl_kernel_table.rnn.forward[s->mode][w.dtype == RL_F64];
    w.hn = (rl_rnn_rows){hn->data + state * s->out, s->out};
    w.cn = (rl_rnn_rows){cn ? cn->data + state * s->hidden : NULL, s->hidden};
    RL_TEMP *start = start_of(s, p[RL_RNN_BIAS_IH], p[RL_RNN_BIAS_HH]);
    RL_TEMP *ih = NULL, *hh = NULL, *hr = NULL;
    if ((p[RL_RNN_BIAS_IH] || p[RL_RNN_BIAS_HH]) && !start)
        return rl_error_code();
    w.start_bias = start ? start->data : NULL;
    if (s->mode == RL_RNN_GRU && p[RL_RNN_BIAS_HH])
        w.inner_bias = p[RL_RNN_BIAS_HH]->data + 2 * w.n * w.size;
    if (in_place(s)) {
        w.ih = matrix_in_place(p[RL_RNN_IH], true);
        w.hh = matrix_in_place(p[RL_RNN_HH], true);
        if (s->projected)
            w.hr = matrix_in_place(p[RL_RNN_HR], true);
    } else {
        ih = transposed(p[RL_RNN_IH], &w.ih);
        hh = ih ? transposed(p[RL_RNN_HH], &w.hh) : NULL;
        hr = s->projected && hh ? transposed(p[RL_RNN_HR], &w.hr) : NULL;
        if (!hh || (s->projected && !hr))
            return rl_error_code();
        w.stepwise = stepwise(s, w.dtype);
    }
    if (!w.stepwise)
        input_product(&w, 0, s->rows, 0);
    return run_shares(&w, forward_share, sequence_work(s));
}

rl_status rl_rnn_forward(const rl_rnn_shape *s, const int64_t *starts, rl_tensor *const *in,
                         rl_tensor *kept, rl_tensor *y, rl_tensor *hn, rl_tensor *cn)
{
    rl_status status = RL_OK;
    for (int d = 0; d < s->directions && !status; d++)
        status = forward_direction(s, starts, in, kept, y, hn, cn, d);
    return status;
}

/* ---- backward ---- */

/* The gradient of what gate kernels see as h', before the activations, for rows [r, r + rows) of a
 * step whose sequences begin at b. */
static void run_slopes(work *w, int64_t r, int64_t b, int64_t rows, rl_rnn_rows before)
{
    const int64_t n = w->n;
    const bool lstm = w->s->mode == RL_RNN_LSTM;
    if (rows <= 0)
        return;
    w->kernel(&(rl_rnn_step){
        .rows = rows,
        .n = n,
        .gates = at(w->kept, w, r, 0),
        .before = before,
        .inner = at(w->kept, w, r, lstm ? 4 * n : 3 * n),
        .grad = w->s->projected ? (rl_rnn_rows){NULL, 0} : at(w->grad, w, r, 0),
        .dhidden = w->s->projected ? at(w->unprojected, w, b, 0) : at(w->hn, w, b, 0),
        .dcell = at(w->cn, w, b, 0),
        .dgates = at(w->dgates, w, r, 0),
    });
}

static void add_rows(const work *w, rl_rnn_rows to, rl_rnn_rows a, rl_rnn_rows b, int64_t rows,
                     int64_t n)
{
    for (int64_t r = 0; r < rows; r++) {
        if (w->dtype == RL_F32) {
            float *z = (float *)row(to, w, r);
            const float *x = (float *)row(a, w, r), *y = (float *)row(b, w, r);
            for (int64_t j = 0; j < n; j++)
                z[j] = x[j] + y[j];
        } else {
            double *z = (double *)row(to, w, r);
            const double *x = (double *)row(a, w, r), *y = (double *)row(b, w, r);
            for (int64_t j = 0; j < n; j++)
                z[j] = x[j] + y[j];
        }
    }
}

static void backward_share(int64_t begin, int64_t end, void *context)
{
    work *w = context;
    const int64_t n = w->n;
    const bool lstm = w->s->mode == RL_RNN_LSTM, gru = w->s->mode == RL_RNN_GRU;
    const rl_rnn_rows h = states(w), cells = at(w->kept, w, 0, 5 * n);
    for (int64_t k = w->s->steps - 1; k >= 0; k--) {
        const turn t = turn_of(w, k, begin, end);
        const int64_t r = t.start + begin, split = t.split - begin, rows = t.end - begin;
        if (rows <= 0)
            continue;
        if (w->s->projected) {
            rl_rnn_rows to = at(w->dprojected, w, r, 0), from = at(w->hn, w, begin, 0);
            if (w->grad.p)
                add_rows(w, to, from, at(w->grad, w, r, 0), rows, w->out);
            else
                copy_rows(w, to, from, rows, w->out);
            product(w, rows, n, w->out, to, w->hr, at(w->unprojected, w, begin, 0), NULL,
                    RL_GEMM_ZERO);
        }
        run_slopes(w, r, begin, split, at(lstm ? cells : h, w, t.prev + begin, 0));
        run_slopes(w, r + split, t.split, rows - split, at(lstm ? w->c0 : w->h0, w, t.split, 0));
        const int64_t on = w->wants_state ? rows : split;
        if (on > 0)
            product(w, on, w->out, w->gates * n, at(w->dgates, w, r, 0), w->hh,
                    at(w->hn, w, begin, 0), NULL, gru ? RL_GEMM_C : RL_GEMM_ZERO);
    }
}

/* to (m, n) of a fresh row-major gradient, += a^T b over `rows` rows; columns [column, column + m)
 * of a. */
static void add_outer(work *w, char *to, int64_t m, int64_t n, rl_rnn_rows a, int64_t column,
                      rl_rnn_rows b, int64_t rows, bool first)
{
    if (rl_gemm(&(rl_gemm_args){.dtype = w->dtype,
                                .m = m,
                                .n = n,
                                .k = rows,
                                .a = a.p + column * w->size,
                                .rsa = 1,
                                .csa = a.ld,
                                .b = b.p,
                                .rsb = b.ld,
                                .csb = 1,
                                .c = to,
                                .ldc = n,
                                .flags = first ? RL_GEMM_ZERO : RL_GEMM_C}))
        atomic_store(&w->failed, true);
}

/* h of the step before for every row; for equal lengths it lies in memory like that. */
static rl_tensor *states_before(work *w)
{
    const rl_rnn_rows h = states(w);
    rl_tensor *all = rl_new(w->dtype, 2, (int64_t[]){w->s->rows, w->out});
    for (int64_t k = 0; all && k < w->s->steps; k++) {
        const turn t = turn_of(w, k, 0, w->s->batch);
        const rl_rnn_rows to = {all->data + t.start * w->out * w->size, w->out};
        copy_rows(w, to, at(h, w, t.prev, 0), t.split, w->out);
        copy_rows(w, at(to, w, t.split, 0), at(w->h0, w, t.split, 0), t.end - t.split, w->out);
    }
    return all;
}

static rl_tensor *hidden_weight_gradient(work *w)
{
    const rl_rnn_shape *s = w->s;
    const int64_t m = w->gates * w->n, later = s->rows - s->batch;
    RL_TEMP *dw = rl_new(w->dtype, 2, (int64_t[]){m, w->out});
    if (!dw)
        return NULL;
    if (w->starts) {
        RL_TEMP *before = states_before(w);
        if (!before)
            return NULL;
        add_outer(w, dw->data, m, w->out, w->dgates, 0, (rl_rnn_rows){before->data, w->out},
                  s->rows, true);
        return rl_retain(dw);
    }
    /* Rows of later steps meet the h that lies one step away; those of the first one meet h0. */
    const rl_rnn_rows h = states(w);
    const int64_t first = w->reverse ? later : 0;
    const bool start = !w->from_zero || later == 0;
    if (later > 0)
        add_outer(w, dw->data, m, w->out, at(w->dgates, w, w->reverse ? 0 : s->batch, 0), 0,
                  at(h, w, w->reverse ? s->batch : 0, 0), later, true);
    if (start)
        add_outer(w, dw->data, m, w->out, at(w->dgates, w, first, 0), 0, w->h0, s->batch,
                  later == 0);
    return rl_retain(dw);
}

/* Columns of dgates where those of the inputs' products begin, and where GRU's third gate is. */
static rl_tensor *input_weight_gradient(work *w, rl_tensor *x)
{
    const rl_rnn_shape *s = w->s;
    const int64_t n = w->n, m = w->gates * n;
    rl_tensor *dw = rl_new(w->dtype, 2, (int64_t[]){m, s->input});
    if (!dw)
        return NULL;
    const rl_rnn_rows rows = {x->data, s->input};
    const int64_t joined = s->mode == RL_RNN_GRU ? 2 * n : m;
    add_outer(w, dw->data, joined, s->input, w->dgates, 0, rows, s->rows, true);
    if (joined < m)
        add_outer(w, dw->data + joined * s->input * w->size, n, s->input, w->dgates, 3 * n, rows,
                  s->rows, true);
    return dw;
}

/* dx (rows, input) = start + the gates' gradients times W_ih */
static void add_input_gradient(work *w, rl_tensor *dx, rl_tensor *ih, bool first)
{
    const rl_rnn_shape *s = w->s;
    const int64_t n = w->n, joined = s->mode == RL_RNN_GRU ? 2 * n : w->gates * n;
    const rl_rnn_rows to = {dx->data, s->input};
    matrix b = matrix_in_place(ih, false);
    product(w, s->rows, s->input, joined, w->dgates, b, to, NULL, first ? RL_GEMM_ZERO : RL_GEMM_C);
    if (joined < w->gates * n) {
        b.p += joined * s->input * w->size;
        product(w, s->rows, s->input, n, at(w->dgates, w, 0, 3 * n), b, to, NULL, RL_GEMM_C);
    }
}

/* Gradients of both biases: sums of the gates' over all rows. */
static rl_status bias_gradients(const rl_rnn_shape *s, rl_tensor *dgates, const bool *wanted,
                                rl_tensor **dx)
{
    static const int64_t over = 0;
    const int64_t n = s->hidden, gates = rl_rnn_gates(s->mode);
    const int64_t columns = s->mode == RL_RNN_GRU ? 4 * n : gates * n;
    if (!wanted[RL_RNN_BIAS_IH] && !wanted[RL_RNN_BIAS_HH])
        return RL_OK;
    RL_TEMP *view =
        rl_new_view(dgates, 2, (int64_t[]){s->rows, columns}, dgates->strides, dgates->offset);
    RL_TEMP *sum = view ? rl_sum(view, (rl_ints){&over, 1}, false, RL_NO_DTYPE) : NULL;
    if (!sum)
        return rl_error_code();
    if (s->mode != RL_RNN_GRU) {
        for (int i = RL_RNN_BIAS_IH; i <= RL_RNN_BIAS_HH; i++)
            if (wanted[i])
                dx[i] = rl_retain(sum);
        return RL_OK;
    }
    const size_t size = rl_itemsize(sum), block = (size_t)n * size;
    for (int i = RL_RNN_BIAS_IH; i <= RL_RNN_BIAS_HH; i++) {
        if (!wanted[i])
            continue;
        dx[i] = rl_new((rl_dtype)sum->dtype, 1, (int64_t[]){3 * n});
        if (!dx[i])
            return rl_error_code();
        memcpy(dx[i]->data, sum->data, 2 * block);
        memcpy(dx[i]->data + 2 * block, sum->data + (i == RL_RNN_BIAS_IH ? 3 : 2) * block, block);
    }
    return RL_OK;
}

/* The gradient of a final state, direction d, to begin with; zeros where there is none. */
static void begin_state(rl_tensor *to, rl_tensor *g, int d)
{
    size_t bytes = (size_t)(to->strides[0]) * rl_itemsize(to);
    char *p = to->data + (size_t)d * bytes;
    if (g)
        memcpy(p, g->data + (size_t)d * bytes, bytes);
    else
        memset(p, 0, bytes);
}

static rl_status backward_direction(const rl_rnn_shape *s, const int64_t *starts,
                                    rl_tensor *const *in, rl_tensor *kept, rl_tensor *y,
                                    rl_tensor *const *g, const bool *wanted, bool spend,
                                    rl_tensor *dh, rl_tensor *dc, int d, rl_tensor **dx)
{
    const int first = RL_RNN_W + d * RL_RNN_PARAMS;
    rl_tensor *const *p = in + first;
    work w = work_of(s, starts, in, kept, y, d);
    const int64_t state = s->batch * w.size * d;
    const int64_t columns = (w.gates + (s->mode == RL_RNN_GRU)) * w.n;
    const bool reuse = spend && s->mode != RL_RNN_TANH && s->mode != RL_RNN_RELU;
    RL_TEMP *dgates = reuse ? rl_new_view(kept, 2, (int64_t[]){s->rows, kept->shape[2]},
                                          kept->strides + 1, d * kept->strides[0])
                            : rl_new(w.dtype, 2, (int64_t[]){s->rows, padded(columns, w.size)});
    RL_TEMP *dprojected = s->projected ? rl_new(w.dtype, 2, (int64_t[]){s->rows, s->out}) : NULL;
    RL_TEMP *scratch = s->projected ? rl_new(w.dtype, 2, (int64_t[]){s->batch, w.n}) : NULL;
    if (!dgates || (s->projected && (!dprojected || !scratch)))
        return rl_error_code();
    w.kernel = rl_kernel_table.rnn.backward[s->mode][w.dtype == RL_F64];
    w.dgates = (rl_rnn_rows){dgates->data, dgates->shape[1]};
    w.grad = at((rl_rnn_rows){g[0] ? g[0]->data : NULL, s->directions * s->out}, &w, 0, d * s->out);
    w.hn = (rl_rnn_rows){dh->data + state * s->out, s->out};
    begin_state(dh, g[1], d);
    if (dc) {
        w.cn = (rl_rnn_rows){dc->data + state * s->hidden, s->hidden};
        begin_state(dc, g[2], d);
    }
    RL_TEMP *hh = NULL;
    w.hh = matrix_in_place(p[RL_RNN_HH], false);
    if (s->batch <= RL_GEMM_THIN && s->steps >= FEW_STEPS) {
        /* Few rows again: read along the columns of W_hh, which are made rows for that. */
        hh = transposed(p[RL_RNN_HH], &w.hh);
        if (!hh)
            return rl_error_code();
        w.hh = (matrix){w.hh.p, 1, w.hh.rs};
    }
    if (s->projected) {
        w.hr = matrix_in_place(p[RL_RNN_HR], false);
        w.dprojected = (rl_rnn_rows){dprojected->data, s->out};
        w.unprojected = (rl_rnn_rows){scratch->data, w.n};
    }
    w.wants_state = wanted[RL_RNN_H0];
    rl_status status = run_shares(&w, backward_share, sequence_work(s));
    if (status)
        return status;
    if (wanted[first + RL_RNN_IH])
        dx[first + RL_RNN_IH] = input_weight_gradient(&w, in[RL_RNN_X]);
    if (wanted[first + RL_RNN_HH])
        dx[first + RL_RNN_HH] = hidden_weight_gradient(&w);
    if ((wanted[first + RL_RNN_IH] && !dx[first + RL_RNN_IH]) ||
        (wanted[first + RL_RNN_HH] && !dx[first + RL_RNN_HH]))
        return rl_error_code();
    if (s->projected && wanted[first + RL_RNN_HR]) {
        rl_tensor *dw = rl_new(w.dtype, 2, (int64_t[]){s->out, w.n});
        if (!dw)
            return rl_error_code();
        dx[first + RL_RNN_HR] = dw;
        add_outer(&w, dw->data, s->out, w.n, w.dprojected, 0, at(w.kept, &w, 0, 6 * w.n), s->rows,
                  true);
    }
    status = bias_gradients(s, dgates, wanted + first, dx + first);
    if (!status && dx[RL_RNN_X])
        add_input_gradient(&w, dx[RL_RNN_X], p[RL_RNN_IH], d == 0);
    if (!status && atomic_load(&w.failed))
        status = rl_error(RL_EMEMORY, "not enough memory for a matrix product");
    return status;
}

rl_status rl_rnn_backward(const rl_rnn_shape *s, const int64_t *starts, rl_tensor *const *in,
                          rl_tensor *kept, rl_tensor *y, rl_tensor *const *g, const bool *wanted,
                          bool spend, rl_tensor **dx)
{
    const rl_dtype dtype = (rl_dtype)kept->dtype;
    RL_TEMP *dh = rl_new(dtype, 3, in[RL_RNN_H0]->shape);
    RL_TEMP *dc = in[RL_RNN_C0] ? rl_new(dtype, 3, in[RL_RNN_C0]->shape) : NULL;
    if (!dh || (in[RL_RNN_C0] && !dc))
        return rl_error_code();
    if (wanted[RL_RNN_X]) {
        dx[RL_RNN_X] = rl_new(dtype, in[RL_RNN_X]->ndim, in[RL_RNN_X]->shape);
        if (!dx[RL_RNN_X])
            return rl_error_code();
    }
    for (int d = 0; d < s->directions; d++) {
        rl_status status =
            backward_direction(s, starts, in, kept, y, g, wanted, spend, dh, dc, d, dx);
        if (status)
            return status;
    }
    if (wanted[RL_RNN_H0])
        dx[RL_RNN_H0] = rl_retain(dh);
    if (wanted[RL_RNN_C0])
        dx[RL_RNN_C0] = rl_retain(dc);
    return RL_OK;
}
