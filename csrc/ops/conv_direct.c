/* conv_direct.c: float32 convolutions without unfolding, and the gradient of their input: the tiles
 * of kernels/conv.h find the elements of the input by lists of places. */
#include "ops/conv_blocks.h"

enum {
    TURN_STEPS = 6,     /* what it costs to turn over a vector of sums, in steps; */
    COPY_STEPS = 16,    /* to split one of input columns */
    ALIASED = 512,      /* elements after which the cache's sets begin again, or half of them */
    MOST_PHASES = 8,    /* of the input under strides, where GEMM would be faster */
    PLACE_GRAIN = 65536 /* elements to be copied for which a thread is woken */
};

/* ---- y = x * w ---- */

/* Steps per kernel point along the axis. */
static int64_t steps_along(const rl_conv_job *j)
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
static int64_t same_until(const rl_conv_range *seen, int64_t i, int64_t n)
{
    int64_t end = i + 1;
    while (end < n && seen[end].from == seen[i].from && seen[end].to == seen[i].to)
        end++;
    return end;
}

static part part_of(rl_conv_range seen, int64_t p, int64_t end)
{
    if (seen.from >= seen.to) /* the border alone */
        return (part){p, p, p == 0};
    int64_t from = seen.from > p ? seen.from : p;
    return (part){from, rl_min64(seen.to, end), from == seen.from};
}

/* Lanes hold neighbouring pixels of a row, in one or two vectors of any two places: rows of the
 * tile are `m` output channels from o on.  Lines [i, end) of the block see the same steps. */
static void pixel_tiles(const rl_conv_job *j, const float *region, const char *w, int64_t o,
                        int64_t m, part t, int64_t i, int64_t end, int64_t row, const float *bias,
                        float *y)
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
            v.n[count] = rl_min64(row - q, lanes);
            q += lanes;
            if (q >= row)
                q = 0, i++;
        }
        v.b = count > 1 ? from[1] - from[0] : 0;
        v.c = count > 1 ? to[1] - to[0] : 0;
        v.s = t.first ? 0 : v.c;
        v.start = t.first ? (const char *)bias : to[0];
        v.next = !v.start ? 0 : t.first ? lanes * 4 : ldc;
        j->k->tile[count - 1][(m - 1) / 2](t.to - t.from, w, j->row + o, j->step + t.from, from[0],
                                           to[0], ldc, m, &v);
    }
}

/* The same for the one output channel of a group, from a copy. */
static void pixel_rows(const rl_conv_job *j, const float *region, const char *w, part t, int64_t i,
                       int64_t end, int64_t row, const float *bias, float *y)
{
    rl_conv_pixels at[RL_CONV_VECTORS];
    for (int64_t q = 0; i < end;) {
        int64_t m = 0;
        for (; m < RL_CONV_VECTORS && i < end; m++) {
            at[m] = (rl_conv_pixels){j->line[i] + q * 4, (i * row + q) * 4,
                                     rl_min64(row - q, j->k->lanes)};
            q += j->k->lanes;
            if (q >= row)
                q = 0, i++;
        }
        j->k->row(t.to - t.from, w, j->step + t.from, (const char *)region, (char *)y, at, m,
                  (const char *)bias, !t.first);
    }
}

static void pixels_in_lanes(const rl_conv_job *j, const float *region, int64_t group, int64_t block,
                            float *y)
{
    int64_t steps = j->in_group * j->points, kc = rl_gemm_block(steps);
    int64_t count = rl_conv_block_pixels(j, block), row = rl_conv_row_length(j, count);
    int64_t along = j->axis < 2 ? count / j->row_pixels : 1, lines = count / row / along;
    const rl_conv_range *seen = j->seen + block * j->len;
    const char *w = (const char *)(j->w.w + group * j->w.group);
    const float *b = j->b ? j->panels + group * j->out_group * j->k->lanes : NULL;
    rl_conv_cut all = rl_conv_cut_rows(j->out_group, j->k->rows[1]);
    for (int64_t p = 0; p < steps; p += kc)
        for (int64_t o = 0, m, t = 0; t < all.count; t++, o += m) {
            m = rl_conv_cut_height(all, t, j->out_group - o);
            for (int64_t i = 0, end; i < along; i = end) {
                end = same_until(seen, i, along);
                part s = part_of(seen[i], p, p + kc);
                if (s.from >= s.to && !s.first)
                    continue;
                if (j->out_group == 1 && j->copy)
                    pixel_rows(j, region, w, s, i * lines, end * lines, row, b, y);
                else
                    pixel_tiles(j, region, w, o, m, s, i * lines, end * lines, row,
                                b ? b + o * j->k->lanes : NULL, y);
            }
        }
}

/* Lanes hold output channels: rows of the tile are pixels, and the sums (pixels, padded) are turned
 * over at the end. */
static void channels_in_lanes(const rl_conv_job *j, const float *region, int64_t group,
                              int64_t block, float *sums, float *y)
{
    int64_t steps = j->in_group * j->points, kc = rl_gemm_block(steps);
    int64_t room = j->in_group * j->w.points, count = rl_conv_block_pixels(j, block);
    const float *panels = j->panels + group * j->padded * room;
    const float *b = j->b ? j->b + group * j->out_group : NULL;
    const rl_conv_range *seen = j->seen + block * j->len;
    int64_t along = j->axis < 2 ? count / j->row_pixels : 1, pixels = count / along;
    for (int64_t p = 0; p < steps; p += kc)
        for (int64_t o = 0; o < j->out_group; o += j->width)
            for (int64_t i = 0, end; i < along; i = end) { /* those that see the same go together */
                end = same_until(seen, i, along);
                part t = part_of(seen[i], p, p + kc);
                if (t.from >= t.to && !t.first)
                    continue;
                float *c = sums + i * pixels * j->padded + o;
                rl_conv_start s = t.first ? (rl_conv_start){b ? b + o : NULL, 0}
                                          : (rl_conv_start){c, j->padded * 4};
                rl_conv_tiles(j, t.to - t.from, (const char *)region, j->row + i * pixels,
                              j->step + t.from, (const char *)(panels + o * room), (char *)c,
                              j->padded * 4, s, (end - i) * pixels,
                              rl_min64(j->width, j->out_group - o));
            }
    rl_conv_turn(sums, j->padded, count, j->out_group, y, j->out_size);
}

static void output_units(int64_t begin, int64_t end, void *context)
{
    rl_conv_job *j = context;
    size_t bytes;
    float *scratch =
        rl_conv_scratch(j, j->by_channel ? j->len * j->row_pixels * j->padded : 0, &bytes);
    if (!scratch)
        return;
    for (int64_t u = begin; u < end; u++) {
        int64_t block = u % j->blocks, group = u / j->blocks % j->v.groups;
        int64_t sample = u / j->blocks / j->v.groups;
        const float *x = j->x + (sample * j->v.in_ch + group * j->in_group) * j->in_size;
        const float *region = rl_conv_region(j, x, j->in_group, block, scratch);
        float *y = j->result + (sample * j->v.out_ch + group * j->out_group) * j->out_size +
                   block * j->len * j->row_pixels;
        if (j->by_channel)
            channels_in_lanes(j, region, group, block, scratch + rl_conv_region_room(j), y);
        else
            pixels_in_lanes(j, region, group, block, y);
    }
    rl_free(scratch, bytes);
}

/* Steps, in order: kernel points along the axis, channels, the other kernel points. */
static void list_steps(rl_conv_job *j)
{
    const rl_conv_weights *w = &j->w;
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
                        ptrdiff_t x = rl_conv_point_place(j, c, k), at = 0;
                        for (int d = 0; d < 3; d++)
                            at = at * w->size[d] + w->first[d] + k[d] * w->step[d];
                        if (j->by_channel)
                            j->step[p++] = (rl_conv_step){x, (c * w->points + at) * j->width * 4};
                        else
                            j->step[p++] = (rl_conv_step){(c * w->in + at) * 4, x};
                    }
}

/* Which steps the outputs along the axis see. */
static void list_seen(rl_conv_job *j)
{
    const rl_conv *v = &j->v;
    int d = j->axis;
    int64_t each = steps_along(j);
    for (int64_t o = 0; o < v->out[d]; o++) {
        int64_t at = o * v->stride[d] - v->pad[d], last = v->in[d] - 1 - at;
        rl_conv_range r = {0, 1};
        if (d < 2) {
            r.from = at < 0 ? rl_ceil_div(-at, v->dilation[d]) : 0;
            r.to = last < 0 ? 0 : rl_min64(last / v->dilation[d] + 1, v->kernel[d]);
        }
        j->seen[o] = (rl_conv_range){r.from * each, r.to * each};
    }
}

static rl_status list_output(rl_conv_job *j)
{
    const rl_conv_weights *w = &j->w;
    int64_t steps = j->in_group * j->points, pixels = j->len * j->row_pixels;
    int64_t room = j->in_group * w->points;
    int64_t lanes = j->k->lanes, biases = j->b ? j->v.out_ch * lanes : 0;
    if (rl_conv_new_lists(j, steps, j->by_channel ? pixels : j->out_group,
                          j->by_channel ? j->v.groups * j->padded * room : biases))
        return RL_EMEMORY;
    list_steps(j);
    list_seen(j);
    if (!j->by_channel) {
        for (int64_t o = 0; o < j->out_group; o++)
            j->row[o] = o * w->out * 4;
        for (int64_t i = 0; i < biases; i++)
            j->panels[i] = j->b[i / lanes];
        return RL_OK;
    }
    for (int64_t q = 0; q < pixels; q++)
        j->row[q] = rl_conv_pixel_place(j, q);
    bool together = w->in == w->points;
    int64_t k = together ? room : w->points;
    for (int64_t g = 0; g < j->v.groups; g++)
        for (int64_t o = 0; o < j->out_group; o += j->width)
            for (int64_t c = 0; c < (together ? 1 : j->in_group); c++)
                rl_kernel_table.gemm->f32->pack(
                    k, rl_min64(j->width, j->out_group - o), j->width,
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
        if (v->kernel[d] != 1 || v->stride[d] != 1 || v->pad[d] != 0 || v->in[d] != v->out[d])
            return *v;
        n *= v->in[d];
        f.in[d] = f.out[d] = 1;
    }
    f.in[2] = f.out[2] = n;
    return f;
}

/* Where channels lie a multiple of the cache's ways apart: a copy that does not. */
static void spread_channels(rl_conv_job *j)
{
    if (j->axis < 2 || j->copy)
        return;
    rl_conv_copy_regions(j);
    j->half = j->region[2] += RL_CONV_SLACK / 2;
}

static rl_status convolve(const rl_conv *given, const float *x, const rl_conv_weights *w,
                          const float *b, float *y)
{
    rl_conv_job j;
    rl_conv flat = flattened(given), *v = &flat;
    rl_conv_set_up(&j, v);
    rl_conv_set_panels(&j);
    double steps = (double)(j.in_group * j.points), copies = 0;
    if (v->stride[2] > 1)
        copies =
            (double)(COPY_STEPS * j.in_group * v->stride[1] * v->stride[2]) / (double)j.out_group;
    j.by_channel = steps / rl_conv_lanes_used(v->out[2], j.k->lanes) + copies >
                   (steps + TURN_STEPS) / rl_conv_lanes_used(j.out_group, j.k->lanes);
    if (!j.by_channel)
        rl_conv_split_columns(&j);
    if (!j.by_channel && j.out_group == 1 && j.points > 1)
        rl_conv_copy_regions(&j);
    if (!j.copy && j.out_group > 4 * RL_CONV_ROWS && j.in_size % ALIASED == 0)
        spread_channels(&j);
    j.x = x;
    j.w = *w;
    j.b = b;
    j.result = y;
    rl_status status = list_output(&j);
    if (!status) {
        int64_t units = v->batch * v->groups * j.blocks;
        rl_parallel_for(units, rl_conv_grain(&j, units), output_units, &j);
        status = rl_conv_outcome(&j);
        rl_free(j.lists, j.lists_bytes);
    }
    return status;
}

rl_status rl_conv_direct_output(const rl_conv *v, const float *x, const float *w, const float *b,
                                float *y)
{
    int64_t points = v->kernel[0] * v->kernel[1] * v->kernel[2], in = v->in_ch / v->groups;
    rl_conv_weights t = {
        .w = w, .in = points, .out = in * points, .points = points, .step = {1, 1, 1}};
    t.group = v->out_ch / v->groups * t.out;
    memcpy(t.size, v->kernel, sizeof t.size);
    return convolve(v, x, &t, b, y);
}

/* ---- dx: the convolution of dy by the turned kernel; under strides, one for each remainder of the
 * input's place by them, with the kernel points that meet it ---- */

/* Along dim d, the places r, r + stride, ... of the input: the geometry t and the weights' part.
 * False: no kernel point meets them.  A point k meets place i if i + pad - k dilation is a multiple
 * p stride of the stride, and then there y[p] has a part. */
static bool phase_along(const rl_conv *v, int d, int64_t r, rl_conv *t, rl_conv_weights *w)
{
    int64_t s = v->stride[d], by = v->dilation[d], first = 0, apart = 1;
    while (first < v->kernel[d] && (r + v->pad[d] - first * by) % s)
        first++;
    while (apart < v->kernel[d] && apart * by % s)
        apart++;
    int64_t n = first < v->kernel[d] ? (v->kernel[d] - 1 - first) / apart + 1 : 0;
    t->in[d] = v->out[d];
    t->out[d] = r < v->in[d] ? (v->in[d] - r + s - 1) / s : 0;
    t->kernel[d] = n;
    t->stride[d] = 1;
    t->dilation[d] = n > 1 ? apart * by / s : 1;
    t->pad[d] = (n - 1) * t->dilation[d] - (r + v->pad[d] - first * by) / s;
    w->size[d] = v->kernel[d];
    w->first[d] = first + (n - 1) * apart;
    w->step[d] = -apart;
    return n > 0;
}

/* The phases of one row of the input: places by stride[2] of x's rows r[0], r[1] (mod strides). */
typedef struct phases {
    const rl_conv *v;
    rl_conv t; /* out[0] and out[1] of them */
    int64_t r[2];
    const float *from; /* for each remainder along the last dim, (batch, channels, out...) */
    float *x;
} phases;

/* y[2 i] = a[i], y[2 i + 1] = b[i] */
static void interleave(float *y, const float *a, const float *b, int64_t n)
{
    int64_t i = 0;
#ifdef __GNUC__
    typedef float four __attribute__((vector_size(16)));
    for (; i + 4 <= n; i += 4) {
        four p, q;
        memcpy(&p, a + i, sizeof p);
        memcpy(&q, b + i, sizeof q);
        four low = __builtin_shufflevector(p, q, 0, 4, 1, 5);
        four high = __builtin_shufflevector(p, q, 2, 6, 3, 7);
        memcpy(y + 2 * i, &low, sizeof low);
        memcpy(y + 2 * i + 4, &high, sizeof high);
    }
#endif
    for (; i < n; i++) {
        y[2 * i] = a[i];
        y[2 * i + 1] = b[i];
    }
}

static void place_phases(int64_t begin, int64_t end, void *context)
{
    const phases *f = context;
    const rl_conv *v = f->v;
    int64_t lines = f->t.out[0] * f->t.out[1], s = v->stride[2], n = v->in[2];
    int64_t all = v->batch * v->in_ch * lines;
    for (int64_t u = begin * lines; u < end * lines; u++) {
        int64_t i0 = f->r[0] + u / f->t.out[1] % f->t.out[0] * v->stride[0];
        int64_t i1 = f->r[1] + u % f->t.out[1] * v->stride[1];
        float *x = f->x + ((u / lines * v->in[0] + i0) * v->in[1] + i1) * n;
        const float *from = f->from;
        for (int64_t r = 0; r < s && r < n; r++) {
            int64_t m = (n - r + s - 1) / s;
            const float *a = from + u * m;
            from += all * m;
            if (s == 1) {
                memcpy(x, a, (size_t)n * sizeof *x);
            } else if (s == 2 && n > 1 && r == 0) { /* both at once */
                interleave(x, a, from + u * (n / 2), n / 2);
                if (n % 2)
                    x[n - 1] = a[m - 1];
                break;
            } else {
                for (int64_t i = 0; i < m; i++)
                    x[r + i * s] = a[i];
            }
        }
    }
}

/* One value for each channel, or zeros. */
static void fill_planes(const rl_conv *t, const float *b, float *x)
{
    int64_t n = t->out[0] * t->out[1] * t->out[2];
    for (int64_t c = 0; c < t->batch * t->out_ch; c++)
        for (int64_t i = 0; i < n; i++)
            *x++ = b ? b[c % t->out_ch] : 0;
}

bool rl_conv_direct_input_fits(const rl_conv *v)
{
    return v->stride[0] <= MOST_PHASES && v->stride[1] <= MOST_PHASES &&
           v->stride[0] * v->stride[1] * v->stride[2] <= MOST_PHASES;
}

rl_status rl_conv_direct_input(const rl_conv *v, const float *y, const float *w, const float *b,
                               float *x)
{
    phases f = {.v = v, .t = *v, .x = x};
    rl_conv *t = &f.t;
    const int64_t *by = v->stride, *size = v->in;
    int64_t points = v->kernel[0] * v->kernel[1] * v->kernel[2], in = v->in_ch / v->groups;
    rl_conv_weights turned = {.w = w, .in = in * points, .out = points, .points = points};
    turned.group = v->out_ch / v->groups * turned.in;
    t->in_ch = v->out_ch;
    t->out_ch = v->in_ch;
    bool whole = by[0] * by[1] * by[2] == 1;
    int64_t lines = ((size[0] + by[0] - 1) / by[0]) * ((size[1] + by[1] - 1) / by[1]);
    size_t bytes = (size_t)(v->batch * v->in_ch * lines * size[2]) * sizeof *x;
    float *room = whole ? x : rl_alloc(bytes);
    if (!room)
        return RL_EMEMORY;
    f.from = room;
    rl_status status = RL_OK;
    for (int64_t r0 = 0; !status && r0 < rl_min64(by[0], size[0]); r0++)
        for (int64_t r1 = 0; !status && r1 < rl_min64(by[1], size[1]); r1++) {
            bool some = phase_along(v, 0, r0, t, &turned);
            some = phase_along(v, 1, r1, t, &turned) && some;
            float *to = room;
            for (int64_t r2 = 0; !status && r2 < rl_min64(by[2], size[2]); r2++) {
                if (phase_along(v, 2, r2, t, &turned) && some)
                    status = convolve(t, y, &turned, b, to);
                else
                    fill_planes(t, b, to);
                to += v->batch * v->in_ch * t->out[0] * t->out[1] * t->out[2];
            }
            f.r[0] = r0;
            f.r[1] = r1;
            int64_t plane = t->out[0] * t->out[1] * size[2];
            if (!whole && !status)
                rl_parallel_for(v->batch * v->in_ch, PLACE_GRAIN / plane + 1, place_phases, &f);
        }
    if (!whole)
        rl_free(room, bytes);
    return status;
}
