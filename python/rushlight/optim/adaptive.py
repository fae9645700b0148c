"""Optimizers with a learning rate per element, other than Adam: RMSprop, Adagrad, Adadelta, Adamax,
NAdam, RAdam.
"""

from __future__ import annotations

from typing import Any

import rushlight
from rushlight.optim.optimizer import _check, _check_betas, _check_lr, _InC, _step_dtype

__all__ = ["Adadelta", "Adagrad", "Adamax", "NAdam", "RAdam", "RMSprop"]


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
                self.state[p]["sum"] = rushlight.full_like(p, initial_accumulator_value).detach()


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
        _check_lr(lr)
        _check("epsilon value", eps, eps >= 0.0)
        _check_betas(betas)
        _check("weight_decay value", weight_decay, weight_decay >= 0.0)
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
        _check_lr(lr)
        _check("epsilon value", eps, eps >= 0.0)
        _check_betas(betas)
        _check("weight_decay value", weight_decay, weight_decay >= 0.0)
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
        _check_lr(lr)
        _check("epsilon value", eps, eps >= 0.0)
        _check_betas(betas)
        _check("weight_decay value", weight_decay, weight_decay >= 0.0)
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
