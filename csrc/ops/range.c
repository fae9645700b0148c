/* range.c: tensors computed from the position alone: arange, range, linspace, logspace, eye.
 *
 * Values follow PyTorch's formulas: arange in double (int64 for integers, float for the narrow
 * floats), linspace from both ends toward the middle in the dtype itself. */
#include <math.h>
#include <stdio.h>

#include "core/cpu.h"
#include "core/tensor.h"
#include "rushlight_ops.h"

/* The dtype that follows from the arguments when none is given. */
static rl_dtype range_dtype(rl_dtype dtype, rl_scalar a, rl_scalar b, rl_scalar c)
{
    if (dtype != RL_NO_DTYPE)
        return dtype;
    bool floats = a.dtype == RL_F64 || b.dtype == RL_F64 || c.dtype == RL_F64;
    return floats ? rl_default_dtype() : RL_I64;
}

/* A number as PyTorch's range messages write it. */
static rl_str number_str(rl_scalar v)
{
    rl_str out;
    if (v.dtype == RL_F64)
        snprintf(out.s, sizeof out.s, "%g", v.f);
    else
        snprintf(out.s, sizeof out.s, "%lld", (long long)v.i);
    return out;
}

static rl_status check_range(rl_scalar start, rl_scalar end, rl_scalar step)
{
    double s = rl_scalar_double(step), a = rl_scalar_double(start), b = rl_scalar_double(end);
    if (!(s > 0 || s < 0))
        return rl_error(RL_ERUNTIME, "step must be nonzero");
    if (!isfinite(a) || !isfinite(b))
        return rl_error(RL_ERUNTIME, "unsupported range: %s -> %s", number_str(start).s,
                        number_str(end).s);
    if (s > 0 ? b < a : b > a)
        return rl_error(RL_ERUNTIME, "upper bound and lower bound inconsistent with step sign");
    return RL_OK;
}

/* v rounded to a floating dtype. */
static double rounded(double v, rl_dtype dtype)
{
    uint64_t bits = 0;
    if (dtype == RL_F64)
        return v;
    if (dtype == RL_F32)
        return (double)(float)v;
    rl_convert(RL_F64, &v, 8, dtype, &bits, 8, 1);
    rl_convert(dtype, &bits, 8, RL_F64, &v, 8, 1);
    return v;
}

/* x + k step as PyTorch computes it: one rounding in float64 (float32 where SINGLE), or, where
 * NARROW, each operation rounded to the dtype. */
enum precision { DOUBLE, SINGLE, NARROW };

#define INLINE inline __attribute__((always_inline))
static INLINE double multiple(enum precision how, rl_dtype dtype, double x, double k, double step)
{
    if (how == NARROW)
        return rounded(x + rounded(step * rounded(k, dtype), dtype), dtype);
    return how == SINGLE ? (double)fmaf((float)step, (float)k, (float)x) : fma(step, k, x);
}

enum { BLOCK = 256 };

/* Values on their way into a tensor, converted a block at a time. */
typedef struct block {
    rl_tensor *t;
    int64_t done;
    int n;
    double v[BLOCK]; /* what lies behind n may be written */
} block;

static void flush(block *b)
{
    size_t item = rl_itemsize(b->t);
    rl_convert(RL_F64, b->v, 8, (rl_dtype)b->t->dtype, b->t->data + b->done * (int64_t)item,
               (ptrdiff_t)item, (size_t)b->n);
    b->done += b->n;
    b->n = 0;
}

/* Elements i0 to i0 + m of n of a floating arange.  PyTorch computes vectors of 32 bytes, two at a
 * time, and what is left one by one; the first element of a vector is rounded to the dtype before
 * the multiples of the step are added to it.  Results depend on the vectors' places, which are
 * therefore kept here, on every instruction set the same. */
static INLINE void arange_block(double *v, int64_t i0, int64_t m, int64_t n, enum precision how,
                                rl_dtype dtype, double start, double step)
{
    const int64_t lanes = 32 / (int64_t)rl_dtype_size(dtype), whole = n - n % (2 * lanes);
    int64_t i = i0; /* a multiple of the lanes */
    for (; i < i0 + m && i < whole; i += lanes) {
        double *to = v + (i - i0), first = multiple(how, dtype, start, (double)i, step);
        double from = dtype == RL_F32 ? (double)(float)first : rounded(first, dtype);
        to[0] = first;
        for (int64_t k = 1; k < lanes; k++)
            to[k] = multiple(how, dtype, from, (double)k, step);
    }
    for (; i < i0 + m; i++)
        v[i - i0] = multiple(how, dtype, start, (double)i, step);
}

/* The values of linspace from i0 on; those of logspace when base > 0. */
static INLINE void spaced_block(double *v, int64_t i0, int64_t m, int64_t n, enum precision how,
                                rl_dtype dtype, double a, double b, double step, double base)
{
    /* Whole blocks of float32 in one half: loops that become vectors. */
    if (how == SINGLE && !(base > 0) && n > 1 && n < INT32_MAX - BLOCK &&
        (i0 + BLOCK <= n / 2 || i0 >= n / 2)) {
        const bool low = i0 < n / 2;
        const float from = (float)(low ? a : b), by = (float)(low ? step : -step);
        const int32_t first = (int32_t)(low ? i0 : n - 1 - i0), turn = low ? 1 : -1;
        for (int32_t k = 0; k < BLOCK; k++)
            v[k] = (double)fmaf(by, (float)(first + turn * k), from);
        return;
    }
    for (int64_t i = i0; i < i0 + m; i++) {
        bool low = i < n / 2 || n == 1;
        double k = (double)(low ? i : n - 1 - i), from = low ? a : b, by = low ? step : -step;
        v[i - i0] = base > 0 ? pow(base, from + by * k) : multiple(how, dtype, from, k, by);
    }
}

/* fma() is a call unless the processor is known to have it. */
#if defined(__x86_64__)
#define WITH_FMA __attribute__((target("avx2,fma")))
#else
#define WITH_FMA
#endif
#define BOTH(name, parameters, call)                                                               \
    WITH_FMA static void name##_fma parameters { call; }                                           \
    static void name##_plain parameters { call; }
BOTH(arange,
     (double *v, int64_t i0, int64_t m, int64_t n, enum precision how, rl_dtype dtype, double a,
      double step),
     arange_block(v, i0, m, n, how, dtype, a, step))
BOTH(spaced,
     (double *v, int64_t i0, int64_t m, int64_t n, enum precision how, rl_dtype dtype, double a,
      double b, double step, double base),
     spaced_block(v, i0, m, n, how, dtype, a, b, step, base))
#undef BOTH

/* t[i] = start + i step.  vectors: as arange does in floating dtypes. */
static rl_tensor *fill_range(rl_dtype dtype, int64_t n, rl_scalar start, rl_scalar step,
                             bool vectors)
{
    rl_tensor *t = rl_new(dtype, 1, &n);
    if (!t)
        return NULL;
    if (rl_is_integral(dtype, true)) {
        size_t item = rl_dtype_size(dtype);
        uint64_t v = (uint64_t)rl_scalar_int(start), s = (uint64_t)rl_scalar_int(step), part[256];
        for (int64_t i = 0, m; i < n; i += m) {
            m = n - i < 256 ? n - i : 256;
            for (int64_t k = 0; k < m; k++, v += s)
                part[k] = v;
            rl_convert(RL_I64, part, 8, dtype, t->data + i * (int64_t)item, (ptrdiff_t)item,
                       (size_t)m);
        }
        return t;
    }
    double a = rl_scalar_double(start), s = rl_scalar_double(step);
    enum precision how = dtype == RL_F16 || dtype == RL_BF16 ? SINGLE : DOUBLE;
    const bool fast = rl_cpu_has_level(RL_LEVEL_AVX2);
    block b = {.t = t};
    for (int64_t i = 0; i < n; i += b.n, flush(&b)) {
        b.n = n - i < BLOCK ? (int)(n - i) : BLOCK;
        if (vectors)
            (fast ? arange_fma : arange_plain)(b.v, i, b.n, n, how, dtype, a, s);
        else
            for (int k = 0; k < BLOCK; k++)
                b.v[k] = a + ((double)i + (double)k) * s;
    }
    return t;
}

rl_tensor *rl_arange(rl_scalar start, rl_scalar end, rl_scalar step, rl_dtype dtype)
{
    dtype = range_dtype(dtype, start, end, step);
    if (dtype == RL_BOOL)
        return rl_fail(RL_ENOTIMPL, "\"arange_cpu\" not implemented for 'Bool'");
    if (rl_is_integral(dtype, false)) /* PyTorch's checks see the converted step */
        step = rl_int(rl_scalar_int(step));
    if (check_range(start, end, step))
        return NULL;
    double n;
    if (dtype == RL_I64) { /* exact beyond 2^53 */
        int64_t a = rl_scalar_int(start), b = rl_scalar_int(end), s = step.i;
        __int128 span = (__int128)b - a;
        __int128 count = (span + s - (s > 0 ? 1 : -1)) / s;
        if (count > INT64_MAX)
            return rl_fail(RL_ERUNTIME, "invalid size, possible overflow?");
        return fill_range(dtype, (int64_t)count, rl_int(a), step, true);
    }
    n = ceil((rl_scalar_double(end) - rl_scalar_double(start)) / rl_scalar_double(step));
    if (!(n >= 0 && n < 0x1p63))
        return rl_fail(RL_ERUNTIME, "invalid size, possible overflow?");
    return fill_range(dtype, (int64_t)n, start, step, true);
}

rl_tensor *rl_arange_end(rl_scalar end, rl_dtype dtype)
{
    return rl_arange(rl_int(0), end, rl_int(1), dtype);
}

rl_tensor *rl_range(rl_scalar start, rl_scalar end, rl_scalar step, rl_dtype dtype)
{
    dtype = dtype == RL_NO_DTYPE ? rl_default_dtype() : dtype;
    if (dtype == RL_BOOL)
        return rl_fail(RL_ENOTIMPL, "\"range_cpu\" not implemented for 'Bool'");
    bool whole = rl_is_integral(dtype, false);
    if (whole)
        step = rl_int(rl_scalar_int(step));
    if (check_range(start, end, step))
        return NULL;
    if (whole) {
        start = rl_int(rl_scalar_int(start));
        end = rl_int(rl_scalar_int(end));
    }
    double n = (rl_scalar_double(end) - rl_scalar_double(start)) / rl_scalar_double(step) + 1;
    if (!(n >= 0 && n < 0x1p63))
        return rl_fail(RL_ERUNTIME, "invalid size, possible overflow?");
    return fill_range(dtype, (int64_t)n, start, step, false);
}

/* The values of linspace; those of logspace when base > 0. */
static rl_tensor *spaced(rl_scalar start, rl_scalar end, int64_t steps, double base, rl_dtype dtype,
                         const char *name)
{
    dtype = dtype == RL_NO_DTYPE ? rl_default_dtype() : dtype;
    if (steps < 0)
        return rl_fail(RL_ERUNTIME, "number of steps must be non-negative");
    if (dtype == RL_BOOL)
        return rl_fail(RL_ENOTIMPL, "\"%s\" not implemented for 'Bool'", name);
    rl_tensor *t = rl_new(dtype, 1, &steps);
    if (!t)
        return NULL;
    bool whole = rl_is_integral(dtype, false);
    double a = rl_scalar_double(start), b = rl_scalar_double(end), step = 0;
    if (whole) {
        a = (double)rl_scalar_int(start);
        b = (double)rl_scalar_int(end);
    } else if (!(base > 0)) {
        a = rounded(a, dtype);
        b = rounded(b, dtype);
    }
    if (steps > 1)
        step = (b - a) / (double)(steps - 1);
    if (!whole && !(base > 0))
        step = steps > 1 ? rounded(rounded(b - a, dtype) / (double)(steps - 1), dtype) : 0;
    enum precision how = whole || dtype == RL_F64 ? DOUBLE : dtype == RL_F32 ? SINGLE : NARROW;
    const bool fast = rl_cpu_has_level(RL_LEVEL_AVX2);
    block out = {.t = t};
    for (int64_t i = 0; i < steps; i += BLOCK, flush(&out)) {
        out.n = steps - i < BLOCK ? (int)(steps - i) : BLOCK;
        (fast ? spaced_fma : spaced_plain)(out.v, i, out.n, steps, how, dtype, a, b, step, base);
    }
    return t;
}

rl_tensor *rl_linspace(rl_scalar start, rl_scalar end, int64_t steps, rl_dtype dtype)
{
    return spaced(start, end, steps, 0, dtype, "linspace_cpu");
}

rl_tensor *rl_logspace(rl_scalar start, rl_scalar end, int64_t steps, double base, rl_dtype dtype)
{
    return spaced(start, end, steps, base, dtype, "logspace_cpu");
}

rl_tensor *rl_eye(int64_t n, rl_opt_int m, rl_dtype dtype)
{
    int64_t shape[2] = {n, m.given ? m.v : n};
    if (n < 0)
        return rl_fail(RL_ERUNTIME, "n must be greater or equal to 0, got %lld", (long long)n);
    if (shape[1] < 0)
        return rl_fail(RL_ERUNTIME, "m must be greater or equal to 0, got %lld",
                       (long long)shape[1]);
    rl_tensor *t = rl_zeros((rl_ints){shape, 2}, dtype);
    int64_t diagonal = n < shape[1] ? n : shape[1];
    if (!t || !diagonal)
        return t;
    RL_TEMP *d = rl_new_view(t, 1, &diagonal, &(int64_t){shape[1] + 1}, 0);
    if (!d || rl_fill_data(d, rl_int(1))) {
        rl_release(t);
        return NULL;
    }
    return t;
}
