/* ops.c: the generated operators in Python: parse, call, convert the result. */
#include <math.h>

#include "core/iter.h"
#include "python/args.h"

typedef void (*rl_py_function)(void); /* a C function of the table; a shape knows its type */
typedef PyObject *(*rl_py_entry)(PyObject *, PyObject *const *, Py_ssize_t, PyObject *);
#define FUNCTION(ident)                                                                            \
    static PyObject *f_##ident(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *kw)  \
    {                                                                                              \
        return rl_py_call_function(operators + O_##ident, args, n, kw);                            \
    }
#define METHOD(ident)                                                                              \
    static PyObject *f_##ident(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *kw)  \
    {                                                                                              \
        return rl_py_call_method(self, args, n, kw, operators + O_##ident);                        \
    }
#include "python/gen/ops_bind.inc"

static PyTypeObject *structures[RL_PY_N_STRUCTS + 1];

/* ---- results ---- */

static PyObject *wrap_tuple(const rl_py_sig *sig, rl_py_result *r)
{
    PyObject *tuple = sig->structure < 0 ? PyTuple_New(sig->n_results)
                                         : PyStructSequence_New(structures[sig->structure]);
    for (int i = 0; i < sig->n_results; i++) {
        PyObject *item = NULL;
        if (!tuple) {
            rl_release(r->t[i]);
            continue;
        }
        item = r->t[i] ? rl_py_wrap(r->t[i]) : Py_NewRef(Py_None);
        if (!item) {
            Py_CLEAR(tuple);
            continue;
        }
        PyTuple_SET_ITEM(tuple, i, item); /* a struct sequence is a tuple */
    }
    return tuple;
}

static int refuses_gradient(const rl_py_op *op, const rl_tensor *y, const rl_tensor *out)
{
    if (rl_grad_enabled() && ((y->flags | out->flags) & RL_FLAG_REQUIRES_GRAD)) {
        PyErr_Format(PyExc_RuntimeError,
                     "%s(): functions with out=... arguments don't support automatic "
                     "differentiation, but one of the "
                     "arguments requires grad.",
                     rl_py_op_name(op));
        return -1;
    }
    return 0;
}

static PyObject *wrap_out(const rl_py_op *op, const rl_py_sig *sig, rl_py_call *c, rl_py_result *r)
{
    if (sig->kind == RL_PY_R_TENSOR) {
        if (!r->t[0])
            return rl_py_raise();
        if (refuses_gradient(op, r->t[0], rl_py_borrow(c->out))) {
            rl_release(r->t[0]);
            return NULL;
        }
        return rl_py_wrap(rl_out_assign(rl_py_borrow(c->out), r->t[0]));
    }
    bool fits = sig->kind == RL_PY_R_TUPLE && PySequence_Fast_GET_SIZE(c->out) == sig->n_results;
    if (!fits)
        PyErr_Format(PyExc_TypeError,
                     "%s(): argument 'out' must be tuple of %d Tensors, not of %zd",
                     rl_py_op_name(op), sig->n_results, PySequence_Fast_GET_SIZE(c->out));
    for (int i = 0; fits && i < sig->n_results; i++) {
        PyObject *o = PySequence_Fast_ITEMS(c->out)[i];
        if (!rl_py_is_tensor(o)) {
            PyErr_Format(PyExc_TypeError,
                         "%s(): argument 'out' must be tuple of Tensors, but found element of type "
                         "%s at pos %d",
                         rl_py_op_name(op), rl_py_type_name(o), i);
            fits = false;
        } else if (r->t[i] && refuses_gradient(op, r->t[i], rl_py_borrow(o))) {
            fits = false;
        }
    }
    for (int i = 0; i < sig->n_results; i++) {
        if (!fits)
            rl_release(r->t[i]);
        else if (!(r->t[i] =
                       rl_out_assign(rl_py_borrow(PySequence_Fast_ITEMS(c->out)[i]), r->t[i]))) {
            rl_py_raise();
            for (int j = 0; j < i; j++)
                rl_release(r->t[j]);
            for (int j = i + 1; j < sig->n_results; j++)
                rl_release(r->t[j]);
            return NULL;
        }
    }
    return fits ? wrap_tuple(sig, r) : NULL;
}

/* dtype= and requires_grad= of constructors.  Takes over t. */
static rl_tensor *finish_factory(const rl_py_call *c, rl_tensor *t)
{
    if (t && c->dtype != RL_NO_DTYPE && c->dtype != (rl_dtype)t->dtype) {
        rl_tensor *y = rl_cast_data(t, c->dtype);
        rl_release(t);
        t = y;
    }
    return c->requires_grad ? rl_py_require_grad(t) : t;
}

/* A constructor with out= computes in the dtype of out; dtype=, where given, must say the same. */
static int take_dtype_of_out(const rl_py_sig *sig, rl_py_call *c)
{
    rl_dtype own = (rl_dtype)rl_py_borrow(c->out)->dtype;
    for (int i = 0; i < sig->n; i++) {
        if (rl_py_params_of(sig)[i].type != RL_PY_OPT_DTYPE)
            continue;
        rl_dtype *asked = &c->slots[i].d;
        if (*asked != RL_NO_DTYPE && *asked != own) {
            PyErr_Format(PyExc_RuntimeError, "dtype %s does not match dtype of out parameter (%s)",
                         rl_dtype_title(*asked), rl_dtype_title(own));
            return -1;
        }
        *asked = own;
    }
    return 0;
}

static PyObject *finish(const rl_py_op *op, const rl_py_sig *sig, rl_py_call *c)
{
    if (c->out && (sig->flags & RL_PY_FACTORY) && take_dtype_of_out(sig, c)) {
        rl_py_call_end(c);
        return NULL;
    }
    rl_py_result r;
    r.t[0] = NULL;
    if (sig->kind == RL_PY_R_TUPLE)
        for (int i = 1; i < sig->n_results; i++)
            r.t[i] = NULL;
    rl_status status;
    RL_PY_RUN(c->work, status = shapes[sig->shape](functions[sig->function], c->slots, &r));
    PyObject *result = NULL;
    if (status) {
        if (sig->kind == RL_PY_R_TUPLE)
            for (int i = 0; i < sig->n_results; i++)
                rl_release(r.t[i]);
        rl_py_raise();
    } else if (c->out) {
        result = wrap_out(op, sig, c, &r);
    } else {
        switch ((rl_py_result_kind)sig->kind) {
        case RL_PY_R_TENSOR:
            if (c->requires_grad || c->dtype != RL_NO_DTYPE)
                r.t[0] = finish_factory(c, r.t[0]);
            if (c->format != RL_FORMAT_PRESERVE)
                r.t[0] = rl_in_format(r.t[0], (rl_memory_format)c->format);
            result = rl_py_wrap(r.t[0]);
            break;
        case RL_PY_R_TUPLE:
            result = wrap_tuple(sig, &r);
            break;
        case RL_PY_R_LIST:
            result = rl_py_wrap_list(&r.list, true);
            break;
        case RL_PY_R_BOOL:
            result = PyBool_FromLong(r.b);
            break;
        case RL_PY_R_INT:
            result = PyLong_FromLongLong(r.i);
            break;
        case RL_PY_R_NUMBER:
            result = rl_py_number(r.s);
            break;
        case RL_PY_R_DTYPE:
            result = rl_py_dtype_object(r.d);
            break;
        case RL_PY_R_NONE:
            result = Py_NewRef(Py_None);
            break;
        }
    }
    if (c->n_temps)
        rl_py_call_end(c);
    return result;
}

/* A call that somebody's __torch_function__ may answer.  c: what was parsed, released here; NULL
 * when the arguments did not fit and an exception says so, which stays unless one of them
 * overrides. */
static PyObject *foreign(const rl_py_op *op, rl_py_call *c, PyObject *self, PyObject *const *args,
                         Py_ssize_t n, PyObject *kw)
{
    if (c)
        rl_py_call_end(c);
    else if (!rl_py_forgive(self, args, n + (kw ? PyTuple_GET_SIZE(kw) : 0)))
        return NULL;
    return self ? rl_py_override_method(rl_py_op_name(op), self, args, n, kw)
                : rl_py_override_function(rl_py_op_name(op), args, n, kw);
}

PyObject *rl_py_call_function(const rl_py_op *op, PyObject *const *args, Py_ssize_t n, PyObject *kw)
{
    rl_py_call call;
    const rl_py_sig *sig = rl_py_parse(op, NULL, args, n, kw, &call);
    if (__builtin_expect(!sig || call.override, 0))
        return foreign(op, sig ? &call : NULL, NULL, args, n, kw);
    return finish(op, sig, &call);
}

PyObject *rl_py_call_method(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *kw,
                            const rl_py_op *op)
{
    rl_py_call call;
    const rl_py_sig *sig = rl_py_parse(op, self, args, n, kw, &call);
    if (__builtin_expect(!sig || call.override, 0))
        return foreign(op, sig ? &call : NULL, self, args, n, kw);
    return finish(op, sig, &call);
}

/* ---- x.new_zeros(...): the constructors with x's dtype ---- */

static PyObject *call_new(const rl_py_op *op, int dtype_slot, PyObject *self, PyObject *const *args,
                          Py_ssize_t n, PyObject *kw)
{
    rl_py_call call;
    const rl_py_sig *sig = rl_py_parse(op, NULL, args, n, kw, &call);
    if (!sig)
        return NULL;
    if (call.slots[dtype_slot].d == RL_NO_DTYPE)
        call.slots[dtype_slot].d = (rl_dtype)rl_py_borrow(self)->dtype;
    return finish(op, sig, &call);
}

#define NEW(name, factory, dtype_slot)                                                             \
    static PyObject *name(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *kw)       \
    {                                                                                              \
        static const rl_py_op op = {D_op_##factory##_f, 1, N_##name, S_op_##factory##_f};          \
        return call_new(&op, dtype_slot, self, args, n, kw);                                       \
    }
NEW(new_empty, empty, 1)
NEW(new_zeros, zeros, 1)
NEW(new_ones, ones, 1)
NEW(new_full, full, 2)
NEW(new_empty_strided, empty_strided, 2)

#define NEW_DEF(name, text)                                                                        \
    {#name, (PyCFunction)(void (*)(void))name, METH_FASTCALL | METH_KEYWORDS, #name text}
PyMethodDef rl_py_new_methods[] = {
    NEW_DEF(new_empty, "(*size, dtype=None) -> Tensor\n\nUninitialised tensor, of this tensor's "
                       "dtype unless given."),
    NEW_DEF(new_zeros,
            "(*size, dtype=None) -> Tensor\n\nZeros, of this tensor's dtype unless given."),
    NEW_DEF(new_ones,
            "(*size, dtype=None) -> Tensor\n\nOnes, of this tensor's dtype unless given."),
    NEW_DEF(new_full, "(size, fill_value, dtype=None) -> Tensor\n\nOne value, of this tensor's "
                      "dtype unless given."),
    NEW_DEF(new_empty_strided,
            "(size, stride, dtype=None) -> Tensor\n\nUninitialised, of this tensor's dtype."),
    {NULL, NULL, 0, NULL},
};

/* ---- named tuples: torch.return_types.max(values=..., indices=...) ---- */

static PyObject *structure_repr(PyObject *self)
{
    int which = 0;
    while (structures[which] != Py_TYPE(self))
        which++;
    PyObject *text = PyUnicode_FromFormat("torch.return_types.%s(\n", struct_fields[which][0]);
    Py_ssize_t n = PyTuple_GET_SIZE(self);
    for (Py_ssize_t i = 0; text && i < n; i++) {
        PyObject *value = PyObject_Repr(PyTuple_GET_ITEM(self, i));
        Py_SETREF(text, value ? PyUnicode_FromFormat("%U%s=%U%s", text, struct_fields[which][i + 1],
                                                     value, i + 1 < n ? ",\n" : ")")
                              : NULL);
        Py_XDECREF(value);
    }
    return text;
}

static int make_structures(PyObject *module)
{
    PyObject *all = PyDict_New();
    if (!all)
        return -1;
    for (int s = 0; s < RL_PY_N_STRUCTS; s++) {
        char name[64];
        snprintf(name, sizeof name, "torch.return_types.%s", struct_fields[s][0]);
        PyStructSequence_Field fields[9] = {{NULL, NULL}};
        int n = 0;
        for (; struct_fields[s][n + 1]; n++)
            fields[n].name = struct_fields[s][n + 1];
        PyStructSequence_Desc desc = {name, NULL, fields, n};
        structures[s] = PyStructSequence_NewType(&desc);
        if (!structures[s])
            return -1;
        structures[s]->tp_repr = structure_repr;
        structures[s]->tp_str = structure_repr;
        if (PyDict_SetItemString(all, struct_fields[s][0], (PyObject *)structures[s]))
            return -1;
    }
    return PyModule_AddObject(module, "_return_types", all);
}

/* ---- the tables that Python wants, made from ours ---- */

enum { N_TABLES = 4 };
static PyMethodDef definitions[N_FUNCTIONS + N_METHODS + N_NN + N_SPECIAL + N_TABLES];
PyMethodDef *rl_py_op_methods;

/* The n operators from `first` on, and an end. */
static PyMethodDef *define(PyMethodDef *def, int first, int n)
{
    for (int i = first; i < first + n; i++)
        *def++ =
            (PyMethodDef){rl_py_op_name(operators + i), (PyCFunction)(void (*)(void))entries[i],
                          METH_FASTCALL | METH_KEYWORDS, rl_py_op_docs + operators[i].doc};
    *def++ = (PyMethodDef){NULL, NULL, 0, NULL};
    return def;
}

static int add_module(PyObject *module, const char *name, const char *full_name, PyMethodDef *defs)
{
    PyObject *part = PyModule_New(full_name);
    if (!part || PyModule_AddFunctions(part, defs))
        return -1;
    return PyModule_AddObject(module, name, part);
}

int rl_py_add_ops(PyObject *module)
{
    rl_py_op_methods = define(definitions, 0, N_FUNCTIONS);
    PyMethodDef *nn = define(rl_py_op_methods, N_FUNCTIONS, N_METHODS);
    PyMethodDef *special = define(nn, N_FUNCTIONS + N_METHODS, N_NN);
    define(special, N_FUNCTIONS + N_METHODS + N_NN, N_SPECIAL);
    if (rl_py_init_names() || make_structures(module) || PyModule_AddFunctions(module, definitions))
        return -1;
    return add_module(module, "_nn", "rushlight._C._nn", nn) ||
                   add_module(module, "_special", "rushlight._C._special", special)
               ? -1
               : 0;
}
