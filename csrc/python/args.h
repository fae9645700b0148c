/* args.h: the argument parser's data (written by tools/gen_ops.py) and its entry points.
 *
 * An operator has one or more signatures, tried in order.  Parsing fills an array of slots, one per
 * C parameter, in the order of the C function; a trampoline per C function passes them on.  What a
 * call needs beyond its slots (arrays of ints, tensors made from numbers) lives in rl_py_call and
 * is released by rl_py_call_end. */
#ifndef RL_PY_ARGS_H
#define RL_PY_ARGS_H

#include "ops/memory_format.h"
#include "python/override.h"
#include "python/py.h"

#define RL_PY_MAX_ARGS 16

typedef enum rl_py_type {
    RL_PY_TENSOR,
    RL_PY_OPT_TENSOR,
    RL_PY_TENSOR_LIKE,
    RL_PY_OPT_TENSOR_LIKE,
    RL_PY_NUMBER_LIKE,
    RL_PY_NUMBER,
    RL_PY_OPT_NUMBER,
    RL_PY_INT,
    RL_PY_OPT_INT,
    RL_PY_FLOAT,
    RL_PY_OPT_FLOAT,
    RL_PY_BOOL,
    RL_PY_DTYPE,
    RL_PY_OPT_DTYPE,
    RL_PY_INTS,
    RL_PY_OPT_INTS,
    RL_PY_TENSORS,
    RL_PY_OPT_TENSORS,
    RL_PY_GENERATOR,
    RL_PY_STR,
    RL_PY_OPT_STR,
    RL_PY_OPT_FORMAT,
    RL_PY_FORMAT
} rl_py_type; /* args_errors.c names each */

typedef union rl_py_slot {
    rl_tensor *t;
    rl_scalar s;
    int64_t i;
    rl_opt_int oi;
    double f;
    rl_opt_float of;
    bool b;
    rl_dtype d;
    rl_ints ints;
    rl_tensors ts;
    rl_generator *g;
    const char *str;
} rl_py_slot;

enum { RL_PY_OPTIONAL = 1, RL_PY_SEQUENCE = 2 };

typedef struct rl_py_param {
    uint8_t type : 5;  /* rl_py_type */
    uint8_t flags : 3; /* RL_PY_OPTIONAL: fallback is valid; RL_PY_SEQUENCE: a list of ints that one
                          int alone is not */
    uint8_t fallback;  /* index into rl_py_defaults */
    uint16_t name;     /* index into rl_py_names */
} rl_py_param;

typedef enum rl_py_result_kind {
    RL_PY_R_TENSOR,
    RL_PY_R_TUPLE,
    RL_PY_R_LIST,
    RL_PY_R_BOOL,
    RL_PY_R_INT,
    RL_PY_R_NUMBER,
    RL_PY_R_DTYPE,
    RL_PY_R_NONE
} rl_py_result_kind;

typedef union rl_py_result {
    rl_tensor *t[8];
    rl_list list;
    bool b;
    int64_t i;
    rl_scalar s;
    rl_dtype d;
} rl_py_result;

/* RL_PY_OUT: accepts out=.  RL_PY_FACTORY: accepts dtype, layout, device, pin_memory,
 * requires_grad.  RL_PY_COMPLEX: takes complex tensors and dtypes; without it they are refused. */
enum { RL_PY_OUT = 1, RL_PY_FACTORY = 2, RL_PY_COMPLEX = 4 };

/* "Note: small tables".  Parameters, signatures and operators are numbers that lead from table to
 * table, and their text lies in two pools: pointers would double the tables and cost the loader a
 * relocation each. */
typedef struct rl_py_sig {
    uint16_t params;    /* index into rl_py_params, of the first */
    uint16_t function;  /* C function, in ops.c's table */
    uint16_t shape;     /* what calls it, in ops.c's table */
    uint8_t n;          /* parameters */
    uint8_t positional; /* of them may be given by position */
    int8_t self;        /* the one that is the method's object, -1 for functions */
    uint8_t flags : 4;
    uint8_t kind : 4; /* rl_py_result_kind */
    uint8_t n_results;
    int8_t structure; /* named tuple of the results, or -1 */
} rl_py_sig;

typedef struct rl_py_op {
    uint32_t doc
        : 24; /* in rl_py_op_docs; a line per signature, "add(Tensor input, ...) -> Tensor" */
    uint32_t n_sigs : 8;
    uint16_t name; /* in rl_py_op_names */
    uint16_t sig;  /* index into rl_py_sigs, of the first */
} rl_py_op;

/* generated, in ops.c */
extern const rl_py_slot rl_py_defaults[];
extern const rl_py_param rl_py_params[];
extern const rl_py_sig rl_py_sigs[];
extern const char rl_py_op_names[], rl_py_op_docs[];

static inline const char *rl_py_op_name(const rl_py_op *op) { return rl_py_op_names + op->name; }
static inline const rl_py_param *rl_py_params_of(const rl_py_sig *sig)
{
    return rl_py_params + sig->params;
}

#define RL_PY_INT_ROOM 192 /* ints of all list arguments of a call that need no allocation */

typedef struct rl_py_temp {
    enum { RL_PY_TEMP_TENSOR, RL_PY_TEMP_MEMORY, RL_PY_TEMP_OBJECT } kind;
    void *p;
} rl_py_temp;

typedef struct rl_py_call {
    rl_py_slot slots[RL_PY_MAX_ARGS];
    PyObject *out;  /* borrowed, NULL when not given */
    rl_dtype dtype; /* of a factory whose C function takes none */
    bool requires_grad;
    int8_t format; /* rl_memory_format of the result */
    int8_t widest; /* the highest dtype among the arguments: complex ones are the last */
    bool override; /* an argument's type has a __torch_function__ to ask */
    int n_temps, ints_used;
    int64_t work; /* elements of the tensor arguments: long calls release the GIL */
    rl_py_temp temps[2 * RL_PY_MAX_ARGS];
    int64_t ints[RL_PY_INT_ROOM];
} rl_py_call;

extern PyObject **rl_py_names;              /* interned argument names, by index */
extern const char *const rl_py_name_list[]; /* generated */

int rl_py_init_names(void);
/* Parses the arguments against the operator's signatures; self is NULL for functions.  The
 * signature that fits, or NULL with an exception (then nothing is left to release). */
const rl_py_sig *rl_py_parse(const rl_py_op *op, PyObject *self, PyObject *const *args,
                             Py_ssize_t n, PyObject *kw, rl_py_call *call);
void rl_py_call_end(rl_py_call *call);

/* Parse, call, convert the result (ops.c). */
PyObject *rl_py_call_function(const rl_py_op *op, PyObject *const *args, Py_ssize_t n,
                              PyObject *kw);
PyObject *rl_py_call_method(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *kw,
                            const rl_py_op *op);

/* Name of an object's type in messages: without rushlight's module in front. */
const char *rl_py_type_name(PyObject *o);

/* A layout, device or memory format argument that asks for nothing but the strided CPU tensor
 * (types.c): 0, or -1 and PyTorch's exception.  None is fine. */
int rl_py_check_layout(PyObject *o);
int rl_py_check_device(PyObject *o);
/* Whether o is a rushlight.dtype / device / memory_format. */
bool rl_py_is_dtype(PyObject *o);
bool rl_py_is_device(PyObject *o);
bool rl_py_is_memory_format(PyObject *o);
/* 0: contiguous, 1: preserve, 2: channels_last, 3: channels_last_3d; -1 for None. */
int rl_py_memory_format_kind(PyObject *o);
PyObject *rl_py_cpu(void);             /* borrowed: device("cpu") */
PyObject *rl_py_strided(void);         /* borrowed: rushlight.strided */
int rl_py_add_types(PyObject *module); /* types.c */

/* The number type that torch.tensor and Number arguments accept; false when it is none.  May leave
 * an exception (int out of range): test PyErr_Occurred. */
bool rl_py_as_scalar(PyObject *o, rl_scalar *out);

PyObject *rl_py_tensor_compare(PyObject *a, PyObject *b, int op); /* number.c: tp_richcompare */

PyObject *rl_py_tensor_complex(PyObject *self, PyObject *ignored); /* number.c: __complex__ */

/* Operators on more elements than this let go of the interpreter lock. */
#define RL_PY_GIL_WORK 100000
#define RL_PY_RUN(work, statement)                                                                 \
    do {                                                                                           \
        if ((work) > RL_PY_GIL_WORK) {                                                             \
            rl_py_unlocked++;                                                                      \
            PyThreadState *thread_ = PyEval_SaveThread();                                          \
            statement;                                                                             \
            PyEval_RestoreThread(thread_);                                                         \
            rl_py_unlocked--;                                                                      \
        } else {                                                                                   \
            statement;                                                                             \
        }                                                                                          \
    } while (0)

extern PyMethodDef *rl_py_op_methods;        /* ops.c, made by rl_py_add_ops */
extern PyMethodDef rl_py_new_methods[];      /* ops.c: new_zeros, ... */
extern PyMethodDef rl_py_tensor_methods[];   /* tensor_methods.c */
extern PyMethodDef rl_py_convert_methods[];  /* tensor_convert.c: to, float, type, ... */
extern PyMethodDef rl_py_tensor_functions[]; /* tensor_methods.c: torch.numel, torch.nonzero, ... */
extern PyGetSetDef rl_py_tensor_getset[];    /* tensor_methods.c */
extern PyTypeObject rl_py_storage_type;      /* storage.c */
extern PyTypeObject rl_py_typed_storage_type;
PyObject *rl_py_storage(rl_tensor *t, bool typed);
rl_tensor *rl_py_storage_alias(PyObject *storage, rl_dtype dtype); /* all of it, 1-dim */
extern PyMethodDef rl_py_create_functions[]; /* create.c: tensor, as_tensor, ... */
extern PyMethodDef rl_py_create_methods[];   /* create.c: new_tensor */
rl_tensor *rl_py_require_grad(rl_tensor *t); /* create.c */
/* torch.Tensor(2, 3), torch.Tensor([1, 2]), LongTensor(...) : the legacy constructor (create.c). */
rl_tensor *rl_py_legacy_new(rl_dtype dtype, PyObject *args, PyObject *kwargs);

#endif
