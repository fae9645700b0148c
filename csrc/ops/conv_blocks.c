/* conv_blocks.c: units of work, copies of the input and products of tiles; see conv_blocks.h. */
#include "ops/conv_blocks.h"

enum {
    BLOCK_PIXELS = 2048, /* about the most of a block, and the least */
    LEAST_PIXELS = 196,
    BLOCK_ELEMENTS = 65536, /* of its channels, in or out, where that leaves enough pixels */
    GRAIN_WORK = 1000000    /* multiply-adds for which a thread is woken */
};

/* ---- geometry ---- */

void rl_conv_set_up(rl_conv_job *j, const rl_conv *v)
{
    *j = (rl_conv_job){.v = *v, .k = rl_kernel_table.conv, .split = 1};
    j->in_group = j->channels = v->in_ch / v->groups;
    j->out_group = v->out_ch / v->groups;
    j->points = v->kernel[0] * v->kernel[1] * v->kernel[2];
    j->in_size = v->in[0] * v->in[1] * v->in[2];
    j->out_size = v->out[0] * v->out[1] * v->out[2];
    j->axis = v->out[0] > 1 ? 0 : v->out[1] > 1 ? 1 : 2;
    j->row_pixels = (j->axis == 0 ? v->out[1] : 1) * (j->axis < 2 ? v->out[2] : 1);
    int64_t wide = j->in_group > j->out_group ? j->in_group : j->out_group;
    int64_t pixels = rl_min64(BLOCK_PIXELS, BLOCK_ELEMENTS / wide);
    j->len = (pixels > LEAST_PIXELS ? pixels : LEAST_PIXELS) / j->row_pixels;
    j->len = j->len < 1 ? 1 : rl_min64(j->len, v->out[j->axis]);
    j->blocks = rl_ceil_div(v->out[j->axis], j->len);
    j->len = rl_ceil_div(v->out[j->axis], j->blocks); /* as even as possible */
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

void rl_conv_copy_regions(rl_conv_job *j)
{
    const rl_conv *v = &j->v;
    if (j->copy)
        return;
    for (int d = 0; d < 3; d++)
        j->region[d] = ((d == j->axis ? j->len : v->out[d]) - 1) * v->stride[d] +
                       (v->kernel[d] - 1) * v->dilation[d] + 1;
    j->copy = true;
    j->half = j->region[2];
}

/* For lanes that hold neighbouring pixels under a stride: the columns that they read lie side by
 * side. */
void rl_conv_split_columns(rl_conv_job *j)
{
    j->split = j->v.stride[2];
    if (j->split == 1)
        return;
    rl_conv_copy_regions(j);
    j->half = rl_ceil_div(j->region[2], j->split);
    j->region[2] = j->split * j->half;
}

/* Place in a region, in bytes; sums of coordinates have sums of places if all but one are multiples
 * of the stride. */
static ptrdiff_t place_of(const rl_conv_job *j, int64_t c, int64_t i0, int64_t i1, int64_t i2)
{
    int64_t column = i2 % j->split * j->half + i2 / j->split;
    return (((c * j->region[0] + i0) * j->region[1] + i1) * j->region[2] + column) * 4;
}

/* That of channel c and kernel point k. */
ptrdiff_t rl_conv_point_place(const rl_conv_job *j, int64_t c, const int64_t k[3])
{
    const int64_t *by = j->v.dilation;
    return place_of(j, c, k[0] * by[0], k[1] * by[1], k[2] * by[2]);
}

/* That of pixel q of a block. */
ptrdiff_t rl_conv_pixel_place(const rl_conv_job *j, int64_t q)
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
static void split_row(const rl_conv_job *j, float *to, const float *from, int64_t left, int64_t n)
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
const float *rl_conv_region(const rl_conv_job *j, const float *x, int64_t channels, int64_t block,
                            float *to)
{
    const rl_conv *v = &j->v;
    int64_t from[3];
    for (int d = 0; d < 3; d++)
        from[d] = (d == j->axis ? block * j->len * v->stride[d] : 0) - v->pad[d];
    if (!j->copy)
        return x + (from[0] * v->in[1] + from[1]) * v->in[2] + from[2];
    int64_t width = j->region[2], n = v->in[2];
    int64_t left = from[2] < 0 ? rl_min64(-from[2], width) : 0;
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
    return to - channels * rl_conv_region_size(j);
}

/* A unit's memory: a region and `more` elements; NULL notes that there was none. */
float *rl_conv_scratch(rl_conv_job *j, int64_t more, size_t *bytes)
{
    int64_t room = rl_conv_region_room(j);
    *bytes = (size_t)(room + more) * sizeof(float);
    float *scratch = rl_alloc(*bytes);
    if (!scratch)
        atomic_store_explicit(&j->failed, true, memory_order_relaxed);
    else if (j->copy && j->blocks == 1)
        memset(scratch, 0, (size_t)room * sizeof(float));
    return scratch;
}

/* ---- one product ---- */

/* m rows of C, each n long, at most two vectors. */
void rl_conv_tiles(const rl_conv_job *j, int64_t k, const char *a, const ptrdiff_t *row,
                   const rl_conv_step *step, const char *b, char *c, ptrdiff_t ldc, rl_conv_start s,
                   int64_t m, int64_t n)
{
    int64_t lanes = j->k->lanes;
    int w = n > lanes;
    rl_conv_lanes v = {.n = {w ? lanes : n, n - lanes}, .start = s.at};
    v.b = v.c = v.s = lanes * 4;
    v.next = s.at ? s.next : 0;
    rl_conv_cut all = rl_conv_cut_rows(m, j->k->rows[w]);
    for (int64_t t = 0; t < all.count; t++) {
        int64_t rows = rl_conv_cut_height(all, t, m);
        j->k->tile[w][(rows - 1) / 2](k, a, row, step, b, c, ldc, rows, &v);
        row += rows;
        c += rows * ldc;
        v.start += rows * v.next;
        m -= rows;
    }
}

/* y[i][r] = x[r][i] for r < rows, i < columns. */
void rl_conv_turn(const float *x, int64_t ldx, int64_t rows, int64_t columns, float *y, int64_t ldy)
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

rl_status rl_conv_outcome(rl_conv_job *j)
{
    if (!atomic_load_explicit(&j->failed, memory_order_relaxed))
        return RL_OK;
    return rl_error(RL_EMEMORY, "convolution: no memory for a block");
}

rl_status rl_conv_new_lists(rl_conv_job *j, int64_t steps, int64_t rows, int64_t panel_elements)
{
    int64_t lines =
        rl_ceil_div(j->len * j->row_pixels, rl_conv_row_length(j, j->len * j->row_pixels));
    int64_t along = j->v.out[j->axis];
    j->lists_bytes = (size_t)steps * sizeof *j->step + (size_t)along * sizeof *j->seen +
                     (size_t)(rows + lines) * sizeof *j->row +
                     (size_t)panel_elements * sizeof(float) + 64;
    j->lists = rl_alloc(j->lists_bytes);
    if (!j->lists)
        return RL_EMEMORY;
    j->step = j->lists;
    j->seen = (rl_conv_range *)(j->step + steps);
    j->row = (ptrdiff_t *)(j->seen + along);
    j->line = j->row + rows;
    j->panels = (float *)(((uintptr_t)(j->line + lines) + 63) / 64 * 64);
    for (int64_t i = 0; i < lines; i++)
        j->line[i] = rl_conv_pixel_place(j, i * j->v.out[2]);
    return RL_OK;
}

/* The width of panels of output channels. */
void rl_conv_set_panels(rl_conv_job *j)
{
    int64_t lanes = j->k->lanes;
    j->width = j->out_group > lanes ? 2 * lanes : lanes;
    j->padded = rl_ceil_div(j->out_group, j->width) * j->width;
}

int64_t rl_conv_grain(const rl_conv_job *j, int64_t units)
{
    const rl_conv *v = &j->v;
    double work = (double)v->batch * (double)v->out_ch * (double)j->out_size *
                  (double)(j->in_group * j->points);
    double each = work / (double)(units ? units : 1);
    int64_t g = each > GRAIN_WORK ? 1 : (int64_t)(GRAIN_WORK / (each > 1 ? each : 1));
    return g < 1 ? 1 : g;
}
