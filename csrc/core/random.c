/* random.c: the generator: seeding, state, words, and the numbers that are drawn one at a time. */
#include "core/random.h"

#include <string.h>
#include <time.h>
#ifdef __linux__
#include <sys/random.h>
#endif

#include "core/alloc.h"
#include "core/cpu.h"
#include "core/error.h"
#include "core/random_math.h"

static rl_generator default_generator;
static pthread_once_t default_once = PTHREAD_ONCE_INIT;

const rl_random_kernels *rl_random_table(void)
{
    switch (rl_cpu_isa_level()) {
#ifdef RL_HAVE_AVX2
    case RL_LEVEL_AVX512:
    case RL_LEVEL_AVX2:
        return &rl_random_avx2;
#endif
    default:
        return &rl_random_portable;
    }
}

/* Only the lower 32 bits of the seed matter, as in PyTorch. */
static void seed_state(rl_generator *g, uint64_t seed)
{
    g->seed = seed;
    uint32_t *s = g->state;
    s[0] = (uint32_t)seed;
    for (uint32_t i = 1; i < RL_MT_N; i++)
        s[i] = 1812433253u * (s[i - 1] ^ (s[i - 1] >> 30)) + i;
    g->left = 1;
    g->next = 0;
    g->seeded = true;
    g->has_normal = g->has_float_normal = false;
    g->normal = 0;
    g->float_normal = 0;
}

/* A lock that a thread holds while another forks would stay locked in the child. */
static void reset_default_lock(void) { pthread_mutex_init(&default_generator.lock, NULL); }

static void init_default(void)
{
    atomic_init(&default_generator.refs, 1);
    reset_default_lock();
    seed_state(&default_generator, RL_DEFAULT_SEED);
    pthread_atfork(NULL, NULL, reset_default_lock);
}

rl_generator *rl_default_generator(void)
{
    pthread_once(&default_once, init_default);
    return &default_generator;
}

rl_generator *rl_generator_new(uint64_t seed)
{
    rl_generator *g = rl_alloc(sizeof *g);
    if (!g)
        return NULL;
    atomic_init(&g->refs, 1);
    pthread_mutex_init(&g->lock, NULL);
    seed_state(g, seed);
    return g;
}

void rl_generator_retain(rl_generator *g)
{
    if (g)
        atomic_fetch_add_explicit(&g->refs, 1, memory_order_relaxed);
}

void rl_generator_release(rl_generator *g)
{
    if (!g || atomic_fetch_sub_explicit(&g->refs, 1, memory_order_acq_rel) != 1 ||
        g == &default_generator)
        return;
    pthread_mutex_destroy(&g->lock);
    rl_free(g, sizeof *g);
}

rl_generator *rl_generator_lock(rl_generator *g)
{
    if (!g)
        g = rl_default_generator();
    pthread_mutex_lock(&g->lock);
    return g;
}

void rl_generator_unlock(rl_generator *g) { pthread_mutex_unlock(&g->lock); }

void rl_manual_seed(rl_generator *g, uint64_t seed)
{
    g = rl_generator_lock(g);
    seed_state(g, seed);
    rl_generator_unlock(g);
}

uint64_t rl_initial_seed(const rl_generator *g) { return (g ? g : rl_default_generator())->seed; }

uint64_t rl_random_entropy(void)
{
    uint64_t bits;
#ifdef __linux__
    if (getrandom(&bits, sizeof bits, 0) == (ssize_t)sizeof bits)
        return bits;
#endif
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    bits = (uint64_t)t.tv_sec * 1000000007u ^ (uint64_t)t.tv_nsec << 20 ^ (uint64_t)(uintptr_t)&t;
    bits = (bits ^ bits >> 31) * 0x9e3779b97f4a7c15u;
    return bits ^ bits >> 29;
}

/* ---- words ---- */

void rl_draw_words(rl_generator *g, uint32_t *y, size_t n)
{
    const rl_random_kernels *k = rl_random_table();
    while (n) {
        if (g->left == 1) {
            k->advance(g->state);
            g->left = RL_MT_N + 1;
            g->next = 0;
        }
        size_t m = (size_t)g->left - 1;
        if (m > n)
            m = n;
        k->temper(g->state + g->next, y, m);
        g->left -= (int)m;
        g->next += (int)m;
        y += m;
        n -= m;
    }
}

uint32_t rl_draw_word(rl_generator *g)
{
    uint32_t v;
    rl_draw_words(g, &v, 1);
    return v;
}

uint64_t rl_draw_long(rl_generator *g)
{
    uint32_t v[2];
    rl_draw_words(g, v, 2);
    return (uint64_t)v[0] << 32 | v[1];
}

/* One word of the state as it is handed out: kernels' temper, for a word alone. */
static uint32_t tempered(uint32_t w)
{
    w ^= w >> 11;
    w ^= (w << 7) & 0x9d2c5680u;
    w ^= (w << 15) & 0xefc60000u;
    return w ^ (w >> 18);
}

double rl_draw_unit(rl_generator *g)
{
    uint32_t v[2];
    if (g->left > 2) { /* no call for what is drawn most often alone */
        const uint32_t *s = g->state + g->next;
        g->left -= 2;
        g->next += 2;
        return rl_unit53(tempered(s[0]), tempered(s[1]));
    }
    rl_draw_words(g, v, 2);
    return rl_unit53(v[0], v[1]);
}

double rl_draw_normal(rl_generator *g)
{
    double y;
    rl_draw_normals(g, &y, 1);
    return y;
}

void rl_draw_normals(rl_generator *g, double *y, size_t n)
{
    enum { PAIRS = 128 };
    const rl_random_kernels *k = rl_random_table();
    uint32_t bits[4 * PAIRS];
    if (n && g->has_normal) {
        g->has_normal = false;
        *y++ = g->normal;
        n--;
    }
    while (n > 1) {
        size_t pairs = n / 2 < PAIRS ? n / 2 : PAIRS;
        rl_draw_words(g, bits, 4 * pairs);
        k->normal_pairs(bits, y, pairs);
        y += 2 * pairs;
        n -= 2 * pairs;
    }
    if (n) {
        double pair[2];
        rl_draw_words(g, bits, 4);
        k->normal_pairs(bits, pair, 1);
        *y = pair[0];
        g->normal = pair[1];
        g->has_normal = true;
    }
}

/* ---- state: PyTorch's layout, little-endian ----
 *    0 seed u64    8 left i32    12 seeded i32    16 next u64    24 state, 624 words as u64
 * 5016 unused f64  5024 waiting normal f64        5032 unused f64
 * 5040 whether a normal waits i32    5048 waiting float32 normal    5052 whether it waits, one byte
 */

enum {
    AT_WORDS = 24,
    AT_NORMAL = 5024,
    AT_HAS_NORMAL = 5040,
    AT_FLOAT = 5048,
    AT_HAS_FLOAT = 5052
};

static void put(uint8_t *p, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static uint64_t get(const uint8_t *p, int bytes)
{
    uint64_t v = 0;
    for (int i = 0; i < bytes; i++)
        v |= (uint64_t)p[i] << 8 * i;
    return v;
}

void rl_random_get_state(rl_generator *g, uint8_t *bytes)
{
    g = rl_generator_lock(g);
    memset(bytes, 0, RL_RANDOM_STATE_BYTES);
    put(bytes, g->seed, 8);
    put(bytes + 8, (uint64_t)g->left, 4);
    put(bytes + 12, g->seeded, 4);
    put(bytes + 16, (uint64_t)g->next, 8);
    for (int i = 0; i < RL_MT_N; i++)
        put(bytes + AT_WORDS + 8 * i, g->state[i], 8);
    uint64_t normal = 0;
    uint32_t single = 0;
    if (g->has_normal)
        memcpy(&normal, &g->normal, 8);
    if (g->has_float_normal)
        memcpy(&single, &g->float_normal, 4);
    put(bytes + AT_NORMAL, normal, 8);
    put(bytes + AT_HAS_NORMAL, g->has_normal, 4);
    put(bytes + AT_FLOAT, single, 4);
    bytes[AT_HAS_FLOAT] = g->has_float_normal;
    rl_generator_unlock(g);
}

rl_status rl_random_set_state(rl_generator *g, const uint8_t *bytes, int64_t n)
{
    if (n != RL_RANDOM_STATE_BYTES)
        return rl_error(RL_ERUNTIME,
                        "Expected a CPUGeneratorImplState of size %d but found the input RNG state "
                        "size to be %lld",
                        RL_RANDOM_STATE_BYTES, (long long)n);
    int32_t left = (int32_t)(uint32_t)get(bytes + 8, 4);
    uint64_t next = get(bytes + 16, 8);
    /* The words left and the next one's index belong together; else draws would read past the
     * state. */
    if (!get(bytes + 12, 4) || left < 1 || left > RL_MT_N || next > RL_MT_N ||
        (left > 1 && next + (uint64_t)left - 1 > RL_MT_N))
        return rl_error(RL_ERUNTIME, "Invalid mt19937 state");
    g = rl_generator_lock(g);
    g->seed = get(bytes, 8);
    g->left = left;
    g->next = (int)next;
    g->seeded = true;
    for (int i = 0; i < RL_MT_N; i++)
        g->state[i] = (uint32_t)get(bytes + AT_WORDS + 8 * i, 8);
    uint64_t normal = get(bytes + AT_NORMAL, 8);
    uint32_t single = (uint32_t)get(bytes + AT_FLOAT, 4);
    g->has_normal = get(bytes + AT_HAS_NORMAL, 4) != 0;
    g->has_float_normal = bytes[AT_HAS_FLOAT] != 0;
    memcpy(&g->normal, &normal, 8);
    memcpy(&g->float_normal, &single, 4);
    rl_generator_unlock(g);
    return RL_OK;
}

rl_generator *rl_generator_clone(rl_generator *g)
{
    rl_generator *copy = rl_generator_new(0);
    if (!copy)
        return NULL;
    uint8_t state[RL_RANDOM_STATE_BYTES];
    rl_random_get_state(g, state);
    rl_random_set_state(copy, state, sizeof state);
    return copy;
}
