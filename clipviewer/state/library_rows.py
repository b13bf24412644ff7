"""What the library page shows: small frozen rows, ready to be read."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

from clipviewer.domain.removal import KEPT_FOR
from clipviewer.domain.timecode import format_clock
from clipviewer.services.library.listing import VideoSummary

_SPANS = ((timedelta(days=1), "day"), (timedelta(hours=1), "hour"), (timedelta(minutes=1), "minute"))
_LONG_AGO = timedelta(days=30)


@dataclasses.dataclass(frozen=True)
class VideoCard:
    """A video in the library. ``state`` is what is to be known of it in a word or two, ``trouble`` whether that needs somebody's attention;
    ``active`` says when something was last added, ``moment`` the same in full. ``strip``: there is a filmstrip to look through."""

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
    """``now`` is what ``active`` is counted from."""
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
    """``just now``, ``3 hours ago``, and the date after a month."""
    passed = now - then
    if passed >= _LONG_AGO:
        return f"{then:%Y-%m-%d}"
    for span, word in _SPANS:
        if passed >= span:
            count = passed // span
            return f"{count} {word}{'' if count == 1 else 's'} ago"
    return "just now"


def _state(video: VideoSummary, now: datetime) -> tuple[str, bool]:
    """The worst thing first; of a deleted one, how long it can be brought back."""
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
