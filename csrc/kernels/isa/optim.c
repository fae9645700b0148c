/* optim.c: optimizer steps on float32 and float64: parameter, gradient and states are read and
 * written once each, but for Adafactor's, which needs sums before it can step. */
#include "isa.h"

#include <math.h>
#if RL_VECTOR_BYTES > 16
#include <immintrin.h>
#endif

#include "kernels/optim.h"

#define T float
#define INT int32_t
#define LANES 32
#define F(function) function##f
#define NAME(f) K(f##_f32)
#include "optim.tmpl.h"

#define T double
#define INT int64_t
#define LANES 16
#define F(function) function
#define NAME(f) K(f##_f64)
#include "optim.tmpl.h"

/* ---- Muon's float32 numbers that are bfloat16's ---- */

/* To the nearest bfloat16, halves to even; nan stays. */
static inline float K(nearest_bf16)(float x)
{
    union {
        float f;
        uint32_t u;
    } v = {x};
    v.u = (v.u + 0x7fff + (v.u >> 16 & 1)) & 0xffff0000u;
    return x == x ? v.f : x;
}

static void K(muon_combine)(size_t n, float *restrict y, const float *restrict x, double from_y,
                            double from_x)
{
    const float cy = (float)from_y, cx = (float)from_x;
    for (size_t i = 0; i < n; i++)
        y[i] = K(nearest_bf16)(cy * y[i] + cx * x[i]);
}

static void K(muon_divide)(size_t n, float *x, double by)
{
    for (size_t i = 0; i < n; i++)
        x[i] = K(nearest_bf16)(x[i] / (float)by);
}

#define BOTH(f) {K(f##_f32), K(f##_f64)}
#define ADAFACTOR(t)                                                                               \
    {K(adafactor_sums_##t), K(adafactor_mean_##t), K(adafactor_size_##t), K(adafactor_step_##t)}
static const rl_optim_kernels K(optim_table) = {
    {BOTH(sgd), BOTH(adam), BOTH(rmsprop), BOTH(adagrad), BOTH(adadelta), BOTH(adamax), BOTH(nadam),
     BOTH(radam), BOTH(asgd), BOTH(rprop), BOTH(muon_mean), BOTH(muon_step)},
    {ADAFACTOR(f32), ADAFACTOR(f64)},
    BOTH(turn),
    K(muon_combine),
    K(muon_divide)};

void K(fill_optim)(rl_kernels *t);
void K(fill_optim)(rl_kernels *t) { t->optim = &K(optim_table); }
