/* gemm_int.c: integer matrix products: exact, modulo 2^bits as PyTorch's, for matrices of any
 * strides. */
#include <string.h>

#include "kernels/gemm.h"

/* Unsigned arithmetic of at least 32 bits wraps without undefined behaviour and gives the same low
 * bits. */
#define GEMM_INT(NAME, T, WIDE)                                                                    \
    static void NAME(const rl_gemm_args *g)                                                        \
    {                                                                                              \
        const T *b = g->b;                                                                         \
        for (int64_t i = 0; i < g->m; i++) {                                                       \
            const T *a = (const T *)g->a + i * g->rsa;                                             \
            T *c = (T *)g->c + i * g->ldc;                                                         \
            if (g->flags & RL_GEMM_BIAS)                                                           \
                memcpy(c, g->bias, (size_t)g->n * sizeof(T));                                      \
            else if (!(g->flags & RL_GEMM_C))                                                      \
                memset(c, 0, (size_t)g->n * sizeof(T));                                            \
            if (g->csb == 1) {                                                                     \
                for (int64_t p = 0; p < g->k; p++) {                                               \
                    WIDE x = (WIDE)a[p * g->csa];                                                  \
                    const T *row = b + p * g->rsb;                                                 \
                    for (int64_t j = 0; j < g->n; j++)                                             \
                        c[j] = (T)((WIDE)c[j] + x * (WIDE)row[j]);                                 \
                }                                                                                  \
            } else {                                                                               \
                for (int64_t j = 0; j < g->n; j++) {                                               \
                    WIDE s = (WIDE)c[j];                                                           \
                    for (int64_t p = 0; p < g->k; p++)                                             \
                        s += (WIDE)a[p * g->csa] * (WIDE)b[p * g->rsb + j * g->csb];               \
                    c[j] = (T)s;                                                                   \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }
GEMM_INT(gemm_u8, uint8_t, uint32_t)
GEMM_INT(gemm_i8, int8_t, uint32_t)
GEMM_INT(gemm_i16, int16_t, uint32_t)
GEMM_INT(gemm_i32, int32_t, uint32_t)
GEMM_INT(gemm_i64, int64_t, uint64_t)

void rl_gemm_int(const rl_gemm_args *g)
{
    switch (g->dtype) {
    case RL_U8:
        gemm_u8(g);
        break;
    case RL_I8:
        gemm_i8(g);
        break;
    case RL_I16:
        gemm_i16(g);
        break;
    case RL_I32:
        gemm_i32(g);
        break;
    default:
        gemm_i64(g);
        break;
    }
}
