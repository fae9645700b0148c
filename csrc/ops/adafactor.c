/* adafactor.c: Adafactor's step over all parameters (Shazeer, Stern, 2018).
 *
 * p <- shrink p - alpha u / max(1, rms(u) / d), u = g / sqrt(v).  v is the running mean of g
 * squared; of matrices (the last two dims) only the means of its rows and columns are kept, whose
 * product takes its place.  Three passes: sums of squares of p and of g's rows and columns; the sum
 * of u squared; the step, which computes u again rather than keep it.
 *
 * Note: order of additions.  Sums are taken over blocks of HEIGHT rows (STRETCH elements of a
 * vector) and added up block after block, so they depend on the shape alone. */
#include <float.h>
#include <math.h>

#include "autograd/autograd.h"
#include "core/alloc.h"
#include "core/parallel.h"
#include "kernels/kernels.h"
#include "ops/optim_step.h"

enum { ROW = RL_OPTIM_FIRST, COL = RL_OPTIM_SECOND, VARIANCE = RL_OPTIM_THIRD };
enum { HEIGHT = 64, STRETCH = 4096 };

/* How a parameter's elements are walked: a work unit is `per` blocks of `height` rows, which lie
 * one after the other.  A parameter of fewer than two dims is one row, cut into stretches. */
typedef struct plan {
    bool factored;
    int64_t matrices, rows, cols;
    int64_t blocks; /* per matrix */
    int64_t per, units;
} plan;

static plan plan_of(const rl_tensor *p)
{
    plan w = {.factored = p->ndim > 1, .matrices = 1, .rows = 1, .cols = p->numel};
    if (p->numel == 0)
        return w;
    if (!w.factored) {
        w.blocks = w.units = (p->numel + STRETCH - 1) / STRETCH;
        w.per = 1;
        return w;
    }
    w.rows = p->shape[p->ndim - 2];
    w.cols = p->shape[p->ndim - 1];
    w.matrices = p->numel / (w.rows * w.cols);
    w.blocks = (w.rows + HEIGHT - 1) / HEIGHT;
    int64_t least = w.cols * (w.rows < HEIGHT ? w.rows : HEIGHT);
    w.per = least < STRETCH ? STRETCH / least : 1;
    w.units = (w.matrices * w.blocks + w.per - 1) / w.per;
    return w;
}

/* ---- memory ---- */

/* One parameter's step: row-major memory of one dtype, and sums on the way. */
typedef struct work {
    plan w;
    rl_dtype dtype;
    size_t item;
    char *p, *g, *row, *col, *variance;
    double *sizes;                             /* by unit */
    char *row_sum, *part_sum, *col_sum, *mean; /* (rows), by block (cols), (cols), by matrix */
    rl_adafactor_args a;
} work;

/* The next n items of the scratch memory, of which `used` bytes are taken; NULL merely counts. */
static char *take(char *scratch, size_t *used, int64_t n, size_t item)
{
    char *at = scratch ? scratch + *used : NULL;
    *used += rl_optim_bytes(n, item);
    return at;
}

/* Memory for the sums; returns its bytes. */
static size_t open_sums(work *k, char *scratch)
{
    const plan *w = &k->w;
    size_t used = 0;
    k->sizes = (double *)take(scratch, &used, w->units, sizeof(double));
    if (!w->factored)
        return used;
    k->row_sum = take(scratch, &used, w->matrices * w->rows, k->item);
    k->part_sum = take(scratch, &used, w->matrices * w->blocks * w->cols, k->item);
    k->col_sum = w->blocks > 1 ? take(scratch, &used, w->matrices * w->cols, k->item) : k->part_sum;
    k->mean = take(scratch, &used, w->matrices, k->item);
    return used;
}

static size_t memory_room(rl_tensor *p, rl_tensor *g, rl_tensor *const *s)
{
    work k = {.w = plan_of(p), .dtype = rl_optim_dtype(p)};
    k.item = rl_dtype_size(k.dtype);
    size_t room = open_sums(&k, NULL) + rl_optim_room(p, k.dtype) + rl_optim_room(g, k.dtype);
    for (int i = ROW; i <= VARIANCE; i++)
        room += rl_optim_room(s[i], k.dtype);
    return room;
}

/* ---- passes over a parameter ---- */

/* The elements of a unit: first one and number. */
static int64_t unit_range(const plan *w, int64_t unit, int64_t *count)
{
    int64_t begin, end, total = w->matrices * w->rows * w->cols;
    if (!w->factored) {
        begin = unit * STRETCH;
        end = begin + STRETCH;
    } else {
        int64_t first = unit * w->per, last = first + w->per;
        begin = (first / w->blocks * w->rows + first % w->blocks * HEIGHT) * w->cols;
        end = (last / w->blocks * w->rows + last % w->blocks * HEIGHT) * w->cols;
    }
    *count = (end < total ? end : total) - begin;
    return begin;
}

static const rl_adafactor_kernels *kernels(const work *k)
{
    return &rl_kernel_table.optim->adafactor[k->dtype == RL_F64];
}

/* Blocks of a unit, as arguments of the kernels; false at its end. */
typedef struct walk {
    int64_t block, end;
} walk;

static walk walk_unit(const plan *w, int64_t unit)
{
    int64_t all = w->matrices * w->blocks, end = (unit + 1) * w->per;
    return (walk){unit * w->per, end < all ? end : all};
}

/* at: the block's first element */
static bool next_block(const work *k, walk *v, rl_adafactor_args *a, int64_t *at)
{
    const plan *w = &k->w;
    if (v->block == v->end)
        return false;
    int64_t matrix = v->block / w->blocks, row = v->block % w->blocks * HEIGHT;
    *a = k->a;
    if (w->factored) {
        int64_t rows = w->rows - row < HEIGHT ? w->rows - row : HEIGHT;
        row += matrix * w->rows;
        *at = row * w->cols;
        a->rows = (size_t)rows;
        a->cols = (size_t)w->cols;
        a->row = k->row + (size_t)row * k->item;
        a->col = k->col + (size_t)(matrix * w->cols) * k->item;
        if (k->dtype == RL_F64)
            a->mean = ((const double *)k->mean)[matrix];
        else
            a->mean = ((const float *)k->mean)[matrix];
    } else {
        int64_t cols;
        *at = unit_range(w, v->block, &cols);
        a->rows = 1;
        a->cols = (size_t)cols;
        a->col = k->variance + (size_t)*at * k->item;
    }
    a->g = k->g + (size_t)*at * k->item;
    v->block++;
    return true;
}

/* Squares of the parameter; of the gradient by row and column, or into the variance. */
static void sum_squares(int64_t begin, int64_t end, void *context)
{
    work *k = context;
    const plan *w = &k->w;
    rl_reduce_fn *square = rl_kernel_table.reduce[RL_REDUCE_SUMSQ][k->dtype];
    for (int64_t unit = begin; unit < end; unit++) {
        int64_t n, at = unit_range(w, unit, &n);
        union {
            float f32;
            double f64;
        } size;
        square(1, (size_t)n, k->p + (size_t)at * k->item, 0, (ptrdiff_t)k->item, (char *)&size, 0,
               NULL);
        k->sizes[unit] = k->dtype == RL_F64 ? size.f64 : (double)size.f32;
        if (!w->factored) {
            kernels(k)->mean((size_t)n, k->variance + (size_t)at * k->item,
                             k->g + (size_t)at * k->item, 1, k->a.mean, 1);
            continue;
        }
        walk v = walk_unit(w, unit);
        rl_adafactor_args a;
        for (int64_t block = v.block; next_block(k, &v, &a, &at); block++)
            kernels(k)->sums(a.rows, a.cols, a.g, k->row_sum + (size_t)(at / w->cols) * k->item,
                             k->part_sum + (size_t)(block * w->cols) * k->item);
    }
}

static void sum_updates(int64_t begin, int64_t end, void *context)
{
    work *k = context;
    rl_adafactor_args a;
    int64_t at;
    for (int64_t unit = begin; unit < end; unit++) {
        double size = 0;
        for (walk v = walk_unit(&k->w, unit); next_block(k, &v, &a, &at);)
            size += kernels(k)->size(&a);
        k->sizes[unit] = size;
    }
}

static void apply(int64_t begin, int64_t end, void *context)
{
    work *k = context;
    rl_adafactor_args a;
    int64_t at;
    for (int64_t unit = begin; unit < end; unit++)
        for (walk v = walk_unit(&k->w, unit); next_block(k, &v, &a, &at);)
            kernels(k)->step(&a, k->p + (size_t)at * k->item);
}

static void each_unit(work *k, void (*pass)(int64_t, int64_t, void *))
{
    const plan *w = &k->w;
    int64_t grain = RL_OPTIM_GRAIN / (w->matrices * w->rows * w->cols / w->units + 1) + 1;
    if (w->units <= grain)
        pass(0, w->units, k);
    else
        rl_parallel_for(w->units, grain, pass, k);
}

/* Square root of the mean of what the last pass has added up. */
static double root_mean(const work *k, int64_t numel)
{
    double sum = 0;
    for (int64_t i = 0; i < k->w.units; i++)
        sum += k->sizes[i];
    return sqrt(sum / (double)numel);
}

/* The running means of rows and columns, and the means of the former. */
static void update_means(work *k, double fresh, double least)
{
    const plan *w = &k->w;
    rl_reduce_fn *sum = rl_kernel_table.reduce[RL_REDUCE_SUM][k->dtype];
    ptrdiff_t item = (ptrdiff_t)k->item, line = item * w->cols;
    for (int64_t m = 0; m < w->matrices && w->blocks > 1; m++)
        sum((size_t)w->cols, (size_t)w->blocks, k->part_sum + m * w->blocks * line, item, line,
            k->col_sum + m * line, item, NULL);
    kernels(k)->mean((size_t)(w->matrices * w->rows), k->row, k->row_sum, (double)w->cols, fresh,
                     0);
    kernels(k)->mean((size_t)(w->matrices * w->cols), k->col, k->col_sum, (double)w->rows, fresh,
                     0);
    sum((size_t)w->matrices, (size_t)w->rows, k->row, item * w->rows, item, k->mean, item, NULL);
    for (int64_t m = 0; m < w->matrices; m++) {
        if (k->dtype == RL_F64) {
            double *mean = (double *)k->mean + m, v = *mean / (double)w->rows;
            *mean = v < least ? least : v; /* nan stays */
        } else {
            float *mean = (float *)k->mean + m, v = *mean / (float)w->rows;
            *mean = v < (float)least ? (float)least : v;
        }
    }
}

static void step_one(const rl_optim *o, double eps1, rl_tensor *p, rl_tensor *g, rl_tensor **s,
                     char *scratch)
{
    rl_optim_set_number(s[RL_OPTIM_COUNT], rl_optim_number(s[RL_OPTIM_COUNT]) + 1);
    if (p->numel == 0)
        return;
    double t = rl_optim_number(s[RL_OPTIM_COUNT]), fresh = pow(t, o->beta2_decay);
    double longest = 1 / sqrt(t);
    rl_dtype dtype = rl_optim_dtype(p);
    work k = {.w = plan_of(p), .dtype = dtype, .item = rl_dtype_size(dtype)};
    scratch += open_sums(&k, scratch);
    k.p = rl_optim_open(p, dtype, &scratch);
    k.g = rl_optim_open(g, dtype, &scratch);
    k.row = rl_optim_open(s[ROW], dtype, &scratch);
    k.col = rl_optim_open(s[COL], dtype, &scratch);
    k.variance = rl_optim_open(s[VARIANCE], dtype, &scratch);
    k.a.mean = fresh; /* of a vector: its weight */
    each_unit(&k, sum_squares);
    double rms = root_mean(&k, p->numel);
    double alpha = (rms > o->eps2 ? rms : o->eps2) * (longest < o->lr ? longest : o->lr);
    if (k.w.factored)
        update_means(&k, fresh, eps1);
    k.a.least = eps1 * eps1; /* the root is taken afterwards */
    each_unit(&k, sum_updates);
    double size = root_mean(&k, p->numel) / o->d;
    k.a.step = (o->maximize ? alpha : -alpha) / (size > 1 ? size : 1);
    k.a.shrink = 1 - o->lr * o->weight_decay;
    each_unit(&k, apply);
    rl_optim_close(p, dtype, k.p);
    rl_optim_close(s[ROW], dtype, k.row);
    rl_optim_close(s[COL], dtype, k.col);
    rl_optim_close(s[VARIANCE], dtype, k.variance);
}

/* ---- all parameters ---- */

/* Shape of a state of p: its rows' or columns' means keep the other dim with size 1. */
static const int64_t *shape_of_state(const rl_tensor *p, int slot, int64_t *shape)
{
    memcpy(shape, p->shape, (size_t)p->ndim * sizeof *shape);
    if (slot != VARIANCE)
        shape[p->ndim - (slot == ROW ? 1 : 2)] = 1;
    return shape;
}

static bool keeps(const rl_tensor *p, int slot) { return (slot == VARIANCE) == (p->ndim < 2); }

static rl_status check(rl_tensor *p, rl_tensor *g, rl_tensor *const *s)
{
    int64_t shape[RL_MAX_DIMS];
    if (rl_is_complex((rl_dtype)p->dtype))
        return rl_error(RL_ERUNTIME, "Adafactor does not support complex parameters");
    if (rl_optim_check(p, g) != RL_OK)
        return rl_error_code();
    if (s[RL_OPTIM_COUNT] && rl_optim_check_number(s[RL_OPTIM_COUNT], "the step count") != RL_OK)
        return rl_error_code();
    for (int k = ROW; k <= VARIANCE; k++)
        if (s[k] && keeps(p, k) &&
            rl_optim_check_state(s[k], p->ndim, shape_of_state(p, k, shape), p) != RL_OK)
            return rl_error_code();
    return RL_OK;
}

static rl_status make_states(rl_tensor *p, rl_tensor **s)
{
    int64_t shape[RL_MAX_DIMS];
    if (!s[RL_OPTIM_COUNT] && rl_optim_make_number(0, &s[RL_OPTIM_COUNT]) != RL_OK)
        return rl_error_code();
    for (int k = ROW; k <= VARIANCE; k++) {
        if (!keeps(p, k) || s[k])
            continue;
        s[k] = rl_new((rl_dtype)p->dtype, p->ndim, shape_of_state(p, k, shape));
        if (s[k] && rl_fill_data(s[k], rl_float(0)) != RL_OK) {
            rl_release(s[k]);
            s[k] = NULL;
        }
        if (!s[k])
            return rl_error_code();
    }
    return RL_OK;
}

static double eps_of(rl_dtype dtype)
{
    return dtype == RL_F64    ? DBL_EPSILON
           : dtype == RL_F32  ? FLT_EPSILON
           : dtype == RL_BF16 ? 0x1p-7
                              : 0x1p-10;
}

rl_status rl_adafactor_step(const rl_optim *o, int64_t n, rl_tensor *const *params,
                            rl_tensor *const *grads, rl_optim_state *state)
{
    double eps1 = o->eps1;
    size_t room = 0;
    for (int64_t i = 0; i < n; i++) {
        rl_tensor *g = grads ? grads[i] : rl_borrow_grad(params[i]);
        if (!g)
            continue;
        if (!state)
            return rl_error(RL_ERUNTIME,
                            "rl_optim_step: this optimizer needs a state for each parameter");
        if (check(params[i], g, state[i]) != RL_OK)
            return rl_error_code();
        if (isnan(eps1)) /* one for the whole group, as in PyTorch */
            eps1 = eps_of((rl_dtype)params[i]->dtype);
    }
    for (int64_t i = 0; i < n; i++) {
        rl_tensor *g = grads ? grads[i] : rl_borrow_grad(params[i]);
        if (!g)
            continue;
        if (make_states(params[i], state[i]) != RL_OK)
            return rl_error_code();
        size_t bytes = memory_room(params[i], g, state[i]);
        room = bytes > room ? bytes : room;
    }
    char *scratch = rl_alloc(room);
    if (!scratch)
        return rl_error_code();
    for (int64_t i = 0; i < n; i++) {
        rl_tensor *g = grads ? grads[i] : rl_borrow_grad(params[i]);
        if (g)
            step_one(o, eps1, params[i], g, state[i], scratch);
    }
    rl_free(scratch, room);
    return RL_OK;
}
