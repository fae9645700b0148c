"""Instructions that the extension executes for each of ten tiny programs: a guard against slow creep.

    python benchmarks/instructions.py [--save]

Counted by valgrind's callgrind, in the extension alone: repeatable, the same on a busy machine, and independent of the
interpreter's build. --save writes benchmarks/instructions.json, to which tests/test_instructions.py compares.
The counts are those of the AVX2 build (valgrind knows no AVX-512), per call, on one thread.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
BASELINE = HERE / "instructions.json"
REPEATS = 20
MARK = "getppid"  # the C function whose calls cut the profile into pieces


def programs(torch) -> dict[str, Callable[[], object]]:
    """Ten things that every training loop does all the time."""
    nn = torch.nn
    torch.manual_seed(0)
    x, y = torch.rand(2, 20), torch.rand(2, 20)
    p = torch.rand(2, 20, requires_grad=True)
    net = nn.Sequential(nn.Linear(20, 256), nn.ReLU(), nn.Linear(256, 10))
    target, classes = torch.rand(2, 10), torch.randint(0, 10, (2,))
    mse, cross_entropy = nn.MSELoss(), nn.CrossEntropyLoss()
    sgd = torch.optim.SGD(net.parameters(), lr=1e-6)
    adam = torch.optim.Adam(net.parameters(), lr=1e-6)
    mse(net(x), target).backward()

    def step(optimizer, criterion, goal):
        optimizer.zero_grad()
        criterion(net(x), goal).backward()
        optimizer.step()

    def no_grad():
        with torch.no_grad():
            return net(x)

    return {
        "zeros(2, 20)": lambda: torch.zeros(2, 20),
        "x + y": lambda: x + y,
        "x * 2.0": lambda: x * 2.0,
        "x[0]": lambda: x[0],
        "x.view(40).sum()": lambda: x.view(40).sum(),
        "p * y with a node": lambda: p * y,
        "net(x), 20-256-10": lambda: net(x),
        "net(x) without gradients": no_grad,
        "step, SGD + MSE": lambda: step(sgd, mse, target),
        "step, Adam + cross-entropy": lambda: step(adam, cross_entropy, classes),
    }


def run_programs() -> None:
    """In the process that valgrind watches: each program between two marks."""
    import gc

    import rushlight

    rushlight.set_num_threads(1)
    gc.disable()
    for program in programs(rushlight).values():
        for _ in range(5):  # caches and free lists fill
            program()
        os.getppid()
        for _ in range(REPEATS):
            program()
        os.getppid()


def extension_cost(profile: str) -> int:
    """Instructions of the extension's own code in a callgrind profile."""
    names, current, cost, skip = {}, "", 0, False
    for line in profile.splitlines():
        if line.startswith("ob="):
            number, name = re.fullmatch(r"ob=(\(\d+\))(?: (.*))?", line).groups()
            names.setdefault(number, name or "")
            current = names[number]
        elif line.startswith("cob="):  # names may first appear here
            number, name = re.fullmatch(r"cob=(\(\d+\))(?: (.*))?", line).groups()
            names.setdefault(number, name or "")
        elif line.startswith("calls="):
            skip = True  # the next line is the cost of what was called
        elif re.match(r"[+\-*\d]\S* \d+$", line):
            cost += 0 if skip or "_C.cpython" not in current else int(line.split()[1])
            skip = False
    return cost


def why_not() -> str:
    """What is missing for counting here; empty when nothing is."""
    if not sys.platform.startswith("linux"):
        return "instructions are counted on Linux only"
    if shutil.which("valgrind") is None:
        return "valgrind is not installed (Debian: apt-get install valgrind)"
    return ""


def count() -> dict[str, int]:
    """Instructions per call of every program."""
    import rushlight

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "profile"
        env = {
            **os.environ, "PYTHONHASHSEED": "0", "RUSHLIGHT_ISA": "avx2", "RUSHLIGHT_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join([str(Path(rushlight.__file__).parent.parent), str(HERE.parent)]),
        }  # fmt: skip
        command = ["valgrind", "--tool=callgrind", f"--dump-before={MARK}", f"--callgrind-out-file={out}",
                   sys.executable, str(HERE / "instructions.py"), "--run"]  # fmt: skip
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"valgrind failed: {done.stderr[-2000:]}")
        names = list(programs(rushlight))
        # piece 1 is the start, piece 2 the first program, 3 what lies between, 4 the second program ...
        pieces = [Path(f"{out}.{2 * i + 2}").read_text() for i in range(len(names))]
    return {name: round(extension_cost(piece) / REPEATS) for name, piece in zip(names, pieces, strict=True)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--save", action="store_true", help=f"write {BASELINE.name}")
    parser.add_argument("--run", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.run:
        run_programs()
        return
    if why_not():
        raise SystemExit(f"instructions: {why_not()}")
    counts = count()
    saved = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    print(f"{'instructions per call':<32}{'now':>10}{'saved':>10}")
    for name, n in counts.items():
        print(f"{name:<32}{n:>10}{saved.get(name, '-'):>10}")
    if args.save:
        BASELINE.write_text(json.dumps(counts, indent=4) + "\n")


if __name__ == "__main__":
    main()
