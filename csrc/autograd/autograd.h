/* autograd.h: nodes, saved tensors, recording.  What an operator's author needs, then what the
 * engine and bindings need.
 *
 * A differentiable operator:
 *
 *     // z = x y        dx = g y, dy = g x
 *     static rl_status mul_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
 *     {
 *         RL_TEMP *x = rl_saved(n, 0);           // new reference; NULL and the error if modified
 * in place since RL_TEMP *y = rl_saved(n, 1); if (rl_wants(n, 0)) dx[0] = rl_mul(g[0], y); if
 * (rl_wants(n, 1)) dx[1] = rl_mul(g[0], x); return RL_DONE(n, dx);                  // the pending
 * error, if a call failed and left a wanted dx NULL
 *     }
 *     static const rl_node_type mul_node = {"MulBackward0", mul_backward, 2};
 *
 *     rl_tensor *rl_mul(rl_tensor *x, rl_tensor *y)
 *     {
 *         rl_tensor *z = binary(RL_MAP_MUL, x, y);
 *         if (!rl_recording(x) && !rl_recording(y)) return z;
 *         rl_node *n = rl_node_new(&mul_node, z, 2, (rl_tensor *[]){x, y});
 *         rl_save(n, 0, x);
 *         rl_save(n, 1, y);
 *         return rl_record(n, z);                // gives z back, with its history
 *     }
 *
 * Formulas are written with public operators, so that create_graph differentiates them again.  The
 * engine itself sums a gradient over broadcast dimensions down to the input's shape and converts it
 * to the input's dtype, so formulas ignore both.  A NULL gradient returned for an input means zero.
 */
#ifndef RL_AUTOGRAD_H
#define RL_AUTOGRAD_H

#include "core/tensor.h"

/* ---- for operators ---- */

/* Computes dx[i] (new references, NULL = zero) from g[o] (borrowed; NULL = zero, only for nodes of
 * several outputs). dx arrives all NULL; on failure the engine releases what was set. */
typedef rl_status rl_backward_fn(rl_node *n, rl_tensor *const *g, rl_tensor **dx);

typedef struct rl_node_type {
    const char *name; /* PyTorch's: "MulBackward0" */
    rl_backward_fn *backward;
    int n_saved;                         /* tensors rl_save may store */
    void (*free_context)(void *context); /* releases n->context, if any */
    bool takes_null; /* backward is called even when all gradients are NULL (Python Functions) */
    /* Frees what the context saved, after backward without retain_graph; NULL: nothing there. */
    void (*release_context)(rl_node *n);
} rl_node_type;

/* Numbers a formula needs. */
typedef struct rl_args {
    int64_t i[4];
    double f[2];
    rl_scalar s[2];
    int n_dims; /* of dims: shapes, permutations, lists of dims; owned by the node, see
                   rl_node_set_dims */
    int64_t *dims;
} rl_args;

typedef struct rl_edge {
    rl_node *node; /* owned; NULL where no gradient is wanted */
    int output;    /* which output of that node the input was */
} rl_edge;

typedef struct rl_packed rl_packed;
typedef struct rl_saved_tensor { /* see saved.c */
    rl_tensor *t;
    rl_packed *packed;         /* what a hook made of t, which is NULL then */
    const rl_storage *storage; /* when saved; only compared */
    uint32_t version;          /* of the storage, when saved */
    uint16_t output;           /* which output of the saving node, */
    bool is_output;            /* if it is one: those are kept without history */
    bool given;                /* saved as a tensor, not as NULL */
} rl_saved_tensor;
typedef struct rl_hook rl_hook;
typedef struct rl_output_meta { /* shape and dtype of an output, to check and shrink gradients */
    int64_t *shape;
    uint8_t ndim;
    int8_t dtype;
    bool known; /* false: a skipped output of rl_node_new_n */
} rl_output_meta;

struct rl_node {
    const rl_node_type *type;
    atomic_int refs;
    int n_inputs, n_outputs;
    uint64_t seq;            /* creation order in this thread: the later, the sooner in backward */
    rl_edge *next;           /* n_inputs */
    rl_output_meta *outputs; /* n_outputs */
    rl_saved_tensor *saved;  /* type->n_saved, or as given to rl_node_new_n */
    int n_saved;
    bool released;  /* what was saved has been freed: a second backward is an error */
    bool failed;    /* something could not be saved: rl_record reports it */
    uint32_t bytes; /* of this block: node, edges, outputs' shapes and saved tensors are one
                       allocation */
    uint32_t mark_run, mark_index; /* the engine's place for this node while it runs */
    rl_hook *hooks;                /* pre and post hooks; usually NULL */
    rl_args args;
    void *context; /* of nodes from outside the core (Python Functions) and of special nodes */
    void *py;      /* borrowed: Python's grad_fn object, or NULL */
};

/* Reading a thread's variable through glibc's dynamic model is a call; the first few bytes of every
 * library are exempt. */
#ifdef __GLIBC__
#define RL_TLS_FAST __attribute__((tls_model("initial-exec")))
#else
#define RL_TLS_FAST
#endif
extern _Thread_local bool rl_tls_grad_enabled
    RL_TLS_FAST; /* read through rl_grad_enabled, rl_recording; mode.c */
extern _Thread_local uint64_t rl_tls_unwanted
    RL_TLS_FAST; /* bit i: the running node's input i is not asked for */
/* What the running node has saved is freed after it: a formula may write over what it finds nobody
 * else to hold, and then releases it itself (rl_node_release_saved), whether it succeeds or not. */
extern _Thread_local bool rl_tls_last_use;

/* Whether an operator with this input must record: gradient mode is on and the tensor requires a
 * gradient.  NULL: no. */
static inline bool rl_recording(const rl_tensor *t)
{
    return t && (t->flags & (RL_FLAG_REQUIRES_GRAD | RL_FLAG_VIEW)) && rl_tls_grad_enabled &&
           ((t->flags & RL_FLAG_REQUIRES_GRAD) || rl_requires_grad(t));
}
bool rl_recording_any(rl_tensors list);

/* New node whose one output is z and whose inputs are the given tensors (a NULL tensor or one
 * without gradient gets an empty edge).  NULL when z is NULL or memory is short; the functions
 * below pass NULL through, rl_record reports it. */
rl_node *rl_node_new(const rl_node_type *type, const rl_tensor *z, int n_inputs,
                     rl_tensor *const *inputs);
/* The same for n_outputs outputs and a number of saved tensors known at run time. */
rl_node *rl_node_new_n(const rl_node_type *type, int n_outputs, rl_tensor *const *outputs,
                       int n_inputs, rl_tensor *const *inputs, int n_saved);
void rl_save(rl_node *n, int slot, rl_tensor *t); /* an input or other tensor; NULL: nothing */
void rl_save_output(rl_node *n, int slot, rl_tensor *z,
                    int output); /* an output: kept without its node */
void rl_node_set_dims(rl_node *n, int count, const int64_t *dims); /* copies into args.dims */
/* Makes the node z's history; takes over n.  z with its node, or NULL (z released) when n is NULL.
 */
rl_tensor *rl_record(rl_node *n, rl_tensor *z);
/* For nodes of several outputs: z[o] gets output o (NULL z[o]: skipped, not differentiable).  Takes
 * over n. */
rl_status rl_record_n(rl_node *n, int n_outputs, rl_tensor *const *z);

/* In backward. */
rl_tensor *
rl_saved(rl_node *n,
         int slot); /* new reference; NULL + RL_ERUNTIME when modified in place or freed.
                       A slot saved as NULL gives NULL without error: test rl_has_saved first */
bool rl_has_saved(const rl_node *n, int slot);
/* Whether dx[input] is asked for; computing it all the same is only a waste. */
static inline bool rl_wants(const rl_node *n, int input)
{
    return n->next[input].node != NULL && !(input < 64 && (rl_tls_unwanted >> input & 1));
}
/* The pending error when a wanted dx is NULL because a call failed, else RL_OK: the engine clears
 * the thread's error before it calls a formula, so a NULL without an error means zero. */
rl_status rl_done(rl_node *n, rl_tensor *const *dx);
#define RL_DONE(n, dx) rl_done(n, dx)

/* In-place operators: check first, make the node, write, record.
 *   bool records = rl_recording(x) || rl_recording(y);
 *   if (rl_check_inplace(x, records)) return NULL;   leaf that requires grad, inference tensor,
 * expanded view, ...
 *   ... node made with rl_node_new(type, x, ...) BEFORE the write, x itself as input 0, when
 * `records`; rl_save clones of what the write destroys; never rl_save x itself; rl_save_output(n,
 * slot, x, 0) is fine, rl_record_inplace sees to the version ... write; return rl_record_inplace(n,
 * x);     version + 1; history of x, and of its base when x is a view; new reference n may be NULL
 * when nothing records; then only the version counts. */
rl_status rl_check_inplace(rl_tensor *x, bool records);
rl_tensor *rl_record_inplace(rl_node *n, rl_tensor *x);
void rl_bump_version(rl_tensor *x);
/* The general in-place form: x becomes f(x), given y = f(source) computed out of place with its
 * history: RL_TEMP *s = rl_inplace_source(x, records); return s ? rl_inplace_assign(x, rl_f(s,
 * ...)) : NULL; The source is x itself when nothing records, else a copy with x's history.
 * rl_inplace_assign checks that shape and dtype fit, copies y into x, gives x y's history, releases
 * y. */
rl_tensor *rl_inplace_source(rl_tensor *x, bool records);
rl_tensor *rl_inplace_assign(rl_tensor *x, rl_tensor *y);
/* out=: resizes `out` when its shape differs (PyTorch warns when it is not empty), copies y,
 * releases y, returns out. */
rl_tensor *rl_out_assign(rl_tensor *out, rl_tensor *y);

/* Views: t is a view of base made by an operator; shares version and history.  Every view operator
 * ends with return rl_record_view(z, base, node);      node NULL when nothing records */
rl_tensor *rl_record_view(rl_tensor *z, rl_tensor *base, rl_node *n);
/* The same for operators that return several views of one base (split, unbind): those refuse
 * in-place writes that would record.  n has views.n outputs, or is NULL. */
rl_status rl_record_views(rl_tensors views, rl_tensor *base, rl_node *n);

/* A tensor of the same memory outside the graph (x.detach()), and one whose writes count for
 * nothing (x.data). */
rl_tensor *rl_detach(rl_tensor *t);
rl_tensor *rl_data_alias(rl_tensor *t);
rl_status rl_detach_(rl_tensor *t);            /* takes t itself out of the graph; a view refuses */
rl_tensor *rl_borrow_base(const rl_tensor *t); /* of a differentiable view, else NULL */

/* x.data = from: t takes over from's memory and geometry; its history and grad stay. */
rl_status rl_replace_data(rl_tensor *t, rl_tensor *from);

/* Sums t down to shape (which must broadcast to t's); differentiable.  new reference */
rl_tensor *rl_sum_to(rl_tensor *t, int ndim, const int64_t *shape);

/* ---- for the engine, the bindings and Python's autograd ---- */

/* A callback from outside: the core never learns what Python is. */
struct rl_hook {
    rl_hook *next;
    int64_t id;
    enum {
        RL_HOOK_TENSOR,
        RL_HOOK_RETAIN,
        RL_HOOK_POST_ACC,
        RL_HOOK_NODE_PRE,
        RL_HOOK_NODE_POST,
        RL_HOOK_NODE_META /* never called: only holds its context */
    } kind;
    int output; /* TENSOR, RETAIN: which output of the node */
    /* TENSOR: grads[0] in, *replacement out (new reference or NULL to keep).  NODE_PRE: grads =
     * gradients of the outputs. NODE_POST: grads = gradients of the inputs, then those of the
     * outputs.  replacement: array like grads. */
    rl_status (*call)(void *context, int n, rl_tensor *const *grads, rl_tensor **replacement);
    void (*free)(void *context);
    void *context;
};

/* What a view's origin says about in-place writes that record. */
typedef enum rl_view_kind {
    RL_VIEW_PLAIN,
    RL_VIEW_MULTI,     /* one of several results of one operator: refused */
    RL_VIEW_NO_GRAD,   /* made with recording off: refused */
    RL_VIEW_INFERENCE, /* made in inference mode of a normal tensor: refused */
    RL_VIEW_CUSTOM     /* made inside a Python Function: refused */
} rl_view_kind;

struct rl_autograd {
    rl_tensor *grad;
    rl_node *node;     /* history of a result; for a leaf: its accumulate node, borrowed (see
                          accumulate.c) */
    int output;        /* which output of node */
    bool is_leaf_node; /* node is a leaf's accumulate node */
    bool retains_grad;
    uint8_t view_kind;     /* of a view: rl_view_kind */
    uint32_t view_version; /* of a view: storage version when its history was made */
    rl_tensor *base;       /* of a differentiable view; owned */
    rl_hook *hooks;        /* of a leaf; those of a result move to its node */
};

/* The tensor's autograd data, made when missing; NULL when memory is short. */
rl_autograd *rl_autograd_of(rl_tensor *t);
void rl_autograd_free(rl_tensor *t); /* from rl_release */
/* Where t's gradient goes: its node (new reference; made anew for a view whose base changed; the
 * accumulate node of a leaf) and output number.  node NULL when t requires no gradient. */
rl_edge rl_gradient_edge(rl_tensor *t);
rl_node *rl_node_retain(rl_node *n);
void rl_node_release(rl_node *n);        /* without recursion */
rl_tensor *rl_node_variable(rl_node *n); /* borrowed: the leaf of an accumulate node, else NULL */
void rl_node_release_saved(rl_node *n);
const rl_node_type *rl_accumulate_type(void);
/* Error of a value that was freed after backward; returns RL_ERUNTIME.  And of one modified since
 * it was saved. */
rl_status rl_error_freed(void);
rl_status rl_check_saved_version(rl_node *n, int slot);
/* A saved tensor with its history, whatever the gradient mode: for Python's _saved_ attributes. */
rl_tensor *rl_saved_with_history(rl_node *n, int slot);

/* saved_tensors_hooks: while rl_tls_packs, pack makes something of each tensor to be saved (NULL:
 * an error is set), and unpack makes a tensor of it again (new reference). */
struct rl_packed {
    void *what;
    rl_edge edge; /* where the gradient of an input goes; owned */
};
typedef struct rl_packing {
    void *(*pack)(rl_tensor *t);
    rl_tensor *(*unpack)(void *what);
    void (*free)(void *what);
} rl_packing;
extern rl_packing rl_saved_packing;
extern _Thread_local bool rl_tls_packs RL_TLS_FAST;
void rl_saved_free(rl_saved_tensor *s); /* lets go of what is saved */

bool rl_anomaly_mode(void);
bool rl_set_anomaly_mode(bool on); /* returns the mode before; process-wide */
bool rl_anomaly_checks_nan(void);
void rl_set_anomaly_checks_nan(bool on);
/* Called with the name of the node whose backward failed, in anomaly mode; NULL: nobody. */
extern void (*rl_anomaly_report)(rl_node *n);
/* The profiler's: called after each node's formula with its times, ns of CLOCK_MONOTONIC; NULL:
 * nobody listens. */
extern void (*rl_node_timed)(const rl_node *n, int64_t start, int64_t end);
/* Called for each new node in anomaly mode, to note where it was made. */
extern void (*rl_anomaly_note)(rl_node *n);
rl_tensor *
rl_get_grad(const rl_tensor *t);    /* new reference; safe while another thread runs backward */
rl_edge rl_leaf_edge(rl_tensor *t); /* accumulate.c */
rl_edge rl_view_edge(rl_tensor *t); /* view.c */
rl_status rl_accumulate(rl_node *n, rl_tensor *grad); /* takes over grad */
void rl_accumulate_forget(rl_node *n); /* when the node dies: the tensor no longer knows it */
/* Calls the hooks of one kind: TENSOR and RETAIN (on g, per output), NODE_PRE.  g: owned, replaced
 * in place. */
rl_status rl_call_pre_hooks(rl_node *n, rl_tensor **g);
rl_status rl_call_node_pre_hooks(rl_node *n, rl_tensor **g);
rl_status rl_call_node_post_hooks(rl_node *n, rl_tensor **dx, rl_tensor **g);
rl_status rl_call_post_accumulate_hooks(rl_tensor *t);
void rl_hooks_free(rl_hook *list);
void rl_forget_retain(rl_node *n, rl_tensor *t); /* t dies */
rl_status rl_move_retain(rl_node *from, rl_node *to, rl_tensor *t,
                         int output); /* t gets a new history */
/* Whether nobody but the caller sees this memory, so that it may be written. */
bool rl_sole_owner(const rl_tensor *t);
/* Base of a view that was written: its history, with t's memory replaced by output `output` of n.
 * Takes over n. */
rl_status rl_set_base_history(rl_tensor *t, rl_node *n, int output);
/* Notes that z is a view of base; of integers and inference tensors nothing is noted. */
rl_status rl_mark_view(rl_tensor *z, rl_tensor *base, rl_view_kind kind);
rl_status
rl_check_view_write(rl_tensor *t,
                    bool indirect); /* an error when the view's kind refuses in-place writes */
/* Gives t this history in place of the one it had; takes over n. */
rl_status rl_set_history(rl_tensor *t, rl_node *n, int output);
bool rl_node_meta(const rl_node *n, int output, rl_dtype *dtype, int *ndim, const int64_t **shape);

/* Hooks.  Take over context.  Return the hook's id (> 0), or 0 on failure. */
int64_t rl_add_tensor_hook(rl_tensor *t, rl_hook hook);
int64_t rl_add_node_hook(rl_node *n, rl_hook hook);
void rl_remove_tensor_hook(rl_tensor *t, int64_t id);
void rl_remove_node_hook(rl_node *n, int64_t id);
rl_status rl_retain_grad(rl_tensor *t);

#endif
