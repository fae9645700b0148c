/* hooks.c: callbacks on gradients.  Of a result, they live in its node; of a leaf, in the leaf. */
#include "autograd/autograd.h"
#include "core/alloc.h"
#include "rushlight_ops.h"

static atomic_llong last_id;

/* Appends: hooks run in the order of their registration. */
static int64_t add(rl_hook **list, rl_hook hook)
{
    rl_hook *h = rl_small_alloc(sizeof *h);
    if (!h)
        return 0;
    *h = hook;
    h->next = NULL;
    h->id = atomic_fetch_add(&last_id, 1) + 1;
    while (*list)
        list = &(*list)->next;
    *list = h;
    return h->id;
}

static void hook_free(rl_hook *h)
{
    if (h->free)
        h->free(h->context);
    rl_small_free(h, sizeof *h);
}

void rl_hooks_free(rl_hook *list)
{
    while (list) {
        rl_hook *h = list;
        list = h->next;
        hook_free(h);
    }
}

static void remove_id(rl_hook **list, int64_t id)
{
    for (; *list; list = &(*list)->next)
        if ((*list)->id == id) {
            rl_hook *h = *list;
            *list = h->next;
            hook_free(h);
            return;
        }
}

static rl_node *history(const rl_tensor *t)
{
    return t->ag && !t->ag->is_leaf_node ? t->ag->node : NULL;
}

int64_t rl_add_tensor_hook(rl_tensor *t, rl_hook hook)
{
    if (!rl_requires_grad(t)) {
        rl_error(RL_ERUNTIME, "cannot register a hook on a tensor that doesn't require gradient");
        return 0;
    }
    if (hook.kind == RL_HOOK_POST_ACC && !rl_is_leaf(t)) {
        rl_error(RL_ERUNTIME,
                 "post accumulate grad hooks cannot be registered on non-leaf tensors");
        return 0;
    }
    if (!rl_is_leaf(t)) { /* a view's history may have to be made first */
        rl_edge e = rl_gradient_edge(t);
        rl_node_release(e.node);
        if (!e.node)
            return 0;
    }
    rl_node *n = history(t);
    if (n) {
        hook.output = t->ag->output;
        return add(&n->hooks, hook);
    }
    rl_autograd *ag = rl_autograd_of(t);
    hook.output = 0;
    return ag ? add(&ag->hooks, hook) : 0;
}

int64_t rl_add_node_hook(rl_node *n, rl_hook hook) { return add(&n->hooks, hook); }

void rl_remove_tensor_hook(rl_tensor *t, int64_t id)
{
    rl_node *n = history(t);
    if (n)
        remove_id(&n->hooks, id);
    if (t->ag)
        remove_id(&t->ag->hooks, id);
}

void rl_remove_node_hook(rl_node *n, int64_t id) { remove_id(&n->hooks, id); }

/* ---- retain_grad: a hook without callback whose context is the tensor, not owned ---- */

rl_status rl_retain_grad(rl_tensor *t)
{
    if (!rl_requires_grad(t))
        return rl_error(RL_ERUNTIME, "can't retain_grad on Tensor that has requires_grad=False");
    if (rl_is_leaf(t) || (t->ag && t->ag->retains_grad))
        return RL_OK;
    rl_hook hook = {.kind = RL_HOOK_RETAIN, .context = t};
    if (!rl_add_tensor_hook(t, hook))
        return rl_error_code();
    t->ag->retains_grad = true;
    return RL_OK;
}

/* The hook stays, without effect: somebody may be walking the list. */
void rl_forget_retain(rl_node *n, rl_tensor *t)
{
    for (rl_hook *h = n->hooks; h; h = h->next)
        if (h->kind == RL_HOOK_RETAIN && h->context == t)
            h->context = NULL;
}

rl_status rl_move_retain(rl_node *from, rl_node *to, rl_tensor *t, int output)
{
    rl_hook hook = {.kind = RL_HOOK_RETAIN, .context = t, .output = output};
    if (!add(&to->hooks, hook))
        return RL_EMEMORY;
    rl_forget_retain(from, t);
    return RL_OK;
}

static rl_status retain_into(rl_tensor *t, rl_tensor *g)
{
    rl_tensor *had = t->ag->grad;
    rl_tensor *made = had ? rl_add(had, g, rl_int(1)) : rl_clone(g);
    if (!made)
        return rl_error_code();
    t->ag->grad = made;
    rl_release(had);
    return RL_OK;
}

/* ---- calling ---- */

static rl_status call_one(rl_hook *h, rl_tensor **g)
{
    rl_tensor *replacement = NULL;
    rl_status status = h->call(h->context, 1, g, &replacement);
    if (status) {
        rl_release(replacement);
        return status;
    }
    if (replacement) {
        rl_tensor *old = *g;
        *g = replacement;
        rl_release(old);
    }
    return RL_OK;
}

rl_status rl_call_pre_hooks(rl_node *n, rl_tensor **g)
{
    rl_tensor *leaf = rl_node_variable(n);
    rl_hook *list = leaf ? (leaf->ag ? leaf->ag->hooks : NULL) : n->hooks;
    rl_status status = RL_OK;
    for (rl_hook *h = list; h && !status; h = h->next)
        if (h->kind == RL_HOOK_TENSOR && g[h->output])
            status = call_one(h, &g[h->output]);
    for (rl_hook *h = list; h && !status; h = h->next)
        if (h->kind == RL_HOOK_RETAIN && h->context && g[h->output])
            status = retain_into(h->context, g[h->output]);
    return status;
}

static rl_status call_many(rl_hook *h, int n, rl_tensor **given, int n_replaced)
{
    rl_tensor *small[8] = {NULL};
    rl_tensor **made = n_replaced <= 8 ? small : rl_small_alloc((size_t)n_replaced * sizeof *made);
    if (!made)
        return RL_EMEMORY;
    memset(made, 0, (size_t)n_replaced * sizeof *made);
    rl_status status = h->call(h->context, n, given, made);
    for (int i = 0; i < n_replaced; i++)
        if (made[i] && !status) {
            rl_release(given[i]);
            given[i] = made[i];
        } else {
            rl_release(made[i]);
        }
    if (made != small)
        rl_small_free(made, (size_t)n_replaced * sizeof *made);
    return status;
}

rl_status rl_call_node_pre_hooks(rl_node *n, rl_tensor **g)
{
    rl_status status = RL_OK;
    for (rl_hook *h = n->hooks; h && !status; h = h->next)
        if (h->kind == RL_HOOK_NODE_PRE)
            status = call_many(h, n->n_outputs, g, n->n_outputs);
    return status;
}

rl_status rl_call_node_post_hooks(rl_node *n, rl_tensor **dx, rl_tensor **g)
{
    rl_status status = RL_OK;
    bool any = false;
    for (rl_hook *h = n->hooks; h; h = h->next)
        any |= h->kind == RL_HOOK_NODE_POST;
    if (!any)
        return RL_OK;
    size_t total = (size_t)(n->n_inputs + n->n_outputs), bytes = (total + 1) * sizeof(rl_tensor *);
    rl_tensor **all = rl_small_alloc(bytes);
    if (!all)
        return RL_EMEMORY;
    memcpy(all, dx, (size_t)n->n_inputs * sizeof *dx);
    memcpy(all + n->n_inputs, g, (size_t)n->n_outputs * sizeof *g);
    for (rl_hook *h = n->hooks; h && !status; h = h->next)
        if (h->kind == RL_HOOK_NODE_POST)
            status = call_many(h, (int)total, all, n->n_inputs);
    memcpy(dx, all, (size_t)n->n_inputs * sizeof *dx);
    rl_small_free(all, bytes);
    return status;
}

rl_status rl_call_post_accumulate_hooks(rl_tensor *t)
{
    rl_status status = RL_OK;
    for (rl_hook *h = t->ag->hooks; h && !status; h = h->next)
        if (h->kind == RL_HOOK_POST_ACC)
            status = h->call(h->context, 1, &t, NULL);
    return status;
}
