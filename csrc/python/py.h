/* py.h: what the files of python/ share.  The only folder that includes Python.h. */
#ifndef RL_PY_H
#define RL_PY_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#include "autograd/autograd.h"
#include "core/tensor.h"
#include "rushlight.h"
#include "rushlight_ops.h"

/* ---- Tensor (tensor.c) ---- */

typedef struct rl_py_tensor {
    PyObject_HEAD rl_tensor
        *t;         /* owned; t->py points back here.  NULL only between __new__ and its end */
    PyObject *dict; /* instance attributes, made when first used */
    PyObject *weakrefs;
} rl_py_tensor;

extern PyTypeObject rl_py_tensor_type;     /* rushlight.Tensor: the base type, subclassable */
extern PyTypeObject *rl_py_parameter_type; /* rushlight.nn.Parameter, a subclass made in module.c */

static inline bool rl_py_is_tensor(PyObject *o) /* any subclass */
{
    return Py_TYPE(o) == &rl_py_tensor_type || Py_TYPE(o) == rl_py_parameter_type ||
           PyType_IsSubtype(Py_TYPE(o), &rl_py_tensor_type);
}
static inline rl_tensor *rl_py_borrow(PyObject *o)
{
    return ((rl_py_tensor *)o)->t;
} /* o is a tensor */

/* The Python object of t, taking over the reference.  t NULL: raises the core's pending error,
 * returns NULL. One object per tensor: an existing one is returned.  From free lists. */
PyObject *rl_py_wrap(rl_tensor *t);
PyObject *rl_py_wrap_as(PyTypeObject *type,
                        rl_tensor *t); /* the same with a subclass for a tensor without object */
PyObject *rl_py_wrap_list(rl_list *list,
                          bool as_tuple); /* takes over the list's tensors and frees it */
/* Lets the garbage collector see the tensor's object: call it when a tensor gets autograd data that
 * may lead to Python objects (hooks, requires_grad, a grad) after it was wrapped. */
void rl_py_track(PyObject *tensor);

/* ---- errors (errors.c) ---- */

/* Raises the Python exception for the thread's pending core error (RL_ECALLBACK: already raised).
 * Returns NULL. */
PyObject *rl_py_raise(void);
/* A core status from a pending Python exception inside a callback: keeps the exception, returns
 * RL_ECALLBACK. */
rl_status rl_py_callback_failed(void);

/* ---- conversions (convert.c): 0, or -1 with an exception set.  `what` names the argument in
 * messages ---- */

int rl_py_scalar(PyObject *o, rl_scalar *out,
                 const char *what); /* bool, int, float, NumPy scalar, 0-dim tensor */
int rl_py_int(PyObject *o, int64_t *out,
              const char *what); /* __index__; 1-element integer tensors too */
int rl_py_double(PyObject *o, double *out, const char *what);
int rl_py_dtype(PyObject *o, rl_dtype *out,
                const char *what);             /* a rushlight.dtype; None -> RL_NO_DTYPE */
PyObject *rl_py_dtype_object(rl_dtype dtype);  /* new reference to the singleton */
PyObject *rl_py_number(rl_scalar value);       /* bool, int or float */
PyObject *rl_py_size(int n, const int64_t *v); /* torch.Size */
/* Sizes or dims from an int or a sequence; v has room for RL_MAX_DIMS; returns how many, -1 on
 * error. */
int rl_py_ints(PyObject *o, int64_t *v, const char *what);
/* Sequence of tensors into a new array (PyMem); tensors are borrowed from the sequence `keep`
 * (decref after use). */
int rl_py_tensors(PyObject *o, rl_tensor ***v, int64_t *n, PyObject **keep, const char *what);
/* torch.tensor(data): nested sequences, numbers, arrays; infers the dtype when RL_NO_DTYPE.  New
 * tensor. */
rl_tensor *rl_py_tensor_from_data(PyObject *data, rl_dtype dtype);
/* A tensor argument that may also be a Python number (made a wrapped number).  New reference; NULL
 * with TypeError. */
rl_tensor *rl_py_tensor_like(PyObject *o, const char *what);

/* ---- Generator (random.c) ---- */

extern PyTypeObject rl_py_generator_type;
int rl_py_generator(PyObject *o, rl_generator **out, const char *what); /* None -> NULL; borrowed */

/* ---- parts that add themselves to the module: 0 or -1 ---- */

int rl_py_add_tensor(
    PyObject *module); /* tensor.c: Tensor, dtype, device, layout, memory_format, Size */
int rl_py_add_ops(PyObject *module); /* ops.c: functions and methods generated from the table */
int rl_py_add_number(
    PyObject *module); /* number.c: fills tp_as_number of Tensor before it is readied */
int rl_py_add_subscript(PyObject *module); /* subscript.c */
int rl_py_add_interop(PyObject *module);   /* interop.c: NumPy, buffer, DLPack */
int rl_py_add_factor(PyObject *module);    /* factor.c: small matrices for linalg */
int rl_py_add_fft(PyObject *module);       /* fft.c: short Fourier transforms */
int rl_py_add_lapack(PyObject *module);    /* lapack.c: LAPACK through SciPy */
int rl_py_add_autograd(
    PyObject *module); /* autograd.c: Node, Function support, modes, backward, grad, hooks */
int rl_py_add_random(PyObject *module);    /* random.c: Generator, manual_seed, ... */
int rl_py_add_module(PyObject *module);    /* module.c: Module */
int rl_py_add_parameter(PyObject *module); /* parameter.c */
int rl_py_add_layers(PyObject *module);    /* layers.c: Linear, Sequential */
int rl_py_add_optim(PyObject *module);     /* optim.c: one call per optimizer step */
int rl_py_add_lbfgs(PyObject *module);     /* lbfgs.c: LBFGS's passes over all parameters */

/* Attribute tables that several files fill: methods of Tensor that are not in the operator table.
 */
extern PyMethodDef rl_py_autograd_methods[]; /* backward, register_hook, detach_, requires_grad_,
                                                retain_grad ... */
extern PyGetSetDef rl_py_autograd_getset[];  /* grad, grad_fn, requires_grad, is_leaf, ... */
extern PyMethodDef
    rl_py_interop_methods[]; /* numpy, tolist, __array__, __dlpack__, __dlpack_device__ */
extern PyMappingMethods rl_py_subscript_mapping;
extern PyBufferProcs rl_py_buffer_procs;
extern PyNumberMethods rl_py_number_methods;
/* Threads that run the core without the interpreter lock: the graph may change under the
 * collector's eyes, which then leaves it alone.  Changed with the lock held, so it stays put during
 * a collection (cycles.c). */
extern int rl_py_unlocked;
/* Python objects that hang in some graph: hooks, Functions' contexts, tensors' objects that the
 * core keeps.  While there are none, the collector has nothing to look for.  Changed with the lock
 * held. */
extern int64_t rl_py_graph_objects;
/* Garbage collection of a tensor's graph (cycles.c), called by Tensor's tp_traverse and tp_clear.
 */
int rl_py_traverse_graph(rl_tensor *t, visitproc visit, void *arg);
void rl_py_clear_graph(rl_tensor *t);

#endif
