/* reduce_list.h: the reduction kernels, by name. */
#ifndef RL_REDUCE_LIST_H
#define RL_REDUCE_LIST_H

/* X(name, what it writes, 1 if results of parts combine by the same kernel: sums of sums, maxima of
 * maxima; else 0). Only those with 1 are split over threads and over dims that do not merge; the
 * others get one run of nr per output. Sums of integers are of int64: operators convert. */
#define RL_REDUCE_LIST(X)                                                                          \
    X(SUM, RL_OUT_SAME, 1)                                                                         \
    X(PROD, RL_OUT_SAME, 1)                                                                        \
    X(SUMSQ, RL_OUT_SAME, 0)  /* of squares; floats */                                             \
    X(SUMABS, RL_OUT_SAME, 0) /* of absolute values; floats */                                     \
    X(MIN, RL_OUT_SAME, 1) /* nan wins; at least one element, as for all but ANY and ALL below */  \
    X(MAX, RL_OUT_SAME, 1)                                                                         \
    X(ANY, RL_OUT_BOOL, 1)                                                                         \
    X(ALL, RL_OUT_BOOL, 1)                                                                         \
    X(ARGMIN, RL_OUT_I64, 0) /* the first one; nan wins */                                         \
    X(ARGMAX, RL_OUT_I64, 0)                                                                       \
    X(VAR, RL_OUT_SAME, 0) /* squared deviations / max(nr - f0, 0), in two passes */

#endif
