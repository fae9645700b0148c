/* The element-wise iterator: dtypes, broadcasting, strides of results, outputs and their errors,
 * threads. */
#include "check.h"

static rl_tensor *binary(rl_map_op op, rl_typing typing, rl_tensor *x, rl_tensor *y, rl_tensor *out)
{
    return rl_map_run(
        &(rl_map){.op = op, .typing = typing, .name = "test", .n = 2, .in = {x, y}, .out = out});
}
static rl_tensor *sum(rl_tensor *x, rl_tensor *y)
{
    return binary(RL_MAP_ADD, RL_TYPE_PROMOTE, x, y, NULL);
}

static bool short_way(void)
{
    MAKE(x, counting(SHAPE(2, 5)));
    MAKE(z, sum(x, x));
    for (int i = 0; i < 10; i++)
        CHECK(floats(z)[i] == 2 * (float)i);
    MAKE(n, rl_wrap_number(rl_float(0.5)));
    MAKE(a, sum(x, n));
    MAKE(b, sum(n, x));
    CHECK(floats(a)[9] == 9.5f && floats(b)[9] == 9.5f && a->dtype == RL_F32 && b->ndim == 2);
    MAKE(less, binary(RL_MAP_LT, RL_TYPE_BOOL, x, n, NULL));
    CHECK(less->dtype == RL_BOOL && ((uint8_t *)less->data)[0] == 1 &&
          ((uint8_t *)less->data)[1] == 0);
    CHECK(!sum(x, NULL));
    return true;
}

static bool dtypes(void)
{
    MAKE(f, counting(SHAPE(4)));
    MAKE(i, rl_cast_data(f, RL_I8));
    MAKE(h, rl_cast_data(f, RL_F16));
    MAKE(d, rl_cast_data(f, RL_F64));
    MAKE(half, rl_wrap_number(rl_float(0.5)));
    MAKE(ih, sum(i, h));
    CHECK(ih->dtype == RL_F16);
    MAKE(ihf, rl_cast_data(ih, RL_F32));
    CHECK(floats(ihf)[3] == 6);
    MAKE(ii, sum(i, half));
    CHECK(ii->dtype == RL_F32 && floats(ii)[3] == 3.5f);
    MAKE(fd, sum(f, d));
    CHECK(fd->dtype == RL_F64 && ((double *)fd->data)[3] == 6);
    MAKE(quotient, binary(RL_MAP_DIV, RL_TYPE_FLOAT, i, i, NULL));
    CHECK(quotient->dtype == RL_F32 && isnan(floats(quotient)[0]) && floats(quotient)[1] == 1);
    /* Rounded once: 1 + 2^-11 is a tie in float16 and goes to 1, though 2^-11 alone is exact. */
    MAKE(one, rl_new(RL_F16, SHAPE(1)));
    NEED(!rl_fill_data(one, rl_float(1)));
    MAKE(tiny, rl_wrap_number(rl_float(0x1p-11 + 0x1p-20)));
    MAKE(s, sum(one, tiny));
    CHECK(*(uint16_t *)s->data == 0x3c01);
    return true;
}

static bool broadcasting(void)
{
    MAKE(x, counting(SHAPE(3, 1)));
    MAKE(y, counting(SHAPE(2, 1, 4)));
    MAKE(z, sum(x, y));
    CHECK(z->ndim == 3 && z->shape[0] == 2 && z->shape[1] == 3 && z->shape[2] == 4);
    for (int i = 0; i < 24; i++)
        CHECK(floats(z)[i] == (float)(i / 4 % 3 + i % 4 + i / 12 * 4));
    MAKE(e, rl_new(RL_F32, SHAPE(0, 4)));
    MAKE(ey, sum(e, y));
    CHECK(ey->numel == 0 && ey->ndim == 3);
    MAKE(w, counting(SHAPE(5)));
    FAILS(sum(w, y), RL_ERUNTIME,
          "The size of tensor a (5) must match the size of tensor b (4) at non-singleton dimension "
          "2");
    return true;
}

/* Rows, columns, single elements, in both orders and in place, against the definition. */
static bool rows_and_columns(void)
{
    int64_t shapes[][3] = {{2, 3, 4}, {1, 1, 4}, {1, 3, 4}, {2, 3, 1},
                           {2, 1, 1}, {1, 1, 1}, {1, 3, 1}};
    for (int k = 0; k < 7; k++)
        for (int drop = 0; drop < 3; drop++) {
            int64_t *shape = shapes[k];
            if (drop > 0 && (shape[0] != 1 || (drop > 1 && shape[1] != 1)))
                continue;
            MAKE(x, counting(3, shapes[0]));
            MAKE(y, counting(3 - drop, shape + drop));
            MAKE(a, binary(RL_MAP_SUB, RL_TYPE_PROMOTE, x, y, NULL));
            MAKE(b, binary(RL_MAP_SUB, RL_TYPE_PROMOTE, y, x, NULL));
            MAKE(c, binary(RL_MAP_SUB, RL_TYPE_PROMOTE, x, y, x));
            CHECK(a->ndim == 3 && b->ndim == 3 && c == x && a->strides[0] == 12 &&
                  b->strides[1] == 4);
            for (int i = 0; i < 24; i++) {
                int at[3] = {i / 12, i / 4 % 3, i % 4};
                int64_t j = 0;
                for (int d = 0; d < 3; d++)
                    j = j * shape[d] + (shape[d] == 1 ? 0 : at[d]);
                float should = (float)(i - j);
                CHECK(floats(a)[i] == should && floats(b)[i] == -should && floats(x)[i] == should);
            }
        }
    return true;
}

/* PyTorch 2.13's strides of x + y. */
static bool result_strides(void)
{
    MAKE(x, counting(SHAPE(2, 3, 4)));
    MAKE(p, rl_new_view(x, 3, (int64_t[]){4, 2, 3}, (int64_t[]){1, 12, 4}, 0));
    MAKE(pp, sum(p, p));
    CHECK(pp->strides[0] == 1 && pp->strides[1] == 12 && pp->strides[2] == 4);
    CHECK(floats(pp)[5] == 10);
    MAKE(row, counting(SHAPE(3)));
    MAKE(pr, sum(p, row)); /* the permuted operand decides */
    CHECK(pr->strides[0] == 1 && pr->strides[1] == 12 && pr->strides[2] == 4);
    CHECK(floats(pr)[4] == 5);
    MAKE(cut, rl_new_view(x, 2, (int64_t[]){2, 2}, (int64_t[]){12, 2}, 0));
    MAKE(cc, sum(cut, cut));
    CHECK(cc->strides[0] == 2 && cc->strides[1] == 1 && floats(cc)[3] == 28);
    MAKE(t, rl_new_view(x, 2, (int64_t[]){4, 6}, (int64_t[]){1, 4}, 0));
    MAKE(c, counting(SHAPE(4, 6)));
    MAKE(tc, sum(t, c));
    CHECK(tc->strides[0] == 1 && tc->strides[1] == 4);
    MAKE(ct, sum(c, t));
    CHECK(ct->strides[0] == 6 && ct->strides[1] == 1);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 6; j++)
            CHECK(floats(ct)[6 * i + j] == floats(tc)[i + 4 * j]);
    return true;
}

static bool outputs(void)
{
    MAKE(x, counting(SHAPE(2, 3)));
    MAKE(d, rl_new(RL_F64, SHAPE(2, 3)));
    MAKE(r, binary(RL_MAP_ADD, RL_TYPE_PROMOTE, x, x, d));
    CHECK(r == d && ((double *)d->data)[5] == 10);
    MAKE(i, rl_new(RL_I64, SHAPE(2, 3)));
    FAILS(binary(RL_MAP_ADD, RL_TYPE_PROMOTE, x, x, i), RL_ERUNTIME,
          "result type Float can't be cast to the desired output type Long");
    MAKE(s, rl_new(RL_F32, SHAPE(3)));
    FAILS(binary(RL_MAP_ADD, RL_TYPE_PROMOTE, x, x, s), RL_ERUNTIME,
          "output with shape [3] doesn't match the broadcast shape [2, 3]");
    MAKE(in_place, binary(RL_MAP_ADD, RL_TYPE_PROMOTE, x, x, x));
    CHECK(floats(x)[5] == 10);
    MAKE(compare, binary(RL_MAP_GT, RL_TYPE_BOOL, d, x, d));
    CHECK(((double *)d->data)[5] == 0);
    return true;
}

static bool overlaps(void)
{
    MAKE(x, counting(SHAPE(10)));
    MAKE(low, rl_new_view(x, 1, (int64_t[]){9}, (int64_t[]){1}, 0));
    MAKE(high, rl_new_view(x, 1, (int64_t[]){9}, (int64_t[]){1}, 1));
    FAILS(
        binary(RL_MAP_ADD, RL_TYPE_PROMOTE, high, high, low), RL_ERUNTIME,
        "unsupported operation: some elements of the input tensor and the written-to tensor refer "
        "to a single memory location. Please clone() the tensor before performing the operation.");
    MAKE(one, rl_new(RL_F32, SHAPE(1)));
    MAKE(wide, rl_new_view(one, 1, (int64_t[]){9}, (int64_t[]){0}, 0));
    FAILS(
        binary(RL_MAP_ADD, RL_TYPE_PROMOTE, high, high, wide), RL_ERUNTIME,
        "unsupported operation: more than one element of the written-to tensor refers to a single "
        "memory location. Please clone() the tensor before performing the operation.");
    /* Interleaved and not dense: allowed, and as if the inputs had been read first. */
    MAKE(even, rl_new_view(x, 1, (int64_t[]){4}, (int64_t[]){2}, 0));
    MAKE(later, rl_new_view(x, 1, (int64_t[]){4}, (int64_t[]){2}, 2));
    MAKE(r, binary(RL_MAP_ADD, RL_TYPE_PROMOTE, even, even, later));
    CHECK(floats(x)[2] == 0 && floats(x)[4] == 4 && floats(x)[6] == 8 && floats(x)[8] == 12);
    return true;
}

static bool missing_kernels(void)
{
    MAKE(b, rl_new(RL_BOOL, SHAPE(2)));
    memset(b->data, 1, 2);
    FAILS(binary(RL_MAP_DIV, RL_TYPE_PROMOTE, b, b, NULL), RL_ENOTIMPL,
          "\"test\" not implemented for 'Bool'");
    return true;
}

static bool large_and_threaded(void)
{
    int64_t n = 300001;
    MAKE(x, counting(1, &n));
    MAKE(pairs, rl_new(RL_F32, SHAPE(300001, 2)));
    MAKE(column, rl_new_view(pairs, 1, &n, (int64_t[]){2}, 1));
    NEED(!rl_copy_data(column, x));
    MAKE(i, rl_cast_data(x, RL_I32));
    for (int threads = 1; threads <= 3; threads++) {
        rl_set_num_threads(threads);
        MAKE(a, sum(x, x));
        MAKE(b, sum(column, x));
        MAKE(c, sum(column, i));
        MAKE(d, sum(column, column));
        bool same = true;
        for (int64_t k = 0; k < n; k++)
            same &= floats(a)[k] == 2 * (float)k;
        CHECK(same);
        CHECK(!memcmp(a->data, b->data, (size_t)n * 4) &&
              !memcmp(a->data, c->data, (size_t)n * 4) && !memcmp(a->data, d->data, (size_t)n * 4));
    }
    return true;
}

static bool masked_first(void)
{
    MAKE(x, counting(SHAPE(2, 3)));
    MAKE(mask, rl_new(RL_BOOL, SHAPE(3)));
    memcpy(mask->data, "\1\0\1", 3);
    MAKE(zero, rl_wrap_number(rl_int(0)));
    MAKE(y,
         rl_map_run(&(rl_map){.op = RL_MAP_WHERE, .name = "where", .n = 3, .in = {mask, x, zero}}));
    float should[] = {0, 0, 2, 3, 0, 5};
    CHECK(y->dtype == RL_F32 && !memcmp(y->data, should, sizeof should));
    return true;
}

int main(void)
{
    RUN(short_way);
    RUN(dtypes);
    RUN(broadcasting);
    RUN(rows_and_columns);
    RUN(result_strides);
    RUN(outputs);
    RUN(overlaps);
    RUN(missing_kernels);
    RUN(large_and_threaded);
    RUN(masked_first);
    return failures != 0;
}
