/* tables_f32.h: exp, tanh and x Phi(x) in float32 by tables, for the loops where they are hot. Each
 * is a short polynomial around one of up to 16 centres (tools/fit_tables.py computes them), with
 * errors of at most 1.1 (exp), 1 (tanh) and 2 (gelu; 4.4 below x = -4) units of the last place
 * (tests/c/test_math.c). */
#ifndef RL_KERNELS_TABLES_F32_H
#define RL_KERNELS_TABLES_F32_H

#include "vec_f32.h"

/* e^x for -104 <= x <= 89, and nan: 2^n e^r, n a multiple of 1/16, |r| <= ln(2) / 32.  normal: |x|
 * is below 87. */
VF_INLINE VF vf_exp_clamped(VF x, bool normal)
{
    static const float power[16] = {0x1.000000p+0f, 0x1.0b5586p+0f, 0x1.172b84p+0f, 0x1.2387a6p+0f,
                                    0x1.306fe0p+0f, 0x1.3dea64p+0f, 0x1.4bfdaep+0f, 0x1.5ab07ep+0f,
                                    0x1.6a09e6p+0f, 0x1.7a1148p+0f, 0x1.8ace54p+0f, 0x1.9c4918p+0f,
                                    0x1.ae89fap+0f, 0x1.c199bep+0f, 0x1.d5818ep+0f, 0x1.ea4afap+0f};
    const VF magic = vf_all(0x1.8p19f), shifted = vf_fma(x, vf_all(0x1.715476p+0f), magic);
    const VF n = shifted - magic;
    const VF r = vf_fma(n, vf_all(0x1.05c61p-29f), vf_fma(n, vf_all(-0x1.62e43p-1f), x)); /* ln 2 */
    const VF q = vf_fma(vf_fma(vf_all(0x1.55565cp-3f), r, vf_all(0x1.000148p-1f)), r, vf_all(1));
    const VF t = vf_of_16(power, vf_bits(shifted));
    const VF y = vf_fma(t, q * r, t);
    return normal ? vf_scale_normal(y, shifted) : vf_scale(y, n, shifted);
}
VF_INLINE VF vf_exp(VF x)
{
    return vf_within(x, 87) ? vf_exp_clamped(x, true)
                            : vf_exp_clamped(vf_max(vf_all(-104), vf_min(vf_all(89), x)), false);
}

/* Row k of a table: first the centres, then the coefficients.  Of f(a) near the centre chosen by
 * `at`. */
#define VF_PIECE(table, at, a) vf_piece(table, sizeof(table) / sizeof *(table), at, a)
VF_INLINE VF vf_piece(const float (*table)[16], int rows, VU at, VF a)
{
    const VF t = a - vf_of_16(table[0], at);
    VF y = vf_of_16(table[rows - 1], at);
#pragma GCC unroll 16
    for (int k = rows - 2; k > 0; k--)
        y = vf_fma(y, t, vf_of_16(table[k], at));
    return y;
}

/* Four intervals in each octave of |x| + 9/8. */
VF_INLINE VF vf_tanh(VF x)
{
    static const float table[][16] = {
        {1.12505341f, 1.62472534f, 2.12539673f, 2.62528229f, 3.37478638f, 4.37502289f, 5.37470245f,
         6.3769455f, 7.86039734f, 8.66825867f, 0, 0, 0, 0.250076294f, 0.499916077f, 0.749832153f},
        {0.809319496f, 0.925306737f, 0.971894741f, 0.989565611f, 0.997659981f, 0.999683142f,
         0.999957085f, 0.999994218f, 0.999999702f, 0.99999994f, 0, 0, 0, 0.244990379f, 0.462051153f,
         0.635048807f},
        {0.345001906f, 0.143807366f, 0.0554206036f, 0.0207599048f, 0.00467464747f, 0.000633628748f,
         8.58308485e-05f, 1.15643752e-05f, 5.95977838e-07f, 1.18277732e-07f, 0, 0, 1.0f,
         0.939979732f, 0.786508739f, 0.596713006f},
        {-0.279217005f, -0.133065894f, -0.0538629815f, -0.0205432847f, -0.00466367416f,
         -0.000633424439f, -8.58266503e-05f, -1.15642888e-05f, -5.95513995e-07f, -1.18261241e-07f,
         0, 0, -3.90337824e-08f, -0.230285883f, -0.363407284f, -0.378941923f},
        {0.110982217f, 0.0752008706f, 0.0338766985f, 0.0134086385f, 0.00309175136f, 0.0004215753f,
         5.71521014e-05f, 7.70124188e-06f, 3.89695089e-07f, 7.8707977e-08f, 0, 0, -0.333328903f,
         -0.256911159f, -0.0942618921f, 0.0417410992f},
        {0.00327528245f, -0.0252265707f, -0.0149708139f, -0.00642134901f, -0.00153175765f,
         -0.0002105491f, -2.85754013e-05f, -3.85038265e-06f, -1.96245324e-07f, -3.87872703e-08f, 0,
         0, -0.000163803881f, 0.139671758f, 0.164690614f, 0.0998144746f},
        {-0.0322179459f, 0.00115066417f, 0.00445385464f, 0.00235680374f, 0.000623812841f,
         8.75666956e-05f, 1.19175575e-05f, 1.60661273e-06f, 9.3381864e-08f, 1.41694914e-08f, 0, 0,
         0.135982171f, 0.0721700639f, -0.0264684092f, -0.0636094287f},
        {0.0181383602f, 0.00424440904f, -0.000531588797f, -0.000636050361f, -0.000198586073f,
         -2.896761e-05f, -3.95936786e-06f, -5.3646562e-07f, -3.00610061e-08f, -3.03908676e-09f, 0,
         0, -0.0195158757f, -0.0673296079f, -0.0504372865f, -0.00161144091f},
    };
    const VF a = vf_min(vf_all(9.1f), vf_abs(x)); /* tanh(9.1) rounds to 1 */
    return vf_signed(VF_PIECE(table, vf_bits(a + 1.125f) >> 21, a), x);
}

/* Phi(-a) for 0 <= a <= 5.8, Phi being the normal distribution's; 0 from 5.65 on.  Intervals of
 * equal length of (a + 2.3)^2. */
VF_INLINE VF vf_normal_tail(VF a)
{
    static const float table[][16] = {
        {0.199295044f, 0.728851318f, 1.33496094f, 1.85079193f, 2.30992889f, 2.72481537f,
         3.10821533f, 3.46618652f, 3.80316162f, 4.12377167f, 4.42799377f, 4.71923828f, 4.99858856f,
         5.26669312f, 5.52915192f, 0},
        {0.421015978f, 0.233046308f, 0.0909445658f, 0.0320997462f, 0.0104460455f, 0.00321687269f,
         0.000941104372f, 0.000263948459f, 7.14305424e-05f, 1.86359193e-05f, 4.75568231e-06f,
         1.18364699e-06f, 2.88757406e-07f, 6.94515592e-08f, 1.608913e-08f, 0},
        {-0.391097724f, -0.305883616f, -0.163654342f, -0.0719593465f, -0.0276861116f,
         -0.00974259246f, -0.00318456418f, -0.000981760677f, -0.000288459007f, -8.09495323e-05f,
         -2.20432848e-05f, -5.81806398e-06f, -1.49724826e-06f, -3.78153374e-07f, -9.17041731e-08f,
         0},
        {0.0389719121f, 0.111471616f, 0.109235957f, 0.0665908903f, 0.0319764875f, 0.01327339f,
         0.00494915666f, 0.00170148257f, 0.000548527518f, 0.000166908401f, 4.88036421e-05f,
         1.37283687e-05f, 3.74204865e-06f, 9.95803362e-07f, 2.53521819e-07f, 0},
        {0.0625922531f, 0.0239007734f, -0.0213297177f, -0.0290888138f, -0.0200072583f,
         -0.0104323067f, -0.00459695654f, -0.00180224632f, -0.00064728898f, -0.000215930326f,
         -6.83561448e-05f, -2.06246204e-05f, -5.98489623e-06f, -1.6850023e-06f, -4.51912797e-07f,
         0},
        {-0.00961287599f, -0.0229248386f, -0.0110821882f, 0.00236069132f, 0.00622338243f,
         0.0048936964f, 0.00274711754f, 0.00127819658f, 0.000524094445f, 0.000194835287f,
         6.75550109e-05f, 2.20528218e-05f, 6.85810483e-06f, 2.05372226e-06f, 5.82681764e-07f, 0},
        {-0.00892774481f, -0.000291747128f, 0.0060662399f, 0.00348746474f, 0.000147186845f,
         -0.00108969957f, -0.00101557677f, -0.000616618956f, -0.000302783417f, -0.00012912153f,
         -4.99807647e-05f, -1.78910377e-05f, -6.02381306e-06f, -1.93293135e-06f, -5.84250358e-07f,
         0},
        {0.00154908607f, 0.00299406727f, 7.72930944e-05f, -0.00137997756f, -0.000865346927f,
         -0.000146013524f, 0.000161578646f, 0.000183839424f, 0.000119461714f, 6.13480588e-05f,
         2.71886365e-05f, 1.0828463e-05f, 3.98763632e-06f, 1.37341908e-06f, 4.48733005e-07f, 0},
    };
    return VF_PIECE(table, vf_bits(vf_fma(a, a + 4.6f, vf_all(0x1.8p25f))), a);
}

/* x Phi(x) = max(x, 0) - a Phi(-a), a = |x|; -0 below x = -5.65 */
VF_INLINE VF vf_gelu(VF x)
{
    const VF a = vf_min(vf_all(5.8f), vf_abs(x));
    return vf_fma(-a, vf_normal_tail(a), vf_max(vf_all(-0.0f), x));
}

/* Phi(x) + x phi(x): what it is at -|x|, or 1 less that; nan at infinity, as PyTorch's */
VF_INLINE VF vf_gelu_slope(VF x)
{
    const VF a = vf_abs(x), bell = vf_exp(-0.5f * a * a);
    const VF y = vf_fma(-0.398942280f * a, bell, vf_normal_tail(vf_min(vf_all(5.8f), a)));
    const VU negative = -(vf_bits(x) >> 31);
    return vf_of_bits((vf_bits(y) & negative) | (vf_bits(1 - y) & ~negative));
}

/* x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))): Hendrycks and Gimpel, 2016 */
VF_INLINE VF vf_gelu_tanh(VF x)
{
    const VF t = vf_tanh(0.797884561f * (x + 0.044715f * x * x * x));
    return 0.5f * vf_max(vf_all(-100), x) * (1 + t); /* -0 at -infinity */
}

#endif
