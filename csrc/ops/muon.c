/* muon.c: Muon's step over all parameters, which are matrices (Jordan and others, 2024).
 *
 * p <- (1 - lr weight_decay) p - lr' o, o about the nearest matrix with orthonormal rows or columns
 * to the running mean of the gradient.  x <- a x + (b x x' + c (x x')^2) x, from x of norm 1 on,
 * brings all singular values near 1.  PyTorch iterates in bfloat16; here x holds such numbers as
 * float32, so that the products need no conversion, and every result is rounded to bfloat16 once.
 *
 * All updates are computed before the first one is applied: a product may run out of memory. */
#include <math.h>

#include "autograd/autograd.h"
#include "core/alloc.h"
#include "core/parallel.h"
#include "kernels/gemm.h"
#include "kernels/kernels.h"
#include "ops/optim_step.h"

#define MEAN RL_OPTIM_FIRST

/* Rows of a symmetric product that are computed together, from the diagonal on; and the rows from
 * which on that is worth it. */
enum { PANEL = 64, WORTH = 256 };
enum { TILE = 16, CHUNK = 32768 };

/* ---- float32 that holds bfloat16 ---- */

typedef struct job {
    float *y;
    const float *x;
    double from_y, from_x; /* x NULL: y / from_y */
} job;

static void run_sum(int64_t begin, int64_t end, void *context)
{
    const job *c = context;
    size_t n = (size_t)(end - begin);
    if (c->x)
        rl_kernel_table.optim->muon_combine(n, c->y + begin, c->x + begin, c->from_y, c->from_x);
    else
        rl_kernel_table.optim->muon_divide(n, c->y + begin, c->from_y);
}

/* y <- round(from_y y + from_x x) */
static void combine(int64_t n, float *y, double from_y, const float *x, double from_x)
{
    job c = {y, x, from_y, from_x};
    rl_parallel_for(n, CHUNK, run_sum, &c);
}

/* y <- round(y / by) */
static void divide(int64_t n, float *y, double by) { combine(n, y, by, NULL, 0); }

static float norm(int64_t n, const float *x)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i += CHUNK) {
        float part;
        rl_kernel_table.reduce[RL_REDUCE_SUMSQ][RL_F32](1, (size_t)(n - i < CHUNK ? n - i : CHUNK),
                                                        (const char *)(x + i), 0, 4, (char *)&part,
                                                        0, NULL);
        sum += part;
    }
    float size = (float)sqrt(sum);
    divide(1, &size, 1);
    return size;
}

/* ---- products ---- */

static rl_status multiply(int64_t m, int64_t n, int64_t k, const float *a, const float *b, float *c)
{
    rl_gemm_args g = {.dtype = RL_F32, .m = m, .n = n, .k = k, .a = a, .b = b, .c = c};
    g.rsa = k, g.csa = 1, g.rsb = n, g.csb = 1, g.ldc = n;
    return rl_gemm(&g);
}

/* What lies left of panels of this height, from the other side of the diagonal; in tiles, for the
 * cache. */
static void mirror(int64_t m, int64_t height, float *c)
{
    for (int64_t panel = height; panel < m; panel += height)
        for (int64_t i0 = panel; i0 < m && i0 < panel + height; i0 += TILE)
            for (int64_t j = 0; j < panel; j++)
                for (int64_t i = i0; i < m && i < i0 + TILE && i < panel + height; i++)
                    c[i * m + j] = c[j * m + i];
}

/* c (m, m) = a b for a product that is symmetric; b[p][j] = b[p rsb + j csb].  Each element is the
 * same sum as its mirror image's. */
static rl_status multiply_symmetric(int64_t m, int64_t k, const float *a, const float *b,
                                    int64_t rsb, int64_t csb, float *c)
{
    rl_gemm_args g = {
        .dtype = RL_F32, .k = k, .rsa = k, .csa = 1, .rsb = rsb, .csb = csb, .ldc = m};
    int64_t height = m < WORTH ? m : PANEL;
    for (int64_t i = 0; i < m; i += height) {
        g.m = m - i < height ? m - i : height;
        g.n = m - i;
        g.a = a + i * k;
        g.b = b + i * csb;
        g.c = c + i * m + i;
        if (rl_gemm(&g) != RL_OK)
            return rl_error_code();
    }
    mirror(m, height, c);
    return RL_OK;
}

/* ---- one matrix ---- */

/* Scratch memory of the largest matrix: x and its successor (m, n), m <= n; x x' and a polynomial
 * of it (m, m); parameter, gradient, mean where they need copies. */
typedef struct memory {
    float *x, *next, *gram, *poly;
    char *copies;
} memory;

static size_t memory_room(rl_tensor *p, rl_tensor *g, rl_tensor *mean, memory *at, char *scratch)
{
    rl_dtype dtype = rl_optim_dtype(p);
    int64_t m = p->shape[p->shape[0] < p->shape[1] ? 0 : 1];
    size_t matrix = rl_optim_bytes(p->numel, rl_dtype_size(dtype)), /* x begins in p's precision */
        square = rl_optim_bytes(m * m, sizeof(float));
    if (at)
        *at = (memory){.x = (float *)scratch,
                       .next = (float *)(scratch + matrix),
                       .gram = (float *)(scratch + 2 * matrix),
                       .poly = (float *)(scratch + 2 * matrix + square),
                       .copies = scratch + 2 * matrix + 2 * square};
    return 2 * matrix + 2 * square + rl_optim_room(p, dtype) + rl_optim_room(g, dtype) +
           rl_optim_room(mean, dtype);
}

/* to (cols, rows) = from', from (rows, cols) */
static void transpose_floats(int64_t rows, int64_t cols, const float *from, float *to)
{
    for (int64_t i0 = 0; i0 < rows; i0 += TILE)
        for (int64_t j = 0; j < cols; j++)
            for (int64_t i = i0; i < rows && i < i0 + TILE; i++)
                to[j * rows + i] = from[i * cols + j];
}

/* The matrix in m->x, (rows, cols) with rows <= cols, made orthogonal in place. */
static rl_status orthogonalize(const rl_optim *o, int64_t rows, int64_t cols, memory *m)
{
    int64_t n = rows * cols;
    float size = norm(n, m->x), least = (float)o->eps;
    divide(1, &least, 1);
    divide(n, m->x, size < least ? least : size); /* nan stays */
    const double *abc = o->ns_coefficients;
    for (int64_t step = 0; step < o->ns_steps; step++) {
        if (multiply_symmetric(rows, cols, m->x, m->x, 1, cols, m->gram) != RL_OK)
            return rl_error_code();
        divide(rows * rows, m->gram, 1);
        if (multiply_symmetric(rows, rows, m->gram, m->gram, rows, 1, m->poly) != RL_OK)
            return rl_error_code();
        combine(rows * rows, m->poly, abc[2], m->gram, abc[1]);
        if (multiply(rows, cols, rows, m->poly, m->x, m->next) != RL_OK)
            return rl_error_code();
        combine(n, m->next, 1, m->x, abc[0]);
        float *x = m->x;
        m->x = m->next;
        m->next = x;
    }
    return RL_OK;
}

static rl_optim_args numbers(const rl_optim *o, const rl_tensor *p)
{
    double rows = (double)p->shape[0], cols = (double)p->shape[1], by = 1;
    if (o->adjust_lr == RL_ADJUST_ORIGINAL)
        by = sqrt(fmax(1, rows / cols));
    else if (o->adjust_lr == RL_ADJUST_MATCH_RMS_ADAMW)
        by = 0.2 * sqrt(fmax(rows, cols));
    return (rl_optim_args){.f = {1 - o->momentum, o->lr * by, 1 - o->lr * o->weight_decay}};
}

/* The update of p, row-major bfloat16. */
static rl_status find_update(const rl_optim *o, rl_tensor *p, rl_tensor *g, rl_tensor *mean,
                             char *scratch, uint16_t *update)
{
    memory m;
    memory_room(p, g, mean, &m, scratch);
    rl_dtype dtype = rl_optim_dtype(p);
    rl_optim_args a = {.f = {1 - o->momentum, o->momentum}, .flag = {o->nesterov}};
    void *grad = rl_optim_open(g, dtype, &m.copies);
    void *s[3] = {rl_optim_open(mean, dtype, &m.copies)};
    rl_optim_run(RL_LOOP_MUON_MEAN, dtype, p->numel, m.next, grad, s, &a);
    ptrdiff_t item = (ptrdiff_t)rl_dtype_size(dtype);
    size_t n = (size_t)p->numel;
    rl_convert(dtype, m.next, item, RL_BF16, update, 2, n);
    int64_t rows = p->shape[0], cols = p->shape[1];
    bool tall = rows > cols;
    rl_convert(RL_BF16, update, 2, RL_F32, tall ? m.next : m.x, 4, n);
    if (tall)
        transpose_floats(rows, cols, m.next, m.x);
    if (orthogonalize(o, tall ? cols : rows, tall ? rows : cols, &m) != RL_OK)
        return rl_error_code();
    if (tall) {
        transpose_floats(cols, rows, m.x, m.next);
        m.x = m.next;
    }
    rl_convert(RL_F32, m.x, 4, RL_BF16, update, 2, n);
    return RL_OK;
}

static void apply(const rl_optim *o, rl_tensor *p, rl_tensor *g, rl_tensor *mean, char *scratch,
                  const uint16_t *update)
{
    memory m;
    memory_room(p, g, mean, &m, scratch);
    rl_dtype dtype = rl_optim_dtype(p);
    rl_optim_args a = numbers(o, p);
    void *x = rl_optim_open(p, dtype, &m.copies), *grad = rl_optim_open(g, dtype, &m.copies);
    void *s[3] = {rl_optim_open(mean, dtype, &m.copies), m.x, NULL};
    rl_convert(RL_BF16, update, 2, dtype, m.x, (ptrdiff_t)rl_dtype_size(dtype), (size_t)p->numel);
    rl_optim_run(RL_LOOP_MUON_STEP, dtype, p->numel, x, grad, s, &a);
    rl_optim_close(p, dtype, x);
    rl_optim_close(mean, dtype, s[0]);
}

/* ---- all parameters ---- */

static rl_status check(const rl_optim *o, rl_tensor *p, rl_tensor *g, rl_tensor *mean)
{
    if (rl_is_complex((rl_dtype)p->dtype))
        return rl_error(RL_ERUNTIME, "Muon does not support complex parameters");
    if (g->ndim != 2)
        return rl_error(RL_EVALUE, "Param gradient must be a 2D matrix");
    if (rl_optim_check(p, g) != RL_OK ||
        (mean && rl_optim_check_state(mean, p->ndim, p->shape, p) != RL_OK))
        return rl_error_code();
    if (o->ns_steps >= 100)
        return rl_error(RL_EVALUE,
                        "Number of steps must be less than 100 for computational efficiency");
    return RL_OK;
}

static rl_status make_mean(rl_tensor *p, rl_tensor **slot)
{
    *slot = rl_new_like(p, (rl_dtype)p->dtype);
    if (*slot && rl_fill_data(*slot, rl_float(0)) != RL_OK) {
        rl_release(*slot);
        *slot = NULL;
    }
    return rl_status_of(*slot);
}

rl_status rl_muon_step(const rl_optim *o, int64_t n, rl_tensor *const *params,
                       rl_tensor *const *grads, rl_optim_state *state)
{
    size_t room = 0;
    int64_t elements = 0;
    for (int64_t i = 0; i < n; i++) {
        rl_tensor *g = grads ? grads[i] : rl_borrow_grad(params[i]);
        if (!g)
            continue;
        if (!state)
            return rl_error(RL_ERUNTIME,
                            "rl_optim_step: this optimizer needs a state for each parameter");
        if (check(o, params[i], g, state[i][MEAN]) != RL_OK)
            return rl_error_code();
        elements += params[i]->numel;
    }
    for (int64_t i = 0; i < n; i++) {
        rl_tensor *g = grads ? grads[i] : rl_borrow_grad(params[i]);
        if (!g)
            continue;
        if (!state[i][MEAN] && make_mean(params[i], &state[i][MEAN]) != RL_OK)
            return rl_error_code();
        size_t bytes = memory_room(params[i], g, state[i][MEAN], NULL, NULL);
        room = bytes > room ? bytes : room;
    }
    size_t updates = rl_optim_bytes(elements, sizeof(uint16_t));
    uint16_t *update = rl_alloc(updates + room);
    if (!update)
        return rl_error_code();
    char *scratch = (char *)update + updates;
    rl_status status = RL_OK;
    int64_t at = 0;
    for (int64_t i = 0; i < n && status == RL_OK; i++) {
        rl_tensor *g = grads ? grads[i] : rl_borrow_grad(params[i]);
        if (!g || params[i]->numel == 0)
            continue;
        status = find_update(o, params[i], g, state[i][MEAN], scratch, update + at);
        at += params[i]->numel;
    }
    at = 0;
    for (int64_t i = 0; i < n && status == RL_OK; i++) {
        rl_tensor *g = grads ? grads[i] : rl_borrow_grad(params[i]);
        if (!g || params[i]->numel == 0)
            continue;
        apply(o, params[i], g, state[i][MEAN], scratch, update + at);
        at += params[i]->numel;
    }
    rl_free(update, updates + room);
    return status;
}
