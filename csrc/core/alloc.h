/* alloc.h: memory.  Every request can fail; tests make it fail (rl_alloc_fail_after). */
#ifndef RL_CORE_ALLOC_H
#define RL_CORE_ALLOC_H

#include <stddef.h>
#include <stdint.h>

/* Tensor data: 64-byte aligned, contents undefined, from size-class free lists; big blocks are kept
 * and reused. NULL with RL_EMEMORY set.  bytes == 0 gives a valid pointer.  The size must be handed
 * back unchanged. */
void *rl_alloc(size_t bytes);
void rl_free(void *p, size_t bytes);

/* Headers, nodes, small arrays (at most a few hundred bytes): per-thread free lists over malloc. */
void *rl_small_alloc(size_t bytes);
void rl_small_free(void *p, size_t bytes);

/* Tests: the n-th request from now on fails (1 = the next one), once; 0 switches it off.  Counts
 * both kinds. */
void rl_alloc_fail_after(int64_t n);
/* Tests: blocks of both kinds that are handed out now. */
int64_t rl_alloc_live(void);

#endif
