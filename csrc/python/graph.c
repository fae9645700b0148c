/* graph.c: grad_fn objects, hooks, and the graph's part in garbage collection. */
#include "core/iter.h"
#include "python/graph.h"

int64_t rl_py_graph_objects;
int rl_py_unlocked;

/* ---- node objects ---- */

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

/* The node, or NULL with an exception when the collector has already taken it away. */
static rl_node *node_of(PyObject *self)
{
    rl_node *n = ((py_node *)self)->n;
    if (!n)
        PyErr_SetString(PyExc_RuntimeError, "this node's graph is gone");
    return n;
}

PyObject *rl_py_node_next_functions(rl_node *n)
{
    PyObject *result = PyTuple_New(n->n_inputs);
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

PyObject *rl_py_node_input_metadata(rl_node *n)
{
    PyObject *result = PyTuple_New(n->n_outputs);
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

static PyObject *node_sequence(PyObject *self, PyObject *Py_UNUSED(none))
{
    rl_node *n = node_of(self);
    return n ? PyLong_FromUnsignedLongLong(n->seq) : NULL;
}

static PyObject *node_register_hook(PyObject *self, PyObject *hook)
{
    rl_node *n = node_of(self);
    return n ? rl_py_node_add_hook(n, hook, false) : NULL;
}

static PyObject *node_register_prehook(PyObject *self, PyObject *hook)
{
    rl_node *n = node_of(self);
    return n ? rl_py_node_add_hook(n, hook, true) : NULL;
}

static PyObject *node_next(PyObject *self, void *Py_UNUSED(closure))
{
    rl_node *n = node_of(self);
    return n ? rl_py_node_next_functions(n) : NULL;
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

static PyObject *node_metadata(PyObject *self, void *Py_UNUSED(closure))
{
    rl_node *n = node_of(self);
    return n ? rl_py_node_notes(n) : NULL;
}

static PyObject *node_input_metadata(PyObject *self, void *Py_UNUSED(closure))
{
    rl_node *n = node_of(self);
    return n ? rl_py_node_input_metadata(n) : NULL;
}

/* What the node keeps for backward, by slot: None where there is nothing. */
static PyObject *node_saved(PyObject *self, void *Py_UNUSED(closure))
{
    rl_node *n = node_of(self);
    PyObject *result = n ? PyTuple_New(n->n_saved) : NULL;
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

static PyObject *node_requires_grad(PyObject *self, void *Py_UNUSED(closure)) { Py_RETURN_TRUE; }

static PyObject *node_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<%s object at %p>", rl_py_type_name(self), self);
}

static PyMethodDef node_methods[] = {
    {"name", node_name, METH_NOARGS, "name()\n\nName of the derivative: \"AddBackward0\"."},
    {"__dir__", node_dir, METH_NOARGS, NULL},
    {"_sequence_nr", node_sequence, METH_NOARGS,
     "_sequence_nr()\n\nOrder of creation in its thread."},
    {"register_hook", node_register_hook, METH_O,
     "register_hook(hook)\n\nhook(grad_inputs, grad_outputs) runs after this node; a tuple it "
     "returns "
     "replaces grad_inputs."},
    {"register_prehook", node_register_prehook, METH_O,
     "register_prehook(hook)\n\nhook(grad_outputs) runs before this node; a tuple it returns "
     "replaces "
     "them."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef node_getset[] = {
    {"next_functions", node_next, NULL, "((node, output), ...) of the inputs.", NULL},
    {"metadata", node_metadata, NULL, "Notes about the node; those of anomaly mode are here.",
     NULL},
    {"variable", node_variable, NULL, "The leaf that an AccumulateGrad node adds to.", NULL},
    {"requires_grad", node_requires_grad, NULL, "True.", NULL},
    {"_input_metadata", node_input_metadata, NULL, "(shape, dtype) of each output.", NULL},
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

/* ---- hooks ---- */

/* What register_hook returns is also what the core's hook holds: removing empties it. */
typedef struct py_handle {
    PyObject_HEAD PyObject *hook; /* NULL: removed, or its tensor is gone */
    long long id;
    int n_inputs; /* of the node, for hooks that run after it */
} py_handle;

static long long last_handle;

static void handle_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    Py_CLEAR(((py_handle *)self)->hook);
    PyObject_GC_Del(self);
}

static int handle_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(((py_handle *)self)->hook);
    return 0;
}

static int handle_clear(PyObject *self)
{
    Py_CLEAR(((py_handle *)self)->hook);
    return 0;
}

static PyObject *handle_remove(PyObject *self, PyObject *Py_UNUSED(args))
{
    Py_CLEAR(((py_handle *)self)->hook);
    Py_RETURN_NONE;
}

static PyObject *handle_enter(PyObject *self, PyObject *Py_UNUSED(args)) { return Py_NewRef(self); }

static PyMethodDef handle_methods[] = {
    {"remove", handle_remove, METH_NOARGS, "remove()\n\nTakes the hook off."},
    {"__enter__", handle_enter, METH_NOARGS, NULL},
    {"__exit__", handle_remove, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef handle_members[] = {
    {"id", T_LONGLONG, offsetof(py_handle, id), READONLY, "Number of the hook."},
    {NULL, 0, 0, 0, NULL},
};

PyTypeObject rl_py_handle_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "rushlight._C.RemovableHandle",
    .tp_doc = "What register_hook returns: its remove() takes the hook off; so does the end of a "
              "with block.",
    .tp_basicsize = sizeof(py_handle),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_dealloc = handle_dealloc,
    .tp_traverse = handle_traverse,
    .tp_clear = handle_clear,
    .tp_methods = handle_methods,
    .tp_members = handle_members,
};

static py_handle *handle_new(PyObject *hook)
{
    py_handle *h = PyObject_GC_New(py_handle, &rl_py_handle_type);
    if (!h)
        return NULL;
    h->hook = Py_NewRef(hook);
    h->id = last_handle++;
    h->n_inputs = 0;
    PyObject_GC_Track((PyObject *)h);
    return h;
}

/* The core drops a hook with its tensor or node, from any thread, perhaps while an exception is
 * pending. */
static void hook_free(void *context)
{
    if (!Py_IsInitialized())
        return;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    rl_py_graph_objects--;
    Py_CLEAR(((py_handle *)context)->hook);
    Py_DECREF((PyObject *)context);
    PyErr_Restore(type, value, trace);
    PyGILState_Release(gil);
}

static PyObject *wrap_or_none(rl_tensor *t)
{
    return t ? rl_py_wrap(rl_retain(t)) : Py_NewRef(Py_None);
}

static const char *type_title(PyObject *o) { return Py_TYPE(o)->tp_name; }

/* What a hook gave in place of a gradient of the same kind: 0, or -1 with PyTorch's complaint. */
static int check_result(PyObject *hook, rl_tensor *was, PyObject *is)
{
    if (!rl_py_is_tensor(is)) {
        PyErr_Format(PyExc_TypeError, "expected Variable, but hook returned '%s'", type_title(is));
        return -1;
    }
    rl_tensor *now = rl_py_borrow(is);
    if (!was || (rl_same_shape(was, now) && was->dtype == now->dtype))
        return 0;
    PyObject *name = PyObject_GetAttrString(hook, "__name__");
    if (!name) {
        PyErr_Clear();
        name = PyObject_Repr(hook);
    }
    if (name && !rl_same_shape(was, now))
        PyErr_Format(PyExc_RuntimeError, "hook '%S' has changed the size of value", name);
    else if (name)
        PyErr_Format(
            PyExc_RuntimeError,
            "hook '%S' has changed the type of value (was torch.%sTensor got torch.%sTensor)", name,
            rl_dtype_title((rl_dtype)was->dtype), rl_dtype_title((rl_dtype)now->dtype));
    Py_XDECREF(name);
    return -1;
}

/* hook(grad) */
static int call_tensor_hook(py_handle *h, rl_tensor *g, rl_tensor **replacement)
{
    if (!h->hook)
        return 0;
    PyObject *hook = Py_NewRef(h->hook), *arg = rl_py_wrap(rl_retain(g)), *result = NULL;
    int status = -1;
    if (arg)
        result = PyObject_CallOneArg(hook, arg);
    if (result && (result == Py_None || !replacement)) {
        status = 0;
    } else if (result && check_result(hook, g, result) == 0) {
        *replacement = rl_retain(rl_py_borrow(result));
        status = 0;
    }
    Py_XDECREF(result);
    Py_XDECREF(arg);
    Py_DECREF(hook);
    return status;
}

static rl_status tensor_hook(void *context, int n, rl_tensor *const *grads, rl_tensor **replacement)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    int status = call_tensor_hook(context, grads[0], replacement);
    if (status)
        rl_py_callback_failed();
    PyGILState_Release(gil);
    return status ? RL_ECALLBACK : RL_OK;
}

static PyObject *grads_tuple(int n, rl_tensor *const *grads)
{
    PyObject *tuple = PyTuple_New(n);
    for (int i = 0; tuple && i < n; i++) {
        PyObject *o = wrap_or_none(grads[i]);
        if (!o)
            Py_CLEAR(tuple);
        else
            PyTuple_SET_ITEM(tuple, i, o);
    }
    return tuple;
}

/* hook(grad_outputs), or hook(grad_inputs, grad_outputs); the result replaces the first. */
static int call_node_hook(py_handle *h, int n, rl_tensor *const *grads, rl_tensor **replacement,
                          bool before)
{
    if (!h->hook)
        return 0;
    int first = before ? n : h->n_inputs;
    PyObject *hook = Py_NewRef(h->hook), *result = NULL;
    PyObject *one = grads_tuple(first, grads);
    PyObject *two = one && !before ? grads_tuple(n - first, grads + first) : NULL;
    if (one && before)
        result = PyObject_CallOneArg(hook, one);
    else if (two)
        result = PyObject_CallFunctionObjArgs(hook, one, two, NULL);
    if (result && result != Py_None && !PyTuple_Check(result)) {
        PyObject *tuple = PyTuple_Pack(1, result);
        Py_SETREF(result, tuple);
    }
    int status = result ? 0 : -1;
    if (result && result != Py_None) {
        if (PyTuple_GET_SIZE(result) != first) {
            PyErr_Format(PyExc_RuntimeError,
                         "hook returned an incorrect number of values: got %zd, expected %d",
                         PyTuple_GET_SIZE(result), first);
            status = -1;
        }
        for (int i = 0; i < first && !status; i++) {
            PyObject *item = PyTuple_GET_ITEM(result, i);
            if (item == Py_None || item == PyTuple_GET_ITEM(one, i))
                continue;
            if ((status = check_result(hook, grads[i], item)) == 0)
                replacement[i] = rl_retain(rl_py_borrow(item));
        }
    }
    Py_XDECREF(result);
    Py_XDECREF(two);
    Py_XDECREF(one);
    Py_DECREF(hook);
    return status;
}

static rl_status node_hook(void *context, int n, rl_tensor *const *grads, rl_tensor **replacement,
                           bool before)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    int status = call_node_hook(context, n, grads, replacement, before);
    if (status)
        rl_py_callback_failed();
    PyGILState_Release(gil);
    return status ? RL_ECALLBACK : RL_OK;
}

static rl_status pre_hook(void *context, int n, rl_tensor *const *grads, rl_tensor **replacement)
{
    return node_hook(context, n, grads, replacement, true);
}

static rl_status post_hook(void *context, int n, rl_tensor *const *grads, rl_tensor **replacement)
{
    return node_hook(context, n, grads, replacement, false);
}

PyObject *rl_py_tensor_add_hook(PyObject *tensor, PyObject *hook, int kind)
{
    py_handle *h = handle_new(hook);
    if (!h)
        return NULL;
    rl_hook c = {
        .kind = kind, .call = tensor_hook, .free = hook_free, .context = Py_NewRef((PyObject *)h)};
    if (!rl_add_tensor_hook(rl_py_borrow(tensor), c)) {
        Py_DECREF((PyObject *)h);
        Py_DECREF((PyObject *)h);
        return rl_py_raise();
    }
    rl_py_graph_objects++;
    rl_py_track(tensor);
    return (PyObject *)h;
}

PyObject *rl_py_node_add_hook(rl_node *n, PyObject *hook, bool before)
{
    py_handle *h = handle_new(hook);
    if (!h)
        return NULL;
    h->n_inputs = n->n_inputs;
    rl_hook c = {.kind = before ? RL_HOOK_NODE_PRE : RL_HOOK_NODE_POST,
                 .call = before ? pre_hook : post_hook,
                 .free = hook_free,
                 .context = Py_NewRef((PyObject *)h)};
    if (!rl_add_node_hook(n, c)) {
        Py_DECREF((PyObject *)h);
        Py_DECREF((PyObject *)h);
        return rl_py_raise();
    }
    rl_py_graph_objects++;
    return (PyObject *)h;
}

/* ---- garbage collection ---- */

/* Note: what a tensor owns.  The collector finds cycles by comparing an object's reference count
 * with the references it can see.  References between C objects it cannot see; so a tensor shows
 * it, as its own, the Python objects hanging in that part of the graph which would die with the
 * tensor: those nodes and tensors all of whose references come from that part. They are found as
 * the engine finds its order: an object is entered when the references met so far are all it has.
 * Scratch memory is kept between calls, because the collector visits twice and must see the same
 * both times. */

typedef struct seen {
    const void *p;
    int count;
} seen;

static struct {
    uintptr_t *work; /* tensors, or nodes with the lowest bit set */
    size_t n, cap;
    seen *table;
    size_t used, size;
} scratch;

static bool enter(uintptr_t item)
{
    if (scratch.n == scratch.cap) {
        size_t cap = scratch.cap ? 2 * scratch.cap : 256;
        uintptr_t *work = PyMem_RawRealloc(scratch.work, cap * sizeof *work);
        if (!work)
            return false;
        scratch.work = work;
        scratch.cap = cap;
    }
    scratch.work[scratch.n++] = item;
    return true;
}

static size_t slot_of(const void *p)
{
    size_t h = ((uintptr_t)p >> 4) * 0x9E3779B97F4A7C15u >> 20;
    for (h &= scratch.size - 1; scratch.table[h].p && scratch.table[h].p != p;)
        h = (h + 1) & (scratch.size - 1);
    return h;
}

static bool grow_table(void)
{
    seen *old = scratch.table;
    size_t n = scratch.size;
    size_t size = n ? 2 * n : 256;
    seen *table = PyMem_RawCalloc(size, sizeof *table);
    if (!table)
        return false;
    scratch.table = table;
    scratch.size = size;
    for (size_t i = 0; i < n; i++)
        if (old[i].p)
            scratch.table[slot_of(old[i].p)] = old[i];
    PyMem_RawFree(old);
    return true;
}

/* Counts one more reference to p; true when these are all. */
static bool met_all(const void *p, int refs)
{
    if (refs == 1)
        return true;
    if (2 * scratch.used >= scratch.size && !grow_table())
        return false;
    seen *s = &scratch.table[slot_of(p)];
    if (!s->p) {
        s->p = p;
        scratch.used++;
    }
    return ++s->count == refs;
}

static void meet_tensor(rl_tensor *t)
{
    if (!t)
        return;
    bool owns = t->flags & RL_FLAG_OWNS_PY;
    if ((owns || (t->ag && !t->py)) && met_all(t, atomic_load(&t->refs)))
        enter((uintptr_t)t);
}

static void meet_node(rl_node *n)
{
    if (n && !n->py && met_all(n, atomic_load(&n->refs)))
        enter((uintptr_t)n | 1);
}

static int visit_hooks(const rl_hook *h, visitproc visit, void *arg)
{
    for (; h; h = h->next)
        if (h->free == hook_free)
            Py_VISIT((PyObject *)h->context);
    return 0;
}

static int visit_tensor(rl_tensor *t, visitproc visit, void *arg)
{
    rl_autograd *ag = t->ag;
    if (t->flags & RL_FLAG_OWNS_PY)
        Py_VISIT((PyObject *)t->py);
    if (!ag)
        return 0;
    meet_tensor(ag->grad);
    meet_tensor(ag->base);
    if (!ag->is_leaf_node)
        meet_node(ag->node);
    return visit_hooks(ag->hooks, visit, arg);
}

static int visit_node(rl_node *n, visitproc visit, void *arg)
{
    for (int i = 0; i < n->n_inputs; i++)
        meet_node(n->next[i].node);
    for (int i = 0; i < n->n_saved; i++) {
        meet_tensor(n->saved[i].t);
        if (n->saved[i].packed) {
            Py_VISIT((PyObject *)n->saved[i].packed->what);
            meet_node(n->saved[i].packed->edge.node);
        }
    }
    meet_tensor(rl_node_variable(n));
    if (rl_py_node_is_function(n))
        Py_VISIT((PyObject *)n->context);
    return visit_hooks(n->hooks, visit, arg);
}

static int traverse(uintptr_t start, visitproc visit, void *arg)
{
    int status = 0;
    if (!rl_py_graph_objects || rl_py_unlocked)
        return 0;
    scratch.n = 0;
    if (scratch.used) {
        memset(scratch.table, 0, scratch.size * sizeof *scratch.table);
        scratch.used = 0;
    }
    if (!enter(start))
        return 0;
    while (scratch.n && !status) {
        uintptr_t item = scratch.work[--scratch.n];
        status = item & 1 ? visit_node((rl_node *)(item & ~(uintptr_t)1), visit, arg)
                          : visit_tensor((rl_tensor *)item, visit, arg);
    }
    return status;
}

int rl_py_traverse_graph(rl_tensor *t, visitproc visit, void *arg)
{
    return t->ag && atomic_load(&t->refs) == 1 ? traverse((uintptr_t)t, visit, arg) : 0;
}

int rl_py_traverse_node(rl_node *n, visitproc visit, void *arg)
{
    return traverse((uintptr_t)n | 1, visit, arg);
}

void rl_py_clear_graph(rl_tensor *t)
{
    if (t->ag && atomic_load(&t->refs) == 1)
        rl_autograd_free(t);
}

/* ---- anomaly mode ---- */

/* The node's dict of notes: a hook that is never called keeps it. */
PyObject *rl_py_node_notes(rl_node *n)
{
    for (rl_hook *h = n->hooks; h; h = h->next)
        if (h->kind == RL_HOOK_NODE_META)
            return Py_NewRef(((py_handle *)h->context)->hook);
    PyObject *notes = PyDict_New();
    py_handle *holder = notes ? handle_new(notes) : NULL;
    if (!holder) {
        Py_XDECREF(notes);
        return NULL;
    }
    rl_hook c = {.kind = RL_HOOK_NODE_META, .free = hook_free, .context = holder};
    if (!rl_add_node_hook(n, c)) {
        Py_DECREF((PyObject *)holder);
        Py_DECREF(notes);
        return rl_py_raise();
    }
    rl_py_graph_objects++;
    return notes;
}

/* Notes the Python lines that lead to the operator.  What goes wrong here must not stop it. */
static void note(rl_node *n)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    PyObject *traceback = PyImport_ImportModule("traceback");
    PyObject *lines = traceback ? PyObject_CallMethod(traceback, "format_stack", NULL) : NULL;
    PyObject *notes = lines ? rl_py_node_notes(n) : NULL;
    if (!notes || PyDict_SetItemString(notes, "traceback_", lines))
        PyErr_Clear();
    Py_XDECREF(notes);
    Py_XDECREF(lines);
    Py_XDECREF(traceback);
    PyErr_Restore(type, value, trace);
    PyGILState_Release(gil);
}

/* "File ..., line ..., in ..." of the forward call, or NULL where nothing was noted. */
static PyObject *forward_lines(rl_node *n)
{
    PyObject *text = NULL;
    for (rl_hook *h = n->hooks; h && !text; h = h->next) {
        if (h->kind != RL_HOOK_NODE_META)
            continue;
        PyObject *lines = PyDict_GetItemString(((py_handle *)h->context)->hook, "traceback_");
        PyObject *empty = lines ? PyUnicode_FromString("") : NULL;
        text = empty ? PyUnicode_Join(empty, lines) : NULL;
        Py_XDECREF(empty);
    }
    return text;
}

static void report(rl_node *n)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    PyObject *lines = forward_lines(n);
    int status =
        lines ? PyErr_WarnFormat(PyExc_UserWarning, 1,
                                 "Error detected in %s. Traceback of forward call that caused the "
                                 "error:\n%U",
                                 n->type->name, lines)
              : PyErr_WarnFormat(PyExc_UserWarning, 1,
                                 "Error detected in %s. No forward pass information available. "
                                 "Enable detect anomaly during forward pass for more information.",
                                 n->type->name);
    if (status)
        PyErr_Clear();
    Py_XDECREF(lines);
    PyErr_Restore(type, value, trace);
    PyGILState_Release(gil);
}

int rl_py_add_graph(PyObject *module)
{
    rl_anomaly_report = report;
    rl_anomaly_note = note;
    if (!node_types && !(node_types = PyDict_New()))
        return -1;
    if (PyType_Ready(&rl_py_node_type) || PyType_Ready(&rl_py_handle_type))
        return -1;
    if (PyModule_AddObjectRef(module, "_Node", (PyObject *)&rl_py_node_type))
        return -1;
    return PyModule_AddObjectRef(module, "_RemovableHandle", (PyObject *)&rl_py_handle_type);
}
