/* module.h: what layers.c needs of module.c. */
#ifndef RL_PY_MODULE_H
#define RL_PY_MODULE_H

#include "python/py.h"

PyTypeObject *rl_py_module_type(void);
/* _modules of a module: borrowed, NULL before __init__. */
PyObject *rl_py_module_children(PyObject *module);
/* module.name for a name that is a parameter as a rule: new reference, or NULL with the exception
 * set. */
PyObject *rl_py_module_parameter(PyObject *module, PyObject *name);
/* An ordinary attribute of the instance: borrowed, NULL when there is none (no exception). */
PyObject *rl_py_module_attribute(PyObject *module, PyObject *name);
/* The C forward that calling o runs, and nothing else: o is a module without hooks, and neither its
 * class nor the instance has another forward.  NULL otherwise. */
PyCFunction rl_py_module_forward(PyObject *o);

#endif
