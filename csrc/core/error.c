/* error.c: the thread's pending error. */
#include "core/error.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_BYTES = 1536 };

/* The text lives on the heap: a shared library loaded late has little room for thread-local data
 * (glibc shares less than 2 KB of it between all of them). */
static _Thread_local struct {
    rl_status code;
    char *message; /* made with the thread's first error; NULL: no memory for it */
} pending;

static pthread_key_t message_key; /* frees the text when its thread ends */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_key(void) { pthread_key_create(&message_key, free); }

rl_status rl_error(rl_status code, const char *format, ...)
{
    char text[MESSAGE_BYTES]; /* arguments may point into the old message */
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!pending.message && (pending.message = malloc(MESSAGE_BYTES))) {
        pthread_once(&once, make_key);
        pthread_setspecific(message_key, pending.message);
    }
    if (pending.message)
        memcpy(pending.message, text, sizeof text);
    pending.code = code;
    return code;
}

rl_status rl_error_code(void) { return pending.code; }
const char *rl_error_message(void)
{
    return !pending.code ? "" : pending.message ? pending.message : "out of memory";
}
void rl_error_clear(void) { pending.code = RL_OK; }

rl_str rl_ints_str(int n, const int64_t *v)
{
    rl_str out;
    size_t used = 1;
    out.s[0] = '[';
    for (int i = 0; i < n; i++) {
        char number[32];
        int length = snprintf(number, sizeof number, i ? ", %lld" : "%lld", (long long)v[i]);
        if (used + (size_t)length + 7 > sizeof out.s) { /* room for ", ...]" and the end */
            memcpy(out.s + used, ", ...", 5);
            used += 5;
            break;
        }
        memcpy(out.s + used, number, (size_t)length);
        used += (size_t)length;
    }
    out.s[used] = ']';
    out.s[used + 1] = 0;
    return out;
}
