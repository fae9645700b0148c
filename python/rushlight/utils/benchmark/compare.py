"""Compare: measurements as a table, one column per description, one block per number of threads."""

from __future__ import annotations

from collections.abc import Iterable

from rushlight.utils.benchmark.timer import Measurement, select_unit

__all__ = ["Compare"]


class Compare:
    """A table of measurements.

    Args:
        results (iterable of Measurement): rows by sub_label, columns by description, tables by label.
    """

    def __init__(self, results: Iterable[Measurement]) -> None:
        self._results: list[Measurement] = []
        self._trim = self._highlight = False
        self.extend_results(results)

    def extend_results(self, results: Iterable[Measurement]) -> None:
        """Adds measurements.

        Raises:
            ValueError: something else.
        """
        results = list(results)
        for r in results:
            if not isinstance(r, Measurement):
                raise ValueError(f"Expected an instance of `Measurement`, got {type(r)} instead.")
        self._results += results

    def trim_significant_figures(self) -> None:
        """Shows only the digits that the runs agree on."""
        self._trim = True

    def highlight_warnings(self) -> None:
        """Marks times whose runs spread widely."""
        self._highlight = True

    def colorize(self, rowwise: bool = False) -> None:
        """Accepted: the table has no colours."""

    def print(self) -> None:
        """Prints the tables."""
        print(self)

    def __str__(self) -> str:
        merged = Measurement.merge(self._results)
        labels = dict.fromkeys(m.label for m in merged)
        return "\n".join(self._table(label, [m for m in merged if m.label == label]) for label in labels)

    def _table(self, label: str | None, results: list[Measurement]) -> str:
        unit, scale = select_unit(min(r.median for r in results))
        columns = list(dict.fromkeys((r.env, r.description) for r in results))
        rows = list(dict.fromkeys((r.num_threads, r.as_row_name) for r in results))
        cells = {((r.env, r.description), (r.num_threads, r.as_row_name)): self._cell(r, scale) for r in results}
        first = max(len(name) for _, name in rows) + 6
        heads = [" ".join(part for part in (env, text) if part) for env, text in columns]
        widths = [
            max(len(head), *(len(cells.get((c, r), "")) for r in rows))
            for head, c in zip(heads, columns, strict=True)
        ]
        line = " " * first + "  |  " + "  |  ".join(h.center(w) for h, w in zip(heads, widths, strict=True))
        title = f" {label or ''} ".center(len(line) + 2, "-")
        lines = [f"[{title[1:-1]}]", line]
        threads = None
        for row in rows:
            if row[0] != threads:
                threads = row[0]
                lines.append(f"{threads} threads: ".ljust(len(line), "-"))
            values = [cells.get((c, row), "").rjust(w) for c, w in zip(columns, widths, strict=True)]
            lines.append(f"      {row[1]}".ljust(first) + "  |  " + "  |  ".join(values))
        return "\n".join([*lines, "", f"Times are in {_NAMES[unit]} ({unit}).", ""])

    def _cell(self, r: Measurement, scale: float) -> str:
        value = r.median / scale
        text = f"{value:.{r.significant_figures}g}" if self._trim else f"{value:.1f}"
        if self._trim and "e" in text:
            text = f"{float(text):.0f}"
        return f"(! {r.iqr / r.median:.0%}) {text}" if self._highlight and r.has_warnings else text


_NAMES = {"ns": "nanoseconds", "us": "microseconds", "ms": "milliseconds", "s": "seconds"}
