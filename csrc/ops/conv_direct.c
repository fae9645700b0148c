/* conv_direct.c: float32 convolutions without unfolding: the tiles of kernels/conv.h find the
 * elements of the input by lists of places.
 *
 * A unit of work is a sample, a group and a block of output pixels (or a chunk of samples, a group
 * and a block of input channels, for the gradient of the weight).  It copies the part of the input
 * that its block needs, with its border of zeros, unless there is no border.
 *
 * Note: order of additions.  An element of the result is, as in GEMM, a sum of chains of
 * rl_gemm_block() steps, begun at the bias.  Steps go over the kernel along j->axis, channels, the
 * rest of the kernel; those whose row of the input lies in the border are left out.  The gradient
 * of the weight has steps over pixels, or lanes of them (rl_conv_dot_fn) where that fills more
 * lanes of RL_CONV_DOT_LANES.  Other choices of layout depend on the length of vectors and only say
 * where a sum is computed. */
#include <stdatomic.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/parallel.h"
#include "kernels/conv.h"
#include "kernels/gemm.h"
#include "kernels/kernels.h"
#include "ops/conv.h"

enum {
    BLOCK_PIXELS = 2048, /* about the most of a block, and the least */
    LEAST_PIXELS = 196,
    BLOCK_ELEMENTS = 65536, /* of its channels, in or out, where that leaves enough pixels */
    ROW_CHANNELS = 256,     /* kernel rows about which a unit of the weight's gradient has */
    TURN_STEPS = 6,         /* what it costs to turn over a vector of sums, in steps; */
    COPY_STEPS = 16,        /* to split one of input columns */
    ALIASED = 512,          /* elements after which the cache's sets begin again, or half of them */
    SLACK = 32,             /* elements that a masked load may name beyond the end */
    GRAIN_WORK = 1000000    /* multiply-adds for which a thread is woken */
};

/* Where the weights of a convolution lie: elements between groups, output and input channels; its
 * kernel point k is the weights' first + k step, of `size` along each dim. */
typedef struct weights {
    const float *w;
    int64_t group, out, in, points;
    int64_t first[3], step[3], size[3];
} weights;

/* Kernel points along the axis, from the first one that sees the input to the last. */
typedef struct range {
    int64_t from, to;
} range;

typedef struct job {
    rl_conv v;
    const rl_conv_kernels *k;
    const float *x, *b, *y;
    weights w;
    float *result;
    int64_t in_group, out_group, points;
    int64_t in_size, out_size;
    int axis; /* along which blocks are cut: the first dim of the output that is larger than 1 */
    int64_t len, blocks; /* of a block along the axis; blocks */
    int64_t row_pixels;  /* output pixels per step along the axis */
    int64_t region[3];   /* of the input that a block needs; sizes of the copy, or of the input */
    int64_t split, half; /* columns of a copy lie by their remainder of `split`, each `half` long */
    bool copy;           /* whether it is copied */
    int64_t channels;    /* of a group at a time: all, or a block of them */
    int64_t channel_blocks, chunk, chunks; /* the gradient of the weight */
    bool by_channel; /* lanes hold output channels rather than neighbouring pixels */
    int64_t width;   /* output channels in a panel, and in all of them */
    int64_t padded;
    /* Lists, in one block of memory. */
    void *lists;
    size_t lists_bytes;
    rl_conv_step *step; /* over channels and kernel points, or pixels */
    ptrdiff_t *row;     /* of pixels, of output channels, or of channels and kernel points */
    ptrdiff_t *line;    /* of rows of pixels */
    range *seen;        /* by output pixels along the axis; by_channel: dots */
    float *panels;      /* by_channel: the weights, (group, panel, step, width) */
    atomic_bool failed;
} job;

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }

/* ---- geometry ---- */

static void set_up(job *j, const rl_conv *v)
{
    *j = (job){.v = *v, .k = rl_kernel_table.conv, .split = 1};
    j->in_group = j->channels = v->in_ch / v->groups;
    j->out_group = v->out_ch / v->groups;
    j->points = v->kernel[0] * v->kernel[1] * v->kernel[2];
    j->in_size = v->in[0] * v->in[1] * v->in[2];
    j->out_size = v->out[0] * v->out[1] * v->out[2];
    j->axis = v->out[0] > 1 ? 0 : v->out[1] > 1 ? 1 : 2;
    j->row_pixels = (j->axis == 0 ? v->out[1] : 1) * (j->axis < 2 ? v->out[2] : 1);
    int64_t wide = j->in_group > j->out_group ? j->in_group : j->out_group;
    int64_t pixels = min64(BLOCK_PIXELS, BLOCK_ELEMENTS / wide);
    j->len = (pixels > LEAST_PIXELS ? pixels : LEAST_PIXELS) / j->row_pixels;
    j->len = j->len < 1 ? 1 : min64(j->len, v->out[j->axis]);
    j->blocks = ceil_div(v->out[j->axis], j->len);
    j->len = ceil_div(v->out[j->axis], j->blocks); /* as even as possible */
    for (int d = 0; d < 3; d++) {
        int64_t n = d == j->axis ? j->len : v->out[d];
        int64_t reach = (v->kernel[d] - 1) * v->dilation[d] + 1;
        j->region[d] = (n - 1) * v->stride[d] + reach;
        if (v->pad[d] != 0 || (v->out[d] - 1) * v->stride[d] + reach > v->in[d])
            j->copy = true;
    }
    if (!j->copy)
        memcpy(j->region, v->in, sizeof j->region);
    j->half = j->region[2];
}

/* For lanes that hold neighbouring pixels under a stride: the columns that they read lie side by
 * side. */
static void split_columns(job *j)
{
    const rl_conv *v = &j->v;
    j->split = v->stride[2];
    if (j->split == 1)
        return;
    if (!j->copy)
        for (int d = 0; d < 3; d++)
            j->region[d] = ((d == j->axis ? j->len : v->out[d]) - 1) * v->stride[d] +
                           (v->kernel[d] - 1) * v->dilation[d] + 1;
    j->copy = true;
    j->half = ceil_div(j->region[2], j->split);
    j->region[2] = j->split * j->half;
}

/* Where channels lie a multiple of the cache's ways apart: a copy that does not. */
static void spread_channels(job *j)
{
    if (j->axis < 2 || j->copy)
        return;
    j->copy = true;
    j->half = j->region[2] =
        (j->len - 1) * j->v.stride[2] + (j->v.kernel[2] - 1) * j->v.dilation[2] + 1 + SLACK / 2;
}

static int64_t region_size(const job *j) { return j->region[0] * j->region[1] * j->region[2]; }

/* Place in a region, in bytes; sums of coordinates have sums of places if all but one are multiples
 * of the stride. */
static ptrdiff_t place_of(const job *j, int64_t c, int64_t i0, int64_t i1, int64_t i2)
{
    int64_t column = i2 % j->split * j->half + i2 / j->split;
    return (((c * j->region[0] + i0) * j->region[1] + i1) * j->region[2] + column) * 4;
}

/* That of channel c and kernel point k. */
static ptrdiff_t point_place(const job *j, int64_t c, const int64_t k[3])
{
    const int64_t *by = j->v.dilation;
    return place_of(j, c, k[0] * by[0], k[1] * by[1], k[2] * by[2]);
}

/* That of pixel q of a block. */
static ptrdiff_t pixel_place(const job *j, int64_t q)
{
    const rl_conv *v = &j->v;
    int64_t o[3] = {0, q / v->out[2], q % v->out[2]};
    if (j->axis == 0) {
        o[0] = o[1] / v->out[1];
        o[1] %= v->out[1];
    }
    return place_of(j, 0, o[0] * v->stride[0], o[1] * v->stride[1], o[2] * v->stride[2]);
}

/* n floats.  Rows are short: a call of memcpy would take longer than most of them. */
static inline void copy_row(float *to, const float *from, int64_t n)
{
    if (n < 4 || n > 64) {
        memcpy(to, from, (size_t)n * 4);
        return;
    }
    for (int64_t i = 0; i + 4 <= n; i += 4)
        memcpy(to + i, from + i, 16);
    memcpy(to + n - 4, from + n - 4, 16);
}

/* Columns from `left` on of a row. */
static void split_row(const job *j, float *to, const float *from, int64_t left, int64_t n)
{
    int64_t s = j->split, i = 0;
#ifdef __GNUC__
    typedef float four __attribute__((vector_size(16)));
    if (s == 2) { /* the usual stride */
        float *y[2] = {to + left % 2 * j->half + left / 2,
                       to + (left + 1) % 2 * j->half + (left + 1) / 2};
        for (; i + 8 <= n; i += 8) {
            four a, b;
            memcpy(&a, from + i, sizeof a);
            memcpy(&b, from + i + 4, sizeof b);
            four even = __builtin_shufflevector(a, b, 0, 2, 4, 6);
            four odd = __builtin_shufflevector(a, b, 1, 3, 5, 7);
            memcpy(y[0] + i / 2, &even, sizeof even);
            memcpy(y[1] + i / 2, &odd, sizeof odd);
        }
    }
#endif
    for (int64_t column = left + i, r = column % s, q = column / s; i < n; i++) {
        to[r * j->half + q] = from[i];
        if (++r == s)
            r = 0, q++;
    }
}

/* The region of a block over `channels` channels that begin at x: a copy in `to`, or in place.
 * Where there is but one block, the border in `to` is zero already. */
static const float *region_of(const job *j, const float *x, int64_t channels, int64_t block,
                              float *to)
{
    const rl_conv *v = &j->v;
    int64_t from[3];
    for (int d = 0; d < 3; d++)
        from[d] = (d == j->axis ? block * j->len * v->stride[d] : 0) - v->pad[d];
    if (!j->copy)
        return x + (from[0] * v->in[1] + from[1]) * v->in[2] + from[2];
    int64_t width = j->region[2], n = v->in[2];
    int64_t left = from[2] < 0 ? min64(-from[2], width) : 0;
    int64_t begin = from[2] < 0 ? 0 : from[2];
    int64_t inside = n - begin < width - left ? n - begin : width - left;
    for (int64_t c = 0; c < channels; c++)
        for (int64_t a = 0; a < j->region[0]; a++)
            for (int64_t b = 0; b < j->region[1]; b++, to += width) {
                int64_t i0 = from[0] + a, i1 = from[1] + b;
                bool some = i0 >= 0 && i0 < v->in[0] && i1 >= 0 && i1 < v->in[1] && inside > 0;
                if (j->blocks > 1 && (!some || inside < width))
                    memset(to, 0, (size_t)width * 4);
                if (!some)
                    continue;
                const float *source = x + ((c * v->in[0] + i0) * v->in[1] + i1) * n + begin;
                if (j->split == 1)
                    copy_row(to + left, source, inside);
                else
                    split_row(j, to, source, left, inside);
            }
    return to - channels * region_size(j);
}

static int64_t block_pixels(const job *j, int64_t block)
{
    return min64(j->len, j->v.out[j->axis] - block * j->len) * j->row_pixels;
}

/* Pixels that lie in a row of `count`. */
static int64_t row_length(const job *j, int64_t count) { return min64(j->v.out[2], count); }

/* Elements to copy a region into. */
static int64_t region_room(const job *j)
{
    return j->copy ? j->channels * region_size(j) + SLACK : 0;
}

/* A unit's memory: a region and `more` elements; NULL notes that there was none. */
static float *new_scratch(job *j, int64_t more, size_t *bytes)
{
    int64_t room = region_room(j);
    *bytes = (size_t)(room + more) * sizeof(float);
    float *scratch = rl_alloc(*bytes);
    if (!scratch)
        atomic_store_explicit(&j->failed, true, memory_order_relaxed);
    else if (j->copy && j->blocks == 1)
        memset(scratch, 0, (size_t)room * sizeof(float));
    return scratch;
}

/* ---- one product ---- */

/* Where elements start from, as in rl_conv_tile_fn; at NULL: from 0, whatever the rest says. */
typedef struct start {
    const void *at;
    ptrdiff_t next;
    bool each;
} start;

/* How many tiles of as even a height as possible m rows make, and their rows: heights are even. */
typedef struct cut {
    int64_t count, pairs, longer; /* the first `longer` have two rows more than 2 pairs */
} cut;

static cut cut_rows(int64_t m, int64_t most)
{
    int64_t pairs = (m + 1) / 2;
    if (m <= most)
        return (cut){1, pairs, 0};
    int64_t count = ceil_div(m, most), each = pairs / count;
    return (cut){count, each, pairs - each * count};
}

static int64_t cut_height(cut t, int64_t i, int64_t left)
{
    return min64(2 * (t.pairs + (i < t.longer)), left);
}

/* m rows of C, each n long, at most two vectors. */
static void tiles(const job *j, int64_t k, const char *a, const ptrdiff_t *row,
                  const rl_conv_step *step, const char *b, char *c, ptrdiff_t ldc, start s,
                  int64_t m, int64_t n)
{
    int64_t lanes = j->k->lanes;
    int w = n > lanes;
    rl_conv_lanes v = {{w ? lanes : n, n - lanes}, lanes * 4, lanes * 4};
    cut all = cut_rows(m, j->k->rows[w]);
    const char *at = s.at;
    if (!at)
        s.next = 0;
    for (int64_t t = 0; t < all.count; t++) {
        int64_t rows = cut_height(all, t, m);
        j->k->tile[w][(rows - 1) / 2](k, a, row, step, b, c, ldc, at, s.next, s.each, rows, &v);
        row += rows;
        c += rows * ldc;
        at += rows * s.next;
        m -= rows;
    }
}

/* y[i][r] = x[r][i] for r < rows, i < columns. */
static void turn(const float *x, int64_t ldx, int64_t rows, int64_t columns, float *y, int64_t ldy)
{
    rl_gemm_pack_fn *pack = rl_kernel_table.gemm->f32->pack;
    int64_t lanes = rl_kernel_table.gemm->f32->lanes, whole = rows / lanes * lanes;
    if (rows < lanes) {
        for (int64_t i = 0; i < columns; i++)
            for (int64_t r = 0; r < rows; r++)
                y[i * ldy + r] = x[r * ldx + i];
        return;
    }
    pack(columns, whole, ldy, (const char *)x, 4, ldx * 4, (char *)y);
    int64_t last = rows - lanes; /* whole vectors again: they write nothing outside */
    if (whole < rows)
        pack(columns, lanes, ldy, (const char *)(x + last * ldx), 4, ldx * 4, (char *)(y + last));
}

/* Shares of `lanes` lanes that are in use when n elements are computed. */
static double lanes_used(int64_t n, int64_t lanes)
{
    return (double)n / (double)(ceil_div(n, lanes) * lanes);
}

static rl_status outcome(job *j)
{
    if (!atomic_load_explicit(&j->failed, memory_order_relaxed))
        return RL_OK;
    return rl_error(RL_EMEMORY, "convolution: no memory for a block");
}

static rl_status new_lists(job *j, int64_t steps, int64_t rows, int64_t panel_elements)
{
    int64_t lines = ceil_div(j->len * j->row_pixels, row_length(j, j->len * j->row_pixels));
    int64_t along = j->v.out[j->axis];
    j->lists_bytes = (size_t)steps * sizeof *j->step + (size_t)along * sizeof *j->seen +
                     (size_t)(rows + lines) * sizeof *j->row +
                     (size_t)panel_elements * sizeof(float) + 64;
    j->lists = rl_alloc(j->lists_bytes);
    if (!j->lists)
        return RL_EMEMORY;
    j->step = j->lists;
    j->seen = (range *)(j->step + steps);
    j->row = (ptrdiff_t *)(j->seen + along);
    j->line = j->row + rows;
    j->panels = (float *)(((uintptr_t)(j->line + lines) + 63) / 64 * 64);
    for (int64_t i = 0; i < lines; i++)
        j->line[i] = pixel_place(j, i * j->v.out[2]);
    return RL_OK;
}

/* The width of panels of output channels. */
static void set_panels(job *j)
{
    int64_t lanes = j->k->lanes;
    j->width = j->out_group > lanes ? 2 * lanes : lanes;
    j->padded = ceil_div(j->out_group, j->width) * j->width;
}

static int64_t grain(const job *j, int64_t units)
{
    const rl_conv *v = &j->v;
    double work = (double)v->batch * (double)v->out_ch * (double)j->out_size *
                  (double)(j->in_group * j->points);
    double each = work / (double)(units ? units : 1);
    int64_t g = each > GRAIN_WORK ? 1 : (int64_t)(GRAIN_WORK / (each > 1 ? each : 1));
    return g < 1 ? 1 : g;
}

/* ---- y = x * w ---- */

/* Steps per kernel point along the axis. */
static int64_t steps_along(const job *j)
{
    return j->in_group * j->points / (j->axis < 2 ? j->v.kernel[j->axis] : 1);
}

/* The steps [from, to) of a block of the chain that an output sees; `first`: whether its sum begins
 * here. */
typedef struct part {
    int64_t from, to;
    bool first;
} part;

/* Where the run that begins at i, of outputs that see the same, ends. */
static int64_t same_until(const range *seen, int64_t i, int64_t n)
{
    int64_t end = i + 1;
    while (end < n && seen[end].from == seen[i].from && seen[end].to == seen[i].to)
        end++;
    return end;
}

static part part_of(range seen, int64_t p, int64_t end)
{
    if (seen.from >= seen.to) /* the border alone */
        return (part){p, p, p == 0};
    int64_t from = seen.from > p ? seen.from : p;
    return (part){from, min64(seen.to, end), from == seen.from};
}

/* Lanes hold neighbouring pixels of a row, in one or two vectors of any two places: rows of the
 * tile are `m` output channels from o on.  Lines [i, end) of the block see the same steps. */
static void pixel_tiles(const job *j, const float *region, const char *w, int64_t o, int64_t m,
                        part t, int64_t i, int64_t end, int64_t row, const float *bias, float *y)
{
    int64_t lanes = j->k->lanes, ldc = j->out_size * 4;
    const char *from[2];
    char *to[2];
    rl_conv_lanes v;
    for (int64_t q = 0; i < end;) {
        int count = 0;
        for (; count < 2 && i < end; count++) {
            from[count] = (const char *)region + j->line[i] + q * 4;
            to[count] = (char *)(y + o * j->out_size + i * row + q);
            v.n[count] = min64(row - q, lanes);
            q += lanes;
            if (q >= row)
                q = 0, i++;
        }
        v.b = count > 1 ? from[1] - from[0] : 0;
        v.c = count > 1 ? to[1] - to[0] : 0;
        const char *begin = t.first ? (const char *)bias : to[0];
        ptrdiff_t next = !begin ? 0 : t.first ? 4 : ldc;
        j->k->tile[count - 1][(m - 1) / 2](t.to - t.from, w, j->row + o, j->step + t.from, from[0],
                                           to[0], ldc, begin, next, t.first && bias, m, &v);
    }
}

static void pixels_in_lanes(const job *j, const float *region, int64_t group, int64_t block,
                            float *y)
{
    int64_t steps = j->in_group * j->points, kc = rl_gemm_block(steps);
    int64_t count = block_pixels(j, block), row = row_length(j, count);
    int64_t along = j->axis < 2 ? count / j->row_pixels : 1, lines = count / row / along;
    const range *seen = j->seen + block * j->len;
    const char *w = (const char *)(j->w.w + group * j->w.group);
    const float *b = j->b ? j->b + group * j->out_group : NULL;
    cut all = cut_rows(j->out_group, j->k->rows[1]);
    for (int64_t p = 0; p < steps; p += kc)
        for (int64_t o = 0, m, t = 0; t < all.count; t++, o += m) {
            m = cut_height(all, t, j->out_group - o);
            for (int64_t i = 0, end; i < along; i = end) {
                end = same_until(seen, i, along);
                part s = part_of(seen[i], p, p + kc);
                if (s.from < s.to || s.first)
                    pixel_tiles(j, region, w, o, m, s, i * lines, end * lines, row,
                                b ? b + o : NULL, y);
            }
        }
}

/* Lanes hold output channels: rows of the tile are pixels, and the sums (pixels, padded) are turned
 * over at the end. */
static void channels_in_lanes(const job *j, const float *region, int64_t group, int64_t block,
                              float *sums, float *y)
{
    int64_t steps = j->in_group * j->points, kc = rl_gemm_block(steps);
    int64_t room = j->in_group * j->w.points, count = block_pixels(j, block);
    const float *panels = j->panels + group * j->padded * room;
    const float *b = j->b ? j->b + group * j->out_group : NULL;
    const range *seen = j->seen + block * j->len;
    int64_t along = j->axis < 2 ? count / j->row_pixels : 1, pixels = count / along;
    for (int64_t p = 0; p < steps; p += kc)
        for (int64_t o = 0; o < j->out_group; o += j->width)
            for (int64_t i = 0, end; i < along; i = end) { /* those that see the same go together */
                end = same_until(seen, i, along);
                part t = part_of(seen[i], p, p + kc);
                if (t.from >= t.to && !t.first)
                    continue;
                float *c = sums + i * pixels * j->padded + o;
                start s = t.first ? (start){b ? b + o : NULL, 0, false}
                                  : (start){c, j->padded * 4, false};
                tiles(j, t.to - t.from, (const char *)region, j->row + i * pixels, j->step + t.from,
                      (const char *)(panels + o * room), (char *)c, j->padded * 4, s,
                      (end - i) * pixels, min64(j->width, j->out_group - o));
            }
    turn(sums, j->padded, count, j->out_group, y, j->out_size);
}

static void output_units(int64_t begin, int64_t end, void *context)
{
    job *j = context;
    size_t bytes;
    float *scratch = new_scratch(j, j->by_channel ? j->len * j->row_pixels * j->padded : 0, &bytes);
    if (!scratch)
        return;
    for (int64_t u = begin; u < end; u++) {
        int64_t block = u % j->blocks, group = u / j->blocks % j->v.groups;
        int64_t sample = u / j->blocks / j->v.groups;
        const float *x = j->x + (sample * j->v.in_ch + group * j->in_group) * j->in_size;
        const float *region = region_of(j, x, j->in_group, block, scratch);
        float *y = j->result + (sample * j->v.out_ch + group * j->out_group) * j->out_size +
                   block * j->len * j->row_pixels;
        if (j->by_channel)
            channels_in_lanes(j, region, group, block, scratch + region_room(j), y);
        else
            pixels_in_lanes(j, region, group, block, y);
    }
    rl_free(scratch, bytes);
}

/* Steps, in order: kernel points along the axis, channels, the other kernel points. */
static void list_steps(job *j)
{
    const weights *w = &j->w;
    int64_t kernel[3], k[3], p = 0;
    memcpy(kernel, j->v.kernel, sizeof kernel);
    int64_t outer = j->axis < 2 ? kernel[j->axis] : 1;
    if (j->axis < 2)
        kernel[j->axis] = 1;
    for (int64_t along = 0; along < outer; along++)
        for (int64_t c = 0; c < j->in_group; c++)
            for (int64_t k0 = 0; k0 < kernel[0]; k0++)
                for (int64_t k1 = 0; k1 < kernel[1]; k1++)
                    for (int64_t k2 = 0; k2 < kernel[2]; k2++) {
                        k[0] = k0, k[1] = k1, k[2] = k2;
                        if (j->axis < 2)
                            k[j->axis] = along;
                        ptrdiff_t x = point_place(j, c, k), at = 0;
                        for (int d = 0; d < 3; d++)
                            at = at * w->size[d] + w->first[d] + k[d] * w->step[d];
                        if (j->by_channel)
                            j->step[p++] = (rl_conv_step){x, (c * w->points + at) * j->width * 4};
                        else
                            j->step[p++] = (rl_conv_step){(c * w->in + at) * 4, x};
                    }
}

/* Which steps the outputs along the axis see. */
static void list_seen(job *j)
{
    const rl_conv *v = &j->v;
    int d = j->axis;
    int64_t each = steps_along(j);
    for (int64_t o = 0; o < v->out[d]; o++) {
        int64_t at = o * v->stride[d] - v->pad[d], last = v->in[d] - 1 - at;
        range r = {0, 1};
        if (d < 2) {
            r.from = at < 0 ? ceil_div(-at, v->dilation[d]) : 0;
            r.to = last < 0 ? 0 : min64(last / v->dilation[d] + 1, v->kernel[d]);
        }
        j->seen[o] = (range){r.from * each, r.to * each};
    }
}

static rl_status list_output(job *j)
{
    const weights *w = &j->w;
    int64_t steps = j->in_group * j->points, pixels = j->len * j->row_pixels;
    int64_t room = j->in_group * w->points;
    if (new_lists(j, steps, j->by_channel ? pixels : j->out_group,
                  j->by_channel ? j->v.groups * j->padded * room : 0))
        return RL_EMEMORY;
    list_steps(j);
    list_seen(j);
    if (!j->by_channel) {
        for (int64_t o = 0; o < j->out_group; o++)
            j->row[o] = o * w->out * 4;
        return RL_OK;
    }
    for (int64_t q = 0; q < pixels; q++)
        j->row[q] = pixel_place(j, q);
    bool together = w->in == w->points;
    int64_t k = together ? room : w->points;
    for (int64_t g = 0; g < j->v.groups; g++)
        for (int64_t o = 0; o < j->out_group; o += j->width)
            for (int64_t c = 0; c < (together ? 1 : j->in_group); c++)
                rl_kernel_table.gemm->f32->pack(
                    k, min64(j->width, j->out_group - o), j->width,
                    (const char *)(w->w + g * w->group + o * w->out + c * w->in), 4, w->out * 4,
                    (char *)(j->panels + (g * j->padded + o) * room + c * k * j->width));
    return RL_OK;
}

/* A kernel of one point that takes the pixels as they are: all of them are one row. */
static rl_conv flattened(const rl_conv *v)
{
    rl_conv f = *v;
    int64_t n = 1;
    for (int d = 0; d < 3; d++) {
        if (v->kernel[d] != 1 || v->stride[d] != 1 || v->pad[d] != 0)
            return *v;
        n *= v->in[d];
        f.in[d] = f.out[d] = 1;
    }
    f.in[2] = f.out[2] = n;
    return f;
}

static rl_status convolve(const rl_conv *given, const float *x, const weights *w, const float *b,
                          float *y)
{
    job j;
    rl_conv flat = flattened(given), *v = &flat;
    set_up(&j, v);
    set_panels(&j);
    double steps = (double)(j.in_group * j.points), copies = 0;
    if (v->stride[2] > 1)
        copies =
            (double)(COPY_STEPS * j.in_group * v->stride[1] * v->stride[2]) / (double)j.out_group;
    j.by_channel = steps / lanes_used(v->out[2], j.k->lanes) + copies >
                   (steps + TURN_STEPS) / lanes_used(j.out_group, j.k->lanes);
    if (!j.by_channel)
        split_columns(&j);
    if (!j.copy && j.out_group > 4 * RL_CONV_ROWS && j.in_size % ALIASED == 0)
        spread_channels(&j);
    j.x = x;
    j.w = *w;
    j.b = b;
    j.result = y;
    rl_status status = list_output(&j);
    if (!status) {
        int64_t units = v->batch * v->groups * j.blocks;
        rl_parallel_for(units, grain(&j, units), output_units, &j);
        status = outcome(&j);
        rl_free(j.lists, j.lists_bytes);
    }
    return status;
}

rl_status rl_conv_direct_output(const rl_conv *v, const float *x, const float *w, const float *b,
                                float *y)
{
    int64_t points = v->kernel[0] * v->kernel[1] * v->kernel[2], in = v->in_ch / v->groups;
    weights t = {.w = w, .in = points, .out = in * points, .points = points, .step = {1, 1, 1}};
    t.group = v->out_ch / v->groups * t.out;
    memcpy(t.size, v->kernel, sizeof t.size);
    return convolve(v, x, &t, b, y);
}

/* ---- dx, strides of 1: the convolution of dy by the turned kernel ---- */

bool rl_conv_direct_input_fits(const rl_conv *v)
{
    return v->stride[0] == 1 && v->stride[1] == 1 && v->stride[2] == 1;
}

rl_status rl_conv_direct_input(const rl_conv *v, const float *y, const float *w, const float *b,
                               float *x)
{
    rl_conv t = *v;
    int64_t points = v->kernel[0] * v->kernel[1] * v->kernel[2], in = v->in_ch / v->groups;
    weights turned = {.w = w, .in = in * points, .out = points, .points = points};
    turned.group = v->out_ch / v->groups * turned.in;
    t.in_ch = v->out_ch;
    t.out_ch = v->in_ch;
    for (int d = 0; d < 3; d++) {
        t.in[d] = v->out[d];
        t.out[d] = v->in[d];
        t.pad[d] = (v->kernel[d] - 1) * v->dilation[d] - v->pad[d];
        turned.size[d] = v->kernel[d];
        turned.first[d] = v->kernel[d] - 1;
        turned.step[d] = -1;
    }
    return convolve(&t, y, &turned, b, x);
}

/* ---- dw: rows of the tile are input channels and kernel points, steps are pixels ---- */

/* Lanes hold output channels. */
static void weight_channels(const job *j, const float *x, const float *y, int64_t count,
                            int64_t rows, float *panels, float *sums, bool add)
{
    int64_t kc = rl_gemm_block(count), pixels = j->len * j->row_pixels;
    for (int64_t o = 0; o < j->out_group; o += j->width)
        rl_kernel_table.gemm->f32->pack(count, min64(j->width, j->out_group - o), j->width,
                                        (const char *)(y + o * j->out_size), 4, j->out_size * 4,
                                        (char *)(panels + o * pixels));
    for (int64_t q = 0; q < count; q += kc)
        for (int64_t o = 0; o < j->out_group; o += j->width) {
            start s = {q > 0 || add ? sums + o : NULL, j->padded * 4, false};
            tiles(j, min64(kc, count - q), (const char *)x, j->row, j->step + q,
                  (const char *)(panels + o * pixels), (char *)(sums + o), j->padded * 4, s, rows,
                  min64(j->width, j->out_group - o));
        }
}

/* Lanes hold neighbouring pixels. */
static void weight_pixels(const job *j, const float *x, const float *y, int64_t count, int64_t rows,
                          float *sums)
{
    int64_t row = row_length(j, count), lds = j->channels * j->points * RL_CONV_DOT_LANES;
    for (int64_t o = 0, m; o < j->out_group; o += m) {
        m = min64(j->k->dot_rows, j->out_group - o);
        for (int64_t r = 0; r < rows; r += j->k->dot_places)
            j->k->dot[m - 1](count / row, j->line, row, (const char *)(y + o * j->out_size),
                             j->out_size * 4, (const char *)x, j->row + r,
                             (char *)(sums + o * lds + r * RL_CONV_DOT_LANES), lds * 4,
                             min64(j->k->dot_places, rows - r));
    }
}

/* The sum of a dot's lanes, by halves. */
static float add_lanes(float *x)
{
    for (int half = RL_CONV_DOT_LANES / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++)
            x[l] += x[l + half];
    return x[0];
}

static void weight_unit(job *j, int64_t u, float *region, float *sums, float *panels)
{
    const rl_conv *v = &j->v;
    int64_t c = u % j->channel_blocks * j->channels, group = u / j->channel_blocks % v->groups;
    int64_t chunk = u / j->channel_blocks / v->groups;
    int64_t channels = min64(j->channels, j->in_group - c), rows = channels * j->points;
    int64_t last = min64((chunk + 1) * j->chunk, v->batch);
    int64_t lanes = j->channels * j->points * RL_CONV_DOT_LANES;
    bool add = false;
    if (!j->by_channel)
        memset(sums, 0, (size_t)(j->out_group * lanes) * sizeof *sums);
    for (int64_t block = 0; block < j->blocks; block++)
        for (int64_t sample = chunk * j->chunk; sample < last; sample++, add = true) {
            int64_t count = block_pixels(j, block);
            const float *x = j->x + (sample * v->in_ch + group * j->in_group + c) * j->in_size;
            const float *y = j->y + (sample * v->out_ch + group * j->out_group) * j->out_size +
                             block * j->len * j->row_pixels;
            const float *from = region_of(j, x, channels, block, region);
            if (j->by_channel)
                weight_channels(j, from, y, count, rows, panels, sums, add);
            else
                weight_pixels(j, from, y, count, rows, sums);
        }
    int64_t steps = j->in_group * j->points;
    float *w = j->result + (chunk * v->out_ch + group * j->out_group) * steps + c * j->points;
    if (j->by_channel) {
        turn(sums, j->padded, rows, j->out_group, w, steps);
        return;
    }
    for (int64_t o = 0; o < j->out_group; o++)
        for (int64_t r = 0; r < rows; r++)
            w[o * steps + r] = add_lanes(sums + o * lanes + r * RL_CONV_DOT_LANES);
}

static void weight_units(int64_t begin, int64_t end, void *context)
{
    job *j = context;
    int64_t panels = j->by_channel ? j->len * j->row_pixels * j->padded : 0;
    int64_t sums =
        j->channels * j->points * (j->by_channel ? j->padded : j->out_group * RL_CONV_DOT_LANES);
    size_t bytes;
    float *scratch = new_scratch(j, sums + panels, &bytes), *after = scratch + region_room(j);
    if (!scratch)
        return;
    for (int64_t u = begin; u < end; u++)
        weight_unit(j, u, scratch, after, after + sums);
    rl_free(scratch, bytes);
}

rl_status rl_conv_direct_weight(const rl_conv *v, const float *x, const float *y, int64_t chunk,
                                float *sums)
{
    job j;
    set_up(&j, v);
    set_panels(&j);
    j.by_channel = lanes_used(v->out[2], RL_CONV_DOT_LANES) <
                   1.25 * lanes_used(j.out_group, RL_CONV_DOT_LANES);
    if (!j.by_channel)
        split_columns(&j);
    j.x = x;
    j.y = y;
    j.result = sums;
    j.chunk = chunk;
    j.chunks = ceil_div(v->batch, chunk);
    j.channels = min64(j.in_group, ROW_CHANNELS / j.points > 0 ? ROW_CHANNELS / j.points : 1);
    j.channel_blocks = ceil_div(j.in_group, j.channels);
    int64_t pixels = j.by_channel ? j.len * j.row_pixels : 0, rows = j.channels * j.points;
    rl_status status = new_lists(&j, pixels, rows, 0);
    if (status)
        return status;
    for (int64_t q = 0; q < pixels; q++)
        j.step[q] = (rl_conv_step){pixel_place(&j, q), q * j.width * 4};
    for (int64_t r = 0; r < rows; r++) {
        int64_t p = r % j.points, k2 = p % v->kernel[2], k1 = p / v->kernel[2] % v->kernel[1];
        int64_t k[3] = {p / v->kernel[2] / v->kernel[1], k1, k2};
        j.row[r] = point_place(&j, r / j.points, k);
    }
    int64_t units = j.chunks * v->groups * j.channel_blocks;
    rl_parallel_for(units, grain(&j, units), weight_units, &j);
    status = outcome(&j);
    rl_free(j.lists, j.lists_bytes);
    return status;
}
