/* rnn.tmpl.h: steps of recurrent layers in a floating dtype; kernels/rnn.h says what the operands
 * are.  Needs T, NAME(f), M(f) (our function), SIGMOID(x); undefines them at its end. */

#define ROW(matrix, r) ((T *)(matrix).p + (r) * (matrix).ld)
#define EACH_ROW for (int64_t r = 0; r < s->rows; r++)
#define EACH_UNIT RL_IVDEP for (int64_t j = 0; j < n; j++)

static void NAME(lstm)(const rl_rnn_step *s)
{
    const int64_t n = s->n;
    EACH_ROW
    {
        T *restrict in = ROW(s->gates, r), *restrict forget = in + n, *restrict new = in + 2 * n;
        T *restrict out = in + 3 * n, *restrict cell = ROW(s->cell, r);
        T *restrict squashed = ROW(s->inner, r), *restrict hidden = ROW(s->hidden, r);
        const T *restrict before = ROW(s->before, r);
        EACH_UNIT
        {
            T i = SIGMOID(in[j]), g = M(tanh)(new[j]);
            in[j] = i;
            new[j] = g;
            hidden[j] = i * g;
        }
        EACH_UNIT
        {
            T f = SIGMOID(forget[j]), o = SIGMOID(out[j]);
            T c = f * before[j] + hidden[j];
            T t = M(tanh)(c);
            forget[j] = f;
            out[j] = o;
            cell[j] = c;
            squashed[j] = t;
            hidden[j] = o * t;
        }
    }
}

static void NAME(gru)(const rl_rnn_step *s)
{
    const int64_t n = s->n;
    EACH_ROW
    {
        T *restrict reset = ROW(s->gates, r), *restrict keep = reset + n;
        T *restrict new = reset + 2 * n, *restrict hidden = ROW(s->hidden, r);
        T *restrict copy = ROW(s->cell, r);
        const T *restrict before = ROW(s->before, r), *restrict inner = ROW(s->inner, r);
        EACH_UNIT
        {
            T a = SIGMOID(reset[j]), z = SIGMOID(keep[j]);
            T m = M(tanh)(new[j] + a *inner[j]);
            reset[j] = a;
            keep[j] = z;
            new[j] = m;
            T h = m + z * (before[j] - m);
            copy[j] = h;
            hidden[j] = h;
        }
    }
}

#if RL_HAS_F64
/* ---- backward: dgates may be the memory of gates, and of GRU's inner behind them ---- */

/* The gradient of h' from both sides, element j of row r. */
#define DH(j) (grad ? dhidden[j] + grad[j] : dhidden[j])

/* One row: grad is a constant NULL in one of the two calls, so that the loop knows no branch. */
static inline __attribute__((always_inline)) void NAME(lstm_row)(const rl_rnn_step *s, int64_t r,
                                                                 const T *restrict grad)
{
    const int64_t n = s->n;
    const T *in = ROW(s->gates, r), *forget = in + n, *new = in + 2 * n, *out = in + 3 * n;
    const T *restrict before = ROW(s->before, r), *restrict squashed = ROW(s->inner, r);
    const T *restrict dhidden = ROW(s->dhidden, r);
    T *restrict dcell = ROW(s->dcell, r);
    T *di = ROW(s->dgates, r), *df = di + n, *dg = di + 2 * n, *d_o = di + 3 * n;
    EACH_UNIT
    {
        const T i = in[j], f = forget[j], g = new[j], o = out[j], t = squashed[j], dh = DH(j);
        const T dc = dcell[j] + dh * o * (1 - t * t);
        dcell[j] = dc * f;
        di[j] = dc * g * (i * (1 - i));
        df[j] = dc * before[j] * (f * (1 - f));
        dg[j] = dc * i * (1 - g * g);
        d_o[j] = dh * t * (o * (1 - o));
    }
}

static void NAME(lstm_backward)(const rl_rnn_step *s)
{
    if (s->grad.p)
        EACH_ROW NAME(lstm_row)(s, r, ROW(s->grad, r));
    else
        EACH_ROW NAME(lstm_row)(s, r, NULL);
}

static inline __attribute__((always_inline)) void NAME(gru_row)(const rl_rnn_step *s, int64_t r,
                                                                const T *restrict grad)
{
    const int64_t n = s->n;
    const T *reset = ROW(s->gates, r), *keep = reset + n, *new = reset + 2 * n;
    const T *restrict before = ROW(s->before, r), *inner = ROW(s->inner, r);
    T *restrict dhidden = ROW(s->dhidden, r);
    T *da = ROW(s->dgates, r), *dz = da + n, *dinner = da + 2 * n, *dm = da + 3 * n;
    EACH_UNIT
    {
        const T a = reset[j], z = keep[j], m = new[j], dh = DH(j);
        const T d = dh * (1 - z) * (1 - m * m), v = inner[j];
        da[j] = d * v * (a * (1 - a));
        dz[j] = dh * (before[j] - m) * (z * (1 - z));
        dinner[j] = d * a;
        dm[j] = d;
        dhidden[j] = dh * z;
    }
}

static void NAME(gru_backward)(const rl_rnn_step *s)
{
    if (s->grad.p)
        EACH_ROW NAME(gru_row)(s, r, ROW(s->grad, r));
    else
        EACH_ROW NAME(gru_row)(s, r, NULL);
}

#define RNN(name, formula, slope)                                                                  \
    static void NAME(name)(const rl_rnn_step *s)                                                   \
    {                                                                                              \
        const int64_t n = s->n;                                                                    \
        EACH_ROW                                                                                   \
        {                                                                                          \
            T *restrict gate = ROW(s->gates, r), *restrict hidden = ROW(s->hidden, r);             \
            EACH_UNIT                                                                              \
            {                                                                                      \
                const T x = gate[j];                                                               \
                const T h = (formula);                                                             \
                gate[j] = h;                                                                       \
                hidden[j] = h;                                                                     \
            }                                                                                      \
        }                                                                                          \
    }                                                                                              \
    static inline __attribute__((always_inline)) void NAME(name##_row)(                            \
        const rl_rnn_step *s, int64_t r, const T *restrict grad)                                   \
    {                                                                                              \
        const int64_t n = s->n;                                                                    \
        const T *restrict gate = ROW(s->gates, r), *restrict dhidden = ROW(s->dhidden, r);         \
        T *restrict dgate = ROW(s->dgates, r);                                                     \
        EACH_UNIT                                                                                  \
        {                                                                                          \
            const T h = gate[j], dh = DH(j);                                                       \
            dgate[j] = (slope);                                                                    \
        }                                                                                          \
    }                                                                                              \
    static void NAME(name##_backward)(const rl_rnn_step *s)                                        \
    {                                                                                              \
        if (s->grad.p)                                                                             \
            EACH_ROW NAME(name##_row)(s, r, ROW(s->grad, r));                                      \
        else                                                                                       \
            EACH_ROW NAME(name##_row)(s, r, NULL);                                                 \
    }
RNN(rnn_tanh, M(tanh)(x), dh * (1 - h * h))
RNN(rnn_relu, x < 0 ? 0 : x, h > 0 ? dh : 0)

#undef RNN
#undef DH
#endif /* RL_HAS_F64 */

#undef ROW
#undef EACH_ROW
#undef EACH_UNIT
#undef T
#undef M
#undef NAME
#undef SIGMOID
