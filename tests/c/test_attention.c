/* Attention: the tiles' result is that of the plain formula, forward and backward, with every
 * allocation made to fail in turn. */
#include <math.h>

#include "autograd/autograd.h"
#include "check.h"
#include "rushlight_ops.h"

enum { HEADS = 2, LENGTH = 70, KEYS = 150, SIZE = 3, OUT = 2 };

/* A tensor of numbers between -1 and 1 that looks random. */
static rl_tensor *numbers(int ndim, const int64_t *shape, unsigned seed)
{
    rl_tensor *t = rl_new(RL_F32, ndim, shape);
    for (int64_t i = 0; t && i < t->numel; i++) {
        seed = seed * 1664525u + 1013904223u;
        floats(t)[i] = (float)(seed >> 8) * 0x1p-23f - 1;
    }
    return t;
}

static bool causal_keeps(int64_t i, int64_t j) { return j <= i; }
static bool all_keep(int64_t i, int64_t j) { return true; }

/* o and the gradients of sum(g o), in double. */
static void plain(const float *q, const float *k, const float *v, const float *g, double *o,
                  double *dq, double *dk, double *dv, bool (*keeps)(int64_t, int64_t))
{
    static double p[KEYS], e[KEYS];
    const double scale = 1 / sqrt((double)SIZE);
    memset(dk, 0, sizeof(double) * KEYS * SIZE);
    memset(dv, 0, sizeof(double) * KEYS * OUT);
    for (int64_t i = 0; i < LENGTH; i++) {
        double total = 0, mean = 0;
        for (int64_t j = 0; j < KEYS; j++) {
            double s = 0;
            for (int c = 0; c < SIZE; c++)
                s += (double)q[i * SIZE + c] * k[j * SIZE + c];
            p[j] = keeps(i, j) ? exp(s * scale) : 0;
            total += p[j];
        }
        for (int c = 0; c < OUT; c++)
            o[i * OUT + c] = 0;
        for (int64_t j = 0; j < KEYS; j++) {
            p[j] /= total;
            e[j] = 0;
            for (int c = 0; c < OUT; c++) {
                o[i * OUT + c] += p[j] * v[j * OUT + c];
                e[j] += (double)g[i * OUT + c] * v[j * OUT + c];
                dv[j * OUT + c] += p[j] * g[i * OUT + c];
            }
            mean += p[j] * e[j];
        }
        for (int c = 0; c < SIZE; c++)
            dq[i * SIZE + c] = 0;
        for (int64_t j = 0; j < KEYS; j++) {
            const double d = scale * p[j] * (e[j] - mean);
            for (int c = 0; c < SIZE; c++) {
                dq[i * SIZE + c] += d * k[j * SIZE + c];
                dk[j * SIZE + c] += d * q[i * SIZE + c];
            }
        }
    }
}

static bool near(rl_tensor *t, const double *want, int64_t n, int64_t from)
{
    for (int64_t i = 0; i < n; i++)
        if (!(fabs((double)floats(t)[from + i] - want[i]) <= 2e-6 * (1 + fabs(want[i]))))
            return false;
    return true;
}

static bool attends(bool causal)
{
    static double o[LENGTH * OUT], dq[LENGTH * SIZE], dk[KEYS * SIZE], dv[KEYS * OUT];
    MAKE(q, numbers(SHAPE(HEADS, LENGTH, SIZE), 1));
    MAKE(k, numbers(SHAPE(HEADS, KEYS, SIZE), 2));
    MAKE(v, numbers(SHAPE(HEADS, KEYS, OUT), 3));
    MAKE(g, numbers(SHAPE(HEADS, LENGTH, OUT), 4));
    NEED(!rl_set_requires_grad(q, true) && !rl_set_requires_grad(k, true) &&
         !rl_set_requires_grad(v, true));
    const rl_opt_float usual = {false, 0};
    MAKE(y, rl_scaled_dot_product_attention(q, k, v, NULL, 0, causal, usual, false));
    rl_tensor *d[3] = {NULL};
    if (!y || rl_grad((rl_tensors){&y, 1}, &g, (rl_tensors){(rl_tensor *[]){q, k, v}, 3}, false,
                      false, false, d))
        return false;
    RL_TEMP *d0 = d[0], *d1 = d[1], *d2 = d[2];
    for (int h = 0; h < HEADS; h++) {
        plain(floats(q) + h * LENGTH * SIZE, floats(k) + h * KEYS * SIZE,
              floats(v) + h * KEYS * OUT, floats(g) + h * LENGTH * OUT, o, dq, dk, dv,
              causal ? causal_keeps : all_keep);
        CHECK(near(y, o, LENGTH * OUT, h * LENGTH * OUT));
        CHECK(near(d0, dq, LENGTH * SIZE, h * LENGTH * SIZE));
        CHECK(near(d1, dk, KEYS * SIZE, h * KEYS * SIZE));
        CHECK(near(d2, dv, KEYS * OUT, h * KEYS * OUT));
    }
    return true;
}

static bool whole(void) { return attends(false); }
static bool causal(void) { return attends(true); }

/* float16 operands in groups, a mask of their own, dropout; first and second derivative. */
static bool options(void)
{
    MAKE(wide, numbers(SHAPE(1, 4, 5, 2), 1));
    MAKE(few, numbers(SHAPE(1, 2, 6, 2), 2));
    MAKE(q, rl_to_dtype(wide, RL_F16, false));
    MAKE(k, rl_to_dtype(few, RL_F16, false));
    MAKE(mask, numbers(SHAPE(5, 6), 3));
    NEED(!rl_set_requires_grad(q, true) && !rl_set_requires_grad(mask, true));
    const rl_opt_float half = {true, 0.5};
    const rl_ints all = {NULL, -1};
    MAKE(y, rl_scaled_dot_product_attention(q, k, k, mask, 0.5, false, half, true));
    MAKE(sum, rl_sum(y, all, false, RL_NO_DTYPE));
    rl_tensor *d[2] = {NULL}, *second[1] = {NULL}, *inputs[2] = {q, mask};
    NEED(!rl_grad((rl_tensors){&sum, 1}, NULL, (rl_tensors){inputs, 2}, true, true, false, d));
    RL_TEMP *d0 = d[0], *d1 = d[1];
    CHECK(rl_dtype_of(d0) == RL_F16 && rl_dtype_of(d1) == RL_F32 && d1->numel == 30);
    MAKE(total, rl_sum(d1, all, false, RL_NO_DTYPE));
    MAKE(square, rl_mul(d1, d1));
    MAKE(squares, rl_sum(square, all, false, RL_NO_DTYPE));
    NEED(!rl_grad((rl_tensors){&squares, 1}, NULL, (rl_tensors){&mask, 1}, false, false, false,
                  second));
    rl_release(second[0]);
    /* A number added to all scores changes nothing: the gradients of a row sum to zero. */
    CHECK(fabsf(floats(total)[0]) < 1e-5f);
    return true;
}

static bool errors(void)
{
    MAKE(q, numbers(SHAPE(2, 3), 1));
    const rl_opt_float usual = {false, 0};
    FAILS(rl_scaled_dot_product_attention(q, q, q, NULL, 2, false, usual, false), RL_ERUNTIME,
          "dropout probability has to be between 0 and 1, but got 2");
    return true;
}

int main(void)
{
    RUN(whole);
    RUN(causal);
    RUN(options);
    RUN(errors);
    return failures != 0;
}
