/* strided.c: strided elements for kernels whose loops want contiguous ones. */
#include "kernels/kernels.h"

#include <string.h>

enum { BLOCK = 256, MAX_IN = 4 };

/* Every second of n elements of 4 bytes, four at a time; returns how many. */
static size_t copy_second(size_t n, char *y, const char *x)
{
    typedef uint32_t quad __attribute__((vector_size(16)));
    size_t i = 0;
    for (; i + 4 < n; i += 4) { /* less than n: the one after the last may not exist */
        quad v[2];
        memcpy(v, x + 8 * i, sizeof v);
        v[0] = __builtin_shuffle(v[0], v[1], (quad){0, 2, 4, 6});
        memcpy(y + 4 * i, v, sizeof *v);
    }
    return i;
}

/* n elements of `item` bytes, strides in bytes. */
static void copy_strided(size_t n, char *y, ptrdiff_t sy, const char *x, ptrdiff_t sx, size_t item)
{
    size_t i = 0;
    if (item == 4 && sy == 4 && sx == 8)
        i = copy_second(n, y, x);
    x += (ptrdiff_t)i * sx, y += (ptrdiff_t)i * sy;
#define CASE(T)                                                                                    \
    case sizeof(T):                                                                                \
        _Pragma("GCC unroll 4") for (; i < n; i++, x += sx, y += sy) memcpy(y, x, sizeof(T));      \
        break;
    switch (item) {
        CASE(uint8_t)
        CASE(uint16_t)
        CASE(uint32_t)
        CASE(uint64_t)
        CASE(uint64_t[2])
    }
#undef CASE
}

/* At least `bytes` of equal elements. */
static void fill(char *y, const char *x, size_t item, size_t bytes)
{
    uint64_t v[2] = {0, 0};
    memcpy(v, x, item);
    for (; item < 8; item *= 2)
        v[0] |= v[0] << (8 * item);
    if (item == 8)
        v[1] = v[0];
    for (size_t i = 0; i < bytes; i += sizeof v)
        memcpy(y + i, v, sizeof v);
}

/* A few bytes: a call of memcpy would take longer. */
static inline void copy_few(char *y, const char *x, size_t bytes)
{
    for (; bytes >= 16; bytes -= 16, x += 16, y += 16)
        memcpy(y, x, 16);
#define PART(n)                                                                                    \
    if (bytes & n)                                                                                 \
        memcpy(y, x, n), x += n, y += n;
    PART(8)
    PART(4)
    PART(2)
    PART(1)
#undef PART
}

#define ITEM(k) (items >> (8 * (k)) & 255)
#define STEP (items >> 40)

/* What is left over by the loop's steps: the last whole step of the n elements once more, where the
 * output is memory of its own, or else copies. */
static void rest(size_t n, char *const *p, const rl_kargs *a, int n_in, uint64_t items,
                 rl_map_loop *loop)
{
    const size_t step = STEP, left = n & (step - 1);
    _Alignas(64) char buffer[MAX_IN + 1][RL_MAP_STEP_BYTES];
    char *q[MAX_IN + 1];
    bool again = n > step;
    for (int k = 1; k <= n_in; k++)
        again &= p[k] != p[0];
    for (int k = 0; k <= n_in; k++)
        q[k] = again ? p[k] + (n - step) * ITEM(k) : buffer[k];
    if (again) {
        loop(step, q, a);
        return;
    }
    for (int k = 1; k <= n_in; k++) {
        size_t item = ITEM(k);
        for (size_t i = 0; i < step * item; i += 16)
            memset(buffer[k] + i, 0, 16);
        copy_few(buffer[k], p[k] + (n - left) * item, left * item);
    }
    loop(step, q, a);
    copy_few(p[0] + (n - left) * ITEM(0), buffer[0], left * ITEM(0));
}

static inline void contiguous(size_t n, char *const *p, const rl_kargs *a, int n_in, uint64_t items,
                              rl_map_loop *loop)
{
    if (n >= STEP)
        loop(n, p, a);
    if (n & (STEP - 1))
        rest(n, p, a, n_in, items, loop);
}

static void strided(size_t n, char *const *p, const ptrdiff_t *s, const rl_kargs *a, int n_in,
                    uint64_t items, rl_map_loop *loop)
{
    _Alignas(64) char buffer[MAX_IN + 1][BLOCK * 8];
    char *q[MAX_IN + 1];
    const size_t block = (ITEM(0) | ITEM(1)) & 16 ? BLOCK / 2 : BLOCK; /* complex128 */
    for (int k = 1; k <= n_in; k++) /* a scalar fills its block once */
        if (s[k] == 0)
            fill(buffer[k], p[k], ITEM(k), (n < block ? n : block) * ITEM(k));
    for (size_t i = 0; i < n; i += block) {
        size_t m = n - i < block ? n - i : block;
        for (int k = 0; k <= n_in; k++) {
            char *at = p[k] + (ptrdiff_t)i * s[k];
            ptrdiff_t item = (ptrdiff_t)ITEM(k);
            q[k] = s[k] == item ? at : buffer[k];
            if (k > 0 && s[k] != 0 && s[k] != item)
                copy_strided(m, buffer[k], item, at, s[k], (size_t)item);
        }
        contiguous(m, q, a, n_in, items, loop);
        if (q[0] == buffer[0])
            copy_strided(m, p[0] + (ptrdiff_t)i * s[0], s[0], buffer[0], (ptrdiff_t)ITEM(0),
                         ITEM(0));
    }
}

#define FITS(k) (s[k] == (ptrdiff_t)ITEM(k))
#define RUN(digit, fits)                                                                           \
    RL_MAP_RUN(digit)                                                                              \
    {                                                                                              \
        if ((fits) || n == 1)                                                                      \
            contiguous(n, p, a, digit, items, loop);                                               \
        else                                                                                       \
            strided(n, p, s, a, digit, items, loop);                                               \
    }
RUN(1, FITS(0) && FITS(1))
RUN(2, FITS(0) && FITS(1) && FITS(2))
RUN(3, FITS(0) && FITS(1) && FITS(2) && FITS(3))
RUN(4, FITS(0) && FITS(1) && FITS(2) && FITS(3) && FITS(4))

void rl_map_run_xs(size_t n, char *const *p, const ptrdiff_t *s, const rl_kargs *a, uint64_t items,
                   rl_map_loop *loop, rl_map_loop *xs)
{
    if (!(FITS(0) && FITS(1) && s[2] == 0 && n >= STEP)) {
        rl_map_run2(n, p, s, a, items, loop);
        return;
    }
    size_t whole = n & -STEP;
    if (whole)
        xs(whole, p, a);
    if (whole < n)
        strided(n - whole, (char *[]){p[0] + whole * ITEM(0), p[1] + whole * ITEM(1), p[2]}, s, a,
                2, items, loop);
}
