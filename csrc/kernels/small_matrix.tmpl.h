/* small_matrix.tmpl.h: needs T, NAME(f), F(f); undefines them at its end.  A matrix is worked on
 * row-major, in a block of its own. */

/* An m x n matrix turned from row-major to column-major, or back. */
static void NAME(turn)(int64_t m, int64_t n, const T *a, T *out)
{
    for (int64_t j = 0; j < n; j++)
        for (int64_t i = 0; i < m; i++)
            out[j * m + i] = a[i * n + j];
}

static void NAME(copy)(int64_t n, const T *a, T *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = a[i];
}

static void NAME(fill)(int64_t n, T value, T *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = value;
}

static void NAME(swap_rows)(T *x, T *y, int64_t n)
{
    for (int64_t j = 0; j < n; j++) {
        T t = x[j];
        x[j] = y[j];
        y[j] = t;
    }
}

/* One matrix, row by row of U: the pivot is the first of the largest. */
static int32_t NAME(lu)(int64_t m, int64_t n, T *a, int32_t *pivots)
{
    int32_t info = 0;
    for (int64_t j = 0; j < m && j < n; j++) {
        int64_t best = j;
        for (int64_t i = j + 1; i < m; i++)
            if (F(fabs)(a[i * n + j]) > F(fabs)(a[best * n + j]))
                best = i;
        pivots[j] = (int32_t)best + 1;
        if (best != j)
            NAME(swap_rows)(a + best * n, a + j * n, n);
        const T *u = a + j * n, pivot = u[j];
        if (pivot == 0) {
            info = info ? info : (int32_t)j + 1;
            continue;
        }
        for (int64_t i = j + 1; i < m; i++) {
            T *row = a + i * n, factor = row[j] / pivot;
            row[j] = factor;
            for (int64_t k = j + 1; k < n; k++)
                row[k] -= factor * u[k];
        }
    }
    return info;
}

static void NAME(lus)(int64_t count, int64_t m, int64_t n, const T *a, T *lu, int32_t *pivots,
                      int32_t *info)
{
    const int64_t k = m < n ? m : n;
    T work[RL_SMALL * RL_SMALL];
    for (int64_t b = 0; b < count; b++, a += m * n, lu += m * n, pivots += k) {
        NAME(copy)(m * n, a, work);
        info[b] = NAME(lu)(m, n, work, pivots);
        NAME(turn)(m, n, work, lu);
    }
}

static void NAME(pivots)(int64_t count, int64_t n, const T *a, T *diagonal)
{
    T work[RL_SMALL * RL_SMALL];
    int32_t pivots[RL_SMALL];
    for (int64_t b = 0; b < count; b++, a += n * n, diagonal += n) {
        NAME(copy)(n * n, a, work);
        NAME(lu)(n, n, work, pivots);
        bool odd = false;
        for (int64_t i = 0; i < n; i++) {
            diagonal[i] = work[i * n + i];
            odd ^= pivots[i] != i + 1;
        }
        if (odd)
            diagonal[0] = -diagonal[0];
    }
}

/* Several matrices at a time, one per lane: a square root waits for the one before it. */
static void NAME(cholesky)(int64_t n, T (*w)[LANES], int32_t *info)
{
    for (int64_t j = 0; j < n; j++) {
        T root[LANES];
        for (int l = 0; l < LANES; l++)
            root[l] = w[j * n + j][l];
        for (int64_t k = 0; k < j; k++)
            for (int l = 0; l < LANES; l++)
                root[l] -= w[j * n + k][l] * w[j * n + k][l];
        for (int l = 0; l < LANES; l++)
            if (!(root[l] > 0) && !info[l])
                info[l] = (int32_t)j + 1;
        for (int l = 0; l < LANES; l++)
            w[j * n + j][l] = root[l] = F(sqrt)(root[l]);
        for (int64_t i = j + 1; i < n; i++) {
            T sum[LANES];
            for (int l = 0; l < LANES; l++)
                sum[l] = w[i * n + j][l];
            for (int64_t k = 0; k < j; k++)
                for (int l = 0; l < LANES; l++)
                    sum[l] -= w[i * n + k][l] * w[j * n + k][l];
            for (int l = 0; l < LANES; l++)
                w[i * n + j][l] = sum[l] / root[l];
        }
    }
}

static void NAME(choleskys)(int64_t count, int64_t n, const T *a, T *factor, bool upper,
                            int32_t *info)
{
    T w[RL_SMALL * RL_SMALL][LANES];
    const int64_t row = upper ? 1 : n, column = upper ? n : 1, size = n * n;
    NAME(fill)(size * LANES, 1, w[0]); /* for lanes without a matrix */
    for (int64_t b = 0; b < count; b += LANES, a += LANES * size, factor += LANES * size) {
        const int lanes = count - b < LANES ? (int)(count - b) : LANES;
        int32_t bad[LANES] = {0};
        for (int l = 0; l < lanes; l++)
            for (int64_t i = 0; i < n; i++)
                for (int64_t j = 0; j <= i; j++)
                    w[i * n + j][l] = a[l * size + i * row + j * column];
        NAME(cholesky)(n, w, bad);
        for (int l = 0; l < lanes; l++) {
            T *out = factor + l * size;
            info[b + l] = bad[l];
            if (bad[l]) {
                NAME(fill)(size, (T)NAN, out);
                continue;
            }
            for (int64_t i = 0; i < n; i++)
                for (int64_t j = 0; j < n; j++)
                    out[i * column + j * row] = j <= i ? w[i * n + j][l] : 0;
        }
    }
}

static void NAME(triangular)(int64_t n, int64_t k, const T *a, T *x, bool upper, bool unit)
{
    for (int64_t step = 0; step < n; step++) {
        int64_t i = upper ? n - 1 - step : step, from = upper ? i + 1 : 0, to = upper ? n : i;
        T *row = x + i * k;
        for (int64_t r = from; r < to; r++) {
            const T factor = a[i * n + r], *other = x + r * k;
            for (int64_t j = 0; j < k; j++)
                row[j] -= factor * other[j];
        }
        if (!unit)
            for (int64_t j = 0; j < k; j++)
                row[j] /= a[i * n + i];
    }
}

static void NAME(triangulars)(int64_t count, int64_t n, int64_t k, const T *a, const T *b, T *x,
                              bool upper, bool unit)
{
    T work[RL_SMALL * RL_SMALL];
    for (int64_t i = 0; i < count; i++, a += n * n, b += n * k, x += n * k) {
        NAME(copy)(n * k, b, work);
        NAME(triangular)(n, k, a, work, upper, unit);
        NAME(turn)(n, k, work, x);
    }
}

static void NAME(solves)(int64_t count, int64_t n, int64_t k, const T *a, const T *b, T *x,
                         int32_t *info)
{
    T lu[RL_SMALL * RL_SMALL], work[RL_SMALL * RL_SMALL];
    int32_t pivots[RL_SMALL];
    for (int64_t i = 0; i < count; i++, a += n * n, x += n * k) {
        NAME(copy)(n * n, a, lu);
        info[i] = NAME(lu)(n, n, lu, pivots);
        if (info[i]) {
            NAME(fill)(n * k, (T)NAN, x);
            continue;
        }
        if (b) {
            NAME(copy)(n * k, b + i * n * k, work);
        } else {
            NAME(fill)(n * k, 0, work);
            for (int64_t j = 0; j < n; j++)
                work[j * k + j] = 1;
        }
        for (int64_t j = 0; j < n; j++)
            if (pivots[j] != j + 1)
                NAME(swap_rows)(work + j * k, work + (pivots[j] - 1) * k, k);
        NAME(triangular)(n, k, lu, work, false, true);
        NAME(triangular)(n, k, lu, work, true, false);
        NAME(turn)(n, k, work, x);
    }
}

/* The length of n numbers that are step apart, without overflow. */
static T NAME(norm)(int64_t n, const T *x, int64_t step)
{
    T most = 0;
    for (int64_t i = 0; i < n; i++)
        most = F(fabs)(x[i * step]) > most ? F(fabs)(x[i * step]) : most;
    const T safe = sizeof(T) == 4 ? (T)1e18 : (T)1e150;
    const T unit = most > safe || (most && most < 1 / safe) ? most : 1;
    T sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (x[i * step] / unit) * (x[i * step] / unit);
    return F(sqrt)(sum) * unit;
}

/* Rows j to m of x (m x n), columns from `first`: minus tau v (v^T x), v below its 1 in column j of
 * h, whose rows are `stride` long. */
static void NAME(reflect)(int64_t m, int64_t n, int64_t j, int64_t first, const T *h,
                          int64_t stride, T tau, T *x)
{
    T inner[RL_SMALL];
    for (int64_t c = first; c < n; c++)
        inner[c] = x[j * n + c];
    for (int64_t i = j + 1; i < m; i++)
        for (int64_t c = first; c < n; c++)
            inner[c] += h[i * stride + j] * x[i * n + c];
    for (int64_t c = first; c < n; c++)
        x[j * n + c] -= inner[c] *= tau;
    for (int64_t i = j + 1; i < m; i++)
        for (int64_t c = first; c < n; c++)
            x[i * n + c] -= h[i * stride + j] * inner[c];
}

/* Householder's reflections I - tau v v^T, v in the columns below R. */
static void NAME(qr)(int64_t m, int64_t n, T *h, T *tau)
{
    for (int64_t j = 0; j < m && j < n; j++) {
        T *top = h + j * n + j, below = NAME(norm)(m - j - 1, top + n, n);
        tau[j] = 0;
        if (below == 0) /* as LAPACK: nothing to reflect */
            continue;
        const T pair[2] = {*top, below}, length = F(copysign)(NAME(norm)(2, pair, 1), -*top);
        tau[j] = (length - *top) / length;
        for (int64_t i = 1; i < m - j; i++)
            top[i * n] /= *top - length;
        *top = length;
        NAME(reflect)(m, n, j, j + 1, h, n, tau[j], h);
    }
}

static void NAME(qrs)(int64_t count, int64_t m, int64_t n, const T *a, T *q, int64_t columns, T *r,
                      int64_t rows)
{
    const int64_t k = m < n ? m : n;
    T h[RL_SMALL * RL_SMALL], work[RL_SMALL * RL_SMALL], tau[RL_SMALL];
    for (int64_t b = 0; b < count; b++, a += m * n, q += m * columns, r += rows * n) {
        NAME(copy)(m * n, a, h);
        NAME(qr)(m, n, h, tau);
        for (int64_t j = 0; j < n; j++)
            for (int64_t i = 0; i < rows; i++)
                r[j * rows + i] = i <= j ? h[i * n + j] : 0;
        if (!columns)
            continue;
        NAME(fill)(m * columns, 0, work);
        for (int64_t j = 0; j < columns; j++)
            work[j * columns + j] = 1;
        for (int64_t j = k - 1; j >= 0; j--)
            NAME(reflect)(m, columns, j, j, h, n, tau[j], work);
        NAME(turn)(m, columns, work, q);
    }
}

#undef T
#undef NAME
#undef F
