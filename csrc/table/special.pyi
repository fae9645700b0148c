"""Special functions: csrc/ops/special.c."""

@op(inplace="native", out=True, aliases=("special_gammaln",))
def lgamma(input: Tensor) -> Tensor:
    """Logarithm of the gamma function's absolute value."""

@op(inplace="native", out=True, aliases=("special_digamma", "special_psi"))
def digamma(input: Tensor) -> Tensor:
    """Derivative of lgamma."""

@op(inplace=True, out=True, aliases=("special_polygamma",))
def polygamma(n: int, input: Tensor) -> Tensor:
    """The n-th derivative of digamma."""

@op(inplace=True, out=True, aliases=("special_multigammaln",))
def mvlgamma(input: Tensor, p: int) -> Tensor:
    """Logarithm of the p-variate gamma function."""

@op(inplace=True, out=True, aliases=("special_gammainc",))
def igamma(input: Tensor, other: Tensor) -> Tensor:
    """Regularised lower incomplete gamma function P(input, other)."""

@op(inplace=True, out=True, aliases=("special_gammaincc",))
def igammac(input: Tensor, other: Tensor) -> Tensor:
    """Regularised upper incomplete gamma function, 1 - igamma."""

@op(method=False, out=True)
def special_zeta(input: TensorLike, other: TensorLike) -> Tensor:
    """Hurwitz's zeta function: the sum of (other + k)^-input."""

@op(inplace="native", out=True, aliases=("special_erfinv",))
def erfinv(input: Tensor) -> Tensor:
    """Inverse of erf."""

@op(method=False, out=True)
def special_erfcx(input: Tensor) -> Tensor:
    """exp(x^2) erfc(x)."""

@op(method=False, out=True)
def special_ndtr(input: Tensor) -> Tensor:
    """Distribution function of the normal distribution."""

@op(method=False, out=True)
def special_ndtri(input: Tensor) -> Tensor:
    """Quantile of the normal distribution."""

@op(method=False, out=True)
def special_log_ndtr(input: Tensor) -> Tensor:
    """log(ndtr(x)), exact in the tail."""

@op(inplace="native", out=True, aliases=("special_i0",))
def i0(input: Tensor) -> Tensor:
    """Modified Bessel function of the first kind, order 0."""

@op(method=False, out=True)
def special_i0e(input: Tensor) -> Tensor:
    """i0(x) exp(-|x|)."""

@op(method=False, out=True)
def special_i1(input: Tensor) -> Tensor:
    """Modified Bessel function of the first kind, order 1."""

@op(method=False, out=True)
def special_i1e(input: Tensor) -> Tensor:
    """i1(x) exp(-|x|)."""

@op(method=False, out=True)
def special_bessel_j0(input: Tensor) -> Tensor:
    """Bessel function of the first kind, order 0."""

@op(method=False, out=True)
def special_bessel_j1(input: Tensor) -> Tensor:
    """Bessel function of the first kind, order 1."""

@op(method=False, out=True)
def special_bessel_y0(input: Tensor) -> Tensor:
    """Bessel function of the second kind, order 0."""

@op(method=False, out=True)
def special_bessel_y1(input: Tensor) -> Tensor:
    """Bessel function of the second kind, order 1."""

@op(method=False, out=True)
def special_modified_bessel_i0(input: Tensor) -> Tensor:
    """i0 without a derivative."""

@op(method=False, out=True)
def special_modified_bessel_i1(input: Tensor) -> Tensor:
    """i1 without a derivative."""

@op(method=False, out=True)
def special_modified_bessel_k0(input: Tensor) -> Tensor:
    """Modified Bessel function of the second kind, order 0."""

@op(method=False, out=True)
def special_modified_bessel_k1(input: Tensor) -> Tensor:
    """Modified Bessel function of the second kind, order 1."""

@op(method=False, out=True)
def special_scaled_modified_bessel_k0(x: Tensor) -> Tensor:
    """modified_bessel_k0(x) exp(x)."""

@op(method=False, out=True)
def special_scaled_modified_bessel_k1(x: Tensor) -> Tensor:
    """modified_bessel_k1(x) exp(x)."""

@op(method=False, out=True)
def special_spherical_bessel_j0(x: Tensor) -> Tensor:
    """sin(x) / x."""

@op(method=False, out=True)
def special_airy_ai(x: Tensor) -> Tensor:
    """Airy function Ai."""

@op(method=False, out=True)
def special_chebyshev_polynomial_t(x: TensorLike, n: TensorLike) -> Tensor:
    """Chebyshev polynomial of the first kind, of degree n at x."""

@op(method=False, out=True)
def special_shifted_chebyshev_polynomial_t(x: TensorLike, n: TensorLike) -> Tensor:
    """Chebyshev polynomial of the first kind, of degree n at 2 x - 1."""

@op(method=False, out=True)
def special_chebyshev_polynomial_u(x: TensorLike, n: TensorLike) -> Tensor:
    """Chebyshev polynomial of the second kind, of degree n at x."""

@op(method=False, out=True)
def special_shifted_chebyshev_polynomial_u(x: TensorLike, n: TensorLike) -> Tensor:
    """Chebyshev polynomial of the second kind, of degree n at 2 x - 1."""

@op(method=False, out=True)
def special_chebyshev_polynomial_v(x: TensorLike, n: TensorLike) -> Tensor:
    """Chebyshev polynomial of the third kind, of degree n at x."""

@op(method=False, out=True)
def special_shifted_chebyshev_polynomial_v(x: TensorLike, n: TensorLike) -> Tensor:
    """Chebyshev polynomial of the third kind, of degree n at 2 x - 1."""

@op(method=False, out=True)
def special_chebyshev_polynomial_w(x: TensorLike, n: TensorLike) -> Tensor:
    """Chebyshev polynomial of the fourth kind, of degree n at x."""

@op(method=False, out=True)
def special_shifted_chebyshev_polynomial_w(x: TensorLike, n: TensorLike) -> Tensor:
    """Chebyshev polynomial of the fourth kind, of degree n at 2 x - 1."""

@op(method=False, out=True)
def special_hermite_polynomial_h(x: TensorLike, n: TensorLike) -> Tensor:
    """Physicist's Hermite polynomial, of degree n at x."""

@op(method=False, out=True)
def special_hermite_polynomial_he(x: TensorLike, n: TensorLike) -> Tensor:
    """Probabilist's Hermite polynomial, of degree n at x."""

@op(method=False, out=True)
def special_laguerre_polynomial_l(x: TensorLike, n: TensorLike) -> Tensor:
    """Laguerre polynomial, of degree n at x."""

@op(method=False, out=True)
def special_legendre_polynomial_p(x: TensorLike, n: TensorLike) -> Tensor:
    """Legendre polynomial, of degree n at x."""
