/* lbfgs.c: what L-BFGS does to all parameters at once: gather gradients, find a direction, move.
 * The order of these, and the line search, is python/rushlight/optim/lbfgs.py.
 *
 * Nocedal, Wright, Numerical Optimization, 2006, algorithm 7.4.  Each pass over the vectors adds
 * one of them and takes the next dot product, in stretches whose sums are added up in order. */
#include "autograd/autograd.h"
#include "core/alloc.h"
#include "core/parallel.h"
#include "kernels/kernels.h"
#include "ops/optim.h"
#include "ops/optim_step.h"

enum { STRETCH = 16384 };

/* ---- parameters and one vector ---- */

/* Real numbers of a parameter. */
static int64_t numbers_of(const rl_tensor *p)
{
    return rl_is_complex((rl_dtype)p->dtype) ? 2 * p->numel : p->numel;
}

/* dtype, real, as p's numbers are stored: pairs of it for complex p. */
static rl_dtype stored_as(const rl_tensor *p, rl_dtype dtype)
{
    return !rl_is_complex((rl_dtype)p->dtype) ? dtype : dtype == RL_F64 ? RL_C128 : RL_C64;
}

static rl_status check(const rl_tensor *p)
{
    if (rl_is_floating((rl_dtype)p->dtype) || rl_is_complex((rl_dtype)p->dtype))
        return RL_OK;
    return rl_error(RL_ERUNTIME, "optimizers step floating-point parameters, not %s",
                    rl_dtype_name((rl_dtype)p->dtype));
}

static rl_tensor *gather(int64_t n, rl_tensor *const *params, bool gradients)
{
    rl_dtype dtype = RL_NO_DTYPE;
    int64_t total = 0;
    for (int64_t i = 0; i < n; i++) {
        rl_tensor *t = gradients ? rl_borrow_grad(params[i]) : params[i];
        if (check(params[i]) != RL_OK || (t && check(t) != RL_OK))
            return NULL;
        if (t && numbers_of(t) != numbers_of(params[i]))
            return rl_fail(RL_ERUNTIME,
                           "optimizer: gradient of shape %s for a parameter of shape %s",
                           rl_shape_str(t).s, rl_shape_str(params[i]).s);
        rl_dtype own = rl_real_dtype((rl_dtype)(t ? t : params[i])->dtype);
        dtype = i ? rl_promote(dtype, own) : own;
        total += numbers_of(params[i]);
    }
    rl_tensor *vector = rl_new(dtype, 1, &total);
    char *at = vector ? vector->data : NULL;
    for (int64_t i = 0; i < n && vector; i++) {
        rl_tensor *t = gradients ? rl_borrow_grad(params[i]) : params[i];
        size_t bytes = (size_t)numbers_of(params[i]) * rl_dtype_size(dtype);
        if (t)
            rl_optim_transfer(t, stored_as(t, dtype), at, false);
        else
            memset(at, 0, bytes);
        at += bytes;
    }
    return vector;
}

rl_tensor *rl_lbfgs_gradient(int64_t n, rl_tensor *const *params)
{
    return gather(n, params, true);
}

rl_tensor *rl_lbfgs_values(int64_t n, rl_tensor *const *params) { return gather(n, params, false); }

static rl_status check_vector(int64_t n, rl_tensor *const *params, const rl_tensor *vector)
{
    int64_t total = 0;
    for (int64_t i = 0; i < n; i++) {
        if (check(params[i]) != RL_OK)
            return rl_error_code();
        total += numbers_of(params[i]);
    }
    if (vector->ndim != 1 || vector->numel != total || !rl_is_floating((rl_dtype)vector->dtype))
        return rl_error(RL_ERUNTIME, "LBFGS: a vector of shape %s for parameters of %lld elements",
                        rl_shape_str(vector).s, (long long)total);
    return RL_OK;
}

/* The dtype to add in. */
static rl_dtype common(const rl_tensor *p, const rl_tensor *vector)
{
    bool wide = rl_real_dtype((rl_dtype)p->dtype) == RL_F64 || vector->dtype == RL_F64;
    return wide ? RL_F64 : RL_F32;
}

rl_status rl_lbfgs_add(int64_t n, rl_tensor *const *params, rl_tensor *vector, double by)
{
    if (check_vector(n, params, vector) != RL_OK)
        return rl_error_code();
    RL_TEMP *v = rl_contiguous_data(vector);
    if (!v)
        return rl_error_code();
    size_t room = 0, item = rl_itemsize(v);
    for (int64_t i = 0; i < n; i++) {
        rl_dtype dtype = common(params[i], v);
        size_t bytes = rl_optim_room(params[i], stored_as(params[i], dtype));
        if (dtype != v->dtype)
            bytes += rl_optim_bytes(numbers_of(params[i]), rl_dtype_size(dtype));
        room = bytes > room ? bytes : room;
    }
    char *memory = rl_alloc(room), *at = v->data;
    if (!memory)
        return rl_error_code();
    static void *const none[3] = {NULL};
    rl_optim_args a = {.f = {-by}}; /* SGD's loop goes down */
    for (int64_t i = 0; i < n; i++) {
        rl_tensor *p = params[i];
        rl_dtype dtype = common(p, v), stored = stored_as(p, dtype);
        int64_t numbers = numbers_of(p);
        char *scratch = memory, *x = rl_optim_open(p, stored, &scratch), *part = at;
        if (dtype != v->dtype) {
            part = scratch;
            rl_convert((rl_dtype)v->dtype, at, (ptrdiff_t)item, dtype, part,
                       (ptrdiff_t)rl_dtype_size(dtype), (size_t)numbers);
        }
        rl_optim_run(RL_LOOP_SGD, dtype, numbers, x, part, none, &a);
        rl_optim_close(p, stored, x);
        at += (size_t)numbers * item;
    }
    rl_free(memory, room);
    return RL_OK;
}

rl_status rl_lbfgs_set(int64_t n, rl_tensor *const *params, rl_tensor *vector)
{
    if (check_vector(n, params, vector) != RL_OK)
        return rl_error_code();
    RL_TEMP *v = rl_contiguous_data(vector);
    if (!v)
        return rl_error_code();
    RL_TEMP *wide = rl_cast_data(v, v->dtype == RL_F64 ? RL_F64 : RL_F32); /* complex has no half */
    if (!wide)
        return rl_error_code();
    char *at = wide->data;
    for (int64_t i = 0; i < n; i++) {
        rl_tensor *p = params[i];
        rl_optim_transfer(p, stored_as(p, (rl_dtype)wide->dtype), at, true);
        rl_bump_version(p);
        at += (size_t)numbers_of(p) * rl_itemsize(wide);
    }
    return RL_OK;
}

/* ---- direction ---- */

typedef struct pass {
    rl_dtype dtype;
    char *q;
    const char *y, *x;
    double by, scale, *sums;
} pass;

static void run_pass(int64_t begin, int64_t end, void *context)
{
    const pass *c = context;
    size_t item = rl_dtype_size(c->dtype);
    for (int64_t i = begin; i < end; i += STRETCH) {
        size_t at = (size_t)i * item;
        c->sums[i / STRETCH] = rl_kernel_table.optim->turn[c->dtype == RL_F64](
            (size_t)(end - i < STRETCH ? end - i : STRETCH), c->q + at, c->y ? c->y + at : NULL,
            c->by, c->scale, c->x ? c->x + at : NULL);
    }
}

/* q <- scale (q + by y), y or NULL; the sum of x q, x or NULL.  All of one real dtype, row-major.
 */
static double turn(rl_tensor *q, rl_tensor *y, double by, double scale, rl_tensor *x, double *sums)
{
    pass c = {(rl_dtype)q->dtype, q->data, y ? y->data : NULL, x ? x->data : NULL, by, scale, sums};
    rl_parallel_for(q->numel, 4 * STRETCH, run_pass, &c);
    double sum = 0;
    for (int64_t i = 0; x && i < q->numel; i += STRETCH)
        sum += sums[i / STRETCH];
    return sum;
}

/* To the precision of dtype. */
static double rounded(rl_dtype dtype, double x)
{
    uint64_t narrow;
    rl_convert(RL_F64, &x, 8, dtype, &narrow, 8, 1);
    rl_convert(dtype, &narrow, 8, RL_F64, &x, 8, 1);
    return x;
}

/* Algorithm 7.4 on vectors of one dtype; q holds the gradient. */
static void two_loops(rl_dtype dtype, rl_tensor *q, int64_t k, rl_tensor *const *changes,
                      rl_tensor *const *steps, const double *ro, double h, double *al, double *sums)
{
    rl_tensor *y = NULL;
    double by = 0, scale = -1, dot;
    for (int64_t i = k - 1; i >= 0; i--) {
        dot = turn(q, y, by, scale, steps[i], sums);
        al[i] = rounded(dtype, rounded(dtype, dot) * ro[i]);
        y = changes[i], by = -al[i], scale = 1;
    }
    scale *= h;
    for (int64_t i = 0; i < k; i++) {
        dot = turn(q, y, by, scale, changes[i], sums);
        double be = rounded(dtype, rounded(dtype, dot) * ro[i]);
        y = steps[i], by = rounded(dtype, al[i] - be), scale = 1;
    }
    turn(q, y, by, scale, NULL, sums);
}

static rl_status check_history(const rl_tensor *g, int64_t k, rl_tensor *const *vectors)
{
    for (int64_t i = 0; i < k; i++)
        if (!rl_is_floating((rl_dtype)vectors[i]->dtype) || !rl_same_shape(g, vectors[i]))
            return rl_error(RL_ERUNTIME, "LBFGS: a history of shape %s for a gradient of shape %s",
                            rl_shape_str(vectors[i]).s, rl_shape_str(g).s);
    return RL_OK;
}

rl_tensor *rl_lbfgs_direction(rl_tensor *g, int64_t k, rl_tensor *const *changes,
                              rl_tensor *const *steps, const double *ro, double h, rl_tensor **al)
{
    rl_dtype own = (rl_dtype)g->dtype, dtype = rl_optim_dtype(g);
    if (g->ndim != 1 || !rl_is_floating(own))
        return rl_fail(RL_ERUNTIME, "LBFGS: expected a vector of floats as gradient");
    if (check_history(g, k, changes) != RL_OK || check_history(g, k, steps) != RL_OK)
        return NULL;
    size_t bytes = ((size_t)(g->numel / STRETCH) + 1 + (size_t)k) * sizeof(double);
    rl_list history = {0};
    double *sums = rl_alloc(bytes), *found = sums ? sums + g->numel / STRETCH + 1 : NULL;
    rl_tensor *q = sums ? rl_new(dtype, 1, g->shape) : NULL;
    bool ready = q && rl_copy_data(q, g) == RL_OK && rl_list_new(&history, 2 * k) == RL_OK;
    for (int64_t i = 0; i < k; i++)
        al[i] = NULL;
    for (int64_t i = 0; i < k && ready; i++) {
        history.v[i] = rl_cast_data(changes[i], dtype);
        history.v[k + i] = rl_cast_data(steps[i], dtype);
        al[i] = rl_new(own, 0, NULL);
        ready = history.v[i] && history.v[k + i] && al[i];
    }
    rl_tensor *d = ready && own != dtype ? rl_new(own, 1, g->shape) : rl_retain(q);
    ready = ready && d;
    if (ready) {
        two_loops(own, q, k, history.v, history.v + k, ro, h, found, sums);
        for (int64_t i = 0; i < k; i++)
            rl_convert(RL_F64, found + i, 8, own, al[i]->data, 8, 1);
        if (d != q)
            rl_optim_transfer(q, own, d->data, false);
    }
    for (int64_t i = 0; i < k && !ready; i++) {
        rl_release(al[i]);
        al[i] = NULL;
    }
    rl_list_free(&history);
    rl_release(q);
    if (sums)
        rl_free(sums, bytes);
    if (ready)
        return d;
    rl_release(d);
    return NULL;
}
