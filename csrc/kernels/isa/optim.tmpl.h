/* optim.tmpl.h: needs T (element), F(function) (fabs -> fabsf), NAME(f); undefines them at its end.
 *
 * Order of operations and fused multiply-adds are those of PyTorch's operators on the CPU, so that the same numbers come
 * out to within the last digits: add with alpha, addcmul and addcdiv end in one fma; lerp goes from the nearer end.
 * The conditions do not change within a loop: the compiler moves them out. */

#define FMA F(__builtin_fma)
#define SQRT F(__builtin_sqrt)

/* The gradient as the formulas take it: turned for maximize, with the weight decay that belongs to it. */
static inline T NAME(gradient)(T p, T g, T decay, const rl_optim_args *a)
{
    if (a->maximize)
        g = -g;
    return a->weight_decay != 0 && !a->decoupled ? FMA(decay, p, g) : g;
}

/* x + w (y - x) for a weight w of y */
static inline T NAME(lerp)(T x, T y, T w) { return w < (T)0.5 ? FMA(w, y - x, x) : FMA(w - 1, y - x, y); }

/* f: lr, momentum, 1 - dampening; flag: nesterov, the buffer holds nothing yet.  s[0]: momentum buffer or NULL */
static void NAME(sgd)(size_t n, void *pp, const void *gg, void *const *s, const rl_optim_args *a)
{
    T *restrict p = pp, *restrict buf = s[0];
    const T *restrict g = gg;
    const T lr = (T)-a->f[0], momentum = (T)a->f[1], keep = (T)a->f[2], decay = (T)a->weight_decay;
    if (!buf) {
        for (size_t i = 0; i < n; i++)
            p[i] = FMA(lr, NAME(gradient)(p[i], g[i], decay, a), p[i]);
    } else if (a->flag[1]) {
        for (size_t i = 0; i < n; i++) {
            T d = NAME(gradient)(p[i], g[i], decay, a);
            buf[i] = d;
            p[i] = FMA(lr, a->flag[0] ? FMA(momentum, d, d) : d, p[i]);
        }
    } else {
        for (size_t i = 0; i < n; i++) {
            T d = NAME(gradient)(p[i], g[i], decay, a);
            T b = FMA(keep, d, buf[i] * momentum);
            buf[i] = b;
            p[i] = FMA(lr, a->flag[0] ? FMA(momentum, b, d) : b, p[i]);
        }
    }
}

/* f: step size, 1 - beta1, beta2, 1 - beta2, sqrt(1 - beta2^t), eps, 1 - lr * weight decay.
 * s: mean, mean square, its maximum or NULL */
static void NAME(adam)(size_t n, void *pp, const void *gg, void *const *s, const rl_optim_args *a)
{
    T *restrict p = pp, *restrict m = s[0], *restrict v = s[1], *restrict top = s[2];
    const T *restrict g = gg;
    const T step = (T)-a->f[0], w1 = (T)a->f[1], beta2 = (T)a->f[2], w2 = (T)a->f[3], root = (T)a->f[4];
    const T eps = (T)a->f[5], decay = (T)a->weight_decay, shrink = a->decoupled ? (T)a->f[6] : 1;
    if (top) {
        for (size_t i = 0; i < n; i++) {
            T x = p[i] * shrink, d = NAME(gradient)(p[i], g[i], decay, a);
            T mi = NAME(lerp)(m[i], d, w1), vi = FMA(w2 * d, d, v[i] * beta2);
            T ti = top[i] > vi || top[i] != top[i] ? top[i] : vi;
            m[i] = mi;
            v[i] = vi;
            top[i] = ti;
            p[i] = x + step * mi / (SQRT(ti) / root + eps);
        }
    } else {
        for (size_t i = 0; i < n; i++) {
            T x = p[i] * shrink, d = NAME(gradient)(p[i], g[i], decay, a);
            T mi = NAME(lerp)(m[i], d, w1), vi = FMA(w2 * d, d, v[i] * beta2);
            m[i] = mi;
            v[i] = vi;
            p[i] = x + step * mi / (SQRT(vi) / root + eps);
        }
    }
}

/* f: lr, alpha, 1 - alpha, eps, momentum.  s: mean square, momentum buffer or NULL, mean or NULL (centered) */
static void NAME(rmsprop)(size_t n, void *pp, const void *gg, void *const *s, const rl_optim_args *a)
{
    T *restrict p = pp, *restrict v = s[0], *restrict buf = s[1], *restrict mean = s[2];
    const T *restrict g = gg;
    const T lr = (T)-a->f[0], alpha = (T)a->f[1], w = (T)a->f[2], eps = (T)a->f[3], momentum = (T)a->f[4];
    const T decay = (T)a->weight_decay;
    for (size_t i = 0; i < n; i++) {
        T d = NAME(gradient)(p[i], g[i], decay, a), vi = FMA(w * d, d, v[i] * alpha), square = vi;
        v[i] = vi;
        if (mean) {
            T mi = NAME(lerp)(mean[i], d, w);
            mean[i] = mi;
            square = FMA(-mi, mi, vi);
        }
        T root = SQRT(square) + eps;
        if (buf) {
            T b = buf[i] * momentum + d / root;
            buf[i] = b;
            p[i] = FMA(lr, b, p[i]);
        } else {
            p[i] = p[i] + lr * d / root;
        }
    }
}

/* f: lr / (1 + (t - 1) lr_decay), eps.  s: sum of squares */
static void NAME(adagrad)(size_t n, void *pp, const void *gg, void *const *s, const rl_optim_args *a)
{
    T *restrict p = pp, *restrict sum = s[0];
    const T *restrict g = gg;
    const T lr = (T)-a->f[0], eps = (T)a->f[1], decay = (T)a->weight_decay;
    for (size_t i = 0; i < n; i++) {
        T d = NAME(gradient)(p[i], g[i], decay, a), si = FMA(d, d, sum[i]);
        sum[i] = si;
        p[i] = p[i] + lr * d / (SQRT(si) + eps);
    }
}

/* f: lr, rho, 1 - rho, eps.  s: mean square of gradients, of changes */
static void NAME(adadelta)(size_t n, void *pp, const void *gg, void *const *s, const rl_optim_args *a)
{
    T *restrict p = pp, *restrict v = s[0], *restrict u = s[1];
    const T *restrict g = gg;
    const T lr = (T)-a->f[0], rho = (T)a->f[1], w = (T)a->f[2], eps = (T)a->f[3], decay = (T)a->weight_decay;
    for (size_t i = 0; i < n; i++) {
        T d = NAME(gradient)(p[i], g[i], decay, a), vi = FMA(w * d, d, v[i] * rho);
        T change = SQRT(u[i] + eps) / SQRT(vi + eps) * d;
        v[i] = vi;
        u[i] = FMA(w * change, change, u[i] * rho);
        p[i] = FMA(lr, change, p[i]);
    }
}

/* f: lr / (1 - beta1^t), 1 - beta1, beta2, eps.  s: mean, infinity norm */
static void NAME(adamax)(size_t n, void *pp, const void *gg, void *const *s, const rl_optim_args *a)
{
    T *restrict p = pp, *restrict m = s[0], *restrict u = s[1];
    const T *restrict g = gg;
    const T step = (T)-a->f[0], w1 = (T)a->f[1], beta2 = (T)a->f[2], eps = (T)a->f[3], decay = (T)a->weight_decay;
    for (size_t i = 0; i < n; i++) {
        T d = NAME(gradient)(p[i], g[i], decay, a), mi = NAME(lerp)(m[i], d, w1);
        T old = u[i] * beta2, now = F(__builtin_fabs)(d) + eps;
        T ui = old > now || old != old ? old : now;
        m[i] = mi;
        u[i] = ui;
        p[i] = p[i] + step * mi / ui;
    }
}

/* f: lr (1 - mu_t) / (1 - product), lr mu_(t+1) / (1 - next product), 1 - beta1, beta2, 1 - beta2, 1 - beta2^t, eps,
 * 1 - lr * weight decay.  s: mean, mean square */
static void NAME(nadam)(size_t n, void *pp, const void *gg, void *const *s, const rl_optim_args *a)
{
    T *restrict p = pp, *restrict m = s[0], *restrict v = s[1];
    const T *restrict g = gg;
    const T from_g = (T)-a->f[0], from_m = (T)-a->f[1], w1 = (T)a->f[2], beta2 = (T)a->f[3], w2 = (T)a->f[4];
    const T correction = (T)a->f[5], eps = (T)a->f[6], decay = (T)a->weight_decay, shrink = a->decoupled ? (T)a->f[7] : 1;
    for (size_t i = 0; i < n; i++) {
        T x = p[i] * shrink, d = NAME(gradient)(p[i], g[i], decay, a);
        T mi = NAME(lerp)(m[i], d, w1), vi = FMA(w2 * d, d, v[i] * beta2);
        T root = SQRT(vi / correction) + eps;
        m[i] = mi;
        v[i] = vi;
        x = x + from_g * d / root;
        p[i] = x + from_m * mi / root;
    }
}

/* f: 1 - beta1, beta2, 1 - beta2, 1 - beta1^t, lr, rectification, sqrt(1 - beta2^t), 1 - lr * weight decay, eps; flag: whether
 * to rectify.  s: mean, mean square */
static void NAME(radam)(size_t n, void *pp, const void *gg, void *const *s, const rl_optim_args *a)
{
    T *restrict p = pp, *restrict m = s[0], *restrict v = s[1];
    const T *restrict g = gg;
    const T w1 = (T)a->f[0], beta2 = (T)a->f[1], w2 = (T)a->f[2], correction1 = (T)a->f[3], lr = (T)a->f[4];
    const T rect = (T)a->f[5], root2 = (T)a->f[6], eps = (T)a->f[8], decay = (T)a->weight_decay;
    const T shrink = a->decoupled ? (T)a->f[7] : 1;
    for (size_t i = 0; i < n; i++) {
        T x = p[i] * shrink, d = NAME(gradient)(p[i], g[i], decay, a);
        T mi = NAME(lerp)(m[i], d, w1), vi = FMA(w2 * d, d, v[i] * beta2);
        m[i] = mi;
        v[i] = vi;
        T change = mi / correction1 * lr;
        if (a->flag[0])
            change = change * (root2 / (SQRT(vi) + eps)) * rect;
        p[i] = x - change;
    }
}

#undef FMA
#undef SQRT
#undef T
#undef F
#undef NAME
