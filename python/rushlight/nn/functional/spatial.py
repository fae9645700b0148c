"""Borders around the spatial dimensions of (N, C, ...) tensors."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import rushlight
from rushlight import _C
from rushlight._C import Tensor, _nn

__all__ = ["pad"]


@lru_cache(32)
def _places(n: int, before: int, after: int) -> Tensor:
    """Where the elements of a circular border of a dimension of size n come from."""
    cut = max(-before, 0)  # what is cut off does not come round either
    period = n - cut - max(-after, 0)
    places = [cut + (i - cut) % period for i in range(-before, n + after)]
    return rushlight.tensor(places, dtype=rushlight.int64)


def _check_border(input: Tensor, dim: int, before: int, after: int, mode: str) -> None:
    size = input.shape[dim]
    if mode == "reflect" and (before >= size or after >= size):
        raise RuntimeError(
            "Argument #4: Padding size should be less than the corresponding input dimension, but "
            f"got: padding ({before}, {after}) at dimension {dim} of input {list(input.shape)}"
        )
    if mode == "circular" and (before > size or after > size):
        raise RuntimeError("Padding value causes wrapping around more than once.")
    kept = size - max(-before, 0) - max(-after, 0)
    if size + before + after < 1 or (kept if mode == "circular" else size) < 1:
        raise RuntimeError(
            f"pad: input of size {size} with padding ({before}, {after}) at dimension {dim} leaves "
            "nothing"
        )


def pad(
    input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Tensor:
    """The input with a border, or cut where a width is negative.

    Args:
        input (Tensor): any shape; in the other modes one, two or three spatial dimensions after
            channels and perhaps a batch.
        pad (sequence of int): widths (before, after) of the last dimension, then of the one before
            it, and so on.
        mode (str): "constant", "reflect" (mirrored at the edge elements), "replicate" (the edge
            elements) or "circular" (from the other side). Default: "constant"
        value (float): of a constant border. Default: 0

    Raises:
        NotImplementedError: an unknown mode, or number of widths and dimensions that do not fit it.
        RuntimeError: a border wider than the mode allows; a value for another mode than "constant".
    """
    if mode == "constant":
        return _C.constant_pad_nd(input, pad, 0 if value is None else value)
    if len(pad) % 2 or len(pad) > 2 * input.dim():
        raise RuntimeError(f"Padding length must be divisible by 2 and fit the input: {pad}")
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if mode not in ("reflect", "replicate", "circular"):
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    dims = len(pad) // 2
    if dims not in (1, 2, 3) or input.dim() not in (dims + 1, dims + 2):
        raise NotImplementedError(
            "Only 2D, 3D, 4D, 5D padding with non-constant padding are supported for now"
        )
    for i in range(dims):
        _check_border(input, input.dim() - 1 - i, pad[2 * i], pad[2 * i + 1], mode)
    if mode != "circular":
        return _nn.border_pad(input, pad, mode == "reflect")
    for i in range(dims):
        dim, before, after = input.dim() - 1 - i, pad[2 * i], pad[2 * i + 1]
        if before == 0 and after == 0:
            continue
        size = input.shape[dim]
        input = input.index_select(dim, _places(size, before, after))
    return input
