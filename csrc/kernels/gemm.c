/* gemm.c: cuts matrix products into register tiles, and large ones into blocks for the caches and
 * the threads.
 *
 * Loops of one thread's part, from the outside: blocks along k (rule 1 of gemm.h); then, of B,
 * panels one tile wide, packed when B is not row-major, and of A a tile's rows, or these two the
 * other way round when there are many rows and B is to be packed (by_panels, by_strips); tiles. */
#include "kernels/gemm.h"

#include <string.h>

#include "core/alloc.h"
#include "core/parallel.h"
#include "kernels/kernels.h"

enum {
    PANEL_BYTES = RL_GEMM_KC * 2 * 64, /* a panel of B: two vectors of at most 64 bytes wide */
    STRIP_COLUMNS = 512, /* of B packed at a time: a block along k of them fits the second level */
    GROUP_ROWS = 48,     /* of A copied at a time: whole tiles, and whole lines of cache */
    CLASH = 4096         /* a stride whose multiples share a set of the first level of cache */
};

static const double THREAD_WORK = 2e6; /* multiply-adds below which one thread is faster */

/* One float product in bytes, ready to be cut. */
typedef struct job {
    const rl_gemm_float_kernels *f;
    int size; /* bytes per element */
    int64_t m, n, k;
    const char *a, *b;
    ptrdiff_t rsa, csa, rsb, csb;
    char *c;
    ptrdiff_t ldc, csc; /* csc other than size: rule 2 only */
    const char *bias;
    unsigned flags;
    bool dot;        /* rule 2 */
    bool few_short;  /* rule 3 */
    bool transposed; /* rule 1 by run_transposed */
    bool pack_b;
    bool strips;   /* rule 1 by by_strips */
    bool pack_a;   /* there: strips are copied, since their rows clash in the cache */
    char *scratch; /* strips, transposed: room for what is packed, or for C, per part */
    size_t part_bytes;
    int64_t parts_m, parts_n; /* how the threads share C */
} job;

static int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }

/* ---- one thread ---- */

/* Rows 0..m of C by tiles 1 << w vectors wide, as even as possible: equal tiles waste no registers
 * at the end. */
static void run_rows(const job *g, int w, int64_t m, int64_t k, const char *a, ptrdiff_t rsa,
                     ptrdiff_t csa, const char *b, ptrdiff_t rsb, char *c, int64_t n,
                     const char *bias, unsigned flags)
{
    /* The first `longer` tiles have a row more.  Divided once: a division takes as long as a tile
     * whose k is short. */
    int64_t most = g->f->max_rows[w], tiles = (m + most - 1) / most;
    int64_t rows = tiles > 1 ? m / tiles : m, longer = m - rows * tiles;
    for (int64_t t = 0; t < tiles; t++) {
        int64_t r = rows + (t < longer);
        g->f->tile[w][r - 1](k, a, rsa, csa, b, rsb, c, g->ldc, n, bias, flags);
        a += r * rsa;
        c += r * g->ldc;
    }
}

/* One block along k, beginning at a and b, a panel of B after the other: the panel stays in the
 * first level of cache, and all rows of A pass by. */
static void by_panels(const job *g, int64_t k, const char *a, const char *b, unsigned flags)
{
    _Alignas(64) char panel[PANEL_BYTES];
    const int size = g->size, lanes = g->f->lanes;
    for (int64_t j = 0, n; j < g->n; j += n) {
        int64_t left = g->n - j;
        int w = 2;
        if (left <= lanes)
            w = 0;
        else if (left <= 2 * lanes || g->pack_b || g->m > g->f->max_rows[2])
            w = 1;
        n = min64(left, lanes << w);
        const char *from = b + j * g->csb;
        ptrdiff_t rsb = g->rsb;
        if (g->pack_b) {
            rsb = (ptrdiff_t)(lanes << w) * size;
            g->f->pack(k, n, lanes << w, from, g->rsb, g->csb, panel);
            from = panel;
        }
        run_rows(g, w, g->m, k, a, g->rsa, g->csa, from, rsb, g->c + j * size, n,
                 g->bias ? g->bias + j * size : NULL, flags);
    }
}

/* The same, a tile's rows of A after the other: these stay in the first level of cache, and B,
 * packed once for all of them, passes by from the second. */
static void by_strips(const job *g, int64_t k, const char *a, const char *b, unsigned flags)
{
    const int size = g->size, lanes = g->f->lanes;
    const int64_t most = g->f->max_rows[1], width = 2 * lanes;
    const int64_t group = g->pack_a ? GROUP_ROWS : g->m;
    char *packed = g->scratch + (g->pack_a ? GROUP_ROWS * RL_GEMM_KC * size : 0);
    for (int64_t j0 = 0; j0 < g->n; j0 += STRIP_COLUMNS, b += STRIP_COLUMNS * g->csb) {
        const int64_t n = min64(STRIP_COLUMNS, g->n - j0);
        for (int64_t j = 0; g->pack_b && j < n; j += width)
            g->f->pack(k, min64(width, n - j), n - j <= lanes ? lanes : width, b + j * g->csb,
                       g->rsb, g->csb, packed + j * k * size);
        const char *bias = g->bias ? g->bias + j0 * size : NULL;
        char *c = g->c + j0 * size;
        for (int64_t i = 0; i < g->m; i += group) {
            const int64_t m = min64(group, g->m - i), strips = (m + most - 1) / most;
            const char *rows = a + i * g->rsa;
            ptrdiff_t rsa = g->rsa, csa = g->csa;
            if (g->pack_a) {
                g->f->pack(k, m, GROUP_ROWS, rows, csa, rsa, g->scratch);
                rows = g->scratch;
                rsa = size;
                csa = GROUP_ROWS * size;
            }
            for (int64_t t = 0; t < strips; t++) {
                const int64_t r = m * (t + 1) / strips - m * t / strips;
                for (int64_t j = 0; j < n; j += width) {
                    const int w = n - j > lanes;
                    g->f->tile[w][r - 1](
                        k, rows, rsa, csa, g->pack_b ? packed + j * k * size : b + j * size,
                        g->pack_b ? (lanes << w) * size : g->rsb, c + j * size, g->ldc,
                        min64(width, n - j), bias ? bias + j * size : NULL, flags);
                }
                rows += r * rsa;
                c += r * g->ldc;
            }
        }
    }
}

static void run_rule1(const job *g)
{
    const int64_t kc = rl_gemm_block(g->k);
    for (int64_t p = 0; p == 0 || p < g->k; p += kc) {
        const int64_t k = min64(kc, g->k - p);
        const char *a = g->a + p * g->csa, *b = g->b + p * g->rsb;
        unsigned flags = p == 0 ? g->flags & ~(unsigned)RL_GEMM_RELU : RL_GEMM_C;
        if (p + k >= g->k)
            flags |= g->flags & RL_GEMM_RELU;
        if (g->strips)
            by_strips(g, k, a, b, flags);
        else
            by_panels(g, k, a, b, flags);
        if (kc == 0)
            break;
    }
}

static void run_rule2(const job *g)
{
    for (int64_t p = 0; p == 0 || p < g->k; p += RL_GEMM_DOT_KC) {
        int64_t k = min64(RL_GEMM_DOT_KC, g->k - p);
        unsigned flags = p == 0 ? g->flags & ~(unsigned)RL_GEMM_RELU : RL_GEMM_C;
        if (p + k >= g->k)
            flags |= g->flags & RL_GEMM_RELU;
        g->f->dot(g->m, g->n, k, g->a + p * g->size, g->rsa, g->b + p * g->size, g->csb, g->c,
                  g->ldc, g->csc, g->bias, flags);
    }
}

/* C' = B' A' into scratch, then C from that: where B lies transposed and has many more columns than
 * A has rows, the panels to be packed are then those of the smaller A.  Start values are laid
 * transposed before, the rest is rule 1. */
static void run_transposed(const job *g)
{
    char *scratch = g->scratch;
    job t = *g;
    t.m = g->n;
    t.n = g->m;
    t.a = g->b;
    t.b = g->a;
    t.rsa = g->csb;
    t.csa = g->rsb;
    t.rsb = g->csa;
    t.csb = g->rsa;
    t.c = scratch;
    t.ldc = t.n * g->size;
    t.bias = NULL;
    t.flags = g->flags & RL_GEMM_RELU;
    t.strips = false;
    t.pack_b = true;
    if (g->flags & RL_GEMM_BIAS) {
        t.flags |= RL_GEMM_C;
        for (int64_t j = 0; j < t.m; j++)
            for (int64_t i = 0; i < t.n; i++)
                ((float *)scratch)[j * t.n + i] = ((const float *)g->bias)[j];
    }
    run_rule1(&t);
    g->f->pack(g->m, g->n, g->ldc / g->size, scratch, g->size, t.ldc, g->c);
}

static void run(const job *g)
{
    if (g->dot)
        run_rule2(g);
    else if (g->transposed)
        run_transposed(g);
    else if (g->few_short)
        g->f->few_short(g->m, g->n, g->k, g->a, g->rsa, g->b, g->csb, g->c, g->ldc, g->bias,
                        g->flags);
    else
        run_rule1(g);
}

/* ---- several threads: C is shared out in parts_m x parts_n rectangles ---- */

static void run_parts(int64_t begin, int64_t end, void *context)
{
    const job *g = context;
    int64_t rows = g->f->max_rows[1], width = 2 * g->f->lanes;
    for (int64_t part = begin; part < end; part++) {
        int64_t pm = part / g->parts_n, pn = part % g->parts_n;
        /* Whole tiles per part, but for the last. */
        int64_t tm = (g->m + rows - 1) / rows, tn = (g->n + width - 1) / width;
        int64_t i0 = min64(tm * pm / g->parts_m * rows, g->m);
        int64_t i1 = pm + 1 == g->parts_m ? g->m : min64(tm * (pm + 1) / g->parts_m * rows, g->m);
        int64_t j0 = min64(tn * pn / g->parts_n * width, g->n);
        int64_t j1 = pn + 1 == g->parts_n ? g->n : min64(tn * (pn + 1) / g->parts_n * width, g->n);
        if (i0 >= i1 || j0 >= j1)
            continue;
        job mine = *g;
        mine.m = i1 - i0;
        mine.n = j1 - j0;
        mine.a += i0 * g->rsa;
        mine.b += j0 * g->csb;
        mine.c += i0 * g->ldc + j0 * g->csc;
        if (g->flags & RL_GEMM_BIAS)
            mine.bias += j0 * g->size;
        if (g->scratch)
            mine.scratch += (size_t)part * g->part_bytes;
        run(&mine);
    }
}

/* The grid of `threads` rectangles whose largest has the fewest tiles; ties go to parts along n,
 * which share no B. */
static void share_out(job *g, int threads)
{
    int64_t rows = g->f->max_rows[1], width = 2 * g->f->lanes;
    int64_t tm = (g->m + rows - 1) / rows, tn = (g->n + width - 1) / width, best = INT64_MAX;
    for (int64_t pm = 1; pm <= threads; pm++) {
        int64_t pn = threads / pm;
        if (g->dot && pm > 1)
            break;
        int64_t most = ((tm + pm - 1) / pm) * ((tn + pn - 1) / pn);
        if (most < best) {
            best = most;
            g->parts_m = pm;
            g->parts_n = pn;
        }
    }
}

/* ---- choosing ---- */

/* Fills g from one product's arguments.  The choice between the rules looks at shape and strides
 * only. */
static void plan(job *g, const rl_gemm_args *p)
{
    int size = p->dtype == RL_F32 ? 4 : 8;
    const rl_gemm_kernels *kernels = rl_kernel_table.gemm;
    *g = (job){
        .f = size == 4 ? kernels->f32 : kernels->f64,
        .size = size,
        .m = p->m,
        .n = p->n,
        .k = p->k,
        .a = p->a,
        .b = p->b,
        .rsa = p->rsa * size,
        .csa = p->csa * size,
        .rsb = p->rsb * size,
        .csb = p->csb * size,
        .c = p->c,
        .ldc = p->ldc * size,
        .csc = size,
        .bias = p->bias,
        .flags = p->flags,
        .parts_m = 1,
        .parts_n = 1,
    };
    if (p->k <= 1) /* a stride that is never taken may be anything */
        g->csa = g->rsb = size;
    bool along_k = g->csa == size && g->rsb == size;
    bool thin = p->n <= RL_GEMM_THIN || (p->m <= RL_GEMM_THIN && p->k > RL_GEMM_SHORT);
    g->dot = along_k && thin && p->k > 1;
    /* C' = B' A': vectors run along the longer side.  A start value per column becomes one per row,
     * which the kernels do not know, so rl_gemm writes it to C first. */
    if (g->m > 1 && (p->n == 1 ? p->ldc == 1 || g->dot : g->dot && p->m > RL_GEMM_THIN)) {
        g->m = p->n;
        g->n = p->m;
        g->a = p->b;
        g->b = p->a;
        g->rsa = p->csb * size;
        g->csa = g->rsb;
        g->rsb = p->k <= 1 ? size : p->csa * size;
        g->csb = p->rsa * size;
        g->ldc = size;
        g->csc = p->ldc * size;
        if (g->flags & RL_GEMM_BIAS) {
            g->flags ^= RL_GEMM_BIAS | RL_GEMM_C;
            for (int64_t i = 0; i < p->m; i++)
                memcpy((char *)p->c + i * p->ldc * size, p->bias, (size_t)(p->n * size));
        }
    }
    g->few_short = along_k && !g->dot && g->m <= RL_GEMM_THIN && p->k > 1 && g->f->few_short;
    if (g->dot || g->few_short)
        return;
    /* Whole vectors, so that unpacking writes nothing outside of C; wide enough to be worth it. */
    int lanes = g->f->lanes;
    g->transposed = size == 4 && g->rsb == size && g->csb != size && g->csa == size && g->m >= 16 &&
                    g->m % lanes == 0 && g->n % lanes == 0 && g->n >= 4 * g->m && g->k >= 128 &&
                    !(g->flags & RL_GEMM_C);
    if (g->transposed)
        return;
    /* A row-major B is read where it lies unless its panels, which then miss the first level of
     * cache, would be used often, or do not stay in the second one either. */
    int64_t rows = g->f->max_rows[1], bytes = g->k * g->n * size;
    g->pack_b = g->csb != size && g->n > 1;
    if (!g->pack_b && g->m > 4 * rows)
        g->pack_b = bytes > (4 << 20) ||
                    (bytes > (512 << 10) && g->m > (bytes > (2 << 20) ? 144 : 288)) ||
                    (g->rsb % 2048 == 0 && g->k > 32 && g->m > (g->rsb % CLASH ? 288 : 120));
    if (g->n == 1)
        g->csb = size;
    /* Columns that clash are read by whole lines when copied, which a few panels do not repay. */
    g->pack_a = g->csa == size ? g->rsa % CLASH == 0 : g->csa % CLASH == 0 && g->n > 256;
    g->strips = g->m > 4 * rows && g->n > 2 * lanes && g->k > 64 && (g->pack_a || g->pack_b);
}

static bool is_float(rl_dtype dtype) { return dtype == RL_F32 || dtype == RL_F64; }

rl_status rl_gemm(const rl_gemm_args *p)
{
    if (p->m <= 0 || p->n <= 0)
        return RL_OK;
    if (!is_float(p->dtype)) {
        rl_gemm_int(p);
        return RL_OK;
    }
    job g;
    plan(&g, p);
    double work = (double)g.m * (double)g.n * (double)g.k;
    if (work > THREAD_WORK) {
        int threads = rl_num_threads();
        if (threads > 1)
            share_out(&g, (int)min64(threads, (int64_t)(work / (THREAD_WORK / 2))));
    }
    int64_t parts = g.parts_m * g.parts_n;
    if (g.strips) {
        int64_t width = 2 * g.f->lanes, n = (g.n + width - 1) / width * width;
        int64_t rows = (g.pack_a ? GROUP_ROWS : 0) + (g.pack_b ? min64(STRIP_COLUMNS, n) : 0);
        g.part_bytes = (size_t)(rows * RL_GEMM_KC * g.size);
        g.scratch = rl_alloc(g.part_bytes * (size_t)parts);
        if (!g.scratch)
            return RL_EMEMORY;
    }
    if (g.transposed) {
        int64_t m = (g.m + g.parts_m - 1) / g.parts_m + g.f->max_rows[1];
        int64_t n = (g.n + g.parts_n - 1) / g.parts_n + 2 * g.f->lanes;
        g.part_bytes = (size_t)(m * n * g.size);
        g.scratch = rl_alloc(g.part_bytes * (size_t)parts);
        if (!g.scratch)
            return RL_EMEMORY;
    }
    if (parts > 1)
        rl_parallel_for(parts, 1, run_parts, &g);
    else
        run(&g);
    if (g.scratch)
        rl_free(g.scratch, g.part_bytes * (size_t)parts);
    return RL_OK;
}

/* ---- batches ---- */

typedef struct batch {
    const rl_gemm_args *args;
    int64_t sa, sb, sc; /* in bytes */
    char *scratch;
    job job;
} batch;

static void run_batch(int64_t begin, int64_t end, void *context)
{
    const batch *t = context;
    rl_gemm_args p = *t->args;
    for (int64_t i = begin; i < end; i++) {
        p.a = (const char *)t->args->a + i * t->sa;
        p.b = (const char *)t->args->b + i * t->sb;
        p.c = (char *)t->args->c + i * t->sc;
        if (!is_float(p.dtype)) {
            rl_gemm_int(&p);
            continue;
        }
        job g;
        plan(&g, &p);
        /* These only speed up, and products here are small or few. */
        g.strips = g.transposed = false;
        g.pack_b = g.csb != g.size;
        run(&g);
    }
}

rl_status rl_gemm_batch(const rl_gemm_args *p, int64_t count, int64_t sa, int64_t sb, int64_t sc)
{
    if (p->m <= 0 || p->n <= 0 || count <= 0)
        return RL_OK;
    double work = (double)p->m * (double)p->n * (double)p->k;
    if (work > 4 * THREAD_WORK) { /* large ones, one after the other, each on all threads */
        int64_t size = (int64_t)rl_dtype_size(p->dtype);
        rl_gemm_args one = *p;
        for (int64_t i = 0; i < count; i++) {
            one.a = (const char *)p->a + i * sa * size;
            one.b = (const char *)p->b + i * sb * size;
            one.c = (char *)p->c + i * sc * size;
            rl_status status = rl_gemm(&one);
            if (status)
                return status;
        }
        return RL_OK;
    }
    int64_t size = (int64_t)rl_dtype_size(p->dtype);
    batch t = {.args = p, .sa = sa * size, .sb = sb * size, .sc = sc * size};
    double grain = THREAD_WORK / 4 / (work + 1) + 1;
    if (work * (double)count > THREAD_WORK)
        rl_parallel_for(count, (int64_t)grain, run_batch, &t);
    else
        run_batch(0, count, &t);
    return RL_OK;
}
