"""Files mapped into memory, and tensors in them."""

from __future__ import annotations

import mmap
import os
from typing import Any

from rushlight import _C
from rushlight._C import Tensor


def from_file(filename: str, shared: bool | None = None, size: int = 0, *, dtype: Any = None, **options: Any) -> Tensor:
    """Tensor of `size` elements in a file that is mapped into memory.

    Args:
        shared: writes go to the file, which is made or lengthened as needed. Default: they do not.
        dtype: default: the default dtype. options: layout, device, pin_memory, requires_grad.

    Raises:
        RuntimeError: the file cannot be opened, or is too short.
    """
    dtype = _C.get_default_dtype() if dtype is None else dtype
    empty = _C.empty(0, dtype=dtype, **options)  # checks the options
    bytes_ = size * dtype.itemsize
    if bytes_ < 0:
        raise RuntimeError(f"unable to mmap {bytes_} bytes from file <{filename}>: Cannot allocate memory (12)")
    try:
        file = os.open(filename, os.O_RDWR | os.O_CREAT if shared else os.O_RDONLY, 0o600)
    except OSError as error:
        mode = "read-write" if shared else "read-only"
        raise RuntimeError(
            f"unable to open file <{filename}> in {mode} mode: {error.strerror} ({error.errno})"
        ) from None
    try:
        present = os.fstat(file).st_size
        if present < bytes_ and not shared:
            raise RuntimeError(
                f"file <{filename}> size <{present}> is smaller than the required mapping size <{bytes_}>"
            )
        if not bytes_:
            return empty
        memory = _map(file, bytes_, bool(shared))
    finally:
        os.close(file)
    tensor = _C.frombuffer(memory, dtype=dtype, count=size)
    return tensor.requires_grad_() if options.get("requires_grad") else tensor


def _map(file: int, nbytes: int, shared: bool) -> mmap.mmap:
    """nbytes (0: all) of an open file: a shared one is lengthened as needed, and only it is written to."""
    if shared and nbytes > os.fstat(file).st_size:
        os.ftruncate(file, nbytes)
    return mmap.mmap(file, nbytes, access=mmap.ACCESS_WRITE if shared else mmap.ACCESS_COPY)


def map_file(path: str | os.PathLike, shared: bool, nbytes: int = 0) -> memoryview:
    """The file (its first nbytes); written back to it if shared, else copied where it is written to.

    A shared file is made, or lengthened, as needed.
    """
    with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b") if shared else open(path, "rb") as file:
        if not shared and nbytes > os.fstat(file.fileno()).st_size:
            raise RuntimeError(f"file {os.fspath(path)} is shorter than {nbytes} bytes")
        return memoryview(_map(file.fileno(), nbytes, shared))


def storage_from_file(filename: str | os.PathLike, shared: bool = False, nbytes: int = 0) -> Any:
    """torch.UntypedStorage.from_file; nbytes 0 takes the whole file."""
    if nbytes == 0 and (not os.path.exists(filename) or os.path.getsize(filename) == 0):
        return _C.empty(0, dtype=_C.uint8).untyped_storage()
    return _C.frombuffer(map_file(filename, shared, nbytes), dtype=_C.uint8).untyped_storage()
