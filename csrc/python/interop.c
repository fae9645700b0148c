/* interop.c: a tensor's data for the rest of Python: lists, NumPy arrays, the buffer protocol,
 * DLPack. */
#include "python/interop.h"

#include "core/iter.h"

#define T(o) rl_py_borrow(o)

void rl_py_with_gil(void (*f)(void *context), void *context)
{
    if (!Py_IsInitialized())
        return;
    PyGILState_STATE state = PyGILState_Ensure();
    PyObject *type, *value, *traceback; /* a release in the middle of an error must not lose it */
    PyErr_Fetch(&type, &value, &traceback);
    f(context);
    PyErr_Restore(type, value, traceback);
    PyGILState_Release(state);
}

/* ---- tolist ---- */

static PyObject *element(rl_dtype dtype, const char *p)
{
    switch (dtype) {
    case RL_BOOL:
        return PyBool_FromLong(*(const uint8_t *)p);
    case RL_U8:
        return PyLong_FromLong(*(const uint8_t *)p);
    case RL_I8:
        return PyLong_FromLong(*(const int8_t *)p);
    case RL_I16:
        return PyLong_FromLong(*(const int16_t *)p);
    case RL_I32:
        return PyLong_FromLong(*(const int32_t *)p);
    case RL_I64:
        return PyLong_FromLongLong(*(const int64_t *)p);
    case RL_F32:
        return PyFloat_FromDouble(*(const float *)p);
    case RL_F64:
        return PyFloat_FromDouble(*(const double *)p);
    case RL_C64:
        return PyComplex_FromDoubles(((const float *)p)[0], ((const float *)p)[1]);
    case RL_C128:
        return PyComplex_FromDoubles(((const double *)p)[0], ((const double *)p)[1]);
    default: {
        float v;
        rl_convert(dtype, p, 2, RL_F32, &v, 4, 1);
        return PyFloat_FromDouble(v);
    }
    }
}

static PyObject *nested_list(const rl_tensor *t, int dim, const char *p)
{
    if (dim == t->ndim)
        return element((rl_dtype)t->dtype, p);
    PyObject *list = PyList_New((Py_ssize_t)t->shape[dim]);
    ptrdiff_t step = t->strides[dim] * (ptrdiff_t)rl_itemsize(t);
    for (int64_t i = 0; list && i < t->shape[dim]; i++) {
        PyObject *item = nested_list(t, dim + 1, p + i * step);
        if (!item)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, i, item);
    }
    return list;
}

static PyObject *tensor_tolist(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return nested_list(T(self), 0, T(self)->data);
}

/* ---- NumPy ---- */

static int check_no_grad(PyObject *self)
{
    if (!rl_requires_grad(T(self)))
        return 0;
    PyErr_SetString(
        PyExc_RuntimeError,
        "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.");
    return -1;
}

/* numpy(*, force=False) */
static PyObject *tensor_numpy(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *kw)
{
    int force = 0;
    if (n) {
        PyErr_Format(PyExc_TypeError, "numpy() takes 0 positional arguments but %zd %s given", n,
                     n == 1 ? "was" : "were");
        return NULL;
    }
    for (Py_ssize_t i = 0; kw && i < PyTuple_GET_SIZE(kw); i++) {
        PyObject *name = PyTuple_GET_ITEM(kw, i);
        if (PyUnicode_CompareWithASCIIString(name, "force")) {
            PyErr_Format(PyExc_TypeError, "numpy() got an unexpected keyword argument '%U'", name);
            return NULL;
        }
        force = PyObject_IsTrue(args[i]);
        if (force < 0)
            return NULL;
    }
    return !force && check_no_grad(self) ? NULL : rl_py_to_numpy(T(self), self);
}

/* __array__(dtype=None, *, copy=None): copy None copies if the dtype asks for it, False refuses to.
 */
static PyObject *tensor_array(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"dtype", "copy", NULL};
    PyObject *dtype = Py_None, *copy = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O$O:__array__", names, &dtype, &copy) ||
        check_no_grad(self))
        return NULL;
    PyObject *array = rl_py_to_numpy(T(self), self);
    if (!array)
        return NULL;
    if (copy == Py_True) {
        Py_SETREF(array, PyObject_CallMethod(array, "copy", NULL));
        if (!array)
            return NULL;
    }
    if (dtype == Py_None)
        return array;
    PyObject *method = PyObject_GetAttrString(array, "astype");
    PyObject *positional = PyTuple_Pack(1, dtype),
             *keywords = Py_BuildValue("{s:O}", "copy", Py_False);
    PyObject *cast =
        method && positional && keywords ? PyObject_Call(method, positional, keywords) : NULL;
    Py_XDECREF(method);
    Py_XDECREF(positional);
    Py_XDECREF(keywords);
    if (cast && copy == Py_False && cast != array) {
        Py_CLEAR(cast);
        PyErr_SetString(PyExc_ValueError,
                        "Unable to avoid copy while creating an array of another dtype.");
    }
    Py_DECREF(array);
    return cast;
}

/* __array_wrap__(array, context=None, return_scalar=False): results of NumPy's functions become
 * tensors; bool results uint8, as in PyTorch. */
static PyObject *tensor_array_wrap(PyObject *Py_UNUSED(self), PyObject *args)
{
    PyObject *array, *context = NULL, *scalar = NULL;
    if (!PyArg_ParseTuple(args, "O|OO:__array_wrap__", &array, &context, &scalar))
        return NULL;
    if (!rl_py_is_array(array))
        return Py_NewRef(array);
    RL_TEMP *t = rl_py_share_array(array, false);
    if (!t)
        return NULL;
    return rl_py_wrap(t->dtype == RL_BOOL ? rl_cast_data(t, RL_U8) : rl_retain(t));
}

static PyObject *from_numpy(PyObject *Py_UNUSED(module), PyObject *o)
{
    rl_tensor *t = rl_py_share_array(o, true);
    return t ? rl_py_wrap(t) : NULL;
}

static PyObject *from_array(PyObject *Py_UNUSED(module), PyObject *o)
{
    rl_tensor *t = rl_py_share_array(o, false);
    return t ? rl_py_wrap(t) : NULL;
}

/* ---- the buffer protocol ---- */

static const char *const formats[RL_NDTYPES] = {
    [RL_BOOL] = "?", [RL_U8] = "B",  [RL_I8] = "b",   [RL_I16] = "h",
    [RL_I32] = "i",  [RL_I64] = "q", [RL_F16] = "e",  [RL_BF16] = NULL,
    [RL_F32] = "f",  [RL_F64] = "d", [RL_C64] = "Zf", [RL_C128] = "Zd",
};

static int refuse_buffer(Py_buffer *view, const char *message)
{
    view->obj = NULL;
    PyErr_SetString(PyExc_BufferError, message);
    return -1;
}

static int get_buffer(PyObject *self, Py_buffer *view, int flags)
{
    rl_tensor *t = T(self);
    if (rl_requires_grad(t))
        return refuse_buffer(
            view,
            "Can't export the buffer of a Tensor that requires grad. Use tensor.detach() instead.");
    if (!formats[t->dtype])
        return refuse_buffer(view, "Got unsupported ScalarType BFloat16");
    if (!t->contiguous && (flags & PyBUF_STRIDES) != PyBUF_STRIDES)
        return refuse_buffer(
            view, "the tensor is not contiguous, and the consumer asks for a contiguous buffer");
    if (!t->contiguous && ((flags & PyBUF_C_CONTIGUOUS) == PyBUF_C_CONTIGUOUS ||
                           (flags & PyBUF_F_CONTIGUOUS) == PyBUF_F_CONTIGUOUS))
        return refuse_buffer(
            view, "the tensor is not contiguous, and the consumer asks for a contiguous buffer");
    Py_ssize_t *dims = PyMem_Malloc((2 * (size_t)t->ndim + 1) * sizeof *dims);
    if (!dims) {
        view->obj = NULL;
        PyErr_NoMemory();
        return -1;
    }
    size_t item = rl_itemsize(t);
    for (int d = 0; d < t->ndim; d++) {
        dims[d] = (Py_ssize_t)t->shape[d];
        dims[t->ndim + d] = (Py_ssize_t)(t->strides[d] * (int64_t)item);
    }
    view->buf = t->data;
    view->obj = Py_NewRef(self);
    view->len = (Py_ssize_t)((size_t)t->numel * item);
    view->readonly = 0;
    view->itemsize = (Py_ssize_t)item;
    view->format = flags & PyBUF_FORMAT ? (char *)formats[t->dtype] : NULL;
    view->ndim = t->ndim;
    view->shape = flags & PyBUF_ND ? dims : NULL;
    view->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? dims + t->ndim : NULL;
    view->suboffsets = NULL;
    /* The memory must outlive the view even if the tensor's data is exchanged meanwhile. */
    rl_storage_retain(t->storage);
    dims[2 * t->ndim] = (Py_ssize_t)(intptr_t)t->storage;
    view->internal = dims;
    return 0;
}

static void release_buffer(PyObject *Py_UNUSED(self), Py_buffer *view)
{
    Py_ssize_t *dims = view->internal;
    rl_storage_release((rl_storage *)(intptr_t)dims[2 * view->ndim]);
    PyMem_Free(dims);
}

PyBufferProcs rl_py_buffer_procs = {get_buffer, release_buffer};

static void free_view(void *context)
{
    PyBuffer_Release(context);
    PyMem_Free(context);
}

static void free_buffer(void *context) { rl_py_with_gil(free_view, context); }

static int warn_read_only(void)
{
    static bool warned;
    if (warned)
        return 0;
    warned = true;
    return PyErr_WarnEx(PyExc_UserWarning,
                        "The given buffer is not writable, and PyTorch does not support "
                        "non-writable tensors. This means you "
                        "can write to the underlying (supposedly non-writable) buffer using the "
                        "tensor. You may want to copy "
                        "the buffer to protect its data or make it writable before converting it "
                        "to a tensor. This type of "
                        "warning will be suppressed for the rest of this program.",
                        1);
}

/* One-dimensional tensor over an object's buffer.  count < 0: all there is. */
static rl_tensor *share_buffer(PyObject *o, rl_dtype dtype, Py_ssize_t count, Py_ssize_t offset)
{
    Py_buffer *view = PyMem_Calloc(1, sizeof *view);
    if (!view) {
        PyErr_NoMemory();
        return NULL;
    }
    if (PyObject_GetBuffer(o, view, PyBUF_WRITABLE)) {
        PyErr_Clear();
        if (PyObject_GetBuffer(o, view, PyBUF_SIMPLE)) {
            PyMem_Free(view);
            return NULL;
        }
        if (warn_read_only())
            goto fail;
    }
    Py_ssize_t length = view->len, item = (Py_ssize_t)rl_dtype_size(dtype);
    if (length == 0 || count == 0) {
        PyErr_Format(PyExc_ValueError, "both buffer length (%zd) and count (%zd) must not be 0",
                     length, count);
        goto fail;
    }
    if (offset < 0 || offset >= length) {
        PyErr_Format(PyExc_ValueError,
                     "offset (%zd bytes) must be non-negative and no greater than buffer length "
                     "(%zd bytes) minus 1",
                     offset, length);
        goto fail;
    }
    if (count > 0 && count > (length - offset) / item) {
        PyErr_Format(PyExc_ValueError,
                     "requested buffer length (%zd * %zd bytes) after offset (%zd bytes) must not "
                     "be greater than actual "
                     "buffer length (%zd bytes)",
                     count, item, offset, length);
        goto fail;
    }
    if (count < 0 && (length - offset) % item) {
        PyErr_Format(PyExc_ValueError,
                     "buffer length (%zd bytes) after offset (%zd bytes) must be a multiple of "
                     "element size (%zd)",
                     length - offset, offset, item);
        goto fail;
    }
    int64_t n = count > 0 ? count : (length - offset) / item;
    rl_tensor *t =
        rl_from_memory(dtype, 1, &n, NULL, (char *)view->buf + offset, free_buffer, view);
    if (t)
        return t;
    rl_py_raise();
fail:
    free_view(view);
    return NULL;
}

/* frombuffer(buffer, *, dtype, count=-1, offset=0, requires_grad=False) */
static PyObject *frombuffer(PyObject *Py_UNUSED(module), PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"buffer", "dtype", "count", "offset", "requires_grad", NULL};
    PyObject *buffer, *dtype_object = NULL;
    Py_ssize_t count = -1, offset = 0;
    int requires_grad = 0;
    rl_dtype dtype;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$Onnp:frombuffer", names, &buffer,
                                     &dtype_object, &count, &offset, &requires_grad))
        return NULL;
    if (!dtype_object) {
        PyErr_SetString(PyExc_TypeError,
                        "frombuffer() missing 1 required positional arguments: \"dtype\"");
        return NULL;
    }
    if (rl_py_dtype(dtype_object, &dtype, "dtype"))
        return NULL;
    if (dtype == RL_NO_DTYPE) {
        PyErr_SetString(PyExc_TypeError,
                        "frombuffer(): argument 'dtype' must be torch.dtype, not NoneType");
        return NULL;
    }
    if (!PyObject_CheckBuffer(buffer)) {
        PyErr_SetString(PyExc_ValueError, "object does not implement Python buffer protocol.");
        return NULL;
    }
    RL_TEMP *t = share_buffer(buffer, dtype, count, offset);
    if (!t)
        return NULL;
    if (requires_grad && rl_set_requires_grad(t, true))
        return rl_py_raise();
    return rl_py_wrap(rl_retain(t));
}

/* ---- asarray ---- */

/* obj as a tensor that shares its memory where it can.  NULL without an exception: it cannot. */
static rl_tensor *alias_of(PyObject *o, rl_dtype dtype)
{
    if (rl_py_is_tensor(o))
        return rl_retain(T(o));
    if (rl_py_is_array(o))
        return rl_py_share_array(o, true);
    if (PyCapsule_CheckExact(o)) {
        PyObject *t = rl_py_from_dlpack(NULL, o);
        rl_tensor *shared = t ? rl_retain(T(t)) : NULL;
        Py_XDECREF(t);
        return shared;
    }
    if (PyObject_CheckBuffer(o) && Py_TYPE(o)->tp_as_sequence && PySequence_Check(o))
        return share_buffer(o, dtype == RL_NO_DTYPE ? rl_default_dtype() : dtype, -1, 0);
    return NULL;
}

/* asarray(obj, *, dtype=None, device=None, copy=None, requires_grad=False) */
static PyObject *asarray(PyObject *Py_UNUSED(module), PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"obj", "dtype", "device", "copy", "requires_grad", NULL};
    PyObject *o, *dtype_object = Py_None, *device = Py_None, *copy_object = Py_None;
    PyObject *grad_object = Py_None;
    rl_dtype dtype;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$OOOO:asarray", names, &o, &dtype_object,
                                     &device, &copy_object, &grad_object) ||
        rl_py_dtype(dtype_object, &dtype, "dtype"))
        return NULL;
    int copy = copy_object == Py_None ? 0 : PyObject_IsTrue(copy_object);
    int wants_grad = grad_object == Py_None ? -1 : PyObject_IsTrue(grad_object);
    if (copy < 0 || (wants_grad < 0 && PyErr_Occurred()))
        return NULL;
    bool never = copy_object != Py_None && !copy;
    RL_TEMP *t = alias_of(o, dtype);
    if (!t && PyErr_Occurred())
        return NULL;
    if (!t) {
        if (never) {
            PyErr_SetString(PyExc_ValueError, "can't alias arbitrary sequence into a tensor.");
            return NULL;
        }
        t = rl_py_tensor_from_data(o, dtype);
        if (!t)
            return NULL;
    } else if (copy || (dtype != RL_NO_DTYPE && dtype != (rl_dtype)t->dtype)) {
        if (never) {
            PyErr_Format(PyExc_ValueError, "can't alias tensor with dtype '%s' into dtype '%s'.",
                         rl_dtype_title((rl_dtype)t->dtype), rl_dtype_title(dtype));
            return NULL;
        }
        rl_tensor *copied = rl_to_dtype(t, dtype == RL_NO_DTYPE ? (rl_dtype)t->dtype : dtype, true);
        rl_release(t);
        t = copied;
        if (!t)
            return rl_py_raise();
    }
    if (wants_grad == 0 && rl_requires_grad(t)) { /* the same data without its history */
        rl_tensor *alone = rl_new_view(t, t->ndim, t->shape, t->strides, t->offset);
        rl_release(t);
        t = alone;
    } else if (wants_grad == 1 && !rl_requires_grad(t) && rl_set_requires_grad(t, true)) {
        return rl_py_raise();
    }
    return rl_py_wrap(rl_retain(t));
}

/* ---- tables ---- */

#define KEYWORDS(function) (PyCFunction)(void (*)(void)) function, METH_VARARGS | METH_KEYWORDS

PyMethodDef rl_py_interop_methods[] = {
    {"tolist", tensor_tolist, METH_NOARGS,
     "tolist() -> list or number\n\nThe elements as nested lists."},
    {"numpy", (PyCFunction)(void (*)(void))tensor_numpy, METH_FASTCALL | METH_KEYWORDS,
     "numpy(*, force=False) -> numpy.ndarray\n\nAn array that shares the tensor's memory; force "
     "takes it from a tensor "
     "that requires grad, too."},
    {"__array__", KEYWORDS(tensor_array),
     "__array__(dtype=None, *, copy=None)\n\nNumPy's conversion."},
    {"__array_wrap__", tensor_array_wrap, METH_VARARGS,
     "__array_wrap__(array, context=None, return_scalar=False)\n\nA NumPy function's result as a "
     "tensor."},
    {"__dlpack__", KEYWORDS(rl_py_dlpack),
     "__dlpack__(*, stream=None, max_version=None, dl_device=None, copy=None)\n\nA DLPack capsule "
     "that shares the memory."},
    {"__dlpack_device__", rl_py_dlpack_device, METH_NOARGS,
     "__dlpack_device__() -> (1, 0)\n\nThe CPU."},
    {NULL, NULL, 0, NULL},
};

static PyMethodDef functions[] = {
    {"from_numpy", from_numpy, METH_O,
     "from_numpy(ndarray) -> Tensor\n\nA tensor that shares the array's memory and dtype."},
    {"_from_array", from_array, METH_O,
     "_from_array(ndarray) -> Tensor\n\nfrom_numpy without a warning."},
    {"frombuffer", KEYWORDS(frombuffer),
     "frombuffer(buffer, *, dtype, count=-1, offset=0, requires_grad=False) -> "
     "Tensor\n\nOne-dimensional tensor over the "
     "memory of an object with the buffer protocol; offset in bytes, count in elements."},
    {"asarray", KEYWORDS(asarray),
     "asarray(obj, *, dtype=None, device=None, copy=None, requires_grad=False) -> Tensor\n\nA "
     "tensor of obj's data, "
     "sharing its memory where possible (copy=False: or an error; copy=True: never)."},
    {"from_dlpack", rl_py_from_dlpack, METH_O,
     "from_dlpack(ext_tensor) -> Tensor\n\nA tensor that shares the memory of another library's."},
    {"_to_dlpack", rl_py_to_dlpack, METH_O,
     "_to_dlpack(tensor)\n\nA DLPack capsule of the tensor."},
    {NULL, NULL, 0, NULL},
};

int rl_py_add_interop(PyObject *module) { return PyModule_AddFunctions(module, functions); }
