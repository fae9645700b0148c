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
