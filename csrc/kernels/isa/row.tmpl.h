/* row.tmpl.h: row kernels of a floating dtype; see kernels/row_list.h for their arguments.
 * Needs T, INT, LANES (see lanes.tmpl.h), DTYPE, NAME(f), M(f), F(f), EXP_LANES(e, x,
 * most, n): e[i] = exp(x[i] - most) for i < n, a multiple of the width and at most LANES; undefines
 * them at its end. */

#include "lanes.tmpl.h"

/* a where a > b, else b */
static inline V NAME(greater)(V a, V b)
{
#if RL_VECTOR_BYTES == 64
    return sizeof(T) == 4 ? (V)_mm512_max_ps((__m512)a, (__m512)b)
                          : (V)_mm512_max_pd((__m512d)a, (__m512d)b);
#elif RL_VECTOR_BYTES == 32
    return sizeof(T) == 4 ? (V)_mm256_max_ps((__m256)a, (__m256)b)
                          : (V)_mm256_max_pd((__m256d)a, (__m256d)b);
#else
    VI take = (VI)(a > b);
    return (V)((take & (VI)a) | (~take & (VI)b));
#endif
}

/* The first n elements of a vector, n less than its width; `fill` behind them. */
static inline V NAME(partial_filled)(const T *x, size_t n, T fill)
{
    const V low = (V){0} + fill;
#if RL_VECTOR_BYTES == 64
    return sizeof(T) == 4 ? (V)_mm512_mask_loadu_ps((__m512)low, (__mmask16)((1u << n) - 1), x)
                          : (V)_mm512_mask_loadu_pd((__m512d)low, (__mmask8)((1u << n) - 1), x);
#else
    const VI have = NAME(first)(n);
    return (V)(((VI)NAME(partial)(x, n) & have) | (~have & (VI)low));
#endif
}

/* Stores the first n elements of a vector, n less than its width. */
static inline void NAME(store_part)(T *y, V v, size_t n)
{
#if RL_VECTOR_BYTES == 64
    if (sizeof(T) == 4)
        _mm512_mask_storeu_ps(y, (__mmask16)((1u << n) - 1), (__m512)v);
    else
        _mm512_mask_storeu_pd(y, (__mmask8)((1u << n) - 1), (__m512d)v);
#else
    T from[NAME(width)];
    size_t k = 0;
    *(V *)from = v;
#define PART(piece)                                                                                \
    if (NAME(width) > piece && (n & piece))                                                        \
        memcpy(y + k, from + k, piece * sizeof(T)), k += piece;
    PART(4)
    PART(2)
    PART(1)
#undef PART
#endif
}

/* Sum over rows a, b and c of a term of their elements x, y, z and of `middle`; in vectors.  The
 * terms of 4096 elements are added in T, those sums in double.  A row that the term does not name:
 * any of the others. */
#define ROW_SUM(name, term)                                                                        \
    static __attribute__((noinline)) double NAME(name)(const T *a, const T *b, const T *c,         \
                                                       T middle, size_t n)                         \
    {                                                                                              \
        double sum = 0;                                                                            \
        for (size_t i = 0; i < n;) {                                                               \
            size_t end = n - i < 4096 ? n : i + 4096;                                              \
            V acc[NAME(vectors)];                                                                  \
            RL_UNROLLED for (int k = 0; k < NAME(vectors); k++) acc[k] = (V){0};                   \
            for (; i + LANES <= end; i += LANES)                                                   \
                RL_UNROLLED for (int k = 0; k < NAME(vectors); k++)                                \
                {                                                                                  \
                    const V x = *(const V *)(a + i + NAME(width) * k);                             \
                    const V y = *(const V *)(b + i + NAME(width) * k);                             \
                    const V z = *(const V *)(c + i + NAME(width) * k);                             \
                    (void)y, (void)z;                                                              \
                    acc[k] += (term);                                                              \
                }                                                                                  \
            if (i < end) {                                                                         \
                V rest[NAME(vectors)] = {{0}};                                                     \
                for (int k = 0; i < end; k++, i += NAME(width)) {                                  \
                    const size_t m = end - i < NAME(width) ? end - i : NAME(width);                \
                    const V x = NAME(partial)(a + i, m), y = NAME(partial)(b + i, m);              \
                    const V z = NAME(partial)(c + i, m);                                           \
                    (void)y, (void)z;                                                              \
                    rest[k] = (V)((VI)(term) & NAME(first)(m));                                    \
                }                                                                                  \
                RL_UNROLLED for (int k = 0; k < NAME(vectors); k++) acc[k] += rest[k];             \
                i = end;                                                                           \
            }                                                                                      \
            sum += NAME(by_halves)(acc);                                                           \
        }                                                                                          \
        return sum;                                                                                \
    }
ROW_SUM(dot_terms, x *y)
ROW_SUM(sum_terms, x)
ROW_SUM(mse_terms, (x - y) * (x - y))
ROW_SUM(square_terms, (x - middle) * (x - middle))
ROW_SUM(along_terms, x *(y - middle))
ROW_SUM(weighted_terms, x * z * (y - middle))
#undef ROW_SUM

typedef union NAME(lane_sums) {
    V v[NAME(vectors)];
    T s[LANES];
} NAME(lane_sums);

/* Declares `sum` and adds up `term` over at = 0 ... n - 1 in it.  The terms of 4096 elements are
 * added in T, those sums in double. */
#define SUM_LANES(sum, n, term)                                                                    \
    double sum = 0;                                                                                \
    for (size_t start = 0; start < (n); start += 4096) {                                           \
        NAME(lane_sums) lane = {.s = {0}};                                                         \
        size_t end = (n) - start < 4096 ? (n) : start + 4096, i = start;                           \
        for (; i + LANES <= end; i += LANES) {                                                     \
            T terms[LANES];                                                                        \
            for (size_t k = 0; k < LANES; k++) {                                                   \
                const size_t at = i + k;                                                           \
                terms[k] = (term);                                                                 \
            }                                                                                      \
            for (size_t k = 0; k < LANES; k++)                                                     \
                lane.s[k] += terms[k];                                                             \
        }                                                                                          \
        for (size_t k = 0; i < end; i++, k++) {                                                    \
            const size_t at = i;                                                                   \
            lane.s[k] += (term);                                                                   \
        }                                                                                          \
        sum += NAME(by_halves)(lane.v);                                                            \
    }

/* Greatest element; which of the two zeros, and nan or not beside a nan, is left open: softmax does
 * not see the one, and gives nan in any case of the other. */
static inline T NAME(row_max)(const T *x, size_t n)
{
    V v;
    if (n < NAME(width)) {
        v = NAME(partial_filled)(x, n, -(T)INFINITY);
    } else {
        V acc[4];
        size_t i = 0;
        RL_UNROLLED for (int k = 0; k < 4; k++) acc[k] = *(const V *)x;
        for (; i + 4 * NAME(width) <= n; i += 4 * NAME(width))
            RL_UNROLLED for (int k = 0; k < 4; k++) acc[k] =
                NAME(greater)(*(const V *)(x + i + NAME(width) * k), acc[k]);
        for (; i + NAME(width) <= n; i += NAME(width))
            acc[0] = NAME(greater)(*(const V *)(x + i), acc[0]);
        acc[1] = NAME(greater)(*(const V *)(x + n - NAME(width)), acc[1]); /* the rest, and more */
        v = NAME(greater)(NAME(greater)(acc[0], acc[1]), NAME(greater)(acc[2], acc[3]));
    }
#pragma GCC unroll 4
    for (int half = NAME(width) / 2; half > 0; half /= 2)
        v = NAME(greater)(NAME(upper)(v, half), v);
    return v[0];
}

/* e[i] = exp(x[i] - most) for n <= BLOCK elements; the sum.  Writes whole vectors, to a multiple of
 * LANES at most, zeros behind n. */
static __attribute__((noinline)) T NAME(exp_block)(T *e, const T *x, T most, size_t n)
{
    V acc[NAME(vectors)];
    size_t i = 0;
    RL_UNROLLED for (int k = 0; k < NAME(vectors); k++) acc[k] = (V){0};
    for (; i + LANES <= n; i += LANES) {
        EXP_LANES(e + i, x + i, most, LANES);
        RL_UNROLLED for (int k = 0; k < NAME(vectors); k++) acc[k] +=
            *(const V *)(e + i + NAME(width) * k);
    }
    if (NAME(vectors) == 2 && (n - i) % NAME(width)) { /* as below, without branches on n */
        const size_t w = NAME(width), m[2] = {n - i < w ? n - i : w, n - i < w ? 0 : n - i - w};
        V rest[2];
        RL_UNROLLED for (size_t k = 0; k < 2; k++) rest[k] =
            NAME(partial_filled)(x + i + w * k, m[k], most);
        EXP_LANES((T *)rest, (const T *)rest, most, LANES);
        RL_UNROLLED for (size_t k = 0; k < 2; k++)
        {
            rest[k] = (V)((VI)rest[k] & NAME(first)(m[k]));
            *(V *)(e + i + w * k) = rest[k];
            acc[k] += rest[k];
        }
    } else if (i < n) { /* the rest, filled up with what exp turns into 1, for a 0 in its place */
        V rest[NAME(vectors)], *end = (V *)(e + i);
        const size_t whole = (n - i) / NAME(width), left = (n - i) % NAME(width);
        const size_t used = whole + (left > 0);
        for (size_t k = 0; k < whole; k++)
            rest[k] = *(const V *)(x + i + NAME(width) * k);
        if (left)
            rest[whole] = NAME(partial_filled)(x + n - left, left, most);
        EXP_LANES(e + i, (const T *)rest, most, NAME(width) * used);
        if (left)
            end[whole] = (V)((VI)end[whole] & NAME(first)(left));
        for (size_t k = 0; k < used; k++)
            acc[k] += end[k];
    }
    return NAME(by_halves)(acc);
}

/* y[i] = x[i] factor; x, apart from y, readable up to a whole vector. */
static inline void NAME(scale)(T *y, const T *x, T factor, size_t n)
{
    size_t i = 0;
    for (; i + NAME(width) <= n; i += NAME(width))
        *(V *)(y + i) = *(const V *)(x + i) * factor;
    if (i < n && n >= NAME(width)) /* the last whole vector once more */
        *(V *)(y + n - NAME(width)) = *(const V *)(x + n - NAME(width)) * factor;
    else if (i < n)
        NAME(store_part)(y, *(const V *)x * factor, n);
}

static void NAME(SOFTMAX)(size_t rows, size_t n, char *const *p, const ptrdiff_t *s,
                          const rl_kargs *a)
{
    T e[BLOCK];
    for (size_t r = 0; r < rows; r++) {
        T *y = (T *)p[0] + (ptrdiff_t)r * s[0];
        const T *x = (const T *)p[1] + (ptrdiff_t)r * s[1];
        const T most = NAME(row_max)(x, n);
        double total = 0;
        for (size_t i = 0; i < n; i += BLOCK) {
            size_t m = n - i < BLOCK ? n - i : BLOCK;
            total += NAME(exp_block)(e, x + i, most, m);
            if (n > BLOCK)
                memcpy(y + i, e, m * sizeof(T));
        }
        const T factor = (T)(1 / total);
        if (n > BLOCK)
            RL_IVDEP for (size_t i = 0; i < n; i++) y[i] *= factor;
        else
            NAME(scale)(y, e, factor, n);
    }
}

/* log(sum of exp(x[i] - most)) */
static inline T NAME(log_sum_exp)(const T *x, T most, size_t n)
{
    T e[BLOCK];
    double total = 0;
    for (size_t i = 0; i < n; i += BLOCK)
        total += NAME(exp_block)(e, x + i, most, n - i < BLOCK ? n - i : BLOCK);
    return (T)m_log(total);
}

static void NAME(LOG_SOFTMAX)(size_t rows, size_t n, char *const *p, const ptrdiff_t *s,
                              const rl_kargs *a)
{
    for (size_t r = 0; r < rows; r++) {
        T *y = (T *)p[0] + (ptrdiff_t)r * s[0];
        const T *x = (const T *)p[1] + (ptrdiff_t)r * s[1];
        const T most = NAME(row_max)(x, n), log_sum = NAME(log_sum_exp)(x, most, n);
        RL_IVDEP for (size_t i = 0; i < n; i++) y[i] = x[i] - most - log_sum;
    }
}

/* dx = y (g - sum(g y)) */
static void NAME(SOFTMAX_BACKWARD)(size_t rows, size_t n, char *const *p, const ptrdiff_t *s,
                                   const rl_kargs *a)
{
    for (size_t r = 0; r < rows; r++) {
        T *dx = (T *)p[0] + (ptrdiff_t)r * s[0];
        const T *g = (const T *)p[1] + (ptrdiff_t)r * s[1];
        const T *y = (const T *)p[2] + (ptrdiff_t)r * s[2];
        const T dot = (T)NAME(dot_terms)(g, y, g, 0, n);
        RL_IVDEP for (size_t i = 0; i < n; i++) dx[i] = y[i] * (g[i] - dot);
    }
}

/* dx = g - exp(y) sum(g) */
static void NAME(LOG_SOFTMAX_BACKWARD)(size_t rows, size_t n, char *const *p, const ptrdiff_t *s,
                                       const rl_kargs *a)
{
    for (size_t r = 0; r < rows; r++) {
        T *dx = (T *)p[0] + (ptrdiff_t)r * s[0];
        const T *g = (const T *)p[1] + (ptrdiff_t)r * s[1];
        const T *y = (const T *)p[2] + (ptrdiff_t)r * s[2];
        const T total = (T)NAME(sum_terms)(g, g, g, 0, n);
        T e[BLOCK];
        for (size_t i = 0; i < n; i += BLOCK) {
            size_t m = n - i < BLOCK ? n - i : BLOCK;
            NAME(exp_block)(e, y + i, 0, m);
            RL_IVDEP for (size_t k = 0; k < m; k++) dx[i + k] = g[i + k] - e[k] * total;
        }
    }
}

static void NAME(CROSS_ENTROPY)(size_t rows, size_t n, char *const *p, const ptrdiff_t *s,
                                const rl_kargs *a)
{
    const T smooth = (T)a->f[0];
    for (size_t r = 0; r < rows; r++) {
        const T *x = (const T *)p[1] + (ptrdiff_t)r * s[1];
        const int64_t target = *((const int64_t *)p[2] + (ptrdiff_t)r * s[2]);
        T *loss = (T *)p[0] + (ptrdiff_t)r * s[0], *lse = (T *)p[3] + (ptrdiff_t)r * s[3];
        const T most = NAME(row_max)(x, n), log_sum = NAME(log_sum_exp)(x, most, n);
        *lse = most + log_sum;
        T value = 0;
        if (target != a->i[0]) {
            value = log_sum - (x[target] - most);
            if (smooth != 0) {
                SUM_LANES(sum, n, x[at] - most)
                value = (1 - smooth) * value + smooth * (log_sum - (T)(sum / (double)n));
            }
        }
        *loss = value;
    }
}

static void NAME(CROSS_ENTROPY_BACKWARD)(size_t rows, size_t n, char *const *p, const ptrdiff_t *s,
                                         const rl_kargs *a)
{
    const T smooth = (T)a->f[0], share = smooth / (T)n;
    for (size_t r = 0; r < rows; r++) {
        T *dx = (T *)p[0] + (ptrdiff_t)r * s[0];
        const T *x = (const T *)p[1] + (ptrdiff_t)r * s[1];
        const int64_t target = *((const int64_t *)p[2] + (ptrdiff_t)r * s[2]);
        const T lse = *((const T *)p[3] + (ptrdiff_t)r * s[3]);
        const T scale = *((const T *)p[4] + (ptrdiff_t)r * s[4]);
        if (target == a->i[0]) {
            memset(dx, 0, n * sizeof(T));
            continue;
        }
        T e[BLOCK];
        for (size_t i = 0; i < n; i += BLOCK) {
            size_t m = n - i < BLOCK ? n - i : BLOCK;
            NAME(exp_block)(e, x + i, lse, m);
            if ((size_t)target - i < m)
                e[(size_t)target - i] -= 1 - smooth;
            RL_IVDEP for (size_t k = 0; k < m; k++) dx[i + k] = scale * (e[k] - share);
        }
    }
}

/* ---- normalisation ---- */

static void NAME(LAYER_NORM)(size_t rows, size_t n, char *const *p, const ptrdiff_t *s,
                             const rl_kargs *a)
{
    const size_t run = (size_t)a->i[0];
    for (size_t r = 0; r < rows; r++) {
        T *y = (T *)p[0] + (ptrdiff_t)r * s[0];
        const T *x = (const T *)p[1] + (ptrdiff_t)r * s[1];
        const T *w = p[4] ? (const T *)p[4] + (ptrdiff_t)r * s[4] : NULL;
        const T *b = p[5] ? (const T *)p[5] + (ptrdiff_t)r * s[5] : NULL;
        const T mean = (T)(NAME(sum_terms)(x, x, x, 0, n) / (double)n);
        const double squares = NAME(square_terms)(x, x, x, mean, n);
        const T rstd = (T)(1 / sqrt(squares / (double)n + a->f[0]));
        if (p[2]) {
            *((T *)p[2] + (ptrdiff_t)r * s[2]) = mean;
            *((T *)p[3] + (ptrdiff_t)r * s[3]) = rstd;
        }
        if (run == 1 && w && b) {
            RL_IVDEP for (size_t i = 0; i < n; i++) y[i] = (x[i] - mean) * rstd * w[i] + b[i];
        } else if (run == 1 && w) {
            RL_IVDEP for (size_t i = 0; i < n; i++) y[i] = (x[i] - mean) * rstd * w[i];
        } else {
            const size_t length = w || b ? run : n;
            for (size_t base = 0, c = 0; base < n; base += length, c++) {
                const T scale = w ? rstd * w[c] : rstd, shift = b ? b[c] : 0;
                RL_IVDEP for (size_t i = base; i < base + length; i++) y[i] =
                    (x[i] - mean) * scale + shift;
            }
        }
    }
}

/* With h = (x - mean) rstd and e = g weight: dx = rstd (e - mean(e) - h mean(e h)) */
static void NAME(LAYER_NORM_BACKWARD)(size_t rows, size_t n, char *const *p, const ptrdiff_t *s,
                                      const rl_kargs *a)
{
    const size_t run = (size_t)a->i[0];
    for (size_t r = 0; r < rows; r++) {
        T *dx = (T *)p[0] + (ptrdiff_t)r * s[0];
        const T *g = (const T *)p[1] + (ptrdiff_t)r * s[1];
        const T *x = (const T *)p[2] + (ptrdiff_t)r * s[2];
        const T mean = *((const T *)p[3] + (ptrdiff_t)r * s[3]);
        const T rstd = *((const T *)p[4] + (ptrdiff_t)r * s[4]);
        const T *w = p[5] ? (const T *)p[5] + (ptrdiff_t)r * s[5] : NULL;
        if (run == 1 && w) {
            const double total = NAME(dot_terms)(g, w, g, 0, n);
            const double along = NAME(weighted_terms)(g, x, w, mean, n);
            const T level = (T)(total / (double)n);
            const T slope = (T)(along * rstd * rstd / (double)n);
            RL_IVDEP for (size_t i = 0; i < n; i++) dx[i] =
                (g[i] * w[i] - level - (x[i] - mean) * slope) * rstd;
            continue;
        }
        const size_t length = w ? run : n;
        double all = 0, slant = 0;
        for (size_t base = 0, c = 0; base < n; base += length, c++) {
            const T *part = g + base;
            const double total = NAME(sum_terms)(part, part, part, 0, length);
            const double along = NAME(along_terms)(part, x + base, part, mean, length);
            all += w ? total * w[c] : total;
            slant += w ? along * w[c] : along;
        }
        const T level = (T)(all / (double)n), slope = (T)(slant * rstd * rstd / (double)n);
        for (size_t base = 0, c = 0; base < n; base += length, c++) {
            const T scale = w ? w[c] : 1;
            RL_IVDEP for (size_t i = base; i < base + length; i++) dx[i] =
                (g[i] * scale - level - (x[i] - mean) * slope) * rstd;
        }
    }
}

static void NAME(LAYER_NORM_PARAMS)(size_t rows, size_t n, char *const *p, const ptrdiff_t *s,
                                    const rl_kargs *a)
{
    for (size_t r = 0; r < rows; r++) {
        T *dw = (T *)p[0] + (ptrdiff_t)r * s[0], *db = (T *)p[1] + (ptrdiff_t)r * s[1];
        const T *g = (const T *)p[2] + (ptrdiff_t)r * s[2];
        const T *x = (const T *)p[3] + (ptrdiff_t)r * s[3];
        const T *mean = (const T *)p[4] + (ptrdiff_t)r * s[4];
        const T *rstd = (const T *)p[5] + (ptrdiff_t)r * s[5];
        memset(dw, 0, n * sizeof(T));
        memset(db, 0, n * sizeof(T));
        for (int64_t k = 0; k < a->i[0]; k++, g += n, x += n) {
            const T middle = mean[k], factor = rstd[k];
            RL_IVDEP for (size_t i = 0; i < n; i++)
            {
                dw[i] += g[i] * ((x[i] - middle) * factor);
                db[i] += g[i];
            }
        }
    }
}

static void NAME(NORM_SUMS)(size_t rows, size_t n, char *const *p, const ptrdiff_t *s,
                            const rl_kargs *a)
{
    for (size_t r = 0; r < rows; r++) {
        const T *g = (const T *)p[2] + (ptrdiff_t)r * s[2];
        const T *x = (const T *)p[3] + (ptrdiff_t)r * s[3];
        const T mean = *((const T *)p[4] + (ptrdiff_t)r * s[4]);
        const double total = NAME(sum_terms)(g, g, g, 0, n);
        const double along = NAME(along_terms)(g, x, g, mean, n);
        *((T *)p[0] + (ptrdiff_t)r * s[0]) = (T)total;
        *((T *)p[1] + (ptrdiff_t)r * s[1]) = (T)along;
    }
}

static void NAME(NORM_BACKWARD)(size_t rows, size_t n, char *const *p, const ptrdiff_t *s,
                                const rl_kargs *a)
{
    for (size_t r = 0; r < rows; r++) {
        T *dx = (T *)p[0] + (ptrdiff_t)r * s[0];
        const T *g = (const T *)p[1] + (ptrdiff_t)r * s[1];
        const T *x = (const T *)p[2] + (ptrdiff_t)r * s[2];
        const T *c = (const T *)p[3] + (ptrdiff_t)r * s[3];
        const T mean = c[0], level = c[1], slope = c[2], scale = c[3];
        RL_IVDEP for (size_t i = 0; i < n; i++) dx[i] =
            (g[i] - level - (x[i] - mean) * slope) * scale;
    }
}

static void NAME(AFFINE)(size_t rows, size_t n, char *const *p, const ptrdiff_t *s,
                         const rl_kargs *a)
{
    for (size_t r = 0; r < rows; r++) {
        T *y = (T *)p[0] + (ptrdiff_t)r * s[0];
        const T *x = (const T *)p[1] + (ptrdiff_t)r * s[1];
        const T scale = ((const T *)p[2])[(ptrdiff_t)r * s[2]];
        const T shift = ((const T *)p[2])[(ptrdiff_t)r * s[2] + 1];
        RL_IVDEP for (size_t i = 0; i < n; i++) y[i] = shift + x[i] * scale;
    }
}

/* ---- sums of element-wise losses ---- */

#define LOSS_SUM(f, pre, term)                                                                     \
    static void NAME(f)(size_t rows, size_t n, char *const *p, const ptrdiff_t *s,                 \
                        const rl_kargs *a)                                                         \
    {                                                                                              \
        pre;                                                                                       \
        for (size_t r = 0; r < rows; r++) {                                                        \
            const T *px = (const T *)p[1] + (ptrdiff_t)r * s[1];                                   \
            const T *py = (const T *)p[2] + (ptrdiff_t)r * s[2];                                   \
            SUM_LANES(sum, n, term)                                                                \
            *((T *)p[0] + (ptrdiff_t)r * s[0]) = (T)sum;                                           \
        }                                                                                          \
    }
#define DIFF (px[at] - py[at])
static inline T NAME(sum_smooth_l1)(T d, T beta)
{
    return d < beta ? (T)0.5 * d * d / beta : d - (T)0.5 * beta;
}
static inline T NAME(sum_huber)(T d, T delta)
{
    return d < delta ? (T)0.5 * d * d : delta * (d - (T)0.5 * delta);
}
static void NAME(MSE_SUM)(size_t rows, size_t n, char *const *p, const ptrdiff_t *s,
                          const rl_kargs *a)
{
    for (size_t r = 0; r < rows; r++) {
        const T *x = (const T *)p[1] + (ptrdiff_t)r * s[1];
        *((T *)p[0] + (ptrdiff_t)r * s[0]) =
            (T)NAME(mse_terms)(x, (const T *)p[2] + (ptrdiff_t)r * s[2], x, 0, n);
    }
}
LOSS_SUM(L1_SUM, , F(fabs)(DIFF))
LOSS_SUM(SMOOTH_L1_SUM, const T beta = (T)a->f[0], NAME(sum_smooth_l1)(F(fabs)(DIFF), beta))
LOSS_SUM(HUBER_SUM, const T delta = (T)a->f[0], NAME(sum_huber)(F(fabs)(DIFF), delta))
#undef DIFF
#undef LOSS_SUM

#include "attention.tmpl.h"

static void NAME(row_fill)(rl_kernels *t)
{
#define SET_ROW(f) t->row[RL_ROW_##f][DTYPE] = NAME(f)
    SET_ROW(SOFTMAX), SET_ROW(LOG_SOFTMAX), SET_ROW(SOFTMAX_BACKWARD),
        SET_ROW(LOG_SOFTMAX_BACKWARD), SET_ROW(CROSS_ENTROPY), SET_ROW(CROSS_ENTROPY_BACKWARD),
        SET_ROW(LAYER_NORM), SET_ROW(LAYER_NORM_BACKWARD), SET_ROW(LAYER_NORM_PARAMS),
        SET_ROW(NORM_SUMS), SET_ROW(NORM_BACKWARD), SET_ROW(AFFINE), SET_ROW(MSE_SUM),
        SET_ROW(L1_SUM), SET_ROW(SMOOTH_L1_SUM), SET_ROW(HUBER_SUM), SET_ROW(ATTENTION),
        SET_ROW(ATTENTION_BACKWARD), SET_ROW(SCALE_ROWS), SET_ROW(DOT_ROWS);
#undef SET_ROW
}

#undef SUM_LANES
#undef V
#undef VI
#undef LANES
#undef T
#undef INT
#undef DTYPE
#undef NAME
#undef M
#undef EXP_LANES
#undef F
