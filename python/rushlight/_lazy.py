"""Names that a package hands on from its files, each file imported when one of its names is first mentioned.

Most programs use a tenth of what torch.nn has; the other files cost them nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


def attach(
    package: str,
    namespace: dict[str, Any],
    files: dict[str, tuple[str, ...]],
    wrap: Callable[[Any], Any] = lambda value: value,
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """__getattr__ and __dir__ (PEP 562) for a package.

    Args:
        package: its full name.
        namespace: its globals(), which keep what has been imported.
        files: the names that each of its modules provides; a module is reachable by its own name too,
            which therefore must not be one of those names: importing it would hide the other.
        wrap: what to make of each value that a file hands out.
    """
    home = {name: file for file, names in files.items() for name in names}
    assert not home.keys() & files.keys(), f"{package}: {home.keys() & files.keys()}"

    def __getattr__(name: str) -> Any:
        if name in home:
            value = wrap(getattr(import_module(f"{package}.{home[name]}"), name))
            namespace[name] = value
            return value
        if name in files:
            return import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name)

    def __dir__() -> list[str]:
        return sorted({*namespace, *home, *files})

    return __getattr__, __dir__
