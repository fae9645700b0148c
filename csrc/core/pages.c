/* pages.c: memory from the system.
 *
 * Large blocks are mapped one by one.  Middle-sized ones, up to some megabytes, are cut off one
 * after the other from regions of whole huge pages: a product's operands of a megabyte lie in
 * hundreds of ordinary pages, more than the processor remembers, which scatter over its second
 * level of cache as chance will have it, and each costs a fault when it is first touched (a
 * recurrent layer's training step takes 7 % longer).  A region returns to the system when its last
 * block is freed; until then, the pages of freed blocks do. */
#define _GNU_SOURCE
#include "core/pages.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define ALIGN 64
#define PAGE ((size_t)4 << 10)
#define HUGE_PAGE ((size_t)2 << 20)
#define REGION (8 * HUGE_PAGE) /* address space, of which only what is touched takes memory */
#ifdef __SANITIZE_ADDRESS__    /* blocks of their own, so that the sanitizer sees their ends */
#define REGION_BLOCK_MAX 0
#else
#define REGION_BLOCK_MAX (2 * HUGE_PAGE)
#endif
/* Between blocks, so that sizes of a power of two do not all begin in the same set of a cache. */
#define STAGGER ((size_t)17 * ALIGN)

/* At the beginning of its memory, which is aligned to its size. */
typedef struct region {
    size_t used; /* bytes, this head included */
    size_t live; /* blocks */
} region;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static region *current;

void rl_pages_lock(void) { pthread_mutex_lock(&lock); }
void rl_pages_unlock(void) { pthread_mutex_unlock(&lock); }

/* Maps more than asked for and cuts off the ends, so that it begins at a multiple of `align`. */
static void *map(size_t bytes, size_t align)
{
    size_t more = bytes + align;
    char *p = mmap(NULL, more, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    size_t before = (align - (uintptr_t)p % align) % align;
    if (before)
        munmap(p, before);
    if (more - before - bytes)
        munmap(p + before + bytes, more - before - bytes);
    p += before;
#ifdef MADV_HUGEPAGE
    madvise(p, bytes, MADV_HUGEPAGE);
#endif
    return p;
}

static void *region_alloc(size_t bytes)
{
    void *p = NULL;
    pthread_mutex_lock(&lock);
    if (!current || current->used + bytes > REGION) {
        region *fresh = map(REGION, REGION);
        if (fresh) {
            *fresh = (region){.used = ALIGN};
            current = fresh; /* the blocks of the one before still find it */
        }
    }
    if (current && current->used + bytes <= REGION) {
        p = (char *)current + current->used;
        current->used += bytes + STAGGER;
        current->live++;
    }
    pthread_mutex_unlock(&lock);
    return p;
}

static void region_free(char *p, size_t bytes)
{
    region *r = (region *)((uintptr_t)p & ~(uintptr_t)(REGION - 1));
    pthread_mutex_lock(&lock);
    if (--r->live == 0) {
        if (r == current)
            current = NULL;
        munmap(r, REGION);
    } else {
        uintptr_t from = ((uintptr_t)p + PAGE - 1) & ~(uintptr_t)(PAGE - 1);
        uintptr_t to = ((uintptr_t)p + bytes) & ~(uintptr_t)(PAGE - 1);
        madvise((void *)from, to - from, MADV_DONTNEED);
    }
    pthread_mutex_unlock(&lock);
}

void *rl_pages_alloc(size_t bytes)
{
    if (bytes <= REGION_BLOCK_MAX)
        return region_alloc(bytes);
    if (bytes < HUGE_PAGE / 2)
        return aligned_alloc(ALIGN, bytes);
    return map(bytes, HUGE_PAGE);
}

void rl_pages_free(void *p, size_t bytes)
{
    if (bytes <= REGION_BLOCK_MAX)
        region_free(p, bytes);
    else if (bytes < HUGE_PAGE / 2)
        free(p);
    else
        munmap(p, bytes);
}
