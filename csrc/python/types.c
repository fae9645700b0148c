/* types.c: torch.Size, dtype, layout, memory_format and device. */
#include "python/args.h"

/* ---- Size: a tuple of ints ---- */

static PyTypeObject size_type;

PyObject *rl_py_size(int n, const int64_t *v)
{
    PyObject *size = size_type.tp_alloc(&size_type, n);
    for (int i = 0; size && i < n; i++) {
        PyObject *item = PyLong_FromLongLong(v[i]);
        if (!item)
            Py_CLEAR(size);
        else
            PyTuple_SET_ITEM(size, i, item);
    }
    return size;
}

static PyObject *size_of_tuple(PyObject *tuple) /* takes over tuple, may be NULL */
{
    if (!tuple || !PyTuple_Check(tuple) || Py_TYPE(tuple) == &size_type)
        return tuple;
    Py_ssize_t n = PyTuple_GET_SIZE(tuple);
    PyObject *size = size_type.tp_alloc(&size_type, n);
    for (Py_ssize_t i = 0; size && i < n; i++)
        PyTuple_SET_ITEM(size, i, Py_NewRef(PyTuple_GET_ITEM(tuple, i)));
    Py_DECREF(tuple);
    return size;
}

static PyObject *size_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *size = PyTuple_Type.tp_new(type, args, kwargs);
    for (Py_ssize_t i = 0; size && i < PyTuple_GET_SIZE(size); i++) {
        PyObject *item = PyTuple_GET_ITEM(size, i);
        if (PyLong_Check(item))
            continue;
        PyObject *number = PyFloat_Check(item) ? NULL : PyNumber_Index(item);
        if (!number) {
            PyErr_Format(PyExc_TypeError,
                         "torch.Size() takes an iterable of 'int' (item %zd is '%s')", i,
                         rl_py_type_name(item));
            Py_CLEAR(size);
            break;
        }
        PyTuple_SET_ITEM(size, i, number);
        Py_DECREF(item);
    }
    return size;
}

static PyObject *size_repr(PyObject *self)
{
    PyObject *text = PyUnicode_FromString("torch.Size([");
    for (Py_ssize_t i = 0; text && i < PyTuple_GET_SIZE(self); i++)
        Py_SETREF(text,
                  PyUnicode_FromFormat("%U%s%R", text, i ? ", " : "", PyTuple_GET_ITEM(self, i)));
    if (text)
        Py_SETREF(text, PyUnicode_FromFormat("%U])", text));
    return text;
}

static PyObject *size_numel(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *product = PyLong_FromLong(1);
    for (Py_ssize_t i = 0; product && i < PyTuple_GET_SIZE(self); i++)
        Py_SETREF(product, PyNumber_Multiply(product, PyTuple_GET_ITEM(self, i)));
    return product;
}

static PyObject *size_reduce(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *tuple = PyTuple_GetSlice(self, 0, PyTuple_GET_SIZE(self));
    if (tuple &&
        Py_TYPE(tuple) ==
            &size_type) /* CPython hands back self for a full slice of an exact tuple only */
        Py_SETREF(tuple, PySequence_List(tuple));
    return tuple ? Py_BuildValue("(O(N))", &size_type, tuple) : NULL;
}

static PyObject *size_concat(PyObject *a, PyObject *b)
{
    if (!PyTuple_Check(a) || !PyTuple_Check(b))
        Py_RETURN_NOTIMPLEMENTED;
    return size_of_tuple(PyTuple_Type.tp_as_sequence->sq_concat(a, b));
}

static PyObject *size_repeat(PyObject *a, Py_ssize_t n)
{
    return size_of_tuple(PyTuple_Type.tp_as_sequence->sq_repeat(a, n));
}

static PyObject *size_subscript(PyObject *self, PyObject *key)
{
    return PySlice_Check(key) ? size_of_tuple(PyTuple_Type.tp_as_mapping->mp_subscript(self, key))
                              : PyTuple_Type.tp_as_mapping->mp_subscript(self, key);
}

static PyMethodDef size_methods[] = {
    {"numel", size_numel, METH_NOARGS, "numel() -> int\n\nProduct of the sizes."},
    {"__reduce__", size_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};
static PySequenceMethods size_sequence = {.sq_repeat = size_repeat, .sq_concat = size_concat};
static PyNumberMethods size_number = {.nb_add = size_concat};
static PyMappingMethods size_mapping = {.mp_subscript = size_subscript};

static PyTypeObject size_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "rushlight.Size",
    .tp_doc = "Size of a tensor: a tuple of ints.",
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_new = size_new,
    .tp_repr = size_repr,
    .tp_methods = size_methods,
    .tp_as_sequence = &size_sequence,
    .tp_as_number = &size_number,
    .tp_as_mapping = &size_mapping,
};

/* ---- names: dtype, layout, memory_format ---- */

typedef struct named {
    PyObject_HEAD int value;
    const char *name;
} named;

static PyObject *named_repr(PyObject *self)
{
    return PyUnicode_FromFormat("torch.%s", ((named *)self)->name);
}
static PyObject *named_reduce(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyUnicode_FromString(((named *)self)->name); /* pickled by name */
}

static PyObject *dtype_is_floating(PyObject *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(rl_is_floating((rl_dtype)((named *)self)->value));
}
static PyObject *dtype_is_complex(PyObject *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(rl_is_complex((rl_dtype)((named *)self)->value));
}
static PyObject *dtype_is_signed(PyObject *self, void *Py_UNUSED(closure))
{
    int d = ((named *)self)->value;
    return PyBool_FromLong(d != RL_BOOL && d != RL_U8);
}
static PyObject *dtype_itemsize(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromSize_t(rl_dtype_size((rl_dtype)((named *)self)->value));
}

static PyObject *dtype_to_complex(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return rl_py_dtype_object(rl_complex_dtype((rl_dtype)((named *)self)->value));
}
static PyObject *dtype_to_real(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return rl_py_dtype_object(rl_real_dtype((rl_dtype)((named *)self)->value));
}
static PyMethodDef dtype_methods[] = {
    {"__reduce__", named_reduce, METH_NOARGS, NULL},
    {"to_complex", dtype_to_complex, METH_NOARGS,
     "to_complex() -> dtype\n\nThe complex type with parts of this type."},
    {"to_real", dtype_to_real, METH_NOARGS, "to_real() -> dtype\n\nThe type of the parts."},
    {NULL, NULL, 0, NULL}};
static PyMethodDef named_methods[] = {{"__reduce__", named_reduce, METH_NOARGS, NULL},
                                      {NULL, NULL, 0, NULL}};
static PyGetSetDef dtype_getset[] = {
    {"is_floating_point", dtype_is_floating, NULL, "True for floating-point types.", NULL},
    {"is_complex", dtype_is_complex, NULL, "True for complex types.", NULL},
    {"is_signed", dtype_is_signed, NULL, "True for types with negative values.", NULL},
    {"itemsize", dtype_itemsize, NULL, "Bytes per element.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

#define NAMED_TYPE(ident, text, doc, ...)                                                          \
    static PyTypeObject ident = {PyVarObject_HEAD_INIT(NULL, 0).tp_name = "rushlight." text,       \
                                 .tp_basicsize = sizeof(named),                                    \
                                 .tp_flags =                                                       \
                                     Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,       \
                                 .tp_doc = doc,                                                    \
                                 .tp_repr = named_repr,                                            \
                                 .tp_methods = named_methods,                                      \
                                 __VA_ARGS__}
NAMED_TYPE(dtype_type, "dtype", "Type of a tensor's elements.", .tp_getset = dtype_getset);
NAMED_TYPE(layout_type, "layout", "How a tensor's elements lie in memory.", .tp_getset = NULL);
NAMED_TYPE(format_type, "memory_format", "Order of a tensor's dims in memory.", .tp_getset = NULL);

static PyObject *dtypes[RL_NDTYPES], *strided;

static PyObject *named_new(PyTypeObject *type, int value, const char *name)
{
    named *o = PyObject_New(named, type);
    if (o) {
        o->value = value;
        o->name = name;
    }
    return (PyObject *)o;
}

bool rl_py_is_dtype(PyObject *o)
{
    return Py_TYPE(o) == &dtype_type || o == (PyObject *)&PyFloat_Type ||
           o == (PyObject *)&PyLong_Type || o == (PyObject *)&PyBool_Type ||
           o == (PyObject *)&PyComplex_Type;
}

int rl_py_dtype(PyObject *o, rl_dtype *out, const char *what)
{
    if (o == Py_None)
        *out = RL_NO_DTYPE;
    else if (Py_TYPE(o) == &dtype_type)
        *out = (rl_dtype)((named *)o)->value;
    else if (o == (PyObject *)&PyFloat_Type)
        *out = RL_F64;
    else if (o == (PyObject *)&PyLong_Type)
        *out = RL_I64;
    else if (o == (PyObject *)&PyComplex_Type)
        *out = RL_C128;
    else if (o == (PyObject *)&PyBool_Type)
        *out = RL_BOOL;
    else {
        PyErr_Format(PyExc_TypeError, "argument '%s' must be torch.dtype, not %s", what,
                     rl_py_type_name(o));
        return -1;
    }
    return 0;
}

PyObject *rl_py_dtype_object(rl_dtype dtype)
{
    if (dtype < 0 || dtype >= RL_NDTYPES) {
        PyErr_SetString(PyExc_SystemError, "unknown dtype");
        return NULL;
    }
    return Py_NewRef(dtypes[dtype]);
}

bool rl_py_is_memory_format(PyObject *o) { return Py_TYPE(o) == &format_type; }
int rl_py_memory_format_kind(PyObject *o)
{
    return Py_TYPE(o) == &format_type ? ((named *)o)->value : -1;
}
PyObject *rl_py_strided(void) { return strided; }

int rl_py_check_layout(PyObject *o)
{
    if (o == Py_None || o == strided)
        return 0;
    if (Py_TYPE(o) == &layout_type)
        PyErr_Format(PyExc_NotImplementedError, "layout %R is not supported, only torch.strided",
                     o);
    else
        PyErr_Format(PyExc_TypeError, "argument 'layout' must be torch.layout, not %s",
                     rl_py_type_name(o));
    return -1;
}

/* ---- device ---- */

typedef struct device {
    PyObject_HEAD int index; /* -1: none */
    int type;                /* into device_names */
} device;

static PyTypeObject device_type;
static const char *const device_names[] = {
    "cpu",    "cuda", "ipu",  "xpu",  "mkldnn", "opengl",        "opencl",
    "ideep",  "hip",  "ve",   "fpga", "maia",   "xla",           "lazy",
    "vulkan", "mps",  "meta", "hpu",  "mtia",   "privateuseone", NULL};
static PyObject *cpu;

bool rl_py_is_device(PyObject *o) { return Py_TYPE(o) == &device_type; }
PyObject *rl_py_cpu(void) { return cpu; }

static int parse_device(const char *text, int *type, int *index)
{
    const char *colon = strchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : strlen(text);
    *index = -1;
    for (*type = 0; device_names[*type]; ++*type)
        if (strlen(device_names[*type]) == length && !strncmp(device_names[*type], text, length))
            break;
    if (!device_names[*type]) {
        char start[64];
        snprintf(start, sizeof start, "%.*s", (int)length, text);
        PyErr_Format(PyExc_RuntimeError,
                     "Expected one of cpu, cuda, ipu, xpu, mkldnn, opengl, opencl, ideep, hip, ve, "
                     "fpga, maia, xla, "
                     "lazy, vulkan, mps, meta, hpu, mtia, privateuseone device type at start of "
                     "device string: %s",
                     start);
        return -1;
    }
    if (colon) {
        char *end;
        long v = strtol(colon + 1, &end, 10);
        if (end == colon + 1 || *end || v < 0 || v > 127 || colon[1] == '+' ||
            (colon[1] == '0' && colon[2])) {
            PyErr_Format(PyExc_RuntimeError, "Invalid device string: '%s'", text);
            return -1;
        }
        *index = (int)v;
    }
    return 0;
}

static PyObject *device_make(int type, int index)
{
    device *d = PyObject_New(device, &device_type);
    if (d) {
        d->type = type;
        d->index = index;
    }
    return (PyObject *)d;
}

static PyObject *device_new(PyTypeObject *Py_UNUSED(type), PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"type", "index", NULL};
    PyObject *what = NULL, *number = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:device", names, &what, &number))
        return NULL;
    if (rl_py_is_device(what) && number == Py_None)
        return Py_NewRef(what);
    if (PyLong_Check(what)) {
        PyErr_SetString(PyExc_RuntimeError,
                        "Cannot access accelerator device when none is available.");
        return NULL;
    }
    if (!PyUnicode_Check(what)) {
        PyErr_Format(PyExc_TypeError, "device(): argument 'type' must be str, not %s",
                     rl_py_type_name(what));
        return NULL;
    }
    const char *text = PyUnicode_AsUTF8(what);
    int kind, index;
    if (!text || parse_device(text, &kind, &index))
        return NULL;
    if (number != Py_None) {
        long v = PyLong_AsLong(number);
        if (v == -1 && PyErr_Occurred())
            return NULL;
        if (index >= 0) {
            PyErr_Format(
                PyExc_RuntimeError,
                "type (string) must not include an index because index was passed explicitly: %s",
                text);
            return NULL;
        }
        if (v < 0) {
            PyErr_Format(PyExc_RuntimeError, "Device index must not be negative");
            return NULL;
        }
        index = (int)v;
    }
    return device_make(kind, index);
}

static PyObject *device_repr(PyObject *self)
{
    device *d = (device *)self;
    return d->index < 0 ? PyUnicode_FromFormat("device(type='%s')", device_names[d->type])
                        : PyUnicode_FromFormat("device(type='%s', index=%d)", device_names[d->type],
                                               d->index);
}

static PyObject *device_str(PyObject *self)
{
    device *d = (device *)self;
    return d->index < 0 ? PyUnicode_FromString(device_names[d->type])
                        : PyUnicode_FromFormat("%s:%d", device_names[d->type], d->index);
}

static PyObject *device_compare(PyObject *a, PyObject *b, int op)
{
    if (!rl_py_is_device(a) || !rl_py_is_device(b) || (op != Py_EQ && op != Py_NE))
        Py_RETURN_NOTIMPLEMENTED;
    bool same =
        ((device *)a)->type == ((device *)b)->type && ((device *)a)->index == ((device *)b)->index;
    return PyBool_FromLong(same == (op == Py_EQ));
}

static Py_hash_t device_hash(PyObject *self)
{
    return ((device *)self)->type * 128 + ((device *)self)->index + 2;
}
static PyObject *device_get_type(PyObject *self, void *Py_UNUSED(closure))
{
    return PyUnicode_InternFromString(device_names[((device *)self)->type]);
}
static PyObject *device_get_index(PyObject *self, void *Py_UNUSED(closure))
{
    int index = ((device *)self)->index;
    return index < 0 ? Py_NewRef(Py_None) : PyLong_FromLong(index);
}
static PyObject *device_reduce(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    device *d = (device *)self;
    return d->index < 0 ? Py_BuildValue("(O(s))", &device_type, device_names[d->type])
                        : Py_BuildValue("(O(si))", &device_type, device_names[d->type], d->index);
}
/* `with torch.device("cpu"):` makes the CPU the default device, which it always is. */
static PyObject *device_enter(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return rl_py_check_device(self) ? NULL : Py_NewRef(self);
}
static PyObject *device_exit(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(args))
{
    Py_RETURN_NONE;
}

static PyMethodDef device_methods[] = {
    {"__reduce__", device_reduce, METH_NOARGS, NULL},
    {"__enter__", device_enter, METH_NOARGS, NULL},
    {"__exit__", device_exit, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
static PyGetSetDef device_getset[] = {
    {"type", device_get_type, NULL, "Kind of device: \"cpu\".", NULL},
    {"index", device_get_index, NULL, "Number of the device among its kind, or None.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
static PyTypeObject device_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "rushlight.device",
    .tp_basicsize = sizeof(device),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "device(type, index=None)\n\nWhere a tensor lives. Tensors live on the CPU.",
    .tp_new = device_new,
    .tp_repr = device_repr,
    .tp_str = device_str,
    .tp_richcompare = device_compare,
    .tp_hash = device_hash,
    .tp_methods = device_methods,
    .tp_getset = device_getset,
};

int rl_py_check_device(PyObject *o)
{
    int type, index;
    if (o == Py_None)
        return 0;
    if (rl_py_is_device(o)) {
        type = ((device *)o)->type;
    } else if (PyUnicode_Check(o)) {
        const char *text = PyUnicode_AsUTF8(o);
        if (!text || parse_device(text, &type, &index))
            return -1;
    } else if (PyLong_Check(o)) {
        PyErr_SetString(PyExc_RuntimeError,
                        "Cannot access accelerator device when none is available.");
        return -1;
    } else {
        PyErr_Format(PyExc_TypeError, "argument 'device' must be torch.device, not %s",
                     rl_py_type_name(o));
        return -1;
    }
    if (type == 0)
        return 0;
    const char *name = device_names[type];
    if (!strcmp(name, "cuda"))
        PyErr_SetString(PyExc_AssertionError, "Torch not compiled with CUDA enabled");
    else if (!strcmp(name, "mps"))
        PyErr_SetString(PyExc_RuntimeError, "PyTorch is not linked with support for mps devices");
    else
        PyErr_Format(PyExc_NotImplementedError,
                     "device '%s' is not supported: tensors live on the CPU", name);
    return -1;
}

/* ---- */

int rl_py_add_types(PyObject *module)
{
    static const char *const formats[] = {"contiguous_format", "preserve_format", "channels_last",
                                          "channels_last_3d"};
    static const char *const layouts[] = {"strided", "sparse_coo", "sparse_csr"};
    static const struct {
        rl_dtype dtype;
        const char *alias;
    } alias[] = {{RL_F32, "float"}, {RL_F64, "double"}, {RL_F16, "half"},   {RL_I64, "long"},
                 {RL_I32, "int"},   {RL_I16, "short"},  {RL_C64, "cfloat"}, {RL_C128, "cdouble"}};
    size_type.tp_base = &PyTuple_Type;
    dtype_type.tp_methods = dtype_methods;
    PyTypeObject *types[] = {&size_type, &dtype_type, &layout_type, &format_type, &device_type};
    const char *names[] = {"Size", "dtype", "layout", "memory_format", "device"};
    for (int i = 0; i < 5; i++)
        if (PyType_Ready(types[i]) || PyModule_AddObjectRef(module, names[i], (PyObject *)types[i]))
            return -1;
    for (int d = 0; d < RL_NDTYPES; d++) {
        dtypes[d] = named_new(&dtype_type, d, rl_dtype_name((rl_dtype)d));
        if (!dtypes[d] || PyModule_AddObjectRef(module, rl_dtype_name((rl_dtype)d), dtypes[d]))
            return -1;
    }
    for (size_t i = 0; i < sizeof alias / sizeof *alias; i++)
        if (PyModule_AddObjectRef(module, alias[i].alias, dtypes[alias[i].dtype]))
            return -1;
    for (int i = 0; i < 4; i++) {
        PyObject *o = named_new(&format_type, i, formats[i]);
        if (!o || PyModule_AddObject(module, formats[i], o))
            return -1;
    }
    for (int i = 0; i < 3; i++) {
        PyObject *o = named_new(&layout_type, i, layouts[i]);
        if (!o || PyModule_AddObject(module, layouts[i], o))
            return -1;
        if (!i)
            strided = o;
    }
    cpu = device_make(0, -1);
    return cpu ? 0 : -1;
}
