"""torch._inductor: its options can be set, and change nothing."""

from rushlight._settings import _Options

__all__ = ["config"]

config = _Options()
