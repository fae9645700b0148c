"""Files: `save` and `load` read and write PyTorch's zip format, in both directions.

The format, as PyTorch 1.6 and later write it: an uncompressed zip archive whose records lie in one folder.

    data.pkl          the object, pickled (protocol 2); each storage is a persistent id
                      ("storage", torch.FloatStorage, key, location, number of elements)
    data/KEY          the bytes of a storage, begun at a multiple of 64
    byteorder         "little" or "big"
    version           "3"

Loading is by an allow-list unless weights_only=False: a file can name nothing but the functions and classes below and
those that `add_safe_globals` adds.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import io
import os
import pickle
import struct
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import rushlight as torch
from rushlight._C import Tensor
from rushlight._file_names import STORAGE_NAMES, UNSUPPORTED, StorageType, safe_builtin_globals
from rushlight._file_options import (
    LoadEndianness,
    get_crc32_options,
    get_default_load_endianness,
    get_default_mmap_options,
    set_crc32_options,
    set_default_load_endianness,
    set_default_mmap_options,
)
from rushlight._files import (
    map_file,
    storage_from_file as _storage_from_file,  # noqa: F401  for python/storage.c
)
from rushlight._torch_names import our_name, torch_name

__all__ = [
    "LoadEndianness",
    "add_safe_globals",
    "clear_safe_globals",
    "get_crc32_options",
    "get_default_load_endianness",
    "get_default_mmap_options",
    "get_safe_globals",
    "get_unsafe_globals_in_checkpoint",
    "load",
    "safe_globals",
    "save",
    "set_crc32_options",
    "set_default_load_endianness",
    "set_default_mmap_options",
]

DEFAULT_PROTOCOL = 2
ALIGNMENT = 64
VERSION = b"3\n"
LEGACY_MAGIC = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # 0x1950a86a20f9469cfc6c, pickled: files before PyTorch 1.6

# ---- what a file may name: rushlight/_file_names.py, and what users add ---------------------------------

_user_safe_globals: list[Any] = []


def add_safe_globals(safe_globals: list[Any]) -> None:
    """Lets files loaded with weights_only=True name these functions and classes too.

    Args:
        safe_globals: callables, or pairs (callable, "full.name" that the file uses).
    """
    _user_safe_globals.extend(safe_globals)


def get_safe_globals() -> list[Any]:
    """What `add_safe_globals` has added."""
    return list(_user_safe_globals)


def clear_safe_globals() -> None:
    """Forgets what `add_safe_globals` has added."""
    _user_safe_globals.clear()


@contextlib.contextmanager
def safe_globals(added: list[Any]) -> Iterator[None]:
    """`add_safe_globals` within a with block."""
    before = get_safe_globals()
    add_safe_globals(added)
    try:
        yield
    finally:
        _user_safe_globals[:] = before


def _user_safe_names() -> dict[str, Any]:
    """What `add_safe_globals` has added, by full names."""
    names = {}
    for added in _user_safe_globals:
        if isinstance(added, tuple):
            names[added[1]] = added[0]
        else:
            for module in (added.__module__, torch_name(added.__module__, added.__qualname__)):
                names[f"{module}.{added.__qualname__}"] = added
    return names


def get_unsafe_globals_in_checkpoint(f: str | os.PathLike | BinaryIO) -> list[str]:
    """Full names in a file that weights_only=True would refuse; nothing is loaded.

    Raises:
        ValueError: not a file of torch.save.
    """
    import pickletools

    safe, allowed = safe_builtin_globals(), _user_safe_names()
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(builtins.open(f, "rb")) if isinstance(f, (str, os.PathLike)) else f
        try:
            archive = stack.enter_context(zipfile.ZipFile(file))
        except zipfile.BadZipFile:
            raise ValueError("Expected input to be a checkpoint returned by torch.save") from None
        data = _read(archive, _folder(archive) + "data.pkl")
    found, strings = [], []
    for opcode, argument, _ in pickletools.genops(data):
        if isinstance(argument, str):
            strings.append(argument)
        if opcode.name == "GLOBAL":
            found.append(tuple(argument.split(" ", 1)))
        elif opcode.name == "STACK_GLOBAL":
            found.append(tuple(strings[-2:]))
    found = [pair for pair in dict.fromkeys(found) if pair not in safe]
    return [full for full in map(".".join, found) if full not in allowed]


# ---- save ------------------------------------------------------------------------------------------


class _Named:
    """A function or class that the file names without our having it under that name."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name

    def __call__(self) -> None:
        raise TypeError("stands for a name in a file")


_TENSOR = _Named("torch._utils", "_rebuild_tensor_v2")
_PARAMETER = _Named("torch._utils", "_rebuild_parameter")
_PARAMETER_STATE = _Named("torch._utils", "_rebuild_parameter_with_state")
_LAYOUT = _Named("torch.serialization", "_get_layout")
_SUBCLASS = _Named("torch._tensor", "_rebuild_from_type_v2")


class _Storage:
    """A storage to be written: a persistent id of the pickle."""

    def __init__(self, tensor: Tensor) -> None:
        self.storage = tensor.untyped_storage()
        self.dtype = str(tensor.dtype).removeprefix("torch.")
        self.numel = self.storage.nbytes() // tensor.element_size()


class _Pickler(pickle._Pickler):  # the Python one: it can be told how a global is written
    dispatch = dict(pickle._Pickler.dispatch)

    def __init__(self, file: BinaryIO, protocol: int) -> None:
        super().__init__(file, protocol)
        self.storages: dict[int, tuple[str, _Storage]] = {}  # address -> (key, storage)

    def persistent_id(self, obj: Any) -> Any:
        if not isinstance(obj, _Storage):
            return None
        # An empty storage has no address of its own.
        address = obj.storage.data_ptr() if obj.storage.nbytes() else -1 - len(self.storages)
        key, first = self.storages.setdefault(address, (str(len(self.storages)), obj))
        if first.dtype != obj.dtype:
            raise RuntimeError(
                "Cannot save multiple tensors or storages that view the same data as different types"
            )
        kind = _Named("torch", STORAGE_NAMES[obj.dtype])
        return ("storage", kind, key, "cpu", first.numel)

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if isinstance(obj, Tensor) and id(obj) not in self.memo:
            self.save_reduce(*_reduce_tensor(obj), obj=obj)
        elif isinstance(obj, torch.layout):
            self.save_reduce(_LAYOUT, (str(obj),), obj=obj)
        elif isinstance(obj, torch.dtype):
            self._write_global("torch", str(obj).removeprefix("torch."))
        else:
            super().save(obj, save_persistent_id)

    def _write_global(self, module: str, name: str) -> None:
        self.write(pickle.GLOBAL + f"{module}\n{name}\n".encode())

    def save_named(self, obj: _Named) -> None:
        self._write_global(obj.module, obj.name)

    dispatch[_Named] = save_named

    def save_global(self, obj: Any, name: str | None = None) -> None:
        module = pickle.whichmodule(obj, name or getattr(obj, "__qualname__", obj.__name__))
        if module.split(".")[0] in ("rushlight", "torch"):  # torch: install_as_torch()
            name = name or obj.__qualname__
            self._write_global(torch_name(module, name), name)
            self.memoize(obj)
        else:
            super().save_global(obj, name)

    def save_type(self, obj: type) -> None:
        if obj in (type(None), type(NotImplemented), type(...)):
            super().save_type(obj)
        else:
            self.save_global(obj)

    dispatch[type] = save_type


def _reduce_tensor(tensor: Tensor) -> tuple:
    """(callable, arguments) that make the tensor again."""
    from rushlight.nn import Parameter

    state = dict(vars(tensor))
    base = (
        _Storage(tensor),
        tensor.storage_offset(),
        tuple(tensor.shape),
        tensor.stride(),
        tensor.requires_grad,
        OrderedDict(),
    )
    if type(tensor) is Tensor and not state:
        return _TENSOR, base
    if isinstance(tensor, Parameter) and type(tensor) is Parameter:
        data = tensor.detach()
        if state:
            return _PARAMETER_STATE, (data, tensor.requires_grad, OrderedDict(), state)
        return _PARAMETER, (data, tensor.requires_grad, OrderedDict())
    return _SUBCLASS, (_TENSOR, type(tensor), base, state)


class _ZipWriter:
    """Records of one folder, uncompressed, their bytes begun at multiples of 64."""

    def __init__(self, file: Any, folder: str) -> None:
        self.zip = zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True)
        self.folder = folder

    def add(self, name: str, data: Any) -> None:
        info = zipfile.ZipInfo(f"{self.folder}/{name}", (1980, 1, 1, 0, 0, 0))
        size = memoryview(data).nbytes
        large = size >= 0x7FFFFFFF  # zipfile adds a field of 20 bytes then
        header = self.zip.fp.tell() + 30 + len(info.filename.encode()) + (20 if large else 0)
        padding = -(header + 4) % ALIGNMENT
        info.extra = struct.pack("<2sH", b"FB", padding) + b"Z" * padding
        with self.zip.open(info, "w", force_zip64=large) as record:
            record.write(data)


def save(
    obj: Any,
    f: str | os.PathLike | BinaryIO,
    pickle_module: Any = pickle,
    pickle_protocol: int = DEFAULT_PROTOCOL,
    _use_new_zipfile_serialization: bool = True,
    _disable_byteorder_record: bool = False,
) -> None:
    """Writes an object with all its tensors to a file that PyTorch reads.

    Tensors that share memory share it again after loading.

    Args:
        obj: tensors, containers, state_dicts, modules, or whatever pickles.
        f: path or binary file object with write.
        pickle_module, pickle_protocol: accepted; the protocol is the pickle's.

    Raises:
        RuntimeError: two tensors view the same memory as different dtypes; the folder does not exist.
        NotImplementedError: the format of before PyTorch 1.6 is asked for.
    """
    if not _use_new_zipfile_serialization:
        raise NotImplementedError("rushlight writes PyTorch's zip format only, not the one before 1.6")
    if not isinstance(f, (str, os.PathLike)) and not hasattr(f, "write"):
        raise AttributeError(
            f"expected 'f' to be string, path, or a file-like object with a 'write' attribute, got {type(f)}"
        )
    buffer = io.BytesIO()
    pickler = _Pickler(buffer, pickle_protocol)
    pickler.dump(obj)
    if isinstance(f, (str, os.PathLike)):
        path = os.fspath(f)
        parent = os.path.dirname(path)
        if parent and not os.path.isdir(parent):
            raise RuntimeError(f"Parent directory {parent} does not exist.")
        folder = os.path.splitext(os.path.basename(path))[0] or "archive"
    else:
        folder = "archive"
    writer = _ZipWriter(f, folder)
    with writer.zip:
        writer.add("data.pkl", buffer.getvalue())
        writer.add("byteorder", sys.byteorder.encode())
        for key, storage in pickler.storages.values():
            writer.add(f"data/{key}", memoryview(storage.storage) if storage.storage.nbytes() else b"")
        writer.add("version", VERSION)
        writer.add(".data/serialization_id", b"0" * 40)


# ---- load ------------------------------------------------------------------------------------------


class _Unpickler(pickle.Unpickler):
    """Finds PyTorch's names here; with weights_only nothing but what is allowed."""

    def __init__(self, file: BinaryIO, storage: Callable, weights_only: bool, **options: Any) -> None:
        super().__init__(file, **options)
        self.storage = storage
        self.weights_only = weights_only
        self.safe = safe_builtin_globals()
        self.allowed = _user_safe_names()

    def persistent_load(self, saved_id: Any) -> Tensor:
        if not isinstance(saved_id, tuple) or len(saved_id) != 5 or saved_id[0] != "storage":
            raise pickle.UnpicklingError(f"unknown persistent id {saved_id!r} in the file")
        _, kind, key, location, numel = saved_id
        if not isinstance(kind, StorageType):
            raise pickle.UnpicklingError(f"a storage of unknown type in the file: {kind!r}")
        return self.storage(kind.dtype, key, location, numel)

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in self.safe:
            return self.safe[module, name]
        if f"{module}.{name}" in self.allowed:
            return self.allowed[f"{module}.{name}"]
        if (module, name) in UNSUPPORTED or (module == "torch" and name.endswith("Storage")):
            kind = UNSUPPORTED.get((module, name), f"a {name}")
            raise pickle.UnpicklingError(f"the file holds {kind} that rushlight does not have ({name})")
        if self.weights_only:
            raise pickle.UnpicklingError(
                "Weights only load failed. This file can still be loaded, to do so you have two options: re-running "
                "`load` with `weights_only=False` will likely succeed, but it can result in arbitrary code execution; "
                "do it only if you got the file from a trusted source. Alternatively, allow what it names: "
                f"WeightsUnpickler error: Unsupported global: GLOBAL {module}.{name} was not an allowed global by "
                f"default. Please use `add_safe_globals([{name}])` or the `safe_globals([{name}])` context manager."
            )
        if "." not in name:
            return super().find_class(our_name(module), name)
        found = importlib.import_module(our_name(module))
        for part in name.split("."):  # of protocol 4, which a plain Unpickler minds
            found = getattr(found, part)
        return found


def _check_location(location: str, map_location: Any) -> None:
    """Everything here lives on the CPU; says so as PyTorch does where it has no other device either."""
    if map_location is None:
        target = location
    elif isinstance(map_location, dict):
        target = map_location.get(location, location)
    elif callable(map_location):
        return  # called with a storage on the CPU; whatever it answers stays there
    else:
        target = str(map_location)
    kind = str(target).split(":")[0]
    if kind not in ("cpu", "cuda", "mps", "xpu", "hpu", "mtia", "xla", "meta"):
        raise RuntimeError(
            f"don't know how to restore data location of torch.storage.UntypedStorage (tagged with {target})"
        )
    if kind != "cpu":
        raise RuntimeError(
            f"Attempting to deserialize object on a {kind.upper()} device but torch.{kind}.is_available() is False. "
            "If you are running on a CPU-only machine, please use torch.load with map_location=torch.device('cpu') to "
            "map your storages to the CPU."
        )


def load(
    f: str | os.PathLike | BinaryIO,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Reads what `save`, here or in PyTorch, has written.

    Args:
        f: path or binary file object with read, readline, tell and seek.
        map_location: device, string, dictionary or function; all there is, is the CPU.
        weights_only: allow nothing but tensors, containers and what `add_safe_globals` names. Default: True
        mmap: map the file instead of reading it; f must be a path.

    Raises:
        pickle.UnpicklingError: the file names what is not allowed, or is no such file.
        RuntimeError: a storage belongs to another device; the file is in the format of before PyTorch 1.6.
    """
    weights_only = weights_only is None or bool(weights_only)
    if weights_only and pickle_module is not None:
        raise RuntimeError(
            "Can not safely load weights when explicit pickle_module is specified"
        )
    if mmap and not isinstance(f, (str, os.PathLike)):
        raise ValueError("f must be a file path in order to use the mmap argument")
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(builtins.open(f, "rb")) if isinstance(f, (str, os.PathLike)) else f
        _check_zip(file)
        try:
            archive = stack.enter_context(zipfile.ZipFile(file))
        except zipfile.BadZipFile as e:
            raise RuntimeError(
                f"PytorchStreamReader failed reading zip archive: {e}. The file is damaged: not saved to its end, or "
                "changed since."
            ) from None
        folder = _folder(archive)
        swapped = _byte_order(archive, folder) != sys.byteorder
        if swapped and mmap:
            raise ValueError("a file of the other byte order cannot be mapped; load it with mmap=False")
        mapped = map_file(f, get_default_mmap_options() == _MAP_SHARED) if mmap else None
        loaded: dict[str, Tensor] = {}

        def storage(dtype: Any, key: str, location: str, numel: int) -> Tensor:
            if key not in loaded:
                _check_location(location, map_location)
                loaded[key] = _storage_tensor(archive, f"{folder}data/{key}", dtype, numel, mapped, swapped)
            return loaded[key]

        pickled = io.BytesIO(_read(archive, folder + "data.pkl"))
        result = _Unpickler(pickled, storage, weights_only, **pickle_load_args).load()
    return result


_MAP_SHARED = 1  # mmap.MAP_SHARED, without importing mmap


def _folder(archive: zipfile.ZipFile) -> str:
    """The folder that holds the records."""
    for name in archive.namelist():
        if name.endswith("/data.pkl"):
            return name[: -len("data.pkl")]
    raise RuntimeError("the archive holds no data.pkl: not a file of torch.save (TorchScript is not supported)")


def _byte_order(archive: zipfile.ZipFile, folder: str) -> str:
    """That of the storages: "little" or "big"."""
    if folder + "byteorder" in archive.namelist():
        return _read(archive, folder + "byteorder").decode()
    default = get_default_load_endianness()
    return sys.byteorder if default in (None, LoadEndianness.NATIVE) else default.name.lower()


def _check_zip(file: BinaryIO) -> None:
    """Raises unless the file is a zip archive; leaves it at its start."""
    for method in ("seek", "tell", "read", "readline"):
        if not hasattr(file, method):
            raise AttributeError(
                f"{type(file).__name__!r} object has no attribute {method!r}. You can only torch.load from a file that is "
                "seekable. Please pre-load the data into a buffer like io.BytesIO and try to load from it instead."
            )
    start = file.tell()
    head = file.read(32)
    file.seek(start)
    if not isinstance(head, bytes):
        raise TypeError(f"load: a binary file is needed, read() gave {type(head).__name__}")
    if head[:4] == b"PK\x03\x04":
        return
    if LEGACY_MAGIC in head:
        raise RuntimeError(
            "the file is in the format of before PyTorch 1.6, which rushlight does not read. Load it in PyTorch and save "
            "it again."
        )
    if not head:
        raise EOFError("Ran out of input")
    raise pickle.UnpicklingError("the file is not a zip archive of torch.save")


def _data_start(info: zipfile.ZipInfo, head: bytes | memoryview) -> int:
    """Where a record's bytes begin, by the 30 bytes of its header in the file."""
    name_length, extra_length = struct.unpack("<HH", head[26:30])
    return info.header_offset + 30 + name_length + extra_length


def _read(archive: zipfile.ZipFile, name: str) -> bytearray:
    """A record; its check sum does not count: PyTorch can leave it out, and mapped files may have been written to."""
    info = archive.getinfo(name)
    if info.compress_type != zipfile.ZIP_STORED:
        return bytearray(archive.read(info))
    file = archive.fp
    file.seek(info.header_offset)
    file.seek(_data_start(info, file.read(30)))
    data = bytearray(info.file_size)
    view, at = memoryview(data), 0
    while at < len(data):
        chunk = file.readinto(view[at:]) if hasattr(file, "readinto") else None
        if chunk is None:
            piece = file.read(len(data) - at)
            chunk = len(piece)
            view[at : at + chunk] = piece
        if chunk == 0:
            raise RuntimeError(f"record {name} ends before its {len(data)} bytes")
        at += chunk
    return data


def _storage_tensor(
    archive: zipfile.ZipFile,
    name: str,
    dtype: Any,
    numel: int,
    mapped: memoryview | None,
    swapped: bool,
) -> Tensor:
    """The storage as a one-dimensional tensor."""
    info = archive.getinfo(name)
    itemsize = torch.empty(0, dtype=dtype).element_size()
    if info.file_size < numel * itemsize or info.compress_type != zipfile.ZIP_STORED:
        raise RuntimeError(f"record {name} has {info.file_size} bytes, not the {numel * itemsize} of its storage")
    if numel == 0:
        return torch.empty(0, dtype=dtype)
    if mapped is None:
        data = _read(archive, name)
        if swapped:
            width = itemsize // 2 if dtype.is_complex else itemsize
            given = bytes(data)
            for i in range(width):
                data[i::width] = given[width - 1 - i :: width]
        return torch.frombuffer(data, dtype=dtype, count=numel)
    start = _data_start(info, mapped[info.header_offset : info.header_offset + 30])
    return torch.frombuffer(mapped, dtype=dtype, count=numel, offset=start)


def default_restore_location(storage: Any, location: str) -> Any:
    """The storage itself: everything is on the CPU.

    Raises:
        RuntimeError: another device is asked for.
    """
    if location != "cpu":
        raise RuntimeError(
            f"don't know how to restore data location of torch.storage.UntypedStorage (tagged with {location})"
        )
    return storage
