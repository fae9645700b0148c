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

/* A tensor whose calls nobody overrides. */
static inline bool is_plain(PyObject *o) { return rl_py_is_tensor(o) && !rl_py_overrides(o); }

/* Weight and bias (NULL: none) of a Linear, which own[] keeps alive.  False when they are no plain
 * tensors; then own[1] is NULL where an exception is set. */
static inline bool linear_parameters(PyObject *self, PyObject *own[2], rl_tensor **w, rl_tensor **b)
{
    own[0] = rl_py_module_parameter(self, str_weight);
    own[1] = own[0] ? rl_py_module_parameter(self, str_bias) : NULL;
    if (!own[1] || !is_plain(own[0]) || (own[1] != Py_None && !is_plain(own[1])))
        return false;
    *w = rl_py_borrow(own[0]);
    *b = own[1] == Py_None ? NULL : rl_py_borrow(own[1]);
    return true;
}

static void let_go(PyObject *own[2])
{
    Py_XDECREF(own[0]);
    Py_XDECREF(own[1]);
}

/* What is not three tensors, or overrides. */
static PyObject *linear_otherwise(PyObject *x, PyObject *weight, PyObject *bias)
{
    if (rl_py_may_override(x) || rl_py_may_override(weight) || rl_py_may_override(bias)) {
        PyObject *all[] = {x, weight, bias};
        return rl_py_override_function("linear", all, 3, NULL);
    }
    if (!rl_py_is_tensor(x))
        not_tensor("linear", "input", 1, x);
    else if (!rl_py_is_tensor(weight))
        not_tensor("linear", "weight", 2, weight);
    else
        not_tensor("linear", "bias", 3, bias);
    return NULL;
}

/* y = x W^T + b: x (*, in_features), W (out_features, in_features), b (out_features) or None. */
static PyObject *linear_forward(PyObject *self, PyObject *const *args, Py_ssize_t n,
                                PyObject *kwnames)
{
    PyObject *x = one_input(self, args, n, kwnames), *own[2], *result = NULL;
    rl_tensor *w, *b;
    if (!x)
        return NULL;
    if (linear_parameters(self, own, &w, &b) && is_plain(x))
        result = rl_py_wrap(rl_linear(rl_py_borrow(x), w, b));
    else if (own[1])
        result = linear_otherwise(x, own[0], own[1]);
    let_go(own);
    return result;
}

/* ---- Sequential ---- */

static PyObject *relu_forward(PyObject *self, PyObject *const *args, Py_ssize_t n,
                              PyObject *kwnames);
#define LINEAR_FORWARD (PyCFunction)(void (*)(void)) linear_forward
#define RELU_FORWARD (PyCFunction)(void (*)(void)) relu_forward

/* 1 or 0: the flag `inplace` of a ReLU; -1 with an exception. */
static inline int is_inplace(PyObject *self)
{
    PyObject *flag = rl_py_module_attribute(self, str_inplace);
    return !flag || flag == Py_False ? 0 : PyObject_IsTrue(flag);
}

/* x through a Linear or ReLU that is called without hooks and runs the forward of this file: nobody
 * sees that its result gets no Python object.  *steps: how many modules that were.  0: another
 * module, nothing has been done.  2: a Linear and the ReLU after it (`next`, may be NULL) in one
 * pass over the result, the same bits; only where no graph is made, in which a step would be
 * missing.  NULL with *steps > 0: an exception is set. */
static rl_tensor *step(PyObject *child, PyObject *next, rl_tensor *x, int *steps)
{
    rl_tensor *y = NULL, *w, *b;
    PyObject *own[2];
    PyCFunction forward = rl_py_module_forward(child);
    *steps = 0;
    if (forward == LINEAR_FORWARD) {
        if (linear_parameters(child, own, &w, &b)) {
            *steps = next && !rl_recording(x) && !rl_recording(w) && !rl_recording(b) &&
                             rl_py_module_forward(next) == RELU_FORWARD
                         ? 2
                         : 1;
            y = *steps == 2 ? rl_linear_relu(x, w, b) : rl_linear(x, w, b);
        } else if (!own[1]) {
            *steps = 1;
        }
        let_go(own);
    } else if (forward == RELU_FORWARD) {
        int inplace = is_inplace(child);
        *steps = 1;
        if (inplace >= 0)
            y = inplace ? rl_relu_(x) : rl_relu(x);
    }
    if (*steps && !y && !PyErr_Occurred())
        rl_py_raise();
    return y;
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
    rl_tensor *t = NULL; /* what stack[1] would hold, when nobody needs its Python object */
    while ((t || stack[1]) && PyDict_Next(children, &at, &name, &child)) {
        PyObject *next = NULL;
        Py_ssize_t after = at;
        PyDict_Next(children, &after, &name, &next);
        Py_INCREF(child);
        Py_XINCREF(next);
        int steps = 0;
        rl_tensor *y = NULL;
        if (t ? !rl_py_modes : is_plain(stack[1]))
            y = step(child, next, t ? t : rl_py_borrow(stack[1]), &steps);
        if (steps) {
            rl_release(t);
            t = y;
            Py_CLEAR(stack[1]);
            at = steps == 2 ? after : at;
        } else {
            if (t)
                stack[1] = rl_py_wrap(t);
            t = NULL;
            if (stack[1])
                Py_SETREF(stack[1], PyObject_Vectorcall(child, stack + 1,
                                                        1 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL));
        }
        Py_DECREF(child);
        Py_XDECREF(next);
        if ((t || stack[1]) && PyDict_GET_SIZE(children) != count) {
            PyErr_SetString(PyExc_RuntimeError, "dictionary changed size during iteration");
            Py_CLEAR(stack[1]);
            rl_release(t);
            t = NULL;
        }
    }
    Py_DECREF(children);
    Py_LeaveRecursiveCall();
    return t ? rl_py_wrap(t) : stack[1];
}

/* ---- ReLU ---- */

static PyObject *relu_forward(PyObject *self, PyObject *const *args, Py_ssize_t n,
                              PyObject *kwnames)
{
    PyObject *x = one_input(self, args, n, kwnames);
    if (!x)
        return NULL;
    int inplace = is_inplace(self);
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
