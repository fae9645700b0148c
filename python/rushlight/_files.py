"""Tensors in files."""

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
        if present < bytes_:
            if not shared:
                raise RuntimeError(
                    f"file <{filename}> size <{present}> is smaller than the required mapping size <{bytes_}>"
                )
            os.ftruncate(file, bytes_)
        if not bytes_:
            return empty
        memory = mmap.mmap(file, bytes_, access=mmap.ACCESS_WRITE if shared else mmap.ACCESS_COPY)
    finally:
        os.close(file)
    tensor = _C.frombuffer(memory, dtype=dtype, count=size)
    return tensor.requires_grad_() if options.get("requires_grad") else tensor
