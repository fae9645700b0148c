"""One library in one process on a fixed number of processors: times the cases that run.py asks for.

    python worker.py LIBRARY THREADS

Reads lines `index seconds` from its input and answers each with the least time per call, in seconds, or `absent` where
the library has no such case, or `-` and why it cannot run. It is stopped by a signal while others are timed.
"""

import ctypes
import gc
import importlib
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.cases import CASES
from benchmarks.libraries import SAME_CODE, make

BATCH = 0.5e-3  # seconds; short batches find the moments in which nothing else runs


def batch_size(f: Callable[[], object]) -> int:
    """Calls that take about BATCH together; at least one."""
    clock = time.perf_counter
    f()
    n, took = 1, 0.0
    while took < BATCH / 2:
        n *= 2
        start = clock()
        for _ in range(n):
            f()
        took = clock() - start
    return max(1, round(n * BATCH / took))


def least_time(f: Callable[[], object], n: int, seconds: float) -> float:
    """Least time per call over batches of n, at least one, after a call that fills the caches."""
    clock = time.perf_counter
    f()
    best, end, now = float("inf"), clock() + seconds, 0.0
    while now < end:
        start = clock()
        for _ in range(n):
            f()
        now = clock()
        best = min(best, now - start)
    return best / n


def die_with_parent() -> None:
    """A stopped process would outlive a killed run.py for ever (Linux: PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, int(signal.SIGKILL))


def use_threads(library: str, threads: int) -> None:
    """So many processors, and the library's own setting where it has one. NumPy and JAX take what they find.

    The last processors: the first serve the system's interrupts.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)
    if threads == 1:
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    os.environ["JAX_PLATFORMS"] = "cpu"
    if library in SAME_CODE:
        importlib.import_module(library).set_num_threads(threads)
    elif library == "onnxruntime":
        importlib.import_module("benchmarks.in_onnx").threads = threads


def main() -> None:
    library, threads = sys.argv[1], int(sys.argv[2])
    die_with_parent()
    use_threads(library, threads)
    made: dict[int, tuple[Callable[[], object], int] | None] = {}
    gc.disable()  # a collection would fall on one library's batch and not on the other's
    print("ready", flush=True)
    for line in sys.stdin:
        index, seconds = line.split()
        i = int(index)
        try:
            if i not in made:
                made.clear()  # one case's tensors at a time
                gc.collect()
                gc.freeze()  # the libraries themselves need not be looked through again and again
                f = make(library, CASES[i])
                made[i] = (f, batch_size(f)) if f else None
            if timed := made[i]:
                f, n = timed
                took = least_time(f, n, float(seconds))
                made[i] = f, max(1, round(BATCH / took))  # the first guess may have met another program
                print(repr(took), flush=True)
            else:
                print("absent", flush=True)
        except Exception as error:  # noqa: BLE001 - reported in the table's place of the number
            print("-", type(error).__name__, str(error).replace("\n", " ")[:200], flush=True)
        gc.collect()


if __name__ == "__main__":
    main()
