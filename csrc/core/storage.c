/* storage.c: memory shared by a tensor and its views. */
#include "core/alloc.h"
#include "core/tensor.h"

rl_storage *rl_storage_new(size_t bytes)
{
    rl_storage *s = rl_small_alloc(sizeof *s);
    if (!s)
        return NULL;
    void *data = rl_alloc(bytes);
    if (!data) {
        rl_small_free(s, sizeof *s);
        return NULL;
    }
    atomic_init(&s->refs, 1);
    s->version = 0;
    s->data = data;
    s->bytes = bytes;
    s->free_data = NULL;
    s->context = NULL;
    return s;
}

void rl_storage_retain(rl_storage *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
}

void rl_storage_release(rl_storage *s)
{
    if (!s)
        return;
    /* The only holder needs no atomic exchange: nobody else is left who could take a reference. */
    if (atomic_load_explicit(&s->refs, memory_order_acquire) != 1 &&
        atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (s->free_data)
        s->free_data(s->context);
    else
        rl_free(s->data, s->bytes);
    rl_small_free(s, sizeof *s);
}
