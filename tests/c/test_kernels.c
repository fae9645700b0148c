/* Kernels on raw pointers: every build gives the same bits, for every kernel and dtype, at sizes
 * below, at and above the widths of vectors, on special values, strided, in place; and what the
 * simple ones give is right. */
#include <float.h>

#include "check.h"
#include "kernels/kernels.h"

enum { MOST = 700, BUILDS = 3 };
static rl_kernels builds[BUILDS];
static int n_builds; /* the first is the portable one */

static const size_t sizes[] = {1, 3, 7, 8, 9, 15, 16, 17, 31, 33, 65, 129};
enum { N_SIZES = sizeof sizes / sizeof *sizes };
static const rl_dtype dtypes[] = {RL_F32, RL_F64, RL_I64,  RL_I32, RL_I16,
                                  RL_I8,  RL_U8,  RL_BOOL, RL_C64, RL_C128};
enum { N_DTYPES = sizeof dtypes / sizeof *dtypes };

static const char *const map_names[] = {
#define X(name, ...) #name,
    RL_MAP_LIST(X)
#undef X
};
static const uint8_t map_inputs[] = {
#define X(name, inputs, ...) inputs,
    RL_MAP_LIST(X)
#undef X
};
static const uint8_t map_writes[] = {
#define X(name, inputs, writes) writes,
    RL_MAP_LIST(X)
#undef X
};
static const char *const reduce_names[] = {
#define X(name, ...) #name,
    RL_REDUCE_LIST(X)
#undef X
};
static const uint8_t reduce_writes[] = {
#define X(name, writes, combines) writes,
    RL_REDUCE_LIST(X)
#undef X
};

/* ---- numbers ---- */

static uint64_t state = 1;
static uint64_t next(void) /* splitmix64 */
{
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static double pick(int i)
{
    static const double special[] = {
        0,      -0.0,    1,        -1,      INFINITY, -INFINITY, NAN,    0.5,    -0.5,   1e-40,
        -1e-40, FLT_MIN, -FLT_MAX, FLT_MAX, 2,        3,         -2,     0x1p31, 0x1p40, -0x1p100,
        88.7,   -87.4,   -104,     709.8,   -745.2,   1e300,     5e-324, 1e22,   3.5,    2.5};
    double u = (double)(int64_t)next() * 0x1p-63;
    switch (i % 4) {
    case 0:
        return special[next() % (sizeof special / sizeof *special)];
    case 1:
        return u;
    case 2:
        return u * 20;
    default:
        return u * pow(10, (double)(next() % 60) - 30);
    }
}

/* n elements of a dtype at a stride in elements; tame: no special values */
static void fill(rl_dtype dtype, void *x, size_t n, bool tame)
{
    if (rl_is_complex(dtype)) {
        fill(rl_real_dtype(dtype), x, 2 * n, tame);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        double v = tame ? (double)(int64_t)next() * 0x1p-61 : pick((int)(next() % 64));
        int64_t k = (int64_t)(next() % 101) - 50;
        if (next() % 16 == 0)
            k = (int64_t)next();
        switch (dtype) {
        case RL_F32:
            ((float *)x)[i] = (float)v;
            break;
        case RL_F64:
            ((double *)x)[i] = v;
            break;
        case RL_I64:
            ((int64_t *)x)[i] = k;
            break;
        case RL_I32:
            ((int32_t *)x)[i] = (int32_t)k;
            break;
        case RL_I16:
            ((int16_t *)x)[i] = (int16_t)k;
            break;
        case RL_BOOL:
            ((uint8_t *)x)[i] = k & 1;
            break;
        default:
            ((uint8_t *)x)[i] = (uint8_t)k;
        }
    }
}

/* The same bits, any nan equal to any other. */
static bool same(rl_dtype dtype, const void *a, const void *b, size_t n)
{
    if (rl_is_complex(dtype))
        return same(rl_real_dtype(dtype), a, b, 2 * n);
    if (dtype == RL_F32) {
        const float *x = a, *y = b;
        for (size_t i = 0; i < n; i++)
            if (memcmp(x + i, y + i, 4) && (x[i] == x[i] || y[i] == y[i]))
                return false;
        return true;
    }
    if (dtype == RL_F64) {
        const double *x = a, *y = b;
        for (size_t i = 0; i < n; i++)
            if (memcmp(x + i, y + i, 8) && (x[i] == x[i] || y[i] == y[i]))
                return false;
        return true;
    }
    return !memcmp(a, b, n * rl_dtype_size(dtype));
}

static void report(const char *what, const char *kernel, rl_dtype dtype, const char *isa, size_t n)
{
    failures++;
    printf("%s: %s %s %s, n = %zu\n", what, kernel, rl_dtype_name(dtype), isa, n);
}

/* ---- element-wise ---- */

static double in[4][2 * MOST]; /* complex128 is the widest */

/* One kernel at one size: contiguous, with scalars, strided, in place. */
static void one_map(int op, rl_dtype dtype, size_t n)
{
    int inputs = map_inputs[op];
    rl_dtype out = map_writes[op] == RL_OUT_BOOL  ? RL_BOOL
                   : map_writes[op] == RL_OUT_I64 ? RL_I64
                                                  : dtype;
    ptrdiff_t item = (ptrdiff_t)rl_dtype_size(dtype), wide = (ptrdiff_t)rl_dtype_size(out);
    static double first[2 * MOST], y[2 * MOST], z[2 * MOST];
    rl_kargs a = {.f = {0.7, 1.3, 0.9}, .i = {2, 40}};
    for (int k = 0; k < inputs; k++)
        fill(k == 0 && rl_map_mask_first((rl_map_op)op) ? RL_BOOL : dtype, in[k], 2 * n, false);
    for (int way = 0; way < 4 + inputs; way++) {
        ptrdiff_t s[5] = {wide};
        char *p[5] = {(char *)y};
        for (int k = 0; k < inputs; k++) {
            ptrdiff_t size = k == 0 && rl_map_mask_first((rl_map_op)op) ? 1 : item;
            p[k + 1] = (char *)in[k];
            s[k + 1] = way == 1 ? 2 * size : way >= 4 && way - 4 == k ? 0 : size;
        }
        if (way == 2)
            s[0] = 2 * wide;
        for (int b = 0; b < n_builds; b++) {
            rl_map_fn *kernel = builds[b].map[op][dtype];
            if (!kernel) {
                report("missing", map_names[op], dtype, builds[b].isa, n);
                continue;
            }
            memset(y, 7, sizeof y);
            p[0] = (char *)y;
            if (way == 3) { /* in place, over the last input of the output's size */
                if (wide != item)
                    continue;
                memcpy(z, in[inputs - 1], n * (size_t)item);
                p[inputs] = (char *)z;
                p[0] = (char *)z;
            }
            kernel(n, p, s, &a);
            const void *result = way == 3 ? z : y;
            if (b == 0) {
                if (way == 3 &&
                    !same(out, z, first, n)) /* against the contiguous one, kept from way 0 */
                    report("in place", map_names[op], dtype, builds[b].isa, n);
                if (way != 3)
                    memcpy(z, y, sizeof y);
                if (way == 0)
                    memcpy(first, y, sizeof y);
            } else if (!same(way == 2 ? RL_U8 : out, result, way == 3 ? (void *)first : (void *)z,
                             way == 2 && out != RL_BOOL ? 0 : n)) {
                report(way == 0 ? "contiguous" : "strided", map_names[op], dtype, builds[b].isa, n);
            }
            if (way == 2) /* strided output: element by element against the contiguous result */
                for (size_t i = 0; i < n; i++)
                    if (!same(out, (char *)y + (ptrdiff_t)i * 2 * wide,
                              (char *)first + (ptrdiff_t)i * wide, 1)) {
                        report("strided output", map_names[op], dtype, builds[b].isa, n);
                        break;
                    }
        }
    }
}

static bool maps(void)
{
    for (int op = 0; op < RL_MAP_COUNT; op++)
        for (int d = 0; d < N_DTYPES; d++)
            if (builds[0].map[op][dtypes[d]])
                for (int k = 0; k < N_SIZES; k++)
                    one_map(op, dtypes[d], sizes[k]);
    return true;
}

/* Every element-wise kernel of the list exists for some dtype. */
static bool complete(void)
{
    for (int op = 0; op < RL_MAP_COUNT; op++) {
        bool any = false;
        for (int d = 0; d < RL_NDTYPES; d++)
            any |= builds[0].map[op][d] != NULL;
        if (!any) {
            failures++;
            printf("no kernel at all: %s\n", map_names[op]);
        }
    }
    return true;
}

/* ---- reductions ---- */

static bool reductions(void)
{
    static double x[70 * 40], y[3][80];
    static const size_t lengths[] = {1, 2, 15, 16, 17, 63, 64, 65, 100, 257, 700, 2800};
    for (int op = 0; op < RL_REDUCE_COUNT; op++)
        for (int d = 0; d < N_DTYPES; d++) {
            rl_dtype dtype = dtypes[d];
            if (!builds[0].reduce[op][dtype])
                continue;
            rl_dtype out = reduce_writes[op] == RL_OUT_BOOL  ? RL_BOOL
                           : reduce_writes[op] == RL_OUT_I64 ? RL_I64
                                                             : dtype;
            ptrdiff_t item = (ptrdiff_t)rl_dtype_size(dtype), wide = (ptrdiff_t)rl_dtype_size(out);
            rl_kargs a = {.f = {1}};
            for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++)
                for (int way = 0; way < 6; way++) { /* inner, outer, strided outer; tame or not */
                    size_t nr = lengths[k], no = way % 3 == 0 ? 1 : 70;
                    if (way % 3 != 0 && nr > 40)
                        continue;
                    ptrdiff_t so = way % 3 == 2 ? 40 * item : item;
                    ptrdiff_t sr = way % 3 == 0 ? item : way % 3 == 1 ? 70 * item : 2 * item;
                    if (way % 3 == 2 && nr > 20)
                        continue;
                    fill(dtype, x, 70 * 40, way < 3);
                    for (int b = 0; b < n_builds; b++) {
                        memset(y[b], 0, sizeof y[b]);
                        builds[b].reduce[op][dtype](no, nr, (char *)x, so, sr, (char *)y[b], wide,
                                                    &a);
                        if (!same(out, y[b], y[0], no))
                            report("reduction", reduce_names[op], dtype, builds[b].isa, nr);
                    }
                }
        }
    return true;
}

/* Long sums against exact ones: float32 to 1 ulp of the sum of sizes, whatever the length. */
static bool sums(void)
{
    enum { N = 300000 };
    float *x = malloc(N * sizeof *x);
    NEED(x);
    double exact = 0, size = 0;
    for (int i = 0; i < N; i++) {
        x[i] = (float)((double)(int64_t)next() * 0x1p-63);
        exact += x[i];
        size += fabs(x[i]);
    }
    for (int b = 0; b < n_builds; b++) {
        float y;
        rl_kargs a = {.f = {0}};
        builds[b].reduce[RL_REDUCE_SUM][RL_F32](1, N, (char *)x, 0, 4, (char *)&y, 4, &a);
        CHECK(fabs(y - exact) <= size * FLT_EPSILON / 4);
        builds[b].reduce[RL_REDUCE_SUM][RL_F32](1, N / 2, (char *)x, 0, 8, (char *)&y, 4, &a);
        exact = 0;
        for (int i = 0; i < N; i += 2)
            exact += x[i];
        CHECK(fabs(y - exact) <= size * FLT_EPSILON / 4);
        exact = 0;
        for (int i = 0; i < N; i++)
            exact += x[i];
    }
    free(x);
    return true;
}

/* ---- rows ---- */

static bool rows(void)
{
    static double x[3][5 * 300], y[3][5 * 300], lse[3][8];
    static const char *const names[] = {
#define X(name) #name,
        RL_ROW_LIST(X)
#undef X
    };
    int64_t target[5] = {0, 2, -100, 1, 0};
    for (int op = 0; op < RL_ROW_COUNT; op++)
        for (int d = 0; d < 2; d++)
            for (int k = 2; k < N_SIZES; k++)
                for (int tame = 0; tame < 2; tame++) {
                    if ((op >= RL_ROW_LAYER_NORM && op <= RL_ROW_NORM_BACKWARD) ||
                        op >= RL_ROW_ATTENTION)
                        continue; /* other operands: layer_norms and attention below */
                    rl_dtype dtype = dtypes[d];
                    size_t n = sizes[k];
                    ptrdiff_t m = (ptrdiff_t)n, s[5] = {m, m, m, 1, 1};
                    rl_kargs a = {.f = {0.1}, .i = {-100}};
                    bool entropy =
                        op == RL_ROW_CROSS_ENTROPY || op == RL_ROW_CROSS_ENTROPY_BACKWARD;
                    bool sum = op >= RL_ROW_MSE_SUM || op == RL_ROW_CROSS_ENTROPY;
                    if (sum)
                        s[0] = 1;
                    if (entropy)
                        s[2] = 1;
                    for (int i = 0; i < 3; i++)
                        fill(dtype, x[i], 5 * n, tame);
                    for (int b = 0; b < n_builds; b++) {
                        memset(y[b], 0, sizeof y[b]);
                        memcpy(lse[b], x[2], sizeof lse[b]);
                        char *p[5] = {(char *)y[b], (char *)x[0],
                                      (char *)(entropy ? (void *)target : x[1]), (char *)lse[b],
                                      (char *)x[1]};
                        builds[b].row[op][dtype](5, n, p, s, &a);
                        if (!same(dtype, y[b], y[0], sum ? 5 : 5 * n) ||
                            !same(dtype, lse[b], lse[0], 5))
                            report("rows", names[op], dtype, builds[b].isa, n);
                    }
                }
    return true;
}

/* Layer normalisation without parameters, and its gradient from the mean and rstd it left. */
static bool layer_norms(void)
{
    static double x[5 * 129], g[5 * 129], y[3][5 * 129], mean[3][8], rstd[3][8];
    for (int d = 0; d < 2; d++)
        for (int k = 2; k < N_SIZES; k++)
            for (int op = RL_ROW_LAYER_NORM; op <= RL_ROW_LAYER_NORM_BACKWARD; op++) {
                rl_dtype dtype = dtypes[d];
                size_t n = sizes[k];
                ptrdiff_t m = (ptrdiff_t)n;
                rl_kargs a = {.f = {1e-5}, .i = {1}};
                bool forward = op == RL_ROW_LAYER_NORM;
                fill(dtype, x, 5 * n, true);
                fill(dtype, g, 5 * n, true);
                for (int b = 0; b < n_builds; b++) {
                    char *p[6] = {(char *)y[b],
                                  (char *)(forward ? x : g),
                                  forward ? (char *)mean[b] : (char *)x,
                                  forward ? (char *)rstd[b] : (char *)mean[b],
                                  forward ? NULL : (char *)rstd[b],
                                  NULL};
                    ptrdiff_t s[6] = {m, m, forward ? 1 : m, 1, forward ? 0 : 1, 0};
                    builds[b].row[op][dtype](5, n, p, s, &a);
                    if (!same(dtype, y[b], y[0], 5 * n) || !same(dtype, mean[b], mean[0], 5) ||
                        !same(dtype, rstd[b], rstd[0], 5))
                        report("rows", forward ? "LAYER_NORM" : "LAYER_NORM_BACKWARD", dtype,
                               builds[b].isa, n);
                }
            }
    return true;
}

/* The sums of a group's gradient, and the gradient from four numbers a row. */
static bool norms(void)
{
    static double x[5 * 129], g[5 * 129], y[3][5 * 129], more[3][8];
    static double numbers[20]; /* mean; or mean, level, slope and scale */
    for (int d = 0; d < 2; d++)
        for (int k = 2; k < N_SIZES; k++)
            for (int op = RL_ROW_NORM_SUMS; op <= RL_ROW_NORM_BACKWARD; op++) {
                rl_dtype dtype = dtypes[d];
                size_t n = sizes[k];
                ptrdiff_t m = (ptrdiff_t)n;
                rl_kargs a = {.f = {0}};
                bool sums = op == RL_ROW_NORM_SUMS;
                fill(dtype, x, 5 * n, true);
                fill(dtype, g, 5 * n, true);
                fill(dtype, numbers, 20, true);
                for (int b = 0; b < n_builds; b++) {
                    char *p[5] = {(char *)y[b], sums ? (char *)more[b] : (char *)g,
                                  sums ? (char *)g : (char *)x, sums ? (char *)x : (char *)numbers,
                                  (char *)numbers};
                    ptrdiff_t s[5] = {sums ? 1 : m, sums ? 1 : m, m, sums ? m : 4, 1};
                    builds[b].row[op][dtype](5, n, p, s, &a);
                    if (!same(dtype, y[b], y[0], sums ? 5 : 5 * n) ||
                        (sums && !same(dtype, more[b], more[0], 5)))
                        report("rows", sums ? "NORM_SUMS" : "NORM_BACKWARD", dtype, builds[b].isa,
                               n);
                }
            }
    return true;
}

/* Tiles of attention scores, with every kind of mask and rows cut short, and back. */
static bool attention(void)
{
    enum { ROWS = 5, STEP = 160 };
    static double x[3][ROWS * STEP], d[3][ROWS * STEP], most[3][8], sum[3][8], factor[3][8];
    static double bias[ROWS * STEP], noise[ROWS * STEP];
    static bool keep[ROWS * STEP];
    const char *const masks[] = {NULL, (char *)keep, (char *)bias};
    for (int i = 0; i < ROWS * STEP; i++)
        keep[i] = i / STEP != 2 && i % 3;
    for (int type = 0; type < 2; type++)
        for (int k = 0; k < N_SIZES; k++)
            for (int form = 0; form < 12; form++) {
                rl_dtype dtype = dtypes[type];
                size_t n = sizes[k];
                rl_kargs a = {.f = {0.3}, .i = {form < 6 ? STEP : (int64_t)n - 2, form % 3}};
                char *mask = (char *)masks[form % 3];
                fill(dtype, bias, ROWS * STEP, true);
                fill(dtype, noise, ROWS * STEP, true);
                fill(dtype, x[0], ROWS * STEP, true);
                fill(dtype, d[0], ROWS * STEP, true);
                for (int b = n_builds - 1; b >= 0; b--) { /* the first last: it holds the input */
                    memcpy(x[b], x[0], sizeof x[0]);
                    memcpy(d[b], d[0], sizeof d[0]);
                    for (int r = 0; r < ROWS; r++) {
                        const double old = r == 1 ? -INFINITY : r, part = r == 1 ? 0 : 0.5;
                        if (dtype == RL_F32) {
                            ((float *)most[b])[r] = (float)old;
                            ((float *)sum[b])[r] = (float)part;
                        } else {
                            most[b][r] = old;
                            sum[b][r] = part;
                        }
                    }
                    char *last = form % 2 ? (char *)noise : NULL;
                    char *p[] = {(char *)x[b],      mask, (char *)most[b], (char *)sum[b],
                                 (char *)factor[b], last};
                    ptrdiff_t s[] = {STEP, STEP, 1, 1, 1, STEP};
                    builds[b].row[RL_ROW_ATTENTION][dtype](ROWS, n, p, s, &a);
                    char *back[] = {(char *)x[b],   (char *)d[b],      mask, (char *)most[b],
                                    (char *)sum[b], (char *)factor[b], last};
                    ptrdiff_t t[] = {STEP, STEP, STEP, 1, 1, 1, STEP};
                    builds[b].row[RL_ROW_ATTENTION_BACKWARD][dtype](ROWS, n, back, t, &a);
                }
                for (int b = 1; b < n_builds; b++)
                    for (int r = 0; r < ROWS; r++) {
                        size_t at = (size_t)r * STEP * (dtype == RL_F32 ? 4 : 8);
                        if (!same(dtype, (char *)x[b] + at, (char *)x[0] + at, n) ||
                            !same(dtype, (char *)d[b] + at, (char *)d[0] + at, n) ||
                            !same(dtype, most[b], most[0], ROWS) ||
                            !same(dtype, sum[b], sum[0], ROWS) ||
                            !same(dtype, factor[b], factor[0], ROWS))
                            report("rows", "ATTENTION", dtype, builds[b].isa, n);
                    }
            }
    return true;
}

/* Softmax sums to 1, far from zero too; of -inf it is 0. */
static bool softmax(void)
{
    float x[] = {1000, 1001, -INFINITY, 999.5F}, y[4], sum = 0;
    char *p[] = {(char *)y, (char *)x};
    ptrdiff_t s[] = {4, 4};
    rl_kargs a = {.f = {0}};
    for (int b = 0; b < n_builds; b++) {
        builds[b].row[RL_ROW_SOFTMAX][RL_F32](1, 4, p, s, &a);
        sum = y[0] + y[1] + y[2] + y[3];
        CHECK(fabsf(sum - 1) <= 2 * FLT_EPSILON && y[2] == 0);
        CHECK(fabs(y[0] - 1 / (1 + exp(1) + exp(-0.5))) <= FLT_EPSILON);
    }
    return true;
}

int main(void)
{
    const char *const names[] = {"portable", "avx2", "avx512"};
    for (int i = 0; i < BUILDS; i++)
        n_builds += rl_kernels_fill(&builds[n_builds], names[i]);
    CHECK(n_builds > 0);
    RUN(complete);
    RUN(maps);
    RUN(reductions);
    RUN(sums);
    RUN(rows);
    RUN(layer_norms);
    RUN(norms);
    RUN(attention);
    RUN(softmax);
    return failures != 0;
}
