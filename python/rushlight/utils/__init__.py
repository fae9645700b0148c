"""Helpers around training: ``rushlight.utils.data`` feeds it with batches, ``rushlight.utils.hooks`` removes hooks.

Imported when first mentioned: the data loader needs multiprocessing, which takes longer than all else together.
"""

from importlib import import_module as _import_module
from typing import Any

__all__ = ["_pytree", "benchmark", "checkpoint", "data", "dlpack", "hooks", "safetensors", "tensorboard"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return _import_module(f"rushlight.utils.{name}")
    raise AttributeError(f"module 'rushlight.utils' has no attribute {name!r}")
