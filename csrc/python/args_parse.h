/* args_parse.h: what args.c and args_errors.c share: a signature being tried. */
#ifndef RL_PY_ARGS_PARSE_H
#define RL_PY_ARGS_PARSE_H

#include "python/args.h"

typedef struct rl_py_parsing {
    const rl_py_op *op;
    const rl_py_sig *sig;
    PyObject *self;
    PyObject *const *args; /* n positional, then one per name in kw */
    Py_ssize_t n, n_kw;
    PyObject *kw;
    rl_py_call *call;
    bool slow, raise;
    uint64_t used; /* keywords accounted for, by bit */
} rl_py_parsing;

/* 1: parsed; 0: does not fit; -1: an exception is set. */
int rl_py_parse_signature(rl_py_parsing *s);
/* The value of the keyword with this name, borrowed, or NULL. */
PyObject *rl_py_find_keyword(rl_py_parsing *s, int name);

/* What does not fit: 0 while further signatures may be tried (!raise), else -1 with PyTorch's
 * TypeError. */
int rl_py_args_missing(const rl_py_parsing *s, int first);
int rl_py_args_wrong_type(const rl_py_parsing *s, const rl_py_param *p, PyObject *o,
                          Py_ssize_t position);
int rl_py_args_too_many(const rl_py_parsing *s, Py_ssize_t most);
int rl_py_args_wrong_keyword(const rl_py_parsing *s, const char *name, const char *type,
                             PyObject *o);
/* No signature fits: the TypeError that lists them, or says what is wrong with the only plausible
 * one. */
void rl_py_args_no_fit(rl_py_parsing *s);

#endif
