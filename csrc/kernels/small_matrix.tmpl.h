/* small_matrix.tmpl.h: needs T, NAME(f), F(f); undefines them at its end. */

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

static int32_t NAME(cholesky)(int64_t n, T *a)
{
    for (int64_t j = 0; j < n; j++) {
        T *row = a + j * n, square = row[j];
        for (int64_t k = 0; k < j; k++)
            square -= row[k] * row[k];
        if (!(square > 0)) {
            for (int64_t i = 0; i < n * n; i++)
                a[i] = (T)NAN;
            return (int32_t)j + 1;
        }
        T root = F(sqrt)(square);
        row[j] = root;
        for (int64_t k = j + 1; k < n; k++)
            row[k] = 0;
        for (int64_t i = j + 1; i < n; i++) {
            T sum = a[i * n + j];
            for (int64_t k = 0; k < j; k++)
                sum -= a[i * n + k] * row[k];
            a[i * n + j] = sum / root;
        }
    }
    return 0;
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

static void NAME(lu_solve)(int64_t n, int64_t k, const T *a, const int32_t *pivots, T *x)
{
    for (int64_t i = 0; i < n; i++)
        if (pivots[i] != i + 1)
            NAME(swap_rows)(x + i * k, x + (pivots[i] - 1) * k, k);
    NAME(triangular)(n, k, a, x, false, true);
    NAME(triangular)(n, k, a, x, true, false);
}

#undef T
#undef NAME
#undef F
