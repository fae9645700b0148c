/* profile.c: the times of the graph's nodes while a profiler listens. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "python/graph.h"

typedef struct record {
    char name[64];      /* a copy: a Python Function's may go before the record is read */
    int64_t start, end; /* ns of CLOCK_MONOTONIC */
    pthread_t thread;
} record;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static record *records;
static size_t n_records, room;
static bool lost; /* memory was short */

static void note(const rl_node *n, int64_t start, int64_t end)
{
    pthread_mutex_lock(&lock);
    if (n_records == room) {
        size_t more = room ? 2 * room : 256;
        record *grown = realloc(records, more * sizeof *grown);
        if (grown) {
            records = grown;
            room = more;
        }
    }
    if (n_records < room) {
        record *r = records + n_records++;
        strncpy(r->name, n->type->name, sizeof r->name - 1);
        r->name[sizeof r->name - 1] = 0;
        r->start = start;
        r->end = end;
        r->thread = pthread_self();
    } else {
        lost = true;
    }
    pthread_mutex_unlock(&lock);
}

static PyObject *start(PyObject *Py_UNUSED(m), PyObject *Py_UNUSED(none))
{
    pthread_mutex_lock(&lock);
    n_records = 0;
    lost = false;
    pthread_mutex_unlock(&lock);
    rl_node_timed = note;
    Py_RETURN_NONE;
}

static PyObject *stop(PyObject *Py_UNUSED(m), PyObject *Py_UNUSED(none))
{
    rl_node_timed = NULL;
    pthread_mutex_lock(&lock);
    record *taken = records;
    size_t n = n_records;
    bool short_of_memory = lost;
    records = NULL;
    n_records = room = 0;
    lost = false;
    pthread_mutex_unlock(&lock);
    PyObject *list = short_of_memory ? PyErr_NoMemory() : PyList_New((Py_ssize_t)n);
    for (size_t i = 0; list && i < n; i++) {
        record *r = taken + i;
        PyObject *row = Py_BuildValue("(sLLk)", r->name, (long long)r->start, (long long)r->end,
                                      (unsigned long)r->thread);
        if (row)
            PyList_SET_ITEM(list, (Py_ssize_t)i, row);
        else
            Py_CLEAR(list);
    }
    free(taken);
    return list;
}

static PyMethodDef functions[] = {
    {"_profile_nodes_start", start, METH_NOARGS,
     "_profile_nodes_start()\n\nTimes nodes from now on."},
    {"_profile_nodes_stop", stop, METH_NOARGS,
     "_profile_nodes_stop() -> list\n\n(name, start, end, thread) of each node run since; ns."},
    {NULL, NULL, 0, NULL},
};

int rl_py_add_profile(PyObject *module) { return PyModule_AddFunctions(module, functions); }
