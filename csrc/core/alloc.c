/* alloc.c: memory from free lists.
 *
 * Three kinds of blocks.  Headers (rl_small_alloc, up to 512 bytes) and small data (up to 64 KiB)
 * come from free lists of the calling thread: no lock, no atomic read-modify-write.  A block may be
 * freed by another thread than the one that asked for it; it then joins that thread's list.  Large
 * data come from one cache behind a lock, since a fresh 40 MB block costs ten thousand page faults,
 * more than most arithmetic on it; it keeps at most a quarter of the machine's memory.  Sizes are
 * rounded up to classes of four steps per power of two (large: eight), so that a list's blocks are
 * interchangeable; rl_free finds the class again from the size.
 *
 * Counters belong to the threads and are summed when somebody asks. */
#define _GNU_SOURCE
#include "core/alloc.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/cpu.h"
#include "core/error.h"
#include "core/pages.h"

#define ALIGN 64
#define HEADER_MAX 512
#define HEADER_CLASSES (HEADER_MAX / 16)
#define SMALL_MAX (64 << 10)
#define SMALL_CLASSES 48
#ifdef __SANITIZE_ADDRESS__ /* keep nothing, so that the sanitizer sees every use after free */
#define HEADER_KEEP 0
#define SMALL_KEEP 0
#define SMALL_KEEP_MIN 0
#define LARGE_LIMIT(memory) 0
#else
#define HEADER_KEEP                                                                                \
    4096 /* blocks of a class kept per thread: graphs are built and freed in bulk                  \
          */
#define SMALL_KEEP (1 << 20) /* bytes of a class kept per thread, */
#define SMALL_KEEP_MIN 16    /* but this many blocks at least */
#define LARGE_LIMIT(memory) ((memory) / 4)
#endif
#define LARGE_CLASSES 384

/* A free block's first bytes. */
typedef struct block {
    struct block *next;
} block;

/* A free large block: also in the list of all, oldest first, to be given back in that order. */
typedef struct large {
    struct large *next, *prev; /* same class */
    struct large *newer, *older;
    size_t bytes;
} large;

typedef struct list {
    block *first;
    int n;
} list;

typedef struct thread_cache {
    list headers[HEADER_CLASSES + 1];
    list small[SMALL_CLASSES];
    /* Written by the owner only, read by anybody. */
    _Atomic int64_t in_use, live, n_alloc, cached;
    int64_t top;     /* most in_use since the last time peak was brought up to date */
    int64_t checked; /* in_use then */
    struct thread_cache *next, *prev;
} thread_cache;

/* The static TLS block is small, but a pointer fits, and reading it needs no call. */
#ifdef __GLIBC__
#define FAST_TLS __attribute__((tls_model("initial-exec")))
#else
#define FAST_TLS
#endif
static _Thread_local thread_cache *own FAST_TLS;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t at_thread_end;
static thread_cache *threads;
static struct {
    int64_t in_use, live, n_alloc; /* of threads that ended, and of large blocks */
    int64_t peak;
    large *class[LARGE_CLASSES];
    large *newest, *oldest;
    size_t cached, limit, memory;
} shared;
static _Atomic int64_t fail_after;

#define ADD(counter, v)                                                                            \
    atomic_store_explicit(&(counter),                                                              \
                          atomic_load_explicit(&(counter), memory_order_relaxed) + (v),            \
                          memory_order_relaxed)
#define GET(counter) atomic_load_explicit(&(counter), memory_order_relaxed)

/* ---- threads ---- */

static void give_back_lists(thread_cache *c)
{
    for (int k = 0; k <= HEADER_CLASSES; k++)
        for (block *b; (b = c->headers[k].first);) {
            c->headers[k].first = b->next;
            free(b);
        }
    for (int k = 0; k < SMALL_CLASSES; k++)
        for (block *b; (b = c->small[k].first);) {
            c->small[k].first = b->next;
            free(b);
        }
    for (int k = 0; k <= HEADER_CLASSES; k++)
        c->headers[k].n = 0;
    for (int k = 0; k < SMALL_CLASSES; k++)
        c->small[k].n = 0;
    atomic_store_explicit(&c->cached, 0, memory_order_relaxed);
}

static void thread_end(void *p)
{
    thread_cache *c = p;
    give_back_lists(c);
    pthread_mutex_lock(&lock);
    shared.in_use += GET(c->in_use);
    shared.live += GET(c->live);
    shared.n_alloc += GET(c->n_alloc);
    *(c->prev ? &c->prev->next : &threads) = c->next;
    if (c->next)
        c->next->prev = c->prev;
    pthread_mutex_unlock(&lock);
    free(c);
    own = NULL;
}

static void before_fork(void)
{
    pthread_mutex_lock(&lock);
    rl_pages_lock();
}
static void after_fork(void)
{
    rl_pages_unlock();
    pthread_mutex_unlock(&lock);
}

/* Before the thread pool registers its own: handlers run last first, and a loop's body may
 * allocate. */
__attribute__((constructor(101))) static void watch_fork(void)
{
    pthread_atfork(before_fork, after_fork, after_fork);
}

static void start(void)
{
    pthread_key_create(&at_thread_end, thread_end);
    shared.memory = rl_cpu_memory();
    shared.limit = LARGE_LIMIT(shared.memory);
}

/* The calling thread's lists, made on its first request; NULL when memory is short. */
static __attribute__((noinline)) thread_cache *own_start(void)
{
    pthread_once(&once, start);
    thread_cache *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    pthread_mutex_lock(&lock);
    c->next = threads;
    if (threads)
        threads->prev = c;
    threads = c;
    pthread_mutex_unlock(&lock);
    pthread_setspecific(at_thread_end, c);
    return own = c;
}

static inline thread_cache *own_lists(void)
{
    return __builtin_expect(own != NULL, 1) ? own : own_start();
}

/* Brings peak up to date; lock held. */
static int64_t sum_in_use(void)
{
    int64_t sum = shared.in_use;
    for (thread_cache *c = threads; c; c = c->next)
        sum += GET(c->in_use);
    if (own) {
        int64_t top = sum - GET(own->in_use) + own->top;
        if (top > shared.peak)
            shared.peak = top;
        own->top = own->checked = GET(own->in_use);
    }
    if (sum > shared.peak)
        shared.peak = sum;
    return sum;
}

/* ---- failing ---- */

static rl_status no_memory(size_t bytes)
{
    return rl_error(RL_EMEMORY,
                    "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't "
                    "allocate memory: you tried to allocate %zu bytes. Error code 12 (Cannot "
                    "allocate memory)",
                    bytes);
}

void rl_alloc_fail_after(int64_t n) { atomic_store(&fail_after, n); }

static __attribute__((noinline)) bool count_down(void)
{
    return atomic_fetch_sub(&fail_after, 1) == 1;
}

/* Whether a test wants this request to fail. */
static inline bool must_fail(void)
{
    return __builtin_expect(GET(fail_after) > 0, 0) && count_down();
}

/* ---- headers ---- */

void *rl_small_alloc(size_t bytes)
{
    thread_cache *c = own_lists();
    if (!c || must_fail()) {
        no_memory(bytes);
        return NULL;
    }
    block *b;
    if (__builtin_expect(bytes <= HEADER_MAX, 1)) {
        size_t k = (bytes + 15) / 16;
        list *l = &c->headers[k];
        b = l->first;
        if (__builtin_expect(b != NULL, 1)) {
            l->first = b->next;
            l->n--;
        } else {
            b = malloc(k ? k * 16 : 16);
        }
    } else {
        b = malloc(bytes);
    }
    if (!b) {
        no_memory(bytes);
        return NULL;
    }
    ADD(c->live, 1);
    return b;
}

void rl_small_free(void *p, size_t bytes)
{
    if (!p)
        return;
    thread_cache *c = own_lists();
    if (!c) { /* a thread's first act is to free, and memory is short */
        free(p);
        pthread_mutex_lock(&lock);
        shared.live--;
        pthread_mutex_unlock(&lock);
        return;
    }
    ADD(c->live, -1);
    list *l = &c->headers[bytes <= HEADER_MAX ? (bytes + 15) / 16 : 0];
    if (__builtin_expect(bytes > HEADER_MAX || l->n >= HEADER_KEEP, 0)) {
        free(p);
        return;
    }
    block *b = p;
    b->next = l->first;
    l->first = b;
    l->n++;
}

/* ---- data ---- */

/* Class of a size in 1..SMALL_MAX and the size all its blocks have: 64, 128, 192, 256, then 4 steps
 * per doubling. */
static inline int small_class(size_t bytes, size_t *rounded)
{
    if (bytes <= 256) {
        int k = bytes ? (int)((bytes - 1) / 64) : 0;
        *rounded = (size_t)(k + 1) * 64;
        return k;
    }
    int log = 63 - __builtin_clzll(bytes - 1); /* 2^log <= bytes - 1 */
    int shift = log - 2;
    size_t step = ((bytes - 1) >> shift) + 1; /* 5..8 quarters of 2^log */
    *rounded = step << shift;
    return 4 * (log - 7) + (int)step - 5;
}

/* The same with 8 steps per doubling and whole pages. */
static int large_class(size_t bytes, size_t *rounded)
{
    int log = 63 - __builtin_clzll(bytes - 1);
    int shift = log - 3;
    size_t step = ((bytes - 1) >> shift) + 1;
    *rounded = step << shift;
    int k = 8 * (log - 16) + (int)step - 9;
    return k < LARGE_CLASSES ? k : LARGE_CLASSES - 1;
}

static void unlink_large(large *b, int k)
{
    *(b->prev ? &b->prev->next : &shared.class[k]) = b->next;
    if (b->next)
        b->next->prev = b->prev;
    *(b->newer ? &b->newer->older : &shared.newest) = b->older;
    *(b->older ? &b->older->newer : &shared.oldest) = b->newer;
    shared.cached -= b->bytes;
}

/* Gives kept blocks back, oldest first, until at most `keep` bytes remain; lock held. */
static void trim(size_t keep)
{
    while (shared.cached > keep) {
        large *b = shared.oldest;
        size_t rounded, bytes = b->bytes;
        unlink_large(b, large_class(bytes, &rounded));
        rl_pages_free(b, bytes);
    }
}

static void *large_alloc(size_t bytes)
{
    pthread_once(&once, start);
    if (bytes > shared.memory || bytes > PTRDIFF_MAX / 2)
        return NULL;
    size_t rounded;
    int k = large_class(bytes, &rounded);
    pthread_mutex_lock(&lock);
    large *b = shared.class[k];
    while (b && b->bytes != rounded)
        b = b->next;
    if (b)
        unlink_large(b, k);
    pthread_mutex_unlock(&lock);
    if (!b)
        b = rl_pages_alloc(rounded);
    if (!b) {
        rl_empty_cache();
        b = rl_pages_alloc(rounded);
    }
    if (!b)
        return NULL;
    pthread_mutex_lock(&lock);
    shared.in_use += (int64_t)rounded;
    shared.live++;
    shared.n_alloc++;
    sum_in_use();
    pthread_mutex_unlock(&lock);
    return b;
}

static void large_free(void *p, size_t bytes)
{
    size_t rounded;
    int k = large_class(bytes, &rounded);
    large *b = p;
    pthread_mutex_lock(&lock);
    shared.in_use -= (int64_t)rounded;
    shared.live--;
    if (rounded > shared.limit) {
        rl_pages_free(p, rounded);
    } else {
        trim(shared.limit - rounded);
        b->bytes = rounded;
        b->prev = NULL;
        b->next = shared.class[k];
        if (b->next)
            b->next->prev = b;
        shared.class[k] = b;
        b->newer = NULL;
        b->older = shared.newest;
        *(b->older ? &b->older->newer : &shared.oldest) = b;
        shared.newest = b;
        shared.cached += rounded;
    }
    pthread_mutex_unlock(&lock);
}

void *rl_alloc(size_t bytes)
{
    thread_cache *c = own_lists();
    if (!c || must_fail()) {
        no_memory(bytes);
        return NULL;
    }
    if (__builtin_expect(bytes > SMALL_MAX, 0)) {
        void *p = large_alloc(bytes);
        if (!p)
            no_memory(bytes);
        return p;
    }
    size_t rounded;
    list *l = &c->small[small_class(bytes, &rounded)];
    block *b = l->first;
    if (__builtin_expect(b != NULL, 1)) {
        l->first = b->next;
        l->n--;
        ADD(c->cached, -(int64_t)rounded);
    } else if (!(b = aligned_alloc(ALIGN, rounded))) {
        rl_empty_cache();
        if (!(b = aligned_alloc(ALIGN, rounded))) {
            no_memory(bytes);
            return NULL;
        }
    }
    ADD(c->in_use, (int64_t)rounded);
    ADD(c->live, 1);
    ADD(c->n_alloc, 1);
    int64_t in_use = GET(c->in_use);
    if (in_use > c->top) {
        c->top = in_use;
        if (in_use - c->checked > SMALL_MAX) {
            pthread_mutex_lock(&lock);
            sum_in_use();
            pthread_mutex_unlock(&lock);
        }
    }
    return b;
}

void rl_free(void *p, size_t bytes)
{
    if (!p)
        return;
    if (__builtin_expect(bytes > SMALL_MAX, 0)) {
        large_free(p, bytes);
        return;
    }
    size_t rounded;
    int k = small_class(bytes, &rounded);
    thread_cache *c = own_lists();
    if (!c) {
        free(p);
        pthread_mutex_lock(&lock);
        shared.in_use -= (int64_t)rounded;
        shared.live--;
        pthread_mutex_unlock(&lock);
        return;
    }
    ADD(c->in_use, -(int64_t)rounded);
    ADD(c->live, -1);
    list *l = &c->small[k];
    if (__builtin_expect(l->n >= SMALL_KEEP_MIN && l->n * (int64_t)rounded >= SMALL_KEEP, 0)) {
        free(p);
        return;
    }
    block *b = p;
    b->next = l->first;
    l->first = b;
    l->n++;
    ADD(c->cached, (int64_t)rounded);
}

/* ---- asking ---- */

void rl_empty_cache(void)
{
    if (own)
        give_back_lists(own);
    pthread_mutex_lock(&lock);
    trim(0);
    pthread_mutex_unlock(&lock);
}

int64_t rl_alloc_live(void)
{
    pthread_mutex_lock(&lock);
    int64_t live = shared.live;
    for (thread_cache *c = threads; c; c = c->next)
        live += GET(c->live);
    pthread_mutex_unlock(&lock);
    return live;
}

void rl_memory(rl_memory_stats *out)
{
    pthread_mutex_lock(&lock);
    int64_t in_use = sum_in_use(), n = shared.n_alloc, cached = (int64_t)shared.cached;
    for (thread_cache *c = threads; c; c = c->next) {
        n += GET(c->n_alloc);
        cached += GET(c->cached);
    }
    *out = (rl_memory_stats){.in_use = (size_t)in_use,
                             .peak = (size_t)shared.peak,
                             .cached = (size_t)cached,
                             .n_alloc = (uint64_t)n};
    pthread_mutex_unlock(&lock);
}

void rl_memory_reset_peak(void)
{
    pthread_mutex_lock(&lock);
    shared.peak = 0;
    if (own)
        own->top = GET(own->in_use);
    sum_in_use();
    pthread_mutex_unlock(&lock);
}
