/* function.c: autograd.Function: operators whose forward and backward are written in Python.
 *
 * apply runs forward without recording, then makes a node whose context is the ctx object; ctx is
 * also what y.grad_fn gives (context.c).  The node owns ctx; ctx only borrows the node. */
#include "core/iter.h"
#include "python/function.h"
#include "rushlight_ops.h"

/* The defaults of class Function, to tell what a subclass defines; set by
 * rushlight/autograd/function.py. */
static PyObject *default_backward, *default_setup, *bind_arguments;

/* ---- the node's part ---- */

static void function_free(void *context)
{
    if (!Py_IsInitialized())
        return;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    rl_py_graph_objects--;
    ((py_function *)context)->node = NULL;
    Py_DECREF((PyObject *)context);
    PyErr_Restore(type, value, trace);
    PyGILState_Release(gil);
}

bool rl_py_node_is_function(const rl_node *n) { return n->type->free_context == function_free; }

/* The method that differentiates: backward, or vjp where that is what the class defines. */
static PyObject *find_backward(PyObject *cls)
{
    PyObject *backward = PyObject_GetAttrString(cls, "backward");
    if (!backward)
        return NULL;
    PyObject *vjp = PyObject_GetAttrString(cls, "vjp");
    if (!vjp) {
        Py_DECREF(backward);
        return NULL;
    }
    if (vjp != default_backward && backward != default_backward) {
        PyErr_SetString(PyExc_RuntimeError,
                        "Implementing both 'backward' and 'vjp' for a custom Function is not "
                        "allowed. You should only implement one of them.");
        Py_CLEAR(backward);
    } else if (vjp != default_backward) {
        Py_SETREF(backward, Py_NewRef(vjp));
    }
    Py_DECREF(vjp);
    return backward;
}

/* The gradient of output o as backward sees it: zeros for a missing one unless
 * ctx.set_materialize_grads(False). */
static PyObject *output_grad(py_function *ctx, rl_node *n, int o, rl_tensor *g)
{
    rl_dtype dtype;
    int ndim;
    const int64_t *shape;
    if (g)
        return rl_py_wrap(rl_retain(g));
    if (ctx->materialize && rl_node_meta(n, o, &dtype, &ndim, &shape))
        return rl_py_wrap(rl_zeros((rl_ints){shape, ndim}, dtype));
    return Py_NewRef(Py_None);
}

/* Sorts what backward returned into dx, one per tensor argument. */
static int take_results(py_function *ctx, rl_node *n, PyObject *result, rl_tensor **dx)
{
    Py_ssize_t got = PyTuple_GET_SIZE(result), want = ctx->n_args;
    bool extra_none = got > want;
    for (Py_ssize_t i = want; i < got; i++)
        extra_none &= PyTuple_GET_ITEM(result, i) == Py_None;
    if (got != want && !extra_none) {
        PyErr_Format(
            PyExc_RuntimeError,
            "function %s returned an incorrect number of gradients (expected %zd, got %zd)",
            n->type->name, want, got);
        return -1;
    }
    int k = 0;
    for (Py_ssize_t i = 0; i < want; i++) {
        PyObject *item = PyTuple_GET_ITEM(result, i);
        if (!ctx->is_variable[i]) {
            if (item == Py_None)
                continue;
            PyErr_Format(PyExc_RuntimeError,
                         "function %s returned a gradient different than None at position %zd, but "
                         "the corresponding forward input was not a Variable",
                         n->type->name, i + 1);
            return -1;
        }
        if (item != Py_None && !rl_py_is_tensor(item)) {
            PyErr_Format(PyExc_RuntimeError, "expected Variable or None (got %s)",
                         Py_TYPE(item)->tp_name);
            return -1;
        }
        if (item != Py_None)
            dx[k] = rl_retain(rl_py_borrow(item));
        k++;
    }
    return 0;
}

static int call_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    py_function *ctx = n->context;
    int status = -1, count = n->n_outputs;
    PyObject *result = NULL;
    PyObject *cls = PyObject_GetAttrString((PyObject *)Py_TYPE((PyObject *)ctx), "_forward_cls");
    PyObject *backward = cls ? find_backward(cls) : NULL;
    Py_XDECREF(cls);
    if (!backward)
        return -1;
    PyObject *args = PyTuple_New(count + 1);
    if (args)
        PyTuple_SET_ITEM(args, 0, Py_NewRef((PyObject *)ctx));
    for (int o = 0; args && o < count; o++) {
        PyObject *item = output_grad(ctx, n, o, g[o]);
        if (!item)
            Py_CLEAR(args);
        else
            PyTuple_SET_ITEM(args, o + 1, item);
    }
    if (args)
        result = PyObject_CallObject(backward, args);
    Py_XDECREF(args);
    Py_DECREF(backward);
    if (result && !PyTuple_Check(result)) {
        if (PyList_Check(result))
            Py_SETREF(result, PyList_AsTuple(result));
        else
            Py_SETREF(result, PyTuple_Pack(1, result));
    }
    if (result)
        status = take_results(ctx, n, result, dx);
    Py_XDECREF(result);
    return status;
}

static rl_status function_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    int status = call_backward(n, g, dx);
    if (status)
        rl_py_callback_failed();
    PyGILState_Release(gil);
    return status ? RL_ECALLBACK : RL_OK;
}

/* The node type of a backward class, with its name; made once per class and kept: nodes may outlive
 * the class. */
static const rl_node_type *type_for(PyObject *cls)
{
    PyObject *capsule = PyObject_GetAttrString(cls, "_node_type");
    if (capsule) {
        const rl_node_type *type = PyCapsule_GetPointer(capsule, NULL);
        Py_DECREF(capsule);
        return type;
    }
    PyErr_Clear();
    const char *name = ((PyTypeObject *)cls)->tp_name;
    rl_node_type *type = malloc(sizeof *type + strlen(name) + 1);
    if (!type) {
        PyErr_NoMemory();
        return NULL;
    }
    char *copy = strcpy((char *)(type + 1), name);
    rl_node_type value = {.name = copy,
                          .backward = function_backward,
                          .free_context = function_free,
                          .takes_null = true};
    memcpy(type, &value, sizeof value);
    capsule = PyCapsule_New(type, NULL, NULL);
    if (!capsule || PyObject_SetAttrString(cls, "_node_type", capsule)) {
        Py_XDECREF(capsule);
        free(type);
        return NULL;
    }
    Py_DECREF(capsule);
    return type;
}

/* ---- apply ---- */

static bool contains(PyObject *tuple, PyObject *o)
{
    for (Py_ssize_t i = 0; tuple && i < PyTuple_GET_SIZE(tuple); i++)
        if (PyTuple_GET_ITEM(tuple, i) == o)
            return true;
    return false;
}

/* Position of o in the tuple, or -1. */
static Py_ssize_t position(PyObject *tuple, PyObject *o)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++)
        if (PyTuple_GET_ITEM(tuple, i) == o)
            return i;
    return -1;
}

/* Output o outside the graph.  New reference. */
static PyObject *plain_output(PyObject *item, bool is_input)
{
    rl_tensor *t = rl_py_borrow(item);
    if (!rl_requires_grad(t))
        return Py_NewRef(item);
    if (is_input)
        return rl_py_wrap(rl_detach(t));
    if (!(t->flags & RL_FLAG_VIEW) && rl_detach_(t))
        return rl_py_raise();
    return Py_NewRef(item);
}

/* Output o of the node: given its history.  New reference. */
static PyObject *history_output(rl_node *n, int o, PyObject *item, bool is_input, bool is_dirty,
                                Py_ssize_t n_outputs)
{
    rl_tensor *t = rl_py_borrow(item);
    rl_status status;
    if (is_dirty) {
        if (rl_requires_grad(t) && rl_is_leaf(t)) {
            PyErr_SetString(
                PyExc_RuntimeError,
                "a leaf Variable that requires grad has been used in an in-place operation.");
            return NULL;
        }
        if (t->flags & RL_FLAG_VIEW) {
            if (n_outputs > 1) {
                PyErr_SetString(PyExc_RuntimeError, "If your Function modifies inplace an input "
                                                    "that is a view of another Tensor, your "
                                                    "Function cannot return more than one Tensor. "
                                                    "This is not supported by the current "
                                                    "autograd engine. You should either make sure "
                                                    "the input is not a view (using .clone() "
                                                    "for example) or make your Function only "
                                                    "return one Tensor (potentially splitting it "
                                                    "into two Functions: one doing the inplace "
                                                    "that returns a single Tensor and a second "
                                                    "one that does the other operations).");
                return NULL;
            }
            status = rl_check_view_write(t, false);
            if (!status)
                status = rl_set_base_history(t, rl_node_retain(n), o);
        } else {
            status = rl_set_history(t, rl_node_retain(n), o);
        }
        rl_py_track(item);
        return status ? rl_py_raise() : Py_NewRef(item);
    }
    if (is_input) { /* handed through: a view of itself, so that it can have a history of its own */
        rl_tensor *view = rl_detach(t);
        if (!view || rl_mark_view(view, t, RL_VIEW_CUSTOM) ||
            rl_set_history(view, rl_node_retain(n), o)) {
            rl_release(view);
            return rl_py_raise();
        }
        return rl_py_wrap(view);
    }
    if (t->flags & RL_FLAG_VIEW) {
        t->ag->view_kind = RL_VIEW_CUSTOM;
        t->ag->view_version = t->storage->version;
    }
    status = rl_set_history(t, rl_node_retain(n), o);
    rl_py_track(item);
    return status ? rl_py_raise() : Py_NewRef(item);
}

/* Stores what save_for_backward was given. */
static int save_all(py_function *ctx, rl_node *n, PyObject *args, PyObject *raw)
{
    for (int i = 0; i < n->n_saved; i++) {
        PyObject *item = PyTuple_GET_ITEM(ctx->to_save, i);
        if (item == Py_None)
            continue;
        if (!rl_py_is_tensor(item)) {
            PyErr_Format(PyExc_TypeError,
                         "save_for_backward can only save variables, but argument %d is of type %s",
                         i, Py_TYPE(item)->tp_name);
            return -1;
        }
        Py_ssize_t o = position(raw, item);
        if (o >= 0 && (!contains(args, item) || contains(ctx->dirty, item)))
            rl_save_output(n, i, rl_py_borrow(item), (int)o);
        else
            rl_save(n, i, rl_py_borrow(item));
    }
    if (!n->failed)
        return 0;
    rl_py_raise();
    return -1;
}

/* The node, with the edges the arguments had before forward ran; NULL with an exception.  Takes
 * over the edges. */
static rl_node *make_node(py_function *ctx, rl_edge *edges, int n_edges, PyObject *raw)
{
    Py_ssize_t n_outputs = PyTuple_GET_SIZE(raw);
    const rl_node_type *type = type_for((PyObject *)Py_TYPE((PyObject *)ctx));
    rl_tensor **outs =
        type ? PyMem_Calloc((size_t)n_outputs + (size_t)n_edges + 1, sizeof *outs) : NULL;
    if (!outs) {
        if (type)
            PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t o = 0; o < n_outputs; o++) {
        PyObject *item = PyTuple_GET_ITEM(raw, o);
        outs[o] = rl_py_is_tensor(item) ? rl_py_borrow(item) : NULL;
    }
    Py_ssize_t n_saved = ctx->to_save ? PyTuple_GET_SIZE(ctx->to_save) : 0;
    rl_node *n = rl_node_new_n(type, (int)n_outputs, outs, n_edges, outs + n_outputs, (int)n_saved);
    PyMem_Free(outs);
    if (!n) {
        rl_py_raise();
        return NULL;
    }
    for (int i = 0; i < n_edges; i++) {
        n->next[i] = edges[i];
        edges[i].node = NULL;
    }
    n->context = Py_NewRef((PyObject *)ctx);
    ctx->node = n;
    rl_py_graph_objects++;
    return n;
}

/* What apply returns, from what forward returned: tensors with their histories.  New reference. */
static PyObject *finish(py_function *ctx, PyObject *args, PyObject *output, rl_edge *edges,
                        int n_edges, bool records)
{
    bool single = !PyTuple_Check(output);
    PyObject *raw = single ? PyTuple_Pack(1, output) : Py_NewRef(output);
    Py_ssize_t n_outputs = raw ? PyTuple_GET_SIZE(raw) : 0;
    PyObject *result = raw ? PyTuple_New(n_outputs) : NULL;
    rl_node *n = result && records ? make_node(ctx, edges, n_edges, raw) : NULL;
    if (!result || (records && !n))
        goto fail;
    for (Py_ssize_t i = 0; ctx->dirty && i < PyTuple_GET_SIZE(ctx->dirty); i++)
        if (!rl_py_is_tensor(PyTuple_GET_ITEM(ctx->dirty, i))) {
            PyErr_Format(PyExc_TypeError,
                         "mark_dirty can only mark Tensors, but argument %zd is of type %s", i,
                         Py_TYPE(PyTuple_GET_ITEM(ctx->dirty, i))->tp_name);
            goto fail;
        }
    for (Py_ssize_t o = 0; o < n_outputs; o++) {
        PyObject *item = PyTuple_GET_ITEM(raw, o), *made;
        if (!rl_py_is_tensor(item)) {
            made = Py_NewRef(item);
        } else {
            bool is_input = contains(args, item);
            bool differentiable = n && !contains(ctx->non_differentiable, item) &&
                                  rl_is_differentiable((rl_dtype)rl_py_borrow(item)->dtype);
            made = differentiable ? history_output(n, (int)o, item, is_input,
                                                   contains(ctx->dirty, item), n_outputs)
                                  : plain_output(item, is_input);
        }
        if (!made)
            goto fail;
        PyTuple_SET_ITEM(result, o, made);
    }
    if (n && save_all(ctx, n, args, raw))
        goto fail;
    rl_node_release(n);
    Py_DECREF(raw);
    if (single) {
        output = Py_NewRef(PyTuple_GET_ITEM(result, 0));
        Py_SETREF(result, output);
    }
    return result;
fail:
    rl_node_release(n);
    Py_XDECREF(raw);
    Py_XDECREF(result);
    return NULL;
}

/* Calls forward, and setup_context where the class has one, without recording. */
static PyObject *run_forward(PyObject *cls, py_function *ctx, PyObject *args, PyObject *setup)
{
    PyObject *forward = PyObject_GetAttrString(cls, "forward"), *output = NULL;
    if (!forward)
        return NULL;
    bool before = rl_set_grad_enabled(false);
    if (setup) {
        output = PyObject_CallObject(forward, args);
        if (output) {
            PyObject *none =
                PyObject_CallFunctionObjArgs(setup, (PyObject *)ctx, args, output, NULL);
            if (!none)
                Py_CLEAR(output);
            Py_XDECREF(none);
        }
    } else {
        Py_ssize_t n = PyTuple_GET_SIZE(args);
        PyObject *all = PyTuple_New(n + 1);
        if (all) {
            PyTuple_SET_ITEM(all, 0, Py_NewRef((PyObject *)ctx));
            for (Py_ssize_t i = 0; i < n; i++)
                PyTuple_SET_ITEM(all, i + 1, Py_NewRef(PyTuple_GET_ITEM(args, i)));
            output = PyObject_CallObject(forward, all);
            Py_DECREF(all);
        }
    }
    rl_set_grad_enabled(before);
    Py_DECREF(forward);
    return output;
}

static PyObject *apply_to(PyObject *cls, PyObject *args, PyObject *setup)
{
    Py_ssize_t n_args = PyTuple_GET_SIZE(args);
    PyObject *output = NULL, *result = NULL;
    rl_edge *edges = NULL;
    int n_edges = 0;
    bool any = false;
    PyObject *type = PyObject_GetAttrString(cls, "_backward_cls");
    if (!type)
        return NULL;
    py_function *ctx = (py_function *)PyObject_CallNoArgs(type);
    Py_DECREF(type);
    if (!ctx)
        return NULL;
    ctx->n_args = n_args;
    ctx->is_variable = PyMem_Calloc((size_t)n_args + 1, sizeof *ctx->is_variable);
    ctx->needs_input_grad = PyTuple_New(n_args);
    edges = PyMem_Calloc((size_t)n_args + 1, sizeof *edges);
    if (!ctx->is_variable || !ctx->needs_input_grad || !edges) {
        PyErr_NoMemory();
        goto done;
    }
    for (Py_ssize_t i = 0; i < n_args; i++) {
        PyObject *item = PyTuple_GET_ITEM(args, i);
        ctx->is_variable[i] = rl_py_is_tensor(item);
        bool needs = ctx->is_variable[i] && rl_requires_grad(rl_py_borrow(item));
        any |= needs;
        PyTuple_SET_ITEM(ctx->needs_input_grad, i, PyBool_FromLong(needs));
    }
    bool records = any && rl_grad_enabled();
    for (Py_ssize_t i = 0; i < n_args && records; i++) {
        if (!ctx->is_variable[i])
            continue;
        rl_tensor *t = rl_py_borrow(PyTuple_GET_ITEM(args, i));
        edges[n_edges] = rl_gradient_edge(t);
        if (!edges[n_edges].node && rl_requires_grad(t)) {
            rl_py_raise();
            goto done;
        }
        n_edges++;
    }
    output = run_forward(cls, ctx, args, setup);
    if (output)
        result = finish(ctx, args, output, edges, n_edges, records);
done:
    for (int i = 0; i < n_edges; i++)
        rl_node_release(edges[i].node);
    PyMem_Free(edges);
    Py_CLEAR(ctx->to_save);
    Py_CLEAR(ctx->dirty);
    Py_CLEAR(ctx->non_differentiable);
    Py_XDECREF(output);
    Py_DECREF((PyObject *)ctx);
    return result;
}

/* _function_apply(cls, *args, **kwargs) */
static PyObject *function_apply(PyObject *Py_UNUSED(m), PyObject *all, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(all) < 1) {
        PyErr_SetString(PyExc_TypeError, "apply() needs a class");
        return NULL;
    }
    PyObject *cls = PyTuple_GET_ITEM(all, 0), *result = NULL;
    PyObject *setup = PyObject_GetAttrString(cls, "setup_context");
    PyObject *args = setup ? PyTuple_GetSlice(all, 1, PyTuple_GET_SIZE(all)) : NULL;
    if (args && setup == default_setup) {
        if (kwargs && PyDict_GET_SIZE(kwargs))
            PyErr_Format(PyExc_TypeError, "%s.apply() takes no keyword arguments",
                         ((PyTypeObject *)cls)->tp_name);
        else
            result = apply_to(cls, args, NULL);
    } else if (args) {
        PyObject *none = kwargs ? NULL : PyDict_New();
        PyObject *bound =
            PyObject_CallFunctionObjArgs(bind_arguments, cls, args, kwargs ? kwargs : none, NULL);
        Py_XDECREF(none);
        if (bound)
            result = apply_to(cls, bound, setup);
        Py_XDECREF(bound);
    }
    Py_XDECREF(args);
    Py_XDECREF(setup);
    return result;
}

static PyObject *set_defaults(PyObject *Py_UNUSED(m), PyObject *args)
{
    PyObject *backward, *setup, *bind;
    if (!PyArg_ParseTuple(args, "OOO:_function_defaults", &backward, &setup, &bind))
        return NULL;
    Py_XSETREF(default_backward, Py_NewRef(backward));
    Py_XSETREF(default_setup, Py_NewRef(setup));
    Py_XSETREF(bind_arguments, Py_NewRef(bind));
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"_function_apply", (PyCFunction)(void (*)(void))function_apply, METH_VARARGS | METH_KEYWORDS,
     NULL},
    {"_function_defaults", set_defaults, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

int rl_py_add_function(PyObject *module)
{
    if (PyType_Ready(&rl_py_function_type) ||
        PyModule_AddObjectRef(module, "_FunctionBase", (PyObject *)&rl_py_function_type))
        return -1;
    return PyModule_AddFunctions(module, functions);
}
