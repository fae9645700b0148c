/* fft.c: Fourier transforms of short signals, as many at a time as a vector has lanes. */
#include "kernels/isa/isa.h"

#include "kernels/fft.h"

/* Whether there is more than one way for the same result; the portable build is the definition. */
#ifdef RL_CALLS
#define BY_VECTORS 0
#define VECTOR 16
#else
#define BY_VECTORS 1
#define VECTOR RL_FFT_VECTOR
#endif

#define T float
#define NAME(f) f##_f32
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define HIGH(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#define EVEN(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14)
#define ODD(a, b) __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15)
#include "kernels/isa/fft.tmpl.h"

#define T double
#define NAME(f) f##_f64
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define HIGH(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#define EVEN(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6)
#define ODD(a, b) __builtin_shufflevector(a, b, 1, 3, 5, 7)
#include "kernels/isa/fft.tmpl.h"

void K(fill_fft)(rl_kernels *t)
{
    t->fft[0] = fft_f32;
    t->fft[1] = fft_f64;
    t->fft_vector = VECTOR;
}
