/* small_matrix.h: factorizations of stacks of small matrices, in place, for linalg: LAPACK's price
 * per call would be most of the time.  Row-major; the same bits everywhere: plain sums and products
 * in one order.  dtype: float32 or float64. */
#ifndef RL_KERNELS_SMALL_MATRIX_H
#define RL_KERNELS_SMALL_MATRIX_H

#include "rushlight.h"

/* LU with partial pivoting of m x n matrices: L (unit diagonal not stored) and U in a; pivots: the
 * row that was exchanged with each row, from 1, min(m, n) per matrix; info: 0, or the number of the
 * first zero on U's diagonal. */
void rl_small_lu(rl_dtype dtype, int64_t count, int64_t m, int64_t n, void *a, int32_t *pivots,
                 int32_t *info);
/* A = L L^T from the lower triangle of n x n matrices; zeros above.  info: 0, or the order of the
 * first leading minor that is not positive-definite; the matrix is then nan. */
void rl_small_cholesky(rl_dtype dtype, int64_t count, int64_t n, void *a, int32_t *info);
/* x (n x k) becomes A^-1 x, A triangular; the other triangle is not read, nor the diagonal when
 * unit. */
void rl_small_triangular(rl_dtype dtype, int64_t count, int64_t n, int64_t k, const void *a,
                         void *x, bool upper, bool unit);
/* x (n x k) becomes A^-1 x, from what rl_small_lu left. */
void rl_small_lu_solve(rl_dtype dtype, int64_t count, int64_t n, int64_t k, const void *a,
                       const int32_t *pivots, void *x);

#endif
