"""Adafactor."""

from __future__ import annotations

from typing import Any

from rushlight._lazy import attach as _attach
from rushlight.optim.optimizer import _check_lr_size, _InC

__all__ = ["Adafactor"]
__getattr__, __dir__ = _attach("rushlight.optim", globals(), {"_functional": ("adafactor",)})


class Adafactor(_InC):
    """p <- p - a u / max(1, rms(u) / d), u = g / sqrt(v), a = max(eps[1], rms(p)) min(lr, t^-1/2).

    v is the running mean of g squared, of which a matrix keeps the means of its rows and of its
    columns only; their product takes its place.  A step t keeps 1 - t^beta2_decay of the means.

    Args:
        params: parameters, or groups of them.
        lr (float): greatest relative step, and factor of the weight decay. Default: 1e-2
        beta2_decay (float): at most 0. Default: -0.8
        eps (pair): the root of the least v (None: the dtype's eps), the least rms(p). Default:
            (None, 1e-3)
        d (float): limit on the root mean square of an update. Default: 1.0
        weight_decay (float): shrinks p by lr weight_decay p. Default: 0
        maximize (bool): go up the gradient. Default: False
        foreach: accepted; there is one implementation.

    Raises:
        ValueError: an option out of its range.
    Source: Shazeer, Stern, 2018.
    """

    _kind = 10

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        _check_lr_size(lr)
        for what, value, ok in (
            ("Learning rate should be >= 0", lr, lr >= 0.0),
            ("beta2_decay should be <= 0", beta2_decay, beta2_decay <= 0.0),
            ("epsilon1 should be >= 0", eps[0], eps[0] is None or eps[0] >= 0.0),
            ("epsilon2 should be >= 0", eps[1], eps[1] >= 0.0),
            ("Clipping threshold d should be >= 1", d, d >= 1.0),
            ("weight_decay should be >= 0", weight_decay, weight_decay >= 0.0),
        ):
            if not ok:
                raise ValueError(f"{what} but is: {value}")
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults)
