"""One table of rushlight against PyTorch, both timed in the same run.

    python benchmarks/run.py [--quick] [--threads 1,2] [--only TEXT] [--rounds N] [--write docs/performance.md]

One process per library and number of threads; rounds alternate between them, case by case, so that a slow second of the
machine hits all alike; the least time over the rounds counts. Ratios are PyTorch's time over rushlight's: above 1,
rushlight is faster. Without PyTorch only rushlight's column is filled. Only the standard library is needed.
"""

import argparse
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))

from benchmarks.cases import CASES, Case

LIBRARIES = ("rushlight", "torch")


def environment() -> dict[str, str]:
    """This process's, with the checkout's package first unless another is installed."""
    env = dict(os.environ)
    if importlib.util.find_spec("rushlight") is None:
        env["PYTHONPATH"] = os.pathsep.join([str(ROOT / "python"), env.get("PYTHONPATH", "")])
    return env


class Worker:
    """A process that times cases with one library on a fixed number of threads."""

    def __init__(self, library: str, threads: int) -> None:
        self.library, self.threads = library, threads
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "worker.py"), library, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
            cwd=ROOT,
        )
        if not self.process.stdout.readline().startswith("ready"):
            raise SystemExit(f"benchmarks: the {library} process did not start")

    def time(self, index: int, seconds: float) -> float | str:
        """Seconds per call, or why not."""
        self.process.stdin.write(f"{index} {seconds}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if not answer:
            return "the process died"
        return answer[2:] if answer.startswith("-") else float(answer)

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


# ---- the machine and the packages ----------------------------------------------------------------------------------


def machine_limits() -> dict[str, float]:
    """Peak float32 GFLOP/s of a core ("fma") and GB/s of reading memory ("read"), by a small C program; {} without cc."""
    compiler = shutil.which(os.environ.get("CC", "cc").split()[-1])
    if compiler is None:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "machine"
        command = [compiler, "-O3", str(HERE / "machine.c"), "-o", str(program)]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode:
            return {}
        out = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    return {name: float(value) for name, value in (line.split() for line in out.splitlines())}


CHILD = """
import sys, time
start = time.perf_counter()
if sys.argv[1] != "-":
    torch = __import__(sys.argv[1])
took = time.perf_counter() - start
if sys.argv[1] != "-":
    net = torch.nn.Sequential(torch.nn.Linear(20, 256), torch.nn.ReLU(), torch.nn.Linear(256, 10))
    net(torch.rand(2, 20)).sum().backward()
print(took, [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS")][0])
"""


def import_cost(library: str, rounds: int) -> tuple[float, float]:
    """(seconds to import, megabytes resident after a first backward pass beyond a bare interpreter)."""

    def child(name: str) -> tuple[float, float]:
        out = subprocess.run(
            [sys.executable, "-c", CHILD, name],
            capture_output=True,
            text=True,
            env=environment(),
            check=True,
        ).stdout.split()
        return float(out[0]), float(out[1]) / 1024

    bare = min(child("-")[1] for _ in range(2))
    costs = [child(library) for _ in range(rounds)]
    return min(c[0] for c in costs), min(c[1] for c in costs) - bare


def installed_megabytes(library: str) -> float:
    """Size of the package's folder, compiled Python files left out."""
    spec = importlib.util.find_spec(library)
    folder = Path(spec.origin).parent if spec and spec.origin else ROOT / "python" / library
    files = (f for f in folder.rglob("*") if f.is_file() and "__pycache__" not in f.parts)
    return sum(f.stat().st_size for f in files) / 1e6


# ---- the table -----------------------------------------------------------------------------------------------------


def human(seconds: float | str | None) -> str:
    if not isinstance(seconds, float):
        return "-"
    for unit, scale in (("ns", 1e9), ("us", 1e6), ("ms", 1e3)):
        if seconds * scale < 999.5:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds:.3g} s"


def ratio(ours: float | str | None, theirs: float | str | None) -> str:
    return f"{theirs / ours:.2f}" if isinstance(ours, float) and isinstance(theirs, float) else "-"


def share(case: Case, seconds: float | str | None, limits: dict[str, float]) -> str:
    """GFLOP/s or GB/s, and what part of one core's peak or of the memory's bandwidth that is."""
    work, limit, unit = (
        (case.flops, limits.get("fma"), "GFLOP/s") if case.flops else (case.bytes, limits.get("read"), "GB/s")
    )
    if not work or not isinstance(seconds, float):
        return ""
    rate = work / seconds * 1e-9
    return f"{rate:.1f} {unit}" + (f", {100 * rate / limit:.0f} %" if limit else "")


def goal(case: Case) -> str:
    return f"{case.rate:g} GFLOP/s" if case.rate else f"{case.goal:g}" if case.goal else ""


Times = dict[tuple[str, int], float | str]


def row(case: Case, times: Times, threads: list[int], limits: dict[str, float]) -> str:
    cells = [f"  {case.name:<32}"]
    for t in threads:
        ours, theirs = times.get(("rushlight", t)), times.get(("torch", t))
        cells.append(f"{human(ours):>10}{human(theirs):>10}{ratio(ours, theirs):>8}")
    first = share(case, times.get(("rushlight", threads[0])), limits)
    wanted = goal(case)
    return "".join(cells) + (f"  (goal {wanted})" if wanted else "") + (f"  {first}" if first else "")


def document(rows: list[tuple[Case, Times]], threads: list[int], limits: dict[str, float], notes: list[str], busy: str = "") -> str:
    """The table as docs/performance.md."""
    versions = ", ".join(f"{name} {version}" for name, version in library_versions().items())
    lines = [
        "# Performance",
        "",
        "Written by `make bench`: both libraries in one run, a process for each and for each number of threads, in turns;",
        "the least time counts. *times* is PyTorch's time over rushlight's; *second core* rushlight's time on one thread",
        "over that on two; *share* what one thread reaches of the core's fused multiply-add peak or of the bandwidth at",
        "which it reads memory, both measured in the same run. `benchmarks/sweep.py` compares every operator,",
        "`benchmarks/per_call.py` the price of a call, `benchmarks/gemm.py` more products.",
        "",
        f"{processor()}; {versions}.",
    ]
    if limits:
        lines.append(f"One core: {limits['fma']:.0f} GFLOP/s in float32, memory read at {limits['read']:.1f} GB/s.")
    if busy:
        lines += ["", f"**{busy}**"]
    head = ["case"]
    for t in threads:
        head += [f"rushlight, {t} thread" + "s" * (t > 1), "PyTorch", "times"] + (["goal"] if t == threads[0] else [])
    head += (["second core"] if threads[:2] == [1, 2] else []) + ["share"]
    group = ""
    for case, times in rows:
        if case.group != group:
            group = case.group
            lines += ["", f"## {group[0].upper()}{group[1:]}", "", f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
        cells = [case.name]
        for t in threads:
            ours, theirs = times.get(("rushlight", t)), times.get(("torch", t))
            cells += [human(ours), human(theirs), ratio(ours, theirs)] + ([goal(case)] if t == threads[0] else [])
        if threads[:2] == [1, 2]:
            cells.append(ratio(times.get(("rushlight", 2)), times.get(("rushlight", 1))))
        lines.append(f"| {' | '.join([*cells, share(case, times.get(('rushlight', threads[0])), limits)])} |")
    return "\n".join([*lines, "", "## The package", "", *(f"- {note}" for note in notes), ""])


def load() -> str:
    """A warning when other programs keep the processors busy."""
    others = os.getloadavg()[0]
    if others < 0.7:
        return ""
    return f"{others:.1f} other programs were running when this began: times, above all on two threads, are not to be trusted."


def processor() -> str:
    """Its name, as Linux gives it."""
    try:
        names = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    except OSError:
        names = []
    return f"{names[0]}, {len(names)} processors" if names else platform.processor() or "an unknown processor"


def library_versions() -> dict[str, str]:
    code = "import sys; print(__import__(sys.argv[1]).__version__)"
    return {
        {"torch": "PyTorch"}.get(name, name): subprocess.run(
            [sys.executable, "-c", code, name], capture_output=True, text=True, env=environment(), check=True
        ).stdout.strip()
        for name in LIBRARIES
        if name == "rushlight" or importlib.util.find_spec(name)
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--quick", action="store_true", help="short rounds, no cases of many milliseconds"
    )
    parser.add_argument(
        "--threads", default="1,2", help="numbers of threads, comma-separated (1,2)"
    )
    parser.add_argument("--only", default="", help="cases whose group or name contains this")
    parser.add_argument("--write", default="", help="file to write the table to, as Markdown")
    parser.add_argument("--rounds", type=int, default=0, help="rounds per case (5; 3 with --quick)")
    parser.add_argument("--seconds", type=float, default=0, help="per case and round (0.2; 0.05 with --quick)")
    args = parser.parse_args()
    threads = [int(t) for t in args.threads.split(",")]
    rounds = args.rounds or (3 if args.quick else 5)
    seconds = args.seconds or (0.05 if args.quick else 0.2)
    libraries = [
        name for name in LIBRARIES if name == "rushlight" or importlib.util.find_spec(name)
    ]
    chosen = [
        (i, c)
        for i, c in enumerate(CASES)
        if args.only in f"{c.group} {c.name}" and not (args.quick and c.long)
    ]

    limits, busy = machine_limits(), load()
    if busy:
        print(busy)
    if limits:
        print(
            f"one core: {limits['fma']:.0f} GFLOP/s float32 fused multiply-add, memory read at {limits['read']:.1f} GB/s"
        )
    workers = [Worker(name, t) for t in threads for name in libraries]
    failures: list[str] = []
    rows: list[tuple[Case, Times]] = []
    notes: list[str] = []
    try:
        print(f"{'':34}" + "".join(f"{f'{t} thread' + 's' * (t > 1):>20}{'':8}" for t in threads))
        print(f"{'':34}" + f"{'rushlight':>10}{'PyTorch':>10}{'ratio':>8}" * len(threads))
        group = ""
        for index, case in chosen:
            if case.group != group:
                group = case.group
                print(group)
            times: Times = {}
            for _ in range(rounds):
                for worker in workers:
                    key = (worker.library, worker.threads)
                    if isinstance(times.get(key), str):
                        continue
                    took = worker.time(index, seconds)
                    times[key] = (
                        min(took, times.get(key, took)) if isinstance(took, float) else took
                    )
            failures += [
                f"{case.group}, {case.name}: {lib}, {t} threads: {why}"
                for (lib, t), why in times.items()
                if isinstance(why, str)
            ]
            rows.append((case, times))
            print(row(case, times, threads, limits), flush=True)
    finally:
        for worker in workers:
            worker.close()
    if not args.only:
        print("the package")
        imports = {name: import_cost(name, 3 if args.quick else 7) for name in libraries}
        sizes = {name: installed_megabytes(name) for name in libraries}
        for name in libraries:
            seconds, megabytes = imports[name]
            notes.append(
                f"{name}: import {human(seconds)}, {megabytes:.0f} MB resident after a first step, "
                f"{sizes[name]:.1f} MB installed"
            )
            print(" ", notes[-1])
    if args.write:
        again = machine_limits()  # the better of two: one may have met another program
        limits = {name: max(value, again[name]) for name, value in limits.items()}
        Path(args.write).write_text(document(rows, threads, limits, notes, busy))
    for line in failures:
        print("failed:", line)


if __name__ == "__main__":
    main()
