/* override.c: __torch_function__: offering calls to the types of their arguments. */
#include "python/override.h"

#include "ops/view.h"
#include "python/args.h"

int rl_py_modes;
static PyObject *mode_stack;              /* list of entered TorchFunctionModes */
static _Thread_local bool subclasses_off; /* inside DisableTorchFunctionSubclass */
static _Thread_local bool all_off;        /* inside DisableTorchFunction */
static PyObject *name_torch_function, *disabled_impl, *operations, *nn_operations, *nowrap;

/* ---- who overrides ---- */

/* A type's __torch_function__, borrowed, or NULL where it has none or has switched it off.  Asked
 * with an exception pending too: the look-up would take that for its own and clear it. */
static PyObject *overriding_attribute(PyTypeObject *type)
{
    PyObject *error, *value, *traceback;
    PyErr_Fetch(&error, &value, &traceback);
    PyObject *f = _PyType_Lookup(type, name_torch_function);
    PyErr_Restore(error, value, traceback);
    return f && f != disabled_impl ? f : NULL;
}

bool rl_py_overrides_slow(PyObject *tensor)
{
    return !subclasses_off && !all_off && overriding_attribute(Py_TYPE(tensor));
}

bool rl_py_is_overriding(PyObject *o)
{
    PyTypeObject *type = Py_TYPE(o);
    if (type == &rl_py_tensor_type || type == rl_py_parameter_type || type == &PyFloat_Type ||
        type == &PyLong_Type || type == &PyBool_Type || type == &PyTuple_Type ||
        type == &PyList_Type || type == &PyUnicode_Type || o == Py_None || type == &PySlice_Type)
        return false;
    return !subclasses_off && !all_off && !PyType_Check(o) && overriding_attribute(type);
}

static bool overriding_inside(PyObject *o)
{
    if (rl_py_is_overriding(o))
        return true;
    if (!PyTuple_Check(o) && !PyList_Check(o))
        return false;
    PyObject **items = PySequence_Fast_ITEMS(o);
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(o); i++)
        if (rl_py_is_overriding(items[i]))
            return true;
    return false;
}

bool rl_py_any_overriding(PyObject *const *args, Py_ssize_t n)
{
    if (rl_py_modes && !all_off)
        return true;
    for (Py_ssize_t i = 0; i < n; i++)
        if (overriding_inside(args[i]))
            return true;
    return false;
}

/* Adds o to the list unless its type is there: before the first whose type it derives from. */
static int collect_one(PyObject *list, PyObject *o)
{
    if (!rl_py_is_overriding(o))
        return 0;
    Py_ssize_t n = PyList_GET_SIZE(list), at = n;
    for (Py_ssize_t i = 0; i < n; i++)
        if (Py_TYPE(PyList_GET_ITEM(list, i)) == Py_TYPE(o))
            return 0;
    for (Py_ssize_t i = n; i-- > 0;)
        if (PyType_IsSubtype(Py_TYPE(o), Py_TYPE(PyList_GET_ITEM(list, i))))
            at = i;
    return PyList_Insert(list, at, o);
}

static int collect(PyObject *list, PyObject *o)
{
    if (!PyTuple_Check(o) && !PyList_Check(o))
        return collect_one(list, o);
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(o); i++)
        if (collect_one(list, PySequence_Fast_GET_ITEM(o, i)))
            return -1;
    return 0;
}

bool rl_py_forgive(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    PyObject *type, *value, *trace; /* looking up attributes would lose a pending exception */
    PyErr_Fetch(&type, &value, &trace);
    bool take = (self && rl_py_overrides(self)) || rl_py_any_overriding(args, n);
    if (!take) {
        PyErr_Restore(type, value, trace);
        return false;
    }
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(trace);
    return true;
}

/* ---- offering a call ---- */

static PyObject *types_of(PyObject *list)
{
    PyObject *types = PyTuple_New(PyList_GET_SIZE(list));
    for (Py_ssize_t i = 0; types && i < PyList_GET_SIZE(list); i++)
        PyTuple_SET_ITEM(types, i, Py_NewRef((PyObject *)Py_TYPE(PyList_GET_ITEM(list, i))));
    return types;
}

static PyObject *ask(PyObject *whom, PyObject *func, PyObject *types, PyObject *args,
                     PyObject *kwargs)
{
    PyObject *method = PyObject_GetAttr(whom, name_torch_function);
    if (!method)
        return NULL;
    PyObject *result = NULL;
    if (PyMethod_Check(method) && PyMethod_GET_SELF(method) == whom && !PyType_Check(whom) &&
        PyErr_WarnEx(PyExc_UserWarning,
                     "Defining your `__torch_function__` as a plain method is deprecated and will "
                     "be an error in future, please define it as a classmethod.",
                     1)) {
        Py_DECREF(method);
        return NULL;
    }
    result = PyObject_CallFunctionObjArgs(method, func, types, args, kwargs, NULL);
    Py_DECREF(method);
    return result;
}

/* The innermost mode answers, itself taken off meanwhile. */
static PyObject *ask_mode(PyObject *func, PyObject *types, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t n = PyList_GET_SIZE(mode_stack);
    PyObject *mode = Py_NewRef(PyList_GET_ITEM(mode_stack, n - 1)), *result = NULL;
    if (!PyList_SetSlice(mode_stack, n - 1, n, NULL)) {
        rl_py_modes--;
        PyObject *method = PyObject_GetAttr(mode, name_torch_function);
        if (method)
            result = PyObject_CallFunctionObjArgs(method, func, types, args, kwargs, NULL);
        Py_XDECREF(method);
        PyObject *type, *value, *trace;
        PyErr_Fetch(&type, &value, &trace);
        if (!PyList_Append(mode_stack, mode))
            rl_py_modes++;
        PyErr_Restore(type, value, trace);
    }
    Py_DECREF(mode);
    return result;
}

/* "torch.Tensor.add" */
static PyObject *public_name(PyObject *func)
{
    PyObject *overrides = PyImport_ImportModule("rushlight.overrides");
    PyObject *name = overrides ? PyObject_CallMethod(overrides, "resolve_name", "O", func) : NULL;
    Py_XDECREF(overrides);
    if (!name || name == Py_None) {
        PyErr_Clear();
        Py_XSETREF(name, PyObject_Str(func));
    }
    return name;
}

/* Functions of C and of Python say it in different words, as they do in PyTorch. */
static void nobody(PyObject *func, PyObject *list, PyObject *types)
{
    PyObject *name = public_name(func);
    if (name && rl_py_is_overridable(func)) {
        PyObject *all = PySequence_List(types);
        if (all)
            PyErr_Format(PyExc_TypeError,
                         "no implementation found for '%U' on types that implement "
                         "__torch_function__: %R",
                         name, all);
        Py_XDECREF(all);
        Py_DECREF(name);
        return;
    }
    PyObject *text = name ? PyUnicode_FromFormat("Multiple dispatch failed for '%U'; all "
                                                 "__torch_function__ handlers returned "
                                                 "NotImplemented:\n",
                                                 name)
                          : NULL;
    for (Py_ssize_t i = 0; text && i < PyList_GET_SIZE(list); i++)
        Py_SETREF(text, PyUnicode_FromFormat("%U\n  - tensor subclass %R", text,
                                             Py_TYPE(PyList_GET_ITEM(list, i))));
    if (text)
        PyErr_SetObject(PyExc_TypeError, text);
    Py_XDECREF(text);
    Py_XDECREF(name);
}

/* Returns NotImplemented when nobody takes the call and `soft`. */
static PyObject *offer(PyObject *func, PyObject *args, PyObject *kwargs, bool soft)
{
    PyObject *list = PyList_New(0), *types = NULL, *result = NULL, *key, *value;
    bool asked = false;
    Py_ssize_t position = 0;
    int status = list && func ? 0 : -1;
    for (Py_ssize_t i = 0; !status && i < PyTuple_GET_SIZE(args); i++)
        status = collect(list, PyTuple_GET_ITEM(args, i));
    while (!status && kwargs && PyDict_Next(kwargs, &position, &key, &value))
        status = collect(list, value);
    if (!status)
        types = types_of(list);
    if (types && rl_py_modes && !all_off) {
        asked = true;
        result = ask_mode(func, types, args, kwargs);
    }
    for (Py_ssize_t i = 0;
         types && i < PyList_GET_SIZE(list) && (!asked || result == Py_NotImplemented); i++) {
        asked = true;
        Py_XSETREF(result, ask(PyList_GET_ITEM(list, i), func, types, args, kwargs));
    }
    if (result == Py_NotImplemented && !soft) {
        nobody(func, list, types);
        Py_CLEAR(result);
    }
    if (types && !asked)
        PyErr_SetString(PyExc_SystemError, "__torch_function__: no argument overrides the call");
    Py_XDECREF(types);
    Py_XDECREF(list);
    return result;
}

PyObject *rl_py_override(PyObject *func, PyObject *args, PyObject *kwargs)
{
    return offer(func, args, kwargs, false);
}

/* Positional and keyword arguments of a vectorcall as tuple and dict; self in front unless NULL. */
static int unpack(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *kw,
                  PyObject **tuple, PyObject **dict)
{
    Py_ssize_t first = self != NULL;
    *dict = NULL;
    *tuple = PyTuple_New(n + first);
    if (!*tuple)
        return -1;
    if (self)
        PyTuple_SET_ITEM(*tuple, 0, Py_NewRef(self));
    for (Py_ssize_t i = 0; i < n; i++)
        PyTuple_SET_ITEM(*tuple, i + first, Py_NewRef(args[i]));
    if (!kw || !PyTuple_GET_SIZE(kw))
        return 0;
    *dict = PyDict_New();
    for (Py_ssize_t i = 0; *dict && i < PyTuple_GET_SIZE(kw); i++)
        if (PyDict_SetItem(*dict, PyTuple_GET_ITEM(kw, i), args[n + i]))
            Py_CLEAR(*dict);
    if (*dict)
        return 0;
    Py_CLEAR(*tuple);
    return -1;
}

PyObject *rl_py_override_vector(PyObject *func, PyObject *self, PyObject *const *args, Py_ssize_t n,
                                PyObject *kw)
{
    PyObject *tuple, *dict, *result = NULL;
    if (!func) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_SystemError, "__torch_function__: the function has no name");
        return NULL;
    }
    if (!unpack(self, args, n, kw, &tuple, &dict)) {
        result = offer(func, tuple, dict, false);
        Py_DECREF(tuple);
        Py_XDECREF(dict);
    }
    return result;
}

/* The object that Python knows a function by. */
static PyObject *public_function(const char *name)
{
    PyObject *f = PyDict_GetItemString(operations, name);
    return f ? f : PyDict_GetItemString(nn_operations, name);
}

PyObject *rl_py_override_function(const char *name, PyObject *const *args, Py_ssize_t n,
                                  PyObject *kw)
{
    return rl_py_override_vector(public_function(name), NULL, args, n, kw);
}

PyObject *rl_py_override_method(const char *name, PyObject *self, PyObject *const *args,
                                Py_ssize_t n, PyObject *kw)
{
    return rl_py_override_vector(PyDict_GetItemString(rl_py_tensor_type.tp_dict, name), self, args,
                                 n, kw);
}

PyObject *rl_py_override_operator(const char *name, PyObject *a, PyObject *b)
{
    PyObject *func = PyDict_GetItemString(rl_py_tensor_type.tp_dict, name), *result = NULL;
    if (!func)
        return PyErr_Format(PyExc_SystemError, "Tensor has no method %s", name);
    PyObject *args = b ? PyTuple_Pack(2, a, b) : PyTuple_Pack(1, a);
    if (args)
        result = offer(func, args, NULL, b != NULL);
    Py_XDECREF(args);
    return result;
}

/* ---- what a subclass does unless it says otherwise ---- */

PyObject *rl_py_as_subclass(PyObject *tensor, PyTypeObject *cls)
{
    rl_tensor *alias = rl_alias_view(rl_py_borrow(tensor));
    return alias ? rl_py_wrap_as(cls, alias) : rl_py_raise();
}

/* Tensors in the result become cls.  Takes over the reference. */
static PyObject *convert(PyObject *result, PyTypeObject *cls)
{
    if (!result || cls == &rl_py_tensor_type)
        return result;
    if (rl_py_is_tensor(result)) {
        if (!PyType_IsSubtype(Py_TYPE(result), cls))
            Py_SETREF(result, rl_py_as_subclass(result, cls));
        return result;
    }
    if (!PyTuple_Check(result) && !PyList_Check(result))
        return result;
    Py_ssize_t n = PySequence_Fast_GET_SIZE(result);
    bool any = false;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PySequence_Fast_GET_ITEM(result, i);
        any |= rl_py_is_tensor(item) || PyTuple_Check(item) || PyList_Check(item);
    }
    if (!any)
        return result;
    PyObject *list = PyList_New(n);
    for (Py_ssize_t i = 0; list && i < n; i++) {
        PyObject *item = convert(Py_NewRef(PySequence_Fast_GET_ITEM(result, i)), cls);
        if (item)
            PyList_SET_ITEM(list, i, item);
        else
            Py_CLEAR(list);
    }
    if (!list || Py_IS_TYPE(result, &PyList_Type))
        Py_SETREF(result, list);
    else {
        Py_SETREF(result, PyObject_CallOneArg((PyObject *)Py_TYPE(result), list));
        Py_DECREF(list);
    }
    return result;
}

/* Tensor.__torch_function__(func, types, args=(), kwargs=None): calls func without overrides. */
static PyObject *tensor_torch_function(PyObject *cls, PyObject *all, PyObject *named)
{
    static char *names[] = {"func", "types", "args", "kwargs", NULL};
    PyObject *func, *types, *args = NULL, *kwargs = Py_None;
    if (!PyArg_ParseTupleAndKeywords(all, named, "OO|OO:__torch_function__", names, &func, &types,
                                     &args, &kwargs))
        return NULL;
    PyObject *sequence = PySequence_Fast(types, "types must be a sequence of types");
    if (!sequence)
        return NULL;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(sequence); i++) {
        PyObject *type = PySequence_Fast_GET_ITEM(sequence, i);
        if (PyType_Check(type) && !PyType_IsSubtype((PyTypeObject *)cls, (PyTypeObject *)type)) {
            Py_DECREF(sequence);
            Py_RETURN_NOTIMPLEMENTED;
        }
    }
    Py_DECREF(sequence);
    PyObject *tuple = args ? PySequence_Tuple(args) : PyTuple_New(0);
    if (!tuple)
        return NULL;
    bool before = subclasses_off;
    subclasses_off = true;
    PyObject *result = PyObject_Call(func, tuple, kwargs == Py_None ? NULL : kwargs);
    subclasses_off = before;
    Py_DECREF(tuple);
    int keep = result ? PySet_Contains(nowrap, func) : 0;
    if (keep < 0)
        PyErr_Clear(); /* a func without hash is not among them */
    return keep > 0 ? result : convert(result, (PyTypeObject *)cls);
}

static PyObject *as_subclass(PyObject *self, PyObject *cls)
{
    if (!PyType_Check(cls) || !PyType_IsSubtype((PyTypeObject *)cls, &rl_py_tensor_type))
        return PyErr_Format(PyExc_TypeError,
                            "as_subclass(): argument 'cls' must be a subclass of Tensor, not %R",
                            cls);
    return rl_py_as_subclass(self, (PyTypeObject *)cls);
}

static PyObject *make_subclass(PyObject *Py_UNUSED(self), PyObject *args, PyObject *named)
{
    static char *names[] = {"cls", "data", "require_grad", NULL};
    PyObject *cls, *data;
    int wants = 0;
    if (!PyArg_ParseTupleAndKeywords(args, named, "O!O!|p:_make_subclass", names, &PyType_Type,
                                     &cls, &rl_py_tensor_type, &data, &wants))
        return NULL;
    PyObject *function = PyDict_GetItemString(operations, "_make_subclass");
    return PyObject_CallFunctionObjArgs(function, cls, data, wants ? Py_True : Py_False, NULL);
}

PyMethodDef rl_py_override_methods[] = {
    {"__torch_function__", (PyCFunction)(void (*)(void))tensor_torch_function,
     METH_CLASS | METH_VARARGS | METH_KEYWORDS,
     "__torch_function__(func, types, args=(), kwargs=None)\n\nCalls func on subclasses as on "
     "tensors; the tensors of the result are made instances of the class."},
    {"_make_subclass", (PyCFunction)(void (*)(void))make_subclass,
     METH_STATIC | METH_VARARGS | METH_KEYWORDS,
     "_make_subclass(cls, data, require_grad=False) -> Tensor\n\ndata's memory without its history "
     "as an instance of cls."},
    {"as_subclass", as_subclass, METH_O,
     "as_subclass(cls) -> Tensor\n\nThe same memory and history as an instance of cls."},
    {NULL, NULL, 0, NULL},
};

/* ---- switching overrides off ---- */

typedef struct py_off {
    PyObject_HEAD bool before;
    bool entered;
} py_off;

static PyTypeObject off_type, all_off_type;

static bool *off_flag(PyObject *self)
{
    return Py_TYPE(self) == &all_off_type ? &all_off : &subclasses_off;
}

static PyObject *off_enter(PyObject *self, PyObject *Py_UNUSED(none))
{
    py_off *o = (py_off *)self;
    o->before = *off_flag(self);
    o->entered = true;
    *off_flag(self) = true;
    Py_RETURN_NONE;
}

static PyObject *off_exit(PyObject *self, PyObject *Py_UNUSED(args))
{
    py_off *o = (py_off *)self;
    if (o->entered)
        *off_flag(self) = o->before;
    o->entered = false;
    Py_RETURN_NONE;
}

static PyMethodDef off_methods[] = {
    {"__enter__", off_enter, METH_NOARGS, NULL},
    {"__exit__", off_exit, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject off_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "rushlight._C.DisableTorchFunctionSubclass",
    .tp_doc = "Context manager: inside, no subclass's __torch_function__ is called.",
    .tp_basicsize = sizeof(py_off),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = PyType_GenericNew,
    .tp_methods = off_methods,
};
static PyTypeObject all_off_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "rushlight._C.DisableTorchFunction",
    .tp_doc = "Context manager: inside, neither subclasses nor modes override calls.",
    .tp_basicsize = sizeof(py_off),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = PyType_GenericNew,
    .tp_methods = off_methods,
};

/* ---- functions of the module ---- */

/* func(*args, **kwargs): what a class's __torch_function__ is set to, to be left alone. */
static PyObject *disabled(PyObject *Py_UNUSED(m), PyObject *all, PyObject *named)
{
    static char *names[] = {"func", "types", "args", "kwargs", NULL};
    PyObject *func, *types, *args = NULL, *kwargs = Py_None;
    if (!PyArg_ParseTupleAndKeywords(all, named, "OO|OO:_disabled_torch_function_impl", names,
                                     &func, &types, &args, &kwargs))
        return NULL;
    PyObject *tuple = args ? PySequence_Tuple(args) : PyTuple_New(0);
    if (!tuple)
        return NULL;
    bool before = subclasses_off;
    subclasses_off = true;
    PyObject *result = PyObject_Call(func, tuple, kwargs == Py_None ? NULL : kwargs);
    subclasses_off = before;
    Py_DECREF(tuple);
    return result;
}

/* has_torch_function(relevant_args) -> bool */
static PyObject *has_torch_function(PyObject *Py_UNUSED(m), PyObject *args)
{
    PyObject *items = PySequence_Fast(args, "expected a sequence");
    if (!items)
        return NULL;
    bool found = rl_py_modes && !all_off;
    for (Py_ssize_t i = 0; !found && i < PySequence_Fast_GET_SIZE(items); i++)
        found = rl_py_is_overriding(PySequence_Fast_GET_ITEM(items, i));
    Py_DECREF(items);
    return PyBool_FromLong(found);
}

static PyObject *has_variadic(PyObject *Py_UNUSED(m), PyObject *const *args, Py_ssize_t n)
{
    bool found = rl_py_modes && !all_off;
    for (Py_ssize_t i = 0; !found && i < n; i++)
        found = rl_py_is_overriding(args[i]);
    return PyBool_FromLong(found);
}

static PyObject *has_unary(PyObject *Py_UNUSED(m), PyObject *o)
{
    return PyBool_FromLong((rl_py_modes && !all_off) || rl_py_is_overriding(o));
}

static PyObject *is_enabled(PyObject *Py_UNUSED(m), PyObject *Py_UNUSED(none))
{
    return PyBool_FromLong(!subclasses_off && !all_off);
}

static PyObject *push_mode(PyObject *Py_UNUSED(m), PyObject *mode)
{
    if (PyList_Append(mode_stack, mode))
        return NULL;
    rl_py_modes++;
    Py_RETURN_NONE;
}

static PyObject *pop_mode(PyObject *Py_UNUSED(m), PyObject *Py_UNUSED(none))
{
    Py_ssize_t n = PyList_GET_SIZE(mode_stack);
    if (!n) {
        PyErr_SetString(PyExc_RuntimeError, "no TorchFunctionMode is active");
        return NULL;
    }
    if (PyList_SetSlice(mode_stack, n - 1, n, NULL))
        return NULL;
    rl_py_modes--;
    Py_RETURN_NONE;
}

/* _torch_function_nowrap(funcs): results of these stay as they are. */
static PyObject *set_nowrap(PyObject *Py_UNUSED(m), PyObject *funcs)
{
    PyObject *set = PySet_New(funcs);
    if (!set)
        return NULL;
    Py_XSETREF(nowrap, set);
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"_disabled_torch_function_impl", (PyCFunction)(void (*)(void))disabled,
     METH_VARARGS | METH_KEYWORDS,
     "__torch_function__ of a class that wants none: results are plain tensors."},
    {"_has_torch_function", has_torch_function, METH_O,
     "Whether one of the arguments overrides calls."},
    {"_has_torch_function_variadic", (PyCFunction)(void (*)(void))has_variadic, METH_FASTCALL,
     "The same, arguments one by one."},
    {"_has_torch_function_unary", has_unary, METH_O, "The same of one argument."},
    {"_is_torch_function_enabled", is_enabled, METH_NOARGS,
     "Whether subclasses may override calls in this thread."},
    {"_push_torch_function_mode", push_mode, METH_O, NULL},
    {"_pop_torch_function_mode", pop_mode, METH_NOARGS, NULL},
    {"_torch_function_nowrap", set_nowrap, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

int rl_py_add_override(PyObject *module)
{
    all_off_type.tp_new = PyType_GenericNew;
    if (!(name_torch_function = PyUnicode_InternFromString("__torch_function__")) ||
        !(mode_stack = PyList_New(0)) || !(nowrap = PySet_New(NULL)) || PyType_Ready(&off_type) ||
        PyType_Ready(&all_off_type) || PyModule_AddFunctions(module, functions))
        return -1;
    disabled_impl = PyObject_GetAttrString(module, "_disabled_torch_function_impl");
    operations = PyModule_GetDict(module);
    PyObject *nn = PyDict_GetItemString(operations, "_nn");
    nn_operations = nn ? PyModule_GetDict(nn) : NULL;
    if (!disabled_impl || !nn_operations ||
        PyModule_AddObjectRef(module, "DisableTorchFunction", (PyObject *)&all_off_type))
        return -1;
    return PyModule_AddObjectRef(module, "DisableTorchFunctionSubclass", (PyObject *)&off_type);
}
