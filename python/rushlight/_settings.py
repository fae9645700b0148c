"""Settings of PyTorch's that change nothing here, or say truthfully what holds here."""

from collections.abc import Callable
from typing import Any

from rushlight import _C


def compile(model: Any = None, **options: Any) -> Any:
    """Returns the model or function as it is: there is no compiler behind it."""
    if model is None:
        return lambda function: function
    return model


_deterministic = {"on": False, "warn_only": False}


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Remembers the wish; all operators are deterministic in any case."""
    _deterministic.update(on=bool(mode), warn_only=bool(warn_only))


def are_deterministic_algorithms_enabled() -> bool:
    """What use_deterministic_algorithms() was told."""
    return _deterministic["on"]


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """What use_deterministic_algorithms() was told."""
    return _deterministic["warn_only"]


_DEBUG_MODES = ("default", "warn", "error")


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """use_deterministic_algorithms() by number or name: 0 or "default" off, 1 or "warn" and 2 or "error" on.

    Raises:
        TypeError, RuntimeError: another type or value.
    """
    if not isinstance(debug_mode, (int, str)):
        raise TypeError(f"debug_mode must be str or int, but got {type(debug_mode)}")
    if isinstance(debug_mode, str):
        if debug_mode not in _DEBUG_MODES:
            raise RuntimeError(
                f"invalid value of debug_mode, expected one of `default`, `warn`, `error`, but got {debug_mode}"
            )
        debug_mode = _DEBUG_MODES.index(debug_mode)
    if debug_mode not in (0, 1, 2):
        raise RuntimeError(f"invalid value of debug_mode, expected 0, 1, or 2, but got {debug_mode}")
    use_deterministic_algorithms(debug_mode > 0, warn_only=debug_mode == 1)


def get_deterministic_debug_mode() -> int:
    """0, 1 or 2: what set_deterministic_debug_mode() or use_deterministic_algorithms() was told."""
    return 0 if not _deterministic["on"] else 1 if _deterministic["warn_only"] else 2


class OutOfMemoryError(RuntimeError):
    """What PyTorch raises for an accelerator without memory left; the CPU's allocator raises RuntimeError."""

    __module__ = "torch"


_precision = ["highest"]


def set_float32_matmul_precision(precision: str) -> None:
    """Remembers the wish; products are always computed in full float32.

    Raises:
        RuntimeError: not one of "highest", "high", "medium".
    """
    if precision not in ("highest", "high", "medium"):
        raise RuntimeError(f"{precision} is not one of 'highest', 'high', or 'medium'")
    _precision[0] = precision


def get_float32_matmul_precision() -> str:
    """What set_float32_matmul_precision() was told."""
    return _precision[0]


def get_num_interop_threads() -> int:
    """1: operators run one after the other."""
    return 1


def set_num_interop_threads(num: int) -> None:
    """Changes nothing: operators run one after the other."""
    if num < 1:
        raise RuntimeError("set_num_interop_threads expects a positive integer")


def set_flush_denormal(mode: bool) -> bool:
    """False: denormal numbers are always computed."""
    return False


def get_default_device() -> Any:
    """device('cpu')."""
    return _C.device("cpu")


def set_default_device(device: Any) -> None:
    """Accepts the CPU.

    Raises:
        AssertionError, RuntimeError, NotImplementedError: another device, as its use would.
    """
    if device is not None:
        _C.empty(0, device=device)


_warn_always = [False]


def set_warn_always(b: bool) -> None:
    """Remembers the wish; warnings follow Python's filters."""
    _warn_always[0] = bool(b)


def is_warn_always_enabled() -> bool:
    """What set_warn_always() was told."""
    return _warn_always[0]


def typename(obj: Any) -> str:
    """Name of the object's type with its module; "torch.FloatTensor" for tensors."""
    if isinstance(obj, _C.Tensor):
        return obj.type()
    kind: Callable = obj if isinstance(obj, type) else type(obj)
    module = getattr(kind, "__module__", "") or ""
    return kind.__qualname__ if module in ("builtins", "") else f"{module}.{kind.__qualname__}"


def is_storage(obj: Any) -> bool:
    """Whether obj is the memory of a tensor."""
    return isinstance(obj, (_C.UntypedStorage, _C.TypedStorage))


class _Options:
    """Options of a compiler that is not there: any can be set, and groups of them (config.triton.x = 1)."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        group = _Options()
        setattr(self, name, group)
        return group

    def __bool__(self) -> bool:
        return False


def _assert(condition: Any, message: str) -> None:
    """assert, as a function."""
    assert condition, message
