/* factor.c: stacks of small matrices in NumPy arrays, factorized in place (kernels/small_matrix.h),
 * for rushlight.linalg.  Arguments are C-contiguous arrays with the buffer protocol: matrices
 * (count, m, n) of float32 or float64, integers of int32. */
#include "kernels/small_matrix.h"
#include "python/py.h"

enum { MOST = 3 };

typedef struct arrays {
    Py_buffer v[MOST];
    int n;
} arrays;

static void release(arrays *a)
{
    while (a->n > 0)
        PyBuffer_Release(&a->v[--a->n]);
}

/* Takes the arguments' memory.  kinds: a letter per argument: "m" matrices, "i" integers. */
static bool take(arrays *a, PyObject *const *args, const char *kinds)
{
    for (a->n = 0; kinds[a->n]; a->n++) {
        Py_buffer *v = &a->v[a->n];
        if (PyObject_GetBuffer(args[a->n], v, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE | PyBUF_FORMAT)) {
            release(a);
            return false;
        }
        bool matrices = kinds[a->n] == 'm';
        const char *f = v->format ? v->format : "";
        bool fits = matrices ? v->ndim == 3 && (f[0] == 'f' || f[0] == 'd') && !f[1] &&
                                   f[0] == ((const char *)a->v[0].format)[0]
                             : f[0] == 'i' && !f[1];
        if (!fits || (a->n && v->ndim && v->shape[0] != a->v[0].shape[0])) {
            a->n++;
            release(a);
            PyErr_SetString(PyExc_TypeError, "expected stacks of as many float matrices or ints");
            return false;
        }
    }
    return true;
}

#define DTYPE(a) ((a).v[0].itemsize == 4 ? RL_F32 : RL_F64)
#define SHAPE(k, d) ((int64_t)a.v[k].shape[d])
#define ELEMENTS(k) ((int64_t)(a.v[k].len / a.v[k].itemsize))

static PyObject *done(arrays *a, bool fits)
{
    release(a);
    if (fits)
        Py_RETURN_NONE;
    PyErr_SetString(PyExc_ValueError, "the arrays' shapes do not fit");
    return NULL;
}

static PyObject *small_lu(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    arrays a;
    if (n != 3 || !take(&a, args, "mii"))
        return n == 3 ? NULL : PyErr_Format(PyExc_TypeError, "_small_lu takes three arrays");
    int64_t count = SHAPE(0, 0), k = SHAPE(0, 1) < SHAPE(0, 2) ? SHAPE(0, 1) : SHAPE(0, 2);
    bool fits = ELEMENTS(1) == count * k && ELEMENTS(2) == count;
    if (fits)
        rl_small_lu(DTYPE(a), count, SHAPE(0, 1), SHAPE(0, 2), a.v[0].buf, a.v[1].buf, a.v[2].buf);
    return done(&a, fits);
}

static PyObject *small_cholesky(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    arrays a;
    if (n != 2 || !take(&a, args, "mi"))
        return n == 2 ? NULL : PyErr_Format(PyExc_TypeError, "_small_cholesky takes two arrays");
    bool fits = SHAPE(0, 1) == SHAPE(0, 2) && ELEMENTS(1) == SHAPE(0, 0);
    if (fits)
        rl_small_cholesky(DTYPE(a), SHAPE(0, 0), SHAPE(0, 1), a.v[0].buf, a.v[1].buf);
    return done(&a, fits);
}

static PyObject *small_triangular(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    arrays a;
    if (n != 4 || !take(&a, args, "mm"))
        return n == 4 ? NULL
                      : PyErr_Format(PyExc_TypeError,
                                     "_small_triangular takes two arrays and two flags");
    bool fits = SHAPE(0, 1) == SHAPE(0, 2) && SHAPE(1, 1) == SHAPE(0, 1);
    if (fits)
        rl_small_triangular(DTYPE(a), SHAPE(0, 0), SHAPE(1, 1), SHAPE(1, 2), a.v[0].buf, a.v[1].buf,
                            args[2] == Py_True, args[3] == Py_True);
    return done(&a, fits);
}

static PyObject *small_lu_solve(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    arrays a;
    if (n != 3 || !take(&a, args, "mim"))
        return n == 3 ? NULL : PyErr_Format(PyExc_TypeError, "_small_lu_solve takes three arrays");
    int64_t count = SHAPE(0, 0), size = SHAPE(0, 1);
    bool fits = size == SHAPE(0, 2) && ELEMENTS(1) == count * size && SHAPE(2, 1) == size;
    const int32_t *pivots = a.v[1].buf;
    for (int64_t i = 0; fits && i < count * size; i++)
        fits = pivots[i] >= 1 && pivots[i] <= size;
    if (fits)
        rl_small_lu_solve(DTYPE(a), count, size, SHAPE(2, 2), a.v[0].buf, pivots, a.v[2].buf);
    return done(&a, fits);
}

static PyMethodDef functions[] = {
    {"_small_lu", (PyCFunction)(void (*)(void))small_lu, METH_FASTCALL,
     "_small_lu(matrices, pivots, info)\n\nLU in place."},
    {"_small_cholesky", (PyCFunction)(void (*)(void))small_cholesky, METH_FASTCALL,
     "_small_cholesky(matrices, info)\n\nCholesky factors in place."},
    {"_small_triangular", (PyCFunction)(void (*)(void))small_triangular, METH_FASTCALL,
     "_small_triangular(a, x, upper, unit)\n\nx = A^-1 x in place, A triangular."},
    {"_small_lu_solve", (PyCFunction)(void (*)(void))small_lu_solve, METH_FASTCALL,
     "_small_lu_solve(lu, pivots, x)\n\nx = A^-1 x in place, from _small_lu."},
    {NULL, NULL, 0, NULL},
};

int rl_py_add_factor(PyObject *module) { return PyModule_AddFunctions(module, functions); }
