"""Rows of a table picked by number, one by one or in bags."""

from __future__ import annotations

import warnings

import rushlight
from rushlight import _C
from rushlight._C import Tensor

__all__ = [
    "embedding",
    "embedding_bag",
]


def embedding_renorm_(
    input: Tensor, indices: Tensor, max_norm: float, norm_type: float
) -> Tensor:
    """Scales the rows of input that indices name and whose norm is above max_norm down to it, in place."""
    if indices.dtype not in (rushlight.int64, rushlight.int32):
        found = indices.type().removeprefix("torch.")
        raise RuntimeError(
            "Expected tensor for argument #2 'indices' to have one of the following scalar types: "
            f"Long, Int; but got torch.{found} instead (while checking arguments for embedding_renorm_)"
        )
    rows = indices.reshape(-1).to(rushlight.int64).unique()
    with rushlight.no_grad():
        picked = input.index_select(0, rows)
        norm = picked.norm(norm_type, 1, keepdim=True)
        factor = rushlight.where(norm > max_norm, max_norm / (norm + 1e-7), 1)
    return input.index_copy_(0, rows, picked * factor)


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
        with rushlight.no_grad():
            embedding_renorm_(weight, input, max_norm, norm_type)
    return _C.embedding(weight, input, padding, scale_grad_by_freq, sparse)


def _check_bag(input: Tensor, weight: Tensor, offsets: Tensor | None, samples: Tensor | None) -> None:
    if samples is not None and input.shape != samples.shape:
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({samples.shape}) is not None, then it must have "
            f"the same shape as the input ({input.shape})"
        )
    if weight.dim() != 2:
        raise ValueError(f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.dim()}")
    if input.dim() == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of "
                f"fixed length sequences. However, found offsets of type {type(offsets)}"
            )
    elif input.dim() != 1:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.dim()}")
    elif offsets is None:
        raise ValueError("offsets has to be a 1D Tensor but got None")
    elif offsets.dim() != 1:
        raise ValueError("offsets has to be a 1D Tensor")


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """Sums, means or maxima of bags of rows of weight.

    Args:
        input (Tensor): row numbers, int64 or int32.
        weight (Tensor): the table.
        offsets (Tensor): where the bags of a one-dimensional input begin; an empty bag gives zeros.
        max_norm (float): rows named with a larger norm are scaled down to it, in weight itself.
        norm_type (float): p of that norm. Default: 2
        scale_grad_by_freq (bool): divide gradients by how often the row is named. Default: False
        mode (str): "sum", "mean" or "max". Default: "mean"
        sparse (bool): refused: there are no sparse tensors.
        per_sample_weights (Tensor): a factor for each row number, of "sum". Default: None, 1
        include_last_offset (bool): the last offset is where the last bag ends. Default: False
        padding_idx (int): a row that counts for nothing. Default: None

    Shape: input (n) or (bags, n), weight (rows, size), offsets (bags), output (bags, size).
    Raises:
        ValueError: shapes or a mode that do not fit.
        RuntimeError: numbers or offsets out of range.
        NotImplementedError: sparse; per_sample_weights of another mode.
    """
    if weight.dtype == rushlight.int64 and input.is_floating_point():
        warnings.warn(
            "Argument order of nn.functional.embedding_bag was changed. Usage `embedding_bag(weight, "
            "input, ...)` is deprecated, and should now be `embedding_bag(input, weight, ...)`.",
            stacklevel=2,
        )
        weight, input = input, weight
    _check_bag(input, weight, offsets, per_sample_weights)
    if input.dim() == 2:
        bags, size = input.shape
        offsets = rushlight.arange(bags) * size
        include_last_offset = False
        input = input.reshape(-1)
        if per_sample_weights is not None:
            per_sample_weights = per_sample_weights.reshape(-1)
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if mode == "max" and sparse:
        raise ValueError("max mode does not support sparse weights")
    if max_norm is not None:
        with rushlight.no_grad():
            embedding_renorm_(weight, input, max_norm, norm_type)
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for "
            f"mode='sum' (got mode='{mode}'). Please open a feature request on GitHub."
        )
    return _C.embedding_bag(
        weight,
        input,
        offsets,
        scale_grad_by_freq,
        ("sum", "mean", "max").index(mode),
        sparse,
        per_sample_weights,
        include_last_offset,
        padding_idx,
    )[0]
