/* reduce_int.tmpl.h: minimum, maximum, any, all and positions of an integer dtype or bool: no order
 * to keep. Needs T, DTYPE, NAME(f); undefines them at its end. */

#define EXTREME(f, better)                                                                         \
    static void NAME(f)(size_t no, size_t nr, const char *x, ptrdiff_t so, ptrdiff_t sr, char *y,  \
                        ptrdiff_t sy, const rl_kargs *a)                                           \
    {                                                                                              \
        for (size_t o = 0; o < no; o++, x += so, y += sy) {                                        \
            const char *at = x;                                                                    \
            T best = *(const T *)x;                                                                \
            if (sr == sizeof(T))                                                                   \
                for (size_t i = 1; i < nr; i++) {                                                  \
                    const T v = ((const T *)x)[i];                                                 \
                    best = v better best ? v : best;                                               \
                }                                                                                  \
            else                                                                                   \
                for (size_t i = 0; i < nr; i++, at += sr) {                                        \
                    const T v = *(const T *)at;                                                    \
                    best = v better best ? v : best;                                               \
                }                                                                                  \
            *(T *)y = best;                                                                        \
        }                                                                                          \
    }                                                                                              \
    static void NAME(ARG##f)(size_t no, size_t nr, const char *x, ptrdiff_t so, ptrdiff_t sr,      \
                             char *y, ptrdiff_t sy, const rl_kargs *a)                             \
    {                                                                                              \
        for (size_t o = 0; o < no; o++, x += so, y += sy) {                                        \
            const char *at = x;                                                                    \
            T best = *(const T *)x;                                                                \
            int64_t index = 0;                                                                     \
            for (size_t i = 0; i < nr; i++, at += sr) {                                            \
                const T v = *(const T *)at;                                                        \
                if (v better best) {                                                               \
                    best = v;                                                                      \
                    index = (int64_t)i;                                                            \
                }                                                                                  \
            }                                                                                      \
            *(int64_t *)y = index;                                                                 \
        }                                                                                          \
    }
EXTREME(MIN, <)
EXTREME(MAX, >)
#undef EXTREME

#include "reduce_bool.tmpl.h"

static void NAME(reduce_fill)(rl_kernels *t)
{
    t->reduce[RL_REDUCE_MIN][DTYPE] = NAME(MIN);
    t->reduce[RL_REDUCE_MAX][DTYPE] = NAME(MAX);
    t->reduce[RL_REDUCE_ARGMIN][DTYPE] = NAME(ARGMIN);
    t->reduce[RL_REDUCE_ARGMAX][DTYPE] = NAME(ARGMAX);
    t->reduce[RL_REDUCE_ANY][DTYPE] = NAME(ANY);
    t->reduce[RL_REDUCE_ALL][DTYPE] = NAME(ALL);
}

#undef T
#undef DTYPE
#undef NAME
