"""Seldom-used losses that are negative log-likelihoods: Poisson, Gaussian, of a linear layer's classes, of alignments.

reduction: "mean", "sum" or "none".
"""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING

import rushlight
from rushlight._C import Tensor, _nn
from rushlight.nn._reduction import checked, legacy_get_string

if TYPE_CHECKING:
    from rushlight.nn.modules.likelihood import LinearCrossEntropyOptions

__all__ = [
    "ctc_loss",
    "gaussian_nll_loss",
    "linear_cross_entropy",
    "poisson_nll_loss",
]


def _reduced(each: Tensor, reduction: str) -> Tensor:
    if reduction == "mean":
        return each.mean()
    return each.sum() if reduction == "sum" else each


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """exp(input) - target input; without log_input, input - target log(input + eps).

    full: adds Stirling's approximation of log(target!) where the target is above 1.

    Raises:
        ValueError: another reduction.
    """
    if size_average is not None or reduce is not None:
        reduction = legacy_get_string(size_average, reduce)
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    if log_input:
        each = input.exp() - target * input
    else:
        each = input - target * (input + eps).log()
    if full:
        stirling = target * target.log() - target + 0.5 * (2 * math.pi * target).log()
        each = each + stirling.masked_fill(target <= 1, 0)
    return _reduced(each, reduction)


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """(log var + (input - target)^2 / var) / 2, var not below eps, which the gradient ignores.

    full: adds log(2 pi) / 2.

    Shape: input (*), target (*), var (*), or with the last size 1 or missing, or a float.
    Raises:
        ValueError: a negative or ill-shaped var, another reduction.
    """
    if isinstance(var, float):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = var * rushlight.ones_like(input)
    elif bool((var < 0).any()):
        raise ValueError("var has negative entry/entries")
    if var.shape != input.shape:
        if input.shape[:-1] == var.shape:
            var = var.unsqueeze(-1)
        elif input.dim() != var.dim() or sum(a != b for a, b in zip(input.shape, var.shape)) != 1:
            raise ValueError("var is of incorrect size")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    var = var.clone()
    with rushlight.no_grad():
        var.clamp_(min=eps)
    each = 0.5 * (var.log() + (input - target) ** 2 / var)
    if full:
        each = each + 0.5 * math.log(2 * math.pi)
    return _reduced(each, reduction)


def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: LinearCrossEntropyOptions | None = None,
) -> Tensor:
    """cross_entropy of linear(input, linear_weight, linear_bias).

    Args:
        ignore_index (int): a class that does not count, for targets of classes. Default: None, -100
        options (LinearCrossEntropyOptions): take the batch in chunks, whose logits backward computes
            anew; for classes without label smoothing. Default: None
        weight, reduction, label_smoothing: those of cross_entropy.

    Shape: input (N, F) or (F), linear_weight (C, F) or (C, d1, ..., F), linear_bias (C) or (C, d1,
        ...), target as cross_entropy's for logits (N, C, d1, ...).
    Raises:
        RuntimeError: shapes that do not fit; ignore_index beside probabilities.
    """
    if input.dim() not in (1, 2):
        raise RuntimeError(f"expected input with dimensionality 1 or 2, got {input.dim()}")
    if linear_weight.dim() < 2:
        raise RuntimeError(
            f"expected linear_weight with dimensionality at least 2, got {linear_weight.dim()}"
        )
    features = input.size(-1)
    if features != linear_weight.size(-1):
        raise RuntimeError(
            "expected equal input and linear_weight last dimensions (in_features), got "
            f"{features} and {linear_weight.size(-1)}, respectively"
        )
    outputs = tuple(linear_weight.shape[:-1])
    if linear_bias is not None and tuple(linear_bias.shape) != outputs:
        raise RuntimeError(
            f"expected linear_bias shape {outputs}, got {tuple(linear_bias.shape)}"
        )
    if len(outputs) > 1 and input.dim() == 1:
        raise RuntimeError(
            f"K-dimensional loss defined by linear_weight shape {tuple(linear_weight.shape)} "
            f"requires batched input, (N, {features}), got unbatched input with shape "
            f"{tuple(input.shape)}"
        )
    shape = (*input.shape[:-1], *outputs)
    if tuple(target.shape) == shape and ignore_index is not None:
        raise RuntimeError("ignore_index cannot be specified when target contains probabilities")
    if ignore_index is None:
        ignore_index = -100
    if options is not None:
        if (
            len(outputs) == 1
            and reduction in ("mean", "sum", "none")
            and label_smoothing == 0.0
            and target.dtype == rushlight.int64
        ):
            return _in_chunks(
                input, linear_weight, target, linear_bias, weight, reduction, ignore_index, options
            )
        bias = tuple(linear_bias.shape) if linear_bias is not None else None
        warnings.warn(
            "linear_cross_entropy: ``options`` ignored; chunked path needs reduction in "
            "{'mean','sum','none'}, label_smoothing == 0, target.dtype == int64, out_features == (). "
            f"Got reduction={reduction!r}, label_smoothing={label_smoothing}, "
            f"target.dtype={target.dtype}, out_features={outputs[1:]}, tracing=False, "
            f"linear_bias.shape={bias}.",
            stacklevel=2,
        )
    if len(outputs) > 1:
        linear_weight = linear_weight.reshape(-1, features)
        if linear_bias is not None:
            linear_bias = linear_bias.reshape(-1)
    logits = _nn.linear(input, linear_weight, linear_bias).reshape(shape)
    return _nn.cross_entropy(logits, target, weight, ignore_index, reduction, label_smoothing)


def _in_chunks(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    linear_bias: Tensor | None,
    weight: Tensor | None,
    reduction: str,
    ignore_index: int,
    options: LinearCrossEntropyOptions,
) -> Tensor:
    """The loss of a batch taken in chunks, so that the logits of one chunk exist at a time."""
    from rushlight.utils.checkpoint import checkpoint

    rows, classes = input.reshape(-1, input.size(-1)), target.reshape(-1)
    size = options._adjust(len(rows), rows.size(1), len(linear_weight), rows.dtype).batch_chunk_size

    def losses(rows: Tensor, classes: Tensor) -> Tensor:
        logits = _nn.linear(rows, linear_weight, linear_bias)
        return _nn.cross_entropy(logits, classes, weight, ignore_index, "none")

    each = rushlight.cat(
        [
            checkpoint(losses, some, of, use_reentrant=False, preserve_rng_state=False)
            for some, of in zip(rows.split(size), classes.split(size), strict=True)
        ]
    )
    if reduction == "none":
        return each.reshape(target.shape)
    if reduction == "sum":
        return each.sum()
    counted = classes != ignore_index
    if weight is None:
        return each.sum() / counted.sum()
    return each.sum() / weight[classes.masked_fill(~counted, 0)].mul(counted).sum()


def _lengths(name: str, lengths: Tensor | tuple[int, ...]) -> list[int]:
    if not isinstance(lengths, Tensor):
        return list(lengths)
    if lengths.is_floating_point() or lengths.dtype == rushlight.bool:
        raise RuntimeError(f"{name} must be integral")
    return lengths.reshape(-1).tolist()


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Tensor | tuple[int, ...],
    target_lengths: Tensor | tuple[int, ...],
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """-log of the probability that the steps' classes, repeats merged and blanks dropped, spell the target.

    Args:
        log_probs (Tensor): log-probabilities of the classes at each step, float32 or float64; the
            gradient takes them as the result of log_softmax.
        targets (Tensor): classes other than blank, int64 or int32.
        input_lengths, target_lengths: the steps and the labels that count, as tensors or tuples.
        blank (int): the class that stands for none. Default: 0
        reduction (str): "mean" divides each loss by its target's length first. Default: "mean"
        zero_infinity (bool): losses of targets too long for their input, and their gradients, are 0.
            Default: False

    Shape: log_probs (T, N, C) or (T, C), targets (N, S), (sum of target_lengths) or (S), lengths (N)
        or ().
    Raises:
        RuntimeError: shapes, lengths or labels that do not fit.
    Source: Graves and others, 2006.
    """
    reduction = checked(reduction)
    steps = _lengths("input_lengths", input_lengths)
    labels = _lengths("target_lengths", target_lengths)
    batched = log_probs.dim() == 3
    inputs = log_probs.unsqueeze(1) if log_probs.dim() == 2 else log_probs
    each = _nn.ctc_loss(inputs, targets, steps, labels, blank, zero_infinity)
    if zero_infinity:
        each = rushlight.where(each == math.inf, 0, each)
    if reduction == "mean":
        return (each / rushlight.tensor(labels, dtype=each.dtype).clamp_min(1)).mean()
    if reduction == "sum":
        return each.sum()
    return each if batched else each.squeeze(0)
