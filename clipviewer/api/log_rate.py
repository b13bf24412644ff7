"""Keep a flood of what clients do wrong from becoming a flood of log lines."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from time import monotonic

from clipviewer.api.token_bucket import TokenBucket

_LOGGERS = ("uvicorn.error", "clipviewer.api.connections", "clipviewer.api.socket_limits", "clipviewer.state.failures")


class RateLimitedWarnings(logging.Filter):
    """Pass at most ``burst`` warnings of a kind at once and ``rate`` per second; the next one that passes tells how many were left out.

    A kind is a logger and a message before its arguments are filled in. Errors always pass.
    """

    def __init__(self, *, rate: float = 1 / 30, burst: float = 5, clock: Callable[[], float] = monotonic) -> None:
        super().__init__()
        self._passing = TokenBucket(rate, burst, clock)
        self._left_out: Counter[tuple[str, str]] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno != logging.WARNING:
            return True
        kind = (record.name, str(record.msg))
        if not self._passing.take(kind):
            self._left_out[kind] += 1
            return False
        if count := self._left_out.pop(kind, 0):
            record.msg = f"{record.msg} (and {count:,} more like it)"
        return True


def install_rate_limit() -> None:
    """Add the filter to every logger that anonymous clients can make write. Idempotent."""
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(present, RateLimitedWarnings) for present in logger.filters):
            logger.addFilter(RateLimitedWarnings())
