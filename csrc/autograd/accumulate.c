/* accumulate.c: leaves: requires_grad, grad, and the node that adds to it.
 *
 * A leaf's accumulate node is found through the leaf, which does not own it; the node owns the
 * leaf.  So a graph keeps its leaves alive, and a leaf without a graph carries nothing.  The
 * look-up and the node's death exclude each other: a node whose count has reached zero is no longer
 * handed out, and its memory stays until it has been struck from the leaf. */
#include <pthread.h>

#include "autograd/autograd.h"
#include "core/iter.h"
#include "rushlight_ops.h"

static atomic_flag edge_lock = ATOMIC_FLAG_INIT;

static void lock_edges(void)
{
    while (atomic_flag_test_and_set_explicit(&edge_lock, memory_order_acquire))
        ;
}

static void unlock_edges(void) { atomic_flag_clear_explicit(&edge_lock, memory_order_release); }

static rl_status no_backward(rl_node *n, rl_tensor *const *g, rl_tensor **dx)
{
    (void)n, (void)g, (void)dx;
    return rl_error(RL_ERUNTIME, "AccumulateGrad is run by the engine alone");
}

static void release_leaf(void *context) { rl_release(context); }

static const rl_node_type accumulate_node = {
    .name = "torch::autograd::AccumulateGrad",
    .backward = no_backward,
    .free_context = release_leaf,
};

const rl_node_type *rl_accumulate_type(void) { return &accumulate_node; }

/* Under the lock; rl_leaf_edge reads it without. */
static void set_node(rl_autograd *ag, rl_node *n)
{
    __atomic_store_n(&ag->node, n, __ATOMIC_RELAXED);
    ag->is_leaf_node = n != NULL;
}

rl_edge rl_leaf_edge(rl_tensor *t)
{
    rl_autograd *ag = rl_autograd_of(t);
    if (!ag)
        return (rl_edge){NULL, 0};
    /* Mostly there is none, and a lock costs as much as making one. */
    rl_node *n = __atomic_load_n(&ag->node, __ATOMIC_RELAXED);
    if (n) {
        lock_edges();
        n = ag->is_leaf_node ? ag->node : NULL;
        int refs = n ? atomic_load_explicit(&n->refs, memory_order_relaxed) : 0;
        while (refs > 0 &&
               !atomic_compare_exchange_weak_explicit(&n->refs, &refs, refs + 1,
                                                      memory_order_relaxed, memory_order_relaxed))
            ;
        unlock_edges();
        if (refs > 0)
            return (rl_edge){n, 0};
    }
    /* Two threads may both come here; the node that is entered last is found by later calls, both
     * work. */
    n = rl_node_new_n(&accumulate_node, 1, &t, 0, NULL, 0);
    if (!n)
        return (rl_edge){NULL, 0};
    n->seq = UINT64_MAX; /* as soon as it is ready */
    n->context = rl_retain(t);
    lock_edges();
    set_node(ag, n);
    unlock_edges();
    return (rl_edge){n, 0};
}

void rl_accumulate_forget(rl_node *n)
{
    rl_tensor *t = n->context;
    lock_edges();
    if (t->ag && t->ag->is_leaf_node && t->ag->node == n)
        set_node(t->ag, NULL);
    unlock_edges();
}

/* ---- requires_grad and grad ---- */

bool rl_requires_grad(const rl_tensor *t)
{
    if (!t || !(t->flags & (RL_FLAG_REQUIRES_GRAD | RL_FLAG_VIEW)))
        return false;
    return t->flags & RL_FLAG_REQUIRES_GRAD || (t->ag && rl_requires_grad(t->ag->base));
}

bool rl_is_leaf(const rl_tensor *t)
{
    const rl_autograd *ag = t->ag;
    if (ag && ag->node && !ag->is_leaf_node)
        return false;
    /* A view whose base was written since takes its history from there. */
    return !(t->flags & RL_FLAG_VIEW && ag->view_version != t->storage->version &&
             rl_requires_grad(ag->base));
}

rl_status rl_set_requires_grad(rl_tensor *t, bool value)
{
    if (!rl_is_leaf(t)) {
        if (value)
            return RL_OK;
        return rl_error(
            RL_ERUNTIME,
            "you can only change requires_grad flags of leaf variables. If you want to "
            "use a computed variable in a subgraph that doesn't require differentiation "
            "use var_no_grad = var.detach().");
    }
    if (!value) {
        t->flags &= (uint8_t)~RL_FLAG_REQUIRES_GRAD;
        return RL_OK;
    }
    if (!rl_is_differentiable((rl_dtype)t->dtype))
        return rl_error(RL_ERUNTIME, "only Tensors of floating point dtype can require gradients");
    if (t->flags & RL_FLAG_INFERENCE && !rl_inference_mode())
        return rl_error(RL_ERUNTIME, "Setting requires_grad=True on inference tensor outside "
                                     "InferenceMode is not allowed.");
    t->flags |= RL_FLAG_REQUIRES_GRAD;
    return RL_OK;
}

/* Two threads may add to one leaf, and a third may clear its grad.  What is released inside may
 * need other locks, so it is released after. */
static pthread_mutex_t grad_lock = PTHREAD_MUTEX_INITIALIZER;

rl_tensor *rl_get_grad(const rl_tensor *t)
{
    if (!t->ag)
        return NULL;
    pthread_mutex_lock(&grad_lock);
    rl_tensor *grad = rl_retain(t->ag->grad);
    pthread_mutex_unlock(&grad_lock);
    return grad;
}

rl_tensor *rl_borrow_grad(const rl_tensor *t) { return t->ag ? t->ag->grad : NULL; }

rl_status rl_set_grad(rl_tensor *t, rl_tensor *grad)
{
    if (grad) {
        if (grad == t)
            return rl_error(RL_ERUNTIME, "can't assign Variable as its own grad");
        if (grad->dtype != t->dtype)
            return rl_error(
                RL_ERUNTIME,
                "attempting to assign a gradient with dtype '%s' to a tensor with grad_dtype '%s'. "
                "The gradient must match the tensor's grad_dtype (defaults to the tensor's dtype). "
                "You can set the tensor's grad_dtype attribute with a specific dtype, or None to "
                "allow any dtype. Set grad_dtype with caution. Diverging the dtypes of a tensor "
                "and "
                "its gradient may break downstream systems that assume they match.",
                rl_dtype_cpp((rl_dtype)grad->dtype), rl_dtype_title((rl_dtype)t->dtype));
        if (!rl_same_shape(grad, t))
            return rl_error(
                RL_ERUNTIME,
                "attempting to assign a gradient of size '%s' to a tensor of size '%s'. "
                "Please ensure that the gradient and the tensor are the same size",
                rl_shape_str(grad).s, rl_shape_str(t).s);
    }
    if (!grad && !t->ag)
        return RL_OK;
    rl_autograd *ag = rl_autograd_of(t);
    if (!ag)
        return RL_EMEMORY;
    rl_retain(grad);
    pthread_mutex_lock(&grad_lock);
    rl_tensor *old = ag->grad;
    ag->grad = grad;
    pthread_mutex_unlock(&grad_lock);
    rl_release(old);
    return RL_OK;
}

rl_status rl_replace_data(rl_tensor *t, rl_tensor *from)
{
    bool same = t->dtype == from->dtype && rl_same_shape(t, from);
    rl_status status = rl_tensor_set_data(t, from);
    if (status || same || !t->ag)
        return status;
    lock_edges(); /* the next graph gets a node that expects the new shape */
    if (t->ag->is_leaf_node)
        set_node(t->ag, NULL);
    unlock_edges();
    return RL_OK;
}

/* ---- accumulating ---- */

bool rl_sole_owner(const rl_tensor *t)
{
    return atomic_load_explicit(&t->refs, memory_order_relaxed) == 1 && !t->py &&
           atomic_load_explicit(&t->storage->refs, memory_order_relaxed) == 1 &&
           !t->storage->free_data;
}

/* Whether g lies in memory as grad should: like the leaf when that is dense, else row-major. */
static bool fits_layout(const rl_tensor *g, const rl_tensor *leaf)
{
    if (g->contiguous && leaf->contiguous)
        return true;
    if (!rl_is_dense(leaf))
        return g->contiguous;
    for (int d = 0; d < g->ndim; d++)
        if (g->shape[d] != 1 && g->strides[d] != leaf->strides[d])
            return false;
    return true;
}

/* A copy laid out as grad should be, with history when recording. */
static rl_tensor *copy_for(rl_tensor *g, rl_tensor *leaf)
{
    int64_t row[RL_MAX_DIMS];
    const int64_t *strides = leaf->strides;
    if (!rl_is_dense(leaf)) {
        rl_row_major(leaf->ndim, leaf->shape, row);
        strides = row;
    }
    rl_tensor *copy = rl_empty_strided((rl_ints){leaf->shape, leaf->ndim},
                                       (rl_ints){strides, leaf->ndim}, (rl_dtype)g->dtype);
    if (!copy)
        return NULL;
    RL_TEMP *written = rl_copy_(copy, g, false);
    if (written)
        return copy;
    rl_release(copy);
    return NULL;
}

rl_status rl_accumulate(rl_node *n, rl_tensor *g)
{
    rl_tensor *leaf = n->context;
    rl_autograd *ag = leaf->ag;
    rl_tensor *old = NULL, *made = NULL;
    rl_status status = RL_OK;
    if (!ag || !rl_requires_grad(leaf)) {
        rl_release(g);
        return RL_OK;
    }
    pthread_mutex_lock(&grad_lock);
    if (!ag->grad) {
        if (!rl_tls_grad_enabled && !g->ag && rl_sole_owner(g) && fits_layout(g, leaf)) {
            g->flags &= (uint8_t)~RL_FLAG_WRAPPED_NUMBER;
            ag->grad = g;
            g = NULL;
        } else {
            ag->grad = made = copy_for(g, leaf);
            status = rl_status_of(made);
        }
    } else if (!rl_tls_grad_enabled) {
        old = rl_add_(ag->grad, g, rl_int(1));
        status = rl_status_of(old);
    } else {
        made = rl_add(ag->grad, g, rl_int(1));
        status = rl_status_of(made);
        if (made) {
            old = ag->grad;
            ag->grad = made;
        }
    }
    pthread_mutex_unlock(&grad_lock);
    rl_release(old);
    rl_release(g);
    return status ? status : ag->hooks ? rl_call_post_accumulate_hooks(leaf) : RL_OK;
}
