/* isa.h: included first by every file in kernels/isa/.  K(f) is f's name in this build: exp_f32 ->
 * exp_f32_avx2. */
#ifndef RL_KERNELS_ISA_H
#define RL_KERNELS_ISA_H

#ifndef RL_ISA
#error "RL_ISA must be portable, avx2 or avx512: setup.py compiles this folder once for each"
#endif

#define RL_PASTE3(a, b, c) a##b##c
#define RL_PASTE2(a, b) RL_PASTE3(a, _, b)
#define K(name) RL_PASTE2(name, RL_ISA)

/* Bytes of the machine's vectors in this build. */
#if defined(__AVX512F__)
#define RL_VECTOR_BYTES 64
#elif defined(__AVX2__)
#define RL_VECTOR_BYTES 32
#else
#define RL_VECTOR_BYTES 16
#endif

/* Before a loop over a few vectors, which then stay in registers. */
#if RL_VECTOR_BYTES > 16
#define RL_UNROLLED _Pragma("GCC unroll 16")
#else
#define RL_UNROLLED
#endif

/* Whether this build has float64 of its own where a file asks: AVX-512's is for float32, where the
 * time goes. */
#define RL_HAS_F64 (RL_VECTOR_BYTES < 64)

#include "kernels/kernels.h"

#endif
