/* order.h: elements as sortable keys; what the operators that need an order share (ops/sort.c). */
#ifndef RL_OPS_ORDER_H
#define RL_OPS_ORDER_H

#include "core/tensor.h"

/* An element's key, ordered as the values are (nan above all numbers, -0 equal to 0), and its
 * place. */
typedef struct rl_entry {
    uint64_t key;
    int64_t at;
} rl_entry;

/* Entries of n elements at a stride in bytes.  descending: reversed, so that rising keys are
 * falling values. */
void rl_entries_make(rl_dtype dtype, const char *x, ptrdiff_t stride, int64_t n, bool descending,
                     rl_entry *out);
/* Stably sorted by key; v and spare have room for n; returns the one that holds the result. */
rl_entry *rl_entries_sort(rl_entry *v, rl_entry *spare, int64_t n);
/* The place of the median: the lower of two, of equal elements the one that a stable sort puts
 * there.  The first nan when there is one; skip_nan: the median of the numbers.  n > 0. */
rl_status rl_entries_median(rl_dtype dtype, const char *x, ptrdiff_t stride, int64_t n,
                            bool skip_nan, int64_t *at);

/* The key of every nan. */
#define RL_KEY_NAN UINT64_MAX

#endif
