"""Adadelta."""

from __future__ import annotations

from typing import Any

from rushlight._lazy import attach as _attach
from rushlight.optim.optimizer import _check, _check_lr, _InC

__all__ = ["Adadelta"]
__getattr__, __dir__ = _attach("rushlight.optim", globals(), {"_functional": ("adadelta",)})


class Adadelta(_InC):
    """p <- p - lr d, where d = g sqrt(u + eps) / sqrt(v + eps), v and u the running means of g and
    d squared.

    Args:
        params: parameters, or groups of them.
        lr (float): factor of d. Default: 1.0
        rho (float): share that the running means keep. Default: 0.9
        eps (float): added under the roots. Default: 1e-6
        weight_decay (float): adds weight_decay p to the gradient. Default: 0
        maximize (bool): go up the gradient. Default: False
        foreach, capturable: accepted; there is one implementation.
        differentiable (bool): autograd records the step. Default: False

    Raises:
        ValueError: an option out of its range.
    Source: Zeiler, 2012.
    """

    _kind = 4

    def __init__(
        self,
        params: Any,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        _check_lr(lr)
        _check("rho value", rho, 0.0 <= rho <= 1.0)
        _check("epsilon value", eps, eps >= 0.0)
        _check("weight_decay value", weight_decay, weight_decay >= 0.0)
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)
