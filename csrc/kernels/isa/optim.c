/* optim.c: optimizer steps on float32 and float64: parameter, gradient and states are read and
 * written once each. */
#include "isa.h"

#include <math.h>

#include "kernels/optim.h"

#define T float
#define F(function) function##f
#define NAME(f) K(f##_f32)
#include "optim.tmpl.h"

#define T double
#define F(function) function
#define NAME(f) K(f##_f64)
#include "optim.tmpl.h"

#define BOTH(f) {K(f##_f32), K(f##_f64)}
static const rl_optim_kernels K(optim_table) = {
    {BOTH(sgd), BOTH(adam), BOTH(rmsprop), BOTH(adagrad), BOTH(adadelta), BOTH(adamax), BOTH(nadam),
     BOTH(radam), BOTH(asgd), BOTH(rprop)}};

void K(fill_optim)(rl_kernels *t);
void K(fill_optim)(rl_kernels *t) { t->optim = &K(optim_table); }
