"""What a profiler recorded: events, their sums by name, the table, the trace."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterable
from enum import Enum
from typing import Any

__all__ = ["DeviceType", "EventList", "FunctionEvent", "FunctionEventAvg"]


class DeviceType(Enum):
    """Devices; there is one."""

    CPU = 0


def _time(us: float) -> str:
    """Microseconds as PyTorch writes them."""
    if us >= 1e6:
        return f"{us / 1e6:.3f}s"
    return f"{us / 1e3:.3f}ms" if us >= 1e3 else f"{us:.3f}us"


def _memory(n: int) -> str:
    for unit, name in ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB")):
        if abs(n) >= unit:
            return f"{n / unit:.2f} {name}"
    return f"{n} B"


class _Times:
    """The figures that an event and a sum of events share; times in us, memory in bytes."""

    count: int
    cpu_time_total: float
    self_cpu_time_total: float

    @property
    def cpu_time(self) -> float:
        """Mean time of a call, us."""
        return self.cpu_time_total / self.count if self.count else 0.0

    @property
    def cpu_time_str(self) -> str:
        return _time(self.cpu_time)

    @property
    def cpu_time_total_str(self) -> str:
        return _time(self.cpu_time_total)

    @property
    def self_cpu_time_total_str(self) -> str:
        return _time(self.self_cpu_time_total)


class FunctionEvent(_Times):
    """One call.

    Attributes:
        name (str): the operator's, node's or section's name.
        start, end (int): ns of the monotonic clock.
        thread (int): threading.get_ident() of the caller.
        cpu_memory_usage (int): bytes in use after it less those before.
        input_shapes (list): shapes of the tensor arguments, [] for others; with record_shapes.
        stack (list of str): callers, innermost first; with with_stack.
        cpu_parent, cpu_children: the events around and inside it.
    """

    count = 1

    def __init__(self, name: str, start: int, end: int, thread: int, **more: Any) -> None:
        self.name = self.key = name
        self.start, self.end, self.thread = start, end, thread
        self.cpu_memory_usage: int = more.get("memory", 0)
        self.input_shapes: list[list[int]] = more.get("shapes", [])
        self.stack: list[str] = more.get("stack", [])
        self.is_user_annotation: bool = more.get("user", False)
        self.category: str = more.get("category", "cpu_op")
        self.cpu_parent: FunctionEvent | None = None
        self.cpu_children: list[FunctionEvent] = []

    @property
    def cpu_time_total(self) -> float:  # type: ignore[override]
        return (self.end - self.start) / 1e3

    @property
    def self_cpu_time_total(self) -> float:  # type: ignore[override]
        return self.cpu_time_total - sum(c.cpu_time_total for c in self.cpu_children)

    @property
    def self_cpu_memory_usage(self) -> int:
        return self.cpu_memory_usage - sum(c.cpu_memory_usage for c in self.cpu_children)

    def __repr__(self) -> str:
        return (
            f"<FunctionEvent name={self.name} cpu_time={self.cpu_time_str} thread={self.thread} "
            f"input_shapes={self.input_shapes}>"
        )


class FunctionEventAvg(_Times):
    """The calls of one name added up."""

    def __init__(self, event: FunctionEvent) -> None:
        self.key = event.name
        self.input_shapes, self.stack = event.input_shapes, event.stack
        self.is_user_annotation = event.is_user_annotation
        self.count = 0
        self.cpu_time_total = self.self_cpu_time_total = 0.0
        self.cpu_memory_usage = self.self_cpu_memory_usage = 0

    def add(self, event: Any) -> FunctionEventAvg:
        """Adds an event's figures."""
        self.count += event.count
        self.cpu_time_total += event.cpu_time_total
        self.self_cpu_time_total += event.self_cpu_time_total
        self.cpu_memory_usage += event.cpu_memory_usage
        self.self_cpu_memory_usage += event.self_cpu_memory_usage
        return self

    def __repr__(self) -> str:
        return (
            f"<FunctionEventAvg key={self.key} self_cpu_time={self.self_cpu_time_total_str} "
            f"cpu_time={self.cpu_time_str} input_shapes={self.input_shapes} "
            f"cpu_memory_usage={self.cpu_memory_usage}>"
        )


class EventList(list):
    """Events, or their sums."""

    def __init__(self, events: Iterable[Any] = (), profile_memory: bool = False) -> None:
        super().__init__(events)
        self._profile_memory = profile_memory

    def nest(self) -> None:
        """Finds which event runs inside of which, by thread and time."""
        open_events: dict[int, list[FunctionEvent]] = {}
        for event in sorted(self, key=lambda e: (e.start, -e.end)):
            stack = open_events.setdefault(event.thread, [])
            while stack and stack[-1].end <= event.start:
                stack.pop()
            if stack:
                event.cpu_parent = stack[-1]
                stack[-1].cpu_children.append(event)
            stack.append(event)

    @property
    def self_cpu_time_total(self) -> float:
        """Time of everything recorded, each moment counted once, us."""
        return sum(e.self_cpu_time_total for e in self)

    def key_averages(self, group_by_input_shapes: bool = False, group_by_stack_n: int = 0) -> EventList:
        """Sums by name, and by input shapes and innermost callers if asked."""
        sums: dict[Any, FunctionEventAvg] = {}
        for event in self:
            key = (
                event.key,
                str(event.input_shapes) if group_by_input_shapes else "",
                tuple(event.stack[:group_by_stack_n]),
            )
            if key not in sums:
                sums[key] = FunctionEventAvg(event)
                if not group_by_input_shapes:
                    sums[key].input_shapes = []
                sums[key].stack = event.stack[:group_by_stack_n]
            sums[key].add(event)
        return EventList(sums.values(), self._profile_memory)

    def total_average(self) -> FunctionEventAvg:
        """Everything added up."""
        total = FunctionEventAvg(FunctionEvent("Total", 0, 0, 0))
        for event in self:
            total.add(event)
        return total

    def table(
        self,
        sort_by: str | None = None,
        row_limit: int = 100,
        max_src_column_width: int = 75,
        max_name_column_width: int = 55,
        max_shapes_column_width: int = 80,
        header: str | None = None,
        top_level_events_only: bool = False,
        **_: Any,
    ) -> str:
        """The figures as text.

        Args:
            sort_by (str): "cpu_time", "cpu_time_total", "self_cpu_time_total", "cpu_memory_usage",
                "self_cpu_memory_usage" or "count", largest first. Default: in the order of first calls
            row_limit (int): how many rows; -1 for all. Default: 100
            max_name_column_width, max_shapes_column_width, max_src_column_width (int): longer texts are cut.
            header (str): a line above.
            top_level_events_only (bool): leaves out what ran inside other events.
        """
        rows = list(self)
        if top_level_events_only:
            rows = [r for r in rows if getattr(r, "cpu_parent", None) is None]
        if sort_by is not None:
            names = {"cuda_time": "cpu_time", "cuda_time_total": "cpu_time_total"}
            rows.sort(key=lambda r: getattr(r, names.get(sort_by, sort_by)), reverse=True)
        whole = self.self_cpu_time_total
        shown = rows if row_limit < 0 else rows[:row_limit]
        columns = ["Name", "Self CPU %", "Self CPU", "CPU total %", "CPU total", "CPU time avg"]
        columns += ["CPU Mem", "Self CPU Mem"] * self._profile_memory + ["# of Calls"]
        shapes = any(r.input_shapes for r in shown)
        stacks = any(r.stack for r in shown)
        columns += ["Input Shapes"] * shapes + ["Source Location"] * stacks
        cells = []
        for r in shown:
            row = [_cut(r.key, max_name_column_width)]
            row += [_share(r.self_cpu_time_total, whole), r.self_cpu_time_total_str]
            row += [_share(r.cpu_time_total, whole), r.cpu_time_total_str, r.cpu_time_str]
            if self._profile_memory:
                row += [_memory(r.cpu_memory_usage), _memory(r.self_cpu_memory_usage)]
            row.append(str(r.count))
            row += [_cut(str(r.input_shapes), max_shapes_column_width)] * shapes
            row += [_cut(r.stack[0] if r.stack else "", max_src_column_width)] * stacks
            cells.append(row)
        widths = [max(12, *(len(row[i]) for row in [columns, *cells])) for i in range(len(columns))]

        def line(row: list[str]) -> str:
            return "  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)) + "  "

        rule = "  ".join("-" * width for width in widths) + "  "
        parts = ["=" * len(rule), header] if header else []
        parts += [rule, line(columns), rule, *map(line, cells), rule]
        return "\n".join([*parts, f"Self CPU time total: {_time(whole)}", ""])

    def __str__(self) -> str:
        return self.table()

    def export_chrome_trace(self, path: str) -> None:
        """Writes the events as a trace that Perfetto and chrome://tracing open; gzip for names that end in .gz."""
        pid = os.getpid()
        traced = [
            {"ph": "M", "name": "process_name", "pid": pid, "tid": 0, "ts": 0, "args": {"name": "python"}}
        ]
        for event in self:
            args: dict[str, Any] = {"Memory": event.cpu_memory_usage} if self._profile_memory else {}
            if event.input_shapes:
                args["Input Dims"] = event.input_shapes
            if event.stack:
                args["Call stack"] = ";".join(event.stack)
            traced.append(
                {
                    "ph": "X", "cat": event.category, "name": event.name, "pid": pid, "tid": event.thread,
                    "ts": event.start / 1e3, "dur": (event.end - event.start) / 1e3, "args": args,
                }  # fmt: skip
            )
        opener = gzip.open if str(path).endswith(".gz") else open
        with opener(path, "wt") as file:
            json.dump({"schemaVersion": 1, "displayTimeUnit": "ms", "traceEvents": traced}, file)

    def export_stacks(self, path: str, metric: str) -> None:
        """Writes stacks with their self time, in us, as flame graph tools read them; metric: "self_cpu_time_total"."""
        if metric != "self_cpu_time_total":
            raise ValueError("metric should be one of: ['self_cpu_time_total']")
        with open(path, "w") as file:
            for event in self:
                if event.stack:
                    frames = [text.replace(" ", "_") for text in reversed(event.stack)]
                    file.write(f"{';'.join(frames)} {int(event.self_cpu_time_total)}\n")


def _cut(text: str, width: int | None) -> str:
    return text if width is None or len(text) <= width else text[: width - 3] + "..."


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.2f}%" if whole else "NaN"
