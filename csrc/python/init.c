/* init.c: the module rushlight._C: its parts, and what belongs to the process. */
#include "core/alloc.h"
#include "python/args.h"
#include "python/override.h"

static PyObject *get_num_threads(PyObject *Py_UNUSED(m), PyObject *Py_UNUSED(a))
{
    return PyLong_FromLong(rl_num_threads());
}

static PyObject *set_num_threads(PyObject *Py_UNUSED(m), PyObject *o)
{
    int64_t n;
    if (PyBool_Check(o) || !PyLong_Check(o)) {
        PyErr_Format(PyExc_TypeError, "set_num_threads expects an int, but got %s",
                     Py_TYPE(o)->tp_name);
        return NULL;
    }
    if (rl_py_int(o, &n, "int"))
        return NULL;
    if (n < 1) {
        PyErr_SetString(PyExc_RuntimeError, "set_num_threads expects a positive integer");
        return NULL;
    }
    if (rl_set_num_threads(n > INT32_MAX ? INT32_MAX : (int)n))
        return rl_py_raise();
    Py_RETURN_NONE;
}

static PyObject *get_default_dtype(PyObject *Py_UNUSED(m), PyObject *Py_UNUSED(a))
{
    return rl_py_dtype_object(rl_default_dtype());
}

static PyObject *set_default_dtype(PyObject *Py_UNUSED(m), PyObject *o)
{
    rl_dtype dtype;
    if (!rl_py_is_dtype(o)) {
        PyErr_SetString(
            PyExc_TypeError,
            "invalid dtype object: only floating-point types are supported as the default type");
        return NULL;
    }
    if (rl_py_dtype(o, &dtype, "d"))
        return NULL;
    if (!rl_is_floating(dtype)) {
        PyErr_SetString(PyExc_TypeError,
                        "only floating-point types are supported as the default type");
        return NULL;
    }
    if (rl_set_default_dtype(dtype))
        return rl_py_raise();
    Py_RETURN_NONE;
}

static PyObject *isa(PyObject *Py_UNUSED(m), PyObject *Py_UNUSED(a))
{
    return PyUnicode_FromString(rl_isa());
}

static PyObject *memory_stats(PyObject *Py_UNUSED(m), PyObject *Py_UNUSED(a))
{
    rl_memory_stats s;
    rl_memory(&s);
    return Py_BuildValue("{s:n,s:n,s:n,s:K}", "in_use", (Py_ssize_t)s.in_use, "peak",
                         (Py_ssize_t)s.peak, "cached", (Py_ssize_t)s.cached, "n_alloc",
                         (unsigned long long)s.n_alloc);
}

static PyObject *reset_peak(PyObject *Py_UNUSED(m), PyObject *Py_UNUSED(a))
{
    rl_memory_reset_peak();
    Py_RETURN_NONE;
}

static PyObject *empty_cache(PyObject *Py_UNUSED(m), PyObject *Py_UNUSED(a))
{
    rl_empty_cache();
    Py_RETURN_NONE;
}

static PyObject *alloc_fail_after(PyObject *Py_UNUSED(m), PyObject *o)
{
    int64_t n;
    if (rl_py_int(o, &n, "n"))
        return NULL;
    rl_alloc_fail_after(n);
    Py_RETURN_NONE;
}

static PyObject *alloc_live(PyObject *Py_UNUSED(m), PyObject *Py_UNUSED(a))
{
    return PyLong_FromLongLong(rl_alloc_live());
}

/* For install_as_torch(): what print(type(x.shape)) shows of a type of the extension. */
static PyObject *set_type_name(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyTypeObject *type;
    const char *name;
    if (!PyArg_ParseTuple(args, "O!s", &PyType_Type, &type, &name))
        return NULL;
    if (!strchr(name, '.')) {
        PyErr_SetString(PyExc_ValueError, "_set_type_name: the name has no module");
        return NULL;
    }
    if (type == &rl_py_tensor_type) { /* its name has no module, see class_module() */
        PyObject *home = PyUnicode_FromStringAndSize(name, strrchr(name, '.') - name);
        int status = home ? PyDict_SetItemString(type->tp_dict, "__module__", home) : -1;
        Py_XDECREF(home);
        return status ? NULL : Py_NewRef(Py_None);
    }
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE || strncmp(type->tp_name, "rushlight.", 10)) {
        PyErr_Format(PyExc_TypeError, "_set_type_name: %s is not a type of this extension",
                     type->tp_name);
        return NULL;
    }
    char *kept = PyMem_Malloc(strlen(name) + 1); /* as long as the type: until the process ends */
    if (!kept)
        return PyErr_NoMemory();
    type->tp_name = strcpy(kept, name);
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"get_num_threads", get_num_threads, METH_NOARGS,
     "get_num_threads() -> int\n\nThreads that operators use."},
    {"set_num_threads", set_num_threads, METH_O,
     "set_num_threads(n)\n\nThreads that operators use; results do not depend on it."},
    {"get_default_dtype", get_default_dtype, METH_NOARGS,
     "get_default_dtype() -> dtype\n\nDtype of floating tensors unless given."},
    {"set_default_dtype", set_default_dtype, METH_O,
     "set_default_dtype(d)\n\nSets the dtype of floating tensors unless given."},
    {"_set_type_name", set_type_name, METH_VARARGS,
     "_set_type_name(type, name)\n\nShows a type of this extension under another name."},
    {"_isa", isa, METH_NOARGS, "_isa() -> str\n\nInstruction set in use."},
    {"_memory_stats", memory_stats, METH_NOARGS,
     "_memory_stats() -> dict\n\nThe allocator's figures in bytes."},
    {"_reset_peak_memory", reset_peak, METH_NOARGS,
     "_reset_peak_memory()\n\nStarts the peak figure anew."},
    {"_empty_cache", empty_cache, METH_NOARGS,
     "_empty_cache()\n\nGives kept memory back to the system."},
    {"_alloc_fail_after", alloc_fail_after, METH_O,
     "_alloc_fail_after(n)\n\nTests: the n-th allocation fails; 0 switches off."},
    {"_alloc_live", alloc_live, METH_NOARGS,
     "_alloc_live() -> int\n\nTests: blocks handed out now."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    "rushlight._C",
    "The extension module: tensors, operators, autograd and modules in C.",
    -1,
    functions,
    NULL,
    NULL,
    NULL,
    NULL,
};

PyMODINIT_FUNC PyInit__C(void)
{
    static int (*const parts[])(PyObject *) = {
        rl_py_add_number,      rl_py_add_ops,      rl_py_add_override, rl_py_add_tensor,
        rl_py_add_subscript,   rl_py_add_interop,  rl_py_add_factor,   rl_py_add_fft,
        rl_py_add_lapack,      rl_py_add_autograd, rl_py_add_random,   rl_py_add_module,
        rl_py_add_parameter,   rl_py_add_layers,   rl_py_add_optim,    rl_py_add_lbfgs,
        rl_py_add_overridable,
    };
    if (rl_isa_status()) { /* RUSHLIGHT_ISA names what does not exist or this machine lacks */
        PyErr_SetString(PyExc_ImportError, rl_error_message());
        return NULL;
    }
    PyObject *module = PyModule_Create(&definition);
    for (size_t i = 0; module && i < sizeof parts / sizeof *parts; i++)
        if (parts[i](module))
            Py_CLEAR(module);
    return module;
}
