/* embedding.h: what single rows and bags of rows share. */
#ifndef RL_OPS_EMBEDDING_H
#define RL_OPS_EMBEDDING_H

#include "core/tensor.h"

/* Positions (int64) of the indices (int64, flat) that are not padding, or NULL where all are kept
 * (*all). */
rl_tensor *rl_kept_positions(const rl_tensor *flat, int64_t padding, bool *all);
/* 1 / how often the index occurs, (n, 1), of dtype; indices int64, below rows. */
rl_tensor *rl_inverse_counts(const rl_tensor *flat, int64_t rows, rl_dtype dtype);
/* RL_ERUNTIME unless int64 or int32; `name` of the operator, `argument` its number. */
rl_status rl_check_indices(const rl_tensor *indices, int argument, const char *name);

#endif
