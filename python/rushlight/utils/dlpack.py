"""DLPack: sharing memory with other libraries without a copy."""

from rushlight._C import _to_dlpack as to_dlpack
from rushlight._C import from_dlpack

__all__ = ["from_dlpack", "to_dlpack"]
