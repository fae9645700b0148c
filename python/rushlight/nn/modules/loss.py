"""Losses as modules; the formulas are those of nn.functional."""

from __future__ import annotations

from typing import Any

from rushlight._C import Tensor
from rushlight.nn import functional as F
from rushlight.nn._reduction import legacy_get_string
from rushlight.nn.modules.module import Module

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "MSELoss",
    "NLLLoss",
    "SmoothL1Loss",
]


class _Loss(Module):
    """Keeps the reduction: "mean", "sum" or "none"; size_average and reduce are its old form."""

    __constants__ = ["reduction"]

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        if size_average is not None or reduce is not None:
            reduction = legacy_get_string(size_average, reduce)
        self.reduction = reduction


class _WeightedLoss(_Loss):
    """A loss with a weight for each class or element, kept as a buffer."""

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class L1Loss(_Loss):
    """|input - target|.

    Args:
        reduction (str): "mean", "sum" or "none". Default: "mean"

    Shape: input (*), target (*), output () or, with "none", (*).
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.l1_loss(input, target, None, None, self.reduction)


class MSELoss(_Loss):
    """(input - target)^2.

    Args:
        reduction (str): "mean", "sum" or "none". Default: "mean"

    Shape: input (*), target (*), output () or, with "none", (*).
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(input, target, None, None, self.reduction)


class SmoothL1Loss(_Loss):
    """0.5 d^2 / beta where |d| < beta, |d| - 0.5 beta elsewhere; d = input - target.

    Args:
        reduction (str): "mean", "sum" or "none". Default: "mean"
        beta (float): where the square ends. Default: 1.0

    Shape: input (*), target (*), output () or, with "none", (*).
    Source: Girshick, 2015.
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    """0.5 d^2 where |d| <= delta, delta (|d| - 0.5 delta) elsewhere; d = input - target.

    Args:
        reduction (str): "mean", "sum" or "none". Default: "mean"
        delta (float): where the square ends. Default: 1.0

    Shape: input (*), target (*), output () or, with "none", (*).
    Source: Huber, 1964.
    """

    __constants__ = ["delta", "reduction"]

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class NLLLoss(_WeightedLoss):
    """-weight[c] * input[c] at each target class c; the mean divides by the sum of the weights.

    Args:
        weight (Tensor): a weight for each class, (C). Default: None, all 1.
        ignore_index (int): a class that does not count. Default: -100
        reduction (str): "mean", "sum" or "none". Default: "mean"

    Shape: input (C), (N, C) or (N, C, d1, ...) of log-probabilities, target (), (N) or (N, d1,
        ...).
    """

    __constants__ = ["ignore_index", "reduction"]

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.nll_loss(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )


class CrossEntropyLoss(_WeightedLoss):
    """NLLLoss of log_softmax(input); the target holds classes, or a probability for each class.

    Args:
        weight (Tensor): a weight for each class, (C). Default: None, all 1.
        ignore_index (int): a class that does not count. Default: -100
        reduction (str): "mean", "sum" or "none". Default: "mean"
        label_smoothing (float): share of the target spread over all classes. Default: 0.0

    Shape: input (C), (N, C) or (N, C, d1, ...), target (), (N) or (N, d1, ...), or as the input.
    """

    __constants__ = ["ignore_index", "label_smoothing", "reduction"]

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(
            input,
            target,
            self.weight,
            None,
            self.ignore_index,
            None,
            self.reduction,
            self.label_smoothing,
        )


class BCELoss(_WeightedLoss):
    """-(t log x + (1 - t) log(1 - x)), the logs not below -100.

    Args:
        weight (Tensor): a weight for each element of a batch. Default: None, all 1.
        reduction (str): "mean", "sum" or "none". Default: "mean"

    Shape: input (*) in [0, 1], target (*), output () or, with "none", (*).
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy(input, target, weight=self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    """BCELoss of sigmoid(input), stable.

    Args:
        weight (Tensor): a weight for each element of a batch. Default: None, all 1.
        reduction (str): "mean", "sum" or "none". Default: "mean"
        pos_weight (Tensor): a factor of the positive part, broadcast. Default: None, 1.

    Shape: input (*), target (*), output () or, with "none", (*).
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(
            input, target, self.weight, pos_weight=self.pos_weight, reduction=self.reduction
        )


class KLDivLoss(_Loss):
    """target (log target - input), the input being log-probabilities, with log_target the target
    too.

    Args:
        reduction (str): "mean", "sum", "none", or "batchmean" for the divergence itself.
            Default: "mean"
        log_target (bool): the target is log-probabilities as well. Default: False

    Shape: input (*), target (*), output () or, with "none", (*).
    Source: Kullback, Leibler, 1951.
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


def __getattr__(name: str) -> Any:
    """The losses of the other files: PyTorch has all of them here."""
    from rushlight.nn import modules

    if name in modules._LAZY["likelihood"] or name in modules._LAZY["margin"]:
        return getattr(modules, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
