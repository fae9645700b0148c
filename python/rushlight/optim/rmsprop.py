"""RMSprop."""

from __future__ import annotations

from typing import Any

from rushlight._lazy import attach as _attach
from rushlight.optim.optimizer import _check, _check_lr, _InC

__all__ = ["RMSprop"]
__getattr__, __dir__ = _attach("rushlight.optim", globals(), {"_functional": ("rmsprop",)})


class RMSprop(_InC):
    """p <- p - lr g / (sqrt(v) + eps), v the running mean of g squared.

    Args:
        params: parameters, or groups of them.
        lr (float): learning rate. Default: 1e-2
        alpha (float): share that the running mean keeps. Default: 0.99
        eps (float): added to the denominator. Default: 1e-8
        weight_decay (float): adds weight_decay p to the gradient. Default: 0
        momentum (float): Default: 0
        centered (bool): the variance in place of v. Default: False
        maximize (bool): go up the gradient. Default: False
        foreach, capturable: accepted; there is one implementation.
        differentiable (bool): autograd records the step. Default: False

    Raises:
        ValueError: an option out of its range.
    Source: Tieleman, Hinton, 2012; centered: Graves, 2013.
    """

    _kind = 2

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        _check_lr(lr)
        _check("epsilon value", eps, eps >= 0.0)
        _check("momentum value", momentum, momentum >= 0.0)
        _check("weight_decay value", weight_decay, weight_decay >= 0.0)
        _check("alpha value", alpha, alpha >= 0.0)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)
