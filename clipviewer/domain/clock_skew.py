"""Distinguish a wrong clock of this machine from a wrong key: an S3 store refuses both, and its answer has the right time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

REFUSED = timedelta(minutes=5)
"""Stores refuse signatures at 15 minutes apart, and URLs that begin in the future at once or after a few minutes."""


def skew_of(date: str, now: datetime) -> timedelta | None:
    """Return by how much ``now`` is ahead of an HTTP ``Date``, negative if behind; None if it is no date."""
    try:
        theirs = parsedate_to_datetime(date)
    except ValueError:
        return None
    return now - (theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC))


def describe_skew(date: str, now: datetime) -> str:
    """Return a sentence if the clocks are so far apart that signatures are refused, else ""."""
    skew = skew_of(date, now)
    if skew is None or abs(skew) < REFUSED:
        return ""
    apart = f"{round(abs(skew) / timedelta(minutes=1))} minutes {'ahead of' if skew > timedelta(0) else 'behind'}"
    return f"The server's clock is {apart} the storage's: set it by NTP"
