/* map_list.h: the element-wise kernels, by name. */
#ifndef RL_MAP_LIST_H
#define RL_MAP_LIST_H

/* X(name, number of inputs, what it writes).  The inputs are x, y, z in order;
 * f0, i0 ... are rl_kargs' numbers: floating kernels read f, integer kernels i.  Which dtypes a
 * kernel exists for is what kernels/isa fills in.  MASK inputs: the first input is bool whatever
 * the dtype (rl_map_mask_first). */
#define RL_MAP_LIST(X)                                                                             \
    /* arithmetic; integers wrap, bool adds as "or" and multiplies as "and" */                     \
    X(ADD, 2, RL_OUT_SAME)                                                                         \
    X(SUB, 2, RL_OUT_SAME)                                                                         \
    X(MUL, 2, RL_OUT_SAME)                                                                         \
    X(DIV, 2, RL_OUT_SAME)        /* floats only */                                                \
    X(ADD_SCALED, 2, RL_OUT_SAME) /* x + f0 y (i0 for integers), two roundings */                  \
    X(DIV_FLOOR, 2, RL_OUT_SAME)  /* integers: the divisor must not be 0 */                        \
    X(DIV_TRUNC, 2, RL_OUT_SAME)                                                                   \
    X(REMAINDER, 2, RL_OUT_SAME) /* sign of y */                                                   \
    X(FMOD, 2, RL_OUT_SAME)      /* sign of x */                                                   \
    X(POW, 2, RL_OUT_SAME)                                                                         \
    X(MAXIMUM, 2, RL_OUT_SAME) /* nan wins */                                                      \
    X(MINIMUM, 2, RL_OUT_SAME)                                                                     \
    X(FMAX, 2, RL_OUT_SAME) /* nan loses */                                                        \
    X(FMIN, 2, RL_OUT_SAME)                                                                        \
    X(ATAN2, 2, RL_OUT_SAME)                                                                       \
    X(HYPOT, 2, RL_OUT_SAME)                                                                       \
    X(COPYSIGN, 2, RL_OUT_SAME)                                                                    \
    X(LOGADDEXP, 2, RL_OUT_SAME)                                                                   \
    X(XLOGY, 2, RL_OUT_SAME)                                                                       \
    X(LOGADDEXP2, 2, RL_OUT_SAME)                                                                  \
    X(XLOG1PY, 2, RL_OUT_SAME)                                                                     \
    X(HEAVISIDE, 2, RL_OUT_SAME) /* x < 0: 0, x = 0: y, x > 0: 1 */                                \
    X(NEXTAFTER, 2, RL_OUT_SAME) /* i0: low bits of float32 that the dtype lacks */                \
    X(GCD, 2, RL_OUT_SAME)                                                                         \
    X(LCM, 2, RL_OUT_SAME)                                                                         \
    X(BITAND, 2, RL_OUT_SAME)                                                                      \
    X(BITOR, 2, RL_OUT_SAME)                                                                       \
    X(BITXOR, 2, RL_OUT_SAME)                                                                      \
    X(SHL, 2, RL_OUT_SAME)                                                                         \
    X(SHR, 2, RL_OUT_SAME)                                                                         \
    /* comparison and logic */                                                                     \
    X(EQ, 2, RL_OUT_BOOL)                                                                          \
    X(NE, 2, RL_OUT_BOOL)                                                                          \
    X(LT, 2, RL_OUT_BOOL)                                                                          \
    X(LE, 2, RL_OUT_BOOL)                                                                          \
    X(GT, 2, RL_OUT_BOOL)                                                                          \
    X(GE, 2, RL_OUT_BOOL)                                                                          \
    X(LOGICAL_AND, 2, RL_OUT_BOOL)                                                                 \
    X(LOGICAL_OR, 2, RL_OUT_BOOL)                                                                  \
    X(LOGICAL_XOR, 2, RL_OUT_BOOL)                                                                 \
    X(LOGICAL_NOT, 1, RL_OUT_BOOL)                                                                 \
    X(ISNAN, 1, RL_OUT_BOOL)                                                                       \
    X(ISINF, 1, RL_OUT_BOOL)                                                                       \
    X(ISFINITE, 1, RL_OUT_BOOL)                                                                    \
    X(SIGNBIT, 1, RL_OUT_BOOL)                                                                     \
    X(ISCLOSE, 2, RL_OUT_BOOL) /* |x - y| <= f0 + f1 |y|, or equal; i0: nan equals nan */          \
    /* unary */                                                                                    \
    X(NEG, 1, RL_OUT_SAME)                                                                         \
    X(ABS, 1, RL_OUT_SAME)                                                                         \
    X(SIGN, 1, RL_OUT_SAME)                                                                        \
    X(SQUARE, 1, RL_OUT_SAME)                                                                      \
    X(BITNOT, 1, RL_OUT_SAME)                                                                      \
    X(FLOOR, 1, RL_OUT_SAME)                                                                       \
    X(CEIL, 1, RL_OUT_SAME)                                                                        \
    X(TRUNC, 1, RL_OUT_SAME)                                                                       \
    X(ROUND, 1, RL_OUT_SAME)          /* half to even */                                           \
    X(ROUND_DECIMALS, 1, RL_OUT_SAME) /* i0 decimals */                                            \
    X(FRAC, 1, RL_OUT_SAME)                                                                        \
    X(SQRT, 1, RL_OUT_SAME)                                                                        \
    X(RSQRT, 1, RL_OUT_SAME)                                                                       \
    X(RECIPROCAL, 1, RL_OUT_SAME)                                                                  \
    X(EXP, 1, RL_OUT_SAME)                                                                         \
    X(EXP2, 1, RL_OUT_SAME)                                                                        \
    X(EXPM1, 1, RL_OUT_SAME)                                                                       \
    X(LOG, 1, RL_OUT_SAME)                                                                         \
    X(LOG2, 1, RL_OUT_SAME)                                                                        \
    X(LOG10, 1, RL_OUT_SAME)                                                                       \
    X(LOG1P, 1, RL_OUT_SAME)                                                                       \
    X(SIN, 1, RL_OUT_SAME)                                                                         \
    X(COS, 1, RL_OUT_SAME)                                                                         \
    X(TAN, 1, RL_OUT_SAME)                                                                         \
    X(ASIN, 1, RL_OUT_SAME)                                                                        \
    X(ACOS, 1, RL_OUT_SAME)                                                                        \
    X(ATAN, 1, RL_OUT_SAME)                                                                        \
    X(SINH, 1, RL_OUT_SAME)                                                                        \
    X(COSH, 1, RL_OUT_SAME)                                                                        \
    X(TANH, 1, RL_OUT_SAME)                                                                        \
    X(ASINH, 1, RL_OUT_SAME)                                                                       \
    X(ACOSH, 1, RL_OUT_SAME)                                                                       \
    X(ATANH, 1, RL_OUT_SAME)                                                                       \
    X(ERF, 1, RL_OUT_SAME)                                                                         \
    X(ERFC, 1, RL_OUT_SAME)                                                                        \
    X(SINC, 1, RL_OUT_SAME)  /* sin(pi x) / (pi x), 1 at 0 */                                      \
    X(LOGIT, 1, RL_OUT_SAME) /* log(x / (1 - x)); f0 >= 0: of x clamped to [f0, 1 - f0] */         \
    X(ENTR, 1, RL_OUT_SAME)  /* -x log x */                                                        \
    X(ANGLE, 1, RL_OUT_SAME) /* of a real number: pi below 0 */                                    \
    X(SIGMOID, 1, RL_OUT_SAME)                                                                     \
    X(FREXP_MANTISSA, 1, RL_OUT_SAME)                                                              \
    X(FREXP_EXPONENT, 1, RL_OUT_I64)                                                               \
    X(POW_SCALAR, 1, RL_OUT_SAME) /* x ** f0; integers: i0 >= 0 */                                 \
    X(SCALAR_POW, 1, RL_OUT_SAME) /* f0 ** x */                                                    \
    X(CLAMP, 1, RL_OUT_SAME)      /* to [f0, f1]; nan stays.  Integers: [i0, i1] */                \
    X(NAN_TO_NUM, 1, RL_OUT_SAME) /* nan -> f0, inf -> f1, -inf -> f2 */                           \
    /* special functions */                                                                        \
    X(LGAMMA, 1, RL_OUT_SAME)                                                                      \
    X(DIGAMMA, 1, RL_OUT_SAME)                                                                     \
    X(ERFINV, 1, RL_OUT_SAME)                                                                      \
    X(NDTRI, 1, RL_OUT_SAME)                                                                       \
    X(LOG_NDTR, 1, RL_OUT_SAME)                                                                    \
    X(ERFCX, 1, RL_OUT_SAME)                                                                       \
    X(I0, 1, RL_OUT_SAME)                                                                          \
    X(I0E, 1, RL_OUT_SAME)                                                                         \
    X(I1, 1, RL_OUT_SAME)                                                                          \
    X(I1E, 1, RL_OUT_SAME)                                                                         \
    X(J0, 1, RL_OUT_SAME)                                                                          \
    X(J1, 1, RL_OUT_SAME)                                                                          \
    X(Y0, 1, RL_OUT_SAME)                                                                          \
    X(Y1, 1, RL_OUT_SAME)                                                                          \
    X(K0, 1, RL_OUT_SAME)                                                                          \
    X(K1, 1, RL_OUT_SAME)                                                                          \
    X(K0E, 1, RL_OUT_SAME)                                                                         \
    X(K1E, 1, RL_OUT_SAME)                                                                         \
    X(SPHERICAL_J0, 1, RL_OUT_SAME)                                                                \
    X(AIRY, 1, RL_OUT_SAME)                                                                        \
    X(POLYGAMMA, 1, RL_OUT_SAME) /* order i0 */                                                    \
    X(ZETA, 2, RL_OUT_SAME)                                                                        \
    X(IGAMMA, 2, RL_OUT_SAME)                                                                      \
    X(IGAMMAC, 2, RL_OUT_SAME)                                                                     \
    X(POLYNOMIAL, 2, RL_OUT_SAME) /* kind i0, of x, degree y, at most i1 for Hermite's */          \
    /* activations */                                                                              \
    X(RELU, 1, RL_OUT_SAME)                                                                        \
    X(THRESHOLD, 1, RL_OUT_SAME)  /* x > f0 ? x : f1 */                                            \
    X(LEAKY_RELU, 1, RL_OUT_SAME) /* slope f0 */                                                   \
    X(ELU, 1, RL_OUT_SAME)  /* x > 0 ? f1 x : f0 f1 expm1(f2 x): alpha, scale, input scale */      \
    X(GELU, 1, RL_OUT_SAME) /* x Phi(x) by erf */                                                  \
    X(GELU_TANH, 1, RL_OUT_SAME)                                                                   \
    X(SILU, 1, RL_OUT_SAME)                                                                        \
    X(MISH, 1, RL_OUT_SAME)                                                                        \
    X(SOFTPLUS, 1, RL_OUT_SAME) /* beta f0, threshold f1 */                                        \
    X(LOG_SIGMOID, 1, RL_OUT_SAME)                                                                 \
    X(HARDSIGMOID, 1, RL_OUT_SAME)                                                                 \
    X(HARDSWISH, 1, RL_OUT_SAME)                                                                   \
    X(SOFTSHRINK, 1, RL_OUT_SAME) /* lambda f0 */                                                  \
    X(HARDSHRINK, 1, RL_OUT_SAME) /* lambda f0 */                                                  \
    /* their derivatives: x is the gradient of the output, y what the name's formula is given */   \
    X(SIGMOID_BACKWARD, 2, RL_OUT_SAME)    /* y: output */                                         \
    X(TANH_BACKWARD, 2, RL_OUT_SAME)       /* y: output */                                         \
    X(THRESHOLD_BACKWARD, 2, RL_OUT_SAME)  /* y: input or output; y > f0 ? x : 0 */                \
    X(LEAKY_RELU_BACKWARD, 2, RL_OUT_SAME) /* y: input; slope f0 */                                \
    X(ELU_BACKWARD, 2, RL_OUT_SAME)        /* y: input; f0 f1 f2 as in ELU */                      \
    X(GELU_BACKWARD, 2, RL_OUT_SAME)                                                               \
    X(GELU_TANH_BACKWARD, 2, RL_OUT_SAME)                                                          \
    X(SILU_BACKWARD, 2, RL_OUT_SAME)                                                               \
    X(MISH_BACKWARD, 2, RL_OUT_SAME)                                                               \
    X(SOFTPLUS_BACKWARD, 2, RL_OUT_SAME)                                                           \
    X(LOG_SIGMOID_BACKWARD, 2, RL_OUT_SAME)                                                        \
    X(HARDTANH_BACKWARD, 2, RL_OUT_SAME) /* f0 < y < f1 ? x : 0 */                                 \
    X(CLAMP_BACKWARD, 2, RL_OUT_SAME)    /* f0 <= y <= f1 ? x : 0 */                               \
    X(HARDSIGMOID_BACKWARD, 2, RL_OUT_SAME)                                                        \
    X(HARDSWISH_BACKWARD, 2, RL_OUT_SAME)                                                          \
    X(SHRINK_BACKWARD, 2, RL_OUT_SAME) /* |y| <= f0 ? 0 : x */                                     \
    /* three inputs */                                                                             \
    X(WHERE, 3, RL_OUT_SAME)        /* MASK: x ? y : z */                                          \
    X(LERP, 3, RL_OUT_SAME)         /* x + z (y - x), from the nearer end */                       \
    X(LERP_SCALAR, 2, RL_OUT_SAME)  /* weight f0 */                                                \
    X(ADDCMUL, 3, RL_OUT_SAME)      /* x + f0 y z */                                               \
    X(ADDCDIV, 3, RL_OUT_SAME)      /* x + f0 y / z */                                             \
    X(CLAMP_TENSOR, 3, RL_OUT_SAME) /* min(max(x, y), z) */                                        \
    /* losses, element by element: x prediction, y target */                                       \
    X(MSE, 2, RL_OUT_SAME)                                                                         \
    X(L1, 2, RL_OUT_SAME)                                                                          \
    X(SMOOTH_L1, 2, RL_OUT_SAME) /* beta f0 */                                                     \
    X(HUBER, 2, RL_OUT_SAME)     /* delta f0 */                                                    \
    X(BCE, 2, RL_OUT_SAME)                                                                         \
    X(BCE_LOGITS, 2, RL_OUT_SAME)                                                                  \
    X(BCE_LOGITS_POS, 3, RL_OUT_SAME) /* z: weight of the positive class */                        \
    X(KL_DIV, 2, RL_OUT_SAME)         /* y (log y - x), 0 where y = 0 */                           \
    X(KL_DIV_LOG, 2, RL_OUT_SAME)     /* exp(y) (y - x) */                                         \
    /* their derivative for the prediction: x gradient, y prediction, z target; times f1 */        \
    X(MSE_BACKWARD, 3, RL_OUT_SAME)                                                                \
    X(L1_BACKWARD, 3, RL_OUT_SAME)                                                                 \
    X(SMOOTH_L1_BACKWARD, 3, RL_OUT_SAME)                                                          \
    X(HUBER_BACKWARD, 3, RL_OUT_SAME)                                                              \
    X(BCE_BACKWARD, 3, RL_OUT_SAME)                                                                \
    X(BCE_LOGITS_BACKWARD, 3, RL_OUT_SAME)                                                         \
    X(BCE_LOGITS_POS_BACKWARD, 4, RL_OUT_SAME)

#endif
