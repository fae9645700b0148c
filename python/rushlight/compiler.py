"""torch.compiler: nothing is compiled here, and what steers compilation changes nothing."""

from collections.abc import Callable
from typing import Any

from rushlight._settings import compile

__all__ = ["allow_in_graph", "compile", "cudagraph_mark_step_begin", "disable", "is_compiling", "is_dynamo_compiling",
           "is_exporting", "list_backends", "reset"]  # fmt: skip


def disable(fn: Callable | None = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """fn itself; a decorator with or without arguments."""
    return (lambda f: f) if fn is None else fn


def allow_in_graph(fn: Any) -> Any:
    """fn itself."""
    return fn


def is_compiling() -> bool:
    """False."""
    return False


is_dynamo_compiling = is_exporting = is_compiling


def list_backends(exclude_tags: tuple[str, ...] = ()) -> list[str]:
    """No names: there are none."""
    return []


def reset() -> None:
    """Changes nothing."""


cudagraph_mark_step_begin = reset
