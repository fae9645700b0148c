"""RAdam."""

from __future__ import annotations

from typing import Any

from rushlight._lazy import attach as _attach
from rushlight.optim.optimizer import _check_adam, _InC

__all__ = ["RAdam"]
__getattr__, __dir__ = _attach("rushlight.optim", globals(), {"_functional": ("radam",)})


class RAdam(_InC):
    """Adam that leaves the denominator out until the running mean of squares is reliable.

    Args:
        params: parameters, or groups of them.
        lr (float): learning rate. Default: 1e-3
        betas (pair of float): shares that the running means keep. Default: (0.9, 0.999)
        eps (float): added to the denominator. Default: 1e-8
        weight_decay (float): adds weight_decay p to the gradient. Default: 0
        decoupled_weight_decay (bool): shrinks p by lr weight_decay p instead. Default: False
        maximize (bool): go up the gradient. Default: False
        foreach, capturable: accepted; there is one implementation.
        differentiable (bool): autograd records the step. Default: False

    Raises:
        ValueError: an option out of its range.
    Source: Liu and others, 2019.
    """

    _kind = 7

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        _check_adam(lr, betas, eps, weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)
