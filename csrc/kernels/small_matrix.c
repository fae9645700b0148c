/* small_matrix.c: stacks of small matrices, one after the other. */
#include "kernels/small_matrix.h"

#include <math.h>

#define T float
#define NAME(f) f##_f32
#define F(function) function##f
#include "kernels/small_matrix.tmpl.h"

#define T double
#define NAME(f) f##_f64
#define F(function) function
#include "kernels/small_matrix.tmpl.h"

/* Calls f_f32 or f_f64 for every matrix b; the arguments name elements of T. */
#define EVERY(float32_call, float64_call)                                                          \
    for (int64_t b = 0; b < count; b++) {                                                          \
        if (dtype == RL_F32)                                                                       \
            float32_call;                                                                          \
        else                                                                                       \
            float64_call;                                                                          \
    }

void rl_small_lu(rl_dtype dtype, int64_t count, int64_t m, int64_t n, void *a, int32_t *pivots,
                 int32_t *info)
{
    const int64_t k = m < n ? m : n;
    EVERY(info[b] = lu_f32(m, n, (float *)a + b * m * n, pivots + b * k),
          info[b] = lu_f64(m, n, (double *)a + b * m * n, pivots + b * k))
}

void rl_small_cholesky(rl_dtype dtype, int64_t count, int64_t n, void *a, int32_t *info)
{
    EVERY(info[b] = cholesky_f32(n, (float *)a + b * n * n),
          info[b] = cholesky_f64(n, (double *)a + b * n * n))
}

void rl_small_triangular(rl_dtype dtype, int64_t count, int64_t n, int64_t k, const void *a,
                         void *x, bool upper, bool unit)
{
    EVERY(triangular_f32(n, k, (const float *)a + b * n * n, (float *)x + b * n * k, upper, unit),
          triangular_f64(n, k, (const double *)a + b * n * n, (double *)x + b * n * k, upper, unit))
}

void rl_small_lu_solve(rl_dtype dtype, int64_t count, int64_t n, int64_t k, const void *a,
                       const int32_t *pivots, void *x)
{
    EVERY(
        lu_solve_f32(n, k, (const float *)a + b * n * n, pivots + b * n, (float *)x + b * n * k),
        lu_solve_f64(n, k, (const double *)a + b * n * n, pivots + b * n, (double *)x + b * n * k))
}
