/* create.c: tensors from Python data: torch.tensor, as_tensor, the legacy constructors. */
#include "python/args.h"

/* ---- shape and dtype of nested data ---- */

static bool is_array(PyObject *o)
{
    return !strcmp(Py_TYPE(o)->tp_name, "numpy.ndarray") ||
           PyObject_HasAttrString(o, "__array_interface__") ||
           PyObject_HasAttrString(o, "__array__");
}

static bool is_sequence(PyObject *o)
{
    return PyList_Check(o) || PyTuple_Check(o) || PySequence_Check(o);
}

static int wrong_data(PyObject *o)
{
    PyErr_Format(PyExc_TypeError, "new(): invalid data type '%s'", rl_py_type_name(o));
    return -1;
}

/* Walks down the first elements, of which a tensor is a single number, whatever its dims.  Number
 * of dims, or -1. */
static int data_shape(PyObject *data, int64_t *shape)
{
    int ndim = 0;
    PyObject *o = Py_NewRef(data);
    while (!rl_py_is_tensor(o) && !PyUnicode_Check(o) && !PyBytes_Check(o) && is_sequence(o)) {
        Py_ssize_t n = PySequence_Length(o);
        if (n < 0) { /* NumPy scalars and 0-dim arrays have no length */
            PyErr_Clear();
            break;
        }
        if (ndim == RL_MAX_DIMS) {
            PyErr_Format(PyExc_ValueError, "too many dimensions '%s'", rl_py_type_name(o));
            Py_DECREF(o);
            return -1;
        }
        shape[ndim++] = n;
        if (!n)
            break;
        Py_SETREF(o, PySequence_GetItem(o, 0));
        if (!o)
            return -1;
    }
    if (ndim && PyUnicode_Check(o) &&
        PyUnicode_GET_LENGTH(o)) { /* characters of characters of ... */
        PyErr_SetString(PyExc_ValueError, "too many dimensions 'str'");
        ndim = -1;
    }
    Py_DECREF(o);
    return ndim;
}

static int infer_dtype(PyObject *o, rl_dtype *dtype)
{
    rl_dtype mine;
    if (PyFloat_CheckExact(o)) {
        mine = rl_default_dtype();
    } else if (PyBool_Check(o)) {
        mine = RL_BOOL;
    } else if (PyLong_Check(o)) {
        mine = RL_I64;
    } else if (rl_py_is_tensor(o)) {
        mine = (rl_dtype)rl_py_borrow(o)->dtype;
    } else if (PyUnicode_Check(o)) {
        return wrong_data(o);
    } else if (PyComplex_CheckExact(o)) {
        mine = rl_complex_dtype(rl_default_dtype());
    } else if (!strncmp(Py_TYPE(o)->tp_name, "numpy.", 6) && PyObject_HasAttrString(o, "dtype")) {
        static const struct {
            const char *name;
            rl_dtype dtype;
        } known[] = {{"float64", RL_F64},   {"float32", RL_F32},    {"float16", RL_F16},
                     {"int64", RL_I64},     {"int32", RL_I32},      {"int16", RL_I16},
                     {"int8", RL_I8},       {"uint8", RL_U8},       {"bool", RL_BOOL},
                     {"complex64", RL_C64}, {"complex128", RL_C128}};
        PyObject *type = PyObject_GetAttrString(o, "dtype");
        PyObject *text = type ? PyObject_Str(type) : NULL;
        mine = RL_NO_DTYPE;
        for (size_t i = 0; text && i < sizeof known / sizeof *known; i++)
            if (!PyUnicode_CompareWithASCIIString(text, known[i].name))
                mine = known[i].dtype;
        if (mine == RL_NO_DTYPE && text)
            PyErr_Format(PyExc_TypeError,
                         "can't convert np.ndarray of type %U. The only supported types are: "
                         "float64, float32, float16, complex64, complex128, int64, int32, "
                         "int16, int8, uint8, and bool.",
                         text);
        Py_XDECREF(text);
        Py_XDECREF(type);
        if (mine == RL_NO_DTYPE)
            return -1;
    } else if (PyFloat_Check(o)) {
        mine = rl_default_dtype();
    } else if (is_sequence(o)) {
        PyObject *items = PySequence_Fast(o, "not a sequence");
        if (!items)
            return -1;
        Py_ssize_t n = PySequence_Fast_GET_SIZE(items);
        int status = 0;
        for (Py_ssize_t i = 0; !status && i < n; i++)
            status = infer_dtype(PySequence_Fast_GET_ITEM(items, i), dtype);
        Py_DECREF(items);
        return status;
    } else {
        PyErr_Format(PyExc_RuntimeError, "Could not infer dtype of %s", rl_py_type_name(o));
        return -1;
    }
    *dtype = *dtype == RL_NO_DTYPE ? mine : rl_promote(*dtype, mine);
    return 0;
}

/* ---- elements ---- */

static int overflow(const char *type)
{
    PyErr_Format(PyExc_RuntimeError, "value cannot be converted to type %s without overflow", type);
    return -1;
}

static int store(char *p, rl_dtype dtype, PyObject *o)
{
    if (dtype == RL_BOOL) {
        int truth = PyObject_IsTrue(o);
        *(uint8_t *)p = truth > 0;
        return truth < 0 ? -1 : 0;
    }
    if (rl_is_complex(dtype)) {
        if (PyUnicode_Check(o))
            return wrong_data(o);
        Py_complex z = PyComplex_AsCComplex(o);
        if (z.real == -1.0 && PyErr_Occurred())
            return -1;
        rl_convert(RL_C128, (double[]){z.real, z.imag}, 0, dtype, p, 0, 1);
        return 0;
    }
    if (PyComplex_Check(o)) {
        PyErr_SetString(PyExc_TypeError, "can't convert complex to a real number");
        return -1;
    }
    if (rl_is_floating(dtype)) {
        double v;
        if (PyFloat_CheckExact(o)) {
            v = PyFloat_AS_DOUBLE(o);
        } else {
            if (PyUnicode_Check(o))
                return wrong_data(o);
            v = PyFloat_AsDouble(o);
            if (v == -1.0 && PyErr_Occurred())
                return -1;
        }
        if (dtype == RL_F64) {
            *(double *)p = v;
        } else if (dtype == RL_F32) {
            *(float *)p = (float)v;
        } else { /* twice rounded, as PyTorch does */
            float single = (float)v;
            rl_convert(RL_F32, &single, 0, dtype, p, 0, 1);
        }
        return 0;
    }
    long long v;
    if (PyLong_Check(o)) {
        int over;
        v = PyLong_AsLongLongAndOverflow(o, &over);
        if (over) {
            PyErr_SetString(PyExc_ValueError, "Overflow when unpacking long long");
            return -1;
        }
    } else if (PyUnicode_Check(o)) {
        return wrong_data(o);
    } else if (PyFloat_Check(o)) {
        double d = PyFloat_AS_DOUBLE(o);
        if (!(d >= -0x1p63 && d < 0x1p63))
            return overflow(rl_dtype_name(dtype));
        v = (long long)d;
    } else {
        PyObject *number = PyNumber_Long(o);
        if (!number)
            return -1;
        v = PyLong_AsLongLong(number);
        Py_DECREF(number);
    }
    if (v == -1 && PyErr_Occurred())
        return -1;
    switch (dtype) {
    case RL_U8: /* negative numbers wrap, as in C++ code that subtracts */
        if (v > 255 || v < -255)
            return overflow("uint8");
        *(uint8_t *)p = (uint8_t)v;
        return 0;
    case RL_I8:
        if (v > 127 || v < -128)
            return overflow("int8");
        *(int8_t *)p = (int8_t)v;
        return 0;
    case RL_I16:
        if (v > INT16_MAX || v < INT16_MIN)
            return overflow("int16");
        *(int16_t *)p = (int16_t)v;
        return 0;
    case RL_I32:
        if (v > INT32_MAX || v < INT32_MIN)
            return overflow("int32");
        *(int32_t *)p = (int32_t)v;
        return 0;
    default:
        *(int64_t *)p = v;
        return 0;
    }
}

/* Writes the data below dim into *p, row-major, moving *p on. */
static int fill(PyObject *o, int dim, int ndim, const int64_t *shape, rl_dtype dtype, char **p)
{
    size_t size = rl_dtype_size(dtype);
    if (dim == ndim) {
        if (rl_py_is_tensor(o) && rl_py_borrow(o)->numel != 1) {
            PyErr_SetString(PyExc_ValueError,
                            "only one element tensors can be converted to Python scalars");
            return -1;
        }
        if (rl_py_is_tensor(o) && rl_is_complex((rl_dtype)rl_py_borrow(o)->dtype) &&
            rl_is_complex(dtype)) {
            rl_convert((rl_dtype)rl_py_borrow(o)->dtype, rl_py_borrow(o)->data, 0, dtype, *p, 0, 1);
            *p += size;
            return 0;
        }
        if (rl_py_is_tensor(o)) {
            rl_scalar s;
            if (rl_item(rl_py_borrow(o), &s)) {
                rl_py_raise();
                return -1;
            }
            PyObject *number = rl_py_number(s);
            int status = number ? store(*p, dtype, number) : -1;
            Py_XDECREF(number);
            *p += size;
            return status;
        }
        int status = store(*p, dtype, o);
        *p += size;
        return status;
    }
    if (rl_py_is_tensor(o) && rl_py_borrow(o)->ndim == 0) {
        PyErr_SetString(PyExc_TypeError, "len() of a 0-d tensor");
        return -1;
    }
    if (PyUnicode_Check(o))
        return wrong_data(o);
    if (!is_sequence(o)) {
        PyErr_SetString(PyExc_TypeError, "not a sequence");
        return -1;
    }
    PyObject *items = PySequence_Fast(o, "not a sequence");
    if (!items)
        return -1;
    int status = 0;
    if (PySequence_Fast_GET_SIZE(items) != shape[dim]) {
        PyErr_Format(PyExc_ValueError, "expected sequence of length %lld at dim %d (got %zd)",
                     (long long)shape[dim], dim, PySequence_Fast_GET_SIZE(items));
        status = -1;
    }
    for (Py_ssize_t i = 0; !status && i < shape[dim] && i < PySequence_Fast_GET_SIZE(items); i++)
        status = fill(PySequence_Fast_GET_ITEM(items, i), dim + 1, ndim, shape, dtype, p);
    Py_DECREF(items);
    return status;
}

/* An array of NumPy's (or anything with __array__) through interop.c; a tensor that shares its
 * memory. */
static rl_tensor *from_array(PyObject *data)
{
    PyObject *module = PyImport_ImportModule("rushlight._C"), *array = Py_NewRef(data), *o = NULL;
    if (strcmp(Py_TYPE(array)->tp_name, "numpy.ndarray") != 0)
        Py_SETREF(array, PyObject_CallMethod(array, "__array__", NULL));
    if (module && array)
        o = PyObject_CallMethod(module, "_from_array", "O", array);
    Py_XDECREF(array);
    Py_XDECREF(module);
    rl_tensor *t = o ? rl_retain(rl_py_borrow(o)) : NULL;
    Py_XDECREF(o);
    return t;
}

static rl_tensor *raised(rl_tensor *t)
{
    if (!t)
        rl_py_raise();
    return t;
}

rl_tensor *rl_py_tensor_from_data(PyObject *data, rl_dtype dtype)
{
    if (rl_py_is_tensor(data)) {
        rl_tensor *t = rl_py_borrow(data);
        bool mode = rl_set_grad_enabled(false);
        rl_tensor *copy = rl_to_dtype(t, dtype == RL_NO_DTYPE ? (rl_dtype)t->dtype : dtype, true);
        rl_set_grad_enabled(mode);
        return raised(copy);
    }
    rl_scalar s;
    if (PyFloat_CheckExact(data) || PyLong_CheckExact(data) ||
        PyBool_Check(data)) { /* the everyday case */
        if (dtype == RL_NO_DTYPE)
            dtype = PyFloat_CheckExact(data) ? rl_default_dtype()
                    : PyBool_Check(data)     ? RL_BOOL
                                             : RL_I64;
    } else if (!PyList_Check(data) && !PyTuple_Check(data) && is_array(data) &&
               PySequence_Check(data)) {
        RL_TEMP *shared = from_array(data);
        if (!shared)
            return NULL;
        return raised(
            rl_to_dtype(shared, dtype == RL_NO_DTYPE ? (rl_dtype)shared->dtype : dtype, true));
    }
    (void)s;
    int64_t shape[RL_MAX_DIMS];
    int ndim = data_shape(data, shape);
    if (ndim < 0)
        return NULL;
    if (dtype == RL_NO_DTYPE) {
        if (infer_dtype(data, &dtype))
            return NULL;
        if (dtype == RL_NO_DTYPE)
            dtype = rl_default_dtype(); /* no elements */
    }
    rl_tensor *t = raised(rl_new(dtype, ndim, shape));
    if (!t)
        return NULL;
    char *p = t->data;
    if (fill(data, 0, ndim, shape, dtype, &p)) {
        rl_release(t);
        return NULL;
    }
    return t;
}

/* ---- torch.tensor and its relatives ---- */

typedef struct options {
    PyObject *data;
    rl_dtype dtype;
    bool requires_grad, copy;
} options;

/* (data, *, dtype=None, device=None, requires_grad=False, pin_memory=False); n_extra: dtype and
 * device by position. */
static int parse_options(const char *name, PyObject *const *args, Py_ssize_t n, PyObject *kw,
                         Py_ssize_t most, options *out)
{
    *out = (options){NULL, RL_NO_DTYPE, false, false};
    if (n > most) {
        PyErr_Format(PyExc_TypeError, "%s() takes %zd positional argument%s but %zd were given",
                     name, most, most == 1 ? "" : "s", n);
        return -1;
    }
    PyObject *dtype = n > 1 ? args[1] : Py_None, *device = n > 2 ? args[2] : Py_None;
    if (n)
        out->data = args[0];
    for (Py_ssize_t i = 0; kw && i < PyTuple_GET_SIZE(kw); i++) {
        PyObject *key = PyTuple_GET_ITEM(kw, i), *o = args[n + i];
        if (!PyUnicode_CompareWithASCIIString(key, "dtype")) {
            dtype = o;
        } else if (!PyUnicode_CompareWithASCIIString(key, "device")) {
            device = o;
        } else if (!PyUnicode_CompareWithASCIIString(key, "data") && !out->data) {
            out->data = o;
        } else if (!PyUnicode_CompareWithASCIIString(key, "requires_grad") ||
                   !PyUnicode_CompareWithASCIIString(key, "pin_memory") ||
                   !PyUnicode_CompareWithASCIIString(key, "copy")) {
            int truth = o == Py_None ? 0 : PyObject_IsTrue(o);
            if (truth < 0)
                return -1;
            if (PyUnicode_READ_CHAR(key, 0) == 'r')
                out->requires_grad = truth;
            else if (PyUnicode_READ_CHAR(key, 0) == 'c')
                out->copy = truth;
        } else {
            PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'", name,
                         key);
            return -1;
        }
    }
    if (!out->data) {
        PyErr_Format(PyExc_TypeError, "%s() missing 1 required positional arguments: \"data\"",
                     name);
        return -1;
    }
    if (dtype != Py_None && !rl_py_is_dtype(dtype)) {
        PyErr_Format(PyExc_TypeError, "%s(): argument 'dtype' must be torch.dtype, not %s", name,
                     rl_py_type_name(dtype));
        return -1;
    }
    return rl_py_dtype(dtype, &out->dtype, "dtype") || rl_py_check_device(device) ? -1 : 0;
}

/* requires_grad=True of a constructor.  Takes over t. */
rl_tensor *rl_py_require_grad(rl_tensor *t)
{
    if (!t)
        return NULL;
    if (!rl_is_differentiable((rl_dtype)t->dtype)) {
        rl_error(RL_ERUNTIME,
                 "Only Tensors of floating point and complex dtype can require gradients");
    } else if (!rl_set_requires_grad(t, true)) {
        return t;
    }
    rl_release(t);
    return NULL;
}

static PyObject *finish(rl_tensor *t, bool requires_grad)
{
    if (requires_grad)
        t = rl_py_require_grad(t);
    return t ? rl_py_wrap(t) : rl_py_raise();
}

static int warn_copy(PyObject *data, const char *name)
{
    if (!rl_py_is_tensor(data))
        return 0;
    return PyErr_WarnFormat(
        PyExc_UserWarning, 1,
        "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() "
        "or "
        "sourceTensor.detach().clone().requires_grad_(True), rather than %s(sourceTensor).",
        name);
}

static PyObject *create_tensor(PyObject *Py_UNUSED(self), PyObject *const *args, Py_ssize_t n,
                               PyObject *kw)
{
    options o;
    if (parse_options("tensor", args, n, kw, 1, &o) || warn_copy(o.data, "torch.tensor"))
        return NULL;
    rl_tensor *t = rl_py_tensor_from_data(o.data, o.dtype);
    return t ? finish(t, o.requires_grad) : NULL;
}

static PyObject *create_as_tensor(PyObject *Py_UNUSED(self), PyObject *const *args, Py_ssize_t n,
                                  PyObject *kw)
{
    options o;
    if (parse_options("as_tensor", args, n, kw, 3, &o))
        return NULL;
    if (rl_py_is_tensor(o.data)) {
        rl_tensor *t = rl_py_borrow(o.data);
        return rl_py_wrap(
            rl_to_dtype(t, o.dtype == RL_NO_DTYPE ? (rl_dtype)t->dtype : o.dtype, false));
    }
    if (!PyList_Check(o.data) && !PyTuple_Check(o.data) && PySequence_Check(o.data) &&
        is_array(o.data)) {
        RL_TEMP *t = from_array(o.data);
        return t ? rl_py_wrap(
                       rl_to_dtype(t, o.dtype == RL_NO_DTYPE ? (rl_dtype)t->dtype : o.dtype, false))
                 : NULL;
    }
    rl_tensor *t = rl_py_tensor_from_data(o.data, o.dtype);
    return t ? rl_py_wrap(t) : NULL;
}

static PyObject *create_scalar_tensor(PyObject *Py_UNUSED(self), PyObject *const *args,
                                      Py_ssize_t n, PyObject *kw)
{
    options o;
    rl_scalar s;
    if (parse_options("scalar_tensor", args, n, kw, 1, &o) || rl_py_scalar(o.data, &s, "s"))
        return NULL;
    return finish(rl_scalar_tensor(s, o.dtype == RL_NO_DTYPE ? rl_default_dtype() : o.dtype),
                  o.requires_grad);
}

static PyObject *create_new_tensor(PyObject *self, PyObject *const *args, Py_ssize_t n,
                                   PyObject *kw)
{
    options o;
    if (parse_options("new_tensor", args, n, kw, 1, &o) || warn_copy(o.data, "new_tensor"))
        return NULL;
    rl_tensor *t = rl_py_tensor_from_data(
        o.data, o.dtype == RL_NO_DTYPE ? (rl_dtype)rl_py_borrow(self)->dtype : o.dtype);
    return t ? finish(t, o.requires_grad) : NULL;
}

/* ---- torch.Tensor(2, 3), torch.LongTensor([1, 2]) ---- */

rl_tensor *rl_py_legacy_new(rl_dtype dtype, PyObject *args, PyObject *kwargs)
{
    if (kwargs && PyDict_GET_SIZE(kwargs)) {
        PyObject *device = PyDict_GetItemString(kwargs, "device"),
                 *data = PyDict_GetItemString(kwargs, "data");
        if (PyDict_GET_SIZE(kwargs) != !!device + !!data) {
            PyErr_SetString(PyExc_TypeError, "new() received an invalid combination of arguments");
            return NULL;
        }
        if (device && rl_py_check_device(device))
            return NULL;
        if (data) {
            PyObject *one = PyTuple_Pack(1, data);
            rl_tensor *t = one ? rl_py_legacy_new(dtype, one, NULL) : NULL;
            Py_XDECREF(one);
            return t;
        }
    }
    bool any = dtype ==
               RL_NO_DTYPE; /* torch.Tensor itself: the default dtype, or that of a given tensor */
    rl_dtype wanted = any ? rl_default_dtype() : dtype;
    Py_ssize_t n = PyTuple_GET_SIZE(args);
    PyObject *first = n ? PyTuple_GET_ITEM(args, 0) : NULL;
    if (n == 1 &&
        (Py_IS_TYPE(first, &rl_py_storage_type) || Py_IS_TYPE(first, &rl_py_typed_storage_type)))
        return raised(rl_py_storage_alias(first, wanted));
    if (n == 1 && rl_py_is_tensor(first)) {
        rl_tensor *t = rl_py_borrow(first);
        if (!any && (rl_dtype)t->dtype != dtype) {
            PyErr_Format(PyExc_TypeError, "expected Tensor of dtype %s (got dtype %s)",
                         rl_dtype_name(dtype), rl_dtype_name((rl_dtype)t->dtype));
            return NULL;
        }
        return raised(rl_new_view(t, t->ndim, t->shape, t->strides, t->offset));
    }
    /* An array of NumPy's has __index__, whatever its dims; with some it is data. */
    bool sizes = n != 1 || (PyIndex_Check(first) && PyObject_Length(first) < 0) ||
                 !strcmp(rl_py_type_name(first), "Size");
    PyErr_Clear();
    if (!sizes && !is_sequence(first)) {
        PyErr_Format(PyExc_TypeError, "new(): data must be a sequence (got %s)",
                     rl_py_type_name(first));
        return NULL;
    }
    if (!sizes)
        return rl_py_tensor_from_data(first, wanted);
    int64_t shape[RL_MAX_DIMS];
    int ndim = 1;
    if (!n)
        shape[0] = 0;
    else if ((ndim = rl_py_ints(n == 1 ? first : args, shape, "size")) < 0)
        return NULL;
    return raised(rl_new(wanted, ndim, shape));
}

static PyObject *create_legacy(PyObject *Py_UNUSED(self), PyObject *args)
{
    PyObject *dtype, *rest, *kwargs;
    rl_dtype d;
    if (!PyArg_ParseTuple(args, "OO!O!:_legacy_tensor", &dtype, &PyTuple_Type, &rest, &PyDict_Type,
                          &kwargs) ||
        rl_py_dtype(dtype, &d, "dtype"))
        return NULL;
    rl_tensor *t = rl_py_legacy_new(d, rest, kwargs);
    return t ? rl_py_wrap(t) : NULL;
}

/* _from_bytes(data, dtype, shape): what pickle calls. */
static PyObject *create_from_bytes(PyObject *Py_UNUSED(self), PyObject *args)
{
    PyObject *dtype, *size;
    Py_buffer data;
    rl_dtype d;
    int64_t shape[RL_MAX_DIMS], numel;
    if (!PyArg_ParseTuple(args, "y*OO:_from_bytes", &data, &dtype, &size))
        return NULL;
    PyObject *result = NULL;
    int ndim = rl_py_dtype(dtype, &d, "dtype") ? -1 : rl_py_ints(size, shape, "shape");
    if (ndim >= 0 && d == RL_NO_DTYPE)
        PyErr_SetString(PyExc_TypeError, "_from_bytes: a dtype is needed");
    else if (ndim >= 0 && rl_shape_numel(ndim, shape, &numel))
        rl_py_raise();
    else if (ndim >= 0 && (uint64_t)numel * rl_dtype_size(d) != (uint64_t)data.len)
        PyErr_Format(PyExc_ValueError, "_from_bytes: %lld elements need %llu bytes, got %zd",
                     (long long)numel, (unsigned long long)numel * rl_dtype_size(d), data.len);
    else if (ndim >= 0)
        result = rl_py_wrap(rl_from_data(d, ndim, shape, data.buf));
    PyBuffer_Release(&data);
    return result;
}

#define FAST(function) (PyCFunction)(void (*)(void)) function, METH_FASTCALL | METH_KEYWORDS
PyMethodDef rl_py_create_functions[] = {
    {"tensor", FAST(create_tensor),
     "tensor(data, *, dtype=None, device=None, requires_grad=False) -> Tensor\n\nCopy of nested "
     "sequences, numbers or an "
     "array; the dtype follows the data unless given."},
    {"as_tensor", FAST(create_as_tensor),
     "as_tensor(data, dtype=None, device=None) -> Tensor\n\nLike tensor(), without a copy where "
     "the data allows it."},
    {"scalar_tensor", FAST(create_scalar_tensor),
     "scalar_tensor(s, *, dtype=None) -> Tensor\n\n0-dim tensor of a number."},
    {"_from_bytes", create_from_bytes, METH_VARARGS,
     "_from_bytes(data, dtype, shape)\n\nThe inverse of pickling."},
    {"_legacy_tensor", create_legacy, METH_VARARGS,
     "_legacy_tensor(dtype, args, kwargs)\n\nFloatTensor(...) and others."},
    {NULL, NULL, 0, NULL},
};
PyMethodDef rl_py_create_methods[] = {
    {"new_tensor", FAST(create_new_tensor),
     "new_tensor(data, *, dtype=None) -> Tensor\n\nCopy of data, of this tensor's dtype unless "
     "given."},
    {NULL, NULL, 0, NULL},
};
