/* parameter.c: what the extension knows of Parameter, which nn/parameter.py makes. */
#include "python/py.h"

PyTypeObject *rl_py_parameter_type;

static PyObject *set_parameter_type(PyObject *module, PyObject *type)
{
    if (!PyType_Check(type) || !PyType_IsSubtype((PyTypeObject *)type, &rl_py_tensor_type)) {
        PyErr_SetString(PyExc_TypeError, "_set_parameter_type: expected a subclass of Tensor");
        return NULL;
    }
    Py_INCREF(type);
    Py_XSETREF(rl_py_parameter_type, (PyTypeObject *)type);
    Py_RETURN_NONE;
}

/* _make_subclass(cls, data, requires_grad): data's memory without its history, as an instance of
 * cls. */
static PyObject *make_subclass(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    if (n != 3 || !PyType_Check(args[0]) ||
        !PyType_IsSubtype((PyTypeObject *)args[0], &rl_py_tensor_type) ||
        !rl_py_is_tensor(args[1])) {
        PyErr_SetString(PyExc_TypeError,
                        "_make_subclass: expected (subclass of Tensor, Tensor, bool)");
        return NULL;
    }
    int wants = PyObject_IsTrue(args[2]);
    if (wants < 0)
        return NULL;
    rl_tensor *data = rl_py_borrow(args[1]);
    if (wants && !rl_is_differentiable(rl_dtype_of(data))) {
        PyErr_SetString(PyExc_RuntimeError,
                        "Only Tensors of floating point and complex dtype can require gradients");
        return NULL;
    }
    rl_tensor *t = rl_new_view(data, data->ndim, data->shape, data->strides, data->offset);
    if (t && rl_set_requires_grad(t, wants) != RL_OK) {
        rl_release(t);
        t = NULL;
    }
    return t ? rl_py_wrap_as((PyTypeObject *)args[0], t) : rl_py_raise();
}

static PyMethodDef functions[] = {
    {"_set_parameter_type", set_parameter_type, METH_O, NULL},
    {"_make_subclass", (PyCFunction)(void (*)(void))make_subclass, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

int rl_py_add_parameter(PyObject *module) { return PyModule_AddFunctions(module, functions); }
