"""Adafactor."""

from __future__ import annotations

from typing import Any

import rushlight
from rushlight._C import Tensor
from rushlight.optim._in_python import _InPython
from rushlight.optim.optimizer import _check_lr_size, _scalar, _step_dtype

__all__ = ["Adafactor"]


class Adafactor(_InPython):
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

    def _update(self, p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        if not p.is_floating_point():
            raise RuntimeError("Adafactor does not support complex parameters")
        lr, (eps1, eps2) = _scalar(group["lr"]), group["eps"]
        eps1 = rushlight.finfo(p.dtype).eps if eps1 is None else eps1
        matrix = grad.dim() > 1
        if not state:
            state["step"] = rushlight.tensor(0.0, dtype=_step_dtype())
            if matrix:
                *rest, rows, columns = grad.shape
                state["row_var"] = grad.new_zeros(*rest, rows, 1)
                state["col_var"] = grad.new_zeros(*rest, 1, columns)
            else:
                state["variance"] = rushlight.zeros_like(grad)
        state["step"] += 1
        if p.numel() == 0:  # PyTorch divides by zero
            return
        t = state["step"].item()
        fresh = t ** group["beta2_decay"]  # share of the new squares
        if group["maximize"]:
            grad = -grad
        step = max(eps2, p.norm(2).item() / p.numel() ** 0.5) * min(lr, t**-0.5)
        if group["weight_decay"] != 0:
            p.mul_(1 - lr * group["weight_decay"])
        if matrix:
            rows, columns = state["row_var"], state["col_var"]
            for mean, dim in ((rows, -1), (columns, -2)):
                square = grad.norm(dim=dim, keepdim=True).square_().div_(grad.size(dim))
                mean.lerp_(square, fresh)
            v = (rows @ columns).div_(rows.mean(dim=-2, keepdim=True).clamp_(min=eps1))
        else:
            v = state["variance"].lerp_(grad * grad, fresh).clone()
        update = v.clamp_(min=eps1 * eps1).rsqrt_().mul_(grad)
        size = update.norm(2).item() / (update.numel() ** 0.5 * group["d"])
        p.add_(update, alpha=-step / max(1.0, size))
