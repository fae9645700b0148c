/* train_mlp.c: trains a small network on two interleaved spirals, in plain C against librushlight.
 *
 *     python setup.py build_core
 *     cc -std=c11 -O2 -Icsrc/include examples/c/train_mlp.c build/librushlight.a -lm -pthread -o
 * train_mlp
 *
 * Every result of the library is a new reference that the program releases; a NULL goes through
 * further calls and is looked at once, where the loss is read. */
#include <math.h>
#include <stdio.h>

#include "rushlight.h"
#include "rushlight_ops.h"

enum { POINTS = 200, CLASSES = 2, HIDDEN = 64, STEPS = 300, N_PARAMETERS = 6 };
static const double learning_rate = 0.1, momentum = 0.9;

/* Points (x, y) of both arms, POINTS each: radius t, angle 2.5 pi t, the second arm half a turn on;
 * t in (0, 1). */
static bool make_data(rl_tensor **points, rl_tensor **labels)
{
    static float xy[CLASSES * POINTS][2];
    static int64_t label[CLASSES * POINTS];
    for (int c = 0; c < CLASSES; c++)
        for (int i = 0; i < POINTS; i++) {
            double t = (i + 0.5) / POINTS, angle = 3.14159265358979 * (2.5 * t + c);
            xy[c * POINTS + i][0] = (float)(t * cos(angle));
            xy[c * POINTS + i][1] = (float)(t * sin(angle));
            label[c * POINTS + i] = c;
        }
    *points = rl_from_data(RL_F32, 2, (int64_t[]){CLASSES * POINTS, 2}, xy);
    *labels = rl_from_data(RL_I64, 1, (int64_t[]){CLASSES * POINTS}, label);
    return *points && *labels;
}

/* Uniform in +-1/sqrt(inputs), as nn.Linear does. */
static rl_tensor *parameter(int ndim, const int64_t *shape, int64_t inputs)
{
    rl_tensor *p = rl_empty_shape(RL_F32, ndim, shape);
    double bound = 1 / sqrt((double)inputs);
    rl_release(rl_uniform_(p, -bound, bound, NULL));
    if (p && rl_set_requires_grad(p, true)) {
        rl_release(p);
        return NULL;
    }
    return p;
}

/* Scores (points, CLASSES) of a 2-64-64-2 network with ReLU. */
static rl_tensor *forward(rl_tensor *const *p, rl_tensor *x)
{
    rl_tensor *a = rl_linear(x, p[0], p[1]);
    rl_tensor *b = rl_relu(a);
    rl_tensor *c = rl_linear(b, p[2], p[3]);
    rl_tensor *d = rl_relu(c);
    rl_tensor *y = rl_linear(d, p[4], p[5]);
    rl_release(a);
    rl_release(b);
    rl_release(c);
    rl_release(d);
    return y;
}

/* velocity = momentum velocity + gradient;  parameter -= learning rate velocity */
static rl_status update(rl_tensor *const *p, rl_tensor *const *velocity)
{
    bool before = rl_set_grad_enabled(false);
    rl_tensor *decay = rl_scalar_tensor(rl_float(momentum), RL_F32);
    rl_status status = decay ? RL_OK : rl_error_code();
    for (int i = 0; i < N_PARAMETERS && !status; i++) {
        rl_tensor *a = rl_mul_(velocity[i], decay);
        rl_tensor *b = a ? rl_add_(velocity[i], rl_borrow_grad(p[i]), rl_int(1)) : NULL;
        rl_tensor *c = b ? rl_sub_(p[i], velocity[i], rl_float(learning_rate)) : NULL;
        if (!c)
            status = rl_error_code();
        else
            status = rl_set_grad(p[i], NULL);
        rl_release(a);
        rl_release(b);
        rl_release(c);
    }
    rl_release(decay);
    rl_set_grad_enabled(before);
    return status;
}

/* Share of points whose larger score is that of their class. */
static rl_status accuracy(rl_tensor *scores, rl_tensor *labels, double *share)
{
    rl_scalar value = {.f = 0};
    rl_tensor *best = rl_argmax(scores, (rl_opt_int){true, 1}, false);
    rl_tensor *right = rl_eq(best, labels);
    rl_tensor *count = rl_sum(right, (rl_ints){NULL, -1}, false, RL_F64);
    rl_status status = count ? rl_item(count, &value) : rl_error_code();
    *share = value.f / (double)rl_numel(labels);
    rl_release(best);
    rl_release(right);
    rl_release(count);
    return status;
}

/* One step; *loss is the loss before it. */
static rl_status train(rl_tensor *const *p, rl_tensor *const *velocity, rl_tensor *points,
                       rl_tensor *labels, double *loss)
{
    rl_scalar value = {.f = 0};
    rl_tensor *scores = forward(p, points);
    rl_tensor *mean = rl_cross_entropy(scores, labels, NULL, -100, "mean", 0.0);
    rl_status status = mean ? rl_item(mean, &value) : rl_error_code();
    if (!status)
        status = rl_backward((rl_tensors){&mean, 1}, NULL, false, false, (rl_tensors){NULL, 0});
    if (!status)
        status = update(p, velocity);
    *loss = value.f;
    rl_release(scores);
    rl_release(mean);
    return status;
}

int main(void)
{
    static const int64_t width[] = {2, HIDDEN, HIDDEN, CLASSES};
    rl_tensor *p[N_PARAMETERS] = {NULL}, *velocity[N_PARAMETERS] = {NULL};
    rl_tensor *points = NULL, *labels = NULL, *scores = NULL;
    double loss = 0, share = 0;
    rl_status status = rl_isa_status();

    rl_manual_seed(NULL, 0);
    bool ready = !status && make_data(&points, &labels);
    for (int i = 0; i < N_PARAMETERS && ready; i++) {
        int64_t in = width[i / 2], out = width[i / 2 + 1];
        p[i] = parameter(i % 2 ? 1 : 2, (int64_t[]){out, in}, in);
        velocity[i] = rl_zeros_like(p[i], RL_NO_DTYPE);
        ready = p[i] && velocity[i];
    }
    if (!ready)
        status = rl_error_code();
    for (int step = 0; step < STEPS && !status; step++) {
        status = train(p, velocity, points, labels, &loss);
        if (step % 50 == 0 && !status)
            printf("step %3d  loss %.4f\n", step, loss);
    }
    if (!status) {
        rl_set_grad_enabled(false);
        scores = forward(p, points);
        status = scores ? accuracy(scores, labels, &share) : rl_error_code();
    }
    if (!status)
        printf("final loss %.4f, accuracy %.1f %% (%s kernels)\n", loss, 100 * share, rl_isa());
    else
        fprintf(stderr, "train_mlp: %s\n", rl_error_message());

    rl_release(scores);
    rl_release(points);
    rl_release(labels);
    for (int i = 0; i < N_PARAMETERS; i++) {
        rl_release(p[i]);
        rl_release(velocity[i]);
    }
    return status != RL_OK;
}
