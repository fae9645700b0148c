"""Arguments of layers over several dimensions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__: list[str] = []


def tuple_of(n: int, value: Any) -> tuple:
    """n times the value; the value's own elements if it has some."""
    return tuple(value) if isinstance(value, Iterable) else (value,) * n


def reverse_repeat(values: tuple, times: int) -> list:
    """Each of the values several times, the last one first: the order of F.pad."""
    return [v for v in reversed(values) for _ in range(times)]


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
