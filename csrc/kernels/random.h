/* random.h: the random numbers' loops, one build per instruction set.  Which numbers are drawn, and
 * in which order, is core/random.c's affair. */
#ifndef RL_KERNELS_RANDOM_H
#define RL_KERNELS_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#define RL_MT_N 624 /* words of state */

typedef struct rl_random_kernels {
    /* The next RL_MT_N words of the Mersenne Twister's recurrence, in place. */
    void (*advance)(uint32_t *state);
    /* Words of state to words of output. */
    void (*temper)(const uint32_t *x, uint32_t *y, size_t n);
    /* Uniform on [from, to): 24 bits from each word; 53 from each pair, the first word on top. */
    void (*uniform_f32)(const uint32_t *bits, float *y, size_t n, float from, float to);
    void (*uniform_f64)(const uint32_t *bits, double *y, size_t n, double from, double to);
    /* one where the 53 bits of a pair are below `below`, else 0. */
    void (*bernoulli_f32)(const uint32_t *bits, float *y, size_t n, uint64_t below, float one);
    /* Box-Muller in place on blocks of 16: y[0..7] uniform give the radii, y[8..15] the angles. */
    void (*normal_f32)(float *y, size_t blocks, float mean, float std);
    void (*normal_f64)(double *y, size_t blocks, double mean, double std);
    /* Box-Muller on pairs of 53-bit numbers, four words each: the first number gives the angle, the
     * second the radius. y[2i] by the cosine, y[2i + 1] by the sine; mean 0, deviation 1. */
    void (*normal_pairs)(const uint32_t *bits, double *y, size_t pairs);
    /* In place: y = mean + deviation y;  exp of that. */
    void (*affine)(double *y, size_t n, double mean, double std);
    void (*log_normal)(double *y, size_t n, double mean, double std);
    /* In place on 53-bit uniform numbers. */
    void (*exponential)(double *y, size_t n, double rate);
    void (*geometric)(double *y, size_t n, double log_rest); /* log(1 - p) */
    void (*cauchy)(double *y, size_t n, double median, double sigma);
} rl_random_kernels;

extern const rl_random_kernels rl_random_portable, rl_random_avx2;

#endif
