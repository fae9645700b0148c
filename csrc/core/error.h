/* error.h: how the core reports failure: one code and message per thread. */
#ifndef RL_CORE_ERROR_H
#define RL_CORE_ERROR_H

#include "rushlight.h"

/* Sets the thread's error, printf-style; the last call wins, so code that meets a NULL argument
 * returns NULL and says nothing.  Returns the code, so doers write `return rl_error(RL_ERUNTIME,
 * ...)`. */
rl_status rl_error(rl_status code, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for makers: `return rl_fail(RL_ERUNTIME, ...)` returns NULL. */
#define rl_fail(...) (rl_error(__VA_ARGS__), NULL)

/* Status of a maker's result: RL_OK, or the pending error's code. */
static inline rl_status rl_status_of(const void *result)
{
    return result ? RL_OK : rl_error_code();
}

/* Fixed-size buffers for messages: `rl_error(..., "%s", rl_shape_str(t).s)`. */
typedef struct rl_str {
    char s[192];
} rl_str;
rl_str rl_shape_str(const rl_tensor *t);     /* "[2, 3]" */
rl_str rl_ints_str(int n, const int64_t *v); /* "[2, 3]" */

#endif
