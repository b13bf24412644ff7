"""The rows of the library page: small, frozen, ready to display."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

from clipviewer.domain.removal import KEPT_FOR
from clipviewer.domain.timecode import format_clock
from clipviewer.services.library.listing import VideoSummary

_TIME_UNITS = ((timedelta(days=1), "day"), (timedelta(hours=1), "hour"), (timedelta(minutes=1), "minute"))
_LONG_AGO = timedelta(days=30)


@dataclasses.dataclass(frozen=True)
class VideoCard:
    """A video in the library. ``state`` is its most important state in a word or two, ``trouble`` whether it needs attention;
    ``active`` is the time of the last activity in words, ``moment`` in full. ``strip``: a filmstrip is available.
    """

    id: str
    title: str
    duration: str
    identified: int
    exported: int
    running: int
    poster: str
    state: str
    trouble: bool
    active: str
    moment: str
    tags: list[str]
    archived: bool
    deleted: bool
    strip: bool


def video_card(video: VideoSummary, poster: str, now: datetime) -> VideoCard:
    """Return the card of a video; ``active`` is relative to ``now``."""
    state, trouble = _state(video, now)
    return VideoCard(
        id=video.id,
        title=video.title,
        duration=format_clock(video.duration_ms) if video.duration_ms else "",
        identified=video.identified_count,
        exported=video.exported_count,
        running=video.running,
        poster=poster,
        state=state,
        trouble=trouble,
        active=ago(video.active_at, now),
        moment=f"{video.active_at:%Y-%m-%d %H:%M} UTC",
        tags=list(video.tags),
        archived=video.archived_at is not None,
        deleted=video.deleted_at is not None,
        strip=bool(video.previews.get("sheets")) and video.deleted_at is None,
    )


def ago(then: datetime, now: datetime) -> str:
    """Return ``just now``, ``3 hours ago``, or the date after a month."""
    passed = now - then
    if passed >= _LONG_AGO:
        return f"{then:%Y-%m-%d}"
    for span, word in _TIME_UNITS:
        if passed >= span:
            count = passed // span
            return f"{count} {word}{'' if count == 1 else 's'} ago"
    return "just now"


def _state(video: VideoSummary, now: datetime) -> tuple[str, bool]:
    """Return the most urgent state and whether it needs attention; for a deleted video the time left to restore it."""
    if video.deleted_at is not None:
        hours = -((now - KEPT_FOR - video.deleted_at) // timedelta(hours=1))
        return f"Deleted · {hours} h left" if hours > 0 else "Deleted", False
    words = [
        (video.missing_at is not None, "File missing", True),
        (video.failed > 0, f"{video.failed} failed", True),
        (video.missing > 0, f"{video.missing} missing", True),
        (video.stale > 0, f"{video.stale} out of date", True),
        (video.running > 0, f"{video.running} running", False),
        (video.archived_at is not None, "Archived", False),
    ]
    return next(((text, trouble) for holds, text, trouble in words if holds), ("", False))
