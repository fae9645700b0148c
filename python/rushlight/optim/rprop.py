"""Rprop."""

from __future__ import annotations

from typing import Any

from rushlight._lazy import attach as _attach
from rushlight.optim.optimizer import _check_lr, _InC

__all__ = ["Rprop"]
__getattr__, __dir__ = _attach("rushlight.optim", globals(), {"_functional": ("rprop",)})


class Rprop(_InC):
    """p <- p - s sign(g), each element's step s growing while g keeps its sign.

    s is multiplied by etas[1], or by etas[0] where g has turned; there p stays this time.

    Args:
        params: parameters, or groups of them.
        lr (float): the first s. Default: 1e-2
        etas (pair of float): factors of s. Default: (0.5, 1.2)
        step_sizes (pair of float): least and greatest s. Default: (1e-6, 50)
        maximize (bool): go up the gradient. Default: False
        differentiable (bool): autograd records the step. Default: False
        foreach, capturable: accepted; there is one implementation.

    Raises:
        ValueError: an option out of its range.
    Source: Riedmiller, Braun, 1993.
    """

    _kind = 9

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        _check_lr(lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)
