/* machine.c: what this core can do at most: float32 fused multiply-adds and reading memory.
 * Prints "fma GFLOP/s" and "read GB/s".  cc -O3 machine.c -o machine -lm */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static volatile float sink;

#if defined(__x86_64__)
#include <immintrin.h>

/* Enough independent chains to cover the latency; the compiler keeps them in registers. */
#define FMA_LOOP(NAME, TARGET, V, WIDTH, CHAINS, SET1, FMADD)                                      \
    __attribute__((target(TARGET))) static double NAME(long n)                                     \
    {                                                                                              \
        V acc[CHAINS], x = SET1(1.0000001f), y = SET1(1e-9f);                                      \
        _Pragma("GCC unroll 12") for (int i = 0; i < CHAINS; i++) acc[i] = SET1((float)i);         \
        for (long k = 0; k < n; k++)                                                               \
            _Pragma("GCC unroll 12") for (int i = 0; i < CHAINS; i++)                              \
            {                                                                                      \
                acc[i] = FMADD(acc[i], x, y);                                                      \
                __asm__("" : "+v"(acc[i]));                                                        \
            }                                                                                      \
        float out[WIDTH];                                                                          \
        _Pragma("GCC unroll 12") for (int i = 0; i < CHAINS; i++)                                  \
        {                                                                                          \
            memcpy(out, &acc[i], sizeof out);                                                      \
            sink = out[0];                                                                         \
        }                                                                                          \
        return 2.0 * WIDTH * CHAINS * (double)n;                                                   \
    }
FMA_LOOP(fma_avx512, "avx512f", __m512, 16, 12, _mm512_set1_ps, _mm512_fmadd_ps)
FMA_LOOP(fma_avx2, "avx2,fma", __m256, 8, 12, _mm256_set1_ps, _mm256_fmadd_ps)
#endif

static double fma_plain(long n)
{
    float acc[16];
    for (int i = 0; i < 16; i++)
        acc[i] = (float)i;
    for (long k = 0; k < n; k++)
        for (int i = 0; i < 16; i++)
            acc[i] = acc[i] * 1.0000001f + 1e-9f;
    for (int i = 0; i < 16; i++)
        sink = acc[i];
    return 2.0 * 16 * (double)n;
}

static double rate(double (*run)(long))
{
    double best = 0;
    for (int round = 0; round < 10; round++) {
        double start = now(), flops = run(2000000);
        double r = flops / (now() - start);
        best = r > best ? r : best;
    }
    return best;
}

int main(void)
{
    double best = rate(fma_plain);
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        double r = rate(fma_avx2);
        best = r > best ? r : best;
    }
    if (__builtin_cpu_supports("avx512f")) {
        double r = rate(fma_avx512);
        best = r > best ? r : best;
    }
#endif
    printf("fma %.1f\n", best * 1e-9);

    size_t n = (size_t)256 << 20;
    unsigned long *memory = malloc(n), sum[8] = {0};
    if (!memory)
        return 1;
    memset(memory, 1, n);
    double least = 1e9;
    for (int round = 0; round < 5; round++) {
        double start = now();
        for (size_t i = 0; i < n / sizeof *memory; i += 8)
            for (int j = 0; j < 8; j++)
                sum[j] += memory[i + (size_t)j];
        double took = now() - start;
        least = took < least ? took : least;
    }
    for (int j = 0; j < 8; j++)
        sink = (float)sum[j];
    printf("read %.1f\n", (double)n / least * 1e-9);
    free(memory);
    return 0;
}
