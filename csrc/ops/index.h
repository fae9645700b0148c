/* index.h: what the indexing operators share. */
#ifndef RL_OPS_INDEX_H
#define RL_OPS_INDEX_H

#include "ops/view.h"

/* A prepared list of index tensors for a tensor of some shape: masks replaced by their coordinates,
 * one entry per dim at most, each int64 or int32 or NULL for a whole dim. */
typedef struct rl_index_list {
    int n;
    rl_tensor *v[RL_MAX_DIMS]; /* owned */
} rl_index_list;

void rl_index_list_free(rl_index_list *list);
/* Checks dtypes and masks.  On failure the list is empty. */
rl_status rl_index_prepare(rl_index_list *list, const rl_tensor *x, rl_tensors indices);

/* A row-major int64 tensor of an index argument's values. */
rl_tensor *rl_index_values(rl_tensor *index);

/* shape with 0 dims as one dim of size 1: most operators along a dim treat a 0-dim tensor so. */
static inline int rl_at_least_1d(const rl_tensor *x, int64_t *shape, int64_t *strides)
{
    if (x->ndim == 0) {
        shape[0] = 1;
        strides[0] = 1;
        return 1;
    }
    memcpy(shape, x->shape, x->ndim * sizeof *shape);
    memcpy(strides, x->strides, x->ndim * sizeof *strides);
    return x->ndim;
}

/* zeros of `shape` with g added at the positions that the index tensors name; differentiable. */
rl_tensor *rl_index_backward(rl_tensor *g, int ndim, const int64_t *shape,
                             const rl_index_list *list);

/* The place of the first of n values that is not one of low...high - 1; n: there is none. */
int64_t rl_index_outside(const int64_t *v, int64_t n, int64_t low, int64_t high);

/* What is done at the elements that an index names: b = a, a = b, (the same,) a += b, a *= b. */
typedef enum {
    RL_INDEX_GATHER,
    RL_INDEX_SCATTER,
    RL_INDEX_FILL,
    RL_INDEX_ADD,
    RL_INDEX_MULTIPLY
} rl_index_way;

/* n positions one after the other: element i of a is at i ta + k[i] step, that of b at i tb, in
 * bytes.  k is in range. */
void rl_index_row(rl_index_way what, rl_dtype dtype, char *a, ptrdiff_t step, ptrdiff_t ta, char *b,
                  ptrdiff_t tb, const int64_t *k, int64_t n);

/* 0, 1, ... size - 1, each as often as repeats (a vector of counts, or one count) says. */
rl_tensor *rl_interleaved_places(rl_tensor *repeats, int64_t size);

#endif
