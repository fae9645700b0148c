/* cpu.h: what the machine can do, and which instruction set the kernels use. */
#ifndef RL_CORE_CPU_H
#define RL_CORE_CPU_H

#include "rushlight.h"

/* Kernel builds, each a superset of the one before. */
typedef enum rl_isa_level { RL_LEVEL_PORTABLE, RL_LEVEL_AVX2, RL_LEVEL_AVX512 } rl_isa_level;

/* The build to use: what RUSHLIGHT_ISA names ("portable", also "scalar"; "avx2"; "avx512"), else
 * the best that the machine runs and the library was built with.  A name that cannot be had: the
 * best one here, and rl_isa_status (in rushlight.h) reports it. */
rl_isa_level rl_cpu_isa_level(void);
/* Whether this machine and this library have that build. */
bool rl_cpu_has_level(rl_isa_level level);
const char *rl_isa_level_name(rl_isa_level level);

/* Bytes of data cache of level 1, 2 or 3 that one core reaches; typical values where the system
 * does not tell. */
size_t rl_cpu_cache(int level);
/* Processors this process may run on (its affinity), at least 1. */
int rl_cpu_count(void);
/* Bytes of memory and swap of the machine, less where a control group allows less; SIZE_MAX when
 * unknown. */
size_t rl_cpu_memory(void);

#endif
