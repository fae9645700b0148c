/* saved.c: tensors kept for backward.
 *
 * An input is kept as it is, with its history.  Note: saved outputs.  An output owns its node, so
 * the node keeps only an alias of the output without history and joins the two again when somebody
 * asks for it with recording on. Both remember the version of their storage: a write in between is
 * an error at unpacking. */
#include <stdio.h>

#include "autograd/autograd.h"
#include "core/iter.h"

static bool savable(rl_node *n, rl_tensor *t)
{
    if (!(t->flags & RL_FLAG_INFERENCE))
        return true;
    rl_error(RL_ERUNTIME,
             "Inference tensors cannot be saved for backward. Please do not use Tensors created in "
             "inference mode in computation tracked by autograd. To work around this, you can make "
             "a clone to get a normal tensor and use it in autograd, or use `torch.no_grad()` "
             "instead of `torch.inference_mode()`.");
    n->failed = true;
    return false;
}

void rl_save(rl_node *n, int slot, rl_tensor *t)
{
    if (!n || !t || !savable(n, t))
        return;
    n->saved[slot] = (rl_saved_tensor){
        .t = rl_retain(t),
        .storage = t->storage,
        .version = t->storage->version,
        .given = true,
    };
}

void rl_save_output(rl_node *n, int slot, rl_tensor *z, int output)
{
    if (!n || !z || !savable(n, z))
        return;
    rl_tensor *alias = rl_new_view(z, z->ndim, z->shape, z->strides, z->offset);
    if (!alias) {
        n->failed = true;
        return;
    }
    n->saved[slot] = (rl_saved_tensor){
        .t = alias,
        .storage = z->storage,
        .version = z->storage->version,
        .output = (uint16_t)output,
        .is_output = true,
        .given = true,
    };
}

bool rl_has_saved(const rl_node *n, int slot) { return n->saved[slot].given; }

rl_status rl_error_freed(void)
{
    return rl_error(
        RL_ERUNTIME,
        "Trying to backward through the graph a second time (or directly access saved tensors "
        "after "
        "they have already been freed). Saved intermediate values of the graph are freed when you "
        "call .backward() or autograd.grad(). Specify retain_graph=True if you need to backward "
        "through the graph a second time or if you need to access saved tensors after calling "
        "backward.");
}

static bool same_version(const rl_saved_tensor *s)
{
    const rl_tensor *t = s->t;
    return t->storage->version == s->version ||
           t->storage !=
               s->storage || /* x.data = y since: PyTorch computes with the new data, too */
           t->flags & RL_FLAG_DATA_ALIAS;
}

rl_status rl_check_saved_version(rl_node *n, int slot)
{
    const rl_saved_tensor *s = &n->saved[slot];
    if (!s->t)
        return s->given ? rl_error_freed() : RL_OK;
    if (same_version(s))
        return RL_OK;
    char origin[160] = "";
    const rl_autograd *ag = s->t->ag;
    const rl_node *from = s->is_output ? n : ag && !ag->is_leaf_node ? ag->node : NULL;
    if (from) {
        /* PyTorch names the operator here, not its node: "Add" for AddBackward0. */
        const char *name = from->type->name, *end = strstr(name, "Backward");
        snprintf(origin, sizeof origin, ", which is output %d of %.*s,",
                 s->is_output ? s->output : ag->output, end ? (int)(end - name) : (int)strlen(name),
                 name);
    }
    return rl_error(
        RL_ERUNTIME,
        "one of the variables needed for gradient computation has been modified by an inplace "
        "operation: [torch.%sTensor %s]%s is at version %u; expected version %u instead. Hint: %s",
        rl_dtype_title((rl_dtype)s->t->dtype), rl_shape_str(s->t).s, origin, s->t->storage->version,
        s->version,
        rl_anomaly_mode()
            ? "the backtrace further above shows the operation that failed to compute its "
              "gradient. "
              "The variable in question was changed in there or anywhere later. Good luck!"
            : "enable anomaly detection to find the operation that failed to compute its gradient, "
              "with torch.autograd.set_detect_anomaly(True, check_nan=False).");
}

/* A new tensor of the alias' memory whose history is the node again. */
static rl_tensor *join(rl_node *n, const rl_saved_tensor *s)
{
    rl_tensor *z = rl_new_view(s->t, s->t->ndim, s->t->shape, s->t->strides, s->t->offset);
    if (z && rl_set_history(z, rl_node_retain(n), s->output)) {
        rl_release(z);
        return NULL;
    }
    return z;
}

rl_tensor *rl_saved(rl_node *n, int slot)
{
    const rl_saved_tensor *s = &n->saved[slot];
    if (!s->t || !same_version(s)) {
        rl_check_saved_version(n, slot);
        return NULL;
    }
    return s->is_output && rl_tls_grad_enabled ? join(n, s) : rl_retain(s->t);
}

rl_tensor *rl_saved_with_history(rl_node *n, int slot)
{
    if (rl_check_saved_version(n, slot))
        return NULL;
    const rl_saved_tensor *s = &n->saved[slot];
    return s->t && s->is_output ? join(n, s) : rl_retain(s->t);
}

void rl_node_release_saved(rl_node *n)
{
    for (int i = 0; i < n->n_saved; i++) {
        rl_tensor *t = n->saved[i].t;
        n->saved[i].t = NULL;
        rl_release(t);
    }
    n->released = true;
    if (n->type->release_context)
        n->type->release_context(n);
}
