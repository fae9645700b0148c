"""The extension module: tensors, operators, modules in C."""

from collections.abc import Sequence
from typing import Any, overload

Number = int | float | bool

class dtype: ...
class layout: ...
class memory_format: ...

class device:
    type: str
    index: int | None
    def __init__(self, type: str | int | device, index: int | None = None) -> None: ...

Device = device | str | int | None

class Size(tuple[int, ...]):
    def numel(self) -> int: ...

class Generator: ...

class Tensor:
    @property
    def shape(self) -> Size: ...
    # methods of the operator table
