"""Limits on gradients before an optimizer's step."""

from __future__ import annotations

import types
import warnings
from collections.abc import Iterable

import rushlight
from rushlight._C import Tensor

__all__ = [
    "clip_grad_norm",
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "get_total_norm",
]


def _as_list(tensors: Tensor | Iterable[Tensor]) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The norm of all elements of all tensors together.

    Args:
        tensors: one tensor or several.
        norm_type (float): 2.0, 1.0, float("inf"), ... Default: 2.0
        error_if_nonfinite (bool): nan and inf are an error. Default: False
        foreach: accepted; there is one implementation.

    Returns:
        0-dim tensor.
    """
    norm_type = float(norm_type)
    tensors = _as_list(tensors)
    if not tensors:
        return rushlight.tensor(0.0)
    with rushlight.no_grad():
        total = rushlight.stack([t.norm(norm_type) for t in tensors]).norm(norm_type)
    if error_if_nonfinite and not total.isfinite().item():
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so "
            "it cannot be clipped. To disable this error and scale the gradients by the non-finite "
            "norm anyway, set `error_if_nonfinite=False`"
        )
    return total


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    total_norm: Tensor,
    foreach: bool | None = None,
) -> None:
    """Scales the gradients so that a norm of total_norm becomes at most max_norm."""
    with rushlight.no_grad():
        factor = (float(max_norm) / (total_norm + 1e-6)).clamp(max=1.0)
        for p in _as_list(parameters):
            if p.grad is not None:
                p.grad.mul_(factor)


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scales the gradients of the parameters in place so that their common norm is at most
    max_norm.

    Args:
        parameters: tensors whose .grad is scaled, or one.
        max_norm (float): the limit.
        norm_type (float): 2.0, 1.0, float("inf"), ... Default: 2.0
        error_if_nonfinite (bool): a norm of nan or inf is an error. Default: False
        foreach: accepted; there is one implementation.

    Returns:
        0-dim tensor: the norm before.
    """
    from_generator = isinstance(parameters, types.GeneratorType)
    params = _as_list(parameters)
    if from_generator and not params:
        warnings.warn(
            "`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=2
        )
    grads = [p.grad for p in params if p.grad is not None]
    total = get_total_norm(grads, norm_type, error_if_nonfinite)
    clip_grads_with_norm_(params, max_norm, total)
    return total


def clip_grad_norm(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The old name of clip_grad_norm_."""
    warnings.warn(
        "`torch.nn.utils.clip_grad_norm` is now deprecated in favor of "
        "`torch.nn.utils.clip_grad_norm_`.",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


def clip_grad_value_(
    parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None
) -> None:
    """Limits each element of the parameters' gradients to [-clip_value, clip_value], in place."""
    clip_value = float(clip_value)
    with rushlight.no_grad():
        for p in _as_list(parameters):
            if p.grad is not None:
                p.grad.clamp_(-clip_value, clip_value)
