/* optim_step.h: what the files of optimizer steps share (optim.c, adafactor.c, muon.c). */
#ifndef RL_OPS_OPTIM_STEP_H
#define RL_OPS_OPTIM_STEP_H

#include "core/loop.h"
#include "kernels/optim.h"

/* Elements below which a step stays on one thread: their gradients still lie in the cache of the
 * core that made them.  Where workers are awake, they have just made some of them. */
#define RL_OPTIM_GRAIN 262144
#define RL_OPTIM_GRAIN_AWAKE 32768

/* Slots of a state: the count of steps, then tensors. */
enum { RL_OPTIM_COUNT, RL_OPTIM_FIRST, RL_OPTIM_SECOND, RL_OPTIM_THIRD };

/* States that are one float32 or float64 number; a new one has the default dtype. */
rl_status rl_optim_make_number(double value, rl_tensor **slot);
double rl_optim_number(const rl_tensor *t);
void rl_optim_set_number(rl_tensor *t, double v); /* counts as a write */

/* RL_ERUNTIME: neither floating nor complex, or shapes or kinds that differ. */
rl_status rl_optim_check(const rl_tensor *p, const rl_tensor *g);
rl_status rl_optim_check_number(const rl_tensor *t, const char *what);
/* A state t of parameter p must be of p's kind and have this shape. */
rl_status rl_optim_check_state(const rl_tensor *t, int ndim, const int64_t *shape,
                               const rl_tensor *p);

/* The dtype that a step of p is computed in: half precision in float32, rounded once.  Complex
 * numbers count as pairs of reals. */
static inline rl_dtype rl_optim_dtype(const rl_tensor *p)
{
    return rl_dtype_size((rl_dtype)p->dtype) < sizeof(float) ? RL_F32 : (rl_dtype)p->dtype;
}

/* A loop over n elements of dtype, on several threads when there are many.  s: three states, NULL
 * where there is none. */
void rl_optim_run(rl_optim_loop loop, rl_dtype dtype, int64_t n, void *p, const void *g,
                  void *const *s, const rl_optim_args *a);

/* Tensors as row-major memory of one dtype.  open: t's own memory if it is that, else a copy in
 * *scratch, which moves on by the room that the copy takes; close writes a copy back and counts the
 * write.  Neither allocates: a step asks for room first and cannot fail later.  t NULL passes. */
size_t rl_optim_room(const rl_tensor *t, rl_dtype dtype);
void *rl_optim_open(rl_tensor *t, rl_dtype dtype, char **scratch);
void rl_optim_close(rl_tensor *t, rl_dtype dtype, void *memory);
/* Row-major memory of dtype filled from t, or t from it; part of open and close. */
void rl_optim_transfer(rl_tensor *t, rl_dtype dtype, void *memory, bool back);
/* Bytes of n items, up to the end of a cache line. */
static inline size_t rl_optim_bytes(int64_t n, size_t item)
{
    return ((size_t)n * item + 63) & ~(size_t)63;
}

/* As rl_optim_step, for their kinds. */
rl_status rl_adafactor_step(const rl_optim *o, int64_t n, rl_tensor *const *params,
                            rl_tensor *const *grads, rl_optim_state *state);
rl_status rl_muon_step(const rl_optim *o, int64_t n, rl_tensor *const *params,
                       rl_tensor *const *grads, rl_optim_state *state);

#endif
