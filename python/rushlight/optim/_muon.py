"""Muon."""

from __future__ import annotations

from typing import Any

from rushlight._lazy import attach as _attach
from rushlight.optim.optimizer import _check_lr_size, _InC

__all__ = ["Muon"]
__getattr__, __dir__ = _attach("rushlight.optim", globals(), {"_functional": ("muon",)})


class Muon(_InC):
    """p <- (1 - lr weight_decay) p - lr' o, o the orthogonalized running mean of the gradient.

    For weight matrices of hidden layers only; leave all else to AdamW.

    Args:
        params: parameters with two dimensions, or groups of them.
        lr (float): learning rate. Default: 1e-3
        weight_decay (float): Default: 0.1
        momentum (float): share that the mean keeps. Default: 0.95
        nesterov (bool): looks ahead by one more step. Default: True
        ns_coefficients (three floats): of the Newton-Schulz iteration.
        eps (float): least norm that is divided by. Default: 1e-7
        ns_steps (int): iterations. Default: 5
        adjust_lr_fn (str): lr' for a matrix of A rows and B columns: "original" (also None),
            lr sqrt(max(1, A/B)), or "match_rms_adamw", 0.2 lr sqrt(max(A, B)). Default: None

    Raises:
        ValueError: an option out of its range, or a parameter that is no matrix.
    Source: Jordan and others, 2024; match_rms_adamw: Liu and others, 2025.
    """

    _kind = 11

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        _check_lr_size(lr)
        for what, value in (
            ("Learning rate", lr),
            ("momentum", momentum),
            ("weight decay", weight_decay),
        ):
            if not value >= 0.0:
                raise ValueError(f"{what} should be >= 0 but is: {value}")
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for p in group["params"]:
                if p.dim() != 2:
                    raise ValueError(
                        "Muon only supports 2D parameters whereas we found a parameter with size: "
                        f"{p.size()}"
                    )
