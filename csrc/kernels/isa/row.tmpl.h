/* row.tmpl.h: row kernels of a floating dtype; see kernels/row_list.h for their arguments.
 * Needs T, DTYPE, NAME(f), M(f), F(f), EXP_ROW(y, x, most, n); undefines them at its end. */

/* Declares lanes set to `zero`, adds up `term` of each i (which may also store) and leaves the
 * total in `sum`. Terms of 4096 elements are added in T, those sums in double. */
#define SUM_LANES(sum, n, term)                                                                    \
    double sum = 0;                                                                                \
    for (size_t start = 0; start < (n); start += 4096) {                                           \
        T lane[LANES] = {0};                                                                       \
        size_t end = (n) - start < 4096 ? (n) : start + 4096, i = start;                           \
        for (; i + LANES <= end; i += LANES) {                                                     \
            T terms[LANES];                                                                        \
            for (size_t k = 0; k < LANES; k++) {                                                   \
                const size_t at = i + k;                                                           \
                terms[k] = (term);                                                                 \
            }                                                                                      \
            for (size_t k = 0; k < LANES; k++)                                                     \
                lane[k] += terms[k];                                                               \
        }                                                                                          \
        for (size_t k = 0; i < end; i++, k++) {                                                    \
            const size_t at = i;                                                                   \
            lane[k] += (term);                                                                     \
        }                                                                                          \
        for (int half = LANES / 2; half > 0; half /= 2)                                            \
            for (int k = 0; k < half; k++)                                                         \
                lane[k] += lane[k + half];                                                         \
        sum += lane[0];                                                                            \
    }

/* Greatest element; nan is passed over unless it is the first: softmax gives nan then by way of the
 * sum. */
static inline T NAME(row_max)(const T *x, size_t n)
{
    T lane[LANES], most = x[0];
    size_t i = 0;
    if (n >= LANES) {
        for (int k = 0; k < LANES; k++)
            lane[k] = x[k];
        for (i = LANES; i + LANES <= n; i += LANES)
            for (int k = 0; k < LANES; k++)
                lane[k] = x[i + k] > lane[k] ? x[i + k] : lane[k];
        for (int half = LANES / 2; half > 0; half /= 2)
            for (int k = 0; k < half; k++)
                lane[k] = lane[k + half] > lane[k] ? lane[k + half] : lane[k];
        most = lane[0];
    }
    for (; i < n; i++)
        most = x[i] > most ? x[i] : most;
    return most;
}

/* y[i] = exp(x[i] - most) */
static inline void NAME(exp_row)(T *y, const T *x, T most, size_t n) { EXP_ROW(y, x, most, n); }

static void NAME(SOFTMAX)(size_t rows, size_t n, char *const *p, const ptrdiff_t *s,
                          const rl_kargs *a)
{
    for (size_t r = 0; r < rows; r++) {
        T *y = (T *)p[0] + (ptrdiff_t)r * s[0];
        const T *x = (const T *)p[1] + (ptrdiff_t)r * s[1];
        const T most = NAME(row_max)(x, n);
        NAME(exp_row)(y, x, most, n);
        SUM_LANES(sum, n, y[at])
        const T factor = (T)(1 / sum);
        RL_IVDEP for (size_t i = 0; i < n; i++) y[i] *= factor;
    }
}

/* log(sum of exp(x[i] - most)), block by block: nothing of the row's length is stored. */
static inline T NAME(log_sum_exp)(const T *x, T most, size_t n)
{
    double total = 0;
    for (size_t first = 0; first < n; first += 1024) {
        T e[1024];
        size_t m = n - first < 1024 ? n - first : 1024;
        NAME(exp_row)(e, x + first, most, m);
        SUM_LANES(sum, m, e[at])
        total += sum;
    }
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
        SUM_LANES(sum, n, g[at] * y[at])
        const T dot = (T)sum;
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
        SUM_LANES(sum, n, g[at])
        const T total = (T)sum;
        RL_IVDEP for (size_t i = 0; i < n; i++) dx[i] = g[i] - M(exp)(y[i]) * total;
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
        RL_IVDEP for (size_t i = 0; i < n; i++) dx[i] = scale * (M(exp)(x[i] - lse) - share);
        dx[target] = scale * (M(exp)(x[target] - lse) - share - (1 - smooth));
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
LOSS_SUM(MSE_SUM, , DIFF *DIFF)
LOSS_SUM(L1_SUM, , F(fabs)(DIFF))
LOSS_SUM(SMOOTH_L1_SUM, const T beta = (T)a->f[0], NAME(sum_smooth_l1)(F(fabs)(DIFF), beta))
LOSS_SUM(HUBER_SUM, const T delta = (T)a->f[0], NAME(sum_huber)(F(fabs)(DIFF), delta))
#undef DIFF
#undef LOSS_SUM

static void NAME(row_fill)(rl_kernels *t)
{
#define SET_ROW(f) t->row[RL_ROW_##f][DTYPE] = NAME(f)
    SET_ROW(SOFTMAX), SET_ROW(LOG_SOFTMAX), SET_ROW(SOFTMAX_BACKWARD),
        SET_ROW(LOG_SOFTMAX_BACKWARD), SET_ROW(CROSS_ENTROPY), SET_ROW(CROSS_ENTROPY_BACKWARD),
        SET_ROW(MSE_SUM), SET_ROW(L1_SUM), SET_ROW(SMOOTH_L1_SUM), SET_ROW(HUBER_SUM);
#undef SET_ROW
}

#undef SUM_LANES
#undef T
#undef DTYPE
#undef NAME
#undef M
#undef EXP_ROW
#undef F
