/* Convolution, pooling, norms, other sizes and points: nothing leaks when memory runs out on the
 * way; convolutions are what their sum says, and kernels of all builds agree to the bit. */
#include "check.h"
#include "kernels/conv.h"
#include "kernels/kernels.h"
#include "kernels/pool.h"
#include "rushlight_ops.h"

static rl_tensor *pattern(rl_dtype dtype, int ndim, const int64_t *shape, int seed, bool grad)
{
    RL_TEMP *t = rl_new(RL_F32, ndim, shape);
    for (int64_t i = 0; t && i < t->numel; i++)
        floats(t)[i] = (float)((i * 37 + seed * 11) % 29 - 14) / 8;
    rl_tensor *y = t ? rl_cast_data(t, dtype) : NULL;
    if (y && grad && rl_set_requires_grad(y, true)) {
        rl_release(y);
        return NULL;
    }
    return y;
}

/* Runs backward from y with ones. */
static bool back(rl_tensor *y)
{
    RL_TEMP *g = rl_new((rl_dtype)y->dtype, y->ndim, y->shape);
    return g && !rl_fill_data(g, rl_int(1)) &&
           !rl_backward((rl_tensors){&y, 1}, &g, false, false, (rl_tensors){NULL, 0});
}

/* ---- convolution ---- */

/* Small multiples of 1/64, whose sums are exact: whatever the order, the result is this. */
static float sum_at(rl_tensor *x, rl_tensor *w, const int64_t *at, int64_t stride, int64_t pad,
                    int64_t groups)
{
    int64_t in = w->shape[1], out = w->shape[0] / groups, c0 = at[1] / out * in;
    float s = 0;
    for (int64_t c = 0; c < in; c++)
        for (int64_t i = 0; i < w->shape[2]; i++)
            for (int64_t j = 0; j < w->shape[3]; j++) {
                int64_t h = at[2] * stride - pad + i, v = at[3] * stride - pad + j;
                if (h >= 0 && h < x->shape[2] && v >= 0 && v < x->shape[3])
                    s +=
                        floats(x)[((at[0] * x->shape[1] + c0 + c) * x->shape[2] + h) * x->shape[3] +
                                  v] *
                        floats(w)[((at[1] * in + c) * w->shape[2] + i) * w->shape[3] + j];
            }
    return s;
}

static bool convolved(int64_t stride, int64_t pad, int64_t groups, int64_t width)
{
    MAKE(x, pattern(RL_F32, SHAPE(2, 4, 6, width), 1, true));
    MAKE(w, pattern(RL_F32, SHAPE(6, 4 / groups, 3, 2), 2, true));
    MAKE(b, pattern(RL_F32, SHAPE(6), 3, true));
    MAKE(y, rl_conv2d(x, w, b, INTS(stride), INTS(pad), INTS(1), groups));
    int64_t at[4], i = 0;
    for (at[0] = 0; at[0] < y->shape[0]; at[0]++)
        for (at[1] = 0; at[1] < y->shape[1]; at[1]++)
            for (at[2] = 0; at[2] < y->shape[2]; at[2]++)
                for (at[3] = 0; at[3] < y->shape[3]; at[3]++)
                    CHECK(floats(y)[i++] ==
                          floats(b)[at[1]] + sum_at(x, w, at, stride, pad, groups));
    NEED(back(y));
    return true;
}

static bool convolution(void)
{
    return convolved(1, 1, 1, 5) && convolved(1, 0, 2, 19) && convolved(2, 1, 1, 5) &&
           convolved(1, 3, 2, 3);
}

static bool transposed(void)
{
    MAKE(x, pattern(RL_F32, SHAPE(2, 4, 5, 4), 1, true));
    MAKE(w, pattern(RL_F32, SHAPE(4, 3, 3, 2), 2, true));
    MAKE(y, rl_conv_transpose2d(x, w, NULL, INTS(2), INTS(1), INTS(1), 1, INTS(1)));
    NEED(back(y));
    MAKE(d, pattern(RL_F64, SHAPE(1, 2, 9), 1, true));
    MAKE(v, pattern(RL_F64, SHAPE(3, 2, 3), 2, true));
    MAKE(z, rl_conv1d(d, v, NULL, INTS(1), INTS(0), INTS(2), 1));
    NEED(back(z));
    return true;
}

/* ---- pooling and the way back ---- */

static bool pooling(void)
{
    MAKE(x, pattern(RL_F32, SHAPE(2, 3, 7, 6), 1, true));
    rl_tensor *out[2];
    NEED(!rl_max_pool2d_with_indices(x, INTS(2), INTS(2), INTS(0), INTS(1), true, out));
    RL_TEMP *y = out[0], *at = out[1];
    MAKE(average, rl_avg_pool2d(x, INTS(3), INTS(2), INTS(1), false, true, (rl_opt_int){0}));
    MAKE(adaptive, rl_adaptive_avg_pool2d(x, INTS(3, 2)));
    MAKE(unpooled, rl_max_unpool2d(y, at, INTS(7, 6)));
    NEED(back(average) && back(adaptive) && back(unpooled));
    MAKE(samples, pattern(RL_F32, SHAPE(2, 3, 2), 1, false));
    for (int64_t i = 0; i < samples->numel; i++)
        floats(samples)[i] = (float)i / 16;
    NEED(!rl_fractional_max_pool2d(x, INTS(2), INTS(3), samples, out));
    RL_TEMP *fractional = out[0], *places = out[1];
    NEED(back(fractional));
    CHECK(rl_same_shape(fractional, places));
    return true;
}

static bool vision(void)
{
    rl_opt_float none = {0};
    MAKE(x, pattern(RL_F32, SHAPE(2, 4, 5, 6), 1, true));
    MAKE(large, rl_resample(x, INTS(9, 3), "cubic", false, false, none, none, none));
    MAKE(small, rl_resample(x, INTS(2, 3), "linear", false, true, none, none, none));
    MAKE(theta, pattern(RL_F32, SHAPE(2, 2, 3), 1, true));
    MAKE(grid, rl_affine_grid_generator(theta, INTS(2, 4, 3, 3), false));
    MAKE(sampled, rl_grid_sampler(x, grid, 0, 1, false));
    MAKE(columns, rl_im2col(x, INTS(2), INTS(1), INTS(1), INTS(2)));
    MAKE(image, rl_col2im(columns, INTS(5, 6), INTS(2), INTS(1), INTS(1), INTS(2)));
    MAKE(pixels, rl_pixel_shuffle(x, 2));
    MAKE(unshuffled, rl_pixel_unshuffle(pixels, 2));
    MAKE(channels, rl_channel_shuffle(unshuffled, 2));
    NEED(back(large) && back(small) && back(sampled) && back(image) && back(channels));
    return true;
}

static bool normed(void)
{
    MAKE(x, pattern(RL_F32, SHAPE(2, 4, 3, 5), 1, true));
    MAKE(w, pattern(RL_F32, SHAPE(4), 2, true));
    MAKE(b, pattern(RL_F32, SHAPE(4), 3, true));
    MAKE(y, rl_batch_norm(x, w, b, NULL, NULL, true, 0.1, 1e-5, true));
    MAKE(z, rl_group_norm(y, 2, w, b, 1e-5, true));
    NEED(back(z));
    return true;
}

/* ---- kernels of all builds ---- */

static const char *const builds[] = {"avx2", "avx512"};

/* How a tile's elements start: from 0, from C, from one value per column, from one per row. */
enum { FROM_ZERO, FROM_C, PER_COLUMN, PER_ROW, STARTS };

static bool tiles_agree(void)
{
    enum { K = 40, M = 12, N = 32 };
    static float a[M * K + K], b[K * N], bias[N], row_bias[M * N], want[M * N], got[M * N];
    ptrdiff_t row[M];
    rl_conv_step step[K];
    for (int i = 0; i < M * K + K; i++)
        a[i] = (float)((i * 97) % 113) / 7;
    for (int i = 0; i < K * N; i++)
        b[i] = (float)((i * 89) % 127) / 11 - 5;
    for (int i = 0; i < N; i++)
        bias[i] = (float)(i - 7) / 3;
    for (int i = 0; i < M; i++)
        row[i] = (i * 5 % M) * K * 4;
    for (int p = 0; p < K; p++)
        step[p] = (rl_conv_step){(p * 7 % K) * 4, p * N * 4};
    for (int i = 0; i < M * N; i++)
        row_bias[i] = bias[i / N];
    const float *const start[STARTS] = {NULL, got, bias, row_bias};
    const ptrdiff_t next[STARTS] = {0, N * 4, 0, N * 4};
    for (int e = 0; e < 2; e++) {
        rl_kernels t;
        if (!rl_kernels_fill(&t, builds[e]))
            continue;
        const rl_conv_kernels *k = t.conv;
        for (int vectors = 1; vectors <= 2; vectors++)
            for (int m = 1; m <= k->rows[vectors - 1]; m++)
                for (int n = 1; n <= vectors * k->lanes; n++)
                    for (int from = 0; from < STARTS; from++) {
                        int first = n < k->lanes ? n : k->lanes; /* elements of a vector */
                        rl_conv_lanes v = {.n = {first, n - first}, .next = next[from]};
                        v.b = v.c = k->lanes * 4;
                        v.s = from == PER_ROW ? 0 : k->lanes * 4;
                        v.start = (const char *)start[from];
                        for (int i = 0; i < M * N; i++)
                            want[i] = got[i] = (float)i / 3;
                        for (int i = 0; i < m; i++)
                            for (int j = 0; j < n; j++) {
                                float s = 0, *c = &want[i * N + j];
                                for (int p = 0; p < K; p++)
                                    s = fmaf(a[row[i] / 4 + step[p].a / 4], b[p * N + j], s);
                                float first[STARTS] = {0, *c, bias[j], bias[i]};
                                *c = first[from] + s;
                            }
                        k->tile[vectors - 1][(m - 1) / 2](K, (char *)a, row, step, (char *)b,
                                                          (char *)got, N * 4, m, &v);
                        CHECK(!memcmp(want, got, sizeof want));
                    }
    }
    return true;
}

static bool rows_agree(void)
{
    enum { K = 30, M = RL_CONV_VECTORS, WIDE = 40, L = 16 };
    static float a[K], b[K * 3 + M * WIDE], bias[L], want[M * WIDE], got[M * WIDE];
    rl_conv_step step[K];
    for (int p = 0; p < K; p++) {
        a[p] = (float)((p * 97) % 113) / 7 - 6;
        step[p] = (rl_conv_step){(p * 7 % K) * 4, p * 11 % (2 * K) * 4};
    }
    for (int i = 0; i < K * 3 + M * WIDE; i++)
        b[i] = (float)((i * 89) % 127) / 11 - 5;
    for (int i = 0; i < L; i++)
        bias[i] = (float)(i - 7) / 3;
    const char *const all[] = {"portable", builds[0], builds[1]};
    for (int e = 0; e < 3; e++) {
        rl_kernels t;
        if (!rl_kernels_fill(&t, all[e]))
            continue;
        const int lanes = t.conv->lanes;
        for (int m = 1; m <= M; m++)
            for (int from = FROM_ZERO; from <= PER_COLUMN; from++) {
                rl_conv_pixels at[M];
                for (int i = 0; i < M * WIDE; i++)
                    want[i] = got[i] = (float)i / 3;
                for (int v = 0; v < m; v++) {
                    at[v] = (rl_conv_pixels){v * WIDE * 4, v * WIDE * 4, 1 + (v * 5 + m) % lanes};
                    for (int i = 0; i < at[v].n; i++) {
                        float s = 0, *c = &want[v * WIDE + i];
                        for (int p = 0; p < K; p++)
                            s = fmaf(a[step[p].a / 4], b[v * WIDE + step[p].b / 4 + i], s);
                        *c = s + (from == FROM_C ? *c : from == PER_COLUMN ? bias[i] : 0);
                    }
                }
                t.conv->row(K, (char *)a, step, (char *)b, (char *)got, at, m,
                            from == PER_COLUMN ? (char *)bias : NULL, from == FROM_C);
                CHECK(!memcmp(want, got, sizeof want));
            }
    }
    return true;
}

static bool dots_agree(void)
{
    enum { LINES = 3, WIDEST = 37, M = 6, P = 4, L = RL_CONV_DOT_LANES };
    static float x[LINES * 60], y[M * LINES * WIDEST], want[M * P * L], got[M * P * L];
    static const ptrdiff_t line[LINES] = {0, 65 * 4, 100 * 4}, place[P] = {0, 4, 7 * 4, 3 * 4};
    for (int i = 0; i < LINES * 60; i++)
        x[i] = (float)((i * 97) % 113) / 7 - 6;
    for (int i = 0; i < M * LINES * WIDEST; i++)
        y[i] = (float)((i * 89) % 127) / 11 - 5;
    const char *const all[] = {"portable", builds[0], builds[1]};
    for (int e = 0; e < 3; e++) {
        rl_kernels t;
        if (!rl_kernels_fill(&t, all[e]))
            continue;
        const rl_conv_kernels *k = t.conv;
        CHECK(k->dot_rows <= M && k->dot_places <= P);
        for (int m = 1; m <= k->dot_rows; m++)
            for (int p = 1; k->dot[m - 1] && p <= k->dot_places; p++)
                for (int n = 1; n <= WIDEST; n += 4) {
                    for (int i = 0; i < M * P * L; i++)
                        want[i] = got[i] = (float)i / 3;
                    for (int i = 0; i < m; i++)
                        for (int j = 0; j < p; j++)
                            for (int l = 0; l < L; l++) {
                                float s = 0;
                                for (int r = 0; r < LINES; r++)
                                    for (int q = l; q < n; q += L)
                                        s = fmaf(y[(i * LINES + r) * n + q],
                                                 x[place[j] / 4 + line[r] / 4 + q], s);
                                want[(i * P + j) * L + l] += s;
                            }
                    k->dot[m - 1](LINES, line, n, (char *)y, LINES * n * 4, (char *)x, place,
                                  (char *)got, P * L * 4, p);
                    CHECK(!memcmp(want, got, sizeof want));
                }
    }
    return true;
}

static bool pools_agree(void)
{
    enum { IN = 23, MOST = 25 * 25 };
    static float x[IN * IN], y[2][MOST], dx[2][IN * IN];
    static int64_t at[2][MOST];
    for (int i = 0; i < IN * IN; i++)
        x[i] = (float)((i * 97) % 113) / 7;
    x[40] = x[200] = NAN;
    rl_kernels t[2];
    CHECK(rl_kernels_fill(&t[0], "portable"));
    if (!rl_kernels_fill(&t[1], "avx2"))
        return true;
    for (int64_t kernel = 1; kernel <= 3; kernel++)
        for (int64_t stride = 1; stride <= 3; stride++)
            for (int64_t pad = 0; pad <= kernel / 2; pad++) {
                int64_t out = (IN + 2 * pad - kernel) / stride + 1;
                rl_pool_window v = {{1, IN, IN},         {1, out, out}, {1, kernel, kernel},
                                    {1, stride, stride}, {0, pad, pad}, {1, 1, 1}};
                size_t n = (size_t)(out * out);
                for (int i = 0; i < 2; i++)
                    t[i].pool->max_f32(&v, x, y[i], at[i]);
                CHECK(!memcmp(y[0], y[1], n * 4) && !memcmp(at[0], at[1], n * 8));
                for (int i = 0; i < 2; i++)
                    t[i].pool->sum_f32(&v, x, y[i]);
                CHECK(!memcmp(y[0], y[1], n * 4));
                memset(dx, 0, sizeof dx);
                for (int i = 0; i < 2; i++)
                    t[i].pool->spread_f32(&v, y[i], dx[i]);
                CHECK(!memcmp(dx[0], dx[1], sizeof dx[0]));
            }
    return true;
}

int main(void)
{
    RUN(convolution);
    RUN(transposed);
    RUN(pooling);
    RUN(vision);
    RUN(normed);
    RUN(tiles_agree);
    RUN(rows_agree);
    RUN(dots_agree);
    RUN(pools_agree);
    return failures != 0;
}
