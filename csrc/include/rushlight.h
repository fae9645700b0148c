/* rushlight.h: the public interface of the C core.  No Python in it; a C program links librushlight
 * and trains.
 *
 * Ownership.  Arguments are borrowed; results are new references, released with rl_release.  What
 * keeps or hands on a reference says so in its name (rl_steal_..., rl_borrow_...). Errors.  Makers
 * return NULL, doers a status other than RL_OK; both leave a code and a message in the calling
 * thread (rl_error_code, rl_error_message).  NULL in gives NULL out and keeps the first message, so
 * calls nest and are checked once.  Nothing prints, aborts or exits. Threads.  Different threads
 * may use different tensors at once.  Errors and the gradient mode belong to the thread. The
 * operators themselves are declared in rushlight_ops.h, generated from csrc/table.
 */
#ifndef RUSHLIGHT_H
#define RUSHLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RL_VERSION "0.1.0"
#define RL_MAX_DIMS 64

typedef struct rl_tensor rl_tensor;
typedef struct rl_storage rl_storage;
typedef struct rl_node rl_node;
typedef struct rl_generator rl_generator;

/* Element types, in PyTorch's order of promotion within a category. */
typedef enum rl_dtype {
    RL_NO_DTYPE = -1, /* "not given" in arguments */
    RL_BOOL,
    RL_U8,
    RL_I8,
    RL_I16,
    RL_I32,
    RL_I64,
    RL_F16,
    RL_BF16,
    RL_F32,
    RL_F64,
    RL_C64,  /* two floats: real and imaginary part */
    RL_C128, /* two doubles */
    RL_NDTYPES
} rl_dtype;

/* What went wrong; python/errors.c alone maps these to exceptions. */
typedef enum rl_status {
    RL_OK = 0,
    RL_ERUNTIME, /* RuntimeError: what PyTorch's TORCH_CHECK gives (shapes that do not fit, wrong
                    dtypes, ...) */
    RL_EVALUE,   /* ValueError */
    RL_ETYPE,    /* TypeError */
    RL_EINDEX,   /* IndexError: dimension or index out of range */
    RL_ENOTIMPL, /* NotImplementedError: no kernel for this dtype */
    RL_EMEMORY,  /* RuntimeError, as PyTorch's allocator: the system has no such amount of memory */
    RL_EOVERFLOW, /* OverflowError */
    RL_ECALLBACK  /* a callback (Python) failed and holds the exception itself */
} rl_status;

/* A number that is not a tensor: dtype RL_BOOL and RL_I64 use i, RL_F64 uses f; RL_NO_DTYPE means
 * "not given". */
typedef struct rl_scalar {
    rl_dtype dtype;
    union {
        int64_t i;
        double f;
    };
} rl_scalar;

/* Borrowed arrays in arguments.  n == -1 means "not given" (None). */
typedef struct rl_ints {
    const int64_t *v;
    int n;
} rl_ints;

typedef struct rl_tensors {
    rl_tensor *const *v;
    int64_t n;
} rl_tensors;

/* An int argument that may be None. */
typedef struct rl_opt_int {
    bool given;
    int64_t v;
} rl_opt_int;

/* A float argument that may be None. */
typedef struct rl_opt_float {
    bool given;
    double v;
} rl_opt_float;

/* A list of tensors as result; release with rl_list_free. */
typedef struct rl_list {
    rl_tensor **v;
    int64_t n;
} rl_list;

static inline rl_scalar rl_int(int64_t v) { return (rl_scalar){.dtype = RL_I64, .i = v}; }
static inline rl_scalar rl_float(double v) { return (rl_scalar){.dtype = RL_F64, .f = v}; }
static inline rl_scalar rl_bool(bool v) { return (rl_scalar){.dtype = RL_BOOL, .i = v}; }
static inline rl_scalar rl_no_scalar(void) { return (rl_scalar){.dtype = RL_NO_DTYPE, .i = 0}; }
double rl_scalar_double(rl_scalar s);
int64_t rl_scalar_int(rl_scalar s); /* truncates toward zero */

/* ---- errors
 * ----------------------------------------------------------------------------------------------------
 */

rl_status rl_error_code(void);
const char *rl_error_message(void);
void rl_error_clear(void);

/* ---- tensors
 * ---------------------------------------------------------------------------------------------------
 */

/* New tensor of the given shape, row-major, contents undefined.  RL_ERUNTIME: negative size, size
 * overflow. */
rl_tensor *rl_empty_shape(rl_dtype dtype, int ndim, const int64_t *shape);
/* New tensor with a copy of row-major data of the same dtype. */
rl_tensor *rl_from_data(rl_dtype dtype, int ndim, const int64_t *shape, const void *data);
/* New tensor over memory that somebody else owns; free_data(context) is called when the last view
 * is gone. strides: in elements, or NULL for row-major.  On failure free_data is not called. */
rl_tensor *rl_from_memory(rl_dtype dtype, int ndim, const int64_t *shape, const int64_t *strides,
                          void *data, void (*free_data)(void *context), void *context);
rl_tensor *rl_scalar_tensor(rl_scalar value,
                            rl_dtype dtype); /* 0-dim; RL_NO_DTYPE: from the scalar's kind */

rl_tensor *rl_retain(rl_tensor *t); /* NULL passes through */
void rl_release(rl_tensor *t);      /* NULL is fine; never recurses along a graph */
void rl_list_free(rl_list *list);

rl_dtype rl_dtype_of(const rl_tensor *t);
int rl_ndim(const rl_tensor *t);
const int64_t *rl_shape(const rl_tensor *t);
const int64_t *rl_strides(const rl_tensor *t); /* in elements */
int64_t rl_numel(const rl_tensor *t);
void *rl_data(rl_tensor *t); /* address of element [0, ..., 0] */
bool rl_is_contiguous(const rl_tensor *t);
/* The one element as a scalar.  RL_ERUNTIME: not exactly one element. */
rl_status rl_item(rl_tensor *t, rl_scalar *value);

size_t rl_dtype_size(rl_dtype dtype);      /* bytes */
const char *rl_dtype_name(rl_dtype dtype); /* "float32", as after "torch." */
bool rl_is_floating(rl_dtype dtype);       /* real: complex types are not */
bool rl_is_complex(rl_dtype dtype);
bool rl_is_differentiable(rl_dtype dtype); /* floating or complex */
rl_dtype rl_real_dtype(rl_dtype dtype);    /* of a complex type's parts; others are their own */
rl_dtype rl_complex_dtype(rl_dtype dtype); /* complex64, or complex128 for float64 and complex128 */
bool rl_is_integral(rl_dtype dtype, bool include_bool);
rl_dtype rl_promote(rl_dtype a, rl_dtype b);
bool rl_can_cast(rl_dtype from, rl_dtype to);
rl_dtype rl_default_dtype(void);
rl_status rl_set_default_dtype(rl_dtype dtype);

/* ---- autograd
 * --------------------------------------------------------------------------------------------------
 */

bool rl_requires_grad(const rl_tensor *t);
rl_status rl_set_requires_grad(rl_tensor *t, bool value);
bool rl_is_leaf(const rl_tensor *t);
rl_tensor *rl_borrow_grad(const rl_tensor *t);        /* NULL when there is none; borrowed */
rl_status rl_set_grad(rl_tensor *t, rl_tensor *grad); /* NULL clears */
/* d(roots)/d(leaves), accumulated into the leaves' grad.  grads: one per root, NULL for "ones"
 * (one-element roots only). inputs: n_inputs == 0 for all leaves, else only these. */
rl_status rl_backward(rl_tensors roots, rl_tensor *const *grads, bool retain_graph,
                      bool create_graph, rl_tensors inputs);
/* The same, returned in out[inputs.n] and accumulated nowhere; out[i] NULL where unused and
 * allow_unused. */
rl_status rl_grad(rl_tensors roots, rl_tensor *const *grads, rl_tensors inputs, bool retain_graph,
                  bool create_graph, bool allow_unused, rl_tensor **out);
bool rl_grad_enabled(void);
bool rl_set_grad_enabled(bool on); /* returns the mode before */
bool rl_inference_mode(void);
bool rl_set_inference_mode(bool on); /* returns the mode before */

/* ---- optimizers
 * --------------------------------------------------------------------------------------------------
 */

typedef enum rl_optim_kind {
    RL_SGD,
    RL_ADAM, /* AdamW: decoupled */
    RL_RMSPROP,
    RL_ADAGRAD,
    RL_ADADELTA,
    RL_ADAMAX,
    RL_NADAM,
    RL_RADAM,
    RL_ASGD,
    RL_RPROP,
    RL_ADAFACTOR,
    RL_MUON
} rl_optim_kind;

/* Muon's factor of the learning rate, by a matrix's rows and columns: sqrt(max(1, rows / columns)),
 * 0.2 sqrt(max(rows, columns)), 1. */
typedef enum rl_optim_adjust {
    RL_ADJUST_ORIGINAL,
    RL_ADJUST_MATCH_RMS_ADAMW,
    RL_ADJUST_NOT
} rl_optim_adjust;

/* Options under PyTorch's names; a kind reads those that its PyTorch class has. */
typedef struct rl_optim {
    rl_optim_kind kind;
    double lr, weight_decay, eps;
    double momentum, dampening;
    double beta1, beta2;
    double alpha, rho, lr_decay, momentum_decay;
    double lambd, t0;
    double eta_minus, eta_plus;        /* etas */
    double step_least, step_most;      /* step_sizes */
    double beta2_decay, eps1, eps2, d; /* Adafactor; eps1 NAN: the dtype's eps */
    double ns_coefficients[3];         /* Muon */
    int64_t ns_steps;
    rl_optim_adjust adjust_lr; /* adjust_lr_fn */
    bool nesterov, maximize, amsgrad, decoupled, centered;
} rl_optim;

#define RL_OPTIM_STATES 6
/* What an optimizer remembers of one parameter: slot 0 the number of steps (0-dim), slots 1 to 3
 * tensors like the parameter (Adafactor: means by row, by column, of a vector), slots 4 and 5 0-dim
 * numbers.  Begin with NULLs; the step makes what it needs.  Release them at the end. */
typedef rl_tensor *rl_optim_state[RL_OPTIM_STATES];

rl_optim rl_optim_defaults(rl_optim_kind kind); /* PyTorch's */
/* One step of n parameters, in place.  grads NULL: the parameters' own; a parameter without
 * gradient is left alone. state NULL is possible for SGD without momentum.  A failure changes no
 * parameter, and no state but those that were NULL. */
rl_status rl_optim_step(const rl_optim *o, int64_t n, rl_tensor *const *params,
                        rl_tensor *const *grads, rl_optim_state *state);
void rl_optim_state_free(int64_t n, rl_optim_state *state);

/* ---- random numbers: PyTorch's CPU generator (MT19937)
 * ----------------------------------------------------------- */

rl_generator *rl_generator_new(uint64_t seed);
void rl_generator_retain(rl_generator *g);
void rl_generator_release(rl_generator *g);
rl_generator *rl_default_generator(void);            /* borrowed */
void rl_manual_seed(rl_generator *g, uint64_t seed); /* NULL: the default generator */
uint64_t rl_initial_seed(const rl_generator *g);

/* ---- machine
 * ---------------------------------------------------------------------------------------------------
 */

int rl_num_threads(void);
rl_status rl_set_num_threads(int n); /* RL_ERUNTIME: n < 1 */
const char *
rl_isa(void); /* "avx512", "avx2", "portable": chosen at start-up, RUSHLIGHT_ISA forces one */
/* RL_ERUNTIME when RUSHLIGHT_ISA names what this machine or build lacks (the best one here is used
 * instead). */
rl_status rl_isa_status(void);

typedef struct rl_memory_stats {
    size_t in_use;    /* bytes handed out */
    size_t peak;      /* most bytes handed out at a time, since the last reset */
    size_t cached;    /* bytes kept for reuse */
    uint64_t n_alloc; /* blocks handed out since start */
} rl_memory_stats;
void rl_memory(rl_memory_stats *out);
void rl_memory_reset_peak(void);
void rl_empty_cache(void); /* gives the kept blocks back to the system */

#ifdef __cplusplus
}
#endif
#endif
