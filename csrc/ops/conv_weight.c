/* conv_weight.c: the gradient of a float32 convolution's weight, without unfolding: rows of the
 * tile are input channels and kernel points, steps are pixels. */
#include "ops/conv_blocks.h"

enum {
    ROW_CHANNELS = 256 /* kernel rows about which a unit has */
};

/* Lanes hold output channels. */
static void weight_channels(const rl_conv_job *j, const float *x, const float *y, int64_t count,
                            int64_t rows, float *panels, float *sums, bool add)
{
    int64_t kc = rl_gemm_block(count), pixels = j->len * j->row_pixels;
    for (int64_t o = 0; o < j->out_group; o += j->width)
        rl_kernel_table.gemm->f32->pack(count, rl_min64(j->width, j->out_group - o), j->width,
                                        (const char *)(y + o * j->out_size), 4, j->out_size * 4,
                                        (char *)(panels + o * pixels));
    for (int64_t q = 0; q < count; q += kc)
        for (int64_t o = 0; o < j->out_group; o += j->width) {
            rl_conv_start s = {q > 0 || add ? sums + o : NULL, j->padded * 4};
            rl_conv_tiles(j, rl_min64(kc, count - q), (const char *)x, j->row, j->step + q,
                          (const char *)(panels + o * pixels), (char *)(sums + o), j->padded * 4, s,
                          rows, rl_min64(j->width, j->out_group - o));
        }
}

/* Lanes hold neighbouring pixels. */
static void weight_pixels(const rl_conv_job *j, const float *x, const float *y, int64_t count,
                          int64_t rows, float *sums)
{
    int64_t row = rl_conv_row_length(j, count), lds = j->channels * j->points * RL_CONV_DOT_LANES;
    for (int64_t o = 0, m; o < j->out_group; o += m) {
        m = rl_min64(j->k->dot_rows, j->out_group - o);
        while (!j->k->dot[m - 1])
            m--;
        for (int64_t r = 0; r < rows; r += j->k->dot_places)
            j->k->dot[m - 1](count / row, j->line, row, (const char *)(y + o * j->out_size),
                             j->out_size * 4, (const char *)x, j->row + r,
                             (char *)(sums + o * lds + r * RL_CONV_DOT_LANES), lds * 4,
                             rl_min64(j->k->dot_places, rows - r));
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

static void weight_unit(rl_conv_job *j, int64_t u, float *region, float *sums, float *panels)
{
    const rl_conv *v = &j->v;
    int64_t c = u % j->channel_blocks * j->channels, group = u / j->channel_blocks % v->groups;
    int64_t chunk = u / j->channel_blocks / v->groups;
    int64_t channels = rl_min64(j->channels, j->in_group - c), rows = channels * j->points;
    int64_t last = rl_min64((chunk + 1) * j->chunk, v->batch);
    int64_t lanes = j->channels * j->points * RL_CONV_DOT_LANES;
    bool add = false;
    if (!j->by_channel)
        memset(sums, 0, (size_t)(j->out_group * lanes) * sizeof *sums);
    for (int64_t block = 0; block < j->blocks; block++)
        for (int64_t sample = chunk * j->chunk; sample < last; sample++, add = true) {
            int64_t count = rl_conv_block_pixels(j, block);
            const float *x = j->x + (sample * v->in_ch + group * j->in_group + c) * j->in_size;
            const float *y = j->y + (sample * v->out_ch + group * j->out_group) * j->out_size +
                             block * j->len * j->row_pixels;
            const float *from = rl_conv_region(j, x, channels, block, region);
            if (j->by_channel)
                weight_channels(j, from, y, count, rows, panels, sums, add);
            else
                weight_pixels(j, from, y, count, rows, sums);
        }
    int64_t steps = j->in_group * j->points;
    float *w = j->result + (chunk * v->out_ch + group * j->out_group) * steps + c * j->points;
    if (j->by_channel) {
        rl_conv_turn(sums, j->padded, rows, j->out_group, w, steps);
        return;
    }
    for (int64_t o = 0; o < j->out_group; o++)
        for (int64_t r = 0; r < rows; r++)
            w[o * steps + r] = add_lanes(sums + o * lanes + r * RL_CONV_DOT_LANES);
}

static void weight_units(int64_t begin, int64_t end, void *context)
{
    rl_conv_job *j = context;
    int64_t panels = j->by_channel ? j->len * j->row_pixels * j->padded : 0;
    int64_t sums =
        j->channels * j->points * (j->by_channel ? j->padded : j->out_group * RL_CONV_DOT_LANES);
    size_t bytes;
    float *scratch = rl_conv_scratch(j, sums + panels, &bytes),
          *after = scratch + rl_conv_region_room(j);
    if (!scratch)
        return;
    for (int64_t u = begin; u < end; u++)
        weight_unit(j, u, scratch, after, after + sums);
    rl_free(scratch, bytes);
}

rl_status rl_conv_direct_weight(const rl_conv *v, const float *x, const float *y, int64_t chunk,
                                float *sums)
{
    rl_conv_job j;
    rl_conv_set_up(&j, v);
    rl_conv_set_panels(&j);
    j.by_channel = rl_conv_lanes_used(v->out[2], RL_CONV_DOT_LANES) <
                   1.25 * rl_conv_lanes_used(j.out_group, RL_CONV_DOT_LANES);
    if (!j.by_channel)
        rl_conv_split_columns(&j);
    j.x = x;
    j.y = y;
    j.result = sums;
    j.chunk = chunk;
    j.chunks = rl_ceil_div(v->batch, chunk);
    j.channels = rl_min64(j.in_group, ROW_CHANNELS / j.points > 0 ? ROW_CHANNELS / j.points : 1);
    j.channel_blocks = rl_ceil_div(j.in_group, j.channels);
    int64_t pixels = j.by_channel ? j.len * j.row_pixels : 0, rows = j.channels * j.points;
    rl_status status = rl_conv_new_lists(&j, pixels, rows, 0);
    if (status)
        return status;
    for (int64_t q = 0; q < pixels; q++)
        j.step[q] = (rl_conv_step){rl_conv_pixel_place(&j, q), q * j.width * 4};
    for (int64_t r = 0; r < rows; r++) {
        int64_t p = r % j.points, k2 = p % v->kernel[2], k1 = p / v->kernel[2] % v->kernel[1];
        int64_t k[3] = {p / v->kernel[2] / v->kernel[1], k1, k2};
        j.row[r] = rl_conv_point_place(&j, r / j.points, k);
    }
    int64_t units = j.chunks * v->groups * j.channel_blocks;
    rl_parallel_for(units, rl_conv_grain(&j, units), weight_units, &j);
    status = rl_conv_outcome(&j);
    rl_free(j.lists, j.lists_bytes);
    return status;
}
