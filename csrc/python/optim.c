/* optim.c: an optimizer's step and zero_grad as one call each, over the param_groups and state that
 * Python keeps. Nothing is cached: a look-up costs ten nanoseconds, and people edit both dicts
 * between steps. */
#include "ops/optim.h"
#include "python/py.h"

/* ---- options: keys of a param_group ---- */

typedef enum {
    NUMBER,
    PAIR,
    TRIPLE,
    EPS_PAIR, /* the first may be None: nan */
    COUNT,
    FLAG,
    ADJUST /* how Muon adjusts lr */
} option_kind;

typedef struct option {
    const char *name;
    size_t at; /* in rl_optim */
    option_kind kind;
    PyObject *key;
} option;

#define N(name) {#name, offsetof(rl_optim, name), NUMBER, NULL}
#define B(name) {#name, offsetof(rl_optim, name), FLAG, NULL}
#define DECOUPLED {"decoupled_weight_decay", offsetof(rl_optim, decoupled), FLAG, NULL}
/* two numbers, at first and behind it */
#define PAIR(name, first) {#name, offsetof(rl_optim, first), PAIR, NULL}
#define BETAS PAIR(betas, beta1)
#define MANY(name, kind) {#name, offsetof(rl_optim, name), kind, NULL}
#define END {NULL, 0, NUMBER, NULL}

typedef struct optimizer {
    option options[10];
    const char *state[RL_OPTIM_STATES]; /* names in state[p], by slot */
    int order[RL_OPTIM_STATES]; /* slots in the order in which PyTorch enters them; -1 ends */
    PyObject *keys[RL_OPTIM_STATES];
} optimizer;

static optimizer optimizers[] = {
    [RL_SGD] = {{N(lr), N(momentum), N(dampening), N(weight_decay), B(nesterov), B(maximize), END},
                {NULL, "momentum_buffer"},
                {1, -1},
                {NULL}},
    [RL_ADAM] = {{N(lr), BETAS, N(eps), N(weight_decay), B(amsgrad), B(maximize), DECOUPLED, END},
                 {"step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"},
                 {0, 1, 2, 3, -1},
                 {NULL}},
    [RL_RMSPROP] = {{N(lr), N(alpha), N(eps), N(weight_decay), N(momentum), B(centered),
                     B(maximize), END},
                    {"step", "square_avg", "momentum_buffer", "grad_avg"},
                    {0, 1, 2, 3, -1},
                    {NULL}},
    [RL_ADAGRAD] = {{N(lr), N(lr_decay), N(eps), N(weight_decay), B(maximize), END},
                    {"step", "sum"},
                    {0, 1, -1},
                    {NULL}},
    [RL_ADADELTA] = {{N(lr), N(rho), N(eps), N(weight_decay), B(maximize), END},
                     {"step", "square_avg", "acc_delta"},
                     {0, 1, 2, -1},
                     {NULL}},
    [RL_ADAMAX] = {{N(lr), BETAS, N(eps), N(weight_decay), B(maximize), END},
                   {"step", "exp_avg", "exp_inf"},
                   {0, 1, 2, -1},
                   {NULL}},
    [RL_NADAM] = {{N(lr), BETAS, N(eps), N(weight_decay), N(momentum_decay), B(maximize), DECOUPLED,
                   END},
                  {"step", "exp_avg", "exp_avg_sq", NULL, "mu_product"},
                  {0, 4, 1, 2, -1},
                  {NULL}},
    [RL_RADAM] = {{N(lr), BETAS, N(eps), N(weight_decay), B(maximize), DECOUPLED, END},
                  {"step", "exp_avg", "exp_avg_sq"},
                  {0, 1, 2, -1},
                  {NULL}},
    [RL_ASGD] = {{N(lr), N(lambd), N(alpha), N(t0), N(weight_decay), B(maximize), END},
                 {"step", "ax", NULL, NULL, "mu", "eta"},
                 {0, 5, 4, 1, -1},
                 {NULL}},
    [RL_RPROP] = {{N(lr), PAIR(etas, eta_minus), PAIR(step_sizes, step_least), B(maximize), END},
                  {"step", "prev", "step_size"},
                  {0, 1, 2, -1},
                  {NULL}},
    [RL_ADAFACTOR] = {{N(lr),
                       N(beta2_decay),
                       {"eps", offsetof(rl_optim, eps1), EPS_PAIR, NULL},
                       N(d),
                       N(weight_decay),
                       B(maximize),
                       END},
                      {"step", "row_var", "col_var", "variance"},
                      {0, 1, 2, 3, -1},
                      {NULL}},
    [RL_MUON] = {{N(lr),
                  N(weight_decay),
                  N(momentum),
                  B(nesterov),
                  MANY(ns_coefficients, TRIPLE),
                  N(eps),
                  MANY(ns_steps, COUNT),
                  {"adjust_lr_fn", offsetof(rl_optim, adjust_lr), ADJUST, NULL},
                  END},
                 {NULL, "momentum_buffer"},
                 {1, -1},
                 {NULL}},
};
#define N_KINDS (int)(sizeof optimizers / sizeof optimizers[0])

static PyObject *str_params;

static int read_number(PyObject *v, double *out)
{
    if (PyFloat_CheckExact(v)) {
        *out = PyFloat_AS_DOUBLE(v);
        return 0;
    }
    if (PyLong_Check(v)) {
        *out = PyLong_AsDouble(v);
    } else { /* a tensor, say */
        PyObject *f = PyNumber_Float(v);
        if (!f)
            return -1;
        *out = PyFloat_AS_DOUBLE(f);
        Py_DECREF(f);
    }
    return *out == -1 && PyErr_Occurred() ? -1 : 0;
}

/* Two numbers, or three. */
static int read_numbers(const option *p, PyObject *v, double *out)
{
    int n = p->kind == TRIPLE ? 3 : 2, result = 0;
    PyObject *items = PySequence_Fast(v, "expected a sequence of numbers");
    if (!items)
        return -1;
    if (PySequence_Fast_GET_SIZE(items) != n) {
        if (n == 3)
            PyErr_SetString(PyExc_ValueError, "Coefficients must be a tuple of exactly 3 values");
        else
            PyErr_Format(PyExc_ValueError, "%s must be a pair of numbers", p->name);
        result = -1;
    }
    for (int i = 0; i < n && result == 0; i++) {
        PyObject *item = PySequence_Fast_GET_ITEM(items, i);
        if (p->kind == EPS_PAIR && i == 0 && item == Py_None)
            *out = NAN;
        else
            result = read_number(item, out + i);
    }
    Py_DECREF(items);
    return result;
}

static int read_adjust(PyObject *v, rl_optim_adjust *out)
{
    bool text = PyUnicode_Check(v);
    if (v == Py_None || (text && PyUnicode_CompareWithASCIIString(v, "original") == 0))
        *out = RL_ADJUST_ORIGINAL;
    else if (text && PyUnicode_CompareWithASCIIString(v, "match_rms_adamw") == 0)
        *out = RL_ADJUST_MATCH_RMS_ADAMW;
    else
        *out = RL_ADJUST_NOT;
    return 0;
}

static int read_option(const option *p, PyObject *v, void *out)
{
    switch (p->kind) {
    case FLAG: {
        int on = v == Py_True ? 1 : v == Py_False ? 0 : PyObject_IsTrue(v);
        *(bool *)out = on > 0;
        return on < 0 ? -1 : 0;
    }
    case NUMBER:
        return read_number(v, out);
    case COUNT:
        return rl_py_int(v, out, p->name);
    case ADJUST:
        return read_adjust(v, out);
    default:
        return read_numbers(p, v, out);
    }
}

static int read_options(const optimizer *kind, PyObject *group, rl_optim *o)
{
    for (const option *p = kind->options; p->name; p++) {
        PyObject *v = PyDict_GetItemWithError(group, p->key);
        if (!v) {
            if (!PyErr_Occurred())
                PyErr_SetObject(PyExc_KeyError, p->key);
            return -1;
        }
        if (read_option(p, v, (char *)o + p->at) < 0)
            return -1;
    }
    return 0;
}

/* ---- one group ---- */

typedef struct work {
    rl_tensor *p;
    PyObject *state; /* state[p], owned; NULL where this optimizer keeps nothing */
} work;

/* state[p], made by the defaultdict when missing; new reference. */
static PyObject *state_of(PyObject *state, PyObject *p)
{
    PyObject *s = PyDict_Check(state) ? PyDict_GetItemWithError(state, p) : NULL;
    if (s)
        return Py_NewRef(s);
    return PyErr_Occurred() ? NULL : PyObject_GetItem(state, p);
}

/* The tensors that state[p] holds, into slots that are NULL.  0, or -1 with an exception. */
static int read_state(const optimizer *kind, unsigned kept, PyObject *s, rl_tensor **slots)
{
    for (int k = 0; kept >> k; k++) {
        if (!kind->keys[k] || !(kept >> k & 1))
            continue;
        PyObject *v = PyDict_GetItemWithError(s, kind->keys[k]);
        if (!v && PyErr_Occurred())
            return -1;
        if (!v || v == Py_None)
            continue;
        if (!rl_py_is_tensor(v)) {
            PyErr_Format(PyExc_TypeError, "optimizer state '%U' must be a Tensor, not %s",
                         kind->keys[k], Py_TYPE(v)->tp_name);
            return -1;
        }
        slots[k] = rl_retain(rl_py_borrow(v));
    }
    return 0;
}

/* Enters what the step made. */
static int write_state(const optimizer *kind, PyObject *s, rl_tensor *const *before,
                       rl_tensor *const *now)
{
    for (int i = 0; i < RL_OPTIM_STATES && kind->order[i] >= 0; i++) {
        int k = kind->order[i];
        if (before[k] || !now[k])
            continue;
        PyObject *v = rl_py_wrap(rl_retain(now[k]));
        if (!v)
            return -1;
        int failed = PyDict_SetItem(s, kind->keys[k], v) < 0;
        Py_DECREF(v);
        if (failed)
            return -1;
    }
    return 0;
}

#define FEW 32

/* The gradient of the i-th parameter: of the list, or its own where there is none; borrowed.  NULL
 * where there is none, or with an exception. */
static rl_tensor *gradient_of(rl_tensor *p, PyObject *grads, Py_ssize_t i)
{
    if (!grads)
        return rl_borrow_grad(p);
    if (i >= PyList_GET_SIZE(grads) || !rl_py_is_tensor(PyList_GET_ITEM(grads, i))) {
        PyErr_SetString(PyExc_TypeError, "expected a list with a gradient for each parameter");
        return NULL;
    }
    return rl_py_borrow(PyList_GET_ITEM(grads, i));
}

/* grads: a list, or NULL for the parameters' own. */
static int step_group(rl_optim_kind which, PyObject *group, PyObject *state, PyObject *grads)
{
    const optimizer *kind = &optimizers[which];
    rl_optim o = rl_optim_defaults(which);
    if (!PyDict_Check(group)) {
        PyErr_SetString(PyExc_TypeError, "param_groups must hold dicts");
        return -1;
    }
    if (read_options(kind, group, &o) < 0)
        return -1;
    PyObject *params = PyDict_GetItemWithError(group, str_params);
    if (!params || !PyList_Check(params)) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_KeyError, "params");
        return -1;
    }
    Py_ssize_t all = PyList_GET_SIZE(params), n = 0;
    rl_tensor *few_p[2 * FEW], **p = few_p; /* and their gradients: FEW or all of each */
    PyObject *few_s[FEW], **dicts = few_s;
    rl_optim_state few_state[2 * FEW], *slots = few_state; /* before and now, FEW or all of each */
    void *memory = NULL;
    if (all > FEW) {
        memory = PyMem_Malloc((size_t)all * (2 * sizeof *p + sizeof *dicts + 2 * sizeof *slots));
        if (!memory) {
            PyErr_NoMemory();
            return -1;
        }
        slots = memory;
        p = (rl_tensor **)(slots + 2 * all);
        dicts = (PyObject **)(p + 2 * all);
    }
    rl_tensor **g = p + (all > FEW ? all : FEW);
    rl_optim_state *before = slots + (all > FEW ? all : FEW);
    unsigned kept = rl_optim_kept(&o);
    bool keeps = kept >> 1 & 1;
    int result = 0;
    int64_t elements = 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(params) && i < all && result == 0; i++) {
        PyObject *item = PyList_GET_ITEM(params, i);
        if (!rl_py_is_tensor(item)) {
            PyErr_Format(PyExc_TypeError,
                         "optimizer can only optimize Tensors, but one of the params is %s",
                         Py_TYPE(item)->tp_name);
            result = -1;
            break;
        }
        if (!(g[n] = gradient_of(rl_py_borrow(item), grads, i))) {
            result = PyErr_Occurred() ? -1 : 0;
            continue;
        }
        memset(slots[n], 0, sizeof slots[n]);
        dicts[n] = NULL;
        if (keeps) {
            if (!(dicts[n] = state_of(state, item))) {
                result = -1;
                break;
            }
            if (!PyDict_Check(dicts[n])) {
                PyErr_SetString(PyExc_TypeError,
                                "an optimizer's state must hold a dict for each parameter");
                result = -1;
            }
        }
        p[n] = rl_retain(rl_py_borrow(item));
        elements += p[n]->numel;
        n++;
        if (keeps && result == 0)
            result = read_state(kind, kept, dicts[n - 1], slots[n - 1]);
    }
    if (result == 0 && n) {
        memcpy(before, slots, (size_t)n * sizeof *slots);
        rl_status status;
        if (elements > 65536) {
            Py_BEGIN_ALLOW_THREADS status = rl_optim_step(&o, n, p, grads ? g : NULL, slots);
            Py_END_ALLOW_THREADS
        } else {
            status = rl_optim_step(&o, n, p, grads ? g : NULL, slots);
        }
        if (status != RL_OK) {
            rl_py_raise();
            result = -1;
        }
        for (Py_ssize_t i = 0; keeps && i < n && result == 0; i++)
            result = write_state(kind, dicts[i], before[i], slots[i]);
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        rl_release(p[i]);
        Py_XDECREF(dicts[i]);
    }
    if (keeps)
        rl_optim_state_free(n, slots);
    PyMem_Free(memory);
    return result;
}

/* _optim_step(kind, param_groups, state), or with a list of gradients for the one group */
static PyObject *optim_step(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    PyObject *grads = n == 4 ? args[3] : NULL;
    if (n < 3 || n > 4 || !PyLong_Check(args[0]) || !PyList_Check(args[1]) ||
        (grads && !PyList_Check(grads))) {
        PyErr_SetString(
            PyExc_TypeError,
            "_optim_step: expected (kind, list of param_groups, state, list of gradients)");
        return NULL;
    }
    long kind = PyLong_AsLong(args[0]);
    if (kind < 0 || kind >= N_KINDS) {
        PyErr_SetString(PyExc_ValueError, "_optim_step: unknown kind of optimizer");
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(args[1]); i++) {
        PyObject *group = Py_NewRef(PyList_GET_ITEM(args[1], i));
        int failed = step_group((rl_optim_kind)kind, group, args[2], grads) < 0;
        Py_DECREF(group);
        if (failed)
            return NULL;
    }
    Py_RETURN_NONE;
}

/* ---- zero_grad ---- */

/* Zeros in place of None: the gradient stays, without its history. */
static int fill_zero(rl_tensor *t)
{
    PyObject *g = rl_py_wrap(rl_retain(rl_borrow_grad(t)));
    if (!g)
        return -1;
    PyObject *cut = rl_is_leaf(rl_py_borrow(g))
                        ? PyObject_CallMethod(g, "requires_grad_", "O", Py_False)
                        : PyObject_CallMethod(g, "detach_", NULL);
    PyObject *done = cut ? PyObject_CallMethod(g, "zero_", NULL) : NULL;
    Py_XDECREF(cut);
    Py_XDECREF(done);
    Py_DECREF(g);
    return done ? 0 : -1;
}

/* _zero_grad(param_groups, set_to_none) */
static PyObject *zero_grad(PyObject *module, PyObject *const *args, Py_ssize_t n)
{
    int none = n == 2 ? PyObject_IsTrue(args[1]) : -1;
    if (none < 0 || !PyList_Check(args[0])) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_TypeError, "_zero_grad: expected (list of param_groups, bool)");
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(args[0]); i++) {
        PyObject *group = PyList_GET_ITEM(args[0], i);
        PyObject *params = PyDict_Check(group) ? PyDict_GetItemWithError(group, str_params) : NULL;
        if (!params || !PyList_Check(params)) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_KeyError, "params");
            return NULL;
        }
        for (Py_ssize_t k = 0; k < PyList_GET_SIZE(params); k++) {
            PyObject *p = PyList_GET_ITEM(params, k);
            if (!rl_py_is_tensor(p))
                continue;
            rl_tensor *t = rl_py_borrow(p);
            if (!rl_borrow_grad(t))
                continue;
            if (none) {
                if (rl_set_grad(t, NULL) != RL_OK)
                    return rl_py_raise();
            } else if (fill_zero(t) < 0) {
                return NULL;
            }
        }
    }
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"_optim_step", (PyCFunction)(void (*)(void))optim_step, METH_FASTCALL, NULL},
    {"_zero_grad", (PyCFunction)(void (*)(void))zero_grad, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

int rl_py_add_optim(PyObject *module)
{
    if (!(str_params = PyUnicode_InternFromString("params")))
        return -1;
    for (int i = 0; i < N_KINDS; i++) {
        for (option *p = optimizers[i].options; p->name; p++)
            if (!(p->key = PyUnicode_InternFromString(p->name)))
                return -1;
        for (int k = 0; k < RL_OPTIM_STATES; k++)
            if (optimizers[i].state[k] &&
                !(optimizers[i].keys[k] = PyUnicode_InternFromString(optimizers[i].state[k])))
                return -1;
    }
    return PyModule_AddFunctions(module, functions);
}
