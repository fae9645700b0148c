/* reduce.tmpl.h: reductions of a floating dtype.  See "Note: order of additions" in reduce.c.
 * Needs T, INT, LANES (see lanes.tmpl.h), DTYPE, NAME(f), F(f), COMPENSATED; undefines them. */

#include "lanes.tmpl.h"
enum { NAME(chunk) = 64 * LANES };

/* A running sum in double; for float64 with the rounding errors in `low` (Knuth's two-sum). */
typedef struct NAME(total) {
    double high, low;
} NAME(total);

static inline void NAME(total_add)(NAME(total) * t, double v)
{
    double s = t->high + v;
    if (COMPENSATED) {
        double b = s - t->high;
        t->low += (t->high - (s - b)) + (v - b);
    }
    t->high = s;
}

/* The errors of infinite sums are nan: leave them out. */
static inline double NAME(total_value)(NAME(total) t)
{
    return COMPENSATED && fabs(t.high) < INFINITY ? t.high + t.low : t.high;
}

/* Macros for vectors, which functions would pass through memory; all bits but the sign's make the
 * absolute value. */
#define V_SELF(v) (v)
#define V_SQUARE(v) ((v) * (v))
#define V_ABS(v) ((V)((VI)(v) & ~((VI){0} + (INT)((uint64_t)1 << (8 * sizeof(T) - 1)))))
static inline T NAME(s_self)(T v) { return v; }
static inline T NAME(s_square)(T v) { return v * v; }
static inline T NAME(s_abs)(T v) { return F(fabs)(v); }

/* Sum of f(x[i]) over contiguous elements. */
#define SUM_ROW(name, vf, sf)                                                                      \
    static double NAME(name)(const T *x, size_t n)                                                 \
    {                                                                                              \
        NAME(total) total = {0, 0};                                                                \
        if (n < 16) {                                                                              \
            for (size_t i = 0; i < n; i++)                                                         \
                NAME(total_add)(&total, sf(x[i]));                                                 \
            return NAME(total_value)(total);                                                       \
        }                                                                                          \
        while (n > 0) {                                                                            \
            size_t m = n < NAME(chunk) ? n : NAME(chunk), i = 0;                                   \
            V acc[NAME(vectors)];                                                                  \
            RL_UNROLLED for (int k = 0; k < NAME(vectors); k++) acc[k] = (V){0};                   \
            for (; i + NAME(lanes) <= m; i += NAME(lanes))                                         \
                RL_UNROLLED for (int k = 0; k < NAME(vectors); k++) acc[k] +=                      \
                    vf(*(const V *)(x + i + NAME(width) * k));                                     \
            RL_UNROLLED for (int k = 0; k < NAME(vectors) && i < m; k++, i += NAME(width))         \
            {                                                                                      \
                V v = m - i >= NAME(width) ? *(const V *)(x + i) : NAME(partial)(x + i, m - i);    \
                acc[k] += vf(v);                                                                   \
            }                                                                                      \
            NAME(total_add)(&total, NAME(by_halves)(acc));                                         \
            x += m;                                                                                \
            n -= m;                                                                                \
        }                                                                                          \
        return NAME(total_value)(total);                                                           \
    }

SUM_ROW(sum_row, V_SELF, NAME(s_self))
SUM_ROW(sumsq_row, V_SQUARE, NAME(s_square))
SUM_ROW(sumabs_row, V_ABS, NAME(s_abs))

/* NAME_vectors: sums of f(x) over rows of `vectors` vectors of columns, or of one of which w
 * columns count.  NAME: over rows of w columns, w at most WIDTH.  so: bytes from column to column.
 */
#define SUM_COLUMNS(name, vf, sf)                                                                  \
    static inline __attribute__((always_inline)) void NAME(name##_vectors)(                        \
        const int vectors, size_t w, size_t nr, const char *x, ptrdiff_t sr, double *total)        \
    {                                                                                              \
        T sum[8 * NAME(width)];                                                                    \
        for (size_t j = 0; j < w; j++)                                                             \
            total[j] = 0;                                                                          \
        for (size_t r = 0; r < nr;) {                                                              \
            V part[8];                                                                             \
            RL_UNROLLED for (int k = 0; k < vectors; k++) part[k] = (V){0};                        \
            size_t end = nr - r < OUTER_RUN ? nr : r + OUTER_RUN;                                  \
            for (; r < end; r++, x += sr) {                                                        \
                RL_UNROLLED for (int k = 0; k < vectors; k++)                                      \
                {                                                                                  \
                    const T *at = (const T *)x + NAME(width) * k;                                  \
                    V v = vectors > 1 ? *(const V *)at : NAME(partial)(at, w);                     \
                    part[k] += vf(v);                                                              \
                }                                                                                  \
            }                                                                                      \
            RL_UNROLLED for (int k = 0; k < vectors; k++) * (V *)(sum + NAME(width) * k) =         \
                part[k];                                                                           \
            for (size_t j = 0; j < w; j++)                                                         \
                total[j] += sum[j];                                                                \
        }                                                                                          \
    }                                                                                              \
    static __attribute__((noinline)) void NAME(name)(size_t w, size_t nr, const char *x,           \
                                                     ptrdiff_t so, ptrdiff_t sr, double *total)    \
    {                                                                                              \
        if (so != sizeof(T)) {                                                                     \
            for (size_t j = 0; j < w; j++) {                                                       \
                const char *at = x + (ptrdiff_t)j * so;                                            \
                total[j] = 0;                                                                      \
                for (size_t r = 0; r < nr;) {                                                      \
                    T part = 0;                                                                    \
                    size_t end = nr - r < OUTER_RUN ? nr : r + OUTER_RUN;                          \
                    for (; r < end; r++, at += sr)                                                 \
                        part += sf(*(const T *)at);                                                \
                    total[j] += part;                                                              \
                }                                                                                  \
            }                                                                                      \
            return;                                                                                \
        }                                                                                          \
        for (; w >= 8 * NAME(width); w -= 8 * NAME(width)) {                                       \
            NAME(name##_vectors)(8, 8 * NAME(width), nr, x, sr, total);                            \
            x += 8 * RL_VECTOR_BYTES, total += 8 * NAME(width);                                    \
        }                                                                                          \
        for (; w >= 2 * NAME(width); w -= 2 * NAME(width)) {                                       \
            NAME(name##_vectors)(2, 2 * NAME(width), nr, x, sr, total);                            \
            x += 2 * RL_VECTOR_BYTES, total += 2 * NAME(width);                                    \
        }                                                                                          \
        while (w > 0) {                                                                            \
            size_t m = w < NAME(width) ? w : NAME(width);                                          \
            NAME(name##_vectors)(1, m, nr, x, sr, total);                                          \
            w -= m, x += RL_VECTOR_BYTES, total += m;                                              \
        }                                                                                          \
    }
SUM_COLUMNS(sum_columns, V_SELF, NAME(s_self))
SUM_COLUMNS(sumsq_columns, V_SQUARE, NAME(s_square))
SUM_COLUMNS(sumabs_columns, V_ABS, NAME(s_abs))

/* Sums of at most OUTER_RUN rows of columns side by side: whole vectors, the last one over again
 * what the one before it has done. */
static void NAME(sum_few)(size_t no, size_t nr, const char *x, ptrdiff_t sr, T *y)
{
    for (size_t o = 0; o < no; o += NAME(width)) {
        V sum = {0};
        if (no < NAME(width)) {
            for (size_t r = 0; r < nr; r++)
                sum += NAME(partial)((const T *)(x + (ptrdiff_t)r * sr), no);
            memcpy(y, &sum, no * sizeof(T));
            return;
        }
        o = o + NAME(width) < no ? o : no - NAME(width);
        for (size_t r = 0; r < nr; r++)
            sum += *(const V *)((const T *)(x + (ptrdiff_t)r * sr) + o);
        *(V *)(y + o) = sum;
    }
}

#define SUM_KERNEL(f, row, columns, few)                                                           \
    static void NAME(f)(size_t no, size_t nr, const char *x, ptrdiff_t so, ptrdiff_t sr, char *y,  \
                        ptrdiff_t sy, const rl_kargs *a)                                           \
    {                                                                                              \
        if (sr == sizeof(T))                                                                       \
            for (size_t o = 0; o < no; o++, x += so, y += sy)                                      \
                *(T *)y = (T)NAME(row)((const T *)x, nr);                                          \
        else if (few && nr <= OUTER_RUN && so == sizeof(T) && sy == so && no < 4 * NAME(width))    \
            NAME(sum_few)(no, nr, x, sr, (T *)y);                                                  \
        else                                                                                       \
            for (size_t o = 0; o < no; o += WIDTH) {                                               \
                double total[WIDTH];                                                               \
                size_t w = no - o < WIDTH ? no - o : WIDTH;                                        \
                NAME(columns)(w, nr, x + (ptrdiff_t)o * so, so, sr, total);                        \
                if (sy == sizeof(T))                                                               \
                    for (size_t j = 0; j < w; j++)                                                 \
                        ((T *)y)[j] = (T)total[j];                                                 \
                else                                                                               \
                    for (size_t j = 0; j < w; j++)                                                 \
                        *(T *)(y + (ptrdiff_t)j * sy) = (T)total[j];                               \
                y += (ptrdiff_t)w * sy;                                                            \
            }                                                                                      \
    }
SUM_KERNEL(SUM, sum_row, sum_columns, 1)
SUM_KERNEL(SUMSQ, sumsq_row, sumsq_columns, 0)
SUM_KERNEL(SUMABS, sumabs_row, sumabs_columns, 0)

/* Mean first, then the squares of the deviations, both in double. */
static void NAME(VAR)(size_t no, size_t nr, const char *x, ptrdiff_t so, ptrdiff_t sr, char *y,
                      ptrdiff_t sy, const rl_kargs *a)
{
    const double divisor = (double)nr > a->f[0] ? (double)nr - a->f[0] : 0;
    for (size_t o = 0; o < no; o++, x += so, y += sy) {
        double mean, squares = 0;
        if (sr == sizeof(T))
            mean = NAME(sum_row)((const T *)x, nr);
        else
            NAME(sum_columns)(1, nr, x, so, sr, &mean);
        mean /= (double)nr;
        for (size_t i = 0; i < nr; i += 512) {
            double block[512];
            size_t m = nr - i < 512 ? nr - i : 512;
            for (size_t k = 0; k < m; k++) {
                double d = (double)*(const T *)(x + (ptrdiff_t)(i + k) * sr) - mean;
                block[k] = d * d;
            }
            squares += K(sum_row_f64)(block, m);
        }
        *(T *)y = (T)(squares / divisor);
    }
}

/* Products by 16 lanes, no totals in between. */
static T NAME(prod_row)(const T *x, size_t n)
{
    enum { COUNT = 16 / NAME(width) };
    const V ones = (V){0} + 1;
    V acc[COUNT];
    RL_UNROLLED for (int k = 0; k < COUNT; k++) acc[k] = ones;
    for (; n >= 16; n -= 16, x += 16)
        RL_UNROLLED for (int k = 0; k < COUNT; k++) acc[k] *= *(const V *)(x + NAME(width) * k);
    RL_UNROLLED for (int k = 0; k < COUNT; k++) if (n > NAME(width) * (size_t)k)
    {
        const size_t left = n - NAME(width) * (size_t)k;
        const T *at = x + NAME(width) * k;
        if (left >= NAME(width))
            acc[k] *= *(const V *)at;
        else
            acc[k] *= (V)((VI)NAME(partial)(at, left) | (~NAME(first)(left) & (VI)ones));
    }
    RL_UNROLLED for (int half = COUNT / 2; half > 0; half /= 2) for (int k = 0; k < half; k++)
        acc[k] *= acc[k + half];
    V v = acc[0];
#pragma GCC unroll 4
    for (int half = NAME(width) / 2; half > 0; half /= 2)
        v *= NAME(upper)(v, half);
    return v[0];
}

/* The same of w columns, at most COLUMNS. */
enum { NAME(columns) = 32 };
static void NAME(prod_columns)(size_t w, size_t nr, const char *x, ptrdiff_t so, ptrdiff_t sr,
                               char *y, ptrdiff_t sy)
{
    T lane[16][NAME(columns)];
    const size_t lanes = nr < 16 ? nr : 16;
    size_t half = 8;
    for (size_t r = 0; r < nr; r++, x += sr)
        for (size_t j = 0; j < w; j++) {
            const T v = *(const T *)(x + (ptrdiff_t)j * so);
            lane[r % 16][j] = r < 16 ? v : lane[r % 16][j] * v;
        }
    for (size_t k = lanes; k < 16; k++)
        for (size_t j = 0; j < w; j++)
            lane[k][j] = 1;
    for (; half > 0; half /= 2)
        for (size_t k = 0; k < half; k++)
            for (size_t j = 0; j < w; j++)
                lane[k][j] *= lane[k + half][j];
    for (size_t j = 0; j < w; j++, y += sy)
        *(T *)y = lane[0][j];
}

static void NAME(PROD)(size_t no, size_t nr, const char *x, ptrdiff_t so, ptrdiff_t sr, char *y,
                       ptrdiff_t sy, const rl_kargs *a)
{
    if (sr == sizeof(T))
        for (size_t o = 0; o < no; o++, x += so, y += sy)
            *(T *)y = NAME(prod_row)((const T *)x, nr);
    else
        for (size_t o = 0; o < no; o += NAME(columns)) {
            size_t w = no - o < NAME(columns) ? no - o : NAME(columns);
            NAME(prod_columns)(w, nr, x + (ptrdiff_t)o * so, so, sr, y + (ptrdiff_t)o * sy, sy);
        }
}

/* Least and greatest element, nan if there is one.  `better` is < or >: once nan, always nan.  Rows
 * that are not short go by lanes, combined by halves. */
#define BETTER(v, best, better)                                                                    \
    {                                                                                              \
        VI take = (VI)((v)better(best)) | (VI)((v) != (v));                                        \
        best = (V)((take & (VI)(v)) | (~take & (VI)(best)));                                       \
    }
#define EXTREME(f, better)                                                                         \
    static inline __attribute__((always_inline)) T NAME(f##_lanes)(const T *x, size_t n, int m)    \
    {                                                                                              \
        V acc[NAME(vectors)];                                                                      \
        const size_t lanes = (size_t)m * NAME(width);                                              \
        for (int k = 0; k < m; k++)                                                                \
            acc[k] = *(const V *)(x + NAME(width) * k);                                            \
        for (size_t i = lanes; i + lanes <= n; i += lanes)                                         \
            for (int k = 0; k < m; k++) {                                                          \
                V v = *(const V *)(x + i + NAME(width) * k);                                       \
                BETTER(v, acc[k], better)                                                          \
            }                                                                                      \
        for (int half = m / 2; half > 0; half /= 2)                                                \
            for (int k = 0; k < half; k++)                                                         \
                BETTER(acc[k + half], acc[k], better)                                              \
        V best = acc[0];                                                                           \
        _Pragma("GCC unroll 4") for (int half = NAME(width) / 2; half > 0; half /= 2)              \
        {                                                                                          \
            V other = NAME(upper)(best, half);                                                     \
            BETTER(other, best, better)                                                            \
        }                                                                                          \
        return best[0];                                                                            \
    }                                                                                              \
    static T NAME(f##_row)(const T *x, size_t n)                                                   \
    {                                                                                              \
        T best = x[0];                                                                             \
        size_t i = 0;                                                                              \
        if (n >= 2 * NAME(lanes)) {                                                                \
            best = NAME(f##_lanes)(x, n, NAME(vectors));                                           \
            i = n & -(size_t)NAME(lanes);                                                          \
        } else if (n >= 16) {                                                                      \
            best = NAME(f##_lanes)(x, n, 16 / NAME(width));                                        \
            i = n & -(size_t)16;                                                                   \
        }                                                                                          \
        for (; i < n; i++)                                                                         \
            best = (x[i] better best) | (x[i] != x[i]) ? x[i] : best;                              \
        return best;                                                                               \
    }                                                                                              \
    static void NAME(f)(size_t no, size_t nr, const char *x, ptrdiff_t so, ptrdiff_t sr, char *y,  \
                        ptrdiff_t sy, const rl_kargs *a)                                           \
    {                                                                                              \
        if (sr == sizeof(T)) {                                                                     \
            for (size_t o = 0; o < no; o++, x += so, y += sy)                                      \
                *(T *)y = NAME(f##_row)((const T *)x, nr);                                         \
            return;                                                                                \
        }                                                                                          \
        for (size_t o = 0; o < no; o += WIDTH) {                                                   \
            T best[WIDTH];                                                                         \
            size_t w = no - o < WIDTH ? no - o : WIDTH;                                            \
            const char *at = x + (ptrdiff_t)o * so;                                                \
            for (size_t j = 0; j < w; j++)                                                         \
                best[j] = *(const T *)(at + (ptrdiff_t)j * so);                                    \
            for (size_t r = 1; r < nr; r++) {                                                      \
                at += sr;                                                                          \
                if (so == sizeof(T))                                                               \
                    for (size_t j = 0; j < w; j++) {                                               \
                        const T v = ((const T *)at)[j];                                            \
                        best[j] = (v better best[j]) | (v != v) ? v : best[j];                     \
                    }                                                                              \
                else                                                                               \
                    for (size_t j = 0; j < w; j++) {                                               \
                        const T v = *(const T *)(at + (ptrdiff_t)j * so);                          \
                        best[j] = (v better best[j]) | (v != v) ? v : best[j];                     \
                    }                                                                              \
            }                                                                                      \
            for (size_t j = 0; j < w; j++, y += sy)                                                \
                *(T *)y = best[j];                                                                 \
        }                                                                                          \
    }                                                                                              \
    static void NAME(ARG##f)(size_t no, size_t nr, const char *x, ptrdiff_t so, ptrdiff_t sr,      \
                             char *y, ptrdiff_t sy, const rl_kargs *a)                             \
    {                                                                                              \
        for (size_t o = 0; o < no; o++, x += so, y += sy) {                                        \
            size_t i = 0;                                                                          \
            if (sr == sizeof(T)) { /* the value first, by vectors; then where it is */             \
                const T *v = (const T *)x, best = NAME(f##_row)(v, nr);                            \
                if (best != best)                                                                  \
                    while (v[i] == v[i])                                                           \
                        i++;                                                                       \
                else                                                                               \
                    while (v[i] != best)                                                           \
                        i++;                                                                       \
            } else {                                                                               \
                const char *at = x;                                                                \
                T best = *(const T *)x;                                                            \
                for (size_t k = 1; k < nr && best == best; k++) {                                  \
                    const T v = *(const T *)(at += sr);                                            \
                    if ((v better best) | (v != v)) {                                              \
                        best = v;                                                                  \
                        i = k;                                                                     \
                    }                                                                              \
                }                                                                                  \
            }                                                                                      \
            *(int64_t *)y = (int64_t)i;                                                            \
        }                                                                                          \
    }
EXTREME(MIN, <)
EXTREME(MAX, >)
#undef EXTREME
#undef BETTER

#include "reduce_bool.tmpl.h"

static void NAME(reduce_fill)(rl_kernels *t)
{
    t->reduce[RL_REDUCE_SUM][DTYPE] = NAME(SUM);
    t->reduce[RL_REDUCE_SUMSQ][DTYPE] = NAME(SUMSQ);
    t->reduce[RL_REDUCE_SUMABS][DTYPE] = NAME(SUMABS);
    t->reduce[RL_REDUCE_PROD][DTYPE] = NAME(PROD);
    t->reduce[RL_REDUCE_VAR][DTYPE] = NAME(VAR);
    t->reduce[RL_REDUCE_MIN][DTYPE] = NAME(MIN);
    t->reduce[RL_REDUCE_MAX][DTYPE] = NAME(MAX);
    t->reduce[RL_REDUCE_ARGMIN][DTYPE] = NAME(ARGMIN);
    t->reduce[RL_REDUCE_ARGMAX][DTYPE] = NAME(ARGMAX);
    t->reduce[RL_REDUCE_ANY][DTYPE] = NAME(ANY);
    t->reduce[RL_REDUCE_ALL][DTYPE] = NAME(ALL);
}

#undef V_SELF
#undef V_SQUARE
#undef V_ABS
#undef SUM_ROW
#undef SUM_COLUMNS
#undef SUM_KERNEL
#undef T
#undef INT
#undef DTYPE
#undef NAME
#undef F
#undef COMPENSATED
#undef V
#undef VI
#undef LANES
