/* loops.h: turns a formula for one element into a map kernel.
 *
 * Needs, where the macros are used: T (element type) and NAME(f).  A formula is an expression in x,
 * y, z (the inputs) that must not branch, so that the compiler vectorises it; `pre` declares
 * constants from the arguments `a` before the loop. R is the type of the output.  Every kernel runs
 * its contiguous loop; other strides go through rl_map_strided. */
#ifndef RL_KERNELS_LOOPS_H
#define RL_KERNELS_LOOPS_H

/* The output may be the memory of an input of equal stride, which hinders no vector loop: element i
 * is read first. */
#define RL_IVDEP _Pragma("GCC ivdep")

#define MAP1(f, R, pre, formula)                                                                   \
    static void NAME(f##_loop)(size_t n, char *const *p, const rl_kargs *a)                        \
    {                                                                                              \
        R *out = (R *)p[0];                                                                        \
        const T *px = (const T *)p[1];                                                             \
        (void)a;                                                                                   \
        pre;                                                                                       \
        RL_IVDEP for (size_t i = 0; i < n; i++)                                                    \
        {                                                                                          \
            const T x = px[i];                                                                     \
            out[i] = (R)(formula);                                                                 \
        }                                                                                          \
    }                                                                                              \
    static void NAME(f)(size_t n, char *const *p, const ptrdiff_t *s, const rl_kargs *a)           \
    {                                                                                              \
        if ((s[0] == sizeof(R) && s[1] == sizeof(T)) || n == 1)                                    \
            NAME(f##_loop)(n, p, a);                                                               \
        else                                                                                       \
            rl_map_strided(n, p, s, a, 1, (const uint8_t[]){sizeof(R), sizeof(T)},                 \
                           NAME(f##_loop));                                                        \
    }

/* One input; a block whose elements all satisfy `usual` takes the formula `fast`, any other block
 * `full`; on usual elements both have the same value, so that an element's result depends on itself
 * alone.  `full` may branch. */
#define MAP1_BLOCKS(f, R, usual, fast, full)                                                       \
    static void NAME(f##_loop)(size_t n, char *const *p, const rl_kargs *a)                        \
    {                                                                                              \
        R *out = (R *)p[0];                                                                        \
        const T *px = (const T *)p[1];                                                             \
        for (size_t i = 0; i < n; i += 128) {                                                      \
            size_t end = n - i < 128 ? n : i + 128;                                                \
            int unusual = 0;                                                                       \
            for (size_t k = i; k < end; k++) {                                                     \
                const T x = px[k];                                                                 \
                unusual |= !(usual);                                                               \
            }                                                                                      \
            if (unusual)                                                                           \
                RL_IVDEP for (size_t k = i; k < end; k++)                                          \
                {                                                                                  \
                    const T x = px[k];                                                             \
                    out[k] = (full);                                                               \
                }                                                                                  \
            else                                                                                   \
                RL_IVDEP for (size_t k = i; k < end; k++)                                          \
                {                                                                                  \
                    const T x = px[k];                                                             \
                    out[k] = (fast);                                                               \
                }                                                                                  \
        }                                                                                          \
    }                                                                                              \
    static void NAME(f)(size_t n, char *const *p, const ptrdiff_t *s, const rl_kargs *a)           \
    {                                                                                              \
        if ((s[0] == sizeof(R) && s[1] == sizeof(T)) || n == 1)                                    \
            NAME(f##_loop)(n, p, a);                                                               \
        else                                                                                       \
            rl_map_strided(n, p, s, a, 1, (const uint8_t[]){sizeof(R), sizeof(T)},                 \
                           NAME(f##_loop));                                                        \
    }

/* Two inputs.  MAP2 has loops of its own for a scalar on either side; MAP2_HEAVY, for long
 * formulas, has not. */
#define MAP2_LOOP(f, R, pre, formula, suffix, x_at, y_at)                                          \
    static void NAME(f##suffix)(size_t n, char *const *p, const rl_kargs *a)                       \
    {                                                                                              \
        R *out = (R *)p[0];                                                                        \
        const T *px = (const T *)p[1], *py = (const T *)p[2];                                      \
        const T x0 = px[0], y0 = py[0];                                                            \
        (void)a, (void)x0, (void)y0;                                                               \
        pre;                                                                                       \
        RL_IVDEP for (size_t i = 0; i < n; i++)                                                    \
        {                                                                                          \
            const T x = x_at, y = y_at;                                                            \
            out[i] = (R)(formula);                                                                 \
        }                                                                                          \
    }
#define MAP2_STRIDED(f, R)                                                                         \
    rl_map_strided(n, p, s, a, 2, (const uint8_t[]){sizeof(R), sizeof(T), sizeof(T)},              \
                   NAME(f##_loop))
#define MAP2(f, R, pre, formula)                                                                   \
    MAP2_LOOP(f, R, pre, formula, _loop, px[i], py[i])                                             \
    MAP2_LOOP(f, R, pre, formula, _xs, px[i], y0)                                                  \
    MAP2_LOOP(f, R, pre, formula, _sx, x0, py[i])                                                  \
    static void NAME(f)(size_t n, char *const *p, const ptrdiff_t *s, const rl_kargs *a)           \
    {                                                                                              \
        if ((s[0] == sizeof(R) && s[1] == sizeof(T) && s[2] == sizeof(T)) || n <= 1) {             \
            if (n)                                                                                 \
                NAME(f##_loop)(n, p, a);                                                           \
        } else if (s[0] == sizeof(R) && s[1] == sizeof(T) && s[2] == 0)                            \
            NAME(f##_xs)(n, p, a);                                                                 \
        else if (s[0] == sizeof(R) && s[1] == 0 && s[2] == sizeof(T))                              \
            NAME(f##_sx)(n, p, a);                                                                 \
        else                                                                                       \
            MAP2_STRIDED(f, R);                                                                    \
    }
#define MAP2_HEAVY(f, R, pre, formula)                                                             \
    MAP2_LOOP(f, R, pre, formula, _loop, px[i], py[i])                                             \
    static void NAME(f)(size_t n, char *const *p, const ptrdiff_t *s, const rl_kargs *a)           \
    {                                                                                              \
        if ((s[0] == sizeof(R) && s[1] == sizeof(T) && s[2] == sizeof(T)) || n <= 1) {             \
            if (n)                                                                                 \
                NAME(f##_loop)(n, p, a);                                                           \
        } else                                                                                     \
            MAP2_STRIDED(f, R);                                                                    \
    }

/* Three and four inputs; X is the type of the first (bool for WHERE). */
#define MAP3X(f, R, X, pre, formula)                                                               \
    static void NAME(f##_loop)(size_t n, char *const *p, const rl_kargs *a)                        \
    {                                                                                              \
        R *out = (R *)p[0];                                                                        \
        const X                                                                                    \
        *px = (const X *)p[1];                                                                     \
        const T *py = (const T *)p[2], *pz = (const T *)p[3];                                      \
        (void)a;                                                                                   \
        pre;                                                                                       \
        RL_IVDEP for (size_t i = 0; i < n; i++)                                                    \
        {                                                                                          \
            const X                                                                                \
            x = px[i];                                                                             \
            const T y = py[i], z = pz[i];                                                          \
            out[i] = (R)(formula);                                                                 \
        }                                                                                          \
    }                                                                                              \
    static void NAME(f)(size_t n, char *const *p, const ptrdiff_t *s, const rl_kargs *a)           \
    {                                                                                              \
        if ((s[0] == sizeof(R) && s[1] == sizeof(X) && s[2] == sizeof(T) && s[3] == sizeof(T)) ||  \
            n == 1)                                                                                \
            NAME(f##_loop)(n, p, a);                                                               \
        else                                                                                       \
            rl_map_strided(                                                                        \
                n, p, s, a, 3, (const uint8_t[]) { sizeof(R), sizeof(X), sizeof(T), sizeof(T) },   \
                NAME(f##_loop));                                                                   \
    }
#define MAP3(f, R, pre, formula) MAP3X(f, R, T, pre, formula)
#define MAP4(f, R, pre, formula)                                                                   \
    static void NAME(f##_loop)(size_t n, char *const *p, const rl_kargs *a)                        \
    {                                                                                              \
        R *out = (R *)p[0];                                                                        \
        const T *px = (const T *)p[1], *py = (const T *)p[2], *pz = (const T *)p[3],               \
                *pw = (const T *)p[4];                                                             \
        (void)a;                                                                                   \
        pre;                                                                                       \
        RL_IVDEP for (size_t i = 0; i < n; i++)                                                    \
        {                                                                                          \
            const T x = px[i], y = py[i], z = pz[i], w = pw[i];                                    \
            out[i] = (R)(formula);                                                                 \
        }                                                                                          \
    }                                                                                              \
    static void NAME(f)(size_t n, char *const *p, const ptrdiff_t *s, const rl_kargs *a)           \
    {                                                                                              \
        if ((s[0] == sizeof(R) && s[1] == sizeof(T) && s[2] == sizeof(T) && s[3] == sizeof(T) &&   \
             s[4] == sizeof(T)) ||                                                                 \
            n == 1)                                                                                \
            NAME(f##_loop)(n, p, a);                                                               \
        else                                                                                       \
            rl_map_strided(                                                                        \
                n, p, s, a, 4,                                                                     \
                (const uint8_t[]){sizeof(R), sizeof(T), sizeof(T), sizeof(T), sizeof(T)},          \
                NAME(f##_loop));                                                                   \
    }

/* In a template's NAME(fill): enters kernels into the table under their own names. */
#define SET(f) t->map[RL_MAP_##f][DTYPE] = NAME(f)

#endif
