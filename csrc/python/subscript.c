/* subscript.c: x[...] and x[...] = v.
 *
 * A key becomes a chain of views (int: select, slice, None: unsqueeze) and, where there are index
 * tensors, masks or lists, one indexing operator at the end.  Without gradients the chain is one
 * view, whose geometry is computed on the way; with gradients every step is a view of its own, as
 * in PyTorch's graph. */
#include "core/iter.h"
#include "ops/view.h"
#include "python/override.h"
#include "python/py.h"

typedef struct cursor {
    rl_tensor *x;   /* the view so far; owned */
    bool lazy;      /* not recording: the view is geometry only, and x the tensor itself */
    bool moved;     /* whether the view differs from the tensor */
    bool assigning; /* x[:] = v writes to x itself, while x[:] is a view of its own */
    int dim;        /* the next dim to be indexed */
    int n_index;    /* entries of index */
    rl_tensor *index[RL_MAX_DIMS]; /* index tensors by dim of the view (a mask stands at its first
                                      dim); owned */
    int masked;                    /* dims of the view that masks cover beyond one each */
    rl_geometry g;
} cursor;

static void cursor_free(cursor *c)
{
    rl_release(c->x);
    for (int i = 0; i < c->n_index; i++)
        rl_release(c->index[i]);
}

static int view_ndim(const cursor *c) { return c->lazy ? c->g.ndim : c->x->ndim; }
static int64_t view_size(const cursor *c, int dim)
{
    return c->lazy ? c->g.shape[dim] : c->x->shape[dim];
}

/* Takes over z as the view so far. */
static int replace(cursor *c, rl_tensor *z)
{
    if (!z) {
        rl_py_raise();
        return -1;
    }
    rl_release(c->x);
    c->x = z;
    return 0;
}

/* ---- the steps ---- */

static int out_of_bounds(int64_t i, int position, int64_t size)
{
    PyErr_Format(PyExc_IndexError, "index %lld is out of bounds for dimension %d with size %lld",
                 (long long)i, position, (long long)size);
    return -1;
}

/* position: of the index within the key, which PyTorch's message calls the dimension. */
static int step_int(cursor *c, int64_t i, int position)
{
    if (view_ndim(c) == 0) {
        PyErr_SetString(PyExc_IndexError, "invalid index of a 0-dim tensor. Use `tensor.item()` in "
                                          "Python or `tensor.item<T>()` in C++ to "
                                          "convert a 0-dim tensor to a number");
        return -1;
    }
    int64_t size = view_size(c, c->dim);
    if (i < -size || i >= size)
        return out_of_bounds(i, position, size);
    c->moved = true;
    if (!c->lazy)
        return replace(c, rl_select(c->x, c->dim, i));
    rl_geometry_select(&c->g, c->dim, i < 0 ? i + size : i);
    return 0;
}

static int step_slice(cursor *c, PyObject *slice, bool alone)
{
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(slice, &start, &stop, &step))
        return -1;
    if (step <= 0) {
        PyErr_SetString(PyExc_ValueError, "step must be greater than zero");
        return -1;
    }
    if (view_ndim(c) == 0) {
        PyErr_SetString(PyExc_IndexError, "slice() cannot be applied to a 0-dim tensor.");
        return -1;
    }
    int64_t size = view_size(c, c->dim), from = start;
    int64_t length = rl_slice_length(size, &from, stop, step);
    int dim = c->dim++;
    if ((!alone || c->assigning) && start == 0 && stop >= size && step == 1)
        return 0;
    c->moved = true;
    if (!c->lazy)
        return replace(c, rl_slice_view(c->x, dim, from, length, step));
    rl_geometry_slice(&c->g, dim, from, length, step);
    return 0;
}

static int step_none(cursor *c)
{
    if (view_ndim(c) >= RL_MAX_DIMS) {
        PyErr_Format(PyExc_IndexError, "more than %d dimensions", RL_MAX_DIMS);
        return -1;
    }
    c->moved = true;
    int dim = c->dim;
    if (!c->lazy)
        return replace(c, rl_unsqueeze(c->x, dim));
    rl_geometry_unsqueeze(&c->g, dim);
    return 0;
}

/* Takes over t.  covers: dims of the view that t indexes. */
static int add_index(cursor *c, rl_tensor *t, int covers)
{
    if (c->dim - c->masked >= RL_MAX_DIMS) {
        rl_release(t);
        PyErr_Format(PyExc_IndexError, "more than %d indices", RL_MAX_DIMS);
        return -1;
    }
    int slot = c->dim - c->masked;
    while (c->n_index < slot)
        c->index[c->n_index++] = NULL;
    c->index[c->n_index++] = t;
    c->dim += covers;
    c->masked += covers - 1;
    return 0;
}

/* True and False: a new dim of size 1 with a mask of one element. */
static int step_bool(cursor *c, bool value)
{
    int64_t one = 1;
    if (step_none(c))
        return -1;
    rl_tensor *mask = rl_new(RL_BOOL, 1, &one);
    if (!mask) {
        rl_py_raise();
        return -1;
    }
    *(uint8_t *)mask->data = value;
    return add_index(c, mask, 1);
}

static int step_tensor(cursor *c, rl_tensor *t, int position)
{
    bool mask = t->dtype == RL_BOOL || t->dtype == RL_U8;
    if (t->ndim == 0 && rl_is_integral((rl_dtype)t->dtype, true)) {
        rl_scalar value;
        if (rl_item(t, &value)) {
            rl_py_raise();
            return -1;
        }
        return mask ? step_bool(c, value.i != 0) : step_int(c, value.i, position);
    }
    if (t->dtype == RL_U8 &&
        PyErr_WarnEx(PyExc_UserWarning,
                     "indexing with dtype torch.uint8 is now deprecated, please use a dtype "
                     "torch.bool instead.",
                     1))
        return -1;
    return add_index(c, rl_retain(t), mask ? t->ndim : 1);
}

static int no_index(PyObject *o)
{
    PyErr_Format(PyExc_IndexError,
                 "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables "
                 "are valid indices (got %s)",
                 Py_TYPE(o)->tp_name);
    return -1;
}

/* An index tensor from a list, an array or another sequence: masks stay masks, all else becomes
 * int64. */
static rl_tensor *sequence_index(PyObject *o)
{
    if (PyUnicode_Check(o) || PyBytes_Check(o)) {
        PyErr_Format(PyExc_TypeError, "new(): invalid data type '%s'", Py_TYPE(o)->tp_name);
        return NULL;
    }
    rl_tensor *t = rl_py_tensor_from_data(o, RL_NO_DTYPE);
    if (!t || t->dtype == RL_BOOL || t->dtype == RL_U8 || t->dtype == RL_I64)
        return t;
    rl_tensor *cast = rl_cast_data(t, RL_I64);
    rl_release(t);
    if (!cast)
        rl_py_raise();
    return cast;
}

static int step_int_object(cursor *c, PyObject *o, int position)
{
    int overflow;
    long long i = PyLong_AsLongLongAndOverflow(o, &overflow);
    if (overflow) {
        PyErr_SetString(PyExc_ValueError, "Overflow when unpacking long long");
        return -1;
    }
    return i == -1 && PyErr_Occurred() ? -1 : step_int(c, i, position);
}

/* One index of the key that is neither None nor Ellipsis. */
static int step_any(cursor *c, PyObject *o, int position, bool alone)
{
    if (PyLong_CheckExact(o))
        return step_int_object(c, o, position);
    if (PySlice_Check(o))
        return step_slice(c, o, alone);
    if (rl_py_is_tensor(o))
        return step_tensor(c, rl_py_borrow(o), position);
    if (PyBool_Check(o))
        return step_bool(c, o == Py_True);
    if (PyLong_Check(o))
        return step_int_object(c, o, position);
    if (PySequence_Check(o)) {
        RL_TEMP *t = sequence_index(o);
        return t ? step_tensor(c, t, position) : -1;
    }
    PyObject *number = strncmp(Py_TYPE(o)->tp_name, "numpy.bool", 10) ? PyNumber_Index(o) : NULL;
    if (!number) {
        PyErr_Clear();
        return no_index(o);
    }
    int status = step_int_object(c, number, position);
    Py_DECREF(number);
    return status;
}

/* ---- whole keys ---- */

/* Dims that an index of the key uses up. */
static int dims_used(PyObject *o)
{
    if (o == Py_None || o == Py_Ellipsis || PyBool_Check(o))
        return 0;
    if (rl_py_is_tensor(o)) {
        const rl_tensor *t = rl_py_borrow(o);
        return t->dtype == RL_BOOL || t->dtype == RL_U8 ? t->ndim : 1;
    }
    return 1;
}

static int parse_items(cursor *c, PyObject *const *items, Py_ssize_t n)
{
    int used = 0, ndim = view_ndim(c);
    for (Py_ssize_t i = 0; i < n; i++)
        used += dims_used(items[i]);
    if (used > ndim) {
        PyErr_Format(PyExc_IndexError, "too many indices for tensor of dimension %d", ndim);
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        int status = 0;
        if (items[i] == Py_Ellipsis)
            c->dim += ndim - used;
        else if (items[i] == Py_None) {
            status = step_none(c);
            c->dim++;
        } else
            status = step_any(c, items[i], (int)i, false);
        if (status)
            return -1;
    }
    return 0;
}

/* NumPy's old rule: a short sequence with a sequence, slice, Ellipsis, None or tensor in it stands
 * for a tuple. */
static int stands_for_tuple(PyObject *key)
{
    if (rl_py_is_tensor(key) || !PySequence_Check(key) ||
        !strcmp(Py_TYPE(key)->tp_name, "numpy.ndarray"))
        return 0;
    Py_ssize_t n = PySequence_Size(key);
    if (n < 0 || n >= 32) {
        PyErr_Clear();
        return 0;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *o = PySequence_GetItem(key, i);
        if (!o) {
            PyErr_Clear();
            return 0;
        }
        bool found = rl_py_is_tensor(o) || PySequence_Check(o) || PySlice_Check(o) ||
                     o == Py_Ellipsis || o == Py_None;
        Py_DECREF(o);
        if (found)
            return 1;
    }
    return 0;
}

static int parse_key(cursor *c, PyObject *key)
{
    if (PyTuple_Check(key))
        return parse_items(c, &PyTuple_GET_ITEM(key, 0), PyTuple_GET_SIZE(key));
    if (key == Py_Ellipsis)
        return 0;
    if (key == Py_None)
        return step_none(c);
    if (PyLong_Check(key) || PySlice_Check(key) || PyBool_Check(key))
        return step_any(c, key, 0, true);
    if (stands_for_tuple(key)) {
        if (PyErr_WarnEx(PyExc_UserWarning,
                         "Using a non-tuple sequence for multidimensional indexing is deprecated "
                         "and will be changed in "
                         "pytorch 2.9; use x[tuple(seq)] instead of x[seq]. In pytorch 2.9 this "
                         "will be interpreted as "
                         "tensor index, x[torch.tensor(seq)], which will result either in an error "
                         "or a different result",
                         1))
            return -1;
        PyObject *tuple = PySequence_Tuple(key);
        int status =
            tuple ? parse_items(c, &PyTuple_GET_ITEM(tuple, 0), PyTuple_GET_SIZE(tuple)) : -1;
        Py_XDECREF(tuple);
        return status;
    }
    return parse_items(c, &key, 1);
}

static void cursor_init(cursor *c, rl_tensor *t)
{
    c->x = rl_retain(t);
    c->lazy = !rl_recording(t);
    c->moved = c->assigning = false;
    c->dim = c->n_index = c->masked = 0;
    if (c->lazy)
        rl_geometry_of(&c->g, t);
}

/* Makes the view: c->x is then what the key's ints, slices and Nones select. */
static int make_view(cursor *c)
{
    if (!c->lazy || !c->moved)
        return 0;
    rl_tensor *z = rl_geometry_view(c->x, &c->g);
    return replace(c, z ? rl_record_view(z, c->x, NULL) : NULL);
}

static PyObject *subscript(PyObject *self, PyObject *key)
{
    if (rl_py_overrides(self))
        return rl_py_override_method("__getitem__", self, &key, 1, NULL);
    rl_tensor *t = rl_py_borrow(self);
    if (PyLong_CheckExact(key) && t->ndim > 0) { /* x[i], the loop's everyday case */
        int64_t i = PyLong_AsLongLong(key), size = t->shape[0];
        if (i >= -size && i < size && !(i == -1 && PyErr_Occurred()))
            return rl_py_wrap(rl_select(t, 0, i));
        PyErr_Clear();
    }
    cursor c;
    cursor_init(&c, t);
    PyObject *result = NULL;
    if (!parse_key(&c, key) && !make_view(&c)) {
        if (c.n_index)
            result = rl_py_wrap(rl_index(c.x, (rl_tensors){c.index, c.n_index}));
        else
            result = rl_py_wrap(c.moved ? rl_retain(c.x) : rl_alias_view(c.x));
    }
    cursor_free(&c);
    return result;
}

/* ---- assignment ---- */

/* The value as a tensor.  *number: whether it was a number. */
static rl_tensor *value_tensor(const rl_tensor *x, PyObject *value, bool *number)
{
    *number = false;
    if (rl_py_is_tensor(value))
        return rl_retain(rl_py_borrow(value));
    const char *name = Py_TYPE(value)->tp_name;
    bool numpy_int = !strncmp(name, "numpy.int", 9) || !strncmp(name, "numpy.uint", 10);
    if (PyComplex_Check(value) && rl_is_complex((rl_dtype)x->dtype)) {
        rl_tensor *z =
            rl_wrap_complex(PyComplex_RealAsDouble(value), PyComplex_ImagAsDouble(value));
        *number = true;
        if (z)
            z->flags &= (uint8_t)~RL_FLAG_WRAPPED_NUMBER;
        else
            rl_py_raise();
        return z;
    }
    if (PyComplex_Check(value)) {
        PyErr_Format(PyExc_RuntimeError, "value cannot be converted to type %s without overflow",
                     x->dtype == RL_F32   ? "float"
                     : x->dtype == RL_F64 ? "double"
                                          : rl_dtype_name((rl_dtype)x->dtype));
        return NULL;
    }
    if (!PyFloat_Check(value) && !PyLong_Check(value) && !numpy_int) {
        PyErr_Format(PyExc_TypeError, "can't assign a %s to a torch.%sTensor", name,
                     rl_dtype_title((rl_dtype)x->dtype));
        return NULL;
    }
    rl_scalar s;
    if (rl_py_scalar(value, &s, "value"))
        return NULL;
    *number = true;
    rl_tensor *t = rl_wrap_number(s);
    if (!t) {
        rl_py_raise();
        return NULL;
    }
    t->flags &=
        (uint8_t)~RL_FLAG_WRAPPED_NUMBER; /* a 0-dim tensor to the operators, as in PyTorch */
    return t;
}

/* value without its leading dims of size 1, which need not fit the target. */
static rl_tensor *without_leading_ones(rl_tensor *value)
{
    int drop = 0;
    while (drop < value->ndim && value->shape[drop] == 1)
        drop++;
    if (!drop)
        return rl_retain(value);
    return rl_reshape(value, (rl_ints){value->shape + drop, value->ndim - drop});
}

static rl_tensor *copy_into(rl_tensor *x, rl_tensor *value, bool number)
{
    if (number || value->ndim == 0)
        return rl_fill_(x, value);
    if (rl_same_shape(value, x))
        return rl_copy_(x, value, false);
    RL_TEMP *fitting = without_leading_ones(value);
    RL_TEMP *wide = fitting ? rl_expand(fitting, (rl_ints){x->shape, x->ndim}, false) : NULL;
    return wide ? rl_copy_(x, wide, false) : NULL;
}

static rl_tensor *put_into(cursor *c, rl_tensor *value, bool number)
{
    rl_tensor *x = c->x;
    if (!number) {
        RL_TEMP *fitting = without_leading_ones(value);
        return fitting ? rl_index_put_(x, (rl_tensors){c->index, c->n_index}, fitting, false)
                       : NULL;
    }
    bool one_mask =
        c->n_index == 1 && c->index[0]->dtype == RL_BOOL && rl_same_shape(c->index[0], x);
    if (one_mask && !rl_recording(x))
        return rl_masked_fill_(x, c->index[0], value);
    RL_TEMP *cast = rl_cast_data(value, (rl_dtype)x->dtype);
    return cast ? rl_index_put_(x, (rl_tensors){c->index, c->n_index}, cast, false) : NULL;
}

static int assign_subscript(PyObject *self, PyObject *key, PyObject *value)
{
    if (!value) {
        PyErr_SetString(PyExc_TypeError, "Tensor does not support deleting items");
        return -1;
    }
    if (rl_py_overrides(self) || rl_py_is_overriding(value)) {
        PyObject *both[] = {key, value};
        PyObject *done = rl_py_override_method("__setitem__", self, both, 2, NULL);
        Py_XDECREF(done);
        return done ? 0 : -1;
    }
    rl_tensor *t = rl_py_borrow(self);
    bool number;
    RL_TEMP *v = value_tensor(t, value, &number);
    if (!v)
        return -1;
    if (key == Py_False)
        return 0;
    cursor c;
    cursor_init(&c, t);
    c.assigning = true;
    int status = key == Py_True ? step_none(&c) : parse_key(&c, key);
    if (!status)
        status = make_view(&c);
    if (!status) {
        RL_TEMP *done = c.n_index ? put_into(&c, v, number) : copy_into(c.x, v, number);
        if (!done) {
            rl_py_raise();
            status = -1;
        }
    }
    cursor_free(&c);
    return status;
}

PyMappingMethods rl_py_subscript_mapping = {
    .mp_subscript = subscript,
    .mp_ass_subscript = assign_subscript,
};

int rl_py_add_subscript(PyObject *module)
{
    (void)module;
    return 0;
}
