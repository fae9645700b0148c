/* run.c: the list of nodes that one backward meets; see run.h. */
#include "autograd/run.h"
#include "core/alloc.h"

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

static bool grow_table(rl_run *r)
{
    uint32_t size = r->table_size ? r->table_size * 2 : 64;
    uint32_t *table = rl_alloc((size_t)size * sizeof *table);
    if (!table)
        return false;
    memset(table, 0, (size_t)size * sizeof *table);
    for (uint32_t i = 0; i < r->n; i++) {
        uint32_t h = rl_place_hash(r->places[i].node, size);
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

/* The place of n, made when missing; NULL when memory is short. */
rl_place *rl_run_enter(rl_run *r, rl_node *n)
{
    rl_place *p = rl_place_find(r, n);
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
    *p = (rl_place){.node = n, .needed = !r->filter};
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
        uint32_t h = rl_place_hash(n, r->table_size);
        while (r->table[h])
            h = (h + 1) & (r->table_size - 1);
        r->table[h] = r->n + 1;
    }
    r->n++;
    return p;
}

void rl_place_drop(rl_place *p)
{
    rl_tensor **g = rl_place_grads(p);
    for (int o = 0; o < p->node->n_outputs; o++) {
        rl_tensor *t = g[o];
        g[o] = NULL;
        rl_release(t);
    }
}

void rl_run_begin(rl_run *r)
{
    r->places = r->inline_places;
    r->cap = RL_INLINE_PLACES;
    r->ready = r->inline_ready;
    r->cap_ready = RL_INLINE_PLACES;
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

void rl_run_end(rl_run *r)
{
    for (uint32_t i = r->n; i-- > 0;) {
        rl_place *p = &r->places[i];
        rl_place_drop(p);
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
rl_status rl_run_discover(rl_run *r)
{
    for (uint32_t i = 0; i < r->n; i++) {
        rl_node *n = r->places[i].node;
        for (int k = 0; k < n->n_inputs; k++)
            if (n->next[k].node) {
                rl_place *p = rl_run_enter(r, n->next[k].node);
                if (!p)
                    return RL_EMEMORY;
                p->waits_for++;
            }
    }
    return RL_OK;
}

/* Marks as needed what leads to a capture or a target; a depth-first walk with a stack of its own.
 */
rl_status rl_run_mark_needed(rl_run *r)
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
            rl_place *p = &r->places[i];
            bool down = false;
            while (edge[i] < (uint32_t)p->node->n_inputs) {
                rl_node *next = p->node->next[edge[i]].node;
                uint32_t j = next ? (uint32_t)(rl_place_find(r, next) - r->places) : 0;
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

static inline bool before(const rl_run *r, uint32_t a, uint32_t b)
{
    return r->places[a].node->seq > r->places[b].node->seq;
}

rl_status rl_run_push(rl_run *r, uint32_t i)
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

uint32_t rl_run_pop(rl_run *r)
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
