/* fft.tmpl.h: needs T and NAME(f); LOW and HIGH, which riffle the lower or upper halves of two
 * vectors; undefines them at its end.  Stockham's algorithm: each pass takes a radix r off the
 * length and leaves the numbers in order, from one buffer to the other. */

typedef T NAME(vec) __attribute__((vector_size(VECTOR), may_alias));
typedef struct NAME(pair) {
    NAME(vec) re, im;
} NAME(pair);
#define VEC NAME(vec)
#define PAIR NAME(pair)
#define LANES (VECTOR / (int)sizeof(T))

static inline PAIR NAME(plus)(PAIR a, PAIR b) { return (PAIR){a.re + b.re, a.im + b.im}; }
static inline PAIR NAME(minus)(PAIR a, PAIR b) { return (PAIR){a.re - b.re, a.im - b.im}; }
static inline PAIR NAME(times)(PAIR a, T s) { return (PAIR){a.re * s, a.im * s}; }
/* a - i b and a + i b */
static inline PAIR NAME(right)(PAIR a, PAIR b) { return (PAIR){a.re + b.im, a.im - b.re}; }
static inline PAIR NAME(left)(PAIR a, PAIR b) { return (PAIR){a.re - b.im, a.im + b.re}; }
/* a w, w = (cos, -sin) */
static inline PAIR NAME(twist)(PAIR a, const T *w)
{
    return (PAIR){a.re * w[0] - a.im * w[1], a.re * w[1] + a.im * w[0]};
}

/* b = the transform of a[0], a[step], ...: r of them, r = 2, 3, 4, 5. */
static inline __attribute__((always_inline)) void NAME(butterfly)(int r, const PAIR *a,
                                                                  int64_t step, PAIR *b)
{
    if (r == 2) {
        b[0] = NAME(plus)(a[0], a[step]);
        b[1] = NAME(minus)(a[0], a[step]);
    } else if (r == 3) {
        const PAIR t = NAME(plus)(a[step], a[2 * step]);
        const PAIR c = NAME(minus)(a[0], NAME(times)(t, (T)0.5));
        const PAIR s = NAME(times)(NAME(minus)(a[step], a[2 * step]), (T)0.86602540378443864676);
        b[0] = NAME(plus)(a[0], t);
        b[1] = NAME(right)(c, s);
        b[2] = NAME(left)(c, s);
    } else if (r == 4) {
        const PAIR t = NAME(plus)(a[0], a[2 * step]), u = NAME(minus)(a[0], a[2 * step]);
        const PAIR v = NAME(plus)(a[step], a[3 * step]), w = NAME(minus)(a[step], a[3 * step]);
        b[0] = NAME(plus)(t, v);
        b[1] = NAME(right)(u, w);
        b[2] = NAME(minus)(t, v);
        b[3] = NAME(left)(u, w);
    } else {
        const T c1 = (T)0.30901699437494742410, c2 = (T)-0.80901699437494742410;
        const T s1 = (T)0.95105651629515357212, s2 = (T)0.58778525229247312917;
        const PAIR t = NAME(plus)(a[step], a[4 * step]), d = NAME(minus)(a[step], a[4 * step]);
        const PAIR u = NAME(plus)(a[2 * step], a[3 * step]);
        const PAIR e = NAME(minus)(a[2 * step], a[3 * step]);
        const PAIR m = NAME(plus)(a[0], NAME(plus)(NAME(times)(t, c1), NAME(times)(u, c2)));
        const PAIR n = NAME(plus)(a[0], NAME(plus)(NAME(times)(t, c2), NAME(times)(u, c1)));
        const PAIR p = NAME(plus)(NAME(times)(d, s1), NAME(times)(e, s2));
        const PAIR q = NAME(minus)(NAME(times)(d, s2), NAME(times)(e, s1));
        b[0] = NAME(plus)(a[0], NAME(plus)(t, u));
        b[1] = NAME(right)(m, p);
        b[2] = NAME(right)(n, q);
        b[3] = NAME(left)(n, q);
        b[4] = NAME(left)(m, p);
    }
}

/* The same for an odd prime r up to RL_FFT_PRIME; w: cos and -sin, those of 2 pi / r `turn` apart,
 * their number r turn. */
static void NAME(prime)(int r, const PAIR *a, int64_t step, PAIR *b, const T *w, int64_t turn)
{
    PAIR sum[RL_FFT_PRIME / 2 + 1], difference[RL_FFT_PRIME / 2 + 1];
    b[0] = a[0];
    for (int j = 1; j <= r / 2; j++) {
        sum[j] = NAME(plus)(a[j * step], a[(r - j) * step]);
        difference[j] = NAME(minus)(a[j * step], a[(r - j) * step]);
        b[0] = NAME(plus)(b[0], sum[j]);
    }
    for (int k = 1; k <= r / 2; k++) {
        PAIR c = a[0], s = {0};
        for (int j = 1; j <= r / 2; j++) {
            const T *v = w + 2 * turn * (j * k % r);
            c = NAME(plus)(c, NAME(times)(sum[j], v[0]));
            s = NAME(plus)(s, NAME(times)(difference[j], v[1]));
        }
        b[k] = NAME(left)(c, s);
        b[r - k] = NAME(right)(c, s);
    }
}

/* One pass: outer blocks of r m s numbers; s numbers lie between those of one transform.  primes:
 * for any radix, else r is a constant. */
static inline __attribute__((always_inline)) void NAME(pass)(int r, bool primes, int64_t outer,
                                                             int64_t m, int64_t s, const PAIR *x,
                                                             PAIR *y, const T *w, int64_t turn)
{
    for (int64_t o = 0; o < outer; o++, x += r * m * s, y += r * m * s)
        for (int64_t p = 0; p < m; p++) {
            const PAIR *from = x + p * s;
            PAIR *to = y + p * r * s;
            for (int64_t q = 0; q < s; q++, from++, to++) {
                PAIR b[RL_FFT_PRIME];
                if (primes) {
                    if (BY_VECTORS || r > 5)
                        NAME(prime)(r, from, m * s, b, w, turn * m);
                    else
                        NAME(butterfly)(r, from, m * s, b);
                    for (int k = 0; k < r; k++)
                        to[k * s] = k && p ? NAME(twist)(b[k], w + 2 * turn * p * k) : b[k];
                    continue;
                }
                NAME(butterfly)(r, from, m * s, b);
                if (p)
                    RL_UNROLLED
                for (int k = 1; k < r; k++)
                    b[k] = NAME(twist)(b[k], w + 2 * turn * p * k);
                RL_UNROLLED
                for (int k = 0; k < r; k++)
                    to[k * s] = b[k];
            }
        }
}

/* Transforms along a dim of n numbers, `inner` apart; returns where the result lies: x or y. */
static PAIR *NAME(dim)(int64_t outer, int64_t n, int64_t inner, PAIR *x, PAIR *y, const T *w)
{
    for (int64_t left = n, s = inner; left > 1;) {
        int r = left % 4 == 0 ? 4 : 2;
        while (left % r)
            r++;
        const int64_t m = left / r, turn = n / left;
#if BY_VECTORS /* a loop for each of the radices there are formulas for */
        if (r == 2)
            NAME(pass)(2, false, outer, m, s, x, y, w, turn);
        else if (r == 3)
            NAME(pass)(3, false, outer, m, s, x, y, w, turn);
        else if (r == 4)
            NAME(pass)(4, false, outer, m, s, x, y, w, turn);
        else if (r == 5)
            NAME(pass)(5, false, outer, m, s, x, y, w, turn);
        else
#endif
            NAME(pass)(r, true, outer, m, s, x, y, w, turn);
        PAIR *swapped = x;
        x = y, y = swapped;
        left = m, s *= r;
    }
    return x;
}

/* From z, the transform of x[2j] + i x[2j + 1] (m numbers), to the first m + 1 of x's: z's part
 * of the even numbers plus w^k times that of the odd ones.  w: of 2 pi / 2m. */
static void NAME(unpack)(int64_t rows, int64_t m, const PAIR *z, PAIR *y, const T *w)
{
    for (int64_t row = 0; row < rows; row++, z += m, y += m + 1)
        for (int64_t k = 0; 2 * k <= m; k++) {
            const PAIR a = z[k], b = z[k ? m - k : 0];
            const PAIR even = {(a.re + b.re) * (T)0.5, (a.im - b.im) * (T)0.5};
            const PAIR odd = {(a.im + b.im) * (T)0.5, (b.re - a.re) * (T)0.5};
            const PAIR turned = NAME(twist)(odd, w + 2 * k);
            const PAIR low = NAME(plus)(even, turned), high = NAME(minus)(even, turned);
            y[m - k] = (PAIR){high.re, -high.im};
            y[k] = low;
        }
}

/* Back, twice as large; real and imaginary parts swapped in x and z, for the inverse transform.
 * The imaginary parts of x[0] and x[m] count as 0. */
static void NAME(pack)(int64_t rows, int64_t m, const PAIR *x, PAIR *z, const T *w)
{
    for (int64_t row = 0; row < rows; row++, x += m + 1, z += m)
        for (int64_t k = 0; k < m; k++) {
            PAIR a = {x[k].im, x[k].re}, b = {x[m - k].im, -x[m - k].re};
            if (!k)
                a.im = b.im = (VEC){0};
            const T back[2] = {w[2 * k], -w[2 * k + 1]};
            const PAIR sum = NAME(plus)(a, b), odd = NAME(twist)(NAME(minus)(a, b), back);
            const PAIR both = NAME(left)(sum, odd);
            z[k] = (PAIR){both.im, both.re};
        }
}

/* Rows of n numbers cut to their first half (of h); or, grow, mirrored from it: an odd n.  Parts
 * are swapped, as in pack. */
static void NAME(halves)(int64_t rows, int64_t n, const PAIR *x, PAIR *y, bool grow)
{
    const int64_t h = n / 2 + 1;
    for (int64_t row = 0; row < rows; row++, x += grow ? h : n, y += grow ? n : h) {
        for (int64_t k = 0; k < h; k++)
            y[k] = x[k];
        if (!grow)
            continue;
        y[0].re = (VEC){0}; /* the imaginary part */
        for (int64_t k = 1; k < h; k++)
            y[n - k] = (PAIR){-x[k].re, x[k].im};
    }
}

#if BY_VECTORS
/* A square of LANES vectors turned: v[i][j] becomes v[j][i], by riffling its halves. */
static inline __attribute__((always_inline)) void NAME(transpose)(VEC *v)
{
    VEC t[LANES];
    RL_UNROLLED
    for (int round = 1; round < LANES; round *= 2) {
        RL_UNROLLED
        for (int i = 0; i < LANES / 2; i++) {
            t[2 * i] = LOW(v[i], v[i + LANES / 2]);
            t[2 * i + 1] = HIGH(v[i], v[i + LANES / 2]);
        }
        RL_UNROLLED
        for (int i = 0; i < LANES; i++)
            v[i] = t[i];
    }
}

/* Unaligned memory of a tensor. */
typedef VEC NAME(loose) __attribute__((aligned(sizeof(T)), may_alias));

/* n numbers, without a gap, of all lanes, into vectors.  swap: neighbours exchanged. */
static int64_t NAME(gather)(int64_t n, const T *x, const int64_t *first, T *to, int swap)
{
    int64_t e = 0;
    for (; e + LANES <= n; e += LANES) {
        VEC v[LANES];
        RL_UNROLLED
        for (int lane = 0; lane < LANES; lane++)
            v[lane] = *(const NAME(loose) *)(x + first[lane] + e);
        NAME(transpose)(v);
        RL_UNROLLED
        for (int i = 0; i < LANES; i++)
            ((VEC *)to)[e + (i ^ swap)] = v[i];
    }
    return e;
}

/* Back, every second number times `other`, the rest times scale. */
static int64_t NAME(scatter)(int64_t n, const T *from, T *y, const int64_t *first, int swap,
                             T scale, T other)
{
    VEC factor;
    for (int i = 0; i < LANES; i++)
        factor[i] = i % 2 ? other : scale;
    int64_t e = 0;
    for (; e + LANES <= n; e += LANES) {
        VEC v[LANES];
        RL_UNROLLED
        for (int i = 0; i < LANES; i++)
            v[i] = ((const VEC *)from)[e + (i ^ swap)];
        NAME(transpose)(v);
        RL_UNROLLED
        for (int lane = 0; lane < LANES; lane++)
            *(NAME(loose) *)(y + first[lane] + e) = v[lane] * factor;
    }
    return e;
}

/* Whether all lanes' signals begin next to each other: step real numbers apart. */
static bool NAME(adjacent)(int signals, const int64_t *first, int step)
{
    for (int i = 1; i < signals; i++)
        if (first[i] != first[i - 1] + step)
            return false;
    return signals == LANES;
}

#endif

/* Reads the signals into lanes: pairs from two real numbers each, or (a real signal that is not
 * halved) one. */
static void NAME(load)(const rl_fft *f, int signals, const T *x, const int64_t *first, PAIR *to,
                       int swap)
{
    const bool halved = f->kind == RL_FFT_TO_HALF && f->half_table;
    const bool real = f->kind == RL_FFT_REAL || f->kind == RL_FFT_TO_HALF;
    const bool single = real && !halved;
    const int64_t n = halved || single ? f->n_in : 2 * f->n_in, *at = f->at_in;
    if (signals < LANES || single)
        for (int64_t e = 0; e < (single ? n : n / 2); e++)
            to[e] = (PAIR){0};
    int64_t done = 0;
#if BY_VECTORS
    if (signals == LANES && f->dense_in && !single)
        done = NAME(gather)(n, x, first, (T *)to, swap);
    if (NAME(adjacent)(signals, first, real ? 1 : 2)) {
        VEC *v = (VEC *)to;
        x += first[0];
        if (real)
            for (int64_t e = 0; e < n; e++)
                v[single ? 2 * e + swap : e ^ swap] = *(const NAME(loose) *)(x + at[e]);
        else
            for (int64_t e = 0; e < n; e += 2) {
                const VEC a = *(const NAME(loose) *)(x + at[e / 2]);
                const VEC b = *(const NAME(loose) *)(x + at[e / 2] + LANES);
                v[e + swap] = EVEN(a, b);
                v[e + 1 - swap] = ODD(a, b);
            }
        return;
    }
#endif
    for (int lane = 0; lane < signals; lane++) {
        const T *from = x + first[lane];
        T *v = (T *)to + lane;
        if (single)
            for (int64_t e = 0; e < n; e++)
                v[(2 * e + swap) * LANES] = from[at[e]];
        else if (halved)
            for (int64_t e = done; e < n; e++)
                v[(e ^ swap) * LANES] = from[at[e]];
        else
            for (int64_t e = done; e < n; e++)
                v[(e ^ swap) * LANES] = from[at[e / 2] + e % 2];
    }
}

static void NAME(store)(const rl_fft *f, int signals, const PAIR *from, T *y, const int64_t *first,
                        int swap)
{
    const bool real = f->kind == RL_FFT_FROM_HALF, single = real && !f->half_table;
    const int64_t n = real ? f->n_out : 2 * f->n_out, *at = f->at_out;
    const T scale = (T)f->scale, other = f->kind == RL_FFT_TO_HALF && f->inverse ? -scale : scale;
    int64_t done = 0;
#if BY_VECTORS
    if (signals == LANES && f->dense_out && !single)
        done = NAME(scatter)(n, (const T *)from, y, first, swap, scale, other);
    if (NAME(adjacent)(signals, first, real ? 1 : 2)) {
        const VEC *v = (const VEC *)from;
        y += first[0];
        if (real)
            for (int64_t e = 0; e < n; e++)
                *(NAME(loose) *)(y + at[e]) = v[single ? 2 * e + swap : e ^ swap] * scale;
        else
            for (int64_t e = 0; e < n; e += 2) {
                const VEC re = v[e + swap] * scale, im = v[e + 1 - swap] * other;
                *(NAME(loose) *)(y + at[e / 2]) = LOW(re, im);
                *(NAME(loose) *)(y + at[e / 2] + LANES) = HIGH(re, im);
            }
        return;
    }
#endif
    for (int lane = 0; lane < signals; lane++) {
        T *to = y + first[lane];
        const T *v = (const T *)from + lane;
        if (single)
            for (int64_t e = 0; e < n; e++)
                to[at[e]] = v[(2 * e + swap) * LANES] * scale;
        else if (real)
            for (int64_t e = done; e < n; e++)
                to[at[e]] = v[(e ^ swap) * LANES] * scale;
        else
            for (int64_t e = done; e < n; e++)
                to[at[e / 2] + e % 2] = v[(e ^ swap) * LANES] * (e % 2 ? other : scale);
    }
}

static void NAME(fft)(const rl_fft *f, int signals, const void *in, const int64_t *first_in,
                      void *out, const int64_t *first_out, void *scratch)
{
    const int last = f->ndim - 1;
    const int64_t n = f->n[last], h = n / 2 + 1;
    const bool to = f->kind == RL_FFT_TO_HALF, from = f->kind == RL_FFT_FROM_HALF;
    const int swap = from || (f->inverse && !to);
    int64_t rows = 1, most = f->n_in > f->n_out ? f->n_in : f->n_out;
    for (int i = 0; i < last; i++)
        rows *= f->n[i];
    PAIR *x = scratch, *y = x + most, *found;
    NAME(load)(f, signals, in, first_in, x, swap);
#define MOVED(result) (found = (result), y = found == x ? y : x, x = found)
#define EXCHANGED (found = x, x = y, y = found)
    if (to && f->half_table) {
        MOVED(NAME(dim)(rows, n / 2, 1, x, y, f->half_table));
        NAME(unpack)(rows, n / 2, x, y, f->table[last]);
        EXCHANGED;
    } else if (!from) {
        MOVED(NAME(dim)(rows, n, 1, x, y, f->table[last]));
    }
    if (to && !f->half_table) {
        NAME(halves)(rows, n, x, y, false);
        EXCHANGED;
    }
    for (int64_t i = last - 1, inner = to || from ? h : n; i >= 0; i--) {
        rows /= f->n[i];
        MOVED(NAME(dim)(rows, f->n[i], inner, x, y, f->table[i]));
        inner *= f->n[i];
    }
    if (from) {
        rows = f->n_out / n;
        if (f->half_table)
            NAME(pack)(rows, n / 2, x, y, f->table[last]);
        else
            NAME(halves)(rows, n, x, y, true);
        EXCHANGED;
        MOVED(NAME(dim)(rows, f->half_table ? n / 2 : n, 1, x, y,
                        f->half_table ? f->half_table : f->table[last]));
    }
#undef MOVED
#undef EXCHANGED
    NAME(store)(f, signals, x, out, first_out, swap);
}

#undef VEC
#undef PAIR
#undef LANES
#undef LOW
#undef HIGH
#undef EVEN
#undef ODD
#undef T
#undef NAME
