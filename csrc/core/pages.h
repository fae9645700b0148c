/* pages.h: memory from the system, for the blocks that alloc.c keeps in lists. */
#ifndef RL_CORE_PAGES_H
#define RL_CORE_PAGES_H

#include <stddef.h>

/* At least 64-byte aligned, in huge pages where the system has them; NULL when there is none.  The
 * size must be handed back unchanged.  Any thread may call. */
void *rl_pages_alloc(size_t bytes);
void rl_pages_free(void *p, size_t bytes);

/* Around fork: no other thread is inside between the two. */
void rl_pages_lock(void);
void rl_pages_unlock(void);

#endif
