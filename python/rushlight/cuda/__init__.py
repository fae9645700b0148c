"""torch.cuda: there is no CUDA here, and these functions say so."""

import importlib
from typing import Any, NoReturn

__all__ = ["current_device", "device_count", "empty_cache", "is_available", "is_initialized", "manual_seed",
           "manual_seed_all", "synchronize"]  # fmt: skip


def _no_cuda(*args: Any, **kwargs: Any) -> NoReturn:
    raise AssertionError("Torch not compiled with CUDA enabled")


def is_available() -> bool:
    """False."""
    return False


def is_initialized() -> bool:
    """False."""
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def manual_seed(seed: int) -> None:
    """Changes nothing: there are no generators to seed."""


def manual_seed_all(seed: int) -> None:
    """Changes nothing: there are no generators to seed."""


def seed_all() -> None:
    """Changes nothing: there are no generators to seed."""


def empty_cache() -> None:
    """Changes nothing: there is no memory to give back."""


current_device = get_device_name = get_device_properties = get_device_capability = _no_cuda
synchronize = set_device = current_stream = memory_allocated_by_device = _no_cuda
default_stream = stream = mem_get_info = memory_summary = reset_peak_memory_stats = _no_cuda
Event = Stream = _no_cuda


def ipc_collect() -> None:
    """Changes nothing: there is no memory to give back."""


class _TensorType(type):
    """A type as torch.FloatTensor, for memory that is not here: it can be named, not called."""

    def __call__(cls, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(
            f"type torch.cuda.{cls.__name__} not available. Torch not compiled with CUDA enabled."
        )


for _name in ("Float", "Double", "Half", "BFloat16", "Byte", "Char", "Short", "Int", "Long", "Bool"):
    _name += "Tensor"
    globals()[_name] = _TensorType(_name, (), {"__doc__": "Not available here."})


def __getattr__(name: str) -> Any:
    if name == "amp":
        return importlib.import_module("rushlight.cuda.amp")
    raise AttributeError(f"module 'torch.cuda' has no attribute '{name}'", name=name)


def memory_allocated(device: Any = None) -> int:
    """0."""
    return 0


max_memory_allocated = memory_reserved = max_memory_reserved = memory_allocated
