/* conv.h: convolutions of one, two and three spatial dims, as one geometry and three products.
 *
 * With v a geometry, x (batch, in_ch, in...), w (out_ch, in_ch / groups, kernel...) and
 * y (batch, out_ch, out...):
 *
 *     y = x * w      y[n][o][p] = sum over c, k of w[o][c][k] x[n][group's c][p stride - pad + k
 * dilation]
 *
 * rl_conv_output computes y from x and w, rl_conv_input the gradient of x from those of y and w
 * (which is the transposed convolution), rl_conv_weight the gradient of w from x and that of y.
 * Each is linear in both operands and the other two are its derivatives. */
#ifndef RL_OPS_CONV_H
#define RL_OPS_CONV_H

#include "core/tensor.h"

/* Missing spatial dims come first and have size, kernel, stride and dilation 1, pad 0.  pad is that
 * of the left side; what is needed on the right follows from `out`. */
typedef struct rl_conv {
    int64_t ndim; /* spatial dims of the tensors: 1, 2 or 3 */
    int64_t batch, in_ch, out_ch, groups;
    int64_t in[3], out[3], kernel[3], stride[3], pad[3], dilation[3];
} rl_conv;

enum { RL_CONV_NUMBERS = sizeof(rl_conv) / sizeof(int64_t) };

/* All three: row-major results of the operands' common dtype, without history; shapes and dtypes
 * have been checked.  b, one element per channel of the result, or NULL. */
rl_tensor *rl_conv_output(const rl_conv *v, rl_tensor *x, rl_tensor *w, rl_tensor *b);
rl_tensor *rl_conv_input(const rl_conv *v, rl_tensor *y, rl_tensor *w, rl_tensor *b);
rl_tensor *rl_conv_weight(const rl_conv *v, rl_tensor *x, rl_tensor *y);

/* The same on raw row-major float32 (conv_direct.c, conv_weight.c); RL_EMEMORY is the only error.
 * The gradient of the input for small strides only; that of the weight as sums over chunks of
 * samples, (chunks, out_ch, in_ch / groups, kernel...). */
rl_status rl_conv_direct_output(const rl_conv *v, const float *x, const float *w, const float *b,
                                float *y);
bool rl_conv_direct_input_fits(const rl_conv *v);
rl_status rl_conv_direct_input(const rl_conv *v, const float *y, const float *w, const float *b,
                               float *x);
rl_status rl_conv_direct_weight(const rl_conv *v, const float *x, const float *y, int64_t chunk,
                                float *sums);

#endif
