"""Losses that ask for a margin: between scores, vectors, classes or sets of labels.

reduction: "mean", "sum" or "none"; size_average and reduce are its old form.
"""

from __future__ import annotations

from collections.abc import Callable

import rushlight
from rushlight import _C
from rushlight._C import Tensor
from rushlight.nn._reduction import checked, legacy_get_string

__all__ = [
    "cosine_embedding_loss",
    "hinge_embedding_loss",
    "margin_ranking_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "soft_margin_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]


def _reduced(each: Tensor, reduction: str) -> Tensor:
    if reduction == "mean":
        return each.mean()
    return each.sum() if reduction == "sum" else each


def _title(t: Tensor) -> str:
    """The dtype as messages name it: "Long"."""
    return t.type().removeprefix("torch.").removesuffix("Tensor")


def _reduction(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    if size_average is not None or reduce is not None:
        return legacy_get_string(size_average, reduce)
    return checked(reduction)


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, -target (input1 - input2) + margin), the target being 1 or -1.

    Raises:
        RuntimeError: the numbers of dimensions differ.
    """
    reduction = _reduction(size_average, reduce, reduction)
    if not input1.dim() == input2.dim() == target.dim():
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {input1.size()}, input2: {input2.size()}, target: {target.size()} "
        )
    return _margin_ranking(input1, input2, target, margin, reduction)


def _margin_ranking(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float, reduction: str
) -> Tensor:
    return _reduced((-target * (input1 - input2) + margin).clamp_min(0), reduction)


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The input where the target is 1, max(0, margin - input) where it is -1."""
    reduction = _reduction(size_average, reduce, reduction)
    apart = rushlight.where(target != 1, (margin - input).clamp_min(0), 0)
    return _reduced(apart + rushlight.where(target != -1, input, 0), reduction)


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """1 - cos(input1, input2) where the target is 1, max(0, cos - margin) where it is -1.

    Shape: inputs (N, D) or (D), target (N) or ().
    Raises:
        RuntimeError: other numbers of dimensions.
    """
    reduction = _reduction(size_average, reduce, reduction)
    dims = target.dim()
    if dims > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if input1.dim() != dims + 1 or input2.dim() != dims + 1:
        raise RuntimeError(
            f"{dims}D target tensor expects {dims + 1}D input tensors, but found inputs with sizes "
            f"{list(input1.shape)} and {list(input2.shape)}."
        )
    squares1 = (input1 * input1).sum(dims) + 1e-12
    squares2 = (input2 * input2).sum(dims) + 1e-12
    cos = (input1 * input2).sum(dims) / (squares1 * squares2).sqrt()
    near = rushlight.where(target == 1, 1 - cos, 0)
    return _reduced(near + rushlight.where(target == -1, (cos - margin).clamp_min(0), 0), reduction)


def _triplet(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    distance: Callable[[Tensor, Tensor], Tensor],
    margin: float,
    swap: bool,
    reduction: str,
) -> Tensor:
    dims = anchor.dim(), positive.dim(), negative.dim()
    if len(set(dims)) > 1:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of "
            f"dimensions, but got: anchor {dims[0]}D, positive {dims[1]}D, and negative {dims[2]}D "
            "inputs"
        )
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = rushlight.minimum(far, distance(positive, negative))
    return _reduced((margin + near - far).clamp_min(0), reduction)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, margin + d(anchor, positive) - d(anchor, negative)), d the p-norm of the difference.

    swap: the smaller of d(anchor, negative) and d(positive, negative) counts.

    Shape: (N, D) or (D) each.
    Raises:
        ValueError: a margin not above 0.
        RuntimeError: the numbers of dimensions differ.
    """
    reduction = _reduction(size_average, reduce, reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    return _triplet(anchor, positive, negative, _distance(p, eps), margin, swap, reduction)


def _distance(p: float, eps: float) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda a, b: _C.pairwise_distance(a, b, p, eps)


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """triplet_margin_loss with a distance of one's own, by default pairwise_distance."""
    reduction = _reduction(None, None, reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    distance = _C.pairwise_distance if distance_function is None else distance_function
    return _triplet(anchor, positive, negative, distance, margin, swap, reduction)


def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """log(1 + exp(-target input)), the target being 1 or -1."""
    reduction = _reduction(size_average, reduce, reduction)
    if not input.is_floating_point():
        raise RuntimeError(
            f"result type Float can't be cast to the desired output type {_title(input)}"
        )
    return _reduced((-target.to(input.dtype) * input).exp().log1p(), reduction)


def _check_types(name: str, input: Tensor, target: Tensor) -> None:
    if not input.is_floating_point():
        raise NotImplementedError(f"\"{name}\" not implemented for '{_title(input)}'")
    if target.dtype != rushlight.int64:
        raise RuntimeError(f"expected scalar type Long but found {_title(target)}")


def _rows(input: Tensor) -> Tensor:
    """The input as (N, C)."""
    if input.dim() > 2 or not input.numel() and (input.dim() < 2 or input.size(1) == 0):
        raise RuntimeError(
            "Expected non-empty vector or matrix with optional 0-dim batch size, but got: "
            f"{list(input.shape)}"
        )
    return input if input.dim() == 2 else input.reshape(1, -1)


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The mean over the classes i other than the target y of max(0, margin - x[y] + x[i])^p.

    Shape: input (N, C) or (C), target (N) or (), weight (C), a factor by target.
    Raises:
        ValueError: p other than 1 and 2; a weight of another number of dimensions.
        RuntimeError: shapes that do not fit, a target that is no class.
    """
    reduction = _reduction(size_average, reduce, reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.dim() != 1:
        raise ValueError("weight must be one-dimensional")
    rows = _rows(input)
    n, classes = rows.shape
    if target.dim() > 1 or target.numel() != n:
        raise RuntimeError(
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of input "
            f"samples (batch size). Expected target size [{n}], but got {list(target.shape)}. Input "
            f"has shape {list(input.shape)}."
        )
    if weight is not None and weight.numel() != classes:
        raise RuntimeError(
            f"inconsistent weight size, expected {classes} but got {list(weight.shape)}"
        )
    _check_types("multi_margin_loss_cpu_kernel", input, target)
    column = target.reshape(-1, 1)
    if n and not bool(((column >= 0) & (column < classes)).all()):
        raise RuntimeError("target out of range")
    each = (margin - rows.gather(1, column) + rows).clamp_min(0)
    if p == 2:
        each = each * each
    if weight is not None:
        each = each * weight[column]
    others = rushlight.arange(classes) != column
    each = rushlight.where(others, each, 0).sum(1) / classes
    if reduction == "none" and target.dim() == 0:
        each = each.squeeze(0)
    return _reduced(each, reduction)


def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The sum over labels j and classes i that are none of max(0, 1 - x[j] + x[i]), divided by C.

    Shape: input (N, C) or (C), target like the input: labels, then -1, then anything.
    Raises:
        RuntimeError: shapes that do not fit, a label that is no class.
    """
    reduction = _reduction(size_average, reduce, reduction)
    rows = _rows(input)
    n, classes = rows.shape
    if target.numel() != rows.numel() or input.dim() == 2 and target.shape != input.shape:
        raise RuntimeError(
            f"inconsistent target size: {list(target.shape)} for input of size: {list(input.shape)}"
        )
    _check_types("multilabel_margin_loss_forward_out_frame", input, target)
    labels = target.reshape(n, classes)
    if n and not -1 <= int(labels.min()) <= int(labels.max()) < classes:
        raise RuntimeError("argument #2 'target' is out of range")
    given = (labels >= 0).to(rushlight.int64).cumprod(1)
    most = int(given.sum(1).max()) if n else 0  # labels of one row: those columns are enough
    given, labels = given[:, :most], labels[:, :most].clamp_min(0)
    is_label = rushlight.zeros((n, classes), dtype=rushlight.int64).scatter_add_(1, labels, given) > 0
    each = (1 - rows.gather(1, labels).unsqueeze(2) + rows.unsqueeze(1)).clamp_min(0)
    counts = given.to(rushlight.bool).unsqueeze(2) & ~is_label.unsqueeze(1)
    each = rushlight.where(counts, each, 0).sum((1, 2)) / classes
    if reduction == "none" and input.dim() < 2:
        each = each.squeeze(0)
    return _reduced(each, reduction)


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The mean over the classes of binary_cross_entropy_with_logits.

    Shape: input (N, C) or (C), target the same, weight (C).
    """
    if size_average is not None or reduce is not None:
        reduction = legacy_get_string(size_average, reduce)
    log_sigmoid = _C._nn.log_sigmoid
    each = -(target * log_sigmoid(input) + (1 - target) * log_sigmoid(-input))
    if weight is not None:
        each = each * weight
    each = each.sum(-1) / input.size(-1)
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    return _reduced(each, reduction)
