/* conv_direct.c: float32 convolutions without unfolding: the tile of kernels/conv.h finds the
 * elements of the input by lists of places.
 *
 * A unit of work is a sample, a group and a block of output pixels (or a chunk of samples, a group
 * and a block of input channels, for the gradient of the weight).  It copies the part of the input
 * that its block needs, with its border of zeros, unless there is no border.
 *
 * Note: order of additions.  An element of the result is, as in GEMM, a sum of chains of
 * rl_gemm_block() steps over channels and kernel points (or over pixels), begun at the bias; the
 * layouts below, which depend on the length of vectors, only say where it is computed. */
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
    BLOCK_PIXELS = 2048, /* about the most of a block */
    ROW_CHANNELS = 256,  /* kernel rows about which a unit of the weight's gradient has */
    SLACK = 32,          /* elements that a masked load may name beyond the end */
    GRAIN_WORK = 1000000 /* multiply-adds for which a thread is woken */
};

typedef struct job {
    rl_conv v;
    const rl_conv_kernels *k;
    const float *x, *w, *b, *y;
    float *result;
    int64_t in_group, out_group, points;
    int64_t in_size, out_size;
    int axis; /* along which blocks are cut: the first dim of the output that is larger than 1 */
    int64_t len, blocks; /* of a block along the axis; blocks */
    int64_t row_pixels;  /* output pixels per step along the axis */
    int64_t region[3];   /* of the input that a block needs; sizes of the copy, or of the input */
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
    float *panels;      /* by_channel: the weights, (group, panel, step, width) */
    atomic_bool failed;
} job;

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }

/* ---- geometry ---- */

static void set_up(job *j, const rl_conv *v)
{
    *j = (job){.v = *v, .k = rl_kernel_table.conv};
    j->in_group = j->channels = v->in_ch / v->groups;
    j->out_group = v->out_ch / v->groups;
    j->points = v->kernel[0] * v->kernel[1] * v->kernel[2];
    j->in_size = v->in[0] * v->in[1] * v->in[2];
    j->out_size = v->out[0] * v->out[1] * v->out[2];
    j->axis = v->out[0] > 1 ? 0 : v->out[1] > 1 ? 1 : 2;
    j->row_pixels = (j->axis == 0 ? v->out[1] : 1) * (j->axis < 2 ? v->out[2] : 1);
    j->len = BLOCK_PIXELS / j->row_pixels;
    j->len = j->len < 1 ? 1 : min64(j->len, v->out[j->axis]);
    j->blocks = ceil_div(v->out[j->axis], j->len);
    for (int d = 0; d < 3; d++) {
        int64_t n = d == j->axis ? j->len : v->out[d];
        int64_t reach = (v->kernel[d] - 1) * v->dilation[d] + 1;
        j->region[d] = (n - 1) * v->stride[d] + reach;
        if (v->pad[d] != 0 || (v->out[d] - 1) * v->stride[d] + reach > v->in[d])
            j->copy = true;
    }
    if (!j->copy)
        memcpy(j->region, v->in, sizeof j->region);
}

static int64_t region_size(const job *j) { return j->region[0] * j->region[1] * j->region[2]; }

/* Place of channel and kernel point p in a region, in bytes. */
static ptrdiff_t point_place(const job *j, int64_t p)
{
    const rl_conv *v = &j->v;
    int64_t c = p / j->points, rest = p % j->points;
    int64_t k2 = rest % v->kernel[2], k1 = rest / v->kernel[2] % v->kernel[1];
    int64_t k0 = rest / v->kernel[2] / v->kernel[1];
    int64_t at = (c * j->region[0] + k0 * v->dilation[0]) * j->region[1] + k1 * v->dilation[1];
    return (at * j->region[2] + k2 * v->dilation[2]) * 4;
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
    int64_t at = o[0] * v->stride[0] * j->region[1] + o[1] * v->stride[1];
    return (at * j->region[2] + o[2] * v->stride[2]) * 4;
}

/* The region of a block over `channels` channels that begin at x: a copy in `to`, or in place. */
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
    if (inside < 0)
        inside = 0;
    for (int64_t c = 0; c < channels; c++)
        for (int64_t a = 0; a < j->region[0]; a++)
            for (int64_t b = 0; b < j->region[1]; b++, to += width) {
                int64_t i0 = from[0] + a, i1 = from[1] + b;
                if (i0 < 0 || i0 >= v->in[0] || i1 < 0 || i1 >= v->in[1] || inside == 0) {
                    memset(to, 0, (size_t)width * 4);
                    continue;
                }
                const float *source = x + ((c * v->in[0] + i0) * v->in[1] + i1) * n + begin;
                for (int64_t i = 0; i < left; i++)
                    to[i] = 0;
                memcpy(to + left, source, (size_t)inside * 4);
                for (int64_t i = left + inside; i < width; i++)
                    to[i] = 0;
            }
    return to - channels * region_size(j);
}

static int64_t block_pixels(const job *j, int64_t block)
{
    return min64(j->len, j->v.out[j->axis] - block * j->len) * j->row_pixels;
}

/* Elements to copy a region into. */
static int64_t region_room(const job *j)
{
    return j->copy ? j->channels * region_size(j) + SLACK : 0;
}

/* ---- one product ---- */

/* m rows of C, each n long, in tiles of as even a height as possible. */
static void tiles(const job *j, int64_t k, const char *a, const ptrdiff_t *row,
                  const rl_conv_step *step, const char *b, char *c, ptrdiff_t ldc, int64_t m,
                  int64_t n, bool add)
{
    int w = n > j->k->lanes;
    int64_t most = j->k->rows[w];
    for (int64_t left = ceil_div(m, most); left > 0; left--) {
        int64_t rows = ceil_div(m, left);
        j->k->tile[w][(rows - 1) / 2](k, a, row, step, b, c, ldc, rows, n, add);
        row += rows;
        c += rows * ldc;
        m -= rows;
    }
}

/* Shares of a vector's lanes that are in use when n elements are computed. */
static double lanes_used(const job *j, int64_t n)
{
    return (double)n / (double)(ceil_div(n, j->k->lanes) * j->k->lanes);
}

static void fail(job *j) { atomic_store_explicit(&j->failed, true, memory_order_relaxed); }

static rl_status outcome(job *j)
{
    if (!atomic_load_explicit(&j->failed, memory_order_relaxed))
        return RL_OK;
    return rl_error(RL_EMEMORY, "convolution: no memory for a block");
}

static rl_status new_lists(job *j, int64_t steps, int64_t rows, int64_t panel_elements)
{
    j->lists_bytes = (size_t)steps * sizeof *j->step + (size_t)rows * sizeof *j->row +
                     (size_t)panel_elements * sizeof(float) + 64;
    j->lists = rl_alloc(j->lists_bytes);
    if (!j->lists)
        return RL_EMEMORY;
    j->step = j->lists;
    j->row = (ptrdiff_t *)(j->step + steps);
    j->panels = (float *)(((uintptr_t)(j->row + rows) + 63) / 64 * 64);
    return RL_OK;
}

/* The width of panels of output channels. */
static void set_panels(job *j)
{
    int64_t lanes = j->k->lanes;
    j->width = j->out_group > lanes ? 2 * lanes : lanes;
    j->padded = ceil_div(j->out_group, j->width) * j->width;
}

static int64_t grain(int64_t units, double work)
{
    double each = work / (double)(units ? units : 1);
    int64_t g = each > GRAIN_WORK ? 1 : (int64_t)(GRAIN_WORK / (each > 1 ? each : 1));
    return g < 1 ? 1 : g;
}

/* ---- y = x * w ---- */

/* Lanes hold neighbouring pixels of a row: rows of the tile are output channels. */
static void pixels_in_lanes(const job *j, const float *region, int64_t group, int64_t count,
                            float *y)
{
    const rl_conv *v = &j->v;
    int64_t steps = j->in_group * j->points, kc = rl_gemm_block(steps);
    int64_t row = min64(v->out[2], count);
    const char *w = (const char *)(j->w + group * j->out_group * steps);
    for (int64_t p = 0; p < steps; p += kc) {
        int64_t k = min64(kc, steps - p);
        for (int64_t q = 0; q < count; q += row) {
            const char *from = (const char *)region + pixel_place(j, q);
            for (int64_t i = 0, n; i < row; i += n) {
                n = min64(row - i, 2 * j->k->lanes);
                tiles(j, k, w, j->row, j->step + p, from + i * 4, (char *)(y + q + i),
                      j->out_size * 4, j->out_group, n, p > 0 || j->b);
            }
        }
    }
}

/* Lanes hold output channels: rows of the tile are pixels, and the sums (pixels, padded) are turned
 * over at the end. */
static void channels_in_lanes(const job *j, const float *region, int64_t group, int64_t count,
                              float *sums, float *y)
{
    int64_t steps = j->in_group * j->points, kc = rl_gemm_block(steps);
    const float *panels = j->panels + group * j->padded * steps;
    const float *b = j->b ? j->b + group * j->out_group : NULL;
    for (int64_t q = 0; b && q < count; q++)
        memcpy(sums + q * j->padded, b, (size_t)j->out_group * sizeof *b);
    for (int64_t p = 0; p < steps; p += kc)
        for (int64_t o = 0; o < j->out_group; o += j->width)
            tiles(j, min64(kc, steps - p), (const char *)region, j->row, j->step + p,
                  (const char *)(panels + o * steps), (char *)(sums + o), j->padded * 4, count,
                  min64(j->width, j->out_group - o), p > 0 || b);
    for (int64_t o = 0; o < j->out_group; o++)
        for (int64_t q = 0; q < count; q++)
            y[o * j->out_size + q] = sums[q * j->padded + o];
}

static void output_units(int64_t begin, int64_t end, void *context)
{
    job *j = context;
    int64_t room = region_room(j);
    int64_t sums = j->by_channel ? j->len * j->row_pixels * j->padded : 0;
    size_t bytes = (size_t)(room + sums) * sizeof(float);
    float *scratch = rl_alloc(bytes);
    if (!scratch) {
        fail(j);
        return;
    }
    for (int64_t u = begin; u < end; u++) {
        int64_t block = u % j->blocks, group = u / j->blocks % j->v.groups;
        int64_t sample = u / j->blocks / j->v.groups, count = block_pixels(j, block);
        const float *x = j->x + (sample * j->v.in_ch + group * j->in_group) * j->in_size;
        const float *region = region_of(j, x, j->in_group, block, scratch);
        float *y = j->result + (sample * j->v.out_ch + group * j->out_group) * j->out_size +
                   block * j->len * j->row_pixels;
        if (j->by_channel) {
            channels_in_lanes(j, region, group, count, scratch + room, y);
            continue;
        }
        for (int64_t o = 0; j->b && o < j->out_group; o++)
            for (int64_t q = 0; q < count; q++)
                y[o * j->out_size + q] = j->b[group * j->out_group + o];
        pixels_in_lanes(j, region, group, count, y);
    }
    rl_free(scratch, bytes);
}

static rl_status list_output(job *j)
{
    int64_t steps = j->in_group * j->points, pixels = j->len * j->row_pixels;
    if (new_lists(j, steps, j->by_channel ? pixels : j->out_group,
                  j->by_channel ? j->v.groups * j->padded * steps : 0))
        return RL_EMEMORY;
    for (int64_t p = 0; p < steps; p++)
        j->step[p] = j->by_channel ? (rl_conv_step){point_place(j, p), p * j->width * 4}
                                   : (rl_conv_step){p * 4, point_place(j, p)};
    if (!j->by_channel) {
        for (int64_t o = 0; o < j->out_group; o++)
            j->row[o] = o * steps * 4;
        return RL_OK;
    }
    for (int64_t q = 0; q < pixels; q++)
        j->row[q] = pixel_place(j, q);
    for (int64_t g = 0; g < j->v.groups; g++)
        for (int64_t o = 0; o < j->out_group; o += j->width)
            rl_kernel_table.gemm->f32->pack(steps, min64(j->width, j->out_group - o), j->width,
                                            (const char *)(j->w + (g * j->out_group + o) * steps),
                                            4, steps * 4,
                                            (char *)(j->panels + (g * j->padded + o) * steps));
    return RL_OK;
}

rl_status rl_conv_direct_output(const rl_conv *v, const float *x, const float *w, const float *b,
                                float *y)
{
    job j;
    set_up(&j, v);
    set_panels(&j);
    /* Without a copy, a masked load may name what lies beyond the input, but reads none of it. */
    double by_pixel = v->stride[2] == 1 ? lanes_used(&j, v->out[2]) : 0;
    j.by_channel = by_pixel < lanes_used(&j, j.out_group);
    j.x = x;
    j.w = w;
    j.b = b;
    j.result = y;
    rl_status status = list_output(&j);
    if (!status) {
        int64_t units = v->batch * v->groups * j.blocks;
        double work = (double)v->batch * (double)v->out_ch * (double)j.out_size *
                      (double)(j.in_group * j.points);
        rl_parallel_for(units, grain(units, work), output_units, &j);
        status = outcome(&j);
        rl_free(j.lists, j.lists_bytes);
    }
    return status;
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
    t.in_ch = v->out_ch;
    t.out_ch = v->in_ch;
    for (int d = 0; d < 3; d++) {
        t.in[d] = v->out[d];
        t.out[d] = v->in[d];
        t.pad[d] = (v->kernel[d] - 1) * v->dilation[d] - v->pad[d];
    }
    int64_t in = v->in_ch / v->groups, out = v->out_ch / v->groups;
    int64_t points = v->kernel[0] * v->kernel[1] * v->kernel[2];
    size_t bytes = (size_t)(v->out_ch * in * points) * sizeof(float);
    float *turned = rl_alloc(bytes);
    if (!turned)
        return RL_EMEMORY;
    float *to = turned;
    for (int64_t g = 0; g < v->groups; g++)
        for (int64_t c = 0; c < in; c++)
            for (int64_t o = 0; o < out; o++) {
                const float *from = w + ((g * out + o) * in + c) * points;
                for (int64_t p = points - 1; p >= 0; p--)
                    *to++ = from[p];
            }
    rl_status status = rl_conv_direct_output(&t, y, turned, b, x);
    rl_free(turned, bytes);
    return status;
}

/* ---- dw: lanes hold output channels, rows of the tile are input channels and kernel points, steps
 * are pixels ---- */

static void weight_unit(job *j, int64_t u, float *region, float *panels, float *sums)
{
    const rl_conv *v = &j->v;
    int64_t c = u % j->channel_blocks * j->channels, group = u / j->channel_blocks % v->groups;
    int64_t chunk = u / j->channel_blocks / v->groups;
    int64_t channels = min64(j->channels, j->in_group - c), rows = channels * j->points;
    int64_t last = min64((chunk + 1) * j->chunk, v->batch), pixels = j->len * j->row_pixels;
    bool add = false;
    for (int64_t block = 0; block < j->blocks; block++) {
        int64_t count = block_pixels(j, block), kc = rl_gemm_block(count);
        for (int64_t sample = chunk * j->chunk; sample < last; sample++) {
            const float *x = j->x + (sample * v->in_ch + group * j->in_group + c) * j->in_size;
            const float *y = j->y + (sample * v->out_ch + group * j->out_group) * j->out_size +
                             block * j->len * j->row_pixels;
            const char *from = (const char *)region_of(j, x, channels, block, region);
            for (int64_t o = 0; o < j->out_group; o += j->width)
                rl_kernel_table.gemm->f32->pack(count, min64(j->width, j->out_group - o), j->width,
                                                (const char *)(y + o * j->out_size), 4,
                                                j->out_size * 4, (char *)(panels + o * pixels));
            for (int64_t q = 0; q < count; q += kc) {
                for (int64_t o = 0; o < j->out_group; o += j->width)
                    tiles(j, min64(kc, count - q), from, j->row, j->step + q,
                          (const char *)(panels + o * pixels), (char *)(sums + o), j->padded * 4,
                          rows, min64(j->width, j->out_group - o), add);
                add = true;
            }
        }
    }
    int64_t steps = j->in_group * j->points;
    float *w = j->result + (chunk * v->out_ch + group * j->out_group) * steps + c * j->points;
    for (int64_t o = 0; o < j->out_group; o++)
        for (int64_t r = 0; r < rows; r++)
            w[o * steps + r] = sums[r * j->padded + o];
}

static void weight_units(int64_t begin, int64_t end, void *context)
{
    job *j = context;
    int64_t room = region_room(j), panels = j->len * j->row_pixels * j->padded;
    int64_t sums = j->channels * j->points * j->padded;
    size_t bytes = (size_t)(room + panels + sums) * sizeof(float);
    float *scratch = rl_alloc(bytes);
    if (!scratch) {
        fail(j);
        return;
    }
    for (int64_t u = begin; u < end; u++)
        weight_unit(j, u, scratch, scratch + room, scratch + room + panels);
    rl_free(scratch, bytes);
}

rl_status rl_conv_direct_weight(const rl_conv *v, const float *x, const float *y, int64_t chunk,
                                float *sums)
{
    job j;
    set_up(&j, v);
    set_panels(&j);
    j.x = x;
    j.y = y;
    j.result = sums;
    j.chunk = chunk;
    j.chunks = ceil_div(v->batch, chunk);
    j.channels = min64(j.in_group, ROW_CHANNELS / j.points > 0 ? ROW_CHANNELS / j.points : 1);
    j.channel_blocks = ceil_div(j.in_group, j.channels);
    int64_t pixels = j.len * j.row_pixels, rows = j.channels * j.points;
    rl_status status = new_lists(&j, pixels, rows, 0);
    if (status)
        return status;
    for (int64_t q = 0; q < pixels; q++)
        j.step[q] = (rl_conv_step){pixel_place(&j, q), q * j.width * 4};
    for (int64_t r = 0; r < rows; r++)
        j.row[r] = point_place(&j, r);
    int64_t units = j.chunks * v->groups * j.channel_blocks;
    double work =
        (double)v->batch * (double)v->out_ch * (double)j.out_size * (double)(j.in_group * j.points);
    rl_parallel_for(units, grain(units, work), weight_units, &j);
    status = outcome(&j);
    rl_free(j.lists, j.lists_bytes);
    return status;
}
