"""The profiler: a function mode that times operators, and the engine's times of backward's nodes."""

from __future__ import annotations

import os
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable
from enum import Enum
from functools import wraps
from typing import Any, Self

from rushlight import _C
from rushlight._C import Tensor
from rushlight.overrides import TorchFunctionMode
from rushlight.profiler.events import EventList, FunctionEvent

__all__ = [
    "ProfilerAction",
    "ProfilerActivity",
    "profile",
    "record_function",
    "schedule",
    "supported_activities",
    "tensorboard_trace_handler",
]


class ProfilerActivity(Enum):
    """What to record; only the CPU is there."""

    CPU = 0
    XPU = 1
    CUDA = 3


class ProfilerAction(Enum):
    """What a profiler with a schedule does at a step."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


def supported_activities() -> set[ProfilerActivity]:
    """What can be recorded: ProfilerActivity.CPU."""
    return {ProfilerActivity.CPU}


def schedule(
    *,
    wait: int,
    warmup: int,
    active: int,
    repeat: int = 0,
    skip_first: int = 0,
    skip_first_wait: int = 0,
) -> Callable[[int], ProfilerAction]:
    """Cycles of steps: wait, then warm up, then record; repeat cycles (0: until the end), after skip_first steps."""
    if not (wait >= 0 and warmup >= 0 and active > 0 and repeat >= 0 and skip_first >= 0):
        raise AssertionError("Invalid profiler schedule arguments")
    if warmup == 0:
        warnings.warn("Profiler won't be using warmup, this can skew profiler results", stacklevel=2)
    length = wait + warmup + active

    def action(step: int) -> ProfilerAction:
        if step < 0:
            raise AssertionError(f"Step must be non-negative. Got {step}.")
        if step < skip_first:
            return ProfilerAction.NONE
        step -= skip_first
        if skip_first_wait:
            step += wait
        if repeat > 0 and step // length >= repeat:
            return ProfilerAction.NONE
        place = step % length
        if place < wait:
            return ProfilerAction.NONE
        if place < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD if place < length - 1 else ProfilerAction.RECORD_AND_SAVE

    return action


def tensorboard_trace_handler(
    dir_name: str, worker_name: str | None = None, use_gzip: bool = False, **_: Any
) -> Callable[[Any], None]:
    """An on_trace_ready that writes each trace into a folder, by worker and time."""
    os.makedirs(dir_name, exist_ok=True)
    worker = worker_name or f"{os.uname().nodename}_{os.getpid()}"

    def handler(prof: Any) -> None:
        name = f"{worker}.{time.time_ns()}.pt.trace.json" + ".gz" * use_gzip
        prof.export_chrome_trace(os.path.join(dir_name, name))

    return handler


# ---- recording ----

_active: _Recorder | None = None


def _in_use() -> int:
    return _C._memory_stats()["in_use"]


def _shapes(args: Iterable[Any]) -> list[list[int]]:
    found = []
    for a in args:
        if isinstance(a, Tensor):
            found.append(list(a.shape))
        elif isinstance(a, (list, tuple)) and a and isinstance(a[0], Tensor):
            found.append([list(t.shape) for t in a if isinstance(t, Tensor)])
        else:
            found.append([])
    return found


_HERE = os.path.dirname(os.path.dirname(__file__))


def _stack() -> list[str]:
    """The callers outside of the library, innermost first."""
    frame, lines = sys._getframe(2), []
    while frame is not None:
        code = frame.f_code
        if not code.co_filename.startswith(_HERE):
            lines.append(f"{code.co_filename}({frame.f_lineno}): {code.co_name}")
        frame = frame.f_back
    return lines


_REFLECTED = {f"__r{n}__": n for n in ("add", "sub", "mul", "truediv", "pow", "matmul", "floordiv", "mod")}
_INPLACE = {f"__i{n}__": n + "_" for n in ("add", "sub", "mul", "truediv", "pow", "floordiv", "mod")}
_NAMES = {"truediv": "div", "floordiv": "floor_divide", "mod": "remainder", "truediv_": "div_",
          "floordiv_": "floor_divide_", "mod_": "remainder_", "getitem": "index", "setitem": "index_put_",
          "invert": "bitwise_not", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor"}  # fmt: skip


def _name_of(func: Callable) -> str:
    name = getattr(func, "__name__", "function")
    name = _REFLECTED.get(name) or _INPLACE.get(name) or name.strip("_") + "_" * (
        name.endswith("_") and not name.endswith("__")
    )
    return "aten::" + _NAMES.get(name, name)


def _makes_tensors(result: Any) -> bool:
    if isinstance(result, (list, tuple)):
        return any(isinstance(r, Tensor) for r in result)
    return isinstance(result, Tensor)


class _Recorder(TorchFunctionMode):
    """Times every call that makes or changes tensors, runs backward or reads a number."""

    def __init__(self, record_shapes: bool, profile_memory: bool, with_stack: bool) -> None:
        self.events: list[FunctionEvent] = []
        self.record_shapes = record_shapes
        self.profile_memory = profile_memory
        self.with_stack = with_stack

    def __torch_function__(
        self, func: Callable, types: tuple, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        name = getattr(func, "__name__", "")
        if name == "__get__":  # attributes
            return func(*args, **(kwargs or {}))
        memory = _in_use() if self.profile_memory else 0
        start = time.perf_counter_ns()
        result = func(*args, **(kwargs or {}))
        end = time.perf_counter_ns()
        if _makes_tensors(result) or name in ("backward", "item", "__setitem__", "numpy", "tolist"):
            self.note(_name_of(func), start, end, memory, args)
        return result

    def note(self, name: str, start: int, end: int, memory: int, args: tuple = (), **more: Any) -> None:
        if self.profile_memory:
            more["memory"] = _in_use() - memory
        if self.record_shapes:
            more["shapes"] = _shapes(args)
        if self.with_stack:
            more["stack"] = _stack()
        self.events.append(FunctionEvent(name, start, end, threading.get_ident(), **more))

    def start(self) -> None:
        global _active
        if _active is not None:
            raise RuntimeError("Can't start a profiler while another one is running")
        _active = self
        self._steps = _watch_optimizers(self)
        _C._profile_nodes_start()
        self.__enter__()

    def stop(self) -> EventList:
        global _active
        self.__exit__(None, None, None)
        for row in _C._profile_nodes_stop():
            self.events.append(FunctionEvent(*row, category="autograd_node"))
        for handle in self._steps:
            handle.remove()
        _active = None
        events = EventList(sorted(self.events, key=lambda e: e.start), self.profile_memory)
        events.nest()
        return events


def _watch_optimizers(recorder: _Recorder) -> list[Any]:
    """Events around every optimizer's step."""
    from rushlight.optim.optimizer import (
        register_optimizer_step_post_hook,
        register_optimizer_step_pre_hook,
    )

    begun: list[tuple[int, int]] = []

    def before(*_: Any) -> None:
        begun.append((_in_use() if recorder.profile_memory else 0, time.perf_counter_ns()))

    def after(optimizer: Any, *_: Any) -> None:
        memory, start = begun.pop()
        kind = type(optimizer).__name__
        end = time.perf_counter_ns()
        recorder.note(f"Optimizer.step#{kind}.step", start, end, memory, category="user_annotation")

    return [register_optimizer_step_pre_hook(before), register_optimizer_step_post_hook(after)]


class record_function:
    """Context manager and decorator: a named section in the profile.

    Args:
        name (str): what the section is called.
        args (str): accepted.
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name = name
        self.args = args

    def __enter__(self) -> Self:
        self._memory = _in_use() if _active is not None and _active.profile_memory else 0
        self._start = time.perf_counter_ns()
        return self

    def __exit__(self, *exception: object) -> None:
        end = time.perf_counter_ns()
        if _active is not None:
            _active.note(
                self.name, self._start, end, self._memory, user=True, category="user_annotation"
            )

    def __call__(self, function: Callable) -> Callable:
        @wraps(function)
        def recorded(*args: Any, **kwargs: Any) -> Any:
            with record_function(self.name, self.args):
                return function(*args, **kwargs)

        return recorded


class profile:
    """Records what runs in its context.

    Operators are recorded as the program calls them, not those that they are made of; nodes of backward one by one.

    Args:
        activities (iterable of ProfilerActivity): CPU; others are not there. Default: CPU
        schedule (Callable): action for each step(), from schedule(); without it everything is recorded.
        on_trace_ready (Callable): called with the profiler after each recorded cycle.
        record_shapes (bool): shapes of the arguments. Default: False
        profile_memory (bool): bytes that tensors take. Default: False
        with_stack (bool): the callers' lines. Default: False
        with_flops, with_modules, experimental_config, execution_trace_observer, acc_events: accepted; nothing is
            recorded for them, and with_flops and with_modules warn.
    """

    def __init__(
        self,
        *,
        activities: Iterable[Any] | None = None,
        schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable[..., Any] | None = None,
        record_shapes: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_flops: bool = False,
        with_modules: bool = False,
        experimental_config: Any = None,
        execution_trace_observer: Any = None,
        acc_events: bool = False,
        use_cuda: bool | None = None,
        **_: Any,
    ) -> None:
        self.activities = set(activities) if activities else supported_activities()
        if not self.activities & supported_activities():
            raise AssertionError("No valid profiler activities found")
        for name, asked in (("with_flops", with_flops), ("with_modules", with_modules)):
            if asked:
                warnings.warn(f"profile: {name}=True records nothing here", stacklevel=2)
        self.schedule = schedule
        self.on_trace_ready = on_trace_ready
        self.record_shapes, self.profile_memory, self.with_stack = record_shapes, profile_memory, with_stack
        self.step_num = 0
        self.current_action = self._action()
        self._recorder: _Recorder | None = None
        self._events: EventList | None = None

    def _action(self) -> ProfilerAction:
        return self.schedule(self.step_num) if self.schedule else ProfilerAction.RECORD_AND_SAVE

    def _begin(self) -> None:
        if self.current_action in (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE):
            self._recorder = _Recorder(self.record_shapes, self.profile_memory, self.with_stack)
            self._recorder.start()

    def _end(self) -> None:
        if self._recorder is not None:
            self._events = self._recorder.stop()
            self._recorder = None

    def start(self) -> None:
        """Begins."""
        self._begin()

    def stop(self) -> None:
        """Ends; on_trace_ready is called if something was recorded."""
        if self._recorder is not None:
            self._end()
            if self.on_trace_ready:
                self.on_trace_ready(self)

    def step(self) -> None:
        """Marks the next step of the schedule."""
        before = self.current_action
        self.step_num += 1
        self.current_action = self._action()
        if before is ProfilerAction.RECORD_AND_SAVE and self.schedule is not None:
            self.stop()
        if self._recorder is None:
            self._begin()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def events(self) -> EventList:
        """What was recorded.

        Raises:
            AssertionError: nothing, or recording has not ended.
        """
        if self._events is None:
            raise AssertionError("Profiler didn't finish running")
        return self._events

    def key_averages(self, group_by_input_shape: bool = False, group_by_stack_n: int = 0, **_: Any) -> EventList:
        """Sums by name, and by input shapes and innermost callers if asked."""
        return self.events().key_averages(group_by_input_shape, group_by_stack_n)

    def export_chrome_trace(self, path: str) -> None:
        """Writes the trace as JSON."""
        self.events().export_chrome_trace(path)

    def export_stacks(self, path: str, metric: str = "self_cpu_time_total") -> None:
        """Writes stacks for flame graphs; needs with_stack."""
        self.events().export_stacks(path, metric)

    def __repr__(self) -> str:
        return "<unfinished torch.profiler.profile>" if self._events is None else repr(self._events)
