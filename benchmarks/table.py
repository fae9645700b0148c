"""The table of run.py: lines on the terminal as it grows, docs/performance.md, and the short one of README.md."""

from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.cases import Case
from benchmarks.libraries import LIBRARIES
from benchmarks.machine import MEMORY, Limits

# By library and number of threads: seconds per call, or why there are none. Absent where a library has no such case.
Times = dict[tuple[str, int], float | str]

# What, each library's number, how to write it, and what rushlight's should be.
PackageRow = tuple[str, dict[str, float], Callable[[float], str], str]


@dataclass
class Results:
    """All that a run found out."""

    libraries: list[str]
    threads: list[int]
    limits: Limits
    machine: str
    versions: str
    busy: str = ""  # a warning
    rows: list[tuple[Case, Times]] = field(default_factory=list)
    package: list[PackageRow] = field(default_factory=list)

    @property
    def others(self) -> list[str]:
        """The libraries besides rushlight and PyTorch."""
        return [name for name in self.libraries if name not in ("rushlight", "torch")]


def human(seconds: float | str | None) -> str:
    if not isinstance(seconds, float):
        return "-"
    for unit, scale in (("ns", 1e9), ("us", 1e6), ("ms", 1e3)):
        if seconds * scale < 999.5:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds:.3g} s"


def megabytes(number: float) -> str:
    return f"{number:.0f} MB" if number > 99.5 else f"{number:.1f} MB"


def ratio(ours: float | str | None, theirs: float | str | None) -> str:
    if not isinstance(ours, float) or not isinstance(theirs, float):
        return "-"
    times = theirs / ours
    return f"{times:.2f}" if times < 9.995 else f"{times:.1f}" if times < 99.95 else f"{times:.0f}"


def share(case: Case, seconds: float | str | None, limits: dict[str, float]) -> str:
    """GFLOP/s or GB/s, and what part that is of the processors' peak or of the rate of such a stream."""
    if not isinstance(seconds, float):
        return ""
    if case.stream:
        moves, n = case.stream
        work, limit, unit = 4 * n * {"read": 1, "copy": 2, "add": 3}[moves], limits.get(f"{moves} {n}"), "GB/s"
    elif case.flops:
        work, limit, unit = case.flops, limits.get("fma"), "GFLOP/s"
    else:
        return ""
    rate = work / seconds * 1e-9
    return f"{rate:.3g} {unit}" + (f", {100 * rate / limit:.0f} %" if limit else "")


def goal(case: Case) -> str:
    return f"{case.rate:g} GFLOP/s" if case.rate else f"{case.goal:g}" if case.goal else ""


def plural(threads: int) -> str:
    return f"{threads} thread" + "s" * (threads > 1)


# ---- terminal ------------------------------------------------------------------------------------------------------


def heading(results: Results) -> str:
    others = "".join(f"{LIBRARIES[name]:>12}" for name in results.others)
    return f"{'':42}{'threads':>8}{'rushlight':>10}{'PyTorch':>10}{'times':>7}{others}  share (goal)"


def line(case: Case, times: Times, results: Results) -> str:
    """A line for each number of threads."""
    lines = []
    for t in results.threads:
        name = f"  {case.name:<40}" if not lines else f"{'':42}"
        ours, theirs = times.get(("rushlight", t)), times.get(("torch", t))
        others = "".join(f"{human(times.get((name, t))):>12}" for name in results.others)
        wanted = f"  (goal {goal(case)})" if goal(case) and not lines else ""
        lines.append(
            f"{name}{t:>8}{human(ours):>10}{human(theirs):>10}{ratio(ours, theirs):>7}{others}"
            f"  {share(case, ours, results.limits[t])}{wanted}".rstrip()
        )
    return "\n".join(lines)


# ---- Markdown ------------------------------------------------------------------------------------------------------


def markdown(head: list[str], rows: list[list[str]]) -> list[str]:
    """The first column to the left, the others to the right; columns without any entry are left out."""
    used = [i for i in range(len(head)) if not i or any(row[i] not in ("", "-") for row in rows)]
    lines = [[head[i] for i in used], ["---"] + ["---:"] * (len(used) - 1)]
    lines += [[row[i] for i in used] for row in rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def group_table(rows: list[tuple[Case, Times]], t: int, results: Results) -> list[str]:
    first = t == results.threads[0]
    head = ["case", "rushlight", "PyTorch", "times", "goal" if first else "second core", "share"]
    head += [LIBRARIES[name] for name in results.others]
    lines = []
    for case, times in rows:
        here = {name: times.get((name, t)) for name in LIBRARIES}
        least = min((s for s in here.values() if isinstance(s, float)), default=None)
        cell = {name: f"**{human(s)}**" if s == least and s is not None else human(s) for name, s in here.items()}
        ours = here["rushlight"]
        extra = goal(case) if first else ratio(ours, times.get(("rushlight", results.threads[0])))
        lines.append(
            [case.name, cell["rushlight"], cell["torch"], ratio(ours, here["torch"]), extra]
            + [share(case, ours, results.limits[t])]
            + [cell[name] for name in results.others]
        )
    return markdown(head, lines)


def machine_table(results: Results) -> list[str]:
    """What the processor can do at most, on each number of threads."""
    shown = [("fused multiply-add, float32", "fma", "GFLOP/s")]
    for where, n in (("memory", MEMORY), ("arrays of 1e7 floats", 10_000_000), ("arrays of 1e5 floats", 100_000)):
        for text, moves in (("read", "read"), ("read one, write one", "copy"), ("read two, write one", "add")):
            shown.append((f"{where}: {text}", f"{moves} {n}", "GB/s"))
    rows = [
        [text] + [f"{results.limits[t][key]:.0f} {unit}" for t in results.threads]
        for text, key, unit in shown
        if all(key in results.limits[t] for t in results.threads)
    ]
    return markdown(["at most", *map(plural, results.threads)], rows) if rows else []


INTRODUCTION = """\
Written by `make bench`: all libraries in one run, a process for each and for each number of threads, in turns, the others
stopped meanwhile; the least time counts, in bold the least of the row. *times* is PyTorch's time over rushlight's, *goal*
what that should be; *second core* rushlight's time on one thread over this. *share* is what rushlight reaches of the
processor's limit, measured in the same run: of the fused multiply-add peak for what consists of matrix products, and for
the rest of the rate at which a plain loop goes through arrays of the same size, reading and writing as much.

Results are fresh arrays; for arrays of 1e7 floats new processes start. NumPy is written by hand, JAX compiled with
`jax.jit` (a whole training step), onnxruntime runs a model made for the case; no number means no natural form there.
`benchmarks/sweep.py` compares every operator with PyTorch, `benchmarks/per_call.py` the price of a call,
`benchmarks/gemm.py` more products."""


PACKAGE = """\
Memory is what the process holds beyond a bare interpreter: with rushlight and PyTorch after a small network's first
gradients, with the others after the import. The wheel is the installed files, compressed."""


def document(results: Results) -> str:
    """docs/performance.md."""
    lines = ["# Performance", "", INTRODUCTION, "", f"{results.machine}; {results.versions}."]
    if results.busy:
        lines += ["", f"**{results.busy}**"]
    lines += ["", *machine_table(results)]
    groups = list(dict.fromkeys(case.group for case, _ in results.rows))
    for t in results.threads:
        lines += ["", f"## {plural(t).capitalize()}"]
        for group in groups:
            rows = [(case, times) for case, times in results.rows if case.group == group]
            lines += ["", f"### {group[0].upper()}{group[1:]}", "", *group_table(rows, t, results)]
    if results.package:
        head = ["", *(LIBRARIES[name] for name in results.libraries), "goal"]
        cells = [
            [what, *(form(values[n]) if n in values else "-" for n in results.libraries), wanted]
            for what, values, form, wanted in results.package
        ]
        lines += ["", "## The package", "", *markdown(head, cells), "", PACKAGE]
    return "\n".join([*lines, ""])


# What README.md calls the cases that it shows, on one thread.
README = {
    "20-256-10 MLP, forward, batch 2": "the document's model, 20-256-10: forward, batch 2",
    "its training step, SGD and MSE": "the document's model, 20-256-10: step, SGD + MSE",
    "its training step, Adam and cross-entropy": "the document's model, 20-256-10: step, Adam + cross-entropy",
    "64-128-10 MLP, training step, batch 32": "training step, SGD + cross-entropy: 64-128-10, batch 32",
    "784-256-10 MLP, training step, batch 1": "training step, SGD + cross-entropy: 784-256-10, batch 1",
    "the same, batch 32": "training step, SGD + cross-entropy: 784-256-10, batch 32",
    "the same, batch 256": "training step, SGD + cross-entropy: 784-256-10, batch 256",
    "LeNet, training step, batch 64": "models, training step: LeNet, batch 64, SGD",
    "LSTM 28-128, 28 steps, batch 64, forward and backward":
        "recurrent layers, 28 to 128, 28 steps, batch 64: LSTM forward and backward",
    "GPT, 4 layers, 128 wide, training step with AdamW":
        "models, training step: GPT 4 x 128, length 64, batch 8, AdamW",
    "x + y, 10 elements": "10 elements: x + y",
    "tanh, 1e4 elements": "1e4 elements: tanh",
    "exp, 1e7 elements": "1e7 elements: exp",
    "sum, 1e7 elements": "1e7 elements: sum",
    "matrix product 64 x 64 x 64": "sgemm: 64 x 64 x 64",
    "matrix product 256 x 256 x 256": "sgemm: 256 x 256 x 256",
    "matrix product 1024 x 1024 x 1024": "sgemm: 1024 x 1024 x 1024",
}  # fmt: skip
BEGIN, END = "<!-- written by make bench -->\n", "<!-- end -->\n"


def readme(text: str, results: Results) -> str:
    """README.md with its table written anew between BEGIN and END."""
    t = results.threads[0]
    found = {case.key: times for case, times in results.rows}
    lines = []
    for name, key in README.items():
        times = found[key]
        ours, theirs = times.get(("rushlight", t)), times.get(("torch", t))
        others = {n: s for n in results.others if isinstance(s := times.get((n, t)), float)}
        best = min(others, key=others.__getitem__, default=None)
        other = f"{LIBRARIES[best]} {human(others[best])}" if best else ""
        lines.append([name, human(ours), human(theirs), ratio(ours, theirs), other])
    for what, values, form, _ in results.package:
        ours, theirs = values["rushlight"], values.get("torch")
        lines.append([what, form(ours), form(theirs) if theirs else "-", ratio(ours, theirs), ""])
    table = markdown(["", "rushlight", "PyTorch", "times", "best other"], lines)
    peak = f", {results.limits[t]['fma']:.0f} GFLOP/s in float32" if results.limits[t] else ""
    caption = f"One thread of {results.machine}{peak}; {results.versions}."
    before, rest = text.split(BEGIN)
    return "\n".join([before + BEGIN + caption, "", *table, END + rest.split(END)[1]])
