/* optim.c: one optimizer step over all parameters.  The loops are in kernels/isa/optim.tmpl.h; here
 * are the numbers that depend on the step, the states, and parameters whose memory does not run in
 * step with their gradient's. */
#include <math.h>

#include "autograd/autograd.h"
#include "core/alloc.h"
#include "core/parallel.h"
#include "kernels/kernels.h"
#include "ops/optim.h"
#include "ops/optim_step.h"

enum {
    STEP = RL_OPTIM_COUNT,
    FIRST = RL_OPTIM_FIRST,
    SECOND = RL_OPTIM_SECOND,
    THIRD = RL_OPTIM_THIRD,
    PRODUCT,
    RATE
};

rl_optim rl_optim_defaults(rl_optim_kind kind)
{
    rl_optim o = {.kind = kind,
                  .lr = 1e-3,
                  .eps = 1e-8,
                  .beta1 = 0.9,
                  .beta2 = 0.999,
                  .alpha = 0.99,
                  .rho = 0.9};
    switch (kind) {
    case RL_RMSPROP:
        o.lr = 1e-2;
        break;
    case RL_ADAGRAD:
        o.lr = 1e-2, o.eps = 1e-10;
        break;
    case RL_ADADELTA:
        o.lr = 1, o.eps = 1e-6;
        break;
    case RL_ADAMAX:
        o.lr = 2e-3;
        break;
    case RL_NADAM:
        o.lr = 2e-3, o.momentum_decay = 4e-3;
        break;
    case RL_ASGD:
        o.lr = 1e-2, o.lambd = 1e-4, o.alpha = 0.75, o.t0 = 1e6;
        break;
    case RL_RPROP:
        o.lr = 1e-2, o.eta_minus = 0.5, o.eta_plus = 1.2, o.step_least = 1e-6, o.step_most = 50;
        break;
    case RL_ADAFACTOR:
        o.lr = 1e-2, o.beta2_decay = -0.8, o.eps1 = NAN, o.eps2 = 1e-3, o.d = 1;
        break;
    case RL_MUON:
        o.weight_decay = 0.1, o.momentum = 0.95, o.nesterov = true, o.eps = 1e-7, o.ns_steps = 5;
        memcpy(o.ns_coefficients, (double[]){3.4445, -4.7750, 2.0315}, sizeof o.ns_coefficients);
        break;
    default:
        break;
    }
    return o;
}

void rl_optim_state_free(int64_t n, rl_optim_state *state)
{
    for (int64_t i = 0; i < n; i++)
        for (int k = 0; k < RL_OPTIM_STATES; k++) {
            rl_release(state[i][k]);
            state[i][k] = NULL;
        }
}

bool rl_optim_keeps(const rl_optim *o, int slot)
{
    if (o->kind == RL_MUON)
        return slot == FIRST;
    if (o->kind == RL_ADAFACTOR)
        return slot <= THIRD;
    switch (slot) {
    case STEP:
        return o->kind != RL_SGD;
    case FIRST:
        return o->kind != RL_SGD || o->momentum != 0;
    case SECOND:
        return o->kind == RL_RMSPROP
                   ? o->momentum > 0
                   : o->kind != RL_SGD && o->kind != RL_ADAGRAD && o->kind != RL_ASGD;
    case THIRD:
        return (o->kind == RL_ADAM && o->amsgrad) || (o->kind == RL_RMSPROP && o->centered);
    case PRODUCT:
        return o->kind == RL_NADAM || o->kind == RL_ASGD;
    default:
        return o->kind == RL_ASGD;
    }
}

unsigned rl_optim_kept(const rl_optim *o)
{
    unsigned kept = 0;
    for (int k = 0; k < RL_OPTIM_STATES; k++)
        kept |= (unsigned)rl_optim_keeps(o, k) << k;
    return kept;
}

/* ---- states ---- */

static bool is_number(int k) { return k == STEP || k == PRODUCT || k == RATE; }

rl_status rl_optim_make_number(double value, rl_tensor **slot)
{
    rl_dtype dtype = rl_default_dtype() == RL_F64 ? RL_F64 : RL_F32;
    *slot = rl_scalar_tensor(rl_float(value), dtype);
    return rl_status_of(*slot);
}

/* A complex tensor without gaps: v for both parts of each number. */
static void fill_pairs(rl_tensor *t, double v)
{
    rl_dtype part = rl_real_dtype((rl_dtype)t->dtype);
    rl_convert(RL_F64, &v, 0, part, t->data, (ptrdiff_t)rl_dtype_size(part), 2 * (size_t)t->numel);
}

/* Fills slot k of a parameter's state with its first value. */
static rl_status make_state(const rl_optim *o, rl_tensor *p, int k, rl_tensor **slot)
{
    if (is_number(k))
        return rl_optim_make_number(k == PRODUCT ? 1 : k == RATE ? o->lr : 0, slot);
    rl_tensor *t = rl_new_like(p, (rl_dtype)p->dtype);
    bool steps = o->kind == RL_RPROP && k == SECOND;
    /* SGD's buffer begins as the first gradient: the loop writes it before it reads it. */
    if (t && steps && rl_is_complex((rl_dtype)t->dtype)) {
        fill_pairs(t, o->lr);
    } else if (t && o->kind != RL_SGD && rl_fill_data(t, rl_float(steps ? o->lr : 0)) != RL_OK) {
        rl_release(t);
        t = NULL;
    }
    *slot = t;
    return rl_status_of(t);
}

double rl_optim_number(const rl_tensor *t)
{
    return t->dtype == RL_F32 ? (double)*(float *)t->data : *(double *)t->data;
}

void rl_optim_set_number(rl_tensor *t, double v)
{
    if (t->dtype == RL_F32)
        *(float *)t->data = (float)v;
    else
        *(double *)t->data = v;
    rl_bump_version(t);
}

/* Floating or complex, as p. */
static bool same_kind(const rl_tensor *p, const rl_tensor *t)
{
    rl_dtype a = (rl_dtype)p->dtype, b = (rl_dtype)t->dtype;
    return rl_is_complex(a) ? rl_is_complex(b) : rl_is_floating(b);
}

rl_status rl_optim_check(const rl_tensor *p, const rl_tensor *g)
{
    rl_dtype dtype = (rl_dtype)p->dtype;
    if (!rl_is_floating(dtype) && !rl_is_complex(dtype))
        return rl_error(RL_ERUNTIME, "optimizers step floating-point parameters, not %s",
                        rl_dtype_name(dtype));
    if (!rl_same_shape(p, g))
        return rl_error(RL_ERUNTIME, "optimizer: gradient of shape %s for a parameter of shape %s",
                        rl_shape_str(g).s, rl_shape_str(p).s);
    if (!same_kind(p, g))
        return rl_error(RL_ERUNTIME, "optimizer: gradient of dtype %s for a parameter of dtype %s",
                        rl_dtype_name((rl_dtype)g->dtype), rl_dtype_name(dtype));
    return RL_OK;
}

rl_status rl_optim_check_number(const rl_tensor *t, const char *what)
{
    if (t->numel == 1 && (t->dtype == RL_F32 || t->dtype == RL_F64))
        return RL_OK;
    return rl_error(RL_ERUNTIME,
                    "optimizer: %s must be one float32 or float64 number, not %s of shape %s", what,
                    rl_dtype_name((rl_dtype)t->dtype), rl_shape_str(t).s);
}

rl_status rl_optim_check_state(const rl_tensor *t, int ndim, const int64_t *shape,
                               const rl_tensor *p)
{
    if (!rl_has_shape(t, ndim, shape))
        return rl_error(RL_ERUNTIME, "optimizer: state of shape %s for a parameter of shape %s",
                        rl_shape_str(t).s, rl_shape_str(p).s);
    if (!same_kind(p, t))
        return rl_error(RL_ERUNTIME, "optimizer: state of dtype %s for a parameter of dtype %s",
                        rl_dtype_name((rl_dtype)t->dtype), rl_dtype_name((rl_dtype)p->dtype));
    return RL_OK;
}

static rl_status check(unsigned kept, rl_tensor *p, rl_tensor *g, rl_tensor *const *s)
{
    if (rl_optim_check(p, g) != RL_OK)
        return rl_error_code();
    for (int k = 0; s && kept >> k; k++) {
        if (!s[k] || !(kept >> k & 1))
            continue;
        rl_status status = is_number(k)
                               ? rl_optim_check_number(s[k], k == STEP ? "the step count"
                                                                       : "a state that is a number")
                               : rl_optim_check_state(s[k], p->ndim, p->shape, p);
        if (status != RL_OK)
            return status;
    }
    return RL_OK;
}

/* ---- numbers of one step; the comments in optim.tmpl.h say which ---- */

typedef struct numbers {
    rl_optim_args a;
    rl_optim_loop loop;
    double step; /* that they are for; parameters mostly share it, and pow() is slower than a small
                    parameter */
} numbers;

#define NUMBERS(...) memcpy(a->f, (double[]){__VA_ARGS__}, sizeof((double[]){__VA_ARGS__}))

/* Counts the step and brings the numbers up to date. */
static void count_step(const rl_optim *o, rl_optim_state s, numbers *n)
{
    rl_optim_args *a = &n->a;
    double step = 0;
    if (o->kind != RL_SGD) {
        /* The count is stored in its own precision before it is read, as PyTorch does. */
        rl_optim_set_number(s[STEP], rl_optim_number(s[STEP]) + 1);
        step = rl_optim_number(s[STEP]);
    }
    if (step == n->step && o->kind != RL_NADAM && o->kind != RL_ASGD)
        return;
    n->step = step;
    double b1 = o->beta1, b2 = o->beta2, c1 = 1 - pow(b1, step), c2 = 1 - pow(b2, step);
    double shrink = 1 - o->lr * o->weight_decay;
    switch (o->kind) {
    case RL_SGD:
        NUMBERS(o->lr, o->momentum, 1 - o->dampening);
        a->flag[0] = o->nesterov;
        n->loop = RL_LOOP_SGD;
        break;
    case RL_ADAM:
        NUMBERS(o->lr / c1 * sqrt(c2), 1 - b1, b2, 1 - b2, o->eps * sqrt(c2), shrink);
        n->loop = RL_LOOP_ADAM;
        break;
    case RL_RMSPROP:
        NUMBERS(o->lr, o->alpha, 1 - o->alpha, o->eps, o->momentum);
        n->loop = RL_LOOP_RMSPROP;
        break;
    case RL_ADAGRAD:
        NUMBERS(o->lr / (1 + (step - 1) * o->lr_decay), o->eps);
        n->loop = RL_LOOP_ADAGRAD;
        break;
    case RL_ADADELTA:
        NUMBERS(o->lr, o->rho, 1 - o->rho, o->eps);
        n->loop = RL_LOOP_ADADELTA;
        break;
    case RL_ADAMAX:
        NUMBERS(o->lr / c1, 1 - b1, b2, o->eps);
        n->loop = RL_LOOP_ADAMAX;
        break;
    case RL_NADAM: {
        double mu = b1 * (1 - 0.5 * pow(0.96, step * o->momentum_decay));
        double next = b1 * (1 - 0.5 * pow(0.96, (step + 1) * o->momentum_decay));
        bool narrow = s[PRODUCT]->dtype ==
                      RL_F32; /* the factor is rounded to the product's precision first */
        rl_optim_set_number(s[PRODUCT],
                            rl_optim_number(s[PRODUCT]) * (narrow ? (double)(float)mu : mu));
        double product = rl_optim_number(s[PRODUCT]);
        NUMBERS(o->lr * (1 - mu) / (1 - product), o->lr * next / (1 - product * next), 1 - b1, b2,
                1 - b2, c2, o->eps, shrink);
        n->loop = RL_LOOP_NADAM;
        break;
    }
    case RL_ASGD: {
        double eta = rl_optim_number(s[RATE]), mu = rl_optim_number(s[PRODUCT]);
        a->flag[0] = mu == 1;
        NUMBERS(1 - o->lambd * eta, eta, mu);
        rl_optim_set_number(s[RATE], o->lr / pow(1 + o->lambd * o->lr * step, o->alpha));
        rl_optim_set_number(s[PRODUCT], 1 / fmax(1, step - o->t0));
        n->loop = RL_LOOP_ASGD;
        break;
    }
    case RL_RPROP:
        NUMBERS(o->eta_minus, o->eta_plus, o->step_least, o->step_most);
        n->loop = RL_LOOP_RPROP;
        break;
    default: {
        double limit = 2 / (1 - b2) - 1, rho = limit - 2 * step * pow(b2, step) / c2;
        a->flag[0] = rho > 5;
        double rect =
            rho > 5 ? sqrt((rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho)) : 1;
        NUMBERS(1 - b1, b2, 1 - b2, c1, o->lr, rect, sqrt(c2), shrink, o->eps);
        n->loop = RL_LOOP_RADAM;
    }
    }
}

/* ---- one parameter ---- */

typedef struct span {
    rl_optim_fn *fn;
    size_t item;
    char *p, *s[3];
    const char *g;
    const rl_optim_args *a;
} span;

static void run_span(int64_t begin, int64_t end, void *context)
{
    const span *c = context;
    size_t at = (size_t)begin * c->item;
    void *s[3];
    for (int k = 0; k < 3; k++)
        s[k] = c->s[k] ? c->s[k] + at : NULL;
    c->fn((size_t)(end - begin), c->p + at, c->g + at, s, c->a);
}

void rl_optim_run(rl_optim_loop loop, rl_dtype dtype, int64_t n, void *p, const void *g,
                  void *const *s, const rl_optim_args *a)
{
    if (rl_is_complex(dtype)) {
        dtype = rl_real_dtype(dtype);
        n *= 2;
    }
    span c = {.fn = rl_kernel_table.optim->step[loop][dtype == RL_F64],
              .item = rl_dtype_size(dtype),
              .p = p,
              .s = {s[0], s[1], s[2]},
              .g = g,
              .a = a};
    int64_t grain =
        n > RL_OPTIM_GRAIN_AWAKE && rl_parallel_awake() ? RL_OPTIM_GRAIN_AWAKE : RL_OPTIM_GRAIN;
    if (n <= grain)
        run_span(0, n, &c);
    else
        rl_parallel_for(n, grain, run_span, &c);
}

/* Whether t's elements lie in memory in p's order. */
static bool in_step(const rl_tensor *p, const rl_tensor *t)
{
    return t->dtype == p->dtype &&
           ((p->contiguous && t->contiguous) ||
            memcmp(p->strides, t->strides, (size_t)p->ndim * sizeof *p->strides) == 0);
}

/* The states that the loop takes, NULL where there is none. */
static void loop_slots(unsigned kept, rl_tensor *const *s, rl_tensor **slots)
{
    for (int k = 0; k < 3; k++)
        slots[k] = kept >> (FIRST + k) & 1 ? s[FIRST + k] : NULL;
}

/* Whether the loop can run on all of it as it lies in memory. */
static bool is_direct(const rl_tensor *p, const rl_tensor *g, rl_tensor *const *slots)
{
    bool direct =
        p->dtype == rl_optim_dtype(p) && (p->contiguous || rl_is_dense(p)) && in_step(p, g);
    for (int k = 0; k < 3 && direct; k++)
        direct = !slots[k] || in_step(p, slots[k]);
    return direct;
}

/* ---- memory in another order or dtype ---- */

static void convert_stretch(size_t n, char *const *p, const ptrdiff_t *stride, void *context)
{
    const rl_dtype *dtype = context;
    rl_convert(dtype[1], p[1], stride[1], dtype[0], p[0], stride[0], n);
}

void rl_optim_transfer(rl_tensor *t, rl_dtype dtype, void *memory, bool back)
{
    int64_t strides[RL_MAX_DIMS];
    rl_row_major(t->ndim, t->shape, strides);
    rl_dtype dtypes[2] = {dtype, (rl_dtype)t->dtype};
    const int64_t *both[2] = {strides, t->strides};
    char *base[2] = {memory, t->data};
    if (back) {
        dtypes[0] = (rl_dtype)t->dtype, dtypes[1] = dtype;
        both[0] = t->strides, both[1] = strides;
        base[0] = t->data, base[1] = memory;
    }
    size_t items[2] = {rl_dtype_size(dtypes[0]), rl_dtype_size(dtypes[1])};
    rl_loop loop;
    if (t->numel == 0)
        return;
    rl_loop_make(&loop, t->ndim, t->shape, 2, both, items);
    rl_loop_run(&loop, base, RL_OPTIM_GRAIN, convert_stretch, dtypes);
}

size_t rl_optim_room(const rl_tensor *t, rl_dtype dtype)
{
    return !t || (t->contiguous && t->dtype == dtype)
               ? 0
               : rl_optim_bytes(t->numel, rl_dtype_size(dtype));
}

void *rl_optim_open(rl_tensor *t, rl_dtype dtype, char **scratch)
{
    size_t room = rl_optim_room(t, dtype);
    if (!room)
        return t ? t->data : NULL;
    void *memory = *scratch;
    *scratch += room;
    rl_optim_transfer(t, dtype, memory, false);
    return memory;
}

void rl_optim_close(rl_tensor *t, rl_dtype dtype, void *memory)
{
    if (!t)
        return;
    if (memory != t->data)
        rl_optim_transfer(t, dtype, memory, true);
    rl_bump_version(t);
}

/* Through row-major copies in the dtype computed in: half precision, and memory in different
 * orders. */
static size_t copies_room(const rl_tensor *p, const rl_tensor *g, rl_tensor *const *slots)
{
    rl_dtype dtype = rl_optim_dtype(p);
    size_t room = rl_optim_room(p, dtype) + rl_optim_room(g, dtype);
    for (int k = 0; k < 3; k++)
        room += rl_optim_room(slots[k], dtype);
    return room;
}

static void run_on_copies(rl_optim_loop loop, rl_tensor *p, rl_tensor *g, rl_tensor *const *slots,
                          const rl_optim_args *a, char *scratch)
{
    rl_dtype dtype = rl_optim_dtype(p);
    void *x = rl_optim_open(p, dtype, &scratch), *grad = rl_optim_open(g, dtype, &scratch), *s[3];
    for (int k = 0; k < 3; k++)
        s[k] = rl_optim_open(slots[k], dtype, &scratch);
    rl_optim_run(loop, dtype, p->numel, x, grad, s, a);
    rl_optim_close(p, dtype, x);
    for (int k = 0; k < 3; k++)
        rl_optim_close(slots[k], dtype, s[k]);
}

/* ---- all parameters ---- */

enum { FRESH = 1, COPIES = 2 };

/* Checks all parameters and makes the states that are missing.  marks[i]: FRESH, SGD's buffer of
 * parameter i was made now; COPIES, its step needs copies, which take at most *room bytes. */
static rl_status prepare(const rl_optim *o, unsigned kept, int64_t n, rl_tensor *const *params,
                         rl_tensor *const *grads, rl_optim_state *state, uint8_t *marks,
                         size_t *room)
{
    static const rl_optim_state none = {NULL};
    for (int64_t i = 0; i < n; i++) {
        rl_tensor *g = grads ? grads[i] : rl_borrow_grad(params[i]);
        if (g && check(kept, params[i], g, state ? state[i] : NULL) != RL_OK)
            return rl_error_code();
    }
    for (int64_t i = 0; i < n; i++) {
        rl_tensor *p = params[i], *g = grads ? grads[i] : rl_borrow_grad(p), *slots[3];
        if (!g)
            continue;
        for (int k = 0; kept >> k; k++) {
            if (!(kept >> k & 1))
                continue;
            if (!state)
                return rl_error(RL_ERUNTIME,
                                "rl_optim_step: this optimizer needs a state for each parameter");
            if (state[i][k])
                continue;
            if (make_state(o, p, k, &state[i][k]) != RL_OK)
                return rl_error_code();
            marks[i] = o->kind == RL_SGD;
        }
        loop_slots(kept, state ? state[i] : none, slots);
        if (is_direct(p, g, slots))
            continue;
        size_t bytes = copies_room(p, g, slots);
        *room = bytes > *room ? bytes : *room;
        marks[i] |= COPIES;
    }
    return RL_OK;
}

static void step_one(const rl_optim *o, unsigned kept, rl_tensor *p, rl_tensor *g, rl_tensor **s,
                     int marks, numbers *now, char *scratch)
{
    count_step(o, s, now);
    now->a.flag[1] = marks & FRESH;
    rl_tensor *slots[3];
    loop_slots(kept, s, slots);
    if (marks & COPIES) {
        run_on_copies(now->loop, p, g, slots, &now->a, scratch);
        return;
    }
    void *data[3];
    for (int k = 0; k < 3; k++)
        data[k] = slots[k] ? slots[k]->data : NULL;
    rl_optim_run(now->loop, (rl_dtype)p->dtype, p->numel, p->data, g->data, data, &now->a);
    rl_bump_version(p);
    for (int k = 0; k < 3; k++)
        if (slots[k])
            rl_bump_version(slots[k]);
}

/* A failure leaves all as it was, but for states that were made on the way and hold their first
 * values: whatever needs memory comes before the first write. */
rl_status rl_optim_step(const rl_optim *o, int64_t n, rl_tensor *const *params,
                        rl_tensor *const *grads, rl_optim_state *state)
{
    if (o->kind == RL_ADAFACTOR)
        return rl_adafactor_step(o, n, params, grads, state);
    if (o->kind == RL_MUON)
        return rl_muon_step(o, n, params, grads, state);
    uint8_t few[64], *marks = n <= (int64_t)sizeof few ? few : rl_alloc((size_t)n);
    if (!marks)
        return rl_error_code();
    memset(marks, 0, (size_t)n);
    unsigned kept = rl_optim_kept(o);
    size_t room = 0;
    rl_status status = prepare(o, kept, n, params, grads, state, marks, &room);
    char *scratch = NULL;
    if (status == RL_OK && room && !(scratch = rl_alloc(room)))
        status = rl_error_code();
    numbers now = {
        .a = {.weight_decay = o->weight_decay, .maximize = o->maximize, .decoupled = o->decoupled},
        .step = -1,
    };
    rl_optim_state none = {NULL};
    for (int64_t i = 0; i < n; i++) {
        rl_tensor *g = grads ? grads[i] : rl_borrow_grad(params[i]);
        if (g && status == RL_OK) {
            step_one(o, kept, params[i], g, state ? state[i] : none, marks[i], &now, scratch);
        } else if (marks[i] & FRESH) { /* a buffer that nothing was written to */
            rl_release(state[i][FIRST]);
            state[i][FIRST] = NULL;
        }
    }
    if (scratch)
        rl_free(scratch, room);
    if (marks != few)
        rl_free(marks, (size_t)n);
    return status;
}
