/* fft.c: Fourier transforms of short signals: lays out the work of kernels/isa/fft.c. */
#include "ops/fft.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/parallel.h"
#include "core/tensor.h"
#include "kernels/kernels.h"

/* Numbers of a signal up to which a single one is worth the lanes that stay empty. */
enum { SHORT = 256 };

/* cos and -sin of 2 pi j / n, from angles up to pi / 4, so that quarters are exact. */
static void turn(int64_t j, int64_t n, double w[2])
{
    const int64_t quarter = 4 * j / n, rest = 4 * j - quarter * n;
    const bool beyond = 2 * rest > n;
    const double pi = 3.14159265358979323846;
    const double angle = (double)(beyond ? n - rest : rest) * (pi / 2) / (double)n;
    const double c = beyond ? sin(angle) : cos(angle), s = beyond ? cos(angle) : sin(angle);
    w[0] = quarter == 0 ? c : quarter == 1 ? -s : quarter == 2 ? -c : s;
    w[1] = quarter == 0 ? -s : quarter == 1 ? -c : quarter == 2 ? s : c;
}

/* The table of a length, made when it is first needed and kept: 8 or 16 bytes per number. */
static const void *table(bool wide, int64_t n)
{
    static _Atomic(void *) kept[2][RL_FFT_LONGEST + 1];
    void *known = atomic_load_explicit(&kept[wide][n], memory_order_acquire);
    if (known)
        return known;
    void *made = malloc((size_t)n * 2 * (wide ? sizeof(double) : sizeof(float)));
    if (!made)
        return rl_fail(RL_EMEMORY, "fft: no memory for the %lld roots of one", (long long)n);
    for (int64_t j = 0; j < n; j++) {
        double w[2];
        turn(j, n, w);
        for (int i = 0; i < 2; i++)
            if (wide)
                ((double *)made)[2 * j + i] = w[i];
            else
                ((float *)made)[2 * j + i] = (float)w[i];
    }
    if (atomic_compare_exchange_strong(&kept[wide][n], &known, made))
        return made;
    free(made); /* another thread was faster */
    return known;
}

static bool factors_small(int64_t n)
{
    for (int64_t r = 2; r <= RL_FFT_PRIME && n > 1; r++)
        while (n % r == 0)
            n /= r;
    return n == 1;
}

/* The length along dims[i], of the real side. */
static int64_t length(const rl_tensor *x, rl_ints dims, int i, rl_fft_kind kind, int64_t size)
{
    return kind == RL_FFT_FROM_HALF && i == dims.n - 1 ? size : x->shape[dims.v[i]];
}

bool rl_fft_is_short(rl_tensor *x, rl_ints dims, rl_fft_kind kind, int64_t size)
{
    if (!x->numel || !rl_is_differentiable(x->dtype) || x->dtype == RL_F16 || x->dtype == RL_BF16)
        return false;
    int64_t n = 1, numbers = 1;
    for (int i = 0; i < dims.n; i++) {
        const int64_t one = length(x, dims, i, kind, size);
        if (one < 1 || one > RL_FFT_LONGEST || !factors_small(one))
            return false;
        n *= one;
        numbers *= x->shape[dims.v[i]];
        if (n > RL_FFT_LONGEST)
            return false;
    }
    if (kind == RL_FFT_FROM_HALF && x->shape[dims.v[dims.n - 1]] != size / 2 + 1)
        return false;
    const int lanes = RL_FFT_VECTOR / (rl_real_dtype(x->dtype) == RL_F64 ? 8 : 4);
    return n <= SHORT || x->numel / numbers >= lanes;
}

size_t rl_fft_scratch(const rl_fft *f)
{
    const int64_t most = f->n_in > f->n_out ? f->n_in : f->n_out;
    return (size_t)most * 2 * 2 * RL_FFT_VECTOR;
}

typedef struct job {
    rl_fft f;
    rl_fft_fn *run;
    const char *x;
    char *y;
    int lanes;
    int64_t signals;
    int ndim; /* of the dims that are not transformed: where a signal begins */
    int64_t shape[RL_MAX_DIMS], step_in[RL_MAX_DIMS], step_out[RL_MAX_DIMS];
    atomic_bool failed;
} job;

/* Blocks of `lanes` signals. */
static void blocks(int64_t begin, int64_t end, void *context)
{
    job *j = context;
    const size_t bytes = rl_fft_scratch(&j->f);
    void *scratch = rl_alloc(bytes);
    if (!scratch) {
        atomic_store(&j->failed, true);
        return;
    }
    int64_t index[RL_MAX_DIMS], in = 0, out = 0, at = begin * j->lanes;
    for (int d = j->ndim - 1; d >= 0; d--) {
        index[d] = at % j->shape[d];
        at /= j->shape[d];
        in += index[d] * j->step_in[d];
        out += index[d] * j->step_out[d];
    }
    for (int64_t b = begin; b < end; b++) {
        const int64_t left = j->signals - b * j->lanes;
        const int n = left < j->lanes ? (int)left : j->lanes;
        int64_t first_in[RL_FFT_VECTOR], first_out[RL_FFT_VECTOR];
        for (int i = 0; i < n; i++) {
            first_in[i] = in;
            first_out[i] = out;
            for (int d = j->ndim - 1; d >= 0; d--) {
                in += j->step_in[d];
                out += j->step_out[d];
                if (++index[d] < j->shape[d])
                    break;
                in -= j->shape[d] * j->step_in[d];
                out -= j->shape[d] * j->step_out[d];
                index[d] = 0;
            }
        }
        j->run(&j->f, n, j->x, first_in, j->y, first_out, scratch);
    }
    rl_free(scratch, bytes);
}

/* Where the numbers of a signal lie: t's dims, row-major, in real numbers; returns how many. */
static int64_t places(const rl_tensor *t, rl_ints dims, int64_t *at)
{
    const int64_t unit = rl_is_complex((rl_dtype)t->dtype) ? 2 : 1;
    int64_t n = 1;
    at[0] = 0;
    for (int i = 0; i < dims.n; i++) { /* from its end on: at grows in place */
        const int64_t size = t->shape[dims.v[i]], step = t->strides[dims.v[i]] * unit;
        for (int64_t k = n - 1; k >= 0; k--)
            for (int64_t j = size - 1; j >= 0; j--)
                at[k * size + j] = at[k] + j * step;
        n *= size;
    }
    return n;
}

static bool dense(const rl_tensor *t, int64_t n, const int64_t *at)
{
    const int64_t unit = rl_is_complex((rl_dtype)t->dtype) ? 2 : 1;
    for (int64_t i = 0; i < n; i++)
        if (at[i] != i * unit)
            return false;
    return true;
}

rl_tensor *rl_fft_short(rl_tensor *x, rl_ints dims, rl_fft_kind kind, bool inverse,
                        rl_fft_scale scale, int64_t size)
{
    const rl_dtype real = rl_real_dtype((rl_dtype)x->dtype);
    const bool wide = real == RL_F64;
    int64_t shape[RL_MAX_DIMS], n[RL_MAX_DIMS], total = 1;
    const void *tables[RL_MAX_DIMS];
    bool transformed[RL_MAX_DIMS] = {false};
    job j = {.run = rl_kernel_table.fft[wide], .x = rl_data(x), .signals = 1};
    memcpy(shape, x->shape, sizeof *shape * (size_t)x->ndim);
    for (int i = 0; i < dims.n; i++) {
        n[i] = length(x, dims, i, kind, size);
        total *= n[i];
        transformed[dims.v[i]] = true;
        tables[i] = table(wide, n[i]);
        if (!tables[i])
            return NULL;
    }
    const int64_t last = n[dims.n - 1];
    shape[dims.v[dims.n - 1]] = kind == RL_FFT_TO_HALF ? last / 2 + 1 : last;
    j.f = (rl_fft){.kind = kind, .inverse = inverse, .ndim = dims.n, .n = n, .table = tables};
    j.f.scale = scale == RL_FFT_PLAIN  ? 1
                : scale == RL_FFT_BY_N ? 1 / (double)total
                                       : 1 / sqrt((double)total);
    if (kind >= RL_FFT_TO_HALF && last % 2 == 0 && !(j.f.half_table = table(wide, last / 2)))
        return NULL;
    RL_TEMP *y = rl_new(kind == RL_FFT_FROM_HALF ? real : rl_complex_dtype(real), x->ndim, shape);
    const size_t bytes = 2 * sizeof(int64_t) * RL_FFT_LONGEST;
    int64_t *at = y ? rl_alloc(bytes) : NULL;
    if (!at)
        return NULL;
    j.y = rl_data(y);
    j.lanes = rl_kernel_table.fft_vector / (wide ? 8 : 4);
    const int64_t unit_in = rl_is_complex((rl_dtype)x->dtype) ? 2 : 1;
    const int64_t unit_out = rl_is_complex((rl_dtype)y->dtype) ? 2 : 1;
    for (int d = 0; d < x->ndim; d++)
        if (!transformed[d]) {
            j.shape[j.ndim] = shape[d];
            j.step_in[j.ndim] = x->strides[d] * unit_in;
            j.step_out[j.ndim++] = y->strides[d] * unit_out;
            j.signals *= shape[d];
        }
    j.f.at_in = at, j.f.at_out = at + RL_FFT_LONGEST;
    j.f.n_in = places(x, dims, at), j.f.n_out = places(y, dims, at + RL_FFT_LONGEST);
    j.f.dense_in = dense(x, j.f.n_in, j.f.at_in);
    j.f.dense_out = dense(y, j.f.n_out, j.f.at_out);
    const int64_t grain = 1 + 16384 / (total * j.lanes);
    rl_parallel_for((j.signals + j.lanes - 1) / j.lanes, grain, blocks, &j);
    rl_free(at, bytes);
    if (atomic_load(&j.failed))
        return rl_fail(RL_EMEMORY, "fft: no memory for %lld numbers", (long long)total);
    return rl_retain(y);
}
