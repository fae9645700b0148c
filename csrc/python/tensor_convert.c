/* tensor_convert.c: x.to(...), x.float(), x.type(...) and their like: the tensor in another dtype.
 */
#include "python/args.h"

#define T(o) rl_py_borrow(o)
#define FAST(function) (PyCFunction)(void (*)(void)) function, METH_FASTCALL | METH_KEYWORDS

/* Whether the elements of t lie so already, in the sense of to(): a tensor that is not
 * channels-last passes for a contiguous one. */
static bool lies_so(const rl_tensor *t, rl_memory_format format)
{
    if (format != RL_FORMAT_CONTIGUOUS)
        return rl_has_format(t, format);
    return t->contiguous || (!rl_has_format(t, RL_FORMAT_CHANNELS_LAST) &&
                             !rl_has_format(t, RL_FORMAT_CHANNELS_LAST_3D));
}

static PyObject *converted(PyObject *self, rl_dtype dtype, bool copy, rl_memory_format format)
{
    rl_tensor *t = T(self), *y;
    if (dtype == RL_NO_DTYPE)
        dtype = (rl_dtype)t->dtype;
    if (!copy && dtype == (rl_dtype)t->dtype && lies_so(t, format))
        return Py_NewRef(self);
    if (rl_is_complex((rl_dtype)t->dtype) && !rl_is_complex(dtype) && dtype != RL_BOOL &&
        PyErr_WarnEx(PyExc_UserWarning,
                     "Casting complex values to real discards the imaginary part", 1))
        return NULL;
    RL_PY_RUN(t->numel, y = rl_in_format(rl_to_dtype(t, dtype, copy), format));
    return rl_py_wrap(y);
}

static int truth_argument(PyObject *o, const char *name, bool *out)
{
    if (!PyBool_Check(o)) {
        PyErr_Format(PyExc_TypeError, "to(): argument '%s' must be bool, not %s", name,
                     rl_py_type_name(o));
        return -1;
    }
    *out = o == Py_True;
    return 0;
}

/* memory_format=o of a method. */
static int take_format(const char *name, PyObject *key, PyObject *o, rl_memory_format *format)
{
    if (PyUnicode_CompareWithASCIIString(key, "memory_format")) {
        PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'", name, key);
        return -1;
    }
    if (o == Py_None)
        return 0;
    if (!rl_py_is_memory_format(o)) {
        PyErr_Format(PyExc_TypeError,
                     "%s(): argument 'memory_format' must be torch.memory_format, not %s", name,
                     rl_py_type_name(o));
        return -1;
    }
    *format = (rl_memory_format)rl_py_memory_format_kind(o);
    return 0;
}

/* to(dtype), to(device), to(device, dtype), to(other), each with non_blocking, copy, memory_format.
 */
static PyObject *tensor_to(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *kw)
{
    PyObject *dtype = Py_None, *device = Py_None;
    bool copy = false, ignored;
    rl_memory_format format = RL_FORMAT_PRESERVE;
    Py_ssize_t next = 0, n_kw = kw ? PyTuple_GET_SIZE(kw) : 0;
    if (!n && !n_kw) {
        PyErr_SetString(
            PyExc_TypeError,
            "to() received an invalid combination of arguments - got (), but expected one of:\n"
            " * (torch.device device = None, torch.dtype dtype = None, bool non_blocking = False, "
            "bool copy = False, *, torch.memory_format memory_format = None)\n"
            " * (torch.dtype dtype, bool non_blocking = False, bool copy = False, *, "
            "torch.memory_format memory_format = None)\n"
            " * (Tensor tensor, bool non_blocking = False, bool copy = False, *, "
            "torch.memory_format memory_format = None)\n");
        return NULL;
    }
    if (n && rl_py_is_dtype(args[0])) {
        dtype = args[0];
        next = 1;
    } else if (n && rl_py_is_tensor(args[0])) {
        dtype = NULL;
        next = 1;
    } else if (n) {
        device = args[0];
        next = 1;
        if (n > 1 && (args[1] == Py_None || rl_py_is_dtype(args[1]))) {
            dtype = args[1];
            next = 2;
        }
    }
    PyObject *other = n && rl_py_is_tensor(args[0]) ? args[0] : NULL;
    for (int i = 0; next < n; next++, i++) {
        if (i > 1) {
            PyErr_Format(PyExc_TypeError, "to() received an invalid combination of arguments");
            return NULL;
        }
        if (truth_argument(args[next], i ? "copy" : "non_blocking", i ? &copy : &ignored))
            return NULL;
    }
    for (Py_ssize_t i = 0; i < n_kw; i++) {
        PyObject *key = PyTuple_GET_ITEM(kw, i), *o = args[n + i];
        if (!PyUnicode_CompareWithASCIIString(key, "dtype")) {
            dtype = o;
        } else if (!PyUnicode_CompareWithASCIIString(key, "device")) {
            device = o;
        } else if (!PyUnicode_CompareWithASCIIString(key, "other") && rl_py_is_tensor(o)) {
            other = o;
        } else if (!PyUnicode_CompareWithASCIIString(key, "copy")) {
            if (truth_argument(o, "copy", &copy))
                return NULL;
        } else if (!PyUnicode_CompareWithASCIIString(key, "non_blocking")) {
            if (truth_argument(o, "non_blocking", &ignored))
                return NULL;
        } else if (take_format("to", key, o, &format)) {
            return NULL;
        }
    }
    rl_dtype wanted = RL_NO_DTYPE;
    if (other)
        wanted = (rl_dtype)T(other)->dtype;
    else if (dtype && rl_py_dtype(dtype, &wanted, "dtype"))
        return NULL;
    if (rl_py_check_device(device))
        return NULL;
    return converted(self, wanted, copy, format);
}

/* x.float(memory_format=...) and its like. */
static PyObject *converted_by(const char *name, PyObject *self, rl_dtype dtype,
                              PyObject *const *args, Py_ssize_t n, PyObject *kw)
{
    rl_memory_format format = RL_FORMAT_PRESERVE;
    if (n) {
        PyErr_Format(PyExc_TypeError, "%s() takes 0 positional arguments but %zd %s given", name, n,
                     n > 1 ? "were" : "was");
        return NULL;
    }
    for (Py_ssize_t i = 0; kw && i < PyTuple_GET_SIZE(kw); i++)
        if (take_format(name, PyTuple_GET_ITEM(kw, i), args[i], &format))
            return NULL;
    return converted(self, dtype, false, format);
}

#define CONVERT(name, dtype)                                                                       \
    static PyObject *to_##name(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *kw)  \
    {                                                                                              \
        return converted_by(#name, self, dtype, args, n, kw);                                      \
    }
CONVERT(float, RL_F32)
CONVERT(double, RL_F64)
CONVERT(cfloat, RL_C64)
CONVERT(cdouble, RL_C128)
CONVERT(half, RL_F16)
CONVERT(bfloat16, RL_BF16)
CONVERT(long, RL_I64)
CONVERT(int, RL_I32)
CONVERT(short, RL_I16)
CONVERT(char, RL_I8)
CONVERT(byte, RL_U8)
CONVERT(bool, RL_BOOL)
CONVERT(cpu, RL_NO_DTYPE)

static PyObject *tensor_cuda(PyObject *Py_UNUSED(self), PyObject *const *Py_UNUSED(args),
                             Py_ssize_t Py_UNUSED(n), PyObject *Py_UNUSED(kw))
{
    PyErr_SetString(PyExc_AssertionError, "Torch not compiled with CUDA enabled");
    return NULL;
}

static const struct {
    const char *name;
    rl_dtype dtype;
} legacy_types[] = {{"torch.FloatTensor", RL_F32},        {"torch.DoubleTensor", RL_F64},
                    {"torch.HalfTensor", RL_F16},         {"torch.LongTensor", RL_I64},
                    {"torch.IntTensor", RL_I32},          {"torch.ShortTensor", RL_I16},
                    {"torch.CharTensor", RL_I8},          {"torch.ByteTensor", RL_U8},
                    {"torch.BoolTensor", RL_BOOL},        {"torch.BFloat16Tensor", RL_BF16},
                    {"torch.ComplexFloatTensor", RL_C64}, {"torch.ComplexDoubleTensor", RL_C128}};

static PyObject *tensor_type(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *kw)
{
    size_t count = sizeof legacy_types / sizeof *legacy_types;
    PyObject *wanted = n || (kw && PyTuple_GET_SIZE(kw)) ? args[0] : Py_None;
    if (wanted == Py_None) {
        for (size_t i = 0; i < count; i++)
            if (legacy_types[i].dtype == (rl_dtype)T(self)->dtype)
                return PyUnicode_FromString(legacy_types[i].name);
    }
    rl_dtype dtype = RL_NO_DTYPE;
    if (PyUnicode_Check(wanted)) {
        for (size_t i = 0; i < count; i++)
            if (!PyUnicode_CompareWithASCIIString(wanted, legacy_types[i].name))
                dtype = legacy_types[i].dtype;
        if (dtype == RL_NO_DTYPE) {
            PyErr_Format(PyExc_ValueError, "invalid type: '%U'", wanted);
            return NULL;
        }
        return converted(self, dtype, false, RL_FORMAT_PRESERVE);
    }
    if (rl_py_is_dtype(wanted))
        return rl_py_dtype(wanted, &dtype, "dtype")
                   ? NULL
                   : converted(self, dtype, false, RL_FORMAT_PRESERVE);
    PyObject *of_class =
        PyObject_GetAttrString(wanted, "dtype"); /* torch.FloatTensor and its like */
    if (!of_class || !rl_py_is_dtype(of_class)) {
        Py_XDECREF(of_class);
        PyErr_SetString(PyExc_TypeError, "dtype must be a type, str, or dtype object");
        return NULL;
    }
    int status = rl_py_dtype(of_class, &dtype, "dtype");
    Py_DECREF(of_class);
    return status ? NULL : converted(self, dtype, false, RL_FORMAT_PRESERVE);
}

static PyObject *tensor_type_as(PyObject *self, PyObject *other)
{
    if (!rl_py_is_tensor(other)) {
        PyErr_Format(PyExc_TypeError,
                     "type_as(): argument 'other' (position 1) must be Tensor, not %s",
                     rl_py_type_name(other));
        return NULL;
    }
    return converted(self, (rl_dtype)T(other)->dtype, false, RL_FORMAT_PRESERVE);
}

PyMethodDef rl_py_convert_methods[] = {
    {"to", FAST(tensor_to),
     "to(dtype | device | other, ...) -> Tensor\n\nThe tensor in another dtype; itself when "
     "nothing changes."},
    {"type", FAST(tensor_type),
     "type(dtype=None) -> str or Tensor\n\nName of the tensor's legacy type, or a conversion."},
    {"type_as", tensor_type_as, METH_O, "type_as(other) -> Tensor\n\nThe tensor in other's dtype."},
    {"float", FAST(to_float), "float() -> Tensor\n\nThe tensor as float32."},
    {"double", FAST(to_double), "double() -> Tensor\n\nThe tensor as float64."},
    {"cfloat", FAST(to_cfloat), "cfloat() -> Tensor\n\nThe tensor as complex64."},
    {"cdouble", FAST(to_cdouble), "cdouble() -> Tensor\n\nThe tensor as complex128."},
    {"half", FAST(to_half), "half() -> Tensor\n\nThe tensor as float16."},
    {"bfloat16", FAST(to_bfloat16), "bfloat16() -> Tensor\n\nThe tensor as bfloat16."},
    {"long", FAST(to_long), "long() -> Tensor\n\nThe tensor as int64."},
    {"int", FAST(to_int), "int() -> Tensor\n\nThe tensor as int32."},
    {"short", FAST(to_short), "short() -> Tensor\n\nThe tensor as int16."},
    {"char", FAST(to_char), "char() -> Tensor\n\nThe tensor as int8."},
    {"byte", FAST(to_byte), "byte() -> Tensor\n\nThe tensor as uint8."},
    {"bool", FAST(to_bool), "bool() -> Tensor\n\nWhether the elements are not zero."},
    {"cpu", FAST(to_cpu), "cpu() -> Tensor\n\nThe tensor itself."},
    {"cuda", FAST(tensor_cuda), "cuda()\n\nRaises: there is no such device."},
    {NULL, NULL, 0, NULL},
};
