/* rnn.c: gates of recurrent layers in float32 and float64.  AVX-512 has those that compute: the
 * forward steps in float32; the others wait for memory. */
#include "isa.h"

#include "kernels/rnn.h"
#include "loops.h"
#include "math_f64.h"
#include "tables_f32.h"

#define T float
#define V VF
#define V_WIDTH VF_WIDTH
#define V_LOAD(p) vf_load(p)
#define V_STORE(p, v) vf_store(p, v)
#define NAME(f) K(f##_f32)
#define TANH(x) vf_tanh(x)
#define SIGMOID(x) K(gate_f32)(x)
VF_INLINE VF K(gate_f32)(VF x) { return vf_all(1) / (vf_all(1) + vf_exp(-x)); }
#include "rnn.tmpl.h"

#if RL_HAS_F64
#define T double
#define V double
#define V_WIDTH 1
#define V_LOAD(p) (*(p))
#define V_STORE(p, v) (*(p) = (v))
#define NAME(f) K(f##_f64)
#define TANH(x) m_tanh(x)
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
    t->rnn.forward[RL_RNN_TANH][0] = K(rnn_tanh_f32);
#endif
}
