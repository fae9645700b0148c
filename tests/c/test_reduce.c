/* Reductions over every choice of dims and layout against a plain loop; the same bits from 1, 2 and
 * 3 threads. */
#include "check.h"

/* Sums x over mask by the definition, in double. */
static void plain_sum(const rl_tensor *x, const bool *mask, double *y)
{
    int64_t index[8] = {0};
    for (int64_t k = 0; k < x->numel; k++) {
        int64_t at = 0, out = 0;
        for (int d = 0; d < x->ndim; d++) {
            at += index[d] * x->strides[d];
            if (!mask[d])
                out = out * x->shape[d] + index[d];
        }
        y[out] += ((const float *)x->data)[at];
        for (int d = x->ndim - 1; d >= 0 && ++index[d] == x->shape[d]; d--)
            index[d] = 0;
    }
}

static bool every_mask(void)
{
    int64_t s[4] = {3, 4, 5, 6};
    MAKE(x, counting(4, s));
    MAKE(p, rl_new_view(x, 4, (int64_t[]){5, 3, 6, 4}, (int64_t[]){6, 120, 1, 30}, 0));
    MAKE(cut, rl_new_view(x, 4, (int64_t[]){3, 2, 5, 2}, (int64_t[]){120, 60, 6, 3}, 1));
    MAKE(wide, rl_new_view(x, 4, (int64_t[]){3, 2, 5, 6}, (int64_t[]){120, 0, 6, 1}, 0));
    rl_tensor *all[] = {x, p, cut, wide};
    for (int v = 0; v < 4; v++)
        for (int bits = 0; bits < 16; bits++) {
            bool mask[4];
            for (int d = 0; d < 4; d++)
                mask[d] = bits >> d & 1;
            double should[360] = {0};
            plain_sum(all[v], mask, should);
            MAKE(y,
                 rl_reduce_run(RL_REDUCE_SUM, "sum", all[v], mask, bits & 1, RL_F32, RL_F32, NULL));
            MAKE(m, rl_reduce_run(RL_REDUCE_VAR, "var", all[v], mask, false, RL_F32, RL_F64, NULL));
            CHECK(y->contiguous && m->dtype == RL_F64 && m->numel == y->numel);
            CHECK(y->ndim == (bits & 1 ? 4 : 4 - __builtin_popcount((unsigned)bits)));
            for (int64_t i = 0; i < y->numel; i++)
                CHECK(floats(y)[i] == should[i]); /* whole numbers below 2^24 */
        }
    return true;
}

static bool positions(void)
{
    MAKE(x, counting(SHAPE(2, 3, 4)));
    floats(x)[14] = 99; /* [1, 0, 2] */
    MAKE(p, rl_new_view(x, 3, (int64_t[]){4, 2, 3}, (int64_t[]){1, 12, 4}, 0));
    bool all[3] = {true, true, true}, two[3] = {true, false, true};
    MAKE(y, rl_reduce_run(RL_REDUCE_ARGMAX, "argmax", p, all, false, RL_F32, RL_I64, NULL));
    CHECK(y->ndim == 0 && *(int64_t *)y->data == 2 * 6 + 3);
    MAKE(z, rl_reduce_run(RL_REDUCE_ARGMAX, "argmax", p, two, false, RL_F32, RL_I64, NULL));
    CHECK(z->numel == 2 && ((int64_t *)z->data)[0] == 3 * 3 + 2 &&
          ((int64_t *)z->data)[1] == 2 * 3 + 0);
    return true;
}

static bool empty(void)
{
    MAKE(x, rl_new(RL_F32, SHAPE(2, 0)));
    bool last[2] = {false, true}, both[2] = {true, true}, first[2] = {true, false};
    MAKE(y, rl_reduce_run(RL_REDUCE_SUM, "sum", x, last, false, RL_F32, RL_F32, NULL));
    CHECK(y->numel == 2 && floats(y)[0] == 0 && floats(y)[1] == 0);
    MAKE(z, rl_reduce_run(RL_REDUCE_PROD, "prod", x, both, false, RL_F32, RL_F32, NULL));
    CHECK(z->numel == 1 && floats(z)[0] == 1);
    MAKE(w, rl_reduce_run(RL_REDUCE_SUM, "sum", x, first, false, RL_F32, RL_F32, NULL));
    CHECK(w->numel == 0);
    return true;
}

static bool dtypes(void)
{
    MAKE(f, counting(SHAPE(4, 100)));
    MAKE(i, rl_cast_data(f, RL_I16));
    MAKE(b, rl_cast_data(f, RL_BOOL));
    MAKE(h, rl_cast_data(f, RL_BF16));
    bool last[2] = {false, true}, both[2] = {true, true};
    MAKE(si, rl_reduce_run(RL_REDUCE_SUM, "sum", i, last, false, RL_I64, RL_I64, NULL));
    CHECK(((int64_t *)si->data)[3] == 34950);
    MAKE(any, rl_reduce_run(RL_REDUCE_ALL, "all", b, both, false, RL_BOOL, RL_BOOL, NULL));
    CHECK(*(uint8_t *)any->data == 0);
    MAKE(sh, rl_reduce_run(RL_REDUCE_SUM, "sum", h, last, false, RL_BF16, RL_BF16, NULL));
    CHECK(sh->dtype == RL_BF16 && *(uint16_t *)sh->data == 0x459b); /* 4950 -> 4960 */
    return true;
}

/* Long ones are cut into parts: same bytes whatever the number of threads. */
static bool threads(void)
{
    int64_t s[2] = {1000003, 3};
    MAKE(x, rl_new(RL_F32, 2, s));
    uint32_t state = 1;
    for (int64_t i = 0; i < x->numel; i++)
        floats(x)[i] = (float)((state = state * 1664525u + 1013904223u) >> 8) * 0x1p-24f - 0.5f;
    for (int bits = 1; bits < 4; bits++) {
        bool mask[2] = {bits & 1, bits >> 1 & 1};
        rl_set_num_threads(1);
        MAKE(a, rl_reduce_run(RL_REDUCE_SUM, "sum", x, mask, false, RL_F32, RL_F32, NULL));
        double *should = calloc(1000003, sizeof *should);
        plain_sum(x, mask, should);
        for (int64_t i = 0; i < a->numel; i++)
            CHECK(fabs(floats(a)[i] - should[i]) < 1e-4 * (1 + fabs(should[i])));
        free(should);
        for (int n = 2; n <= 3; n++) {
            rl_set_num_threads(n);
            MAKE(b, rl_reduce_run(RL_REDUCE_SUM, "sum", x, mask, false, RL_F32, RL_F32, NULL));
            CHECK(!memcmp(a->data, b->data, (size_t)a->numel * 4));
        }
    }
    return true;
}

int main(void)
{
    RUN(every_mask);
    RUN(positions);
    RUN(empty);
    RUN(dtypes);
    RUN(threads);
    return failures != 0;
}
