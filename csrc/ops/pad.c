/* pad.c: a tensor with a border of one value, or of its own elements. */
#include "autograd/autograd.h"
#include "core/tensor.h"
#include "core/parallel.h"
#include "rushlight_ops.h"

/* y = x with a border, or without a part of it where pad is negative.
 * dx = g without the border: padded by -pad. */
static rl_status constant_pad_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    dx[0] = rl_constant_pad_nd(g[0], (rl_ints){n->args.dims, n->args.n_dims}, rl_int(0));
    return RL_DONE(n, dx);
}
static const rl_node_type constant_pad_node = {"ConstantPadNdBackward0", constant_pad_backward, 0,
                                               NULL};

/* The part of t that x and its padded form have in common; sizes of the dims into shape.  side: 0
 * for x itself, 1 for the padded tensor. */
static rl_tensor *common(rl_tensor *t, int side, const rl_tensor *x, const int64_t *before,
                         const int64_t *after)
{
    int64_t shape[RL_MAX_DIMS], offset = t->offset;
    for (int d = 0; d < t->ndim; d++) {
        int64_t cut = before[d] < 0 ? -before[d] : 0, end = after[d] < 0 ? -after[d] : 0;
        shape[d] = x->shape[d] - cut - end;
        if (shape[d] < 0)
            shape[d] = 0;
        if (shape[d] > 0)
            offset += t->strides[d] * (side ? (before[d] > 0 ? before[d] : 0) : cut);
    }
    return rl_new_view(t, t->ndim, shape, t->strides, offset);
}

static rl_tensor *pad_data(rl_tensor *x, const int64_t *before, const int64_t *after,
                           const int64_t *shape, rl_scalar value)
{
    RL_TEMP *y = rl_new((rl_dtype)x->dtype, x->ndim, shape);
    if (!y || rl_fill_data(y, value))
        return NULL;
    bool overlap = y->numel > 0;
    for (int d = 0; d < x->ndim; d++)
        overlap = overlap &&
                  x->shape[d] + (before[d] < 0 ? before[d] : 0) + (after[d] < 0 ? after[d] : 0) > 0;
    if (!overlap)
        return rl_retain(y);
    RL_TEMP *to = common(y, 1, x, before, after), *from = common(x, 0, x, before, after);
    return to && from && !rl_copy_data(to, from) ? rl_retain(y) : NULL;
}

rl_tensor *rl_constant_pad_nd(rl_tensor *x, rl_ints pad, rl_scalar value)
{
    if (!x)
        return NULL;
    if (pad.n % 2)
        return rl_fail(RL_ERUNTIME, "Length of pad must be even but instead it equals %d", pad.n);
    if (pad.n > 2 * x->ndim)
        return rl_fail(RL_ERUNTIME,
                       "Length of pad should be no more than twice the number of dimensions of the "
                       "input. Pad length is %d while the input has %d dimensions.",
                       pad.n, x->ndim);
    int64_t before[RL_MAX_DIMS] = {0}, after[RL_MAX_DIMS] = {0}, shape[RL_MAX_DIMS];
    for (int d = 0; d < x->ndim; d++) {
        int i = x->ndim - 1 - d; /* pad begins with the last dim */
        if (2 * i < pad.n) {
            before[d] = pad.v[2 * i];
            after[d] = pad.v[2 * i + 1];
        }
        if (__builtin_add_overflow(before[d], after[d], &shape[d]) ||
            __builtin_add_overflow(shape[d], x->shape[d], &shape[d]))
            return rl_fail(RL_ERUNTIME, "constant_pad_nd: padding is too large");
        if (shape[d] < 0)
            return rl_fail(RL_ERUNTIME,
                           "The input size %lld, plus negative padding %lld and %lld resulted in a "
                           "negative output size, which is invalid. Check dimension %d of your "
                           "input.",
                           (long long)x->shape[d], (long long)before[d], (long long)after[d], d);
    }
    rl_tensor *y = pad_data(x, before, after, shape, value);
    if (!y || !rl_recording(x))
        return y;
    rl_node *n = rl_node_new(&constant_pad_node, y, 1, &x);
    int64_t back[2 * RL_MAX_DIMS];
    for (int i = 0; i < pad.n; i++)
        back[i] = -pad.v[i];
    rl_node_set_dims(n, pad.n, back);
    return rl_record(n, y);
}

/* ---- borders made of the tensor itself ---- */

/* Where element i of a padded dim, counted from the first of the tensor's own, comes from: mirrored
 * at the edge, or the edge. */
static inline int64_t border_place(bool mirrored, int64_t size, int64_t i)
{
    if (i >= 0 && i < size)
        return i;
    return mirrored ? (i < 0 ? -i : 2 * (size - 1) - i) : (i < 0 ? 0 : size - 1);
}

static rl_tensor *border_places(bool mirrored, int64_t size, int64_t before, int64_t after)
{
    int64_t n = size + before + after;
    rl_tensor *places = rl_new(RL_I64, 1, &n);
    for (int64_t i = 0; places && i < n; i++)
        ((int64_t *)places->data)[i] = border_place(mirrored, size, i - before);
    return places;
}

/* dx = g with what stands in the border added where it came from, dim after dim.
 * args: i0 mirrored; dims: x's shape, then pad. */
static rl_status border_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    int ndim = g[0]->ndim, pairs = (n->args.n_dims - ndim) / 2;
    const int64_t *shape = n->args.dims, *pad = shape + ndim;
    rl_tensor *d = rl_retain(g[0]);
    for (int i = pairs - 1; i >= 0 && d; i--) {
        int dim = ndim - 1 - i;
        int64_t wanted[RL_MAX_DIMS];
        memcpy(wanted, d->shape, (size_t)ndim * sizeof *wanted);
        wanted[dim] = shape[dim];
        RL_TEMP *places = border_places(n->args.i[0], shape[dim], pad[2 * i], pad[2 * i + 1]);
        RL_TEMP *zeros = rl_zeros((rl_ints){wanted, ndim}, (rl_dtype)d->dtype);
        RL_TEMP *padded = d;
        d = places && zeros ? rl_index_add(zeros, dim, places, padded, rl_int(1)) : NULL;
    }
    dx[0] = d;
    return RL_DONE(n, dx);
}

#define BORDER(name) {name "Backward0", border_backward, 0, NULL}
static const rl_node_type border_nodes[2][3] = {
    {BORDER("ReplicationPad1D"), BORDER("ReplicationPad2D"), BORDER("ReplicationPad3D")},
    {BORDER("ReflectionPad1D"), BORDER("ReflectionPad2D"), BORDER("ReflectionPad3D")}};
#undef BORDER

/* x (outer, in...) to y (outer, out...), row-major; dims: of the padded ones. */
typedef struct border {
    int dims;
    bool mirrored;
    size_t item;
    int64_t in[3], out[3], before[3];
    size_t x_step[3], y_step[3]; /* bytes */
    const char *x;
    char *y;
} border;

/* Rows of images are often too short for a call of memcpy to pay. */
static inline void copy_short(char *y, const char *x, size_t n)
{
    if (n < 16 || n > 256) {
        memcpy(y, x, n);
        return;
    }
    for (size_t i = 0; i + 16 < n; i += 16)
        memcpy(y + i, x + i, 16);
    memcpy(y + n - 16, x + n - 16, 16);
}

/* The last dim of so many rows, which stand at from[r] in x. */
static void border_rows(const border *b, int64_t rows, const size_t *from, const char *x, char *y)
{
    const int d = b->dims - 1;
    const int64_t n = b->out[d], before = b->before[d], end = b->in[d] + before;
    const size_t item = b->item, step = (size_t)n * item;
    int64_t first = before > 0 ? before : 0, last = end < n ? end : n; /* its own elements */
    if (first < last) {
        char *to = y + (size_t)first * item;
        const char *own = x + (size_t)(first - before) * item;
        for (int64_t r = 0; r < rows; r++, to += step)
            copy_short(to, own + from[r], (size_t)(last - first) * item);
    } else {
        first = last = n;
    }
    for (int64_t i = first ? 0 : last; i < n; i = i + 1 == first ? last : i + 1) {
        const char *column = x + (size_t)border_place(b->mirrored, b->in[d], i - before) * item;
        char *to = y + (size_t)i * item;
#define COLUMN(bytes)                                                                              \
    case bytes:                                                                                    \
        for (int64_t r = 0; r < rows; r++, to += step)                                             \
            memcpy(to, column + from[r], bytes);                                                   \
        break;
        switch (item) {
            COLUMN(1)
            COLUMN(2)
            COLUMN(4)
            COLUMN(8)
            COLUMN(16)
        }
#undef COLUMN
    }
}

/* Dims from d on. */
static void border_dim(const border *b, int d, const char *x, char *y)
{
    enum { ROWS = 64 };
    size_t from[ROWS] = {0};
    if (d == b->dims - 1) {
        border_rows(b, 1, from, x, y);
        return;
    }
    for (int64_t i = 0; i < b->out[d];) {
        int64_t rows = 0;
        for (; rows < ROWS && i + rows < b->out[d]; rows++)
            from[rows] =
                b->x_step[d] * (size_t)border_place(b->mirrored, b->in[d], i + rows - b->before[d]);
        if (d == b->dims - 2)
            border_rows(b, rows, from, x, y);
        else
            for (int64_t r = 0; r < rows; r++)
                border_dim(b, d + 1, x + from[r], y + (size_t)r * b->y_step[d]);
        i += rows;
        y += (size_t)rows * b->y_step[d];
    }
}

static void borders(int64_t begin, int64_t end, void *context)
{
    const border *b = context;
    const size_t from = (size_t)b->in[0] * b->x_step[0], to = (size_t)b->out[0] * b->y_step[0];
    for (int64_t i = begin; i < end; i++)
        border_dim(b, 0, b->x + (size_t)i * from, b->y + (size_t)i * to);
}

static rl_tensor *border_data(rl_tensor *x0, rl_ints pad, bool mirrored)
{
    enum { GRAIN = 1 << 15 };
    const int dims = pad.n / 2, lead = x0->ndim - dims;
    border b = {.dims = dims, .mirrored = mirrored, .item = rl_itemsize(x0)};
    int64_t shape[RL_MAX_DIMS], outer = 1, unit = 1;
    for (int d = 0; d < lead; d++)
        outer *= shape[d] = x0->shape[d];
    size_t x_step = b.item, y_step = b.item;
    for (int d = dims - 1; d >= 0; d--) {
        const int64_t *width = pad.v + 2 * (dims - 1 - d);
        b.in[d] = x0->shape[lead + d];
        b.before[d] = width[0];
        b.out[d] = shape[lead + d] = b.in[d] + width[0] + width[1];
        b.x_step[d] = x_step;
        b.y_step[d] = y_step;
        x_step *= (size_t)b.in[d];
        y_step *= (size_t)b.out[d];
        unit *= b.out[d];
    }
    RL_TEMP *x = rl_contiguous_data(x0);
    rl_tensor *y = x ? rl_new((rl_dtype)x->dtype, x->ndim, shape) : NULL;
    if (!y || !y->numel)
        return y;
    b.x = x->data;
    b.y = y->data;
    rl_parallel_for(outer, unit < GRAIN ? GRAIN / unit : 1, borders, &b);
    return y;
}

/* Widths and sizes have been checked: nn.functional.pad. */
rl_tensor *rl_border_pad(rl_tensor *x, rl_ints pad, bool mirrored)
{
    int pairs = pad.n / 2;
    if (!x)
        return NULL;
    if (pairs < 1 || pairs > 3 || pad.n % 2 || pairs > x->ndim)
        return rl_fail(RL_ERUNTIME, "border_pad: %d widths for %d dims", pad.n, x->ndim);
    rl_tensor *y = border_data(x, pad, mirrored);
    if (!y || !rl_recording(x))
        return y;
    rl_node *n = rl_node_new(&border_nodes[mirrored][pairs - 1], y, 1, &x);
    if (n) {
        int64_t dims[RL_MAX_DIMS + 6];
        memcpy(dims, x->shape, x->ndim * sizeof *dims);
        memcpy(dims + x->ndim, pad.v, (size_t)pad.n * sizeof *dims);
        rl_node_set_dims(n, x->ndim + pad.n, dims);
        n->args.i[0] = mirrored;
    }
    return rl_record(n, y);
}
