"""The operators of neural networks as functions.

Most are the operators themselves; a function here adapts a signature: inplace=, training=, the old
arguments of losses.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import rushlight
from rushlight import _C
from rushlight._C import Tensor, _nn
from rushlight.nn._reduction import legacy_get_string
from rushlight.nn._spatial import *  # noqa: F403

# ---- the operators themselves ----

linear = _nn.linear
relu = _C._relu  # with inplace=, in C: it is everywhere
gelu = _nn.gelu
softplus = _nn.softplus
logsigmoid = _nn.log_sigmoid
prelu = _C.prelu
cosine_similarity = _C.cosine_similarity
pairwise_distance = _C.pairwise_distance
pdist = _C.pdist
conv1d = _C.conv1d
conv2d = _C.conv2d
conv3d = _C.conv3d
conv_transpose1d = _C.conv_transpose1d
conv_transpose2d = _C.conv_transpose2d
conv_transpose3d = _C.conv_transpose3d

relu_ = _C.relu_
leaky_relu_ = _nn.leaky_relu_
elu_ = _nn.elu_
selu_ = _C.selu_
celu_ = _C.celu_
hardtanh_ = _nn.hardtanh_
threshold_ = _C.threshold_


# ---- activations ----


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where x >= 0, negative_slope * x elsewhere."""
    return (_nn.leaky_relu_ if inplace else _nn.leaky_relu)(input, negative_slope)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, alpha * (exp(x) - 1) elsewhere."""
    return (_nn.elu_ if inplace else _nn.elu)(input, alpha)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """ELU scaled so that activations keep mean 0 and variance 1."""
    return (_C.selu_ if inplace else _C.selu)(input)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """max(0, x) + min(0, alpha * (exp(x / alpha) - 1))."""
    return (_C.celu_ if inplace else _C.celu)(input, alpha)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(0, x), 6)."""
    return hardtanh(input, 0.0, 6.0, inplace)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x * sigmoid(x)."""
    return (_nn.silu_ if inplace else _nn.silu)(input)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x * tanh(softplus(x))."""
    return (_nn.mish_ if inplace else _nn.mish)(input)


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """Elements limited to [min_val, max_val].

    Raises:
        ValueError: min_val above max_val.
    """
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    return (_nn.hardtanh_ if inplace else _nn.hardtanh)(input, min_val, max_val)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """relu6(x + 3) / 6."""
    return (_nn.hardsigmoid_ if inplace else _nn.hardsigmoid)(input)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x * relu6(x + 3) / 6."""
    return (_nn.hardswish_ if inplace else _nn.hardswish)(input)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where x > threshold, value elsewhere."""
    return (_C.threshold_ if inplace else _C.threshold)(input, threshold, value)


def tanh(input: Tensor) -> Tensor:
    """Hyperbolic tangent."""
    return input.tanh()


def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + exp(-x))."""
    return input.sigmoid()


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|)."""
    return input / (input.abs() + 1)


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh(x)."""
    return input - input.tanh()


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a * sigmoid(b), a and b the halves of the input along dim.

    Raises:
        RuntimeError: the size along dim is odd, or the input has no dimension.
    """
    if input.dim() == 0:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    if input.size(dim) % 2:
        raise RuntimeError(
            f"Halving dimension must be even, but dimension {dim % input.dim()} is size "
            f"{input.size(dim)}"
        )
    a, b = input.chunk(2, dim)
    return a * b.sigmoid()


def _implicit_dim(name: str, ndim: int, stacklevel: int) -> int:
    """What softmax without dim takes: PyTorch's old rule, and its warning."""
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. "
        "Change the call to include dim=X as an argument.",
        stacklevel=stacklevel,
    )
    return 0 if ndim in (0, 1, 3) else 1


def softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """exp(x) / sum(exp(x)) along dim; dtype converts the input first."""
    if dim is None:
        dim = _implicit_dim("softmax", input.dim(), _stacklevel)
    return input.softmax(dim) if dtype is None else input.softmax(dim, dtype=dtype)


def softmin(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """softmax(-x) along dim."""
    if dim is None:
        dim = _implicit_dim("softmin", input.dim(), _stacklevel)
    return (-input).softmax(dim) if dtype is None else (-input).softmax(dim, dtype=dtype)


def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """log(softmax(x)) along dim, stable; dtype converts the input first."""
    if dim is None:
        dim = _implicit_dim("log_softmax", input.dim(), _stacklevel)
    return input.log_softmax(dim) if dtype is None else input.log_softmax(dim, dtype=dtype)


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zeroes each element with probability p and scales the others by 1 / (1 - p), in training.

    Raises:
        ValueError: p outside [0, 1].
    """
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    return (_C.dropout_ if inplace else _C.dropout)(input, p, training)


# ---- products ----


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x1^T W[k] x2 + b[k]: inputs (*, in1) and (*, in2), weight (out, in1, in2), output (*, out)."""
    out, in1, in2 = weight.shape
    if input1.dim() != input2.dim():
        raise RuntimeError(
            f"bilinear(): input dimensions do not match: got {input1.dim()} and {input2.dim()}"
        )
    for i, (a, b) in enumerate(zip(input1.shape[:-1], input2.shape[:-1], strict=True)):
        if a != b:
            raise RuntimeError(
                f"bilinear(): input batch dimensions do not match at dim {i}: got {a} and {b}"
            )
    if input1.size(-1) != in1 or input2.size(-1) != in2:
        which, got, want = (1, input1, in1) if input1.size(-1) != in1 else (2, input2, in2)
        raise RuntimeError(
            f"bilinear(): input{which} size does not match weight size: got {got.size(-1)} but "
            f"expected {want}"
        )
    if bias is not None and bias.size(0) != out:
        raise RuntimeError(
            f"bilinear(): bias size does not match weight size: got {bias.size(0)} but expected {out}"
        )
    left = input1.matmul(weight.permute(1, 0, 2).reshape(in1, out * in2))
    result = (left.unflatten(-1, (out, in2)) * input2.unsqueeze(-2)).sum(-1)
    return result if bias is None else result + bias


def normalize(
    input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Tensor | None = None
) -> Tensor:
    """x / max(||x||_p, eps), the norm along dim."""
    norm = input.norm(p, dim, keepdim=True).clamp_min(eps).expand_as(input)
    return input / norm if out is None else rushlight.div(input, norm, out=out)


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Integers (*) as rows of zeros with a one: (*, num_classes), int64.

    Args:
        tensor (Tensor): classes, int64.
        num_classes (int): how many; -1 for one more than the largest. Default: -1

    Raises:
        RuntimeError: another dtype, a negative class or one not below num_classes.
    """
    if tensor.dtype != rushlight.int64:
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    if tensor.numel() == 0:
        if num_classes <= 0:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
        return rushlight.zeros((*tensor.shape, num_classes), dtype=rushlight.int64)
    if tensor.min().item() < 0:
        raise RuntimeError("Class values must be non-negative.")
    largest = tensor.max().item()
    if num_classes == -1:
        num_classes = largest + 1
    elif num_classes < 1:
        raise RuntimeError("num_classes should be positive")
    elif largest >= num_classes:
        raise RuntimeError("Class values must be smaller than num_classes.")
    result = rushlight.zeros((*tensor.shape, num_classes), dtype=rushlight.int64)
    return result.scatter_(-1, tensor.unsqueeze(-1), 1)


# ---- normalisation ----


def layer_norm(
    input: Tensor,
    normalized_shape: Any,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(variance + eps) over the last dims, times weight plus bias.

    Shape: input (*, normalized_shape); weight and bias normalized_shape.
    """
    return _C.layer_norm(input, normalized_shape, weight, bias, eps)


def rms_norm(
    input: Tensor, normalized_shape: Any, weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """x / sqrt(mean(x^2) + eps) over the last dims, times weight; eps: the dtype's spacing at 1."""
    return _C.rms_norm(input, normalized_shape, weight, eps)


def _check_values_per_channel(size: Any) -> None:
    if math.prod(size[:1]) * math.prod(size[2:]) == 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {size}"
        )


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(variance + eps) over each group of channels, times weight plus bias.

    Shape: input (N, C, *); weight and bias (C).
    """
    if input.dim() < 2:
        raise RuntimeError(
            f"Expected at least 2 dimensions for input tensor but received {input.dim()}"
        )
    size = input.size()
    _check_values_per_channel([size[0] * size[1] // num_groups, num_groups, *size[2:]])
    return _C.group_norm(input, num_groups, weight, bias, eps)


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(variance + eps) by channel, times weight plus bias.

    In training the statistics are those of the input, and the running ones move towards them by
    momentum, in place (the variance of N - 1); else the running ones are used.

    Shape: input (N, C, *); all others (C).
    Raises:
        ValueError: one value per channel in training; eps not positive in training, or negative.
    """
    if training:
        _check_values_per_channel(input.size())
        if eps <= 0.0:
            raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    elif eps < 0.0:
        raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")
    return _C.batch_norm(
        input, weight, bias, running_mean, running_var, training, momentum, eps, True
    )


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(variance + eps) by channel of each sample, times weight plus bias.

    Shape: input (N, C, *); all others (C).
    Raises:
        ValueError: one position per channel, with the input's statistics.
    """
    if use_input_stats and math.prod(input.size()[2:]) == 1:
        raise ValueError(
            "Expected more than 1 spatial element when training, got input size "
            f"{input.size()}"
        )
    return _C.instance_norm(
        input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, True
    )


def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """x / (k + alpha mean(x^2))^beta, the mean over `size` neighbouring channels, zeros outside.

    Shape: input (N, C, *).
    Raises:
        ValueError: fewer than 3 dimensions.
    Source: Krizhevsky and others, 2012.
    """
    if input.dim() < 3:
        raise ValueError(
            "Expected 3D or higher dimensionality                         "
            f" input (got {input.dim()} dimensions)"
        )
    if input.numel() == 0:
        return input
    square = input.mul(input)
    shape = list(square.shape)
    shape[1] = size // 2
    before = square.new_zeros(shape)
    shape[1] = (size - 1) // 2
    after = square.new_zeros(shape)
    padded = rushlight.cat([before, square, after], 1)
    mean = padded.unfold(1, size, 1).mean(-1)
    return input / mean.mul(alpha).add(k).pow(beta)


# ---- embedding ----


def _renormalise(weight: Tensor, indices: Tensor, max_norm: float, norm_type: float) -> None:
    """Scales the rows that indices name and whose norm is above max_norm down to it, in place."""
    with rushlight.no_grad():
        rows = indices.reshape(-1).unique()
        picked = weight.index_select(0, rows)
        norm = picked.norm(norm_type, 1, keepdim=True)
        scale = rushlight.where(norm > max_norm, max_norm / (norm + 1e-7), rushlight.ones_like(norm))
        weight.index_copy_(0, rows, picked * scale)


def _padding_row(padding_idx: int | None, rows: int, message: str) -> int:
    """padding_idx counted from the start; -1 for none."""
    if padding_idx is None:
        return -1
    if not -rows <= padding_idx < rows:
        raise AssertionError(message)
    return padding_idx % rows


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Rows of weight named by input.

    Args:
        input (Tensor): row numbers, int64 or int32.
        weight (Tensor): the table.
        padding_idx (int): a row without gradient. Default: None
        max_norm (float): rows named with a larger norm are scaled down to it, in weight itself.
        norm_type (float): p of that norm. Default: 2
        scale_grad_by_freq (bool): divide gradients by how often the row is named. Default: False
        sparse (bool): refused: there are no sparse tensors.

    Shape: input (*), weight (rows, size), output (*, size).
    Raises:
        IndexError: a number that is not a row's.
        NotImplementedError: sparse.
    """
    padding = _padding_row(padding_idx, weight.size(0), "Padding_idx must be within num_embeddings")
    if sparse:
        raise NotImplementedError(
            "embedding: sparse=True is not supported: its gradient would be a sparse tensor, and "
            "there are none here"
        )
    if max_norm is not None:
        _renormalise(weight, input, max_norm, norm_type)
    return _C.embedding(weight, input, padding, scale_grad_by_freq, sparse)


# ---- losses ----


def _warn_of_broadcast(input: Tensor, target: Tensor) -> None:
    warnings.warn(
        f"Using a target size ({target.size()}) that is different to the input size "
        f"({input.size()}). This will likely lead to incorrect results due to broadcasting. "
        "Please ensure they have the same size.",
        stacklevel=3,
    )


def _weighted(losses: Tensor, input: Tensor, weight: Tensor, reduction: str) -> Tensor:
    """Losses times weights; the mean divides by the sum of the weights."""
    if weight.shape != input.shape:
        raise ValueError("Weights and input must have the same size.")
    weighted = losses * weight
    if reduction == "none":
        return weighted
    if reduction == "sum":
        return weighted.sum()
    if reduction == "mean":
        return weighted.sum() / weight.sum()
    raise ValueError(f"Invalid reduction mode: {reduction}. Expected one of 'none', 'mean', 'sum'.")


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """(input - target)^2, reduced: "mean", "sum" or "none"."""
    if not _C._same_shape(input, target):
        _warn_of_broadcast(input, target)
    if size_average is not None or reduce is not None:
        reduction = legacy_get_string(size_average, reduce)
    if weight is None:
        return _nn.mse_loss(input, target, reduction)
    return _weighted(_nn.mse_loss(input, target, "none"), input, weight, reduction)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """|input - target|, reduced: "mean", "sum" or "none"."""
    if not _C._same_shape(input, target):
        _warn_of_broadcast(input, target)
    if size_average is not None or reduce is not None:
        reduction = legacy_get_string(size_average, reduce)
    if weight is None:
        return _nn.l1_loss(input, target, reduction)
    return _weighted(_nn.l1_loss(input, target, "none"), input, weight, reduction)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """0.5 d^2 / beta where |d| < beta, |d| - 0.5 beta elsewhere; d = input - target."""
    if not _C._same_shape(input, target):
        _warn_of_broadcast(input, target)
    if size_average is not None or reduce is not None:
        reduction = legacy_get_string(size_average, reduce)
    if beta == 0.0:
        return _nn.l1_loss(input, target, reduction)
    return _nn.smooth_l1_loss(input, target, reduction, beta)


def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """0.5 d^2 where |d| <= delta, delta (|d| - 0.5 delta) elsewhere; d = input - target."""
    if not _C._same_shape(input, target):
        _warn_of_broadcast(input, target)
    if weight is None:
        return _nn.huber_loss(input, target, reduction, delta)
    return _weighted(_nn.huber_loss(input, target, "none", delta), input, weight, reduction)


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-weight[c] * input[c] at each target class c; the mean divides by the sum of the weights.

    Shape: input (C), (N, C) or (N, C, d1, ...) of log-probabilities, target () or (N) or (N, d1,
        ...).
    """
    if size_average is not None or reduce is not None:
        reduction = legacy_get_string(size_average, reduce)
    return _nn.nll_loss(input, target, weight, ignore_index, reduction)


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """nll_loss of log_softmax(input); the target holds classes, or a probability for each class.

    Shape: input (C), (N, C) or (N, C, d1, ...), target () or (N) or (N, d1, ...), or as the input.
    """
    if size_average is not None or reduce is not None:
        reduction = legacy_get_string(size_average, reduce)
    return _nn.cross_entropy(input, target, weight, ignore_index, reduction, label_smoothing)


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-(t log x + (1 - t) log(1 - x)), the logs not below -100.

    Raises:
        ValueError: target and input differ in size.
        RuntimeError: an input outside [0, 1].
    """
    if size_average is not None or reduce is not None:
        reduction = legacy_get_string(size_average, reduce)
    if not _C._same_shape(input, target):
        raise ValueError(
            f"Using a target size ({target.size()}) that is different to the input size "
            f"({input.size()}) is deprecated. Please ensure they have the same size."
        )
    if weight is not None and weight.shape != input.shape:
        weight = weight.expand(input.shape)
    return _nn.binary_cross_entropy(input, target, weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """binary_cross_entropy(sigmoid(input), target), stable; pos_weight multiplies the positive
    part.

    Raises:
        ValueError: target and input differ in size.
    """
    if size_average is not None or reduce is not None:
        reduction = legacy_get_string(size_average, reduce)
    if not _C._same_shape(input, target):
        raise ValueError(
            f"Target size ({target.size()}) must be the same as input size ({input.size()})"
        )
    return _nn.binary_cross_entropy_with_logits(input, target, weight, pos_weight, reduction)


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """target (log target - input), the input being log-probabilities, with log_target the target
    too.

    reduction: "batchmean" divides the sum by the batch size, which is the divergence's definition.
    """
    if size_average is not None or reduce is not None:
        reduction = legacy_get_string(size_average, reduce)
    elif reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL div math definition."
            "'mean' will be changed to behave the same as 'batchmean' in the next major release.",
            stacklevel=2,
        )
    if reduction != "batchmean":
        return _nn.kl_div(input, target, reduction, log_target)
    loss = _nn.kl_div(input, target, "sum", log_target)
    return loss / input.size(0) if input.dim() else loss
