"""Candidates marked by hand, and changes of any candidate: title, range, removal.

With ``by_program`` a pipeline does so: it cannot overrule what a person decided, and what it does binds no other program.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import delete, insert, inspect, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.clip_models import ClipFraming
from clipviewer.db.export_models import ExportJob
from clipviewer.db.models import ExportedClip, IdentifiedClip, utc_now
from clipviewer.domain.ids import is_id, new_id
from clipviewer.domain.sent_values import ALL_BY_PERSON, CANDIDATE_PARTS, parts_by_person, sent_after, sent_without
from clipviewer.domain.timecode import format_clock as shown_time
from clipviewer.domain.timecode import snap_to_frame
from clipviewer.errors import ChangedByPerson, ClipNotFound, Conflict, Invalid
from clipviewer.services import audit
from clipviewer.services.library import removed_items
from clipviewer.services.library.videos import VideoDetails, is_kept, require_changeable, video_details

ORIGIN, LEAST_MS, MOST_TITLE = "marked", 200, 300
_OF_CLIP: tuple[type[ExportedClip] | type[ExportJob], ...] = (ExportedClip, ExportJob)


@dataclass(frozen=True, slots=True)
class Removed:
    """A removed candidate, with all that is restored with it."""

    clip: Mapping[str, Any]
    framings: Sequence[Mapping[str, Any]]
    exports: Sequence[Sequence[str]]


def mark_clip(
    db: Session,
    video_id: str,
    start_ms: int,
    end_ms: int,
    title: str,
    *,
    by_program: bool = False,
    actor: str = "",
    address: str = "",
    now: Callable[[], datetime] = utc_now,
) -> str:
    """Mark a range of the video as a candidate, aligned to whole frames; return its id.

    Raises ``VideoNotFound``, ``Invalid``, and ``Conflict`` for a deleted video.
    """
    require_changeable(db, video_id)
    start, end = _align_to_frames(video_details(db, video_id), start_ms, end_ms)
    clip_id, moment = new_id("clip"), now()
    row = {
        "id": clip_id, "video_id": video_id, "reference": f"{ORIGIN}:{clip_id}", "origin": ORIGIN, "start_ms": start, "end_ms": end,
        "title": _title(title, start, end), "score": None, "score_parts": {}, "reasons": [], "created_at": moment, "touched_at": moment,
        "sent": None if by_program else ALL_BY_PERSON,
    }  # fmt: skip
    db.execute(insert(IdentifiedClip), row)
    audit.record(db, "clip_marked", actor=actor, subject=clip_id, address=address, video=video_id)
    return clip_id


def change_clip(
    db: Session,
    video_id: str,
    clip_id: str,
    start_ms: int | None = None,
    end_ms: int | None = None,
    title: str | None = None,
    *,
    by_program: bool = False,
    actor: str = "",
    address: str = "",
    now: Callable[[], datetime] = utc_now,
) -> None:
    """Change a candidate's range and title; None keeps a value. It then counts as decided by a person.

    Raises ``VideoNotFound``, ``ClipNotFound``, ``Invalid``, and ``ChangedByPerson``.
    """
    video, clip = video_details(db, video_id), _row(db, video_id, clip_id)
    start_ms, end_ms = clip["start_ms"] if start_ms is None else start_ms, clip["end_ms"] if end_ms is None else end_ms
    same = (clip["start_ms"], clip["end_ms"]) == (start_ms, end_ms)
    start, end = (start_ms, end_ms) if same else _align_to_frames(video, start_ms, end_ms)
    title = clip["title"] if title is None or title.split() == clip["title"].split() else _title(title, start, end)
    values = {"start_ms": start, "end_ms": end, "title": title}
    sent = _sent_by_program(clip, values) if by_program else sent_without(clip, values, CANDIDATE_PARTS)
    db.execute(update(IdentifiedClip).where(col(IdentifiedClip.id) == clip_id).values(**values, sent=sent, touched_at=now()))
    audit.record(db, "clip_changed", actor=actor, subject=clip_id, address=address, video=video_id)


def remove_clip(
    db: Session,
    video_id: str,
    clip_id: str,
    *,
    by_program: bool = False,
    actor: str = "",
    address: str = "",
    now: Callable[[], datetime] = utc_now,
) -> Removed:
    """Remove a candidate; its exports stay. No program brings back what a person removed. Raises ``ClipNotFound``, ``ChangedByPerson``."""
    clip = _row(db, video_id, clip_id)
    framings = select(*inspect(ClipFraming).columns).where(col(ClipFraming.identified_clip_id) == clip_id)
    kept = [dict(row) for row in db.execute(framings).mappings()]
    if by_program and (kept or parts_by_person(clip, CANDIDATE_PARTS)):
        raise ChangedByPerson("A person has changed this clip, so a program may not remove it. Remove it in the clip room.")
    if not by_program:
        span = (clip["start_ms"], clip["end_ms"])
        removed_items.record_removal(db, video_id, removed_items.CANDIDATE, clip["reference"], clip_id, now(), span)
    exports = [list(db.execute(select(col(made.id)).where(col(made.identified_clip_id) == clip_id)).scalars()) for made in _OF_CLIP]
    db.execute(delete(IdentifiedClip).where(col(IdentifiedClip.id) == clip_id))
    audit.record(db, "clip_removed", actor=actor, subject=clip_id, address=address, video=video_id)
    return Removed(clip, kept, exports)


def restore_clip(db: Session, removed: Removed, *, actor: str = "", now: Callable[[], datetime] = utc_now) -> None:
    """Undo ``remove``. Raises ``VideoNotFound``, and ``Conflict`` if it exists again."""
    video_details(db, removed.clip["video_id"])
    same = (col(IdentifiedClip.video_id) == removed.clip["video_id"]) & (col(IdentifiedClip.reference) == removed.clip["reference"])
    if db.execute(select(col(IdentifiedClip.id)).where((col(IdentifiedClip.id) == removed.clip["id"]) | same)).first() is not None:
        raise Conflict("This clip is already back in the list.")
    db.execute(insert(IdentifiedClip), {**removed.clip, "touched_at": now()})
    removed_items.forget_removal(db, removed.clip["video_id"], removed_items.CANDIDATE, removed.clip["reference"])
    if removed.framings:
        db.execute(insert(ClipFraming), list(removed.framings))
    for made, ids in zip(_OF_CLIP, removed.exports, strict=True):
        of_clip = col(made.id).in_(list(ids)) & col(made.identified_clip_id).is_(None)
        db.execute(update(made).where(of_clip).values(identified_clip_id=removed.clip["id"]))
    audit.record(db, "clip_put_back", actor=actor, subject=removed.clip["id"], video=removed.clip["video_id"])


def _sent_by_program(clip: Mapping[str, Any], values: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the ``sent`` of a clip that a program changes. Raises ``ChangedByPerson`` if it would overrule a person."""
    written = {column: value for column, value in values.items() if clip[column] != value}
    for name in parts_by_person(clip, CANDIDATE_PARTS):
        if not written.keys().isdisjoint(CANDIDATE_PARTS[name]):
            raise ChangedByPerson(f"A person has changed the {name} of this clip: it stays. Leave it out.")
    return sent_after(clip, written, CANDIDATE_PARTS)


def _row(db: Session, video_id: str, clip_id: str) -> dict[str, Any]:
    """Return the candidate, locked until the transaction ends. Raises ``ClipNotFound``."""
    known = is_id(video_id, "video") and is_id(clip_id, "clip")
    query = select(*inspect(IdentifiedClip).columns).where(
        col(IdentifiedClip.id) == clip_id, col(IdentifiedClip.video_id) == video_id, is_kept(col(IdentifiedClip.video_id))
    )
    query = query.with_for_update()
    row = db.execute(query).mappings().one_or_none() if known else None
    if row is None:
        raise ClipNotFound
    return dict(row)


def _align_to_frames(video: VideoDetails, start_ms: int, end_ms: int) -> tuple[int, int]:
    """Return the range aligned to whole frames and within the video, as far as its rate and length are known."""
    rate = Fraction(video.frame_rate) if video.frame_rate else None
    start, end = (snap_to_frame(ms, rate) if rate else ms for ms in (start_ms, end_ms))
    if video.duration_ms:
        end = min(end, video.duration_ms)
    if start < 0 or (video.duration_ms and start >= video.duration_ms):
        raise Invalid("A clip must begin within the video. Move its in point.")
    if end - start < LEAST_MS:
        raise Invalid("A clip must be at least 0.2 seconds long. Move its in or out point.")
    return start, end


def _title(title: str, start_ms: int, end_ms: int) -> str:
    return " ".join(title.split())[:MOST_TITLE] or f"Clip {shown_time(start_ms)}–{shown_time(end_ms)}"
