"""A rate limit with a burst, per key, in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from time import monotonic

_MAX_KEYS = 20_000


class TokenBucket:
    """``rate`` per second on average and ``burst`` at once. The least recently used keys are forgotten first."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = monotonic) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._levels: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, key: Hashable = None) -> bool:
        """Return whether one more is allowed now, and count it if so."""
        now = self._clock()
        level, seen_at = self._levels.pop(key, (self._burst, now))
        level = min(self._burst, level + (now - seen_at) * self._rate)
        allowed = level >= 1
        self._levels[key] = (level - 1 if allowed else level, now)
        if len(self._levels) > _MAX_KEYS:
            self._levels.popitem(last=False)
        return allowed
