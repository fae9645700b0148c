/* parallel.h: the thread pool. */
#ifndef RL_CORE_PARALLEL_H
#define RL_CORE_PARALLEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Calls body(begin, end, context) on disjoint ranges that cover 0..n, each a multiple of `grain`
 * long but for the last, from several threads when n > grain and more than one thread is set;
 * returns when all are done.  Nested calls run inline.  The split decides nothing about results: a
 * body's outputs must not depend on where the ranges begin. */
void rl_parallel_for(int64_t n, int64_t grain,
                     void (*body)(int64_t begin, int64_t end, void *context), void *context);

/* Whether the workers still spin after the last loop.  A loop just above the size that pays then
 * costs a microsecond to share out; to wake them takes some tens. */
bool rl_parallel_awake(void);

#endif
