/* row.c: kernels over rows of contiguous elements: softmax, cross entropy, sums of losses.
 * Sums are by lanes: element i into partial sum i mod 32, these then added by halves, in the same
 * order in every build. */
#include "isa.h"

#include "loops.h"
#include "math_f32.h"

enum { LANES = 32 };

/* exp(x[i] - most) in float32: the short way where all of a block are in range (math_f32.h), same
 * values. */
static void K(exp_row_blocks)(float *y, const float *x, float most, size_t n)
{
    for (size_t i = 0; i < n; i += 128) {
        size_t end = n - i < 128 ? n : i + 128;
        int unusual = 0;
        for (size_t k = i; k < end; k++)
            unusual |= !(fabsf(x[k] - most) < EXP_NORMALF);
        if (unusual)
            RL_IVDEP for (size_t k = i; k < end; k++) y[k] = m_expf(x[k] - most);
        else
            RL_IVDEP for (size_t k = i; k < end; k++) y[k] = exp_normalf(x[k] - most);
    }
}

#define T float
#define EXP_ROW(y, x, most, n) K(exp_row_blocks)(y, x, most, n)
#define DTYPE RL_F32
#define M(function) m_##function##f
#define F(function) function##f
#define NAME(f) K(f##_f32)
#include "row.tmpl.h"

#define T double
#define EXP_ROW(y, x, most, n) RL_IVDEP for (size_t i = 0; i < n; i++) y[i] = m_exp(x[i] - most)
#define DTYPE RL_F64
#define M(function) m_##function
#define F(function) function
#define NAME(f) K(f##_f64)
#include "row.tmpl.h"

void K(fill_row)(rl_kernels *t);
void K(fill_row)(rl_kernels *t)
{
    K(row_fill_f32)(t);
    K(row_fill_f64)(t);
}
