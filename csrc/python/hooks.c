/* hooks.c: Python functions as hooks of tensors and nodes, what register_hook returns, and anomaly
 * mode's notes about a node, which a hook keeps. */
#include "core/iter.h"
#include "python/graph.h"

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
void rl_py_hook_free(void *context)
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
    rl_hook c = {.kind = kind,
                 .call = tensor_hook,
                 .free = rl_py_hook_free,
                 .context = Py_NewRef((PyObject *)h)};
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
                 .free = rl_py_hook_free,
                 .context = Py_NewRef((PyObject *)h)};
    if (!rl_add_node_hook(n, c)) {
        Py_DECREF((PyObject *)h);
        Py_DECREF((PyObject *)h);
        return rl_py_raise();
    }
    rl_py_graph_objects++;
    return (PyObject *)h;
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
    rl_hook c = {.kind = RL_HOOK_NODE_META, .free = rl_py_hook_free, .context = holder};
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

int rl_py_add_hooks(PyObject *module)
{
    rl_anomaly_report = report;
    rl_anomaly_note = note;
    if (PyType_Ready(&rl_py_handle_type))
        return -1;
    return PyModule_AddObjectRef(module, "_RemovableHandle", (PyObject *)&rl_py_handle_type);
}
