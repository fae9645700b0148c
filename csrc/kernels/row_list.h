/* row_list.h: the row kernels, by name. */
#ifndef RL_ROW_LIST_H
#define RL_ROW_LIST_H

/* X(name).  p[0] is the output, the others inputs; R: one element per row, else n per row.
 *   SOFTMAX, LOG_SOFTMAX         y, x
 *   SOFTMAX_BACKWARD, LOG_...    dx, g, y
 *   CROSS_ENTROPY                loss (R), x, target (R, int64), lse (R, written too):
 *                                lse = log sum exp x, loss = (1 - f0) (lse - x[target])
 *                                + f0 (lse - mean x), f0 the label smoothing;
 *                                0 where target == i0, the ignored class
 *   CROSS_ENTROPY_BACKWARD       dx, x, target (R, int64), lse (R), scale (R):
 *                                dx = scale (exp(x - lse) - (1 - f0) onehot(target) - f0 / n)
 *   LAYER_NORM                   y, x, mean (R), rstd (R), weight or NULL, bias or NULL: mean and
 *                                rstd = 1 / sqrt(variance + f0) are written too, unless both NULL,
 *                                y = (x - mean) rstd weight + bias; each parameter serves i0
 *                                elements that follow one another: n / i0 parameters per row
 *   LAYER_NORM_BACKWARD          dx, g, x, mean (R), rstd (R), weight or NULL, i0 as above
 *   LAYER_NORM_PARAMS            dweight, dbias, g, x, mean (R), rstd (R): a row here stands for
 *                                i0 rows of g and x, added up in turn
 *   NORM_SUMS                    sum (R), dot (R), g, x, mean (R): sum of g, and of g (x - mean)
 *   NORM_BACKWARD                dx, g, x, four numbers a row (mean, level, slope, scale):
 *                                dx = (g - level - (x - mean) slope) scale
 *   AFFINE                       y, x, two numbers a row (scale, shift): y = shift + x scale
 *   ..._SUM                      sum (R), x, y: the element-wise losses of map_list.h, added up
 *   ATTENTION                    x, mask or NULL, max (R), sum (R), factor (R), noise or NULL: one
 *                                tile of scores of the online softmax.  Row r sees its first
 *                                i0 + r elements; x = x + mask, factor = exp(max - new max),
 *                                x = exp(x - new max), 0 where unseen, sum = factor sum + sum x;
 *                                last x = x noise.  i1: a mask of 1 bools, 2 numbers.
 *   ATTENTION_BACKWARD           x, d, mask or NULL, max (R), inverse (R), mean (R), noise or NULL:
 *                                i0, i1 as above; p = exp(x + mask - max) inverse,
 *                                d = f0 p (d noise - mean), x = p noise
 *   CTC_STEP                     y, x, skip, z, float64 only, n a multiple of 8, x readable from
 *                                -2: y[i] = z[i] + log(exp x[i] + exp x[i - 1] + exp(x[i - 2] +
 *                                skip[i]))
 *   SCALE_ROWS                   x, factor (R): x = factor x
 *   DOT_ROWS                     y (R), a, b: y = sum a b
 *
 * Rows of x in the two of attention are a multiple of 32 elements apart, and what lies between them
 * may be overwritten.  Targets are in range or ignored: the operator has checked. */
#define RL_ROW_LIST(X)                                                                             \
    X(SOFTMAX)                                                                                     \
    X(LOG_SOFTMAX)                                                                                 \
    X(SOFTMAX_BACKWARD)                                                                            \
    X(LOG_SOFTMAX_BACKWARD)                                                                        \
    X(CROSS_ENTROPY)                                                                               \
    X(CROSS_ENTROPY_BACKWARD)                                                                      \
    X(LAYER_NORM)                                                                                  \
    X(LAYER_NORM_BACKWARD)                                                                         \
    X(LAYER_NORM_PARAMS)                                                                           \
    X(NORM_SUMS)                                                                                   \
    X(NORM_BACKWARD)                                                                               \
    X(AFFINE)                                                                                      \
    X(MSE_SUM)                                                                                     \
    X(L1_SUM)                                                                                      \
    X(SMOOTH_L1_SUM)                                                                               \
    X(HUBER_SUM)                                                                                   \
    X(ATTENTION)                                                                                   \
    X(ATTENTION_BACKWARD)                                                                          \
    X(CTC_STEP)                                                                                    \
    X(SCALE_ROWS)                                                                                  \
    X(DOT_ROWS)

#endif
