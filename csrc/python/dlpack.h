/* dlpack.h: the structures of DLPack 1.0, by which libraries hand tensors to each other without a
 * copy.  The layout is the standard's (dmlc.github.io/dlpack), names are our own. */
#ifndef RL_PY_DLPACK_H
#define RL_PY_DLPACK_H

#include <stdint.h>

enum { RL_DL_CPU = 1 };
enum {
    RL_DL_INT = 0,
    RL_DL_UINT = 1,
    RL_DL_FLOAT = 2,
    RL_DL_BFLOAT = 4,
    RL_DL_COMPLEX = 5,
    RL_DL_BOOL = 6
};
enum { RL_DL_READ_ONLY = 1, RL_DL_IS_COPIED = 2 };

typedef struct rl_dl_tensor {
    void *data;
    struct {
        int32_t type, id;
    } device;
    int32_t ndim;
    struct {
        uint8_t code, bits;
        uint16_t lanes;
    } dtype;
    int64_t *shape;
    int64_t *strides; /* in elements; NULL: row-major */
    uint64_t byte_offset;
} rl_dl_tensor;

typedef struct rl_dl_managed {
    rl_dl_tensor tensor;
    void *context;
    void (*deleter)(struct rl_dl_managed *self);
} rl_dl_managed;

typedef struct rl_dl_versioned {
    struct {
        uint32_t major, minor;
    } version;
    void *context;
    void (*deleter)(struct rl_dl_versioned *self);
    uint64_t flags;
    rl_dl_tensor tensor;
} rl_dl_versioned;

#endif
