/* mode.c: per thread, whether operators record; process-wide, whether backward explains its
 * failures. */
#include "autograd/autograd.h"

_Thread_local bool rl_tls_grad_enabled RL_TLS_FAST = true;
_Thread_local uint64_t rl_tls_unwanted RL_TLS_FAST = 0;
_Thread_local bool rl_tls_last_use = false;

/* What the user asked for; recording is off in inference mode all the same. */
static _Thread_local bool wants_grad = true;
static _Thread_local bool inference = false;

static atomic_bool anomaly, anomaly_nan;
void (*rl_anomaly_report)(rl_node *n);
void (*rl_anomaly_note)(rl_node *n);
void (*rl_node_timed)(const rl_node *n, int64_t start, int64_t end);

bool rl_grad_enabled(void) { return rl_tls_grad_enabled; }

bool rl_set_grad_enabled(bool on)
{
    bool before = wants_grad;
    wants_grad = on;
    rl_tls_grad_enabled = on && !inference;
    return before;
}

bool rl_inference_mode(void) { return inference; }

bool rl_set_inference_mode(bool on)
{
    bool before = inference;
    inference = on;
    rl_tls_new_flags = on ? RL_FLAG_INFERENCE : 0;
    rl_tls_grad_enabled = wants_grad && !on;
    return before;
}

bool rl_anomaly_mode(void) { return atomic_load_explicit(&anomaly, memory_order_relaxed); }
bool rl_set_anomaly_mode(bool on) { return atomic_exchange(&anomaly, on); }
bool rl_anomaly_checks_nan(void) { return rl_anomaly_mode() && atomic_load(&anomaly_nan); }
void rl_set_anomaly_checks_nan(bool on) { atomic_store(&anomaly_nan, on); }
