"""One table of rushlight against PyTorch and, where they are installed, NumPy, JAX and onnxruntime, timed in one run.

    python -m benchmarks [--quick] [--threads 1,2] [--only TEXT] [--libraries rushlight,torch] [--rounds N]
                         [--write docs/performance.md] [--readme README.md]

One process per library and number of threads. Rounds go from one to the next, case by case, so that a slow second of the
machine hits all alike, and all but the one that is timed are stopped: threads that wait for work by spinning would
disturb. The least time over the rounds counts. Ratios are PyTorch's time over rushlight's: above 1, rushlight is
faster. Only the standard library is needed; without a library its column is missing.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))

from benchmarks import machine, table
from benchmarks.cases import CASES
from benchmarks.libraries import LIBRARIES, installed


class Worker:
    """A process that times cases with one library on a fixed number of threads; stopped unless it is its turn."""

    def __init__(self, library: str, threads: int) -> None:
        self.key = library, threads
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "worker.py"), library, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=machine.environment(),
            cwd=ROOT,
        )
        if not self.process.stdout.readline().startswith("ready"):
            raise SystemExit(f"benchmarks: the {library} process did not start")
        self.send(signal.SIGSTOP)

    def send(self, number: int) -> None:
        if self.process.poll() is None:
            os.kill(self.process.pid, number)

    def time(self, index: int, seconds: float) -> float | str | None:
        """Seconds per call, or why not; None where the library has no such case."""
        self.send(signal.SIGCONT)
        try:
            self.process.stdin.write(f"{index} {seconds}\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline().strip()
        except BrokenPipeError:
            answer = ""
        self.send(signal.SIGSTOP)
        if answer == "absent":
            return None
        if not answer:
            return "the process died"
        return answer[2:] if answer.startswith("-") else float(answer)

    def close(self) -> None:
        self.send(signal.SIGCONT)
        self.process.stdin.close()
        self.process.wait()


def close(workers: list[Worker]) -> None:
    for worker in workers:
        worker.close()


def measure(workers: list[Worker], index: int, rounds: int, seconds: float) -> table.Times:
    """Least times of a case over the rounds; who fails or has no such case is not asked again."""
    times: table.Times = {}
    asked = list(workers)
    for _ in range(rounds):
        for worker in list(asked):
            took = worker.time(index, seconds)
            if isinstance(took, float):
                times[worker.key] = min(took, times.get(worker.key, took))
            else:
                asked.remove(worker)
                if took:
                    times[worker.key] = took
    return times


def package(libraries: list[str], quick: bool) -> list[table.PackageRow]:
    """What importing and keeping each library costs."""
    costs = {name: machine.import_cost(name, 2 if quick else 5) for name in libraries}
    return [
        ("import", {n: cost[0] for n, cost in costs.items()}, table.human, "8 ms"),
        ("memory after a first step", {n: cost[1] for n, cost in costs.items()}, table.megabytes, "20 MB"),
        ("installed", {n: machine.installed_megabytes(n) for n in libraries}, table.megabytes, ""),
        ("wheel", {"rushlight": machine.wheel_megabytes("rushlight")}, table.megabytes, "2 MB"),
    ]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--quick", action="store_true", help="one thread, short rounds, no cases of many milliseconds")
    add("--threads", default="", help="numbers of threads, comma-separated (1,2; 1 with --quick)")
    add("--only", default="", help="cases whose group or name contains this")
    add("--libraries", default=",".join(LIBRARIES), help="those to time, comma-separated (all that are installed)")
    add("--write", default="", help="file to write the table to, as Markdown")
    add("--readme", default="", help="file whose table is written anew: README.md")
    add("--rounds", type=int, default=0, help="rounds per case (5; 3 with --quick)")
    add("--seconds", type=float, default=0, help="per case, library and round (0.03; 0.01 with --quick)")
    args = parser.parse_args()
    if args.readme and (args.quick or args.only):
        parser.error("--readme needs all cases: neither --quick nor --only")
    return args


def main() -> None:
    args = arguments()
    threads = [int(t) for t in (args.threads or ("1" if args.quick else "1,2")).split(",")]
    rounds = args.rounds or (3 if args.quick else 5)
    seconds = args.seconds or (0.01 if args.quick else 0.03)
    libraries = [n for n in installed() if n in args.libraries.split(",")]
    chosen = [(i, c) for i, c in enumerate(CASES) if args.only in c.key and not (args.quick and c.long)]

    began, busy = time.perf_counter(), machine.load()
    if busy:
        print(busy)
    meter = machine.Meter(threads, sorted({c.stream[1] for _, c in chosen if c.stream} | {machine.MEMORY}))
    meter.measure()
    versions = ", ".join(f"{LIBRARIES[n]} {machine.version(n)}" for n in libraries)
    results = table.Results(libraries, threads, meter.limits, machine.processor(), versions, busy)
    print(f"{results.machine}; {versions}\n{table.heading(results)}")
    workers: list[Worker] = []
    failures: list[str] = []
    try:
        for index, case in chosen:
            if not results.rows or case.group != results.rows[-1][0].group:
                print(case.group)
                if not workers or case.long:
                    # What was freed before decides whether 40 MB are in the heap or must be asked of the system.
                    close(workers)
                    workers = [Worker(name, t) for t in threads for name in libraries]
            times = measure(workers, index, rounds, seconds)
            results.rows.append((case, times))
            print(table.line(case, times, results), flush=True)
            failures += [
                f"{case.key}: {LIBRARIES[library]}, {table.plural(t)}: {why}"
                for (library, t), why in times.items()
                if isinstance(why, str)
            ]
    finally:
        close(workers)
    meter.measure()  # the better of two: one may have met another program
    if not args.only:
        results.package = package(libraries, args.quick)
        print("the package")
        for what, values, form, _ in results.package:
            print(f"  {what:<40}" + ", ".join(f"{LIBRARIES[n]} {form(v)}" for n, v in values.items()))
    if args.write:
        Path(args.write).write_text(table.document(results))
    if args.readme:
        file = Path(args.readme)
        file.write_text(table.readme(file.read_text(), results))
    for failure in failures:
        print("failed:", failure)
    print(f"{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
