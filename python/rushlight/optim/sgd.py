"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any

from rushlight._lazy import attach as _attach
from rushlight.optim.optimizer import _check, _check_lr, _InC

__all__ = ["SGD"]
__getattr__, __dir__ = _attach("rushlight.optim", globals(), {"_functional": ("sgd",)})


class SGD(_InC):
    """p <- p - lr d, where d is the gradient, with weight decay and momentum if wanted.

    With momentum: b <- momentum b + (1 - dampening) d, beginning with b = d; then d is b, or with
    nesterov d + momentum b.

    Args:
        params: parameters, or groups of them.
        lr (float): learning rate. Default: 1e-3
        momentum (float): Default: 0
        dampening (float): Default: 0
        weight_decay (float): adds weight_decay p to the gradient. Default: 0
        nesterov (bool): needs momentum, and no dampening. Default: False
        maximize (bool): go up the gradient. Default: False
        foreach, fused: accepted; there is one implementation.
        differentiable (bool): autograd records the step. Default: False

    Raises:
        ValueError: an option out of its range.

    Example:
        >>> opt = rushlight.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        >>> opt.zero_grad()
        >>> loss_fn(model(input), target).backward()
        >>> opt.step()
    """

    _kind = 0

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        _check_lr(lr)
        _check("momentum value", momentum, momentum >= 0.0)
        _check("weight_decay value", weight_decay, weight_decay >= 0.0)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
