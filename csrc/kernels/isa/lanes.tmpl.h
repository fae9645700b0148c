/* lanes.tmpl.h: partial sums in vectors of the machine, added up in an order that does not depend
 * on their width.  Needs T, INT (signed integer as wide), NAME(f), LANES; defines V, VI. */

#define V NAME(vector)
#define VI NAME(mask)
typedef T V __attribute__((vector_size(RL_VECTOR_BYTES), aligned(sizeof(T))));
typedef INT VI __attribute__((vector_size(RL_VECTOR_BYTES), aligned(sizeof(T))));
enum {
    NAME(lanes) = LANES,
    NAME(width) = RL_VECTOR_BYTES / sizeof(T), /* elements of a vector */
    NAME(vectors) = LANES / NAME(width)        /* that make up the lanes */
};

/* All bits of the first n elements, n at most the width. */
static inline VI NAME(first)(size_t n)
{
    static const INT ones[2 * RL_VECTOR_BYTES / sizeof(T)] = {[0 ... NAME(width) - 1] = -1};
    return *(const VI *)(ones + NAME(width) - n);
}

/* The first n elements of a vector, n at most its width, without touching memory behind them; zeros
 * there. */
static inline V NAME(partial)(const T *x, size_t n)
{
#if RL_VECTOR_BYTES == 64
    return sizeof(T) == 4 ? (V)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), x)
                          : (V)_mm512_maskz_loadu_pd((__mmask8)((1u << n) - 1), x);
#elif RL_VECTOR_BYTES == 32
    return sizeof(T) == 4 ? (V)_mm256_maskload_ps((const float *)x, (__m256i)NAME(first)(n))
                          : (V)_mm256_maskload_pd((const double *)x, (__m256i)NAME(first)(n));
#else
    V v = {0};
    for (size_t k = 0; k < n; k++)
        v[k] = x[k];
    return v;
#endif
}

/* Lane k of the result is lane k + half. */
static inline V NAME(upper)(V v, int half)
{
    static const INT count[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return __builtin_shuffle(v, *(const VI *)count + (INT)half);
}

/* The lanes' sum, lane k and lane k + half each time. */
static inline T NAME(by_halves)(V *acc)
{
#define HALVE(half)                                                                                \
    if (NAME(vectors) > half)                                                                      \
        RL_UNROLLED for (int k = 0; k < half; k++) acc[k] += acc[k + half];
    HALVE(16)
    HALVE(8)
    HALVE(4)
    HALVE(2)
    HALVE(1)
#undef HALVE
    V v = acc[0];
#pragma GCC unroll 4
    for (int half = NAME(width) / 2; half > 0; half /= 2)
        v += NAME(upper)(v, half);
    return v[0];
}
