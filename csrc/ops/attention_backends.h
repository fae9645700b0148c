/* attention_backends.h: which ways of computing attention the program allows: PyTorch's switches.
 * They choose nothing here, where one kernel serves all, but a program that forbids what PyTorch
 * would take gets PyTorch's error. */
#ifndef RL_OPS_ATTENTION_BACKENDS_H
#define RL_OPS_ATTENTION_BACKENDS_H

#include "rushlight.h"

enum { RL_ATTENTION_MATH = 1, RL_ATTENTION_FLASH = 2, RL_ATTENTION_ALL = 31 };

/* Allowed backends, bit i for PyTorch's SDPBackend i.  Returns those before. */
int rl_set_attention_backends(int allowed);
int rl_attention_backends(void);
/* fused: the operands suit the fused kernel. */
rl_status rl_check_attention_backends(bool fused);

#endif
