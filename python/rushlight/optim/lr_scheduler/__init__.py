"""Learning-rate schedules: step() after each epoch, or each batch, sets the groups' "lr".

Most schedules are recursions on the present rate, as in PyTorch, so that several may act on one
optimizer; the last digits depend on that order of operations.
"""

from rushlight.optim.lr_scheduler.base import LambdaLR, LRScheduler, MultiplicativeLR
from rushlight.optim.lr_scheduler.base import _LRScheduler as _LRScheduler
from rushlight.optim.lr_scheduler.combined import ChainedScheduler, SequentialLR
from rushlight.optim.lr_scheduler.cycles import CyclicLR, OneCycleLR
from rushlight.optim.lr_scheduler.plateau import ReduceLROnPlateau
from rushlight.optim.lr_scheduler.rates import (
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    ExponentialLR,
    LinearLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]
