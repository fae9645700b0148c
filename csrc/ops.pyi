"""The operator table: every operator once.  Read by tools/gen_ops.py, never imported.

    @op(method=True, function=True, inplace=False, out=False, name=None, returns=None, factory=False, nn=False, aliases=())

method, function   the spellings: Tensor.f and rushlight.f
inplace            True: f_ made from f by copying; "native": csrc/ops writes rl_f_ itself; "only": there is no f, only
                   the method f_ and rl_f_ (x.copy_, x.fill_, x.normal_), written in csrc/ops
out                accepts the keyword out=
name               the Python name, where several rows (overloads, tried in this order) share it
returns            field names of a tuple result
factory            adds dtype-independent keywords of constructors: layout, device, pin_memory, requires_grad
aliases            other names of the same operator, in the same forms
nn                 lives in rushlight._C._nn for nn.functional instead of the rushlight namespace

Names that begin with special_ live in rushlight._C._special, for rushlight.special.

Types: Tensor; TensorLike, a tensor or a number (C: rl_tensor *); NumberLike, a number that may be complex (C: rl_tensor *); Number (rl_scalar); Ints, an int or several: dims or
sizes (rl_ints); Tensors, a sequence (rl_tensors); OptionalTensors, a sequence with None among them (rl_tensors with
NULLs); Any, accepted and not handed on to C.  A trailing underscore in an argument's name is dropped in Python (from_).
"""

# ---- constructors: ops/create.c -------------------------------------------------------------------------------------

@op(method=False, factory=True, out=True)
def empty(*size: int, dtype: dtype | None = None, memory_format: Any = None) -> Tensor:
    """Uninitialised tensor of the given size."""

@op(method=False, factory=True, out=True)
def zeros(*size: int, dtype: dtype | None = None) -> Tensor:
    """Tensor of zeros."""

@op(method=False, factory=True, out=True)
def ones(*size: int, dtype: dtype | None = None) -> Tensor:
    """Tensor of ones."""

@op(method=False, function=False)
def full(size: Ints, fill_value: Number, *, dtype: dtype | None = None) -> Tensor:
    """Tensor filled with one real value."""

@op(method=False, factory=True, out=True, name="full")
def full_value(size: Ints, fill_value: NumberLike, *, dtype: dtype | None = None) -> Tensor:
    """Tensor filled with one value; the dtype follows the value unless given."""

@op(method=False, factory=True)
def empty_like(input: Tensor, *, dtype: dtype | None = None, memory_format: Any = None) -> Tensor:
    """Uninitialised tensor of input's size, and of its dtype unless given."""

@op(method=False, factory=True)
def zeros_like(input: Tensor, *, dtype: dtype | None = None, memory_format: Any = None) -> Tensor:
    """Zeros of input's size, and of its dtype unless given."""

@op(method=False, factory=True)
def ones_like(input: Tensor, *, dtype: dtype | None = None, memory_format: Any = None) -> Tensor:
    """Ones of input's size, and of its dtype unless given."""

@op(method=False, factory=True)
def full_like(input: Tensor, fill_value: Number, *, dtype: dtype | None = None, memory_format: Any = None) -> Tensor:
    """Tensor of input's size filled with one value, of input's dtype unless given."""

@op(method=False, factory=True)
def empty_strided(size: Ints, stride: Ints, *, dtype: dtype | None = None) -> Tensor:
    """Uninitialised tensor of the given size and strides (in elements)."""

@op(method=False, factory=True, out=True, name="arange")
def arange_end(end: Number, *, dtype: dtype | None = None) -> Tensor:
    """0, 1, ... below end."""

@op(method=False, factory=True, out=True)
def arange(start: Number, end: Number, step: Number = 1, *, dtype: dtype | None = None) -> Tensor:
    """start, start + step, ... below end (above, for negative steps)."""

@op(method=False, factory=True, out=True)
def range(start: Number, end: Number, step: Number = 1, *, dtype: dtype | None = None) -> Tensor:
    """start, start + step, ... up to and with end; deprecated in favour of arange."""

@op(method=False, factory=True, out=True)
def linspace(start: Number, end: Number, steps: int, *, dtype: dtype | None = None) -> Tensor:
    """steps values evenly spaced from start to end, both included."""

@op(method=False, factory=True, out=True)
def logspace(start: Number, end: Number, steps: int, base: float = 10.0, *, dtype: dtype | None = None) -> Tensor:
    """base to the powers of linspace(start, end, steps)."""

@op(method=False, factory=True, out=True)
def eye(n: int, m: int | None = None, *, dtype: dtype | None = None) -> Tensor:
    """Identity matrix (n, m), m = n unless given."""

@op(function=True)
def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """Copy that takes part in autograd."""

@op(function=False)
def contiguous(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """The tensor itself when row-major, else a row-major copy."""

@op(method=False, function=False)
def to_dtype(input: Tensor, dtype: dtype, copy: bool = False) -> Tensor:
    """The tensor in another dtype; itself when it has it already and copy is false."""

@op(function=False, inplace="only")
def copy(input: Tensor, other: TensorLike, non_blocking: bool = False) -> Tensor:
    """Copies src, broadcast and converted, into the tensor."""

@op(function=False, inplace="only")
def fill(input: Tensor, value: TensorLike) -> Tensor:
    """Fills the tensor with one value."""

@op(inplace="only")
def zero(input: Tensor) -> Tensor:
    """Fills the tensor with zeros."""

# ---- arithmetic: ops/arith.c ------------------------------------------------------------------------------------------

@op(inplace="native", out=True)
def add(input: Tensor, other: TensorLike, *, alpha: Number = 1) -> Tensor:
    """input + alpha * other."""

@op(inplace="native", out=True)
def sub(input: Tensor, other: TensorLike, *, alpha: Number = 1) -> Tensor:
    """input - alpha * other."""

@op(inplace="native", out=True, name="subtract")
def subtract(input: Tensor, other: TensorLike, *, alpha: Number = 1) -> Tensor:
    """input - alpha * other."""

@op(method=False)
def rsub(input: Tensor, other: TensorLike, alpha: Number = 1) -> Tensor:
    """other - alpha * input."""

@op(inplace="native", out=True)
def mul(input: Tensor, other: TensorLike) -> Tensor:
    """input * other, element by element."""

@op(inplace="native", out=True)
def multiply(input: Tensor, other: TensorLike) -> Tensor:
    """input * other, element by element."""

@op(inplace="native", out=True)
def div(input: Tensor, other: TensorLike, *, rounding_mode: str | None = None) -> Tensor:
    """input / other; rounding_mode "trunc" or "floor" rounds the quotient."""

@op(inplace="native", out=True)
def divide(input: Tensor, other: TensorLike, *, rounding_mode: str | None = None) -> Tensor:
    """input / other; rounding_mode "trunc" or "floor" rounds the quotient."""

@op(inplace="native", out=True)
def true_divide(input: Tensor, other: TensorLike) -> Tensor:
    """input / other, floating."""

@op(inplace="native", out=True)
def floor_divide(input: Tensor, other: TensorLike) -> Tensor:
    """input / other rounded toward minus infinity."""

@op(inplace="native", out=True)
def remainder(input: Tensor, other: TensorLike) -> Tensor:
    """Remainder with the sign of other, as Python's %."""

@op(inplace="native", out=True)
def fmod(input: Tensor, other: TensorLike) -> Tensor:
    """Remainder with the sign of input, as C's fmod."""

@op(inplace="native", out=True)
def pow(input: TensorLike, exponent: TensorLike) -> Tensor:
    """input to the power of exponent."""

@op(method=True, out=True)
def maximum(input: Tensor, other: Tensor) -> Tensor:
    """The larger of two, element by element; nan wins."""

@op(method=True, out=True)
def minimum(input: Tensor, other: Tensor) -> Tensor:
    """The smaller of two, element by element; nan wins."""

@op(out=True)
def fmax(input: Tensor, other: Tensor) -> Tensor:
    """The larger of two; a number wins over nan."""

@op(out=True)
def fmin(input: Tensor, other: Tensor) -> Tensor:
    """The smaller of two; a number wins over nan."""

@op(out=True, inplace="native", aliases=("arctan2",))
def atan2(input: Tensor, other: Tensor) -> Tensor:
    """Angle of the point (other, input) in (-pi, pi]."""

@op(inplace=True, out=True)
def hypot(input: Tensor, other: Tensor) -> Tensor:
    """sqrt(input^2 + other^2) without overflow."""

@op(inplace=True, out=True)
def copysign(input: Tensor, other: TensorLike) -> Tensor:
    """input's magnitude with other's sign."""

@op(out=True)
def logaddexp(input: Tensor, other: Tensor) -> Tensor:
    """log(exp(input) + exp(other)), stable."""

@op(out=True)
def logaddexp2(input: Tensor, other: Tensor) -> Tensor:
    """log2(2^input + 2^other), stable."""

@op(inplace=True, out=True, aliases=("special_xlogy",))
def xlogy(input: TensorLike, other: TensorLike) -> Tensor:
    """input log(other); 0 where input is 0."""

@op(method=False, out=True)
def special_xlog1py(input: TensorLike, other: TensorLike) -> Tensor:
    """input log(1 + other); 0 where input is 0."""

@op(inplace=True, out=True)
def heaviside(input: Tensor, values: Tensor) -> Tensor:
    """0 below 0, 1 above, values at 0."""

@op(inplace=True, out=True)
def nextafter(input: Tensor, other: Tensor) -> Tensor:
    """The next number of the dtype from input toward other."""

@op(inplace=True, out=True)
def gcd(input: Tensor, other: Tensor) -> Tensor:
    """Greatest common divisor, not negative."""

@op(inplace=True, out=True)
def lcm(input: Tensor, other: Tensor) -> Tensor:
    """Least common multiple, not negative."""

@op(inplace=True, out=True)
def ldexp(input: Tensor, other: Tensor) -> Tensor:
    """input 2^other."""

@op(inplace="native", out=True)
def float_power(input: TensorLike, exponent: TensorLike) -> Tensor:
    """input to the power of exponent, computed in float64."""

@op(out=True, returns=("mantissa", "exponent"))
def frexp(input: Tensor) -> tuple[Tensor, Tensor]:
    """Mantissa in [1/2, 1) and exponent: input = mantissa 2^exponent."""

@op(inplace=True, out=True)
def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
    """input + value * tensor1 * tensor2."""

@op(inplace=True, out=True)
def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
    """input + value * tensor1 / tensor2."""

@op(inplace=True, out=True)
def lerp(input: Tensor, end: Tensor, weight: TensorLike) -> Tensor:
    """input + weight * (end - input)."""

@op(inplace=True, out=True)
def bitwise_and(input: TensorLike, other: TensorLike) -> Tensor:
    """Bitwise and of integers or bools."""

@op(inplace=True, out=True)
def bitwise_or(input: TensorLike, other: TensorLike) -> Tensor:
    """Bitwise or of integers or bools."""

@op(inplace=True, out=True)
def bitwise_xor(input: TensorLike, other: TensorLike) -> Tensor:
    """Bitwise exclusive or of integers or bools."""

@op(inplace=True, out=True)
def bitwise_not(input: Tensor) -> Tensor:
    """Bitwise complement of integers or bools."""

@op(inplace=True, out=True)
def bitwise_left_shift(input: TensorLike, other: TensorLike) -> Tensor:
    """input shifted left by other bits."""

@op(inplace=True, out=True)
def bitwise_right_shift(input: TensorLike, other: TensorLike) -> Tensor:
    """input shifted right by other bits, keeping the sign."""

# ---- comparison and logic: ops/compare.c -------------------------------------------------------------------------------

@op(inplace=True, out=True)
def eq(input: Tensor, other: TensorLike) -> Tensor:
    """input == other, element by element."""

@op(inplace=True, out=True, aliases=("not_equal",))
def ne(input: Tensor, other: TensorLike) -> Tensor:
    """input != other, element by element."""

@op(inplace=True, out=True, aliases=("less",))
def lt(input: Tensor, other: TensorLike) -> Tensor:
    """input < other, element by element."""

@op(inplace=True, out=True, aliases=("less_equal",))
def le(input: Tensor, other: TensorLike) -> Tensor:
    """input <= other, element by element."""

@op(inplace=True, out=True, aliases=("greater",))
def gt(input: Tensor, other: TensorLike) -> Tensor:
    """input > other, element by element."""

@op(inplace=True, out=True, aliases=("greater_equal",))
def ge(input: Tensor, other: TensorLike) -> Tensor:
    """input >= other, element by element."""

@op(inplace=True, out=True)
def logical_and(input: Tensor, other: Tensor) -> Tensor:
    """Whether both are non-zero."""

@op(inplace=True, out=True)
def logical_or(input: Tensor, other: Tensor) -> Tensor:
    """Whether either is non-zero."""

@op(inplace=True, out=True)
def logical_xor(input: Tensor, other: Tensor) -> Tensor:
    """Whether exactly one is non-zero."""

@op(inplace=True, out=True)
def logical_not(input: Tensor) -> Tensor:
    """Whether the element is zero."""

@op()
def isnan(input: Tensor) -> Tensor:
    """Whether the element is nan."""

@op()
def isinf(input: Tensor) -> Tensor:
    """Whether the element is plus or minus infinity."""

@op()
def isfinite(input: Tensor) -> Tensor:
    """Whether the element is neither infinite nor nan."""

@op(out=True)
def isposinf(input: Tensor) -> Tensor:
    """Whether the element is infinity."""

@op(out=True)
def isneginf(input: Tensor) -> Tensor:
    """Whether the element is minus infinity."""

@op()
def isreal(input: Tensor) -> Tensor:
    """Whether the element is real: always, here."""

@op(out=True)
def signbit(input: Tensor) -> Tensor:
    """Whether the element has a minus sign, -0.0 included."""

@op()
def isclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Tensor:
    """Whether |input - other| <= atol + rtol * |other|, element by element."""

@op()
def allclose(input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether all elements are close, see isclose."""

@op()
def equal(input: Tensor, other: Tensor) -> bool:
    """Whether size and all elements are the same."""

# ---- one input: ops/unary.c --------------------------------------------------------------------------------------------

@op(inplace="native", out=True)
def abs(input: Tensor) -> Tensor:
    """Absolute value."""

@op(inplace="native", out=True)
def absolute(input: Tensor) -> Tensor:
    """Absolute value."""

@op(inplace="native", out=True)
def neg(input: Tensor) -> Tensor:
    """-input."""

@op(inplace="native", out=True)
def negative(input: Tensor) -> Tensor:
    """-input."""

@op()
def positive(input: Tensor) -> Tensor:
    """input itself."""

@op(inplace="native", out=True)
def exp(input: Tensor) -> Tensor:
    """e to the power of each element."""

@op(inplace="native", out=True, aliases=("special_exp2",))
def exp2(input: Tensor) -> Tensor:
    """2 to the power of each element."""

@op(inplace="native", out=True, aliases=("special_expm1",))
def expm1(input: Tensor) -> Tensor:
    """exp(x) - 1, exact near 0."""

@op(inplace="native", out=True)
def log(input: Tensor) -> Tensor:
    """Natural logarithm."""

@op(inplace="native", out=True)
def log2(input: Tensor) -> Tensor:
    """Logarithm to base 2."""

@op(inplace="native", out=True)
def log10(input: Tensor) -> Tensor:
    """Logarithm to base 10."""

@op(inplace="native", out=True, aliases=("special_log1p",))
def log1p(input: Tensor) -> Tensor:
    """log(1 + x), exact near 0."""

@op(inplace="native", out=True)
def sqrt(input: Tensor) -> Tensor:
    """Square root."""

@op(inplace="native", out=True)
def rsqrt(input: Tensor) -> Tensor:
    """1 / square root."""

@op(inplace="native", out=True)
def square(input: Tensor) -> Tensor:
    """input * input."""

@op(inplace="native", out=True)
def reciprocal(input: Tensor) -> Tensor:
    """1 / input."""

@op(inplace="native", out=True)
def sin(input: Tensor) -> Tensor:
    """Sine of an angle in radians."""

@op(inplace="native", out=True)
def cos(input: Tensor) -> Tensor:
    """Cosine of an angle in radians."""

@op(inplace="native", out=True)
def tan(input: Tensor) -> Tensor:
    """Tangent of an angle in radians."""

@op(inplace="native", out=True, aliases=("arcsin",))
def asin(input: Tensor) -> Tensor:
    """Angle in [-pi/2, pi/2] with this sine."""

@op(inplace="native", out=True, aliases=("arccos",))
def acos(input: Tensor) -> Tensor:
    """Angle in [0, pi] with this cosine."""

@op(inplace="native", out=True, aliases=("arctan",))
def atan(input: Tensor) -> Tensor:
    """Angle in [-pi/2, pi/2] with this tangent."""

@op(inplace="native", out=True)
def sinh(input: Tensor) -> Tensor:
    """Hyperbolic sine."""

@op(inplace="native", out=True)
def cosh(input: Tensor) -> Tensor:
    """Hyperbolic cosine."""

@op(inplace="native", out=True)
def tanh(input: Tensor) -> Tensor:
    """Hyperbolic tangent, in (-1, 1)."""

@op(inplace="native", out=True, aliases=("arcsinh",))
def asinh(input: Tensor) -> Tensor:
    """Inverse hyperbolic sine."""

@op(inplace="native", out=True, aliases=("arccosh",))
def acosh(input: Tensor) -> Tensor:
    """Inverse hyperbolic cosine; nan below 1."""

@op(inplace="native", out=True, aliases=("arctanh",))
def atanh(input: Tensor) -> Tensor:
    """Inverse hyperbolic tangent; nan outside [-1, 1]."""

@op(inplace="native", out=True, aliases=("special_erf",))
def erf(input: Tensor) -> Tensor:
    """Error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0."""

@op(inplace="native", out=True, aliases=("special_erfc",))
def erfc(input: Tensor) -> Tensor:
    """1 - erf(x), without cancellation."""

@op(inplace="native", out=True, aliases=("special_sinc",))
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

@op(inplace="native", out=True)
def sgn(input: Tensor) -> Tensor:
    """-1, 0 or 1."""

@op(out=True)
def angle(input: Tensor) -> Tensor:
    """Angle of a number in the complex plane; of real ones 0, and pi below 0."""

@op()
def conj(input: Tensor) -> Tensor:
    """Conjugate, a copy; of real tensors the tensor itself."""

@op(inplace="native", out=True)
def conj_physical(input: Tensor) -> Tensor:
    """Conjugate, a copy; of real tensors the tensor itself."""

@op(method=False)
def resolve_conj(input: Tensor) -> Tensor:
    """input itself."""

@op(method=False)
def resolve_neg(input: Tensor) -> Tensor:
    """input itself."""

@op(method=False)
def real(input: Tensor) -> Tensor:
    """Real part, a view; of real tensors the tensor itself."""

@op(method=False)
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

@op(inplace=True, out=True)
def nan_to_num(input: Tensor, nan: float | None = None, posinf: float | None = None, neginf: float | None = None) -> Tensor:
    """nan and infinities replaced: by 0 and the dtype's largest and smallest unless given."""

# ---- special functions: ops/special.c -----------------------------------------------------------------------------------

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

# ---- activations and their fused backwards: ops/activation.c -------------------------------------------------------------

@op(inplace="native", out=True, aliases=("special_expit",))
def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + exp(-x))."""

@op(inplace="native")
def relu(input: Tensor) -> Tensor:
    """max(x, 0); the gradient at 0 is 0."""

@op(nn=True, inplace=True)
def leaky_relu(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """x where x > 0, negative_slope * x elsewhere."""

@op(nn=True, inplace=True)
def elu(input: Tensor, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> Tensor:
    """scale * x where x > 0, scale * alpha * (exp(input_scale * x) - 1) elsewhere."""

@op(method=False, inplace=True)
def selu(input: Tensor) -> Tensor:
    """Scaled ELU with the self-normalising constants (Klambauer et al., 2017)."""

@op(method=False, inplace=True)
def celu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """max(0, x) + min(0, alpha * (exp(x / alpha) - 1))."""

@op(nn=True)
def gelu(input: Tensor, *, approximate: str = "none") -> Tensor:
    """x * Phi(x), Phi the normal distribution function; approximate="tanh" (Hendrycks and Gimpel, 2016)."""

@op(nn=True, inplace=True)
def silu(input: Tensor) -> Tensor:
    """x * sigmoid(x)."""

@op(nn=True, inplace=True)
def mish(input: Tensor) -> Tensor:
    """x * tanh(softplus(x))."""

@op(nn=True)
def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + exp(beta x)) / beta; x itself where beta x > threshold."""

@op(nn=True)
def log_sigmoid(input: Tensor) -> Tensor:
    """log(sigmoid(x)), stable."""

@op(nn=True, inplace=True)
def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """Elements limited to [min_val, max_val]; no gradient at the limits."""

@op(nn=True, inplace=True)
def hardsigmoid(input: Tensor) -> Tensor:
    """relu6(x + 3) / 6."""

@op(nn=True, inplace=True)
def hardswish(input: Tensor) -> Tensor:
    """x * relu6(x + 3) / 6."""

@op(method=False, inplace=True)
def threshold(input: Tensor, threshold: Number, value: Number) -> Tensor:
    """x where x > threshold, value elsewhere."""

@op(method=True)
def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x where x > 0, weight * x elsewhere; weight has one element or one per channel (dim 1)."""

# ---- normalisation: ops/norm.c -----------------------------------------------------------------------------------------

@op(method=False)
def layer_norm(input: Tensor, normalized_shape: Ints, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-05, cudnn_enable: bool = True) -> Tensor:
    """(x - mean) / sqrt(variance + eps) over the last dims, times weight plus bias."""

@op(method=False)
def group_norm(input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-05, cudnn_enabled: bool = True) -> Tensor:
    """(x - mean) / sqrt(variance + eps) over groups of channels (dim 1) of each sample, times weight plus bias."""

@op(method=False)
def rms_norm(input: Tensor, normalized_shape: Ints, weight: Tensor | None = None, eps: float | None = None) -> Tensor:
    """x / sqrt(mean(x^2) + eps) over the last dims, times weight."""

@op(method=False)
def batch_norm(input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None, running_var: Tensor | None, training: bool, momentum: float, eps: float, cudnn_enabled: bool) -> Tensor:
    """(x - mean) / sqrt(variance + eps) by channel (dim 1), times weight plus bias; training: of x, else the running ones."""

@op(method=False)
def instance_norm(input: Tensor, weight: Tensor | None, bias: Tensor | None, running_mean: Tensor | None, running_var: Tensor | None, use_input_stats: bool, momentum: float, eps: float, cudnn_enabled: bool) -> Tensor:
    """batch_norm of every sample by itself; the running statistics move by the mean over the samples."""

# ---- embedding: ops/embedding.c ----------------------------------------------------------------------------------------

@op(method=False)
def embedding(weight: Tensor, indices: Tensor, padding_idx: int = -1, scale_grad_by_freq: bool = False, sparse: bool = False) -> Tensor:
    """Rows of weight named by indices; row padding_idx gets no gradient."""

# ---- softmax: ops/softmax.c ----------------------------------------------------------------------------------------------

@op()
def softmax(input: Tensor, dim: int, dtype: dtype | None = None) -> Tensor:
    """exp(x) over the sum of exp(x) along dim."""

@op()
def log_softmax(input: Tensor, dim: int, dtype: dtype | None = None) -> Tensor:
    """log(softmax(x)) along dim, stable."""

@op(out=True, aliases=("special_logsumexp",))
def logsumexp(input: Tensor, dim: Ints, keepdim: bool = False) -> Tensor:
    """log of the sum of exp over dim, stable."""

# ---- reductions: ops/reduce.c --------------------------------------------------------------------------------------------

@op(out=True)
def sum(input: Tensor, dim: Ints | None = None, keepdim: bool = False, *, dtype: dtype | None = None) -> Tensor:
    """Sum over the given dims, or all."""

@op(out=True)
def nansum(input: Tensor, dim: Ints | None = None, keepdim: bool = False, *, dtype: dtype | None = None) -> Tensor:
    """Sum with nan counted as 0."""

@op(out=True)
def mean(input: Tensor, dim: Ints | None = None, keepdim: bool = False, *, dtype: dtype | None = None) -> Tensor:
    """Mean over the given dims, or all."""

@op(name="prod")
def prod(input: Tensor, *, dtype: dtype | None = None) -> Tensor:
    """Product of all elements."""

@op(name="prod", out=True)
def prod_dim(input: Tensor, dim: int, keepdim: bool = False, *, dtype: dtype | None = None) -> Tensor:
    """Product along dim."""

@op(name="max")
def max(input: Tensor) -> Tensor:
    """Largest element; nan wins."""

@op(name="max", out=True, returns=("values", "indices"))
def max_dim(input: Tensor, dim: int, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """Largest elements along dim, and where they are."""

@op(name="max", out=True)
def max_other(input: Tensor, other: Tensor) -> Tensor:
    """maximum(input, other)."""

@op(name="min")
def min(input: Tensor) -> Tensor:
    """Smallest element; nan wins."""

@op(name="min", out=True, returns=("values", "indices"))
def min_dim(input: Tensor, dim: int, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """Smallest elements along dim, and where they are."""

@op(name="min", out=True)
def min_other(input: Tensor, other: Tensor) -> Tensor:
    """minimum(input, other)."""

@op(out=True)
def amax(input: Tensor, dim: Ints | None = None, keepdim: bool = False) -> Tensor:
    """Largest elements over dims; equal maxima share the gradient."""

@op(out=True)
def amin(input: Tensor, dim: Ints | None = None, keepdim: bool = False) -> Tensor:
    """Smallest elements over dims; equal minima share the gradient."""

@op(out=True)
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Index of the largest element along dim, or in the flattened tensor."""

@op(out=True)
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Index of the smallest element along dim, or in the flattened tensor."""

@op(out=True)
def all(input: Tensor, dim: Ints | None = None, keepdim: bool = False) -> Tensor:
    """Whether all elements are non-zero."""

@op(out=True)
def any(input: Tensor, dim: Ints | None = None, keepdim: bool = False) -> Tensor:
    """Whether any element is non-zero."""

@op(name="var")
def var_unbiased(input: Tensor, unbiased: bool) -> Tensor:
    """Variance of all elements."""

@op(name="var", out=True)
def var(input: Tensor, dim: Ints | None = None, *, correction: Number | None = None, keepdim: bool = False) -> Tensor:
    """Variance over dims: squared deviations over n - correction (1 unless given)."""

@op(name="var", out=True)
def var_dim_unbiased(input: Tensor, dim: Ints | None, unbiased: bool = True, keepdim: bool = False) -> Tensor:
    """Variance over dims: squared deviations over n - 1, or n."""

@op(name="std")
def std_unbiased(input: Tensor, unbiased: bool) -> Tensor:
    """Standard deviation of all elements."""

@op(name="std", out=True)
def std(input: Tensor, dim: Ints | None = None, *, correction: Number | None = None, keepdim: bool = False) -> Tensor:
    """Standard deviation over dims."""

@op(name="std", out=True)
def std_dim_unbiased(input: Tensor, dim: Ints | None, unbiased: bool = True, keepdim: bool = False) -> Tensor:
    """Standard deviation over dims."""

@op(method=False, returns=("var", "mean"))
def var_mean(input: Tensor, dim: Ints | None = None, *, correction: Number | None = None, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """Variance and mean over dims."""

@op(method=False, returns=("std", "mean"))
def std_mean(input: Tensor, dim: Ints | None = None, *, correction: Number | None = None, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """Standard deviation and mean over dims."""

@op(out=True)
def norm(input: Tensor, p: Number | None = 2, dim: Ints | None = None, keepdim: bool = False, *, dtype: dtype | None = None) -> Tensor:
    """p-norm over dims: (sum of |x|^p)^(1/p); p may be inf, -inf, 0."""

@op(name="norm", out=True)
def norm_named(input: Tensor, p: str, dim: Ints | None = None, keepdim: bool = False, *, dtype: dtype | None = None) -> Tensor:
    """The Frobenius norm, p = "fro": root of the sum of squares over dims."""

@op(out=True, inplace=True)
def cumsum(input: Tensor, dim: int, *, dtype: dtype | None = None) -> Tensor:
    """Running sum along dim."""

@op(out=True, inplace=True)
def cumprod(input: Tensor, dim: int, *, dtype: dtype | None = None) -> Tensor:
    """Running product along dim."""

@op(out=True, returns=("values", "indices"))
def cummax(input: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """Running maximum along dim, and where it stood."""

@op(out=True, returns=("values", "indices"))
def cummin(input: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """Running minimum along dim, and where it stood."""

@op(out=True)
def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """log of the running sum of exp along dim, stable."""

@op(out=True, returns=("min", "max"))
def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """Smallest and largest element along dim, or of all."""

@op(name="median")
def median(input: Tensor) -> Tensor:
    """Median; the lower of two."""

@op(name="median", out=True, returns=("values", "indices"))
def median_dim(input: Tensor, dim: int, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """Median along dim, and where it is."""

@op(name="nanmedian")
def nanmedian(input: Tensor) -> Tensor:
    """Median of the numbers, nan left out; the lower of two."""

@op(name="nanmedian", out=True, returns=("values", "indices"))
def nanmedian_dim(input: Tensor, dim: int, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """Median of the numbers, nan left out along dim, and where it is."""

@op(out=True, returns=("values", "indices"))
def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """Most frequent element along dim, and where its last copy is."""

@op(out=True)
def nanmean(input: Tensor, dim: Ints | None = None, keepdim: bool = False, *, dtype: dtype | None = None) -> Tensor:
    """Mean over dims of what is not nan."""

@op(name="quantile", out=True)
def quantile_tensor(input: Tensor, q: Tensor, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear") -> Tensor:
    """Quantiles q along dim, or of all elements."""

@op(name="quantile", out=True)
def quantile(input: Tensor, q: float, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear") -> Tensor:
    """Quantile q along dim, or of all elements."""

@op(name="nanquantile", out=True)
def nanquantile_tensor(input: Tensor, q: Tensor, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear") -> Tensor:
    """Quantiles q along dim, or of all elements, nan left out."""

@op(name="nanquantile", out=True)
def nanquantile(input: Tensor, q: float, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear") -> Tensor:
    """Quantile q along dim, or of all elements, nan left out."""

@op()
def count_nonzero(input: Tensor, dim: Ints | None = None) -> Tensor:
    """How many elements are not zero."""

# ---- products: ops/matmul.c ----------------------------------------------------------------------------------------------

@op(out=True)
def matmul(input: Tensor, other: Tensor) -> Tensor:
    """Matrix product, batched and broadcast over leading dims; vectors as PyTorch."""

@op(out=True)
def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """(n, k) times (k, m)."""

@op(out=True)
def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """(b, n, k) times (b, k, m)."""

@op(out=True)
def mv(input: Tensor, vec: Tensor) -> Tensor:
    """(n, k) times (k)."""

@op(out=True)
def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """Sum of the products of two vectors."""

@op(out=True)
def inner(input: Tensor, other: Tensor) -> Tensor:
    """Sums of products over the last dims."""

@op(out=True)
def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """(n) and (m) to (n, m) products."""

@op(out=True)
def ger(input: Tensor, vec2: Tensor) -> Tensor:
    """(n) and (m) to (n, m) products."""

@op(out=True, inplace=True)
def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Number = 1, alpha: Number = 1) -> Tensor:
    """beta * input + alpha * mat1 @ mat2; input broadcasts."""

@op(out=True, inplace=True)
def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Number = 1, alpha: Number = 1) -> Tensor:
    """beta * input + alpha * mat @ vec."""

@op(out=True, inplace=True)
def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Number = 1, alpha: Number = 1) -> Tensor:
    """beta * input + alpha * outer(vec1, vec2)."""

@op(out=True, inplace=True)
def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Number = 1, alpha: Number = 1) -> Tensor:
    """beta * input + alpha * bmm(batch1, batch2)."""

@op(out=True, inplace=True)
def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Number = 1, alpha: Number = 1) -> Tensor:
    """beta * input + alpha * sum over the batch of batch1 @ batch2."""

# ---- vectors in space, distances: ops/distance.c ----------------------------------------------------------------------

@op(out=True)
def vdot(input: Tensor, other: Tensor) -> Tensor:
    """Dot product of two vectors."""

@op(out=True)
def kron(input: Tensor, other: Tensor) -> Tensor:
    """Kronecker product: each element of input times the whole of other."""

@op(out=True)
def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """Cross product of vectors of size 3 along dim, by default the first dim of size 3."""

@op()
def dist(input: Tensor, other: Tensor, p: Number = 2) -> Tensor:
    """p-norm of input - other."""

@op(method=False)
def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-06, keepdim: bool = False) -> Tensor:
    """p-norm of x1 - x2 + eps over the last dim."""

@op(method=False)
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-08) -> Tensor:
    """Dot product over dim of x1 and x2, each divided by its 2-norm (by eps where that is smaller)."""

@op(method=False)
def cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str | None = "use_mm_for_euclid_dist_if_necessary") -> Tensor:
    """p-norms of the differences of all rows of x1 (..., P, M) and x2 (..., R, M): (..., P, R)."""

@op(method=False)
def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """p-norms of the differences of all pairs of rows, those of the first row first."""

@op(nn=True)
def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """input (*, k) @ weight (n, k) transposed + bias (n)."""

# ---- views and shape: ops/view.c -----------------------------------------------------------------------------------------

@op(function=False)
def view(input: Tensor, *size: int) -> Tensor:
    """The same elements in another shape, without a copy."""

@op(function=False, name="view")
def view_dtype(input: Tensor, dtype: dtype) -> Tensor:
    """The same bytes read as another dtype."""

@op(function=False)
def view_as(input: Tensor, other: Tensor) -> Tensor:
    """view(other.shape)."""

@op(method=False, name="reshape")
def reshape(input: Tensor, shape: Ints) -> Tensor:
    """The same elements in another shape: a view where strides allow, else a copy."""

@op(function=False, name="reshape")
def reshape_method(input: Tensor, *shape: int) -> Tensor:
    """The same elements in another shape: a view where strides allow, else a copy."""

@op(function=False)
def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """reshape(other.shape)."""

@op()
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Dims start_dim to end_dim merged into one."""

@op()
def unflatten(input: Tensor, dim: int, sizes: Ints) -> Tensor:
    """One dim split into several."""

@op()
def ravel(input: Tensor) -> Tensor:
    """One-dimensional, row-major."""

@op(inplace="native")
def t(input: Tensor) -> Tensor:
    """Transpose of at most two dims."""

@op(inplace="native")
def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dims exchanged."""

@op(inplace="native")
def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """Two dims exchanged."""

@op(inplace="native")
def swapdims(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dims exchanged."""

@op(method=False, name="permute")
def permute(input: Tensor, dims: Ints) -> Tensor:
    """Dims in another order."""

@op(function=False, name="permute")
def permute_method(input: Tensor, *dims: int) -> Tensor:
    """Dims in another order."""

@op()
def movedim(input: Tensor, source: Ints, destination: Ints) -> Tensor:
    """Dims moved to other places, the rest in order."""

@op()
def moveaxis(input: Tensor, source: Ints, destination: Ints) -> Tensor:
    """Dims moved to other places, the rest in order."""

@op(inplace="native", name="squeeze")
def squeeze(input: Tensor) -> Tensor:
    """Without the dims of size 1."""

@op(inplace="native", name="squeeze")
def squeeze_dim(input: Tensor, dim: int) -> Tensor:
    """Without this dim where its size is 1."""

@op(inplace="native", name="squeeze")
def squeeze_dims(input: Tensor, dim: Ints) -> Tensor:
    """Without these dims where their size is 1."""

@op(inplace="native")
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With a dim of size 1 at dim."""

@op(function=False)
def expand(input: Tensor, *size: int, implicit: bool = False) -> Tensor:
    """Dims of size 1 repeated without a copy; -1 keeps a size."""

@op(function=False)
def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """expand(other.shape)."""

@op()
def broadcast_to(input: Tensor, size: Ints) -> Tensor:
    """expand(size)."""

@op()
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """The slice at one index of dim, without that dim."""

@op()
def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """length indices of dim from start on."""

@op(method=False, function=False)
def slice(input: Tensor, dim: int, start: int | None, end: int | None, step: int = 1) -> Tensor:
    """input[start:end:step] along dim."""

@op(inplace="native")
def as_strided(input: Tensor, size: Ints, stride: Ints, storage_offset: int | None = None) -> Tensor:
    """A view with any size, strides and offset (in elements)."""

@op()
def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """Diagonal of two dims as the last dim of a view."""

@op(out=True)
def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """Diagonal of a matrix, or the matrix with this diagonal."""

@op()
def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Zeros with the last dim on the diagonal of two new dims."""

@op(function=False)
def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """All windows of a dim, as a new last dim of a view."""

@op()
def unbind(input: Tensor, dim: int = 0) -> list[Tensor]:
    """Slices along dim."""

@op(name="split")
def split(input: Tensor, split_size: int, dim: int = 0) -> list[Tensor]:
    """Views of split_size indices of dim each, the last maybe smaller."""

@op(name="split")
def split_sizes(input: Tensor, split_size_or_sections: Ints, dim: int = 0) -> list[Tensor]:
    """Views of these sizes along dim."""

@op()
def chunk(input: Tensor, chunks: int, dim: int = 0) -> list[Tensor]:
    """At most `chunks` views of equal size along dim."""

@op(name="tensor_split")
def tensor_split(input: Tensor, sections: int, dim: int = 0) -> list[Tensor]:
    """`sections` views of as equal size as possible."""

@op(name="tensor_split")
def tensor_split_indices(input: Tensor, indices: Ints, dim: int = 0) -> list[Tensor]:
    """Views split before each of these indices."""

@op()
def split_with_sizes(input: Tensor, split_sizes: Ints, dim: int = 0) -> list[Tensor]:
    """Views of these sizes along dim."""

@op(name="hsplit")
def hsplit(input: Tensor, sections: int) -> list[Tensor]:
    """Views of as many equal parts of the columns (vectors: elements)."""

@op(name="hsplit")
def hsplit_indices(input: Tensor, indices: Ints) -> list[Tensor]:
    """Views of the columns (vectors: elements) split before each of these indices."""

@op(name="vsplit")
def vsplit(input: Tensor, sections: int) -> list[Tensor]:
    """Views of as many equal parts of the rows."""

@op(name="vsplit")
def vsplit_indices(input: Tensor, indices: Ints) -> list[Tensor]:
    """Views of the rows split before each of these indices."""

@op(name="dsplit")
def dsplit(input: Tensor, sections: int) -> list[Tensor]:
    """Views of as many equal parts of the dim 2."""

@op(name="dsplit")
def dsplit_indices(input: Tensor, indices: Ints) -> list[Tensor]:
    """Views of the dim 2 split before each of these indices."""

@op()
def fliplr(input: Tensor) -> Tensor:
    """Columns in reverse order, copied."""

@op()
def flipud(input: Tensor) -> Tensor:
    """Rows in reverse order, copied."""

@op()
def flip(input: Tensor, dims: Ints) -> Tensor:
    """Dims in reverse order, copied."""

@op()
def roll(input: Tensor, shifts: Ints, dims: Ints | None = None) -> Tensor:
    """Elements moved along dims, re-entering at the other end."""

@op(function=False)
def repeat(input: Tensor, *repeats: int) -> Tensor:
    """Copies of the whole tensor along each dim."""

@op()
def tile(input: Tensor, dims: Ints) -> Tensor:
    """Copies of the whole tensor along the last dims."""

@op(name="repeat_interleave")
def repeat_interleave_tensor(input: Tensor, repeats: Tensor, dim: int | None = None) -> Tensor:
    """Each element repeated as often as repeats says, along dim or flattened."""

@op(name="repeat_interleave")
def repeat_interleave(input: Tensor, repeats: int, dim: int | None = None) -> Tensor:
    """Each element repeated, along dim or flattened."""

@op(method=False, name="repeat_interleave")
def repeat_interleave_counts(repeats: Tensor) -> Tensor:
    """Each place as often as repeats says there: 0 repeats[0] times, 1 repeats[1] times, ..."""

@op(inplace=True, out=True)
def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """Lower triangle, zero above the diagonal."""

@op(inplace=True, out=True)
def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """Upper triangle, zero below the diagonal."""

# ---- views copied at once: ops/view_copy.c -----------------------------------------------------------------------------------

@op(method=False, out=True)
def alias_copy(input: Tensor) -> Tensor:
    """Copy of the whole tensor."""

@op(method=False, out=True)
def detach_copy(input: Tensor) -> Tensor:
    """Copy outside the graph."""

@op(method=False, out=True)
def as_strided_copy(input: Tensor, size: Ints, stride: Ints, storage_offset: int | None = None) -> Tensor:
    """Copy of as_strided(input, ...)."""

@op(method=False, out=True)
def diagonal_copy(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """Copy of diagonal(input, ...)."""

@op(method=False, out=True)
def expand_copy(input: Tensor, size: Ints, *, implicit: bool = False) -> Tensor:
    """Copy of input.expand(size)."""

@op(out=True)
def narrow_copy(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """Copy of narrow(input, ...)."""

@op(method=False, out=True)
def permute_copy(input: Tensor, dims: Ints) -> Tensor:
    """Copy of permute(input, dims)."""

@op(method=False, out=True)
def select_copy(input: Tensor, dim: int, index: int) -> Tensor:
    """Copy of select(input, ...)."""

@op(method=False, out=True)
def slice_copy(input: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Tensor:
    """Copy of input[start:end:step] along dim."""

@op(method=False, out=True, name="squeeze_copy")
def squeeze_copy(input: Tensor) -> Tensor:
    """Copy without the dims of size 1."""

@op(method=False, out=True, name="squeeze_copy")
def squeeze_copy_dims(input: Tensor, dim: Ints) -> Tensor:
    """Copy without these dims where their size is 1."""

@op(method=False, out=True)
def t_copy(input: Tensor) -> Tensor:
    """Copy of the transpose of at most two dims."""

@op(method=False, out=True)
def transpose_copy(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Copy with two dims exchanged."""

@op(method=False, out=True)
def unfold_copy(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """Copy of all windows of a dim."""

@op(method=False, out=True)
def unsqueeze_copy(input: Tensor, dim: int) -> Tensor:
    """Copy with a dim of size 1 at dim."""

@op(method=False, out=True, name="view_copy")
def view_copy(input: Tensor, size: Ints) -> Tensor:
    """Copy in another shape."""

@op(method=False, out=True, name="view_copy")
def view_copy_dtype(input: Tensor, dtype: dtype) -> Tensor:
    """Copy of the bytes read as another dtype."""

@op(method=False)
def split_copy(input: Tensor, split_size: int, dim: int = 0) -> list[Tensor]:
    """Copies of split_size indices of dim each."""

@op(method=False)
def split_with_sizes_copy(input: Tensor, split_sizes: Ints, dim: int = 0) -> list[Tensor]:
    """Copies of these sizes along dim."""

@op(method=False)
def unbind_copy(input: Tensor, dim: int = 0) -> list[Tensor]:
    """Copies of the slices along dim."""

@op()
def unsafe_split(input: Tensor, split_size: int, dim: int = 0) -> list[Tensor]:
    """split whose results autograd does not take for views."""

@op()
def unsafe_split_with_sizes(input: Tensor, split_sizes: Ints, dim: int = 0) -> list[Tensor]:
    """split_with_sizes whose results autograd does not take for views."""

@op()
def unsafe_chunk(input: Tensor, chunks: int, dim: int = 0) -> list[Tensor]:
    """chunk whose results autograd does not take for views."""

# ---- copies with a part replaced: ops/view_scatter.c ---------------------------------------------------------------------------

@op(out=True)
def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """Copy in which select(dim, index) is src."""

@op(out=True)
def slice_scatter(input: Tensor, src: Tensor, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Tensor:
    """Copy in which the slice start:end:step of dim is src."""

@op(out=True)
def diagonal_scatter(input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """Copy in which the diagonal is src."""

@op(out=True)
def as_strided_scatter(input: Tensor, src: Tensor, size: Ints, stride: Ints, storage_offset: int | None = None) -> Tensor:
    """Copy in which as_strided(size, stride, storage_offset) is src."""

# ---- where elements stand: ops/places.c ------------------------------------------------------------------------------------------

@op(out=True)
def trace(input: Tensor) -> Tensor:
    """Sum of a matrix's diagonal."""

@op(out=True)
def rot90(input: Tensor, k: int = 1, dims: Ints = (0, 1)) -> Tensor:
    """Turned k times by 90 degrees, from the first of dims to the second."""

@op(function=False, inplace="only")
def fill_diagonal(input: Tensor, fill_value: Number, wrap: bool = False) -> Tensor:
    """Fills the main diagonal; wrap: again and again down a tall matrix."""

@op(method=False, factory=True)
def tril_indices(row: int, col: int, offset: int = 0, *, dtype: dtype | None = None) -> Tensor:
    """Rows and columns (2, n) of the lower triangle's elements."""

@op(method=False, factory=True)
def triu_indices(row: int, col: int, offset: int = 0, *, dtype: dtype | None = None) -> Tensor:
    """Rows and columns (2, n) of the upper triangle's elements."""

@op(out=True)
def nonzero_static(input: Tensor, *, size: int, fill_value: int = -1) -> Tensor:
    """The first `size` rows of nonzero, filled up with fill_value."""

@op(method=False)
def _block_diag(tensors: Tensors) -> Tensor:
    """Matrices along the diagonal of a larger one."""

@op(function=False)
def sum_to_size(input: Tensor, *size: int) -> Tensor:
    """Summed over the dims along which `size` broadcasts to the tensor."""

@op()
def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether both have the same shape."""

@op()
def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """Matrix with the flattened tensor on a diagonal."""

# ---- joining: ops/join.c -------------------------------------------------------------------------------------------------

@op(method=False, out=True)
def cat(tensors: Tensors, dim: int = 0) -> Tensor:
    """Tensors joined along an existing dim."""

@op(method=False, out=True)
def concat(tensors: Tensors, dim: int = 0) -> Tensor:
    """Tensors joined along an existing dim."""

@op(method=False, out=True)
def concatenate(tensors: Tensors, dim: int = 0) -> Tensor:
    """Tensors joined along an existing dim."""

@op(method=False, out=True)
def stack(tensors: Tensors, dim: int = 0) -> Tensor:
    """Tensors of equal size joined along a new dim."""

@op(method=False, out=True)
def hstack(tensors: Tensors) -> Tensor:
    """Tensors joined side by side (dim 1, or 0 for vectors)."""

@op(method=False, out=True)
def vstack(tensors: Tensors) -> Tensor:
    """Tensors joined row-wise (dim 0, vectors as rows)."""

# ---- indexing: ops/index.c, ops/scatter.c ----------------------------------------------------------------------------------

@op(method=False, function=False)
def index(input: Tensor, indices: OptionalTensors) -> Tensor:
    """input[indices]: index tensors per dim, NULL for a whole dim; NumPy's rules."""

@op(inplace="native")
def index_put(input: Tensor, indices: OptionalTensors, values: Tensor, accumulate: bool = False) -> Tensor:
    """input[indices] = values, or += with accumulate."""

@op(out=True)
def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """Slices of dim in the order of index."""

@op(inplace=True)
def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Number = 1) -> Tensor:
    """alpha * source added to the slices of dim named by index."""

@op(inplace=True)
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """source written to the slices of dim named by index."""

@op(inplace=True)
def index_fill(input: Tensor, dim: int, index: Tensor, value: TensorLike) -> Tensor:
    """value written to the slices of dim named by index."""

@op(out=True)
def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """out[i][j] = input[index[i][j]][j] for dim 0, and so on."""

@op(inplace=True, name="scatter")
def scatter(input: Tensor, dim: int, index: Tensor, src: TensorLike, *, reduce: str | None = None) -> Tensor:
    """out[index[i][j]][j] = src[i][j] for dim 0, and so on; reduce "add" or "multiply"."""

@op(inplace=True, name="scatter")
def scatter_value(input: Tensor, dim: int, index: Tensor, value: Number, *, reduce: str | None = None) -> Tensor:
    """out[index[i][j]][j] = value for dim 0, and so on."""

@op(inplace=True)
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """out[index[i][j]][j] += src[i][j] for dim 0, and so on."""

@op(inplace=True, out=True)
def scatter_reduce(input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True) -> Tensor:
    """src reduced into the places that index names along dim: "sum", "prod", "mean", "amax" or "amin"."""

@op(inplace=True, out=True)
def index_reduce(input: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str, *, include_self: bool = True) -> Tensor:
    """Slices of source reduced into the slices of dim named by index: "prod", "mean", "amax" or "amin"."""

@op(inplace=True, out=True)
def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """source written to (or added to) places of the flattened tensor."""

@op(inplace=True, out=True)
def renorm(input: Tensor, p: Number, dim: int, maxnorm: Number) -> Tensor:
    """Slices along dim whose p-norm exceeds maxnorm scaled down to it."""

@op(out=True)
def take(input: Tensor, index: Tensor) -> Tensor:
    """Elements of the flattened tensor."""

@op(out=True)
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """Elements along dim at indices, broadcast."""

@op(out=True)
def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """Elements where mask is true, flattened."""

@op(inplace="native")
def masked_fill(input: Tensor, mask: Tensor, value: TensorLike) -> Tensor:
    """value where mask is true, the element elsewhere."""

@op(inplace=True)
def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """Elements of source, in order, where mask is true."""

@op(method=False, function=False)
def nonzero(input: Tensor) -> Tensor:
    """Indices (n, ndim) of the elements that are not zero."""

@op(method=False, function=False)
def nonzero_tuple(input: Tensor) -> list[Tensor]:
    """Indices of the elements that are not zero, one tensor per dim."""

@op(out=True, name="where")
def where(condition: Tensor, input: TensorLike, other: TensorLike) -> Tensor:
    """input where condition is true, other elsewhere."""

@op(method=False, name="where")
def where_nonzero(condition: Tensor) -> list[Tensor]:
    """Indices where condition is true, one tensor per dim."""

@op(out=True, returns=("values", "indices"))
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> tuple[Tensor, Tensor]:
    """The k largest (smallest) elements along dim, and where they are."""

@op(out=True, returns=("values", "indices"))
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    """The k-th smallest element along dim, and where it is."""

@op(out=True, returns=("values", "indices"))
def sort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False) -> tuple[Tensor, Tensor]:
    """Elements in order along dim, and where they were."""

@op(out=True)
def msort(input: Tensor) -> Tensor:
    """Elements in ascending order along the first dim."""

@op()
def argwhere(input: Tensor) -> Tensor:
    """Indices (n, ndim) of the elements that are not zero."""

@op()
def argsort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Tensor:
    """Where the sorted elements were."""

# ---- different elements, places in sorted sequences, histograms: ops/unique.c, ops/search.c, ops/histogram.c ---------------

@op(method=False)
def _unique2(input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    """The different elements in ascending order, each element's number among them, and their counts."""

@op(method=False)
def _unique_dim(input: Tensor, dim: int, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    """The different slices along dim in lexical order, each slice's number among them, and their counts."""

@op(method=False)
def _unique_consecutive(input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """The first of each run of equal elements (slices), each one's run, and the runs' lengths."""

@op(method=False, out=True)
def bucketize(input: TensorLike, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """The bucket of each element between sorted boundaries; right: a boundary belongs to the next bucket."""

@op(method=False, out=True)
def searchsorted(sorted_sequence: Tensor, input: TensorLike, *, out_int32: bool = False, right: bool = False, side: str | None = None, sorter: Tensor | None = None) -> Tensor:
    """Where in (each row of) sorted_sequence the values would be put."""

@op(method=False, out=True, name="isin")
def isin(elements: Tensor, test_elements: TensorLike, *, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Whether each element is one of test_elements."""

@op(method=False, out=True, name="isin")
def isin_number(element: Number, test_elements: Tensor, *, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Whether the number is one of test_elements."""

@op()
def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each of 0, 1, ... occurs, or the sums of their weights."""

@op(out=True)
def histc(input: Tensor, bins: int = 100, min: Number = 0, max: Number = 0) -> Tensor:
    """Counts in bins of equal width from min to max (of the data when equal)."""

@op(method=False, returns=("hist", "bin_edges"))
def _histogram(input: Tensor, bins: int, left: float | None, right: float | None, weight: Tensor | None, density: bool) -> tuple[Tensor, Tensor]:
    """Counts, sums of weights or density in bins of equal width, and the bins' edges."""

@op(method=False, returns=("hist", "bin_edges"))
def _histogram_edges(input: Tensor, bins: Tensor, weight: Tensor | None, density: bool) -> tuple[Tensor, Tensor]:
    """Counts, sums of weights or density between given edges."""

# ---- random: ops/random.c --------------------------------------------------------------------------------------------------

@op(method=False, factory=True, out=True)
def rand(*size: int, generator: Generator | None = None, dtype: dtype | None = None) -> Tensor:
    """Uniform on [0, 1)."""

@op(method=False, factory=True, out=True)
def randn(*size: int, generator: Generator | None = None, dtype: dtype | None = None) -> Tensor:
    """Normal with mean 0 and variance 1."""

@op(method=False, factory=True)
def rand_like(input: Tensor, *, dtype: dtype | None = None, memory_format: Any = None) -> Tensor:
    """Uniform on [0, 1), of input's size."""

@op(method=False, factory=True)
def randn_like(input: Tensor, *, dtype: dtype | None = None, memory_format: Any = None) -> Tensor:
    """Normal, of input's size."""

@op(method=False, factory=True, out=True, name="randint")
def randint_high(high: int, size: Ints, *, generator: Generator | None = None, dtype: dtype | None = None) -> Tensor:
    """Uniform integers 0 to high - 1."""

@op(method=False, factory=True, out=True, name="randint")
def randint(low: int, high: int, size: Ints, *, generator: Generator | None = None, dtype: dtype | None = None) -> Tensor:
    """Uniform integers low to high - 1."""

@op(method=False, factory=True, name="randint_like")
def randint_like_high(input: Tensor, high: int, *, dtype: dtype | None = None, memory_format: Any = None) -> Tensor:
    """Uniform integers 0 to high - 1, of input's size."""

@op(method=False, factory=True, name="randint_like")
def randint_like(input: Tensor, low: int, high: int, *, dtype: dtype | None = None, memory_format: Any = None) -> Tensor:
    """Uniform integers low to high - 1, of input's size."""

@op(method=False, factory=True, out=True)
def randperm(n: int, *, generator: Generator | None = None, dtype: dtype | None = None) -> Tensor:
    """0 to n - 1 in random order."""

@op(method=False, out=True, name="normal")
def normal_tensor_tensor(mean: Tensor, std: Tensor, *, generator: Generator | None = None) -> Tensor:
    """Normal with these means and standard deviations."""

@op(method=False, out=True, name="normal")
def normal_tensor_float(mean: Tensor, std: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Normal with these means and one standard deviation."""

@op(method=False, out=True, name="normal")
def normal_float_tensor(mean: float, std: Tensor, *, generator: Generator | None = None) -> Tensor:
    """Normal with one mean and these standard deviations."""

@op(method=False, out=True, factory=True, name="normal")
def normal_float_float(mean: float, std: float, size: Ints, *, generator: Generator | None = None, dtype: dtype | None = None) -> Tensor:
    """Normal with one mean and standard deviation, of the given size."""

@op(function=False, inplace="only")
def normal(input: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fills with normal numbers."""

# "from" is a Python keyword: the generator maps a trailing underscore in names of arguments to none.
@op(function=False, inplace="only")
def uniform(input: Tensor, from_: float = 0.0, to: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fills with uniform numbers on [from, to)."""

@op(function=False, inplace="only", name="random")
def random_full(input: Tensor, *, generator: Generator | None = None) -> Tensor:
    """Fills with integers over the whole range of the dtype (or of its exact integers)."""

@op(function=False, inplace="only", name="random")
def random_to(input: Tensor, to: int, *, generator: Generator | None = None) -> Tensor:
    """Fills with integers 0 to to - 1."""

@op(function=False, inplace="only", name="random")
def random_from_to(input: Tensor, from_: int, to: int | None, *, generator: Generator | None = None) -> Tensor:
    """Fills with integers from to to - 1."""

@op(out=True, name="bernoulli")
def bernoulli(input: Tensor, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability that the element gives, else 0."""

@op(name="bernoulli")
def bernoulli_p(input: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """1 with probability p, else 0."""

@op(function=False, inplace="only", name="bernoulli")
def bernoulli_fill_tensor(input: Tensor, p: Tensor, *, generator: Generator | None = None) -> Tensor:
    """Fills with 1 with the probabilities p, else 0."""

@op(function=False, inplace="only", name="bernoulli")
def bernoulli_fill(input: Tensor, p: float = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Fills with 1 with probability p, else 0."""

@op(function=False, inplace="only")
def exponential(input: Tensor, lambd: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fills with exponential numbers of rate lambd."""

@op(function=False, inplace="only")
def geometric(input: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """Fills with the numbers of trials up to the first success."""

@op(function=False, inplace="only")
def log_normal(input: Tensor, mean: float = 1.0, std: float = 2.0, *, generator: Generator | None = None) -> Tensor:
    """Fills with exp of normal numbers."""

@op(function=False, inplace="only")
def cauchy(input: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator: Generator | None = None) -> Tensor:
    """Fills with Cauchy numbers."""

@op(out=True)
def multinomial(input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None) -> Tensor:
    """Indices drawn with the probabilities (rows of) input."""

@op(method=False, inplace=True)
def dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Elements zeroed with probability p, the rest divided by 1 - p; input itself when not training."""

# ---- losses: ops/loss.c ----------------------------------------------------------------------------------------------------
# reduction: "none", "mean" or "sum".

@op(nn=True)
def mse_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """(input - target)^2."""

@op(nn=True)
def l1_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """|input - target|."""

@op(nn=True)
def smooth_l1_loss(input: Tensor, target: Tensor, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """0.5 d^2 / beta where |d| < beta, |d| - 0.5 beta elsewhere; d = input - target."""

@op(nn=True)
def huber_loss(input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    """0.5 d^2 where |d| <= delta, delta (|d| - 0.5 delta) elsewhere; d = input - target."""

@op(nn=True)
def nll_loss(input: Tensor, target: Tensor, weight: Tensor | None = None, ignore_index: int = -100, reduction: str = "mean") -> Tensor:
    """-weight[c] * input[c] at each target class c; input (C), (N, C) or (N, C, d1, ...) of log-probabilities."""

@op(nn=True)
def cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None = None, ignore_index: int = -100, reduction: str = "mean", label_smoothing: float = 0.0) -> Tensor:
    """nll_loss of log_softmax(input) in one node; target classes or probabilities."""

@op(nn=True)
def binary_cross_entropy(input: Tensor, target: Tensor, weight: Tensor | None = None, reduction: str = "mean") -> Tensor:
    """-(t log x + (1 - t) log(1 - x)), the logs not below -100."""

@op(nn=True)
def binary_cross_entropy_with_logits(input: Tensor, target: Tensor, weight: Tensor | None = None, pos_weight: Tensor | None = None, reduction: str = "mean") -> Tensor:
    """binary_cross_entropy(sigmoid(input), target), stable."""

@op(nn=True)
def kl_div(input: Tensor, target: Tensor, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """target (log target - input), input being log-probabilities."""

# ---- convolution: ops/conv.c ------------------------------------------------------------------------------------------------

@op(method=False)
def conv1d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1, padding: Ints = 0, dilation: Ints = 1, groups: int = 1) -> Tensor:
    """Convolution over one dimension: input (N, C, ...) or (C, ...), weight (O, C / groups, ...)."""

@op(method=False, name="conv1d")
def conv1d_named(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1, padding: str = "valid", dilation: Ints = 1, groups: int = 1) -> Tensor:
    """Convolution over one dimension with padding "valid", none, or "same", as much as keeps the size."""

@op(method=False)
def conv2d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1, padding: Ints = 0, dilation: Ints = 1, groups: int = 1) -> Tensor:
    """Convolution over two dimensions: input (N, C, ...) or (C, ...), weight (O, C / groups, ...)."""

@op(method=False, name="conv2d")
def conv2d_named(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1, padding: str = "valid", dilation: Ints = 1, groups: int = 1) -> Tensor:
    """Convolution over two dimensions with padding "valid", none, or "same", as much as keeps the size."""

@op(method=False)
def conv3d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1, padding: Ints = 0, dilation: Ints = 1, groups: int = 1) -> Tensor:
    """Convolution over three dimensions: input (N, C, ...) or (C, ...), weight (O, C / groups, ...)."""

@op(method=False, name="conv3d")
def conv3d_named(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1, padding: str = "valid", dilation: Ints = 1, groups: int = 1) -> Tensor:
    """Convolution over three dimensions with padding "valid", none, or "same", as much as keeps the size."""

@op(method=False)
def conv_transpose1d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1, padding: Ints = 0, output_padding: Ints = 0, groups: int = 1, dilation: Ints = 1) -> Tensor:
    """Transposed convolution over one dimension: input (N, C, ...) or (C, ...), weight (C, O / groups, ...)."""

@op(method=False)
def conv_transpose2d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1, padding: Ints = 0, output_padding: Ints = 0, groups: int = 1, dilation: Ints = 1) -> Tensor:
    """Transposed convolution over two dimensions: input (N, C, ...) or (C, ...), weight (C, O / groups, ...)."""

@op(method=False)
def conv_transpose3d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Ints = 1, padding: Ints = 0, output_padding: Ints = 0, groups: int = 1, dilation: Ints = 1) -> Tensor:
    """Transposed convolution over three dimensions: input (N, C, ...) or (C, ...), weight (C, O / groups, ...)."""

# ---- borders: ops/pad.c --------------------------------------------------------------------------------------------------

@op(method=False)
def constant_pad_nd(input: Tensor, pad: Ints, value: Number = 0) -> Tensor:
    """The tensor with a border of one value: pad is (before, after) of the last dim, then of the one before it, ..."""

# ---- complex numbers: ops/complex.c -----------------------------------------------------------------------------------

@op(method=False)
def complex(real: Tensor, imag: Tensor) -> Tensor:
    """real + i imag."""

@op(method=False)
def polar(abs: Tensor, angle: Tensor) -> Tensor:
    """abs (cos angle + i sin angle)."""

@op(method=False)
def view_as_real(input: Tensor) -> Tensor:
    """View of complex numbers as pairs: a last dim of size 2 more."""

@op(method=False)
def view_as_complex(input: Tensor) -> Tensor:
    """View of pairs along the last dim, of size 2, as complex numbers."""

# The operators that take complex tensors (by their Python names); the others refuse them.
COMPLEX = """
abs absolute add allclose angle as_strided bmm broadcast_to cat chunk clone complex concat concatenate conj conj_physical
contiguous copy diag diag_embed diagonal div divide dot empty empty_like empty_strided eq equal exp expand expand_as fill
flatten flip full full_like gather ger hstack imag index index_add index_copy index_put index_select inner isclose
isfinite isinf isnan isreal masked_fill masked_scatter masked_select matmul mean mm movedim mul multiply mv narrow ne neg
negative ones ones_like outer permute polar positive pow rand rand_like randn
randn_like ravel real reciprocal repeat repeat_interleave resolve_conj resolve_neg reshape reshape_as roll rsub scatter scatter_add
select sgn slice split square squeeze stack sub subtract sum swapaxes swapdims t take take_along_dim tensor_split tile
transpose tril triu true_divide unbind unflatten unfold unsqueeze view view_as view_as_complex view_as_real vstack where
zero zeros zeros_like
"""

# ---- pooling: ops/pool.c -------------------------------------------------------------------------------------------------

@op(method=False)
def max_pool1d(input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1, ceil_mode: bool = False) -> Tensor:
    """Maxima of windows of the last dim."""

@op(method=False)
def max_pool1d_with_indices(input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1, ceil_mode: bool = False) -> tuple[Tensor, Tensor]:
    """Maxima of windows of the last dim, and where they lie in their plane."""

@op(method=False)
def avg_pool1d(input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, ceil_mode: bool = False, count_include_pad: bool = True) -> Tensor:
    """Averages of windows of the last dim."""

@op(method=False)
def adaptive_avg_pool1d(input: Tensor, output_size: Ints) -> Tensor:
    """Averages of as many windows of the last dim as output_size says."""

@op(method=False)
def adaptive_max_pool1d(input: Tensor, output_size: Ints) -> tuple[Tensor, Tensor]:
    """Maxima of as many windows of the last dim as output_size says, and where they lie in their plane."""

@op(method=False)
def max_pool2d(input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1, ceil_mode: bool = False) -> Tensor:
    """Maxima of windows of the last two dims."""

@op(nn=True)
def max_pool2d_with_indices(input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1, ceil_mode: bool = False) -> tuple[Tensor, Tensor]:
    """Maxima of windows of the last two dims, and where they lie in their plane."""

@op(nn=True)
def avg_pool2d(input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None) -> Tensor:
    """Averages of windows of the last two dims."""

@op(nn=True)
def adaptive_avg_pool2d(input: Tensor, output_size: Ints) -> Tensor:
    """Averages of as many windows of the last two dims as output_size says."""

@op(nn=True)
def adaptive_max_pool2d(input: Tensor, output_size: Ints) -> tuple[Tensor, Tensor]:
    """Maxima of as many windows of the last two dims as output_size says, and where they lie in their plane."""

@op(method=False)
def max_pool3d(input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1, ceil_mode: bool = False) -> Tensor:
    """Maxima of windows of the last three dims."""

@op(nn=True)
def max_pool3d_with_indices(input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, dilation: Ints = 1, ceil_mode: bool = False) -> tuple[Tensor, Tensor]:
    """Maxima of windows of the last three dims, and where they lie in their plane."""

@op(nn=True)
def avg_pool3d(input: Tensor, kernel_size: Ints, stride: Ints | None = None, padding: Ints = 0, ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None) -> Tensor:
    """Averages of windows of the last three dims."""

@op(nn=True)
def adaptive_avg_pool3d(input: Tensor, output_size: Ints) -> Tensor:
    """Averages of as many windows of the last three dims as output_size says."""

@op(nn=True)
def adaptive_max_pool3d(input: Tensor, output_size: Ints) -> tuple[Tensor, Tensor]:
    """Maxima of as many windows of the last three dims as output_size says, and where they lie in their plane."""
