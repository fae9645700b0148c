/* arith.c: arithmetic, comparison and logic of float32 and float64. */
#include "isa.h"

#include <math.h>

#include "loops.h"

#define T float
#define DTYPE RL_F32
#define F(function) function##f
#define NAME(f) K(f##_f32)
#include "arith.tmpl.h"

#define T double
#define DTYPE RL_F64
#define F(function) function
#define NAME(f) K(f##_f64)
#include "arith.tmpl.h"

void K(fill_arith)(rl_kernels *t);
void K(fill_arith)(rl_kernels *t)
{
    K(arith_fill_f32)(t);
    K(arith_fill_f64)(t);
}
