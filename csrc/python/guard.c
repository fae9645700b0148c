/* guard.c: overrides of the methods, attributes and functions that are not in the operator table.
 */
#include "python/override.h"

/* Note: guards.  The entry point of such a method is one of the numbered functions below, which
 * looks at self's type and goes on to the method itself; when that refuses its arguments, one of
 * them may still override the call.  Functions are guarded by the types of all their arguments. */

static struct guard {
    PyMethodDef def;        /* as Python sees it */
    const PyMethodDef *own; /* as its file wrote it */
    bool is_function;
} guards[0x80];
static int n_guards;

static PyObject *guarded_offer(const struct guard *g, PyObject *self, PyObject *const *args,
                               Py_ssize_t n, PyObject *kw)
{
    if (g->is_function)
        return rl_py_override_function(g->def.ml_name, args, n, kw);
    return rl_py_override_method(g->def.ml_name, self, args, n, kw);
}

/* Whether the arguments take the call over: before the method runs, and after it has failed. */
static bool overridden(const struct guard *g, PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    return g->is_function ? rl_py_any_overriding(args, n) : rl_py_overrides(self);
}

static bool refused(const struct guard *g, PyObject *const *args, Py_ssize_t n)
{
    return !g->is_function && PyErr_Occurred() && rl_py_forgive(NULL, args, n);
}

static PyObject *guarded_two(const struct guard *g, PyObject *self, PyObject *arg)
{
    PyObject **args = &arg;
    Py_ssize_t n = arg != NULL;
    if (g->def.ml_flags & METH_VARARGS) {
        args = PySequence_Fast_ITEMS(arg);
        n = PyTuple_GET_SIZE(arg);
    }
    PyObject *result = NULL;
    if (!overridden(g, self, args, n)) {
        result = g->own->ml_meth(self, arg);
        if (result || !refused(g, args, n))
            return result;
    }
    return guarded_offer(g, self, args, n, NULL);
}

static PyObject *guarded_fast(const struct guard *g, PyObject *self, PyObject *const *args,
                              Py_ssize_t n, PyObject *kw)
{
    Py_ssize_t all = n + (kw ? PyTuple_GET_SIZE(kw) : 0);
    if (!overridden(g, self, args, all)) {
        PyObject *result =
            ((_PyCFunctionFastWithKeywords)(void (*)(void))g->own->ml_meth)(self, args, n, kw);
        if (result || !refused(g, args, all))
            return result;
    }
    return guarded_offer(g, self, args, n, kw);
}

#define GUARD(i)                                                                                   \
    static PyObject *two_##i(PyObject *self, PyObject *arg)                                        \
    {                                                                                              \
        return guarded_two(&guards[i], self, arg);                                                 \
    }                                                                                              \
    static PyObject *fast_##i(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *kw)   \
    {                                                                                              \
        return guarded_fast(&guards[i], self, args, n, kw);                                        \
    }
#define ENTRY(i) {two_##i, fast_##i},
#define SIXTEEN(X, row)                                                                            \
    X(row##0)                                                                                      \
    X(row##1)                                                                                      \
    X(row##2)                                                                                      \
    X(row##3)                                                                                      \
    X(row##4)                                                                                      \
    X(row##5)                                                                                      \
    X(row##6)                                                                                      \
    X(row##7)                                                                                      \
    X(row##8)                                                                                      \
    X(row##9)                                                                                      \
    X(row##a)                                                                                      \
    X(row##b)                                                                                      \
    X(row##c)                                                                                      \
    X(row##d)                                                                                      \
    X(row##e)                                                                                      \
    X(row##f)
#define ALL(X)                                                                                     \
    SIXTEEN(X, 0x0)                                                                                \
    SIXTEEN(X, 0x1)                                                                                \
    SIXTEEN(X, 0x2) SIXTEEN(X, 0x3) SIXTEEN(X, 0x4) SIXTEEN(X, 0x5) SIXTEEN(X, 0x6) SIXTEEN(X, 0x7)
ALL(GUARD)
static const struct {
    PyCFunction two;
    _PyCFunctionFastWithKeywords fast;
} entries[] = {ALL(ENTRY)};

PyMethodDef *rl_py_guard(PyMethodDef *def, bool is_function)
{
    bool fast = def->ml_flags == (METH_FASTCALL | METH_KEYWORDS);
    bool two =
        def->ml_flags == METH_NOARGS || def->ml_flags == METH_O || def->ml_flags == METH_VARARGS;
    if (!fast && !two)
        return def; /* class and static methods */
    if (n_guards == sizeof entries / sizeof *entries) {
        PyErr_SetString(PyExc_SystemError, "more methods than guards: see guard.c");
        return NULL;
    }
    struct guard *g = &guards[n_guards];
    g->own = def;
    g->def = *def;
    g->is_function = is_function;
    g->def.ml_meth =
        fast ? (PyCFunction)(void (*)(void))entries[n_guards].fast : entries[n_guards].two;
    n_guards++;
    return &g->def;
}

/* An attribute's closure is its guard. */
typedef struct attribute_guard {
    PyGetSetDef def;
    const PyGetSetDef *own;
} attribute_guard;

/* descriptor.__get__ or __set__ */
static PyObject *accessor(const char *attribute, const char *name)
{
    PyObject *descriptor = PyDict_GetItemString(rl_py_tensor_type.tp_dict, attribute);
    return descriptor ? PyObject_GetAttrString(descriptor, name) : NULL;
}

static PyObject *guarded_get(PyObject *self, void *closure)
{
    const attribute_guard *g = closure;
    if (!rl_py_overrides(self))
        return g->own->get(self, g->own->closure);
    PyObject *func = accessor(g->def.name, "__get__");
    PyObject *result = func ? rl_py_override_vector(func, self, NULL, 0, NULL) : NULL;
    Py_XDECREF(func);
    return result;
}

static int guarded_set(PyObject *self, PyObject *value, void *closure)
{
    const attribute_guard *g = closure;
    if (!rl_py_overrides(self))
        return g->own->set(self, value, g->own->closure);
    PyObject *func = accessor(g->def.name, value ? "__set__" : "__delete__");
    PyObject *result = func ? rl_py_override_vector(func, self, &value, value != NULL, NULL) : NULL;
    Py_XDECREF(func);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

PyGetSetDef *rl_py_guard_getset(PyGetSetDef *def)
{
    if (!strncmp(def->name, "__", 2))
        return def;
    attribute_guard *g = PyMem_Calloc(1, sizeof *g); /* as long-lived as the type */
    if (!g) {
        PyErr_NoMemory();
        return NULL;
    }
    g->own = def;
    g->def = (PyGetSetDef){def->name, def->get ? guarded_get : NULL, def->set ? guarded_set : NULL,
                           def->doc, g};
    return &g->def;
}
