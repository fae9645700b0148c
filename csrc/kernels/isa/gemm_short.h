/* gemm_short.h: rule 3 of kernels/gemm.h: up to three rows of A against many columns of B, float32,
 * all contiguous along a short k.
 *
 * Eight columns at a time: their lane sums (eight lanes each) in registers, four columns at once,
 * then eight lane sums become eight numbers. */

/* What C gets for the sum y of column j of one row. */
RL_INLINE float short_element(float y, const float *bias, const float *to, int64_t j,
                              unsigned flags)
{
    if (flags & RL_GEMM_BIAS)
        y = bias[j] + y;
    else if (flags & RL_GEMM_C)
        y = to[j] + y;
    return flags & RL_GEMM_RELU && y < 0 ? 0 : y;
}

#ifdef __AVX2__

/* sum[i][j]: lane sums of row i (i < M) and column j (j < 4) of B, columns from n on repeat the
 * last one (whole: there are none). */
RL_INLINE void short_sums(const int M, const bool whole, int64_t k, const char *a, ptrdiff_t rsa,
                          const char *b, ptrdiff_t csb, int64_t n, __m256i last, __m256 sum[3][8],
                          int at)
{
    const char *col[4] = {b, b + csb, b + 2 * csb, b + 3 * csb};
    UNROLL(4)
    for (int j = 1; j < 4 && !whole; j++)
        col[j] = b + (j < n ? j : n - 1) * csb;
    __m256 acc[3][4];
    UNROLL(3)
    for (int i = 0; i < M; i++)
        UNROLL(4)
    for (int j = 0; j < 4; j++)
        acc[i][j] = _mm256_setzero_ps();
    int64_t bytes = k * 4, p = 0;
#define LOAD(at) _mm256_loadu_ps((const float *)(at))
#define LOAD_LAST(at) _mm256_maskload_ps((const float *)(at), last)
#define STEP(LOAD)                                                                                 \
    UNROLL(4)                                                                                      \
    for (int j = 0; j < 4; j++) {                                                                  \
        __m256 y = LOAD(col[j] + p);                                                               \
        UNROLL(3)                                                                                  \
        for (int i = 0; i < M; i++)                                                                \
            acc[i][j] = _mm256_fmadd_ps(LOAD(a + i * rsa + p), y, acc[i][j]);                      \
    }
    for (; p + 32 <= bytes; p += 32)
        STEP(LOAD)
    if (p < bytes)
        STEP(LOAD_LAST)
#undef STEP
#undef LOAD_LAST
#undef LOAD
    UNROLL(3)
    for (int i = 0; i < M; i++)
        UNROLL(4)
    for (int j = 0; j < 4; j++)
        sum[i][at + j] = acc[i][j];
}

/* Neighbours within the vectors x and y. */
RL_INLINE __m256 add_pairs(__m256 x, __m256 y)
{
    return _mm256_add_ps(_mm256_shuffle_ps(x, y, 0x88), _mm256_shuffle_ps(x, y, 0xdd));
}

RL_INLINE __m256 short_fold(const __m256 *x)
{
    __m256 low = add_pairs(add_pairs(x[0], x[1]), add_pairs(x[2], x[3]));
    __m256 high = add_pairs(add_pairs(x[4], x[5]), add_pairs(x[6], x[7]));
    return _mm256_add_ps(_mm256_permute2f128_ps(low, high, 0x20),
                         _mm256_permute2f128_ps(low, high, 0x31));
}

RL_INLINE void short_rows(const int M, int64_t n, int64_t k, const char *a, ptrdiff_t rsa,
                          const char *b, ptrdiff_t csb, char *c, ptrdiff_t ldc, const float *bias,
                          unsigned flags)
{
    __m256i last = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(k % 8)),
                                      _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    __m256 sum[3][8];
    int64_t j = 0;
    for (; j + 8 <= n; j += 8, b += 8 * csb) {
        short_sums(M, true, k, a, rsa, b, csb, 4, last, sum, 0);
        short_sums(M, true, k, a, rsa, b + 4 * csb, csb, 4, last, sum, 4);
        UNROLL(3)
        for (int i = 0; i < M; i++) {
            float *to = (float *)(c + i * ldc) + j;
            __m256 y = short_fold(sum[i]);
            if (flags & RL_GEMM_BIAS)
                y = _mm256_add_ps(_mm256_loadu_ps(bias + j), y);
            else if (flags & RL_GEMM_C)
                y = _mm256_add_ps(_mm256_loadu_ps(to), y);
            if (flags & RL_GEMM_RELU)
                y = _mm256_max_ps(_mm256_setzero_ps(), y);
            _mm256_storeu_ps(to, y);
        }
    }
    if (j == n)
        return;
    short_sums(M, false, k, a, rsa, b, csb, n - j, last, sum, 0);
    if (n - j > 4)
        b += 4 * csb;
    short_sums(M, false, k, a, rsa, b, csb, n - j > 4 ? n - j - 4 : n - j, last, sum, 4);
    for (int i = 0; i < M; i++) {
        float *to = (float *)(c + i * ldc), some[8];
        _mm256_storeu_ps(some, short_fold(sum[i]));
        for (int64_t e = j; e < n; e++)
            to[e] = short_element(some[e - j], bias, to, e, flags);
    }
}

#else

RL_INLINE void short_rows(int64_t m, int64_t n, int64_t k, const char *a, ptrdiff_t rsa,
                          const char *b, ptrdiff_t csb, char *c, ptrdiff_t ldc, const float *bias,
                          unsigned flags)
{
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            const float *x = (const float *)(a + i * rsa), *y = (const float *)(b + j * csb);
            float lane[8] = {0}, *to = (float *)(c + i * ldc);
            for (int64_t p = 0; p < k; p++)
                lane[p % 8] = fmaf(x[p], y[p], lane[p % 8]);
            for (int count = 4; count > 0; count /= 2)
                for (int l = 0; l < count; l++)
                    lane[l] = lane[2 * l] + lane[2 * l + 1];
            to[j] = short_element(lane[0], bias, to, j, flags);
        }
}

#endif

static void short_f32(int64_t m, int64_t n, int64_t k, const char *a, ptrdiff_t rsa, const char *b,
                      ptrdiff_t csb, char *c, ptrdiff_t ldc, const char *bias, unsigned flags)
{
    const float *start = (const float *)bias;
#ifdef __AVX2__
    if (m == 1)
        short_rows(1, n, k, a, rsa, b, csb, c, ldc, start, flags);
    else if (m == 2)
        short_rows(2, n, k, a, rsa, b, csb, c, ldc, start, flags);
    else
        short_rows(3, n, k, a, rsa, b, csb, c, ldc, start, flags);
#else
    short_rows(m, n, k, a, rsa, b, csb, c, ldc, start, flags);
#endif
}
