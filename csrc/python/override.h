/* override.h: __torch_function__: who answers a call whose arguments are subclasses or foreign
 * types.
 *
 * A call on exact Tensors and Parameters never comes here: one comparison of types tells. */
#ifndef RL_PY_OVERRIDE_H
#define RL_PY_OVERRIDE_H

#include "python/py.h"

/* TorchFunctionModes entered and not left: every call is then offered to the innermost. */
extern int rl_py_modes;

bool rl_py_overrides_slow(PyObject *tensor);
/* Whether calls with this tensor go to its type's __torch_function__. */
static inline bool rl_py_overrides(PyObject *tensor)
{
    return (Py_TYPE(tensor) != &rl_py_tensor_type && Py_TYPE(tensor) != rl_py_parameter_type &&
            rl_py_overrides_slow(tensor)) ||
           rl_py_modes;
}
/* The same for any object. */
bool rl_py_is_overriding(PyObject *o);
static inline bool rl_py_may_override(PyObject *o)
{
    return rl_py_is_tensor(o) ? rl_py_overrides(o) : rl_py_is_overriding(o);
}
bool rl_py_any_overriding(PyObject *const *args, Py_ssize_t n);

/* A call failed, an exception is pending: drops it if one of the arguments overrides the call. */
bool rl_py_forgive(PyObject *self, PyObject *const *args, Py_ssize_t n);

/* Offers the call to the __torch_function__s of its arguments: the most derived type first.  func
 * is what they see; kwargs may be NULL.  TypeError when none of them takes it.  New reference. */
PyObject *rl_py_override(PyObject *func, PyObject *args, PyObject *kwargs);

/* The same with the arguments of a vectorcall, self (or NULL) first; for the function of the module
 * and for the method of Tensor of that name. */
PyObject *rl_py_override_vector(PyObject *func, PyObject *self, PyObject *const *args, Py_ssize_t n,
                                PyObject *kw);
PyObject *rl_py_override_function(const char *name, PyObject *const *args, Py_ssize_t n,
                                  PyObject *kw);
PyObject *rl_py_override_method(const char *name, PyObject *self, PyObject *const *args,
                                Py_ssize_t n, PyObject *kw);
/* An operator a + b (b NULL: one operand): NotImplemented where nobody takes it. */
PyObject *rl_py_override_operator(const char *name, PyObject *a, PyObject *b);

/* guard.c: definitions of methods and attributes that ask for overrides, then do as `def` does. */
PyMethodDef *rl_py_guard(PyMethodDef *def, bool is_function);
PyGetSetDef *rl_py_guard_getset(PyGetSetDef *def);

/* t as a subclass: an alias of it with its history. */
PyObject *rl_py_as_subclass(PyObject *tensor, PyTypeObject *cls);

int rl_py_add_override(PyObject *module);
/* overridable.c: functions written in Python that ask before they run. */
bool rl_py_is_overridable(PyObject *func);
int rl_py_add_overridable(PyObject *module);
extern PyMethodDef rl_py_override_methods[]; /* __torch_function__, as_subclass, _make_subclass */

#endif
