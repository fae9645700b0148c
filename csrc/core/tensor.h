/* tensor.h: what a tensor is made of.  Open to the core, the operators and the bindings; opaque in
 * rushlight.h. */
#ifndef RL_CORE_TENSOR_H
#define RL_CORE_TENSOR_H

#include <stdatomic.h>
#include <string.h>

#include "core/error.h"
#include "rushlight.h"

#define RL_INLINE_DIMS 8

/* Memory shared by a tensor and its views. */
struct rl_storage {
    atomic_int refs;
    uint32_t version; /* counts in-place writes; saved tensors compare it (autograd/saved.c) */
    void *data;
    size_t bytes;
    void (*free_data)(void *context); /* NULL: data came from rl_alloc */
    void *context;
};

enum {
    RL_FLAG_WRAPPED_NUMBER =
        1 << 0, /* 0-dim tensor made from a Python number: weakest in type promotion */
    RL_FLAG_DATA_ALIAS = 1 << 1, /* x.data and its views: writes do not count as a new version */
    RL_FLAG_INFERENCE = 1 << 2,  /* made in inference mode */
    RL_FLAG_REQUIRES_GRAD =
        1 << 3, /* leaf that wants a gradient, or result that has a node: one test for both */
    RL_FLAG_VIEW =
        1 << 4, /* differentiable view: its base may have gained history; ask rl_requires_grad */
    RL_FLAG_OWNS_PY = 1 << 5, /* py is owned: Python itself has let go of it (python/tensor.c) */
};

/* Flags that this thread's new tensors get (views take theirs from what they view):
 * RL_FLAG_INFERENCE in inference mode. */
#ifdef __GLIBC__ /* the general model of thread-local storage is a call */
extern _Thread_local uint8_t rl_tls_new_flags __attribute__((tls_model("initial-exec")));
#else
extern _Thread_local uint8_t rl_tls_new_flags;
#endif

/* Autograd data of a tensor; only where there is something to say.  Owned by autograd/. */
typedef struct rl_autograd rl_autograd;

struct rl_tensor {
    atomic_int refs;
    int8_t dtype; /* rl_dtype */
    uint8_t ndim;
    uint8_t flags;
    uint8_t contiguous; /* kept true to shape and strides by rl_tensor_set_geometry */
    int64_t numel;
    int64_t offset;   /* of element [0, ..., 0] in the storage, in elements */
    int64_t *shape;   /* -> dims for up to RL_INLINE_DIMS dimensions, else one malloc of 2*ndim */
    int64_t *strides; /* in elements */
    char *data;       /* storage->data + offset * item size, kept in step */
    rl_storage *storage;
    rl_autograd *ag; /* NULL for most tensors */
    void *py; /* the Python object of this tensor, or NULL; borrowed unless RL_FLAG_OWNS_PY */
    int64_t dims[2 * RL_INLINE_DIMS];
};

/* Releases at the end of the block, so that early returns need no labels. */
static inline void rl_release_temp(rl_tensor **t) { rl_release(*t); }
#define RL_TEMP __attribute__((cleanup(rl_release_temp))) rl_tensor

/* Called when a tensor dies that owns its Python object. */
extern void (*rl_free_py)(rl_tensor *t);

/* ---- making ---- */

/* Contiguous, uninitialised; shape is not checked beyond overflow and negative sizes. */
rl_tensor *rl_new(rl_dtype dtype, int ndim, const int64_t *shape);
/* Same shape, and strides if t is dense and non-overlapping (PyTorch's preserve_format), else
 * row-major. */
rl_tensor *rl_new_like(const rl_tensor *t, rl_dtype dtype);
/* Uninitialised, with these strides (none negative). */
rl_tensor *rl_new_strided(rl_dtype dtype, int ndim, const int64_t *shape, const int64_t *strides);
/* A list of n NULLs, which rl_list_free releases whatever has been put in. */
rl_status rl_list_new(rl_list *list, int64_t n);
/* A view of t's storage; no autograd.  offset in elements of t's dtype.  RL_ERUNTIME when it would
 * leave the storage. */
rl_tensor *rl_new_view(rl_tensor *t, int ndim, const int64_t *shape, const int64_t *strides,
                       int64_t offset);
/* 0-dim from a Python number (RL_FLAG_WRAPPED_NUMBER set). */
rl_tensor *rl_wrap_number(rl_scalar value);
rl_tensor *rl_wrap_complex(double real, double imag);
/* Makes `t` refer to the storage and geometry of `from` (for .data = and set_()); autograd data is
 * untouched. */
rl_status rl_tensor_set_data(rl_tensor *t, rl_tensor *from);
/* Writes shape and strides into t and recomputes numel and contiguous.  strides NULL: row-major. */
rl_status rl_tensor_set_geometry(rl_tensor *t, int ndim, const int64_t *shape,
                                 const int64_t *strides);

rl_storage *rl_storage_new(size_t bytes);
void rl_storage_retain(rl_storage *s);
void rl_storage_release(rl_storage *s);

/* ---- looking ---- */

static inline size_t rl_itemsize(const rl_tensor *t) { return rl_dtype_size((rl_dtype)t->dtype); }
static inline bool rl_is_wrapped_number(const rl_tensor *t)
{
    return t->flags & RL_FLAG_WRAPPED_NUMBER;
}
bool rl_same_shape(const rl_tensor *a, const rl_tensor *b);
bool rl_has_shape(const rl_tensor *t, int ndim, const int64_t *shape);
bool rl_is_dense(
    const rl_tensor *t); /* non-overlapping and dense: some permutation is contiguous */
bool rl_overlaps_itself(const rl_tensor *t); /* an expanded view, say: two indices, one address */
bool rl_shares_memory(const rl_tensor *a,
                      const rl_tensor *b); /* the stretches of memory they span overlap */
void rl_memory_extent(const rl_tensor *t, const char **begin,
                      const char **end); /* that stretch; empty without elements */

/* ---- shape arithmetic (core/shape.c) ---- */

/* -ndim..ndim-1 -> 0..ndim-1; a 0-dim tensor counts as 1-dim.  RL_EINDEX with PyTorch's "Dimension
 * out of range". */
rl_status rl_wrap_dim(int64_t *dim, int ndim);
/* Product of sizes.  RL_ERUNTIME on overflow ("Storage size calculation overflowed ...") or
 * negative size. */
rl_status rl_shape_numel(int ndim, const int64_t *shape, int64_t *numel);
/* Whether elements lie one after the other in row-major order; strides of dims of size 1 do not
 * matter. */
bool rl_is_row_major(int ndim, const int64_t *shape, const int64_t *strides);
void rl_row_major(int ndim, const int64_t *shape, int64_t *strides);
/* Shape of a op b.  out has room for RL_MAX_DIMS.  RL_ERUNTIME with PyTorch's "The size of tensor a
 * (3) must match ...". */
rl_status rl_broadcast_shapes(int na, const int64_t *a, int nb, const int64_t *b, int *n,
                              int64_t *out);
/* Marks the listed dims (NULL/none: all) in mask[ndim].  Errors: out of range, listed twice. */
rl_status rl_dim_mask(rl_ints dims, int ndim, bool *mask);
/* Replaces the one -1 in shape by what numel needs.  RL_ERUNTIME "shape '[...]' is invalid for
 * input of size n". */
rl_status rl_infer_shape(rl_ints wanted, int64_t numel, int64_t *shape);
/* Strides with which `shape` views t without a copy; false when there are none. */
bool rl_view_strides(const rl_tensor *t, int ndim, const int64_t *shape, int64_t *strides);

/* The order of dims by which the operands' memory runs, fastest first, into order[ndim]: by the
 * strides (nops arrays, in any one unit, 0 where broadcast), the first operand that tells two dims
 * apart deciding; row-major where none does. */
void rl_stride_order(int ndim, const int64_t *shape, int nops, const int64_t *const *strides,
                     int *order);
/* Strides of a dense tensor whose memory runs in that order. */
void rl_order_strides(int ndim, const int64_t *shape, const int *order, int64_t *strides);

/* ---- dtype of a result (core/promote.c) ---- */

/* PyTorch's rule: dimensioned tensors, then 0-dim tensors, then wrapped numbers.  NULLs are
 * skipped. */
rl_dtype rl_result_type(int n, rl_tensor *const *t);

/* ---- copying (core/copy.c) ---- */

/* dst[...] = src[...], broadcasting src, converting the dtype; overlap is handled.  No autograd, no
 * version. */
rl_status rl_copy_data(rl_tensor *dst, rl_tensor *src);
rl_status rl_fill_data(rl_tensor *dst, rl_scalar value); /* errors as rl_check_scalar */
/* RL_ERUNTIME "value cannot be converted to type uint8_t without overflow". */
rl_status rl_check_scalar(rl_scalar value, rl_dtype dtype);
/* t itself (new reference) when row-major, else a row-major copy.  No autograd. */
rl_tensor *rl_contiguous_data(rl_tensor *t);
/* Row-major copy or t itself, with this dtype.  No autograd. */
rl_tensor *rl_cast_data(rl_tensor *t, rl_dtype dtype);
/* n elements, strides in bytes; conversion as PyTorch's .to(): float -> int truncates, anything ->
 * bool tests != 0. */
void rl_convert(rl_dtype from, const void *x, ptrdiff_t sx, rl_dtype to, void *y, ptrdiff_t sy,
                size_t n);

#endif
