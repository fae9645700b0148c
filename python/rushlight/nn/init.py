"""Starting values for parameters: every function fills the given tensor in place and returns it.

None of it is recorded for gradients. For the same seed the values are PyTorch's.
"""

import math
import warnings
from collections.abc import Callable

import rushlight
from rushlight import Generator, Tensor

__all__ = [
    "calculate_gain",
    "constant",
    "constant_",
    "dirac",
    "dirac_",
    "eye",
    "eye_",
    "kaiming_normal",
    "kaiming_normal_",
    "kaiming_uniform",
    "kaiming_uniform_",
    "normal",
    "normal_",
    "ones_",
    "orthogonal",
    "orthogonal_",
    "sparse",
    "sparse_",
    "trunc_normal_",
    "uniform",
    "uniform_",
    "xavier_normal",
    "xavier_normal_",
    "xavier_uniform",
    "xavier_uniform_",
    "zeros_",
]

_LINEAR = ("linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d",
           "conv_transpose3d", "sigmoid")  # fmt: skip


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which a layer in front of this nonlinearity should scale its weights.

    1 for linear layers, convolutions and "sigmoid", 5/3 for "tanh", sqrt(2) for "relu",
    sqrt(2 / (1 + slope^2)) for "leaky_relu", 3/4 for "selu".

    Args:
        nonlinearity (str): its name in ``nn.functional``.
        param: the slope of "leaky_relu". Default: 0.01

    Raises:
        ValueError: an unknown name, or a slope that is no number.

    Source: He, Zhang, Ren, Sun, 2015.
    """
    if nonlinearity in _LINEAR:
        return 1
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity == "selu":
        return 3.0 / 4
    raise ValueError(f"Unsupported nonlinearity {nonlinearity}")


def uniform_(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Uniform on [a, b)."""
    with rushlight.no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Normal with this mean and standard deviation."""
    with rushlight.no_grad():
        return tensor.normal_(mean, std, generator=generator)


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Normal, but only values on [a, b].

    By rejection, for all elements at a time until none is outside: normal candidates where more
    than 0.3 of them fall inside, else uniform ones accepted in proportion to the density.
    """

    def below(x: float) -> float:  # the normal distribution's share below x
        return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0

    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. "
            "The distribution of values may be incorrect.",
            stacklevel=2,
        )
    with rushlight.no_grad():
        if below((b - mean) / std) - below((a - mean) / std) > 0.3:
            _reject_normal(tensor, mean, std, a, b, generator)
        else:
            _reject_uniform(tensor, mean, std, a, b, generator)
    return tensor


def _reject_normal(
    tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Generator | None
) -> None:
    # The limits in the tensor's own precision, as its values are.
    low, high = rushlight.tensor([a, b], dtype=tensor.dtype).tolist()
    tensor.normal_(mean, std, generator=generator)
    values = tensor
    outside = (values < low) | (values > high)
    while outside.any():
        again = rushlight.empty_like(values).normal_(mean, std, generator=generator)
        values = rushlight.where(outside, again, values)
        outside = (values < low) | (values > high)
    if values is not tensor:
        tensor.copy_(values)


def _reject_uniform(
    tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Generator | None
) -> None:
    peak = max(a, min(mean, b))  # where the density is highest on [a, b]
    log_peak = -0.5 * ((peak - mean) / std) ** 2
    chance = rushlight.empty_like(tensor)

    def rejected(candidates: Tensor) -> Tensor:
        log_density = ((candidates - mean) / std).pow(2) * -0.5 - log_peak
        return chance.uniform_(generator=generator).log_() > log_density

    tensor.uniform_(a, b, generator=generator)
    values = tensor
    pending = rejected(values)
    while pending.any():
        candidates = rushlight.empty_like(tensor).uniform_(a, b, generator=generator)
        values = rushlight.where(pending, candidates, values)
        pending = rejected(candidates) & pending
    if values is not tensor:
        tensor.copy_(values)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """One value everywhere."""
    with rushlight.no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Ones."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Zeros."""
    with rushlight.no_grad():
        return tensor.zero_()


def eye_(tensor: Tensor) -> Tensor:
    """The identity: ones on the diagonal of a matrix, zeros elsewhere.

    Raises:
        ValueError: not two dimensions.
    """
    if tensor.ndimension() != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    with rushlight.no_grad():
        tensor.zero_()
        for i in range(min(tensor.shape)):
            tensor[i, i] = 1
    return tensor


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """A convolution's weight that hands its input through, channel by channel.

    Args:
        tensor: (out channels, in channels / groups, *kernel), with one to three kernel dimensions.
        groups (int): each group of output channels starts again at the first input channel.

    Raises:
        ValueError: another number of dimensions, or out channels that groups does not divide.
    """
    dimensions = tensor.ndimension()
    if dimensions not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    if tensor.shape[0] % groups != 0:
        raise ValueError("dim 0 must be divisible by groups")
    per_group = tensor.shape[0] // groups
    middle = tuple(size // 2 for size in tensor.shape[2:])
    with rushlight.no_grad():
        tensor.zero_()
        for group in range(groups):
            for channel in range(min(per_group, tensor.shape[1])):
                tensor[(group * per_group + channel, channel, *middle)] = 1
    return tensor


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """Inputs that feed one output, and outputs that one input feeds; kernel positions count."""
    if tensor.dim() < 2:
        raise ValueError(
            "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions"
        )
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def _calculate_correct_fan(tensor: Tensor, mode: str) -> int:
    mode = mode.lower()
    modes = ["fan_in", "fan_out"]
    if mode not in modes:
        raise ValueError(f"Mode {mode} not supported, please use one of {modes}")
    return _calculate_fan_in_and_fan_out(tensor)[modes.index(mode)]


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Uniform on [-b, b), b = gain sqrt(6 / (fan in + fan out)).

    Raises:
        ValueError: fewer than two dimensions.

    Source: Glorot and Bengio, 2010.
    """
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    std = gain * math.sqrt(2.0 / float(fan_in + fan_out))
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal with standard deviation gain sqrt(2 / (fan in + fan out)); see xavier_uniform_."""
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    std = gain * math.sqrt(2.0 / float(fan_in + fan_out))
    return normal_(tensor, 0.0, std, generator)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Uniform on [-b, b), b = gain sqrt(3 / fan).

    Args:
        a (float): slope of the leaky ReLU that follows.
        mode (str): "fan_in" keeps the size of values on the way forward, "fan_out" backward.
        nonlinearity (str): what follows; see calculate_gain.

    Raises:
        ValueError: fewer than two dimensions, an unknown mode or nonlinearity.

    Source: He, Zhang, Ren, Sun, 2015.
    """
    if _is_empty(tensor):
        return tensor
    fan = _calculate_correct_fan(tensor, mode)
    std = calculate_gain(nonlinearity, a) / math.sqrt(fan)
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Normal with standard deviation gain / sqrt(fan); arguments as in kaiming_uniform_."""
    if _is_empty(tensor):
        return tensor
    fan = _calculate_correct_fan(tensor, mode)
    std = calculate_gain(nonlinearity, a) / math.sqrt(fan)
    return normal_(tensor, 0.0, std, generator)


def _is_empty(tensor: Tensor) -> bool:
    if 0 not in tensor.shape:
        return False
    warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
    return True


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """Rows (or columns, where there are fewer) orthogonal to each other and of length gain.

    More than two dimensions count as a matrix (first, all others). It is the Q of the QR
    decomposition of normal numbers, with the signs that make R's diagonal positive.

    Raises:
        ValueError: fewer than two dimensions.

    Source: Saxe, McClelland, Ganguli, 2013.
    """
    if tensor.ndimension() < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if tensor.numel() == 0:
        return tensor
    with rushlight.no_grad():
        rows, columns = tensor.shape[0], tensor.numel() // tensor.shape[0]
        matrix = tensor.new_empty((rows, columns)).normal_(0, 1, generator=generator)
        tall = matrix.t() if rows < columns else matrix
        q = _orthonormal_columns(tall)
        q = q.t() if rows < columns else q
        return tensor.copy_(q.reshape(tensor.shape)).mul_(gain)


def _orthonormal_columns(matrix: Tensor) -> Tensor:
    """Gram-Schmidt in float64, each column twice, which leaves nothing but rounding errors."""
    columns = matrix.to(rushlight.float64)
    q = rushlight.zeros_like(columns)
    for k in range(columns.shape[1]):
        vector, done = columns[:, k], q[:, :k]
        for _ in range(2 if k else 0):
            vector = vector - done @ (done.t() @ vector)
        q[:, k] = vector / vector.pow(2).sum().sqrt()
    return q


def sparse_(
    tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None
) -> Tensor:
    """Normal numbers of mean 0, with a share of each column set to zero.

    Args:
        tensor: two dimensions.
        sparsity (float): share of zeros in each column, rounded up.
        std (float): standard deviation of the others.

    Raises:
        ValueError: not two dimensions.

    Source: Martens, 2010.
    """
    if tensor.ndimension() != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    with rushlight.no_grad():
        tensor.normal_(0, std, generator=generator)
        for column in range(columns):
            # From the default generator, also when another one is given: PyTorch does so.
            tensor[rushlight.randperm(rows)[:zeros], column] = 0
    return tensor


def _deprecated(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The old name of an in-place function, without the underscore."""
    name = function.__name__[:-1]

    def old(*args: object, **kwargs: object) -> Tensor:
        warnings.warn(
            f"`nn.init.{name}` is now deprecated in favor of `nn.init.{name}_`.",
            FutureWarning,
            stacklevel=2,
        )
        return function(*args, **kwargs)

    old.__name__ = old.__qualname__ = name
    old.__doc__ = f"Deprecated: use {name}_."
    return old


uniform = _deprecated(uniform_)
normal = _deprecated(normal_)
constant = _deprecated(constant_)
eye = _deprecated(eye_)
dirac = _deprecated(dirac_)
xavier_uniform = _deprecated(xavier_uniform_)
xavier_normal = _deprecated(xavier_normal_)
kaiming_uniform = _deprecated(kaiming_uniform_)
kaiming_normal = _deprecated(kaiming_normal_)
orthogonal = _deprecated(orthogonal_)
sparse = _deprecated(sparse_)
