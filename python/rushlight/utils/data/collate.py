"""How a list of examples becomes a batch of tensors."""

import copy
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import rushlight
from rushlight import Tensor

_ERROR = (
    "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {}"
)


def _from_numpy(value: object) -> bool:
    """Whether value is a NumPy array or scalar, without importing NumPy."""
    return type(value).__module__ == "numpy" and hasattr(value, "dtype")


def _same_container(original: Any, values: Any) -> Any:
    """values in a container of original's type where that type can be filled, else as they are."""
    kind = type(original)
    try:
        if isinstance(original, (MutableMapping, MutableSequence)):
            new = copy.copy(original)  # keeps what else a subclass holds
            if isinstance(original, MutableMapping):
                new.update(values)
            else:
                new[:] = values
            return new
        return kind(values)
    except TypeError:
        return values


def default_convert(data: Any) -> Any:
    """NumPy arrays and scalars become tensors, in containers too; all else stays as it is."""
    if isinstance(data, Tensor):
        return data
    if _from_numpy(data):
        return data if data.dtype.kind in "SUO" else rushlight.as_tensor(data)
    if isinstance(data, Mapping):
        return _same_container(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(default_convert(value) for value in data))
    if isinstance(data, tuple):
        return [default_convert(value) for value in data]
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _same_container(data, [default_convert(value) for value in data])
    return data


def default_collate(batch: Sequence) -> Any:
    """Stacks examples along a new first dimension; looks into dicts, tuples and lists.

    ===============================  ===========================================
    examples                         batch
    ===============================  ===========================================
    tensors, NumPy arrays, scalars   one tensor, stacked
    float; int and bool              tensor: float64; int64 or bool
    str, bytes                       list
    dicts                            dict of batches
    named tuples                     named tuple of batches
    tuples, lists                    list of batches
    ===============================  ===========================================

    Raises:
        RuntimeError: tensors or lists of unequal size.
        TypeError: anything else in the examples.
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return rushlight.stack(list(batch), 0)
    if _from_numpy(first):
        if first.dtype.kind in "SUO":
            raise TypeError(_ERROR.format(first.dtype))
        return rushlight.stack([rushlight.as_tensor(value) for value in batch], 0)
    if isinstance(first, float):
        return rushlight.tensor(batch, dtype=rushlight.float64)
    if isinstance(first, int):
        return rushlight.tensor(batch)
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        return _same_container(
            first, {key: default_collate([example[key] for example in batch]) for key in first}
        )
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        columns = zip(*batch, strict=True)
        return type(first)(*(default_collate(column) for column in columns))
    if isinstance(first, Sequence):
        if any(len(example) != len(first) for example in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        columns = [default_collate(column) for column in zip(*batch, strict=True)]
        return columns if isinstance(first, tuple) else _same_container(first, columns)
    raise TypeError(_ERROR.format(type(first)))


CollateFunction = Callable[[list], Any]
