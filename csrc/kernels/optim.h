/* optim.h: the loops of optimizer steps. */
#ifndef RL_KERNELS_OPTIM_H
#define RL_KERNELS_OPTIM_H

#include <stddef.h>

/* Numbers of one step of one parameter; what f holds is said per loop in isa/optim.tmpl.h. */
typedef struct rl_optim_args {
    double f[9];
    double weight_decay;
    int maximize;  /* go up the gradient */
    int decoupled; /* weight decay shrinks the parameter itself instead of joining the gradient */
    int flag[2];   /* per loop */
} rl_optim_args;

/* n elements: parameter p, gradient g, states s[...] (NULL where the optimizer keeps none), all
 * contiguous. */
typedef void rl_optim_fn(size_t n, void *p, const void *g, void *const *s, const rl_optim_args *a);

typedef enum rl_optim_loop {
    RL_LOOP_SGD,
    RL_LOOP_ADAM,
    RL_LOOP_RMSPROP,
    RL_LOOP_ADAGRAD,
    RL_LOOP_ADADELTA,
    RL_LOOP_ADAMAX,
    RL_LOOP_NADAM,
    RL_LOOP_RADAM,
    RL_LOOP_ASGD,
    RL_LOOP_RPROP,
    RL_LOOP_COUNT
} rl_optim_loop;

/* [loop][0]: float32, [loop][1]: float64. */
typedef struct rl_optim_kernels { /* rl_kernel_table.optim */
    rl_optim_fn *step[RL_LOOP_COUNT][2];
} rl_optim_kernels;

#endif
