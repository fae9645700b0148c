/* complex_math.c: elementary functions of complex numbers, made of real ones.
 *
 * Formulas after W. Kahan, Branch cuts for complex elementary functions, in The State of the Art in
 * Numerical Analysis (1987).  Everything runs through the kernels of the real functions:
 * vectorised, and the same bits everywhere. */
#include <math.h>

#include "ops/complex.h"

/* Intermediate results, released together. */
enum { MOST_TERMS = 160 };
typedef struct work {
    rl_tensor *held[MOST_TERMS];
    int n;
} work;

typedef struct pair { /* real and imaginary part, borrowed from the work */
    rl_tensor *re, *im;
} pair;

static rl_tensor *hold(work *w, rl_tensor *x)
{
    if (x)
        w->held[w->n++] = x;
    return x;
}

static rl_tensor *mul(work *w, rl_tensor *a, rl_tensor *b) { return hold(w, rl_mul(a, b)); }
static rl_tensor *add(work *w, rl_tensor *a, rl_tensor *b)
{
    return hold(w, rl_add(a, b, rl_int(1)));
}
static rl_tensor *sub(work *w, rl_tensor *a, rl_tensor *b)
{
    return hold(w, rl_sub(a, b, rl_int(1)));
}
static rl_tensor *over(work *w, rl_tensor *a, rl_tensor *b) { return hold(w, rl_div(a, b, NULL)); }
static rl_tensor *neg(work *w, rl_tensor *a) { return hold(w, rl_neg(a)); }
static rl_tensor *times(work *w, rl_tensor *a, double v)
{
    return hold(w, rl_mul_number(a, rl_float(v)));
}
static rl_tensor *plus(work *w, rl_tensor *a, double v)
{
    return hold(w, rl_add_number(a, rl_float(v)));
}
static rl_tensor *square(work *w, rl_tensor *a) { return mul(w, a, a); }
static rl_tensor *call(work *w, rl_tensor *(*f)(rl_tensor *), rl_tensor *a)
{
    return hold(w, f(a));
}
static rl_tensor *call2(work *w, rl_tensor *(*f)(rl_tensor *, rl_tensor *), rl_tensor *a,
                        rl_tensor *b)
{
    return a && b ? hold(w, f(a, b)) : NULL;
}
static rl_tensor *choose(work *w, rl_tensor *which, rl_tensor *a, rl_tensor *b)
{
    return hold(w, rl_where(which, a, b));
}
/* a compared with a number */
static rl_tensor *versus(work *w, rl_tensor *(*f)(rl_tensor *, rl_tensor *), rl_tensor *a, double v)
{
    return call2(w, f, a, hold(w, rl_wrap_number(rl_float(v))));
}

static pair turn(work *w, pair z) { return (pair){neg(w, z.im), z.re}; }      /* i z */
static pair turn_back(work *w, pair z) { return (pair){z.im, neg(w, z.re)}; } /* -i z */
/* conj(a) b: real and imaginary part */
static rl_tensor *dot_re(work *w, pair a, pair b)
{
    return add(w, mul(w, a.re, b.re), mul(w, a.im, b.im));
}
static rl_tensor *dot_im(work *w, pair a, pair b)
{
    return sub(w, mul(w, a.re, b.im), mul(w, a.im, b.re));
}

static pair sqrt_of(work *w, pair z)
{
    rl_tensor *size = call2(w, rl_hypot, z.re, z.im);
    rl_tensor *t =
        call(w, rl_sqrt, times(w, add(w, call(w, rl_abs, z.re), size), 0.5)); /* the larger part */
    rl_tensor *q = over(w, z.im, times(w, t, 2));
    q = choose(w, versus(w, rl_eq, size, 0), z.im, q);
    rl_tensor *right = versus(w, rl_ge, z.re, 0);
    return (pair){choose(w, right, t, call(w, rl_abs, q)),
                  choose(w, right, q, call2(w, rl_copysign, t, z.im))};
}

/* (log |z|, arg z).  Near |z| = 1 the logarithm of |z|^2 - 1 + 1 = (x - 1)(x + 1) + y^2 + 1. */
static pair log_of(work *w, pair z)
{
    rl_tensor *size = call2(w, rl_hypot, z.re, z.im);
    rl_tensor *a = call(w, rl_abs, z.re), *b = call(w, rl_abs, z.im);
    rl_tensor *x = call2(w, rl_maximum, a, b), *y = call2(w, rl_minimum, a, b);
    rl_tensor *excess = add(w, mul(w, plus(w, x, -1), plus(w, x, 1)), square(w, y));
    rl_tensor *near = times(w, call(w, rl_log1p, excess), 0.5);
    rl_tensor *close =
        call2(w, rl_logical_and, versus(w, rl_gt, size, 0.5), versus(w, rl_lt, size, 2));
    return (pair){choose(w, close, near, call(w, rl_log, size)), call2(w, rl_atan2, z.im, z.re)};
}

/* log(1 + z): of |1 + z|^2 - 1 = x (x + 2) + y^2, unless that overflows. */
static pair log1p_of(work *w, pair z)
{
    rl_tensor *more = plus(w, z.re, 1);
    rl_tensor *excess = add(w, mul(w, z.re, plus(w, z.re, 2)), square(w, z.im));
    rl_tensor *near = times(w, call(w, rl_log1p, excess), 0.5);
    rl_tensor *size = call2(w, rl_hypot, more, z.im);
    rl_tensor *far = versus(w, rl_gt, size, 100);
    return (pair){choose(w, far, call(w, rl_log, size), near), call2(w, rl_atan2, z.im, more)};
}

static pair exp_of(work *w, pair z)
{
    rl_tensor *size = call(w, rl_exp, z.re);
    return (pair){mul(w, size, call(w, rl_cos, z.im)), mul(w, size, call(w, rl_sin, z.im))};
}

/* e^z - 1 = (expm1 x cos y - 2 sin^2(y/2), e^x sin y) */
static pair expm1_of(work *w, pair z)
{
    rl_tensor *half = call(w, rl_sin, times(w, z.im, 0.5));
    rl_tensor *grown = mul(w, call(w, rl_expm1, z.re), call(w, rl_cos, z.im));
    return (pair){sub(w, grown, times(w, square(w, half), 2)),
                  mul(w, call(w, rl_exp, z.re), call(w, rl_sin, z.im))};
}

static pair sinh_of(work *w, pair z)
{
    return (pair){mul(w, call(w, rl_sinh, z.re), call(w, rl_cos, z.im)),
                  mul(w, call(w, rl_cosh, z.re), call(w, rl_sin, z.im))};
}

static pair cosh_of(work *w, pair z)
{
    return (pair){mul(w, call(w, rl_cosh, z.re), call(w, rl_cos, z.im)),
                  mul(w, call(w, rl_sinh, z.re), call(w, rl_sin, z.im))};
}

/* With T = tanh x, t = tan y: (T (1 + t^2), t / cosh^2 x) / (1 + T^2 t^2); nothing overflows. */
static pair tanh_of(work *w, pair z)
{
    rl_tensor *T = call(w, rl_tanh, z.re), *t = call(w, rl_tan, z.im), *t2 = square(w, t);
    rl_tensor *below = plus(w, mul(w, square(w, T), t2), 1);
    rl_tensor *sech2 = call(w, rl_reciprocal, square(w, call(w, rl_cosh, z.re)));
    return (pair){over(w, mul(w, T, plus(w, t2, 1)), below), over(w, mul(w, t, sech2), below)};
}

/* sqrt(1 - z) and sqrt(1 + z) */
static void roots(work *w, pair z, pair *less, pair *more)
{
    *less = sqrt_of(w, (pair){plus(w, neg(w, z.re), 1), neg(w, z.im)});
    *more = sqrt_of(w, (pair){plus(w, z.re, 1), z.im});
}

static pair asin_of(work *w, pair z)
{
    pair less, more;
    roots(w, z, &less, &more);
    rl_tensor *below = sub(w, mul(w, less.re, more.re), mul(w, less.im, more.im));
    return (pair){call2(w, rl_atan2, z.re, below), call(w, rl_asinh, dot_im(w, less, more))};
}

static pair acos_of(work *w, pair z)
{
    pair less, more;
    roots(w, z, &less, &more);
    return (pair){times(w, call2(w, rl_atan2, less.re, more.re), 2),
                  call(w, rl_asinh, dot_im(w, more, less))};
}

static pair acosh_of(work *w, pair z)
{
    pair less = sqrt_of(w, (pair){plus(w, z.re, -1), z.im}),
         more = sqrt_of(w, (pair){plus(w, z.re, 1), z.im});
    return (pair){call(w, rl_asinh, dot_re(w, less, more)),
                  times(w, call2(w, rl_atan2, less.im, more.re), 2)};
}

/* (log1p(4 |x| / ((1 - |x|)^2 + y^2)) / 4 with the sign of x, arg(1 - |z|^2 + 2 i y) / 2) */
static pair atanh_of(work *w, pair z)
{
    rl_tensor *x = call(w, rl_abs, z.re), *y2 = square(w, z.im);
    rl_tensor *rest = plus(w, neg(w, x), 1);
    rl_tensor *ratio = over(w, times(w, x, 4), add(w, square(w, rest), y2));
    rl_tensor *flat = sub(w, mul(w, rest, plus(w, x, 1)), y2);
    rl_tensor *size = times(w, call(w, rl_log1p, ratio), 0.25);
    return (pair){call2(w, rl_copysign, size, z.re),
                  times(w, call2(w, rl_atan2, times(w, z.im, 2), flat), 0.5)};
}

/* sin(pi z) / (pi z); 1 at 0 */
static pair sinc_of(work *w, pair z)
{
    pair a = {times(w, z.re, M_PI), times(w, z.im, M_PI)};
    pair s = turn_back(w, sinh_of(w, turn(w, a)));
    rl_tensor *size = add(w, square(w, a.re), square(w, a.im)), *at_0 = versus(w, rl_eq, size, 0);
    rl_tensor *one = hold(w, rl_wrap_number(rl_int(1))), *zero = hold(w, rl_wrap_number(rl_int(0)));
    return (pair){choose(w, at_0, one, over(w, dot_re(w, a, s), size)),
                  choose(w, at_0, zero, over(w, dot_im(w, a, s), size))};
}

static pair scaled(work *w, pair z, double v)
{
    return (pair){times(w, z.re, v), times(w, z.im, v)};
}

static pair parts_of(rl_map_op op, work *w, pair z)
{
    switch (op) {
    case RL_MAP_EXP:
        return exp_of(w, z);
    case RL_MAP_EXP2:
        return exp_of(w, scaled(w, z, M_LN2));
    case RL_MAP_EXPM1:
        return expm1_of(w, z);
    case RL_MAP_LOG:
        return log_of(w, z);
    case RL_MAP_LOG2:
        return scaled(w, log_of(w, z), M_LOG2E);
    case RL_MAP_LOG10:
        return scaled(w, log_of(w, z), M_LOG10E);
    case RL_MAP_LOG1P:
        return log1p_of(w, z);
    case RL_MAP_SQRT:
    case RL_MAP_RSQRT:
        return sqrt_of(w, z);
    case RL_MAP_SINH:
        return sinh_of(w, z);
    case RL_MAP_COSH:
        return cosh_of(w, z);
    case RL_MAP_TANH:
        return tanh_of(w, z);
    case RL_MAP_SIN:
        return turn_back(w, sinh_of(w, turn(w, z)));
    case RL_MAP_COS:
        return cosh_of(w, turn(w, z));
    case RL_MAP_TAN:
        return turn_back(w, tanh_of(w, turn(w, z)));
    case RL_MAP_ASIN:
        return asin_of(w, z);
    case RL_MAP_ACOS:
        return acos_of(w, z);
    case RL_MAP_ACOSH:
        return acosh_of(w, z);
    case RL_MAP_ATANH:
        return atanh_of(w, z);
    case RL_MAP_ASINH:
        return turn_back(w, asin_of(w, turn(w, z)));
    case RL_MAP_ATAN:
        return turn_back(w, atanh_of(w, turn(w, z)));
    case RL_MAP_SINC:
        return sinc_of(w, z);
    default:
        return (pair){NULL, NULL};
    }
}

bool rl_complex_has(rl_map_op op)
{
    switch (op) {
    case RL_MAP_EXP:
    case RL_MAP_EXP2:
    case RL_MAP_EXPM1:
    case RL_MAP_LOG:
    case RL_MAP_LOG2:
    case RL_MAP_LOG10:
    case RL_MAP_LOG1P:
    case RL_MAP_SQRT:
    case RL_MAP_RSQRT:
    case RL_MAP_SINH:
    case RL_MAP_COSH:
    case RL_MAP_TANH:
    case RL_MAP_SIN:
    case RL_MAP_COS:
    case RL_MAP_TAN:
    case RL_MAP_ASIN:
    case RL_MAP_ACOS:
    case RL_MAP_ACOSH:
    case RL_MAP_ATANH:
    case RL_MAP_ASINH:
    case RL_MAP_ATAN:
    case RL_MAP_SINC:
        return true;
    default:
        return false;
    }
}

rl_tensor *rl_complex_function(rl_map_op op, rl_tensor *x)
{
    work w = {.n = 0};
    bool mode = rl_set_grad_enabled(false);
    pair z = {hold(&w, rl_real(x)), hold(&w, rl_imag(x))};
    pair value = z.re && z.im ? parts_of(op, &w, z) : z;
    rl_tensor *y = rl_complex(value.re, value.im);
    if (y && op == RL_MAP_RSQRT) {
        rl_tensor *inverse = rl_reciprocal(y);
        rl_release(y);
        y = inverse;
    }
    rl_set_grad_enabled(mode);
    while (w.n)
        rl_release(w.held[--w.n]);
    return y;
}

/* x^y = e^(y log x); 0 to a power of positive real part is 0, to the power 0 one. */
rl_tensor *rl_complex_power(rl_tensor *x, rl_tensor *y)
{
    bool mode = rl_set_grad_enabled(false);
    rl_dtype dtype = rl_result_type(2, (rl_tensor *[]){x, y});
    RL_TEMP *base = rl_to_dtype(x, dtype, false);
    RL_TEMP *exponent = rl_to_dtype(y, dtype, false);
    RL_TEMP *zero = rl_wrap_number(rl_int(0));
    RL_TEMP *one = rl_wrap_number(rl_int(1));
    RL_TEMP *log = base ? rl_complex_function(RL_MAP_LOG, base) : NULL;
    RL_TEMP *product = exponent ? rl_mul(exponent, log) : NULL;
    RL_TEMP *power = product ? rl_complex_function(RL_MAP_EXP, product) : NULL;
    RL_TEMP *at_zero = base ? rl_eq(base, zero) : NULL;
    RL_TEMP *re = exponent ? rl_real(exponent) : NULL;
    RL_TEMP *up = re ? rl_gt(re, zero) : NULL;
    RL_TEMP *none = rl_logical_and(at_zero, up);
    RL_TEMP *some = none ? rl_where(none, zero, power) : NULL;
    RL_TEMP *flat = exponent ? rl_eq(exponent, zero) : NULL;
    rl_tensor *z = some && flat ? rl_where(flat, one, some) : NULL;
    rl_set_grad_enabled(mode);
    return z;
}
