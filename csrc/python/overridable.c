/* overridable.c: functions written in Python that ask __torch_function__ before they run. */
#include "python/override.h"

/* A call costs the comparisons of rl_py_any_overriding: no frame, no look-up.  To Python the object
 * is its function in all but identity: attributes, signature, repr, and pickling by name. */
typedef struct overridable {
    PyObject_HEAD vectorcallfunc call;
    PyObject *function;
    PyObject *module; /* where it is found by name: its __module__ */
} overridable;

/* Whether an argument is what can never override: most calls have no other, and this is inlined. */
static inline bool plain(PyObject *o)
{
    PyTypeObject *type = Py_TYPE(o);
    return type == &rl_py_tensor_type || type == rl_py_parameter_type || o == Py_None ||
           type == &PyFloat_Type || type == &PyLong_Type || type == &PyBool_Type ||
           type == &PyUnicode_Type;
}

static PyObject *call(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Py_ssize_t n = PyVectorcall_NARGS(nargsf), all = n + (kwnames ? PyTuple_GET_SIZE(kwnames) : 0);
    Py_ssize_t i = 0;
    while (i < all && plain(args[i]))
        i++;
    if ((i < all || rl_py_modes) && rl_py_any_overriding(args + i, all - i))
        return rl_py_override_vector(self, NULL, args, n, kwnames);
    return _PyFunction_Vectorcall(((overridable *)self)->function, args, nargsf, kwnames);
}

static PyObject *attribute(PyObject *self, PyObject *name)
{
    overridable *o = (overridable *)self;
    if (PyUnicode_Check(name)) {
        if (PyUnicode_CompareWithASCIIString(name, "__wrapped__") == 0)
            return Py_NewRef(o->function);
        if (PyUnicode_CompareWithASCIIString(name, "__module__") == 0)
            return Py_NewRef(o->module);
        if (PyUnicode_CompareWithASCIIString(name, "__reduce_ex__") == 0 ||
            PyUnicode_CompareWithASCIIString(name, "__reduce__") == 0)
            return PyObject_GenericGetAttr(self, name);
    }
    return PyObject_GetAttr(o->function, name);
}

static int set_attribute(PyObject *self, PyObject *name, PyObject *value)
{
    return PyObject_SetAttr(((overridable *)self)->function, name, value);
}

static PyObject *represent(PyObject *self)
{
    return PyObject_Repr(((overridable *)self)->function);
}

/* As a function in a class does. */
static PyObject *bind(PyObject *self, PyObject *instance, PyObject *Py_UNUSED(owner))
{
    return instance && instance != Py_None ? PyMethod_New(self, instance) : Py_NewRef(self);
}

static PyObject *reduce(PyObject *self, PyObject *Py_UNUSED(protocol))
{
    return PyObject_GetAttrString(((overridable *)self)->function, "__qualname__");
}

static int traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((overridable *)self)->function);
    Py_VISIT(((overridable *)self)->module);
    return 0;
}

static int clear(PyObject *self)
{
    Py_CLEAR(((overridable *)self)->function);
    Py_CLEAR(((overridable *)self)->module);
    return 0;
}

static void dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    clear(self);
    PyObject_GC_Del(self);
}

static PyMethodDef methods[] = {
    {"__reduce_ex__", reduce, METH_O, "The function's name: it is pickled by that."},
    {"__reduce__", reduce, METH_NOARGS, "The function's name: it is pickled by that."},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "rushlight._C.overridable",
    .tp_basicsize = sizeof(overridable),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_vectorcall_offset = offsetof(overridable, call),
    .tp_call = PyVectorcall_Call,
    .tp_getattro = attribute,
    .tp_setattro = set_attribute,
    .tp_repr = represent,
    .tp_descr_get = bind,
    .tp_traverse = traverse,
    .tp_clear = clear,
    .tp_dealloc = dealloc,
    .tp_methods = methods,
};

bool rl_py_is_overridable(PyObject *func) { return Py_IS_TYPE(func, &type); }

/* _overridable(function, module) -> callable */
static PyObject *make(PyObject *Py_UNUSED(m), PyObject *args)
{
    PyObject *function, *module;
    if (!PyArg_ParseTuple(args, "O!U:_overridable", &PyFunction_Type, &function, &module))
        return NULL;
    overridable *o = PyObject_GC_New(overridable, &type);
    if (!o)
        return NULL;
    o->call = call;
    o->function = Py_NewRef(function);
    o->module = Py_NewRef(module);
    PyObject_GC_Track(o);
    return (PyObject *)o;
}

static PyMethodDef functions[] = {
    {"_overridable", make, METH_VARARGS,
     "_overridable(function, module)\n\nThe function, asking __torch_function__ of its arguments "
     "and modes before it runs; module is where it is found by its name."},
    {NULL, NULL, 0, NULL},
};

int rl_py_add_overridable(PyObject *module)
{
    return PyType_Ready(&type) ? -1 : PyModule_AddFunctions(module, functions);
}
