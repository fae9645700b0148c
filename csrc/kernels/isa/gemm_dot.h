/* gemm_dot.h: rule 2 of kernels/gemm.h: up to three rows of A against many columns of B, all
 * contiguous along k.
 *
 * 16 columns of C at a time: first their lane sums (64 bytes each: STEPS vectors), four columns in
 * registers at once; then 16 lane sums become 16 numbers; then start value and rectifier, a vector
 * at a time. */

/* out[j] = the lanes of sum j, added by halves: l + (l + 8), l + (l + 4), l + (l + 2), l + (l + 1).
 */
#if LANES_f32 == 16

static void fold_f32(const __m512 *sum, float *out)
{
    /* Each step folds two registers into one, so that halves of the lanes are added while the count
     * of registers halves. The last line's order of columns is undone by the order in which they
     * enter. */
    static const int from[16] = {0, 2, 1, 3, 8, 10, 9, 11, 4, 6, 5, 7, 12, 14, 13, 15};
    __m512 r[16];
    UNROLL(16)
    for (int i = 0; i < 16; i++)
        r[from[i]] = sum[i];
    UNROLL(8)
    for (int i = 0; i < 8; i++)
        r[i] = _mm512_add_ps(_mm512_shuffle_f32x4(r[i], r[i + 8], 0x44),
                             _mm512_shuffle_f32x4(r[i], r[i + 8], 0xee));
    UNROLL(4)
    for (int i = 0; i < 4; i++)
        r[i] = _mm512_add_ps(_mm512_shuffle_f32x4(r[i], r[i + 4], 0x88),
                             _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd));
    UNROLL(2)
    for (int i = 0; i < 2; i++) {
        __m512d a = _mm512_castps_pd(r[i]), b = _mm512_castps_pd(r[i + 2]);
        r[i] = _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(a, b)),
                             _mm512_castpd_ps(_mm512_unpackhi_pd(a, b)));
    }
    _mm512_storeu_ps(out, _mm512_add_ps(_mm512_shuffle_ps(r[0], r[1], 0x88),
                                        _mm512_shuffle_ps(r[0], r[1], 0xdd)));
}

#elif LANES_f32 == 8

static void fold_f32(const __m256 *sum, float *out)
{
    static const int from[8] = {0, 2, 1, 3, 4, 6, 5, 7};
    for (int half = 0; half < 2; half++, sum += 16, out += 8) {
        __m256 r[8];
        UNROLL(8)
        for (int i = 0; i < 8; i++)
            r[from[i]] = _mm256_add_ps(sum[2 * i], sum[2 * i + 1]);
        UNROLL(4)
        for (int i = 0; i < 4; i++)
            r[i] = _mm256_add_ps(_mm256_permute2f128_ps(r[i], r[i + 4], 0x20),
                                 _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
        UNROLL(2)
        for (int i = 0; i < 2; i++) {
            __m256d a = _mm256_castps_pd(r[i]), b = _mm256_castps_pd(r[i + 2]);
            r[i] = _mm256_add_ps(_mm256_castpd_ps(_mm256_unpacklo_pd(a, b)),
                                 _mm256_castpd_ps(_mm256_unpackhi_pd(a, b)));
        }
        _mm256_storeu_ps(out, _mm256_add_ps(_mm256_shuffle_ps(r[0], r[1], 0x88),
                                            _mm256_shuffle_ps(r[0], r[1], 0xdd)));
    }
}

#else

static void fold_f32(const vf32 *sum, float *out)
{
    for (int j = 0; j < 16; j++) {
        float lane[16];
        memcpy(lane, sum + j * (16 / LANES_f32), sizeof lane);
        for (int half = 8; half > 0; half /= 2)
            for (int l = 0; l < half; l++)
                lane[l] += lane[l + half];
        out[j] = lane[0];
    }
}

#endif

#if RL_HAS_F64
static void fold_f64(const vf64 *sum, double *out)
{
    for (int j = 0; j < 16; j++) {
        double lane[8];
        memcpy(lane, sum + j * (8 / LANES_f64), sizeof lane);
        for (int half = 4; half > 0; half /= 2)
            for (int l = 0; l < half; l++)
                lane[l] += lane[l + half];
        out[j] = lane[0];
    }
}
#endif

/* sum[i][j]: lane sums of row i (i < M) and column j (j < 4) of B, columns from n on repeat the
 * last one. */
#define DOT(S, T)                                                                                  \
    enum { STEPS_##S = 64 / sizeof(v##S) };                                                        \
    typedef v##S sums_##S[16][STEPS_##S];                                                          \
    RL_INLINE void dot4_##S(const int M, int64_t k, const char *a, ptrdiff_t rsa, const char *b,   \
                            ptrdiff_t csb, int64_t n, sums_##S *sum, int at)                       \
    {                                                                                              \
        const char *col[4] = {b, b + (n > 1 ? 1 : 0) * csb, b + (n > 2 ? 2 : n - 1) * csb,         \
                              b + (n > 3 ? 3 : n - 1) * csb};                                      \
        v##S acc[3][4][STEPS_##S];                                                                 \
        UNROLL(3)                                                                                  \
        for (int i = 0; i < M; i++)                                                                \
            UNROLL(4)                                                                              \
        for (int j = 0; j < 4; j++)                                                                \
            UNROLL(8) for (int s = 0; s < STEPS_##S; s++) acc[i][j][s] = zero_##S();               \
        int64_t bytes = k * (int64_t)sizeof(T), p = 0;                                             \
        for (; p + 64 <= bytes; p += 64)                                                           \
            UNROLL(8) for (int s = 0; s < STEPS_##S; s++) UNROLL(4) for (int j = 0; j < 4; j++)    \
            {                                                                                      \
                ptrdiff_t o = p + s * (int)sizeof(v##S);                                           \
                v##S y = load_all_##S(col[j] + o);                                                 \
                UNROLL(3)                                                                          \
                for (int i = 0; i < M; i++)                                                        \
                    acc[i][j][s] = fma_##S(load_all_##S(a + i * rsa + o), y, acc[i][j][s]);        \
            }                                                                                      \
        if (p < bytes)                                                                             \
            UNROLL(8) for (int s = 0; s < STEPS_##S; s++)                                          \
            {                                                                                      \
                ptrdiff_t o = p + s * (int)sizeof(v##S);                                           \
                mask_##S m = mask_to_##S((bytes - o) / (int64_t)sizeof(T));                        \
                UNROLL(4) for (int j = 0; j < 4; j++)                                              \
                {                                                                                  \
                    v##S y = load_##S(col[j] + o, m);                                              \
                    UNROLL(3)                                                                      \
                    for (int i = 0; i < M; i++)                                                    \
                        acc[i][j][s] = fma_##S(load_##S(a + i * rsa + o, m), y, acc[i][j][s]);     \
                }                                                                                  \
            }                                                                                      \
        UNROLL(3)                                                                                  \
        for (int i = 0; i < M; i++)                                                                \
            UNROLL(4)                                                                              \
        for (int j = 0; j < 4; j++)                                                                \
            UNROLL(8) for (int s = 0; s < STEPS_##S; s++) sum[i][at + j][s] = acc[i][j][s];        \
    }                                                                                              \
    static void dot_##S(int64_t m, int64_t n, int64_t k, const char *a, ptrdiff_t rsa,             \
                        const char *b, ptrdiff_t csb, char *c, ptrdiff_t ldc, ptrdiff_t csc,       \
                        const char *bias, unsigned flags)                                          \
    {                                                                                              \
        sums_##S sum[RL_GEMM_THIN];                                                                \
        for (int64_t j0 = 0; j0 < n; j0 += 16) {                                                   \
            int64_t nj = n - j0 < 16 ? n - j0 : 16;                                                \
            for (int64_t j = 0; j < nj; j += 4, b += 4 * csb) {                                    \
                if (m == 1)                                                                        \
                    dot4_##S(1, k, a, rsa, b, csb, nj - j, sum, (int)j);                           \
                else if (m == 2)                                                                   \
                    dot4_##S(2, k, a, rsa, b, csb, nj - j, sum, (int)j);                           \
                else                                                                               \
                    dot4_##S(3, k, a, rsa, b, csb, nj - j, sum, (int)j);                           \
            }                                                                                      \
            for (int64_t i = 0; i < m && nj <= 12;                                                 \
                 i++) /* columns that do not exist: any numbers */                                 \
                memset(sum[i][(nj + 3) & ~3], 0,                                                   \
                       (size_t)(16 - ((nj + 3) & ~3)) * sizeof sum[0][0]);                         \
            for (int64_t i = 0; i < m; i++) {                                                      \
                T y[16];                                                                           \
                fold_##S(&sum[i][0][0], y);                                                        \
                char *to = c + i * ldc + j0 * csc;                                                 \
                if (csc != sizeof(T) && flags) {                                                   \
                    for (int64_t j = 0; j < nj; j++) {                                             \
                        T *e = (T *)(to + j * csc);                                                \
                        if (flags & RL_GEMM_BIAS)                                                  \
                            y[j] = ((const T *)bias)[j0 + j] + y[j];                               \
                        else if (flags & RL_GEMM_C)                                                \
                            y[j] = *e + y[j];                                                      \
                        if (flags & RL_GEMM_RELU)                                                  \
                            y[j] = y[j] < 0 ? 0 : y[j];                                            \
                    }                                                                              \
                }                                                                                  \
                if (csc != sizeof(T)) {                                                            \
                    for (int64_t j = 0; j < nj; j++)                                               \
                        *(T *)(to + j * csc) = y[j];                                               \
                    continue;                                                                      \
                }                                                                                  \
                for (int64_t j = 0; j < nj; j += LANES_##S) {                                      \
                    mask_##S some = mask_to_##S(nj - j);                                           \
                    v##S x = load_all_##S(y + j);                                                  \
                    if (flags & RL_GEMM_BIAS)                                                      \
                        x = add_##S(load_##S((const T *)bias + j0 + j, some), x);                  \
                    else if (flags & RL_GEMM_C)                                                    \
                        x = add_##S(load_##S((const T *)to + j, some), x);                         \
                    if (flags & RL_GEMM_RELU)                                                      \
                        x = relu_##S(x);                                                           \
                    store_##S((T *)to + j, some, x);                                               \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }

DOT(f32, float)
#if RL_HAS_F64
DOT(f64, double)
#endif
#undef DOT
