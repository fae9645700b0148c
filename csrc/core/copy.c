/* copy.c: copying, filling and dtype conversion of whole tensors. */
#include <float.h>
#include <math.h>

#include "core/alloc.h"
#include "core/cpu.h"
#include "core/iter.h"
#include "core/loop.h"
#include "core/parallel.h"
#include "kernels/convert.h"

#define BLOCK 512
#define GRAIN (64 << 10) /* elements per thread and turn: copies are bound by memory */

/* ---- conversion of n elements ---- */

static rl_convert_fn *converter(rl_dtype from, rl_dtype to)
{
    switch (rl_cpu_isa_level()) {
#ifdef RL_HAVE_AVX2
    case RL_LEVEL_AVX512: /* conversions wait for memory: AVX2's build serves both */
    case RL_LEVEL_AVX2:
        return rl_converts_avx2[from][to];
#endif
    default:
        return rl_converts_portable[from][to];
    }
}

typedef struct pair { /* a complex128 */
    uint64_t v[2];
} pair;

#define MOVE(T)                                                                                    \
    _Pragma("GCC unroll 4") for (size_t i = 0; i < n; i++)                                         \
    {                                                                                              \
        T v;                                                                                       \
        memcpy(&v, x, sizeof v);                                                                   \
        memcpy(y, &v, sizeof v);                                                                   \
        x += sx;                                                                                   \
        y += sy;                                                                                   \
    }

/* n elements of `item` bytes from x at stride sx to y at stride sy, bytes unchanged. */
static void move(size_t item, const char *x, ptrdiff_t sx, char *y, ptrdiff_t sy, size_t n)
{
    if (sx == (ptrdiff_t)item && sy == (ptrdiff_t)item) {
        memcpy(y, x, n * item);
        return;
    }
    switch (item) {
    case 1:
        MOVE(uint8_t)
        break;
    case 2:
        MOVE(uint16_t)
        break;
    case 4:
        MOVE(uint32_t)
        break;
    case 8:
        MOVE(uint64_t)
        break;
    default:
        MOVE(pair)
        break;
    }
}

/* One side or both are complex: the parts one after the other.  What is real has no imaginary
 * part; complex to bool asks whether either part is not zero. */
static void convert_complex(rl_dtype from, const char *x, ptrdiff_t sx, rl_dtype to, char *y,
                            ptrdiff_t sy, size_t n)
{
    rl_dtype real_from = rl_real_dtype(from), real_to = rl_real_dtype(to);
    ptrdiff_t half_x = (ptrdiff_t)rl_dtype_size(real_from),
              half_y = (ptrdiff_t)rl_dtype_size(real_to);
    rl_convert(real_from, x, sx, real_to, y, sy, n);
    if (!rl_is_complex(from)) {
        for (size_t i = 0; i < n; i++, y += sy)
            memset(y + half_y, 0, (size_t)half_y);
    } else if (rl_is_complex(to)) {
        rl_convert(real_from, x + half_x, sx, real_to, y + half_y, sy, n);
    } else if (to == RL_BOOL) {
        for (size_t i = 0; i < n; i++, x += sx, y += sy) {
            uint8_t imaginary;
            rl_convert(real_from, x + half_x, 0, RL_BOOL, &imaginary, 0, 1);
            *(uint8_t *)y |= imaginary;
        }
    }
}

void rl_convert(rl_dtype from, const void *xp, ptrdiff_t sx, rl_dtype to, void *yp, ptrdiff_t sy,
                size_t n)
{
    const char *x = xp;
    char *y = yp;
    ptrdiff_t ix = (ptrdiff_t)rl_dtype_size(from), iy = (ptrdiff_t)rl_dtype_size(to);
    if (from == to) {
        move((size_t)ix, x, sx, y, sy, n);
        return;
    }
    if (rl_is_complex(from) || rl_is_complex(to)) {
        convert_complex(from, x, sx, to, y, sy, n);
        return;
    }
    rl_convert_fn *convert = converter(from, to);
    if (n == 1 || (sx == ix && sy == iy)) {
        convert(x, y, n);
        return;
    }
    _Alignas(64) char bx[BLOCK * 8], by[BLOCK * 8];
    while (n) {
        size_t m = n < BLOCK ? n : BLOCK;
        if (sx != ix)
            move((size_t)ix, x, sx, bx, ix, m);
        convert(sx != ix ? bx : x, sy != iy ? by : y, m);
        if (sy != iy)
            move((size_t)iy, by, iy, y, sy, m);
        x += (ptrdiff_t)m * sx;
        y += (ptrdiff_t)m * sy;
        n -= m;
    }
}

/* ---- copying ---- */

struct copy {
    rl_dtype from, to;
};

static void copy_inner(size_t n, char *const *p, const ptrdiff_t *stride, void *context)
{
    const struct copy *c = context;
    rl_convert(c->from, p[1], stride[1], c->to, p[0], stride[0], n);
}

static void copy_flat(int64_t begin, int64_t end, void *context)
{
    char *const *p = ((void **)context)[0];
    const struct copy *c = ((void **)context)[1];
    ptrdiff_t ix = (ptrdiff_t)rl_dtype_size(c->from), iy = (ptrdiff_t)rl_dtype_size(c->to);
    rl_convert(c->from, p[1] + begin * ix, ix, c->to, p[0] + begin * iy, iy, (size_t)(end - begin));
}

/* Transposing copy.  dst runs along dim 0, src along dim `t`: read and written in tiles of both, so
 * that every cache line that is fetched is used up. */
#define TILE 16
struct transpose {
    const rl_loop *loop;
    char *const *base;
    size_t item;
    int t;
    int64_t tiles; /* along dim t */
};

static void transpose_tiles(int64_t begin, int64_t end, void *context)
{
    const struct transpose *c = context;
    const rl_loop *l = c->loop;
    int t = c->t;
    ptrdiff_t y0 = l->stride[0][0], yt = l->stride[t][0], x0 = l->stride[0][1],
              xt = l->stride[t][1];
    for (int64_t k = begin; k < end; k++) {
        /* k counts tiles along dim t, then the other dims but 0. */
        int64_t j0 = k % c->tiles * TILE, rest = k / c->tiles;
        char *y = c->base[0] + j0 * yt;
        const char *x = c->base[1] + j0 * xt;
        for (int d = 1; d < l->ndim; d++)
            if (d != t) {
                y += rest % l->size[d] * l->stride[d][0];
                x += rest % l->size[d] * l->stride[d][1];
                rest /= l->size[d];
            }
        int64_t nj = l->size[t] - j0 < TILE ? l->size[t] - j0 : TILE, n0 = l->size[0];
#define MOVE_TILES(T)                                                                              \
    for (int64_t i0 = 0; i0 < n0; i0 += TILE) {                                                    \
        int64_t ni = n0 - i0 < TILE ? n0 - i0 : TILE;                                              \
        for (int64_t j = 0; j < nj; j++) {                                                         \
            T *to = (T *)(y + i0 * y0 + j * yt);                                                   \
            const char *from = x + i0 * x0 + j * xt;                                               \
            for (int64_t i = 0; i < ni; i++)                                                       \
                to[i] = *(const T *)(from + i * x0);                                               \
        }                                                                                          \
    }
        switch (c->item) {
        case 1:
            MOVE_TILES(uint8_t)
            break;
        case 2:
            MOVE_TILES(uint16_t)
            break;
        case 4:
            MOVE_TILES(uint32_t)
            break;
        case 8:
            MOVE_TILES(uint64_t)
            break;
        default:
            MOVE_TILES(pair)
            break;
        }
    }
}

/* Runs l (0: dst, 1: src, same item size) as a transposition if it is one. */
static bool transpose(const rl_loop *l, char *const *base, size_t item)
{
    if (l->numel < 256 || l->stride[0][0] != (ptrdiff_t)item || l->size[0] < 4)
        return false;
    for (int t = 1; t < l->ndim; t++)
        if (l->stride[t][1] == (ptrdiff_t)item && l->size[t] >= 4) {
            struct transpose c = {l, base, item, t, (l->size[t] + TILE - 1) / TILE};
            int64_t n = l->numel / l->size[0] / l->size[t] * c.tiles;
            int64_t grain = GRAIN / (l->size[0] * TILE);
            rl_parallel_for(n, grain > 1 ? grain : 1, transpose_tiles, &c);
            return true;
        }
    return false;
}

/* Same memory, element by element. */
static bool same_place(const rl_tensor *a, const rl_tensor *b)
{
    return a->data == b->data && a->dtype == b->dtype && rl_same_shape(a, b) &&
           !memcmp(a->strides, b->strides, (size_t)a->ndim * sizeof *a->strides);
}

rl_status rl_copy_data(rl_tensor *dst, rl_tensor *src)
{
    int64_t shape[RL_MAX_DIMS], src_strides[RL_MAX_DIMS];
    int ndim;
    rl_dtype from = (rl_dtype)src->dtype, to = (rl_dtype)dst->dtype;
    struct copy c = {from, to};
    char *base[2] = {dst->data, src->data};
    bool same = rl_same_shape(dst, src);

    if (!same) {
        rl_status status =
            rl_broadcast_shapes(dst->ndim, dst->shape, src->ndim, src->shape, &ndim, shape);
        if (status)
            return status;
        if (!rl_has_shape(dst, ndim, shape))
            return rl_error(RL_ERUNTIME,
                            "output with shape %s doesn't match the broadcast shape %s",
                            rl_shape_str(dst).s, rl_ints_str(ndim, shape).s);
    }
    if (dst->numel == 0 || same_place(dst, src))
        return RL_OK;
    if (rl_shares_memory(dst, src)) {
        rl_tensor *copy = rl_new(from, src->ndim, src->shape);
        if (!copy)
            return RL_EMEMORY;
        rl_status status = rl_copy_data(copy, src);
        if (!status)
            status = rl_copy_data(dst, copy);
        rl_release(copy);
        return status;
    }
    if (same && dst->contiguous && src->contiguous) {
        if (dst->numel <= GRAIN)
            rl_convert(from, src->data, (ptrdiff_t)rl_itemsize(src), to, dst->data,
                       (ptrdiff_t)rl_itemsize(dst), (size_t)dst->numel);
        else
            rl_parallel_for(dst->numel, GRAIN, copy_flat, (void *[]){base, &c});
        return RL_OK;
    }
    rl_loop l;
    rl_broadcast_strides(src, dst->ndim, dst->shape, src_strides);
    rl_loop_make(&l, dst->ndim, dst->shape, 2, (const int64_t *const[]){dst->strides, src_strides},
                 (size_t[]){rl_itemsize(dst), rl_itemsize(src)});
    if (from == to && transpose(&l, base, rl_itemsize(dst)))
        return RL_OK;
    rl_loop_lengthen(&l);
    rl_loop_run(&l, base, GRAIN, copy_inner, &c);
    return RL_OK;
}

rl_tensor *rl_contiguous_data(rl_tensor *t)
{
    return t ? rl_cast_data(t, (rl_dtype)t->dtype) : NULL;
}

rl_tensor *rl_cast_data(rl_tensor *t, rl_dtype dtype)
{
    if (!t)
        return NULL;
    if (t->contiguous && t->dtype == dtype)
        return rl_retain(t);
    rl_tensor *y = rl_new(dtype, t->ndim, t->shape);
    if (y && rl_copy_data(y, t)) {
        rl_release(y);
        return NULL;
    }
    return y;
}

/* ---- filling ---- */

rl_status rl_check_scalar(rl_scalar v, rl_dtype dtype)
{
    static const struct {
        const char *name;
        double low, high; /* the least and greatest value */
    } limits[RL_NDTYPES] = {
        [RL_U8] = {"uint8_t", 0, 255},
        [RL_I8] = {"int8_t", INT8_MIN, INT8_MAX},
        [RL_I16] = {"int16_t", INT16_MIN, INT16_MAX},
        [RL_I32] = {"int", INT32_MIN, INT32_MAX},
        [RL_I64] = {"int64_t", -0x1p63, 0x1p63},
        [RL_F16] = {"c10::Half", -65504, 65504},
        [RL_BF16] = {"c10::BFloat16", -0x1.fep127, 0x1.fep127},
        [RL_F32] = {"float", -0x1.fffffep127, 0x1.fffffep127},
    };
    dtype = rl_real_dtype(dtype);
    if (dtype == RL_BOOL || dtype == RL_F64 || (v.dtype != RL_F64 && dtype == RL_I64))
        return RL_OK;
    double f = rl_scalar_double(v);
    bool fits = f >= limits[dtype].low && f <= limits[dtype].high;
    if (rl_is_floating(dtype)) /* of integers nothing is asked: too large ones become infinite */
        fits |= isnan(f) || isinf(f) || v.dtype != RL_F64;
    else if (dtype == RL_U8 && v.dtype != RL_F64) /* negative integers wrap, -255 to 1 */
        fits = v.i >= -255 && v.i <= 255;
    else if (dtype == RL_I64)
        fits &= f < 0x1p63;
    if (!fits)
        return rl_error(RL_ERUNTIME, "value cannot be converted to type %s without overflow",
                        limits[dtype].name);
    return RL_OK;
}

struct fill {
    size_t item;
    uint64_t bits, high; /* high: the second half of 16 bytes */
    bool bytes;          /* all bytes equal: memset */
};

/* 16 bytes at any address. */
typedef uint64_t wide __attribute__((vector_size(16), aligned(1), may_alias));

static void fill_inner(size_t n, char *const *p, const ptrdiff_t *stride, void *context)
{
    const struct fill *f = context;
    char *y = p[0];
    ptrdiff_t s = stride[0];
    if (s != (ptrdiff_t)f->item) {
        for (size_t i = 0; i < n; i++, y += s)
            memcpy(y, &f->bits, f->item);
        return;
    }
    size_t bytes = n * f->item;
    if (f->bytes) {
        memset(y, (int)(f->bits & 0xff), bytes);
        return;
    }
    uint64_t low = f->bits, high = f->bits;
    for (size_t have = f->item; have < 8; have *= 2)
        low |= low << (8 * have), high = low;
    if (f->item == 16)
        high = f->high;
    const wide v = {low, high};
    size_t i = 0;
    for (; i + 64 <= bytes; i += 64)
        for (size_t k = 0; k < 64; k += 16)
            *(wide *)(y + i + k) = v;
    for (; i + 16 <= bytes; i += 16)
        *(wide *)(y + i) = v;
    memcpy(y + i, &v, bytes - i);
}

rl_status rl_fill_data(rl_tensor *dst, rl_scalar value)
{
    rl_dtype to = (rl_dtype)dst->dtype;
    struct fill f = {rl_itemsize(dst), 0, 0, false};
    if (to == RL_F32 && (value.dtype != RL_F64 || fabs(value.f) <= FLT_MAX)) { /* the usual case */
        float v = value.dtype == RL_F64 ? (float)value.f : (float)value.i;
        memcpy(&f.bits, &v, sizeof v);
    } else {
        rl_status status = rl_check_scalar(value, to);
        if (status)
            return status;
        rl_dtype from = value.dtype == RL_F64 ? RL_F64 : RL_I64;
        rl_convert(from, &value.i, 8, to, &f.bits, (ptrdiff_t)f.item, 1);
    }
    const uint64_t ones = 0x0101010101010101 >> (f.item < 8 ? 64 - 8 * f.item : 0);
    f.bytes = f.bits == (f.bits & 0xff) * ones && (f.item <= 8 || !f.bits);
    if (dst->contiguous && dst->numel <= GRAIN) {
        fill_inner((size_t)dst->numel, &dst->data, &(ptrdiff_t){(ptrdiff_t)f.item}, &f);
        return RL_OK;
    }
    if (dst->numel == 0)
        return RL_OK;
    rl_loop l;
    rl_loop_make(&l, dst->ndim, dst->shape, 1, (const int64_t *const[]){dst->strides}, &f.item);
    rl_loop_run(&l, &dst->data, GRAIN, fill_inner, &f);
    return RL_OK;
}
