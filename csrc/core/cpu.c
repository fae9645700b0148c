/* cpu.c: instruction sets, caches, processors and memory of the machine. */
#define _GNU_SOURCE
#include "core/cpu.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __linux__
#include <sched.h>
#endif

#include "core/error.h"

static struct {
    rl_isa_level level;
    char bad_name[64]; /* RUSHLIGHT_ISA when it cannot be had, else empty */
    bool unknown;      /* bad_name is no name of ours at all */
    size_t cache[4];
} cpu;
static pthread_once_t cpu_once = PTHREAD_ONCE_INIT;

bool rl_cpu_has_level(rl_isa_level level)
{
    switch (level) {
    case RL_LEVEL_PORTABLE:
        return true;
#ifdef RL_HAVE_AVX2
    case RL_LEVEL_AVX2:
        __builtin_cpu_init();
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
               __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("f16c");
#endif
#ifdef RL_HAVE_AVX512
    case RL_LEVEL_AVX512:
        __builtin_cpu_init();
        return rl_cpu_has_level(RL_LEVEL_AVX2) && __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512dq");
#endif
    default:
        return false;
    }
}

const char *rl_isa_level_name(rl_isa_level level)
{
    static const char *const names[] = {"portable", "avx2", "avx512"};
    return names[level];
}

static size_t cache_size(int name, size_t typical)
{
    long bytes = name >= 0 ? sysconf(name) : 0;
    return bytes > 0 ? (size_t)bytes : typical;
}

static void cpu_init(void)
{
    rl_isa_level best = RL_LEVEL_PORTABLE;
    for (rl_isa_level l = RL_LEVEL_AVX2; l <= RL_LEVEL_AVX512; l++)
        if (rl_cpu_has_level(l))
            best = l;
    cpu.level = best;
    const char *wanted = getenv("RUSHLIGHT_ISA");
    if (wanted && *wanted) {
        bool known = false, usable = false;
        for (rl_isa_level l = RL_LEVEL_PORTABLE; l <= RL_LEVEL_AVX512; l++)
            if (!strcmp(wanted, rl_isa_level_name(l)) ||
                (l == RL_LEVEL_PORTABLE && !strcmp(wanted, "scalar"))) {
                known = true;
                usable = rl_cpu_has_level(l);
                if (usable)
                    cpu.level = l;
            }
        if (!usable) {
            snprintf(cpu.bad_name, sizeof cpu.bad_name, "%s", wanted);
            cpu.unknown = !known;
        }
    }
#ifdef _SC_LEVEL1_DCACHE_SIZE
    cpu.cache[1] = cache_size(_SC_LEVEL1_DCACHE_SIZE, 32 << 10);
    cpu.cache[2] = cache_size(_SC_LEVEL2_CACHE_SIZE, 512 << 10);
    cpu.cache[3] = cache_size(_SC_LEVEL3_CACHE_SIZE, 8 << 20);
#else
    cpu.cache[1] = cache_size(-1, 32 << 10);
    cpu.cache[2] = cache_size(-1, 512 << 10);
    cpu.cache[3] = cache_size(-1, 8 << 20);
#endif
}

rl_isa_level rl_cpu_isa_level(void)
{
    pthread_once(&cpu_once, cpu_init);
    return cpu.level;
}

const char *rl_isa(void) { return rl_isa_level_name(rl_cpu_isa_level()); }

rl_status rl_isa_status(void)
{
    pthread_once(&cpu_once, cpu_init);
    if (!cpu.bad_name[0])
        return RL_OK;
    if (cpu.unknown)
        return rl_error(RL_ERUNTIME,
                        "RUSHLIGHT_ISA='%s' is not the name of an instruction set: use portable, "
                        "avx2 or avx512",
                        cpu.bad_name);
    return rl_error(RL_ERUNTIME,
                    "RUSHLIGHT_ISA='%s', but this machine or this build has no %s; the best one "
                    "here is %s",
                    cpu.bad_name, cpu.bad_name, rl_isa_level_name(cpu.level));
}

size_t rl_cpu_cache(int level)
{
    pthread_once(&cpu_once, cpu_init);
    return level >= 1 && level <= 3 ? cpu.cache[level] : 0;
}

int rl_cpu_count(void)
{
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return CPU_COUNT(&set);
#endif
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}

/* The number in a one-line file, SIZE_MAX when there is none ("max"). */
static size_t number_in(const char *path)
{
    FILE *f = fopen(path, "r");
    unsigned long long v = 0;
    if (!f)
        return SIZE_MAX;
    bool ok = fscanf(f, "%llu", &v) == 1;
    fclose(f);
    return ok ? (size_t)v : SIZE_MAX;
}

size_t rl_cpu_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    size_t total = pages > 0 && page > 0 ? (size_t)pages * (size_t)page : SIZE_MAX;
#ifdef __linux__
    FILE *f = fopen("/proc/meminfo", "r");
    char line[128];
    unsigned long long kib;
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "SwapTotal: %llu", &kib) == 1 && total != SIZE_MAX)
            total += (size_t)kib << 10;
    if (f)
        fclose(f);
    size_t group = number_in("/sys/fs/cgroup/memory.max");
    if (group < total)
        total = group;
    group = number_in("/sys/fs/cgroup/memory/memory.limit_in_bytes");
    if (group < total)
        total = group;
#endif
    return total;
}
