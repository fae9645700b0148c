"""Muon."""

from __future__ import annotations

from math import sqrt
from typing import Any

import rushlight
from rushlight._C import Tensor
from rushlight.optim._in_python import _InPython
from rushlight.optim.optimizer import _check_lr_size, _scalar

__all__ = ["Muon"]


def _orthogonalized(
    matrix: Tensor, coefficients: tuple[float, float, float], steps: int, eps: float
) -> Tensor:
    """About the nearest matrix with orthonormal rows or columns, in bfloat16.

    x <- a x + (b x x' + c (x x')^2) x, from x of norm 1 on, brings all singular values near 1.
    """
    if steps >= 100:
        raise ValueError("Number of steps must be less than 100 for computational efficiency")
    if matrix.dim() != 2:
        raise ValueError("Input tensor gradient must be a 2D matrix")
    if len(coefficients) != 3:
        raise ValueError("Coefficients must be a tuple of exactly 3 values")
    a, b, c = coefficients
    tall = matrix.size(0) > matrix.size(1)
    x = matrix.bfloat16()
    x = x.T if tall else x
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.T
        x = rushlight.addmm(x, rushlight.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x


class Muon(_InPython):
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

    def _update(self, p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        if not p.is_floating_point():
            raise RuntimeError("Muon does not support complex parameters")
        lr, momentum = _scalar(group["lr"]), group["momentum"]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = rushlight.zeros_like(grad)
        mean = state["momentum_buffer"].lerp_(grad, 1 - momentum)
        update = _orthogonalized(
            grad.lerp(mean, momentum) if group["nesterov"] else mean,
            group["ns_coefficients"],
            group["ns_steps"],
            group["eps"],
        )
        rows, columns = p.shape
        p.mul_(1 - lr * group["weight_decay"])
        if group["adjust_lr_fn"] == "match_rms_adamw":
            lr *= 0.2 * sqrt(max(rows, columns))
        else:
            lr *= sqrt(max(1, rows / columns))
        p.add_(update, alpha=-lr)
