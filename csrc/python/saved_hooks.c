/* saved_hooks.c: saved_tensors_hooks: Python functions that keep what a graph saves. */
#include "python/graph.h"

/* Pairs (pack, unpack) entered in this thread, innermost last. */
static _Thread_local PyObject *stack;

/* What is kept: the pair (unpack, what pack returned). */
static void *pack(rl_tensor *t)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *pair = PyList_GET_ITEM(stack, PyList_GET_SIZE(stack) - 1), *kept = NULL;
    Py_INCREF(pair);
    PyObject *arg = rl_py_wrap(rl_retain(t));
    PyObject *packed = arg ? PyObject_CallOneArg(PyTuple_GET_ITEM(pair, 0), arg) : NULL;
    if (packed)
        kept = PyTuple_Pack(2, PyTuple_GET_ITEM(pair, 1), packed);
    Py_XDECREF(packed);
    Py_XDECREF(arg);
    Py_DECREF(pair);
    if (kept)
        rl_py_graph_objects++;
    else
        rl_py_callback_failed();
    PyGILState_Release(gil);
    return kept;
}

static rl_tensor *unpack(void *what)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *kept = Py_NewRef((PyObject *)what);
    PyObject *o = PyObject_CallOneArg(PyTuple_GET_ITEM(kept, 0), PyTuple_GET_ITEM(kept, 1));
    rl_tensor *t = NULL;
    if (o && rl_py_is_tensor(o))
        t = rl_retain(rl_py_borrow(o));
    else if (o)
        PyErr_Format(PyExc_TypeError,
                     "Output of saved tensor unpack_hook expected to be a Tensor but got result of "
                     "type %s",
                     Py_TYPE(o)->tp_name);
    Py_XDECREF(o);
    Py_DECREF(kept);
    if (!t)
        rl_py_callback_failed();
    PyGILState_Release(gil);
    return t;
}

static void free_kept(void *what)
{
    if (!Py_IsInitialized())
        return;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    rl_py_graph_objects--;
    Py_DECREF((PyObject *)what);
    PyErr_Restore(type, value, trace);
    PyGILState_Release(gil);
}

static PyObject *push(PyObject *Py_UNUSED(m), PyObject *args)
{
    PyObject *pack_hook, *unpack_hook;
    if (!PyArg_ParseTuple(args, "OO:_push_saved_tensors_hooks", &pack_hook, &unpack_hook) ||
        (!stack && !(stack = PyList_New(0))))
        return NULL;
    PyObject *pair = PyTuple_Pack(2, pack_hook, unpack_hook);
    int status = pair ? PyList_Append(stack, pair) : -1;
    Py_XDECREF(pair);
    if (status)
        return NULL;
    rl_tls_packs = true;
    Py_RETURN_NONE;
}

static PyObject *pop(PyObject *Py_UNUSED(m), PyObject *Py_UNUSED(none))
{
    Py_ssize_t n = stack ? PyList_GET_SIZE(stack) : 0;
    if (!n) {
        PyErr_SetString(PyExc_RuntimeError, "no saved_tensors_hooks are active");
        return NULL;
    }
    if (PyList_SetSlice(stack, n - 1, n, NULL))
        return NULL;
    rl_tls_packs = n > 1;
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"_push_saved_tensors_hooks", push, METH_VARARGS, NULL},
    {"_pop_saved_tensors_hooks", pop, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

int rl_py_add_saved(PyObject *module)
{
    rl_saved_packing = (rl_packing){pack, unpack, free_kept};
    return PyModule_AddFunctions(module, functions);
}
