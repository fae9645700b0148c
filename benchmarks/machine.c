/* machine.c: what the processor can do at most, on one thread or several.
 *
 *     cc -O3 -march=native machine.c -o machine -pthread && ./machine THREADS N...
 *
 * Prints "fma GFLOP/s" (float32 fused multiply-adds) and for each N the GB/s at which arrays of N
 * floats are gone through again and again: "read N" (a sum), "copy N" (one read, one written), "add
 * N" (two read, one written). All threads together; each has its own part of the arrays. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#if defined(__AVX512F__)
#define BYTES 64
#elif defined(__AVX2__)
#define BYTES 32
#else
#define BYTES 16
#endif
#if defined(__x86_64__)
#include <immintrin.h>
#define CHAINS                                                                                     \
    12 /* independent sums: enough to cover the latency, few enough to stay in registers */
#else
#define CHAINS 16
#endif
#define WIDTH (BYTES / sizeof(float))
#define MOST_THREADS 256

typedef float vec __attribute__((vector_size(BYTES)));

enum work { FMA, READ, READ_FOUR, COPY, COPY_PAST_CACHE, ADD, ADD_PAST_CACHE };

static struct {
    enum work work;
    size_t n; /* floats in an array */
    long times;
    int threads;
    vec *x, *y, *z;
    atomic_int arrived, round;
} job;

static volatile float sink;
static double least; /* seconds of the best round */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* All threads meet; they spin, for a wake-up would take as long as a round. */
static void meet(void)
{
    int round = atomic_load(&job.round);
    if (atomic_fetch_add(&job.arrived, 1) + 1 == job.threads) {
        atomic_store(&job.arrived, 0);
        atomic_store(&job.round, round + 1);
    } else {
        while (atomic_load(&job.round) == round)
            ;
    }
}

static void multiply_add(long times)
{
    vec sums[CHAINS], x = {0}, y = {0};
    x += 1.0000001f, y += 1e-9f;
    _Pragma("GCC unroll 16") for (int i = 0; i < CHAINS; i++) sums[i] = x * (float)i;
    for (long k = 0; k < times; k++)
        _Pragma("GCC unroll 16") for (int i = 0; i < CHAINS; i++)
        {
            sums[i] = sums[i] * x + y;
#if defined(__x86_64__)
            __asm__("" : "+v"(sums[i])); /* the compiler shall neither merge nor drop them */
#elif defined(__aarch64__)
            __asm__("" : "+w"(sums[i]));
#endif
        }
    _Pragma("GCC unroll 16") for (int i = 1; i < CHAINS; i++) sums[0] += sums[i];
    sink = sums[0][0];
}

/* `streams` parts of the array side by side: memory may deliver more from one place or from
 * several. */
static inline void read_all(const vec *x, size_t n, size_t streams)
{
    vec sums[8] = {0};
    size_t each = 8 / streams, part = n / streams / each * each;
    for (size_t i = 0; i < part; i += each)
        _Pragma("GCC unroll 8") for (size_t j = 0; j < 8; j++) sums[j] +=
            x[j / each * part + i + j % each];
    _Pragma("GCC unroll 8") for (size_t j = 1; j < 8; j++) sums[0] += sums[j];
    sink = sums[0][0];
}

/* A store that leaves the caches alone, as good kernels do with results larger than these. */
static inline void store_past_cache(vec *to, vec value)
{
#if defined(__AVX512F__)
    _mm512_stream_ps((float *)to, (__m512)value);
#elif defined(__AVX2__)
    _mm256_stream_ps((float *)to, (__m256)value);
#else
    *to = value;
#endif
}

static void go_through(size_t from, size_t end)
{
    const vec *x = job.x, *y = job.y;
    vec *z = job.z;
    switch (job.work) {
    case FMA:
        break;
    case READ:
        read_all(x + from, end - from, 1);
        break;
    case READ_FOUR:
        read_all(x + from, end - from, 4);
        break;
    case COPY:
        for (size_t i = from; i < end; i++)
            z[i] = x[i];
        break;
    case COPY_PAST_CACHE:
        for (size_t i = from; i < end; i++)
            store_past_cache(z + i, x[i]);
        break;
    case ADD:
        for (size_t i = from; i < end; i++)
            z[i] = x[i] + y[i];
        break;
    case ADD_PAST_CACHE:
        for (size_t i = from; i < end; i++)
            store_past_cache(z + i, x[i] + y[i]);
        break;
    }
    __asm__ volatile("" ::: "memory");
}

static void *run(void *argument)
{
    size_t thread = (size_t)argument, threads = (size_t)job.threads, vectors = job.n / WIDTH;
    size_t from = vectors * thread / threads, end = vectors * (thread + 1) / threads;
    for (int round = 0; round < 20; round++) {
        meet();
        double start = now();
        if (job.work == FMA)
            multiply_add(job.times);
        else
            for (long k = 0; k < job.times; k++)
                go_through(from, end);
        meet();
        double took = now() - start;
        if (thread == 0 && took < least)
            least = took;
    }
    return NULL;
}

/* Seconds of one time `work`, on all threads. */
static double seconds(enum work work, size_t n, long times)
{
    pthread_t others[MOST_THREADS];
    job.work = work, job.n = n, job.times = times;
    atomic_store(&job.arrived, 0);
    least = 1e9;
    for (int i = 1; i < job.threads; i++)
        if (pthread_create(&others[i], NULL, run, (void *)(size_t)i)) {
            perror("machine: pthread_create");
            exit(1);
        }
    run((void *)0);
    for (int i = 1; i < job.threads; i++)
        pthread_join(others[i], NULL);
    return least / (double)times;
}

static double lesser(double a, double b) { return a < b ? a : b; }

/* An array in large pages where the system has them, every page touched. */
static vec *array(size_t n)
{
    size_t page = (size_t)2 << 20, bytes = (n * sizeof(float) + page - 1) / page * page;
    void *memory = aligned_alloc(page, bytes);
    if (!memory) {
        perror("machine: memory");
        exit(1);
    }
#ifdef MADV_HUGEPAGE
    madvise(memory, bytes, MADV_HUGEPAGE);
#endif
    memset(memory, 0, bytes);
    return memory;
}

int main(int count, char **arguments)
{
    job.threads = count > 1 ? atoi(arguments[1]) : 1;
    if (job.threads < 1 || job.threads > MOST_THREADS) {
        fprintf(stderr, "machine: 1 to %d threads, not %s\n", MOST_THREADS, arguments[1]);
        return 1;
    }
    double flops = 2.0 * WIDTH * CHAINS * job.threads;
    printf("fma %.1f\n", flops / seconds(FMA, 0, 500000) * 1e-9);
    for (int i = 2; i < count; i++) {
        size_t n = strtoul(arguments[i], NULL, 10);
        long times = 1 + (long)(10000000 / (n + 1)); /* a millisecond or so */
        double bytes = sizeof(float) * (double)n;
        job.x = array(n), job.y = array(n), job.z = array(n);
        double read = lesser(seconds(READ, n, times), seconds(READ_FOUR, n, times));
        double copy = lesser(seconds(COPY, n, times), seconds(COPY_PAST_CACHE, n, times));
        double add = lesser(seconds(ADD, n, times), seconds(ADD_PAST_CACHE, n, times));
        printf("read %zu %.1f\n", n, bytes / read * 1e-9);
        printf("copy %zu %.1f\n", n, 2 * bytes / copy * 1e-9);
        printf("add %zu %.1f\n", n, 3 * bytes / add * 1e-9);
        free(job.x), free(job.y), free(job.z);
    }
    return 0;
}
