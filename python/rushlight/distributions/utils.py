"""What the distributions share: broadcasting of parameters, probabilities and their logits, lazy attributes."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from numbers import Number
from typing import Any

import rushlight
from rushlight._C import Tensor, _nn

__all__ = [
    "broadcast_all",
    "clamp_probs",
    "lazy_property",
    "logits_to_probs",
    "probs_to_logits",
    "tril_matrix_to_vec",
    "vec_to_tril_matrix",
]

euler_constant = 0.57721566490153286060


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """The values as tensors of one shape; numbers take the tensors' dtype, or the default one.

    Raises:
        ValueError: a value that is neither a number nor a tensor.
    """
    if not all(isinstance(v, (Tensor, Number)) for v in values):
        raise ValueError(
            "Input arguments must all be instances of Number, torch.Tensor or objects "
            "implementing __torch_function__."
        )
    first = next((v for v in values if isinstance(v, Tensor)), None)
    dtype = rushlight.get_default_dtype() if first is None else first.dtype
    tensors = [v if isinstance(v, Tensor) else rushlight.tensor(v, dtype=dtype) for v in values]
    return tuple(rushlight.broadcast_tensors(*tensors))


def _standard_normal(shape: Any, dtype: Any, device: Any = None) -> Tensor:
    return rushlight.normal(rushlight.zeros(shape, dtype=dtype), rushlight.ones(shape, dtype=dtype))


def _sum_rightmost(value: Tensor, dim: int) -> Tensor:
    """Sum over the last `dim` dims."""
    if dim == 0:
        return value
    return value.reshape((*value.shape[:-dim], -1)).sum(-1)


def clamp_probs(probs: Tensor) -> Tensor:
    """Probabilities kept off 0 and 1 by one spacing of the dtype."""
    eps = rushlight.finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """Probabilities of logits: of one event (sigmoid), or of the classes along the last dim (softmax)."""
    return logits.sigmoid() if is_binary else logits.softmax(-1)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """Logits of probabilities, finite for 0 and 1 too."""
    clamped = clamp_probs(probs)
    return clamped.log() - (-clamped).log1p() if is_binary else clamped.log()


class _LazyOnClass(property):
    """What a lazy attribute is on the class: Distribution does not compute it to check it."""


class lazy_property:
    """An attribute computed, with gradients on, when first asked for, and kept."""

    def __init__(self, wrapped: Callable[[Any], Any]) -> None:
        self.wrapped = wrapped
        update_wrapper(self, wrapped)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return _LazyOnClass(self.wrapped)
        with rushlight.enable_grad():
            value = self.wrapped(instance)
        setattr(instance, self.wrapped.__name__, value)
        return value


def vec_to_tril_matrix(vec: Tensor, diag: int = 0) -> Tensor:
    """Lower triangles (..., n, n) filled row by row from vectors (..., n (n + 1) / 2).

    Args:
        vec (Tensor): the elements.
        diag (int): the highest diagonal they fill, 0 or below. Default: 0

    Raises:
        ValueError: a length that fills no triangle.
    """
    length = vec.shape[-1]
    size = (-(1 + 2 * diag) + ((1 + 2 * diag) ** 2 + 8 * length + 4 * abs(diag) * (diag + 1)) ** 0.5) / 2
    n = round(size)
    if abs(size - n) > rushlight.finfo(vec.dtype).eps:
        raise ValueError(
            f"The size of last dimension is {length} which cannot be expressed as the lower "
            f"triangular part of a square D x D matrix."
        )
    places = rushlight.tril_indices(n, n, diag)
    matrix = vec.new_zeros((*vec.shape[:-1], n, n))
    matrix[..., places[0], places[1]] = vec
    return matrix


def tril_matrix_to_vec(mat: Tensor, diag: int = 0) -> Tensor:
    """The elements on and below a diagonal of matrices (..., n, n), row by row.

    Raises:
        ValueError: a diagonal that the matrices do not have.
    """
    n = mat.shape[-1]
    if diag < -n or diag >= n:
        raise ValueError(f"diag ({diag}) provided is outside [{-n}, {n - 1}].")
    places = rushlight.tril_indices(n, n, diag)
    return mat[..., places[0], places[1]]


def one_hot(indices: Tensor, n: int, like: Tensor) -> Tensor:
    """Rows of zeros with a one, in the dtype of `like`."""
    return rushlight.nn.functional.one_hot(indices, n).to(like.dtype)


def binary_cross_entropy_with_logits(logits: Tensor, value: Tensor) -> Tensor:
    """-log of the Bernoulli probability of value, element by element."""
    return _nn.binary_cross_entropy_with_logits(logits, value, None, None, "none")


def checked_either(first: Any, second: Any) -> bool:
    """Whether the first of two alternative parameters is given.

    Raises:
        ValueError: both are given, or none.
    """
    if (first is None) == (second is None):
        raise ValueError("Either `probs` or `logits` must be specified, but not both.")
    return first is not None
