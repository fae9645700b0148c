/* small_matrix.h: factorizations of stacks of small matrices for linalg: LAPACK's price per call
 * would be most of the time.  Inputs are row-major, one matrix after the other; results are
 * column-major, as LAPACK's.  The same bits everywhere: plain sums and products in one order.
 * dtype: float32 or float64. */
#ifndef RL_KERNELS_SMALL_MATRIX_H
#define RL_KERNELS_SMALL_MATRIX_H

#include "rushlight.h"

enum { RL_SMALL = 16 }; /* rows and columns at most */

/* LU with partial pivoting of m x n matrices: L (unit diagonal not stored) and U in lu; pivots: the
 * row that was exchanged with each row, from 1, min(m, n) per matrix; info: 0, or the number of the
 * first zero on U's diagonal. */
void rl_small_lu(rl_dtype dtype, int64_t count, int64_t m, int64_t n, const void *a, void *lu,
                 int32_t *pivots, int32_t *info);
/* The diagonals of U (count, n), the first number with the sign of the exchanges: their product is
 * the determinant. */
void rl_small_pivots(rl_dtype dtype, int64_t count, int64_t n, const void *a, void *diagonal);
/* A = L L^T from one triangle of n x n matrices; zeros in the other.  upper: gives U = L^T, from
 * the upper triangle.  info: 0, or the order of the first leading minor that is not
 * positive-definite; the matrix is then nan. */
void rl_small_cholesky(rl_dtype dtype, int64_t count, int64_t n, const void *a, void *factor,
                       bool upper, int32_t *info);
/* x = A^-1 b (n x k), A triangular; the other triangle is not read, nor the diagonal when unit. */
void rl_small_triangular(rl_dtype dtype, int64_t count, int64_t n, int64_t k, const void *a,
                         const void *b, void *x, bool upper, bool unit);
/* x = A^-1 b (n x k), b NULL: the identity; info as of rl_small_lu; nan where it is not 0. */
void rl_small_solve(rl_dtype dtype, int64_t count, int64_t n, int64_t k, const void *a,
                    const void *b, void *x, int32_t *info);
/* A = Q R, m x n, with LAPACK's signs: q (m x columns), columns at most m; r (rows x n), rows at
 * most m.  columns 0: no q. */
void rl_small_qr(rl_dtype dtype, int64_t count, int64_t m, int64_t n, const void *a, void *q,
                 int64_t columns, void *r, int64_t rows);

#endif
