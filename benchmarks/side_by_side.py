"""What per_call.py and gemm.py share: timing the same code with several libraries in turns, in one process."""

import importlib
import importlib.util
import sys
import timeit
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

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
    """Seconds per call of each, the least over `rounds` turns of about `seconds` each; the loop itself (some 10 ns) is in.

    A function that raises is left out.
    """
    timers, counts = {}, {}
    for name, f in functions.items():
        try:
            f()
        except Exception:  # noqa: BLE001, S112 - shown as missing
            continue
        timers[name] = timeit.Timer(f)
        n = 1
        while (took := timers[name].timeit(n)) < seconds / 4:
            n = max(2 * n, min(10 * n, int(n * seconds / max(took, 1e-9))))
        counts[name] = n
    best: dict[str, float] = {}
    for _ in range(rounds):
        for name, timer in timers.items():
            took = timer.timeit(counts[name]) / counts[name]
            best[name] = min(took, best.get(name, took))
    return best
