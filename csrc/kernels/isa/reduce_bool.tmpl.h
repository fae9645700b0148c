/* reduce_bool.tmpl.h: any and all.  Needs T and NAME(f). */

/* Whether some element is equal to zero (zero true) or not (zero false); looks no further than a
 * block past the first. */
static inline bool NAME(some)(size_t n, const char *x, ptrdiff_t stride, bool zero)
{
    for (size_t i = 0; i < n; i += 256) {
        size_t m = n - i < 256 ? n - i : 256;
        unsigned found = 0;
        if (stride == sizeof(T)) {
            const T *v = (const T *)x + i;
            for (size_t k = 0; k < m; k++)
                found |= (v[k] == 0) == zero;
        } else
            for (size_t k = 0; k < m; k++)
                found |= (*(const T *)(x + (ptrdiff_t)(i + k) * stride) == 0) == zero;
        if (found)
            return true;
    }
    return false;
}

static void NAME(ANY)(size_t no, size_t nr, const char *x, ptrdiff_t so, ptrdiff_t sr, char *y,
                      ptrdiff_t sy, const rl_kargs *a)
{
    for (size_t o = 0; o < no; o++, x += so, y += sy)
        *(uint8_t *)y = NAME(some)(nr, x, sr, false);
}

static void NAME(ALL)(size_t no, size_t nr, const char *x, ptrdiff_t so, ptrdiff_t sr, char *y,
                      ptrdiff_t sy, const rl_kargs *a)
{
    for (size_t o = 0; o < no; o++, x += so, y += sy)
        *(uint8_t *)y = !NAME(some)(nr, x, sr, true);
}
