/* modes.c: no_grad, enable_grad, set_grad_enabled and inference_mode: context managers and
 * decorators. */
#include "ops/attention_backends.h"
#include "python/graph.h"

/* All four are one type with a kind; entering and leaving is two stores. */
typedef struct py_mode {
    PyObject_HEAD bool grad, inference; /* what it sets */
    bool is_inference;                  /* it sets inference mode, not the gradient mode */
    bool was;                           /* the mode before */
} py_mode;

static PyTypeObject mode_type, no_grad_type, enable_grad_type, set_grad_type, inference_type;

static PyObject *mode_enter(PyObject *self, PyObject *Py_UNUSED(none))
{
    py_mode *m = (py_mode *)self;
    if (m->is_inference)
        m->was = rl_set_inference_mode(m->inference);
    else if (!PyObject_TypeCheck(self, &set_grad_type)) /* that one has set it when it was made */
        m->was = rl_set_grad_enabled(m->grad);
    Py_RETURN_NONE;
}

static PyObject *mode_exit(PyObject *self, PyObject *const *Py_UNUSED(args),
                           Py_ssize_t Py_UNUSED(n))
{
    py_mode *m = (py_mode *)self;
    if (m->is_inference)
        rl_set_inference_mode(m->was);
    else
        rl_set_grad_enabled(m->was);
    Py_RETURN_NONE;
}

static py_mode *mode_new(PyTypeObject *type)
{
    py_mode *m = (py_mode *)type->tp_alloc(type, 0);
    if (m) {
        m->is_inference = PyType_IsSubtype(type, &inference_type);
        m->grad = type == &enable_grad_type || PyType_IsSubtype(type, &enable_grad_type);
        m->inference = true;
    }
    return m;
}

static PyObject *mode_clone(PyObject *self, PyObject *Py_UNUSED(none))
{
    py_mode *m = (py_mode *)self, *c = mode_new(Py_TYPE(self));
    if (!c)
        return NULL;
    c->grad = m->grad;
    c->inference = m->inference;
    if (PyObject_TypeCheck(self, &set_grad_type))
        c->was = rl_set_grad_enabled(c->grad);
    return (PyObject *)c;
}

/* Decorating is Python's part: generators and coroutines need care. */
static PyObject *decorate(PyObject *self, PyObject *function)
{
    PyObject *module = PyImport_ImportModule("rushlight.autograd.grad_mode");
    PyObject *result =
        module ? PyObject_CallMethod(module, "_context_decorator", "OO", self, function) : NULL;
    Py_XDECREF(module);
    return result;
}

static PyObject *mode_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
    PyObject *function;
    static char *names[] = {"orig_func", NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O", names, &function))
        return NULL;
    if (PyObject_TypeCheck(self,
                           &set_grad_type)) /* used as decorator: the mode is not changed here */
        rl_set_grad_enabled(((py_mode *)self)->was);
    return decorate(self, function);
}

/* no_grad() or @no_grad */
static PyObject *plain_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *function = NULL;
    static char *names[] = {"orig_func", NULL};
    if ((PyTuple_GET_SIZE(args) || kwargs) &&
        !PyArg_ParseTupleAndKeywords(args, kwargs, "|O", names, &function))
        return NULL;
    PyObject *self = (PyObject *)mode_new(type);
    if (!self || !function || function == Py_None)
        return self;
    PyObject *result = decorate(self, function);
    Py_DECREF(self);
    return result;
}

static PyObject *set_grad_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    int mode;
    static char *names[] = {"mode", NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "p", names, &mode))
        return NULL;
    py_mode *m = mode_new(type);
    if (m) {
        m->grad = mode;
        m->was = rl_set_grad_enabled(mode);
    }
    return (PyObject *)m;
}

/* inference_mode(), inference_mode(False) or @inference_mode */
static PyObject *inference_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *mode = Py_True;
    static char *names[] = {"mode", NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O", names, &mode))
        return NULL;
    py_mode *m = mode_new(type);
    if (!m)
        return NULL;
    if (!PyBool_Check(mode) && PyCallable_Check(mode)) {
        PyObject *result = decorate((PyObject *)m, mode);
        Py_DECREF((PyObject *)m);
        return result;
    }
    int on = PyObject_IsTrue(mode);
    if (on < 0) {
        Py_DECREF((PyObject *)m);
        return NULL;
    }
    m->inference = on;
    return (PyObject *)m;
}

static void mode_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free(self);
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE)
        Py_DECREF(type);
}

static PyObject *mode_prev(PyObject *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(((py_mode *)self)->was);
}

static PyObject *mode_mode(PyObject *self, void *Py_UNUSED(closure))
{
    py_mode *m = (py_mode *)self;
    return PyBool_FromLong(m->is_inference ? m->inference : m->grad);
}

static PyMethodDef mode_methods[] = {
    {"__enter__", mode_enter, METH_NOARGS, NULL},
    {"__exit__", (PyCFunction)(void (*)(void))mode_exit, METH_FASTCALL, NULL},
    {"clone", mode_clone, METH_NOARGS, "clone()\n\nAnother one of the same kind and mode."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef mode_getset[] = {
    {"prev", mode_prev, NULL, "The mode before.", NULL},
    {"mode", mode_mode, NULL, "The mode inside.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

#define MODE(variable, title, maker, doc)                                                          \
    static PyTypeObject variable = {                                                               \
        PyVarObject_HEAD_INIT(NULL, 0).tp_name = "rushlight." title,                               \
        .tp_basicsize = sizeof(py_mode),                                                           \
        .tp_base = &mode_type,                                                                     \
        .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,                                      \
        .tp_doc = doc,                                                                             \
        .tp_new = maker,                                                                           \
    }

static PyTypeObject mode_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "rushlight._C._GradMode",
    .tp_basicsize = sizeof(py_mode),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_dealloc = mode_dealloc,
    .tp_call = mode_call,
    .tp_methods = mode_methods,
    .tp_getset = mode_getset,
};

MODE(no_grad_type, "no_grad", plain_new,
     "no_grad()\n\nContext manager and decorator: inside, results require no gradient.");
MODE(enable_grad_type, "enable_grad", plain_new,
     "enable_grad()\n\nContext manager and decorator: inside, gradients are recorded again.");
MODE(set_grad_type, "set_grad_enabled", set_grad_new,
     "set_grad_enabled(mode)\n\nSets whether gradients are recorded, at once; as a context "
     "manager, until the end of the "
     "block.");
MODE(inference_type, "inference_mode", inference_new,
     "inference_mode(mode=True)\n\nLike no_grad; tensors made inside can never enter a graph.");

static PyObject *is_grad_enabled(PyObject *Py_UNUSED(m), PyObject *Py_UNUSED(none))
{
    return PyBool_FromLong(rl_grad_enabled());
}

static PyObject *is_inference_mode_enabled(PyObject *Py_UNUSED(m), PyObject *Py_UNUSED(none))
{
    return PyBool_FromLong(rl_inference_mode());
}

static PyObject *set_anomaly(PyObject *Py_UNUSED(m), PyObject *args)
{
    int on, check_nan;
    if (!PyArg_ParseTuple(args, "pp:_set_anomaly_enabled", &on, &check_nan))
        return NULL;
    rl_set_anomaly_mode(on);
    rl_set_anomaly_checks_nan(check_nan);
    Py_RETURN_NONE;
}

static PyObject *is_anomaly(PyObject *Py_UNUSED(m), PyObject *Py_UNUSED(none))
{
    return PyBool_FromLong(rl_anomaly_mode());
}

static PyObject *is_anomaly_nan(PyObject *Py_UNUSED(m), PyObject *Py_UNUSED(none))
{
    return PyBool_FromLong(rl_anomaly_checks_nan());
}

static PyObject *set_attention_backends(PyObject *Py_UNUSED(m), PyObject *value)
{
    long allowed = PyLong_AsLong(value);
    if (allowed == -1 && PyErr_Occurred())
        return NULL;
    return PyLong_FromLong(rl_set_attention_backends((int)allowed));
}

static PyObject *attention_backends(PyObject *Py_UNUSED(m), PyObject *Py_UNUSED(none))
{
    return PyLong_FromLong(rl_attention_backends());
}

static PyMethodDef functions[] = {
    {"is_grad_enabled", is_grad_enabled, METH_NOARGS,
     "is_grad_enabled()\n\nWhether operators record for backward."},
    {"is_inference_mode_enabled", is_inference_mode_enabled, METH_NOARGS,
     "is_inference_mode_enabled()\n\nWhether inference mode is on."},
    {"_set_attention_backends", set_attention_backends, METH_O, NULL},
    {"_attention_backends", attention_backends, METH_NOARGS, NULL},
    {"_set_anomaly_enabled", set_anomaly, METH_VARARGS, NULL},
    {"is_anomaly_enabled", is_anomaly, METH_NOARGS,
     "is_anomaly_enabled()\n\nWhether backward explains its failures."},
    {"is_anomaly_check_nan_enabled", is_anomaly_nan, METH_NOARGS,
     "is_anomaly_check_nan_enabled()\n\nWhether backward stops at nan."},
    {NULL, NULL, 0, NULL},
};

int rl_py_add_modes(PyObject *module)
{
    PyTypeObject *types[] = {&mode_type, &no_grad_type, &enable_grad_type, &set_grad_type,
                             &inference_type};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (PyType_Ready(types[i]) || PyModule_AddType(module, types[i]))
            return -1;
    return PyModule_AddFunctions(module, functions);
}
