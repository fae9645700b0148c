/* node.c: the graph's nodes: making, connecting, attaching to tensors, freeing.
 *
 * A node is one block: the header, its edges, its outputs' shapes, its saved tensors.  Nodes own
 * the nodes they point to and the tensors they saved; a tensor owns the node that made it.
 * Accumulate nodes own their leaf. */
#include "autograd/autograd.h"
#include "core/alloc.h"

static _Thread_local uint64_t next_seq RL_TLS_FAST = 0;

/* ---- making ---- */

/* A node of refs 1 with everything zero and room for `dims` shape entries. */
static rl_node *node_alloc(const rl_node_type *type, int n_outputs, int n_inputs, int n_saved,
                           size_t dims)
{
    size_t edges = sizeof(rl_node);
    size_t metas = edges + (size_t)n_inputs * sizeof(rl_edge);
    size_t saved = metas + (size_t)n_outputs * sizeof(rl_output_meta);
    size_t shapes = saved + (size_t)n_saved * sizeof(rl_saved_tensor);
    size_t bytes = shapes + dims * sizeof(int64_t);
    if (bytes > UINT32_MAX)
        return rl_fail(RL_EMEMORY, "%s: too many inputs and outputs for one node", type->name);
    char *block = rl_small_alloc(bytes);
    if (!block)
        return NULL;
    memset(block, 0, bytes);
    rl_node *n = (rl_node *)block;
    n->type = type;
    atomic_init(&n->refs, 1);
    n->seq = next_seq++;
    n->n_inputs = n_inputs;
    n->n_outputs = n_outputs;
    n->n_saved = n_saved;
    n->bytes = (uint32_t)bytes;
    n->next = (rl_edge *)(block + edges);
    n->outputs = (rl_output_meta *)(block + metas);
    n->saved = (rl_saved_tensor *)(block + saved);
    return n;
}

static rl_status connect(rl_node *n, int n_inputs, rl_tensor *const *inputs)
{
    for (int i = 0; i < n_inputs; i++) {
        rl_tensor *t = inputs[i];
        if (!t || !(t->flags & (RL_FLAG_REQUIRES_GRAD | RL_FLAG_VIEW)))
            continue;
        rl_autograd *ag = t->ag;
        if (!(t->flags & RL_FLAG_VIEW) && ag && ag->node && !ag->is_leaf_node) {
            n->next[i] = (rl_edge){rl_node_retain(ag->node), ag->output};
            continue;
        }
        if (!rl_requires_grad(t))
            continue;
        n->next[i] = rl_gradient_edge(t);
        if (!n->next[i].node)
            return rl_error_code();
    }
    return RL_OK;
}

rl_node *rl_node_new_n(const rl_node_type *type, int n_outputs, rl_tensor *const *outputs,
                       int n_inputs, rl_tensor *const *inputs, int n_saved)
{
    size_t dims = 0;
    for (int o = 0; o < n_outputs; o++)
        dims += outputs[o] ? outputs[o]->ndim : 0;
    rl_node *n = node_alloc(type, n_outputs, n_inputs, n_saved, dims);
    if (!n)
        return NULL;
    int64_t *shape = (int64_t *)(n->saved + n_saved);
    for (int o = 0; o < n_outputs; o++) {
        const rl_tensor *z = outputs[o];
        if (!z)
            continue;
        n->outputs[o] = (rl_output_meta){shape, z->ndim, z->dtype, true};
        for (int d = 0; d < z->ndim; d++)
            shape[d] = z->shape[d];
        shape += z->ndim;
    }
    if (connect(n, n_inputs, inputs)) {
        rl_node_release(n);
        return NULL;
    }
    if (rl_anomaly_mode() && rl_anomaly_note)
        rl_anomaly_note(n);
    return n;
}

rl_node *rl_node_new(const rl_node_type *type, const rl_tensor *z, int n_inputs,
                     rl_tensor *const *inputs)
{
    rl_tensor *const output = (rl_tensor *)z;
    return z ? rl_node_new_n(type, 1, &output, n_inputs, inputs, type->n_saved) : NULL;
}

void rl_node_set_dims(rl_node *n, int count, const int64_t *dims)
{
    if (!n || n->failed || count == 0)
        return;
    int64_t *copy = rl_small_alloc((size_t)count * sizeof *copy);
    if (!copy) {
        n->failed = true;
        return;
    }
    memcpy(copy, dims, (size_t)count * sizeof *copy);
    if (n->args.dims)
        rl_small_free(n->args.dims, (size_t)n->args.n_dims * sizeof *copy);
    n->args.dims = copy;
    n->args.n_dims = count;
}

bool rl_recording_any(rl_tensors list)
{
    if (rl_tls_grad_enabled)
        for (int64_t i = 0; i < list.n; i++)
            if (rl_recording(list.v[i]))
                return true;
    return false;
}

bool rl_node_meta(const rl_node *n, int output, rl_dtype *dtype, int *ndim, const int64_t **shape)
{
    if (output < 0 || output >= n->n_outputs || !n->outputs[output].known)
        return false;
    *dtype = (rl_dtype)n->outputs[output].dtype;
    *ndim = n->outputs[output].ndim;
    *shape = n->outputs[output].shape;
    return true;
}

/* ---- nodes and tensors ---- */

rl_autograd *rl_autograd_of(rl_tensor *t)
{
    if (!t->ag) {
        rl_autograd *ag = rl_small_alloc(sizeof *ag);
        if (!ag)
            return NULL;
        memset(ag, 0, sizeof *ag);
        t->ag = ag;
    }
    return t->ag;
}

void rl_autograd_free(rl_tensor *t)
{
    rl_autograd *ag = t->ag;
    if (!ag)
        return;
    t->ag = NULL;
    t->flags &= (uint8_t)~(RL_FLAG_REQUIRES_GRAD | RL_FLAG_VIEW);
    rl_release(ag->grad);
    /* A leaf's accumulate node owns the leaf: it is gone when the leaf dies. */
    if (ag->node && !ag->is_leaf_node) {
        if (ag->retains_grad)
            rl_forget_retain(ag->node, t);
        rl_node_release(ag->node);
    }
    rl_hooks_free(ag->hooks);
    rl_release(ag->base);
    rl_small_free(ag, sizeof *ag);
}

rl_status rl_set_history(rl_tensor *t, rl_node *n, int output)
{
    rl_autograd *ag = rl_autograd_of(t);
    if (!ag) {
        rl_node_release(n);
        return RL_EMEMORY;
    }
    rl_node *old = ag->is_leaf_node ? NULL : ag->node;
    if (old && ag->retains_grad && rl_move_retain(old, n, t, output)) {
        rl_node_release(n);
        return RL_EMEMORY;
    }
    ag->node = n;
    ag->is_leaf_node = false;
    ag->output = output;
    t->flags |= RL_FLAG_REQUIRES_GRAD;
    rl_node_release(old);
    return RL_OK;
}

rl_tensor *rl_record(rl_node *n, rl_tensor *z)
{
    if (!n || n->failed || !z)
        goto fail;
    if (!rl_is_differentiable((rl_dtype)z->dtype)) {
        rl_node_release(n);
        return z;
    }
    if (z->ag || z->flags & RL_FLAG_VIEW) { /* an in-place result or a view: keep what it has */
        if (rl_set_history(z, n, 0) == RL_OK)
            return z;
        n = NULL;
        goto fail;
    }
    rl_autograd *ag = rl_small_alloc(sizeof *ag);
    if (!ag)
        goto fail;
    memset(ag, 0, sizeof *ag);
    ag->node = n;
    z->ag = ag;
    z->flags |= RL_FLAG_REQUIRES_GRAD;
    return z;
fail:
    rl_node_release(n);
    rl_release(z);
    return NULL;
}

rl_status rl_record_n(rl_node *n, int n_outputs, rl_tensor *const *z)
{
    rl_status status = n && !n->failed ? RL_OK : rl_error_code();
    for (int o = 0; o < n_outputs && !status; o++)
        if (z[o] && rl_is_differentiable((rl_dtype)z[o]->dtype))
            status = rl_set_history(z[o], rl_node_retain(n), o);
    rl_node_release(n);
    return status;
}

rl_edge rl_gradient_edge(rl_tensor *t)
{
    if (!t || !(t->flags & (RL_FLAG_REQUIRES_GRAD | RL_FLAG_VIEW)))
        return (rl_edge){NULL, 0};
    if (t->flags & RL_FLAG_VIEW)
        return rl_view_edge(t);
    rl_autograd *ag = t->ag;
    if (ag && ag->node && !ag->is_leaf_node)
        return (rl_edge){rl_node_retain(ag->node), ag->output};
    return rl_leaf_edge(t);
}

/* ---- freeing ---- */

rl_node *rl_node_retain(rl_node *n)
{
    if (n)
        atomic_fetch_add_explicit(&n->refs, 1, memory_order_relaxed);
    return n;
}

/* Note: freeing without recursion.  What a node owns may own further nodes, a million deep.  The
 * first release of a thread works through a list; those met on the way only join it, linked through
 * `py`, which means nothing any more. */
static _Thread_local rl_node *dying RL_TLS_FAST;
static _Thread_local bool freeing RL_TLS_FAST;

static void node_free(rl_node *n)
{
    if (n->type == rl_accumulate_type())
        rl_accumulate_forget(n);
    for (int i = 0; i < n->n_saved; i++)
        rl_saved_free(&n->saved[i]);
    for (int i = 0; i < n->n_inputs; i++)
        rl_node_release(n->next[i].node);
    if (n->hooks)
        rl_hooks_free(n->hooks);
    if (n->context && n->type->free_context)
        n->type->free_context(n->context);
    if (n->args.dims)
        rl_small_free(n->args.dims, (size_t)n->args.n_dims * sizeof(int64_t));
    rl_small_free(n, n->bytes);
}

/* Whether the caller's reference is the only one and stays so: nobody can come by another.  A
 * locked instruction costs as much as twenty others; only an accumulate node is found by those who
 * do not own it (rl_leaf_edge). */
static inline bool is_last(rl_node *n)
{
    return n->type != rl_accumulate_type() &&
           atomic_load_explicit(&n->refs, memory_order_acquire) == 1;
}

void rl_node_release(rl_node *n)
{
    if (!n)
        return;
    if (!is_last(n) && atomic_fetch_sub_explicit(&n->refs, 1, memory_order_acq_rel) != 1)
        return;
    n->py = dying;
    dying = n;
    if (freeing)
        return;
    freeing = true;
    while ((n = dying)) {
        dying = n->py;
        n->py = NULL;
        node_free(n);
    }
    freeing = false;
}

rl_tensor *rl_node_variable(rl_node *n)
{
    return n->type == rl_accumulate_type() ? n->context : NULL;
}
