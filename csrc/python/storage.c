/* storage.c: x.untyped_storage() and x.storage(): the memory under a tensor, as an object with the
 * buffer protocol.  What only programs about storages use is in rushlight/storage.py. */
#include "python/args.h"

typedef struct storage {
    PyObject_HEAD rl_storage *s;
    rl_dtype dtype; /* of elements; RL_U8 for untyped storage */
    bool typed;
} storage;

PyObject *rl_py_storage(rl_tensor *t, bool typed)
{
    storage *o = PyObject_New(storage, typed ? &rl_py_typed_storage_type : &rl_py_storage_type);
    if (!o)
        return NULL;
    rl_storage_retain(t->storage);
    o->s = t->storage;
    o->dtype = typed ? (rl_dtype)t->dtype : RL_U8;
    o->typed = typed;
    return (PyObject *)o;
}

static void storage_dealloc(PyObject *self)
{
    rl_storage_release(((storage *)self)->s);
    Py_TYPE(self)->tp_free(self);
}

static PyObject *storage_data_ptr(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromVoidPtr(((storage *)self)->s->data);
}

static PyObject *storage_nbytes(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromSize_t(((storage *)self)->s->bytes);
}

static Py_ssize_t storage_length(PyObject *self)
{
    storage *o = (storage *)self;
    return (Py_ssize_t)(o->s->bytes / rl_dtype_size(o->dtype));
}

static PyObject *storage_size(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromSsize_t(storage_length(self));
}

static PyObject *storage_untyped(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    storage *from = (storage *)self, *o = PyObject_New(storage, &rl_py_storage_type);
    if (!o)
        return NULL;
    rl_storage_retain(from->s);
    o->s = from->s;
    o->dtype = RL_U8;
    o->typed = false;
    return (PyObject *)o;
}

static PyObject *storage_element_size(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromSize_t(rl_dtype_size(((storage *)self)->dtype));
}

static PyObject *storage_item(PyObject *self, Py_ssize_t i)
{
    storage *o = (storage *)self;
    if (i < 0 || i >= storage_length(self)) {
        PyErr_SetString(PyExc_IndexError, "index out of range");
        return NULL;
    }
    int64_t shape[1] = {1};
    RL_TEMP *one =
        rl_from_data(o->dtype, 0, shape, (char *)o->s->data + (size_t)i * rl_dtype_size(o->dtype));
    rl_scalar value;
    if (!one || rl_item(one, &value))
        return rl_py_raise();
    return rl_py_number(value);
}

/* _tensor(): the whole memory as a 1-dim tensor. */
static PyObject *storage_tensor(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    storage *o = (storage *)self;
    RL_TEMP *t = rl_py_storage_alias(self, o->dtype);
    return t ? rl_py_wrap(rl_retain(t)) : rl_py_raise();
}

rl_tensor *rl_py_storage_alias(PyObject *self, rl_dtype dtype)
{
    storage *o = (storage *)self;
    int64_t n = 0;
    RL_TEMP *t = rl_new(dtype, 1, &n);
    if (!t)
        return NULL;
    n = (int64_t)(o->s->bytes / rl_dtype_size(dtype));
    rl_storage_retain(o->s);
    rl_storage_release(t->storage);
    t->storage = o->s;
    t->data = o->s->data;
    return rl_tensor_set_geometry(t, 1, &n, NULL) ? NULL : rl_retain(t);
}

/* ---- what storage.py does ---- */

static PyObject *helper(const char *name)
{
    PyObject *module = PyImport_ImportModule("rushlight.storage");
    PyObject *f = module ? PyObject_GetAttrString(module, name) : NULL;
    Py_XDECREF(module);
    return f;
}

static PyObject *storage_attribute(PyObject *self, PyObject *name)
{
    PyObject *found = PyObject_GenericGetAttr(self, name);
    if (found || !PyErr_ExceptionMatches(PyExc_AttributeError) || !PyUnicode_Check(name) ||
        (PyUnicode_GET_LENGTH(name) > 1 && PyUnicode_READ_CHAR(name, 0) == '_'))
        return found;
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    PyObject *methods = helper("_METHODS");
    PyObject *f = methods ? PyDict_GetItemWithError(methods, name) : NULL;
    if (f)
        found = PyMethod_New(f, self);
    if (f || PyErr_Occurred()) {
        Py_XDECREF(type);
        Py_XDECREF(value);
        Py_XDECREF(trace);
    } else {
        PyErr_Restore(type, value, trace);
    }
    Py_XDECREF(methods);
    return found;
}

static PyObject *storage_repr(PyObject *self)
{
    PyObject *f = helper("_repr");
    PyObject *text = f ? PyObject_CallOneArg(f, self) : NULL;
    Py_XDECREF(f);
    return text;
}

static int storage_assign(PyObject *self, PyObject *key, PyObject *value)
{
    if (!value) {
        PyErr_SetString(PyExc_TypeError, "cannot delete elements of a storage");
        return -1;
    }
    PyObject *f = helper("_set_item");
    PyObject *done = f ? PyObject_CallFunctionObjArgs(f, self, key, value, NULL) : NULL;
    Py_XDECREF(f);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

static PyObject *storage_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *f = helper(type == &rl_py_typed_storage_type ? "_new_typed" : "_new_untyped");
    PyObject *made = f ? PyObject_Call(f, args, kwargs) : NULL;
    Py_XDECREF(f);
    return made;
}

static void release_parent(void *context) { rl_storage_release(context); }

/* storage[i], or storage[a:b]: the same memory, in part. */
static PyObject *storage_subscript(PyObject *self, PyObject *key)
{
    if (!PySlice_Check(key)) {
        Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (i == -1 && PyErr_Occurred())
            return NULL;
        return storage_item(self, i < 0 ? i + storage_length(self) : i);
    }
    storage *o = (storage *)self;
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(key, &start, &stop, &step) < 0)
        return NULL;
    int64_t n = PySlice_AdjustIndices(storage_length(self), &start, &stop, step);
    if (step != 1)
        return PyErr_Format(PyExc_RuntimeError,
                            "Trying to slice with a step of %zd, but only a step of 1 is supported",
                            step);
    rl_storage_retain(o->s);
    char *at = (char *)o->s->data + (size_t)start * rl_dtype_size(o->dtype);
    RL_TEMP *part = rl_from_memory(o->dtype, 1, &n, NULL, at, release_parent, o->s);
    if (!part) {
        rl_storage_release(o->s);
        return rl_py_raise();
    }
    return rl_py_storage(part, o->typed);
}

/* from_file(filename, shared=False, nbytes=0): opened and mapped by serialization.py. */
static PyObject *storage_from_file(PyObject *Py_UNUSED(cls), PyObject *args, PyObject *kwargs)
{
    PyObject *module = PyImport_ImportModule("rushlight.serialization");
    PyObject *f = module ? PyObject_GetAttrString(module, "_storage_from_file") : NULL;
    PyObject *result = f ? PyObject_Call(f, args, kwargs) : NULL;
    Py_XDECREF(module);
    Py_XDECREF(f);
    return result;
}

static PyObject *storage_tolist(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PySequence_List(self);
}

static PyObject *storage_dtype(PyObject *self, void *Py_UNUSED(closure))
{
    return rl_py_dtype_object(((storage *)self)->dtype);
}

static PyObject *storage_device(PyObject *Py_UNUSED(self), void *Py_UNUSED(closure))
{
    return Py_NewRef(rl_py_cpu());
}

static PyObject *storage_cdata(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromVoidPtr(((storage *)self)->s);
}

static int storage_buffer(PyObject *self, Py_buffer *view, int flags)
{
    storage *o = (storage *)self;
    return PyBuffer_FillInfo(view, self, o->s->data, (Py_ssize_t)o->s->bytes, 0, flags);
}

static PyMethodDef methods[] = {
    {"data_ptr", storage_data_ptr, METH_NOARGS, "data_ptr() -> int\n\nAddress of the first byte."},
    {"nbytes", storage_nbytes, METH_NOARGS, "nbytes() -> int\n\nSize in bytes."},
    {"size", storage_size, METH_NOARGS, "size() -> int\n\nNumber of elements."},
    {"element_size", storage_element_size, METH_NOARGS,
     "element_size() -> int\n\nBytes per element."},
    {"untyped", storage_untyped, METH_NOARGS, "untyped()\n\nThe same memory as bytes."},
    {"from_file", (PyCFunction)(void (*)(void))storage_from_file,
     METH_VARARGS | METH_KEYWORDS | METH_STATIC,
     "from_file(filename, shared=False, nbytes=0)\n\nA file's bytes, mapped; written back if "
     "shared."},
    {"_tensor", storage_tensor, METH_NOARGS, "_tensor() -> Tensor\n\nThe memory as a tensor."},
    {"tolist", storage_tolist, METH_NOARGS, "tolist() -> list\n\nAll elements."},
    {NULL, NULL, 0, NULL},
};
static PyGetSetDef getset[] = {
    {"dtype", storage_dtype, NULL, "Type of the elements.", NULL},
    {"device", storage_device, NULL, "device('cpu').", NULL},
    {"_cdata", storage_cdata, NULL, "Identity of the memory.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
static PySequenceMethods sequence = {.sq_length = storage_length, .sq_item = storage_item};
static PyMappingMethods mapping = {.mp_length = storage_length,
                                   .mp_subscript = storage_subscript,
                                   .mp_ass_subscript = storage_assign};
static PyBufferProcs buffer = {.bf_getbuffer = storage_buffer};

#define STORAGE_TYPE(name, doc)                                                                    \
    {                                                                                              \
        PyVarObject_HEAD_INIT(NULL, 0).tp_name = "rushlight.storage." name,                        \
        .tp_basicsize = sizeof(storage),                                                           \
        .tp_flags = Py_TPFLAGS_DEFAULT,                                                            \
        .tp_doc = doc,                                                                             \
        .tp_new = storage_new,                                                                     \
        .tp_dealloc = storage_dealloc,                                                             \
        .tp_repr = storage_repr,                                                                   \
        .tp_getattro = storage_attribute,                                                          \
        .tp_methods = methods,                                                                     \
        .tp_getset = getset,                                                                       \
        .tp_as_sequence = &sequence,                                                               \
        .tp_as_mapping = &mapping,                                                                 \
        .tp_as_buffer = &buffer,                                                                   \
    }
PyTypeObject rl_py_storage_type =
    STORAGE_TYPE("UntypedStorage", "Memory that a tensor and its views share, as bytes.");
PyTypeObject rl_py_typed_storage_type =
    STORAGE_TYPE("TypedStorage", "Memory that a tensor and its views share, as its elements.");
