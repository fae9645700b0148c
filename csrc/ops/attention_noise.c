/* attention_noise.c: the coins of attention's dropout. */
#include <math.h>

#include "core/random_math.h"
#include "ops/attention.h"

/* Of rl_generator: what words are drawn from. */
typedef struct snapshot {
    uint32_t state[RL_MT_N];
    int32_t left, next;
} snapshot;

static int64_t blocks_of(int64_t length)
{
    return (length + RL_ATTENTION_ROWS - 1) / RL_ATTENTION_ROWS;
}

static void skip_words(rl_generator *g, const rl_random_kernels *k, int64_t n)
{
    while (n > 0) {
        if (g->left == 1) {
            k->advance(g->state);
            g->left = RL_MT_N + 1;
            g->next = 0;
        }
        int64_t m = g->left - 1 < n ? g->left - 1 : n;
        g->left -= (int)m;
        g->next += (int)m;
        n -= m;
    }
}

rl_tensor *rl_attention_noise(int64_t matrices, int64_t length, int64_t keys)
{
    const int64_t blocks = blocks_of(length), total = matrices * blocks;
    const int64_t bytes = total * (int64_t)sizeof(snapshot);
    rl_tensor *noise = rl_new(RL_U8, 1, &bytes);
    if (!noise)
        return NULL;
    snapshot *to = (snapshot *)noise->data;
    const rl_random_kernels *kernels = rl_random_table();
    rl_generator *g = rl_generator_lock(NULL);
    for (int64_t i = 0; i < total; i++) {
        const int64_t first = i % blocks * RL_ATTENTION_ROWS, left = length - first;
        memcpy(to[i].state, g->state, sizeof to[i].state);
        to[i].left = g->left;
        to[i].next = g->next;
        skip_words(g, kernels, 2 * keys * (left < RL_ATTENTION_ROWS ? left : RL_ATTENTION_ROWS));
    }
    rl_generator_unlock(g);
    return noise;
}

void rl_attention_draw(const rl_attention *t, int64_t batch, int64_t first, int64_t rows,
                       void *noise)
{
    enum { CHUNK = 512 };
    const int64_t at = batch * blocks_of(t->length) + first / RL_ATTENTION_ROWS;
    const snapshot *from = (const snapshot *)t->noise->data + at;
    rl_generator g;
    memcpy(g.state, from->state, sizeof g.state);
    g.left = from->left;
    g.next = from->next;
    const rl_random_kernels *kernels = rl_random_table();
    const double keep = 1.0 - t->dropout;
    const uint64_t below = (uint64_t)ceil(keep * 0x1p53);
    const float one = 1.0f / (float)keep;
    uint32_t bits[2 * CHUNK];
    for (int64_t i = 0, n = rows * t->keys; i < n; i += CHUNK) {
        const int64_t m = n - i < CHUNK ? n - i : CHUNK;
        rl_draw_words(&g, bits, (size_t)(2 * m));
        if (t->dtype == RL_F32)
            kernels->bernoulli_f32(bits, (float *)noise + i, (size_t)m, below, one);
        else
            for (int64_t k = 0; k < m; k++)
                ((double *)noise)[i + k] =
                    rl_unit53(bits[2 * k], bits[2 * k + 1]) < keep ? 1.0 / keep : 0.0;
    }
}
