"""Arguments of layers over several dimensions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["consume_prefix_in_state_dict_if_present"]


def tuple_of(n: int, value: Any) -> tuple:
    """n times the value; the value's own elements if it has some."""
    return tuple(value) if isinstance(value, Iterable) else (value,) * n


def reverse_repeat(values: tuple, times: int) -> list:
    """Each of the values several times, the last one first: the order of F.pad."""
    return [v for v in reversed(values) for _ in range(times)]


def _ntuple(n: int, name: str = "parse") -> Callable:
    def parse(x: Any) -> tuple:
        return tuple_of(n, x)

    parse.__name__ = name
    return parse


# PyTorch's names, which layers outside of it use too.
_single, _pair, _triple = _ntuple(1, "_single"), _ntuple(2, "_pair"), _ntuple(3, "_triple")
_quadruple = _ntuple(4, "_quadruple")


def consume_prefix_in_state_dict_if_present(state_dict: dict[str, Any], prefix: str) -> None:
    """Takes a prefix such as "module." off a state_dict's keys, in place."""
    for key in list(state_dict):
        if key.startswith(prefix):
            state_dict[key[len(prefix) :]] = state_dict.pop(key)
    metadata = getattr(state_dict, "_metadata", {})
    for key in list(metadata):
        if key and (key == prefix.replace(".", "") or key.startswith(prefix)):
            metadata[key[len(prefix) :]] = metadata.pop(key)


_SIZES = {1: "L", 2: "H, W", 3: "D, H, W"}


class PerDimension:
    """Base of layers that exist for one, two and three spatial dimensions.

    A class that sets _dims and has no docstring gets that of its base, with {n} as the number and
    {sizes} as the names of the dimensions.
    """

    _dims: int

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        text = cls.__mro__[1].__doc__
        if "_dims" in vars(cls) and cls.__doc__ is None and text is not None:
            n = cls._dims
            cls.__doc__ = text.replace("{n}", str(n)).replace("{sizes}", _SIZES[n])
