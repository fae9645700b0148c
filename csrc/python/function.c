/* function.c: autograd.Function: operators whose forward and backward are written in Python.
 *
 * apply runs forward without recording, then makes a node whose context is the ctx object; ctx is
 * also what y.grad_fn gives.  The node owns ctx; ctx only borrows the node. */
#include "core/iter.h"
#include "python/graph.h"
#include "rushlight_ops.h"

typedef struct py_function {
    PyObject_HEAD rl_node
        *node; /* borrowed; NULL before apply has made it, and once the graph is gone */
    PyObject *dict, *weakrefs;
    PyObject *to_save, *dirty, *non_differentiable; /* tuples, or NULL */
    PyObject *needs_input_grad;                     /* tuple of bool */
    bool *is_variable;                              /* per argument of forward */
    Py_ssize_t n_args;
    bool materialize;
} py_function;

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

/* ---- ctx ---- */

static PyObject *ctx_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(kwargs))
{
    py_function *ctx = (py_function *)type->tp_alloc(type, 0);
    if (ctx)
        ctx->materialize = true;
    return (PyObject *)ctx;
}

static int ctx_traverse(PyObject *self, visitproc visit, void *arg)
{
    py_function *ctx = (py_function *)self;
    Py_VISIT(ctx->dict);
    Py_VISIT(ctx->to_save);
    Py_VISIT(ctx->dirty);
    Py_VISIT(ctx->non_differentiable);
    Py_VISIT(ctx->needs_input_grad);
    return 0;
}

static int ctx_clear(PyObject *self)
{
    py_function *ctx = (py_function *)self;
    Py_CLEAR(ctx->dict);
    Py_CLEAR(ctx->to_save);
    Py_CLEAR(ctx->dirty);
    Py_CLEAR(ctx->non_differentiable);
    Py_CLEAR(ctx->needs_input_grad);
    return 0;
}

static void ctx_dealloc(PyObject *self)
{
    py_function *ctx = (py_function *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (ctx->weakrefs)
        PyObject_ClearWeakRefs(self);
    ctx_clear(self);
    PyMem_Free(ctx->is_variable);
    type->tp_free(self);
}

static PyObject *keep_args(PyObject **where, PyObject *args)
{
    Py_XSETREF(*where, Py_NewRef(args));
    Py_RETURN_NONE;
}

static PyObject *save_for_backward(PyObject *self, PyObject *args)
{
    return keep_args(&((py_function *)self)->to_save, args);
}

static PyObject *mark_dirty(PyObject *self, PyObject *args)
{
    return keep_args(&((py_function *)self)->dirty, args);
}

static PyObject *mark_non_differentiable(PyObject *self, PyObject *args)
{
    return keep_args(&((py_function *)self)->non_differentiable, args);
}

static PyObject *set_materialize(PyObject *self, PyObject *value)
{
    int on = PyObject_IsTrue(value);
    if (on < 0)
        return NULL;
    ((py_function *)self)->materialize = on;
    Py_RETURN_NONE;
}

static PyObject *ignore_args(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(args))
{
    Py_RETURN_NONE;
}

static rl_node *ctx_node(PyObject *self)
{
    rl_node *n = ((py_function *)self)->node;
    if (!n)
        PyErr_SetString(PyExc_RuntimeError,
                        "this Function's context belongs to no graph (any more)");
    return n;
}

static PyObject *ctx_name(PyObject *self, PyObject *Py_UNUSED(none))
{
    return PyUnicode_FromString(rl_py_type_name(self));
}

static PyObject *ctx_register_hook(PyObject *self, PyObject *hook)
{
    rl_node *n = ctx_node(self);
    return n ? rl_py_node_add_hook(n, hook, false) : NULL;
}

static PyObject *ctx_register_prehook(PyObject *self, PyObject *hook)
{
    rl_node *n = ctx_node(self);
    return n ? rl_py_node_add_hook(n, hook, true) : NULL;
}

static PyObject *ctx_sequence(PyObject *self, PyObject *Py_UNUSED(none))
{
    rl_node *n = ctx_node(self);
    return n ? PyLong_FromUnsignedLongLong(n->seq) : NULL;
}

static PyObject *ctx_saved(PyObject *self, void *Py_UNUSED(closure))
{
    rl_node *n = ((py_function *)self)->node;
    if (!n)
        return PyTuple_New(0);
    if (n->released) {
        rl_error_freed();
        return rl_py_raise();
    }
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

static PyObject *ctx_next(PyObject *self, void *Py_UNUSED(closure))
{
    rl_node *n = ctx_node(self);
    return n ? rl_py_node_next_functions(n) : NULL;
}

static PyObject *ctx_metadata(PyObject *self, void *Py_UNUSED(closure))
{
    rl_node *n = ctx_node(self);
    return n ? rl_py_node_notes(n) : NULL;
}

static PyObject *ctx_input_metadata(PyObject *self, void *Py_UNUSED(closure))
{
    rl_node *n = ctx_node(self);
    return n ? rl_py_node_input_metadata(n) : NULL;
}

static PyObject *ctx_materialize(PyObject *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(((py_function *)self)->materialize);
}

static PyObject *ctx_true(PyObject *Py_UNUSED(self), void *Py_UNUSED(closure)) { Py_RETURN_TRUE; }

static PyMethodDef ctx_methods[] = {
    {"save_for_backward", save_for_backward, METH_VARARGS,
     "save_for_backward(*tensors)\n\nKeeps inputs or outputs (or None) for backward, as "
     "saved_tensors."},
    {"save_for_forward", ignore_args, METH_VARARGS,
     "save_for_forward(*tensors)\n\nFor forward mode, which is not there."},
    {"mark_dirty", mark_dirty, METH_VARARGS,
     "mark_dirty(*tensors)\n\nNames the inputs that forward wrote in place."},
    {"mark_non_differentiable", mark_non_differentiable, METH_VARARGS,
     "mark_non_differentiable(*tensors)\n\nNames the outputs that have no gradient."},
    {"set_materialize_grads", set_materialize, METH_O,
     "set_materialize_grads(value)\n\nWhether backward sees zeros (True, the default) or None "
     "where no gradient came."},
    {"name", ctx_name, METH_NOARGS, "name()\n\nName of the derivative."},
    {"register_hook", ctx_register_hook, METH_O, "register_hook(hook)\n\nAs for other nodes."},
    {"register_prehook", ctx_register_prehook, METH_O,
     "register_prehook(hook)\n\nAs for other nodes."},
    {"_sequence_nr", ctx_sequence, METH_NOARGS,
     "_sequence_nr()\n\nOrder of creation in its thread."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef ctx_getset[] = {
    {"saved_tensors", ctx_saved, NULL, "What save_for_backward kept.", NULL},
    {"saved_variables", ctx_saved, NULL, "The same.", NULL},
    {"next_functions", ctx_next, NULL, "((node, output), ...) of the tensor arguments.", NULL},
    {"metadata", ctx_metadata, NULL, "An empty dict.", NULL},
    {"_input_metadata", ctx_input_metadata, NULL, "(shape, dtype) of each output.", NULL},
    {"materialize_grads", ctx_materialize, NULL, "Set by set_materialize_grads.", NULL},
    {"requires_grad", ctx_true, NULL, "True.", NULL},
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef ctx_members[] = {
    {"needs_input_grad", T_OBJECT, offsetof(py_function, needs_input_grad), 0,
     "Per argument of forward, whether its gradient is wanted."},
    {"to_save", T_OBJECT, offsetof(py_function, to_save), READONLY,
     "What save_for_backward was given, during forward."},
    {"dirty_tensors", T_OBJECT, offsetof(py_function, dirty), READONLY,
     "What mark_dirty was given, during forward."},
    {"non_differentiable", T_OBJECT, offsetof(py_function, non_differentiable), READONLY,
     "What mark_non_differentiable was given, during forward."},
    {NULL, 0, 0, 0, NULL},
};

PyTypeObject rl_py_function_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "rushlight._C._FunctionBase",
    .tp_doc = "Context of a Function's call: what ctx is.",
    .tp_basicsize = sizeof(py_function),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_new = ctx_new,
    .tp_dealloc = ctx_dealloc,
    .tp_traverse = ctx_traverse,
    .tp_clear = ctx_clear,
    .tp_methods = ctx_methods,
    .tp_getset = ctx_getset,
    .tp_members = ctx_members,
    .tp_dictoffset = offsetof(py_function, dict),
    .tp_weaklistoffset = offsetof(py_function, weakrefs),
};

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
