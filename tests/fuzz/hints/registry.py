"""What the types of a signature do not tell, by row: a hint draws the arguments that depend on each other."""

from __future__ import annotations

from collections.abc import Callable

from ..draw import Draw
from ..table import ROWS

Hint = Callable[[Draw, dict], None]
HINTS: dict[str, Hint] = {}


def hint(*names: str) -> Callable[[Hint], Hint]:
    def register(function: Hint) -> Hint:
        for name in names:
            assert name in ROWS, name
            HINTS[name] = function
        return function

    return register
