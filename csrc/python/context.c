/* context.c: ctx, the context object of an autograd.Function's call. */
#include "python/function.h"

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

static PyObject *ctx_name(PyObject *self, PyObject *Py_UNUSED(none))
{
    return PyUnicode_FromString(rl_py_type_name(self));
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
    return rl_py_node_saved(n);
}

static PyObject *ctx_materialize(PyObject *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(((py_function *)self)->materialize);
}

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
    {"register_hook", rl_py_node_register_hook, METH_O,
     "register_hook(hook)\n\nAs for other nodes."},
    {"register_prehook", rl_py_node_register_prehook, METH_O,
     "register_prehook(hook)\n\nAs for other nodes."},
    {"_sequence_nr", rl_py_node_sequence, METH_NOARGS,
     "_sequence_nr()\n\nOrder of creation in its thread."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef ctx_getset[] = {
    {"saved_tensors", ctx_saved, NULL, "What save_for_backward kept.", NULL},
    {"saved_variables", ctx_saved, NULL, "The same.", NULL},
    {"next_functions", rl_py_node_next_functions, NULL,
     "((node, output), ...) of the tensor arguments.", NULL},
    {"metadata", rl_py_node_metadata, NULL, "An empty dict.", NULL},
    {"_input_metadata", rl_py_node_input_metadata, NULL, "(shape, dtype) of each output.", NULL},
    {"materialize_grads", ctx_materialize, NULL, "Set by set_materialize_grads.", NULL},
    {"requires_grad", rl_py_node_requires_grad, NULL, "True.", NULL},
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
