/* rnn.c: gates of recurrent layers in float32 and float64.  AVX-512 has those that compute: the
 * forward steps of LSTM and GRU in float32; the others wait for memory. */
#include "isa.h"

#include "kernels/rnn.h"
#include "loops.h"
#include "math_f32.h"

#define T float
#define M(function) m_##function##f
#define NAME(f) K(f##_f32)
/* exp(-87) for whatever is below: a gate that far closed is closed. */
#define SIGMOID(x) K(gate_f32)(x)
RL_MATH float K(gate_f32)(float x)
{
    float a = fabsf(x), e = exp_normalf(-(a > EXP_NORMALF ? EXP_NORMALF : a));
    return (x < 0 ? e : 1) / (1 + e);
}
#include "rnn.tmpl.h"

#if RL_HAS_F64
#define T double
#define M(function) m_##function
#define NAME(f) K(f##_f64)
#define SIGMOID(x) m_sigmoid(x)
#include "rnn.tmpl.h"
#endif

void K(fill_rnn)(rl_kernels *t);
void K(fill_rnn)(rl_kernels *t)
{
#if RL_HAS_F64
#define BOTH(f) {K(f##_f32), K(f##_f64)}
    t->rnn = (rl_rnn_kernels){
        .forward = {BOTH(lstm), BOTH(gru), BOTH(rnn_tanh), BOTH(rnn_relu)},
        .backward = {BOTH(lstm_backward), BOTH(gru_backward), BOTH(rnn_tanh_backward),
                     BOTH(rnn_relu_backward)},
    };
#else
    t->rnn.forward[RL_RNN_LSTM][0] = K(lstm_f32);
    t->rnn.forward[RL_RNN_GRU][0] = K(gru_f32);
#endif
}
