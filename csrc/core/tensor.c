/* tensor.c: making, viewing, releasing and inspecting tensors. */
#include "core/alloc.h"
#include "core/iter.h"
#include "core/tensor.h"

void rl_autograd_free(rl_tensor *t); /* autograd/, which the core otherwise knows nothing of */

_Thread_local uint8_t rl_tls_new_flags;

/* ---- geometry ---- */

static void drop_dims(rl_tensor *t)
{
    if (t->shape != t->dims)
        rl_small_free(t->shape, 2 * (size_t)t->ndim * sizeof(int64_t));
}

/* Room for ndim dims in a tensor that has none yet. */
static bool make_dims(rl_tensor *t, int ndim)
{
    if (__builtin_expect(ndim <= RL_INLINE_DIMS, 1)) {
        t->shape = t->dims;
        t->strides = t->dims + RL_INLINE_DIMS;
    } else {
        int64_t *dims = rl_small_alloc(2 * (size_t)ndim * sizeof(int64_t));
        if (!dims)
            return false;
        t->shape = dims;
        t->strides = dims + ndim;
    }
    t->ndim = (uint8_t)ndim;
    return true;
}

bool rl_is_row_major(int ndim, const int64_t *shape, const int64_t *strides)
{
    int64_t s = 1;
    for (int i = 0; i < ndim; i++)
        if (shape[i] == 0)
            return true;
    for (int i = ndim - 1; i >= 0; i--) {
        if (shape[i] == 1)
            continue;
        if (strides[i] != s)
            return false;
        s *= shape[i];
    }
    return true;
}

static rl_status check_ndim(int ndim)
{
    if (ndim < 0 || ndim > RL_MAX_DIMS)
        return rl_error(RL_ERUNTIME, "a tensor cannot have more than %d dimensions, got %d",
                        RL_MAX_DIMS, ndim);
    return RL_OK;
}

rl_status rl_tensor_set_geometry(rl_tensor *t, int ndim, const int64_t *shape,
                                 const int64_t *strides)
{
    int64_t numel, row[RL_MAX_DIMS];
    rl_status status = check_ndim(ndim);
    if (status || (status = rl_shape_numel(ndim, shape, &numel)))
        return status;
    if (!strides) {
        rl_row_major(ndim, shape, row);
        strides = row;
    }
    if (ndim != t->ndim && (ndim > RL_INLINE_DIMS || t->ndim > RL_INLINE_DIMS)) {
        rl_tensor old = *t;
        if (t->shape == t->dims)
            old.shape = old.dims;
        if (!make_dims(t, ndim))
            return RL_EMEMORY;
        if (old.shape != old.dims)
            drop_dims(&old);
    }
    t->ndim = (uint8_t)ndim;
    memmove(t->shape, shape, (size_t)ndim * sizeof *shape);
    memmove(t->strides, strides, (size_t)ndim * sizeof *strides);
    t->numel = numel;
    t->contiguous = rl_is_row_major(ndim, t->shape, t->strides);
    return RL_OK;
}

/* ---- making ---- */

static rl_tensor *new_header(rl_dtype dtype, int ndim)
{
    rl_tensor *t = rl_small_alloc(sizeof *t);
    if (!t)
        return NULL;
    if (!make_dims(t, ndim)) {
        rl_small_free(t, sizeof *t);
        return NULL;
    }
    atomic_init(&t->refs, 1);
    t->dtype = (int8_t)dtype;
    t->flags = rl_tls_new_flags;
    t->offset = 0;
    t->ag = NULL;
    t->py = NULL;
    t->storage = NULL;
    return t;
}

static void free_header(rl_tensor *t)
{
    drop_dims(t);
    rl_small_free(t, sizeof *t);
}

/* A tensor with storage of its own, numel elements, whose shape and strides the caller writes. */
static rl_tensor *new_filled(rl_dtype dtype, int ndim, const int64_t *shape, int64_t numel)
{
    size_t bytes;
    if (__builtin_mul_overflow((size_t)numel, rl_dtype_size(dtype), &bytes) || bytes > PTRDIFF_MAX)
        return rl_fail(RL_ERUNTIME, "Storage size calculation overflowed with sizes=%s",
                       rl_ints_str(ndim, shape).s);
    rl_tensor *t = new_header(dtype, ndim);
    if (!t)
        return NULL;
    t->storage = rl_storage_new(bytes);
    if (!t->storage) {
        free_header(t);
        return NULL;
    }
    t->data = t->storage->data;
    t->numel = numel;
    return t;
}

rl_tensor *rl_new(rl_dtype dtype, int ndim, const int64_t *shape)
{
    int64_t numel = 1;
    if (check_ndim(ndim) || rl_shape_numel(ndim, shape, &numel))
        return NULL;
    rl_tensor *t = new_filled(dtype, ndim, shape, numel);
    if (!t)
        return NULL;
    for (int i = 0; i < ndim; i++)
        t->shape[i] = shape[i];
    rl_row_major(ndim, shape, t->strides);
    t->contiguous = true;
    return t;
}

rl_tensor *rl_new_strided(rl_dtype dtype, int ndim, const int64_t *shape, const int64_t *strides)
{
    int64_t numel, last = 0;
    bool over = false;
    if (check_ndim(ndim) || rl_shape_numel(ndim, shape, &numel))
        return NULL;
    for (int i = 0; i < ndim && numel; i++) {
        int64_t span;
        over |= __builtin_mul_overflow(shape[i] - 1, strides[i], &span);
        over |= __builtin_add_overflow(last, span, &last);
    }
    if (over || last == INT64_MAX)
        return rl_fail(RL_ERUNTIME,
                       "Storage size calculation overflowed with sizes=%s and strides=%s",
                       rl_ints_str(ndim, shape).s, rl_ints_str(ndim, strides).s);
    rl_tensor *t = new_filled(dtype, ndim, shape, numel ? last + 1 : 0);
    if (!t)
        return NULL;
    memcpy(t->shape, shape, (size_t)ndim * sizeof *shape);
    memcpy(t->strides, strides, (size_t)ndim * sizeof *strides);
    t->numel = numel;
    t->contiguous = rl_is_row_major(ndim, shape, strides);
    return t;
}

rl_tensor *rl_new_like(const rl_tensor *t, rl_dtype dtype)
{
    if (!t)
        return NULL;
    if (t->ndim == 0 || (t->ndim == 1 && t->strides[0] == 1))
        return rl_new(dtype, t->ndim, t->shape);
    if (rl_is_dense(t))
        return rl_new_strided(dtype, t->ndim, t->shape, t->strides);
    int order[RL_MAX_DIMS];
    int64_t strides[RL_MAX_DIMS];
    rl_stride_order(t->ndim, t->shape, 1, (const int64_t *const[]){t->strides}, order);
    rl_order_strides(t->ndim, t->shape, order, strides);
    return rl_new_strided(dtype, t->ndim, t->shape, strides);
}

rl_tensor *rl_new_view(rl_tensor *t, int ndim, const int64_t *shape, const int64_t *strides,
                       int64_t offset)
{
    int64_t numel, low = offset, high = offset;
    if (!t || check_ndim(ndim) || rl_shape_numel(ndim, shape, &numel))
        return NULL;
    if (numel) {
        int64_t item = (int64_t)rl_itemsize(t), bytes;
        bool over = offset < 0;
        for (int i = 0; i < ndim; i++) {
            int64_t span, *end = strides[i] < 0 ? &low : &high;
            over |= __builtin_mul_overflow(shape[i] - 1, strides[i], &span);
            over |= __builtin_add_overflow(*end, span, end);
        }
        over |=
            __builtin_add_overflow(high, 1, &high) || __builtin_mul_overflow(high, item, &bytes);
        if (over || low < 0 || (size_t)bytes > t->storage->bytes)
            return rl_fail(RL_ERUNTIME,
                           "setStorage: sizes %s, strides %s, storage offset %lld, and itemsize "
                           "%lld requiring a storage size of %lld are out of bounds for storage of "
                           "size %zu",
                           rl_ints_str(ndim, shape).s, rl_ints_str(ndim, strides).s,
                           (long long)offset, (long long)item, over ? -1LL : (long long)bytes,
                           t->storage->bytes);
    }
    rl_tensor *v = new_header((rl_dtype)t->dtype, ndim);
    if (!v)
        return NULL;
    for (int i = 0; i < ndim; i++) {
        v->shape[i] = shape[i];
        v->strides[i] = strides[i];
    }
    v->numel = numel;
    v->contiguous = rl_is_row_major(ndim, shape, strides);
    v->offset = offset;
    v->flags = t->flags & (RL_FLAG_DATA_ALIAS | RL_FLAG_INFERENCE);
    rl_storage_retain(t->storage);
    v->storage = t->storage;
    v->data = (char *)t->storage->data + offset * (int64_t)rl_itemsize(t);
    return v;
}

rl_tensor *rl_empty_shape(rl_dtype dtype, int ndim, const int64_t *shape)
{
    return rl_new(dtype, ndim, shape);
}

rl_tensor *rl_from_data(rl_dtype dtype, int ndim, const int64_t *shape, const void *data)
{
    rl_tensor *t = rl_new(dtype, ndim, shape);
    if (t && t->numel)
        memcpy(t->data, data, (size_t)t->numel * rl_itemsize(t));
    return t;
}

/* For memory that outlives every tensor. */
static void leave(void *context) { (void)context; }

rl_tensor *rl_from_memory(rl_dtype dtype, int ndim, const int64_t *shape, const int64_t *strides,
                          void *data, void (*free_data)(void *context), void *context)
{
    int64_t numel, low = 0, high = 0, row[RL_MAX_DIMS];
    if (check_ndim(ndim) || rl_shape_numel(ndim, shape, &numel))
        return NULL;
    if (!strides) {
        rl_row_major(ndim, shape, row);
        strides = row;
    }
    for (int i = 0; i < ndim && numel; i++)
        *(strides[i] < 0 ? &low : &high) += (shape[i] - 1) * strides[i];
    rl_tensor *t = new_header(dtype, ndim);
    rl_storage *s = t ? rl_small_alloc(sizeof *s) : NULL;
    if (!s) {
        if (t)
            free_header(t);
        return NULL;
    }
    int64_t item = (int64_t)rl_dtype_size(dtype);
    atomic_init(&s->refs, 1);
    s->version = 0;
    s->data = (char *)data + low * item;
    s->bytes = numel ? (size_t)((high - low + 1) * item) : 0;
    s->free_data = free_data ? free_data : leave;
    s->context = context;
    t->storage = s;
    t->offset = -low;
    t->data = data;
    memcpy(t->shape, shape, (size_t)ndim * sizeof *shape);
    memcpy(t->strides, strides, (size_t)ndim * sizeof *strides);
    t->numel = numel;
    t->contiguous = rl_is_row_major(ndim, shape, strides);
    return t;
}

rl_tensor *rl_scalar_tensor(rl_scalar value, rl_dtype dtype)
{
    if (dtype == RL_NO_DTYPE)
        dtype = value.dtype == RL_F64 ? rl_default_dtype() : value.dtype;
    rl_tensor *t = rl_new(dtype, 0, NULL);
    if (t && rl_fill_data(t, value)) {
        rl_release(t);
        return NULL;
    }
    return t;
}

rl_tensor *rl_wrap_number(rl_scalar value)
{
    rl_tensor *t = rl_new(value.dtype, 0, NULL);
    if (!t)
        return NULL;
    if (value.dtype == RL_BOOL)
        *(uint8_t *)t->data = value.i != 0;
    else
        memcpy(t->data, &value.i, 8); /* int64 or double */
    t->flags = RL_FLAG_WRAPPED_NUMBER;
    return t;
}

rl_tensor *rl_wrap_complex(double real, double imag)
{
    rl_tensor *t = rl_new(RL_C128, 0, NULL);
    if (!t)
        return NULL;
    memcpy(t->data, (double[]){real, imag}, 16);
    t->flags = RL_FLAG_WRAPPED_NUMBER;
    return t;
}

rl_status rl_tensor_set_data(rl_tensor *t, rl_tensor *from)
{
    rl_status status = rl_tensor_set_geometry(t, from->ndim, from->shape, from->strides);
    if (status)
        return status;
    rl_storage_retain(from->storage);
    rl_storage_release(t->storage);
    t->storage = from->storage;
    t->offset = from->offset;
    t->data = from->data;
    t->dtype = from->dtype;
    return RL_OK;
}

/* ---- references ---- */

rl_tensor *rl_retain(rl_tensor *t)
{
    if (t)
        atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
    return t;
}

void (*rl_free_py)(rl_tensor *t);

void rl_release(rl_tensor *t)
{
    if (!t)
        return;
    if (atomic_load_explicit(&t->refs, memory_order_acquire) != 1 &&
        atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (t->flags & RL_FLAG_OWNS_PY)
        rl_free_py(t);
    if (t->ag)
        rl_autograd_free(t);
    rl_storage_release(t->storage);
    free_header(t);
}

void rl_list_free(rl_list *list)
{
    for (int64_t i = 0; i < list->n; i++)
        rl_release(list->v[i]);
    if (list->v)
        rl_small_free(list->v, (size_t)list->n * sizeof *list->v);
    *list = (rl_list){NULL, 0};
}

rl_status rl_list_new(rl_list *list, int64_t n)
{
    *list = (rl_list){NULL, 0};
    if (n < 0 || n > (1 << 28))
        return rl_error(RL_ERUNTIME, "a list of %lld tensors is out of range", (long long)n);
    list->v = rl_small_alloc((size_t)(n ? n : 1) * sizeof *list->v);
    if (!list->v)
        return RL_EMEMORY;
    memset(list->v, 0, (size_t)(n ? n : 1) * sizeof *list->v);
    list->n = n;
    return RL_OK;
}

/* ---- looking ---- */

rl_dtype rl_dtype_of(const rl_tensor *t) { return (rl_dtype)t->dtype; }
int rl_ndim(const rl_tensor *t) { return t->ndim; }
const int64_t *rl_shape(const rl_tensor *t) { return t->shape; }
const int64_t *rl_strides(const rl_tensor *t) { return t->strides; }
int64_t rl_numel(const rl_tensor *t) { return t->numel; }
void *rl_data(rl_tensor *t) { return t->data; }
bool rl_is_contiguous(const rl_tensor *t) { return t->contiguous; }

bool rl_is_dense(const rl_tensor *t)
{
    if (t->contiguous)
        return true;
    /* Sort by stride: each must be the product of the sizes before it. */
    int n = 0, order[RL_MAX_DIMS];
    for (int i = 0; i < t->ndim; i++) {
        if (t->shape[i] == 1)
            continue;
        int j = n++;
        for (; j > 0 && t->strides[order[j - 1]] > t->strides[i]; j--)
            order[j] = order[j - 1];
        order[j] = i;
    }
    int64_t s = 1;
    for (int i = 0; i < n; i++) {
        if (t->strides[order[i]] != s)
            return false;
        s *= t->shape[order[i]];
    }
    return true;
}

bool rl_overlaps_itself(const rl_tensor *t)
{
    if (t->numel > 1)
        for (int i = 0; i < t->ndim; i++)
            if (t->strides[i] == 0 && t->shape[i] > 1)
                return true;
    return false;
}

void rl_memory_extent(const rl_tensor *t, const char **begin, const char **end)
{
    int64_t low = 0, high = 0, item = (int64_t)rl_itemsize(t);
    for (int i = 0; i < t->ndim; i++)
        *(t->strides[i] < 0 ? &low : &high) += (t->shape[i] - 1) * t->strides[i];
    *begin = t->data + low * item;
    *end = t->numel ? t->data + (high + 1) * item : *begin;
}

bool rl_shares_memory(const rl_tensor *a, const rl_tensor *b)
{
    const char *a0, *a1, *b0, *b1;
    if (!a->numel || !b->numel)
        return false;
    rl_memory_extent(a, &a0, &a1);
    rl_memory_extent(b, &b0, &b1);
    return a0 < b1 && b0 < a1;
}

rl_status rl_item(rl_tensor *t, rl_scalar *value)
{
    if (t->numel != 1)
        return rl_error(RL_ERUNTIME, "a Tensor with %lld elements cannot be converted to Scalar",
                        (long long)t->numel);
    rl_dtype dtype = (rl_dtype)t->dtype;
    if (rl_is_complex(dtype)) { /* a number here is real */
        double parts[2];
        rl_convert(dtype, t->data, 0, RL_C128, parts, 0, 1);
        if (parts[1] != 0)
            return rl_error(RL_ERUNTIME,
                            "value cannot be converted to type double without overflow");
        *value = rl_float(parts[0]);
        return RL_OK;
    }
    value->dtype = dtype == RL_BOOL ? RL_BOOL : rl_is_floating(dtype) ? RL_F64 : RL_I64;
    value->i = 0;
    rl_convert(dtype, t->data, 0, value->dtype == RL_BOOL ? RL_I64 : value->dtype, &value->i, 0, 1);
    return RL_OK;
}
