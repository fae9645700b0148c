"""An optimizer's step on other parameters and another state than its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rushlight._C import Tensor
from rushlight.optim.optimizer import Optimizer

__all__ = ["swap_in_optimizer_params_and_state"]

_WHO = "swap_in_optimizer_params_and_state requires"


def _check_state(state: Any) -> dict:
    if not isinstance(state, dict):
        raise RuntimeError(
            f"{_WHO} swapin_optim_state['state'] to be a dict mapping packed parameter ids to per-param "
            f"state dicts, got {type(state).__name__}."
        )
    if any(isinstance(key, Tensor) for key in state):
        raise RuntimeError(
            f"{_WHO} optimizer.state_dict()-style state keyed by packed parameter ids."
        )
    if any(isinstance(k, int) and not isinstance(v, dict) for k, v in state.items()):
        raise RuntimeError(f"{_WHO} per-parameter optimizer state entries to be dictionaries.")
    return state


def _check_group(i: int, live: dict[str, Any], given: Any) -> None:
    if not isinstance(given, dict):
        raise RuntimeError(f"{_WHO} each optimizer param group to be a dictionary.")
    numbers = given.get("params")
    if not isinstance(numbers, list) or not all(isinstance(n, int) for n in numbers):
        raise RuntimeError(
            f"{_WHO} optimizer.state_dict()-style param_groups[*]['params'] entries keyed by packed "
            "parameter ids."
        )
    if len(live["params"]) != len(numbers):
        raise RuntimeError(
            f"swapin_optim_state param group {i} has a different number of params than the live "
            "optimizer param group."
        )
    only_given, only_live = [k for k in given if k not in live], [k for k in live if k not in given]
    if only_given or only_live:
        raise RuntimeError(
            f"{_WHO} optimizer.state_dict()-style param group keys to exactly match the live optimizer "
            f"group keys for group {i}. Keys only in swap-in: {only_given}. Keys only in live: "
            f"{only_live}."
        )


def _prepared(
    optimizer: Optimizer, parameters: dict[str, Tensor], given: Any
) -> tuple[list[dict[str, Any]], defaultdict]:
    """(groups, state) as the optimizer holds them, of what is given."""
    if not optimizer.state:
        raise RuntimeError(f"{_WHO} initialized optimizer state.")
    if not isinstance(given, dict):
        raise RuntimeError(f"{_WHO} a DCP-style optimizer state_dict.")
    state, groups = _check_state(given.get("state")), given.get("param_groups")
    if not isinstance(groups, list):
        raise RuntimeError(
            f"{_WHO} swapin_optim_state['param_groups'] to be a list of param-group dicts, got "
            f"{type(groups).__name__}."
        )
    if len(optimizer.param_groups) != len(groups):
        raise RuntimeError(
            "swapin_optim_state has a different number of parameter groups than the live optimizer."
        )
    tensors, at = list(parameters.values()), 0
    new_groups, new_state, numbers = [], defaultdict(dict), set()
    for i, (live, group) in enumerate(zip(optimizer.param_groups, groups, strict=True)):
        _check_group(i, live, group)
        params = tensors[at : at + len(group["params"])]
        at += len(params)
        if len(params) < len(group["params"]):
            raise RuntimeError(
                f"{_WHO} the explicit parameter state to match optimizer.param_groups ordering."
            )
        new_groups.append({key: params if key == "params" else group[key] for key in live})
        numbers.update(group["params"])
        for p, number in zip(params, group["params"], strict=True):
            new_state[p] = dict(state.get(number, {}))
    extra = [key for key in state if key not in numbers]
    if extra:
        raise RuntimeError(
            f"{_WHO} swapin_optim_state['state'] to be keyed only by packed parameter ids from "
            f"param_groups[*]['params']; got extra keys {extra!r}."
        )
    return new_groups, new_state


@contextmanager
def swap_in_optimizer_params_and_state(
    optimizer: Optimizer, swapin_parameters: dict[str, Tensor], swapin_optim_state: dict[str, Any]
) -> Iterator[None]:
    """In this block the optimizer steps other parameters, with their state and options.

    Of what changes, the tensors given keep what is written into them; all else is forgotten.

    Args:
        optimizer (Optimizer): has stepped before.
        swapin_parameters (dict): tensors in the order of the optimizer's own.
        swapin_optim_state (dict): as state_dict gives it.

    Raises:
        RuntimeError: they do not match the optimizer's.
    """
    groups, state = _prepared(optimizer, swapin_parameters, swapin_optim_state)
    own_state, own_groups = optimizer.state, [dict(group) for group in optimizer.param_groups]
    try:
        for live, group in zip(optimizer.param_groups, groups, strict=True):
            live.update(group)
        optimizer.state = state
        yield
    finally:
        for live, group in zip(optimizer.param_groups, own_groups, strict=True):
            live.clear()
            live.update(group)
        optimizer.state = own_state
