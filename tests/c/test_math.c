/* The elementary functions against the C library's in a wider format: float32 against double,
 * float64 against long double.  The bounds are those that math_f32.h and math_f64.h state. */
#include <float.h>

#include "check.h"
#include "kernels/kernels.h"

static uint64_t state = 7;
static double uniform(void) /* -1 to 1 */
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    uint64_t z = (state ^ (state >> 29)) * 0xbf58476d1ce4e5b9;
    return (double)(int64_t)(z ^ (z >> 32)) * 0x1p-63;
}

static long double sigmoid(long double x) { return 1 / (1 + expl(-x)); }
static long double gelu(long double x) { return x * erfcl(-x * sqrtl(0.5L)) / 2; }

typedef struct function {
    const char *name;
    rl_map_op op;
    long double (*reference)(long double);
    double low, high; /* drawn from here, and by magnitude within; low > 0: by magnitude only */
    double bound32, bound64;
} function;

static const function functions[] = {
    {"exp", RL_MAP_EXP, expl, -745, 709.7, 1.1, 1},
    {"exp2", RL_MAP_EXP2, exp2l, -1074, 1023.9, 1.1, 1},
    {"expm1", RL_MAP_EXPM1, expm1l, -60, 709, 0.51, 1.5},
    {"log", RL_MAP_LOG, logl, 0, 1e300, 1, 1},
    {"log2", RL_MAP_LOG2, log2l, 0, 1e300, 0.51, 2},
    {"log10", RL_MAP_LOG10, log10l, 0, 1e300, 0.51, 2},
    {"log1p", RL_MAP_LOG1P, log1pl, -1, 1e300, 0.51, 1},
    {"sin", RL_MAP_SIN, sinl, -1e5, 1e5, 0.51, 1},
    {"cos", RL_MAP_COS, cosl, -1e5, 1e5, 0.51, 1},
    {"tan", RL_MAP_TAN, tanl, -1e5, 1e5, 0.51, 2.5},
    {"asin", RL_MAP_ASIN, asinl, -1, 1, 0.51, 2},
    {"acos", RL_MAP_ACOS, acosl, -1, 1, 0.51, 1},
    {"atan", RL_MAP_ATAN, atanl, -1e20, 1e20, 0.51, 2.5},
    {"sinh", RL_MAP_SINH, sinhl, -710, 710, 0.51, 2.5},
    {"cosh", RL_MAP_COSH, coshl, -710, 710, 0.51, 2.5},
    {"tanh", RL_MAP_TANH, tanhl, -22, 22, 1, 2.5},
    {"asinh", RL_MAP_ASINH, asinhl, -1e200, 1e200, 0.51, 2},
    {"acosh", RL_MAP_ACOSH, acoshl, 1, 1e200, 0.51, 2},
    {"atanh", RL_MAP_ATANH, atanhl, -1, 1, 0.51, 2},
    {"erf", RL_MAP_ERF, erfl, -6, 6, 1.5, 1.5},
    {"erfc", RL_MAP_ERFC, erfcl, -6, 26.5, 0.51, 4},
    {"sigmoid", RL_MAP_SIGMOID, sigmoid, -700, 700, 2.5, 2.5},
    {"sqrt", RL_MAP_SQRT, sqrtl, 0, 1e300, 0.5, 0.5},
    {"square", RL_MAP_SQUARE, NULL, -1e100, 1e100, 0.5, 0.5},
};

static double draw(const function *f, int i)
{
    double low = f->low, high = f->high;
    if (i % 3 == 0 || high < 0) /* across the interval */
        return low + (high - low) * (0.5 + 0.5 * uniform());
    double size = exp2(i % 3 == 1 ? 40 * uniform() : 2 * uniform());
    if (low >= 0)
        return low + (i % 3 == 1 && low == 0 ? exp2(1000 * uniform()) : size);
    double v = uniform() < 0 ? -size : size;
    while (v <= low || v >= high)
        v *= 0.37;
    return v;
}

/* Distance in units of the last place of the exact value in the narrow format; 0 where both
 * overflow, or are nan. */
static double ulps(long double exact, double got, double epsilon, double least, double most)
{
    if (exact != exact || got != got)
        return (exact != exact) == (got != got) ? 0 : 1e9;
    if (fabsl(exact) > most || isinf(got))
        return fabsl(exact) >= most * (1 - epsilon) && isinf(got) ? 0 : 1e9;
    int exponent;
    frexpl(exact, &exponent);
    long double unit = ldexpl(epsilon, exponent - 1);
    if (unit < least)
        unit = least; /* subnormal */
    return (double)(fabsl(got - exact) / unit);
}

static void check_function(const function *f, bool wide)
{
    enum { N = 30000 };
    static double x64[N], y64[N];
    static float x32[N], y32[N];
    double worst = 0, at = 0, bound = wide ? f->bound64 : f->bound32;
    for (int i = 0; i < N; i++) {
        x64[i] = draw(f, i);
        x32[i] = (float)x64[i];
        if (f->low > 0 && x32[i] < f->low)
            x32[i] = (float)f->low;
    }
    char *p[] = {wide ? (char *)y64 : (char *)y32, wide ? (char *)x64 : (char *)x32};
    ptrdiff_t item = wide ? 8 : 4, s[] = {item, item};
    rl_kargs a = {.f = {0}};
    rl_kernel_table.map[f->op][wide ? RL_F64 : RL_F32](N, p, s, &a);
    for (int i = 0; i < N; i++) {
        long double x = wide ? x64[i] : x32[i];
        long double exact = f->reference ? f->reference(x) : x * x;
        double d = wide ? ulps(exact, y64[i], DBL_EPSILON, 0x1p-1074, DBL_MAX)
                        : ulps(exact, y32[i], FLT_EPSILON, 0x1p-149, FLT_MAX);
        if (d > worst) {
            worst = d;
            at = (double)x;
        }
    }
    if (worst > bound) {
        failures++;
        printf("%s %s: %.3g ulp at %a\n", f->name, wide ? "float64" : "float32", worst, at);
    }
}

static bool accuracy(void)
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        check_function(&functions[i], false);
#if LDBL_MANT_DIG > DBL_MANT_DIG
        check_function(&functions[i], true);
#endif
    }
    return true;
}

static double call1(rl_map_op op, double x)
{
    double y;
    char *p[] = {(char *)&y, (char *)&x};
    rl_kernel_table.map[op][RL_F64](1, p, (ptrdiff_t[]){8, 8}, &(rl_kargs){{0}, {0}});
    return y;
}
static float call1f(rl_map_op op, float x)
{
    float y;
    char *p[] = {(char *)&y, (char *)&x};
    rl_kernel_table.map[op][RL_F32](1, p, (ptrdiff_t[]){4, 4}, &(rl_kargs){{0}, {0}});
    return y;
}
static double call2(rl_map_op op, double x, double y)
{
    double z;
    char *p[] = {(char *)&z, (char *)&x, (char *)&y};
    rl_kernel_table.map[op][RL_F64](1, p, (ptrdiff_t[]){8, 8, 8}, &(rl_kargs){{0}, {0}});
    return z;
}
static float call2f(rl_map_op op, float x, float y)
{
    float z;
    char *p[] = {(char *)&z, (char *)&x, (char *)&y};
    rl_kernel_table.map[op][RL_F32](1, p, (ptrdiff_t[]){4, 4, 4}, &(rl_kargs){{0}, {0}});
    return z;
}

static bool same_value(double a, double b)
{
    return (a != a && b != b) || (a == b && !signbit(a) == !signbit(b));
}

/* pow and atan2 on all pairs of special values agree with C's annex F; between them, to the bounds.
 */
static bool pairs(void)
{
    static const double v[] = {0,      -0.0,   1,      -1,       2,         -2,  3,
                               -3,     0.5,    -0.5,   INFINITY, -INFINITY, NAN, 1e300,
                               -1e300, 1e-310, 0x1p53, -0x1p53,  1.5,       -2.5};
    const int n = sizeof v / sizeof *v;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            double p = pow(v[i], v[j]), q = call2(RL_MAP_POW, v[i], v[j]);
            CHECK(same_value(p, q) || fabs(p - q) <= DBL_EPSILON * fabs(p));
            float pf = powf((float)v[i], (float)v[j]),
                  qf = call2f(RL_MAP_POW, (float)v[i], (float)v[j]);
            CHECK(same_value(pf, qf) || fabsf(pf - qf) <= FLT_EPSILON * fabsf(pf));
            double s = atan2(v[i], v[j]), t = call2(RL_MAP_ATAN2, v[i], v[j]);
            CHECK(same_value(s, t) || fabs(s - t) <= 2 * DBL_EPSILON * fabs(s) + 0x1p-1073);
        }
#if LDBL_MANT_DIG > DBL_MANT_DIG
    for (int i = 0; i < 100000; i++) {
        /* the logarithm's error, 2^-65 of it, counts most where the power is greatest */
        double x = exp2((i & 1 ? 20 : 1) * uniform()),
               y = (i & 2 ? 700 : 700 * uniform()) / (fabs(log(x)) + 1e-3);
        CHECK(ulps(powl(x, y), call2(RL_MAP_POW, x, y), DBL_EPSILON, 0x1p-1074, DBL_MAX) <= 1.4);
        double a = uniform(), b = exp2(3 * uniform()) * uniform();
        CHECK(ulps(atan2l(a, b), call2(RL_MAP_ATAN2, a, b), DBL_EPSILON, 0x1p-1074, DBL_MAX) <=
              2.5);
        CHECK(ulps(hypotl(a, b), call2(RL_MAP_HYPOT, a, b), DBL_EPSILON, 0x1p-1074, DBL_MAX) <= 1);
    }
#endif
    return true;
}

/* Huge angles: the reduction keeps all the bits of pi that matter. */
static bool huge_angles(void)
{
    CHECK(call1(RL_MAP_SIN, 1e22) == -0.8522008497671888); /* the classic example */
    CHECK(call1(RL_MAP_COS, 0x1.6ac5b262ca1ffp+849) ==
          cos(0x1.6ac5b262ca1ffp+849)); /* nearest to pi/2 */
#if LDBL_MANT_DIG > DBL_MANT_DIG
    for (int i = 0; i < 20000; i++) {
        double x = uniform() * exp2(500 + 523 * uniform());
        CHECK(ulps(sinl(x), call1(RL_MAP_SIN, x), DBL_EPSILON, 0x1p-1074, DBL_MAX) <= 1 ||
              fabs(x) < 0x1p30);
        CHECK(ulps(cosl(x), call1(RL_MAP_COS, -x), DBL_EPSILON, 0x1p-1074, DBL_MAX) <= 1 ||
              fabs(x) < 0x1p30);
    }
#endif
    CHECK(isnan(call1(RL_MAP_SIN, INFINITY)) && isnan(call1(RL_MAP_TAN, NAN)));
    return true;
}

/* In float32; float64's cancels below 0. */
static bool gelu_accuracy(void)
{
    static const function parts[] = {{"gelu", RL_MAP_GELU, gelu, -4, 40, 2, 0},
                                     {"gelu", RL_MAP_GELU, gelu, -5.65, -4, 4.4, 0}};
    for (int i = 0; i < 2; i++)
        check_function(&parts[i], false);
    return true;
}

/* Zeros, infinities and nan. */
static bool specials(void)
{
    static const struct {
        rl_map_op op;
        double x, y;
    } rows[] = {
        {RL_MAP_EXP, -INFINITY, 0},
        {RL_MAP_EXP, INFINITY, INFINITY},
        {RL_MAP_EXP, -0.0, 1},
        {RL_MAP_EXPM1, -0.0, -0.0},
        {RL_MAP_EXPM1, -INFINITY, -1},
        {RL_MAP_LOG, 0, -INFINITY},
        {RL_MAP_LOG, -0.0, -INFINITY},
        {RL_MAP_LOG, -1, NAN},
        {RL_MAP_LOG, INFINITY, INFINITY},
        {RL_MAP_LOG, 1, 0},
        {RL_MAP_LOG2, 8, 3},
        {RL_MAP_LOG10, 1000, 3},
        {RL_MAP_LOG1P, -1, -INFINITY},
        {RL_MAP_LOG1P, -0.0, -0.0},
        {RL_MAP_LOG1P, -2, NAN},
        {RL_MAP_SIN, -0.0, -0.0},
        {RL_MAP_TAN, -0.0, -0.0},
        {RL_MAP_ASIN, -0.0, -0.0},
        {RL_MAP_ASIN, 1.1, NAN},
        {RL_MAP_ACOS, 1, 0},
        {RL_MAP_ATAN, INFINITY, M_PI_2},
        {RL_MAP_ATAN, -0.0, -0.0},
        {RL_MAP_SINH, -0.0, -0.0},
        {RL_MAP_SINH, -INFINITY, -INFINITY},
        {RL_MAP_COSH, -INFINITY, INFINITY},
        {RL_MAP_TANH, -0.0, -0.0},
        {RL_MAP_TANH, INFINITY, 1},
        {RL_MAP_ASINH, -INFINITY, -INFINITY},
        {RL_MAP_ACOSH, 0.5, NAN},
        {RL_MAP_ACOSH, 1, 0},
        {RL_MAP_ATANH, 1, INFINITY},
        {RL_MAP_ATANH, 2, NAN},
        {RL_MAP_ERF, -INFINITY, -1},
        {RL_MAP_ERFC, INFINITY, 0},
        {RL_MAP_SIGMOID, -INFINITY, 0},
        {RL_MAP_SIGMOID, INFINITY, 1},
        {RL_MAP_GELU, -INFINITY, -0.0},
        {RL_MAP_GELU, INFINITY, INFINITY},
        {RL_MAP_GELU_TANH, -INFINITY, -0.0},
        {RL_MAP_GELU_TANH, INFINITY, INFINITY},
        {RL_MAP_SQRT, -1, NAN},
        {RL_MAP_ROUND, 2.5, 2},
        {RL_MAP_ROUND, -0.4, -0.0},
        {RL_MAP_RECIPROCAL, -0.0, -INFINITY},
        {RL_MAP_SIGN, -3, -1},
        {RL_MAP_RELU, -0.0, -0.0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double y = call1(rows[i].op, rows[i].x);
        CHECK(same_value(y, rows[i].y));
        if (rows[i].y != M_PI_2)
            CHECK(same_value(call1f(rows[i].op, (float)rows[i].x), rows[i].y));
        if (!same_value(y, rows[i].y))
            printf("  row %zu: %g -> %g, not %g\n", i, rows[i].x, y, rows[i].y);
    }
    for (int op = RL_MAP_EXP; op <= RL_MAP_SIGMOID; op++)
        CHECK(isnan(call1((rl_map_op)op, NAN)) && isnan(call1f((rl_map_op)op, NAN)));
    CHECK(isnan(call1f(RL_MAP_GELU, NAN)) && isnan(call1f(RL_MAP_GELU_TANH, NAN)));
    return true;
}

/* Blocks of usual elements take shorter ways: an element's value does not tell in which block it
 * stood. */
static bool blocks(void)
{
    enum { N = 512 };
    static const rl_map_op ops[] = {RL_MAP_EXP, RL_MAP_SIGMOID, RL_MAP_ERF, RL_MAP_SIN, RL_MAP_POW};
    static double x[N], y[N], whole[N], one;
    static float xf[N], yf[N], wholef[N], onef;
    const rl_kargs a = {{0}, {0}};
    const ptrdiff_t s[] = {8, 8, 8}, sf[] = {4, 4, 4};
    for (size_t k = 0; k < sizeof ops / sizeof *ops; k++) {
        for (int i = 0; i < N; i++) { /* blocks of 128: usual, mixed, usual, mixed */
            bool odd = i & 128 && i % 5 == 0;
            x[i] = odd                    ? 900 * uniform()
                   : ops[k] == RL_MAP_POW ? 3 + 2 * uniform()
                                          : 0.8 * uniform();
            y[i] = odd ? i % 7 : 8 * uniform();
            x[i] = odd && i % 15 == 0 ? (i % 2 ? -INFINITY : -0.0) : x[i];
            xf[i] = (float)x[i], yf[i] = (float)y[i];
        }
        rl_kernel_table.map[ops[k]][RL_F64](N, (char *[]){(char *)whole, (char *)x, (char *)y}, s,
                                            &a);
        rl_kernel_table.map[ops[k]][RL_F32](N, (char *[]){(char *)wholef, (char *)xf, (char *)yf},
                                            sf, &a);
        for (int i = 0; i < N; i++) {
            rl_kernel_table.map[ops[k]][RL_F64](
                1, (char *[]){(char *)&one, (char *)(x + i), (char *)(y + i)}, s, &a);
            rl_kernel_table.map[ops[k]][RL_F32](
                1, (char *[]){(char *)&onef, (char *)(xf + i), (char *)(yf + i)}, sf, &a);
            CHECK(same_value(one, whole[i]) && same_value(onef, wholef[i]));
        }
    }
    return true;
}

int main(void)
{
    RUN(blocks);
    RUN(accuracy);
    RUN(pairs);
    RUN(huge_angles);
    RUN(gelu_accuracy);
    RUN(specials);
    return failures != 0;
}
