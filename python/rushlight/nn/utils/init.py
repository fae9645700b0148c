"""skip_init."""

from __future__ import annotations

import inspect
from typing import Any

import rushlight
from rushlight.nn.modules.module import Module

__all__ = ["skip_init"]


def skip_init(module_cls: type, *args: Any, **kwargs: Any) -> Module:
    """module_cls(*args, **kwargs) without drawing random numbers; its parameters hold anything.

    Raises:
        RuntimeError: no module class, or one that takes no device.
    """
    if not issubclass(module_cls, Module):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    before = rushlight.get_rng_state()
    try:
        return module_cls(*args, **kwargs)
    finally:
        rushlight.set_rng_state(before)
