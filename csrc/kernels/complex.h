/* complex.h: the kernels of complex dtypes, the same for every instruction set. */
#ifndef RL_KERNELS_COMPLEX_H
#define RL_KERNELS_COMPLEX_H

#include "kernels/kernels.h"

void rl_fill_complex(rl_kernels *t);

#endif
