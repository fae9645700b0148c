/* attention.tmpl.h: what happens to a tile of attention scores between its matrix products; see
 * kernels/row_list.h for the arguments.  Part of row.tmpl.h, in whose terms it is written.
 *
 * Rows of a tile lie a multiple of LANES apart and may be written up to there: whole vectors only.
 */

/* Adds the mask to scores: -inf where one of bools says false. */
enum { NAME(no_mask), NAME(bool_mask), NAME(float_mask) };

static inline void NAME(mask_scores)(T *x, size_t n, int kind, const char *mask)
{
    const bool *allowed = (const bool *)mask;
    const T *bias = (const T *)mask;
    if (kind == NAME(bool_mask)) {
        RL_IVDEP for (size_t i = 0; i < n; i++) x[i] = allowed[i] ? x[i] : -(T)INFINITY;
    } else if (kind == NAME(float_mask)) {
        RL_IVDEP for (size_t i = 0; i < n; i++) x[i] += bias[i];
    }
}

static inline const char *NAME(mask_row)(char *const *p, const ptrdiff_t *s, int at, size_t r,
                                         int kind)
{
    return p[at] ? p[at] + (ptrdiff_t)r * s[at] *
                               (ptrdiff_t)(kind == NAME(bool_mask) ? sizeof(bool) : sizeof(T))
                 : NULL;
}

static bool NAME(any_nan)(const T *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (x[i] != x[i])
            return true;
    return false;
}

/* Columns of the tile's row r that causality leaves. */
static inline size_t NAME(visible)(size_t n, size_t r, const rl_kargs *a)
{
    const int64_t left = a->i[0] + (int64_t)r;
    return left <= 0 ? 0 : (size_t)left < n ? (size_t)left : n;
}

static void NAME(ATTENTION)(size_t rows, size_t n, char *const *p, const ptrdiff_t *s,
                            const rl_kargs *a)
{
    const int kind = (int)a->i[1];
    for (size_t r = 0; r < rows; r++) {
        T *x = (T *)p[0] + (ptrdiff_t)r * s[0];
        T *most = (T *)p[2] + (ptrdiff_t)r * s[2], *sum = (T *)p[3] + (ptrdiff_t)r * s[3];
        T *factor = (T *)p[4] + (ptrdiff_t)r * s[4];
        const size_t m = NAME(visible)(n, r, a);
        T next = *most;
        if (m) {
            NAME(mask_scores)(x, m, kind, NAME(mask_row)(p, s, 1, r, kind));
            const T here = NAME(row_max)(x, m);
            next = next > here ? next : here;
        }
        *factor = 1;
        if (next == -(T)INFINITY && !(m && NAME(any_nan)(x, m))) {
            memset(x, 0, n * sizeof(T)); /* nothing to attend to so far */
            continue;
        }
        *factor = *most == -(T)INFINITY && next > *most ? 0 : M(exp)(*most - next);
        *most = next;
        *sum *= *factor;
        if (m)
            *sum += NAME(exp_block)(x, x, next == -(T)INFINITY ? 0 : next, m);
        if (m < n)
            memset(x + m, 0, (n - m) * sizeof(T));
        if (p[5]) {
            const T *noise = (const T *)p[5] + (ptrdiff_t)r * s[5];
            RL_IVDEP for (size_t i = 0; i < m; i++) x[i] *= noise[i];
        }
    }
}

static void NAME(ATTENTION_BACKWARD)(size_t rows, size_t n, char *const *p, const ptrdiff_t *s,
                                     const rl_kargs *a)
{
    const int kind = (int)a->i[1];
    const T scale = (T)a->f[0];
    for (size_t r = 0; r < rows; r++) {
        T *x = (T *)p[0] + (ptrdiff_t)r * s[0], *d = (T *)p[1] + (ptrdiff_t)r * s[1];
        const T most = *((const T *)p[3] + (ptrdiff_t)r * s[3]);
        const T inverse = *((const T *)p[4] + (ptrdiff_t)r * s[4]);
        const T mean = *((const T *)p[5] + (ptrdiff_t)r * s[5]);
        const size_t m = NAME(visible)(n, r, a);
        if (m) {
            NAME(mask_scores)(x, m, kind, NAME(mask_row)(p, s, 2, r, kind));
            NAME(exp_block)(x, x, most, m);
        }
        if (m < n) {
            memset(x + m, 0, (n - m) * sizeof(T));
            memset(d + m, 0, (n - m) * sizeof(T));
        }
        if (p[6]) {
            const T *noise = (const T *)p[6] + (ptrdiff_t)r * s[6];
            RL_IVDEP for (size_t i = 0; i < m; i++)
            {
                const T q = x[i] * inverse;
                d[i] = q * (d[i] * noise[i] - mean) * scale;
                x[i] = q * noise[i];
            }
        } else {
            RL_IVDEP for (size_t i = 0; i < m; i++)
            {
                const T q = x[i] * inverse;
                d[i] = q * (d[i] - mean) * scale;
                x[i] = q;
            }
        }
    }
}

static void NAME(SCALE_ROWS)(size_t rows, size_t n, char *const *p, const ptrdiff_t *s,
                             const rl_kargs *a)
{
    for (size_t r = 0; r < rows; r++) {
        T *x = (T *)p[0] + (ptrdiff_t)r * s[0];
        const T factor = *((const T *)p[1] + (ptrdiff_t)r * s[1]);
        if (factor != 1)
            RL_IVDEP for (size_t i = 0; i < n; i++) x[i] *= factor;
    }
}

static void NAME(DOT_ROWS)(size_t rows, size_t n, char *const *p, const ptrdiff_t *s,
                           const rl_kargs *a)
{
    for (size_t r = 0; r < rows; r++) {
        const T *x = (const T *)p[1] + (ptrdiff_t)r * s[1];
        *((T *)p[0] + (ptrdiff_t)r * s[0]) =
            (T)NAME(dot_terms)(x, (const T *)p[2] + (ptrdiff_t)r * s[2], x, 0, n);
    }
}
