/* random.c: Generator and the default generator.  manual_seed and its like are Python
 * (rushlight/random.py). */
#include "core/random.h"

#include "python/py.h"

typedef struct py_generator {
    PyObject_HEAD rl_generator *g; /* owned */
    PyObject *weakrefs;
} py_generator;

int rl_py_generator(PyObject *o, rl_generator **out, const char *what)
{
    if (o == NULL || o == Py_None) {
        *out = NULL;
        return 0;
    }
    if (!PyObject_TypeCheck(o, &rl_py_generator_type)) {
        PyErr_Format(PyExc_TypeError, "%s must be a Generator or None, not %.100s", what,
                     Py_TYPE(o)->tp_name);
        return -1;
    }
    *out = ((py_generator *)o)->g;
    return 0;
}

static PyObject *wrap_generator(PyTypeObject *type, rl_generator *g)
{
    if (!g)
        return rl_py_raise();
    py_generator *self = (py_generator *)type->tp_alloc(type, 0);
    if (!self) {
        rl_generator_release(g);
        return NULL;
    }
    self->g = g;
    return (PyObject *)self;
}

/* "cpu", "cpu:0", device("cpu"): anything whose text is that. */
static int check_device(PyObject *device)
{
    if (!device || device == Py_None)
        return 0;
    PyObject *text = PyObject_Str(device);
    if (!text)
        return -1;
    const char *name = PyUnicode_AsUTF8(text);
    int result = -1;
    if (name && (!strcmp(name, "cpu") || !strcmp(name, "cpu:0")))
        result = 0;
    else if (name)
        PyErr_Format(PyExc_RuntimeError,
                     "Generator: rushlight computes on the CPU only, got device '%s'", name);
    Py_DECREF(text);
    return result;
}

static PyObject *generator_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"device", NULL};
    PyObject *device = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:Generator", names, &device) ||
        check_device(device))
        return NULL;
    return wrap_generator(type, rl_generator_new(RL_DEFAULT_SEED));
}

static void generator_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    if (((py_generator *)self)->weakrefs)
        PyObject_ClearWeakRefs(self);
    rl_generator_release(((py_generator *)self)->g);
    type->tp_free(self);
    if (type->tp_flags & Py_TPFLAGS_HEAPTYPE)
        Py_DECREF(type);
}

/* A seed is any 64 bits, written as a signed or an unsigned number. */
static PyObject *generator_manual_seed(PyObject *self, PyObject *seed)
{
    if (!PyIndex_Check(seed))
        return PyErr_Format(PyExc_RuntimeError, "manual_seed expected a long, but got %.100s",
                            Py_TYPE(seed)->tp_name);
    PyObject *number = PyNumber_Index(seed);
    if (!number)
        return NULL;
    int overflow = 0;
    uint64_t bits = (uint64_t)PyLong_AsLongLongAndOverflow(number, &overflow);
    if (overflow > 0) {
        bits = PyLong_AsUnsignedLongLong(number);
        overflow = PyErr_Occurred() ? 1 : 0;
        PyErr_Clear();
    }
    Py_DECREF(number);
    if (overflow) {
        PyErr_SetString(PyExc_ValueError, "Overflow when unpacking long long");
        return NULL;
    }
    rl_manual_seed(((py_generator *)self)->g, bits);
    return Py_NewRef(self);
}

static PyObject *generator_seed(PyObject *self, PyObject *unused)
{
    uint64_t seed = rl_random_entropy();
    rl_manual_seed(((py_generator *)self)->g, seed);
    return PyLong_FromUnsignedLongLong(seed);
}

static PyObject *generator_initial_seed(PyObject *self, PyObject *unused)
{
    return PyLong_FromUnsignedLongLong(rl_initial_seed(((py_generator *)self)->g));
}

static PyObject *generator_get_state(PyObject *self, PyObject *unused)
{
    int64_t size = RL_RANDOM_STATE_BYTES;
    rl_tensor *t = rl_empty_shape(RL_U8, 1, &size);
    if (t)
        rl_random_get_state(((py_generator *)self)->g, rl_data(t));
    return rl_py_wrap(t);
}

static PyObject *generator_set_state(PyObject *self, PyObject *state)
{
    if (!rl_py_is_tensor(state))
        return PyErr_Format(PyExc_TypeError, "expected a torch.ByteTensor, but got %.100s",
                            Py_TYPE(state)->tp_name);
    rl_tensor *t = rl_py_borrow(state);
    if (t->dtype != RL_U8) {
        PyErr_SetString(PyExc_TypeError, "RNG state must be a torch.ByteTensor");
        return NULL;
    }
    RL_TEMP *bytes = rl_contiguous_data(t);
    if (!bytes || rl_random_set_state(((py_generator *)self)->g, rl_data(bytes), bytes->numel))
        return rl_py_raise();
    return Py_NewRef(self);
}

static PyObject *generator_clone_state(PyObject *self, PyObject *unused)
{
    return wrap_generator(Py_TYPE(self), rl_generator_clone(((py_generator *)self)->g));
}

static PyObject *generator_offset(PyObject *self, PyObject *unused)
{
    PyErr_SetString(PyExc_RuntimeError, "CPU Generator does not use offset");
    return NULL;
}

static PyObject *generator_device(PyObject *self, void *unused)
{
    PyObject *module = PyImport_ImportModule("rushlight._C");
    PyObject *device = module ? PyObject_CallMethod(module, "device", "s", "cpu") : NULL;
    Py_XDECREF(module);
    return device;
}

/* Pickled as Generator(device), then __setstate__((seed, offset, state)): PyTorch's form. */
static PyObject *generator_reduce(PyObject *self, PyObject *unused)
{
    PyObject *state = generator_get_state(self, NULL);
    if (!state)
        return NULL;
    return Py_BuildValue("O(s)(KON)", Py_TYPE(self), "cpu",
                         (unsigned long long)rl_initial_seed(((py_generator *)self)->g), Py_None,
                         state);
}

static PyObject *generator_setstate(PyObject *self, PyObject *args)
{
    PyObject *seed, *offset, *state;
    if (!PyArg_ParseTuple(args, "OOO:__setstate__", &seed, &offset, &state))
        return NULL;
    PyObject *result = generator_set_state(self, state);
    if (!result)
        return NULL;
    Py_DECREF(result);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"manual_seed", generator_manual_seed, METH_O,
     "manual_seed(seed) -> Generator\n\nStarts the sequence that belongs to seed, an int from "
     "-2**63 to 2**64 - 1.  Returns the generator itself."},
    {"seed", generator_seed, METH_NOARGS,
     "seed() -> int\n\nStarts from 64 unpredictable bits of the system and returns them."},
    {"initial_seed", generator_initial_seed, METH_NOARGS,
     "initial_seed() -> int\n\nThe seed from which the generator was started."},
    {"get_state", generator_get_state, METH_NOARGS,
     "get_state() -> Tensor\n\nThe state as 5056 bytes (uint8), in PyTorch's layout."},
    {"set_state", generator_set_state, METH_O,
     "set_state(state) -> Generator\n\nGoes back to a state from get_state()."},
    {"clone_state", generator_clone_state, METH_NOARGS,
     "clone_state() -> Generator\n\nA new generator in the same state."},
    {"get_offset", generator_offset, METH_NOARGS, "RuntimeError: only GPU generators have one."},
    {"set_offset", generator_offset, METH_O, "RuntimeError: only GPU generators have one."},
    {"__reduce__", generator_reduce, METH_NOARGS, NULL},
    {"__setstate__", generator_setstate, METH_O, NULL},
    {NULL},
};

static PyGetSetDef getset[] = {
    {"device", generator_device, NULL, "Always device(type='cpu').", NULL},
    {NULL},
};

PyTypeObject rl_py_generator_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "rushlight._C.Generator",
    .tp_doc = "Generator(device='cpu')\n\nA source of random numbers: the Mersenne Twister, with "
              "PyTorch's seeding and state, so equal seeds give equal numbers.",
    .tp_basicsize = sizeof(py_generator),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_new = generator_new,
    .tp_dealloc = generator_dealloc,
    .tp_methods = methods,
    .tp_getset = getset,
    .tp_weaklistoffset = offsetof(py_generator, weakrefs),
};

int rl_py_add_random(PyObject *module)
{
    if (PyType_Ready(&rl_py_generator_type) < 0 ||
        PyModule_AddObjectRef(module, "Generator", (PyObject *)&rl_py_generator_type) < 0)
        return -1;
    rl_generator *g = rl_default_generator();
    rl_generator_retain(g);
    PyObject *generator = wrap_generator(&rl_py_generator_type, g);
    int result = generator ? PyModule_AddObjectRef(module, "default_generator", generator) : -1;
    Py_XDECREF(generator);
    return result;
}
