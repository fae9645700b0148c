/* row_list.h: the row kernels, by name. */
#ifndef RL_ROW_LIST_H
#define RL_ROW_LIST_H

#define RL_ROW_LIST(X) X(SOFTMAX, 1)

#endif
