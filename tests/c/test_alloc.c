/* The allocator: alignment, reuse, limits, statistics, failure on request, blocks freed by another
 * thread. */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/wait.h>

#include "check.h"

static bool sizes(void)
{
    size_t bytes[] = {0,    1,     63,    64,    65,     256,     257,    1000,
                      4096, 65535, 65536, 65537, 100000, 1 << 20, 5000001};
    void *p[sizeof bytes / sizeof *bytes];
    int n = (int)(sizeof bytes / sizeof *bytes), made = 0;
    bool ok = true;
    for (; made < n; made++) {
        p[made] = rl_alloc(bytes[made]);
        if (!p[made]) {
            ok = false;
            break;
        }
        CHECK((uintptr_t)p[made] % 64 == 0);
        memset(p[made], made + 1, bytes[made]);
    }
    for (int i = 0; i < made; i++) {
        for (size_t j = 0; j < bytes[i]; j += 97)
            CHECK(((unsigned char *)p[i])[j] == i + 1);
        rl_free(p[i], bytes[i]);
    }
    return ok;
}

static bool headers(void)
{
    void *p[70];
    int made = 0;
    for (; made < 70; made++) {
        p[made] = rl_small_alloc((size_t)made * 9);
        if (!p[made])
            break;
        memset(p[made], made, (size_t)made * 9);
    }
    for (int i = 0; i < made; i++) {
        for (int j = 0; j < i * 9; j++)
            CHECK(((unsigned char *)p[i])[j] == i);
        rl_small_free(p[i], (size_t)i * 9);
    }
    return made == 70;
}

static bool too_much(void)
{
    CHECK(!rl_alloc((size_t)1 << 47));
    CHECK(rl_error_code() == RL_EMEMORY);
    CHECK_STR(rl_error_message(),
              "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate "
              "memory: you tried to allocate 140737488355328 bytes. Error code 12 (Cannot allocate "
              "memory)");
    CHECK(!rl_alloc(SIZE_MAX));
    CHECK(!rl_alloc(SIZE_MAX - 63));
    return true;
}

static bool statistics(void)
{
    rl_memory_stats a, b;
    rl_memory_reset_peak();
    rl_memory(&a);
    CHECK(a.peak == a.in_use);
    void *p = rl_alloc(1000), *q = p ? rl_alloc(3000000) : NULL;
    rl_memory(&b);
    if (q) {
        CHECK(b.in_use - a.in_use >= 3001000 && b.in_use - a.in_use < 3500000);
        CHECK(b.n_alloc == a.n_alloc + 2);
    }
    rl_free(p, 1000);
    if (q)
        rl_free(q, 3000000);
    rl_memory(&b);
    CHECK(b.in_use == a.in_use);
    if (q)
        CHECK(b.peak - a.in_use >= 3001000);
    rl_empty_cache();
    rl_memory(&b);
    CHECK(b.cached == 0);
    return q != NULL;
}

static void *free_there(void *arg)
{
    void **p = arg;
    rl_free(p[0], 500);
    rl_small_free(p[1], 40);
    rl_free(p[2], 1 << 20);
    p[0] = rl_alloc(800);
    return NULL;
}

static bool other_thread(void)
{
    pthread_t thread;
    void *p[3] = {rl_alloc(500), rl_small_alloc(40), rl_alloc(1 << 20)};
    bool ok = p[0] && p[1] && p[2];
    if (!ok) {
        rl_free(p[0], 500);
        rl_small_free(p[1], 40);
        if (p[2])
            rl_free(p[2], 1 << 20);
        return false;
    }
    pthread_create(&thread, NULL, free_there, p);
    pthread_join(thread, NULL);
    rl_free(p[0], 800);
    return p[0] != NULL;
}

static long resident_bytes(void)
{
    long all = 0, here = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%ld %ld", &all, &here) != 2)
        here = 0;
    if (f)
        fclose(f);
    return here * sysconf(_SC_PAGESIZE);
}

/* Blocks of less than some megabytes share regions: they keep apart, and what is freed goes back to
 * the system although neighbours stay. */
static bool regions(void)
{
    enum { N = 48 };
    unsigned char *p[N] = {NULL};
    bool ok = true;
    for (int i = 0; i < N && ok; i++) {
        const size_t bytes = (size_t)(i % 4 + 1) * 300000;
        p[i] = rl_alloc(bytes);
        if (p[i])
            memset(p[i], i + 1, bytes);
        else
            ok = false;
    }
    const long full = resident_bytes();
    for (int i = 0; i < N; i += 2)
        if (p[i]) {
            rl_free(p[i], (size_t)(i % 4 + 1) * 300000);
            p[i] = NULL;
        }
    rl_empty_cache();
    const long half = resident_bytes();
#ifdef __SANITIZE_ADDRESS__ /* keeps what is freed for a while, to see who still uses it */
    (void)half, (void)full;
#else
    if (ok && full > 0) /* 14 MB were freed */
        CHECK(full - half > 10000000);
#endif
    for (int i = 0; i < N; i++) {
        const size_t bytes = (size_t)(i % 4 + 1) * 300000;
        for (size_t j = 0; p[i] && j < bytes; j += 997)
            CHECK(p[i][j] == i + 1);
        if (p[i])
            rl_free(p[i], bytes);
    }
    rl_empty_cache();
    return ok;
}

static bool forked_child(void)
{
    void *p = rl_alloc(200000);
    NEED(p);
    pid_t child = fork();
    if (child == 0) {
        rl_free(p, 200000);
        rl_alloc_fail_after(0);
        void *q = rl_alloc(300000);
        _exit(q ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    CHECK(status == 0);
    rl_free(p, 200000);
    return true;
}

int main(void)
{
    RUN(sizes);
    RUN(headers);
    RUN(too_much);
    RUN(statistics);
    RUN(other_thread);
    RUN(regions);
    RUN(forked_child);
    return failures != 0;
}
