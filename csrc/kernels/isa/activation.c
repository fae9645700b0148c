/* activation.c: activations and binary losses that need elementary functions, and their
 * derivatives. */
#include "isa.h"

#define RL_STEP(R) RL_WHOLE(R)
#include "loops.h"
#include "math_f32.h"
#include "tables_f32.h"

#define T float
#define DTYPE RL_F32
#define M(function) m_##function##f
#define F(function) function##f
#define NAME(f) K(f##_f32)
#define TABLES 1
#include "activation.tmpl.h"

#if RL_HAS_F64
#define T double
#define DTYPE RL_F64
#define M(function) m_##function
#define F(function) function
#define NAME(f) K(f##_f64)
#define TABLES 0
#include "activation.tmpl.h"
#endif

void K(fill_activation)(rl_kernels *t);
void K(fill_activation)(rl_kernels *t)
{
    K(activation_fill_f32)(t);
#if RL_HAS_F64
    K(activation_fill_f64)(t);
#endif
}
