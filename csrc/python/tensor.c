/* tensor.c: the Tensor type: its objects, their life and their place in garbage collection.
 *
 * One object per tensor: rl_tensor.py points to it while it lives.  Objects of the base type come
 * from a free list.  They are untracked by the collector until they can be part of a cycle: with an
 * instance dictionary, or with autograd data that may lead to Python objects (hooks, Functions). */
#include "python/args.h"
#include "python/override.h"

#define FREE_LIST 256

static rl_py_tensor *free_list[FREE_LIST];
static int n_free;

static PyObject *new_object(PyTypeObject *type)
{
    if (type == &rl_py_tensor_type) {
        if (n_free)
            return PyObject_Init((PyObject *)free_list[--n_free], type);
        rl_py_tensor *o = PyObject_GC_New(rl_py_tensor, type);
        if (o) {
            o->dict = NULL;
            o->weakrefs = NULL;
        }
        return (PyObject *)o;
    }
    return type->tp_alloc(type, 0); /* tracked */
}

void rl_py_track(PyObject *o)
{
    if (!PyObject_GC_IsTracked(o))
        PyObject_GC_Track(o);
}

PyObject *rl_py_wrap_as(PyTypeObject *type, rl_tensor *t)
{
    if (!t)
        return rl_py_raise();
    if (t->py) {
        PyObject *o = (PyObject *)t->py;
        if (t->flags & RL_FLAG_OWNS_PY) { /* from now on the object owns the tensor again */
            t->flags &= (uint8_t)~RL_FLAG_OWNS_PY;
            rl_py_graph_objects--;
        } else {
            Py_INCREF(o);
            rl_release(t);
        }
        if (t->ag)
            rl_py_track(o);
        return o;
    }
    rl_py_tensor *o = (rl_py_tensor *)new_object(type);
    if (!o) {
        rl_release(t);
        return NULL;
    }
    o->t = t;
    t->py = o;
    t->flags &= (uint8_t)~RL_FLAG_WRAPPED_NUMBER;
    if (t->ag)
        rl_py_track((PyObject *)o);
    return (PyObject *)o;
}

PyObject *rl_py_wrap(rl_tensor *t) { return rl_py_wrap_as(&rl_py_tensor_type, t); }

PyObject *rl_py_wrap_list(rl_list *list, bool as_tuple)
{
    PyObject *result = as_tuple ? PyTuple_New(list->n) : PyList_New(list->n);
    for (int64_t i = 0; result && i < list->n; i++) {
        rl_tensor *t = list->v[i];
        list->v[i] = NULL;
        PyObject *o = rl_py_wrap(t);
        if (!o)
            Py_CLEAR(result);
        else if (as_tuple)
            PyTuple_SET_ITEM(result, i, o);
        else
            PyList_SET_ITEM(result, i, o);
    }
    rl_list_free(list);
    return result;
}

/* Note: objects that outlive Python's interest.  When the last reference from Python goes while the
 * core still holds the tensor (a graph, another tensor's grad), an object that says more than the
 * tensor does, by its class, its attributes or a weak reference, must come back unchanged when the
 * tensor is wrapped again.  So ownership turns round: the tensor owns the object until then, or
 * until it dies.  Slots and __del__ of a subclass are done with at the first of these deaths. */
static bool outlives(rl_py_tensor *o, PyTypeObject *type)
{
    rl_tensor *t = o->t;
    if (type == &rl_py_tensor_type && !o->weakrefs && !(o->dict && PyDict_GET_SIZE(o->dict)))
        return false;
    if (!t || atomic_load(&t->refs) == 1)
        return false;
    Py_SET_REFCNT((PyObject *)o, 1);
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE)
        Py_INCREF(type); /* the caller, CPython's dealloc of subclasses, gives one up */
    rl_py_track((PyObject *)o);
    t->flags |= RL_FLAG_OWNS_PY;
    rl_py_graph_objects++;
    rl_release(t);
    return true;
}

/* rl_free_py. */
static void free_owned(rl_tensor *t)
{
    if (!Py_IsInitialized())
        return;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *error, *value, *trace;
    PyErr_Fetch(&error, &value, &trace);
    rl_py_tensor *o = t->py;
    t->flags &= (uint8_t)~RL_FLAG_OWNS_PY;
    t->py = NULL;
    o->t = NULL;
    rl_py_graph_objects--;
    Py_DECREF((PyObject *)o);
    PyErr_Restore(error, value, trace);
    PyGILState_Release(gil);
}

static void tensor_dealloc(PyObject *self)
{
    rl_py_tensor *o = (rl_py_tensor *)self;
    PyTypeObject *type = Py_TYPE(self);
    if (outlives(o, type))
        return;
    if (type != &rl_py_tensor_type && type->tp_finalize &&
        PyObject_CallFinalizerFromDealloc(self) < 0)
        return;
    if (PyObject_GC_IsTracked(self))
        PyObject_GC_UnTrack(self);
    if (o->weakrefs)
        PyObject_ClearWeakRefs(self);
    if (o->dict)
        Py_CLEAR(o->dict);
    rl_tensor *t = o->t;
    o->t = NULL;
    if (t) {
        t->py = NULL;
        rl_release(t);
    }
    if (type == &rl_py_tensor_type && n_free < FREE_LIST)
        free_list[n_free++] = o;
    else
        type->tp_free(self);
}

static int tensor_traverse(PyObject *self, visitproc visit, void *arg)
{
    rl_py_tensor *o = (rl_py_tensor *)self;
    Py_VISIT(o->dict);
    /* Only a tensor that nobody else in C holds owns its graph. */
    if (o->t && o->t->ag && !(o->t->flags & RL_FLAG_OWNS_PY) && atomic_load(&o->t->refs) == 1)
        return rl_py_traverse_graph(o->t, visit, arg);
    return 0;
}

static int tensor_clear(PyObject *self)
{
    rl_py_tensor *o = (rl_py_tensor *)self;
    Py_CLEAR(o->dict);
    if (o->t && o->t->ag && !(o->t->flags & RL_FLAG_OWNS_PY) && atomic_load(&o->t->refs) == 1)
        rl_py_clear_graph(o->t);
    return 0;
}

static int tensor_setattro(PyObject *self, PyObject *name, PyObject *value)
{
    int status = PyObject_GenericSetAttr(self, name, value);
    if (((rl_py_tensor *)self)->dict)
        rl_py_track(self);
    return status;
}

/* torch.Tensor(...) and subclasses: the legacy constructor.  A subclass with an __init__ of its own
 * gets the same. */
static PyObject *tensor_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    rl_tensor *t = rl_py_legacy_new(RL_NO_DTYPE, args, kwargs);
    if (!t)
        return NULL;
    if (type != &rl_py_tensor_type && t->py) { /* Sub(tensor): an alias of its own */
        rl_tensor *alias = rl_new_view(t, t->ndim, t->shape, t->strides, t->offset);
        rl_release(t);
        t = alias;
    }
    return rl_py_wrap_as(type, t);
}

static int tensor_init(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(args),
                       PyObject *Py_UNUSED(kwargs))
{
    return 0;
}

/* Printing is Python: rushlight/_tensor_str.py. */
static PyObject *tensor_repr(PyObject *self)
{
    if (rl_py_overrides(self))
        return rl_py_override_operator("__repr__", self, NULL);
    PyObject *module = PyImport_ImportModule("rushlight._tensor_str");
    PyObject *text = module ? PyObject_CallMethod(module, "tensor_repr", "O", self) : NULL;
    Py_XDECREF(module);
    return text;
}

static Py_hash_t tensor_hash(PyObject *self)
{
    size_t address = (size_t)self >> 4;
    return (Py_hash_t)address;
}

static PyObject *tensor_iter(PyObject *self)
{
    rl_tensor *t = rl_py_borrow(self);
    if (!t->ndim) {
        PyErr_SetString(PyExc_TypeError, "iteration over a 0-d tensor");
        return NULL;
    }
    if (rl_py_overrides(self)) { /* the rows are what unbind makes of them */
        PyObject *rows = rl_py_override_operator("unbind", self, NULL);
        PyObject *over = rows ? PyObject_GetIter(rows) : NULL;
        Py_XDECREF(rows);
        return over;
    }
    rl_list list = {NULL, 0};
    if (rl_unbind(t, 0, &list))
        return rl_py_raise();
    PyObject *tuple = rl_py_wrap_list(&list, true);
    PyObject *iterator = tuple ? PyObject_GetIter(tuple) : NULL;
    Py_XDECREF(tuple);
    return iterator;
}

static Py_ssize_t tensor_length(PyObject *self)
{
    if (rl_py_overrides(self)) {
        PyObject *n = rl_py_override_operator("__len__", self, NULL);
        Py_ssize_t length = n ? PyNumber_AsSsize_t(n, PyExc_OverflowError) : -1;
        Py_XDECREF(n);
        return length;
    }
    rl_tensor *t = rl_py_borrow(self);
    if (!t->ndim) {
        PyErr_SetString(PyExc_TypeError, "len() of a 0-d tensor");
        return -1;
    }
    return t->shape[0];
}

static PyObject *tensor_item(PyObject *self, Py_ssize_t i)
{
    rl_tensor *t = rl_py_borrow(self);
    if (!t->ndim) {
        PyErr_SetString(PyExc_IndexError,
                        "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or "
                        "`tensor.item<T>()` in C++ to convert a 0-dim tensor to a number");
        return NULL;
    }
    if (i < 0 || i >= t->shape[0]) {
        PyErr_Format(PyExc_IndexError, "index %zd is out of bounds for dimension 0 with size %lld",
                     i, (long long)t->shape[0]);
        return NULL;
    }
    return rl_py_wrap(rl_select(t, 0, i));
}

static int tensor_contains(PyObject *self, PyObject *value)
{
    if (rl_py_overrides(self)) {
        PyObject *found = rl_py_override_method("__contains__", self, &value, 1, NULL);
        int truth = found ? PyObject_IsTrue(found) : -1;
        Py_XDECREF(found);
        return truth;
    }
    rl_scalar number;
    if (!rl_py_is_tensor(value) && !rl_py_as_scalar(value, &number)) {
        if (!PyErr_Occurred())
            PyErr_Format(
                PyExc_RuntimeError,
                "Tensor.__contains__ only supports Tensor or scalar, but you passed in a %R.",
                Py_TYPE(value));
        return -1;
    }
    RL_TEMP *other = rl_py_tensor_like(value, "element");
    if (!other)
        return -1;
    RL_TEMP *equal = rl_eq(other, rl_py_borrow(self)); /* in this order in the message */
    RL_TEMP *any = equal ? rl_any(equal, (rl_ints){NULL, -1}, false) : NULL;
    rl_scalar found;
    if (!any || rl_item(any, &found)) {
        rl_py_raise();
        return -1;
    }
    return found.i != 0;
}

static PySequenceMethods sequence_methods = {
    .sq_length = tensor_length,
    .sq_item = tensor_item,
    .sq_contains = tensor_contains,
};

/* Tensor's own type.  CPython's messages print tp_name ("unsupported operand type(s) for +:
 * 'Tensor' and 'str'"), so that is a bare name as PyTorch's; the module and the class's text come
 * from here. */
static PyObject *class_module(PyObject *self, void *Py_UNUSED(closure))
{
    PyObject *module = PyDict_GetItemString(((PyTypeObject *)self)->tp_dict, "__module__");
    return module ? Py_NewRef(module) : PyUnicode_FromString("rushlight");
}

static int set_class_module(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    if (self != (PyObject *)&rl_py_tensor_type && value)
        return PyDict_SetItemString(((PyTypeObject *)self)->tp_dict, "__module__", value);
    PyErr_SetString(PyExc_TypeError,
                    "cannot set '__module__' attribute of immutable type 'Tensor'");
    return -1;
}

static PyObject *class_repr(PyObject *self)
{
    if (self == (PyObject *)&rl_py_tensor_type)
        return PyUnicode_FromString("<class 'torch.Tensor'>");
    return PyType_Type.tp_repr(self);
}

static PyGetSetDef class_getset[] = {
    {"__module__", class_module, set_class_module, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyObject *get_class(PyObject *self, void *Py_UNUSED(closure))
{
    return Py_NewRef((PyObject *)Py_TYPE(self));
}

/* x.__class__ = Tensor, which takes a plain subclass back to what it extends; Python itself changes
 * classes only among those made by class statements. */
static int set_class(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    PyTypeObject *type = Py_TYPE(self);
    if (value == (PyObject *)&rl_py_tensor_type && type->tp_flags & Py_TPFLAGS_HEAPTYPE &&
        type->tp_basicsize == rl_py_tensor_type.tp_basicsize &&
        type->tp_dictoffset == rl_py_tensor_type.tp_dictoffset) {
        rl_py_track(self);
        Py_SET_TYPE(self, &rl_py_tensor_type);
        Py_DECREF(type);
        return 0;
    }
    PyObject *members = PyObject_GetAttrString((PyObject *)&PyBaseObject_Type, "__dict__");
    PyObject *ordinary = members ? PyMapping_GetItemString(members, "__class__") : NULL;
    int status = ordinary ? Py_TYPE(ordinary)->tp_descr_set(ordinary, self, value) : -1;
    Py_XDECREF(ordinary);
    Py_XDECREF(members);
    return status;
}

static PyGetSetDef tensor_getset[] = {
    {"__class__", get_class, set_class, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyTypeObject tensor_meta = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "rushlight._C._TensorMeta",
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_repr = class_repr,
    .tp_getset = class_getset,
};

PyTypeObject rl_py_tensor_type = {
    PyVarObject_HEAD_INIT(&tensor_meta, 0).tp_name = "Tensor",
    .tp_basicsize = sizeof(rl_py_tensor),
    .tp_doc = "Multi-dimensional array of one element type.",
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_new = tensor_new,
    .tp_init = tensor_init,
    .tp_dealloc = tensor_dealloc,
    .tp_free = PyObject_GC_Del,
    .tp_traverse = tensor_traverse,
    .tp_clear = tensor_clear,
    .tp_repr = tensor_repr,
    .tp_hash = tensor_hash,
    .tp_iter = tensor_iter,
    .tp_setattro = tensor_setattro,
    .tp_getset = tensor_getset,
    .tp_richcompare = rl_py_tensor_compare,
    .tp_dictoffset = offsetof(rl_py_tensor, dict),
    .tp_weaklistoffset = offsetof(rl_py_tensor, weakrefs),
    .tp_as_sequence = &sequence_methods,
};

/* Adds what other files contribute. */
static int add_methods(PyMethodDef *defs)
{
    PyObject *dict = rl_py_tensor_type.tp_dict;
    for (PyMethodDef *def = defs; def->ml_name; def++) {
        /* Operators ask for overrides when they have parsed their arguments; overrides themselves
         * are not overridden. */
        bool asks = defs != rl_py_op_methods && defs != rl_py_override_methods;
        PyMethodDef *d = asks ? rl_py_guard(def, false) : def;
        PyObject *name = d ? PyUnicode_InternFromString(d->ml_name) : NULL;
        PyObject *method = !name                       ? NULL
                           : d->ml_flags & METH_STATIC ? PyCFunction_New(d, NULL)
                           : d->ml_flags & METH_CLASS
                               ? PyDescr_NewClassMethod(&rl_py_tensor_type, d)
                               : PyDescr_NewMethod(&rl_py_tensor_type, d);
        if (method && d->ml_flags & METH_STATIC)
            Py_SETREF(method, PyStaticMethod_New(method));
        int status = method ? PyDict_SetItem(dict, name, method) : -1;
        Py_XDECREF(method);
        Py_XDECREF(name);
        if (status)
            return -1;
    }
    return 0;
}

static int add_getset(PyGetSetDef *defs)
{
    for (PyGetSetDef *def = defs; def->name; def++) {
        PyGetSetDef *d = rl_py_guard_getset(def);
        PyObject *descr = d ? PyDescr_NewGetSet(&rl_py_tensor_type, d) : NULL;
        int status = descr ? PyDict_SetItemString(rl_py_tensor_type.tp_dict, d->name, descr) : -1;
        Py_XDECREF(descr);
        if (status)
            return -1;
    }
    return 0;
}

/* _extend_tensor(name, function): a method of Tensor that is written in Python
 * (rushlight/_tensor.py). */
static PyObject *extend_tensor(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *name, *value;
    if (!PyArg_ParseTuple(args, "UO:_extend_tensor", &name, &value))
        return NULL;
    PyUnicode_InternInPlace(&name);
    if (PyDict_SetItem(rl_py_tensor_type.tp_dict, name, value))
        return NULL;
    PyType_Modified(&rl_py_tensor_type);
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"_extend_tensor", extend_tensor, METH_VARARGS,
     "_extend_tensor(name, value)\n\nAdds an attribute to the class Tensor."},
    {NULL, NULL, 0, NULL},
};

/* Functions that ask for overrides; is_tensor() tells what is one, whoever asks. */
static int add_guarded(PyObject *module, PyMethodDef *defs)
{
    for (PyMethodDef *def = defs; def->ml_name; def++) {
        PyMethodDef *d = strcmp(def->ml_name, "is_tensor") ? rl_py_guard(def, true) : def;
        PyObject *f = d ? PyCFunction_NewEx(d, module, NULL) : NULL;
        int status = f ? PyModule_AddObjectRef(module, d->ml_name, f) : -1;
        Py_XDECREF(f);
        if (status)
            return -1;
    }
    return 0;
}

int rl_py_add_tensor(PyObject *module)
{
    rl_free_py = free_owned;
    rl_py_tensor_type.tp_as_number = &rl_py_number_methods;
    rl_py_tensor_type.tp_as_mapping = &rl_py_subscript_mapping;
    rl_py_tensor_type.tp_as_buffer = &rl_py_buffer_procs;
    tensor_meta.tp_base = &PyType_Type;
    if (rl_py_add_types(module) || PyType_Ready(&tensor_meta) || PyType_Ready(&rl_py_tensor_type))
        return -1;
    if (add_methods(rl_py_op_methods) || add_methods(rl_py_new_methods) ||
        add_methods(rl_py_tensor_methods) || add_methods(rl_py_convert_methods) ||
        add_methods(rl_py_create_methods) || add_methods(rl_py_autograd_methods) ||
        add_methods(rl_py_interop_methods) || add_methods(rl_py_override_methods) ||
        add_getset(rl_py_tensor_getset) || add_getset(rl_py_autograd_getset))
        return -1;
    PyType_Modified(&rl_py_tensor_type);
    if (PyModule_AddFunctions(module, functions) ||
        PyModule_AddFunctions(module, rl_py_create_functions) ||
        add_guarded(module, rl_py_tensor_functions) || PyType_Ready(&rl_py_storage_type) ||
        PyType_Ready(&rl_py_typed_storage_type) ||
        PyModule_AddObjectRef(module, "TypedStorage", (PyObject *)&rl_py_typed_storage_type) ||
        PyModule_AddObjectRef(module, "UntypedStorage", (PyObject *)&rl_py_storage_type))
        return -1;
    return PyModule_AddObjectRef(module, "Tensor", (PyObject *)&rl_py_tensor_type);
}
