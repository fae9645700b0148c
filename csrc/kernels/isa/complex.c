/* complex.c: element-wise kernels of complex64 and complex128.
 *
 * Plain sums and products in a fixed order, no fma: the same bits everywhere.  GCC (12) makes
 * fmaddsub of a difference beside a sum of products, whatever -ffp-contract says: without the
 * instruction it cannot.
 */
#ifdef __FMA__
#pragma GCC target("no-fma")
#endif
#include "isa.h"

#include <math.h>

#define ITEMS(o, x, y, z)                                                                          \
    ((uint64_t)(o) | (uint64_t)(x) << 8 | (uint64_t)(y) << 16 | (uint64_t)(z) << 24 |              \
     (uint64_t)1 << 40)

/* z[0], z[1] (or *z) from a + bi and c + di */
#define LOOP(name, T, inputs, OUT, parts, body)                                                    \
    static void name##_loop(size_t n, char *const *p, const rl_kargs *k)                           \
    {                                                                                              \
        const T *x = (const T *)p[1], *y = (const T *)p[inputs];                                   \
        OUT *z = (OUT *)p[0];                                                                      \
        (void)k;                                                                                   \
        _Pragma("GCC ivdep") for (size_t i = 0; i < n; i++, x += 2, y += 2, z += parts)            \
        {                                                                                          \
            const T a = x[0], b = x[1], c = y[0], d = y[1];                                        \
            (void)c, (void)d;                                                                      \
            body                                                                                   \
        }                                                                                          \
    }                                                                                              \
    static void name(size_t n, char *const *p, const ptrdiff_t *s, const rl_kargs *k)              \
    {                                                                                              \
        rl_map_run##inputs(                                                                        \
            n, p, s, k, ITEMS(sizeof(OUT) * parts, 2 * sizeof(T), 2 * sizeof(T), 0), name##_loop); \
    }

#define PAIR(re, im)                                                                               \
    const __typeof__(a) real = (re), imaginary = (im);                                             \
    z[0] = real;                                                                                   \
    z[1] = imaginary;

/* c + di = most (cs + ds i), so that its square stays in range; infinities become units. */
#define SCALED(T, ABS, c, d)                                                                       \
    const T most = ABS(c) >= ABS(d) ? ABS(c) : ABS(d), infinity = (T)INFINITY;                     \
    const T ce = ABS(c) == infinity ? (c < 0 ? (T) - 1 : (T)1) : 0;                                \
    const T de = ABS(d) == infinity ? (d < 0 ? (T) - 1 : (T)1) : 0;                                \
    const T cs = most == infinity ? ce : (c) / most, ds = most == infinity ? de : (d) / most;      \
    const T size = cs * cs + ds * ds;
/* (a + bi) / (c + di).  By 0: as numbers by 0; by infinity: 0 for finite numbers. */
#define QUOTIENT(T, ABS)                                                                           \
    SCALED(T, ABS, c, d)                                                                           \
    const T as = a / most, bs = b / most;                                                          \
    PAIR(most == 0 ? as : (as * cs + bs * ds) / size, most == 0 ? bs : (bs * cs - as * ds) / size)
/* 1 / (a + bi) */
#define INVERSE(T, ABS)                                                                            \
    SCALED(T, ABS, a, b)                                                                           \
    const T inverse = 1 / most / size;                                                             \
    PAIR(most == 0 ? infinity : cs * inverse, most == 0 ? (T)NAN : -ds * inverse)

#define KERNELS(t, T, ABS)                                                                         \
    LOOP(add_##t, T, 2, T, 2, PAIR(a + c, b + d))                                                  \
    LOOP(sub_##t, T, 2, T, 2, PAIR(a - c, b - d))                                                  \
    LOOP(mul_##t, T, 2, T, 2, PAIR(a *c - b * d, a * d + b * c))                                   \
    LOOP(div_##t, T, 2, T, 2, QUOTIENT(T, ABS))                                                    \
    LOOP(add_scaled_##t, T, 2, T, 2, PAIR(a + (T)k->f[0] * c, b + (T)k->f[0] * d))                 \
    LOOP(neg_##t, T, 1, T, 2, PAIR(-a, -b))                                                        \
    LOOP(square_##t, T, 1, T, 2, PAIR(a *a - b * b, a * b + b * a))                                \
    LOOP(reciprocal_##t, T, 1, T, 2, INVERSE(T, ABS))                                              \
    LOOP(eq_##t, T, 2, uint8_t, 1, *z = (a == c) & (b == d);)                                      \
    LOOP(ne_##t, T, 2, uint8_t, 1, *z = (a != c) | (b != d);)                                      \
    static void where_##t##_loop(size_t n, char *const *p, const rl_kargs *k)                      \
    {                                                                                              \
        const T *x = (const T *)p[2], *y = (const T *)p[3];                                        \
        T *z = (T *)p[0];                                                                          \
        (void)k;                                                                                   \
        _Pragma("GCC ivdep") for (size_t i = 0; i < n; i++)                                        \
        {                                                                                          \
            const T a = p[1][i] ? x[2 * i] : y[2 * i], b = p[1][i] ? x[2 * i + 1] : y[2 * i + 1];  \
            z[2 * i] = a;                                                                          \
            z[2 * i + 1] = b;                                                                      \
        }                                                                                          \
    }                                                                                              \
    static void where_##t(size_t n, char *const *p, const ptrdiff_t *s, const rl_kargs *k)         \
    {                                                                                              \
        const size_t item = 2 * sizeof(T);                                                         \
        rl_map_run3(n, p, s, k, ITEMS(item, 1, item, item), where_##t##_loop);                     \
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

void K(fill_complex)(rl_kernels *t);
void K(fill_complex)(rl_kernels *t)
{
    fill_c64(t, RL_C64);
    fill_c128(t, RL_C128);
}
