"""Losses that are negative log-likelihoods, as modules; the formulas are those of nn.functional."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace
from typing import Any, Literal

import rushlight
from rushlight._C import Tensor
from rushlight.nn import functional as F
from rushlight.nn.modules.linear import Linear
from rushlight.nn.modules.loss import NLLLoss, _Loss, _WeightedLoss

__all__ = [
    "CTCLoss",
    "GaussianNLLLoss",
    "LinearCrossEntropyLoss",
    "LinearCrossEntropyOptions",
    "NLLLoss2d",
    "PoissonNLLLoss",
]


class NLLLoss2d(NLLLoss):
    """The old name of NLLLoss; warns."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warnings.warn(
            "`NLLLoss2d` has been deprecated. Please use `NLLLoss` instead as a drop-in replacement "
            "and see https://pytorch.org/docs/main/nn.html#torch.nn.NLLLoss for more details.",
            FutureWarning,
            stacklevel=2,
        )
        super().__init__(*args, **kwargs)


class PoissonNLLLoss(_Loss):
    """exp(input) - target input, for counts.

    Args:
        log_input (bool): the input is the logarithm of the rate; else the loss is
            input - target log(input + eps). Default: True
        full (bool): add Stirling's approximation of log(target!). Default: False
        eps (float): Default: 1e-8
        reduction (str): "mean", "sum" or "none". Default: "mean"

    Shape: input (*), target (*), output () or, with "none", (*).
    """

    __constants__ = ["log_input", "full", "eps", "reduction"]

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: bool | None = None,
        eps: float = 1e-8,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, log_input: Tensor, target: Tensor) -> Tensor:
        return F.poisson_nll_loss(
            log_input,
            target,
            log_input=self.log_input,
            full=self.full,
            eps=self.eps,
            reduction=self.reduction,
        )


class GaussianNLLLoss(_Loss):
    """(log var + (input - target)^2 / var) / 2, the input being means.

    Args:
        full (bool): add log(2 pi) / 2. Default: False
        eps (float): the least var. Default: 1e-6
        reduction (str): "mean", "sum" or "none". Default: "mean"

    Shape: input (*), target (*), var (*), or with the last size 1 or missing, or a float.
    Source: Nix and Weigend, 1994.
    """

    __constants__ = ["full", "eps", "reduction"]

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(None, None, reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:
        return F.gaussian_nll_loss(
            input, target, var, full=self.full, eps=self.eps, reduction=self.reduction
        )


class CTCLoss(_Loss):
    """-log of the probability that the steps' classes, repeats merged and blanks dropped, spell the target.

    Args:
        blank (int): the class that stands for none. Default: 0
        reduction (str): "mean" (of losses divided by their targets' lengths), "sum" or "none".
            Default: "mean"
        zero_infinity (bool): losses of targets too long for their input, and their gradients, are 0.
            Default: False

    Shape: log_probs (T, N, C) or (T, C), results of log_softmax; targets (N, S) or, one after the
        other, (sum of target_lengths); lengths (N) or (); output () or, with "none", (N).
    Source: Graves and others, 2006.
    """

    __constants__ = ["blank", "reduction"]

    def __init__(
        self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False
    ) -> None:
        super().__init__(reduction=reduction)
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(
        self, log_probs: Tensor, targets: Tensor, input_lengths: Tensor, target_lengths: Tensor
    ) -> Tensor:
        return F.ctc_loss(
            log_probs,
            targets,
            input_lengths,
            target_lengths,
            self.blank,
            self.reduction,
            self.zero_infinity,
        )


@dataclass(slots=True, frozen=True)
class LinearCrossEntropyOptions:
    """How linear_cross_entropy cuts a batch into chunks.

    Args:
        allow_retain_graph (bool): accepted; backward may always run twice here. Default: False
        batch_chunk_size (int): rows of a chunk. Default: None
        chunking_method (str): "aspect_ratio" makes the logits of a chunk as large as the input,
            "aspect_ratio:N" N times smaller, "auto" chooses, None leaves it to batch_chunk_size.
            Default: "auto"
        acc_policy (str): "accurate", "balanced", "compact" or "auto": accepted; products add up in
            one order here. Default: "auto"
        acc_dtype (dtype): accepted, as acc_policy. Default: None

    Raises:
        ValueError: another value.
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: Literal["accurate", "balanced", "compact", "auto"] = "auto"
    acc_dtype: Any = None

    def __post_init__(self) -> None:
        if self.acc_policy not in ("auto", "accurate", "balanced", "compact"):
            raise ValueError(f"invalid acc_policy: {self.acc_policy!r}")
        if self.chunking_method not in (None, "auto"):
            name, colon, factor = self.chunking_method.partition(":")
            if name != "aspect_ratio" or colon and not (factor.isdigit() and int(factor) > 0):
                raise ValueError(f"invalid chunking_method: {self.chunking_method!r}")
        size = self.batch_chunk_size
        if size is not None and not (isinstance(size, int) and size > 0):
            raise ValueError(f"batch_chunk_size must be positive int or None, got {size!r}")
        floating = rushlight.float16, rushlight.bfloat16, rushlight.float32, rushlight.float64
        if self.acc_dtype is not None and self.acc_dtype not in floating:
            raise ValueError(
                "acc_dtype must be one of {None, torch.float16, torch.bfloat16, torch.float32, "
                f"torch.float64}}, got {self.acc_dtype!r}. Pass acc_dtype=None to let the op pick "
                "automatically."
            )

    def _adjust(
        self, num_batches: int, in_features: int, num_classes: int, dtype: Any, device: Any = None
    ) -> LinearCrossEntropyOptions:
        """The same with batch_chunk_size and chunking_method decided for these sizes."""
        method = self.chunking_method
        if method == "auto":
            method = "aspect_ratio:2" if self.batch_chunk_size is None else None
        size = num_batches
        if self.batch_chunk_size is not None:
            size = min(self.batch_chunk_size, num_batches)
        if method is not None:
            rows = -(-num_batches // -(-num_classes // in_features))
            factor = int(method.partition(":")[2] or 1)
            size = min((1 << (rows - 1).bit_length()) // factor, num_batches)
            if self.batch_chunk_size not in (None, size):
                raise ValueError(
                    f"batch_chunk_size (={self.batch_chunk_size}) and chunking_method "
                    f"('{method}') give different chunk sizes ({self.batch_chunk_size} vs {size}); "
                    "pass only one."
                )
        return replace(
            self,
            chunking_method=method,
            batch_chunk_size=max(1, size),
            acc_dtype=self.acc_dtype or dtype,
        )


class LinearCrossEntropyLoss(_WeightedLoss):
    """CrossEntropyLoss of a linear layer of its own.

    Args:
        in_features (int): size of an input row.
        num_classes (int): classes, C.
        out_features (tuple): further dimensions d1, ... of the loss. Default: ()
        bias (bool): whether the layer has one. Default: False
        device: cpu or None.
        dtype (dtype): of the layer. Default: the default dtype.
        reduction (str): "mean", "sum" or "none". Default: "mean"
        weight (Tensor): a weight for each class, (C). Default: None, all 1.
        ignore_index (int): a class that does not count. Default: None, -100
        label_smoothing (float): share of the target spread over all classes. Default: 0.0
        options (LinearCrossEntropyOptions): take the batch in chunks. Default: None

    Shape: input (N, in_features) or (in_features), target (N), (N, d1, ...) or () of classes, or
        (N, C, d1, ...) or (C) of probabilities.
    Raises:
        RuntimeError: a weight of another shape, label_smoothing outside [0, 1].
    """

    __constants__ = ["num_classes", "out_features", "reduction", "ignore_index", "label_smoothing"]

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        out_features: tuple[int, ...] = (),
        bias: bool = False,
        device: Any = None,
        dtype: Any = None,
        reduction: str = "mean",
        weight: Tensor | None = None,
        ignore_index: int | None = None,
        label_smoothing: float = 0.0,
        options: LinearCrossEntropyOptions | None = None,
    ) -> None:
        if weight is not None and weight.shape != (num_classes,):
            raise RuntimeError(
                f"expected weight shape to be {(num_classes,)}, got {tuple(weight.shape)}"
            )
        if not 0 <= label_smoothing <= 1:
            raise RuntimeError(
                f"expected label_smoothing to be in range [0, 1], got {label_smoothing}"
            )
        super().__init__(weight, reduction=reduction)
        self.num_classes = num_classes
        self.out_features = out_features
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing
        # The layer is flat, (C d1 ..., in_features); forward gives it its shape.
        size = math.prod(out_features, start=num_classes)
        self.linear = Linear(in_features, size, bias=bias, device=device, dtype=dtype)
        self.options = options

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        shape = (self.num_classes, *self.out_features)
        bias = self.linear.bias
        return F.linear_cross_entropy(
            input,
            self.linear.weight.reshape(*shape, self.linear.in_features),
            target,
            linear_bias=None if bias is None else bias.reshape(shape),
            weight=self.weight,
            reduction=self.reduction,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            options=self.options,
        )

    def extra_repr(self) -> str:
        return (
            f"in_features={self.linear.in_features}, num_classes={self.num_classes}, "
            f"out_features={self.out_features}, bias={self.linear.bias is not None}, "
            f"reduction={self.reduction}, ignore_index={self.ignore_index}, "
            f"label_smoothing={self.label_smoothing}, options={self.options}"
        )
