/* engine.c: running the graph backward.
 *
 * A run lists the nodes reachable from the roots, with the number of edges that lead to each
 * (run.c).  A node is ready when all of these have delivered (or had nothing to deliver); ready
 * nodes wait in a heap, the latest made first.  Gradients that meet are added; one that nobody else
 * holds is added to in place.  Nothing recurses. */
#include <stdio.h>
#include <time.h>

#include "autograd/run.h"
#include "core/alloc.h"
#include "core/iter.h"
#include "rushlight_ops.h"

/* ---- gradients ---- */

rl_tensor *rl_sum_to(rl_tensor *t, int ndim, const int64_t *shape)
{
    if (!t)
        return NULL;
    if (rl_has_shape(t, ndim, shape))
        return rl_retain(t);
    int64_t dims[RL_MAX_DIMS];
    int lead = t->ndim - ndim, n = 0;
    for (int d = 0; d < t->ndim; d++)
        if (d < lead || (shape[d - lead] == 1 && t->shape[d] != 1))
            dims[n++] = d;
    if (n > 0 && n == lead) /* a tensor of its own, which a leaf may keep as its gradient */
        return rl_sum(t, (rl_ints){dims, n}, false, RL_NO_DTYPE);
    RL_TEMP *sum = n ? rl_sum(t, (rl_ints){dims, n}, true, RL_NO_DTYPE) : rl_retain(t);
    return sum && lead ? rl_reshape(sum, (rl_ints){shape, ndim}) : rl_retain(sum);
}

static bool broadcasts_from(const rl_tensor *g, const rl_output_meta *m)
{
    if (m->ndim > g->ndim)
        return false;
    for (int d = 1; d <= m->ndim; d++) {
        int64_t have = m->shape[m->ndim - d];
        if (have != g->shape[g->ndim - d] && have != 1)
            return false;
    }
    return true;
}

/* g as the node's output wants it: its shape, its dtype.  Takes over g; NULL on failure. */
static rl_tensor *fit(rl_tensor *g, const rl_edge *e, const rl_node *from, int input)
{
    const rl_output_meta *m = &e->node->outputs[e->output];
    bool same = g->ndim == m->ndim;
    for (int d = 0; same && d < m->ndim; d++)
        same = g->shape[d] == m->shape[d];
    if (same && g->dtype == m->dtype)
        return g;
    if (!same) {
        if (!broadcasts_from(g, m)) {
            rl_error(RL_ERUNTIME,
                     "Function %s returned an invalid gradient at index %d - got %s but expected "
                     "shape compatible with %s",
                     from ? from->type->name : "GraphRoot", input, rl_shape_str(g).s,
                     rl_ints_str(m->ndim, m->shape).s);
            rl_release(g);
            return NULL;
        }
        rl_tensor *sum = rl_sum_to(g, m->ndim, m->shape);
        rl_release(g);
        if (!(g = sum))
            return NULL;
    }
    if (g->dtype != m->dtype) {
        rl_tensor *cast = rl_to_dtype(g, (rl_dtype)m->dtype, false);
        rl_release(g);
        g = cast;
    }
    return g;
}

/* *sum += g.  Takes over g. */
static rl_status add_to(rl_tensor **sum, rl_tensor *g)
{
    if (!*sum) {
        *sum = g;
        return RL_OK;
    }
    rl_tensor *a = *sum, *b = g;
    if (!rl_tls_grad_enabled && !(rl_sole_owner(a) && a->contiguous)) {
        rl_tensor *t = a; /* which of the two is written does not matter: addition commutes */
        a = b;
        b = t;
    }
    bool in_place = !rl_tls_grad_enabled && !a->ag && rl_sole_owner(a) && a->contiguous;
    rl_tensor *made = in_place ? rl_add_(a, b, rl_int(1)) : rl_add(*sum, g, rl_int(1));
    rl_status status = rl_status_of(made);
    rl_release(a);
    rl_release(b);
    *sum = made;
    return status;
}

/* ---- running ---- */

/* Hands dx on along the node's edge `k`; dx NULL: nothing, but the next node waits for one less.
 * Takes over dx. */
static rl_status deliver(rl_run *r, rl_node *n, int k, rl_tensor *dx)
{
    rl_edge *e = &n->next[k];
    rl_place *p = e->node ? rl_place_find(r, e->node) : NULL;
    rl_status status = RL_OK;
    if (!p || (r->filter && !p->needed && !p->target && !p->capture)) {
        rl_release(dx);
        return RL_OK;
    }
    if (dx) {
        if (!(dx = fit(dx, e, n, k)))
            return rl_error_code();
        status = add_to(&rl_place_grads(p)[e->output], dx);
    }
    if (--p->waits_for == 0 && !status)
        status = rl_run_push(r, (uint32_t)(p - r->places));
    return status;
}

static uint64_t unwanted(rl_run *r, const rl_node *n)
{
    uint64_t mask = 0;
    for (int k = 0; k < n->n_inputs && k < 64; k++) {
        const rl_place *p = n->next[k].node ? rl_place_find(r, n->next[k].node) : NULL;
        if (!p || !(p->needed || p->target || p->capture))
            mask |= (uint64_t)1 << k;
    }
    return mask;
}

static rl_status check_nan(rl_node *n, rl_tensor *const *dx)
{
    for (int k = 0; k < n->n_inputs; k++) {
        if (!dx[k] || !rl_is_floating((rl_dtype)dx[k]->dtype))
            continue;
        RL_TEMP *total = rl_sum(dx[k], (rl_ints){NULL, -1}, false, RL_F64);
        rl_scalar value;
        if (!total || rl_item(total, &value))
            return rl_error_code();
        if (value.f == value.f)
            continue;
        /* The sum of infinities of both signs is nan as well: x != x decides. */
        RL_TEMP *ne = rl_ne(dx[k], dx[k]);
        RL_TEMP *count = rl_sum(ne, (rl_ints){NULL, -1}, false, RL_F64);
        if (!count || rl_item(count, &value))
            return rl_error_code();
        if (value.f != 0)
            return rl_error(RL_ERUNTIME, "Function '%s' returned nan values in its %dth output.",
                            n->type->name, k);
    }
    return RL_OK;
}

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* The formula itself, timed when a profiler listens. */
static rl_status call_formula(rl_node *n, rl_tensor **g, rl_tensor **dx)
{
    if (!rl_node_timed)
        return n->type->backward(n, g, dx);
    int64_t start = now();
    rl_status status = n->type->backward(n, g, dx);
    rl_node_timed(n, start, now());
    return status;
}

/* Runs the formula of a node whose gradients are complete, and hands on what it gives. */
static rl_status run_formula(rl_run *r, rl_node *n, rl_tensor **g)
{
    rl_tensor *small[12];
    rl_tensor **dx = small;
    size_t bytes = (size_t)n->n_inputs * sizeof *dx;
    bool any = n->type->takes_null;
    if (n->n_inputs > 12 && !(dx = rl_alloc(bytes)))
        return RL_EMEMORY;
    memset(dx, 0, bytes);
    for (int o = 0; o < n->n_outputs; o++)
        any |= g[o] != NULL;

    uint64_t before_mask = rl_tls_unwanted;
    bool before_last = rl_tls_last_use;
    rl_status status = n->hooks ? rl_call_node_pre_hooks(n, g) : RL_OK;
    if (!status && any) {
        rl_tls_unwanted = r->filter ? unwanted(r, n) : 0;
        rl_tls_last_use = !r->keep;
        rl_error_clear();
        status = call_formula(n, g, dx);
        rl_tls_unwanted = before_mask;
        rl_tls_last_use = before_last;
        if (!status && rl_anomaly_checks_nan())
            status = check_nan(n, dx);
        if (status && rl_anomaly_mode() && rl_anomaly_report)
            rl_anomaly_report(n);
    }
    if (!status && n->hooks)
        status = rl_call_node_post_hooks(n, dx, g);
    if (!status && !r->keep && (n->n_saved || n->type->release_context))
        rl_node_release_saved(n);
    /* The gradients go before their successors are looked at: one handed through becomes its
     * receiver's own. */
    for (int o = 0; o < n->n_outputs; o++) {
        rl_tensor *t = g[o];
        g[o] = NULL;
        rl_release(t);
    }
    for (int k = 0; k < n->n_inputs; k++) {
        if (status)
            rl_release(dx[k]);
        else
            status = deliver(r, n, k, dx[k]);
    }
    if (dx != small)
        rl_free(dx, bytes);
    return status;
}

static rl_status run_place(rl_run *r, uint32_t i)
{
    rl_place *p = &r->places[i];
    rl_node *n = p->node;
    rl_tensor **g = rl_place_grads(p);
    rl_tensor *leaf = rl_node_variable(n);
    if (n->hooks || (leaf && leaf->ag && leaf->ag->hooks)) {
        rl_status status = rl_call_pre_hooks(n, g);
        if (status)
            return status;
    }
    for (uint32_t c = p->capture; c; c = r->captures[c - 1].next) {
        const rl_capture *want = &r->captures[c - 1];
        r->results[want->result] = rl_retain(g[want->output]);
    }
    if (!p->needed) {
        rl_place_drop(p);
        return RL_OK;
    }
    if (!leaf)
        return run_formula(r, n, g);
    rl_tensor *t = g[0];
    g[0] = NULL;
    if (n->hooks) {
        rl_status status = rl_call_node_pre_hooks(n, &t);
        if (status) {
            rl_release(t);
            return status;
        }
    }
    rl_status status = t ? rl_accumulate(n, t) : RL_OK;
    if (!status && n->hooks) {
        rl_tensor *none = NULL;
        status = rl_call_node_post_hooks(n, &none, &none);
    }
    return status;
}

/* The gradient of root i: as given, or one. */
static rl_tensor *root_grad(rl_tensor *root, rl_tensor *given, int64_t i)
{
    if (!given) {
        if (root->numel != 1)
            return rl_fail(RL_ERUNTIME, "grad can be implicitly created only for scalar outputs");
        if (rl_is_complex((rl_dtype)root->dtype))
            return rl_fail(RL_ERUNTIME,
                           "grad can be implicitly created only for real scalar outputs but got "
                           "torch.%s",
                           rl_dtype_name((rl_dtype)root->dtype));
        rl_tensor *one = rl_new((rl_dtype)root->dtype, root->ndim, root->shape);
        if (one && rl_fill_data(one, rl_int(1))) {
            rl_release(one);
            one = NULL;
        }
        return one;
    }
    if (rl_same_shape(root, given))
        return rl_retain(given);
    char a[400], b[400];
    snprintf(a, sizeof a, "torch.Size(%s)", rl_shape_str(given).s);
    snprintf(b, sizeof b, "torch.Size(%s)", rl_shape_str(root).s);
    return rl_fail(RL_ERUNTIME,
                   "Mismatch in shape: grad_output[%lld] has a shape of %s and output[%lld] has a "
                   "shape of %s.",
                   (long long)i, a, (long long)i, b);
}

/* Enters the roots and their gradients. */
static rl_status enter_roots(rl_run *r, rl_tensors roots, rl_edge *edges)
{
    for (int64_t i = 0; i < roots.n; i++) {
        if (!rl_requires_grad(roots.v[i]))
            return rl_error(
                RL_ERUNTIME,
                "element %lld of tensors does not require grad and does not have a grad_fn",
                (long long)i);
        edges[i] = rl_gradient_edge(roots.v[i]);
        if (!edges[i].node)
            return rl_error_code();
        if (!rl_run_enter(r, edges[i].node))
            return RL_EMEMORY;
    }
    return RL_OK;
}

static rl_status execute(rl_run *r, rl_tensors roots, rl_tensor *const *grads, const rl_edge *edges)
{
    rl_status status = RL_OK;
    for (int64_t i = 0; i < roots.n && !status; i++) {
        rl_place *p = rl_place_find(r, edges[i].node);
        rl_tensor *g = root_grad(roots.v[i], grads ? grads[i] : NULL, i);
        if (g)
            g = fit(g, &edges[i], NULL, (int)i);
        status = g ? add_to(&rl_place_grads(p)[edges[i].output], g) : rl_error_code();
    }
    for (int64_t i = 0; i < roots.n && !status; i++) {
        rl_place *p = rl_place_find(r, edges[i].node);
        bool again = false; /* one node may be the root of several tensors */
        for (int64_t j = 0; j < i && !again; j++)
            again = edges[j].node == edges[i].node;
        if (!again && p->waits_for == 0)
            status = rl_run_push(r, (uint32_t)(p - r->places));
    }
    while (!status && r->n_ready) {
        uint32_t i = rl_run_pop(r);
        if (!r->filter || r->places[i].needed || r->places[i].target || r->places[i].capture)
            status = run_place(r, i);
    }
    return status;
}

/* Where the gradients of `inputs` pass: captures when results are wanted, else targets.  edges:
 * owned by the caller. */
static rl_status enter_inputs(rl_run *r, rl_tensors inputs, rl_edge *edges)
{
    for (int64_t i = 0; i < inputs.n; i++) {
        rl_place *p = rl_place_find(r, edges[i].node);
        if (!p)
            continue; /* not reached from the roots */
        if (r->results) {
            r->captures[i] = (rl_capture){edges[i].output, i, p->capture};
            p->capture = (uint32_t)i + 1;
        } else {
            p->target = true;
        }
    }
    return rl_run_mark_needed(r);
}

static rl_status input_edges(rl_tensors inputs, rl_edge *edges, bool retain)
{
    for (int64_t i = 0; i < inputs.n; i++) {
        if (!rl_requires_grad(inputs.v[i]))
            return rl_error(RL_ERUNTIME, "One of the differentiated Tensors does not require grad");
        if (retain) {
            rl_status status = rl_retain_grad(inputs.v[i]);
            if (status)
                return status;
        }
        edges[i] = rl_gradient_edge(inputs.v[i]);
        if (!edges[i].node)
            return rl_error_code();
    }
    return RL_OK;
}

static rl_status differentiate(rl_tensors roots, rl_tensor *const *grads, bool keep, bool create,
                               rl_tensors inputs, rl_tensor **results)
{
    rl_run r;
    size_t n_edges = (size_t)(roots.n + inputs.n);
    size_t bytes = n_edges * sizeof(rl_edge) + (size_t)inputs.n * sizeof(rl_capture);
    rl_edge *edges = rl_small_alloc(bytes + 1);
    if (!edges)
        return RL_EMEMORY;
    memset(edges, 0, bytes);
    bool before = rl_set_grad_enabled(create);
    rl_run_begin(&r);
    r.filter = inputs.n > 0;
    r.keep = keep;
    r.results = results;
    r.captures = (rl_capture *)(edges + n_edges);
    rl_status status = input_edges(inputs, edges + roots.n, !results);
    if (!status)
        status = enter_roots(&r, roots, edges);
    if (!status)
        status = rl_run_discover(&r);
    if (!status && r.filter)
        status = enter_inputs(&r, inputs, edges + roots.n);
    if (!status)
        status = execute(&r, roots, grads, edges);
    rl_run_end(&r);
    rl_set_grad_enabled(before);
    for (size_t i = 0; i < n_edges; i++)
        rl_node_release(edges[i].node);
    rl_small_free(edges, bytes + 1);
    return status;
}

rl_status rl_backward(rl_tensors roots, rl_tensor *const *grads, bool retain_graph,
                      bool create_graph, rl_tensors inputs)
{
    return differentiate(roots, grads, retain_graph, create_graph, inputs, NULL);
}

rl_status rl_grad(rl_tensors roots, rl_tensor *const *grads, rl_tensors inputs, bool retain_graph,
                  bool create_graph, bool allow_unused, rl_tensor **out)
{
    if (inputs.n <= 0)
        return rl_error(RL_ERUNTIME, "`inputs` argument to `grad()` cannot be empty.");
    memset(out, 0, (size_t)inputs.n * sizeof *out);
    rl_status status = differentiate(roots, grads, retain_graph, create_graph, inputs, out);
    for (int64_t i = 0; i < inputs.n && !status && !allow_unused; i++)
        if (!out[i])
            status =
                rl_error(RL_ERUNTIME,
                         "The differentiated Tensor at index %lld appears to not have been used "
                         "in the graph. Set allow_unused=True if this is the desired behavior.",
                         (long long)i);
    for (int64_t i = 0; i < inputs.n && status; i++) {
        rl_release(out[i]);
        out[i] = NULL;
    }
    return status;
}

rl_status rl_done(rl_node *n, rl_tensor *const *dx)
{
    for (int i = 0; i < n->n_inputs; i++)
        if (!dx[i] && rl_wants(n, i))
            return rl_error_code();
    return RL_OK;
}
