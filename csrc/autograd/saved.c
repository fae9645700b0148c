/* saved.c: tensors kept for backward.
 *
 * An input is kept as it is, with its history.  Note: saved outputs.  An output owns its node, so
 * the node keeps only an alias of the output without history and joins the two again when somebody
 * asks for it with recording on. Both remember the version of their storage: a write in between is
 * an error at unpacking. */
#include <stdio.h>

#include "autograd/autograd.h"
#include "core/alloc.h"
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

/* ---- saved_tensors_hooks ---- */

rl_packing rl_saved_packing;
_Thread_local bool rl_tls_packs RL_TLS_FAST = false;

/* Saves what the hook makes of t, which records nothing.  An output has no history yet: the hook
 * sees an alias of it, which does not lead back to the node. */
static void save_packed(rl_node *n, int slot, rl_tensor *t, int output, bool is_output)
{
    rl_packed *p = rl_small_alloc(sizeof *p);
    rl_tensor *bare = !p          ? NULL
                      : is_output ? rl_new_view(t, t->ndim, t->shape, t->strides, t->offset)
                                  : rl_retain(t);
    uint32_t version = t->storage->version;
    if (bare) {
        *p = (rl_packed){NULL, {NULL, 0}};
        if (!is_output && rl_requires_grad(t))
            p->edge = rl_gradient_edge(t);
        bool mode = rl_set_grad_enabled(false);
        p->what = rl_saved_packing.pack(bare);
        rl_set_grad_enabled(mode);
    }
    bool fits = bare && p->what;
    if (fits && t->storage->version != version) {
        rl_error(RL_ERUNTIME,
                 "A saved tensor pack hook is modifying its input in place. Tensors provided as "
                 "input to pack hook can not be modified by in-place operations as this can lead "
                 "to unexpected side-effects. Please open an issue if you need to perform in-place "
                 "operations on the input to a pack hook.");
        fits = false;
    }
    n->saved[slot] = (rl_saved_tensor){
        .packed = bare ? p : NULL,
        .output = (uint16_t)output,
        .is_output = is_output,
        .given = true,
    };
    rl_release(bare);
    if (p && !bare)
        rl_small_free(p, sizeof *p);
    if (!fits)
        n->failed = true;
}

void rl_saved_free(rl_saved_tensor *s)
{
    rl_tensor *t = s->t;
    rl_packed *p = s->packed;
    s->t = NULL;
    s->packed = NULL;
    rl_release(t);
    if (!p)
        return;
    if (p->what)
        rl_saved_packing.free(p->what);
    rl_node_release(p->edge.node);
    rl_small_free(p, sizeof *p);
}

/* The tensor that the other hook makes of what was saved, joined to its history if `joined`. */
static rl_tensor *unpacked(rl_node *n, const rl_saved_tensor *s, bool joined)
{
    rl_edge e = s->is_output ? (rl_edge){n, s->output} : s->packed->edge;
    rl_node_retain(n); /* the hook may run a backward of its own */
    bool mode = rl_set_grad_enabled(false);
    rl_tensor *t = rl_saved_packing.unpack(s->packed->what), *z = t;
    rl_set_grad_enabled(mode);
    if (t && joined && e.node) {
        z = rl_new_view(t, t->ndim, t->shape, t->strides, t->offset);
        if (z && rl_set_history(z, rl_node_retain(e.node), e.output)) {
            rl_release(z);
            z = NULL;
        }
        rl_release(t);
    }
    rl_node_release(n);
    return z;
}

/* ---- saving ---- */

void rl_save(rl_node *n, int slot, rl_tensor *t)
{
    if (!n || !t || !savable(n, t))
        return;
    if (rl_tls_packs && !rl_is_wrapped_number(t)) {
        save_packed(n, slot, t, 0, false);
        return;
    }
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
    if (rl_tls_packs) {
        save_packed(n, slot, z, output, true);
        return;
    }
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
    if (s->packed)
        return RL_OK;
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
    if (s->packed)
        return unpacked(n, s, rl_tls_grad_enabled);
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
    if (s->packed)
        return unpacked(n, s, true);
    return s->t && s->is_output ? join(n, s) : rl_retain(s->t);
}

void rl_node_release_saved(rl_node *n)
{
    for (int i = 0; i < n->n_saved; i++) {
        rl_saved_free(&n->saved[i]);
    }
    n->released = true;
    if (n->type->release_context)
        n->type->release_context(n);
}
