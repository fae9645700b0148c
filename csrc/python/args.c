/* args.c: the one argument parser of all generated operators.
 *
 * The fast pass compares keyword names by pointer (names in calls are interned, and so are ours),
 * converts each argument into its slot and allocates nothing.  Everything slow (names built at run
 * time, NumPy's names for arguments, out= and the keywords of constructors, messages) comes after
 * that pass has failed to account for all arguments. */
#include "python/args_parse.h"

#include "core/iter.h"

PyObject **rl_py_names;
static int n_names;

/* Keywords that do not appear in the table's signatures. */
enum {
    KW_OUT,
    KW_DTYPE,
    KW_LAYOUT,
    KW_DEVICE,
    KW_PIN_MEMORY,
    KW_REQUIRES_GRAD,
    KW_MEMORY_FORMAT,
    KW_NAMES,
    N_KW
};
static const char *const extra_texts[N_KW] = {
    "out", "dtype", "layout", "device", "pin_memory", "requires_grad", "memory_format", "names",
};
static PyObject *extra_names[N_KW];

/* NumPy's names that PyTorch accepts: {name here, name there}. */
static const char *const aliases[][2] = {
    {"dim", "axis"}, {"keepdim", "keepdims"}, {"input", "x"},
    {"input", "a"},  {"input", "x1"},         {"other", "x2"},
};

int rl_py_init_names(void)
{
    if (rl_py_names)
        return 0;
    while (rl_py_name_list[n_names])
        n_names++;
    PyObject **names = PyMem_Calloc((size_t)n_names + 1, sizeof *names);
    if (!names) {
        PyErr_NoMemory();
        return -1;
    }
    for (int i = 0; i < n_names; i++)
        if (!(names[i] = PyUnicode_InternFromString(rl_py_name_list[i])))
            return -1;
    for (int i = 0; i < N_KW; i++)
        if (!(extra_names[i] = PyUnicode_InternFromString(extra_texts[i])))
            return -1;
    rl_py_names = names;
    return 0;
}

/* ---- what a call keeps until its end ---- */

static int keep(rl_py_call *c, int kind, void *p)
{
    if (c->n_temps == (int)(sizeof c->temps / sizeof *c->temps)) {
        PyErr_SetString(PyExc_SystemError, "too many temporaries in one call");
        return -1;
    }
    c->temps[c->n_temps].kind = kind;
    c->temps[c->n_temps++].p = p;
    return 0;
}

void rl_py_call_end(rl_py_call *c)
{
    for (int i = 0; i < c->n_temps; i++) {
        void *p = c->temps[i].p;
        switch (c->temps[i].kind) {
        case RL_PY_TEMP_TENSOR:
            rl_release(p);
            break;
        case RL_PY_TEMP_MEMORY:
            PyMem_Free(p);
            break;
        case RL_PY_TEMP_OBJECT:
            Py_DECREF((PyObject *)p);
            break;
        }
    }
    c->n_temps = 0;
}

/* Room for n words that lives as long as the call. */
static void *words(rl_py_call *c, Py_ssize_t n)
{
    if (n <= RL_PY_INT_ROOM - c->ints_used) {
        void *p = c->ints + c->ints_used;
        c->ints_used += (int)n;
        return p;
    }
    void *p = PyMem_Malloc((size_t)n * sizeof(int64_t));
    if (!p) {
        PyErr_NoMemory();
        return NULL;
    }
    if (keep(c, RL_PY_TEMP_MEMORY, p)) {
        PyMem_Free(p);
        return NULL;
    }
    return p;
}

/* ---- converting one argument: 1, 0 when the type does not fit, -1 with an exception ---- */

static void see_dtype(rl_py_call *c, rl_dtype dtype)
{
    if ((int)dtype > c->widest)
        c->widest = (int8_t)dtype;
}

static int as_int(PyObject *o, int64_t *out)
{
    if (PyLong_CheckExact(o)) {
        int overflow;
        long long v = PyLong_AsLongLongAndOverflow(o, &overflow);
        if (overflow) {
            PyErr_SetString(PyExc_RuntimeError, "Overflow when unpacking long long");
            return -1;
        }
        *out = v;
        return 1;
    }
    if (PyBool_Check(o) || PyFloat_Check(o))
        return 0;
    if (rl_py_is_tensor(o)) {
        rl_tensor *t = rl_py_borrow(o);
        if (t->numel != 1 || !rl_is_integral((rl_dtype)t->dtype, false))
            return 0;
        rl_scalar s;
        if (rl_item(t, &s)) {
            rl_py_raise();
            return -1;
        }
        *out = rl_scalar_int(s);
        return 1;
    }
    if (!PyIndex_Check(o))
        return 0;
    PyObject *i = PyNumber_Index(o);
    if (!i) {
        PyErr_Clear();
        return 0;
    }
    int status = PyLong_CheckExact(i) ? as_int(i, out) : 0;
    if (!status && PyLong_Check(i)) {
        *out = PyLong_AsLongLong(i);
        status = *out == -1 && PyErr_Occurred() ? -1 : 1;
    }
    Py_DECREF(i);
    return status;
}

static int as_double(PyObject *o, double *out)
{
    if (PyFloat_CheckExact(o)) {
        *out = PyFloat_AS_DOUBLE(o);
        return 1;
    }
    rl_scalar s;
    if (!rl_py_as_scalar(o, &s))
        return PyErr_Occurred() ? -1 : 0;
    *out = rl_scalar_double(s);
    return 1;
}

static int as_ints(rl_py_call *c, PyObject *const *items, Py_ssize_t n, const rl_py_op *op,
                   const rl_py_param *p, rl_ints *out)
{
    int64_t *v = words(c, n);
    if (!v)
        return -1;
    for (Py_ssize_t i = 0; i < n; i++) {
        int status = as_int(items[i], v + i);
        if (status < 0) {
            PyErr_Clear();
            PyErr_Format(PyExc_TypeError,
                         "%s(): argument '%s' failed to unpack the object at pos %zd with error "
                         "\"Overflow when unpacking long long\"",
                         rl_py_op_name(op), rl_py_name_list[p->name], i + 1);
            return -1;
        }
        if (!status && i == 0)
            return 0; /* another overload may fit */
        if (!status) {
            PyErr_Format(PyExc_TypeError,
                         "%s(): argument '%s' failed to unpack the object at pos %zd with error "
                         "\"type must be tuple "
                         "of ints,but got %s\"",
                         rl_py_op_name(op), rl_py_name_list[p->name], i + 1,
                         rl_py_type_name(items[i]));
            return -1;
        }
    }
    *out = (rl_ints){v, (int)n};
    return 1;
}

static int as_tensors(rl_py_call *c, PyObject *o, bool optional, rl_tensors *out)
{
    bool list = PyList_Check(o);
    if (!list && !PyTuple_Check(o))
        return 0;
    if (list) { /* a list could change under a call that has let go of the interpreter lock */
        o = PyList_AsTuple(o);
        if (!o)
            return -1;
        if (keep(c, RL_PY_TEMP_OBJECT, o)) {
            Py_DECREF(o);
            return -1;
        }
    }
    Py_ssize_t n = PyTuple_GET_SIZE(o);
    rl_tensor **v = words(c, n ? n : 1);
    if (!v)
        return -1;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PyTuple_GET_ITEM(o, i);
        if (rl_py_is_tensor(item)) {
            v[i] = rl_py_borrow(item);
            see_dtype(c, (rl_dtype)v[i]->dtype);
            c->work += v[i]->numel;
            c->override |= rl_py_overrides(item);
        } else if (optional && item == Py_None) {
            v[i] = NULL;
        } else {
            PyErr_Format(PyExc_TypeError,
                         "expected Tensor as element %zd in argument 0, but got %s", i,
                         rl_py_type_name(item));
            return -1;
        }
    }
    *out = (rl_tensors){v, n};
    return 1;
}

static int as_tensor_like(rl_py_call *c, PyObject *o, rl_tensor **out)
{
    rl_scalar s;
    rl_tensor *t;
    if (PyComplex_Check(o)) {
        t = rl_wrap_complex(PyComplex_RealAsDouble(o), PyComplex_ImagAsDouble(o));
        see_dtype(c, RL_C128);
    } else if (rl_py_as_scalar(o, &s)) {
        t = rl_wrap_number(s);
    } else {
        return PyErr_Occurred() ? -1 : 0;
    }
    if (!t) {
        rl_py_raise();
        return -1;
    }
    if (keep(c, RL_PY_TEMP_TENSOR, t)) {
        rl_release(t);
        return -1;
    }
    *out = t;
    return 1;
}

static int convert(const rl_py_op *op, const rl_py_param *p, PyObject *o, rl_py_call *c,
                   rl_py_slot *slot)
{
    switch ((rl_py_type)p->type) {
    case RL_PY_OPT_TENSOR:
    case RL_PY_OPT_TENSOR_LIKE:
        if (o == Py_None) {
            slot->t = NULL;
            return 1;
        }
        /* fall through */
    case RL_PY_TENSOR:
    case RL_PY_TENSOR_LIKE:
        if (rl_py_is_tensor(o)) {
            slot->t = rl_py_borrow(o);
            see_dtype(c, (rl_dtype)slot->t->dtype);
            c->work += slot->t->numel;
            c->override |= rl_py_overrides(o);
            return 1;
        }
        if (p->type == RL_PY_TENSOR || p->type == RL_PY_OPT_TENSOR)
            return 0;
        return as_tensor_like(c, o, &slot->t);
    case RL_PY_NUMBER_LIKE:
        return as_tensor_like(c, o, &slot->t);
    case RL_PY_OPT_NUMBER:
        if (o == Py_None) {
            slot->s = rl_no_scalar();
            return 1;
        }
        /* fall through */
    case RL_PY_NUMBER:
        return rl_py_as_scalar(o, &slot->s) ? 1 : PyErr_Occurred() ? -1 : 0;
    case RL_PY_INT:
        return as_int(o, &slot->i);
    case RL_PY_OPT_INT:
        slot->oi.given = o != Py_None;
        return o == Py_None ? 1 : as_int(o, &slot->oi.v);
    case RL_PY_FLOAT:
        return as_double(o, &slot->f);
    case RL_PY_OPT_FLOAT:
        slot->of.given = o != Py_None;
        return o == Py_None ? 1 : as_double(o, &slot->of.v);
    case RL_PY_BOOL:
        if (PyBool_Check(o)) {
            slot->b = o == Py_True;
            return 1;
        } else {
            rl_scalar s; /* numpy.bool */
            if (PyLong_Check(o) || PyFloat_Check(o) || rl_py_is_tensor(o) ||
                !rl_py_as_scalar(o, &s)) {
                PyErr_Clear();
                return 0;
            }
            slot->b = s.i != 0;
            return s.dtype == RL_BOOL;
        }
    case RL_PY_DTYPE:
    case RL_PY_OPT_DTYPE:
        if (!(o == Py_None && p->type == RL_PY_OPT_DTYPE) && !rl_py_is_dtype(o))
            return 0;
        if (rl_py_dtype(o, &slot->d, "dtype"))
            return -1;
        see_dtype(c, slot->d);
        return 1;
    case RL_PY_OPT_INTS:
        if (o == Py_None) {
            slot->ints = (rl_ints){NULL, -1};
            return 1;
        }
        /* fall through */
    case RL_PY_INTS:
        if (PyTuple_Check(o) || PyList_Check(o))
            return as_ints(c, PySequence_Fast_ITEMS(o), PySequence_Fast_GET_SIZE(o), op, p,
                           &slot->ints);
        if (p->flags & RL_PY_SEQUENCE)
            return 0;
        return as_ints(c, &o, 1, op, p, &slot->ints);
    case RL_PY_TENSORS:
    case RL_PY_OPT_TENSORS:
        return as_tensors(c, o, p->type == RL_PY_OPT_TENSORS, &slot->ts);
    case RL_PY_GENERATOR:
        if (o != Py_None && !PyObject_TypeCheck(o, &rl_py_generator_type))
            return 0;
        return rl_py_generator(o, &slot->g, "generator") ? -1 : 1;
    case RL_PY_OPT_STR:
        if (o == Py_None) {
            slot->str = NULL;
            return 1;
        }
        /* fall through */
    case RL_PY_STR:
        if (!PyUnicode_Check(o))
            return 0;
        slot->str = PyUnicode_AsUTF8(o);
        return slot->str ? 1 : -1;
    case RL_PY_OPT_FORMAT:
        if (o == Py_None)
            return 1;
        /* fall through */
    case RL_PY_FORMAT:
        if (!rl_py_is_memory_format(o))
            return 0;
        c->format = (int8_t)rl_py_memory_format_kind(o);
        return 1;
    }
    return 0;
}

/* ---- one signature ---- */

static bool same_name(PyObject *key, int name)
{
    if (PyUnicode_CompareWithASCIIString(key, rl_py_name_list[name]) == 0)
        return true;
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (!strcmp(aliases[i][0], rl_py_name_list[name]) &&
            PyUnicode_CompareWithASCIIString(key, aliases[i][1]) == 0)
            return true;
    return false;
}

PyObject *rl_py_find_keyword(rl_py_parsing *s, int name)
{
    PyObject *wanted = rl_py_names[name];
    PyObject *const *keys = &PyTuple_GET_ITEM(s->kw, 0);
    for (Py_ssize_t i = 0; i < s->n_kw; i++)
        if (keys[i] == wanted || (s->slow && same_name(keys[i], name))) {
            s->used |= (uint64_t)1 << i;
            return s->args[s->n + i];
        }
    return NULL;
}

/* out= and the keywords of constructors; then whatever is left is an error. */
static int extra_keywords(rl_py_parsing *s)
{
    rl_py_call *c = s->call;
    bool factory = s->sig->flags & RL_PY_FACTORY;
    for (Py_ssize_t i = 0; i < s->n_kw; i++) {
        if (s->used & ((uint64_t)1 << i))
            continue;
        PyObject *key = PyTuple_GET_ITEM(s->kw, i), *o = s->args[s->n + i];
        int which = 0;
        while (which < N_KW && key != extra_names[which] &&
               PyUnicode_CompareWithASCIIString(key, extra_texts[which]) != 0)
            which++;
        bool known = which == KW_OUT ? s->sig->flags & RL_PY_OUT : which < N_KW && factory;
        if (known && which == KW_OUT) {
            if (o != Py_None)
                c->out = o;
            bool tensor = rl_py_is_tensor(o);
            c->override |= tensor && rl_py_overrides(o);
            if (s->sig->kind == RL_PY_R_TENSOR && o != Py_None && !tensor)
                return rl_py_args_wrong_keyword(s, extra_texts[which], "Tensor", o);
            if (s->sig->kind != RL_PY_R_TENSOR && o != Py_None && !PyTuple_Check(o) &&
                !PyList_Check(o))
                return rl_py_args_wrong_keyword(s, extra_texts[which], "tuple of Tensors", o);
        } else if (known && which == KW_DTYPE) {
            if (o != Py_None && !rl_py_is_dtype(o))
                return rl_py_args_wrong_keyword(s, extra_texts[which], "torch.dtype", o);
            if (rl_py_dtype(o, &c->dtype, "dtype"))
                return -1;
            see_dtype(c, c->dtype);
        } else if (known && which == KW_LAYOUT) {
            if (rl_py_check_layout(o))
                return -1;
        } else if (known && which == KW_DEVICE) {
            if (rl_py_check_device(o))
                return -1;
        } else if (known && which == KW_PIN_MEMORY) {
            if (o != Py_None && !PyBool_Check(o))
                return rl_py_args_wrong_keyword(s, extra_texts[which], "bool", o);
            if (o == Py_True) {
                PyErr_SetString(PyExc_RuntimeError,
                                "Cannot access accelerator device when none is available.");
                return -1;
            }
        } else if (known && which == KW_REQUIRES_GRAD) {
            if (!PyBool_Check(o) && o != Py_None)
                return rl_py_args_wrong_keyword(s, extra_texts[which], "bool", o);
            c->requires_grad = o == Py_True;
        } else if (known && which == KW_MEMORY_FORMAT) {
            if (o != Py_None && !rl_py_is_memory_format(o))
                return rl_py_args_wrong_keyword(s, extra_texts[which], "torch.memory_format", o);
        } else if (known && which == KW_NAMES) {
            if (o != Py_None) {
                PyErr_SetString(PyExc_NotImplementedError, "named tensors are not supported");
                return -1;
            }
        } else {
            if (!s->raise)
                return 0;
            for (int j = 0; j < s->sig->n; j++)
                if (same_name(key, rl_py_params_of(s->sig)[j].name)) {
                    PyErr_Format(PyExc_TypeError, "%s() got multiple values for argument '%U'",
                                 rl_py_op_name(s->op), key);
                    return -1;
                }
            PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'",
                         rl_py_op_name(s->op), key);
            return -1;
        }
        s->used |= (uint64_t)1 << i;
    }
    return 1;
}

int rl_py_parse_signature(rl_py_parsing *s)
{
    const rl_py_sig *sig = s->sig;
    rl_py_call *c = s->call;
    c->out = NULL;
    c->dtype = RL_NO_DTYPE;
    c->requires_grad = false;
    c->format = RL_FORMAT_PRESERVE;
    c->widest = RL_NO_DTYPE;
    c->override = rl_py_modes;
    c->n_temps = c->ints_used = 0;
    c->work = 0;
    s->used = 0;
    Py_ssize_t most = sig->positional - (sig->self >= 0), next = 0;
    for (int i = 0; i < sig->n; i++) {
        const rl_py_param *p = rl_py_params_of(sig) + i;
        rl_py_slot *slot = c->slots + i;
        if (i == sig->self) {
            slot->t = rl_py_borrow(s->self);
            see_dtype(c, (rl_dtype)slot->t->dtype);
            c->work += slot->t->numel;
            c->override |= rl_py_overrides(s->self);
            continue;
        }
        PyObject *o = NULL;
        Py_ssize_t position = 0;
        if (i < sig->positional && next < s->n) {
            o = s->args[next++];
            position = next;
            if (most == 1 && p->type == RL_PY_INTS && !PyTuple_Check(o) && !PyList_Check(o)) {
                int status = as_ints(c, s->args, s->n, s->op, p, &slot->ints); /* view(2, 3) */
                if (status < 0)
                    return -1;
                if (!status)
                    return rl_py_args_wrong_type(s, p, o, position);
                next = s->n;
                continue;
            }
        } else if (s->n_kw) {
            o = rl_py_find_keyword(s, p->name);
        }
        if (!o) {
            if (!(p->flags & RL_PY_OPTIONAL)) {
                if (s->n_kw && !s->slow) {
                    s->slow = true;
                    rl_py_call_end(c);
                    return rl_py_parse_signature(s);
                }
                return rl_py_args_missing(s, i);
            }
            *slot = rl_py_defaults[p->fallback];
            continue;
        }
        int status = convert(s->op, p, o, c, slot);
        if (status <= 0)
            return status ? status : rl_py_args_wrong_type(s, p, o, position);
    }
    if (next < s->n)
        return rl_py_args_too_many(s, most);
    if (s->n_kw && s->used != ((uint64_t)1 << s->n_kw) - 1) {
        if (!s->slow) {
            s->slow = true;
            rl_py_call_end(c);
            return rl_py_parse_signature(s);
        }
        return extra_keywords(s);
    }
    return 1;
}

const rl_py_sig *rl_py_parse(const rl_py_op *op, PyObject *self, PyObject *const *args,
                             Py_ssize_t n, PyObject *kw, rl_py_call *call)
{
    const rl_py_sig *first = rl_py_sigs + op->sig;
    rl_py_parsing s = {
        op,    first,           self, args, n, kw ? PyTuple_GET_SIZE(kw) : 0, kw, call,
        false, op->n_sigs == 1, 0};
    if (s.n_kw > 63) {
        PyErr_Format(PyExc_TypeError, "%s() got too many keyword arguments", rl_py_op_name(op));
        return NULL;
    }
    for (;;) {
        s.slow = false;
        int status = rl_py_parse_signature(&s);
        if (status > 0) {
            if (call->widest < RL_C64 || s.sig->flags & RL_PY_COMPLEX)
                return s.sig;
            PyErr_Format(PyExc_NotImplementedError, "\"%s\" not implemented for '%s'",
                         rl_py_op_name(op), rl_dtype_title((rl_dtype)call->widest));
            rl_py_call_end(call);
            return NULL;
        }
        rl_py_call_end(call);
        if (status < 0)
            return NULL;
        if (++s.sig == first + op->n_sigs)
            break;
    }
    rl_py_args_no_fit(&s);
    return NULL;
}
