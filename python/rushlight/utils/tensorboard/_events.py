"""SummaryWriter over the tensorboard package alone: scalars, histograms, images and text."""

from __future__ import annotations

import os
import socket
import struct
import time
import zlib
from collections.abc import Iterable
from typing import Any, Self

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from rushlight._C import Tensor


def _array(value: Any) -> np.ndarray:
    return value.detach().numpy() if isinstance(value, Tensor) else np.asarray(value)


def _bins() -> np.ndarray:
    """TensorFlow's limits: from 1e-12 to 1e20, each 1.1 times the one before, 0, and the same below."""
    above = 1e-12 * 1.1 ** np.arange(np.ceil(np.log(1e32) / np.log(1.1)))
    return np.concatenate([-above[::-1], [0.0], above])


def _png(pixels: np.ndarray) -> bytes:
    """A PNG file of (height, width, 1, 3 or 4) bytes."""
    height, width, channels = pixels.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], axis=1)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows.tobytes())) + chunk(b"IEND", b"")


def _pixels(image: Any, layout: str) -> np.ndarray:
    """An image (letters C, H, W of its dims in layout, in any order) as (H, W, 3 or 4) bytes; floats are in [0, 1]."""
    array = _array(image)
    layout = layout.upper()
    if "C" not in layout:
        array, layout = array[..., None], layout + "C"
    array = array.transpose([layout.index(letter) for letter in "HWC"])
    array = array.repeat(3, axis=2) if array.shape[2] == 1 else array
    return array if array.dtype == np.uint8 else (array * 255).clip(0, 255).astype(np.uint8)


class SummaryWriter:
    """Writes events for TensorBoard, below runs/ unless a folder is given.

    Args:
        log_dir (str): the folder. Default: runs/<date>_<host><comment>
        comment (str): end of the default folder's name.
        max_queue (int), flush_secs (int): when the events are written.
        filename_suffix (str): end of the file's name.

    What needs more than the tensorboard package (graphs, audio, video, embeddings, curves, hyperparameters) raises
    NotImplementedError; tensorboardX, once installed, takes this class's place.
    """

    def __init__(
        self,
        log_dir: Any = None,
        comment: str = "",
        purge_step: int | None = None,
        max_queue: int = 10,
        flush_secs: int = 120,
        filename_suffix: str = "",
    ) -> None:
        if not log_dir:
            date = time.strftime("%b%d_%H-%M-%S")
            log_dir = os.path.join("runs", f"{date}_{socket.gethostname()}{comment}")
        self.log_dir = str(log_dir)
        self._options = {"max_queue_size": max_queue, "flush_secs": flush_secs, "filename_suffix": filename_suffix}
        self._writers: dict[str, EventFileWriter] = {}
        self._bins = _bins()
        self._writer(self.log_dir)

    def _writer(self, folder: str) -> EventFileWriter:
        if folder not in self._writers:
            self._writers[folder] = EventFileWriter(folder, **self._options)
        return self._writers[folder]

    def _add(self, value: Any, step: int | None, walltime: float | None, folder: str | None = None) -> None:
        event = Event(wall_time=walltime or time.time(), summary=Summary(value=[value]))
        if step is not None:
            event.step = int(step)
        self._writer(folder or self.log_dir).add_event(event)

    def get_logdir(self) -> str:
        """The folder."""
        return self.log_dir

    def add_scalar(
        self,
        tag: str,
        scalar_value: Any,
        global_step: int | None = None,
        walltime: float | None = None,
        new_style: bool = False,
        double_precision: bool = False,
    ) -> None:
        """A point of a curve."""
        value = Summary.Value(tag=tag, simple_value=float(_array(scalar_value).reshape(())))
        self._add(value, global_step, walltime)

    def add_scalars(
        self, main_tag: str, tag_scalar_dict: dict[str, Any], global_step: int | None = None, walltime: float | None = None
    ) -> None:
        """A point of each of several curves in one diagram; each curve has a folder of its own."""
        for tag, scalar in tag_scalar_dict.items():
            value = Summary.Value(tag=main_tag, simple_value=float(_array(scalar).reshape(())))
            folder = os.path.join(self.log_dir, f"{main_tag.replace('/', '_')}_{tag}")
            self._add(value, global_step, walltime, folder)

    def add_histogram(
        self,
        tag: str,
        values: Any,
        global_step: int | None = None,
        bins: Any = "tensorflow",
        walltime: float | None = None,
        max_bins: int | None = None,
    ) -> None:
        """How values are distributed.

        Raises:
            ValueError: there are none.
        """
        flat = _array(values).astype(np.float64).reshape(-1)
        if flat.size == 0:
            raise ValueError("The input has no element.")
        counts, limits = np.histogram(flat, bins=self._bins if isinstance(bins, str) and bins == "tensorflow" else bins)
        used = np.flatnonzero(counts)
        first, last = (used[0], used[-1] + 1) if len(used) else (0, len(counts))
        histogram = HistogramProto(
            min=flat.min(),
            max=flat.max(),
            num=len(flat),
            sum=flat.sum(),
            sum_squares=flat.dot(flat),
            bucket_limit=limits[first : last + 1].tolist(),
            bucket=[0.0, *counts[first:last].tolist()],
        )
        self._add(Summary.Value(tag=tag, histo=histogram), global_step, walltime)

    def add_image(
        self,
        tag: str,
        img_tensor: Any,
        global_step: int | None = None,
        walltime: float | None = None,
        dataformats: str = "CHW",
    ) -> None:
        """An image: bytes, or floats in [0, 1]; dataformats names its dims."""
        pixels = _pixels(img_tensor, dataformats)
        height, width, channels = pixels.shape
        image = Summary.Image(height=height, width=width, colorspace=channels, encoded_image_string=_png(pixels))
        self._add(Summary.Value(tag=tag, image=image), global_step, walltime)

    def add_images(
        self,
        tag: str,
        img_tensor: Any,
        global_step: int | None = None,
        walltime: float | None = None,
        dataformats: str = "NCHW",
    ) -> None:
        """Several images as one, side by side in rows of eight."""
        layout = dataformats.upper()
        images = np.moveaxis(_array(img_tensor), layout.index("N"), 0)
        pixels = [_pixels(image, layout.replace("N", "")) for image in images]
        rows = [pixels[i : i + 8] for i in range(0, len(pixels), 8)]
        blank = np.zeros_like(pixels[0])
        wide = [np.concatenate(row + [blank] * (len(rows[0]) - len(row)), axis=1) for row in rows]
        self.add_image(tag, np.concatenate(wide), global_step, walltime, "HWC")

    def add_figure(
        self, tag: str, figure: Any, global_step: int | None = None, close: bool = True, walltime: float | None = None
    ) -> None:
        """Matplotlib figures, one or several of equal size, as images."""
        figures: Iterable[Any] = figure if isinstance(figure, (list, tuple)) else [figure]
        drawn = []
        for fig in figures:
            from matplotlib.backends.backend_agg import FigureCanvasAgg

            canvas = FigureCanvasAgg(fig)
            canvas.draw()
            drawn.append(np.asarray(canvas.buffer_rgba())[..., :3].copy())
            if close:
                import matplotlib.pyplot

                matplotlib.pyplot.close(fig)
        self.add_images(tag, np.stack(drawn), global_step, walltime, "NHWC")

    def add_text(
        self, tag: str, text_string: str, global_step: int | None = None, walltime: float | None = None
    ) -> None:
        """Text, in Markdown."""
        metadata = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="text"))
        shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)])
        tensor = TensorProto(dtype="DT_STRING", string_val=[text_string.encode()], tensor_shape=shape)
        value = Summary.Value(tag=f"{tag}/text_summary", metadata=metadata, tensor=tensor)
        self._add(value, global_step, walltime)

    def flush(self) -> None:
        """Writes what waits."""
        for writer in self._writers.values():
            writer.flush()

    def close(self) -> None:
        """Writes what waits and closes the files."""
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _missing(name: str) -> Any:
    def add(self: SummaryWriter, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(f'SummaryWriter.{name} needs the tensorboardX package: pip install "rushlight[tensorboard]"')

    return add


for _name in ("audio", "video", "mesh", "embedding", "pr_curve", "pr_curve_raw", "hparams", "custom_scalars", "onnx_graph"):
    setattr(SummaryWriter, f"add_{_name}", _missing(f"add_{_name}"))
