/* rnn.tmpl.h: steps of recurrent layers in a floating dtype; kernels/rnn.h says what the operands
 * are.  Needs T, NAME(f), and for the forward formulas a vector V of V_WIDTH elements with V_LOAD,
 * V_STORE, SIGMOID(v), TANH(v), or one element, of which the compiler makes vectors; undefines them
 * at its end. */

#define ROW(matrix, r) ((T *)(matrix).p + (r) * (matrix).ld)
#define EACH_ROW for (int64_t r = 0; r < s->rows; r++)
#define EACH_UNIT RL_IVDEP for (int64_t j = 0; j < n; j++)

/* Calls units(p) for V_WIDTH units after the other of a row of n, p pointing to them in each of
 * `count` arrays, of which the first `written` are results; for the last ones, when they are fewer,
 * in copies. */
static inline __attribute__((always_inline)) void
NAME(each_units)(int64_t n, int count, int written, T *const *arrays, void (*units)(T *const *p))
{
    T *p[8];
    int64_t j = 0;
    RL_IVDEP for (; j + V_WIDTH <= n; j += V_WIDTH)
    {
#pragma GCC unroll 8 /* into registers */
        for (int i = 0; i < count; i++)
            p[i] = arrays[i] + j;
        units(p);
    }
    if (j < n) {
        T edge[8][V_WIDTH];
        const size_t bytes = (size_t)(n - j) * sizeof(T);
        for (int i = 0; i < count; i++) {
            p[i] = memset(edge[i], 0, sizeof edge[i]);
            memcpy(p[i], arrays[i] + j, bytes);
        }
        units(p);
        for (int i = 0; i < written; i++)
            memcpy(arrays[i] + j, p[i], bytes);
    }
}

static inline __attribute__((always_inline)) void NAME(lstm_units)(T *const *p)
{
    const V i = SIGMOID(V_LOAD(p[0])), f = SIGMOID(V_LOAD(p[1]));
    const V g = TANH(V_LOAD(p[2])), o = SIGMOID(V_LOAD(p[3]));
    const V c = f * V_LOAD(p[7]) + i * g, t = TANH(c);
    V_STORE(p[0], i);
    V_STORE(p[1], f);
    V_STORE(p[2], g);
    V_STORE(p[3], o);
    V_STORE(p[4], c);
    V_STORE(p[5], t);
    V_STORE(p[6], o * t);
}

static void NAME(lstm)(const rl_rnn_step *s)
{
    const int64_t n = s->n;
    EACH_ROW
    {
        T *in = ROW(s->gates, r);
        T *const arrays[] = {in,
                             in + n,
                             in + 2 * n,
                             in + 3 * n,
                             ROW(s->cell, r),
                             ROW(s->inner, r),
                             ROW(s->hidden, r),
                             ROW(s->before, r)};
        NAME(each_units)(n, 8, 7, arrays, NAME(lstm_units));
    }
}

static inline __attribute__((always_inline)) void NAME(gru_units)(T *const *p)
{
    const V a = SIGMOID(V_LOAD(p[0])), z = SIGMOID(V_LOAD(p[1]));
    const V m = TANH(V_LOAD(p[2]) + a * V_LOAD(p[5]));
    const V h = m + z * (V_LOAD(p[6]) - m);
    V_STORE(p[0], a);
    V_STORE(p[1], z);
    V_STORE(p[2], m);
    V_STORE(p[3], h);
    V_STORE(p[4], h);
}

static void NAME(gru)(const rl_rnn_step *s)
{
    const int64_t n = s->n;
    EACH_ROW
    {
        T *reset = ROW(s->gates, r);
        T *const arrays[] = {reset,
                             reset + n,
                             reset + 2 * n,
                             ROW(s->cell, r),
                             ROW(s->hidden, r),
                             ROW(s->inner, r),
                             ROW(s->before, r)};
        NAME(each_units)(n, 7, 5, arrays, NAME(gru_units));
    }
}

static inline __attribute__((always_inline)) void NAME(rnn_tanh_units)(T *const *p)
{
    const V h = TANH(V_LOAD(p[0]));
    V_STORE(p[0], h);
    V_STORE(p[1], h);
}

static void NAME(rnn_tanh)(const rl_rnn_step *s)
{
    EACH_ROW
    {
        T *const arrays[] = {ROW(s->gates, r), ROW(s->hidden, r)};
        NAME(each_units)(s->n, 2, 2, arrays, NAME(rnn_tanh_units));
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

static void NAME(rnn_relu)(const rl_rnn_step *s)
{
    const int64_t n = s->n;
    EACH_ROW
    {
        T *restrict gate = ROW(s->gates, r), *restrict hidden = ROW(s->hidden, r);
        EACH_UNIT
        {
            const T x = gate[j], h = x < 0 ? 0 : x;
            gate[j] = h;
            hidden[j] = h;
        }
    }
}

#define RNN(name, slope)                                                                           \
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
RNN(rnn_tanh, dh * (1 - h * h))
RNN(rnn_relu, h > 0 ? dh : 0)

#undef RNN
#undef DH
#endif /* RL_HAS_F64 */

#undef ROW
#undef EACH_ROW
#undef EACH_UNIT
#undef T
#undef V
#undef V_WIDTH
#undef V_LOAD
#undef V_STORE
#undef NAME
#undef SIGMOID
#undef TANH
