"""The version; also written in pyproject.toml and csrc/include/rushlight.h."""

__version__ = "0.1.0"
TORCH_VERSION = "2.13.0"  # whose interface this is
