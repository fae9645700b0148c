/* module.c: the base type of rushlight.nn.Module: attributes and calls, without a Python frame of
 * their own.
 *
 * Note: registries.  The registries (_parameters, _buffers, _modules) and the hook dicts live in
 * the instance's __dict__, under PyTorch's names and in its order, so that whatever reads or
 * replaces them there (deepcopy, pickle, subclasses with
 * __getstate__) finds them.  The struct keeps a second reference to those that are asked per call.
 * The two can only part when somebody holds the __dict__ itself; from the moment it is handed out
 * (`exposed`) they are compared before each use.
 *
 * Attribute look-up gives what Python's own would: class and instance first, registries last.
 * Asking the registries first and then whether the class has that name as well comes to the same
 * and is faster.  What happens once per model, such as registering a Parameter, is Python's:
 * nn/modules/module.py. */
#include <stddef.h>

#include "python/module.h"

/* In __dict__ under these names; the first N_CACHED also in the struct. */
enum {
    PARAMETERS,
    BUFFERS,
    MODULES,
    BACKWARD_PRE_HOOKS,
    BACKWARD_HOOKS,
    FORWARD_HOOKS,
    FORWARD_PRE_HOOKS,
    N_CACHED
};

typedef struct rl_py_module {
    PyObject_HEAD vectorcallfunc vectorcall;
    PyObject *dict;
    PyObject *weakrefs;
    PyObject *cached[N_CACHED]; /* owned; NULL before __init__ */
    bool exposed;               /* somebody may hold dict: see "Note: registries" */
} rl_py_module;

/* What __init__ puts into __dict__, in PyTorch's order. */
enum { A_TRUE, A_DICT, A_SET, A_ORDERED, A_NONE };
static const struct {
    const char *name;
    int kind, cached; /* cached: index into the struct, or -1 */
} fields[] = {
    {"training", A_TRUE, -1},
    {"_parameters", A_DICT, PARAMETERS},
    {"_buffers", A_DICT, BUFFERS},
    {"_non_persistent_buffers_set", A_SET, -1},
    {"_backward_pre_hooks", A_ORDERED, BACKWARD_PRE_HOOKS},
    {"_backward_hooks", A_ORDERED, BACKWARD_HOOKS},
    {"_is_full_backward_hook", A_NONE, -1},
    {"_forward_hooks", A_ORDERED, FORWARD_HOOKS},
    {"_forward_hooks_with_kwargs", A_ORDERED, -1},
    {"_forward_hooks_always_called", A_ORDERED, -1},
    {"_forward_pre_hooks", A_ORDERED, FORWARD_PRE_HOOKS},
    {"_forward_pre_hooks_with_kwargs", A_ORDERED, -1},
    {"_state_dict_hooks", A_ORDERED, -1},
    {"_state_dict_pre_hooks", A_ORDERED, -1},
    {"_load_state_dict_pre_hooks", A_ORDERED, -1},
    {"_load_state_dict_post_hooks", A_ORDERED, -1},
    {"_modules", A_DICT, MODULES},
};
#define N_FIELDS (int)(sizeof fields / sizeof fields[0])

/* Hooks of all modules, as OrderedDicts; nn/modules/module.py fills them. */
static const char *const global_names[] = {"_global_backward_pre_hooks", "_global_backward_hooks",
                                           "_global_forward_hooks", "_global_forward_pre_hooks"};
#define N_GLOBAL 4

static PyTypeObject module_type;
static PyObject *field_names[N_FIELDS], *cached_names[N_CACHED], *global_hooks[N_GLOBAL];
static PyObject *str_forward, *str_assign, *str_call_impl, *str_getattr, *str_getattribute;
static PyObject *descr_getattr,
    *descr_getattribute; /* ours, to see whether a subclass has its own */

/* ---- registries ---- */

/* Takes over what __dict__ holds now. */
static void refresh(rl_py_module *self)
{
    for (int i = 0; i < N_CACHED; i++) {
        PyObject *v = self->dict ? PyDict_GetItemWithError(self->dict, cached_names[i]) : NULL;
        if (v && !PyDict_Check(v))
            v = NULL;
        if (v != self->cached[i]) {
            Py_XINCREF(v);
            Py_XSETREF(self->cached[i], v);
        }
    }
    PyErr_Clear(); /* names are strings: look-ups do not fail */
}

static inline void look(rl_py_module *self)
{
    if (self->exposed)
        refresh(self);
}

/* Borrowed; NULL without exception when no registry has the name. */
static PyObject *registered(rl_py_module *self, PyObject *name)
{
    static const int order[] = {PARAMETERS, MODULES, BUFFERS};
    for (int i = 0; i < 3; i++) {
        PyObject *d = self->cached[order[i]];
        if (d && PyDict_GET_SIZE(d)) {
            PyObject *v = PyDict_GetItemWithError(d, name);
            if (v || PyErr_Occurred())
                return v;
        }
    }
    return NULL;
}

static PyObject *new_field(int kind)
{
    switch (kind) {
    case A_TRUE:
        return Py_NewRef(Py_True);
    case A_DICT:
        return PyDict_New();
    case A_SET:
        return PySet_New(NULL);
    case A_ORDERED:
        return PyODict_New();
    default:
        return Py_NewRef(Py_None);
    }
}

/* Puts the fields into __dict__; only those that are missing when `missing`. */
static int make_fields(rl_py_module *self, bool missing)
{
    if (!self->dict && !(self->dict = PyDict_New()))
        return -1;
    for (int i = 0; i < N_FIELDS; i++) {
        if (missing) {
            int has = PyDict_Contains(self->dict, field_names[i]);
            if (has < 0)
                return -1;
            if (has)
                continue;
        }
        PyObject *v = new_field(fields[i].kind);
        if (!v)
            return -1;
        int failed = PyDict_SetItem(self->dict, field_names[i], v);
        Py_DECREF(v);
        if (failed)
            return -1;
    }
    refresh(self);
    return 0;
}

/* ---- attributes ---- */

static PyObject *module_getattro(PyObject *o, PyObject *name)
{
    rl_py_module *self = (rl_py_module *)o;
    /* A class with a __getattr__ of its own gets here through __getattribute__: its registries come
     * afterwards. */
    if (Py_TYPE(o)->tp_getattro != module_getattro)
        return PyObject_GenericGetAttr(o, name);
    if (!self->exposed) {
        PyObject *v = registered(self, name);
        if (v && !_PyType_Lookup(Py_TYPE(o), name))
            return Py_NewRef(v);
        if (!v && PyErr_Occurred())
            return NULL;
        return PyObject_GenericGetAttr(o, name);
    }
    PyObject *v = PyObject_GenericGetAttr(o, name);
    if (v || !PyErr_ExceptionMatches(PyExc_AttributeError))
        return v;
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    refresh(self);
    v = registered(self, name);
    if (!v) {
        if (PyErr_Occurred()) {
            Py_XDECREF(type);
            Py_XDECREF(value);
            Py_XDECREF(trace);
        } else {
            PyErr_Restore(type, value, trace);
        }
        return NULL;
    }
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(trace);
    return Py_NewRef(v);
}

/* __getattr__, for super().__getattr__(name) in subclasses. */
static PyObject *module_getattr(PyObject *o, PyObject *name)
{
    rl_py_module *self = (rl_py_module *)o;
    look(self);
    PyObject *v = registered(self, name);
    if (v)
        return Py_NewRef(v);
    if (!PyErr_Occurred())
        PyErr_Format(PyExc_AttributeError, "'%s' object has no attribute '%U'", Py_TYPE(o)->tp_name,
                     name);
    return NULL;
}

/* Whether the assignment concerns a registry: the value is a kind that may register, or the name is
 * registered. */
static int concerns_registry(rl_py_module *self, PyObject *name, PyObject *value)
{
    if (PyObject_TypeCheck(value, &module_type))
        return 1;
    /* A Parameter, or a tensor with a flag among its attributes: nn.Buffer. */
    if (rl_py_is_tensor(value) &&
        (!Py_IS_TYPE(value, &rl_py_tensor_type) || ((rl_py_tensor *)value)->dict))
        return 1;
    look(self);
    if (registered(self, name))
        return 1;
    return PyErr_Occurred() ? -1 : 0;
}

/* A method, not the slot tp_setattro: object.__setattr__(module, ...) must stay allowed, and
 * CPython refuses it on types that have their own slot. */
static PyObject *module_setattr(PyObject *o, PyObject *const *args, Py_ssize_t n)
{
    rl_py_module *self = (rl_py_module *)o;
    if (n != 2) {
        PyErr_Format(PyExc_TypeError, "__setattr__() takes 2 arguments but %zd were given", n);
        return NULL;
    }
    PyObject *name = args[0], *value = args[1];
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "attribute name must be string, not '%.200s'",
                     Py_TYPE(name)->tp_name);
        return NULL;
    }
    int concerns = concerns_registry(self, name, value);
    if (concerns < 0)
        return NULL;
    if (concerns) {
        PyObject *done = PyObject_CallMethodObjArgs(o, str_assign, name, value, NULL);
        if (!done)
            return NULL;
        bool registered_it = done == Py_True;
        Py_DECREF(done);
        if (registered_it)
            Py_RETURN_NONE;
    }
    if (PyObject_GenericSetAttr(o, name, value) < 0)
        return NULL;
    if (PyUnicode_GET_LENGTH(name) && PyUnicode_READ_CHAR(name, 0) == '_')
        refresh(self);
    Py_RETURN_NONE;
}

static PyObject *module_delattr(PyObject *o, PyObject *name)
{
    rl_py_module *self = (rl_py_module *)o;
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "attribute name must be string, not '%.200s'",
                     Py_TYPE(name)->tp_name);
        return NULL;
    }
    look(self);
    static const int order[] = {PARAMETERS, BUFFERS, MODULES};
    for (int i = 0; i < 3; i++) {
        PyObject *d = self->cached[order[i]];
        if (!d)
            continue;
        int has = PyDict_Contains(d, name);
        if (has < 0)
            return NULL;
        if (!has)
            continue;
        if (PyObject_DelItem(d, name) < 0)
            return NULL;
        if (order[i] == BUFFERS) {
            PyObject *set = PyObject_GetAttrString(o, "_non_persistent_buffers_set");
            if (!set)
                return NULL;
            int failed = PySet_Check(set) ? PySet_Discard(set, name) < 0 : 0;
            Py_DECREF(set);
            if (failed)
                return NULL;
        }
        Py_RETURN_NONE;
    }
    if (PyObject_GenericSetAttr(o, name, NULL) < 0)
        return NULL;
    refresh(self);
    Py_RETURN_NONE;
}

/* Takes an ordinary attribute out of __dict__, if it is there. */
static PyObject *module_forget_attribute(PyObject *o, PyObject *name)
{
    PyObject *d = ((rl_py_module *)o)->dict;
    if (d && PyDict_Contains(d, name) == 1 && PyDict_DelItem(d, name) < 0)
        return NULL;
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *module_get_dict(PyObject *o, void *unused)
{
    ((rl_py_module *)o)->exposed = true;
    return PyObject_GenericGetDict(o, unused);
}

static int module_set_dict(PyObject *o, PyObject *value, void *unused)
{
    if (PyObject_GenericSetDict(o, value, unused) < 0)
        return -1;
    ((rl_py_module *)o)->exposed = true;
    refresh((rl_py_module *)o);
    return 0;
}

/* ---- calls ---- */

static inline bool any_hook(rl_py_module *self)
{
    Py_ssize_t n = 0;
    for (int i = BACKWARD_PRE_HOOKS; i < N_CACHED; i++)
        n += self->cached[i] ? PyDict_GET_SIZE(self->cached[i]) : 0;
    for (int i = 0; i < N_GLOBAL; i++)
        n += PyDict_GET_SIZE(global_hooks[i]);
    return n != 0;
}

/* f(first, *args, **kwargs) */
static PyObject *call_with_first(PyObject *f, PyObject *first, PyObject *const *args, size_t nargsf,
                                 PyObject *kwnames)
{
    Py_ssize_t n = PyVectorcall_NARGS(nargsf),
               total = n + (kwnames ? PyTuple_GET_SIZE(kwnames) : 0);
    if (nargsf & PY_VECTORCALL_ARGUMENTS_OFFSET) {
        PyObject **shifted = (PyObject **)args - 1, *kept = shifted[0];
        shifted[0] = first;
        PyObject *result = PyObject_Vectorcall(f, shifted, (size_t)n + 1, kwnames);
        shifted[0] = kept;
        return result;
    }
    PyObject *few[8], **copy = total < 8 ? few : PyMem_New(PyObject *, total + 1);
    if (!copy)
        return PyErr_NoMemory();
    copy[0] = first;
    if (total)
        memcpy(copy + 1, args, (size_t)total * sizeof *args);
    PyObject *result = PyObject_Vectorcall(f, copy, (size_t)n + 1, kwnames);
    if (copy != few)
        PyMem_Free(copy);
    return result;
}

/* self.forward(*args, **kwargs): one set on the instance wins, then the class's. */
static PyObject *call_forward(PyObject *o, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    rl_py_module *self = (rl_py_module *)o;
    PyObject *own = self->dict ? PyDict_GetItemWithError(self->dict, str_forward) : NULL, *f,
             *result;
    if (!own) {
        if (PyErr_Occurred())
            return NULL;
        f = _PyType_Lookup(Py_TYPE(o), str_forward);
        if (f && Py_IS_TYPE(f, &PyMethodDescr_Type) && PyObject_TypeCheck(o, PyDescr_TYPE(f))) {
            const PyMethodDef *def = ((PyMethodDescrObject *)f)->d_method;
            if (def->ml_flags == (METH_FASTCALL | METH_KEYWORDS)) {
                _PyCFunctionFastWithKeywords direct =
                    (_PyCFunctionFastWithKeywords)(void (*)(void))def->ml_meth;
                return direct(o, args, PyVectorcall_NARGS(nargsf), kwnames);
            }
        }
        if (f && PyFunction_Check(f)) {
            Py_INCREF(f);
            result = call_with_first(f, o, args, nargsf, kwnames);
            Py_DECREF(f);
            return result;
        }
    }
    f = own ? Py_NewRef(own) : PyObject_GetAttr(o, str_forward);
    if (!f)
        return NULL;
    result = PyObject_Vectorcall(f, args, nargsf, kwnames);
    Py_DECREF(f);
    return result;
}

/* The call itself: forward, or _call_impl of nn/modules/module.py when there is a hook. */
static PyObject *call(PyObject *o, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    rl_py_module *self = (rl_py_module *)o;
    look(self);
    if (!any_hook(self))
        return call_forward(o, args, nargsf, kwnames);
    PyObject *f = PyObject_GetAttr(o, str_call_impl);
    if (!f)
        return NULL;
    PyObject *result = PyObject_Vectorcall(f, args, nargsf, kwnames);
    Py_DECREF(f);
    return result;
}

/* The slot tp_call, also super().__call__(...) in subclasses with a __call__ of their own. */
static PyObject *module_call(PyObject *o, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t n = PyTuple_GET_SIZE(args), named = kwargs ? PyDict_GET_SIZE(kwargs) : 0, at = 0;
    if (!named)
        return call(o, ((PyTupleObject *)args)->ob_item, (size_t)n, NULL);
    PyObject **all = PyMem_New(PyObject *, n + named), *names = PyTuple_New(named), *result = NULL,
             *key, *value;
    if (all && names) {
        for (Py_ssize_t i = 0; i < n; i++)
            all[i] = PyTuple_GET_ITEM(args, i);
        for (Py_ssize_t i = 0; PyDict_Next(kwargs, &at, &key, &value); i++) {
            PyTuple_SET_ITEM(names, i, Py_NewRef(key));
            all[n + i] = Py_NewRef(value);
        }
        result = call(o, all, (size_t)n, names);
        for (Py_ssize_t i = 0; i < named; i++)
            Py_DECREF(all[n + i]);
    } else if (!PyErr_Occurred()) {
        PyErr_NoMemory();
    }
    PyMem_Free(all);
    Py_XDECREF(names);
    return result;
}

static PyObject *module_vectorcall(PyObject *o, PyObject *const *args, size_t nargsf,
                                   PyObject *kwnames)
{
    if (Py_TYPE(o)->tp_call == module_call)
        return call(o, args, nargsf, kwnames);
    /* A __call__ was put on the class after it was made. */
    PyObject *f = PyObject_GetAttrString((PyObject *)Py_TYPE(o), "__call__");
    PyObject *result = f ? call_with_first(f, o, args, nargsf, kwnames) : NULL;
    Py_XDECREF(f);
    return result;
}

/* ---- for layers.c ---- */

PyCFunction rl_py_module_forward(PyObject *o)
{
    rl_py_module *self = (rl_py_module *)o;
    if (Py_TYPE(o)->tp_call != module_call) /* a slot that only subclasses of Module inherit */
        return NULL;
    PyObject *f = _PyType_Lookup(Py_TYPE(o), str_forward);
    if (!f || !Py_IS_TYPE(f, &PyMethodDescr_Type))
        return NULL;
    look(self);
    if (any_hook(self) || (self->dict && PyDict_GetItem(self->dict, str_forward)))
        return NULL;
    return ((PyMethodDescrObject *)f)->d_method->ml_meth;
}

PyTypeObject *rl_py_module_type(void) { return &module_type; }

PyObject *rl_py_module_children(PyObject *o)
{
    look((rl_py_module *)o);
    return ((rl_py_module *)o)->cached[MODULES];
}

PyObject *rl_py_module_parameter(PyObject *o, PyObject *name)
{
    rl_py_module *self = (rl_py_module *)o;
    PyObject *d = self->cached[PARAMETERS];
    if (!self->exposed && d) {
        PyObject *v = PyDict_GetItemWithError(d, name);
        if (v)
            return Py_NewRef(v);
        if (PyErr_Occurred())
            return NULL;
    }
    return PyObject_GetAttr(o, name);
}

PyObject *rl_py_module_attribute(PyObject *o, PyObject *name)
{
    PyObject *d = ((rl_py_module *)o)->dict;
    return d ? PyDict_GetItem(d, name) : NULL;
}

/* ---- life ---- */

static PyObject *module_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    rl_py_module *self = (rl_py_module *)type->tp_alloc(type, 0);
    if (self)
        self->vectorcall = module_vectorcall;
    return (PyObject *)self;
}

/* Module() takes no arguments, unless the class sets call_super_init: then they go on to the next
 * __init__. */
static int module_init(PyObject *o, PyObject *args, PyObject *kwargs)
{
    PyObject *flag = PyObject_GetAttrString((PyObject *)Py_TYPE(o), "call_super_init");
    int onward = flag ? PyObject_IsTrue(flag) : 0;
    Py_XDECREF(flag);
    if (!flag)
        PyErr_Clear();
    if (onward < 0)
        return -1;
    if (!onward && kwargs && PyDict_GET_SIZE(kwargs)) {
        Py_ssize_t at = 0;
        PyObject *key, *value;
        PyDict_Next(kwargs, &at, &key, &value);
        PyErr_Format(PyExc_TypeError, "%s.__init__() got an unexpected keyword argument '%U'",
                     Py_TYPE(o)->tp_name, key);
        return -1;
    }
    if (!onward && PyTuple_GET_SIZE(args)) {
        PyErr_Format(PyExc_TypeError,
                     "%s.__init__() takes 1 positional argument but %zd were given",
                     Py_TYPE(o)->tp_name, PyTuple_GET_SIZE(args) + 1);
        return -1;
    }
    if (make_fields((rl_py_module *)o, false) < 0)
        return -1;
    if (!onward)
        return 0;
    PyObject *super =
        PyObject_CallFunctionObjArgs((PyObject *)&PySuper_Type, &module_type, o, NULL);
    PyObject *init = super ? PyObject_GetAttrString(super, "__init__") : NULL;
    PyObject *done = init ? PyObject_Call(init, args, kwargs) : NULL;
    Py_XDECREF(super);
    Py_XDECREF(init);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

static int module_traverse(PyObject *o, visitproc visit, void *arg)
{
    rl_py_module *self = (rl_py_module *)o;
    Py_VISIT(self->dict);
    for (int i = 0; i < N_CACHED; i++)
        Py_VISIT(self->cached[i]);
    return 0;
}

static int module_clear(PyObject *o)
{
    rl_py_module *self = (rl_py_module *)o;
    for (int i = 0; i < N_CACHED; i++)
        Py_CLEAR(self->cached[i]);
    Py_CLEAR(self->dict);
    return 0;
}

static void module_dealloc(PyObject *o)
{
    PyObject_GC_UnTrack(o);
    if (((rl_py_module *)o)->weakrefs)
        PyObject_ClearWeakRefs(o);
    module_clear(o);
    Py_TYPE(o)->tp_free(o);
}

static PyObject *module_getstate(PyObject *o, PyObject *unused)
{
    rl_py_module *self = (rl_py_module *)o;
    PyObject *state = self->dict ? PyDict_Copy(self->dict) : PyDict_New();
    if (state && PyDict_DelItemString(state, "_compiled_call_impl") < 0)
        PyErr_Clear();
    return state;
}

static PyObject *module_setstate(PyObject *o, PyObject *state)
{
    rl_py_module *self = (rl_py_module *)o;
    if (!self->dict && !(self->dict = PyDict_New()))
        return NULL;
    if (PyDict_Update(self->dict, state) < 0 || make_fields(self, true) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* Subclasses whose look-ups and calls are still ours get the C functions in their slots, which
 * CPython would otherwise reach through Python-level dispatch (__getattr__), or not at all
 * before 3.12 (vectorcall). */
static PyObject *module_init_subclass(PyObject *cls, PyObject *args, PyObject *kwargs)
{
    PyObject *super =
        PyObject_CallFunctionObjArgs((PyObject *)&PySuper_Type, &module_type, cls, NULL);
    PyObject *next = super ? PyObject_GetAttrString(super, "__init_subclass__") : NULL;
    PyObject *done = next ? PyObject_Call(next, args, kwargs) : NULL;
    Py_XDECREF(super);
    Py_XDECREF(next);
    if (!done)
        return NULL;
    PyTypeObject *type = (PyTypeObject *)cls;
    if (_PyType_Lookup(type, str_getattr) == descr_getattr &&
        _PyType_Lookup(type, str_getattribute) == descr_getattribute)
        type->tp_getattro = module_getattro;
    if (type->tp_call == module_call) {
        type->tp_vectorcall_offset = offsetof(rl_py_module, vectorcall);
        type->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL;
    }
    PyType_Modified(type);
    return done;
}

static PyMethodDef module_methods[] = {
    {"__getattr__", module_getattr, METH_O, NULL},
    {"__setattr__", (PyCFunction)(void (*)(void))module_setattr, METH_FASTCALL, NULL},
    {"__delattr__", module_delattr, METH_O, NULL},
    {"_forget_attribute", module_forget_attribute, METH_O, NULL},
    {"__getstate__", module_getstate, METH_NOARGS, NULL},
    {"__setstate__", module_setstate, METH_O, NULL},
    {"__init_subclass__", (PyCFunction)(void (*)(void))module_init_subclass,
     METH_VARARGS | METH_KEYWORDS | METH_CLASS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef module_getset[] = {
    {"__dict__", module_get_dict, module_set_dict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyTypeObject module_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "rushlight._C.Module",
    .tp_doc = "Base of rushlight.nn.Module: registries, attribute look-up, calls.",
    .tp_basicsize = sizeof(rl_py_module),
    .tp_flags =
        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_dictoffset = offsetof(rl_py_module, dict),
    .tp_weaklistoffset = offsetof(rl_py_module, weakrefs),
    .tp_vectorcall_offset = offsetof(rl_py_module, vectorcall),
    .tp_call = module_call,
    .tp_getattro = module_getattro,
    .tp_new = module_new,
    .tp_init = module_init,
    .tp_dealloc = module_dealloc,
    .tp_traverse = module_traverse,
    .tp_clear = module_clear,
    .tp_methods = module_methods,
    .tp_getset = module_getset,
};

int rl_py_add_module(PyObject *module)
{
    for (int i = 0; i < N_FIELDS; i++) {
        if (!(field_names[i] = PyUnicode_InternFromString(fields[i].name)))
            return -1;
        if (fields[i].cached >= 0)
            cached_names[fields[i].cached] = field_names[i];
    }
    if (!(str_forward = PyUnicode_InternFromString("forward")) ||
        !(str_assign = PyUnicode_InternFromString("_assign")) ||
        !(str_call_impl = PyUnicode_InternFromString("_call_impl")) ||
        !(str_getattr = PyUnicode_InternFromString("__getattr__")) ||
        !(str_getattribute = PyUnicode_InternFromString("__getattribute__")))
        return -1;
    for (int i = 0; i < N_GLOBAL; i++)
        if (!(global_hooks[i] = PyODict_New()) ||
            PyModule_AddObjectRef(module, global_names[i], global_hooks[i]) < 0)
            return -1;
    if (PyType_Ready(&module_type) < 0)
        return -1;
    descr_getattr = _PyType_Lookup(&module_type, str_getattr);
    descr_getattribute = _PyType_Lookup(&module_type, str_getattribute);
    return PyModule_AddObjectRef(module, "Module", (PyObject *)&module_type);
}
