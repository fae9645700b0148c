/* strided.c: strided elements for kernels whose loops want contiguous ones. */
#include "kernels/kernels.h"

#include <string.h>

enum { BLOCK = 256, MAX_IN = 4 };

/* n elements of `item` bytes, strides in bytes. */
static void copy_strided(size_t n, char *y, ptrdiff_t sy, const char *x, ptrdiff_t sx, size_t item)
{
#define CASE(T)                                                                                    \
    case sizeof(T):                                                                                \
        for (size_t i = 0; i < n; i++, x += sx, y += sy)                                           \
            memcpy(y, x, sizeof(T));                                                               \
        break;
    switch (item) {
        CASE(uint8_t)
        CASE(uint16_t)
        CASE(uint32_t)
        CASE(uint64_t)
    }
#undef CASE
}

void rl_map_strided(size_t n, char *const *p, const ptrdiff_t *s, const rl_kargs *a, int n_in,
                    const uint8_t *item, rl_map_loop *loop)
{
    _Alignas(64) char buffer[MAX_IN + 1][BLOCK * 8];
    char *q[MAX_IN + 1];
    for (int k = 1; k <= n_in; k++) /* a scalar fills its block once */
        if (s[k] == 0)
            copy_strided(n < BLOCK ? n : BLOCK, buffer[k], item[k], p[k], 0, item[k]);
    for (size_t i = 0; i < n; i += BLOCK) {
        size_t m = n - i < BLOCK ? n - i : BLOCK;
        for (int k = 0; k <= n_in; k++) {
            char *at = p[k] + (ptrdiff_t)i * s[k];
            q[k] = s[k] == item[k] ? at : buffer[k];
            if (k > 0 && s[k] != 0 && s[k] != item[k])
                copy_strided(m, buffer[k], item[k], at, s[k], item[k]);
        }
        loop(m, q, a);
        if (s[0] != item[0])
            copy_strided(m, p[0] + (ptrdiff_t)i * s[0], s[0], buffer[0], item[0], item[0]);
    }
}
