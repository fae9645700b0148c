"""Timer: how long a statement takes, with the statistics that noisy machines need."""

from __future__ import annotations

import math
import statistics
import textwrap
import timeit as _timeit
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from time import perf_counter as timer
from typing import Any

import rushlight

__all__ = ["Measurement", "Timer", "select_unit", "timer"]

_UNITS = (("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3), ("s", 1.0))


def select_unit(t: float) -> tuple[str, float]:
    """The unit that suits a time in seconds: its name, and its length in seconds."""
    return next((u for u in reversed(_UNITS) if t >= u[1]), _UNITS[0])


@dataclass
class Measurement:
    """Times of one statement.

    Attributes:
        number_per_run (int): executions per timed run.
        raw_times (list of float): seconds per run.
        label, sub_label, description, env (str), num_threads (int): what was measured.
    """

    number_per_run: int
    raw_times: list[float]
    stmt: str = "pass"
    setup: str = "pass"
    label: str | None = None
    sub_label: str | None = None
    description: str | None = None
    env: str | None = None
    num_threads: int = 1
    metadata: dict[Any, Any] | None = field(default=None)

    @property
    def times(self) -> list[float]:
        """Seconds per execution, run by run."""
        return [t / self.number_per_run for t in self.raw_times]

    @property
    def median(self) -> float:
        """Median of times, s."""
        return statistics.median(self.times)

    @property
    def mean(self) -> float:
        """Mean of times, s."""
        return statistics.fmean(self.times)

    def _quartiles(self) -> tuple[float, float]:
        if len(self.times) < 2:
            return self.median, self.median
        low, _, high = statistics.quantiles(self.times, n=4, method="inclusive")
        return low, high

    @property
    def iqr(self) -> float:
        """Distance between the quartiles, s."""
        low, high = self._quartiles()
        return high - low

    @property
    def significant_figures(self) -> int:
        """How many digits of the median the runs agree on, 1 to 5: from a 90 % confidence interval of the runs between
        the quartiles, at least 25 ns wide."""
        runs = sorted(self.times)
        middle = runs[len(runs) // 4 : math.ceil(3 * len(runs) / 4)]
        half_width = max(1.645 * statistics.pstdev(middle) / math.sqrt(len(middle)), 25e-9)
        return max(1, min(5, math.floor(-math.log10(half_width / self.median))))

    @property
    def has_warnings(self) -> bool:
        """Whether the quartiles lie more than a tenth of the median apart."""
        return self.iqr > 0.1 * self.median

    @property
    def title(self) -> str:
        """label: sub_label, or the statement."""
        parts = [self.label or self.stmt.strip().splitlines()[0]]
        return ": ".join(parts + ([self.sub_label] if self.sub_label else []))

    @property
    def as_row_name(self) -> str:
        """Row of a Compare table."""
        return self.sub_label or self.stmt or "[Unknown]"

    @staticmethod
    def merge(measurements: Iterable[Measurement]) -> list[Measurement]:
        """Measurements of the same thing as one each."""
        groups: dict[Any, list[Measurement]] = {}
        for m in measurements:
            key = (m.stmt, m.setup, m.label, m.sub_label, m.description, m.env, m.num_threads, m.number_per_run)
            groups.setdefault(key, []).append(m)
        return [replace(g[0], raw_times=[t for m in g for t in m.raw_times]) for g in groups.values()]

    def __repr__(self) -> str:
        unit, scale = select_unit(self.median)
        runs = len(self.raw_times)
        lines = [f"<{self.__class__.__module__}.{self.__class__.__name__} object>", self.title]
        if self.description:
            lines.append(self.description)
        if self.setup and self.setup != "pass":
            lines.append("setup:\n" + textwrap.indent(self.setup.strip(), "  "))
        if runs == 1:
            lines.append(f"  {self.median / scale:.2f} {unit}")
            lines.append(f"  1 measurement, {self.number_per_run} runs , {self.num_threads} thread")
        else:
            low, high = self._quartiles()
            lines.append(f"  Median: {self.median / scale:.2f} {unit}")
            lines.append(f"  IQR:    {self.iqr / scale:.2f} {unit} ({low / scale:.2f} to {high / scale:.2f})")
            plural = "s" * (self.num_threads > 1)
            lines.append(f"  {runs} measurements, {self.number_per_run} runs per measurement, "
                         f"{self.num_threads} thread{plural}")  # fmt: skip
            if self.has_warnings:
                lines.append(f"  WARNING: Interquartile range is {self.iqr / self.median:.1%} of the median measurement.")
        return "\n".join(lines)


class Timer:
    """Times a statement with a number of threads.

    Args:
        stmt, setup, global_setup (str): code to time, and code run before it; global_setup is for C++ and must be empty.
        timer (Callable): clock, in seconds. Default: perf_counter
        globals (dict): names that the code sees. rushlight is there as torch.
        label, sub_label, description, env (str): how tables call it.
        num_threads (int): threads that operators use. Default: 1
        language: Python is the only one.
    """

    def __init__(
        self,
        stmt: str = "pass",
        setup: str = "pass",
        global_setup: str = "",
        timer: Callable[[], float] = timer,
        globals: dict[str, Any] | None = None,
        label: str | None = None,
        sub_label: str | None = None,
        description: str | None = None,
        env: str | None = None,
        num_threads: int = 1,
        language: Any = "python",
    ) -> None:
        if not isinstance(stmt, str):
            raise ValueError("Currently only a `str` stmt is supported.")
        if str(language).lower() not in ("python", "language.python", "py", "0"):
            raise ValueError(f"Timer: language {language!r} is not supported: statements are Python")
        if global_setup:
            raise ValueError(f"global_setup is C++ only, got `{global_setup}`. Most likely this code can simply be moved to `setup`.")
        names = {"torch": rushlight, **(globals or {})}
        stmt, setup = textwrap.dedent(stmt).strip(), textwrap.dedent(setup).strip() or "pass"
        self._timer = _timeit.Timer(stmt=stmt, setup=setup, timer=timer, globals=names)
        self._spec = {"stmt": stmt, "setup": setup, "label": label, "sub_label": sub_label,
                      "description": description, "env": env, "num_threads": num_threads}  # fmt: skip

    def _run(self, number: int) -> float:
        return max(self._timer.timeit(number), 1e-9)

    def _measured(self, number: int, times: list[float]) -> Measurement:
        return Measurement(number_per_run=number, raw_times=times, **self._spec)

    def _threads(self) -> _Threads:
        return _Threads(self._spec["num_threads"])

    def timeit(self, number: int = 1_000_000) -> Measurement:
        """`number` executions in one run, after a short warm-up."""
        with self._threads():
            self._run(max(int(number // 100), 2))
            return self._measured(number, [self._run(number)])

    def _block(self, min_run_time: float) -> int:
        """Executions per run: so many that reading the clock is less than a thousandth of it."""
        overhead = statistics.median([self._run(0) for _ in range(5)])
        number = 1
        while True:
            taken = self._run(number)
            if overhead / taken <= 1e-4 and taken >= min_run_time / 1000 or taken > min_run_time:
                return number
            number *= 10

    def blocked_autorange(
        self, callback: Callable[[int, float], Any] | None = None, min_run_time: float = 0.2
    ) -> Measurement:
        """Runs of equal length until min_run_time seconds have gone by."""
        with self._threads():
            number, total, times = self._block(min_run_time), 0.0, []
            while total < min_run_time or len(times) < 1:
                taken = self._run(number)
                times.append(taken)
                total += taken
                if callback:
                    callback(number, taken)
            return self._measured(number, times)

    def adaptive_autorange(
        self,
        threshold: float = 0.1,
        *,
        min_run_time: float = 0.01,
        max_run_time: float = 10.0,
        callback: Callable[[int, float], Any] | None = None,
    ) -> Measurement:
        """Runs until the quartiles lie within threshold of the median, or max_run_time seconds have gone by."""
        with self._threads():
            number, total, times = self._block(0.05), 0.0, []
            while True:
                taken = self._run(number)
                times.append(taken)
                total += taken
                if callback:
                    callback(number, taken)
                found = self._measured(number, times)
                steady = len(times) > 3 and found.iqr < threshold * found.median
                if (steady and total > min_run_time) or total > max_run_time:
                    return found


class _Threads:
    """Operators use so many threads in this context."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __enter__(self) -> None:
        self.before = rushlight.get_num_threads()
        rushlight.set_num_threads(self.n)

    def __exit__(self, *exception: object) -> None:
        rushlight.set_num_threads(self.before)
