/* engine.c: running the graph backward.
 *
 * A run lists the nodes reachable from the roots, with the number of edges that lead to each.  A
 * node is ready when all of these have delivered (or had nothing to deliver); ready nodes wait in a
 * heap, the latest made first.  Gradients that meet are added; one that nobody else holds is added
 * to in place.  Nothing recurses.
 *
 * Note: marks.  A node's place in the run's list is written into the node itself.  A backward
 * inside a callback of this one may meet the same nodes; it puts the marks back when it ends.  A
 * second thread running at the same time uses a hash table instead. */
#include <stdio.h>

#include "autograd/autograd.h"
#include "core/alloc.h"
#include "core/iter.h"
#include "rushlight_ops.h"

/* A node's place in a run. */
typedef struct place {
    rl_node *node;
    uint32_t waits_for; /* edges that have not delivered */
    uint32_t capture;   /* 1 + index of the first capture here, 0: none */
    bool needed;        /* its backward is run; without a filter, always */
    bool target;        /* named in backward(inputs=): its hooks run */
    union {
        rl_tensor *one;   /* gradient of the only output; owned */
        rl_tensor **many; /* of each output */
    };
    uint32_t old_run, old_index; /* the marks of an enclosing run */
} place;

/* Where a gradient asked for by rl_grad is picked up. */
typedef struct capture {
    int output;
    int64_t result;
    uint32_t next; /* 1 + index of the next one at the same place */
} capture;

#define INLINE_PLACES 24

typedef struct run {
    place *places;
    uint32_t n, cap;
    uint32_t *ready; /* heap */
    uint32_t n_ready, cap_ready;
    uint32_t id;
    bool marks, nested;
    uint32_t *table; /* 1 + index by hash of the node, when marks are taken */
    uint32_t table_size;
    bool filter; /* only needed nodes are run */
    bool keep;
    capture *captures;
    rl_tensor **results;
    place inline_places[INLINE_PLACES];
    uint32_t inline_ready[INLINE_PLACES];
} run;

static atomic_uint last_id;
static atomic_flag marks_taken = ATOMIC_FLAG_INIT;
static _Thread_local int depth;
static _Thread_local bool owns_marks;

/* ---- the list of places ---- */

static bool grow(void **array, void *small, uint32_t *cap, size_t item)
{
    uint32_t more = *cap * 2;
    if (more < *cap)
        return false;
    void *wider = rl_alloc((size_t)more * item);
    if (!wider)
        return false;
    memcpy(wider, *array, (size_t)*cap * item);
    if (*array != small)
        rl_free(*array, (size_t)*cap * item);
    *array = wider;
    *cap = more;
    return true;
}

static uint32_t hash(const rl_node *n, uint32_t size)
{
    return (uint32_t)(((uintptr_t)n >> 4) * 0x9E3779B97F4A7C15u >> 32) & (size - 1);
}

static bool grow_table(run *r)
{
    uint32_t size = r->table_size ? r->table_size * 2 : 64;
    uint32_t *table = rl_alloc((size_t)size * sizeof *table);
    if (!table)
        return false;
    memset(table, 0, (size_t)size * sizeof *table);
    for (uint32_t i = 0; i < r->n; i++) {
        uint32_t h = hash(r->places[i].node, size);
        while (table[h])
            h = (h + 1) & (size - 1);
        table[h] = i + 1;
    }
    if (r->table)
        rl_free(r->table, (size_t)r->table_size * sizeof *table);
    r->table = table;
    r->table_size = size;
    return true;
}

/* The place of n, or NULL. */
static inline place *find(run *r, const rl_node *n)
{
    if (r->marks)
        return n->mark_run == r->id ? &r->places[n->mark_index] : NULL;
    if (!r->table)
        return NULL;
    for (uint32_t h = hash(n, r->table_size); r->table[h]; h = (h + 1) & (r->table_size - 1))
        if (r->places[r->table[h] - 1].node == n)
            return &r->places[r->table[h] - 1];
    return NULL;
}

/* The place of n, made when missing; NULL when memory is short. */
static place *enter(run *r, rl_node *n)
{
    place *p = find(r, n);
    if (p)
        return p;
    if (r->n == r->cap && !grow((void **)&r->places, r->inline_places, &r->cap, sizeof *r->places))
        return NULL;
    if (!r->marks && r->n * 2 >= r->table_size && !grow_table(r))
        return NULL;
    rl_tensor **many = NULL;
    if (n->n_outputs != 1) {
        many = rl_alloc((size_t)n->n_outputs * sizeof *many);
        if (!many)
            return NULL;
        memset(many, 0, (size_t)n->n_outputs * sizeof *many);
    }
    p = &r->places[r->n];
    *p = (place){.node = n, .needed = !r->filter};
    if (many)
        p->many = many;
    if (r->marks) {
        if (r->nested) {
            p->old_run = n->mark_run;
            p->old_index = n->mark_index;
        }
        n->mark_run = r->id;
        n->mark_index = r->n;
    } else {
        uint32_t h = hash(n, r->table_size);
        while (r->table[h])
            h = (h + 1) & (r->table_size - 1);
        r->table[h] = r->n + 1;
    }
    r->n++;
    return p;
}

static inline rl_tensor **grads_of(place *p) { return p->node->n_outputs == 1 ? &p->one : p->many; }

static void drop_grads(place *p)
{
    rl_tensor **g = grads_of(p);
    for (int o = 0; o < p->node->n_outputs; o++) {
        rl_tensor *t = g[o];
        g[o] = NULL;
        rl_release(t);
    }
}

static void begin(run *r)
{
    r->places = r->inline_places;
    r->cap = INLINE_PLACES;
    r->ready = r->inline_ready;
    r->cap_ready = INLINE_PLACES;
    r->n = r->n_ready = 0;
    r->table = NULL;
    r->table_size = 0;
    r->captures = NULL;
    do
        r->id = atomic_fetch_add_explicit(&last_id, 1, memory_order_relaxed) + 1;
    while (r->id == 0);
    if (depth++ == 0)
        owns_marks = !atomic_flag_test_and_set_explicit(&marks_taken, memory_order_acquire);
    r->marks = owns_marks;
    r->nested = depth > 1;
}

static void end(run *r)
{
    for (uint32_t i = r->n; i-- > 0;) {
        place *p = &r->places[i];
        drop_grads(p);
        if (p->node->n_outputs != 1)
            rl_free(p->many, (size_t)p->node->n_outputs * sizeof *p->many);
        if (r->marks && r->nested) {
            p->node->mark_run = p->old_run;
            p->node->mark_index = p->old_index;
        }
    }
    if (r->places != r->inline_places)
        rl_free(r->places, (size_t)r->cap * sizeof *r->places);
    if (r->ready != r->inline_ready)
        rl_free(r->ready, (size_t)r->cap_ready * sizeof *r->ready);
    if (r->table)
        rl_free(r->table, (size_t)r->table_size * sizeof *r->table);
    if (--depth == 0 && owns_marks)
        atomic_flag_clear_explicit(&marks_taken, memory_order_release);
}

/* Lists everything reachable and counts the edges into each node. */
static rl_status discover(run *r)
{
    for (uint32_t i = 0; i < r->n; i++) {
        rl_node *n = r->places[i].node;
        for (int k = 0; k < n->n_inputs; k++)
            if (n->next[k].node) {
                place *p = enter(r, n->next[k].node);
                if (!p)
                    return RL_EMEMORY;
                p->waits_for++;
            }
    }
    return RL_OK;
}

/* Marks as needed what leads to a capture or a target; a depth-first walk with a stack of its own.
 */
static rl_status mark_needed(run *r)
{
    size_t bytes = (size_t)r->n * 2 * sizeof(uint32_t) + r->n;
    uint32_t *stack = rl_alloc(bytes + 1);
    if (!stack)
        return RL_EMEMORY;
    uint32_t *edge = stack + r->n;
    uint8_t *state = (uint8_t *)(edge + r->n); /* 0 unseen, 1 seen, 2 leads to something wanted */
    memset(edge, 0, (size_t)r->n * sizeof *edge);
    memset(state, 0, r->n);
    for (uint32_t root = 0; root < r->n; root++) {
        if (state[root])
            continue;
        uint32_t top = 0;
        stack[0] = root;
        state[root] = 1;
        while (true) {
            uint32_t i = stack[top];
            place *p = &r->places[i];
            bool down = false;
            while (edge[i] < (uint32_t)p->node->n_inputs) {
                rl_node *next = p->node->next[edge[i]].node;
                uint32_t j = next ? (uint32_t)(find(r, next) - r->places) : 0;
                if (next && !state[j]) {
                    state[j] = 1;
                    stack[++top] = j;
                    down = true;
                    break; /* and look at this edge again when j is done */
                }
                if (next && state[j] == 2)
                    p->needed = true;
                edge[i]++;
            }
            if (down)
                continue;
            if (p->target && rl_node_variable(p->node))
                p->needed = true;
            if (p->needed || p->target || p->capture)
                state[i] = 2;
            if (top-- == 0)
                break;
        }
    }
    rl_free(stack, bytes + 1);
    return RL_OK;
}

/* ---- ready nodes ---- */

static inline bool before(const run *r, uint32_t a, uint32_t b)
{
    return r->places[a].node->seq > r->places[b].node->seq;
}

static rl_status push(run *r, uint32_t i)
{
    if (r->n_ready == r->cap_ready &&
        !grow((void **)&r->ready, r->inline_ready, &r->cap_ready, sizeof *r->ready))
        return RL_EMEMORY;
    uint32_t k = r->n_ready++;
    while (k > 0 && before(r, i, r->ready[(k - 1) / 2])) {
        r->ready[k] = r->ready[(k - 1) / 2];
        k = (k - 1) / 2;
    }
    r->ready[k] = i;
    return RL_OK;
}

static uint32_t pop(run *r)
{
    uint32_t top = r->ready[0], last = r->ready[--r->n_ready], k = 0;
    while (2 * k + 1 < r->n_ready) {
        uint32_t child = 2 * k + 1;
        if (child + 1 < r->n_ready && before(r, r->ready[child + 1], r->ready[child]))
            child++;
        if (!before(r, r->ready[child], last))
            break;
        r->ready[k] = r->ready[child];
        k = child;
    }
    r->ready[k] = last;
    return top;
}

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
static rl_status deliver(run *r, rl_node *n, int k, rl_tensor *dx)
{
    rl_edge *e = &n->next[k];
    place *p = e->node ? find(r, e->node) : NULL;
    rl_status status = RL_OK;
    if (!p || (r->filter && !p->needed && !p->target && !p->capture)) {
        rl_release(dx);
        return RL_OK;
    }
    if (dx) {
        if (!(dx = fit(dx, e, n, k)))
            return rl_error_code();
        status = add_to(&grads_of(p)[e->output], dx);
    }
    if (--p->waits_for == 0 && !status)
        status = push(r, (uint32_t)(p - r->places));
    return status;
}

static uint64_t unwanted(run *r, const rl_node *n)
{
    uint64_t mask = 0;
    for (int k = 0; k < n->n_inputs && k < 64; k++) {
        const place *p = n->next[k].node ? find(r, n->next[k].node) : NULL;
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

/* Runs the formula of a node whose gradients are complete, and hands on what it gives. */
static rl_status run_formula(run *r, rl_node *n, rl_tensor **g)
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
    rl_status status = n->hooks ? rl_call_node_pre_hooks(n, g) : RL_OK;
    if (!status && any) {
        rl_tls_unwanted = r->filter ? unwanted(r, n) : 0;
        rl_error_clear();
        status = n->type->backward(n, g, dx);
        rl_tls_unwanted = before_mask;
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

static rl_status run_place(run *r, uint32_t i)
{
    place *p = &r->places[i];
    rl_node *n = p->node;
    rl_tensor **g = grads_of(p);
    rl_tensor *leaf = rl_node_variable(n);
    if (n->hooks || (leaf && leaf->ag && leaf->ag->hooks)) {
        rl_status status = rl_call_pre_hooks(n, g);
        if (status)
            return status;
    }
    for (uint32_t c = p->capture; c; c = r->captures[c - 1].next) {
        const capture *want = &r->captures[c - 1];
        r->results[want->result] = rl_retain(g[want->output]);
    }
    if (!p->needed) {
        drop_grads(p);
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
static rl_status enter_roots(run *r, rl_tensors roots, rl_edge *edges)
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
        if (!enter(r, edges[i].node))
            return RL_EMEMORY;
    }
    return RL_OK;
}

static rl_status execute(run *r, rl_tensors roots, rl_tensor *const *grads, const rl_edge *edges)
{
    rl_status status = RL_OK;
    for (int64_t i = 0; i < roots.n && !status; i++) {
        place *p = find(r, edges[i].node);
        rl_tensor *g = root_grad(roots.v[i], grads ? grads[i] : NULL, i);
        if (g)
            g = fit(g, &edges[i], NULL, (int)i);
        status = g ? add_to(&grads_of(p)[edges[i].output], g) : rl_error_code();
    }
    for (int64_t i = 0; i < roots.n && !status; i++) {
        place *p = find(r, edges[i].node);
        bool again = false; /* one node may be the root of several tensors */
        for (int64_t j = 0; j < i && !again; j++)
            again = edges[j].node == edges[i].node;
        if (!again && p->waits_for == 0)
            status = push(r, (uint32_t)(p - r->places));
    }
    while (!status && r->n_ready) {
        uint32_t i = pop(r);
        if (!r->filter || r->places[i].needed || r->places[i].target || r->places[i].capture)
            status = run_place(r, i);
    }
    return status;
}

/* Where the gradients of `inputs` pass: captures when results are wanted, else targets.  edges:
 * owned by the caller. */
static rl_status enter_inputs(run *r, rl_tensors inputs, rl_edge *edges)
{
    for (int64_t i = 0; i < inputs.n; i++) {
        place *p = find(r, edges[i].node);
        if (!p)
            continue; /* not reached from the roots */
        if (r->results) {
            r->captures[i] = (capture){edges[i].output, i, p->capture};
            p->capture = (uint32_t)i + 1;
        } else {
            p->target = true;
        }
    }
    return mark_needed(r);
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
    run r;
    size_t n_edges = (size_t)(roots.n + inputs.n);
    size_t bytes = n_edges * sizeof(rl_edge) + (size_t)inputs.n * sizeof(capture);
    rl_edge *edges = rl_small_alloc(bytes + 1);
    if (!edges)
        return RL_EMEMORY;
    memset(edges, 0, bytes);
    bool before = rl_set_grad_enabled(create);
    begin(&r);
    r.filter = inputs.n > 0;
    r.keep = keep;
    r.results = results;
    r.captures = (capture *)(edges + n_edges);
    rl_status status = input_edges(inputs, edges + roots.n, !results);
    if (!status)
        status = enter_roots(&r, roots, edges);
    if (!status)
        status = discover(&r);
    if (!status && r.filter)
        status = enter_inputs(&r, inputs, edges + roots.n);
    if (!status)
        status = execute(&r, roots, grads, edges);
    end(&r);
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
