/* loop.h: the nest of loops over several strided operands of one shape; what iter.c and copy.c run
 * on. */
#ifndef RL_CORE_LOOP_H
#define RL_CORE_LOOP_H

#include "core/tensor.h"

#define RL_LOOP_OPERANDS 6

/* Dims are sorted so that memory runs fastest in dim 0, dims of size 1 dropped and adjacent ones
 * merged. */
typedef struct rl_loop {
    int nops, ndim; /* ndim >= 1 */
    int64_t numel;
    int64_t size[RL_MAX_DIMS];
    ptrdiff_t stride[RL_MAX_DIMS][RL_LOOP_OPERANDS]; /* bytes; 0 broadcasts */
} rl_loop;

/* Strides (in elements) with which t is seen in a shape that it broadcasts to. */
void rl_broadcast_strides(const rl_tensor *t, int ndim, const int64_t *shape, int64_t *strides);
/* strides[k]: of operand k, in elements; item[k]: bytes of its elements.  Operand 0 decides the
 * order first. */
/* Exchanges a short innermost dim for the next, where the order of elements does not matter: long
 * inner loops cost less.  Walks no more memory than the cache holds before it comes back. */
void rl_loop_lengthen(rl_loop *l);
void rl_loop_make(rl_loop *l, int ndim, const int64_t *shape, int nops,
                  const int64_t *const *strides, const size_t *item);
/* Calls inner for the stretches of dim 0 that make up elements begin..end-1 (in the loop's order);
 * strides along them are l->stride[0]. */
typedef void rl_inner_fn(size_t n, char *const *p, const ptrdiff_t *stride, void *context);
void rl_loop_range(const rl_loop *l, char *const *base, int64_t begin, int64_t end,
                   rl_inner_fn *inner, void *context);
/* All elements, from several threads when there are more than `grain`. */
void rl_loop_run(const rl_loop *l, char *const *base, int64_t grain, rl_inner_fn *inner,
                 void *context);

#endif
