"""The base of optimizers whose step is written in tensor operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import rushlight
from rushlight._C import Tensor
from rushlight.optim.optimizer import Optimizer


class _InPython(Optimizer):
    """An optimizer whose step is _update, written in tensor operators."""

    @rushlight.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Changes the parameters once, by their gradients.

        Args:
            closure: computes the loss again and its gradients, before the step. Default: None

        Returns:
            what the closure returns.
        """
        loss = None
        if closure is not None:
            with rushlight.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self._update(p, p.grad, self.state[p], group)
        return loss

    def _update(self, p: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        raise NotImplementedError
