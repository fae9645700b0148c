/* run.h: the nodes that one backward meets, and which of them are ready.  Shared by run.c and
 * engine.c.
 *
 * Note: marks.  A node's place in the run's list is written into the node itself.  A backward
 * inside a callback of this one may meet the same nodes; it puts the marks back when it ends.  A
 * second thread running at the same time uses a hash table instead. */
#ifndef RL_AUTOGRAD_RUN_H
#define RL_AUTOGRAD_RUN_H

#include "autograd/autograd.h"

/* A node's place in a run. */
typedef struct rl_place {
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
} rl_place;

/* Where a gradient asked for by rl_grad is picked up. */
typedef struct rl_capture {
    int output;
    int64_t result;
    uint32_t next; /* 1 + index of the next one at the same place */
} rl_capture;

#define RL_INLINE_PLACES 24

typedef struct rl_run {
    rl_place *places;
    uint32_t n, cap;
    uint32_t *ready; /* heap */
    uint32_t n_ready, cap_ready;
    uint32_t id;
    bool marks, nested;
    uint32_t *table; /* 1 + index by hash of the node, when marks are taken */
    uint32_t table_size;
    bool filter; /* only needed nodes are run */
    bool keep;
    rl_capture *captures;
    rl_tensor **results;
    rl_place inline_places[RL_INLINE_PLACES];
    uint32_t inline_ready[RL_INLINE_PLACES];
} rl_run;

static inline uint32_t rl_place_hash(const rl_node *n, uint32_t size)
{
    return (uint32_t)(((uintptr_t)n >> 4) * 0x9E3779B97F4A7C15u >> 32) & (size - 1);
}

/* The place of n, or NULL. */
static inline rl_place *rl_place_find(rl_run *r, const rl_node *n)
{
    if (r->marks)
        return n->mark_run == r->id ? &r->places[n->mark_index] : NULL;
    if (!r->table)
        return NULL;
    for (uint32_t h = rl_place_hash(n, r->table_size); r->table[h];
         h = (h + 1) & (r->table_size - 1))
        if (r->places[r->table[h] - 1].node == n)
            return &r->places[r->table[h] - 1];
    return NULL;
}

static inline rl_tensor **rl_place_grads(rl_place *p)
{
    return p->node->n_outputs == 1 ? &p->one : p->many;
}

void rl_run_begin(rl_run *r);
void rl_run_end(rl_run *r); /* releases everything, gradients included */
/* The place of n, made when missing; NULL when memory is short. */
rl_place *rl_run_enter(rl_run *r, rl_node *n);
/* Lists everything reachable and counts the edges into each node. */
rl_status rl_run_discover(rl_run *r);
/* Marks as needed what leads to a capture or a target. */
rl_status rl_run_mark_needed(rl_run *r);
/* The ready nodes: a heap of indices, the latest made first. */
rl_status rl_run_push(rl_run *r, uint32_t i);
uint32_t rl_run_pop(rl_run *r);
void rl_place_drop(rl_place *p); /* releases the gradients waiting there */

#endif
