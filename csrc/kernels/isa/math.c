/* math.c: the elementary functions as kernels. */
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
#define RARE 1
#include "math.tmpl.h"

#define T double
#define DTYPE RL_F64
#define M(function) m_##function
#define F(function) function
#define NAME(f) K(f##_f64)
#define TABLES 0
#define RARE RL_HAS_F64 /* AVX-512 has the functions of float64 that take time in programs */
#include "math.tmpl.h"

/* ---- sigmoid: in float32 by a shorter way for blocks without extremes, to the same values ---- */

#define T float
#define NAME(f) K(f##_f32)
MAP1_BLOCKS(SIGMOID, T, fabsf(x) < EXP_NORMALF, sigmoid_normalf(x), m_sigmoidf(x))
MAP1(ERFINV, T, , m_erfinvf(x)) /* float64's is among the special functions */
#undef T
#undef NAME
#define T double
#define NAME(f) K(f##_f64)
MAP1(SIGMOID, T, , m_sigmoid(x))
#undef T
#undef NAME

void K(fill_math)(rl_kernels *t);
void K(fill_math)(rl_kernels *t)
{
    K(math_fill_f32)(t);
    t->map[RL_MAP_ERFINV][RL_F32] = K(ERFINV_f32);
    t->map[RL_MAP_SIGMOID][RL_F32] = K(SIGMOID_f32);
    K(math_fill_f64)(t);
    t->map[RL_MAP_SIGMOID][RL_F64] = K(SIGMOID_f64);
}
