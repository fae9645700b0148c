"""ASGD."""

from __future__ import annotations

from typing import Any

from rushlight._lazy import attach as _attach
from rushlight.optim.optimizer import _check, _check_lr, _InC

__all__ = ["ASGD"]
__getattr__, __dir__ = _attach("rushlight.optim", globals(), {"_functional": ("asgd",)})


class ASGD(_InC):
    """p <- (1 - lambd eta) p - eta g, and the mean of p's values from step t0 on in state "ax".

    eta = lr / (1 + lambd lr t)^alpha, t counting the steps.

    Args:
        params: parameters, or groups of them.
        lr (float): learning rate. Default: 1e-2
        lambd (float): how fast p decays. Default: 1e-4
        alpha (float): exponent of eta's fall. Default: 0.75
        t0 (float): step at which the mean begins. Default: 1e6
        weight_decay (float): adds weight_decay p to the gradient. Default: 0
        maximize (bool): go up the gradient. Default: False
        differentiable (bool): autograd records the step. Default: False
        foreach, capturable: accepted; there is one implementation.

    Raises:
        ValueError: an option out of its range.
    Source: Polyak, Juditsky, 1992.
    """

    _kind = 8
    _numbers = ("step", "eta", "mu")

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        _check_lr(lr)
        _check("weight_decay value", weight_decay, weight_decay >= 0.0)
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)
