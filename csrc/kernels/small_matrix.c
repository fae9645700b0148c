/* small_matrix.c: stacks of small matrices, one after the other. */
#include "kernels/small_matrix.h"

#include <math.h>

enum { LANES = 8 };

#define T float
#define NAME(f) f##_f32
#define F(function) function##f
#include "kernels/small_matrix.tmpl.h"

#define T double
#define NAME(f) f##_f64
#define F(function) function
#include "kernels/small_matrix.tmpl.h"

/* Calls f of the dtype; the arguments name elements of T. */
#define EITHER(f, ...)                                                                             \
    if (dtype == RL_F32) {                                                                         \
        typedef float T;                                                                           \
        f##_f32(__VA_ARGS__);                                                                      \
    } else {                                                                                       \
        typedef double T;                                                                          \
        f##_f64(__VA_ARGS__);                                                                      \
    }

void rl_small_lu(rl_dtype dtype, int64_t count, int64_t m, int64_t n, const void *a, void *lu,
                 int32_t *pivots, int32_t *info)
{
    EITHER(lus, count, m, n, (const T *)a, (T *)lu, pivots, info)
}

void rl_small_pivots(rl_dtype dtype, int64_t count, int64_t n, const void *a, void *diagonal)
{
    EITHER(pivots, count, n, (const T *)a, (T *)diagonal)
}

void rl_small_cholesky(rl_dtype dtype, int64_t count, int64_t n, const void *a, void *factor,
                       bool upper, int32_t *info)
{
    EITHER(choleskys, count, n, (const T *)a, (T *)factor, upper, info)
}

void rl_small_triangular(rl_dtype dtype, int64_t count, int64_t n, int64_t k, const void *a,
                         const void *b, void *x, bool upper, bool unit)
{
    EITHER(triangulars, count, n, k, (const T *)a, (const T *)b, (T *)x, upper, unit)
}

void rl_small_solve(rl_dtype dtype, int64_t count, int64_t n, int64_t k, const void *a,
                    const void *b, void *x, int32_t *info)
{
    EITHER(solves, count, n, k, (const T *)a, (const T *)b, (T *)x, info)
}

void rl_small_qr(rl_dtype dtype, int64_t count, int64_t m, int64_t n, const void *a, void *q,
                 int64_t columns, void *r, int64_t rows)
{
    EITHER(qrs, count, m, n, (const T *)a, (T *)q, columns, (T *)r, rows)
}
