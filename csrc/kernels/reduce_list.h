/* reduce_list.h: the reduction kernels, by name. */
#ifndef RL_REDUCE_LIST_H
#define RL_REDUCE_LIST_H

#define RL_REDUCE_LIST(X) X(SUM, 1)

#endif
