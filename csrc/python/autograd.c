/* autograd.c: Tensor's attributes and methods that have to do with gradients; backward and grad. */
#include "python/graph.h"

/* ---- backward ---- */

/* Optional arguments of the entry points, unpacked. */
typedef struct call {
    rl_tensor **roots, **grads, **inputs;
    int64_t n_roots, n_grads, n_inputs;
    PyObject *keep[3];
} call;

static void call_end(call *c)
{
    PyMem_Free(c->roots);
    PyMem_Free(c->grads);
    PyMem_Free(c->inputs);
    for (int i = 0; i < 3; i++)
        Py_XDECREF(c->keep[i]);
}

/* Tensors, or None where allowed, from a sequence; borrowed from *keep. */
static int tensors_of(PyObject *o, rl_tensor ***v, int64_t *n, PyObject **keep, bool none,
                      const char *what)
{
    PyObject *list = PySequence_Fast(o, "expected a sequence of tensors");
    if (!list)
        return -1;
    *keep = list;
    *n = PySequence_Fast_GET_SIZE(list);
    *v = PyMem_Malloc((size_t)(*n + 1) * sizeof **v);
    if (!*v) {
        PyErr_NoMemory();
        return -1;
    }
    for (int64_t i = 0; i < *n; i++) {
        PyObject *item = PySequence_Fast_GET_ITEM(list, i);
        if (rl_py_is_tensor(item)) {
            (*v)[i] = rl_py_borrow(item);
        } else if (none && item == Py_None) {
            (*v)[i] = NULL;
        } else {
            PyErr_Format(PyExc_TypeError, "element %lld of %s tuple is not a Tensor", (long long)i,
                         what);
            return -1;
        }
    }
    return 0;
}

static int warn_cycle(void)
{
    static bool warned;
    if (warned)
        return 0;
    warned = true;
    return PyErr_WarnEx(PyExc_UserWarning,
                        "Using backward() with create_graph=True will create a reference cycle "
                        "between the parameter and "
                        "its gradient which can cause a memory leak. We recommend using "
                        "autograd.grad when creating the "
                        "graph to avoid this. If you have to use this function, make sure to reset "
                        "the .grad fields of "
                        "your parameters to None after use to break the cycle and avoid the leak.",
                        1);
}

/* _run_backward(tensors, grads, retain_graph, create_graph, inputs, allow_unused, accumulate): what
 * backward and grad of rushlight.autograd call once they have sorted out their arguments.  A tuple
 * of gradients, or None when accumulating. */
static PyObject *run_backward(PyObject *Py_UNUSED(m), PyObject *args)
{
    PyObject *roots, *grads, *inputs;
    int keep, create, allow_unused, accumulate;
    if (!PyArg_ParseTuple(args, "OOppOpp:_run_backward", &roots, &grads, &keep, &create, &inputs,
                          &allow_unused, &accumulate))
        return NULL;
    call c = {NULL};
    PyObject *result = NULL;
    rl_tensor **out = NULL;
    if (tensors_of(roots, &c.roots, &c.n_roots, &c.keep[0], false, "tensors") ||
        tensors_of(grads, &c.grads, &c.n_grads, &c.keep[1], true, "gradients") ||
        tensors_of(inputs, &c.inputs, &c.n_inputs, &c.keep[2], false, "inputs"))
        goto done;
    if (c.n_grads != c.n_roots) {
        PyErr_Format(PyExc_RuntimeError, "got %lld tensors and %lld gradients",
                     (long long)c.n_roots, (long long)c.n_grads);
        goto done;
    }
    rl_status status;
    if (accumulate) {
        if (create && warn_cycle())
            goto done;
        RL_PY_UNLOCKED(status = rl_backward((rl_tensors){c.roots, c.n_roots}, c.grads, keep, create,
                                            (rl_tensors){c.inputs, c.n_inputs}));
        result = status ? rl_py_raise() : Py_NewRef(Py_None);
        goto done;
    }
    out = PyMem_Calloc((size_t)c.n_inputs + 1, sizeof *out);
    if (!out) {
        PyErr_NoMemory();
        goto done;
    }
    RL_PY_UNLOCKED(status = rl_grad((rl_tensors){c.roots, c.n_roots}, c.grads,
                                    (rl_tensors){c.inputs, c.n_inputs}, keep, create, allow_unused,
                                    out));
    if (status) {
        rl_py_raise();
        goto done;
    }
    result = PyTuple_New(c.n_inputs);
    for (int64_t i = 0; i < c.n_inputs; i++) {
        rl_tensor *t = out[i];
        PyObject *o = !result ? NULL : t ? rl_py_wrap(t) : Py_NewRef(Py_None);
        if (!result)
            rl_release(t);
        else if (!o)
            Py_CLEAR(result);
        else
            PyTuple_SET_ITEM(result, i, o);
    }
done:
    PyMem_Free(out);
    call_end(&c);
    return result;
}

/* x.backward(gradient=None, retain_graph=None, create_graph=False, inputs=None) */
static PyObject *tensor_backward(PyObject *self, PyObject *const *args, Py_ssize_t n,
                                 PyObject *kwnames)
{
    PyObject *given[4] = {Py_None, Py_None, Py_False, Py_None};
    static const char *const names[] = {"gradient", "retain_graph", "create_graph", "inputs"};
    if (n > 4)
        return PyErr_Format(
            PyExc_TypeError,
            "Tensor.backward() takes from 1 to 5 positional arguments but %zd were given", n + 1);
    for (Py_ssize_t i = 0; i < n; i++)
        given[i] = args[i];
    for (Py_ssize_t k = 0; kwnames && k < PyTuple_GET_SIZE(kwnames); k++) {
        int i = 0;
        while (i < 4 && PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(kwnames, k), names[i]))
            i++;
        if (i == 4)
            return PyErr_Format(PyExc_TypeError,
                                "Tensor.backward() got an unexpected keyword argument '%U'",
                                PyTuple_GET_ITEM(kwnames, k));
        if (i < n)
            return PyErr_Format(PyExc_TypeError,
                                "Tensor.backward() got multiple values for argument '%s'",
                                names[i]);
        given[i] = args[n + k];
    }
    int create = PyObject_IsTrue(given[2]);
    int keep = given[1] == Py_None ? create : PyObject_IsTrue(given[1]);
    if (create < 0 || keep < 0)
        return NULL;
    rl_tensor *root = rl_py_borrow(self), *grad = NULL;
    if (given[0] != Py_None) {
        if (!rl_py_is_tensor(given[0]))
            return PyErr_Format(PyExc_TypeError,
                                "gradients can be either Tensors or None, but got %s",
                                Py_TYPE(given[0])->tp_name);
        grad = rl_py_borrow(given[0]);
    }
    call c = {NULL};
    if (given[3] != Py_None) {
        PyObject *inputs =
            rl_py_is_tensor(given[3]) ? PyTuple_Pack(1, given[3]) : Py_NewRef(given[3]);
        int status =
            inputs ? tensors_of(inputs, &c.inputs, &c.n_inputs, &c.keep[0], false, "inputs") : -1;
        Py_XDECREF(inputs);
        if (!status && c.n_inputs == 0) {
            PyErr_SetString(PyExc_RuntimeError,
                            "`inputs` argument to `backward()` cannot be empty.");
            status = -1;
        }
        if (status) {
            call_end(&c);
            return NULL;
        }
    }
    if (create && warn_cycle()) {
        call_end(&c);
        return NULL;
    }
    rl_status status;
    RL_PY_UNLOCKED(status = rl_backward((rl_tensors){&root, 1}, &grad, keep, create,
                                        (rl_tensors){c.inputs, c.n_inputs}));
    call_end(&c);
    if (status)
        return rl_py_raise();
    Py_RETURN_NONE;
}

/* ---- hooks, requires_grad, detach ---- */

static PyObject *register_hook(PyObject *self, PyObject *hook)
{
    return rl_py_tensor_add_hook(self, hook, RL_HOOK_TENSOR);
}

static PyObject *register_post_hook(PyObject *self, PyObject *hook)
{
    rl_tensor *t = rl_py_borrow(self);
    if (!rl_requires_grad(t)) {
        PyErr_SetString(PyExc_RuntimeError,
                        "cannot register a hook on a tensor that doesn't require gradient");
        return NULL;
    }
    return rl_py_tensor_add_hook(self, hook, RL_HOOK_POST_ACC);
}

static PyObject *retain_grad(PyObject *self, PyObject *Py_UNUSED(none))
{
    if (rl_retain_grad(rl_py_borrow(self)))
        return rl_py_raise();
    Py_RETURN_NONE;
}

static PyObject *set_requires(PyObject *self, PyObject *const *args, Py_ssize_t n,
                              PyObject *kwnames)
{
    PyObject *value = Py_True;
    Py_ssize_t nk = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
    if (n + nk > 1 ||
        (nk && PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(kwnames, 0), "requires_grad"))) {
        PyErr_SetString(PyExc_TypeError, "requires_grad_() takes one argument, requires_grad");
        return NULL;
    }
    if (n + nk)
        value = args[0];
    if (!PyBool_Check(value))
        return PyErr_Format(
            PyExc_TypeError,
            "requires_grad_(): argument 'requires_grad' (position 1) must be bool, not %s",
            Py_TYPE(value)->tp_name);
    if (rl_set_requires_grad(rl_py_borrow(self), value == Py_True))
        return rl_py_raise();
    rl_py_track(self);
    return Py_NewRef(self);
}

static PyObject *detach(PyObject *self, PyObject *Py_UNUSED(none))
{
    return rl_py_wrap(rl_detach(rl_py_borrow(self)));
}

static PyObject *detach_(PyObject *self, PyObject *Py_UNUSED(none))
{
    if (rl_detach_(rl_py_borrow(self)))
        return rl_py_raise();
    return Py_NewRef(self);
}

static PyObject *is_view(PyObject *self, PyObject *Py_UNUSED(none))
{
    return PyBool_FromLong(rl_borrow_base(rl_py_borrow(self)) != NULL);
}

static PyObject *is_inference(PyObject *self, PyObject *Py_UNUSED(none))
{
    return PyBool_FromLong(rl_py_borrow(self)->flags & RL_FLAG_INFERENCE);
}

PyMethodDef rl_py_autograd_methods[] = {
    {"backward", (PyCFunction)(void (*)(void))tensor_backward, METH_FASTCALL | METH_KEYWORDS,
     "backward(gradient=None, retain_graph=None, create_graph=False, inputs=None)\n\nAdds the "
     "gradient of this tensor to the "
     "grad of the leaves it was computed from."},
    {"register_hook", register_hook, METH_O,
     "register_hook(hook)\n\nhook(grad) runs when the gradient of this tensor is known; a tensor "
     "it returns takes its place."},
    {"register_post_accumulate_grad_hook", register_post_hook, METH_O,
     "register_post_accumulate_grad_hook(hook)\n\nhook(tensor) runs after a gradient was added to "
     "the leaf's grad."},
    {"retain_grad", retain_grad, METH_NOARGS,
     "retain_grad()\n\nKeeps the gradient of this result in its grad, as for a leaf."},
    {"requires_grad_", (PyCFunction)(void (*)(void))set_requires, METH_FASTCALL | METH_KEYWORDS,
     "requires_grad_(requires_grad=True)\n\nSets whether gradients of this leaf are wanted; "
     "returns it."},
    {"detach", detach, METH_NOARGS, "detach()\n\nA tensor of the same memory outside the graph."},
    {"detach_", detach_, METH_NOARGS, "detach_()\n\nTakes this tensor itself out of the graph."},
    {"_is_view", is_view, METH_NOARGS,
     "_is_view()\n\nWhether this is a differentiable view of another tensor."},
    {"is_inference", is_inference, METH_NOARGS,
     "is_inference()\n\nWhether it was made in inference mode."},
    {NULL, NULL, 0, NULL},
};

/* ---- attributes ---- */

static PyObject *get_grad(PyObject *self, void *Py_UNUSED(closure))
{
    rl_tensor *t = rl_py_borrow(self), *grad = rl_get_grad(t);
    if (grad)
        return rl_py_wrap(grad);
    if (rl_requires_grad(t) && !rl_is_leaf(t) && !(t->ag && t->ag->retains_grad) &&
        PyErr_WarnEx(PyExc_UserWarning,
                     "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. "
                     "Its .grad attribute "
                     "won't be populated during autograd.backward(). If you indeed want the .grad "
                     "field to be populated for "
                     "a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor. If you access "
                     "the non-leaf Tensor by "
                     "mistake, make sure you access the leaf Tensor instead. See "
                     "github.com/pytorch/pytorch/pull/30531 for "
                     "more information.",
                     1))
        return NULL;
    Py_RETURN_NONE;
}

static int set_grad(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    if (value && value != Py_None && !rl_py_is_tensor(value)) {
        PyErr_Format(PyExc_TypeError,
                     "assigned grad expected to be a Tensor or None but got grad of type %s",
                     Py_TYPE(value)->tp_name);
        return -1;
    }
    rl_tensor *grad = value && value != Py_None ? rl_py_borrow(value) : NULL;
    if (rl_set_grad(rl_py_borrow(self), grad)) {
        rl_py_raise();
        return -1;
    }
    if (grad)
        rl_py_track(self);
    return 0;
}

static PyObject *get_grad_fn(PyObject *self, void *Py_UNUSED(closure))
{
    rl_tensor *t = rl_py_borrow(self);
    if (!rl_requires_grad(t) || rl_is_leaf(t))
        Py_RETURN_NONE;
    rl_edge e = rl_gradient_edge(t);
    return e.node ? rl_py_wrap_node(e.node) : rl_py_raise();
}

static PyObject *get_requires_grad(PyObject *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(rl_requires_grad(rl_py_borrow(self)));
}

static int set_requires_grad(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    if (!value || !PyBool_Check(value)) {
        PyErr_SetString(PyExc_RuntimeError, "requires_grad must be a bool");
        return -1;
    }
    if (rl_set_requires_grad(rl_py_borrow(self), value == Py_True)) {
        rl_py_raise();
        return -1;
    }
    rl_py_track(self);
    return 0;
}

static PyObject *get_is_leaf(PyObject *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(rl_is_leaf(rl_py_borrow(self)));
}

static PyObject *get_retains_grad(PyObject *self, void *Py_UNUSED(closure))
{
    rl_tensor *t = rl_py_borrow(self);
    return PyBool_FromLong(t->ag && t->ag->retains_grad);
}

static PyObject *get_version(PyObject *self, void *Py_UNUSED(closure))
{
    rl_tensor *t = rl_py_borrow(self);
    if (t->flags & RL_FLAG_INFERENCE) {
        PyErr_SetString(PyExc_RuntimeError, "Inference tensors do not track version counter.");
        return NULL;
    }
    return PyLong_FromUnsignedLong(t->flags & RL_FLAG_DATA_ALIAS ? 0 : t->storage->version);
}

static PyObject *get_output_nr(PyObject *self, void *Py_UNUSED(closure))
{
    rl_tensor *t = rl_py_borrow(self);
    return PyLong_FromLong(t->ag && !t->ag->is_leaf_node ? t->ag->output : 0);
}

static PyObject *get_base(PyObject *self, void *Py_UNUSED(closure))
{
    rl_tensor *base = rl_borrow_base(rl_py_borrow(self));
    return base ? rl_py_wrap(rl_retain(base)) : Py_NewRef(Py_None);
}

static PyObject *get_data(PyObject *self, void *Py_UNUSED(closure))
{
    return rl_py_wrap(rl_data_alias(rl_py_borrow(self)));
}

static int set_data(PyObject *self, PyObject *value, void *Py_UNUSED(closure))
{
    if (!value) {
        PyErr_SetString(PyExc_RuntimeError,
                        "Deleting tensor data is not allowed. Delete tensor instead!");
        return -1;
    }
    if (!rl_py_is_tensor(value)) {
        PyErr_Format(PyExc_TypeError, "Variable data has to be a tensor, but got %s",
                     Py_TYPE(value)->tp_name);
        return -1;
    }
    rl_tensor *t = rl_py_borrow(self), *from = rl_py_borrow(value);
    if (rl_requires_grad(t) && !rl_is_differentiable((rl_dtype)from->dtype)) {
        PyErr_SetString(
            PyExc_RuntimeError,
            "data set to a tensor that requires gradients must be floating point or complex dtype");
        return -1;
    }
    if (rl_replace_data(t, from)) {
        rl_py_raise();
        return -1;
    }
    return 0;
}

static PyObject *get_none(PyObject *Py_UNUSED(self), void *Py_UNUSED(closure)) { Py_RETURN_NONE; }

PyGetSetDef rl_py_autograd_getset[] = {
    {"grad", get_grad, set_grad, "The gradient added up so far, or None.", NULL},
    {"grad_fn", get_grad_fn, NULL, "The node that made this tensor; None for a leaf.", NULL},
    {"requires_grad", get_requires_grad, set_requires_grad, "Whether gradients are wanted.", NULL},
    {"is_leaf", get_is_leaf, NULL, "Whether no recorded operator made it.", NULL},
    {"retains_grad", get_retains_grad, NULL, "Whether retain_grad() was called on this result.",
     NULL},
    {"output_nr", get_output_nr, NULL, "Which output of grad_fn it is.", NULL},
    {"data", get_data, set_data,
     "The same memory, outside the graph; writes to it are not noticed.", NULL},
    {"_version", get_version, NULL, "How often it was written in place.", NULL},
    {"_base", get_base, NULL, "Of a view, the tensor it is a view of.", NULL},
    {"_backward_hooks", get_none, NULL, "None: hooks are kept by the core.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

/* ---- module ---- */

static PyObject *function_detach(PyObject *Py_UNUSED(m), PyObject *o)
{
    if (!rl_py_is_tensor(o))
        return PyErr_Format(PyExc_TypeError,
                            "detach(): argument 'input' (position 1) must be Tensor, not %s",
                            Py_TYPE(o)->tp_name);
    return detach(o, NULL);
}

static PyMethodDef functions[] = {
    {"_run_backward", run_backward, METH_VARARGS, NULL},
    {"detach", function_detach, METH_O,
     "detach(input)\n\nA tensor of the same memory outside the graph."},
    {NULL, NULL, 0, NULL},
};

int rl_py_add_autograd(PyObject *module)
{
    if (rl_py_add_graph(module) || rl_py_add_modes(module) || rl_py_add_saved(module) ||
        rl_py_add_profile(module) || rl_py_add_function(module))
        return -1;
    return PyModule_AddFunctions(module, functions);
}
