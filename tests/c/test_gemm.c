/* Matrix products: every instruction set and thread count gives the bits that the three rules
 * in kernels/gemm.h define, written out plainly here, and these are as near to the exact product as
 * the rounding of each step allows. */
#include "check.h"
#include "kernels/gemm.h"
#include "kernels/kernels.h"

/* ---- the definition, element by element ---- */

static bool is_dot(const rl_gemm_args *g)
{
    bool along_k = g->csa == 1 && g->rsb == 1;
    bool thin = g->n <= RL_GEMM_THIN || (g->m <= RL_GEMM_THIN && g->k > RL_GEMM_SHORT);
    return along_k && thin && g->k > 1;
}

static bool is_short(const rl_gemm_args *g)
{
    return g->dtype == RL_F32 && !is_dot(g) && g->csa == 1 && g->rsb == 1 && g->m <= RL_GEMM_THIN &&
           g->k > 1;
}

#define DEFINE(S, T, FMA, LANES, BITS)                                                             \
    static T chain_##S(const rl_gemm_args *g, int64_t i, int64_t j, T s, int64_t from, int64_t to) \
    {                                                                                              \
        const T *a = (const T *)g->a + i * g->rsa, *b = (const T *)g->b + j * g->csb;              \
        for (int64_t p = from; p < to; p++)                                                        \
            s = FMA(a[p * g->csa], b[p * g->rsb], s);                                              \
        return s;                                                                                  \
    }                                                                                              \
    static T lanes_##S(const rl_gemm_args *g, int64_t i, int64_t j, int64_t from, int64_t to)      \
    {                                                                                              \
        const T *a = (const T *)g->a + i * g->rsa, *b = (const T *)g->b + j * g->csb;              \
        T lane[LANES] = {0};                                                                       \
        for (int64_t p = from; p < to; p += LANES)                                                 \
            for (int64_t l = 0; l < LANES; l++)                                                    \
                lane[l] = FMA(p + l < to ? a[p + l] : 0, p + l < to ? b[p + l] : 0, lane[l]);      \
        for (int half = LANES / 2; half > 0; half /= 2)                                            \
            for (int l = 0; l < half; l++)                                                         \
                lane[l] += lane[l + half];                                                         \
        return lane[0];                                                                            \
    }                                                                                              \
    static T few_lanes_##S(const rl_gemm_args *g, int64_t i, int64_t j)                            \
    {                                                                                              \
        const T *a = (const T *)g->a + i * g->rsa, *b = (const T *)g->b + j * g->csb;              \
        T lane[8] = {0};                                                                           \
        for (int64_t p = 0; p < g->k; p++)                                                         \
            lane[p % 8] = FMA(a[p], b[p], lane[p % 8]);                                            \
        return ((lane[0] + lane[1]) + (lane[2] + lane[3])) +                                       \
               ((lane[4] + lane[5]) + (lane[6] + lane[7]));                                        \
    }                                                                                              \
    static T element_##S(const rl_gemm_args *g, int64_t i, int64_t j, T start, bool starts)        \
    {                                                                                              \
        T s = start;                                                                               \
        if (is_dot(g)) {                                                                           \
            for (int64_t p = 0; p < g->k; p += RL_GEMM_DOT_KC) {                                   \
                int64_t to = p + RL_GEMM_DOT_KC < g->k ? p + RL_GEMM_DOT_KC : g->k;                \
                T sum = lanes_##S(g, i, j, p, to);                                                 \
                s = p || starts ? s + sum : sum;                                                   \
            }                                                                                      \
        } else if (is_short(g)) {                                                                  \
            T sum = few_lanes_##S(g, i, j);                                                        \
            s = starts ? s + sum : sum;                                                            \
        } else if (g->k) {                                                                         \
            int64_t kc = g->k <= 192 ? g->k : g->k <= 384 ? g->k / 2 : 192;                        \
            for (int64_t p = 0; p < g->k; p += kc) {                                               \
                T sum = chain_##S(g, i, j, 0, p, p + kc < g->k ? p + kc : g->k);                   \
                s = p || starts ? s + sum : sum;                                                   \
            }                                                                                      \
        }                                                                                          \
        return g->flags & RL_GEMM_RELU && s < 0 ? 0 : s;                                           \
    }                                                                                              \
    /* |computed - exact| <= gamma(k + 3) (|start| + sum |a| |b|): Higham, Accuracy and Stability  \
     * of Numerical Algorithms, section 3.1, for any order of at most k + 3 roundings. */          \
    static bool near_##S(const rl_gemm_args *g, int64_t i, int64_t j, T start, T got)              \
    {                                                                                              \
        const T *a = (const T *)g->a + i * g->rsa, *b = (const T *)g->b + j * g->csb;              \
        long double exact = start, size = fabsl((long double)start);                               \
        for (int64_t p = 0; p < g->k; p++) {                                                       \
            long double x = (long double)a[p * g->csa] * b[p * g->rsb];                            \
            exact += x;                                                                            \
            size += fabsl(x);                                                                      \
        }                                                                                          \
        if (g->flags & RL_GEMM_RELU && exact < 0)                                                  \
            exact = 0;                                                                             \
        long double u = ldexpl(1, -BITS), n = (long double)g->k + 3;                               \
        return fabsl(exact - (long double)got) <= n * u / (1 - n * u) * size;                      \
    }

DEFINE(f32, float, fmaf, 16, 24)
DEFINE(f64, double, fma, 8, 53)

/* ---- cases ---- */

static uint32_t state = 1;
static uint32_t draw(uint32_t below)
{
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % below;
}

/* Exactly as many bytes as the matrix reaches over, so that a sanitizer sees a step outside. */
static void *random_values(rl_dtype dtype, int64_t n)
{
    void *p = malloc((size_t)(n > 0 ? n : 1) * rl_dtype_size(dtype));
    for (int64_t i = 0; p && i < n; i++) {
        double x = (double)draw(1 << 20) / (1 << 19) - 1;
        if (dtype == RL_F32)
            ((float *)p)[i] = (float)x;
        else if (dtype == RL_F64)
            ((double *)p)[i] = x / 3;
        else if (dtype == RL_I64)
            ((int64_t *)p)[i] = (int64_t)(x * 1e12);
        else
            ((int8_t *)p)[i] = (int8_t)(x * 120);
    }
    return p;
}

static int64_t reach(int64_t rows, int64_t cols, int64_t rs, int64_t cs)
{
    return rows && cols ? (rows - 1) * rs + (cols - 1) * cs + 1 : 0;
}

/* Strides of a (rows, cols) matrix: 0 row-major, 1 column-major, 2 rows with gaps, 3 every second
 * element. */
static void layout(int kind, int64_t rows, int64_t cols, int64_t *rs, int64_t *cs)
{
    *rs = kind == 1 ? 1 : kind == 2 ? cols + 5 : kind == 3 ? 2 * cols : cols;
    *cs = kind == 1 ? rows : kind == 3 ? 2 : 1;
}

static const char *const isas[] = {"portable", "avx2", "avx512"};
static rl_kernels original;

/* One product on every instruction set, on 1 and on 3 threads. */
static bool product(rl_dtype dtype, int64_t m, int64_t n, int64_t k, int la, int lb, unsigned flags,
                    int64_t gap)
{
    rl_gemm_args g = {.dtype = dtype, .m = m, .n = n, .k = k, .ldc = n + gap, .flags = flags};
    layout(la, m, k, &g.rsa, &g.csa);
    layout(lb, k, n, &g.rsb, &g.csb);
    size_t size = rl_dtype_size(dtype), bytes = (size_t)reach(m, n, g.ldc, 1) * size;
    void *a = random_values(dtype, reach(m, k, g.rsa, g.csa));
    void *b = random_values(dtype, reach(k, n, g.rsb, g.csb));
    void *bias = random_values(dtype, n), *start = random_values(dtype, reach(m, n, g.ldc, 1));
    char *should = malloc(bytes + 1), *c = malloc(bytes + 1);
    g.a = a, g.b = b, g.bias = bias;
    memcpy(should, start, bytes);
    bool all_near = true, all_same = true, memory = true;
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            size_t at = (size_t)(i * g.ldc + j);
            bool starts = flags & (RL_GEMM_BIAS | RL_GEMM_C);
            if (dtype == RL_F32) {
                float s = flags & RL_GEMM_BIAS ? ((float *)bias)[j]
                          : flags & RL_GEMM_C  ? ((float *)start)[at]
                                               : 0;
                float y = element_f32(&g, i, j, s, starts);
                ((float *)should)[at] = y;
                all_near &= near_f32(&g, i, j, s, y);
            } else {
                double s = flags & RL_GEMM_BIAS ? ((double *)bias)[j]
                           : flags & RL_GEMM_C  ? ((double *)start)[at]
                                                : 0;
                double y = element_f64(&g, i, j, s, starts);
                ((double *)should)[at] = y;
                all_near &= near_f64(&g, i, j, s, y);
            }
        }
    for (size_t isa = 0; isa < sizeof isas / sizeof *isas; isa++) {
        rl_kernels table;
        if (!rl_kernels_fill(&table, isas[isa]))
            continue;
        rl_kernel_table = table;
        for (int threads = 1; threads <= 3; threads += 2) {
            if (threads > 1 && (double)m * (double)n * (double)k < 1e6)
                continue;
            rl_set_num_threads(threads);
            memcpy(c, start, bytes);
            g.c = c;
            memory &= rl_gemm(&g) == RL_OK;
            bool same = !memcmp(c, should, bytes); /* the gaps between rows too */
            if (!same && memory)
                printf("%s, %d threads: %s (%lld, %lld, %lld), layouts %d and %d, flags %u\n",
                       isas[isa], threads, rl_dtype_name(dtype), (long long)m, (long long)n,
                       (long long)k, la, lb, flags);
            all_same &= same;
        }
    }
    rl_kernel_table = original;
    rl_set_num_threads(1);
    if (memory) {
        CHECK(all_near);
        CHECK(all_same);
    }
    free(a), free(b), free(bias), free(start), free(should), free(c);
    return memory;
}

static unsigned some_flags(void)
{
    static const unsigned start[] = {RL_GEMM_ZERO, RL_GEMM_BIAS, RL_GEMM_C};
    return start[draw(3)] | (draw(3) ? 0 : RL_GEMM_RELU);
}

static bool edges(void)
{
    static const int64_t rows[] = {1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 17, 25, 37};
    static const int64_t cols[] = {1, 2, 3, 4, 5, 8, 9, 15, 16, 17, 31, 32, 33, 48, 63, 65, 130};
    static const int64_t inner[] = {0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 20, 33, 64, 65, 100};
    state = 1;
    for (int i = 0; i < 1500; i++)
        product(draw(3) ? RL_F32 : RL_F64, rows[draw(13)], cols[draw(17)], inner[draw(16)],
                (int)draw(4), (int)draw(4), some_flags(), draw(2) * 3);
    return true;
}

static bool blocks_along_k(void)
{
    state = 2;
    for (int i = 0; i < 24; i++) {
        static const int64_t inner[] = {192, 193, 384, 577, 1200, 16384, 16385, 40000};
        int64_t k = inner[i % 8], most = k > 2000 ? 4 : 20;
        product(i % 5 ? RL_F32 : RL_F64, 1 + draw((uint32_t)most), 1 + draw((uint32_t)most), k,
                (int)draw(4), (int)draw(4), some_flags(), 0);
    }
    return true;
}

/* Large enough for packing, for several threads and for their shares to end within tiles. */
static bool large(void)
{
    state = 3;
    for (int la = 0; la < 2; la++)
        for (int lb = 0; lb < 2; lb++) {
            bool done = product(RL_F32, 131, 75 + 32 * la, 400, la, lb, some_flags(), 0) &&
                        product(RL_F64, 70, 130, 150 + la, la, lb, some_flags(), 0);
            if (!done) {
                CHECK(rl_error_code() == RL_EMEMORY);
                return false;
            }
        }
    /* The transposed way: few rows, many columns of a weight that lies (n, k). */
    return product(RL_F32, 32, 256, 500, 0, 1, RL_GEMM_BIAS | RL_GEMM_RELU, 0) &&
           product(RL_F32, 48, 208, 130, 2, 1, RL_GEMM_ZERO, 3) &&
           product(RL_F32, 16, 64, 128, 0, 1, RL_GEMM_BIAS, 0) &&
           product(RL_F32, 520, 130, 40, 0, 1, RL_GEMM_BIAS, 0) &&
           product(RL_F32, 60, 256, 512, 0, 0, 0, 0) &&
           /* Rows of A that clash in the cache; more columns of B than are packed at a time. */
           product(RL_F32, 49, 33, 1024, 0, 1, RL_GEMM_BIAS, 0) &&
           product(RL_F64, 49, 17, 512, 0, 0, RL_GEMM_C, 0) &&
           product(RL_F32, 49, 514, 65, 0, 1, RL_GEMM_BIAS | RL_GEMM_RELU, 0) &&
           product(RL_F32, 2, 3000, 400, 0, 1, RL_GEMM_BIAS | RL_GEMM_RELU, 0);
}

static bool special_values(void)
{
    float a[2] = {INFINITY, 1}, b[2] = {0, 1}, c = 0;
    rl_gemm_args g = {.dtype = RL_F32,
                      .m = 1,
                      .n = 1,
                      .k = 2,
                      .a = a,
                      .b = b,
                      .rsa = 2,
                      .csa = 1,
                      .rsb = 1,
                      .csb = 2,
                      .c = &c,
                      .ldc = 1,
                      .flags = RL_GEMM_RELU};
    CHECK(rl_gemm(&g) == RL_OK && isnan(c)); /* the rectifier keeps nan */
    g.k = 0;
    CHECK(rl_gemm(&g) == RL_OK && c == 0);
    g.m = 0;
    c = 5;
    CHECK(rl_gemm(&g) == RL_OK && c == 5);
    return true;
}

static bool batches(void)
{
    state = 4;
    enum { M = 5, N = 7, K = 6, COUNT = 9 };
    float *a = random_values(RL_F32, COUNT * M * K), *b = random_values(RL_F32, N * K);
    float c[COUNT][M][N], one[M][N];
    rl_gemm_args g = {.dtype = RL_F32,
                      .m = M,
                      .n = N,
                      .k = K,
                      .a = a,
                      .b = b,
                      .rsa = K,
                      .csa = 1,
                      .rsb = 1,
                      .csb = K,
                      .c = c,
                      .ldc = N};
    CHECK(rl_gemm_batch(&g, COUNT, M * K, 0, M * N) == RL_OK);
    for (int i = 0; i < COUNT; i++) {
        g.a = a + i * M * K;
        g.c = one;
        CHECK(rl_gemm(&g) == RL_OK && !memcmp(one, c[i], sizeof one));
    }
    free(a), free(b);
    return true;
}

static bool integers(void)
{
    state = 5;
    for (int i = 0; i < 16; i++) {
        rl_dtype dtype = i % 2 ? RL_I64 : RL_I8;
        int64_t m = 4, n = 5, k = 9;
        rl_gemm_args g = {.dtype = dtype,
                          .m = m,
                          .n = n,
                          .k = k,
                          .ldc = n,
                          .flags = i % 3 ? RL_GEMM_ZERO : RL_GEMM_BIAS};
        layout(i / 4, m, k, &g.rsa, &g.csa);
        layout(i % 4, k, n, &g.rsb, &g.csb);
        void *a = random_values(dtype, reach(m, k, g.rsa, g.csa)),
             *b = random_values(dtype, reach(k, n, g.rsb, g.csb));
        void *bias = random_values(dtype, n);
        int64_t c[4 * 5];
        g.a = a, g.b = b, g.c = c, g.bias = bias;
        CHECK(rl_gemm(&g) == RL_OK);
        for (int64_t e = 0; e < m * n; e++) {
            uint64_t s = 0;
            for (int64_t p = 0; p < k; p++) {
                int64_t at = e / n * g.rsa + p * g.csa, bt = p * g.rsb + e % n * g.csb;
                s += i % 2 ? (uint64_t)((int64_t *)a)[at] * (uint64_t)((int64_t *)b)[bt]
                           : (uint64_t)(((int8_t *)a)[at] * ((int8_t *)b)[bt]);
            }
            if (i % 2)
                CHECK((uint64_t)c[e] == s + (i % 3 ? 0 : (uint64_t)((int64_t *)bias)[e % n]));
            else
                CHECK(((int8_t *)c)[e] ==
                      (int8_t)(s + (i % 3 ? 0 : (uint64_t)((int8_t *)bias)[e % n])));
        }
        free(a), free(b), free(bias);
    }
    return true;
}

int main(void)
{
    original = rl_kernel_table;
    RUN(edges);
    RUN(blocks_along_k);
    RUN(large);
    RUN(special_values);
    RUN(batches);
    RUN(integers);
    return failures != 0;
}
