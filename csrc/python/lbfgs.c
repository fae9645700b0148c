/* lbfgs.c: ops/lbfgs.c for python/rushlight/optim/lbfgs.py: lists of parameters and one vector. */
#include "ops/optim.h"
#include "python/py.h"

/* Parameters and gradients must outlive a call that releases nothing: they are held by the list. */
static PyObject *lbfgs_gather(PyObject *const *args, Py_ssize_t n,
                              rl_tensor *(*gather)(int64_t, rl_tensor *const *))
{
    rl_tensor **params;
    int64_t count;
    PyObject *keep;
    if (n != 1) {
        PyErr_SetString(PyExc_TypeError, "expected (parameters)");
        return NULL;
    }
    if (rl_py_tensors(args[0], &params, &count, &keep, "params") < 0)
        return NULL;
    rl_tensor *vector = gather(count, params);
    PyMem_Free(params);
    Py_DECREF(keep);
    return vector ? rl_py_wrap(vector) : rl_py_raise();
}

/* _lbfgs_gradient(params), _lbfgs_values(params): one vector */
static PyObject *lbfgs_gradient(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    return lbfgs_gather(args, n, rl_lbfgs_gradient);
}

static PyObject *lbfgs_values(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    return lbfgs_gather(args, n, rl_lbfgs_values);
}

/* _lbfgs_move(params, vector, by): params += by * vector; without by params = vector */
static PyObject *lbfgs_move(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    rl_tensor **params;
    int64_t count;
    PyObject *keep;
    double by = 0;
    if (n < 2 || n > 3 || !rl_py_is_tensor(args[1])) {
        PyErr_SetString(PyExc_TypeError, "_lbfgs_move: expected (parameters, vector, number)");
        return NULL;
    }
    if ((n == 3 && rl_py_double(args[2], &by, "by") < 0) ||
        rl_py_tensors(args[0], &params, &count, &keep, "params") < 0)
        return NULL;
    rl_tensor *vector = rl_py_borrow(args[1]);
    rl_status status =
        n == 3 ? rl_lbfgs_add(count, params, vector, by) : rl_lbfgs_set(count, params, vector);
    PyMem_Free(params);
    Py_DECREF(keep);
    if (status != RL_OK)
        return rl_py_raise();
    Py_RETURN_NONE;
}

/* The numbers of a list of k, in new memory (PyMem). */
static double *read_list(PyObject *list, int64_t k)
{
    PyObject *items = PySequence_Fast(list, "expected a list of numbers");
    if (!items)
        return NULL;
    double *out = PyMem_New(double, k ? k : 1);
    if (!out)
        PyErr_NoMemory();
    else if (PySequence_Fast_GET_SIZE(items) != k)
        PyErr_SetString(PyExc_ValueError, "LBFGS: old_dirs, old_stps and ro differ in length");
    for (int64_t i = 0; i < k && !PyErr_Occurred(); i++)
        rl_py_double(PySequence_Fast_GET_ITEM(items, i), out + i, "ro");
    Py_DECREF(items);
    if (PyErr_Occurred()) {
        PyMem_Free(out);
        return NULL;
    }
    return out;
}

/* The direction and a list of coefficients as Python objects; takes over d. */
static PyObject *wrap_direction(rl_tensor *d, int64_t k, rl_tensor **al)
{
    PyObject *list = d ? PyList_New(k) : NULL, *result = NULL;
    for (int64_t i = 0; i < k && list; i++) {
        PyObject *v = rl_py_wrap(rl_retain(al[i]));
        if (v)
            PyList_SET_ITEM(list, i, v);
        else
            Py_CLEAR(list);
    }
    PyObject *direction = list ? rl_py_wrap(rl_retain(d)) : NULL;
    if (direction)
        result = PyTuple_Pack(2, direction, list);
    Py_XDECREF(direction);
    Py_XDECREF(list);
    for (int64_t i = 0; i < k && d; i++)
        rl_release(al[i]);
    rl_release(d);
    return result;
}

/* _lbfgs_direction(gradient, old_dirs, old_stps, ro, H_diag): (d, al) */
static PyObject *lbfgs_direction(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    rl_tensor **changes = NULL, **steps = NULL, **al = NULL, *d = NULL;
    PyObject *keep[2] = {NULL, NULL}, *result = NULL;
    double *ro = NULL, h;
    int64_t k, count;
    if (n != 5 || !rl_py_is_tensor(args[0])) {
        PyErr_SetString(PyExc_TypeError,
                        "_lbfgs_direction: expected (gradient, old_dirs, old_stps, "
                        "ro, H_diag)");
        return NULL;
    }
    if (rl_py_double(args[4], &h, "H_diag") < 0 ||
        rl_py_tensors(args[1], &changes, &k, &keep[0], "old_dirs") < 0)
        return NULL;
    if (rl_py_tensors(args[2], &steps, &count, &keep[1], "old_stps") == 0) {
        if (count != k)
            PyErr_SetString(PyExc_ValueError, "LBFGS: old_dirs, old_stps and ro differ in length");
        else if ((ro = read_list(args[3], k)) && !(al = PyMem_New(rl_tensor *, k ? k : 1)))
            PyErr_NoMemory();
    }
    if (al) {
        rl_tensor *g = rl_py_borrow(args[0]);
        Py_BEGIN_ALLOW_THREADS d = rl_lbfgs_direction(g, k, changes, steps, ro, h, al);
        Py_END_ALLOW_THREADS result = d ? wrap_direction(d, k, al) : rl_py_raise();
    }
    PyMem_Free(al);
    PyMem_Free(ro);
    PyMem_Free(steps);
    PyMem_Free(changes);
    Py_XDECREF(keep[1]);
    Py_DECREF(keep[0]);
    return result;
}

static PyMethodDef functions[] = {
    {"_lbfgs_gradient", (PyCFunction)(void (*)(void))lbfgs_gradient, METH_FASTCALL, NULL},
    {"_lbfgs_values", (PyCFunction)(void (*)(void))lbfgs_values, METH_FASTCALL, NULL},
    {"_lbfgs_move", (PyCFunction)(void (*)(void))lbfgs_move, METH_FASTCALL, NULL},
    {"_lbfgs_direction", (PyCFunction)(void (*)(void))lbfgs_direction, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

int rl_py_add_lbfgs(PyObject *module) { return PyModule_AddFunctions(module, functions); }
