"""Run the longest test files first, and report the ten slowest at the end."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
LONGEST = tuple((TESTS / "longest_first.txt").read_text(encoding="utf-8").split())
"""Slow files and folders below ``tests``. Started last, one of them would keep a single worker busy at the end."""
SHOWN = 10


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(LONGEST)}

    def place(item: pytest.Item) -> int:
        path = item.path.relative_to(TESTS)
        return min(
            (places[name] for name in (path.as_posix(), *(f"{parent}/" for parent in path.parents)) if name in places), default=len(places)
        )

    items.sort(key=place)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    seconds: dict[str, float] = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if type(report) is pytest.TestReport:  # a subtest counts with its test
                seconds[report.nodeid.partition("::")[0]] += report.duration
    terminalreporter.section(f"{SHOWN} slowest files")
    for name in sorted(seconds, key=seconds.__getitem__, reverse=True)[:SHOWN]:
        terminalreporter.write_line(f"{seconds[name]:7.1f} s  {name}")
