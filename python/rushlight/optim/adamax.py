"""Adamax."""

from __future__ import annotations

from typing import Any

from rushlight._lazy import attach as _attach
from rushlight.optim.optimizer import _check_adam, _InC

__all__ = ["Adamax"]
__getattr__, __dir__ = _attach("rushlight.optim", globals(), {"_functional": ("adamax",)})


class Adamax(_InC):
    """Adam with the running maximum of |g| in the denominator.

    Args:
        params: parameters, or groups of them.
        lr (float): learning rate. Default: 2e-3
        betas (pair of float): shares that mean and maximum keep. Default: (0.9, 0.999)
        eps (float): added to |g|. Default: 1e-8
        weight_decay (float): adds weight_decay p to the gradient. Default: 0
        maximize (bool): go up the gradient. Default: False
        foreach, capturable: accepted; there is one implementation.
        differentiable (bool): autograd records the step. Default: False

    Raises:
        ValueError: an option out of its range.
    Source: Kingma, Ba, 2014.
    """

    _kind = 5

    def __init__(
        self,
        params: Any,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        _check_adam(lr, betas, eps, weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)
