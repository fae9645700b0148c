/* gemm.c: the matrix kernels of one instruction set: tiles, packing, dot products. */
#include "kernels/isa/isa.h"

#include "kernels/gemm.h"
#include "kernels/isa/gemm_vec.h"

#define S f32
#include "kernels/isa/gemm_tile.h"
#if RL_HAS_F64
#define S f64
#include "kernels/isa/gemm_tile.h"
#endif

#include "kernels/isa/gemm_pack.h"

/* ---- dot products: rules 2 and 3 of kernels/gemm.h ---- */

#include "kernels/isa/gemm_dot.h"
#include "kernels/isa/gemm_short.h"

/* ---- the table ---- */

#define MAX_ROWS(tiles) (int)(sizeof(tiles) / sizeof(tiles[0]))
static const rl_gemm_float_kernels in_f32 = {
    LANES_f32,
    {MAX_ROWS(tiles_1_f32), MAX_ROWS(tiles_2_f32), MAX_ROWS(tiles_4_f32)},
    {tiles_1_f32, tiles_2_f32, tiles_4_f32},
    pack_f32,
    dot_f32,
    short_f32,
};
#if RL_HAS_F64
#define IN_F64 K(rl_gemm_f64)
extern const rl_gemm_float_kernels IN_F64;
const rl_gemm_float_kernels IN_F64 = {
    LANES_f64,
    {MAX_ROWS(tiles_1_f64), MAX_ROWS(tiles_2_f64), MAX_ROWS(tiles_4_f64)},
    {tiles_1_f64, tiles_2_f64, tiles_4_f64},
    pack_f64,
    dot_f64,
    NULL,
};
#else
#define IN_F64 rl_gemm_f64_avx2
extern const rl_gemm_float_kernels IN_F64;
#endif

static const rl_gemm_kernels kernels = {&in_f32, &IN_F64};

void K(fill_gemm)(rl_kernels *table);
void K(fill_gemm)(rl_kernels *table) { table->gemm = &kernels; }
