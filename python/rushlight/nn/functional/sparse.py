"""Rows of a table picked by number."""

from __future__ import annotations

import rushlight
from rushlight import _C
from rushlight._C import Tensor

__all__ = [
    "embedding",
]

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
