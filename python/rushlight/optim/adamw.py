"""AdamW."""

from __future__ import annotations

from typing import Any

from rushlight._lazy import attach as _attach
from rushlight.optim.adam import Adam

__all__ = ["AdamW"]
__getattr__, __dir__ = _attach("rushlight.optim", globals(), {"_functional": ("adamw",)})


class AdamW(Adam):
    """Adam whose weight decay shrinks the parameters themselves: p <- p - lr weight_decay p first.

    Args:
        params: parameters, or groups of them.
        lr (float): learning rate. Default: 1e-3
        betas (pair of float): shares that the running means keep. Default: (0.9, 0.999)
        eps (float): added to the denominator. Default: 1e-8
        weight_decay (float): Default: 1e-2
        amsgrad (bool): the greatest v so far in the denominator. Default: False
        maximize (bool): go up the gradient. Default: False
        foreach, fused, capturable: accepted; there is one implementation.
        differentiable (bool): autograd records the step. Default: False

    Raises:
        ValueError: an option out of its range.
    Source: Loshchilov, Hutter, 2017.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:  # also when the checkpoint is an Adam's
            group["decoupled_weight_decay"] = True
