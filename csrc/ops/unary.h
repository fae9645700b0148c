/* unary.h: functions of one tensor, as data: which kernel runs, and what the derivative keeps. */
#ifndef RL_OPS_UNARY_H
#define RL_OPS_UNARY_H

#include "ops/complex.h"

typedef struct rl_unary {
    rl_map_op op;
    rl_typing typing;
    const char *kernel; /* PyTorch's name of it, for messages */
    enum { SAVES_NOTHING, SAVES_INPUT, SAVES_OUTPUT } saves; /* in slot 0 */
    rl_node_type node;
} rl_unary;

/* z = f(x), and x becomes f(x).  a: the kernel's numbers or NULL; f[0], f[1], f[2] go to the node's
 * f[0], f[1], s[0]. */
rl_tensor *rl_unary_apply(const rl_unary *u, rl_tensor *x, const rl_kargs *a);
rl_tensor *rl_unary_apply_(const rl_unary *u, rl_tensor *x, const rl_kargs *a);

/* The end of a derivative: a complex gradient is conjugated. */
rl_status rl_unary_done(rl_node *n, rl_tensor **dx);

/* Defines a derivative: dx[0] from g, the gradient, and v, what was saved.  Formulas are those of
 * real numbers; they are linear in g, so that a holomorphic function's conj(f') g is what they make
 * of conj(g), conjugated. */
#define BACKWARD(f, ...)                                                                           \
    static rl_status f##_backward(rl_node *n, rl_tensor *const *gs, rl_tensor **dx)                \
    {                                                                                              \
        RL_TEMP *g = rl_conj_of(gs[0]);                                                            \
        RL_TEMP *v = rl_saved(n, 0);                                                               \
        if (!v)                                                                                    \
            return rl_error_code();                                                                \
        __VA_ARGS__                                                                                \
        return rl_unary_done(n, dx);                                                               \
    }

/* The description f_unary of an operator whose derivative is f_backward. */
#define DESCRIBE(f, OP, TYPING, kernel_name, keeps, Node)                                          \
    static const rl_unary f##_unary = {                                                            \
        RL_MAP_##OP,                                                                               \
        RL_TYPE_##TYPING,                                                                          \
        kernel_name,                                                                               \
        keeps,                                                                                     \
        {.name = Node, .backward = f##_backward, .n_saved = keeps != SAVES_NOTHING}};
/* The same with rl_f and rl_f_. */
#define UNARY(f, OP, TYPING, kernel_name, keeps, Node)                                             \
    DESCRIBE(f, OP, TYPING, kernel_name, keeps, Node)                                              \
    rl_tensor *rl_##f(rl_tensor *input) { return rl_unary_apply(&f##_unary, input, NULL); }        \
    rl_tensor *rl_##f##_(rl_tensor *input) { return rl_unary_apply_(&f##_unary, input, NULL); }

#endif
