/* element.c: single elements and strided blocks of memory. */
#include "ops/element.h"

#include "kernels/kernels.h"

/* y = y OP x for every dtype; 16-bit floats in float32, rounded once.  Integers wrap around, so
 * they compute unsigned; 16 bits in 32, lest C's promotion to int overflow. */
static void complex_element(rl_map_op op, rl_dtype dtype, void *y, const void *x)
{
    rl_kernel_table.map[op][dtype](1, (char *const[]){y, y, (char *)x}, (ptrdiff_t[]){0, 0, 0},
                                   &(rl_kargs){{0}, {0}});
}

#define DEFINE(name, OP, BOOL_OP, MAP)                                                             \
    void name(rl_dtype dtype, void *y, const void *x)                                              \
    {                                                                                              \
        switch (dtype) {                                                                           \
        case RL_BOOL:                                                                              \
            *(uint8_t *)y = *(uint8_t *)y BOOL_OP * (const uint8_t *)x;                            \
            break;                                                                                 \
        case RL_U8:                                                                                \
        case RL_I8:                                                                                \
            *(uint8_t *)y = (uint8_t)((uint32_t)*(uint8_t *)y OP * (const uint8_t *)x);            \
            break;                                                                                 \
        case RL_I16:                                                                               \
            *(uint16_t *)y = (uint16_t)((uint32_t)*(uint16_t *)y OP * (const uint16_t *)x);        \
            break;                                                                                 \
        case RL_I32:                                                                               \
            *(uint32_t *)y = *(uint32_t *)y OP * (const uint32_t *)x;                              \
            break;                                                                                 \
        case RL_I64:                                                                               \
            *(uint64_t *)y = *(uint64_t *)y OP * (const uint64_t *)x;                              \
            break;                                                                                 \
        case RL_F32:                                                                               \
            *(float *)y = *(float *)y OP * (const float *)x;                                       \
            break;                                                                                 \
        case RL_F64:                                                                               \
            *(double *)y = *(double *)y OP * (const double *)x;                                    \
            break;                                                                                 \
        case RL_C64:                                                                               \
        case RL_C128:                                                                              \
            complex_element(MAP, dtype, y, x);                                                     \
            break;                                                                                 \
        default: {                                                                                 \
            float a, b;                                                                            \
            rl_convert(dtype, y, 2, RL_F32, &a, 4, 1);                                             \
            rl_convert(dtype, x, 2, RL_F32, &b, 4, 1);                                             \
            a = a OP b;                                                                            \
            rl_convert(RL_F32, &a, 4, dtype, y, 2, 1);                                             \
        }                                                                                          \
        }                                                                                          \
    }

DEFINE(rl_element_add, +, ||, RL_MAP_ADD)
DEFINE(rl_element_mul, *, &&, RL_MAP_MUL)

/* Runs `step` on every row along the last dimension.  index counts the outer dimensions like an
 * odometer. */
#define FOR_ROWS(step)                                                                             \
    int64_t index[RL_MAX_DIMS] = {0};                                                              \
    int outer = ndim > 0 ? ndim - 1 : 0;                                                           \
    int64_t n = ndim > 0 ? shape[ndim - 1] : 1;                                                    \
    ptrdiff_t td = ndim > 0 ? sd[ndim - 1] : 0, ts = ndim > 0 ? ss[ndim - 1] : 0;                  \
    for (int d = 0; d < ndim; d++)                                                                 \
        if (shape[d] == 0)                                                                         \
            return;                                                                                \
    for (;;) {                                                                                     \
        step;                                                                                      \
        int d = outer - 1;                                                                         \
        for (; d >= 0; d--) {                                                                      \
            dst += sd[d];                                                                          \
            src += ss[d];                                                                          \
            if (++index[d] < shape[d])                                                             \
                break;                                                                             \
            dst -= sd[d] * shape[d];                                                               \
            src -= ss[d] * shape[d];                                                               \
            index[d] = 0;                                                                          \
        }                                                                                          \
        if (d < 0)                                                                                 \
            return;                                                                                \
    }

/* dst[i] = src[-i] for elements of 4 or 8 bytes, 64 bytes at a time: flips. */
static void copy_backwards(int64_t n, char *dst, const char *src, ptrdiff_t size)
{
    typedef uint32_t quad __attribute__((vector_size(16), aligned(4), may_alias));
    int64_t i = 0;
#define LOOP(bytes, ...)                                                                           \
    for (; i + 64 / bytes <= n; i += 64 / bytes) {                                                 \
        const quad *from = (const quad *)(src - i * bytes + bytes) - 4;                            \
        quad *to = (quad *)(dst + i * bytes);                                                      \
        for (int k = 0; k < 4; k++)                                                                \
            to[k] = __builtin_shuffle(from[3 - k], (quad){__VA_ARGS__});                           \
    }
    if (size == 4)
        LOOP(4, 3, 2, 1, 0)
    else
        LOOP(8, 2, 3, 0, 1)
#undef LOOP
    for (; i < n; i++)
        memcpy(dst + i * size, src - i * size, (size_t)size);
}

static void copy_row(int64_t n, char *dst, ptrdiff_t td, const char *src, ptrdiff_t ts, size_t size)
{
    if (td == (ptrdiff_t)size && ts == (ptrdiff_t)size) {
        memcpy(dst, src, (size_t)n * size);
        return;
    }
    if ((size == 4 || size == 8) && td == (ptrdiff_t)size && ts == -td) {
        copy_backwards(n, dst, src, td);
        return;
    }
#define ROW(bytes)                                                                                 \
    for (int64_t i = 0; i < n; i++)                                                                \
        memcpy(dst + i * td, src + i * ts, bytes);                                                 \
    break;
    switch (size) {
    case 1:
        ROW(1)
    case 2:
        ROW(2)
    case 4:
        ROW(4)
    case 8:
        ROW(8)
    default:
        ROW(16)
    }
#undef ROW
}

void rl_strided_copy(int ndim, const int64_t *shape, char *dst, const ptrdiff_t *sd,
                     const char *src, const ptrdiff_t *ss, size_t size)
{
    FOR_ROWS(copy_row(n, dst, td, src, ts, size))
}

static void add_row(int64_t n, char *dst, ptrdiff_t td, const char *src, ptrdiff_t ts,
                    rl_dtype dtype)
{
    rl_map_fn *add = rl_kernel_table.map[RL_MAP_ADD][dtype];
    if (add && td != 0 && n > 1) {
        rl_kargs none = {{0}, {0}};
        add((size_t)n, (char *const[]){dst, dst, (char *)src}, (ptrdiff_t[]){td, td, ts}, &none);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        rl_element_add(dtype, dst + i * td, src + i * ts);
}

void rl_strided_add(int ndim, const int64_t *shape, char *dst, const ptrdiff_t *sd, const char *src,
                    const ptrdiff_t *ss, rl_dtype dtype)
{
    FOR_ROWS(add_row(n, dst, td, src, ts, dtype))
}
