"""Adagrad."""

from __future__ import annotations

from typing import Any

import rushlight
from rushlight._lazy import attach as _attach
from rushlight.optim.optimizer import _check, _check_lr, _InC, _step_dtype

__all__ = ["Adagrad"]
__getattr__, __dir__ = _attach("rushlight.optim", globals(), {"_functional": ("adagrad",)})


class Adagrad(_InC):
    """p <- p - lr' g / (sqrt(s) + eps), s the sum of g squared, lr' = lr / (1 + (t - 1) lr_decay).

    Args:
        params: parameters, or groups of them.
        lr (float): learning rate. Default: 1e-2
        lr_decay (float): Default: 0
        weight_decay (float): adds weight_decay p to the gradient. Default: 0
        initial_accumulator_value (float): where s begins. Default: 0
        eps (float): added to the denominator. Default: 1e-10
        maximize (bool): go up the gradient. Default: False
        foreach, fused: accepted; there is one implementation.
        differentiable (bool): autograd records the step. Default: False

    Raises:
        ValueError: an option out of its range.
    Source: Duchi, Hazan, Singer, 2011.
    """

    _kind = 3

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        _check_lr(lr)
        _check("lr_decay value", lr_decay, lr_decay >= 0.0)
        _check("weight_decay value", weight_decay, weight_decay >= 0.0)
        _check(
            "initial_accumulator_value value",
            initial_accumulator_value,
            initial_accumulator_value >= 0.0,
        )
        _check("epsilon value", eps, eps >= 0.0)
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p]["step"] = rushlight.tensor(0.0, dtype=_step_dtype())
                start = initial_accumulator_value
                start = complex(start, start) if p.is_complex() else start
                self.state[p]["sum"] = rushlight.full_like(p, start).detach()

    def share_memory(self) -> None:
        """Not there: moves the states into shared memory, which tensors cannot be in.

        Raises:
            NotImplementedError: always.
        """
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p]["sum"].share_memory_()
