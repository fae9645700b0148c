/* special.h: special functions of numbers, in float64.  Elementary functions come from
 * kernels/isa/math_f64.h, so that every machine gives the same bits. */
#ifndef RL_KERNELS_SPECIAL_H
#define RL_KERNELS_SPECIAL_H

#include <stdint.h>

/* gamma.c */
double rl_lgamma_of(double x);
double rl_digamma_of(double x);
double rl_polygamma_of(int64_t n, double x);
double rl_zeta_of(double s, double q);
double rl_igamma_of(double a, double x);
double rl_igammac_of(double a, double x);

/* normal.c */
double rl_erfcx_of(double x);
double rl_erfinv_of(double x);
double rl_ndtri_of(double p);
double rl_log_ndtr_of(double x);

/* bessel.c */
double rl_j0_of(double x);
double rl_j1_of(double x);
double rl_y0_of(double x);
double rl_y1_of(double x);
double rl_i0_of(double x);
double rl_i0e_of(double x);
double rl_i1_of(double x);
double rl_i1e_of(double x);
double rl_k0_of(double x);
double rl_k1_of(double x);
double rl_k0e_of(double x);
double rl_k1e_of(double x);
double rl_spherical_j0_of(double x);
double rl_airy_of(double x);

/* polynomial.c */
enum {
    RL_CHEBYSHEV_T,
    RL_CHEBYSHEV_U,
    RL_CHEBYSHEV_V,
    RL_CHEBYSHEV_W,
    RL_SHIFTED_CHEBYSHEV_T,
    RL_SHIFTED_CHEBYSHEV_U,
    RL_SHIFTED_CHEBYSHEV_V,
    RL_SHIFTED_CHEBYSHEV_W,
    RL_HERMITE_H,
    RL_HERMITE_HE,
    RL_LAGUERRE_L,
    RL_LEGENDRE_P
};
/* Degree n, cut to a whole number; above `most` PyTorch gives nan for Hermite's polynomials. */
double rl_polynomial_of(int kind, double x, double n, int64_t most);

#endif
