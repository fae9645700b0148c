"""NAdam."""

from __future__ import annotations

from typing import Any

from rushlight._lazy import attach as _attach
from rushlight.optim.optimizer import _check, _check_adam, _InC

__all__ = ["NAdam"]
__getattr__, __dir__ = _attach("rushlight.optim", globals(), {"_functional": ("nadam",)})


class NAdam(_InC):
    """Adam with Nesterov momentum.

    Args:
        params: parameters, or groups of them.
        lr (float): learning rate. Default: 2e-3
        betas (pair of float): shares that the running means keep. Default: (0.9, 0.999)
        eps (float): added to the denominator. Default: 1e-8
        weight_decay (float): adds weight_decay p to the gradient. Default: 0
        momentum_decay (float): how fast the momentum reaches beta1. Default: 4e-3
        decoupled_weight_decay (bool): shrinks p by lr weight_decay p instead. Default: False
        maximize (bool): go up the gradient. Default: False
        foreach, capturable: accepted; there is one implementation.
        differentiable (bool): autograd records the step. Default: False

    Raises:
        ValueError: an option out of its range.
    Source: Dozat, 2016.
    """

    _kind = 6

    def __init__(
        self,
        params: Any,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        _check_adam(lr, betas, eps, weight_decay)
        _check("momentum_decay value", momentum_decay, momentum_decay >= 0.0)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)
