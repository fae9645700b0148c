"""The older way to the profiler: the same recording with the older arguments."""

from __future__ import annotations

from typing import Any

from rushlight import profiler
from rushlight.profiler import EventList, FunctionEvent, record_function

__all__ = ["EventList", "FunctionEvent", "profile", "record_function"]


class profile(profiler.profile):
    """profiler.profile, which may be off.

    Args:
        enabled (bool): False records nothing. Default: True
        record_shapes, profile_memory, with_stack, with_flops, with_modules (bool): as for profiler.profile.
    """

    def __init__(self, enabled: bool = True, *, use_cuda: bool = False, **options: Any) -> None:
        known = ("record_shapes", "profile_memory", "with_stack", "with_flops", "with_modules")
        super().__init__(**{k: v for k, v in options.items() if k in known})
        self.enabled = enabled

    def _begin(self) -> None:
        if self.enabled:
            super()._begin()

    @property
    def self_cpu_time_total(self) -> float:
        """Time of everything recorded, us."""
        return self.events().self_cpu_time_total

    def table(self, **options: Any) -> str:
        """The events as a table."""
        return self.events().table(**options)

    def total_average(self) -> Any:
        """Everything added up."""
        return self.events().total_average()
