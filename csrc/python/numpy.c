/* numpy.c: NumPy arrays that share memory with tensors, both ways.  NumPy is imported when first
 * needed. */
#define NPY_NO_DEPRECATED_API NPY_1_22_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL rl_numpy_api
#include "python/interop.h"

#include <numpy/arrayobject.h>

static bool load(void)
{
    if (PyArray_API)
        return true;
    if (_import_array() == 0)
        return true;
    PyErr_Clear();
    PyErr_SetString(PyExc_RuntimeError, "Numpy is not available");
    return false;
}

bool rl_py_is_array(PyObject *o)
{
    if (!PyArray_API) {
        /* Whoever has an array has loaded NumPy; the name spares everybody else the import. */
        bool named = false;
        PyObject *mro = Py_TYPE(o)->tp_mro;
        for (Py_ssize_t i = 0; mro && i < PyTuple_GET_SIZE(mro) && !named; i++)
            named = !strcmp(((PyTypeObject *)PyTuple_GET_ITEM(mro, i))->tp_name, "numpy.ndarray");
        if (!named || !load()) {
            PyErr_Clear();
            return false;
        }
    }
    return PyArray_Check(o);
}

static int numpy_type(rl_dtype dtype)
{
    static const int types[RL_NDTYPES] = {
        [RL_BOOL] = NPY_BOOL,   [RL_U8] = NPY_UINT8,      [RL_I8] = NPY_INT8,
        [RL_I16] = NPY_INT16,   [RL_I32] = NPY_INT32,     [RL_I64] = NPY_INT64,
        [RL_F16] = NPY_HALF,    [RL_BF16] = NPY_NOTYPE,   [RL_F32] = NPY_FLOAT32,
        [RL_F64] = NPY_FLOAT64, [RL_C64] = NPY_COMPLEX64, [RL_C128] = NPY_COMPLEX128,
    };
    return types[dtype];
}

PyObject *rl_py_to_numpy(rl_tensor *t, PyObject *owner)
{
    int type = numpy_type((rl_dtype)t->dtype);
    if (type == NPY_NOTYPE) {
        PyErr_SetString(PyExc_TypeError, "Got unsupported ScalarType BFloat16");
        return NULL;
    }
    if (!load())
        return NULL;
    npy_intp shape[RL_MAX_DIMS], strides[RL_MAX_DIMS];
    for (int d = 0; d < t->ndim; d++) {
        shape[d] = (npy_intp)t->shape[d];
        strides[d] = (npy_intp)(t->strides[d] * (int64_t)rl_itemsize(t));
    }
    PyObject *array = PyArray_New(&PyArray_Type, t->ndim, shape, type, strides, t->data, 0,
                                  NPY_ARRAY_WRITEABLE | NPY_ARRAY_ALIGNED, NULL);
    if (array && PyArray_SetBaseObject((PyArrayObject *)array, Py_NewRef(owner)))
        Py_CLEAR(array);
    return array;
}

/* ---- from NumPy ---- */

static rl_dtype tensor_dtype(PyArrayObject *array)
{
    int type = PyArray_TYPE(array);
    for (int d = 0; d < RL_NDTYPES; d++)
        if (numpy_type((rl_dtype)d) == type)
            return (rl_dtype)d;
    /* Several C types have 32 or 64 bits; NumPy numbers them apart. */
    if (PyTypeNum_ISSIGNED(type) && PyTypeNum_ISINTEGER(type))
        switch (PyArray_ITEMSIZE(array)) {
        case 4:
            return RL_I32;
        case 8:
            return RL_I64;
        }
    return RL_NO_DTYPE;
}

static void drop_reference(void *o) { Py_DECREF((PyObject *)o); }
static void release_array(void *array) { rl_py_with_gil(drop_reference, array); }

static rl_tensor *refuse(PyObject *type, const char *message)
{
    PyErr_SetString(type, message);
    return NULL;
}

static rl_tensor *refuse_dtype(PyArrayObject *array)
{
    PyArray_Descr *descr = PyArray_DESCR(array);
    PyErr_Format(PyExc_TypeError,
                 "can't convert np.ndarray of type %s. The only supported types are: float64, "
                 "float32, float16, complex64, complex128, int64, int32, int16, int8, uint8, and "
                 "bool.",
                 descr->typeobj->tp_name);
    return NULL;
}

static int warn_not_writable(void)
{
    static bool warned;
    if (warned)
        return 0;
    warned = true;
    return PyErr_WarnEx(PyExc_UserWarning,
                        "The given NumPy array is not writable, and PyTorch does not support "
                        "non-writable tensors. This "
                        "means writing to this tensor will result in undefined behavior. You may "
                        "want to copy the array to "
                        "protect its data or make it writable before converting it to a tensor. "
                        "This type of warning will "
                        "be suppressed for the rest of this program.",
                        1);
}

rl_tensor *rl_py_share_array(PyObject *o, bool warn)
{
    if (!load())
        return NULL;
    if (!PyArray_Check(o)) {
        PyErr_Format(PyExc_TypeError, "expected np.ndarray (got %s)", Py_TYPE(o)->tp_name);
        return NULL;
    }
    PyArrayObject *array = (PyArrayObject *)o;
    if (warn && !PyArray_ISWRITEABLE(array) && warn_not_writable())
        return NULL;
    int ndim = PyArray_NDIM(array);
    int64_t shape[RL_MAX_DIMS], strides[RL_MAX_DIMS], item = (int64_t)PyArray_ITEMSIZE(array);
    if (ndim > RL_MAX_DIMS)
        return refuse(PyExc_ValueError, "the given numpy array has too many dimensions");
    rl_dtype dtype = tensor_dtype(array);
    for (int d = 0; d < ndim; d++) {
        shape[d] = (int64_t)PyArray_DIM(array, d);
        strides[d] = (int64_t)PyArray_STRIDE(array, d);
        if (strides[d] < 0)
            return refuse(PyExc_ValueError, "At least one stride in the given numpy array is "
                                            "negative, and tensors with negative strides are "
                                            "not currently supported. (You can probably work "
                                            "around this by making a copy of your array  with "
                                            "array.copy().) ");
        if (dtype != RL_NO_DTYPE && strides[d] % item)
            return refuse(PyExc_ValueError, "given numpy array strides not a multiple of the "
                                            "element byte size. Copy the numpy array to "
                                            "reallocate the memory.");
        strides[d] /= item ? item : 1;
    }
    if (dtype == RL_NO_DTYPE)
        return refuse_dtype(array);
    if (!PyArray_ISNOTSWAPPED(array))
        return refuse(PyExc_ValueError, "given numpy array has byte order different from the "
                                        "native byte order. Conversion between byte orders "
                                        "is currently not supported.");
    rl_tensor *t =
        rl_from_memory(dtype, ndim, shape, strides, PyArray_DATA(array), release_array, o);
    if (t)
        Py_INCREF(o);
    else
        rl_py_raise();
    return t;
}
