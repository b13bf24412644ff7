"""Benchmarks: ``python -m tests.bench NAME``. Each compares this product with a baseline measured in the same run.

A module of this package with ``run() -> list[Row]`` is a benchmark of that name.
"""

from __future__ import annotations

import math
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table. ``ours`` and ``baseline`` are medians in ``unit``; ``goal`` states the target ratio in words."""

    name: str
    ours: float
    baseline: float
    unit: str = "s"
    goal: str = ""

    @property
    def ratio(self) -> float:
        return self.ours / self.baseline if self.baseline else math.inf


def seconds(work: Callable[[], object]) -> float:
    """Return how long ``work`` takes, in seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def compare(name: str, ours: Callable[[], object], baseline: Callable[[], object], *, runs: int = 5, times: int = 1, goal: str = "") -> Row:
    """Return the medians of ``runs`` alternating runs after one warm-up; a run repeats its work ``times`` times and reports the mean."""
    ours(), baseline()
    pairs = [(_each(ours, times), _each(baseline, times)) for _ in range(runs)]
    return Row(name, median(pair[0] for pair in pairs), median(pair[1] for pair in pairs), goal=goal)


def _each(work: Callable[[], object], times: int) -> float:
    return seconds(lambda: [work() for _ in range(times)]) / times


def table(rows: list[Row]) -> str:
    """Return the rows as a Markdown table, with the machine they were measured on."""
    cells = [("", "ours", "baseline", "ratio", "goal")]
    cells += [(row.name, _amount(row.ours, row.unit), _amount(row.baseline, row.unit), _ratio(row.ratio), row.goal) for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join([*lines, "", machine()])


def machine() -> str:
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def _amount(value: float, unit: str) -> str:
    if unit != "s":
        return f"{value:,.4g} {unit}"
    for factor, name in ((1, "s"), (1e3, "ms")):
        if value * factor >= 1:
            return f"{value * factor:.3g} {name}"
    return f"{value * 1e6:.3g} µs"


def _ratio(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio >= 0.5 or not ratio else f"1/{1 / ratio:.1f}"
