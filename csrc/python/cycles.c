/* cycles.c: the graph's part in garbage collection. */
#include "python/graph.h"

/* Note: what a tensor owns.  The collector finds cycles by comparing an object's reference count
 * with the references it can see.  References between C objects it cannot see; so a tensor shows
 * it, as its own, the Python objects hanging in that part of the graph which would die with the
 * tensor: those nodes and tensors all of whose references come from that part. They are found as
 * the engine finds its order: an object is entered when the references met so far are all it has.
 * Scratch memory is kept between calls, because the collector visits twice and must see the same
 * both times. */

typedef struct seen {
    const void *p;
    int count;
} seen;

static struct {
    uintptr_t *work; /* tensors, or nodes with the lowest bit set */
    size_t n, cap;
    seen *table;
    size_t used, size;
} scratch;

static bool enter(uintptr_t item)
{
    if (scratch.n == scratch.cap) {
        size_t cap = scratch.cap ? 2 * scratch.cap : 256;
        uintptr_t *work = PyMem_RawRealloc(scratch.work, cap * sizeof *work);
        if (!work)
            return false;
        scratch.work = work;
        scratch.cap = cap;
    }
    scratch.work[scratch.n++] = item;
    return true;
}

static size_t slot_of(const void *p)
{
    size_t h = ((uintptr_t)p >> 4) * 0x9E3779B97F4A7C15u >> 20;
    for (h &= scratch.size - 1; scratch.table[h].p && scratch.table[h].p != p;)
        h = (h + 1) & (scratch.size - 1);
    return h;
}

static bool grow_table(void)
{
    seen *old = scratch.table;
    size_t n = scratch.size;
    size_t size = n ? 2 * n : 256;
    seen *table = PyMem_RawCalloc(size, sizeof *table);
    if (!table)
        return false;
    scratch.table = table;
    scratch.size = size;
    for (size_t i = 0; i < n; i++)
        if (old[i].p)
            scratch.table[slot_of(old[i].p)] = old[i];
    PyMem_RawFree(old);
    return true;
}

/* Counts one more reference to p; true when these are all. */
static bool met_all(const void *p, int refs)
{
    if (refs == 1)
        return true;
    if (2 * scratch.used >= scratch.size && !grow_table())
        return false;
    seen *s = &scratch.table[slot_of(p)];
    if (!s->p) {
        s->p = p;
        scratch.used++;
    }
    return ++s->count == refs;
}

static void meet_tensor(rl_tensor *t)
{
    if (!t)
        return;
    bool owns = t->flags & RL_FLAG_OWNS_PY;
    if ((owns || (t->ag && !t->py)) && met_all(t, atomic_load(&t->refs)))
        enter((uintptr_t)t);
}

static void meet_node(rl_node *n)
{
    if (n && !n->py && met_all(n, atomic_load(&n->refs)))
        enter((uintptr_t)n | 1);
}

static int visit_hooks(const rl_hook *h, visitproc visit, void *arg)
{
    for (; h; h = h->next)
        if (h->free == rl_py_hook_free)
            Py_VISIT((PyObject *)h->context);
    return 0;
}

static int visit_tensor(rl_tensor *t, visitproc visit, void *arg)
{
    rl_autograd *ag = t->ag;
    if (t->flags & RL_FLAG_OWNS_PY)
        Py_VISIT((PyObject *)t->py);
    if (!ag)
        return 0;
    meet_tensor(ag->grad);
    meet_tensor(ag->base);
    if (!ag->is_leaf_node)
        meet_node(ag->node);
    return visit_hooks(ag->hooks, visit, arg);
}

static int visit_node(rl_node *n, visitproc visit, void *arg)
{
    for (int i = 0; i < n->n_inputs; i++)
        meet_node(n->next[i].node);
    for (int i = 0; i < n->n_saved; i++) {
        meet_tensor(n->saved[i].t);
        if (n->saved[i].packed) {
            Py_VISIT((PyObject *)n->saved[i].packed->what);
            meet_node(n->saved[i].packed->edge.node);
        }
    }
    meet_tensor(rl_node_variable(n));
    if (rl_py_node_is_function(n))
        Py_VISIT((PyObject *)n->context);
    return visit_hooks(n->hooks, visit, arg);
}

static int traverse(uintptr_t start, visitproc visit, void *arg)
{
    int status = 0;
    if (!rl_py_graph_objects || rl_py_unlocked)
        return 0;
    scratch.n = 0;
    if (scratch.used) {
        memset(scratch.table, 0, scratch.size * sizeof *scratch.table);
        scratch.used = 0;
    }
    if (!enter(start))
        return 0;
    while (scratch.n && !status) {
        uintptr_t item = scratch.work[--scratch.n];
        status = item & 1 ? visit_node((rl_node *)(item & ~(uintptr_t)1), visit, arg)
                          : visit_tensor((rl_tensor *)item, visit, arg);
    }
    return status;
}

int rl_py_traverse_graph(rl_tensor *t, visitproc visit, void *arg)
{
    return t->ag && atomic_load(&t->refs) == 1 ? traverse((uintptr_t)t, visit, arg) : 0;
}

int rl_py_traverse_node(rl_node *n, visitproc visit, void *arg)
{
    return traverse((uintptr_t)n | 1, visit, arg);
}

void rl_py_clear_graph(rl_tensor *t)
{
    if (t->ag && atomic_load(&t->refs) == 1)
        rl_autograd_free(t);
}
