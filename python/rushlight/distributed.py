"""torch.distributed of a PyTorch that was built without it: programs can ask, and be told no."""

from __future__ import annotations

from typing import Any

__all__ = ["is_available"]


def is_available() -> bool:
    """False: rushlight runs in one process."""
    return False


def is_initialized() -> bool:
    """False: there is no process group."""
    return False


def is_torchelastic_launched() -> bool:
    """False: nothing launches processes."""
    return False


def get_rank(group: Any = None) -> int:
    """Raises ValueError, as PyTorch does without a process group."""
    raise ValueError(
        "Default process group has not been initialized, please make sure to call init_process_group."
    )


get_world_size = get_rank


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    raise AttributeError(
        f"module 'torch.distributed' has no attribute {name!r}: rushlight runs in one process, "
        "is_available() says so"
    )
