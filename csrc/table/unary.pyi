"""One input: csrc/ops/unary.c."""

@op(inplace="native", out=True, complex=True)
def abs(input: Tensor) -> Tensor:
    """Absolute value."""

@op(inplace="native", out=True, complex=True)
def absolute(input: Tensor) -> Tensor:
    """Absolute value."""

@op(inplace="native", out=True, complex=True)
def neg(input: Tensor) -> Tensor:
    """-input."""

@op(inplace="native", out=True, complex=True)
def negative(input: Tensor) -> Tensor:
    """-input."""

@op(complex=True)
def positive(input: Tensor) -> Tensor:
    """input itself."""

@op(inplace="native", out=True, complex=True)
def exp(input: Tensor) -> Tensor:
    """e to the power of each element."""

@op(inplace="native", out=True, aliases=("special_exp2",), complex=True)
def exp2(input: Tensor) -> Tensor:
    """2 to the power of each element."""

@op(inplace="native", out=True, aliases=("special_expm1",), complex=True)
def expm1(input: Tensor) -> Tensor:
    """exp(x) - 1, exact near 0."""

@op(inplace="native", out=True, complex=True)
def log(input: Tensor) -> Tensor:
    """Natural logarithm."""

@op(inplace="native", out=True, complex=True)
def log2(input: Tensor) -> Tensor:
    """Logarithm to base 2."""

@op(inplace="native", out=True, complex=True)
def log10(input: Tensor) -> Tensor:
    """Logarithm to base 10."""

@op(inplace="native", out=True, aliases=("special_log1p",), complex=True)
def log1p(input: Tensor) -> Tensor:
    """log(1 + x), exact near 0."""

@op(inplace="native", out=True, complex=True)
def sqrt(input: Tensor) -> Tensor:
    """Square root."""

@op(inplace="native", out=True, complex=True)
def rsqrt(input: Tensor) -> Tensor:
    """1 / square root."""

@op(inplace="native", out=True, complex=True)
def square(input: Tensor) -> Tensor:
    """input * input."""

@op(inplace="native", out=True, complex=True)
def reciprocal(input: Tensor) -> Tensor:
    """1 / input."""

@op(inplace="native", out=True, complex=True)
def sin(input: Tensor) -> Tensor:
    """Sine of an angle in radians."""

@op(inplace="native", out=True, complex=True)
def cos(input: Tensor) -> Tensor:
    """Cosine of an angle in radians."""

@op(inplace="native", out=True, complex=True)
def tan(input: Tensor) -> Tensor:
    """Tangent of an angle in radians."""

@op(inplace="native", out=True, aliases=("arcsin",), complex=True)
def asin(input: Tensor) -> Tensor:
    """Angle in [-pi/2, pi/2] with this sine."""

@op(inplace="native", out=True, aliases=("arccos",), complex=True)
def acos(input: Tensor) -> Tensor:
    """Angle in [0, pi] with this cosine."""

@op(inplace="native", out=True, aliases=("arctan",), complex=True)
def atan(input: Tensor) -> Tensor:
    """Angle in [-pi/2, pi/2] with this tangent."""

@op(inplace="native", out=True, complex=True)
def sinh(input: Tensor) -> Tensor:
    """Hyperbolic sine."""

@op(inplace="native", out=True, complex=True)
def cosh(input: Tensor) -> Tensor:
    """Hyperbolic cosine."""

@op(inplace="native", out=True, complex=True)
def tanh(input: Tensor) -> Tensor:
    """Hyperbolic tangent, in (-1, 1)."""

@op(inplace="native", out=True, aliases=("arcsinh",), complex=True)
def asinh(input: Tensor) -> Tensor:
    """Inverse hyperbolic sine."""

@op(inplace="native", out=True, aliases=("arccosh",), complex=True)
def acosh(input: Tensor) -> Tensor:
    """Inverse hyperbolic cosine; nan below 1."""

@op(inplace="native", out=True, aliases=("arctanh",), complex=True)
def atanh(input: Tensor) -> Tensor:
    """Inverse hyperbolic tangent; nan outside [-1, 1]."""

@op(inplace="native", out=True, aliases=("special_erf",))
def erf(input: Tensor) -> Tensor:
    """Error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0."""

@op(inplace="native", out=True, aliases=("special_erfc",))
def erfc(input: Tensor) -> Tensor:
    """1 - erf(x), without cancellation."""

@op(inplace="native", out=True, complex=True, aliases=("special_sinc",))
def sinc(input: Tensor) -> Tensor:
    """sin(pi x) / (pi x), 1 at 0."""

@op(inplace=True, out=True, aliases=("special_logit",))
def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """log(x / (1 - x)); with eps, of x clamped to [eps, 1 - eps]."""

@op(method=False, out=True)
def special_entr(input: Tensor) -> Tensor:
    """-x log(x); 0 at 0, -inf below."""

@op(inplace=True, out=True)
def deg2rad(input: Tensor) -> Tensor:
    """Degrees to radians."""

@op(inplace=True, out=True)
def rad2deg(input: Tensor) -> Tensor:
    """Radians to degrees."""

@op(inplace="native", out=True)
def floor(input: Tensor) -> Tensor:
    """Largest integer not above."""

@op(inplace="native", out=True)
def ceil(input: Tensor) -> Tensor:
    """Smallest integer not below."""

@op(inplace="native", out=True, aliases=("special_round",))
def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """Nearest integer, halves to even; to `decimals` digits."""

@op(inplace="native", out=True, aliases=("fix",))
def trunc(input: Tensor) -> Tensor:
    """Integer part, toward zero."""

@op(inplace="native", out=True)
def frac(input: Tensor) -> Tensor:
    """Fractional part, with the sign of the element."""

@op(inplace="native", out=True)
def sign(input: Tensor) -> Tensor:
    """-1, 0 or 1."""

@op(inplace="native", out=True, complex=True)
def sgn(input: Tensor) -> Tensor:
    """-1, 0 or 1."""

@op(out=True, complex=True)
def angle(input: Tensor) -> Tensor:
    """Angle of a number in the complex plane; of real ones 0, and pi below 0."""

@op(complex=True)
def conj(input: Tensor) -> Tensor:
    """Conjugate, a copy; of real tensors the tensor itself."""

@op(inplace="native", out=True, complex=True)
def conj_physical(input: Tensor) -> Tensor:
    """Conjugate, a copy; of real tensors the tensor itself."""

@op(method=False, complex=True)
def resolve_conj(input: Tensor) -> Tensor:
    """input itself."""

@op(method=False, complex=True)
def resolve_neg(input: Tensor) -> Tensor:
    """input itself."""

@op(method=False, complex=True)
def real(input: Tensor) -> Tensor:
    """Real part, a view; of real tensors the tensor itself."""

@op(method=False, complex=True)
def imag(input: Tensor) -> Tensor:
    """Imaginary part of complex numbers, a view; real dtypes have none and fail."""

@op(inplace=True, out=True)
def clamp(input: Tensor, min: TensorLike | None = None, max: TensorLike | None = None) -> Tensor:
    """Elements limited to [min, max]."""

@op(inplace=True, out=True)
def clip(input: Tensor, min: TensorLike | None = None, max: TensorLike | None = None) -> Tensor:
    """Elements limited to [min, max]."""

@op(inplace=True, out=True)
def clamp_min(input: Tensor, min: TensorLike) -> Tensor:
    """Elements not below min."""

@op(inplace=True, out=True)
def clamp_max(input: Tensor, max: TensorLike) -> Tensor:
    """Elements not above max."""

@op(inplace=True, out=True, complex=True)
def nan_to_num(input: Tensor, nan: float | None = None, posinf: float | None = None, neginf: float | None = None) -> Tensor:
    """nan and infinities replaced: by 0 and the dtype's largest and smallest unless given."""
