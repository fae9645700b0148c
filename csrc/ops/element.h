/* element.h: single elements and strided blocks of memory, whatever their dtype. */
#ifndef RL_OPS_ELEMENT_H
#define RL_OPS_ELEMENT_H

#include "core/tensor.h"

/* Copies one element of 1, 2, 4, 8 or 16 bytes. */
static inline void rl_element_copy(size_t size, void *to, const void *from)
{
    switch (size) {
    case 1:
        memcpy(to, from, 1);
        break;
    case 2:
        memcpy(to, from, 2);
        break;
    case 4:
        memcpy(to, from, 4);
        break;
    case 8:
        memcpy(to, from, 8);
        break;
    default:
        memcpy(to, from, 16);
    }
}

/* *y += *x in the dtype's arithmetic: integers wrap around, bool is "or", 16-bit floats round after
 * the addition. */
void rl_element_add(rl_dtype dtype, void *y, const void *x);
/* *y *= *x, likewise; bool is "and". */
void rl_element_mul(rl_dtype dtype, void *y, const void *x);

/* dst[i] = src[i] for all indices i of shape; strides in bytes and possibly negative or, for src,
 * 0.  Same dtype. */
void rl_strided_copy(int ndim, const int64_t *shape, char *dst, const ptrdiff_t *sd,
                     const char *src, const ptrdiff_t *ss, size_t size);
/* The same, adding in row-major order of the indices, so that dst may overlap itself. */
void rl_strided_add(int ndim, const int64_t *shape, char *dst, const ptrdiff_t *sd, const char *src,
                    const ptrdiff_t *ss, rl_dtype dtype);

/* Strides of t in bytes. */
static inline void rl_byte_strides(const rl_tensor *t, ptrdiff_t *out)
{
    for (int d = 0; d < t->ndim; d++)
        out[d] = t->strides[d] * (ptrdiff_t)rl_itemsize(t);
}

#endif
