/* pool.h: maxima and sums of windows of one plane. */
#ifndef RL_KERNELS_POOL_H
#define RL_KERNELS_POOL_H

#include <stdint.h>

/* Dims that are missing come first, with size, kernel, stride and dilation 1 and pad 0. */
typedef struct rl_pool_window {
    int64_t in[3], out[3], kernel[3], stride[3], pad[3], dilation[3];
} rl_pool_window;

/* max: y and at for all windows; a NaN wins, the last of several, and of equal maxima the first;
 * -inf and -1 where a window misses the input.  most: the same maxima alone.  sum: y for all
 * windows, added in order.  spread: adds each y to its window of x, x's element by element in the
 * order of the windows. */
typedef struct rl_pool_kernels {
    void (*max_f32)(const rl_pool_window *v, const float *x, float *y, int64_t *at);
    void (*max_f64)(const rl_pool_window *v, const double *x, double *y, int64_t *at);
    void (*most_f32)(const rl_pool_window *v, const float *x, float *y);
    void (*most_f64)(const rl_pool_window *v, const double *x, double *y);
    void (*sum_f32)(const rl_pool_window *v, const float *x, float *y);
    void (*sum_f64)(const rl_pool_window *v, const double *x, double *y);
    void (*spread_f32)(const rl_pool_window *v, const float *y, float *x);
    void (*spread_f64)(const rl_pool_window *v, const double *y, double *x);
} rl_pool_kernels;

#endif
