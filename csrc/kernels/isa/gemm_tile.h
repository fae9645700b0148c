/* gemm_tile.h: the register tile, included once for float32 (S = f32) and once for float64 (S =
 * f64).
 *
 * tile() computes R rows by W vectors of C in R * W registers: per step along k it loads W vectors
 * of B, broadcasts R elements of A and does R * W fused multiply-adds.  A may lie in either order,
 * so it needs no packing for the kernel's sake.  Addresses of A: one pointer per four rows, offsets
 * 0, 1, 2 and 3 row strides from it, since x86 adds an index register in the load for free but runs
 * out of registers with one pointer per row. */

#define CAT_(a, b) a##b
#define CAT(a, b) CAT_(a, b)
#define F(name) CAT(name##_, S) /* load -> load_f32 */
#define VEC CAT(v, S)
#define LANES CAT(LANES_, S)

/* R and W are compile-time constants wherever this is called. */
RL_INLINE void F(tile)(const int R, const int W, int64_t k, const char *a, ptrdiff_t rsa,
                       ptrdiff_t csa, const char *b, ptrdiff_t rsb, char *c, ptrdiff_t ldc,
                       int64_t n, const char *bias, unsigned flags)
{
    VEC acc[24];
    F(mask) mask[4];
    const char *row[6];
    ptrdiff_t rsa3 = 3 * rsa;

    UNROLL(4)
    for (int w = 0; w < W; w++)
        mask[w] = F(mask_to)(n - w * LANES);
    UNROLL(6)
    for (int i = 0; i < (R + 3) / 4; i++)
        row[i] = a + 4 * i * rsa;

    UNROLL(24)
    for (int i = 0; i < R * W; i++)
        acc[i] = F(zero)();
    if (k > 32) {
        char *at = c;
        UNROLL(24)
        for (int i = 0; i < R; i++, at += ldc)
            __builtin_prefetch(at, 1);
    }

#define STEP(LOAD_B)                                                                               \
    {                                                                                              \
        VEC bv[4];                                                                                 \
        UNROLL(4) for (int w = 0; w < W; w++) bv[w] = LOAD_B(w);                                   \
        b += rsb;                                                                                  \
        UNROLL(24) for (int i = 0; i < R; i++)                                                     \
        {                                                                                          \
            const char *r = row[i / 4];                                                            \
            VEC x = F(set1)(i % 4 == 0 ? r : i % 4 == 3 ? r + rsa3 : r + (i % 4) * rsa);           \
            UNROLL(4)                                                                              \
            for (int w = 0; w < W; w++)                                                            \
                acc[i * W + w] = F(fma)(x, bv[w], acc[i * W + w]);                                 \
        }                                                                                          \
        UNROLL(6) for (int i = 0; i < (R + 3) / 4; i++) row[i] += csa;                             \
    }
#define LOAD_ALL(w) F(load_all)(b + w * (int)sizeof(VEC))
#define LOAD_MASKED(w) F(load)(b + w * (int)sizeof(VEC), mask[w])
    /* One loop for the narrow tiles of the edges, where AVX-512 masks for nothing. */
    if ((W > 1 || RL_VECTOR_BYTES < 64) && n == W * LANES) {
        /* One step only: with two, GCC 12 spills an accumulator of the 6 x 2 tile on 16 registers.
         */
        for (int64_t p = 0; p < k; p++)
            STEP(LOAD_ALL)
    } else {
        for (int64_t p = 0; p < k; p++)
            STEP(LOAD_MASKED)
    }
#undef LOAD_ALL
#undef LOAD_MASKED
#undef STEP

    /* Hides from the compiler that these are the addresses from above: else it computes all of them
     * at the start and keeps them on the stack, which costs a short product half of its time. */
    __asm__("" : "+r"(ldc));
    if (flags & RL_GEMM_BIAS) {
        UNROLL(4)
        for (int w = 0; w < W; w++) {
            VEC start = F(load)(bias + w * (int)sizeof(VEC), mask[w]);
            UNROLL(24)
            for (int i = 0; i < R; i++)
                acc[i * W + w] = F(add)(start, acc[i * W + w]);
        }
    } else if (flags & RL_GEMM_C) {
        char *at = c;
        UNROLL(24)
        for (int i = 0; i < R; i++, at += ldc)
            UNROLL(4)
        for (int w = 0; w < W; w++)
            acc[i * W + w] = F(add)(F(load)(at + w * (int)sizeof(VEC), mask[w]), acc[i * W + w]);
        __asm__("" : "+r"(ldc));
    }
    if (flags & RL_GEMM_RELU) {
        UNROLL(24)
        for (int i = 0; i < R * W; i++)
            acc[i] = F(relu)(acc[i]);
    }
    if (n == W * LANES) {
        UNROLL(24)
        for (int i = 0; i < R; i++, c += ldc)
            UNROLL(4)
        for (int w = 0; w < W; w++)
            F(store_all)(c + w * (int)sizeof(VEC), acc[i * W + w]);
    } else {
        UNROLL(24)
        for (int i = 0; i < R; i++, c += ldc)
            UNROLL(4)
        for (int w = 0; w < W; w++)
            F(store)(c + w * (int)sizeof(VEC), mask[w], acc[i * W + w]);
    }
}

/* A kernel per number of rows. */
#define TILE(R, W)                                                                                 \
    static void F(tile_##R##x##W)(int64_t k, const char *a, ptrdiff_t rsa, ptrdiff_t csa,          \
                                  const char *b, ptrdiff_t rsb, char *c, ptrdiff_t ldc, int64_t n, \
                                  const char *bias, unsigned flags)                                \
    {                                                                                              \
        F(tile)(R, W, k, a, rsa, csa, b, rsb, c, ldc, n, bias, flags);                             \
    }
#define ENTRY(R, W) F(tile_##R##x##W),

#if LANES_f32 == 16 /* 32 registers */
#define ROWS_1(X)                                                                                  \
    X(1, 1)                                                                                        \
    X(2, 1)                                                                                        \
    X(3, 1)                                                                                        \
    X(4, 1)                                                                                        \
    X(5, 1)                                                                                        \
    X(6, 1)                                                                                        \
    X(7, 1)                                                                                        \
    X(8, 1)                                                                                        \
    X(9, 1)                                                                                        \
    X(10, 1)                                                                                       \
    X(11, 1)                                                                                       \
    X(12, 1)                                                                                       \
    X(13, 1)                                                                                       \
    X(14, 1)                                                                                       \
    X(15, 1)                                                                                       \
    X(16, 1)
#define ROWS_2(X)                                                                                  \
    X(1, 2)                                                                                        \
    X(2, 2)                                                                                        \
    X(3, 2)                                                                                        \
    X(4, 2)                                                                                        \
    X(5, 2)                                                                                        \
    X(6, 2)                                                                                        \
    X(7, 2)                                                                                        \
    X(8, 2)                                                                                        \
    X(9, 2)                                                                                        \
    X(10, 2)                                                                                       \
    X(11, 2)                                                                                       \
    X(12, 2)
#define ROWS_4(X)                                                                                  \
    X(1, 4)                                                                                        \
    X(2, 4)                                                                                        \
    X(3, 4)                                                                                        \
    X(4, 4)                                                                                        \
    X(5, 4)                                                                                        \
    X(6, 4)
#elif LANES_f32 == 8 /* 16 registers */
#define ROWS_1(X)                                                                                  \
    X(1, 1)                                                                                        \
    X(2, 1)                                                                                        \
    X(3, 1)                                                                                        \
    X(4, 1)                                                                                        \
    X(5, 1)                                                                                        \
    X(6, 1)                                                                                        \
    X(7, 1)                                                                                        \
    X(8, 1)                                                                                        \
    X(9, 1)                                                                                        \
    X(10, 1)
#define ROWS_2(X)                                                                                  \
    X(1, 2)                                                                                        \
    X(2, 2)                                                                                        \
    X(3, 2)                                                                                        \
    X(4, 2)                                                                                        \
    X(5, 2)                                                                                        \
    X(6, 2)
#define ROWS_4(X)                                                                                  \
    X(1, 4)                                                                                        \
    X(2, 4)                                                                                        \
    X(3, 4)
#else /* every fma may be a call: small code rather than wide tiles */
#define ROWS_1(X)                                                                                  \
    X(1, 1)                                                                                        \
    X(2, 1)
#define ROWS_2(X) X(1, 2)
#define ROWS_4(X) X(1, 4)
#endif

ROWS_1(TILE)
ROWS_2(TILE)
ROWS_4(TILE)
static rl_gemm_tile_fn *const F(tiles_1)[] = {ROWS_1(ENTRY)};
static rl_gemm_tile_fn *const F(tiles_2)[] = {ROWS_2(ENTRY)};
static rl_gemm_tile_fn *const F(tiles_4)[] = {ROWS_4(ENTRY)};

#undef TILE
#undef ENTRY
#undef ROWS_1
#undef ROWS_2
#undef ROWS_4
#undef LANES
#undef VEC
#undef F
#undef CAT
#undef CAT_
#undef S
