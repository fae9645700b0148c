/* norm_backward.c: derivatives of layer, group and batch normalisation.  Shapes and names as in
 * norm.c; what a node holds: norm.h. */
#include "core/iter.h"
#include "ops/norm.h"
#include "ops/rows.h"
#include "rushlight_ops.h"

enum {
    CHUNK = 64, /* rows whose shares of a parameter's gradient are added in turn */
    SHORT = 8   /* positions below which a kernel's call for a row of them costs too much */
};

rl_ints rl_norm_dims(bool batch)
{
    static const int64_t dims[2][2] = {{2, 3}, {0, 3}};
    return (rl_ints){dims[batch], 2};
}

/* t as `shape`, in the dtype that is computed in; differentiable. */
rl_tensor *rl_norm_shaped(rl_tensor *t, const int64_t *shape)
{
    rl_dtype compute = rl_rows_dtype((rl_dtype)t->dtype);
    RL_TEMP *cast = (rl_dtype)t->dtype == compute ? rl_retain(t) : rl_to_dtype(t, compute, false);
    return cast ? rl_reshape(cast, (rl_ints){shape, 4}) : NULL;
}

/* A parameter's shape beside (A, G, P, L). */
rl_tensor *rl_norm_parameter(rl_tensor *t, const int64_t *shape)
{
    int64_t own[4] = {1, shape[1], shape[2], 1};
    return rl_norm_shaped(t, own);
}

static rl_tensor *reshape_to(rl_tensor *t, const int64_t *shape, int ndim)
{
    return t ? rl_reshape(t, (rl_ints){shape, ndim}) : NULL;
}

/* h = (x - mean) rstd, e = g weight:
 * dx = rstd (e - mean(e) - h mean(e h)), and rstd e where the statistics are fixed
 * dweight = sum g h, dbias = sum g
 * Under create_graph mean and rstd are computed anew, so that their derivatives follow. */
static rl_status compose_backward(rl_node *n, rl_tensor *g, rl_tensor *x, rl_tensor *w,
                                  rl_tensor *mean, rl_tensor *rstd, bool want_x, rl_tensor **dx)
{
    static const int64_t outer_dims[] = {0, 3};
    const int64_t *shape = n->args.dims;
    const bool batch = n->args.i[0], fixed = n->args.i[1];
    rl_ints dims = rl_norm_dims(batch), outer = {outer_dims, 2};
    RL_TEMP *xs = rl_norm_shaped(x, shape);
    RL_TEMP *gs = rl_norm_shaped(g, shape);
    if (!xs || !gs)
        return rl_error_code();
    RL_TEMP *m = NULL, *r = NULL, *d = NULL;
    if (fixed || !rl_grad_enabled()) {
        m = rl_retain(mean);
        r = rl_retain(rstd);
        d = rl_sub(xs, m, rl_int(1));
    } else {
        m = rl_mean(xs, dims, true, RL_NO_DTYPE);
        d = m ? rl_sub(xs, m, rl_int(1)) : NULL;
        RL_TEMP *square = d ? rl_mul(d, d) : NULL;
        RL_TEMP *variance = square ? rl_mean(square, dims, true, RL_NO_DTYPE) : NULL;
        RL_TEMP *eps = rl_wrap_number(rl_float(n->args.f[0]));
        RL_TEMP *raised = variance && eps ? rl_add(variance, eps, rl_int(1)) : NULL;
        r = raised ? rl_rsqrt(raised) : NULL;
    }
    RL_TEMP *h = d && r ? rl_mul(d, r) : NULL;
    if (!h)
        return rl_error_code();
    if (want_x) {
        RL_TEMP *ws = w ? rl_norm_parameter(w, shape) : NULL;
        if (w && !ws)
            return rl_error_code();
        RL_TEMP *e = w ? rl_mul(gs, ws) : rl_retain(gs);
        RL_TEMP *rest = NULL;
        if (!fixed) {
            RL_TEMP *level = e ? rl_mean(e, dims, true, RL_NO_DTYPE) : NULL;
            RL_TEMP *eh = e ? rl_mul(e, h) : NULL;
            RL_TEMP *slope = eh ? rl_mean(eh, dims, true, RL_NO_DTYPE) : NULL;
            RL_TEMP *flat = level ? rl_sub(e, level, rl_int(1)) : NULL;
            RL_TEMP *tilt = slope ? rl_mul(h, slope) : NULL;
            rest = flat && tilt ? rl_sub(flat, tilt, rl_int(1)) : NULL;
        } else {
            rest = rl_retain(e);
        }
        RL_TEMP *y = rest ? rl_mul(rest, r) : NULL;
        dx[0] = reshape_to(y, x->shape, x->ndim);
    }
    if (rl_wants(n, 1)) {
        RL_TEMP *gh = rl_mul(gs, h);
        RL_TEMP *sum = gh ? rl_sum(gh, outer, false, RL_NO_DTYPE) : NULL;
        dx[1] = sum && w ? reshape_to(sum, w->shape, w->ndim) : NULL;
    }
    if (rl_wants(n, 2)) {
        RL_TEMP *sum = rl_sum(gs, outer, false, RL_NO_DTYPE);
        dx[2] = reshape_to(sum, n->args.dims + 4, n->args.n_dims - 4);
    }
    return RL_DONE(n, dx);
}

/* dx in one pass over the rows. */
static rl_tensor *fused_dx(const rl_node *n, rl_tensor *g, rl_tensor *x, rl_tensor *w,
                           rl_tensor *mean, rl_tensor *rstd)
{
    const int64_t *s = n->args.dims, length = s[2] * s[3];
    rl_dtype compute = rl_rows_dtype((rl_dtype)x->dtype);
    int64_t per_group[4] = {1, s[1], s[2], 1};
    RL_TEMP *gd = rl_cast_data(g, compute);
    RL_TEMP *xd = rl_cast_data(x, compute);
    RL_TEMP *wd = w ? rl_cast_data(w, compute) : NULL;
    RL_TEMP *dx = rl_new(compute, x->ndim, x->shape);
    if (!gd || !xd || !dx || (w && !wd))
        return NULL;
    /* The groups of a batch take turns with their weights: one call for each group. */
    size_t size = rl_dtype_size(compute), item[] = {size, size, size, size, size, size};
    rl_kargs args = {.i = {s[3]}};
    for (int64_t group = 0; group < per_group[1]; group++) {
        int64_t step = s[1] * length, at = group * length * (int64_t)size;
        ptrdiff_t stride[] = {step, step, step, s[1], s[1], 0};
        char *p[] = {dx->data + at,
                     gd->data + at,
                     xd->data + at,
                     mean->data + group * (int64_t)size,
                     rstd->data + group * (int64_t)size,
                     wd ? wd->data + group * s[2] * (int64_t)size : NULL};
        rl_rows_run(RL_ROW_LAYER_NORM_BACKWARD, compute, s[0], length, 6, p, stride, item, &args);
    }
    return rl_retain(dx);
}

/* Gradients of weight and bias of layer normalisation: partial sums of CHUNK rows, then their sums.
 */
static rl_status fused_parameters(const rl_node *n, rl_tensor *g, rl_tensor *x, rl_tensor *mean,
                                  rl_tensor *rstd, rl_tensor **dw, rl_tensor **db)
{
    static const int64_t first = 0;
    const int64_t rows = n->args.dims[0], length = n->args.dims[2];
    const int64_t parts[] = {(rows + CHUNK - 1) / CHUNK, length}, full = rows / CHUNK;
    rl_dtype compute = rl_rows_dtype((rl_dtype)x->dtype);
    RL_TEMP *gd = rl_cast_data(g, compute);
    RL_TEMP *xd = rl_cast_data(x, compute);
    RL_TEMP *pw = rl_new(compute, 2, parts);
    RL_TEMP *pb = rl_new(compute, 2, parts);
    if (!gd || !xd || !pw || !pb)
        return rl_error_code();
    size_t size = rl_dtype_size(compute), item[] = {size, size, size, size, size, size};
    const ptrdiff_t stride[] = {length, length, CHUNK * length, CHUNK * length, CHUNK, CHUNK};
    char *p[] = {pw->data, pb->data, gd->data, xd->data, mean->data, rstd->data};
    rl_kargs args = {.i = {CHUNK}};
    rl_rows_run(RL_ROW_LAYER_NORM_PARAMS, compute, full, length, 6, p, stride, item, &args);
    if (full < parts[0]) {
        for (int i = 0; i < 6; i++)
            p[i] += full * stride[i] * (ptrdiff_t)size;
        args.i[0] = rows - full * CHUNK;
        rl_rows_run(RL_ROW_LAYER_NORM_PARAMS, compute, 1, length, 6, p, stride, item, &args);
    }
    rl_ints over = {&first, 1};
    *dw = rl_sum(pw, over, false, RL_NO_DTYPE);
    *db = *dw ? rl_sum(pb, over, false, RL_NO_DTYPE) : NULL;
    return rl_status_of(*db);
}

/* Element i of t, float32 or float64. */
static double number(const rl_tensor *t, int64_t i)
{
    return t->dtype == RL_F64 ? ((const double *)t->data)[i] : (double)((const float *)t->data)[i];
}

static void set_number(rl_tensor *t, int64_t i, double value)
{
    if (t->dtype == RL_F64)
        ((double *)t->data)[i] = value;
    else
        ((float *)t->data)[i] = (float)value;
}

/* Which of the statistics row r of (A, G P, L) has. */
static int64_t statistic_of(const rl_node *n, int64_t r)
{
    const int64_t *s = n->args.dims;
    return n->args.i[0] ? r % s[1] : r / s[2];
}

/* For each row of (A, G P, L), where L is its length: the sums of g, and of g (x - mean). */
static rl_status row_sums(const rl_node *n, rl_tensor *g, rl_tensor *x, rl_tensor *mean,
                          rl_tensor **sums, rl_tensor **dots)
{
    const int64_t *s = n->args.dims, rows = s[0] * s[1] * s[2];
    rl_dtype compute = (rl_dtype)mean->dtype;
    *sums = rl_new(compute, 1, &rows);
    *dots = rl_new(compute, 1, &rows);
    RL_TEMP *own = rl_new(compute, 1, &rows);
    if (!*sums || !*dots || !own)
        return rl_error_code();
    for (int64_t r = 0; r < rows; r++)
        set_number(own, r, number(mean, statistic_of(n, r)));
    size_t size = rl_dtype_size(compute), item[] = {size, size, size, size, size};
    const ptrdiff_t stride[] = {1, 1, s[3], s[3], 1};
    char *p[] = {(*sums)->data, (*dots)->data, g->data, x->data, own->data};
    rl_rows_run(RL_ROW_NORM_SUMS, compute, rows, s[3], 5, p, stride, item, NULL);
    return RL_OK;
}

/* Sum over A of the row sums of channel c, each times its rstd if given. */
static double channel_sum(const rl_node *n, const rl_tensor *rows, const rl_tensor *rstd, int64_t c)
{
    const int64_t *s = n->args.dims, channels = s[1] * s[2];
    double sum = 0;
    for (int64_t r = c; r < s[0] * channels; r += channels)
        sum += number(rows, r) * (rstd ? number(rstd, statistic_of(n, r)) : 1);
    return sum;
}

/* dx of batch normalisation: one pass over the rows, with four numbers for each. */
static rl_tensor *batch_dx(const rl_node *n, rl_tensor *g, rl_tensor *x, const rl_tensor *w,
                           const rl_tensor *mean, const rl_tensor *rstd, const rl_tensor *sums,
                           const rl_tensor *dots)
{
    const int64_t *s = n->args.dims, channels = s[1], shape[] = {s[0] * channels, 4};
    double count = (double)(s[0] * s[3]);
    rl_dtype compute = (rl_dtype)mean->dtype;
    RL_TEMP *dx = rl_new(compute, x->ndim, x->shape);
    RL_TEMP *numbers = rl_new(compute, 2, shape);
    if (!dx || !numbers)
        return NULL;
    for (int64_t c = 0; c < channels; c++) {
        double r = number(rstd, c);
        double row[4] = {number(mean, c), 0, 0, w ? r * number(w, c) : r};
        if (!n->args.i[1]) { /* the statistics move with x */
            row[1] = channel_sum(n, sums, NULL, c) / count;
            row[2] = channel_sum(n, dots, NULL, c) / count * r * r;
        }
        for (int64_t a = 0; a < s[0]; a++)
            for (int i = 0; i < 4; i++)
                set_number(numbers, (a * channels + c) * 4 + i, row[i]);
    }
    size_t size = rl_dtype_size(compute), item[] = {size, size, size, size};
    const ptrdiff_t stride[] = {s[3], s[3], s[3], 4};
    char *p[] = {dx->data, g->data, x->data, numbers->data};
    rl_rows_run(RL_ROW_NORM_BACKWARD, compute, shape[0], s[3], 4, p, stride, item, NULL);
    return rl_retain(dx);
}

/* Gradients by rows of positions: all of batch normalisation, and the parameters' of group
 * normalisation (want_x false). */
static rl_status fused_by_channel(rl_node *n, rl_tensor *g, rl_tensor *x, rl_tensor *w,
                                  rl_tensor *mean, rl_tensor *rstd, bool want_x, rl_tensor **dx)
{
    const int64_t *s = n->args.dims, channels = s[1] * s[2];
    rl_dtype compute = (rl_dtype)mean->dtype;
    RL_TEMP *gd = rl_cast_data(g, compute), *xd = rl_cast_data(x, compute);
    RL_TEMP *wd = w ? rl_cast_data(w, compute) : NULL;
    RL_TEMP *sums = NULL, *dots = NULL;
    if (!gd || !xd || (w && !wd) || row_sums(n, gd, xd, mean, &sums, &dots))
        return rl_error_code();
    if (want_x) {
        dx[0] = batch_dx(n, gd, xd, wd, mean, rstd, sums, dots);
        if (!dx[0])
            return rl_error_code();
    }
    for (int i = 1; i < 3; i++) {
        if (!rl_wants(n, i))
            continue;
        dx[i] = i == 1 ? rl_new(compute, w->ndim, w->shape)
                       : rl_new(compute, n->args.n_dims - 4, n->args.dims + 4);
        for (int64_t c = 0; dx[i] && c < channels; c++)
            set_number(dx[i], c, channel_sum(n, i == 1 ? dots : sums, i == 1 ? rstd : NULL, c));
    }
    return RL_DONE(n, dx);
}

rl_status rl_norm_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    RL_TEMP *x = rl_saved(n, 0);
    RL_TEMP *w = x && rl_has_saved(n, 1) ? rl_saved(n, 1) : NULL;
    RL_TEMP *mean = x ? rl_saved(n, 2) : NULL;
    RL_TEMP *rstd = mean ? rl_saved(n, 3) : NULL;
    if (!rstd || (rl_has_saved(n, 1) && !w))
        return rl_error_code();
    const int64_t *shape = n->args.dims;
    const bool rows = shape[3] >= SHORT;
    if (rl_grad_enabled() || (n->args.i[0] && !rows) || x->numel == 0)
        return compose_backward(n, g[0], x, w, mean, rstd, rl_wants(n, 0), dx);
    if (n->args.i[0])
        return fused_by_channel(n, g[0], x, w, mean, rstd, rl_wants(n, 0), dx);
    if (rl_wants(n, 0)) {
        dx[0] = fused_dx(n, g[0], x, w, mean, rstd);
        if (!dx[0])
            return rl_error_code();
    }
    if (!rl_wants(n, 1) && !rl_wants(n, 2))
        return RL_OK;
    if (rows)
        return fused_by_channel(n, g[0], x, w, mean, rstd, false, dx);
    if (shape[1] != 1 || shape[3] != 1)
        return compose_backward(n, g[0], x, w, mean, rstd, false, dx);
    RL_TEMP *dw = NULL, *db = NULL;
    if (fused_parameters(n, g[0], x, mean, rstd, &dw, &db))
        return rl_error_code();
    if (rl_wants(n, 1))
        dx[1] = reshape_to(dw, w->shape, w->ndim);
    if (rl_wants(n, 2))
        dx[2] = reshape_to(db, shape + 4, n->args.n_dims - 4);
    return RL_DONE(n, dx);
}
