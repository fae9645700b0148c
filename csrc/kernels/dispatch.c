/* dispatch.c: the table of kernels, filled when the library is loaded. */
#include "core/cpu.h"
#include "kernels/complex.h"
#include "kernels/kernels.h"

#include <string.h>

rl_kernels rl_kernel_table;

/* Each file of kernels/isa has one filler per build.  simple: the build whose loops of one or two
 * instructions are used, which wait for memory in wider vectors too (setup.py, SIMPLE). */
#define RL_FILLERS(isa, simple)                                                                    \
    void fill_arith_##simple(rl_kernels *t);                                                       \
    void fill_integer_##simple(rl_kernels *t);                                                     \
    void fill_special_##simple(rl_kernels *t);                                                     \
    void fill_math_##isa(rl_kernels *t);                                                           \
    void fill_activation_##isa(rl_kernels *t);                                                     \
    void fill_reduce_##simple(rl_kernels *t);                                                      \
    void fill_row_##isa(rl_kernels *t);                                                            \
    void fill_gemm_##isa(rl_kernels *t);                                                           \
    void fill_optim_##isa(rl_kernels *t);                                                          \
    void fill_rnn_##isa(rl_kernels *t);                                                            \
    static void fill_##isa(rl_kernels *t)                                                          \
    {                                                                                              \
        fill_arith_##simple(t);                                                                    \
        fill_integer_##simple(t);                                                                  \
        fill_special_##simple(t);                                                                  \
        fill_math_##isa(t);                                                                        \
        fill_activation_##isa(t);                                                                  \
        fill_reduce_##simple(t);                                                                   \
        fill_row_##isa(t);                                                                         \
        fill_gemm_##isa(t);                                                                        \
        fill_optim_##isa(t);                                                                       \
        fill_rnn_##isa(t);                                                                         \
    }

RL_FILLERS(portable, portable)
#ifdef RL_HAVE_AVX2
RL_FILLERS(avx2, avx2)
#endif
#ifdef RL_HAVE_AVX512
RL_FILLERS(avx512, avx2)
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
            rl_fill_complex(t);
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
