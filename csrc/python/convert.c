/* convert.c: single Python values to C values, and back. */
#include "python/args.h"

static bool is_numpy_scalar(PyObject *o)
{
    const char *name = Py_TYPE(o)->tp_name;
    return !strncmp(name, "numpy.", 6) && strcmp(name, "numpy.ndarray") != 0 &&
           !strncmp(name, "numpy.str", 9) == 0 && PyNumber_Check(o);
}

static bool long_scalar(PyObject *o, rl_scalar *out)
{
    int overflow;
    long long v = PyLong_AsLongLongAndOverflow(o, &overflow);
    if (overflow) {
        PyErr_SetString(PyExc_RuntimeError, "Overflow when unpacking long long");
        return false;
    }
    *out = rl_int(v);
    return !(v == -1 && PyErr_Occurred());
}

bool rl_py_as_scalar(PyObject *o, rl_scalar *out)
{
    if (PyFloat_Check(o)) { /* numpy.float64 is one */
        *out = rl_float(PyFloat_AS_DOUBLE(o));
        return true;
    }
    if (PyBool_Check(o)) {
        *out = rl_bool(o == Py_True);
        return true;
    }
    if (PyLong_Check(o))
        return long_scalar(o, out);
    if (rl_py_is_tensor(o)) {
        rl_tensor *t = rl_py_borrow(o);
        if (t->ndim != 0 || (t->flags & RL_FLAG_REQUIRES_GRAD))
            return false;
        if (rl_item(t, out)) {
            rl_py_raise();
            return false;
        }
        return true;
    }
    if (!is_numpy_scalar(o))
        return false;
    const char *name = Py_TYPE(o)->tp_name;
    if (!strncmp(name, "numpy.bool", 10)) {
        int truth = PyObject_IsTrue(o);
        *out = rl_bool(truth > 0);
        return truth >= 0;
    }
    if (!strncmp(name, "numpy.complex", 13))
        return false;
    PyObject *number =
        PyIndex_Check(o) && !strstr(name, "float") ? PyNumber_Index(o) : PyNumber_Float(o);
    if (!number)
        return false;
    bool fits = true;
    if (PyFloat_Check(number))
        *out = rl_float(PyFloat_AS_DOUBLE(number));
    else
        fits = long_scalar(number, out);
    Py_DECREF(number);
    return fits;
}

int rl_py_scalar(PyObject *o, rl_scalar *out, const char *what)
{
    if (rl_py_as_scalar(o, out))
        return 0;
    if (!PyErr_Occurred())
        PyErr_Format(PyExc_TypeError, "argument '%s' must be Number, not %s", what,
                     rl_py_type_name(o));
    return -1;
}

int rl_py_int(PyObject *o, int64_t *out, const char *what)
{
    if (rl_py_is_tensor(o)) {
        rl_tensor *t = rl_py_borrow(o);
        rl_scalar s;
        if (t->numel == 1 && rl_is_integral((rl_dtype)t->dtype, false)) {
            if (rl_item(t, &s)) {
                rl_py_raise();
                return -1;
            }
            *out = rl_scalar_int(s);
            return 0;
        }
    } else if (!PyBool_Check(o) && PyIndex_Check(o)) {
        PyObject *i = PyNumber_Index(o);
        if (!i)
            return -1;
        *out = PyLong_AsLongLong(i);
        Py_DECREF(i);
        return *out == -1 && PyErr_Occurred() ? -1 : 0;
    }
    PyErr_Format(PyExc_TypeError, "argument '%s' must be int, not %s", what, rl_py_type_name(o));
    return -1;
}

int rl_py_double(PyObject *o, double *out, const char *what)
{
    rl_scalar s;
    if (!PyBool_Check(o) && rl_py_as_scalar(o, &s)) {
        *out = rl_scalar_double(s);
        return 0;
    }
    if (!PyErr_Occurred())
        PyErr_Format(PyExc_TypeError, "argument '%s' must be float, not %s", what,
                     rl_py_type_name(o));
    return -1;
}

PyObject *rl_py_number(rl_scalar value)
{
    if (value.dtype == RL_BOOL)
        return PyBool_FromLong(value.i != 0);
    return value.dtype == RL_F64 ? PyFloat_FromDouble(value.f) : PyLong_FromLongLong(value.i);
}

int rl_py_ints(PyObject *o, int64_t *v, const char *what)
{
    if (!PyTuple_Check(o) && !PyList_Check(o))
        return rl_py_int(o, v, what) ? -1 : 1;
    Py_ssize_t n = PySequence_Fast_GET_SIZE(o);
    if (n > RL_MAX_DIMS) {
        PyErr_Format(PyExc_ValueError, "argument '%s': at most %d dimensions, got %zd", what,
                     RL_MAX_DIMS, n);
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++)
        if (rl_py_int(PySequence_Fast_GET_ITEM(o, i), v + i, what))
            return -1;
    return (int)n;
}

int rl_py_tensors(PyObject *o, rl_tensor ***v, int64_t *n, PyObject **keep, const char *what)
{
    *v = NULL;
    *keep = NULL;
    PyObject *sequence = rl_py_is_tensor(o) ? PyTuple_Pack(1, o) : PySequence_Tuple(o);
    if (!sequence) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_Format(PyExc_TypeError, "argument '%s' must be tuple of Tensors, not %s", what,
                         rl_py_type_name(o));
        return -1;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(sequence);
    rl_tensor **array = PyMem_New(rl_tensor *, count ? count : 1);
    if (!array) {
        Py_DECREF(sequence);
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PyTuple_GET_ITEM(sequence, i);
        if (!rl_py_is_tensor(item)) {
            PyErr_Format(PyExc_TypeError,
                         "expected Tensor as element %zd in argument '%s', but got %s", i, what,
                         rl_py_type_name(item));
            PyMem_Free(array);
            Py_DECREF(sequence);
            return -1;
        }
        array[i] = rl_py_borrow(item);
    }
    *v = array;
    *n = count;
    *keep = sequence;
    return 0;
}

rl_tensor *rl_py_tensor_like(PyObject *o, const char *what)
{
    if (rl_py_is_tensor(o))
        return rl_retain(rl_py_borrow(o));
    rl_scalar s;
    if (PyComplex_Check(o)) {
        rl_tensor *z = rl_wrap_complex(PyComplex_RealAsDouble(o), PyComplex_ImagAsDouble(o));
        if (!z)
            rl_py_raise();
        return z;
    }
    if (!rl_py_as_scalar(o, &s)) {
        if (!PyErr_Occurred())
            PyErr_Format(PyExc_TypeError, "argument '%s' must be Tensor, not %s", what,
                         rl_py_type_name(o));
        return NULL;
    }
    rl_tensor *t = rl_wrap_number(s);
    if (!t)
        rl_py_raise();
    return t;
}
