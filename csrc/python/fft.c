/* fft.c: Fourier transforms of short signals, for rushlight.fft. */
#include "ops/fft.h"
#include "python/py.h"

/* _fft(x, dims, kind, inverse, scale, size) -> Tensor or None; kind and scale: numbers of
 * rl_fft_kind and rl_fft_scale.  None: not for these lengths. */
static PyObject *fft(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    int64_t dims[RL_MAX_DIMS], kind, scale, size;
    if (n != 6 || !rl_py_is_tensor(args[0])) {
        PyErr_SetString(PyExc_TypeError, "_fft takes a tensor and five options");
        return NULL;
    }
    const int ndims = rl_py_ints(args[1], dims, "dims");
    if (ndims < 0 || rl_py_int(args[2], &kind, "kind") || rl_py_int(args[4], &scale, "scale") ||
        rl_py_int(args[5], &size, "size"))
        return NULL;
    rl_tensor *x = rl_py_borrow(args[0]);
    bool mask[RL_MAX_DIMS];
    const rl_ints list = {dims, ndims};
    const bool wants_complex = kind == RL_FFT_COMPLEX || kind == RL_FFT_FROM_HALF;
    if (!ndims || x->ndim > RL_MAX_DIMS || kind < RL_FFT_COMPLEX || kind > RL_FFT_FROM_HALF ||
        wants_complex != rl_is_complex((rl_dtype)x->dtype))
        Py_RETURN_NONE;
    for (int i = 0; i < ndims; i++)
        if (dims[i] < 0)
            Py_RETURN_NONE;
    if (rl_dim_mask(list, x->ndim, mask))
        return rl_py_raise();
    if (!rl_fft_is_short(x, list, (rl_fft_kind)kind, size))
        Py_RETURN_NONE;
    rl_tensor *y;
    Py_BEGIN_ALLOW_THREADS;
    y = rl_fft_short(x, list, (rl_fft_kind)kind, args[3] == Py_True, (rl_fft_scale)scale, size);
    Py_END_ALLOW_THREADS;
    return rl_py_wrap(y);
}

static PyMethodDef functions[] = {
    {"_fft", (PyCFunction)(void (*)(void))fft, METH_FASTCALL,
     "_fft(x, dims, kind, inverse, scale, size)\n\nThe transform of short signals, else None."},
    {NULL, NULL, 0, NULL},
};

int rl_py_add_fft(PyObject *module) { return PyModule_AddFunctions(module, functions); }
