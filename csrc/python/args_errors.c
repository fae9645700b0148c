/* args_errors.c: what a call is told whose arguments fit no signature. */
#include "python/args_parse.h"

static const char *const type_texts[] = {
    "Tensor",
    "Tensor",
    "Tensor",
    "Tensor",
    "Number",
    "Number",
    "Number",
    "int",
    "int",
    "float",
    "float",
    "bool",
    "torch.dtype",
    "torch.dtype",
    "tuple of ints",
    "tuple of ints",
    "tuple of Tensors",
    "tuple of Tensors",
    "torch.Generator",
    "str",
    "str",
    "torch.memory_format",
    "torch.memory_format",
};

int rl_py_args_missing(const rl_py_parsing *s, int first)
{
    if (!s->raise)
        return 0;
    char text[512] = "";
    int count = 0;
    size_t length = 0;
    Py_ssize_t used = s->n;
    for (int i = first; i < s->sig->n; i++) {
        const rl_py_param *p = rl_py_params_of(s->sig) + i;
        if (i == s->sig->self || (p->flags & RL_PY_OPTIONAL))
            continue;
        rl_py_parsing copy = *s;
        if (s->n_kw && rl_py_find_keyword(&copy, p->name))
            continue;
        (void)used;
        if (length < sizeof text)
            length += (size_t)snprintf(text + length, sizeof text - length, "%s\"%s\"",
                                       count ? ", " : "", rl_py_name_list[p->name]);
        count++;
    }
    PyErr_Format(PyExc_TypeError, "%s() missing %d required positional arguments: %s",
                 rl_py_op_name(s->op), count, text);
    return -1;
}

int rl_py_args_wrong_type(const rl_py_parsing *s, const rl_py_param *p, PyObject *o,
                          Py_ssize_t position)
{
    if (!s->raise)
        return 0;
    if (position)
        PyErr_Format(PyExc_TypeError, "%s(): argument '%s' (position %zd) must be %s, not %s",
                     rl_py_op_name(s->op), rl_py_name_list[p->name], position, type_texts[p->type],
                     rl_py_type_name(o));
    else
        PyErr_Format(PyExc_TypeError, "%s(): argument '%s' must be %s, not %s",
                     rl_py_op_name(s->op), rl_py_name_list[p->name], type_texts[p->type],
                     rl_py_type_name(o));
    return -1;
}

int rl_py_args_too_many(const rl_py_parsing *s, Py_ssize_t most)
{
    if (!s->raise)
        return 0;
    if (s->sig->self >= 0 && s->sig->n == 1) {
        PyErr_Format(PyExc_TypeError, "TensorBase.%s() takes no arguments (%zd given)",
                     rl_py_op_name(s->op), s->n);
        return -1;
    }
    int least = 0;
    for (int i = 0; i < s->sig->positional; i++)
        least += i != s->sig->self && !(rl_py_params_of(s->sig)[i].flags & RL_PY_OPTIONAL);
    if (least != most)
        PyErr_Format(PyExc_TypeError,
                     "%s() takes from %d to %zd positional arguments but %zd were given",
                     rl_py_op_name(s->op), least, most, s->n);
    else
        PyErr_Format(PyExc_TypeError, "%s() takes %zd positional argument%s but %zd %s given",
                     rl_py_op_name(s->op), most, most == 1 ? "" : "s", s->n,
                     s->n == 1 ? "was" : "were");
    return -1;
}

int rl_py_args_wrong_keyword(const rl_py_parsing *s, const char *name, const char *type,
                             PyObject *o)
{
    if (!s->raise)
        return 0;
    PyErr_Format(PyExc_TypeError, "%s(): argument '%s' must be %s, not %s", rl_py_op_name(s->op),
                 name, type, rl_py_type_name(o));
    return -1;
}

static PyObject *type_list(const rl_py_parsing *s)
{
    PyObject *text = PyUnicode_FromString("");
    for (Py_ssize_t i = 0; text && i < s->n + s->n_kw; i++) {
        PyObject *o = s->args[i], *next;
        const char *type = rl_py_type_name(o);
        if (i < s->n)
            next = PyUnicode_FromFormat("%U%s%s", text, i ? ", " : "", type);
        else /* PyTorch closes every keyword with a comma */
            next = PyUnicode_FromFormat("%U%s%U=%s, ", text, i && i == s->n ? ", " : "",
                                        PyTuple_GET_ITEM(s->kw, i - s->n), type);
        Py_SETREF(text, next);
    }
    return text;
}

/* The operator's i-th signature as its docstring has it: without its name and its result, and for a
 * method without its object and out=. */
static void show_signature(const rl_py_op *op, int i, char *out, size_t room)
{
    const rl_py_sig *sig = rl_py_sigs + op->sig + i;
    const char *line = rl_py_op_docs + op->doc, *end;
    for (; i > 0; i--)
        line = strchr(line, '\n') + 1;
    line = strchr(line, '(') + 1;
    for (end = strchr(line, '\n'); strncmp(end, ") -> ", 5); end--)
        ;
    size_t used = 0;
    bool star = false;
    for (int index = 0; line < end; index++) { /* at commas outside of brackets */
        const char *part = line;
        for (int depth = 0; line < end && (*line != ',' || depth); line++)
            depth += (*line == '(') - (*line == ')');
        size_t length = (size_t)(line - part);
        line += line < end ? 2 : 0;
        if (*part == '*') {
            star = true;
            index--;
            continue;
        }
        if (sig->self >= 0 &&
            (index == sig->self || strstr(part, " out = None") == part + length - 11))
            continue;
        int n = snprintf(out + used, room - used, "%s%s%.*s", used ? ", " : "(", star ? "*, " : "",
                         (int)length, part);
        used = used + (size_t)n < room ? used + (size_t)n : room - 1;
        star = false;
    }
    snprintf(out + used, room - used, used ? ")" : "()");
}

void rl_py_args_no_fit(rl_py_parsing *s)
{
    const rl_py_op *op = s->op;
    const rl_py_sig *first = rl_py_sigs + op->sig, *plausible = NULL;
    int count = 0;
    for (int i = 0; i < op->n_sigs; i++) {
        const rl_py_sig *sig = first + i;
        Py_ssize_t least = 0, most = sig->n - (sig->self >= 0), given = s->n + s->n_kw;
        for (int j = 0; j < sig->n; j++)
            least += j != sig->self && !(rl_py_params_of(sig)[j].flags & RL_PY_OPTIONAL);
        most += (sig->flags & RL_PY_OUT ? 1 : 0) + (sig->flags & RL_PY_FACTORY ? 5 : 0);
        if (given >= least && given <= most) {
            plausible = sig;
            count++;
        }
    }
    if (count == 1 || op->n_sigs == 1) {
        s->sig = count == 1 ? plausible : first;
        s->raise = true;
        s->slow = s->n_kw > 0;
        if (rl_py_parse_signature(s) >= 0 && !PyErr_Occurred())
            PyErr_Format(PyExc_TypeError, "%s() received an invalid combination of arguments",
                         rl_py_op_name(op));
        rl_py_call_end(s->call);
        return;
    }
    PyObject *got = type_list(s);
    PyObject *text = got ? PyUnicode_FromFormat("%s() received an invalid combination of arguments "
                                                "- got (%U), but expected one of:\n",
                                                rl_py_op_name(op), got)
                         : NULL;
    for (int i = 0; text && i < op->n_sigs; i++) {
        char shown[512];
        show_signature(op, i, shown, sizeof shown);
        Py_SETREF(text, PyUnicode_FromFormat("%U * %s\n", text, shown));
    }
    if (text)
        PyErr_SetObject(PyExc_TypeError, text);
    Py_XDECREF(text);
    Py_XDECREF(got);
}
