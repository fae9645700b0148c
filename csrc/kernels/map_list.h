/* map_list.h: the element-wise kernels, by name. */
#ifndef RL_MAP_LIST_H
#define RL_MAP_LIST_H

/* X(name, number of inputs).  Which dtypes a kernel exists for is what kernels/isa fills in. */
#define RL_MAP_LIST(X)                                                                             \
    X(ADD, 2)                                                                                      \
    X(SUB, 2)                                                                                      \
    X(MUL, 2)                                                                                      \
    X(DIV, 2)

#endif
