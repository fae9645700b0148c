/* map_list.h: the element-wise kernels, by name. */
#ifndef RL_MAP_LIST_H
#define RL_MAP_LIST_H

/* X(name, number of inputs, what it writes).  Which dtypes a kernel exists for is what kernels/isa fills in. */
#define RL_MAP_LIST(X)                                                                             \
    X(ADD, 2, RL_OUT_SAME)                                                                         \
    X(SUB, 2, RL_OUT_SAME)                                                                         \
    X(MUL, 2, RL_OUT_SAME)                                                                         \
    X(DIV, 2, RL_OUT_SAME)

#endif
