"""torch.cpu: the one device."""

from typing import Any

from rushlight import _C


def is_available() -> bool:
    """True."""
    return True


def device_count() -> int:
    """1."""
    return 1


def current_device() -> str:
    """ "cpu"."""
    return "cpu"


def synchronize(device: Any = None) -> None:
    """Changes nothing: operators have finished when they return."""


def memory_stats() -> dict[str, int]:
    """The allocator's figures in bytes: in_use, peak, cached; and n_alloc, blocks handed out."""
    return _C._memory_stats()


def reset_peak_memory_stats() -> None:
    """Starts the peak figure anew."""
    _C._reset_peak_memory()


def empty_cache() -> None:
    """Gives kept memory back to the system."""
    _C._empty_cache()
