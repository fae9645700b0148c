"""Options of torch.serialization."""

from __future__ import annotations

import mmap
from enum import Enum
from typing import Any

_options: dict[str, Any] = {"crc32": True, "endianness": None, "mmap": mmap.MAP_PRIVATE}


class LoadEndianness(Enum):
    """Byte order of files that do not say it."""

    NATIVE = 1
    LITTLE = 2
    BIG = 3


def get_default_load_endianness() -> LoadEndianness | None:
    """What set_default_load_endianness has set."""
    return _options["endianness"]


def set_default_load_endianness(endianness: LoadEndianness | None) -> None:
    """The byte order of files that do not say it; None: this machine's."""
    if not isinstance(endianness, LoadEndianness) and endianness is not None:
        raise TypeError("Invalid argument type in function set_default_load_endianness")
    _options["endianness"] = endianness


def get_crc32_options() -> bool:
    """What set_crc32_options has set."""
    return _options["crc32"]


def set_crc32_options(compute_crc32: bool) -> None:
    """Accepted: check sums are always written."""
    _options["crc32"] = compute_crc32


def get_default_mmap_options() -> int:
    """mmap.MAP_PRIVATE or mmap.MAP_SHARED: how load(mmap=True) maps files."""
    return _options["mmap"]


class set_default_mmap_options:  # noqa: N801
    """Function or context manager: mmap.MAP_PRIVATE or mmap.MAP_SHARED for load(mmap=True).

    MAP_SHARED writes changes of the tensors to the file.
    """

    def __init__(self, flags: int) -> None:
        if flags not in (mmap.MAP_PRIVATE, mmap.MAP_SHARED):
            raise ValueError(
                "Invalid argument in function set_default_mmap_options, expected mmap.MAP_PRIVATE or "
                f"mmap.MAP_SHARED, but got {flags}"
            )
        self.prev = _options["mmap"]
        _options["mmap"] = flags

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        _options["mmap"] = self.prev
