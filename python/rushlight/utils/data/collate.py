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


def collate_tensor_fn(batch: Sequence, *, collate_fn_map: Any = None) -> Tensor:
    """One tensor, stacked."""
    return rushlight.stack(list(batch), 0)


def collate_numpy_fn(batch: Sequence, *, collate_fn_map: Any = None) -> Tensor:
    """One tensor of NumPy arrays or scalars, stacked."""
    if batch[0].dtype.kind in "SUO":
        raise TypeError(_ERROR.format(batch[0].dtype))
    return rushlight.stack([rushlight.as_tensor(value) for value in batch], 0)


def collate_float_fn(batch: Sequence, *, collate_fn_map: Any = None) -> Tensor:
    """A float64 tensor."""
    return rushlight.tensor(batch, dtype=rushlight.float64)


def collate_int_fn(batch: Sequence, *, collate_fn_map: Any = None) -> Tensor:
    """A tensor of ints, or of bools."""
    return rushlight.tensor(batch)


def collate_str_fn(batch: Sequence, *, collate_fn_map: Any = None) -> Sequence:
    """The batch as it is."""
    return batch


class _NumPyKind(type):
    def __instancecheck__(cls, value: object) -> bool:
        return _from_numpy(value)


class _NumPy(metaclass=_NumPyKind):
    """isinstance(x, _NumPy): an array or scalar of NumPy's, which need not be imported for that."""


# Type, or tuple of types, of the examples -> function(batch, *, collate_fn_map); more may be added.
default_collate_fn_map: dict[Any, Callable] = {
    Tensor: collate_tensor_fn,
    _NumPy: collate_numpy_fn,
    float: collate_float_fn,
    int: collate_int_fn,
    str: collate_str_fn,
    bytes: collate_str_fn,
}


def collate(batch: Sequence, *, collate_fn_map: dict[Any, Callable] | None = None) -> Any:
    """As default_collate, with functions for types of one's own.

    Args:
        batch: the examples.
        collate_fn_map (dict): type -> function(batch, *, collate_fn_map). Containers are looked into
            where it has no function for them.

    Raises:
        RuntimeError: tensors or lists of unequal size.
        TypeError: examples that nothing is known about.
    """
    first = batch[0]
    if collate_fn_map is not None:
        found = collate_fn_map.get(type(first))
        if found is None:
            matches = (f for kind, f in collate_fn_map.items() if isinstance(first, kind))
            found = next(matches, None)
        if found is not None:
            return found(batch, collate_fn_map=collate_fn_map)

    def inner(examples: Sequence) -> Any:
        return collate(examples, collate_fn_map=collate_fn_map)

    if isinstance(first, Mapping):
        columns = {key: inner([example[key] for example in batch]) for key in first}
        return _same_container(first, columns)
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*(inner(column) for column in zip(*batch, strict=True)))
    if isinstance(first, Sequence):
        if any(len(example) != len(first) for example in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        columns = [inner(column) for column in zip(*batch, strict=True)]
        return columns if isinstance(first, tuple) else _same_container(first, columns)
    raise TypeError(_ERROR.format(type(first)))


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
        TypeError: anything else in the examples, unless default_collate_fn_map knows it.
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)


CollateFunction = Callable[[list], Any]
