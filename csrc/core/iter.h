/* iter.h: the one front-end of element-wise work, and the one of reductions.
 *
 * rl_map broadcasts, finds the dtype to compute in, merges dimensions, splits over threads and
 * hands inner loops (pointers, strides, n) to a kernel.  Inputs whose dtype is not the one computed
 * in, float16 and bfloat16, and outputs of another dtype pass through small blocks converted on the
 * fly; nothing is materialised.  No autograd here. */
#ifndef RL_CORE_ITER_H
#define RL_CORE_ITER_H

#include "core/tensor.h"
#include "kernels/kernels.h"

#define RL_MAP_MAX_INPUTS 4

/* How an element-wise operator types its work. */
typedef enum rl_typing {
    RL_TYPE_PROMOTE, /* compute and return in the result type of the inputs: add, mul, neg */
    RL_TYPE_FLOAT,   /* the same, but integers and bool become the default dtype: exp, div */
    RL_TYPE_BOOL,    /* compute in the result type, return bool: eq, isnan */
    RL_TYPE_FIXED    /* compute in `compute`, return `result` (below) */
} rl_typing;

typedef struct rl_map {
    rl_map_op op;
    rl_typing typing;
    rl_dtype compute, result; /* RL_TYPE_FIXED only */
    rl_tensor *out; /* NULL: allocate.  Else write there: shape must be the broadcast shape ("output
                       with shape
                       [...] doesn't match the broadcast shape [...]") and the result type castable
                       to its dtype
                       ("result type Float can't be cast to the desired output type Long") */
    const char *name; /* of the operator, for messages */
    int n;            /* inputs */
    /* A NULL among them: the call returns NULL and keeps the error.  Where rl_map_mask_first(op),
     * the first is converted to bool and takes no part in the typing. */
    rl_tensor *in[RL_MAP_MAX_INPUTS];
    rl_kargs args;
} rl_map;

/* Runs the map.  New reference to the result (to m->out when given).  RL_ENOTIMPL when no kernel
 * fits the dtype:
 * "\"name\" not implemented for 'Bool'".  Small contiguous cases of one dtype take a short way. */
rl_tensor *rl_map_run(const rl_map *m);

/* Reduction over the dims in mask[ndim] (true: reduced).  y has the kernel's output dtype for
 * `compute`, then converts to `result`.  keepdim keeps size-1 dims.  Chunks and order of additions
 * depend on shape and layout alone. */
rl_tensor *rl_reduce_run(rl_reduce_op op, const char *name, rl_tensor *x, const bool *mask,
                         bool keepdim, rl_dtype compute, rl_dtype result, const rl_kargs *args);

/* The errors of writing into `out` while reading `in`: PyTorch raises when two dense tensors
 * overlap in part, and when the output has one address for two elements. */
rl_status rl_check_no_partial_overlap(const rl_tensor *out, const rl_tensor *in);
rl_status rl_check_no_self_overlap(const rl_tensor *out);

/* "Float", "Long": PyTorch's scalar type names, used in its messages. */
const char *rl_dtype_title(rl_dtype dtype);
/* "float", "long int", "c10::Half": C++'s names, in others of its messages. */
const char *rl_dtype_cpp(rl_dtype dtype);

#endif
