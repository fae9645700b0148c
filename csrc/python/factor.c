/* factor.c: stacks of small matrices, for rushlight.linalg: the kernels of kernels/small_matrix.h
 * on tensors.  Every function returns None where the matrices are not small, have no elements, or
 * are neither float32 nor float64: they are LAPACK's. */
#include "kernels/small_matrix.h"
#include "python/py.h"

/* A stack of m x n matrices: a row-major tensor that the caller releases. */
typedef struct stack {
    rl_tensor *t;
    int64_t count, m, n;
} stack;

static inline void release(stack *s) { rl_release(s->t); }
#define STACK __attribute__((cleanup(release))) stack

/* Whether o is a stack of small matrices, taken into s; on failure to copy s->t is NULL. */
static bool take(PyObject *o, stack *s)
{
    if (!rl_py_is_tensor(o))
        return false;
    rl_tensor *t = rl_py_borrow(o);
    if (t->ndim < 2 || (t->dtype != RL_F32 && t->dtype != RL_F64) || !t->numel)
        return false;
    s->m = t->shape[t->ndim - 2], s->n = t->shape[t->ndim - 1];
    if (s->m > RL_SMALL || s->n > RL_SMALL)
        return false;
    s->count = t->numel / (s->m * s->n);
    s->t = rl_contiguous_data(t);
    return true;
}

/* Results: column-major matrices m x n, or (n >= 0 and m < 0) rows of n numbers, or (both < 0) one
 * number, for each matrix of s. */
static rl_tensor *result(const stack *s, rl_dtype dtype, int64_t m, int64_t n)
{
    const int lead = s->t->ndim - 2, ndim = lead + (m >= 0) + (n >= 0);
    int64_t shape[RL_MAX_DIMS], strides[RL_MAX_DIMS];
    for (int i = 0; i < lead; i++)
        shape[i] = s->t->shape[i];
    if (m >= 0)
        shape[lead] = m;
    if (n >= 0)
        shape[ndim - 1] = n;
    rl_row_major(ndim, shape, strides);
    if (m >= 0)
        strides[ndim - 2] = 1, strides[ndim - 1] = m;
    return rl_new_strided(dtype, ndim, shape, strides);
}

/* A tuple of new tensors, which it takes over; of a single one itself. */
static PyObject *hand_on(int n, rl_tensor **t)
{
    PyObject *o[3] = {NULL}, *tuple = NULL;
    bool good = true;
    for (int i = 0; i < n; i++) {
        o[i] = good ? rl_py_wrap(t[i]) : NULL;
        if (!good)
            rl_release(t[i]);
        good = o[i] != NULL;
    }
    if (n == 1)
        return o[0];
    if (good)
        tuple = n == 2 ? PyTuple_Pack(2, o[0], o[1]) : PyTuple_Pack(3, o[0], o[1], o[2]);
    for (int i = 0; i < n; i++)
        Py_XDECREF(o[i]);
    return tuple;
}

/* The same after a failure: some of t are NULL. */
static PyObject *failed(int n, rl_tensor **t)
{
    for (int i = 0; i < n; i++)
        rl_release(t[i]);
    return rl_py_raise();
}

static PyObject *wrong(const char *name)
{
    PyErr_Format(PyExc_TypeError, "%s: wrong arguments", name);
    return NULL;
}

#define DTYPE(s) ((rl_dtype)(s).t->dtype)
#define MOST_BELOW(a, b) ((a) < (b) ? (a) : (b))

static PyObject *small_lu(PyObject *self, PyObject *o)
{
    STACK a = {0};
    if (!take(o, &a))
        Py_RETURN_NONE;
    if (!a.t)
        return rl_py_raise();
    const int64_t k = MOST_BELOW(a.m, a.n);
    rl_tensor *t[] = {result(&a, DTYPE(a), a.m, a.n), result(&a, RL_I32, -1, k),
                      result(&a, RL_I32, -1, -1)};
    if (!t[0] || !t[1] || !t[2])
        return failed(3, t);
    rl_small_lu(DTYPE(a), a.count, a.m, a.n, rl_data(a.t), rl_data(t[0]), rl_data(t[1]),
                rl_data(t[2]));
    return hand_on(3, t);
}

static PyObject *small_pivots(PyObject *self, PyObject *o)
{
    STACK a = {0};
    if (!take(o, &a) || a.m != a.n)
        Py_RETURN_NONE;
    rl_tensor *t = a.t ? result(&a, DTYPE(a), -1, a.n) : NULL;
    if (!t)
        return rl_py_raise();
    rl_small_pivots(DTYPE(a), a.count, a.n, rl_data(a.t), rl_data(t));
    return rl_py_wrap(t);
}

static PyObject *small_cholesky(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    STACK a = {0};
    if (n != 2)
        return wrong("_small_cholesky");
    if (!take(args[0], &a) || a.m != a.n)
        Py_RETURN_NONE;
    if (!a.t)
        return rl_py_raise();
    rl_tensor *t[] = {result(&a, DTYPE(a), a.n, a.n), result(&a, RL_I32, -1, -1)};
    if (!t[0] || !t[1])
        return failed(2, t);
    rl_small_cholesky(DTYPE(a), a.count, a.n, rl_data(a.t), rl_data(t[0]), args[1] == Py_True,
                      rl_data(t[1]));
    return hand_on(2, t);
}

/* Whether the stacks are as many, of one dtype, and A square with as many rows as B. */
static bool fit(const stack *a, const stack *b)
{
    return a->count == b->count && a->t->ndim == b->t->ndim && a->t->dtype == b->t->dtype &&
           a->m == a->n && a->n == b->m;
}

static PyObject *small_triangular(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    STACK a = {0};
    STACK b = {0};
    if (n != 4)
        return wrong("_small_triangular");
    if (!take(args[0], &a) || !take(args[1], &b))
        Py_RETURN_NONE;
    if (!a.t || !b.t)
        return rl_py_raise();
    if (!fit(&a, &b))
        return wrong("_small_triangular");
    rl_tensor *t = result(&b, DTYPE(a), b.m, b.n);
    if (!t)
        return rl_py_raise();
    rl_small_triangular(DTYPE(a), a.count, b.m, b.n, rl_data(a.t), rl_data(b.t), rl_data(t),
                        args[2] == Py_True, args[3] == Py_True);
    return rl_py_wrap(t);
}

static PyObject *small_solve(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    STACK a = {0};
    STACK b = {0};
    if (n != 2)
        return wrong("_small_solve");
    const bool identity = args[1] == Py_None;
    if (!take(args[0], &a) || (!identity && !take(args[1], &b)))
        Py_RETURN_NONE;
    if (!a.t || (!identity && !b.t))
        return rl_py_raise();
    if (identity ? a.m != a.n : !fit(&a, &b))
        return wrong("_small_solve");
    const int64_t k = identity ? a.n : b.n;
    rl_tensor *t[] = {result(&a, DTYPE(a), a.n, k), result(&a, RL_I32, -1, -1)};
    if (!t[0] || !t[1])
        return failed(2, t);
    rl_small_solve(DTYPE(a), a.count, a.n, k, rl_data(a.t), identity ? NULL : rl_data(b.t),
                   rl_data(t[0]), rl_data(t[1]));
    return hand_on(2, t);
}

/* complete: Q (m, m) and R (m, n); else k = min(m, n) columns and rows. */
static PyObject *small_qr(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    STACK a = {0};
    if (n != 2)
        return wrong("_small_qr");
    if (!take(args[0], &a))
        Py_RETURN_NONE;
    if (!a.t)
        return rl_py_raise();
    const int64_t k = args[1] == Py_True ? a.m : MOST_BELOW(a.m, a.n);
    rl_tensor *t[] = {result(&a, DTYPE(a), a.m, k), result(&a, DTYPE(a), k, a.n)};
    if (!t[0] || !t[1])
        return failed(2, t);
    rl_small_qr(DTYPE(a), a.count, a.m, a.n, rl_data(a.t), rl_data(t[0]), k, rl_data(t[1]), k);
    return hand_on(2, t);
}

static PyMethodDef functions[] = {
    {"_small_lu", small_lu, METH_O, "_small_lu(a)\n\nLU, pivots and info."},
    {"_small_pivots", small_pivots, METH_O,
     "_small_pivots(a)\n\nU's diagonal, its product the determinant."},
    {"_small_cholesky", (PyCFunction)(void (*)(void))small_cholesky, METH_FASTCALL,
     "_small_cholesky(a, upper)\n\nThe factor and info."},
    {"_small_triangular", (PyCFunction)(void (*)(void))small_triangular, METH_FASTCALL,
     "_small_triangular(a, b, upper, unit)\n\nA^-1 B, A triangular."},
    {"_small_solve", (PyCFunction)(void (*)(void))small_solve, METH_FASTCALL,
     "_small_solve(a, b)\n\nA^-1 B, or A^-1 for None, and info."},
    {"_small_qr", (PyCFunction)(void (*)(void))small_qr, METH_FASTCALL,
     "_small_qr(a, complete)\n\nQ and R."},
    {NULL, NULL, 0, NULL},
};

int rl_py_add_factor(PyObject *module) { return PyModule_AddFunctions(module, functions); }
