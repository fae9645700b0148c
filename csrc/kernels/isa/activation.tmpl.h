/* activation.tmpl.h: activations of a floating dtype.
 * Needs T, DTYPE, NAME(f), M(f) (our function), F(f) (the C library's name), TABLES (whether
 * tables_f32.h is for T); undefines them at its end. */

#define INV_SQRT_2PI (T)0.39894228040143267794
#define SQRT_2_OVER_PI (T)0.79788456080286535588
#define CUBIC (T)0.044715 /* of the tanh form of GELU: Hendrycks and Gimpel, 2016 */

RL_MATH T NAME(gelu_tanh_slope)(T x)
{
    T t = M(tanh)(SQRT_2_OVER_PI * (x + CUBIC * x * x * x));
    T inner = SQRT_2_OVER_PI * (1 + 3 * CUBIC * x * x);
    return (T)0.5 * (1 + t) + (T)0.5 * x * (1 - t * t) * inner;
}

/* log(1 + e^x), exact to rounding for all x */
RL_MATH T NAME(softplus)(T x)
{
    T most = x > 0 ? x : 0;
    return x != x ? x : most + M(log1p_unit)(M(exp)(-F(fabs)(x)));
}

RL_MATH T NAME(mish_slope)(T x)
{
    T s = M(sigmoid)(x), t = M(tanh)(NAME(softplus)(x));
    return t + x * s * (1 - t * t);
}

MAP1(ELU, T, const T negative = (T)a->f[0] * (T)a->f[1]; const T scale = (T)a->f[1];
     const T input = (T)a->f[2], x > 0 ? scale * x : negative * M(expm1)(input * x))
#if TABLES
MAP1_VECTORS(GELU, vf_gelu)
MAP1_VECTORS(GELU_TANH, vf_gelu_tanh)
#else /* at -infinity -0 too, not 0 times infinity */
MAP1(GELU, T, , (x < -100 ? -100 : x) * M(normal_cdf)(x))
MAP1(GELU_TANH, T, ,
     (T)0.5 * (x < -100 ? -100 : x) * (1 + M(tanh)(SQRT_2_OVER_PI * (x + CUBIC * x * x * x))))
#endif
MAP1(SILU, T, , x *M(sigmoid)(x))
MAP1(MISH, T, , x *M(tanh)(NAME(softplus)(x)))
MAP1(SOFTPLUS, T, const T beta = (T)a->f[0];
     const T threshold = (T)a->f[1], x *beta > threshold ? x : NAME(softplus)(x * beta) / beta)
MAP1(LOG_SIGMOID, T, , -NAME(softplus)(-x))

MAP2(ELU_BACKWARD, T, const T negative = (T)a->f[0] * (T)a->f[1]; const T scale = (T)a->f[1];
     const T input = (T)a->f[2], y > 0 ? x * scale : x * negative * input * M(exp)(input * y))
#if TABLES
MAP2_SLOPE(GELU_BACKWARD, vf_gelu_slope)
#else
MAP2(GELU_BACKWARD, T, , x *(M(normal_cdf)(y) + y * (M(bell)(y) * INV_SQRT_2PI)))
#endif
MAP2(GELU_TANH_BACKWARD, T, , x *NAME(gelu_tanh_slope)(y))
MAP2(SILU_BACKWARD, T, , x *M(sigmoid)(y) * (1 + y * (1 - M(sigmoid)(y))))
MAP2(MISH_BACKWARD, T, , x *NAME(mish_slope)(y))
MAP2(SOFTPLUS_BACKWARD, T, const T beta = (T)a->f[0];
     const T threshold = (T)a->f[1], y *beta > threshold ? x : x * M(sigmoid)(y * beta))
MAP2(LOG_SIGMOID_BACKWARD, T, , x *M(sigmoid)(-y))

/* ---- binary cross entropy: x prediction, y target; logarithms no less than -100 ---- */

RL_MATH T NAME(log_floor)(T v) { return v < -100 ? -100 : v; }
RL_MATH T NAME(bce)(T x, T y)
{
    return (y - 1) * NAME(log_floor)(M(log1p)(-x)) - y * NAME(log_floor)(M(log)(x));
}
/* (1 - y) x + log(1 + e^-x), the second without overflow */
RL_MATH T NAME(bce_logits)(T x, T y) { return (1 - y) * x + NAME(softplus)(-x); }

MAP2(BCE, T, , NAME(bce)(x, y))
MAP3(BCE_BACKWARD, T, const T c = (T)a->f[1],
     x * c * (y - z) / ((1 - y) * y < (T)1e-12 ? (T)1e-12 : (1 - y) * y))
MAP2(BCE_LOGITS, T, , NAME(bce_logits)(x, y))
MAP3(BCE_LOGITS_BACKWARD, T, const T c = (T)a->f[1], x * c * (M(sigmoid)(y) - z))
/* z: weight of the positive class */
MAP3(BCE_LOGITS_POS, T, , (1 - y) * x + (1 + (z - 1) * y) * NAME(softplus)(-x))
MAP4(BCE_LOGITS_POS_BACKWARD, T, const T c = (T)a->f[1],
     x * c * ((1 - z) - (1 + (w - 1) * z) * M(sigmoid)(-y)))

/* ---- Kullback-Leibler: x logarithm of the prediction ---- */

MAP2(KL_DIV, T, , (y == 0 ? 0 : y * M(log)(y)) - y * x)
MAP2(KL_DIV_LOG, T, , M(exp)(y) * (y - x))

static void NAME(activation_fill)(rl_kernels *t)
{
    SET(ELU), SET(GELU), SET(GELU_TANH), SET(SILU), SET(MISH), SET(SOFTPLUS), SET(LOG_SIGMOID),
        SET(ELU_BACKWARD), SET(GELU_BACKWARD), SET(GELU_TANH_BACKWARD), SET(SILU_BACKWARD),
        SET(MISH_BACKWARD), SET(SOFTPLUS_BACKWARD), SET(LOG_SIGMOID_BACKWARD), SET(BCE),
        SET(BCE_BACKWARD), SET(BCE_LOGITS), SET(BCE_LOGITS_BACKWARD), SET(BCE_LOGITS_POS),
        SET(BCE_LOGITS_POS_BACKWARD), SET(KL_DIV), SET(KL_DIV_LOG);
}

#undef INV_SQRT_2PI
#undef SQRT_2_OVER_PI
#undef CUBIC
#undef TABLES
#undef T
#undef DTYPE
#undef NAME
#undef M
#undef F
