"""What clients do wrong is logged, but not as often as they do it."""

from __future__ import annotations

import logging

from clipviewer.api.log_rate import RateLimitedWarnings


def logged(quiet: RateLimitedWarnings, message: str, *arguments: object, level: int = logging.WARNING) -> str | None:
    record = logging.LogRecord("edge", level, __file__, 1, message, arguments, None)
    return record.getMessage() if quiet.filter(record) else None


def test_a_flood_of_warnings_of_a_kind_is_counted_instead_of_logged() -> None:
    now = 0.0
    quiet = RateLimitedWarnings(rate=1, burst=2, clock=lambda: now)
    assert [logged(quiet, "bad frame of %s", number) for number in range(1_003)] == ["bad frame of 0", "bad frame of 1"] + [None] * 1_001
    assert logged(quiet, "another") == "another"
    assert logged(quiet, "bad frame of %s", "x", level=logging.ERROR) == "bad frame of x"
    now = 1.0
    assert logged(quiet, "bad frame of %s", "y") == "bad frame of y (and 1,001 more like it)"
    now = 2.0
    assert logged(quiet, "bad frame of %s", "z") == "bad frame of z"
