/* function.h: what function.c and context.c share: a Function's ctx. */
#ifndef RL_PY_FUNCTION_H
#define RL_PY_FUNCTION_H

#include "python/graph.h"

typedef struct py_function {
    PyObject_HEAD rl_node
        *node; /* borrowed; NULL before apply has made it, and once the graph is gone */
    PyObject *dict, *weakrefs;
    PyObject *to_save, *dirty, *non_differentiable; /* tuples, or NULL */
    PyObject *needs_input_grad;                     /* tuple of bool */
    bool *is_variable;                              /* per argument of forward */
    Py_ssize_t n_args;
    bool materialize;
} py_function;

#endif
