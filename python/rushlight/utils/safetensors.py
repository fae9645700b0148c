"""Files of named tensors in the safetensors format, without the safetensors package.

The format: the length of a header as 8 bytes, little-endian; the header, JSON:
{"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, "__metadata__": {"key": "text"}};
then the tensors' bytes, little-endian, row-major.  The names here are those of safetensors.torch, which itself works
in programs that run under ``python -m rushlight`` or after ``install_as_torch()``.

Source: github.com/huggingface/safetensors, README, "Format".
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import rushlight
from rushlight._C import Tensor
from rushlight._files import map_file

__all__ = ["load", "load_file", "load_model", "save", "save_file", "save_model"]

_NAMES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U8": "uint8",
    "BOOL": "bool",
    "C64": "complex64",
}
_DTYPES = {name: getattr(rushlight, dtype) for name, dtype in _NAMES.items()}
_CODES = {dtype: name for name, dtype in _DTYPES.items()}
_MOST_HEADER = 100_000_000  # bytes; longer ones are refused, as the package does


def _check(tensors: dict[str, Tensor]) -> None:
    if not isinstance(tensors, dict):
        raise ValueError(  # noqa: TRY004  as safetensors
            f"Expected a dict of [str, torch.Tensor] but received {type(tensors)}"
        )
    owners: dict[int, list[str]] = {}
    for name, t in tensors.items():
        if not isinstance(t, Tensor):
            raise ValueError(  # noqa: TRY004  as safetensors
                f"Key `{name}` is invalid, expected torch.Tensor but received {type(t)}"
            )
        if t.dtype not in _CODES:
            raise ValueError(f"safetensors has no dtype for `{name}`, which is {t.dtype}")
        if t.numel():
            owners.setdefault(t.untyped_storage().data_ptr(), []).append(name)
    shared = [set(names) for names in owners.values() if len(names) > 1]
    if shared:
        raise RuntimeError(
            "Some tensors share memory, this will lead to duplicate memory on disk and potential differences when "
            f"loading them again: {shared}. A potential way to correctly save your model is to use `save_model`."
        )
    for name, t in tensors.items():
        if not t.is_contiguous():
            raise ValueError(
                f"You are trying to save a non contiguous tensor: `{name}` which is not allowed. Call `.contiguous()` on "
                "it before saving."
            )


def _parts(tensors: dict[str, Tensor], metadata: dict[str, str] | None) -> list[Any]:
    """Length, header, and the tensors' bytes: large elements first, so that all begin aligned."""
    _check(tensors)
    if sys.byteorder != "little":
        raise NotImplementedError("safetensors files are written on little-endian machines only")
    header: dict[str, Any] = {"__metadata__": metadata} if metadata else {}
    at, data = 0, []
    for name, t in sorted(tensors.items(), key=lambda item: (-item[1].element_size(), item[0])):
        size = t.numel() * t.element_size()
        header[name] = {
            "dtype": _CODES[t.dtype],
            "shape": list(t.shape),
            "data_offsets": [at, at + size],
        }
        if size:
            begin = t.storage_offset() * t.element_size()
            data.append(memoryview(t.untyped_storage())[begin : begin + size])
        at += size
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return [len(text).to_bytes(8, "little"), text, *data]


def save(tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> bytes:
    """A file's content.

    Args:
        tensors (dict): name -> contiguous tensor; no two share memory.
        metadata (dict): texts by name, kept in the header. Default: None

    Raises:
        ValueError: not such tensors, or complex128.
        RuntimeError: shared memory.
    """
    return b"".join(_parts(tensors, metadata))


def save_file(
    tensors: dict[str, Tensor],
    filename: str | os.PathLike,
    metadata: dict[str, str] | None = None,
) -> None:
    """Writes a file; arguments and errors as `save`'s."""
    parts = _parts(tensors, metadata)
    with open(filename, "wb") as file:
        file.writelines(parts)


def _tensors(data: memoryview) -> dict[str, Tensor]:
    """The tensors over data, which must be writable."""

    def bad(why: str) -> ValueError:
        return ValueError(f"not a safetensors file: {why}")

    if len(data) < 8:
        raise bad(f"{len(data)} bytes")
    n = int.from_bytes(data[:8], "little")
    if n > _MOST_HEADER or n > len(data) - 8:
        raise bad(f"a header of {n} bytes in a file of {len(data)}")
    try:
        header = json.loads(bytes(data[8 : 8 + n]))
        items = {k: v for k, v in header.items() if k != "__metadata__"}
        entries = [
            (name, v["dtype"], [int(d) for d in v["shape"]], *map(int, v["data_offsets"]))
            for name, v in items.items()
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as e:
        raise bad(f"its header is damaged ({type(e).__name__}: {e})") from None
    result = {}
    for name, code, shape, begin, end in entries:
        if code not in _DTYPES:
            raise ValueError(f"`{name}` has dtype {code}, which rushlight does not have")
        dtype = _DTYPES[code]
        count = 1
        for size in shape:
            count *= size
        if min([0, *shape]) < 0 or begin < 0 or end - begin != count * dtype.itemsize:
            raise bad(f"`{name}` of shape {shape} and dtype {code} lies in bytes {begin} to {end}")
        if end > len(data) - 8 - n:
            raise bad(f"`{name}` ends at {end}, behind the end of the file")
        if count == 0:
            result[name] = rushlight.empty(shape, dtype=dtype)
        else:
            whole, at = data, 8 + n + begin
            if at % dtype.itemsize:  # other writers may not align
                whole, at = bytearray(data[at : 8 + n + end]), 0
            flat = rushlight.frombuffer(whole, dtype=dtype, count=count, offset=at)
            result[name] = flat.reshape(shape)
    return result


def load(data: bytes) -> dict[str, Tensor]:
    """The tensors in a file's content.

    Raises:
        ValueError: no such content, or a dtype that is not here.
    """
    return _tensors(memoryview(bytearray(data)))


def load_file(filename: str | os.PathLike, device: Any = "cpu") -> dict[str, Tensor]:
    """The tensors in a file, which is mapped: read as they are used; writing to them leaves it alone.

    Raises:
        ValueError: no such file, or a dtype that is not here.
        AssertionError: another device than the CPU.
    """
    rushlight.empty(0, device=device)
    if os.path.getsize(filename) == 0:
        return _tensors(memoryview(bytearray()))
    return _tensors(map_file(filename, shared=False))


def save_model(
    model: Any,
    filename: str | os.PathLike,
    metadata: dict[str, str] | None = None,
    force_contiguous: bool = True,
) -> None:
    """Writes a module's state_dict; of tensors that are the same, the first by name, the others as metadata.

    Raises:
        RuntimeError: tensors that share memory without being the same.
    """
    kept: dict[str, Tensor] = {}
    names: dict[tuple, str] = {}
    metadata = dict(metadata or {})
    for name, t in sorted(model.state_dict().items()):
        key = (t.data_ptr(), t.dtype, tuple(t.shape), t.stride())
        if t.numel() and key in names:
            metadata[name] = names[key]
        else:
            names[key] = name
            kept[name] = t.contiguous() if force_contiguous else t
    save_file(kept, filename, metadata)


def load_model(
    model: Any, filename: str | os.PathLike, strict: bool = True, device: Any = "cpu"
) -> tuple[set[str], list[str]]:
    """Loads what `save_model` has written into a module.

    Returns:
        (missing names, unexpected names)
    Raises:
        RuntimeError: there are such, and strict.
    """
    tensors = load_file(filename, device)
    own = model.state_dict()
    groups: dict[tuple, list[str]] = {}
    for name, t in own.items():
        if t.numel():
            groups.setdefault((t.data_ptr(), t.dtype, tuple(t.shape)), []).append(name)
    missing, unexpected = model.load_state_dict(tensors, strict=False)
    there = {name for group in groups.values() if set(group) & set(tensors) for name in group}
    missing_names = set(missing) - there
    if strict and (missing_names or unexpected):
        lines = [f"Error(s) in loading state_dict for {type(model).__name__}:"]
        for what, found in (("Missing", sorted(missing_names)), ("Unexpected", unexpected)):
            if found:
                lines.append(f"    {what} key(s) in state_dict: " + ", ".join(f'"{k}"' for k in found))
        raise RuntimeError("\n".join(lines))
    return missing_names, unexpected
