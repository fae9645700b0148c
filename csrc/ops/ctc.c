/* ctc.c: connectionist temporal classification (Graves et al., 2006).
 *
 * A target l1 ... lU is spelled by the states blank, l1, blank, ..., lU, blank: S = 2 U + 1 of
 * them. A path may stay, go on by one, or leave out a blank between different labels.  a[t][s] is
 * the log of the probability of all paths over the steps 0 ... t that end in state s; the loss is
 * -log of the sum over the last two states at the last step.  The gradient needs the same from
 * behind, b[t][s], which is the same recursion over the states and steps in reverse order: a
 * state's probability at step t is exp(a + b - z - log P), z being log_probs' entry, which both
 * contain.
 *
 * Everything is float64 within, in rows padded to whole vectors.  The forward pass keeps nothing
 * but its result; backward repeats it, which costs less than keeping T x S numbers per sample. */
#include <math.h>
#include <stdatomic.h>

#include "core/alloc.h"
#include "core/parallel.h"
#include "ops/index.h"
#include "ops/map.h"
#include "ops/rows.h"

/* A prepared call: everything row-major and owned, integers int64. */
struct ctc {
    int64_t steps, batch, classes, blank;
    rl_tensor *log_probs;   /* (steps, batch, classes), float32 or float64 */
    rl_tensor *targets;     /* all labels */
    rl_tensor *lengths;     /* (3, batch): of inputs and of targets, and where the targets begin */
    rl_tensor *loss;        /* (batch), float64 */
    const double *gradient; /* backward: (batch) */
    double *out;            /* backward: (steps, batch, classes), zeros before */
    bool zero_infinity;     /* backward: no gradient where the loss is infinite */
    atomic_bool out_of_memory;
};

enum { FRONT = 8, LINE = 8 }; /* room before a row, and doubles in a vector */

/* The states of one target, forward or in reverse. */
struct chain {
    int64_t n, width; /* states, and states rounded up */
    int64_t *label;   /* n */
    double *skip;     /* width: 0 where the step over a blank is allowed, else -inf */
};

/* What a worker needs: one block of memory. */
struct room {
    double *block;
    size_t bytes;
    struct chain forth, back;
    double *z, *begin, *row[2], *kept; /* width each, with FRONT before; kept: a row per step */
    double *class_sum, *class_exp;     /* classes each, rounded up */
};

static int64_t round_up(int64_t n) { return (n + LINE - 1) / LINE * LINE; }

static int64_t length(const struct ctc *c, int which, int64_t item)
{
    return ((const int64_t *)c->lengths->data)[which * c->batch + item];
}

static double log_prob(const struct ctc *c, int64_t t, int64_t item, int64_t k)
{
    int64_t at = (t * c->batch + item) * c->classes + k;
    return c->log_probs->dtype == RL_F64 ? ((const double *)c->log_probs->data)[at]
                                         : (double)((const float *)c->log_probs->data)[at];
}

static void lay_out(struct chain *chain, double **at, int64_t n, int64_t width)
{
    chain->n = n;
    chain->width = width;
    chain->skip = *at;
    chain->label = (int64_t *)(*at + width);
    *at += 2 * width;
}

/* Memory for the states of a sample; kept_rows: steps to remember. */
static bool room_make(struct room *r, const struct ctc *c, int64_t item, int64_t kept_rows)
{
    int64_t n = 2 * length(c, 1, item) + 1, width = round_up(n), line = FRONT + width;
    int64_t classes = kept_rows ? round_up(c->classes) : 0;
    r->bytes = (size_t)(4 * width + (4 + kept_rows) * line + 2 * classes) * sizeof(double);
    double *at = r->block = rl_alloc(r->bytes);
    if (!at)
        return false;
    for (int64_t i = 0; i < (4 + kept_rows) * line + 4 * width; i++)
        at[i] = -INFINITY;
    lay_out(&r->forth, &at, n, width);
    lay_out(&r->back, &at, n, width);
    double **rows[] = {&r->z, &r->begin, &r->row[0], &r->row[1], &r->kept};
    for (int i = 0; i < 5; i++, at += line)
        *rows[i] = at + FRONT;
    at += (kept_rows - 1) * line;
    r->class_sum = at;
    r->class_exp = at + classes;
    r->begin[-1] = 0; /* paths begin in state 0 or, leaving it out, in state 1 */
    return true;
}

/* The label of state s: blanks at even places. */
static int64_t label_of(const struct ctc *c, int64_t item, int64_t s)
{
    const int64_t *labels = (const int64_t *)c->targets->data + length(c, 2, item);
    return s % 2 ? labels[s / 2] : c->blank;
}

static void spell(const struct ctc *c, int64_t item, struct chain *chain, bool reverse)
{
    for (int64_t s = 0; s < chain->n; s++) {
        chain->label[s] = label_of(c, item, reverse ? chain->n - 1 - s : s);
        bool different = s >= 2 && chain->label[s] != chain->label[s - 2];
        chain->skip[s] = s % 2 && (s == 1 || different) ? 0 : -INFINITY;
    }
}

/* y = the row of step t, from x, that of the step before. */
static void advance(const struct ctc *c, int64_t item, const struct chain *chain, double *z,
                    int64_t t, const double *x, double *y)
{
    for (int64_t s = 0; s < chain->n; s++)
        z[s] = log_prob(c, t, item, chain->label[s]);
    char *p[] = {(char *)y, (char *)x, (char *)chain->skip, (char *)z};
    rl_kernel_table.row[RL_ROW_CTC_STEP][RL_F64](1, (size_t)chain->width, p, NULL, NULL);
}

/* -log(exp a + exp b) */
static double end_loss(double a, double b)
{
    double room[4 * LINE], *x = room + LINE, *skip = x + LINE, *z = skip + LINE;
    for (int i = 0; i < 4 * LINE; i++)
        room[i] = -INFINITY;
    x[0] = a;
    x[-1] = b;
    z[0] = 0;
    double y[LINE];
    char *p[] = {(char *)y, (char *)x, (char *)skip, (char *)z};
    rl_kernel_table.row[RL_ROW_CTC_STEP][RL_F64](1, LINE, p, NULL, NULL);
    return -y[0];
}

/* The loss of a sample of at least one step. */
static double walk(const struct ctc *c, int64_t item, struct room *r, bool keep)
{
    int64_t n = r->forth.n, line = FRONT + r->forth.width;
    const double *x = r->begin;
    for (int64_t t = 0; t < length(c, 0, item); t++) {
        double *y = keep ? r->kept + t * line : r->row[t % 2];
        advance(c, item, &r->forth, r->z, t, x, y);
        x = y;
    }
    return end_loss(x[n - 1], n > 1 ? x[n - 2] : -INFINITY);
}

static void some_losses(int64_t begin, int64_t end, void *context)
{
    struct ctc *c = context;
    for (int64_t item = begin; item < end; item++) {
        double *loss = (double *)c->loss->data + item;
        struct room r;
        if (length(c, 0, item) == 0) {
            *loss = length(c, 1, item) ? INFINITY : 0;
        } else if (!room_make(&r, c, item, 0)) {
            atomic_store(&c->out_of_memory, true);
        } else {
            spell(c, item, &r.forth, false);
            *loss = walk(c, item, &r, false);
            rl_free(r.block, r.bytes);
        }
    }
}

/* ---- backward: d log_probs[t][k] = exp(log_probs[t][k]) - probability of label k at step t; as
 * PyTorch's, the gradient for what log_softmax was given ---- */

static void exp_of(double *x, int64_t n)
{
    char *p[] = {(char *)x, (char *)x};
    ptrdiff_t s[] = {sizeof *x, sizeof *x};
    rl_kernel_table.map[RL_MAP_EXP][RL_F64]((size_t)n, p, s, &(rl_kargs){{0}, {0}});
}

/* Step t, given both rows; x: that of the steps behind. */
static void step_gradient(const struct ctc *c, int64_t item, struct room *r, int64_t t,
                          const double *x, double loss)
{
    int64_t n = r->forth.n;
    const double *a = r->kept + t * (FRONT + r->forth.width);
    double *state = r->z;           /* read for the last time: of the reversed order */
    for (int64_t s = 0; s < n; s++) /* an impossible label has probability 0, not nan */
        state[s] = state[s] == -INFINITY ? state[s] : a[n - 1 - s] + x[s] - state[s] + loss;
    exp_of(state, n);
    for (int64_t k = 0; k < c->classes; k++) {
        r->class_sum[k] = 0;
        r->class_exp[k] = log_prob(c, t, item, k);
    }
    exp_of(r->class_exp, c->classes);
    for (int64_t s = 0; s < n; s++)
        r->class_sum[r->back.label[s]] += state[s];
    double *out = c->out + (t * c->batch + item) * c->classes;
    for (int64_t k = 0; k < c->classes; k++)
        out[k] = c->gradient[item] * (r->class_exp[k] - r->class_sum[k]);
}

static void sample_gradient(struct ctc *c, int64_t item)
{
    int64_t steps = length(c, 0, item);
    double loss = ((const double *)c->loss->data)[item];
    if (loss == INFINITY) { /* no path: PyTorch's gradient is nan */
        for (int64_t t = 0; !c->zero_infinity && t < steps; t++)
            for (int64_t k = 0; k < c->classes; k++)
                c->out[(t * c->batch + item) * c->classes + k] = NAN;
        return;
    }
    struct room r;
    if (steps == 0)
        return;
    if (!room_make(&r, c, item, steps)) {
        atomic_store(&c->out_of_memory, true);
        return;
    }
    spell(c, item, &r.forth, false);
    spell(c, item, &r.back, true);
    walk(c, item, &r, true);
    const double *x = r.begin;
    for (int64_t t = steps - 1; t >= 0; t--) {
        double *y = r.row[t % 2];
        advance(c, item, &r.back, r.z, t, x, y);
        step_gradient(c, item, &r, t, y, loss);
        x = y;
    }
    rl_free(r.block, r.bytes);
}

static void some_gradients(int64_t begin, int64_t end, void *context)
{
    for (int64_t item = begin; item < end; item++)
        sample_gradient(context, item);
}

static rl_status run(struct ctc *c, void (*body)(int64_t, int64_t, void *))
{
    rl_parallel_for(c->batch, 1, body, c);
    if (atomic_load(&c->out_of_memory))
        return rl_error(RL_EMEMORY, "ctc_loss: not enough memory for the paths of a sample");
    return RL_OK;
}

/* Saved: 0 log_probs, 1 targets, 2 lengths, 3 the losses in float64.  i0 blank, i1 zero_infinity.
 */
static rl_tensor *gradient_data(rl_node *n, rl_tensor *g, rl_tensor *log_probs)
{
    RL_TEMP *targets = rl_saved(n, 1);
    RL_TEMP *lengths = rl_saved(n, 2);
    RL_TEMP *loss = rl_saved(n, 3);
    RL_TEMP *rows = rl_contiguous_data(log_probs);
    RL_TEMP *scale = rl_cast_data(g, RL_F64);
    RL_TEMP *out = rl_zeros_data(RL_F64, 3, log_probs->shape);
    if (!targets || !lengths || !loss || !rows || !scale || !out)
        return NULL;
    const int64_t *shape = log_probs->shape;
    struct ctc c = {.steps = shape[0],
                    .batch = shape[1],
                    .classes = shape[2],
                    .blank = n->args.i[0],
                    .zero_infinity = n->args.i[1],
                    .log_probs = rows,
                    .targets = targets,
                    .lengths = lengths,
                    .loss = loss,
                    .gradient = (const double *)scale->data,
                    .out = (double *)out->data};
    return run(&c, some_gradients) ? NULL : rl_cast_data(out, (rl_dtype)log_probs->dtype);
}

static rl_status no_second(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    (void)n, (void)g, (void)dx;
    return rl_error(RL_ERUNTIME, "derivative for aten::_ctc_loss_backward is not implemented");
}
static const rl_node_type second_node = {.name = "CtcLossBackwardBackward0", .backward = no_second};

static rl_status ctc_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *log_probs = rl_saved(n, 0);
    if (!log_probs)
        return rl_error_code();
    rl_tensor *z = gradient_data(n, g[0], log_probs);
    if (z && (rl_recording(g[0]) || rl_recording(log_probs)))
        z = rl_record(rl_node_new(&second_node, z, 2, (rl_tensor *[]){g[0], log_probs}), z);
    dx[0] = z;
    return RL_DONE(n, dx);
}
static const rl_node_type ctc_node = {
    .name = "CtcLossBackward0", .backward = ctc_backward, .n_saved = 4};

/* ---- the operator ---- */

#define WHERE_CHECKED " (while checking arguments for ctc_loss_allocate_outputs)"

static rl_status check_tensors(const rl_tensor *log_probs, const rl_tensor *targets,
                               rl_ints input_lengths, rl_ints target_lengths, int64_t blank)
{
    if (log_probs->ndim != 3)
        return rl_error(RL_ERUNTIME,
                        "Expected 3-dimensional tensor, but got %d-dimensional tensor for argument "
                        "#1 'log_probs'" WHERE_CHECKED,
                        log_probs->ndim);
    if (log_probs->numel == 0)
        return rl_error(RL_ERUNTIME, "log_probs tensor must not be empty");
    if (log_probs->dtype != RL_F32 && log_probs->dtype != RL_F64)
        return rl_error(RL_ENOTIMPL, "\"ctc_loss_cpu\" not implemented for '%s'",
                        rl_dtype_title((rl_dtype)log_probs->dtype));
    if (targets->dtype != RL_I64 && targets->dtype != RL_I32)
        return rl_error(RL_ERUNTIME, "ctc_loss: targets must be int64 or int32, not %s",
                        rl_dtype_name((rl_dtype)targets->dtype));
    if (targets->ndim < 1 || targets->ndim > 2)
        return rl_error(RL_ERUNTIME,
                        "Expected 1 to 2 dimensions, but got %d-dimensional tensor for argument #2 "
                        "'targets'" WHERE_CHECKED,
                        targets->ndim);
    if (blank < 0 || blank >= log_probs->shape[2])
        return rl_error(RL_ERUNTIME, "blank must be in label range");
    if (input_lengths.n != log_probs->shape[1])
        return rl_error(RL_ERUNTIME, "input_lengths must be of size batch_size");
    if (target_lengths.n != log_probs->shape[1])
        return rl_error(RL_ERUNTIME, "target_lengths must be of size batch_size");
    return RL_OK;
}

static rl_status check_length(const char *name, int64_t value, int64_t most)
{
    if (value < 0)
        return rl_error(RL_ERUNTIME,
                        "Expected %s to have value at least 0, but got value %lld" WHERE_CHECKED,
                        name, (long long)value);
    if (value > most)
        return rl_error(RL_ERUNTIME,
                        "Expected %s to have value at most %lld, but got value %lld" WHERE_CHECKED,
                        name, (long long)most, (long long)value);
    return RL_OK;
}

/* Checks the lengths and fills `lengths`: see struct ctc. */
static rl_status read_lengths(const struct ctc *c, const rl_tensor *targets, rl_ints inputs,
                              rl_ints labels)
{
    int64_t *v = (int64_t *)c->lengths->data, total = 0, longest = 0;
    for (int64_t i = 0; i < c->batch; i++) {
        if (check_length("input_lengths", inputs.v[i], c->steps) ||
            check_length("target_lengths", labels.v[i], INT64_MAX))
            return RL_ERUNTIME;
        v[i] = inputs.v[i];
        v[c->batch + i] = labels.v[i];
        v[2 * c->batch + i] = targets->ndim == 2 ? i * targets->shape[1] : total;
        if (__builtin_add_overflow(total, labels.v[i], &total))
            return rl_error(RL_ERUNTIME, "target_lengths are too large");
        longest = labels.v[i] > longest ? labels.v[i] : longest;
    }
    int64_t rows = targets->ndim == 2 ? c->batch : total;
    if (targets->shape[0] != rows)
        return rl_error(RL_ERUNTIME,
                        "Expected tensor to have size %lld at dimension 0, but got size %lld for "
                        "argument #2 'targets'" WHERE_CHECKED,
                        (long long)rows, (long long)targets->shape[0]);
    if (targets->ndim == 2 && longest > targets->shape[1])
        return rl_error(RL_ERUNTIME,
                        "Expected tensor to have size at least %lld at dimension 1, but got size "
                        "%lld for argument #2 'targets'" WHERE_CHECKED,
                        (long long)longest, (long long)targets->shape[1]);
    return RL_OK;
}

static rl_status check_labels(const struct ctc *c)
{
    for (int64_t item = 0; item < c->batch; item++)
        for (int64_t s = 1; s < 2 * length(c, 1, item); s += 2) {
            int64_t label = label_of(c, item, s);
            if (label < 0 || label >= c->classes)
                return rl_error(RL_ERUNTIME, "ctc_loss: target %lld is not in [0, %lld)",
                                (long long)label, (long long)c->classes);
        }
    return RL_OK;
}

rl_tensor *rl_ctc_loss(rl_tensor *log_probs, rl_tensor *targets, rl_ints input_lengths,
                       rl_ints target_lengths, int64_t blank, bool zero_infinity)
{
    if (!log_probs || !targets ||
        check_tensors(log_probs, targets, input_lengths, target_lengths, blank))
        return NULL;
    const int64_t *shape = log_probs->shape, table[] = {3, shape[1]};
    RL_TEMP *rows = rl_contiguous_data(log_probs);
    RL_TEMP *labels = rl_index_values(targets);
    RL_TEMP *lengths = rl_new(RL_I64, 2, table);
    RL_TEMP *loss = rl_new(RL_F64, 1, &shape[1]);
    if (!rows || !labels || !lengths || !loss)
        return NULL;
    struct ctc c = {.steps = shape[0],
                    .batch = shape[1],
                    .classes = shape[2],
                    .blank = blank,
                    .log_probs = rows,
                    .targets = labels,
                    .lengths = lengths,
                    .loss = loss};
    if (read_lengths(&c, targets, input_lengths, target_lengths) || check_labels(&c) ||
        run(&c, some_losses))
        return NULL;
    rl_tensor *z = rl_cast_data(loss, (rl_dtype)log_probs->dtype);
    if (!z || !rl_recording(log_probs))
        return z;
    if (z == loss) { /* the result gets a history, what is saved must not have one */
        rl_release(z);
        z = rl_clone(loss);
    }
    rl_node *n = rl_node_new(&ctc_node, z, 1, &log_probs);
    rl_save(n, 0, log_probs);
    rl_save(n, 1, labels);
    rl_save(n, 2, lengths);
    rl_save(n, 3, loss);
    if (n) {
        n->args.i[0] = blank;
        n->args.i[1] = zero_infinity;
    }
    return rl_record(n, z);
}
