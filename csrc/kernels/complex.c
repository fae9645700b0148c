/* complex.c: element-wise kernels of complex64 and complex128.
 *
 * Compiled once: complex numbers are rare, and what takes time with them (the Fourier transforms)
 * is done elsewhere.  Plain sums and products in a fixed order, no fma: the same bits everywhere.
 */
#include <math.h>
#include <string.h>

#include "kernels/complex.h"

#define LOOP(name, T, inputs, OUT, body)                                                           \
    static inline __attribute__((always_inline)) void name##_by(                                   \
        size_t n, char *const *p, const rl_kargs *k, ptrdiff_t s0, ptrdiff_t s1, ptrdiff_t s2)     \
    {                                                                                              \
        (void)k;                                                                                   \
        _Pragma("GCC ivdep") for (size_t i = 0; i < n; i++)                                        \
        {                                                                                          \
            const ptrdiff_t at = (ptrdiff_t)i;                                                     \
            const T *x = (const T *)(p[1] + at * s1);                                              \
            const T *y = inputs > 1 ? (const T *)(p[2] + at * s2) : x;                             \
            OUT *z = (OUT *)(p[0] + at * s0);                                                      \
            const T a = x[0], b = x[1], c = y[0], d = y[1];                                        \
            (void)c, (void)d;                                                                      \
            body                                                                                   \
        }                                                                                          \
    }                                                                                              \
    static void name(size_t n, char *const *p, const ptrdiff_t *s, const rl_kargs *k)              \
    {                                                                                              \
        const ptrdiff_t size = 2 * sizeof(T);                                                      \
        if (s[0] == sizeof(OUT) * 2 && s[1] == size && (inputs == 1 || s[2] == size))              \
            name##_by(n, p, k, 2 * sizeof(OUT), size, size);                                       \
        else                                                                                       \
            name##_by(n, p, k, s[0], s[1], inputs > 1 ? s[2] : 0);                                 \
    }

#define PAIR(re, im)                                                                               \
    z[0] = (re);                                                                                   \
    z[1] = (im);

/* (a + bi) / (c + di), the divisor scaled by its larger part, so that its square stays in range.
 * By 0: as numbers by 0; by infinity: 0 for finite numbers. */
#define QUOTIENT(T, ABS, a, b, c, d)                                                               \
    T scale = ABS(c) >= ABS(d) ? ABS(c) : ABS(d), cs = (c) / scale, ds = (d) / scale;              \
    if (isinf(scale)) {                                                                            \
        cs = isinf(c) ? copysign((T)1, c) : 0;                                                     \
        ds = isinf(d) ? copysign((T)1, d) : 0;                                                     \
    }                                                                                              \
    T as = (a) / scale, bs = (b) / scale, size = cs * cs + ds * ds;                                \
    if (scale == 0) {                                                                              \
        PAIR(as, bs)                                                                               \
    } else {                                                                                       \
        PAIR((as * cs + bs * ds) / size, (bs * cs - as * ds) / size)                               \
    }

/* Products of contiguous complex64, two in a vector, each in the order of the loop below; returns
 * how many. */
static size_t mul_pairs(size_t n, char *const *p)
{
    typedef float vector __attribute__((vector_size(16), aligned(4), may_alias));
    typedef int32_t lanes __attribute__((vector_size(16)));
    size_t i = 0;
    for (; i + 2 <= n; i += 2) {
        const vector x = *(const vector *)(p[1] + 8 * i), y = *(const vector *)(p[2] + 8 * i);
        const vector real = __builtin_shuffle(x, (lanes){0, 0, 2, 2}) * y;
        const vector imaginary =
            __builtin_shuffle(x, (lanes){1, 1, 3, 3}) * __builtin_shuffle(y, (lanes){1, 0, 3, 2});
        *(vector *)(p[0] + 8 * i) =
            __builtin_shuffle(real - imaginary, real + imaginary, (lanes){0, 5, 2, 7});
    }
    return i;
}

#define KERNELS(t, T, ABS)                                                                         \
    LOOP(add_##t, T, 2, T, PAIR(a + c, b + d))                                                     \
    LOOP(sub_##t, T, 2, T, PAIR(a - c, b - d))                                                     \
    LOOP(mul_each_##t, T, 2, T, PAIR(a *c - b * d, a * d + b * c))                                 \
    LOOP(div_##t, T, 2, T, QUOTIENT(T, ABS, a, b, c, d))                                           \
    LOOP(add_scaled_##t, T, 2, T, PAIR(a + (T)k->f[0] * c, b + (T)k->f[0] * d))                    \
    LOOP(neg_##t, T, 1, T, PAIR(-a, -b))                                                           \
    LOOP(square_##t, T, 1, T, PAIR(a *a - b * b, a * b + b * a))                                   \
    LOOP(reciprocal_##t, T, 1, T, QUOTIENT(T, ABS, (T)1, (T)0, a, b))                              \
    LOOP(eq_##t, T, 2, uint8_t, *z = a == c && b == d;)                                            \
    LOOP(ne_##t, T, 2, uint8_t, *z = a != c || b != d;)                                            \
    static void where_##t(size_t n, char *const *p, const ptrdiff_t *s, const rl_kargs *k)         \
    {                                                                                              \
        (void)k;                                                                                   \
        for (size_t i = 0; i < n; i++) {                                                           \
            const ptrdiff_t at = (ptrdiff_t)i;                                                     \
            int which = *(const uint8_t *)(p[1] + at * s[1]) ? 2 : 3;                              \
            memmove(p[0] + at * s[0], p[which] + at * s[which], 2 * sizeof(T));                    \
        }                                                                                          \
    }                                                                                              \
    static void mul_##t(size_t n, char *const *p, const ptrdiff_t *s, const rl_kargs *k)           \
    {                                                                                              \
        const ptrdiff_t size = 2 * sizeof(T);                                                      \
        size_t done = 0;                                                                           \
        if (sizeof(T) == 4 && s[0] == size && s[1] == size && s[2] == size)                        \
            done = mul_pairs(n, p);                                                                \
        const ptrdiff_t at = (ptrdiff_t)done;                                                      \
        mul_each_##t(n - done,                                                                     \
                     (char *const[]){p[0] + at * s[0], p[1] + at * s[1], p[2] + at * s[2]}, s, k); \
    }                                                                                              \
    static void fill_##t(rl_kernels *table, rl_dtype dtype)                                        \
    {                                                                                              \
        table->map[RL_MAP_ADD][dtype] = add_##t;                                                   \
        table->map[RL_MAP_SUB][dtype] = sub_##t;                                                   \
        table->map[RL_MAP_MUL][dtype] = mul_##t;                                                   \
        table->map[RL_MAP_DIV][dtype] = div_##t;                                                   \
        table->map[RL_MAP_ADD_SCALED][dtype] = add_scaled_##t;                                     \
        table->map[RL_MAP_NEG][dtype] = neg_##t;                                                   \
        table->map[RL_MAP_SQUARE][dtype] = square_##t;                                             \
        table->map[RL_MAP_RECIPROCAL][dtype] = reciprocal_##t;                                     \
        table->map[RL_MAP_EQ][dtype] = eq_##t;                                                     \
        table->map[RL_MAP_NE][dtype] = ne_##t;                                                     \
        table->map[RL_MAP_WHERE][dtype] = where_##t;                                               \
    }

KERNELS(c64, float, fabsf)
KERNELS(c128, double, fabs)

void rl_fill_complex(rl_kernels *t)
{
    fill_c64(t, RL_C64);
    fill_c128(t, RL_C128);
}
