/* conv_blocks.h: what the float32 convolutions without unfolding share (conv_direct.c,
 * conv_weight.c): their units of work, copies of the input and products of tiles.
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
#ifndef RL_OPS_CONV_BLOCKS_H
#define RL_OPS_CONV_BLOCKS_H

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
    RL_CONV_SLACK = 32 /* elements of a region that a masked load may name beyond the end */
};

/* Where the weights of a convolution lie: elements between groups, output and input channels; its
 * kernel point k is the weights' first + k step, of `size` along each dim. */
typedef struct rl_conv_weights {
    const float *w;
    int64_t group, out, in, points;
    int64_t first[3], step[3], size[3];
} rl_conv_weights;

/* Steps of a chain. */
typedef struct rl_conv_range {
    int64_t from, to;
} rl_conv_range;

typedef struct rl_conv_job {
    rl_conv v;
    const rl_conv_kernels *k;
    const float *x, *b, *y;
    rl_conv_weights w;
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
    rl_conv_step *step;  /* over channels and kernel points, or pixels */
    ptrdiff_t *row;      /* of pixels, of output channels, or of channels and kernel points */
    ptrdiff_t *line;     /* of rows of pixels */
    rl_conv_range *seen; /* by output pixels along the axis: the steps that fall inside the input */
    float *panels;       /* by_channel: the weights, (group, panel, step, width); else biases,
                          * each once per lane */
    atomic_bool failed;
} rl_conv_job;

static inline int64_t rl_ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static inline int64_t rl_min64(int64_t a, int64_t b) { return a < b ? a : b; }

/* ---- geometry ---- */

/* The job of a geometry: sizes, blocks, and the region that one needs. */
void rl_conv_set_up(rl_conv_job *j, const rl_conv *v);

/* For lanes that hold neighbouring pixels under a stride: the columns that they read lie side by
 * side. */
void rl_conv_split_columns(rl_conv_job *j);

/* Regions are copied, whatever the border. */
void rl_conv_copy_regions(rl_conv_job *j);

/* Place in a region, in bytes, of channel c and kernel point k. */
ptrdiff_t rl_conv_point_place(const rl_conv_job *j, int64_t c, const int64_t k[3]);

/* That of pixel q of a block. */
ptrdiff_t rl_conv_pixel_place(const rl_conv_job *j, int64_t q);

/* The region of a block over `channels` channels that begin at x: a copy in `to`, or in place.
 * Where there is but one block, the border in `to` is zero already. */
const float *rl_conv_region(const rl_conv_job *j, const float *x, int64_t channels, int64_t block,
                            float *to);

/* A unit's memory: a region and `more` elements; NULL notes that there was none. */
float *rl_conv_scratch(rl_conv_job *j, int64_t more, size_t *bytes);

static inline int64_t rl_conv_region_size(const rl_conv_job *j)
{
    return j->region[0] * j->region[1] * j->region[2];
}

static inline int64_t rl_conv_block_pixels(const rl_conv_job *j, int64_t block)
{
    return rl_min64(j->len, j->v.out[j->axis] - block * j->len) * j->row_pixels;
}

/* Pixels that lie in a row of `count`. */
static inline int64_t rl_conv_row_length(const rl_conv_job *j, int64_t count)
{
    return rl_min64(j->v.out[2], count);
}

/* Elements to copy a region into. */
static inline int64_t rl_conv_region_room(const rl_conv_job *j)
{
    return j->copy ? j->channels * rl_conv_region_size(j) + RL_CONV_SLACK : 0;
}

/* ---- one product ---- */

/* Where elements start from: rows `next` bytes apart; NULL: from zero. */
typedef struct rl_conv_start {
    const void *at;
    ptrdiff_t next;
} rl_conv_start;

/* How many tiles of as even a height as possible m rows make, and their rows: heights are even. */
typedef struct rl_conv_cut {
    int64_t count, pairs, longer; /* the first `longer` have two rows more than 2 pairs */
} rl_conv_cut;

static inline rl_conv_cut rl_conv_cut_rows(int64_t m, int64_t most)
{
    int64_t pairs = (m + 1) / 2;
    if (m <= most)
        return (rl_conv_cut){1, pairs, 0};
    int64_t count = rl_ceil_div(m, most), each = pairs / count;
    return (rl_conv_cut){count, each, pairs - each * count};
}

static inline int64_t rl_conv_cut_height(rl_conv_cut t, int64_t i, int64_t left)
{
    return rl_min64(2 * (t.pairs + (i < t.longer)), left);
}

/* Shares of `lanes` lanes that are in use when n elements are computed. */
static inline double rl_conv_lanes_used(int64_t n, int64_t lanes)
{
    return (double)n / (double)(rl_ceil_div(n, lanes) * lanes);
}

/* m rows of C, each n long, at most two vectors. */
void rl_conv_tiles(const rl_conv_job *j, int64_t k, const char *a, const ptrdiff_t *row,
                   const rl_conv_step *step, const char *b, char *c, ptrdiff_t ldc, rl_conv_start s,
                   int64_t m, int64_t n);

/* y[i][r] = x[r][i] for r < rows, i < columns. */
void rl_conv_turn(const float *x, int64_t ldx, int64_t rows, int64_t columns, float *y,
                  int64_t ldy);

/* What the threads' failure comes to. */
rl_status rl_conv_outcome(rl_conv_job *j);

/* Memory for the lists, of which `line` is made already. */
rl_status rl_conv_new_lists(rl_conv_job *j, int64_t steps, int64_t rows, int64_t panel_elements);

/* The width of panels of output channels. */
void rl_conv_set_panels(rl_conv_job *j);

/* Units for which a thread is woken, of so many. */
int64_t rl_conv_grain(const rl_conv_job *j, int64_t units);

#endif
