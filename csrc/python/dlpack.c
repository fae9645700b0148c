/* dlpack.c: tensors to and from other libraries through DLPack capsules. */
#include "python/dlpack.h"

#include "core/iter.h"
#include "python/interop.h"

static const char *const PLAIN = "dltensor", *const PLAIN_USED = "used_dltensor";
static const char *const VERSIONED = "dltensor_versioned", *const VERSIONED_USED =
                                                               "used_dltensor_versioned";

/* ---- export ---- */

/* What a capsule owns: the struct, and the tensor whose memory, shape and strides it shows. */
typedef struct exported {
    union {
        rl_dl_managed plain;
        rl_dl_versioned versioned;
    };
    rl_tensor *t;
    int64_t dims[];
} exported;

static void free_exported(exported *e)
{
    rl_release(e->t);
    free(e);
}

static void delete_plain(rl_dl_managed *self) { free_exported(self->context); }
static void delete_versioned(rl_dl_versioned *self) { free_exported(self->context); }

/* A capsule that nobody consumed still owns its tensor. */
static void capsule_gone(PyObject *capsule)
{
    if (PyCapsule_IsValid(capsule, PLAIN)) {
        rl_dl_managed *m = PyCapsule_GetPointer(capsule, PLAIN);
        m->deleter(m);
    } else if (PyCapsule_IsValid(capsule, VERSIONED)) {
        rl_dl_versioned *m = PyCapsule_GetPointer(capsule, VERSIONED);
        m->deleter(m);
    }
}

static void describe(rl_dl_tensor *d, rl_tensor *t, int64_t *dims)
{
    d->data = t->data;
    d->device.type = RL_DL_CPU;
    d->device.id = 0;
    d->ndim = t->ndim;
    rl_dtype dtype = (rl_dtype)t->dtype;
    d->dtype.code = dtype == RL_BOOL        ? RL_DL_BOOL
                    : dtype == RL_U8        ? RL_DL_UINT
                    : dtype == RL_BF16      ? RL_DL_BFLOAT
                    : rl_is_floating(dtype) ? RL_DL_FLOAT
                    : rl_is_complex(dtype)  ? RL_DL_COMPLEX
                                            : RL_DL_INT;
    d->dtype.bits = (uint8_t)(8 * rl_dtype_size(dtype));
    d->dtype.lanes = 1;
    d->byte_offset = 0;
    d->shape = dims;
    d->strides = dims + t->ndim;
    for (int i = 0; i < t->ndim; i++) {
        dims[i] = t->shape[i];
        dims[t->ndim + i] =
            t->shape[i] < 2 ? 1
                            : t->strides[i]; /* as PyTorch: strides of size-1 dims mean nothing */
    }
}

/* Takes over t. */
static PyObject *export(rl_tensor *t, bool versioned, bool copied)
{
    exported *e = t ? calloc(1, sizeof *e + 2 * (size_t)t->ndim * sizeof *e->dims) : NULL;
    if (!e) {
        if (t)
            PyErr_NoMemory();
        else
            rl_py_raise();
        rl_release(t);
        return NULL;
    }
    e->t = t;
    if (versioned) {
        e->versioned.version.major = 1;
        e->versioned.flags = copied ? RL_DL_IS_COPIED : 0;
        e->versioned.context = e;
        e->versioned.deleter = delete_versioned;
        describe(&e->versioned.tensor, t, e->dims);
    } else {
        e->plain.context = e;
        e->plain.deleter = delete_plain;
        describe(&e->plain.tensor, t, e->dims);
    }
    PyObject *capsule = PyCapsule_New(e, versioned ? VERSIONED : PLAIN, capsule_gone);
    if (!capsule)
        free_exported(e);
    return capsule;
}

static PyObject *export_checked(rl_tensor *t, bool versioned, bool copy)
{
    if (rl_requires_grad(t)) {
        PyErr_SetString(PyExc_BufferError,
                        "Can't export tensors that require gradient, use tensor.detach()");
        return NULL;
    }
    return export(copy ? rl_clone(t) : rl_retain(t), versioned, copy);
}

PyObject *rl_py_dlpack(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"stream", "max_version", "dl_device", "copy", NULL};
    PyObject *stream = Py_None, *max_version = Py_None, *device = Py_None, *copy = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$OOOO:__dlpack__", names, &stream,
                                     &max_version, &device, &copy))
        return NULL;
    if (stream != Py_None) {
        PyErr_SetString(PyExc_AssertionError, "stream should be None on cpu.");
        return NULL;
    }
    if (device != Py_None) {
        int type, id;
        if (!PyArg_ParseTuple(device, "ii:dl_device", &type, &id))
            return NULL;
        if (type != RL_DL_CPU) {
            PyErr_SetString(PyExc_BufferError, "__dlpack__: tensors live on the CPU");
            return NULL;
        }
    }
    int major = 0, minor;
    if (max_version != Py_None && !PyArg_ParseTuple(max_version, "ii:max_version", &major, &minor))
        return NULL;
    int wants_copy = copy == Py_None ? 0 : PyObject_IsTrue(copy);
    return wants_copy < 0 ? NULL : export_checked(rl_py_borrow(self), major >= 1, wants_copy);
}

PyObject *rl_py_dlpack_device(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    return Py_BuildValue("(ii)", RL_DL_CPU, 0);
}

/* _to_dlpack(tensor): a capsule, for torch.utils.dlpack.to_dlpack. */
PyObject *rl_py_to_dlpack(PyObject *module, PyObject *o)
{
    (void)module;
    if (!rl_py_is_tensor(o)) {
        PyErr_Format(PyExc_TypeError, "to_dlpack: expected a Tensor, not %s", Py_TYPE(o)->tp_name);
        return NULL;
    }
    return export_checked(rl_py_borrow(o), false, false);
}

/* ---- import ---- */

static void free_plain(void *context)
{
    rl_dl_managed *m = context;
    if (m->deleter)
        rl_py_with_gil((void (*)(void *))m->deleter, m);
}

static void free_versioned(void *context)
{
    rl_dl_versioned *m = context;
    if (m->deleter)
        rl_py_with_gil((void (*)(void *))m->deleter, m);
}

static rl_dtype dtype_of(const rl_dl_tensor *d)
{
    int bits = d->dtype.bits;
    if (d->dtype.lanes != 1)
        return RL_NO_DTYPE;
    switch (d->dtype.code) {
    case RL_DL_BOOL:
        return bits == 8 ? RL_BOOL : RL_NO_DTYPE;
    case RL_DL_UINT:
        return bits == 8 ? RL_U8 : RL_NO_DTYPE;
    case RL_DL_INT:
        return bits == 8    ? RL_I8
               : bits == 16 ? RL_I16
               : bits == 32 ? RL_I32
               : bits == 64 ? RL_I64
                            : RL_NO_DTYPE;
    case RL_DL_FLOAT:
        return bits == 16 ? RL_F16 : bits == 32 ? RL_F32 : bits == 64 ? RL_F64 : RL_NO_DTYPE;
    case RL_DL_COMPLEX:
        return bits == 64 ? RL_C64 : bits == 128 ? RL_C128 : RL_NO_DTYPE;
    case RL_DL_BFLOAT:
        return bits == 16 ? RL_BF16 : RL_NO_DTYPE;
    default:
        return RL_NO_DTYPE;
    }
}

/* A tensor over the memory; on failure free_data has not been called. */
static rl_tensor *adopt(const rl_dl_tensor *d, void (*free_data)(void *), void *context)
{
    rl_dtype dtype = dtype_of(d);
    if (d->device.type != RL_DL_CPU)
        return rl_fail(RL_ERUNTIME,
                       "from_dlpack: device type %d is not supported, only the CPU (1)",
                       (int)d->device.type);
    if (dtype == RL_NO_DTYPE)
        return rl_fail(RL_ERUNTIME,
                       "from_dlpack: dtype with code %d, %d bits and %d lanes is not supported",
                       d->dtype.code, d->dtype.bits, d->dtype.lanes);
    if (d->ndim < 0 || d->ndim > RL_MAX_DIMS)
        return rl_fail(RL_ERUNTIME, "from_dlpack: %d dims, at most %d are supported", (int)d->ndim,
                       RL_MAX_DIMS);
    for (int i = 0; d->strides && i < d->ndim; i++)
        if (d->strides[i] < 0)
            return rl_fail(RL_EVALUE,
                           "from_dlpack: tensors with negative strides are not supported");
    return rl_from_memory(dtype, d->ndim, d->shape, d->strides, (char *)d->data + d->byte_offset,
                          free_data, context);
}

static PyObject *invalid_capsule(void)
{
    PyErr_SetString(PyExc_RuntimeError, "from_dlpack received an invalid capsule. Note that "
                                        "DLTensor capsules can be consumed only once, so you "
                                        "might have already constructed a tensor from it once.");
    return NULL;
}

static PyObject *from_capsule(PyObject *capsule)
{
    rl_tensor *t;
    const char *used;
    if (PyCapsule_IsValid(capsule, VERSIONED)) {
        rl_dl_versioned *m = PyCapsule_GetPointer(capsule, VERSIONED);
        if (m->version.major > 1) {
            PyErr_Format(PyExc_BufferError,
                         "from_dlpack: version %u of the protocol is not supported",
                         (unsigned)m->version.major);
            return NULL;
        }
        t = adopt(&m->tensor, free_versioned, m);
        used = VERSIONED_USED;
    } else if (PyCapsule_IsValid(capsule, PLAIN)) {
        rl_dl_managed *m = PyCapsule_GetPointer(capsule, PLAIN);
        t = adopt(&m->tensor, free_plain, m);
        used = PLAIN_USED;
    } else {
        return invalid_capsule();
    }
    if (t) {
        PyCapsule_SetName(capsule, used);
        PyCapsule_SetDestructor(capsule, NULL);
    }
    return rl_py_wrap(t);
}

/* from_dlpack(x): x a capsule, or an object with __dlpack__. */
PyObject *rl_py_from_dlpack(PyObject *module, PyObject *o)
{
    (void)module;
    if (PyCapsule_CheckExact(o))
        return from_capsule(o);
    PyObject *method = PyObject_GetAttrString(o, "__dlpack__");
    if (!method) {
        PyErr_Clear();
        return invalid_capsule();
    }
    /* Newer libraries hand out a versioned capsule when asked; older ones do not know the keyword.
     */
    PyObject *none = PyTuple_New(0), *version = Py_BuildValue("{s:(ii)}", "max_version", 1, 0);
    PyObject *capsule = none && version ? PyObject_Call(method, none, version) : NULL;
    if (!capsule && PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear();
        capsule = PyObject_CallNoArgs(method);
    }
    Py_XDECREF(none);
    Py_XDECREF(version);
    Py_DECREF(method);
    PyObject *t = capsule ? from_capsule(capsule) : NULL;
    Py_XDECREF(capsule);
    return t;
}
