/* conv_data.c: the three products of a convolution, on GEMM; float32 mostly goes to conv_direct.c,
 * conv_weight.c.
 *
 * The unfolded input (kernel points and channels, output pixels) is never made as a whole: a tile
 * of its columns goes into a small buffer, is multiplied, and the next one follows.
 *
 * Note: order of additions.  Tiles, blocks of channels and chunks of samples are cut by the
 * geometry alone, never by the number of threads, and what is added to one element is added by one
 * thread in order: samples, then tiles, then GEMM's own order. */
#include <stdatomic.h>

#include "core/alloc.h"
#include "core/parallel.h"
#include "ops/conv.h"
#include "ops/matmul.h"

enum {
    TILE_ELEMENTS = 32768, /* of the buffer, while a tile has more than TILE_PIXELS */
    TILE_PIXELS = 64,      /* the least, and a unit: what GEMM's tiles like */
    BLOCK_ROWS = 256,      /* of the unfolded input that a thread takes where it can choose */
    CHUNKS = 8             /* of samples, for the gradient of a weight with few channels */
};

typedef struct job {
    rl_conv v;
    rl_dtype dtype;
    size_t size;               /* of an element */
    int64_t points;            /* kernel[0] kernel[1] kernel[2] */
    int64_t in_size, out_size; /* pixels of a channel */
    int64_t in_group, out_group;
    bool pointwise; /* the unfolded input is the input */
    int64_t tile, tiles;
    int64_t block, blocks; /* channels of a group at a time */
    int64_t chunk, chunks; /* samples at a time */
    const char *x, *w, *b, *y;
    char *result;
    atomic_bool failed; /* memory was short */
} job;

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

static void set_up(job *j, const rl_conv *v, rl_dtype dtype)
{
    *j = (job){.v = *v, .dtype = dtype, .size = rl_dtype_size(dtype)};
    j->points = j->in_size = j->out_size = 1;
    j->pointwise = true;
    for (int d = 0; d < 3; d++) {
        j->points *= v->kernel[d];
        j->in_size *= v->in[d];
        j->out_size *= v->out[d];
        if (v->kernel[d] != 1 || v->stride[d] != 1 || v->pad[d] != 0 || v->in[d] != v->out[d])
            j->pointwise = false;
    }
    j->in_group = v->in_ch / v->groups;
    j->out_group = v->out_ch / v->groups;
}

/* Cuts channels into blocks of about BLOCK_ROWS rows when split, and pixels into tiles. */
static void cut(job *j, bool split)
{
    j->block = j->in_group;
    if (split && j->block * j->points > BLOCK_ROWS) {
        j->block = BLOCK_ROWS / (j->points ? j->points : 1);
        if (j->block < 1)
            j->block = 1;
    }
    j->blocks = j->block ? ceil_div(j->in_group, j->block) : 0;
    int64_t rows = j->block * j->points;
    j->tile = TILE_ELEMENTS / (rows ? rows : 1) / TILE_PIXELS * TILE_PIXELS;
    if (j->tile < TILE_PIXELS)
        j->tile = TILE_PIXELS;
    if (j->tile > j->out_size)
        j->tile = j->out_size;
    j->tiles = j->tile ? ceil_div(j->out_size, j->tile) : 0;
}

static size_t buffer_bytes(const job *j)
{
    return (size_t)(j->block * j->points * j->tile) * j->size;
}

/* ---- unfolding ---- */

/* A row of the unfolded input belongs to one channel and one kernel point and has `count` output
 * pixels from `first`.  It is walked in stretches along the last dim: place in the row, length, the
 * pixels (from, to) that lie inside the input, or from == to, and the input pixel of `from`. */
typedef struct stretch {
    int64_t at, length, from, to, source;
} stretch;

typedef struct walk {
    const rl_conv *v;
    int64_t offset[3]; /* of the kernel point: k dilation - pad */
    int64_t place[3];  /* the output pixel */
    int64_t at, count;
    int64_t low, high; /* along the last dim, output pixels that fall inside the input */
} walk;

static walk walk_row(const rl_conv *v, int64_t point, int64_t first, int64_t count)
{
    walk k = {.v = v, .count = count};
    for (int d = 2; d >= 0; d--) {
        k.offset[d] = point % v->kernel[d] * v->dilation[d] - v->pad[d];
        point /= v->kernel[d];
        k.place[d] = first % v->out[d];
        first /= v->out[d];
    }
    int64_t s = v->stride[2], last = v->in[2] - 1 - k.offset[2];
    k.low = k.offset[2] < 0 ? ceil_div(-k.offset[2], s) : 0;
    k.high = last < 0 ? 0 : last / s + 1;
    return k;
}

static bool walk_next(walk *k, stretch *t)
{
    if (k->at == k->count)
        return false;
    const rl_conv *v = k->v;
    int64_t begin = k->place[2], end = begin + k->count - k->at;
    if (end > v->out[2])
        end = v->out[2];
    int64_t i0 = k->place[0] * v->stride[0] + k->offset[0];
    int64_t i1 = k->place[1] * v->stride[1] + k->offset[1];
    bool inside = i0 >= 0 && i0 < v->in[0] && i1 >= 0 && i1 < v->in[1];
    int64_t from = k->low < begin ? begin : k->low > end ? end : k->low;
    int64_t to = !inside ? from : k->high < from ? from : k->high > end ? end : k->high;
    *t = (stretch){k->at, end - begin, from - begin, to - begin,
                   (i0 * v->in[1] + i1) * v->in[2] + from * v->stride[2] + k->offset[2]};
    k->at += end - begin;
    k->place[2] = 0;
    if (++k->place[1] == v->out[1]) {
        k->place[1] = 0;
        k->place[0]++;
    }
    return true;
}

#define EVERY(T)                                                                                   \
    for (int64_t i = 0; i < n; i++)                                                                \
        ((T *)y)[i] = ((const T *)x)[i * step];

static void copy_every(char *y, const char *x, int64_t n, int64_t step, size_t size)
{
    if (step == 1) {
        memcpy(y, x, (size_t)n * size);
        return;
    }
    switch (size) {
    case 1:
        EVERY(uint8_t) break;
    case 2:
        EVERY(uint16_t) break;
    case 4:
        EVERY(uint32_t) break;
    default:
        EVERY(uint64_t) break;
    }
}

/* col (channels * points, count) from the channels at x. */
static void unfold(const job *j, const char *x, int64_t channels, int64_t first, int64_t count,
                   char *col)
{
    size_t size = j->size;
    for (int64_t c = 0; c < channels; c++)
        for (int64_t p = 0; p < j->points; p++) {
            walk k = walk_row(&j->v, p, first, count);
            char *row = col + (size_t)((c * j->points + p) * count) * size;
            const char *source = x + (size_t)(c * j->in_size) * size;
            stretch t;
            while (walk_next(&k, &t)) {
                char *y = row + (size_t)t.at * size;
                if (t.from == t.to) {
                    memset(y, 0, (size_t)t.length * size);
                    continue;
                }
                memset(y, 0, (size_t)t.from * size);
                copy_every(y + (size_t)t.from * size, source + (size_t)t.source * size,
                           t.to - t.from, j->v.stride[2], size);
                memset(y + (size_t)t.to * size, 0, (size_t)(t.length - t.to) * size);
            }
        }
}

#define ADD_TO(T)                                                                                  \
    for (int64_t i = 0; i < n; i++)                                                                \
        ((T *)y)[i * step] += ((const T *)x)[i];

/* Adds col (channels * points, count) to the channels at x. */
static void fold(const job *j, const char *col, int64_t channels, int64_t first, int64_t count,
                 char *target)
{
    size_t size = j->size;
    int64_t step = j->v.stride[2];
    for (int64_t c = 0; c < channels; c++)
        for (int64_t p = 0; p < j->points; p++) {
            walk k = walk_row(&j->v, p, first, count);
            const char *row = col + (size_t)((c * j->points + p) * count) * size;
            stretch t;
            while (walk_next(&k, &t)) {
                int64_t n = t.to - t.from;
                if (n == 0)
                    continue;
                const char *x = row + (size_t)(t.at + t.from) * size;
                char *y = target + (size_t)(c * j->in_size + t.source) * size;
                switch (j->dtype) {
                case RL_F32:
                    ADD_TO(float) break;
                case RL_F64:
                    ADD_TO(double) break;
                case RL_I64: /* integers: modulo 2^bits */
                    ADD_TO(uint64_t) break;
                case RL_I32:
                    ADD_TO(uint32_t) break;
                case RL_I16:
                    ADD_TO(uint16_t) break;
                default:
                    ADD_TO(uint8_t) break;
                }
            }
        }
}

/* n elements at y of one value at b, or zeros. */
static void fill(char *y, const char *b, int64_t n, size_t size)
{
    if (!b) {
        memset(y, 0, (size_t)n * size);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        memcpy(y + (size_t)i * size, b, size);
}

static void fail(job *j) { atomic_store_explicit(&j->failed, true, memory_order_relaxed); }

/* What the threads' failure comes to: they have their own messages. */
static rl_status outcome(job *j, size_t bytes)
{
    if (!atomic_load_explicit(&j->failed, memory_order_relaxed))
        return RL_OK;
    return rl_error(RL_EMEMORY, "convolution: no memory for a tile of %zu bytes", bytes);
}

/* unit(j, u, col) for the units [begin, end) of a thread, col its buffer for unfolded windows. */
static void run_units(job *j, int64_t begin, int64_t end, rl_status (*unit)(job *, int64_t, char *))
{
    size_t bytes = j->pointwise ? 0 : buffer_bytes(j);
    char *col = j->pointwise ? NULL : rl_alloc(bytes);
    if (!j->pointwise && !col) {
        fail(j);
        return;
    }
    for (int64_t u = begin; u < end; u++)
        if (unit(j, u, col)) {
            fail(j);
            break;
        }
    rl_free(col, bytes);
}

/* ---- y = x * w: a unit is a sample, a group and a tile ---- */

static rl_status output_unit(job *j, int64_t u, char *col)
{
    int64_t rows = j->in_group * j->points;
    int64_t first = u % j->tiles * j->tile, group = u / j->tiles % j->v.groups;
    int64_t sample = u / j->tiles / j->v.groups;
    int64_t count = j->out_size - first < j->tile ? j->out_size - first : j->tile;
    int64_t channel = sample * j->v.in_ch + group * j->in_group;
    int64_t o = group * j->out_group;
    const char *x = j->x + (size_t)(channel * j->in_size) * j->size;
    char *y = j->result + (size_t)((sample * j->v.out_ch + o) * j->out_size + first) * j->size;
    for (int64_t i = 0; j->b && i < j->out_group; i++)
        fill(y + (size_t)(i * j->out_size) * j->size, j->b + (size_t)(o + i) * j->size, count,
             j->size);
    if (!j->pointwise)
        unfold(j, x, j->in_group, first, count, col);
    rl_gemm_args g = {
        .dtype = j->dtype,
        .m = j->out_group,
        .n = count,
        .k = rows,
        .a = j->w + (size_t)(o * rows) * j->size,
        .rsa = rows,
        .csa = 1,
        .b = j->pointwise ? x + (size_t)first * j->size : col,
        .rsb = j->pointwise ? j->in_size : count,
        .csb = 1,
        .c = y,
        .ldc = j->out_size,
        .flags = j->b ? RL_GEMM_C : RL_GEMM_ZERO,
    };
    return rl_gemm(&g);
}

static void output_units(int64_t begin, int64_t end, void *context)
{
    run_units(context, begin, end, output_unit);
}

/* ---- dx = dy * w transposed: a unit is a sample, a group and a block of its channels ---- */

static rl_status input_unit(job *j, int64_t u, char *col)
{
    int64_t c = u % j->blocks * j->block, group = u / j->blocks % j->v.groups;
    int64_t sample = u / j->blocks / j->v.groups;
    int64_t channels = j->in_group - c < j->block ? j->in_group - c : j->block;
    int64_t rows = j->in_group * j->points, o = group * j->out_group;
    int64_t channel = group * j->in_group + c;
    char *x = j->result + (size_t)((sample * j->v.in_ch + channel) * j->in_size) * j->size;
    for (int64_t i = 0; i < channels; i++)
        fill(x + (size_t)(i * j->in_size) * j->size,
             j->b ? j->b + (size_t)(channel + i) * j->size : NULL, j->in_size, j->size);
    for (int64_t first = 0; first < j->out_size; first += j->tile) {
        int64_t count = j->out_size - first < j->tile ? j->out_size - first : j->tile;
        rl_gemm_args g = {
            .dtype = j->dtype,
            .m = channels * j->points,
            .n = count,
            .k = j->out_group,
            .a = j->w + (size_t)(o * rows + c * j->points) * j->size,
            .rsa = 1,
            .csa = rows,
            .b = j->y + (size_t)((sample * j->v.out_ch + o) * j->out_size + first) * j->size,
            .rsb = j->out_size,
            .csb = 1,
            .c = j->pointwise ? x + (size_t)first * j->size : col,
            .ldc = j->pointwise ? j->in_size : count,
            .flags = j->pointwise ? RL_GEMM_C : RL_GEMM_ZERO,
        };
        if (rl_gemm(&g))
            return RL_EMEMORY;
        if (!j->pointwise)
            fold(j, col, channels, first, count, x);
    }
    return RL_OK;
}

static void input_units(int64_t begin, int64_t end, void *context)
{
    run_units(context, begin, end, input_unit);
}

/* ---- dw = dy^T x: a unit is a chunk of samples, a group and a block of its channels ---- */

static rl_status weight_unit(job *j, int64_t u, char *col)
{
    int64_t c = u % j->blocks * j->block, group = u / j->blocks % j->v.groups;
    int64_t chunk = u / j->blocks / j->v.groups;
    int64_t channels = j->in_group - c < j->block ? j->in_group - c : j->block;
    int64_t rows = j->in_group * j->points, o = group * j->out_group;
    char *w = j->result + (size_t)((chunk * j->v.out_ch + o) * rows + c * j->points) * j->size;
    int64_t last = (chunk + 1) * j->chunk < j->v.batch ? (chunk + 1) * j->chunk : j->v.batch;
    unsigned flags = RL_GEMM_ZERO;
    for (int64_t sample = chunk * j->chunk; sample < last; sample++)
        for (int64_t first = 0; first < j->out_size; first += j->tile) {
            int64_t count = j->out_size - first < j->tile ? j->out_size - first : j->tile;
            int64_t channel = sample * j->v.in_ch + group * j->in_group + c;
            const char *x = j->x + (size_t)(channel * j->in_size) * j->size;
            if (!j->pointwise)
                unfold(j, x, channels, first, count, col);
            rl_gemm_args g = {
                .dtype = j->dtype,
                .m = j->out_group,
                .n = channels * j->points,
                .k = count,
                .a = j->y + (size_t)((sample * j->v.out_ch + o) * j->out_size + first) * j->size,
                .rsa = j->out_size,
                .csa = 1,
                .b = j->pointwise ? x + (size_t)first * j->size : col,
                .rsb = 1,
                .csb = j->pointwise ? j->in_size : count,
                .c = w,
                .ldc = rows,
                .flags = flags,
            };
            if (rl_gemm(&g))
                return RL_EMEMORY;
            flags = RL_GEMM_C;
        }
    return RL_OK;
}

static void weight_units(int64_t begin, int64_t end, void *context)
{
    run_units(context, begin, end, weight_unit);
}

/* ---- results ---- */

/* (first, second, spatial...), the spatial dims without those that are missing. */
static rl_tensor *new_result(const rl_conv *v, rl_dtype dtype, int64_t first, int64_t second,
                             const int64_t spatial[3])
{
    int64_t shape[5] = {first, second};
    for (int d = 0; d < v->ndim; d++)
        shape[2 + d] = spatial[3 - v->ndim + d];
    return rl_new(dtype, 2 + (int)v->ndim, shape);
}

/* Row-major, in the dtype to compute in. */
static rl_tensor *operand(rl_tensor *t)
{
    RL_TEMP *x = t ? rl_gemm_operand(t) : NULL;
    return x ? rl_contiguous_data(x) : NULL;
}

/* z in dtype, or NULL (z released) where the status says so; takes over z. */
static rl_tensor *finish(rl_tensor *z, rl_status status, rl_dtype dtype)
{
    if (status) {
        rl_release(z);
        return NULL;
    }
    return rl_gemm_result(z, dtype);
}

static rl_status zero_all(rl_tensor *z)
{
    memset(z->data, 0, (size_t)z->numel * rl_itemsize(z));
    return RL_OK;
}

rl_tensor *rl_conv_output(const rl_conv *v, rl_tensor *x0, rl_tensor *w0, rl_tensor *b0)
{
    RL_TEMP *x = operand(x0), *w = operand(w0), *b = operand(b0);
    if (!x || !w || (b0 && !b))
        return NULL;
    job j;
    set_up(&j, v, (rl_dtype)x->dtype);
    cut(&j, false);
    rl_tensor *y = new_result(v, j.dtype, v->batch, v->out_ch, v->out);
    if (!y || y->numel == 0)
        return finish(y, RL_OK, (rl_dtype)x0->dtype);
    j.x = x->data;
    j.w = w->data;
    j.b = b ? b->data : NULL;
    j.result = y->data;
    if (j.dtype == RL_F32 && j.in_group > 0)
        return finish(y,
                      rl_conv_direct_output(v, (const float *)j.x, (const float *)j.w,
                                            (const float *)j.b, (float *)j.result),
                      (rl_dtype)x0->dtype);
    rl_parallel_for(v->batch * v->groups * j.tiles, 1, output_units, &j);
    return finish(y, outcome(&j, buffer_bytes(&j)), (rl_dtype)x0->dtype);
}

rl_tensor *rl_conv_input(const rl_conv *v, rl_tensor *y0, rl_tensor *w0, rl_tensor *b0)
{
    RL_TEMP *y = operand(y0), *w = operand(w0), *b = operand(b0);
    if (!y || !w || (b0 && !b))
        return NULL;
    job j;
    set_up(&j, v, (rl_dtype)y->dtype);
    cut(&j, true);
    rl_tensor *x = new_result(v, j.dtype, v->batch, v->in_ch, v->in);
    if (!x || x->numel == 0)
        return finish(x, RL_OK, (rl_dtype)y0->dtype);
    j.y = y->data;
    j.w = w->data;
    j.b = b ? b->data : NULL;
    j.result = x->data;
    if (j.dtype == RL_F32 && rl_conv_direct_input_fits(v) && j.out_group > 0 && y->numel > 0)
        return finish(x,
                      rl_conv_direct_input(v, (const float *)j.y, (const float *)j.w,
                                           (const float *)j.b, (float *)j.result),
                      (rl_dtype)y0->dtype);
    rl_parallel_for(v->batch * v->groups * j.blocks, 1, input_units, &j);
    return finish(x, outcome(&j, buffer_bytes(&j)), (rl_dtype)y0->dtype);
}

#define ADD_CHUNK(T)                                                                               \
    for (int64_t i = 0; i < n; i++)                                                                \
        ((T *)z->data)[i] += ((const T *)j->result)[c * n + i];

/* The chunks' sums one after the other. */
static void add_chunks(const job *j, rl_tensor *z)
{
    int64_t n = z->numel;
    zero_all(z);
    for (int64_t c = 0; c < j->chunks; c++) {
        if (j->dtype == RL_F32) {
            ADD_CHUNK(float)
        } else {
            ADD_CHUNK(double)
        }
    }
}

rl_tensor *rl_conv_weight(const rl_conv *v, rl_tensor *x0, rl_tensor *y0)
{
    RL_TEMP *x = operand(x0), *y = operand(y0);
    if (!x || !y)
        return NULL;
    job j;
    set_up(&j, v, (rl_dtype)x->dtype);
    cut(&j, true);
    rl_tensor *w = new_result(v, j.dtype, v->out_ch, j.in_group, v->kernel);
    if (!w || w->numel == 0 || v->batch == 0 || j.out_size == 0)
        return finish(w, w ? zero_all(w) : RL_OK, (rl_dtype)x0->dtype);
    int64_t units = v->groups * j.blocks;
    j.chunks = units >= CHUNKS || v->batch < 2 ? 1 : v->batch < CHUNKS ? v->batch : CHUNKS;
    j.chunk = ceil_div(v->batch, j.chunks);
    j.chunks = ceil_div(v->batch, j.chunk); /* none is empty */
    size_t bytes = (size_t)(j.chunks * w->numel) * j.size;
    char *sums = j.chunks > 1 ? rl_alloc(bytes) : NULL;
    if (j.chunks > 1 && !sums)
        return finish(w, RL_EMEMORY, j.dtype);
    j.x = x->data;
    j.y = y->data;
    j.result = sums ? sums : w->data;
    rl_status status;
    if (j.dtype == RL_F32 && !j.pointwise) {
        status = rl_conv_direct_weight(v, (const float *)j.x, (const float *)j.y, j.chunk,
                                       (float *)j.result);
    } else {
        rl_parallel_for(j.chunks * units, 1, weight_units, &j);
        status = outcome(&j, buffer_bytes(&j));
    }
    if (sums && !status)
        add_chunks(&j, w);
    if (sums)
        rl_free(sums, bytes);
    return finish(w, status, (rl_dtype)x0->dtype);
}
