/* rnn.h: what the files about recurrent layers share.
 *
 *   rnn.c          the operators: checks, layers on top of each other, cells
 *   rnn_layer.c    one layer, both directions, as one node
 *   rnn_steps.c    its arithmetic, without history
 *   rnn_compose.c  the same from public operators, for second derivatives
 *   rnn_pack.c     sequences of different lengths, packed and padded
 *
 * Note: packed rows.  The sequences of a batch, longest first, are laid out step after step: the
 * first rows are the first elements of all sequences, the next rows the second elements of those
 * that have one, and so on.  A padded input (steps, batch, input) is the case of equal lengths. */
#ifndef RL_OPS_RNN_H
#define RL_OPS_RNN_H

#include "autograd/autograd.h"
#include "kernels/kernels.h"
#include "kernels/rnn.h"
#include "rushlight_ops.h"

/* Sizes of a layer.  All numbers, so that a node can keep them (args.dims). */
typedef struct rl_rnn_shape {
    int64_t mode; /* rl_rnn_mode */
    int64_t steps, batch, rows;
    int64_t input, hidden;
    int64_t out;        /* width of h: hidden, or that of the projection */
    int64_t projected;  /* whether there is one */
    int64_t directions; /* 1 or 2 */
} rl_rnn_shape;
enum { RL_RNN_NUMBERS = sizeof(rl_rnn_shape) / sizeof(int64_t) };

/* A direction's parameters, in PyTorch's order; NULL where there is none. */
enum { RL_RNN_IH, RL_RNN_HH, RL_RNN_BIAS_IH, RL_RNN_BIAS_HH, RL_RNN_HR, RL_RNN_PARAMS };

/* A layer's tensors: x (rows, input), h0 (directions, batch, out), c0 (directions, batch, hidden)
 * for LSTM, then the directions' parameters. */
enum { RL_RNN_X, RL_RNN_H0, RL_RNN_C0, RL_RNN_W, RL_RNN_INPUTS = RL_RNN_W + 2 * RL_RNN_PARAMS };

static inline int64_t rl_rnn_gates(int64_t mode)
{
    return mode == RL_RNN_LSTM ? 4 : mode == RL_RNN_GRU ? 3 : 1;
}

/* starts: the first row of each step and, last, the number of rows; NULL for equal lengths. */
static inline int64_t rl_rnn_start(const rl_rnn_shape *s, const int64_t *starts, int64_t t)
{
    return starts ? starts[t] : t * s->batch;
}
static inline int64_t rl_rnn_count(const rl_rnn_shape *s, const int64_t *starts, int64_t t)
{
    return starts ? starts[t + 1] - starts[t] : s->batch;
}

/* ---- rnn_steps.c ---- */

/* What the forward pass leaves for the backward one: a row-major tensor (directions, rows,
 * rl_rnn_kept_width), whose rows hold, n = hidden columns each,
 *   LSTM   i f g o, tanh(c), c, and o tanh(c) where that is projected
 *   GRU    r z m, inner, h
 *   RNN    h */
int64_t rl_rnn_kept_width(const rl_rnn_shape *s, rl_dtype dtype);
/* How many rows it has: those of all steps, or what the forward pass needs when no backward one
 * follows. */
int64_t rl_rnn_kept_rows(const rl_rnn_shape *s, rl_dtype dtype, bool all);

/* All tensors row-major and of one dtype, float32 or float64; in: RL_RNN_INPUTS of them.  Writes
 * kept, y (rows, directions * out), hn (directions, batch, out), cn (like c0; LSTM). */
rl_status rl_rnn_forward(const rl_rnn_shape *s, const int64_t *starts, rl_tensor *const *in,
                         rl_tensor *kept, rl_tensor *y, rl_tensor *hn, rl_tensor *cn);
/* Gradients of the wanted inputs into dx (new references) from those of y, hn, cn (NULL: none).
 * spend: kept may be written over. */
rl_status rl_rnn_backward(const rl_rnn_shape *s, const int64_t *starts, rl_tensor *const *in,
                          rl_tensor *kept, rl_tensor *y, rl_tensor *const *g, const bool *wanted,
                          bool spend, rl_tensor **dx);

/* ---- rnn_compose.c ---- */

/* The layer from public operators: out[0..2] = y, hn, cn.  Inputs as for rl_rnn_layer. */
rl_status rl_rnn_compose(const rl_rnn_shape *s, const int64_t *starts, rl_tensor *const *in,
                         rl_tensor **out);

/* ---- rnn_layer.c ---- */

/* One layer.  in: RL_RNN_INPUTS tensors, NULL where there is none, shapes checked.  starts: int64,
 * steps + 1 elements, or NULL.  out[0..2] = y, hn, cn (NULL but for LSTM), with their history. */
rl_status rl_rnn_layer(const rl_rnn_shape *s, rl_tensor *starts, rl_tensor *const *in,
                       rl_tensor **out);

#endif
