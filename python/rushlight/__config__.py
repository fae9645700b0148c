"""torch.__config__: how this library was built."""

from rushlight import _C
from rushlight._version import TORCH_VERSION, __version__

__all__ = ["parallel_info", "show"]


def show() -> str:
    """The version, and the instruction set in use."""
    return f"rushlight {__version__}, the interface of PyTorch {TORCH_VERSION}\n  - instruction set: {_C._isa()}\n"


def parallel_info() -> str:
    """The number of threads."""
    return f"threads: {_C.get_num_threads()} (torch.get_num_threads())\n"
