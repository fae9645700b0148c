"""Python's multiprocessing under PyTorch's name, with spawn().

Tensors go to another process as copies, unless share_memory_() has put them into shared memory.
"""

from __future__ import annotations

import multiprocessing as _multiprocessing
import sys as _sys
import traceback as _traceback
from collections.abc import Callable
from multiprocessing import *  # noqa: F403
from multiprocessing import spawn as _spawn
from multiprocessing.connection import wait as _wait
from typing import Any

__all__ = [
    *_multiprocessing.__all__,
    "ProcessContext",
    "ProcessExitedException",
    "ProcessRaisedException",
    "get_all_sharing_strategies",
    "get_sharing_strategy",
    "set_sharing_strategy",
    "spawn",
    "start_processes",
]


def _spawn_as_torch(command_line: Callable[..., list[str]]) -> Callable[..., list[str]]:
    """The command that starts a fresh interpreter; where `import torch` means rushlight, it shall there, too."""

    def extended(**kwargs: Any) -> list[str]:
        command = command_line(**kwargs)
        if getattr(_sys.modules.get("torch"), "install_as_torch", None) and "-c" in command:
            at = command.index("-c") + 1
            command[at] = f"import rushlight; rushlight.install_as_torch(); {command[at]}"
        return command

    return extended


_spawn.get_command_line = _spawn_as_torch(_spawn.get_command_line)


class ProcessException(Exception):
    """A process failed: its index and its process id."""

    def __init__(self, msg: str, error_index: int, pid: int) -> None:
        super().__init__(msg)
        self.msg, self.error_index, self.pid = msg, error_index, pid


class ProcessRaisedException(ProcessException):
    """A process raised an exception; the message holds its traceback."""

    def __init__(self, msg: str, error_index: int, error_pid: int) -> None:
        super().__init__(msg, error_index, error_pid)


class ProcessExitedException(ProcessException):
    """A process ended by itself or by a signal."""

    def __init__(
        self, msg: str, error_index: int, error_pid: int, exit_code: int, signal_name: str | None = None
    ) -> None:
        super().__init__(msg, error_index, error_pid)
        self.exit_code, self.signal_name = exit_code, signal_name


def _run(fn: Callable, i: int, args: tuple, errors: Any) -> None:
    try:
        fn(i, *args)
    except KeyboardInterrupt:
        pass
    except Exception:
        errors.put(_traceback.format_exc())
        raise SystemExit(1) from None


class ProcessContext:
    """The processes of one spawn()."""

    def __init__(self, processes: list[Any], errors: list[Any]) -> None:
        self.processes, self._errors = processes, errors
        self._running = {p.sentinel: i for i, p in enumerate(processes)}

    def pids(self) -> list[int]:
        """The processes' ids."""
        return [p.pid for p in self.processes]

    def join(self, timeout: float | None = None, grace_period: float | None = None) -> bool:
        """Waits for one or more to end; True when all have.

        Raises:
            ProcessRaisedException, ProcessExitedException: one failed; the others are then ended.
        """
        if not self._running:
            return True
        failed = None
        for sentinel in _wait(list(self._running), timeout=timeout):
            i = self._running.pop(sentinel)
            self.processes[i].join()
            if self.processes[i].exitcode != 0 and failed is None:
                failed = i
        if failed is None:
            return not self._running
        for p in self.processes:
            if p.is_alive():
                p.terminate()
        for p in self.processes:
            p.join(grace_period)
            if p.is_alive():
                p.kill()
                p.join()
        process = self.processes[failed]
        if not self._errors[failed].empty():
            text = f"\n\n-- Process {failed} terminated with the following error:\n{self._errors[failed].get()}"
            raise ProcessRaisedException(text, failed, process.pid)
        text = f"process {failed} terminated with exit code {process.exitcode}"
        raise ProcessExitedException(text, failed, process.pid, process.exitcode)


def start_processes(
    fn: Callable,
    args: tuple = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:
    """Runs fn(i, *args) in nprocs processes, i from 0; join: waits for them, else gives their ProcessContext."""
    context = _multiprocessing.get_context(start_method)
    processes, errors = [], []
    for i in range(nprocs):
        queue = context.SimpleQueue()
        process = context.Process(target=_run, args=(fn, i, args, queue), daemon=daemon)
        process.start()
        processes.append(process)
        errors.append(queue)
    started = ProcessContext(processes, errors)
    if not join:
        return started
    while not started.join():
        pass
    return None


def spawn(
    fn: Callable,
    args: tuple = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:
    """start_processes with fresh interpreters."""
    return start_processes(fn, args, nprocs, join, daemon, start_method)


def get_all_sharing_strategies() -> set[str]:
    """The only one."""
    return {"file_descriptor"}


def get_sharing_strategy() -> str:
    """How memory that share_memory_() has made is handed over."""
    return "file_descriptor"


def set_sharing_strategy(new_strategy: str) -> None:
    """Accepts "file_descriptor".

    Raises:
        AssertionError: another strategy.
    """
    assert new_strategy in get_all_sharing_strategies()
