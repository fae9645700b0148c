/* Tensors: making, viewing, geometry, shape arithmetic and its messages, promotion. */
#include "check.h"

static bool making(void)
{
    MAKE(t, counting(SHAPE(2, 3)));
    CHECK(t->numel == 6 && t->strides[0] == 3 && t->strides[1] == 1 && t->contiguous);
    MAKE(z, rl_new(RL_F64, 0, NULL));
    CHECK(z->numel == 1 && z->ndim == 0);
    MAKE(e, rl_new(RL_I64, SHAPE(3, 0, 4)));
    CHECK(e->numel == 0 && e->strides[0] == 4 && e->contiguous);
    int64_t many[12] = {1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2};
    MAKE(m, rl_new(RL_U8, 12, many));
    CHECK(m->numel == 64 && m->strides[0] == 64 && m->strides[11] == 1);
    NEED(!rl_tensor_set_geometry(m, 2, (int64_t[]){8, 8}, NULL));
    CHECK(m->ndim == 2 && m->strides[0] == 8);
    NEED(!rl_tensor_set_geometry(m, 12, many, NULL));
    CHECK(m->ndim == 12 && m->shape[11] == 2);
    FAILS(rl_new(RL_F32, SHAPE(-1, 2)), RL_ERUNTIME,
          "Trying to create tensor with negative dimension -1: [-1, 2]");
    FAILS(rl_new(RL_F32, SHAPE((int64_t)1 << 62, 8)), RL_ERUNTIME,
          "Storage size calculation overflowed with sizes=[4611686018427387904, 8]");
    FAILS(rl_new(RL_F64, SHAPE((int64_t)1 << 61)), RL_ERUNTIME,
          "Storage size calculation overflowed with sizes=[2305843009213693952]");
    CHECK(!rl_new(RL_F32, SHAPE((int64_t)1 << 45)) && rl_error_code() == RL_EMEMORY);
    return true;
}

static bool views(void)
{
    MAKE(t, counting(SHAPE(2, 3)));
    MAKE(v, rl_new_view(t, 2, (int64_t[]){3, 2}, (int64_t[]){1, 3}, 0));
    CHECK(!v->contiguous && rl_is_dense(v) && v->storage == t->storage);
    CHECK(((float *)v->data)[v->strides[1]] == 3);
    MAKE(c, rl_contiguous_data(v));
    float should[] = {0, 3, 1, 4, 2, 5};
    CHECK(!memcmp(c->data, should, sizeof should));
    MAKE(column, rl_new_view(t, 1, (int64_t[]){2}, (int64_t[]){3}, 1));
    CHECK(!rl_is_dense(column) && floats(column)[0] == 1);
    MAKE(wide, rl_new_view(t, 2, (int64_t[]){4, 3}, (int64_t[]){0, 1}, 0));
    CHECK(rl_overlaps_itself(wide) && !rl_overlaps_itself(column));
    CHECK(rl_shares_memory(t, column));
    FAILS(
        rl_new_view(t, 1, (int64_t[]){3}, (int64_t[]){3}, 0), RL_ERUNTIME,
        "setStorage: sizes [3], strides [3], storage offset 0, and itemsize 4 requiring a storage "
        "size of 28 are out of bounds for storage of size 24");
    return true;
}

static void count_call(void *context) { ++*(int *)context; }

static bool foreign_memory(void)
{
    float data[6] = {0, 1, 2, 3, 4, 5};
    int freed = 0;
    rl_tensor *t = rl_from_memory(RL_F32, SHAPE(2, 3), NULL, data, count_call, &freed);
    NEED(t);
    rl_tensor *v = rl_new_view(t, 1, (int64_t[]){2}, (int64_t[]){3}, 2);
    rl_release(t);
    CHECK(v ? freed == 0 : freed == 1);
    if (v)
        CHECK(floats(v)[3] == 5);
    rl_release(v);
    CHECK(freed == 1);
    return v != NULL;
}

static bool dims(void)
{
    int64_t d = -1;
    CHECK(!rl_wrap_dim(&d, 3) && d == 2);
    d = 0;
    CHECK(!rl_wrap_dim(&d, 0) && d == 0);
    d = 2;
    FAILS(!rl_wrap_dim(&d, 1), RL_EINDEX,
          "Dimension out of range (expected to be in range of [-1, 0], but got 2)");
    bool mask[4];
    CHECK(!rl_dim_mask(INTS(0, -1), 3, mask) && mask[0] && !mask[1] && mask[2]);
    CHECK(!rl_dim_mask((rl_ints){NULL, -1}, 2, mask) && mask[0] && mask[1]);
    FAILS(!rl_dim_mask(INTS(0, 0), 2, mask), RL_ERUNTIME,
          "dim 0 appears multiple times in the list of dims");
    return true;
}

static bool broadcasting(void)
{
    int64_t out[RL_MAX_DIMS];
    int n;
    CHECK(!rl_broadcast_shapes(2, (int64_t[]){2, 1}, 3, (int64_t[]){4, 1, 3}, &n, out));
    CHECK(n == 3 && out[0] == 4 && out[1] == 2 && out[2] == 3);
    CHECK(!rl_broadcast_shapes(1, (int64_t[]){0}, 1, (int64_t[]){1}, &n, out) && out[0] == 0);
    FAILS(!rl_broadcast_shapes(1, (int64_t[]){3}, 2, (int64_t[]){2, 4}, &n, out), RL_ERUNTIME,
          "The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension "
          "1");
    return true;
}

static bool inferring(void)
{
    int64_t s[4];
    CHECK(!rl_infer_shape(INTS(2, -1), 6, s) && s[1] == 3);
    CHECK(!rl_infer_shape(INTS(-1, 2), 0, s) && s[0] == 0);
    CHECK(!rl_infer_shape(INTS(0, 3), 0, s));
    FAILS(!rl_infer_shape(INTS(4, -1), 6, s), RL_ERUNTIME,
          "shape '[4, -1]' is invalid for input of size 6");
    FAILS(!rl_infer_shape(INTS(7), 6, s), RL_ERUNTIME,
          "shape '[7]' is invalid for input of size 6");
    FAILS(!rl_infer_shape(INTS(-1, -1), 6, s), RL_ERUNTIME, "only one dimension can be inferred");
    FAILS(!rl_infer_shape(INTS(-2, 3), 6, s), RL_ERUNTIME,
          "invalid shape dimension -2 at index 0 of shape [-2, 3]");
    FAILS(
        !rl_infer_shape(INTS(-1, 0), 0, s), RL_ERUNTIME,
        "cannot reshape tensor of 0 elements into shape [-1, 0] because the unspecified dimension "
        "size -1 can be any value and is ambiguous");
    return true;
}

static bool viewing(void)
{
    int64_t s[8];
    MAKE(t, counting(SHAPE(2, 3, 4)));
    CHECK(rl_view_strides(t, 2, (int64_t[]){6, 4}, s) && s[0] == 4 && s[1] == 1);
    MAKE(p, rl_new_view(t, 3, (int64_t[]){2, 4, 3}, (int64_t[]){12, 1, 4}, 0));
    CHECK(!rl_view_strides(p, 1, (int64_t[]){24}, s));
    CHECK(!rl_view_strides(p, 2, (int64_t[]){2, 12}, s));
    CHECK(rl_view_strides(p, 4, (int64_t[]){2, 2, 2, 3}, s) && s[0] == 12 && s[1] == 2 &&
          s[2] == 1 && s[3] == 4);
    CHECK(rl_view_strides(p, 5, (int64_t[]){2, 1, 4, 3, 1}, s) && s[2] == 1 && s[3] == 4);
    MAKE(z, rl_new(RL_F32, 0, NULL));
    CHECK(rl_view_strides(z, 2, (int64_t[]){1, 1}, s) && s[0] == 1 && s[1] == 1);
    CHECK(rl_view_strides(z, 0, NULL, s));
    MAKE(half, rl_new_view(t, 2, (int64_t[]){2, 2}, (int64_t[]){12, 1}, 0));
    CHECK(!rl_view_strides(half, 1, (int64_t[]){4}, s));
    CHECK(rl_view_strides(half, 3, (int64_t[]){2, 1, 2}, s) && s[0] == 12 && s[2] == 1);
    return true;
}

static bool promotion(void)
{
    CHECK(rl_promote(RL_U8, RL_I8) == RL_I16);
    CHECK(rl_promote(RL_F16, RL_BF16) == RL_F32);
    CHECK(rl_promote(RL_I64, RL_F16) == RL_F16);
    CHECK(rl_promote(RL_BOOL, RL_U8) == RL_U8);
    CHECK(!rl_can_cast(RL_F32, RL_I64) && rl_can_cast(RL_F64, RL_F16) &&
          !rl_can_cast(RL_I8, RL_BOOL));
    MAKE(i, rl_new(RL_I32, SHAPE(2)));
    MAKE(f0, rl_new(RL_F64, 0, NULL));
    MAKE(two, rl_wrap_number(rl_float(2.5)));
    MAKE(whole, rl_wrap_number(rl_int(2)));
    MAKE(truth, rl_new(RL_BOOL, SHAPE(2)));
    CHECK(rl_result_type(2, (rl_tensor *[]){i, f0}) == RL_F64);
    CHECK(rl_result_type(2, (rl_tensor *[]){i, two}) == RL_F32);
    CHECK(rl_result_type(2, (rl_tensor *[]){i, whole}) == RL_I32);
    CHECK(rl_result_type(2, (rl_tensor *[]){truth, whole}) == RL_I64);
    CHECK(rl_result_type(3, (rl_tensor *[]){truth, NULL, two}) == RL_F32);
    CHECK(rl_result_type(2, (rl_tensor *[]){f0, two}) == RL_F64);
    return true;
}

static bool numbers(void)
{
    MAKE(t, rl_scalar_tensor(rl_float(2.5), RL_NO_DTYPE));
    rl_scalar v;
    CHECK(t->dtype == RL_F32 && !rl_item(t, &v) && v.dtype == RL_F64 && v.f == 2.5);
    MAKE(b, rl_scalar_tensor(rl_bool(true), RL_NO_DTYPE));
    CHECK(b->dtype == RL_BOOL && !rl_item(b, &v) && v.dtype == RL_BOOL && v.i == 1);
    MAKE(two, rl_new(RL_F32, SHAPE(2)));
    FAILS(!rl_item(two, &v), RL_ERUNTIME, "a Tensor with 2 elements cannot be converted to Scalar");
    CHECK(rl_scalar_int(rl_float(-2.9)) == -2 && rl_scalar_int(rl_float(NAN)) == INT64_MIN);
    return true;
}

static bool like(void)
{
    MAKE(t, counting(SHAPE(2, 3)));
    MAKE(tt, rl_new_view(t, 2, (int64_t[]){3, 2}, (int64_t[]){1, 3}, 0));
    MAKE(a, rl_new_like(tt, RL_F64));
    CHECK(a->strides[0] == 1 && a->strides[1] == 3 && a->dtype == RL_F64);
    MAKE(e, rl_new_view(t, 3, (int64_t[]){4, 2, 3}, (int64_t[]){0, 3, 1}, 0));
    MAKE(b, rl_new_like(e, RL_F32));
    CHECK(b->strides[0] == 6 && b->strides[1] == 3 && b->strides[2] == 1);
    return true;
}

int main(void)
{
    RUN(making);
    RUN(views);
    RUN(foreign_memory);
    RUN(dims);
    RUN(broadcasting);
    RUN(inferring);
    RUN(viewing);
    RUN(promotion);
    RUN(numbers);
    RUN(like);
    return failures != 0;
}
