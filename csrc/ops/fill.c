/* fill.c: random numbers into tensors: the order of elements, and how each distribution is drawn.
 *
 * Elements are drawn one after the other in the order in which they lie in memory (the dimension of
 * smallest stride fastest), as PyTorch does, so x.t().uniform_() draws what x.uniform_() draws.
 * Which words of the generator make a number, and how it is rounded, is stated at each
 * distribution. */
#include <math.h>

#include "core/random_math.h"
#include "ops/random.h"

/* ---- walking ---- */

/* n samples to stride bytes apart.  Half precision goes through float32, as in PyTorch, also from
 * double samples. */
static void put(rl_fill *f, char *x, ptrdiff_t stride, size_t n)
{
    size_t size = rl_dtype_size(f->sample);
    if (f->target == f->sample && stride == (ptrdiff_t)size) {
        f->make(f, x, n);
        return;
    }
    double buffer[RL_FILL_CHUNK];
    rl_dtype from = f->sample;
    f->make(f, buffer, n);
    if (from == RL_F64 && (f->target == RL_F16 || f->target == RL_BF16)) {
        float narrow[RL_FILL_CHUNK];
        for (size_t i = 0; i < n; i++)
            narrow[i] = (float)buffer[i];
        rl_convert(RL_F32, narrow, sizeof(float), f->target, x, stride, n);
        return;
    }
    rl_convert(from, buffer, (ptrdiff_t)size, f->target, x, stride, n);
}

static void put_run(rl_fill *f, char *x, ptrdiff_t sx, const char *p, ptrdiff_t sp, int64_t n)
{
    double probabilities[RL_FILL_CHUNK];
    f->probabilities = probabilities;
    for (int64_t i = 0; i < n; i += RL_FILL_CHUNK) {
        size_t m = (size_t)(n - i < RL_FILL_CHUNK ? n - i : RL_FILL_CHUNK);
        if (p)
            rl_convert(RL_F64, p + i * sp, sp, RL_F64, probabilities, sizeof(double), m);
        put(f, x + i * sx, sx, m);
    }
    f->probabilities = NULL;
}

/* Runs f over x in memory order. */
rl_status rl_fill_run(rl_fill *f, rl_tensor *x, rl_generator *generator)
{
    const ptrdiff_t item = (ptrdiff_t)rl_itemsize(x);
    int64_t size[RL_MAX_DIMS], sx[RL_MAX_DIMS], sp[RL_MAX_DIMS], at[RL_MAX_DIMS] = {0};
    int n = 0;
    if (rl_overlaps_itself(x))
        return rl_error(
            RL_ERUNTIME,
            "unsupported operation: more than one element of the written-to tensor refers to a "
            "single "
            "memory location. Please clone() the tensor before performing the operation.");
    if (x->numel == 0)
        return RL_OK;
    f->target = (rl_dtype)x->dtype;
    f->k = rl_random_table();
    if (x->contiguous && !f->p) {
        size[0] = x->numel;
        sx[0] = 1;
        sp[0] = 0;
        n = 1;
    } else {
        for (int d = x->ndim - 1; d >= 0; d--) {
            if (x->shape[d] == 1)
                continue;
            int at_p = f->p ? d - (x->ndim - f->p->ndim) : -1;
            int64_t stride_p = at_p >= 0 && f->p->shape[at_p] != 1 ? f->p->strides[at_p] : 0;
            int i = n++;
            for (; i > 0 && sx[i - 1] > x->strides[d];
                 i--) { /* sorted by stride, the smallest first */
                size[i] = size[i - 1];
                sx[i] = sx[i - 1];
                sp[i] = sp[i - 1];
            }
            size[i] = x->shape[d];
            sx[i] = x->strides[d];
            sp[i] = stride_p;
        }
        if (!n) {
            size[0] = 1;
            sx[0] = sp[0] = 0;
            n = 1;
        }
        int m = 0; /* merge what continues the dimension before */
        for (int i = 1; i < n; i++) {
            if (sx[i] == sx[m] * size[m] && sp[i] == sp[m] * size[m]) {
                size[m] *= size[i];
            } else {
                m++;
                size[m] = size[i], sx[m] = sx[i], sp[m] = sp[i];
            }
        }
        n = m + 1;
    }
    f->g = rl_generator_lock(generator);
    char *px = x->data;
    const char *pp = f->p ? f->p->data : NULL;
    for (;;) {
        put_run(f, px, sx[0] * item, pp, sp[0] * (ptrdiff_t)sizeof(double), size[0]);
        int d = 1;
        for (; d < n; d++) {
            px += sx[d] * item;
            pp += pp ? sp[d] * (ptrdiff_t)sizeof(double) : 0;
            if (++at[d] < size[d])
                break;
            px -= sx[d] * size[d] * item;
            pp -= pp ? sp[d] * size[d] * (ptrdiff_t)sizeof(double) : 0;
            at[d] = 0;
        }
        if (d == n)
            break;
    }
    rl_generator_unlock(f->g);
    return RL_OK;
}

/* ---- distributions ---- */

/* 24 bits of one word each; half precision rounds that, and takes `from` where rounding gives `to`.
 */
void rl_make_uniform_f32(rl_fill *f, void *out, size_t n)
{
    uint32_t bits[RL_FILL_CHUNK];
    float *y = out;
    rl_draw_words(f->g, bits, n);
    f->k->uniform_f32(bits, y, n, (float)f->a, (float)f->b);
    if (f->target == RL_F32)
        return;
    uint16_t narrow[RL_FILL_CHUNK];
    float top = (float)f->b, wide[RL_FILL_CHUNK];
    rl_convert(RL_F32, &top, sizeof top, f->target, narrow, sizeof *narrow, 1);
    rl_convert(f->target, narrow, sizeof *narrow, RL_F32, &top, sizeof top, 1);
    rl_convert(RL_F32, y, sizeof *y, f->target, narrow, sizeof *narrow, n);
    rl_convert(f->target, narrow, sizeof *narrow, RL_F32, wide, sizeof *wide, n);
    for (size_t i = 0; i < n; i++)
        y[i] = wide[i] == top ? (float)f->a : wide[i];
}

/* 53 bits of two words each. */
void rl_make_uniform_f64(rl_fill *f, void *out, size_t n)
{
    uint32_t bits[2 * RL_FILL_CHUNK];
    rl_draw_words(f->g, bits, 2 * n);
    f->k->uniform_f64(bits, out, n, f->a, f->b);
}

void rl_make_normal(rl_fill *f, void *out, size_t n)
{
    rl_draw_normals(f->g, out, n);
    f->k->affine(out, n, f->a, f->b);
}

void rl_make_log_normal(rl_fill *f, void *out, size_t n)
{
    rl_draw_normals(f->g, out, n);
    f->k->log_normal(out, n, f->a, f->b);
}

/* n numbers on [0, 1) of 53 bits. */
static void units(rl_fill *f, double *y, size_t n)
{
    uint32_t bits[2 * RL_FILL_CHUNK];
    rl_draw_words(f->g, bits, 2 * n);
    f->k->uniform_f64(bits, y, n, 0, 1);
}

void rl_make_exponential(rl_fill *f, void *out, size_t n)
{
    units(f, out, n);
    f->k->exponential(out, n, f->a);
}

void rl_make_geometric(rl_fill *f, void *out, size_t n)
{
    units(f, out, n);
    f->k->geometric(out, n, f->b);
}

void rl_make_cauchy(rl_fill *f, void *out, size_t n)
{
    units(f, out, n);
    f->k->cauchy(out, n, f->a, f->b);
}

/* b where 53 bits are below a, else 0. */
void rl_make_bernoulli_f32(rl_fill *f, void *out, size_t n)
{
    uint32_t bits[2 * RL_FILL_CHUNK];
    rl_draw_words(f->g, bits, 2 * n);
    f->k->bernoulli_f32(bits, out, n, (uint64_t)ceil(f->a * 0x1p53), (float)f->b);
}

void rl_make_bernoulli_f64(rl_fill *f, void *out, size_t n)
{
    uint32_t bits[2 * RL_FILL_CHUNK];
    double *y = out;
    rl_draw_words(f->g, bits, 2 * n);
    for (size_t i = 0; i < n; i++)
        y[i] = rl_unit53(bits[2 * i], bits[2 * i + 1]) < f->a ? f->b : 0.0;
}

/* Probabilities of their own: 53 bits for float64 ones (range 1), 24 for narrower ones. */
void rl_make_bernoulli_each(rl_fill *f, void *out, size_t n)
{
    uint32_t bits[2 * RL_FILL_CHUNK];
    float *y = out;
    rl_draw_words(f->g, bits, f->range ? 2 * n : n);
    for (size_t i = 0; i < n; i++) {
        double u = f->range ? rl_unit53(bits[2 * i], bits[2 * i + 1])
                            : (double)(int32_t)(bits[i] & 0xffffff) * 0x1p-24;
        y[i] = u < f->probabilities[i] ? 1.0f : 0.0f;
    }
}

/* base + word % range, or of two words; range 0: all 64 bits. */
void rl_make_integers(rl_fill *f, void *out, size_t n)
{
    uint32_t bits[2 * RL_FILL_CHUNK];
    int64_t *y = out;
    bool wide = f->b != 0;
    rl_draw_words(f->g, bits, wide ? 2 * n : n);
    for (size_t i = 0; i < n; i++) {
        uint64_t v = wide ? (uint64_t)bits[2 * i] << 32 | bits[2 * i + 1] : bits[i];
        if (!wide)
            v = (uint32_t)v % (uint32_t)f->range;
        else if (f->range)
            v %= f->range;
        y[i] = (int64_t)(v + (uint64_t)f->base);
    }
}

/* ---- fills ---- */

/* 16 numbers or more in row-major order: a uniform number per element, Box-Muller on blocks of 16
 * of them; when the last block is not full, the last 16 elements are drawn anew and overwritten.
 * float32 and float64 draw all the uniform numbers first; half precision works block by block in
 * float32 and skips the partial one. */
static void normal_blocks(rl_generator *g, rl_dtype dtype, char *x, int64_t n, double mean,
                          double std)
{
    const rl_random_kernels *k = rl_random_table();
    const size_t item = rl_dtype_size(dtype);
    const bool half = dtype == RL_F16 || dtype == RL_BF16;
    uint32_t bits[2 * RL_FILL_CHUNK];
    float buffer[RL_FILL_CHUNK];
    for (int64_t i = 0; i < n;) {
        int64_t m = n - i < RL_FILL_CHUNK ? n - i : RL_FILL_CHUNK;
        if (m < RL_FILL_CHUNK && m % 16 && i + m == n && m < 16)
            m = n - i;
        else if (m % 16)
            m -= m % 16;
        bool last = m % 16 != 0; /* fewer than 16 remain */
        char *y = x + (size_t)i * item;
        if (last && !half)
            rl_draw_words(g, bits, (size_t)m * (item / 4)); /* drawn and thrown away */
        if (last) {
            y = x + (size_t)(n - 16) * item;
            m = 16;
        }
        rl_draw_words(g, bits, (size_t)m * (dtype == RL_F64 ? 2 : 1));
        if (dtype == RL_F64) {
            k->uniform_f64(bits, (double *)y, (size_t)m, 0, 1);
            k->normal_f64((double *)y, (size_t)m / 16, mean, std);
        } else {
            float *z = half ? buffer : (float *)y;
            k->uniform_f32(bits, z, (size_t)m, 0, 1);
            k->normal_f32(z, (size_t)m / 16, (float)mean, (float)std);
            if (half)
                rl_convert(RL_F32, z, sizeof *z, dtype, y, (ptrdiff_t)item, (size_t)m);
        }
        i = last ? n : i + m;
    }
}

rl_status rl_fill_normal(rl_tensor *x, double mean, double std, rl_generator *generator)
{
    if (x->numel >= 16 && x->contiguous) {
        rl_generator *g = rl_generator_lock(generator);
        normal_blocks(g, (rl_dtype)x->dtype, x->data, x->numel, mean, std);
        rl_generator_unlock(g);
        return RL_OK;
    }
    rl_fill f = {.sample = RL_F64, .make = rl_make_normal, .a = mean, .b = std};
    return rl_fill_run(&f, x, generator);
}

rl_status rl_fill_uniform(rl_tensor *x, double from, double to, rl_generator *generator)
{
    rl_fill f = {.sample = x->dtype == RL_F64 ? RL_F64 : RL_F32,
                 .make = x->dtype == RL_F64 ? rl_make_uniform_f64 : rl_make_uniform_f32,
                 .a = from,
                 .b = to};
    return rl_fill_run(&f, x, generator);
}

rl_fill rl_plan_bernoulli(rl_dtype dtype, double p, double one)
{
    bool wide = dtype == RL_F64;
    return (rl_fill){.sample = wide ? RL_F64 : RL_F32,
                     .make = wide ? rl_make_bernoulli_f64 : rl_make_bernoulli_f32,
                     .a = p,
                     .b = one};
}

rl_status rl_fill_bernoulli(rl_tensor *x, double p, double one, rl_generator *generator)
{
    rl_fill f = rl_plan_bernoulli((rl_dtype)x->dtype, p, one);
    return rl_fill_run(&f, x, generator);
}
