/* row.c: kernels over rows of contiguous elements: softmax, cross entropy, sums of losses.
 * Sums are by lanes: element i into partial sum i mod 32, these then added by halves, in the same
 * order in every build. */
#include "isa.h"

#if RL_VECTOR_BYTES > 16
#include <immintrin.h>
#endif

#include "loops.h"
#include "math_f32.h"
#include "tables_f32.h"

enum { BLOCK = 1024 };

static inline void K(exp_lanes_f32)(float *e, const float *x, float most, size_t n)
{
#if RL_VECTOR_BYTES == 64
    for (size_t k = 0; k < n; k += VF_WIDTH)
        vf_store(e + k, vf_exp(vf_load(x + k) - most));
#else /* the short way or the other for all of them */
    bool near = true;
    for (size_t k = 0; k < n; k += VF_WIDTH) {
        const VF v = vf_load(x + k) - most;
        near &= vf_within(v, 87);
        vf_store(e + k, v);
    }
    if (near)
        for (size_t k = 0; k < n; k += VF_WIDTH)
            vf_store(e + k, vf_exp_clamped(vf_load(e + k), true));
    else
        for (size_t k = 0; k < n; k += VF_WIDTH)
            vf_store(e + k, vf_exp(vf_load(e + k)));
#endif
}

/* All 32, whatever n is: a loop that the compiler unrolls. */
static inline void K(exp_lanes_f64)(double *e, const double *x, double most)
{
    for (size_t k = 0; k < 32; k++)
        e[k] = m_exp(x[k] - most);
}

#define T float
#define INT int32_t
#define LANES 32
#define EXP_LANES(e, x, most, n) K(exp_lanes_f32)(e, x, most, n)
#define DTYPE RL_F32
#define M(function) m_##function##f
#define F(function) function##f
#define NAME(f) K(f##_f32)
#include "row.tmpl.h"

#if RL_HAS_F64
#define T double
#define INT int64_t
#define LANES 32
#define EXP_LANES(e, x, most, n) K(exp_lanes_f64)(e, x, most)
#define DTYPE RL_F64
#define M(function) m_##function
#define F(function) function
#define NAME(f) K(f##_f64)
#include "row.tmpl.h"

static void K(ctc_step)(size_t rows, size_t n, char *const *p, const ptrdiff_t *s,
                        const rl_kargs *a)
{
    (void)s, (void)a;
    double *restrict y = (double *)p[0];
    const double *x = (const double *)p[1], *skip = (const double *)p[2];
    const double *z = (const double *)p[3];
    for (size_t i = 0; i < rows * n; i += 8)
        for (size_t k = i; k < i + 8; k++) {
            const double u = x[k], v = x[k - 1], w = x[k - 2] + skip[k];
            const double uv = u > v ? u : v, most = uv > w ? uv : w;
            const double m = most == -INFINITY ? 0 : most;
            y[k] = m + m_log(m_exp(u - m) + m_exp(v - m) + m_exp(w - m)) + z[k];
        }
}
#endif

void K(fill_row)(rl_kernels *t);
void K(fill_row)(rl_kernels *t)
{
    K(row_fill_f32)(t);
#if RL_HAS_F64
    K(row_fill_f64)(t);
    t->row[RL_ROW_CTC_STEP][RL_F64] = K(ctc_step);
#endif
}
