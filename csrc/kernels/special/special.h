/* special.h: the kinds of orthogonal polynomials, for operators and kernels. */
#ifndef RL_KERNELS_SPECIAL_H
#define RL_KERNELS_SPECIAL_H

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

#endif
