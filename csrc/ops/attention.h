/* attention.h: scaled dot-product attention over tiles of the scores, none of which is kept. */
#ifndef RL_OPS_ATTENTION_H
#define RL_OPS_ATTENTION_H

#include "core/random.h"
#include "core/tensor.h"

enum {
    RL_ATTENTION_ROWS = 24,    /* queries of a tile */
    RL_ATTENTION_COLUMNS = 128 /* keys of a tile */
};

/* One call.  Everything in the dtype that is computed in, but for a mask of bools; no history.
 *
 *     q (lead..., length, size)       k (lead..., keys, size)       v (lead..., keys, out_size)
 *     mask (lead..., length, keys)    o (lead..., length, out_size)
 *
 * broadcast by strides of 0.  The last of `lead` counts the queries' heads that share one head of
 * keys and values (1 for most).  Gradients of k and v are sums over it. */
typedef struct rl_attention {
    rl_dtype dtype;
    int lead; /* dims before the last two; at least 1 */
    int64_t shape[RL_MAX_DIMS];
    int64_t length, keys, size, out_size;
    double scale;
    bool causal;
    double dropout; /* probability of dropping a weight; below 1 */
    rl_tensor *q, *k, *v;
    rl_tensor *mask;  /* bool (true: attended to) or dtype (added), or NULL */
    rl_tensor *o;     /* contiguous along its last dim */
    rl_tensor *most;  /* (lead..., length) row-major, by forward: greatest score of each row, */
    rl_tensor *share; /* and 1 / sum exp(score - greatest); 0 where nothing is attended to */
    rl_tensor *noise; /* rl_attention_noise, or NULL */
} rl_attention;

/* o, most and share from the rest. */
rl_status rl_attention_forward(const rl_attention *t);
/* Gradients from that of o (contiguous along its last dim).  dq, dk, dv: like q, k and v,
 * contiguous along their last dims; each is written. */
rl_status rl_attention_backward(const rl_attention *t, rl_tensor *g, rl_tensor *dq, rl_tensor *dk,
                                rl_tensor *dv);

/* What dropout's coins of one call are drawn from: PyTorch draws them row by row of the scores; the
 * generator's state is noted every RL_ATTENTION_ROWS rows instead, so that any tile's can be drawn
 * again, in any order.  Draws all of them from the default generator.  uint8, or NULL. */
rl_tensor *rl_attention_noise(int64_t matrices, int64_t length, int64_t keys);
/* Coins of `rows` queries from number `first` of matrix `batch` on, a multiple of
 * RL_ATTENTION_ROWS: 1 / (1 - dropout) or 0, row-major, in t->dtype. */
void rl_attention_draw(const rl_attention *t, int64_t batch, int64_t first, int64_t rows,
                       void *noise);

#endif
