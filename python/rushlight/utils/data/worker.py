"""Worker processes of a DataLoader.

Each worker has a queue of tasks, lists of indices, and all share one queue of results. Task k goes
to worker k % n, and results are handed out in the order of tasks, so the order of batches does not
depend on which worker is fast.
"""

import multiprocessing
import os
import queue
import random
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import rushlight

_POLL = 5.0  # seconds between looks at whether the workers are alive


@dataclass
class WorkerInfo:
    """What get_worker_info() tells inside of a worker."""

    id: int  #: 0 to num_workers - 1
    num_workers: int
    seed: int  #: of this worker's generators
    dataset: Any  #: this process's copy


_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """The worker that the calling process is; None in the main process."""
    return _info


class _Shown(str):
    """A text that is shown as it is: KeyError shows the repr of its argument."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


@dataclass
class _Failure:
    """An exception on its way from a worker to the main process."""

    kind: type
    text: str
    worker: int

    def reraise(self) -> None:
        message = f"Caught {self.kind.__name__} in DataLoader worker process {self.worker}.\n"
        message += f"Original {self.text}"
        if self.kind is KeyError:
            raise KeyError(_Shown(message))
        try:
            error = self.kind(message)
        except Exception:  # noqa: BLE001  its constructor wants something else
            raise RuntimeError(message) from None
        raise error


class _End:
    """A worker's copy of an IterableDataset is exhausted."""


def _failure(worker: int) -> _Failure:
    kind = sys.exc_info()[0] or RuntimeError
    return _Failure(kind, traceback.format_exc(), worker)


def _seed_everything(seed: int) -> None:
    random.seed(seed)
    rushlight.manual_seed(seed)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(seed % 2**32)


def _work(
    dataset: Any, make_fetcher: Any, init: Any, info: WorkerInfo, tasks: Any, results: Any
) -> None:
    """A worker's life: fetches batches until it is told to stop."""
    global _info
    rushlight.set_num_threads(1)  # the workers are the parallel part
    _seed_everything(info.seed)
    info.dataset = dataset
    _info = info
    fetch: Any = None
    try:
        if init is not None:
            init(info.id)
        fetch = make_fetcher(dataset)
    except Exception:  # noqa: BLE001  whatever it is, the main process raises it
        failure = _failure(info.id)

        def fetch(_: object) -> object:
            return failure

    parent = os.getppid()
    while True:
        try:
            task = tasks.get(timeout=_POLL)
        except queue.Empty:
            if os.getppid() != parent:  # the main process is gone
                return
            continue
        if task is None:
            return
        number, indices = task
        try:
            data = fetch(indices)
        except StopIteration:
            data = _End()
        except Exception:  # noqa: BLE001  whatever it is, the main process raises it
            data = _failure(info.id)
        results.put((number, data))
        del data, indices, task


class WorkerPool:
    """Starts workers and hands out batches in order.

    Args:
        loader: the DataLoader.
        make_fetcher: called in the worker with the dataset; gives a function from indices to data.
        base_seed (int): worker i is seeded with base_seed + i.
    """

    def __init__(self, loader: Any, make_fetcher: Any, base_seed: int) -> None:
        context = loader.multiprocessing_context
        if not hasattr(context, "Process"):
            context = multiprocessing.get_context(context)
        self.timeout = loader.timeout
        self.prefetch = loader.prefetch_factor
        self.results = context.Queue()
        self.tasks, self.processes = [], []
        for i in range(loader.num_workers):
            tasks = context.Queue()
            tasks.cancel_join_thread()
            info = WorkerInfo(i, loader.num_workers, base_seed + i, None)
            process = context.Process(
                target=_work,
                args=(
                    loader.dataset, make_fetcher, loader.worker_init_fn, info, tasks, self.results
                ),
                daemon=True,
            )  # fmt: skip
            process.start()
            self.tasks.append(tasks)
            self.processes.append(process)

    def batches(self, sampler: Iterator) -> Iterator:
        """Results for the sampler's tasks, in their order."""
        active = [True] * len(self.processes)  # False: its IterableDataset has ended
        waiting: dict[int, Any] = {}  # results that came early
        owner: dict[int, int] = {}  # tasks under way, and those answered early
        sent = wanted = turn = 0

        def send() -> None:
            nonlocal sent, turn
            for _ in self.processes:
                worker = turn
                turn = (turn + 1) % len(self.processes)
                if active[worker]:
                    break
            else:
                return
            try:
                indices = next(sampler)
            except StopIteration:
                return
            owner[sent] = worker
            self.tasks[worker].put((sent, indices))
            sent += 1

        for _ in range(self.prefetch * len(self.processes)):
            send()
        while wanted < sent:
            while wanted not in waiting:
                number, data = self._receive()
                if isinstance(data, _End):
                    active[owner[number]] = False
                waiting[number] = data
            data = waiting.pop(wanted)
            del owner[wanted]
            wanted += 1
            send()
            if isinstance(data, _End):
                continue
            if isinstance(data, _Failure):
                data.reraise()
            yield data

    def _receive(self) -> tuple[int, Any]:
        waited = 0.0
        while True:
            step = min(_POLL, self.timeout - waited) if self.timeout > 0 else _POLL
            try:
                return self.results.get(timeout=step)
            except queue.Empty:
                waited += step
            dead = [str(p.pid) for p in self.processes if not p.is_alive()]
            if dead:
                pids = ", ".join(dead)
                raise RuntimeError(f"DataLoader worker (pid(s) {pids}) exited unexpectedly")
            if self.timeout > 0 and waited >= self.timeout:
                raise RuntimeError(f"DataLoader timed out after {self.timeout} seconds")

    def close(self) -> None:
        """Stops the workers; those that do not listen are ended."""
        for tasks in self.tasks:
            tasks.put(None)
        for process in self.processes:
            process.join(timeout=_POLL)
            if process.is_alive():
                process.terminate()
                process.join()
        for tasks in self.tasks:
            tasks.close()
        self.results.close()
        self.tasks, self.processes = [], []
