/* reduce_list.h: the reduction kernels, by name. */
#ifndef RL_REDUCE_LIST_H
#define RL_REDUCE_LIST_H

/* X(name, what it writes, 1 if results of parts combine by the same kernel: sums of sums, maxima of maxima; else 0).
 * Only those with 1 are split over threads and over dims that do not merge; the others get one run of nr per output. */
#define RL_REDUCE_LIST(X) X(SUM, RL_OUT_SAME, 1)

#endif
