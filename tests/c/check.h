/* check.h: the C tests' few macros.  A test is a function that returns true when it came to its
 * end, false when memory ran out on the way.  RUN runs it as it is, then again and again with the
 * 1st, 2nd, ... allocation made to fail, until one run needs no more allocations than that; after
 * each, no block may be left over. */
#ifndef CHECK_H
#define CHECK_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/iter.h"
#include "core/tensor.h"
#include "rushlight.h"

static int failures;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            failures++;                                                                            \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);                                 \
        }                                                                                          \
    } while (0)

#define CHECK_STR(is, should)                                                                      \
    do {                                                                                           \
        const char *is_ = (is), *should_ = (should);                                               \
        if (strcmp(is_, should_)) {                                                                \
            failures++;                                                                            \
            printf("%s:%d: \"%s\"\n  is not \"%s\"\n", __FILE__, __LINE__, is_, should_);          \
        }                                                                                          \
    } while (0)

/* Ends the test when expr (a pointer, or true) failed for lack of memory; any other failure counts.
 */
static inline int short_of_memory(const char *file, int line, const char *what)
{
    if (rl_error_code() != RL_EMEMORY) {
        failures++;
        printf("%s:%d: %s failed: %s\n", file, line, what, rl_error_message());
    }
    return 1;
}
#define NEED(expr)                                                                                 \
    do {                                                                                           \
        if (!(expr) && short_of_memory(__FILE__, __LINE__, #expr))                                 \
            return false;                                                                          \
    } while (0)
/* A tensor for the rest of the block. */
#define MAKE(name, expr)                                                                           \
    RL_TEMP *name = (expr);                                                                        \
    if (!name && short_of_memory(__FILE__, __LINE__, #expr))                                       \
    return false

/* The call must fail with this code and message, unless memory runs out first. */
#define FAILS(expr, code, message)                                                                 \
    do {                                                                                           \
        if (expr) {                                                                                \
            failures++;                                                                            \
            printf("%s:%d: %s did not fail\n", __FILE__, __LINE__, #expr);                         \
        } else if (rl_error_code() == RL_EMEMORY && (code) != RL_EMEMORY) {                        \
            return false;                                                                          \
        } else {                                                                                   \
            CHECK(rl_error_code() == (code));                                                      \
            CHECK_STR(rl_error_message(), message);                                                \
        }                                                                                          \
    } while (0)

static inline void run_test(const char *name, bool (*test)(void))
{
    int64_t live = rl_alloc_live();
    int before = failures;
    rl_error_clear();
    CHECK(test());
    CHECK(rl_alloc_live() == live);
    for (int n = 1; failures == before; n++) {
        rl_error_clear();
        rl_alloc_fail_after(n);
        bool done = test();
        rl_alloc_fail_after(0);
        CHECK(rl_alloc_live() == live);
        if (done)
            break;
        CHECK(n < 10000);
    }
    printf("%-32s %s\n", name, failures == before ? "ok" : "FAILED");
}
#define RUN(test) run_test(#test, test)

#define SHAPE(...)                                                                                 \
    (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]) { __VA_ARGS__ }
#define INTS(...) ((rl_ints){(int64_t[]){__VA_ARGS__}, (int)(sizeof((int64_t[]){__VA_ARGS__}) / 8)})

/* A float32 tensor 0, 1, 2, ... */
static inline rl_tensor *counting(int ndim, const int64_t *shape)
{
    rl_tensor *t = rl_new(RL_F32, ndim, shape);
    for (int64_t i = 0; t && i < t->numel; i++)
        ((float *)t->data)[i] = (float)i;
    return t;
}
static inline float *floats(rl_tensor *t) { return (float *)t->data; }

#endif
