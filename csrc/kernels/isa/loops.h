/* loops.h: turns a formula for one element into a map kernel.
 *
 * Needs, where the macros are used: T (element type) and NAME(f).  A formula is an expression in x,
 * y, z (the inputs) that must not branch, so that the compiler vectorises it; `pre` declares
 * constants from the arguments `a` before the loop. R is the type of the output.  What is not
 * contiguous goes through rl_map_run's blocks (kernels/strided.c), so that a kernel is one loop.
 *
 * RL_STEP(R), which a file may define before it includes this: its loops run over whole multiples
 * of so many elements only (a power of two), rl_map_run pads the rest.  That spares long formulas
 * the scalar and half-width copies that the compiler adds for what a vector leaves over: half of
 * the code or more. */
#ifndef RL_KERNELS_LOOPS_H
#define RL_KERNELS_LOOPS_H

/* The output may be the memory of an input of equal stride, which hinders no vector loop: element i
 * is read first. */
#define RL_IVDEP _Pragma("GCC ivdep")

/* Elements of a vector loop that writes R and reads T, for RL_STEP: as many as fill the narrower
 * type's vector.  The portable build has no vectors. */
#ifdef __AVX2__
#define RL_WHOLE(R) (RL_VECTOR_BYTES / (sizeof(R) < sizeof(T) ? sizeof(R) : sizeof(T)))
#else
#define RL_WHOLE(R) 1
#endif
#ifndef RL_STEP
#define RL_STEP(R) (sizeof(R) < sizeof(T) && sizeof(T) == 8 ? RL_WHOLE(R) : 1)
#endif

/* What rl_map_run must know of a kernel, in bytes: the sizes of its elements, output first, and its
 * step. */
#define RL_ITEMS(R, X, Y, Z, W)                                                                    \
    ((uint64_t)sizeof(R) | (uint64_t)sizeof(X) << 8 | (uint64_t)sizeof(Y) << 16 |                  \
     (uint64_t)sizeof(Z) << 24 | (uint64_t)sizeof(W) << 32 | (uint64_t)RL_STEP(R) << 40)
#define MAP_ENTRY(f, n_in, items)                                                                  \
    static void NAME(f)(size_t n, char *const *p, const ptrdiff_t *s, const rl_kargs *a)           \
    {                                                                                              \
        rl_map_run##n_in(n, p, s, a, items, NAME(f##_loop));                                       \
    }

#define MAP1(f, R, pre, formula)                                                                   \
    static void NAME(f##_loop)(size_t n, char *const *p, const rl_kargs *a)                        \
    {                                                                                              \
        R *out = (R *)p[0];                                                                        \
        const T *px = (const T *)p[1];                                                             \
        (void)a;                                                                                   \
        pre;                                                                                       \
        n &= -(size_t)RL_STEP(R);                                                                  \
        RL_IVDEP for (size_t i = 0; i < n; i++)                                                    \
        {                                                                                          \
            const T x = px[i];                                                                     \
            out[i] = (R)(formula);                                                                 \
        }                                                                                          \
    }                                                                                              \
    MAP_ENTRY(f, 1, RL_ITEMS(R, T, T, T, T))

/* One float32 input, by a formula of vectors (vec_f32.h), with RL_STEP a vector. */
#define MAP1_VECTORS(f, formula)                                                                   \
    static void NAME(f##_loop)(size_t n, char *const *p, const rl_kargs *a)                        \
    {                                                                                              \
        const float *x = (const float *)p[1];                                                      \
        float *y = (float *)p[0];                                                                  \
        size_t i = 0;                                                                              \
        (void)a;                                                                                   \
        for (; i + 2 * VF_WIDTH <= n; i += 2 * VF_WIDTH) {                                         \
            const VF u = vf_load(x + i), v = vf_load(x + i + VF_WIDTH);                            \
            const VF fu = formula(u), fv = formula(v);                                             \
            vf_store(y + i, fu);                                                                   \
            vf_store(y + i + VF_WIDTH, fv);                                                        \
        }                                                                                          \
        if (i + VF_WIDTH <= n)                                                                     \
            vf_store(y + i, formula(vf_load(x + i)));                                              \
    }                                                                                              \
    MAP_ENTRY(f, 1, RL_ITEMS(T, T, T, T, T))

/* The product of two float32 inputs, the second through a formula of vectors: derivatives. */
#define MAP2_SLOPE(f, slope)                                                                       \
    static void NAME(f##_loop)(size_t n, char *const *p, const rl_kargs *a)                        \
    {                                                                                              \
        const float *g = (const float *)p[1], *x = (const float *)p[2];                            \
        float *y = (float *)p[0];                                                                  \
        (void)a;                                                                                   \
        for (size_t i = 0; i + VF_WIDTH <= n; i += VF_WIDTH)                                       \
            vf_store(y + i, vf_load(g + i) * slope(vf_load(x + i)));                               \
    }                                                                                              \
    MAP_ENTRY(f, 2, RL_ITEMS(T, T, T, T, T))

/* One input; a block whose elements all satisfy `usual` takes the formula `fast`, any other block
 * `full`; on usual elements both have the same value, so that an element's result depends on itself
 * alone.  0 is usual.  `full` may branch. */
#define MAP1_BLOCKS(f, R, usual, fast, full)                                                       \
    static void NAME(f##_loop)(size_t n, char *const *p, const rl_kargs *a)                        \
    {                                                                                              \
        (void)a;                                                                                   \
        for (size_t i = 0; i < n; i += 128) {                                                      \
            R *out = (R *)p[0] + i;                                                                \
            const T *px = (const T *)p[1] + i;                                                     \
            const size_t m = (n - i < 128 ? n - i : 128) & -(size_t)RL_STEP(R);                    \
            int unusual = 0;                                                                       \
            for (size_t k = 0; k < m; k++) {                                                       \
                const T x = px[k];                                                                 \
                unusual |= !(usual);                                                               \
            }                                                                                      \
            if (unusual)                                                                           \
                RL_IVDEP for (size_t k = 0; k < m; k++)                                            \
                {                                                                                  \
                    const T x = px[k];                                                             \
                    out[k] = (full);                                                               \
                }                                                                                  \
            else                                                                                   \
                RL_IVDEP for (size_t k = 0; k < m; k++)                                            \
                {                                                                                  \
                    const T x = px[k];                                                             \
                    out[k] = (fast);                                                               \
                }                                                                                  \
        }                                                                                          \
    }                                                                                              \
    MAP_ENTRY(f, 1, RL_ITEMS(R, T, T, T, T))

/* Two inputs.  MAP2_HOT has loops of its own for a scalar on either side, MAP2_XS for one as second
 * input: for the operators that meet one all the time. */
#define MAP2_LOOP(f, R, pre, formula, suffix, x_at, y_at)                                          \
    static void NAME(f##suffix)(size_t n, char *const *p, const rl_kargs *a)                       \
    {                                                                                              \
        R *out = (R *)p[0];                                                                        \
        const T *px = (const T *)p[1], *py = (const T *)p[2];                                      \
        (void)a;                                                                                   \
        pre;                                                                                       \
        n &= -(size_t)RL_STEP(R);                                                                  \
        RL_IVDEP for (size_t i = 0; i < n; i++)                                                    \
        {                                                                                          \
            const T x = x_at, y = y_at;                                                            \
            out[i] = (R)(formula);                                                                 \
        }                                                                                          \
    }
#define MAP2(f, R, pre, formula)                                                                   \
    MAP2_LOOP(f, R, pre, formula, _loop, px[i], py[i])                                             \
    MAP_ENTRY(f, 2, RL_ITEMS(R, T, T, T, T))
#define MAP2_XS(f, R, formula)                                                                     \
    MAP2_LOOP(f, R, , formula, _loop, px[i], py[i])                                                \
    MAP2_LOOP(f, R, const T y0 = n ? *py : 0, formula, _xs, px[i], y0)                             \
    static void NAME(f)(size_t n, char *const *p, const ptrdiff_t *s, const rl_kargs *a)           \
    {                                                                                              \
        rl_map_run_xs(n, p, s, a, RL_ITEMS(R, T, T, T, T), NAME(f##_loop), NAME(f##_xs));          \
    }
#define MAP2_HOT(f, R, formula)                                                                    \
    MAP2_LOOP(f, R, , formula, _loop, px[i], py[i])                                                \
    MAP2_LOOP(f, R, const T y0 = n ? *py : 0, formula, _xs, px[i], y0)                             \
    MAP2_LOOP(f, R, const T x0 = n ? *px : 0, formula, _sx, x0, py[i])                             \
    static void NAME(f)(size_t n, char *const *p, const ptrdiff_t *s, const rl_kargs *a)           \
    {                                                                                              \
        if (s[0] == sizeof(R) && s[1] == sizeof(T) && s[2] == 0)                                   \
            NAME(f##_xs)(n, p, a);                                                                 \
        else if (s[0] == sizeof(R) && s[1] == 0 && s[2] == sizeof(T))                              \
            NAME(f##_sx)(n, p, a);                                                                 \
        else                                                                                       \
            rl_map_run2(n, p, s, a, RL_ITEMS(R, T, T, T, T), NAME(f##_loop));                      \
    }

/* Two inputs, as MAP1_BLOCKS, for outputs of the inputs' type. */
#define MAP2_BLOCKS(f, R, usual, fast, full)                                                       \
    static void NAME(f##_loop)(size_t n, char *const *p, const rl_kargs *a)                        \
    {                                                                                              \
        (void)a;                                                                                   \
        for (size_t i = 0; i < n; i += 128) {                                                      \
            R *out = (R *)p[0] + i;                                                                \
            const T *px = (const T *)p[1] + i, *py = (const T *)p[2] + i;                          \
            const size_t m = (n - i < 128 ? n - i : 128) & -(size_t)RL_STEP(R);                    \
            int unusual = 0;                                                                       \
            for (size_t k = 0; k < m; k++) {                                                       \
                const T x = px[k], y = py[k];                                                      \
                unusual |= !(usual);                                                               \
            }                                                                                      \
            if (unusual)                                                                           \
                RL_IVDEP for (size_t k = 0; k < m; k++)                                            \
                {                                                                                  \
                    const T x = px[k], y = py[k];                                                  \
                    out[k] = (full);                                                               \
                }                                                                                  \
            else                                                                                   \
                RL_IVDEP for (size_t k = 0; k < m; k++)                                            \
                {                                                                                  \
                    const T x = px[k], y = py[k];                                                  \
                    out[k] = (fast);                                                               \
                }                                                                                  \
        }                                                                                          \
    }                                                                                              \
    MAP_ENTRY(f, 2, RL_ITEMS(R, T, T, T, T))

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
        n &= -(size_t)RL_STEP(R);                                                                  \
        RL_IVDEP for (size_t i = 0; i < n; i++)                                                    \
        {                                                                                          \
            const X                                                                                \
            x = px[i];                                                                             \
            const T y = py[i], z = pz[i];                                                          \
            out[i] = (R)(formula);                                                                 \
        }                                                                                          \
    }                                                                                              \
    MAP_ENTRY(f, 3, RL_ITEMS(R, X, T, T, T))
#define MAP3(f, R, pre, formula) MAP3X(f, R, T, pre, formula)
#define MAP4(f, R, pre, formula)                                                                   \
    static void NAME(f##_loop)(size_t n, char *const *p, const rl_kargs *a)                        \
    {                                                                                              \
        R *out = (R *)p[0];                                                                        \
        const T *px = (const T *)p[1], *py = (const T *)p[2], *pz = (const T *)p[3],               \
                *pw = (const T *)p[4];                                                             \
        (void)a;                                                                                   \
        pre;                                                                                       \
        n &= -(size_t)RL_STEP(R);                                                                  \
        RL_IVDEP for (size_t i = 0; i < n; i++)                                                    \
        {                                                                                          \
            const T x = px[i], y = py[i], z = pz[i], w = pw[i];                                    \
            out[i] = (R)(formula);                                                                 \
        }                                                                                          \
    }                                                                                              \
    MAP_ENTRY(f, 4, RL_ITEMS(R, T, T, T, T))

/* In a template's NAME(fill): enters kernels into the table under their own names. */
#define SET(f) t->map[RL_MAP_##f][DTYPE] = NAME(f)

#endif
