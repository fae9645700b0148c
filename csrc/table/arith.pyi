"""Arithmetic: csrc/ops/arith.c."""

@op(inplace="native", out=True, complex=True)
def add(input: Tensor, other: TensorLike, *, alpha: Number = 1) -> Tensor:
    """input + alpha * other."""

@op(inplace="native", out=True, complex=True)
def sub(input: Tensor, other: TensorLike, *, alpha: Number = 1) -> Tensor:
    """input - alpha * other."""

@op(inplace="native", out=True, name="subtract", complex=True)
def subtract(input: Tensor, other: TensorLike, *, alpha: Number = 1) -> Tensor:
    """input - alpha * other."""

@op(method=False, complex=True)
def rsub(input: Tensor, other: TensorLike, alpha: Number = 1) -> Tensor:
    """other - alpha * input."""

@op(inplace="native", out=True, complex=True)
def mul(input: Tensor, other: TensorLike) -> Tensor:
    """input * other, element by element."""

@op(inplace="native", out=True, complex=True)
def multiply(input: Tensor, other: TensorLike) -> Tensor:
    """input * other, element by element."""

@op(inplace="native", out=True, complex=True)
def div(input: Tensor, other: TensorLike, *, rounding_mode: str | None = None) -> Tensor:
    """input / other; rounding_mode "trunc" or "floor" rounds the quotient."""

@op(inplace="native", out=True, complex=True)
def divide(input: Tensor, other: TensorLike, *, rounding_mode: str | None = None) -> Tensor:
    """input / other; rounding_mode "trunc" or "floor" rounds the quotient."""

@op(inplace="native", out=True, complex=True)
def true_divide(input: Tensor, other: TensorLike) -> Tensor:
    """input / other, floating."""

@op(inplace="native", out=True)
def floor_divide(input: Tensor, other: TensorLike) -> Tensor:
    """input / other rounded toward minus infinity."""

@op(inplace="native", out=True)
def remainder(input: TensorLike, other: TensorLike) -> Tensor:
    """Remainder with the sign of other, as Python's %."""

@op(inplace="native", out=True)
def fmod(input: Tensor, other: TensorLike) -> Tensor:
    """Remainder with the sign of input, as C's fmod."""

@op(inplace="native", out=True, complex=True)
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

@op(out=True, complex=True)
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

@op(inplace=True, out=True, complex=True)
def ldexp(input: Tensor, other: Tensor) -> Tensor:
    """input 2^other."""

@op(inplace="native", out=True, complex=True)
def float_power(input: TensorLike, exponent: TensorLike) -> Tensor:
    """input to the power of exponent, computed in float64."""

@op(out=True, returns=("mantissa", "exponent"))
def frexp(input: Tensor) -> tuple[Tensor, Tensor]:
    """Mantissa in [1/2, 1) and exponent: input = mantissa 2^exponent."""

@op(inplace=True, out=True, complex=True)
def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
    """input + value * tensor1 * tensor2."""

@op(inplace=True, out=True, complex=True)
def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
    """input + value * tensor1 / tensor2."""

@op(inplace=True, out=True, complex=True)
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
