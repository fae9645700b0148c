"""Adam."""

from __future__ import annotations

from typing import Any

from rushlight._C import Tensor
from rushlight._lazy import attach as _attach
from rushlight.optim.optimizer import _check_adam, _InC

__all__ = ["Adam"]
__getattr__, __dir__ = _attach("rushlight.optim", globals(), {"_functional": ("adam",)})


class Adam(_InC):
    """p <- p - lr m' / (sqrt(v') + eps), m and v the running means of the gradient and its square.

    m' = m / (1 - beta1^t) and v' = v / (1 - beta2^t) make up for their beginning at zero; t counts
    the steps.

    Args:
        params: parameters, or groups of them.
        lr (float): learning rate. Default: 1e-3
        betas (pair of float): shares that the running means keep. Default: (0.9, 0.999)
        eps (float): added to the denominator. Default: 1e-8
        weight_decay (float): adds weight_decay p to the gradient. Default: 0
        amsgrad (bool): the greatest v so far in the denominator. Default: False
        maximize (bool): go up the gradient. Default: False
        decoupled_weight_decay (bool): shrinks p by lr weight_decay p instead, as AdamW. Default:
            False
        foreach, fused, capturable: accepted; there is one implementation.
        differentiable (bool): autograd records the step. Default: False

    Raises:
        ValueError: an option out of its range.
    Source: Kingma, Ba, 2014; amsgrad: Reddi, Kale, Kumar, 2018.
    """

    _kind = 1

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        if isinstance(lr, Tensor) and foreach and not capturable:
            raise ValueError(
                "lr as a Tensor is not supported for capturable=False and foreach=True"
            )
        _check_adam(lr, betas, eps, weight_decay)
        if isinstance(betas[0], float) != isinstance(betas[1], float):
            raise ValueError("betas must be either both floats or both Tensors")
        defaults = {
            "lr": lr,
            "betas": tuple(b.item() if isinstance(b, Tensor) else b for b in betas),
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)
