/* fft.h: Fourier transforms of short signals, for rushlight.fft. */
#ifndef RL_OPS_FFT_H
#define RL_OPS_FFT_H

#include "kernels/fft.h"

typedef enum rl_fft_scale { RL_FFT_PLAIN, RL_FFT_BY_N, RL_FFT_BY_ROOT } rl_fft_scale;

/* Whether rl_fft_short is for these: floating or complex dtype, at least one number, lengths that
 * factor small, signals short or many.  dims: at least one, distinct, from 0 on.  size:
 * RL_FFT_FROM_HALF's length along the last of dims. */
bool rl_fft_is_short(rl_tensor *x, rl_ints dims, rl_fft_kind kind, int64_t size);
/* The transform over dims, row-major.  x is real or complex as kind asks. */
rl_tensor *rl_fft_short(rl_tensor *x, rl_ints dims, rl_fft_kind kind, bool inverse,
                        rl_fft_scale scale, int64_t size);

#endif
