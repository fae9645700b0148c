/* Optimizers: closed forms of the first steps; a failed step changes nothing that it should not. */
#include "check.h"
#include "ops/optim.h"

static rl_tensor *filled(float first, float step)
{
    rl_tensor *t = rl_new(RL_F32, SHAPE(5));
    for (int i = 0; t && i < 5; i++)
        floats(t)[i] = first + step * (float)i;
    return t;
}

static rl_tensor *zeros(int ndim, const int64_t *shape)
{
    rl_tensor *t = rl_new(RL_F32, ndim, shape);
    if (t)
        memset(t->data, 0, (size_t)t->numel * sizeof(float));
    return t;
}

static bool near(float a, double b) { return fabs(a - b) <= 1e-6 * (1 + fabs(b)); }

/* b1 = g, b2 = m b1 + g; p falls by lr (b1 + b2) */
static bool sgd_momentum(void)
{
    MAKE(p, filled(1, 1));
    MAKE(g, filled(2, -1));
    rl_optim o = rl_optim_defaults(RL_SGD);
    o.lr = 0.1;
    o.momentum = 0.5;
    rl_optim_state s[1] = {{NULL}};
    for (int step = 0; step < 2; step++) {
        if (rl_optim_step(&o, 1, &p, &g, s) != RL_OK) {
            CHECK(rl_error_code() == RL_EMEMORY && floats(p)[0] == 1 && !s[0][1]);
            rl_optim_state_free(1, s);
            return false;
        }
    }
    for (int i = 0; i < 5; i++)
        CHECK(near(floats(p)[i], 1 + i - 0.1 * 2.5 * (2 - i)));
    rl_optim_state_free(1, s);
    return true;
}

/* The first step of Adam is lr in the direction of the gradient's sign. */
static bool adam_first(void)
{
    MAKE(p, filled(1, 1));
    MAKE(q, filled(1, 1));
    MAKE(g, filled(3, -1.25f));
    rl_optim o = rl_optim_defaults(RL_ADAM);
    rl_optim_state s[2] = {{NULL}, {NULL}};
    rl_status status = rl_optim_step(&o, 2, (rl_tensor *[]){p, q}, (rl_tensor *[]){g, NULL}, s);
    if (status == RL_OK) {
        for (int i = 0; i < 5; i++)
            CHECK(near(floats(p)[i], 1 + i - 1e-3 * (3 - 1.25 * i > 0 ? 1 : -1)));
        CHECK(floats(s[0][0])[0] == 1 && !s[1][0] && floats(q)[4] == 5);
    } else {
        CHECK(rl_error_code() == RL_EMEMORY && floats(p)[0] == 1);
    }
    rl_optim_state_free(2, s);
    return status == RL_OK;
}

/* p <- (1 - lambd eta) p - eta g, eta = lr / (1 + lambd lr t)^alpha; the mean begins at step t0
 * + 2. */
static bool asgd(void)
{
    MAKE(p, filled(1, 1));
    MAKE(g, filled(2, -1));
    rl_optim o = rl_optim_defaults(RL_ASGD);
    o.lr = 0.5, o.lambd = 0.1, o.t0 = 0;
    rl_optim_state s[1] = {{NULL}};
    rl_status status = RL_OK;
    for (int step = 0; step < 3 && status == RL_OK; step++)
        status = rl_optim_step(&o, 1, &p, &g, s);
    if (status == RL_OK) {
        for (int i = 0; i < 5; i++) {
            double x = 1 + i, mean = 0;
            for (int t = 0; t < 3; t++) {
                double eta = t ? 0.5 / pow(1 + 0.1 * 0.5 * t, 0.75) : 0.5;
                x = (1 - 0.1 * eta) * x - eta * (2 - i);
                mean = t < 2 ? x : mean + (x - mean) / 2; /* mu: 1, 1, 1/2 */
            }
            CHECK(near(floats(p)[i], (float)x) && near(floats(s[0][1])[i], (float)mean));
        }
        CHECK(floats(s[0][0])[0] == 3 && near(floats(s[0][4])[0], 1.0f / 3));
    } else {
        CHECK(rl_error_code() == RL_EMEMORY && floats(p)[0] == 1);
    }
    rl_optim_state_free(1, s);
    return status == RL_OK;
}

/* The step grows by 1.2 while the gradient keeps its sign; where it turns it is halved and p waits.
 */
static bool rprop(void)
{
    MAKE(p, filled(0, 0));
    MAKE(g, filled(1, 0));
    rl_optim o = rl_optim_defaults(RL_RPROP);
    rl_optim_state s[1] = {{NULL}};
    rl_status status = RL_OK;
    for (int step = 0; step < 4 && status == RL_OK; step++) {
        floats(g)[0] = step < 2 ? 1 : -1;
        status = rl_optim_step(&o, 1, &p, &g, s);
    }
    if (status == RL_OK) {
        CHECK(near(floats(p)[0], -0.01f - 0.012f + 0.006f) && near(floats(s[0][2])[0], 0.006f));
        CHECK(near(floats(p)[1], -0.01f - 0.012f - 0.0144f - 0.01728f));
    } else {
        CHECK(rl_error_code() == RL_EMEMORY && floats(p)[0] == 0);
    }
    rl_optim_state_free(1, s);
    return status == RL_OK;
}

/* Memory in another order goes through copies. */
static bool strided(void)
{
    MAKE(base, counting(SHAPE(2, 3)));
    MAKE(g, counting(SHAPE(3, 2)));
    RL_TEMP *p = rl_new_view(base, SHAPE(3, 2), (int64_t[]){1, 3}, 0);
    NEED(p);
    rl_optim o = rl_optim_defaults(RL_SGD);
    o.lr = 1;
    if (rl_optim_step(&o, 1, &p, &g, NULL) != RL_OK) {
        CHECK(rl_error_code() == RL_EMEMORY && floats(base)[1] == 1);
        return false;
    }
    static const float should[] = {0, 1 - 2, 2 - 4, 3 - 1, 4 - 3, 5 - 5};
    CHECK(!memcmp(base->data, should, sizeof should));
    return true;
}

/* In the first step v = g^2, also of a matrix whose squares are an outer product: u is the sign. */
static bool adafactor_first(void)
{
    MAKE(p, filled(2, 0));
    MAKE(g, filled(3, -1.25f));
    MAKE(base, counting(SHAPE(4, 3)));
    RL_TEMP *q = rl_new_view(base, SHAPE(3, 4), (int64_t[]){1, 3}, 0); /* goes through copies */
    MAKE(h, counting(SHAPE(3, 4)));
    NEED(q);
    for (int i = 0; i < 12; i++) {
        floats(base)[i] = 2;
        floats(h)[i] = (float)(1 + i / 4) * (float)(i % 4 - 1.5);
    }
    rl_optim o = rl_optim_defaults(RL_ADAFACTOR);
    o.weight_decay = 0.5;
    o.maximize = true;
    rl_optim_state s[2] = {{NULL}, {NULL}};
    rl_status status = rl_optim_step(&o, 2, (rl_tensor *[]){p, q}, (rl_tensor *[]){g, h}, s);
    if (status == RL_OK) {
        for (int i = 0; i < 5; i++)
            CHECK(near(floats(p)[i], 1.99 + 0.02 * (3 - 1.25 * i > 0 ? 1 : -1)));
        for (int i = 0; i < 12; i++)
            CHECK(near(floats(base)[i % 4 * 3 + i / 4], 1.99 + 0.02 * (i % 4 < 2 ? -1 : 1)));
        CHECK(floats(s[1][0])[0] == 1 && near(floats(s[1][1])[2], 9 * 1.25) && !s[1][3]);
        CHECK(near(floats(s[1][2])[3], 1.5 * 1.5 * 14 / 3) && near(floats(s[0][3])[0], 9));
    } else {
        CHECK(rl_error_code() == RL_EMEMORY && floats(p)[0] == 2 && floats(base)[5] == 2);
        CHECK(!s[0][0] || floats(s[0][0])[0] == 0);
    }
    rl_optim_state_free(2, s);
    return status == RL_OK;
}

static float bf16(float x)
{
    uint16_t narrow;
    rl_convert(RL_F32, &x, 4, RL_BF16, &narrow, 2, 1);
    rl_convert(RL_BF16, &narrow, 2, RL_F32, &x, 4, 1);
    return x;
}

/* A diagonal's elements are its singular values: each goes the way of the polynomial, which is
 * rounded to bfloat16 after each product. */
static bool muon_diagonal(void)
{
    MAKE(g, zeros(SHAPE(3, 2)));
    MAKE(p, zeros(SHAPE(3, 2)));
    MAKE(q, zeros(SHAPE(3, 2)));
    floats(g)[0] = 3;
    floats(g)[3] = -4;
    rl_optim o = rl_optim_defaults(RL_MUON);
    o.lr = 0.1;
    rl_optim_state s[2] = {{NULL}, {NULL}};
    rl_status status = rl_optim_step(&o, 2, (rl_tensor *[]){p, q}, (rl_tensor *[]){g, g}, s);
    if (status == RL_OK) {
        for (int i = 0; i < 6; i++) {
            float x = bf16(i == 0 ? 0.6f : i == 3 ? -0.8f : 0);
            for (int step = 0; step < 5; step++) {
                float square = bf16(x * x);
                float factor = bf16(-4.7750f * square + 2.0315f * (square * square));
                x = bf16(3.4445f * x + factor * x);
            }
            CHECK(near(floats(p)[i], -0.1 * sqrt(1.5) * x));
            CHECK(floats(q)[i] == floats(p)[i]);
            CHECK(near(floats(s[0][1])[i], 0.05 * floats(g)[i]));
        }
    } else {
        CHECK(rl_error_code() == RL_EMEMORY && floats(p)[0] == 0 && floats(q)[0] == 0);
        CHECK(!s[0][1] || floats(s[0][1])[0] == 0);
    }
    rl_optim_state_free(2, s);
    return status == RL_OK;
}

/* One remembered step s along which the gradient changed by y = 2 s: the inverse Hessian is 1/2
 * along s, and h across. */
static bool lbfgs_direction(void)
{
    MAKE(g, filled(1, 0));
    MAKE(s, zeros(SHAPE(5)));
    MAKE(y, zeros(SHAPE(5)));
    floats(s)[1] = 3;
    floats(y)[1] = 6;
    rl_tensor *al[1] = {NULL};
    RL_TEMP *d = rl_lbfgs_direction(g, 1, &y, &s, (double[]){1.0 / 18}, 0.25, al);
    if (!d) {
        CHECK(rl_error_code() == RL_EMEMORY && !al[0]);
        return false;
    }
    for (int i = 0; i < 5; i++)
        CHECK(near(floats(d)[i], i == 1 ? -0.5 : -0.25));
    CHECK(near(floats(al[0])[0], -3.0 / 18));
    rl_release(al[0]);
    return true;
}

/* A vector added to a parameter in another order and to one of half precision: all or nothing. */
static bool lbfgs_moves(void)
{
    MAKE(base, counting(SHAPE(2, 3)));
    RL_TEMP *p = rl_new_view(base, SHAPE(3, 2), (int64_t[]){1, 3}, 0);
    MAKE(half, rl_new(RL_F16, SHAPE(2)));
    MAKE(v, counting(SHAPE(8)));
    NEED(p);
    NEED(rl_fill_data(half, rl_float(1)) == RL_OK);
    rl_tensor *both[2] = {p, half};
    RL_TEMP *before = rl_lbfgs_values(2, both);
    NEED(before);
    if (rl_lbfgs_add(2, both, v, 2) != RL_OK) {
        CHECK(rl_error_code() == RL_EMEMORY && floats(base)[1] == 1);
        return false;
    }
    RL_TEMP *after = rl_lbfgs_values(2, both);
    NEED(after);
    for (int i = 0; i < 8; i++)
        CHECK(floats(after)[i] == floats(before)[i] + 2 * (float)i);
    CHECK(floats(base)[1] == 1 + 2 * 2 && floats(after)[7] == 15);
    NEED(rl_lbfgs_set(2, both, before) == RL_OK);
    CHECK(floats(base)[1] == 1 && floats(base)[5] == 5);
    RL_TEMP *none = rl_lbfgs_gradient(2, both);
    NEED(none);
    CHECK(none->numel == 8 && floats(none)[3] == 0);
    return true;
}

static bool errors(void)
{
    MAKE(p, filled(1, 1));
    MAKE(g, counting(SHAPE(4)));
    rl_optim o = rl_optim_defaults(RL_SGD);
    FAILS(rl_optim_step(&o, 1, &p, &g, NULL) == RL_OK, RL_ERUNTIME,
          "optimizer: gradient of shape [4] for a parameter of shape [5]");
    o.momentum = 0.9;
    FAILS(rl_optim_step(&o, 1, &p, &p, NULL) == RL_OK, RL_ERUNTIME,
          "rl_optim_step: this optimizer needs a state for each parameter");
    CHECK(floats(p)[0] == 1);
    o = rl_optim_defaults(RL_MUON);
    rl_optim_state s[1] = {{NULL}};
    FAILS(rl_optim_step(&o, 1, &p, &p, s) == RL_OK, RL_EVALUE,
          "Param gradient must be a 2D matrix");
    o = rl_optim_defaults(RL_ADAFACTOR);
    s[0][3] = rl_retain(g);
    rl_status status = rl_optim_step(&o, 1, &p, &p, s);
    rl_optim_state_free(1, s);
    FAILS(status == RL_OK, RL_ERUNTIME,
          "optimizer: state of shape [4] for a parameter of shape [5]");
    CHECK(floats(p)[0] == 1);
    return true;
}

int main(void)
{
    RUN(sgd_momentum);
    RUN(adam_first);
    RUN(asgd);
    RUN(rprop);
    RUN(adafactor_first);
    RUN(muon_diagonal);
    RUN(lbfgs_direction);
    RUN(lbfgs_moves);
    RUN(strided);
    RUN(errors);
    return failures != 0;
}
