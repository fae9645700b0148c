"""torch.jit as PyTorch has it with PYTORCH_JIT=0: there is no compiler, what is scripted or traced runs as it is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any, Final

from rushlight.nn.modules.module import Module

__all__ = [
    "Final",
    "ScriptModule",
    "annotate",
    "export",
    "fork",
    "freeze",
    "ignore",
    "interface",
    "is_scripting",
    "is_tracing",
    "isinstance",
    "load",
    "optimize_for_inference",
    "optimized_execution",
    "save",
    "script",
    "script_if_tracing",
    "script_method",
    "trace",
    "trace_module",
    "unused",
    "wait",
]


class ScriptModule(Module):
    """A module; what PyTorch's compiler makes are instances, too, so nothing else is one here."""


RecursiveScriptModule = ScriptModule


def script(obj: Any, *args: Any, **kwargs: Any) -> Any:
    """obj itself: a function, class or module."""
    return obj


def trace(func: Any, *args: Any, **kwargs: Any) -> Any:
    """func itself."""
    return func


def trace_module(mod: Any, *args: Any, **kwargs: Any) -> Any:
    """mod itself."""
    return mod


def freeze(mod: Any, *args: Any, **kwargs: Any) -> Any:
    """mod itself."""
    return mod


def optimize_for_inference(mod: Any, *args: Any, **kwargs: Any) -> Any:
    """mod itself."""
    return mod


def script_if_tracing(fn: Callable) -> Callable:
    """fn itself."""
    return fn


def script_method(fn: Callable) -> Callable:
    """fn itself."""
    return fn


def export(fn: Callable) -> Callable:
    """fn itself."""
    return fn


def unused(fn: Callable) -> Callable:
    """fn itself."""
    return fn


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """Decorator, with or without arguments, that changes nothing."""
    return drop if callable(drop) else lambda fn: fn


def interface(obj: Any) -> Any:
    """obj itself."""
    return obj


def annotate(the_type: Any, the_value: Any) -> Any:
    """the_value."""
    return the_value


def is_scripting() -> bool:
    """False."""
    return False


def is_tracing() -> bool:
    """False."""
    return False


def fork(func: Callable, *args: Any, **kwargs: Any) -> Any:
    """Runs func at once; wait() hands its result on."""
    return func(*args, **kwargs)


def wait(future: Any) -> Any:
    """What fork() gave."""
    return future


@contextmanager
def optimized_execution(should_optimize: bool) -> Any:
    """Changes nothing."""
    yield


def save(m: Any, f: Any, *args: Any, **kwargs: Any) -> None:
    """Raises NotImplementedError: TorchScript files hold compiled code."""
    raise NotImplementedError(
        "torch.jit.save: TorchScript files are not supported; torch.save(module.state_dict()) keeps the weights"
    )


def load(f: Any, *args: Any, **kwargs: Any) -> Any:
    """Raises NotImplementedError: TorchScript files hold compiled code."""
    raise NotImplementedError(
        "torch.jit.load: TorchScript files are not supported; torch.save(module.state_dict()) keeps the weights"
    )


def isinstance(obj: Any, target_type: Any) -> bool:  # noqa: A001
    """Whether obj is an instance, containers judged by their elements: List[int], Dict[str, int], Optional[int]."""
    import builtins
    from types import UnionType
    from typing import Union, get_args, get_origin

    if builtins.isinstance(target_type, tuple):
        return any(isinstance(obj, t) for t in target_type)
    origin, inner = get_origin(target_type), get_args(target_type)
    if origin in (Union, UnionType):
        return any(isinstance(obj, t) for t in inner)
    if origin is None:
        return obj is None if target_type in (None, type(None)) else builtins.isinstance(obj, target_type)
    if not builtins.isinstance(obj, origin):
        return False
    if origin is dict:
        return all(isinstance(k, inner[0]) and isinstance(v, inner[1]) for k, v in obj.items())
    if origin is tuple:
        return len(obj) == len(inner) and all(isinstance(o, t) for o, t in zip(obj, inner, strict=True))
    return all(isinstance(o, inner[0]) for o in obj)
