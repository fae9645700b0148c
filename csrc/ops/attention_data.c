/* attention_data.c: attention over tiles of RL_ATTENTION_ROWS queries and RL_ATTENTION_COLUMNS
 * keys.
 *
 * Forward is the online softmax: a row's maximum and sum follow the tiles, and what has been summed
 * up is scaled down when a greater maximum comes.  Backward makes the tiles of the scores again.
 * Beyond operands and results a thread keeps two tiles, one head's keys and values transposed (the
 * keys times the scale), what it works on of operands and gradients whose rows lie apart, and with
 * dropout the coins of one row of tiles.
 *
 * Note: order of additions.  Tiles are cut by the shape alone; what is added to one element is
 * added in order of keys (o, dq) or of queries, heads of a group one after the other (dk, dv).
 * Which thread does what, and how many rows it takes, changes nothing.
 *
 * Source: Milakov and Gimelshein, 2018; Dao and others, 2022. */
#include <math.h>
#include <stdatomic.h>

#include "core/alloc.h"
#include "core/parallel.h"
#include "kernels/gemm.h"
#include "kernels/kernels.h"
#include "ops/attention.h"

enum {
    ROWS = RL_ATTENTION_ROWS,
    COLUMNS = RL_ATTENTION_COLUMNS,
    CHUNK = 4 * ROWS /* queries of a thread's share where heads are long */
};
static const double SHARE_WORK = 5e5; /* multiply-adds of the least that goes to a thread */

/* A matrix in a tensor's last two dims; strides in elements. */
typedef struct matrix {
    char *p;
    int64_t row, column;
} matrix;

typedef struct job {
    const rl_attention *t;
    size_t size; /* of an element */
    int64_t heads, group, chunks;
    int64_t width; /* of transposed keys and values: between their rows */
    rl_tensor *g, *dq, *dk, *dv;
    size_t bytes; /* of a thread's memory */
    atomic_bool failed;
} job;

/* A thread's memory. */
typedef struct room {
    char *block;
    char *kt, *vt;       /* keys and values of a head transposed */
    char *q, *k, *v, *g; /* copies; q and g of ROWS queries */
    char *o, *dq, *dk, *dv;
    char *score, *d;   /* tiles */
    char *noise;       /* (ROWS, keys) */
    char *factor;      /* ROWS */
    char *mask;        /* a tile of a mask that is not contiguous along the keys */
    rl_gemm_args gemm; /* dtype is set */
} room;

static int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }

/* Matrix number `batch` of x. */
static matrix matrix_of(const rl_attention *t, const rl_tensor *x, int64_t batch, size_t size)
{
    matrix m = {x->data, x->strides[t->lead], x->strides[t->lead + 1]};
    for (int d = t->lead - 1; d >= 0; d--) {
        m.p += batch % t->shape[d] * x->strides[d] * (int64_t)size;
        batch /= t->shape[d];
    }
    return m;
}

static char *at(const matrix *m, int64_t row, int64_t column, size_t size)
{
    return m->p + (row * m->row + column * m->column) * (int64_t)size;
}

static rl_row_fn *kernel(const job *j, rl_row_op op)
{
    return rl_kernel_table.row[op][j->t->dtype];
}

/* ---- memory ---- */

static size_t take(char **p, char *block, size_t used, size_t bytes)
{
    *p = block ? block + used : NULL;
    return used + (bytes + 63) / 64 * 64;
}

/* Lays out `r` in block (NULL: only counts); returns the bytes. */
static size_t lay_out(const job *j, room *r, char *block, bool backward)
{
    const rl_attention *t = j->t;
    const size_t size = j->size, tile = ROWS * COLUMNS * size, width = (size_t)j->width * size;
    const size_t in = (size_t)t->size * size, out = (size_t)t->out_size * size;
    const size_t keys = (size_t)t->keys;
    size_t n = 0;
    n = take(&r->kt, block, n, (size_t)t->size * width + 64);
    n = take(&r->vt, block, n, backward ? (size_t)t->out_size * width + 64 : 0);
    n = take(&r->q, block, n, ROWS * in);
    n = take(&r->v, block, n, backward ? 0 : keys * out);
    n = take(&r->o, block, n, backward ? 0 : ROWS * out);
    n = take(&r->g, block, n, backward ? ROWS * out : 0);
    n = take(&r->k, block, n, backward ? keys * in : 0);
    n = take(&r->dq, block, n, backward ? ROWS * in : 0);
    n = take(&r->dk, block, n, backward ? keys * in : 0);
    n = take(&r->dv, block, n, backward ? keys * out : 0);
    n = take(&r->score, block, n, tile);
    n = take(&r->d, block, n, backward ? tile : 0);
    n = take(&r->factor, block, n, ROWS * size);
    n = take(&r->noise, block, n, t->noise ? ROWS * (size_t)t->keys * size : 0);
    n = take(&r->mask, block, n, t->mask && t->mask->strides[t->lead + 1] != 1 ? tile : 0);
    r->block = block;
    return n;
}

static void set_up(job *j, const rl_attention *t, bool backward)
{
    *j = (job){.t = t, .size = rl_dtype_size(t->dtype), .group = t->shape[t->lead - 1], .heads = 1};
    for (int d = 0; d < t->lead; d++)
        j->heads *= t->shape[d];
    /* Whole vectors, and not a stride at which rows fall into the same cache sets. */
    j->width = (t->keys + 15) / 16 * 16;
    if (j->width * (int64_t)j->size % 2048 == 0)
        j->width += 16;
    room r;
    j->bytes = lay_out(j, &r, NULL, backward);
}

static rl_status run(job *j, int64_t units, void (*body)(int64_t, int64_t, void *))
{
    const rl_attention *t = j->t;
    double work = (double)t->length * (double)t->keys * (double)(t->size + t->out_size);
    work *= (double)j->heads / (double)units;
    rl_parallel_for(units, (int64_t)(SHARE_WORK / (work + 1)) + 1, body, j);
    if (!atomic_load_explicit(&j->failed, memory_order_relaxed))
        return RL_OK;
    return rl_error(RL_EMEMORY, "scaled_dot_product_attention: no memory for tiles of %zu bytes",
                    j->bytes);
}

static bool enter(job *j, room *r, bool backward)
{
    char *block = rl_alloc(j->bytes);
    if (!block) {
        atomic_store_explicit(&j->failed, true, memory_order_relaxed);
        return false;
    }
    *r = (room){.gemm = {.dtype = j->t->dtype}};
    lay_out(j, r, block, backward);
    return true;
}

/* ---- pieces ---- */

static void transpose(const job *j, const matrix *m, int64_t rows, int64_t columns, char *to)
{
    const rl_gemm_kernels *g = rl_kernel_table.gemm;
    const rl_gemm_float_kernels *f = j->t->dtype == RL_F32 ? g->f32 : g->f64;
    const ptrdiff_t size = (ptrdiff_t)j->size;
    if (rows && columns)
        f->pack(columns, rows, j->width, m->p, m->column * size, m->row * size, to);
}

/* The matrix, or a copy in `to` where its rows do not follow one another and several tiles read it:
 * rows far apart fall into few sets of the cache and many pages. */
static matrix dense(const job *j, matrix m, int64_t rows, int64_t columns, char *to)
{
    const size_t size = j->size;
    if (m.column == 1 && (m.row == columns || j->t->keys <= COLUMNS))
        return m;
    for (int64_t i = 0; i < rows; i++) {
        char *row = to + (size_t)(i * columns) * size;
        if (m.column == 1)
            memcpy(row, at(&m, i, 0, size), (size_t)columns * size);
        else
            rl_convert(j->t->dtype, at(&m, i, 0, size), m.column * (ptrdiff_t)size, j->t->dtype,
                       row, (ptrdiff_t)size, (size_t)columns);
    }
    return (matrix){to, columns, 1};
}

/* Where to make a matrix that dense_done then puts into m, whose rows are contiguous. */
static matrix dense_room(const job *j, matrix m, int64_t columns, char *to)
{
    return m.row == columns || j->t->keys <= COLUMNS ? m : (matrix){to, columns, 1};
}

static void dense_done(const job *j, matrix m, matrix made, int64_t rows, int64_t columns)
{
    for (int64_t i = 0; m.p != made.p && i < rows; i++)
        memcpy(at(&m, i, 0, j->size), at(&made, i, 0, j->size), (size_t)columns * j->size);
}

/* Keys transposed and scaled: scores come out of the product as they are. */
static void scaled_keys(const job *j, const matrix *k, int64_t rows, char *to)
{
    const rl_attention *t = j->t;
    float narrow = (float)t->scale;
    double wide = t->scale;
    transpose(j, k, rows, t->size, to);
    char *p[2] = {to, t->dtype == RL_F32 ? (char *)&narrow : (char *)&wide};
    const ptrdiff_t stride[2] = {j->width, 0};
    kernel(j, RL_ROW_SCALE_ROWS)((size_t)t->size, (size_t)rows, p, stride, NULL);
}

/* Keys that the rows up to `last` may see. */
static int64_t keys_seen(const rl_attention *t, int64_t last)
{
    return t->causal ? min64(t->keys, last) : t->keys;
}

/* C (m, n) = start + A B, strides in elements. */
static bool product(room *r, int64_t m, int64_t n, int64_t k, const void *a, int64_t rsa,
                    int64_t csa, const void *b, int64_t rsb, int64_t csb, void *c, int64_t ldc,
                    bool add)
{
    rl_gemm_args *g = &r->gemm;
    g->m = m;
    g->n = n;
    g->k = k;
    g->a = a;
    g->rsa = rsa;
    g->csa = csa;
    g->b = b;
    g->rsb = rsb;
    g->csb = csb;
    g->c = c;
    g->ldc = ldc;
    g->flags = add ? RL_GEMM_C : RL_GEMM_ZERO;
    return rl_gemm(g) == RL_OK;
}

/* The mask of a tile for the row kernels: its address, and its row stride in *stride. */
static char *mask_tile(const job *j, const room *r, const matrix *m, int64_t i, int64_t rows,
                       int64_t c, int64_t columns, ptrdiff_t *stride)
{
    if (!j->t->mask)
        return NULL;
    const size_t size = rl_itemsize(j->t->mask);
    if (m->column == 1) {
        *stride = m->row;
        return at(m, i, c, size);
    }
    *stride = COLUMNS;
    for (int64_t y = 0; y < rows; y++)
        for (int64_t x = 0; x < columns; x++)
            memcpy(r->mask + (size_t)(y * COLUMNS + x) * size, at(m, i + y, c + x, size), size);
    return r->mask;
}

/* f0, i0, i1 of the row kernels for a tile. */
static rl_kargs tile_args(const rl_attention *t, int64_t i, int64_t c)
{
    rl_kargs a = {.f = {t->scale}, .i = {t->causal ? i + 1 - c : COLUMNS}};
    a.i[1] = !t->mask ? 0 : t->mask->dtype == RL_BOOL ? 1 : 2;
    return a;
}

/* ---- forward: a unit is a head's chunk of queries ---- */

/* Writes x[i] = value. */
static void fill(const job *j, char *x, int64_t n, double value)
{
    for (int64_t i = 0; i < n; i++)
        if (j->t->dtype == RL_F32)
            ((float *)x)[i] = (float)value;
        else
            ((double *)x)[i] = value;
}

#define FINISH(T)                                                                                  \
    for (int64_t i = 0; i < n; i++) {                                                              \
        T *m = (T *)most + i, *s = (T *)share + i;                                                 \
        if (*m == -(T)INFINITY)                                                                    \
            *m = 0;                                                                                \
        *s = *s == 0 ? 0 : 1 / *s;                                                                 \
    }

/* Sums become their inverses. */
static void finish(const job *j, char *most, char *share, int64_t n)
{
    if (j->t->dtype == RL_F32)
        FINISH(float)
    else
        FINISH(double)
}

static void scale_rows(const job *j, const matrix *m, int64_t rows, int64_t columns, char *factor)
{
    char *p[2] = {m->p, factor};
    const ptrdiff_t stride[2] = {m->row, 1};
    kernel(j, RL_ROW_SCALE_ROWS)((size_t)rows, (size_t)columns, p, stride, NULL);
}

/* v: the head's values. */
static bool forward_rows(job *j, room *r, const matrix *v, int64_t head, int64_t i, int64_t rows)
{
    const rl_attention *t = j->t;
    const size_t size = j->size;
    matrix q = matrix_of(t, t->q, head, size), o = matrix_of(t, t->o, head, size);
    q.p = at(&q, i, 0, size);
    o.p = at(&o, i, 0, size);
    const matrix mask =
        t->mask ? matrix_of(t, t->mask, head, rl_itemsize(t->mask)) : (matrix){.p = NULL};
    const matrix qd = dense(j, q, rows, t->size, r->q), od = dense_room(j, o, t->out_size, r->o);
    char *most = t->most->data + (size_t)(head * t->length + i) * size;
    char *share = t->share->data + (size_t)(head * t->length + i) * size;
    fill(j, most, rows, -INFINITY);
    fill(j, share, rows, 0);
    if (t->noise)
        rl_attention_draw(t, head, i, rows, r->noise);
    const int64_t keys = keys_seen(t, i + rows);
    for (int64_t c = 0; c < keys; c += COLUMNS) {
        const int64_t n = min64(COLUMNS, keys - c);
        if (!product(r, rows, n, t->size, qd.p, qd.row, 1, r->kt + (size_t)c * size, j->width, 1,
                     r->score, COLUMNS, false))
            return false;
        ptrdiff_t stride[6] = {COLUMNS, 0, 1, 1, 1, t->keys};
        char *p[6] = {r->score,  mask_tile(j, r, &mask, i, rows, c, n, &stride[1]), most, share,
                      r->factor, t->noise ? r->noise + (size_t)c * size : NULL};
        const rl_kargs a = tile_args(t, i, c);
        kernel(j, RL_ROW_ATTENTION)((size_t)rows, (size_t)n, p, stride, &a);
        if (c)
            scale_rows(j, &od, rows, t->out_size, r->factor);
        if (!product(r, rows, t->out_size, n, r->score, COLUMNS, 1, at(v, c, 0, size), v->row, 1,
                     od.p, od.row, c > 0))
            return false;
    }
    finish(j, most, share, rows);
    scale_rows(j, &od, rows, t->out_size, share);
    dense_done(j, o, od, rows, t->out_size);
    return true;
}

static void forward_units(int64_t begin, int64_t end, void *context)
{
    job *j = context;
    const rl_attention *t = j->t;
    room r;
    if (!enter(j, &r, false))
        return;
    int64_t kept = -1; /* the head whose keys and values are at hand, as far as they are needed */
    matrix v = {.p = NULL};
    bool fine = true;
    for (int64_t u = begin; u < end && fine; u++) {
        const int64_t head = u / j->chunks, first = u % j->chunks * CHUNK;
        const int64_t last = min64(first + CHUNK, t->length);
        if (kept != head) {
            const matrix k = matrix_of(t, t->k, head, j->size);
            const int64_t all = min64(t->length, end * CHUNK - head * j->chunks * CHUNK);
            scaled_keys(j, &k, keys_seen(t, all), r.kt);
            v = dense(j, matrix_of(t, t->v, head, j->size), keys_seen(t, all), t->out_size, r.v);
            kept = head;
        }
        for (int64_t i = first; i < last && fine; i += ROWS)
            fine = forward_rows(j, &r, &v, head, i, min64(ROWS, last - i));
    }
    if (!fine)
        atomic_store_explicit(&j->failed, true, memory_order_relaxed);
    rl_free(r.block, j->bytes);
}

rl_status rl_attention_forward(const rl_attention *t)
{
    job j;
    set_up(&j, t, false);
    j.chunks = (t->length + CHUNK - 1) / CHUNK;
    if (j.heads * j.chunks == 0 || t->out_size == 0)
        return RL_OK;
    if (t->keys == 0) {
        RL_TEMP *zero = rl_scalar_tensor(rl_int(0), t->dtype);
        return zero ? rl_copy_data(t->o, zero) : rl_error_code();
    }
    return run(&j, j.heads * j.chunks, forward_units);
}

/* ---- backward: a unit is a head of keys with the queries' heads that share it ----
 *
 * p = softmax(scores), n the coins, m = sum over the row of g o:
 * dv = (p n)' g      d = scale p (n (g v') - m)      dq = d k      dk = d' q */

/* What the rows of a head share. */
typedef struct side {
    matrix k, dk, dv;
} side;

static bool backward_rows(job *j, room *r, const side *w, int64_t head, int64_t i, int64_t rows,
                          bool first)
{
    const rl_attention *t = j->t;
    const size_t size = j->size;
    matrix q = matrix_of(t, t->q, head, size), g = matrix_of(t, j->g, head, size);
    matrix dq = matrix_of(t, j->dq, head, size);
    const matrix o = matrix_of(t, t->o, head, size);
    q.p = at(&q, i, 0, size);
    g.p = at(&g, i, 0, size);
    dq.p = at(&dq, i, 0, size);
    const matrix qd = dense(j, q, rows, t->size, r->q), gd = dense(j, g, rows, t->out_size, r->g);
    const matrix dqd = dense_room(j, dq, t->size, r->dq);
    const matrix mask =
        t->mask ? matrix_of(t, t->mask, head, rl_itemsize(t->mask)) : (matrix){.p = NULL};
    char *most = t->most->data + (size_t)(head * t->length + i) * size;
    char *share = t->share->data + (size_t)(head * t->length + i) * size;
    char *dot[3] = {r->factor, gd.p, at(&o, i, 0, size)};
    const ptrdiff_t dot_strides[3] = {1, gd.row, o.row};
    kernel(j, RL_ROW_DOT_ROWS)((size_t)rows, (size_t)t->out_size, dot, dot_strides, NULL);
    if (t->noise)
        rl_attention_draw(t, head, i, rows, r->noise);
    const int64_t keys = keys_seen(t, i + rows);
    bool fine = true;
    for (int64_t c = 0; c < keys && fine; c += COLUMNS) {
        const int64_t n = min64(COLUMNS, keys - c);
        fine = product(r, rows, n, t->size, qd.p, qd.row, 1, r->kt + (size_t)c * size, j->width, 1,
                       r->score, COLUMNS, false) &&
               product(r, rows, n, t->out_size, gd.p, gd.row, 1, r->vt + (size_t)c * size, j->width,
                       1, r->d, COLUMNS, false);
        if (!fine)
            break;
        ptrdiff_t stride[7] = {COLUMNS, COLUMNS, 0, 1, 1, 1, t->keys};
        char *p[7] = {r->score, r->d,      mask_tile(j, r, &mask, i, rows, c, n, &stride[2]), most,
                      share,    r->factor, t->noise ? r->noise + (size_t)c * size : NULL};
        const rl_kargs a = tile_args(t, i, c);
        kernel(j, RL_ROW_ATTENTION_BACKWARD)((size_t)rows, (size_t)n, p, stride, &a);
        fine = product(r, n, t->out_size, rows, r->score, 1, COLUMNS, gd.p, gd.row, 1,
                       at(&w->dv, c, 0, size), w->dv.row, !first) &&
               product(r, n, t->size, rows, r->d, 1, COLUMNS, qd.p, qd.row, 1,
                       at(&w->dk, c, 0, size), w->dk.row, !first) &&
               product(r, rows, t->size, n, r->d, COLUMNS, 1, at(&w->k, c, 0, size), w->k.row, 1,
                       dqd.p, dqd.row, c > 0);
    }
    dense_done(j, dq, dqd, rows, t->size);
    return fine;
}

/* Zeros a matrix whose rows are contiguous. */
static void clear(const matrix *m, int64_t rows, int64_t columns, size_t size)
{
    for (int64_t i = 0; i < rows; i++)
        memset(at(m, i, 0, size), 0, (size_t)columns * size);
}

static void backward_units(int64_t begin, int64_t end, void *context)
{
    job *j = context;
    const rl_attention *t = j->t;
    room r;
    if (!enter(j, &r, true))
        return;
    bool fine = true;
    for (int64_t u = begin; u < end && fine; u++) {
        const int64_t head = u * j->group;
        const matrix k = matrix_of(t, t->k, head, j->size), v = matrix_of(t, t->v, head, j->size);
        const matrix dk = matrix_of(t, j->dk, head, j->size);
        const matrix dv = matrix_of(t, j->dv, head, j->size);
        const side w = {dense(j, k, t->keys, t->size, r.k), dense_room(j, dk, t->size, r.dk),
                        dense_room(j, dv, t->out_size, r.dv)};
        scaled_keys(j, &k, t->keys, r.kt);
        transpose(j, &v, t->keys, t->out_size, r.vt);
        /* Where the first rows see every key, they write dk and dv; else all add to zeros. */
        const bool whole = keys_seen(t, min64(ROWS, t->length)) == t->keys;
        if (!whole) {
            clear(&w.dk, t->keys, t->size, j->size);
            clear(&w.dv, t->keys, t->out_size, j->size);
        }
        for (int64_t h = head; h < head + j->group && fine; h++)
            for (int64_t i = 0; i < t->length && fine; i += ROWS)
                fine = backward_rows(j, &r, &w, h, i, min64(ROWS, t->length - i),
                                     whole && h == head && i == 0);
        dense_done(j, dk, w.dk, t->keys, t->size);
        dense_done(j, dv, w.dv, t->keys, t->out_size);
    }
    if (!fine)
        atomic_store_explicit(&j->failed, true, memory_order_relaxed);
    rl_free(r.block, j->bytes);
}

rl_status rl_attention_backward(const rl_attention *t, rl_tensor *g, rl_tensor *dq, rl_tensor *dk,
                                rl_tensor *dv)
{
    job j;
    set_up(&j, t, true);
    j.g = g;
    j.dq = dq;
    j.dk = dk;
    j.dv = dv;
    if (j.heads == 0 || t->length == 0 || t->keys == 0) {
        RL_TEMP *zero = rl_scalar_tensor(rl_int(0), t->dtype);
        if (!zero || rl_copy_data(dq, zero) || rl_copy_data(dk, zero) || rl_copy_data(dv, zero))
            return rl_error_code();
        return RL_OK;
    }
    return run(&j, j.heads / j.group, backward_units);
}
