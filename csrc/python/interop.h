/* interop.h: what the files about other libraries' data share. */
#ifndef RL_PY_INTEROP_H
#define RL_PY_INTEROP_H

#include "python/py.h"

/* dlpack.c */
PyObject *rl_py_dlpack(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *rl_py_dlpack_device(PyObject *self, PyObject *unused);
PyObject *rl_py_to_dlpack(PyObject *module, PyObject *o);
PyObject *rl_py_from_dlpack(PyObject *module, PyObject *o);

/* Calls f(context) holding the GIL, from any thread; not at all once the interpreter is gone. */
void rl_py_with_gil(void (*f)(void *context), void *context);

/* numpy.c: the only file that knows NumPy's C API, which it loads on first use. */
bool rl_py_is_array(PyObject *o); /* an ndarray; loads nothing when NumPy is not loaded */
PyObject *rl_py_to_numpy(rl_tensor *t,
                         PyObject *owner); /* an array over t's memory that keeps owner alive */
rl_tensor *rl_py_share_array(PyObject *array,
                             bool warn); /* a tensor over the array's memory; NULL: exception */

#endif
