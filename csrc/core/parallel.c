/* parallel.c: the thread pool.
 *
 * Workers start with the first loop that wants them.  Between loops they spin for some
 * microseconds, since the next loop of a training step is near, then sleep.  One loop at a time
 * uses the pool; a second thread that comes meanwhile, and a loop inside a loop, run on their own
 * thread.  A forked child has none of the parent's workers and starts afresh. */
#define _GNU_SOURCE
#include "core/parallel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/cpu.h"
#include "core/error.h"

#define MAX_THREADS 256
#define SPINS 4000          /* turns of a pause instruction: some 50 microseconds */
#define CHUNKS_PER_THREAD 4 /* so that a thread that comes late leaves its share to the others */
#define CLOSED ((uint64_t)0x8000)

static struct {
    pthread_mutex_t use;  /* held by the thread whose loop runs */
    pthread_mutex_t lock; /* guards sleeping and waking */
    pthread_cond_t wake;
    pthread_t worker[MAX_THREADS];
    atomic_int n_workers; /* started */
    atomic_int n_threads; /* wanted, the caller included; 0: not yet decided */
    /* Number of the loop << 16 | how many workers take part: 0, 1, ... of them.  One word, so that
     * a worker that wakes late for an old loop, in which it had no part, cannot mistake it for the
     * next. */
    _Atomic uint64_t turn;
    /* Number of the loop << 16 | CLOSED | how many workers are in it.  The caller closes a loop of
     * which it has taken the last chunk: who was not even awake by then is not waited for. */
    _Atomic uint64_t gate;
    atomic_int sleeping;
    atomic_bool stop;
    /* The loop. */
    void (*body)(int64_t, int64_t, void *);
    void *context;
    int64_t n, chunk;
    _Atomic int64_t next;
} pool = {.use = PTHREAD_MUTEX_INITIALIZER,
          .lock = PTHREAD_MUTEX_INITIALIZER,
          .wake = PTHREAD_COND_INITIALIZER};

static _Thread_local bool inside; /* of a loop's body */

static inline void pause_cpu(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void take_chunks(void)
{
    for (;;) {
        int64_t begin = atomic_fetch_add(&pool.next, pool.chunk);
        if (begin >= pool.n)
            return;
        int64_t end = pool.n - begin < pool.chunk ? pool.n : begin + pool.chunk;
        pool.body(begin, end, pool.context);
    }
}

/* Lets a worker into the loop of that turn, unless it is over. */
static bool enter(uint64_t turn)
{
    uint64_t gate = atomic_load(&pool.gate);
    while (gate >> 16 == turn >> 16 && !(gate & CLOSED))
        if (atomic_compare_exchange_weak(&pool.gate, &gate, gate + 1))
            return true;
    return false;
}

static void *work(void *arg)
{
    int id = (int)(intptr_t)arg;
    uint64_t seen = 0;
    inside = true;
    for (;;) {
        uint64_t turn = atomic_load(&pool.turn);
        for (int i = 0; i < SPINS && turn == seen && !atomic_load(&pool.stop); i++) {
            pause_cpu();
            turn = atomic_load(&pool.turn);
        }
        if (turn == seen) {
            pthread_mutex_lock(&pool.lock);
            atomic_fetch_add(&pool.sleeping, 1);
            while ((turn = atomic_load(&pool.turn)) == seen && !atomic_load(&pool.stop))
                pthread_cond_wait(&pool.wake, &pool.lock);
            atomic_fetch_sub(&pool.sleeping, 1);
            pthread_mutex_unlock(&pool.lock);
        }
        if (atomic_load(&pool.stop))
            return NULL;
        seen = turn;
        if (id < (int)(turn & 0xffff) && enter(turn)) {
            take_chunks();
            atomic_fetch_sub(&pool.gate, 1);
        }
    }
}

static void stop_workers(void)
{
    pthread_mutex_lock(&pool.lock);
    atomic_store(&pool.stop, true);
    pthread_cond_broadcast(&pool.wake);
    pthread_mutex_unlock(&pool.lock);
    for (int i = 0; i < pool.n_workers; i++)
        pthread_join(pool.worker[i], NULL);
    pool.n_workers = 0;
    atomic_store(&pool.turn, 0);
    atomic_store(&pool.stop, false);
}

static void before_fork(void)
{
    pthread_mutex_lock(&pool.use);
    pthread_mutex_lock(&pool.lock);
}
static void after_fork_parent(void)
{
    pthread_mutex_unlock(&pool.lock);
    pthread_mutex_unlock(&pool.use);
}
static void after_fork_child(void)
{
    pool.n_workers = 0;
    atomic_store(&pool.turn, 0);
    atomic_store(&pool.sleeping, 0);
    atomic_store(&pool.gate, 0);
    pthread_mutex_init(&pool.lock, NULL);
    pthread_cond_init(&pool.wake, NULL);
    pthread_mutex_init(&pool.use, NULL);
}

__attribute__((constructor)) static void watch_fork(void)
{
    pthread_atfork(before_fork, after_fork_parent, after_fork_child);
}

__attribute__((destructor)) static void at_exit(void)
{
    if (pthread_mutex_trylock(&pool.use) ==
        0) { /* else another thread is in a loop: leave it alone */
        stop_workers();
        pthread_mutex_unlock(&pool.use);
    }
}

static int from_environment(const char *name)
{
    const char *text = getenv(name);
    long n = text ? strtol(text, NULL, 10) : 0;
    return n >= 1 && n <= MAX_THREADS ? (int)n : 0;
}

int rl_num_threads(void)
{
    int n = atomic_load_explicit(&pool.n_threads, memory_order_relaxed);
    if (n)
        return n;
    n = from_environment("RUSHLIGHT_NUM_THREADS");
    if (!n)
        n = from_environment("OMP_NUM_THREADS");
    if (!n)
        n = rl_cpu_count();
    if (n > MAX_THREADS)
        n = MAX_THREADS;
    atomic_store(&pool.n_threads, n);
    return n;
}

rl_status rl_set_num_threads(int n)
{
    if (n < 1)
        return rl_error(RL_ERUNTIME, "set_num_threads expects a positive integer");
    atomic_store(&pool.n_threads, n < MAX_THREADS ? n : MAX_THREADS);
    return RL_OK;
}

bool rl_parallel_awake(void)
{
    return atomic_load_explicit(&pool.n_workers, memory_order_relaxed) >= rl_num_threads() - 1 &&
           !atomic_load_explicit(&pool.sleeping, memory_order_relaxed);
}

/* Workers for `helpers` places; fewer when the system gives no more. */
static int start_workers(int helpers)
{
    while (pool.n_workers < helpers) {
        int i = pool.n_workers;
        if (pthread_create(&pool.worker[i], NULL, work, (void *)(intptr_t)i))
            break;
        pool.n_workers++;
    }
    return pool.n_workers < helpers ? pool.n_workers : helpers;
}

void rl_parallel_for(int64_t n, int64_t grain,
                     void (*body)(int64_t begin, int64_t end, void *context), void *context)
{
    if (n <= 0)
        return;
    if (grain < 1)
        grain = 1;
    int threads = n > grain && !inside ? rl_num_threads() : 1;
    if (threads == 1 || pthread_mutex_trylock(&pool.use)) {
        body(0, n, context);
        return;
    }
    int64_t pieces = n / grain + (n % grain != 0);
    int helpers = start_workers(pieces < threads ? (int)pieces - 1 : threads - 1);
    int64_t per = pieces / ((int64_t)(helpers + 1) * CHUNKS_PER_THREAD);
    pool.body = body;
    pool.context = context;
    pool.n = n;
    pool.chunk = (per > 1 ? per : 1) * grain;
    atomic_store(&pool.next, 0);
    uint64_t turn = ((atomic_load(&pool.turn) >> 16) + 1) << 16;
    atomic_store(&pool.gate, turn);
    atomic_store(&pool.turn, turn | (uint64_t)helpers);
    if (atomic_load(&pool.sleeping)) {
        pthread_mutex_lock(&pool.lock);
        pthread_cond_broadcast(&pool.wake);
        pthread_mutex_unlock(&pool.lock);
    }
    inside = true;
    take_chunks();
    inside = false;
    atomic_fetch_or(&pool.gate, CLOSED);
    for (int i = 0; atomic_load(&pool.gate) & (CLOSED - 1); i++)
        if (i < SPINS)
            pause_cpu();
        else
            sched_yield();
    pthread_mutex_unlock(&pool.use);
}
