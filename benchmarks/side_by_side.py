"""What per_call.py and gemm.py share: timing the same code with several libraries in turns, in one process."""

import importlib
import importlib.util
import sys
import time
import timeit
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

BATCH = 0.5e-3  # seconds; short batches find the moments in which nothing else runs
ROOT = Path(__file__).resolve().parent.parent


def libraries(names: tuple[str, ...] = ("rushlight", "torch")) -> dict[str, ModuleType]:
    """Those that can be imported, on one thread each; the checkout's rushlight when none is installed."""
    if importlib.util.find_spec("rushlight") is None:
        sys.path.insert(0, str(ROOT / "python"))
    found = {
        name: importlib.import_module(name) for name in names if importlib.util.find_spec(name)
    }
    for module in found.values():
        module.set_num_threads(1)
    return found


def least_times(
    functions: dict[str, Callable[[], object]], rounds: int, seconds: float
) -> dict[str, float]:
    """Seconds per call of each, the least over batches of half a millisecond in `rounds` turns of `seconds` each.

    The loop itself (some 10 ns per call) is in. A function that raises is left out.
    """
    timers, counts = {}, {}
    for name, f in functions.items():
        try:
            f()
        except Exception:  # noqa: BLE001, S112 - shown as missing
            continue
        timers[name] = timer = timeit.Timer(f)
        n, took = 1, 0.0
        while took < BATCH / 2:
            n *= 2
            took = timer.timeit(n)
        counts[name] = max(1, round(n * BATCH / took))
    best: dict[str, float] = {}
    for _ in range(rounds):
        for name, timer in timers.items():
            end = time.perf_counter() + seconds
            while True:
                took = timer.timeit(counts[name]) / counts[name]
                best[name] = min(took, best.get(name, took))
                if time.perf_counter() >= end:
                    break
    return best
