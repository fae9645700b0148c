"""torch._dynamo: programs that steer compilation run as they are; nothing is compiled here."""

from collections.abc import Callable
from typing import Any

from rushlight._settings import _Options
from rushlight.compiler import allow_in_graph, disable, is_compiling, list_backends, reset

__all__ = ["allow_in_graph", "config", "disable", "is_compiling", "list_backends", "mark_dynamic", "mark_static",
           "optimize", "reset"]  # fmt: skip

config = _Options()


def optimize(*args: Any, **options: Any) -> Callable:
    """A decorator that changes nothing."""
    return lambda function: function


def mark_dynamic(*args: Any, **options: Any) -> None:
    """Changes nothing."""


maybe_mark_dynamic = mark_static = mark_static_address = mark_dynamic
graph_break = mark_dynamic
