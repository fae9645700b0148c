"""Tensors in memory that processes share, for training one model in several (Hogwild).

A segment is a file without a name (memfd), mapped. A forked process inherits the mapping; to others the file descriptor
goes along with the pickled tensor.
"""

from __future__ import annotations

import mmap
import os
import weakref
from multiprocessing.reduction import DupFd, ForkingPickler
from typing import Any

from rushlight import _C
from rushlight._C import Tensor
from rushlight.nn.parameter import Parameter


class _Segment(mmap.mmap):
    """Shared memory and the descriptor of its file, which lives as long."""

    fd: int

    def __del__(self) -> None:
        os.close(self.fd)


# address -> segment, while a tensor uses it
_segments: weakref.WeakValueDictionary[int, _Segment] = weakref.WeakValueDictionary()


def segment_of(tensor: Tensor) -> _Segment | None:
    """The segment that the tensor lies in, None where its memory is its own."""
    return _segments.get(tensor.untyped_storage().data_ptr())


def _map(fd: int, nbytes: int) -> Tensor:
    """The file's bytes."""
    segment = _Segment(fd, nbytes)
    segment.fd = fd
    data = _C.frombuffer(segment, dtype=_C.uint8)
    _segments[data.data_ptr()] = segment
    return data


def share(tensor: Tensor) -> Tensor:
    """Tensor.share_memory_(): the tensor itself, its data (all of its storage) moved; other views of it stay behind."""
    storage = tensor.untyped_storage()
    if storage.nbytes() == 0 or segment_of(tensor) is not None:
        return tensor
    fd = os.memfd_create("rushlight")
    os.ftruncate(fd, storage.nbytes())
    data = _map(fd, storage.nbytes())
    data.copy_(storage._tensor())
    tensor.data = _view(data, tensor.dtype, tensor.storage_offset(), tensor.shape, tensor.stride())
    return tensor


def _view(data: Tensor, dtype: Any, offset: int, size: Any, stride: Any) -> Tensor:
    return _C.empty(0, dtype=dtype).set_(data.untyped_storage(), offset, size, stride)


def _rebuild(handle: Any, nbytes: int, kind: type, requires_grad: bool, *view: Any) -> Tensor:
    tensor = _view(_map(handle.detach(), nbytes), *view)
    return kind(tensor, requires_grad) if kind is Parameter else tensor.requires_grad_(requires_grad)


def _reduce(tensor: Tensor) -> tuple:
    """What a pickle for another process holds."""
    segment = segment_of(tensor)
    if segment is None:
        return tensor.__reduce_ex__(4)
    if tensor.requires_grad and not tensor.is_leaf:
        raise RuntimeError(
            "Cowardly refusing to serialize non-leaf tensor which requires_grad, since autograd does not support "
            "crossing process boundaries.  If you just want to transfer the data, call detach() on the tensor before "
            "serializing (e.g., putting it on the queue)."
        )
    view = (tensor.dtype, tensor.storage_offset(), tuple(tensor.shape), tensor.stride())
    return _rebuild, (DupFd(segment.fd), len(segment), type(tensor), tensor.requires_grad, *view)


ForkingPickler.register(Tensor, _reduce)
ForkingPickler.register(Parameter, _reduce)
