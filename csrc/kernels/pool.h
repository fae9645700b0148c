/* pool.h: maxima and sums of windows of one plane. */
#ifndef RL_KERNELS_POOL_H
#define RL_KERNELS_POOL_H

#include <stdbool.h>
#include <stdint.h>

/* Dims that are missing come first, with size, kernel, stride and dilation 1 and pad 0. */
typedef struct rl_pool_window {
    int64_t in[3], out[3], kernel[3], stride[3], pad[3], dilation[3];
} rl_pool_window;

/* Whether windows are 2 x 2 and lie side by side within the plane. */
static inline bool rl_pool_in_pairs(const rl_pool_window *v)
{
    for (int d = 0; d < 3; d++) {
        int64_t two = d == 0 ? 1 : 2;
        if (v->kernel[d] != two || v->stride[d] != two || v->pad[d] != 0 || v->dilation[d] != 1 ||
            v->out[d] * two > v->in[d])
            return false;
    }
    return true;
}

/* Whether all windows lie within the plane. */
static inline bool rl_pool_inside(const rl_pool_window *v)
{
    for (int d = 0; d < 3; d++)
        if (v->pad[d] ||
            (v->out[d] - 1) * v->stride[d] + (v->kernel[d] - 1) * v->dilation[d] >= v->in[d])
            return false;
    return true;
}

/* max: y and at for all windows; a NaN wins, the last of several, and of equal maxima the first;
 * -inf and -1 where a window misses the input.  most: the same maxima alone.  sum: y for all
 * windows, added in order.  spread: adds each y to its window of x, x's element by element in the
 * order of the windows.
 * pairs, for windows in pairs: the maxima, and which of a window's four elements each is, row by
 * row. unpair: the gradient of x from that of the maxima, zeros included. */
typedef struct rl_pool_kernels {
    void (*max_f32)(const rl_pool_window *v, const float *x, float *y, int64_t *at);
    void (*max_f64)(const rl_pool_window *v, const double *x, double *y, int64_t *at);
    void (*most_f32)(const rl_pool_window *v, const float *x, float *y);
    void (*most_f64)(const rl_pool_window *v, const double *x, double *y);
    void (*sum_f32)(const rl_pool_window *v, const float *x, float *y);
    void (*sum_f64)(const rl_pool_window *v, const double *x, double *y);
    void (*spread_f32)(const rl_pool_window *v, const float *y, float *x);
    void (*spread_f64)(const rl_pool_window *v, const double *y, double *x);
    void (*pairs_f32)(const rl_pool_window *v, const float *x, float *y, uint8_t *which);
    void (*pairs_f64)(const rl_pool_window *v, const double *x, double *y, uint8_t *which);
    void (*unpair_f32)(const rl_pool_window *v, const float *y, const uint8_t *which, float *x);
    void (*unpair_f64)(const rl_pool_window *v, const double *y, const uint8_t *which, double *x);
} rl_pool_kernels;

#endif
