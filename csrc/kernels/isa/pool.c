/* pool.c: maxima and sums of windows, a row of the output at a time: each element of the window is
 * one loop over the row. */
#include <math.h>

#include "kernels/isa/isa.h"

#include "kernels/pool.h"

/* One element of the window, for the outputs of a row from `from` to `to`: they read x at `source`,
 * `source` + stride, ... */
typedef struct stretch {
    int64_t from, to, source, stride;
} stretch;

static stretch stretch_of(const rl_pool_window *v, int64_t row, int64_t k)
{
    int64_t stride = v->stride[2], offset = k * v->dilation[2] - v->pad[2];
    int64_t last = v->in[2] - 1 - offset;
    stretch s = {offset < 0 ? (-offset + stride - 1) / stride : 0, last < 0 ? 0 : last / stride + 1,
                 0, stride};
    if (s.to > v->out[2])
        s.to = v->out[2];
    s.source = row * v->in[2] + s.from * stride + offset;
    return s;
}

/* Calls USE(stretch, its stride, ...) for the elements of the windows of output row (o0, o1), in
 * order, or the last ones of each row of the window first. */
#define EACH_STRETCH(FIRST, MORE, NEXT, USE, ...)                                                  \
    for (int64_t k0 = 0; k0 < v->kernel[0]; k0++) {                                                \
        int64_t i0 = o0 * v->stride[0] - v->pad[0] + k0 * v->dilation[0];                          \
        if (i0 < 0 || i0 >= v->in[0])                                                              \
            continue;                                                                              \
        for (int64_t k1 = 0; k1 < v->kernel[1]; k1++) {                                            \
            int64_t i1 = o1 * v->stride[1] - v->pad[1] + k1 * v->dilation[1];                      \
            if (i1 < 0 || i1 >= v->in[1])                                                          \
                continue;                                                                          \
            for (int64_t k2 = FIRST; MORE; NEXT) {                                                 \
                stretch s = stretch_of(v, i0 * v->in[1] + i1, k2);                                 \
                /* A constant stride is what the compiler can load without gathering. */           \
                if (s.stride == 1)                                                                 \
                    USE(s, 1, __VA_ARGS__);                                                        \
                else if (s.stride == 2)                                                            \
                    USE(s, 2, __VA_ARGS__);                                                        \
                else                                                                               \
                    USE(s, s.stride, __VA_ARGS__);                                                 \
            }                                                                                      \
        }                                                                                          \
    }
#define ROWS                                                                                       \
    for (int64_t o0 = 0; o0 < v->out[0]; o0++)                                                     \
        for (int64_t o1 = 0; o1 < v->out[1]; o1++, y += v->out[2])

/* Whether windows are 2 x 2 and lie side by side within the plane. */
static int in_pairs(const rl_pool_window *v)
{
    for (int d = 0; d < 3; d++) {
        int64_t two = d == 0 ? 1 : 2;
        if (v->kernel[d] != two || v->stride[d] != two || v->pad[d] != 0 || v->dilation[d] != 1 ||
            v->out[d] * two > v->in[d])
            return 0;
    }
    return v->in[2] < INT32_MAX;
}

#define POOL(T, INT, S)                                                                            \
    static inline __attribute__((always_inline)) void take_max_##S(                                \
        stretch s, int64_t stride, const T *restrict x, T *restrict y, int64_t *restrict at)       \
    {                                                                                              \
        x += s.source;                                                                             \
        for (int64_t i = s.from, p = 0; i < s.to; i++, p += stride) {                              \
            T value = x[p], most = y[i];                                                           \
            int take = (value > most) | (value != value) | (at[i] < 0);                            \
            y[i] = take ? value : most;                                                            \
            at[i] = take ? s.source + p : at[i];                                                   \
        }                                                                                          \
    }                                                                                              \
    static inline __attribute__((always_inline)) void take_most_##S(                               \
        stretch s, int64_t stride, const T *restrict x, T *restrict y)                             \
    {                                                                                              \
        x += s.source;                                                                             \
        for (int64_t i = s.from, p = 0; i < s.to; i++, p += stride) {                              \
            T value = x[p], most = y[i];                                                           \
            y[i] = (value > most) | (value != value) ? value : most;                               \
        }                                                                                          \
    }                                                                                              \
    static inline __attribute__((always_inline)) void add_##S(stretch s, int64_t stride,           \
                                                              const T *restrict x, T *restrict y)  \
    {                                                                                              \
        x += s.source;                                                                             \
        for (int64_t i = s.from, p = 0; i < s.to; i++, p += stride)                                \
            y[i] += x[p];                                                                          \
    }                                                                                              \
    static inline __attribute__((always_inline)) void give_##S(stretch s, int64_t stride,          \
                                                               const T *restrict y, T *restrict x) \
    {                                                                                              \
        x += s.source;                                                                             \
        for (int64_t i = s.from, p = 0; i < s.to; i++, p += stride)                                \
            x[p] += y[i];                                                                          \
    }                                                                                              \
    /* The usual window: 2 x 2, side by side.  Places are counted in the element's width, so that  \
     * lanes of values and of places correspond. */                                                \
    static void max_pairs_##S(const rl_pool_window *v, const T *restrict x, T *restrict y,         \
                              int64_t *restrict at)                                                \
    {                                                                                              \
        const INT width = (INT)v->in[2];                                                           \
        for (int64_t row = 0; row < v->in[0] * v->out[1]; row++) {                                 \
            int64_t base = (row / v->out[1] * v->in[1] + row % v->out[1] * 2) * width;             \
            const T *p = x + base, *q = p + width;                                                 \
            for (int64_t i = 0; i < v->out[2]; i++) {                                              \
                T most = p[2 * i], value = p[2 * i + 1];                                           \
                int take = (value > most) | (value != value);                                      \
                INT place = take ? 1 : 0;                                                          \
                most = take ? value : most;                                                        \
                value = q[2 * i];                                                                  \
                take = (value > most) | (value != value);                                          \
                place = take ? width : place;                                                      \
                most = take ? value : most;                                                        \
                value = q[2 * i + 1];                                                              \
                take = (value > most) | (value != value);                                          \
                place = take ? width + 1 : place;                                                  \
                y[i] = take ? value : most;                                                        \
                at[i] = base + 2 * i + place;                                                      \
            }                                                                                      \
            y += v->out[2];                                                                        \
            at += v->out[2];                                                                       \
        }                                                                                          \
    }                                                                                              \
    static void max_##S(const rl_pool_window *v, const T *x, T *y, int64_t *at)                    \
    {                                                                                              \
        if (in_pairs(v)) {                                                                         \
            max_pairs_##S(v, x, y, at);                                                            \
            return;                                                                                \
        }                                                                                          \
        ROWS                                                                                       \
        {                                                                                          \
            for (int64_t i = 0; i < v->out[2]; i++) {                                              \
                y[i] = -INFINITY;                                                                  \
                at[i] = -1;                                                                        \
            }                                                                                      \
            EACH_STRETCH(0, k2 < v->kernel[2], k2++, take_max_##S, x, y, at)                       \
            at += v->out[2];                                                                       \
        }                                                                                          \
    }                                                                                              \
    static void most_##S(const rl_pool_window *v, const T *x, T *y)                                \
    {                                                                                              \
        ROWS                                                                                       \
        {                                                                                          \
            for (int64_t i = 0; i < v->out[2]; i++)                                                \
                y[i] = -INFINITY;                                                                  \
            EACH_STRETCH(0, k2 < v->kernel[2], k2++, take_most_##S, x, y)                          \
        }                                                                                          \
    }                                                                                              \
    static void sum_##S(const rl_pool_window *v, const T *x, T *y)                                 \
    {                                                                                              \
        ROWS                                                                                       \
        {                                                                                          \
            for (int64_t i = 0; i < v->out[2]; i++)                                                \
                y[i] = 0;                                                                          \
            EACH_STRETCH(0, k2 < v->kernel[2], k2++, add_##S, x, y)                                \
        }                                                                                          \
    }                                                                                              \
    static void spread_##S(const rl_pool_window *v, const T *y, T *x)                              \
    {                                                                                              \
        ROWS EACH_STRETCH(v->kernel[2] - 1, k2 >= 0, k2--, give_##S, y, x)                         \
    }

POOL(float, int32_t, f32)
POOL(double, int64_t, f64)

static const rl_pool_kernels kernels = {max_f32, max_f64, most_f32,   most_f64,
                                        sum_f32, sum_f64, spread_f32, spread_f64};

void K(fill_pool)(rl_kernels *table);
void K(fill_pool)(rl_kernels *table) { table->pool = &kernels; }
