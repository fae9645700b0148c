"""Averages of weights over training, and the schedule that goes with them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from copy import deepcopy
from itertools import chain
from typing import Any

import rushlight
from rushlight._C import Tensor
from rushlight.nn.modules.module import Module
from rushlight.optim.lr_scheduler.base import LRScheduler, _per_group
from rushlight.optim.optimizer import Optimizer

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]


def _check_decay(decay: float) -> None:
    if decay < 0.0 or decay > 1.0:
        raise ValueError(
            f"Invalid decay value {decay} provided. Please provide a value in [0,1] range."
        )


def get_ema_avg_fn(decay: float = 0.999) -> Callable:
    """f(average, present, n): decay average + (1 - decay) present, for one parameter."""
    _check_decay(decay)

    @rushlight.no_grad()
    def ema_update(ema_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_swa_avg_fn() -> Callable:
    """f(average, present, n): the mean of n + 1 values, for one parameter."""

    @rushlight.no_grad()
    def swa_update(averaged_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable:
    """As get_ema_avg_fn, in place on lists of parameters."""
    _check_decay(decay)

    @rushlight.no_grad()
    def ema_update(ema_param_list: Any, current_param_list: Any, _: Any) -> None:
        for average, now in zip(ema_param_list, current_param_list, strict=True):
            if _lerps(average):
                average.lerp_(now, 1 - decay)
            else:
                average.copy_(average * decay + now * (1 - decay))

    return ema_update


def get_swa_multi_avg_fn() -> Callable:
    """As get_swa_avg_fn, in place on lists of parameters."""

    @rushlight.no_grad()
    def swa_update(averaged_param_list: Any, current_param_list: Any, num_averaged: Any) -> None:
        share = float(1 / (num_averaged + 1))
        for average, now in zip(averaged_param_list, current_param_list, strict=True):
            if _lerps(average):
                average.lerp_(now, share)
            else:
                average.copy_(average + (now - average) * share)

    return swa_update


def _lerps(t: Tensor) -> bool:
    return t.is_floating_point() or t.is_complex()


class AveragedModel(Module):
    """A copy of a model whose parameters are averages of the model's.

    Args:
        model (Module): copied as ``module``.
        device: accepted; there is the CPU.
        avg_fn: f(average, present, n) gives the next average of one parameter. Default: the mean
        multi_avg_fn: the same in place, on lists of parameters. Default: None
        use_buffers (bool): averages buffers too, instead of copying them. Default: False

    Source: Izmailov and others, 2018.
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Callable | None = None,
        multi_avg_fn: Callable | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer(
            "n_averaged", rushlight.tensor(0, dtype=rushlight.int64, device=device)
        )
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Takes the model's parameters into the averages; the first time, copies them."""
        if self.use_buffers:
            mine = chain(self.module.parameters(), self.module.buffers())
            theirs = chain(model.parameters(), model.buffers())
        else:
            mine, theirs = self.parameters(), model.parameters()
        pairs = [(a.detach(), p.detach()) for a, p in zip(mine, theirs, strict=False)]
        if self.n_averaged == 0:
            for average, now in pairs:
                average.copy_(now)
        elif self.avg_fn is not None:
            for average, now in pairs:
                average.copy_(self.avg_fn(average, now, self.n_averaged))
        else:
            update = self.multi_avg_fn or get_swa_multi_avg_fn()
            by_dtype: dict[Any, list] = {}
            for pair in pairs:
                by_dtype.setdefault(pair[0].dtype, []).append(pair)
            for group in by_dtype.values():
                update([a for a, _ in group], [p for _, p in group], self.n_averaged)
        if not self.use_buffers:
            for mine, now in zip(self.module.buffers(), model.buffers(), strict=True):
                mine.detach().copy_(now.detach())
        self.n_averaged += 1


@rushlight.no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Computes the running statistics of all batch normalisations anew, by one pass over data.

    Args:
        loader: batches, or tuples and lists that begin with one.
        model (Module): in whatever mode, which it keeps.
        device: accepted; there is the CPU.
    """
    from rushlight.nn.modules.batchnorm import _BatchNorm

    momenta = {}
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.reset_running_stats()
            momenta[module] = module.momentum
    if not momenta:
        return
    training = model.training
    model.train()
    for module in momenta:
        module.momentum = None  # every batch counts the same
    for batch in loader:
        model(batch[0] if isinstance(batch, (list, tuple)) else batch)
    for module, momentum in momenta.items():
        module.momentum = momentum
    model.train(training)


class SWALR(LRScheduler):
    """Brings each group's rate to a constant, along a line or half a cosine.

    Args:
        optimizer (Optimizer): whose rates are set.
        swa_lr (float or list): the constant, for all or for each group.
        anneal_epochs (int): steps to get there. Default: 10
        anneal_strategy (str): "cos" or "linear". Default: "cos"
        last_epoch (int): the step to go on from. Default: -1

    Raises:
        ValueError: another strategy, or a negative number of epochs.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float,
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        rates = _per_group("swa_lr", optimizer, swa_lr)
        for rate, group in zip(rates, optimizer.param_groups, strict=True):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        self._anneal_strategy = anneal_strategy
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(
                f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}"
            )
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def anneal_func(self, t: float) -> float:
        """Share of the way that is done at t in [0, 1]."""
        return t if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * t)) / 2

    def get_lr(self) -> list[Any]:
        self._warn_outside_step()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        length = max(1, self.anneal_epochs)
        before, now = (self.anneal_func(max(0, min(1, i / length))) for i in (step - 1, step))
        rates = []
        for group in self.optimizer.param_groups:
            lr, target = group["lr"], group["swa_lr"]
            start = target if before == 1 else (lr - before * target) / (1 - before)
            rates.append(target * now + start * (1 - now))
        return rates
