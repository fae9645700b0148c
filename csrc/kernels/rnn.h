/* rnn.h: the element-wise half of a recurrent layer's step; the products are ops/rnn_steps.c's.
 *
 * With pre(k) = W_ih x + b_ih + W_hh h + b_hh of gate k, s the sigmoid and n hidden units:
 *
 *   LSTM   i, f, o = s(pre), g = tanh(pre);  c' = f c + i g;  h' = o tanh(c')
 *   GRU    r, z = s(pre), inner = W_hn h + b_hn, m = tanh(W_in x + b_in + r inner);
 *          h' = m + z (h - m)
 *   RNN    h' = tanh(pre) or max(pre, 0)
 */
#ifndef RL_KERNELS_RNN_H
#define RL_KERNELS_RNN_H

#include <stdint.h>

typedef enum rl_rnn_mode { RL_RNN_LSTM, RL_RNN_GRU, RL_RNN_TANH, RL_RNN_RELU } rl_rnn_mode;
enum { RL_RNN_MODES = 4 };

/* A matrix of which a step handles some rows; ld: elements from one row to the next. */
typedef struct rl_rnn_rows {
    char *p;
    int64_t ld;
} rl_rnn_rows;

/* One step of `rows` sequences.  What is not listed for a mode is not looked at. */
typedef struct rl_rnn_step {
    int64_t rows, n;
    /* Activations, n columns for each of LSTM i f g o, GRU r z m, RNN h.  Forward: what the gates'
     * products came to before (for GRU's m, W_in x + b_in), and the activations afterwards. */
    rl_rnn_rows gates;
    rl_rnn_rows before; /* LSTM: c; GRU: h; of the step before */
    rl_rnn_rows inner;  /* LSTM: tanh(c'), written forward; GRU: inner */
    rl_rnn_rows cell;   /* forward.  LSTM: c'; GRU: a second place for h'; RNN: none */
    rl_rnn_rows hidden; /* forward: h' */
    /* Backward.  grad: the gradient of this step's h' from outside, p NULL for none; dhidden: that
     * from the step after, which is read, and for GRU replaced by its share for the step before;
     * dcell: LSTM's gradient of c', replaced by that of c; dgates: written, LSTM i f g o, GRU
     * r z inner m, RNN h, before the activations. */
    rl_rnn_rows grad, dhidden, dcell, dgates;
} rl_rnn_step;

typedef void rl_rnn_fn(const rl_rnn_step *s);

/* [mode][0]: float32, [mode][1]: float64. */
typedef struct rl_rnn_kernels { /* rl_kernel_table.rnn */
    rl_rnn_fn *forward[RL_RNN_MODES][2], *backward[RL_RNN_MODES][2];
} rl_rnn_kernels;

#endif
