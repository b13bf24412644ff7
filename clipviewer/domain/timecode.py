"""Times: whole milliseconds inside, decimal seconds as strings in the API, timecodes on screen."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from fractions import Fraction

MAX_MS = 1000 * 60 * 60 * 24 * 7
_DECIMAL = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?", re.ASCII)


def seconds_to_ms(value: str | float | Decimal) -> int:
    """Convert decimal seconds (``"125.007"``) to whole milliseconds, rounding half up.

    Raises ``ValueError`` for signs, exponents, NaN and anything longer than a week.
    """
    text = value if isinstance(value, str) else format(Decimal(str(value)), "f")
    if not _DECIMAL.fullmatch(text):
        raise ValueError(f"not a time in seconds: {text[:40]!r}")
    try:
        ms = int((Decimal(text) * 1000).quantize(Decimal(1), rounding=ROUND_HALF_UP))
    except InvalidOperation as error:
        raise ValueError("not a time in seconds") from error
    if ms > MAX_MS:
        raise ValueError("longer than a week")
    return ms


def ms_to_seconds(ms: int) -> str:
    """Convert whole milliseconds to decimal seconds with three places: ``125007`` → ``"125.007"``."""
    return f"{ms // 1000}.{ms % 1000:03d}"


def snap_to_frame(ms: int, rate: Fraction) -> int:
    """Return the start of the frame that starts nearest to ``ms``, at ``rate`` frames per second."""
    return round(round(ms * rate / 1000) * 1000 / rate)


def format_clock(ms: int, *, tenths: bool = False) -> str:
    """Format milliseconds for people: ``2:05``, ``1:02:05``; with ``tenths`` ``2:05.0``. Rounds down."""
    seconds, rest = divmod(max(ms, 0), 1000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    text = f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"
    return f"{text}.{rest // 100}" if tenths else text
