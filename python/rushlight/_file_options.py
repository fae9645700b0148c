"""Options of torch.serialization, and files as storages."""

from __future__ import annotations

import mmap
import os
from enum import Enum
from typing import Any

import rushlight

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


def map_file(path: str | os.PathLike, shared: bool, nbytes: int = 0) -> memoryview:
    """The file (its first nbytes); written back to it if shared, else copied where it is written to.

    A shared file is made, or lengthened, as needed.
    """
    if not shared:
        with open(path, "rb") as file:
            if nbytes > os.fstat(file.fileno()).st_size:
                raise RuntimeError(f"file {os.fspath(path)} is shorter than {nbytes} bytes")
            return memoryview(mmap.mmap(file.fileno(), nbytes, access=mmap.ACCESS_COPY))
    with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b") as file:
        if nbytes > os.fstat(file.fileno()).st_size:
            os.ftruncate(file.fileno(), nbytes)
        return memoryview(mmap.mmap(file.fileno(), nbytes, access=mmap.ACCESS_WRITE))


def storage_from_file(filename: str | os.PathLike, shared: bool = False, nbytes: int = 0) -> Any:
    """torch.UntypedStorage.from_file; nbytes 0 takes the whole file."""
    if nbytes == 0 and (not os.path.exists(filename) or os.path.getsize(filename) == 0):
        return rushlight.empty(0, dtype=rushlight.uint8).untyped_storage()
    mapped = map_file(filename, shared, nbytes)
    return rushlight.frombuffer(mapped, dtype=rushlight.uint8).untyped_storage()
