"""Write the rows of an import. Each function writes a small part of a page, so that other writers never wait for long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from clipviewer.db.adoption_models import AdoptedCaptions, PreviewsDue
from clipviewer.db.clip_models import VideoCaptions
from clipviewer.db.models import ExportedClip, Video
from clipviewer.db.statements import count_changed, upsert
from clipviewer.domain.bucket_contents import Ignored
from clipviewer.domain.ids import is_id, new_id
from clipviewer.errors import RemovedByPerson
from clipviewer.services.adoption.plan import CaptionFile, find_videos_by_key
from clipviewer.services.library import quick_start
from clipviewer.services.library.quick_start import QuickCopy
from clipviewer.services.library.registration import title_from_key
from clipviewer.services.library.row_writer import Status
from clipviewer.services.room.captions import WrittenTrack, attach_sent
from clipviewer.storage.s3 import StoredObject

_TICK = timedelta(microseconds=1)


def add_videos(db: Session, objects: Sequence[StoredObject], now: datetime) -> int:
    """Add videos in listing order; one registered by somebody else meanwhile is left alone. Return the number of new ones."""
    rows = [
        {
            "id": new_id("video"),
            "title": title_from_key(item.key),
            "s3_key": item.key,
            "etag": item.etag,
            "size": item.size,
            "duration_ms": 0,
            "width": 0,
            "height": 0,
            "frame_rate": "",
            "created_at": now - place * _TICK,
        }
        for place, item in enumerate(objects)
    ]
    db.execute(upsert(db, Video).on_conflict_do_nothing(index_elements=["s3_key"]), rows)
    return enqueue_previews(db, [str(row["id"]) for row in rows])


def add_copy(db: Session, copy: QuickCopy, now: datetime) -> int:
    """Record a quick-start copy, adding the original's video if it is unknown. Return the number of new videos."""
    new = 0
    if not quick_start.find_videos_of_copy(db, copy):
        if db.execute(select(col(ExportedClip.id)).where(col(ExportedClip.s3_key) == copy.original.key)).first() is not None:
            return add_videos(db, [copy.file], now)
        was = replace(copy.file, key=copy.original.key, etag=copy.original.etag)
        new = add_videos(db, [copy.there or was], now)
    record_copies(db, [copy], now)
    return new


def record_copies(db: Session, copies: Sequence[QuickCopy], now: datetime) -> None:
    """Record quick-start copies of known videos; a video whose file changes gets new previews."""
    changed = [video_id for copy in copies if (video_id := quick_start.record_copy(db, copy, now)) is not None]
    if changed:
        enqueue_previews(db, changed)


def enqueue_previews(db: Session, video_ids: Sequence[str]) -> int:
    """Enqueue previews of these videos for when the worker is idle, except deleted ones; return their number."""
    kept = select(col(Video.id)).where(col(Video.id).in_(video_ids), col(Video.deleted_at).is_(None))
    there = list(db.execute(kept).scalars())
    if there:
        due = [{"video_id": video_id} for video_id in video_ids if video_id in set(there)]
        db.execute(upsert(db, PreviewsDue).on_conflict_do_nothing(index_elements=["video_id"]), due)
    return len(there)


def update_objects(db: Session, found: Sequence[tuple[str, StoredObject]], changed: bool, now: datetime) -> None:
    """Update rows of videos and exports, by id, whose object is back or has changed."""
    for row_id, item in found:
        table = _table_of(row_id)
        quick_start.restore_former_master(db, item.key, now)
        values = {"missing_at": None, "etag": item.etag, "size": item.size}
        db.execute(update(table).where(col(table.id) == row_id).values(**values))
    if changed:
        enqueue_previews(db, [row_id for row_id, _ in found if is_id(row_id, "video")])


def mark_missing(db: Session, row_ids: Sequence[str], now: datetime) -> int:
    """Mark videos and exports whose object is gone; return the number of newly marked ones."""
    marked = 0
    for row_id in row_ids:
        table = _table_of(row_id)
        marks = update(table).where(col(table.id) == row_id, col(table.missing_at).is_(None)).values(missing_at=now)
        marked += count_changed(db, marks)
    return marked


def add_captions(db: Session, found: CaptionFile, track: WrittenTrack, now: datetime, actor: str) -> Ignored | None:
    """Attach a caption file to its video, unless a person attached another in that language, or removed it; return why not."""
    video_id = find_videos_by_key(db, [found.master]).get(found.master)
    if video_id is None:
        return Ignored.NO_VIDEO
    there = select(col(VideoCaptions.digest)).where(col(VideoCaptions.video_id) == video_id, col(VideoCaptions.language) == found.language)
    if db.execute(there).scalar_one_or_none() not in (None, found.instead_of):
        return Ignored.LANGUAGE
    name = found.file.key
    try:
        made, status = attach_sent(db, video_id, found.language, track, name, actor=actor, clock=lambda: now)
    except RemovedByPerson:
        return Ignored.REMOVED
    if status is Status.KEPT:
        return Ignored.LANGUAGE
    values = {"etag": found.file.etag, "video_id": video_id, "language": found.language, "digest": made.digest}
    kept = upsert(db, AdoptedCaptions).values(s3_key=name, **values)
    db.execute(kept.on_conflict_do_update(index_elements=["s3_key"], set_=values))
    return None


def _table_of(row_id: str) -> type[Video] | type[ExportedClip]:
    return Video if is_id(row_id, "video") else ExportedClip
