/* tensor_methods.c: attributes and methods of Tensor that are no operators: shape, strides, dtype,
 * conversion, memory. */
#include "python/args.h"

#define T(o) rl_py_borrow(o)
#define FAST(function) (PyCFunction)(void (*)(void)) function, METH_FASTCALL | METH_KEYWORDS

/* ---- shape and memory ---- */

static PyObject *get_shape(PyObject *self, void *Py_UNUSED(closure))
{
    return rl_py_size(T(self)->ndim, T(self)->shape);
}
static PyObject *get_dtype(PyObject *self, void *Py_UNUSED(closure))
{
    return rl_py_dtype_object((rl_dtype)T(self)->dtype);
}
static PyObject *get_device(PyObject *Py_UNUSED(self), void *Py_UNUSED(closure))
{
    return Py_NewRef(rl_py_cpu());
}
static PyObject *get_layout(PyObject *Py_UNUSED(self), void *Py_UNUSED(closure))
{
    return Py_NewRef(rl_py_strided());
}
static PyObject *get_ndim(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromLong(T(self)->ndim);
}
static PyObject *get_itemsize(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromSize_t(rl_itemsize(T(self)));
}
static PyObject *get_nbytes(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromLongLong(T(self)->numel * (int64_t)rl_itemsize(T(self)));
}
static PyObject *get_false(PyObject *Py_UNUSED(self), void *Py_UNUSED(closure)) { Py_RETURN_FALSE; }
static PyObject *get_true(PyObject *Py_UNUSED(self), void *Py_UNUSED(closure)) { Py_RETURN_TRUE; }
static PyObject *get_priority(PyObject *Py_UNUSED(self), void *Py_UNUSED(closure))
{
    return PyLong_FromLong(1000);
}
static PyObject *get_real(PyObject *self, void *Py_UNUSED(closure))
{
    return rl_py_wrap(rl_real(T(self)));
}
static PyObject *get_imag(PyObject *self, void *Py_UNUSED(closure))
{
    return rl_py_wrap(rl_imag(T(self)));
}
static int set_part(PyObject *self, PyObject *value, void *imaginary)
{
    RL_TEMP *to = imaginary ? rl_imag(T(self)) : rl_real(T(self));
    RL_TEMP *from = !to || !value ? NULL : rl_py_tensor_like(value, imaginary ? "imag" : "real");
    if (!to) {
        rl_py_raise();
        return -1;
    }
    if (!value)
        PyErr_SetString(PyExc_RuntimeError, "a tensor's parts cannot be deleted");
    if (!from)
        return -1;
    RL_TEMP *done = rl_copy_(to, from, false);
    if (!done)
        rl_py_raise();
    return done ? 0 : -1;
}

static PyObject *get_t(PyObject *self, void *Py_UNUSED(closure)) /* all dims reversed */
{
    rl_tensor *t = T(self);
    if (t->ndim != 2 &&
        PyErr_WarnEx(
            PyExc_UserWarning,
            "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is "
            "deprecated and it will throw an error in a future release. Consider `x.mT` to "
            "transpose batches of matrices or `x.permute(*torch.arange(x.ndim - 1, -1, -1))` to "
            "reverse the dimensions of a tensor.",
            1))
        return NULL;
    int64_t dims[RL_MAX_DIMS];
    for (int d = 0; d < t->ndim; d++)
        dims[d] = t->ndim - 1 - d;
    return rl_py_wrap(rl_permute(t, (rl_ints){dims, t->ndim}));
}

static PyObject *get_matrix_t(PyObject *self, void *closure)
{
    rl_tensor *t = T(self);
    if (closure && t->ndim != 2 && t->ndim != 0) {
        PyErr_Format(PyExc_RuntimeError,
                     "tensor.%s is only supported on matrices (2-D tensors). Got %d-D tensor.%s",
                     (char *)closure, t->ndim,
                     t->ndim > 2 ? " For batches of matrices, consider using tensor.mH" : "");
        return NULL;
    }
    if (t->ndim == 1) {
        PyErr_Format(
            PyExc_RuntimeError,
            "tensor.mT is only supported on matrices or batches of matrices. Got %d-D tensor.",
            t->ndim);
        return NULL;
    }
    RL_TEMP *turned = t->ndim < 2 ? rl_retain(t) : rl_transpose(t, -2, -1);
    return rl_py_wrap(closure && turned ? rl_conj(turned) : rl_retain(turned));
}

static PyObject *get_matrix_h(PyObject *self, void *Py_UNUSED(closure))
{
    PyObject *turned = get_matrix_t(self, NULL);
    if (turned && rl_is_complex((rl_dtype)T(self)->dtype))
        Py_SETREF(turned, rl_py_wrap(rl_conj(T(turned))));
    return turned;
}

PyGetSetDef rl_py_tensor_getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {"shape", get_shape, NULL, "Sizes of the dims.", NULL},
    {"dtype", get_dtype, NULL, "Type of the elements.", NULL},
    {"device", get_device, NULL, "device('cpu').", NULL},
    {"layout", get_layout, NULL, "torch.strided.", NULL},
    {"ndim", get_ndim, NULL, "Number of dims.", NULL},
    {"itemsize", get_itemsize, NULL, "Bytes per element.", NULL},
    {"nbytes", get_nbytes, NULL, "Bytes of all elements.", NULL},
    {"T", get_t, NULL, "View with the dims reversed.", NULL},
    {"H", get_matrix_t, NULL, "Transpose of a matrix, conjugate.", "H"},
    {"mT", get_matrix_t, NULL, "View with the last two dims exchanged.", NULL},
    {"mH", get_matrix_h, NULL, "The last two dims exchanged, conjugate.", NULL},
    {"real", get_real, set_part, "Real part, a view; of real tensors the tensor itself.", NULL},
    {"imag", get_imag, set_part, "Imaginary part, a view.", "imag"},
    {"is_cpu", get_true, NULL, "True.", NULL},
    {"is_cuda", get_false, NULL, "False: tensors live on the CPU.", NULL},
    {"is_mps", get_false, NULL, "False.", NULL},
    {"is_xpu", get_false, NULL, "False.", NULL},
    {"is_xla", get_false, NULL, "False.", NULL},
    {"is_hpu", get_false, NULL, "False.", NULL},
    {"is_meta", get_false, NULL, "False.", NULL},
    {"is_sparse", get_false, NULL, "False.", NULL},
    {"is_sparse_csr", get_false, NULL, "False.", NULL},
    {"is_mkldnn", get_false, NULL, "False.", NULL},
    {"is_quantized", get_false, NULL, "False.", NULL},
    {"is_nested", get_false, NULL, "False.", NULL},
    {"__array_priority__", get_priority, NULL, "Above NumPy's arrays and scalars.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

/* size(), size(dim), stride(), stride(dim) */
static PyObject *one_or_all(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *kw,
                            bool stride)
{
    rl_tensor *t = T(self);
    const char *name = stride ? "stride" : "size";
    PyObject *dim = n ? args[0] : NULL;
    Py_ssize_t n_kw = kw ? PyTuple_GET_SIZE(kw) : 0;
    if (n + n_kw > 1) {
        PyErr_Format(PyExc_TypeError,
                     "%s() takes from 0 to 1 positional arguments but %zd were given", name,
                     n + n_kw);
        return NULL;
    }
    if (n_kw) {
        PyObject *key = PyTuple_GET_ITEM(kw, 0);
        if (PyUnicode_CompareWithASCIIString(key, "dim")) {
            PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'", name,
                         key);
            return NULL;
        }
        dim = args[n];
    }
    const int64_t *v = stride ? t->strides : t->shape;
    if (!dim || dim == Py_None) {
        if (!stride)
            return rl_py_size(t->ndim, v);
        PyObject *tuple = PyTuple_New(t->ndim);
        for (int i = 0; tuple && i < t->ndim; i++) {
            PyObject *item = PyLong_FromLongLong(v[i]);
            if (!item)
                Py_CLEAR(tuple);
            else
                PyTuple_SET_ITEM(tuple, i, item);
        }
        return tuple;
    }
    int64_t d;
    if (PyBool_Check(dim) || PyFloat_Check(dim) || (!PyIndex_Check(dim))) {
        PyErr_Format(PyExc_TypeError, "%s(): argument 'dim' (position 1) must be int, not %s", name,
                     rl_py_type_name(dim));
        return NULL;
    }
    if (rl_py_int(dim, &d, "dim"))
        return NULL;
    if (t->ndim == 0) {
        PyErr_SetString(PyExc_IndexError, "Dimension specified as 0 but tensor has no dimensions");
        return NULL;
    }
    return rl_wrap_dim(&d, t->ndim) ? rl_py_raise() : PyLong_FromLongLong(v[d]);
}

static PyObject *tensor_size(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *kw)
{
    return one_or_all(self, args, n, kw, false);
}
static PyObject *tensor_stride(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *kw)
{
    return one_or_all(self, args, n, kw, true);
}

static PyObject *tensor_dim(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromLong(T(self)->ndim);
}
static PyObject *tensor_numel(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromLongLong(T(self)->numel);
}
static PyObject *tensor_offset(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromLongLong(T(self)->offset);
}
static PyObject *tensor_element_size(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromSize_t(rl_itemsize(T(self)));
}
static PyObject *tensor_data_ptr(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return T(self)->numel ? PyLong_FromVoidPtr(T(self)->data) : PyLong_FromLong(0);
}
static PyObject *tensor_get_device(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromLong(-1);
}
static PyObject *tensor_storage(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return rl_py_storage(T(self), true);
}
static PyObject *tensor_untyped_storage(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return rl_py_storage(T(self), false);
}
static PyObject *tensor_is_floating(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(rl_is_floating((rl_dtype)T(self)->dtype));
}
static PyObject *tensor_is_complex(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(rl_is_complex((rl_dtype)T(self)->dtype));
}
static PyObject *tensor_is_signed(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(T(self)->dtype != RL_BOOL && T(self)->dtype != RL_U8);
}
static PyObject *return_false(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(ignored))
{
    Py_RETURN_FALSE;
}
static PyObject *return_self(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return Py_NewRef(self);
}
static PyObject *tensor_is_inference(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong((T(self)->flags & RL_FLAG_INFERENCE) != 0);
}
static PyObject *tensor_is_set_to(PyObject *self, PyObject *other)
{
    if (!rl_py_is_tensor(other)) {
        PyErr_Format(PyExc_TypeError,
                     "is_set_to(): argument 'tensor' (position 1) must be Tensor, not %s",
                     rl_py_type_name(other));
        return NULL;
    }
    rl_tensor *a = T(self), *b = T(other);
    return PyBool_FromLong(a->storage == b->storage && a->offset == b->offset &&
                           rl_same_shape(a, b) &&
                           !memcmp(a->strides, b->strides, a->ndim * sizeof *a->strides));
}

/* Whether the strides are those of a (N, H, W, C) or (N, D, H, W, C) array seen as (N, C, ...). */
static PyObject *tensor_is_contiguous(PyObject *self, PyObject *const *args, Py_ssize_t n,
                                      PyObject *kw)
{
    PyObject *format = n + (kw ? PyTuple_GET_SIZE(kw) : 0) == 1 ? args[0] : NULL;
    if (kw && PyTuple_GET_SIZE(kw) &&
        PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(kw, 0), "memory_format")) {
        PyErr_Format(PyExc_TypeError, "is_contiguous() got an unexpected keyword argument '%U'",
                     PyTuple_GET_ITEM(kw, 0));
        return NULL;
    }
    if (format && !rl_py_is_memory_format(format)) {
        PyErr_Format(
            PyExc_TypeError,
            "is_contiguous(): argument 'memory_format' must be torch.memory_format, not %s",
            rl_py_type_name(format));
        return NULL;
    }
    const int wanted = format ? rl_py_memory_format_kind(format) : RL_FORMAT_CONTIGUOUS;
    return PyBool_FromLong(rl_has_format(
        T(self), wanted == RL_FORMAT_PRESERVE ? RL_FORMAT_CONTIGUOUS : (rl_memory_format)wanted));
}

static PyObject *tensor_item(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    rl_scalar s;
    if (T(self)->numel == 1 && rl_is_complex((rl_dtype)T(self)->dtype))
        return rl_py_tensor_complex(self, NULL);
    return rl_item(T(self), &s) ? rl_py_raise() : rl_py_number(s);
}

/* ---- geometry ---- */

static PyObject *tensor_resize_(PyObject *self, PyObject *args)
{
    rl_tensor *t = T(self);
    int64_t shape[RL_MAX_DIMS];
    PyObject *sizes = PyTuple_GET_SIZE(args) == 1 ? PyTuple_GET_ITEM(args, 0) : args;
    int ndim = rl_py_ints(sizes, shape, "size");
    if (ndim < 0)
        return NULL;
    if (rl_requires_grad(t)) {
        PyErr_SetString(PyExc_RuntimeError, "cannot resize variables that require grad");
        return NULL;
    }
    int64_t numel;
    if (rl_shape_numel(ndim, shape, &numel))
        return rl_py_raise();
    if ((uint64_t)(t->offset + numel) * rl_itemsize(t) <= t->storage->bytes) {
        if (rl_tensor_set_geometry(t, ndim, shape, NULL))
            return rl_py_raise();
        return Py_NewRef(self);
    }
    RL_TEMP *bigger = rl_new((rl_dtype)t->dtype, ndim, shape);
    if (!bigger)
        return rl_py_raise();
    memcpy(bigger->data, t->data, t->storage->bytes - (size_t)t->offset * rl_itemsize(t));
    return rl_tensor_set_data(t, bigger) ? rl_py_raise() : Py_NewRef(self);
}

static PyObject *tensor_resize_as_(PyObject *self, PyObject *other)
{
    if (!rl_py_is_tensor(other)) {
        PyErr_Format(PyExc_TypeError,
                     "resize_as_(): argument 'the_template' (position 1) must be Tensor, not %s",
                     rl_py_type_name(other));
        return NULL;
    }
    PyObject *size = rl_py_size(T(other)->ndim, T(other)->shape),
             *args = size ? PyTuple_Pack(1, size) : NULL;
    PyObject *result = args ? tensor_resize_(self, args) : NULL;
    Py_XDECREF(args);
    Py_XDECREF(size);
    return result;
}

/* set_(source), set_(storage), set_(source, storage_offset, size, stride=None) */
static PyObject *tensor_set_(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *kw)
{
    static const char *const names[] = {"source", "storage_offset", "size", "stride"};
    PyObject *given[4] = {NULL, NULL, Py_None, Py_None};
    Py_ssize_t all = n + (kw ? PyTuple_GET_SIZE(kw) : 0);
    int64_t offset = 0;
    for (Py_ssize_t i = 0; i < all; i++) {
        int at = i < n ? (int)i : 0;
        while (i >= n && at < 4 &&
               PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(kw, i - n), names[at]))
            at++;
        if (at > 3) {
            PyErr_SetString(PyExc_TypeError, "set_() received an invalid combination of arguments");
            return NULL;
        }
        given[at] = args[i];
    }
    PyObject *source = given[0], *size = given[2], *stride = given[3];
    if (!source) {
        PyErr_SetString(PyExc_TypeError, "set_() missing 1 required positional argument: 'source'");
        return NULL;
    }
    if (given[1] && rl_py_int(given[1], &offset, "storage_offset"))
        return NULL;
    bool storage =
        Py_IS_TYPE(source, &rl_py_storage_type) || Py_IS_TYPE(source, &rl_py_typed_storage_type);
    if (storage || (rl_py_is_tensor(source) && size != Py_None)) {
        RL_TEMP *whole =
            storage ? rl_py_storage_alias(source, (rl_dtype)T(self)->dtype) : rl_retain(T(source));
        int64_t shape[RL_MAX_DIMS], strides[RL_MAX_DIMS];
        int ndim = 1, n_strides = -1;
        if (!whole)
            return rl_py_raise();
        if (size == Py_None)
            shape[0] = whole->numel - offset;
        else if ((ndim = rl_py_ints(size, shape, "size")) < 0 ||
                 (stride != Py_None && (n_strides = rl_py_ints(stride, strides, "stride")) < 0))
            return NULL;
        if (n_strides < 0) {
            int64_t step = 1;
            for (int d = ndim; d-- > 0; step *= shape[d] > 1 ? shape[d] : 1)
                strides[d] = step;
        } else if (n_strides != ndim) {
            PyErr_SetString(PyExc_RuntimeError, "set_: size and stride differ in length");
            return NULL;
        }
        RL_TEMP *view = rl_new_view(whole, ndim, shape, strides, offset);
        return !view || rl_tensor_set_data(T(self), view) ? rl_py_raise() : Py_NewRef(self);
    }
    if (!rl_py_is_tensor(source)) {
        PyErr_Format(PyExc_TypeError,
                     "set_(): argument 'source' (position 1) must be Tensor, not %s",
                     rl_py_type_name(source));
        return NULL;
    }
    if (T(self)->dtype != T(source)->dtype) {
        PyErr_SetString(PyExc_RuntimeError, "Could not set tensor to a source of another dtype");
        return NULL;
    }
    return rl_tensor_set_data(T(self), T(source)) ? rl_py_raise() : Py_NewRef(self);
}

/* ---- indices of non-zero elements ---- */

static PyObject *nonzero(rl_tensor *t, PyObject *as_tuple)
{
    int tuple = as_tuple ? PyObject_IsTrue(as_tuple) : 0;
    if (tuple < 0)
        return NULL;
    if (!tuple)
        return rl_py_wrap(rl_nonzero(t));
    rl_list list = {NULL, 0};
    return rl_nonzero_tuple(t, &list) ? rl_py_raise() : rl_py_wrap_list(&list, true);
}

static PyObject *tensor_nonzero(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *kw)
{
    Py_ssize_t n_kw = kw ? PyTuple_GET_SIZE(kw) : 0;
    if (n || n_kw > 1 ||
        (n_kw && PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(kw, 0), "as_tuple"))) {
        PyErr_SetString(PyExc_TypeError, "nonzero() takes only the keyword argument 'as_tuple'");
        return NULL;
    }
    return nonzero(T(self), n_kw ? args[0] : NULL);
}

static PyObject *function_nonzero(PyObject *Py_UNUSED(self), PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"input", "out", "as_tuple", NULL};
    PyObject *input, *out = Py_None, *as_tuple = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!|$OO:nonzero", names, &rl_py_tensor_type,
                                     &input, &out, &as_tuple))
        return NULL;
    if (out == Py_None)
        return nonzero(T(input), as_tuple);
    if (!rl_py_is_tensor(out)) {
        PyErr_Format(PyExc_TypeError, "nonzero(): argument 'out' must be Tensor, not %s",
                     rl_py_type_name(out));
        return NULL;
    }
    rl_tensor *y = rl_nonzero(T(input));
    return rl_py_wrap(y ? rl_out_assign(T(out), y) : NULL);
}

/* ---- text and order ---- */

static PyObject *tensor_format(PyObject *self, PyObject *spec)
{
    if (T(self)->ndim == 0) {
        PyObject *value = tensor_item(self, NULL);
        PyObject *text = value ? PyObject_Format(value, spec) : NULL;
        Py_XDECREF(value);
        return text;
    }
    if (PyUnicode_Check(spec) && !PyUnicode_GET_LENGTH(spec))
        return PyObject_Str(self);
    PyErr_Format(PyExc_TypeError, "unsupported format string passed to %s.__format__", "Tensor");
    return NULL;
}

static PyObject *tensor_reversed(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    rl_tensor *t = T(self);
    if (!t->ndim)
        return Py_NewRef(self);
    int64_t zero = 0;
    return rl_py_wrap(rl_flip(t, (rl_ints){&zero, 1}));
}

PyMethodDef rl_py_tensor_methods[] = {
    {"size", FAST(tensor_size),
     "size(dim=None) -> torch.Size or int\n\nSizes of the dims, or of one."},
    {"stride", FAST(tensor_stride),
     "stride(dim=None) -> tuple or int\n\nStrides in elements, or that of one dim."},
    {"dim", tensor_dim, METH_NOARGS, "dim() -> int\n\nNumber of dims."},
    {"ndimension", tensor_dim, METH_NOARGS, "ndimension() -> int\n\nNumber of dims."},
    {"numel", tensor_numel, METH_NOARGS, "numel() -> int\n\nNumber of elements."},
    {"nelement", tensor_numel, METH_NOARGS, "nelement() -> int\n\nNumber of elements."},
    {"storage_offset", tensor_offset, METH_NOARGS,
     "storage_offset() -> int\n\nFirst element's place in the storage."},
    {"element_size", tensor_element_size, METH_NOARGS,
     "element_size() -> int\n\nBytes per element."},
    {"data_ptr", tensor_data_ptr, METH_NOARGS,
     "data_ptr() -> int\n\nAddress of the first element."},
    {"get_device", tensor_get_device, METH_NOARGS, "get_device() -> int\n\n-1: the CPU."},
    {"storage", tensor_storage, METH_NOARGS,
     "storage()\n\nThe memory under the tensor, by element."},
    {"_typed_storage", tensor_storage, METH_NOARGS,
     "_typed_storage()\n\nThe memory under the tensor, by element."},
    {"untyped_storage", tensor_untyped_storage, METH_NOARGS,
     "untyped_storage()\n\nThe memory under the tensor."},
    {"is_contiguous", FAST(tensor_is_contiguous),
     "is_contiguous(memory_format=torch.contiguous_format) -> bool\n\nWhether the elements lie in "
     "row-major order."},
    {"is_floating_point", tensor_is_floating, METH_NOARGS,
     "is_floating_point() -> bool\n\nWhether the dtype is floating."},
    {"is_complex", tensor_is_complex, METH_NOARGS,
     "is_complex() -> bool\n\nWhether the dtype is complex."},
    {"__complex__", rl_py_tensor_complex, METH_NOARGS, "The only element as a Python complex."},
    {"is_conj", return_false, METH_NOARGS, "is_conj() -> bool\n\nFalse."},
    {"is_neg", return_false, METH_NOARGS, "is_neg() -> bool\n\nFalse."},
    {"is_signed", tensor_is_signed, METH_NOARGS,
     "is_signed() -> bool\n\nWhether the dtype has negative values."},
    {"is_inference", tensor_is_inference, METH_NOARGS,
     "is_inference() -> bool\n\nWhether it was made in inference mode."},
    {"is_pinned", return_false, METH_NOARGS, "is_pinned() -> bool\n\nFalse."},
    {"is_set_to", tensor_is_set_to, METH_O,
     "is_set_to(tensor) -> bool\n\nWhether both view the same memory alike."},
    {"resolve_conj", return_self, METH_NOARGS, "resolve_conj() -> Tensor\n\nThe tensor itself."},
    {"resolve_neg", return_self, METH_NOARGS, "resolve_neg() -> Tensor\n\nThe tensor itself."},
    {"to_dense", return_self, METH_NOARGS, "to_dense() -> Tensor\n\nThe tensor itself."},
    {"item", tensor_item, METH_NOARGS, "item() -> number\n\nThe only element as a Python number."},
    {"resize_", tensor_resize_, METH_VARARGS,
     "resize_(*size) -> Tensor\n\nChanges the size in place; new elements are undefined."},
    {"resize_as_", tensor_resize_as_, METH_O,
     "resize_as_(other) -> Tensor\n\nChanges the size in place to other's."},
    {"set_", FAST(tensor_set_),
     "set_(source, storage_offset=0, size=None, stride=None) -> Tensor\n\nMakes the tensor share "
     "source's memory and shape."},
    {"nonzero", FAST(tensor_nonzero),
     "nonzero(*, as_tuple=False) -> Tensor or tuple\n\nIndices of the elements that are not zero."},
    {"__format__", tensor_format, METH_O, "A 0-dim tensor formats as its number."},
    {"__reversed__", tensor_reversed, METH_NOARGS, "The tensor reversed along dim 0."},
    {NULL, NULL, 0, NULL},
};

/* ---- functions of the module ---- */

static PyObject *is_tensor(PyObject *Py_UNUSED(m), PyObject *o)
{
    return PyBool_FromLong(rl_py_is_tensor(o));
}

static PyObject *need_tensor(PyObject *o, const char *name, PyCFunction method)
{
    if (rl_py_is_tensor(o))
        return method(o, NULL);
    PyErr_Format(PyExc_TypeError, "%s(): argument 'input' (position 1) must be Tensor, not %s",
                 name, rl_py_type_name(o));
    return NULL;
}
static PyObject *f_numel(PyObject *Py_UNUSED(m), PyObject *o)
{
    return need_tensor(o, "numel", tensor_numel);
}
static PyObject *f_is_floating(PyObject *Py_UNUSED(m), PyObject *o)
{
    return need_tensor(o, "is_floating_point", tensor_is_floating);
}
static PyObject *f_is_complex(PyObject *Py_UNUSED(m), PyObject *o)
{
    return need_tensor(o, "is_complex", tensor_is_complex);
}
static PyObject *f_is_signed(PyObject *Py_UNUSED(m), PyObject *o)
{
    return need_tensor(o, "is_signed", tensor_is_signed);
}
static PyObject *f_is_inference(PyObject *Py_UNUSED(m), PyObject *o)
{
    return need_tensor(o, "is_inference", tensor_is_inference);
}

static PyObject *f_is_nonzero(PyObject *Py_UNUSED(m), PyObject *o)
{
    if (rl_py_is_tensor(o) && T(o)->numel != 1)
        PyErr_SetString(PyExc_RuntimeError,
                        T(o)->numel
                            ? "Boolean value of Tensor with more than one value is ambiguous"
                            : "Boolean value of Tensor with no values is ambiguous");
    int truth = PyErr_Occurred() ? -1 : PyObject_IsTrue(o);
    return truth < 0 ? NULL : PyBool_FromLong(truth);
}

static PyObject *f_result_type(PyObject *Py_UNUSED(m), PyObject *args)
{
    PyObject *a, *b;
    if (!PyArg_ParseTuple(args, "OO:result_type", &a, &b))
        return NULL;
    RL_TEMP *x = rl_py_tensor_like(a, "tensor1");
    RL_TEMP *y = x ? rl_py_tensor_like(b, "tensor2") : NULL;
    if (!y)
        return NULL;
    rl_tensor *both[2] = {x, y};
    return rl_py_dtype_object(rl_result_type(2, both));
}

static int two_dtypes(PyObject *args, const char *format, rl_dtype *a, rl_dtype *b)
{
    PyObject *x, *y;
    return !PyArg_ParseTuple(args, format, &x, &y) || rl_py_dtype(x, a, "type1") ||
                   rl_py_dtype(y, b, "type2")
               ? -1
               : 0;
}

static PyObject *f_promote_types(PyObject *Py_UNUSED(m), PyObject *args)
{
    rl_dtype a, b;
    return two_dtypes(args, "OO:promote_types", &a, &b) ? NULL
                                                        : rl_py_dtype_object(rl_promote(a, b));
}

static PyObject *f_can_cast(PyObject *Py_UNUSED(m), PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"from_", "to", NULL};
    PyObject *x, *y;
    rl_dtype a, b;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO:can_cast", names, &x, &y) ||
        rl_py_dtype(x, &a, "from_") || rl_py_dtype(y, &b, "to"))
        return NULL;
    return PyBool_FromLong(rl_can_cast(a, b));
}

PyMethodDef rl_py_tensor_functions[] = {
    {"is_tensor", is_tensor, METH_O, "is_tensor(obj) -> bool\n\nWhether obj is a tensor."},
    {"numel", f_numel, METH_O, "numel(input) -> int\n\nNumber of elements."},
    {"is_floating_point", f_is_floating, METH_O,
     "is_floating_point(input) -> bool\n\nWhether the dtype is floating."},
    {"is_complex", f_is_complex, METH_O,
     "is_complex(input) -> bool\n\nWhether the dtype is complex."},
    {"is_signed", f_is_signed, METH_O,
     "is_signed(input) -> bool\n\nWhether the dtype has negative values."},
    {"is_inference", f_is_inference, METH_O,
     "is_inference(input) -> bool\n\nWhether it was made in inference mode."},
    {"is_nonzero", f_is_nonzero, METH_O,
     "is_nonzero(input) -> bool\n\nWhether the only element is not zero."},
    {"nonzero", (PyCFunction)(void (*)(void))function_nonzero, METH_VARARGS | METH_KEYWORDS,
     "nonzero(input, *, out=None, as_tuple=False) -> Tensor or tuple\n\nIndices of the elements "
     "that are not zero."},
    {"result_type", f_result_type, METH_VARARGS,
     "result_type(a, b) -> dtype\n\nDtype of an operator on both."},
    {"promote_types", f_promote_types, METH_VARARGS,
     "promote_types(a, b) -> dtype\n\nSmallest dtype that holds both."},
    {"can_cast", (PyCFunction)(void (*)(void))f_can_cast, METH_VARARGS | METH_KEYWORDS,
     "can_cast(from_, to) -> bool\n\nWhether a result of one dtype may be stored in the other."},
    {NULL, NULL, 0, NULL},
};
