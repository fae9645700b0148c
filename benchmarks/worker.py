"""One library in one process: times the cases that run.py asks for.

Reads lines `index seconds` from its input and answers each with the least time per call, in seconds, or `-` and why the
case cannot run.
"""

import gc
import importlib
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.cases import CASES

BATCH = 0.5e-3  # seconds; short batches find the moments in which nothing else runs


def least_time(f: Callable[[], object], seconds: float) -> float:
    """Least time per call over batches of about BATCH each (a single call when that takes longer)."""
    clock = time.perf_counter
    f()
    n, took = 1, 0.0
    while took < BATCH / 2:
        n *= 2
        start = clock()
        for _ in range(n):
            f()
        took = clock() - start
    n = max(1, round(n * BATCH / took))
    best, end = float("inf"), clock() + seconds
    while clock() < end:
        start = clock()
        for _ in range(n):
            f()
        best = min(best, clock() - start)
    return best / n


def main() -> None:
    library, threads = sys.argv[1], int(sys.argv[2])
    torch = importlib.import_module(library)
    if threads:
        torch.set_num_threads(threads)
    made: dict[int, Callable[[], object]] = {}
    gc.disable()  # a collection would fall on one library's batch and not on the other's
    print("ready", torch.get_num_threads(), flush=True)
    for line in sys.stdin:
        index, seconds = line.split()
        i = int(index)
        try:
            if i not in made:
                made.clear()  # one case's tensors at a time
                made[i] = CASES[i].make(torch)
            print(repr(least_time(made[i], float(seconds))), flush=True)
        except Exception as error:  # noqa: BLE001 - reported in the table's place of the number
            print("-", type(error).__name__, str(error).replace("\n", " ")[:200], flush=True)
        gc.collect()


if __name__ == "__main__":
    main()
