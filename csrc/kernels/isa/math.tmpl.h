/* math.tmpl.h: elementary functions of a floating dtype.
 * Needs T, DTYPE, NAME(f), M(f) (our function), F(f) (the C library's name), TABLES (whether
 * tables_f32.h is for T), RARE (0: the frequent functions only); undefines them at its end. */

#if TABLES
MAP1_VECTORS(EXP, vf_exp)
MAP1_VECTORS(TANH, vf_tanh)
#else
MAP1(EXP, T, , M(exp)(x))
MAP1(TANH, T, , M(tanh)(x))
#endif
MAP1(LOG, T, , M(log)(x))
MAP1(LOG1P, T, , M(log1p)(x))
MAP1(EXPM1, T, , M(expm1)(x))
MAP1_BLOCKS(ERF, T, F(fabs)(x) < (T)(sizeof(T) == 4 ? 0.9f : 1), F(erf_near)(x), M(erf)(x))
#define LEAST (T)(sizeof(T) == 4 ? 0x1p-149 : 0x1p-1022) /* float's subnormals: see powf_to */
MAP2_BLOCKS(POW, T, (x >= LEAST) & (x < (T)INFINITY) & (F(fabs)(y) < (T)INFINITY),
            F(pow_usual)(x, y), M(pow)(x, y))
#undef LEAST

static void NAME(SCALAR_POW)(size_t n, char *const *p, const ptrdiff_t *s, const rl_kargs *a)
{
    T base = (T)a->f[0];
    NAME(POW)(n, (char *[]){p[0], (char *)&base, p[1]}, (ptrdiff_t[]){s[0], 0, s[1]}, a);
}

/* Powers with a fixed exponent: the frequent ones by what they mean. */
MAP1(SQUARED, T, , x *x)
MAP1(CUBE, T, , x * x * x)
MAP1(INVERSE_SQUARE, T, , 1 / (x * x))
static void NAME(POW_SCALAR)(size_t n, char *const *p, const ptrdiff_t *s, const rl_kargs *a)
{
    const double e = a->f[0];
    T exponent = (T)e;
    if (e == 2)
        NAME(SQUARED)(n, p, s, a);
    else if (e == 3)
        NAME(CUBE)(n, p, s, a);
    else if (e == -2)
        NAME(INVERSE_SQUARE)(n, p, s, a);
    else
        NAME(POW)(n, (char *[]){p[0], p[1], (char *)&exponent}, (ptrdiff_t[]){s[0], s[1], 0}, a);
}

/* Angles: huge ones, infinity and nan take the long way. */
#define ANGLE(f, function, which)                                                                  \
    MAP1_BLOCKS(f, T, F(fabs)(x) < (T)ANGLE_LIMIT, M(function)(x),                                 \
                F(fabs)(x) < (T)ANGLE_LIMIT ? M(function)(x) : F(angle_far)(x, which))
ANGLE(SIN, sin, 0)
ANGLE(COS, cos, 1)

#if RARE

MAP1(EXP2, T, , M(exp2)(x))
MAP1(LOG2, T, , M(log2)(x))
MAP1(LOG10, T, , M(log10)(x))
MAP1(ASIN, T, , M(asin)(x))
MAP1(ACOS, T, , M(acos)(x))
MAP1(SINH, T, , M(sinh)(x))
MAP1(COSH, T, , M(cosh)(x))
MAP1(ASINH, T, , M(asinh)(x))
MAP1(ACOSH, T, , M(acosh)(x))
MAP1(ATANH, T, , M(atanh)(x))
MAP1(ERFC, T, , M(erfc)(x))
MAP2(ATAN2, T, , M(atan2)(x, y))
/* The angle of (1, x); a 1 that the compiler knew would tempt it to branch. */
static void NAME(ATAN)(size_t n, char *const *p, const ptrdiff_t *s, const rl_kargs *a)
{
    T one = 1;
    NAME(ATAN2)(n, (char *[]){p[0], p[1], (char *)&one}, (ptrdiff_t[]){s[0], s[1], 0}, a);
}
MAP2(HYPOT, T, , M(hypot)(x, y))

/* log(e^x + e^y) = max + log1p(e^-|x - y|); equal infinities have no difference */
RL_MATH T NAME(logaddexp)(T x, T y)
{
    T most = x < y ? y : x, r = most + M(log1p)(M(exp)(-F(fabs)(x - y)));
    return (x == y) & (F(fabs)(x) == (T)INFINITY) ? x : (x != x) | (y != y) ? x + y : r;
}
MAP2(LOGADDEXP, T, , NAME(logaddexp)(x, y))
RL_MATH T NAME(logaddexp2)(T x, T y)
{
    const T per_ln2 = (T)1.44269504088896340736;
    T most = x < y ? y : x, r = most + M(log1p)(M(exp2)(-F(fabs)(x - y))) * per_ln2;
    return (x == y) & (F(fabs)(x) == (T)INFINITY) ? x : (x != x) | (y != y) ? x + y : r;
}
MAP2(LOGADDEXP2, T, , NAME(logaddexp2)(x, y))
MAP2(XLOG1PY, T, , (x == 0) & (y == y) ? 0 : x * M(log1p)(y))
MAP1(ENTR, T, , x > 0 ? -x * M(log)(x) : x == 0 ? 0 : x < 0 ? -(T)INFINITY : x)

RL_MATH T NAME(logit)(T x, T low, T high)
{
    T c = x < low ? low : x > high ? high : x;
    return M(log)(c / (1 - c));
}
MAP1(LOGIT, T, const int clamps = a->f[0] >= 0; const T low = clamps ? (T)a->f[0] : -(T)INFINITY;
     const T high = clamps ? 1 - (T)a->f[0] : (T)INFINITY, NAME(logit)(x, low, high))
MAP2(XLOGY, T, , (x == 0) & (y == y) ? 0 : x * M(log)(y))

/* sin(y) / y for y = pi x; `far`: y may be any number */
RL_MATH T NAME(sinc)(T y, int far)
{
    T s = far && !(F(fabs)(y) < (T)ANGLE_LIMIT) ? F(angle_far)(y, 0) : M(sin)(y);
    return y == 0 ? 1 : s / y;
}
#define PI (T)3.14159265358979323846
MAP1_BLOCKS(SINC, T, F(fabs)(x *PI) < (T)ANGLE_LIMIT, NAME(sinc)(x *PI, 0), NAME(sinc)(x *PI, 1))
#undef PI
ANGLE(TAN, tan, 2)

#endif

static void NAME(math_fill)(rl_kernels *t)
{
    SET(LOG), SET(LOG1P), SET(EXPM1), SET(EXP), SET(TANH), SET(ERF), SET(POW), SET(SCALAR_POW),
        SET(POW_SCALAR), SET(SIN), SET(COS);
#if RARE
    SET(EXP2), SET(LOG2), SET(LOG10), SET(ASIN), SET(ACOS), SET(ATAN), SET(SINH), SET(COSH),
        SET(ASINH), SET(ACOSH), SET(ATANH), SET(ERFC), SET(ATAN2), SET(HYPOT), SET(LOGADDEXP),
        SET(LOGADDEXP2), SET(XLOGY), SET(XLOG1PY), SET(ENTR), SET(LOGIT), SET(SINC), SET(TAN);
#endif
}

#undef ANGLE
#undef RARE
#undef T
#undef DTYPE
#undef NAME
#undef M
#undef F
#undef TABLES
