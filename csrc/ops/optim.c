/* optim.c: one optimizer step over all parameters.  The loops are in kernels/isa/optim.tmpl.h; here
 * are the numbers that depend on the step, the states, and parameters whose memory does not run in
 * step with their gradient's. */
#include <math.h>

#include "autograd/autograd.h"
#include "core/alloc.h"
#include "core/parallel.h"
#include "kernels/kernels.h"
#include "kernels/optim.h"
#include "ops/optim.h"

/* Elements below which a step stays on one thread: their gradients still lie in the cache of the
 * core that made them. */
#define GRAIN 262144

enum { STEP, FIRST, SECOND, THIRD, PRODUCT, RATE };

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

/* Fills slot k of a parameter's state with its first value. */
static rl_status make_state(const rl_optim *o, rl_tensor *p, int k, rl_tensor **slot)
{
    rl_dtype number = rl_default_dtype() == RL_F64 ? RL_F64 : RL_F32;
    if (is_number(k)) {
        double first = k == PRODUCT ? 1 : k == RATE ? o->lr : 0;
        *slot = rl_scalar_tensor(rl_float(first), number);
        return rl_status_of(*slot);
    }
    rl_tensor *t = rl_new_like(p, (rl_dtype)p->dtype);
    double first = o->kind == RL_RPROP && k == SECOND ? o->lr : 0;
    /* SGD's buffer begins as the first gradient: the loop writes it before it reads it. */
    if (t && o->kind != RL_SGD && rl_fill_data(t, rl_float(first)) != RL_OK) {
        rl_release(t);
        t = NULL;
    }
    *slot = t;
    return rl_status_of(t);
}

static double number_of(rl_tensor *t)
{
    return t->dtype == RL_F32 ? (double)*(float *)t->data : *(double *)t->data;
}

static void set_number(rl_tensor *t, double v)
{
    if (t->dtype == RL_F32)
        *(float *)t->data = (float)v;
    else
        *(double *)t->data = v;
    rl_bump_version(t);
}

static rl_status check(unsigned kept, rl_tensor *p, rl_tensor *g, rl_tensor *const *s)
{
    if (!rl_is_floating((rl_dtype)p->dtype))
        return rl_error(RL_ERUNTIME, "optimizers step floating-point parameters, not %s",
                        rl_dtype_name((rl_dtype)p->dtype));
    if (!rl_same_shape(p, g))
        return rl_error(RL_ERUNTIME, "optimizer: gradient of shape %s for a parameter of shape %s",
                        rl_shape_str(g).s, rl_shape_str(p).s);
    for (int k = 0; s && kept >> k; k++) {
        if (!s[k] || !(kept >> k & 1))
            continue;
        bool number = is_number(k);
        if (number && (s[k]->numel != 1 || (s[k]->dtype != RL_F32 && s[k]->dtype != RL_F64)))
            return rl_error(
                RL_ERUNTIME,
                "optimizer: %s must be one float32 or float64 number, not %s of shape %s",
                k == STEP ? "the step count" : "a state that is a number",
                rl_dtype_name((rl_dtype)s[k]->dtype), rl_shape_str(s[k]).s);
        if (!number && !rl_same_shape(p, s[k]))
            return rl_error(RL_ERUNTIME, "optimizer: state of shape %s for a parameter of shape %s",
                            rl_shape_str(s[k]).s, rl_shape_str(p).s);
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
        set_number(s[STEP], number_of(s[STEP]) + 1);
        step = number_of(s[STEP]);
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
        set_number(s[PRODUCT], number_of(s[PRODUCT]) * (narrow ? (double)(float)mu : mu));
        double product = number_of(s[PRODUCT]);
        NUMBERS(o->lr * (1 - mu) / (1 - product), o->lr * next / (1 - product * next), 1 - b1, b2,
                1 - b2, c2, o->eps, shrink);
        n->loop = RL_LOOP_NADAM;
        break;
    }
    case RL_ASGD: {
        double eta = number_of(s[RATE]), mu = number_of(s[PRODUCT]);
        a->flag[0] = mu == 1;
        NUMBERS(1 - o->lambd * eta, eta, mu);
        set_number(s[RATE], o->lr / pow(1 + o->lambd * o->lr * step, o->alpha));
        set_number(s[PRODUCT], 1 / fmax(1, step - o->t0));
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

static void run(rl_optim_loop loop, rl_tensor *p, rl_tensor *g, rl_tensor *const *s,
                const rl_optim_args *a)
{
    span c = {.fn = rl_kernel_table.optim->step[loop][p->dtype == RL_F64],
              .item = rl_itemsize(p),
              .p = p->data,
              .g = g->data,
              .a = a};
    for (int k = 0; k < 3; k++)
        c.s[k] = s[k] ? s[k]->data : NULL;
    if (p->numel <= GRAIN)
        run_span(0, p->numel, &c);
    else
        rl_parallel_for(p->numel, GRAIN, run_span, &c);
}

/* Whether t's elements lie in memory in p's order. */
static bool in_step(const rl_tensor *p, const rl_tensor *t)
{
    return t->dtype == p->dtype &&
           ((p->contiguous && t->contiguous) ||
            memcmp(p->strides, t->strides, (size_t)p->ndim * sizeof *p->strides) == 0);
}

/* Through row-major copies in the dtype computed in: half precision, and memory in different
 * orders. */
static rl_status run_on_copies(rl_optim_loop loop, rl_tensor *p, rl_tensor *g, rl_tensor *const *s,
                               const rl_optim_args *a)
{
    rl_dtype compute = p->dtype == RL_F64 ? RL_F64 : RL_F32;
    rl_tensor *own[4] = {p, s[0], s[1], s[2]}, *copy[4] = {NULL, NULL, NULL, NULL};
    rl_status status = RL_OK;
    RL_TEMP *grad = rl_cast_data(g, compute);
    if (!grad)
        status = rl_error_code();
    for (int k = 0; k < 4 && status == RL_OK; k++)
        if (own[k] && !(copy[k] = rl_cast_data(own[k], compute)))
            status = rl_error_code();
    if (status == RL_OK)
        run(loop, copy[0], grad, copy + 1, a);
    for (int k = 0; k < 4; k++) {
        if (status == RL_OK && copy[k] && copy[k] != own[k])
            status = rl_copy_data(own[k], copy[k]);
        rl_release(copy[k]);
    }
    return status;
}

/* ---- all parameters ---- */

/* Checks all parameters and makes the states that are missing; fresh[i]: SGD's buffer of parameter
 * i was made now. */
static rl_status prepare(const rl_optim *o, unsigned kept, int64_t n, rl_tensor *const *params,
                         rl_tensor *const *grads, rl_optim_state *state, uint8_t *fresh)
{
    for (int64_t i = 0; i < n; i++) {
        rl_tensor *g = grads ? grads[i] : rl_borrow_grad(params[i]);
        if (g && check(kept, params[i], g, state ? state[i] : NULL) != RL_OK)
            return rl_error_code();
    }
    for (int64_t i = 0; i < n && kept; i++) {
        if (!(grads ? grads[i] : rl_borrow_grad(params[i])))
            continue;
        for (int k = 0; kept >> k; k++) {
            if (!(kept >> k & 1))
                continue;
            if (!state)
                return rl_error(RL_ERUNTIME,
                                "rl_optim_step: this optimizer needs a state for each parameter");
            if (state[i][k])
                continue;
            if (make_state(o, params[i], k, &state[i][k]) != RL_OK)
                return rl_error_code();
            fresh[i] = o->kind == RL_SGD;
        }
    }
    return RL_OK;
}

static rl_status step_one(const rl_optim *o, unsigned kept, rl_tensor *p, rl_tensor *g,
                          rl_tensor **s, bool fresh, numbers *now)
{
    count_step(o, s, now);
    now->a.flag[1] = fresh;
    rl_tensor *slots[3];
    bool direct = (p->dtype == RL_F32 || p->dtype == RL_F64) && (p->contiguous || rl_is_dense(p)) &&
                  in_step(p, g);
    for (int k = 0; k < 3; k++) {
        slots[k] = kept >> (FIRST + k) & 1 ? s[FIRST + k] : NULL;
        direct = direct && (!slots[k] || in_step(p, slots[k]));
    }
    if (direct)
        run(now->loop, p, g, slots, &now->a);
    else if (run_on_copies(now->loop, p, g, slots, &now->a) != RL_OK)
        return rl_error_code();
    rl_bump_version(p);
    for (int k = 0; k < 3; k++)
        if (slots[k])
            rl_bump_version(slots[k]);
    return RL_OK;
}

/* A wrong argument or a state that cannot be made leaves all as it was.  Memory may still run out
 * later, for copies of parameters whose memory is not in step with their gradient's; the parameters
 * before that one have made their step. */
rl_status rl_optim_step(const rl_optim *o, int64_t n, rl_tensor *const *params,
                        rl_tensor *const *grads, rl_optim_state *state)
{
    uint8_t few[64], *fresh = n <= (int64_t)sizeof few ? few : rl_alloc((size_t)n);
    if (!fresh)
        return rl_error_code();
    memset(fresh, 0, (size_t)n);
    unsigned kept = rl_optim_kept(o);
    rl_status status = prepare(o, kept, n, params, grads, state, fresh);
    numbers now = {
        .a = {.weight_decay = o->weight_decay, .maximize = o->maximize, .decoupled = o->decoupled},
        .step = -1,
    };
    rl_optim_state none = {NULL};
    int64_t done = 0;
    for (; done < n && status == RL_OK; done += status == RL_OK) {
        rl_tensor *g = grads ? grads[done] : rl_borrow_grad(params[done]);
        if (g)
            status =
                step_one(o, kept, params[done], g, state ? state[done] : none, fresh[done], &now);
    }
    for (; done < n; done++) /* after a failure: buffers that nothing was written to */
        if (fresh[done]) {
            rl_release(state[done][FIRST]);
            state[done][FIRST] = NULL;
        }
    if (fresh != few)
        rl_free(fresh, (size_t)n);
    return status;
}
