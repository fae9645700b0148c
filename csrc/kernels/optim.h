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
    RL_LOOP_MUON_MEAN,
    RL_LOOP_MUON_STEP,
    RL_LOOP_COUNT
} rl_optim_loop;

/* Adafactor, on rows of `cols` contiguous elements that follow each other.  u = g / sqrt(max(v,
 * least)), v[i][j] = row[i] col[j] / mean: row may be NULL, for v[i][j] = col[i][j]. */
typedef struct rl_adafactor_args {
    size_t rows, cols;
    const void *g, *row, *col;
    double mean, least;
    double shrink, step; /* p <- shrink p + step u */
} rl_adafactor_args;

typedef struct rl_adafactor_kernels {
    /* row[i] and col[j] = sums of g squared along the other dim; rows: at most 64, each of which
     * adds an element to a column's one chain */
    void (*sums)(size_t rows, size_t cols, const void *g, void *row, void *col);
    /* state <- state + w (x / count - state); squares: x squared */
    void (*mean)(size_t n, void *state, const void *x, double count, double w, int squares);
    /* sum of u squared */
    double (*size)(const rl_adafactor_args *a);
    void (*step)(const rl_adafactor_args *a, void *p);
} rl_adafactor_kernels;

/* [...][0]: float32, [...][1]: float64. */
typedef struct rl_optim_kernels { /* rl_kernel_table.optim */
    rl_optim_fn *step[RL_LOOP_COUNT][2];
    rl_adafactor_kernels adafactor[2];
    /* For LBFGS, n elements: q <- scale (q + by y), y or NULL; returns the sum of x q, x or NULL.
     */
    double (*turn[2])(size_t n, void *q, const void *y, double by, double scale, const void *x);
    /* Rounded to bfloat16, for Muon: y <- from_y y + from_x x; x <- x / by. */
    void (*muon_combine)(size_t n, float *y, const float *x, double from_y, double from_x);
    void (*muon_divide)(size_t n, float *x, double by);
} rl_optim_kernels;

#endif
