/* reduce.c: reductions.
 *
 * Note: order of additions.  A contiguous range (inner form) is cut into chunks; each chunk is
 * added into LANES partial sums, element i to lane i mod LANES, and these by halves; the chunks'
 * sums are added up in double, for float64 with the rounding errors carried along.  Elements at any
 * other stride (outer form) are added in runs of OUTER_RUN, and the runs' sums in double.  Both
 * depend on nr alone.  Errors are far below those of one long chain of additions. */
#include "isa.h"

#include <math.h>
#include <string.h>
#if RL_VECTOR_BYTES > 16
#include <immintrin.h>
#endif

enum { OUTER_RUN = 64, WIDTH = 64 };

#define T double
#define INT int64_t
#define DTYPE RL_F64
#define F(function) function
#define NAME(f) K(f##_f64)
#define LANES 32
#define COMPENSATED 1
#include "reduce.tmpl.h"

#define T float
#define INT int32_t
#define DTYPE RL_F32
#define F(function) function##f
#define NAME(f) K(f##_f32)
#define LANES 64
#define COMPENSATED 0
#include "reduce.tmpl.h"

#define T int64_t
#define DTYPE RL_I64
#define NAME(f) K(f##_i64)
#include "reduce_int.tmpl.h"
#define T int32_t
#define DTYPE RL_I32
#define NAME(f) K(f##_i32)
#include "reduce_int.tmpl.h"
#define T int16_t
#define DTYPE RL_I16
#define NAME(f) K(f##_i16)
#include "reduce_int.tmpl.h"
#define T int8_t
#define DTYPE RL_I8
#define NAME(f) K(f##_i8)
#include "reduce_int.tmpl.h"
#define T uint8_t
#define DTYPE RL_U8
#define NAME(f) K(f##_u8)
#include "reduce_int.tmpl.h"
#define T uint8_t
#define DTYPE RL_BOOL
#define NAME(f) K(f##_bool)
#include "reduce_int.tmpl.h"

/* Sums and products of integers are of int64. */
static void K(SUM_i64)(size_t no, size_t nr, const char *x, ptrdiff_t so, ptrdiff_t sr, char *y,
                       ptrdiff_t sy, const rl_kargs *a)
{
    for (size_t o = 0; o < no; o++, x += so, y += sy) {
        const char *at = x;
        uint64_t sum = 0;
        if (sr == sizeof(int64_t))
            for (size_t i = 0; i < nr; i++)
                sum += ((const uint64_t *)x)[i];
        else
            for (size_t i = 0; i < nr; i++, at += sr)
                sum += *(const uint64_t *)at;
        *(uint64_t *)y = sum;
    }
}

static void K(PROD_i64)(size_t no, size_t nr, const char *x, ptrdiff_t so, ptrdiff_t sr, char *y,
                        ptrdiff_t sy, const rl_kargs *a)
{
    for (size_t o = 0; o < no; o++, x += so, y += sy) {
        const char *at = x;
        uint64_t product = 1;
        for (size_t i = 0; i < nr; i++, at += sr)
            product *= *(const uint64_t *)at;
        *(uint64_t *)y = product;
    }
}

void K(fill_reduce)(rl_kernels *t);
void K(fill_reduce)(rl_kernels *t)
{
    K(reduce_fill_f64)(t);
    K(reduce_fill_f32)(t);
    K(reduce_fill_i64)(t);
    K(reduce_fill_i32)(t);
    K(reduce_fill_i16)(t);
    K(reduce_fill_i8)(t);
    K(reduce_fill_u8)(t);
    K(reduce_fill_bool)(t);
    t->reduce[RL_REDUCE_SUM][RL_I64] = K(SUM_i64);
    t->reduce[RL_REDUCE_PROD][RL_I64] = K(PROD_i64);
}
