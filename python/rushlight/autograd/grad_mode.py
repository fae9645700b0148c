"""The gradient modes: context managers and decorators. They are C types (csrc/python/modes.c); wrapping functions is here."""

import functools
import inspect
import sys
import warnings
from collections.abc import Callable
from typing import Any

from rushlight._C import enable_grad, inference_mode, no_grad, set_grad_enabled

__all__ = ["enable_grad", "inference_mode", "no_grad", "set_grad_enabled"]


def _context_decorator(mode: Any, function: Callable) -> Callable:
    """function, run inside the mode. Of a generator function, each step runs inside, what is between does not."""
    if inspect.isclass(function):
        warnings.warn(
            "Decorating classes is deprecated and will be disabled in future versions. You should only decorate "
            "functions or methods. To preserve the current behavior of class decoration, you can directly decorate the "
            "`__init__` method and nothing else.",
            FutureWarning,
            stacklevel=3,
        )
        cls = function

        def function(*args, **kwargs):
            return cls(*args, **kwargs)

    elif inspect.isgeneratorfunction(function):
        return _wrap_generator(mode, function)

    @functools.wraps(function)
    def inside(*args, **kwargs):
        with mode.clone():
            return function(*args, **kwargs)

    return inside


def _wrap_generator(mode: Any, function: Callable) -> Callable:
    @functools.wraps(function)
    def generator(*args, **kwargs):
        steps = function(*args, **kwargs)
        try:
            with mode.clone():
                value = steps.send(None)
            while True:
                try:
                    sent = yield value
                except GeneratorExit:
                    with mode.clone():
                        steps.close()
                    raise
                except BaseException:  # noqa: BLE001, thrown into the generator
                    with mode.clone():
                        value = steps.throw(*sys.exc_info())
                else:
                    with mode.clone():
                        value = steps.send(sent)
        except StopIteration as stop:
            return stop.value

    return generator
