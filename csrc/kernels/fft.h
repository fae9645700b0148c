/* fft.h: discrete Fourier transforms of many short signals at once.  A vector holds one number of
 * each of several signals, its lanes; all lanes go through the same butterflies, whatever the
 * radix. */
#ifndef RL_KERNELS_FFT_H
#define RL_KERNELS_FFT_H

#include "rushlight.h"

enum {
    RL_FFT_LONGEST = 4096, /* numbers of a signal, over all dims transformed */
    RL_FFT_PRIME = 13,     /* greatest prime factor of a length */
    RL_FFT_VECTOR = 32     /* bytes at most: 8 lanes of float32, 4 of float64 */
};

typedef enum rl_fft_kind {
    RL_FFT_COMPLEX, /* complex to complex */
    RL_FFT_REAL,    /* real to complex, all numbers */
    RL_FFT_TO_HALF, /* real to the first n / 2 + 1 along the last dim */
    RL_FFT_FROM_HALF
} rl_fft_kind;

/* A transform over ndim dims of n[] numbers (of the real side).  table[i]: cos and -sin of 2 pi j /
 * n[i] for j = 0 ... n[i] - 1, in the dtype; of the last dim of an even n, to and from half, n / 2
 * numbers are transformed by half_table, which belongs to n / 2. */
typedef struct rl_fft {
    rl_fft_kind kind;
    bool inverse; /* e^+; RL_FFT_TO_HALF: the results conjugated.  RL_FFT_FROM_HALF always is */
    double scale;
    int ndim;
    const int64_t *n;
    const void *const *table;
    const void *half_table;
    bool dense_in, dense_out;      /* the numbers of a signal lie without gaps, in order */
    int64_t n_in, n_out;           /* numbers of one signal */
    const int64_t *at_in, *at_out; /* where they lie, in real numbers from the signal's first */
} rl_fft;

/* Up to fft_vector (kernels.h) bytes of signals: first_in, first_out: where each begins, in real
 * numbers. scratch: rl_fft_scratch() bytes, aligned for vectors. */
typedef void rl_fft_fn(const rl_fft *f, int signals, const void *x, const int64_t *first_in,
                       void *y, const int64_t *first_out, void *scratch);

size_t rl_fft_scratch(const rl_fft *f); /* ops/fft.c */

#endif
