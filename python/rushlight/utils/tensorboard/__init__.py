"""SummaryWriter: curves, images and histograms for TensorBoard, written by the tensorboardX package, or, with fewer
kinds of data, by the tensorboard package where that alone is installed.

    pip install "rushlight[tensorboard]"
"""

from __future__ import annotations

from functools import wraps
from typing import Any

from rushlight._C import Tensor

try:
    from tensorboardX import SummaryWriter as _Writer
except ImportError:
    try:
        from rushlight.utils.tensorboard._events import SummaryWriter as _Writer
    except ImportError as error:
        raise ImportError(
            "rushlight.utils.tensorboard writes its files with the tensorboardX or the tensorboard package, neither of "
            'which is installed: pip install "rushlight[tensorboard]"'
        ) from error

__all__ = ["SummaryWriter"]


def _plain(value: Any) -> Any:
    """Tensors as NumPy arrays, in sequences and dictionaries too."""
    if isinstance(value, Tensor):
        array = value.detach()
        return array.numpy() if array.dim() else array.item()
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(v) for v in value)
    return value


class SummaryWriter(_Writer):
    """The installed package's writer, whose add_... methods take rushlight's tensors.

    add_graph is not supported: there is no traced graph of a model.
    """

    def get_logdir(self) -> str:
        """The folder of the files."""
        return getattr(self, "logdir", None) or self.log_dir

    def add_graph(self, *args: Any, **kwargs: Any) -> None:
        """Raises NotImplementedError."""
        raise NotImplementedError("SummaryWriter.add_graph is not supported: models are not traced")


def _taking_tensors(name: str) -> Any:
    method = getattr(_Writer, name)

    @wraps(method)
    def add(self: Any, *args: Any, **kwargs: Any) -> Any:
        return method(self, *_plain(args), **_plain(kwargs))

    return add


for _name in dir(_Writer):
    if _name.startswith("add_") and _name != "add_graph":
        setattr(SummaryWriter, _name, _taking_tensors(_name))
