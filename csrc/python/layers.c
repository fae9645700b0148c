/* layers.c: the forward paths that most programs live in, without a Python frame: Linear,
 * Sequential, ReLU. Their Python classes (nn/modules) inherit from these and from Module and add
 * everything else. */
#include "ops/matmul.h"
#include "python/module.h"
#include "python/override.h"

static PyObject *str_weight, *str_bias, *str_input, *str_inplace;

/* The one argument `input` of a forward, by position or name; borrowed.  NULL with the TypeError a
 * Python function gives. */
static inline PyObject *one_input(PyObject *self, PyObject *const *args, Py_ssize_t n,
                                  PyObject *kwnames)
{
    Py_ssize_t named = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
    if (n == 1 && named == 0)
        return args[0];
    if (n == 0 && named == 1 && PyUnicode_Compare(PyTuple_GET_ITEM(kwnames, 0), str_input) == 0)
        return args[0];
    const char *type = Py_TYPE(self)->tp_name;
    for (Py_ssize_t i = 0; i < named; i++) {
        PyObject *name = PyTuple_GET_ITEM(kwnames, i);
        if (PyUnicode_Compare(name, str_input) != 0)
            return PyErr_Format(PyExc_TypeError,
                                "%s.forward() got an unexpected keyword argument '%U'", type, name);
        if (n > 0)
            return PyErr_Format(PyExc_TypeError,
                                "%s.forward() got multiple values for argument 'input'", type);
    }
    if (n == 0)
        return PyErr_Format(PyExc_TypeError,
                            "%s.forward() missing 1 required positional argument: 'input'", type);
    return PyErr_Format(PyExc_TypeError,
                        "%s.forward() takes 2 positional arguments but %zd were given", type,
                        n + 1);
}

static int not_tensor(const char *f, const char *what, int position, PyObject *o)
{
    PyErr_Format(PyExc_TypeError, "%s(): argument '%s' (position %d) must be Tensor, not %s", f,
                 what, position, Py_TYPE(o)->tp_name);
    return -1;
}

/* ---- Linear ---- */

/* y = x W^T + b: x (*, in_features), W (out_features, in_features), b (out_features) or None. */
static PyObject *linear_forward(PyObject *self, PyObject *const *args, Py_ssize_t n,
                                PyObject *kwnames)
{
    PyObject *x = one_input(self, args, n, kwnames);
    if (!x)
        return NULL;
    PyObject *weight = rl_py_module_parameter(self, str_weight);
    PyObject *bias = weight ? rl_py_module_parameter(self, str_bias) : NULL, *result = NULL;
    if (!weight || !bias)
        goto end;
    if (rl_py_may_override(x) || rl_py_may_override(weight) || rl_py_may_override(bias)) {
        PyObject *all[] = {x, weight, bias};
        result = rl_py_override_function("linear", all, 3, NULL);
        goto end;
    }
    if (!rl_py_is_tensor(x)) {
        not_tensor("linear", "input", 1, x);
        goto end;
    }
    if (!rl_py_is_tensor(weight)) {
        not_tensor("linear", "weight", 2, weight);
        goto end;
    }
    if (bias != Py_None && !rl_py_is_tensor(bias)) {
        not_tensor("linear", "bias", 3, bias);
        goto end;
    }
    result = rl_py_wrap(rl_linear(rl_py_borrow(x), rl_py_borrow(weight),
                                  bias == Py_None ? NULL : rl_py_borrow(bias)));
end:
    Py_XDECREF(weight);
    Py_XDECREF(bias);
    return result;
}

/* ---- Sequential ---- */

static PyObject *relu_forward(PyObject *self, PyObject *const *args, Py_ssize_t n,
                              PyObject *kwnames);

/* Linear and the ReLU after it in one pass over the result: the same bits.  Only where nobody can
 * see that the step between is missing: both are called without hooks and with these forwards, and
 * no graph is made.  Returns NULL without an exception when that is not so. */
static PyObject *linear_and_relu(PyObject *child, PyObject *next, PyObject *x)
{
    if (!rl_py_is_tensor(x) || rl_py_overrides(x) ||
        !rl_py_module_runs(child, (PyCFunction)(void (*)(void))linear_forward) ||
        !rl_py_module_runs(next, (PyCFunction)(void (*)(void))relu_forward))
        return NULL;
    PyObject *weight = rl_py_module_parameter(child, str_weight);
    PyObject *bias = weight ? rl_py_module_parameter(child, str_bias) : NULL, *result = NULL;
    if (bias && rl_py_is_tensor(weight) && (bias == Py_None || rl_py_is_tensor(bias)) &&
        !rl_py_overrides(weight) && !rl_py_may_override(bias)) {
        rl_tensor *t = rl_py_borrow(x), *w = rl_py_borrow(weight),
                  *b = bias == Py_None ? NULL : rl_py_borrow(bias);
        if (!rl_recording(t) && !rl_recording(w) && !rl_recording(b))
            result = rl_py_wrap(rl_linear_relu(t, w, b));
    }
    Py_XDECREF(weight);
    Py_XDECREF(bias);
    return result;
}

/* input through the children in order, each called as a module with its hooks. */
static PyObject *sequential_forward(PyObject *self, PyObject *const *args, Py_ssize_t n,
                                    PyObject *kwnames)
{
    PyObject *x = one_input(self, args, n, kwnames), *children = rl_py_module_children(self), *name,
             *child;
    if (!x)
        return NULL;
    if (!children) {
        PyErr_Format(PyExc_AttributeError, "'%s' object has no attribute '_modules'",
                     Py_TYPE(self)->tp_name);
        return NULL;
    }
    if (Py_EnterRecursiveCall(" in Sequential.forward")) /* it may contain itself */
        return NULL;
    Py_INCREF(children);
    Py_ssize_t at = 0, count = PyDict_GET_SIZE(children);
    PyObject *stack[2] = {NULL, Py_NewRef(x)};
    while (stack[1] && PyDict_Next(children, &at, &name, &child)) {
        Py_INCREF(child);
        PyObject *y = NULL, *next = NULL;
        Py_ssize_t after = at;
        if (PyDict_Next(children, &after, &name, &next)) {
            Py_INCREF(next);
            y = linear_and_relu(child, next, stack[1]);
            if (y)
                at = after;
            Py_DECREF(next);
        }
        if (!y && !PyErr_Occurred())
            y = PyObject_Vectorcall(child, stack + 1, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
        Py_DECREF(child);
        Py_SETREF(stack[1], y);
        if (y && PyDict_GET_SIZE(children) != count) {
            PyErr_SetString(PyExc_RuntimeError, "dictionary changed size during iteration");
            Py_CLEAR(stack[1]);
        }
    }
    Py_DECREF(children);
    Py_LeaveRecursiveCall();
    return stack[1];
}

/* ---- ReLU ---- */

static PyObject *relu_forward(PyObject *self, PyObject *const *args, Py_ssize_t n,
                              PyObject *kwnames)
{
    PyObject *x = one_input(self, args, n, kwnames);
    if (!x)
        return NULL;
    PyObject *flag = rl_py_module_attribute(self, str_inplace);
    int inplace = flag ? PyObject_IsTrue(flag) : 0;
    if (inplace < 0)
        return NULL;
    if (rl_py_may_override(x)) {
        PyObject *both[] = {x, inplace ? Py_True : Py_False};
        return rl_py_override_function("_relu", both, 2, NULL);
    }
    if (!rl_py_is_tensor(x)) {
        not_tensor("relu", "input", 1, x);
        return NULL;
    }
    return rl_py_wrap(inplace ? rl_relu_(rl_py_borrow(x)) : rl_relu(rl_py_borrow(x)));
}

/* nn.functional.relu(input, inplace=False): the operator has no inplace=. */
static PyObject *functional_relu(PyObject *module, PyObject *const *args, Py_ssize_t n,
                                 PyObject *kwnames)
{
    PyObject *given[2] = {n > 0 ? args[0] : NULL, n > 1 ? args[1] : NULL};
    if (n > 2)
        return PyErr_Format(PyExc_TypeError,
                            "relu() takes from 1 to 2 positional arguments but %zd were given", n);
    for (Py_ssize_t i = 0; kwnames && i < PyTuple_GET_SIZE(kwnames); i++) {
        PyObject *name = PyTuple_GET_ITEM(kwnames, i);
        int at = PyUnicode_Compare(name, str_input) == 0     ? 0
                 : PyUnicode_Compare(name, str_inplace) == 0 ? 1
                                                             : -1;
        if (at < 0)
            return PyErr_Format(PyExc_TypeError, "relu() got an unexpected keyword argument '%U'",
                                name);
        if (given[at])
            return PyErr_Format(PyExc_TypeError, "relu() got multiple values for argument '%U'",
                                name);
        given[at] = args[n + i];
    }
    if (!given[0])
        return PyErr_Format(PyExc_TypeError,
                            "relu() missing 1 required positional argument: 'input'");
    if (rl_py_may_override(given[0]))
        return rl_py_override_function("_relu", args, n, kwnames);
    if (!rl_py_is_tensor(given[0])) {
        not_tensor("relu", "input", 1, given[0]);
        return NULL;
    }
    int inplace = given[1] ? PyObject_IsTrue(given[1]) : 0;
    if (inplace < 0)
        return NULL;
    return rl_py_wrap(inplace ? rl_relu_(rl_py_borrow(given[0])) : rl_relu(rl_py_borrow(given[0])));
}

/* _same_shape(a, b): the losses' check, without making a Size of either. */
static PyObject *same_shape(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    for (int i = 0; i < 2; i++)
        if (n != 2 || !rl_py_is_tensor(args[i]))
            return PyErr_Format(PyExc_AttributeError, "'%s' object has no attribute 'size'",
                                n == 2 ? Py_TYPE(args[i])->tp_name : "NoneType");
    return PyBool_FromLong(rl_same_shape(rl_py_borrow(args[0]), rl_py_borrow(args[1])));
}

static PyMethodDef functions[] = {
    {"_same_shape", (PyCFunction)(void (*)(void))same_shape, METH_FASTCALL, NULL},
    {"_relu", (PyCFunction)(void (*)(void))functional_relu, METH_FASTCALL | METH_KEYWORDS,
     "relu(input, inplace=False) -> Tensor\n\nmax(x, 0); inplace writes into the input."},
    {NULL, NULL, 0, NULL},
};

/* ---- types ---- */

#define FORWARD(f) {"forward", (PyCFunction)(void (*)(void))f, METH_FASTCALL | METH_KEYWORDS, NULL}
#define LAYER(name, doc, f)                                                                        \
    static PyMethodDef f##_methods[] = {FORWARD(f), {NULL, NULL, 0, NULL}};                        \
    static PyTypeObject name = {                                                                   \
        PyVarObject_HEAD_INIT(NULL, 0).tp_name = "rushlight._C." #name,                            \
        .tp_doc = doc,                                                                             \
        .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,                                      \
        .tp_methods = f##_methods,                                                                 \
    }

LAYER(Linear, "Forward pass of rushlight.nn.Linear.", linear_forward);
LAYER(Sequential, "Forward pass of rushlight.nn.Sequential.", sequential_forward);
LAYER(ReLU, "Forward pass of rushlight.nn.ReLU.", relu_forward);

int rl_py_add_layers(PyObject *module)
{
    static const struct {
        const char *name;
        PyTypeObject *type;
    } layers[] = {{"Linear", &Linear}, {"Sequential", &Sequential}, {"ReLU", &ReLU}};
    if (!(str_weight = PyUnicode_InternFromString("weight")) ||
        !(str_bias = PyUnicode_InternFromString("bias")) ||
        !(str_input = PyUnicode_InternFromString("input")) ||
        !(str_inplace = PyUnicode_InternFromString("inplace")))
        return -1;
    if (PyModule_AddFunctions(module, functions) < 0)
        return -1;
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        PyTypeObject *type = layers[i].type;
        type->tp_base = rl_py_module_type();
        if (PyType_Ready(type) < 0)
            return -1;
        if (PyModule_AddObjectRef(module, layers[i].name, (PyObject *)type) < 0)
            return -1;
    }
    return 0;
}
