/* optim.tmpl.h: needs T (element), INT, LANES (see lanes.tmpl.h), F(function) (fabs -> fabsf),
 * NAME(f); undefines them at its end.
 *
 * Order of operations and fused multiply-adds are those of PyTorch's operators on the CPU, so that
 * the same numbers come out to within the last digits: add with alpha, addcmul and addcdiv end in
 * one fma; lerp goes from the nearer end. A loop that an option changes is written once, as a
 * function always inlined with that option a constant. */

#include "lanes.tmpl.h"

#define FMA F(__builtin_fma)
#define SQRT F(__builtin_sqrt)
#define LOOP static inline __attribute__((always_inline)) void

/* The gradient as the formulas take it: turned for maximize (sign -1), with the weight decay that
 * belongs to it. */
static inline __attribute__((always_inline)) T NAME(gradient)(T p, T g, T sign, T decay,
                                                              bool decays)
{
    g *= sign;
    return decays ? FMA(decay, p, g) : g;
}

static inline bool NAME(decays)(const rl_optim_args *a)
{
    return a->weight_decay != 0 && !a->decoupled;
}

/* x + w (y - x), as 1 - w of x and w of y */
static inline __attribute__((always_inline)) T NAME(lerp)(T x, T y, T w, bool near_x)
{
    return near_x ? FMA(w, y - x, x) : FMA(w - 1, y - x, y);
}

/* ---- SGD ---- */

LOOP NAME(sgd_plain)(size_t n, T *restrict p, const T *restrict g, const rl_optim_args *a,
                     bool decays)
{
    const T lr = (T)-a->f[0], decay = (T)a->weight_decay, sign = a->maximize ? -1 : 1;
    for (size_t i = 0; i < n; i++)
        p[i] = FMA(lr, NAME(gradient)(p[i], g[i], sign, decay, decays), p[i]);
}

LOOP NAME(sgd_first)(size_t n, T *restrict p, const T *restrict g, T *restrict buf,
                     const rl_optim_args *a, bool decays, bool nesterov)
{
    const T lr = (T)-a->f[0], momentum = (T)a->f[1], decay = (T)a->weight_decay,
            sign = a->maximize ? -1 : 1;
    for (size_t i = 0; i < n; i++) {
        T d = NAME(gradient)(p[i], g[i], sign, decay, decays);
        buf[i] = d;
        p[i] = FMA(lr, nesterov ? FMA(momentum, d, d) : d, p[i]);
    }
}

LOOP NAME(sgd_momentum)(size_t n, T *restrict p, const T *restrict g, T *restrict buf,
                        const rl_optim_args *a, bool decays, bool nesterov)
{
    const T lr = (T)-a->f[0], momentum = (T)a->f[1], keep = (T)a->f[2], decay = (T)a->weight_decay;
    const T sign = a->maximize ? -1 : 1;
    for (size_t i = 0; i < n; i++) {
        T d = NAME(gradient)(p[i], g[i], sign, decay, decays), b = FMA(keep, d, buf[i] * momentum);
        buf[i] = b;
        p[i] = FMA(lr, nesterov ? FMA(momentum, b, d) : b, p[i]);
    }
}

/* f: lr, momentum, 1 - dampening; flag: nesterov, the buffer holds nothing yet.  s[0]: momentum
 * buffer or NULL */
static void NAME(sgd)(size_t n, void *p, const void *g, void *const *s, const rl_optim_args *a)
{
    bool decays = NAME(decays)(a), nesterov = a->flag[0];
    if (!s[0])
        decays ? NAME(sgd_plain)(n, p, g, a, true) : NAME(sgd_plain)(n, p, g, a, false);
    else if (a->flag[1])
        NAME(sgd_first)(n, p, g, s[0], a, decays, nesterov);
    else if (decays)
        nesterov ? NAME(sgd_momentum)(n, p, g, s[0], a, true, true)
                 : NAME(sgd_momentum)(n, p, g, s[0], a, true, false);
    else
        nesterov ? NAME(sgd_momentum)(n, p, g, s[0], a, false, true)
                 : NAME(sgd_momentum)(n, p, g, s[0], a, false, false);
}

/* ---- Adam ---- */

LOOP NAME(adam_loop)(size_t n, T *restrict p, const T *restrict g, T *restrict m, T *restrict v,
                     T *restrict top, const rl_optim_args *a, bool decays, bool amsgrad)
{
    const T step = (T)-a->f[0], w1 = (T)a->f[1], beta2 = (T)a->f[2], w2 = (T)a->f[3],
            eps = (T)a->f[4];
    const T decay = (T)a->weight_decay, sign = a->maximize ? -1 : 1;
    const T shrink = a->decoupled ? (T)a->f[5] : 1;
    const bool near_m = w1 < (T)0.5;
    for (size_t i = 0; i < n; i++) {
        T x = p[i] * shrink, d = NAME(gradient)(p[i], g[i], sign, decay, decays);
        T mi = NAME(lerp)(m[i], d, w1, near_m), vi = FMA(w2 * d, d, v[i] * beta2), square = vi;
        m[i] = mi;
        v[i] = vi;
        if (amsgrad) {
            square = top[i] > vi || top[i] != top[i] ? top[i] : vi;
            top[i] = square;
        }
        p[i] = x + step * mi / (SQRT(square) + eps);
    }
}

/* f: step size, 1 - beta1, beta2, 1 - beta2, eps, 1 - lr * weight decay.  s: mean, mean square, its
 * maximum or NULL. Step size and eps come multiplied by r = sqrt(1 - beta2^t): m / (sqrt(v) / r +
 * eps) is r m / (sqrt(v) + r eps), which saves one division of the two that take most of the loop's
 * time. */
static void NAME(adam)(size_t n, void *p, const void *g, void *const *s, const rl_optim_args *a)
{
    bool decays = NAME(decays)(a);
    if (s[2])
        NAME(adam_loop)(n, p, g, s[0], s[1], s[2], a, decays, true);
    else if (decays)
        NAME(adam_loop)(n, p, g, s[0], s[1], NULL, a, true, false);
    else
        NAME(adam_loop)(n, p, g, s[0], s[1], NULL, a, false, false);
}

/* ---- RMSprop ---- */

LOOP NAME(rmsprop_loop)(size_t n, T *restrict p, const T *restrict g, T *restrict v,
                        T *restrict buf, T *restrict mean, const rl_optim_args *a, bool momentum,
                        bool centered)
{
    const T lr = (T)-a->f[0], alpha = (T)a->f[1], w = (T)a->f[2], eps = (T)a->f[3],
            keep = (T)a->f[4];
    const T decay = (T)a->weight_decay, sign = a->maximize ? -1 : 1;
    const bool decays = NAME(decays)(a), near_mean = w < (T)0.5;
    for (size_t i = 0; i < n; i++) {
        T d = NAME(gradient)(p[i], g[i], sign, decay, decays), vi = FMA(w * d, d, v[i] * alpha),
          square = vi;
        v[i] = vi;
        if (centered) {
            T mi = NAME(lerp)(mean[i], d, w, near_mean);
            mean[i] = mi;
            square = FMA(-mi, mi, vi);
        }
        T root = SQRT(square) + eps;
        if (momentum) {
            T b = buf[i] * keep + d / root;
            buf[i] = b;
            p[i] = FMA(lr, b, p[i]);
        } else {
            p[i] = p[i] + lr * d / root;
        }
    }
}

/* f: lr, alpha, 1 - alpha, eps, momentum.  s: mean square, momentum buffer or NULL, mean or NULL
 * (centered) */
static void NAME(rmsprop)(size_t n, void *p, const void *g, void *const *s, const rl_optim_args *a)
{
    if (s[1])
        s[2] ? NAME(rmsprop_loop)(n, p, g, s[0], s[1], s[2], a, true, true)
             : NAME(rmsprop_loop)(n, p, g, s[0], s[1], NULL, a, true, false);
    else
        s[2] ? NAME(rmsprop_loop)(n, p, g, s[0], NULL, s[2], a, false, true)
             : NAME(rmsprop_loop)(n, p, g, s[0], NULL, NULL, a, false, false);
}

/* ---- the others ---- */

LOOP NAME(adagrad_loop)(size_t n, T *restrict p, const T *restrict g, T *restrict sum,
                        const rl_optim_args *a)
{
    const T lr = (T)-a->f[0], eps = (T)a->f[1], decay = (T)a->weight_decay,
            sign = a->maximize ? -1 : 1;
    const bool decays = NAME(decays)(a);
    for (size_t i = 0; i < n; i++) {
        T d = NAME(gradient)(p[i], g[i], sign, decay, decays), si = FMA(d, d, sum[i]);
        sum[i] = si;
        p[i] = p[i] + lr * d / (SQRT(si) + eps);
    }
}

/* f: lr / (1 + (t - 1) lr_decay), eps.  s: sum of squares */
static void NAME(adagrad)(size_t n, void *p, const void *g, void *const *s, const rl_optim_args *a)
{
    NAME(adagrad_loop)(n, p, g, s[0], a);
}

LOOP NAME(adadelta_loop)(size_t n, T *restrict p, const T *restrict g, T *restrict v, T *restrict u,
                         const rl_optim_args *a)
{
    const T lr = (T)-a->f[0], rho = (T)a->f[1], w = (T)a->f[2], eps = (T)a->f[3],
            decay = (T)a->weight_decay;
    const T sign = a->maximize ? -1 : 1;
    const bool decays = NAME(decays)(a);
    for (size_t i = 0; i < n; i++) {
        T d = NAME(gradient)(p[i], g[i], sign, decay, decays), vi = FMA(w * d, d, v[i] * rho);
        T change = SQRT(u[i] + eps) / SQRT(vi + eps) * d;
        v[i] = vi;
        u[i] = FMA(w * change, change, u[i] * rho);
        p[i] = FMA(lr, change, p[i]);
    }
}

/* f: lr, rho, 1 - rho, eps.  s: mean square of gradients, of changes */
static void NAME(adadelta)(size_t n, void *p, const void *g, void *const *s, const rl_optim_args *a)
{
    NAME(adadelta_loop)(n, p, g, s[0], s[1], a);
}

LOOP NAME(adamax_loop)(size_t n, T *restrict p, const T *restrict g, T *restrict m, T *restrict u,
                       const rl_optim_args *a)
{
    const T step = (T)-a->f[0], w1 = (T)a->f[1], beta2 = (T)a->f[2], eps = (T)a->f[3],
            decay = (T)a->weight_decay;
    const T sign = a->maximize ? -1 : 1;
    const bool decays = NAME(decays)(a), near_m = w1 < (T)0.5;
    for (size_t i = 0; i < n; i++) {
        T d = NAME(gradient)(p[i], g[i], sign, decay, decays), mi = NAME(lerp)(m[i], d, w1, near_m);
        T old = u[i] * beta2, now = F(__builtin_fabs)(d) + eps;
        T ui = old > now || old != old ? old : now;
        m[i] = mi;
        u[i] = ui;
        p[i] = p[i] + step * mi / ui;
    }
}

/* f: lr / (1 - beta1^t), 1 - beta1, beta2, eps.  s: mean, infinity norm */
static void NAME(adamax)(size_t n, void *p, const void *g, void *const *s, const rl_optim_args *a)
{
    NAME(adamax_loop)(n, p, g, s[0], s[1], a);
}

LOOP NAME(nadam_loop)(size_t n, T *restrict p, const T *restrict g, T *restrict m, T *restrict v,
                      const rl_optim_args *a)
{
    const T from_g = (T)-a->f[0], from_m = (T)-a->f[1], w1 = (T)a->f[2], beta2 = (T)a->f[3],
            w2 = (T)a->f[4];
    const T correction = (T)a->f[5], eps = (T)a->f[6], decay = (T)a->weight_decay,
            sign = a->maximize ? -1 : 1;
    const T shrink = a->decoupled ? (T)a->f[7] : 1;
    const bool decays = NAME(decays)(a), near_m = w1 < (T)0.5;
    for (size_t i = 0; i < n; i++) {
        T x = p[i] * shrink, d = NAME(gradient)(p[i], g[i], sign, decay, decays);
        T mi = NAME(lerp)(m[i], d, w1, near_m), vi = FMA(w2 * d, d, v[i] * beta2);
        T root = SQRT(vi / correction) + eps;
        m[i] = mi;
        v[i] = vi;
        x = x + from_g * d / root;
        p[i] = x + from_m * mi / root;
    }
}

/* f: lr (1 - mu_t) / (1 - product), lr mu_(t+1) / (1 - next product), 1 - beta1, beta2, 1 - beta2,
 * 1 - beta2^t, eps, 1 - lr * weight decay.  s: mean, mean square */
static void NAME(nadam)(size_t n, void *p, const void *g, void *const *s, const rl_optim_args *a)
{
    NAME(nadam_loop)(n, p, g, s[0], s[1], a);
}

LOOP NAME(radam_loop)(size_t n, T *restrict p, const T *restrict g, T *restrict m, T *restrict v,
                      const rl_optim_args *a, bool rectify)
{
    const T w1 = (T)a->f[0], beta2 = (T)a->f[1], w2 = (T)a->f[2], correction1 = (T)a->f[3],
            lr = (T)a->f[4];
    const T rect = (T)a->f[5], root2 = (T)a->f[6], eps = (T)a->f[8], decay = (T)a->weight_decay;
    const T sign = a->maximize ? -1 : 1, shrink = a->decoupled ? (T)a->f[7] : 1;
    const bool decays = NAME(decays)(a), near_m = w1 < (T)0.5;
    for (size_t i = 0; i < n; i++) {
        T x = p[i] * shrink, d = NAME(gradient)(p[i], g[i], sign, decay, decays);
        T mi = NAME(lerp)(m[i], d, w1, near_m), vi = FMA(w2 * d, d, v[i] * beta2);
        T change = mi / correction1 * lr;
        m[i] = mi;
        v[i] = vi;
        if (rectify)
            change = change * (root2 / (SQRT(vi) + eps)) * rect;
        p[i] = x - change;
    }
}

/* f: 1 - beta1, beta2, 1 - beta2, 1 - beta1^t, lr, rectification, sqrt(1 - beta2^t), 1 - lr *
 * weight decay, eps; flag: whether to rectify.  s: mean, mean square */
static void NAME(radam)(size_t n, void *p, const void *g, void *const *s, const rl_optim_args *a)
{
    if (a->flag[0])
        NAME(radam_loop)(n, p, g, s[0], s[1], a, true);
    else
        NAME(radam_loop)(n, p, g, s[0], s[1], a, false);
}

LOOP NAME(asgd_loop)(size_t n, T *restrict p, const T *restrict g, T *restrict mean,
                     const rl_optim_args *a, bool first)
{
    const T shrink = (T)a->f[0], rate = (T)-a->f[1], w = (T)a->f[2], decay = (T)a->weight_decay,
            sign = a->maximize ? -1 : 1;
    const bool decays = NAME(decays)(a);
    for (size_t i = 0; i < n; i++) {
        T d = NAME(gradient)(p[i], g[i], sign, decay, decays), x = FMA(rate, d, p[i] * shrink);
        p[i] = x;
        mean[i] = first ? x : mean[i] + (x - mean[i]) * w;
    }
}

/* f: 1 - lambd * eta, eta, mu; flag: whether mu is 1.  s: mean of the parameter's values */
static void NAME(asgd)(size_t n, void *p, const void *g, void *const *s, const rl_optim_args *a)
{
    if (a->flag[0])
        NAME(asgd_loop)(n, p, g, s[0], a, true);
    else
        NAME(asgd_loop)(n, p, g, s[0], a, false);
}

LOOP NAME(rprop_loop)(size_t n, T *restrict p, const T *restrict g, T *restrict prev,
                      T *restrict size, const rl_optim_args *a)
{
    const T minus = (T)a->f[0], plus = (T)a->f[1], least = (T)a->f[2], most = (T)a->f[3],
            sign = a->maximize ? -1 : 1;
    for (size_t i = 0; i < n; i++) {
        T d = sign * g[i], turn = d * prev[i];
        T step = size[i] * (turn > 0 ? plus : turn < 0 ? minus : 1);
        step = step < least ? least : step > most ? most : step;
        d = turn < 0 ? 0 : d;
        prev[i] = d;
        size[i] = step;
        p[i] = p[i] - (d > 0 ? step : d < 0 ? -step : step * 0);
    }
}

/* f: factors of the step where the gradient turns and where it does not, least and greatest step.
 * s: gradient before, 0 where it had turned; step */
static void NAME(rprop)(size_t n, void *p, const void *g, void *const *s, const rl_optim_args *a)
{
    NAME(rprop_loop)(n, p, g, s[0], s[1], a);
}

/* ---- Muon: the products between the first loop and the last are GEMM's (ops/muon.c) ---- */

/* p <- the update before it is made orthogonal.  f: 1 - momentum, momentum; flag: nesterov.  s:
 * mean, left as it is */
static void NAME(muon_mean)(size_t n, void *p, const void *grad, void *const *s,
                            const rl_optim_args *a)
{
    T *restrict out = p;
    const T *restrict g = grad, *restrict m = s[0], w = (T)a->f[0], momentum = (T)a->f[1];
    const bool near_m = w < (T)0.5, near_g = momentum < (T)0.5, nesterov = a->flag[0];
    for (size_t i = 0; i < n; i++) {
        T mi = NAME(lerp)(m[i], g[i], w, near_m), ahead = NAME(lerp)(g[i], mi, momentum, near_g);
        out[i] = nesterov ? ahead : mi;
    }
}

/* f: 1 - momentum, step size, 1 - lr * weight decay.  s: mean, the update */
static void NAME(muon_step)(size_t n, void *param, const void *grad, void *const *s,
                            const rl_optim_args *a)
{
    T *restrict p = param, *restrict m = s[0], w = (T)a->f[0], step = (T)-a->f[1],
                shrink = (T)a->f[2];
    const T *restrict g = grad, *restrict u = s[1];
    const bool near_m = w < (T)0.5;
    for (size_t i = 0; i < n; i++) {
        m[i] = NAME(lerp)(m[i], g[i], w, near_m);
        p[i] = FMA(step, u[i], p[i] * shrink);
    }
}

/* ---- sums ---- */

enum { NAME(block) = 16 * LANES }; /* elements that one chain of lanes adds up */

/* Sum of buf's n elements; there is room for a whole number of lanes. */
static double NAME(sum)(T *buf, size_t n)
{
    if (n < 16) {
        double sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += buf[i];
        return sum;
    }
    V acc[NAME(vectors)];
    while (n % LANES)
        buf[n++] = 0;
    RL_UNROLLED for (int k = 0; k < NAME(vectors); k++) acc[k] = (V){0};
    for (size_t i = 0; i < n; i += LANES)
        RL_UNROLLED for (int k = 0; k < NAME(vectors); k++) acc[k] +=
            *(const V *)(buf + i + NAME(width) * k);
    return NAME(by_halves)(acc);
}

/* Of LBFGS: q <- scale (q + by y), y or nothing; returns q . x, or 0 without x. */
static double NAME(turn)(size_t n, void *vector, const void *change, double by_, double scale_,
                         const void *with)
{
    const T by = (T)by_, scale = (T)scale_;
    T buf[NAME(block)], *q = vector;
    const T *y = change, *x = with;
    double total = 0;
    for (size_t j = 0; j < n; j += NAME(block)) {
        size_t m = n - j < NAME(block) ? n - j : NAME(block);
        T *restrict qj = q + j;
        const T *restrict yj = y + j, *restrict xj = x + j;
        if (y)
            for (size_t k = 0; k < m; k++)
                qj[k] = FMA(by, yj[k], qj[k]) * scale;
        else
            for (size_t k = 0; k < m; k++)
                qj[k] *= scale;
        if (!x)
            continue;
        for (size_t k = 0; k < m; k++)
            buf[k] = qj[k] * xj[k];
        total += NAME(sum)(buf, m);
    }
    return total;
}

/* ---- Adafactor ---- */

static void NAME(adafactor_sums)(size_t rows, size_t cols, const void *grad, void *row, void *col)
{
    const T *g = grad;
    T buf[NAME(block)], *c = col;
    for (size_t i = 0; i < rows; i++, g += cols) {
        double total = 0;
        for (size_t j = 0; j < cols; j += NAME(block)) {
            size_t m = cols - j < NAME(block) ? cols - j : NAME(block);
            T *restrict cj = c + j;
            const T *restrict gj = g + j;
            if (i == 0)
                for (size_t k = 0; k < m; k++)
                    cj[k] = buf[k] = gj[k] * gj[k];
            else
                for (size_t k = 0; k < m; k++)
                    cj[k] += buf[k] = gj[k] * gj[k];
            total += NAME(sum)(buf, m);
        }
        ((T *)row)[i] = (T)total;
    }
}

static void NAME(adafactor_mean)(size_t n, void *state, const void *x, double count, double weight,
                                 int squares)
{
    const T w = (T)weight, by = (T)count;
    const bool near = w < (T)0.5;
    T *restrict s = state;
    const T *restrict v = x;
    for (size_t i = 0; i < n; i++)
        s[i] = NAME(lerp)(s[i], squares ? v[i] * v[i] : v[i] / by, w, near);
}

static inline __attribute__((always_inline)) T NAME(at_least)(T v, T least)
{
    return v < least ? least : v; /* nan stays */
}

static double NAME(adafactor_size)(const rl_adafactor_args *a)
{
    const T *g = a->g, *row = a->row, *col = a->col, least = (T)a->least;
    T buf[NAME(block)];
    double total = 0;
    for (size_t i = 0; i < a->rows; i++) {
        const T r = row ? row[i] / (T)a->mean : 1;
        for (size_t j = 0; j < a->cols; j += NAME(block)) {
            size_t m = a->cols - j < NAME(block) ? a->cols - j : NAME(block);
            const T *restrict gj = g + j, *restrict cj = col + j;
            for (size_t k = 0; k < m; k++)
                buf[k] = gj[k] * gj[k] / NAME(at_least)(r * cj[k], least);
            total += NAME(sum)(buf, m);
        }
        g += a->cols;
        col += row ? 0 : a->cols;
    }
    return total;
}

static void NAME(adafactor_step)(const rl_adafactor_args *a, void *param)
{
    const T *restrict g = a->g, *restrict row = a->row, *restrict col = a->col;
    const T least = (T)a->least, shrink = (T)a->shrink, step = (T)a->step;
    T *restrict p = param;
    for (size_t i = 0; i < a->rows; i++) {
        const T r = row ? row[i] / (T)a->mean : 1;
        for (size_t j = 0; j < a->cols; j++)
            p[j] = FMA(step, g[j] / SQRT(NAME(at_least)(r * col[j], least)), p[j] * shrink);
        p += a->cols;
        g += a->cols;
        col += row ? 0 : a->cols;
    }
}

#undef FMA
#undef SQRT
#undef LOOP
#undef V
#undef VI
#undef LANES
#undef INT
#undef T
#undef F
#undef NAME
