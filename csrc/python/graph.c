/* graph.c: grad_fn objects. */
#include "core/iter.h"
#include "python/function.h"

int64_t rl_py_graph_objects;
int rl_py_unlocked;

typedef struct py_node {
    PyObject_HEAD rl_node *n; /* owned; n->py points back here */
    PyObject *weakrefs;
} py_node;

static void node_dealloc(PyObject *self)
{
    py_node *o = (py_node *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (o->weakrefs)
        PyObject_ClearWeakRefs(self);
    rl_node *n = o->n;
    o->n = NULL;
    if (n) {
        n->py = NULL;
        rl_node_release(n);
    }
    type->tp_free(self);
    Py_DECREF(type);
}

static int node_traverse(PyObject *self, visitproc visit, void *arg)
{
    py_node *o = (py_node *)self;
    Py_VISIT(Py_TYPE(self));
    if (o->n && atomic_load(&o->n->refs) == 1)
        return rl_py_traverse_node(o->n, visit, arg);
    return 0;
}

static int node_clear(PyObject *self)
{
    py_node *o = (py_node *)self;
    rl_node *n = o->n;
    if (n && atomic_load(&n->refs) == 1) {
        o->n = NULL;
        n->py = NULL;
        rl_node_release(n);
    }
    return 0;
}

static PyObject *node_types; /* name -> type */

/* The class named like the node, "AddBackward0": made when first seen. */
static PyTypeObject *type_of(const rl_node *n)
{
    const char *name = n->type->name, *colon = strrchr(name, ':');
    name = colon ? colon + 1 : name;
    PyObject *key = PyUnicode_InternFromString(name);
    if (!key)
        return NULL;
    PyObject *type = PyDict_GetItemWithError(node_types, key);
    if (!type && !PyErr_Occurred()) {
        PyType_Slot slots[] = {{Py_tp_dealloc, node_dealloc},
                               {Py_tp_traverse, node_traverse},
                               {Py_tp_clear, node_clear},
                               {0, NULL}};
        char full[192];
        snprintf(full, sizeof full, "rushlight.autograd.graph.%s", name);
        PyType_Spec spec = {
            .name = full, .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, .slots = slots};
        type = PyType_FromSpecWithBases(&spec, (PyObject *)&rl_py_node_type);
        if (type && PyDict_SetItem(node_types, key, type))
            Py_CLEAR(type);
        Py_XDECREF(type); /* the dictionary keeps it */
    }
    Py_DECREF(key);
    return (PyTypeObject *)type;
}

PyObject *rl_py_wrap_node(rl_node *n)
{
    if (!n)
        Py_RETURN_NONE;
    if (rl_py_node_is_function(n)) {
        PyObject *context = Py_NewRef((PyObject *)n->context);
        rl_node_release(n);
        return context;
    }
    if (n->py) {
        PyObject *o = Py_NewRef((PyObject *)n->py);
        rl_node_release(n);
        return o;
    }
    PyTypeObject *type = type_of(n);
    py_node *o = type ? (py_node *)type->tp_alloc(type, 0) : NULL;
    if (!o) {
        rl_node_release(n);
        return NULL;
    }
    o->n = n;
    o->weakrefs = NULL;
    n->py = o;
    return (PyObject *)o;
}

rl_node *rl_py_borrow_node(PyObject *o)
{
    return PyObject_TypeCheck(o, &rl_py_node_type) ? ((py_node *)o)->n : NULL;
}

/* The node behind a node object or a Function's context, or NULL with an exception when the
 * collector has already taken it away. */
static rl_node *node_of(PyObject *self)
{
    bool context = PyObject_TypeCheck(self, &rl_py_function_type);
    rl_node *n = context ? ((py_function *)self)->node : ((py_node *)self)->n;
    if (!n)
        PyErr_SetString(PyExc_RuntimeError,
                        context ? "this Function's context belongs to no graph (any more)"
                                : "this node's graph is gone");
    return n;
}

PyObject *rl_py_node_next_functions(PyObject *self, void *Py_UNUSED(closure))
{
    rl_node *n = node_of(self);
    PyObject *result = n ? PyTuple_New(n->n_inputs) : NULL;
    for (int i = 0; result && i < n->n_inputs; i++) {
        PyObject *next = rl_py_wrap_node(rl_node_retain(n->next[i].node));
        PyObject *pair = next ? Py_BuildValue("(Ni)", next, n->next[i].output) : NULL;
        if (!pair)
            Py_CLEAR(result);
        else
            PyTuple_SET_ITEM(result, i, pair);
    }
    return result;
}

PyObject *rl_py_node_input_metadata(PyObject *self, void *Py_UNUSED(closure))
{
    rl_node *n = node_of(self);
    PyObject *result = n ? PyTuple_New(n->n_outputs) : NULL;
    for (int o = 0; result && o < n->n_outputs; o++) {
        rl_dtype dtype;
        int ndim;
        const int64_t *shape;
        PyObject *item =
            rl_node_meta(n, o, &dtype, &ndim, &shape)
                ? Py_BuildValue("(NN)", rl_py_size(ndim, shape), rl_py_dtype_object(dtype))
                : Py_NewRef(Py_None);
        if (!item)
            Py_CLEAR(result);
        else
            PyTuple_SET_ITEM(result, o, item);
    }
    return result;
}

static PyObject *node_name(PyObject *self, PyObject *Py_UNUSED(none))
{
    rl_node *n = node_of(self);
    return n ? PyUnicode_FromString(n->type->name) : NULL;
}

PyObject *rl_py_node_sequence(PyObject *self, PyObject *Py_UNUSED(none))
{
    rl_node *n = node_of(self);
    return n ? PyLong_FromUnsignedLongLong(n->seq) : NULL;
}

PyObject *rl_py_node_register_hook(PyObject *self, PyObject *hook)
{
    rl_node *n = node_of(self);
    return n ? rl_py_node_add_hook(n, hook, false) : NULL;
}

PyObject *rl_py_node_register_prehook(PyObject *self, PyObject *hook)
{
    rl_node *n = node_of(self);
    return n ? rl_py_node_add_hook(n, hook, true) : NULL;
}

static PyObject *node_variable(PyObject *self, void *Py_UNUSED(closure))
{
    rl_node *n = node_of(self);
    if (!n)
        return NULL;
    rl_tensor *leaf = rl_node_variable(n);
    if (!leaf)
        return PyErr_Format(PyExc_AttributeError, "'%s' object has no attribute 'variable'",
                            rl_py_type_name(self));
    return rl_py_wrap(rl_retain(leaf));
}

PyObject *rl_py_node_metadata(PyObject *self, void *Py_UNUSED(closure))
{
    rl_node *n = node_of(self);
    return n ? rl_py_node_notes(n) : NULL;
}

PyObject *rl_py_node_saved(rl_node *n)
{
    PyObject *result = PyTuple_New(n->n_saved);
    for (int i = 0; result && i < n->n_saved; i++) {
        PyObject *item =
            rl_has_saved(n, i) ? rl_py_wrap(rl_saved_with_history(n, i)) : Py_NewRef(Py_None);
        if (!item)
            Py_CLEAR(result);
        else
            PyTuple_SET_ITEM(result, i, item);
    }
    return result;
}

static PyObject *node_saved(PyObject *self, void *Py_UNUSED(closure))
{
    rl_node *n = node_of(self);
    return n ? rl_py_node_saved(n) : NULL;
}

/* PyTorch's names of what the slots hold, where they hold what PyTorch saves.  An output is
 * "result" wherever it lies. */
static const struct {
    const char *node, *slot[3];
} saved_names[] = {
    {"MulBackward0", {"self", "other"}},  {"DivBackward0", {"self", "other"}},
    {"PowBackward0", {"self"}},           {"PowBackward1", {"self", "exponent"}},
    {"MmBackward0", {"self", "mat2"}},    {"BmmBackward0", {"self", "mat2"}},
    {"MvBackward0", {"self", "vec"}},     {"DotBackward0", {"self", "tensor"}},
    {"AddmmBackward0", {"mat1", "mat2"}}, {"WhereBackward0", {"condition"}},
    {"GatherBackward0", {"index"}},       {"LogBackward0", {"self"}},
    {"SinBackward0", {"self"}},           {"CosBackward0", {"self"}},
    {"AbsBackward0", {"self"}},           {"Log1PBackward0", {"self"}},
    {"ErfBackward0", {"self"}},           {"AsinBackward0", {"self"}},
    {"AtanBackward0", {"self"}},          {"LogsumexpBackward0", {"self"}},
    {"ProdBackward0", {"self"}},          {"MseLossBackward0", {"self", "target"}},
};

/* The slot whose name in Python is "_saved_" and `name`, or -1. */
static int saved_slot(const rl_node *n, const char *name)
{
    for (int i = 0; i < n->n_saved && !strcmp(name, "result"); i++)
        if (n->saved[i].is_output)
            return i;
    for (size_t k = 0; k < sizeof saved_names / sizeof *saved_names; k++)
        for (int i = 0; i < 3 && i < n->n_saved && saved_names[k].slot[i]; i++)
            if (!strcmp(saved_names[k].node, n->type->name) &&
                !strcmp(saved_names[k].slot[i], name) && !n->saved[i].is_output)
                return i;
    return -1;
}

static PyObject *node_getattr(PyObject *self, PyObject *name)
{
    PyObject *value = PyObject_GenericGetAttr(self, name);
    rl_node *n = ((py_node *)self)->n;
    if (value || !n || !PyErr_ExceptionMatches(PyExc_AttributeError))
        return value;
    PyObject *type, *error, *trace;
    PyErr_Fetch(&type, &error, &trace);
    const char *text = PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;
    int slot = text && !strncmp(text, "_saved_", 7) ? saved_slot(n, text + 7) : -1;
    if (slot < 0) {
        PyErr_Restore(type, error, trace);
        return NULL;
    }
    Py_XDECREF(type);
    Py_XDECREF(error);
    Py_XDECREF(trace);
    return rl_has_saved(n, slot) ? rl_py_wrap(rl_saved_with_history(n, slot)) : Py_NewRef(Py_None);
}

static PyObject *node_dir(PyObject *self, PyObject *Py_UNUSED(none))
{
    rl_node *n = ((py_node *)self)->n;
    PyObject *names = PyObject_CallMethod((PyObject *)&PyBaseObject_Type, "__dir__", "O", self);
    if (!names || !n)
        return names;
    static const char *const all[] = {"self",   "other", "exponent", "mat1",   "mat2",     "vec",
                                      "tensor", "index", "target",   "result", "condition"};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        if (saved_slot(n, all[k]) < 0)
            continue;
        PyObject *name = PyUnicode_FromFormat("_saved_%s", all[k]);
        int status = name ? PyList_Append(names, name) : -1;
        Py_XDECREF(name);
        if (status)
            Py_CLEAR(names);
        if (!names)
            break;
    }
    return names;
}

PyObject *rl_py_node_requires_grad(PyObject *Py_UNUSED(self), void *Py_UNUSED(closure))
{
    Py_RETURN_TRUE;
}

static PyObject *node_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<%s object at %p>", rl_py_type_name(self), self);
}

static PyMethodDef node_methods[] = {
    {"name", node_name, METH_NOARGS, "name()\n\nName of the derivative: \"AddBackward0\"."},
    {"__dir__", node_dir, METH_NOARGS, NULL},
    {"_sequence_nr", rl_py_node_sequence, METH_NOARGS,
     "_sequence_nr()\n\nOrder of creation in its thread."},
    {"register_hook", rl_py_node_register_hook, METH_O,
     "register_hook(hook)\n\nhook(grad_inputs, grad_outputs) runs after this node; a tuple it "
     "returns "
     "replaces grad_inputs."},
    {"register_prehook", rl_py_node_register_prehook, METH_O,
     "register_prehook(hook)\n\nhook(grad_outputs) runs before this node; a tuple it returns "
     "replaces "
     "them."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef node_getset[] = {
    {"next_functions", rl_py_node_next_functions, NULL, "((node, output), ...) of the inputs.",
     NULL},
    {"metadata", rl_py_node_metadata, NULL, "Notes about the node; those of anomaly mode are here.",
     NULL},
    {"variable", node_variable, NULL, "The leaf that an AccumulateGrad node adds to.", NULL},
    {"requires_grad", rl_py_node_requires_grad, NULL, "True.", NULL},
    {"_input_metadata", rl_py_node_input_metadata, NULL, "(shape, dtype) of each output.", NULL},
    {"_saved_tensors", node_saved, NULL, "What is kept for backward.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyTypeObject rl_py_node_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "rushlight._C.Node",
    .tp_doc = "A node of the autograd graph.",
    .tp_basicsize = sizeof(py_node),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC |
                Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_dealloc = node_dealloc,
    .tp_traverse = node_traverse,
    .tp_clear = node_clear,
    .tp_repr = node_repr,
    .tp_getattro = node_getattr,
    .tp_methods = node_methods,
    .tp_getset = node_getset,
    .tp_weaklistoffset = offsetof(py_node, weakrefs),
};

int rl_py_add_graph(PyObject *module)
{
    if (!node_types && !(node_types = PyDict_New()))
        return -1;
    if (PyType_Ready(&rl_py_node_type))
        return -1;
    if (PyModule_AddObjectRef(module, "_Node", (PyObject *)&rl_py_node_type))
        return -1;
    return rl_py_add_hooks(module);
}
