"""Activations and their fused backwards: csrc/ops/activation.c, glu.c."""

@op(inplace="native", out=True, aliases=("special_expit",), complex=True)
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

@op(nn=True, inplace=True, complex=True)
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

@op(out=True)
def hardshrink(input: Tensor, lambd: Number = 0.5) -> Tensor:
    """x where |x| > lambd, 0 elsewhere."""

@op(nn=True, out=True)
def softshrink(input: Tensor, lambd: Number = 0.5) -> Tensor:
    """x - lambd where x > lambd, x + lambd where x < -lambd, 0 elsewhere."""

@op(method=False, inplace=True)
def threshold(input: Tensor, threshold: Number, value: Number) -> Tensor:
    """x where x > threshold, value elsewhere."""

@op(method=True)
def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x where x > 0, weight * x elsewhere; weight has one element or one per channel (dim 1)."""

@op(nn=True)
def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a sigmoid(b), a and b the halves of input along dim."""
