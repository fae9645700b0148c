"""SparseAdam, which is not there."""

from __future__ import annotations

from typing import Any

from rushlight.optim.optimizer import Optimizer

__all__ = ["SparseAdam"]


class SparseAdam(Optimizer):
    """Not there: steps only parameters with sparse gradients, and rushlight has no sparse tensors.

    Raises:
        NotImplementedError: always.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        raise NotImplementedError(
            "SparseAdam steps parameters whose gradients are sparse; rushlight has no sparse tensors, "
            "please consider Adam instead"
        )
