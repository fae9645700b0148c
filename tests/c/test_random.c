/* The generator against the published Mersenne Twister, the functions behind its distributions
 * against the C library's, states, and what a C program sees of it. */
#include "check.h"
#include "core/random.h"
#include "core/random_math.h"
#include "rushlight_ops.h"

/* Seed 5489 gives 3499211612 first and 4123659995 as the 10000th number (the C++ standard's check
 * of mt19937). */
static bool mersenne_twister(void)
{
    rl_generator *g = rl_generator_new(5489);
    NEED(g);
    CHECK(rl_draw_word(g) == 3499211612u);
    uint32_t words[9999];
    rl_draw_words(g, words, 9999);
    CHECK(words[9998] == 4123659995u);
    rl_manual_seed(g, 5489 + ((uint64_t)7 << 32)); /* only the lower half chooses the sequence */
    CHECK(rl_initial_seed(g) == 5489 + ((uint64_t)7 << 32));
    uint64_t both = rl_draw_long(g);
    CHECK(both >> 32 == 3499211612u && (uint32_t)both == words[0]);
    rl_generator_release(g);
    return true;
}

/* However the draws are cut into calls, the words are the same. */
static bool pieces(void)
{
    rl_generator *g = rl_generator_new(1);
    NEED(g);
    uint32_t whole[3000], part[3000];
    rl_draw_words(g, whole, 3000);
    rl_manual_seed(g, 1);
    for (size_t at = 0, n = 0; at < 3000; at += n) {
        n = (at * 7 + 1) % 700;
        if (n > 3000 - at)
            n = 3000 - at;
        rl_draw_words(g, part + at, n);
    }
    CHECK(!memcmp(whole, part, sizeof whole));
    rl_generator_release(g);
    return true;
}

static bool states(void)
{
    rl_generator *g = rl_generator_new(3);
    NEED(g);
    rl_draw_normal(g); /* a second one waits now */
    rl_generator *copy = rl_generator_clone(g);
    if (!copy)
        rl_generator_release(g);
    NEED(copy);
    CHECK(copy->has_normal && rl_initial_seed(copy) == 3);
    for (int i = 0; i < 9; i++)
        CHECK(rl_draw_normal(g) == rl_draw_normal(copy));
    uint8_t bytes[RL_RANDOM_STATE_BYTES];
    rl_random_get_state(g, bytes);
    CHECK(rl_random_set_state(copy, bytes, 10) == RL_ERUNTIME);
    CHECK_STR(rl_error_message(), "Expected a CPUGeneratorImplState of size 5056 but found the "
                                  "input RNG state size to be 10");
    CHECK(rl_random_set_state(copy, bytes, sizeof bytes) == RL_OK);
    CHECK(rl_draw_word(copy) == rl_draw_word(g));
    bytes[9] = 3; /* 768 words and more left, of 624 */
    CHECK(rl_random_set_state(copy, bytes, sizeof bytes) == RL_ERUNTIME);
    CHECK_STR(rl_error_message(), "Invalid mt19937 state");
    CHECK(rl_draw_word(copy) == rl_draw_word(g));
    rl_generator_release(g);
    rl_generator_release(copy);
    return true;
}

/* Units in the last place between x and the C library's result. */
static double ulps(double x, double should)
{
    return x == should ? 0 : fabs(x - should) / (fabs(should) * 0x1p-52);
}

static bool functions(void)
{
    double worst_log = 0, worst_sine = 0, worst_exp = 0;
    rl_generator *g = rl_generator_new(0);
    NEED(g);
    for (int i = 0; i < 200000; i++) {
        double u = rl_draw_unit(g), sine, cosine;
        double small = ldexp(u, -(i % 60)) + 0x1p-60;
        worst_log = fmax(worst_log, ulps(rl_log_unit(small), log(small)));
        worst_log = fmax(worst_log, ulps(rl_log_unit(1 - u), log(1 - u)));
        double x = 6.28318530717958647692 * (i % 3 ? u : small);
        rl_sincos_turn(i % 2 ? x : -x, &sine, &cosine);
        worst_sine = fmax(worst_sine, ulps(sine, sin(i % 2 ? x : -x)));
        worst_sine = fmax(worst_sine, ulps(cosine, cos(x)));
        x = (u - 0.5) * (i % 2 ? 1400 : 2);
        worst_exp = fmax(worst_exp, ulps(rl_exp_any(x), exp(x)));
    }
    CHECK(worst_log <= 2 && worst_sine <= 2 && worst_exp <= 2);
    CHECK(rl_log_unit(1) == 0 && rl_log_unit(0.5) == -0.69314718055994530942);
    CHECK(rl_exp_any(0) == 1 && rl_exp_any(800) == HUGE_VAL && rl_exp_any(-800) == 0);
    CHECK(isnan(rl_exp_any(NAN)));
    rl_generator_release(g);
    return true;
}

/* What PyTorch 2.13 prints after manual_seed(0). */
static bool operators(void)
{
    rl_manual_seed(NULL, 0);
    MAKE(x, rl_rand(INTS(2), NULL, RL_NO_DTYPE));
    CHECK(floats(x)[0] == 0.49625658988952637f && floats(x)[1] == 0.7682217955589294f);
    rl_manual_seed(NULL, 0);
    MAKE(p, rl_randperm(5, NULL, RL_NO_DTYPE));
    const int64_t order[5] = {4, 0, 1, 3, 2};
    CHECK(p->dtype == RL_I64 && !memcmp(p->data, order, sizeof order));
    rl_generator *g = rl_generator_new(0);
    NEED(g);
    RL_TEMP *y = rl_rand(INTS(2), g, RL_NO_DTYPE);
    rl_generator_release(g);
    NEED(y);
    CHECK(floats(y)[1] == floats(x)[1]);
    MAKE(leaf, rl_rand(INTS(2), NULL, RL_NO_DTYPE));
    float kept = floats(leaf)[0];
    NEED(!rl_set_requires_grad(leaf, true));
    FAILS(rl_normal_(leaf, 0, 1, NULL), RL_ERUNTIME,
          "a leaf Variable that requires grad is being used in an in-place operation.");
    FAILS(rl_uniform_(x, 2, 1, NULL), RL_ERUNTIME,
          "uniform_ expects to return a [from, to) range, but found from=2 > to=1");
    CHECK(floats(leaf)[0] == kept);
    MAKE(weights, rl_rand(INTS(3, 4), NULL, RL_F64));
    MAKE(drawn, rl_multinomial(weights, 2, false, NULL));
    MAKE(again, rl_multinomial(weights, 9, true, NULL));
    for (int i = 0; i < 6; i++)
        CHECK(((int64_t *)drawn->data)[i] >= 0 && ((int64_t *)drawn->data)[i] < 4);
    for (int i = 0; i < 27; i++)
        CHECK(((int64_t *)again->data)[i] >= 0 && ((int64_t *)again->data)[i] < 4);
    MAKE(half, rl_bernoulli(weights, NULL));
    MAKE(fewer, rl_dropout(half, 0.5, true));
    return true;
}

int main(void)
{
    RUN(mersenne_twister);
    RUN(pieces);
    RUN(states);
    RUN(functions);
    RUN(operators);
    return failures != 0;
}
