/* lapack.c: LAPACK and BLAS through the addresses that SciPy hands out for it (the capsules of
 * scipy.linalg.cython_lapack and cython_blas: a C signature as name, a function that takes
 * addresses only).  rushlight.linalg says which routine and with what; the routine's own signature
 * is checked here, so that a number cannot be taken for an array. */
#include <string.h>

#include "python/py.h"

enum { MOST = 20 };

typedef union number {
    char c;
    int i;
    float f[2];
    double d[2];
} number;

typedef struct call {
    int n;               /* arguments */
    void *address[MOST]; /* of the first matrix's */
    size_t step[MOST];   /* bytes from one matrix's to the next one's */
    number number[MOST]; /* what scalars point to */
    int scratch;         /* the argument that is scratch memory, its size following; or -1 */
    rl_dtype scratch_dtype;
} call;

/* The dtype that a parameter of the signature points to: RL_NO_DTYPE for char, RL_I32 for int. */
static bool parameter(const char *begin, const char *end, rl_dtype *dtype)
{
    while (end > begin && (end[-1] == ' ' || end[-1] == '*'))
        end--;
    const size_t n = (size_t)(end - begin);
    if (n == 4 && !memcmp(begin, "char", 4))
        *dtype = RL_NO_DTYPE;
    else if (n == 3 && !memcmp(begin, "int", 3))
        *dtype = RL_I32;
    else if (n == 5 && !memcmp(begin, "float", 5))
        *dtype = RL_F32;
    else if (n == 6 && !memcmp(begin, "double", 6))
        *dtype = RL_F64;
    else if (n > 13 && !memcmp(end - 13, "float_complex", 13))
        *dtype = RL_C64;
    else if (n > 14 && !memcmp(end - 14, "double_complex", 14))
        *dtype = RL_C128;
    else if (n > 2 && end[-2] == '_' && strchr("sdcz", end[-1]))
        *dtype = end[-1] == 's'   ? RL_F32
                 : end[-1] == 'd' ? RL_F64
                 : end[-1] == 'c' ? RL_C64
                                  : RL_C128;
    else
        return false;
    return true;
}

/* One argument: a letter, a number, a tensor; None is scratch memory. */
static bool argument(call *c, PyObject *o, rl_dtype dtype, int64_t count)
{
    const int i = c->n;
    number *x = &c->number[i];
    c->address[i] = x;
    c->step[i] = 0;
    if (PyLong_Check(o) && dtype == RL_I32) {
        const long v = PyLong_AsLong(o);
        x->i = (int)v;
        return v == x->i && !PyErr_Occurred();
    }
    if (o == Py_None) {
        c->scratch = i;
        c->scratch_dtype = dtype;
        return dtype >= RL_F32;
    }
    if (PyUnicode_Check(o) && dtype == RL_NO_DTYPE) {
        x->c = PyUnicode_GET_LENGTH(o) == 1 ? (char)PyUnicode_READ_CHAR(o, 0) : 0;
        return x->c;
    }
    if (PyFloat_Check(o) && dtype >= RL_F32) {
        const double v = PyFloat_AS_DOUBLE(o);
        if (dtype == RL_F32 || dtype == RL_C64)
            x->f[0] = (float)v, x->f[1] = 0;
        else
            x->d[0] = v, x->d[1] = 0;
        return true;
    }
    if (!rl_py_is_tensor(o))
        return false;
    rl_tensor *t = rl_py_borrow(o);
    if ((rl_dtype)t->dtype != dtype || !t->contiguous)
        return false;
    c->address[i] = rl_data(t);
    if (t->ndim > 1) /* a matrix, or a row of numbers, each; else it is shared */
        c->step[i] = (size_t)(t->numel / count) * rl_dtype_size(dtype);
    return t->ndim < 2 || t->numel % count == 0;
}

#define A(i) c->address[i]
#define A5 A(0), A(1), A(2), A(3), A(4)
#define A10 A5, A(5), A(6), A(7), A(8), A(9)
#define V5 void *, void *, void *, void *, void *
#define CALL(n, types, ...)                                                                        \
    case n:                                                                                        \
        ((void(*) types)routine)(__VA_ARGS__);                                                     \
        break;

/* As many arguments as the routines have that linalg/_lapack.py names: others are not called. */
static bool callable(int n) { return (n >= 4 && n <= 15) || n == 20; }

static void run(void (*routine)(void), call *c)
{
    switch (c->n) {
        CALL(4, (void *, void *, void *, void *), A(0), A(1), A(2), A(3))
        CALL(5, (V5), A5)
        CALL(6, (V5, void *), A5, A(5))
        CALL(7, (V5, void *, void *), A5, A(5), A(6))
        CALL(8, (V5, void *, void *, void *), A5, A(5), A(6), A(7))
        CALL(9, (V5, void *, void *, void *, void *), A5, A(5), A(6), A(7), A(8))
        CALL(10, (V5, V5), A10)
        CALL(11, (V5, V5, void *), A10, A(10))
        CALL(12, (V5, V5, void *, void *), A10, A(10), A(11))
        CALL(13, (V5, V5, void *, void *, void *), A10, A(10), A(11), A(12))
        CALL(14, (V5, V5, void *, void *, void *, void *), A10, A(10), A(11), A(12), A(13))
        CALL(15, (V5, V5, V5), A10, A(10), A(11), A(12), A(13), A(14))
        CALL(20, (V5, V5, V5, V5), A10, A(10), A(11), A(12), A(13), A(14), A(15), A(16), A(17),
             A(18), A(19))
    }
}

/* How much scratch memory the routine asks for, in elements: it is asked with a size of -1. */
static int64_t scratch_size(void (*routine)(void), call *c)
{
    number *answer = &c->number[c->scratch], *size = &c->number[c->scratch + 1];
    memset(answer, 0, sizeof *answer);
    size->i = -1;
    run(routine, c);
    const bool narrow = c->scratch_dtype == RL_F32 || c->scratch_dtype == RL_C64;
    const double wanted = narrow ? answer->f[0] : answer->d[0];
    /* A float32 may have been rounded down. */
    return (int64_t)(narrow ? wanted * (1 + 1.0 / (1 << 22)) : wanted) + 1;
}

/* _lapack(routine, count, *arguments) -> Tensor: calls the routine for count matrices.  Tensors
 * (row-major memory) of two and more dims hold count parts, one for each call; those of one dim
 * are shared.  None is scratch memory as large as the routine likes, its size is the next argument
 * (any int).  Where one argument is missing, it is LAPACK's last, info: the result (count,),
 * int32; else None is returned. */
static PyObject *lapack(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    int64_t count;
    if (n < 2 || !PyCapsule_CheckExact(args[0]) || rl_py_int(args[1], &count, "count") ||
        count < 1) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_TypeError, "_lapack takes a routine, a count and arguments");
        return NULL;
    }
    const char *signature = PyCapsule_GetName(args[0]);
    void *pointer = signature ? PyCapsule_GetPointer(args[0], signature) : NULL;
    if (!pointer)
        return NULL;
    void (*routine)(void);
    memcpy(&routine, &pointer, sizeof routine);
    call c = {.n = 0, .scratch = -1};
    const char *p = strchr(signature, '(');
    bool good = p && !strncmp(signature, "void ", 5);
    RL_TEMP *info = NULL;
    for (Py_ssize_t i = 2; good && *p != ')'; i++) {
        const char *begin = p + 1 + strspn(p + 1, " "), *end = begin + strcspn(begin, ",)");
        rl_dtype dtype;
        good = *end && c.n < MOST && i <= n && parameter(begin, end, &dtype);
        if (good && i == n) {
            info = rl_empty_shape(RL_I32, 1, &count);
            if (!info)
                return rl_py_raise();
            good = *end == ')' && dtype == RL_I32;
            c.address[c.n] = rl_data(info);
            c.step[c.n] = sizeof(int32_t);
        } else if (good) {
            good = argument(&c, args[i], dtype, count);
        }
        c.n++;
        p = end;
        if (good && *p == ')')
            good = i + 1 >= n;
    }
    if (!good || !callable(c.n) || c.scratch == c.n - 1) {
        if (!PyErr_Occurred())
            PyErr_Format(PyExc_TypeError, "_lapack: argument %d does not fit %s", c.n - 1,
                         signature);
        return NULL;
    }
    void *scratch = NULL;
    if (c.scratch >= 0) {
        const int64_t size = scratch_size(routine, &c);
        number *given = &c.number[c.scratch + 1];
        given->i = size > INT32_MAX ? INT32_MAX : (int)size;
        scratch = PyMem_RawMalloc((size_t)given->i * rl_dtype_size(c.scratch_dtype));
        if (!scratch)
            return PyErr_NoMemory();
        c.address[c.scratch] = scratch;
    }
    Py_BEGIN_ALLOW_THREADS;
    for (int64_t b = 0; b < count; b++) {
        run(routine, &c);
        for (int i = 0; i < c.n; i++)
            c.address[i] = (char *)c.address[i] + c.step[i];
    }
    Py_END_ALLOW_THREADS;
    PyMem_RawFree(scratch);
    if (!info)
        Py_RETURN_NONE;
    return rl_py_wrap(rl_retain(info));
}

static PyMethodDef functions[] = {
    {"_lapack", (PyCFunction)(void (*)(void))lapack, METH_FASTCALL,
     "_lapack(routine, count, *arguments)\n\nCalls a routine of SciPy's LAPACK for count "
     "matrices."},
    {NULL, NULL, 0, NULL},
};

int rl_py_add_lapack(PyObject *module) { return PyModule_AddFunctions(module, functions); }
