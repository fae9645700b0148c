/* Products as operators: linear with relu in one pass is linear, then relu, to the bit, with its
 * gradients; nothing leaks when memory runs out on the way. */
#include "check.h"
#include "ops/matmul.h"

static rl_tensor *pattern(rl_dtype dtype, int ndim, const int64_t *shape, int seed, bool grad)
{
    RL_TEMP *t = rl_new(RL_F32, ndim, shape);
    for (int64_t i = 0; t && i < t->numel; i++)
        floats(t)[i] = (float)((i * 37 + seed * 11) % 29 - 14) / 8;
    rl_tensor *y = t ? rl_cast_data(t, dtype) : NULL;
    if (y && grad && rl_set_requires_grad(y, true)) {
        rl_release(y);
        return NULL;
    }
    return y;
}

static bool same_bytes(rl_tensor *a, rl_tensor *b)
{
    return a && b && a->dtype == b->dtype && rl_same_shape(a, b) &&
           !memcmp(a->data, b->data, (size_t)a->numel * rl_itemsize(a));
}

static bool fused_with(rl_dtype dtype, int ndim, const int64_t *shape, int64_t out, bool with_bias)
{
    bool grad = rl_is_floating(dtype);
    int64_t k = shape[ndim - 1];
    rl_tensor *leaves[2][3] = {{0}};
    rl_tensor *result[2] = {0};
    bool done = true;
    for (int way = 0; way < 2 && done; way++) {
        rl_tensor **l = leaves[way];
        l[0] = pattern(dtype, ndim, shape, 1, grad);
        l[1] = pattern(dtype, 2, (int64_t[]){out, k}, 2, grad);
        l[2] = with_bias ? pattern(dtype, 1, &out, 3, grad) : NULL;
        if (!l[0] || !l[1] || (with_bias && !l[2])) {
            done = false;
            break;
        }
        if (way) {
            result[way] = rl_linear_relu(l[0], l[1], l[2]);
        } else {
            RL_TEMP *y = rl_linear(l[0], l[1], l[2]);
            result[way] = rl_relu(y);
        }
        done = result[way] != NULL;
        if (done && grad) {
            RL_TEMP *g = pattern(dtype, result[way]->ndim, result[way]->shape, 4, false);
            done = g && !rl_backward((rl_tensors){&result[way], 1}, &g, false, false,
                                     (rl_tensors){NULL, 0});
        }
    }
    if (done) {
        CHECK(same_bytes(result[0], result[1]));
        for (int i = 0; i < 3 && grad; i++)
            if (leaves[0][i])
                CHECK(same_bytes(rl_borrow_grad(leaves[0][i]), rl_borrow_grad(leaves[1][i])));
    } else {
        CHECK(rl_error_code() == RL_EMEMORY);
    }
    for (int way = 0; way < 2; way++) {
        rl_release(result[way]);
        for (int i = 0; i < 3; i++)
            rl_release(leaves[way][i]);
    }
    return done;
}

static bool fused(void)
{
    return fused_with(RL_F32, SHAPE(2, 20), 37, true) &&
           fused_with(RL_F32, SHAPE(7, 20), 10, false) && fused_with(RL_F32, SHAPE(20), 5, true) &&
           fused_with(RL_F64, SHAPE(2, 3, 9), 6, true);
}

static bool fused_other_dtypes(void)
{
    return fused_with(RL_BF16, SHAPE(3, 9), 5, true) && fused_with(RL_F16, SHAPE(3, 9), 5, true) &&
           fused_with(RL_I64, SHAPE(3, 9), 5, true);
}

static bool broadcast_matmul(void)
{
    MAKE(a, pattern(RL_F32, SHAPE(3, 1, 2, 4), 1, true));
    MAKE(b, pattern(RL_F32, SHAPE(5, 4, 3), 2, true));
    MAKE(z, rl_matmul(a, b));
    CHECK(rl_has_shape(z, SHAPE(3, 5, 2, 3)));
    MAKE(g, pattern(RL_F32, z->ndim, z->shape, 3, false));
    rl_tensor *roots[] = {z};
    NEED(!rl_backward((rl_tensors){roots, 1}, &g, false, false, (rl_tensors){NULL, 0}));
    CHECK(rl_same_shape(rl_borrow_grad(a), a) && rl_same_shape(rl_borrow_grad(b), b));
    float s = 0; /* db[1][2][1] = sum over batches i and rows r of a[i][0][r][2] g[i][1][r][1] */
    for (int i = 0; i < 3; i++)
        for (int r = 0; r < 2; r++)
            s += floats(a)[(i * 2 + r) * 4 + 2] * floats(g)[((i * 5 + 1) * 2 + r) * 3 + 1];
    CHECK(floats(rl_borrow_grad(b))[(1 * 4 + 2) * 3 + 1] == s); /* small multiples of 1/64: exact */
    return true;
}

static bool errors(void)
{
    MAKE(a, counting(SHAPE(2, 3)));
    MAKE(v, counting(SHAPE(2)));
    FAILS(rl_mm(a, a), RL_ERUNTIME, "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)");
    FAILS(rl_mm(v, a), RL_ERUNTIME, "self must be a matrix");
    FAILS(rl_mv(a, v), RL_ERUNTIME, "size mismatch, got input (2), mat (2x3), vec (2)");
    CHECK(!rl_mm(NULL, a) && !rl_linear(NULL, a, NULL));
    return true;
}

int main(void)
{
    RUN(fused);
    RUN(fused_other_dtypes);
    RUN(broadcast_matmul);
    RUN(errors);
    return failures != 0;
}
