/* dispatch.c: the table of kernels, filled when the library is loaded. */
#include "core/cpu.h"
#include "kernels/kernels.h"

#include <string.h>

rl_kernels rl_kernel_table;

/* Each file of kernels/isa has a filler per build that there is of it (setup.py, ONLY); a build
 * enters what it has over what the one below it entered. */
#define RL_EVERY_BUILD(X, isa)                                                                     \
    X(math, isa)                                                                                   \
    X(activation, isa)                                                                             \
    X(row, isa)                                                                                    \
    X(gemm, isa)                                                                                   \
    X(conv, isa)                                                                                   \
    X(rnn, isa)                                                                                    \
    X(special, isa)
#define RL_TWO_BUILDS(X, isa)                                                                      \
    X(arith, isa)                                                                                  \
    X(complex, isa)                                                                                \
    X(integer, isa)                                                                                \
    X(reduce, isa)                                                                                 \
    X(optim, isa)                                                                                  \
    X(pool, isa)                                                                                   \
    X(fft, isa)
#define DECLARE(file, isa) void fill_##file##_##isa(rl_kernels *t);
#define FILL(file, isa) fill_##file##_##isa(t);

RL_EVERY_BUILD(DECLARE, portable)
RL_TWO_BUILDS(DECLARE, portable)
static void fill_portable(rl_kernels *t){RL_EVERY_BUILD(FILL, portable)
                                             RL_TWO_BUILDS(FILL, portable)}
#ifdef RL_HAVE_AVX2
RL_EVERY_BUILD(DECLARE, avx2) RL_TWO_BUILDS(DECLARE, avx2) static void fill_avx2(rl_kernels *t)
{
    fill_portable(t);
    RL_EVERY_BUILD(FILL, avx2)
    RL_TWO_BUILDS(FILL, avx2)
}
#endif
#ifdef RL_HAVE_AVX512
RL_EVERY_BUILD(DECLARE, avx512)
static void fill_avx512(rl_kernels *t)
{
    fill_avx2(t);
    RL_EVERY_BUILD(FILL, avx512)
}
#endif

bool rl_kernels_fill(rl_kernels *t, const char *isa)
{
    static const struct {
        rl_isa_level level;
        void (*fill)(rl_kernels *t);
    } builds[] = {
        {RL_LEVEL_PORTABLE, fill_portable},
#ifdef RL_HAVE_AVX2
        {RL_LEVEL_AVX2, fill_avx2},
#endif
#ifdef RL_HAVE_AVX512
        {RL_LEVEL_AVX512, fill_avx512},
#endif
    };
    for (size_t i = 0; i < sizeof builds / sizeof *builds; i++) {
        const char *name = rl_isa_level_name(builds[i].level);
        if (strcmp(isa, name) == 0 && rl_cpu_has_level(builds[i].level)) {
            memset(t, 0, sizeof *t);
            t->isa = name;
            builds[i].fill(t);
            return true;
        }
    }
    return false;
}

/* Before any other code of the library: operators read the table without a check. */
__attribute__((constructor)) static void fill_table(void)
{
    if (!rl_kernels_fill(&rl_kernel_table, rl_isa()))
        rl_kernels_fill(&rl_kernel_table, "portable");
}
