/* random.h: filling tensors with random numbers, shared by ops/fill.c, random.c and sample.c.
 * Nothing here knows autograd or versions, or checks the distributions' parameters. */
#ifndef RL_OPS_RANDOM_H
#define RL_OPS_RANDOM_H

#include "core/random.h"
#include "core/tensor.h"

/* One way of filling: make() writes the next n samples of dtype `sample`, n <= RL_FILL_CHUNK. */
enum { RL_FILL_CHUNK = 512 }; /* a multiple of 16 */

typedef struct rl_fill {
    rl_dtype sample;
    void (*make)(struct rl_fill *f, void *y, size_t n);
    double a, b; /* parameters of the distribution, see the makers */
    uint64_t range;
    int64_t base;
    rl_tensor *p; /* probabilities, float64, broadcast to x; or NULL */
    /* Set by rl_fill_run: */
    rl_generator *g;
    const rl_random_kernels *k;
    rl_dtype target;             /* dtype of the tensor */
    const double *probabilities; /* those of the chunk */
} rl_fill;

/* Fills x in memory order.  generator NULL: the default one.  RL_ERUNTIME when x overlaps itself.
 */
rl_status rl_fill_run(rl_fill *f, rl_tensor *x, rl_generator *generator);

void rl_make_uniform_f32(rl_fill *f, void *y, size_t n); /* float32: [a, b) */
void rl_make_uniform_f64(rl_fill *f, void *y, size_t n); /* float64: [a, b) */
void rl_make_normal(rl_fill *f, void *y, size_t n);      /* float64: mean a, deviation b */
void rl_make_log_normal(rl_fill *f, void *y, size_t n);  /* float64: exp of that */
void rl_make_exponential(rl_fill *f, void *y, size_t n); /* float64: rate a */
void rl_make_geometric(rl_fill *f, void *y, size_t n);   /* float64: b = log(1 - p) */
void rl_make_cauchy(rl_fill *f, void *y, size_t n);      /* float64: median a, scale b */
void rl_make_bernoulli_f32(rl_fill *f, void *y,
                           size_t n); /* float32: b with probability a, else 0 */
void rl_make_bernoulli_f64(rl_fill *f, void *y, size_t n); /* float64: the same */
void rl_make_bernoulli_each(rl_fill *f, void *y,
                            size_t n); /* float32: 1 with probability p; range: p was float64 */
void rl_make_integers(rl_fill *f, void *y,
                      size_t n); /* int64: base + draw % range; b: from two words */

/* Normal numbers, as PyTorch draws them: in blocks for 16 row-major elements or more, else one at a
 * time. */
rl_status rl_fill_normal(rl_tensor *x, double mean, double std, rl_generator *generator);
rl_status rl_fill_uniform(rl_tensor *x, double from, double to, rl_generator *generator);
/* Coins: `one` with probability p, else 0. */
rl_fill rl_plan_bernoulli(rl_dtype dtype, double p, double one);
/* x[i] = one with probability p, else 0; any dtype. */
rl_status rl_fill_bernoulli(rl_tensor *x, double p, double one, rl_generator *generator);

#endif
