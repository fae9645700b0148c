/* convert.h: conversion of contiguous elements from one dtype to another, one table per instruction
 * set. */
#ifndef RL_KERNELS_CONVERT_H
#define RL_KERNELS_CONVERT_H

#include "rushlight.h"

/* y[i] = x[i] for i < n; x and y do not overlap.  As PyTorch's .to(): float to integer truncates
 * toward zero (out of range and nan: the least int32, or int64, cut to the width), integers wrap,
 * anything to bool tests != 0, to float16 and bfloat16 rounds to nearest even by way of float32. */
typedef void rl_convert_fn(const void *x, void *y, size_t n);

extern rl_convert_fn *const rl_converts_portable[RL_NDTYPES][RL_NDTYPES]; /* [from][to] */
extern rl_convert_fn *const rl_converts_avx2[RL_NDTYPES][RL_NDTYPES];

#endif
