/* The thread pool: every range once, nested loops inline, changing the number, two callers at once,
 * fork, exit. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "core/parallel.h"

static void add_one(int64_t begin, int64_t end, void *context)
{
    for (int64_t i = begin; i < end; i++)
        atomic_fetch_add(&((atomic_int *)context)[i], 1);
}

static bool covered(int64_t n, int64_t grain)
{
    atomic_int *hits = calloc((size_t)n + 1, sizeof *hits);
    rl_parallel_for(n, grain, add_one, hits);
    bool ok = hits[n] == 0;
    for (int64_t i = 0; i < n; i++)
        ok &= hits[i] == 1;
    free(hits);
    return ok;
}

static bool ranges(void)
{
    for (int threads = 1; threads <= 5; threads++) {
        CHECK(!rl_set_num_threads(threads) && rl_num_threads() == threads);
        for (int64_t n = 0; n < 40; n++)
            CHECK(covered(n, 1) && covered(n, 7));
        CHECK(covered(100000, 1000));
    }
    FAILS(!rl_set_num_threads(0), RL_ERUNTIME, "set_num_threads expects a positive integer");
    return true;
}

static void nested_body(int64_t begin, int64_t end, void *context)
{
    for (int64_t i = begin; i < end; i++)
        rl_parallel_for(10, 1, add_one, (atomic_int *)context + 10 * i);
}

static bool nested(void)
{
    atomic_int hits[200] = {0};
    rl_set_num_threads(3);
    rl_parallel_for(20, 1, nested_body, hits);
    for (int i = 0; i < 200; i++)
        CHECK(hits[i] == 1);
    return true;
}

static void *caller(void *arg)
{
    bool ok = true;
    for (int i = 0; i < 200; i++)
        ok &= covered(1000, 10);
    *(bool *)arg = ok;
    return NULL;
}

static bool two_callers(void)
{
    bool ok[2] = {false, false};
    pthread_t threads[2];
    rl_set_num_threads(3);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, caller, &ok[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    CHECK(ok[0] && ok[1]);
    return true;
}

static bool sleeping(void)
{
    for (int i = 0; i < 20; i++) {
        usleep(2000);
        CHECK(covered(1000, 10));
    }
    for (int i = 0; i < 200 && rl_parallel_awake(); i++) /* the last loop was long ago soon */
        usleep(10000);
    CHECK(!rl_parallel_awake());
    return true;
}

static bool forked_child(void)
{
    rl_set_num_threads(3);
    CHECK(covered(1000, 10));
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        exit(covered(1000, 10) && covered(50, 1) ? 0
                                                 : 1); /* exit: the library's own end runs too */
    }
    int status = -1;
    waitpid(child, &status, 0);
    CHECK(status == 0);
    CHECK(covered(1000, 10));
    return true;
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    RUN(ranges);
    RUN(nested);
    RUN(two_callers);
    RUN(sleeping);
    RUN(forked_child);
    return failures != 0;
}
