/* random.h: PyTorch's CPU generator, the Mersenne Twister, and draws from it.
 *
 * A word is 32 bits.  Which words a number is made of follows PyTorch, so that the same seed gives
 * the same numbers. The caller holds the generator's lock around rl_draw_... calls
 * (rl_generator_lock). */
#ifndef RL_CORE_RANDOM_H
#define RL_CORE_RANDOM_H

#include <pthread.h>
#include <stdatomic.h>

#include "kernels/random.h"
#include "rushlight.h"

#define RL_DEFAULT_SEED 67280421310721ull
#define RL_RANDOM_STATE_BYTES 5056 /* of PyTorch's serialised state */

struct rl_generator {
    atomic_int refs;
    pthread_mutex_t lock;
    uint64_t seed;
    uint32_t state[RL_MT_N];
    int left; /* words left in state, plus one: 1 means that the next draw advances it */
    int next; /* index of the next word */
    bool seeded;
    bool has_normal; /* Box-Muller makes two: the second waits here */
    double normal;
    bool has_float_normal; /* PyTorch's state has a place for it; nothing on the CPU uses it */
    float float_normal;
};

/* The generator to use: g, or the default one when NULL, locked. */
rl_generator *rl_generator_lock(rl_generator *g);
void rl_generator_unlock(rl_generator *g);

/* The kernels in use. */
const rl_random_kernels *rl_random_table(void);

void rl_draw_words(rl_generator *g, uint32_t *y, size_t n);
uint32_t rl_draw_word(rl_generator *g);
uint64_t rl_draw_long(rl_generator *g); /* two words, the first on top */
double rl_draw_unit(rl_generator *g);   /* [0, 1), 53 bits */
/* Mean 0, deviation 1.  Numbers come in pairs: the second of one not used up waits for the next
 * call. */
double rl_draw_normal(rl_generator *g);
void rl_draw_normals(rl_generator *g, double *y, size_t n);

/* PyTorch's serialised state.  rl_random_set_state: RL_ERUNTIME for a wrong size or an impossible
 * state. */
void rl_random_get_state(rl_generator *g, uint8_t *bytes);
rl_status rl_random_set_state(rl_generator *g, const uint8_t *bytes, int64_t n);
/* A new generator in the same state; NULL when memory is short. */
rl_generator *rl_generator_clone(rl_generator *g);
/* 64 unpredictable bits from the system. */
uint64_t rl_random_entropy(void);

#endif
