"""Losses that ask for a margin, as modules; the formulas are those of nn.functional."""

from __future__ import annotations

from collections.abc import Callable

from rushlight._C import Tensor
from rushlight.nn import functional as F
from rushlight.nn.modules.distance import PairwiseDistance
from rushlight.nn.modules.loss import _Loss, _WeightedLoss

__all__ = [
    "CosineEmbeddingLoss",
    "HingeEmbeddingLoss",
    "MarginRankingLoss",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "SoftMarginLoss",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
]


class _MarginLoss(_Loss):
    __constants__ = ["margin", "reduction"]

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin


class MarginRankingLoss(_MarginLoss):
    """max(0, -target (input1 - input2) + margin), the target being 1 or -1.

    Args:
        margin (float): Default: 0.0
        reduction (str): "mean", "sum" or "none". Default: "mean"

    Shape: inputs and target (N) or (), output () or, with "none", (N).
    """

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return F.margin_ranking_loss(
            input1, input2, target, margin=self.margin, reduction=self.reduction
        )


class HingeEmbeddingLoss(_MarginLoss):
    """The input where the target is 1, max(0, margin - input) where it is -1.

    Args:
        margin (float): Default: 1.0
        reduction (str): "mean", "sum" or "none". Default: "mean"

    Shape: input (*), target (*), output () or, with "none", (*).
    """

    def __init__(
        self,
        margin: float = 1.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(margin, size_average, reduce, reduction)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.hinge_embedding_loss(input, target, margin=self.margin, reduction=self.reduction)


class CosineEmbeddingLoss(_MarginLoss):
    """1 - cos(input1, input2) where the target is 1, max(0, cos - margin) where it is -1.

    Args:
        margin (float): between -1 and 1. Default: 0.0
        reduction (str): "mean", "sum" or "none". Default: "mean"

    Shape: inputs (N, D) or (D), target (N) or (), output () or, with "none", (N).
    """

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return F.cosine_embedding_loss(
            input1, input2, target, margin=self.margin, reduction=self.reduction
        )


class TripletMarginLoss(_Loss):
    """max(0, margin + d(anchor, positive) - d(anchor, negative)), d the p-norm of the difference.

    Args:
        margin (float): above 0. Default: 1.0
        p (float): of the norm. Default: 2.0
        eps (float): added to the differences. Default: 1e-6
        swap (bool): the smaller of d(anchor, negative) and d(positive, negative) counts.
            Default: False
        reduction (str): "mean", "sum" or "none". Default: "mean"

    Shape: inputs (N, D) or (D), output () or, with "none", (N).
    Raises:
        ValueError: a margin not above 0.
    Source: Balntas and others, 2016.
    """

    __constants__ = ["margin", "p", "eps", "swap", "reduction"]

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        if margin <= 0:
            raise ValueError(
                f"TripletMarginLoss: expected margin to be greater than 0, got {margin} instead"
            )
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return F.triplet_margin_loss(
            anchor,
            positive,
            negative,
            margin=self.margin,
            p=self.p,
            eps=self.eps,
            swap=self.swap,
            reduction=self.reduction,
        )


class TripletMarginWithDistanceLoss(_Loss):
    """TripletMarginLoss with a distance of one's own.

    Args:
        distance_function (callable): of two tensors. Default: PairwiseDistance()
        margin (float): above 0. Default: 1.0
        swap (bool): as TripletMarginLoss. Default: False
        reduction (str): "mean", "sum" or "none". Default: "mean"

    Raises:
        ValueError: a margin not above 0.
    """

    __constants__ = ["margin", "swap", "reduction"]

    def __init__(
        self,
        *,
        distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        if margin <= 0:
            raise ValueError(
                "TripletMarginWithDistanceLoss: expected margin to be greater than 0, got "
                f"{margin} instead"
            )
        self.distance_function = (
            PairwiseDistance() if distance_function is None else distance_function
        )
        self.margin = margin
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return F.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )


class SoftMarginLoss(_Loss):
    """log(1 + exp(-target input)), the target being 1 or -1.

    Args:
        reduction (str): "mean", "sum" or "none". Default: "mean"

    Shape: input (*), target (*), output () or, with "none", (*).
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.soft_margin_loss(input, target, reduction=self.reduction)


class MultiMarginLoss(_WeightedLoss):
    """The mean over the classes i other than the target y of max(0, margin - x[y] + x[i])^p.

    Args:
        p (int): 1 or 2. Default: 1
        margin (float): Default: 1.0
        weight (Tensor): a factor by target, (C). Default: None, all 1.
        reduction (str): "mean", "sum" or "none". Default: "mean"

    Shape: input (N, C) or (C), target (N) or (), output () or, with "none", as the target.
    Raises:
        ValueError: another p; a weight of another number of dimensions.
    """

    __constants__ = ["p", "margin", "reduction"]

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        if p not in (1, 2):
            raise ValueError("only p == 1 and p == 2 supported")
        if weight is not None and weight.dim() != 1:
            raise ValueError(
                "MultiMarginLoss: expected weight to be None or 1D tensor, got "
                f"{weight.dim()}D instead"
            )
        self.p = p
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multi_margin_loss(
            input,
            target,
            p=self.p,
            margin=self.margin,
            weight=self.weight,
            reduction=self.reduction,
        )


class MultiLabelMarginLoss(_Loss):
    """The sum over labels j and classes i that are none of max(0, 1 - x[j] + x[i]), divided by C.

    Args:
        reduction (str): "mean", "sum" or "none". Default: "mean"

    Shape: input (N, C) or (C), target the same: labels, then -1, then anything; output () or, with
        "none", (N) or ().
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multilabel_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(_WeightedLoss):
    """The mean over the classes of BCEWithLogitsLoss.

    Args:
        weight (Tensor): a factor by class, (C). Default: None, all 1.
        reduction (str): "mean", "sum" or "none". Default: "mean"

    Shape: input (N, C), target (N, C), output () or, with "none", (N).
    """

    __constants__ = ["reduction"]

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multilabel_soft_margin_loss(
            input, target, weight=self.weight, reduction=self.reduction
        )
