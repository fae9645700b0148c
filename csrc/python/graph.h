/* graph.h: what autograd.c, graph.c, hooks.c, cycles.c and function.c share. */
#ifndef RL_PY_GRAPH_H
#define RL_PY_GRAPH_H

#include "python/py.h"

/* Runs a statement without the interpreter lock. */
#define RL_PY_UNLOCKED(statement)                                                                  \
    do {                                                                                           \
        rl_py_unlocked++;                                                                          \
        PyThreadState *thread_ = PyEval_SaveThread();                                              \
        statement;                                                                                 \
        PyEval_RestoreThread(thread_);                                                             \
        rl_py_unlocked--;                                                                          \
    } while (0)

/* Name of o's type without its module. */
static inline const char *rl_py_type_name(PyObject *o)
{
    const char *name = Py_TYPE(o)->tp_name, *dot = strrchr(name, '.');
    return dot ? dot + 1 : name;
}

/* The grad_fn object of a node, taking over the reference; None for NULL. */
PyObject *rl_py_wrap_node(rl_node *n);
rl_node *rl_py_borrow_node(PyObject *o); /* NULL when o is none, or its graph is gone */
extern PyTypeObject rl_py_node_type;
extern PyTypeObject rl_py_handle_type;

/* Methods and attributes of every node object, a Function's context included. */
PyObject *rl_py_node_next_functions(PyObject *self, void *closure);
PyObject *rl_py_node_input_metadata(PyObject *self, void *closure);
PyObject *rl_py_node_metadata(PyObject *self, void *closure);
PyObject *rl_py_node_requires_grad(PyObject *self, void *closure);
PyObject *rl_py_node_sequence(PyObject *self, PyObject *none);
PyObject *rl_py_node_register_hook(PyObject *self, PyObject *hook);
PyObject *rl_py_node_register_prehook(PyObject *self, PyObject *hook);

PyObject *rl_py_node_saved(rl_node *n); /* what it keeps for backward, by slot: a tuple */
PyObject *rl_py_node_add_hook(rl_node *n, PyObject *hook, bool before);
PyObject *rl_py_node_notes(rl_node *n); /* its metadata dict; new reference (hooks.c) */

/* A hook on a tensor: a removable handle.  kind: RL_HOOK_TENSOR or RL_HOOK_POST_ACC. */
PyObject *rl_py_tensor_add_hook(PyObject *tensor, PyObject *hook, int kind);
void rl_py_hook_free(void *context); /* the `free` of every hook that holds a Python object */

/* Visits the Python objects hanging in what `n` alone owns, n being solely owned itself. */
int rl_py_traverse_node(rl_node *n, visitproc visit, void *arg);

/* Function (function.c). */
extern PyTypeObject rl_py_function_type;
bool rl_py_node_is_function(const rl_node *n);
int rl_py_add_function(PyObject *module);
int rl_py_add_graph(PyObject *module);
int rl_py_add_hooks(PyObject *module);
int rl_py_add_modes(PyObject *module);
int rl_py_add_saved(PyObject *module);   /* saved_hooks.c */
int rl_py_add_profile(PyObject *module); /* profile.c */

#endif
