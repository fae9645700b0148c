/* errors.c: from the core's status and message to Python's exceptions, and back from callbacks. */
#include "python/args.h"

PyObject *rl_py_raise(void)
{
    rl_status code = rl_error_code();
    if (code == RL_ECALLBACK) {
        rl_error_clear();
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_SystemError, "a callback failed without an exception");
        return NULL;
    }
    if (PyErr_Occurred()) { /* raised on the way by a conversion: the more precise one */
        rl_error_clear();
        return NULL;
    }
    PyObject *type = PyExc_RuntimeError;
    switch (code) {
    case RL_EVALUE:
        type = PyExc_ValueError;
        break;
    case RL_ETYPE:
        type = PyExc_TypeError;
        break;
    case RL_EINDEX:
        type = PyExc_IndexError;
        break;
    case RL_ENOTIMPL:
        type = PyExc_NotImplementedError;
        break;
    case RL_EOVERFLOW:
        type = PyExc_OverflowError;
        break;
    case RL_OK:
        PyErr_SetString(PyExc_SystemError, "an operator failed without a message");
        return NULL;
    default:
        break;
    }
    PyErr_SetString(type, rl_error_message());
    rl_error_clear();
    return NULL;
}

rl_status rl_py_callback_failed(void) { return rl_error(RL_ECALLBACK, "a Python callback failed"); }

const char *rl_py_type_name(PyObject *o)
{
    const char *name = Py_TYPE(o)->tp_name;
    bool ours = !strncmp(name, "rushlight.", 10) || !strncmp(name, "torch.", 6);
    return ours ? strrchr(name, '.') + 1 : name;
}
